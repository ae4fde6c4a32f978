//! Cosignatures of witnesses, `cosignature/v1` of C2SP tlog-cosignature: "as of this time, this is the largest consistent tree
//! of this log that I have seen".

use crate::vkey;
use domain::Secret32;
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use signed_note::{Note, Signer, Verifier, VerifierList, is_key_name_valid};

/// Seconds of POSIX time (8 bytes, big endian) and an Ed25519 signature.
const COSIGNATURE_BYTES: usize = 8 + 64;

/// A cosignature that verified.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cosignature {
    /// Seconds since 1970 by the witness's clock.
    pub at_seconds: i64,
}

/// Why a text is no key of a witness.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WitnessKeyError {
    #[error("`{name}` cannot be a witness's name: a text without spaces and plus signs expected")]
    Name { name: String },
    #[error("`{text}` is no witness's verifier key: name+hash+key of type 4 as C2SP tlog-cosignature has it expected")]
    VerifierKey { text: String },
    #[error("that is no note that can be cosigned: {why}")]
    Note { why: String },
}

/// What the cosignatures of one witness are verified with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WitnessKey {
    name: String,
    key: VerifyingKey,
}

impl WitnessKey {
    /// Reads a verifier key: `name+hash+key`, algorithm byte 4.
    pub fn parse(verifier_key: &str) -> Result<WitnessKey, WitnessKeyError> {
        let wrong = || WitnessKeyError::VerifierKey { text: vkey::shown(verifier_key) };
        let (name, key) = vkey::read(verifier_key, vkey::COSIGNATURE).ok_or_else(wrong)?;
        let key = VerifyingKey::from_bytes(&key).map_err(|_| wrong())?;
        Ok(WitnessKey { name, key })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn public_key(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    /// The key as it is handed to logs and readers.
    pub fn verifier_key(&self) -> String {
        vkey::write(&self.name, vkey::COSIGNATURE, self.key.as_bytes())
    }

    /// This witness's cosignature on a note, if it is there and holds; signatures of others are not looked at.
    pub fn verify(&self, note: &[u8]) -> Option<Cosignature> {
        self.cosignature_of(&Note::from_bytes(note).ok()?)
    }

    pub(crate) fn cosignature_of(&self, note: &Note) -> Option<Cosignature> {
        let (verified, _) = note.verify(&VerifierList::new(vec![Box::new(self.clone())])).ok()?;
        let (at_seconds, _) = parts(verified.first()?.signature())?;
        Some(Cosignature { at_seconds })
    }
}

impl Verifier for WitnessKey {
    fn name(&self) -> &str {
        &self.name
    }
    fn key_id(&self) -> u32 {
        vkey::hash(&self.name, vkey::COSIGNATURE, self.key.as_bytes())
    }
    fn verify(&self, text: &[u8], cosignature: &[u8]) -> bool {
        parts(cosignature).is_some_and(|(at_seconds, signature)| {
            ed25519_dalek::Verifier::verify(&self.key, &message(at_seconds, text), &signature).is_ok()
        })
    }
}

/// Cosigns as one witness.
pub struct WitnessSigner {
    name: String,
    key: SigningKey,
}

impl WitnessSigner {
    /// From the witness's name and its Ed25519 seed (RFC 8032).
    pub fn new(name: &str, seed: &Secret32) -> Result<WitnessSigner, WitnessKeyError> {
        if !is_key_name_valid(name) || name.chars().any(char::is_control) {
            return Err(WitnessKeyError::Name { name: vkey::shown(name) });
        }
        Ok(WitnessSigner { name: name.to_owned(), key: SigningKey::from_bytes(seed.expose()) })
    }

    pub fn public(&self) -> WitnessKey {
        WitnessKey { name: self.name.clone(), key: self.key.verifying_key() }
    }

    /// The signature line on a note, with its newline; the note's other signatures are none of its concern.
    pub fn cosign(&self, note: &[u8], at_seconds: u64) -> Result<String, WitnessKeyError> {
        let failed = |why: &dyn std::fmt::Display| WitnessKeyError::Note { why: why.to_string() };
        let note = Note::from_bytes(note).map_err(|error| failed(&error))?;
        let mut alone = Note::new(note.text(), &[]).map_err(|error| failed(&error))?;
        alone.add_sigs(&[&Timed { signer: self, at_seconds }]).map_err(|error| failed(&error))?;
        let line = alone.to_bytes().split_off(note.text().len() + 1);
        String::from_utf8(line).map_err(|error| failed(&error))
    }
}

/// The signer of one instant, as `signed_note` asks for one.
struct Timed<'a> {
    signer: &'a WitnessSigner,
    at_seconds: u64,
}

impl Signer for Timed<'_> {
    fn name(&self) -> &str {
        &self.signer.name
    }
    fn key_id(&self) -> u32 {
        vkey::hash(&self.signer.name, vkey::COSIGNATURE, self.signer.key.verifying_key().as_bytes())
    }
    fn sign(&self, text: &[u8]) -> Result<Vec<u8>, ed25519_dalek::SignatureError> {
        let seconds = i64::try_from(self.at_seconds).map_err(|_| ed25519_dalek::SignatureError::new())?;
        let signature = self.signer.key.try_sign(&message(seconds, text))?;
        Ok([self.at_seconds.to_be_bytes().as_slice(), &signature.to_bytes()].concat())
    }
}

