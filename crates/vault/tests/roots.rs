//! A store of several roots: one that is lost loses its own reels, and only for as long as it is lost (decisions 0058 and 0059).
#![cfg(feature = "view")]

mod support;

use catalog::{ReelRow, ReelState};
use disk::FaultyDisk;
use domain::{HourLength, ReelId, Span, UtcMicros};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::Arc,
};
use support::{Camera, Life, Town, brief};
use vault::{
    LocalStore, Location,
    audit::{Auditor, Disagreement},
    census,
    rebuild::{DISK_LOST, Rebuilder, Rebuilt, Scope, Turn},
    recover::Closer,
    scrub::{Looked, Scrubber},
    store::{Trouble, root_of},
};

const SLOT_BYTES: u64 = 48 * 1024;
const ONE: &str = "/one";
const TWO: &str = "/two";
const REELS: i64 = 8;

fn begin() -> UtcMicros {
    HourLength::SIMULATED.hour_of(support::START).start().plus_seconds(30)
}

fn town() -> (FaultyDisk, Town, Vec<Camera>) {
    let disk = FaultyDisk::new(77);
    let mut town = Town::new(Arc::new(disk.clone()), Some(Path::new(ONE)), SLOT_BYTES);
    town.add_root(Path::new(TWO), 3, SLOT_BYTES);
    let mut cameras: Vec<Camera> = (1..=2).map(|number| Camera::new(number, begin())).collect();
    cameras.iter_mut().for_each(|camera| camera.picture_bytes = 1_200);
    (disk, town, cameras)
}

/// Some seconds at the beginning of each minute: a reel each.
fn minutes(town: &mut Town, life: &mut Life, cameras: &mut [Camera], minutes: std::ops::Range<i64>) {
    for second in minutes.flat_map(|minute| [0, 1, 2].map(|second| minute * 61 + second + 1)) {
        let now = begin().plus_seconds(second);
        if second % 61 == 1 {
            cameras.iter_mut().for_each(|camera| camera.skip(now.plus_seconds(-1)));
        }
        town.second(life, cameras, now).unwrap();
    }
}

/// A town that recorded `REELS` reels on two disks and stopped in order.
fn recorded() -> (FaultyDisk, Town) {
    let (disk, mut town, mut cameras) = town();
    let mut life = town.start(begin()).unwrap();
    minutes(&mut town, &mut life, &mut cameras, 0..REELS);
    town.close(&mut life, end()).unwrap();
    (disk, town)
}

fn end() -> UtcMicros {
    begin().plus_seconds(REELS * 61 + 10)
}

fn root(row: &ReelRow) -> u8 {
    Location::from_bytes(&row.location).unwrap().root().unwrap()
}

fn ids(town: &Town) -> BTreeSet<ReelId> {
    town.footage.live_reels().unwrap().iter().map(|row| row.reel).collect()
}

fn on(town: &Town, number: u8) -> Vec<ReelRow> {
    town.footage.live_reels().unwrap().into_iter().filter(|row| root(row) == number).collect()
}

fn rebuild(town: &Town, life: &Life, scope: &Scope) -> Rebuilt {
    let closer = Closer {
        store: &life.store,
        footage: &town.footage,
        grant: &life.grant,
        run_key: &life.run_key,
        now: end().plus_seconds(20),
    };
    let rebuilder = Rebuilder { closer, keeper: &town.keeper, turn: &Turn::default() };
    rebuilder.rebuild(scope, "test").unwrap().0
}

/// What is shown of a camera, of all that was ever given.
fn shown(town: &Town, camera: &Camera) -> usize {
    let span = Span::new(begin().plus_seconds(-60), end()).unwrap();
    town.replay(None, camera.stream, span).len()
}

#[test]
fn reels_are_spread_over_the_roots_and_each_lies_in_one() {
    let (_, town) = recorded();
    let rows = town.footage.live_reels().unwrap();
    let mut counts = BTreeMap::<u8, usize>::new();
    for row in &rows {
        let location = Location::from_bytes(&row.location).unwrap();
        assert!(location.slots().all(|slot| root_of(slot) == root(row)));
        *counts.entry(root(row)).or_default() += 1;
    }
    let least = rows.len() / 2 - 1;
    assert!(counts.len() == 2 && counts.values().all(|reels| *reels >= least), "{counts:?}");
    let store = town.open_store().unwrap();
    town.assert_complete(&store, "spread");
}

