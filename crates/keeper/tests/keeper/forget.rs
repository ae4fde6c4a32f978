//! The end of the ledger's details: nothing is readable past the log's retention, everything younger is, and what was proved
//! stays proved; whatever fails on the way.

use crate::support::*;
use disk::{Disk, Fault, FaultyDisk, Happened};
use keeper::core::KeyringLogKeys;
use keeper::journal::{JournalError, LogKeyError, LogKeys};
use keyring::{FileKeyring, Keyring, KeyringError};
use ledger::{Actor, Checkpoint, Digest, Event, Fault as LogFault, Month, verify_growth, verify_inclusion};
use std::{collections::BTreeMap, io::ErrorKind, sync::Arc};
use vault::keeper::{Fact, Minted, View};

const FAULTS: [Fault; 4] = [
    Fault::Error(Happened::No, ErrorKind::StorageFull),
    Fault::Error(Happened::Yes, ErrorKind::TimedOut),
    Fault::PowerCut(Happened::No),
    Fault::PowerCut(Happened::Yes),
];
const MARCH: u32 = 202_603;
/// START is 12 March 2026, 14:00: so many seconds to 1 April 2027, when March's details end.
const TO_MARCHS_END: i64 = 384 * DAY + 10 * 3_600;

fn month(yyyymm: u32) -> Month {
    Month::from_yyyymm(yyyymm).unwrap()
}

fn in_keyring(yyyymm: u32) -> keyring::Month {
    keyring::Month::new(yyyymm).unwrap()
}

/// What the ledger says about its own details, in order.
fn ends(opened: &Opened) -> Vec<(&'static str, u32)> {
    let mut ends = Vec::new();
    readable(opened, |event| match event {
        Event::LogKeyCondemned { month, .. } => ends.push(("condemned", month.yyyymm())),
        Event::LogKeyDestroyed { month, copies, .. } => {
            assert_eq!(*copies, 2);
            ends.push(("destroyed", month.yyyymm()));
        }
        _ => {}
    });
    ends
}

/// Every event whose details still open.
fn readable(opened: &Opened, mut visit: impl FnMut(&Event)) {
    let journal = opened.core.journal();
    let mut each = |sealed| {
        match journal.open_entry(&sealed) {
            Ok(entry) => visit(&entry.event),
            Err(JournalError::Key(LogKeyError::Gone { .. })) => {}
            Err(error) => panic!("entry {}: {error}", sealed.seq),
        }
        Ok(())
    };
    journal.each(0, &mut each).unwrap();
}

fn free(opened: &Opened) {
    let freed = |dead: vault::keeper::Dead| Fact::Freed {
        hour: dead.hour,
        cameras: dead.cameras,
        reels: vec![],
        residual: vec![],
    };
    let dead = opened.core.check(&Default::default()).unwrap().dead;
    opened.core.enter(&dead.into_iter().map(freed).collect::<Vec<_>>()).unwrap();
}

/// What five years leave behind to be checked at the end of each month.
#[derive(Default)]
struct Kept {
    checkpoints: Vec<Checkpoint>,
    leaves: Vec<(u64, Digest)>,
    /// Each month's log key, as an image of a keyring's disk would have it.
    keys: BTreeMap<u32, [u8; 32]>,
    footage: Vec<(i64, Minted)>,
}

#[test]
fn at_each_month_of_five_years_what_is_past_the_retention_is_dark_and_everything_younger_and_every_proof_stands() {
    let world = World::new(11);
    let mut kept = Kept::default();
    let mut last_destroyed = 0;
    for n in 0..60 {
        let opened = world.open_with_session();
        let hours = (world.now().since(utc(0))) / 3_600_000_000;
        for ahead in 0..2 {
            let minted = opened.mint(hours + ahead, &[1, 3]);
            kept.footage.push((hours + ahead, minted[1].clone()));
        }
        opened.permit(View::Live, &[1]);
        world.clock.pass(10 * DAY);
        opened.core.tick().unwrap();
        free(&opened);
        check_footage(&world, &kept);
        world.clock.pass(10 * DAY + 37_620);
        opened.core.tick().unwrap();
        free(&opened);
        world.clock.pass(10 * DAY);
        opened.core.tick().unwrap();
        opened.core.tick().unwrap();
        let head = opened.core.journal().head();
        kept.checkpoints.push(head);
        kept.leaves.push((head.size - 1, opened.core.journal().read(head.size - 1).unwrap().commitment));
        for known in opened.keyring.log_months() {
            kept.keys.insert(known.yyyymm(), *opened.keyring.log_key(known).unwrap().expose());
        }
        check_details(&world, &opened);
        check_proofs(&opened, &kept);
        opened.check_ledger(world.now());
        let health = opened.core.health().unwrap();
        assert!(health.findings.iter().all(|finding| finding.id != "log-retention"));
        assert!(last_destroyed <= health.destruction.camera_hours_destroyed, "the figure never falls: month {n}");
        last_destroyed = health.destruction.camera_hours_destroyed;
        check_footage(&world, &kept);
    }
    assert_eq!(last_destroyed, 60 * 2 * 2, "two hours of two cameras each month, all of them dead");
    check_disks(&world, &kept);
}

