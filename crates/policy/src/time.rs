//! Trusted time: which instant may be believed, from the ledger, the boot clock and every other clock that is heard (K9).
//!
//! A clock that is wrong must neither keep footage alive nor kill it early. Closing can be undone, dying cannot: so while
//! no time stands, what is due by the *fastest plausible* clock is closed at once, and keys wait. Three rules carry this:
//!
//! 1. *One clock alone moves nothing*, and keeps nothing open. Within a boot, ledger + boot clock stands once another clock agrees; no other clocks
//!    overrule it. Across a boot two that agree stand, or the system clock under NTP that nobody contradicts: not before
//!    the cameras had two minutes to be heard. Meanwhile it is good enough to record by, and nothing dies by it.
//! 2. *A lower bound is not a clock.* What the ledger says plus what has passed since is never undercut: a clock that lies
//!    before it is wrong and is not counted.
//! 3. *Plausible* is, while no time stands: the bound, the system clock, each witness, and the cameras' clock once two
//!    cameras agree. One mad camera contradicts nothing and closes nothing; across a boot it confirms a system clock only
//!    that is under NTP, within one the time that is kept.

use crate::clocks::{Cameras, agree};
use domain::{
    UtcMicros, limit,
    world::{BootId, BootMicros, NtpState},
};
use serde::{Deserialize, Serialize};

/// The last trusted time that was entered in the ledger.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LedgerTime {
    pub at: UtcMicros,
    /// The boot clock when it was entered; `None` where the entry does not say, and then `at` is only a lower bound.
    pub mark: Option<BootMark>,
    /// Two persons vouched for it, and no clock has agreed since.
    pub confirmed: bool,
    /// A key was minted: from then on a wrong time can do harm.
    pub at_stake: bool,
}

/// A reading of the boot clock and the boot it counts from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BootMark {
    pub boot_id: BootId,
    pub since_boot: BootMicros,
}

/// What all clocks say now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Clocks<'a> {
    pub system: UtcMicros,
    pub ntp: NtpState,
    pub mark: BootMark,
    /// The median of the cameras' clocks.
    pub cameras: Cameras,
    /// The time of each witness's last cosignature, carried on by the boot clock; none until there are witnesses.
    pub witnesses: &'a [UtcMicros],
    pub listening: Listening,
}

/// How long the cameras could be heard across a boot, and what came of it.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Listening {
    /// Since the keeper began to listen, by the boot clock.
    pub micros: i64,
    /// Cameras that agree with one another contradicted the system clock under NTP since then: that they fell silent
    /// proves it no better.
    pub contradicted: bool,
}

/// What may be believed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Judgement {
    /// The time by which keys die and new hours begin; `None` while clocks disagree: then nothing is destroyed.
    pub trusted: Option<UtcMicros>,
    /// The time to record by: the trusted one, or the system clock under NTP while the cameras are listened for. By it runs
    /// begin and keys of the present hour are minted, and nothing dies.
    pub recording: Option<UtcMicros>,
    /// The fastest plausible clock: what is closed by it is closed at once.
    pub fastest: UtcMicros,
    /// No time before this can be: what the ledger says and what has passed since.
    pub at_least: UtcMicros,
    pub state: State,
}

/// Why.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// No key was ever minted: the system clock stands, no wrong time can do harm yet.
    FirstStart,
    /// Two clocks lie within 300 s; within a boot one of them is ledger + boot clock, which then stands, because nobody can
    /// set it.
    Agree,
    /// Across a boot: the system clock under NTP, and no other plausible clock contradicts it.
    UnderNtp,
    /// Two persons vouched for it in this boot, and no clock agrees yet.
    Confirmed,
    /// Across a boot: the system clock is under NTP, and the cameras are listened for before it decides alone. No time
    /// stands.
    Listening,
    /// No time stands.
    Doubt(Doubt),
}

/// Why no time stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Doubt {
    /// Within a boot no clock agrees with ledger + boot clock.
    InOneBoot,
    /// Across a boot one clock only can be right, and it is not under NTP.
    Alone,
    /// Across a boot the clocks contradict each other.
    Contradiction,
    /// Across a boot every clock lies before the last entry of the ledger.
    BeforeLedger,
}

