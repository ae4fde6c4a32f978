//! Proof by attack: a town that permits everything to everybody still opens nothing that the law forbids.
//!
//! `permit (principal, action, resource);` is the town's whole file; then every request of a generated space is asked. What the
//! law says of each is computed here anew, from a table that a person wrote (`table`), without Cedar.

mod support;
mod table;

use domain::{ActKind, Purpose, Sensitive};
use policy::law::files::PackFiles;
use policy::{Action, BREAK_GLASS, CameraFacts, Controller, Decision, Glass, Law, Paper, PersonFacts, Request, Role};
use policy::{calendar, territory};
use support::{known, lawful, unknown};
use table::{ROWS, Row, Second};

const EVERYTHING: &str = r#"@id("everything") permit (principal, action, resource);"#;

fn open_town() -> Law {
    Law::load_unsigned(&PackFiles::built_in(), EVERYTHING).expect("a town may write this")
}

fn dates() -> Vec<&'static str> {
    vec!["2023-12-01", "2025-03-31", "2025-04-01", "2026-01-29", "2026-01-31", "2027-12-31", "2028-01-01"]
}

/// A town that permits nothing: only break-glass may open anything.
fn closed_town() -> Law {
    Law::load_unsigned(&PackFiles::built_in(), "").expect("a town may write nothing")
}

/// Break-glass for exactly who asks for exactly these cameras.
fn open_glass(request: &Request) -> Glass {
    let cameras = request.cameras.iter().map(|camera| camera.id).collect();
    let (from, until) = (request.now, request.now.plus_seconds(900));
    Glass { account: request.person.account, cameras, from, until }
}

/// With everything a row needs, and without each single thing of it.
fn papers_of(row: &Row) -> Vec<Vec<Paper>> {
    let mut sets = vec![vec![], Paper::ALL.to_vec()];
    for missing in row.papers {
        sets.push(all_but(*missing));
    }
    if let Second::UnlessWaived(waiver, _) = row.second_person {
        sets.push(all_but(waiver));
    }
    sets
}

fn all_but(missing: Paper) -> Vec<Paper> {
    Paper::ALL.iter().copied().filter(|paper| *paper != missing).collect()
}

#[test]
fn every_row_for_every_controller_role_date_and_paper_is_decided_as_the_table_says() {
    let law = open_town();
    let (mut asked, mut allowed) = (0, 0);
    for row in ROWS {
        for controller in [Controller::Commune, Controller::State] {
            for role in Role::ALL {
                for date in dates() {
                    for papers in papers_of(row) {
                        for (habilitated, second_person) in [(true, true), (true, false), (false, true)] {
                            let request = row_request(row, controller, role, date, &papers, habilitated, second_person);
                            let expected = row.expects(controller, role, date, &papers, habilitated, second_person);
                            let decision = law.decide(&request);
                            let is_allowed = matches!(decision, Decision::Allow { .. });
                            assert_eq!(
                                is_allowed, expected,
                                "row {} {controller:?} {role} {date} {papers:?} habilitated {habilitated} two \
                                 {second_person}: {decision:?}",
                                row.number
                            );
                            asked += 1;
                            allowed += u32::from(is_allowed);
                        }
                    }
                }
            }
        }
    }
    println!("{asked} requests, {allowed} allowed");
    assert!(asked > 10_000 && allowed > 0);
}

/// The same space with break-glass open for who asks, in a town that permits nothing and in one that permits everything.
#[test]
fn break_glass_opens_looks_that_a_town_could_have_permitted_and_nothing_else_of_the_whole_space() {
    let (closed, open) = (closed_town(), open_town());
    let (mut asked, mut opened) = (0, 0);
    for row in ROWS {
        let is_look = matches!(row.action, Action::WatchLive | Action::Replay);
        for controller in [Controller::Commune, Controller::State] {
            for role in Role::ALL {
                for (date, papers) in
                    dates().into_iter().flat_map(|date| papers_of(row).into_iter().map(move |papers| (date, papers)))
                {
                    for (habilitated, second_person) in [(true, true), (false, true)] {
                        let request = row_request(row, controller, role, date, &papers, habilitated, second_person);
                        let glass = open_glass(&request);
                        asked += 1;
                        let lawful = row.expects(controller, role, date, &papers, habilitated, second_person);
                        let by_glass = closed.decide_under(&request, Some(&glass));
                        let is_allowed = matches!(by_glass, Decision::Allow { .. });
                        assert_eq!(
                            is_allowed,
                            lawful && is_look,
                            "row {} {role} {date} {papers:?}: {by_glass:?}",
                            row.number
                        );
                        assert_eq!(by_glass.is_by_break_glass(), is_allowed);
                        if !is_look {
                            continue;
                        }
                        let beside = open.decide_under(&request, Some(&glass));
                        assert_eq!(
                            beside,
                            open.decide(&request),
                            "where the town permits, break-glass decides nothing"
                        );
                        opened += u32::from(is_allowed);
                    }
                }
            }
        }
    }
    println!("{asked} requests with break-glass open, {opened} allowed by it");
    assert!(asked > 10_000 && opened > 0);
}

