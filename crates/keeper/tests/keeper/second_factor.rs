//! The second factor: no session without it, a code counts once, paper for a lost telephone, seeds that only the keyring opens.

use crate::{
    accounts::{link, text},
    authenticator::{PASSWORD, Phone},
    sockets::Served,
    support::*,
};
use domain::Sensitive;
use keeper::wire::{Browser, SetUpDenied};
use ledger::Event;

fn person(name: &str) -> (World, Opened, Served, Phone) {
    let world = World::new(1);
    let opened = world.open();
    let served = Served::new(&opened);
    let phone = Phone::set_up(&served, &world, &link(&opened, name));
    world.clock.pass(30);
    (world, opened, served, phone)
}

fn denied(served: &Served, password: &str, code: &Sensitive<String>) -> Option<u32> {
    served.web.sign_in(text("watcher"), text(password), code.clone(), Browser::default()).unwrap().err()
}

#[test]
fn there_is_no_session_without_both_factors_and_no_answer_says_which_was_wrong() {
    let (world, opened, served, phone) = person("watcher");
    let right = phone.code(world.now());
    let wrong = text(if right.reveal() == "000000" { "111111" } else { "000000" });
    for (password, code) in [(PASSWORD, &wrong), ("a wrong password", &right), (PASSWORD, &text(""))] {
        assert_eq!(denied(&served, password, code), Some(0));
    }
    assert_eq!(denied(&served, PASSWORD, &right), None, "a code that was shown with a wrong password still counts");
    let said = changes(&opened);
    assert_eq!(
        said[said.len() - 4..],
        ["sign-in failed", "sign-in failed", "sign-in failed", "signed in with password and code"]
    );
}

#[test]
fn who_knows_the_password_and_guesses_codes_has_to_wait_like_who_guesses_passwords() {
    let (world, _opened, served, phone) = person("watcher");
    let code = phone.code(world.now());
    let waits: Vec<_> = (0..8).map(|_| denied(&served, PASSWORD, &text("not a code"))).collect();
    assert_eq!(waits[..4], [Some(0); 4]);
    assert!(waits[4..].iter().all(|wait| wait.is_some_and(|wait| 0 < wait)), "{waits:?}");
    assert!(denied(&served, PASSWORD, &code).is_some(), "it has to wait");
}

#[test]
fn a_code_counts_once_and_for_one_step_beside_its_own() {
    let (world, _opened, served, phone) = person("watcher");
    let code = phone.code(world.now());
    assert_eq!(denied(&served, PASSWORD, &code), None);
    assert_eq!(denied(&served, PASSWORD, &code), Some(0), "a second time");
    assert_eq!(denied(&served, PASSWORD, &phone.code(world.now().plus_seconds(30))), None, "a telephone that is fast");
    world.clock.pass(90);
    assert_eq!(denied(&served, PASSWORD, &phone.code(world.now().plus_seconds(-60))), Some(0), "two steps ago");
    assert_eq!(denied(&served, PASSWORD, &phone.code(world.now().plus_seconds(-30))), None, "one step ago");
}

#[test]
fn a_recovery_code_counts_once_and_needs_no_clock() {
    let (world, opened, served, phone) = person("watcher");
    assert_eq!(phone.recovery.len(), domain::limit::RECOVERY_CODES);
    let typed = text(&phone.recovery[0].reveal().to_uppercase().replace('-', " "));
    world.clock.boot_without_ntp(-20 * 365 * DAY);
    drop((served, opened));
    let opened = world.open();
    let served = Served::new(&opened);
    assert_eq!(denied(&served, PASSWORD, &typed), None);
    assert_eq!(denied(&served, PASSWORD, &typed), Some(0), "a second time");
    assert_eq!(denied(&served, PASSWORD, &phone.recovery[1]), None, "another one");
    assert!(changes(&opened).contains(&"signed in with password and recovery code".to_owned()));
}

#[test]
fn a_link_shows_one_seed_until_it_is_used_and_a_wrong_code_does_not_use_it() {
    let world = World::new(1);
    let opened = world.open();
    let (served, token) = (Served::new(&opened), link(&opened, "watcher"));
    let seed = Phone::shown(&served, &token);
    let wrong = || served.web.set_up(token.clone(), text(PASSWORD), text("12345")).unwrap().err();
    assert_eq!(wrong(), Some(SetUpDenied::WrongCode { wait_seconds: 0 }));
    let others = Phone::shown(&served, &link(&opened, "another"));
    assert_ne!(others, seed);
    drop((served, opened));
    let opened = world.open();
    let served = Served::new(&opened);
    assert_eq!(Phone::shown(&served, &token), seed, "a page that is loaded again shows what was scanned");
    let phone = Phone { seed, recovery: vec![] };
    let code = phone.code(world.now());
    assert!(served.web.set_up(token.clone(), text(PASSWORD), code.clone()).unwrap().is_ok());
    assert!(served.web.set_up_begin(token).unwrap().is_none(), "a used link shows nothing");
    assert_eq!(denied(&served, PASSWORD, &code), Some(0), "the code that confirmed the seed counted");
}

#[test]
fn a_new_link_replaces_the_lost_telephone_and_the_paper() {
    let (world, opened, served, old) = person("watcher");
    let new = Phone::set_up(&served, &world, &link(&opened, "watcher"));
    world.clock.pass(30);
    assert_eq!(denied(&served, PASSWORD, &old.code(world.now())), Some(0));
    assert_eq!(denied(&served, PASSWORD, &old.recovery[0]), Some(0));
    assert_eq!(denied(&served, PASSWORD, &new.code(world.now())), None);
}

#[test]
fn neither_a_seed_nor_a_recovery_code_stands_in_clear_in_the_registry() {
    let (world, opened, served, phone) = person("watcher");
    drop((served, opened));
    let files = ["", "-wal"].map(|end| format!("{}{end}", world.registry_path().display()));
    let bytes: Vec<u8> = files.iter().flat_map(|file| std::fs::read(file).unwrap_or_default()).collect();
    let holds = |text: &[u8]| bytes.windows(text.len()).any(|window| window == text);
    assert!(holds(b"watcher"), "this is the file");
    assert!(!holds(&phone.seed));
    assert!(phone.recovery.iter().all(|code| !holds(code.reveal().as_bytes())));
}

/// What the ledger says of sessions.
fn changes(opened: &Opened) -> Vec<String> {
    let of_session = |entry: ledger::Entry| match entry.event {
        Event::Session { change, .. } => Some(change),
        _ => None,
    };
    opened.entries().into_iter().filter_map(of_session).collect()
}
