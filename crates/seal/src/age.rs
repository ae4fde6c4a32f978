//! Files for one outside recipient in the public age format (age-encryption.org/v1, C2SP): backups of the registry (decision 0062),
//! packages of evidence (decision 0071).
//!
//! Only what these need: one X25519 recipient, or a passphrase that was drawn; the payload in segments of 64 KiB, each sealed by ChaCha20-Poly1305. Whoever
//! holds the identity opens the file with any age program, without Vigie. Chance comes in as arguments.

mod bech32;
mod passphrase;

pub use passphrase::Passphrase;

use aws_lc_rs::{
    aead, agreement,
    hkdf::{HKDF_SHA256, KeyType, Salt},
    hmac,
};
use domain::Secret32;
use std::fmt;
use zeroize::Zeroizing;

/// Plaintext of a segment; the last one may be shorter.
pub const SEGMENT_BYTES: usize = 64 * 1024;
const TAG_BYTES: usize = 16;
pub const SEALED_SEGMENT_BYTES: usize = SEGMENT_BYTES + TAG_BYTES;
const FILE_KEY_BYTES: usize = 16;
const NONCE_BYTES: usize = 16;
/// A header of ours has 4 lines; other recipients may stand beside, grease too.
const HEADER_BYTES_MAX: usize = 16 * 1024;

const FIRST_LINE: &str = "age-encryption.org/v1";
const STANZA: &str = "-> X25519 ";
const LAST_LINE: &str = "---";
const RECIPIENT: &str = "age";
const IDENTITY: &str = "AGE-SECRET-KEY-";

/// Why a file of this format is not made or not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AgeError {
    #[error("this is no recipient of age: it begins with `age1` and has 62 letters and digits")]
    Recipient,
    #[error("this is no identity of age: it begins with `AGE-SECRET-KEY-1` and has 74 letters and digits")]
    Key,
    #[error("this is no file of age")]
    NotAge,
    #[error("the file is sealed for another recipient than this identity's, or by another passphrase")]
    OtherRecipient,
    #[error("the file is damaged, or somebody changed it")]
    Damaged,
}

/// For whom a file is sealed: a public key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Recipient([u8; 32]);

/// What opens it: kept outside of Vigie.
pub struct OpeningKey(Secret32);

impl Recipient {
    pub fn parse(text: &str) -> Result<Recipient, AgeError> {
        bech32::decode(RECIPIENT, text.trim()).map(Recipient).ok_or(AgeError::Recipient)
    }
}

impl fmt::Display for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&bech32::encode(RECIPIENT, &self.0))
    }
}

impl OpeningKey {
    /// Of 32 random bytes.
    pub fn of(secret: Secret32) -> OpeningKey {
        OpeningKey(secret)
    }

    /// The first line that is no comment, as `age-keygen` writes its files.
    pub fn parse(text: &str) -> Result<OpeningKey, AgeError> {
        let line = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
        let secret = bech32::decode(&IDENTITY.to_lowercase(), &Zeroizing::new(line.unwrap_or("").to_lowercase()));
        secret.map(|secret| OpeningKey(Secret32::new(secret))).ok_or(AgeError::Key)
    }

    /// As it stands in a file.
    pub fn text(&self) -> Zeroizing<String> {
        Zeroizing::new(bech32::encode(&IDENTITY.to_lowercase(), self.0.expose()).to_uppercase())
    }

    pub fn recipient(&self) -> Result<Recipient, AgeError> {
        public(&self.private()?).map(Recipient)
    }

    fn private(&self) -> Result<agreement::PrivateKey, AgeError> {
        agreement::PrivateKey::from_private_key(&agreement::X25519, self.0.expose()).map_err(|_| AgeError::Key)
    }
}

/// What chance gives a file.
pub struct Draws {
    pub file_key: Zeroizing<[u8; FILE_KEY_BYTES]>,
    pub ephemeral: Secret32,
    pub nonce: [u8; NONCE_BYTES],
}

/// Seals segment after segment.
pub struct Sealer(Segments);

