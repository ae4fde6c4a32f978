//! The digests of all records of a reel, by which its root is proved (L3).

use crate::{
    service::Located,
    store::{LocalStore, Reader, StoreError, whole_index},
};
use domain::{ReelId, limit::RECORD_HEADER_BYTES};
use seal::{
    Kind, record,
    root::{StreamDigests, digests_from_payload},
};
use std::collections::BTreeMap;

/// Of the header, and of each stream by its handle.
pub(crate) type Digests = ([u8; 32], Vec<(u16, StreamDigests)>);

/// From the record that has them, else by reading the reel whole.
pub(crate) fn digests(store: &LocalStore, located: &Located) -> Result<Digests, StoreError> {
    let reel = located.reel;
    let mut reader = store.reader(&located.location);
    let index = whole_index(store, reel, &located.location)?.unwrap_or_default();
    if let Some(entry) = index.iter().find(|entry| entry.is(Kind::Digests))
        && let Ok(record) = reader.record(reel, entry)
        && let Ok(digests) = digests_from_payload(&record[RECORD_HEADER_BYTES..])
    {
        return Ok(digests);
    }
    read_whole(&mut reader, reel)
}

/// Reel by reel, record by record, as it lies on the disk.
fn read_whole(reader: &mut Reader<'_>, reel: ReelId) -> Result<Digests, StoreError> {
    let mut header_digest = [0; 32];
    let mut streams: BTreeMap<u16, StreamDigests> = BTreeMap::new();
    let mut offset = 0;
    while let Some(header) = reader.header(reel, offset)? {
        let payload = reader.read(offset + RECORD_HEADER_BYTES as u64, header.payload_bytes.into())?;
        let digest = record::digest(&header.to_bytes(), &payload);
        match header.kind {
            Kind::Header => header_digest = digest,
            Kind::Key => streams.entry(header.handle).or_default().key_record = digest,
            Kind::Chunk => streams.entry(header.handle).or_default().chunks.push(digest),
            Kind::Extent => streams.entry(header.handle).or_default().extents.push(digest),
            Kind::Gap => streams.entry(header.handle).or_default().gaps.push(digest),
            _ => {}
        }
        offset += header.record_bytes();
        if header.kind == Kind::Sync {
            offset = offset.next_multiple_of(domain::limit::BLOCK_BYTES as u64);
        }
    }
    Ok((header_digest, streams.into_iter().collect()))
}
