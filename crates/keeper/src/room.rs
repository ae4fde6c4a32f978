//! A disk too small for the authorised delay (R14): the oldest dies early, above the minimum delay only, so that recording goes on.
//!
//! Each minute in which the recorder says that its store runs out of room:
//! 1 the oldest complete hour with a key that is older than the minimum delay: the greater of the order's and the town's
//! 2 entries in one write: the *shortfall*, and the hour's keys *condemned* for want of room
//! 3 it dies as everything does (K10); the recorder frees its space and says that there is room again
//!
//! Where nothing is older than the minimum, nothing dies: an alarm says so, and recording stops when the disk is full. By
//! trusted time only: in a doubt nothing dies early.

use crate::{
    core::KeeperCore,
    health::finding,
    wire::{Finding, FindingState},
};
use domain::{
    CameraId, Hour, UtcMicros,
    limit::{HOUR_TURN_SECONDS_MAX, SHORTFALL_TOLD_SECONDS},
};
use ledger::{Actor, Condemnation, Event};
use std::sync::atomic::Ordering;
use vault::KeeperError;

/// Room as the recorder and the last look say.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Room {
    /// The recorder's store runs out of room.
    pub is_short: bool,
    /// Everything that lives is younger than the minimum.
    at_minimum: bool,
}

impl KeeperCore {
    /// Whatever an order says, so many hours of footage are kept at least.
    pub fn keep_at_least(&self, hours: u32) {
        self.minimum_hours.store(hours, Ordering::Relaxed);
    }

    /// The steps above, but for 3: what is condemned dies at this turn's destruction.
    pub(crate) fn make_room(&self) -> Result<(), KeeperError> {
        let now = self.judgement().trusted;
        let is_short = self.moving().room.is_short;
        let Some(now) = now.filter(|_| is_short) else {
            self.moving().room.at_minimum = false;
            return Ok(());
        };
        let _keys_stay_as_they_are = self.change_keys();
        let oldest = self.oldest_above_minimum(now)?; // 1
        self.moving().room.at_minimum = oldest.is_none();
        let Some((hour, cameras, last)) = oldest else { return Ok(()) };
        let early = last.since(now).max(0) / 3_600_000_000;
        let what = format!(
            "shortfall: the disk is too small for the authorised delay: {} camera(s) of {hour} die, up to {early} h before their deadline",
            cameras.len()
        );
        let condemned = Event::Condemned { hour, cameras, why: Condemnation::DiskTooSmall };
        self.enter_events(Actor::Schedule, vec![Event::Config { what }, condemned]).map(drop) // 2
    }

    /// With its cameras that may die, and the last of their deadlines. An hour that is condemned already makes its room.
    fn oldest_above_minimum(&self, now: UtcMicros) -> Result<Option<(Hour, Vec<CameraId>, UtcMicros)>, KeeperError> {
        let standing = self.standing(now)?;
        let town = self.minimum_hours.load(Ordering::Relaxed);
        let mut summaries = self.parts.keyring.hours();
        summaries.sort_by_key(|summary| summary.hour);
        for summary in summaries {
            let hour = summary.hour;
            let complete = hour.end().plus_seconds(HOUR_TURN_SECONDS_MAX);
            let may_die = |camera: &CameraId| {
                let order = standing.of(*camera).and_then(|of_camera| of_camera.order.as_ref());
                let minimum = order.and_then(|order| order.minimum_hours).unwrap_or(0).max(town);
                complete.plus_seconds(i64::from(minimum) * 3_600) <= now
            };
            let (mut cameras, mut last) = (Vec::new(), complete);
            for (camera, deadline) in summary.cameras.iter().filter(|(camera, _)| may_die(camera)) {
                let fate = self.moving().fates.of(hour, *camera).unwrap_or_default();
                // what is held and not in the reserve yet would give no room
                let is_pinned = self.moving().holds.awaits_bytes(hour, *camera);
                if fate.condemned_at.is_none() && !is_pinned {
                    cameras.push(*camera);
                    last = last.max(*deadline);
                }
            }
            if !cameras.is_empty() {
                return Ok(Some((hour, cameras, last)));
            }
        }
        Ok(None)
    }

    pub(crate) fn room_finding(&self) -> Option<Finding> {
        let (room, (short, last)) = {
            let moving = self.moving();
            (moving.room, moving.fates.short)
        };
        let titles = ("Délai non tenu faute de place", "Delay not kept for want of room");
        if room.is_short && room.at_minimum {
            return Some(finding(
                "space-shortfall",
                FindingState::Alarm,
                titles,
                (
                    "Le stockage est presque plein et tout ce qui reste est plus jeune que le délai minimal : rien n'est détruit, et l'enregistrement s'arrêtera quand le disque sera plein. Ajoutez de la place, réduisez le débit des caméras ou faites revoir l'arrêté.".into(),
                    "The store is almost full and all that is left is younger than the minimum delay: nothing is destroyed, and recording stops when the disk is full. Add space, lower the cameras' bit rate or have the order changed.".into(),
                ),
            ));
        }
        let recent = last.is_some_and(|last| self.decision_time().since(last) < SHORTFALL_TOLD_SECONDS * 1_000_000);
        recent.then(|| {
            finding(
                "space-shortfall",
                FindingState::Alarm,
                titles,
                (
                    format!("{short} heure(s) de caméra sont mortes avant leur échéance, faute de place ; chacune est inscrite au registre. Ajoutez de la place, réduisez le débit des caméras, ou faites raccourcir le délai (`vigie delay preview`)."),
                    format!("{short} camera-hour(s) died before their deadline for want of room; each is entered in the ledger. Add space, lower the cameras' bit rate, or have the delay shortened (`vigie delay preview`)."),
                ),
            )
        })
    }
}
