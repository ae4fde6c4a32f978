//! The keeper's time: what the clocks say, held against the ledger, and entered there before it is acted on (K9).
//!
//! The first time that is trusted in a boot becomes its anchor: from then on time is the anchor plus the boot clock, and a
//! stepped system clock is noticed. The anchor stands in an entry [`Event::Clocks`], so a keeper that starts again in the
//! same boot goes on by it and does not believe a clock that was stepped meanwhile.

use crate::core::KeeperCore;
use domain::{UtcMicros, world::BootMicros};
use ledger::{Actor, Entry, Event};
use policy::time::{BootMark, Clocks, Judgement, LedgerTime, State, judge};
use serde::{Deserialize, Serialize};
use vault::KeeperError;

/// What is remembered of time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    ledger: Option<LedgerTime>,
    /// The boot clock when the keeper opened: what has passed since lies on top of a lower bound.
    opened: BootMicros,
    /// The state that was entered last.
    entered: Option<&'static str>,
}

/// An anchor as an entry tells it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Anchor {
    at: UtcMicros,
    mark: BootMark,
}

/// The state of an [`Event::Clocks`]: JSON, so that a restart in the same boot reads it back.
#[derive(Serialize, Deserialize)]
struct ClockState {
    state: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    mark: Option<BootMark>,
}

impl Memory {
    /// `last` is the time of the ledger's last readable entry.
    pub fn new(last: Option<UtcMicros>, anchor: Option<Anchor>, clocks: Clocks) -> Memory {
        let of_this_boot = anchor.filter(|anchor| anchor.mark.boot_id == clocks.mark.boot_id);
        let ledger = match of_this_boot {
            Some(Anchor { at, mark }) => Some(LedgerTime { at, mark: Some(mark) }),
            None => last.map(|at| LedgerTime { at, mark: None }),
        };
        Memory { ledger, opened: clocks.mark.since_boot, entered: None }
    }

    /// The ledger's time, brought forward where it is a lower bound only.
    fn held(&self, clocks: Clocks) -> Option<LedgerTime> {
        let ledger = self.ledger?;
        match ledger.mark {
            Some(_) => Some(ledger),
            None => Some(LedgerTime { at: ledger.at.plus_micros(elapsed(self.opened, clocks)), mark: None }),
        }
    }

    fn judge(&mut self, clocks: Clocks) -> Judgement {
        let judgement = judge(self.held(clocks), clocks);
        let anchored = |ledger: LedgerTime| ledger.mark.is_some_and(|mark| mark.boot_id == clocks.mark.boot_id);
        if let Some(at) = judgement.trusted
            && !self.ledger.is_some_and(anchored)
        {
            self.ledger = Some(LedgerTime { at, mark: Some(clocks.mark) });
        }
        judgement
    }

    /// The time that stands in entries: trusted, or what has passed at least. It never runs backwards.
    fn stamp(&mut self, clocks: Clocks) -> UtcMicros {
        if let Some(at) = self.judge(clocks).trusted {
            return at;
        }
        match self.held(clocks) {
            Some(LedgerTime { at, mark: Some(mark) }) => at.plus_micros(elapsed(mark.since_boot, clocks)),
            Some(LedgerTime { at, mark: None }) => at,
            None => clocks.system,
        }
    }
}

impl Anchor {
    /// The anchor that an entry holds.
    pub fn of(entry: &Entry) -> Option<Anchor> {
        let Event::Clocks { state } = &entry.event else { return None };
        let state: ClockState = serde_json::from_str(state).ok()?;
        Some(Anchor { at: entry.at, mark: state.mark? })
    }
}

impl KeeperCore {
    /// What the clocks say, held against the ledger (K9).
    pub fn judgement(&self) -> Judgement {
        let clocks = self.clocks();
        self.moving().time.judge(clocks)
    }

    /// Trusted time, or an answer that says why there is none.
    pub(crate) fn trusted(&self) -> Result<UtcMicros, KeeperError> {
        let judgement = self.judgement();
        judgement.trusted.ok_or_else(|| KeeperError::NoTrustedTime { what: name(judgement.state).into() })
    }

