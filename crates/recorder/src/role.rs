//! The recorder's role: hello, recovery, then its threads until it is told to stop.
//!
//! 1 hello: the keeper certifies this run's key and gives it its time (R5, R9); waited for as long as it takes
//! 2 recover: reels that an earlier run left open are closed (R5)
//! 3 ingest, writer, errands, service, clerk
//! 4 stop: sessions closed, open chunks flushed, open reels ended, facts told

use crate::{
    clerk::{BEAT_PATIENCE, Clerk, LivePermits},
    duties::{Duties, note_told},
    errands::{Cameras, Errand, Errands},
    holds::{Freezer, ReservePlace},
    ingest::{Ingest, IngestError},
    mend::{Kept, Leftovers, Mender},
    report::Report,
    roots::{self, Roots},
    scrub::Scrub,
    service::Service,
    space::Space,
    writer::{Desk, Writer, WriterParts},
};
use catalog::{CatalogError, EarlierLife, Footage};
use disk::{Disk, PatientDisk};
use domain::{Clock, HourLength, Random, RunId, Secret32, SiteId, UtcMicros};
use keeper::KeeperClient;
use seal::sign::{PublicKey, SigningKey};
use std::{
    collections::HashSet,
    os::unix::net::UnixListener,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI64, Ordering},
        mpsc::{Sender, channel},
    },
    thread,
    time::{Duration, Instant},
};
use tracing::{info, warn};
use vault::{
    KeeperError, LocalStore, StoreError,
    admit::Admitter,
    keeper::{HeldJob, RunGrant},
    rebuild::Turn,
    recover::{Closer, RecoverError, Recovered, recover},
    store::Place,
    watch::Hub,
};

/// What a recorder is made of.
pub struct RecorderParts {
    pub site: SiteId,
    pub hour_length: HourLength,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    pub keeper: Arc<KeeperClient>,
    pub disk: Arc<dyn Disk>,
    /// The store's folders, each with how far it may grow.
    pub store: Vec<Place>,
    pub footage: PathBuf,
    /// Where held footage lies.
    pub reserve: ReservePlace,
    /// Where web asks; web is known by the secret (P3).
    pub listener: UnixListener,
    pub web_secret: Secret32,
    /// Set from outside to stop.
    pub stop: Arc<AtomicBool>,
}