#[test]
fn a_root_that_is_lost_while_recording_costs_its_open_reel_a_second_and_no_other_reel() {
    let (disk, mut town, mut cameras) = town();
    let mut life = town.start(begin()).unwrap();
    minutes(&mut town, &mut life, &mut cameras, 0..4);
    let before = ids(&town);
    let open = life.admitter.open_reels();
    let written = life.admitter.open_views(cameras[0].stream)[0].location.root().unwrap();
    let (lost, other) = if written == 0 { (ONE, 3) } else { (TWO, 0) };
    disk.unplug(Path::new(lost));
    let now = |second: i64| begin().plus_seconds(3 * 61 + 3 + second);
    let failed = town.second(&mut life, &mut cameras, now(1)).unwrap_err();
    assert_eq!((failed.trouble(), failed.lost.len()), (Trouble::Away, cameras.len()));
    for second in 2..70 {
        town.second(&mut life, &mut cameras, now(second)).unwrap();
        // the reel that was lost has no end yet, and stays among them
        let mut views = life.admitter.open_views(cameras[0].stream);
        views.retain(|view| !open.contains(&view.reel));
        assert!(views.iter().all(|view| view.location.root() == Some(other)), "second {second}");
    }
    assert!(before.is_subset(&ids(&town)), "no row goes");
    assert!(life.store.roots().iter().any(|root| root.is_gone() && root.path == Path::new(lost)));
    // the disk is back: what lies there is shown again, what was left open gets its end, reels begin there again
    disk.plug(Path::new(lost));
    assert!(life.store.roots().iter().all(|root| root.look().is_none()));
    for second in 70..200 {
        town.second(&mut life, &mut cameras, now(second)).unwrap();
    }
    town.close(&mut life, now(200)).unwrap();
    let rows = town.footage.live_reels().unwrap();
    assert!(rows.iter().all(|row| row.state != ReelState::Open));
    assert!(rows.iter().any(|row| open.contains(&row.reel) && row.state == ReelState::Recovered));
    let later = rows.iter().filter(|row| row.opened_at > now(70)).map(root).collect::<BTreeSet<_>>();
    assert!(later.contains(&written), "used again: {later:?}");
    town.assert_complete(&life.store, "after its return");
}

#[test]
fn a_reel_that_a_lost_disk_left_open_waits_while_an_old_image_is_in_its_place() {
    let (disk, mut town, mut cameras) = town();
    let mut life = town.start(begin()).unwrap();
    minutes(&mut town, &mut life, &mut cameras, 0..4);
    let open = life.admitter.open_reels();
    let written = life.admitter.open_views(cameras[0].stream)[0].location.root().unwrap();
    let path = Path::new(if written == 0 { ONE } else { TWO });
    disk.unplug(path);
    let now = |second: i64| begin().plus_seconds(3 * 61 + 3 + second);
    town.second(&mut life, &mut cameras, now(1)).unwrap_err();
    // what comes back has the right marker, and nothing of ours in its slots; the recorder's look holds it before it counts
    let right = disk.image(path);
    let slots = right.files().iter().filter(|(path, _)| path.extension().is_some_and(|end| end == "slot"));
    let old = slots.fold(right.clone(), |old, (path, bytes)| old.with(path, vec![0; bytes.len()]));
    let held = |life: &Life, town: &Town, second: i64| {
        let root = life.store.root(written).unwrap();
        root.hold(true);
        assert_eq!(root.look(), None);
        census::take(&life.store, &town.footage.live_reels().unwrap(), now(second), 256);
        root.is_held()
    };
    disk.restore(&old);
    disk.plug(path);
    assert!(held(&life, &town, 1));
    for second in 2..20 {
        town.second(&mut life, &mut cameras, now(second)).unwrap();
    }
    assert!(open.is_subset(&ids(&town)), "it is not forgotten");
    disk.restore(&right);
    assert!(!held(&life, &town, 20));
    for second in 20..40 {
        town.second(&mut life, &mut cameras, now(second)).unwrap();
    }
    town.close(&mut life, now(40)).unwrap();
    let rows = town.footage.live_reels().unwrap();
    assert!(rows.iter().any(|row| open.contains(&row.reel) && row.state == ReelState::Recovered));
    town.assert_complete(&life.store, "with its own disk again");
}

