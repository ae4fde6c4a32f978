//! The group frame: what one write and one sync make durable at once. Bytes in, bytes out.
//!
//! Header of 96 bytes, records, BLAKE3 of both, zeros up to a multiple of 4,096. Each header names the digest of the group
//! before it, so that no group can be taken out or put in between.

use super::aligned::Aligned;
use domain::limit::BLOCK_BYTES;
use ledger::{Commitment, Digest, LogId, Month};

const MAGIC: &[u8; 8] = b"VIGIEJNL";
const VERSION: u16 = 1;
const CLOSES_BATCH: u16 = 1;
const HEADER_BYTES: usize = 96;
const DIGEST_BYTES: usize = 32;
/// Commitment, month, length of the sealed details.
const RECORD_HEAD_BYTES: usize = 32 + 4 + 4;

/// One entry as the journal keeps it: the truth that everything else is derived from (vault.md L1).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SealedEntry {
    pub seq: u64,
    pub commitment: Commitment,
    /// Which month's log key opens the details.
    pub month: Month,
    pub sealed: Vec<u8>,
}

impl SealedEntry {
    pub(super) const fn bytes_for(sealed_bytes: usize) -> usize {
        RECORD_HEAD_BYTES + sealed_bytes
    }
}

/// Where a group stands in the chain.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct GroupHead {
    pub log: LogId,
    pub number: u64,
    pub first_seq: u64,
    /// Whether a batch ends here, padded with dummies, and is signed for (L4).
    pub closes_batch: bool,
    /// The digest of the group before; zeros before the first.
    pub previous: Digest,
}

pub(super) struct Group {
    pub head: GroupHead,
    pub entries: Vec<SealedEntry>,
    pub digest: Digest,
    /// With its padding.
    pub bytes: usize,
}

/// How long a group of `payload_bytes` of records is on disk.
pub(super) const fn group_bytes(payload_bytes: usize) -> usize {
    (HEADER_BYTES + payload_bytes + DIGEST_BYTES).next_multiple_of(BLOCK_BYTES)
}

/// The frame and its digest. Entries are numbered from `head.first_seq`.
pub(super) fn encode(head: &GroupHead, entries: &[SealedEntry]) -> (Aligned, Digest) {
    let payload_bytes: usize = entries.iter().map(|entry| SealedEntry::bytes_for(entry.sealed.len())).sum();
    let mut content = Vec::with_capacity(HEADER_BYTES + payload_bytes);
    content.extend_from_slice(MAGIC);
    content.extend_from_slice(&VERSION.to_le_bytes());
    content.extend_from_slice(&if head.closes_batch { CLOSES_BATCH } else { 0 }.to_le_bytes());
    content.extend_from_slice(&(entries.len() as u32).to_le_bytes());
    content.extend_from_slice(&head.log.0);
    content.extend_from_slice(&head.number.to_le_bytes());
    content.extend_from_slice(&head.first_seq.to_le_bytes());
    content.extend_from_slice(&(payload_bytes as u64).to_le_bytes());
    content.extend_from_slice(&head.previous.0);
    content.resize(HEADER_BYTES, 0);
    for entry in entries {
        content.extend_from_slice(&entry.commitment.0);
        content.extend_from_slice(&entry.month.yyyymm().to_le_bytes());
        content.extend_from_slice(&(entry.sealed.len() as u32).to_le_bytes());
        content.extend_from_slice(&entry.sealed);
    }
    let digest = Digest(*blake3::hash(&content).as_bytes());
    let mut frame = Aligned::zeroed(group_bytes(payload_bytes));
    let bytes = frame.as_mut_slice();
    bytes[..content.len()].copy_from_slice(&content);
    bytes[content.len()..content.len() + DIGEST_BYTES].copy_from_slice(&digest.0);
    (frame, digest)
}

/// The version of a group that a later program wrote, told from damage by its digest: in every version the length of the records
/// stands at byte 48, they begin at byte 96, and the digest stands behind them (`docs/formats/policy.md`).
pub(super) fn later_version(bytes: &[u8]) -> Option<u16> {
    let mut header = Reader(bytes.get(..HEADER_BYTES)?);
    if header.take::<8>()? != *MAGIC {
        return None;
    }
    let version = header.u16().filter(|version| *version != VERSION)?;
    let payload_bytes = usize::try_from(u64::from_le_bytes(bytes.get(48..56)?.try_into().ok()?)).ok()?;
    let (content, rest) = bytes.split_at_checked(HEADER_BYTES.checked_add(payload_bytes)?)?;
    (blake3::hash(content).as_bytes()[..] == *rest.get(..DIGEST_BYTES)?).then_some(version)
}

