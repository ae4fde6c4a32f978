//! The journal and its reserve over disks that fail: nothing is lost, nothing is there twice, numbers stay, and only where both
//! fail is an entry refused.

use super::{
    tests::{at, check_holds, flip, note, opening, parts},
    *,
};
use disk::{Fault, FaultyDisk, Happened};
use std::{
    io::ErrorKind,
    path::Path,
    sync::atomic::{AtomicU64, Ordering as Counted},
};

const FAULTS: [Fault; 4] = [
    Fault::Error(Happened::No, ErrorKind::StorageFull),
    Fault::Error(Happened::Yes, ErrorKind::TimedOut),
    Fault::PowerCut(Happened::No),
    Fault::PowerCut(Happened::Yes),
];
/// Draws of chance: no two openings draw the same.
static OPENINGS: AtomicU64 = AtomicU64::new(1);

fn with_reserve(disk: &FaultyDisk) -> JournalParts {
    let opening = OPENINGS.fetch_add(1, Counted::Relaxed);
    let mut parts = parts(Arc::new(disk.clone()), Path::new("/log"), opening * 1_000_000);
    parts.place = parts.place.with_reserve(Some("/reserve".into()));
    parts
}

fn created(disk: &FaultyDisk) -> Journal {
    Journal::create(with_reserve(disk), &opening()).unwrap()
}

fn reopened(disk: &FaultyDisk) -> Journal {
    Journal::open(with_reserve(disk)).unwrap_or_else(|error| panic!("{error}"))
}

fn journal_fails(disk: &FaultyDisk) {
    disk.unplug(Path::new("/log/journal"));
}

fn journal_works(disk: &FaultyDisk) {
    disk.plug(Path::new("/log/journal"));
}

#[derive(Default)]
struct Told(Vec<(u64, Entry)>);

impl Told {
    fn append(&mut self, journal: &Journal, n: i64) -> Result<(), JournalError> {
        let entries = [note(n, &format!("entry {n}")), note(n, &"y".repeat(300))];
        let numbers = journal.append(&entries)?;
        self.0.extend(numbers.into_iter().zip(entries));
        Ok(())
    }

    #[track_caller]
    fn check(&self, journal: &Journal) {
        for (seq, entry) in &self.0 {
            assert_eq!(&journal.entry(*seq).unwrap(), entry, "number {seq}");
        }
        let numbers: std::collections::BTreeSet<u64> = self.0.iter().map(|(seq, _)| *seq).collect();
        assert_eq!(numbers.len(), self.0.len(), "no number was given twice");
        check_holds(journal);
    }
}

fn is_on_journal(journal: &Journal) -> bool {
    matches!(journal.keeping(), Keeping::Journal { reserve: Ready::Yes })
}

#[test]
fn while_the_journal_fails_entries_go_to_the_reserve_and_are_carried_back_when_it_returns() {
    let disk = FaultyDisk::new(1);
    let (journal, mut told) = (created(&disk), Told::default());
    told.append(&journal, 1).unwrap();
    assert!(is_on_journal(&journal) && !journal.is_on_reserve());
    journal_fails(&disk);
    for n in 2..5 {
        told.append(&journal, n).unwrap();
    }
    assert!(matches!(journal.keeping(), Keeping::Reserve { groups: 3, .. }) && journal.is_on_reserve());
    journal_works(&disk);
    told.check(&journal);
    let before = journal.head();
    journal.checkpoint(at(60)).unwrap();
    assert!(is_on_journal(&journal) && !journal.is_on_reserve());
    told.append(&journal, 6).unwrap();
    told.check(&journal);
    drop(journal);
    disk.unplug(Path::new("/reserve"));
    let journal = reopened(&disk);
    told.check(&journal);
    let head = journal.head();
    let proof = journal.prove_growth(head.size, before.size).unwrap();
    ledger::verify_growth(&proof, (before.size, before.root), (head.size, head.root)).unwrap();
}

#[test]
fn a_journal_opened_while_its_disk_takes_no_write_goes_on_in_the_reserve() {
    for tail in [0, 3] {
        let disk = FaultyDisk::new(2);
        let (journal, mut told) = (created(&disk), Told::default());
        told.append(&journal, 1).unwrap();
        if tail > 0 {
            journal_fails(&disk);
            (2..2 + tail).for_each(|n| told.append(&journal, n).unwrap());
            journal_works(&disk);
        }
        drop(journal);
        disk.plan(disk.steps(), Fault::Error(Happened::No, ErrorKind::TimedOut));
        let journal = reopened(&disk);
        told.append(&journal, 9).unwrap();
        drop(journal);
        disk.reboot();
        let journal = reopened(&disk);
        told.check(&journal);
        assert!(is_on_journal(&journal), "carried back at the opening: {:?}", journal.keeping());
    }
}

