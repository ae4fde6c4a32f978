//! Signatures: Ed25519 (RFC 8032) over a domain-separated message; who certifies whom in a reel (R5).

use crate::{Result, SealError};
use aws_lc_rs::signature::{self, KeyPair, UnparsedPublicKey};
use domain::{RunId, Secret32, SiteId};

pub type PublicKey = [u8; 32];
pub type Signature = [u8; 64];

/// An Ed25519 key made from a 32-byte seed: the site's, a run's or a reel's.
pub struct SigningKey(signature::Ed25519KeyPair);

impl SigningKey {
    pub fn from_seed(seed: &Secret32) -> SigningKey {
        SigningKey(
            signature::Ed25519KeyPair::from_seed_unchecked(seed.expose()).expect("an Ed25519 seed is any 32 bytes"),
        )
    }
    pub fn public(&self) -> PublicKey {
        let mut key = [0; 32];
        key.copy_from_slice(self.0.public_key().as_ref());
        key
    }
    /// Signs `purpose ‖ message`; a purpose is a line that no other kind of message begins with.
    pub fn sign(&self, purpose: Purpose, message: &[u8]) -> Signature {
        let mut bytes = [0; 64];
        bytes.copy_from_slice(self.0.sign(&purpose.message(message)).as_ref());
        bytes
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("‹secret›")
    }
}

/// What a signature is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    RunCertificate,
    ReelHeader,
    Sync,
    Footer,
    RecoveryFooter,
}

impl Purpose {
    const fn line(self) -> &'static str {
        match self {
            Purpose::RunCertificate => "vigie run certificate v1\n",
            Purpose::ReelHeader => "vigie reel header v1\n",
            Purpose::Sync => "vigie sync record v1\n",
            Purpose::Footer => "vigie footer v1\n",
            Purpose::RecoveryFooter => "vigie recovery footer v1\n",
        }
    }
    const fn name(self) -> &'static str {
        match self {
            Purpose::RunCertificate => "run certificate",
            Purpose::ReelHeader => "reel header",
            Purpose::Sync => "sync record",
            Purpose::Footer => "footer",
            Purpose::RecoveryFooter => "recovery footer",
        }
    }
    fn message(self, message: &[u8]) -> Vec<u8> {
        [self.line().as_bytes(), message].concat()
    }
}

/// Errors: `BadSignature` naming what was signed.
pub fn verify(key: &PublicKey, purpose: Purpose, message: &[u8], signature: &Signature) -> Result<()> {
    UnparsedPublicKey::new(&signature::ED25519, key)
        .verify(&purpose.message(message), signature)
        .map_err(|_| SealError::BadSignature { what: purpose.name() })
}

/// The site key's word that a run's key belongs to a recorder of the site, given at its hello (R5).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RunCertificate {
    pub site: SiteId,
    pub run: RunId,
    pub run_key: PublicKey,
    pub signature: Signature,
}

impl RunCertificate {
    pub fn issue(site_key: &SigningKey, site: SiteId, run: RunId, run_key: PublicKey) -> RunCertificate {
        let signature = site_key.sign(Purpose::RunCertificate, &Self::message(site, run, &run_key));
        RunCertificate { site, run, run_key, signature }
    }
    pub fn verify(&self, site_key: &PublicKey) -> Result<()> {
        let message = Self::message(self.site, self.run, &self.run_key);
        verify(site_key, Purpose::RunCertificate, &message, &self.signature)
    }
    fn message(site: SiteId, run: RunId, run_key: &PublicKey) -> Vec<u8> {
        [&site.0[..], &run.0, run_key].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signing_key_does_not_print() {
        assert_eq!(format!("{:?}", SigningKey::from_seed(&Secret32::new([1; 32]))), "‹secret›");
    }

    #[test]
    fn a_signature_for_one_purpose_is_none_for_another_and_the_refusal_names_what_was_wanted() {
        use Purpose::{Footer, RecoveryFooter, ReelHeader, RunCertificate, Sync};
        let key = SigningKey::from_seed(&Secret32::new([1; 32]));
        let wanted = [
            (RunCertificate, "run certificate"),
            (ReelHeader, "reel header"),
            (Sync, "sync record"),
            (Footer, "footer"),
            (RecoveryFooter, "recovery footer"),
        ];
        for signed in [RunCertificate, ReelHeader, Sync, Footer, RecoveryFooter] {
            let signature = key.sign(signed, b"the same bytes");
            for (purpose, what) in wanted {
                let expected = if purpose == signed { Ok(()) } else { Err(SealError::BadSignature { what }) };
                let verified = verify(&key.public(), purpose, b"the same bytes", &signature);
                assert_eq!(verified, expected, "{signed:?} as {purpose:?}");
            }
        }
    }
}
