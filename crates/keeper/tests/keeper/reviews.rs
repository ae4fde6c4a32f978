//! Reviews over the keeper's sockets: entered before they are told, under pseudonyms, by time only; names by two persons; one's own
//! trace for everybody.

use crate::{
    authenticator::{PASSWORD, Phone},
    sockets::Served,
    support::*,
};
use disk::{Fault, Happened};
use domain::{Act, ActId, ActKind, ActTerms, Role, Sensitive, Span, UtcMicros};
use keeper::{
    review::words::{AccountsPage, Asks, Done, NameShown, QuestionsPage, ReviewAsk, ReviewOf, Reviewed, TracePage},
    wire::{Answer, Browser, Control, PersonProof, Question},
};
use ledger::{Actor, Event};
use policy::acts::{About, Draft};
use std::{collections::BTreeSet, io::ErrorKind};
use vault::{
    Keeper, KeeperError,
    keeper::{Ask, Refused, SessionSecret, Verdict, View},
};

const CLI: Actor = Actor::Cli { uid: 0 };
const WHY: &str = "contrôle mensuel du délégué";

fn text(text: &str) -> Sensitive<String> {
    Sensitive::new(text.into())
}

/// A town with the people of a review, before its keeper's sockets.
pub struct Town {
    pub world: World,
    pub opened: Opened,
    pub served: Served,
}

pub struct AccountHolder {
    pub name: &'static str,
    pub phone: Phone,
    pub session: SessionSecret,
}

impl Town {
    pub fn new(seed: u64) -> Town {
        let world = World::new(seed);
        let opened = world.open_with_session();
        opened.core.started("00").unwrap();
        let served = Served::new(&opened);
        Town { world, opened, served }
    }

    /// An account that is set up, habilitated where its role needs it, and signed in.
    pub fn person(&self, name: &'static str, role: Role) -> AccountHolder {
        let added = self.opened.core.account_add(CLI, &text(name), role).unwrap();
        let Answer::SetupToken { token, .. } = added else { panic!("{added:?}") };
        let phone = Phone::set_up(&self.served, &self.world, &token);
        if role.article().is_some() {
            self.enter(capacity(name, role));
        }
        let session = text("");
        let mut person = AccountHolder { name, phone, session };
        self.sign_in(&mut person);
        person
    }

    fn sign_in(&self, person: &mut AccountHolder) {
        self.world.clock.pass(30);
        let PersonProof { account, password, code } = self.proof(person);
        let begun = self.served.web.sign_in(account, password, code, Browser::default()).unwrap();
        person.session = begun.unwrap().session;
        self.world.clock.pass(30);
    }

    pub fn proof(&self, person: &AccountHolder) -> PersonProof {
        let code = person.phone.code(self.world.now());
        PersonProof { account: text(person.name), password: text(PASSWORD), code }
    }

    fn enter(&self, draft: Draft) {
        let entered = self.opened.core.acts_enter(CLI, vec![draft]).unwrap();
        assert!(matches!(entered, Answer::ActsEntered(_)), "{entered:?}");
    }

    fn looks(&self, person: &AccountHolder, cameras: &[u8], reason: &str) {
        let asked = Ask { reason: text(reason), ..ask(View::Live, cameras) };
        let verdict = self.served.web.pass(&person.session, &asked).unwrap();
        assert!(matches!(verdict, Verdict::Allowed(_)), "{verdict:?}");
        self.world.clock.pass(60);
    }

    /// The last day.
    fn day(&self) -> Span {
        Span::new(self.world.now().plus_seconds(-DAY), self.world.now().plus_seconds(1)).unwrap()
    }

    fn ask(&self, person: &AccountHolder, what: ReviewOf) -> Result<Reviewed, KeeperError> {
        self.served.web.review(ReviewAsk { session: person.session.clone(), what, reason: text(WHY) })
    }

