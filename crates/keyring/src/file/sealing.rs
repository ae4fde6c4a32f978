//! AES-256-GCM over one buffer, and the root key from the passphrase.

use crate::{KeyringError, Result};
use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use domain::Secret32;
use zeroize::Zeroizing;

pub const NONCE_BYTES: usize = 12;
pub const TAG_BYTES: usize = 16;
pub const SALT_BYTES: usize = 16;

/// Cost of deriving the root key by argon2id (RFC 9106).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KdfCost {
    pub memory_kib: u32,
    pub passes: u32,
    pub lanes: u32,
}

impl KdfCost {
    /// For real keyrings: 64 MiB and 3 passes (RFC 9106 section 4, second recommendation), on one lane.
    pub const REAL: KdfCost = KdfCost { memory_kib: 64 * 1024, passes: 3, lanes: 1 };
    /// For tests: the least that argon2 accepts; it protects nothing.
    pub const LEAST: KdfCost = KdfCost { memory_kib: 8, passes: 1, lanes: 1 };

    /// A header is read before it is authenticated: 1 GiB and 64 passes bound what a forged one can cost at a start.
    pub fn is_sane(self) -> bool {
        (8..=1024 * 1024).contains(&self.memory_kib)
            && (1..=64).contains(&self.passes)
            && (1..=16).contains(&self.lanes)
            && self.memory_kib >= 8 * self.lanes
    }
}

/// Cost and salt: they stay the same for the life of a keyring.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Kdf {
    pub cost: KdfCost,
    pub salt: [u8; SALT_BYTES],
}

impl Kdf {
    /// The root key: argon2id, version 0x13, 32 bytes.
    pub fn derive(&self, passphrase: &str) -> Result<Secret32> {
        let KdfCost { memory_kib, passes, lanes } = self.cost;
        let out_of_bounds = || KeyringError::KdfCost { memory_kib, passes, lanes };
        if !self.cost.is_sane() {
            return Err(out_of_bounds());
        }
        let params = Params::new(memory_kib, passes, lanes, Some(32)).map_err(|_| out_of_bounds())?;
        let mut key = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.as_bytes(), &self.salt, &mut *key)
            .map_err(|_| out_of_bounds())?;
        Ok(Secret32::new(*key))
    }
}

/// Seals in place and appends the tag. A (key, nonce) pair must never be used twice.
pub fn seal(key: &Secret32, nonce: [u8; NONCE_BYTES], header: &[u8], mut plain: Zeroizing<Vec<u8>>) -> Vec<u8> {
    let tag = cipher(key)
        .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(header), &mut plain)
        .expect("AES-GCM seals up to 64 GiB, our buffers are megabytes");
    let mut sealed = std::mem::take(&mut *plain);
    sealed.extend_from_slice(tag.as_ref());
    sealed
}

/// Opens what [`seal`] made; `None` for any other key, nonce, header or byte.
pub fn open(key: &Secret32, nonce: [u8; NONCE_BYTES], header: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut buffer = Zeroizing::new(sealed.to_vec());
    let nonce = Nonce::assume_unique_for_key(nonce);
    let plain_len = cipher(key).open_in_place(nonce, Aad::from(header), &mut buffer).ok()?.len();
    buffer.truncate(plain_len);
    Some(buffer)
}

fn cipher(key: &Secret32) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, key.expose()).expect("a key of 32 bytes is an AES-256 key"))
}
