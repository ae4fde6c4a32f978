//! What a paper is refused for when it is entered, and what papers let a camera record.

use domain::{
    AccountId, Act, ActId, ActKind, ActScope, ActTerms, CameraId, OrderTerms, Purpose, Role, Sensitive, UtcMicros,
    limit,
};
use policy::Law;
use policy::{
    acts::check,
    calendar::{day, months_after},
    golive::{GoLive, Missing, Notice, endings, endings_of_person, go_live, missing_of_person, next_change},
    required::{Effect, Per, RequiredAct},
};
use proptest::prelude::*;
use std::sync::{Arc, LazyLock};

const CAMERA: CameraId = CameraId([1; 16]);
const PERSON: AccountId = AccountId([2; 16]);

fn on(year: i16, month: i8, of_month: i8) -> UtcMicros {
    day(year, month, of_month).expect("a day of the calendar")
}

fn required() -> &'static [RequiredAct] {
    static LAW: LazyLock<Arc<Law>> = LazyLock::new(|| Law::built_in().expect("signed and whole"));
    LAW.required()
}

fn plain(kind: ActKind, scope: ActScope) -> Act {
    Act {
        id: ActId([kind as u8; 16]),
        kind,
        number: "2026-1".into(),
        signed: on(2026, 1, 1),
        signatory: Sensitive::new("démonstration, aucun préfet n'a signé".into()),
        from: on(2026, 1, 1),
        until: None,
        scope,
        terms: ActTerms::Plain,
        scan: None,
    }
}

fn order(kind: ActKind, until: UtcMicros) -> Act {
    let terms = OrderTerms {
        prefecture: "Gironde".into(),
        purposes: vec![Purpose::SafetyOfPersonsAndProperty],
        retention_days: 15,
        minimum_hours: Some(72),
        recipients: vec!["Police nationale".into()],
        hosting_place: "mairie".into(),
        event_end: None,
    };
    Act { until: Some(until), terms: ActTerms::Order(terms), ..plain(kind, ActScope::Site) }
}

fn capacity(kind: ActKind, role: Role) -> Act {
    let terms = ActTerms::Capacity { role, territory: "commune".into() };
    Act { until: Some(on(2028, 1, 1)), terms, ..plain(kind, ActScope::Person(PERSON)) }
}

/// Every paper that a camera needs, until 2031.
fn dossier() -> Vec<Act> {
    let rows = required().iter().filter(|row| row.per != Per::Person);
    let act = |kind: ActKind| match kind {
        ActKind::Authorisation => order(kind, on(2031, 1, 1)),
        _ => plain(kind, ActScope::Site),
    };
    rows.map(|row| act(row.kinds[0])).collect()
}

fn at(now: UtcMicros, acts: &[Act]) -> GoLive {
    go_live(required(), acts, CAMERA, now)
}

#[track_caller]
fn refused(act: &Act, account: Option<Role>, field: &str, article: &str) {
    let problems = check(act, account);
    let found = problems.iter().find(|problem| problem.field == field && problem.article.contains(article));
    let found = found.unwrap_or_else(|| panic!("{field}, {article}: {problems:?}"));
    for text in [&found.text_fr, &found.text_en, &found.remedy_fr, &found.remedy_en] {
        assert!(text.ends_with(['.', ')']), "{text}");
    }
    assert!(found.text_fr != found.text_en && found.remedy_fr != found.remedy_en);
}

#[test]
fn an_authorisation_of_five_years_and_a_provisional_one_of_four_months_are_taken_and_none_that_is_a_second_longer() {
    for (kind, months) in [(ActKind::Authorisation, 60), (ActKind::ProvisionalOrder, 4)] {
        let last = months_after(on(2026, 1, 1), months);
        assert_eq!(check(&order(kind, last), None), []);
        refused(&order(kind, last.plus_seconds(1)), None, "until", "CSI L252-");
        refused(&Act { until: None, ..order(kind, last) }, None, "until", "CSI L252-");
    }
    let mut ends_with_its_event = order(ActKind::ProvisionalOrder, on(2027, 1, 1));
    if let ActTerms::Order(terms) = &mut ends_with_its_event.terms {
        terms.event_end = Some(on(2026, 2, 1));
    }
    assert_eq!(check(&ends_with_its_event, None), [], "the event's end is its end");
    refused(&Act { kind: ActKind::Authorisation, ..ends_with_its_event }, None, "event_end", "L252-6");
}

