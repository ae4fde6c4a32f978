//! The catalog made anew from the reels equals the one that was lost, whatever was lost and wherever it was interrupted.
#![cfg(feature = "view")]

mod support;

use catalog::{NewReel, ReelEnd, ReelRow, ReelState, StreamRow};
use disk::{Disk, Fault, FaultyDisk, Happened, Open};
use domain::{HourLength, ReelId, RunId, UtcMicros};
use std::{collections::BTreeSet, io::ErrorKind, path::Path, sync::Arc};
use support::{Camera, Life, Town};
use vault::{
    Location,
    keeper::{Fact, ReelFact},
    rebuild::{Outcome, RebuildError, Rebuilder, Rebuilt, Scope, Turn},
    recover::Closer,
};

const SLOT_BYTES: u64 = 48 * 1024;
const STORE: &str = "/store";
const SECONDS: [i64; 9] = [1, 2, 3, 61, 62, 66, 67, 78, 79];

/// 65 s before an hour turns: two reels of each deadline, then the next hour's, then the old hour's end.
fn begin() -> UtcMicros {
    HourLength::SIMULATED.hour_of(support::START).end().plus_seconds(-65)
}

fn later() -> UtcMicros {
    begin().plus_seconds(100)
}

fn town(disk: &FaultyDisk) -> (Town, Vec<Camera>) {
    let town = Town::new(Arc::new(disk.clone()), Some(Path::new(STORE)), SLOT_BYTES);
    let mut cameras: Vec<Camera> = (1..=3).map(|number| Camera::new(number, begin())).collect();
    cameras.iter_mut().for_each(|camera| camera.picture_bytes = 1_200);
    town.keeper.delays.lock().unwrap().insert(cameras[2].stream.camera, 10);
    (town, cameras)
}

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

/// A town that recorded and stopped in order.
fn recorded() -> (FaultyDisk, Town) {
    let disk = FaultyDisk::new(11);
    let (mut town, mut cameras) = town(&disk);
    let mut life = record(&mut town, &mut cameras, || false).unwrap();
    town.close(&mut life, begin().plus_seconds(80)).unwrap();
    (disk, town)
}

fn rebuild(town: &Town, life: &Life, scope: &Scope) -> Result<Outcome, RebuildError> {
    let closer =
        Closer { store: &life.store, footage: &town.footage, grant: &life.grant, run_key: &life.run_key, now: later() };
    Rebuilder { closer, keeper: &town.keeper, turn: &Turn::default() }.rebuild(scope, "a test")
}

fn missing(life: &Life) -> Scope {
    Scope::Missing { also: life.recovered.reels() }
}

/// Every live row with its streams. When a reel was opened and closed stands in none.
fn rows(town: &Town) -> Vec<(ReelRow, Vec<StreamRow>)> {
    let of = |row: ReelRow| {
        let streams = town.footage.streams_of(row.reel).unwrap();
        (ReelRow { opened_at: UtcMicros(0), closed_at: None, ..row }, streams)
    };
    let mut rows: Vec<_> = town.footage.live_reels().unwrap().into_iter().map(of).collect();
    rows.sort_by_key(|(row, _)| row.reel);
    rows
}

/// The same without the numbers of slots: a recovery footer that needs a new slot gets another one while it is not known what
/// the others hold.
fn rows_wherever(town: &Town) -> Vec<(ReelRow, Vec<StreamRow>)> {
    let nowhere = |(row, streams): (ReelRow, Vec<StreamRow>)| {
        let mut location = Location::from_bytes(&row.location).unwrap();
        location.pieces.iter_mut().for_each(|piece| piece.slot = 0);
        (ReelRow { location: location.to_bytes(), ..row }, streams)
    };
    rows(town).into_iter().map(nowhere).collect()
}

/// Loses the catalog, starts, rebuilds.
fn lose_and_rebuild(town: &mut Town) -> (Life, Rebuilt) {
    town.forget_catalog();
    let life = town.start(later()).unwrap();
    let (rebuilt, _) = rebuild(town, &life, &missing(&life)).unwrap();
    (life, rebuilt)
}

