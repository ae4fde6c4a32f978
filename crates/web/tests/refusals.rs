//! Every route with what it refuses. A route that is not in this table fails the first test.

mod fake;

use axum::{
    body::Body,
    http::{Request, Response, StatusCode, header},
};
use fake::{Town, json, live_look, request, send};
use std::collections::BTreeSet;

/// One route, and whom it lets in.
struct Row {
    method: &'static str,
    path: &'static str,
    who: Who,
}

#[derive(PartialEq, Eq)]
enum Who {
    /// Before signing in.
    Anybody,
    SignedIn,
}

const fn row(method: &'static str, path: &'static str, who: Who) -> Row {
    Row { method, path, who }
}

const TABLE: [Row; 69] = [
    row("GET", "/api/site", Who::Anybody),
    row("GET", "/api/session", Who::SignedIn),
    row("POST", "/api/session", Who::Anybody),
    row("DELETE", "/api/session", Who::SignedIn),
    row("POST", "/api/session/active", Who::SignedIn),
    row("POST", "/api/session/passkey/begin", Who::Anybody),
    row("POST", "/api/session/passkey", Who::Anybody),
    row("POST", "/api/session/oidc/begin", Who::Anybody),
    row("POST", "/api/session/oidc", Who::Anybody),
    row("POST", "/api/session/oidc/code", Who::Anybody),
    row("POST", "/api/session/oidc/leave", Who::Anybody),
    row("GET", "/api/passkeys", Who::SignedIn),
    row("POST", "/api/passkeys/begin", Who::SignedIn),
    row("POST", "/api/passkeys", Who::SignedIn),
    row("DELETE", "/api/passkeys/{id}", Who::SignedIn),
    row("POST", "/api/setup/begin", Who::Anybody),
    row("POST", "/api/setup", Who::Anybody),
    row("GET", "/api/cameras", Who::SignedIn),
    row("GET", "/api/cameras/{id}/day", Who::SignedIn),
    row("POST", "/api/looks", Who::SignedIn),
    row("DELETE", "/api/looks/{permit}", Who::SignedIn),
    row("POST", "/api/reviews/trace", Who::SignedIn),
    row("POST", "/api/reviews/accounts", Who::SignedIn),
    row("POST", "/api/reviews/questions", Who::SignedIn),
    row("POST", "/api/reviews/name", Who::SignedIn),
    row("GET", "/api/trace", Who::SignedIn),
    row("GET", "/api/break-glass", Who::SignedIn),
    row("POST", "/api/break-glass", Who::SignedIn),
    row("POST", "/api/break-glass/{id}/confirm", Who::SignedIn),
    row("POST", "/api/break-glass/{id}/acknowledge", Who::SignedIn),
    row("DELETE", "/api/break-glass/{id}", Who::SignedIn),
    row("GET", "/api/reason", Who::SignedIn),
    row("DELETE", "/api/reason", Who::SignedIn),
    row("GET", "/api/requisitions", Who::SignedIn),
    row("POST", "/api/requisitions", Who::SignedIn),
    row("POST", "/api/requisitions/scan", Who::SignedIn),
    row("POST", "/api/requisitions/{id}/answer", Who::SignedIn),
    row("POST", "/api/requisitions/{id}/deliveries", Who::SignedIn),
    row("POST", "/api/requisitions/{id}/viewings", Who::SignedIn),
    row("POST", "/api/requisitions/{id}/opinion", Who::SignedIn),
    row("GET", "/api/opinions", Who::SignedIn),
    row("GET", "/api/access", Who::SignedIn),
    row("POST", "/api/access", Who::SignedIn),
    row("POST", "/api/access/{id}/identity", Who::SignedIn),
    row("POST", "/api/access/{id}/viewings", Who::SignedIn),
    row("POST", "/api/access/{id}/answer", Who::SignedIn),
    row("GET", "/api/holds", Who::SignedIn),
    row("POST", "/api/holds", Who::SignedIn),
    row("POST", "/api/holds/weigh", Who::SignedIn),
    row("POST", "/api/holds/{id}/requisition", Who::SignedIn),
    row("POST", "/api/holds/{id}/lift", Who::SignedIn),
    row("POST", "/api/exports", Who::SignedIn),
    row("GET", "/api/exports/{id}", Who::SignedIn),
    row("POST", "/api/exports/{id}/package", Who::SignedIn),
    row("DELETE", "/api/exports/{id}/package", Who::SignedIn),
    row("GET", "/media/exports/{id}", Who::SignedIn),
    row("POST", "/api/exports/{id}/links", Who::SignedIn),
    row("DELETE", "/api/exports/{id}/links/{link}", Who::SignedIn),
    row("GET", "/api/requisitions/{id}/letter.pdf", Who::SignedIn),
    row("GET", "/api/requisitions/{id}/deliveries/{export}/report.pdf", Who::SignedIn),
    row("GET", "/api/access/{id}/letter.pdf", Who::SignedIn),
    row("GET", "/api/holds/{id}/certificate.pdf", Who::SignedIn),
    row("GET", "/api/cameras/{id}/destruction.pdf", Who::SignedIn),
    row("GET", "/api/exports/{id}/constat.pdf", Who::SignedIn),
    row("GET", "/api/exports.pdf", Who::SignedIn),
    row("GET", "/api/health", Who::SignedIn),
    row("GET", "/media/{permit}/live", Who::SignedIn),
    row("GET", "/media/{permit}/{camera}/live", Who::SignedIn),
    row("GET", "/media/{permit}/{camera}/replay", Who::SignedIn),
];

