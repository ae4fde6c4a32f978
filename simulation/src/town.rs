//! The town: its machine, its processes, its people, and what the judge beside it knows.

use crate::{
    checks::Watch,
    disks::Disks,
    people::People,
    recording::{KILLED, NO_KEY, POWER_CUT, Place, Recording, locked},
    street::Street,
    support::{Opened, World, camera, demonstration_acts, fast_folder, registry_like, start_session},
    truth::{Fate, Truth},
    wire::Wire,
};
use catalog::{Camera, Registry};
use domain::{CameraId, Clock, Hour, Purpose, StreamId, StreamKind, UtcMicros};
use simulator::random::Dice;
use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{Arc, LazyLock, Mutex},
};
use tempfile::TempDir;
use vault::store;

/// Cameras and their delays in days; camera 1 has a sub-stream. Two share a delay, so that one order leaves a living reel beside a dead.
pub const DELAYS: [i64; 4] = [1, 3, 3, 30];
const START_MICROS: i64 = 180_000;

/// Everything.
pub struct Town {
    pub seed: u64,
    pub world: World,
    pub opened: Option<Opened>,
    pub recording: Option<Recording>,
    pub street: Street,
    pub place: Place,
    pub registry: Registry,
    pub dice: Dice,
    /// Commitments of all entries that somebody was told of.
    pub told: Vec<ledger::Commitment>,
    /// Camera-hours whose keys were seen to be dead.
    pub seen_dead: BTreeSet<(Hour, CameraId)>,
    /// When something last went wrong that may cost a recorder its keys.
    pub troubled: UtcMicros,
    /// Since the last sync a fault of the disk was planned or the store was out of reach.
    pub disk_troubled: bool,
    /// The disks of the store.
    pub disks: Disks,
    pub people: People,
    /// When the keeper last began, could not finish a second's work, or trusted no time.
    pub keeper_troubled: UtcMicros,
    /// The auditor of destruction.
    pub watch: Watch,
    _folder: TempDir,
}

impl Town {
    pub fn new(seed: u64) -> Town {
        let world = World::beside(seed, registry_like(&TEMPLATE));
        let disks = Disks::make(seed, &world.disk);
        let folder = fast_folder();
        let truth = Truth::new(delays());
        let truth = Arc::new(Mutex::new(truth));
        let place = place(&world, disks.places(), folder.path().join("footage.db"), truth, seed);
        let registry = Registry::open(&world.registry_path()).expect("the registry was just made");
        let (opened, recording, told) = (None, None, Vec::new());
        let (street, dice) = (Street::new(streams().into_iter()), Dice::new(seed, 1));
        let (troubled, disk_troubled) = (world.true_time(), false);
        let watch = Watch::new(Arc::new(world.disk.clone()), disks.paths(), world.clock.boot_id());
        Town {
            seed,
            world,
            opened,
            recording,
            street,
            place,
            registry,
            dice,
            told,
            seen_dead: BTreeSet::new(),
            troubled,
            disk_troubled,
            disks,
            people: People::default(),
            keeper_troubled: troubled,
            watch,
            _folder: folder,
        }
    }

    /// By the true time.
    pub fn now(&self) -> UtcMicros {
        self.world.true_time()
    }

    pub fn core(&self) -> Option<Arc<keeper::KeeperCore>> {
        self.opened.as_ref().map(|opened| opened.core.clone())
    }

    /// Both processes live as far as they can: what is down is started, as the supervisor does.
    pub fn revive(&mut self) -> Result<(), String> {
        if self.world.disk.is_off() {
            self.power_cut();
        }
        if self.opened.is_none() || self.recording.is_none() {
            self.world.clock.pass_micros(START_MICROS); // nothing starts in no time
        }
        if self.opened.is_none() {
            self.place.wire.connect(None);
            let opened = self.world.try_open();
            match opened {
                Ok(opened) => {
                    self.opened = Some(opened);
                    self.keeper_troubled = self.now();
                }
                // a planned fault met the start: the next one comes
                Err(_) if self.disk_troubled || self.world.disk.is_off() => return Ok(()),
                Err(why) => return Err(format!("the keeper does not start: {why}")),
            }
            self.place.wire.connect(self.core());
        }
        if self.recording.is_none()
            && let Some(core) = self.core()
        {
            match Recording::begin(&self.place, &core, &streams()) {
                Ok(run) => self.recording = Some(run),
                Err(_) if self.disk_troubled || self.world.disk.is_off() => {}
                Err(why) => return Err(format!("the recorder does not start: {why}")),
            }
        }
        Ok(())
    }

