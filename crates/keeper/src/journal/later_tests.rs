//! What a later program left in journal and reserve: refused by name, never written over, and no entry of it is passed by.

use super::{
    queue::Draft,
    tests::{at, note, opening, parts},
    *,
};
use crate::fates::History;
use disk::{Disk, FaultyDisk, Open, read_all};
use domain::limit::BLOCK_BYTES;
use std::path::{Path, PathBuf};

const BYTES_MAX: usize = 1 << 20;

fn on(disk: &FaultyDisk, random: u64) -> JournalParts {
    let mut parts = parts(Arc::new(disk.clone()), Path::new("/log"), random);
    parts.place = parts.place.with_reserve(Some("/reserve".into()));
    parts
}

/// Where the last group of a file begins.
fn last_group(bytes: &[u8]) -> usize {
    let begins = |at: &usize| group::parse(&bytes[*at..]).is_some();
    (0..bytes.len()).step_by(BLOCK_BYTES).rfind(begins).expect("a group is there")
}

/// The last group's number is another one, its digest made right.
fn raise(disk: &FaultyDisk, path: &Path) {
    let mut bytes = read_all(disk, path, BYTES_MAX).unwrap();
    let start = last_group(&bytes);
    bytes[start + 8] += 1;
    let payload = u64::from_le_bytes(bytes[start + 48..start + 56].try_into().unwrap()) as usize;
    let end = start + 96 + payload;
    let digest = *blake3::hash(&bytes[start..end]).as_bytes();
    bytes[end..end + 32].copy_from_slice(&digest);
    let file = disk.open(path, Open::Write).unwrap();
    file.write_at(&bytes, 0).unwrap();
    file.sync().unwrap();
}

#[test]
fn a_group_of_a_later_version_is_refused_and_never_written_over() {
    for (raised, away) in [("/log/journal/000001.jnl", None), ("/reserve/reserve.jnl", Some("/log/journal"))] {
        let disk = FaultyDisk::new(3);
        let journal = Journal::create(on(&disk, 1), &opening()).unwrap();
        if let Some(away) = away {
            disk.unplug(Path::new(away));
        }
        for n in 1..4 {
            journal.append(&[note(n, "something")]).unwrap();
        }
        drop(journal);
        if let Some(away) = away {
            disk.plug(Path::new(away));
        }
        raise(&disk, Path::new(raised));
        let images = || [Path::new("/log"), Path::new("/reserve")].map(|path| disk.image(path));
        let before = images();
        let refused = Journal::open(on(&disk, 1_000)).err().expect("refused");
        let file = PathBuf::from(raised);
        assert!(matches!(&refused, JournalError::LaterVersion { file: of, found: 2 } if *of == file), "{refused}");
        assert!(refused.to_string().contains("install the later program again"), "{refused}");
        let parts = on(&disk, 2_000);
        assert!(check_versions(parts.disk, &parts.place, (parts.site, parts.log)).is_err(), "also when asked before");
        assert!(images() == before, "not a byte changed");
    }
}

#[test]
fn an_entry_of_a_later_program_stops_the_keeper_and_is_not_passed_by() {
    for details in [
        &br#"{"format":2,"at":5,"whatever":true}"#[..],
        br#"{"format":1,"at":5,"actor":{"by":"schedule"},"event":"hold-of-tomorrow"}"#,
    ] {
        let disk = FaultyDisk::new(4);
        let journal = Journal::create(on(&disk, 1), &opening()).unwrap();
        let month = Month::of(at(5));
        let (salt, key) = ([7; 16], journal.parts.keys.month_key_to_write(month).unwrap());
        let draft = Draft { commitment: ledger::commit(&salt, details), salt, details: details.to_vec(), month, key };
        journal.write(vec![draft], false).unwrap();
        journal.append(&[note(6, "behind it")]).unwrap();
        let stopped = History::read(&journal).expect_err("the keeper stops");
        assert!(matches!(stopped, JournalError::Entry(_)), "{stopped}");
        assert!(stopped.to_string().contains("install"), "{stopped}");
    }
}
