//! Accounts: links that work once, answers that tell a stranger nothing, waits that grow, sessions that end.

use crate::{
    acts::approve,
    authenticator::{PASSWORD, Phone},
    sockets::Served,
    support::*,
};
use domain::Sensitive;
use keeper::wire::{Answer, Control, Question, SetUpDenied};
use ledger::Actor;
use policy::Role;
use vault::keeper::{Beat, Keeper, Verdict, View};

pub fn text(text: &str) -> Sensitive<String> {
    Sensitive::new(text.to_owned())
}

pub fn link(opened: &Opened, name: &str) -> Sensitive<String> {
    let answer = opened.core.account_add(Actor::Cli { uid: 0 }, &text(name), Role::Operator).unwrap();
    let Answer::SetupToken { token, .. } = answer else { panic!("{answer:?}") };
    token
}

#[test]
fn a_setup_link_works_once_and_for_fifteen_minutes() {
    let (world, opened) = opened();
    let served = Served::new(&opened);
    let (late, token) = (link(&opened, "late"), link(&opened, "newcomer"));
    let phone = Phone { seed: Phone::shown(&served, &token), recovery: vec![] };
    let set_up = |token: &Sensitive<String>, password: &str| {
        served.web.set_up(token.clone(), text(password), phone.code(world.now()))
    };
    assert!(set_up(&token, "too short").is_err());
    assert_eq!(set_up(&text("no such token"), PASSWORD).unwrap().err(), Some(SetUpDenied::NoLink));
    let done = set_up(&token, PASSWORD).unwrap().unwrap();
    assert_eq!((done.name, done.role), (text("newcomer"), Role::Operator));
    assert_eq!(set_up(&token, "another password").unwrap().err(), Some(SetUpDenied::NoLink), "a second time");
    world.clock.pass(15 * 60);
    assert_eq!(set_up(&late, PASSWORD).unwrap().err(), Some(SetUpDenied::NoLink), "too late");
    assert!(served.web.sign_in(text("newcomer"), text(PASSWORD), phone.code(world.now())).unwrap().is_ok());
}

#[test]
fn a_wrong_name_and_a_wrong_password_get_the_same_answers_and_the_same_waits() {
    let (world, opened) = opened();
    let served = Served::new(&opened);
    let phone = Phone::set_up(&served, &world, &link(&opened, "known"));
    let tries = |name: &str| {
        let wrong = || served.web.sign_in(text(name), text("a wrong password"), text("123456")).unwrap().err();
        (0..8).map(|_| wrong()).collect::<Vec<_>>()
    };
    let known = tries("known");
    assert_eq!(known, tries("unknown"));
    assert_eq!(known[..4], [Some(0); 4], "people mistype");
    assert!(known[4..].iter().all(|wait| wait.is_some_and(|wait| 0 < wait)), "{known:?}");
    let code = phone.code(world.now().plus_seconds(30));
    assert!(served.web.sign_in(text("known"), text(PASSWORD), code.clone()).unwrap().is_err(), "it has to wait");
    world.clock.pass(3);
    assert!(served.web.sign_in(text("known"), text(PASSWORD), code).unwrap().is_ok());
}

#[test]
fn what_strangers_type_does_not_fill_memory_or_ledger() {
    let (_world, opened) = opened();
    let served = Served::new(&opened);
    let size = opened.core.journal().size();
    let long = |chars| text(&"x".repeat(chars));
    assert!(served.web.sign_in(long(65), text("a wrong password"), text("123456")).unwrap().is_err());
    assert!(served.web.sign_in(text("known"), long(250_000), text("123456")).unwrap().is_err());
    assert!(served.web.sign_in(text("known"), text("a wrong password"), long(250_000)).unwrap().is_err());
    assert_eq!(opened.core.journal().size(), size);
}

#[test]
fn sign_out_and_a_disabled_account_end_permits_within_two_seconds() {
    for disable in [false, true] {
        let (world, opened) = opened();
        let served = Served::new(&opened);
        let phone = Phone::set_up(&served, &world, &link(&opened, "watcher"));
        approve(&opened, "watcher");
        world.clock.pass(30);
        let sign_in = || served.web.sign_in(text("watcher"), text(PASSWORD), phone.code(world.now())).unwrap();
        let (session, _) = sign_in().unwrap();
        let Verdict::Allowed(permit) = served.web.pass(&session, &ask(View::Live, &[1])).unwrap() else {
            panic!("refused")
        };
        let beat = Beat { permits: vec![permit], ..Beat::default() };
        assert_eq!(served.recorder.check(&beat).unwrap().alive, [true]);
        if disable {
            let disabled = Control::AccountDisable { name: text("watcher") };
            assert!(matches!(served.control.ask(&Question::Control(disabled)), Ok(Answer::Done)));
            world.clock.pass(1); // nothing but the disabling may refuse: another second, the next code
            assert!(sign_in().is_err());
        } else {
            served.web.sign_out(&session).unwrap();
        }
        world.clock.pass(2);
        assert_eq!(served.recorder.check(&beat).unwrap().alive, [false]);
        assert!(served.web.session(&session).is_err());
    }
}

#[test]
fn a_session_and_a_link_of_a_doubt_end_when_they_would_have_and_not_a_month_later() {
    let (world, opened) = opened();
    let served = Served::new(&opened);
    let phone = Phone::set_up(&served, &world, &link(&opened, "watcher"));
    opened.mint(0, &[1]);
    let before = world.now();
    world.clock.step(31 * DAY);
    assert_eq!(opened.core.judgement().trusted, None);
    world.clock.pass(1);
    let late = link(&opened, "late");
    // nobody knows which step of time it is: a recovery code counts at any time
    let code = phone.recovery[0].clone();
    let (session, view) = served.web.sign_in(text("watcher"), text(PASSWORD), code).unwrap().unwrap();
    assert!(view.expires <= before.plus_seconds(12 * 3_600 + 1), "{}", view.expires);
    assert!(served.web.session(&session).is_ok(), "whoever looks after the clocks can sign in");
    world.clock.step(-31 * DAY);
    assert!(served.web.session(&session).is_ok());
    world.clock.pass(12 * 3_600);
    assert!(served.web.session(&session).is_err());
    assert!(served.web.set_up_begin(late).unwrap().is_none());
}

#[test]
fn a_session_of_before_a_boot_does_not_come_back_while_no_time_stands() {
    let (world, opened) = opened();
    let served = Served::new(&opened);
    let phone = Phone::set_up(&served, &world, &link(&opened, "watcher"));
    let sign_in = |served: &Served, code: usize| {
        served.web.sign_in(text("watcher"), text(PASSWORD), phone.recovery[code].clone()).unwrap()
    };
    opened.mint(0, &[1]);
    let (session, _) = sign_in(&served, 0).unwrap();
    drop((served, opened));
    world.clock.boot_after(2 * DAY);
    let opened = world.open();
    let served = Served::new(&opened);
    assert_eq!(opened.core.judgement().trusted, None, "the cameras are listened for");
    world.clock.pass(1);
    assert!(served.web.session(&session).is_err(), "by the lower bound it would hold");
    let (session, _) = sign_in(&served, 1).unwrap();
    assert!(served.web.session(&session).is_ok(), "one that begins in the doubt holds");
}

fn opened() -> (World, Opened) {
    let world = World::new(1);
    let opened = world.open();
    (world, opened)
}
