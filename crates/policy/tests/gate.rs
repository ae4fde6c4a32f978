//! The gate, cell by cell: action × role × purpose × reason × camera, and every edge of spans, permits and texts.

mod support;

use domain::{CameraId, Purpose, Sensitive, Span, limit};
use policy::{Action, Decision, Language, PersonFacts, Refusal, Request, Role};
use support::{NOW, REASON, known, law, lawful, unknown};

/// The five dimensions: each state with the rules that it breaks by itself, for live and for replay alike.
#[test]
fn every_cell_of_the_table_is_decided_with_all_its_reasons() {
    let roles = [(Role::Operator, vec![]), (Role::Administrator, vec!["administrator-sees-no-picture"])];
    let purposes = [
        (Some(Purpose::SafetyOfPersonsAndProperty), vec![]),
        (Some(Purpose::Dumping), vec!["purpose-of-the-cameras"]),
        (None, vec!["purpose-named"]),
    ];
    let long = "motif ".repeat(limit::REASON_CHARS_MAX / 6 + 1) + ".";
    let reasons = [
        (REASON, vec![]),
        ("", vec!["reason-given"]),
        ("  motif      ", vec!["reason-given"]),
        (long.as_str(), vec!["reason-at-most-a-paragraph"]),
    ];
    let cameras = [(known(1), vec![]), (unknown(2), vec!["camera-known"])];
    let mut cells = 0;
    for action in [Action::WatchLive, Action::Replay] {
        for (role, by_role) in &roles {
            for (purpose, by_purpose) in &purposes {
                for (reason, by_reason) in &reasons {
                    for (camera, by_camera) in &cameras {
                        let request = Request {
                            person: PersonFacts { role: *role, ..lawful(action).person },
                            purpose: *purpose,
                            reason: Sensitive::new((*reason).to_owned()),
                            cameras: vec![camera.clone()],
                            ..lawful(action)
                        };
                        // A camera that nobody knows has no purposes that could be missed.
                        let by_purpose = by_purpose.iter().filter(|rule| camera.exists || **rule == "purpose-named");
                        let mut expected: Vec<&str> = by_role.clone();
                        expected.extend(by_purpose.chain(by_reason).chain(by_camera));
                        check(&request, &expected);
                        cells += 1;
                    }
                }
            }
        }
    }
    assert_eq!(cells, 2 * 2 * 3 * 4 * 2);
}

#[test]
fn a_lawful_look_names_the_rule_that_permits_it() {
    for (action, rule) in [(Action::WatchLive, "operator-watches-live"), (Action::Replay, "operator-replays")] {
        let Decision::Allow { rules } = law().decide(&lawful(action)) else { panic!("refused") };
        assert_eq!(rules.iter().map(ToString::to_string).collect::<Vec<_>>(), [rule]);
    }
}

#[test]
fn a_reason_has_between_10_and_500_characters_not_bytes() {
    for (chars, broken) in
        [(9, Some("reason-given")), (10, None), (500, None), (501, Some("reason-at-most-a-paragraph"))]
    {
        let reason = Sensitive::new("éàùç".chars().cycle().take(chars).collect());
        let request = Request { reason, ..lawful(Action::WatchLive) };
        check(&request, broken.as_slice());
    }
}

#[test]
fn a_reason_of_no_content_is_refused_with_a_sentence_and_the_number_of_an_event_is_one() {
    let watched = |reason: &str| Request { reason: Sensitive::new(reason.into()), ..lawful(Action::WatchLive) };
    for empty in ["", " ", ".", "x", "motif", "12"] {
        check(&watched(empty), &["reason-given"]);
    }
    for nothing in ["..........", "----------------", "aaaaaaaaaaaa", "ha ha ha ha ha"] {
        check(&watched(nothing), &["reason-says-something"]);
        let Decision::Refuse(refusal) = law().decide(&watched(nothing)) else { panic!("allowed") };
        assert!(refusal.explain(Language::French).starts_with("Le motif ne dit rien"));
        assert!(refusal.explain(Language::English).starts_with("The reason says nothing"));
    }
    for code in ["MC-2041", "2026/118", "0042"] {
        check(&watched(code), &[]);
    }
}

#[test]
fn the_purpose_must_be_one_of_each_camera_asked_for() {
    let mut other = known(2);
    other.purposes = vec![Purpose::TrafficRegulation];
    let mut none = known(3);
    none.purposes.clear();
    let request = Request { cameras: vec![known(1), other, none], ..lawful(Action::Replay) };
    let refusal = check(&request, &["purpose-of-the-cameras", "camera-has-a-purpose"]).expect("refused");
    assert_eq!(refusal.reasons[0].cameras, [CameraId([2; 16]), CameraId([3; 16])]);
    assert_eq!(refusal.reasons[1].cameras, [CameraId([3; 16])]);
}

