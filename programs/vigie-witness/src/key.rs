//! The witness's key on disk: one line `PRIVATE+KEY+<name>+<hash>+<base64(4 ‖ seed)>`, readable by its owner only.

use crate::book::BookError;
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use base64::{Engine, prelude::BASE64_STANDARD};
use disk::Disk;
use domain::Secret32;
use ledger::WitnessSigner;
use std::path::Path;
use zeroize::Zeroizing;

const PREFIX: &str = "PRIVATE+KEY+";
const ALGORITHM: u8 = 4;
const BYTES_MAX: usize = 4_096;

/// Makes a new key; a file that exists is never overwritten.
pub fn create(disk: &dyn Disk, path: &Path, name: &str) -> Result<WitnessSigner, BookError> {
    let mut seed = Zeroizing::new([0; 32]);
    SystemRandom::new().fill(&mut *seed).expect("without randomness no key may be made: the program must end here");
    let signer = WitnessSigner::new(name, &Secret32::new(*seed))?;
    let hash = hash_of(&signer);
    let content = Zeroizing::new([&[ALGORITHM], seed.as_slice()].concat());
    let line = Zeroizing::new(format!("{PREFIX}{name}+{hash}+{}\n", BASE64_STANDARD.encode(&*content)));
    disk::write_all(disk, path, line.as_bytes())?;
    Ok(signer)
}

pub fn read(disk: &dyn Disk, path: &Path) -> Result<WitnessSigner, BookError> {
    let wrong = || BookError::Key { path: path.to_owned() };
    let bytes = Zeroizing::new(disk::read_all(disk, path, BYTES_MAX)?);
    let line = std::str::from_utf8(&bytes).map_err(|_| wrong())?.trim_end();
    let (name, rest) = line.strip_prefix(PREFIX).and_then(|rest| rest.split_once('+')).ok_or_else(wrong)?;
    let (hash, content) = rest.split_once('+').ok_or_else(wrong)?;
    let content = Zeroizing::new(BASE64_STANDARD.decode(content).map_err(|_| wrong())?);
    let seed: [u8; 32] = content.strip_prefix(&[ALGORITHM]).and_then(|seed| seed.try_into().ok()).ok_or_else(wrong)?;
    let signer = WitnessSigner::new(name, &Secret32::new(seed))?;
    if hash_of(&signer) == hash { Ok(signer) } else { Err(wrong()) }
}

/// The middle word of its verifier key.
fn hash_of(signer: &WitnessSigner) -> String {
    signer.public().verifier_key().split('+').nth(1).unwrap_or_default().to_owned()
}
