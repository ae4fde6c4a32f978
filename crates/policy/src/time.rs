//! Trusted time: which instant may be believed, from the ledger, the boot clock and the system clock.
//!
//! This is the plain rule that stands until the full one of K9 (cameras' clocks, NTP state, witnesses) takes its place
//! behind the same function. A clock that is wrong must neither keep footage alive nor kill it early: while clocks
//! disagree, what is due by the *fastest* plausible clock closes at once (closing can be undone), and keys wait (dying
//! cannot).

use domain::{UtcMicros, limit, world::BootId, world::BootMicros};
use serde::{Deserialize, Serialize};

/// The last trusted time that was entered in the ledger.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LedgerTime {
    pub at: UtcMicros,
    /// The boot clock when it was entered; `None` where the entry does not say, and then `at` is only a lower bound.
    pub mark: Option<BootMark>,
}

/// A reading of the boot clock and the boot it counts from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BootMark {
    pub boot_id: BootId,
    pub since_boot: BootMicros,
}

/// What the machine's clocks say now.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Clocks {
    pub system: UtcMicros,
    pub mark: BootMark,
}

impl Clocks {
    /// One reading of all clocks.
    pub fn read(clock: &dyn domain::Clock) -> Clocks {
        Clocks { system: clock.utc(), mark: BootMark { boot_id: clock.boot_id(), since_boot: clock.boot() } }
    }
}

/// What may be believed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Judgement {
    /// The time by which keys die and new hours begin; `None` while clocks disagree: then nothing is destroyed.
    pub trusted: Option<UtcMicros>,
    /// The fastest plausible clock: what is closed by it is closed at once.
    pub fastest: UtcMicros,
    pub state: State,
}

/// Why.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// The ledger is empty: the system clock stands, there is nothing to hold it against.
    FirstStart,
    /// In one boot, ledger + boot clock and the system clock lie within 300 s; ledger + boot clock stands, because no
    /// stepped system clock can move it.
    Agree,
    /// The ledger gives only a lower bound (another boot) and the system clock lies at or above it: it stands.
    LowerBoundOnly,
    /// Nothing is trusted: in one boot the two differ by more than 300 s, or after a boot the system clock lies before
    /// the lower bound. `difference_micros` is system clock − what the ledger says.
    Disagree { difference_micros: i64 },
}

impl Judgement {
    /// Whether something that closes at `closes_at` is closed (K8): by the fastest clock, so a doubt closes.
    pub fn is_closed(&self, closes_at: UtcMicros) -> bool {
        closes_at <= self.fastest
    }
    /// Whether a key whose hour closes at `closes_at` may die now: by trusted time only, so a doubt destroys nothing.
    pub fn may_destroy(&self, closes_at: UtcMicros) -> bool {
        self.trusted.is_some_and(|now| closes_at <= now)
    }
}

/// Judges the clocks against the last trusted time in the ledger (`None`: the ledger is empty).
///
/// In one boot: last ledger time and boot clock elapsed, added, are held against the system clock. Across a boot, last
/// ledger time and time since this boot, added, are a lower bound, not a clock; the system clock counts if it lies at or
/// above. It then stands alone: it is the only clock there is until K9 brings others, so a system clock that is too fast
/// at a boot is believed. The caller enters a trusted time in the ledger before it acts on it, with this boot's mark;
/// from then on a stepped system clock is noticed and trusted time never goes backwards.
pub fn judge(ledger: Option<LedgerTime>, clocks: Clocks) -> Judgement {
    let system = clocks.system;
    let Some(ledger) = ledger else {
        return Judgement { trusted: Some(system), fastest: system, state: State::FirstStart };
    };
    match ledger.mark {
        Some(mark) if mark.boot_id == clocks.mark.boot_id => {
            let elapsed_micros = (clocks.mark.since_boot.0.saturating_sub(mark.since_boot.0)).max(0);
            in_one_boot(ledger.at.plus_micros(elapsed_micros), system)
        }
        // The entry is older than this boot: at least the time since the boot has passed on top of it.
        Some(_) => across_a_boot(ledger.at.plus_micros(clocks.mark.since_boot.0.max(0)), system),
        None => across_a_boot(ledger.at, system),
    }
}

fn in_one_boot(ours: UtcMicros, system: UtcMicros) -> Judgement {
    let difference_micros = system.since(ours);
    let agree = difference_micros.unsigned_abs() <= limit::CLOCK_AGREEMENT_SECONDS_MAX.unsigned_abs() * 1_000_000;
    let (trusted, state) =
        if agree { (Some(ours), State::Agree) } else { (None, State::Disagree { difference_micros }) };
    Judgement { trusted, fastest: ours.max(system), state }
}

fn across_a_boot(bound: UtcMicros, system: UtcMicros) -> Judgement {
    if system >= bound {
        Judgement { trusted: Some(system), fastest: system, state: State::LowerBoundOnly }
    } else {
        let state = State::Disagree { difference_micros: system.since(bound) };
        Judgement { trusted: None, fastest: bound, state }
    }
}
