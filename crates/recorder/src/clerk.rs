//! The clerk: once a second asks the keeper which permits hold and what time it is (P5). Nothing that may wait for a disk is
//! done here: that is for `errands`.

use crate::{
    errands::Errand,
    report::Report,
    role::{RecorderError, RunTime},
};
use catalog::Footage;
use domain::{PermitId, UtcMicros};
use keeper::KeeperClient;
use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::Sender,
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};
use tracing::warn;
use vault::{
    Keeper, KeeperError,
    keeper::{Beat, Permit, Pulse},
    watch::Hub,
};

const PERIOD: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_millis(100);
/// A keeper that takes longer than this is as good as silent: live streams end after two seconds without its word (P5).
pub const BEAT_PATIENCE: Duration = Duration::from_millis(1_500);
/// Our time and the keeper's may differ by a message's way; more is a step of time (R9).
const STEP_MICROS_MAX: i64 = 2_000_000;

/// Permits of the live streams that are open now.
pub type LivePermits = Arc<Mutex<HashMap<PermitId, Permit>>>;

/// The clerk and what it asks about.
pub struct Clerk {
    /// With a patience of [`BEAT_PATIENCE`].
    pub keeper: KeeperClient,
    pub hub: Arc<Hub>,
    pub permits: LivePermits,
    pub confirmed: Arc<Mutex<Instant>>,
    pub report: Arc<Report>,
    pub footage: Arc<Footage>,
    pub time: RunTime,
    pub errands: Sender<Errand>,
}

impl Clerk {
    /// Works once a second until `stop`. An error means that a new run must begin.
    pub fn work_until(&self, stop: &AtomicBool, threads: &[&JoinHandle<()>]) -> Result<(), RecorderError> {
        while !stop.load(Ordering::SeqCst) {
            let next = Instant::now() + PERIOD;
            let before = self.time.now();
            match self.beat() {
                Ok(pulse) => {
                    follow_time(&self.time, &pulse, before)?;
                    // without its errands the recorder has no keys soon: the next look at its threads says so
                    drop(self.errands.send(Errand::Follow(Box::new(pulse))));
                }
                Err(error) => warn!(%error, "the keeper did not answer; recording goes on with the keys at hand"),
            }
            if threads.iter().any(|thread| thread.is_finished()) {
                return Err(RecorderError::ThreadEnded);
            }
            while Instant::now() < next && !stop.load(Ordering::SeqCst) {
                thread::sleep(LOOK);
            }
        }
        Ok(())
    }

    fn beat(&self) -> Result<Pulse, KeeperError> {
        let permits: Vec<Permit> = {
            let mut live = self.permits.lock().unwrap_or_else(PoisonError::into_inner);
            let watched: HashSet<PermitId> = self.hub.permits().into_iter().collect();
            live.retain(|id, _| watched.contains(id));
            live.values().cloned().collect()
        };
        let asked_at = Instant::now();
        let health = self.report.json(self.time.now(), self.footage.bytes().ok());
        let clocks = self.report.clocks(self.time.now());
        let pulse = self.keeper.check(&Beat {
            permits: permits.clone(),
            health,
            clocks,
            is_short_of_room: self.report.is_short_of_room(),
        })?;
        let alive: HashSet<PermitId> =
            permits.iter().zip(&pulse.alive).filter(|(_, alive)| **alive).map(|(permit, _)| permit.id).collect();
        // a stream that was opened since the question was asked is asked about next time
        let asked: HashSet<PermitId> = permits.iter().map(|permit| permit.id).collect();
        self.hub.keep_only(|permit| alive.contains(&permit) || !asked.contains(&permit));
        *self.confirmed.lock().unwrap_or_else(PoisonError::into_inner) = asked_at;
        Ok(pulse)
    }
}

/// Follows the keeper's drift, or says that our time stepped and a new run must begin (R9). `before`: our time when the keeper
/// was asked; it read its clock between the question and the answer, and only outside of that is a difference a step.
pub fn follow_time(time: &RunTime, pulse: &Pulse, before: UtcMicros) -> Result<(), RecorderError> {
    let Some(trusted) = pulse.now else { return Ok(()) };
    let (early, late) = (before.since(trusted), trusted.since(time.now()));
    let difference = early.max(late);
    if difference > STEP_MICROS_MAX {
        return Err(RecorderError::TimeStepped { millis: difference / 1_000 });
    }
    if difference > 0 {
        time.follow(if early > late { -early } else { late });
    }
    Ok(())
}