#[test]
fn break_glass_spares_a_look_neither_act_purpose_reason_nor_bounds() {
    let law = closed_town();
    for action in [Action::WatchLive, Action::Replay] {
        let lacking = |kind| CameraFacts { missing: vec![kind], ..known(1) };
        let by_act = ActKind::ALL.map(|kind| Request { cameras: vec![known(2), lacking(kind)], ..lawful(action) });
        let broken = [
            Request { purpose: None, ..lawful(action) },
            Request { purpose: Some(Purpose::Dumping), ..lawful(action) },
            Request { reason: Sensitive::new("motif".into()), ..lawful(action) },
            Request { cameras: vec![unknown(1)], ..lawful(action) },
            Request { cameras: vec![], ..lawful(action) },
            Request { permit_seconds: 28_801, ..lawful(action) },
        ];
        for request in broken.into_iter().chain(by_act) {
            let decision = law.decide_under(&request, Some(&open_glass(&request)));
            assert!(matches!(decision, Decision::Refuse(_)), "{request:?}");
        }
    }
}

#[test]
fn break_glass_is_for_one_person_its_cameras_and_its_quarter_of_an_hour_only() {
    let law = closed_town();
    let request = lawful(Action::WatchLive);
    let glass = open_glass(&request);
    let decide = |request: &Request| law.decide_under(request, Some(&glass));
    let Decision::Allow { rules } = decide(&request) else { panic!("refused") };
    assert_eq!(rules.iter().map(ToString::to_string).collect::<Vec<_>>(), [BREAK_GLASS]);
    let texts = [policy::Language::French, policy::Language::English].map(|language| decide(&request).says(language));
    assert!(texts[0].is_some_and(|text| text.contains("quinze minutes")));
    assert!(texts[1].is_some_and(|text| text.contains("fifteen minutes")));
    let person = PersonFacts { account: domain::AccountId([8; 16]), ..request.person.clone() };
    for other in [
        Request { person, ..request.clone() },
        Request { cameras: vec![known(2)], ..request.clone() },
        Request { cameras: vec![known(1), known(2)], ..request.clone() },
        Request { now: glass.until, ..request.clone() },
        Request { now: glass.from.plus_micros(-1), ..request.clone() },
    ] {
        let Decision::Refuse(refusal) = decide(&other) else { panic!("allowed: {other:?}") };
        assert_eq!(refusal.reasons[0].rule.to_string(), "nothing-permits");
    }
    assert!(matches!(decide(&Request { now: glass.until.plus_micros(-1), ..request }), Decision::Allow { .. }));
}

#[test]
fn no_town_and_no_break_glass_opens_a_camera_of_another_commune_to_those_bound_to_theirs() {
    let law = open_town();
    let own = territory::OWN;
    let pairs = [(own, "33063"), ("33063", own), ("33063", "33281")];
    for row in ROWS.iter().filter(|row| row.action != Action::Record) {
        for role in Role::ALL {
            for controller in [Controller::Commune, Controller::State] {
                let request = |persons: &str, cameras: &str| {
                    let mut request = row_request(row, controller, role, "2024-06-01", Paper::ALL, true, true);
                    request.person.territories = vec![persons.to_owned()];
                    request.cameras[0].territory = cameras.to_owned();
                    request
                };
                let at_home = law.decide(&request("33063", "33063"));
                assert_eq!(at_home, law.decide(&request(own, own)));
                for (persons, cameras) in pairs {
                    let abroad = request(persons, cameras);
                    let decision = law.decide_under(&abroad, Some(&open_glass(&abroad)));
                    if territory::is_bound(role) {
                        assert!(matches!(decision, Decision::Refuse(_)), "{role} {} {persons} {cameras}", row.number);
                    } else {
                        assert_eq!(decision, at_home, "{role} {}", row.number);
                    }
                }
            }
        }
    }
}

#[test]
fn no_town_opens_a_picture_to_an_administrator_a_dpo_or_an_inspector() {
    let law = open_town();
    for role in [Role::Administrator, Role::Dpo, Role::Inspector] {
        for row in ROWS.iter().filter(|row| row.shows_pictures) {
            for date in dates() {
                let request = row_request(row, Controller::Commune, role, date, Paper::ALL, true, true);
                assert!(matches!(law.decide(&request), Decision::Refuse(_)), "{role} {}", row.number);
            }
        }
    }
}

