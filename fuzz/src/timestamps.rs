//! What lies beside a package of evidence and was written by others: answers of timestamp authorities, tokens, certificates, lists.
//!
//! The samples were made once by `openssl`, with keys that nobody has any more: nothing that a fuzzer makes of them may be believed.

use ::evidence::stamp::{Outcome, Roots, StampFiles, StampRequest, imprint, judge};
use ledger::Digest;

const STAMPED: &[u8] = b"registre";
const ANSWER: &[u8] = include_bytes!("timestamps/answer.tsr");
const TOKEN: &[u8] = include_bytes!("timestamps/token.tst");
const BETWEEN: &[u8] = include_bytes!("timestamps/between.cer");
const ROOT: &[u8] = include_bytes!("timestamps/root.cer");
const LISTS: [&[u8]; 2] = [include_bytes!("timestamps/between.crl"), include_bytes!("timestamps/root.crl")];

fn whole() -> StampFiles {
    StampFiles {
        token: TOKEN.to_vec(),
        certificates: vec![BETWEEN.to_vec()],
        lists: LISTS.iter().map(|list| list.to_vec()).collect(),
    }
}

fn stamped() -> Digest {
    imprint(STAMPED)
}

fn verdict(files: &StampFiles) -> Outcome {
    let roots = Roots::read(ROOT).expect("the sample is a certificate");
    judge(files, stamped(), &roots)
}

fn request() -> StampRequest {
    StampRequest::new(STAMPED, [7; 8])
}

pub fn token(bytes: &[u8]) {
    let files = StampFiles { token: bytes.to_vec(), ..whole() };
    let outcome = verdict(&files);
    files.list_addresses(stamped(), &Roots::read(ROOT).expect("the sample is a certificate"));
    if let Outcome::Good { .. } = outcome {
        assert_eq!(outcome, verdict(&whole()), "a token that nobody signed");
    }
    // another imprint is foreign whatever the token says
    assert!(judge(&files, Digest::default(), &Roots::default()).refusal().is_some());
}
pub fn token_seeds() -> Vec<Vec<u8>> {
    vec![TOKEN.to_vec()]
}

pub fn answer(bytes: &[u8]) {
    if let Ok(token) = request().token(bytes) {
        self::token(&token);
    }
}
pub fn answer_seeds() -> Vec<Vec<u8>> {
    vec![ANSWER.to_vec()]
}

pub fn certificate(bytes: &[u8]) {
    let files = StampFiles { certificates: vec![bytes.to_vec()], ..whole() };
    if let Outcome::Good { .. } = verdict(&files) {
        assert_eq!(bytes, BETWEEN, "a certificate that nobody signed");
    }
    if let Ok(roots) = Roots::read(bytes) {
        assert!(!roots.is_empty());
        drop(judge(&whole(), stamped(), &roots));
    }
}
pub fn certificate_seeds() -> Vec<Vec<u8>> {
    vec![BETWEEN.to_vec(), ROOT.to_vec()]
}

pub fn list(bytes: &[u8]) {
    let files = StampFiles { lists: vec![bytes.to_vec()], ..whole() };
    // either of both lists leaves one of both certificates unknown
    if let Outcome::Good { not_checkable, .. } = verdict(&files)
        && not_checkable.len() < 2
    {
        assert!(LISTS.contains(&bytes), "a list that nobody signed");
    }
}
pub fn list_seeds() -> Vec<Vec<u8>> {
    LISTS.iter().map(|list| list.to_vec()).collect()
}

/// For the test that a right input is read.
pub fn samples_are_believed() -> bool {
    let none_is_unknown = matches!(verdict(&whole()), Outcome::Good { not_checkable, .. } if not_checkable.is_empty());
    none_is_unknown && request().token(ANSWER).is_ok_and(|token| token == TOKEN)
}
