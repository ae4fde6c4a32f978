//! Cameras that do what they should not, before the real recorder: each is recorded all the same, or its time is a gap with the
//! right cause; never silence, and never a session that hangs.

mod support;

use domain::UtcMicros;
use simulator::{
    coding::Coding,
    rtsp::{Camera, Fault, Town, TownConfig},
};
use std::{collections::HashMap, fs};
use support::{
    Site, credentials,
    fragments::{Fragments, fetch},
    load::look_at,
    now, replay_path, sleep,
    timeline::{check_covered, timeline},
    until,
};

/// What becomes of a camera with the fault: recorded on, or a gap whose cause says so.
enum Oracle {
    Recorded,
    Gap(&'static str),
}
use Oracle::{Gap, Recorded};

/// A town of one camera for each of these codings, with smaller streams.
fn town(codings: &[&str]) -> Town {
    let codings: Vec<Coding> = codings.iter().map(|text| text.parse().unwrap()).collect();
    let config = TownConfig::for_tests(codings.len() as u32, credentials());
    Town::start(TownConfig { codings, sub_stream: Some(Coding::default()), ..config }).unwrap()
}

fn replay(site: &Site, id: &str, from: UtcMicros, to: UtcMicros) -> Fragments {
    let operator = site.operator();
    let permit = look_at(&operator, &[id.to_owned()], from, to);
    fetch(&operator, &replay_path(&permit, id, from, to), usize::MAX)
}

/// Every picture was sent by this camera just so, in its order.
fn assert_true(camera: &Camera, shown: &Fragments) {
    let hex = |digest: &[u8; 32]| digest.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let sent = camera.sent().into_iter().enumerate();
    let sent: HashMap<Vec<String>, usize> =
        sent.map(|(place, frame)| (frame.nal_digests.iter().map(hex).collect(), place)).collect();
    let places: Vec<_> = shown.pictures.iter().map(|one| sent.get(&one.nals).expect("it was sent just so")).collect();
    assert!(places.windows(2).all(|pair| pair[0] < pair[1]), "camera {}: {places:?}", camera.number);
}

#[test]
fn wrong_descriptions_sessions_and_connections_are_recorded_or_a_gap_with_its_cause() {
    let cases = [
        (Fault::SdpNoParameters, Recorded),
        (Fault::SdpTwiceParameters, Recorded),
        (Fault::SdpStrangeMedium, Recorded),
        (Fault::SdpBaseWithoutScheme, Recorded),
        (Fault::SdpAbsoluteUrls, Recorded),
        (Fault::SdpTrailingBlanks, Recorded),
        (Fault::OtherSize, Recorded),
        (Fault::SessionChange, Recorded),
        (Fault::DeafToTeardown, Recorded),
        (Fault::Flap, Recorded),
        (Fault::NonceEnds, Recorded),
        (Fault::Jitter, Recorded),
        (Fault::OddFragments, Recorded),
        (Fault::SoundOnly, Gap("H.264")),
        (Fault::StaleSession, Gap("normes")),
        (Fault::HalfClosed, Gap("a fermé la session")),
        (Fault::Trickle, Gap("n'envoie plus d'image")),
        (Fault::Mute, Gap("n'envoie plus d'image")),
    ];
    let town = town(&vec!["h264"; cases.len()]);
    let site = Site::serving();
    let start = now();
    let ids: Vec<String> = (1..=cases.len()).map(|number| site.add(&town, number as u32, 30)).collect();
    site.until_durable_after(&ids, start);
    for (camera, (fault, _)) in town.cameras.iter().zip(&cases) {
        camera.set(*fault);
        // a description is read where a session begins
        if fault.to_string().starts_with("sdp")
            || matches!(fault, Fault::OtherSize | Fault::SoundOnly | Fault::NonceEnds)
        {
            camera.stop();
            camera.restart();
        }
    }
    let faulty = now();
    sleep(12.0);
    let all: Vec<_> = town.cameras.iter().zip(&ids).zip(&cases).collect();
    for ((_, id), (fault, oracle)) in &all {
        match oracle {
            Recorded => until(&format!("{fault} is recorded"), || {
                let (footage, _) = timeline(&site, id, start);
                footage.last().filter(|(_, to)| *to > faulty.plus_seconds(2)).map(|_| ())
            }),
            Gap(words) => until(&format!("{fault} is a gap with `{words}`"), || {
                let (_, gaps) = timeline(&site, id, start);
                gaps.iter().any(|gap| gap.cause.contains(words)).then_some(())
            }),
        }
    }
    cases.iter().zip(&town.cameras).for_each(|((fault, _), camera)| camera.clear(*fault));
    site.until_durable_after(&ids, now());
    let to = now();
    for ((camera, id), (fault, _)) in &all {
        println!("{fault}");
        check_covered(&site, id, start, to);
        let shown = replay(&site, id, start, to);
        assert_true(camera, &shown);
        if matches!(fault, Fault::Jitter | Fault::OddFragments) {
            let (_, gaps) = timeline(&site, id, start);
            assert_eq!(gaps, [], "{fault} costs nothing");
            let between = |at: UtcMicros| at > start.plus_seconds(2) && at < to.plus_seconds(-4);
            let sent = camera.sent().into_iter().filter(|frame| between(frame.utc)).count();
            assert!(shown.pictures.len() >= sent, "{fault}: {} of {sent}", shown.pictures.len());
        }
    }
    let sizes: Vec<_> = replay(&site, &ids[6], start, to).pictures.iter().map(|one| one.sets.clone()).collect();
    assert!(sizes.iter().any(|sets| *sets != sizes[0]) || town.cameras[6].sent().iter().any(|frame| frame.sub));
}

#[test]
fn smart_codecs_long_groups_intra_refresh_and_changing_sizes_are_recorded_whole() {
    let codings = ["h264+smart", "h264+intra-refresh", "h264+long-gop", "h265+open-gop", "h264+changing-size"];
    let town = town(&codings);
    let site = Site::serving();
    let start = now();
    let ids: Vec<String> = (1..=codings.len()).map(|number| site.add(&town, number as u32, 30)).collect();
    site.until_durable_after(&ids, start);
    sleep(22.0);
    let to = now();
    for ((camera, id), coding) in town.cameras.iter().zip(&ids).zip(codings) {
        let shown = replay(&site, id, start, to);
        println!("{coding}: {} pictures, {} key pictures", shown.pictures.len(), key_pictures(&shown));
        assert_true(camera, &shown);
        check_covered(&site, id, start, to);
        // open groups: leading pictures of the first one cannot be decoded
        let absent = coding.contains("open-gop").then_some("Could not find ref with POC");
        shown.check_with_ffmpeg(coding, absent);
        let (from, until) = (shown.pictures[0].utc.plus_micros(-1_000), to.plus_seconds(-4));
        let owed = camera.sent().iter().filter(|frame| !frame.sub && from < frame.utc && frame.utc < until).count();
        assert!(shown.pictures.len() >= owed, "{coding}: of {owed} pictures none is missing but of the last seconds");
    }
}

fn key_pictures(shown: &Fragments) -> usize {
    shown.pictures.iter().filter(|picture| picture.key).count()
}

#[test]
fn cameras_that_flap_cost_no_descriptor_and_no_thread() {
    let town = town(&["h264"; 8]);
    let site = Site::serving();
    let start = now();
    let ids: Vec<String> = (1..=8).map(|number| site.add(&town, number, 30)).collect();
    site.until_durable_after(&ids, start);
    let recorder = site.site.process_of("recorder").unwrap();
    let descriptors = || fs::read_dir(format!("/proc/{recorder}/fd")).unwrap().count();
    let threads = || fs::read_dir(format!("/proc/{recorder}/task")).unwrap().count();
    let before = (descriptors(), threads());
    let sessions = town.counters.plays.load(std::sync::atomic::Ordering::Relaxed);
    town.cameras.iter().for_each(|camera| camera.set(Fault::Flap));
    sleep(15.0);
    town.cameras.iter().for_each(|camera| camera.clear(Fault::Flap));
    site.until_durable_after(&ids, now());
    let flapped = town.counters.plays.load(std::sync::atomic::Ordering::Relaxed) - sessions;
    assert!(flapped >= 16, "{flapped} sessions");
    // a slot, a look of the console: some come and go
    let after = (descriptors(), threads());
    assert!(
        after.0 <= before.0 + 8 && after.1 <= before.1 + 2,
        "{before:?} before, {after:?} after {flapped} sessions"
    );
    ids.iter().for_each(|id| check_covered(&site, id, start, now()));
}
