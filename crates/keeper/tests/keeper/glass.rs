//! Break-glass: two persons open for a quarter of an hour what the town does not permit, and nothing that the law forbids.

use crate::{
    authenticator::{PASSWORD, Phone},
    sockets::Served,
    support::*,
};
use catalog::{LawKind, LawText, Registry};
use domain::{GlassId, Purpose, Sensitive, limit::BREAK_GLASS_SECONDS};
use keeper::wire::{Answer, Browser, Control, GlassDone, GlassMay, GlassState, GlassView, PersonProof, Question};
use ledger::{Actor, BreakGlass, Event};
use policy::Role;
use std::path::Path;
use vault::{
    Keeper, KeeperError,
    keeper::{Ask, Beat, KeyQuery, Permit, SessionSecret, Verdict, View},
};

const CLI: Actor = Actor::Cli { uid: 0 };
const REASON: &str = "incendie signalé par le 18 à l'école";

fn text(text: &str) -> Sensitive<String> {
    Sensitive::new(text.into())
}

/// A town whose own rules permit nothing to anybody.
pub fn town_with(rules: &str, seed: u64) -> World {
    let world = World::new(seed);
    let registry = Registry::open(&world.registry_path()).unwrap();
    let law = LawText {
        kind: LawKind::Town,
        digest: policy::law::files::sha256(rules.as_bytes()),
        content: rules.into(),
        proposed_at: utc(-DAY),
        proposed_by: None,
        approved_at: Some(utc(-DAY)),
        approved_by: None,
    };
    registry.law_add(&law).unwrap();
    world
}

/// A keeper with its sockets, and persons before it.
struct Town {
    world: World,
    opened: Opened,
    served: Served,
}

/// An account holder who is signed in.
struct Holder {
    name: &'static str,
    phone: Phone,
    session: SessionSecret,
}

impl Town {
    fn new(seed: u64) -> Town {
        Town::of(town_with("// nobody sees anything\n", seed))
    }

    fn of(world: World) -> Town {
        let opened = world.open_with_session();
        opened.core.started("00").unwrap();
        let served = Served::new(&opened);
        Town { world, opened, served }
    }

    /// The keeper ends and starts again.
    fn again(self) -> Town {
        let Town { world, opened, served } = self;
        drop((opened, served));
        let opened = world.open();
        let served = Served::new(&opened);
        Town { world, opened, served }
    }

    fn person(&self, name: &'static str, role: Role) -> Holder {
        let added = self.opened.core.account_add(CLI, &text(name), role).unwrap();
        let Answer::SetupToken { token, .. } = added else { panic!("{added:?}") };
        let phone = Phone::set_up(&self.served, &self.world, &token);
        if role == Role::Operator {
            crate::acts::approve_for(&self.opened, name, name, "commune");
        }
        let code = self.code(&phone);
        let begun = self.served.web.sign_in(text(name), text(PASSWORD), code, Browser::default()).unwrap().unwrap();
        Holder { name, phone, session: begun.session }
    }

    /// Each code counts once.
    fn code(&self, phone: &Phone) -> Sensitive<String> {
        self.world.clock.pass(30);
        phone.code(self.world.now())
    }

    fn asks(&self, person: &Holder, cameras: &[u8]) -> GlassDone {
        let cameras = cameras.iter().map(|n| camera(*n)).collect();
        let code = self.code(&person.phone);
        let asked =
            self.served.web.break_glass_ask(person.session.clone(), cameras, text(REASON), text(PASSWORD), code);
        asked.unwrap().expect("the right password and code")
    }

    fn demand(&self, person: &Holder, cameras: &[u8]) -> GlassId {
        let GlassDone::Asked { glass } = self.asks(person, cameras) else { panic!("refused") };
        glass
    }

    /// On the screen of `at`.
    fn confirms(&self, at: &Holder, second: &Holder, glass: GlassId) -> Result<GlassDone, u32> {
        let proof =
            PersonProof { account: text(second.name), password: text(PASSWORD), code: self.code(&second.phone) };
        self.served.web.break_glass_confirm(at.session.clone(), glass, proof).unwrap()
    }

    fn opens(&self, first: &Holder, second: &Holder, cameras: &[u8]) -> GlassId {
        let glass = self.demand(first, cameras);
        let done = self.confirms(first, second, glass);
        assert!(matches!(done, Ok(GlassDone::Open { .. })), "{done:?}");
        glass
    }

    fn ends(&self, person: &Holder, glass: GlassId) {
        let ended = self.served.web.break_glass_end(person.session.clone(), glass).unwrap();
        assert_eq!(ended, Ok(GlassDone::Ended));
    }

