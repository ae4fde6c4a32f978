//! The independent auditor over a real keeper: quiet over weeks in order, with orders, restarts and a change of the clocks; an alarm
//! within a quarter of an hour where destruction is late, frozen or ahead, or a clock is wrong (decision 0053).

use crate::{orders::CLI, support::*};
use auditor::{AuditorParts, AuditorRole, findings, judge::Alarm};
use domain::{UtcMicros, limit::RETENTION_ALARM_SECONDS_MAX};
use keeper::{
    KeeperCore,
    wire::{FindingState, RetentionView},
};
use keyring::Which;
use std::{
    path::Path,
    sync::{Arc, Mutex},
};
use vault::keeper::{Beat, Fact};

const MINUTE: i64 = 60;
const VERDICT: &str = "/audit/verdict.json";

/// What the auditor hears: a keeper that may hang.
type Hearing = Arc<Mutex<Option<Arc<KeeperCore>>>>;

struct Watched {
    world: World,
    opened: Opened,
    hearing: Hearing,
    auditor: AuditorRole,
}

fn auditor(world: &World, hearing: &Hearing) -> AuditorRole {
    let hearing = hearing.clone();
    let ask = move || -> Option<RetentionView> { hearing.lock().unwrap().as_ref()?.retention_view().ok() };
    let parts = AuditorParts {
        disk: Arc::new(world.disk.clone()),
        clock: world.clock.clone(),
        stores: vec!["/store".into()],
        public: "/log/public".into(),
        verdict: VERDICT.into(),
        keeper: Box::new(ask),
    };
    AuditorRole::open(parts).unwrap()
}

impl Watched {
    /// Three hours of three cameras, a keeper that had its turn, an auditor that looked.
    fn new(seed: u64) -> Watched {
        let world = World::with_keys_in_memory(seed);
        let opened = world.open();
        let hearing: Hearing = Arc::new(Mutex::new(Some(opened.core.clone())));
        let auditor = auditor(&world, &hearing);
        let mut watched = Watched { world, opened, hearing, auditor };
        for n in 0..3 {
            watched.opened.mint(n, &[1, 2, 3]);
            for _ in 0..60 {
                assert_eq!(watched.minute(true), []);
            }
        }
        watched
    }

    /// A minute passes; the keeper has its turn in it or not; the auditor looks.
    fn minute(&mut self, turns: bool) -> Vec<Alarm> {
        self.world.clock.pass(MINUTE);
        if turns {
            self.opened.core.tick().unwrap();
        }
        self.look()
    }

    fn look(&mut self) -> Vec<Alarm> {
        self.auditor.look().unwrap().raised.iter().map(|raised| raised.alarm.clone()).collect()
    }

    /// Seconds from now until an alarm of this kind is raised.
    fn until(&mut self, turns: bool, is_it: impl Fn(&Alarm) -> bool) -> i64 {
        for minutes in 1..=30 {
            if self.minute(turns).iter().any(&is_it) {
                return minutes * MINUTE;
            }
        }
        panic!("never raised");
    }

    fn pass_until(&mut self, at: UtcMicros) {
        while self.world.now() < at {
            let left = at.since(self.world.now()) / 1_000_000;
            self.world.clock.pass(left.min(5 * MINUTE));
            self.opened.core.tick().unwrap();
            assert_eq!(self.look(), []);
        }
    }

    fn states(&self) -> Vec<FindingState> {
        let findings = findings(&self.world.disk, Path::new(VERDICT), self.world.now().seconds());
        findings.into_iter().map(|finding| finding.state).collect()
    }
}

fn freed(dead: vault::keeper::Dead) -> Fact {
    Fact::Freed { hour: dead.hour, cameras: dead.cameras, reels: vec![], residual: vec![] }
}

/// From 12 March on: clocks go forward on the 29th.
#[test]
fn over_three_weeks_in_order_with_orders_restarts_and_summer_time_nothing_is_raised() {
    let mut watched = Watched::new(71);
    let mut destroyed = 0;
    for now in 3..21 * 24 {
        watched.opened.mint(now, &[1, 2, 3]);
        match now {
            100 => drop(watched.opened.core.order_erasure(CLI, camera(3)).unwrap()),
            200 => drop(watched.opened.core.order_shorter_delay(CLI, camera(2), 4).unwrap()),
            300 => {
                // both are started again; the auditor goes on from its verdict
                watched.opened = watched.world.open();
                *watched.hearing.lock().unwrap() = Some(watched.opened.core.clone());
                watched.auditor = auditor(&watched.world, &watched.hearing);
            }
            400 => {
                watched.world.clock.boot_after(30);
                watched.opened = watched.world.open();
                *watched.hearing.lock().unwrap() = Some(watched.opened.core.clone());
                watched.auditor = auditor(&watched.world, &watched.hearing);
            }
            _ => {}
        }
        let core = &watched.opened.core;
        let dead: Vec<Fact> = core.check(&Beat::default()).unwrap().dead.into_iter().map(freed).collect();
        destroyed += dead.len();
        core.enter(&dead).unwrap();
        watched.pass_until(hour(now + 1).start().plus_seconds(MINUTE));
        assert_eq!(watched.states(), [FindingState::Ok]);
    }
    assert!(destroyed > 21 * 24, "{destroyed}");
}

