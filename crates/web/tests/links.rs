//! Links as the console gets them, and the lines on which strangers' tries come, with a keeper from a script.

mod fake;

use axum::http::StatusCode;
use domain::{LinkId, LinkTry, LinkWord};
use fake::{
    Town,
    exports::EXPORT,
    json,
    links::{CODE, LINK, LINK_ASK, OVER},
    request, send,
};
use std::{path::Path, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, UnixListener, UnixStream},
    task::JoinHandle,
};
use web::{LinkConfig, WebConfig, WebError};

const SEALED: usize = 900_000;

/// A folder with a package that is made, and a web that offers links.
struct Offering {
    town: Town,
    folder: tempfile::TempDir,
}

impl Offering {
    fn new() -> Offering {
        let (town, folder) = (Town::new(), tempfile::tempdir().unwrap());
        let offering = Offering { town, folder };
        std::fs::write(offering.package(), vec![7; SEALED]).unwrap();
        offering
    }

    fn package(&self) -> std::path::PathBuf {
        self.folder.path().join(format!("{EXPORT}-{}.zip.age", fake::NOW.plus_seconds(100).seconds()))
    }

    fn socket(&self) -> std::path::PathBuf {
        self.folder.path().join("links.sock")
    }

    fn config(&self) -> WebConfig {
        let links = LinkConfig { socket: self.socket(), address: "https://remise.example/".into() };
        WebConfig { packages: Some(self.folder.path().to_owned()), links: Some(links), ..self.town.config() }
    }

