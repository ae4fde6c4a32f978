//! What the keeper says at a recorder's hello (R5, R9).

use domain::{RunId, UtcMicros};
use seal::sign::{PublicKey, Signature};
use serde::{Deserialize, Serialize};

/// The certificate of a run, the site key, the anchor of its time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunAnswer {
    pub site: domain::SiteId,
    pub run: RunId,
    pub run_key: PublicKey,
    #[serde(with = "signature_bytes")]
    pub signature: Signature,
    pub site_key: PublicKey,
    pub anchor: UtcMicros,
    pub at_least: UtcMicros,
}

mod signature_bytes {
    //! Serde for 64 bytes, as two halves that serde knows.
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(bytes: &[u8; 64], serializer: S) -> Result<S::Ok, S::Error> {
        let (mut first, mut second) = ([0; 32], [0; 32]);
        first.copy_from_slice(&bytes[..32]);
        second.copy_from_slice(&bytes[32..]);
        (first, second).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 64], D::Error> {
        let (first, second) = <([u8; 32], [u8; 32])>::deserialize(deserializer)?;
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(&first);
        bytes[32..].copy_from_slice(&second);
        Ok(bytes)
    }
}
