//! Fail closed: looks stop only where the ledger's journal and its reserve both fail, recording goes on, and each is told.

use crate::support::*;
use disk::{Fault, Happened};
use keeper::wire::FindingState;
use std::{io::ErrorKind, path::Path};
use vault::{
    KeeperError,
    keeper::{Beat, Fact, Verdict, View},
};

const JOURNAL: &str = "/log/journal";
const RESERVE: &str = "/reserve";

fn with_reserve(seed: u64) -> World {
    let mut world = World::new(seed);
    world.reserve = Some(RESERVE.into());
    world
}

fn both_fail(world: &World) {
    world.disk.unplug(Path::new(JOURNAL));
    world.disk.unplug(Path::new(RESERVE));
}

fn looks(opened: &Opened) -> Result<bool, KeeperError> {
    let verdict = opened.core.pass(&opened.session, &ask(View::Live, &[1]))?;
    Ok(matches!(verdict, Verdict::Allowed(_)))
}

/// State and English words of the ledger's line on the health page.
fn told(opened: &Opened) -> (FindingState, String) {
    let findings = opened.core.health().unwrap().findings;
    let line = findings.into_iter().find(|finding| finding.id == "ledger").unwrap();
    assert!(!line.detail_fr.is_empty());
    (line.state, line.detail_en)
}

#[track_caller]
fn check_told(opened: &Opened, state: FindingState, words: &str) {
    let (found, detail) = told(opened);
    assert!(found == state && detail.contains(words), "{found:?}: {detail}");
}

#[test]
fn looks_go_on_in_the_reserve_with_an_alarm_and_come_back_to_the_journal() {
    let world = with_reserve(30);
    let opened = world.open();
    check_told(&opened, FindingState::Ok, "reserve stands ready");
    world.disk.unplug(Path::new(JOURNAL));
    assert!(looks(&opened).unwrap() && opened.mint(0, &[1]).len() == 1);
    check_told(&opened, FindingState::Alarm, "writes to its reserve");
    assert!(!opened.core.must_restart());
    world.disk.plug(Path::new(JOURNAL));
    world.clock.pass(60);
    opened.core.tick().unwrap();
    check_told(&opened, FindingState::Ok, "reserve stands ready");
    assert!(looks(&opened).unwrap());
    opened.check_ledger(world.now());
    drop(opened);
    world.disk.unplug(Path::new(RESERVE));
    let opened = world.open();
    check_told(&opened, FindingState::Warning, "reserve is missing");
    assert!(looks(&opened).unwrap());
    opened.check_ledger(world.now());
}

#[test]
fn a_ledger_without_a_reserve_is_a_finding() {
    check_told(&World::new(31).open(), FindingState::Warning, "has no reserve");
}

#[test]
fn where_both_fail_looks_are_refused_with_the_reason_recording_goes_on_and_its_mints_are_entered_afterwards() {
    let world = with_reserve(32);
    let opened = world.open();
    opened.mint(0, &[1]);
    both_fail(&world);
    for _ in 0..2 {
        assert!(matches!(looks(&opened), Err(KeeperError::LedgerAway { .. })), "the first, and all that follow");
    }
    check_told(&opened, FindingState::Alarm, "nobody can look at anything; recording goes on");
    assert_eq!((opened.mint(1, &[1, 2]).len(), opened.mint(2, &[1]).len()), (2, 1), "keys of the hours to come");
    world.clock.pass(60);
    assert!(opened.core.tick().is_err() && !opened.core.must_restart(), "nothing takes an entry yet");
    let slow = Fact::SlowSync { at: world.now(), took_ms: 900 };
    assert!(matches!(opened.core.enter(std::slice::from_ref(&slow)), Err(KeeperError::LedgerAway { .. })));
    assert!(opened.core.check(&Beat::default()).is_ok(), "the recorder's second is answered");
    world.disk.plug(Path::new(JOURNAL));
    assert!(opened.core.must_restart());
    drop(opened);
    let opened = world.open();
    opened.core.enter(&[slow]).unwrap();
    let report = opened.check_ledger(world.now());
    assert_eq!((report.mints, report.live), (4, 4), "what was owed is entered");
    assert!(looks(&opened).unwrap());
    world.clock.pass(3_500);
    assert!(opened.opens(&opened.mint(1, &[2])[0], 3_600));
    let size = opened.core.journal().size();
    opened.core.destroy_due().unwrap();
    assert_eq!(opened.core.journal().size(), size, "once");
}

#[test]
fn keys_die_in_time_while_neither_journal_nor_reserve_takes_an_entry() {
    let world = with_reserve(33);
    let opened = world.open();
    opened.mint(0, &[1]);
    both_fail(&world);
    assert!(looks(&opened).is_err());
    opened.mint(1, &[1]);
    world.clock.pass(3 * DAY + 3_600);
    assert!(opened.core.tick().is_err());
    assert_eq!(opened.keyring.hours(), [], "also the one that the ledger does not know");
    world.disk.plug(Path::new(JOURNAL));
    world.disk.plug(Path::new(RESERVE));
    assert!(opened.core.must_restart());
    drop(opened);
    let opened = world.open();
    opened.check_ledger(world.now());
}

#[test]
fn a_keeper_whose_disks_are_read_only_at_the_start_answers_and_says_so() {
    let world = with_reserve(34);
    world.open().mint(0, &[1]);
    world.disk.unplug(Path::new(RESERVE));
    let opens_at = {
        let before = world.disk.steps();
        drop(world.open());
        // of a start's steps, that at which the journal's last group is written once more
        (before..world.disk.steps()).find(|step| {
            let trial = with_reserve(34);
            trial.open().mint(0, &[1]);
            trial.disk.unplug(Path::new(RESERVE));
            drop(trial.open());
            trial.disk.plan(trial.disk.steps() + (step - before), Fault::Error(Happened::No, ErrorKind::Other));
            trial.try_open().is_ok_and(|opened| matches!(looks(&opened), Err(KeeperError::LedgerAway { .. })))
        })
    };
    assert!(opens_at.is_some(), "there is a start that goes on without a ledger that takes entries");
}

#[test]
fn a_start_without_the_reserve_that_has_the_last_entries_is_refused() {
    let world = with_reserve(35);
    let opened = world.open();
    world.disk.unplug(Path::new(JOURNAL));
    assert!(looks(&opened).unwrap());
    drop(opened);
    world.disk.plug(Path::new(JOURNAL));
    world.disk.unplug(Path::new(RESERVE));
    let refused = world.try_open().err().unwrap();
    assert!(refused.contains("the keyring knows a ledger of"), "{refused}");
    world.disk.plug(Path::new(RESERVE));
    let opened = world.open();
    opened.check_ledger(world.now());
    let looked = |entry: &ledger::Entry| matches!(entry.event, ledger::Event::Look { .. });
    assert_eq!(opened.entries().iter().filter(|entry| looked(entry)).count(), 1);
}
