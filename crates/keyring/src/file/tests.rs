//! Situations of two folders: copies away, restored, damaged, of others; wrong passphrase; unfinished creation.

use super::{page_file, root::Root, sealing::Kdf, slot::Slot};
use crate::{
    Away, CopyState, FileKeyring, KdfCost, Keyring, KeyringError, Result, Which,
    conformance::{SITE, camera, cameras, deadline, hour},
    seeded::Seeded,
};
use disk::{Disk, FaultyDisk, Open, read_all};
use domain::{Hour, Secret32, SiteId};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

pub const PASSPHRASE: &str = "correct horse battery staple";

pub fn paths() -> [PathBuf; 2] {
    ["/first/keys", "/second/keys"].map(PathBuf::from)
}

pub fn create(disk: &FaultyDisk) -> Result<FileKeyring> {
    FileKeyring::create(Arc::new(disk.clone()), paths(), SITE, PASSPHRASE, KdfCost::LEAST, Arc::new(Seeded::new(1)))
}

pub fn open_as(disk: &FaultyDisk, site: SiteId, passphrase: &str) -> Result<FileKeyring> {
    // a seed of its own at each opening: real randomness does not repeat after a restart
    let random = Arc::new(Seeded::new(1_000 + disk.steps()));
    FileKeyring::open(Arc::new(disk.clone()), paths(), site, passphrase, random)
}

pub fn open(disk: &FaultyDisk) -> Result<FileKeyring> {
    open_as(disk, SITE, PASSPHRASE)
}

/// Every root record that the passphrase opens in the slots as they are on the disk now.
pub fn readable_roots(disk: &FaultyDisk) -> Vec<(PathBuf, Root)> {
    let files = paths().map(|path| disk.image(&path));
    let slots =
        files.iter().flat_map(|image| image.files()).filter(|(path, _)| path.to_string_lossy().contains("root."));
    let parsed = slots.filter_map(|(path, bytes)| Some((path.clone(), Slot::parse(bytes)?)));
    parsed.filter_map(|(path, slot)| Some((path, slot.open(&slot.kdf.derive(PASSPHRASE).ok()?)?))).collect()
}

/// The page keys of an hour that any root on the disk lists.
pub fn page_keys(disk: &FaultyDisk, hour: Hour) -> Vec<Secret32> {
    readable_roots(disk).iter().filter_map(|(_, root)| root.table.get(&hour).map(|entry| entry.key.clone())).collect()
}

fn with_two_hours() -> (FaultyDisk, FileKeyring) {
    let disk = FaultyDisk::new(5);
    let keyring = create(&disk).unwrap();
    for n in 0..2 {
        keyring.add(hour(n), &[1, 2].map(|n| (camera(n), deadline(30)))).unwrap();
    }
    (disk, keyring)
}

fn overwrite(disk: &FaultyDisk, path: &Path, offset: u64, bytes: &[u8]) {
    let file = disk.open(path, Open::Write).unwrap();
    file.write_at(bytes, offset).unwrap();
    file.sync().unwrap();
}

fn states(keyring: &FileKeyring) -> Vec<CopyState> {
    keyring.custodian().copies.into_iter().map(|copy| copy.state).collect()
}

#[test]
fn an_old_copy_that_is_restored_beside_the_current_one_brings_nothing_back() {
    for old in paths() {
        let (disk, keyring) = with_two_hours();
        let image = disk.image(&old);
        assert!(keyring.destroy(hour(0), &Which::All).unwrap().confirmed());
        assert!(keyring.destroy(hour(1), &cameras(&[1])).unwrap().confirmed());
        drop(keyring);
        disk.restore(&image);
        assert_eq!(page_keys(&disk, hour(0)).len(), 1 + 1, "the restored slots do list the dead page");
        let keyring = open(&disk).unwrap();
        assert!(keyring.confirmed());
        assert_eq!(keyring.page(hour(0)).unwrap(), None);
        assert!(!keyring.page(hour(1)).unwrap().unwrap().cameras.contains_key(&camera(1)));
        assert_eq!(page_keys(&disk, hour(0)), [], "and after opening none does");
        assert_eq!(page_files(&disk, hour(0)), 0);
    }
}

