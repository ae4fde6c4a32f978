//! Trusted time: each state by example, and over long runs with boots and a system clock that jumps as it likes.

use domain::{UtcMicros, world::BootId, world::BootMicros};
use policy::time::{BootMark, Clocks, LedgerTime, State, judge};
use proptest::prelude::*;

const SECOND: i64 = 1_000_000;
const FIRST: u8 = 1;
const SECOND_BOOT: u8 = 2;

#[test]
fn an_empty_ledger_believes_the_system_clock() {
    let judgement = judge(None, clocks(FIRST, 7, 1_000));
    assert_eq!((judgement.trusted, judgement.fastest), (Some(at(1_000)), at(1_000)));
    assert_eq!(judgement.state, State::FirstStart);
}

#[test]
fn in_one_boot_the_ledger_and_the_boot_clock_stand_while_the_system_clock_agrees() {
    for (system, trusted) in
        [(1_050, Some(1_050)), (1_350, Some(1_050)), (750, Some(1_050)), (1_351, None), (749, None)]
    {
        let judgement = judge(ledger(1_000, FIRST, 10), clocks(FIRST, 60, system));
        assert_eq!(judgement.trusted, trusted.map(at), "system clock at {system} s");
        assert_eq!(judgement.fastest, at(system.max(1_050)));
        if trusted.is_none() {
            assert_eq!(judgement.state, State::Disagree { difference_micros: (system - 1_050) * SECOND });
        }
    }
}

#[test]
fn across_a_boot_the_system_clock_stands_from_the_lower_bound_on() {
    // 90 s since the new boot have passed on top of the ledger's 1,000 s.
    for (system, trusted) in [(1_090, Some(1_090)), (9_999_999, Some(9_999_999)), (1_089, None), (0, None)] {
        let judgement = judge(ledger(1_000, FIRST, 500), clocks(SECOND_BOOT, 90, system));
        assert_eq!(judgement.trusted, trusted.map(at), "system clock at {system} s");
        assert_eq!(judgement.fastest, at(system.max(1_090)));
    }
}

#[test]
fn a_ledger_time_without_a_boot_mark_is_only_a_lower_bound() {
    let entry = Some(LedgerTime { at: at(1_000), mark: None });
    assert_eq!(judge(entry, clocks(FIRST, 90, 1_000)).state, State::LowerBoundOnly);
    let behind = judge(entry, clocks(FIRST, 90, 999));
    assert_eq!((behind.trusted, behind.fastest), (None, at(1_000)));
    assert_eq!(behind.state, State::Disagree { difference_micros: -SECOND });
}

#[test]
fn a_doubt_closes_but_destroys_nothing() {
    let doubt = judge(ledger(1_000, FIRST, 0), clocks(FIRST, 0, 100_000));
    assert!(doubt.is_closed(at(100_000)) && !doubt.is_closed(at(100_001)));
    assert!(!doubt.may_destroy(at(1)));
    let sure = judge(ledger(1_000, FIRST, 0), clocks(FIRST, 0, 1_000));
    assert!(sure.may_destroy(at(1_000)) && !sure.may_destroy(at(1_001)));
}

#[test]
fn clocks_at_the_ends_of_their_range_do_not_overflow() {
    let far = LedgerTime { at: UtcMicros(i64::MAX), mark: None };
    assert_eq!(judge(Some(far), clocks(FIRST, 0, 0)).trusted, None);
    let wild = Clocks { system: UtcMicros(i64::MIN), mark: mark(FIRST, 0) };
    assert_eq!(judge(ledger(1_000, FIRST, i64::MIN / SECOND), wild).trusted, None);
}

proptest! {
    /// Each step: some real time passes, perhaps a boot, the system clock says anything; what is trusted is entered.
    #[test]
    fn trusted_time_never_goes_backwards(
        steps in prop::collection::vec((0i64..5_000, any::<bool>(), -9_000i64..9_000), 1..60),
    ) {
        let (mut real, mut booted, mut boot) = (1_000_000i64, 999_000i64, FIRST);
        let mut entered: Option<LedgerTime> = None;
        for (passes, reboots, error) in steps {
            real += passes;
            if reboots {
                boot = boot.wrapping_add(1);
                booted = real;
            }
            let now = clocks(boot, real - booted, real + error);
            let judgement = judge(entered, now);
            if let (Some(known), Some(trusted)) = (entered, judgement.trusted) {
                prop_assert!(trusted >= known.at);
            }
            prop_assert!(judgement.trusted.is_none_or(|trusted| trusted <= judgement.fastest));
            prop_assert!(judgement.fastest >= now.system);
            let disagree = matches!(judgement.state, State::Disagree { .. });
            prop_assert_eq!(judgement.trusted.is_none(), disagree);
            if let Some(trusted) = judgement.trusted {
                entered = Some(LedgerTime { at: trusted, mark: Some(now.mark) });
            }
        }
    }

    /// Whatever the system clock says within one boot, trusted time is real time or nothing.
    #[test]
    fn a_stepped_system_clock_moves_nothing_in_one_boot(passes in 0i64..2_000_000, system in -3_000_000i64..6_000_000) {
        let judgement = judge(ledger(1_000_000, FIRST, 50), clocks(FIRST, 50 + passes, system));
        prop_assert!(judgement.trusted.is_none_or(|trusted| trusted == at(1_000_000 + passes)));
    }
}

fn at(seconds: i64) -> UtcMicros {
    UtcMicros::from_seconds(seconds)
}

fn mark(boot: u8, since_boot_s: i64) -> BootMark {
    BootMark { boot_id: BootId([boot; 16]), since_boot: BootMicros(since_boot_s * SECOND) }
}

fn ledger(seconds: i64, boot: u8, since_boot_s: i64) -> Option<LedgerTime> {
    Some(LedgerTime { at: at(seconds), mark: Some(mark(boot, since_boot_s)) })
}

fn clocks(boot: u8, since_boot_s: i64, system_s: i64) -> Clocks {
    Clocks { system: at(system_s), mark: mark(boot, since_boot_s) }
}
