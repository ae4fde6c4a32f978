//! Trusted time: each state by example, the faults that clocks have, and over long runs with boots the promises that hold
//! whatever one clock says.

use domain::{UtcMicros, limit, world::BootId, world::BootMicros, world::NtpState};
use policy::clocks::{Cameras, Word};
use policy::time::{BootMark, Clocks, Doubt, LedgerTime, Listening, State, drift_correction, judge};
use proptest::prelude::*;

const SECOND: i64 = 1_000_000;
/// 2026-03-12T14:00Z, the ledger's time in most examples.
const T: i64 = 1_773_324_000;
const DAY: i64 = 86_400;
const YEAR: i64 = 365 * DAY;
const FIRST: u8 = 1;
const SECOND_BOOT: u8 = 2;

#[test]
fn one_clock_alone_across_a_boot_keeps_nothing_open_and_a_time_server_does() {
    use domain::world::{BootId, BootMicros, NtpState};
    use policy::{
        clocks::Cameras,
        time::{BootMark, Clocks, LedgerTime, Listening, judge},
    };
    let at = |seconds: i64| domain::UtcMicros::from_seconds(1_800_000_000 + seconds);
    let mark = |boot: u8| BootMark { boot_id: BootId([boot; 16]), since_boot: BootMicros(60_000_000) };
    let ledger = LedgerTime { at: at(0), mark: Some(mark(1)), confirmed: false, at_stake: true };
    let judged = |system, ntp, boot| {
        let (cameras, listening) = (Cameras::default(), Listening::default());
        judge(Some(ledger), Clocks { system, ntp, mark: mark(boot), cameras, witnesses: &[], listening })
    };
    let far = at(30 * 86_400);
    for system in [at(-86_400), at(60), at(7 * 86_400)] {
        let alone = judged(system, NtpState::Unsynchronised, 2);
        assert!(alone.closes_all() && alone.is_closed(far) && !alone.may_destroy(at(0)), "{alone:?}");
    }
    assert!(!judged(at(7 * 86_400), NtpState::Synchronised, 2).is_closed(far), "it is listened for, and recorded by");
    assert!(!judged(at(-86_400), NtpState::Unsynchronised, 1).is_closed(far), "the boot clock bounds what has passed");
}

#[test]
fn while_no_key_was_ever_minted_the_system_clock_stands_unless_it_cannot_be_right() {
    let judgement = judge(None, clocks(FIRST, 7, T));
    assert_eq!((judgement.trusted, judgement.state), (Some(at(T)), State::FirstStart));
    for dead_battery in [0, 946_684_800] {
        let judgement = judge(None, clocks(FIRST, 7, dead_battery));
        assert_eq!((judgement.trusted, judgement.state), (None, State::Doubt(Doubt::BeforeLedger)));
    }
    let fresh = LedgerTime { at_stake: false, ..ledger(T, FIRST, 10) };
    assert_eq!(judge(Some(fresh), clocks(FIRST, 20, T + DAY)).trusted, Some(at(T + DAY)), "set right before anything");
}

#[test]
fn a_first_start_ahead_of_the_true_time_is_undone_until_the_first_key_exists() {
    let ahead = |at_stake| Some(LedgerTime { at_stake, ..ledger(T + YEAR, FIRST, 10) });
    for boot in [FIRST, SECOND_BOOT] {
        let set_right = clocks(boot, 20, T);
        let judgement = judge(ahead(false), set_right);
        assert_eq!((judgement.trusted, judgement.state), (Some(at(T)), State::FirstStart), "boot {boot}");
        assert_eq!(judge(ahead(true), set_right).trusted, None, "a key exists: time never runs backwards");
        assert!(judge(ahead(false), clocks(boot, 20, 946_684_800)).trusted.is_none(), "2000 is no time, as before");
    }
}

