//! Twelve cameras with delays of 3, 7, 15 and 30 days, the recorder's side of the vault, and what a thief would keep.

use crate::{calendar, support::*};
use catalog::{Camera, Footage, Registry};
use disk::Disk;
use domain::{
    CameraId, Codec, Hour, HourLength, MediaTicks, Purpose, Random, RootId, RunId, Secret32, Span, StreamId, UtcMicros,
};
use keyring::Which;
use media::{Chunk, FrameEntry, FrameKind, ParameterSets};
use seal::{CameraHourKey, KeyRecord, Kind, key::KeyContext, reel::ReelHeader, sign::SigningKey};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
};
use tempfile::TempDir;
use vault::{
    LocalStore, Location,
    admit::{Admitted, Admitter},
    keeper::{Beat, CameraClock, Fact, KeyQuery, Permit, ReelPart, Verdict, View},
    recover::{Closer, recover},
    replay::Replay,
    service::Located,
    store::{Marker, index_of},
};

pub const CAMERAS: u8 = 12;
const DELAYS: [i64; 12] = [3, 7, 30, 15, 3, 7, 15, 30, 3, 7, 15, 30];
const STORE: &str = "/store";
const SLOT_BYTES: u64 = 16 * 1024;

/// One chunk of a camera's hour, as it was recorded and as it lies in backups.
pub struct Given {
    pub hour: Hour,
    pub stream: StreamId,
    pub chunk: Chunk,
    /// When it must be gone, by the independent calendar and by the orders given since.
    pub deadline: UtcMicros,
    pub erased: bool,
    /// What a backup of the store holds: header, key record, extents; and the sealed chunk.
    pub part: ReelPart,
    pub record: Vec<u8>,
    pub handle: u16,
    pub number: u32,
    /// What a copy of the keyring of that day holds: a control only.
    pub old_key: CameraHourKey,
}

pub struct Town {
    pub world: World,
    pub opened: Option<Opened>,
    recorder: Option<Recorder>,
    pub given: BTreeMap<(Hour, CameraId), Given>,
    pub delays: BTreeMap<CameraId, i64>,
    registry: Registry,
    pub folder: TempDir,
}

struct Recorder {
    store: Arc<LocalStore>,
    footage: Arc<Footage>,
    admitter: Admitter,
}

impl Town {
    pub fn new(world: World, start: i64) -> Town {
        let registry = Registry::open(&world.registry_path()).unwrap();
        for n in 4..=CAMERAS {
            let camera = Camera {
                id: camera(n),
                name: format!("camera {n}"),
                place: "a place".into(),
                url: format!("rtsp://192.0.2.{n}/main"),
                sub_url: None,
                credential: None,
                delay_days: DELAYS[n as usize - 1] as u32,
                purposes: vec![Purpose::SafetyOfPersonsAndProperty],
                fingerprint: None,
            };
            registry.camera_put(&camera, utc(-DAY), utc(-DAY)).unwrap();
        }
        world.clock.pass(start - world.now().seconds());
        let marker = Marker { format: 1, site: SITE, root: RootId([7; 16]), slot_bytes: SLOT_BYTES, slots_max: 20_000 };
        LocalStore::create(Arc::new(world.disk.clone()), Path::new(STORE), marker).unwrap();
        let delays = (1..=CAMERAS).map(|n| (camera(n), DELAYS[n as usize - 1])).collect();
        let folder = fast_folder();
        let given = BTreeMap::new();
        let mut town = Town { world, opened: None, recorder: None, given, delays, registry, folder };
        town.start();
        town
    }

    /// Keeper and recorder start, after whatever ended them.
    pub fn start(&mut self) {
        (self.recorder, self.opened) = (None, None);
        self.world.disk.reboot();
        self.opened = Some(self.world.open());
        self.begin_run();
    }

