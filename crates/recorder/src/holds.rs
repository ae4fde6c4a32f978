//! Holds, as the recorder serves them: what is frozen goes to the reserve, what has ended leaves it (K12).
//!
//! A thread of its own: copying waits for disks, and recording comes first. What could not be done is tried again each second, from
//! where it stopped; each step of it is durable ([`vault::hold`]).

use crate::{mend::Kept, report::Report, service::locate};
use disk::Disk;
use domain::{Random, SiteId};
use keeper::{
    KeeperClient,
    wire::{Finding, FindingState},
};
use std::{
    cell::RefCell,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError},
    },
    thread::{self, JoinHandle},
    time::Duration,
};
use tracing::{info, warn};
use vault::{
    hold::{Gathered, Gathering, HoldError, Reserve},
    keeper::HeldJob,
    service::RecorderAnswer,
};

const PERIOD: Duration = Duration::from_secs(1);
/// Copying takes no more of the disks than this beside recording.
const BYTES_PER_SECOND_MAX: u64 = 64 * 1024 * 1024;

/// Where the reserve lies, and how large it may become.
#[derive(Clone, Debug)]
pub struct ReservePlace {
    pub path: PathBuf,
    pub bytes_max: u64,
}

/// What the keeper says, second by second: only the last word counts.
struct Word {
    jobs: Receiver<Vec<HeldJob>>,
    ended: Arc<AtomicBool>,
    latest: RefCell<Vec<HeldJob>>,
}

impl Word {
    /// The next one; `None` at the end.
    fn wait(&self) -> Option<Vec<HeldJob>> {
        while !self.ended.load(Ordering::SeqCst) {
            match self.jobs.recv_timeout(PERIOD) {
                Ok(first) => {
                    let latest = self.jobs.try_iter().last().unwrap_or(first);
                    self.latest.replace(latest.clone());
                    return Some(latest);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return None,
            }
        }
        None
    }

    /// Whether another hold is to be served, or nothing any more.
    fn is_new(&self) -> bool {
        let other = self.jobs.try_iter().last().is_some_and(|word| word != *self.latest.borrow());
        other || self.ended.load(Ordering::SeqCst)
    }
}

/// Who serves holds, and what with.
pub struct Freezer {
    pub keeper: Arc<KeeperClient>,
    pub kept: Kept,
    pub report: Arc<Report>,
    pub disk: Arc<dyn Disk>,
    pub site: SiteId,
    pub random: Arc<dyn Random>,
    pub place: ReservePlace,
}

impl Freezer {
    /// Follows what the keeper says of holds until `ended`.
    pub fn start(self, jobs: Receiver<Vec<HeldJob>>, ended: Arc<AtomicBool>) -> JoinHandle<()> {
        thread::spawn(move || {
            let word = Word { jobs, ended, latest: RefCell::default() };
            let (mut reserve, mut before, mut said) = (None, None, String::new());
            while let Some(latest) = word.wait() {
                let served = self.serve(&mut reserve, &latest, before.as_ref() != Some(&latest), &word);
                let trouble = served.as_ref().err().map(ToString::to_string).unwrap_or_default();
                if trouble != said {
                    self.report.note_finding(finding(&trouble));
                    if !trouble.is_empty() {
                        warn!(why = trouble, "holds are not served");
                    }
                    said = trouble;
                }
                // what is not done is looked at again with the next word
                before = served.is_ok().then_some(latest);
            }
        })
    }

