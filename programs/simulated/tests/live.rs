//! Promise 3 on real processes: live pictures through the gate only; a slow viewer jumps, the recorder never waits.

mod support;

use domain::UtcMicros;
use rustix::net::{AddressFamily, SocketType};
use serde_json::{Value, json};
use simulator::{
    installation::{Browser, InstallationError},
    rtsp::{Camera, Town},
};
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};
use support::{
    REASON, Site, look_back,
    movie::{Movie, fetch},
    now, replay_path, sleep, town, until,
};

/// For what must happen within about two seconds, on a machine that does other things too.
const SOON: Duration = Duration::from_secs(10);

#[test]
fn a_look_that_may_not_be_is_refused_with_reasons_and_an_entry() {
    let (_town, site, camera) = recording();
    let (operator, administrator) = (site.operator(), site.administrator());
    check_refused(&administrator, &live_of(&camera), "administrator");
    check_refused(&operator, &with(live_of(&camera), "reason", json!("")), "reason");
    check_refused(&operator, &with(live_of(&camera), "purpose", Value::Null), "purpose");
    // the camera's order names purposes 1 and 5
    check_refused(&operator, &with(live_of(&camera), "purpose", json!(7)), "purpose");
    assert_eq!(site.nobody_status("/api/looks", &live_of(&camera)), Some(401));
    // no picture without a permit, or with another session's
    let permit = look(&operator, &camera);
    for (browser, path) in [
        (&operator, format!("/media/00000000000000000000000000000000/{camera}/live")),
        (&administrator, format!("/media/{permit}/{camera}/live")),
    ] {
        assert_eq!(browser.open(&path).err().and_then(|error| error.status()), Some(404));
    }
    assert_eq!(site.site.nobody().open(&format!("/media/{permit}/{camera}/live")).err().unwrap().status(), Some(401));
}

#[test]
fn a_look_is_in_the_ledger_before_its_first_picture_and_pictures_begin_with_a_group() {
    let (town, site, camera) = recording();
    let operator = site.operator();
    let before = ledger_size(&site);
    let look = operator.post("/api/looks", &live_of(&camera)).unwrap();
    let entry = look["entry"].as_u64().unwrap();
    assert!(before <= entry && entry < ledger_size(&site), "its entry is in the ledger when the answer comes");
    let asked = now();
    let mut stream = operator.open(&format!("/media/{}/{camera}/live", look["permit"].as_str().unwrap())).unwrap();
    assert!(stream.content_type.starts_with("video/mp4; codecs=\"avc1."));
    let movie = read_some(&mut stream, 200_000);
    assert!(movie.shown[0].key, "a picture that cannot be decoded comes first");
    // a group lasts two seconds: the first picture was sent after the one that was newest when we asked, or begins its group
    let newest = newest_sent(&town.cameras[0], asked);
    assert!(movie.shown[0].mark.frame + 24 >= newest, "not the present: {} {newest}", movie.shown[0].mark.frame);
    check_equal(&town.cameras[0], &movie);
}

#[test]
fn a_viewer_who_does_not_read_jumps_to_newer_pictures_and_the_recorder_loses_nothing() {
    let (town, site, camera) = recording();
    let operator = site.operator();
    let start = now();
    let path = format!("/media/{}/{camera}/live", look(&operator, &camera));
    let mut viewer = SlowViewer::open(&site, &path, operator.cookie().unwrap());
    viewer.read_until(100_000);
    sleep(PAUSE_SECONDS);
    let needed = newest_sent(&town.cameras[0], now());
    let mut movie = viewer.movie();
    while movie.shown.last().is_none_or(|shown| shown.mark.frame <= needed) {
        viewer.read_until(viewer.body.len() + 50_000);
        movie = viewer.movie();
    }
    let numbers = movie.numbers();
    let jump = numbers.windows(2).position(|pair| pair[1] != pair[0] + 1);
    let jump = jump.expect("a backlog: every picture came late instead of the newest ones");
    assert!(movie.shown[jump + 1].key, "after a jump comes a picture that can be decoded");
    check_equal(&town.cameras[0], &movie);
    sleep(3.0);
    let permit = look_back(&operator, &[&camera], start, now());
    let recorded = fetch(&operator, &replay_path(&permit, &camera, start, now())).numbers();
    assert!(recorded.windows(2).all(|pair| pair[1] == pair[0] + 1), "the recorder lost pictures");
    assert!(recorded.len() as f64 > PAUSE_SECONDS * 12.0);
}

#[test]
fn ending_a_look_or_signing_out_ends_its_streams() {
    let (_town, site, camera) = recording();
    let operator = site.operator();
    let first = look(&operator, &camera);
    check_ends(&operator, &camera, &first, || operator.delete(&format!("/api/looks/{first}")).map(|_| ()));
    let second = look(&operator, &camera);
    check_ends(&operator, &camera, &second, || operator.delete("/api/session").map(|_| ()));
}

/// Long enough to fill every buffer between recorder and viewer with pictures of a megabit a second.
const PAUSE_SECONDS: f64 = 20.0;

/// A browser on a slow line: the kernel keeps no megabytes for it.
struct SlowViewer {
    connection: TcpStream,
    /// Bytes of the chunked answer that were not taken apart yet.
    coded: Vec<u8>,
    body: Vec<u8>,
}