/// Every entry opens until its month's retention is over, and none after.
fn check_details(world: &World, opened: &Opened) {
    let (journal, now) = (opened.core.journal(), world.now());
    let (mut dark, mut young) = (0, 0);
    let mut each = |sealed: keeper::journal::SealedEntry| {
        let is_over = sealed.month.details_end(12) <= now;
        match journal.open_entry(&sealed) {
            Ok(_) => assert!(!is_over, "entry {} of {} still opens at {now}", sealed.seq, sealed.month),
            Err(JournalError::Key(LogKeyError::Gone { .. })) => {
                assert!(is_over, "entry {} is dark too early", sealed.seq)
            }
            Err(error) => panic!("{error}"),
        }
        if is_over {
            dark += 1
        } else {
            young += 1
        }
        Ok(())
    };
    journal.each(0, &mut each).unwrap();
    assert!(young > 0 && (dark > 0) == (month(MARCH).details_end(12) <= now));
}

/// Two hours of a camera with thirty days: those of this month open until then, those of earlier months never.
fn check_footage(world: &World, kept: &Kept) {
    let opened = world.open_with_session();
    for (hour, minted) in kept.footage.iter().rev().take(4) {
        let is_young = world.now() < minted.deadline.plus_seconds(-600);
        assert_eq!(opened.opens(minted, hour * 3_600), is_young, "footage of hour {hour} at {}", world.now());
    }
}

fn check_proofs(opened: &Opened, kept: &Kept) {
    let (journal, head) = (opened.core.journal(), opened.core.journal().head());
    for old in &kept.checkpoints {
        let proof = journal.prove_growth(head.size, old.size).unwrap();
        verify_growth(&proof, (old.size, old.root), (head.size, head.root)).unwrap();
    }
    for (seq, commitment) in &kept.leaves {
        let proof = journal.prove_inclusion(head.size, *seq).unwrap();
        verify_inclusion(&proof, head.size, head.root, *seq, commitment).unwrap();
    }
}

/// No slot of any copy, opened alone with the passphrase, has a key that died; none was ever written in clear.
fn check_disks(world: &World, kept: &Kept) {
    let living = world.open().keyring.log_months();
    let dead: Vec<u32> = kept.keys.keys().copied().filter(|month| !living.contains(&in_keyring(*month))).collect();
    assert!(dead.len() >= 47, "{} months of sixty are over", dead.len());
    for copy in 0..2 {
        for slot in ["root.0", "root.1"] {
            let (image, alone) = (world.disk.image(&folder(copy)), FaultyDisk::new(1));
            alone.restore(&image);
            let other = if slot == "root.0" { "root.1" } else { "root.0" };
            alone.remove(&folder(copy).join(other)).unwrap();
            let copies = [folder(copy), folder(1 - copy)];
            let opened = FileKeyring::open(Arc::new(alone), copies, SITE, PASSPHRASE, world.random.clone()).unwrap();
            for month in &dead {
                let answer = opened.log_key_to_read(in_keyring(*month));
                assert!(matches!(answer, Err(KeyringError::LogKeyDestroyed { .. })), "{slot} of copy {copy}: {month}");
            }
        }
    }
    for (path, bytes) in world.disk.all_bytes_ever_written() {
        let shows = |key: &[u8; 32]| bytes.windows(32).any(|window| window == key);
        assert!(!kept.keys.values().any(shows), "a log key in clear in {}", path.display());
    }
}

/// What K3 says of a bare file: who copied the keyring's disk before keeps the month.
#[test]
fn an_image_of_the_keyring_taken_before_revives_a_month_as_the_statement_says() {
    let world = World::new(12);
    let opened = world.open();
    let (image, old) = (world.disk.image(&folder(0)), FaultyDisk::new(1));
    old.restore(&image);
    world.clock.pass(TO_MARCHS_END);
    opened.core.forget_due().unwrap();
    let keys = KeyringLogKeys(opened.keyring.clone());
    assert!(matches!(keys.month_key(month(MARCH)), Err(LogKeyError::Gone { .. })));
    let copies = [folder(0), folder(1)];
    let revived = FileKeyring::open(Arc::new(old), copies, SITE, PASSPHRASE, world.random.clone()).unwrap();
    assert!(KeyringLogKeys(Arc::new(revived)).month_key(month(MARCH)).is_ok());
    assert!(opened.keyring.custodian().statement().en.contains("revives"));
}

