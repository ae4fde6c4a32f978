//! The index of a reel: where each of its records stands. A shortcut only; a walk over the records tells the same (R6).

use crate::{Kind, Result, SealError, record::Fields};

/// One key record, chunk, extent or gap.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct IndexEntry {
    /// As in `Kind::code`.
    pub kind: u8,
    pub handle: u16,
    pub number: u32,
    /// Bytes of the whole record, header included.
    pub bytes: u32,
    /// Where the record's header begins in the reel.
    pub offset: u64,
}

impl IndexEntry {
    /// Bytes of one entry: kind u8, zero u8, handle u16, number u32, length u32, offset u64.
    pub const BYTES: usize = 20;

    pub fn is(&self, kind: Kind) -> bool {
        self.kind == kind.code()
    }

    /// The payload of an index record.
    pub fn to_payload(entries: &[IndexEntry]) -> Vec<u8> {
        let mut payload = Vec::with_capacity(entries.len() * Self::BYTES);
        for entry in entries {
            payload.extend_from_slice(&[entry.kind, 0]);
            payload.extend_from_slice(&entry.handle.to_le_bytes());
            payload.extend_from_slice(&entry.number.to_le_bytes());
            payload.extend_from_slice(&entry.bytes.to_le_bytes());
            payload.extend_from_slice(&entry.offset.to_le_bytes());
        }
        payload
    }

    /// The inverse. Errors: `Malformed` where the length is no multiple of an entry.
    pub fn from_payload(payload: &[u8]) -> Result<Vec<IndexEntry>> {
        if !payload.len().is_multiple_of(Self::BYTES) {
            return Err(SealError::Malformed { what: "index", field: "length" });
        }
        payload.chunks_exact(Self::BYTES).map(Self::read).collect()
    }

    fn read(bytes: &[u8]) -> Result<IndexEntry> {
        let mut fields = Fields::new("index entry", bytes);
        let [kind, _] = fields.array()?;
        Ok(IndexEntry {
            kind,
            handle: fields.u16()?,
            number: fields.u32()?,
            bytes: fields.u32()?,
            offset: fields.u64()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_of_its_own_kind_and_of_no_other() {
        let entry = IndexEntry { kind: Kind::Chunk.code(), handle: 0, number: 0, bytes: 80, offset: 0 };
        assert!(entry.is(Kind::Chunk) && !entry.is(Kind::Extent) && !entry.is(Kind::Key));
    }
}