#[test]
fn an_orders_terms_are_within_the_law() {
    let with = |change: fn(&mut OrderTerms)| {
        let mut act = order(ActKind::Authorisation, on(2031, 1, 1));
        if let ActTerms::Order(terms) = &mut act.terms {
            change(terms);
        }
        act
    };
    refused(&with(|terms| terms.purposes.clear()), None, "purposes", "CSI L251-2");
    refused(&with(|terms| terms.purposes.push(terms.purposes[0])), None, "purposes", "CSI L251-2");
    refused(&with(|terms| terms.retention_days = 31), None, "retention_days", "CSI L252-5");
    refused(&with(|terms| terms.retention_days = 0), None, "retention_days", "CSI L252-5");
    refused(&with(|terms| terms.minimum_hours = Some(15 * 24)), None, "minimum_hours", "CSI L252-5");
    refused(&with(|terms| terms.hosting_place = " ".into()), None, "hosting_place", "R252-3");
    refused(&with(|terms| terms.recipients.push("a\nb".into())), None, "recipients", "R252-3");
    assert_eq!(check(&with(|terms| terms.minimum_hours = Some(15 * 24 - 1)), None), []);
}

#[test]
fn a_capacity_is_one_persons_with_an_end_and_by_the_act_of_its_role() {
    assert_eq!(check(&capacity(ActKind::Approval, Role::Operator), Some(Role::Operator)), []);
    assert_eq!(check(&capacity(ActKind::Habilitation, Role::MunicipalPolice), None), []);
    for role in Role::ALL.into_iter().filter(|role| *role != Role::Operator && role.article().is_some()) {
        refused(&capacity(ActKind::Approval, role), None, "kind", "CSI L132-14-1");
    }
    refused(&capacity(ActKind::Habilitation, Role::Operator), None, "kind", "CSI L132-14-1");
    for role in [Role::Dpo, Role::Inspector, Role::Administrator] {
        refused(&capacity(ActKind::Habilitation, role), None, "role", "CSI R253-3");
    }
    refused(&capacity(ActKind::Approval, Role::Operator), Some(Role::MunicipalPolice), "role", "CSI R253-3");
    refused(&Act { until: None, ..capacity(ActKind::Approval, Role::Operator) }, None, "until", "CSI R253-3");
    refused(
        &Act { scope: ActScope::Site, ..capacity(ActKind::Approval, Role::Operator) },
        None,
        "person",
        "CSI R253-3",
    );
    refused(&plain(ActKind::Sign, ActScope::Person(PERSON)), None, "person", "CSI R253-3");
}

#[test]
fn dates_run_forward_and_a_mask_statement_names_its_cameras() {
    let sign = plain(ActKind::Sign, ActScope::Site);
    assert_eq!(check(&sign, None), []);
    refused(&Act { signed: on(2026, 1, 2), ..sign.clone() }, None, "from", "CRPA");
    refused(&Act { until: Some(sign.from), ..sign.clone() }, None, "until", "CSI L252-4");
    refused(&Act { scope: ActScope::Cameras(vec![]), ..sign.clone() }, None, "cameras", "CSI L252-1");
    refused(&Act { number: String::new(), ..sign }, None, "number", "CSI");
    let masks = ActTerms::Masks { preset: "fixe".into(), masks: None };
    let masks = Act { terms: masks, ..plain(ActKind::MaskStatement, ActScope::Site) };
    refused(&masks, None, "cameras", "CSI L251-3");
    assert_eq!(check(&Act { scope: ActScope::Cameras(vec![CAMERA]), ..masks }, None), []);
    refused(&plain(ActKind::Authorisation, ActScope::Site), None, "kind", "R252-3");
}

#[test]
fn without_any_one_of_the_required_papers_a_camera_is_stopped_or_told_of_as_its_row_says() {
    let now = on(2027, 6, 1);
    assert_eq!((at(now, &dossier()).blocking, at(now, &dossier()).alarms), (vec![], vec![]));
    for row in required().iter().filter(|row| row.per != Per::Person) {
        let mut acts = dossier();
        acts.retain(|act| !row.kinds.contains(&act.kind));
        let found = at(now, &acts);
        let (blocking, alarms) = (found.blocking.len(), found.alarms.len());
        assert_eq!((blocking, alarms), if row.effect == Effect::Block { (1, 0) } else { (0, 1) }, "{}", row.id);
    }
}

