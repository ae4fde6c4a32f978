//! The guard on shortening a delay (R14): shown first, two persons, a day in which anybody may cancel, then the order.
//!
//! 1 what would die is shown; nothing is done
//! 2 a person asks: entry for each camera
//! 3 another person, not both administrators, approves: entry with the moment from which it holds, a day later
//! 4 until then any person with an account may cancel: entry
//! 5 at that moment the orders are given ([`crate::orders`]), each its own entry; a crash in between is finished at the next
//!   turn, because the request stands until every camera of it has its order
//!
//! The ledger is the only place where requests are: a registry that is put back brings none.

use crate::{
    core::{KeeperCore, actor, failed, malformed},
    health::finding,
    wire::{Answer, DelayDone, DelayLine, DelayLoss, Finding, FindingState, PersonProof},
};
use catalog::{Account, CameraVersion};
use domain::{
    CameraId, UtcMicros,
    limit::{HOUR_TURN_SECONDS_MAX, SHORTEN_ASKED_SECONDS_MAX, SHORTEN_WAIT_SECONDS},
};
use ledger::{Actor, Entry, Event};
use policy::{Role, retention::closes_at};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use vault::KeeperError;

const ASKED: &str = "delay asked";
const APPROVED: &str = "delay approved";
const CANCELLED: &str = "delay cancelled";
/// As [`crate::orders`] enters it.
const ORDERED: &str = "delay";

/// Requests that wait, by their number.
#[derive(Debug, Default)]
pub(crate) struct Shortenings(BTreeMap<String, Request>);

#[derive(Clone, Debug)]
struct Request {
    /// The first person, by account.
    by: String,
    at: UtcMicros,
    cameras: BTreeMap<CameraId, u32>,
    /// From when on it holds, once it was approved.
    from: Option<UtcMicros>,
}

/// Details of the entries, as JSON.
#[derive(Serialize, Deserialize)]
struct Details {
    request: String,
    delay_days: u32,
    /// Of this camera, how many hours die of it that would live on without it.
    hours: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<UtcMicros>,
}

#[derive(Deserialize)]
struct Ordered {
    delay_days: u32,
}

impl Shortenings {
    pub fn take(&mut self, entry: &Entry) {
        let Event::Camera { change, camera, details } = &entry.event else { return };
        if change == ORDERED {
            let Ok(Ordered { delay_days }) = serde_json::from_str(details) else { return };
            // done, or overtaken by a stricter one
            self.0.values_mut().for_each(|request| {
                request.cameras.retain(|asked, days| asked != camera || *days < delay_days);
            });
            self.0.retain(|_, request| !request.cameras.is_empty());
            return;
        }
        if ![ASKED, APPROVED, CANCELLED].contains(&change.as_str()) {
            return;
        }
        let Ok(said) = serde_json::from_str::<Details>(details) else { return };
        match (change.as_str(), &entry.actor) {
            (ASKED, Actor::Account { id, .. }) => {
                let new = || Request { by: id.clone(), at: entry.at, cameras: BTreeMap::new(), from: None };
                self.0.entry(said.request).or_insert_with(new).cameras.insert(*camera, said.delay_days);
            }
            (APPROVED, _) => {
                if let Some(request) = self.0.get_mut(&said.request) {
                    request.from = said.from;
                }
            }
            (CANCELLED, _) => drop(self.0.remove(&said.request)),
            _ => {}
        }
    }

    /// Requests that nobody approved lapse.
    fn standing(&self, now: UtcMicros) -> impl Iterator<Item = (&String, &Request)> {
        self.0.iter().filter(move |(_, request)| {
            request.from.is_some() || now < request.at.plus_seconds(SHORTEN_ASKED_SECONDS_MAX)
        })
    }
}

impl KeeperCore {
    /// 1: what would die of shorter delays, a day from now. `cameras`: names; none: all in service with a longer delay.
    pub fn delay_preview(&self, cameras: &[String], delay_days: u32) -> Result<Answer, KeeperError> {
        let meant = self.meant(cameras, delay_days)?;
        let from = self.trusted()?.plus_seconds(SHORTEN_WAIT_SECONDS);
        let asked = meant.iter().map(|version| (version.camera.id, delay_days)).collect();
        Ok(Answer::DelayLosses(self.losses(&asked, from)?))
    }

