//! One look a minute: see, ask, judge, write the verdict.

use crate::{
    eyes::Eyes,
    judge::{Alarm, Judge, Observed},
    verdict::Verdict,
};
use disk::Disk;
use domain::Clock;
use keeper::wire::RetentionView;
use seal::sign::PublicKey;
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
};
use tracing::{error, info};

/// Asks the keeper the auditor's one question; none where it does not answer.
pub type KeeperWord = dyn FnMut() -> Option<RetentionView> + Send;

/// What an auditor is made of.
pub struct AuditorParts {
    pub disk: Arc<dyn Disk>,
    pub clock: Arc<dyn Clock>,
    /// Folders that it reads: those of the store, and the log's public files.
    pub stores: Vec<PathBuf>,
    pub public: PathBuf,
    /// The one file that it writes.
    pub verdict: PathBuf,
    pub keeper: Box<KeeperWord>,
}

/// The auditor.
pub struct AuditorRole {
    parts: AuditorParts,
    eyes: Eyes,
    judge: Judge,
    verdict: Verdict,
    site_key: Option<PublicKey>,
}

impl AuditorRole {
    /// Says at once that it is there; since when an alarm stands is remembered from an earlier life.
    pub fn open(parts: AuditorParts) -> disk::Result<AuditorRole> {
        if let Some(folder) = parts.verdict.parent().filter(|folder| *folder != Path::new("")) {
            parts.disk.create_dir(folder)?;
        }
        let known = Verdict::read(&*parts.disk, &parts.verdict).unwrap_or_default();
        let standing: Vec<Alarm> = known.raised.iter().map(|raised| raised.alarm.clone()).collect();
        let judge = Judge::after(&standing);
        let verdict = known.next(standing, parts.clock.utc().seconds());
        verdict.write(&*parts.disk, &parts.verdict)?;
        let eyes = Eyes::new(parts.disk.clone(), &parts.stores, &parts.public);
        Ok(AuditorRole { parts, eyes, judge, verdict, site_key: None })
    }

    /// One look. Errors: the verdict could not be written; its age then tells.
    pub fn look(&mut self) -> disk::Result<&Verdict> {
        let keeper = (self.parts.keeper)();
        self.site_key = keeper.as_ref().map(|view| view.site_key).or(self.site_key);
        let store = self.site_key.map_or_else(BTreeSet::new, |key| self.eyes.look_at_store(&key));
        let hours = keeper.as_ref().map(|view| view.hours.iter().filter(|of| !of.alive.is_empty()).count());
        let observed = Observed {
            now: self.parts.clock.utc(),
            boot_seconds: self.parts.clock.boot().0 / 1_000_000,
            keeper,
            store,
            log_size: self.eyes.log_size(),
        };
        let alarms = self.judge.judge(&observed);
        let before = self.verdict.raised.len();
        let next = std::mem::take(&mut self.verdict).next(alarms, observed.now.seconds());
        self.verdict = Verdict { hours: hours.unwrap_or(next.hours), slots: self.eyes.slots_seen(), ..next };
        for raised in self.verdict.raised.iter().filter(|raised| raised.since_seconds == self.verdict.at_seconds) {
            error!(alarm = ?raised.alarm, "the auditor of destruction raises an alarm");
        }
        if before > 0 && self.verdict.raised.is_empty() {
            info!("the auditor of destruction finds everything in order again");
        }
        self.verdict.write(&*self.parts.disk, &self.parts.verdict)?;
        Ok(&self.verdict)
    }
}
