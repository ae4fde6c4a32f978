//! How holds end: each by itself, with its two entries, which are its certificate (K10, K12).
//!
//! 1 entry *ended*, with the hours and why · 2 their keys die on every copy of the keyring · 3 entry *destroyed*, once every copy
//! confirmed · 4 the recorder, which is told of what stands, takes the rest out of the reserve. A crash between any two is finished
//! at the next turn. Where the ledger takes no entry, 2 goes on for what is due, and 1 and 3 follow.

use super::{Hold, unknown};
use crate::{
    core::{KeeperCore, actor, failed},
    fates::Fates,
};
use catalog::Account;
use domain::{
    HoldEnd, HoldId, Hour, RequisitionId, UtcMicros,
    requisition::{Delivery, Outcome},
};
use ledger::{Actor, Event, HeldHour};
use policy::{retention::closes_at, time::Judgement};
use std::collections::{BTreeMap, BTreeSet};
use tracing::{info, warn};
use vault::KeeperError;

impl KeeperCore {
    /// Each second: what is due, and what was begun.
    pub(crate) fn end_holds(&self) -> Result<(), KeeperError> {
        let compared = self.compare_holds();
        let _keys_stay_as_they_are = self.change_keys();
        self.end_due_holds().and(compared)
    }

    /// The caller changes keys.
    pub(super) fn end_due_holds(&self) -> Result<(), KeeperError> {
        let mut tried = Vec::new();
        let judgement = self.judgement();
        let (due, begun): (Vec<_>, Vec<_>) = {
            let moving = self.moving();
            let due = moving.holds.standing().filter_map(|(id, hold)| {
                let ends =
                    |of: &HeldHour| judgement.may_destroy(of.dies) || is_over(&moving.fates, hold, of, &judgement);
                let hours = hold.lives().filter(ends).collect::<Vec<_>>();
                (!hours.is_empty()).then_some((id, hours, why(hold)))
            });
            let begun = moving.holds.all().filter(|(_, hold)| !hold.ending.is_empty()).map(|(id, _)| id);
            (due.collect(), begun.collect())
        };
        for (hold, hours, why) in due {
            let names = hours.iter().map(|of| of.hour).collect();
            match self.enter_events(Actor::Schedule, vec![Event::HoldEnded { hold, hours, why }]) {
                Ok(_) => tried.push(self.destroy_ending(hold)), // 1 to 3
                Err(error) => {
                    warn!(%error, "the ledger takes no entry; a hold ends and is entered later");
                    if self.has_keys(hold, &names) {
                        tried.push(self.destroy_unentered(hold, &names)); // 2
                    }
                }
            }
        }
        for hold in begun {
            tried.push(self.destroy_ending(hold)); // 2, 3
        }
        tried.into_iter().collect()
    }

    /// Each minute: what a crash left between a requisition's refusal or delivery and the end of its holds.
    pub(crate) fn reconcile_holds(&self) -> Result<(), KeeperError> {
        let bound: BTreeSet<RequisitionId> = {
            let moving = self.moving();
            moving.holds.standing().filter_map(|(_, hold)| hold.requisition.as_ref().map(|(id, _)| *id)).collect()
        };
        for requisition in bound {
            let says = self.requisition(requisition)?.says;
            if says.answer.as_ref().is_some_and(|answer| answer.outcome == Outcome::Refused) {
                self.end_holds_refused(None, requisition)?;
            } else {
                self.end_holds_delivered(None, requisition, &says.deliveries)?;
            }
        }
        Ok(())
    }

    /// A person, a delivery or a refusal ends all of it.
    pub(crate) fn end_hold(&self, who: Option<&Account>, hold: HoldId, why: HoldEnd) -> Result<(), KeeperError> {
        let _keys_stay_as_they_are = self.change_keys();
        let hours: Vec<HeldHour> = {
            let moving = self.moving();
            moving.holds.get(hold).filter(|known| known.stands()).ok_or_else(unknown)?.lives().collect()
        };
        let actor = who.map_or(Actor::Schedule, actor);
        self.enter_events(actor, vec![Event::HoldEnded { hold, hours, why }])?; // 1
        self.destroy_ending(hold) // 2, 3
    }

    /// All holds of a requisition that the town refused.
    pub(crate) fn end_holds_refused(
        &self,
        account: Option<&Account>,
        requisition: RequisitionId,
    ) -> Result<(), KeeperError> {
        let holds = self.held_under(requisition, |_| true);
        holds.into_iter().try_for_each(|hold| self.end_hold(account, hold, HoldEnd::Refused))
    }