impl Judgement {
    /// Whether something that closes at `closes_at` is closed (K8): by the fastest clock, so a doubt closes.
    pub fn is_closed(&self, closes_at: UtcMicros) -> bool {
        self.closes_all() || closes_at <= self.fastest
    }
    /// Across a boot nobody tells how long the machine was off but one clock that anybody may have set, or none: it keeps nothing
    /// open that may be overdue (decision 0057).
    pub fn closes_all(&self) -> bool {
        matches!(self.state, State::Doubt(Doubt::Alone | Doubt::BeforeLedger))
    }
    /// Whether a key whose hour closes at `closes_at` may die now: by trusted time only, so a doubt destroys nothing.
    pub fn may_destroy(&self, closes_at: UtcMicros) -> bool {
        self.trusted.is_some_and(|now| closes_at <= now)
    }

    fn stands(at: UtcMicros, at_least: UtcMicros, state: State) -> Judgement {
        Judgement { trusted: Some(at), recording: Some(at), fastest: at, at_least, state }
    }
}

/// A clock that is counted.
#[derive(Clone, Copy)]
struct Counted {
    at: UtcMicros,
    under_ntp: bool,
    /// May contradict another clock, and close what is due by it.
    is_plausible_alone: bool,
}

/// Judges the clocks against the last trusted time in the ledger (`None`: the ledger is empty).
///
/// A boot clock that reads less than its mark in the same boot belongs to another past (a machine's image was brought
/// back): the ledger's time is then a lower bound, as across a boot. The caller enters a trusted time in the ledger with
/// this boot's mark before it acts on it; from then on a stepped system clock is noticed and trusted time never goes
/// backwards. Until the first key is minted nothing binds: a clock that was ahead at the first start may be set right.
pub fn judge(ledger: Option<LedgerTime>, clocks: Clocks<'_>) -> Judgement {
    let earliest = UtcMicros::from_seconds(limit::CLOCK_EARLIEST_SECONDS);
    if earliest <= clocks.system && ledger.is_none_or(|ledger| !ledger.at_stake) {
        return Judgement::stands(clocks.system, earliest, State::FirstStart);
    }
    let Some(ledger) = ledger else { return across_a_boot(earliest, clocks) };
    let since_boot = clocks.mark.since_boot.0.max(0);
    let (at_least, is_clock) = match ledger.mark {
        Some(mark) if mark.boot_id == clocks.mark.boot_id => {
            let elapsed_micros = clocks.mark.since_boot.0.saturating_sub(mark.since_boot.0);
            (ledger.at.plus_micros(elapsed_micros.max(0)), elapsed_micros >= 0)
        }
        // the entry is older than this boot: at least the time since the boot has passed on top of it
        Some(_) => (ledger.at.plus_micros(since_boot), false),
        None => (ledger.at, false),
    };
    let is_clock = is_clock && earliest <= at_least;
    let at_least = at_least.max(earliest);
    if is_clock { in_one_boot(at_least, ledger.confirmed, clocks) } else { across_a_boot(at_least, clocks) }
}

/// How far trusted time `ours` moves toward a better clock after `elapsed_micros`: a quartz drifts, and a machine that is up
/// for years must not leave the others behind. Only toward a clock that agrees, only under NTP or with three cameras.
pub fn drift_correction(ours: UtcMicros, elapsed_micros: i64, clocks: Clocks<'_>) -> i64 {
    let under_ntp = clocks.ntp == NtpState::Synchronised && agree(ours, clocks.system);
    let by_cameras = clocks.cameras.agreeing >= limit::CAMERA_CLOCKS_TO_FOLLOW;
    let better = match clocks.cameras.clock() {
        _ if under_ntp => clocks.system,
        Some(cameras) if by_cameras && agree(ours, cameras) => cameras,
        _ => return 0,
    };
    let difference_micros = better.since(ours);
    if difference_micros.abs() < limit::CLOCK_SLEW_FROM_MICROS {
        return 0;
    }
    let most = elapsed_micros.max(0) / 1_000_000 * limit::CLOCK_SLEW_PPM_MAX;
    difference_micros.clamp(-most, most)
}

fn in_one_boot(ours: UtcMicros, confirmed: bool, clocks: Clocks<'_>) -> Judgement {
    let cameras = clocks.cameras.clock();
    let mut others = [clocks.system].into_iter().chain(cameras).chain(clocks.witnesses.iter().copied());
    if others.any(|other| agree(ours, other)) {
        return Judgement::stands(ours, ours, State::Agree);
    }
    if confirmed {
        return Judgement::stands(ours, ours, State::Confirmed);
    }
    doubt(ours, &voices(ours, clocks), Doubt::InOneBoot)
}

