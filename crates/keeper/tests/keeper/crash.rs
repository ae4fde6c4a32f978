//! Destruction over a disk that fails at every step in every way: it is finished without an operator, never undone, and
//! entered once.

use crate::support::*;
use disk::{Fault, Happened};
use std::{io::ErrorKind, sync::Arc};
use vault::keeper::Fact;

const FAULTS: [Fault; 4] = [
    Fault::Error(Happened::No, ErrorKind::StorageFull),
    Fault::Error(Happened::Yes, ErrorKind::TimedOut),
    Fault::PowerCut(Happened::No),
    Fault::PowerCut(Happened::Yes),
];

/// Two hours: of the first one camera is due, of the second none; then the whole first hour.
fn prepared(seed: u64, registry: &Arc<tempfile::TempDir>, seconds: i64) -> (World, Opened) {
    let world = World::beside(seed, registry.clone());
    let opened = world.open();
    opened.mint(0, &[1, 2]);
    opened.mint(1, &[1]);
    world.clock.pass(seconds);
    (world, opened)
}

fn free(opened: &Opened) -> Result<(), vault::KeeperError> {
    let freed = |dead: vault::keeper::Dead| Fact::Freed {
        hour: dead.hour,
        cameras: dead.cameras,
        reels: vec![],
        residual: vec![],
    };
    let dead = opened.core.check(&Default::default())?.dead;
    opened.core.enter(&dead.into_iter().map(freed).collect::<Vec<_>>())
}

fn check(seconds: i64, dying: &[(i64, u8)]) {
    let registry = Arc::new(registry());
    let act = |opened: &Opened| opened.core.destroy_due().map(drop).and_then(|()| free(opened));
    let (world, opened) = prepared(0, &registry, seconds);
    let first = world.disk.steps();
    act(&opened).unwrap();
    let last = world.disk.steps();
    let expected: Vec<_> = dying.iter().map(|(n, id)| (hour(*n), camera(*id))).collect();
    assert_eq!(opened.destructions(), expected);
    assert!(last > first + 10);
    for (step, fault) in (first..last).flat_map(|step| FAULTS.map(|fault| (step, fault))) {
        let what = format!("step {} of {}, {fault:?}", step - first, last - first);
        let (world, opened) = prepared(step, &registry, seconds);
        world.disk.plan(step, fault);
        let acknowledged = act(&opened).is_ok();
        let gone = |opened: &Opened| {
            let lives = |(n, id): &(i64, u8)| {
                opened.keyring.page(hour(*n)).unwrap().is_some_and(|page| page.cameras.contains_key(&camera(*id)))
            };
            !dying.iter().any(lives)
        };
        let is_on = matches!(fault, Fault::Error(..));
        assert!(!acknowledged || !is_on || gone(&opened), "acknowledged: {what}");
        drop(opened);
        world.disk.reboot();
        let opened = world.open();
        assert!(gone(&opened), "at the start, without anybody's help: {what}");
        assert!(
            opened.keyring.page(hour(1)).unwrap().is_some() || dying.contains(&(1, 1)),
            "nothing else dies: {what}"
        );
        opened.core.tick().unwrap();
        free(&opened).unwrap();
        assert_eq!(opened.destructions(), expected, "entered once each: {what}");
        assert_eq!(opened.keyring.condemned(), [], "{what}");
        let report = opened.check_ledger(world.now());
        assert_eq!(report.destroyed, expected.len() as u64, "{what}");
        drop(opened);
        let size = world.open().core.journal().size();
        assert_eq!(world.open().core.journal().size(), size + 1, "one more start, nothing to do: {what}");
    }
}

#[test]
fn whatever_step_fails_one_cameras_destruction_is_finished_and_entered_once() {
    check(3 * DAY - 600, &[(0, 1)]);
}

#[test]
fn whatever_step_fails_an_hours_destruction_is_finished_and_entered_once() {
    check(7 * DAY - 600, &[(0, 1), (0, 2), (1, 1)]);
}

#[test]
fn whatever_step_fails_a_mint_is_whole_in_the_end_and_dies_in_time() {
    let registry = Arc::new(registry());
    let (world, opened) = prepared(0, &registry, 0);
    let first = world.disk.steps();
    opened.mint(2, &[1, 2]);
    let last = world.disk.steps();
    for (step, fault) in (first..last).flat_map(|step| FAULTS.map(|fault| (step, fault))) {
        let what = format!("step {} of {}, {fault:?}", step - first, last - first);
        let (world, opened) = prepared(step, &registry, 0);
        world.disk.plan(step, fault);
        let minted = opened.core.mint(hour(2), RUN, &[stream(1), stream(2)]).is_ok();
        drop(opened);
        world.disk.reboot();
        let opened = world.open();
        assert!(!minted || opened.keyring.page(hour(2)).unwrap().unwrap().cameras.len() == 2, "{what}");
        // nobody asks for it again: what the ledger knows dies on paper, too
        world.clock.pass(8 * DAY);
        opened.core.tick().unwrap();
        let report = opened.check_ledger(world.now());
        assert_eq!((report.live, opened.keyring.hours().len()), (0, 0), "{what}");
    }
}
