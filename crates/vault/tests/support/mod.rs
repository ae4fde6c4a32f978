//! A town in memory for the vault's tests: a keeper, cameras with seeded pictures, one recorder's lives on a disk.
#![allow(dead_code)] // each test file uses its part

pub mod keeper;
pub mod mortal;
pub mod reading;

use bytes::Bytes;
use catalog::{Footage, ReelState};
use disk::Disk;
use domain::{
    CameraId, Codec, Hour, HourLength, MediaTicks, Random, RootId, RunId, Secret32, SiteId, Span, StreamId, UtcMicros,
};
use keeper::FakeKeeper;
use media::{Chunk, FrameEntry, FrameKind, ParameterSets};
use seal::{GapLine, GapState, sign::SigningKey};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};
use vault::{
    LocalStore,
    admit::{AdmitError, Admitted, Admitter},
    keeper::{Fact, RunGrant},
    recover::{Closer, RecoverError, Recovered, recover},
    replay::{Passage, Replay},
    service::Located,
    store::{Marker, Place, Root},
};

pub const SITE: SiteId = SiteId([0x51; 16]);
/// A quarter past an hour of 600 s, in the year 2026.
pub const START: UtcMicros = UtcMicros::from_seconds(1_772_000_400 / 600 * 600 + 150);

/// SplitMix64: the same bytes for the same seed.
pub struct Seeded(Mutex<u64>);

impl Seeded {
    pub fn new(seed: u64) -> Seeded {
        Seeded(Mutex::new(seed))
    }
    pub fn next(&self) -> u64 {
        let mut state = self.0.lock().unwrap();
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = *state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    pub fn below(&self, bound: u64) -> u64 {
        self.next() % bound
    }
}

impl Random for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        for piece in bytes.chunks_mut(8) {
            piece.copy_from_slice(&self.next().to_le_bytes()[..piece.len()]);
        }
    }
}

/// A camera that never stops: five pictures a chunk of half a second, a group of `group_chunks` chunks.
pub struct Camera {
    pub stream: StreamId,
    pub group_chunks: u64,
    /// Bytes of a picture, at most.
    pub picture_bytes: u64,
    random: Seeded,
    chunks: u64,
    began: UtcMicros,
    hour: Option<Hour>,
}

const CHUNK_MICROS: i64 = 500_000;
const PICTURE_MICROS: i64 = 100_000;

impl Camera {
    pub fn new(number: u8, began: UtcMicros) -> Camera {
        let began = began.plus_micros(i64::from(number) * 37_000);
        let stream = StreamId::main(CameraId([number; 16]));
        let random = Seeded::new(u64::from(number) << 32 ^ began.0 as u64);
        let group_chunks = 3 + u64::from(number % 3);
        Camera { stream, group_chunks, picture_bytes: 3_000, random, chunks: 0, began, hour: None }
    }

    /// The chunks that are complete at `now`.
    pub fn film(&mut self, now: UtcMicros) -> Vec<Chunk> {
        let mut chunks = Vec::new();
        while self.began.plus_micros((self.chunks as i64 + 1) * CHUNK_MICROS) <= now {
            chunks.push(self.chunk());
        }
        chunks
    }

    /// Looks away until `now`: those pictures never were.
    pub fn skip(&mut self, now: UtcMicros) {
        let groups = (now.since(self.began) / CHUNK_MICROS) as u64 / self.group_chunks;
        self.chunks = self.chunks.max((groups + 1) * self.group_chunks);
    }

    fn chunk(&mut self) -> Chunk {
        let first_utc = self.began.plus_micros(self.chunks as i64 * CHUNK_MICROS);
        let starts_group = self.chunks.is_multiple_of(self.group_chunks);
        // R8: the hour turns at a group's start, or ten seconds late
        let goes_on = |hour: &Hour| !starts_group && first_utc < hour.end().plus_seconds(10);
        let hour = self.hour.filter(goes_on).unwrap_or(HourLength::SIMULATED.hour_of(first_utc));
        self.hour = Some(hour);
        self.chunks += 1;
        let mut data = Vec::new();
        let mut frames = Vec::new();
        for n in 0..5 {
            let size = 64 + self.random.below(self.picture_bytes) as usize;
            let mut picture = vec![0; size];
            self.random.fill(&mut picture);
            data.extend_from_slice(&picture);
            let dts = MediaTicks::from_micros(first_utc.plus_micros(n * PICTURE_MICROS).0);
            let kind = if n == 0 && starts_group { FrameKind::Idr } else { FrameKind::Other };
            frames.push(FrameEntry { kind, dts, pts: dts, size: size as u32 });
        }
        let config = Bytes::from_static(b"\x01\x64\x00\x1f\xff\xe1");
        let parameters = starts_group.then(|| ParameterSets { codec: Codec::H264, config, width: 1280, height: 720 });
        let last_utc = first_utc.plus_micros(4 * PICTURE_MICROS);
        Chunk { stream: self.stream, hour, first_utc, last_utc, frames, parameters, data }
    }
}

