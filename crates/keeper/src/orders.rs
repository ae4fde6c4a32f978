//! Orders that end footage before its deadline: a delay made shorter, a camera erased (K7).
//!
//! 1 refused where the camera is unknown or the order would lengthen anything
//! 2 entry of the order: from here on what it names is closed, and a crash finishes it at the next start
//! 3 a shorter delay: entry *shortened*, then the page is rewritten, hour by hour (K7: the page's deadline governs)
//! 4 a shorter delay: the registry's camera has it, so that new hours are minted with it
//! 5 what is due now dies as everything else does (K10); of an erased camera, every key that the order names
//!
//! Steps 3 to 5 are what [`KeeperCore::destroy_due`] does at each turn, so an order is finished by the path that is taken
//! anyway. Who may give an order that shortens, after what wait (two persons and 24 h, R14), is [`crate::shorten`]; no command
//! erases a camera yet.

use crate::{
    core::{KeeperCore, failed, malformed},
    wire::HourFate,
};
use domain::{CameraId, Hour, UtcMicros, limit::RETENTION_DAYS_MAX};
use keyring::HourSummary;
use ledger::{Actor, Entry, Event, MintedKey, Month};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use vault::KeeperError;

const DELAY: &str = "delay";
const ERASE: &str = "erase";
/// Entries of one write while a month of hours is rewritten.
const HOURS_PER_WRITE: usize = 64;

/// The orders that the ledger tells of.
#[derive(Debug, Default)]
pub struct Orders {
    delays: BTreeMap<CameraId, u32>,
    /// Hours of the camera that begin before this must die.
    erased: BTreeMap<CameraId, UtcMicros>,
    /// The entry of each order that stands: its time and its details.
    standing: BTreeMap<(CameraId, String), (UtcMicros, String)>,
}

/// The details of an order's entry, as JSON.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Details {
    Delay { delay_days: u32 },
    Erase { before: UtcMicros },
}

impl Orders {
    /// Of several orders for a camera the strictest holds, whatever came last. The camera comes back that the entry erases.
    pub fn take(&mut self, entry: &Entry) -> Option<CameraId> {
        let Event::Camera { change, camera, details } = &entry.event else { return None };
        if change != DELAY && change != ERASE {
            return None;
        }
        let erased = match serde_json::from_str(details) {
            Ok(Details::Delay { delay_days }) => {
                let known = self.delays.entry(*camera).or_insert(delay_days);
                if *known < delay_days {
                    return None;
                }
                *known = delay_days;
                None
            }
            Ok(Details::Erase { before }) => {
                let known = self.erased.entry(*camera).or_insert(before);
                if before < *known {
                    return None;
                }
                *known = before;
                Some(*camera)
            }
            Err(_) => return None, // the words of another release: nothing is known to be ordered
        };
        self.standing.insert((*camera, change.clone()), (entry.at, details.clone()));
        erased
    }

    /// The orders that stand in entries of the month or before it, to be entered again before those cannot be read any more.
    /// One that erases hours of which nothing lives any more at `now` stands no longer.
    pub fn standing_from(&self, month: Month, now: UtcMicros) -> impl Iterator<Item = Event> {
        let longest = i64::from(RETENTION_DAYS_MAX + 1) * 86_400;
        let concerns = move |camera: &CameraId, change: &str| {
            change != ERASE || self.erased.get(camera).is_some_and(|before| now < before.plus_seconds(longest))
        };
        let standing = self.standing.iter();
        let standing =
            standing.filter(move |((camera, change), (at, _))| Month::of(*at) <= month && concerns(camera, change));
        standing.map(|((camera, change), (_, details))| Event::Camera {
            change: change.clone(),
            camera: *camera,
            details: details.clone(),
        })
    }

    /// Whether an order says that a camera's hour must die.
    pub fn erases(&self, hour: Hour, camera: CameraId) -> bool {
        self.erased.get(&camera).is_some_and(|before| hour.start() < *before)
    }

    /// The delay that holds for new hours of a camera whose registered delay is `days`.
    pub fn delay(&self, camera: CameraId, days: u32) -> u32 {
        self.delays.get(&camera).map_or(days, |ordered| days.min(*ordered))
    }
}

impl KeeperCore {
    /// Makes a camera's delay shorter, for what exists, too. What died at once comes back.
    pub fn order_shorter_delay(
        &self,
        actor: Actor,
        camera: CameraId,
        delay_days: u32,
    ) -> Result<Vec<HourFate>, KeeperError> {
        let now = self.trusted()?;
        let version = self.parts.registry.camera(camera, now).map_err(failed)?;
        let version = version.ok_or_else(|| malformed("no such camera: `vigie camera list` names them"))?; // 1
        if !(1..version.camera.delay_days).contains(&delay_days) {
            let days = version.camera.delay_days;
            return Err(malformed(format!(
                "the delay is {days} days: an order to shorten names 1 to {} days",
                days - 1
            )));
        }
        self.order(actor, DELAY, camera, &Details::Delay { delay_days })?; // 2
        self.destroy_due() // 3, 4, 5
    }

