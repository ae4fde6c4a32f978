//! H.265 parameter sets in their MP4 form, the `hvcC` record, and what a player must know from them.

use super::sps::{self, PROFILE_BYTES, SequenceSet};
use super::{HEADER_BYTES, nal_type};
use crate::nal::NAL_LENGTH_BYTES;
use crate::{MediaError, ParameterSets};
use bytes::Bytes;
use domain::Codec;

/// vps_video_parameter_set_id and sps_seq_parameter_set_id have 16 values, pps_pic_parameter_set_id 64.
const VIDEO_SETS_MAX: usize = 16;
const SEQUENCE_SETS_MAX: usize = 16;
const PICTURE_SETS_MAX: usize = 64;
/// Everything before the arrays (ISO/IEC 14496-15, 8.3.3.1).
const HEAD_BYTES: usize = 23;
/// array_completeness: all sets of the kind stand here, as `hvc1` demands.
const COMPLETE: u8 = 0x80;

/// Reads an `hvcC` record; `config` is kept byte for byte.
///
/// Width and height are those of the first sequence parameter set, after cropping.
/// Errors: a record that ends early, of another version, with NAL lengths of other than four bytes, without a set of
/// each kind, with an unreadable sequence set or no picture size.
pub fn parameter_sets_from_hvcc(config: &[u8]) -> Result<ParameterSets, MediaError> {
    let record = HvccRecord::parse(config)?;
    let set = record.first_sequence_set()?;
    match (u16::try_from(set.width), u16::try_from(set.height)) {
        (Ok(width @ 1..), Ok(height @ 1..)) => {
            Ok(ParameterSets { codec: Codec::H265, config: Bytes::copy_from_slice(config), width, height })
        }
        _ => Err(MediaError::PictureSize { width: set.width, height: set.height }),
    }
}

/// Writes the `hvcC` record of these NAL units (types 32, 33 and 34, without length or start code), lengths of four bytes.
///
/// Profile, tier and level are those of the first sequence set. Errors: no set of a kind, too many, a unit of another
/// type or size, an unreadable first sequence set.
pub fn hvcc_from_sets(vps: &[&[u8]], sps: &[&[u8]], pps: &[&[u8]]) -> Result<Vec<u8>, MediaError> {
    if vps.len() > VIDEO_SETS_MAX || sps.len() > SEQUENCE_SETS_MAX || pps.len() > PICTURE_SETS_MAX {
        return Err(MediaError::TooManyVideoSets { video: vps.len(), sequence: sps.len(), picture: pps.len() });
    }
    let set = read_sequence_set(sps.first().ok_or(MediaError::SequenceSetMissing)?)?;
    let mut record = vec![1];
    record.extend_from_slice(&set.profile);
    record.push(set.level);
    // min_spatial_segmentation_idc and parallelismType 0: nothing is claimed about them.
    record.extend_from_slice(&[
        0xf0,
        0,
        0xfc,
        0xfc | set.chroma_format,
        0xf8 | set.luma_depth,
        0xf8 | set.chroma_depth,
    ]);
    // avgFrameRate and constantFrameRate 0: not known.
    record.extend_from_slice(&[0, 0, set.sub_layers << 3 | u8::from(set.temporal_id_nested) << 2 | 3, 3]);
    push_array(&mut record, vps, nal_type::VIDEO_SET)?;
    push_array(&mut record, sps, nal_type::SEQUENCE_SET)?;
    push_array(&mut record, pps, nal_type::PICTURE_SET)?;
    HvccRecord::parse(&record)?;
    Ok(record)
}

/// `hvc1.1.6.L93.90`: profile, compatibility flags (lowest bit first), tier and level, constraint bytes without the zeros
/// at their end (ISO/IEC 14496-15, E.3). A record too short to have them reads `hvc1`, which no player supports.
pub(crate) fn codec_string(config: &[u8]) -> String {
    let Some((head, level)) = config.get(1..1 + PROFILE_BYTES).zip(config.get(1 + PROFILE_BYTES)) else {
        return "hvc1".to_owned();
    };
    let space = ["", "A", "B", "C"][usize::from(head[0] >> 6)];
    let tier = if head[0] & 0x20 == 0 { 'L' } else { 'H' };
    let compatibility = u32::from_be_bytes([head[1], head[2], head[3], head[4]]).reverse_bits();
    let constraints = &head[5..];
    let told = constraints.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let constraints: String = constraints[..told].iter().map(|byte| format!(".{byte:X}")).collect();
    format!("hvc1.{space}{}.{compatibility:X}.{tier}{level}{constraints}", head[0] & 0x1f)
}