fn page_files(disk: &FaultyDisk, hour: Hour) -> usize {
    let prefix = page_file::name(hour, 0);
    let prefix = prefix.trim_end_matches('0').to_owned();
    let images = paths().map(|path| disk.image(&path));
    let files = images.iter().flat_map(|image| image.files());
    files.filter(|(path, _)| path.file_name().unwrap().to_string_lossy().starts_with(&prefix)).count()
}

#[test]
fn a_copy_away_leaves_a_destruction_unconfirmed_until_it_returns_and_is_overwritten() {
    for away in paths() {
        let (disk, keyring) = with_two_hours();
        disk.unplug(&away);
        let destroyed = keyring.destroy(hour(0), &Which::All).unwrap();
        assert!(!destroyed.confirmed());
        assert_eq!(destroyed.custodian.copies_present(), 1);
        keyring.add(hour(5), &[(camera(1), deadline(30))]).unwrap();
        assert!(!keyring.rejoin().unwrap().confirmed(), "it is still away");
        disk.plug(&away);
        assert!(!page_keys(&disk, hour(0)).is_empty(), "the copy away still opens the dead page");
        assert!(keyring.rejoin().unwrap().confirmed());
        assert_eq!(page_keys(&disk, hour(0)), []);
        assert_eq!(page_files(&disk, hour(0)), 0);
        assert_eq!(page_files(&disk, hour(5)), 2, "it caught up");
        let again = keyring.destroy(hour(0), &Which::All).unwrap();
        assert!(again.confirmed() && again.keys == 0 && again.generation == destroyed.generation);
    }
}

#[test]
fn a_copy_that_was_away_over_a_restart_is_rolled_forward_at_its_return() {
    let (disk, keyring) = with_two_hours();
    let [first, second] = paths();
    disk.unplug(&second);
    let destroyed = keyring.destroy(hour(0), &Which::All).unwrap();
    assert!(!destroyed.confirmed());
    drop(keyring);
    let keyring = open(&disk).unwrap();
    assert_eq!(states(&keyring), [CopyState::Present, CopyState::Away(Away::FolderMissing)]);
    keyring.add(hour(7), &[(camera(1), deadline(30))]).unwrap();
    drop(keyring);
    disk.plug(&second);
    let keyring = open(&disk).unwrap();
    assert!(keyring.confirmed() && keyring.page(hour(0)).unwrap().is_none());
    assert_eq!(page_keys(&disk, hour(0)), []);
    let kept = keyring.page(hour(7)).unwrap();
    drop(keyring);
    disk.unplug(&first);
    let keyring = open(&disk).unwrap();
    assert_eq!(keyring.page(hour(7)).unwrap(), kept, "the second copy alone has everything");
}

#[test]
fn a_mount_point_without_its_device_is_not_written_to() {
    let (disk, keyring) = with_two_hours();
    let [_, second] = paths();
    let full = disk.image(&second);
    for (path, _) in full.files() {
        disk.remove(path).unwrap();
    }
    keyring.add(hour(3), &[(camera(1), deadline(30))]).unwrap();
    assert!(matches!(&states(&keyring)[1], CopyState::Away(Away::Failed { .. })));
    assert_eq!(keyring.rejoin().unwrap().copies[1].state, CopyState::Away(Away::MarkerMissing));
    drop(keyring);
    assert_eq!(states(&open(&disk).unwrap())[1], CopyState::Away(Away::MarkerMissing));
    assert_eq!(disk.image(&second).files().iter().filter(|(path, _)| path.ends_with("root.0")).count(), 0);
}

