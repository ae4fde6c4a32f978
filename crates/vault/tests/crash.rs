//! Recording and recovery are stopped at every step, each way: what a sync acknowledged is there afterwards, and opens equal.
#![cfg(feature = "view")]

mod support;

use catalog::{NewReel, ReelRow, ReelState};
use disk::{Disk, Fault, FaultyDisk, Happened};
use domain::{HourLength, ReelId, UtcMicros};
use std::{collections::BTreeMap, io::ErrorKind, path::Path, sync::Arc};
use support::{Camera, Life, Town, mortal::Mortal};

const SLOT_BYTES: u64 = 48 * 1024;
const STORE: &str = "/store";

/// 65 s before an hour turns: two reels of each deadline, then the next hour's, then the old hour's end.
fn begin() -> UtcMicros {
    HourLength::SIMULATED.hour_of(support::START).end().plus_seconds(-65)
}
const SECONDS: [i64; 9] = [1, 2, 3, 61, 62, 66, 67, 78, 79];

fn town(disk: Arc<dyn Disk>) -> (Town, Vec<Camera>) {
    let town = Town::new(disk, Some(Path::new(STORE)), SLOT_BYTES);
    let mut cameras: Vec<Camera> = (1..=3).map(|number| Camera::new(number, begin())).collect();
    cameras.iter_mut().for_each(|camera| camera.picture_bytes = 1_200);
    town.keeper.delays.lock().unwrap().insert(cameras[2].stream.camera, 10);
    (town, cameras)
}

/// Records until it is over or `dead` says so; errors of single syncs stop nothing.
fn record(town: &mut Town, cameras: &mut [Camera], dead: impl Fn() -> bool) -> Option<Life> {
    let mut life = town.start(begin()).ok()?;
    let mut before = 0;
    for second in SECONDS {
        if second > before + 1 {
            cameras.iter_mut().for_each(|camera| camera.skip(begin().plus_seconds(second - 1)));
        }
        before = second;
        let synced = town.second(&mut life, cameras, begin().plus_seconds(second));
        if dead() && synced.is_err() {
            return None;
        }
    }
    Some(life)
}

/// Recovers twice, records on, closes: everything acknowledged is there each time.
fn assert_recovers(town: &mut Town, disk: &FaultyDisk, what: &str) {
    let now = begin().plus_seconds(100);
    let life = town.start(now).unwrap();
    assert_eq!(life.recovered.left_open.len(), 0, "{what}");
    town.assert_complete(&life.store, what);
    town.assert_facts_agree(what);
    let before = town.everything(&life.store);
    let ended = town.footage.live_reels().unwrap();
    drop(life);
    disk.reboot();
    let mut life = town.start(now).unwrap();
    assert_eq!(life.recovered.facts, [], "{what}: the second recovery found something to do");
    assert!(town.everything(&life.store) == before, "{what}: the second recovery changed something");
    let mut cameras = vec![Camera::new(1, now), Camera::new(3, now)];
    for second in 1..3 {
        town.second(&mut life, &mut cameras, now.plus_seconds(second)).unwrap();
    }
    town.close(&mut life, now.plus_seconds(3)).unwrap();
    drop(life);
    disk.reboot();
    let after = town.everything(&town.open_store().unwrap());
    for row in ended {
        let now = town.footage.reel(row.reel).unwrap();
        assert_eq!(now.as_ref(), Some(&row), "{what}: a closed reel took something more");
    }
    for (stream, chunks) in &before {
        assert!(chunks.iter().all(|chunk| after[stream].contains(chunk)), "{what}: new reels cost old ones something");
    }
    town.assert_complete(&town.open_store().unwrap(), what);
    town.assert_facts_agree(what);
}

fn steps_of_a_whole_run() -> u64 {
    let disk = FaultyDisk::new(0);
    let (mut town, mut cameras) = town(Arc::new(disk.clone()));
    let before = disk.steps();
    let mut life = record(&mut town, &mut cameras, || false).unwrap();
    let steps = disk.steps() - before;
    town.close(&mut life, begin().plus_seconds(80)).unwrap();
    town.assert_complete(&life.store, "nothing failed");
    let rows = town.footage.live_reels().unwrap();
    let pieces = |row: &ReelRow| vault::Location::from_bytes(&row.location).unwrap().pieces;
    assert!(rows.len() >= 6, "two reels before the turn and one after, of two deadlines");
    assert!(rows.iter().any(|row| pieces(row).len() > 1), "some reel spans slots");
    let shared = |row: &ReelRow| pieces(row).first().is_some_and(|piece| piece.slot_offset > 4_096);
    assert!(rows.iter().any(shared), "some reel begins in the middle of a slot");
    steps
}