    /// Keys of all of them first, as they die with their hours; then bytes, until there is a new word.
    fn serve(
        &self,
        reserve: &mut Option<Reserve>,
        jobs: &[HeldJob],
        changed: bool,
        word: &Word,
    ) -> Result<(), HoldError> {
        let reserve = match reserve {
            Some(reserve) if self.is_there() => reserve,
            _ => reserve.insert(self.open()?),
        };
        if changed {
            let left = reserve.keep_only(jobs)?;
            if left > 0 {
                info!(parts = left, "what holds kept has left the reserve");
            }
            self.leave_room(reserve)?;
        }
        let (mut first, mut wrapped) = (None, Vec::new());
        for job in jobs.iter().filter(|job| !job.is_kept) {
            match self.gathering(reserve, word, |gathering| gathering.wrap(job)) {
                Ok(gathered) => wrapped.push((job, gathered)),
                // one that fails does not keep the others waiting
                Err(error) => drop(first.get_or_insert(error)),
            }
        }
        for (job, gathered) in wrapped.into_iter().filter(|(_, gathered)| !gathered.waits) {
            match self.gathering(reserve, word, |gathering| gathering.copy(job, gathered)) {
                Ok(gathered) if gathered.waits => break,
                Ok(Gathered { reels, bytes, missing, .. }) => {
                    info!(hold = %job.hold, reels, bytes, missing, "held footage is in the reserve");
                    self.leave_room(reserve)?;
                }
                Err(error) => drop(first.get_or_insert(error)),
            }
        }
        first.map_or(Ok(()), Err)
    }

    /// Never a folder on another disk in place of the store's own.
    fn open(&self) -> Result<Reserve, HoldError> {
        if !self.is_there() {
            return Err(HoldError::Away);
        }
        let ReservePlace { path, bytes_max } = &self.place;
        Reserve::open(self.disk.clone(), path, self.site, *bytes_max, &*self.random)
    }

    fn is_there(&self) -> bool {
        let beside = |root: &&vault::store::Root| self.place.path.starts_with(&root.path);
        self.kept.store.roots().iter().find(beside).is_some_and(|root| root.must_be_there().is_ok())
    }

    fn gathering<T>(&self, reserve: &Reserve, word: &Word, work: impl FnOnce(&Gathering<'_>) -> T) -> T {
        let reels = |stream, span| match locate(&self.kept.admitter, &self.kept.footage, stream, span) {
            RecorderAnswer::Located(reels) => Ok(reels),
            RecorderAnswer::Refused { why } => Err(why),
            _ => Err("the catalog answered something else".into()),
        };
        let go_on = |bytes: u64| {
            thread::sleep(Duration::from_millis(bytes.saturating_mul(1_000) / BYTES_PER_SECOND_MAX));
            !word.is_new()
        };
        let (store, keeper, now) = (&*self.kept.store, &*self.keeper, self.kept.time.now());
        // a catalog that is being made anew does not know all reels yet
        let is_partial = !store.is_counted() || !store.kept().is_empty();
        work(&Gathering { reserve, store, keeper, locate: &reels, now, is_partial, go_on: &go_on })
    }

    /// No slot for new recording is made of what is left for holds, on the disk on which the reserve lies.
    fn leave_room(&self, reserve: &Reserve) -> Result<(), HoldError> {
        let left = reserve.bytes_max.saturating_sub(reserve.used()?);
        let beside = |root: &&vault::store::Root| self.place.path.starts_with(&root.path);
        self.kept.store.roots().iter().filter(beside).for_each(|root| root.leave_alone(left));
        Ok(())
    }
}

fn finding(trouble: &str) -> Finding {
    let (state, fr, en) = if trouble.is_empty() {
        let fr = "Ce qui est gelé est dans la réserve.".to_owned();
        (FindingState::Ok, fr, "What is held is in the reserve.".to_owned())
    } else {
        let fr = format!(
            "Des images gelées ne sont pas encore en réserve : {trouble}. Elles restent dans le stockage jusque-là, et sont reprises chaque seconde."
        );
        let en = format!(
            "Held footage is not in the reserve yet: {trouble}. It stays in the store until then, and is tried again each second."
        );
        (FindingState::Alarm, fr, en)
    };
    Finding {
        id: "holds".into(),
        state,
        title_fr: "Images gelées".into(),
        title_en: "Held footage".into(),
        detail_fr: fr,
        detail_en: en,
    }
}
