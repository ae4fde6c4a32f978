//! What is admitted comes back by replay: equal, in order, once, over any span, across reels, slots, hours and deadlines.
#![cfg(feature = "view")]

mod support;

use disk::{Disk, FaultyDisk, RealDisk};
use domain::{HourLength, Span, StreamId, UtcMicros};
use std::{path::Path, sync::Arc};
use support::{Camera, START, Seeded, Town, brief};

const SLOT_BYTES: u64 = 4 * 1024 * 1024;

fn film(disk: Arc<dyn Disk>, path: Option<&Path>, seconds: i64) -> (Town, support::Life, Vec<Camera>) {
    let mut town = Town::new(disk, path, SLOT_BYTES);
    let mut cameras: Vec<Camera> = (1..=5).map(|number| Camera::new(number, START)).collect();
    cameras[1].group_chunks = 50;
    // one group that begins two reels before the last and spans the turn of an hour
    cameras[2].group_chunks = 170;
    for camera in &cameras[3..] {
        town.keeper.delays.lock().unwrap().insert(camera.stream.camera, 10);
    }
    let mut life = town.start(START).unwrap();
    for second in 1..=seconds {
        town.second(&mut life, &mut cameras, START.plus_seconds(second)).unwrap();
    }
    (town, life, cameras)
}

fn check(town: &Town, life: Option<&support::Life>, stream: StreamId, span: Span) {
    let passages = town.passages(life.map(|life| &life.admitter), stream, span);
    let broken: Vec<usize> = (1..passages.len()).filter(|n| !passages[*n].follows).collect();
    assert_eq!(broken, [0; 0], "{stream:?} {span:?}: recorded without a hole, replayed as with one");
    assert!(passages.first().is_none_or(|first| !first.follows), "before the first nothing is known");
    let found: Vec<_> = passages.into_iter().map(|passage| passage.chunk).collect();
    let owed = town.owed(stream, span);
    assert_eq!(brief(&found), brief(&owed), "{stream:?} {span:?}");
    assert!(found == owed, "{stream:?} {span:?}: other pictures");
}

fn check_spans(town: &Town, life: Option<&support::Life>, cameras: &[Camera], seconds: i64, spans: u64) {
    let (random, whole) = (Seeded::new(9), seconds as u64 * 1_000_000);
    for camera in cameras {
        let begin = START.plus_micros(i64::from(camera.stream.camera.0[0]) * 37_000);
        check(town, life, camera.stream, Span::new(begin, START.plus_seconds(seconds)).unwrap());
        check(town, life, camera.stream, Span::new(START.plus_seconds(-60), START.plus_seconds(3)).unwrap());
        check(town, life, camera.stream, Span::new(START, START).unwrap());
        for _ in 0..spans {
            let from = random.below(whole) as i64;
            let to = from + random.below(20_000_000) as i64;
            check(town, life, camera.stream, Span::new(START.plus_micros(from), START.plus_micros(to)).unwrap());
        }
    }
}

#[test]
fn what_is_admitted_comes_back_over_any_span_while_reels_are_open_and_after_they_closed() {
    let path = Path::new("/store");
    // START stands 450 s before the turn of an hour of 600 s
    let (mut town, mut life, mut cameras) = film(Arc::new(FaultyDisk::new(1)), Some(path), 440);
    check_spans(&town, Some(&life), &cameras, 440, 4);
    for second in 441..=520 {
        town.second(&mut life, &mut cameras, START.plus_seconds(second)).unwrap();
    }
    check_spans(&town, Some(&life), &cameras, 520, 12);
    town.close(&mut life, START.plus_seconds(521)).unwrap();
    check_spans(&town, None, &cameras, 520, 12);
    let rows = town.footage.live_reels().unwrap();
    let hours: std::collections::BTreeSet<_> = rows.iter().map(|row| row.hour).collect();
    let deadlines: std::collections::BTreeSet<_> = rows.iter().map(|row| row.deadline).collect();
    let spanning = rows.iter().filter(|row| vault::Location::from_bytes(&row.location).unwrap().pieces.len() > 1);
    assert_eq!((hours.len(), deadlines.len()), (2, 4), "two hours, two delays");
    assert!(spanning.count() > 0, "some reel lies in two slots");
    assert!(life.store.usage().slots > 4);
}

