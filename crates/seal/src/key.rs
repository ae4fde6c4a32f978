//! Keys: camera-hour key → data key (in a key record) → the key of each sealed record (K1, K4, K5, K6).

use crate::{Kind, RecordHeader, Result, SealError, record::Fields};
use aws_lc_rs::{aead, hkdf, hmac};
use domain::{CameraId, Hour, ReelId, RunId, Secret32, SiteId, StreamId, UtcMicros};
use zeroize::{Zeroize, Zeroizing};

/// Bytes of the GCM tag that ends every sealed payload (NIST SP 800-38D).
pub const TAG_BYTES: usize = 16;
const NONCE_BYTES: usize = 12;
/// Lookup tag, nonce, wrapped data key, tag.
pub const KEY_RECORD_BYTES: usize = 32 + NONCE_BYTES + 32 + TAG_BYTES;

/// One erasable key per (camera, hour): when it dies, every copy of that hour dies (K1). Lives in the keyring only.
#[derive(Clone, Debug)]
pub struct CameraHourKey(pub Secret32);

/// The page's key for lookup tags (K6).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LookupKey(pub Secret32);

/// The key of one (stream, hour, run); lives in one process's memory (K4).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct DataKey(pub Secret32);

/// The key of one sealed record, with the commitment that stands in its header (K5).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ChunkKey {
    pub key: Secret32,
    pub commitment: [u8; 32],
}

/// A data key wrapped by its camera-hour key, with the tag by which the keeper finds which one (K6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRecord {
    pub lookup_tag: [u8; 32],
    pub wrapped: WrappedKey,
}

/// A data key under AES-256-GCM: nonce, ciphertext, tag.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct WrappedKey {
    pub nonce: [u8; NONCE_BYTES],
    pub ciphertext: [u8; 32],
    pub tag: [u8; TAG_BYTES],
}

/// What a wrapped data key is bound to (K6): all of it is associated data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeyContext {
    pub site: SiteId,
    pub stream: StreamId,
    pub hour: Hour,
    pub run: RunId,
    /// As it stood when the key was minted, and as it stands in the reel's header.
    pub deadline: UtcMicros,
}

impl KeyContext {
    fn to_bytes(self) -> Vec<u8> {
        let mut bytes = b"vigie key record v1\n".to_vec();
        bytes.extend_from_slice(&self.site.0);
        bytes.extend_from_slice(&self.stream.to_bytes());
        bytes.extend_from_slice(&self.hour.to_bytes());
        bytes.extend_from_slice(&self.run.0);
        bytes.extend_from_slice(&self.deadline.0.to_le_bytes());
        bytes
    }
}

impl CameraHourKey {
    /// Wraps a data key. `nonce` must be fresh random bytes: one camera-hour key wraps one data key a stream and run.
    pub fn wrap(&self, data_key: &DataKey, context: &KeyContext, nonce: [u8; NONCE_BYTES]) -> WrappedKey {
        let mut ciphertext = *data_key.0.expose();
        let tag = gcm(&self.0)
            .seal_in_place_separate_tag(
                aead::Nonce::assume_unique_for_key(nonce),
                aead::Aad::from(context.to_bytes()),
                &mut ciphertext,
            )
            .expect("32 bytes are far below the limit of AES-GCM");
        let mut wrapped = WrappedKey { nonce, ciphertext, tag: [0; TAG_BYTES] };
        wrapped.tag.copy_from_slice(tag.as_ref());
        wrapped
    }

    /// Unwraps. Errors: `DoesNotOpen` for another camera, hour, run, deadline or site, or changed bytes.
    pub fn unwrap(&self, wrapped: &WrappedKey, context: &KeyContext) -> Result<DataKey> {
        let mut buffer = Zeroizing::new([0u8; 32 + TAG_BYTES]);
        buffer[..32].copy_from_slice(&wrapped.ciphertext);
        buffer[32..].copy_from_slice(&wrapped.tag);
        gcm(&self.0)
            .open_in_place(
                aead::Nonce::assume_unique_for_key(wrapped.nonce),
                aead::Aad::from(context.to_bytes()),
                &mut buffer[..],
            )
            .map_err(|_| SealError::DoesNotOpen)?;
        let mut key = [0; 32];
        key.copy_from_slice(&buffer[..32]);
        let data_key = DataKey(Secret32::new(key));
        key.zeroize();
        Ok(data_key)
    }
}

