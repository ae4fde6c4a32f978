//! What the keeper remembers of time: the anchor of this boot or the ledger's lower bound, and the clocks it heard.

use domain::{
    CameraId, Clock, UtcMicros, limit,
    world::{BootMicros, NtpState},
};
use ledger::{Entry, Event};
use policy::{
    clocks::Cameras,
    time::{BootMark, Clocks, Doubt, Judgement, LedgerTime, Listening, State, drift_correction, judge},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use vault::keeper::CameraClock;

use super::{Touched, confirm::FirstWord};

/// The recorder speaks each second; what it heard of the cameras is no evidence any more after this silence.
const RECORDER_SILENCE_MICROS_MAX: i64 = 10_000_000;
/// A drift that was followed this far is entered, so that a restart goes on there.
const DRIFT_ENTERED_MICROS: i64 = 1_000_000;

/// What is remembered of time.
#[derive(Debug)]
pub(crate) struct Memory {
    ledger: Option<LedgerTime>,
    /// Keys exist that this ledger does not tell of.
    at_stake: bool,
    /// The boot clock when a lower bound was taken: what has passed since lies on top of it, and for so long the cameras
    /// could be heard.
    held: BootMicros,
    /// Cameras contradicted a system clock under NTP since then.
    contradicted: bool,
    /// The newest reading of the boot clock, and the time that was judged with it.
    seen: (BootMark, UtcMicros),
    /// What had passed at least when no time stood any more.
    doubt_since: Option<UtcMicros>,
    /// Until when drift was followed, and how much of it is not entered yet.
    drift: (BootMicros, i64),
    /// The state that was entered last.
    entered: Option<&'static str>,
    cameras: BTreeMap<CameraId, UtcMicros>,
    heard: BootMicros,
    pub(super) first_word: Option<FirstWord>,
    pub touched: Touched,
}

/// One reading of this machine's clocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Machine {
    pub system: UtcMicros,
    pub ntp: NtpState,
    pub mark: BootMark,
}

/// An anchor as an entry tells it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Anchor {
    at: UtcMicros,
    mark: BootMark,
    confirmed: bool,
}

/// The state of an [`Event::Clocks`]: JSON, so that a restart in the same boot reads it back.
#[derive(Serialize, Deserialize)]
pub(super) struct ClockState {
    pub state: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub mark: Option<BootMark>,
    /// The time that one person says it is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub at: Option<UtcMicros>,
    /// Whose command line a person spoke on: who knows two passwords is still one user of the machine.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub uid: Option<u32>,
}

impl ClockState {
    pub fn of(state: &str, mark: Option<BootMark>) -> ClockState {
        ClockState { state: state.into(), mark, at: None, uid: None }
    }
}

impl Machine {
    pub fn read(clock: &dyn Clock) -> Machine {
        let (system, since_boot) = clock.both();
        Machine { system, ntp: clock.ntp(), mark: BootMark { boot_id: clock.boot_id(), since_boot } }
    }
}

impl Memory {
    /// `last` is the time of the ledger's last readable entry; `at_stake`: keys exist.
    pub fn new(last: Option<UtcMicros>, anchor: Option<Anchor>, at_stake: bool, machine: Machine) -> Memory {
        let mark = machine.mark;
        let goes_on =
            |anchor: &Anchor| anchor.mark.boot_id == mark.boot_id && anchor.mark.since_boot <= mark.since_boot;
        let bound = |at, mark, confirmed| LedgerTime { at, mark, confirmed, at_stake };
        let ledger = match anchor.filter(goes_on) {
            Some(anchor) => {
                let now = anchor.at.plus_micros(elapsed(anchor.mark.since_boot, mark));
                Some(bound(last.map_or(now, |last| last.max(now)), Some(mark), anchor.confirmed))
            }
            None => last.map(|at| bound(at, None, false)),
        };
        Memory {
            ledger,
            at_stake,
            held: mark.since_boot,
            contradicted: false,
            seen: (mark, last.unwrap_or_default()),
            doubt_since: None,
            drift: (mark.since_boot, 0),
            entered: None,
            cameras: BTreeMap::new(),
            heard: mark.since_boot,
            first_word: None,
            touched: Touched::default(),
        }
    }

