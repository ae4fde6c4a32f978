//! Duties toward keeper and disk that follow from the passing of time: keys ahead, facts handed in, dead space freed.
//!
//! No thread and no waiting here: `errands` calls each of them about once a second.

use crate::{report::Report, role::RunTime};
use catalog::{Footage, ReelRow};
use domain::{HourLength, ReelId, StreamId, limit};
use std::{
    collections::{BTreeSet, HashSet},
    sync::{Arc, Mutex, PoisonError},
};
use tracing::warn;
use vault::{
    Keeper, LocalStore, Location,
    admit::Admitter,
    keeper::{Dead, Fact},
    rebuild::Turn,
    recover::untold,
};

/// Why bytes of dead footage stay for now.
const RESIDUAL: &str = "its disk is missing, or too much of it is: given back when the disk is the right one again";
/// After its deadline the keeper has heard of a dead reel: it asks each second, and destruction has its turn each minute.
const RESIDUAL_TOLD_SECONDS: i64 = 3_600;

/// What they are done with.
pub struct Duties {
    pub keeper: Arc<dyn Keeper>,
    pub admitter: Arc<Mutex<Admitter>>,
    pub store: Arc<LocalStore>,
    pub footage: Arc<Footage>,
    pub report: Arc<Report>,
    pub time: RunTime,
    pub hour_length: HourLength,
    /// Held while a dead hour is freed (see `vault::rebuild`).
    pub turn: Arc<Turn>,
    /// Reels whose slots were given back: given back once, told until heard.
    pub freed: HashSet<ReelId>,
}

impl Duties {
    /// Once a minute: closed reels that the keeper has not heard of and that wait nowhere, because what would have told them
    /// failed half-way.
    pub fn tell_again(&self) {
        if self.admitter().has_facts() {
            return;
        }
        match untold(&self.store, &self.footage) {
            Ok(facts) => facts.into_iter().for_each(|fact| self.admitter().tell(fact)),
            Err(error) => warn!(%error, "what the keeper has not heard stays untold for now"),
        }
    }

    /// Once a minute: what lies past its deadline by our time, and gaps around hours of which nothing is left (P7).
    pub fn look_over(&self) {
        let Ok(live) = self.footage.live_reels() else { return };
        let now = self.time.now();
        self.report.note_past_deadline(live.iter().filter(|row| row.deadline <= now).map(|row| row.bytes).sum());
        // why nothing was recorded is told for as long as anything may live, also where it is all that there is to tell
        let longest = now.plus_seconds(-i64::from(limit::RETENTION_DAYS_MAX) * 86_400);
        let oldest = live.first().map_or(longest, |row| row.hour.start().min(longest));
        if let Err(error) = self.footage.gaps_forget(oldest) {
            warn!(%error, "old gaps stay for now");
        }
        self.free_returned();
    }

    /// Dead reels whose disk is back: their slots are given back now, and their rows go. The ledger has them as residual
    /// ciphertext; one that it may not have yet keeps its row.
    fn free_returned(&self) {
        if !self.store.is_counted() {
            return;
        }
        let told = self.time.now().plus_seconds(-RESIDUAL_TOLD_SECONDS);
        let Ok(mut rows) = self.footage.dead_reels() else { return };
        rows.retain(|row| row.deadline <= told && self.is_within_reach(row));
        let (Some(in_use), Some(slots)) = (self.live_slots(), slots_of(rows.iter())) else { return };
        self.store.free(slots.into_iter().filter(|slot| !in_use.contains(slot)));
        self.forget(&rows.iter().map(|row| row.reel).collect::<Vec<_>>());
    }

    /// Whether what lies there can be given back: its disk is there, and not held (decision 0059).
    fn is_within_reach(&self, row: &ReelRow) -> bool {
        Location::from_bytes(&row.location).is_some_and(|location| !self.store.is_held(&location))
    }

