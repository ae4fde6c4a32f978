//! The keeper in one process: what it holds, how it opens, what time it believes, how it writes to the ledger.

use crate::{
    cameras::Probes,
    fates::Fates,
    gate::Permits,
    journal::{Journal, JournalError, LogKeyError, LogKeys},
    wire::Finding,
};
use aws_lc_rs::hmac;
use catalog::{CatalogError, Registry};
use domain::{Clock, HourLength, Random, RunId, Secret32, SiteId, UtcMicros};
use keyring::{Keyring, KeyringError};
use ledger::{Actor, Entry, Event, LogId, Month};
use policy::time::{BootMark, Clocks, Judgement, LedgerTime, judge};
use seal::sign::SigningKey;
use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use vault::KeeperError;

/// What a keeper is made of.
pub struct KeeperParts {
    pub site: SiteId,
    pub hour_length: HourLength,
    /// In simulations a day of delay lasts this many seconds; the product leaves it out and counts days.
    pub seconds_per_day: Option<i64>,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    pub keyring: Arc<dyn Keyring>,
    pub journal: Journal,
    pub registry: Registry,
    /// Where the passphrase came from, for `status` (P9).
    pub passphrase_from: String,
    pub version: String,
    /// Known at the start and worth telling, such as both copies of the keyring on one device.
    pub findings: Vec<Finding>,
}

/// The keeper.
pub struct KeeperCore {
    pub(crate) parts: KeeperParts,
    pub(crate) site_key: SigningKey,
    pub(crate) permit_key: hmac::Key,
    pub(crate) moving: Mutex<Moving>,
    /// One destruction at a time.
    pub(crate) destroying: Mutex<()>,
}

/// What changes while the keeper lives.
pub(crate) struct Moving {
    pub ledger_time: Option<LedgerTime>,
    pub permits: Permits,
    pub fates: Fates,
    pub probes: Probes,
    pub cameras_version: u64,
    pub recorder: Recorder,
    pub checkpoint: Option<(u64, UtcMicros)>,
    /// Failed sign-ins by account name's digest: how many in a row, and when the next try counts.
    pub throttle: HashMap<[u8; 32], (u32, i64)>,
    /// Facts that were entered, by what makes them one: told twice, entered once.
    pub told: HashSet<[u8; 32]>,
    /// Entries that wait for a journal that said no.
    pub waiting: Vec<Entry>,
}

/// What the keeper knows of its recorder.
#[derive(Default)]
pub(crate) struct Recorder {
    pub run: Option<RunId>,
    pub health: String,
    pub seen: Option<UtcMicros>,
}

/// Why a keeper does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    #[error(transparent)]
    Registry(#[from] CatalogError),
}

/// The keyring's monthly log keys, for the journal (L2).
pub struct KeyringLogKeys(pub Arc<dyn Keyring>);

impl LogKeys for KeyringLogKeys {
    fn month_key(&self, month: Month) -> Result<Secret32, LogKeyError> {
        let key = keyring::Month::new(month.yyyymm()).and_then(|month| self.0.log_key(month));
        key.map_err(|error| match error {
            KeyringError::LogKeyDestroyed { .. } => LogKeyError::Gone { month },
            error => LogKeyError::Unavailable { month, source: Box::new(error) },
        })
    }
}

impl KeeperCore {
    /// Reads the ledger once, judges the clocks, finishes what a crash left of destructions.
    pub fn open(parts: KeeperParts) -> Result<KeeperCore, OpenError> {
        let (fates, last) = Fates::read(&parts.journal)?;
        let mut permit_secret = [0; 32];
        parts.random.fill(&mut permit_secret);
        let core = KeeperCore {
            site_key: SigningKey::from_seed(&parts.keyring.site_key()),
            permit_key: hmac::Key::new(hmac::HMAC_SHA256, &permit_secret),
            moving: Mutex::new(Moving {
                ledger_time: last.map(|at| LedgerTime { at, mark: None }),
                permits: Permits::default(),
                fates,
                probes: Probes::default(),
                cameras_version: 1,
                recorder: Recorder::default(),
                checkpoint: None,
                throttle: HashMap::new(),
                told: HashSet::new(),
                waiting: Vec::new(),
            }),
            destroying: Mutex::new(()),
            parts,
        };
        Ok(core)
    }