    /// Those of which everything was handed over.
    pub(crate) fn end_holds_delivered(
        &self,
        account: Option<&Account>,
        requisition: RequisitionId,
        deliveries: &[Delivery],
    ) -> Result<(), KeeperError> {
        let exports = self.parts.registry.exports().map_err(failed)?;
        let delivered: Vec<_> = exports
            .iter()
            .filter(|export| deliveries.iter().any(|delivery| delivery.export == export.id))
            .flat_map(|export| export.windows.clone())
            .collect();
        let is_over = |hold: &Hold| {
            let has_left = |window: &domain::Window| {
                delivered.iter().any(|left| left.camera == window.camera && left.span.covers(window.span))
            };
            hold.says.windows.iter().all(has_left)
        };
        let holds = self.held_under(requisition, is_over);
        holds.into_iter().try_for_each(|hold| self.end_hold(account, hold, HoldEnd::Delivered))
    }

    fn held_under(&self, requisition: RequisitionId, which: impl Fn(&Hold) -> bool) -> Vec<HoldId> {
        let is_under = |hold: &Hold| hold.requisition.as_ref().is_some_and(|(id, _)| *id == requisition);
        let moving = self.moving();
        moving.holds.standing().filter(|(_, hold)| is_under(hold) && which(hold)).map(|(id, _)| id).collect()
    }

    /// 2 and 3.
    fn destroy_ending(&self, hold: HoldId) -> Result<(), KeeperError> {
        let ending: BTreeMap<Hour, UtcMicros> = match self.moving().holds.get(hold) {
            Some(known) if !known.ending.is_empty() => known.ending.clone(),
            _ => return Ok(()),
        };
        let hours: BTreeSet<Hour> = ending.keys().copied().collect();
        if !self.has_keys(hold, &hours) && !self.parts.keyring.confirmed() {
            return Ok(()); // a copy that is away confirms when it is back
        }
        let answer = self.parts.keyring.destroy_hold(hold, &hours).map_err(failed)?; // 2
        if !answer.confirmed() {
            warn!(%hold, "a hold has ended, unconfirmed: a copy of the keyring or its token is away");
            return Ok(());
        }
        let event = Event::HoldDestroyed {
            hold,
            hours: ending.into_iter().map(|(hour, dies)| HeldHour { hour, dies }).collect(),
            generation: answer.generation,
            custodian: answer.custodian.kind.name().into(),
            copies: answer.custodian.copies_present() as u8,
        };
        self.enter_events(Actor::Schedule, vec![event])?; // 3
        info!(%hold, hours = hours.len(), "a hold has ended");
        Ok(())
    }

    /// Keys whose end is entered already, or follows.
    fn destroy_unentered(&self, hold: HoldId, hours: &BTreeSet<Hour>) -> Result<(), KeeperError> {
        if !self.parts.keyring.destroy_hold(hold, hours).map_err(failed)?.confirmed() {
            warn!(%hold, "keys of a hold that has ended are gone here; a copy of the keyring is away");
        }
        Ok(())
    }

    fn has_keys(&self, hold: HoldId, hours: &BTreeSet<Hour>) -> bool {
        self.parts.keyring.holds().keys().any(|(of, hour)| *of == hold && hours.contains(hour))
    }

    /// Once a start: a keyring that was put back may have keys of what ended, and may lack what a paper said.
    fn compare_holds(&self) -> Result<(), KeeperError> {
        if self.moving().holds.is_compared {
            return Ok(());
        }
        let _keys_stay_as_they_are = self.change_keys();
        let mut dead: BTreeMap<HoldId, BTreeSet<Hour>> = BTreeMap::new();
        let mut until = BTreeMap::new();
        for ((hold, hour), key) in self.parts.keyring.holds() {
            let moving = self.moving();
            let known = moving.holds.get(hold);
            match known.and_then(|known| Some((known, known.hours.get(&hour)?))) {
                None => drop(dead.entry(hold).or_default().insert(hour)),
                Some((known, _)) => {
                    if let Some(later) = known.until.filter(|later| key.dies < *later) {
                        until.insert(hold, later);
                    }
                }
            }
        }
        for (hold, hours) in dead {
            self.destroy_unentered(hold, &hours)?;
        }
        for (hold, until) in until {
            self.parts.keyring.keep_hold(hold, until).map_err(failed)?;
        }
        self.moving().holds.is_compared = true;
        Ok(())
    }
}

/// Whether an hour of a hold without a paper would be gone by what was ordered since: a shorter delay, an erasure (K7). A disk too
/// small takes nothing from it.
fn is_over(fates: &Fates, hold: &Hold, of: &HeldHour, at: &Judgement) -> bool {
    hold.requisition.is_none()
        && hold.cameras(of.hour).any(|camera| {
            let ordered = fates.of(of.hour, camera).and_then(|fate| fate.deadline).map(closes_at);
            fates.orders.erases(of.hour, camera) || ordered.is_some_and(|closes| at.may_destroy(closes))
        })
}

fn why(hold: &Hold) -> HoldEnd {
    if hold.requisition.is_some() { HoldEnd::Uncollected } else { HoldEnd::Deadline }
}
