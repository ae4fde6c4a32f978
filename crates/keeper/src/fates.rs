//! What became of every key, read from the ledger once at the start and kept up with it: an index, not a truth.

use crate::{
    clocks::{Anchor, Touched},
    damage::DamageBook,
    exports::Places,
    facts::Told,
    forget::Forgetting,
    glass::GlassBook,
    holds::Holds,
    journal::{Journal, JournalError, LogKeyError},
    law::LawSeen,
    lawful::LastWords,
    links::LinkBook,
    orders::Orders,
    requisitions::Numbers,
    restored::RegistryBook,
    shorten::Shortenings,
    trace::Trace,
};
use domain::{CameraId, Hour, UtcMicros, limit::MINT_HOURS_AHEAD};
use ledger::{Condemnation, Entry, Event, Month};
use std::collections::{BTreeMap, BTreeSet};

/// One key's life, as far as the ledger tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fate {
    /// `None` where the mint stands in an entry that cannot be read any more.
    pub deadline: Option<UtcMicros>,
    pub condemned_at: Option<UtcMicros>,
    pub destroyed_at: Option<UtcMicros>,
    /// It was condemned for another reason than its deadline: an order, a disk that is too small.
    pub early: bool,
}

/// All keys that were ever minted and are remembered by a readable entry.
#[derive(Debug, Default)]
pub struct Fates {
    hours: BTreeMap<Hour, BTreeMap<CameraId, Fate>>,
    /// Hours with a key that is not entered as destroyed.
    living: BTreeMap<Hour, Living>,
    buried: BTreeSet<Hour>,
    /// How many keys were entered as destroyed in each month, and how many up to one whose details ended (L2).
    destroyed: BTreeMap<Month, u64>,
    destroyed_before: Option<(Month, u64)>,
    last_destroyed_at: Option<UtcMicros>,
    /// Mints of hours that begin before this may stand in entries that cannot be read any more (L2).
    known_from: Option<UtcMicros>,
    /// What must die before its deadline (K7).
    pub orders: Orders,
    pub damage: DamageBook,
    pub words: LastWords,
    /// How many keys were condemned for want of room, and when the last was (R14).
    pub short: (u64, Option<UtcMicros>),
}

/// What the living keys of an hour come to: asked each second of every hour, so that not every key is.
#[derive(Clone, Copy, Debug)]
struct Living {
    /// The first deadline.
    nearest: Option<UtcMicros>,
    /// One is condemned, or an order erases it.
    is_pressing: bool,
}

/// What one reading of the whole ledger gives.
#[derive(Debug, Default)]
pub(crate) struct History {
    pub fates: Fates,
    pub told: Told,
    pub trace: Trace,
    pub numbers: Numbers,
    pub places: Places,
    pub holds: Holds,
    pub links: LinkBook,
    pub forgetting: Forgetting,
    /// The latest time of a readable entry, but for those before the first key.
    pub last: Option<UtcMicros>,
    pub anchor: Option<Anchor>,
    pub law: LawSeen,
    pub glass: GlassBook,
    pub touched: Touched,
    pub registry: RegistryBook,
    pub shortenings: Shortenings,
}

impl History {
    /// Reads the whole ledger. Entries of months whose key is dead tell nothing any more (L2); a key that is not at hand is
    /// an error: without those entries dead keys would look alive. So is an entry that opens and is none of ours: a later
    /// program wrote it, and who passes it by does not know what stands.
    pub fn read(journal: &Journal) -> Result<History, JournalError> {
        let (mut history, mut in_the_dark) = (History::default(), false);
        journal.each(0, &mut |sealed| {
            match journal.open_entry(&sealed) {
                Ok(entry) => {
                    if std::mem::take(&mut in_the_dark) {
                        history.fates.known_from = Some(entry.at.plus_seconds((MINT_HOURS_AHEAD + 1) * 3_600));
                    }
                    history.trace.take(sealed.seq, &entry);
                    history.numbers.take(&entry);
                    history.places.take(sealed.seq, &entry);
                    history.holds.take(sealed.seq, &entry);
                    history.links.take(sealed.seq, &entry);
                    history.registry.take(sealed.seq, &entry);
                    history.take(&entry);
                }
                Err(JournalError::Key(LogKeyError::Unavailable { month, source })) => {
                    return Err(LogKeyError::Unavailable { month, source }.into());
                }
                Err(error @ JournalError::Entry(_)) => return Err(error),
                Err(_) => in_the_dark = true,
            }
            Ok(())
        })?;
        Ok(history)
    }

    pub fn take(&mut self, entry: &Entry) {
        // until the first key a clock that was ahead may be set right (K9): what it said then is no bound
        self.last = if self.fates.has_any() { self.last.max(Some(entry.at)) } else { Some(entry.at) };
        self.touched.take(entry);
        self.anchor = Anchor::of(entry).or(self.anchor);
        self.law.take(entry);
        self.glass.take(entry);
        self.shortenings.take(entry);
        self.told.recall(entry);
        self.forgetting.take(entry);
        self.fates.take(entry);
    }
}

