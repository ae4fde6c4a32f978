//! The journal over a disk that fails: what was acknowledged stays, what was published holds, what was changed is found.

use super::*;
use disk::{Fault, FaultyDisk, Happened, RealDisk};
use domain::{CameraId, Purpose, Sensitive};
use ledger::{Report, Role, root_of, verify_growth, verify_inclusion};
use std::{
    io::ErrorKind,
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

pub(super) const SITE: SiteId = SiteId([1; 16]);
pub(super) const LOG: LogId = LogId([2; 16]);
/// 16 blocks: a few appends fill a file, so that every test crosses from one to the next.
pub(super) const SIZES: JournalSizes =
    JournalSizes { file_bytes: 64 * 1024, reserve_bytes: 64 * 1024, group_bytes_max: 16 * 1024 };

pub(super) struct Counting(pub(super) AtomicU64);

impl Random for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        let seed = self.0.fetch_add(1, Ordering::Relaxed).to_le_bytes();
        blake3::Hasher::new().update(&seed).finalize_xof().fill(bytes);
    }
}

/// Every month has a key but those that were destroyed.
pub(super) struct Months {
    gone: Option<Month>,
}

impl LogKeys for Months {
    fn month_key(&self, month: Month) -> Result<Secret32, LogKeyError> {
        if self.gone == Some(month) {
            return Err(LogKeyError::Gone { month });
        }
        Ok(Secret32::new([(month.yyyymm() % 251) as u8; 32]))
    }
}

pub(super) fn parts(disk: Arc<dyn Disk>, folder: &Path, random: u64) -> JournalParts {
    JournalParts {
        disk,
        place: JournalPlace::in_folder(folder),
        sizes: SIZES,
        site: SITE,
        log: LOG,
        seed: Secret32::new([3; 32]),
        keys: Arc::new(Months { gone: None }),
        random: Arc::new(Counting(AtomicU64::new(random))),
    }
}

fn on(disk: &FaultyDisk, random: u64) -> JournalParts {
    parts(Arc::new(disk.clone()), Path::new("/log"), random)
}

pub(super) fn at(seconds: i64) -> UtcMicros {
    UtcMicros::from_seconds(1_773_324_000 + seconds)
}

pub(super) fn opening() -> Entry {
    Entry::new(at(0), Actor::Cli { uid: 0 }, Event::Opened { site: SITE, log: LOG })
}

pub(super) fn note(seconds: i64, what: &str) -> Entry {
    Entry::new(at(seconds), Actor::Role { role: Role::Keeper }, Event::Config { what: what.to_owned() })
}

fn created(disk: &FaultyDisk) -> Journal {
    Journal::create(on(disk, 0), &opening()).unwrap()
}

fn reopened(disk: &FaultyDisk) -> Journal {
    Journal::open(on(disk, 1_000_000)).unwrap()
}

#[track_caller]
pub(super) fn check_holds(journal: &Journal) -> Report {
    let report = journal.verify(&[], at(0)).unwrap();
    assert_eq!(report.faults, []);
    assert_eq!((report.entries, report.root), (journal.size(), journal.head().root));
    report
}

pub(super) fn flip(disk: &FaultyDisk, file: &str, offset: u64) {
    let file = disk.open(Path::new(file), Open::Write).unwrap();
    let mut byte = [0];
    file.read_at(&mut byte, offset).unwrap();
    file.write_at(&[byte[0] ^ 1], offset).unwrap();
    file.sync().unwrap();
}

#[test]
fn entries_read_back_after_opening_again_on_a_real_disk() {
    let folder = tempfile::tempdir().unwrap();
    let on_disk = || parts(Arc::new(RealDisk), folder.path(), 7);
    let journal = Journal::create(on_disk(), &opening()).unwrap();
    let long = "x".repeat(9_000);
    for n in 1..40 {
        assert_eq!(journal.append(&[note(n, &long)]).unwrap(), [n as u64]);
    }
    journal.checkpoint(at(60)).unwrap();
    drop(journal);
    let journal = Journal::open(on_disk()).unwrap();
    assert_eq!(journal.entry(0).unwrap(), opening());
    assert_eq!(journal.entry(39).unwrap(), note(39, &long));
    assert!(matches!(journal.read(64), Err(JournalError::NoSuchEntry { seq: 64, entries: 64 })));
    assert_eq!(check_holds(&journal).dummies, 24);
    assert!(std::fs::read_dir(folder.path().join("journal")).unwrap().count() > 4, "several files were filled");
}

