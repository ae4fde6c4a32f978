//! Commitments, and the details sealed beside them: the tree shows 32 bytes, the month's key shows what happened.

use crate::digest::Digest;
use crate::entry::LogId;
use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    digest, hkdf,
};
use domain::{Random, Secret32};

/// The leaf's content: all that the tree and the public know of an entry.
pub type Commitment = Digest;

/// 128 random bits, so that nobody finds an entry by trying likely details (vault.md L2).
pub type Salt = [u8; 16];

/// Details are padded to a multiple of this, so that their length says little.
pub const PADDED_TO_BYTES: usize = 256;
/// The largest details: a mint of 10,000 cameras is 800 kB of JSON.
pub const DETAILS_BYTES_MAX: usize = 1024 * 1024;

const COMMITMENT_LABEL: &[u8] = b"vigie ledger commitment v1\n";
const DETAILS_LABEL: &[u8] = b"vigie ledger details v1";
const HEAD_BYTES: usize = 16 + 4;
const TAG_BYTES: usize = 16;

/// Why sealed details do not open, or cannot be sealed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DetailsError {
    #[error("details of {bytes} bytes, at most {DETAILS_BYTES_MAX} fit one entry: split it into several entries")]
    TooLong { bytes: usize },
    #[error("entry {seq} does not open: wrong month key, or its sealed details were changed")]
    DoesNotOpen { seq: u64 },
    #[error("entry {seq} opens, but its plaintext is not salt, length, details and zeros")]
    Malformed { seq: u64 },
    #[error("entry {seq} opens, but its details are not those it committed to")]
    NotCommitted { seq: u64 },
}

/// Where sealed details belong; they open nowhere else.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SealedPlace {
    pub log: LogId,
    pub seq: u64,
    pub commitment: Commitment,
}

impl SealedPlace {
    /// Log id, number (u64, little endian), commitment: 56 bytes of associated data.
    fn to_bytes(self) -> [u8; 56] {
        let mut bytes = [0; 56];
        bytes[..16].copy_from_slice(&self.log.0);
        bytes[16..24].copy_from_slice(&self.seq.to_le_bytes());
        bytes[24..].copy_from_slice(&self.commitment.0);
        bytes
    }
}

/// A salt drawn from `random`.
pub fn draw_salt(random: &dyn Random) -> Salt {
    let mut salt = [0; 16];
    random.fill(&mut salt);
    salt
}

/// SHA-256 of a label, the salt and the details.
pub fn commit(salt: &Salt, details: &[u8]) -> Commitment {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(COMMITMENT_LABEL);
    context.update(salt);
    context.update(details);
    let mut commitment = Digest::default();
    commitment.0.copy_from_slice(context.finish().as_ref());
    commitment
}

/// Seals details under the month's log key: AES-256-GCM under a key of their own (HKDF-SHA-256, RFC 5869), zero nonce.
///
/// The key depends on the commitment and so on the salt: a number that is used again after a crash has another key.
pub fn seal_details(
    month_key: &Secret32,
    place: SealedPlace,
    salt: &Salt,
    details: &[u8],
) -> Result<Vec<u8>, DetailsError> {
    if details.len() > DETAILS_BYTES_MAX {
        return Err(DetailsError::TooLong { bytes: details.len() });
    }
    let padded_bytes = (HEAD_BYTES + details.len()).next_multiple_of(PADDED_TO_BYTES);
    let mut sealed = Vec::with_capacity(padded_bytes + TAG_BYTES);
    sealed.extend_from_slice(salt);
    sealed.extend_from_slice(&(details.len() as u32).to_le_bytes());
    sealed.extend_from_slice(details);
    sealed.resize(padded_bytes, 0);
    details_key(month_key, place)
        .seal_in_place_append_tag(zero_nonce(), Aad::from(place.to_bytes()), &mut sealed)
        .expect("AES-256-GCM seals up to 64 GiB and this is at most 1 MiB");
    Ok(sealed)
}

/// How many bytes [`seal_details`] makes of `details_bytes`.
pub const fn sealed_bytes(details_bytes: usize) -> usize {
    (HEAD_BYTES + details_bytes).next_multiple_of(PADDED_TO_BYTES) + TAG_BYTES
}

/// Opens sealed details and checks them against their commitment: AES-GCM alone does not commit to its key.
pub fn open_details(month_key: &Secret32, place: SealedPlace, sealed: &[u8]) -> Result<(Salt, Vec<u8>), DetailsError> {
    let seq = place.seq;
    let mut bytes = sealed.to_vec();
    let plain = details_key(month_key, place)
        .open_in_place(zero_nonce(), Aad::from(place.to_bytes()), &mut bytes)
        .map_err(|_| DetailsError::DoesNotOpen { seq })?;
    let malformed = DetailsError::Malformed { seq };
    let (salt, rest) = plain.split_first_chunk::<16>().ok_or(malformed.clone())?;
    let (length, rest) = rest.split_first_chunk::<4>().ok_or(malformed.clone())?;
    let (details, padding) = rest.split_at_checked(u32::from_le_bytes(*length) as usize).ok_or(malformed.clone())?;
    if !plain.len().is_multiple_of(PADDED_TO_BYTES)
        || padding.len() >= PADDED_TO_BYTES
        || padding.iter().any(|b| *b != 0)
    {
        return Err(malformed);
    }
    if commit(salt, details) != place.commitment {
        return Err(DetailsError::NotCommitted { seq });
    }
    Ok((*salt, details.to_vec()))
}

