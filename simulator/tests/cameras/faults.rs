//! Faults of cameras, set and cleared while a plain socket listens.

use super::client::{Client, credentials};
use super::socket::{Received, receive_in, town};
use simulator::{
    coding::Codec,
    rtsp::{Camera, FLAP_FRAMES, Fault, FaultPlan, Offer, Town, TownConfig, TownError},
};
use std::{net::TcpStream, thread::sleep, time::Duration};

const HOUR_TICKS: u32 = 3_600 * 90_000;
/// Ticks from a picture to the next.
const STEP: u32 = 7_500;

fn playing(camera: &Camera) -> Client {
    let mut client = Client::connect(camera.address);
    client.play(&camera.url(), &["video"]);
    client
}

fn receive(client: &mut Client, frames: usize) -> Received {
    receive_in(Codec::H264, client, frames)
}

/// Media times of the next pictures.
fn times(client: &mut Client, frames: usize) -> Vec<u32> {
    receive(client, frames).frames.iter().map(|(time, _)| *time).collect()
}

/// The steps between pictures that are not one picture long.
fn jumps(times: &[u32]) -> Vec<i64> {
    let steps = times.windows(2).map(|pair| pair[1].wrapping_sub(pair[0]).wrapping_sub(STEP) as i32);
    steps.filter(|step| *step != 0).map(i64::from).collect()
}

/// Seconds since 1900 of each sender report.
fn report_seconds(received: &Received) -> Vec<u32> {
    received.reports.iter().map(|report| u32::from_be_bytes(report[8..12].try_into().unwrap())).collect()
}

#[test]
fn a_camera_that_refuses_takes_no_connection_until_it_is_cleared() {
    let town = town(1);
    let camera = &town.cameras[0];
    let mut client = playing(camera);
    camera.set(Fault::Refuse);
    assert!(receive(&mut client, usize::MAX).frames.len() < 1_000, "its connections are cut");
    while TcpStream::connect(camera.address).is_ok() {
        sleep(Duration::from_millis(10));
    }
    camera.clear(Fault::Refuse);
    while TcpStream::connect(camera.address).is_err() {
        sleep(Duration::from_millis(10));
    }
    assert_eq!(receive(&mut playing(camera), 2).frames.len(), 2);
}

#[test]
fn a_camera_that_drops_closes_in_the_middle_of_a_picture_each_time() {
    let town = town(1);
    let camera = &town.cameras[0];
    let mut client = playing(camera);
    receive(&mut client, 2);
    camera.set(Fault::Drop);
    receive(&mut client, usize::MAX);
    assert!(!camera.sent().last().unwrap().whole, "the last picture of the running session is not whole");
    let before = camera.sent().len();
    let again = receive(&mut playing(camera), usize::MAX);
    let sent = camera.sent();
    assert_eq!(sent.len() - before, 24, "two seconds of the next session");
    assert!(!sent.last().unwrap().whole && again.frames.len() <= 24);
    camera.clear(Fault::Drop);
    assert_eq!(receive(&mut playing(camera), 30).frames.len(), 30);
}

#[test]
fn a_camera_that_is_mute_takes_connections_and_answers_nothing() {
    let town = town(1);
    let camera = &town.cameras[0];
    camera.set(Fault::Mute);
    let stream = TcpStream::connect(camera.address).unwrap();
    std::io::Write::write_all(&mut &stream, b"OPTIONS rtsp://x/cam1 RTSP/1.0\r\nCSeq: 1\r\n\r\n").unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(400))).unwrap();
    assert!(std::io::Read::read(&mut &stream, &mut [0; 64]).is_err(), "no byte and no end comes");
    camera.clear(Fault::Mute);
    assert_eq!(receive(&mut playing(camera), 1).frames.len(), 1);
}

#[test]
fn media_time_jumps_by_an_hour_and_comes_back_while_the_session_runs() {
    for (fault, hour) in [(Fault::JumpForward, i64::from(HOUR_TICKS)), (Fault::JumpBack, -i64::from(HOUR_TICKS))] {
        let town = town(1);
        let camera = &town.cameras[0];
        let mut client = playing(camera);
        let mut seen = times(&mut client, 3);
        camera.set(fault);
        while jumps(&seen).is_empty() {
            seen.extend(times(&mut client, 1));
        }
        camera.clear(fault);
        while jumps(&seen).len() < 2 {
            seen.extend(times(&mut client, 1));
        }
        assert_eq!(jumps(&seen), [hour, -hour], "{fault}");
    }
}

#[test]
fn media_time_runs_over_its_32_bits_after_five_seconds() {
    let town = town(1);
    let camera = &town.cameras[0];
    camera.set(Fault::Wrap);
    let seen = times(&mut playing(camera), 64);
    assert!(jumps(&seen).is_empty());
    let wraps = seen.windows(2).filter(|pair| pair[1] < pair[0]).count();
    assert_eq!((wraps, seen[0]), (1, 0u32.wrapping_sub(5 * 90_000)));
}