    /// Everything is off and on again; what no sync answered for may be lost.
    pub fn power_cut(&mut self) {
        self.lose(POWER_CUT);
        (self.recording, self.opened) = (None, None);
        self.place.wire.connect(None);
        self.world.disk.reboot();
        self.note_trouble();
    }

    pub fn kill_recorder(&mut self) {
        self.lose(KILLED);
        self.recording = None;
        self.note_trouble();
    }

    pub fn kill_keeper(&mut self) {
        self.place.wire.connect(None);
        self.opened = None;
        self.note_trouble();
    }

    pub fn note_trouble(&mut self) {
        self.troubled = self.now();
    }

    /// Plans a fault of the disk within the next operations.
    pub fn plan(&mut self, within: usize, fault: disk::Fault) {
        let step = self.world.disk.steps() + self.dice.below(within) as u64;
        self.world.disk.plan(step, fault);
        self.disk_troubled = true;
        self.note_trouble();
    }

    fn lose(&self, why: &'static str) {
        locked(&self.place.truth).settle(|_| Fate::Excused(why));
    }

    /// An operator signs in anew and gets a permit; none: the gate refused.
    pub fn sign_in(&self) {
        sign_in(&self.registry, self.core().map_or(self.now(), |core| believed(&core)));
    }

    /// Chunks that were lost without a reason that explains it.
    pub fn unexplained(&self) -> Option<String> {
        let truth = locked(&self.place.truth);
        let keys_reach_to = self.troubled.plus_seconds(3 * 3_600);
        let unexplained = streams()
            .into_iter()
            .flat_map(|stream| truth.of(stream))
            .find(|given| given.fate == Fate::Excused(NO_KEY) && keys_reach_to < given.at)?;
        Some(format!(
            "{:?} at {} had no key, and nothing was wrong since {}",
            unexplained.chunk.stream, unexplained.at, self.troubled
        ))
    }
}

/// The time that the keeper goes by.
pub fn believed(core: &keeper::KeeperCore) -> UtcMicros {
    let judgement = core.judgement();
    judgement.trusted.unwrap_or(judgement.fastest)
}

pub fn sign_in(registry: &Registry, now: UtcMicros) {
    // a session of a doubt may lie in the future
    let forgotten = registry.sessions_forget(UtcMicros(i64::MAX));
    forgotten.expect("the registry lies on a disk of its own");
    start_session(registry, 1, "operator", now);
}

pub fn place(world: &World, stores: Vec<store::Place>, footage: PathBuf, truth: Arc<Mutex<Truth>>, seed: u64) -> Place {
    let (clock, timed) = (world.clock.clone(), world.clock.clone());
    let true_time = move || domain::Clock::utc(&*timed).plus_seconds(-timed.off_seconds());
    Place {
        disk: Arc::new(world.disk.clone()),
        clock,
        random: world.random.clone(),
        stores,
        footage,
        wire: Arc::new(Wire::new(Dice::new(seed, 2))),
        truth,
        true_time: Arc::new(true_time),
    }
}

pub fn streams() -> Vec<StreamId> {
    let main = cameras().map(StreamId::main);
    main.chain([StreamId { kind: StreamKind::Sub, ..StreamId::main(camera(1)) }]).collect()
}

pub fn cameras() -> impl Iterator<Item = CameraId> {
    (1..=DELAYS.len() as u8).map(camera)
}

fn delays() -> std::collections::BTreeMap<CameraId, i64> {
    cameras().zip(DELAYS).collect()
}

/// The registry that every town begins with; making one takes longer than a life.
static TEMPLATE: LazyLock<TempDir> = LazyLock::new(|| {
    let folder = crate::support::bare_registry();
    let registry = Registry::open(&folder.path().join("registry")).expect("it was just made");
    for (id, delay) in cameras().zip(DELAYS) {
        let camera = Camera {
            id,
            name: format!("camera {}", id.0[0]),
            place: "a place".into(),
            url: format!("rtsp://192.0.2.{}/main", id.0[0]),
            sub_url: (id == camera(1)).then(|| "rtsp://192.0.2.1/sub".into()),
            credential: None,
            delay_days: delay as u32,
            purposes: vec![Purpose::SafetyOfPersonsAndProperty],
            fingerprint: None,
            rights: Default::default(),
            class: None,
        };
        let since = crate::support::utc(-crate::support::DAY);
        registry.camera_put(&camera, since, since).expect("a new registry takes cameras");
    }
    registry.acts_put(&demonstration_acts(), crate::support::utc(-crate::support::DAY)).expect("and papers");
    folder
});
