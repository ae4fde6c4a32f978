//! The clerk: once a second speaks with the keeper, so that nobody who handles pictures has to wait for it (P5, P6).
//!
//! Asks which permits hold, what time it is, what must be freed; fetches keys ahead, hands in facts, brings camera changes.

use crate::{
    camera::CameraConfig,
    fingerprint::{self, Fingerprint},
    ingest::Ingest,
    report::Report,
    role::{RecorderError, RunTime},
    source::{CameraUrl, Credentials, SourceError},
};
use catalog::Footage;
use domain::{HourLength, PermitId, ReelId, StreamId, limit};
use keeper::{
    KeeperClient,
    wire::{ProbeFailure, Probed, RecorderCamera},
};
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};
use tracing::{info, warn};
use vault::{
    Keeper, LocalStore, Location,
    admit::Admitter,
    keeper::{Beat, Dead, Fact, Permit, ProbeJob, Pulse},
    watch::Hub,
};

const PERIOD: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_millis(100);
const PROBE_PATIENCE: Duration = Duration::from_secs(10);
/// Our time and the keeper's may differ by a message's way; more is a step of time (R9).
const STEP_MICROS_MAX: i64 = 2_000_000;

/// Permits of the live streams that are open now.
pub type LivePermits = Arc<Mutex<HashMap<PermitId, Permit>>>;

/// The clerk and what it looks after.
pub struct Clerk {
    pub keeper: Arc<KeeperClient>,
    pub admitter: Arc<Mutex<Admitter>>,
    pub store: Arc<LocalStore>,
    pub footage: Arc<Footage>,
    pub hub: Arc<Hub>,
    pub report: Arc<Report>,
    pub permits: LivePermits,
    pub time: RunTime,
    pub ingest: Ingest,
    pub hour_length: HourLength,
    /// Reels whose slots were given back: given back once, told until heard.
    pub freed: HashSet<ReelId>,
    pub cameras: Cameras,
}

/// The cameras as the keeper last told them.
#[derive(Default)]
pub struct Cameras {
    version: u64,
    known: HashMap<StreamId, RecorderCamera>,
}

impl Clerk {
    /// Works once a second until `stop`. An error means that a new run must begin.
    pub fn work_until(&mut self, stop: &AtomicBool) -> Result<(), RecorderError> {
        let mut confirmed = Instant::now();
        while !stop.load(Ordering::SeqCst) {
            let next = Instant::now() + PERIOD;
            match self.beat() {
                Ok(pulse) => {
                    confirmed = Instant::now();
                    self.time_stands(&pulse)?;
                    self.follow(pulse);
                }
                Err(error) => warn!(%error, "the keeper did not answer; recording goes on with the keys at hand"),
            }
            if confirmed.elapsed() > Duration::from_millis(limit::LIVE_SILENCE_MS_MAX) {
                self.hub.keep_only(|_| false); // P5: nobody confirmed the permits
            }
            self.fetch_keys();
            self.hand_in_facts();
            while Instant::now() < next && !stop.load(Ordering::SeqCst) {
                thread::sleep(LOOK);
            }
        }
        Ok(())
    }

    fn beat(&self) -> Result<Pulse, vault::KeeperError> {
        let watched: HashSet<PermitId> = self.hub.permits().into_iter().collect();
        let permits: Vec<Permit> = {
            let mut live = self.permits.lock().unwrap_or_else(PoisonError::into_inner);
            live.retain(|id, _| watched.contains(id));
            live.values().cloned().collect()
        };
        let health = self.report.json(self.time.now(), self.footage.bytes().ok());
        let pulse = self.keeper.check(&Beat { permits: permits.clone(), health })?;
        let alive: HashSet<PermitId> =
            permits.iter().zip(&pulse.alive).filter(|(_, alive)| **alive).map(|(permit, _)| permit.id).collect();
        // a stream that was opened since the question was asked is asked about next time
        let asked: HashSet<PermitId> = permits.iter().map(|permit| permit.id).collect();
        self.hub.keep_only(|permit| alive.contains(&permit) || !asked.contains(&permit));
        Ok(pulse)
    }

    fn time_stands(&self, pulse: &Pulse) -> Result<(), RecorderError> {
        let Some(trusted) = pulse.now else { return Ok(()) };
        let difference = self.time.now().since(trusted);
        if difference.abs() > STEP_MICROS_MAX {
            return Err(RecorderError::TimeStepped { millis: difference / 1_000 });
        }
        Ok(())
    }

    fn follow(&mut self, pulse: Pulse) {
        if pulse.cameras_version != self.cameras.version {
            self.change_cameras();
        }
        for dead in &pulse.dead {
            self.free(dead);
        }
        if let Some(job) = pulse.probe {
            let keeper = self.keeper.clone();
            thread::spawn(move || look_at(&keeper, job));
        }
    }

    fn change_cameras(&mut self) {
        let (version, cameras) = match self.keeper.cameras() {
            Ok(answer) => answer,
            Err(error) => return warn!(%error, "the cameras could not be fetched"),
        };
        let now: HashMap<StreamId, RecorderCamera> =
            cameras.into_iter().map(|camera| (StreamId::main(camera.id), camera)).collect();
        let before = std::mem::take(&mut self.cameras.known);
        for gone in before.keys().filter(|stream| !now.contains_key(stream)) {
            self.applied(self.ingest.remove(gone.camera));
        }
        for (stream, camera) in now.iter().filter(|(stream, camera)| before.get(stream) != Some(*camera)) {
            match config(*stream, camera) {
                Ok(config) => self.applied(self.ingest.put(config)),
                Err(why) => warn!(camera = %camera.name, why, "the camera cannot be recorded as it is registered"),
            }
        }
        info!(cameras = now.len(), "cameras changed");
        self.cameras = Cameras { version, known: now };
    }