impl Sealer {
    /// The header's bytes come back, which stand first in the file.
    pub fn begin(recipient: Recipient, draws: &Draws) -> Result<(Sealer, Vec<u8>), AgeError> {
        let ephemeral = OpeningKey(Secret32::new(*draws.ephemeral.expose())).private()?;
        let share = public(&ephemeral)?;
        let wrap = wrap_key(&ephemeral, &recipient.0, &share, &recipient.0)?;
        Ok(Sealer::under(&format!("{STANZA}{}", base64(&share)), &wrap, draws))
    }

    /// For whoever is told the passphrase.
    pub fn begin_by_passphrase(passphrase: &Passphrase, draws: &Draws) -> (Sealer, Vec<u8>) {
        // the salt is public and as long as the first half of a share, which is not needed here
        let mut salt = [0; passphrase::SALT_BYTES];
        salt.copy_from_slice(&draws.ephemeral.expose()[..passphrase::SALT_BYTES]);
        let stanza = format!("{}{} {}", passphrase::STANZA, base64(&salt), passphrase::LOG_N);
        Sealer::under(&stanza, &passphrase.wrap_key(&salt), draws)
    }

    fn under(stanza: &str, wrap: &[u8; 32], draws: &Draws) -> (Sealer, Vec<u8>) {
        let mut wrapped = draws.file_key.to_vec();
        seal(wrap, [0; 12], &mut wrapped);
        let mut header = format!("{FIRST_LINE}\n{stanza}\n{}\n{LAST_LINE}", base64(&wrapped));
        let code = base64(header_code(&draws.file_key, header.as_bytes()).as_ref());
        header.push_str(&format!(" {code}\n"));
        let mut bytes = header.into_bytes();
        bytes.extend_from_slice(&draws.nonce);
        (Sealer(Segments::new(&draws.file_key, &draws.nonce)), bytes)
    }

    /// Seals a whole segment of [`SEGMENT_BYTES`], or the last one of any length up to that.
    pub fn segment(&mut self, mut plain: Vec<u8>, is_last: bool) -> Vec<u8> {
        let nonce = self.0.turn(is_last);
        seal(&self.0.key, nonce, &mut plain);
        plain
    }
}

/// Opens segment after segment.
pub struct Opener(Segments);

impl Opener {
    /// From the file's first bytes; how many of them are the header comes back.
    pub fn begin(identity: &OpeningKey, bytes: &[u8]) -> Result<(Opener, usize), AgeError> {
        let (header, after) = header_of(bytes)?;
        let (own, private) = (identity.recipient()?, identity.private()?);
        let opened = header.stanzas.iter().find_map(|(share, wrapped)| {
            let wrap = wrap_key(&private, share, share, &own.0).ok()?;
            open(&wrap, [0; 12], wrapped)
        });
        Opener::by(&header, opened, bytes, after)
    }

    /// The same by a passphrase, however it was typed.
    pub fn begin_by_passphrase(text: &str, bytes: &[u8]) -> Result<(Opener, usize), AgeError> {
        let (header, after) = header_of(bytes)?;
        let stanza = header.by_passphrase.as_ref().ok_or(AgeError::OtherRecipient)?;
        let tries = [text.trim().to_owned(), passphrase::written(text).to_string()].map(Zeroizing::new);
        let opened = tries.iter().find_map(|text| {
            let wrap = derived_by_scrypt(text.as_bytes(), &stanza.salt, stanza.log_n);
            open(&wrap, [0; 12], &stanza.wrapped)
        });
        Opener::by(&header, opened, bytes, after)
    }

    fn by(
        header: &Header<'_>,
        opened: Option<Vec<u8>>,
        bytes: &[u8],
        after: usize,
    ) -> Result<(Opener, usize), AgeError> {
        let opened = Zeroizing::new(opened.ok_or(AgeError::OtherRecipient)?);
        let file_key: [u8; FILE_KEY_BYTES] = opened.as_slice().try_into().map_err(|_| AgeError::Damaged)?;
        let file_key = Zeroizing::new(file_key);
        hmac::verify(&header_key(&file_key), header.covered, &header.code).map_err(|_| AgeError::Damaged)?;
        let nonce = bytes.get(after..after + NONCE_BYTES).and_then(|nonce| nonce.try_into().ok());
        let nonce: [u8; NONCE_BYTES] = nonce.ok_or(AgeError::Damaged)?;
        Ok((Opener(Segments::new(&file_key, &nonce)), after + NONCE_BYTES))
    }

