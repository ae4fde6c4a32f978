//! Checkpoints: the log's size and root under its signature, as a C2SP signed note that outsiders can hold us to.

use crate::digest::Digest;
use crate::entry::LogId;
use crate::vkey;
use domain::{Secret32, SiteId};
use ed25519_dalek::{Signer as _, SigningKey, VerifyingKey};
use signed_note::{Note, NoteError, Signer, StandardVerifier, VerifierList, key_id, new_ed25519_verifier_key};
use tlog_tiles::Hash;

/// The size and the root that a log commits itself to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Checkpoint {
    pub size: u64,
    pub root: Digest,
}

/// Why a note is no checkpoint of this log.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    #[error("`{origin}` cannot be an origin: a text without spaces and plus signs expected")]
    Origin { origin: String },
    #[error("32 bytes that are no Ed25519 public key")]
    PublicKey,
    #[error("`{text}` is no verifier key: name+hash+key as C2SP signed-note has it expected")]
    VerifierKey { text: String },
    #[error("not a signed note with a signature of `{origin}`: {source}")]
    Note { origin: String, source: NoteError },
    #[error("signed by `{origin}`, but the text is no checkpoint of it")]
    Text { origin: String },
}

/// The first line of a log's checkpoints and the name of its key: `vigie/<site>/<log>`. A log that follows a lost one has
/// another origin, or it would look like a log that forks.
pub fn origin(site: SiteId, log: LogId) -> String {
    format!("vigie/{site}/{log}")
}

/// What a note says of itself, unverified: its origin and its checkpoint. For choosing the key it is then verified with.
pub fn claimed(note: &[u8]) -> Option<(String, Checkpoint)> {
    let note = Note::from_bytes(note).ok()?;
    let read = tlog_tiles::Checkpoint::from_bytes(note.text()).ok()?;
    Some((read.origin().to_owned(), Checkpoint { size: read.size(), root: Digest(read.hash().0) }))
}

/// Signs the checkpoints of one log.
pub struct CheckpointSigner {
    origin: String,
    key: SigningKey,
}

impl CheckpointSigner {
    /// From the log's Ed25519 seed (RFC 8032).
    pub fn new(origin: &str, seed: &Secret32) -> Result<CheckpointSigner, CheckpointError> {
        if !signed_note::is_key_name_valid(origin) {
            return Err(CheckpointError::Origin { origin: origin.to_owned() });
        }
        Ok(CheckpointSigner { origin: origin.to_owned(), key: SigningKey::from_bytes(seed.expose()) })
    }

    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// What others verify with.
    pub fn public(&self) -> CheckpointKey {
        CheckpointKey { origin: self.origin.clone(), key: self.key.verifying_key() }
    }

    /// The signed note. The same checkpoint gives the same bytes: Ed25519 is deterministic.
    pub fn sign(&self, checkpoint: Checkpoint) -> Result<Vec<u8>, CheckpointError> {
        let malformed = |source| CheckpointError::Note { origin: self.origin.clone(), source };
        let text = tlog_tiles::Checkpoint::new(&self.origin, checkpoint.size, Hash(checkpoint.root.0), "")
            .map_err(|_| CheckpointError::Text { origin: self.origin.clone() })?;
        let mut note = Note::new(&text.to_bytes(), &[]).map_err(malformed)?;
        note.add_sigs(&[self]).map_err(malformed)?;
        Ok(note.to_bytes())
    }
}

impl Signer for CheckpointSigner {
    fn name(&self) -> &str {
        &self.origin
    }
    fn key_id(&self) -> u32 {
        // 1 is Ed25519 (C2SP signed-note)
        key_id(&self.origin, &[&[1], self.key.verifying_key().as_bytes().as_slice()].concat())
    }
    fn sign(&self, text: &[u8]) -> Result<Vec<u8>, ed25519_dalek::SignatureError> {
        Ok(self.key.try_sign(text)?.to_vec())
    }
}

/// Verifies the checkpoints of one log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CheckpointKey {
    origin: String,
    key: VerifyingKey,
}

