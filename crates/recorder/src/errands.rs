//! Errands: what follows from the keeper's word and may take a while: keys, facts, cameras, freed space, looks at cameras.

use crate::{
    camera::CameraConfig,
    duties::Duties,
    fingerprint::{self, Fingerprint},
    ingest::Ingest,
    mend::Order,
    source::{CameraUrl, Credentials, SourceError},
};
use domain::{StreamId, StreamKind};
use keeper::{
    KeeperClient,
    wire::{ProbeFailure, Probed, RecorderCamera},
};
use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, Sender},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};
use tracing::{info, warn};
use vault::keeper::{Dead, HeldJob, ProbeJob, Pulse};

/// Keys are looked for and facts handed in at least this often, also while the keeper says nothing.
const PERIOD: Duration = Duration::from_secs(1);
const PROBE_PATIENCE: Duration = Duration::from_secs(10);
/// How often the catalog is asked for what lies past its deadline and for gaps of hours that are gone.
const ROUND: Duration = Duration::from_secs(60);

/// What the clerk hands over.
pub enum Errand {
    Follow(Box<Pulse>),
    Stop,
}

/// Who runs them, and what for.
pub struct Errands {
    pub keeper: Arc<KeeperClient>,
    pub duties: Duties,
    pub ingest: Ingest,
    /// Where an ordered rebuild of the catalog goes.
    pub orders: Sender<Order>,
    /// Footage that is closed while its keys wait, as last told.
    pub closed: Vec<Dead>,
    pub cameras: Cameras,
    /// Where the word of holds goes.
    pub holds: Sender<Vec<HeldJob>>,
}

/// The cameras as the keeper last told them.
#[derive(Default)]
pub struct Cameras {
    version: u64,
    known: HashMap<StreamId, RecorderCamera>,
    /// Not lawful to record now.
    withheld: HashSet<StreamId>,
}

impl Errands {
    /// Runs until told to stop, or until the ingest thread is gone; then the ingest thread is stopped in order.
    pub fn start(mut self, errands: Receiver<Errand>) -> JoinHandle<()> {
        thread::spawn(move || {
            let mut round = Instant::now();
            while self.ingest.is_running() {
                match errands.recv_timeout(PERIOD) {
                    Ok(Errand::Follow(pulse)) => self.follow(*pulse),
                    Ok(Errand::Stop) | Err(RecvTimeoutError::Disconnected) => break,
                    Err(RecvTimeoutError::Timeout) => {}
                }
                self.duties.fetch_keys(&self.cameras.known.keys().copied().collect());
                self.duties.hand_in_facts();
                if round.elapsed() > ROUND {
                    round = Instant::now();
                    self.count_closed();
                    self.duties.look_over();
                    self.duties.tell_again();
                }
            }
            if let Err(error) = self.ingest.stop() {
                warn!(%error, "the ingest thread did not end in order");
            }
        })
    }

    fn follow(&mut self, pulse: Pulse) {
        if pulse.cameras_version != self.cameras.version {
            self.change_cameras();
        }
        for dead in &pulse.dead {
            self.duties.free(dead);
        }
        if pulse.closed_unconfirmed != self.closed {
            self.closed = pulse.closed_unconfirmed;
            self.count_closed();
        }
        if let Some(number) = pulse.rebuild
            && self.orders.send(Order { number, loss_accepted: pulse.loss_accepted }).is_err()
        {
            warn!("an order to rebuild the catalog found nobody");
        }
        if let Some(holds) = pulse.holds
            && self.holds.send(holds).is_err()
        {
            warn!("nobody serves holds");
        }
        if let Some(job) = pulse.probe {
            let keeper = self.keeper.clone();
            thread::spawn(move || look_at(&keeper, job));
        }
    }

    /// The keeper knows which hours wait, the catalog how many bytes they are (K9).
    fn count_closed(&self) {
        let bytes = self.closed.iter().map(|closed| self.duties.footage.bytes_of(closed.hour, &closed.cameras));
        match bytes.sum::<Result<u64, _>>() {
            Ok(bytes) => self.duties.report.note_closed_unconfirmed(bytes),
            Err(error) => warn!(%error, "closed footage could not be counted"),
        }
    }

    fn change_cameras(&mut self) {
        let (version, cameras, withheld) = match self.keeper.cameras() {
            Ok(answer) => answer,
            Err(error) => return warn!(%error, "the cameras could not be fetched"),
        };
        let now: HashMap<StreamId, RecorderCamera> = cameras.into_iter().flat_map(streams_of).collect();
        let withheld: HashSet<StreamId> = withheld.into_iter().collect();
        let Cameras { known: before, withheld: withheld_before, .. } = std::mem::take(&mut self.cameras);
        let mut taken = true;
        let is_gone = |stream: &&StreamId| !now.contains_key(stream) && !withheld.contains(stream);
        for gone in before.keys().chain(&withheld_before).filter(is_gone) {
            taken &= self.applied(self.ingest.remove(*gone));
        }
        for stopped in withheld.difference(&withheld_before) {
            taken &= self.applied(self.ingest.withhold(*stopped));
        }
        for (stream, camera) in now.iter().filter(|(stream, camera)| before.get(stream) != Some(*camera)) {
            match config(*stream, camera) {
                Ok(config) => taken &= self.applied(self.ingest.put(config)),
                Err(why) => warn!(camera = %camera.name, why, "the camera cannot be recorded as it is registered"),
            }
        }
        info!(streams = now.len(), "cameras changed");
        self.cameras = Cameras { version: if taken { version } else { 0 }, known: now, withheld };
    }

    fn applied(&self, applied: Result<(), crate::ingest::IngestError>) -> bool {
        applied.inspect_err(|error| warn!(%error, "a camera's change was not taken")).is_ok()
    }
}

/// A camera's main stream, and its sub-stream where it has one.
fn streams_of(camera: RecorderCamera) -> Vec<(StreamId, RecorderCamera)> {
    let main = StreamId::main(camera.id);
    let sub = camera.sub_url.clone().map(|url| {
        let name = format!("{} (flux secondaire · sub-stream)", camera.name);
        (StreamId { kind: StreamKind::Sub, ..main }, RecorderCamera { url, name, sub_url: None, ..camera.clone() })
    });
    std::iter::once((main, RecorderCamera { sub_url: None, ..camera })).chain(sub).collect()
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
        job.url.parse().map_err(|error: crate::source::UrlError| failure(error.text_fr().into(), error.to_string()))?;
    let credentials = job.credentials.map(|(user, password)| Credentials::new(user, password));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| failure(error.to_string(), error.to_string()))?;
    if job.identity_only {
        let found = runtime.block_on(fingerprint::identify(&url)).map_err(|error| told(&error))?;
        return Ok(Probed { fingerprint: found.to_string(), ..Probed::default() });
    }
    let found = runtime.block_on(fingerprint::probe(&url, credentials.as_ref(), PROBE_PATIENCE));
    let report = found.map_err(|error| told(&error))?;
    Ok(Probed {
        fingerprint: report.fingerprint.to_string(),
        codec: format!("{:?}", report.codec).to_uppercase(),
        width: report.width,
        height: report.height,
        millihertz: report.fps.map_or(0, |fps| (fps * 1_000.0) as u32),
        offered: vec![report.tracks_text()],
    })
}

fn told(error: &SourceError) -> ProbeFailure {
    let cause = error.cause();
    ProbeFailure { text_fr: cause.text_fr(), text_en: cause.text_en() }
}
