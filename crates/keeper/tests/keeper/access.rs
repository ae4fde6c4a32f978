//! Requests for access (droit d'accès): frozen at once, answered before the footage dies, by people who saw who asks (DP-09).

use crate::{
    export::{Desk, text},
    hold::{SCAN, crash},
    reviews::{AccountHolder, Town},
    support::*,
};
use domain::{
    AccessFacts, AccessId, HoldEnd, Role, UtcMicros, Window,
    access::{AccessMeans, AccessOutcome, IdentityMeans, RefusalGround, Wish},
};
use keeper::wire::{
    access::{AccessAnswer, AccessQuestion, AccessView, Frozen},
    exports::{ExportAnswer, ExportQuestion},
    holds::HoldQuestion,
};
use ledger::{Actor, Event};
use vault::KeeperError;

impl Desk {
    fn access(&self, question: AccessQuestion) -> Result<AccessAnswer, KeeperError> {
        self.town.opened.core.access_question(question)
    }

    fn request(&self, windows: Vec<Window>) -> AccessFacts {
        AccessFacts { received: self.town.world.now(), ..request_of(windows) }
    }

    fn asked(&self, by: &AccountHolder, windows: Vec<Window>) -> (AccessId, String, Frozen) {
        let says = Box::new(self.request(windows));
        let question = AccessQuestion::Register { session: by.session.clone(), known: None, says, freeze: true };
        match self.access(question).unwrap() {
            AccessAnswer::Registered { id, label, frozen, .. } => (id, label, frozen),
            other => panic!("{other:?}"),
        }
    }

    fn identifies(&self, by: &AccountHolder, id: AccessId) {
        let means = IdentityMeans::Shown;
        let question = AccessQuestion::Identify { session: by.session.clone(), id, means };
        assert!(matches!(self.access(question).unwrap(), AccessAnswer::Done));
    }

    fn shows(&self, by: &AccountHolder, id: AccessId) -> Result<AccessAnswer, KeeperError> {
        self.access(AccessQuestion::Viewed { session: by.session.clone(), id, present: text("la personne, l'agent") })
    }

    fn answers(&self, by: &AccountHolder, id: AccessId, outcome: AccessOutcome) -> Result<AccessAnswer, KeeperError> {
        let grounds = if outcome == AccessOutcome::Refused { vec![RefusalGround::Proceedings] } else { vec![] };
        let (session, reason) = (by.session.clone(), text("voici ce que la commune en sait"));
        self.access(AccessQuestion::Answer { session, id, outcome, grounds, reason })
    }

    fn requests(&self, by: &AccountHolder) -> Vec<AccessView> {
        match self.access(AccessQuestion::List { session: by.session.clone(), before: None }).unwrap() {
            AccessAnswer::Requests(views, false) => views,
            other => panic!("{other:?}"),
        }
    }
}

fn request_of(windows: Vec<Window>) -> AccessFacts {
    AccessFacts {
        received: utc(0),
        means: AccessMeans::Counter,
        wish: Wish::View,
        person: text("qui demande"),
        contact: text("son adresse"),
        words: text("sur la place ce matin, un manteau rouge"),
        windows,
        identity: None,
        holds: vec![],
        viewings: vec![],
        answer: None,
    }
}

fn lacks(answer: AccessAnswer) -> Vec<String> {
    match answer {
        AccessAnswer::Incomplete(lacks) => lacks.into_iter().map(|lack| lack.field).collect(),
        other => panic!("{other:?}"),
    }
}

fn told(desk: &Desk) -> Vec<(String, Option<String>)> {
    let of = |event| match event {
        Event::Access { change, outcome, .. } => Some((change, outcome)),
        _ => None,
    };
    desk.town.opened.entries().into_iter().filter_map(|entry| of(entry.event)).collect()
}

