//! What the crate claims about MP4, with and without fragments, checked by FFmpeg and by a second, independent parser.

mod annexb;

use bytes::Bytes;
use domain::{Codec, MediaTicks, UtcMicros};
use media::codec::{classify, parameter_sets, reorder_depth, without_parameter_sets};
use media::fmp4::{FRAGMENT_SAMPLES_MAX, Fragmenter, Sample, TimelineFrame, fragment, init_segment};
use media::mp4::{Movie, MovieBuilder};
use media::{FrameEntry, FrameKind, MediaError, ParameterSets, Reorder, h264::avcc_from_sets, h265::hvcc_from_sets};
use mp4_atom::{Any, Decode, Moof};
use std::path::Path;
use std::process::Command;

/// Pictures as a recorder would have them, with the times FFmpeg gave them.
struct Made {
    parameters: ParameterSets,
    frames: Vec<TimelineFrame>,
}

/// Where the timeline of the tests begins: beyond 32 bits, as a day's ticks soon are.
const BASE: i64 = 5_000_000_000;

fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("cannot run `{program}` ({error}): install FFmpeg (`make test` does)"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && errors.is_empty(), "{program} {arguments:?}:\n{errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// Encodes the test picture, takes the byte stream apart, and gives each picture the times of FFmpeg's own MP4.
fn make(folder: &Path, name: &str, codec: Codec, encoder: &[&str]) -> Made {
    let mp4 = folder.join(format!("{name}.mp4"));
    let annexb = folder.join(format!("{name}.annexb"));
    let (mp4, annexb) = (mp4.to_str().unwrap(), annexb.to_str().unwrap());
    let (library, filter, format) = match codec {
        Codec::H264 => ("libx264", "h264_mp4toannexb", "h264"),
        Codec::H265 => ("libx265", "hevc_mp4toannexb", "hevc"),
    };
    let source =
        ["-v", "error", "-f", "lavfi", "-i", "testsrc2=size=322x182:rate=25:duration=4", "-pix_fmt", "yuv420p"];
    let end = ["-c:v", library, "-g", "20", "-video_track_timescale", "90000", mp4];
    run("ffmpeg", &[&source[..], &end[..4], encoder, &end[4..]].concat());
    run("ffmpeg", &["-v", "error", "-i", mp4, "-c", "copy", "-bsf:v", filter, "-f", format, annexb]);
    let stream = std::fs::read(annexb).unwrap();
    let units = annexb::units(&stream);
    let set = |kind: u8| {
        let of = |unit: &&&[u8]| match codec {
            Codec::H264 => unit[0] & 0x1f == kind,
            Codec::H265 => unit[0] >> 1 & 0x3f == kind,
        };
        *units.iter().find(of).unwrap()
    };
    let (record, pictures) = match codec {
        Codec::H264 => (avcc_from_sets(&[set(7)], &[set(8)]), annexb::access_units(&units)),
        Codec::H265 => (hvcc_from_sets(&[set(32)], &[set(33)], &[set(34)]), annexb::access_units_h265(&units)),
    };
    let parameters = parameter_sets(codec, &record.unwrap()).unwrap();
    let packets = packets(mp4);
    assert_eq!(pictures.len(), packets.len(), "the test's own splitting finds every picture");
    let first_dts = packets[0].dts;
    let frame = |(picture, packet): (Vec<u8>, &Packet)| {
        let stripped = without_parameter_sets(codec, &picture.into()).unwrap();
        TimelineFrame {
            kind: classify(codec, &stripped).unwrap(),
            dts: MediaTicks(BASE + packet.dts - first_dts),
            pts: MediaTicks(BASE + packet.pts - first_dts),
            data: stripped,
        }
    };
    Made { parameters, frames: pictures.into_iter().zip(&packets).map(frame).collect() }
}

#[derive(PartialEq, Eq, Debug)]
struct Packet {
    pts: i64,
    dts: i64,
    size: usize,
    key: bool,
}

fn packets(file: &str) -> Vec<Packet> {
    let fields = ["-show_entries", "packet=pts,dts,size,flags", "-of", "csv=p=0", file];
    let text = run("ffprobe", &[&["-v", "error", "-select_streams", "v"], &fields[..]].concat());
    let number = |text: &str| text.parse::<i64>().unwrap();
    let packet = |line: &str| {
        let parts: Vec<_> = line.split(',').collect();
        let (pts, dts, size) = (number(parts[0]), number(parts[1]), number(parts[2]) as usize);
        Packet { pts, dts, size, key: parts[3].starts_with('K') }
    };
    text.lines().map(packet).collect()
}

/// Fragments of `per_fragment` frames each.
fn mux(made: &Made, per_fragment: usize) -> (Vec<u8>, usize) {
    let mut file = init_segment(&made.parameters).unwrap();
    let mut fragmenter = Fragmenter::new();
    let mut fragments = Vec::new();
    for frames in made.frames.chunks(per_fragment) {
        for frame in frames {
            fragmenter.push(frame.clone()).unwrap();
        }
        fragments.extend(fragmenter.take().unwrap());
    }
    fragments.extend(fragmenter.finish().unwrap());
    file.extend(fragments.concat());
    (file, fragments.len())
}

/// MD5 of each decoded picture, without times.
fn decoded(file: &str) -> Vec<String> {
    let text = run("ffmpeg", &["-v", "error", "-i", file, "-fps_mode", "passthrough", "-f", "framemd5", "-"]);
    let last = |line: &str| line.rsplit(',').next().unwrap().trim().to_owned();
    text.lines().filter(|line| !line.starts_with('#')).map(last).collect()
}

fn check_with_ffmpeg_and_mp4_atom(name: &str, codec: Codec, encoder: &[&str], starts: FrameKind) -> Made {
    let folder = tempfile::tempdir().unwrap();
    let made = make(folder.path(), name, codec, encoder);
    assert_eq!((made.parameters.width, made.parameters.height), (322, 182), "after cropping");
    assert_eq!(made.frames[0].kind, FrameKind::Idr);
    assert_eq!(made.frames.iter().skip(1).filter(|frame| frame.kind == starts).count(), 4, "a group each 20 of 100");
    for per_fragment in [1, 12, 1000] {
        let (bytes, fragments) = mux(&made, per_fragment);
        let file = folder.path().join(format!("{name}-{per_fragment}.fmp4"));
        std::fs::write(&file, &bytes).unwrap();
        let file = file.to_str().unwrap();
        let count =
            ["-v", "error", "-count_packets", "-show_entries", "stream=nb_read_packets", "-of", "csv=p=0", file];
        assert_eq!(run("ffprobe", &count).trim(), "100");
        let expected: Vec<_> = made.frames.iter().map(expected_packet).collect();
        assert_eq!(packets(file), expected);
        let original = folder.path().join(format!("{name}.mp4"));
        assert_eq!(decoded(file), decoded(original.to_str().unwrap()), "the decoded pictures are the same");
        check_boxes(&bytes, fragments);
    }
    check_whole(&made, folder.path(), name);
    check_reordering(&made);
    made
}

/// The same pictures in a file without fragments: FFmpeg, another parser and our own reader find them as they are.
fn check_whole(made: &Made, folder: &Path, name: &str) {
    let entry = |frame: &TimelineFrame| FrameEntry {
        kind: frame.kind,
        dts: frame.dts,
        pts: frame.pts,
        size: frame.data.len() as u32,
    };
    let mut builder = MovieBuilder::new(&made.parameters, UtcMicros(1_773_324_000_250_000)).unwrap();
    let mut bytes = builder.head().unwrap();
    let mut before = None;
    // runs that begin in the middle of a group, as reels do
    for frames in made.frames.chunks(33) {
        bytes.extend(builder.run(frames.iter().map(|frame| frame.data.len() as u64).sum()));
        for frame in frames {
            builder.push(&entry(frame), before).unwrap();
            before = Some(frame.dts);
            bytes.extend_from_slice(&frame.data);
        }
    }
    let moov_box = builder.finish().unwrap();
    bytes.extend_from_slice(&moov_box);
    let file = folder.join(format!("{name}-whole.mp4"));
    std::fs::write(&file, &bytes).unwrap();
    let file = file.to_str().unwrap();
    // an edit list begins with the picture that is shown first
    let shown = made.frames.iter().map(|frame| frame.pts.0).min().unwrap();
    let expected: Vec<_> = made.frames.iter().map(expected_packet).collect();
    let expected: Vec<_> = expected
        .into_iter()
        .map(|packet| Packet { pts: packet.pts - shown, dts: packet.dts - shown, ..packet })
        .collect();
    assert_eq!(packets(file), expected);
    let original = folder.join(format!("{name}.mp4"));
    assert_eq!(decoded(file), decoded(original.to_str().unwrap()), "the decoded pictures are the same");
    let taken = ["-v", "error", "-show_entries", "format_tags=creation_time", "-of", "csv=p=0", file];
    assert_eq!(run("ffprobe", &taken).trim(), "2026-03-12T14:00:00.000000Z");
    let mut rest = &bytes[..];
    let mut kinds = Vec::new();
    while !rest.is_empty() {
        kinds.push(match Any::decode(&mut rest).unwrap() {
            Any::Ftyp(_) => "ftyp",
            Any::Mdat(_) => "mdat",
            Any::Moov(moov) => {
                assert_eq!(
                    moov.trak[0].mdia.minf.stbl.stsz.samples,
                    mp4_atom::StszSamples::Different {
                        sizes: made.frames.iter().map(|frame| frame.data.len() as u32).collect()
                    }
                );
                "moov"
            }
            other => panic!("unexpected {other:?}"),
        });
    }
    assert_eq!(kinds, ["ftyp", "mdat", "mdat", "mdat", "mdat", "moov"]);
    let movie = Movie::from_moov(&moov_box).unwrap();
    assert!(movie.is_coded_by(&made.parameters));
    for (frame, sample) in made.frames.iter().zip(&movie.samples) {
        let from = sample.offset as usize;
        assert_eq!(bytes[from..from + sample.size as usize], frame.data);
        assert_eq!(sample.dts as i64, frame.dts.0 - made.frames[0].dts.0);
        assert_eq!(sample.composition_offset, frame.pts.0 - frame.dts.0);
        assert_eq!(sample.is_sync, frame.kind.starts_group());
    }
    assert_eq!(movie.samples.len(), made.frames.len());
}

/// RTP tells presentation times in decoding order: from these alone come decoding times that FFmpeg's own do not contradict.
fn check_reordering(made: &Made) {
    let mut reorder = Reorder::default();
    reorder.expect_depth(reorder_depth(&made.parameters));
    let times: Vec<_> = made.frames.iter().map(|frame| reorder.place(frame.pts).unwrap()).collect();
    assert!(times.windows(2).all(|pair| pair[0].dts < pair[1].dts));
    assert!(times.iter().zip(&made.frames).all(|(times, frame)| times.dts <= times.pts && times.pts == frame.pts));
    let lag = |times: &media::Times| times.pts.0 - times.dts.0;
    assert!(times.iter().all(|times| lag(times) <= 8 * 3_600), "no picture is decoded long before it is shown");
    let reordered = made.frames.windows(2).any(|pair| pair[1].pts < pair[0].pts);
    assert_eq!(reordered, times[20..].iter().any(|times| lag(times) > 0));
}

fn expected_packet(frame: &TimelineFrame) -> Packet {
    Packet { pts: frame.pts.0, dts: frame.dts.0, size: frame.data.len(), key: frame.kind.starts_group() }
}

/// ftyp, moov, then moof and mdat in turn, and no rest; each tfdt after the end of the fragment before.
fn check_boxes(bytes: &[u8], fragments: usize) {
    let mut kinds = Vec::new();
    let mut earliest = 0;
    let mut rest = bytes;
    while !rest.is_empty() {
        let before = rest.len();
        match Any::decode(&mut rest).unwrap() {
            Any::Ftyp(_) => kinds.push("ftyp"),
            Any::Moov(moov) => {
                assert_eq!((moov.trak.len(), moov.trak[0].tkhd.track_id), (1, 1));
                assert_eq!(moov.trak[0].mdia.mdhd.timescale, 90_000);
                assert!(moov.trak[0].edts.is_none() && moov.mvex.is_some());
                kinds.push("moov");
            }
            Any::Moof(moof) => {
                earliest = check_moof(&moof, kinds.len() as u32 / 2, earliest, before - rest.len());
                kinds.push("moof");
            }
            Any::Mdat(_) => kinds.push("mdat"),
            other => panic!("unexpected {other:?}"),
        }
    }
    let expected: Vec<_> = ["ftyp", "moov"].into_iter().chain(["moof", "mdat"].repeat(fragments)).collect();
    assert_eq!(kinds, expected);
}

/// The end of the fragment.
fn check_moof(moof: &Moof, sequence: u32, earliest: u64, moof_bytes: usize) -> u64 {
    let [traf] = moof.traf.as_slice() else { panic!("one track fragment") };
    let [trun] = traf.trun.as_slice() else { panic!("one run") };
    let base = traf.tfdt.as_ref().unwrap().base_media_decode_time;
    assert_eq!(moof.mfhd.sequence_number, sequence);
    assert!(base >= earliest, "fragments may not overlap: {base} before {earliest}");
    assert!(traf.tfhd.default_base_is_moof && traf.tfhd.track_id == 1);
    assert_eq!(trun.data_offset, Some(moof_bytes as i32 + 8));
    base + trun.samples.iter().map(|sample| u64::from(sample.duration.unwrap())).sum::<u64>()
}

#[test]
fn pictures_without_reordering_come_out_of_ffmpeg_as_they_went_in() {
    check_with_ffmpeg_and_mp4_atom("plain", Codec::H264, &["-bf", "0", "-sc_threshold", "0"], FrameKind::Idr);
}

#[test]
fn pictures_with_reordering_come_out_of_ffmpeg_as_they_went_in() {
    check_with_ffmpeg_and_mp4_atom("reordered", Codec::H264, &["-bf", "2", "-sc_threshold", "0"], FrameKind::Idr);
}

#[test]
fn pictures_of_several_slices_and_baseline_profile_come_out_as_they_went_in() {
    let encoder = ["-profile:v", "baseline", "-x264-params", "slices=4", "-sc_threshold", "0"];
    check_with_ffmpeg_and_mp4_atom("sliced", Codec::H264, &encoder, FrameKind::Idr);
}

#[test]
fn open_groups_start_at_recovery_points() {
    let encoder = ["-bf", "2", "-b_strategy", "0", "-sc_threshold", "0", "-x264-params", "open-gop=1"];
    check_with_ffmpeg_and_mp4_atom("open", Codec::H264, &encoder, FrameKind::RecoveryPoint);
}

#[test]
fn pictures_of_h265_come_out_of_ffmpeg_as_they_went_in() {
    let encoder =
        ["-tag:v", "hvc1", "-x265-params", "bframes=3:b-pyramid=1:open-gop=0:scenecut=0:min-keyint=20:log-level=none"];
    let made = check_with_ffmpeg_and_mp4_atom("closed", Codec::H265, &encoder, FrameKind::Idr);
    assert!(made.frames.iter().all(|frame| frame.kind != FrameKind::Leading));
}

#[test]
fn open_groups_of_h265_start_at_cra_pictures_with_leading_pictures_behind_them() {
    let encoder =
        ["-tag:v", "hvc1", "-x265-params", "bframes=3:b-adapt=0:open-gop=1:scenecut=0:min-keyint=20:log-level=none"];
    let made = check_with_ffmpeg_and_mp4_atom("cra", Codec::H265, &encoder, FrameKind::Cra);
    let group = made.frames.iter().skip(1).position(|frame| frame.kind == FrameKind::Cra).unwrap() + 1;
    let leading: Vec<_> =
        made.frames[group + 1..].iter().take_while(|frame| frame.kind == FrameKind::Leading).collect();
    assert!(!leading.is_empty() && leading.iter().all(|frame| frame.pts < made.frames[group].pts));
    let all = made.frames.iter().filter(|frame| frame.kind == FrameKind::Leading);
    assert!(all.count() >= 4 * leading.len(), "behind each");
}

fn parameters_of(config: Vec<u8>) -> ParameterSets {
    ParameterSets { codec: Codec::H264, config: config.into(), width: 64, height: 64 }
}

fn avcc_in(segment: &[u8]) -> Vec<u8> {
    let at = segment.windows(4).position(|four| four == b"avcC").unwrap();
    let bytes = u32::from_be_bytes(segment[at - 4..at].try_into().unwrap()) as usize;
    segment[at + 4..at - 4 + bytes].to_vec()
}

#[test]
fn the_parameter_sets_in_the_init_segment_are_those_given() {
    const SPS_HIGH: &[u8] = &[
        0x67, 0x64, 0x00, 0x0a, 0xac, 0x72, 0x84, 0x44, 0x26, 0x84, 0x00, 0x00, 0x03, 0x00, 0x04, 0x00, 0x00, 0x03,
        0x00, 0xca, 0x3c, 0x48, 0x96, 0x11, 0x80,
    ];
    let full = avcc_from_sets(&[SPS_HIGH], &[&[0x68, 0xee, 0x3c, 0x80]]).unwrap();
    assert_eq!(avcc_in(&init_segment(&parameters_of(full.clone())).unwrap()), full);
    let without_chroma = full[..full.len() - 4].to_vec();
    assert_eq!(avcc_in(&init_segment(&parameters_of(without_chroma)).unwrap()), full, "the four bytes are filled in");
    let with_extension = [&full[..full.len() - 1], &[1, 0, 2, 13, 0x80]].concat();
    assert_eq!(avcc_in(&init_segment(&parameters_of(with_extension.clone())).unwrap()), with_extension);
}

#[test]
fn a_record_of_the_other_codec_is_refused() {
    let mut parameters = parameters_of(avcc_from_sets(&[&[0x67, 0x4d, 0x40, 0x1e, 0x9a]], &[&[0x68, 0xee]]).unwrap());
    assert!(init_segment(&parameters).is_ok());
    parameters.codec = Codec::H265;
    assert!(matches!(init_segment(&parameters), Err(MediaError::HvccCut { .. } | MediaError::HvccLengthSize { .. })));
}

fn sample(data: &[u8]) -> Sample<'_> {
    Sample { data, duration: 3600, composition_offset: -7, starts_group: false }
}