#[test]
fn a_start_without_a_root_shows_the_others_forgets_nothing_and_finds_all_of_it_when_it_is_back() {
    let (disk, mut town) = recorded();
    let (rows, cameras) = (ids(&town), [Camera::new(1, begin()), Camera::new(2, begin())]);
    let all = shown(&town, &cameras[0]);
    disk.unplug(Path::new(TWO));
    let mut life = town.start(end()).unwrap();
    assert_eq!((life.store.roots().len(), life.store.absent().len()), (1, 1));
    let some = shown(&town, &cameras[0]);
    assert!(0 < some && some < all, "{some} of {all} chunks");
    for scope in [Scope::Missing { also: BTreeSet::new() }, Scope::All] {
        let rebuilt = rebuild(&town, &life, &scope);
        assert_eq!(rebuilt.removed, 0, "{scope:?}");
    }
    assert_eq!(ids(&town), rows);
    // recording goes on, and the verdict names the disk once
    let mut cameras = cameras;
    cameras.iter_mut().for_each(|camera| camera.skip(end()));
    town.second(&mut life, &mut cameras, end().plus_seconds(2)).unwrap();
    town.close(&mut life, end().plus_seconds(3)).unwrap();
    let site_key = town.keeper.site_key.public();
    let auditor = Auditor { store: &life.store, footage: &town.footage, site_key, now: end(), pace: &|_| {} };
    let disagreements = auditor.audit(&BTreeMap::new()).unwrap().disagreements;
    let reels = on(&town, 3).len() as u64;
    assert!(disagreements.contains(&Disagreement::DiskMissing { root: Some(3), reels }), "{disagreements:?}");
    assert!(!disagreements.iter().any(|found| matches!(found, Disagreement::NoBytes { .. })));
    let scrubber = Scrubber { store: &life.store, footage: &town.footage, site_key, now: end() };
    let looked = scrubber.look(&on(&town, 3)[0], None, &mut |_| true).unwrap();
    assert_eq!(looked, Looked::Passed);
    disk.plug(Path::new(TWO));
    let life = town.start(end().plus_seconds(30)).unwrap();
    assert_eq!(life.store.absent().len(), 0);
    assert_eq!(shown(&town, &cameras[0]), all);
    town.assert_complete(&life.store, "whole again");
}

#[test]
fn a_catalog_that_was_lost_while_a_root_was_away_is_whole_when_the_root_is_back() {
    let (disk, mut town) = recorded();
    let rows = ids(&town);
    disk.unplug(Path::new(TWO));
    town.forget_catalog();
    let life = town.start(end()).unwrap();
    rebuild(&town, &life, &Scope::Missing { also: BTreeSet::new() });
    assert!(ids(&town).is_subset(&rows) && ids(&town) != rows);
    disk.plug(Path::new(TWO));
    let life = town.start(end().plus_seconds(30)).unwrap();
    rebuild(&town, &life, &Scope::Missing { also: BTreeSet::new() });
    assert_eq!(ids(&town), rows);
}

/// A root whose slots are those of an earlier day: all but the first are gone, its marker is the right one.
fn put_back_an_old_image(disk: &FaultyDisk, town: &Town) -> usize {
    let old = on(town, 3);
    let keep: BTreeSet<u32> = Location::from_bytes(&old[0].location).unwrap().slots().collect();
    let image = disk.image(Path::new(TWO));
    for (path, _) in image.files() {
        let slot = path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse::<u32>().ok());
        if slot.is_some_and(|slot| !keep.contains(&slot)) {
            disk::Disk::remove(disk, path).unwrap();
        }
    }
    let there = |row: &&ReelRow| Location::from_bytes(&row.location).unwrap().slots().any(|slot| keep.contains(&slot));
    old.len() - old.iter().filter(there).count()
}

#[test]
fn where_more_than_one_reel_in_a_hundred_is_missing_nothing_is_freed_or_forgotten_before_somebody_says_so() {
    let (disk, mut town) = recorded();
    let rows = ids(&town);
    let missing = put_back_an_old_image(&disk, &town);
    assert!(missing > 0);
    let life = town.start(end()).unwrap();
    let held = |store: &LocalStore| store.roots().iter().map(|root| root.is_held()).collect::<Vec<_>>();
    assert_eq!(held(&life.store), [false, true]);
    // nothing is freed there, whoever asks for it; the other root goes on as ever
    let (mut freed, free) = (BTreeMap::<u8, usize>::new(), life.store.free_slots());
    let slots: Vec<u32> = town
        .footage
        .live_reels()
        .unwrap()
        .iter()
        .flat_map(|row| Location::from_bytes(&row.location).unwrap().slots().collect::<Vec<_>>())
        .collect();
    life.store.free(slots);
    life.store.free_kept(UtcMicros(i64::MAX / 2));
    life.store.free_slots().difference(&free).for_each(|slot| *freed.entry(root_of(*slot)).or_default() += 1);
    assert_eq!(freed.keys().copied().collect::<Vec<_>>(), [0]);
    // no row goes, by itself or by a rebuild that somebody asks for
    for scope in [Scope::Missing { also: BTreeSet::new() }, Scope::All] {
        let rebuilt = rebuild(&town, &life, &scope);
        assert_eq!(rebuilt.removed, 0, "{scope:?}");
        assert_eq!(rebuilt.waiting, if scope == Scope::All { missing as u64 } else { 0 });
    }
    assert_eq!(ids(&town), rows);
    // one person accepts the loss: the rows go, the time is a gap with its cause, and the root is as any other
    let lost: Vec<ReelRow> = on(&town, 3).split_off(on(&town, 3).len() - missing);
    let streams = town.footage.streams_of(lost[0].reel).unwrap();
    let rebuilt = rebuild(&town, &life, &Scope::LossAccepted);
    assert_eq!((rebuilt.removed, rebuilt.waiting), (missing as u64, 0));
    assert_eq!(held(&life.store), [false, false]);
    for part in streams {
        let span = Span::new(part.first_utc, part.last_utc).unwrap();
        let gaps = town.footage.gaps(part.stream, span).unwrap();
        assert!(gaps.iter().any(|gap| gap.cause == DISK_LOST && gap.to.is_some()), "{gaps:?}");
    }
}

