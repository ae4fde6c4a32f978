//! The union of all bytes ever written by store, ledger and catalog: it stands for every backup there may be.

use crate::town::Given;
use seal::CameraHourKey;
use std::{collections::HashSet, os::unix::fs::FileExt, path::Path};

const BLOCK: usize = 4_096;

/// What was written so far, looked at once, and the secrets that must not be in it.
#[derive(Default)]
pub struct Union {
    writes_seen: usize,
    pages_seen: HashSet<[u8; 32]>,
    /// Salts of the catalog's log and how far its frames went at the last look.
    log_seen: (Vec<u8>, usize),
    /// The first half of each key that ever was.
    secrets: HashSet<u128>,
    /// Which first three bytes a secret may have, a bit each: most windows need no more than a look here.
    beginnings: Vec<u64>,
    pub bytes: u64,
}

impl Union {
    /// Keys of the camera's hour and of its stream: the test keeps them, nothing else may. No key comes twice: what is dead
    /// is not drawn again, so a look at new bytes with all keys, and at all keys when there are new ones, is a look at all.
    pub fn know(&mut self, given: &Given) {
        let data_key = given.data_key(&given.old_key).unwrap();
        self.beginnings.resize(1 << 18, 0);
        for secret in [given.old_key.0.expose(), data_key.0.expose()] {
            assert!(self.secrets.insert(half(secret)), "a key was drawn twice");
            let (word, bit) = beginning(secret);
            self.beginnings[word] |= bit;
        }
    }

    /// Looks at what was written since the last look: no key of any hour is in it. A key that is drawn later cannot be in
    /// what was looked at before.
    pub fn check(&mut self, disk: &disk::FaultyDisk, catalog: &Path) {
        self.beginnings.resize(1 << 18, 0);
        let written = disk.bytes_written_since(self.writes_seen);
        for (path, bytes) in &written {
            if !path.components().any(|part| part.as_os_str() == "keyring") {
                self.look(bytes);
            }
        }
        self.writes_seen += written.len();
        self.check_catalog(catalog);
    }

    /// The log ahead of the catalog, as far as it grew; where it began anew (its salts say so), all pages of the file
    /// (sqlite.org/fileformat2.html, 4.1 and 4.2).
    fn check_catalog(&mut self, catalog: &Path) {
        let mut log = catalog.as_os_str().to_owned();
        log.push("-wal");
        let mut header = [0; 32];
        let file = std::fs::File::open(log).ok().filter(|log| log.read_exact_at(&mut header, 0).is_ok());
        let salts = header[16..24].to_vec();
        let seen = if file.is_some() && salts == self.log_seen.0 { self.log_seen.1 } else { 0 };
        let mut end = seen.max(32);
        let mut frame = vec![0; 24 + u32::from_be_bytes(header[8..12].try_into().unwrap()) as usize];
        // what lies behind the frames with these salts is of an earlier log, looked at then
        while let Some(file) = &file
            && file.read_exact_at(&mut frame, end as u64).is_ok()
            && frame[8..16] == salts[..]
        {
            self.look(&frame);
            end += frame.len();
        }
        if seen == 0 {
            for page in std::fs::read(catalog).unwrap_or_default().chunks(BLOCK) {
                if self.pages_seen.insert(*blake3::hash(page).as_bytes()) {
                    self.look(page);
                }
            }
        }
        self.log_seen = (salts, end);
    }

    fn look(&mut self, bytes: &[u8]) {
        const ZEROS: [u8; BLOCK] = [0; BLOCK];
        self.bytes += bytes.len() as u64;
        for block in (0..bytes.len()).step_by(BLOCK) {
            let end = (block + BLOCK + 15).min(bytes.len());
            let mut piece = &bytes[block..end];
            // trailing zeros hold no key
            while piece.len() >= 256 && piece[piece.len() - 256..] == ZEROS[..256] {
                piece = &piece[..piece.len() - 256];
            }
            assert!(!self.holds_a_secret(piece), "a key stands in clear on the disk");
        }
    }
}

impl Union {
    fn holds_a_secret(&self, piece: &[u8]) -> bool {
        for window in piece.windows(16) {
            let three = usize::from(window[0]) | usize::from(window[1]) << 8 | usize::from(window[2]) << 16;
            if self.beginnings[three >> 6] >> (three & 63) & 1 != 0 && self.secrets.contains(&half(window)) {
                return true;
            }
        }
        false
    }
}

fn beginning(bytes: &[u8]) -> (usize, u64) {
    let three = usize::from(bytes[0]) | usize::from(bytes[1]) << 8 | usize::from(bytes[2]) << 16;
    (three >> 6, 1 << (three & 63))
}

#[test]
fn a_key_in_clear_would_be_found() {
    let (secret, mut bytes) = ([0xa7; 16], vec![1; 10_000]);
    let mut union = Union { beginnings: vec![0; 1 << 18], ..Union::default() };
    let (word, bit) = beginning(&secret);
    union.beginnings[word] |= bit;
    union.secrets.insert(half(&secret));
    assert!(!union.holds_a_secret(&bytes));
    bytes[5_000..5_016].copy_from_slice(&secret);
    assert!(union.holds_a_secret(&bytes));
}

fn half(bytes: &[u8]) -> u128 {
    u128::from_le_bytes(bytes[..16].try_into().unwrap())
}

/// The keys that exist, all tried at what a backup holds: none opens it; the control, a copy of the old keyring, does.
pub fn assert_dead(given: &Given, present: &[CameraHourKey]) {
    assert!(!present.iter().any(|key| given.opens_with(key)), "{:?} of {}", given.stream, given.hour);
    assert!(given.opens_with(&given.old_key), "the control: only the key is missing");
}