#[test]
fn the_largest_fragment_is_read_back_and_a_larger_one_refused() {
    let data = [1, 2, 3];
    let mut samples = vec![sample(&data); FRAGMENT_SAMPLES_MAX];
    samples[0].starts_group = true;
    let bytes = fragment(9, u64::MAX - 5, &samples).unwrap();
    let Any::Moof(moof) = Any::decode(&mut bytes.as_slice()).unwrap() else { panic!("a moof first") };
    assert_eq!(moof.traf[0].tfdt.as_ref().unwrap().base_media_decode_time, u64::MAX - 5);
    let read: Vec<_> = moof.traf[0].trun[0].samples.iter().collect();
    assert_eq!(read.len(), FRAGMENT_SAMPLES_MAX);
    assert!(read.iter().all(|entry| (entry.duration, entry.size, entry.cts) == (Some(3600), Some(3), Some(-7))));
    assert_eq!((read[0].flags, read[1].flags), (Some(0x0200_0000), Some(0x0101_0000)));
    samples.push(sample(&data));
    assert!(matches!(fragment(1, 0, &samples), Err(MediaError::FragmentTooLong { .. })));
    let picture = vec![7; 8 << 20];
    let bytes = fragment(1, 0, &[sample(&picture)]).unwrap();
    assert!(bytes.ends_with(&picture) && bytes.len() == picture.len() + 8 + 88 + 16);
    assert!(matches!(fragment(1, 0, &[sample(&picture); 129]), Err(MediaError::FragmentTooLarge { .. })));
    assert!(matches!(fragment(1, 0, &[sample(&[7; (8 << 20) + 1])]), Err(MediaError::SampleSize { index: 0, .. })));
    assert_eq!(fragment(1, 0, &[]), Err(MediaError::FragmentEmpty));
    assert!(matches!(fragment(1, 0, &[sample(&[])]), Err(MediaError::SampleSize { .. })));
}