/// The largest group of clocks within 300 s of each other stands, by the one under NTP or else by its earliest member; the
/// system clock under NTP stands alone where nobody else was heard in two minutes. What stands is never before the bound.
fn across_a_boot(at_least: UtcMicros, clocks: Clocks<'_>) -> Judgement {
    let voices = &voices(at_least, clocks)[..];
    let group = |first: &Counted| {
        let members = voices.iter().filter(|voice| first.at <= voice.at && agree(first.at, voice.at));
        (members.count(), first.at)
    };
    let groups: Vec<(usize, UtcMicros)> = voices.iter().map(group).collect();
    let largest = groups.iter().map(|(size, _)| *size).max().unwrap_or(0);
    let mut best: Vec<UtcMicros> = groups.iter().filter(|(size, _)| *size == largest).map(|(_, at)| *at).collect();
    best.sort_unstable();
    let is_one_place = best.first().zip(best.last()).is_some_and(|(first, last)| agree(*first, *last));
    match (largest, best.first()) {
        (0, _) | (_, None) => doubt(at_least, voices, Doubt::BeforeLedger),
        (1, _) => match voices.iter().find(|voice| voice.under_ntp) {
            Some(ntp) => under_ntp_alone(at_least, ntp.at, voices, clocks.listening),
            None if voices.len() == 1 => doubt(at_least, voices, Doubt::Alone),
            None => doubt(at_least, voices, Doubt::Contradiction),
        },
        (_, Some(first)) if is_one_place => {
            let ntp = voices.iter().find(|voice| voice.under_ntp && *first <= voice.at && agree(*first, voice.at));
            let at = ntp.map_or(*first, |ntp| ntp.at);
            Judgement::stands(at.max(at_least), at_least, State::Agree)
        }
        _ => doubt(at_least, voices, Doubt::Contradiction),
    }
}

/// A false time server would kill at once what nothing brings back: so whoever can contradict it is listened for first.
fn under_ntp_alone(at_least: UtcMicros, ntp: UtcMicros, voices: &[Counted], listening: Listening) -> Judgement {
    let contradicted = voices.iter().any(|other| other.is_plausible_alone && !agree(ntp, other.at));
    if contradicted || listening.contradicted {
        return doubt(at_least, voices, Doubt::Contradiction);
    }
    let at = ntp.max(at_least);
    if listening.micros < limit::CAMERAS_AWAITED_SECONDS * 1_000_000 {
        let closed = doubt(at_least, voices, Doubt::Alone);
        return Judgement { recording: Some(at), state: State::Listening, ..closed };
    }
    Judgement::stands(at, at_least, State::UnderNtp)
}

fn doubt(at_least: UtcMicros, voices: &[Counted], why: Doubt) -> Judgement {
    let plausible = voices.iter().filter(|voice| voice.is_plausible_alone).map(|voice| voice.at);
    let fastest = plausible.max().map_or(at_least, |fastest| fastest.max(at_least));
    Judgement { trusted: None, recording: None, fastest, at_least, state: State::Doubt(why) }
}

/// The clocks that can be right: none that lies before the bound by more than clocks that agree may differ. One camera is
/// heard only where it says the same as a system clock under NTP: with a clock that anybody may have set it proves nothing.
fn voices(at_least: UtcMicros, clocks: Clocks<'_>) -> Vec<Counted> {
    let system =
        Counted { at: clocks.system, under_ntp: clocks.ntp == NtpState::Synchronised, is_plausible_alone: true };
    let several = clocks.cameras.agreeing >= limit::CAMERA_CLOCKS_TO_CONTRADICT;
    let counts = |at: &UtcMicros| several || (system.under_ntp && agree(*at, system.at));
    let cameras = clocks.cameras.clock().filter(counts);
    let cameras = cameras.map(|at| Counted { at, under_ntp: false, is_plausible_alone: several });
    let witness = |at: &UtcMicros| Counted { at: *at, under_ntp: false, is_plausible_alone: true };
    let all = [system].into_iter().chain(cameras).chain(clocks.witnesses.iter().map(witness));
    all.filter(|voice| at_least <= voice.at || agree(at_least, voice.at)).collect()
}
