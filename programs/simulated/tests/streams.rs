//! Promise 1 for streams of all kinds, from a server that is not ours: B pictures, H.265 with open groups, a minute without
//! a key frame, parameter sets and a size that change, and real footage; across reels, an hour and a restart.
//!
//! The other side of the comparison is what GStreamer's server says that it handed to its RTP payloader: SHA-256 of each NAL
//! unit and the presentation time of each picture.

mod support;

use domain::UtcMicros;
use std::{collections::BTreeSet, path::Path, thread};
use support::{
    HOUR_SECONDS, REASON, Site,
    fragments::{Fragments, Picture, fetch},
    gstreamer::{Cameras, Film, Sent, film, joined, looped},
    look_back, now, replay_path, sleep,
};

/// What a session sends, longer than it is recorded.
const FILM_SECONDS: u32 = 150;
/// From the beginning of recording to the turn of the hour: not while cameras are being added, nor near the end.
const HOUR_TURNS_AFTER_SECONDS: i64 = 40;
/// Longer than a reel, and than the group of a minute.
const FIRST_SECONDS: f64 = 76.0;
const SECOND_SECONDS: f64 = 9.0;
/// What may be on its way, or not durable yet, when recording is stopped or asked about.
const NEWEST_MICROS: i64 = 3_000_000;
/// From the server's word to the picture's arrival at ours, on a machine that does other things too.
const LATE_MICROS_MAX: i64 = 2_500_000;

/// Before each session the recorder looks who answers: the server then prepares a session that nobody plays.
const PICTURES_OF_A_LOOK_MAX: usize = 50;

/// A kind of stream, and what is peculiar to it.
struct Kind {
    name: &'static str,
    film: Film,
    /// Pictures come in another order than they are shown; of real footage nothing is claimed.
    reorders: Option<bool>,
    /// Parameter sets change in mid-stream.
    changes: bool,
}

fn kinds(folder: &Path) -> Vec<Kind> {
    let small = "testsrc2=size=320x240:rate=25";
    let x264 = ["-g", "50", "-bf", "3", "-b_strategy", "0", "-x264-params", "scenecut=0:b-pyramid=normal"];
    let open = ["-g", "50", "-bf", "2", "-b_strategy", "0", "-x264-params", "scenecut=0:open-gop=1"];
    let long = ["-g", "600", "-bf", "0", "-x264-params", "scenecut=0:keyint=600:min-keyint=600"];
    let x265 = |open: u8| {
        format!(
            "bframes=3:b-adapt=0:open-gop={open}:keyint=50:min-keyint=50:scenecut=0:repeat-headers=1:log-level=none"
        )
    };
    let (cra, idr) = (x265(1), x265(0));
    let change = |name, picture, profile| {
        let encoder = ["-g", "25", "-bf", "2", "-b_strategy", "0", "-profile:v", profile, "-x264-params", "scenecut=0"];
        film(folder, name, picture, 8, "h264", &encoder)
    };
    let (large, other) = (change("large", "testsrc2=size=480x272:rate=25", "main"), change("other", small, "high"));
    let parts: Vec<&Film> = [&other, &large].into_iter().cycle().take(FILM_SECONDS as usize / 8 + 1).collect();
    let kind = |name, film, reorders, changes| Kind { name, film, reorders, changes };
    let h264 = |name, picture, encoder: &[&str]| film(folder, name, picture, FILM_SECONDS, "h264", encoder);
    let h265 = |name, encoder: &str| film(folder, name, small, FILM_SECONDS, "h265", &["-x265-params", encoder]);
    let mut kinds = vec![
        kind("B pictures", h264("b", small, &x264), Some(true), false),
        kind("open groups of H.264", h264("open", small, &open), Some(true), false),
        kind("a group of a minute", h264("long", "testsrc2=size=320x240:rate=10", &long), Some(false), false),
        kind("sets and size that change", joined(folder, "change", &parts, FILM_SECONDS), Some(true), true),
        kind("H.265 with IDR pictures", h265("idr", &idr), Some(true), false),
        kind("H.265 with CRA and leading pictures", h265("cra", &cra), Some(true), false),
    ];
    let clips = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/material/video/dev");
    for (name, clip) in [
        ("a real street", "ozlu-street.mp4"),
        ("a real crossing", "intel-person-bicycle-car.mp4"),
        ("a real path", "pets09-s2l1-480x360.mp4"),
    ] {
        let clip = clips.join(clip);
        if clip.exists() {
            let file = format!("clip-{}", kinds.len());
            kinds.push(kind(name, looped(folder, &file, &clip, FILM_SECONDS), None, false));
        } else {
            eprintln!("real clips are not beside this clone; the encoded streams remain");
        }
    }
    kinds
}

