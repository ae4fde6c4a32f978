//! The first block of a slot: which reel begins or goes on in it. Written with the first batch of the slot.
//!
//! ```text
//! 0   4  magic "VGSL"      4  4  version, 1       8  16 root id         24 4  slot number     28 4  zero
//! 32 16  run id            48 12 hour             60  8 deadline (µs)   68 16 reel id          84 8  offset in the reel
//! 92 32  BLAKE3 of bytes 0 to 92                  then zeros to 4,096
//! ```

use super::Family;
use domain::{Hour, ReelId, RootId, RunId, UtcMicros, limit::BLOCK_BYTES};

const MAGIC: [u8; 8] = *b"VGSL\x01\0\0\0";
/// Where the version stands in the magic.
const VERSION_AT: usize = 4;
const FIELDS_BYTES: usize = 92;

/// What a slot was last used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SlotHeader {
    pub root: RootId,
    pub slot: u32,
    pub family: Family,
    /// The reel whose bytes follow this block first.
    pub reel: ReelId,
    /// Where in that reel they begin.
    pub reel_offset: u64,
}

impl SlotHeader {
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(BLOCK_BYTES);
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&self.root.0);
        bytes.extend_from_slice(&self.slot.to_le_bytes());
        bytes.extend_from_slice(&[0; 4]);
        bytes.extend_from_slice(&self.family.run.0);
        bytes.extend_from_slice(&self.family.hour.to_bytes());
        bytes.extend_from_slice(&self.family.deadline.0.to_le_bytes());
        bytes.extend_from_slice(&self.reel.0);
        bytes.extend_from_slice(&self.reel_offset.to_le_bytes());
        let digest = blake3::hash(&bytes);
        bytes.extend_from_slice(digest.as_bytes());
        bytes.resize(BLOCK_BYTES, 0);
        bytes
    }

    /// The version of a header that a later program wrote, told from damage by its digest: that stands behind 92 bytes in every
    /// version (`docs/formats/policy.md`).
    pub fn later_version(block: &[u8]) -> Option<u8> {
        let (fields, rest) = block.split_at_checked(FIELDS_BYTES)?;
        let is_ours = fields[..VERSION_AT] == MAGIC[..VERSION_AT] && fields[VERSION_AT] != MAGIC[VERSION_AT];
        (is_ours && blake3::hash(fields).as_bytes()[..] == *rest.get(..32)?).then_some(fields[VERSION_AT])
    }

    /// `None` for a slot that was never used, or whose header was torn.
    pub fn from_bytes(block: &[u8]) -> Option<SlotHeader> {
        let (fields, rest) = block.split_at_checked(FIELDS_BYTES)?;
        if fields[..8] != MAGIC || blake3::hash(fields).as_bytes()[..] != *rest.get(..32)? {
            return None;
        }
        let id = |at: usize| -> Option<[u8; 16]> { fields.get(at..at + 16)?.try_into().ok() };
        Some(SlotHeader {
            root: RootId(id(8)?),
            slot: u32::from_le_bytes(fields[24..28].try_into().ok()?),
            family: Family {
                run: RunId(id(32)?),
                hour: Hour::from_bytes(fields[48..60].try_into().ok()?)?,
                deadline: UtcMicros(i64::from_le_bytes(fields[60..68].try_into().ok()?)),
            },
            reel: ReelId(id(68)?),
            reel_offset: u64::from_le_bytes(fields[84..92].try_into().ok()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::HourLength;

    #[test]
    fn a_slot_header_reads_back_and_a_torn_one_does_not() {
        let header = SlotHeader {
            root: RootId([1; 16]),
            slot: 77,
            family: Family {
                run: RunId([2; 16]),
                hour: HourLength::PRODUCT.hour_of(UtcMicros::from_seconds(5_000_000)),
                deadline: UtcMicros(9),
            },
            reel: ReelId([3; 16]),
            reel_offset: 4_096,
        };
        let mut bytes = header.to_bytes();
        assert_eq!(SlotHeader::from_bytes(&bytes), Some(header));
        bytes[50] ^= 1;
        assert_eq!(SlotHeader::from_bytes(&bytes), None);
    }
}
