//! Records: the 64-byte header that precedes everything in a reel, and the digest of a record (R3, R4).
//!
//! ```text
//! 0   4  magic "VGRL"
//! 4   1  version, 1
//! 5   1  kind
//! 6   2  stream handle in this reel, 0xFFFF where none
//! 8   4  length of the payload in bytes (ciphertext and tag for sealed kinds)
//! 12  4  number within (reel, kind, handle), from 0
//! 16 16  reel id
//! 32 32  key commitment for sealed kinds, zero otherwise
//! ```
//! Integers are little endian. Records stand back to back; padding to 4,096 bytes is itself a record.

use crate::{Result, SealError};
use domain::{ReelId, limit::RECORD_HEADER_BYTES, limit::RECORD_PAYLOAD_BYTES_MAX};

/// `BLAKE3(header ‖ payload)`.
pub type Digest = [u8; 32];

pub const MAGIC: [u8; 4] = *b"VGRL";
pub const VERSION: u8 = 1;
/// The handle of records that belong to no stream.
pub const NO_STREAM: u16 = 0xFFFF;

/// What a record is. Unknown kinds are digested and skipped (R3).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    Header,
    Key,
    Chunk,
    Extent,
    Gap,
    Sync,
    Pad,
    Index,
    Footer,
    RecoveryFooter,
    /// Digests of all streams of a closed reel ([`crate::root::digests_payload`]): a shortcut, as the index is.
    Digests,
    Unknown(u8),
}

impl Kind {
    pub const fn code(self) -> u8 {
        match self {
            Kind::Header => 1,
            Kind::Key => 2,
            Kind::Chunk => 3,
            Kind::Extent => 4,
            Kind::Gap => 5,
            Kind::Sync => 6,
            Kind::Pad => 7,
            Kind::Index => 8,
            Kind::Footer => 9,
            Kind::RecoveryFooter => 10,
            Kind::Digests => 11,
            Kind::Unknown(code) => code,
        }
    }
    pub const fn from_code(code: u8) -> Kind {
        match code {
            1 => Kind::Header,
            2 => Kind::Key,
            3 => Kind::Chunk,
            4 => Kind::Extent,
            5 => Kind::Gap,
            6 => Kind::Sync,
            7 => Kind::Pad,
            8 => Kind::Index,
            9 => Kind::Footer,
            10 => Kind::RecoveryFooter,
            11 => Kind::Digests,
            other => Kind::Unknown(other),
        }
    }
}

/// The header of one record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RecordHeader {
    pub kind: Kind,
    pub handle: u16,
    pub payload_bytes: u32,
    pub number: u32,
    pub reel: ReelId,
    pub commitment: [u8; 32],
}

impl RecordHeader {
    pub fn to_bytes(&self) -> [u8; RECORD_HEADER_BYTES] {
        let mut bytes = [0; RECORD_HEADER_BYTES];
        bytes[0..4].copy_from_slice(&MAGIC);
        bytes[4] = VERSION;
        bytes[5] = self.kind.code();
        bytes[6..8].copy_from_slice(&self.handle.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.payload_bytes.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.number.to_le_bytes());
        bytes[16..32].copy_from_slice(&self.reel.0);
        bytes[32..64].copy_from_slice(&self.commitment);
        bytes
    }

    /// Reads a header. Errors: `Short`, `NotARecord`, `LaterVersion`, `TooLarge`.
    pub fn from_bytes(bytes: &[u8]) -> Result<RecordHeader> {
        let mut fields = Fields::new("record header", bytes);
        let magic: [u8; 4] = fields.array()?;
        let [version, kind] = fields.array()?;
        if magic != MAGIC {
            return Err(SealError::NotARecord);
        }
        if version != VERSION {
            return Err(SealError::LaterVersion { found: version });
        }
        let header = RecordHeader {
            kind: Kind::from_code(kind),
            handle: fields.u16()?,
            payload_bytes: fields.u32()?,
            number: fields.u32()?,
            reel: ReelId(fields.array()?),
            commitment: fields.array()?,
        };
        if header.payload_bytes as usize > RECORD_PAYLOAD_BYTES_MAX {
            return Err(SealError::TooLarge { what: "record", bytes: header.payload_bytes as usize });
        }
        Ok(header)
    }

    /// Bytes of the whole record.
    pub const fn record_bytes(&self) -> u64 {
        RECORD_HEADER_BYTES as u64 + self.payload_bytes as u64
    }
}

/// The digest of a record.
pub fn digest(header: &[u8; RECORD_HEADER_BYTES], payload: &[u8]) -> Digest {
    *blake3::Hasher::new().update(header).update(payload).finalize().as_bytes()
}

