//! Secrets of the registry, sealed under the keyring's config key: camera credentials, seeds of second factors, scans (K13).

use crate::core::{KeeperCore, failed};
use aws_lc_rs::aead;
use vault::KeeperError;
use zeroize::Zeroizing;

const NONCE_BYTES: usize = 12;

impl KeeperCore {
    /// AES-256-GCM, random nonce, which stands in front; `bound_to` says whose secret it is.
    pub(crate) fn seal_bytes(&self, bound_to: Vec<u8>, plain: &[u8]) -> Result<Vec<u8>, KeeperError> {
        let mut buffer = Zeroizing::new(plain.to_vec());
        let mut nonce = [0; NONCE_BYTES];
        self.parts.random.fill(&mut nonce);
        let tag = self
            .config_key()?
            .seal_in_place_separate_tag(
                aead::Nonce::assume_unique_for_key(nonce),
                aead::Aad::from(bound_to),
                &mut buffer,
            )
            .map_err(failed)?;
        Ok([&nonce[..], &buffer, tag.as_ref()].concat())
    }

    pub(crate) fn unseal_bytes(&self, bound_to: Vec<u8>, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeeperError> {
        let other = || {
            failed(
                "something sealed in the registry does not open: it was changed, or sealed under another keyring; give it anew",
            )
        };
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or_else(other)?;
        let mut buffer = Zeroizing::new(sealed.to_vec());
        let nonce = aead::Nonce::assume_unique_for_key(*nonce);
        let opened = self.config_key()?.open_in_place(nonce, aead::Aad::from(bound_to), &mut buffer);
        let plain_bytes = opened.map_err(|_| other())?.len();
        buffer.truncate(plain_bytes);
        Ok(buffer)
    }

    fn config_key(&self) -> Result<aead::LessSafeKey, KeeperError> {
        let key = self.parts.keyring.config_key();
        Ok(aead::LessSafeKey::new(aead::UnboundKey::new(&aead::AES_256_GCM, key.expose()).map_err(failed)?))
    }
}
