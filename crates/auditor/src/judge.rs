//! The judgement: what was seen, and what the keeper says, against a clock and an arithmetic of our own. Plain: no clock, no disk.
//!
//! - *late*: a key lives past its deadline, as reckoned here, or has not begun to die five minutes after its closing; or a deadline
//!   lies behind the one that is reckoned here.
//! - *frozen*: destruction has not gone through all hours for ten minutes, or the keeper says nothing for so long.
//! - *ahead*: a key died before its closing without an order or a disk too small in the ledger; or it is gone and the ledger does
//!   not say how.
//! - *clocks*: the keeper's time and ours differ by more than two clocks may, or it has had none for ten minutes.

use crate::{calendar, eyes::Sight};
use domain::{
    Hour, UtcMicros,
    limit::{
        CLOCK_AGREEMENT_SECONDS_MAX, CLOSED_BEFORE_DEADLINE_SECONDS, RETENTION_DAYS_MAX, RETENTION_FROZEN_SECONDS,
        RETENTION_LATE_SECONDS,
    },
};
use keeper::wire::{HourKeys, KeysEnded, RetentionView};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    mem::{Discriminant, discriminant},
};

/// Keys that are gone and not told of yet: the entry may wait for its disk, a look may come between key and entry.
const VANISHED_SECONDS: i64 = RETENTION_LATE_SECONDS;
/// What died ahead of its time stays dead: it is told for a week, so that somebody sees it.
const AHEAD_TOLD_SECONDS: i64 = 7 * 86_400;
/// Deaths ahead of their time that are remembered one by one.
const AHEAD_MAX: usize = 64;

/// What one look brought.
#[derive(Clone, Debug)]
pub struct Observed {
    /// The machine's clock, and seconds since its boot, which nobody sets.
    pub now: UtcMicros,
    pub boot_seconds: i64,
    /// None: the keeper did not answer in time.
    pub keeper: Option<RetentionView>,
    pub store: BTreeSet<Sight>,
    pub log_size: Option<u64>,
}

/// What is wrong, with what a person must know to act.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Alarm {
    /// Keys that live past the deadline that is reckoned here.
    Late { hours: u64, keys: u64, oldest: UtcMicros },
    /// Keys that should have begun to die.
    Slow { hours: u64, keys: u64 },
    /// Deadlines, in pages or in signed headers, behind the one that is reckoned here.
    TooFar { hours: u64, first: UtcMicros },
    /// Destruction has not gone through all hours for so long.
    Frozen { minutes: i64 },
    /// The keeper has said nothing for so long.
    Silent { minutes: i64 },
    /// The log has got no checkpoint for so long.
    LogStands { minutes: i64 },
    /// Keys that died before their closing without an order.
    Ahead { hours: u64, keys: u64, last: UtcMicros },
    /// Keys that are gone, and the ledger does not say how.
    Vanished { hours: u64 },
    /// The keeper's time minus ours.
    Clocks { ahead_seconds: i64 },
    /// The keeper has had no trusted time for so long.
    NoTime { minutes: i64 },
}

/// What earlier looks left.
#[derive(Default)]
pub struct Judge {
    /// By seconds since boot: the last answer, the last growth of the log, the last trusted time.
    answered: Option<i64>,
    grown: Option<(u64, i64)>,
    timed: Option<i64>,
    /// Keys of each hour that were ever seen, alive or told as ended, and until when the last of them should live.
    known: BTreeMap<Hour, Known>,
    /// Hours whose keys are not accounted for, since when.
    missing: BTreeMap<Hour, i64>,
    ahead: BTreeMap<(Hour, UtcMicros), (u32, UtcMicros)>,
    /// Since when the keeper answers that destruction has not had its turn since it started.
    unturned: Option<i64>,
    /// What the look before found wrong: an order is carried out while we look, a machine that was off has just started.
    suspected: Vec<Discriminant<Alarm>>,
}

#[derive(Clone, Copy, Default)]
struct Known {
    keys: u32,
    last_deadline: UtcMicros,
}