#[test]
fn in_one_boot_the_ledger_and_the_boot_clock_stand_once_another_clock_agrees() {
    for (system, trusted) in [(50, true), (350, true), (-250, true), (351, false), (-251, false)] {
        let judgement = judge(Some(ledger(T, FIRST, 10)), clocks(FIRST, 60, T + system));
        assert_eq!(judgement.trusted, trusted.then(|| at(T + 50)), "system clock at {system} s");
        assert_eq!(judgement.fastest, if trusted { at(T + 50) } else { at(T + system.max(50)) });
        assert_eq!(judgement.state, if trusted { State::Agree } else { State::Doubt(Doubt::InOneBoot) });
    }
    // one camera that agrees is enough to know that the system clock alone is wrong
    for wrong in [T + 31 * DAY, T - YEAR, 0] {
        let heard = Clocks { cameras: cameras(&[T + 52]), ntp: NtpState::Synchronised, ..clocks(FIRST, 60, wrong) };
        let judgement = judge(Some(ledger(T, FIRST, 10)), heard);
        assert_eq!((judgement.trusted, judgement.fastest), (Some(at(T + 50)), at(T + 50)));
    }
    // but in one boot nobody overrules what was anchored: a false time server moves cameras and system together
    let spoofed = Clocks {
        cameras: cameras(&[T + 31 * DAY; 12]),
        ntp: NtpState::Synchronised,
        ..clocks(FIRST, 60, T + 31 * DAY)
    };
    let judgement = judge(Some(ledger(T, FIRST, 10)), spoofed);
    assert_eq!((judgement.trusted, judgement.fastest), (None, at(T + 31 * DAY)));
}

#[test]
fn across_a_boot_the_bound_is_no_clock_and_a_lone_clock_needs_ntp() {
    let week = T + 7 * DAY;
    let before = Some(ledger(T, FIRST, 500));
    let alone = judge(before, clocks(SECOND_BOOT, 90, week));
    assert_eq!((alone.trusted, alone.fastest), (None, at(week)));
    assert_eq!((alone.at_least, alone.state), (at(T + 90), State::Doubt(Doubt::Alone)));
    // a system that puts back the time of its last shutdown says the bound: that proves nothing
    assert_eq!(judge(before, clocks(SECOND_BOOT, 90, T + 90)).trusted, None);
    let under_ntp = judge(before, Clocks { ntp: NtpState::Synchronised, ..clocks(SECOND_BOOT, 90, week) });
    assert_eq!((under_ntp.trusted, under_ntp.state), (Some(at(week)), State::UnderNtp));
    let two = judge(before, Clocks { cameras: cameras(&[week + 200; 2]), ..clocks(SECOND_BOOT, 90, week) });
    assert_eq!((two.trusted, two.state), (Some(at(week)), State::Agree));
    let one = judge(before, Clocks { cameras: cameras(&[week]), ..clocks(SECOND_BOOT, 90, week) });
    assert_eq!(
        (one.trusted, one.state),
        (None, State::Doubt(Doubt::Alone)),
        "one camera and a clock that anybody may set"
    );
    let witness = [at(week)];
    let one = Clocks { cameras: cameras(&[week]), witnesses: &witness, ..clocks(SECOND_BOOT, 90, 0) };
    assert_eq!(judge(before, one).trusted, None, "nor with a witness alone");
    let witnessed = Clocks { witnesses: &[at(week + 20)], ..clocks(SECOND_BOOT, 90, 0) };
    assert_eq!(judge(before, witnessed).state, State::Doubt(Doubt::Alone), "a witness is one clock, too");
    let witnessed = Clocks { witnesses: &[at(week + 20)], ..clocks(SECOND_BOOT, 90, week) };
    assert_eq!(judge(before, witnessed).trusted, Some(at(week)));
}

