//! A delay made shorter, a camera erased (K7): entered before anything, whole in the end whatever step fails, never longer.

use crate::support::*;
use catalog::Registry;
use disk::{Fault, Happened};
use ledger::{Actor, Condemnation, Event};
use std::{io::ErrorKind, sync::Arc};
use tempfile::TempDir;

const FAULTS: [Fault; 4] = [
    Fault::Error(Happened::No, ErrorKind::StorageFull),
    Fault::Error(Happened::Yes, ErrorKind::TimedOut),
    Fault::PowerCut(Happened::No),
    Fault::PowerCut(Happened::Yes),
];
pub const CLI: Actor = Actor::Cli { uid: 0 };

/// Three complete hours of cameras 1 to 3, a day apart, and the present one; camera 3 may keep thirty days.
fn prepared(seed: u64, registry: Arc<TempDir>) -> (World, Opened) {
    let world = World::beside(seed, registry);
    let opened = world.open();
    for day in 0..4 {
        opened.mint(day * 24, &[1, 2, 3]);
        world.clock.pass(if day < 3 { DAY } else { 0 });
    }
    opened.core.tick().unwrap();
    (world, opened)
}

/// The days after which camera 3's hours must die, by the pages; `None`: the key is dead.
fn delays(opened: &Opened) -> Vec<Option<i64>> {
    let delay = |day: i64| {
        let page = opened.keyring.page(hour(day * 24)).unwrap()?;
        let deadline = page.cameras.get(&camera(3))?.deadline;
        // rounded: the clocks go forward in March, and a month ends an hour early in one of the two calendars (K7)
        Some((deadline.since(hour(day * 24).start()) / 1_000_000 + DAY / 2) / DAY)
    };
    (0..4).map(delay).collect()
}

#[test]
fn an_order_that_shortens_rewrites_pages_registry_and_what_is_minted_and_kills_what_is_due() {
    let (world, opened) = prepared(1, Arc::new(registry()));
    assert_eq!(opened.core.would_die(camera(3), 2), 2);
    assert!(opened.core.order_shorter_delay(CLI, camera(3), 30).is_err(), "no order lengthens");
    assert!(opened.core.order_shorter_delay(CLI, camera(3), 0).is_err());
    assert!(opened.core.order_shorter_delay(CLI, camera(9), 3).is_err());
    let size = opened.core.journal().size();
    let died = opened.core.order_shorter_delay(CLI, camera(3), 2).unwrap();
    assert_eq!(died.iter().map(|fate| fate.hour).collect::<Vec<_>>(), [hour(0), hour(24)]);
    assert_eq!(delays(&opened), [None, None, Some(2), Some(2)]);
    let order = opened.core.journal().entry(size).unwrap();
    assert!(matches!(order.event, Event::Camera { ref change, .. } if change == "delay"), "first of all");
    assert_eq!(opened.mint(74, &[3])[0].deadline, hour(74).start().plus_seconds(2 * DAY), "and for new hours");
    let version = Registry::open(&world.registry_path()).unwrap().camera(camera(3), world.now()).unwrap().unwrap();
    assert_eq!((version.camera.delay_days, version.version), (2, 2));
    let report = opened.check_ledger(world.now());
    let late = report.late.iter().filter(|late| late.key.camera == camera(3));
    assert_eq!(late.count(), 2, "they lived longer than the new delay, until the order came");
    // a run that begins after the order states the shorter deadline in its reels: no fault
    let minted = opened.mint(72, &[3]);
    let fact = vault::keeper::Fact::Reel(vault::keeper::ReelFact {
        reel: domain::ReelId([9; 16]),
        run: RUN,
        hour: hour(72),
        deadline: minted[0].deadline,
        root: [0; 32],
        bytes: 1,
        streams: 1,
    });
    opened.core.enter(&[fact]).unwrap();
    opened.check_ledger(world.now());
}

