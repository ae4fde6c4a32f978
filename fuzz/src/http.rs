//! What browsers send: any route with any body, against a web role whose keeper is not there.

use axum::{body::Body, http::Request};
use keeper::{KeeperClient, wire::Peer};
use std::{path::Path, sync::Arc};
use tower::ServiceExt;
use web::{WebConfig, routes};

/// A camera's or a permit's id, where a path wants one.
const ID: &str = "00000000000000000000000000000001";
const COOKIE: &str = "vigie-session=00000000000000000000000000000000000000000000000000000000000000ff";

/// The first byte names the route; the rest is the query of what is read and the body of what is sent. The answer is never a
/// failure of ours, and never repeats what was sent.
pub fn request(bytes: &[u8]) {
    let Some((first, rest)) = bytes.split_first() else { return };
    let all = routes();
    let route = &all[usize::from(*first) % all.len()];
    let path = route.path.split('/').map(|part| if part.starts_with('{') { ID } else { part }).collect::<Vec<_>>();
    let reads = route.method == "GET";
    let query: String = match (reads, std::str::from_utf8(rest)) {
        (true, Ok(text)) => format!("?{}", text.replace(|c: char| !c.is_ascii_graphic() || c == '#', "+")),
        _ => String::new(),
    };
    let request = Request::builder()
        .method(route.method.clone())
        .uri(format!("{}{query}", path.join("/")))
        .header("host", "localhost")
        .header("vigie-request", "1")
        .header("content-type", "application/json")
        .header("cookie", COOKIE);
    let Ok(request) = request.body(Body::from(if reads { vec![] } else { rest.to_vec() })) else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime of one thread");
    let answer = runtime.block_on(async {
        let answer = router().oneshot(request).await.unwrap_or_else(|never| match never {});
        let status = answer.status().as_u16();
        (status, axum::body::to_bytes(answer.into_body(), 1 << 20).await.expect("a short answer"))
    });
    assert_ne!(answer.0, 500, "{}: {}", route.path, String::from_utf8_lossy(&answer.1));
    let secret = b"mot de passe 7c1e";
    assert!(!answer.1.windows(secret.len()).any(|part| part == secret), "{} repeats a password", route.path);
}

fn router() -> axum::Router {
    let secret = domain::Secret32::new([7; 32]);
    web::router(WebConfig {
        keeper: Arc::new(KeeperClient::role(Path::new("/nonexistent/keeper.sock"), Peer::Web, secret.clone())),
        recorder_socket: "/nonexistent/recorder.sock".into(),
        recorder_secret: secret,
        store: None,
        clock: Arc::new(simulator::clock::SystemClock::new()),
        random: Arc::new(Fixed),
        version: "0".into(),
        address: "http://localhost:8080".into(),
        tls: None,
        oidc: None,
        outside: None,
        retention: None,
        cosigned: None,
        timestamp: None,
        packages: None,
        reserve: None,
        papers: None,
        links: None,
        viewing: None,
    })
}

/// The same answer to the same bytes.
struct Fixed;

impl domain::world::Random for Fixed {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(5);
    }
}

pub fn request_seeds() -> Vec<Vec<u8>> {
    let bodies = [
        r#"{"kind":"live","cameras":["00000000000000000000000000000001"],"purpose":5,"reason":"Vérification après signalement"}"#,
        r#"{"kind":"replay","cameras":["00000000000000000000000000000001"],"from":"2026-07-14T10:00:00Z","to":"2026-07-14T10:05:00Z","purpose":5,"reason":"Vérification après signalement"}"#,
        r#"{"name":"operateur","password":"mot de passe 7c1e","code":"123456"}"#,
        r#"{"from":"2026-07-01","to":"2026-07-31"}"#,
        "from=2026-07-14T10:00:00Z&to=2026-07-14T10:05:00Z",
        "date=2026-07-14",
    ];
    let count = u8::try_from(routes().len()).expect("few routes");
    (0..count).map(|route| [&[route][..], bodies[usize::from(route) % bodies.len()].as_bytes()].concat()).collect()
}