const DEMAND: &str = r#"{"cameras":[],"reason":"x","password":"x","code":"1"}"#;
const CEREMONY: &str = r#"{"ceremony":"00000000000000000000000000000000","credential":{},"label":"x"}"#;

const REVIEW: &str = r#"{"from":"2026-07-14T10:00:00Z","to":"2026-07-14T11:00:00Z","reason":"contrôle mensuel","pseudonym":"0000-0000",
    "password":"x","code":"1","second_name":"maire","second_password":"x","second_code":"1"}"#;

impl Row {
    /// A right request but for the permit, which nobody gave.
    fn request(&self) -> Request<Body> {
        let path = self.path.replace("{permit}", &"0".repeat(32)).replace("{camera}", &fake::CAMERA.to_string());
        let path = path.replace("{link}", &fake::links::LINK.to_string());
        let path = path.replace("{export}", &fake::exports::EXPORT.to_string());
        let id = if path.contains("passkeys") { "0".repeat(64) } else { fake::CAMERA.to_string() };
        let path = path.replace("{id}", &id)
            + "?date=2026-07-14&from=2026-07-14T10:00:00Z&to=2026-07-14T11:00:00Z&total=1&offset=0&digest="
            + &"0".repeat(64);
        let look = live_look();
        let body = match (self.method, self.path) {
            ("POST", "/api/session") => Some(r#"{"name":"operateur","password":"x","code":"1"}"#),
            ("POST", "/api/setup") => Some(r#"{"token":"x","password":"douze lettres","code":"1"}"#),
            ("POST", "/api/session/oidc") => Some(r#"{"state":"x","code":"1"}"#),
            ("POST", "/api/session/oidc/code") => Some(r#"{"code":"1"}"#),
            ("POST", "/api/session/passkey") => Some(CEREMONY),
            ("POST", "/api/passkeys/begin") => Some(r#"{"password":"x","code":"1"}"#),
            ("POST", "/api/passkeys") => Some(CEREMONY),
            ("POST", "/api/break-glass") => Some(DEMAND),
            ("POST", "/api/break-glass/{id}/confirm") => Some(r#"{"name":"x","password":"x","code":"1"}"#),
            ("POST", "/api/setup/begin") => Some(r#"{"token":"x"}"#),
            ("POST", "/api/requisitions") => Some(fake::exports::REQUISITION),
            ("POST", "/api/requisitions/{id}/answer") => Some(fake::exports::ANSWER),
            ("POST", "/api/requisitions/{id}/deliveries") => Some(fake::exports::DELIVERY),
            ("POST", "/api/requisitions/{id}/viewings") => Some(r#"{"present":"x"}"#),
            ("POST", "/api/requisitions/{id}/opinion") => Some(r#"{"favourable":true,"reason":"x"}"#),
            ("POST", "/api/access") => Some(fake::access::ENTRY),
            ("POST", "/api/access/{id}/identity") => Some(r#"{"means":"shown"}"#),
            ("POST", "/api/access/{id}/viewings") => Some(r#"{"present":"x"}"#),
            ("POST", "/api/access/{id}/answer") => Some(fake::access::ANSWER),
            ("POST", "/api/holds") => Some(fake::exports::HOLD_ASK),
            ("POST", "/api/holds/weigh") => Some(r#"{"windows":[]}"#),
            ("POST", "/api/holds/{id}/requisition") => Some(r#"{"requisition":"4e4e4e4e4e4e4e4e4e4e4e4e4e4e4e4e"}"#),
            ("POST", "/api/holds/{id}/lift") => None,
            ("POST", "/api/exports") => Some(fake::exports::EXPORT_ASK),
            ("POST", "/api/exports/{id}/package") => None,
            ("POST", "/api/exports/{id}/links") => Some(fake::links::LINK_ASK),
            ("POST", path) if path.starts_with("/api/reviews") => Some(REVIEW),
            ("POST", _) => Some(look.as_str()),
            _ => None,
        };
        request(self.method, &path, body)
    }

    fn without(&self, name: &str) -> Request<Body> {
        let mut request = self.request();
        request.headers_mut().remove(name);
        request
    }

    fn with(&self, name: &'static str, value: &'static str) -> Request<Body> {
        let mut request = self.request();
        request.headers_mut().insert(name, value.parse().unwrap());
        request
    }
}

async fn check(row: &Row, request: Request<Body>, status: u16) {
    let response = send(&Town::new().router(), request).await;
    let (method, path) = (row.method, row.path);
    assert_eq!(response.status().as_u16(), status, "{method} {path}");
    has_security_headers(&response, path);
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json", "{method} {path}");
    let body = json(response).await;
    assert_eq!(body["status"], status, "{method} {path}");
    for field in ["type", "title", "detail", "title_fr", "title_en", "detail_fr", "detail_en"] {
        assert!(body[field].as_str().is_some_and(|text| text.len() > 3), "{method} {path}: {field}");
    }
}

fn has_security_headers(response: &Response<Body>, path: &str) {
    let header = |name: &str| response.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
    assert!(header("content-security-policy").contains("frame-ancestors 'none'"), "{path}");
    assert!(!header("content-security-policy").contains("unsafe"), "{path}");
    assert_eq!(header("x-content-type-options"), "nosniff", "{path}");
    assert_eq!(header("referrer-policy"), "no-referrer", "{path}");
    assert_eq!(header("cross-origin-opener-policy"), "same-origin", "{path}");
    assert!(header("permissions-policy").contains("microphone=()"), "{path}");
    assert_eq!(header("cache-control"), "no-store", "{path}");
}

#[test]
fn the_table_names_every_route() {
    let table: BTreeSet<(String, &str)> = TABLE.iter().map(|row| (row.method.to_owned(), row.path)).collect();
    let routes: BTreeSet<(String, &str)> =
        web::routes().iter().map(|route| (route.method.to_string(), route.path)).collect();
    assert_eq!(table, routes);
}

#[tokio::test]
async fn every_route_refuses_the_name_of_another_host() {
    for row in &TABLE {
        check(row, row.with("host", "vigie.example"), 421).await;
        check(row, row.without("host"), 421).await;
    }
}

#[tokio::test]
async fn every_route_refuses_a_body_that_is_too_large() {
    for row in &TABLE {
        check(row, row.with("content-length", "65537"), 413).await;
    }
}

#[tokio::test]
async fn a_large_body_without_a_length_is_cut_off() {
    let pieces = (0..5).map(|_| Ok::<_, std::io::Error>(bytes::Bytes::from(vec![b' '; 16 * 1024])));
    let mut request = TABLE[2].request();
    *request.body_mut() = Body::from_stream(futures::stream::iter(pieces));
    check(&TABLE[2], request, 413).await;
}

#[tokio::test]
async fn what_changes_something_refuses_other_pages() {
    for row in TABLE.iter().filter(|row| row.method != "GET") {
        check(row, row.without("vigie-request"), 403).await;
        check(row, row.with("vigie-request", "0"), 403).await;
    }
}

#[tokio::test]
async fn what_is_not_for_everybody_refuses_without_a_session() {
    for row in TABLE.iter().filter(|row| row.who == Who::SignedIn) {
        check(row, row.without("cookie"), 401).await;
    }
}

#[tokio::test]
async fn a_session_that_the_keeper_does_not_know_is_none() {
    for row in TABLE.iter().filter(|row| row.who == Who::SignedIn && !row.path.starts_with("/media")) {
        check(row, row.with("cookie", "vigie-session=another"), 401).await;
    }
}

#[tokio::test]
async fn an_unknown_permit_is_not_found() {
    let with_permit: Vec<&Row> = TABLE.iter().filter(|row| row.path.contains("{permit}")).collect();
    assert_eq!(with_permit.len(), 4);
    for row in with_permit {
        check(row, row.request(), 404).await;
    }
}

#[tokio::test]
async fn an_export_of_nobody_and_one_of_somebody_else_are_alike() {
    let of_exports: Vec<&Row> = TABLE.iter().filter(|row| row.path.contains("exports/{id}")).collect();
    assert_eq!(of_exports.len(), 7);
    for row in of_exports {
        check(row, row.request(), 404).await;
    }
}

#[tokio::test]
async fn an_unknown_address_and_an_unknown_method_are_problems_too() {
    let nowhere = row("GET", "/api/nothing", Who::Anybody);
    check(&nowhere, nowhere.request(), 404).await;
    let nowhere = row("GET", "/media/nothing", Who::Anybody);
    check(&nowhere, nowhere.request(), 404).await;
    let wrong = row("PUT", "/api/session", Who::Anybody);
    check(&wrong, wrong.request(), 405).await;
}

#[tokio::test]
async fn a_body_that_is_no_json_is_refused_and_not_repeated() {
    let town = Town::new();
    for (body, kind, status) in [
        (r#"{"name":7,"password":"hunter2-hunter2"}"#, "application/json", StatusCode::BAD_REQUEST),
        (r#"{"password":"hunter2-hunter2""#, "application/json", StatusCode::BAD_REQUEST),
        (r#"{"name":"a","password":"hunter2-hunter2"}"#, "text/plain", StatusCode::UNSUPPORTED_MEDIA_TYPE),
    ] {
        let mut request = request("POST", "/api/session", Some(body));
        request.headers_mut().insert(header::CONTENT_TYPE, kind.parse().unwrap());
        let response = send(&town.router(), request).await;
        assert_eq!(response.status(), status);
        assert!(!json(response).await.to_string().contains("hunter2"));
    }
}
