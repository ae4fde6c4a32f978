//! The timestamp of a package, where it has one: its files, which the manifest cannot name, and the verdict on them.

use super::whole;
use crate::{
    Files, FilesError, Finding,
    stamp::{
        CERTIFICATE_BYTES_MAX, CERTIFICATES_MAX, LIST_BYTES_MAX, LISTS_MAX, Outcome, Refusal, Roots, StampFiles, TOKEN,
        TOKEN_BYTES_MAX, certificate_path, imprint, judge, list_path,
    },
};
use std::collections::BTreeMap;

/// Those that belong to it: without a token none does, and numbers leave no gap.
pub(super) fn paths(listed: &BTreeMap<String, u64>) -> Vec<String> {
    if !listed.contains_key(TOKEN) {
        return Vec::new();
    }
    let certificates = (0..CERTIFICATES_MAX).map(certificate_path).take_while(|path| listed.contains_key(path));
    let lists = (0..LISTS_MAX).map(list_path).take_while(|path| listed.contains_key(path));
    [TOKEN.to_owned()].into_iter().chain(certificates).chain(lists).collect()
}

/// None where there is no token. What is refused is a finding, too.
pub(super) fn check(
    files: &dyn Files,
    listed: &BTreeMap<String, u64>,
    register: &[u8],
    roots: &Roots,
    findings: &mut Vec<Finding>,
) -> Result<Option<Outcome>, FilesError> {
    if !listed.contains_key(TOKEN) {
        return Ok(None);
    }
    let outcome = match read(files, listed)? {
        Ok(stamp) => judge(&stamp, imprint(register), roots),
        Err(refusal) => Outcome::Refused { refusal, stamp: None },
    };
    findings.extend(outcome.refusal().cloned().map(Finding::Timestamp));
    Ok(Some(outcome))
}

fn read(files: &dyn Files, listed: &BTreeMap<String, u64>) -> Result<Result<StampFiles, Refusal>, FilesError> {
    let mut stamp = StampFiles::default();
    for path in paths(listed) {
        let (into, bytes_max) = match path.as_str() {
            TOKEN => (None, TOKEN_BYTES_MAX),
            path if path.ends_with(".crl") => (Some(&mut stamp.lists), LIST_BYTES_MAX),
            _ => (Some(&mut stamp.certificates), CERTIFICATE_BYTES_MAX),
        };
        let bytes = match whole(files, listed, &path, bytes_max as u64)? {
            Ok(bytes) => bytes,
            Err(why) => return Ok(Err(Refusal::Damaged { why: format!("{path}: {why}") })),
        };
        match into {
            Some(into) => into.push(bytes),
            None => stamp.token = bytes,
        }
    }
    Ok(Ok(stamp))
}