#[test]
fn threads_get_the_numbers_of_their_own_entries() {
    let disk = FaultyDisk::new(1);
    let journal = created(&disk);
    let mut numbers: Vec<u64> = thread::scope(|scope| {
        let caller = |caller: i64| {
            let journal = &journal;
            scope.spawn(move || {
                let mut numbers = Vec::new();
                for n in 0..10 {
                    let own = [note(caller, &n.to_string()), note(caller, "second")];
                    let got = journal.append(&own).unwrap();
                    assert_eq!([journal.entry(got[0]).unwrap(), journal.entry(got[1]).unwrap()], own);
                    numbers.extend(got);
                    if n == 5 {
                        journal.checkpoint(at(0)).unwrap();
                    }
                }
                numbers
            })
        };
        let callers: Vec<_> = (0..6).map(caller).collect();
        callers.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), 120);
    check_holds(&journal);
    check_holds(&reopened(&disk));
}

/// What a run of [`busy_minutes`] was told.
#[derive(Default)]
struct Told {
    acknowledged: Vec<(u64, Entry)>,
    checkpoint: Option<Checkpoint>,
}

/// Three minutes with appends of several sizes over several files; ends at the first error.
fn busy_minutes(journal: &Journal, told: &mut Told) -> Result<(), JournalError> {
    for minute in 0..3 {
        for n in 0..5 {
            let entries: Vec<Entry> = (0..=n).map(|i| note(minute * 60 + n, &"y".repeat(700 * i as usize))).collect();
            told.acknowledged.extend(journal.append(&entries)?.into_iter().zip(entries));
        }
        told.checkpoint = Some(journal.checkpoint(at(minute * 60))?);
    }
    Ok(())
}

#[track_caller]
fn check_kept(journal: &Journal, told: &Told) {
    for (seq, entry) in &told.acknowledged {
        assert_eq!(&journal.entry(*seq).unwrap(), entry);
    }
    if let Some(checkpoint) = told.checkpoint {
        let now = journal.head();
        let proof = journal.prove_growth(now.size, checkpoint.size).unwrap();
        verify_growth(&proof, (checkpoint.size, checkpoint.root), (now.size, now.root)).unwrap();
    }
    check_holds(journal);
}

/// How many steps creating takes, and creating plus the busy minutes.
fn steps() -> (u64, u64) {
    let disk = FaultyDisk::new(0);
    let journal = created(&disk);
    let before = disk.steps();
    busy_minutes(&journal, &mut Told::default()).unwrap();
    (before, disk.steps())
}

#[test]
fn whatever_step_the_power_goes_at_acknowledged_entries_stay() {
    let (from, to) = steps();
    for step in from..to {
        for happened in [Happened::No, Happened::Yes] {
            let disk = FaultyDisk::new(step * 2 + u64::from(happened == Happened::Yes));
            let (journal, mut told) = (created(&disk), Told::default());
            disk.plan(step, Fault::PowerCut(happened));
            assert!(busy_minutes(&journal, &mut told).is_err(), "step {step}");
            disk.reboot();
            go_on(&disk, &mut told);
        }
    }
}

#[test]
fn whatever_step_says_no_the_journal_refuses_and_is_whole_when_opened_again() {
    let (from, to) = steps();
    for step in from..to {
        for happened in [Happened::No, Happened::Yes] {
            let disk = FaultyDisk::new(step);
            let (journal, mut told) = (created(&disk), Told::default());
            disk.plan(step, Fault::Error(happened, ErrorKind::StorageFull));
            let error = busy_minutes(&journal, &mut told).unwrap_err();
            match &error {
                JournalError::Unknown { .. } => {
                    let refused = journal.append(&[note(0, "later")]);
                    assert!(matches!(refused, Err(JournalError::Broken { .. })), "step {step}: {refused:?}");
                    assert!(matches!(journal.checkpoint(at(0)), Err(JournalError::Broken { .. })));
                }
                // a public file or the next file could not be made: the journal goes on, and the next minute mends it
                JournalError::Disk(_) => {
                    told.checkpoint = Some(journal.checkpoint(at(240)).unwrap());
                    fill_a_file(&journal, &mut told);
                    disk.reboot();
                }
                _ => panic!("step {step}: {error}"),
            }
            drop(journal);
            // without a power cut in between: what was read may not be what the disk holds
            go_on(&disk, &mut told);
        }
    }
}

