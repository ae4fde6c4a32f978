//! Extents: the sealed line per stream and sync that says which chunks, when (R6). Fixed size: its length tells nothing.

use crate::{ChunkKey, Result, record::Fields};
use aws_lc_rs::digest::{Context, SHA256};
use domain::{CameraId, ReelId, StreamId, StreamKind, UtcMicros};

/// Plaintext bytes of an extent: the fields, then zeros.
pub const EXTENT_BYTES: usize = 96;

/// Where the group of pictures begins that an extent's first chunk belongs to; possibly in an earlier reel or hour.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct GroupStart {
    pub reel: ReelId,
    pub chunk: u32,
}

/// The chunks of one stream in one sync batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize, serde::Deserialize)]
pub struct Extent {
    pub stream: StreamId,
    /// Chunk numbers within (reel, stream), both inclusive.
    pub first_chunk: u32,
    pub last_chunk: u32,
    /// UTC of the first and of the last frame.
    pub first_utc: UtcMicros,
    pub last_utc: UtcMicros,
    pub frames: u32,
    pub group_start: GroupStart,
    /// Of the keys of its chunks; none in an extent that was written before there was one.
    pub keys: Option<KeysDigest>,
}

/// What an extent says of its chunks' keys: `SHA-256("vigie batch keys v1\n" ‖ key digests, first to last)`, its first 28 bytes.
/// AES-GCM does not commit to its key (K5): by this, a picture of which only a chunk's key is handed over is the one that was
/// recorded, and no second key makes another of the same ciphertext (decision 0068).
pub type KeysDigest = [u8; 28];

/// `SHA-256("vigie chunk key v1\n" ‖ key)`: says nothing of the key, and nobody finds another key with it.
pub type KeyDigest = [u8; 32];

/// The digest of one chunk's key.
pub fn key_digest(key: &ChunkKey) -> KeyDigest {
    let mut context = Context::new(&SHA256);
    context.update(b"vigie chunk key v1\n");
    context.update(key.key.expose());
    let mut digest = [0; 32];
    digest.copy_from_slice(context.finish().as_ref());
    digest
}

/// The digest that an extent has of its chunks' keys, given theirs in the order of their numbers.
pub fn keys_digest<'a>(keys: impl IntoIterator<Item = &'a KeyDigest>) -> KeysDigest {
    let mut context = Context::new(&SHA256);
    context.update(b"vigie batch keys v1\n");
    keys.into_iter().for_each(|key| context.update(key));
    let mut digest = [0; 28];
    digest.copy_from_slice(&context.finish().as_ref()[..28]);
    digest
}

impl Extent {
    pub fn to_bytes(&self) -> [u8; EXTENT_BYTES] {
        let mut bytes = [0; EXTENT_BYTES];
        bytes[..17].copy_from_slice(&self.stream.to_bytes());
        bytes[20..24].copy_from_slice(&self.first_chunk.to_le_bytes());
        bytes[24..28].copy_from_slice(&self.last_chunk.to_le_bytes());
        bytes[28..36].copy_from_slice(&self.first_utc.0.to_le_bytes());
        bytes[36..44].copy_from_slice(&self.last_utc.0.to_le_bytes());
        bytes[44..48].copy_from_slice(&self.frames.to_le_bytes());
        bytes[48..64].copy_from_slice(&self.group_start.reel.0);
        bytes[64..68].copy_from_slice(&self.group_start.chunk.to_le_bytes());
        bytes[68..].copy_from_slice(&self.keys.unwrap_or_default());
        bytes
    }

    /// Errors: `Short`, `Malformed` (unknown stream kind, numbers or times that run backwards).
    pub fn from_bytes(bytes: &[u8]) -> Result<Extent> {
        let mut fields = Fields::new("extent", bytes);
        let camera = CameraId(fields.array()?);
        let kind = StreamKind::from_code(fields.u8()?).ok_or(fields.malformed("stream"))?;
        fields.take(3)?;
        let extent = Extent {
            stream: StreamId { camera, kind },
            first_chunk: fields.u32()?,
            last_chunk: fields.u32()?,
            first_utc: UtcMicros(fields.i64()?),
            last_utc: UtcMicros(fields.i64()?),
            frames: fields.u32()?,
            group_start: GroupStart { reel: ReelId(fields.array()?), chunk: fields.u32()? },
            keys: Some(fields.array()?).filter(|keys: &KeysDigest| *keys != [0; 28]),
        };
        if extent.last_chunk < extent.first_chunk || extent.last_utc < extent.first_utc {
            return Err(fields.malformed("order"));
        }
        Ok(extent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_extent_reads_back_as_written(camera: [u8; 16], kind in 0u8..3, first in 0u32..1000, more in 0u32..1000,
                                           at: i32, length in 0i64..2_000_000, frames: u32, reel: [u8; 16], chunk: u32,
                                           keys: Option<[u8; 28]>) {
            let extent = Extent {
                stream: StreamId { camera: CameraId(camera), kind: StreamKind::from_code(kind).expect("0..3") },
                first_chunk: first,
                last_chunk: first + more,
                first_utc: UtcMicros(at.into()),
                last_utc: UtcMicros(i64::from(at) + length),
                frames,
                group_start: GroupStart { reel: ReelId(reel), chunk },
                keys: keys.filter(|keys| *keys != [0; 28]),
            };
            prop_assert_eq!(Extent::from_bytes(&extent.to_bytes()), Ok(extent));
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..120)) {
            let read = Extent::from_bytes(&bytes);
            prop_assert!(bytes.len() >= EXTENT_BYTES || read.is_err());
        }
    }

    #[test]
    fn the_digest_of_a_batch_s_keys_changes_with_each_of_them_and_their_order() {
        let digests: Vec<KeyDigest> = (0..3)
            .map(|n| key_digest(&ChunkKey { key: domain::Secret32::new([n; 32]), commitment: [9; 32] }))
            .collect();
        let whole = keys_digest(&digests);
        assert_eq!(whole, keys_digest(&digests));
        for others in [&digests[..2], &digests[1..], &[digests[1], digests[0], digests[2]][..]] {
            assert_ne!(keys_digest(others), whole);
        }
    }

    #[test]
    fn numbers_or_times_that_run_backwards_are_refused_each_by_itself() {
        let extent = |chunks: (u32, u32), times: (i64, i64)| Extent {
            stream: StreamId::main(CameraId([7; 16])),
            first_chunk: chunks.0,
            last_chunk: chunks.1,
            first_utc: UtcMicros(times.0),
            last_utc: UtcMicros(times.1),
            frames: 1,
            group_start: GroupStart { reel: ReelId([1; 16]), chunk: 0 },
            keys: None,
        };
        for (chunks, times, is_taken) in [
            ((3, 3), (9, 9), true),
            ((3, 4), (9, 10), true),
            ((4, 3), (9, 9), false),
            ((3, 3), (10, 9), false),
            ((4, 3), (9, 10), false),
        ] {
            let read = Extent::from_bytes(&extent(chunks, times).to_bytes());
            assert_eq!(read.is_ok(), is_taken, "chunks {chunks:?}, times {times:?}");
        }
    }
}