#[test]
fn a_rebuilt_catalog_equals_the_one_that_was_lost() {
    let (_, mut town) = recorded();
    let (lost, held) = (rows(&town), town.everything(&town.open_store().unwrap()));
    let place = |row: &ReelRow| Location::from_bytes(&row.location).unwrap().pieces;
    assert!(lost.iter().any(|(row, _)| place(row)[0].slot_offset > 4_096), "reels share slots");
    assert!(lost.iter().any(|(row, _)| place(row).len() > 1), "reels span slots");
    let (life, rebuilt) = lose_and_rebuild(&mut town);
    assert_eq!(rows(&town), lost);
    assert_eq!((rebuilt.entered, rebuilt.left_out_count), (lost.len() as u64, 0));
    assert!(life.store.kept().is_empty(), "the catalog knows them: no deadline of their own");
    assert!(town.everything(&life.store) == held);
}

#[test]
fn after_a_crash_at_any_step_the_rebuilt_catalog_equals_the_recovered_one() {
    for happened in [Happened::No, Happened::Yes] {
        for step in (u64::from(happened == Happened::Yes)..120).step_by(3) {
            let what = format!("power cut ({happened:?}) at step {step}");
            let disk = FaultyDisk::new(step);
            let (mut town, mut cameras) = town(&disk);
            disk.plan(disk.steps() + step, Fault::PowerCut(happened));
            let off = || disk.exists(Path::new(STORE)).is_err();
            drop(record(&mut town, &mut cameras, off));
            disk.reboot();
            // once with the catalog at hand, so that it is known what should be there
            let image = disk.image(Path::new(STORE));
            let life = town.start(later()).unwrap();
            rebuild(&town, &life, &missing(&life)).unwrap();
            let expected = rows_wherever(&town);
            drop(life);
            disk.restore(&image);
            let (life, rebuilt) = lose_and_rebuild(&mut town);
            assert_eq!(rebuilt.left_out, [], "{what}");
            assert_eq!(rows_wherever(&town), expected, "{what}");
            town.assert_complete(&life.store, &what);
            let (again, facts) = rebuild(&town, &life, &Scope::All).unwrap();
            assert_eq!((again.entered, again.corrected, again.removed, facts.len()), (0, 0, 0, 0), "{what}");
        }
    }
}

#[test]
fn streams_that_the_catalog_did_not_hear_of_before_the_crash_are_entered_from_their_reel() {
    let disk = FaultyDisk::new(5);
    let (mut town, mut cameras) = town(&disk);
    let mut life = town.start(begin()).unwrap();
    town.second(&mut life, &mut cameras, begin().plus_seconds(1)).unwrap();
    let open: Vec<ReelRow> = town.footage.live_reels().unwrap();
    drop(life);
    town.forget_catalog();
    for row in &open {
        let ReelRow { reel, run, hour, deadline, opened_at, .. } = *row;
        let location = Location::default().to_bytes();
        town.footage.reel_opened(&NewReel { reel, run, hour, deadline, location, opened_at }).unwrap();
    }
    let life = town.start(later()).unwrap();
    assert!(rows(&town).iter().all(|(_, streams)| streams.is_empty()));
    let (rebuilt, _) = rebuild(&town, &life, &missing(&life)).unwrap();
    assert_eq!(rebuilt.corrected, open.len() as u64);
    assert_eq!(rows(&town).iter().map(|(_, streams)| streams.len()).sum::<usize>(), 3);
}

/// A recorder that died in its first second, and a catalog that knows nothing.
fn died_and_forgotten(seed: u64) -> (FaultyDisk, Town, Vec<Camera>, Life) {
    let disk = FaultyDisk::new(seed);
    let (mut town, mut cameras) = town(&disk);
    let mut life = town.start(begin()).unwrap();
    town.second(&mut life, &mut cameras, begin().plus_seconds(1)).unwrap();
    drop(life);
    town.forget_catalog();
    let life = town.start(later()).unwrap();
    (disk, town, cameras, life)
}

/// Slots that a row of the catalog names and that count as free.
fn free_and_named(town: &Town, life: &Life) -> BTreeSet<u32> {
    let named = town
        .footage
        .live_reels()
        .unwrap()
        .into_iter()
        .flat_map(|row| Location::from_bytes(&row.location).unwrap().slots().collect::<Vec<u32>>());
    named.filter(|slot| life.store.free_slots().contains(slot)).collect()
}

