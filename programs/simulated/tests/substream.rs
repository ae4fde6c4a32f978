//! A camera in H.265 with a sub-stream in H.264: both are recorded, shown and replayed bit for bit, and die together; a
//! sub-stream that is taken away ends without a gap that lasts.

mod support;

use domain::UtcMicros;
use serde_json::{Value, json};
use simulator::{
    coding::Coding,
    installation::Browser,
    rtsp::{Camera, SentFrame, Town, TownConfig},
};
use support::{
    CLOSED_SECONDS, DAY_SECONDS, HOUR_SECONDS, REASON, Site, credentials,
    fragments::{Fragments, Picture, fetch},
    look_back, now, replay_path, sleep, until,
};

/// What may be on its way, or not durable yet.
const NEWEST_MICROS: i64 = 3_000_000;
/// Some groups of either stream.
const LIVE_BYTES: usize = 200_000;
const KINDS: [(&str, bool, &str); 2] = [("main", false, "codecs=\"hvc1."), ("sub", true, "codecs=\"avc1.")];

#[test]
fn a_sub_stream_is_recorded_beside_h265_dies_with_it_and_ends_without_a_gap_that_lasts() {
    let config = TownConfig::for_tests(1, credentials());
    let town = Town::start(TownConfig { codings: vec![Coding::H265], sub_stream: Some(Coding::default()), ..config });
    let town = town.unwrap();
    // a short hour's first seconds, so that all that is recorded lies in one
    let hour = UtcMicros::from_seconds((now().seconds() / HOUR_SECONDS + 1) * HOUR_SECONDS);
    let mut site = Site::serving_at(hour.seconds() + 20 - now().seconds());
    let camera = site.add(&town, 1, 1);
    site.until_recording(&camera);
    assert_eq!(sub_of(&site), Value::Null);
    assert_eq!(live(&site, &camera, "sub").err().as_deref(), Some("no-sub-stream"));

    let url = town.cameras[0].sub_url().unwrap();
    site.site.run(&["camera", "sub", "cam-1", &url], None).unwrap();
    until("the sub-stream is recorded", || (sub_of(&site)["state"] == "recording").then_some(()));
    let told = json!({"state": "recording", "codec": "H264", "width": 352, "height": 288});
    until("its coding is told", || (sub_of(&site) == told).then_some(()));
    for (name, sub, content_type) in KINDS {
        let live = live(&site, &camera, name).unwrap();
        assert!(live.content_type.contains(content_type), "{name}: {}", live.content_type);
        check_live(name, &sent(&town.cameras[0], sub), &live);
    }
    sleep(4.0);
    check_replays(&site, &town.cameras[0], &camera, hour);

    site.site.run(&["camera", "sub", "cam-1"], None).unwrap();
    until("the sub-stream is not recorded any more", || sub_of(&site).is_null().then_some(()));
    sleep(4.0);
    let played = sent(&town.cameras[0], true).len();
    sleep(2.0);
    assert_eq!(sent(&town.cameras[0], true).len(), played, "the camera is still asked for its sub-stream");
    assert_eq!(live(&site, &camera, "sub").err().as_deref(), Some("no-sub-stream"));
    for (name, footage_goes_on) in [("main", true), ("sub", false)] {
        let day = day(&site, &camera, name, hour);
        let lasts = day["gaps"].as_array().unwrap().iter().any(|gap| gap["to"].is_null());
        assert!(!lasts, "{name}: a gap that lasts: {}", day["gaps"]);
        let end: jiff::Timestamp =
            day["footage"].as_array().unwrap().last().unwrap()["to"].as_str().unwrap().parse().unwrap();
        let newest = site.now().since(UtcMicros(end.as_microsecond()));
        assert_eq!(newest < 4_000_000, footage_goes_on, "{name}: its newest picture is {newest} µs old");
    }
    // what was recorded of it stays until its deadline
    let all = replay(&site, &camera, "sub", hour).expect("a sub-stream that was taken away is still opened");
    assert!(all.pictures.len() > 60);

    site.sleep_until(hour.plus_seconds(DAY_SECONDS - CLOSED_SECONDS + 5));
    for (name, ..) in KINDS {
        until("its hour is closed", || {
            (replay(&site, &camera, name, hour).err() == Some("closed".into())).then_some(())
        });
    }
    until("one destruction covers both", || site.fate(&camera, hour).filter(|state| state == "destroyed"));
    let destroyed = site.health().unwrap()["destruction"].clone();
    assert_eq!((&destroyed["bytes_past_deadline"], &destroyed["bytes_closed_unconfirmed"]), (&0.into(), &0.into()));
    for (name, ..) in KINDS {
        assert_eq!(replay(&site, &camera, name, hour).err().as_deref(), Some("closed"), "{name}");
    }
}

