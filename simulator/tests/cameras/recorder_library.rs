//! The cameras as the recorder's RTSP library sees them: every frame arrives as it was sent, and sound is never set up.

use super::client::{PASSWORD, USER, credentials};
use futures::StreamExt;
use retina::{
    client::{PlayOptions, Session, SessionOptions, SetupOptions},
    codec::{CodecItem, ParametersRef},
};
use simulator::{
    coding::{Codec, Coding},
    nal::is_parameter_set,
    packetise::{NalDigest, nal_digest},
    rtsp::{Scheme, StartAt, Town, TownConfig},
};
use std::sync::atomic::Ordering::SeqCst;

/// NAL digests of the first frames that retina hands over, without parameter sets, and each frame's RTP timestamp.
async fn frames_of(url: &str, codec: Codec, count: usize) -> Vec<(u32, Vec<NalDigest>)> {
    let login = retina::client::Credentials { username: USER.into(), password: PASSWORD.into() };
    let options = SessionOptions::default().creds(Some(login));
    let mut session = Session::describe(url.parse().unwrap(), options).await.unwrap();
    let video = session.streams().iter().position(|stream| stream.media() == "video").unwrap();
    assert!(session.streams().iter().any(|stream| stream.media() == "audio"), "an audio track is offered");
    session.setup(video, SetupOptions::default()).await.unwrap();
    let mut playing = session.play(PlayOptions::default()).await.unwrap().demuxed().unwrap();
    let mut frames = Vec::new();
    while frames.len() < count {
        if let CodecItem::VideoFrame(frame) = playing.next().await.expect("a next item").unwrap() {
            frames.push((frame.timestamp().timestamp() as u32, digests(codec, frame.data())));
        }
    }
    let Some(ParametersRef::Video(parameters)) = playing.streams()[video].parameters() else {
        panic!("video parameters")
    };
    assert_eq!(parameters.pixel_dimensions(), (352, 288));
    frames
}

/// Of NAL units each after its length in four bytes.
fn digests(codec: Codec, mut data: &[u8]) -> Vec<NalDigest> {
    let mut digests = Vec::new();
    while let Some((length, rest)) = data.split_first_chunk::<4>() {
        let (nal, after) = rest.split_at(u32::from_be_bytes(*length) as usize);
        if !is_parameter_set(codec, nal) {
            digests.push(nal_digest(nal));
        }
        data = after;
    }
    digests
}

fn check(config: TownConfig) {
    let codec = config.coding_of(1).codec;
    let town = Town::start(config).unwrap();
    let camera = &town.cameras[0];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let frames = runtime.block_on(frames_of(&camera.url(), codec, 30));
    let sent = camera.sent();
    for (n, (timestamp, digests)) in frames.iter().enumerate() {
        assert_eq!((*timestamp, digests), (sent[n].rtp_timestamp, &sent[n].nal_digests), "frame {n}");
    }
    assert_eq!(town.counters.audio_setups.load(SeqCst), 0);
    assert_eq!(town.counters.audio_bytes.load(SeqCst), 0);
}

#[test]
fn retina_gets_every_frame_as_sent_with_digest() {
    check(TownConfig::for_tests(1, credentials()));
}

#[test]
fn retina_gets_every_frame_as_sent_with_qop() {
    check(TownConfig { scheme: Scheme::DigestQop, ..TownConfig::for_tests(1, credentials()) });
}

#[test]
fn retina_gets_every_frame_as_sent_with_basic() {
    check(TownConfig { scheme: Scheme::Basic, ..TownConfig::for_tests(1, credentials()) });
}

#[test]
fn retina_gets_every_frame_as_sent_from_the_middle_of_a_group() {
    check(TownConfig { start_at: StartAt::AnyFrame, ..TownConfig::for_tests(1, credentials()) });
}

fn coded(text: &str) -> TownConfig {
    let coding: Coding = text.parse().unwrap();
    TownConfig { codings: vec![coding], ..TownConfig::for_tests(1, credentials()) }
}

#[test]
fn retina_gets_every_frame_as_sent_in_h265() {
    check(coded("h265"));
}

#[test]
fn retina_gets_every_frame_as_sent_in_h265_with_open_groups() {
    check(coded("h265+open-gop"));
}

#[test]
fn retina_gets_every_frame_as_sent_with_b_pictures() {
    check(coded("h264+b-frames"));
}
