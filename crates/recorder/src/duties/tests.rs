//! Claims about dead footage on a disk that is missing: told as residual, its row kept, given back when the disk returns.

use super::*;
use catalog::{NewReel, ReelEnd, ReelState, StreamRow};
use disk::FaultyDisk;
use domain::{
    CameraId, Clock, Hour, Random, RootId, RunId, Secret32, SiteId, UtcMicros,
    world::{BootId, BootMicros},
};
use seal::sign::{RunCertificate, SigningKey};
use std::{path::Path, sync::Mutex};
use vault::{
    KeeperError,
    keeper::{
        Ask, Beat, ExtentsQuery, HeldQuery, KeyAnswer, KeyQuery, Minted, Pulse, RunGrant, SessionSecret, StreamFate,
        Verdict, WrapQuery, Wrapping,
    },
    store::{Marker, Piece, Place, Root, first_slot},
};

const SITE: SiteId = SiteId([1; 16]);
const CAMERA: CameraId = CameraId([2; 16]);

/// A keeper that hears.
#[derive(Default)]
struct Ear(Mutex<Vec<Fact>>);

impl Keeper for Ear {
    fn mint(&self, _: Hour, _: RunId, _: &[StreamId]) -> Result<Vec<Minted>, KeeperError> {
        Ok(Vec::new())
    }
    fn pass(&self, _: &SessionSecret, _: &Ask) -> Result<Verdict, KeeperError> {
        Err(KeeperError::NoSession)
    }
    fn keys(&self, _: &KeyQuery) -> Result<KeyAnswer, KeeperError> {
        Err(KeeperError::NoPermit)
    }
    fn check(&self, _: &Beat) -> Result<Pulse, KeeperError> {
        Ok(Pulse::default())
    }
    fn enter(&self, facts: &[Fact]) -> Result<(), KeeperError> {
        self.0.lock().unwrap().extend(facts.iter().cloned());
        Ok(())
    }
    fn begin_rebuild(&self, _: u64, _: &str) -> Result<u64, KeeperError> {
        Ok(1)
    }
    fn extents(&self, _: &ExtentsQuery) -> Result<Vec<StreamFate>, KeeperError> {
        Ok(Vec::new())
    }
    fn wrap(&self, _: &WrapQuery) -> Result<Wrapping, KeeperError> {
        Err(KeeperError::NoPermit)
    }
    fn held_keys(&self, _: &HeldQuery) -> Result<KeyAnswer, KeeperError> {
        Err(KeeperError::NoPermit)
    }
}

struct Still;

impl Clock for Still {
    fn utc(&self) -> UtcMicros {
        now()
    }
    fn boot(&self) -> BootMicros {
        BootMicros(0)
    }
    fn boot_id(&self) -> BootId {
        BootId([1; 16])
    }
}

struct Same;

impl Random for Same {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(7);
    }
}

fn now() -> UtcMicros {
    UtcMicros::from_seconds(1_800_000_000)
}

fn hour() -> Hour {
    HourLength::PRODUCT.hour_of(now().plus_seconds(-30 * 86_400))
}

fn grant() -> RunGrant {
    let (site, run) = (SigningKey::from_seed(&Secret32::draw(&Same)), SigningKey::from_seed(&Secret32::draw(&Same)));
    let certificate = RunCertificate::issue(&site, SITE, RunId([3; 16]), run.public());
    RunGrant { certificate, site_key: site.public(), anchor: now(), at_least: now() }
}

/// A reel of the dead hour in the first slot of each root.
fn reel(number: u8) -> (ReelId, Location) {
    let piece = Piece { slot: first_slot(number), slot_offset: 4_096, reel_offset: 0, bytes: 4_096 };
    (ReelId([number + 1; 16]), Location { pieces: vec![piece], index: None })
}

fn enter_reel(footage: &Footage, number: u8) {
    let (reel, location) = reel(number);
    let (location, hour, deadline) = (location.to_bytes(), hour(), now().plus_seconds(-7_200));
    let opened_at = hour.start();
    let new = NewReel { reel, run: RunId([9; 16]), hour, deadline, location: location.clone(), opened_at };
    footage.reel_opened(&new).unwrap();
    let (stream, first_utc, last_utc) = (StreamId::main(CAMERA), hour.start(), hour.start().plus_seconds(60));
    let part = StreamRow { reel, handle: 0, stream, first_utc, last_utc, frames: 5, chunks: 1, bytes: 4_096 };
    footage.reel_streams(&[part]).unwrap();
    footage.reel_closed(reel, &ReelEnd { location, root: [1; 32], bytes: 4_096, closed_at: last_utc }).unwrap();
}