    /// 2 alone, of an order that two persons gave; the rest follows at the next turn. Held: [`KeeperCore::change_keys`].
    pub(crate) fn enter_delay_order(&self, actor: Actor, camera: CameraId, delay_days: u32) -> Result<(), KeeperError> {
        self.order(actor, DELAY, camera, &Details::Delay { delay_days })
    }

    /// Destroys a camera's footage before its time: of a camera in service all complete hours (the present one has keys that
    /// it records with), of one that was removed every hour. What died comes back.
    pub fn order_erasure(&self, actor: Actor, camera: CameraId) -> Result<Vec<HourFate>, KeeperError> {
        let now = self.trusted()?;
        let version = self.parts.registry.camera(camera, now).map_err(failed)?;
        let version = version.ok_or_else(|| malformed("no such camera: `vigie camera list` names them"))?; // 1
        let present = self.parts.hour_length.hour_of(now).start();
        let before = if version.removed { UtcMicros(i64::MAX) } else { present };
        self.order(actor, ERASE, camera, &Details::Erase { before })?; // 2
        self.destroy_due() // 5
    }

    /// How many hours would die at once if a camera's delay became so short: shown before the order is given (R14).
    pub fn would_die(&self, camera: CameraId, delay_days: u32) -> usize {
        let judgement = self.judgement();
        let dies = |summary: &HourSummary| {
            let deadline = self.deadline(summary.hour, delay_days);
            summary.cameras.contains_key(&camera) && judgement.may_destroy(policy::retention::closes_at(deadline))
        };
        self.parts.keyring.hours().iter().filter(|summary| dies(summary)).count()
    }

    fn order(&self, actor: Actor, change: &str, camera: CameraId, details: &Details) -> Result<(), KeeperError> {
        let details = serde_json::to_string(details).map_err(failed)?;
        self.enter_events(actor, vec![Event::Camera { change: change.into(), camera, details }]).map(|_| ())
    }

    /// 3 and 4, for every order whose pages or registry say otherwise.
    pub(crate) fn finish_orders(&self) -> Result<(), KeeperError> {
        let delays = self.moving().fates.orders.delays.clone();
        if delays.is_empty() {
            return Ok(());
        }
        let _keys_stay_as_they_are = self.change_keys();
        let mut late: Vec<(Hour, MintedKey)> = Vec::new();
        for summary in self.parts.keyring.hours() {
            for (camera, deadline) in &summary.cameras {
                let ordered = delays.get(camera).map(|days| self.deadline(summary.hour, *days));
                if let Some(earlier) = ordered.filter(|ordered| ordered < deadline) {
                    late.push((summary.hour, MintedKey { camera: *camera, deadline: earlier }));
                }
            }
        }
        for hours in late.chunks(HOURS_PER_WRITE) {
            let untold = |(hour, key): &&(Hour, MintedKey)| {
                self.moving().fates.of(*hour, key.camera).is_none_or(|fate| fate.deadline != Some(key.deadline))
            };
            let shortened = hours.iter().filter(untold);
            let shortened = shortened.map(|(hour, key)| Event::Shortened { hour: *hour, cameras: vec![*key] });
            let shortened: Vec<Event> = shortened.collect();
            if !shortened.is_empty() {
                self.enter_events(Actor::Schedule, shortened)?; // 3
            }
            for (hour, key) in hours {
                self.parts.keyring.shorten(*hour, key.camera, key.deadline).map_err(failed)?;
            }
        }
        self.register_delays(&delays) // 4
    }

    fn register_delays(&self, delays: &BTreeMap<CameraId, u32>) -> Result<(), KeeperError> {
        let Some(now) = self.judgement().trusted else { return Ok(()) };
        for (camera, days) in delays {
            let version = self.parts.registry.camera(*camera, now).map_err(failed)?;
            let Some(version) = version.filter(|version| !version.removed) else { continue };
            if *days < version.camera.delay_days {
                let camera = catalog::Camera { delay_days: *days, ..version.camera };
                self.parts.registry.camera_put(&camera, now, now).map_err(failed)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_delays_the_least_holds_and_not_the_last() {
        let camera = CameraId([1; 16]);
        let mut orders = Orders::default();
        for days in [7, 3, 5] {
            let details = serde_json::to_string(&Details::Delay { delay_days: days }).unwrap();
            let event = Event::Camera { change: DELAY.into(), camera, details };
            assert_eq!(orders.take(&Entry::new(UtcMicros(0), Actor::Schedule, event)), None);
        }
        assert_eq!((orders.delay(camera, 30), orders.delay(camera, 2)), (3, 2));
    }
}
