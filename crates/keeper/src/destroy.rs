//! Destruction: the one order in which footage dies (K10).
//!
//! 1 close: from ten minutes before the deadline nothing of the hour opens (K8); permits find it closed
//! 2 entry *condemned*
//! 3 the key dies: condemned and erased in the keyring, on every copy, read back (K2)
//! 4 entry *destroyed*, once every copy confirmed; until then the state is *condemned, unconfirmed*
//! 5 the recorder frees slots and deletes objects, and lists what it could not delete
//! 6 tombstone, when the last key of the hour is dead and its space told free; the keyring forgets the condemnation
//!
//! The keyring keeps a condemnation from 3 to 6 and the ledger's memory ([`crate::fates`]) says which entries exist, so a
//! crash between any two steps is finished at the next call and no entry is made twice: 2 and 4 are entered for exactly the
//! keys that lack them. If the ledger says no, 3 goes on and 2, 4 are entered when it takes entries again. A key that the
//! ledger calls condemned dies wherever it turns up again, whatever the clocks say: a restored keyring revives nothing. What is entered
//! late waits for a time that stands (decision 0067).

use crate::{
    core::{KeeperCore, failed},
    wire::{FateState, HourFate},
};
use domain::{CameraId, Hour, ReelId, UtcMicros};
use keyring::{Condemned, Destroyed, HourSummary, KeyringError, Which};
use ledger::{Actor, Condemnation, Event, ResidualCiphertext};
use policy::{retention::closes_at, time::Judgement};
use std::collections::{BTreeMap, BTreeSet};
use tracing::{info, warn};
use vault::{KeeperError, keeper::Dead};

/// One pulse names at most this many cameras of dead hours: 16 bytes each, of a message of 1 MiB; the next pulse has more.
const DEAD_CAMERAS_PER_PULSE: usize = 16_384;
/// More reels of one hour are no recorder's: a reel a minute for each of a few deadlines.
const FREED_REELS_MAX: usize = 65_536;

/// What the recorder freed of an hour.
#[derive(Debug, Default)]
pub(crate) struct FreedSpace {
    cameras: BTreeSet<CameraId>,
    reels: BTreeSet<ReelId>,
    residual: BTreeMap<ReelId, (u64, String)>,
}

/// Keys of one hour that must die now.
struct Due {
    cameras: BTreeSet<CameraId>,
    which: Which,
}

impl KeeperCore {
    /// Destroys everything that is due by trusted time, and finishes what was begun. What died comes back. One hour that
    /// fails does not keep the others alive; the first error comes back when all were tried.
    pub fn destroy_due(&self) -> Result<Vec<HourFate>, KeeperError> {
        let mut tried: Vec<KeeperError> = self.enter_owed_mints().err().into_iter().collect();
        tried.extend(self.order_what_was_approved().err());
        tried.extend(self.finish_orders().err());
        let mut died = Vec::new();
        for (hour, due) in self.due(&self.judgement()) {
            match self.destroy(hour, due) {
                Ok(()) => died.push(hour),
                Err(error) => tried.push(error),
            }
        }
        tried.extend(self.enter_missing().err());
        tried.extend(self.bury_freed().err());
        self.note_turn();
        match tried.into_iter().next() {
            Some(error) => Err(error),
            None => Ok(died.into_iter().map(|hour| self.became(hour)).collect()),
        }
    }

    /// Whether the ledger knows a key that is due or condemned: cheap enough to ask each second.
    pub(crate) fn is_anything_due(&self) -> bool {
        let judgement = self.judgement();
        let due = |deadline: UtcMicros| judgement.may_destroy(closes_at(deadline));
        self.moving().fates.pressing(due).next().is_some()
    }

    /// Footage whose keys are dead and whose space the recorder has not freed yet.
    pub(crate) fn dead(&self) -> Vec<Dead> {
        let mut dead = Vec::new();
        let mut named = 0;
        for condemned in self.parts.keyring.condemned().iter().filter(|condemned| condemned.destroyed_by.is_some()) {
            let mut cameras = self.named(condemned);
            if let Some(freed) = self.moving().freed.get(&condemned.hour) {
                cameras.retain(|camera| !freed.cameras.contains(camera));
            }
            // what is held stays in its slots until the reserve has it (K12)
            cameras.retain(|camera| !self.moving().holds.awaits_bytes(condemned.hour, *camera));
            named += cameras.len();
            if !cameras.is_empty() {
                dead.push(Dead { hour: condemned.hour, cameras });
            }
            if named >= DEAD_CAMERAS_PER_PULSE {
                break;
            }
        }
        dead
    }

