//! One run of a recorder, driven by hand: its own lanes, writer, duties, recovery and rebuild, without a thread.

use crate::{
    street::{Eye, RATE, Street},
    support::{ManualClock, SITE},
    truth::{Fate, Truth},
    wire::Wire,
};
use catalog::Footage;
use disk::Disk;
use domain::{Clock, HourLength, Random, RunId, Secret32, Span, StreamId, UtcMicros};
use media::{Chunk, Frame};
use recorder::{
    clerk::follow_time,
    duties::Duties,
    health::{GapCause, GapEvent},
    ingest::Sink,
    mend::{Kept, Leftovers},
    report::Report,
    role::{Opening, RunTime},
    roots::{self, Roots},
    service,
    writer::{Desk, Writer, WriterParts},
};
use seal::sign::SigningKey;
use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering},
};
use vault::{
    Keeper, LocalStore,
    admit::Admitter,
    keeper::{Beat, CameraClock, RunGrant},
    rebuild::{Rebuilder, Scope, Turn},
    recover::Closer,
    service::{Located, RecorderAnswer, Timeline},
    store,
    watch::Hub,
};

/// Beside this, on the simulated disk, a recorder remembers which root has which number.
pub const BESIDE: &str = "/data/footage.db";
/// Why a chunk may be lost.
pub const NO_KEY: &str = "the recorder had no key";
pub const DISK_FAILED: &str = "the disk failed";
pub const POWER_CUT: &str = "the power went";
pub const KILLED: &str = "the recorder was killed";

/// Where a recorder keeps things, and whom it knows.
#[derive(Clone)]
pub struct Place {
    pub disk: Arc<dyn Disk>,
    pub clock: Arc<ManualClock>,
    pub random: Arc<dyn Random>,
    /// The store's folders, each a disk of its own.
    pub stores: Vec<store::Place>,
    /// The footage catalog's file.
    pub footage: PathBuf,
    pub wire: Arc<Wire>,
    pub truth: Arc<Mutex<Truth>>,
    /// True time, for the truth alone.
    pub true_time: Arc<dyn Fn() -> UtcMicros + Send + Sync>,
}

/// A run.
pub struct Recording {
    place: Place,
    pub footage: Arc<Footage>,
    pub store: Arc<LocalStore>,
    admitter: Arc<Mutex<Admitter>>,
    writer: Writer,
    eyes: BTreeMap<StreamId, Eye>,
    duties: Duties,
    roots: Roots,
    kept: Kept,
    grant: RunGrant,
    run_key: SigningKey,
    /// What is to be mended; what is open of it waits for room on a full disk and is not shown.
    pub left: Leftovers,
    /// The catalog names everything that the store holds.
    pub is_mended: bool,
    failures_seen: u64,
    /// Seconds in which everything could be sealed.
    sealed_seconds: u32,
}

/// The recorder's own desk, and beside it the truth of what was given.
struct Tap {
    desk: Desk,
    place: Place,
}

impl Sink for Tap {
    fn chunk(&self, chunk: Chunk) -> bool {
        let at = (self.place.true_time)();
        locked(&self.place.truth).give(&chunk, at);
        self.desk.chunk(chunk)
    }
    fn frame(&self, stream: StreamId, frame: &Frame) {
        self.desk.frame(stream, frame);
    }
    fn gap(&self, stream: StreamId, event: GapEvent) {
        self.desk.gap(stream, event);
    }
    fn expected(&self, stream: StreamId, at: UtcMicros) {
        locked(&self.place.truth).expected.entry(stream).or_insert(at);
        self.desk.expected(stream, at);
    }
    fn missing(&self, stream: StreamId, from: UtcMicros, to: UtcMicros, cause: GapCause) {
        self.desk.missing(stream, from, to, cause);
    }
    fn released(&self, stream: StreamId, at: UtcMicros) {
        self.desk.released(stream, at);
    }
    fn watched(&self) -> bool {
        self.desk.watched()
    }
}

/// The product counts what lies on its disks each hour.
const CENSUS_SECONDS: i64 = 3_600;

/// Why no run began: the recorder asks again, as the real one does.
pub type Waits = Box<dyn std::error::Error>;