    #[track_caller]
    fn trace(&self, person: &AccountHolder, span: Span, before: Option<u64>) -> TracePage {
        match self.ask(person, ReviewOf::Trace { span, before }).unwrap() {
            Reviewed::Trace(page) => page,
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    fn accounts(&self, person: &AccountHolder) -> AccountsPage {
        match self.ask(person, ReviewOf::Accounts).unwrap() {
            Reviewed::Accounts(page) => page,
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    fn questions(&self, person: &AccountHolder, span: Span) -> QuestionsPage {
        match self.ask(person, ReviewOf::Questions { span }).unwrap() {
            Reviewed::Questions(page) => page,
            other => panic!("{other:?}"),
        }
    }

    #[track_caller]
    fn refused(&self, person: &AccountHolder, what: ReviewOf) -> Refused {
        match self.ask(person, what).unwrap() {
            Reviewed::Refused(refused) => refused,
            other => panic!("{other:?}"),
        }
    }

    fn name_of(&self, span: Span, pseudonym: &str, first: &AccountHolder, second: &AccountHolder) -> ReviewOf {
        self.world.clock.pass(60); // each code counts once
        let PersonProof { password, code, .. } = self.proof(first);
        ReviewOf::Name { span, pseudonym: pseudonym.into(), password, code, second: self.proof(second) }
    }

    fn own(&self, person: &AccountHolder) -> TracePage {
        self.served.web.own_trace(person.session.clone(), self.day(), None).unwrap()
    }

    fn event(&self, number: u64) -> Event {
        self.opened.core.journal().entry(number).unwrap().event
    }
}

fn capacity(name: &str, role: Role) -> Draft {
    let kind = if role == Role::Operator { ActKind::Approval } else { ActKind::Habilitation };
    Draft {
        kind,
        number: format!("acte de {name}"),
        about: About::Person(text(name)),
        terms: ActTerms::Capacity { role, territory: "commune".into() },
        ..plain(kind)
    }
}

fn plain(kind: ActKind) -> Draft {
    Draft {
        kind,
        number: "CST 2026-1".into(),
        signed: utc(-DAY),
        signatory: text("démonstration, aucun préfet n'a signé"),
        from: utc(-DAY),
        until: Some(utc(500 * DAY)),
        about: About::Site,
        terms: ActTerms::Plain,
        scan: None,
    }
}

/// Which of the demonstration's papers tells of the staff.
fn staff_act() -> ActId {
    let is_staffs = |act: &Act| act.kind == ActKind::StaffInformation;
    demonstration_acts().into_iter().find(is_staffs).unwrap().id
}

fn whos(page: &TracePage) -> BTreeSet<String> {
    page.lines.iter().filter_map(|line| line.who.clone()).collect()
}

/// Of the newest look.
fn looker(page: &TracePage) -> String {
    page.lines.iter().find(|line| matches!(line.done, Done::Looked { .. })).unwrap().who.clone().unwrap()
}

#[test]
fn a_reading_is_in_the_ledger_before_it_is_told_with_its_reason_and_names_nobody() {
    let town = Town::new(1);
    let (dpo, anne) = (town.person("Delphine Poirier", Role::Dpo), town.person("Anne Lefort", Role::Operator));
    town.looks(&anne, &[1], "rixe signalée rue Haute");
    let page = town.trace(&dpo, town.day(), None);
    let Event::Review { who, what, reason, .. } = town.event(page.entry.unwrap()) else { panic!("no entry") };
    assert_eq!((&**who.reveal(), &*what, &**reason.reveal()), ("Delphine Poirier", "trace", WHY));
    let told = serde_json::to_string(&page).unwrap();
    assert!(told.contains("rixe signalée rue Haute") && told.contains("camera 1"), "{told}");
    for name in ["Delphine", "Anne", "Lefort", "Poirier"] {
        assert!(!told.contains(name), "{told}");
    }
    let entries = town.opened.core.journal().size();
    for wrong in ["", "court", "         ", &"x".repeat(501)] {
        let what = ReviewOf::Trace { span: town.day(), before: None };
        let ask = ReviewAsk { session: dpo.session.clone(), what, reason: text(wrong) };
        assert!(matches!(town.served.web.review(ask), Err(KeeperError::Malformed { .. })));
    }
    let long = Span::new(utc(-400 * DAY), utc(0)).unwrap();
    assert!(town.ask(&dpo, ReviewOf::Trace { span: long, before: None }).is_err(), "more than a year");
    assert_eq!(town.opened.core.journal().size(), entries, "what is not told is not entered");
}

#[test]
fn without_an_entry_nothing_is_told() {
    let town = Town::new(2);
    let dpo = town.person("dpo", Role::Dpo);
    let fault = Fault::Error(Happened::No, ErrorKind::StorageFull);
    town.world.disk.plan(town.world.disk.steps(), fault);
    let answer = town.ask(&dpo, ReviewOf::Trace { span: town.day(), before: None });
    assert!(matches!(answer, Err(KeeperError::LedgerAway { .. })), "{answer:?}");
}

#[test]
fn one_person_has_one_pseudonym_on_every_page_of_a_span_and_another_one_in_another_span() {
    let town = Town::new(3);
    let (dpo, anne, paul) =
        (town.person("dpo", Role::Dpo), town.person("Anne", Role::Operator), town.person("Paul", Role::Operator));
    for n in 0..70 {
        town.looks(&anne, &[1], &format!("ronde numéro {n}"));
        town.looks(&paul, &[2], &format!("appel numéro {n}"));
        town.served.web.session_acts(&dpo.session).unwrap();
    }
    let span = town.day();
    let first = town.trace(&dpo, span, None);
    let second = town.trace(&dpo, span, first.before);
    assert_eq!((first.lines.len(), second.before), (100, None));
    let of = |page: &TracePage, camera: &str| -> BTreeSet<String> {
        let is_there = |done: &Done| matches!(done, Done::Looked { cameras, .. } if cameras.names == [camera]);
        page.lines.iter().filter(|line| is_there(&line.done)).filter_map(|line| line.who.clone()).collect()
    };
    let annes = of(&first, "camera 1");
    assert_eq!((annes.len(), &annes), (1, &of(&second, "camera 1")));
    assert_ne!(annes, of(&first, "camera 2"));
    let wider = Span::new(span.from(), span.to().plus_seconds(1)).unwrap();
    assert!(annes.is_disjoint(&of(&town.trace(&dpo, wider, None), "camera 1")));
    let entries: Vec<u64> = first.lines.iter().chain(&second.lines).map(|line| line.entry).collect();
    assert!(entries.is_sorted_by(|one, next| one > next), "by time, the newest first, and nothing twice");
    let times: Vec<UtcMicros> = first.lines.iter().map(|line| line.at).collect();
    assert!(times.is_sorted_by(|one, next| one >= next));
    let totals = first.totals.unwrap();
    assert_eq!((totals.looks, totals.exports, totals.names), (140, 0, 0));
}

#[test]
fn a_refusal_is_told_with_the_rules_that_decided_in_words() {
    let town = Town::new(4);
    let dpo = town.person("dpo", Role::Dpo);
    let it = town.person("it", Role::Administrator);
    assert!(matches!(town.served.web.pass(&it.session, &ask(View::Live, &[1])).unwrap(), Verdict::Refused(_)));
    let page = town.trace(&dpo, town.day(), None);
    let refused = page.lines.iter().find_map(|line| match &line.done {
        Done::Refused(refused) => Some(refused),
        _ => None,
    });
    let refused = refused.expect("a refusal");
    assert!(refused.rules.contains(&"administrator-sees-no-picture".to_owned()), "{refused:?}");
    for rule in &refused.rules {
        assert!(page.rules[rule].text_fr.len() > 10 && page.rules[rule].text_en.len() > 10, "{rule}");
    }
    assert_eq!(page.totals.unwrap().refusals, 1);
}

#[test]
fn an_inspector_reads_looks_and_accounts_and_who_only_looks_reads_neither() {
    let town = Town::new(5);
    let (inspector, anne) = (town.person("inspecteur", Role::Inspector), town.person("Anne", Role::Operator));
    let it = town.person("it", Role::Administrator);
    town.trace(&inspector, town.day(), None);
    assert_eq!(town.accounts(&inspector).accounts.len(), 5);
    let trace = || ReviewOf::Trace { span: town.day(), before: None };
    let questions = || ReviewOf::Questions { span: town.day() };
    let name = || town.name_of(town.day(), "0000-0000", &inspector, &anne);
    let refusals = [(&inspector, questions()), (&inspector, name()), (&anne, trace()), (&it, trace())];
    for (person, what) in refusals.into_iter().chain([(&it, ReviewOf::Accounts)]) {
        let refused = town.refused(person, what);
        assert_eq!(refused.reasons[0].rule, "review-by-office");
        let Event::Refusal { rules, .. } = town.event(refused.leaf) else { panic!("{refused:?}") };
        assert_eq!(rules, ["review-by-office"]);
    }
}

#[test]
fn questions_wait_for_the_staffs_information_and_then_leave_out_what_was_before_it() {
    let town = Town::new(6);
    let (dpo, anne) = (town.person("dpo", Role::Dpo), town.person("Anne", Role::Operator));
    town.opened.core.act_withdraw(CLI, &staff_act().to_string(), None).unwrap();
    for _ in 0..5 {
        town.looks(&anne, &[1], "surveillance générale");
    }
    let span = || Span::new(town.world.now().plus_seconds(-7 * DAY), town.world.now().plus_seconds(1)).unwrap();
    let refused = town.refused(&dpo, ReviewOf::Questions { span: span() });
    let reason = &refused.reasons[0];
    assert_eq!((&*reason.rule, reason.article.contains("L253-1")), ("act-staff", true), "{reason:?}");
    assert!(reason.remedy_fr.contains("CST") && reason.remedy_en.contains("committee"), "{reason:?}");
    assert!(matches!(town.event(refused.leaf), Event::Refusal { action, .. } if action == "review-questions"));

    let from = town.world.now();
    town.enter(Draft { signed: from, from, ..plain(ActKind::StaffInformation) });
    let page = town.questions(&dpo, span());
    assert_eq!((page.informed_from, page.questions), (from, vec![]), "those looks were made before it");
    for _ in 0..5 {
        town.looks(&anne, &[1], "Surveillance, générale !");
    }
    let page = town.questions(&dpo, span());
    let about: Vec<&Asks> = page.questions.iter().map(|question| &question.about).collect();
    let words = Asks::SameWords { reason: text("Surveillance, générale !") };
    assert_eq!(about, [&Asks::Place { camera: "camera 1".into() }, &words]);
    assert!(page.questions.iter().all(|question| question.looks.len() == 5 && !question.more));
    assert!(whos(&town.trace(&dpo, span(), None)).contains(&page.questions[0].who), "the trace names nobody else");
    assert!(matches!(town.event(page.entry), Event::Review { what, .. } if what == "questions"));
}

#[test]
fn a_look_at_night_is_a_question_by_the_clock_of_paris() {
    let town = Town::new(7);
    let (mut dpo, mut anne) = (town.person("dpo", Role::Dpo), town.person("Anne", Role::Operator));
    town.looks(&anne, &[1, 2], "ronde de l'après-midi");
    town.world.clock.pass(7 * 3_600); // 22 h in Paris
    town.sign_in(&mut anne);
    town.sign_in(&mut dpo);
    town.looks(&anne, &[1, 2], "bris de vitrine signalé");
    let page = town.questions(&dpo, town.day());
    let told: Vec<(&Asks, usize)> = page.questions.iter().map(|it| (&it.about, it.looks.len())).collect();
    assert_eq!(told, [(&Asks::Night, 1)]);
}

#[test]
fn a_name_is_shown_to_the_officer_with_the_mayor_after_the_entry_and_to_nobody_else() {
    let town = Town::new(8);
    let (dpo, anne) = (town.person("dpo", Role::Dpo), town.person("Anne Lefort", Role::Operator));
    let (mayor, police) = (town.person("maire", Role::Elected), town.person("police", Role::MunicipalPolice));
    town.looks(&anne, &[1], "rixe signalée rue Haute");
    let span = town.day();
    let trace = town.trace(&dpo, span, None);
    let pseudonym = looker(&trace);
    let rule = |first: &AccountHolder, second: &AccountHolder, pseudonym: &str| {
        let refused = town.refused(&dpo, town.name_of(span, pseudonym, first, second));
        refused.reasons[0].rule.clone()
    };
    assert_eq!(rule(&dpo, &police, &pseudonym), "review-second-person");
    assert_eq!(rule(&dpo, &anne, &pseudonym), "review-second-person");
    assert_eq!(rule(&dpo, &mayor, "0000-0000"), "review-pseudonym");
    let own = trace.lines.iter().find(|line| matches!(line.done, Done::Reviewed { .. })).unwrap().who.clone().unwrap();
    assert_eq!(rule(&dpo, &mayor, &own), "review-own-case");

    let ReviewOf::Name { span, pseudonym: of, password, second, .. } = town.name_of(span, &pseudonym, &dpo, &mayor)
    else {
        panic!("a name is asked for")
    };
    let wrong = ReviewOf::Name { span, pseudonym: of, password, code: text("000000"), second };
    assert!(matches!(town.ask(&dpo, wrong).unwrap(), Reviewed::Denied { wait_seconds: 0 }));
    let names = |town: &Town| {
        let named = |entry: &ledger::Entry| matches!(entry.event, Event::Review { pseudonym: Some(_), .. });
        town.opened.entries().iter().filter(|entry| named(entry)).count()
    };
    assert_eq!(names(&town), 0);
    let shown = town.ask(&dpo, town.name_of(span, &pseudonym, &dpo, &mayor)).unwrap();
    let Reviewed::Name(NameShown { entry, name, role, .. }) = shown else { panic!("{shown:?}") };
    assert_eq!((&**name.reveal(), role), ("Anne Lefort", Role::Operator));
    let Event::Review { second, named, reason, .. } = town.event(entry) else { panic!("no entry") };
    assert_eq!((second, named, &**reason.reveal()), (Some(text("maire")), Some(name), WHY));
    let mine = town.own(&anne);
    let of_me = |done: &Done| matches!(done, Done::Named { of_me: true, .. });
    assert!(mine.lines.iter().any(|line| of_me(&line.done)), "whose name was shown reads it");
    let theirs = |person: &AccountHolder| {
        let lines = town.own(person).lines;
        lines.iter().filter(|line| matches!(line.done, Done::Named { of_me: false, .. })).count()
    };
    assert_eq!((theirs(&dpo), theirs(&mayor), theirs(&police)), (1, 1, 0));
}

#[test]
fn a_mayor_whose_habilitation_ended_is_no_second_person() {
    let town = Town::new(9);
    let (dpo, anne, mayor) =
        (town.person("dpo", Role::Dpo), town.person("Anne", Role::Operator), town.person("maire", Role::Elected));
    town.looks(&anne, &[1], "rixe signalée rue Haute");
    let span = town.day();
    let who = looker(&town.trace(&dpo, span, None));
    town.opened.core.act_withdraw(CLI, "acte de maire", None).unwrap();
    let refused = town.refused(&dpo, town.name_of(span, &who, &dpo, &mayor));
    assert_eq!(refused.reasons[0].rule, "review-second-person");
}

#[test]
fn each_person_reads_their_own_looks_and_refusals_and_nobody_elses() {
    let town = Town::new(10);
    let (anne, paul) = (town.person("Anne", Role::Operator), town.person("Paul", Role::Operator));
    let it = town.person("it", Role::Administrator);
    town.looks(&anne, &[1], "rixe signalée rue Haute");
    town.looks(&paul, &[2], "incendie au marché");
    for _ in 0..2 {
        town.served.web.pass(&it.session, &ask(View::Live, &[1])).unwrap();
    }
    let mine = town.own(&anne);
    let [line] = &mine.lines[..] else { panic!("{mine:?}") };
    let Done::Looked { reason, cameras, live: true, .. } = &line.done else { panic!("{line:?}") };
    assert_eq!((&**reason.reveal(), &cameras.names[..]), ("rixe signalée rue Haute", &["camera 1".to_owned()][..]));
    assert_eq!((line.who.clone(), mine.totals, mine.entry), (None, None, None));
    let theirs = town.own(&it);
    assert_eq!(theirs.lines.len(), 2);
    assert!(theirs.lines.iter().all(|line| matches!(&line.done, Done::Refused(refused) if !refused.rules.is_empty())));
    let nobody = town.served.web.own_trace(text("no session"), town.day(), None);
    assert!(matches!(nobody, Err(KeeperError::NoSession)));
}

#[test]
fn a_keeper_that_starts_again_tells_the_same_trace_under_the_same_pseudonyms() {
    let mut town = Town::new(11);
    let (dpo, anne) = (town.person("dpo", Role::Dpo), town.person("Anne", Role::Operator));
    town.looks(&anne, &[1], "rixe signalée rue Haute");
    let span = town.day();
    let before = town.trace(&dpo, span, None);
    let Town { world, opened, served } = town;
    drop((opened, served));
    let opened = world.open();
    let served = Served::new(&opened);
    town = Town { world, opened, served };
    let after = town.trace(&dpo, span, None);
    assert_eq!(after.lines[1..], before.lines[..], "and the reading before it");
}

#[test]
fn a_month_whose_key_is_dead_is_told_as_ended_with_what_the_log_still_proves() {
    let town = Town::new(12);
    let (mut dpo, mut anne) = (town.person("dpo", Role::Dpo), town.person("Anne", Role::Operator));
    let whole = Span::new(utc(-DAY), utc(200 * DAY)).unwrap();
    town.looks(&anne, &[1], "rixe signalée rue Haute");
    let last_of_march = town.opened.core.journal().size() - 1;
    town.world.clock.pass(60 * DAY);
    for person in [&mut dpo, &mut anne] {
        town.sign_in(person);
    }
    town.looks(&anne, &[1], "bris de vitrine");
    let first_after = (0..).find(|seq| town.opened.core.journal().read(*seq).unwrap().month.yyyymm() > 202_603);
    town.world.clock.pass(330 * DAY);
    town.opened.core.forget_due().unwrap();
    let check = |town: &Town, dpo: &mut AccountHolder| {
        town.sign_in(dpo);
        let page = town.trace(dpo, whole, None);
        let reasons: Vec<&str> = page
            .lines
            .iter()
            .filter_map(|line| match &line.done {
                Done::Looked { reason, .. } => Some(&**reason.reveal()),
                _ => None,
            })
            .collect();
        assert_eq!(reasons, ["bris de vitrine"]);
        assert_eq!(page.totals.unwrap().looks, 1, "nothing of a dead month is counted");
        let [ended] = &page.ended[..] else { panic!("{:?}", page.ended) };
        assert_eq!((&*ended.month, ended.first, Some(ended.last + 1)), ("2026-03", 0, first_after));
        assert!(last_of_march <= ended.last);
        let (number, _) = ended.ended.expect("the entry of the key's end");
        assert!(matches!(town.event(number), Event::LogKeyDestroyed { month, .. } if month.to_string() == ended.month));
        let proof = town.opened.core.journal().prove_inclusion(ended.log_size, ended.last);
        assert!(proof.is_ok() && ended.root_hex.len() == 64, "{ended:?}");
    };
    check(&town, &mut dpo);
    let Town { world, opened, served } = town;
    drop((opened, served));
    let opened = world.open();
    let served = Served::new(&opened);
    check(&Town { world, opened, served }, &mut dpo);
}

#[test]
fn each_account_has_its_act_its_end_and_its_training_which_is_old_after_two_years() {
    let town = Town::new(13);
    let (mut dpo, _anne) = (town.person("dpo", Role::Dpo), town.person("Anne", Role::Operator));
    let trained = |name: &str, on: UtcMicros| {
        town.served.control.ask(&Question::Control(Control::AccountTrained { name: text(name), on }))
    };
    trained("Anne", utc(-10 * DAY)).unwrap();
    assert!(trained("nobody", utc(-10 * DAY)).is_err());
    assert!(trained("Anne", town.world.now().plus_seconds(DAY)).is_err(), "not held yet");
    let entered = town.opened.entries().into_iter().any(|entry| {
        matches!(entry.event, Event::Account { change, name, .. } if change == "training on 2026-03-02 15:00" && name == text("Anne"))
    });
    assert!(entered, "it is in the ledger");
    let of = |page: &AccountsPage, name: &str| page.accounts.iter().find(|it| it.name == text(name)).unwrap().clone();
    let page = town.accounts(&dpo);
    let anne = of(&page, "Anne");
    let [act] = &anne.acts[..] else { panic!("{anne:?}") };
    assert_eq!((&*act.number, act.end, act.holds), ("acte de Anne", Some(utc(500 * DAY)), true));
    assert_eq!((anne.trained, anne.training_is_old, anne.missing), (Some(utc(-10 * DAY)), false, vec![]));
    assert_eq!((of(&page, "dpo").trained, of(&page, "dpo").acts), (None, vec![]));
    assert!(matches!(town.event(page.entry), Event::Review { what, .. } if what == "accounts"));
    let warns = || town.opened.core.health().unwrap().findings.iter().any(|finding| finding.id == "training");
    assert!(!warns());
    town.world.clock.pass(730 * DAY);
    town.sign_in(&mut dpo);
    let anne = of(&town.accounts(&dpo), "Anne");
    assert!(anne.training_is_old && warns());
    assert_eq!(anne.missing.len(), 1, "and the approval has ended: {anne:?}");
    trained("Anne", town.world.now()).unwrap();
    assert!(!of(&town.accounts(&dpo), "Anne").training_is_old && !warns());
}

/// Every field that an answer has. Whoever adds one reads here what none may be: a score, a rank, a count of what one person did.
#[rustfmt::skip]
const FIELDS: [&str; 51] = [
    "Accounts", "Looked", "Name", "Named", "Place", "Questions", "Refused", "Reviewed", "SameWords", "Trace",
    "about", "accounts", "action", "acts", "at", "before", "camera", "cameras", "closed", "done", "end", "ended",
    "entry", "exports", "from", "holds", "informed_from", "kind", "lines", "live", "looks", "missing", "more", "name", "names",
    "number", "of_me", "pseudonym", "purpose", "questions", "reason", "refusals", "reviews", "role", "rules", "span",
    "totals", "trained", "training_is_old", "what", "who",
];

#[test]
fn no_answer_has_a_field_that_measures_or_ranks_a_person() {
    let town = Town::new(14);
    let (dpo, anne) = (town.person("dpo", Role::Dpo), town.person("Anne", Role::Operator));
    let mayor = town.person("maire", Role::Elected);
    let it = town.person("it", Role::Administrator);
    town.served.web.pass(&it.session, &ask(View::Live, &[1])).unwrap();
    town.world.clock.pass(8 * 3_600);
    let (mut dpo, mut anne) = (dpo, anne);
    town.sign_in(&mut anne);
    town.sign_in(&mut dpo);
    for _ in 0..5 {
        town.looks(&anne, &[1], "surveillance");
    }
    let span = Span::new(town.world.now().plus_seconds(-DAY), town.world.now().plus_seconds(3_600)).unwrap();
    let who = looker(&town.trace(&dpo, span, None));
    let asked = [
        ReviewOf::Accounts,
        ReviewOf::Questions { span },
        town.name_of(span, &who, &dpo, &mayor),
        ReviewOf::Trace { span, before: None },
    ];
    let mut fields = BTreeSet::new();
    for what in asked {
        let mut told = serde_json::to_value(town.ask(&dpo, what).unwrap()).unwrap();
        // rows of the law pack, in which no person is
        told.pointer_mut("/Accounts").and_then(|page| page.as_object_mut()?.remove("required"));
        gather(&told, &mut fields);
    }
    let known: BTreeSet<String> = FIELDS.iter().map(|field| (*field).to_owned()).collect();
    // a rule's name, and its words
    let is_rules = |field: &&String| field.contains('-') || field.starts_with("text_");
    let found: BTreeSet<String> = fields.iter().filter(|field| !is_rules(field)).cloned().collect();
    assert_eq!(found, known);
}

fn gather(value: &serde_json::Value, fields: &mut BTreeSet<String>) {
    match value {
        serde_json::Value::Object(object) => object.iter().for_each(|(key, value)| {
            fields.insert(key.clone());
            gather(value, fields);
        }),
        serde_json::Value::Array(values) => values.iter().for_each(|value| gather(value, fields)),
        _ => {}
    }
}