#[test]
fn every_nal_unit_of_every_kind_of_stream_is_replayed_across_reels_hours_and_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let kinds = kinds(folder.path());
    let films: Vec<Film> =
        kinds.iter().map(|kind| Film { codec: kind.film.codec, path: kind.film.path.clone() }).collect();
    let server = Cameras::start(&films, folder.path());
    let mut site = Site::serving_at(offset_seconds());
    let start = site.now();
    let ids: Vec<String> =
        kinds.iter().enumerate().map(|(n, kind)| site.add_url(kind.name, &server.url(n), 30)).collect();
    ids.iter().for_each(|id| site.until_recording(id));
    thread::scope(|scope| {
        // the minute's group began when its camera was added: this viewer waits for the next one
        let minute = scope.spawn(|| watch_minute(&site, &ids[2], &server));
        let change = scope.spawn(|| watch_change(&site, &ids[3], &server));
        sleep(FIRST_SECONDS);
        minute.join().unwrap();
        change.join().unwrap();
    });
    let stopped = site.now();
    site.site.stop().unwrap();
    site.site.serve().unwrap();
    ids.iter().for_each(|id| site.until_recording(id));
    sleep(SECOND_SECONDS);
    let end = site.now();

    let ahead = site.now().since(now());
    let breaks = [stopped.plus_micros(-ahead), end.plus_micros(-ahead)];
    let operator = site.operator();
    let permit = look_back(&operator, &ids.iter().map(String::as_str).collect::<Vec<_>>(), start, end);
    for (n, kind) in kinds.iter().enumerate() {
        let whole = fetch(&operator, &replay_path(&permit, &ids[n], start, end), usize::MAX);
        let sent = server.sent(n);
        check_whole(kind, &whole, &sent, breaks, ahead);
        check_hours(kind, &whole);
        // begins in mid-stream: at the start of a group, and with nothing that cannot be decoded
        for seconds in [21.3, 44.04, 70.7] {
            let from = whole.pictures[0].utc.plus_micros((seconds * 1e6) as i64);
            let part = fetch(&operator, &replay_path(&permit, &ids[n], from, from.plus_seconds(3)), usize::MAX);
            check_part(kind, &whole, &part, from);
        }
    }
}

/// The program's clock is ahead by this much, at most half an hour of 600 s either way: its hour turns in our time.
fn offset_seconds() -> i64 {
    // adding nine cameras takes a while before recording begins everywhere
    const UNTIL_RECORDING_SECONDS: i64 = 20;
    let turn = now().seconds() + UNTIL_RECORDING_SECONDS + HOUR_TURNS_AFTER_SECONDS;
    let offset = -turn.rem_euclid(HOUR_SECONDS);
    if offset < -HOUR_SECONDS / 2 { offset + HOUR_SECONDS } else { offset }
}

/// The pictures of each session of the camera come first to last without a hole, NAL unit by NAL unit; only what was on its
/// way at the end is missing, and what nobody could ever decode: pictures that lead a session's first one.
fn check_whole(kind: &Kind, whole: &Fragments, sent: &[Sent], breaks: [UtcMicros; 2], ahead: i64) {
    let name = kind.name;
    whole.check_with_ffmpeg(name, None);
    let codec = if kind.film.codec == "h264" { "avc1." } else { "hvc1." };
    assert!(whole.content_type.starts_with(&format!("video/mp4; codecs=\"{codec}")), "{}", whole.content_type);
    let sessions: BTreeSet<u64> = sent.iter().map(|picture| picture.session).collect();
    let mut rest = &whole.pictures[..];
    let mut recorded = 0;
    for session in sessions {
        let pictures: Vec<&Sent> = sent.iter().filter(|picture| picture.session == session).collect();
        if pictures.len() < PICTURES_OF_A_LOOK_MAX {
            continue;
        }
        let decodable = without_leading(&pictures);
        let same = decodable.iter().zip(rest).take_while(|(sent, found)| is_same(sent, found)).count();
        let (first, found) = (&decodable[0].nals, rest.first().map(|found| &found.nals));
        assert!(same > 0, "{name}: session {session} was not recorded: {first:?}, {found:?}");
        let last_needed = breaks[recorded.min(1)].plus_micros(-NEWEST_MICROS);
        let missing = decodable[same..].iter().filter(|picture| picture.at < last_needed).count();
        let next = rest.get(same).map(|found| sent.iter().filter(|sent| is_same(sent, found)).collect::<Vec<_>>());
        let expected = decodable.get(same);
        assert_eq!(missing, 0, "{name}: a hole in session {session} after {same}; not {expected:?} but {next:?}");
        check_times(kind, &decodable[..same], &rest[..same], ahead);
        rest = &rest[same..];
        recorded += 1;
    }
    assert_eq!((recorded, rest.len()), (2, 0), "{name}: two sessions, and no picture that was never sent");
    assert_eq!(whole.files.len() > 2, kind.changes, "{name}: a new initialization segment where sets change");
    check_sets(name, whole, sent);
}

