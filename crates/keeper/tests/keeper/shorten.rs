//! The guard on shortening a delay (R14): shown, two persons, a day, cancellable; all of it in the ledger.

use crate::{
    authenticator::{PASSWORD, Phone},
    orders::CLI,
    sockets::Served,
    support::*,
};
use domain::Sensitive;
use keeper::wire::{Answer, DelayDone, PersonProof};
use ledger::Event;
use policy::Role;
use std::collections::HashMap;

struct Town {
    world: World,
    phones: HashMap<&'static str, Phone>,
}

/// Cameras 1 to 3 with five hours a day apart; an administrator who has a telephone, another one, and an officer.
fn town(seed: u64) -> (Town, Opened) {
    let world = World::new(seed);
    let opened = world.open();
    let mut town = Town { world, phones: HashMap::new() };
    for (name, role) in [("anne", Role::Dpo), ("bruno", Role::Administrator), ("carla", Role::Administrator)] {
        let added = opened.core.account_add(CLI, &text(name), role).unwrap();
        let Answer::SetupToken { token, .. } = added else { panic!("{added:?}") };
        town.phones.insert(name, Phone::set_up(&Served::new(&opened), &town.world, &token));
    }
    for day in 0..5 {
        opened.mint(day * 24, &[1, 2, 3]);
        town.world.clock.pass(DAY);
        opened.core.tick().unwrap();
    }
    (town, opened)
}

fn text(text: &str) -> Sensitive<String> {
    Sensitive::new(text.to_owned())
}

impl Town {
    fn proof(&self, name: &str) -> PersonProof {
        self.world.clock.pass(60);
        PersonProof { account: text(name), password: text(PASSWORD), code: self.phones[name].code(self.world.now()) }
    }

    fn ask(&self, opened: &Opened, who: &str, days: u32) -> String {
        let names = ["camera 2".to_owned(), "camera 3".to_owned()];
        match opened.core.delay_ask(CLI, &self.proof(who), &names, days).unwrap() {
            Answer::DelayDone(DelayDone::Asked { request, .. }) => request,
            answer => panic!("{answer:?}"),
        }
    }

    fn approve(&self, opened: &Opened, who: &str, request: &str) -> DelayDone {
        match opened.core.delay_approve(CLI, &self.proof(who), request).unwrap() {
            Answer::DelayDone(done) => done,
            answer => panic!("{answer:?}"),
        }
    }

    /// Hours of a camera that have a key.
    fn alive(&self, opened: &Opened, n: u8) -> usize {
        opened.keyring.hours().iter().filter(|summary| summary.cameras.contains_key(&camera(n))).count()
    }
}

fn changes(opened: &Opened) -> Vec<String> {
    let change = |entry: ledger::Entry| match entry.event {
        Event::Camera { change, .. } if change.starts_with("delay") => Some(change),
        _ => None,
    };
    opened.entries().into_iter().filter_map(change).collect()
}

#[test]
fn a_delay_becomes_shorter_a_day_after_two_persons_and_exactly_what_was_shown_dies() {
    let (town, opened) = town(81);
    let names = ["camera 2".to_owned(), "camera 3".to_owned()];
    let Answer::DelayLosses(shown) = opened.core.delay_preview(&names, 3).unwrap() else { panic!() };
    let losses: Vec<_> = shown.iter().map(|loss| (loss.camera.as_str(), loss.hours)).collect();
    // in a day hours 0 to 3 are older than three days, hour 4 is not; nothing of camera 2 (seven days) is due by itself
    assert_eq!(losses, [("camera 2", 4), ("camera 3", 4)]);
    assert_eq!(changes(&opened), Vec::<String>::new(), "to show is to do nothing");
    let request = town.ask(&opened, "anne", 3);
    assert_eq!(town.approve(&opened, "anne", &request), DelayDone::SamePerson);
    let DelayDone::Approved { from, losses } = town.approve(&opened, "bruno", &request) else { panic!() };
    assert_eq!(losses.iter().map(|loss| loss.hours).sum::<u64>(), 8);
    let (two, three) = (town.alive(&opened, 2), town.alive(&opened, 3));
    town.world.clock.pass_micros(from.since(town.world.now()) - 1_000_000);
    opened.core.tick().unwrap();
    opened.core.destroy_due().unwrap();
    assert_eq!((town.alive(&opened, 2), town.alive(&opened, 3)), (two, three), "a second before nothing died");
    drop(opened);
    town.world.clock.pass(2);
    let opened = town.world.open(); // a restart forgets nothing
    opened.core.destroy_due().unwrap();
    assert_eq!((town.alive(&opened, 2), town.alive(&opened, 3)), (two - 4, three - 4));
    assert_eq!(changes(&opened), ["delay asked", "delay asked", "delay approved", "delay approved", "delay", "delay"]);
    let Answer::Delays(left) = opened.core.delay_list().unwrap() else { panic!() };
    assert_eq!(left, []);
    opened.check_ledger(town.world.now());
}

#[test]
fn one_person_cancels_it_until_the_day_is_over_and_then_nothing_dies() {
    let (town, opened) = town(82);
    let request = town.ask(&opened, "bruno", 3);
    let DelayDone::Approved { from, .. } = town.approve(&opened, "anne", &request) else { panic!() };
    assert!(opened.core.health().unwrap().findings.iter().any(|finding| finding.id == "delay-shortening"));
    let cancelled = opened.core.delay_cancel(CLI, &town.proof("carla"), &request).unwrap();
    assert!(matches!(cancelled, Answer::DelayDone(DelayDone::Cancelled)));
    let before = (town.alive(&opened, 2), town.alive(&opened, 3));
    town.world.clock.pass_micros(from.since(town.world.now()) + 60_000_000);
    opened.core.destroy_due().unwrap();
    assert_eq!((town.alive(&opened, 2), town.alive(&opened, 3)), before);
    assert_eq!(town.approve(&opened, "anne", &request), DelayDone::Unknown);
}

#[test]
fn two_administrators_a_newcomer_a_wrong_code_and_a_week_are_not_enough() {
    let (mut town, opened) = town(83);
    let request = town.ask(&opened, "bruno", 3);
    assert_eq!(town.approve(&opened, "carla", &request), DelayDone::NotThisPerson);
    town.world.clock.pass(60);
    let added = opened.core.account_add(CLI, &text("dora"), Role::Operator).unwrap();
    let Answer::SetupToken { token, .. } = added else { panic!("{added:?}") };
    town.phones.insert("dora", Phone::set_up(&Served::new(&opened), &town.world, &token));
    assert_eq!(town.approve(&opened, "dora", &request), DelayDone::NotThisPerson);
    let wrong = PersonProof { code: text("000000"), ..town.proof("anne") };
    assert!(matches!(opened.core.delay_approve(CLI, &wrong, &request).unwrap(), Answer::Denied { .. }));
    town.world.clock.pass(7 * DAY);
    assert_eq!(town.approve(&opened, "anne", &request), DelayDone::Unknown, "nobody approved it for a week");
}

#[test]
fn no_delay_is_asked_for_that_lengthens_or_that_the_order_forbids() {
    let (_town, opened) = town(84);
    for (name, days) in [("camera 1", 3), ("camera 2", 7), ("camera 2", 8), ("camera 2", 0), ("nobody", 1)] {
        assert!(opened.core.delay_preview(&[name.to_owned()], days).is_err(), "{name} {days}");
    }
    // all with a longer delay
    let Answer::DelayLosses(all) = opened.core.delay_preview(&[], 5).unwrap() else { panic!() };
    assert_eq!(all.len(), 2);
}
