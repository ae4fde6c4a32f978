//! Every step of every operation fails in each way: afterwards the keyring is as before or as after, never between, and
//! what was said to be destroyed is destroyed.

use super::tests::{create, open, page_keys, paths, readable_roots};
use crate::{
    CopyState, FileKeyring, HoldKey, HourSummary, Keyring, KeyringError, LedgerHead, Month, Page, Result, Which,
    conformance::{camera, cameras, deadline, hour},
};
use disk::{Fault, FaultyDisk, Happened};
use domain::{HoldId, Hour, Secret32};
use std::{
    collections::{BTreeMap, BTreeSet},
    io::ErrorKind,
};

const SEEDS: u64 = 4;
const HELD: HoldId = HoldId([9; 16]);
const FAULTS: [Fault; 4] = [
    Fault::Error(Happened::No, ErrorKind::StorageFull),
    Fault::Error(Happened::Yes, ErrorKind::TimedOut),
    Fault::PowerCut(Happened::No),
    Fault::PowerCut(Happened::Yes),
];

/// Everything that a caller can see.
#[derive(PartialEq, Eq, Debug)]
struct View {
    hours: Vec<HourSummary>,
    pages: Vec<Page>,
    condemned: Vec<(Hour, Which, bool)>,
    log_keys: Vec<(Month, Secret32)>,
    head: LedgerHead,
    holds: BTreeMap<(HoldId, Hour), HoldKey>,
}

fn view(keyring: &FileKeyring) -> View {
    let hours = keyring.hours();
    let pages = hours.iter().filter_map(|summary| keyring.page(summary.hour).unwrap()).collect();
    let condemned = keyring.condemned();
    let log_keys = keyring.log_months().into_iter().map(|month| (month, keyring.log_key(month).unwrap())).collect();
    let condemned =
        condemned.into_iter().map(|entry| (entry.hour, entry.which, entry.destroyed_by.is_some())).collect();
    View { hours, pages, condemned, log_keys, head: keyring.ledger_head(), holds: keyring.holds() }
}

fn prepared(seed: u64) -> (FaultyDisk, FileKeyring) {
    let disk = FaultyDisk::new(seed);
    let keyring = create(&disk).unwrap();
    for n in 0..2 {
        keyring.add(hour(n), &[1, 2].map(|n| (camera(n), deadline(30)))).unwrap();
    }
    keyring.log_key(Month::new(202_603).unwrap()).unwrap();
    keyring.add_hold(HELD, &[(hour(0), deadline(40)), (hour(1), deadline(40))]).unwrap();
    (disk, keyring)
}

/// What an operation answered: whether it vouches for a key's death on every copy.
enum Answer {
    Done,
    Destroyed { confirmed: bool },
}

type Operation = fn(&FileKeyring) -> Result<Answer>;

/// What must hold of a disk after a confirmed destruction.
type DeadKey = fn(&FaultyDisk, &Target) -> bool;

struct Target {
    page: Vec<Secret32>,
    hold: Vec<Secret32>,
}

/// Runs `operation` with each fault at each of its steps.
fn check(operation: Operation, is_dead: DeadKey) {
    let (disk, keyring) = prepared(0);
    let before = view(&keyring);
    let target = Target { page: page_keys(&disk, hour(0)), hold: hold_keys(&disk) };
    let first = disk.steps();
    operation(&keyring).unwrap();
    let (after, last) = (view(&keyring), disk.steps());
    assert!(before != after && last > first);
    for (step, fault) in (first..last).flat_map(|step| FAULTS.map(|fault| (step, fault))) {
        for seed in 0..SEEDS {
            let (disk, keyring) = prepared(seed);
            disk.plan(step, fault);
            let answer = operation(&keyring);
            let what = format!("step {} of {}, {fault:?}, seed {seed}", step - first, last - first);
            if let Fault::Error(..) = fault {
                let now = view(&keyring);
                assert!(now == before || now == after, "while it runs: {what}");
                assert!(answer.is_ok() && now == after, "one failing step is one copy's, the other goes on: {what}");
            }
            drop(keyring);
            disk.reboot();
            if let Ok(Answer::Destroyed { confirmed: true }) = answer {
                assert!(is_dead(&disk, &target), "before anything is repaired: {what}");
            }
            let keyring = open(&disk).unwrap_or_else(|error| panic!("{what}: {error}"));
            let now = view(&keyring);
            assert!(now == before || now == after, "{what}");
            assert!(answer.is_err() || now == after, "it was acknowledged: {what}");
            assert!(keyring.confirmed(), "both copies are back: {what}");
            if now == after {
                assert!(is_dead(&disk, &target), "{what}");
            }
        }
    }
}

fn nothing_dies(_: &FaultyDisk, _: &Target) -> bool {
    true
}

fn the_page_key_is_dead(disk: &FaultyDisk, target: &Target) -> bool {
    page_keys(disk, hour(0)).iter().all(|key| !target.page.contains(key))
}