#[test]
fn a_time_server_decides_alone_only_when_cameras_could_be_heard() {
    let before = Some(ledger(T, FIRST, 500));
    let month = T + 31 * DAY;
    let said = |seconds: i64, voices: &[i64]| Clocks {
        ntp: NtpState::Synchronised,
        cameras: cameras(voices),
        listening: Listening { micros: seconds * SECOND, contradicted: false },
        ..clocks(SECOND_BOOT, 90, month)
    };
    let wait = limit::CAMERAS_AWAITED_SECONDS;
    for seconds in [0, wait - 1] {
        let judgement = judge(before, said(seconds, &[]));
        assert_eq!((judgement.trusted, judgement.state), (None, State::Listening));
        assert_eq!(
            (judgement.recording, judgement.fastest),
            (Some(at(month)), at(month)),
            "recorded by it, closed by it"
        );
        assert!(!judgement.may_destroy(at(T)) && judgement.is_closed(at(month)));
        // one camera or many that agree end the waiting at once, at the time server's time
        for voices in [&[month - 200][..], &[month + 200; 3]] {
            let heard = judge(before, said(seconds, voices));
            assert_eq!((heard.trusted, heard.state), (Some(at(month)), State::Agree), "{voices:?}");
        }
        let differ = judge(before, said(seconds, &[T + DAY; 2]));
        assert_eq!((differ.trusted, differ.recording), (None, None));
        assert_eq!(differ.state, State::Doubt(Doubt::Contradiction));
        assert_eq!(judge(before, said(seconds, &[T + DAY])).state, State::Listening, "one that differs is waited with");
    }
    assert_eq!(judge(before, said(wait, &[])).state, State::UnderNtp);
    let mut contradicted = said(wait, &[]);
    contradicted.listening.contradicted = true;
    assert_eq!(judge(before, contradicted).state, State::Doubt(Doubt::Contradiction), "their silence proves nothing");
    let before_the_ledger = Clocks { system: at(T - DAY), ..said(0, &[]) };
    assert_eq!(judge(before, before_the_ledger).recording, None);
}

#[test]
fn ntp_that_differs_from_all_else_is_not_believed() {
    let before = Some(ledger(T, FIRST, 500));
    for (ntp, all_else) in [(31 * DAY, DAY), (DAY, 31 * DAY)] {
        let heard = |voices: &[i64]| Clocks {
            ntp: NtpState::Synchronised,
            cameras: cameras(voices),
            ..clocks(SECOND_BOOT, 90, T + ntp)
        };
        let judgement = judge(before, heard(&[T + all_else; 3]));
        assert_eq!((judgement.trusted, judgement.state), (None, State::Doubt(Doubt::Contradiction)));
        assert_eq!(judgement.fastest, at(T + 31 * DAY));
        assert_eq!(judge(before, heard(&[T + all_else])).trusted, Some(at(T + ntp)), "one camera contradicts nobody");
        assert_eq!(judge(before, heard(&[0; 12])).trusted, Some(at(T + ntp)), "cameras of 1970 are not counted");
        let witnesses = [at(T + all_else + 100)];
        let outvoted = Clocks { witnesses: &witnesses, ..heard(&[T + all_else; 3]) };
        assert_eq!(judge(before, outvoted).trusted, Some(at(T + all_else)), "two that agree stand against it");
    }
}

#[test]
fn a_machine_without_battery_waits_for_two_clocks_or_ntp() {
    let before = Some(ledger(T, FIRST, 500));
    for battery in [0, 946_684_800, T - 400] {
        let dead = clocks(SECOND_BOOT, 90, battery);
        assert_eq!(judge(before, dead).state, State::Doubt(Doubt::BeforeLedger));
        let with_cameras = judge(before, Clocks { cameras: cameras(&[T + DAY; 12]), ..dead });
        assert_eq!((with_cameras.trusted, with_cameras.fastest), (None, at(T + DAY)), "cameras are one clock");
    }
    // time servers put the clock right: a clock a little before the bound is no contradiction, and time does not go back
    let little = Clocks { ntp: NtpState::Synchronised, ..clocks(SECOND_BOOT, 90, T - 100) };
    assert_eq!(judge(before, little).trusted, Some(at(T + 90)));
}

#[test]
fn one_mad_camera_is_outvoted_by_two_and_alone_it_closes_nothing() {
    let year_3250 = T + 1_224 * YEAR;
    assert_eq!(cameras(&[T, T + 3, year_3250]).clock(), Some(at(T + 3)));
    assert_eq!(cameras(&[T, year_3250]).clock(), None, "of two that contradict each other none is a clock");
    assert_eq!(cameras(&[]).clock(), None);
    assert_eq!(cameras(&[T, T + DAY, T + 2 * DAY, T + 3 * DAY]).clock(), None);
    let doubt = Clocks { cameras: cameras(&[year_3250]), ..clocks(FIRST, 60, T - YEAR) };
    let judgement = judge(Some(ledger(T, FIRST, 10)), doubt);
    assert_eq!((judgement.trusted, judgement.fastest), (None, at(T + 50)));
}

