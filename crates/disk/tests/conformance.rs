//! One suite of claims for every disk: the machine's own, and the faulty one while nothing fails.

use disk::{Disk, FaultyDisk, Open, RealDisk, read_all, write_all};
use std::{io::ErrorKind, path::Path};

fn on_every_disk(check: fn(&dyn Disk, &Path)) {
    let folder = tempfile::tempdir().unwrap();
    check(&RealDisk, folder.path());
    let faulty = FaultyDisk::new(7);
    faulty.create_dir(Path::new("/disk")).unwrap();
    check(&faulty, Path::new("/disk"));
}

#[test]
fn what_was_written_reads_back_before_and_after_the_sync() {
    on_every_disk(|disk, folder| {
        let path = folder.join("file");
        let file = disk.open(&path, Open::Create).unwrap();
        file.write_at(b"hello", 3).unwrap();
        let mut bytes = [9; 8];
        file.read_at(&mut bytes, 0).unwrap();
        assert_eq!(&bytes, b"\0\0\0hello");
        file.sync().unwrap();
        disk.sync_dir(folder).unwrap();
        assert_eq!(read_all(disk, &path, 100).unwrap(), b"\0\0\0hello");
    });
}

#[test]
fn reading_past_the_end_is_an_unexpected_end() {
    on_every_disk(|disk, folder| {
        let file = disk.open(&folder.join("file"), Open::Create).unwrap();
        file.write_at(b"abc", 0).unwrap();
        assert_eq!(file.read_at(&mut [0; 4], 0).unwrap_err().kind(), ErrorKind::UnexpectedEof);
        assert_eq!(file.read_at(&mut [0; 1], 3).unwrap_err().kind(), ErrorKind::UnexpectedEof);
    });
}

#[test]
fn a_file_is_created_once_and_opened_only_if_it_exists() {
    on_every_disk(|disk, folder| {
        let path = folder.join("file");
        assert_eq!(disk.open(&path, Open::Read).err().unwrap().kind(), ErrorKind::NotFound);
        assert_eq!(disk.open(&path, Open::Write).err().unwrap().kind(), ErrorKind::NotFound);
        assert!(!disk.exists(&path).unwrap());
        disk.open(&path, Open::Create).unwrap();
        assert_eq!(disk.open(&path, Open::Create).err().unwrap().kind(), ErrorKind::AlreadyExists);
        assert!(disk.exists(&path).unwrap());
        let missing = folder.join("missing/file");
        assert_eq!(disk.open(&missing, Open::Create).err().unwrap().kind(), ErrorKind::NotFound);
    });
}

#[test]
fn a_file_opened_for_reading_refuses_a_write() {
    on_every_disk(|disk, folder| {
        let path = folder.join("file");
        disk.open(&path, Open::Create).unwrap();
        assert!(disk.open(&path, Open::Read).unwrap().write_at(b"x", 0).is_err());
        assert_eq!(disk.open(&path, Open::Read).unwrap().len().unwrap(), 0);
    });
}

#[test]
fn a_direct_file_takes_whole_aligned_blocks() {
    on_every_disk(|disk, folder| {
        let path = folder.join("slot");
        disk.open(&path, Open::Create).unwrap().set_len(8_192).unwrap();
        let file = disk.open(&path, Open::Direct).unwrap();
        let buffer = [7; 4_096 * 3];
        let start = buffer.as_ptr().align_offset(4_096);
        file.write_at(&buffer[start..start + 4_096], 4_096).unwrap();
        file.sync().unwrap();
        let bytes = read_all(disk, &path, 8_192).unwrap();
        assert_eq!((bytes[4_095], bytes[4_096], bytes[8_191]), (0, 7, 7));
    });
}

#[test]
fn a_rename_replaces_and_a_removal_removes() {
    on_every_disk(|disk, folder| {
        let (old, new) = (folder.join("old"), folder.join("new"));
        write_all(disk, &new, b"first").unwrap();
        write_all(disk, &old, b"second").unwrap();
        disk.rename(&old, &new).unwrap();
        assert_eq!(disk.list(folder).unwrap(), ["new"]);
        assert_eq!(read_all(disk, &new, 100).unwrap(), b"second");
        disk.remove(&new).unwrap();
        assert_eq!(disk.remove(&new).unwrap_err().kind(), ErrorKind::NotFound);
        assert_eq!(disk.list(folder).unwrap(), [""; 0]);
    });
}

#[test]
fn folders_are_created_with_those_above_and_listed_files_are_sorted() {
    on_every_disk(|disk, folder| {
        let deep = folder.join("a/b/c");
        assert_eq!(disk.list(&deep).unwrap_err().kind(), ErrorKind::NotFound);
        disk.create_dir(&deep).unwrap();
        disk.create_dir(&deep).unwrap();
        for name in ["two", "one", "three"] {
            disk.open(&deep.join(name), Open::Create).unwrap();
        }
        assert_eq!(disk.list(&deep).unwrap(), ["one", "three", "two"]);
        assert_eq!(disk.list(folder).unwrap(), [""; 0]);
        disk.sync_dir(&deep).unwrap();
        assert!(disk.create_dir(&deep.join("one")).is_err(), "a file is not a folder");
    });
}

#[test]
fn a_length_grows_with_zeros_and_shrinks() {
    on_every_disk(|disk, folder| {
        let file = disk.open(&folder.join("file"), Open::Create).unwrap();
        assert!(file.is_empty().unwrap());
        file.write_at(b"abcdef", 0).unwrap();
        file.set_len(2).unwrap();
        file.set_len(4).unwrap();
        let mut bytes = [9; 4];
        file.read_at(&mut bytes, 0).unwrap();
        assert_eq!(&bytes, b"ab\0\0");
    });
}

#[test]
fn a_file_larger_than_expected_is_refused() {
    on_every_disk(|disk, folder| {
        let path = folder.join("file");
        write_all(disk, &path, &[0; 11]).unwrap();
        assert_eq!(read_all(disk, &path, 10).unwrap_err().kind(), ErrorKind::InvalidData);
    });
}

#[test]
fn the_real_disk_gives_files_and_folders_to_nobody_else() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let inside = folder.path().join("inside");
    RealDisk.create_dir(&inside).unwrap();
    write_all(&RealDisk, &inside.join("file"), b"x").unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&inside), mode(&inside.join("file"))), (0o700, 0o600));
}
