//! Promise 1 on real processes: what a camera sent is what a browser gets, bit by bit, across reels, restarts and a kill.

mod support;

use domain::UtcMicros;
use simulator::{
    clip,
    rtsp::{Camera, Scheme, SentFrame, Town, TownConfig},
    scene::ClipSize,
};
use std::collections::{BTreeMap, BTreeSet};
use support::{
    Site, credentials, look_back,
    movie::{Movie, by_number, check_with_ffprobe, fetch},
    now, replay_path, sleep,
};

/// What a kill may cost (limit::LOSS_MS_MAX).
const LOSS_MICROS: i64 = domain::limit::LOSS_MS_MAX as i64 * 1_000;
/// At an orderly stop: a picture on its way from the camera when the stop is asked for.
const ON_ITS_WAY_MICROS: i64 = 500_000;
/// The newest pictures of a camera that is recorded at this moment: a chunk, a tick and a sync.
const NOT_YET_DURABLE_MICROS: i64 = 3_000_000;

/// When recording was broken off, and how much of what was sent before may be missing.
struct Break {
    at: UtcMicros,
    may_lose_micros: i64,
}

#[test]
fn every_picture_sent_is_replayed_once_and_unchanged_across_reels_a_restart_and_a_kill() {
    // a town for each way to sign in; the camera's number differs, so a mark tells whose picture it is
    let schemes = [Scheme::Digest, Scheme::Basic, Scheme::DigestQop, Scheme::DigestSha256, Scheme::Several];
    let towns: Vec<Town> = schemes
        .map(|scheme| Town::start(TownConfig { scheme, ..TownConfig::for_tests(5, credentials()) }).unwrap())
        .into();
    let cameras: Vec<&Camera> = (0..towns.len()).map(|n| &*towns[n].cameras[n]).collect();
    let mut site = Site::serving();
    let start = now();
    let ids: Vec<String> = (0..towns.len()).map(|n| site.add(&towns[n], n as u32 + 1, 30)).collect();
    ids.iter().for_each(|id| site.until_recording(id));
    let mut breaks = Vec::new();
    sleep(66.0); // longer than a reel

    breaks.push(Break { at: now(), may_lose_micros: LOSS_MICROS });
    assert!(site.site.kill("recorder").unwrap());
    sleep(4.0);
    ids.iter().for_each(|id| site.until_recording(id));
    sleep(7.0);

    breaks.push(Break { at: now(), may_lose_micros: ON_ITS_WAY_MICROS });
    site.site.stop().unwrap();
    site.site.serve().unwrap();
    ids.iter().for_each(|id| site.until_recording(id));
    sleep(10.0);

    let end = now();
    breaks.push(Break { at: end, may_lose_micros: NOT_YET_DURABLE_MICROS });
    let operator = site.operator();
    let named: Vec<&str> = ids.iter().map(String::as_str).collect();
    let permit = look_back(&operator, &named, start, end);
    for (camera, id) in cameras.iter().zip(&ids) {
        let movie = fetch(&operator, &replay_path(&permit, id, start, end));
        check_whole(camera, &movie, &breaks);
        check_spans(&movie, |from, to| fetch(&operator, &replay_path(&permit, id, from, to)));
    }
}