#[test]
fn a_request_is_frozen_at_once_and_answered_by_people_who_saw_who_asks() {
    let desk = Desk::new(801);
    let officer = desk.town.person("déléguée", Role::Dpo);
    let (id, label, frozen) = desk.asked(&officer, vec![desk.window(1, 21, 81)]);
    assert_eq!((label.as_str(), frozen), ("DA-2026-0001", Frozen::Held));
    let view = desk.requests(&officer).remove(0);
    assert_eq!(view.lacks.iter().map(|lack| lack.field.as_str()).collect::<Vec<_>>(), ["identity"]);
    assert!(view.dies.is_some() && view.due == view.dies, "the footage dies before a month is over");
    let job = &desk.town.opened.core.check(&vault::keeper::Beat { health: "{}".into(), ..Default::default() });
    assert_eq!(job.as_ref().unwrap().holds.as_ref().unwrap().len(), 1, "the recorder is told to copy it");
    // nobody is shown anything before it is known who asks, and the officer sees no picture
    assert_eq!(lacks(desk.shows(&desk.first, id).unwrap()), ["identity"]);
    assert_eq!(lacks(desk.answers(&officer, id, AccessOutcome::NothingFound).unwrap()), ["identity"]);
    desk.identifies(&officer, id);
    assert!(matches!(desk.shows(&officer, id), Err(KeeperError::Forbidden { .. })));
    assert_eq!(lacks(desk.answers(&officer, id, AccessOutcome::Viewed).unwrap()), ["viewing"]);
    // whom the town's rules do not permit to show them is refused by the gate, and that is entered
    let mayor = desk.town.person("maire", Role::Elected);
    match desk.shows(&mayor, id).unwrap() {
        AccessAnswer::Refused(refused) => assert_eq!(refused.reasons[0].rule, "nothing-permits"),
        other => panic!("{other:?}"),
    }
    assert!(matches!(desk.town.opened.entries().last().unwrap().event, Event::Refusal { .. }));
    assert!(matches!(desk.shows(&desk.first, id).unwrap(), AccessAnswer::Done));
    assert!(matches!(desk.answers(&officer, id, AccessOutcome::Viewed).unwrap(), AccessAnswer::Done));
    let view = desk.requests(&officer).remove(0);
    assert_eq!((view.due, view.version, view.request.says.viewings.len()), (None, 4, 1));
    assert!(view.letter.unwrap().0[0].contains("DA-2026-0001"));
    // an answer stands: nothing is changed behind it
    assert!(matches!(desk.answers(&officer, id, AccessOutcome::Withdrawn), Err(KeeperError::Malformed { .. })));
    assert!(matches!(desk.shows(&desk.first, id), Err(KeeperError::Malformed { .. })));
    let viewed = Some(AccessOutcome::Viewed.title().to_owned());
    let steps = [("entered", None), ("identified", None), ("viewed", None), ("answered", viewed)];
    assert_eq!(told(&desk), steps.map(|(change, outcome)| (change.to_owned(), outcome)));
}

#[test]
fn what_is_frozen_for_it_dies_with_the_footage_and_only_then_is_it_called_destroyed() {
    let desk = Desk::new(802);
    let (id, _, _) = desk.asked(&desk.first, vec![desk.window(1, 21, 81)]);
    desk.identifies(&desk.first, id);
    let early = desk.answers(&desk.first, id, AccessOutcome::Destroyed);
    assert!(matches!(early, Err(KeeperError::Malformed { .. })), "{early:?}");
    for _ in 0..2 {
        desk.town.world.clock.pass(DAY);
        desk.town.opened.core.tick().unwrap();
    }
    let late = desk.a_day_later();
    desk.town.opened.core.tick().unwrap();
    assert_eq!(desk.town.opened.keyring.holds().len(), 0);
    let view = desk.requests(&late).remove(0);
    assert_eq!((view.dies, view.frozen), (None, Frozen::Nothing));
    assert!(matches!(desk.shows(&late, id), Err(KeeperError::Malformed { .. })), "nobody can have seen it now");
    assert!(matches!(desk.answers(&late, id, AccessOutcome::Destroyed).unwrap(), AccessAnswer::Done));
    let letter = desk.requests(&late).remove(0).letter.unwrap();
    assert!(letter.0.join(" ").contains("L252-5"));
    // a later one finds nothing to freeze, and is entered all the same
    let (_, label, frozen) = desk.asked(&late, vec![desk.window(1, 21, 81)]);
    assert_eq!((label.as_str(), frozen), ("DA-2026-0002", Frozen::Nothing));
}

#[test]
fn a_request_that_is_withdrawn_lets_go_of_what_was_frozen_at_once() {
    let desk = Desk::new(803);
    let (id, _, _) = desk.asked(&desk.first, vec![desk.window(1, 21, 81), desk.window(2, 30, 40)]);
    assert!(matches!(desk.answers(&desk.first, id, AccessOutcome::Withdrawn).unwrap(), AccessAnswer::Done));
    assert_eq!(desk.town.opened.keyring.holds().len(), 0);
    let ended = |entry: &ledger::Entry| matches!(entry.event, Event::HoldEnded { why: HoldEnd::Lifted, .. });
    assert_eq!(desk.town.opened.entries().iter().filter(|entry| ended(entry)).count(), 1);
}