#[test]
fn a_copy_written_off_does_not_count_and_an_empty_folder_replaces_it() {
    let (disk, keyring) = with_two_hours();
    let [_, second] = paths();
    assert!(matches!(keyring.write_off(1), Err(KeyringError::CopyState { copy: 1, .. })), "it is present");
    assert!(matches!(keyring.write_off(2), Err(KeyringError::CopyUnknown { copy: 2 })));
    for (path, _) in disk.image(&second).files() {
        disk.remove(path).unwrap();
    }
    assert!(!keyring.destroy(hour(0), &Which::All).unwrap().confirmed());
    assert!(matches!(keyring.replace(1), Err(KeyringError::CopyState { copy: 1, .. })), "it is not written off");
    assert!(keyring.write_off(1).unwrap().confirmed());
    drop(keyring);
    let keyring = open(&disk).unwrap();
    assert_eq!(states(&keyring), [CopyState::Present, CopyState::WrittenOff]);
    assert_eq!(keyring.replace(1).unwrap().copies_present(), 2);
    drop(keyring);
    disk.unplug(&paths()[0]);
    let keyring = open(&disk).unwrap();
    assert!(keyring.page(hour(1)).unwrap().is_some() && keyring.page(hour(0)).unwrap().is_none());
}

#[test]
fn a_folder_that_cannot_be_written_replaces_no_copy_and_the_one_written_off_stays_so() {
    let (disk, keyring) = with_two_hours();
    let [_, second] = paths();
    disk.unplug(&second);
    assert!(!keyring.destroy(hour(0), &Which::All).unwrap().confirmed());
    assert!(keyring.write_off(1).unwrap().confirmed());
    assert!(matches!(keyring.replace(1), Err(KeyringError::CopyFailed { .. })), "nothing took what was written");
    assert_eq!(states(&keyring), [CopyState::Present, CopyState::WrittenOff]);
    assert!(keyring.destroy(hour(1), &Which::All).unwrap().confirmed());
    drop(keyring);
    let keyring = open(&disk).unwrap();
    assert_eq!(states(&keyring), [CopyState::Present, CopyState::WrittenOff]);
    disk.plug(&second);
    assert_eq!(keyring.replace(1).unwrap().copies_present(), 2);
}

#[test]
fn a_copy_written_off_that_returns_is_overwritten_and_counts_again() {
    let (disk, keyring) = with_two_hours();
    let [_, second] = paths();
    disk.unplug(&second);
    assert!(!keyring.destroy(hour(0), &Which::All).unwrap().confirmed());
    assert!(keyring.write_off(1).unwrap().confirmed());
    disk.plug(&second);
    assert_eq!(keyring.rejoin().unwrap().copies_present(), 2);
    assert_eq!(page_keys(&disk, hour(0)), []);
    drop(keyring);
    assert_eq!(states(&open(&disk).unwrap()), [CopyState::Present, CopyState::Present]);
}

#[test]
fn each_situation_at_opening_has_its_message() {
    let (disk, keyring) = with_two_hours();
    drop(keyring);
    let [first, second] = paths();
    let message = |result: Result<FileKeyring>| result.err().unwrap().to_string();
    assert!(message(open_as(&disk, SITE, "wrong")).starts_with("the passphrase does not open the keyring"));
    let other_site = message(open_as(&disk, SiteId([8; 16]), PASSPHRASE));
    assert!(other_site.contains("its marker names another site"), "{other_site}");
    disk.unplug(&first);
    disk.unplug(&second);
    let nothing = message(open(&disk));
    assert!(nothing.contains("run `vigie init`") && nothing.contains("connect the devices"), "{nothing}");
    disk.plug(&first);
    disk.plug(&second);
    assert!(matches!(create(&disk), Err(KeyringError::AlreadyInitialised { .. })));
    let same = [first.clone(), first.clone()];
    let random = Arc::new(Seeded::new(1));
    let result = FileKeyring::open(Arc::new(disk.clone()), same, SITE, PASSPHRASE, random);
    assert!(message(result).contains("choose two folders"));
    for path in paths() {
        for slot in ["root.0", "root.1"] {
            overwrite(&disk, &path.join(slot), 100, b"damage");
        }
    }
    assert!(matches!(open(&disk), Err(KeyringError::RootDamaged { .. })));
}

