//! A permit that the keeper takes back: open streams of web end, nobody asks the browser.

mod fake;

use fake::{CAMERA, PERMIT, REVOKED, Town, live_look};
use std::{sync::atomic::Ordering, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

#[tokio::test]
async fn a_revoked_permit_ends_its_open_replay_and_its_live_stream() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let town = Town::new();
    tokio::spawn(web::serve(listener, town.config(), std::future::pending()));
    let look = live_look();
    let head = format!("Host: {address}\r\nVigie-Request: 1\r\nCookie: {}\r\n", fake::COOKIE);
    let mut browser = TcpStream::connect(address).await.unwrap();
    let post = format!(
        "POST /api/looks HTTP/1.1\r\n{head}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{look}",
        look.len()
    );
    browser.write_all(post.as_bytes()).await.unwrap();
    read_to(&mut browser, "\"entry\"").await;
    let get = format!("GET /media/{PERMIT}/{CAMERA}/live HTTP/1.1\r\n{head}Connection: close\r\n\r\n");
    browser.write_all(get.as_bytes()).await.unwrap();
    read_to(&mut browser, "moof").await;
    REVOKED.store(true, Ordering::SeqCst);
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(30), browser.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "the stream goes on");
    // a replay waits on the same row of the table (`PartSender`, `wait_for_reader`): gone for one is gone for both
    let mut browser = TcpStream::connect(address).await.unwrap();
    browser.write_all(get.as_bytes()).await.unwrap();
    read_to(&mut browser, "unknown-permit").await;
}

async fn read_to(browser: &mut TcpStream, mark: &str) {
    let (mut all, mut piece) = (Vec::new(), [0; 4096]);
    while !String::from_utf8_lossy(&all).contains(mark) {
        let bytes = browser.read(&mut piece).await.unwrap();
        assert!(bytes > 0, "the connection ended early: {}", String::from_utf8_lossy(&all));
        all.extend_from_slice(&piece[..bytes]);
    }
}
