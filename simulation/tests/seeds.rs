//! Two hundred lives of a town, short ones (`make sim` has longer ones); and the same seed gives the same life.

use simulation::live;
use std::{
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

const SEEDS: u64 = 200;
const STEPS: usize = 25;

#[test]
fn two_hundred_towns_live_and_every_promise_holds_after_each_step() {
    let (next, failures) = (AtomicU64::new(1), Mutex::new(Vec::new()));
    let chunks = AtomicU64::new(0);
    let work = || loop {
        let seed = next.fetch_add(1, Ordering::SeqCst);
        if seed > SEEDS {
            return;
        }
        match live(seed, STEPS, &mut |_, _| {}) {
            Ok(life) => drop(chunks.fetch_add(life.chunks as u64, Ordering::SeqCst)),
            Err(failure) => failures.lock().unwrap().push(failure.to_string()),
        }
    };
    thread::scope(|scope| {
        (0..thread::available_parallelism().map_or(1, usize::from)).for_each(|_| drop(scope.spawn(work)));
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{} lives failed:\n{}", failures.len(), failures.join("\n"));
    // a town in which nothing happens proves nothing
    assert!(chunks.load(Ordering::SeqCst) > SEEDS * STEPS as u64);
}

#[test]
fn the_same_seed_gives_the_same_life() {
    let life = |seed| live(seed, 60, &mut |_, _| {}).unwrap_or_else(|failure| panic!("{failure}"));
    assert_eq!(life(7), life(7));
    assert_ne!(life(7).digest, life(8).digest);
}
