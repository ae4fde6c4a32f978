//! Each alarm over looks made by hand, a minute apart: raised within a quarter of an hour, and not a look too early.

use super::*;
use domain::{HourLength, limit::RETENTION_ALARM_SECONDS_MAX};
use keeper::wire::KeysAlive;

const MINUTE: i64 = 60;
/// An hour of March 2026.
const START: i64 = 1_773_324_000;

fn hour(n: i64) -> Hour {
    HourLength::PRODUCT.hour_of(UtcMicros::from_seconds(START)).plus(n)
}

fn keys(n: i64, days: u32, keys: u32) -> HourKeys {
    HourKeys { hour: hour(n), alive: vec![KeysAlive { deadline: reckoned(hour(n), days), days, keys }], ended: 0 }
}

fn view(now: UtcMicros, hours: Vec<HourKeys>) -> RetentionView {
    RetentionView { now: Some(now), turned_seconds: Some(20), site_key: [0; 32], hours, ended: Vec::new() }
}

/// A judge whose looks are a minute apart.
struct Watch {
    judge: Judge,
    seconds: i64,
}

impl Watch {
    fn at(seconds: i64) -> Watch {
        Watch { judge: Judge::default(), seconds }
    }

    fn now(&self) -> UtcMicros {
        UtcMicros::from_seconds(self.seconds)
    }

    fn look(&mut self, change: impl Fn(&mut Observed)) -> Vec<Alarm> {
        self.seconds += MINUTE;
        let log_size = Some(16 * (self.seconds / MINUTE) as u64);
        let keeper = Some(view(self.now(), vec![keys(0, 7, 3), keys(1, 7, 3)]));
        let boot_seconds = self.seconds - START + 1_000_000;
        let mut observed = Observed { now: self.now(), boot_seconds, keeper, store: BTreeSet::new(), log_size };
        change(&mut observed);
        self.judge.judge(&observed)
    }

    /// Seconds until an alarm of the kind is raised; all that is raised before is nothing.
    fn until(&mut self, change: impl Fn(&mut Observed), is_it: impl Fn(&Alarm) -> bool) -> i64 {
        let from = self.seconds;
        for _ in 0..60 {
            let raised = self.look(&change);
            if raised.iter().any(&is_it) {
                return self.seconds - from;
            }
            assert_eq!(raised, [], "{} s after it began", self.seconds - from);
        }
        panic!("never raised");
    }
}

fn of_keeper(change: impl Fn(&mut RetentionView)) -> impl Fn(&mut Observed) {
    move |observed| observed.keeper.iter_mut().for_each(&change)
}

#[test]
fn what_is_in_order_raises_nothing() {
    let mut watch = Watch::at(START + 7_200);
    for _ in 0..1_000 {
        assert_eq!(watch.look(|_| {}), []);
    }
}

#[test]
fn a_key_that_is_late_is_told_before_its_deadline_and_an_alarm_from_it_on() {
    let due = reckoned(hour(0), 7).seconds();
    let mut watch = Watch::at(due - 600);
    let took = watch.until(|_| {}, |alarm| *alarm == Alarm::Slow { hours: 1, keys: 3 });
    assert!((RETENTION_LATE_SECONDS..600).contains(&took), "{took}");
    let mut watch = Watch::at(due);
    let late = |alarm: &Alarm| matches!(alarm, Alarm::Late { hours: 1, keys: 3, oldest } if oldest.seconds() == due);
    assert_eq!(watch.until(|_| {}, late), 2 * MINUTE);
    // by our own reckoning, whatever the page says
    let lying = of_keeper(|view| view.hours.iter_mut().for_each(|of| of.alive[0].deadline = hour(900).start()));
    let mut watch = Watch::at(due);
    let told = |watch: &mut Watch| watch.look(&lying);
    told(&mut watch);
    let raised = told(&mut watch);
    assert!(
        raised.iter().any(late) && raised.iter().any(|alarm| matches!(alarm, Alarm::TooFar { hours: 2, .. })),
        "{raised:?}"
    );
}

