//! What a paper is refused for when it is entered, and what papers let a camera record.

use domain::{
    AccountId, Act, ActId, ActKind, ActScope, ActTerms, CameraId, OrderTerms, Purpose, Role, Sensitive, UtcMicros,
};
use policy::Law;
use policy::{
    acts::check,
    calendar::{day, months_after},
    golive::{GoLive, Notice, endings, go_live, missing_of_person, next_change},
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
