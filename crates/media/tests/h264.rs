//! What the crate claims about NAL units and parameter sets.

mod annexb;

use bytes::Bytes;
use media::h264::{avcc_from_sets, classify, parameter_sets_from_avcc, strip_parameter_sets, unit_type};
use media::{FrameKind, MediaError, codec::codec_string, nal::nal_units};
use proptest::prelude::*;
use std::path::Path;

/// 64 x 64, High profile, level 1.0 (from h264-reader's own tests).
const SPS_HIGH: &[u8] = &[
    0x67, 0x64, 0x00, 0x0a, 0xac, 0x72, 0x84, 0x44, 0x26, 0x84, 0x00, 0x00, 0x03, 0x00, 0x04, 0x00, 0x00, 0x03, 0x00,
    0xca, 0x3c, 0x48, 0x96, 0x11, 0x80,
];
/// Main profile, level 3.0, 320 x 240, with emulation prevention (a Hikvision 2CD2032-I, from h264-reader's tests).
const SPS_MAIN: &[u8] = &[
    0x67, 0x4d, 0x40, 0x1e, 0x9a, 0x66, 0x0a, 0x0f, 0xff, 0x35, 0x01, 0x01, 0x01, 0x40, 0x00, 0x00, 0xfa, 0x00, 0x00,
    0x03, 0x01, 0xf4, 0x01,
];
const PPS: &[u8] = &[0x68, 0xee, 0x3c, 0x80];

/// first_mb_in_slice 0 (`1`), slice_type 7, I (`0001000`); 5, P (`00110`).
const I_SLICE: &[u8] = &[0x41, 0b1000_1000, 0x80];
const P_SLICE: &[u8] = &[0x41, 0b1001_1000, 0x80];
const IDR_SLICE: &[u8] = &[0x65, 0b1000_1000, 0x80];
/// User data (type 5) of 2 bytes, then a recovery point (type 6) with recovery_frame_cnt 0 (`1`), exact_match_flag 1.
const SEI_RECOVERY_0: &[u8] = &[0x06, 5, 2, 0xaa, 0xbb, 6, 1, 0b1100_0100, 0x80];
/// recovery_frame_cnt 1 (`010`).
const SEI_RECOVERY_1: &[u8] = &[0x06, 6, 1, 0b0101_0001, 0x80];

fn access_unit(units: &[&[u8]]) -> Bytes {
    let mut bytes = Vec::new();
    for unit in units {
        bytes.extend_from_slice(&(unit.len() as u32).to_be_bytes());
        bytes.extend_from_slice(unit);
    }
    bytes.into()
}

fn check_kind(units: &[&[u8]], expected: FrameKind) {
    assert_eq!(classify(&access_unit(units)), Ok(expected), "{units:02x?}");
}

#[test]
fn a_picture_is_what_its_own_nal_types_say() {
    check_kind(&[IDR_SLICE], FrameKind::Idr);
    check_kind(&[SEI_RECOVERY_0, IDR_SLICE, IDR_SLICE], FrameKind::Idr);
    // The second field of an IDR picture is of type 1.
    check_kind(&[IDR_SLICE, P_SLICE], FrameKind::Idr);
    check_kind(&[I_SLICE], FrameKind::Other);
    check_kind(&[P_SLICE], FrameKind::Other);
    check_kind(&[SEI_RECOVERY_0], FrameKind::Other);
    check_kind(&[], FrameKind::Other);
}

#[test]
fn a_recovery_point_starts_a_group_only_at_count_0_and_with_intra_slices_alone() {
    check_kind(&[SEI_RECOVERY_0, I_SLICE], FrameKind::RecoveryPoint);
    check_kind(&[SEI_RECOVERY_0, I_SLICE, I_SLICE], FrameKind::RecoveryPoint);
    check_kind(&[SEI_RECOVERY_0, I_SLICE, P_SLICE], FrameKind::Other);
    check_kind(&[SEI_RECOVERY_0, P_SLICE], FrameKind::Other);
    check_kind(&[SEI_RECOVERY_1, I_SLICE], FrameKind::Other);
    // The message's size is a lie: nothing can be read.
    check_kind(&[&[0x06, 5, 200, 6, 1, 0xc4, 0x80], I_SLICE], FrameKind::Other);
    check_kind(&[&[0x06, 6, 0, 0xc4, 0x80], I_SLICE], FrameKind::Other);
}