    /// The recorder freed space of an hour: 6.
    pub(crate) fn freed(
        &self,
        hour: Hour,
        cameras: &[CameraId],
        reels: &[ReelId],
        residual: &[(ReelId, u64, String)],
    ) -> Result<(), KeeperError> {
        if !self.parts.keyring.condemned().iter().any(|condemned| condemned.hour == hour) {
            return Ok(()); // told again after the tombstone
        }
        {
            let mut moving = self.moving();
            let freed = moving.freed.entry(hour).or_default();
            freed.cameras.extend(cameras);
            freed.reels.extend(reels.iter().take(FREED_REELS_MAX.saturating_sub(freed.reels.len())));
            let room = FREED_REELS_MAX.saturating_sub(freed.residual.len());
            freed.residual.extend(residual.iter().take(room).map(|(reel, bytes, why)| (*reel, (*bytes, why.clone()))));
        }
        self.bury_freed()
    }

    /// Keys that are due, condemned in the ledger, or condemned in the keyring and not erased.
    fn due(&self, judgement: &Judgement) -> BTreeMap<Hour, Due> {
        let condemned = self.parts.keyring.condemned();
        let mut due: BTreeMap<Hour, Due> = BTreeMap::new();
        let summaries = self.parts.keyring.hours();
        for summary in &summaries {
            if let Some(found) = self.due_of_page(summary, &condemned, judgement) {
                due.insert(summary.hour, found);
            }
        }
        // minted in the ledger, and a crash came before the keyring had the key: it dies on paper, too
        let held: BTreeMap<Hour, &HourSummary> = summaries.iter().map(|summary| (summary.hour, summary)).collect();
        let moving = self.moving();
        let is_late = |deadline: UtcMicros| judgement.may_destroy(closes_at(deadline));
        for (hour, camera, fate) in moving.fates.pressing(is_late) {
            let in_page = held.get(&hour).is_some_and(|summary| summary.cameras.contains_key(&camera));
            let erased = |condemned: &Condemned| {
                condemned.hour == hour && condemned.destroyed_by.is_some() && condemned.which.names(camera)
            };
            let is_due = fate.condemned_at.is_some()
                || moving.fates.orders.erases(hour, camera)
                || fate.deadline.is_some_and(is_late);
            if is_due && !in_page && !condemned.iter().any(erased) {
                let nothing = || Due { cameras: BTreeSet::new(), which: Which::Cameras(BTreeSet::new()) };
                let due = due.entry(hour).or_insert_with(nothing);
                due.cameras.insert(camera);
                if let Which::Cameras(cameras) = &mut due.which {
                    cameras.insert(camera);
                }
            }
        }
        due
    }

    fn due_of_page(&self, summary: &HourSummary, condemned: &[Condemned], judgement: &Judgement) -> Option<Due> {
        let hour = summary.hour;
        let begun = |camera: CameraId| condemned.iter().any(|other| other.hour == hour && other.which.names(camera));
        let all_begun = condemned.iter().any(|other| other.hour == hour && other.which == Which::All);
        let cameras: BTreeSet<CameraId> = {
            let moving = self.moving();
            let is_due = |(camera, deadline): &(&CameraId, &UtcMicros)| {
                let fate = moving.fates.of(hour, **camera).unwrap_or_default();
                let deadline = fate.deadline.map_or(**deadline, |told| told.min(**deadline));
                judgement.may_destroy(closes_at(deadline)) && !moving.holds.delays(hour, **camera, deadline, judgement)
                    || begun(**camera)
                    || fate.condemned_at.is_some()
                    || moving.fates.orders.erases(hour, **camera)
            };
            summary.cameras.iter().filter(is_due).map(|(camera, _)| *camera).collect()
        };
        if summary.cameras.is_empty() {
            // damaged in every copy: nothing of it opens, and all of it dies with its first deadline
            let is_due = all_begun || judgement.may_destroy(closes_at(summary.earliest));
            let cameras = self.moving().fates.cameras(hour).into_iter().collect();
            return is_due.then_some(Due { cameras, which: Which::All });
        }
        if cameras.is_empty() {
            return None;
        }
        // an hour that is over gets no camera any more: it is condemned as a whole, in a word
        let is_over = judgement.trusted.is_some_and(|now| hour.end() <= now);
        let whole = all_begun || (is_over && cameras.len() == summary.cameras.len());
        let which = if whole { Which::All } else { Which::Cameras(cameras.clone()) };
        Some(Due { cameras, which })
    }

