//! Claims about chunks: nothing lost or doubled, bounds, hours.

use super::*;
use bytes::Bytes;
use domain::{CameraId, Codec, MediaTicks};
use media::{FrameKind, ParameterSets};
use proptest::prelude::*;

const STREAM: StreamId = StreamId::main(CameraId([7; 16]));
const LENGTH: HourLength = HourLength::SIMULATED;
/// A multiple of 600 s.
const HOUR: UtcMicros = UtcMicros::from_seconds(1_700_000_400);

fn frame(kind: FrameKind, utc: UtcMicros, bytes: usize) -> Frame {
    let parameters = kind.starts_group().then(|| ParameterSets {
        codec: Codec::H264,
        config: Bytes::from_static(b"c"),
        width: 2,
        height: 2,
    });
    let ticks = MediaTicks::from_micros(utc.since(HOUR));
    Frame { kind, utc, dts: ticks, pts: ticks, data: vec![1; bytes].into(), parameters }
}

fn idr(utc: UtcMicros, bytes: usize) -> Frame {
    frame(FrameKind::Idr, utc, bytes)
}

fn other(utc: UtcMicros, bytes: usize) -> Frame {
    frame(FrameKind::Other, utc, bytes)
}

fn ms(n: i64) -> UtcMicros {
    HOUR.plus_micros(n * 1_000)
}

/// Pushes each frame at its own time.
fn run(frames: Vec<Frame>) -> (Vec<Chunk>, Vec<Fate>, Vec<Hour>) {
    let mut chunker = Chunker::new(STREAM, LENGTH, Arc::default());
    let (mut chunks, mut fates, mut headless) = (Vec::new(), Vec::new(), Vec::new());
    for frame in frames {
        let now = frame.utc;
        let out = chunker.push(frame, now);
        chunks.extend(out.chunks);
        fates.push(out.fate);
        headless.extend(out.headless_hour);
    }
    chunks.extend(chunker.end_session());
    (chunks, fates, headless)
}

#[test]
fn nothing_is_kept_before_the_first_group() {
    let (chunks, fates, _) = run(vec![other(ms(0), 9), idr(ms(40), 9), other(ms(80), 9)]);
    assert_eq!(fates, [Fate::BeforeGroup, Fate::Kept, Fate::Kept]);
    assert_eq!(chunks.len(), 1);
    assert!(chunks[0].starts_group());
    assert_eq!((chunks[0].first_utc, chunks[0].last_utc), (ms(40), ms(80)));
}

#[test]
fn a_session_after_another_waits_for_a_group_again() {
    let mut chunker = Chunker::new(STREAM, LENGTH, Arc::default());
    chunker.push(idr(ms(0), 9), ms(0));
    assert!(chunker.end_session().is_some());
    assert_eq!(chunker.push(other(ms(40), 9), ms(40)).fate, Fate::BeforeGroup);
}

#[test]
fn a_group_start_begins_a_chunk() {
    let (chunks, ..) = run(vec![idr(ms(0), 9), other(ms(40), 9), idr(ms(80), 9), other(ms(120), 9)]);
    assert_eq!(chunks.iter().map(|chunk| chunk.frames.len()).collect::<Vec<_>>(), [2, 2]);
    assert!(chunks.iter().all(Chunk::starts_group));
}

#[test]
fn a_chunk_is_cut_at_half_a_second_by_pictures_or_by_the_tick() {
    let mut chunker = Chunker::new(STREAM, LENGTH, Arc::default());
    chunker.push(idr(ms(0), 9), ms(10));
    assert!(chunker.tick(ms(509)).is_none());
    let chunk = chunker.tick(ms(510)).expect("old enough");
    assert_eq!(chunk.frames.len(), 1);
    assert!(chunker.tick(ms(9_999)).is_none(), "nothing is open");
    chunker.push(other(ms(600), 9), ms(600));
    assert_eq!(chunker.push(other(ms(1_100), 9), ms(1_100)).chunks.len(), 1);
}