/// One entry per block, 17 in all: the last lies in another file than the first.
fn fill_a_file(journal: &Journal, told: &mut Told) {
    for n in 0..17 {
        let entry = note(n, "goes on");
        told.acknowledged.push((journal.append(std::slice::from_ref(&entry)).unwrap()[0], entry));
    }
}

/// Opens, checks, appends, cuts the power, opens and checks again, and all of that once more.
#[track_caller]
fn go_on(disk: &FaultyDisk, told: &mut Told) {
    let journal = reopened(disk);
    check_kept(&journal, told);
    fill_a_file(&journal, told);
    disk.reboot();
    let journal = reopened(disk);
    check_kept(&journal, told);
    told.checkpoint = Some(journal.checkpoint(at(999)).unwrap());
    disk.reboot();
    let journal = Journal::open(on(disk, 2_000_000)).unwrap();
    check_kept(&journal, told);
    assert_eq!(check_holds(&journal).unsigned, 0);
}

#[test]
fn whatever_step_creating_breaks_at_it_can_be_done_again() {
    let (creating, _) = steps();
    for step in 0..creating {
        for fault in [
            Fault::PowerCut(Happened::No),
            Fault::PowerCut(Happened::Yes),
            Fault::Error(Happened::No, ErrorKind::Other),
            Fault::Error(Happened::Yes, ErrorKind::Other),
        ] {
            let disk = FaultyDisk::new(step);
            disk.plan(step, fault);
            let broken = Journal::create(on(&disk, 0), &opening());
            assert!(broken.is_err(), "step {step}");
            disk.reboot();
            let journal = match Journal::create(on(&disk, 5), &opening()) {
                Err(JournalError::AlreadyThere { .. }) => reopened(&disk),
                created => created.unwrap(),
            };
            assert_eq!((journal.size(), journal.entry(0).unwrap()), (1, opening()));
        }
    }
}

#[test]
fn a_journal_is_never_made_over_another_nor_opened_where_none_is() {
    let disk = FaultyDisk::new(1);
    assert!(matches!(Journal::open(on(&disk, 0)), Err(JournalError::Missing { .. })));
    drop(created(&disk));
    assert!(matches!(Journal::create(on(&disk, 0), &opening()), Err(JournalError::AlreadyThere { .. })));
    let other = JournalParts { log: LogId([9; 16]), ..on(&disk, 0) };
    assert!(matches!(Journal::open(other), Err(JournalError::OtherLog { found: LOG, .. })));
}

#[test]
fn damage_in_the_middle_is_named_and_not_cut() {
    let disk = FaultyDisk::new(1);
    let journal = created(&disk);
    (1..30).for_each(|n| drop(journal.append(&[note(n, "entry")]).unwrap()));
    drop(journal);
    flip(&disk, "/log/journal/000001.jnl", 3 * 4096 + 100);
    let error = Journal::open(on(&disk, 0)).err().unwrap();
    let JournalError::Corrupt { offset, expected, found, found_offset, .. } = error else { panic!("{error}") };
    assert_eq!((offset, expected, found, found_offset), (3 * 4096, 3, 4, 4 * 4096));
}

#[test]
fn a_whole_file_that_is_missing_is_named() {
    let disk = FaultyDisk::new(1);
    let journal = created(&disk);
    (1..40).for_each(|n| drop(journal.append(&[note(n, "entry")]).unwrap()));
    drop(journal);
    disk.remove(Path::new("/log/journal/000002.jnl")).unwrap();
    assert!(matches!(Journal::open(on(&disk, 0)), Err(JournalError::Corrupt { expected: 16, found: 32, .. })));
}

