//! A disk too small for the authorised delay (R14): the oldest dies early and is told, never below the minimum delay.

use crate::support::*;
use keeper::wire::FindingState;
use ledger::{Condemnation, Event};
use vault::keeper::Beat;

/// A recorder's second, and the keeper's.
fn beat(world: &World, opened: &Opened, is_short: bool) {
    opened.core.check(&Beat { health: "{}".into(), is_short_of_room: is_short, ..Beat::default() }).unwrap();
    world.clock.pass(60);
    opened.core.tick().unwrap();
}

/// Five hours, a day apart, of a camera that may keep thirty days and of one that may keep seven.
fn prepared(seed: u64) -> (World, Opened) {
    let world = World::new(seed);
    let opened = world.open();
    for day in 0..5 {
        opened.mint(day * 24, &[2, 3]);
        world.clock.pass(DAY);
        opened.core.tick().unwrap();
    }
    (world, opened)
}

fn alive(opened: &Opened) -> Vec<i64> {
    (0..5).filter(|day| opened.keyring.page(hour(day * 24)).unwrap().is_some()).collect()
}

fn state(opened: &Opened) -> Option<(FindingState, String)> {
    let findings = opened.core.health().unwrap().findings;
    findings.into_iter().find(|one| one.id == "space-shortfall").map(|one| (one.state, one.detail_en))
}

#[test]
fn while_room_is_short_the_oldest_hour_dies_each_minute_with_a_shortfall_entry_before() {
    let (world, opened) = prepared(91);
    beat(&world, &opened, false);
    assert_eq!(
        (alive(&opened), state(&opened)),
        (vec![0, 1, 2, 3, 4], None),
        "nothing dies for want of room that is there"
    );
    beat(&world, &opened, true);
    assert_eq!(alive(&opened), [1, 2, 3, 4]);
    beat(&world, &opened, true);
    assert_eq!(alive(&opened), [2, 3, 4]);
    beat(&world, &opened, false);
    assert_eq!(alive(&opened), [2, 3, 4], "and it stops when there is room again");
    let entries = opened.entries();
    for day in [0, 1] {
        let is_shortfall = |event: &Event| matches!(event, Event::Config { what } if what.starts_with("shortfall") && what.contains(&hour(day * 24).to_string()));
        let told = entries.iter().position(|entry| is_shortfall(&entry.event)).expect("the shortfall is entered");
        let died = entries
            .iter()
            .position(|entry| matches!(&entry.event, Event::Destroyed { hour: dead, .. } if *dead == hour(day * 24)));
        assert!(told < died.expect("it died"), "before it dies");
        assert!(matches!(entries[told + 1].event, Event::Condemned { why: Condemnation::DiskTooSmall, .. }));
    }
    let (is, said) = state(&opened).expect("told for a week");
    assert!(is == FindingState::Alarm && said.starts_with("4 camera-hour(s)"), "{said}");
    opened.check_ledger(world.now());
}

#[test]
fn below_the_minimum_delay_nothing_dies_and_the_alarm_says_that_recording_will_stop() {
    let (world, opened) = prepared(92);
    opened.core.keep_at_least(3 * 24);
    for _ in 0..10 {
        beat(&world, &opened, true);
    }
    // after five days: hours 0 and 1 ended more than three days ago, hour 2 is just three days old
    let left = alive(&opened);
    assert!(left == [2, 3, 4] || left == [1, 2, 3, 4], "{left:?}");
    assert!(left.iter().all(|day| hour(day * 24).end().plus_seconds(3 * DAY + 10) > world.now().plus_seconds(-60)));
    let (is, said) = state(&opened).expect("an alarm");
    assert!(is == FindingState::Alarm && said.contains("recording stops"), "{said}");
    let condemned = opened.entries().iter().filter(|entry| matches!(entry.event, Event::Condemned { .. })).count();
    assert_eq!(condemned, 5 - left.len());
}

#[test]
fn what_a_crash_left_between_the_shortfall_and_the_death_dies_at_the_next_start_and_is_told_once() {
    let (world, opened) = prepared(93);
    (0..2).for_each(|copy| world.disk.unplug(&folder(copy))); // the keyring says no
    opened.core.check(&Beat { health: "{}".into(), is_short_of_room: true, ..Beat::default() }).unwrap();
    world.clock.pass(60);
    assert!(opened.core.tick().is_err());
    drop(opened);
    (0..2).for_each(|copy| world.disk.plug(&folder(copy)));
    let opened = world.open();
    opened.core.tick().unwrap();
    assert_eq!(alive(&opened), [1, 2, 3, 4]);
    let shortfalls = opened
        .entries()
        .into_iter()
        .filter(|entry| matches!(&entry.event, Event::Config { what } if what.starts_with("shortfall")));
    assert_eq!(shortfalls.count(), 1);
}

#[test]
fn while_no_time_stands_nothing_dies_early() {
    let (world, opened) = prepared(94);
    drop(opened);
    world.clock.boot_without_ntp(-20 * 365 * DAY);
    let opened = world.open();
    assert!(opened.core.judgement().trusted.is_none());
    for _ in 0..3 {
        beat(&world, &opened, true);
    }
    assert_eq!(alive(&opened), [0, 1, 2, 3, 4]);
}