    pub fn begin_run(&mut self) {
        self.recorder = None;
        let disk: Arc<dyn Disk> = Arc::new(self.world.disk.clone());
        let store = Arc::new(LocalStore::open(disk, Path::new(STORE), SITE).unwrap());
        let footage = Arc::new(Footage::open(&self.footage_path(), SITE).unwrap());
        let random: Arc<dyn Random> = self.world.random.clone();
        let seed = Secret32::draw(&*random);
        let run_key = SigningKey::from_seed(&seed);
        let grant = self.core().begin_run(RunId::draw(&*random), run_key.public()).unwrap();
        let closer = Closer { store: &store, footage: &footage, grant: &grant, run_key: &run_key, now: grant.anchor };
        let recovered = recover(&closer).unwrap();
        self.core().enter(&recovered.facts).unwrap();
        let admitter = Admitter::new(grant, &seed, store.clone(), footage.clone(), random);
        self.recorder = Some(Recorder { store, footage, admitter });
    }

    pub fn footage_path(&self) -> PathBuf {
        self.folder.path().join("footage.db")
    }

    pub fn now(&self) -> UtcMicros {
        self.world.true_time()
    }

    pub fn core(&self) -> Arc<keeper::KeeperCore> {
        self.opened.as_ref().unwrap().core.clone()
    }

    pub fn pass_until(&self, at: UtcMicros) {
        self.world.clock.pass(at.since(self.now()) / 1_000_000);
    }

    /// Each camera records one chunk in the present hour; two seconds and a minute later its reel is closed.
    pub fn record(&mut self) {
        let now = self.now();
        let hour = HourLength::PRODUCT.hour_of(now);
        let streams: Vec<StreamId> = self.delays.keys().map(|camera| StreamId::main(*camera)).collect();
        let core = self.core();
        let recorder = self.recorder.as_mut().unwrap();
        recorder.admitter.give_keys(core.mint(hour, recorder.admitter.run(), &streams).unwrap());
        let chunks: Vec<Chunk> = streams.iter().map(|stream| film(*stream, hour, now)).collect();
        for chunk in &chunks {
            assert_eq!(recorder.admitter.admit(chunk.clone(), now), Admitted::Waiting);
        }
        for seconds in [1, 64] {
            self.world.clock.pass(seconds);
            recorder.admitter.sync(now.plus_seconds(seconds)).unwrap();
        }
        core.enter(&recorder.admitter.take_facts()).unwrap();
        chunks.into_iter().for_each(|chunk| self.keep(hour, chunk));
    }

    /// Keeps what a backup of this moment would hold.
    fn keep(&mut self, hour: Hour, chunk: Chunk) {
        let stream = chunk.stream;
        let located = self.locate(stream, chunk.first_utc);
        let store = &self.recorder.as_ref().unwrap().store;
        let Located { reel, handle, location, .. } = located.last().unwrap().clone();
        let entries = index_of(store, reel, &location, handle).unwrap().unwrap();
        let mut reader = store.reader(&location);
        let mut records = |kind| {
            let of_kind = entries.iter().filter(|entry| entry.is(kind));
            of_kind.map(|entry| (entry.number, reader.record(reel, entry).unwrap())).collect::<Vec<_>>()
        };
        let key_record = records(Kind::Key)[0].1[64..].to_vec();
        let extents = records(Kind::Extent).into_iter().map(|(_, record)| record).collect();
        let (number, record) = records(Kind::Chunk).pop().unwrap();
        let payload_bytes = reader.header(reel, 0).unwrap().unwrap().payload_bytes;
        let header = reader.read(64, payload_bytes.into()).unwrap();
        let part = ReelPart { reel, header, key_record, extents };
        let page = self.opened.as_ref().unwrap().keyring.page(hour).unwrap().unwrap();
        let deadline = calendar::deadline(hour.start_seconds(), self.delays[&stream.camera]);
        let deadline = UtcMicros::from_seconds(deadline);
        assert_eq!(page.cameras[&stream.camera].deadline, deadline, "{stream:?} of {hour}");
        let old_key = CameraHourKey(page.cameras[&stream.camera].key.clone());
        let given = Given { hour, stream, chunk, deadline, erased: false, part, record, handle, number, old_key };
        self.given.insert((hour, stream.camera), given);
    }

