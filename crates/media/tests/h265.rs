//! What the crate claims about H.265: NAL types, parameter sets, codec strings.

use bytes::Bytes;
use media::codec::{codec_string, reorder_depth};
use media::h265::{classify, hvcc_from_sets, parameter_sets_from_hvcc, strip_parameter_sets, unit_type};
use media::{FrameKind, MediaError, fmp4::init_segment, nal::nal_units};
use proptest::prelude::*;

/// x265 3.5, 322 x 182 (coded with more), Main profile, level 2, at most two pictures before one shown after them.
const VPS: &str = "40010c01ffff01600000030090000003000003003c959409";
const SPS: &str = "42010101600000030090000003000003003ca00a480b9c9596565924caf0168080000003008000000c84";
const PPS: &str = "4401c172b46240";
/// What FFmpeg 5.1 makes of these sets.
const HVCC: &str = "0101600000009000000000003cf000fcfdf8f800000f03a00001001840010c01ffff01600000030090000003000003003c959409\
    a10001002a42010101600000030090000003000003003ca00a480b9c9596565924caf0168080000003008000000c84a2000100074401c172b46240";

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
    digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
}

/// A unit of this type in the base layer, with first_slice_segment_in_pic_flag set.
fn slice(unit_type: u8) -> Vec<u8> {
    vec![unit_type << 1, 1, 0x80, unit_type]
}

fn access_unit(units: &[Vec<u8>]) -> Bytes {
    let mut bytes = Vec::new();
    for unit in units {
        bytes.extend_from_slice(&(unit.len() as u32).to_be_bytes());
        bytes.extend_from_slice(unit);
    }
    bytes.into()
}

#[track_caller]
fn check_kind(units: &[Vec<u8>], expected: FrameKind) {
    assert_eq!(classify(&access_unit(units)), Ok(expected), "{units:02x?}");
}

#[test]
fn a_picture_is_what_its_own_nal_types_say() {
    for unit_type in 0..=63 {
        let expected = match unit_type {
            19 | 20 => FrameKind::Idr,
            16..=18 | 21 => FrameKind::Cra,
            6..=9 => FrameKind::Leading,
            _ => FrameKind::Other,
        };
        check_kind(&[slice(unit_type)], expected);
        check_kind(&[slice(35), slice(39), slice(unit_type), slice(unit_type), slice(40)], expected);
    }
    check_kind(&[], FrameKind::Other);
}

#[test]
fn slices_that_contradict_each_other_start_nothing() {
    check_kind(&[slice(21), slice(1)], FrameKind::Other);
    check_kind(&[slice(1), slice(20), slice(20)], FrameKind::Other);
}

#[test]
fn what_is_not_of_the_base_layer_does_not_count() {
    // nuh_layer_id 1 stands in the upper five bits of the second byte, 32 in the last of the first.
    check_kind(&[slice(21), vec![1 << 1, 1 << 3 | 1, 0x80]], FrameKind::Cra);
    check_kind(&[vec![20 << 1 | 1, 1, 0x80], slice(1)], FrameKind::Other);
    check_kind(&[vec![20 << 1]], FrameKind::Other);
}

#[test]
fn parameter_sets_are_taken_out_and_nothing_else() {
    let units = [slice(35), hex(VPS), hex(SPS), hex(PPS), slice(39), slice(20), slice(40)];
    let stripped = strip_parameter_sets(&access_unit(&units)).unwrap();
    assert_eq!(stripped.access_unit, access_unit(&[slice(35), slice(39), slice(20), slice(40)]));
    assert_eq!(
        (stripped.video_sets, stripped.sequence_sets, stripped.picture_sets),
        (vec![hex(VPS).into()], vec![hex(SPS).into()], vec![hex(PPS).into()])
    );
    let whole = access_unit(&[slice(39), slice(1)]);
    assert_eq!(strip_parameter_sets(&whole).unwrap().access_unit.as_ptr(), whole.as_ptr(), "not copied");
}

#[test]
fn a_record_made_of_the_sets_is_the_one_that_ffmpeg_makes() {
    let record = hvcc_from_sets(&[&hex(VPS)], &[&hex(SPS)], &[&hex(PPS)]).unwrap();
    assert_eq!(record, hex(HVCC));
    let parameters = parameter_sets_from_hvcc(&record).unwrap();
    assert_eq!((parameters.width, parameters.height), (322, 182), "after cropping");
    assert_eq!(parameters.config, record);
    assert_eq!(reorder_depth(&parameters), 2);
    assert_eq!(codec_string(&parameters), "hvc1.1.6.L60.90");
    let segment = init_segment(&parameters).unwrap();
    let at = segment.windows(4).position(|four| four == b"hvcC").unwrap();
    assert_eq!(segment[at + 4..at + 4 + record.len()], record, "the sets in the init segment are those given");
    assert!(segment.windows(4).any(|four| four == b"hvc1"));
}

