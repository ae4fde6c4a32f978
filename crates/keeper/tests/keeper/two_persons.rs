//! Two persons say what time it is, when the clocks cannot (K9): entered before it holds, never one person twice.

use crate::{
    authenticator::{PASSWORD, Phone},
    sockets::Served,
    support::*,
};
use domain::{Sensitive, UtcMicros};
use keeper::wire::{Answer, Confirmation, Control, FindingState, Question};
use ledger::{Actor, Event};
use policy::Role;

fn text(text: &str) -> Sensitive<String> {
    Sensitive::new(text.to_owned())
}

/// A keeper in doubt after a boot in the past, with two persons who have passwords, and an hour of which a camera is due.
fn in_doubt(seed: u64) -> (World, Opened) {
    let world = World::new(seed);
    let opened = world.open();
    opened.mint(0, &[1, 2, 3]);
    let served = Served::new(&opened);
    for name in ["anne", "bernard"] {
        let added = opened.core.account_add(Actor::Cli { uid: 0 }, &text(name), Role::Operator).unwrap();
        let Answer::SetupToken { token, .. } = added else { panic!("{added:?}") };
        Phone::set_up(&served, &world, &token);
    }
    drop((served, opened));
    world.clock.boot_without_ntp(-20 * 365 * DAY);
    let opened = world.open();
    opened.core.tick().unwrap();
    (world, opened)
}

fn say(opened: &Opened, who: &str, at: UtcMicros) -> Confirmation {
    match opened.core.clock_confirm(Actor::Cli { uid: 0 }, &text(who), &text(PASSWORD), at).unwrap() {
        Answer::Confirmation(confirmation) => confirmation,
        answer => panic!("{answer:?}"),
    }
}

fn words(opened: &Opened) -> usize {
    let by_persons =
        |entry: &ledger::Entry| matches!((&entry.event, &entry.actor), (Event::Clocks { .. }, Actor::Account { .. }));
    opened.entries().iter().filter(|entry| by_persons(entry)).count()
}

#[test]
fn two_persons_bring_the_time_back_and_one_person_twice_does_not() {
    let (world, opened) = in_doubt(21);
    let now = utc(4 * DAY);
    assert!(matches!(say(&opened, "anne", now), Confirmation::First { .. }));
    assert!(opened.core.clock_view().waits_for_a_second);
    assert_eq!(say(&opened, "anne", now.plus_seconds(3)), Confirmation::SamePerson);
    assert_eq!((words(&opened), opened.destructions()), (1, vec![]));
    world.clock.pass(60);
    assert_eq!(say(&opened, "bernard", now.plus_seconds(70)), Confirmation::Stands { at: now.plus_seconds(60) });
    assert_eq!(words(&opened), 2, "each word is entered before it holds");
    opened.core.tick().unwrap();
    assert_eq!(opened.destructions(), [(hour(0), camera(1))]);
    let health = opened.core.health().unwrap();
    assert_eq!(health.clock.state, FindingState::Warning, "{}", health.clock.detail_en);
    opened.mint(4 * 24, &[2]);
    assert!(matches!(say(&opened, "anne", now), Confirmation::NotNeeded { .. }));
    drop(opened);
    world.clock.pass(60);
    let opened = world.open(); // a restart in the same boot goes on by it
    assert_eq!(opened.core.judgement().trusted, Some(now.plus_seconds(120)));
    opened.check_ledger(now.plus_seconds(120));
    // and when a clock agrees at last, their word has done its work
    world.clock.step(20 * 365 * DAY + 4 * DAY - 60);
    opened.core.tick().unwrap();
    assert_eq!(opened.core.health().unwrap().clock.state, FindingState::Ok);
    world.clock.step(31 * DAY);
    opened.core.tick().unwrap();
    assert_eq!(opened.core.health().unwrap().clock.state, FindingState::Alarm);
}

#[test]
fn a_word_is_bounded_by_the_ledger_by_the_other_word_and_by_fifteen_minutes() {
    let (world, opened) = in_doubt(22);
    let bound = opened.core.judgement().at_least;
    assert!(matches!(say(&opened, "anne", bound.plus_seconds(-1)), Confirmation::TooEarly { .. }));
    assert!(matches!(say(&opened, "anne", bound.plus_seconds(401 * DAY)), Confirmation::TooFar { .. }));
    assert_eq!(words(&opened), 0);
    let now = utc(4 * DAY);
    assert!(matches!(say(&opened, "anne", now), Confirmation::First { .. }));
    assert_eq!(say(&opened, "bernard", now.plus_seconds(301)), Confirmation::Differs { seconds: 301 });
    world.clock.pass(15 * 60 + 1);
    let late = say(&opened, "bernard", now.plus_seconds(901));
    assert!(matches!(late, Confirmation::First { .. }), "the first word is forgotten: {late:?}");
    assert!(opened.core.judgement().trusted.is_none());
}