impl Fates {
    pub fn take(&mut self, entry: &Entry) {
        let erased = self.orders.take(entry);
        self.words.take(entry);
        self.damage.take(entry);
        match &entry.event {
            Event::Mint { hour, cameras } | Event::Shortened { hour, cameras } => {
                for minted in cameras {
                    let fate = self.fate(*hour, minted.camera);
                    fate.deadline = Some(fate.deadline.map_or(minted.deadline, |known| known.min(minted.deadline)));
                }
                self.weigh(*hour);
            }
            Event::Condemned { hour, cameras, why } => {
                for camera in cameras {
                    let fate = self.fate(*hour, *camera);
                    fate.condemned_at = Some(entry.at);
                    fate.early |= *why != Condemnation::Deadline;
                }
                if *why == Condemnation::DiskTooSmall {
                    self.short = (self.short.0 + cameras.len() as u64, Some(entry.at));
                }
                self.weigh(*hour);
            }
            Event::Destroyed { hour, cameras, .. } => {
                cameras.iter().for_each(|camera| self.note_destroyed(*hour, *camera, entry.at));
                self.last_destroyed_at = self.last_destroyed_at.max(Some(entry.at));
                self.weigh(*hour);
            }
            Event::Tombstone { hour, .. } => {
                self.buried.insert(*hour);
            }
            Event::LogKeyCondemned { month, keys_destroyed, .. } => {
                self.destroyed_before = self.destroyed_before.max(Some((*month, *keys_destroyed)));
            }
            _ => erased.into_iter().for_each(|camera| self.press(camera)),
        }
    }

    /// A key dies once. Where its entry is made again in a later month, because the first one's details end (L2), it counts for
    /// that month from then on.
    fn note_destroyed(&mut self, hour: Hour, camera: CameraId, at: UtcMicros) {
        let month = Month::of(at);
        let destroyed_at = &mut self.fate(hour, camera).destroyed_at;
        let counted = destroyed_at.map(Month::of);
        if counted.is_some_and(|counted| month <= counted) {
            return;
        }
        *destroyed_at = Some(at);
        *self.destroyed.entry(month).or_default() += 1;
        if let Some(count) = counted.and_then(|counted| self.destroyed.get_mut(&counted)) {
            *count = count.saturating_sub(1);
        }
    }

    pub fn of(&self, hour: Hour, camera: CameraId) -> Option<Fate> {
        self.hours.get(&hour)?.get(&camera).copied()
    }

    /// Whether a key was ever minted, as far as can be told.
    pub fn has_any(&self) -> bool {
        !self.hours.is_empty() || self.known_from.is_some()
    }

    /// Cameras that had a key in an hour.
    pub fn cameras(&self, hour: Hour) -> Vec<CameraId> {
        self.hours.get(&hour).map(|keys| keys.keys().copied().collect()).unwrap_or_default()
    }

    /// Every key that is remembered of an hour and of those after it.
    pub fn from(&self, first: Hour) -> impl Iterator<Item = (Hour, CameraId, Fate)> {
        let hours = self.hours.range(first..);
        hours.flat_map(|(hour, keys)| keys.iter().map(|(camera, fate)| (*hour, *camera, *fate)))
    }

    /// Whether a key of the hour is not entered as destroyed.
    pub fn lives(&self, hour: Hour) -> bool {
        self.living.contains_key(&hour)
    }

    pub fn is_buried(&self, hour: Hour) -> bool {
        self.buried.contains(&hour)
    }

    /// Living keys of the hours of which one is condemned, erased by an order, or has a deadline that `is_due`. That must
    /// hold for every deadline before one for which it holds.
    pub fn pressing(&self, is_due: impl Fn(UtcMicros) -> bool) -> impl Iterator<Item = (Hour, CameraId, Fate)> {
        let presses = move |living: &Living| living.is_pressing || living.nearest.is_some_and(&is_due);
        let hours = self.living.iter().filter(move |(_, living)| presses(living));
        hours.flat_map(|(hour, _)| self.living_of(*hour))
    }

    fn living_of(&self, hour: Hour) -> impl Iterator<Item = (Hour, CameraId, Fate)> {
        let keys = self.hours.get(&hour).into_iter().flatten();
        let living = keys.filter(|(_, fate)| fate.destroyed_at.is_none());
        living.map(move |(camera, fate)| (hour, *camera, *fate))
    }

    /// Whether the mint of an hour may stand in an entry that cannot be read any more.
    pub fn is_forgotten(&self, hour: Hour) -> bool {
        self.known_from.is_some_and(|from| hour.start() < from)
    }

    /// How many keys died, one a camera and hour, and when the last did.
    pub fn destroyed(&self) -> (u64, Option<UtcMicros>) {
        (self.destroyed_until(None), self.last_destroyed_at)
    }