#[test]
fn an_entry_is_refused_only_where_journal_and_reserve_both_fail_and_both_are_watched_for_their_return() {
    let disk = FaultyDisk::new(3);
    let (journal, mut told) = (created(&disk), Told::default());
    journal_fails(&disk);
    told.append(&journal, 1).unwrap();
    disk.unplug(Path::new("/reserve"));
    assert!(matches!(told.append(&journal, 2), Err(JournalError::Unknown { .. })));
    assert!(matches!(told.append(&journal, 3), Err(JournalError::Broken { .. })));
    assert!(matches!(journal.keeping(), Keeping::Away { .. }) && !journal.would_take_entries());
    for back in ["/reserve", "/log/journal"] {
        disk.plug(Path::new(back));
        assert!(journal.would_take_entries(), "{back}");
    }
    drop(journal);
    let journal = reopened(&disk);
    told.append(&journal, 4).unwrap();
    told.check(&journal);
}

#[test]
fn a_journal_that_is_read_only_with_its_reserve_away_opens_for_reading_and_refuses_every_entry() {
    let disk = FaultyDisk::new(4);
    let (journal, mut told) = (created(&disk), Told::default());
    told.append(&journal, 1).unwrap();
    drop(journal);
    disk.unplug(Path::new("/reserve"));
    // counted: the folder of the reserve cannot be made, then the last group is written once more
    disk.plan(disk.steps() + 1, Fault::Error(Happened::No, ErrorKind::ReadOnlyFilesystem));
    let journal = reopened(&disk);
    assert!(matches!(journal.keeping(), Keeping::Away { .. }), "{:?}", journal.keeping());
    assert!(matches!(journal.append(&[note(2, "refused")]), Err(JournalError::Broken { .. })));
    told.check(&journal);
    assert!(journal.would_take_entries());
}

#[test]
fn without_a_reserve_the_first_failure_refuses_everything_and_says_so() {
    let disk = FaultyDisk::new(5);
    let bare = parts(Arc::new(disk.clone()), Path::new("/log"), 1);
    let journal = Journal::create(bare, &opening()).unwrap();
    assert_eq!(journal.keeping(), Keeping::Journal { reserve: Ready::NotConfigured });
    journal_fails(&disk);
    assert!(matches!(journal.append(&[note(1, "lost")]), Err(JournalError::Unknown { .. })));
    assert!(matches!(journal.keeping(), Keeping::Away { .. }));
}

#[test]
fn a_reserve_that_is_away_is_told_and_taken_back_at_the_next_minute() {
    let disk = FaultyDisk::new(6);
    drop(created(&disk));
    disk.unplug(Path::new("/reserve"));
    let journal = reopened(&disk);
    assert!(matches!(journal.keeping(), Keeping::Journal { reserve: Ready::No { .. } }));
    disk.plug(Path::new("/reserve"));
    journal.checkpoint(at(60)).unwrap();
    assert!(is_on_journal(&journal));
}

/// Two failures of the journal with a return between, minute by minute, over several files.
fn two_failures(disk: &FaultyDisk, journal: &Journal, told: &mut Told) -> Result<(), JournalError> {
    for round in 0..2 {
        let n = round * 20;
        told.append(journal, n + 1)?;
        journal_fails(disk);
        (2..6).try_for_each(|more| told.append(journal, n + more))?;
        drop(journal.checkpoint(at(60 * (round + 1)))); // its public files cannot be made: the folder is the journal's
        journal_works(disk);
        journal.checkpoint(at(60 * (round + 1) + 30))?;
        (7..12).try_for_each(|more| told.append(journal, n + more))?;
    }
    Ok(())
}