/// The keys of the hold's first hour that any root on the disk has.
fn hold_keys(disk: &FaultyDisk) -> Vec<Secret32> {
    let roots = readable_roots(disk);
    let of_root = roots.iter().filter_map(|(_, root)| root.contents.holds.get(&(HELD, hour(0))));
    of_root.map(|held| held.key.clone()).collect()
}

fn the_hold_key_is_dead(disk: &FaultyDisk, target: &Target) -> bool {
    hold_keys(disk).iter().all(|key| !target.hold.contains(key))
}

#[test]
fn a_hold_is_made_prolonged_and_destroyed_whole_or_not_at_all() {
    check(|keyring| keyring.add_hold(HoldId([8; 16]), &[(hour(0), deadline(40))]).map(|()| Answer::Done), nothing_dies);
    check(|keyring| keyring.keep_hold(HELD, deadline(45)).map(|()| Answer::Done), nothing_dies);
    let destroy = |keyring: &FileKeyring| {
        let destroyed = keyring.destroy_hold(HELD, &BTreeSet::from([hour(0)]))?;
        Ok(Answer::Destroyed { confirmed: destroyed.confirmed() })
    };
    check(destroy, the_hold_key_is_dead);
}

#[test]
fn adding_an_hour_is_whole_or_not_at_all() {
    check(|keyring| keyring.add(hour(2), &[(camera(1), deadline(30))]).map(|()| Answer::Done), nothing_dies);
}

#[test]
fn adding_a_camera_is_whole_or_not_at_all() {
    check(|keyring| keyring.add(hour(0), &[(camera(3), deadline(30))]).map(|()| Answer::Done), nothing_dies);
}

#[test]
fn shortening_a_deadline_is_whole_or_not_at_all() {
    check(|keyring| keyring.shorten(hour(0), camera(1), deadline(3)).map(|()| Answer::Done), nothing_dies);
}

#[test]
fn condemning_is_whole_or_not_at_all() {
    check(|keyring| keyring.condemn(hour(0), &cameras(&[1])).map(|()| Answer::Done), nothing_dies);
}

#[test]
fn setting_the_ledger_head_is_whole_or_not_at_all() {
    check(
        |keyring| keyring.set_ledger_head(LedgerHead { size: 9, root: [9; 32] }).map(|()| Answer::Done),
        nothing_dies,
    );
}

#[test]
fn a_log_key_is_made_whole_or_not_at_all() {
    check(|keyring| keyring.log_key(Month::new(202_604)?).map(|_| Answer::Done), nothing_dies);
}

#[test]
fn destroying_an_hour_is_whole_or_not_at_all_and_never_undone() {
    check(
        |keyring| keyring.destroy(hour(0), &Which::All).map(|it| Answer::Destroyed { confirmed: it.confirmed() }),
        the_page_key_is_dead,
    );
}

#[test]
fn destroying_a_camera_is_whole_or_not_at_all_and_never_undone() {
    check(
        |keyring| keyring.destroy(hour(0), &cameras(&[2])).map(|it| Answer::Destroyed { confirmed: it.confirmed() }),
        the_page_key_is_dead,
    );
}

#[test]
fn destroying_a_log_key_is_whole_or_not_at_all_and_never_undone() {
    check(
        |keyring| {
            let destroyed = keyring.destroy_log_key(Month::new(202_603)?)?;
            Ok(Answer::Destroyed { confirmed: destroyed.confirmed() })
        },
        |disk, _| {
            let roots = super::tests::readable_roots(disk);
            roots.iter().all(|(_, root)| root.contents.log_keys.is_empty())
        },
    );
}

#[test]
fn creating_leaves_a_whole_keyring_or_one_that_can_be_created() {
    let disk = FaultyDisk::new(0);
    create(&disk).unwrap();
    for (step, fault) in (0..disk.steps()).flat_map(|step| FAULTS.map(|fault| (step, fault))) {
        for seed in 0..SEEDS {
            let disk = FaultyDisk::new(seed);
            disk.plan(step, fault);
            let created = create(&disk).is_ok();
            disk.reboot();
            let what = format!("step {step}, {fault:?}, seed {seed}");
            match open(&disk) {
                Ok(keyring) => assert!(keyring.confirmed(), "{what}"),
                Err(KeyringError::NeverInitialised { .. }) => {
                    assert!(!created, "{what}");
                    create(&disk).unwrap_or_else(|error| panic!("{what}: {error}"));
                }
                Err(error) => panic!("{what}: {error}"),
            }
        }
    }
}

#[test]
fn an_opening_that_fails_at_any_step_undoes_nothing() {
    let destroyed = |seed| {
        let (disk, keyring) = prepared(seed);
        assert!(keyring.destroy(hour(0), &Which::All).unwrap().confirmed());
        (disk, view(&keyring))
    };
    let (disk, _) = destroyed(0);
    let first = disk.steps();
    open(&disk).unwrap();
    for (step, fault) in (first..disk.steps()).flat_map(|step| FAULTS.map(|fault| (step, fault))) {
        for seed in 0..SEEDS {
            let (disk, expected) = destroyed(seed);
            disk.plan(step, fault);
            let opened = open(&disk);
            let what = format!("step {}, {fault:?}, seed {seed}", step - first);
            if let Fault::Error(..) = fault {
                assert_eq!(view(&opened.unwrap()), expected, "{what}");
            }
            disk.reboot();
            assert_eq!(page_keys(&disk, hour(0)), [], "{what}");
            let keyring = open(&disk).unwrap();
            assert_eq!(view(&keyring), expected, "{what}");
            assert!(keyring.confirmed());
        }
    }
}