/// Reads the group at the start of `bytes`; none where no whole, undamaged group of this version begins.
pub(super) fn parse(bytes: &[u8]) -> Option<Group> {
    let mut header = Reader(bytes.get(..HEADER_BYTES)?);
    if header.take::<8>()? != *MAGIC || header.u16()? != VERSION {
        return None;
    }
    let flags = header.u16()?;
    let count = header.u32()?;
    let (log, number, first_seq) = (LogId(header.take()?), header.u64()?, header.u64()?);
    let payload_bytes = usize::try_from(header.u64()?).ok()?;
    let previous = Digest(header.take()?);
    let content_bytes = HEADER_BYTES.checked_add(payload_bytes)?;
    let (content, rest) = bytes.split_at_checked(content_bytes)?;
    let (digest, _) = rest.split_first_chunk::<DIGEST_BYTES>()?;
    if flags & !CLOSES_BATCH != 0 || blake3::hash(content) != *digest {
        return None;
    }
    let mut payload = Reader(&content[HEADER_BYTES..]);
    let entries = (0..u64::from(count)).map(|nth| payload.entry(first_seq.checked_add(nth)?)).collect::<Option<_>>()?;
    let head = GroupHead { log, number, first_seq, closes_batch: flags & CLOSES_BATCH != 0, previous };
    payload.0.is_empty().then_some(Group { head, entries, digest: Digest(*digest), bytes: group_bytes(payload_bytes) })
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }
    fn u16(&mut self) -> Option<u16> {
        self.take().map(u16::from_le_bytes)
    }
    fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }
    fn u64(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }
    fn entry(&mut self, seq: u64) -> Option<SealedEntry> {
        let commitment = Digest(self.take()?);
        let month = Month::from_yyyymm(self.u32()?).ok()?;
        let sealed_bytes = self.u32()? as usize;
        let (sealed, rest) = self.0.split_at_checked(sealed_bytes)?;
        self.0 = rest;
        Some(SealedEntry { seq, commitment, month, sealed: sealed.to_vec() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn head() -> GroupHead {
        GroupHead { log: LogId([1; 16]), number: 3, first_seq: 40, closes_batch: true, previous: Digest([2; 32]) }
    }

    fn entries(sealed_bytes: &[usize]) -> Vec<SealedEntry> {
        let month = Month::from_yyyymm(202_603).unwrap();
        let entry = |(nth, bytes): (usize, &usize)| SealedEntry {
            seq: 40 + nth as u64,
            commitment: Digest([nth as u8; 32]),
            month,
            sealed: vec![7; *bytes],
        };
        sealed_bytes.iter().enumerate().map(entry).collect()
    }

    #[test]
    fn a_group_reads_back_as_written() {
        for sizes in [&[][..], &[272], &[272, 0, 9000]] {
            let (frame, digest) = encode(&head(), &entries(sizes));
            assert!(frame.as_slice().len().is_multiple_of(4096));
            let group = parse(frame.as_slice()).unwrap();
            assert_eq!((group.head, group.entries, group.digest), (head(), entries(sizes), digest));
            assert_eq!(group.bytes, frame.as_slice().len());
        }
    }

    /// The vector is computed by `crates/ledger/vectors/make.py` without any code of ours.
    #[test]
    fn the_frame_is_the_one_published() {
        let vector: serde_json::Value =
            serde_json::from_str(include_str!("../../../ledger/vectors/group.json")).unwrap();
        let hex = |value: &serde_json::Value| -> Vec<u8> {
            let digits = value.as_str().unwrap();
            (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
        };
        let digest = |value: &serde_json::Value| Digest(hex(value).try_into().unwrap());
        let first_seq = vector["first_seq"].as_u64().unwrap();
        let record = |(seq, record): (u64, &serde_json::Value)| SealedEntry {
            seq,
            commitment: digest(&record["commitment"]),
            month: Month::from_yyyymm(record["month"].as_u64().unwrap() as u32).unwrap(),
            sealed: hex(&record["sealed"]),
        };
        let records: Vec<SealedEntry> = (first_seq..).zip(vector["records"].as_array().unwrap()).map(record).collect();
        let head = GroupHead {
            log: LogId(hex(&vector["log"]).try_into().unwrap()),
            number: vector["number"].as_u64().unwrap(),
            first_seq,
            closes_batch: vector["closes_batch"].as_bool().unwrap(),
            previous: digest(&vector["previous"]),
        };
        let (frame, found) = encode(&head, &records);
        assert_eq!((frame.as_slice(), found), (hex(&vector["frame"]).as_slice(), digest(&vector["digest"])));
    }

    #[test]
    fn no_changed_bit_passes() {
        let (frame, _) = encode(&head(), &entries(&[272, 300]));
        let content_bytes = 96 + 40 + 272 + 40 + 300 + 32;
        for at in 0..content_bytes {
            let mut changed = frame.as_slice().to_vec();
            changed[at] ^= 0x80;
            assert!(parse(&changed).is_none(), "byte {at}");
        }
    }

    #[test]
    fn a_torn_group_is_none() {
        let (frame, _) = encode(&head(), &entries(&[9000]));
        assert!(parse(&frame.as_slice()[..8192]).is_none());
        let mut torn = frame.as_slice().to_vec();
        torn[4096..8192].fill(0);
        assert!(parse(&torn).is_none());
    }

    proptest! {
        #[test]
        fn hostile_bytes_are_none_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            prop_assert!(parse(&bytes).is_none());
            let mut dressed = encode(&head(), &entries(&[100])).0.as_slice().to_vec();
            dressed[10..10 + bytes.len()].copy_from_slice(&bytes);
            prop_assert!(bytes.is_empty() || parse(&dressed).is_none_or(|group| group.head == head()));
        }
    }
}