impl Judge {
    /// One that goes on where an earlier one stopped, with the alarms that stood.
    pub fn after(standing: &[Alarm]) -> Judge {
        Judge { suspected: standing.iter().map(discriminant).collect(), ..Judge::default() }
    }

    /// Everything that is wrong now, and was at the look before.
    pub fn judge(&mut self, observed: &Observed) -> Vec<Alarm> {
        let mut found = self.find(observed);
        let kinds = found.iter().map(discriminant).collect();
        let before = std::mem::replace(&mut self.suspected, kinds);
        found.retain(|alarm| before.contains(&discriminant(alarm)));
        found
    }

    fn find(&mut self, observed: &Observed) -> Vec<Alarm> {
        let (now, boot) = (observed.now, observed.boot_seconds);
        let mut alarms = self.turns(observed);
        if let Some(view) = &observed.keeper {
            alarms.extend(self.clocks(view, now, boot));
            alarms.extend(late(&view.hours, now));
            alarms.extend(too_far(&view.hours, &observed.store));
            self.note_ahead(&view.ended, now);
            alarms.extend(self.vanished(&view.hours, &observed.store, now, boot));
        }
        alarms.extend(self.ahead(now));
        alarms
    }

    /// Whether destruction turns, by the keeper's answers and by the log's growth.
    fn turns(&mut self, observed: &Observed) -> Vec<Alarm> {
        let boot = observed.boot_seconds;
        let minutes = |since: i64| (boot - since) / 60;
        let long = |since: i64| boot - since >= RETENTION_FROZEN_SECONDS;
        let mut alarms = Vec::new();
        let answered = *self.answered.get_or_insert(boot);
        match &observed.keeper {
            Some(view) => {
                self.answered = Some(boot);
                let turned = match view.turned_seconds {
                    Some(seconds) => {
                        self.unturned = None;
                        seconds as i64
                    }
                    None => boot - *self.unturned.get_or_insert(boot),
                };
                if turned >= RETENTION_FROZEN_SECONDS {
                    alarms.push(Alarm::Frozen { minutes: turned / 60 });
                }
            }
            None if long(answered) => alarms.push(Alarm::Silent { minutes: minutes(answered) }),
            None => {}
        }
        if let Some(size) = observed.log_size {
            let (known, since) = *self.grown.get_or_insert((size, boot));
            if known != size {
                self.grown = Some((size, boot));
            } else if long(since) {
                alarms.push(Alarm::LogStands { minutes: minutes(since) });
            }
        }
        alarms
    }

    fn clocks(&mut self, view: &RetentionView, now: UtcMicros, boot: i64) -> Option<Alarm> {
        let Some(trusted) = view.now else {
            let since = *self.timed.get_or_insert(boot);
            let long = boot - since >= RETENTION_FROZEN_SECONDS;
            return long.then(|| Alarm::NoTime { minutes: (boot - since) / 60 });
        };
        self.timed = Some(boot);
        let ahead_seconds = trusted.since(now) / 1_000_000;
        (ahead_seconds.abs() > CLOCK_AGREEMENT_SECONDS_MAX).then_some(Alarm::Clocks { ahead_seconds })
    }

    /// Deaths before their closing, by the entries' own times.
    fn note_ahead(&mut self, ended: &[KeysEnded], now: UtcMicros) {
        for death in ended.iter().filter(|death| !death.early) {
            let Some(deadline) = death.deadline else { continue };
            if death.at < closes_at(deadline) && self.ahead.len() < AHEAD_MAX {
                self.ahead.entry((death.hour, deadline)).or_insert((death.keys, now));
            }
        }
    }

    fn ahead(&mut self, now: UtcMicros) -> Option<Alarm> {
        self.ahead.retain(|_, (_, found)| now < found.plus_seconds(AHEAD_TOLD_SECONDS));
        let last = self.ahead.values().map(|(_, found)| *found).max()?;
        let hours: BTreeSet<Hour> = self.ahead.keys().map(|(hour, _)| *hour).collect();
        let keys = self.ahead.values().map(|(keys, _)| u64::from(*keys)).sum();
        Some(Alarm::Ahead { hours: hours.len() as u64, keys, last })
    }