#[test]
fn a_boot_clock_that_ran_backwards_makes_the_ledger_a_lower_bound() {
    let image_brought_back = clocks(FIRST, 400, T + 3 * DAY);
    let judgement = judge(Some(ledger(T, FIRST, 500)), image_brought_back);
    assert_eq!((judgement.trusted, judgement.state), (None, State::Doubt(Doubt::Alone)));
    let synchronised = Clocks { ntp: NtpState::Synchronised, ..image_brought_back };
    assert_eq!(judge(Some(ledger(T, FIRST, 500)), synchronised).trusted, Some(at(T + 3 * DAY)), "without an operator");
}

#[test]
fn two_persons_stand_against_all_clocks_until_one_agrees() {
    let vouched = Some(LedgerTime { confirmed: true, ..ledger(T, FIRST, 10) });
    let judgement = judge(vouched, clocks(FIRST, 60, 0));
    assert_eq!((judgement.trusted, judgement.state), (Some(at(T + 50)), State::Confirmed));
    assert_eq!(judge(vouched, clocks(FIRST, 60, T)).state, State::Agree);
    assert_eq!(judge(vouched, clocks(SECOND_BOOT, 60, 0)).trusted, None, "in their boot only");
}

#[test]
fn each_clock_gets_its_word() {
    let judgement = judge(Some(ledger(T, FIRST, 10)), clocks(FIRST, 60, T + 50));
    let word = |clock: i64| judgement.word(Some(at(T + 50 + clock)));
    assert_eq!((word(299), word(-300)), (Word::Agrees, Word::Agrees));
    assert_eq!(word(7_200), Word::Ahead { micros: 7_200 * SECOND });
    assert_eq!(word(-7_200), Word::BeforeLedger { micros: 7_200 * SECOND });
    assert_eq!(judgement.word(None), Word::Silent);
}

#[test]
fn a_key_may_die_from_the_instant_of_its_closing_on_and_in_doubt_none_may() {
    let judgement = judge(Some(ledger(T, FIRST, 10)), clocks(FIRST, 60, T + 50));
    let may = |seconds: i64| judgement.may_destroy(at(T + seconds));
    assert_eq!((may(49), may(50), may(51)), (true, true, false));
    assert_eq!((judgement.is_closed(at(T + 50)), judgement.is_closed(at(T + 51))), (true, false));
    let doubt = judge(Some(ledger(T, FIRST, 10)), clocks(FIRST, 60, T + DAY));
    assert!(!doubt.may_destroy(at(T - YEAR)) && doubt.is_closed(at(T + DAY)) && !doubt.is_closed(at(T + DAY + 1)));
}

#[test]
fn two_clocks_or_two_pairs_of_clocks_that_contradict_each_other_are_a_contradiction_and_not_one_clock_alone() {
    let before = Some(ledger(T, FIRST, 500));
    let week = T + 7 * DAY;
    let two = Clocks { witnesses: &[at(week + DAY)], ..clocks(SECOND_BOOT, 90, week) };
    let judgement = judge(before, two);
    assert_eq!((judgement.trusted, judgement.state), (None, State::Doubt(Doubt::Contradiction)));
    assert!(!judgement.closes_all() && judgement.is_closed(at(week + DAY)) && !judgement.is_closed(at(week + 2 * DAY)));
    let witnesses = [at(week + 10), at(week + DAY)];
    let pairs = Clocks { witnesses: &witnesses, cameras: cameras(&[week + DAY; 3]), ..two };
    let judgement = judge(before, pairs);
    assert_eq!((judgement.trusted, judgement.state), (None, State::Doubt(Doubt::Contradiction)));
    assert_eq!(judgement.fastest, at(week + DAY));
}

#[test]
fn a_clock_behind_the_time_that_stands_is_called_so_and_one_before_the_ledger_wrong() {
    let week = T + 7 * DAY;
    let two = Clocks { cameras: cameras(&[week; 2]), ..clocks(SECOND_BOOT, 90, week) };
    let judgement = judge(Some(ledger(T, FIRST, 500)), two);
    assert_eq!((judgement.trusted, judgement.at_least), (Some(at(week)), at(T + 90)));
    assert_eq!(judgement.word(Some(at(week - DAY))), Word::Behind { micros: DAY * SECOND });
    assert_eq!(judgement.word(Some(at(T + 90))), Word::Behind { micros: (7 * DAY - 90) * SECOND });
    assert_eq!(judgement.word(Some(at(T + 89))), Word::BeforeLedger { micros: (7 * DAY - 89) * SECOND });
    assert_eq!(judgement.word(Some(at(week + 301))), Word::Ahead { micros: 301 * SECOND });
}