#[test]
fn damage_at_the_end_is_cut_unless_a_checkpoint_was_published() {
    let disk = FaultyDisk::new(1);
    let journal = created(&disk);
    journal.checkpoint(at(60)).unwrap();
    journal.append(&[note(1, "entry")]).unwrap();
    drop(journal);
    flip(&disk, "/log/journal/000001.jnl", 3 * 4096 + 100);
    assert_eq!(reopened(&disk).size(), 16);
    flip(&disk, "/log/journal/000001.jnl", 4096 + 100);
    flip(&disk, "/log/journal/000001.jnl", 2 * 4096 + 100);
    let error = Journal::open(on(&disk, 0)).err().unwrap();
    assert!(matches!(error, JournalError::Behind { entries: 1, signed: 16 }), "{error}");
}

#[test]
fn an_old_state_restored_from_backup_is_found() {
    let disk = FaultyDisk::new(1);
    let journal = created(&disk);
    journal.checkpoint(at(60)).unwrap();
    let backup = disk.image(Path::new("/log/journal"));
    journal.append(&[note(1, "entry")]).unwrap();
    journal.checkpoint(at(120)).unwrap();
    drop(journal);
    disk.restore(&backup);
    assert!(matches!(Journal::open(on(&disk, 0)), Err(JournalError::Behind { entries: 16, signed: 32 })));
}

#[test]
fn another_past_than_the_published_one_is_found() {
    let (disk, other) = (FaultyDisk::new(1), FaultyDisk::new(1));
    for (disk, what) in [(&disk, "what was done"), (&other, "what is said to have been done")] {
        let journal = created(disk);
        journal.append(&[note(1, what)]).unwrap();
        journal.checkpoint(at(60)).unwrap();
    }
    disk.restore(&other.image(Path::new("/log/journal")));
    assert!(matches!(Journal::open(on(&disk, 0)), Err(JournalError::Forked { size: 16 })));
}

#[test]
fn an_observer_of_checkpoints_sees_no_difference_between_a_quiet_and_a_busy_minute() {
    let sizes = |looks: usize| {
        let disk = FaultyDisk::new(1);
        let journal = created(&disk);
        let mut sizes = vec![journal.checkpoint(at(60)).unwrap().size];
        (0..looks).for_each(|_| drop(journal.append(&[note(61, "a look")]).unwrap()));
        sizes.push(journal.checkpoint(at(120)).unwrap().size);
        sizes.push(journal.checkpoint(at(180)).unwrap().size);
        let files: Vec<_> =
            disk.image(Path::new("/log/public")).files().iter().map(|(p, b)| (p.clone(), b.len())).collect();
        (sizes, files)
    };
    assert_eq!(sizes(0).0, [16, 32, 48]);
    assert_eq!(sizes(0), sizes(1));
    assert_eq!(sizes(0), sizes(16));
    assert_eq!(sizes(17).0, [16, 48, 64]);
}

#[test]
fn a_stranger_recomputes_the_root_from_the_public_files() {
    let disk = FaultyDisk::new(1);
    let journal = created(&disk);
    journal.checkpoint(at(0)).unwrap();
    (16..300).for_each(|n| drop(journal.append(&[note(n, "entry")]).unwrap()));
    let checkpoint = journal.checkpoint(at(300)).unwrap();
    assert_eq!(checkpoint.size, 16 + 512);
    let public = disk.image(Path::new("/log/public"));
    let file = |name: &str| {
        let path = Path::new("/log/public").join(name);
        public.files().iter().find(|(found, _)| *found == path).map(|(_, bytes)| bytes.clone()).unwrap()
    };
    assert_eq!(journal.checkpoint_key().verify(&file("checkpoint")).unwrap(), checkpoint);
    let entries = ["tile/entries/000", "tile/entries/001", "tile/entries/002.p/16"].map(file).concat();
    let commitments: Vec<Digest> = entries.chunks(34).map(|entry| Digest(entry[2..].try_into().unwrap())).collect();
    assert_eq!(root_of(&commitments), checkpoint.root);
    let proof = journal.prove_inclusion(528, 7).unwrap();
    verify_inclusion(&proof, 528, checkpoint.root, 7, &commitments[7]).unwrap();
    assert_eq!(file("tile/1/000.p/2").len(), 64);
    let replaced = |path: &Path| path.starts_with("/log/public/tile/0/000.p");
    assert!(!public.files().iter().any(|(path, _)| replaced(path)), "a full tile replaced its partial ones");
}

