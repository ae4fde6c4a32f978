//! The cameras as their clients see them: a plain socket, and ffmpeg as a client that is not ours.

use super::client::{Client, PASSWORD, USER, credentials};
use simulator::{
    coding::Codec,
    mark::read_mark,
    nal::is_parameter_set,
    packetise::{Depacketiser, nal_digest},
    rtsp::{Offer, Ports, Scheme, SentFrame, StartAt, Town, TownConfig},
    scene::ClipSize,
};
use std::{
    net::TcpStream,
    process::Command,
    sync::atomic::{AtomicU64, Ordering::SeqCst},
    thread::sleep,
    time::Duration,
};

pub fn town(cameras: u32) -> Town {
    Town::start(TownConfig::for_tests(cameras, credentials())).unwrap()
}

fn value(counter: &AtomicU64) -> u64 {
    counter.load(SeqCst)
}

/// What a client got: NAL units by RTP timestamp, sender reports, packets by channel.
#[derive(Default)]
pub struct Received {
    pub frames: Vec<(u32, Vec<Vec<u8>>)>,
    pub reports: Vec<Vec<u8>>,
    audio_packets: usize,
}

/// Reads until `frames` whole access units are there, or the camera hangs up.
fn receive(client: &mut Client, frames: usize) -> Received {
    receive_in(Codec::H264, client, frames)
}

pub fn receive_in(codec: Codec, client: &mut Client, frames: usize) -> Received {
    let mut received = Received::default();
    let mut depacketiser = Depacketiser::of(codec);
    let mut nals = Vec::new();
    while received.frames.len() < frames {
        let Some((channel, packet)) = client.packet() else { break };
        match channel {
            0 => {
                nals.extend(depacketiser.push(&packet[12..]).unwrap());
                if packet[1] & 0x80 != 0 {
                    let timestamp = u32::from_be_bytes(packet[4..8].try_into().unwrap());
                    received.frames.push((timestamp, std::mem::take(&mut nals)));
                }
            }
            1 => received.reports.push(packet),
            _ => received.audio_packets += 1,
        }
    }
    received
}

/// Every frame received is one that was sent, bit for bit, and none is missing between the first and the last.
fn check_equals_sent(received: &Received, sent: &[SentFrame], camera: u32) {
    check_equals_sent_in(Codec::H264, received, sent, camera);
}

pub fn check_equals_sent_in(codec: Codec, received: &Received, sent: &[SentFrame], camera: u32) {
    let number = |nals: &[Vec<u8>]| nals.iter().find_map(|nal| read_mark(nal)).expect("a mark in every frame");
    for (timestamp, nals) in &received.frames {
        let mark = number(nals);
        assert_eq!(mark.camera, camera);
        let sent = sent
            .iter()
            .find(|sent| sent.number == mark.frame && sent.rtp_timestamp == *timestamp)
            .expect("it was sent");
        let slices: Vec<&Vec<u8>> = nals.iter().filter(|nal| !is_parameter_set(codec, nal)).collect();
        assert_eq!(slices.iter().map(|nal| nal_digest(nal)).collect::<Vec<_>>(), sent.nal_digests);
        assert_eq!(slices.len() < nals.len(), sent.idr, "parameter sets come with key frames");
    }
    let numbers: Vec<u64> = received.frames.iter().map(|(_, nals)| number(nals).frame).collect();
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{numbers:?}");
}

#[test]
fn a_client_with_the_password_gets_every_frame_and_no_sound() {
    let town = town(1);
    let camera = &town.cameras[0];
    let mut client = Client::connect(camera.address);
    client.play(&camera.url(), &["video"]);
    let received = receive(&mut client, 30);
    check_equals_sent(&received, &camera.sent(), 1);
    assert!(camera.sent()[0].idr, "the first frame is a key frame");
    assert!(received.reports.len() >= 2, "a report each second");
    assert_eq!(
        (received.audio_packets, value(&town.counters.audio_setups), value(&town.counters.audio_bytes)),
        (0, 0, 0)
    );
    assert_eq!(value(&town.counters.video_setups), 1);
}

#[test]
fn a_sender_report_ties_media_time_to_the_cameras_clock() {
    let town = town(1);
    let camera = &town.cameras[0];
    let mut client = Client::connect(camera.address);
    client.play(&camera.url(), &["video"]);
    let received = receive(&mut client, 40);
    let word = |report: &[u8], at: usize| u32::from_be_bytes(report[at..at + 4].try_into().unwrap());
    let sent = camera.sent();
    let apart = received.reports.iter().map(|report| {
        let seconds = i64::from(word(report, 8)) - 2_208_988_800;
        let ntp_micros = seconds * 1_000_000 + ((u64::from(word(report, 12)) * 1_000_000) >> 32) as i64;
        let ticks = word(report, 16).wrapping_sub(sent[0].rtp_timestamp) as i32;
        (ntp_micros - sent[0].utc.0 - i64::from(ticks) * 100 / 9).abs()
    });
    // A busy machine may pause between the readings of the two clocks, but not each time; a frame is 83,333 µs.
    let least = apart.min().expect("a report");
    assert!(least < 40_000, "{least} µs apart");
}