fn check_whole(camera: &Camera, movie: &Movie, breaks: &[Break]) {
    assert_eq!(check_with_ffprobe(&movie.bytes), movie.shown.len());
    check_parameters(camera, movie);
    let shown = by_number(&movie.shown);
    assert!(shown.values().all(|shown| shown.mark.camera == camera.number), "another camera's picture");
    assert!(movie.numbers().is_sorted(), "pictures come in the order in which they were sent");
    let sent = camera.sent();
    let mut sessions: BTreeMap<u64, Vec<&SentFrame>> = BTreeMap::new();
    sent.iter().for_each(|frame| sessions.entry(frame.session).or_default().push(frame));
    let recorded: Vec<&Vec<&SentFrame>> =
        sessions.values().filter(|frames| frames.iter().any(|frame| shown.contains_key(&frame.number))).collect();
    let told = |frames: &Vec<&SentFrame>| (frames[0].session, frames[0].utc, frames.last().map(|last| last.utc));
    let all: Vec<_> = sessions.values().map(told).collect();
    assert_eq!(recorded.len(), breaks.len(), "one session before each break; sent: {all:?}");
    let mut found = BTreeSet::new();
    for (frames, end) in recorded.iter().zip(breaks) {
        let last_needed = UtcMicros(end.at.0 - end.may_lose_micros);
        for frame in frames.iter() {
            let Some(picture) = shown.get(&frame.number) else {
                assert!(!frame.whole || frame.utc > last_needed, "cam {} lost {frame:?}", camera.number);
                continue;
            };
            assert!(found.insert(frame.number), "one picture in two sessions");
            assert_eq!(picture.nal_digests, frame.nal_digests, "cam {} frame {}", camera.number, frame.number);
            assert_eq!(picture.key, frame.idr);
            // our time is that of arrival: the camera's plus the way
            let late = picture.utc.since(frame.utc);
            assert!((-200_000..2_000_000).contains(&late), "{late} µs between the camera's time and ours");
        }
        let missing = frames.iter().position(|frame| !shown.contains_key(&frame.number)).unwrap_or(frames.len());
        assert!(frames[missing..].iter().all(|frame| !shown.contains_key(&frame.number)), "a hole inside a session");
    }
    assert_eq!(found.len(), shown.len(), "no picture that was never sent");
    let seconds: i64 = 66 + 8;
    assert!(shown.len() as i64 > seconds * 12, "{} pictures", shown.len());
}

fn check_parameters(camera: &Camera, movie: &Movie) {
    let files = clip::prepare(camera.number, 1, ClipSize::Small, &clip::cache_folder().unwrap()).unwrap();
    let coded = clip::load(&files).unwrap();
    assert!(!movie.parameters.is_empty());
    assert!(movie.parameters.iter().all(|(sps, pps)| *sps == coded.sps && *pps == coded.pps));
}

/// Within a run pictures are spaced by their media time, and put back to their UTC where the two differ by more than this
/// (recorded UTC is slewed toward arrival, R9): a time read from one replay says that much about another.
const SPACING_MICROS: i64 = 200_000;

/// Any span is the part of the whole from the start of the group that holds its first instant.
fn check_spans(whole: &Movie, fetch: impl Fn(UtcMicros, UtcMicros) -> Movie) {
    // headers tell milliseconds: what lies within one of them may fall on either side
    let first = whole.shown[0].utc;
    let last = whole.shown.last().unwrap().utc;
    let all = whole.numbers();
    let kill = first.plus_seconds(66);
    let spans = [
        (first.plus_micros(-20_000_000), first.plus_micros(5_000)),
        (first.plus_micros(7_300_000), first.plus_micros(7_901_000)),
        (first.plus_seconds(21), first.plus_micros(21_200_000)),
        (first.plus_seconds(40), first.plus_seconds(64)),
        (kill.plus_micros(-5_000_000), kill.plus_seconds(9)),
        (last.plus_micros(-6_000_000), last.plus_seconds(100)),
    ];
    for (from, to) in spans {
        let part = fetch(from, to);
        let numbers = part.numbers();
        let begin = all.iter().position(|number| *number == numbers[0]).expect("a picture of the whole");
        // what was recorded after the whole was fetched may follow
        let shared = numbers.len().min(all.len() - begin);
        assert_eq!(numbers[..shared], all[begin..begin + shared], "{from} to {to} has a hole");
        assert!(part.shown.iter().zip(&whole.shown[begin..]).all(|(a, b)| a.nal_digests == b.nal_digests));
        assert!(part.shown[0].key, "{from} to {to} begins with a picture that cannot be decoded");
        let group = whole.shown.iter().rposition(|shown| shown.key && shown.utc <= from).unwrap_or(0);
        let surely = whole.shown.iter().position(|shown| shown.utc >= from.plus_micros(SPACING_MICROS)).unwrap_or(0);
        assert!(begin <= surely.max(group), "{from} to {to} begins late: {begin}, {surely}, {group}");
        let needed = whole.shown.iter().rposition(|shown| shown.utc.plus_micros(SPACING_MICROS) < to);
        assert!(needed.is_none_or(|needed| begin + numbers.len() > needed), "{from} to {to} ends early");
        assert!(
            part.shown.last().unwrap().utc < to.plus_micros(1_000_000),
            "{from} to {to} shows what nobody asked for"
        );
        assert!(whole.shown[group].utc.since(part.shown[0].utc) < 3_000_000, "{from} to {to} begins too early");
        check_with_ffprobe(&part.bytes);
    }
}