#[test]
fn what_is_admitted_comes_back_from_a_real_disk_by_a_second_process() {
    let (mut town, mut life, cameras) = film(Arc::new(RealDisk), None, 130);
    check_spans(&town, Some(&life), &cameras, 130, 5);
    town.close(&mut life, START.plus_seconds(131)).unwrap();
    drop(life);
    check_spans(&town, None, &cameras, 130, 10);
    let life = town.start(START.plus_seconds(200)).unwrap();
    assert_eq!(life.recovered.facts, [], "a graceful stop leaves nothing to recover");
    assert_eq!(life.store.usage().slots_free, 0);
}

#[test]
fn a_dead_hour_is_passed_over_and_the_next_begins_with_what_there_is() {
    let (town, life, cameras) = film(Arc::new(FaultyDisk::new(2)), Some(Path::new("/store")), 500);
    let dead = HourLength::SIMULATED.hour_of(START);
    town.keeper.closed.lock().unwrap().insert(dead);
    let stream = cameras[0].stream;
    let span = Span::new(START.plus_seconds(400), START.plus_seconds(480)).unwrap();
    let found = town.replay(Some(&life.admitter), stream, span);
    let owed: Vec<_> =
        town.given[&stream].iter().filter(|chunk| chunk.hour != dead && chunk.first_utc < span.to()).cloned().collect();
    assert_eq!(brief(&found), brief(&owed));
    assert!(found.first().is_some_and(|chunk| chunk.first_utc >= dead.end()));
    let before: UtcMicros = dead.end().plus_seconds(-5);
    let store = town.open_store().unwrap();
    let span = Span::new(START, before).unwrap();
    let (permit, reels) = (town.keeper.permit(stream.camera, span), town.locate(None, stream, span));
    let mut replay = vault::replay::Replay::new(&town.keeper, &store, permit, stream, span, reels);
    assert!(replay.next_reel().is_err(), "nothing but a dead hour is an answer of its own");
}

/// A reel in the middle of a long group is gone: its hour's key died early, its slot was lost.
#[test]
fn what_comes_after_a_missing_reel_does_not_follow_and_what_comes_after_a_whole_one_does() {
    let (mut town, mut life, cameras) = film(Arc::new(FaultyDisk::new(5)), Some(Path::new("/store")), 300);
    town.close(&mut life, START.plus_seconds(301)).unwrap();
    let store = town.open_store().unwrap();
    let span = Span::new(START, START.plus_seconds(300)).unwrap();
    // groups of two seconds, of 25 s and of 85 s
    for camera in &cameras[..3] {
        let permit = town.keeper.permit(camera.stream.camera, span);
        let mut reels = town.locate(None, camera.stream, span);
        let lost = reels.remove(2);
        let mut replay = vault::replay::Replay::new(&town.keeper, &store, permit, camera.stream, span, reels);
        let mut passages = Vec::new();
        while let Some(more) = replay.next_reel().unwrap() {
            passages.extend(more);
        }
        let breaks: Vec<usize> = (1..passages.len()).filter(|n| !passages[*n].follows).collect();
        let [after] = breaks[..] else { panic!("one break: {breaks:?}") };
        assert!(passages[after - 1].chunk.last_utc < lost.first_utc && passages[after].chunk.first_utc > lost.last_utc);
    }
}

#[test]
fn every_second_is_durable_in_the_catalog_with_its_bytes() {
    let (mut town, mut life, cameras) = film(Arc::new(FaultyDisk::new(3)), Some(Path::new("/store")), 10);
    town.close(&mut life, START.plus_seconds(10)).unwrap();
    for camera in &cameras {
        let span = Span::new(START, START.plus_seconds(20)).unwrap();
        let rows = town.footage.locate(camera.stream, span).unwrap();
        let given = &town.given[&camera.stream];
        let pictures: usize = given.iter().map(|chunk| chunk.data.len()).sum();
        let row = rows[0].stream;
        assert_eq!((rows.len(), row.chunks, row.frames), (1, given.len() as u64, given.len() as u64 * 5));
        assert!(row.bytes > pictures as u64 && row.bytes < pictures as u64 + given.len() as u64 * 250);
    }
}