    fn pass(&self, person: &Holder, asked: &Ask) -> Verdict {
        self.served.web.pass(&person.session, asked).unwrap()
    }

    #[track_caller]
    fn permit(&self, person: &Holder, view: View, cameras: &[u8]) -> Permit {
        match self.pass(person, &ask(view, cameras)) {
            Verdict::Allowed(permit) => permit,
            Verdict::Refused(refused) => panic!("{:?}", refused.reasons),
        }
    }

    #[track_caller]
    fn refused_by(&self, person: &Holder, asked: &Ask, rule: &str) {
        let Verdict::Refused(refused) = self.pass(person, asked) else { panic!("allowed") };
        assert_eq!(refused.reasons[0].rule, rule, "{:?}", refused.reasons);
    }

    fn alive(&self, permit: &Permit) -> bool {
        let beat = Beat { permits: vec![permit.clone()], ..Beat::default() };
        self.served.recorder.check(&beat).unwrap().alive[0]
    }

    fn told(&self, change: &str) -> Vec<BreakGlass> {
        let told = self.opened.entries().into_iter().filter_map(|entry| match entry.event {
            Event::BreakGlass(told) if told.change == change => Some(told),
            _ => None,
        });
        told.collect()
    }

    fn alarms(&self) -> Vec<String> {
        let findings = self.opened.core.health().unwrap().findings;
        findings.into_iter().map(|finding| finding.id).filter(|id| id.starts_with("break-glass")).collect()
    }

    fn view(&self, person: &Holder) -> GlassView {
        self.served.web.break_glass(person.session.clone()).unwrap()
    }
}

#[test]
fn two_persons_open_for_a_quarter_of_an_hour_what_the_town_does_not_permit_and_each_look_names_it() {
    let town = Town::new(80);
    let (first, second) = (town.person("first", Role::Operator), town.person("second", Role::Operator));
    town.refused_by(&first, &ask(View::Live, &[1]), "nothing-permits");
    let glass = town.demand(&first, &[1, 2]);
    town.refused_by(&first, &ask(View::Live, &[1]), "nothing-permits");
    let Ok(GlassDone::Open { until, .. }) = town.confirms(&second, &second, glass) else { panic!("refused") };
    assert_eq!(until, town.world.now().plus_seconds(BREAK_GLASS_SECONDS));
    for view in [View::Live, View::Replay(span(0, 50))] {
        let permit = town.permit(&first, view, &[1]);
        assert_eq!((permit.glass, permit.expires), (Some(glass), until));
    }
    let looks = town.opened.entries().into_iter().filter_map(|entry| match entry.event {
        Event::Look { rules, .. } => Some(rules),
        _ => None,
    });
    assert_eq!(looks.collect::<Vec<_>>(), vec![vec![format!("break-glass:{glass}")]; 2]);
    town.refused_by(&first, &ask(View::Live, &[3]), "nothing-permits"); // another camera
    town.refused_by(&second, &ask(View::Live, &[1]), "nothing-permits"); // another person
    let (asked, opened) = (town.told("asked"), town.told("opened"));
    let ([asked], [opened]) = (&asked[..], &opened[..]) else { panic!("{asked:?} {opened:?}") };
    assert_eq!((asked.second.as_ref(), asked.until), (None, None));
    assert_eq!((&opened.who, opened.second.as_ref()), (&text("first"), Some(&text("second"))));
    assert_eq!(
        (&opened.reason, &opened.cameras, opened.until),
        (&text(REASON), &vec![camera(1), camera(2)], Some(until))
    );
    let entries = town.opened.entries();
    let nth = |found: fn(&Event) -> bool| entries.iter().position(|entry| found(&entry.event)).unwrap();
    let is_opened = |event: &Event| matches!(event, Event::BreakGlass(told) if told.change == "opened");
    assert!(nth(is_opened) < nth(|event| matches!(event, Event::Look { .. })), "written before the first look");
    town.opened.check_ledger(town.world.now());
}

#[test]
fn where_the_town_permits_break_glass_decides_nothing() {
    let rules = r#"@id("camera-1") permit (principal, action, resource) when { resource.name == "camera 1" };"#;
    let town = Town::of(town_with(rules, 81));
    let (first, second) = (town.person("first", Role::Operator), town.person("second", Role::Operator));
    town.opens(&first, &second, &[1, 2]);
    assert_eq!(town.permit(&first, View::Live, &[1]).glass, None);
    assert!(town.permit(&first, View::Live, &[1, 2]).glass.is_some());
}