#[test]
fn a_look_at_no_camera_is_refused() {
    check(&Request { cameras: vec![], ..lawful(Action::WatchLive) }, &["camera-named"]);
}

#[test]
fn a_camera_out_of_service_can_be_replayed_but_not_watched() {
    let mut camera = known(1);
    camera.recording = false;
    check(&Request { cameras: vec![camera.clone()], ..lawful(Action::WatchLive) }, &["camera-in-service"]);
    check(&Request { cameras: vec![camera], ..lawful(Action::Replay) }, &[]);
}

#[test]
fn a_replay_has_a_span_that_lies_in_the_past_and_within_thirty_days() {
    const DAY: i64 = 86_400;
    let table: &[(i64, i64, &[&str])] = &[
        (-60, 0, &[]),
        (-60, limit::CLOCK_AGREEMENT_SECONDS_MAX, &[]),
        (-60, limit::CLOCK_AGREEMENT_SECONDS_MAX + 1, &["span-not-in-the-future"]),
        (-30 * DAY, -29 * DAY, &[]),
        (-30 * DAY - 1, -29 * DAY, &["span-within-retention"]),
        (-40 * DAY, 40 * DAY, &["span-not-in-the-future", "span-within-retention"]),
        (-60, -60, &["span-given"]),
        (-40 * DAY, -40 * DAY, &["span-given", "span-within-retention"]),
    ];
    for (from, to, expected) in table {
        let span = Span::new(NOW.plus_seconds(*from), NOW.plus_seconds(*to)).expect("forwards");
        check(&Request { span: Some(span), ..lawful(Action::Replay) }, expected);
    }
    check(&Request { span: None, ..lawful(Action::Replay) }, &["span-given"]);
}

#[test]
fn a_permit_holds_at_most_eight_hours() {
    for (permit_seconds, lawful_length) in
        [(1, true), (8 * 3_600, true), (8 * 3_600 + 1, false), (0, false), (-1, false)]
    {
        let expected: &[&str] = if lawful_length { &[] } else { &["permit-at-most-eight-hours"] };
        check(&Request { permit_seconds, ..lawful(Action::WatchLive) }, expected);
    }
}

#[test]
fn everything_wrong_at_once_is_said_at_once_in_both_languages() {
    let request = Request {
        person: administrator(),
        purpose: None,
        reason: Sensitive::new(String::new()),
        cameras: vec![unknown(9)],
        span: None,
        permit_seconds: 0,
        ..lawful(Action::Replay)
    };
    let broken = [
        "administrator-sees-no-picture",
        "purpose-named",
        "reason-given",
        "camera-known",
        "span-given",
        "permit-at-most-eight-hours",
    ];
    let refusal = check(&request, &broken).expect("refused");
    let (french, english) = (refusal.explain(Language::French), refusal.explain(Language::English));
    for reason in &refusal.reasons {
        assert!(french.contains(&*reason.text_fr) && french.contains(&*reason.remedy_fr), "{french}");
        assert!(english.contains(&*reason.text_en) && english.contains(&*reason.remedy_en), "{english}");
        assert!(french.contains(&*reason.article) && english.contains(&*reason.article));
    }
    assert!(french.contains("(1 caméra)") && english.contains("(1 camera)"));
}

#[test]
fn a_reason_never_prints_with_its_request() {
    let request = lawful(Action::Replay);
    assert!(!format!("{request:?}").contains(REASON));
    let refused = Request { person: administrator(), ..request };
    assert!(!format!("{:?}", law().decide(&refused)).contains(REASON));
}

#[test]
fn request_and_decision_cross_the_socket_unchanged() {
    for request in [lawful(Action::Replay), Request { person: administrator(), ..lawful(Action::WatchLive) }] {
        let bytes = postcard::to_stdvec(&request).expect("serialises");
        assert_eq!(postcard::from_bytes::<Request>(&bytes).expect("reads back"), request);
        let decision = law().decide(&request);
        let bytes = postcard::to_stdvec(&decision).expect("serialises");
        assert_eq!(postcard::from_bytes::<Decision>(&bytes).expect("reads back"), decision);
    }
}

/// Decides, compares the set of rules that refuse, and hands back the refusal.
fn check(request: &Request, expected: &[&str]) -> Option<Refusal> {
    let refusal = match law().decide(request) {
        Decision::Allow { .. } => None,
        Decision::Refuse(refusal) => Some(refusal),
    };
    let rules: Vec<&str> = refusal.iter().flat_map(|refusal| &refusal.reasons).map(|reason| &*reason.rule.0).collect();
    assert_eq!(sorted(&rules), sorted(expected), "{request:?}");
    refusal
}

fn sorted<'a>(rules: &[&'a str]) -> Vec<&'a str> {
    let mut rules = rules.to_vec();
    rules.sort_unstable();
    rules
}

fn administrator() -> PersonFacts {
    PersonFacts { role: Role::Administrator, ..lawful(Action::Replay).person }
}
