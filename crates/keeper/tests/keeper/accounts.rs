//! Accounts: links that work once, answers that tell a stranger nothing, waits that grow, sessions that end.

use crate::{
    acts::approve,
    authenticator::{PASSWORD, Phone},
    sockets::Served,
    support::*,
};
use domain::Sensitive;
use keeper::wire::{Answer, Browser, Control, Question, SetUpDenied};
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
    assert!(
        served
            .web
            .sign_in(text("newcomer"), text(PASSWORD), phone.code(world.now()), Browser::default())
            .unwrap()
            .is_ok()
    );
}

#[test]
fn a_wrong_name_and_a_wrong_password_get_the_same_answers_and_the_same_waits() {
    let (world, opened) = opened();
    let served = Served::new(&opened);
    let phone = Phone::set_up(&served, &world, &link(&opened, "known"));
    let tries = |name: &str| {
        let wrong = || {
            served.web.sign_in(text(name), text("a wrong password"), text("123456"), Browser::default()).unwrap().err()
        };
        (0..8).map(|_| wrong()).collect::<Vec<_>>()
    };
    let known = tries("known");
    assert_eq!(known, tries("unknown"));
    assert_eq!(known[..4], [Some(0); 4], "people mistype");
    assert!(known[4..].iter().all(|wait| wait.is_some_and(|wait| 0 < wait)), "{known:?}");
    let code = phone.code(world.now().plus_seconds(30));
    assert!(
        served.web.sign_in(text("known"), text(PASSWORD), code.clone(), Browser::default()).unwrap().is_err(),
        "it has to wait"
    );
    world.clock.pass(3);
    assert!(served.web.sign_in(text("known"), text(PASSWORD), code, Browser::default()).unwrap().is_ok());
}

#[test]
fn what_strangers_type_does_not_fill_memory_or_ledger() {
    let (_world, opened) = opened();
    let served = Served::new(&opened);
    let size = opened.core.journal().size();
    let long = |chars| text(&"x".repeat(chars));
    assert!(
        served.web.sign_in(long(65), text("a wrong password"), text("123456"), Browser::default()).unwrap().is_err()
    );
    assert!(served.web.sign_in(text("known"), long(250_000), text("123456"), Browser::default()).unwrap().is_err());
    assert!(
        served
            .web
            .sign_in(text("known"), text("a wrong password"), long(250_000), Browser::default())
            .unwrap()
            .is_err()
    );
    assert_eq!(opened.core.journal().size(), size);
}

#[test]
fn sign_out_and_a_disabled_account_end_permits_at_once() {
    for disable in [false, true] {
        let (world, opened) = opened();
        let served = Served::new(&opened);
        let phone = Phone::set_up(&served, &world, &link(&opened, "watcher"));
        approve(&opened, "watcher");
        world.clock.pass(30);
        let sign_in = || {
            served.web.sign_in(text("watcher"), text(PASSWORD), phone.code(world.now()), Browser::default()).unwrap()
        };
        let session = sign_in().unwrap().session;
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
        assert_eq!(served.recorder.check(&beat).unwrap().alive, [false], "at once");
        assert!(served.web.session(&session).is_err());
    }
}

#[test]
fn a_session_that_nobody_touches_locks_and_its_views_end_within_a_second() {
    let (world, opened) = opened();
    let served = Served::new(&opened);
    let phone = Phone::set_up(&served, &world, &link(&opened, "watcher"));
    approve(&opened, "watcher");
    world.clock.pass(30);
    let signed_in =
        served.web.sign_in(text("watcher"), text(PASSWORD), phone.code(world.now()), Browser::default()).unwrap();
    let session = signed_in.unwrap().session;
    let Verdict::Allowed(permit) = served.web.pass(&session, &ask(View::Live, &[1])).unwrap() else {
        panic!("refused")
    };
    let alive = || served.web.alive(vec![permit.clone()]).unwrap();
    for _ in 0..4 {
        world.clock.pass(1_800);
        assert_eq!(alive(), [true], "a person moved within the hour that this world allows");
        served.web.session_acts(&session).unwrap();
    }
    let locks = served.web.session(&session).unwrap().locks;
    assert_eq!(locks, world.now().plus_seconds(3_600));
    for _ in 0..6 {
        world.clock.pass(599);
        assert_eq!(alive(), [true]);
        assert!(served.web.session(&session).is_ok(), "a page that asks by itself is no person");
    }
    world.clock.pass(7);
    assert_eq!(alive(), [false]);
    assert!(served.web.session(&session).is_err() && served.web.session_acts(&session).is_err());
}

