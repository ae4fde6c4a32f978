//! The union of all bytes ever written by store, ledger and catalog: it stands for every backup there may be.

use crate::{support::*, town::Given};
use seal::{CameraHourKey, KeyRecord, key::KeyContext, reel::ReelHeader};
use std::{collections::HashSet, path::Path};

const BLOCK: usize = 4_096;

/// What was written so far, looked at once, and the secrets that must not be in it.
#[derive(Default)]
pub struct Union {
    writes_seen: usize,
    pages_seen: HashSet<[u8; 32]>,
    /// The first half of each key that ever was.
    secrets: HashSet<u128>,
    /// Which first three bytes a secret may have, a bit each: most windows need no more than a look here.
    beginnings: Vec<u64>,
    pub bytes: u64,
}

impl Union {
    /// Keys of the camera's hour and of its stream: the test keeps them, nothing else may.
    pub fn know(&mut self, given: &Given, site_key: &[u8; 32]) {
        let header = ReelHeader::from_payload(given.part.reel, &given.part.header, site_key).unwrap();
        let (run, deadline) = (header.certificate.run, header.deadline);
        let context = KeyContext { site: SITE, stream: given.stream, hour: given.hour, run, deadline };
        let record = KeyRecord::from_bytes(&given.part.key_record).unwrap();
        let data_key = given.old_key.unwrap(&record.wrapped, &context).unwrap();
        self.beginnings.resize(1 << 18, 0);
        for secret in [given.old_key.0.expose(), data_key.0.expose()] {
            self.secrets.insert(half(secret));
            let (word, bit) = beginning(secret);
            self.beginnings[word] |= bit;
        }
    }

    /// Looks at what was written since the last look: no key of any hour is in it.
    pub fn check(&mut self, disk: &disk::FaultyDisk, catalog: &Path) {
        let written = disk.all_bytes_ever_written();
        for (path, bytes) in &written[self.writes_seen..] {
            if !path.components().any(|part| part.as_os_str() == "keyring") {
                self.look(bytes);
            }
        }
        self.writes_seen = written.len();
        for suffix in ["", "-wal"] {
            let mut file = catalog.as_os_str().to_owned();
            file.push(suffix);
            for page in std::fs::read(file).unwrap_or_default().chunks(BLOCK) {
                if self.pages_seen.insert(*blake3::hash(page).as_bytes()) {
                    self.look(page);
                }
            }
        }
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
        for at in 0..piece.len().saturating_sub(15) {
            let (word, bit) = beginning(&piece[at..]);
            if self.beginnings[word] & bit != 0 && self.secrets.contains(&half(&piece[at..])) {
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
pub fn assert_dead(given: &Given, present: &[CameraHourKey], site_key: &[u8; 32]) {
    assert!(!present.iter().any(|key| given.opens_with(key, site_key)), "{:?} of {}", given.stream, given.hour);
    assert!(given.opens_with(&given.old_key, site_key), "the control: only the key is missing");
}