fn details_key(month_key: &Secret32, place: SealedPlace) -> LessSafeKey {
    let prk = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(month_key.expose());
    let place = place.to_bytes();
    let info = [DETAILS_LABEL, place.as_slice()];
    let okm = prk.expand(&info, &AES_256_GCM).expect("32 bytes are less than 255 blocks of SHA-256");
    LessSafeKey::new(UnboundKey::from(okm))
}

/// Each key seals one message once, so the nonce may be constant.
fn zero_nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; 12])
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Secret32 = Secret32::new([7; 32]);

    fn sealed(details: &[u8]) -> (SealedPlace, Vec<u8>) {
        let place = SealedPlace { log: LogId([1; 16]), seq: 5, commitment: commit(&[9; 16], details) };
        (place, seal_details(&KEY, place, &[9; 16], details).unwrap())
    }

    #[test]
    fn sealed_details_open_as_they_were() {
        for length in [0, 1, 235, 236, 237, 70_000] {
            let details = vec![b'x'; length];
            let (place, bytes) = sealed(&details);
            assert_eq!(bytes.len(), sealed_bytes(length));
            assert_eq!(open_details(&KEY, place, &bytes), Ok(([9; 16], details)));
        }
    }

    #[test]
    fn lengths_within_a_padding_step_look_the_same() {
        assert_eq!(sealed(&[0; 3]).1.len(), sealed(&[0; 236]).1.len());
        assert_ne!(sealed(&[0; 3]).1.len(), sealed(&[0; 237]).1.len());
    }

    #[test]
    fn sealed_details_open_nowhere_else_and_under_no_other_key() {
        let (place, bytes) = sealed(b"details");
        let wrong = Err(DetailsError::DoesNotOpen { seq: 5 });
        assert_eq!(open_details(&Secret32::new([8; 32]), place, &bytes), wrong);
        assert_eq!(open_details(&KEY, SealedPlace { log: LogId([2; 16]), ..place }, &bytes), wrong);
        assert_eq!(open_details(&KEY, SealedPlace { commitment: Digest([0; 32]), ..place }, &bytes), wrong);
        assert!(open_details(&KEY, SealedPlace { seq: 6, ..place }, &bytes).is_err());
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert_eq!(open_details(&KEY, place, &changed), wrong, "byte {at}");
        }
    }

    #[test]
    fn details_other_than_those_committed_to_are_refused() {
        let place = SealedPlace { log: LogId([1; 16]), seq: 5, commitment: commit(&[9; 16], b"what was shown") };
        let bytes = seal_details(&KEY, place, &[9; 16], b"what was done").unwrap();
        assert_eq!(open_details(&KEY, place, &bytes), Err(DetailsError::NotCommitted { seq: 5 }));
    }

    #[test]
    fn a_plaintext_that_is_not_salt_length_details_and_zeros_is_refused_whatever_is_wrong_with_it() {
        let (salt, details) = ([9; 16], [b'x'; 236]);
        let opened = |details_bytes: usize, length: u32, whole: usize, last: u8| {
            let details = &details[..details_bytes];
            let place = SealedPlace { log: LogId([1; 16]), seq: 5, commitment: commit(&salt, details) };
            let mut plain = [&salt[..], &length.to_le_bytes(), details].concat();
            plain.resize(whole, 0);
            *plain.last_mut().unwrap() |= last;
            details_key(&KEY, place)
                .seal_in_place_append_tag(zero_nonce(), Aad::from(place.to_bytes()), &mut plain)
                .unwrap();
            open_details(&KEY, place, &plain).map(|(_, details)| details.len())
        };
        let malformed = Err(DetailsError::Malformed { seq: 5 });
        assert_eq!(opened(7, 7, 256, 0), Ok(7));
        assert_eq!(opened(236, 236, 256, 0), Ok(236));
        assert_eq!(opened(7, 7, 100, 0), malformed, "no multiple of 256");
        assert_eq!(opened(7, 7, 512, 0), malformed, "more padding than needed");
        assert_eq!(opened(236, 236, 512, 0), malformed, "a whole step of padding");
        assert_eq!(opened(7, 7, 256, 1), malformed, "padding that says something");
        assert_eq!(opened(7, 300, 256, 0), malformed, "longer than what is there");
        assert_eq!(opened(0, 0, 17, 0), malformed, "no length");
    }

    #[test]
    fn too_long_details_are_refused() {
        let details = vec![0; DETAILS_BYTES_MAX + 1];
        let place = SealedPlace { log: LogId([1; 16]), seq: 5, commitment: commit(&[9; 16], &details) };
        let refused = Err(DetailsError::TooLong { bytes: DETAILS_BYTES_MAX + 1 });
        assert_eq!(seal_details(&KEY, place, &[9; 16], &details), refused);
    }
}