#[test]
fn details_end_at_the_first_instant_after_the_retention_and_not_before() {
    let world = World::new(13);
    let opened = world.open();
    world.clock.pass(TO_MARCHS_END - 61);
    opened.core.tick().unwrap();
    assert_eq!(ends(&opened), []);
    assert!(opened.core.journal().entry(0).is_ok());
    world.clock.pass(1);
    assert_eq!(world.now().seconds(), month(MARCH).details_end(12).seconds());
    opened.core.tick().unwrap();
    assert_eq!(ends(&opened), [("condemned", MARCH), ("destroyed", MARCH)]);
    assert!(matches!(opened.core.journal().entry(0), Err(JournalError::Key(LogKeyError::Gone { .. }))));
}

#[test]
fn no_setting_keeps_an_entry_for_three_years() {
    let mut world = World::new(14);
    world.log_retention_months = 36;
    let opened = world.open();
    let cap = month(MARCH).details_cap();
    world.clock.pass((cap.since(world.now()) / 1_000_000) - DAY - 1);
    opened.core.forget_due().unwrap();
    assert_eq!(opened.keyring.log_months().first(), Some(&in_keyring(MARCH)));
    world.clock.pass(1);
    opened.core.forget_due().unwrap();
    assert_ne!(opened.keyring.log_months().first(), Some(&in_keyring(MARCH)));
    assert_eq!(opened.check_ledger(world.now()).log_key_destroyed, Some(month(MARCH)));
}

#[test]
fn while_the_clocks_are_in_doubt_no_details_end() {
    let world = World::new(15);
    world.open().mint(0, &[1]);
    world.clock.boot_without_ntp(TO_MARCHS_END);
    let opened = world.open();
    opened.core.forget_due().unwrap();
    assert_eq!(ends(&opened), []);
    assert!(opened.core.journal().entry(0).is_ok());
    world.clock.under_ntp(true);
    opened.core.forget_due().unwrap();
    assert_eq!(ends(&opened), [("condemned", MARCH), ("destroyed", MARCH)]);
}

#[test]
fn a_copy_away_leaves_the_month_unconfirmed_with_an_alarm_until_it_returns_also_after_a_restart() {
    let world = World::new(16);
    let opened = world.open();
    world.clock.pass(TO_MARCHS_END);
    world.disk.unplug(&folder(1));
    opened.core.forget_due().unwrap();
    assert_eq!(ends(&opened), [("condemned", MARCH)]);
    drop(opened);
    let opened = world.open();
    opened.core.forget_due().unwrap();
    assert_eq!(ends(&opened), [("condemned", MARCH)]);
    let alarms = |opened: &Opened| opened.core.health().unwrap().findings.iter().any(|it| it.id == "log-retention");
    assert!(alarms(&opened));
    world.disk.plug(&folder(1));
    world.clock.pass(60);
    opened.core.tick().unwrap();
    assert_eq!(ends(&opened), [("condemned", MARCH), ("destroyed", MARCH)]);
    assert!(!alarms(&opened));
}

#[test]
fn whatever_step_fails_a_months_end_is_finished_announced_once_and_never_undone() {
    let template = registry();
    let prepared = |seed| {
        let world = World::beside(seed, registry_like(&template)); // the order changes it
        let opened = world.open();
        opened.core.order_shorter_delay(Actor::Cli { uid: 0 }, camera(3), 9).unwrap();
        world.clock.pass(TO_MARCHS_END);
        (world, opened)
    };
    let (world, opened) = prepared(0);
    let first = world.disk.steps();
    opened.core.forget_due().unwrap();
    let last = world.disk.steps();
    assert!(last > first + 10);
    for (step, fault) in (first..last).flat_map(|step| FAULTS.map(|fault| (step, fault))) {
        let what = format!("step {} of {}, {fault:?}", step - first, last - first);
        let (world, opened) = prepared(step);
        world.disk.plan(step, fault);
        let acknowledged = opened.core.forget_due().is_ok();
        drop(opened);
        world.disk.reboot();
        let opened = world.open();
        let is_dead = opened.keyring.log_months().first() != Some(&in_keyring(MARCH));
        assert!(!acknowledged || is_dead, "acknowledged: {what}");
        assert!(!is_dead || ends(&opened).contains(&("condemned", MARCH)), "announced before: {what}");
        opened.core.forget_due().unwrap();
        assert_eq!(ends(&opened), [("condemned", MARCH), ("destroyed", MARCH)], "{what}");
        opened.check_ledger(world.now());
        drop(opened);
        let opened = world.open();
        assert_eq!(delays(&opened), [9], "the order stands in one entry that can be read: {what}");
        assert_eq!(opened.core.would_die(camera(3), 1), 0);
        opened.core.forget_due().unwrap();
        assert_eq!(ends(&opened).len(), 2, "nothing is left to do: {what}");
    }
}