/// Reads fixed fields one after the other; every end of bytes is an error that names the structure.
pub(crate) struct Fields<'a> {
    what: &'static str,
    rest: &'a [u8],
    whole: usize,
}

impl<'a> Fields<'a> {
    pub(crate) fn new(what: &'static str, bytes: &'a [u8]) -> Fields<'a> {
        Fields { what, rest: bytes, whole: bytes.len() }
    }
    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let want = self.whole - self.rest.len() + count;
        let (taken, rest) =
            self.rest.split_at_checked(count).ok_or(SealError::Short { what: self.what, have: self.whole, want })?;
        self.rest = rest;
        Ok(taken)
    }
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let taken = self.take(N)?;
        let mut array = [0; N];
        array.copy_from_slice(taken);
        Ok(array)
    }
    pub(crate) fn u8(&mut self) -> Result<u8> {
        Ok(self.array::<1>()?[0])
    }
    pub(crate) fn u16(&mut self) -> Result<u16> {
        Ok(u16::from_le_bytes(self.array()?))
    }
    pub(crate) fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }
    pub(crate) fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_le_bytes(self.array()?))
    }
    pub(crate) fn i64(&mut self) -> Result<i64> {
        Ok(i64::from_le_bytes(self.array()?))
    }
    /// Errors: `Malformed` where bytes are left.
    pub(crate) fn end(&self) -> Result<()> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.malformed("length")) }
    }
    pub(crate) const fn malformed(&self, field: &'static str) -> SealError {
        SealError::Malformed { what: self.what, field }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_record_of_a_later_version_is_named() {
        let (reel, commitment) = (ReelId([1; 16]), [0; 32]);
        let header =
            RecordHeader { kind: Kind::Sync, handle: NO_STREAM, payload_bytes: 9, number: 0, reel, commitment };
        let mut bytes = header.to_bytes();
        bytes[4] += 1;
        let refused = RecordHeader::from_bytes(&bytes).unwrap_err();
        assert_eq!(refused, SealError::LaterVersion { found: 2 });
        assert!(refused.to_string().contains("later program"), "{refused}");
    }

    #[test]
    fn every_kind_has_the_code_that_the_format_gives_it() {
        let kinds = [
            (1, Kind::Header),
            (2, Kind::Key),
            (3, Kind::Chunk),
            (4, Kind::Extent),
            (5, Kind::Gap),
            (6, Kind::Sync),
            (7, Kind::Pad),
            (8, Kind::Index),
            (9, Kind::Footer),
            (10, Kind::RecoveryFooter),
            (11, Kind::Digests),
        ];
        for (code, kind) in kinds {
            assert_eq!((Kind::from_code(code), kind.code()), (kind, code));
        }
        assert_eq!((Kind::from_code(12), Kind::Unknown(12).code()), (Kind::Unknown(12), 12));
    }

    #[test]
    fn a_payload_may_be_as_large_as_the_limit_and_no_byte_larger() {
        let of = |payload_bytes| {
            let (reel, commitment) = (ReelId([1; 16]), [0; 32]);
            let header = RecordHeader { kind: Kind::Chunk, handle: 0, payload_bytes, number: 0, reel, commitment };
            RecordHeader::from_bytes(&header.to_bytes()).map(|header| header.payload_bytes)
        };
        let most = RECORD_PAYLOAD_BYTES_MAX as u32;
        assert_eq!(of(most), Ok(most));
        assert_eq!(of(most + 1), Err(SealError::TooLarge { what: "record", bytes: RECORD_PAYLOAD_BYTES_MAX + 1 }));
    }

    #[test]
    fn bytes_that_end_early_say_how_many_there_are_and_how_many_the_next_field_needs() {
        let header = RecordHeader {
            kind: Kind::Sync,
            handle: NO_STREAM,
            payload_bytes: 9,
            number: 0,
            reel: ReelId([1; 16]),
            commitment: [0; 32],
        };
        // the length stands in bytes 8 to 12
        let read = RecordHeader::from_bytes(&header.to_bytes()[..10]);
        assert_eq!(read, Err(SealError::Short { what: "record header", have: 10, want: 12 }));
    }

    proptest! {
        #[test]
        fn a_header_reads_back_as_written(code in 0u8..=255, handle: u16, payload_bytes in 0u32..1_000_000, number: u32,
                                          reel: [u8; 16], commitment: [u8; 32]) {
            let header = RecordHeader { kind: Kind::from_code(code), handle, payload_bytes, number, reel: ReelId(reel), commitment };
            prop_assert_eq!(RecordHeader::from_bytes(&header.to_bytes()), Ok(header));
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let read = RecordHeader::from_bytes(&bytes);
            prop_assert!(bytes.len() >= 64 || read.is_err());
        }
    }
}
