//! What the ledger tells of holds.

use crate::wire::holds::HoldSays;
use domain::{
    CameraId, HoldEnd, HoldId, Hour, RequisitionId, Span, UtcMicros, Window,
    limit::{HOLD_GATHER_SECONDS_MAX, HOUR_TURN_SECONDS_MAX},
};
use ledger::{Entry, Event, HeldHour, Month};
use policy::{retention::closes_at, time::Judgement};
use std::collections::{BTreeMap, BTreeSet};
use vault::keeper::HeldJob;

/// Every hold, as its entries say.
#[derive(Debug, Default)]
pub(crate) struct Holds {
    known: BTreeMap<HoldId, Hold>,
    /// Of those that stand: the recorder wrapped all their keys. Not entered: it says so again after each start.
    wrapped: BTreeSet<HoldId>,
    /// The highest number that was ever given.
    highest: u32,
    /// That the keyring has no key that this book knows to be dead.
    pub is_compared: bool,
}

/// One hold.
#[derive(Clone, Debug)]
pub(crate) struct Hold {
    pub says: HoldSays,
    /// Those that have keys, and when these would die without a paper.
    pub hours: BTreeMap<Hour, UtcMicros>,
    /// Ended and not confirmed dead yet.
    pub ending: BTreeMap<Hour, UtcMicros>,
    pub requisition: Option<(RequisitionId, String)>,
    pub until: Option<UtcMicros>,
    /// Reels, bytes, and reels of which nothing could be kept.
    pub kept: Option<(u32, u64, u32)>,
    pub ended: Option<(UtcMicros, HoldEnd)>,
    /// Why its hours ended, one after the other; entries of these ends, and of its keys' deaths with the time of the last.
    pub whys: BTreeSet<HoldEnd>,
    pub ends: Vec<u64>,
    pub deaths: Vec<u64>,
    pub destroyed: Option<UtcMicros>,
}

impl Holds {
    pub fn take(&mut self, seq: u64, entry: &Entry) {
        match &entry.event {
            Event::Hold { hold, number, who, requester, reason, windows, hours, .. } => {
                let says = HoldSays {
                    number: *number,
                    leaf: seq,
                    opened: entry.at,
                    who: who.clone(),
                    requester: requester.clone(),
                    reason: reason.clone(),
                    windows: windows.clone(),
                };
                let fresh = Hold {
                    says,
                    hours: by_hour(hours),
                    ending: BTreeMap::new(),
                    requisition: None,
                    until: None,
                    kept: None,
                    ended: None,
                    whys: BTreeSet::new(),
                    ends: Vec::new(),
                    deaths: Vec::new(),
                    destroyed: None,
                };
                self.highest = self.highest.max(*number);
                self.known.entry(*hold).or_insert(fresh);
            }
            Event::HoldBound { hold, requisition, number, until, .. } => self.change(*hold, |known| {
                known.requisition = Some((*requisition, number.clone()));
                known.until = Some(*until);
            }),
            Event::HoldKept { hold, reels, bytes, missing } => {
                self.change(*hold, |known| known.kept = Some((*reels, *bytes, *missing)))
            }
            Event::HoldEnded { hold, hours, why } => self.change(*hold, |known| {
                for of in hours {
                    known.hours.remove(&of.hour);
                    known.ending.insert(of.hour, of.dies);
                }
                known.ends.push(seq);
                known.whys.insert(*why);
                if known.hours.is_empty() {
                    known.ended.get_or_insert((entry.at, *why));
                }
            }),
            Event::HoldDestroyed { hold, hours, .. } => self.change(*hold, |known| {
                known.deaths.push(seq);
                known.destroyed = Some(entry.at);
                known.ending.retain(|hour, _| hours.iter().all(|of| of.hour != *hour));
            }),
            _ => {}
        }
    }

    fn change(&mut self, hold: HoldId, change: impl FnOnce(&mut Hold)) {
        if let Some(known) = self.known.get_mut(&hold) {
            change(known);
        }
    }

    /// The details of this month and of all before are over (L2); what stands is younger.
    pub fn forget(&mut self, month: Month) {
        self.known.retain(|_, hold| hold.stands() || month < Month::of(hold.says.opened));
    }

    pub fn get(&self, hold: HoldId) -> Option<&Hold> {
        self.known.get(&hold)
    }

    pub fn all(&self) -> impl Iterator<Item = (HoldId, &Hold)> {
        self.known.iter().map(|(id, hold)| (*id, hold))
    }

    pub fn standing(&self) -> impl Iterator<Item = (HoldId, &Hold)> {
        self.all().filter(|(_, hold)| hold.stands())
    }