/// The days of the orders that can be read; those that a crash made happen twice count once.
fn delays(opened: &Opened) -> Vec<u64> {
    let mut days = Vec::new();
    readable(opened, |event| {
        if let Event::Camera { change, details, .. } = event
            && change == "delay"
        {
            let details: serde_json::Value = serde_json::from_str(details).unwrap();
            days.push(details["delay_days"].as_u64().unwrap());
        }
    });
    days.dedup();
    days
}

#[test]
fn a_key_whose_destruction_is_stuck_for_a_year_stays_known_and_overdue_and_dies_when_it_can() {
    let world = World::new(17);
    let opened = world.open();
    opened.mint(0, &[1, 2]);
    world.disk.unplug(&folder(1));
    world.clock.pass(TO_MARCHS_END);
    opened.core.tick().unwrap();
    assert_eq!(opened.destructions_readable(), [], "a copy is away: nothing is entered as destroyed");
    drop(opened);
    let opened = world.open();
    let report = opened.core.journal().verify(&[], world.now()).unwrap();
    assert_eq!((report.faults, report.overdue.len()), (vec![], 2), "the log still knows them");
    world.disk.plug(&folder(1));
    world.clock.pass(60);
    opened.core.tick().unwrap();
    free(&opened);
    let expected = [(hour(0), camera(1)), (hour(0), camera(2))];
    assert_eq!(opened.destructions_readable(), expected);
    opened.check_ledger(world.now());
    assert_eq!(opened.keyring.condemned(), []);
    drop(opened);
    world.open().check_ledger(world.now());
}

#[test]
fn a_destruction_without_its_tombstone_is_not_entered_as_news_a_year_later() {
    let world = World::new(18);
    let opened = world.open();
    opened.mint(0, &[1]);
    world.clock.pass(3 * DAY);
    opened.core.tick().unwrap();
    // the recorder never says that the space is free
    world.clock.pass(TO_MARCHS_END - 3 * DAY);
    opened.core.forget_due().unwrap();
    drop(opened);
    let opened = world.open();
    assert_eq!(opened.core.health().unwrap().destruction.camera_hours_destroyed, 1);
    free(&opened);
    assert_eq!(opened.keyring.condemned(), [], "and its tombstone is entered");
    opened.check_ledger(world.now());
    assert_eq!(opened.destructions_readable(), [(hour(0), camera(1))], "the entry that was made again");
}

#[test]
fn a_month_made_unreadable_without_a_word_is_found() {
    let world = World::new(19);
    let opened = world.open();
    world.clock.pass(40 * DAY);
    opened.core.tick().unwrap();
    assert!(opened.keyring.destroy_log_key(in_keyring(MARCH)).unwrap().confirmed());
    let report = opened.core.journal().verify(&[], world.now()).unwrap();
    assert_eq!(report.faults, [LogFault::DetailsGoneUnannounced { month: month(MARCH) }]);
}

#[test]
fn details_older_than_three_years_are_found() {
    let world = World::new(20);
    let opened = world.open();
    let at = month(MARCH).details_cap();
    assert_eq!(opened.core.journal().verify(&[], at.plus_micros(-1)).unwrap().faults, []);
    let faults = opened.core.journal().verify(&[], at).unwrap().faults;
    assert_eq!(faults, [LogFault::DetailsPastCap { month: month(MARCH) }]);
}

/// Within a boot one clock that agrees with the anchor is enough; a keeper that lost it would need a second one.
#[test]
fn the_anchor_of_a_boot_of_thirteen_months_outlives_its_entrys_month() {
    let world = World::new(21);
    let opened = world.open();
    world.clock.pass(TO_MARCHS_END);
    opened.core.forget_due().unwrap();
    drop(opened);
    world.clock.under_ntp(false);
    let opened = world.open();
    assert_eq!(opened.core.judgement().trusted, Some(world.true_time()));
    drop(opened);
    world.clock.step(40 * DAY);
    assert_eq!(world.open().core.judgement().trusted, None, "no clock agrees with the time kept since the start");
}