    /// Frees the slots of an hour whose keys are dead (K10 step 5), once, and tells the keeper until it has heard.
    pub fn free(&mut self, dead: &Dead) {
        if !self.store.is_counted() {
            return; // the keeper asks again next second
        }
        let turn = self.turn.clone();
        let _no_row_is_entered = turn.lock().unwrap_or_else(PoisonError::into_inner);
        let rows = match self.footage.reels_dead(dead.hour, Some(&dead.cameras)) {
            Ok(rows) => rows,
            Err(error) => return warn!(%error, "a dead hour could not be freed yet"),
        };
        // what cannot be given back keeps its row until its disk is there again
        let (here, residual): (Vec<_>, Vec<_>) = rows.iter().partition(|row| self.is_within_reach(row));
        let fresh: Vec<_> = here.iter().filter(|row| !self.freed.contains(&row.reel)).copied().collect();
        let (Some(in_use), Some(slots)) = (self.live_slots(), slots_of(fresh.iter().copied())) else {
            return warn!("a dead hour could not be freed yet: the catalog does not say where every reel lies");
        };
        self.store.free(slots.into_iter().filter(|slot| !in_use.contains(slot)));
        self.freed.extend(fresh.iter().map(|row| row.reel));
        let forgotten: Vec<ReelId> = here.iter().map(|row| row.reel).collect();
        let reels: Vec<ReelId> = rows.iter().map(|row| row.reel).collect();
        let residual = residual.iter().map(|row| (row.reel, row.bytes, RESIDUAL.to_owned())).collect();
        let fact = Fact::Freed { hour: dead.hour, cameras: dead.cameras.clone(), reels, residual };
        match self.keeper.enter(&[fact]) {
            Ok(()) => self.forget(&forgotten),
            Err(error) => warn!(%error, "the keeper did not hear of freed space yet"),
        }
    }

    /// Slots of reels that live; `None` where the catalog does not tell for sure.
    fn live_slots(&self) -> Option<BTreeSet<u32>> {
        slots_of(self.footage.live_reels().ok()?.iter())
    }

    fn forget(&self, reels: &[ReelId]) {
        if let Err(error) = self.footage.forget(reels) {
            warn!(%error, "rows of dead reels stay for now");
        }
    }

    /// Keys that are missing for the present hour and those that follow (P6).
    pub fn fetch_keys(&self, streams: &BTreeSet<StreamId>) {
        let present = self.hour_length.hour_of(self.time.now());
        let (run, wanted) = {
            let admitter = self.admitter();
            (admitter.run(), admitter.wanted_keys(present, streams))
        };
        for (hour, missing) in wanted {
            match self.keeper.mint(hour, run, &missing) {
                Ok(minted) => self.admitter().give_keys(minted),
                Err(error) => return warn!(%hour, %error, "no keys yet"),
            }
        }
    }

    /// What the admitter has for the ledger; what the keeper did not hear comes first again.
    pub fn hand_in_facts(&self) {
        let facts = self.admitter().take_facts();
        if facts.is_empty() {
            return;
        }
        match self.keeper.enter(&facts) {
            Ok(()) => note_told(&self.footage, &facts),
            Err(error) => {
                warn!(%error, "facts for the ledger wait");
                self.admitter().take_back(facts);
            }
        }
    }

    fn admitter(&self) -> std::sync::MutexGuard<'_, Admitter> {
        self.admitter.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The slots of these reels; `None` where a location does not read: nothing is freed on a guess.
fn slots_of<'a>(rows: impl Iterator<Item = &'a ReelRow>) -> Option<BTreeSet<u32>> {
    let mut slots = BTreeSet::new();
    for row in rows {
        slots.extend(Location::from_bytes(&row.location)?.slots());
    }
    Some(slots)
}

/// The keeper heard these. What is not noted is told again at the next start, and entered once.
pub fn note_told(footage: &Footage, facts: &[Fact]) {
    let closed = facts.iter().filter_map(|fact| match fact {
        Fact::Reel(reel) | Fact::Recovered { reel, .. } => Some(reel.reel),
        _ => None,
    });
    if let Err(error) = footage.reels_told(&closed.collect::<Vec<_>>()) {
        warn!(%error, "the catalog does not know yet what the keeper heard");
    }
}

#[cfg(test)]
mod tests;
