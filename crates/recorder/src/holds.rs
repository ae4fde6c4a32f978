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
            let (mut reserve, mut before, mut said) = (None, None, String::new());
            while !ended.load(Ordering::SeqCst) {
                let latest = match jobs.recv_timeout(PERIOD) {
                    Ok(first) => jobs.try_iter().last().unwrap_or(first),
                    Err(RecvTimeoutError::Timeout) => continue,
                    Err(RecvTimeoutError::Disconnected) => break,
                };
                let served = self.serve(&mut reserve, &latest, before.as_ref() != Some(&latest), &ended);
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

    fn serve(
        &self,
        reserve: &mut Option<Reserve>,
        jobs: &[HeldJob],
        changed: bool,
        ended: &AtomicBool,
    ) -> Result<(), HoldError> {
        let reserve = match reserve {
            Some(reserve) => reserve,
            None => {
                let ReservePlace { path, bytes_max } = &self.place;
                let opened = Reserve::open(self.disk.clone(), path, self.site, *bytes_max, &*self.random)?;
                reserve.insert(opened)
            }
        };
        if changed {
            let left = reserve.keep_only(jobs)?;
            if left > 0 {
                info!(parts = left, "what holds kept has left the reserve");
            }
            self.leave_room(reserve)?;
        }
        let mut first = None;
        for job in jobs.iter().filter(|job| !job.is_kept) {
            if ended.load(Ordering::SeqCst) {
                break;
            }
            match self.gather(reserve, job) {
                Ok(gathered) if gathered.waits => {}
                Ok(gathered) => {
                    info!(hold = %job.hold, reels = gathered.reels, bytes = gathered.bytes, "held footage is in the reserve");
                    self.leave_room(reserve)?;
                }
                // one that fails does not keep the others waiting
                Err(error) => drop(first.get_or_insert(error)),
            }
        }
        first.map_or(Ok(()), Err)
    }

    fn gather(&self, reserve: &Reserve, job: &HeldJob) -> Result<Gathered, HoldError> {
        let reels = |stream, span| match locate(&self.kept.admitter, &self.kept.footage, stream, span) {
            RecorderAnswer::Located(reels) => Ok(reels),
            RecorderAnswer::Refused { why } => Err(why),
            _ => Err("the catalog answered something else".into()),
        };
        let pause =
            |bytes: u64| thread::sleep(Duration::from_millis(bytes.saturating_mul(1_000) / BYTES_PER_SECOND_MAX));
        let (store, keeper) = (&*self.kept.store, &*self.keeper);
        Gathering { reserve, store, keeper, locate: &reels, pause: &pause }.gather(job)
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
            "Des images gelées ne sont pas encore en réserve : {trouble}. Rien n'en est perdu : elles restent dans le stockage jusque-là."
        );
        let en = format!(
            "Held footage is not in the reserve yet: {trouble}. Nothing of it is lost: it stays in the store until then."
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