#[test]
fn a_return_that_fails_at_any_step_can_be_repeated() {
    let away = |seed| {
        let (disk, keyring) = prepared(seed);
        let [_, second] = paths();
        disk.unplug(&second);
        assert!(!keyring.destroy(hour(0), &Which::All).unwrap().confirmed());
        keyring.add(hour(4), &[(camera(1), deadline(30))]).unwrap();
        disk.plug(&second);
        (disk, keyring)
    };
    let (disk, keyring) = away(0);
    let first = disk.steps();
    assert!(keyring.rejoin().unwrap().confirmed());
    for (step, fault) in (first..disk.steps()).flat_map(|step| FAULTS.map(|fault| (step, fault))) {
        for seed in 0..SEEDS {
            let (disk, keyring) = away(seed);
            let expected = view(&keyring);
            let what = format!("step {}, {fault:?}, seed {seed}", step - first);
            disk.plan(step, fault);
            let answer = keyring.rejoin();
            let keyring = match fault {
                Fault::Error(..) => {
                    assert!(answer.unwrap().copies.iter().any(|copy| copy.state == CopyState::Present), "{what}");
                    keyring
                }
                Fault::PowerCut(_) => {
                    disk.reboot();
                    open(&disk).unwrap()
                }
            };
            assert!(keyring.rejoin().unwrap().confirmed(), "{what}");
            assert_eq!(view(&keyring), expected, "{what}");
            assert_eq!(page_keys(&disk, hour(0)), [], "{what}");
        }
    }
}

#[test]
fn when_every_copy_fails_the_next_call_takes_them_back_and_the_operation_can_be_repeated() {
    let (disk, keyring) = prepared(0);
    let first = disk.steps();
    assert!(keyring.destroy(hour(0), &Which::All).unwrap().confirmed());
    let last = disk.steps();
    for happened in [Happened::No, Happened::Yes] {
        for (step, second) in (first..last).flat_map(|step| (step + 1..last).map(move |second| (step, second))) {
            let (disk, keyring) = prepared(step);
            let page = page_keys(&disk, hour(0));
            let others = keyring.page(hour(1)).unwrap();
            for fails in [step, second] {
                disk.plan(fails, Fault::Error(happened, ErrorKind::TimedOut));
            }
            let what = format!("steps {} and {}, {happened:?}", step - first, second - first);
            let confirmed = (0..3).any(|_| {
                keyring.rejoin().is_ok()
                    && keyring.destroy(hour(0), &Which::All).is_ok_and(|destroyed| destroyed.confirmed())
            });
            assert!(confirmed, "three tries outlast two faults: {what}");
            disk.reboot();
            assert!(page_keys(&disk, hour(0)).iter().all(|key| !page.contains(key)), "{what}");
            let keyring = open(&disk).unwrap();
            assert_eq!(keyring.page(hour(0)).unwrap(), None, "{what}");
            assert_eq!(keyring.page(hour(1)).unwrap(), others, "{what}");
        }
    }
}

#[test]
fn a_copy_left_alone_survives_a_failed_change_and_then_a_power_cut() {
    let alone = |seed| {
        let (disk, keyring) = prepared(seed);
        disk.unplug(&paths()[1]);
        // the first change finds the other copy gone
        keyring.add(hour(3), &[(camera(1), deadline(30))]).unwrap();
        (disk, keyring)
    };
    let (disk, keyring) = alone(0);
    let first = disk.steps();
    keyring.set_ledger_head(LedgerHead { size: 1, root: [1; 32] }).unwrap();
    let last = disk.steps();
    keyring.rejoin().unwrap();
    for (step, happened) in (first..last).flat_map(|step| [Happened::No, Happened::Yes].map(|it| (step, it))) {
        for (cut, seed) in (step + 1..last + 8).flat_map(|cut| (0..SEEDS).map(move |seed| (cut, seed))) {
            let (disk, keyring) = alone(seed);
            let kept = keyring.page(hour(3)).unwrap();
            disk.plan(step, Fault::Error(happened, ErrorKind::TimedOut));
            disk.plan(cut, Fault::PowerCut(Happened::No));
            assert!(keyring.set_ledger_head(LedgerHead { size: 1, root: [1; 32] }).is_err(), "its only copy failed");
            let again = keyring.set_ledger_head(LedgerHead { size: 2, root: [2; 32] });
            disk.reboot();
            let what = format!("step {}, {happened:?}, cut at {}, seed {seed}", step - first, cut - first);
            let keyring = open(&disk).unwrap_or_else(|error| panic!("{what}: {error}"));
            assert_eq!(keyring.page(hour(3)).unwrap(), kept, "{what}");
            assert!(again.is_err() || keyring.ledger_head().size == 2, "{what}");
        }
    }
}
