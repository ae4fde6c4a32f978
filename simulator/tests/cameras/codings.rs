//! Cameras in every coding: what a plain socket gets is what was sent, and ffmpeg decodes it.

use super::client::{Client, credentials};
use super::socket::{check_equals_sent_in, decode, probe_url, receive_in};
use simulator::{
    clip::{self, Shot},
    clock::{ShiftedClock, set_offset},
    coding::{Codec, Coding, Group},
    mark::Mark,
    nal::PictureKind,
    rtsp::{Scenes, SentFrame, StartAt, Town, TownConfig},
    scene::{ClipSize, Setting},
};
use std::sync::Arc;

/// A town of one camera of this coding.
fn town(text: &str) -> Town {
    let config = TownConfig { codings: vec![text.parse().unwrap()], ..TownConfig::for_tests(1, credentials()) };
    Town::start(config).unwrap()
}

/// Takes `frames` pictures, compares them with those sent and has them decoded; gives the pictures as sent.
fn check(text: &str, frames: usize) -> Vec<SentFrame> {
    let town = town(text);
    let (camera, codec) = (&town.cameras[0], text.parse::<Coding>().unwrap().codec);
    let mut client = Client::connect(camera.address);
    client.play(&camera.url(), &["video"]);
    let received = receive_in(codec, &mut client, frames);
    let sent: Vec<SentFrame> = camera.sent().into_iter().take(frames).collect();
    check_equals_sent_in(codec, &received, &sent, 1);
    // who begins with a CRA leaves out its leading pictures
    let lost = sent.iter().take_while(|frame| frame.kind != PictureKind::Other || frame.number == sent[0].number);
    let lost = lost.filter(|frame| frame.kind == PictureKind::Leading).count();
    assert_eq!(decode(codec, &received), frames - lost, "{text}");
    assert!(sent[0].idr, "{text}: a session begins with a key picture");
    sent
}

fn shown_in_another_order(sent: &[SentFrame]) -> bool {
    !sent.iter().map(|frame| frame.utc).is_sorted()
}

#[test]
fn a_camera_in_h265_is_received_and_decoded_as_sent() {
    let sent = check("h265", 30);
    assert!(!shown_in_another_order(&sent));
}

#[test]
fn cameras_with_b_pictures_send_them_after_the_pictures_they_need_and_never_before_they_are_taken() {
    for text in ["h264+b-frames", "h265+b-frames"] {
        let sent = check(text, 60);
        assert!(shown_in_another_order(&sent), "{text}");
        let first = &sent[0];
        for frame in &sent {
            let ticks = frame.rtp_timestamp.wrapping_sub(first.rtp_timestamp) as i32;
            let micros = frame.utc.since(first.utc);
            assert!((i64::from(ticks) * 100 / 9 - micros).abs() < 100, "{text}: media time is time of capture");
            let sending = (frame.number - first.number) as i64 * 1_000_000 / 12;
            assert!(micros <= sending + 300_000, "{text}: sent long before it is taken");
        }
        let mut times: Vec<_> = sent.iter().map(|frame| frame.utc).collect();
        times.sort_unstable();
        assert!(times.windows(2).all(|pair| pair[1] > pair[0]), "{text}: two pictures of one time");
    }
}

#[test]
fn a_camera_with_open_groups_sends_leading_pictures_over_the_seam_of_its_clip_and_no_idr() {
    // two turns of the clip and more
    let sent = check("h265+open-gop", 2 * ClipSize::Small.frames() as usize + 10);
    assert!(sent.iter().all(|frame| frame.kind != PictureKind::Idr));
    assert!(sent.iter().filter(|frame| frame.kind == PictureKind::Leading).count() >= 12);
    assert!(sent.iter().filter(|frame| frame.kind == PictureKind::Cra).count() >= 4);
}

#[test]
fn a_camera_with_a_long_group_sends_one_key_picture_and_then_none() {
    let sent = check("h264+long-gop", 60);
    assert_eq!(sent.iter().filter(|frame| frame.idr).count(), 1);
    let coding: Coding = "h264+long-gop".parse().unwrap();
    assert_eq!((coding.group, coding.turns(ClipSize::Small)), (Group::Long, 15));
}