fn crash_everywhere(fault: Fault) {
    crash_everywhere_times(fault, 1);
}

fn crash_everywhere_times(fault: Fault, times: u64) {
    let steps = steps_of_a_whole_run();
    assert!(steps > 50, "{steps} steps");
    for step in 0..steps + 1 {
        let what = format!("{fault:?} at step {step}, {times} times");
        let disk = FaultyDisk::new(step);
        let (mut town, mut cameras) = town(Arc::new(disk.clone()));
        (0..times).for_each(|more| disk.plan(disk.steps() + step + more, fault));
        let off = || disk.exists(Path::new(STORE)).is_err();
        drop(record(&mut town, &mut cameras, off));
        disk.reboot();
        assert_recovers(&mut town, &disk, &what);
    }
}

#[test]
fn a_power_cut_before_any_step_costs_nothing_that_was_acknowledged() {
    crash_everywhere(Fault::PowerCut(Happened::No));
}

#[test]
fn a_power_cut_after_any_step_costs_nothing_that_was_acknowledged() {
    crash_everywhere(Fault::PowerCut(Happened::Yes));
}

#[test]
fn a_step_that_fails_costs_nothing_that_was_acknowledged_before_or_after() {
    crash_everywhere(Fault::Error(Happened::No, ErrorKind::Other));
}

#[test]
fn a_step_that_happens_but_says_no_costs_nothing_that_was_acknowledged() {
    crash_everywhere(Fault::Error(Happened::Yes, ErrorKind::Other));
}

#[test]
fn steps_that_fail_in_a_row_leave_reels_that_nothing_is_written_behind() {
    for times in 2..5 {
        crash_everywhere_times(Fault::Error(Happened::No, ErrorKind::Other), times);
    }
}

#[test]
fn recovery_may_itself_be_cut_or_refused_at_any_step() {
    let steps = steps_of_a_whole_run();
    let faults = [
        Fault::PowerCut(Happened::No),
        Fault::PowerCut(Happened::Yes),
        Fault::Error(Happened::No, ErrorKind::Other),
        Fault::Error(Happened::Yes, ErrorKind::Other),
    ];
    for step in (5..steps).step_by(7) {
        for (recovery_step, fault) in (0..12).flat_map(|step| faults.map(|fault| (step, fault))) {
            let what = format!("cut at {step}, {fault:?} at step {recovery_step} of recovery");
            let disk = FaultyDisk::new(step);
            let (mut town, mut cameras) = town(Arc::new(disk.clone()));
            disk.plan(disk.steps() + step, Fault::PowerCut(Happened::Yes));
            let off = || disk.exists(Path::new(STORE)).is_err();
            drop(record(&mut town, &mut cameras, off));
            disk.reboot();
            let before = disk.steps();
            disk.plan(before + recovery_step, fault);
            drop(town.start(begin().plus_seconds(100)));
            let reached = disk.steps() > before + recovery_step;
            disk.reboot();
            assert_recovers(&mut town, &disk, &what);
            if !reached {
                break;
            }
        }
    }
}

#[test]
fn what_recovery_of_a_killed_process_reports_survives_a_power_cut_right_after() {
    let steps = steps_of_a_whole_run();
    for effects in 1..steps as i64 {
        let what = format!("killed after {effects} effects");
        let disk = FaultyDisk::new(effects as u64);
        let mortal = Mortal::new(disk.clone());
        let (mut town, mut cameras) = town(Arc::new(mortal.clone()));
        mortal.live(effects);
        drop(record(&mut town, &mut cameras, || mortal.is_dead()));
        mortal.live(i64::MAX);
        let life = town.start(begin().plus_seconds(100)).unwrap();
        let reported = town.everything(&life.store);
        drop(life);
        disk.reboot();
        assert!(town.everything(&town.open_store().unwrap()) == reported, "{what}: reported, then gone");
        assert_recovers(&mut town, &disk, &what);
    }
}

#[test]
fn a_catalog_that_knows_only_that_reels_were_opened_is_enough() {
    let steps = steps_of_a_whole_run();
    for step in (3..steps + 1).step_by(3) {
        let what = format!("cut at {step}, the catalog lags");
        let disk = FaultyDisk::new(step);
        let (mut town, mut cameras) = town(Arc::new(disk.clone()));
        disk.plan(disk.steps() + step, Fault::PowerCut(Happened::No));
        let opened = record_noting_rows(&mut town, &mut cameras, &disk);
        town.forget_catalog();
        opened.values().for_each(|row| town.footage.reel_opened(row).unwrap());
        disk.reboot();
        assert_recovers(&mut town, &disk, &what);
    }
}

