//! Twelve cameras with delays of 3, 7, 15 and 30 days, the recorder's side of the vault, and what a thief would keep.

use crate::{calendar, support::*};
use catalog::{Camera, Footage, ReelRow, Registry, StreamRow};
use disk::Disk;
use domain::{
    CameraId, Codec, Hour, HourLength, MediaTicks, Purpose, Random, ReelId, RootId, RunId, Secret32, Span, StreamId,
    UtcMicros,
};
use keyring::Which;
use media::{Chunk, FrameEntry, FrameKind, ParameterSets};
use seal::{
    CameraHourKey, DataKey, KeyRecord, Kind,
    key::{KeyContext, WrappedKey},
    reel::ReelHeader,
    sign::SigningKey,
};
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
    pub number: u32,
    /// What a backup of the catalog holds.
    pub row: Located,
    /// What its wrapped data key is bound to, by the reel's signed header.
    pub context: KeyContext,
    pub wrapped: WrappedKey,
    /// What a copy of the keyring of that day holds: a control only.
    pub old_key: CameraHourKey,
}

pub struct Town {
    pub world: World,
    pub opened: Option<Opened>,
    recorder: Option<Recorder>,
    pub given: BTreeMap<(Hour, CameraId), Given>,
    pub delays: BTreeMap<CameraId, i64>,
    /// What must have a key now, and until when: by the independent calendar and the orders alone.
    pub young: BTreeMap<(Hour, CameraId), UtcMicros>,
    /// Which reels lie in a slot.
    slots: BTreeMap<u32, BTreeSet<ReelId>>,
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
                rights: Default::default(),
                class: None,
            };
            registry.camera_put(&camera, utc(-DAY), utc(-DAY)).unwrap();
        }
        world.clock.pass(start - world.now().seconds());
        let marker = Marker {
            format: 1,
            site: SITE,
            root: RootId([7; 16]),
            slot_bytes: SLOT_BYTES,
            slots_max: 20_000,
            number: 0,
        };
        LocalStore::create(Arc::new(world.disk.clone()), Path::new(STORE), marker).unwrap();
        let delays = (1..=CAMERAS).map(|n| (camera(n), DELAYS[n as usize - 1])).collect();
        let folder = fast_folder();
        let (given, young, slots) = Default::default();
        let mut town = Town { world, opened: None, recorder: None, given, delays, young, slots, registry, folder };
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
        let facts = recorder.admitter.take_facts();
        core.enter(&facts).unwrap();
        let mut chunks = chunks.into_iter().map(|chunk| (chunk.stream, chunk)).collect();
        for fact in facts {
            if let Fact::Reel(reel) = fact {
                self.keep(reel.reel, &mut chunks);
            }
        }
        assert!(chunks.is_empty(), "each chunk is in a reel that the ledger knows");
    }

    /// Keeps what a backup of this moment would hold of a reel.
    fn keep(&mut self, reel: ReelId, chunks: &mut BTreeMap<StreamId, Chunk>) {
        let Recorder { store, footage, .. } = self.recorder.as_ref().unwrap();
        let row = footage.reel(reel).unwrap().unwrap();
        let location = Location::from_bytes(&row.location).unwrap();
        for slot in location.slots() {
            self.slots.entry(slot).or_default().insert(reel);
        }
        let mut reader = store.reader(&location);
        let payload_bytes = reader.header(reel, 0).unwrap().unwrap().payload_bytes;
        let header = reader.read(64, payload_bytes.into()).unwrap();
        let opened = self.opened.as_ref().unwrap();
        let site_key = SigningKey::from_seed(&opened.keyring.site_key()).public();
        let signed = ReelHeader::from_payload(reel, &header, &site_key).unwrap();
        let (hour, run) = (row.hour, signed.certificate.run);
        let page = opened.keyring.page(hour).unwrap().unwrap();
        for stream_row in footage.streams_of(reel).unwrap() {
            let stream = stream_row.stream;
            let chunk = chunks.remove(&stream).unwrap();
            let entries = index_of(store, reel, &location, stream_row.handle).unwrap().unwrap();
            let mut records = |kind| {
                let of_kind = entries.iter().filter(|entry| entry.is(kind));
                of_kind.map(|entry| (entry.number, reader.record(reel, entry).unwrap())).collect::<Vec<_>>()
            };
            let key_record = records(Kind::Key)[0].1[64..].to_vec();
            let extents = records(Kind::Extent).into_iter().map(|(_, record)| record).collect();
            let (number, record) = records(Kind::Chunk).pop().unwrap();
            let wrapped = KeyRecord::from_bytes(&key_record).unwrap().wrapped;
            let part = ReelPart { reel, header: header.clone(), key_record, extents };
            let deadline = calendar::deadline(hour.start_seconds(), self.delays[&stream.camera]);
            let deadline = UtcMicros::from_seconds(deadline);
            let key = &page.cameras[&stream.camera];
            assert_eq!((key.deadline, row.deadline), (deadline, deadline), "{stream:?} of {hour}");
            let context = KeyContext { site: SITE, stream, hour, run, deadline: signed.deadline };
            let (old_key, row) = (CameraHourKey(key.key.clone()), located(&row, &stream_row));
            let erased = false;
            let given =
                Given { hour, stream, chunk, deadline, erased, part, record, number, row, context, wrapped, old_key };
            self.young.insert((hour, stream.camera), deadline);
            self.given.insert((hour, stream.camera), given);
        }
    }

    pub fn locate(&self, stream: StreamId, at: UtcMicros) -> Vec<Located> {
        self.locate_all(stream, Span::new(at, at.plus_seconds(1)).unwrap())
    }

    pub fn locate_all(&self, stream: StreamId, span: Span) -> Vec<Located> {
        let rows = self.recorder.as_ref().unwrap().footage.locate(stream, span).unwrap();
        rows.iter().map(|row| located(&row.reel, &row.stream)).collect()
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
            let mut free = Vec::new();
            for row in &rows {
                for slot in Location::from_bytes(&row.location).unwrap().slots() {
                    let reels = self.slots.entry(slot).or_default();
                    if reels.remove(&row.reel) && reels.is_empty() {
                        free.push(slot);
                    }
                }
            }
            store.free(free);
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
        self.replay_opens_by(permit, given, self.locate(given.stream, given.chunk.first_utc))
    }

    /// Whether replay gives it from the store of today, where rows of a catalog say so.
    pub fn replay_opens_by(&self, permit: &Permit, given: &Given, reels: Vec<Located>) -> bool {
        self.replay_from(&self.recorder.as_ref().unwrap().store, permit, given, reels)
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
            self.young.entry((*hour, camera)).and_modify(|due| *due = given.deadline.min(*due));
        }
    }

    pub fn erased(&mut self, camera: CameraId, before: UtcMicros) {
        let hours = self.given.iter_mut().filter(|((hour, of), _)| *of == camera && hour.start() < before);
        hours.for_each(|(_, given)| given.erased = true);
        self.young.retain(|(hour, of), _| *of != camera || before <= hour.start());
    }

    /// Whether the catalog of today knows nothing of a reel: then it locates nothing of it for anybody.
    pub fn forgot(&self, reel: ReelId) -> bool {
        self.recorder.as_ref().unwrap().footage.reel(reel).unwrap().is_none()
    }

    /// The keyring has the keys of all that is young, with their deadlines, and no other key: whatever path leads to a
    /// picture, it needs one of them.
    pub fn assert_keys(&mut self) {
        let now = self.now();
        self.young.retain(|_, deadline| now < deadline.plus_seconds(-600));
        let held = self.opened.as_ref().unwrap().keyring.hours();
        let held = held
            .iter()
            .flat_map(|page| page.cameras.iter().map(|(camera, deadline)| ((page.hour, *camera), *deadline)));
        let must = self.young.iter().map(|(key, deadline)| (*key, *deadline));
        for (held, must) in held.clone().zip(must.clone()) {
            assert_eq!(held, must, "the keyring has this key, at {now} this one is due to be next");
        }
        assert_eq!(held.count(), must.count(), "at {now} the keyring has these keys");
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
    pub fn opens_with(&self, key: &CameraHourKey) -> bool {
        let Some(data_key) = self.data_key(key) else { return false };
        let key = data_key.record_key(self.part.reel, Kind::Chunk, self.row.handle, self.number);
        vault::open::open(self.record.clone(), &key, self.stream, self.hour).is_ok_and(|chunk| chunk == self.chunk)
    }

    pub fn data_key(&self, key: &CameraHourKey) -> Option<DataKey> {
        key.unwrap(&self.wrapped, &self.context).ok()
    }
}

/// A catalog's row as the recorder tells it.
pub fn located(reel: &ReelRow, stream: &StreamRow) -> Located {
    Located {
        reel: reel.reel,
        hour: reel.hour,
        handle: stream.handle,
        location: Location::from_bytes(&reel.location).unwrap(),
        entries: None,
        first_utc: stream.first_utc,
        last_utc: stream.last_utc,
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