#[test]
fn cameras_are_a_clock_where_more_than_half_of_them_agree_with_their_median() {
    let heard = |seconds: &[i64]| cameras(seconds);
    assert_eq!(heard(&[]).clock(), None);
    assert_eq!(heard(&[T]).clock(), Some(at(T)));
    assert_eq!(heard(&[T, T + 301]).clock(), None, "two that contradict each other");
    assert_eq!(heard(&[T, T + 300]).clock(), Some(at(T)), "of two the earlier");
    assert_eq!(heard(&[T + 9, T, T + 4, T + 1, T + 7]).clock(), Some(at(T + 4)), "the one in the middle");
    let three_of_six = heard(&[T, T + 1, T + 2, T + DAY, T + 2 * DAY, T + 3 * DAY]);
    assert_eq!((three_of_six.agreeing, three_of_six.heard, three_of_six.clock()), (3, 6, None), "half is not more");
}

#[test]
fn a_difference_below_a_second_is_not_followed_and_one_second_is() {
    let after = |micros: i64| {
        let system = at(T).plus_micros(micros);
        drift_correction(at(T), 3_600 * SECOND, Clocks { system, ntp: NtpState::Synchronised, ..clocks(FIRST, 0, T) })
    };
    assert_eq!((after(SECOND - 1), after(1 - SECOND)), (0, 0));
    assert_eq!((after(SECOND), after(-SECOND)), (720_000, -720_000));
}

#[test]
fn drift_is_followed_slowly_toward_a_good_clock_only() {
    let ours = at(T);
    let heard = |ntp, system, voices: &[i64]| Clocks { ntp, cameras: cameras(voices), ..clocks(FIRST, 0, T + system) };
    let after = |clocks| drift_correction(ours, 3_600 * SECOND, clocks);
    let most = 3_600 * limit::CLOCK_SLEW_PPM_MAX;
    assert_eq!(after(heard(NtpState::Synchronised, 60, &[])), most);
    assert_eq!(after(heard(NtpState::Synchronised, -60, &[T + 60; 3])), -most, "NTP before cameras");
    assert_eq!(after(heard(NtpState::Unsynchronised, 60, &[])), 0, "it counts by the same quartz");
    assert_eq!(after(heard(NtpState::Unknown, 0, &[T + 60; 3])), most);
    assert_eq!(after(heard(NtpState::Unknown, 0, &[T + 60; 2])), 0, "two cameras are few");
    assert_eq!(after(heard(NtpState::Synchronised, 400, &[])), 0, "a step is no drift");
    assert_eq!(drift_correction(ours, 100 * DAY * SECOND, heard(NtpState::Synchronised, 60, &[])), 60 * SECOND);
}

#[test]
fn clocks_at_the_ends_of_their_range_do_not_overflow() {
    for extreme in [i64::MAX, i64::MIN] {
        let wild = |since_boot| Clocks {
            mark: BootMark { boot_id: BootId([FIRST; 16]), since_boot: BootMicros(since_boot) },
            cameras: Cameras::heard(vec![UtcMicros(extreme); 3]),
            ..clocks(FIRST, 0, 0)
        };
        for since_boot in [i64::MAX, i64::MIN, 0] {
            let far = LedgerTime { at: UtcMicros(extreme), ..ledger(T, FIRST, 0) };
            let judgement = judge(Some(far), wild(since_boot));
            assert!(judgement.at_least <= judgement.fastest);
            let word = judgement.word(Some(UtcMicros(extreme)));
            assert!(word == judgement.word(Some(UtcMicros(extreme))));
            drift_correction(far.at, since_boot, wild(since_boot));
        }
    }
}

