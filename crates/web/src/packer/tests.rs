//! The packer over pictures made here: what comes out when, and where it stands on the timeline.

use super::*;
use domain::{CameraId, Codec, HourLength, StreamId};
use media::{FrameEntry, FrameKind};

const START: UtcMicros = UtcMicros(1_700_000_000_000_000);
const STEP: i64 = 3_600;

/// A baseline record with one sequence and one picture parameter set; `level` makes it another one.
fn parameters(level: u8) -> ParameterSets {
    let sps = [0x67, 0x42, 0xc0, level, 0xd9, 0x00, 0xa0, 0x5b, 0x20];
    let pps = [0x68, 0xce, 0x3c, 0x80];
    let mut config = vec![1, 0x42, 0xc0, level, 0xff, 0xe1, 0, sps.len() as u8];
    config.extend_from_slice(&sps);
    config.extend_from_slice(&[1, 0, pps.len() as u8]);
    config.extend_from_slice(&pps);
    ParameterSets { codec: Codec::H264, config: config.into(), width: 640, height: 360 }
}

/// Picture `n` at 25 frames/s; every tenth starts a group.
fn frame(n: i64) -> Frame {
    let starts = n % 10 == 0;
    Frame {
        kind: if starts { FrameKind::Idr } else { FrameKind::Other },
        utc: START.plus_micros(n * 40_000),
        dts: MediaTicks(77_000 + n * STEP),
        pts: MediaTicks(77_000 + n * STEP),
        data: vec![0, 0, 0, 1, n as u8].into(),
        parameters: starts.then(|| parameters(30)),
    }
}

/// Kinds of the boxes at the top level, in order.
fn boxes(bytes: &[u8]) -> Vec<String> {
    let mut kinds = Vec::new();
    let mut rest = bytes;
    while let Some(head) = rest.first_chunk::<8>() {
        let size = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
        kinds.push(String::from_utf8_lossy(&head[4..]).into_owned());
        rest = &rest[size..];
    }
    kinds
}

/// (decoding time, pictures) of each fragment.
fn fragments(bytes: &[u8]) -> Vec<(u64, u32)> {
    let find = |kind: &[u8]| -> Vec<usize> {
        bytes.windows(4).enumerate().filter(|(_, four)| *four == kind).map(|(at, _)| at + 4).collect()
    };
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    let times = find(b"tfdt").into_iter().map(|at| u64::from(number(at + 4)) << 32 | u64::from(number(at + 8)));
    times.zip(find(b"trun").into_iter().map(|at| number(at + 4))).collect()
}

fn live(packer: &mut Packer, frames: impl Iterator<Item = Frame>) -> Vec<Bytes> {
    frames
        .filter_map(|frame| {
            packer.push(frame).unwrap();
            packer.take_due().unwrap()
        })
        .collect()
}

#[test]
fn live_gives_the_init_segment_at_once_and_a_fragment_each_fifth_of_a_second() {
    let mut packer = Packer::default();
    let out = live(&mut packer, (0..16).map(frame));
    assert_eq!(boxes(&out[0]), ["ftyp", "moov"], "the first picture's duration is not known yet");
    assert_eq!(fragments(&out.concat()), [(0, 5), (18_000, 5), (36_000, 5)]);
    assert_eq!(packer.head().unwrap().start, START);
    assert_eq!(packer.head().unwrap().content_type, "video/mp4; codecs=\"avc1.42c01e\"");
}

#[test]
fn nothing_comes_before_a_group_starts() {
    let mut packer = Packer::default();
    assert!(live(&mut packer, (3..10).map(frame)).is_empty());
    assert_eq!(packer.head(), None);
    assert_eq!(live(&mut packer, (10..16).map(frame)).len(), 2);
    assert_eq!(packer.head().unwrap().start, frame(10).utc);
}

#[test]
fn after_a_jump_the_stream_goes_on_at_the_next_group_where_utc_puts_it() {
    let mut packer = Packer::default();
    live(&mut packer, (0..6).map(frame));
    packer.jump();
    let out = live(&mut packer, (7..26).map(frame));
    let times: Vec<u64> = fragments(&out.concat()).iter().map(|(at, _)| *at).collect();
    assert_eq!(times, [18_000, 36_000, 54_000, 72_000], "picture 5 held back, then from picture 10");
    assert!(!boxes(&out.concat()).contains(&"moov".to_owned()), "the same parameter sets need no new init segment");
}

#[test]
fn other_parameter_sets_bring_a_new_init_segment_after_the_pictures_before_them() {
    let mut packer = Packer::default();
    let changed = Frame { parameters: Some(parameters(31)), ..frame(10) };
    let out = live(&mut packer, (0..10).map(frame).chain([changed]).chain((11..16).map(frame))).concat();
    assert_eq!(
        boxes(&out),
        ["ftyp", "moov", "moof", "mdat", "moof", "mdat", "ftyp", "moov", "moof", "mdat"],
        "five, five, then the new sets"
    );
    assert_eq!(fragments(&out), [(0, 5), (18_000, 5), (36_000, 5)]);
}