#[test]
fn a_device_of_another_keyring_is_not_overwritten() {
    let (disk, keyring) = with_two_hours();
    drop(keyring);
    let other = FaultyDisk::new(9);
    let random = Arc::new(Seeded::new(99));
    FileKeyring::create(Arc::new(other.clone()), paths(), SITE, PASSPHRASE, KdfCost::LEAST, random).unwrap();
    let [_, second] = paths();
    disk.restore(&other.image(&second));
    let before = disk.image(&second);
    let keyring = open(&disk).unwrap();
    assert_eq!(states(&keyring), [CopyState::Present, CopyState::Away(Away::OtherKeyring)]);
    assert!(disk.image(&second) == before);
    assert!(keyring.page(hour(0)).unwrap().is_some());
}

#[test]
fn a_copy_that_turns_out_newer_is_not_overwritten_and_wins_at_the_next_start() {
    let (disk, keyring) = with_two_hours();
    let [first, second] = paths();
    let old = disk.image(&first);
    for n in 8..12 {
        keyring.add(hour(n), &[(camera(1), deadline(30))]).unwrap();
    }
    drop(keyring);
    disk.restore(&old);
    disk.unplug(&second);
    let keyring = open(&disk).unwrap();
    disk.plug(&second);
    let before = disk.image(&second);
    assert_eq!(keyring.rejoin().unwrap().copies[1].state, CopyState::Away(Away::Newer));
    assert!(disk.image(&second) == before);
    drop(keyring);
    let keyring = open(&disk).unwrap();
    assert!(keyring.confirmed() && keyring.page(hour(11)).unwrap().is_some());
}

#[test]
fn a_damaged_slot_or_page_is_read_from_elsewhere_and_repaired() {
    let (disk, keyring) = with_two_hours();
    let before = keyring.page(hour(0)).unwrap();
    drop(keyring);
    let [first, _] = paths();
    let page =
        disk.image(&first).files().iter().find(|(path, _)| path.starts_with(first.join("pages"))).unwrap().0.clone();
    for path in [page.clone(), first.join("root.0"), first.join("root.1"), first.join("marker")] {
        overwrite(&disk, &path, 5, b"damage");
    }
    let page_bytes = read_all(&disk, &page, 1 << 20).unwrap();
    // with its marker damaged and no valid slot left, nothing says that the folder is ours
    let keyring = open(&disk).unwrap();
    assert_eq!(states(&keyring)[0], CopyState::Away(Away::MarkerUnreadable));
    disk.remove(&first.join("marker")).unwrap();
    disk::write_all(&disk, &first.join("marker"), &read_all(&disk, &paths()[1].join("marker"), 4_096).unwrap())
        .unwrap();
    assert!(keyring.rejoin().unwrap().confirmed());
    assert!(read_all(&disk, &page, 1 << 20).unwrap() != page_bytes, "the page was repaired");
    drop(keyring);
    disk.unplug(&paths()[1]);
    let keyring = open(&disk).unwrap();
    assert_eq!(keyring.page(hour(0)).unwrap(), before);
}

#[test]
fn an_hour_whose_page_is_damaged_in_every_copy_says_so_and_can_still_be_destroyed() {
    let (disk, keyring) = with_two_hours();
    drop(keyring);
    for path in paths() {
        for (file, _) in disk.image(&path.join("pages")).files() {
            if file.to_string_lossy().contains(&hour(0).start_seconds().to_string()) {
                overwrite(&disk, file, 100, b"damage");
            }
        }
    }
    let keyring = open(&disk).unwrap();
    assert!(matches!(keyring.page(hour(0)), Err(KeyringError::PageDamaged { .. })));
    assert!(keyring.page(hour(1)).unwrap().is_some());
    assert_eq!(keyring.hours()[0].earliest, deadline(30));
    assert!(keyring.destroy(hour(0), &Which::All).unwrap().confirmed());
    assert_eq!(keyring.hours().len(), 1);
}

