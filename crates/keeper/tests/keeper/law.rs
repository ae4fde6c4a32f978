//! Which rules decide: entered before they do, changed by two persons, and nothing permitted by rules that the ledger does not
//! name.

use crate::{authenticator::Phone, sockets::Served, support::*};
use catalog::{LawKind, Registry};
use domain::{Sensitive, UtcMicros};
use keeper::wire::{Answer, Browser, Control, LawDone, LawFault, LawProposal, LawView, PersonProof, Question};
use ledger::{Actor, Event};
use policy::{
    Action, Decision, Role,
    law::files::{PackFiles, SIGNATURE, TOWN},
};
use std::collections::BTreeMap;
use vault::{
    Keeper,
    keeper::{Verdict, View},
};

const CLI: Actor = Actor::Cli { uid: 0 };
const NOBODY: &str = "// nobody sees anything\n";
const PASSWORD: &str = crate::authenticator::PASSWORD;

fn text(text: &str) -> Sensitive<String> {
    Sensitive::new(text.into())
}

struct AccountHolder {
    name: &'static str,
    phone: Phone,
}

fn person(world: &World, opened: &Opened, name: &'static str, role: Role) -> AccountHolder {
    let added = opened.core.account_add(CLI, &text(name), role).unwrap();
    let Answer::SetupToken { token, .. } = added else { panic!("{added:?}") };
    let phone = Phone::set_up(&Served::new(opened), world, &token);
    world.clock.pass(30);
    AccountHolder { name, phone }
}

impl AccountHolder {
    fn proof(&self, at: UtcMicros) -> PersonProof {
        PersonProof { account: text(self.name), password: text(PASSWORD), code: self.phone.code(at) }
    }
    fn does(&self, world: &World, opened: &Opened, control: impl Fn(PersonProof) -> Control) -> Answer {
        world.clock.pass(30); // each code counts once
        Served::new(opened).control.ask(&Question::Control(control(self.proof(world.now())))).unwrap()
    }
    fn proposes(&self, world: &World, opened: &Opened, town: &str) -> Answer {
        let text = LawProposal::Town(town.into());
        self.does(world, opened, |person| Control::LawPropose { person, text: text.clone() })
    }
    fn approves(&self, world: &World, opened: &Opened, digest: [u8; 32]) -> Answer {
        self.does(world, opened, |person| Control::LawApprove { person, digest })
    }
}

fn view(opened: &Opened) -> LawView {
    let answer = Served::new(opened).control.ask(&Question::Control(Control::Law)).unwrap();
    let Answer::Law(view) = answer else { panic!("{answer:?}") };
    *view
}

fn proposed(answer: Answer) -> [u8; 32] {
    let Answer::LawDone(LawDone::Proposed { digest, .. }) = answer else { panic!("{answer:?}") };
    digest
}

fn started(world: &World) -> Opened {
    let opened = world.open_with_session();
    opened.core.started("00").unwrap();
    opened
}

fn may_look(opened: &Opened) -> bool {
    matches!(opened.core.pass(&opened.session, &ask(View::Live, &[1])).unwrap(), Verdict::Allowed(_))
}

#[test]
fn the_rules_that_decide_are_in_the_ledger_from_the_first_start_on() {
    let world = World::new(1);
    let opened = started(&world);
    let named = |opened: &Opened| {
        let entries = opened.entries();
        entries.into_iter().filter(|entry| matches!(&entry.event, Event::Law { .. })).collect::<Vec<_>>()
    };
    let entries = named(&opened);
    let [entry] = &entries[..] else { panic!("{entries:?}") };
    let Event::Law { pack_digest, .. } = &entry.event else { panic!("{entry:?}") };
    assert_eq!(pack_digest.0, view(&opened).pack_digest);
    drop(opened);
    assert_eq!(named(&started(&world)).len(), 1, "the same rules are entered once");
}

