//! Destruction: the one order in which footage dies (K10).
//!
//! 1 close: from ten minutes before the deadline nothing of the hour opens (K8); permits find it closed
//! 2 entry *condemned*
//! 3 the key dies: condemned and erased in the keyring, on every copy, read back (K2)
//! 4 entry *destroyed*, once every copy confirmed; until then the state is *condemned, unconfirmed*
//! 5 the recorder frees slots and deletes objects, and lists what it could not delete
//! 6 tombstone, when the recorder has told; the keyring forgets the condemnation
//!
//! The keyring keeps a condemnation from 2 to 6, so a crash between any two steps is finished at the next call. If the
//! ledger says no, 3 goes on and 2, 4 are entered when it takes entries again.

use crate::{
    core::{KeeperCore, failed},
    wire::{FateState, HourFate},
};
use domain::{CameraId, Hour, UtcMicros};
use keyring::{Condemned, Destroyed, HourSummary, Which};
use ledger::{Actor, Condemnation, Entry, Event, ResidualCiphertext};
use policy::retention::closes_at;
use std::collections::BTreeSet;
use tracing::{info, warn};
use vault::{
    KeeperError,
    keeper::{Dead, Fact},
};

impl KeeperCore {
    /// Destroys everything that is due by trusted time, and finishes what was begun. What died comes back.
    pub fn destroy_due(&self) -> Result<Vec<HourFate>, KeeperError> {
        let _one_at_a_time = self.destroying.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let judgement = self.judgement();
        let mut died = Vec::new();
        for begun in self.parts.keyring.condemned().iter().filter(|condemned| condemned.destroyed_by.is_none()) {
            self.kill(begun.hour, &begun.which, &[])?;
        }
        for summary in self.parts.keyring.hours() {
            let due = |deadline: &UtcMicros| judgement.may_destroy(closes_at(*deadline));
            let cameras: Vec<CameraId> =
                summary.cameras.iter().filter(|(_, deadline)| due(deadline)).map(|(camera, _)| *camera).collect();
            if cameras.is_empty() && !(summary.cameras.is_empty() && due(&summary.earliest)) {
                continue;
            }
            died.push(self.destroy(&summary, cameras)?);
        }
        self.enter_missing()?;
        Ok(died)
    }

    /// Footage whose keys are dead and whose space the recorder has not freed yet.
    pub(crate) fn dead(&self) -> Vec<Dead> {
        let freed = |condemned: &Condemned| condemned.destroyed_by.is_some();
        let dead =
            |condemned: Condemned| Dead { hour: condemned.hour, cameras: self.named(condemned.hour, &condemned.which) };
        self.parts.keyring.condemned().into_iter().filter(freed).map(dead).collect()
    }

    /// The recorder freed an hour's space: 6.
    pub(crate) fn freed(&self, fact: &Fact) -> Result<(), KeeperError> {
        let Fact::Freed { hour, reels, residual, .. } = fact else { return Ok(()) };
        let unfinished = |condemned: &&Condemned| condemned.hour == *hour;
        let Some(condemned) = self.parts.keyring.condemned().iter().find(unfinished).cloned() else { return Ok(()) };
        let complete = self
            .named(*hour, &condemned.which)
            .iter()
            .all(|camera| self.moving().fates.of(*hour, *camera).is_some_and(|fate| fate.destroyed_at.is_some()));
        if condemned.destroyed_by.is_none() || !complete {
            return Ok(()); // the entry *destroyed* waits for a copy that is away: the recorder will be asked again
        }
        let residual = residual
            .iter()
            .map(|(reel, bytes, why)| ResidualCiphertext { reel: *reel, bytes: *bytes, why: why.clone() })
            .collect();
        self.enter_events(Actor::Schedule, vec![Event::Tombstone { hour: *hour, reels: reels.clone(), residual }])?;
        self.parts.keyring.forget_condemned(*hour).map_err(failed)
    }