impl SlowViewer {
    fn open(site: &Site, path: &str, cookie: &str) -> SlowViewer {
        let address: SocketAddr = ([127, 0, 0, 1], site.site.port).into();
        let socket = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
        rustix::net::sockopt::set_socket_recv_buffer_size(&socket, 16 * 1024).unwrap();
        rustix::net::connect(&socket, &address).unwrap();
        let mut connection = TcpStream::from(socket);
        connection.set_read_timeout(Some(SOON)).unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nCookie: {cookie}\r\n\r\n", site.site.port);
        connection.write_all(request.as_bytes()).unwrap();
        let mut viewer = SlowViewer { connection, coded: Vec::new(), body: Vec::new() };
        let head = loop {
            viewer.read();
            if let Some(end) = viewer.coded.windows(4).position(|four| four == b"\r\n\r\n") {
                break viewer.coded.drain(..end + 4).collect::<Vec<u8>>();
            }
        };
        let head = String::from_utf8_lossy(&head).to_lowercase();
        assert!(head.starts_with("http/1.1 200") && head.contains("transfer-encoding: chunked"), "{head}");
        viewer
    }

    fn read_until(&mut self, bytes: usize) {
        while self.body.len() < bytes {
            self.read();
            self.take_chunks();
        }
    }

    fn movie(&self) -> Movie {
        Movie::parse(self.body.clone(), UtcMicros(0))
    }

    fn read(&mut self) {
        let mut part = [0; 16_384];
        let read = self.connection.read(&mut part).expect("pictures come");
        assert!(read > 0, "the stream ended");
        self.coded.extend_from_slice(&part[..read]);
    }

    /// RFC 9112, 7.1: a length in hexadecimal, the bytes, and line ends after both.
    fn take_chunks(&mut self) {
        while let Some(line) = self.coded.windows(2).position(|two| two == b"\r\n") {
            let size = usize::from_str_radix(std::str::from_utf8(&self.coded[..line]).unwrap(), 16).unwrap();
            if self.coded.len() < line + 2 + size + 2 {
                break;
            }
            self.body.extend_from_slice(&self.coded[line + 2..line + 2 + size]);
            self.coded.drain(..line + 2 + size + 2);
        }
    }
}

fn recording() -> (Town, Site, String) {
    let town = town(1);
    let site = Site::serving();
    let camera = site.add(&town, 1, 30);
    site.until_recording(&camera);
    (town, site, camera)
}

fn live_of(camera: &str) -> Value {
    json!({"kind": "live", "cameras": [camera], "purpose": 5, "reason": REASON})
}

fn with(mut request: Value, field: &str, value: Value) -> Value {
    request[field] = value;
    request
}

fn look(browser: &Browser<'_>, camera: &str) -> String {
    browser.post("/api/looks", &live_of(camera)).unwrap()["permit"].as_str().unwrap().to_owned()
}

fn check_refused(browser: &Browser<'_>, request: &Value, about: &str) {
    let error = browser.post("/api/looks", request).expect_err(about);
    let body = error.body();
    assert_eq!(error.status(), Some(403), "{about}: {error}");
    assert!(body["entry"].is_u64(), "{body}");
    let reasons = body["reasons"].as_array().unwrap();
    assert!(!reasons.is_empty());
    for reason in reasons {
        let told = |field: &str| !reason[field].as_str().unwrap().is_empty();
        assert!(["rule", "article", "text_fr", "text_en", "remedy_fr", "remedy_en"].into_iter().all(told), "{reason}");
    }
    assert!(reasons.iter().any(|reason| reason["rule"].as_str().unwrap().contains(about)), "{about}: {body}");
}

fn check_ends(browser: &Browser<'_>, camera: &str, permit: &str, end: impl FnOnce() -> Result<(), InstallationError>) {
    let mut stream = browser.open(&format!("/media/{permit}/{camera}/live")).unwrap();
    stream.read_exact(&mut [0; 20_000]).unwrap();
    let (told, ended) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = [0; 65_536];
        while matches!(stream.read(&mut bytes), Ok(1..)) {}
        told.send(()).unwrap();
    });
    end().unwrap();
    let asked = Instant::now();
    ended.recv_timeout(SOON).expect("the stream goes on");
    println!("ended after {} ms", asked.elapsed().as_millis());
    let again = browser.open(&format!("/media/{permit}/{camera}/live")).err().and_then(|error| error.status());
    assert!(matches!(again, Some(401 | 404)), "{again:?}");
}

fn read_some(stream: &mut impl Read, bytes: usize) -> Movie {
    let mut read = vec![0; bytes];
    stream.read_exact(&mut read).unwrap();
    Movie::parse(read, UtcMicros(0))
}

fn check_equal(camera: &Camera, movie: &Movie) {
    let sent = camera.sent();
    for shown in &movie.shown {
        let same = |frame: &&simulator::rtsp::SentFrame| frame.number == shown.mark.frame;
        let frame = sent.iter().find(same).expect("a picture that was sent");
        assert_eq!(shown.nal_digests, frame.nal_digests);
    }
    assert!(movie.numbers().is_sorted_by(|a, b| a < b));
}

/// The number of the newest picture that had left by then.
fn newest_sent(camera: &Camera, by: UtcMicros) -> u64 {
    until("a picture is sent", || camera.sent().iter().filter(|frame| frame.utc <= by).map(|frame| frame.number).max())
}

fn ledger_size(site: &Site) -> u64 {
    site.health().unwrap()["ledger"]["size"].as_u64().unwrap()
}