#[test]
fn a_frozen_destruction_is_an_alarm_within_a_quarter_of_an_hour_and_so_is_a_keeper_that_hangs() {
    let mut watched = Watched::new(72);
    let took = watched.until(false, |alarm| matches!(alarm, Alarm::Frozen { .. }));
    assert!(took <= RETENTION_ALARM_SECONDS_MAX, "{took}");
    assert!(watched.states().contains(&FindingState::Alarm));
    watched.minute(true);
    assert_eq!(watched.minute(true), [], "it turns again");
    *watched.hearing.lock().unwrap() = None;
    let took = watched.until(true, |alarm| matches!(alarm, Alarm::Silent { .. }));
    assert!(took <= RETENTION_ALARM_SECONDS_MAX, "{took}");
    assert!(watched.states().contains(&FindingState::Alarm));
}

#[test]
fn keys_that_outlive_their_deadline_are_an_alarm_within_a_quarter_of_an_hour_of_it() {
    let mut watched = Watched::new(73);
    let deadline = watched.opened.keyring.page(hour(0)).unwrap().unwrap().cameras[&camera(1)].deadline;
    watched.pass_until(deadline.plus_seconds(-15 * MINUTE));
    // the machine boots without any clock that can be believed: keys wait, while destruction goes on to have its turn
    watched.world.clock.boot_without_ntp(60);
    watched.opened = watched.world.open();
    *watched.hearing.lock().unwrap() = Some(watched.opened.core.clone());
    watched.auditor = auditor(&watched.world, &watched.hearing);
    let mut slow = None;
    while watched.world.now() < deadline {
        let raised = watched.minute(true);
        slow = slow.or(raised.iter().any(|alarm| matches!(alarm, Alarm::Slow { .. })).then(|| watched.world.now()));
    }
    assert!(slow.is_some_and(|at| at < deadline), "told before the deadline: {slow:?}");
    let took = watched.until(true, |alarm| matches!(alarm, Alarm::Late { hours: 1, keys: 1, .. }));
    assert!(took <= RETENTION_ALARM_SECONDS_MAX, "{took}");
}

#[test]
fn a_clock_that_somebody_set_is_an_alarm_within_a_quarter_of_an_hour_in_either_direction() {
    for (seed, step) in [(74, 4 * DAY), (75, -3 * 3_600)] {
        let mut watched = Watched::new(seed);
        watched.world.clock.step(step);
        let took = watched.until(true, |alarm| matches!(alarm, Alarm::Clocks { .. } | Alarm::NoTime { .. }));
        assert!(took <= RETENTION_ALARM_SECONDS_MAX, "{took}");
        // by the machine's clock footage of three days is late; the keeper, which does not believe it, destroys nothing
        assert_eq!(watched.look().iter().any(|alarm| matches!(alarm, Alarm::Late { .. })), step > 0);
    }
}

#[test]
fn a_key_that_dies_long_before_its_deadline_without_an_order_is_an_alarm_within_a_quarter_of_an_hour() {
    let mut watched = Watched::new(76);
    let which = Which::Cameras([camera(3)].into());
    watched.opened.keyring.condemn(hour(1), &which).unwrap();
    assert!(watched.opened.keyring.destroy(hour(1), &which).unwrap().confirmed());
    let is_ahead =
        |alarm: &Alarm| matches!(alarm, Alarm::Ahead { hours: 1, keys: 1, .. } | Alarm::Vanished { hours: 1 });
    let took = watched.until(true, is_ahead);
    assert!(took <= RETENTION_ALARM_SECONDS_MAX, "{took}");
    // a keeper that enters nothing of it does not hide it
    let mut watched = Watched::new(77);
    watched.opened.keyring.condemn(hour(1), &which).unwrap();
    assert!(watched.opened.keyring.destroy(hour(1), &which).unwrap().confirmed());
    let took = watched.until(false, |alarm| matches!(alarm, Alarm::Vanished { hours: 1 }));
    assert!(took <= RETENTION_ALARM_SECONDS_MAX, "{took}");
}
