//! Proof by attack: a town that permits everything to everybody still opens nothing that the law forbids.
//!
//! `permit (principal, action, resource);` is the town's whole file; then every request of a generated space is asked. What the
//! law says of each is computed here anew, from a table that a person wrote (`table`), without Cedar.

mod support;
mod table;

use domain::{ActKind, Purpose, Sensitive};
use policy::law::files::PackFiles;
use policy::{Action, CameraFacts, Controller, Decision, Law, Paper, PersonFacts, Request, Role, calendar};
use support::{known, lawful, unknown};
use table::{ROWS, Row};

const EVERYTHING: &str = r#"@id("everything") permit (principal, action, resource);"#;

fn open_town() -> Law {
    Law::load_unsigned(&PackFiles::built_in(), EVERYTHING).expect("a town may write this")
}

fn dates() -> Vec<&'static str> {
    vec!["2023-12-01", "2025-03-31", "2025-04-01", "2026-01-29", "2026-01-31", "2027-12-31", "2028-01-01"]
}

/// With everything a row needs, and without each single thing of it.
fn papers_of(row: &Row) -> Vec<Vec<Paper>> {
    let mut sets = vec![vec![], Paper::ALL.to_vec()];
    for missing in row.papers {
        sets.push(Paper::ALL.iter().copied().filter(|paper| paper != missing).collect());
    }
    sets
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