#[test]
fn a_frozen_destruction_and_a_silent_keeper_are_told_within_a_quarter_of_an_hour() {
    let begun = START + 7_200;
    let stands = move |observed: &mut Observed| {
        let since = observed.now.seconds() - begun;
        observed.keeper.iter_mut().for_each(|view| view.turned_seconds = Some(since as u64));
    };
    let took = Watch::at(begun).until(stands, |alarm| matches!(alarm, Alarm::Frozen { .. }));
    assert!((RETENTION_FROZEN_SECONDS..RETENTION_ALARM_SECONDS_MAX).contains(&took), "{took}");
    // one that has not turned at all since it started
    let never = of_keeper(|view| view.turned_seconds = None);
    let took = Watch::at(begun).until(never, |alarm| matches!(alarm, Alarm::Frozen { .. }));
    assert!((RETENTION_FROZEN_SECONDS..RETENTION_ALARM_SECONDS_MAX).contains(&took), "{took}");
    let mut watch = Watch::at(begun);
    watch.look(|_| {});
    let took = watch.until(|observed| observed.keeper = None, |alarm| matches!(alarm, Alarm::Silent { .. }));
    assert!((RETENTION_FROZEN_SECONDS..RETENTION_ALARM_SECONDS_MAX).contains(&took), "{took}");
    let stuck = |observed: &mut Observed| observed.log_size = Some(4_096);
    let took = Watch::at(begun).until(stuck, |alarm| matches!(alarm, Alarm::LogStands { .. }));
    assert!(took < RETENTION_ALARM_SECONDS_MAX, "{took}");
}

#[test]
fn a_death_before_its_closing_is_told_unless_an_order_or_a_full_disk_stands_behind_it() {
    let deadline = reckoned(hour(0), 7);
    let death = |at: UtcMicros, early: bool| KeysEnded { hour: hour(0), deadline: Some(deadline), at, early, keys: 2 };
    for quiet in [death(closes_at(deadline), false), death(deadline.plus_seconds(-900), true)] {
        let mut watch = Watch::at(START + 7_200);
        for _ in 0..20 {
            assert_eq!(watch.look(of_keeper(|view| view.ended.push(quiet))), []);
        }
    }
    let ahead = death(closes_at(deadline).plus_seconds(-1), false);
    let mut watch = Watch::at(START + 7_200);
    let is_it = |alarm: &Alarm| matches!(alarm, Alarm::Ahead { hours: 1, keys: 2, .. });
    assert_eq!(watch.until(of_keeper(|view| view.ended.push(ahead)), is_it), 2 * MINUTE);
    // it stays dead: it is told for a week, also when the keeper tells it no more
    for _ in 0..7 * 24 * 60 - 2 {
        assert!(watch.look(|_| {}).iter().any(is_it));
    }
    assert!(!watch.look(|_| {}).iter().any(is_it), "a week to the minute");
}

#[test]
fn a_key_that_is_gone_without_a_word_is_told_within_a_quarter_of_an_hour() {
    let lost = of_keeper(|view| view.hours[0].alive[0].keys = 2);
    let gone = |alarm: &Alarm| *alarm == Alarm::Vanished { hours: 1 };
    let mut watch = Watch::at(START + 7_200);
    watch.look(|_| {});
    let took = watch.until(&lost, gone);
    assert!((VANISHED_SECONDS..RETENTION_ALARM_SECONDS_MAX).contains(&took), "{took}");
    // entered as ended, by whatever entry, it is accounted for
    let mut watch = Watch::at(START + 7_200);
    watch.look(|_| {});
    let ended = of_keeper(|view| (view.hours[0].alive[0].keys, view.hours[0].ended) = (1, 2));
    for _ in 0..30 {
        assert_eq!(watch.look(&ended), []);
    }
    // nobody saw the keys, and the store has a reel of that hour
    let stored = |observed: &mut Observed| {
        observed.store.insert(Sight { hour: hour(5), deadline: reckoned(hour(5), 30) });
        observed.store.insert(Sight { hour: hour(0), deadline: reckoned(hour(0), 7) });
        observed.store.insert(Sight { hour: hour(1), deadline: reckoned(hour(1), 7) });
    };
    let took = Watch::at(START + 7_200).until(stored, gone);
    assert!(took < RETENTION_ALARM_SECONDS_MAX, "{took}");
}

#[test]
fn clocks_that_differ_and_a_deadline_beyond_the_law_are_told() {
    for step in [-301, 301, 86_400] {
        let wrong = of_keeper(move |view| view.now = view.now.map(|now| now.plus_seconds(step)));
        let is_it = |alarm: &Alarm| *alarm == Alarm::Clocks { ahead_seconds: step };
        assert_eq!(Watch::at(START + 7_200).until(wrong, is_it), 2 * MINUTE);
    }
    let none = of_keeper(|view| view.now = None);
    let took = Watch::at(START + 7_200).until(none, |alarm| matches!(alarm, Alarm::NoTime { .. }));
    assert!(took < RETENTION_ALARM_SECONDS_MAX, "{took}");
    let far = |observed: &mut Observed| {
        let deadline = reckoned(hour(0), 30).plus_micros(1);
        observed.store.insert(Sight { hour: hour(0), deadline });
    };
    let is_it = |alarm: &Alarm| *alarm == Alarm::TooFar { hours: 1, first: hour(0).start() };
    assert_eq!(Watch::at(START + 7_200).until(far, is_it), 2 * MINUTE);
}