#[test]
fn sender_reports_tell_wrong_times_while_pictures_go_on() {
    let town = town(1);
    let camera = &town.cameras[0];
    let mut client = playing(camera);
    let right = report_seconds(&receive(&mut client, 2))[0];
    let mut with = |fault| {
        camera.set(fault);
        receive(&mut client, 2);
        let told = report_seconds(&receive(&mut client, 36));
        camera.clear(fault);
        told
    };
    assert!(with(Fault::ReportsAhead).iter().all(|seconds| *seconds == u32::MAX));
    assert!(with(Fault::Reports3250).iter().all(|seconds| seconds.abs_diff(right) > 86_400));
    let backward = with(Fault::ReportsBackward);
    assert!(backward.len() >= 2 && backward.windows(2).all(|pair| pair[1] < pair[0]), "{backward:?}");
    receive(&mut client, 2);
    let again = report_seconds(&receive(&mut client, 24));
    assert!(again.iter().all(|seconds| seconds.abs_diff(right) < 600), "{again:?}");
}

#[test]
fn an_overloading_camera_sends_more_than_forty_megabits_a_second_until_it_is_cleared() {
    let town = town(1);
    let camera = &town.cameras[0];
    let mut client = playing(camera);
    let bytes = |received: &Received| received.frames.iter().flat_map(|(_, nals)| nals).map(Vec::len).sum::<usize>();
    receive(&mut client, 2);
    camera.set(Fault::Overload);
    receive(&mut client, 2);
    let over = bytes(&receive(&mut client, 6));
    // six pictures are half a second of media time
    assert!(over * 8 * 2 > 40_000_000, "{over} bytes in half a second");
    camera.clear(Fault::Overload);
    receive(&mut client, 12);
    let after = bytes(&receive(&mut client, 6));
    assert!(after * 8 * 2 < 10_000_000, "{after} bytes in half a second");
}

#[test]
fn another_device_has_another_realm_and_server_and_the_first_comes_back() {
    let town = town(1);
    let camera = &town.cameras[0];
    let ask = || {
        let answer = Client::connect(camera.address).ask("DESCRIBE", &camera.url(), "");
        (
            answer.header("WWW-Authenticate").unwrap().split(',').next().unwrap().to_owned(),
            answer.header("Server").unwrap().to_owned(),
        )
    };
    let first = ask();
    let mut client = playing(camera);
    camera.set(Fault::OtherDevice);
    receive(&mut client, usize::MAX);
    let other = ask();
    assert!(other.0 != first.0 && other.1 != first.1, "{other:?}");
    camera.clear(Fault::OtherDevice);
    assert_eq!(ask(), first);
}

#[test]
fn a_plan_sets_a_fault_and_clears_it_and_names_a_camera_that_is_not_there() {
    let town = town(1);
    let camera = &town.cameras[0];
    town.schedule(&["1:stall@0+1".parse::<FaultPlan>().unwrap()]).unwrap();
    while !camera.is_frozen() {
        sleep(Duration::from_millis(5));
    }
    while camera.is_frozen() {
        sleep(Duration::from_millis(20));
    }
    let missing = town.schedule(&["2:stall".parse().unwrap()]).unwrap_err();
    assert!(matches!(missing, TownError::NoSuchCamera { camera: 2, cameras: 1 }));
}

#[test]
fn a_camera_may_offer_a_description_that_is_none() {
    let config = TownConfig { offer: Offer::Garbage, ..TownConfig::for_tests(1, credentials()) };
    let town = Town::start(config).unwrap();
    let camera = &town.cameras[0];
    let mut client = Client::connect(camera.address);
    client.ask("DESCRIBE", &camera.url(), "");
    let answer = client.ask("DESCRIBE", &camera.url(), "");
    assert_eq!((answer.status, answer.header("Content-Type")), (200, Some("application/sdp")));
    assert!(!answer.body.contains("H264") && !answer.body.contains("o="));
}

#[test]
fn a_half_closed_camera_ends_its_side_and_sends_no_more_until_it_is_cleared() {
    let town = town(1);
    let camera = &town.cameras[0];
    let mut client = playing(camera);
    receive(&mut client, 2);
    camera.set(Fault::HalfClosed);
    receive(&mut client, usize::MAX);
    let sent = camera.sent().len();
    sleep(Duration::from_millis(300));
    assert_eq!(camera.sent().len(), sent);
    camera.clear(Fault::HalfClosed);
    assert_eq!(receive(&mut playing(camera), 5).frames.len(), 5);
}

#[test]
fn a_trickling_camera_sends_a_byte_a_second_and_then_all_again() {
    let town = town(1);
    let camera = &town.cameras[0];
    let mut client = playing(camera);
    receive(&mut client, 2);
    camera.set(Fault::Trickle);
    sleep(Duration::from_millis(2_500));
    assert!(camera.sent().iter().filter(|frame| !frame.whole).count() == 1, "one picture is on its way");
    camera.clear(Fault::Trickle);
    assert_eq!(receive(&mut client, 12).frames.len(), 12, "the session goes on where it was");
}