    pub fn locate(&self, stream: StreamId, at: UtcMicros) -> Vec<Located> {
        let span = Span::new(at, at.plus_seconds(1)).unwrap();
        let rows = self.recorder.as_ref().unwrap().footage.locate(stream, span).unwrap();
        let located = |row: catalog::Located| Located {
            reel: row.reel.reel,
            hour: row.reel.hour,
            handle: row.stream.handle,
            location: Location::from_bytes(&row.reel.location).unwrap(),
            entries: None,
            first_utc: row.stream.first_utc,
            last_utc: row.stream.last_utc,
        };
        rows.into_iter().map(located).collect()
    }

    /// The keeper's second, and what the recorder does for it: dead space is freed and told.
    pub fn tick(&mut self) {
        self.core().tick().unwrap();
        self.free_dead();
    }

    fn free_dead(&mut self) {
        let Recorder { store, footage, .. } = self.recorder.as_ref().unwrap();
        for dead in self.core().check(&Beat::default()).unwrap().dead {
            let rows = footage.reels_dead(dead.hour, Some(&dead.cameras)).unwrap();
            let slots =
                |row: &catalog::ReelRow| Location::from_bytes(&row.location).unwrap().slots().collect::<Vec<_>>();
            let in_use: BTreeSet<u32> = footage.live_reels().unwrap().iter().flat_map(slots).collect();
            store.free(rows.iter().flat_map(slots).filter(|slot| !in_use.contains(slot)));
            let reels: Vec<_> = rows.iter().map(|row| row.reel).collect();
            let freed =
                Fact::Freed { hour: dead.hour, cameras: dead.cameras, reels: reels.clone(), residual: Vec::new() };
            self.core().enter(&[freed]).unwrap();
            footage.forget(&reels).unwrap();
        }
    }

    /// The cameras' clocks, all right, reach the keeper.
    pub fn hear_cameras(&self) {
        let now = self.now();
        let clocks =
            (1..=CAMERAS).map(|n| CameraClock { camera: camera(n), at: now.plus_micros(i64::from(n) * 40_000) });
        let beat = Beat { clocks: clocks.collect(), health: "{}".into(), ..Beat::default() };
        self.core().check(&beat).unwrap();
    }

    /// An operator's permit for all that may be replayed now; `None`: the gate refused.
    pub fn permit(&self) -> Option<Permit> {
        let by_keeper = self.core().judgement();
        let now = by_keeper.trusted.unwrap_or(by_keeper.fastest);
        self.registry.sessions_forget(UtcMicros(i64::MAX)).unwrap();
        start_session(&self.registry, 1, "operator", now);
        let span = Span::new(now.plus_seconds(-30 * DAY + 1), now.plus_seconds(-1)).unwrap();
        let all: Vec<u8> = (1..=CAMERAS).collect();
        match self.core().pass(&session("operator"), &ask(View::Replay(span), &all)).unwrap() {
            Verdict::Allowed(permit) => Some(permit),
            Verdict::Refused(_) => None,
        }
    }

    /// Whether the keeper gives keys for what a backup of the store holds, by the widest span there is a permit for.
    pub fn keys_open(&self, permit: &Permit, given: &Given) -> bool {
        let View::Replay(span) = permit.view else { return false };
        let query = KeyQuery { permit: permit.clone(), stream: given.stream, span, parts: vec![given.part.clone()] };
        let Ok(answer) = self.core().keys(&query) else { return false };
        let Some((number, key)) = answer.reels.first().and_then(|reel| reel.chunks.first()) else { return false };
        let opened = vault::open::open(given.record.clone(), key, given.stream, given.hour).unwrap();
        *number == given.number && opened == given.chunk
    }

    /// Whether replay gives it, from the store and the catalog of today.
    pub fn replay_opens(&self, permit: &Permit, given: &Given) -> bool {
        let store = &self.recorder.as_ref().unwrap().store;
        self.replay_from(store, permit, given, self.locate(given.stream, given.chunk.first_utc))
    }

    pub fn replay_from(&self, store: &LocalStore, permit: &Permit, given: &Given, reels: Vec<Located>) -> bool {
        let span = Span::new(given.chunk.first_utc, given.chunk.first_utc.plus_seconds(1)).unwrap();
        let core = self.core();
        let mut replay = Replay::new(&*core, store, permit.clone(), given.stream, span, reels);
        matches!(replay.next_reel(), Ok(Some(passages)) if passages.iter().map(|passage| &passage.chunk).eq([&given.chunk]))
    }

