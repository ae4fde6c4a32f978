//! Every step on disk and in the token fails in each way: what was said to be destroyed opens from no file ever written, what
//! lives goes on, and the token is left with one object.

use super::{
    tests::{PASSPHRASE, paths},
    token_tests::World,
};
use crate::{
    FileKeyring, Keyring, KeyringError, Month, Result, Which,
    conformance::{camera, cameras, deadline, hour},
};
use disk::{Disk, Fault, Happened};
use domain::Secret32;
use std::io::ErrorKind;

const SEEDS: u64 = 2;
const FAULTS: [Fault; 4] = [
    Fault::Error(Happened::No, ErrorKind::StorageFull),
    Fault::Error(Happened::Yes, ErrorKind::TimedOut),
    Fault::PowerCut(Happened::No),
    Fault::PowerCut(Happened::Yes),
];

/// Where a fault is planned.
#[derive(Clone, Copy, Debug)]
enum At {
    Disk(u64),
    Token(u64),
}

impl World {
    fn plan(&self, at: At, fault: Fault) {
        match at {
            At::Disk(step) => self.disk.plan(step, fault),
            At::Token(step) => self.mishaps.plan(step, fault),
        }
    }

    fn now(&self) -> (u64, u64) {
        (self.disk.steps(), self.mishaps.steps())
    }

    /// Every step since then.
    fn steps_since(&self, (disk, token): (u64, u64)) -> Vec<At> {
        let on_disk = (disk..self.disk.steps()).map(At::Disk);
        on_disk.chain((token..self.mishaps.steps()).map(At::Token)).collect()
    }
}

fn prepared(seed: u64) -> (World, FileKeyring) {
    let (world, keyring) = World::with_two_hours(seed);
    keyring.log_key(Month::new(202_603).unwrap()).unwrap();
    (world, keyring)
}

/// What must be dead once it was confirmed: a page key, or a log key.
fn lives(world: &World, keys: &[Secret32]) -> bool {
    world.roots_ever(&world.token).iter().any(|root| {
        let pages = root.table.values().map(|entry| &entry.key);
        pages.chain(root.contents.log_keys.values()).any(|key| keys.contains(key))
    })
}

/// What a caller sees of both hours and the month.
fn view(keyring: &FileKeyring) -> (Vec<Option<usize>>, usize) {
    let pages = [0, 1].map(|n| keyring.page(hour(n)).unwrap().map(|page| page.cameras.len()));
    (pages.to_vec(), keyring.log_months().len())
}

type Operation = fn(&FileKeyring) -> Result<bool>;

/// Runs a destruction with each fault at each of its steps; the answer of `operation` is whether it was confirmed.
fn check(operation: Operation, doomed: fn(&World) -> Vec<Secret32>) {
    let (world, keyring) = prepared(0);
    let before = view(&keyring);
    let start = world.now();
    assert!(lives(&world, &doomed(&world)));
    assert!(operation(&keyring).unwrap());
    let (after, steps) = (view(&keyring), world.steps_since(start));
    assert!(before != after && steps.iter().any(|at| matches!(at, At::Token(_))));
    for (at, fault) in steps.iter().flat_map(|at| FAULTS.map(|fault| (*at, fault))) {
        for seed in 0..SEEDS {
            let (world, keyring) = prepared(seed);
            let dead = doomed(&world);
            world.plan(at, fault);
            let answer = operation(&keyring);
            let what = format!("{at:?} after {start:?}, {fault:?}, seed {seed}");
            if let Ok(true) = answer {
                assert!(!lives(&world, &dead), "it was confirmed: {what}");
            }
            if let Fault::Error(..) = fault {
                assert!(answer.is_ok() && view(&keyring) == after, "one copy or the token failed: {what}");
                assert!(keyring.rejoin().unwrap().confirmed(), "{what}");
                assert!(!lives(&world, &dead) && world.objects().len() == 1, "{what}");
            }
            drop(keyring);
            world.reboot();
            let keyring = world.open().unwrap_or_else(|error| panic!("{what}: {error}"));
            let now = view(&keyring);
            assert!(now == after || (now == before && answer.is_err()), "{what}");
            assert!(keyring.confirmed() && world.objects().len() == 1, "no object is left over: {what}");
            assert_eq!(lives(&world, &dead), now == before, "{what}");
        }
    }
}

fn page_keys(world: &World) -> Vec<Secret32> {
    world.page_keys_ever(hour(0))
}

#[test]
fn with_a_token_destroying_an_hour_is_whole_or_not_at_all_and_opens_from_no_old_file() {
    check(|keyring| keyring.destroy(hour(0), &Which::All).map(|it| it.confirmed()), page_keys);
}

#[test]
fn with_a_token_destroying_a_camera_is_whole_or_not_at_all_and_opens_from_no_old_file() {
    check(|keyring| keyring.destroy(hour(0), &cameras(&[2])).map(|it| it.confirmed()), page_keys);
}

#[test]
fn with_a_token_destroying_a_log_key_is_whole_or_not_at_all_and_opens_from_no_old_file() {
    check(
        |keyring| keyring.destroy_log_key(Month::new(202_603)?).map(|it| it.confirmed()),
        |world| {
            world.roots_ever(&world.token).iter().flat_map(|root| root.contents.log_keys.values().cloned()).collect()
        },
    );
}