#[test]
fn a_picture_of_impossible_size_ends_its_group_only() {
    let mut packer = Packer::default();
    let empty = Frame { data: Bytes::new(), ..frame(2) };
    let mut out = live(&mut packer, [frame(0), frame(1), empty, frame(3), frame(10), frame(11)].into_iter());
    out.extend(packer.finish().unwrap());
    assert_eq!(fragments(&out.concat()).iter().map(|(_, count)| count).sum::<u32>(), 4);
}

#[test]
fn parameter_sets_that_cannot_be_read_are_an_error_and_no_broken_bytes() {
    let mut packer = Packer::default();
    let sets = ParameterSets { codec: Codec::H265, ..parameters(30) };
    assert!(packer.push(Frame { parameters: Some(sets), ..frame(0) }).is_err());
    assert_eq!(packer.take().unwrap(), None);
}

/// Picture decoded as the n-th and shown as the `shown`-th, of an open group structure: CRA, two that lead it, one behind.
fn reordered(n: i64) -> Frame {
    let (kind, shown) = match n % 4 {
        0 => (FrameKind::Cra, n + 2),
        1 | 2 => (FrameKind::Leading, n - 1),
        _ => (FrameKind::Other, n),
    };
    Frame {
        kind,
        utc: START.plus_micros(shown * 40_000),
        dts: MediaTicks((n - 2) * STEP),
        pts: MediaTicks(shown * STEP),
        data: vec![0, 0, 0, 1, n as u8].into(),
        parameters: (kind == FrameKind::Cra).then(|| parameters(30)),
    }
}

/// The last byte of each picture given out, in order: which it was.
fn pictures(bytes: &[u8]) -> Vec<u8> {
    let starts = bytes.windows(4).enumerate().filter(|(_, four)| *four == [0, 0, 0, 1]);
    let is_picture = |at: &usize| bytes.get(at + 4..).is_some_and(|after| !after.is_empty());
    let in_mdat = bytes.windows(4).position(|four| four == b"mdat").unwrap_or(bytes.len());
    starts.map(|(at, _)| at).filter(|at| *at > in_mdat && is_picture(at)).map(|at| bytes[at + 4]).collect()
}

#[test]
fn pictures_that_lead_a_group_are_left_out_where_the_stream_begins_and_given_out_where_it_runs_on() {
    let mut packer = Packer::default();
    let mut out = live(&mut packer, (4..12).map(reordered));
    out.extend(packer.finish().unwrap());
    let fragments: u32 = fragments(&out.concat()).iter().map(|(_, count)| count).sum();
    assert_eq!(fragments, 6, "4, 7, then 8 to 11");
    packer.jump();
    let after: Vec<Bytes> =
        live(&mut packer, (12..16).map(reordered)).into_iter().chain(packer.finish().unwrap()).collect();
    assert_eq!(self::fragments(&after.concat()).iter().map(|(_, count)| count).sum::<u32>(), 2, "12 and 15");
    assert!(pictures(&after.concat()).iter().all(|n| [12, 15].contains(n)));
}

#[test]
fn time_0_is_when_the_first_picture_is_decoded_and_each_picture_is_shown_at_its_own_utc() {
    let mut packer = Packer::default();
    packer.push(reordered(4)).unwrap();
    // decoded 4 pictures before it is shown
    assert_eq!(packer.head().unwrap().start, reordered(4).utc.plus_micros(-160_000));
}

#[test]
fn chunks_of_a_replay_give_the_same_timeline_as_their_frames() {
    let chunk = |from: i64| {
        let frames: Vec<Frame> = (from..from + 10).map(frame).collect();
        Chunk {
            stream: StreamId::main(CameraId([1; 16])),
            hour: HourLength::PRODUCT.hour_of(START),
            first_utc: frames[0].utc,
            last_utc: frames[9].utc,
            frames: frames
                .iter()
                .map(|f| FrameEntry { kind: f.kind, dts: f.dts, pts: f.pts, size: f.data.len() as u32 })
                .collect(),
            parameters: frames[0].parameters.clone(),
            data: frames.iter().flat_map(|frame| frame.data.to_vec()).collect(),
        }
    };
    let mut packer = Packer::default();
    let mut out = Vec::new();
    for chunk in [chunk(0), chunk(10), chunk(110)] {
        packer.push_chunk(chunk).unwrap();
        out.extend(packer.take().unwrap());
    }
    out.extend(packer.finish().unwrap());
    let out = out.concat();
    assert_eq!(fragments(&out), [(0, 9), (9 * 3_600, 10), (19 * 3_600, 1), (110 * 3_600, 9), (119 * 3_600, 1)]);
    assert_eq!(boxes(&out).iter().filter(|kind| *kind == "moov").count(), 1);
}