#[test]
fn what_ended_is_told_with_its_day_and_a_paper_of_another_camera_does_not_count() {
    let mut acts = dossier();
    let found = at(on(2031, 1, 1), &acts);
    assert_eq!(found.blocking.len(), 1);
    assert!(found.blocking[0].text_fr.contains("01/01/2031"), "{}", found.blocking[0].text_fr);
    acts.iter_mut().for_each(|act| act.scope = ActScope::Cameras(vec![CameraId([9; 16])]));
    let blocks = required().iter().filter(|row| row.per != Per::Person && row.effect == Effect::Block).count();
    assert_eq!(at(on(2027, 1, 1), &acts).blocking.len(), blocks);
}

#[test]
fn two_orders_together_authorise_what_either_does_and_keep_for_the_shorter_time() {
    let mut acts = dossier();
    let mut event = order(ActKind::ProvisionalOrder, on(2026, 4, 1));
    if let ActTerms::Order(terms) = &mut event.terms {
        (terms.purposes, terms.retention_days, terms.minimum_hours) = (vec![Purpose::Terrorism], 7, None);
    }
    acts.push(event);
    let order = at(on(2026, 2, 1), &acts).order.expect("orders hold");
    assert_eq!(order.purposes, [Purpose::SafetyOfPersonsAndProperty, Purpose::Terrorism]);
    assert_eq!((order.retention_days, order.minimum_hours, order.end), (7, Some(72), Some(on(2031, 1, 1))));
    let later = at(on(2026, 4, 1), &acts);
    assert_eq!(
        later.purposes(&[Purpose::Terrorism, Purpose::SafetyOfPersonsAndProperty]),
        [Purpose::SafetyOfPersonsAndProperty]
    );
    assert_eq!((later.delay_days(30), later.delay_days(3)), (15, 3));
}

#[test]
fn an_end_is_told_twelve_six_and_four_months_and_fifteen_days_before() {
    let acts = dossier();
    let told = |now| endings(required(), &acts, CAMERA, now).first().map(|ending| ending.notice);
    for (now, expected) in [
        (on(2029, 12, 31), None),
        (on(2030, 1, 1), Some(Notice::TwelveMonths)),
        (on(2030, 7, 1), Some(Notice::SixMonths)),
        (on(2030, 9, 1), Some(Notice::FourMonths)),
        (on(2030, 12, 17), Some(Notice::FifteenDays)),
    ] {
        assert_eq!(told(now), expected, "{now}");
    }
}

#[test]
fn a_person_looks_by_the_act_of_the_own_role_only() {
    let now = on(2027, 1, 1);
    let missing = |acts: &[Act], role| missing_of_person(required(), acts, PERSON, role, now).len();
    let approval = [capacity(ActKind::Approval, Role::Operator)];
    assert_eq!((missing(&approval, Role::Operator), missing(&[], Role::Operator)), (0, 1));
    assert_eq!(missing(&approval, Role::MunicipalPolice), 1);
    assert_eq!(missing_of_person(required(), &approval, AccountId([9; 16]), Role::Operator, now).len(), 1);
    assert_eq!(missing(&[], Role::Administrator), 0, "who sees no picture needs none");
}

/// Terms of every shape, and the kinds whose they are.
fn terms_of(kind: ActKind) -> ([ActTerms; 6], usize) {
    let ActTerms::Order(order) = order(ActKind::Authorisation, on(2026, 3, 1)).terms else { panic!("an order") };
    let role = if kind == ActKind::Approval { Role::Operator } else { Role::MunicipalPolice };
    let all = [
        ActTerms::Plain,
        ActTerms::Order(order),
        ActTerms::Capacity { role, territory: "33063".into() },
        ActTerms::Masks { preset: "fixe".into(), masks: None },
        ActTerms::Hosting { place: "mairie".into(), provider: "commune".into() },
        ActTerms::Parties { parties: "commune et État".into() },
    ];
    let own = match kind {
        ActKind::Authorisation | ActKind::ProvisionalOrder => 1,
        ActKind::Habilitation | ActKind::Approval => 2,
        ActKind::MaskStatement => 3,
        ActKind::HostingContract => 4,
        ActKind::Convention | ActKind::ProcessorContract => 5,
        _ => 0,
    };
    (all, own)
}

