//! Timestamps: what `openssl ts` answers is believed, what it signs is verified by `openssl` too, and each way to be wrong has its name.

#[path = "support/tsa.rs"]
mod tsa;

use evidence::stamp::{Outcome, Refusal, ResponseError, Roots, StampFiles, StampRequest, Why, imprint, judge};
use tsa::{Authority, FROM, Keys, STAMPS, TO};

const REGISTER: &[u8] = br#"{"format":1,"checkpoint":"...","entries":[]}"#;
const NOW: (&str, &str) = ("20260101000000Z", "20681231235959Z");

fn request() -> StampRequest {
    StampRequest::new(REGISTER, [7, 1, 2, 3, 4, 5, 6, 0x80])
}

/// As an authority answers that puts its certificates into the token from the root downwards.
fn stamped(authority: &Authority) -> StampFiles {
    let response = authority.answer(&request().to_der(), &["root", "between"], "");
    let token = request().token(&response).unwrap();
    StampFiles { token, ..StampFiles::default() }
}

fn roots(authority: &Authority) -> Roots {
    Roots::read(&authority.pem("root")).unwrap()
}

fn outcome(files: &StampFiles, authority: &Authority) -> Outcome {
    judge(files, imprint(REGISTER), &roots(authority))
}

fn refused(files: &StampFiles, authority: &Authority) -> Refusal {
    match outcome(files, authority) {
        Outcome::Refused { refusal, .. } => refusal,
        other => panic!("believed: {other:?}"),
    }
}

/// The certificate of `openssl ts` in the place of `tsa`, its content signed by another with these extensions and times.
fn signed_by(extensions: &str, times: (&str, &str), more: &[&str]) -> (Authority, StampFiles) {
    let authority = Authority::new(Keys::P256);
    let mut files = stamped(&authority);
    authority.issue("other", "between", extensions, times);
    files.token = authority.signed_again(&files.token, "other", more);
    (authority, files)
}

fn is_good(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Good { .. })
}

#[test]
fn what_an_authority_answers_is_believed_whatever_its_keys_and_the_order_of_its_certificates() {
    for (keys, ess) in [(Keys::Rsa, "sha1"), (Keys::P256, "sha256"), (Keys::P384, "sha512")] {
        let authority = Authority::new(keys);
        for order in [["root", "between"], ["between", "root"]] {
            let more = format!("ess_cert_id_alg = {ess}\ness_cert_id_chain = yes\n");
            let response = authority.answer(&request().to_der(), &order, &more);
            let token = request().token(&response).unwrap();
            let files = StampFiles { token, ..StampFiles::default() };
            let Outcome::Good { stamp, root, not_checkable } = outcome(&files, &authority) else {
                panic!("{:?}", outcome(&files, &authority));
            };
            assert!(stamp.authority.contains("Essai tsa") && root.contains("Essai root"), "{stamp:?} {root}");
            assert_eq!((stamp.accuracy_micros, stamp.policy.as_str()), (Some(1_500_100), "1.2.3.4.1"));
            assert!(!stamp.is_qualified);
            assert!(not_checkable.iter().all(|one| one.why == Why::NoList) && not_checkable.len() == 2);
        }
    }
}

#[test]
fn openssl_verifies_the_token_that_is_kept_for_the_same_bytes() {
    let authority = Authority::new(Keys::Rsa);
    let files = stamped(&authority);
    authority.write("registre.json", REGISTER);
    for (path, bytes) in files.files() {
        authority.write(path.rsplit('/').next().unwrap(), bytes);
    }
    let verify = |data: &str| {
        let arguments = ["ts", "-verify", "-data", data, "-in", "jeton.tst", "-token_in", "-CAfile", "root.pem"];
        let mut command = std::process::Command::new("openssl");
        let done =
            command.current_dir(authority.path(".")).args(arguments).args(["-untrusted", "between.pem"]).output();
        done.unwrap().status.success()
    };
    assert!(verify("registre.json"));
    authority.write("autre.json", b"{}");
    assert!(!verify("autre.json"));
}

