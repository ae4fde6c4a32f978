//! What the faulty disk does when it fails: each fault, and what a power cut leaves.

use disk::{Disk, DiskFile, Fault, FaultyDisk, Happened, Open, read_all, write_all};
use std::{collections::BTreeSet, io::ErrorKind, path::Path, sync::Arc};

const FOLDER: &str = "/disk";

fn disk_with_a_synced_file(seed: u64, bytes: &[u8]) -> (FaultyDisk, Arc<dyn DiskFile>) {
    let disk = FaultyDisk::new(seed);
    disk.create_dir(Path::new(FOLDER)).unwrap();
    write_all(&disk, &path(), bytes).unwrap();
    let file = disk.open(&path(), Open::Write).unwrap();
    (disk, file)
}

fn path() -> std::path::PathBuf {
    Path::new(FOLDER).join("file")
}

fn content(disk: &FaultyDisk) -> Vec<u8> {
    read_all(disk, &path(), 1 << 20).unwrap()
}

#[test]
fn a_synced_write_survives_every_power_cut() {
    for seed in 0..100 {
        let (disk, file) = disk_with_a_synced_file(seed, b"old");
        file.write_at(b"new", 0).unwrap();
        file.sync().unwrap();
        disk.reboot();
        assert_eq!(content(&disk), b"new");
    }
}

#[test]
fn an_unsynced_write_survives_wholly_not_at_all_or_torn_at_sectors() {
    let mut seen = BTreeSet::new();
    for seed in 0..200 {
        let (disk, file) = disk_with_a_synced_file(seed, &[b'o'; 1_536]);
        file.write_at(&[b'n'; 1_536], 0).unwrap();
        assert_eq!(content(&disk), [b'n'; 1_536], "a reader sees the write while the power is on");
        disk.reboot();
        let bytes = content(&disk);
        let sectors: Vec<u8> = bytes.chunks(512).map(|sector| sector[0]).collect();
        assert!(bytes.chunks(512).all(|sector| sector.iter().all(|byte| *byte == sector[0])));
        seen.insert(sectors);
    }
    assert_eq!(seen.len(), 8, "each of the eight ruins occurs");
}

#[test]
fn the_same_seed_leaves_the_same_ruins() {
    let ruin = |seed| {
        let (disk, file) = disk_with_a_synced_file(seed, &[0; 4_096]);
        file.write_at(&[1; 4_096], 0).unwrap();
        disk.reboot();
        content(&disk)
    };
    for seed in 0..20 {
        assert_eq!(ruin(seed), ruin(seed));
    }
}

#[test]
fn an_unsynced_name_may_be_lost_and_a_synced_one_is_not() {
    let mut survivors = BTreeSet::new();
    for seed in 0..100 {
        let disk = FaultyDisk::new(seed);
        let folder = Path::new(FOLDER);
        disk.create_dir(folder).unwrap();
        disk.open(&folder.join("synced"), Open::Create).unwrap();
        disk.sync_dir(folder).unwrap();
        disk.open(&folder.join("a"), Open::Create).unwrap();
        disk.rename(&folder.join("synced"), &folder.join("b")).unwrap();
        disk.remove(&folder.join("a")).unwrap();
        disk.reboot();
        survivors.insert(disk.list(folder).unwrap());
    }
    let expected: [&[&str]; 4] = [&["a", "b"], &["a", "synced"], &["b"], &["synced"]];
    assert_eq!(
        survivors.iter().map(|names| names.iter().map(String::as_str).collect()).collect::<Vec<Vec<_>>>(),
        expected
    );
}

#[test]
fn an_error_without_effect_leaves_the_file_as_it_was() {
    let (disk, file) = disk_with_a_synced_file(1, b"old");
    disk.plan(disk.steps(), Fault::Error(Happened::No, ErrorKind::StorageFull));
    assert_eq!(file.write_at(b"new", 0).unwrap_err().kind(), ErrorKind::StorageFull);
    assert_eq!(content(&disk), b"old");
    file.write_at(b"new", 0).unwrap();
    assert_eq!(content(&disk), b"new");
}

#[test]
fn an_error_with_effect_lies() {
    let (disk, file) = disk_with_a_synced_file(1, b"old");
    disk.plan(disk.steps(), Fault::Error(Happened::Yes, ErrorKind::StorageFull));
    assert_eq!(file.write_at(b"new", 0).unwrap_err().kind(), ErrorKind::StorageFull);
    assert_eq!(content(&disk), b"new");
    disk.plan(disk.steps(), Fault::Error(Happened::Yes, ErrorKind::TimedOut));
    assert_eq!(file.sync().unwrap_err().kind(), ErrorKind::TimedOut);
    disk.reboot();
    assert_eq!(content(&disk), b"new");
}