fn duties(disk: &FaultyDisk, folder: &Path) -> (Duties, Arc<Ear>) {
    let places = [("/one", 0), ("/two", 1)].map(|(path, number)| {
        let marker =
            Marker { format: 1, site: SITE, root: RootId([number; 16]), slot_bytes: 8_192, slots_max: 1, number };
        let root = Root::create(Arc::new(disk.clone()), Path::new(path), marker).unwrap();
        root.prepare(1).unwrap();
        Place { path: path.into(), slots_max: None }
    });
    let store = Arc::new(LocalStore::open_all(Arc::new(disk.clone()), &places, SITE).unwrap());
    let footage = Arc::new(Footage::open(&folder.join("footage.db"), SITE).unwrap());
    [0, 1].iter().for_each(|number| enter_reel(&footage, *number));
    store.in_use([first_slot(0), first_slot(1)]);
    let admitter = Admitter::new(grant(), &Secret32::draw(&Same), store.clone(), footage.clone(), Arc::new(Same));
    let ear = Arc::new(Ear::default());
    let duties = Duties {
        keeper: ear.clone(),
        admitter: Arc::new(Mutex::new(admitter)),
        store,
        footage,
        report: Arc::default(),
        time: RunTime::new(now(), 0, Arc::new(Still)),
        hour_length: HourLength::PRODUCT,
        turn: Arc::default(),
        freed: HashSet::new(),
    };
    (duties, ear)
}

#[test]
fn dead_footage_on_a_missing_disk_is_told_as_residual_and_given_back_when_the_disk_returns() {
    let (disk, folder) = (FaultyDisk::new(3), tempfile::tempdir().unwrap());
    let (mut duties, ear) = duties(&disk, folder.path());
    disk.unplug(Path::new("/two"));
    duties.store.roots().iter().for_each(|root| assert!(root.look() == root.trouble()));
    duties.free(&Dead { hour: hour(), cameras: vec![CAMERA] });
    let told = ear.0.lock().unwrap().clone();
    let [Fact::Freed { reels, residual, .. }] = &told[..] else { panic!("{told:?}") };
    assert_eq!((reels.len(), residual.len(), residual[0].0), (2, 1, reel(1).0));
    assert_eq!(duties.store.free_slots(), [first_slot(0)].into(), "what is there is given back at once");
    let states = |number: u8| duties.footage.reel(reel(number).0).unwrap().map(|row| row.state);
    assert_eq!((states(0), states(1)), (None, Some(ReelState::Dead)), "the row stays, and opens nothing");
    duties.look_over();
    assert_eq!(states(1), Some(ReelState::Dead));
    disk.plug(Path::new("/two"));
    duties.store.roots().iter().for_each(|root| assert_eq!(root.look(), None));
    duties.look_over();
    assert_eq!(states(1), None);
    assert_eq!(duties.store.free_slots(), [first_slot(0), first_slot(1)].into());
}

#[test]
fn nothing_is_freed_before_what_lies_on_the_disks_was_counted_nor_where_too_much_is_missing() {
    let (disk, folder) = (FaultyDisk::new(3), tempfile::tempdir().unwrap());
    let (mut duties, ear) = duties(&disk, folder.path());
    duties.store.await_census();
    duties.free(&Dead { hour: hour(), cameras: vec![CAMERA] });
    duties.look_over();
    assert!(ear.0.lock().unwrap().is_empty() && duties.store.free_slots().is_empty());
    duties.store.counted();
    duties.store.root(1).unwrap().hold(true);
    duties.free(&Dead { hour: hour(), cameras: vec![CAMERA] });
    assert_eq!(duties.store.free_slots(), [first_slot(0)].into());
    duties.store.root(1).unwrap().hold(false);
    duties.look_over();
    assert_eq!(duties.store.free_slots(), [first_slot(0), first_slot(1)].into());
}