#[test]
fn a_recovery_point_is_found_behind_emulation_prevention_and_a_long_message() {
    let mut sei = vec![0x06, 5, 255, 2];
    sei.extend([[0, 0, 3].as_slice(); 128].concat());
    // 128 times two bytes and one that is not counted: 256; one more makes 257.
    sei.extend([1, 6, 1, 0xc4, 0x80]);
    check_kind(&[&sei, I_SLICE], FrameKind::RecoveryPoint);
}

#[test]
fn lengths_that_do_not_fit_are_refused_with_their_position() {
    assert_eq!(classify(&[0, 0, 0]), Err(MediaError::NalLengthCut { at: 0 }));
    assert_eq!(classify(&[0, 0, 0, 0]), Err(MediaError::NalEmpty { at: 0 }));
    assert_eq!(
        classify(&[0, 0, 0, 1, 0x65, 0xff, 0xff, 0xff, 0xff, 1]),
        Err(MediaError::NalTooLong { at: 5, length: 0xffff_ffff, left: 1 })
    );
    assert_eq!(nal_units(&[0, 0, 0, 1, 0x65, 0]).count(), 2, "the iterator ends after the error");
}

#[test]
fn parameter_sets_are_taken_out_and_nothing_else() {
    let stripped =
        strip_parameter_sets(&access_unit(&[&[9, 0x10], SPS_HIGH, PPS, &[13, 1], SEI_RECOVERY_0, IDR_SLICE]));
    let stripped = stripped.unwrap();
    assert_eq!(stripped.access_unit, access_unit(&[&[9, 0x10], SEI_RECOVERY_0, IDR_SLICE]));
    assert_eq!(stripped.sequence_sets, [SPS_HIGH]);
    assert_eq!(stripped.picture_sets, [PPS]);
    assert_eq!(stripped.sequence_set_extensions, [[13u8, 1].as_slice()]);
}

#[test]
fn an_access_unit_without_parameter_sets_is_not_copied() {
    let whole = access_unit(&[SEI_RECOVERY_0, I_SLICE]);
    assert_eq!(strip_parameter_sets(&whole).unwrap().access_unit.as_ptr(), whole.as_ptr());
}

#[test]
fn an_avcc_record_gives_size_and_codec_string() {
    let high = parameter_sets_from_avcc(&avcc_from_sets(&[SPS_HIGH], &[PPS]).unwrap()).unwrap();
    assert_eq!((high.width, high.height, codec_string(&high).as_str()), (64, 64, "avc1.64000a"));
    let main = parameter_sets_from_avcc(&avcc_from_sets(&[SPS_MAIN, SPS_MAIN], &[PPS, PPS]).unwrap()).unwrap();
    assert_eq!((main.width, main.height, codec_string(&main).as_str()), (320, 240, "avc1.4d401e"));
}

#[test]
fn an_avcc_record_has_the_chroma_bytes_only_above_main_profile() {
    let high = avcc_from_sets(&[SPS_HIGH], &[PPS]).unwrap();
    assert_eq!(high[..8], [1, 0x64, 0, 0x0a, 0xff, 0xe1, 0, SPS_HIGH.len() as u8]);
    assert_eq!(high[high.len() - 8..], [0x68, 0xee, 0x3c, 0x80, 0xfd, 0xf8, 0xf8, 0]);
    assert!(avcc_from_sets(&[SPS_MAIN], &[PPS]).unwrap().ends_with(PPS));
}

#[test]
fn incomplete_or_mixed_up_parameter_sets_are_refused() {
    let good = avcc_from_sets(&[SPS_HIGH], &[PPS]).unwrap();
    let changed = |at: usize, to: u8| {
        let mut record = good.clone();
        record[at] = to;
        parameter_sets_from_avcc(&record).unwrap_err()
    };
    assert_eq!(changed(0, 2), MediaError::AvccVersion { version: 2 });
    assert_eq!(changed(4, 0xfd), MediaError::AvccLengthSize { bytes: 2 });
    assert_eq!(changed(8, 0x68), MediaError::NotThisParameterSet { expected: 7, found: 8 });
    for end in 0..good.len() - 4 {
        assert!(parameter_sets_from_avcc(&good[..end]).is_err(), "cut at {end}");
    }
    assert_eq!(avcc_from_sets(&[], &[PPS]), Err(MediaError::SequenceSetMissing));
    assert_eq!(avcc_from_sets(&[SPS_HIGH], &[]), Err(MediaError::PictureSetMissing));
    assert_eq!(avcc_from_sets(&[&SPS_HIGH[..3]], &[PPS]), Err(MediaError::ParameterSetSize { bytes: 3 }));
    let many = [SPS_HIGH; 32];
    assert_eq!(avcc_from_sets(&many, &[PPS]), Err(MediaError::TooManyParameterSets { sequence: 32, picture: 1 }));
}

