//! Claims of the admitter: what waits is not served, what fails is not forgotten, an hour that is over is over.
#![cfg(feature = "view")]

mod support;

use disk::{Fault, FaultyDisk, Happened};
use domain::{HourLength, Span, UtcMicros};
use std::{collections::BTreeSet, io::ErrorKind, path::Path, sync::Arc};
use support::{Camera, Life, START, Town, brief, line_about};
use vault::{admit::Admitted, keeper::Fact};

fn town(cameras: u8, began: UtcMicros) -> (FaultyDisk, Town, Life, Vec<Camera>) {
    let disk = FaultyDisk::new(8);
    let mut town = Town::new(Arc::new(disk.clone()), Some(Path::new("/store")), 256 * 1024);
    let life = town.start(began).unwrap();
    let cameras = (1..=cameras).map(|number| Camera::new(number, began)).collect();
    (disk, town, life, cameras)
}

#[test]
fn a_chunk_without_a_key_is_refused_and_nothing_is_written() {
    let (disk, _, mut life, mut cameras) = town(1, START);
    let before = disk.steps();
    for chunk in cameras[0].film(START.plus_seconds(2)) {
        assert_eq!(life.admitter.admit(chunk, START), Admitted::NoKey);
    }
    life.admitter.sync(START).unwrap();
    assert_eq!((disk.steps(), life.admitter.waiting_bytes()), (before, 0));
}

#[test]
fn what_waits_for_its_sync_is_not_served() {
    let (_, mut town, mut life, mut cameras) = town(1, START);
    let stream = cameras[0].stream;
    town.second(&mut life, &mut cameras, START.plus_seconds(2)).unwrap();
    let durable = town.given[&stream].len();
    for chunk in cameras[0].film(START.plus_seconds(4)) {
        assert_eq!(life.admitter.admit(chunk, START), Admitted::Waiting);
    }
    assert!(life.admitter.waiting_bytes() > 0);
    let span = Span::new(START, START.plus_seconds(10)).unwrap();
    let found = town.replay(Some(&life.admitter), stream, span);
    assert_eq!(brief(&found), brief(&town.given[&stream]));
    assert_eq!(found.len(), durable);
}

#[test]
fn the_buffers_of_chunks_come_back_from_their_sync_empty() {
    let (_, mut town, mut life, mut cameras) = town(1, START);
    town.second(&mut life, &mut cameras, START.plus_seconds(1)).unwrap();
    assert!(!life.admitter.take_emptied().is_empty());
    let chunks = cameras[0].film(START.plus_seconds(2));
    let rooms: Vec<usize> = chunks.iter().map(|chunk| chunk.data.capacity()).collect();
    assert!(!rooms.is_empty());
    for chunk in chunks {
        assert_eq!(life.admitter.admit(chunk, START.plus_seconds(2)), Admitted::Waiting);
    }
    assert!(life.admitter.take_emptied().is_empty(), "what waits is not wiped yet");
    life.admitter.sync(START.plus_seconds(3)).unwrap();
    let emptied = life.admitter.take_emptied();
    assert!(emptied.iter().all(Vec::is_empty));
    assert_eq!(emptied.iter().map(Vec::capacity).collect::<Vec<_>>(), rooms, "each with the room it had");
    life.admitter.sync(START.plus_seconds(4)).unwrap();
    assert!(life.admitter.take_emptied().is_empty());
}

#[test]
fn a_failed_sync_of_a_reels_end_is_an_error_and_the_reel_is_not_called_closed() {
    let (disk, mut town, mut life, mut cameras) = town(2, START);
    town.second(&mut life, &mut cameras, START.plus_seconds(1)).unwrap();
    // nothing new comes in: the last batch is index and footer only; its write is one step, its sync the next
    disk.plan(disk.steps() + 1, Fault::Error(Happened::No, ErrorKind::Other));
    assert!(town.second(&mut life, &mut [], START.plus_seconds(62)).is_err());
    assert!(matches!(town.facts[..], [Fact::Recovered { .. }]), "{:?}", town.facts);
    disk.reboot();
    let life = town.start(START.plus_seconds(70)).unwrap();
    town.assert_complete(&life.store, "the end's sync failed");
    assert_eq!(life.recovered.facts, []);
}