    /// 2.
    pub fn delay_ask(
        &self,
        cli: Actor,
        person: &PersonProof,
        cameras: &[String],
        delay_days: u32,
    ) -> Result<Answer, KeeperError> {
        let account = match self.by_both_factors(cli, person)? {
            Ok(account) => account,
            Err(wait_seconds) => return Ok(Answer::Denied { wait_seconds }),
        };
        let meant = self.meant(cameras, delay_days)?;
        let from = self.trusted()?.plus_seconds(SHORTEN_WAIT_SECONDS);
        let asked = meant.iter().map(|version| (version.camera.id, delay_days)).collect();
        let losses = self.losses(&asked, from)?;
        let mut number = [0; 4];
        self.parts.random.fill(&mut number);
        let request = crate::scans::hex(&number);
        self.enter_change(&account, ASKED, &request, &asked, &losses, None)?;
        Ok(Answer::DelayDone(DelayDone::Asked { request, losses }))
    }

    /// 3.
    pub fn delay_approve(&self, cli: Actor, person: &PersonProof, request: &str) -> Result<Answer, KeeperError> {
        let account = match self.by_both_factors(cli, person)? {
            Ok(account) => account,
            Err(wait_seconds) => return Ok(Answer::Denied { wait_seconds }),
        };
        let now = self.trusted()?;
        let Some(asked) = self.request_of(request, now).filter(|asked| asked.from.is_none()) else {
            return Ok(Answer::DelayDone(DelayDone::Unknown));
        };
        let accounts = self.parts.registry.accounts().map_err(failed)?;
        let first = accounts.into_iter().find(|first| first.id.to_string() == asked.by && !first.disabled);
        let is_administrator = |account: &Account| account.role == Role::Administrator.name();
        match first {
            Some(first) if first.id == account.id => return Ok(Answer::DelayDone(DelayDone::SamePerson)),
            Some(first)
                if account.created < asked.at
                    && !(is_administrator(&first) && is_administrator(&account))
                    && !self.is_registry_in_doubt() => {}
            _ => return Ok(Answer::DelayDone(DelayDone::NotThisPerson)),
        }
        let from = now.plus_seconds(SHORTEN_WAIT_SECONDS);
        let losses = self.losses(&asked.cameras, from)?;
        self.enter_change(&account, APPROVED, request, &asked.cameras, &losses, Some(from))?;
        Ok(Answer::DelayDone(DelayDone::Approved { from, losses }))
    }

    /// 4.
    pub fn delay_cancel(&self, cli: Actor, person: &PersonProof, request: &str) -> Result<Answer, KeeperError> {
        let account = match self.by_both_factors(cli, person)? {
            Ok(account) => account,
            Err(wait_seconds) => return Ok(Answer::Denied { wait_seconds }),
        };
        let _keys_stay_as_they_are = self.change_keys(); // no order is given meanwhile
        let Some(asked) = self.request_of(request, self.stamp()) else {
            return Ok(Answer::DelayDone(DelayDone::Unknown));
        };
        self.enter_change(&account, CANCELLED, request, &asked.cameras, &[], None)?;
        Ok(Answer::DelayDone(DelayDone::Cancelled))
    }

    pub fn delay_list(&self) -> Result<Answer, KeeperError> {
        let now = self.decision_time();
        let standing: Vec<(String, Request)> = {
            let moving = self.moving();
            let standing = moving.shortenings.standing(now);
            standing.map(|(number, request)| (number.clone(), request.clone())).collect()
        };
        let line = |(request, asked): (String, Request)| {
            let from = asked.from.unwrap_or(now.plus_seconds(SHORTEN_WAIT_SECONDS));
            Ok(DelayLine { request, asked: asked.at, from: asked.from, losses: self.losses(&asked.cameras, from)? })
        };
        Ok(Answer::Delays(standing.into_iter().map(line).collect::<Result<_, KeeperError>>()?))
    }

    /// 5, at each turn and second: by trusted time only.
    pub(crate) fn order_what_was_approved(&self) -> Result<(), KeeperError> {
        let Some(now) = self.judgement().trusted else { return Ok(()) };
        let due: Vec<(CameraId, u32)> = {
            let moving = self.moving();
            let due = moving.shortenings.0.values().filter(|request| request.from.is_some_and(|from| from <= now));
            due.flat_map(|request| request.cameras.iter().map(|(camera, days)| (*camera, *days))).collect()
        };
        for (camera, days) in due {
            let _cancelled_or_ordered = self.change_keys();
            let still = {
                let moving = self.moving();
                let holds = |request: &Request| {
                    request.from.is_some_and(|from| from <= now) && request.cameras.get(&camera) == Some(&days)
                };
                moving.shortenings.0.values().any(holds)
            };
            if still {
                self.enter_delay_order(Actor::Schedule, camera, days)?;
            }
        }
        Ok(())
    }