#[test]
fn whatever_step_fails_on_the_way_to_the_reserve_and_back_no_entry_is_lost_or_twice_and_numbers_stay() {
    let disk = FaultyDisk::new(0);
    let journal = created(&disk);
    let first = disk.steps();
    two_failures(&disk, &journal, &mut Told::default()).unwrap();
    let last = disk.steps();
    assert!(last > first + 100);
    for (step, fault) in (first..last).flat_map(|step| FAULTS.map(|fault| (step, fault))) {
        let what = format!("step {} of {}, {fault:?}", step - first, last - first);
        let disk = FaultyDisk::new(step);
        let (journal, mut told) = (created(&disk), Told::default());
        disk.plan(step, fault);
        let done = two_failures(&disk, &journal, &mut told);
        journal_works(&disk);
        if matches!(fault, Fault::PowerCut(_)) {
            assert!(done.is_err() || !told.0.is_empty(), "{what}");
            disk.reboot();
        }
        drop(journal);
        let journal = Journal::open(with_reserve(&disk)).unwrap_or_else(|error| panic!("{what}: {error}"));
        told.check(&journal);
        told.append(&journal, 90).unwrap_or_else(|error| panic!("{what}: {error}"));
        journal.checkpoint(at(900)).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert!(is_on_journal(&journal), "{what}: {:?}", journal.keeping());
        disk.reboot();
        disk.unplug(Path::new("/reserve"));
        let journal = Journal::open(with_reserve(&disk)).unwrap_or_else(|error| panic!("{what}: {error}"));
        told.check(&journal); // all of it is in the journal itself
    }
}

#[test]
fn a_full_reserve_refuses_and_takes_nothing_from_what_it_has() {
    let disk = FaultyDisk::new(7);
    let (journal, mut told) = (created(&disk), Told::default());
    journal_fails(&disk);
    let refused = (1..40).find_map(|n| told.append(&journal, n).err());
    assert!(matches!(refused, Some(JournalError::Unknown { .. })), "{refused:?}");
    assert_eq!(told.0.len(), 2 * 16, "sixteen blocks");
    assert!(!journal.would_take_entries(), "a start would find it as full as it is");
    journal_works(&disk);
    assert!(journal.would_take_entries());
    drop(journal);
    told.check(&reopened(&disk));
}

#[test]
fn damage_in_the_reserve_is_named_and_its_entries_are_not_written_over() {
    let disk = FaultyDisk::new(8);
    let (journal, mut told) = (created(&disk), Told::default());
    journal_fails(&disk);
    (1..4).for_each(|n| told.append(&journal, n).unwrap());
    drop(journal);
    journal_works(&disk);
    flip(&disk, "/reserve/reserve.jnl", 100);
    let error = Journal::open(with_reserve(&disk)).err().unwrap();
    assert!(matches!(error, JournalError::ReserveDiffers { group: 2, .. }), "{error}");
}

#[test]
fn a_reserve_with_entries_that_the_journal_lost_is_kept_as_it_is() {
    let disk = FaultyDisk::new(9);
    let (journal, mut told) = (created(&disk), Told::default());
    journal_fails(&disk);
    (1..4).for_each(|n| told.append(&journal, n).unwrap());
    drop(journal);
    journal_works(&disk);
    disk.unplug(Path::new("/reserve"));
    let journal = reopened(&disk);
    assert_eq!(journal.size(), 1, "nothing in the journal tells of them; the keyring's head does");
    (1..6).for_each(|n| drop(journal.append(&[note(n, "another past")]).unwrap()));
    disk.plug(Path::new("/reserve"));
    let kept = disk.image(Path::new("/reserve"));
    journal.checkpoint(at(60)).unwrap();
    assert!(matches!(journal.keeping(), Keeping::Journal { reserve: Ready::No { .. } }), "{:?}", journal.keeping());
    journal_fails(&disk);
    assert!(journal.append(&[note(9, "refused")]).is_err() && !journal.would_take_entries());
    assert_eq!(disk.image(Path::new("/reserve")).files(), kept.files());
}

#[test]
fn whoever_verifies_the_folders_offline_sees_the_reserve_too() {
    let disk = FaultyDisk::new(10);
    let (journal, mut told) = (created(&disk), Told::default());
    journal_fails(&disk);
    (1..4).for_each(|n| told.append(&journal, n).unwrap());
    let (size, key, parts) = (journal.size(), journal.checkpoint_key(), with_reserve(&disk));
    drop(journal);
    journal_works(&disk);
    let site_log = (parts.site, parts.log);
    let report = verify_folder(Arc::new(disk), &parts.place, site_log, &key, parts.keys.as_ref(), &[], at(0)).unwrap();
    assert_eq!((report.entries, report.faults), (size, vec![]));
}