#[test]
fn parameter_sets_and_size_change_in_mid_stream_and_a_decoder_follows() {
    // each takes the time of two turns: all at once
    std::thread::scope(|scope| {
        for text in ["h264+changing-sets", "h265+changing-sets", "h264+changing-size", "h265+changing-size"] {
            scope.spawn(move || check(text, 2 * ClipSize::Small.frames() as usize + 4));
        }
    });
}

#[test]
fn ffprobe_reads_a_camera_in_h265_with_b_pictures_and_its_smaller_stream() {
    let codings = vec!["h265+b-frames".parse().unwrap()];
    let config = TownConfig { codings, sub_stream: Some(Coding::default()), ..TownConfig::for_tests(1, credentials()) };
    let town = Town::start(config).unwrap();
    let text = probe_url(&town.cameras[0].url());
    assert!(text.starts_with("hevc,Main,352,288,"), "{text}");
    let text = probe_url(&town.cameras[0].sub_url().unwrap());
    assert!(text.starts_with("h264,High,352,288,"), "{text}");
    let sent = town.cameras[0].sent();
    assert!(sent.iter().any(|frame| frame.sub) && sent.iter().any(|frame| !frame.sub));
}

#[test]
fn each_camera_has_its_own_coding_and_they_begin_anew() {
    let codings: Vec<Coding> = ["h264", "h265"].map(|text| text.parse().unwrap()).into();
    let config = TownConfig { codings, ..TownConfig::for_tests(3, credentials()) };
    let town = Town::start(config).unwrap();
    let codecs: Vec<Codec> = town.cameras.iter().map(|camera| camera.clip().codec).collect();
    assert_eq!(codecs, [Codec::H264, Codec::H265, Codec::H264]);
}

#[test]
fn a_camera_with_open_groups_may_begin_in_the_middle_of_one() {
    let codings = vec!["h265+open-gop".parse().unwrap()];
    let config = TownConfig { codings, start_at: StartAt::AnyFrame, ..TownConfig::for_tests(4, credentials()) };
    let town = Town::start(config).unwrap();
    for camera in &town.cameras {
        let mut client = Client::connect(camera.address);
        client.play(&camera.url(), &["video"]);
        let received = receive_in(Codec::H265, &mut client, 2);
        check_equals_sent_in(Codec::H265, &received, &camera.sent(), camera.number);
    }
    assert!(town.cameras.iter().any(|camera| !camera.sent()[0].idr));
}

#[test]
fn by_the_clock_it_is_night_and_at_three_the_yellow_car_comes_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("clock");
    let almost_three: jiff::Timestamp = "2026-12-02T01:59:53Z".parse().unwrap();
    let clock = Arc::new(ShiftedClock::over_system(&file));
    let config = TownConfig { scenes: Scenes::ByClock, clock, ..TownConfig::for_tests(1, credentials()) };
    let town = Town::start(config).unwrap();
    let camera = &town.cameras[0];
    // only now: drawing the scenes may have taken its time
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_micros() as i64;
    set_offset(&file, almost_three.as_microsecond() - now).unwrap();
    let mut client = Client::connect(camera.address);
    client.play(&camera.url(), &["video"]);
    receive_in(Codec::H264, &mut client, 180);
    let cache = clip::cache_folder().unwrap();
    let [night, corner] = [Setting::Night, Setting::NightCorner].map(|setting| {
        let shot = Shot { camera: 1, seed: 1, size: ClipSize::Small, setting };
        clip::load(&clip::prepare_coded(shot, Coding::default(), &cache).unwrap()).unwrap()
    });
    let shows = |clip: &simulator::packetise::CodedClip, sent: &SentFrame| {
        let mark = Mark { camera: 1, frame: sent.number };
        clip.frames[sent.truth_frame as usize].digests(mark) == sent.nal_digests
    };
    let sent = camera.sent();
    assert!(sent.iter().all(|frame| shows(&night, frame) != shows(&corner, frame)));
    let with_car: Vec<&SentFrame> = sent.iter().filter(|frame| shows(&corner, frame)).collect();
    assert_eq!(with_car.len(), ClipSize::Small.frames() as usize, "one turn");
    let three = almost_three.as_microsecond() + 7_000_000;
    assert!(with_car[0].utc.0 <= three && with_car.last().unwrap().utc.0 >= three - 100_000);
}