/// Why a recorder ends.
#[derive(Debug, thiserror::Error)]
pub enum RecorderError {
    #[error(transparent)]
    Keeper(#[from] KeeperError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Footage(#[from] CatalogError),
    #[error(transparent)]
    Recover(#[from] RecoverError),
    #[error(transparent)]
    Ingest(#[from] IngestError),
    #[error("a thread of the recorder ended: the recorder begins anew")]
    ThreadEnded,
    #[error("our own time stepped by {millis} ms: a new run begins with a new anchor (R9)")]
    TimeStepped { millis: i64 },
}

impl RecorderError {
    /// What a catalog made anew from the reels mends: damage, and one that a later program left, for it holds nothing that the
    /// reels do not (decision 0060).
    fn is_mended_anew(&self) -> bool {
        matches!(
            self,
            RecorderError::Footage(CatalogError::Damaged { .. } | CatalogError::Newer { .. })
                | RecorderError::Recover(
                    RecoverError::Footage(CatalogError::Damaged { .. }) | RecoverError::NoLocation { .. }
                )
        )
    }
}

/// A run's time: the keeper's trusted time at hello, carried on by CLOCK_BOOTTIME, which nobody sets (R9).
#[derive(Clone)]
pub struct RunTime {
    anchor: UtcMicros,
    boot: i64,
    clock: Arc<dyn Clock>,
    /// What the keeper's time drifted since; all threads share it.
    followed: Arc<AtomicI64>,
}

/// The keeper follows its quartz's drift by 200 ppm at most; half a millisecond a second keeps up (R9).
const FOLLOWED_MICROS_PER_BEAT: i64 = 500;

impl RunTime {
    /// `boot`: what CLOCK_BOOTTIME said at the anchor, in microseconds.
    pub fn new(anchor: UtcMicros, boot: i64, clock: Arc<dyn Clock>) -> RunTime {
        RunTime { anchor, boot, clock, followed: Arc::default() }
    }

    pub fn now(&self) -> UtcMicros {
        let followed = self.followed.load(Ordering::Relaxed);
        self.anchor.plus_micros(self.clock.boot().0 - self.boot + followed)
    }

    /// Called once a second with how far the keeper's time is ahead of this (behind: negative). It never goes backwards.
    pub fn follow(&self, ahead_micros: i64) {
        let step = ahead_micros.clamp(-FOLLOWED_MICROS_PER_BEAT, FOLLOWED_MICROS_PER_BEAT);
        self.followed.fetch_add(step, Ordering::Relaxed);
    }
}

/// How often the keeper is asked again while it is away: at a start both begin at once, and each wait is missing from the pictures.
const HELLO_AGAIN: Duration = Duration::from_millis(100);
/// At the stop: how long the keeper may take to hear the last facts. They are found again by recovery.
const LAST_FACTS_MAX: Duration = Duration::from_secs(5);

/// Records until it is told to stop, or until it must begin anew.
pub fn run(parts: RecorderParts) -> Result<(), RecorderError> {
    let seed = Secret32::draw(&*parts.random);
    let Some((grant, time)) = hello(&parts, &seed) else { return Ok(()) }; // 1
    let store = Arc::new(open_store(&parts)?);
    let (footage, recovered, earlier_life) = open(&parts, &store, &grant, &seed, time.now())?; // 2
    info!(run = %grant.certificate.run, recovered = recovered.facts.len(), "the recorder begins a run");
    let site_key = grant.site_key;
    let mut admitter = Admitter::new(grant, &seed, store.clone(), footage.clone(), parts.random.clone());
    let (left, unreadable) = (Leftovers::of(&recovered, &store), recovered.unreadable_slots);
    recovered.retold.into_iter().chain(recovered.facts).for_each(|fact| admitter.tell(fact));

    let hub = Arc::new(Hub::default());
    let report = Arc::new(Report::default());
    report.note_unknown_slots(recovered.unknown_slots.len());
    let admitter = Arc::new(Mutex::new(admitter));
    let kept = Kept::of(&admitter, &store, &footage, &report, &time);
    let writer = WriterParts { kept: kept.clone(), hour_length: parts.hour_length, earlier_life };
    let (desk, writer) = Writer::new(writer, hub.clone());
    let ended = Arc::new(AtomicBool::new(false));
    let ingest = start_ingest(&parts, &time, desk)?;
    report.watch(ingest.board());
    let turn = Arc::new(Turn::default());
    let mender = mender(&parts, &kept, grant, &seed, &turn, unreadable);
    scrub(&parts, kept.clone(), site_key, &ended);
    let (permits, confirmed) = (LivePermits::default(), Arc::new(Mutex::new(Instant::now())));
    let service = Service {
        keeper: parts.keeper.clone(),
        admitter: admitter.clone(),
        footage: footage.clone(),
        store: store.clone(),
        hub: hub.clone(),
        secret: parts.web_secret.clone(),
        permits: permits.clone(),
        confirmed: confirmed.clone(),
    };
    thread::spawn(move || service.listen(&parts.listener));
    let writing = writer.start(time.clone(), ended.clone());
    let preparing = prepare_slots(store.clone(), ended.clone());
    let (errands, asked) = channel();
    let (mending, orders) = mender.start(left, ended.clone());
    let looking = look_after_roots(&parts.disk, kept.clone(), &parts.footage, &ended);
    let holds = serve_holds(&parts.keeper, &parts.disk, &parts.random, (parts.site, parts.reserve), (&kept, &ended));
    let measuring = Space::new(parts.disk.clone(), kept, &parts.footage).start(ended.clone());
    let duties = Duties {
        keeper: parts.keeper.clone(),
        admitter: admitter.clone(),
        store,
        footage: footage.clone(),
        report: report.clone(),
        time: time.clone(),
        hour_length: parts.hour_length,
        turn,
        freed: HashSet::new(),
    };
    let (keeper, closed, cameras) = (parts.keeper.clone(), Vec::new(), Cameras::default());
    let running = Errands { keeper, duties, ingest, orders, closed, cameras, holds }.start(asked);
    let keeper = parts.keeper.patient(BEAT_PATIENCE);
    let (errand, told) = (errands.clone(), footage.clone());
    let clerk = Clerk { keeper, hub, permits, confirmed, report, footage, time, errands: errand };
    let outcome = clerk.work_until(&parts.stop, &[&writing, &preparing, &running, &mending, &measuring, &looking]); // 3

    drop(errands.send(Errand::Stop)); // 4: a thread that is gone has stopped
    join(running);
    ended.store(true, Ordering::SeqCst);
    [writing, preparing, measuring].into_iter().for_each(join);
    drop(mending); // it may be reading reels: what it has entered stays, and it is begun again
    drop(looking); // it may wait for a disk that does not answer
    tell_last(&parts.keeper, &admitter, &told);
    outcome
}

fn open_store(parts: &RecorderParts) -> Result<LocalStore, RecorderError> {
    Ok(roots::open(&parts.disk, &parts.store, parts.site, &parts.footage, Some(roots::PATIENCE))?)
}

/// Also a folder whose disk hangs must not keep the others from being told of.
fn look_after_roots(
    disk: &Arc<dyn Disk>,
    kept: Kept,
    footage: &Path,
    ended: &Arc<AtomicBool>,
) -> thread::JoinHandle<()> {
    let patient = Arc::new(PatientDisk::new(disk.clone(), roots::PATIENCE));
    Roots::new(patient, kept, footage.to_owned()).start(ended.clone())
}

/// 1. `None`: told to stop while waiting.
fn hello(parts: &RecorderParts, seed: &Secret32) -> Option<(RunGrant, RunTime)> {
    let run = RunId::draw(&*parts.random);
    let mut said = false;
    while !parts.stop.load(Ordering::SeqCst) {
        let asked = parts.clock.boot().0;
        match parts.keeper.begin_run(run, SigningKey::from_seed(seed).public()) {
            Ok(grant) => {
                // the keeper read its clock between the question and the answer
                let boot = asked.midpoint(parts.clock.boot().0);
                return Some((grant, RunTime::new(grant.anchor, boot, parts.clock.clone())));
            }
            Err(error) if said => tracing::debug!(%error, "still no keeper"),
            Err(error) => warn!(%error, "the recorder waits for the keeper"),
        }
        said = true;
        thread::sleep(HELLO_AGAIN);
    }
    None
}

/// 2. Nothing is freed before what lies on the disks was counted.
fn open(
    parts: &RecorderParts,
    store: &LocalStore,
    grant: &RunGrant,
    seed: &Secret32,
    now: UtcMicros,
) -> Result<(Arc<Footage>, Recovered, EarlierLife), RecorderError> {
    let run_key = SigningKey::from_seed(seed);
    let opening = Opening { site: parts.site, path: &parts.footage, store, grant, run_key: &run_key };
    let (footage, recovered, earlier_life) = opening.recover(now)?;
    store.await_census();
    Ok((Arc::new(footage), recovered, earlier_life))
}

/// Nobody waits for it: what it has not done it finds again. Where the keeper's word goes.
fn serve_holds(
    keeper: &Arc<KeeperClient>,
    disk: &Arc<dyn Disk>,
    random: &Arc<dyn Random>,
    (site, place): (SiteId, ReservePlace),
    (kept, ended): (&Kept, &Arc<AtomicBool>),
) -> Sender<Vec<HeldJob>> {
    let (keeper, disk, random) = (keeper.clone(), disk.clone(), random.clone());
    let (holds, held) = channel();
    let freezer = Freezer { keeper, kept: kept.clone(), report: kept.report.clone(), disk, site, random, place };
    drop(freezer.start(held, ended.clone()));
    holds
}

fn mender(
    parts: &RecorderParts,
    kept: &Kept,
    grant: RunGrant,
    seed: &Secret32,
    turn: &Arc<Turn>,
    unreadable: usize,
) -> Mender {
    let (keeper, path, run_key) = (parts.keeper.clone(), parts.footage.clone(), SigningKey::from_seed(seed));
    Mender { keeper, kept: kept.clone(), path, grant, run_key, turn: turn.clone(), unreadable }
}

/// May hang in a read of a dying disk: nobody waits for it.
fn scrub(parts: &RecorderParts, kept: Kept, site_key: PublicKey, ended: &Arc<AtomicBool>) {
    let random = parts.random.clone();
    drop(Scrub::new(&parts.keeper, kept, parts.footage.clone(), site_key, random, ended.clone()).start());
}

/// How a run finds what earlier ones left.
pub struct Opening<'a> {
    pub site: SiteId,
    /// The footage catalog's file.
    pub path: &'a Path,
    pub store: &'a LocalStore,
    pub grant: &'a RunGrant,
    pub run_key: &'a SigningKey,
}

impl Opening<'_> {
    /// The footage catalog is disposable (P7): one that is damaged, now or when it was last used, is made anew. Its footage
    /// stays in its slots, which recovery keeps, and from which `mend` makes its rows again. What was known of earlier runs
    /// comes third.
    pub fn recover(&self, now: UtcMicros) -> Result<(Footage, Recovered, EarlierLife), RecorderError> {
        if Footage::is_marked_damaged(self.path) {
            self.discard()?;
        }
        match self.attempt(now) {
            Err(error) if error.is_mended_anew() => {
                warn!(%error, "the footage catalog is of no use");
                self.discard()?;
                self.attempt(now)
            }
            answer => answer,
        }
    }

    fn attempt(&self, now: UtcMicros) -> Result<(Footage, Recovered, EarlierLife), RecorderError> {
        let Opening { store, grant, run_key, .. } = *self;
        let footage = Footage::open(self.path, self.site)?;
        let earlier_life = footage.earlier_life()?; // before recovery adds signs of its own
        let recovered = recover(&Closer { store, footage: &footage, grant, run_key, now })?;
        Ok((footage, recovered, earlier_life))
    }

    fn discard(&self) -> Result<(), RecorderError> {
        warn!("the footage catalog is damaged or a later program's: it is made anew; footage stays in its reels");
        let discarded = Footage::discard(self.path)?;
        info!(files = discarded.len(), "discarded");
        Ok(())
    }
}

fn start_ingest(parts: &RecorderParts, time: &RunTime, desk: Desk) -> Result<Ingest, RecorderError> {
    let time = time.clone();
    let world = crate::camera::World {
        trusted: Arc::new(move || time.now()),
        random: parts.random.clone(),
        hour_length: parts.hour_length,
    };
    Ok(Ingest::start(world, Arc::new(desk))?)
}

/// Slots are written once in the background, ahead of need (R2).
fn prepare_slots(store: Arc<LocalStore>, ended: Arc<AtomicBool>) -> thread::JoinHandle<()> {
    const FREE_SLOTS: u32 = 2;
    const PAUSE: Duration = Duration::from_millis(500);
    thread::spawn(move || {
        let mut said = false; // once for a disk that is full: the log may lie on it
        while !ended.load(Ordering::SeqCst) {
            match store.prepare(FREE_SLOTS) {
                Ok(true) => {
                    said = false;
                    continue;
                }
                Ok(false) => said = false,
                Err(error) if said => tracing::debug!(%error, "still no slot could be prepared"),
                Err(error) => {
                    said = true;
                    warn!(%error, "no slot could be prepared; tried again twice a second");
                }
            }
            thread::sleep(PAUSE);
        }
    })
}

fn tell_last(keeper: &KeeperClient, admitter: &Mutex<Admitter>, footage: &Footage) {
    let facts = admitter.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take_facts();
    let started = Instant::now();
    while !facts.is_empty() && started.elapsed() < LAST_FACTS_MAX {
        match vault::Keeper::enter(keeper, &facts) {
            Ok(()) => return note_told(footage, &facts),
            Err(error) => warn!(%error, "the keeper did not hear the last facts yet"),
        }
        thread::sleep(HELLO_AGAIN);
    }
}

fn join(thread: thread::JoinHandle<()>) {
    if thread.join().is_err() {
        warn!("a thread of the recorder broke down");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::world::{BootId, BootMicros};

    struct Hands(AtomicI64);

    impl Clock for Hands {
        fn utc(&self) -> UtcMicros {
            UtcMicros(0)
        }
        fn boot(&self) -> BootMicros {
            BootMicros(self.0.load(Ordering::SeqCst))
        }
        fn boot_id(&self) -> BootId {
            BootId([1; 16])
        }
    }

    #[test]
    fn a_runs_time_follows_the_keepers_drift_slowly_and_never_backwards() {
        let hands = Arc::new(Hands(AtomicI64::new(0)));
        let time = RunTime::new(UtcMicros::from_seconds(1_800_000_000), 0, hands.clone());
        let mut last = time.now();
        for second in 1..=100 {
            hands.0.store(second * 1_000_000, Ordering::SeqCst);
            time.clone().follow(if second % 2 == 0 { -9_000 } else { -300 });
            assert!(last < time.now());
            last = time.now();
        }
        assert_eq!(time.now(), UtcMicros::from_seconds(1_800_000_100).plus_micros(-50 * 500 - 50 * 300));
    }
}