#[test]
fn a_codec_string_has_profile_space_tier_and_only_the_constraint_bytes_that_are_not_zero() {
    let mut parameters = parameter_sets_from_hvcc(&hex(HVCC)).unwrap();
    let mut check = |head: [u8; 12], expected: &str| {
        let mut record = hex(HVCC);
        record[1..13].copy_from_slice(&head);
        parameters.config = record.into();
        assert_eq!(codec_string(&parameters), expected);
    };
    // the two examples of ISO/IEC 14496-15, E.3
    check([1, 0x60, 0, 0, 0, 0xb0, 0, 0, 0, 0, 0, 93], "hvc1.1.6.L93.B0");
    check([0x44 | 0x20, 0x82, 0, 0, 0, 0xb0, 0x23, 0, 0, 0, 0, 120], "hvc1.A4.41.H120.B0.23");
    check([2, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 153], "hvc1.2.4.L153");
}

#[test]
fn incomplete_or_mixed_up_parameter_sets_are_refused() {
    let good = hex(HVCC);
    let changed = |at: usize, to: u8| {
        let mut record = good.clone();
        record[at] = to;
        parameter_sets_from_hvcc(&record).unwrap_err()
    };
    assert_eq!(changed(0, 2), MediaError::HvccVersion { version: 2 });
    assert_eq!(changed(21, 0x0d), MediaError::HvccLengthSize { bytes: 2 });
    assert_eq!(changed(22, 2), MediaError::PictureSetMissing);
    assert_eq!(changed(28, 0x42), MediaError::NotThisParameterSet { expected: 32, found: 33 });
    for end in 0..good.len() {
        assert!(parameter_sets_from_hvcc(&good[..end]).is_err(), "cut at {end}");
    }
    let (vps, sps, pps) = (hex(VPS), hex(SPS), hex(PPS));
    assert_eq!(hvcc_from_sets(&[], &[&sps], &[&pps]), Err(MediaError::VideoSetMissing));
    assert_eq!(hvcc_from_sets(&[&vps], &[], &[&pps]), Err(MediaError::SequenceSetMissing));
    assert_eq!(hvcc_from_sets(&[&vps], &[&sps], &[]), Err(MediaError::PictureSetMissing));
    assert_eq!(
        hvcc_from_sets(&[&vps], &[&sps[..20]], &[&pps]),
        Err(MediaError::H265SequenceSetUnreadable { bytes: 20 })
    );
    assert!(matches!(
        hvcc_from_sets(&[&vps], &[&sps], &[pps.as_slice(); 65]),
        Err(MediaError::TooManyVideoSets { .. })
    ));
}

proptest! {
    #[test]
    fn no_bytes_make_a_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let lengths_fit = nal_units(&bytes).all(|unit| unit.is_ok());
        prop_assert_eq!(classify(&bytes).is_ok(), lengths_fit);
        prop_assert_eq!(strip_parameter_sets(&Bytes::from(bytes.clone())).is_ok(), lengths_fit);
        prop_assert!(hvcc_from_sets(&[&bytes], &[&bytes], &[&bytes]).is_err(), "one unit cannot be a set of each kind");
        if let Ok(parameters) = parameter_sets_from_hvcc(&bytes) {
            prop_assert_eq!(parameters.config, bytes);
        }
    }

    #[test]
    fn a_damaged_record_is_an_error_or_a_size(at in 0usize..111, to: u8) {
        let mut record = hex(HVCC);
        record[at] = to;
        if let Ok(parameters) = parameter_sets_from_hvcc(&record) {
            prop_assert!(parameters.width > 0 && parameters.height > 0);
            prop_assert!(init_segment(&parameters).is_ok());
            prop_assert!(codec_string(&parameters).starts_with("hvc1."));
        }
    }

    #[test]
    fn no_sequence_set_makes_the_parser_panic(
        body in proptest::collection::vec(prop_oneof![Just(0u8), Just(3), Just(255), any::<u8>()], 0..200)
    ) {
        let sps = [&[0x42, 1], body.as_slice()].concat();
        if let Ok(record) = hvcc_from_sets(&[&hex(VPS)], &[&sps], &[&hex(PPS)]) {
            prop_assert!(init_segment(&parameter_sets_from_hvcc(&record).unwrap_or_else(|_| parameter_sets_from_hvcc(&hex(HVCC)).unwrap())).is_ok());
        }
    }

    #[test]
    fn units_keep_their_type_and_only_sets_are_taken_out(
        units in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..50), 0..10)
    ) {
        let whole = access_unit(&units);
        let types: Vec<u8> = nal_units(&whole).map(|unit| unit_type(unit.unwrap())).collect();
        prop_assert_eq!(types, units.iter().map(|unit| unit[0] >> 1 & 0x3f).collect::<Vec<_>>());
        let kept: Vec<_> = units.iter().filter(|unit| !(32..=34).contains(&(unit[0] >> 1 & 0x3f))).cloned().collect();
        prop_assert_eq!(strip_parameter_sets(&whole).unwrap().access_unit, access_unit(&kept));
    }
}