#[test]
fn a_wrong_password_and_no_password_are_refused() {
    let town = town(1);
    let camera = &town.cameras[0];
    let mut client = Client::connect(camera.address).with_password("faux");
    assert_eq!(client.ask("OPTIONS", &camera.url(), "").status, 200);
    for _ in 0..2 {
        assert_eq!(client.ask("DESCRIBE", &camera.url(), "").status, 401);
    }
    let setup = client.ask("SETUP", &format!("{}/video", camera.url()), "Transport: RTP/AVP/TCP;interleaved=0-1\r\n");
    assert_eq!(setup.status, 401);
    assert_eq!(value(&town.counters.wrong_credentials), 2);
    assert!(camera.sent().is_empty());
}

#[test]
fn an_unknown_path_udp_and_play_without_setup_are_refused() {
    let town = town(1);
    let camera = &town.cameras[0];
    let mut client = Client::connect(camera.address);
    assert_eq!(client.ask("DESCRIBE", &camera.url().replace("cam1", "cam9"), "").status, 404);
    assert_eq!(client.ask("DESCRIBE", &camera.url(), "").status, 401);
    let video = format!("{}/video", camera.url());
    assert_eq!(client.ask("SETUP", &video, "Transport: RTP/AVP;unicast;client_port=5000-5001\r\n").status, 461);
    assert_eq!(client.ask("PLAY", &camera.url(), "").status, 455);
    assert_eq!(client.ask("GET_PARAMETER", &camera.url(), "").status, 200);
    assert_eq!(client.ask("TEARDOWN", &camera.url(), "").status, 200);
    assert_eq!(client.packet(), None, "after TEARDOWN the camera hangs up");
}

#[test]
fn who_asks_for_sound_is_counted_and_gets_silence() {
    let town = town(1);
    let camera = &town.cameras[0];
    let mut client = Client::connect(camera.address);
    client.play(&camera.url(), &["video", "audio"]);
    let received = receive(&mut client, 13);
    assert_eq!(value(&town.counters.audio_setups), 1);
    assert!(received.audio_packets > 10, "{}", received.audio_packets);
    assert!(value(&town.counters.audio_bytes) > 0);
}

#[test]
fn numbering_goes_on_over_a_reconnection_and_a_stopped_camera_refuses() {
    let town = town(2);
    let camera = &town.cameras[1];
    let mut client = Client::connect(camera.address);
    client.play(&camera.url(), &["video"]);
    let before = receive(&mut client, 3);
    camera.stop();
    let rest = receive(&mut client, usize::MAX);
    check_equals_sent(&before, &camera.sent(), 2);
    check_equals_sent(&rest, &camera.sent(), 2);
    let last = camera.sent().last().unwrap().number;
    while TcpStream::connect(camera.address).is_ok() {
        sleep(Duration::from_millis(10));
    }
    assert!(TcpStream::connect(town.cameras[0].address).is_ok(), "the other camera goes on");
    camera.restart();
    while TcpStream::connect(camera.address).is_err() {
        sleep(Duration::from_millis(10));
    }
    let mut client = Client::connect(camera.address);
    client.play(&camera.url(), &["video"]);
    let after = receive(&mut client, 2);
    check_equals_sent(&after, &camera.sent(), 2);
    assert!(read_mark(&after.frames[0].1[2]).unwrap().frame > last);
}

#[test]
fn a_frozen_camera_keeps_its_connection_and_sends_nothing() {
    let town = town(1);
    let camera = &town.cameras[0];
    let mut client = Client::connect(camera.address);
    client.play(&camera.url(), &["video"]);
    check_equals_sent(&receive(&mut client, 2), &camera.sent(), 1);
    camera.freeze();
    // Long enough for some frames to be due, and for one that was on its way.
    sleep(Duration::from_millis(600));
    let frozen = camera.sent().len();
    sleep(Duration::from_millis(600));
    assert_eq!(camera.sent().len(), frozen);
    assert_eq!(client.ask("GET_PARAMETER", &camera.url(), "").status, 200);
    camera.thaw();
    while camera.sent().len() == frozen {
        sleep(Duration::from_millis(10));
    }
    let sent = camera.sent();
    assert!(sent[frozen].number > sent[frozen - 1].number + 1, "the frames between were never sent");
}