#[test]
fn a_request_is_one_that_openssl_reads() {
    let authority = Authority::new(Keys::P256);
    authority.write("query.tsq", request().to_der());
    let said = String::from_utf8(authority.openssl(&["ts", "-query", "-in", "query.tsq", "-text"])).unwrap();
    assert!(said.contains("Certificate required: yes") && said.contains("sha256"), "{said}");
    assert!(said.to_lowercase().contains("nonce: 0x4701020304050680"), "{said}");
}

#[test]
fn a_chain_may_lie_beside_the_token_and_a_root_may_be_the_signer_itself() {
    let authority = Authority::new(Keys::P256);
    let response = authority.answer(&request().to_der(), &[], "");
    let token = request().token(&response).unwrap();
    let mut files = StampFiles { token, ..StampFiles::default() };
    let name = |outcome: Outcome| outcome.refusal().map(Refusal::name);
    assert_eq!(name(outcome(&files, &authority)), Some("timestamp-other-root"));
    let signer = Roots::read(&authority.pem("tsa")).unwrap();
    assert!(is_good(&judge(&files, imprint(REGISTER), &signer)));
    files.certificates = vec![authority.der("between")];
    assert!(is_good(&outcome(&files, &authority)));
    let der = Roots::read(&authority.der("root")).unwrap();
    assert!(is_good(&judge(&files, imprint(REGISTER), &der)), "a root as DER");
}