fn with_terms(kind: ActKind, terms: ActTerms) -> Act {
    let is_person = matches!(kind, ActKind::Habilitation | ActKind::Approval);
    let scope = if is_person { ActScope::Person(PERSON) } else { ActScope::Cameras(vec![CAMERA]) };
    Act { until: Some(on(2026, 3, 1)), terms, ..plain(kind, scope) }
}

#[test]
fn each_kind_takes_its_own_terms_and_none_of_another() {
    for kind in ActKind::ALL {
        let (all, own) = terms_of(kind);
        for (nth, terms) in all.into_iter().enumerate() {
            let problems = check(&with_terms(kind, terms.clone()), None);
            let is_refused = problems.iter().any(|problem| problem.field == "kind" && problem.article == "CSI R252-3");
            assert_eq!(is_refused, nth != own, "{kind} with {terms:?}");
            assert!(nth != own || problems.is_empty(), "{kind}: {problems:?}");
        }
    }
}

#[test]
fn a_word_of_the_terms_that_is_empty_too_long_or_of_two_lines_is_refused_by_its_field() {
    let masks = |preset: &str| ActTerms::Masks { preset: preset.into(), masks: Some(2) };
    let hosting = |place: &str, provider: &str| ActTerms::Hosting { place: place.into(), provider: provider.into() };
    let capacity = |text: &str| ActTerms::Capacity { role: Role::Operator, territory: text.into() };
    let (most, longer) = ("é".repeat(limit::ACT_WORD_CHARS_MAX), "é".repeat(limit::ACT_WORD_CHARS_MAX + 1));
    for wrong in ["", "  ", "a\nb", longer.as_str()] {
        refused(&with_terms(ActKind::MaskStatement, masks(wrong)), None, "preset", "R252-3");
        refused(&with_terms(ActKind::HostingContract, hosting(wrong, "x")), None, "place", "R252-3");
        refused(&with_terms(ActKind::HostingContract, hosting("x", wrong)), None, "provider", "R252-3");
        let parties = ActTerms::Parties { parties: wrong.into() };
        refused(&with_terms(ActKind::Convention, parties), None, "parties", "R252-3");
        refused(&with_terms(ActKind::Approval, capacity(wrong)), None, "territory", "R252-3");
        let signatory = Sensitive::new(wrong.to_owned());
        refused(&Act { signatory, ..plain(ActKind::Sign, ActScope::Site) }, None, "signatory", "R252-3");
    }
    assert_eq!(check(&with_terms(ActKind::MaskStatement, masks(&most)), None), []);
}

#[test]
fn each_order_that_lasts_too_long_is_refused_by_its_own_article_and_words() {
    for (kind, article, fr, en) in [
        (ActKind::Authorisation, "CSI L252-4", "cinq ans", "five years"),
        (ActKind::ProvisionalOrder, "CSI L252-6", "quatre mois", "four months"),
    ] {
        let problems = check(&order(kind, on(2040, 1, 1)), None);
        let (texts, remedy) = ((&problems[0].text_fr, &problems[0].text_en), &problems[0].remedy_fr);
        assert_eq!((problems.len(), problems[0].article.as_str()), (1, article));
        assert!(texts.0.contains(fr) && texts.1.contains(en) && remedy.contains("until = "), "{problems:?}");
    }
}

#[test]
fn a_paper_names_as_many_cameras_as_the_limit_and_a_minimum_of_no_hours_is_none() {
    let of = |cameras: usize| {
        let act = plain(ActKind::Sign, ActScope::Cameras(vec![CAMERA; cameras]));
        check(&act, None).iter().map(|problem| problem.field.clone()).collect::<Vec<_>>()
    };
    assert_eq!(of(limit::ACT_NAMES_MAX), [""; 0]);
    assert_eq!(of(limit::ACT_NAMES_MAX + 1), ["cameras"]);
    let mut act = order(ActKind::Authorisation, on(2031, 1, 1));
    if let ActTerms::Order(terms) = &mut act.terms {
        terms.minimum_hours = Some(0);
    }
    refused(&act, None, "minimum_hours", "CSI L252-5");
}