    /// The time for decisions that a doubt must close: trusted, or the fastest plausible clock.
    pub(crate) fn decision_time(&self) -> UtcMicros {
        let judgement = self.judgement();
        judgement.trusted.unwrap_or(judgement.fastest)
    }

    /// The time that stands in an entry made now.
    pub(crate) fn stamp(&self) -> UtcMicros {
        let clocks = self.clocks();
        self.moving().time.stamp(clocks)
    }

    /// Enters the clocks' state where it is another than was entered last; with the anchor, while there is one.
    pub(crate) fn enter_clocks(&self) -> Result<(), KeeperError> {
        let clocks = self.clocks();
        let (at, state, anchored) = {
            let time = &mut self.moving().time;
            let before = time.judge(clocks).state;
            let state = name(before);
            if time.entered == Some(state) {
                return Ok(());
            }
            (time.stamp(clocks), state, time.ledger.is_some_and(|ledger| ledger.mark.is_some()))
        };
        let mark = anchored.then_some(clocks.mark);
        let text = serde_json::to_string(&ClockState { state: state.into(), mark }).map_err(crate::core::failed)?;
        self.append(vec![Entry::new(at, Actor::Schedule, Event::Clocks { state: text })])?;
        self.moving().time.entered = Some(state);
        Ok(())
    }

    fn clocks(&self) -> Clocks {
        Clocks::read(&*self.parts.clock)
    }
}

/// Boots differ only where a mark is older than this boot; then nothing is known to have passed.
fn elapsed(since: BootMicros, clocks: Clocks) -> i64 {
    clocks.mark.since_boot.0.saturating_sub(since.0).max(0)
}

/// After the anchor is set the first start and the lower bound read as agreement: one name, one entry a boot.
fn name(state: State) -> &'static str {
    match state {
        State::FirstStart | State::LowerBoundOnly | State::Agree => "agree",
        State::Disagree { .. } => "disagree",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::world::BootId;

    fn clocks(boot: u8, since: i64, system: i64) -> Clocks {
        let mark = BootMark { boot_id: BootId([boot; 16]), since_boot: BootMicros(since * 1_000_000) };
        Clocks { system: UtcMicros::from_seconds(system), mark }
    }

    #[test]
    fn a_restart_in_one_boot_goes_on_by_the_anchor_and_another_boot_does_not() {
        let entry = |mark| {
            let state = serde_json::to_string(&ClockState { state: "agree".into(), mark: Some(mark) }).unwrap();
            Entry::new(UtcMicros::from_seconds(1_000), Actor::Schedule, Event::Clocks { state })
        };
        let anchor = Anchor::of(&entry(clocks(1, 50, 0).mark));
        let last = Some(UtcMicros::from_seconds(1_500));
        let stepped = clocks(1, 650, 9_999_999);
        let mut same = Memory::new(last, anchor, stepped);
        assert_eq!(same.judge(stepped).trusted, None);
        assert_eq!(same.stamp(stepped), UtcMicros::from_seconds(1_600));
        let other = clocks(2, 650, 9_999_999);
        assert_eq!(Memory::new(last, anchor, other).judge(other).trusted, Some(other.system));
    }

    #[test]
    fn a_lower_bound_moves_on_while_it_waits_for_a_clock() {
        let mut memory = Memory::new(Some(UtcMicros::from_seconds(1_000)), None, clocks(1, 10, 0));
        assert_eq!(memory.stamp(clocks(1, 110, 100)), UtcMicros::from_seconds(1_100));
        assert_eq!(memory.judge(clocks(1, 110, 1_050)).trusted, None, "entries of 1,100 s were made already");
        assert_eq!(memory.judge(clocks(1, 110, 1_101)).trusted, Some(UtcMicros::from_seconds(1_101)));
        assert_eq!(memory.stamp(clocks(1, 120, 0)), UtcMicros::from_seconds(1_111), "anchored: a step is no time");
    }
}
