//! Reading reels: byte ranges over the slots they lie in, and where the records of a stream stand.

use super::{BLOCK, LocalStore, Location, Piece, Result, StoreError};
use disk::DiskFile;
use domain::{ReelId, limit::RECORD_HEADER_BYTES};
use seal::{Kind, RecordHeader, reel::IndexEntry};
use std::{collections::HashMap, sync::Arc};

/// Reads of one reel; each of its slots is opened once.
pub struct Reader<'a> {
    store: &'a LocalStore,
    location: &'a Location,
    files: HashMap<u32, Arc<dyn DiskFile>>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(store: &'a LocalStore, location: &'a Location) -> Reader<'a> {
        Reader { store, location, files: HashMap::new() }
    }

    /// `bytes` of the reel from `offset`. Errors: `OutsideReel`, `RootAway`, `Disk`.
    pub fn read(&mut self, offset: u64, bytes: u64) -> Result<Vec<u8>> {
        let outside = || StoreError::OutsideReel { offset, bytes };
        let end = offset.checked_add(bytes).filter(|end| *end <= self.location.bytes()).ok_or_else(outside)?;
        let mut out = vec![0; usize::try_from(bytes).map_err(|_| outside())?];
        let mut at = offset;
        while at < end {
            let holds = |piece: &&Piece| piece.reel_offset <= at && at - piece.reel_offset < piece.bytes;
            let piece = *self.location.pieces.iter().find(holds).ok_or_else(outside)?;
            let into = at - piece.reel_offset;
            let now = (end - at).min(piece.bytes - into);
            let done = (at - offset) as usize;
            self.file(piece.slot)?.read_at(&mut out[done..done + now as usize], piece.slot_offset + into)?;
            at += now;
        }
        Ok(out)
    }

    /// The header of the record at `offset`; `None` where there is none of this reel.
    pub fn header(&mut self, reel: ReelId, offset: u64) -> Result<Option<RecordHeader>> {
        let end = offset.checked_add(RECORD_HEADER_BYTES as u64);
        if end.is_none_or(|end| self.location.bytes() < end) {
            return Ok(None);
        }
        let bytes = self.read(offset, RECORD_HEADER_BYTES as u64)?;
        Ok(RecordHeader::from_bytes(&bytes).ok().filter(|header| header.reel == reel))
    }

    /// The whole record that an index names. Errors: `Gone` where another stands there now (R2).
    pub fn record(&mut self, reel: ReelId, entry: &IndexEntry) -> Result<Vec<u8>> {
        let record = self.read(entry.offset, entry.bytes.into())?;
        check_record(&record, reel, entry)?;
        Ok(record)
    }

    fn file(&mut self, slot: u32) -> Result<Arc<dyn DiskFile>> {
        if let Some(file) = self.files.get(&slot) {
            return Ok(file.clone());
        }
        let file = self.store.open_slot(slot)?;
        self.files.insert(slot, file.clone());
        Ok(file)
    }
}

/// Whether a record is the one that an index names. Errors: `Gone` (R2: a mismatch is never bytes).
pub fn check_record(record: &[u8], reel: ReelId, entry: &IndexEntry) -> Result<()> {
    let header = RecordHeader::from_bytes(record).map_err(|_| StoreError::Gone)?;
    let named = (reel, entry.kind, entry.handle, entry.number, u64::from(entry.bytes));
    let found = (header.reel, header.kind.code(), header.handle, header.number, header.record_bytes());
    if found == named { Ok(()) } else { Err(StoreError::Gone) }
}

/// The index entries of one stream of a closed reel; `None` where the reel is not there any more. The index is a shortcut
/// (R6): where there is none, as in a recovered reel, or it is damaged, the records are walked.
pub fn index_of(store: &LocalStore, reel: ReelId, location: &Location, handle: u16) -> Result<Option<Vec<IndexEntry>>> {
    Ok(whole_index(store, reel, location)?.map(|mut entries| {
        entries.retain(|entry| entry.handle == handle);
        entries
    }))
}

/// The same of all streams.
pub fn whole_index(store: &LocalStore, reel: ReelId, location: &Location) -> Result<Option<Vec<IndexEntry>>> {
    let entries = match location.index {
        Some((offset, bytes)) => index_record(&store.read(location, offset, bytes.into())?, reel),
        None => None,
    };
    if entries.is_some() {
        return Ok(entries);
    }
    Ok(Some(walk_index(store, reel, location)?).filter(|entries| !entries.is_empty()))
}

fn index_record(record: &[u8], reel: ReelId) -> Option<Vec<IndexEntry>> {
    let header = RecordHeader::from_bytes(record).ok().filter(|header| header.reel == reel)?;
    IndexEntry::from_payload(record.get(RECORD_HEADER_BYTES..)?).ok().filter(|_| header.kind == Kind::Index)
}

/// Reads record headers from the start to the end of the reel. Signatures were checked when it was closed.
pub fn walk_index(store: &LocalStore, reel: ReelId, location: &Location) -> Result<Vec<IndexEntry>> {
    let mut reader = store.reader(location);
    let mut entries = Vec::new();
    let mut offset = 0;
    while let Some(header) = reader.header(reel, offset)? {
        let (kind, bytes) = (header.kind.code(), header.record_bytes() as u32);
        entries.push(IndexEntry { kind, handle: header.handle, number: header.number, bytes, offset });
        offset += header.record_bytes();
        if header.kind == Kind::Sync {
            offset = offset.next_multiple_of(BLOCK);
        }
    }
    Ok(entries)
}
