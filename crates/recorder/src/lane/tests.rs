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
}

#[test]
fn a_jump_of_the_media_clock_ends_the_session() {
    let (_, mut lane) = lane();
    let facts = SourceFacts::default();
    lane.session_began(ms(0));
    lane.picture(picture(0, FrameKind::Idr, 9), &facts, ms(0)).unwrap();
    assert_eq!(lane.picture(picture(9_000, FrameKind::Other, 9), &facts, ms(40)), Err(GapCause::ClockJump));
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