impl CheckpointKey {
    pub fn new(origin: &str, public_key: &[u8; 32]) -> Result<CheckpointKey, CheckpointError> {
        if !signed_note::is_key_name_valid(origin) {
            return Err(CheckpointError::Origin { origin: origin.to_owned() });
        }
        let key = VerifyingKey::from_bytes(public_key).map_err(|_| CheckpointError::PublicKey)?;
        Ok(CheckpointKey { origin: origin.to_owned(), key })
    }

    pub fn origin(&self) -> &str {
        &self.origin
    }

    pub fn public_key(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    /// The key as C2SP signed-note writes it, to be handed to witnesses and readers.
    pub fn verifier_key(&self) -> String {
        new_ed25519_verifier_key(&self.origin, &self.key)
    }

    /// Reads a verifier key as C2SP signed-note writes it: `name+hash+key`, the name being the log's origin.
    pub fn parse(verifier_key: &str) -> Result<CheckpointKey, CheckpointError> {
        let (name, key) = vkey::read(verifier_key, vkey::ED25519)
            .ok_or_else(|| CheckpointError::VerifierKey { text: vkey::shown(verifier_key) })?;
        CheckpointKey::new(&name, &key)
    }

    /// Checks the signature and the origin of a note; signatures of others (witnesses) are not looked at here.
    pub fn verify(&self, note: &[u8]) -> Result<Checkpoint, CheckpointError> {
        let origin = || self.origin.clone();
        let failed = |source| CheckpointError::Note { origin: origin(), source };
        let verifier = StandardVerifier::new(&self.verifier_key())
            .map_err(|_| CheckpointError::VerifierKey { text: self.verifier_key() })?;
        let note = Note::from_bytes(note).map_err(failed)?;
        note.verify(&VerifierList::new(vec![Box::new(verifier)])).map_err(failed)?;
        let text = note.text();
        let checkpoint =
            tlog_tiles::Checkpoint::from_bytes(text).map_err(|_| CheckpointError::Text { origin: origin() })?;
        if checkpoint.origin() != self.origin {
            return Err(CheckpointError::Text { origin: origin() });
        }
        Ok(Checkpoint { size: checkpoint.size(), root: Digest(checkpoint.hash().0) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer() -> CheckpointSigner {
        CheckpointSigner::new(&origin(SiteId([1; 16]), LogId([2; 16])), &Secret32::new([3; 32])).unwrap()
    }

    const CHECKPOINT: Checkpoint = Checkpoint { size: 600, root: Digest([4; 32]) };

    #[test]
    fn a_checkpoint_verifies_with_its_public_key() {
        let note = signer().sign(CHECKPOINT).unwrap();
        assert_eq!(signer().public().verify(&note).unwrap(), CHECKPOINT);
        let text = String::from_utf8(note).unwrap();
        assert!(text.starts_with(&format!("vigie/{}/{}\n600\n", "01".repeat(16), "02".repeat(16))), "{text}");
    }

    #[test]
    fn a_changed_checkpoint_is_refused_wherever_it_was_changed() {
        let note = signer().sign(CHECKPOINT).unwrap();
        for at in 0..note.len() {
            let mut changed = note.clone();
            changed[at] ^= 1;
            assert!(signer().public().verify(&changed).is_err(), "byte {at}");
        }
    }

    #[test]
    fn another_key_or_another_log_is_refused() {
        let note = signer().sign(CHECKPOINT).unwrap();
        let other_key = CheckpointSigner::new(signer().origin(), &Secret32::new([9; 32])).unwrap();
        assert!(other_key.public().verify(&note).is_err());
        let other_log =
            CheckpointSigner::new(&origin(SiteId([1; 16]), LogId([9; 16])), &Secret32::new([3; 32])).unwrap();
        assert!(other_log.public().verify(&note).is_err());
    }

    #[test]
    fn a_key_reads_back_from_what_is_handed_to_others() {
        let key = signer().public();
        assert_eq!(CheckpointKey::parse(&key.verifier_key()).unwrap(), key);
        let text = key.verifier_key();
        for at in 0..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[at] ^= 1;
            let read = String::from_utf8(changed).ok().and_then(|text| CheckpointKey::parse(&text).ok());
            assert!(read.is_none(), "byte {at}: the hash holds name and key together");
        }
    }

    #[test]
    fn an_origin_with_a_space_is_refused() {
        assert!(CheckpointSigner::new("vigie site", &Secret32::new([3; 32])).is_err());
    }
}
