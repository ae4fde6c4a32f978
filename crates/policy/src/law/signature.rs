//! Who publishes a law pack: an Ed25519 signature in a C2SP signed note over name, version and digest, by a pinned key.
//!
//! Rotation: this list names each key that a program trusts. A new key is added beside the old one in one release, packs are
//! signed with the new one from then on, and the old one leaves in the next release. A stolen key leaves at once: a release
//! without it refuses every pack that it signed.

use super::{
    LawError,
    files::{PackFiles, SIGNATURE},
};
use ed25519_dalek::{Signer as _, SigningKey};
use signed_note::{Note, Signer, StandardVerifier, VerifierList, key_id, new_ed25519_verifier_key};
use std::fmt::Write;

/// The publishers whose packs this program takes, each as a C2SP verifier key.
pub const PUBLISHERS: &[&str] = &[include_str!("../../../../law/publisher.key")];

/// The first line of what is signed.
const ORIGIN: &str = "vigie law pack v1";

/// What a publisher signs: four lines.
pub fn text(files: &PackFiles) -> Result<String, LawError> {
    let head = files.head()?;
    Ok(format!("{ORIGIN}\n{}\n{}\n{}\n", head.name, head.version, hex(&files.digest())))
}

/// # Errors
/// [`LawError::Signature`] without a signature of one of `publishers`, [`LawError::OtherPack`] if it is over other files.
pub fn verify(files: &PackFiles, publishers: &[&str]) -> Result<(), LawError> {
    let known =
        || publishers.iter().map(|key| key.split('+').next().unwrap_or_default()).collect::<Vec<_>>().join(", ");
    let unsigned = || LawError::Signature { known: known() };
    let note = Note::from_bytes(files.text(SIGNATURE)?.as_bytes()).map_err(|_| unsigned())?;
    let signed_by_one = publishers.iter().any(|key| {
        let Ok(verifier) = StandardVerifier::new(key.trim()) else { return false };
        note.verify(&VerifierList::new(vec![Box::new(verifier)])).is_ok()
    });
    if !signed_by_one {
        return Err(unsigned());
    }
    let expected = text(files)?;
    if note.text() != expected.as_bytes() {
        let signed = String::from_utf8_lossy(note.text()).lines().nth(3).unwrap_or_default().to_owned();
        return Err(LawError::OtherPack { signed, digest: hex(&files.digest()) });
    }
    Ok(())
}

/// A publisher's key: signs packs.
pub struct Publisher {
    name: String,
    key: SigningKey,
}

impl Publisher {
    /// From an Ed25519 seed (RFC 8032).
    pub fn new(name: &str, seed: &[u8; 32]) -> Publisher {
        Publisher { name: name.to_owned(), key: SigningKey::from_bytes(seed) }
    }

    /// What a program pins.
    pub fn verifier_key(&self) -> String {
        new_ed25519_verifier_key(&self.name, &self.key.verifying_key())
    }

    /// The content of the file `SIGNATURE`.
    ///
    /// # Errors
    /// [`LawError::Malformed`] if the pack's head cannot be read, or the name cannot be a key's.
    pub fn sign(&self, files: &PackFiles) -> Result<String, LawError> {
        let malformed = |what: String| LawError::Malformed { file: SIGNATURE.into(), what };
        let mut note = Note::new(text(files)?.as_bytes(), &[]).map_err(|error| malformed(error.to_string()))?;
        note.add_sigs(&[self]).map_err(|error| malformed(error.to_string()))?;
        Ok(String::from_utf8_lossy(&note.to_bytes()).into_owned())
    }
}

impl Signer for Publisher {
    fn name(&self) -> &str {
        &self.name
    }
    fn key_id(&self) -> u32 {
        // 1 is Ed25519 (C2SP signed-note)
        key_id(&self.name, &[&[1], self.key.verifying_key().as_bytes().as_slice()].concat())
    }
    fn sign(&self, text: &[u8]) -> Result<Vec<u8>, ed25519_dalek::SignatureError> {
        Ok(self.key.try_sign(text)?.to_vec())
    }
}

/// Lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        write!(text, "{byte:02x}").expect("writing into a String cannot fail");
    }
    text
}
