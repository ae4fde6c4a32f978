//! Claims about a camera's lane: times, gaps, overload.

use super::*;
use bytes::Bytes;
use domain::{CameraId, Codec, MediaTicks};
use media::{FrameKind, ParameterSets};
use std::sync::{
    Mutex,
    atomic::{AtomicBool, Ordering},
};

const STREAM: StreamId = StreamId::main(CameraId([3; 16]));
const START: UtcMicros = UtcMicros::from_seconds(1_700_000_000);

#[derive(Default)]
struct Notes {
    chunks: Mutex<Vec<Chunk>>,
    gaps: Mutex<Vec<GapEvent>>,
    /// Cause, and milliseconds after the start.
    missing: Mutex<Vec<(&'static str, i64, i64)>>,
    full: AtomicBool,
}

impl Sink for Notes {
    fn chunk(&self, chunk: Chunk) -> bool {
        let full = self.full.load(Ordering::Relaxed);
        if !full {
            self.chunks.lock().unwrap().push(chunk);
        }
        !full
    }
    fn frame(&self, _: StreamId, _: &Frame) {}
    fn gap(&self, stream: StreamId, event: GapEvent) {
        assert_eq!(stream, STREAM);
        self.gaps.lock().unwrap().push(event);
    }
    fn expected(&self, _: StreamId, _: UtcMicros) {}
    fn missing(&self, _: StreamId, from: UtcMicros, to: UtcMicros, cause: GapCause) {
        self.missing.lock().unwrap().push((cause.code(), from.since(START) / 1_000, to.since(START) / 1_000));
    }
    fn released(&self, _: StreamId, _: UtcMicros) {}
    fn watched(&self) -> bool {
        false
    }
}

fn lane() -> (Arc<Notes>, Lane) {
    let notes = Arc::new(Notes::default());
    (notes.clone(), Lane::new(STREAM, "Place de la mairie", HourLength::PRODUCT, notes, START))
}

fn ms(n: i64) -> UtcMicros {
    START.plus_micros(n * 1_000)
}

fn picture(at_ms: i64, kind: FrameKind, bytes: usize) -> Picture {
    let ticks = MediaTicks(at_ms * 90);
    let parameters = kind.starts_group().then(|| ParameterSets {
        codec: Codec::H264,
        config: Bytes::from_static(b"c"),
        width: 2,
        height: 2,
    });
    Picture { kind, dts: ticks, pts: ticks, data: vec![0; bytes].into(), parameters }
}

/// (cause, opened, milliseconds after the start) of each event.
fn gaps(notes: &Notes) -> Vec<(&'static str, bool, i64)> {
    let gaps = notes.gaps.lock().unwrap();
    gaps.iter().map(|gap| (gap.cause.code(), gap.opened, gap.at.since(START) / 1_000)).collect()
}

#[test]
fn a_gap_runs_from_the_last_picture_held_to_the_first_held_again_and_has_one_cause() {
    let (notes, mut lane) = lane();
    let facts = SourceFacts::default();
    lane.fail(GapCause::Unreachable, ms(100));
    lane.fail(GapCause::Unreachable, ms(700));
    lane.fail(GapCause::WrongPassword, ms(900));
    lane.session_began(ms(1_000));
    lane.picture(picture(0, FrameKind::Other, 9), &facts, ms(1_040)).unwrap();
    lane.picture(picture(40, FrameKind::Idr, 9), &facts, ms(1_080)).unwrap();
    lane.picture(picture(80, FrameKind::Other, 9), &facts, ms(1_120)).unwrap();
    lane.fail(GapCause::Closed, ms(1_200));
    let expected = [
        ("unreachable", true, 0),
        ("unreachable", false, 900),
        ("wrong-password", true, 900),
        ("wrong-password", false, 1_080),
        ("closed", true, 1_120),
    ];
    assert_eq!(gaps(&notes), expected);
    let chunks = notes.chunks.lock().unwrap();
    assert_eq!(chunks.iter().map(|chunk| chunk.frames.len()).collect::<Vec<_>>(), [2]);
    assert_eq!((lane.health().frames, lane.health().dropped, lane.health().sessions), (2, 1, 1));
}

#[test]
fn a_full_queue_ends_the_session_with_overload() {
    let (notes, mut lane) = lane();
    let facts = SourceFacts::default();
    lane.session_began(ms(0));
    lane.picture(picture(0, FrameKind::Idr, 9), &facts, ms(0)).unwrap();
    notes.full.store(true, Ordering::Relaxed);
    lane.tick(ms(600));
    assert_eq!(gaps(&notes), [("overload", true, 0)]);
    assert_eq!(lane.picture(picture(640, FrameKind::Other, 9), &facts, ms(640)), Err(GapCause::Overload));
}

#[test]
fn forty_megabits_over_five_seconds_are_overload_and_less_is_not() {
    for (bytes, overload) in [(190_000, false), (210_000, true)] {
        let (_, mut lane) = lane();
        let facts = SourceFacts::default();
        lane.session_began(ms(0));
        let refused = (0..250).any(|n| {
            let kind = if n % 25 == 0 { FrameKind::Idr } else { FrameKind::Other };
            lane.picture(picture(n * 40, kind, bytes), &facts, ms(n * 40)) == Err(GapCause::Overload)
        });
        assert_eq!(refused, overload, "{bytes}");
    }
}

#[test]
fn the_camera_s_own_clock_is_kept_beside() {
    let (_, mut lane) = lane();
    // The camera says that media time 1 s was 7 s after the recorder's START.
    let facts = SourceFacts { sender_report: Some((ms(8_000), MediaTicks(90_000))), ..SourceFacts::default() };
    lane.session_began(ms(0));
    lane.picture(picture(0, FrameKind::Idr, 9), &facts, ms(0)).unwrap();
    assert_eq!(lane.health().camera_clock_offset_micros, Some(7_000_000));
    assert_eq!(lane.health().camera_clock_heard, Some(ms(0)));
    lane.picture(picture(40, FrameKind::Other, 9), &facts, ms(40)).unwrap();
    assert_eq!(lane.health().camera_clock_heard, Some(ms(0)), "the same report again is no news");
    let next = SourceFacts { sender_report: Some((ms(12_000), MediaTicks(450_000))), ..SourceFacts::default() };
    lane.picture(picture(80, FrameKind::Other, 9), &next, ms(80)).unwrap();
    assert_eq!(lane.health().camera_clock_heard, Some(ms(80)));
}

#[test]
fn a_jump_of_the_media_clock_loses_no_picture_and_is_counted() {
    let (notes, mut lane) = lane();
    let facts = SourceFacts::default();
    lane.session_began(ms(0));
    for (at, says) in [(0, 0), (40, 40), (80, 9_000_080), (120, 9_000_120), (160, -50_000), (200, -49_960)] {
        let kind = if at == 0 { FrameKind::Idr } else { FrameKind::Other };
        lane.picture(picture(says, kind, 9), &facts, ms(at)).unwrap();
    }
    lane.fail(GapCause::Stopped, ms(240));
    let chunks = notes.chunks.lock().unwrap();
    let frames: Vec<_> = chunks.iter().flat_map(|chunk| &chunk.frames).collect();
    assert_eq!((frames.len(), lane.health().clock_jumps), (6, 2));
    assert!(frames.windows(2).all(|two| two[0].dts < two[1].dts));
    assert_eq!(chunks.last().unwrap().last_utc, ms(200));
    assert_eq!(gaps(&notes), [("stopped", true, 200)]);
}

#[test]
fn pictures_that_the_camera_left_out_are_a_gap_although_its_session_held() {
    let (notes, mut lane) = lane();
    let facts = SourceFacts::default();
    lane.session_began(ms(0));
    for at in [0, 40, 1_900, 4_000, 4_040] {
        let kind = if at == 0 { FrameKind::Idr } else { FrameKind::Other };
        lane.picture(picture(at, kind, 9), &facts, ms(at)).unwrap();
    }
    assert_eq!(*notes.missing.lock().unwrap(), [("silent", 1_900, 4_000)]);
    assert_eq!(gaps(&notes), []);
}

#[test]
fn an_hour_without_a_key_picture_at_its_start_has_a_declared_head() {
    let (notes, mut lane) = lane();
    let facts = SourceFacts::default();
    let turn_ms = HourLength::PRODUCT.hour_of(START).end().since(START) / 1_000;
    lane.session_began(ms(turn_ms - 1_000));
    for (after_turn, kind) in
        [(-1_000, FrameKind::Idr), (9_000, FrameKind::Other), (10_500, FrameKind::Other), (12_000, FrameKind::Idr)]
    {
        let at = turn_ms + after_turn;
        lane.picture(picture(at, kind, 9), &facts, ms(at)).unwrap();
    }
    let missing = notes.missing.lock().unwrap();
    let heads: Vec<_> = missing.iter().filter(|(cause, ..)| *cause == "head-of-hour").collect();
    assert_eq!(heads, [&("head-of-hour", turn_ms + 10_500, turn_ms + 12_000)]);
}

#[test]
fn a_camera_that_never_sends_a_key_picture_is_taken_anew_after_a_minute_and_a_half() {
    let (notes, mut lane) = lane();
    let facts = SourceFacts::default();
    lane.session_began(ms(0));
    let first_refusal = (0..1_000).map(|n| n * 100).find(|at| {
        let taken = lane.picture(picture(*at, FrameKind::Other, 9), &facts, ms(*at));
        assert!(taken.is_ok() || taken == Err(GapCause::NoKeyPicture));
        taken.is_err()
    });
    assert_eq!(first_refusal, Some(90_100));
    assert!(notes.chunks.lock().unwrap().is_empty());
}

#[test]
fn a_picture_too_large_is_a_gap_until_the_next_group() {
    let (notes, mut lane) = lane();
    let facts = SourceFacts::default();
    lane.session_began(ms(0));
    for (n, (kind, bytes)) in [
        (FrameKind::Idr, 9),
        (FrameKind::Other, domain::limit::PICTURE_BYTES_MAX + 1),
        (FrameKind::Other, 9),
        (FrameKind::Idr, 9),
    ]
    .into_iter()
    .enumerate()
    {
        let at = n as i64 * 40;
        lane.picture(picture(at, kind, bytes), &facts, ms(at)).unwrap();
    }
    assert_eq!(gaps(&notes), [("picture-too-large", true, 0), ("picture-too-large", false, 120)]);
}

#[test]
fn with_b_pictures_utc_is_that_of_presentation() {
    let (notes, mut lane) = lane();
    lane.session_began(ms(0));
    // decoded and shown, in pictures of 40 ms; each arrives when it was decoded
    for (decoded, shown) in [(-2, 0), (0, 3), (1, 1), (2, 2), (3, 6), (4, 4), (5, 5)] {
        let kind = if shown == 0 { FrameKind::Idr } else { FrameKind::Other };
        let picture = Picture { dts: MediaTicks(decoded * 3_600), ..picture(shown * 40, kind, 9) };
        lane.picture(picture, &SourceFacts::default(), ms((decoded + 2) * 40)).unwrap();
    }
    lane.fail(GapCause::Closed, ms(400));
    let chunks = notes.chunks.lock().unwrap();
    let utcs: Vec<i64> = chunks
        .iter()
        .flat_map(|chunk| chunk.frames.iter().map(|entry| chunk.utc_of(entry).since(START) / 40_000))
        .collect();
    assert_eq!(utcs, [0, 3, 1, 2, 6, 4, 5]);
    assert!(chunks.iter().all(|chunk| chunk.first_utc <= chunk.last_utc));
}

/// Pictures of so many milliseconds each, for so many seconds; the rate that is told then.
fn kept(lane: &mut Lane, from_ms: i64, spacing_ms: f64, seconds: i64) -> Option<u32> {
    let count = (seconds as f64 * 1_000.0 / spacing_ms) as i64;
    for n in 0..=count {
        let at = from_ms + (n as f64 * spacing_ms) as i64;
        let kind = if n % 12 == 0 { FrameKind::Idr } else { FrameKind::Other };
        lane.picture(picture(at, kind, 9), &SourceFacts::default(), ms(at)).unwrap();
        lane.tick(ms(at));
    }
    lane.health().kept_millihertz
}

#[test]
fn the_rate_of_what_is_kept_is_measured_over_half_a_minute_and_no_setting_is_believed() {
    for (spacing_ms, millihertz) in
        [(1_000.0 / 12.0, 12_000), (1_000.0 / 11.0, 11_000), (1_000.0 / 6.0, 6_000), (40.0, 25_000)]
    {
        let (_, mut lane) = lane();
        lane.session_began(ms(0));
        assert_eq!(kept(&mut lane, 0, spacing_ms, 29), None, "too short to say");
        let told = kept(&mut lane, 29_000 + spacing_ms as i64, spacing_ms, 60).unwrap();
        assert!(told.abs_diff(millihertz) * 200 <= millihertz, "{told} for {millihertz}");
    }
}

#[test]
fn a_rate_ends_with_its_session_and_one_that_was_set_right_is_felt_within_five_minutes() {
    let (_, mut lane) = lane();
    lane.session_began(ms(0));
    assert!(kept(&mut lane, 0, 200.0, 310).is_some_and(|told| told.abs_diff(5_000) < 50));
    let told = kept(&mut lane, 310_200, 40.0, 60).unwrap();
    assert!(told > 20_000, "the slow minutes are not held against it for ever: {told}");
    lane.fail(GapCause::Closed, ms(371_000));
    assert_eq!(lane.health().kept_millihertz, None);
}