/// How many pictures may come before one that is shown after them; 0 where the set cannot be read.
pub(crate) fn reorder_depth(config: &[u8]) -> usize {
    let set = HvccRecord::parse(config).and_then(|record| record.first_sequence_set());
    set.map_or(0, |set| set.reorder_pictures as usize)
}

/// HEVCDecoderConfigurationRecord, taken apart without copying.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct HvccRecord<'a> {
    pub head: &'a [u8; HEAD_BYTES],
    /// The array's first byte (completeness and NAL type), and its sets; one of each kind at least.
    pub arrays: Vec<(u8, Vec<&'a [u8]>)>,
}

impl<'a> HvccRecord<'a> {
    pub fn parse(config: &'a [u8]) -> Result<HvccRecord<'a>, MediaError> {
        let cut = MediaError::HvccCut { at: config.len() };
        let (head, mut rest) = config.split_first_chunk::<HEAD_BYTES>().ok_or(cut.clone())?;
        if head[0] != 1 {
            return Err(MediaError::HvccVersion { version: head[0] });
        }
        let length_size = (head[21] & 3) + 1;
        if usize::from(length_size) != NAL_LENGTH_BYTES {
            return Err(MediaError::HvccLengthSize { bytes: length_size });
        }
        let mut arrays = Vec::new();
        for _ in 0..head[22] {
            let (array, after) = rest.split_first_chunk::<3>().ok_or(cut.clone())?;
            rest = after;
            let mut sets = Vec::new();
            for _ in 0..u16::from_be_bytes([array[1], array[2]]) {
                let (length, after) = rest.split_first_chunk::<2>().ok_or(cut.clone())?;
                let length = usize::from(u16::from_be_bytes(*length));
                let (set, after) = after.split_at_checked(length).ok_or(cut.clone())?;
                check_set(set, array[0] & 0x3f)?;
                rest = after;
                sets.push(set);
            }
            arrays.push((array[0], sets));
        }
        let record = HvccRecord { head, arrays };
        record.first(nal_type::VIDEO_SET).ok_or(MediaError::VideoSetMissing)?;
        record.first(nal_type::SEQUENCE_SET).ok_or(MediaError::SequenceSetMissing)?;
        record.first(nal_type::PICTURE_SET).ok_or(MediaError::PictureSetMissing)?;
        Ok(record)
    }

    fn first(&self, unit_type: u8) -> Option<&'a [u8]> {
        let mut arrays = self.arrays.iter().filter(|(head, _)| head & 0x3f == unit_type);
        arrays.find_map(|(_, sets)| sets.first().copied())
    }

    fn first_sequence_set(&self) -> Result<SequenceSet, MediaError> {
        read_sequence_set(self.first(nal_type::SEQUENCE_SET).ok_or(MediaError::SequenceSetMissing)?)
    }
}

fn push_array(record: &mut Vec<u8>, sets: &[&[u8]], unit_type: u8) -> Result<(), MediaError> {
    record.push(COMPLETE | unit_type);
    // At most 64, checked by the caller.
    record.extend_from_slice(&(sets.len() as u16).to_be_bytes());
    for set in sets {
        check_set(set, unit_type)?;
        let length = u16::try_from(set.len()).map_err(|_| MediaError::ParameterSetSize { bytes: set.len() })?;
        record.extend_from_slice(&length.to_be_bytes());
        record.extend_from_slice(set);
    }
    Ok(())
}

fn check_set(set: &[u8], expected: u8) -> Result<(), MediaError> {
    match set.first().map(|header| header >> 1 & 0x3f) {
        Some(found) if found != expected => Err(MediaError::NotThisParameterSet { expected, found }),
        Some(_) if set.len() > HEADER_BYTES => Ok(()),
        _ => Err(MediaError::ParameterSetSize { bytes: set.len() }),
    }
}

fn read_sequence_set(set: &[u8]) -> Result<SequenceSet, MediaError> {
    check_set(set, nal_type::SEQUENCE_SET)?;
    sps::read(set).ok_or(MediaError::H265SequenceSetUnreadable { bytes: set.len() })
}