    /// How many keys are entered as destroyed up to the end of a month, or up to now.
    pub fn destroyed_until(&self, month: Option<Month>) -> u64 {
        let (from, before) = self.destroyed_before.map_or((None, 0), |(from, before)| (Some(from), before));
        let counted = self.destroyed.iter().filter(|(counted, _)| {
            from.is_none_or(|from| from < **counted) && month.is_none_or(|month| **counted <= month)
        });
        before + counted.map(|(_, count)| count).sum::<u64>()
    }

    /// Every living key of the hours whose mint may stand in the month or before it.
    pub fn living_from(&self, month: Month) -> impl Iterator<Item = (Hour, CameraId, Fate)> {
        let hours = self.living.keys().filter(move |hour| hour.start() < minted_by(month));
        hours.flat_map(|hour| self.living_of(*hour))
    }

    /// Forgets what only entries of the month, or of earlier ones, told of keys that are dead; of the hours in `kept` the
    /// destruction is not over.
    pub fn forget(&mut self, month: Month, kept: &BTreeSet<Hour>) {
        self.known_from = self.known_from.max(Some(minted_by(month)));
        self.hours.retain(|hour, keys| {
            let is_told_later =
                |fate: &Fate| fate.destroyed_at.is_none_or(|destroyed_at| month < Month::of(destroyed_at));
            keys.retain(|_, fate| kept.contains(hour) || is_told_later(fate));
            !keys.is_empty()
        });
        self.buried.retain(|hour| kept.contains(hour) || self.hours.contains_key(hour));
    }

    fn fate(&mut self, hour: Hour, camera: CameraId) -> &mut Fate {
        self.hours.entry(hour).or_default().entry(camera).or_default()
    }

    /// An erasure may name a camera's keys of any hour; those of others weigh what they did.
    fn press(&mut self, camera: CameraId) {
        for (hour, living) in &mut self.living {
            let fate = self.hours.get(hour).and_then(|keys| keys.get(&camera));
            let is_living = fate.is_some_and(|fate| fate.destroyed_at.is_none());
            living.is_pressing |= is_living && self.orders.erases(*hour, camera);
        }
    }

    fn weigh(&mut self, hour: Hour) {
        #[cfg(test)]
        tests::WEIGHED.with(|weighed| weighed.set(weighed.get() + 1));
        let living = self.living_of(hour).fold(None, |known: Option<Living>, (hour, camera, fate)| {
            let known = known.unwrap_or(Living { nearest: None, is_pressing: false });
            let is_pressing = fate.condemned_at.is_some() || self.orders.erases(hour, camera);
            Some(Living {
                nearest: known.nearest.into_iter().chain(fate.deadline).min(),
                is_pressing: known.is_pressing || is_pressing,
            })
        });
        match living {
            Some(living) => drop(self.living.insert(hour, living)),
            None => drop(self.living.remove(&hour)),
        }
    }
}

/// Mints of hours that begin from here on stand in entries after the month: keys are made up to two hours ahead (K9), and the
/// present hour's may be, too.
fn minted_by(month: Month) -> UtcMicros {
    month.end().plus_seconds((MINT_HOURS_AHEAD + 1) * 3_600)
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::HourLength;
    use ledger::{Actor, MintedKey};
    use std::cell::Cell;

    thread_local! {
        /// How often all keys of an hour were looked at.
        pub static WEIGHED: Cell<u64> = const { Cell::new(0) };
    }

    #[test]
    fn an_entry_of_one_camera_looks_at_no_key_of_another_and_an_erasure_presses_only_what_it_names() {
        let hour = |n| HourLength::PRODUCT.hour_of(UtcMicros::from_seconds(1_800_000_000)).plus(n);
        let camera = |n| CameraId([n; 16]);
        let enter = |event| Entry::new(hour(9).start(), Actor::Schedule, event);
        let mut fates = Fates::default();
        for n in 0..6 {
            let key = |n| MintedKey { camera: camera(n), deadline: hour(700).start() };
            let cameras = if n < 4 { vec![key(1), key(2)] } else { vec![key(2)] };
            fates.take(&enter(Event::Mint { hour: hour(n), cameras }));
        }
        let weighed = WEIGHED.get();
        let of =
            |change: &str, details: String| enter(Event::Camera { change: change.into(), camera: camera(1), details });
        fates.take(&of("confirmed", "cam: realm: a → b".into()));
        fates.take(&of("delay", r#"{"delay_days":3}"#.into()));
        assert_eq!(fates.pressing(|_| false).count(), 0);
        fates.take(&of("erase", format!(r#"{{"before":{}}}"#, hour(2).start().0)));
        let pressing: BTreeSet<Hour> = fates.pressing(|_| false).map(|(hour, ..)| hour).collect();
        assert_eq!(pressing, [hour(0), hour(1)].into());
        assert_eq!(WEIGHED.get(), weighed, "no hour was gone through");
    }
}