#[test]
fn a_new_password_ends_running_views_at_once() {
    let (world, opened) = opened();
    let served = Served::new(&opened);
    let phone = Phone::set_up(&served, &world, &link(&opened, "watcher"));
    approve(&opened, "watcher");
    world.clock.pass(30);
    let code = phone.code(world.now());
    let signed_in = served.web.sign_in(text("watcher"), text(PASSWORD), code, Browser::default()).unwrap().unwrap();
    let Verdict::Allowed(permit) = served.web.pass(&signed_in.session, &ask(View::Live, &[1])).unwrap() else {
        panic!("refused")
    };
    assert_eq!(served.web.alive(vec![permit.clone()]).unwrap(), [true]);
    Phone::set_up(&served, &world, &link(&opened, "watcher"));
    assert_eq!(served.web.alive(vec![permit]).unwrap(), [false]);
}

#[test]
fn strangers_who_fail_on_a_name_lock_each_other_out_and_not_the_person_on_a_known_browser() {
    let (world, opened) = opened();
    let served = Served::new(&opened);
    let phone = Phone::set_up(&served, &world, &link(&opened, "watcher"));
    world.clock.pass(30);
    let sign_in = |password: &str, ahead: i64, browser: &Browser| {
        let code = phone.code(world.now().plus_seconds(ahead));
        served.web.sign_in(text("watcher"), text(password), code, browser.clone()).unwrap()
    };
    let at = |place: u8, device: Option<Sensitive<String>>| Browser { place: [place; 16], device };
    let device = sign_in(PASSWORD, 0, &at(1, None)).unwrap().device;
    for n in 0..40 {
        assert!(sign_in("a wrong password", 0, &at(100 + n, None)).is_err());
    }
    let waits = |browser: &Browser| sign_in(PASSWORD, 30, browser).err().is_some_and(|wait| 0 < wait);
    assert!(waits(&at(99, None)), "from many places: everybody unknown waits for that name");
    let forged = Sensitive::new(device.reveal().chars().rev().collect());
    assert!(waits(&at(1, Some(forged))), "nobody makes such a token");
    let tokens = Sensitive::new(format!("{}.{}", "0".repeat(64), device.reveal()));
    assert!(sign_in(PASSWORD, 30, &at(100, Some(tokens))).is_ok(), "the person signs in, wherever she is");
    let known = at(1, Some(device));
    let waits: Vec<_> = (0..6).map(|_| sign_in("a wrong password", 0, &known).err()).collect();
    assert!(waits[5].is_some_and(|wait| 0 < wait), "a known browser has a measure, too: {waits:?}");
}

#[test]
fn one_place_that_tries_many_names_has_to_wait_and_other_places_do_not() {
    let (_world, opened) = opened();
    let served = Served::new(&opened);
    let try_name = |name: String, place: u8| {
        let browser = Browser { place: [place; 16], device: None };
        served.web.sign_in(text(&name), text("a wrong password"), text("123456"), browser).unwrap().err().unwrap()
    };
    let waits: Vec<u32> = (0..32).map(|n| try_name(format!("name-{n}"), 7)).collect();
    assert_eq!(waits[..29], [0; 29]);
    assert!(0 < waits[31], "{waits:?}");
    assert_eq!(try_name("name-1".into(), 8), 0);
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
    let signed_in = served.web.sign_in(text("watcher"), text(PASSWORD), code, Browser::default()).unwrap().unwrap();
    let (session, view) = (signed_in.session, signed_in.view);
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
        served.web.sign_in(text("watcher"), text(PASSWORD), phone.recovery[code].clone(), Browser::default()).unwrap()
    };
    opened.mint(0, &[1]);
    let session = sign_in(&served, 0).unwrap().session;
    drop((served, opened));
    world.clock.boot_after(2 * DAY);
    let opened = world.open();
    let served = Served::new(&opened);
    assert_eq!(opened.core.judgement().trusted, None, "the cameras are listened for");
    world.clock.pass(1);
    assert!(served.web.session(&session).is_err(), "by the lower bound it would hold");
    let session = sign_in(&served, 1).unwrap().session;
    assert!(served.web.session(&session).is_ok(), "one that begins in the doubt holds");
}

fn opened() -> (World, Opened) {
    let world = World::new(1);
    let opened = world.open();
    (world, opened)
}