#[test]
fn a_rebuild_that_lost_the_keeper_behind_an_end_it_wrote_is_finished_by_the_next_also_after_a_restart() {
    for restarts in [false, true] {
        let (_, mut town, _, mut life) = died_and_forgotten(12);
        *town.keeper.answers_left.lock().unwrap() = Some(0);
        assert!(rebuild(&town, &life, &missing(&life)).is_err());
        let ended = rows(&town);
        assert!(!ended.is_empty() && ended.iter().all(|(_, streams)| streams.is_empty()), "{ended:?}");
        *town.keeper.answers_left.lock().unwrap() = None;
        if restarts {
            life = town.start(later()).unwrap();
            assert_eq!(life.recovered.unfinished, ended.iter().map(|(row, _)| row.reel).collect());
            assert_eq!(life.recovered.retold.len(), ended.len(), "and the ledger hears of them (L3)");
        }
        let (rebuilt, _) = rebuild(&town, &life, &missing(&life)).unwrap();
        assert_eq!(rebuilt.corrected, ended.len() as u64);
        assert_eq!(rows(&town).iter().map(|(_, streams)| streams.len()).sum::<usize>(), 3);
        assert_eq!(town.footage.reels_without_streams().unwrap(), BTreeSet::new());
    }
}

#[test]
fn an_open_reel_in_a_free_slot_takes_it_for_its_end_and_gives_it_back_when_it_turns_out_to_be_dead() {
    let (_, town, cameras, life) = died_and_forgotten(13);
    // as it is where an order erased the cameras, the slots were freed and then the catalog was lost
    let hour = HourLength::SIMULATED.hour_of(begin());
    town.keeper.dead.lock().unwrap().extend(cameras.iter().map(|camera| (hour, camera.stream.camera)));
    life.store.in_use([]);
    let free = life.store.free_slots();
    *town.keeper.answers_left.lock().unwrap() = Some(0);
    assert!(rebuild(&town, &life, &missing(&life)).is_err());
    assert!(!rows(&town).is_empty());
    assert_eq!(free_and_named(&town, &life), BTreeSet::new(), "nobody writes anew what a row names");
    *town.keeper.answers_left.lock().unwrap() = None;
    let (rebuilt, _) = rebuild(&town, &life, &missing(&life)).unwrap();
    assert!(rebuilt.dead > 0 && rows(&town).is_empty());
    assert_eq!(life.store.free_slots(), free, "and what is dead gives its room");
}

#[test]
fn of_dead_hours_nothing_is_entered_and_of_cameras_erased_early_only_the_others() {
    let (_, mut town) = recorded();
    let lost = rows(&town);
    let first = lost.iter().map(|(row, _)| row.hour).min().unwrap();
    let cameras: BTreeSet<_> = lost.iter().flat_map(|(_, streams)| streams).map(|row| row.stream.camera).collect();
    let second = first.plus(1);
    let dead = &town.keeper.dead;
    dead.lock().unwrap().extend(cameras.iter().map(|camera| (first, *camera)));
    let erased = *cameras.first().unwrap();
    dead.lock().unwrap().insert((second, erased));
    let (_, rebuilt) = lose_and_rebuild(&mut town);
    assert!(rebuilt.dead > 0);
    let now = rows(&town);
    assert!(now.iter().all(|(row, _)| row.hour == second));
    assert!(now.iter().flat_map(|(_, streams)| streams).all(|row| row.stream.camera != erased));
    assert!(!now.is_empty());
}

#[test]
fn what_is_closed_now_keeps_its_slots_and_is_entered_when_it_opens_again() {
    let (_, mut town) = recorded();
    let lost = rows(&town);
    let hours: BTreeSet<_> = lost.iter().map(|(row, _)| row.hour).collect();
    town.keeper.closed.lock().unwrap().extend(hours);
    let (life, rebuilt) = lose_and_rebuild(&mut town);
    assert_eq!((rebuilt.closed, rows(&town).len()), (lost.len() as u64, 0));
    assert_eq!(life.store.usage().slots_free, 0);
    town.keeper.closed.lock().unwrap().clear();
    rebuild(&town, &life, &missing(&life)).unwrap();
    assert_eq!(rows(&town), lost);
}

#[test]
fn a_damaged_reel_alone_is_left_out_and_named_and_nothing_is_written_over_it() {
    let (disk, mut town) = recorded();
    let lost = rows(&town);
    for (victim, _) in &lost {
        let image = disk.image(Path::new(STORE));
        let location = Location::from_bytes(&victim.location).unwrap();
        for (what, at) in [("its header", 20), ("a record's header", record_after_the_first_sync(&town, victim))] {
            let piece = location.pieces.iter().find(|piece| at < piece.reel_offset + piece.bytes).unwrap();
            let offset = piece.slot_offset + at - piece.reel_offset;
            let path = Path::new(STORE).join(format!("slots/{:08}.slot", piece.slot));
            let file = disk.open(&path, Open::Write).unwrap();
            file.write_at(&[0xEE; 9], offset).unwrap();
            file.sync().unwrap();
            let before = disk.image(Path::new(STORE));
            let (_, rebuilt) = lose_and_rebuild(&mut town);
            let others: Vec<_> = lost.iter().filter(|(row, _)| row.reel != victim.reel).cloned().collect();
            assert_eq!(rows(&town), others, "{what} of {}", victim.reel);
            assert_eq!(rebuilt.left_out_count, 1, "{what}: {:?}", rebuilt.left_out);
            assert!(disk.image(Path::new(STORE)).files() == before.files(), "{what}: something was written");
            disk.restore(&image);
        }
    }
}

