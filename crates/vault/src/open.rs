//! The only door to plaintext: a sealed chunk and its key in, pictures out. Absent from the recorder (feature `view`).

use domain::{Hour, StreamId, limit::RECORD_HEADER_BYTES};
use media::{Chunk, ChunkError};
use seal::{ChunkKey, Kind, RecordHeader, SealError};
use zeroize::Zeroizing;

/// Why a chunk stays closed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    Sealed(#[from] SealError),
    #[error(transparent)]
    Content(#[from] ChunkError),
    #[error("the record is no chunk")]
    NotAChunk,
}

/// Opens one chunk record of `stream` and `hour`. The plaintext buffer is wiped when done (K11).
pub fn open(record: Vec<u8>, key: &ChunkKey, stream: StreamId, hour: Hour) -> Result<Chunk, OpenError> {
    let mut record = Zeroizing::new(record);
    let header = RecordHeader::from_bytes(&record)?;
    if header.kind != Kind::Chunk {
        return Err(OpenError::NotAChunk);
    }
    let plain = key.open(&header, &mut record[RECORD_HEADER_BYTES..])?;
    Ok(media::chunk::read(plain, stream, hour)?)
}