/// What is signed: two lines, then the whole text of the checkpoint.
fn message(at_seconds: i64, text: &[u8]) -> Vec<u8> {
    [format!("cosignature/v1\ntime {at_seconds}\n").as_bytes(), text].concat()
}

/// Time and signature; a time beyond 2^63 - 1 is none.
fn parts(cosignature: &[u8]) -> Option<(i64, Signature)> {
    let cosignature: &[u8; COSIGNATURE_BYTES] = cosignature.try_into().ok()?;
    let (seconds, signature) = cosignature.split_first_chunk::<8>()?;
    let seconds = i64::try_from(u64::from_be_bytes(*seconds)).ok()?;
    Some((seconds, Signature::from_slice(signature).ok()?))
}

/// The note with further signature lines behind its own; a line that it has already is not written twice.
pub fn with_lines(note: &[u8], lines: &[String]) -> Vec<u8> {
    let mut text = String::from_utf8_lossy(note).into_owned();
    for line in lines {
        if !text.split_inclusive('\n').any(|present| present == line) {
            text.push_str(line);
        }
    }
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Checkpoint, CheckpointSigner, Digest};
    use proptest::prelude::*;

    const AT: u64 = 1_773_324_000;

    fn signer(seed: u8) -> WitnessSigner {
        WitnessSigner::new("temoin.example/w1", &Secret32::new([seed; 32])).unwrap()
    }

    fn note() -> Vec<u8> {
        let log = CheckpointSigner::new("vigie/a/b", &Secret32::new([3; 32])).unwrap();
        log.sign(Checkpoint { size: 600, root: Digest([4; 32]) }).unwrap()
    }

    fn cosigned() -> Vec<u8> {
        with_lines(&note(), &[signer(1).cosign(&note(), AT).unwrap()])
    }

    #[test]
    fn a_cosignature_verifies_with_its_time_and_leaves_the_logs_own_valid() {
        let found = signer(1).public().verify(&cosigned()).unwrap();
        assert_eq!(found, Cosignature { at_seconds: AT as i64 });
        let log = CheckpointSigner::new("vigie/a/b", &Secret32::new([3; 32])).unwrap();
        assert_eq!(log.public().verify(&cosigned()).unwrap().size, 600);
    }

    #[test]
    fn no_changed_byte_and_no_other_key_or_name_passes() {
        for at in 0..cosigned().len() {
            let mut changed = cosigned();
            changed[at] ^= 1;
            // the log's own signature line is not the witness's concern
            let in_text_or_cosignature =
                at < 60 || at >= cosigned().len() - signer(1).cosign(&note(), AT).unwrap().len();
            if in_text_or_cosignature {
                assert_eq!(signer(1).public().verify(&changed), None, "byte {at}");
            }
        }
        assert_eq!(signer(2).public().verify(&cosigned()), None);
        let other = WitnessSigner::new("temoin.example/w2", &Secret32::new([1; 32])).unwrap();
        assert_eq!(other.public().verify(&cosigned()), None);
    }

    #[test]
    fn a_logs_key_is_no_witnesss_key_and_a_witnesss_key_reads_back() {
        let key = signer(1).public();
        assert_eq!(WitnessKey::parse(&key.verifier_key()).unwrap(), key);
        let log = CheckpointSigner::new("vigie/a/b", &Secret32::new([3; 32])).unwrap();
        assert!(WitnessKey::parse(&log.public().verifier_key()).is_err());
        assert!(crate::CheckpointKey::parse(&key.verifier_key()).is_err());
    }

    #[test]
    fn a_name_with_a_space_or_a_line_is_refused() {
        for name in ["", "a b", "a+b", "a\nb", "a\u{7}b"] {
            assert!(WitnessSigner::new(name, &Secret32::new([1; 32])).is_err(), "{name:?}");
        }
    }

    #[test]
    fn a_line_is_added_once() {
        let line = signer(1).cosign(&note(), AT).unwrap();
        assert_eq!(with_lines(&cosigned(), &[line]), cosigned());
    }

    proptest! {
        #[test]
        fn hostile_notes_and_keys_are_refused_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), text in ".{0,80}") {
            prop_assert!(signer(1).public().verify(&bytes).is_none());
            prop_assert!(WitnessKey::parse(&text).is_err());
            prop_assert!(signer(1).cosign(&bytes, u64::MAX).is_err());
        }
    }
}