    /// A key that was seen is alive or told as ended. One that is neither, long before its time, is gone and nobody says how;
    /// so is every key of an hour of which the store has a reel.
    fn vanished(&mut self, hours: &[HourKeys], store: &BTreeSet<Sight>, now: UtcMicros, boot: i64) -> Option<Alarm> {
        let early = |deadline: UtcMicros| now < closes_at(deadline).plus_seconds(-CLOCK_AGREEMENT_SECONDS_MAX);
        let told: BTreeMap<Hour, &HourKeys> = hours.iter().map(|of| (of.hour, of)).collect();
        let count =
            |hour: &Hour| told.get(hour).map_or(0, |of| of.ended + of.alive.iter().map(|keys| keys.keys).sum::<u32>());
        self.known.retain(|_, known| early(known.last_deadline));
        let known = self.known.iter().filter(|(hour, known)| count(hour) < known.keys).map(|(hour, _)| *hour);
        let stored = store.iter().filter(|sight| early(sight.deadline) && count(&sight.hour) == 0);
        let gone: BTreeSet<Hour> = known.chain(stored.map(|sight| sight.hour)).collect();
        self.missing.retain(|hour, _| gone.contains(hour));
        for hour in gone {
            self.missing.entry(hour).or_insert(boot);
        }
        for of in hours {
            let Some(last) = of.alive.iter().map(|keys| keys.deadline).max().filter(|last| early(*last)) else {
                continue;
            };
            let known = self.known.entry(of.hour).or_default();
            known.keys = known.keys.max(count(&of.hour));
            known.last_deadline = known.last_deadline.max(last);
        }
        let sure = self.missing.values().filter(|since| boot - **since >= VANISHED_SECONDS).count();
        (sure > 0).then_some(Alarm::Vanished { hours: sure as u64 })
    }
}

fn closes_at(deadline: UtcMicros) -> UtcMicros {
    deadline.plus_seconds(-CLOSED_BEFORE_DEADLINE_SECONDS)
}

/// When keys of an hour must be gone by our own reckoning: never after the page's own word.
fn reckoned(hour: Hour, days: u32) -> UtcMicros {
    UtcMicros::from_seconds(calendar::deadline(hour.start_seconds(), days))
}

fn late(hours: &[HourKeys], now: UtcMicros) -> Option<Alarm> {
    let (mut late, mut slow) = (BTreeMap::<Hour, u64>::new(), BTreeMap::<Hour, u64>::new());
    let mut oldest: Option<UtcMicros> = None;
    for of in hours {
        for keys in &of.alive {
            let due = keys.deadline.min(reckoned(of.hour, keys.days));
            if due <= now {
                *late.entry(of.hour).or_default() += u64::from(keys.keys);
                oldest = Some(oldest.map_or(due, |known| known.min(due)));
            } else if closes_at(due).plus_seconds(RETENTION_LATE_SECONDS) <= now {
                *slow.entry(of.hour).or_default() += u64::from(keys.keys);
            }
        }
    }
    let sum = |hours: &BTreeMap<Hour, u64>| (hours.len() as u64, hours.values().sum());
    match oldest {
        Some(oldest) => {
            let (hours, keys) = sum(&late);
            Some(Alarm::Late { hours, keys, oldest })
        }
        None if slow.is_empty() => None,
        None => {
            let (hours, keys) = sum(&slow);
            Some(Alarm::Slow { hours, keys })
        }
    }
}

/// A page's deadline is held against its cameras' delay; a reel's header, which states its first one for ever, against the law's
/// longest.
fn too_far(hours: &[HourKeys], store: &BTreeSet<Sight>) -> Option<Alarm> {
    let pages = hours.iter().filter(|of| of.alive.iter().any(|keys| reckoned(of.hour, keys.days) < keys.deadline));
    let reels = store.iter().filter(|sight| reckoned(sight.hour, RETENTION_DAYS_MAX) < sight.deadline);
    let wrong: BTreeSet<Hour> = pages.map(|of| of.hour).chain(reels.map(|sight| sight.hour)).collect();
    let first = wrong.first()?.start();
    Some(Alarm::TooFar { hours: wrong.len() as u64, first })
}

#[cfg(test)]
mod tests;