#[test]
fn what_an_authority_waits_for_is_not_let_go_with_the_request_for_which_it_was_frozen() {
    let desk = Desk::new(809);
    let (id, _, _) = desk.asked(&desk.first, vec![desk.window(1, 21, 81)]);
    let (requisition, session) = (desk.registers_in_writing(), desk.first.session.clone());
    let hold = desk.town.opened.keyring.holds().into_keys().next().unwrap().0;
    desk.town.opened.core.hold_question(HoldQuestion::Bind { session, hold, requisition }).unwrap();
    assert!(matches!(desk.answers(&desk.first, id, AccessOutcome::Withdrawn).unwrap(), AccessAnswer::Done));
    assert_eq!(desk.town.opened.keyring.holds().len(), 1);
}

#[test]
fn a_request_for_more_than_a_hold_has_is_entered_and_says_that_it_is_not_frozen() {
    let desk = Desk::new(810);
    let day = |nth: i64| {
        let to = desk.town.world.now().plus_seconds(-nth);
        Window { span: domain::Span::new(to.plus_seconds(-DAY), to).unwrap(), ..desk.window(1, 21, 81) }
    };
    let (_, label, frozen) = desk.asked(&desk.first, (0..11).map(day).collect());
    assert_eq!((label.as_str(), frozen), ("DA-2026-0001", Frozen::NotAsked));
    assert_eq!(desk.requests(&desk.first).len(), 1);
}

#[test]
fn windows_that_are_added_are_frozen_too_and_those_that_are_held_not_twice() {
    let desk = Desk::new(804);
    let (id, _, _) = desk.asked(&desk.first, vec![]);
    assert_eq!(desk.requests(&desk.first)[0].frozen, Frozen::Nothing);
    let change = |windows: Vec<Window>, freeze| {
        let (session, says) = (desk.first.session.clone(), Box::new(desk.request(windows)));
        match desk.access(AccessQuestion::Register { session, known: Some(id), says, freeze }).unwrap() {
            AccessAnswer::Registered { label, frozen, .. } => (label, frozen),
            other => panic!("{other:?}"),
        }
    };
    let (one, two) = (desk.window(1, 21, 81), desk.window(2, 21, 81));
    assert_eq!(change(vec![one], false), ("DA-2026-0001".into(), Frozen::NotAsked));
    for (windows, holds) in [(vec![one], 1), (vec![one], 1), (vec![one, two], 2), (vec![two], 2)] {
        assert_eq!(change(windows, true).1, Frozen::Held);
        assert_eq!(desk.town.opened.keyring.holds().len(), holds);
    }
}

#[test]
fn who_may_not_process_requisitions_is_told_nothing_but_for_the_officer_who_sees_no_picture() {
    let desk = Desk::new(805);
    for (name, role) in
        [("agente", Role::Operator), ("informatique", Role::Administrator), ("contrôle", Role::Inspector)]
    {
        let other = desk.town.person(name, role);
        let says = Box::new(desk.request(vec![desk.window(1, 21, 81)]));
        let session = other.session.clone();
        let asked = [
            AccessQuestion::Register { session: session.clone(), known: None, says, freeze: true },
            AccessQuestion::List { session: session.clone(), before: None },
            AccessQuestion::May { session },
        ];
        for question in asked {
            assert!(matches!(desk.access(question), Err(KeeperError::Forbidden { .. })), "{name}");
        }
    }
    assert_eq!(told(&desk), []);
    assert_eq!(desk.town.opened.keyring.holds().len(), 0);
}

#[test]
fn a_refusal_names_its_ground_and_a_request_that_makes_no_sense_is_none() {
    let desk = Desk::new(806);
    let (id, _, _) = desk.asked(&desk.first, vec![desk.window(1, 21, 81)]);
    desk.identifies(&desk.first, id);
    let (session, reason) = (desk.first.session.clone(), text("une procédure est en cours"));
    let (outcome, grounds) = (AccessOutcome::Refused, vec![]);
    let bare = AccessQuestion::Answer { session: session.clone(), id, outcome, grounds, reason };
    assert_eq!(lacks(desk.access(bare).unwrap()), ["grounds"]);
    assert!(matches!(desk.answers(&desk.first, id, AccessOutcome::Refused).unwrap(), AccessAnswer::Done));
    let letter = desk.requests(&desk.first).remove(0).letter.unwrap();
    assert!(letter.0[1].contains("R253-6 IV") && letter.0.last().unwrap().contains("articles 52 et 108"));
    let now = desk.town.world.now();
    let tomorrow = Window { span: domain::Span::new(now, now.plus_seconds(60)).unwrap(), ..desk.window(1, 21, 81) };
    let wrong = [
        AccessFacts { received: now.plus_seconds(60), ..desk.request(vec![]) },
        desk.request(vec![tomorrow]),
        desk.request(vec![desk.window(1, 21, 81); 65]),
        AccessFacts { words: text(&"x".repeat(2_001)), ..desk.request(vec![]) },
    ];
    for says in wrong.map(Box::new) {
        let question = AccessQuestion::Register { session: session.clone(), known: None, says, freeze: true };
        assert!(matches!(desk.access(question), Err(KeeperError::Malformed { .. })));
    }
}