impl Recording {
    /// 1 hello · 2 recover · 3 the catalog is looked after at the next [`Recording::mend`].
    pub fn begin(place: &Place, core: &keeper::KeeperCore, streams: &[StreamId]) -> Result<Recording, Waits> {
        let seed = Secret32::draw(&*place.random);
        let run_key = SigningKey::from_seed(&seed);
        let id = RunId::draw(&*place.random);
        let grant = core.begin_run(id, run_key.public())?; // 1
        let time = RunTime::new(grant.anchor, place.clock.boot().0, place.clock.clone());
        let store = Arc::new(roots::open(&place.disk, &place.stores, SITE, Path::new(BESIDE), None)?);
        let opening = Opening { site: SITE, path: &place.footage, store: &store, grant: &grant, run_key: &run_key };
        let (footage, recovered, earlier_life) = opening.recover(time.now())?; // 2
        store.await_census();
        let footage = Arc::new(footage);
        let mut admitter = Admitter::new(grant, &seed, store.clone(), footage.clone(), place.random.clone());
        let left = Leftovers { is_behind: true, ..Leftovers::of(&recovered, &store) };
        recovered.retold.into_iter().chain(recovered.facts).for_each(|fact| admitter.tell(fact));
        let (admitter, report) = (Arc::new(Mutex::new(admitter)), Arc::new(Report::default()));
        let kept = Kept::of(&admitter, &store, &footage, &report, &time);
        let parts = WriterParts { kept: kept.clone(), hour_length: HourLength::PRODUCT, earlier_life };
        let (desk, writer) = Writer::new(parts, Arc::new(Hub::default()));
        let mut duties = Duties {
            keeper: place.wire.clone(),
            admitter: admitter.clone(),
            store: store.clone(),
            footage: footage.clone(),
            report,
            time: time.clone(),
            hour_length: HourLength::PRODUCT,
            turn: Arc::new(Turn::default()),
            freed: HashSet::new(),
        };
        let mut roots = Roots::new(place.disk.clone(), kept.clone(), place.footage.clone());
        // two threads: the keeper's first word comes before streams are expected, or after
        if id.0[0].is_multiple_of(2)
            && let Ok(pulse) = place.wire.check(&Beat { health: "{}".into(), ..Beat::default() })
        {
            roots.look(); // nothing is freed before it was counted
            pulse.dead.iter().for_each(|dead| duties.free(dead));
        }
        let sink: Arc<dyn Sink> = Arc::new(Tap { desk, place: place.clone() });
        let eyes = streams.iter().map(|stream| (*stream, Eye::new(*stream, sink.clone(), time.now())));
        let (eyes, place) = (eyes.collect(), place.clone());
        let (is_mended, failures_seen, sealed_seconds) = (false, 0, 0);
        let run = Recording {
            place,
            footage,
            store,
            admitter,
            writer,
            eyes,
            duties,
            roots,
            kept,
            grant,
            run_key,
            left,
            is_mended,
            failures_seen,
            sealed_seconds,
        };
        Ok(run)
    }

    pub fn now(&self) -> UtcMicros {
        self.kept.time.now()
    }

    /// A second: pictures arrive, are made durable, and the keeper is spoken with. An error begins another run.
    pub fn second(&mut self, street: &mut Street) -> Result<(), Waits> {
        for _ in 0..RATE {
            self.place.clock.pass_micros(1_000_000 / RATE);
            let boot = self.place.clock.boot().0;
            let now = self.now();
            for (stream, camera) in &mut street.cameras {
                if let Some(eye) = self.eyes.get_mut(stream) {
                    eye.look(camera, boot, now);
                }
            }
        }
        self.make_durable();
        self.speak(street)
    }

    /// Nobody sends, and time passes.
    pub fn idle(&mut self, seconds: i64, street: &Street) -> Result<(), Waits> {
        let now = self.now();
        self.eyes.values_mut().for_each(|eye| eye.end_session(GapCause::Silent, now));
        self.make_durable();
        self.place.clock.pass(seconds);
        self.make_durable();
        if seconds >= CENSUS_SECONDS {
            self.roots.count();
        }
        self.speak(street)
    }

    /// The writer's second; what it says of the chunks is written into the truth.
    fn make_durable(&mut self) {
        let without_key = self.without_key();
        self.writer.take_waiting(self.now());
        let lost = self.writer.sync(&self.kept.time);
        self.sealed_seconds += u32::from(lost.is_empty() && without_key.is_empty());
        self.settle(&without_key, &lost);
        if let Err(error) = self.store.prepare(2) {
            drop(error); // a planned fault of the disk: tried again at the next second
        }
    }

    fn settle(&self, without_key: &BTreeSet<(StreamId, domain::Hour)>, lost: &BTreeSet<StreamId>) {
        if self.place.stores.len() > 1 {
            let waiting = locked(&self.place.truth).waiting();
            let lie: BTreeMap<_, _> = waiting.into_iter().map(|place| (place, self.roots_of(place))).collect();
            locked(&self.place.truth).lie(&lie);
        }
        locked(&self.place.truth).settle(|given| {
            if without_key.contains(&(given.chunk.stream, given.chunk.hour)) {
                Fate::Excused(NO_KEY)
            } else if lost.contains(&given.chunk.stream) {
                Fate::Excused(DISK_FAILED)
            } else {
                Fate::Held
            }
        });
    }

    /// On which roots a chunk may lie that was just made durable.
    fn roots_of(&self, (stream, at): (StreamId, UtcMicros)) -> BTreeSet<u8> {
        let Ok(span) = Span::new(at, at.plus_micros(1)) else { return BTreeSet::new() };
        let located = self.locate(stream, span);
        let holds = |located: &&Located| located.first_utc <= at && at <= located.last_utc;
        located.iter().filter(holds).filter_map(|located| located.location.root()).collect()
    }