#[test]
fn slots_of_reels_that_the_catalog_lost_are_not_overwritten_before_their_deadline() {
    let disk = FaultyDisk::new(3);
    let (mut town, mut cameras) = town(Arc::new(disk.clone()));
    let mut life = record(&mut town, &mut cameras, || false).unwrap();
    town.close(&mut life, begin().plus_seconds(80)).unwrap();
    let slots = life.store.usage().slots;
    drop(life);
    town.forget_catalog();
    let mut life = town.start(begin().plus_seconds(100)).unwrap();
    assert_eq!((life.recovered.unknown_slots.len() as u32, life.store.usage().slots_free), (slots, 0));
    let after_all_deadlines = begin().plus_seconds(40 * 86_400);
    town.second(&mut life, &mut [], after_all_deadlines).unwrap();
    assert_eq!(life.store.usage().slots_free, slots, "nothing in them opens any more");
}

/// A time server that nobody vouched for yet gives the recorder its time: it records by it, and frees nothing by it (K9).
#[test]
fn by_a_time_that_only_a_time_server_says_no_slot_is_freed() {
    let (disk, month) = (FaultyDisk::new(4), 40 * 86_400);
    let (mut town, mut cameras) = town(Arc::new(disk.clone()));
    let mut life = record(&mut town, &mut cameras, || false).unwrap();
    town.close(&mut life, begin().plus_seconds(80)).unwrap();
    let slots = life.store.usage().slots;
    drop(life);
    town.forget_catalog();
    *town.keeper.unsure_seconds.lock().unwrap() = month;
    let ahead = begin().plus_seconds(100 + month);
    let mut life = town.start(ahead).unwrap();
    assert_eq!(life.recovered.unknown_slots.len() as u32, slots, "recovery keeps them");
    town.second(&mut life, &mut [], ahead.plus_seconds(1)).unwrap();
    assert_eq!(life.store.usage().slots_free, 0, "and so does the run");
    town.second(&mut life, &mut [], ahead.plus_seconds(month)).unwrap();
    assert_eq!(life.store.usage().slots_free, slots, "until their deadline has passed for sure");
}

#[test]
fn no_slot_is_lost_when_appending_fails() {
    let steps = steps_of_a_whole_run();
    for step in 0..steps {
        let disk = FaultyDisk::new(step);
        let (mut town, mut cameras) = town(Arc::new(disk.clone()));
        disk.plan(disk.steps() + step, Fault::Error(Happened::No, ErrorKind::StorageFull));
        let Some(mut life) = record(&mut town, &mut cameras, || false) else { continue };
        let closed = town.close(&mut life, begin().plus_seconds(80));
        let rows = town.footage.live_reels().unwrap();
        let locations = rows.iter().map(|row| vault::Location::from_bytes(&row.location).unwrap());
        let used: std::collections::BTreeSet<u32> =
            locations.flat_map(|location| location.slots().collect::<Vec<_>>()).collect();
        let open = rows.iter().filter(|row| row.state == ReelState::Open).count();
        let usage = life.store.usage();
        assert_eq!(usage.slots_free + used.len() as u32, usage.slots, "step {step}: {closed:?}, {open} open");
    }
}

fn record_noting_rows(town: &mut Town, cameras: &mut [Camera], disk: &FaultyDisk) -> BTreeMap<ReelId, NewReel> {
    let mut opened = BTreeMap::new();
    let Ok(mut life) = town.start(begin()) else { return opened };
    let mut before = 0;
    for second in SECONDS {
        if second > before + 1 {
            cameras.iter_mut().for_each(|camera| camera.skip(begin().plus_seconds(second - 1)));
        }
        before = second;
        let synced = town.second(&mut life, cameras, begin().plus_seconds(second));
        for row in town.footage.live_reels().unwrap().into_iter().filter(|row| row.state == ReelState::Open) {
            let ReelRow { reel, run, hour, deadline, location, opened_at, .. } = row;
            opened.insert(reel, NewReel { reel, run, hour, deadline, location, opened_at });
        }
        if synced.is_err() && disk.exists(Path::new(STORE)).is_err() {
            break;
        }
    }
    opened
}