impl LookupKey {
    /// HMAC-SHA-256 over reel id, camera and stream kind.
    pub fn tag(&self, reel: ReelId, stream: StreamId) -> [u8; 32] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.0.expose());
        let mut context = hmac::Context::with_key(&key);
        context.update(b"vigie lookup tag v1\n");
        context.update(&reel.0);
        context.update(&stream.to_bytes());
        let mut tag = [0; 32];
        tag.copy_from_slice(context.sign().as_ref());
        tag
    }

    /// Which of the page's cameras a tag names.
    pub fn find(&self, tag: &[u8; 32], reel: ReelId, cameras: impl IntoIterator<Item = CameraId>) -> Option<StreamId> {
        cameras.into_iter().find_map(|camera| {
            [0, 1, 2]
                .into_iter()
                .filter_map(domain::StreamKind::from_code)
                .map(|kind| StreamId { camera, kind })
                .find(|stream| self.tag(reel, *stream) == *tag)
        })
    }
}

impl DataKey {
    /// The key and commitment of one sealed record of a reel: HKDF-SHA-256 (RFC 5869) of the data key.
    pub fn record_key(&self, reel: ReelId, kind: Kind, handle: u16, number: u32) -> ChunkKey {
        let mut info = [0u8; 23];
        info[..16].copy_from_slice(&reel.0);
        info[16] = kind.code();
        info[17..19].copy_from_slice(&handle.to_le_bytes());
        info[19..].copy_from_slice(&number.to_le_bytes());
        let mut out = Zeroizing::new([0u8; 64]);
        hkdf::Salt::new(hkdf::HKDF_SHA256, b"vigie record key v1")
            .extract(self.0.expose())
            .expand(&[&info], Length64)
            .and_then(|okm| okm.fill(&mut out[..]))
            .expect("64 bytes are two blocks of HKDF-SHA-256, the limit is 255");
        let mut key = [0; 32];
        let mut commitment = [0; 32];
        key.copy_from_slice(&out[..32]);
        commitment.copy_from_slice(&out[32..]);
        let chunk_key = ChunkKey { key: Secret32::new(key), commitment };
        key.zeroize();
        chunk_key
    }
}

impl ChunkKey {
    /// Seals `plain` in place under `header`, whose commitment and length it checks; returns the tag.
    /// The nonce is zero: this key seals one record, once (K4, K5).
    pub fn seal(&self, header: &RecordHeader, plain: &mut [u8]) -> [u8; TAG_BYTES] {
        assert_eq!(header.commitment, self.commitment, "the header carries the commitment of its key");
        assert_eq!(header.payload_bytes as usize, plain.len() + TAG_BYTES, "the header carries the sealed length");
        let tag = gcm(&self.key)
            .seal_in_place_separate_tag(zero_nonce(), aead::Aad::from(header.to_bytes()), plain)
            .expect("a record is at most 9 MiB, AES-GCM takes 64 GiB");
        let mut bytes = [0; TAG_BYTES];
        bytes.copy_from_slice(tag.as_ref());
        bytes
    }

    /// Opens a sealed payload in place and returns the plaintext. Errors: `WrongCommitment`, `DoesNotOpen`.
    pub fn open<'a>(&self, header: &RecordHeader, payload: &'a mut [u8]) -> Result<&'a mut [u8]> {
        if header.commitment != self.commitment {
            return Err(SealError::WrongCommitment);
        }
        gcm(&self.key)
            .open_in_place(zero_nonce(), aead::Aad::from(header.to_bytes()), payload)
            .map_err(|_| SealError::DoesNotOpen)
    }
}

