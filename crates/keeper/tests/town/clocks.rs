//! Wrong clocks over a town's footage (K9, R9): nothing destroyed wrongly, nothing overdue opened, nobody needed.

use crate::{support::*, town::Town};
use domain::{CameraId, Hour, UtcMicros};
use std::collections::BTreeSet;

/// Twenty days of footage, an hour of each six.
fn town(seed: u64) -> Town {
    let start = crate::calendar::days(2026, 10, 1) * 86_400;
    let mut town = Town::new(World::with_keys_in_memory(seed), start);
    for hour in (0..20 * 24).step_by(6) {
        town.pass_until(UtcMicros::from_seconds(start + hour * 3_600 + 5));
        town.record();
        town.tick();
    }
    town.world.clock.pass(100);
    town.tick();
    town
}

/// What opens now by the keys that the keeper gives for a backup, and by replay.
fn opens(town: &Town) -> BTreeSet<(Hour, CameraId)> {
    let Some(permit) = town.permit() else { return BTreeSet::new() };
    let by_keys = |given: &&crate::town::Given| town.keys_open(&permit, given);
    let opened: BTreeSet<_> =
        town.given.values().filter(by_keys).map(|given| (given.hour, given.stream.camera)).collect();
    let by_replay = town.given.values().filter(|given| town.replay_opens(&permit, given));
    let by_replay: BTreeSet<_> = by_replay.map(|given| (given.hour, given.stream.camera)).collect();
    assert_eq!(opened, by_replay);
    opened
}

/// What must not be over yet, by the true time.
fn young(town: &Town) -> BTreeSet<(Hour, CameraId)> {
    let now = town.now();
    town.given.iter().filter(|(_, given)| !given.is_over(now)).map(|(key, _)| *key).collect()
}

fn alive(town: &Town) -> BTreeSet<(Hour, CameraId)> {
    town.given.iter().filter(|(_, given)| !town.key_is_gone(given)).map(|(key, _)| *key).collect()
}

#[test]
fn a_clock_set_a_month_forward_or_a_year_back_destroys_nothing_and_opens_nothing_overdue() {
    for (seed, days) in [(41, 31), (42, -365)] {
        let mut town = town(seed);
        let before = young(&town);
        assert_eq!((opens(&town), alive(&town)), (before.clone(), before.clone()), "all that is young opens");
        town.world.clock.step(days * DAY);
        town.tick();
        let opened = opens(&town);
        assert_eq!(opened.is_empty(), 0 < days, "forward everything may be due and is closed; back nothing is");
        assert!(opened.is_subset(&young(&town)));
        assert_eq!(alive(&town), before, "and nothing died");
        // for two days nobody comes; what falls due by the time that passes is closed, and waits
        town.world.clock.pass(2 * DAY);
        town.tick();
        assert!(opens(&town).is_subset(&young(&town)), "nothing overdue opens");
        assert_eq!(alive(&town), before);
        let waiting = town.core().health().unwrap().destruction.hours_closed_unconfirmed;
        assert!(waiting > 0, "and it is counted");
        // the cameras say what time it is: what is due dies, what is young opens, with the clock still wrong
        town.hear_cameras();
        town.tick();
        assert_eq!(alive(&town), young(&town));
        town.hear_cameras();
        assert_eq!(opens(&town), young(&town));
        // the clock is set right
        town.world.clock.step(-days * DAY);
        town.world.clock.pass(60);
        town.tick();
        assert_eq!(opens(&town), young(&town));
        town.record();
        let opened = town.opened.as_ref().unwrap();
        opened.check_ledger(town.now());
    }
}

#[test]
fn after_a_week_switched_off_what_is_overdue_is_closed_at_once_and_dies_with_the_time() {
    for ntp in [true, false] {
        let mut town = town(43 + u64::from(ntp));
        let before = young(&town);
        if ntp {
            town.world.clock.boot_after(7 * DAY);
        } else {
            town.world.clock.boot_without_ntp(7 * DAY);
        }
        town.start();
        assert!(young(&town).len() < before.len());
        let opened = opens(&town);
        assert!(opened == if ntp { young(&town) } else { BTreeSet::new() }, "before anything else is done");
        assert_eq!(alive(&town), before, "one clock alone kills nothing, under a time server for two minutes");
        town.hear_cameras();
        town.tick();
        assert_eq!(alive(&town), young(&town));
        town.hear_cameras();
        assert_eq!(opens(&town), young(&town));
        town.begin_run(); // a run that began in doubt has a step of its time and begins again (R9)
        town.record();
        town.opened.as_ref().unwrap().check_ledger(town.now());
    }
}

#[test]
fn an_hour_met_twice_is_two_runs_with_keys_of_their_own_and_both_are_replayed() {
    let mut town = town(46);
    let hour = domain::HourLength::PRODUCT.hour_of(town.now());
    town.given.clear();
    town.record();
    let first = std::mem::take(&mut town.given);
    town.begin_run();
    town.world.clock.pass(5);
    town.record();
    let permit = town.permit().unwrap();
    assert_eq!(first.len(), town.given.len());
    for (key, one) in &first {
        let other = &town.given[key];
        assert_eq!((one.hour, other.hour, one.deadline), (hour, hour, other.deadline));
        assert!(one.part.reel != other.part.reel && one.part.header[..] != other.part.header[..]);
        assert!(one.part.key_record != other.part.key_record, "each run has its own data key (K4)");
        assert!(town.keys_open(&permit, one) && town.keys_open(&permit, other));
        assert!(town.replay_opens(&permit, one) && town.replay_opens(&permit, other));
    }
    let deadline = first.values().map(|given| given.deadline).max().unwrap();
    town.world.clock.pass(deadline.since(town.now()) / 1_000_000);
    town.tick();
    assert!(first.values().all(|given| town.key_is_gone(given)), "one death for both");
    town.opened.as_ref().unwrap().check_ledger(town.now().plus_seconds(-1));
}