/// What outlives a recorder: keeper, disk, catalog; and what the test knows of the truth.
pub struct Town {
    pub keeper: FakeKeeper,
    pub disk: Arc<dyn Disk>,
    pub path: PathBuf,
    /// Further roots of the store.
    pub more: Vec<PathBuf>,
    pub footage: Arc<Footage>,
    pub random: Arc<Seeded>,
    /// Every chunk ever given, by stream, in order.
    pub given: BTreeMap<StreamId, Vec<Chunk>>,
    /// Stream and start of every chunk that a successful sync acknowledged.
    pub acknowledged: BTreeSet<(StreamId, UtcMicros)>,
    pub facts: Vec<Fact>,
    /// Every line about a gap that was ever given, and those that a successful sync acknowledged.
    pub lines_given: Vec<GapLine>,
    pub lines_acknowledged: Vec<GapLine>,
    /// Given since the last sync.
    waiting: Vec<(StreamId, UtcMicros)>,
    waiting_lines: Vec<GapLine>,
    folder: tempfile::TempDir,
}

/// One life of a recorder.
pub struct Life {
    pub grant: RunGrant,
    pub run_key: SigningKey,
    pub store: Arc<LocalStore>,
    pub admitter: Admitter,
    pub recovered: Recovered,
}

impl Town {
    /// A new store on `disk`, below `path` (or in a folder of its own, for a real disk).
    pub fn new(disk: Arc<dyn Disk>, path: Option<&Path>, slot_bytes: u64) -> Town {
        let folder = tempfile::tempdir().unwrap();
        let path = path.map_or(folder.path().join("store"), Path::to_owned);
        let marker = Marker { format: 1, site: SITE, root: RootId([7; 16]), slot_bytes, slots_max: 400, number: 0 };
        LocalStore::create(disk.clone(), &path, marker).unwrap();
        let footage = Arc::new(Footage::open(&folder.path().join("footage.db"), SITE).unwrap());
        Town {
            keeper: FakeKeeper::new(SITE),
            disk,
            path,
            more: Vec::new(),
            footage,
            random: Arc::new(Seeded::new(4)),
            given: BTreeMap::new(),
            acknowledged: BTreeSet::new(),
            facts: Vec::new(),
            lines_given: Vec::new(),
            lines_acknowledged: Vec::new(),
            waiting: Vec::new(),
            waiting_lines: Vec::new(),
            folder,
        }
    }

    /// An empty catalog instead of the present one.
    pub fn forget_catalog(&mut self) {
        let name = format!("footage-{}.db", self.random.next());
        self.footage = Arc::new(Footage::open(&self.folder.path().join(name), SITE).unwrap());
    }

    /// Makes a further root of the store.
    pub fn add_root(&mut self, path: &Path, number: u8, slot_bytes: u64) {
        let root = RootId([number | 0x80; 16]);
        let marker = Marker { format: 1, site: SITE, root, slot_bytes, slots_max: 400, number };
        Root::create(self.disk.clone(), path, marker).unwrap();
        self.more.push(path.to_owned());
    }

    pub fn open_store(&self) -> Result<LocalStore, vault::StoreError> {
        let paths = std::iter::once(&self.path).chain(&self.more);
        let places: Vec<Place> = paths.map(|path| Place { path: path.clone(), slots_max: None }).collect();
        LocalStore::open_all(self.disk.clone(), &places, SITE)
    }

    /// A recorder starts: hello, recovery, ready.
    pub fn start(&mut self, now: UtcMicros) -> Result<Life, RecoverError> {
        let store = Arc::new(self.open_store()?);
        let seed = Secret32::draw(&*self.random);
        let grant = self.keeper.hello(RunId::draw(&*self.random), SigningKey::from_seed(&seed).public(), now);
        let run_key = SigningKey::from_seed(&seed);
        let recovered =
            recover(&Closer { store: &store, footage: &self.footage, grant: &grant, run_key: &run_key, now })?;
        self.facts.extend(recovered.facts.iter().cloned());
        let admitter = Admitter::new(grant, &seed, store.clone(), self.footage.clone(), self.random.clone());
        Ok(Life { grant, run_key, store, admitter, recovered })
    }