#[test]
fn a_rule_is_law_from_its_first_instant_until_just_before_its_last() {
    let row = RequiredAct { from: on(2026, 1, 1), to: Some(on(2027, 1, 1)), ..required()[0].clone() };
    let (first, last) = (on(2026, 1, 1), on(2027, 1, 1));
    let instants = [first.plus_micros(-1), first, last.plus_micros(-1), last];
    assert_eq!(instants.map(|now| row.is_law_at(now)), [false, true, true, false]);
    assert!(RequiredAct { to: None, ..row.clone() }.is_law_at(on(2040, 1, 1)));
    // what is no law any more, or not yet, is asked of nobody
    for now in [first.plus_micros(-1), last] {
        let rows = [row.clone()];
        assert_eq!(go_live(&rows, &[], CAMERA, now).blocking, [], "{now}");
        assert_eq!(endings(&rows, &dossier(), CAMERA, now), [], "{now}");
    }
    assert_eq!(go_live(std::slice::from_ref(&row), &[], CAMERA, first).blocking.len(), 1);
}

#[test]
fn a_camera_is_open_without_anything_that_blocks_and_without_an_order_its_own_delay_counts() {
    let open = at(on(2027, 6, 1), &dossier());
    let closed = at(on(2027, 6, 1), &[]);
    assert!(open.is_open() && !closed.is_open());
    assert_eq!(
        (closed.order.clone(), closed.delay_days(17), closed.purposes(&[Purpose::Terrorism])),
        (None, 17, vec![])
    );
}

#[test]
fn what_a_person_has_that_ends_soon_is_told_for_the_own_role_and_account() {
    let approval = [capacity(ActKind::Approval, Role::Operator)];
    let told = |account, role, now| {
        endings_of_person(required(), &approval, account, role, now).iter().map(|end| end.notice).collect::<Vec<_>>()
    };
    assert_eq!(told(PERSON, Role::Operator, on(2027, 1, 1).plus_micros(-1)), []);
    assert_eq!(told(PERSON, Role::Operator, on(2027, 7, 1)), [Notice::SixMonths]);
    assert_eq!(told(AccountId([9; 16]), Role::Operator, on(2027, 7, 1)), []);
    assert_eq!(told(PERSON, Role::MunicipalPolice, on(2027, 7, 1)), []);
    assert_eq!(told(PERSON, Role::Operator, on(2028, 1, 1)), [], "what ended does not end soon");
}

#[test]
fn a_rule_says_what_it_misses_by_its_name_and_a_name_of_another_law_says_nothing() {
    let first = &required()[0];
    let named = |rule: &str| Missing::named(required(), rule, Some(on(2026, 5, 1)));
    let missing = named(&first.id).expect("a row of the pack");
    assert!(missing.text_fr.starts_with(&first.text_fr) && missing.text_fr.contains("01/05/2026"), "{missing:?}");
    assert_eq!(named("act-purpose"), Some(Missing::purpose()));
    assert_eq!(named("act-of-another-law"), None);
}

proptest! {
    /// Between two changes nothing changes; more papers never stop a camera; each blocking row lacks every paper of its kinds.
    #[test]
    fn papers_decide_by_what_holds_and_only_at_their_ends(
        spans in prop::collection::vec((0u8..13, 0i64..2_000, 1i64..2_000), 0..24),
        now in 0i64..4_000,
        step in 0i64..1_000,
    ) {
        let start = on(2026, 1, 1);
        let day = |n: i64| start.plus_seconds(n * 86_400);
        let acts: Vec<Act> = spans.iter().map(|(kind, from, length)| {
            let base = dossier().remove(usize::from(*kind) % dossier().len());
            Act { from: day(*from), until: Some(day(from + length)), ..base }
        }).collect();
        let found = at(day(now), &acts);
        for missing in &found.blocking {
            prop_assert!(!acts.iter().any(|act| missing.kinds.contains(&act.kind) && act.holds_at(day(now))));
        }
        let later = day(now).plus_seconds(step * 86_400);
        let next = next_change(required(), &acts, day(now));
        if next.is_none_or(|next| later < next) {
            let names = |go: &GoLive| (go.blocking.len(), go.alarms.len(), go.order.clone());
            prop_assert_eq!(names(&at(later, &acts)), names(&found));
        }
        let more: Vec<Act> = acts.into_iter().chain(dossier()).collect();
        if day(now) < on(2031, 1, 1) {
            prop_assert!(at(day(now), &more).is_open());
        }
    }
}