mod timeline {
    //! What the fragmenter does with times.

    use super::*;
    use proptest::prelude::*;

    fn frame(dts: i64) -> TimelineFrame {
        let data = Bytes::from_static(&[0, 0, 0, 1, 0x41]);
        TimelineFrame { kind: FrameKind::Other, dts: MediaTicks(dts), pts: MediaTicks(dts.saturating_add(100)), data }
    }

    /// Start and durations of each fragment.
    fn runs(fragments: &[Vec<u8>]) -> Vec<(u64, Vec<u32>)> {
        let run = |bytes: &Vec<u8>| {
            let Any::Moof(moof) = Any::decode(&mut bytes.as_slice()).unwrap() else { panic!("a moof first") };
            let entries: Vec<_> = moof.traf[0].trun[0].samples.iter().collect();
            assert!(entries.iter().all(|entry| entry.cts == Some(100)));
            let durations = entries.iter().map(|entry| entry.duration.unwrap()).collect();
            (moof.traf[0].tfdt.as_ref().unwrap().base_media_decode_time, durations)
        };
        fragments.iter().map(run).collect()
    }

    fn check(dts: &[i64], expected: &[(u64, &[u32])]) {
        let mut fragmenter = Fragmenter::new();
        for &dts in dts {
            fragmenter.push(frame(dts)).unwrap();
        }
        let found = runs(&fragmenter.finish().unwrap());
        let found: Vec<_> = found.iter().map(|(base, durations)| (*base, durations.as_slice())).collect();
        assert_eq!(found, expected, "{dts:?}");
    }