    fn applied(&self, applied: Result<(), crate::ingest::IngestError>) {
        if let Err(error) = applied {
            warn!(%error, "a camera's change was not taken");
        }
    }

    /// Frees the slots of an hour whose keys are dead (K10 step 5), once, and tells the keeper until it has heard.
    fn free(&mut self, dead: &Dead) {
        let rows = match self.footage.reels_dead(dead.hour, Some(&dead.cameras)) {
            Ok(rows) => rows,
            Err(error) => return warn!(%error, "a dead hour could not be freed yet"),
        };
        let fresh: Vec<_> = rows.iter().filter(|row| !self.freed.contains(&row.reel)).collect();
        let (Some(in_use), Some(slots)) = (self.live_slots(), slots_of(fresh.iter().copied())) else {
            return warn!("a dead hour could not be freed yet: the catalog does not say where every reel lies");
        };
        self.store.free(slots.into_iter().filter(|slot| !in_use.contains(slot)));
        self.freed.extend(fresh.iter().map(|row| row.reel));
        let reels: Vec<ReelId> = rows.iter().map(|row| row.reel).collect();
        let fact =
            Fact::Freed { hour: dead.hour, cameras: dead.cameras.clone(), reels: reels.clone(), residual: Vec::new() };
        match self.keeper.enter(&[fact]) {
            Ok(()) => self.forget(&reels),
            Err(error) => warn!(%error, "the keeper did not hear of freed space yet"),
        }
    }

    /// Slots of reels that live; `None` where the catalog does not tell for sure.
    fn live_slots(&self) -> Option<BTreeSet<u32>> {
        slots_of(self.footage.live_reels().ok()?.iter())
    }

    fn forget(&mut self, reels: &[ReelId]) {
        if let Err(error) = self.footage.forget(reels) {
            warn!(%error, "rows of dead reels stay for now");
        }
    }

    fn fetch_keys(&self) {
        let streams: BTreeSet<StreamId> = self.cameras.known.keys().copied().collect();
        let present = self.hour_length.hour_of(self.time.now());
        let (run, wanted) = {
            let admitter = self.admitter();
            (admitter.run(), admitter.wanted_keys(present, &streams))
        };
        for (hour, missing) in wanted {
            match self.keeper.mint(hour, run, &missing) {
                Ok(minted) => self.admitter().give_keys(minted),
                Err(error) => return warn!(%hour, %error, "no keys yet"),
            }
        }
    }

    fn hand_in_facts(&self) {
        let facts = self.admitter().take_facts();
        if facts.is_empty() {
            return;
        }
        if let Err(error) = self.keeper.enter(&facts) {
            warn!(%error, "facts for the ledger wait");
            let mut admitter = self.admitter();
            facts.into_iter().for_each(|fact| admitter.tell(fact));
        }
    }

    fn admitter(&self) -> std::sync::MutexGuard<'_, Admitter> {
        self.admitter.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The slots of these reels; `None` where a location does not read: nothing is freed on a guess.
fn slots_of<'a>(rows: impl Iterator<Item = &'a catalog::ReelRow>) -> Option<BTreeSet<u32>> {
    let mut slots = BTreeSet::new();
    for row in rows {
        slots.extend(Location::from_bytes(&row.location)?.slots());
    }
    Some(slots)
}

fn config(stream: StreamId, camera: &RecorderCamera) -> Result<CameraConfig, String> {
    let url: CameraUrl = camera.url.parse().map_err(|error: crate::source::UrlError| error.to_string())?;
    let mut config = CameraConfig::new(stream, camera.name.clone(), url);
    config.credentials = camera
        .credentials
        .as_ref()
        .map(|credentials| Credentials::new(credentials.user.clone(), credentials.password.clone()));
    config.pinned = match &camera.fingerprint {
        Some(text) => Some(text.parse::<Fingerprint>().map_err(|error| error.to_string())?),
        None => None,
    };
    Ok(config)
}

/// A look at a camera on a thread of its own: it may take ten seconds.
fn look_at(keeper: &KeeperClient, job: ProbeJob) {
    let number = job.number;
    if let Err(error) = keeper.probed(number, probe(job)) {
        warn!(%error, "the keeper did not hear what a camera showed");
    }
}

fn probe(job: ProbeJob) -> Result<Probed, ProbeFailure> {
    let failure = |fr: String, en: String| ProbeFailure { text_fr: fr, text_en: en };
    let url: CameraUrl =
        job.url.parse().map_err(|error: crate::source::UrlError| failure(error.to_string(), error.to_string()))?;
    let credentials = job.credentials.map(|(user, password)| Credentials::new(user, password));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| failure(error.to_string(), error.to_string()))?;
    let found = runtime.block_on(fingerprint::probe(&url, credentials.as_ref(), PROBE_PATIENCE));
    let report = found.map_err(|error: SourceError| {
        let cause = error.cause();
        failure(cause.text_fr().into_owned(), cause.text_en().into_owned())
    })?;
    Ok(Probed {
        fingerprint: report.fingerprint.to_string(),
        codec: format!("{:?}", report.codec).to_uppercase(),
        width: report.width,
        height: report.height,
        millihertz: report.fps.map_or(0, |fps| (fps * 1_000.0) as u32),
        offered: vec![report.tracks_text()],
    })
}