#[test]
fn two_persons_change_the_towns_rules_and_looks_under_way_end() {
    let world = World::new(2);
    let opened = started(&world);
    let (chief, mayor) =
        (person(&world, &opened, "chief", Role::MunicipalPolice), person(&world, &opened, "mayor", Role::Elected));
    let Verdict::Allowed(permit) = opened.core.pass(&opened.session, &ask(View::Live, &[1])).unwrap() else {
        panic!("refused")
    };
    let digest = proposed(chief.proposes(&world, &opened, NOBODY));
    assert!(may_look(&opened), "a proposal changes nothing");
    assert!(matches!(chief.approves(&world, &opened, digest), Answer::LawDone(LawDone::SamePerson)));
    assert!(matches!(mayor.approves(&world, &opened, [9; 32]), Answer::LawDone(LawDone::Unknown)));
    assert!(matches!(mayor.approves(&world, &opened, digest), Answer::LawDone(LawDone::InForce)));
    let beat = vault::keeper::Beat { permits: vec![permit], ..Default::default() };
    assert_eq!(Served::new(&opened).recorder.check(&beat).unwrap().alive, [false]);
    assert!(!may_look(&opened));
    drop(opened);
    let opened = started(&world);
    assert!(!may_look(&opened), "and it stays so");
    assert_eq!((view(&opened).permits.len(), view(&opened).fault), (0, None));
    let back = proposed(mayor.proposes(&world, &opened, TOWN));
    assert!(matches!(chief.approves(&world, &opened, back), Answer::LawDone(LawDone::InForce)));
    drop(opened);
    assert!(may_look(&started(&world)));
}

#[test]
fn a_newcomer_two_administrators_and_a_wrong_code_put_nothing_in_force() {
    let world = World::new(3);
    let opened = started(&world);
    let first = person(&world, &opened, "first", Role::Administrator);
    let second = person(&world, &opened, "second", Role::Administrator);
    let digest = proposed(first.proposes(&world, &opened, NOBODY));
    let newcomer = person(&world, &opened, "newcomer", Role::Elected);
    for person in [&second, &newcomer] {
        assert!(matches!(person.approves(&world, &opened, digest), Answer::LawDone(LawDone::NotThisPerson)));
    }
    let stranger =
        Control::LawApprove { person: PersonProof { code: text("000000"), ..second.proof(world.now()) }, digest };
    let answer = Served::new(&opened).control.ask(&Question::Control(stranger)).unwrap();
    assert!(matches!(answer, Answer::Denied { .. }), "{answer:?}");
    assert!(may_look(&opened));
}

#[test]
fn what_a_town_may_not_write_is_refused_with_its_reason_and_leaves_no_trace_in_force() {
    let world = World::new(4);
    let opened = started(&world);
    let chief = person(&world, &opened, "chief", Role::MunicipalPolice);
    for wrong in ["forbid (principal, action, resource);", "permit (principal, action, resource) when { principal.x };"]
    {
        let answer = chief.proposes(&world, &opened, wrong);
        assert!(matches!(answer, Answer::LawDone(LawDone::Refused { .. })), "{answer:?}");
    }
    assert!(view(&opened).waiting.is_empty());
    assert!(matches!(chief.proposes(&world, &opened, TOWN), Answer::LawDone(LawDone::Same)));
}

/// Root writes into the registry beside Vigie: the ledger names other rules.
#[test]
fn rules_swapped_beside_vigie_permit_nothing_until_two_persons_put_rules_in_force() {
    let world = World::new(5);
    let opened = started(&world);
    let (chief, mayor) =
        (person(&world, &opened, "chief", Role::MunicipalPolice), person(&world, &opened, "mayor", Role::Elected));
    drop(opened);
    let registry = Registry::open(&world.registry_path()).unwrap();
    let mut swapped = registry.law_in_force(LawKind::Town, UtcMicros(i64::MAX)).unwrap().unwrap();
    swapped.content = r#"@id("everything") permit (principal, action, resource);"#.into();
    swapped.digest = policy::law::files::sha256(swapped.content.as_bytes());
    swapped.approved_at = Some(world.now());
    registry.law_add(&swapped).unwrap();
    drop(registry);
    let opened = started(&world);
    assert_eq!(view(&opened).fault, Some(LawFault::Changed));
    assert!(!may_look(&opened));
    let digest = proposed(chief.proposes(&world, &opened, TOWN));
    assert!(matches!(mayor.approves(&world, &opened, digest), Answer::LawDone(LawDone::InForce)));
    assert!(may_look(&opened));
    drop(opened);
    let opened = started(&world);
    assert_eq!(view(&opened).fault, None);
    assert!(may_look(&opened));
}