#[test]
fn an_hour_that_is_over_has_no_keys_one_leaf_over_all_its_reels_and_no_slot_in_use_but_by_them() {
    let hour = HourLength::SIMULATED.hour_of(START);
    let began = hour.end().plus_seconds(-70);
    let (disk, mut town, mut life, mut cameras) = town(2, began);
    town.second(&mut life, &mut cameras, began.plus_seconds(1)).unwrap();
    disk.plan(disk.steps(), Fault::Error(Happened::No, ErrorKind::Other));
    assert!(town.second(&mut life, &mut cameras, began.plus_seconds(2)).is_err());
    town.second(&mut life, &mut cameras, began.plus_seconds(3)).unwrap();
    cameras.iter_mut().for_each(|camera| camera.skip(hour.end().plus_seconds(14)));
    for second in 83..98 {
        town.second(&mut life, &mut cameras, began.plus_seconds(second)).unwrap();
    }
    let reels = town.facts.iter().filter_map(|fact| match fact {
        Fact::Reel(reel) | Fact::Recovered { reel, .. } if reel.hour == hour => Some(reel.root),
        _ => None,
    });
    let reels: Vec<_> = reels.collect();
    let leaves: Vec<_> = town.facts.iter().filter(|fact| matches!(fact, Fact::RecorderHour { .. })).collect();
    let (run, root) = (life.admitter.run(), seal::root::tree(&reels));
    assert_eq!(leaves, [&Fact::RecorderHour { run, hour, reels: 2, root }], "the abandoned reel counts too");
    let late = Camera::new(1, hour.end().plus_seconds(-5)).film(hour.end());
    assert_eq!(life.admitter.admit(late[0].clone(), hour.end()), Admitted::NoKey);
    let slots: BTreeSet<u32> = (1..=life.store.usage().slots).collect();
    let free = life.store.usage().slots_free;
    life.store.free(slots);
    let views = life.admitter.open_views(cameras[0].stream);
    let written_to: BTreeSet<u32> = views.iter().flat_map(|view| view.location.slots().collect::<Vec<_>>()).collect();
    let in_use = (life.store.usage().slots - life.store.usage().slots_free) as usize;
    assert_eq!(in_use, written_to.len(), "only the present hour is written to, and nobody's word frees it");
    assert!(life.store.usage().slots_free > free);
}

#[test]
fn a_gap_of_a_stream_alone_is_under_a_root_and_is_no_footage() {
    let (_, mut town, mut life, mut cameras) = town(1, START);
    let (stream, hour) = (cameras[0].stream, HourLength::SIMULATED.hour_of(START));
    let line = line_about(stream, START);
    assert_eq!(life.admitter.admit_gap(line.clone(), hour, START), Admitted::NoKey);
    // the keys come; the camera sends nothing, the town says each second that it is silent
    town.second(&mut life, &mut cameras, START).unwrap();
    town.close(&mut life, START.plus_seconds(1)).unwrap();
    let span = Span::new(START.plus_seconds(-600), START.plus_seconds(600)).unwrap();
    assert_eq!(town.gap_lines(&life.store), [line]);
    assert_eq!((town.footage.day(stream, span).unwrap(), town.locate(None, stream, span)), (vec![], vec![]));
    assert!(matches!(town.facts[..], [Fact::Reel(reel), Fact::RecorderHour { .. }] if reel.streams == 1));
    // and it dies with its camera's key, not before
    let other = [domain::CameraId([99; 16])];
    assert_eq!(town.footage.reels_dead(hour, Some(&other)).unwrap(), []);
    assert_eq!(town.footage.reels_dead(hour, Some(&[stream.camera])).unwrap().len(), 1);
}