#[test]
fn one_person_a_wrong_code_a_newcomer_and_those_who_see_no_picture_open_nothing() {
    let town = Town::new(82);
    let (first, second) = (town.person("first", Role::Operator), town.person("second", Role::Operator));
    let [admin, admin2] = ["admin", "admin2"].map(|name| town.person(name, Role::Administrator));
    let dpo = town.person("dpo", Role::Dpo);
    for nobody in [&admin, &dpo] {
        assert_eq!(town.asks(nobody, &[1]), GlassDone::NotHabilitated);
    }
    let wrong = town.served.web.break_glass_ask(
        first.session.clone(),
        vec![camera(1)],
        text(REASON),
        text(PASSWORD),
        text("000000"),
    );
    assert_eq!(wrong.unwrap(), Err(0), "a desk that was left alone asks for nothing");
    let glass = town.demand(&first, &[1]);
    let newcomer = town.person("newcomer", Role::Operator);
    assert_eq!(town.confirms(&first, &first, glass), Ok(GlassDone::SamePerson));
    for other in [&admin, &admin2, &dpo, &newcomer] {
        assert_eq!(town.confirms(&first, other, glass), Ok(GlassDone::NotThisPerson), "{}", other.name);
    }
    let proof =
        PersonProof { account: text("second"), password: text("a wrong password"), code: town.code(&second.phone) };
    assert_eq!(town.served.web.break_glass_confirm(first.session.clone(), glass, proof).unwrap(), Err(0));
    assert_eq!(town.confirms(&first, &second, GlassId([9; 16])), Ok(GlassDone::Unknown));
    assert!(town.told("opened").is_empty());
    town.refused_by(&first, &ask(View::Live, &[1]), "nothing-permits");
    assert!(matches!(town.confirms(&first, &second, glass), Ok(GlassDone::Open { .. })), "the demand still waited");
    assert_eq!(town.confirms(&first, &second, glass), Ok(GlassDone::Unknown), "and opens once");
    let late = town.demand(&first, &[2]);
    town.world.clock.pass(5 * 60);
    assert_eq!(town.confirms(&first, &second, late), Ok(GlassDone::Unknown), "five minutes later");
}

#[test]
fn nothing_that_the_law_forbids_opens_and_a_habilitation_that_ends_ends_it_all() {
    let town = Town::new(83);
    let (first, second) = (town.person("first", Role::Operator), town.person("second", Role::Operator));
    town.opens(&first, &second, &[1]);
    let permit = town.permit(&first, View::Live, &[1]);
    let asked = ask(View::Live, &[1]);
    town.refused_by(&first, &Ask { purpose: Some(Purpose::Dumping), ..asked.clone() }, "purpose-of-the-cameras");
    town.refused_by(&first, &Ask { reason: text("motif"), ..asked.clone() }, "reason-given");
    let far = View::Replay(span(-31 * DAY, -31 * DAY + 60));
    town.refused_by(&first, &ask(far, &[1]), "span-within-retention");
    town.opened.core.act_withdraw(CLI, "first", None).unwrap();
    town.world.clock.pass(1);
    assert!(!town.alive(&permit));
    town.refused_by(&first, &asked, "habilitation-in-force");
    assert_eq!(town.asks(&first, &[1]), GlassDone::NotHabilitated);
}

#[test]
fn its_end_ends_running_looks_within_a_second_whichever_clock_says_so_and_whoever_ends_it() {
    let ends: [fn(&Town, &Holder, &Holder, GlassId); 5] = [
        |town, _, _, _| town.world.clock.pass(BREAK_GLASS_SECONDS - 60),
        |town, _, _, _| town.world.clock.step(BREAK_GLASS_SECONDS),
        |town, first, _, glass| town.ends(first, glass),
        |town, _, second, glass| town.ends(second, glass),
        |town, _, _, glass| {
            let third = town.person("third", Role::Operator);
            let by_third = town.served.web.break_glass_end(third.session, glass).unwrap();
            assert_eq!(by_third, Ok(GlassDone::Unknown), "it is not theirs");
            town.ends(&town.person("dpo", Role::Dpo), glass);
        },
    ];
    for (nth, end) in ends.into_iter().enumerate() {
        let town = Town::new(84);
        let (first, second) = (town.person("first", Role::Operator), town.person("second", Role::Operator));
        let minted = town.opened.mint(0, &[1]).remove(0);
        let glass = town.opens(&first, &second, &[1]);
        let (live, replay) =
            (town.permit(&first, View::Live, &[1]), town.permit(&first, View::Replay(span(0, 50)), &[1]));
        town.world.clock.pass(60);
        assert!(town.alive(&live) && town.alive(&replay), "way {nth}");
        end(&town, &first, &second, glass);
        town.world.clock.pass(1);
        assert!(!town.alive(&live) && !town.alive(&replay), "way {nth}");
        let query = KeyQuery { permit: replay, stream: minted.stream, span: span(0, 10), parts: vec![] };
        assert!(matches!(town.opened.core.keys(&query), Err(KeeperError::NoPermit)), "way {nth}");
        town.refused_by(&first, &ask(View::Live, &[1]), "nothing-permits");
        town.opened.core.tick().unwrap();
        assert_eq!(town.told("ended").len(), 1, "way {nth}");
    }
}