#[test]
fn every_page_and_every_root_is_sealed_with_a_pair_of_key_and_nonce_of_its_own() {
    let (disk, keyring) = with_two_hours();
    keyring.shorten(hour(0), camera(1), deadline(3)).unwrap();
    keyring.destroy(hour(0), &cameras(&[2])).map(|answer| assert!(answer.confirmed())).unwrap();
    let mut page_keys = std::collections::BTreeMap::new();
    let mut nonces = std::collections::BTreeMap::new();
    for (_, bytes) in disk.all_bytes_ever_written() {
        let Some(slot) = Slot::parse(&bytes) else { continue };
        let body = bytes[96..].to_vec();
        assert_eq!(*nonces.entry(bytes[72..84].to_vec()).or_insert_with(|| body.clone()), body);
        let root = slot.open(&slot.kdf.derive(PASSPHRASE).unwrap()).unwrap();
        for entry in root.table.values() {
            assert_eq!(*page_keys.entry(*entry.key.expose()).or_insert(entry.digest), entry.digest);
        }
    }
    assert_eq!((page_keys.len(), nonces.len()), (4, 7));
}

#[test]
fn a_root_that_shrinks_leaves_nothing_of_the_longer_one() {
    let (disk, keyring) = with_two_hours();
    for n in 2..60 {
        keyring.add(hour(n), &[(camera(1), deadline(30))]).unwrap();
    }
    let long = read_all(&disk, &paths()[0].join("root.0"), 1 << 20).unwrap().len();
    for n in 0..60 {
        assert!(keyring.destroy(hour(n), &Which::All).unwrap().confirmed());
        keyring.forget_condemned(hour(n)).unwrap();
    }
    for slot in paths().iter().flat_map(|path| ["root.0", "root.1"].map(|slot| path.join(slot))) {
        let bytes = read_all(&disk, &slot, 1 << 20).unwrap();
        assert!(bytes.len() > 4_096 && bytes.len() <= long);
        assert!(bytes[4_096..].iter().all(|byte| *byte == 0), "{}", slot.display());
    }
}

#[test]
fn no_key_is_ever_written_in_clear() {
    let (disk, keyring) = with_two_hours();
    let page = keyring.page(hour(0)).unwrap().unwrap();
    let mut secrets = vec![keyring.site_key(), keyring.config_key(), page.lookup.clone()];
    secrets.extend(page.cameras.values().map(|entry| entry.key.clone()));
    secrets.extend(self::page_keys(&disk, hour(0)));
    let kdf = Kdf {
        cost: KdfCost::LEAST,
        salt: Slot::parse(disk.image(&paths()[0]).files()[3].1.as_slice()).unwrap().kdf.salt,
    };
    secrets.push(kdf.derive(PASSPHRASE).unwrap());
    for (path, bytes) in disk.all_bytes_ever_written() {
        for secret in &secrets {
            let found = bytes.windows(32).any(|window| window == secret.expose());
            assert!(!found, "a key stands in clear in {}", path.display());
        }
    }
}

#[test]
fn a_derivation_too_cheap_or_too_dear_is_refused() {
    for (memory_kib, passes, lanes) in [(7, 1, 1), (64, 0, 1), (64, 1, 0), (64, 1, 16), (2 * 1024 * 1024, 1, 1)] {
        let disk = Arc::new(FaultyDisk::new(1));
        let cost = KdfCost { memory_kib, passes, lanes };
        let result = FileKeyring::create(disk, paths(), SITE, PASSPHRASE, cost, Arc::new(Seeded::new(1)));
        assert!(matches!(result, Err(KeyringError::KdfCost { .. })), "{cost:?}");
    }
}