    /// 2 and 3.
    fn destroy(&self, hour: Hour, due: Due) -> Result<(), KeeperError> {
        let _keys_stay_as_they_are = self.change_keys();
        self.condemn_or_go_on(hour, &due.cameras); // 2
        let answer = match self.erase(hour, &due.which) {
            Err(KeyringError::PageDamaged { .. }) => {
                // no key of this page can be read by anybody: all of it dies with the first that must
                let all = self.moving().fates.cameras(hour).into_iter().collect();
                self.condemn_or_go_on(hour, &all);
                self.erase(hour, &Which::All)
            }
            answer => answer,
        }
        .map_err(failed)?; // 3
        if answer.confirmed() {
            info!(%hour, cameras = due.cameras.len(), keys = answer.keys, "destroyed");
        } else {
            warn!(%hour, "condemned, unconfirmed: a copy of the keyring or its token is away");
        }
        Ok(())
    }

    fn erase(&self, hour: Hour, which: &Which) -> keyring::Result<Destroyed> {
        self.parts.keyring.condemn(hour, which)?;
        self.parts.keyring.destroy(hour, which)
    }

    fn condemn_or_go_on(&self, hour: Hour, cameras: &BTreeSet<CameraId>) {
        let cameras = self.lacking(hour, cameras, |fate| fate.condemned_at.is_some());
        if cameras.is_empty() || self.would_look_early(hour, &cameras) {
            return;
        }
        if let Err(error) = self.enter_events(Actor::Schedule, self.condemnations(hour, cameras)) {
            warn!(%error, "the ledger takes no entry; the destruction goes on and is entered later");
        }
    }

    /// What is entered at 2: whose time has come, and whom an order names.
    pub(crate) fn condemnations(&self, hour: Hour, cameras: Vec<CameraId>) -> Vec<Event> {
        let moving = self.moving();
        let (ordered, due): (Vec<CameraId>, Vec<CameraId>) =
            cameras.into_iter().partition(|camera| moving.fates.orders.erases(hour, *camera));
        let parts = [(due, Condemnation::Deadline), (ordered, Condemnation::Order)];
        let parts = parts.into_iter().filter(|(cameras, _)| !cameras.is_empty());
        parts.map(|(cameras, why)| Event::Condemned { hour, cameras, why }).collect()
    }

    /// Whether an entry made now would say that one of these keys died before its closing: it began to die by a trusted time, the
    /// ledger took no entry then, and since a restart no time stands but a lower bound. The entry waits for the time.
    fn would_look_early(&self, hour: Hour, cameras: &[CameraId]) -> bool {
        let judgement = self.judgement();
        let moving = self.moving();
        let lies_ahead = |deadline: UtcMicros| judgement.at_least < closes_at(deadline);
        judgement.trusted.is_none()
            && cameras
                .iter()
                .filter(|camera| !moving.fates.orders.erases(hour, **camera))
                .any(|camera| moving.fates.of(hour, *camera).and_then(|fate| fate.deadline).is_some_and(lies_ahead))
    }

    /// 4, and 2 where it is lacking: of every condemnation that the keyring keeps.
    fn enter_missing(&self) -> Result<(), KeeperError> {
        let _keys_stay_as_they_are = self.change_keys();
        let custodian = self.parts.keyring.custodian();
        for condemned in self.parts.keyring.condemned() {
            let hour = condemned.hour;
            let names = self.named(&condemned).into_iter().collect();
            let mut events = Vec::new();
            let cameras = self.lacking(hour, &names, |fate| fate.condemned_at.is_some());
            if self.would_look_early(hour, &cameras) {
                continue;
            }
            events.extend(self.condemnations(hour, cameras));
            let cameras = self.lacking(hour, &names, |fate| fate.destroyed_at.is_some());
            if let (Some(generation), true, false) = (condemned.destroyed_by, custodian.confirmed(), cameras.is_empty())
            {
                events.push(Event::Destroyed {
                    hour,
                    cameras,
                    generation,
                    custodian: custodian.kind.name().into(),
                    copies: custodian.copies_present() as u8,
                });
            }
            if !events.is_empty() {
                self.enter_events(Actor::Schedule, events)?; // 4
            }
        }
        Ok(())
    }

