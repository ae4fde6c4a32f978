//! Delivery by link: a sealed package is fetched by who has link and code, so often and so long as was said, and every step is entered.

use crate::{
    export::{Desk, delivery, text},
    hold::crash,
    reviews::AccountHolder,
    support::*,
};
use domain::{
    ExportId, LinkCode, LinkEnd, LinkId, LinkStep, LinkToken, LinkTry, RequisitionFacts, RequisitionId, Role,
    limit::{
        LINK_AGAIN_SECONDS, LINK_BEGINNINGS_MAX, LINK_LATE_ENTRIES_MAX, LINK_SECONDS_MAX, LINK_WRONG_CODES_MAX,
        LINKS_OF_EXPORT_MAX,
    },
    requisition::{Ground, Outcome},
};
use keeper::wire::{
    exports::{ExportAnswer, ExportQuestion, ExportView},
    links::{LinkAnswer, LinkAsk, LinkQuestion, LinkView},
};
use ledger::{Actor, Event};
use vault::{KeeperError, keeper::SessionSecret};

const HOUR: i64 = 3_600;

/// What a stranger has.
#[derive(Clone)]
struct Way {
    link: LinkId,
    token: LinkToken,
    code: LinkCode,
}

impl Way {
    fn tried(&self) -> LinkTry {
        LinkTry { token: self.token.clone(), code: self.code.clone() }
    }

    fn wrong(&self) -> LinkTry {
        let other = if self.code.text() == "00000-00000" { b"11111-11111" } else { b"00000-00000" };
        LinkTry { token: self.token.clone(), code: LinkCode::parse(other).unwrap() }
    }
}

/// A town with a package that is made, under a written requisition.
struct Delivery {
    desk: Desk,
    requisition: RequisitionId,
    view: ExportView,
}

impl Delivery {
    fn new(seed: u64) -> Delivery {
        Delivery::under(seed, Desk::registers_in_writing)
    }

    /// Whose registry holds no scan, so that its world can be forked.
    fn oral(seed: u64) -> Delivery {
        Delivery::under(seed, |desk| desk.registers(desk.draft()))
    }

    fn under(seed: u64, registers: impl Fn(&Desk) -> RequisitionId) -> Delivery {
        let desk = Desk::new(seed);
        let requisition = registers(&desk);
        let view = desk.opens(requisition, vec![desk.window(1, 10, 20)]);
        desk.package(&view);
        Delivery { desk, requisition, view }
    }

    fn asks(&self, question: LinkQuestion) -> Result<LinkAnswer, KeeperError> {
        self.desk.town.opened.core.link_question(question)
    }

    fn ask(&self, person: &AccountHolder, seconds: i64, downloads: u8) -> LinkAsk {
        let (session, export) = (person.session.clone(), self.view.export);
        LinkAsk { session, export, recipient: text("OPJ, commissariat"), seconds, downloads }
    }

    fn makes(&self, seconds: i64, downloads: u8) -> Way {
        made(self.asks(LinkQuestion::Make(Box::new(self.ask(&self.desk.first, seconds, downloads)))).unwrap())
    }

    /// Which download begins; none: refused.
    fn comes(&self, tried: LinkTry) -> Option<u8> {
        match self.asks(LinkQuestion::Try(tried)).unwrap() {
            LinkAnswer::Fetch { nth, export, .. } => {
                assert_eq!(export, self.view.export);
                Some(nth)
            }
            LinkAnswer::No => None,
            other => panic!("{other:?}"),
        }
    }

    fn over(&self, way: &Way, nth: u8, is_whole: bool) {
        self.asks(LinkQuestion::Over { link: way.link, nth, is_whole }).unwrap();
    }

    fn passes(&self, seconds: i64) {
        self.desk.town.world.clock.pass(seconds);
        self.desk.town.opened.core.tick().unwrap();
    }

    /// As the register tells it, the newest link of the package.
    fn sees(&self) -> LinkView {
        let session = self.desk.first.session.clone();
        match self.desk.asks(ExportQuestion::Requisitions { session, before: None }).unwrap() {
            ExportAnswer::Requisitions(views, _) => views[0].exports[0].links.last().unwrap().clone(),
            other => panic!("{other:?}"),
        }
    }

    /// What the ledger says that happened at it.
    fn steps(&self, way: &Way) -> Vec<LinkStep> {
        steps(&self.desk.town.opened, way.link)
    }

    fn refuses(&self) {
        let (session, requisition) = (self.desk.first.session.clone(), self.requisition);
        let (outcome, ground) = (Outcome::Refused, Some(Ground::NoAuthority));
        let reason = text("une assurance le demande");
        self.desk.asks(ExportQuestion::Answer { session, requisition, outcome, ground, reason }).unwrap();
    }
}

