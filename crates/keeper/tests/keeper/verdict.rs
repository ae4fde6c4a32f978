//! The verdict of `vigie verify` goes by a time that can be believed, or says that there is none.

use crate::support::*;
use keeper::{verify::Reading, wire::Verified};

/// What `vigie verify` says where no keeper serves.
fn offline(world: &World, opened: &Opened) -> Verified {
    let mut reading = Reading::default();
    opened.entries().iter().for_each(|entry| reading.take(entry));
    let time = reading.time(&*opened.keyring, &*world.clock);
    let report = opened.core.journal().verify(&[], time.at_most).unwrap();
    let registry = catalog::Registry::open(&world.registry_path()).unwrap();
    reading.verified(&report, &*opened.keyring, &registry, time).unwrap()
}

fn counts(verified: &Verified) -> (bool, bool, usize, usize) {
    (verified.holds, verified.time_is_sure, verified.overdue.len(), verified.perhaps_overdue.len())
}

#[test]
fn a_clock_that_somebody_set_makes_the_verdict_unsure_and_neither_false_nor_true() {
    let world = World::new(1);
    let opened = world.open();
    opened.mint(0, &[1, 2, 3]);
    assert_eq!(counts(&opened.core.verify().unwrap()), (true, true, 0, 0));
    assert_eq!(counts(&offline(&world, &opened)), (true, true, 0, 0));
    for (days, perhaps) in [(5, 1), (31, 3), (-365, 0)] {
        world.clock.step(days * DAY);
        for verified in [opened.core.verify().unwrap(), offline(&world, &opened)] {
            assert_eq!(counts(&verified), (true, false, 0, perhaps), "{days} days");
            assert_eq!(
                (verified.live, verified.judged_at),
                (3, world.true_time()),
                "judged by what has passed for sure"
            );
        }
        world.clock.step(-days * DAY);
        opened.core.tick().unwrap();
    }
}

#[test]
fn of_a_machine_that_was_off_for_a_week_the_verdict_tells_what_is_overdue_only_by_a_clock_that_counts() {
    for (ntp, system, expected) in [
        (true, 8 * DAY, (false, true, 2, 0)),
        (false, 8 * DAY, (true, false, 0, 2)),
        (false, -20 * 365 * DAY, (true, false, 0, 0)),
    ] {
        let world = World::new(2);
        let opened = world.open();
        opened.mint(0, &[1, 2, 3]);
        world.clock.boot_without_ntp(system);
        world.clock.under_ntp(ntp);
        assert_eq!(counts(&offline(&world, &opened)), expected, "NTP {ntp}, {system} s");
    }
}

#[test]
fn a_key_that_is_past_its_deadline_by_the_lower_bound_is_overdue_whatever_clocks_say() {
    let world = World::new(3);
    let opened = world.open();
    opened.mint(0, &[1, 2]);
    world.clock.pass(4 * DAY);
    world.clock.step(-365 * DAY);
    let verified = opened.core.verify().unwrap();
    assert_eq!(counts(&verified), (false, false, 1, 0));
}

/// Root edits the registry with whatever writes SQLite: the file says something else than the ledger.
#[test]
fn an_act_that_root_edited_brought_back_or_wrote_into_the_registry_is_found_with_vigie_running_and_stopped() {
    for (n, what) in
        [(0, "is not the one that the ledger entered"), (1, "not withdrawn in the registry"), (2, "no entry")]
    {
        let world = World::new(90);
        let opened = world.open();
        let cli = ledger::Actor::Cli { uid: 0 };
        opened.core.acts_enter(cli.clone(), vec![crate::acts::order("2026-7", 100 * DAY)]).unwrap();
        opened.core.acts_enter(cli.clone(), vec![crate::acts::order("2026-8", 100 * DAY)]).unwrap();
        opened.core.act_withdraw(cli, "2026-8", None).unwrap();
        assert!(opened.core.verify().unwrap().holds && offline(&world, &opened).holds, "each is as it was entered");
        world.clock.pass(60);
        let registry = catalog::Registry::open(&world.registry_path()).unwrap();
        let known = registry.acts_known(world.now()).unwrap();
        let find = |number| known.iter().find(|version| version.act.number == number).unwrap().act.clone();
        let (mut longer, brought_back) = (find("2026-7"), find("2026-8"));
        longer.until = Some(utc(1_000 * DAY));
        let mut new = longer.clone();
        new.id = domain::ActId([77; 16]);
        let written = [longer, brought_back, new][n].clone();
        registry.acts_put(&[written], world.now()).unwrap();
        for verified in [opened.core.verify().unwrap(), offline(&world, &opened)] {
            assert!(!verified.holds, "{what}");
            let [fault] = &verified.faults[..] else { panic!("{:?}", verified.faults) };
            assert!(fault.contains(what), "{fault}");
        }
    }
}
