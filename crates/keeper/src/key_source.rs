//! Where the keys of a reel's chunks come from: its data key, or what a hold wrapped of it.

use domain::ReelId;
use seal::{ChunkKey, DataKey, Extent, Kind, extent::key_digest};
use std::collections::HashMap;
use vault::keeper::ReelKeys;

pub(crate) enum KeySource {
    Data(DataKey),
    /// Keys of chunks and of the lines that name them, and the digests of those that the lines name and nobody holds.
    Held {
        chunks: HashMap<u32, ChunkKey>,
        lines: HashMap<u32, ChunkKey>,
        others: HashMap<u32, [u8; 32]>,
    },
}

impl KeySource {
    /// Of what a hold wrapped; with its extents, each with its record's number.
    pub fn held(keys: ReelKeys) -> (ReelId, Vec<(u32, Extent)>, KeySource) {
        let ReelKeys { reel, chunks, extents, lines, other_keys } = keys;
        let extents = lines.iter().map(|(number, _)| *number).zip(extents).collect();
        let (chunks, lines) = (chunks.into_iter().collect(), lines.into_iter().collect());
        (reel, extents, KeySource::Held { chunks, lines, others: other_keys.into_iter().collect() })
    }

    /// `None` for a record whose key nobody holds.
    pub fn key(&self, reel: ReelId, handle: u16, kind: Kind, number: u32) -> Option<ChunkKey> {
        match self {
            KeySource::Data(data_key) => Some(data_key.record_key(reel, kind, handle, number)),
            KeySource::Held { lines, .. } if kind == Kind::Extent => lines.get(&number).cloned(),
            KeySource::Held { chunks, .. } => chunks.get(&number).cloned(),
        }
    }

    /// Of a chunk's key.
    pub fn digest(&self, reel: ReelId, handle: u16, number: u32) -> Option<[u8; 32]> {
        let others = match self {
            KeySource::Held { others, .. } => others.get(&number).copied(),
            KeySource::Data(_) => None,
        };
        others.or_else(|| self.key(reel, handle, Kind::Chunk, number).map(|key| key_digest(&key)))
    }
}