#[test]
fn a_large_picture_is_a_chunk_of_its_own() {
    let (chunks, ..) = run(vec![idr(ms(0), 9), other(ms(40), limit::PICTURE_BYTES_MAX), other(ms(80), 9)]);
    assert_eq!(chunks.iter().map(|chunk| chunk.data.len()).collect::<Vec<_>>(), [9, limit::PICTURE_BYTES_MAX, 9]);
}

#[test]
fn a_picture_too_large_takes_the_rest_of_its_group_with_it() {
    let too_large = limit::PICTURE_BYTES_MAX + 1;
    let (chunks, fates, _) =
        run(vec![idr(ms(0), 9), other(ms(40), too_large), other(ms(80), 9), idr(ms(120), 9), other(ms(160), 9)]);
    assert_eq!(fates, [Fate::Kept, Fate::TooLarge, Fate::Skipped, Fate::Kept, Fate::Kept]);
    assert_eq!(chunks.iter().map(|chunk| chunk.frames.len()).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn the_hour_turns_at_the_first_group_within_ten_seconds() {
    let (chunks, _, headless) =
        run(vec![idr(ms(-1_000), 9), other(ms(0), 9), other(ms(9_999), 9), idr(ms(9_999), 9), other(ms(10_100), 9)]);
    let before = LENGTH.hour_of(ms(-1));
    let hours: Vec<Hour> = chunks.iter().map(|chunk| chunk.hour).collect();
    assert_eq!(hours, [before, before, before, before.plus(1)], "{chunks:?}");
    assert_eq!(headless, []);
}

#[test]
fn without_a_group_the_hour_turns_at_ten_seconds_and_says_so() {
    let (chunks, _, headless) = run(vec![idr(ms(-1_000), 9), other(ms(9_990), 9), other(ms(10_000), 9)]);
    let before = LENGTH.hour_of(ms(-1));
    assert_eq!(chunks.iter().map(|chunk| chunk.hour).collect::<Vec<_>>(), [before, before, before.plus(1)]);
    assert_eq!(headless, [before.plus(1)]);
    assert!(!chunks[2].starts_group());
}

/// A picture shown at `shown_ms` and decoded at `decoded_ms` after the hour's start.
fn reordered(kind: FrameKind, decoded_ms: i64, shown_ms: i64) -> Frame {
    Frame { dts: MediaTicks(decoded_ms * 90), ..frame(kind, ms(shown_ms), 9) }
}

#[test]
fn pictures_that_lead_the_first_group_are_not_kept_and_later_ones_are() {
    let leading = |at| frame(FrameKind::Leading, ms(at), 9);
    let cra = |at| frame(FrameKind::Cra, ms(at), 9);
    let (_, fates, _) = run(vec![cra(80), leading(0), leading(40), other(ms(120), 9), cra(240), leading(160)]);
    let (kept, not) = (Fate::Kept, Fate::BeforeGroup);
    assert_eq!(fates, [kept, not, not, kept, kept, kept]);
    let too_large = other(ms(160), limit::PICTURE_BYTES_MAX + 1);
    let (_, fates, _) = run(vec![cra(0), other(ms(40), 9), too_large, other(ms(200), 9), cra(320), leading(240)]);
    assert_eq!(fates[2..], [Fate::TooLarge, Fate::Skipped, Fate::Kept, Fate::BeforeGroup]);
}

#[test]
fn with_b_pictures_a_chunk_tells_the_pictures_shown_first_and_last() {
    let kinds = [FrameKind::Idr, FrameKind::Other, FrameKind::Other, FrameKind::Other];
    let times = [(-80, 0), (0, 120), (40, 40), (80, 80)];
    let frames = kinds.iter().zip(times).map(|(kind, (decoded, shown))| reordered(*kind, decoded, shown));
    let (chunks, ..) = run(frames.collect());
    assert_eq!(chunks.len(), 1);
    assert_eq!((chunks[0].first_utc, chunks[0].last_utc), (ms(0), ms(120)));
    let shown: Vec<UtcMicros> = chunks[0].frames.iter().map(|entry| chunks[0].utc_of(entry)).collect();
    assert_eq!(shown, [ms(0), ms(120), ms(40), ms(80)], "each picture's own time is told by the table");
}

#[test]
fn an_hour_that_has_turned_holds_no_picture_taken_before_it() {
    // The CRA picture is taken after the turn, but two that lead it before: the hour turns with the next group.
    let frames = vec![
        reordered(FrameKind::Idr, -2_080, -2_000),
        reordered(FrameKind::Cra, -40, 40),
        reordered(FrameKind::Leading, 0, -40),
        reordered(FrameKind::Leading, 10, 0),
        reordered(FrameKind::Cra, 1_960, 2_040),
        reordered(FrameKind::Leading, 2_000, 1_960),
        reordered(FrameKind::Other, 2_010, 2_080),
    ];
    let (chunks, fates, headless) = run(frames);
    assert!(fates.iter().all(|fate| *fate == Fate::Kept) && headless.is_empty());
    let before = LENGTH.hour_of(ms(-1));
    let hours: Vec<_> = chunks.iter().map(|chunk| (chunk.hour, chunk.frames.len())).collect();
    assert_eq!(hours, [(before, 1), (before, 3), (before.plus(1), 3)]);
    assert_eq!((chunks[1].first_utc, chunks[1].last_utc), (ms(-40), ms(40)));
}

/// Kind, step since the last picture in ms, size.
fn pictures() -> impl Strategy<Value = Vec<(bool, i64, usize)>> {
    let size = prop_oneof![8 => 1usize..20_000, 2 => 100_000usize..400_000];
    prop::collection::vec((prop::bool::weighted(0.1), 0i64..900, size), 1..120)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_picture_is_lost_or_doubled_and_all_bounds_hold(pictures in pictures(), start in -30_000i64..30_000) {
        let mut chunker = Chunker::new(STREAM, LENGTH, Arc::default());
        let (mut now, mut ticked) = (start, start);
        let (mut kept, mut chunks) = (Vec::new(), Vec::new());
        // The first is a group start, so that all are kept.
        for (n, (group, step, size)) in pictures.into_iter().enumerate() {
            now += step;
            while ticked + 100 <= now {
                ticked += 100;
                let chunk = chunker.tick(ms(ticked));
                if let Some(chunk) = &chunk {
                    prop_assert!(ticked - 700 <= chunk.first_utc.since(HOUR) / 1_000, "age at a tick");
                }
                chunks.extend(chunk);
            }
            let kind = if group || n == 0 { FrameKind::Idr } else { FrameKind::Other };
            let mut picture = frame(kind, ms(now), size);
            (picture.dts, picture.pts) = (MediaTicks(n as i64), MediaTicks(n as i64));
            kept.push((picture.dts, picture.kind, picture.data.len()));
            let out = chunker.push(picture, ms(now));
            prop_assert_eq!(out.fate, Fate::Kept);
            prop_assert!(out.chunks.len() <= 2);
            chunks.extend(out.chunks);
        }
        chunks.extend(chunker.end_session());
        let stored: Vec<_> =
            chunks.iter().flat_map(|chunk| &chunk.frames).map(|entry| (entry.dts, entry.kind, entry.size as usize)).collect();
        prop_assert_eq!(stored, kept);
        for chunk in &chunks {
            prop_assert!(!chunk.frames.is_empty() && chunk.frames.len() <= CHUNK_FRAMES_MAX);
            prop_assert_eq!(chunk.data.len(), chunk.frames.iter().map(|entry| entry.size as usize).sum::<usize>());
            prop_assert!(chunk.data.len() <= limit::CHUNK_BYTES_MAX || chunk.frames.len() == 1);
            prop_assert!(chunk.last_utc.since(chunk.first_utc) < AGE_MICROS_MAX);
            prop_assert!(chunk.frames[1..].iter().all(|entry| !entry.kind.starts_group()));
            prop_assert_eq!(chunk.parameters.is_some(), chunk.frames[0].kind.starts_group());
            prop_assert!(chunk.hour.start() <= chunk.first_utc);
            prop_assert!(chunk.last_utc < chunk.hour.end().plus_micros(TURN_MICROS_MAX));
            prop_assert!(!chunk.starts_group() || chunk.hour.span().holds(chunk.first_utc));
        }
        prop_assert!(chunks.windows(2).all(|pair| pair[0].hour <= pair[1].hour));
    }
}