#[test]
fn no_town_opens_a_camera_whose_act_does_not_hold_whichever_it_is() {
    let law = open_town();
    let gated = [Action::DetectEvent, Action::Count, Action::ReadPlates, Action::SearchUnderRequisition];
    let looks = [Action::WatchLive, Action::Replay, Action::ExternalTrigger, Action::Verbalise];
    for action in looks.into_iter().chain([Action::Record, Action::Relay]).chain(gated) {
        for kind in ActKind::ALL {
            let camera = CameraFacts { missing: vec![kind], ..known(1) };
            let request = Request { cameras: vec![known(2), camera], papers: Paper::ALL.to_vec(), ..lawful(action) };
            let Decision::Refuse(refusal) = law.decide(&request) else { panic!("{action:?} without {kind}") };
            let names_it = |reason: &policy::Reason| reason.cameras == [domain::CameraId([1; 16])];
            assert!(refusal.reasons.iter().any(names_it), "{action:?} {kind}: {refusal:?}");
        }
    }
}

/// CSI L252-4 ends recording and viewing; a requisition for what was lawfully recorded is answered until it is destroyed.
#[test]
fn an_act_that_ended_keeps_back_nothing_that_a_requisition_or_a_person_asks_for() {
    let law = open_town();
    let leaves = [Action::ExportRequisition, Action::ExportProcedure, Action::AccessRequest, Action::BlurCopy];
    for row in ROWS.iter().filter(|row| leaves.contains(&row.action)) {
        let camera = CameraFacts { missing: ActKind::ALL.to_vec(), recording: false, ..known(1) };
        let request = row_request(row, Controller::Commune, row.roles[0], "2026-07-14", Paper::ALL, true, true);
        let ended = Request { cameras: vec![camera], ..request.clone() };
        let decision = law.decide(&ended);
        assert!(matches!(decision, Decision::Allow { .. }), "{}: {decision:?}", row.number);
        // while the same person watches nothing there any more
        let live = law.decide(&Request { action: Action::WatchLive, span: None, papers: vec![], ..ended });
        assert!(matches!(live, Decision::Refuse(_)), "{}", row.number);
    }
}

#[test]
fn no_town_spares_a_look_its_purpose_its_reason_or_its_bounds() {
    let law = open_town();
    let leaves = [Action::ExportRequisition, Action::ExportProcedure, Action::Relay, Action::AccessRequest];
    let looks = [Action::WatchLive, Action::Replay, Action::ExternalTrigger, Action::Verbalise];
    for action in looks.into_iter().chain(leaves).chain([Action::BlurCopy, Action::Count, Action::DetectEvent]) {
        let other_purpose = Some(Purpose::Dumping);
        let broken = [
            Request { purpose: None, ..lawful(action) },
            Request { purpose: other_purpose, ..lawful(action) },
            Request { reason: Sensitive::new("motif".into()), ..lawful(action) },
            Request { reason: Sensitive::new("............".into()), ..lawful(action) },
            Request { cameras: vec![unknown(1)], ..lawful(action) },
            Request { cameras: vec![], ..lawful(action) },
            Request { permit_seconds: 28_801, ..lawful(action) },
        ];
        let named = [
            "purpose-named",
            "purpose-of-the-cameras",
            "reason-given",
            "reason-says-something",
            "camera-known",
            "camera-named",
            "permit-at-most-eight-hours",
        ];
        for (request, rule) in broken.iter().zip(named) {
            let Decision::Refuse(refusal) = law.decide(request) else { panic!("{action:?} {rule}") };
            assert!(refusal.reasons.iter().any(|reason| reason.rule.0 == rule), "{action:?} {rule}: {refusal:?}");
        }
    }
}

fn row_request(
    row: &Row,
    controller: Controller,
    role: Role,
    date: &str,
    papers: &[Paper],
    habilitated: bool,
    second_person: bool,
) -> Request {
    let now = calendar::written_day(date).expect("a date").plus_seconds(12 * 3_600);
    let span = domain::Span::new(now.plus_seconds(-600), now).expect("forwards");
    let recorded = [Action::Replay, Action::ExportRequisition, Action::ExportProcedure].contains(&row.action);
    let mut camera = known(1);
    camera.purposes.push(Purpose::TrafficOffences);
    let fines = row.action == Action::Verbalise;
    let purpose = if fines { Purpose::TrafficOffences } else { Purpose::SafetyOfPersonsAndProperty };
    Request {
        action: row.action,
        person: PersonFacts { role, habilitated, ..lawful(row.action).person },
        controller,
        purpose: Some(purpose),
        cameras: vec![camera],
        span: recorded.then_some(span),
        papers: papers.to_vec(),
        second_person,
        now,
        ..lawful(row.action)
    }
}