/// The pack that ships, with one more act: a processor's contract, or recording stops.
fn stricter() -> PackFiles {
    let row = r#"
[[required]]
id = "act-processor"
kinds = ["processor-contract"]
per = "site"
effect = "block"
article = "RGPD art. 28"
source = "RGPD art. 28 § 3"
confidence = "known"
from = 2018-05-25
title_fr = "Contrat de sous-traitance"
title_en = "Processor's contract"
text_fr = "Aucun contrat de sous-traitance n'est inscrit."
text_en = "No processor's contract is entered."
remedy_fr = "Inscrivez-le (`vigie act template processor-contract`)."
remedy_en = "Enter it (`vigie act template processor-contract`)."
"#;
    let files = PackFiles::built_in();
    let acts = format!("{}{row}", files.text("acts.toml").unwrap());
    let head = files.text("pack.toml").unwrap().replace("version = \"", "version = \"stricter-");
    signed(&files.with("acts.toml", &acts).with("pack.toml", &head))
}

fn signed(files: &PackFiles) -> PackFiles {
    files.with(SIGNATURE, &publisher().sign(files).unwrap())
}

fn pack(files: &PackFiles) -> LawProposal {
    LawProposal::Pack(files.iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect())
}

fn recorded(opened: &Opened) -> usize {
    let Answer::Cameras { cameras, .. } = opened.core.recorder_cameras().unwrap() else { panic!("no cameras") };
    cameras.len()
}

#[test]
fn a_pack_that_requires_one_more_act_stops_recording_the_moment_the_second_person_approves_and_names_the_act() {
    let world = World::new(7);
    let opened = started(&world);
    let (chief, mayor) =
        (person(&world, &opened, "chief", Role::MunicipalPolice), person(&world, &opened, "mayor", Role::Elected));
    opened.core.tick().unwrap();
    let text = pack(&stricter());
    let answer = chief.does(&world, &opened, |person| Control::LawPropose { person, text: text.clone() });
    let Answer::LawDone(LawDone::Proposed { digest, added, removed, changed }) = answer else { panic!("{answer:?}") };
    assert_eq!((added, removed.len(), changed.len()), (vec!["act-processor".to_owned()], 0, 0));
    assert_eq!((recorded(&opened), may_look(&opened)), (3, true), "a proposal changes nothing");
    assert!(matches!(mayor.approves(&world, &opened, digest), Answer::LawDone(LawDone::InForce)));
    assert_eq!(recorded(&opened), 0);
    let Verdict::Refused(refused) = opened.core.pass(&opened.session, &ask(View::Live, &[1])).unwrap() else {
        panic!("the new act is missing")
    };
    assert_eq!(refused.reasons[0].rule, "act-processor");
    assert!(refused.reasons[0].remedy_fr.contains("processor-contract"), "{refused:?}");
    let stopped = opened.entries().into_iter().filter(|entry| match &entry.event {
        Event::Camera { change, details, .. } => change == "not authorised" && details.contains("act-processor"),
        _ => false,
    });
    assert_eq!(stopped.count(), 3, "each stop is entered with the act's name, at once");
    let Answer::CameraViews(views) = Served::new(&opened).control.ask(&Question::Control(Control::CameraList)).unwrap()
    else {
        panic!("no cameras")
    };
    let words = views.cameras[0].missing[0].words(&views.required).expect("the words come with the list");
    assert_eq!((&*words.article, &*words.title_fr), ("RGPD art. 28", "Contrat de sous-traitance"));
    drop(opened);
    let opened = started(&world);
    assert_eq!((recorded(&opened), view(&opened).fault), (0, None), "and it stays so");
    let answer = mayor.does(&world, &opened, |person| Control::LawPropose { person, text: LawProposal::BuiltIn });
    let back = proposed(answer);
    assert!(matches!(chief.approves(&world, &opened, back), Answer::LawDone(LawDone::InForce)));
    assert_eq!((recorded(&opened), may_look(&opened)), (3, true));
}

#[test]
fn a_pack_without_its_list_of_required_acts_is_refused_and_nothing_changes() {
    let world = World::new(8);
    let opened = started(&world);
    let chief = person(&world, &opened, "chief", Role::MunicipalPolice);
    let files = PackFiles::built_in();
    let without = signed(&PackFiles::new(files.iter().filter(|(name, _)| *name != "acts.toml")));
    let answer = chief.does(&world, &opened, |person| Control::LawPropose { person, text: pack(&without) });
    let Answer::LawDone(LawDone::Refused { what }) = answer else { panic!("{answer:?}") };
    assert!(what.contains("`acts.toml`"), "{what}");
    assert!(view(&opened).waiting.is_empty() && recorded(&opened) == 3);
}