fn is_same(sent: &Sent, found: &Picture) -> bool {
    sent.nals.len() == found.nals.len() && sent.nals.iter().zip(&found.nals).all(|((sent, _), found)| sent == found)
}

/// RASL and RADL (H.265 types 6 to 9) behind the first picture, if that is a CRA picture (21); in H.264 what is shown before
/// it, if it is no IDR picture (5).
fn without_leading<'a>(pictures: &[&'a Sent]) -> Vec<&'a Sent> {
    let has =
        |picture: &Sent, kinds: std::ops::RangeInclusive<u8>| picture.nals.iter().any(|(_, kind)| kinds.contains(kind));
    let Some(first) = pictures.first().filter(|first| has(first, 21..=21)) else { return pictures.to_vec() };
    let group = pictures.iter().skip(1).position(|picture| has(picture, 16..=21)).map_or(pictures.len(), |at| at + 1);
    let leads = |n: usize, picture: &Sent| n < group && has(picture, 6..=9) && picture.pts < first.pts;
    pictures.iter().enumerate().filter(|(n, picture)| !leads(*n, picture)).map(|(_, picture)| *picture).collect()
}

/// Distances between pictures are the camera's, no picture is decoded after it is shown, and UTC is that of arrival.
fn check_times(kind: &Kind, sent: &[&Sent], found: &[Picture], ahead: i64) {
    let name = kind.name;
    let ticks = |from: &Sent, to: &Sent| (to.pts - from.pts) * 9 / 100_000;
    for (n, (sent, found)) in sent.windows(2).zip(found.windows(2)).enumerate() {
        let (told, real) = (found[1].pts - found[0].pts, ticks(sent[0], sent[1]));
        assert!((told - real).abs() <= 2, "{name}: picture {n} is {told} ticks before the next, not {real}");
        assert!(found[0].dts < found[1].dts, "{name}: decoding times of pictures {n} and the next");
    }
    assert!(found.iter().all(|picture| picture.dts <= picture.pts), "{name}: decoded after it is shown");
    let steps_back = sent.windows(2).any(|pair| pair[1].pts < pair[0].pts);
    assert!(kind.reorders.is_none_or(|reorders| reorders == steps_back), "{name}: what this stream is there for");
    for (sent, found) in sent.iter().zip(found) {
        let late = found.utc.since(sent.at.plus_micros(ahead));
        assert!((-LATE_MICROS_MAX..LATE_MICROS_MAX).contains(&late), "{name}: {late} µs between its time and ours");
    }
}

/// The parameter sets of each group are those that came with it.
fn check_sets(name: &str, whole: &Fragments, sent: &[Sent]) {
    let known: BTreeSet<&String> = sent.iter().flat_map(|picture| &picture.sets).collect();
    let mut checked = 0;
    for picture in &whole.pictures {
        assert!(picture.sets.iter().all(|set| known.contains(set)), "{name}: a set that was never sent");
        let same = sent.iter().find(|sent| !sent.sets.is_empty() && is_same(sent, picture));
        if let Some(sent) = same.filter(|_| picture.key) {
            let (sent, found): (BTreeSet<_>, BTreeSet<_>) = (sent.sets.iter().collect(), picture.sets.iter().collect());
            assert_eq!(sent, found, "{name}: another picture's sets");
            checked += 1;
        }
    }
    assert!(checked >= 2, "{name}: {checked} groups with sets");
}