/// Where the second batch of a reel begins, or its last record where it has one batch.
fn record_after_the_first_sync(town: &Town, row: &ReelRow) -> u64 {
    let store = town.open_store().unwrap();
    let location = Location::from_bytes(&row.location).unwrap();
    let entries = vault::store::walk_index(&store, row.reel, &location).unwrap();
    entries.iter().find(|entry| entry.is(seal::Kind::Extent)).unwrap().offset + 4
}

#[test]
fn a_rebuild_that_is_cut_between_any_two_steps_is_finished_by_the_next() {
    let disk = FaultyDisk::new(7);
    let (mut town, mut cameras) = town(&disk);
    drop(record(&mut town, &mut cameras, || false));
    // killed: the last reels are open
    let image = disk.image(Path::new(STORE));
    let (_, rebuilt) = lose_and_rebuild(&mut town);
    let expected = rows(&town);
    for answers in 0..=rebuilt.reels {
        disk.restore(&image);
        town.forget_catalog();
        let life = town.start(later()).unwrap();
        *town.keeper.answers_left.lock().unwrap() = Some(answers);
        assert!(rebuild(&town, &life, &missing(&life)).is_err(), "after {answers} answers the keeper is away");
        assert!(
            rows(&town).iter().all(|(row, streams)| streams.is_empty() || expected.iter().any(|(one, _)| one == row))
        );
        *town.keeper.answers_left.lock().unwrap() = None;
        drop(life);
        disk.reboot();
        let life = town.start(later()).unwrap();
        rebuild(&town, &life, &missing(&life)).unwrap();
        rebuild(&town, &life, &Scope::All).unwrap();
        assert_eq!(rows(&town), expected, "after {answers} answers");
    }
    for (fault, step) in faults_of_a_rebuild() {
        let what = format!("{fault:?} at step {step}");
        disk.restore(&image);
        town.forget_catalog();
        let life = town.start(later()).unwrap();
        disk.plan(disk.steps() + step, fault);
        drop(rebuild(&town, &life, &missing(&life)));
        drop(life);
        disk.reboot();
        let life = town.start(later()).unwrap();
        rebuild(&town, &life, &Scope::All).unwrap();
        assert_eq!(rows(&town), expected, "{what}");
    }
}

fn faults_of_a_rebuild() -> Vec<(Fault, u64)> {
    let faults = [
        Fault::PowerCut(Happened::No),
        Fault::PowerCut(Happened::Yes),
        Fault::Error(Happened::No, ErrorKind::Other),
        Fault::Error(Happened::Yes, ErrorKind::Other),
    ];
    faults.into_iter().flat_map(|fault| (0..12).map(move |step| (fault, step))).collect()
}

#[test]
fn while_recording_goes_on_a_rebuild_corrects_rows_and_leaves_open_reels_to_their_writer() {
    let disk = FaultyDisk::new(9);
    let (mut town, mut cameras) = town(&disk);
    let mut life = record(&mut town, &mut cameras, || false).unwrap();
    let right = rows(&town);
    let closed: Vec<&ReelRow> = right.iter().map(|(row, _)| row).filter(|row| row.state == ReelState::Closed).collect();
    // a row that lies, one that is gone, one of a reel that never was
    let lie = ReelEnd { location: closed[0].location.clone(), root: [9; 32], bytes: 1, closed_at: later() };
    town.footage.reel_closed(closed[0].reel, &lie).unwrap();
    town.footage.forget(&[closed[1].reel]).unwrap();
    let (reel, run, location) = (ReelId([1; 16]), RunId([2; 16]), Location::default().to_bytes());
    let (hour, deadline) = (closed[0].hour, closed[0].deadline);
    let ghost = NewReel { reel, run, hour, deadline, location: location.clone(), opened_at: later() };
    town.footage.reel_opened(&ghost).unwrap();
    town.footage.reel_closed(reel, &ReelEnd { location, root: [1; 32], bytes: 1, closed_at: later() }).unwrap();
    let (rebuilt, facts) = rebuild(&town, &life, &Scope::All).unwrap();
    assert_eq!((rebuilt.entered, rebuilt.corrected, rebuilt.removed, facts.len()), (1, 1, 1, 1));
    assert_eq!(rows(&town), right);
    // the writer goes on as if nothing had been
    town.second(&mut life, &mut cameras, begin().plus_seconds(80)).unwrap();
    town.close(&mut life, begin().plus_seconds(81)).unwrap();
    town.assert_complete(&life.store, "after a rebuild in between");
    town.assert_facts_agree("after a rebuild in between");
}