#[test]
fn a_disk_that_is_away_stays_so_until_a_look_finds_it_whatever_fails_on_it_meanwhile() {
    let (disk, town) = recorded();
    let store = town.open_store().unwrap();
    let root = store.root(3).unwrap();
    disk.unplug(Path::new(TWO));
    assert_eq!(root.look(), Some(Trouble::Away));
    assert!(store.scan(&BTreeSet::new()).unwrap().away.contains(&3), "its folder does not read");
    assert!(root.is_gone() && store.is_away(&Location::from_bytes(&on(&town, 3)[0].location).unwrap()));
    disk.plug(Path::new(TWO));
    assert!(root.look().is_none() && !root.is_gone());
}

#[test]
fn a_free_slot_that_is_not_there_any_more_costs_no_second() {
    let (disk, mut town) = recorded();
    let mut life = town.start(end()).unwrap();
    while life.store.prepare(2).unwrap() {}
    put_back_an_old_image(&disk, &town);
    disk.unplug(Path::new(ONE));
    for root in life.store.roots() {
        root.look();
    }
    let mut cameras = [Camera::new(1, end()), Camera::new(2, end())];
    for second in 1..70 {
        town.second(&mut life, &mut cameras, end().plus_seconds(second)).unwrap();
    }
}

#[test]
fn where_slots_are_missing_all_other_reels_are_shown() {
    let (disk, town) = recorded();
    let camera = Camera::new(1, begin());
    let chunks = |row: &ReelRow| {
        let parts = town.footage.streams_of(row.reel).unwrap();
        parts.iter().find(|part| part.stream == camera.stream).map_or(0, |part| part.chunks as usize)
    };
    let rows = town.footage.live_reels().unwrap();
    assert_eq!(shown(&town, &camera), rows.iter().map(chunks).sum::<usize>());
    assert!(put_back_an_old_image(&disk, &town) > 0);
    let slots: BTreeSet<u32> = town.open_store().unwrap().root(3).unwrap().slot_numbers().unwrap();
    let is_there = |row: &&ReelRow| {
        let location = Location::from_bytes(&row.location).unwrap();
        root(row) != 3 || location.slots().all(|slot| slots.contains(&slot))
    };
    assert_eq!(shown(&town, &camera), rows.iter().filter(is_there).map(chunks).sum::<usize>());
}

#[test]
fn a_disk_whose_slots_hold_something_else_is_held_by_what_their_first_blocks_say() {
    let (disk, mut town) = recorded();
    let life = town.start(end()).unwrap();
    let rows = town.footage.live_reels().unwrap();
    let counted = census::take(&life.store, &rows, end(), 256);
    assert!(counted.values().all(|census| !census.is_short() && census.looked == census.known), "{counted:?}");
    // all slots are there, and of another use: what a copy of the disk from another week looks like
    let image = disk.image(Path::new(TWO));
    for (path, bytes) in image.files().iter().filter(|(path, _)| path.extension().is_some_and(|end| end == "slot")) {
        disk.restore(&disk.image(Path::new(TWO)).with(path, vec![0; bytes.len()]));
    }
    let counted = census::take(&life.store, &rows, end(), 256);
    assert!(!counted[&0].is_short() && counted[&3].is_short() && counted[&3].missing == 0, "{counted:?}");
    assert!(life.store.root(3).unwrap().is_held() && !life.store.root(0).unwrap().is_held());
}

#[test]
fn what_shares_a_number_with_a_root_that_is_there_is_left_out_and_said_so() {
    let (_, mut town, _) = town();
    town.add_root(Path::new("/copy"), 3, SLOT_BYTES);
    let store = town.open_store().unwrap();
    assert_eq!((store.roots().len(), store.absent().len()), (2, 1));
    let said = store.absent()[0].why.to_string();
    assert!(said.contains("/copy") && said.contains("/two") && said.contains("leave one of them out"), "{said}");
    assert!(brief(&[]).is_empty());
}