    pub(crate) fn shortening_finding(&self) -> Option<Finding> {
        let now = self.decision_time();
        let (count, from) = {
            let moving = self.moving();
            let approved: Vec<UtcMicros> = moving.shortenings.standing(now).filter_map(|(_, one)| one.from).collect();
            (approved.len(), approved.into_iter().min()?)
        };
        Some(finding(
            "delay-shortening",
            FindingState::Warning,
            ("Raccourcissement du délai", "Delay to be shortened"),
            (
                format!(
                    "{count} demande(s) approuvée(s) : des images mourront à partir du {from}. `vigie delay list` dit lesquelles ; `vigie delay cancel` annule d'ici là."
                ),
                format!(
                    "{count} request(s) approved: footage dies from {from} on. `vigie delay list` says which; `vigie delay cancel` cancels until then."
                ),
            ),
        ))
    }

    fn request_of(&self, request: &str, now: UtcMicros) -> Option<Request> {
        let moving = self.moving();
        moving.shortenings.standing(now).find(|(number, _)| *number == request).map(|(_, request)| request.clone())
    }

    /// The cameras that are named, whose delay would become shorter and not shorter than their order allows.
    fn meant(&self, names: &[String], delay_days: u32) -> Result<Vec<CameraVersion>, KeeperError> {
        let mut versions = Vec::new();
        for name in names {
            versions.push(self.by_name(name)?);
        }
        if names.is_empty() {
            versions = self.in_service()?;
            versions.retain(|version| delay_days < version.camera.delay_days);
        }
        if versions.is_empty() {
            return Err(malformed("no camera in service has a longer delay"));
        }
        let now = self.trusted()?;
        let standing = self.standing(now)?;
        let hour = self.parts.hour_length.hour_of(now);
        let kept = closes_at(self.deadline(hour, delay_days)).since(hour.end().plus_seconds(HOUR_TURN_SECONDS_MAX));
        for version in &versions {
            let (name, days) = (&version.camera.name, version.camera.delay_days);
            if !(1..days).contains(&delay_days) {
                return Err(malformed(format!(
                    "the delay of `{name}` is {days} days: name 1 to {} days",
                    days.saturating_sub(1)
                )));
            }
            let order = standing.of(version.camera.id).and_then(|of_camera| of_camera.order.as_ref());
            let minimum = order.and_then(|order| order.minimum_hours).unwrap_or(0);
            if kept < i64::from(minimum) * 3_600 * 1_000_000 {
                return Err(malformed(format!(
                    "the order demands that `{name}` keeps {minimum} hours: name more days, or have the order changed"
                )));
            }
        }
        Ok(versions)
    }

    /// Of each camera the hours that are dead by the shorter delay at `from`, and alive by the present one.
    fn losses(&self, asked: &BTreeMap<CameraId, u32>, from: UtcMicros) -> Result<Vec<DelayLoss>, KeeperError> {
        let names: BTreeMap<CameraId, String> =
            self.in_service()?.into_iter().map(|version| (version.camera.id, version.camera.name)).collect();
        let hours = self.parts.keyring.hours();
        let loss = |(camera, delay_days): (&CameraId, &u32)| {
            let dies = hours.iter().filter(|summary| {
                let deadline = summary.cameras.get(camera);
                let earlier = self.deadline(summary.hour, *delay_days);
                deadline.is_some_and(|deadline| from < closes_at(*deadline) && closes_at(earlier) <= from)
            });
            let dies: Vec<_> = dies.map(|summary| summary.hour).collect();
            DelayLoss {
                camera: names.get(camera).cloned().unwrap_or_else(|| camera.to_string()),
                delay_days: *delay_days,
                hours: dies.len() as u64,
                first: dies.iter().min().copied(),
                last: dies.iter().max().copied(),
            }
        };
        Ok(asked.iter().map(loss).collect())
    }

    fn enter_change(
        &self,
        account: &Account,
        change: &str,
        request: &str,
        cameras: &BTreeMap<CameraId, u32>,
        losses: &[DelayLoss],
        from: Option<UtcMicros>,
    ) -> Result<(), KeeperError> {
        let event = |(nth, (camera, days)): (usize, (&CameraId, &u32))| {
            let hours = losses.get(nth).map_or(0, |loss| loss.hours);
            let details = Details { request: request.to_owned(), delay_days: *days, hours, from };
            let details = serde_json::to_string(&details).map_err(failed)?;
            Ok(Event::Camera { change: change.into(), camera: *camera, details })
        };
        let events = cameras.iter().enumerate().map(event).collect::<Result<Vec<_>, KeeperError>>()?;
        self.enter_events(actor(account), events).map(drop)
    }
}