/// The true time, a keeper's memory of it, and what each clock is off by.
#[derive(Clone, Debug)]
struct Step {
    passes: i64,
    reboots: bool,
    ntp: bool,
    /// Which clock is wrong in this step, if one is, and by how much.
    wrong: Option<(Wrong, i64)>,
    heard: usize,
    /// For how long the cameras could be heard.
    listened: i64,
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Wrong {
    System,
    Camera,
    AllCameras,
}

fn step() -> impl Strategy<Value = Step> {
    let wrong = prop_oneof![Just(Wrong::System), Just(Wrong::Camera), Just(Wrong::AllCameras)];
    let off = prop_oneof![-900i64..900, -60 * DAY..60 * DAY, -60 * YEAR..2_000 * YEAR];
    let wrong = prop::option::of((wrong, off));
    (0i64..10 * DAY, prop::bool::weighted(0.3), any::<bool>(), wrong, 0usize..13, 0i64..300).prop_map(
        |(passes, reboots, ntp, wrong, heard, listened)| Step { passes, reboots, ntp, wrong, heard, listened },
    )
}

/// What the clocks say in a step of the true time `now`; right ones are off by up to two minutes.
fn say(step: &Step, boot: u8, since_boot: i64, now: i64) -> Clocks<'static> {
    let off = |which| step.wrong.map_or(0, |(wrong, off)| if wrong == which { off } else { 0 });
    let mut voices = vec![now + off(Wrong::AllCameras); step.heard];
    voices.iter_mut().enumerate().for_each(|(n, voice)| *voice += (n as i64 * 37) % 120);
    if let Some(first) = voices.first_mut() {
        *first += off(Wrong::Camera);
    }
    let ntp = if step.ntp { NtpState::Synchronised } else { NtpState::Unsynchronised };
    let listening = Listening { micros: step.listened * SECOND, contradicted: false };
    Clocks { ntp, cameras: cameras(&voices), listening, ..clocks(boot, since_boot, now + off(Wrong::System)) }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// One clock at a time is wrong, as it likes: the system clock (then not under NTP, as the kernel sees to when somebody
    /// sets it), one camera, or all cameras together. Then no key dies early, nothing overdue is open where two independent
    /// clocks are heard, time never runs backwards, and it stands again by itself.
    #[test]
    fn one_wrong_clock_kills_nothing_and_keeps_nothing_open(steps in prop::collection::vec(step(), 1..40)) {
        let (mut now, mut booted, mut boot) = (T, T - 1_000, FIRST);
        let mut entered = Some(ledger(T, FIRST, 1_000));
        for mut step in steps {
            now += step.passes;
            if step.reboots {
                (boot, booted) = (boot.wrapping_add(1), now - 30);
            }
            step.ntp &= !matches!(step.wrong, Some((Wrong::System, _)));
            let said = say(&step, boot, now - booted, now);
            let judgement = judge(entered, said);
            prop_assert!(entered.is_none_or(|known| judgement.trusted.is_none_or(|trusted| known.at <= trusted)));
            prop_assert!(judgement.trusted.is_none_or(|trusted| trusted <= judgement.fastest));
            prop_assert!(judgement.at_least <= judgement.fastest);
            prop_assert!(judgement.trusted.is_none() || judgement.recording == judgement.trusted);
            let margin = limit::CLOCK_AGREEMENT_SECONDS_MAX;
            // nothing destroyed early: a key dies 600 s before its deadline, so 300 s are its due
            prop_assert!(judgement.trusted.is_none_or(|trusted| trusted <= at(now + margin)), "{step:?} {judgement:?}");
            // nothing overdue open: what is at its deadline by the true time is closed, by at least one clock that is right
            let heard = step.heard >= 2 || !matches!(step.wrong, Some((Wrong::System, _)));
            if heard {
                prop_assert!(judgement.is_closed(at(now - margin)), "{step:?} {judgement:?}");
            }
            if let Some(trusted) = judgement.trusted {
                entered = Some(LedgerTime { at: trusted, mark: Some(said.mark), confirmed: false, at_stake: true });
            }
        }
        // all clocks are right again, also in another boot: time stands without an operator
        for reboots in [false, true] {
            let step = Step { passes: 60, reboots, ntp: true, wrong: None, heard: 3, listened: 0 };
            now += 60;
            if reboots {
                (boot, booted) = (boot.wrapping_add(1), now - 30);
            }
            prop_assert!(judge(entered, say(&step, boot, now - booted, now)).trusted.is_some());
        }
    }