    pub fn next_number(&self) -> u32 {
        self.highest + 1
    }

    pub fn note_wrapped(&mut self, hold: HoldId) {
        self.wrapped.insert(hold);
    }

    /// Whether a camera's hour is still needed to wrap keys of it.
    pub fn awaits_keys(&self, hour: Hour, camera: CameraId, deadline: UtcMicros) -> bool {
        let needs = |(id, hold): (HoldId, &Hold)| {
            // one that came after the closing has no part in it (K8)
            let in_time = hold.says.opened < closes_at(deadline);
            in_time && hold.kept.is_none() && !self.wrapped.contains(&id) && hold.names(hour, camera)
        };
        self.standing().any(needs)
    }

    /// Whether the key of a camera's hour that is closed lives on, for as long as a hold may take to wrap chunks' keys of it.
    pub fn delays(&self, hour: Hour, camera: CameraId, deadline: UtcMicros, at: &Judgement) -> bool {
        let gathered_by = closes_at(deadline).plus_seconds(HOLD_GATHER_SECONDS_MAX);
        !at.may_destroy(gathered_by) && self.awaits_keys(hour, camera, deadline)
    }

    /// Whether its slots still hold what the reserve does not have yet.
    pub fn awaits_bytes(&self, hour: Hour, camera: CameraId) -> bool {
        self.standing().any(|(_, hold)| hold.kept.is_none() && hold.names(hour, camera))
    }

    /// A hold that has all of a window for that requisition, and whether the reserve has it already.
    pub fn under(&self, requisition: RequisitionId, window: &Window) -> Option<(HoldId, bool)> {
        let has = |hold: &Hold| {
            let is_for = hold.requisition.as_ref().is_some_and(|(id, _)| *id == requisition);
            is_for && hold.covers(window.camera, window.span)
        };
        let all = self.standing().filter(|(_, hold)| has(hold)).map(|(id, hold)| (id, hold.kept.is_some()));
        all.max_by_key(|(_, is_kept)| *is_kept)
    }

    pub fn jobs(&self) -> Vec<HeldJob> {
        let job = |(hold, known): (HoldId, &Hold)| HeldJob {
            hold,
            windows: known.says.windows.clone(),
            hours: known.hours.keys().copied().collect(),
            is_kept: known.kept.is_some(),
        };
        self.standing().map(job).collect()
    }
}

impl Hold {
    pub fn stands(&self) -> bool {
        !self.hours.is_empty()
    }

    /// Whether every copy of the keyring confirmed that nothing of it opens any more.
    pub fn is_destroyed(&self) -> bool {
        self.ended.is_some() && self.ending.is_empty()
    }

    /// When the keys of an hour of it die.
    pub fn dies(&self, at: UtcMicros) -> UtcMicros {
        self.until.map_or(at, |until| until.max(at))
    }

    pub fn lives(&self) -> impl Iterator<Item = HeldHour> + '_ {
        self.hours.iter().map(|(hour, dies)| HeldHour { hour: *hour, dies: self.dies(*dies) })
    }

    fn names(&self, hour: Hour, camera: CameraId) -> bool {
        self.hours.contains_key(&hour) && self.cameras(hour).any(|held| held == camera)
    }

    /// Those of which something lies in this hour.
    pub fn cameras(&self, hour: Hour) -> impl Iterator<Item = CameraId> + '_ {
        self.says.windows.iter().filter(move |window| reach(window).touches(hour)).map(|window| window.camera)
    }

    /// Whether all of a camera's span is held.
    pub fn covers(&self, camera: CameraId, span: Span) -> bool {
        self.says.windows.iter().any(|window| window.camera == camera && window.span.covers(span))
    }
}

fn by_hour(hours: &[HeldHour]) -> BTreeMap<Hour, UtcMicros> {
    hours.iter().map(|of| (of.hour, of.dies)).collect()
}

/// From when to when the reels lie that hold a window: an hour turns at the first key frame within ten seconds of it (R8).
pub(crate) struct Reach {
    from: UtcMicros,
    to: UtcMicros,
}

pub(crate) fn reach(window: &Window) -> Reach {
    Reach { from: window.span.from().plus_seconds(-HOUR_TURN_SECONDS_MAX), to: window.span.to() }
}

impl Reach {
    fn touches(&self, hour: Hour) -> bool {
        self.from < hour.end() && hour.start() < self.to
    }

    /// The hours that it touches.
    pub fn hours(&self, length: domain::HourLength) -> impl Iterator<Item = Hour> + '_ {
        let first = length.hour_of(self.from);
        (0..).map(move |nth| first.plus(nth)).take_while(|hour| hour.start() < self.to)
    }
}
