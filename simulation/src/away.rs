//! Towns that are lived by hand: a recorder that stays away while what it filmed dies.

use crate::{
    checks,
    steps::{idle, keepers_second, second},
    town::Town,
};

/// Found by the fault campaign: when the hour of a stream's last pictures died while no recorder ran, nothing said since when it
/// misses pictures (R12).
#[test]
fn a_stream_whose_last_hour_died_while_its_recorder_was_away_is_missing_since_then() {
    // in some of them the keeper's word of that death comes before the stream is expected, in some after
    for seed in [2, 4, 6, 8, 10, 12] {
        live(seed);
    }
}

fn live(seed: u64) {
    let mut town = Town::new(seed);
    let lives = |town: &mut Town| {
        town.revive().expect("the town starts");
        (0..4).for_each(|_| second(town));
    };
    lives(&mut town);
    // all that camera 1 filmed so far dies, and its reels go
    for _ in 0..60 {
        idle(&mut town, 3_600);
    }
    lives(&mut town);
    town.kill_recorder();
    for _ in 0..26 {
        town.world.clock.pass(3_600);
        keepers_second(&mut town);
    }
    town.note_trouble();
    lives(&mut town);
    checks::whole(&mut town).expect("all that is missing has a beginning and a cause");
}