    /// 6, for every hour whose space was told free. Of an hour with other living keys only the condemnation is forgotten:
    /// its tombstone comes with its last key.
    fn bury_freed(&self) -> Result<(), KeeperError> {
        if self.moving().freed.is_empty() {
            return Ok(());
        }
        let _keys_stay_as_they_are = self.change_keys();
        let mut ready: BTreeMap<Hour, bool> = BTreeMap::new();
        for condemned in self.parts.keyring.condemned() {
            let names = self.named(&condemned).into_iter().collect();
            let is_entered = self.lacking(condemned.hour, &names, |fate| fate.destroyed_at.is_some()).is_empty();
            let is_freed =
                self.moving().freed.get(&condemned.hour).is_some_and(|freed| names.is_subset(&freed.cameras));
            *ready.entry(condemned.hour).or_insert(true) &= condemned.destroyed_by.is_some() && is_entered && is_freed;
        }
        for hour in ready.into_iter().filter_map(|(hour, ready)| ready.then_some(hour)) {
            if !self.moving().fates.lives(hour) {
                self.enter_tombstone(hour)?;
            }
            self.parts.keyring.forget_condemned(hour).map_err(failed)?;
            let mut moving = self.moving();
            if !moving.fates.lives(hour) {
                moving.freed.remove(&hour);
            }
        }
        Ok(())
    }

    fn enter_tombstone(&self, hour: Hour) -> Result<(), KeeperError> {
        let tombstone = {
            let moving = self.moving();
            let freed = moving.freed.get(&hour).filter(|freed| !freed.reels.is_empty());
            if freed.is_none() && moving.fates.is_buried(hour) {
                return Ok(()); // a crash came between the tombstone and the keyring's forgetting
            }
            let residual = freed.into_iter().flat_map(|freed| &freed.residual);
            let residual = residual.map(|(reel, (bytes, why))| ResidualCiphertext {
                reel: *reel,
                bytes: *bytes,
                why: why.clone(),
            });
            let reels = freed.map(|freed| freed.reels.iter().copied().collect()).unwrap_or_default();
            Event::Tombstone { hour, reels, residual: residual.collect() }
        };
        self.enter_events(Actor::Schedule, vec![tombstone]).map(|_| ())
    }

    /// The cameras that a condemnation names, by the ledger's memory: the page is gone.
    pub(crate) fn named(&self, condemned: &Condemned) -> Vec<CameraId> {
        match &condemned.which {
            Which::Cameras(cameras) => cameras.iter().copied().collect(),
            Which::All => self.moving().fates.cameras(condemned.hour),
        }
    }

    /// Those of the cameras of which something is not entered yet.
    fn lacking(&self, hour: Hour, cameras: &BTreeSet<CameraId>, has: fn(&crate::fates::Fate) -> bool) -> Vec<CameraId> {
        let moving = self.moving();
        let entered = |camera: &CameraId| moving.fates.of(hour, *camera).is_some_and(|fate| has(&fate));
        cameras.iter().copied().filter(|camera| !entered(camera)).collect()
    }

    fn became(&self, hour: Hour) -> HourFate {
        let moving = self.moving();
        let fates: Vec<_> =
            moving.fates.cameras(hour).into_iter().filter_map(|camera| moving.fates.of(hour, camera)).collect();
        let condemned = fates.iter().filter(|fate| fate.condemned_at.is_some());
        let is_confirmed = condemned.clone().all(|fate| fate.destroyed_at.is_some());
        HourFate {
            hour,
            state: if is_confirmed { FateState::Destroyed } else { FateState::Closed },
            deadline: condemned.clone().filter_map(|fate| fate.deadline).min(),
            destroyed_at: condemned.filter_map(|fate| fate.destroyed_at).max(),
        }
    }
}