/// The camera list's word about the only camera's sub-stream.
fn sub_of(site: &Site) -> Value {
    site.operator().get("/api/cameras").unwrap()[0]["sub"].clone()
}

/// Some live pictures of a stream; Err: the kind of the refusal.
fn live(site: &Site, camera: &str, stream: &str) -> Result<Fragments, String> {
    let operator = site.operator();
    let look = json!({"kind": "live", "cameras": [camera], "purpose": 5, "reason": REASON});
    let look = operator.post("/api/looks", &look).unwrap();
    let path = format!("/media/{}/{camera}/live?stream={stream}", look["permit"].as_str().unwrap());
    fetched(&operator, &path, LIVE_BYTES)
}

/// What there is of a stream since the hour began; Err: the kind of the refusal.
fn replay(site: &Site, camera: &str, stream: &str, hour: UtcMicros) -> Result<Fragments, String> {
    let (operator, to) = (site.operator(), hour.plus_seconds(HOUR_SECONDS).min(site.now()));
    let permit = look_back(&operator, &[camera], hour, to);
    fetched(&operator, &format!("{}&stream={stream}", replay_path(&permit, camera, hour, to)), usize::MAX)
}

fn fetched(operator: &Browser<'_>, path: &str, bytes_max: usize) -> Result<Fragments, String> {
    if let Err(error) = operator.open(path) {
        let kind = error.body()["type"].as_str().unwrap_or_else(|| panic!("{error}")).to_owned();
        return Err(kind.trim_start_matches("urn:vigie:problem:").to_owned());
    }
    Ok(fetch(operator, path, bytes_max))
}

fn day(site: &Site, camera: &str, stream: &str, hour: UtcMicros) -> Value {
    let paris = jiff::tz::TimeZone::get("Europe/Paris").unwrap();
    let date = jiff::Timestamp::from_microsecond(hour.0).unwrap().to_zoned(paris).date();
    site.operator().get(&format!("/api/cameras/{camera}/day?date={date}&stream={stream}")).unwrap()
}

/// Everything of the last playing of a stream.
fn sent(camera: &Camera, sub: bool) -> Vec<SentFrame> {
    let mut sent: Vec<SentFrame> = camera.sent().into_iter().filter(|frame| frame.sub == sub).collect();
    let last = sent.iter().map(|frame| frame.session).max();
    sent.retain(|frame| Some(frame.session) == last);
    sent
}

fn is_same(sent: &SentFrame, found: &Picture) -> bool {
    let hex = |digest: &[u8]| digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    sent.nal_digests.iter().map(|digest| hex(&digest[..])).eq(found.nals.iter().cloned())
}

/// From a group's start on, each picture that was sent, once, in its order.
fn check_live(name: &str, sent: &[SentFrame], live: &Fragments) {
    assert!(live.pictures.len() > 10 && live.pictures[0].key, "{name}: {} pictures", live.pictures.len());
    let begin = sent.iter().position(|sent| is_same(sent, &live.pictures[0])).expect("a picture that was sent");
    assert!(sent.len() - begin >= live.pictures.len(), "{name}: more than was sent");
    assert!(sent[begin..].iter().zip(&live.pictures).all(|(sent, found)| is_same(sent, found)), "{name}");
}

/// Each picture of either stream, once and equal, but for the newest.
fn check_replays(site: &Site, camera: &Camera, id: &str, hour: UtcMicros) {
    for (name, sub, content_type) in KINDS {
        let owed_until = now().plus_micros(-NEWEST_MICROS);
        let found = replay(site, id, name, hour).unwrap();
        assert!(found.content_type.contains(content_type), "{name}: {}", found.content_type);
        let sent = sent(camera, sub);
        let owed = sent.iter().filter(|frame| frame.whole && frame.utc <= owed_until).count();
        assert!(owed > 60 && found.pictures.len() >= owed, "{name}: {} of {owed} pictures", found.pictures.len());
        for (n, (sent, found)) in sent.iter().zip(&found.pictures).enumerate() {
            assert!(is_same(sent, found), "{name}: picture {n} is another one");
        }
        found.check_with_ffmpeg(name, None);
    }
}
