//! What must hold, each with the number of the promise or rule that it is: cheap ones after every step, whole ones sometimes.

mod auditor;
mod footage;
mod gaps;
mod keys;
mod ledger;
mod roots;
mod scrub;
mod secrets;

pub use auditor::Watch;
pub use footage::{Looker, footage};
pub use gaps::told as gaps_told;
pub use keys::dead as keys_dead;
pub use ledger::names_every_reel;
pub use secrets::no_key_in_clear;

use crate::{disks, town::Town};
use domain::UtcMicros;

/// A rule that does not hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Broken {
    /// Promise of the design or rule of keys, reels and ledger.
    pub rule: &'static str,
    pub what: String,
}

pub type Held = Result<(), Broken>;

pub fn broken(rule: &'static str, what: impl Into<String>) -> Held {
    Err(Broken { rule, what: what.into() })
}

/// Clocks that agree lie within this (K9); the cameras' own are not exact.
pub const AGREED_MICROS: i64 = 301 * 1_000_000;

/// After every step.
pub fn always(town: &mut Town) -> Held {
    if let Some(what) = town.place.wire.reused() {
        return broken("K4", what);
    }
    if town.core().is_some_and(|core| core.judgement().recording.is_none()) {
        town.note_trouble(); // no key is made in a doubt
    }
    if let Some(what) = town.unexplained() {
        return broken("P6", what);
    }
    ledger::grows(town)?;
    time(town)?;
    keys::as_they_must(town)?;
    auditor::quiet(town)?;
    roots::as_they_must(town)
}

/// A time that is trusted is the true one, as long as no two clocks lie together (K9).
fn time(town: &Town) -> Held {
    let Some(core) = town.core() else { return Ok(()) };
    let (trusted, now) = (core.judgement().trusted, town.now());
    match trusted.filter(|trusted| trusted.since(now).abs() > AGREED_MICROS) {
        Some(trusted) => broken("K9", format!("{trusted} is trusted at {now}")),
        None => Ok(()),
    }
}

/// Now and then, and at the end of a life: all footage by the one door, all gaps.
pub fn whole(town: &mut Town) -> Held {
    ledger::whole(town)?;
    scrub::sound(town)?;
    let is_rebuilt = disks::is_rebuilt(town);
    town.sign_in();
    let (Some(core), Some(recording)) = (town.core(), &town.recording) else { return Ok(()) };
    let truth = crate::recording::locked(&town.place.truth);
    let looker = Looker { core: &core, recording, truth: &truth, now: town.now() };
    let is_whole = recording.is_mended && is_rebuilt;
    footage(&looker, is_whole)?;
    if is_rebuilt {
        roots::told(&looker)?;
    }
    if is_whole { gaps_told(&looker) } else { Ok(()) }
}

/// The permit's span: as far back as anybody may look.
fn back(now: UtcMicros) -> UtcMicros {
    now.plus_seconds(-30 * 86_400 + 1)
}