#[test]
fn a_sync_that_failed_is_not_mended_by_the_next_one() {
    let mut seen = BTreeSet::new();
    for seed in 0..50 {
        let (disk, file) = disk_with_a_synced_file(seed, b"old");
        file.write_at(b"new", 0).unwrap();
        disk.plan(disk.steps(), Fault::Error(Happened::No, ErrorKind::TimedOut));
        file.sync().unwrap_err();
        file.sync().unwrap();
        assert_eq!(content(&disk), b"new", "the page cache still shows it");
        disk.reboot();
        seen.insert(content(&disk));
    }
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), [b"new".to_vec(), b"old".to_vec()]);
}

#[test]
fn after_a_power_cut_everything_fails_until_the_reboot_and_old_handles_for_ever() {
    for happened in [Happened::No, Happened::Yes] {
        let (disk, file) = disk_with_a_synced_file(3, b"old");
        file.write_at(b"new", 0).unwrap();
        disk.plan(disk.steps(), Fault::PowerCut(happened));
        let aborted = ErrorKind::ConnectionAborted;
        assert_eq!(file.sync().unwrap_err().kind(), aborted);
        assert_eq!(file.read_at(&mut [0], 0).unwrap_err().kind(), aborted);
        assert_eq!(disk.exists(&path()).unwrap_err().kind(), aborted);
        assert_eq!(disk.open(&path(), Open::Read).err().unwrap().kind(), aborted);
        assert_eq!(disk.list(Path::new(FOLDER)).unwrap_err().kind(), aborted);
        disk.reboot();
        assert_eq!(file.len().unwrap_err().kind(), aborted);
        assert_eq!(file.sync().unwrap_err().kind(), aborted);
        let bytes = content(&disk);
        assert!(bytes == b"new" || (happened == Happened::No && bytes == b"old"), "{bytes:?}");
    }
}

#[test]
fn a_durable_replacement_is_old_or_new_whatever_happens_at_whichever_step() {
    let (clean, _) = disk_with_a_synced_file(0, b"old");
    let before = clean.steps();
    write_all(&clean, &path(), b"new").unwrap();
    let kinds = [Happened::No, Happened::Yes]
        .map(|happened| [Fault::PowerCut(happened), Fault::Error(happened, ErrorKind::Other)])
        .concat();
    for (step, fault) in (before..clean.steps()).flat_map(|step| kinds.iter().map(move |fault| (step, *fault))) {
        for seed in 0..10 {
            let (disk, _) = disk_with_a_synced_file(seed, b"old");
            disk.plan(step, fault);
            let answer = write_all(&disk, &path(), b"new");
            assert!(answer.is_err(), "the fault at step {step} was not met");
            disk.reboot();
            let bytes = content(&disk);
            assert!(bytes == b"old" || bytes == b"new", "step {step}, {fault:?}: {bytes:?}");
        }
    }
}

#[test]
fn every_buffer_ever_written_is_kept() {
    let (disk, file) = disk_with_a_synced_file(3, b"first");
    file.write_at(b"second", 0).unwrap();
    disk.remove(&path()).unwrap();
    disk.reboot();
    let buffers: Vec<_> = disk.all_bytes_ever_written().iter().map(|(_, bytes)| bytes.to_vec()).collect();
    assert_eq!(buffers, [b"first".to_vec(), b"second".to_vec()]);
}

#[test]
fn an_unplugged_folder_is_gone_and_comes_back_as_it_was() {
    let (disk, file) = disk_with_a_synced_file(3, b"old");
    disk.unplug(Path::new(FOLDER));
    assert!(!disk.exists(&path()).unwrap());
    assert!(file.write_at(b"new", 0).is_err());
    assert!(disk.create_dir(Path::new(FOLDER)).is_err());
    disk.plug(Path::new(FOLDER));
    assert_eq!(content(&disk), b"old");
}

#[test]
fn in_a_full_folder_nothing_is_made_or_grows_and_what_is_there_is_written_over() {
    let (disk, file) = disk_with_a_synced_file(3, b"old");
    disk.fill(Path::new(FOLDER));
    assert_eq!(disk.free_bytes(Path::new(FOLDER)).unwrap(), Some(0));
    assert_eq!(file.write_at(b"longer", 0).unwrap_err().kind(), ErrorKind::StorageFull);
    assert!(file.set_len(9).is_err() && write_all(&disk, &Path::new(FOLDER).join("later"), b"x").is_err());
    file.write_at(b"new", 0).unwrap();
    assert_eq!(content(&disk), b"new");
    disk.drain(Path::new(FOLDER));
    file.write_at(b"longer", 0).unwrap();
    assert_eq!((content(&disk), disk.free_bytes(Path::new(FOLDER)).unwrap()), (b"longer".to_vec(), None));
}

#[test]
fn an_image_brings_back_exactly_the_old_files() {
    let (disk, _) = disk_with_a_synced_file(3, b"old");
    let image = disk.image(Path::new(FOLDER));
    write_all(&disk, &path(), b"new").unwrap();
    write_all(&disk, &Path::new(FOLDER).join("later"), b"x").unwrap();
    disk.restore(&image);
    disk.reboot();
    assert_eq!(disk.list(Path::new(FOLDER)).unwrap(), ["file"]);
    assert_eq!(content(&disk), b"old");
}
