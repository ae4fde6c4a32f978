//! What the auditor opens: headers of reels and the log's checkpoint, for reading only; it writes its verdict and nothing else.

use auditor::{AuditorParts, AuditorRole, eyes::Eyes, judge::Alarm};
use disk::{Disk, DiskError, DiskFile, FaultyDisk, Open, write_all};
use domain::{
    Clock, Hour, HourLength, ReelId, RunId, SiteId, UtcMicros,
    limit::{BLOCK_BYTES, RETENTION_SLOTS_PER_LOOK},
    world::{BootId, BootMicros},
};
use keeper::wire::{HourKeys, KeysAlive, RetentionView};
use ledger::{Checkpoint, CheckpointSigner, Digest};
use seal::{
    reel::ReelHeader,
    sign::{RunCertificate, SigningKey},
};
use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
};

const START: i64 = 1_773_324_000;

fn hour(n: i64) -> Hour {
    HourLength::PRODUCT.hour_of(UtcMicros::from_seconds(START)).plus(n)
}

fn deadline(hour: Hour, days: u32) -> UtcMicros {
    UtcMicros::from_seconds(auditor::calendar::deadline(hour.start_seconds(), days))
}

/// A disk that notes what is done with it.
struct Noting {
    disk: FaultyDisk,
    opened: Mutex<Vec<(PathBuf, Open)>>,
    changed: Mutex<Vec<PathBuf>>,
    /// Folders of a disk that was pulled out.
    away: Mutex<Vec<PathBuf>>,
}

impl Noting {
    fn change(&self, path: &Path) {
        self.changed.lock().unwrap().push(path.to_owned());
    }
}

