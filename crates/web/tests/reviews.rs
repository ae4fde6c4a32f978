//! Reviews as the console's server tells them, with a keeper from a script: words, refusals with their reasons, no figure of a
//! person.

mod fake;

use axum::http::StatusCode;
use fake::{NOW, REASON, Town, json, request, send};
use serde_json::{Value, json as value};
use std::collections::BTreeSet;

async fn post(path: &str, body: &str) -> (StatusCode, Value) {
    let town = Town::new(); // its keeper lives as long as it
    let response = send(&town.router(), request("POST", path, Some(body))).await;
    (response.status(), json(response).await)
}

fn period(seconds: i64, more: &str) -> String {
    let (from, to) = (NOW, NOW.plus_seconds(seconds));
    format!(r#"{{"from":"{from}","to":"{to}","reason":"contrôle mensuel"{more}}}"#)
}

fn two_persons(code: &str) -> String {
    let proofs = r#","pseudonym":"K7QD-2MNX","password":"x","second_name":"maire","second_password":"y","second_code":"1","code":"#;
    period(60, &format!("{proofs}\"{code}\""))
}

#[tokio::test]
async fn a_trace_is_told_line_by_line_with_pseudonyms_rules_in_words_and_months_that_ended() {
    let (status, told) = post("/api/reviews/trace", &period(60, "")).await;
    assert_eq!(status, StatusCode::OK);
    let [refusal, look] = &told["lines"].as_array().unwrap()[..] else { panic!("{told}") };
    let rules = value!([{ "rule": "purpose-named", "text_fr": "Aucune finalité.", "text_en": "No purpose." }]);
    assert_eq!(
        (&refusal["kind"], &refusal["action"], &refusal["rules"]),
        (&"refusal".into(), &"replay".into(), &rules)
    );
    let expected = value!({
        "entry": 48, "at": NOW.to_string(), "who": "K7QD-2MNX", "kind": "look", "live": true, "action": null,
        "cameras": ["Gare"], "cameras_more": 2, "from": null, "to": null, "purpose": 5, "reason": REASON, "rules": [],
        "pseudonym": null, "of_me": false
    });
    assert_eq!(look, &expected);
    let totals = value!({ "looks": 3, "refusals": 1, "exports": 0, "reviews": 0, "names": 0 });
    assert_eq!((&told["entry"], &told["before"], &told["totals"]), (&50.into(), &48.into(), &totals));
    let ended = value!([{
        "month": "2025-06", "first": 0, "last": 31, "ended_at": NOW.to_string(), "ended_entry": 33, "log_size": 50,
        "root": "00".repeat(32)
    }]);
    assert_eq!(told["ended"], ended);
}

#[tokio::test]
async fn ones_own_trace_has_no_pseudonym_no_totals_and_asks_for_no_reason() {
    let town = Town::new();
    let path = format!("/api/trace?from={NOW}&to={}", NOW.plus_seconds(60));
    let response = send(&town.router(), request("GET", &path, None)).await;
    assert_eq!(response.status(), StatusCode::OK);
    let told = json(response).await;
    assert_eq!((&told["entry"], &told["totals"]), (&Value::Null, &Value::Null));
    for wrong in ["?from=hier&to=demain", "", &format!("?from={}&to={NOW}", NOW.plus_seconds(1))] {
        let response = send(&town.router(), request("GET", &format!("/api/trace{wrong}"), None)).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{wrong}");
    }
}

#[tokio::test]
async fn an_account_is_told_with_its_act_what_it_lacks_and_its_training() {
    let (status, told) = post("/api/reviews/accounts", r#"{"reason":"contrôle mensuel"}"#).await;
    let account = &told["accounts"][0];
    assert_eq!((status, &account["role"], &account["name"]), (StatusCode::OK, &"operator".into(), &"operateur".into()));
    let end = NOW.plus_seconds(86_400).to_string();
    let acts =
        value!([{ "kind": "approval", "number": "2026-12", "from": NOW.to_string(), "end": end, "holds": true }]);
    assert_eq!((&account["acts"], &account["trained_on"]), (&acts, &NOW.to_string().into()));
    let missing = &account["missing"][0];
    assert!(missing["article"].as_str().unwrap().contains("L132-14-1"), "{missing}");
    assert!(missing["remedy_fr"].as_str().unwrap().len() > 10 && missing["remedy_en"].as_str().unwrap().len() > 10);
}

#[tokio::test]
async fn what_a_review_is_refused_for_comes_back_with_its_article_and_its_remedy() {
    let (status, told) = post("/api/reviews/questions", &period(1, "")).await;
    assert_eq!((status, &told["type"]), (StatusCode::FORBIDDEN, &"urn:vigie:problem:review-refused".into()));
    assert_eq!((&told["entry"], &told["reasons"][0]["article"]), (&42.into(), &"CSI L251-2".into()));
    let (status, told) = post("/api/reviews/questions", &period(60, "")).await;
    assert_eq!((status, &told["questions"][0]["camera"]), (StatusCode::OK, &"Gare".into()));
}

#[tokio::test]
async fn a_name_takes_both_proofs_and_neither_answer_says_whose_was_wrong() {
    let (status, told) = post("/api/reviews/name", &two_persons("1")).await;
    let expected = value!({ "entry": 53, "pseudonym": "K7QD-2MNX", "name": "operateur", "role": "operator" });
    assert_eq!((status, told), (StatusCode::OK, expected));
    let (status, told) = post("/api/reviews/name", &two_persons("2")).await;
    assert_eq!((status, &told["type"]), (StatusCode::FORBIDDEN, &"urn:vigie:problem:wrong-proof".into()));
    assert_eq!(post("/api/reviews/name", &two_persons("3")).await.0, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn a_reason_too_short_and_a_period_too_long_are_told_as_such() {
    let day = 86_400;
    for (path, body, problem) in [
        ("trace", period(60, "").replace("contrôle mensuel", "court"), "review-reason"),
        ("accounts", r#"{"reason":"   "}"#.to_owned(), "review-reason"),
        ("trace", period(367 * day, ""), "review-span"),
        ("questions", period(32 * day, ""), "review-span"),
        ("trace", period(-1, ""), "review-span"),
        ("trace", period(60, r#","before":-1"#), "malformed"),
    ] {
        let (status, told) = post(&format!("/api/reviews/{path}"), &body).await;
        let expected = format!("urn:vigie:problem:{problem}");
        assert_eq!((status, &told["type"]), (StatusCode::BAD_REQUEST, &expected.into()), "{body}");
    }
}

/// What the interface may say of a review, field by field: none is a score, a rank or a count of what one person did.
#[rustfmt::skip]
const FIELDS: [&str; 53] = [
    "about", "accounts", "action", "acts", "article", "at", "before", "blocks", "camera", "cameras", "cameras_more",
    "closed", "end", "ended", "ended_at", "ended_entry", "entry", "exports", "first", "from", "holds", "informed_from",
    "kind", "last", "lines", "live", "log_size", "looks", "missing", "month", "more", "name", "names", "number", "of_me",
    "pseudonym", "purpose", "questions", "reason", "refusals", "remedy_en", "remedy_fr", "reviews", "role", "root",
    "rule", "rules", "text_en", "text_fr", "title_en", "title_fr", "to", "totals",
];
const FIELDS_OF_PERSONS: [&str; 3] = ["trained_on", "training_is_old", "who"];

#[test]
fn the_interface_has_no_field_that_measures_or_ranks_a_person() {
    let document: Value = serde_json::from_str(&web::document()).unwrap();
    let schemas = &document["components"]["schemas"];
    let mut todo = vec!["Trace", "Accounts", "Questions", "Name"].into_iter().map(str::to_owned).collect::<Vec<_>>();
    let (mut seen, mut fields) = (BTreeSet::new(), BTreeSet::new());
    while let Some(name) = todo.pop() {
        if seen.insert(name.clone()) {
            fields.extend(schemas[&name]["properties"].as_object().unwrap().keys().cloned());
            references(&schemas[&name], &mut todo);
        }
    }
    let known: BTreeSet<String> = FIELDS.iter().chain(&FIELDS_OF_PERSONS).map(|field| (*field).to_owned()).collect();
    assert_eq!(fields, known);
}

fn references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(object) => object.iter().for_each(|(key, value)| match (key.as_str(), value) {
            ("$ref", Value::String(path)) => found.extend(path.rsplit('/').next().map(str::to_owned)),
            _ => references(value, found),
        }),
        Value::Array(values) => values.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}