#[test]
fn public_files_that_are_missing_or_short_are_made_again() {
    let disk = FaultyDisk::new(1);
    let journal = created(&disk);
    (1..300).for_each(|n| drop(journal.append(&[note(n, "entry")]).unwrap()));
    journal.checkpoint(at(300)).unwrap();
    drop(journal);
    let before = disk.image(Path::new("/log/public"));
    disk.remove(Path::new("/log/public/tile/entries/000")).unwrap();
    disk.remove(Path::new("/log/public/checkpoint")).unwrap();
    disk.open(Path::new("/log/public/tile/0/001"), Open::Write).unwrap().set_len(100).unwrap();
    reopened(&disk).checkpoint(at(360)).unwrap();
    let after = disk.image(Path::new("/log/public"));
    for (path, bytes) in before.files().iter().filter(|(path, _)| !path.ends_with("checkpoint")) {
        assert!(after.files().iter().any(|(found, now)| found == path && now == bytes), "{}", path.display());
    }
    check_holds(&reopened(&disk));
}

#[test]
fn no_name_and_no_reason_is_in_clear_on_the_disk() {
    let disk = FaultyDisk::new(1);
    let journal = created(&disk);
    let look = Event::Look {
        permit: domain::PermitId([5; 16]),
        who: Sensitive::new("the operator's name".into()),
        role: "operator".into(),
        live: true,
        cameras: vec![CameraId([6; 16])],
        span: None,
        purpose: Purpose::TrafficRegulation,
        reason: Sensitive::new("the operator's reason".into()),
        stated: None,
        rules: vec![],
    };
    journal.append(&[Entry::new(at(1), Actor::Schedule, look)]).unwrap();
    journal.checkpoint(at(60)).unwrap();
    for (path, bytes) in disk.all_bytes_ever_written() {
        for clear in ["operator", "traffic", "dummy", "opened"] {
            assert!(!bytes.windows(clear.len()).any(|window| window == clear.as_bytes()), "{}", path.display());
        }
    }
}

#[test]
fn entries_of_a_month_whose_key_died_stay_proved() {
    let disk = FaultyDisk::new(1);
    let journal = created(&disk);
    journal.checkpoint(at(0)).unwrap();
    let month = Month::of(at(0));
    let announced = Event::LogKeyCondemned { month, retention_months: 12, keys_destroyed: 0, carried: 0 };
    let next_year = Entry::new(at(400 * 86_400), Actor::Schedule, announced);
    journal.append(std::slice::from_ref(&next_year)).unwrap();
    let key = journal.checkpoint_key();
    drop(journal);
    let keys = Arc::new(Months { gone: Some(month) });
    let journal = Journal::open(JournalParts { keys: keys.clone(), ..on(&disk, 9) }).unwrap();
    assert!(matches!(journal.entry(0), Err(JournalError::Key(LogKeyError::Gone { month: gone })) if gone == month));
    assert_eq!(journal.entry(16).unwrap(), next_year);
    let report = check_holds(&journal);
    assert_eq!((report.closed, report.checkpoints, report.unsigned), (16, 1, 1));
    let place = JournalPlace::in_folder(Path::new("/log"));
    let offline = verify_folder(Arc::new(disk), &place, (SITE, LOG), &key, keys.as_ref(), &[], at(0)).unwrap();
    assert_eq!(offline, report);
}

#[test]
fn more_than_fits_a_group_is_refused_before_it_is_written() {
    let disk = FaultyDisk::new(1);
    let journal = created(&disk);
    let entries = vec![note(1, &"z".repeat(5_000)); 4];
    assert!(matches!(journal.append(&entries), Err(JournalError::TooLarge { bytes_max: 16_384, .. })));
    assert_eq!(journal.append(&entries[..2]).unwrap(), [1, 2]);
}
