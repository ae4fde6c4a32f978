//! The verdict of `vigie verify`: the log's own, held against the keyring, at a time that can be believed or is called unsure.

use crate::{
    acts_verify::ActBook,
    clocks::{Machine, Memory},
    core::{KeeperCore, failed},
    fates::{Fates, History},
    wire::Verified,
};
use catalog::Registry;
use domain::{Clock, UtcMicros};
use keyring::Keyring;
use ledger::{Entry, KeyName, Report};
use policy::time::{Judgement, State};
use vault::KeeperError;

/// By which time a verdict is given.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct VerdictTime {
    /// Deadlines before this have passed: trusted time, or the lower bound.
    pub at: UtcMicros,
    /// Deadlines up to this may have passed: later than `at` only where the time is unsure.
    pub at_most: UtcMicros,
    /// Whether `at` is trusted. A clock that is behind makes keys look young that are overdue, so without it nothing is said
    /// of deadlines for sure.
    pub is_sure: bool,
}

/// What a ledger that nobody serves tells of time and of its keys.
#[derive(Default)]
pub struct Reading {
    history: History,
    acts: ActBook,
}

impl VerdictTime {
    fn of(judgement: &Judgement) -> VerdictTime {
        match judgement.trusted {
            Some(now) => VerdictTime { at: now, at_most: now, is_sure: true },
            None => VerdictTime { at: judgement.at_least, at_most: judgement.fastest, is_sure: false },
        }
    }
}

impl Reading {
    /// Takes the next readable entry.
    pub fn take(&mut self, entry: &Entry) {
        self.history.take(entry);
        self.acts.take(entry);
    }

    /// Where no keeper serves nobody hears cameras: the time kept in this boot where the system clock agrees with it, after a
    /// boot a system clock under NTP (K9).
    pub fn time(&self, keyring: &dyn Keyring, clock: &dyn Clock) -> VerdictTime {
        let machine = Machine::read(clock);
        let at_stake = self.history.fates.has_any() || !keyring.hours().is_empty();
        let judgement = Memory::new(self.history.last, self.history.anchor, at_stake, machine).judge(machine, at_stake);
        match judgement.recording {
            Some(now) if judgement.state == State::Listening => VerdictTime { at: now, at_most: now, is_sure: true },
            _ => VerdictTime::of(&judgement),
        }
    }

    /// The verdict from the log's report at [`VerdictTime::at_most`], and on the papers in the registry.
    pub fn verified(
        &self,
        report: &Report,
        keyring: &dyn Keyring,
        registry: &Registry,
        time: VerdictTime,
    ) -> Result<Verified, KeeperError> {
        let mut verified = Verified::of(report, keyring, &self.history.fates, time);
        self.acts.faults(registry)?.into_iter().for_each(|what| verified.fault(what));
        Ok(verified)
    }
}

impl KeeperCore {
    /// Verifies the whole log, every destruction, each paper in the registry, and that no key that the log calls dead is in the keyring.
    pub fn verify(&self) -> Result<Verified, KeeperError> {
        let time = VerdictTime::of(&self.judgement());
        let report = self.journal().verify(&[], time.at_most).map_err(failed)?;
        let mut verified = Verified::of(&report, &*self.parts.keyring, &self.moving().fates, time);
        for summary in self.parts.keyring.hours() {
            for camera in summary.cameras.keys() {
                let fate = self.moving().fates.of(summary.hour, *camera);
                if fate.is_some_and(|fate| fate.destroyed_at.is_some()) {
                    verified.fault(format!("a key of {} that is entered as destroyed is in the keyring", summary.hour));
                }
            }
        }
        self.act_faults()?.into_iter().for_each(|what| verified.fault(what));
        Ok(verified)
    }
}

impl Verified {
    /// Of the log's report, and whether every copy of the keyring answers.
    fn of(report: &Report, keyring: &dyn Keyring, fates: &Fates, time: VerdictTime) -> Verified {
        let is_past = |key: &&KeyName| {
            let deadline = fates.of(key.hour, key.camera).and_then(|fate| fate.deadline);
            deadline.is_none_or(|deadline| deadline <= time.at)
        };
        let (overdue, perhaps): (Vec<_>, Vec<_>) = report.overdue.iter().partition(is_past);
        let told = |keys: Vec<&KeyName>| keys.into_iter().map(ToString::to_string).collect();
        // a key that may be overdue is one that lives, as far as is known
        let live = report.live + perhaps.len() as u64;
        let mut verified = Verified {
            holds: report.faults.is_empty() && overdue.is_empty(),
            entries: report.entries,
            checkpoints: report.checkpoints,
            unsigned: report.unsigned,
            root_hex: report.root.0.iter().map(|byte| format!("{byte:02x}")).collect(),
            mints: report.mints,
            destroyed: report.destroyed,
            live,
            faults: report.faults.iter().map(ToString::to_string).collect(),
            overdue: told(overdue),
            judged_at: time.at,
            time_is_sure: time.is_sure,
            perhaps_overdue: told(perhaps),
        };
        let in_keyring: u64 = keyring.hours().iter().map(|summary| summary.cameras.len() as u64).sum();
        let destroyed = report.log_key_destroyed.map(|month| month.yyyymm());
        for month in keyring.log_months().iter().filter(|month| Some(month.yyyymm()) <= destroyed) {
            verified.fault(format!("the log key of {} is entered as destroyed and is in the keyring", month.yyyymm()));
        }
        if in_keyring > live {
            verified.fault(format!("the keyring holds {in_keyring} keys, the log knows {live} that live"));
        }
        verified
    }

    pub(crate) fn fault(&mut self, what: String) {
        self.faults.push(what);
        self.holds = false;
    }
}
