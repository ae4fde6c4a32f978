//! The last reason: for whom, for what and how long it holds, and what the ledger says of each look under it.

use crate::support::*;
use catalog::{Camera, Registry};
use domain::{Purpose, Sensitive, limit::REASON_HOLDS_SECONDS_MAX};
use keeper::wire::{Continued, ReasonOver};
use ledger::Event;
use vault::keeper::{SessionSecret, Verdict, View};

fn continued(opened: &Opened, session: &SessionSecret, view: View, cameras: &[u8]) -> Continued {
    let cameras: Vec<_> = cameras.iter().map(|n| camera(*n)).collect();
    opened.core.continue_look(session, view, &cameras).unwrap()
}

#[track_caller]
fn check_over(opened: &Opened, cameras: &[u8], why: ReasonOver) {
    let before = opened.entries().len();
    let found = continued(opened, &opened.session, View::Live, cameras);
    assert!(matches!(found, Continued::Over(over) if over == why), "{found:?}");
    assert_eq!(opened.entries().len(), before, "nothing was decided, so nothing is entered");
}

#[track_caller]
fn check_holds(opened: &Opened, cameras: &[u8]) {
    let found = continued(opened, &opened.session, View::Live, cameras);
    assert!(matches!(found, Continued::Decided { verdict: Verdict::Allowed(_), .. }), "{found:?}");
}

/// Camera 2 for fly-tipping only, camera 3 for safety and for fly-tipping.
fn with_other_purposes(world: &World) {
    let registry = Registry::open(&world.registry_path()).unwrap();
    for (n, purposes) in [(2, vec![Purpose::Dumping]), (3, vec![Purpose::SafetyOfPersonsAndProperty, Purpose::Dumping])]
    {
        let known = registry.camera(camera(n), utc(0)).unwrap().unwrap();
        registry.camera_put(&Camera { purposes, ..known.camera }, utc(0), utc(0)).unwrap();
    }
}

#[test]
fn each_entry_has_its_reason_and_purpose_and_names_the_entry_where_they_were_stated() {
    let world = World::new(1);
    let opened = world.open();
    check_over(&opened, &[1], ReasonOver::NotStated);
    let first = opened.permit(View::Live, &[1]);
    let Continued::Decided { verdict: Verdict::Allowed(second), under } =
        continued(&opened, &opened.session, View::Replay(span(0, 50)), &[2])
    else {
        panic!("the reason holds")
    };
    assert_eq!((under.stated, second.purpose, second.cameras), (first.leaf, first.purpose, vec![camera(2)]));
    let looks: Vec<_> = opened
        .entries()
        .into_iter()
        .filter_map(|entry| match entry.event {
            Event::Look { purpose, reason, stated, live, .. } => Some((purpose, reason.reveal().clone(), stated, live)),
            _ => None,
        })
        .collect();
    let words = ask(View::Live, &[]).reason.reveal().clone();
    let purpose = Purpose::SafetyOfPersonsAndProperty;
    assert_eq!(looks, [(purpose, words.clone(), None, true), (purpose, words, Some(first.leaf), false)]);
}

#[test]
fn a_reason_holds_for_half_an_hour_from_when_it_was_stated_however_often_it_is_used() {
    for in_boot_time_only in [false, true] {
        let world = World::new(2);
        let opened = world.open();
        opened.permit(View::Live, &[1]);
        let until = opened.core.reason_view(&opened.session).unwrap().held.unwrap().until;
        assert_eq!(until, world.now().plus_seconds(REASON_HOLDS_SECONDS_MAX));
        for _ in 0..2 {
            world.clock.pass(REASON_HOLDS_SECONDS_MAX / 2 - 1);
            check_holds(&opened, &[1, 2]);
        }
        if in_boot_time_only {
            world.clock.step(-600); // the wall clock is put back
        }
        world.clock.pass(2);
        check_over(&opened, &[1], ReasonOver::TimeOver);
        let view = opened.core.reason_view(&opened.session).unwrap();
        assert_eq!((view.held, view.recent.len()), (None, 1), "what was said is offered again");
    }
}