#[test]
fn a_keeper_that_starts_again_has_none_open_and_enters_the_end() {
    let town = Town::new(85);
    let (first, second) = (town.person("first", Role::Operator), town.person("second", Role::Operator));
    town.opens(&first, &second, &[1]);
    let waiting = town.demand(&second, &[1]);
    let town = town.again();
    town.refused_by(&first, &ask(View::Live, &[1]), "nothing-permits");
    assert_eq!(town.confirms(&first, &first, waiting), Ok(GlassDone::Unknown));
    town.opened.core.tick().unwrap();
    assert_eq!((town.told("opened").len(), town.told("ended").len()), (1, 1));
    assert_eq!(town.alarms(), ["break-glass-unread"], "and it stays loud");
}

#[test]
fn nothing_opens_that_the_ledger_does_not_take_and_an_end_is_entered_when_it_does() {
    let town = Town::new(86);
    let (first, second) = (town.person("first", Role::Operator), town.person("second", Role::Operator));
    let glass = town.demand(&first, &[1]);
    town.world.disk.unplug(Path::new("/log/journal"));
    let proof = PersonProof { account: text("second"), password: text(PASSWORD), code: town.code(&second.phone) };
    assert!(town.served.web.break_glass_confirm(first.session.clone(), glass, proof).is_err());
    assert!(town.view(&first).lines.iter().all(|line| line.state != GlassState::Open));
    assert!(town.served.web.pass(&first.session, &ask(View::Live, &[1])).is_err(), "nobody looks at all");
}

#[test]
fn it_is_loud_until_the_officer_acknowledges_it_and_names_are_for_those_concerned() {
    let town = Town::new(87);
    let (first, second) = (town.person("first", Role::Operator), town.person("second", Role::Operator));
    let (third, dpo, admin) = (
        town.person("third", Role::Operator),
        town.person("dpo", Role::Dpo),
        town.person("admin", Role::Administrator),
    );
    assert!(town.alarms().is_empty());
    let glass = town.demand(&first, &[1]);
    let of = |person: &Holder| town.view(person).lines.remove(0);
    assert_eq!((of(&third).who, of(&third).may), (Some(text("first")), vec![GlassMay::Confirm]), "may confirm");
    assert_eq!((of(&admin).who, of(&admin).reason, of(&admin).may), (None, None, vec![]));
    assert!(matches!(town.confirms(&third, &second, glass), Ok(GlassDone::Open { .. })));
    assert_eq!(town.alarms(), ["break-glass-open"]);
    assert_eq!(of(&first).may, [GlassMay::End, GlassMay::Look]);
    assert_eq!((of(&third).who, of(&third).second, of(&third).reason), (None, None, None));
    town.permit(&first, View::Live, &[1]);
    let acknowledge = |person: &Holder| town.served.web.break_glass_acknowledge(person.session.clone(), glass).unwrap();
    assert_eq!(acknowledge(&dpo), Ok(GlassDone::StillOpen));
    town.world.clock.pass(BREAK_GLASS_SECONDS);
    town.opened.core.tick().unwrap();
    let line = of(&dpo);
    assert_eq!((line.who, line.second, line.reason), (Some(text("first")), Some(text("second")), Some(text(REASON))));
    assert_eq!((line.state, line.looks, line.may), (GlassState::Ended, 1, vec![GlassMay::Acknowledge]));
    for other in [&first, &admin] {
        assert_eq!(acknowledge(other), Ok(GlassDone::NotTheOfficer));
    }
    assert_eq!(town.alarms(), ["break-glass-unread"]);
    let person = PersonProof { account: text("dpo"), password: text(PASSWORD), code: town.code(&dpo.phone) };
    let read = Question::Control(Control::BreakGlassAcknowledge { person, glass });
    let answer = town.served.control.ask(&read).unwrap();
    assert!(matches!(answer, Answer::GlassDone(GlassDone::Acknowledged)), "{answer:?}");
    assert!(town.alarms().is_empty() && town.view(&dpo).lines.is_empty());
    assert_eq!(town.told("acknowledged").len(), 1);
    assert!(town.again().alarms().is_empty(), "and it stays so");
}