    /// Whatever a time server says after a boot, nothing dies by it before somebody else could be heard.
    #[test]
    fn no_time_server_kills_in_the_first_two_minutes(says in T - YEAR..T + 100 * YEAR, listened in 0..limit::CAMERAS_AWAITED_SECONDS) {
        let listening = Listening { micros: listened * SECOND, contradicted: false };
        let said = Clocks { ntp: NtpState::Synchronised, listening, ..clocks(SECOND_BOOT, listened, says) };
        let judgement = judge(Some(ledger(T, FIRST, 500)), said);
        prop_assert!(judgement.trusted.is_none());
        prop_assert!(judgement.recording.is_none_or(|now| at(T + listened) <= now && (now == at(says) || says < T + listened)));
    }

    /// Whatever all other clocks say within one boot, trusted time is real time or nothing.
    #[test]
    fn no_clock_moves_anything_in_one_boot(passes in 0i64..2_000_000, system: i32, voices in prop::collection::vec(any::<i32>(), 0..9)) {
        let voices: Vec<i64> = voices.into_iter().map(|off| T + i64::from(off)).collect();
        let said = Clocks {
            ntp: NtpState::Synchronised,
            cameras: cameras(&voices),
            ..clocks(FIRST, 50 + passes, T + i64::from(system))
        };
        let judgement = judge(Some(ledger(T, FIRST, 50)), said);
        prop_assert!(judgement.trusted.is_none_or(|trusted| trusted == at(T + passes)));
    }

    /// One camera of any number, mad as it may be, changes neither what dies nor what is closed.
    #[test]
    fn one_mad_camera_among_three_changes_nothing(mad: i64, honest in 2usize..12, boot in FIRST..=SECOND_BOOT, off in -YEAR..YEAR, ntp: bool) {
        let ntp = if ntp { NtpState::Synchronised } else { NtpState::Unsynchronised };
        let said = |voices: Vec<UtcMicros>| {
            let said = Clocks { ntp, cameras: Cameras::heard(voices), ..clocks(boot, 90, T + off) };
            let judgement = judge(Some(ledger(T, FIRST, 10)), said);
            (judgement.trusted, judgement.fastest, judgement.state)
        };
        let honest = vec![at(T + DAY); honest];
        let with_mad = honest.iter().copied().chain([UtcMicros(mad)]).collect();
        prop_assert_eq!(said(honest), said(with_mad));
    }

    /// Who holds the clock that ours follows gains less in a month than footage closes early.
    #[test]
    fn a_clock_that_is_dragged_gains_less_than_the_closing_margin(drags in prop::collection::vec(-300i64..300, 720)) {
        let (mut ours, mut real) = (at(T), at(T));
        for off in drags {
            (ours, real) = (ours.plus_seconds(3_600), real.plus_seconds(3_600));
            let dragged = Clocks { ntp: NtpState::Synchronised, ..clocks(FIRST, 0, ours.seconds() + off) };
            ours = ours.plus_micros(drift_correction(ours, 3_600 * SECOND, dragged));
        }
        prop_assert!(ours.since(real).abs() < limit::CLOSED_BEFORE_DEADLINE_SECONDS * SECOND);
    }
}

fn at(seconds: i64) -> UtcMicros {
    UtcMicros::from_seconds(seconds)
}

fn mark(boot: u8, since_boot_s: i64) -> BootMark {
    BootMark { boot_id: BootId([boot; 16]), since_boot: BootMicros(since_boot_s * SECOND) }
}

fn ledger(seconds: i64, boot: u8, since_boot_s: i64) -> LedgerTime {
    LedgerTime { at: at(seconds), mark: Some(mark(boot, since_boot_s)), confirmed: false, at_stake: true }
}

/// A system clock without NTP, and nobody else heard.
fn clocks(boot: u8, since_boot_s: i64, system_s: i64) -> Clocks<'static> {
    Clocks {
        system: at(system_s),
        ntp: NtpState::Unsynchronised,
        mark: mark(boot, since_boot_s),
        cameras: Cameras::default(),
        witnesses: &[],
        listening: Listening { micros: limit::CAMERAS_AWAITED_SECONDS * SECOND, contradicted: false },
    }
}

fn cameras(seconds: &[i64]) -> Cameras {
    Cameras::heard(seconds.iter().copied().map(at).collect())
}