    /// One second of a recorder: keys, chunks, sync.
    pub fn second(&mut self, life: &mut Life, cameras: &mut [Camera], now: UtcMicros) -> Result<(), AdmitError> {
        let streams = cameras.iter().map(|camera| camera.stream).collect();
        for (hour, streams) in life.admitter.wanted_keys(HourLength::SIMULATED.hour_of(now), &streams) {
            life.admitter.give_keys(self.keeper.minted(hour, life.admitter.run(), &streams));
        }
        for camera in cameras.iter_mut() {
            for chunk in camera.film(now) {
                self.waiting.push((chunk.stream, chunk.first_utc));
                self.given.entry(chunk.stream).or_default().push(chunk.clone());
                assert_eq!(life.admitter.admit(chunk, now), Admitted::Waiting);
            }
        }
        for camera in cameras.iter() {
            let line = line_about(camera.stream, now);
            let hour = HourLength::SIMULATED.hour_of(now);
            assert_eq!(life.admitter.admit_gap(line.clone(), hour, now), Admitted::Waiting);
            self.lines_given.push(line.clone());
            self.waiting_lines.push(line);
        }
        let synced = life.admitter.sync(now);
        self.after_sync(life, synced)
    }

    pub fn close(&mut self, life: &mut Life, now: UtcMicros) -> Result<(), AdmitError> {
        let closed = life.admitter.close(now);
        self.after_sync(life, closed)
    }

    fn after_sync(&mut self, life: &mut Life, synced: Result<(), AdmitError>) -> Result<(), AdmitError> {
        self.facts.extend(life.admitter.take_facts());
        let waiting = std::mem::take(&mut self.waiting);
        let lines = std::mem::take(&mut self.waiting_lines);
        if synced.is_ok() {
            self.acknowledged.extend(waiting);
            self.lines_acknowledged.extend(lines);
        }
        synced
    }

    /// Where a stream lies around a span, as a recorder tells it: catalog rows, and open reels' own views (R10).
    pub fn locate(&self, admitter: Option<&Admitter>, stream: StreamId, span: Span) -> Vec<Located> {
        let around = Span::new(span.from().plus_seconds(-150), span.to()).unwrap();
        let views = admitter.map(|admitter| admitter.open_views(stream)).unwrap_or_default();
        let rows = self.footage.locate(stream, around).unwrap();
        let located = |row: catalog::Located| {
            let (reel, hour, handle) = (row.reel.reel, row.reel.hour, row.stream.handle);
            let (first_utc, last_utc) = (row.stream.first_utc, row.stream.last_utc);
            if let Some(view) = views.iter().find(|view| view.reel == reel) {
                let (location, entries) = (view.location.clone(), Some(view.entries.clone()));
                return Some(Located { reel, hour, handle, location, first_utc, last_utc, entries });
            }
            let location = vault::Location::from_bytes(&row.reel.location).unwrap();
            let entries = None;
            (row.reel.state != ReelState::Open).then_some(Located {
                reel,
                hour,
                handle,
                location,
                first_utc,
                last_utc,
                entries,
            })
        };
        rows.into_iter().filter_map(located).collect()
    }

    pub fn replay(&self, admitter: Option<&Admitter>, stream: StreamId, span: Span) -> Vec<Chunk> {
        self.passages(admitter, stream, span).into_iter().map(|passage| passage.chunk).collect()
    }

    pub fn passages(&self, admitter: Option<&Admitter>, stream: StreamId, span: Span) -> Vec<Passage> {
        let store = self.open_store().unwrap();
        let permit = self.keeper.permit(stream.camera, span);
        let reels = self.locate(admitter, stream, span);
        let mut replay = Replay::new(&self.keeper, &store, permit, stream, span, reels);
        let mut passages = Vec::new();
        while let Some(more) = replay.next_reel().unwrap() {
            passages.extend(more);
        }
        passages
    }

    /// What replay owes: from the start of the group that holds the span's beginning to its end.
    pub fn owed(&self, stream: StreamId, span: Span) -> Vec<Chunk> {
        let given = &self.given[&stream];
        if !given.iter().any(|chunk| span.touches(chunk.first_utc, chunk.last_utc)) {
            return Vec::new();
        }
        let holds = |chunk: &Chunk| chunk.starts_group() && chunk.first_utc <= span.from();
        let first = given.iter().rposition(holds).unwrap_or(0);
        given[first..].iter().filter(|chunk| chunk.first_utc < span.to()).cloned().collect()
    }
}

/// What a recorder might say of a stream each second.
pub fn line_about(stream: StreamId, now: UtcMicros) -> GapLine {
    let (cause, detail) = ("unsupported-codec".to_owned(), "JPEG".to_owned());
    GapLine { stream, state: GapState::Opened, from: now, to: None, cause, detail }
}

/// A short line about chunks: a failed comparison of pictures would fill the screen.
pub fn brief(chunks: &[Chunk]) -> Vec<(StreamId, UtcMicros, bool)> {
    chunks.iter().map(|chunk| (chunk.stream, chunk.first_utc, chunk.starts_group())).collect()
}