    pub fn site(&self) -> SiteId {
        self.parts.site
    }

    pub fn journal(&self) -> &Journal {
        &self.parts.journal
    }

    /// What the clocks say, held against the ledger (K9).
    pub fn judgement(&self) -> Judgement {
        self.judge_by(self.moving().ledger_time)
    }

    fn judge_by(&self, ledger: Option<LedgerTime>) -> Judgement {
        judge(ledger, Clocks::read(&*self.parts.clock))
    }

    /// Trusted time, or an answer that says why there is none.
    pub(crate) fn trusted(&self) -> Result<UtcMicros, KeeperError> {
        let judgement = self.judgement();
        judgement.trusted.ok_or_else(|| KeeperError::NoTrustedTime { what: format!("{:?}", judgement.state) })
    }

    /// The time for decisions that a doubt must close: trusted, or the fastest plausible clock.
    pub(crate) fn decision_time(&self) -> UtcMicros {
        let judgement = self.judgement();
        judgement.trusted.unwrap_or(judgement.fastest)
    }

    /// Writes entries to the ledger; they are durable when this returns. Their numbers come back.
    pub(crate) fn enter_events(&self, actor: Actor, events: Vec<Event>) -> Result<Vec<u64>, KeeperError> {
        let at = self.stamp();
        let entries: Vec<Entry> = events.into_iter().map(|event| Entry::new(at, actor.clone(), event)).collect();
        let numbers = self.parts.journal.append(&entries).map_err(failed)?;
        let mut moving = self.moving();
        entries.iter().for_each(|entry| moving.fates.take(entry));
        Ok(numbers)
    }

    /// The time that stands in an entry: trusted; while clocks disagree, the last time that was.
    fn stamp(&self) -> UtcMicros {
        let mut moving = self.moving();
        let clocks = Clocks::read(&*self.parts.clock);
        let judgement = judge(moving.ledger_time, clocks);
        let Some(at) = judgement.trusted else {
            return moving.ledger_time.map_or(clocks.system, |ledger| ledger.at);
        };
        let fresh = |ledger: LedgerTime| ledger.mark.is_some_and(|mark: BootMark| mark.boot_id == clocks.mark.boot_id);
        if !moving.ledger_time.is_some_and(fresh) {
            moving.ledger_time = Some(LedgerTime { at, mark: Some(clocks.mark) });
        }
        at
    }

    /// Closes a batch of the ledger (L4) and remembers its head in the keyring (K2). Called every minute.
    pub fn checkpoint(&self) -> Result<(), KeeperError> {
        let now = self.stamp();
        self.enter_waiting()?;
        let closed = self.parts.journal.checkpoint(now).map_err(failed)?;
        self.moving().checkpoint = Some((closed.size, now));
        let head = keyring::LedgerHead { size: closed.size, root: closed.root.0 };
        self.parts.keyring.set_ledger_head(head).map_err(failed)
    }

    /// Entries that a journal refused are entered when it takes them again (K10).
    fn enter_waiting(&self) -> Result<(), KeeperError> {
        let waiting = std::mem::take(&mut self.moving().waiting);
        if let Err(error) = self.parts.journal.append(&waiting) {
            self.moving().waiting.splice(0..0, waiting);
            return Err(failed(error));
        }
        let mut moving = self.moving();
        waiting.iter().for_each(|entry| moving.fates.take(entry));
        Ok(())
    }

    pub(crate) fn moving(&self) -> MutexGuard<'_, Moving> {
        self.moving.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An error of a part below, as the other processes get it.
pub(crate) fn failed(error: impl std::fmt::Display) -> KeeperError {
    KeeperError::Failed { what: error.to_string() }
}

pub(crate) fn malformed(what: impl Into<String>) -> KeeperError {
    KeeperError::Malformed { what: what.into() }
}

/// What a log of this site is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SiteLog {
    pub site: SiteId,
    pub log: LogId,
}
