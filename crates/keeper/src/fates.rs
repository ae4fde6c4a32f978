//! What became of every key, read from the ledger once at the start and kept up with it: an index, not a truth.

use crate::{
    clocks::Anchor,
    facts::Told,
    journal::{Journal, JournalError, LogKeyError},
    lawful::LastWords,
    orders::Orders,
};
use domain::{CameraId, Hour, UtcMicros, limit::MINT_HOURS_AHEAD};
use ledger::{Entry, Event};
use std::collections::{BTreeMap, BTreeSet};

/// One key's life, as far as the ledger tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fate {
    /// `None` where the mint stands in an entry that cannot be read any more.
    pub deadline: Option<UtcMicros>,
    pub condemned_at: Option<UtcMicros>,
    pub destroyed_at: Option<UtcMicros>,
}

/// All keys that were ever minted and are remembered by a readable entry.
#[derive(Debug, Default)]
pub struct Fates {
    hours: BTreeMap<Hour, BTreeMap<CameraId, Fate>>,
    /// Hours with a key that is not entered as destroyed.
    living: BTreeMap<Hour, Living>,
    buried: BTreeSet<Hour>,
    destroyed: u64,
    last_destroyed_at: Option<UtcMicros>,
    /// Mints of hours that begin before this may stand in entries that cannot be read any more (L2).
    known_from: Option<UtcMicros>,
    /// What must die before its deadline (K7).
    pub orders: Orders,
    pub words: LastWords,
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
    /// The time of the last readable entry.
    pub last: Option<UtcMicros>,
    pub anchor: Option<Anchor>,
}

impl History {
    /// Reads the whole ledger. Entries of months whose key is dead tell nothing any more (L2); a key that is not at hand is
    /// an error: without those entries dead keys would look alive.
    pub fn read(journal: &Journal) -> Result<History, JournalError> {
        let (mut history, mut in_the_dark) = (History::default(), false);
        journal.each(0, &mut |sealed| {
            match journal.open_entry(&sealed) {
                Ok(entry) => {
                    if std::mem::take(&mut in_the_dark) {
                        history.fates.known_from = Some(entry.at.plus_seconds((MINT_HOURS_AHEAD + 1) * 3_600));
                    }
                    history.take(&entry);
                }
                Err(JournalError::Key(LogKeyError::Unavailable { month, source })) => {
                    return Err(LogKeyError::Unavailable { month, source }.into());
                }
                Err(_) => in_the_dark = true,
            }
            Ok(())
        })?;
        Ok(history)
    }

    fn take(&mut self, entry: &Entry) {
        self.last = self.last.max(Some(entry.at));
        self.anchor = Anchor::of(entry).or(self.anchor);
        self.told.recall(entry);
        self.fates.take(entry);
    }
}

impl Fates {
    pub fn take(&mut self, entry: &Entry) {
        self.orders.take(entry);
        self.words.take(entry);
        match &entry.event {
            Event::Mint { hour, cameras } | Event::Shortened { hour, cameras } => {
                for minted in cameras {
                    let fate = self.fate(*hour, minted.camera);
                    fate.deadline = Some(fate.deadline.map_or(minted.deadline, |known| known.min(minted.deadline)));
                }
                self.weigh(*hour);
            }
            Event::Condemned { hour, cameras, .. } => {
                cameras.iter().for_each(|camera| self.fate(*hour, *camera).condemned_at = Some(entry.at));
                self.weigh(*hour);
            }
            Event::Destroyed { hour, cameras, .. } => {
                for camera in cameras {
                    let destroyed_at = &mut self.fate(*hour, *camera).destroyed_at;
                    let is_news = destroyed_at.is_none();
                    destroyed_at.get_or_insert(entry.at);
                    self.destroyed += u64::from(is_news);
                }
                self.last_destroyed_at = self.last_destroyed_at.max(Some(entry.at));
                self.weigh(*hour);
            }
            Event::Tombstone { hour, .. } => {
                self.buried.insert(*hour);
            }
            // an order may name keys of any hour
            Event::Camera { .. } => {
                self.living.keys().copied().collect::<Vec<_>>().into_iter().for_each(|hour| self.weigh(hour));
            }
            _ => {}
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
        (self.destroyed, self.last_destroyed_at)
    }

    fn fate(&mut self, hour: Hour, camera: CameraId) -> &mut Fate {
        self.hours.entry(hour).or_default().entry(camera).or_default()
    }

    fn weigh(&mut self, hour: Hour) {
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
