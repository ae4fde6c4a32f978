//! The journal's frame for fuzzing, behind its digest. Feature `fuzz`, never shipped.

use super::group::{self, GroupHead, SealedEntry};
use ledger::{Digest, LogId, Month};

const DIGEST_BYTES: usize = 32;

/// As it stands, and with the digest of what stands before it.
pub fn group(bytes: &[u8]) {
    drop(group::parse(bytes));
    let content = &bytes[..bytes.len().saturating_sub(DIGEST_BYTES)];
    let again = [content, blake3::hash(content).as_bytes()].concat();
    let is_later = group::later_version(&again).is_some();
    if let Some(group) = group::parse(&again) {
        assert!(!is_later, "what we read is no later program's");
        let (frame, _) = group::encode(&group.head, &group.entries);
        let read = group::parse(frame.as_slice()).expect("what was read can be written and read");
        assert_eq!((read.head, read.entries, read.bytes), (group.head, group.entries, group.bytes));
    }
}

/// Whether bytes are a group.
pub fn group_reads(bytes: &[u8]) -> bool {
    group::parse(bytes).is_some()
}

pub fn group_seeds() -> Vec<Vec<u8>> {
    let head =
        GroupHead { log: LogId([2; 16]), number: 3, first_seq: 9, closes_batch: true, previous: Digest([4; 32]) };
    let month = Month::from_yyyymm(202_603).expect("a month");
    let entry = |seq| SealedEntry { seq, commitment: Digest([5; 32]), month, sealed: vec![6; 20] };
    let entries = [entry(9), entry(10)];
    let bytes = group::encode(&head, &entries).0.as_slice().to_vec();
    let content = 96 + entries.len() * (40 + 20);
    vec![bytes[..content + DIGEST_BYTES].to_vec()]
}