    fn destroy(&self, summary: &HourSummary, cameras: Vec<CameraId>) -> Result<HourFate, KeeperError> {
        let hour = summary.hour;
        let all = cameras.len() == summary.cameras.len();
        let which = if all { Which::All } else { Which::Cameras(cameras.iter().copied().collect::<BTreeSet<_>>()) };
        self.enter_or_wait(Event::Condemned { hour, cameras: cameras.clone(), why: Condemnation::Deadline }); // 2
        self.kill(hour, &which, &cameras)?;
        info!(%hour, cameras = cameras.len(), "destroyed");
        let deadline = Some(summary.earliest);
        Ok(HourFate { hour, state: FateState::Destroyed, deadline, destroyed_at: self.judgement().trusted })
    }

    /// 3 and 4.
    fn kill(&self, hour: Hour, which: &Which, cameras: &[CameraId]) -> Result<(), KeeperError> {
        self.parts.keyring.condemn(hour, which).map_err(failed)?;
        let answer = self.parts.keyring.destroy(hour, which).map_err(failed)?; // 3
        if answer.confirmed() {
            self.enter_destroyed(hour, which, cameras, &answer); // 4
        } else {
            warn!(%hour, "condemned, unconfirmed: a copy of the keyring is away");
        }
        Ok(())
    }

    fn enter_destroyed(&self, hour: Hour, which: &Which, cameras: &[CameraId], answer: &Destroyed) {
        let cameras = if cameras.is_empty() { self.named(hour, which) } else { cameras.to_vec() };
        let entered =
            |camera: &CameraId| self.moving().fates.of(hour, *camera).is_some_and(|fate| fate.destroyed_at.is_some());
        let cameras: Vec<CameraId> = cameras.into_iter().filter(|camera| !entered(camera)).collect();
        if cameras.is_empty() {
            return;
        }
        self.enter_or_wait(Event::Destroyed {
            hour,
            cameras,
            generation: answer.generation,
            custodian: format!("{:?}", answer.custodian.kind).to_lowercase(),
            copies: answer.custodian.copies_present() as u8,
        });
    }

    /// Entries 2 and 4 of condemnations that a crash, or a copy that was away, left without them.
    fn enter_missing(&self) -> Result<(), KeeperError> {
        if !self.moving().waiting.is_empty() {
            return Ok(()); // they are on their way already
        }
        for condemned in self.parts.keyring.condemned() {
            let (hour, which) = (condemned.hour, &condemned.which);
            let of = |camera: &CameraId| self.moving().fates.of(hour, *camera);
            let unentered: Vec<CameraId> = self
                .named(hour, which)
                .into_iter()
                .filter(|camera| of(camera).is_some_and(|fate| fate.condemned_at.is_none()))
                .collect();
            if !unentered.is_empty() {
                self.enter_or_wait(Event::Condemned { hour, cameras: unentered, why: Condemnation::Deadline });
            }
            if condemned.destroyed_by.is_some()
                && self
                    .named(hour, which)
                    .iter()
                    .any(|camera| of(camera).is_some_and(|fate| fate.destroyed_at.is_none()))
            {
                self.kill(hour, which, &[])?;
            }
        }
        Ok(())
    }

    /// The cameras that a condemnation names, by the ledger's memory: the page is gone.
    fn named(&self, hour: Hour, which: &Which) -> Vec<CameraId> {
        match which {
            Which::Cameras(cameras) => cameras.iter().copied().collect(),
            Which::All => self.moving().fates.cameras(hour),
        }
    }

    /// Enters an event, or keeps it until the ledger takes entries again: the key dies all the same (K10).
    fn enter_or_wait(&self, event: Event) {
        if let Err(error) = self.enter_events(Actor::Schedule, vec![event.clone()]) {
            warn!(%error, "the ledger takes no entry; the destruction goes on and is entered later");
            let at = self.decision_time();
            self.moving().waiting.push(Entry::new(at, Actor::Schedule, event));
        }
    }
}
