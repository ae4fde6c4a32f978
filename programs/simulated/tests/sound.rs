//! Law RET-01 on real processes: cameras that offer sound are never asked for it.

mod support;

use simulator::rtsp::{Scheme, Town, TownConfig};
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::atomic::Ordering::Relaxed,
    time::Duration,
};
use support::{Site, credentials, sleep, until};

#[test]
fn no_byte_of_the_sound_that_every_camera_offers_is_asked_for() {
    let town = support::town(2);
    let site = Site::serving();
    let cameras = [1, 2].map(|number| site.add(&town, number, 30));
    cameras.iter().for_each(|camera| site.until_recording(camera));
    sleep(5.0);
    let counters = &town.counters;
    assert!(counters.video_setups.load(Relaxed) >= 2 && counters.video_bytes.load(Relaxed) > 100_000);
    assert_eq!((counters.audio_setups.load(Relaxed), counters.audio_bytes.load(Relaxed)), (0, 0));
}

#[test]
fn a_client_that_asks_for_sound_would_be_counted() {
    let config = TownConfig { scheme: Scheme::Basic, ..TownConfig::for_tests(1, credentials()) };
    let town = Town::start(config).unwrap();
    listen_to(town.cameras[0].address, &town.cameras[0].url());
    assert_eq!(town.counters.audio_setups.load(Relaxed), 1);
    until("it is counted", || (town.counters.audio_bytes.load(Relaxed) > 0).then_some(()));
}

/// What no part of Vigie does.
fn listen_to(address: SocketAddr, url: &str) {
    let mut connection = TcpStream::connect(address).unwrap();
    connection.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    // Basic, RFC 7617: base64 of `vigie:mot-de-camera-5f0d`
    let authorization = "Authorization: Basic dmlnaWU6bW90LWRlLWNhbWVyYS01ZjBk";
    let requests = [
        format!(
            "SETUP {url}/audio RTSP/1.0\r\nCSeq: 1\r\n{authorization}\r\nTransport: RTP/AVP/TCP;unicast;interleaved=2-3\r\n\r\n"
        ),
        format!("PLAY {url} RTSP/1.0\r\nCSeq: 2\r\n{authorization}\r\n\r\n"),
    ];
    for request in requests {
        connection.write_all(request.as_bytes()).unwrap();
        let mut answer = [0; 4096];
        let read = connection.read(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer[..read]);
        assert!(answer.starts_with("RTSP/1.0 200"), "{answer}");
    }
    connection.read_exact(&mut [0; 1_000]).unwrap();
}