#[test]
fn it_holds_for_cameras_of_the_same_purpose_only_and_stays_for_those_that_have_it() {
    let world = World::new(3);
    with_other_purposes(&world);
    let opened = world.open();
    opened.permit(View::Live, &[1]);
    check_over(&opened, &[2], ReasonOver::OtherPurpose);
    check_over(&opened, &[1, 2, 3], ReasonOver::OtherPurpose);
    check_holds(&opened, &[1, 3]);
}

#[test]
fn it_ends_by_hand_and_with_its_keeper() {
    let world = World::new(4);
    let opened = world.open();
    opened.permit(View::Live, &[1]);
    opened.core.end_reason(&opened.session).unwrap();
    check_over(&opened, &[1], ReasonOver::NotStated);
    assert_eq!(opened.core.reason_view(&opened.session).unwrap().recent.len(), 1);
    opened.permit(View::Live, &[1]);
    drop(opened);
    let another_life = world.open();
    check_over(&another_life, &[1], ReasonOver::NotStated);
    assert_eq!(another_life.core.reason_view(&another_life.session).unwrap().recent, []);
}

#[test]
fn another_session_knows_nothing_of_it() {
    let world = World::new(5);
    start_session(&Registry::open(&world.registry_path()).unwrap(), 1, "the same person elsewhere", utc(0));
    let opened = world.open();
    opened.permit(View::Live, &[1]);
    let elsewhere = session("the same person elsewhere");
    let found = continued(&opened, &elsewhere, View::Live, &[1]);
    assert!(matches!(found, Continued::Over(ReasonOver::NotStated)), "{found:?}");
    assert_eq!(opened.core.reason_view(&elsewhere).unwrap().recent, []);
}

#[test]
fn a_locked_session_has_no_reason_and_its_words_leave_memory() {
    let world = World::new(6);
    let opened = world.open();
    opened.permit(View::Live, &[1]);
    world.clock.pass(3_601); // the session was not used for an hour
    assert!(opened.core.continue_look(&opened.session, View::Live, &[camera(1)]).is_err());
    assert!(opened.core.reason_view(&opened.session).is_err());
    opened.core.tick().unwrap();
    let registry = Registry::open(&world.registry_path()).unwrap();
    registry.sessions_forget(world.now().plus_seconds(400 * DAY)).unwrap();
    start_session(&registry, 1, "operator", world.now());
    assert_eq!(opened.core.reason_view(&opened.session).unwrap().recent, []);
}

#[test]
fn a_refused_reason_does_not_hold_and_the_gate_decides_each_look_anew() {
    let world = World::new(7);
    let opened = world.open();
    let mut empty = ask(View::Live, &[1]);
    empty.reason = Sensitive::new("..........".into());
    assert!(matches!(opened.core.pass(&opened.session, &empty).unwrap(), Verdict::Refused(_)));
    check_over(&opened, &[1], ReasonOver::NotStated);
    opened.permit(View::Live, &[1]);
    // a camera that nobody knows: the gate refuses, and the refusal is entered
    let found = continued(&opened, &opened.session, View::Live, &[1, 9]);
    assert!(matches!(found, Continued::Decided { verdict: Verdict::Refused(_), .. }), "{found:?}");
    assert!(matches!(opened.entries().last().unwrap().event, Event::Refusal { .. }));
}

#[test]
fn the_last_five_reasons_of_a_session_are_offered_the_newest_first_and_each_once() {
    let world = World::new(8);
    let opened = world.open();
    for n in [1, 2, 3, 4, 5, 6, 3] {
        let mut said = ask(View::Live, &[1]);
        said.reason = Sensitive::new(format!("MC-204{n}"));
        assert!(matches!(opened.core.pass(&opened.session, &said).unwrap(), Verdict::Allowed(_)));
    }
    let recent = opened.core.reason_view(&opened.session).unwrap().recent;
    let words: Vec<&str> = recent.iter().map(|(_, reason)| reason.reveal().as_str()).collect();
    assert_eq!(words, ["MC-2043", "MC-2046", "MC-2045", "MC-2044", "MC-2042"]);
}