    /// What of the chunks that wait cannot be sealed: the recorder never got a key.
    fn without_key(&self) -> BTreeSet<(StreamId, domain::Hour)> {
        let admitter = locked(&self.admitter);
        let present = HourLength::PRODUCT.hour_of(self.now());
        let streams: BTreeSet<StreamId> = self.eyes.keys().copied().collect();
        let earlier = admitter.wanted_keys(present.plus(-1), &streams);
        let missing = earlier.into_iter().chain(admitter.wanted_keys(present, &streams));
        missing.flat_map(|(hour, streams)| streams.into_iter().map(move |stream| (stream, hour))).collect()
    }

    /// Clerk, errands and the look at the disks: keys ahead, facts, the keeper's word and what follows from it.
    fn speak(&mut self, street: &Street) -> Result<(), Waits> {
        if self.roots.one_came() {
            return Err("a disk of the store is there that was not at the start".into());
        }
        self.roots.look();
        let streams: BTreeSet<StreamId> = self.eyes.keys().copied().collect();
        let before = self.now();
        let beat = Beat { clocks: self.clocks(street), health: "{}".into(), ..Beat::default() };
        let pulse = self.place.wire.check(&beat);
        if let Ok(pulse) = &pulse {
            follow_time(&self.kept.time, pulse, before)?;
            pulse.dead.iter().for_each(|dead| self.duties.free(dead));
        }
        self.duties.fetch_keys(&streams);
        self.duties.hand_in_facts();
        self.duties.look_over();
        self.duties.tell_again();
        Ok(())
    }

    fn clocks(&self, street: &Street) -> Vec<CameraClock> {
        let truly = (self.place.true_time)();
        let mut clocks = BTreeMap::new();
        for (stream, camera) in street.cameras.iter().filter(|(_, camera)| camera.sends) {
            clocks.insert(stream.camera, truly.plus_seconds(camera.clock_off_seconds));
        }
        clocks.into_iter().map(|(camera, at)| CameraClock { camera, at }).collect()
    }

    /// Makes rows of reels that the catalog does not name, where there may be any.
    pub fn mend(&mut self) {
        let failures = locked(&self.admitter).catalog_failures();
        if std::mem::replace(&mut self.failures_seen, failures) != failures {
            self.is_mended = false;
            self.left.is_behind = true;
        }
        if self.left.may_be_mended(&self.store) {
            let scope = Scope::Missing { also: self.left.closed.clone() };
            self.is_mended = self.rebuild(&scope).unwrap_or(false);
        }
    }

    /// Whether everything is entered now: an hour that is closed while clocks disagree is not.
    pub fn rebuild(&mut self, scope: &Scope) -> Result<bool, Waits> {
        let closer = Closer {
            store: &self.store,
            footage: &self.footage,
            grant: &self.grant,
            run_key: &self.run_key,
            now: self.kept.time.now(),
        };
        let rebuilder = Rebuilder { closer, keeper: &*self.place.wire, turn: &self.duties.turn };
        let (rebuilt, facts) = rebuilder.rebuild(scope, "simulated")?;
        let is_whole = rebuilt.closed == 0 && rebuilt.left_out_count == 0;
        if is_whole {
            self.left.were_mended(&rebuilder.closer);
        }
        let mut admitter = locked(&self.admitter);
        facts.into_iter().for_each(|fact| admitter.tell(fact));
        drop(admitter);
        self.kept.mended.store(true, Ordering::SeqCst);
        if *scope == Scope::LossAccepted {
            self.sealed_seconds = 0; // the gaps of what was lost are in no reel yet
        }
        Ok(is_whole)
    }

    /// The writer's next second, in which it settles gaps after a rebuild.
    pub fn writer_settles(&mut self) {
        self.make_durable();
    }

    /// Whether this run had time to seal what it knows of gaps.
    pub fn has_sealed(&self) -> bool {
        self.sealed_seconds > 1
    }

    /// Stops in order.
    pub fn finish(mut self) {
        let now = self.now();
        self.eyes.values_mut().for_each(|eye| eye.end_session(GapCause::Stopped, now));
        let without_key = self.without_key();
        let lost = self.writer.finish(now);
        self.settle(&without_key, &lost);
        self.duties.hand_in_facts();
    }

    /// What web is told of where footage lies.
    pub fn locate(&self, stream: StreamId, span: Span) -> Vec<Located> {
        match service::locate(&self.admitter, &self.footage, stream, span) {
            RecorderAnswer::Located(located) => located,
            _ => Vec::new(),
        }
    }

    /// What the console is told of what exists and what is missing.
    pub fn timeline(&self, stream: StreamId, span: Span) -> Timeline {
        match service::timeline(&self.admitter, &self.footage, &self.store, stream, span) {
            RecorderAnswer::Timeline(timeline) => timeline,
            _ => Timeline::default(),
        }
    }

    /// Whether the recorder knows that a root cannot be read now.
    pub fn is_gone(&self, root: u8) -> bool {
        self.store.root(root).map_or(true, store::Root::is_gone)
    }

    /// Ended reels of the catalog that are not dead.
    pub fn ended_reels(&self) -> Vec<catalog::ReelRow> {
        let rows = self.footage.live_reels().unwrap_or_default();
        rows.into_iter().filter(|row| row.state != catalog::ReelState::Open).collect()
    }
}

pub fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
