//! What the keeper must see of a reel before it gives or wraps keys: all of it ciphertext or signed (P4).

use crate::{
    keeper::ReelPart,
    service::Located,
    store::{LocalStore, StoreError, index_of},
};
use domain::limit::RECORD_HEADER_BYTES;
use seal::Kind;

/// What was found where a reel should lie.
pub(crate) enum Part {
    Of(ReelPart),
    /// The reel holds nothing of the stream yet.
    Nothing,
    OtherReel,
}

/// Leaves the reel's entries in `located`: its index is read once.
pub(crate) fn part_of(store: &LocalStore, located: &mut Located) -> Result<Part, StoreError> {
    let reel = located.reel;
    if located.entries.is_none() {
        let Some(entries) = index_of(store, reel, &located.location, located.handle)? else {
            return Ok(Part::OtherReel);
        };
        located.entries = Some(entries);
    }
    let entries = located.entries.as_deref().unwrap_or_default();
    let mut reader = store.reader(&located.location);
    let Some(key) = entries.iter().find(|entry| entry.is(Kind::Key)) else { return Ok(Part::Nothing) };
    let key_record = reader.record(reel, key)?.split_off(RECORD_HEADER_BYTES);
    let header = reader.header(reel, 0)?.ok_or(StoreError::Gone)?;
    let header = reader.read(RECORD_HEADER_BYTES as u64, header.payload_bytes.into())?;
    let extents = entries.iter().filter(|entry| entry.is(Kind::Extent));
    let extents = extents.map(|entry| reader.record(reel, entry)).collect::<Result<_, _>>()?;
    Ok(Part::Of(ReelPart { reel, header, key_record, extents }))
}
