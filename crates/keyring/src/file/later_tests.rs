//! Slots, records and markers that a later program wrote: refused by name, never written over, and no older one wins beside them.

use super::{
    slot::Slot,
    tests::{PASSPHRASE, create, open, paths},
};
use crate::{
    Away, CopyState, FileKeyring, Keyring, KeyringError,
    conformance::{camera, deadline, hour},
};
use disk::{Disk, FaultyDisk, read_all, write_all};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

const BYTES_MAX: usize = 1 << 20;

fn with_an_hour() -> FaultyDisk {
    let disk = FaultyDisk::new(7);
    let keyring = create(&disk).unwrap();
    keyring.add(hour(0), &[(camera(1), deadline(30))]).unwrap();
    disk
}

fn read(disk: &FaultyDisk, path: &Path) -> Vec<u8> {
    read_all(disk, path, BYTES_MAX).unwrap()
}

/// The slot with the highest generation of a copy.
fn newest(disk: &FaultyDisk, copy: &Path) -> PathBuf {
    let slots = ["root.0", "root.1"].map(|name| copy.join(name));
    slots.into_iter().max_by_key(|path| Slot::parse(&read(disk, path)).unwrap().generation).unwrap()
}

/// Its number is another one; its digest holds only where `made_right`.
fn raise(disk: &FaultyDisk, path: &Path, made_right: bool) {
    let mut bytes = read(disk, path);
    bytes[8] += 2;
    let end = 96 + u64::from_le_bytes(bytes[64..72].try_into().unwrap()) as usize;
    if made_right {
        let digest = *blake3::hash(&bytes[..end]).as_bytes();
        bytes[end..end + 32].copy_from_slice(&digest);
    }
    write_all(disk, path, &bytes).unwrap();
}

/// Opening, and asking before, refuse; not a byte of either copy changes.
#[track_caller]
fn assert_refused(disk: &FaultyDisk, version: u16, is_asked_before: bool) {
    let before = paths().map(|path| disk.image(&path));
    let refused = open(disk).err().expect("refused");
    assert!(matches!(refused, KeyringError::LaterVersion { found, .. } if found == version), "{refused}");
    assert!(refused.to_string().contains("install the later program again"), "{refused}");
    let shared: Arc<dyn Disk> = Arc::new(disk.clone());
    assert_eq!(FileKeyring::check_versions(&shared, paths()).is_err(), is_asked_before);
    assert!(paths().map(|path| disk.image(&path)) == before, "not a byte changed");
}

#[test]
fn a_slot_of_a_later_version_is_refused_and_an_older_one_beside_it_does_not_win() {
    for copy in paths() {
        let disk = with_an_hour();
        let slot = newest(&disk, &copy);
        raise(&disk, &slot, true);
        assert_refused(&disk, 3, true);
    }
}

#[test]
fn a_flipped_bit_in_a_slot_s_number_is_damage_and_the_other_copy_serves() {
    let disk = with_an_hour();
    let slot = newest(&disk, &paths()[0]);
    raise(&disk, &slot, false);
    let keyring = open(&disk).unwrap();
    assert!(keyring.confirmed() && keyring.page(hour(0)).unwrap().is_some());
}

#[test]
fn a_root_record_of_a_later_format_is_refused_and_an_older_one_does_not_win() {
    let disk = with_an_hour();
    for copy in paths() {
        let slot = newest(&disk, &copy);
        let bytes = read(&disk, &slot);
        let key = Slot::parse(&bytes).unwrap().kdf.derive(PASSPHRASE).unwrap();
        write_all(&disk, &slot, &Slot::with_record_format(&bytes, &key, 3).unwrap()).unwrap();
    }
    // the record is sealed: only the passphrase tells
    assert_refused(&disk, 3, false);
}

#[test]
fn a_marker_of_a_later_version_is_refused() {
    let disk = with_an_hour();
    let marker = paths()[1].join("marker");
    let text = String::from_utf8(read(&disk, &marker)).unwrap().replace("\"version\":1", "\"version\":2");
    write_all(&disk, &marker, text.as_bytes()).unwrap();
    assert_refused(&disk, 2, true);
}

#[test]
fn a_copy_of_a_later_version_that_returns_stays_away_and_is_not_written() {
    let disk = with_an_hour();
    let [_, second] = paths();
    disk.unplug(&second);
    let keyring = open(&disk).unwrap();
    disk.plug(&second);
    let slot = newest(&disk, &second);
    raise(&disk, &slot, true);
    let before = disk.image(&second);
    let away = CopyState::Away(Away::LaterVersion { version: 3 });
    assert_eq!(keyring.rejoin().unwrap().copies[1].state, away);
    assert!(disk.image(&second) == before);
    assert!(keyring.page(hour(0)).unwrap().is_some(), "the other copy goes on");
}