fn steps(opened: &Opened, of: LinkId) -> Vec<LinkStep> {
    let events = opened.entries().into_iter().map(|entry| entry.event);
    events
        .filter_map(|event| match event {
            Event::Link { link, step, .. } if link == of => Some(step),
            _ => None,
        })
        .collect()
}

fn made(answer: LinkAnswer) -> Way {
    match answer {
        LinkAnswer::Made { view, token, code } => Way { link: view.link, token, code },
        other => panic!("{other:?}"),
    }
}

fn fetch(nth: u8) -> LinkStep {
    LinkStep::Fetch { nth, again: false }
}

fn ended(why: LinkEnd) -> LinkStep {
    LinkStep::Ended { why }
}

#[test]
fn a_package_is_fetched_by_link_and_code_once_and_the_ledger_says_it_before() {
    let town = Delivery::new(901);
    let way = town.makes(HOUR, 1);
    let entries = town.desk.town.opened.entries();
    let entry = entries.last().unwrap();
    let Event::LinkMade { until, recipient, number, token, code, .. } = &entry.event else { panic!("{entry:?}") };
    assert_eq!((*until, recipient.reveal().as_str()), (entry.at.plus_seconds(HOUR), "OPJ, commissariat"));
    assert_eq!(number, "2026-0001");
    // neither the token nor the code stands anywhere
    let details = String::from_utf8(entry.to_details().unwrap()).unwrap();
    assert!(!details.contains(&way.token.text()) && !details.contains(&way.code.text().replace('-', "")), "{details}");
    assert!(token.0 != *way.token.expose() && token != code);
    assert_eq!(town.comes(way.wrong()), None);
    assert_eq!(town.comes(way.tried()), Some(1));
    let last = town.desk.town.opened.entries().pop().unwrap();
    assert!(matches!(last.actor, Actor::Role { role: ledger::Role::Web }));
    assert_eq!(town.steps(&way), [LinkStep::WrongCode, fetch(1)]);
    town.over(&way, 1, true);
    town.over(&way, 1, true); // told twice, entered once
    assert_eq!(town.comes(way.tried()), None);
    town.passes(1);
    let all = [LinkStep::WrongCode, fetch(1), LinkStep::Sent { nth: 1 }, LinkStep::Late, ended(LinkEnd::Used)];
    assert_eq!(town.steps(&way), all);
    let view = town.sees();
    assert_eq!((view.over, view.steps.len(), view.who.reveal().as_str()), (Some(LinkEnd::Used), 5, "brigadier"));
    assert!(view.steps.iter().zip(all).all(|((_, step), told)| *step == told));
}

#[test]
fn who_has_the_link_and_not_the_code_has_five_tries_and_then_nobody_has_any() {
    let town = Delivery::new(902);
    let way = town.makes(HOUR, 1);
    for _ in 0..LINK_WRONG_CODES_MAX {
        assert_eq!(town.comes(way.wrong()), None);
    }
    assert_eq!(town.comes(way.tried()), None, "dead, whoever comes");
    let mut told = vec![LinkStep::WrongCode; LINK_WRONG_CODES_MAX.into()];
    told.extend([ended(LinkEnd::WrongCodes), LinkStep::Late]);
    assert_eq!(town.steps(&way), told);
    // however often somebody comes, the ledger does not fill
    for _ in 0..2 * LINK_LATE_ENTRIES_MAX {
        assert_eq!(town.comes(way.wrong()), None);
    }
    assert_eq!(town.steps(&way).len(), told.len() - 1 + usize::from(LINK_LATE_ENTRIES_MAX));
    // of a link that nobody made nothing is entered
    let before = town.desk.town.opened.entries().len();
    let mut nobodys = way.tried();
    nobodys.token = LinkToken::draw(&*town.desk.town.world.random);
    assert_eq!(town.comes(nobodys), None);
    assert_eq!(town.desk.town.opened.entries().len(), before);
}

#[test]
fn a_download_that_broke_off_begins_again_within_the_hour_and_counts_once() {
    let town = Delivery::new(903);
    let way = town.makes(LINK_SECONDS_MAX, 2);
    assert_eq!(town.comes(way.tried()), Some(1));
    town.over(&way, 1, false);
    town.passes(LINK_AGAIN_SECONDS - 1);
    assert_eq!(town.comes(way.tried()), Some(1), "again");
    // nobody told how this one ended: a crash
    assert_eq!(town.comes(way.tried()), Some(1), "so often");
    town.over(&way, 1, false);
    assert_eq!(LINK_BEGINNINGS_MAX, 3);
    assert_eq!(town.comes(way.tried()), Some(2), "no fourth time: another download");
    town.over(&way, 2, false);
    assert_eq!(town.sees().over, None);
    town.passes(LINK_AGAIN_SECONDS);
    assert_eq!(town.comes(way.tried()), None, "too late, and the count is over");
    let again = LinkStep::Fetch { nth: 1, again: true };
    let broke = |nth| LinkStep::BrokeOff { nth };
    let told = [fetch(1), broke(1), again, again, broke(1), fetch(2), broke(2), ended(LinkEnd::Used), LinkStep::Late];
    assert_eq!(town.steps(&way), told);
}