/// Whoever holds the administrator's console can make accounts and new passwords: that makes no second person.
#[test]
fn an_account_made_or_changed_since_the_clocks_disagree_does_not_count() {
    let (world, mut opened) = in_doubt(24);
    let now = utc(4 * DAY);
    let link = |opened: &Opened, name: &str| {
        let added = opened.core.account_add(Actor::Cli { uid: 0 }, &text(name), Role::Operator).unwrap();
        let Answer::SetupToken { token, .. } = added else { panic!("{added:?}") };
        Phone::set_up(&Served::new(opened), &world, &token);
    };
    link(&opened, "camille"); // made in the doubt
    link(&opened, "bernard"); // an old account, with a password of the doubt
    for restarts in [false, true] {
        if restarts {
            drop(opened);
            opened = world.open();
        }
        for name in ["camille", "bernard"] {
            assert_eq!(say(&opened, name, now), Confirmation::TooNew, "{name}, after a restart: {restarts}");
        }
    }
    assert!(matches!(say(&opened, "anne", now), Confirmation::First { .. }));
    assert_eq!(say(&opened, "bernard", now), Confirmation::TooNew);
    assert_eq!((words(&opened), opened.core.judgement().trusted), (1, None));
    // once a clock agrees again, they are as old as any other when the next doubt comes
    world.clock.step(20 * 365 * DAY + DAY);
    world.clock.under_ntp(true);
    world.clock.pass(120);
    opened.core.tick().unwrap();
    assert!(opened.core.judgement().trusted.is_some());
    world.clock.boot_without_ntp(-20 * 365 * DAY);
    drop(opened);
    let opened = world.open();
    assert!(matches!(say(&opened, "camille", now), Confirmation::First { .. }));
    assert!(matches!(say(&opened, "bernard", now), Confirmation::Stands { .. }));
}

#[test]
fn a_first_person_whose_account_is_disabled_meanwhile_does_not_count() {
    let (_world, opened) = in_doubt(25);
    let now = utc(4 * DAY);
    assert!(matches!(say(&opened, "anne", now), Confirmation::First { .. }));
    opened.core.account_disable(Actor::Cli { uid: 0 }, &text("anne")).unwrap();
    assert!(matches!(say(&opened, "bernard", now), Confirmation::First { .. }), "he is the first now");
    assert_eq!((words(&opened), opened.core.judgement().trusted), (2, None));
}

#[test]
fn each_word_is_entered_with_the_user_of_the_command_line() {
    let (_world, opened) = in_doubt(26);
    for (uid, name) in [(1_000, "anne"), (1_001, "bernard")] {
        let actor = Actor::Cli { uid };
        opened.core.clock_confirm(actor, &text(name), &text(PASSWORD), utc(4 * DAY)).unwrap();
    }
    let said = opened.entries().into_iter().filter_map(|entry| match (entry.event, entry.actor) {
        (Event::Clocks { state }, Actor::Account { .. }) => Some(state),
        _ => None,
    });
    let said: Vec<String> = said.collect();
    assert_eq!(said.len(), 2);
    assert!(said[0].contains(r#""uid":1000"#) && said[1].contains(r#""uid":1001"#), "{said:?}");
}

#[test]
fn a_wrong_password_says_nothing_and_has_to_wait_like_any_sign_in() {
    let (_world, opened) = in_doubt(23);
    let served = Served::new(&opened);
    let ask = |password: &str| {
        let (account, password) = (text("anne"), text(password));
        served.control.ask(&Question::Control(Control::ClockConfirm { account, password, at: utc(4 * DAY) })).unwrap()
    };
    let waits: Vec<u32> = (0..6)
        .map(|_| match ask("a wrong password") {
            Answer::Denied { wait_seconds } => wait_seconds,
            answer => panic!("{answer:?}"),
        })
        .collect();
    assert!(waits.last().is_some_and(|wait| 0 < *wait), "{waits:?}");
    assert!(matches!(ask(PASSWORD), Answer::Denied { .. }), "it has to wait");
    assert_eq!(words(&opened), 0);
    let Answer::Clock(view) = served.control.ask(&Question::Control(Control::Clock)).unwrap() else { panic!() };
    assert_eq!((view.trusted, view.clocks.len()), (None, 3));
}