fn check_hours(kind: &Kind, whole: &Fragments) {
    let hours: BTreeSet<i64> =
        whole.pictures.iter().map(|picture| picture.utc.seconds().div_euclid(HOUR_SECONDS)).collect();
    assert_eq!(hours.len(), 2, "{}: recorded in two hours", kind.name);
}

/// From the start of the group that holds `from`, then as in the whole, but for what leads that group.
fn check_part(kind: &Kind, whole: &Fragments, part: &Fragments, from: UtcMicros) {
    let name = kind.name;
    // H.264 unmarks pictures that are no longer needed (8.2.5.4): from before a recovery point there is none to unmark
    part.check_with_ffmpeg(name, kind.film.path.ends_with("open.ts").then_some("mmco: unref short failure"));
    let first = &part.pictures[0];
    assert!(first.key, "{name}: {from} begins with a picture that cannot be decoded");
    // a looped film sends the same picture again: the one at this time is meant
    let near = |picture: &&Picture| picture.nals == first.nals && (picture.utc.since(first.utc)).abs() < 500_000;
    let begin = whole.pictures.iter().position(|picture| near(&picture)).expect("a picture of the whole");
    let group = whole.pictures.iter().rposition(|picture| picture.key && picture.utc.plus_micros(250_000) <= from);
    assert!(group.is_none_or(|group| begin >= group), "{name}: begins a group too early");
    assert!(first.utc <= from.plus_micros(250_000), "{name}: begins late");
    let next =
        whole.pictures[begin + 1..].iter().position(|picture| picture.key).map_or(usize::MAX, |at| begin + 1 + at);
    let mut expected = whole.pictures[begin..].iter().enumerate();
    for picture in &part.pictures {
        let found = expected.by_ref().find(|(_, whole)| whole.nals == picture.nals);
        let (at, _) = found.unwrap_or_else(|| panic!("{name}: a picture out of order"));
        assert!(at > 0 || std::ptr::eq(picture, first));
        assert!(picture.pts >= first.pts || begin + at >= next, "{name}: shown before what it refers to");
    }
    let span: Vec<&Picture> = part.pictures.iter().filter(|picture| picture.utc >= from).collect();
    assert!(span.len() >= 25, "{name}: {} pictures of three seconds", span.len());
    let owed = whole.pictures[begin..].iter().filter(|picture| picture.utc >= first.utc.plus_micros(250_000));
    let owed: Vec<_> = owed.filter(|picture| picture.utc < from.plus_micros(2_700_000)).collect();
    assert!(owed.iter().all(|owed| part.pictures.iter().any(|picture| picture.nals == owed.nals)), "{name}: a hole");
}

/// The first live picture comes with the next group, however long that takes, and is the camera's own.
fn watch_minute(site: &Site, camera: &str, server: &Cameras) {
    let (live, begin) = watch(site, camera, server, 2, 60_000);
    assert!(begin >= 600, "the group that had begun before is over, not picture {begin}");
    assert_eq!(live.files.len(), 1);
}

/// Where the camera's sets and size change, so does the viewer's stream, between two pictures and without a hole.
fn watch_change(site: &Site, camera: &str, server: &Cameras) {
    let (live, _) = watch(site, camera, server, 3, 2_500_000);
    assert!(live.files.len() >= 2, "{} initialization segments in {} pictures", live.files.len(), live.pictures.len());
}

/// What a viewer sees from now on, and the place of its first picture in what was sent.
fn watch(site: &Site, camera: &str, server: &Cameras, number: usize, bytes: usize) -> (Fragments, usize) {
    let operator = site.operator();
    let look = serde_json::json!({"kind": "live", "cameras": [camera], "purpose": 5, "reason": REASON});
    let permit = operator.post("/api/looks", &look).unwrap()["permit"].as_str().unwrap().to_owned();
    let live = fetch(&operator, &format!("/media/{permit}/{camera}/live"), bytes);
    assert!(live.pictures.len() > 3 && live.pictures[0].key);
    let sent = server.sent(number);
    let begin = sent.iter().position(|sent| is_same(sent, &live.pictures[0]));
    let begin =
        begin.unwrap_or_else(|| panic!("a picture that was never sent: {:?} {:?}", live.pictures[0], sent.last()));
    assert!(sent[begin..].iter().zip(&live.pictures).all(|(sent, found)| is_same(sent, found)));
    live.check_with_ffmpeg("live", None);
    (live, begin)
}