#[test]
fn a_link_is_over_with_its_time_by_hand_with_the_handover_and_with_a_refusal() {
    let town = Delivery::new(904);
    let late = town.makes(HOUR / 2, 1);
    town.passes(HOUR / 2);
    assert_eq!((town.comes(late.tried()), town.sees().over), (None, Some(LinkEnd::Expired)));
    assert_eq!(town.steps(&late), [ended(LinkEnd::Expired), LinkStep::Late]);
    let revoked = town.makes(HOUR, 1);
    let session = town.desk.first.session.clone();
    let by_hand = LinkQuestion::Revoke { session: session.clone(), link: revoked.link };
    assert!(matches!(town.asks(by_hand.clone()), Ok(LinkAnswer::Done)));
    assert!(matches!(town.asks(by_hand), Ok(LinkAnswer::Done)), "twice is once");
    assert_eq!(town.comes(revoked.tried()), None);
    assert_eq!(town.steps(&revoked), [ended(LinkEnd::Revoked), LinkStep::Late]);
    // the package is made anew, perhaps by another passphrase
    let remade = town.makes(HOUR, 1);
    town.asks(LinkQuestion::EndOf { session: session.clone(), export: town.view.export }).unwrap();
    assert_eq!((town.comes(remade.tried()), town.steps(&remade)[0]), (None, ended(LinkEnd::CopyGone)));
    let handed_over = town.makes(HOUR, 1);
    let delivery = Box::new(delivery(&town.desk, &town.view));
    town.desk.asks(ExportQuestion::Deliver { session, requisition: town.requisition, delivery }).unwrap();
    assert_eq!(town.comes(handed_over.tried()), None);
    assert_eq!(town.steps(&handed_over), [ended(LinkEnd::Delivered), LinkStep::Late]);

    let town = Delivery::new(905);
    let refused = town.makes(HOUR, 1);
    town.refuses();
    assert_eq!(town.comes(refused.tried()), None, "at once");
    town.passes(60);
    assert_eq!(town.steps(&refused), [LinkStep::Late, ended(LinkEnd::CopyGone)]);
}

#[test]
fn a_link_never_outlives_the_permission_of_two_persons() {
    let town = Delivery::new(906);
    town.desk.town.world.clock.pass(HOUR / 2);
    let way = town.makes(LINK_SECONDS_MAX, 1);
    assert_eq!(town.sees().until, town.view.until);
    assert!(town.sees().until < town.sees().made.plus_seconds(LINK_SECONDS_MAX));
    town.desk.pass_to(town.view.until);
    town.passes(1);
    assert_eq!((town.comes(way.tried()), town.steps(&way)[0]), (None, ended(LinkEnd::Expired)));
}

#[test]
fn only_who_made_the_package_makes_its_link_one_at_a_time_and_within_bounds() {
    let town = Delivery::new(907);
    let make = |ask: LinkAsk| town.asks(LinkQuestion::Make(Box::new(ask)));
    let Desk { first, second, .. } = &town.desk;
    assert!(matches!(make(town.ask(second, HOUR, 1)), Ok(LinkAnswer::Unknown)));
    let officer = town.desk.town.person("csu", Role::Operator);
    assert!(matches!(make(town.ask(&officer, HOUR, 1)), Err(KeeperError::Forbidden { .. })));
    let nothing = LinkAsk { export: ExportId([9; 16]), ..town.ask(first, HOUR, 1) };
    assert!(matches!(make(nothing), Ok(LinkAnswer::Unknown)));
    let unmade = town.desk.opens(town.requisition, vec![town.desk.window(1, 30, 40)]);
    let unmade = LinkAsk { export: unmade.export, ..town.ask(first, HOUR, 1) };
    assert!(matches!(make(unmade), Ok(LinkAnswer::Unknown)), "allowed, and no package yet");
    let nameless = LinkAsk { recipient: text(" "), ..town.ask(first, HOUR, 1) };
    for wrong in [town.ask(first, 60, 1), town.ask(first, LINK_SECONDS_MAX + 1, 1), town.ask(first, HOUR, 4), nameless]
    {
        assert!(matches!(make(wrong), Err(KeeperError::Malformed { .. })));
    }
    let mut way = town.makes(HOUR, 1);
    assert!(matches!(make(town.ask(first, HOUR, 1)), Ok(LinkAnswer::Lives)));
    let revoke = |session: &SessionSecret, link| town.asks(LinkQuestion::Revoke { session: session.clone(), link });
    assert!(matches!(revoke(&second.session, way.link), Ok(LinkAnswer::Unknown)));
    for _ in 1..LINKS_OF_EXPORT_MAX {
        assert!(matches!(revoke(&first.session, way.link), Ok(LinkAnswer::Done)));
        way = town.makes(HOUR, 1);
    }
    revoke(&first.session, way.link).unwrap();
    assert!(matches!(make(town.ask(first, HOUR, 1)), Ok(LinkAnswer::Lives)), "ten in all");
}

