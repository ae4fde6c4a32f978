//! The keeper's time: what the clocks say, held against the ledger, and entered there before it is acted on (K9).
//!
//! The first time that is trusted in a boot becomes its anchor: from then on time is the anchor plus the boot clock, and a
//! stepped system clock is noticed. The anchor stands in an entry [`Event::Clocks`], so a keeper that starts again in the
//! same boot goes on by it and does not believe a clock that was stepped meanwhile. The anchor follows the drift of our
//! quartz slowly ([`policy::time::drift_correction`]) and is entered again when it moved by a second.

mod confirm;
mod memory;
mod touched;
mod words;

pub(crate) use memory::{Anchor, Machine, Memory};
pub(crate) use touched::Touched;

use crate::{
    core::KeeperCore,
    wire::{ClockView, Finding},
};
use catalog::Session;
use domain::UtcMicros;
use ledger::{Actor, Entry, Event};
use memory::{ClockState, name};
use policy::time::{Judgement, State};
use vault::{KeeperError, keeper::CameraClock};

/// The state's name in the text of an entry.
pub(crate) fn entered_name(text: &str) -> Option<String> {
    serde_json::from_str::<ClockState>(text).ok().map(|state| state.state)
}

impl KeeperCore {
    /// What the clocks say, held against the ledger (K9).
    pub fn judgement(&self) -> Judgement {
        let mut moving = self.moving();
        // read under the lock: a thread that read before another and came after it would look like a restored image
        let machine = self.machine();
        let at_stake = moving.fates.has_any();
        moving.time.judge(machine, at_stake)
    }

    /// Trusted time, or an answer that says why there is none.
    pub(crate) fn trusted(&self) -> Result<UtcMicros, KeeperError> {
        let judgement = self.judgement();
        judgement.trusted.ok_or_else(|| self.no_time(judgement.state))
    }

    pub(crate) fn no_time(&self, state: State) -> KeeperError {
        KeeperError::NoTrustedTime { what: words::doubt_en(state).into() }
    }

    /// The time for decisions that a doubt must close: trusted, or the fastest plausible clock.
    pub(crate) fn decision_time(&self) -> UtcMicros {
        let judgement = self.judgement();
        judgement.trusted.unwrap_or(judgement.fastest)
    }

    /// The time that stands in an entry made now: trusted, or what has passed at least. It never runs backwards.
    pub(crate) fn stamp(&self) -> UtcMicros {
        let judgement = self.judgement();
        judgement.trusted.unwrap_or(judgement.at_least)
    }

    /// Whether a session that holds by what has passed at least may be used. In a doubt one that began before it ends by the
    /// fastest clock, as everything does that a doubt must close; one that began in it could not begin otherwise.
    pub(crate) fn session_counts(&self, session: &Session) -> bool {
        let judgement = self.judgement();
        let idle_micros = judgement.fastest.since(session.last_used);
        judgement.trusted.is_some()
            || self.moving().time.is_of_the_doubt(session.created)
            || (judgement.fastest < session.expires_at
                && idle_micros < self.parts.session_idle_seconds.saturating_mul(1_000_000))
    }

    /// The recorder heard the cameras' clocks.
    pub(crate) fn hear_cameras(&self, clocks: &[CameraClock]) {
        let mut moving = self.moving();
        moving.time.hear(clocks, self.machine().mark);
    }

    /// Enters the clocks' state where it is another than was entered last; with the anchor, while there is one.
    pub(crate) fn enter_clocks(&self) -> Result<(), KeeperError> {
        let state = name(self.judgement().state);
        if self.moving().time.is_entered(state) { Ok(()) } else { self.enter_clocks_again() }
    }

    /// The same whatever was entered before: the anchor's entry may be about to become unreadable (L2).
    pub(crate) fn enter_clocks_again(&self) -> Result<(), KeeperError> {
        let judgement = self.judgement();
        let state = name(judgement.state);
        let (at, mark) = {
            let moving = self.moving();
            let time = &moving.time;
            // the entry's time and its mark are of one instant
            if time.is_anchored() { time.anchor_now(self.machine()) } else { (judgement.at_least, None) }
        };
        let text = serde_json::to_string(&ClockState::of(state, mark)).map_err(crate::core::failed)?;
        self.append(vec![Entry::new(at, Actor::Schedule, Event::Clocks { state: text })])?;
        self.moving().time.note_entered(state);
        Ok(())
    }

    /// The health page's word about the clocks.
    pub(crate) fn clock_finding(&self) -> Finding {
        self.clock_view().finding
    }

    /// Each clock with its word, for `vigie clock` and the health page.
    pub fn clock_view(&self) -> ClockView {
        let judgement = self.judgement();
        let moving = self.moving();
        let machine = self.machine();
        let waits = moving.time.waits_for_a_second(machine.mark);
        words::view(&judgement, moving.time.clocks(machine), waits)
    }

    fn machine(&self) -> Machine {
        Machine::read(&*self.parts.clock)
    }
}