    #[test]
    fn a_frame_lasts_until_the_next_and_the_last_as_long_as_the_one_before() {
        check(&[], &[]);
        check(&[500], &[(500, &[3600])]);
        check(&[500, 3500, 9500], &[(500, &[3000, 6000, 6000])]);
    }

    #[test]
    fn a_gap_stays_a_gap() {
        check(&[0, 3000, 93_001, 96_001], &[(0, &[3000, 3000]), (93_001, &[3000, 3000])]);
        check(&[0, 3000, 93_000], &[(0, &[3000, 90_000, 90_000])]);
    }

    #[test]
    fn a_step_back_is_moved_to_one_tick_after_the_frame_before() {
        check(&[9000, 12_000, 5000, 8000, 15_000], &[(9000, &[3000, 1, 1, 2998, 2998])]);
        check(&[-50, 0, 3000], &[(0, &[1, 2999, 2999])]);
    }

    #[test]
    fn one_frame_is_held_back_until_its_duration_is_known() {
        let mut fragmenter = Fragmenter::new();
        fragmenter.push(frame(0)).unwrap();
        assert_eq!(fragmenter.take().unwrap(), None);
        fragmenter.push(frame(3000)).unwrap();
        assert_eq!(runs(&[fragmenter.take().unwrap().unwrap()]), [(0, vec![3000])]);
        assert_eq!(fragmenter.take().unwrap(), None);
        assert_eq!(runs(&fragmenter.finish().unwrap()), [(3000, vec![3000])]);
        fragmenter.push(frame(5000)).unwrap();
        assert_eq!(runs(&fragmenter.finish().unwrap()), [(6000, vec![3000])], "the end promised before is kept");
    }