#[test]
fn what_the_keeper_never_heard_of_reels_is_told_although_the_catalog_was_lost_with_it() {
    let (_disk, mut town) = recorded();
    let reel = |fact: &Fact| match fact {
        Fact::Reel(reel) | Fact::Recovered { reel, .. } => Some(*reel),
        _ => None,
    };
    let unheard: Vec<ReelFact> = std::mem::take(&mut town.facts).iter().filter_map(reel).collect();
    assert!(unheard.len() >= 4);
    town.forget_catalog();
    let life = town.start(later()).unwrap();
    let (_, facts) = rebuild(&town, &life, &missing(&life)).unwrap();
    let told: Vec<ReelFact> = facts.iter().filter_map(reel).collect();
    let missing: Vec<_> = unheard.iter().filter(|reel| !told.contains(reel)).collect();
    assert!(missing.is_empty() && told.len() == unheard.len(), "{missing:?}");
}

/// Where a reel's last second ends with its slot, its end needs another one.
#[test]
fn a_reel_that_a_start_could_not_end_on_a_full_disk_is_shown_as_soon_as_there_is_room() {
    let mut left_open = 0;
    for kibibytes in (12..60).step_by(4) {
        let disk = FaultyDisk::new(10);
        let mut town = Town::new(Arc::new(disk.clone()), Some(Path::new(STORE)), kibibytes * 1_024);
        let mut cameras = vec![Camera::new(1, begin())];
        drop(record(&mut town, &mut cameras, || false).unwrap());
        disk.fill(Path::new(STORE));
        let life = town.start(later()).unwrap();
        let closer = || Closer {
            store: &life.store,
            footage: &town.footage,
            grant: &life.grant,
            run_key: &life.run_key,
            now: later(),
        };
        let left = &life.recovered.left_open;
        assert_eq!(&closer().still_open(left), left);
        left_open += left.len();
        rebuild(&town, &life, &missing(&life)).unwrap();
        assert_eq!(&closer().still_open(left), left, "there is no room yet");
        disk.drain(Path::new(STORE));
        let (rebuilt, facts) = rebuild(&town, &life, &missing(&life)).unwrap();
        assert_eq!((rebuilt.left_out_count, facts.len()), (0, left.len()), "{kibibytes} KiB");
        assert_eq!(closer().still_open(left), BTreeSet::new());
        town.facts.extend(facts);
        town.assert_complete(&life.store, "once there was room");
        town.assert_facts_agree("once there was room");
    }
    assert!(left_open > 0, "a disk that had no room for an end");
}

#[test]
fn a_rebuilt_catalog_knows_the_gaps_that_the_lost_one_knew() {
    let (_, mut town) = recorded();
    let given: Vec<_> = town.lines_given.clone();
    assert!(given.len() > 20);
    let (_, _) = lose_and_rebuild(&mut town);
    for line in &given {
        let around = domain::Span::new(line.from.plus_seconds(-1), line.from.plus_seconds(1)).unwrap();
        let gaps = town.footage.gaps(line.stream, around).unwrap();
        let found = gaps.iter().find(|gap| gap.from == line.from).expect("learnt from its reel");
        assert_eq!((found.to, found.cause.as_str()), (None, "unsupported-codec JPEG"));
    }
    // ends that no reel tells of are those of the next footage, or of the next gap
    for stream in town.given.keys() {
        town.footage.gaps_settle(*stream, None).unwrap();
        let of_stream = given.iter().filter(|line| line.stream == *stream);
        let first = of_stream.map(|line| line.from).min().expect("lines");
        let around = domain::Span::new(first, first.plus_seconds(1)).unwrap();
        let ended = town.footage.gaps(*stream, around).unwrap();
        assert!(ended[0].to.is_some_and(|to| first < to), "{ended:?}");
    }
}