    /// A segment anywhere in the file, by its number from 0.
    pub fn segment_at(&mut self, number: u64, sealed: &[u8], is_last: bool) -> Result<Zeroizing<Vec<u8>>, AgeError> {
        self.0.number = number;
        self.segment(sealed, is_last)
    }

    /// A segment of [`SEALED_SEGMENT_BYTES`], or the file's last one.
    pub fn segment(&mut self, sealed: &[u8], is_last: bool) -> Result<Zeroizing<Vec<u8>>, AgeError> {
        let nonce = self.0.turn(is_last);
        open(&self.0.key, nonce, sealed).map(Zeroizing::new).ok_or(AgeError::Damaged)
    }
}

/// The key of the payload, and the number of the next segment.
struct Segments {
    key: Zeroizing<[u8; 32]>,
    number: u64,
}

impl Segments {
    fn new(file_key: &[u8; FILE_KEY_BYTES], nonce: &[u8; NONCE_BYTES]) -> Segments {
        Segments { key: derived(nonce, file_key, b"payload"), number: 0 }
    }

    /// Eleven bytes of number, one that says whether the file ends here.
    fn turn(&mut self, is_last: bool) -> [u8; 12] {
        let mut nonce = [0; 12];
        nonce[3..11].copy_from_slice(&self.number.to_be_bytes());
        nonce[11] = u8::from(is_last);
        self.number += 1;
        nonce
    }
}

struct Header<'a> {
    /// What the code is over.
    covered: &'a [u8],
    code: Vec<u8>,
    /// Share and wrapped key of each X25519 recipient.
    stanzas: Vec<([u8; 32], Vec<u8>)>,
    by_passphrase: Option<ByPassphrase>,
}

struct ByPassphrase {
    salt: [u8; passphrase::SALT_BYTES],
    log_n: u8,
    wrapped: Vec<u8>,
}

/// The header, and where it ends.
fn header_of(bytes: &[u8]) -> Result<(Header<'_>, usize), AgeError> {
    let bytes = &bytes[..bytes.len().min(HEADER_BYTES_MAX)];
    if !bytes.starts_with(FIRST_LINE.as_bytes()) {
        return Err(AgeError::NotAge);
    }
    let (mut stanzas, mut at, mut share) = (Vec::new(), 0, None);
    let (mut by_passphrase, mut salted) = (None, None);
    while let Some(length) = bytes[at..].iter().position(|byte| *byte == b'\n') {
        let line = std::str::from_utf8(&bytes[at..at + length]).map_err(|_| AgeError::NotAge)?;
        let after = at + length + 1;
        if let Some(code) = line.strip_prefix("--- ") {
            let code = unbase64(code).ok_or(AgeError::Damaged)?;
            return Ok((Header { covered: &bytes[..at + LAST_LINE.len()], code, stanzas, by_passphrase }, after));
        }
        if let Some(text) = line.strip_prefix(STANZA) {
            share = unbase64(text).and_then(|share| <[u8; 32]>::try_from(share).ok());
        } else if let Some(text) = line.strip_prefix(passphrase::STANZA) {
            salted = passphrase::read(text);
        } else if let (Some((salt, log_n)), Some(wrapped)) = (salted.take(), unbase64(line)) {
            by_passphrase = Some(ByPassphrase { salt, log_n, wrapped });
        } else if let (Some(share), Some(wrapped)) = (share.take(), unbase64(line)) {
            stanzas.push((share, wrapped));
        }
        at = after;
    }
    Err(AgeError::Damaged)
}

fn public(private: &agreement::PrivateKey) -> Result<[u8; 32], AgeError> {
    let public = private.compute_public_key().map_err(|_| AgeError::Key)?;
    public.as_ref().try_into().map_err(|_| AgeError::Key)
}