#[test]
fn a_request_is_entered_and_withdrawn_whole_whatever_the_disk_does_at_whichever_step() {
    let town = Town::new(807);
    let person = town.person("brigadier", Role::MunicipalPolice);
    town.opened.mint(0, &[1]);
    let Town { world, opened, served } = town;
    let window = Window { camera: camera(1), span: domain::Span::new(utc(60), utc(70)).unwrap() };
    let session = || person.session.clone();
    let (asked, received) = (window, world.now());
    let register = |opened: &Opened| {
        let says = Box::new(AccessFacts { received, ..request_of(vec![asked]) });
        let question = AccessQuestion::Register { session: session(), known: None, says, freeze: true };
        opened.core.access_question(question).is_ok()
    };
    let list = |opened: &Opened| match opened
        .core
        .access_question(AccessQuestion::List { session: session(), before: None })
    {
        Ok(AccessAnswer::Requests(views, false)) => views,
        other => panic!("{other:?}"),
    };
    crash(&world, &register, &|opened, acknowledged, what| {
        let views = list(opened);
        assert!(views.len() == 1 || views.is_empty() && !acknowledged, "{what}");
        // whoever asks again gets a number that nobody had, and everything that lives is held
        assert!(register(opened), "{what}");
        let again = list(opened);
        assert!(again.iter().all(|view| view.frozen == Frozen::Held), "{what}");
        let numbers: std::collections::BTreeSet<u32> = again.iter().map(|view| view.request.number).collect();
        assert_eq!(numbers.len(), again.len(), "{what}");
    });
    assert!(register(&opened));
    let id = list(&opened)[0].request.id;
    drop((served, opened));
    let withdraw = |opened: &Opened| {
        let (outcome, grounds, reason) = (AccessOutcome::Withdrawn, vec![], text(""));
        let question = AccessQuestion::Answer { session: session(), id, outcome, grounds, reason };
        opened.core.access_question(question).is_ok()
    };
    crash(&world, &withdraw, &|opened, acknowledged, what| {
        let holds = opened.keyring.holds().len();
        let view = list(opened).remove(0);
        let is_withdrawn = view.request.says.answer.is_some();
        assert!(!acknowledged || is_withdrawn && holds == 0, "{what}");
        assert!(is_withdrawn || holds == 1, "nothing is let go of a request that stands: {what}");
    });
}

#[test]
fn lines_of_both_registers_end_with_the_log_s_details_of_their_last_month_and_their_scans_with_them() {
    let desk = Desk::new(808);
    let requisition = desk.registers_in_writing();
    let (asked, _, _) = desk.asked(&desk.first, vec![desk.window(1, 21, 81)]);
    let lines = |by: &AccountHolder| {
        let session = by.session.clone();
        let registered = match desk.asks(ExportQuestion::Requisitions { session, before: None }).unwrap() {
            ExportAnswer::Requisitions(views, false) => {
                views.into_iter().map(|view| view.requisition.id).collect::<Vec<_>>()
            }
            other => panic!("{other:?}"),
        };
        (registered, desk.requests(by).into_iter().map(|view| view.request.id).collect::<Vec<_>>())
    };
    let scan: [u8; 32] = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, SCAN).as_ref().try_into().unwrap();
    // a month before the details of March end, then a day after
    let [before, after] = [1_803_859_200, 1_806_624_000].map(UtcMicros::from_seconds);
    for (name, at, expected) in
        [("avant", before, (vec![requisition], vec![asked])), ("après", after, (vec![], vec![]))]
    {
        desk.pass_to(at);
        desk.town.opened.core.tick().unwrap();
        desk.town.world.clock.pass(61);
        desk.town.opened.core.tick().unwrap();
        assert_eq!(lines(&desk.signs_in_anew(name)), expected, "{name}");
        assert_eq!(
            desk.town.opened.core.scan_read(Actor::Schedule, &scan, 0).is_ok(),
            !expected.0.is_empty(),
            "{name}"
        );
    }
}
