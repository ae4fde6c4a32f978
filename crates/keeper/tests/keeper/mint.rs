//! Minting: which hours, which cameras, in which order (K4, K9, L3).

use crate::support::*;
use disk::{Fault, Happened};
use domain::{HourLength, RunId, UtcMicros};
use keeper::{
    core::KeyringLogKeys,
    journal::{LogKeyError, LogKeys},
};
use ledger::{Event, Month};
use std::io::ErrorKind;
use vault::KeeperError;

#[test]
fn keys_are_minted_for_the_present_hour_and_the_next_two_only() {
    let world = World::new(1);
    let opened = world.open();
    for n in -2..5 {
        let minted = opened.core.mint(hour(n), RUN, &[stream(1)]);
        assert_eq!(minted.is_ok(), (0..=2).contains(&n), "hour {n}: {minted:?}");
    }
    let short = HourLength::SIMULATED.hour_of(utc(60));
    assert!(opened.core.mint(short, RUN, &[stream(1)]).is_err(), "hours of another length");
}

#[test]
fn the_mint_is_entered_before_the_keys_exist() {
    for (happened, entered) in [(Happened::No, false), (Happened::Yes, true)] {
        let world = World::new(2);
        let opened = world.open();
        opened.mint(0, &[1]);
        world.disk.plan(world.disk.steps(), Fault::Error(happened, ErrorKind::StorageFull));
        assert!(opened.core.mint(hour(1), RUN, &[stream(1)]).is_err());
        assert_eq!(opened.keyring.page(hour(1)).unwrap(), None, "no entry was acknowledged, so there is no key");
        drop(opened);
        world.disk.reboot();
        let opened = world.open();
        let mints = || opened.entries().into_iter().filter(|entry| matches!(entry.event, Event::Mint { .. })).count();
        assert_eq!(mints(), 1 + usize::from(entered));
        opened.mint(1, &[1]);
        assert_eq!(mints(), 2, "what the ledger knows is not entered again");
        opened.check_ledger(utc(100));
    }
}

#[test]
fn another_run_gets_other_data_keys_under_the_same_camera_hour_key() {
    let world = World::new(3);
    let opened = world.open();
    let first = opened.mint(0, &[1]).remove(0);
    let page = opened.keyring.page(hour(0)).unwrap();
    let second = opened.core.mint(hour(0), RunId([8; 16]), &[stream(1)]).unwrap().remove(0);
    assert_ne!(first.data_key, second.data_key);
    assert_ne!(first.wrapped, second.wrapped);
    assert_eq!(first.lookup, second.lookup);
    assert_eq!(opened.keyring.page(hour(0)).unwrap(), page);
    assert!(opened.opens(&first, 0));
    let mints = opened.entries().into_iter().filter(|entry| matches!(entry.event, Event::Mint { .. }));
    assert_eq!(mints.count(), 1);
}

#[test]
fn a_camera_that_is_unknown_or_removed_gets_no_key() {
    let world = World::new(4);
    let opened = world.open();
    opened.mint(0, &[1]);
    let unknown = opened.core.mint(hour(0), RUN, &[stream(1), stream(9)]);
    assert!(matches!(unknown, Err(KeeperError::Malformed { .. })), "{unknown:?}");
    drop(opened);
    let registry = catalog::Registry::open(&world.registry_path()).unwrap();
    registry.camera_remove(camera(1), world.now(), world.now()).unwrap();
    drop(registry);
    let opened = world.open();
    world.clock.pass(1);
    assert!(opened.core.mint(hour(0), RUN, &[stream(1)]).is_err(), "removed, although its key of this hour lives");
}

#[test]
fn the_deadline_is_that_of_the_cameras_delay() {
    let world = World::new(5);
    let opened = world.open();
    let deadlines: Vec<UtcMicros> = opened.mint(0, &[1, 2, 3]).iter().map(|minted| minted.deadline).collect();
    // from the hour's first instant; the clocks change on 29 March: 30 days in Paris end an hour before 30 days in UTC
    assert_eq!(deadlines, [utc(3 * DAY), utc(7 * DAY), utc(30 * DAY - 3_600)]);
}

#[test]
fn reading_a_month_makes_no_log_key_and_a_dead_month_stays_dead() {
    let world = World::new(6);
    let opened = world.open();
    let months = opened.keyring.log_months();
    let keys = KeyringLogKeys(opened.keyring.clone());
    for yyyymm in [202_601, 202_612] {
        let answer = keys.month_key(Month::from_yyyymm(yyyymm).unwrap());
        assert!(matches!(answer, Err(LogKeyError::Unavailable { .. })), "no key died: {answer:?}");
    }
    assert_eq!(opened.keyring.log_months(), months);
    assert_eq!(opened.keyring.destroy_log_key(months[0]).unwrap().keys, 1);
    let answer = keys.month_key(Month::from_yyyymm(202_603).unwrap());
    assert!(matches!(answer, Err(LogKeyError::Gone { .. })), "{answer:?}");
    assert!(keys.month_key_to_write(Month::from_yyyymm(202_603).unwrap()).is_err());
    assert_eq!(opened.keyring.log_months(), []);
}