impl Disk for Noting {
    fn open(&self, path: &Path, how: Open) -> disk::Result<Arc<dyn DiskFile>> {
        self.opened.lock().unwrap().push((path.to_owned(), how));
        self.disk.open(path, how)
    }
    fn exists(&self, path: &Path) -> disk::Result<bool> {
        self.disk.exists(path)
    }
    fn create_dir(&self, path: &Path) -> disk::Result<()> {
        self.change(path);
        self.disk.create_dir(path)
    }
    fn list(&self, path: &Path) -> disk::Result<Vec<String>> {
        if self.away.lock().unwrap().iter().any(|folder| path.starts_with(folder)) {
            return Err(DiskError { operation: "list", path: path.to_owned(), source: ErrorKind::NotFound.into() });
        }
        self.disk.list(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> disk::Result<()> {
        self.change(to);
        self.disk.rename(from, to)
    }
    fn remove(&self, path: &Path) -> disk::Result<()> {
        self.change(path);
        self.disk.remove(path)
    }
    fn sync_dir(&self, path: &Path) -> disk::Result<()> {
        self.disk.sync_dir(path)
    }
}

struct Hands(AtomicI64);

impl Clock for Hands {
    fn utc(&self) -> UtcMicros {
        UtcMicros::from_seconds(self.0.load(Ordering::SeqCst))
    }
    fn boot(&self) -> BootMicros {
        BootMicros(self.0.load(Ordering::SeqCst) * 1_000_000)
    }
    fn boot_id(&self) -> BootId {
        BootId([1; 16])
    }
}

fn site_key() -> SigningKey {
    SigningKey::from_seed(&domain::Secret32::new([5; 32]))
}

/// A slot in which a reel begins, signed under the site key `by`.
fn write_slot(disk: &dyn Disk, number: u32, hour: Hour, deadline: UtcMicros, by: &SigningKey) {
    write_slot_of("/store", disk, number, hour, deadline, by);
}

fn write_slot_of(root: &str, disk: &dyn Disk, number: u32, hour: Hour, deadline: UtcMicros, by: &SigningKey) {
    let run_key = SigningKey::from_seed(&domain::Secret32::new([6; 32]));
    let (site, run) = (SiteId([1; 16]), RunId([2; 16]));
    let certificate = RunCertificate::issue(by, site, run, run_key.public());
    let reel_key = SigningKey::from_seed(&domain::Secret32::new([7; 32])).public();
    let header = ReelHeader { reel: ReelId([number as u8; 16]), hour, deadline, reel_key, certificate };
    let mut bytes = vec![0; BLOCK_BYTES];
    bytes.extend(header.to_record(&run_key));
    bytes.resize(4 * BLOCK_BYTES, 0);
    write_all(disk, &Path::new(root).join("slots").join(format!("{number:08}.slot")), &bytes).unwrap();
}

fn noting(disk: FaultyDisk) -> Arc<Noting> {
    Arc::new(Noting { disk, opened: Mutex::default(), changed: Mutex::default(), away: Mutex::default() })
}

fn town() -> Arc<Noting> {
    let disk = FaultyDisk::new(3);
    for folder in ["/store/slots", "/log/public", "/keyring"] {
        disk.create_dir(Path::new(folder)).unwrap();
    }
    write_all(&disk, Path::new("/keyring/root"), b"a secret").unwrap();
    for number in 1..=450 {
        write_slot(&disk, number, hour(i64::from(number % 9)), deadline(hour(i64::from(number % 9)), 30), &site_key());
    }
    noting(disk)
}

fn view(now: UtcMicros) -> RetentionView {
    let of = |n| HourKeys {
        hour: hour(n),
        alive: vec![KeysAlive { deadline: deadline(hour(n), 30), days: 30, keys: 2 }],
        ended: 0,
    };
    let hours = (0..9).map(of).collect();
    RetentionView { now: Some(now), turned_seconds: Some(3), site_key: site_key().public(), hours, ended: vec![] }
}

/// An auditor whose keeper says what is right, ten hours after the start.
fn auditor_of(disk: &Arc<Noting>) -> (Arc<Hands>, AuditorRole) {
    auditor_told(disk, |now| Some(view(now)))
}

/// One whose keeper says what `word` says.
fn auditor_told(
    disk: &Arc<Noting>,
    word: impl Fn(UtcMicros) -> Option<RetentionView> + Send + 'static,
) -> (Arc<Hands>, AuditorRole) {
    let clock = Arc::new(Hands(AtomicI64::new(START + 10 * 3_600)));
    let of_keeper = clock.clone();
    let parts = AuditorParts {
        disk: disk.clone(),
        clock: clock.clone(),
        stores: vec!["/store".into()],
        public: "/log/public".into(),
        verdict: "/auditor/verdict.json".into(),
        keeper: Box::new(move || word(of_keeper.utc())),
    };
    (clock, AuditorRole::open(parts).unwrap())
}

#[test]
fn it_opens_slots_and_the_checkpoint_for_reading_only_and_writes_nothing_but_its_verdict() {
    let disk = town();
    let (clock, mut role) = auditor_of(&disk);
    for _ in 0..40 {
        clock.0.fetch_add(60, Ordering::SeqCst);
        assert_eq!(role.look().unwrap().raised, []);
    }
    let opened = disk.opened.lock().unwrap();
    let of = |folder: &str| opened.iter().filter(|(path, _)| path.starts_with(folder)).count();
    assert!(of("/store/slots") > 40 && of("/log/public") == 40 && of("/auditor") > 40);
    assert_eq!(of("/store/slots") + of("/log/public") + of("/auditor"), opened.len(), "nothing else is opened");
    for (path, how) in opened.iter().filter(|(path, _)| !path.starts_with("/auditor")) {
        assert_eq!(*how, Open::Read, "{path:?}");
    }
    for path in disk.changed.lock().unwrap().iter() {
        assert!(path.starts_with("/auditor"), "{path:?} was changed");
    }
}

#[test]
fn all_slots_are_read_in_turn_and_a_header_that_the_town_did_not_sign_says_nothing() {
    let disk = town();
    let mut eyes = Eyes::new(disk.clone(), &["/store".into()], Path::new("/log/public"));
    let key = site_key().public();
    for looked in 1..=3 {
        eyes.look_at_store(&key);
        assert_eq!(eyes.slots_seen(), (RETENTION_SLOTS_PER_LOOK * looked).min(450));
    }
    assert_eq!(eyes.look_at_store(&key).len(), 9, "nine hours");
    // a slot is used again; another is somebody's forgery
    write_slot(&disk.disk, 1, hour(40), deadline(hour(40), 30), &site_key());
    let forger = SigningKey::from_seed(&domain::Secret32::new([66; 32]));
    write_slot(&disk.disk, 2, hour(900), hour(9_000).start(), &forger);
    let mut last = Default::default();
    for _ in 0..3 {
        last = eyes.look_at_store(&key);
    }
    assert_eq!((last.len(), eyes.slots_seen()), (10, 449));
    assert!(last.iter().any(|sight| sight.hour == hour(40)) && last.iter().all(|sight| sight.hour < hour(900)));
}

#[test]
fn a_reel_whose_signed_deadline_lies_beyond_the_law_is_told_though_the_keeper_says_nothing_wrong() {
    let disk = town();
    let late = deadline(hour(3), 30).plus_seconds(86_400);
    write_slot(&disk.disk, 5, hour(3), late, &site_key());
    let (clock, mut role) = auditor_of(&disk);
    role.look().unwrap();
    clock.0.fetch_add(60, Ordering::SeqCst);
    let raised = &role.look().unwrap().raised;
    assert!(matches!(raised[0].alarm, Alarm::TooFar { hours: 1, first } if first == hour(3).start()), "{raised:?}");
}

#[test]
fn the_size_of_the_log_is_the_one_that_its_checkpoint_names() {
    let disk = town();
    let eyes = Eyes::new(disk.clone(), &["/store".into()], Path::new("/log/public"));
    assert_eq!(eyes.log_size(), None);
    let signer = CheckpointSigner::new("vigie/a/b", &domain::Secret32::new([3; 32])).unwrap();
    let note = signer.sign(Checkpoint { size: 4_096, root: Digest([4; 32]) }).unwrap();
    write_all(&disk.disk, Path::new("/log/public/checkpoint"), &note).unwrap();
    assert_eq!(eyes.log_size(), Some(4_096));
}

#[test]
fn what_was_seen_on_a_disk_that_is_away_stays_known_and_what_is_gone_from_one_that_is_there_does_not() {
    let disk = FaultyDisk::new(3);
    for (root, slots) in [("/store", 3), ("/second", 2)] {
        disk.create_dir(&Path::new(root).join("slots")).unwrap();
        for number in 1..=slots {
            let hour = hour(i64::from(number));
            write_slot_of(root, &disk, number, hour, deadline(hour, 30), &site_key());
        }
    }
    let disk = noting(disk);
    let roots = [PathBuf::from("/store"), PathBuf::from("/second")];
    let mut eyes = Eyes::new(disk.clone(), &roots, Path::new("/log/public"));
    let mut seen = |away: &[&str]| {
        *disk.away.lock().unwrap() = away.iter().map(PathBuf::from).collect();
        eyes.look_at_store(&site_key().public());
        eyes.slots_seen()
    };
    assert_eq!((seen(&[]), seen(&["/second"]), seen(&["/store", "/second"]), seen(&[])), (5, 5, 5, 5));
    disk.disk.remove(Path::new("/second/slots/00000001.slot")).unwrap();
    disk.disk.remove(Path::new("/store/slots/00000001.slot")).unwrap();
    assert_eq!((seen(&["/second"]), seen(&[])), (4, 3));
}

#[test]
fn its_verdict_counts_the_hours_of_which_a_key_lives_and_the_slots_that_it_read() {
    let disk = town();
    let (_, mut role) = auditor_told(&disk, |now| {
        let mut view = view(now);
        view.hours.push(HourKeys { hour: hour(9), alive: vec![], ended: 2 });
        Some(view)
    });
    let verdict = role.look().unwrap();
    assert_eq!((verdict.hours, verdict.slots), (9, RETENTION_SLOTS_PER_LOOK));
}

#[test]
fn a_keeper_that_says_nothing_for_ten_minutes_is_told_of_by_a_clock_that_nobody_sets() {
    let (clock, mut role) = auditor_told(&town(), |_| None);
    let mut raised = Vec::new();
    for minute in 0..=11 {
        assert_eq!(raised, [], "before minute {minute}");
        raised = role.look().unwrap().raised.iter().map(|raised| raised.alarm.clone()).collect();
        clock.0.fetch_add(60, Ordering::SeqCst);
    }
    assert_eq!(raised, [Alarm::Silent { minutes: 11 }]);
}