#[test]
fn with_a_token_creating_leaves_a_whole_keyring_or_one_that_can_be_created() {
    let world = World::new(0);
    world.create().unwrap();
    for (at, fault) in world.steps_since((0, 0)).into_iter().flat_map(|at| FAULTS.map(|fault| (at, fault))) {
        let world = World::new(1);
        world.plan(at, fault);
        let created = world.create().map(drop);
        let what = format!("{at:?}, {fault:?}");
        let is_marked = paths().iter().any(|path| world.disk.exists(&path.join("marker")).unwrap_or(true));
        world.reboot();
        match world.open() {
            Ok(keyring) => assert!(keyring.confirmed() && world.objects().len() == 1, "{what}"),
            Err(KeyringError::NeverInitialised { .. }) => {
                assert!(created.is_err(), "{what}");
                if let Fault::Error(..) = fault {
                    // a marker that may have reached the disk makes it a keyring
                    let is_the_last_look = matches!(created, Err(KeyringError::Token(_)));
                    let is_empty = world.objects().is_empty();
                    assert!(is_empty || is_the_last_look || is_marked, "nothing is left in the token: {what}");
                }
                world.create().unwrap_or_else(|error| panic!("{what}: {error}"));
                assert_eq!(world.objects().len(), 1, "{what}");
            }
            Err(error) => panic!("{what}: {error}"),
        }
    }
}

#[test]
fn with_a_token_an_opening_that_fails_at_any_step_undoes_nothing() {
    let destroyed = |seed| {
        let (world, keyring) = prepared(seed);
        let dead = page_keys(&world);
        assert!(keyring.destroy(hour(0), &Which::All).unwrap().confirmed());
        (world, view(&keyring), dead)
    };
    let (world, ..) = destroyed(0);
    let start = world.now();
    world.open().unwrap();
    for (at, fault) in world.steps_since(start).into_iter().flat_map(|at| FAULTS.map(|fault| (at, fault))) {
        let (world, expected, dead) = destroyed(1);
        world.plan(at, fault);
        let what = format!("{at:?} after {start:?}, {fault:?}");
        match (world.open(), fault) {
            (Ok(keyring), _) => assert_eq!(view(&keyring), expected, "{what}"),
            (Err(KeyringError::Token(_)), _) | (Err(_), Fault::PowerCut(_)) => {}
            (Err(error), _) => panic!("{what}: {error}"),
        }
        world.reboot();
        let keyring = world.open_as(PASSPHRASE).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(view(&keyring), expected, "{what}");
        assert!(keyring.confirmed() && world.objects().len() == 1 && !lives(&world, &dead), "{what}");
    }
}

#[test]
fn with_a_token_a_first_start_that_fails_at_any_step_can_be_repeated() {
    let in_files = || {
        let world = World::new(1);
        let keyring = super::tests::create(&world.disk).unwrap();
        keyring.add(hour(0), &[(camera(1), deadline(30))]).unwrap();
        (world, keyring.page(hour(0)).unwrap())
    };
    let (world, _) = in_files();
    let start = world.now();
    world.open().unwrap();
    for (at, fault) in world.steps_since(start).into_iter().flat_map(|at| FAULTS.map(|fault| (at, fault))) {
        let (world, page) = in_files();
        world.plan(at, fault);
        let what = format!("{at:?} after {start:?}, {fault:?}");
        drop(world.open());
        world.reboot();
        let keyring = world.open().unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(keyring.page(hour(0)).unwrap(), page, "{what}");
        assert!(keyring.confirmed() && world.objects().len() == 1, "{what}");
        assert!(super::tests::readable_roots(&world.disk).is_empty(), "{what}");
    }
}

#[test]
fn two_faults_in_disk_and_token_leave_a_destruction_that_three_tries_finish() {
    let (world, keyring) = prepared(0);
    let start = world.now();
    assert!(keyring.destroy(hour(0), &Which::All).unwrap().confirmed());
    let steps = world.steps_since(start);
    for happened in [Happened::No, Happened::Yes] {
        for (n, first) in steps.iter().enumerate() {
            for second in &steps[n + 1..] {
                let (world, keyring) = prepared(n as u64);
                let (dead, others) = (page_keys(&world), keyring.page(hour(1)).unwrap());
                for at in [first, second] {
                    world.plan(*at, Fault::Error(happened, ErrorKind::TimedOut));
                }
                let what = format!("{first:?} and {second:?} after {start:?}, {happened:?}");
                let confirmed = (0..3).any(|_| {
                    keyring.destroy(hour(0), &Which::All).is_ok_and(|destroyed| destroyed.confirmed())
                        || keyring.rejoin().is_ok_and(|custodian| custodian.confirmed() && is_gone(&keyring))
                });
                assert!(confirmed && !lives(&world, &dead), "{what}");
                drop(keyring);
                world.reboot();
                let keyring = world.open().unwrap_or_else(|error| panic!("{what}: {error}"));
                assert_eq!((keyring.page(hour(0)).unwrap(), keyring.page(hour(1)).unwrap()), (None, others), "{what}");
                assert!(!lives(&world, &dead) && world.objects().len() == 1, "{what}");
            }
        }
    }
}

fn is_gone(keyring: &FileKeyring) -> bool {
    keyring.page(hour(0)).unwrap().is_none()
}