    /// 1 notices a boot clock that ran backwards · 2 judges · 3 anchors what stands · 4 follows the quartz's drift.
    pub fn judge(&mut self, machine: Machine, at_stake: bool) -> Judgement {
        self.at_stake |= at_stake;
        self.notice_boot(machine.mark); // 1
        let clocks = self.clocks(machine);
        let judgement = judge(self.held(machine.mark), clocks); // 2
        self.seen = (machine.mark, judgement.trusted.unwrap_or(judgement.at_least));
        let contradicts =
            judgement.state == State::Doubt(Doubt::Contradiction) && machine.ntp == NtpState::Synchronised;
        self.contradicted = judgement.trusted.is_none() && (self.contradicted || contradicts);
        let Some(at) = judgement.trusted else {
            self.doubt_since.get_or_insert(judgement.at_least);
            return judgement;
        };
        self.doubt_since = None;
        if !self.is_anchored() || judgement.state == State::FirstStart {
            // a first start that is set right must not come back with the anchor that was entered before
            self.drift.1 += if self.is_anchored() { at.since(self.anchor_now(machine).0) } else { 0 };
            self.anchor(at, machine.mark, false); // 3
        } else if judgement.state == State::Agree {
            let micros = elapsed(self.drift.0, machine.mark);
            let correction = if micros < 1_000_000 { 0 } else { drift_correction(at, micros, clocks) };
            let seen = if micros < 1_000_000 { self.drift.0 } else { machine.mark.since_boot };
            self.drift = (seen, self.drift.1 + correction); // 4
            if let Some(ledger) = &mut self.ledger {
                ledger.at = ledger.at.plus_micros(correction);
                ledger.confirmed = false;
            }
        }
        judgement
    }

    /// All clocks as they are heard now.
    pub fn clocks(&self, machine: Machine) -> Clocks<'static> {
        let Machine { system, ntp, mark } = machine;
        let since = elapsed(self.heard, mark);
        let is_fresh = since <= RECORDER_SILENCE_MICROS_MAX;
        let voices = self.cameras.values().filter(|_| is_fresh).map(|at| at.plus_micros(since));
        let listening = Listening { micros: elapsed(self.held, mark), contradicted: self.contradicted };
        Clocks { system, ntp, mark, cameras: Cameras::heard(voices.collect()), witnesses: &[], listening }
    }

    /// One voice a camera, however often it is named.
    pub fn hear(&mut self, clocks: &[CameraClock], mark: BootMark) {
        let told = clocks.iter().take(limit::CAMERA_CLOCKS_MAX);
        self.cameras = told.map(|clock| (clock.camera, clock.at)).collect();
        self.heard = mark.since_boot;
    }

    pub fn anchor(&mut self, at: UtcMicros, mark: BootMark, confirmed: bool) {
        self.ledger = Some(LedgerTime { at, mark: Some(mark), confirmed, at_stake: self.at_stake });
        self.drift.0 = mark.since_boot;
    }

    /// Whether something of `at` was made while no time stood, and none has stood since.
    pub fn is_of_the_doubt(&self, at: UtcMicros) -> bool {
        self.doubt_since.is_some_and(|since| since < at)
    }

    /// Whether this boot has a time that was trusted.
    pub fn is_anchored(&self) -> bool {
        self.ledger.is_some_and(|ledger| ledger.mark.is_some())
    }

    /// The anchor carried to this reading.
    pub fn anchor_now(&self, machine: Machine) -> (UtcMicros, Option<BootMark>) {
        let carried = |ledger: LedgerTime| {
            let since = ledger.mark.map_or(0, |mark| elapsed(mark.since_boot, machine.mark));
            (ledger.at.plus_micros(since), ledger.mark.map(|_| machine.mark))
        };
        self.ledger.map_or((self.seen.1, None), carried)
    }

    pub fn is_entered(&self, state: &'static str) -> bool {
        self.entered == Some(state) && self.drift.1.abs() < DRIFT_ENTERED_MICROS
    }

    pub fn note_entered(&mut self, state: &'static str) {
        self.entered = Some(state);
        self.drift.1 = 0;
    }

    /// An image of the machine was brought back, or it booted: what was judged last is a lower bound from here on.
    fn notice_boot(&mut self, mark: BootMark) {
        let (seen, at) = self.seen;
        if mark.boot_id == seen.boot_id && seen.since_boot <= mark.since_boot {
            return;
        }
        if self.ledger.is_some() {
            self.ledger = Some(LedgerTime { at, mark: None, confirmed: false, at_stake: self.at_stake });
        }
        self.cameras.clear();
        self.first_word = None;
        self.contradicted = false;
        (self.held, self.heard, self.drift.0) = (mark.since_boot, mark.since_boot, mark.since_boot);
    }

    /// The ledger's time, brought forward where it is a lower bound only.
    fn held(&self, mark: BootMark) -> Option<LedgerTime> {
        let mut ledger = self.ledger?;
        ledger.at_stake = self.at_stake;
        if ledger.mark.is_none() {
            ledger.at = ledger.at.plus_micros(elapsed(self.held, mark));
        }
        Some(ledger)
    }
}