    #[test]
    fn a_frame_without_data_is_refused_and_the_next_one_taken() {
        let mut fragmenter = Fragmenter::new();
        let empty = TimelineFrame { data: Bytes::new(), ..frame(0) };
        assert!(matches!(fragmenter.push(empty), Err(MediaError::SampleSize { .. })));
        fragmenter.push(frame(10)).unwrap();
        assert_eq!(runs(&fragmenter.finish().unwrap()), [(10, vec![3600])]);
    }

    proptest! {
        #[test]
        fn no_frame_is_lost_and_no_fragment_overlaps(
            dts in proptest::collection::vec(prop_oneof![0i64..400_000, any::<i64>()], 0..40),
            finish_after in 0usize..40,
        ) {
            let mut fragmenter = Fragmenter::new();
            let mut fragments = Vec::new();
            for (index, &dts) in dts.iter().enumerate() {
                let mut frame = frame(dts);
                frame.pts = MediaTicks(dts);
                fragmenter.push(frame).unwrap();
                if index == finish_after {
                    fragments.extend(fragmenter.finish().unwrap());
                }
                fragments.extend(fragmenter.take().unwrap());
            }
            fragments.extend(fragmenter.finish().unwrap());
            let (mut earliest, mut frames) = (0, 0);
            for (index, bytes) in fragments.iter().enumerate() {
                let Any::Moof(moof) = Any::decode(&mut bytes.as_slice()).unwrap() else { panic!("a moof first") };
                let entries: Vec<_> = moof.traf[0].trun[0].samples.iter().collect();
                prop_assert!(entries.iter().all(|entry| (1..=90_000).contains(&entry.duration.unwrap())));
                earliest = check_moof(&moof, index as u32 + 1, earliest, 88 + 16 * entries.len());
                frames += entries.len();
            }
            prop_assert_eq!(frames, dts.len());
        }
    }
}