#[test]
fn a_full_store_takes_footage_again_when_what_it_holds_is_dead_also_what_had_no_room_for_its_end() {
    for slot_kib in [32, 40, 48, 64] {
        let disk = FaultyDisk::new(8);
        let mut town = Town::new(Arc::new(disk.clone()), Some(Path::new("/store")), slot_kib * 1024);
        let mut life = town.start(START).unwrap();
        let mut cameras = vec![Camera::new(1, START)];
        let full = (1..4_000).find(|second| town.second(&mut life, &mut cameras, START.plus_seconds(*second)).is_err());
        let full = full.expect("400 slots are full some time");
        for more in 1..5 {
            assert!(town.second(&mut life, &mut cameras, START.plus_seconds(full + more)).is_err());
        }
        // the hours die: their rows and slots go, as the recorder's errands do it
        let dead: Vec<_> = town.footage.live_reels().unwrap();
        let after = START.plus_seconds(40 * 86_400);
        for hour in dead.iter().map(|row| row.hour).collect::<BTreeSet<_>>() {
            let rows = town.footage.reels_dead(hour, Some(&[cameras[0].stream.camera])).unwrap();
            let slots: Vec<u32> = rows
                .iter()
                .flat_map(|row| vault::Location::from_bytes(&row.location).unwrap().slots().collect::<Vec<_>>())
                .collect();
            town.footage.forget(&rows.iter().map(|row| row.reel).collect::<Vec<_>>()).unwrap();
            life.store.free(slots);
        }
        cameras[0].skip(after);
        let mut fresh = vec![Camera::new(2, after)];
        drop(town.second(&mut life, &mut fresh, after.plus_seconds(1)));
        town.second(&mut life, &mut fresh, after.plus_seconds(2)).expect("there is room again");
        assert!(life.store.usage().slots_free > 390, "{slot_kib} KiB: {:?}", life.store.usage());
    }
}

#[test]
fn a_reel_that_its_disk_left_open_gets_its_end_with_the_next_one_of_its_family_or_at_the_stop() {
    for seconds_after in [4, 70] {
        let (disk, mut town, mut life, mut cameras) = town(1, START);
        town.second(&mut life, &mut cameras, START.plus_seconds(2)).unwrap();
        disk.unplug(Path::new("/store"));
        assert!(town.second(&mut life, &mut cameras, START.plus_seconds(3)).is_err());
        disk.plug(Path::new("/store"));
        for second in 4..=3 + seconds_after {
            town.second(&mut life, &mut cameras, START.plus_seconds(second)).unwrap();
        }
        let shown = |town: &Town, life: &support::Life| {
            let span = Span::new(START, START.plus_seconds(4 + seconds_after)).unwrap();
            let chunks = town.replay(Some(&life.admitter), cameras[0].stream, span);
            chunks.iter().map(|chunk| (chunk.stream, chunk.first_utc)).collect::<BTreeSet<_>>()
        };
        assert_eq!(shown(&town, &life), town.acknowledged, "what is durable is shown, with or without an end");
        let ended = |town: &Town| town.facts.iter().filter(|fact| matches!(fact, Fact::Recovered { .. })).count();
        assert_eq!(ended(&town), usize::from(seconds_after > 60), "with the end of the reel that came after it");
        town.close(&mut life, START.plus_seconds(4 + seconds_after)).unwrap();
        assert_eq!(ended(&town), 1, "at the stop at the latest");
        let open = town.footage.live_reels().unwrap().into_iter().filter(|row| row.state == catalog::ReelState::Open);
        assert_eq!(open.count(), 0);
        town.assert_complete(&life.store, "after a disk that was away for a moment");
    }
}

/// What is said of all reels of an hour would be wrong as soon as the last one has its end.
#[test]
fn an_hour_is_not_summed_up_while_one_of_its_reels_has_no_end() {
    for stops_while_away in [true, false] {
        let (disk, mut town, mut life, mut cameras) = town(1, START);
        for second in 1..=65 {
            town.second(&mut life, &mut cameras, START.plus_seconds(second)).unwrap();
        }
        disk.unplug(Path::new("/store"));
        assert!(town.second(&mut life, &mut cameras, START.plus_seconds(66)).is_err());
        if stops_while_away {
            drop(town.close(&mut life, START.plus_seconds(67)));
            disk.plug(Path::new("/store"));
            town.start(START.plus_seconds(70)).unwrap();
        } else {
            disk.plug(Path::new("/store"));
            town.second(&mut life, &mut cameras, START.plus_seconds(67)).unwrap();
            town.close(&mut life, START.plus_seconds(68)).unwrap();
        }
        let reels = town.facts.iter().filter(|fact| matches!(fact, Fact::Reel(_) | Fact::Recovered { .. })).count();
        let summed = town.facts.iter().filter_map(|fact| match fact {
            Fact::RecorderHour { reels, .. } => Some(*reels as usize),
            _ => None,
        });
        let expected = if stops_while_away { (Vec::new(), 2) } else { (vec![3], 3) };
        assert_eq!((summed.collect::<Vec<_>>(), reels), expected);
        town.assert_facts_agree("after a disk that was away at the stop");
    }
}