/// Root takes a required act out of the pack that the registry holds.
#[test]
fn a_list_of_required_acts_that_was_shortened_beside_vigie_permits_nothing_and_spares_no_camera_its_papers() {
    let world = World::new(9);
    drop(started(&world));
    world.clock.pass(60);
    let registry = Registry::open(&world.registry_path()).unwrap();
    let mut swapped = registry.law_in_force(LawKind::Pack, UtcMicros(i64::MAX)).unwrap().unwrap();
    let mut files: BTreeMap<String, String> = serde_json::from_str(&swapped.content).unwrap();
    let spared = files["acts.toml"].replace("effect = \"block\"", "effect = \"alarm\"");
    assert_ne!(files.insert("acts.toml".into(), spared.clone()), Some(spared));
    swapped.content = serde_json::to_string(&files).unwrap();
    swapped.digest = PackFiles::new(files).digest();
    swapped.approved_at = Some(world.now());
    registry.law_add(&swapped).unwrap();
    drop(registry);
    let opened = started(&world);
    assert_eq!((view(&opened).fault, may_look(&opened)), (Some(LawFault::Changed), false));
    let Answer::CameraViews(views) = Served::new(&opened).control.ask(&Question::Control(Control::CameraList)).unwrap()
    else {
        panic!("no cameras")
    };
    let order = views.required.iter().find(|row| row.id == "act-authorisation").unwrap();
    assert_eq!(order.effect, policy::required::Effect::Block, "the program's own list decides");
}

#[test]
fn a_person_looks_only_while_an_approval_is_in_force_and_its_withdrawal_ends_a_running_look() {
    let world = World::new(6);
    let opened = started(&world);
    let watcher = person(&world, &opened, "watcher", Role::Operator);
    let served = Served::new(&opened);
    let code = watcher.phone.code(world.now());
    let session =
        served.web.sign_in(text("watcher"), text(PASSWORD), code, Browser::default()).unwrap().unwrap().session;
    let look = || served.web.pass(&session, &ask(View::Live, &[1])).unwrap();
    let Verdict::Refused(refused) = look() else { panic!("nobody approved the person") };
    assert_eq!(refused.reasons[0].rule, "habilitation-in-force");
    crate::acts::approve(&opened, "watcher");
    let Verdict::Allowed(permit) = look() else { panic!("refused") };
    let beat = vault::keeper::Beat { permits: vec![permit], ..Default::default() };
    assert_eq!(served.recorder.check(&beat).unwrap().alive, [true]);
    crate::acts::withdraw_approval(&opened);
    world.clock.pass(2);
    assert_eq!(served.recorder.check(&beat).unwrap().alive, [false]);
    assert!(matches!(look(), Verdict::Refused(_)));
}

#[test]
fn a_town_that_permits_everything_opens_nothing_that_is_forbidden_and_who_asks_is_told_why() {
    let world = World::new(10);
    let opened = started(&world);
    let (chief, mayor) =
        (person(&world, &opened, "chief", Role::MunicipalPolice), person(&world, &opened, "mayor", Role::Elected));
    let everything = r#"@id("everything") permit(principal, action, resource);"#;
    let digest = proposed(chief.proposes(&world, &opened, everything));
    assert!(matches!(mayor.approves(&world, &opened, digest), Answer::LawDone(LawDone::InForce)));
    let says = |action, role| {
        let answer = Served::new(&opened).control.ask(&Question::Control(Control::LawAsk { action, role })).unwrap();
        let Answer::LawSays(decision) = answer else { panic!("{answer:?}") };
        *decision
    };
    for (action, rule) in [
        (Action::RecogniseFace, "no-face"),
        (Action::CaptureSound, "no-sound"),
        (Action::TrackAcrossCameras, "no-tracking-across-cameras"),
        (Action::SearchAttributes, "no-attribute-search"),
    ] {
        let Decision::Refuse(refusal) = says(action, Role::MunicipalPolice) else { panic!("{action:?}") };
        let found = refusal.reasons.iter().any(|reason| reason.rule.to_string() == rule && !reason.article.is_empty());
        assert!(found, "{rule}: {refusal:?}");
    }
    assert!(matches!(says(Action::WatchLive, Role::MunicipalPolice), Decision::Allow { .. }));
    assert!(matches!(says(Action::Replay, Role::MunicipalPolice), Decision::Allow { .. }));
    assert!(matches!(says(Action::WatchLive, Role::Administrator), Decision::Refuse(_)));
}
