//! Verifier keys as C2SP signed-note writes them: `name+<hash, 8 hex digits>+<base64(algorithm ‖ key)>`.

use base64::{Engine, prelude::BASE64_STANDARD};
use signed_note::{is_key_name_valid, key_id};

/// Algorithm byte of a log's Ed25519 signature.
pub(crate) const ED25519: u8 = 1;
/// Algorithm byte of an Ed25519 cosignature (C2SP tlog-cosignature).
pub(crate) const COSIGNATURE: u8 = 4;

pub(crate) fn hash(name: &str, algorithm: u8, key: &[u8; 32]) -> u32 {
    key_id(name, &[&[algorithm], key.as_slice()].concat())
}

pub(crate) fn write(name: &str, algorithm: u8, key: &[u8; 32]) -> String {
    let content = BASE64_STANDARD.encode([&[algorithm], key.as_slice()].concat());
    format!("{name}+{:08x}+{content}", hash(name, algorithm, key))
}

/// Name and key; `None` for any other text than [`write`] makes.
pub(crate) fn read(text: &str, algorithm: u8) -> Option<(String, [u8; 32])> {
    let (name, rest) = text.split_once('+')?;
    let (_, content) = rest.split_once('+')?;
    let content = BASE64_STANDARD.decode(content).ok()?;
    let key: [u8; 32] = content.strip_prefix(&[algorithm])?.try_into().ok()?;
    (is_key_name_valid(name) && write(name, algorithm, &key) == text).then(|| (name.to_owned(), key))
}

/// A text of somebody, short enough for a message.
pub(crate) fn shown(text: &str) -> String {
    text.chars().take(120).collect()
}
