//! Secrets of the registry, sealed under the keyring's config key: camera credentials, seeds of second factors, scans (K13); and keys that a hold wraps, under its own (K12).

use crate::core::{KeeperCore, failed};
use aws_lc_rs::aead;
use domain::Secret32;
use vault::KeeperError;
use zeroize::Zeroizing;

const NONCE_BYTES: usize = 12;

impl KeeperCore {
    pub(crate) fn seal_bytes(&self, bound_to: Vec<u8>, plain: &[u8]) -> Result<Vec<u8>, KeeperError> {
        self.seal_under(&self.parts.keyring.config_key(), bound_to, plain)
    }

    /// AES-256-GCM, random nonce, which stands in front; `bound_to` says whose secret it is.
    pub(crate) fn seal_under(&self, key: &Secret32, bound_to: Vec<u8>, plain: &[u8]) -> Result<Vec<u8>, KeeperError> {
        let mut buffer = Zeroizing::new(plain.to_vec());
        let mut nonce = [0; NONCE_BYTES];
        self.parts.random.fill(&mut nonce);
        let (nonce_once, bound_to) = (aead::Nonce::assume_unique_for_key(nonce), aead::Aad::from(bound_to));
        let tag = gcm(key)?.seal_in_place_separate_tag(nonce_once, bound_to, &mut buffer).map_err(failed)?;
        Ok([&nonce[..], &buffer, tag.as_ref()].concat())
    }

    pub(crate) fn unseal_bytes(&self, bound_to: Vec<u8>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeeperError> {
        let other = || {
            failed(
                "something sealed in the registry does not open: it was changed, or sealed under another keyring; give it anew",
            )
        };
        unseal_under(&self.parts.keyring.config_key(), bound_to, sealed)?.ok_or_else(other)
    }
}

/// `None` for bytes that were not sealed so.
pub(crate) fn unseal_under(
    key: &Secret32,
    bound_to: Vec<u8>,
    sealed: &[u8],
) -> Result<Option<Zeroizing<Vec<u8>>>, KeeperError> {
    let Some((nonce, sealed)) = sealed.split_first_chunk::<NONCE_BYTES>() else { return Ok(None) };
    let mut buffer = Zeroizing::new(sealed.to_vec());
    let nonce = aead::Nonce::assume_unique_for_key(*nonce);
    let Ok(opened) = gcm(key)?.open_in_place(nonce, aead::Aad::from(bound_to), &mut buffer) else { return Ok(None) };
    let plain_bytes = opened.len();
    buffer.truncate(plain_bytes);
    Ok(Some(buffer))
}

fn gcm(key: &Secret32) -> Result<aead::LessSafeKey, KeeperError> {
    Ok(aead::LessSafeKey::new(aead::UnboundKey::new(&aead::AES_256_GCM, key.expose()).map_err(failed)?))
}
