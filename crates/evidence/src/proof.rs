//! What stands beside a camera's pictures: for each reel what leads from a chunk to the reel's root, and for each chunk its key
//! and the head of its plaintext. One JSON object a line, one line a reel.
//!
//! With them anybody seals each chunk again and finds the digest that the town's log holds (P10). No key of another picture
//! and none of a camera's hour is here.

use crate::hex::Hex;
use domain::{CameraId, ReelId, StreamId, StreamKind};
use ledger::Digest;
use seal::{
    ChunkKey, Extent, GapLine, Kind, RecordHeader,
    key::TAG_BYTES,
    record,
    root::{Root, StreamDigests, root_by_path},
};
use serde::{Deserialize, Serialize};

/// A line is a camera's minute: 120 chunks of some hundred bytes and the digests of as many more.
pub const LINE_BYTES_MAX: usize = 8 << 20;

/// One reel, as far as one stream goes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ReelProof {
    pub reel: ReelId,
    /// The stream's handle in this reel, and its leaf's place under the root.
    pub handle: u16,
    pub leaf: u64,
    pub leaves: u64,
    /// RFC 6962, section 2.1.1.
    pub path: Vec<Digest>,
    /// Digests of all of the stream's records in this reel: of its key record, chunks, extents, gaps.
    pub key_record: Digest,
    pub chunk_digests: Vec<Digest>,
    pub extent_digests: Vec<Digest>,
    pub gap_digests: Vec<Digest>,
    /// The extents that say when the chunks below are, opened.
    pub extents: Vec<SealedLine>,
    pub gaps: Vec<SealedLine>,
    /// Of chunks that these extents name too and that are not handed over: number, and digest of its key.
    pub other_keys: Vec<(u32, Digest)>,
    /// In order.
    pub chunks: Vec<ChunkProof>,
    /// Chunks whose bytes the town's disk does not give any more.
    pub damaged: Vec<u32>,
}

/// An extent or a gap: a sealed record with its whole plaintext.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct SealedLine {
    pub number: u32,
    pub key: Digest,
    pub commitment: Digest,
    pub plain: Hex,
}

/// One chunk: its key, and all of its plaintext but the pictures, which stand in the file of that number.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ChunkProof {
    pub number: u32,
    /// Which of the camera's files, from 0.
    pub movie: u32,
    pub key: Digest,
    pub commitment: Digest,
    /// The beginning of the plaintext, as `docs/formats/reel.md` section 5 has it, up to the pictures.
    pub head: Hex,
}

impl ReelProof {
    pub fn digests(&self) -> StreamDigests {
        let list = |digests: &[Digest]| digests.iter().map(|digest| digest.0).collect();
        StreamDigests {
            key_record: self.key_record.0,
            chunks: list(&self.chunk_digests),
            extents: list(&self.extent_digests),
            gaps: list(&self.gap_digests),
        }
    }

    /// The root that these digests and the path lead to; `None` for a path that leads nowhere.
    pub fn root(&self) -> Option<Root> {
        let path: Vec<Root> = self.path.iter().map(|hash| hash.0).collect();
        root_by_path(&self.digests().leaf(self.handle), self.leaf, self.leaves, &path)
    }

    /// An extent that is here, read, if it is the one that was recorded.
    pub fn extent(&self, line: &SealedLine, stream: StreamId) -> Option<Extent> {
        let extent = Extent::from_bytes(self.opened(line, Kind::Extent)?).ok()?;
        (extent.stream == stream).then_some(extent)
    }

    /// The same of a gap.
    pub fn gap(&self, line: &SealedLine, stream: StreamId) -> Option<GapLine> {
        let gap = GapLine::from_bytes(self.opened(line, Kind::Gap)?).ok()?;
        (gap.stream == stream).then_some(gap)
    }

    /// The plaintext of a line, if it seals to the record of that number.
    fn opened<'a>(&self, line: &'a SealedLine, kind: Kind) -> Option<&'a [u8]> {
        let list = if kind == Kind::Extent { &self.extent_digests } else { &self.gap_digests };
        let expected = list.get(line.number as usize)?;
        let sealed = self.sealed_again(kind, line.number, &line.key, &line.commitment, line.plain.0.clone())?;
        (sealed == *expected).then_some(&line.plain.0[..])
    }

    /// Whether a chunk's head and these pictures seal to the record that was recorded under that number.
    pub fn is_sealed(&self, chunk: &ChunkProof, pictures: &[u8]) -> bool {
        let Some(expected) = self.chunk_digests.get(chunk.number as usize) else { return false };
        let plain = [&chunk.head.0[..], pictures].concat();
        let sealed = self.sealed_again(Kind::Chunk, chunk.number, &chunk.key, &chunk.commitment, plain);
        sealed.is_some_and(|sealed| sealed == *expected)
    }

    /// The digest of the record that this plaintext makes under this key.
    fn sealed_again(
        &self,
        kind: Kind,
        number: u32,
        key: &Digest,
        commitment: &Digest,
        mut plain: Vec<u8>,
    ) -> Option<Digest> {
        let payload_bytes = u32::try_from(plain.len() + TAG_BYTES).ok()?;
        if payload_bytes as usize > domain::limit::RECORD_PAYLOAD_BYTES_MAX {
            return None;
        }
        let key = chunk_key(key, commitment);
        let header = RecordHeader {
            kind,
            handle: self.handle,
            payload_bytes,
            number,
            reel: self.reel,
            commitment: key.commitment,
        };
        let tag = key.seal(&header, &mut plain);
        plain.extend_from_slice(&tag);
        Some(Digest(record::digest(&header.to_bytes(), &plain)))
    }
}

pub(crate) fn chunk_key(key: &Digest, commitment: &Digest) -> ChunkKey {
    ChunkKey { key: domain::Secret32::new(key.0), commitment: commitment.0 }
}

/// The one stream of a camera that leaves: its main one.
pub const fn stream_of(camera: CameraId) -> StreamId {
    StreamId { camera, kind: StreamKind::Main }
}