#[test]
fn every_picture_of_the_conformance_streams_is_classified() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/material/vectors/h264-openh264");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        eprintln!("conformance streams are not beside this clone; the made streams of tests/fmp4.rs remain");
        return;
    };
    let is_stream =
        |path: &Path| path.extension().is_some_and(|end| ["264", "jsv", "h264"].iter().any(|known| end == *known));
    let streams: Vec<_> = entries.map(|entry| entry.unwrap().path()).filter(|path| is_stream(path)).collect();
    assert!(streams.len() > 40, "found {}", streams.len());
    for stream in streams {
        let bytes = std::fs::read(&stream).unwrap();
        let units = annexb::units(&bytes);
        let mut kinds = Vec::new();
        for access_unit in annexb::access_units(&units) {
            let holds_idr = nal_units(&access_unit).any(|unit| unit_type(unit.unwrap()) == 5);
            let kind = classify(&access_unit).unwrap();
            assert_eq!(kind == FrameKind::Idr, holds_idr, "{}", stream.display());
            kinds.push(kind);
        }
        let sets_of = |kind: u8| units.iter().copied().filter(|unit| unit[0] & 0x1f == kind).collect::<Vec<_>>();
        if let (Some(sps), Some(pps)) = (sets_of(7).first(), sets_of(8).first()) {
            let parameters = parameter_sets_from_avcc(&avcc_from_sets(&[sps], &[pps]).unwrap()).unwrap();
            assert!(parameters.width >= 16 && parameters.height >= 16, "{}", stream.display());
        }
        assert!(!kinds.is_empty(), "{}", stream.display());
    }
}

proptest! {
    #[test]
    fn no_bytes_make_a_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let lengths_fit = nal_units(&bytes).all(|unit| unit.is_ok());
        prop_assert_eq!(classify(&bytes).is_ok(), lengths_fit);
        prop_assert_eq!(strip_parameter_sets(&Bytes::from(bytes.clone())).is_ok(), lengths_fit);
        prop_assert!(avcc_from_sets(&[&bytes], &[&bytes]).is_err(), "one unit cannot be a set of both kinds");
        if let Ok(parameters) = parameter_sets_from_avcc(&bytes) {
            prop_assert_eq!(parameters.config, bytes);
        }
    }

    #[test]
    fn no_bytes_inside_a_well_formed_frame_make_a_parser_panic(
        header in 0u8..32, body in proptest::collection::vec(prop_oneof![Just(0u8), Just(3), Just(255), any::<u8>()], 0..200)
    ) {
        let mut unit = vec![header];
        unit.extend(&body);
        let access_unit = access_unit(&[&unit, I_SLICE]);
        prop_assert!(classify(&access_unit).is_ok());
        let mut sps = vec![0x67];
        sps.extend(&body);
        if let Ok(parameters) = avcc_from_sets(&[&sps], &[PPS]).and_then(|record| parameter_sets_from_avcc(&record)) {
            prop_assert!(media::fmp4::init_segment(&parameters).is_ok());
        }
    }

    #[test]
    fn a_damaged_record_is_an_error_or_a_size(at in 0usize..SPS_HIGH.len(), to: u8) {
        let mut sps = SPS_HIGH.to_vec();
        sps[at] = to;
        if let Ok(parameters) = avcc_from_sets(&[&sps], &[PPS]).and_then(|record| parameter_sets_from_avcc(&record)) {
            prop_assert!(parameters.width > 0 && parameters.height > 0);
            prop_assert!(media::fmp4::init_segment(&parameters).is_ok());
        }
    }

    #[test]
    fn units_and_access_unit_are_the_same_thing(
        units in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..50), 0..10)
    ) {
        let whole = access_unit(&units.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let read: Vec<_> = nal_units(&whole).map(|unit| unit.unwrap().bytes().to_vec()).collect();
        prop_assert_eq!(&read, &units);
        let stripped = strip_parameter_sets(&whole).unwrap();
        let kept: Vec<_> = units.iter().filter(|unit| !matches!(unit[0] & 0x1f, 7 | 8 | 13)).map(Vec::as_slice).collect();
        prop_assert_eq!(stripped.access_unit, access_unit(&kept));
    }
}