#[test]
fn a_used_link_stays_used_whatever_backup_of_the_registry_comes_back() {
    let town = Delivery::oral(908);
    // the registry, as it was when the link was not made yet
    let before = town.desk.town.world.fork(1);
    let way = town.makes(HOUR, 1);
    assert_eq!(town.comes(way.tried()), Some(1));
    town.over(&way, 1, true);
    let after = town.desk.town.world.fork(2);
    let folder = |world: &World| world.registry_path().parent().unwrap().to_owned();
    for file in std::fs::read_dir(folder(&before)).unwrap().flatten() {
        std::fs::copy(file.path(), folder(&after).join(file.file_name())).unwrap();
    }
    let opened = after.open();
    let no = opened.core.link_question(LinkQuestion::Try(way.tried())).unwrap();
    assert!(matches!(no, LinkAnswer::No));
    assert!(!steps(&opened, way.link).contains(&LinkStep::Fetch { nth: 2, again: false }));
}

#[test]
fn a_link_is_made_tried_and_ended_whole_whatever_the_disk_does_at_whichever_step() {
    let town = Delivery::oral(909);
    let world = &town.desk.town.world;
    let made_of = |opened: &Opened| {
        let events = opened.entries().into_iter().map(|entry| entry.event);
        events.filter(|event| matches!(event, Event::LinkMade { .. })).count()
    };
    let ask = || LinkQuestion::Make(Box::new(town.ask(&town.desk.first, HOUR, 1)));
    let make = |opened: &Opened| matches!(opened.core.link_question(ask()), Ok(LinkAnswer::Made { .. }));
    crash(world, &make, &|opened, acknowledged, what| {
        let links = made_of(opened);
        assert!(links == 1 || links == 0 && !acknowledged, "{what}");
        // one that nobody was told keeps the next one back until it is revoked
        assert_eq!(make(opened), links == 0, "{what}");
    });
    let way = town.makes(HOUR, 1);
    let come = |opened: &Opened| {
        let answer = opened.core.link_question(LinkQuestion::Try(way.tried()));
        matches!(answer, Ok(LinkAnswer::Fetch { .. }))
    };
    crash(world, &come, &|opened, acknowledged, what| {
        // what was answered yes is entered, and what is entered may begin again
        let known = steps(opened, way.link);
        assert!(known == [fetch(1)] || known.is_empty() && !acknowledged, "{what}: {known:?}");
        assert!(come(opened), "{what}");
    });
    assert!(come(&town.desk.town.opened));
    let over = |opened: &Opened| {
        let question = LinkQuestion::Over { link: way.link, nth: 1, is_whole: true };
        opened.core.link_question(question).is_ok()
    };
    crash(world, &over, &|opened, acknowledged, what| {
        let known = steps(opened, way.link);
        let is_told = known.contains(&LinkStep::Sent { nth: 1 });
        assert!(is_told || !acknowledged, "{what}");
        assert_eq!(come(opened), !is_told, "who has it whole has it once: {what}");
    });
    let session = town.desk.first.session.clone();
    let revoke = |opened: &Opened| {
        let question = LinkQuestion::Revoke { session: session.clone(), link: way.link };
        opened.core.link_question(question).is_ok()
    };
    crash(world, &revoke, &|opened, acknowledged, what| {
        let is_over = steps(opened, way.link).contains(&ended(LinkEnd::Revoked));
        assert!(is_over || !acknowledged, "{what}");
        assert_eq!(come(opened), !is_over, "{what}");
    });
}

#[test]
fn a_requisition_that_lacks_its_paper_again_lets_nothing_leave_by_a_link() {
    let town = Delivery::new(910);
    let way = town.makes(HOUR, 1);
    let (session, known) = (town.desk.first.session.clone(), Some(town.requisition));
    let says = Box::new(RequisitionFacts { genuine: None, ..town.desk.draft() });
    town.desk.asks(ExportQuestion::Register { session, known, says }).unwrap();
    assert_eq!(town.comes(way.tried()), None);
}