#[test]
fn an_alarm_says_for_how_many_whole_minutes_it_has_lasted() {
    let begun = START + 7_200;
    let stands = move |observed: &mut Observed| {
        let since = observed.now.seconds() - begun;
        observed.keeper.iter_mut().for_each(|view| view.turned_seconds = Some(since as u64));
    };
    assert_eq!(Watch::at(begun).until(stands, |alarm| *alarm == Alarm::Frozen { minutes: 11 }), 660);
    // what is counted from the first look on begins a minute later
    let never = of_keeper(|view| view.turned_seconds = None);
    assert_eq!(Watch::at(begun).until(never, |alarm| *alarm == Alarm::Frozen { minutes: 11 }), 720);
    let none = of_keeper(|view| view.now = None);
    assert_eq!(Watch::at(begun).until(none, |alarm| *alarm == Alarm::NoTime { minutes: 11 }), 720);
    let stuck = |observed: &mut Observed| observed.log_size = Some(4_096);
    assert_eq!(Watch::at(begun).until(stuck, |alarm| *alarm == Alarm::LogStands { minutes: 11 }), 720);
    let mut watch = Watch::at(begun);
    watch.look(|_| {});
    let silent = |alarm: &Alarm| *alarm == Alarm::Silent { minutes: 11 };
    assert_eq!(watch.until(|observed| observed.keeper = None, silent), 660);
}

#[test]
fn clocks_as_far_apart_as_two_clocks_may_be_raise_nothing() {
    for step in [-300, 300] {
        let mut watch = Watch::at(START + 7_200);
        for _ in 0..20 {
            assert_eq!(watch.look(of_keeper(move |view| view.now = view.now.map(|now| now.plus_seconds(step)))), []);
        }
    }
}

#[test]
fn more_deaths_ahead_of_their_time_than_are_remembered_are_still_told_of() {
    let many = of_keeper(|view| {
        view.ended = (0..70)
            .map(|n| KeysEnded {
                hour: hour(n),
                deadline: Some(reckoned(hour(n), 7)),
                at: hour(n).start(),
                early: false,
                keys: 2,
            })
            .collect();
    });
    let is_it = |alarm: &Alarm| matches!(alarm, Alarm::Ahead { hours: 64, keys: 128, .. });
    assert_eq!(Watch::at(START + 7_200).until(many, is_it), 2 * MINUTE);
}

#[test]
fn a_key_that_goes_where_two_clocks_may_disagree_about_its_closing_is_not_called_lost() {
    let closing = closes_at(reckoned(hour(0), 7)).seconds();
    // gone from that instant on; or before, and told of for the second time in that instant at the earliest
    for from in [closing - 300, closing - 660] {
        let mut watch = Watch::at(closing - 840);
        for _ in 0..30 {
            let raised = watch.look(move |observed| {
                if from <= observed.now.seconds() {
                    observed.keeper.iter_mut().for_each(|view| drop(view.hours.remove(0)));
                }
            });
            assert!(!raised.iter().any(|alarm| matches!(alarm, Alarm::Vanished { .. })), "{raised:?}");
        }
    }
}

#[test]
fn a_page_that_bears_the_deadline_that_is_reckoned_here_is_right_and_a_microsecond_more_is_too_far() {
    let with = |micros: i64| {
        let mut watch = Watch::at(START + 7_200);
        let moved = of_keeper(move |view| {
            view.hours[0].alive[0].deadline = view.hours[0].alive[0].deadline.plus_micros(micros);
        });
        watch.look(&moved);
        watch.look(&moved)
    };
    assert_eq!((with(0), with(-1)), (vec![], vec![]));
    assert_eq!(with(1), [Alarm::TooFar { hours: 1, first: hour(0).start() }]);
}

#[test]
fn an_alarm_that_stood_before_a_restart_stands_at_the_first_look_after_it() {
    let wrong = of_keeper(|view| view.now = view.now.map(|now| now.plus_seconds(301)));
    let first_look = |standing: &[Alarm]| {
        let mut watch = Watch { judge: Judge::after(standing), seconds: START + 7_200 };
        watch.look(&wrong)
    };
    assert_eq!(first_look(&[Alarm::Clocks { ahead_seconds: 5 }]), [Alarm::Clocks { ahead_seconds: 301 }]);
    assert_eq!(first_look(&[Alarm::NoTime { minutes: 5 }]), [], "another alarm stood");
    assert_eq!(first_look(&[]), [], "a second look makes sure");
}