    /// The keys that the keyring still has, for the hour and for others.
    pub fn present_keys(&self, hours: impl Iterator<Item = Hour>) -> Vec<CameraHourKey> {
        let keyring = &self.opened.as_ref().unwrap().keyring;
        let pages = hours.filter_map(|hour| keyring.page(hour).unwrap());
        pages.flat_map(|page| page.cameras.into_values().map(|key| CameraHourKey(key.key))).collect()
    }

    /// An order came: what it names must be gone earlier.
    pub fn ordered(&mut self, camera: CameraId, delay_days: i64) {
        self.delays.insert(camera, delay_days);
        for ((hour, _), given) in self.given.iter_mut().filter(|((_, of), _)| *of == camera) {
            let deadline = UtcMicros::from_seconds(calendar::deadline(hour.start_seconds(), delay_days));
            given.deadline = given.deadline.min(deadline);
        }
    }

    pub fn erased(&mut self, camera: CameraId, before: UtcMicros) {
        let hours = self.given.iter_mut().filter(|((hour, of), _)| *of == camera && hour.start() < before);
        hours.for_each(|(_, given)| given.erased = true);
    }

    /// Whether the keyring's copy lacks the key, by any name.
    pub fn key_is_gone(&self, given: &Given) -> bool {
        let opened = self.opened.as_ref().unwrap();
        let page = opened.keyring.page(given.hour).unwrap();
        let listed = opened.keyring.condemned().into_iter().filter(|condemned| condemned.hour == given.hour);
        let named = |which: &Which| which.names(given.stream.camera);
        listed.filter(|condemned| named(&condemned.which)).all(|condemned| condemned.destroyed_by.is_some())
            && page.is_none_or(|page| !page.cameras.contains_key(&given.stream.camera))
    }
}

impl Given {
    /// Whether it must be closed at `now`.
    pub fn is_over(&self, now: UtcMicros) -> bool {
        self.erased || self.deadline.plus_seconds(-600) <= now
    }

    /// Opens it with a camera-hour key and the bytes of the backup; what an attacker with the keyring of that day does.
    pub fn opens_with(&self, key: &CameraHourKey, site_key: &[u8; 32]) -> bool {
        let header = ReelHeader::from_payload(self.part.reel, &self.part.header, site_key).unwrap();
        let (run, deadline) = (header.certificate.run, header.deadline);
        let context = KeyContext { site: SITE, stream: self.stream, hour: self.hour, run, deadline };
        let record = KeyRecord::from_bytes(&self.part.key_record).unwrap();
        let Ok(data_key) = key.unwrap(&record.wrapped, &context) else { return false };
        let key = data_key.record_key(self.part.reel, Kind::Chunk, self.handle, self.number);
        vault::open::open(self.record.clone(), &key, self.stream, self.hour).is_ok_and(|chunk| chunk == self.chunk)
    }
}

/// Two pictures of forty bytes each.
fn film(stream: StreamId, hour: Hour, now: UtcMicros) -> Chunk {
    let mut data = vec![0; 80];
    let seed = [&hour.to_bytes()[..], &stream.to_bytes(), &now.0.to_le_bytes()].concat();
    blake3::Hasher::new().update(&seed).finalize_xof().fill(&mut data);
    let frame = |n: i64| {
        let dts = MediaTicks::from_micros(now.plus_micros(n * 40_000).0);
        let kind = if n == 0 { FrameKind::Idr } else { FrameKind::Other };
        FrameEntry { kind, dts, pts: dts, size: 40 }
    };
    let config = bytes::Bytes::from_static(b"\x01\x64\x00\x1f\xff\xe1");
    let parameters = Some(ParameterSets { codec: Codec::H264, config, width: 1280, height: 720 });
    let last_utc = now.plus_micros(40_000);
    Chunk { stream, hour, first_utc: now, last_utc, frames: vec![frame(0), frame(1)], parameters, data }
}

/// A folder in memory where there is one: SQLite syncs a hundred thousand times.
fn fast_folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm").unwrap_or_else(|_| tempfile::tempdir().unwrap())
}
