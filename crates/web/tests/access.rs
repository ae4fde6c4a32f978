//! Requests for access as the console gets them, with a keeper from a script.

mod fake;

use axum::http::StatusCode;
use fake::{
    Town,
    access::{ANSWER, ENTRY},
    json, request, send,
};
use serde_json::Value;

async fn asks(method: &str, path: &str, body: Option<&str>) -> (StatusCode, Value) {
    let response = send(&Town::new().router(), request(method, path, body)).await;
    (response.status(), json(response).await)
}

#[tokio::test]
async fn the_register_tells_by_when_each_request_is_answered_and_the_grounds_of_the_law() {
    let (status, told) = asks("GET", "/api/access", None).await;
    assert_eq!((status, &told["more"]), (StatusCode::OK, &true.into()));
    let [waits, refused] = [&told["requests"][0], &told["requests"][1]];
    assert_eq!((&waits["number"], &waits["frozen"]), (&"DA-2026-0002".into(), &"held".into()));
    assert!(waits["due"].is_string() && waits["answer"].is_null() && waits["letter_fr"].is_null());
    assert_eq!(waits["lacks"][0]["field"], "identity");
    assert!(refused["due"].is_null() && refused["letter_fr"].is_array());
    assert_eq!(refused["answer"]["grounds"][0], "procédures engagées ou opérations préliminaires");
    let grounds = told["grounds"].as_array().unwrap();
    assert_eq!(grounds.len(), 6);
    for ground in grounds {
        assert!(ground["article"].as_str().unwrap().len() > 5 && ground["title_en"].as_str().unwrap().len() > 5);
    }
    let (status, _) = asks("GET", "/api/access?before=DA-2026-0001", None).await;
    assert_eq!(status, StatusCode::OK);
    let (status, _) = asks("GET", "/api/access?before=2026-0001", None).await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "a requisition's number");
}

#[tokio::test]
async fn a_request_is_entered_also_where_the_reserve_has_no_room_and_says_so() {
    let (status, told) = asks("POST", "/api/access", Some(ENTRY)).await;
    assert_eq!((status, &told["frozen"]), (StatusCode::CREATED, &"nothing".into()));
    let camera = fake::CAMERA.to_string();
    let window = format!(r#"{{"camera":"{camera}","from":"2026-07-14T09:00:00Z","to":"2026-07-14T09:10:00Z"}}"#);
    let entry = ENTRY.replace("\"windows\":[]", &format!("\"windows\":[{window}]"));
    let (status, told) = asks("POST", "/api/access", Some(&entry)).await;
    assert_eq!((status, &told["frozen"]), (StatusCode::CREATED, &"not-asked".into()), "this town has no reserve");
    for (from, to) in [("counter", "pigeon"), ("\"view\"", "\"see\""), ("2026-07-14T10", "hier"), ("null", "\"1\"")] {
        let (status, _) = asks("POST", "/api/access", Some(&ENTRY.replacen(from, to, 1))).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{to}");
    }
}

#[tokio::test]
async fn a_step_is_done_or_says_what_is_missing() {
    let id = "ac".repeat(16);
    let identity = asks("POST", &format!("/api/access/{id}/identity"), Some(r#"{"means":"shown"}"#)).await;
    assert_eq!((identity.0, &identity.1["is_done"]), (StatusCode::OK, &true.into()));
    let viewing = asks("POST", &format!("/api/access/{id}/viewings"), Some(r#"{"present":"la personne"}"#)).await;
    assert_eq!((&viewing.1["is_done"], &viewing.1["lacks"][0]["field"]), (&false.into(), &"identity".into()));
    let (status, told) = asks("POST", &format!("/api/access/{id}/answer"), Some(ANSWER)).await;
    assert_eq!((status, &told["is_done"]), (StatusCode::OK, &true.into()));
    let (status, _) =
        asks("POST", &format!("/api/access/{id}/answer"), Some(&ANSWER.replace("proceedings", "mood"))).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
}
