//! What the auditor opens: headers of reels and the log's checkpoint, for reading only; it writes its verdict and nothing else.

use auditor::{AuditorParts, AuditorRole, eyes::Eyes, judge::Alarm};
use disk::{Disk, DiskFile, FaultyDisk, Open, write_all};
use domain::{
    Clock, Hour, HourLength, ReelId, RunId, SiteId, UtcMicros,
    limit::{BLOCK_BYTES, RETENTION_SLOTS_PER_LOOK},
    world::{BootId, BootMicros},
};
use keeper::wire::{HourKeys, KeysAlive, RetentionView};
use seal::{
    reel::ReelHeader,
    sign::{RunCertificate, SigningKey},
};
use std::{
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
    let run_key = SigningKey::from_seed(&domain::Secret32::new([6; 32]));
    let (site, run) = (SiteId([1; 16]), RunId([2; 16]));
    let certificate = RunCertificate::issue(by, site, run, run_key.public());
    let reel_key = SigningKey::from_seed(&domain::Secret32::new([7; 32])).public();
    let header = ReelHeader { reel: ReelId([number as u8; 16]), hour, deadline, reel_key, certificate };
    let mut bytes = vec![0; BLOCK_BYTES];
    bytes.extend(header.to_record(&run_key));
    bytes.resize(4 * BLOCK_BYTES, 0);
    write_all(disk, &Path::new("/store/slots").join(format!("{number:08}.slot")), &bytes).unwrap();
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
    Arc::new(Noting { disk, opened: Mutex::default(), changed: Mutex::default() })
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
    let clock = Arc::new(Hands(AtomicI64::new(START + 10 * 3_600)));
    let of_keeper = clock.clone();
    let parts = AuditorParts {
        disk: disk.clone(),
        clock: clock.clone(),
        stores: vec!["/store".into()],
        public: "/log/public".into(),
        verdict: "/auditor/verdict.json".into(),
        keeper: Box::new(move || Some(view(of_keeper.utc()))),
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