#[test]
fn an_erased_camera_keeps_nothing_but_the_hour_it_records_in_and_a_removed_one_nothing() {
    for removed in [false, true] {
        let (world, opened) = prepared(2, Arc::new(registry()));
        if removed {
            let registry = Registry::open(&world.registry_path()).unwrap();
            registry.camera_remove(camera(3), world.now(), world.now()).unwrap();
        }
        opened.core.order_erasure(CLI, camera(3)).unwrap();
        assert_eq!(delays(&opened), [None, None, None, if removed { None } else { Some(30) }]);
        for day in 1..4 {
            let page = opened.keyring.page(hour(day * 24)).unwrap().unwrap();
            assert!(page.cameras.contains_key(&camera(2)), "other cameras live");
        }
        let orders = opened.entries().into_iter().filter(|entry| {
            matches!(&entry.event, Event::Condemned { why: Condemnation::Order, cameras, .. } if *cameras == [camera(3)])
        });
        assert_eq!(orders.count(), if removed { 4 } else { 3 });
        opened.check_ledger(world.now());
        drop(opened);
        let opened = world.open();
        world.clock.pass(2 * 3_600);
        opened.core.tick().unwrap();
        assert_eq!(delays(&opened)[3], if removed { None } else { Some(30) }, "an order names what there was");
    }
}

#[test]
fn from_the_entry_of_an_order_on_nothing_that_it_names_opens_although_the_keyring_fails() {
    for erase in [false, true] {
        let world = World::new(3);
        let opened = world.open();
        let minted = opened.mint(0, &[1, 2, 3]);
        world.clock.pass(2 * DAY);
        drop(opened);
        let opened = world.open_with_session();
        assert!(opened.opens(&minted[2], 0));
        (0..2).for_each(|copy| world.disk.unplug(&folder(copy)));
        let ordered = match erase {
            true => opened.core.order_erasure(CLI, camera(3)),
            false => opened.core.order_shorter_delay(CLI, camera(3), 1),
        };
        assert!(ordered.is_err(), "the keyring says no");
        assert!(!opened.opens(&minted[2], 0));
        assert_eq!(opened.destructions(), []);
        (0..2).for_each(|copy| world.disk.plug(&folder(copy)));
        assert!(!opened.opens(&minted[2], 0), "its page can be read, and is still the old one");
        world.clock.pass(60);
        opened.core.tick().unwrap();
        assert_eq!(opened.destructions(), [(hour(0), camera(3))], "and it dies when the keyring is there again");
        opened.check_ledger(world.now());
    }
}

fn check(act: fn(&Opened) -> Result<(), vault::KeeperError>, expected: &[Option<i64>], is_ordered: fn(&Event) -> bool) {
    let template = registry();
    let (world, opened) = prepared(0, registry_like(&template));
    let before = delays(&opened);
    let first = world.disk.steps();
    act(&opened).unwrap();
    let last = world.disk.steps();
    assert_eq!(delays(&opened), expected);
    assert!(last > first + 20);
    for (step, fault) in (first..last).flat_map(|step| FAULTS.map(|fault| (step, fault))) {
        let what = format!("step {} of {}, {fault:?}", step - first, last - first);
        let (world, opened) = prepared(step, registry_like(&template));
        world.disk.plan(step, fault);
        let acknowledged = act(&opened).is_ok();
        drop(opened);
        world.disk.reboot();
        let opened = world.open();
        opened.core.tick().unwrap();
        let entered = opened.entries().iter().any(|entry| is_ordered(&entry.event));
        assert!(!acknowledged || entered, "{what}");
        let found = delays(&opened);
        assert_eq!(found, if entered { expected } else { &before[..] }, "{what}");
        let registry = Registry::open(&world.registry_path()).unwrap();
        let delay = registry.camera(camera(3), world.now()).unwrap().unwrap().camera.delay_days;
        let is_short = expected.contains(&Some(2));
        assert_eq!(delay, if entered && is_short { 2 } else { 30 }, "the registry, too: {what}");
        opened.check_ledger(world.now());
    }
}

#[test]
fn whatever_step_fails_an_order_that_shortens_is_carried_out_or_was_never_given() {
    let act = |opened: &Opened| opened.core.order_shorter_delay(CLI, camera(3), 2).map(drop);
    let is_ordered = |event: &Event| matches!(event, Event::Camera { change, .. } if change == "delay");
    check(act, &[None, None, Some(2), Some(2)], is_ordered);
}

#[test]
fn whatever_step_fails_an_erasure_is_carried_out_or_was_never_ordered() {
    let act = |opened: &Opened| opened.core.order_erasure(CLI, camera(3)).map(drop);
    let is_ordered = |event: &Event| matches!(event, Event::Camera { change, .. } if change == "erase");
    check(act, &[None, None, None, Some(30)], is_ordered);
}