#[test]
fn without_a_root_the_token_says_who_would_have_to_be_trusted() {
    let authority = Authority::new(Keys::P256);
    let response = authority.answer(&request().to_der(), &["between"], "");
    let files = StampFiles { token: request().token(&response).unwrap(), ..StampFiles::default() };
    match judge(&files, imprint(REGISTER), &Roots::default()) {
        Outcome::NoRoot { issuer, stamp, .. } => assert!(issuer.contains("Essai root"), "{issuer} {stamp:?}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_token_by_key_identifier_or_by_rsa_pss_is_believed() {
    let authority = Authority::new(Keys::Rsa);
    let mut files = stamped(&authority);
    let old = files.token.clone();
    files.token = authority.signed_again(&old, "tsa", &["-cades", "-keyid"]);
    assert!(is_good(&outcome(&files, &authority)), "{:?}", outcome(&files, &authority));
    let pss = ["-cades", "-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:32"];
    files.token = authority.signed_again(&old, "tsa", &pss);
    assert!(is_good(&outcome(&files, &authority)), "{:?}", outcome(&files, &authority));
}

#[test]
fn an_answer_to_another_question_is_none() {
    let authority = Authority::new(Keys::P256);
    let response = authority.answer(&request().to_der(), &["between"], "");
    let nonce = StampRequest::new(REGISTER, [9; 8]);
    assert_eq!(nonce.token(&response), Err(ResponseError::OtherNonce));
    let other = StampRequest::new(b"{}", [7, 1, 2, 3, 4, 5, 6, 0x80]);
    assert_eq!(other.token(&response), Err(ResponseError::OtherImprint));
    assert!(matches!(request().token(&response[..40]), Err(ResponseError::Damaged { .. })));
}

#[test]
fn a_refusal_of_the_authority_is_told_with_its_reason() {
    let authority = Authority::new(Keys::P256);
    let response = authority.answer(&request().to_der(), &["between"], "digests = sha512\n");
    match request().token(&response).unwrap_err() {
        ResponseError::Rejected { status, failures, text } => {
            assert_eq!((status, failures.as_str()), ("rejection", "badAlg"));
            assert!(!text.is_empty());
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_token_of_other_bytes_is_foreign() {
    let authority = Authority::new(Keys::P256);
    let files = stamped(&authority);
    let outcome = judge(&files, imprint(b"{}"), &roots(&authority));
    assert_eq!(outcome.refusal(), Some(&Refusal::Foreign));
}

#[test]
fn a_changed_byte_anywhere_in_a_token_is_noticed_or_changes_nothing_that_is_told() {
    let authority = Authority::new(Keys::P256);
    let mut files = stamped(&authority);
    let right = outcome(&files, &authority);
    let token = files.token.clone();
    let mut names = std::collections::BTreeSet::new();
    for byte in 0..token.len() {
        files.token = token.clone();
        files.token[byte] ^= 0x10;
        match outcome(&files, &authority) {
            Outcome::Refused { refusal, .. } => drop(names.insert(refusal.name())),
            // the root that the token carries beside the reader's own is not needed
            other => assert_eq!(other, right, "byte {byte}"),
        }
    }
    for name in ["timestamp-damaged", "timestamp-foreign", "timestamp-changed", "timestamp-signature"] {
        assert!(names.contains(name), "{name} among {names:?}");
    }
}

#[test]
fn a_changed_signature_and_a_changed_time_are_told_apart() {
    let authority = Authority::new(Keys::Rsa);
    let mut files = stamped(&authority);
    let token = files.token.clone();
    // the signature is an octet string at the end
    let last = token.len() - 1;
    files.token[last] ^= 1;
    assert_eq!(refused(&files, &authority), Refusal::Signature);
    // the time stands in the content as text, and as a UTCTime in the attributes, which has two digits less
    let year =
        token.windows(4).position(|window| window.starts_with(b"20") && window[2..].iter().all(u8::is_ascii_digit));
    files.token = token;
    files.token[year.unwrap() + 3] ^= 1;
    assert_eq!(refused(&files, &authority), Refusal::Changed);
}

#[test]
fn a_certificate_for_another_purpose_stamps_nothing() {
    let why = |extensions: &str| {
        let (authority, files) = signed_by(extensions, (FROM, TO), &["-cades"]);
        match refused(&files, &authority) {
            Refusal::Purpose { why, .. } => why,
            other => panic!("{other:?}"),
        }
    };
    assert!(why("extendedKeyUsage=critical,codeSigning").contains("another one"));
    assert!(why("extendedKeyUsage=critical,timeStamping,codeSigning").contains("alone"));
    assert!(why("extendedKeyUsage=timeStamping").contains("not critical"));
    assert!(why("keyUsage=critical,digitalSignature").contains("no extended key usage"));
    assert!(why("extendedKeyUsage=critical,timeStamping\nkeyUsage=critical,keyEncipherment").contains("may not sign"));
    assert!(why("extendedKeyUsage=critical,timeStamping\n1.2.3.4=critical,DER:0500").contains("not known"));
    let (authority, files) = signed_by(STAMPS, (FROM, TO), &["-cades"]);
    assert!(is_good(&outcome(&files, &authority)), "the harness itself");
}

#[test]
fn a_signature_that_names_no_certificate_or_another_one_is_not_bound() {
    let (authority, files) = signed_by(STAMPS, (FROM, TO), &[]);
    assert_eq!(refused(&files, &authority), Refusal::NotBound { why: "ESSCertID".into() });
    // the same key, issuer and number in another certificate: only its digest tells them apart
    let (authority, mut files) = signed_by(STAMPS, (FROM, TO), &["-cades", "-nocerts"]);
    let serial = authority.read("between.serial.old");
    authority.write("between.serial", serial);
    authority.write("between.index", "");
    authority.certify("twin", "other", "between", STAMPS, ("20210101000000Z", TO));
    files.certificates = vec![authority.der("twin"), authority.der("between")];
    assert_eq!(refused(&files, &authority), Refusal::NotBound { why: "certHash".into() });
    files.certificates.push(authority.der("other"));
    assert!(is_good(&outcome(&files, &authority)), "where both are there, the one that is named is taken");
    files.certificates = vec![authority.der("between")];
    assert_eq!(refused(&files, &authority), Refusal::SignerMissing);
}

#[test]
fn a_certificate_that_was_not_valid_at_that_time_is_expired() {
    let past = ("20200101000000Z", "20210101000000Z");
    let (authority, files) = signed_by(STAMPS, past, &["-cades"]);
    match refused(&files, &authority) {
        Refusal::Expired { certificate, from, to, at } => {
            assert!(certificate.contains("Essai other"));
            assert!(from < to && to < at);
        }
        other => panic!("{other:?}"),
    }
    // an authority above it
    let authority = Authority::new(Keys::P256);
    authority.certify("between", "between", "root", tsa::ROOT, past);
    let files = stamped(&authority);
    assert!(
        matches!(refused(&files, &authority), Refusal::Expired { certificate, .. } if certificate.contains("between"))
    );
}

#[test]
fn an_authority_that_may_not_issue_leads_nowhere() {
    let name = |extensions: &str| {
        let authority = Authority::new(Keys::P256);
        authority.certify("between", "between", "root", extensions, (FROM, TO));
        refused(&stamped(&authority), &authority).name()
    };
    assert_eq!(name("basicConstraints=critical,CA:FALSE"), "timestamp-chain");
    assert_eq!(name("basicConstraints=critical,CA:TRUE\nkeyUsage=critical,cRLSign"), "timestamp-chain");
    assert_eq!(name("basicConstraints=critical,CA:TRUE\nextendedKeyUsage=serverAuth"), "timestamp-chain");
    let authority = Authority::new(Keys::P256);
    authority.certify("root", "root", "root", "basicConstraints=critical,CA:TRUE,pathlen:0", (FROM, TO));
    authority.certify("between", "between", "root", tsa::ROOT, (FROM, TO));
    assert_eq!(refused(&stamped(&authority), &authority).name(), "timestamp-chain");
}

#[test]
fn another_root_is_not_trusted_even_under_the_same_name() {
    let (authority, forger) = (Authority::new(Keys::P256), Authority::new(Keys::P256));
    match refused(&stamped(&authority), &forger) {
        Refusal::OtherRoot { issuer } => assert!(issuer.contains("Essai root")),
        other => panic!("{other:?}"),
    }
}

#[test]
fn lists_that_were_kept_say_whether_a_certificate_was_revoked() {
    let authority = Authority::new(Keys::P256);
    let mut files = stamped(&authority);
    let unknown = |files: &StampFiles| match outcome(files, &authority) {
        Outcome::Good { not_checkable, .. } => not_checkable.iter().map(|one| one.why).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert_eq!(unknown(&files), [Why::NoList, Why::NoList]);
    files.lists = vec![authority.list("between", NOW)];
    assert_eq!(unknown(&files), [Why::NoList], "of the authority between nothing is known");
    files.lists.push(authority.list("root", NOW));
    assert_eq!(unknown(&files), []);
    files.lists[0] = authority.list("between", ("20200101000000Z", "20200201000000Z"));
    assert_eq!(unknown(&files), [Why::OtherTime]);
    // without a root nobody can say who signed the root's list
    match judge(&StampFiles { lists: vec![], ..files.clone() }, imprint(REGISTER), &Roots::default()) {
        Outcome::NoRoot { not_checkable, .. } => assert_eq!(not_checkable[0].why, Why::NoList),
        other => panic!("{other:?}"),
    }

    authority.revoke("tsa", "between", "260101000000Z,keyCompromise");
    files.lists[0] = authority.list("between", NOW);
    match refused(&files, &authority) {
        Refusal::Revoked { certificate, revoked } => {
            assert!(certificate.contains("Essai tsa"));
            assert_eq!(revoked.seconds(), 1_767_225_600);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_revoked_later_falls_back_on_the_timestamp_unless_the_reason_says_otherwise() {
    let authority = Authority::new(Keys::P256);
    let mut files = stamped(&authority);
    let mut with = |when: &str| {
        authority.revoke("tsa", "between", when);
        files.lists = vec![authority.list("between", NOW)];
        outcome(&files, &authority).refusal().map(Refusal::name)
    };
    assert_eq!(with("480101000000Z,superseded"), None);
    assert_eq!(with("480101000000Z,keyCompromise"), Some("timestamp-revoked-since"));
    assert_eq!(with("480101000000Z"), Some("timestamp-revoked-since"), "no reason is the worst one");
    assert_eq!(with("260101000000Z,superseded"), Some("timestamp-revoked"));
}

#[test]
fn an_authority_above_that_was_revoked_revokes_what_stands_under_it() {
    let authority = Authority::new(Keys::P256);
    let mut files = stamped(&authority);
    authority.revoke("between", "root", "260101000000Z,CACompromise");
    files.lists = vec![authority.list("root", NOW)];
    assert!(
        matches!(refused(&files, &authority), Refusal::Revoked { certificate, .. } if certificate.contains("between"))
    );
}

#[test]
fn a_list_that_its_issuer_did_not_sign_is_named() {
    let (authority, forger) = (Authority::new(Keys::P256), Authority::new(Keys::P256));
    let mut files = stamped(&authority);
    let mut list = authority.list("between", NOW);
    let last = list.len() - 1;
    list[last] ^= 1;
    files.lists = vec![list];
    assert!(matches!(refused(&files, &authority), Refusal::List { path, .. } if path == "horodatage/liste-1.crl"));
    files.lists = vec![b"liste".to_vec()];
    assert_eq!(refused(&files, &authority).name(), "timestamp-crl");
    // of another key of that name: it says nothing here
    files.lists = vec![forger.list("between", NOW)];
    match outcome(&files, &authority) {
        Outcome::Good { not_checkable, .. } => assert_eq!(not_checkable[0].why, Why::NoList),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_list_counts_for_the_certificates_that_it_says_it_speaks_of() {
    let authority = Authority::new(Keys::P256);
    let point = format!("{STAMPS}\ncrlDistributionPoints=URI:http://crl.example.test/a.crl");
    authority.certify("tsa", "tsa", "between", &point, (FROM, TO));
    let mut files = stamped(&authority);
    let mut unknown = |scope: &str| {
        let scope = format!("issuingDistributionPoint = critical, @scope\n[scope]\n{scope}\n");
        files.lists = vec![authority.list("root", NOW), authority.list_with("between", NOW, &scope)];
        match outcome(&files, &authority) {
            Outcome::Good { not_checkable, .. } => not_checkable.first().map(|one| one.why),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(unknown("onlyuser = TRUE"), None);
    assert_eq!(unknown("fullname = URI:http://crl.example.test/a.crl"), None);
    for other in [
        "onlyCA = TRUE",
        "onlyAA = TRUE",
        "indirectCRL = TRUE",
        "onlysomereasons = keyCompromise",
        "fullname = URI:http://crl.example.test/b.crl",
    ] {
        assert_eq!(unknown(other), Some(Why::OtherScope), "{other}");
    }
    files.lists =
        vec![authority.list("root", NOW), authority.list_with("between", NOW, "1.2.3.4 = critical, DER:0500\n")];
    assert!(matches!(outcome(&files, &authority), Outcome::Good { not_checkable, .. } if not_checkable.len() == 1));
}

#[test]
fn a_list_by_an_authority_whose_key_signs_none_does_not_count() {
    let authority = Authority::new(Keys::P256);
    let no_lists = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\nsubjectKeyIdentifier=hash";
    authority.certify("between", "between", "root", no_lists, (FROM, TO));
    let mut files = stamped(&authority);
    files.lists = vec![authority.list("between", NOW)];
    match outcome(&files, &authority) {
        Outcome::Good { not_checkable, .. } => assert_eq!(not_checkable[0].why, Why::OtherScope),
        other => panic!("{other:?}"),
    }
}

/// Tag, content and all bytes of each value.
fn values(der: &[u8]) -> Vec<(u8, &[u8], &[u8])> {
    let mut rest = der;
    let mut found = Vec::new();
    while let [tag, first, ..] = *rest {
        let (head, bytes) = match first {
            0x80.. => {
                let digits = usize::from(first & 0x7f);
                (2 + digits, rest[2..2 + digits].iter().fold(0, |sum, digit| sum << 8 | usize::from(*digit)))
            }
            short => (2, usize::from(short)),
        };
        found.push((tag, &rest[head..head + bytes], &rest[..head + bytes]));
        rest = &rest[head + bytes..];
    }
    found
}

/// Constructed values down to this depth with an end instead of a length.
fn loosened(der: &[u8], depth: usize) -> Vec<u8> {
    let loose = |(tag, content, whole): (u8, &[u8], &[u8])| match tag & 0x20 {
        0x20 if depth > 0 => [&[tag, 0x80][..], &loosened(content, depth - 1), &[0, 0]].concat(),
        _ => whole.to_vec(),
    };
    values(der).into_iter().flat_map(loose).collect()
}

/// With two digits of length, as the tokens here have.
fn value(tag: u8, content: &[u8]) -> Vec<u8> {
    let bytes = u16::try_from(content.len()).unwrap();
    assert!(bytes > 255, "DER would have it shorter");
    [&[tag, 0x82][..], &bytes.to_be_bytes(), content].concat()
}

/// What stands in the token's `SignedData`, changed, in a token again.
fn rebuilt(token: &[u8], change: impl FnOnce(&mut Vec<Vec<u8>>)) -> Vec<u8> {
    let outer = values(values(token)[0].1);
    let data = values(values(outer[1].1)[0].1);
    let mut parts: Vec<Vec<u8>> = data.into_iter().map(|(_, _, whole)| whole.to_vec()).collect();
    change(&mut parts);
    value(0x30, &[outer[0].2.to_vec(), value(0xA0, &value(0x30, &parts.concat()))].concat())
}

#[test]
fn lists_in_the_token_count_and_what_is_not_there_is_missed() {
    let authority = Authority::new(Keys::Rsa);
    let files = stamped(&authority);
    let with = |change: &dyn Fn(&mut Vec<Vec<u8>>)| {
        outcome(&StampFiles { token: rebuilt(&files.token, change), ..StampFiles::default() }, &authority)
    };
    let unknown = |outcome: Outcome| match outcome {
        Outcome::Good { not_checkable, .. } => not_checkable.len(),
        other => panic!("{other:?}"),
    };
    assert_eq!(unknown(with(&|_| ())), 2);
    // version, digests, content, certificates, signers
    let list = value(0xA1, &authority.list("between", NOW));
    assert_eq!(unknown(with(&|parts| parts.insert(4, list.clone()))), 1);
    authority.revoke("tsa", "between", "260101000000Z,keyCompromise");
    let list = value(0xA1, &authority.list("between", NOW));
    assert_eq!(with(&|parts| parts.insert(4, list.clone())).refusal().map(Refusal::name), Some("timestamp-revoked"));
    let name = |change| with(change).refusal().map(Refusal::name);
    assert_eq!(name(&|parts| drop(parts.remove(3))), Some("timestamp-signer"));
    let twice = |parts: &mut Vec<Vec<u8>>| {
        let signer = values(&parts[4])[0].1.to_vec();
        parts[4] = value(0x31, &[&signer[..], &signer].concat());
    };
    assert_eq!(name(&twice), Some("timestamp-damaged"), "two signatures");
    assert_eq!(name(&|parts| parts[4] = vec![0x31, 0]), Some("timestamp-damaged"), "none");
}

#[test]
fn an_answer_in_ber_gives_the_same_token_as_one_in_der() {
    let authority = Authority::new(Keys::P256);
    let response = authority.answer(&request().to_der(), &["between"], "");
    let ber = loosened(&response, 5);
    assert_ne!(ber, response);
    assert_eq!(request().token(&ber), request().token(&response));
    let files = StampFiles { token: request().token(&ber).unwrap(), ..StampFiles::default() };
    assert!(is_good(&outcome(&files, &authority)));
    assert!(matches!(request().token(&ber[..ber.len() - 1]), Err(ResponseError::Damaged { .. })));
}

#[test]
fn what_is_kept_beside_a_token_is_kept_as_der_and_only_where_it_is_something() {
    let authority = Authority::new(Keys::P256);
    let response = authority.answer(&request().to_der(), &[], "");
    let mut files = StampFiles { token: request().token(&response).unwrap(), ..StampFiles::default() };
    files.keep_certificates(&[authority.pem("between"), authority.pem("tsa")].concat()).unwrap();
    assert_eq!(files.certificates, [authority.der("between")], "the token carries its signer's");
    files.keep_list(&authority.list("root", NOW)).unwrap();
    let between = authority.list("between", NOW);
    files.keep_list(&authority.read("list.pem")).unwrap();
    assert_eq!(files.lists[1], between);
    let before = files.clone();
    assert!(files.keep_list(b"<html>").is_err() && files.keep_list(&authority.pem("root")).is_err());
    assert!(files.keep_list(&vec![0x30; 5 << 20]).is_err() && files.keep_certificates(b"").is_err());
    assert_eq!(files, before);
    assert!(matches!(outcome(&files, &authority), Outcome::Good { not_checkable, .. } if not_checkable.is_empty()));
}

#[test]
fn the_addresses_of_lists_are_those_of_the_chain_and_of_no_certificate_that_merely_lies_in_the_token() {
    let authority = Authority::new(Keys::P256);
    let point = |name: &str| format!("{STAMPS}\ncrlDistributionPoints=URI:http://crl.example.test/{name}.crl");
    authority.certify("tsa", "tsa", "between", &point("a"), (FROM, TO));
    authority.issue("stranger", "between", &point("b"), (FROM, TO));
    let response = authority.answer(&request().to_der(), &["between", "stranger"], "");
    let mut files = StampFiles { token: request().token(&response).unwrap(), ..StampFiles::default() };
    let addresses = |files: &StampFiles, roots: &Roots| files.list_addresses(imprint(REGISTER), roots);
    assert_eq!(addresses(&files, &roots(&authority)), ["http://crl.example.test/a.crl"]);
    files.certificates = vec![authority.der("stranger")];
    assert_eq!(addresses(&files, &roots(&authority)), ["http://crl.example.test/a.crl"]);
    // nothing is fetched for a token that is not believed
    let none: [String; 0] = [];
    assert_eq!(addresses(&files, &Roots::default()), none);
    assert_eq!(addresses(&files, &roots(&Authority::new(Keys::P256))), none);
    assert_eq!(files.list_addresses(imprint(b"another"), &roots(&authority)), none);
}

#[test]
fn more_or_longer_files_than_any_timestamp_has_are_refused_unread() {
    let authority = Authority::new(Keys::P256);
    let files = stamped(&authority);
    let name = |files: StampFiles| refused(&files, &authority).name();
    assert_eq!(name(StampFiles { token: vec![0x30; 1 << 20], ..StampFiles::default() }), "timestamp-damaged");
    assert_eq!(name(StampFiles { lists: vec![vec![]; 9], ..files.clone() }), "timestamp-damaged");
    assert_eq!(name(StampFiles { certificates: vec![vec![0; 20_000]], ..files }), "timestamp-damaged");
}

#[test]
fn the_page_of_the_format_has_the_names_and_bounds_of_the_code() {
    use evidence::stamp;
    let page = include_str!("../../../docs/formats/evidence.md");
    let kib = |bytes: usize| format!("{} KiB", bytes >> 10);
    let rows = [
        (stamp::TOKEN.to_owned(), kib(stamp::TOKEN_BYTES_MAX)),
        (stamp::certificate_path(0), format!("{} of {}", stamp::CERTIFICATES_MAX, kib(stamp::CERTIFICATE_BYTES_MAX))),
        (stamp::list_path(0), format!("{} of {} MiB", stamp::LISTS_MAX, stamp::LIST_BYTES_MAX >> 20)),
    ];
    for (path, bound) in rows {
        let row = page.lines().find(|line| line.starts_with(&format!("| `{path}`"))).unwrap_or_default();
        assert!(row.ends_with(&format!("| {bound} |")), "{path}: {row}");
    }
}