/// The key that wraps the file's key, between an own private key and the other's public one.
fn wrap_key(
    own: &agreement::PrivateKey,
    other: &[u8; 32],
    share: &[u8; 32],
    recipient: &[u8; 32],
) -> Result<Zeroizing<[u8; 32]>, AgeError> {
    let salt = [&share[..], recipient].concat();
    let other = agreement::UnparsedPublicKey::new(&agreement::X25519, other);
    let derive = |shared: &[u8]| Ok(derived(&salt, shared, b"age-encryption.org/v1/X25519"));
    agreement::agree(own, other, AgeError::Recipient, derive) // refuses a share of low order
}

fn derived(salt: &[u8], secret: &[u8], info: &[u8]) -> Zeroizing<[u8; 32]> {
    struct Length32;
    impl KeyType for Length32 {
        fn len(&self) -> usize {
            32
        }
    }
    let mut key = Zeroizing::new([0; 32]);
    let extracted = Salt::new(HKDF_SHA256, salt).extract(secret);
    let expanded = extracted.expand(&[info], Length32).and_then(|okm| okm.fill(&mut key[..]));
    expanded.expect("32 bytes are one block of HKDF-SHA-256, the limit is 255");
    key
}

/// As the format derives it: r = 8, p = 1.
fn derived_by_scrypt(passphrase: &[u8], salt: &[u8], log_n: u8) -> Zeroizing<[u8; 32]> {
    let salt = [b"age-encryption.org/v1/scrypt", salt].concat();
    let params = scrypt::Params::new(log_n, 8, 1).expect("1 to 20 is below every bound of RFC 7914");
    let mut key = Zeroizing::new([0; 32]);
    scrypt::scrypt(passphrase, &salt, &params, &mut key[..]).expect("32 bytes are no length that scrypt refuses");
    key
}

fn header_key(file_key: &[u8; FILE_KEY_BYTES]) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, &derived(&[], file_key, b"header")[..])
}

fn header_code(file_key: &[u8; FILE_KEY_BYTES], header: &[u8]) -> hmac::Tag {
    hmac::sign(&header_key(file_key), header)
}

fn chacha(key: &[u8; 32]) -> aead::LessSafeKey {
    let key = aead::UnboundKey::new(&aead::CHACHA20_POLY1305, key).expect("ChaCha20 takes a key of 32 bytes");
    aead::LessSafeKey::new(key)
}

fn seal(key: &[u8; 32], nonce: [u8; 12], bytes: &mut Vec<u8>) {
    let nonce = aead::Nonce::assume_unique_for_key(nonce);
    chacha(key).seal_in_place_append_tag(nonce, aead::Aad::empty(), bytes).expect("a segment is far below the limit");
}

fn open(key: &[u8; 32], nonce: [u8; 12], sealed: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = sealed.to_vec();
    let opened = chacha(key).open_in_place(aead::Nonce::assume_unique_for_key(nonce), aead::Aad::empty(), &mut bytes);
    let plain_bytes = opened.ok()?.len();
    bytes.truncate(plain_bytes);
    Some(bytes)
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Without padding (RFC 4648, 4), as the format asks.
fn base64(bytes: &[u8]) -> String {
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let number = three.iter().fold(0u32, |number, byte| number << 8 | u32::from(*byte)) << (8 * (3 - three.len()));
        for nth in 0..=three.len() {
            text.push(char::from(BASE64[(number >> (18 - 6 * nth) & 63) as usize]));
        }
    }
    text
}

/// Canonical only: bits that no byte has are 0.
fn unbase64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    for four in text.as_bytes().chunks(4) {
        let mut number = 0u32;
        for letter in four {
            number = number << 6 | BASE64.iter().position(|known| known == letter)? as u32;
        }
        number <<= 6 * (4 - four.len());
        bytes.extend_from_slice(&number.to_be_bytes()[1..][..(four.len() * 6 / 8)]);
    }
    (base64(&bytes) == text).then_some(bytes)
}

#[cfg(test)]
mod tests;