#[test]
fn packets_of_another_session_come_between_those_of_this_one() {
    let town = town(1);
    let camera = &town.cameras[0];
    let mut client = playing(camera);
    camera.set(Fault::StaleSession);
    let source = |packet: &[u8]| packet[8..12].to_vec();
    let packets = (0..60).filter_map(|_| client.packet()).filter(|(channel, _)| *channel == 0);
    let sources: std::collections::BTreeSet<_> = packets.map(|(_, packet)| source(&packet)).collect();
    assert_eq!(sources.len(), 2);
}

#[test]
fn a_session_changes_its_name_and_a_deaf_camera_does_not_hear_its_end() {
    let town = town(1);
    let camera = &town.cameras[0];
    let mut client = playing(camera);
    let mut named = || client.ask("GET_PARAMETER", &camera.url(), "").header("Session").unwrap().to_owned();
    let first = named();
    camera.set(Fault::SessionChange);
    assert_ne!(named(), first);
    camera.set(Fault::DeafToTeardown);
    let before = camera.sent().len();
    let mut deaf = playing(camera);
    deaf.send("TEARDOWN", &camera.url());
    assert_eq!(receive(&mut deaf, 24).frames.len(), 24, "pictures go on");
    assert!(camera.sent().len() > before + 24);
}

#[test]
fn a_flapping_camera_closes_in_order_after_three_seconds_each_time() {
    let town = town(1);
    let camera = &town.cameras[0];
    camera.set(Fault::Flap);
    for _ in 0..2 {
        assert_eq!(receive(&mut playing(camera), usize::MAX).frames.len() as u64, FLAP_FRAMES);
    }
    assert!(camera.sent().iter().all(|frame| frame.whole));
}

#[test]
fn each_wrong_description_is_wrong_in_its_own_way() {
    let town = town(1);
    let camera = &town.cameras[0];
    let described = |fault: Option<Fault>| {
        fault.into_iter().for_each(|fault| camera.set(fault));
        let mut client = Client::connect(camera.address);
        client.ask("DESCRIBE", &camera.url(), "");
        let answer = client.ask("DESCRIBE", &camera.url(), "");
        fault.into_iter().for_each(|fault| camera.clear(fault));
        (answer.body.clone(), answer.header("Content-Base").unwrap().to_owned())
    };
    let right = described(None);
    let count = |text: &str, word: &str| text.matches(word).count();
    let with = |fault| described(Some(fault));
    assert_eq!((count(&right.0, "a=fmtp"), count(&right.0, "m=video")), (1, 1));
    assert_eq!(count(&with(Fault::SdpNoParameters).0, "a=fmtp"), 0);
    assert_eq!(count(&with(Fault::SdpTwiceParameters).0, "a=fmtp:96"), 2);
    let strange = with(Fault::SdpStrangeMedium).0;
    assert!(strange.find("x-unheard-of") < strange.find("m=video"));
    assert!(!with(Fault::SdpBaseWithoutScheme).1.contains("://"));
    assert_eq!(count(&with(Fault::SdpAbsoluteUrls).0, "a=control:rtsp://"), 2);
    assert_eq!(count(&with(Fault::SdpTrailingBlanks).0, " \r\n"), 2);
    let sound = with(Fault::SoundOnly).0;
    assert_eq!((count(&sound, "m=video"), count(&sound, "m=audio"), count(&sound, "a=control")), (0, 1, 2));
    assert_eq!(described(None), right);
}

#[test]
fn a_camera_comes_back_with_the_smaller_picture_while_that_is_set() {
    let coding = "h264".parse().unwrap();
    let config = TownConfig { sub_stream: Some(coding), ..TownConfig::for_tests(1, credentials()) };
    let town = Town::start(config).unwrap();
    let camera = &town.cameras[0];
    receive(&mut playing(camera), 2);
    camera.set(Fault::OtherSize);
    receive(&mut playing(camera), 2);
    let sent = camera.sent();
    assert!(!sent[0].sub && sent.last().unwrap().sub);
}

#[test]
fn a_smart_camera_leaves_pictures_out_and_a_decoder_follows() {
    for text in ["h264+smart", "h264+intra-refresh"] {
        let config = TownConfig { codings: vec![text.parse().unwrap()], ..TownConfig::for_tests(1, credentials()) };
        let town = Town::start(config).unwrap();
        let camera = &town.cameras[0];
        let received = receive(&mut playing(camera), 60);
        let sent = camera.sent();
        assert!(sent[0].idr, "{text}: a session begins with a key picture");
        assert_eq!(super::socket::decode(Codec::H264, &received), 60, "{text}");
    }
}