    /// The public role's socket, and web behind it.
    async fn serve(&self) -> (UnixListener, JoinHandle<Result<(), WebError>>) {
        let lines = UnixListener::bind(self.socket()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        (lines, tokio::spawn(web::serve(listener, self.config(), std::future::pending())))
    }
}

fn tried(link: u8, code: &[u8]) -> LinkTry {
    let form = format!("jeton={}&code={}", format!("{link:02x}").repeat(32), std::str::from_utf8(code).unwrap());
    LinkTry::from_form(form.as_bytes()).unwrap()
}

/// One try on a fresh line: web's word, and the line.
async fn tries(lines: &UnixListener, tried: &LinkTry) -> (LinkWord, UnixStream) {
    let (mut line, _) = lines.accept().await.unwrap();
    line.write_all(&*tried.to_bytes()).await.unwrap();
    let mut word = [0; LinkWord::BYTES];
    line.read_exact(&mut word).await.unwrap();
    (LinkWord::from_bytes(&word).unwrap(), line)
}

/// What web told the keeper of how it ended, once it did.
async fn ended(link: u8) -> bool {
    loop {
        let known = OVER.lock().unwrap().iter().find(|(of, ..)| *of == LinkId([link; 16])).map(|(.., whole)| *whole);
        match known {
            Some(is_whole) => return is_whole,
            None => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    }
}

#[tokio::test]
async fn a_link_is_told_once_with_its_code_and_its_secret_is_in_the_fragment() {
    let offering = Offering::new();
    let router = web::router(offering.config());
    let path = format!("/api/exports/{EXPORT}/links");
    let made = send(&router, request("POST", &path, Some(LINK_ASK))).await;
    assert_eq!(made.status(), StatusCode::CREATED);
    let made = json(made).await;
    let url = made["url"].as_str().unwrap();
    let (address, token) = url.split_once('#').unwrap();
    assert_eq!((address, token.len(), &made["code"]), ("https://remise.example/remise", 64, &"70Q2M-X1KRT".into()));
    assert_eq!((&made["link"]["id"], &made["link"]["over"]), (&LINK.to_string().into(), &"used".into()));
    let steps: Vec<_> =
        made["link"]["steps"].as_array().unwrap().iter().map(|step| step["step"].as_str().unwrap()).collect();
    assert_eq!(steps, ["wrong-code", "fetch", "sent", "ended"]);
    let second =
        send(&router, request("POST", &path, Some(&LINK_ASK.replace("\"downloads\":1", "\"downloads\":2")))).await;
    assert_eq!(second.status(), StatusCode::CONFLICT);
    let revoked = send(&router, request("DELETE", &format!("{path}/{LINK}"), None)).await;
    assert_eq!(revoked.status(), StatusCode::NO_CONTENT);
    for other in ["22".repeat(16), "x".into()] {
        let unknown = send(&router, request("DELETE", &format!("{path}/{other}"), None)).await;
        assert_eq!(unknown.status(), StatusCode::NOT_FOUND, "{other}");
    }
    std::fs::remove_file(offering.package()).unwrap();
    assert_eq!(send(&router, request("POST", &path, Some(LINK_ASK))).await.status(), StatusCode::NOT_FOUND);
    let none = web::router(WebConfig { links: None, ..offering.config() });
    let off = json(send(&none, request("POST", &path, Some(LINK_ASK))).await).await;
    assert_eq!(off["type"], "urn:vigie:problem:links-off");
}

#[tokio::test]
async fn whoever_brings_the_code_gets_the_package_and_its_end_is_entered() {
    let offering = Offering::new();
    let (lines, server) = offering.serve().await;
    let (word, mut line) = tries(&lines, &tried(0x31, CODE)).await;
    assert_eq!(word, LinkWord::Yes { export: EXPORT, bytes: SEALED as u64 });
    let mut sealed = vec![0; SEALED];
    line.read_exact(&mut sealed).await.unwrap();
    assert!(sealed == vec![7; SEALED]);
    line.write_all(b".").await.unwrap();
    assert!(ended(0x31).await);
    // who is not there to take it all has no whole one
    let (_, line) = tries(&lines, &tried(0x32, CODE)).await;
    drop(line);
    assert!(!ended(0x32).await);
    let (word, _) = tries(&lines, &tried(0x33, b"00000-00000")).await;
    assert_eq!(word, LinkWord::No);
    std::fs::remove_file(offering.package()).unwrap();
    assert_eq!(tries(&lines, &tried(0x34, CODE)).await.0, LinkWord::No);
    assert!(!ended(0x34).await);
    server.abort();
}

#[tokio::test]
async fn a_download_ends_when_its_package_goes_and_when_it_begins_again() {
    let offering = Offering::new();
    std::fs::write(offering.package(), vec![7; 8 * SEALED]).unwrap();
    let (lines, server) = offering.serve().await;
    let (_, mut first) = tries(&lines, &tried(0x41, CODE)).await;
    let (_, mut second) = tries(&lines, &tried(0x41, CODE)).await;
    let whole = 8 * SEALED;
    assert!(rest(&mut first).await < whole, "taken up elsewhere");
    std::fs::remove_file(offering.package()).unwrap();
    assert!(rest(&mut second).await < whole, "handed over, or deleted");
    assert!(!ended(0x41).await);
    let told = OVER.lock().unwrap().iter().filter(|(of, ..)| *of == LinkId([0x41; 16])).count();
    assert_eq!(told, 1, "the first one's end is the second one's beginning");
    server.abort();
}

async fn rest(line: &mut UnixStream) -> usize {
    let mut bytes = Vec::new();
    drop(line.read_to_end(&mut bytes).await);
    bytes.len()
}

#[tokio::test]
async fn while_as_many_leave_as_may_the_next_is_busy_and_no_link_is_looked_at() {
    let offering = Offering::new();
    std::fs::write(offering.package(), vec![7; 8 * SEALED]).unwrap();
    let (lines, server) = offering.serve().await;
    let mut leaving = Vec::new();
    for nth in 0..domain::limit::LINK_DOWNLOADS_AT_ONCE {
        let (word, line) = tries(&lines, &tried(0x50 + nth as u8, CODE)).await;
        assert!(matches!(word, LinkWord::Yes { .. }));
        leaving.push(line);
    }
    assert_eq!(tries(&lines, &tried(0x5f, CODE)).await.0, LinkWord::Busy);
    assert!(Path::new(&offering.socket()).exists());
    server.abort();
}