impl Anchor {
    /// The anchor that an entry holds.
    pub fn of(entry: &Entry) -> Option<Anchor> {
        let Event::Clocks { state } = &entry.event else { return None };
        let state: ClockState = serde_json::from_str(state).ok()?;
        let confirmed = state.state == name(State::Confirmed);
        Some(Anchor { at: entry.at, mark: state.mark?, confirmed })
    }
}

/// Boots differ only where a mark is older than this boot; then nothing is known to have passed.
pub(super) fn elapsed(since: BootMicros, mark: BootMark) -> i64 {
    mark.since_boot.0.saturating_sub(since.0).max(0)
}

/// After the anchor is set every way to it reads as agreement: one name, one entry a boot.
pub(super) fn name(state: State) -> &'static str {
    match state {
        State::FirstStart | State::UnderNtp | State::Agree => "agree",
        State::Confirmed => "confirmed",
        State::Listening => "listening",
        State::Doubt(_) => "disagree",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::world::BootId;
    use ledger::Actor;

    const T: i64 = 1_773_324_000;

    fn machine(boot: u8, since: i64, system: i64) -> Machine {
        let mark = BootMark { boot_id: BootId([boot; 16]), since_boot: BootMicros(since * 1_000_000) };
        Machine { system: UtcMicros::from_seconds(T + system), ntp: NtpState::Unsynchronised, mark }
    }

    fn at(seconds: i64) -> UtcMicros {
        UtcMicros::from_seconds(T + seconds)
    }

    fn anchor(state: State, seconds: i64, machine: Machine) -> Option<Anchor> {
        let state = ClockState::of(name(state), Some(machine.mark));
        let state = serde_json::to_string(&state).unwrap();
        Anchor::of(&Entry::new(at(seconds), Actor::Schedule, Event::Clocks { state }))
    }

    #[test]
    fn a_restart_in_one_boot_goes_on_by_the_anchor_and_another_boot_does_not() {
        let anchor = anchor(State::Agree, 1_000, machine(1, 50, 0));
        let stepped = machine(1, 650, 9_999_999);
        let mut same = Memory::new(Some(at(1_500)), anchor, true, stepped);
        let judgement = same.judge(stepped, true);
        assert_eq!((judgement.trusted, judgement.at_least), (None, at(1_600)));
        let other = |since| Machine { ntp: NtpState::Synchronised, ..machine(2, since, 9_999_999 + since) };
        let mut booted = Memory::new(Some(at(1_500)), anchor, true, other(650));
        assert_eq!(booted.judge(other(769), true).trusted, None, "the cameras may still be heard");
        assert!(!booted.is_anchored());
        assert_eq!(booted.judge(other(770), true).trusted, Some(other(770).system));
    }

    #[test]
    fn a_lower_bound_moves_on_while_it_waits_for_a_clock() {
        let under_ntp = |machine: Machine| Machine { ntp: NtpState::Synchronised, ..machine };
        let mut memory = Memory::new(Some(at(1_000)), None, true, machine(1, 10, 0));
        assert_eq!(memory.judge(machine(1, 110, 100), true).at_least, at(1_100));
        assert_eq!(memory.judge(under_ntp(machine(1, 130, 819)), true).trusted, None, "entries of 1,120 s were made");
        assert_eq!(memory.judge(under_ntp(machine(1, 130, 1_121)), true).trusted, Some(at(1_121)));
        assert_eq!(memory.judge(machine(1, 140, 0), true).at_least, at(1_131), "anchored: a step is no time");
    }

    #[test]
    fn a_boot_clock_that_runs_backwards_in_one_boot_is_a_boot_and_agreement_comes_back_by_itself() {
        let mut memory = Memory::new(Some(at(0)), None, true, machine(1, 10, 0));
        let first = Machine { ntp: NtpState::Synchronised, ..machine(1, 1_000, 1_000) };
        assert_eq!(memory.judge(first, true).trusted, Some(at(1_000)));
        let restored = machine(1, 500, 90_000);
        assert_eq!(memory.judge(restored, true).trusted, None);
        let synchronised = |since| Machine { ntp: NtpState::Synchronised, ..machine(1, since, 89_500 + since) };
        assert_eq!(memory.judge(synchronised(619), true).trusted, None);
        assert_eq!(memory.judge(synchronised(620), true).trusted, Some(at(90_120)));
        assert_eq!(memory.judge(machine(1, 630, 90_130), true).trusted, Some(at(90_130)));
    }

    #[test]
    fn drift_is_followed_and_a_restart_goes_on_where_it_was() {
        let mut memory = Memory::new(Some(at(0)), None, true, machine(1, 10, 0));
        let said = |since: i64, ahead: i64| Machine { ntp: NtpState::Synchronised, ..machine(1, since, since + ahead) };
        memory.judge(said(130, 0), true);
        memory.note_entered("agree");
        let mut last = at(0);
        for hour in 1..=24 {
            let now = memory.judge(said(130 + hour * 3_600, 60), true).trusted.unwrap();
            assert!(last < now);
            last = now;
        }
        let now = said(130 + 24 * 3_600, 60);
        let gained = memory.anchor_now(now).0.since(at(24 * 3_600 + 130));
        assert_eq!(gained, 24 * 3_600 * limit::CLOCK_SLEW_PPM_MAX);
        assert!(!memory.is_entered("agree"), "more than a second: it is entered");
        let anchor = Anchor::of(&{
            let (at, mark) = memory.anchor_now(now);
            let state = serde_json::to_string(&ClockState::of("agree", mark)).unwrap();
            Entry::new(at, Actor::Schedule, Event::Clocks { state })
        });
        let mut restarted = Memory::new(None, anchor, true, now);
        assert_eq!(restarted.judge(now, true).trusted, Some(memory.anchor_now(now).0));
    }

    #[test]
    fn cameras_that_contradicted_a_time_server_after_a_boot_are_not_forgotten_when_they_fall_silent() {
        let mut memory = Memory::new(Some(at(0)), None, true, machine(1, 10, 0));
        let said = |since: i64| Machine { ntp: NtpState::Synchronised, ..machine(1, since, 9_000_000 + since) };
        let voice = |n: u8, seconds: i64| CameraClock { camera: CameraId([n; 16]), at: at(seconds) };
        assert_eq!(memory.judge(said(20), true).state, State::Listening);
        memory.hear(&[voice(1, 500), voice(2, 501)], said(30).mark);
        assert_eq!(memory.judge(said(30), true).state, State::Doubt(Doubt::Contradiction));
        assert_eq!(memory.judge(said(300), true).state, State::Doubt(Doubt::Contradiction), "nobody is heard any more");
        memory.hear(&[voice(1, 9_000_310)], said(310).mark);
        assert_eq!(memory.judge(said(310), true).trusted, Some(said(310).system), "one camera and the time server");
    }

    #[test]
    fn a_first_start_that_is_set_right_leaves_no_anchor_of_the_wrong_time() {
        let mut memory = Memory::new(Some(at(0)), None, false, machine(1, 10, 0));
        let ahead = machine(1, 20, 9_000_000);
        assert_eq!(memory.judge(ahead, false).trusted, Some(ahead.system));
        memory.note_entered("agree");
        let right = machine(1, 60, 50);
        assert_eq!(memory.judge(right, false).trusted, Some(right.system));
        assert!(!memory.is_entered("agree"), "the anchor moved: it is entered anew");
        assert_eq!(memory.anchor_now(right).0, right.system);
        assert_eq!(memory.judge(machine(1, 70, 9_000_050), true).trusted, None, "with a key it stands");
    }

    #[test]
    fn cameras_that_the_recorder_does_not_speak_of_any_more_are_not_heard() {
        let mut memory = Memory::new(Some(at(0)), None, true, machine(1, 10, 0));
        let twice = CameraClock { camera: CameraId([1; 16]), at: at(500) };
        memory.hear(&[twice, twice], machine(1, 20, 0).mark);
        assert_eq!(memory.clocks(machine(1, 30, 0)).cameras, Cameras::heard(vec![at(510)]), "one voice");
        assert_eq!(memory.clocks(machine(1, 31, 0)).cameras, Cameras::default());
    }
}
