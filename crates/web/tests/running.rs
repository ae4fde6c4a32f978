//! The server on a real socket: where it may listen, how it stops, what its log says.

mod fake;

use fake::{CAMERA, PERMIT, Town, live_look, read_until, request, send};
use std::{
    fmt::Write,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id, Record},
};
use web::WebError;

#[tokio::test]
async fn an_address_that_others_can_reach_is_refused_with_the_remedy() {
    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let error = web::serve(listener, Town::new().config(), std::future::pending()).await.unwrap_err();
    assert!(matches!(error, WebError::NotLoopback { .. }));
    assert!(error.to_string().contains("127.0.0.1"));
}

#[tokio::test]
async fn an_order_to_stop_ends_open_streams_and_returns() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let town = Town::new();
    let shutdown = async move { drop(stopped.await) };
    let server = tokio::spawn(web::serve(listener, town.config(), shutdown));

    let look = live_look();
    let head = format!("Host: {address}\r\nVigie-Request: 1\r\nCookie: {}\r\n", fake::COOKIE);
    let mut browser = TcpStream::connect(address).await.unwrap();
    let post = format!(
        "POST /api/looks HTTP/1.1\r\n{head}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{look}",
        look.len()
    );
    browser.write_all(post.as_bytes()).await.unwrap();
    read_to(&mut browser, "\"entry\"").await;
    let get = format!("GET /media/{PERMIT}/{CAMERA}/live HTTP/1.1\r\n{head}\r\n");
    browser.write_all(get.as_bytes()).await.unwrap();
    read_to(&mut browser, "moof").await;

    stop.send(()).unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(30), server).await;
    ended.expect("the server returns").unwrap().unwrap();
    let mut rest = Vec::new();
    browser.read_to_end(&mut rest).await.unwrap();
}

#[tokio::test]
async fn a_refusal_waits_for_the_body_and_its_connection_stays_of_use() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(web::serve(listener, Town::new().config(), std::future::pending()));
    let look = live_look();
    let nobody = format!(
        "POST /api/looks HTTP/1.1\r\nHost: {address}\r\nVigie-Request: 1\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        look.len()
    );
    let mut browser = TcpStream::connect(address).await.unwrap();
    for _ in 0..2 {
        browser.write_all(nobody.as_bytes()).await.unwrap();
        // the body is another packet, which comes when the head alone has been read
        tokio::time::sleep(Duration::from_millis(100)).await;
        browser.write_all(look.as_bytes()).await.unwrap();
        read_to(&mut browser, "HTTP/1.1 401").await;
    }
    server.abort();
}

async fn read_to(browser: &mut TcpStream, mark: &str) {
    let (mut all, mut piece) = (Vec::new(), [0; 4096]);
    while !String::from_utf8_lossy(&all).contains(mark) {
        let bytes = browser.read(&mut piece).await.unwrap();
        assert!(bytes > 0, "the connection ended early: {}", String::from_utf8_lossy(&all));
        all.extend_from_slice(&piece[..bytes]);
    }
}

/// Keeps every word that is logged, at every level.
#[derive(Clone, Default)]
struct Words(Arc<Mutex<String>>);

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        writeln!(self.0.lock().unwrap(), "{field}={value:?}").unwrap();
    }
}

impl Subscriber for Words {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("web")
    }
    fn new_span(&self, attributes: &Attributes<'_>) -> Id {
        attributes.record(&mut self.clone());
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, values: &Record<'_>) {
        values.record(&mut self.clone());
    }
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &Event<'_>) {
        event.record(&mut self.clone());
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

#[tokio::test]
async fn the_log_names_routes_and_never_a_permit_a_query_a_session_or_a_person() {
    let words = Words::default();
    // with one subscriber alone, a thread of another test that comes to a line of the log first turns it off for all threads
    let _other = tracing::Dispatch::new(Words::default());
    let _guard = tracing::subscriber::set_default(words.clone());
    let town = Town::new();
    let router = town.router();
    let sign_in = format!(r#"{{"name":"operateur","password":"{}","code":"123456"}}"#, fake::PASSWORD);
    send(&router, request("POST", "/api/session", Some(&sign_in))).await;
    send(&router, request("POST", "/api/looks", Some(&live_look()))).await;
    let live = send(&router, request("GET", &format!("/media/{PERMIT}/{CAMERA}/live"), None)).await;
    read_until(&mut live.into_body(), |bytes| bytes.len() > 1_000).await;
    send(&router, request("GET", &format!("/media/{PERMIT}/{CAMERA}/replay?from=2026-07-14T10:00:00Z&to=x"), None))
        .await;
    send(&router, request("GET", &format!("/nowhere/{PERMIT}?{}", fake::SECRET), None)).await;
    let text = words.0.lock().unwrap().clone();
    assert!(text.contains("/media/{permit}/{camera}/replay"), "{text}");
    assert_eq!(text.matches("status=").count(), 5, "{text}");
    for secret in [
        &PERMIT.to_string(),
        &CAMERA.to_string(),
        "2026-07-14",
        fake::SECRET,
        fake::PASSWORD,
        fake::REASON,
        "operateur",
    ] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}