#[test]
fn another_device_in_the_place_has_another_realm() {
    let town = town(1);
    let camera = &town.cameras[0];
    let before = camera.realm();
    let mut client = Client::connect(camera.address);
    assert!(client.ask("DESCRIBE", &camera.url(), "").header("WWW-Authenticate").unwrap().contains(&before));
    camera.replace_device();
    assert_eq!(client.packet(), None, "its connections are cut");
    let challenge = Client::connect(camera.address).ask("DESCRIBE", &camera.url(), "");
    assert!(!challenge.header("WWW-Authenticate").unwrap().contains(&before));
}

#[test]
fn a_camera_may_offer_only_a_codec_that_is_not_supported() {
    let config = TownConfig { offer: Offer::JpegOnly, ..TownConfig::for_tests(1, credentials()) };
    let town = Town::start(config).unwrap();
    let camera = &town.cameras[0];
    let mut client = Client::connect(camera.address);
    client.ask("DESCRIBE", &camera.url(), "");
    let body = client.ask("DESCRIBE", &camera.url(), "").body;
    assert!(body.contains("JPEG/90000") && !body.contains("H264") && body.contains("PCMA"), "{body}");
}

#[test]
fn a_camera_may_begin_in_the_middle_of_a_group() {
    let config = TownConfig { start_at: StartAt::AnyFrame, ..TownConfig::for_tests(24, credentials()) };
    let town = Town::start(config).unwrap();
    // One frame in 24 is a key frame, on each camera another one: four playings do not all begin with one.
    for camera in &town.cameras[..4] {
        let mut client = Client::connect(camera.address);
        client.play(&camera.url(), &["video"]);
        check_equals_sent(&receive(&mut client, 2), &camera.sent(), camera.number);
    }
    assert!(town.cameras[..4].iter().any(|camera| !camera.sent()[0].idr));
}

#[test]
fn a_town_of_cameras_that_cannot_be_is_refused() {
    assert!(Town::start(TownConfig::for_tests(0, credentials())).is_err());
}

/// ffprobe's view of a camera: `codec|width|height|packets` of the video.
fn probe(town: &Town) -> String {
    probe_url(&town.urls()[0])
}

pub fn probe_url(url: &str) -> String {
    let user = format!("{USER}:{}", PASSWORD.replace(' ', "%20").replace('\'', "%27"));
    let url = url.replace("rtsp://", &format!("rtsp://{user}@"));
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-rtsp_transport", "tcp", "-allowed_media_types", "video", "-count_packets"])
        .args([
            "-read_intervals",
            "%+2",
            "-show_entries",
            "stream=codec_name,profile,width,height,nb_read_packets",
            "-of",
            "csv=p=0",
            "-i",
            &url,
        ])
        .output()
        .expect("ffprobe is installed with ffmpeg: apt-get install ffmpeg");
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn check_probe(config: TownConfig) {
    let town = Town::start(config).unwrap();
    let text = probe(&town);
    let packets: u32 = text.strip_prefix("h264,High,352,288,").unwrap_or_else(|| panic!("{text}")).parse().unwrap();
    assert!(packets >= 12, "{text}");
    assert_eq!(value(&town.counters.audio_setups), 0);
}

#[test]
fn ffprobe_reads_a_camera_with_digest() {
    check_probe(TownConfig::for_tests(1, credentials()));
}

#[test]
fn ffprobe_reads_a_camera_with_digest_and_qop() {
    check_probe(TownConfig { scheme: Scheme::DigestQop, ..TownConfig::for_tests(1, credentials()) });
}

#[test]
fn ffprobe_reads_a_camera_with_basic_on_a_shared_port() {
    check_probe(TownConfig {
        scheme: Scheme::Basic,
        ports: Ports::Shared(0),
        ..TownConfig::for_tests(1, credentials())
    });
}

#[test]
fn every_frame_of_a_clip_decodes_without_an_error() {
    let config = TownConfig::for_tests(1, credentials());
    assert_eq!(config.size, ClipSize::Small);
    let town = Town::start(config).unwrap();
    let camera = &town.cameras[0];
    let mut client = Client::connect(camera.address);
    client.play(&camera.url(), &["video"]);
    // One turn of the clip and a second more, over the seam.
    let frames = ClipSize::Small.frames() as usize + 12;
    let received = receive(&mut client, frames);
    assert_eq!(decode(Codec::H264, &received), frames);
}

/// Pictures that ffmpeg decodes of what was received, without a complaint.
pub fn decode(codec: Codec, received: &Received) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(if codec == Codec::H264 { "received.h264" } else { "received.h265" });
    let stream: Vec<u8> = received
        .frames
        .iter()
        .flat_map(|(_, nals)| nals)
        .flat_map(|nal| [&[0, 0, 0, 1], nal.as_slice()].concat())
        .collect();
    std::fs::write(&path, stream).unwrap();
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-xerror", "-err_detect", "explode", "-i"])
        .arg(&path)
        .args(["-f", "framecrc", "-"])
        .output()
        .unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().filter(|line| !line.starts_with('#')).count()
}