impl KeyRecord {
    pub fn to_bytes(&self) -> [u8; KEY_RECORD_BYTES] {
        let mut bytes = [0; KEY_RECORD_BYTES];
        bytes[..32].copy_from_slice(&self.lookup_tag);
        bytes[32..44].copy_from_slice(&self.wrapped.nonce);
        bytes[44..76].copy_from_slice(&self.wrapped.ciphertext);
        bytes[76..].copy_from_slice(&self.wrapped.tag);
        bytes
    }
    pub fn from_bytes(payload: &[u8]) -> Result<KeyRecord> {
        let mut fields = Fields::new("key record", payload);
        let lookup_tag = fields.array()?;
        let wrapped = WrappedKey { nonce: fields.array()?, ciphertext: fields.array()?, tag: fields.array()? };
        fields.end()?;
        Ok(KeyRecord { lookup_tag, wrapped })
    }
}

struct Length64;

impl hkdf::KeyType for Length64 {
    fn len(&self) -> usize {
        64
    }
}

fn zero_nonce() -> aead::Nonce {
    aead::Nonce::assume_unique_for_key([0; NONCE_BYTES])
}

fn gcm(key: &Secret32) -> aead::LessSafeKey {
    aead::LessSafeKey::new(
        aead::UnboundKey::new(&aead::AES_256_GCM, key.expose()).expect("AES-256 takes a key of 32 bytes"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{HourLength, StreamKind};

    fn context() -> KeyContext {
        KeyContext {
            site: SiteId([1; 16]),
            stream: StreamId { camera: CameraId([2; 16]), kind: StreamKind::Main },
            hour: HourLength::PRODUCT.hour_of(UtcMicros::from_seconds(1_000_000)),
            run: RunId([3; 16]),
            deadline: UtcMicros::from_seconds(2_000_000),
        }
    }

    #[test]
    fn a_wrapped_key_opens_only_in_its_own_context() {
        let (camera_hour, data) = (CameraHourKey(Secret32::new([7; 32])), DataKey(Secret32::new([9; 32])));
        let wrapped = camera_hour.wrap(&data, &context(), [5; 12]);
        assert_eq!(camera_hour.unwrap(&wrapped, &context()), Ok(data));
        let others = [
            KeyContext { site: SiteId([0; 16]), ..context() },
            KeyContext { stream: StreamId { kind: StreamKind::Sub, ..context().stream }, ..context() },
            KeyContext { hour: context().hour.plus(1), ..context() },
            KeyContext { run: RunId([4; 16]), ..context() },
            KeyContext { deadline: UtcMicros(0), ..context() },
        ];
        for other in others {
            assert_eq!(camera_hour.unwrap(&wrapped, &other), Err(SealError::DoesNotOpen), "{other:?}");
        }
    }

    #[test]
    fn a_lookup_tag_finds_its_camera_and_no_other() {
        let key = LookupKey(Secret32::new([1; 32]));
        let cameras: Vec<CameraId> = (0..20).map(|n| CameraId([n; 16])).collect();
        let stream = StreamId { camera: cameras[13], kind: StreamKind::Sub };
        let tag = key.tag(ReelId([8; 16]), stream);
        assert_eq!(key.find(&tag, ReelId([8; 16]), cameras.iter().copied()), Some(stream));
        assert_eq!(key.find(&tag, ReelId([9; 16]), cameras), None);
    }

    #[test]
    fn a_record_does_not_open_under_another_key_that_would_decrypt_it() {
        let data = DataKey(Secret32::new([9; 32]));
        let key = data.record_key(ReelId([1; 16]), Kind::Chunk, 0, 0);
        let other = data.record_key(ReelId([1; 16]), Kind::Chunk, 0, 1);
        let header = RecordHeader {
            kind: Kind::Chunk,
            handle: 0,
            payload_bytes: 3 + TAG_BYTES as u32,
            number: 0,
            reel: ReelId([1; 16]),
            commitment: key.commitment,
        };
        let mut payload = b"abc".to_vec();
        let tag = key.seal(&header, &mut payload);
        payload.extend_from_slice(&tag);
        assert_eq!(other.open(&header, &mut payload.clone()), Err(SealError::WrongCommitment));
        let moved = RecordHeader { number: 1, commitment: key.commitment, ..header };
        assert_eq!(key.open(&moved, &mut payload.clone()), Err(SealError::DoesNotOpen));
        assert_eq!(key.open(&header, &mut payload).map(|plain| plain.to_vec()), Ok(b"abc".to_vec()));
    }
}
