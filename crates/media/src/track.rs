//! The one video track of an MP4 file: how its pictures are coded, when it was taken, how long it is. With or without fragments.

use crate::fmp4::{TIMESCALE, TRACK_ID};
use crate::h264::AvccRecord;
use crate::h265::HvccRecord;
use crate::{MediaError, ParameterSets};
use domain::Codec;
use shiguredo_mp4::boxes::{
    Avc1Box, AvccBox, Brand, DinfBox, HdlrBox, Hvc1Box, HvccBox, HvccNalUintArray, MdhdBox, MdiaBox, MediaHeader,
    MinfBox, MvhdBox, SampleEntry, StblBox, TkhdBox, TrakBox, VisualSampleEntryFields, VmhdBox,
};
use shiguredo_mp4::{FixedPointNumber, LanguageCode, Mp4FileTime, Uint};
use std::num::NonZeroU32;

/// What a header says of time: when the first picture was taken, and the length in [`TIMESCALE`].
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Timing {
    pub taken: Mp4FileTime,
    pub duration: u64,
}

/// How the pictures are coded, and the brand that says so. Errors: a record that cannot be read.
pub(crate) fn sample_entry(parameters: &ParameterSets) -> Result<(SampleEntry, Brand), MediaError> {
    Ok(match parameters.codec {
        Codec::H264 => (
            SampleEntry::Avc1(Avc1Box {
                visual: visual(parameters),
                avcc_box: avcc_box(&AvccRecord::parse(&parameters.config)?)?,
                unknown_boxes: Vec::new(),
            }),
            Brand::AVC1,
        ),
        Codec::H265 => (
            SampleEntry::Hvc1(Hvc1Box {
                visual: visual(parameters),
                hvcc_box: hvcc_box(&HvccRecord::parse(&parameters.config)?),
                unknown_boxes: Vec::new(),
            }),
            Brand::HVC1,
        ),
    })
}

fn visual(parameters: &ParameterSets) -> VisualSampleEntryFields {
    VisualSampleEntryFields {
        data_reference_index: VisualSampleEntryFields::DEFAULT_DATA_REFERENCE_INDEX,
        width: parameters.width,
        height: parameters.height,
        horizresolution: VisualSampleEntryFields::DEFAULT_HORIZRESOLUTION,
        vertresolution: VisualSampleEntryFields::DEFAULT_VERTRESOLUTION,
        frame_count: VisualSampleEntryFields::DEFAULT_FRAME_COUNT,
        compressorname: VisualSampleEntryFields::NULL_COMPRESSORNAME,
        depth: VisualSampleEntryFields::DEFAULT_DEPTH,
    }
}

fn avcc_box(record: &AvccRecord<'_>) -> Result<AvccBox, MediaError> {
    let owned = |sets: &[&[u8]]| sets.iter().map(|set| set.to_vec()).collect();
    let chroma = record.chroma()?;
    Ok(AvccBox {
        avc_profile_indication: record.profile,
        profile_compatibility: record.constraints,
        avc_level_indication: record.level,
        length_size_minus_one: Uint::new(3),
        sps_list: owned(&record.sequence_sets),
        pps_list: owned(&record.picture_sets),
        chroma_format: chroma.map(|chroma| Uint::new(chroma.format)),
        bit_depth_luma_minus8: chroma.map(|chroma| Uint::new(chroma.luma_depth)),
        bit_depth_chroma_minus8: chroma.map(|chroma| Uint::new(chroma.chroma_depth)),
        sps_ext_list: owned(&record.sequence_set_extensions),
    })
}

/// The fixed bytes as ISO/IEC 14496-15, 8.3.3.1 lays them out.
fn hvcc_box(record: &HvccRecord<'_>) -> HvccBox {
    let head = record.head;
    let number = |bytes: &[u8]| bytes.iter().fold(0u64, |number, byte| number << 8 | u64::from(*byte));
    let array = |(kind, sets): &(u8, Vec<&[u8]>)| HvccNalUintArray {
        array_completeness: Uint::new(kind >> 7),
        nal_unit_type: Uint::new(kind & 0x3f),
        nalus: sets.iter().map(|set| set.to_vec()).collect(),
    };
    HvccBox {
        general_profile_space: Uint::new(head[1] >> 6),
        general_tier_flag: Uint::new(head[1] >> 5 & 1),
        general_profile_idc: Uint::new(head[1] & 0x1f),
        general_profile_compatibility_flags: number(&head[2..6]) as u32,
        general_constraint_indicator_flags: Uint::new(number(&head[6..12])),
        general_level_idc: head[12],
        min_spatial_segmentation_idc: Uint::new((number(&head[13..15]) & 0xfff) as u16),
        parallelism_type: Uint::new(head[15] & 3),
        chroma_format_idc: Uint::new(head[16] & 3),
        bit_depth_luma_minus8: Uint::new(head[17] & 7),
        bit_depth_chroma_minus8: Uint::new(head[18] & 7),
        avg_frame_rate: number(&head[19..21]) as u16,
        constant_frame_rate: Uint::new(head[21] >> 6),
        num_temporal_layers: Uint::new(head[21] >> 3 & 7),
        temporal_id_nested: Uint::new(head[21] >> 2 & 1),
        length_size_minus_one: Uint::new(head[21] & 3),
        nalu_arrays: record.arrays.iter().map(array).collect(),
    }
}

pub(crate) fn movie_header(timing: Timing) -> MvhdBox {
    MvhdBox {
        creation_time: timing.taken,
        modification_time: timing.taken,
        timescale: timescale(),
        duration: timing.duration,
        rate: MvhdBox::DEFAULT_RATE,
        volume: MvhdBox::DEFAULT_VOLUME,
        matrix: MvhdBox::DEFAULT_MATRIX,
        next_track_id: TRACK_ID + 1,
    }
}

pub(crate) fn track(parameters: &ParameterSets, stbl_box: StblBox, timing: Timing) -> TrakBox {
    // The field is unsigned 16.16 (ISO/IEC 14496-12, 8.3.2); the library's type is signed, the bits are the same.
    let pixels = |count: u16| FixedPointNumber::new(count as i16, 0);
    let tkhd_box = TkhdBox {
        flag_track_enabled: true,
        flag_track_in_movie: true,
        flag_track_in_preview: false,
        flag_track_size_is_aspect_ratio: false,
        creation_time: timing.taken,
        modification_time: timing.taken,
        track_id: TRACK_ID,
        duration: timing.duration,
        layer: TkhdBox::DEFAULT_LAYER,
        alternate_group: TkhdBox::DEFAULT_ALTERNATE_GROUP,
        volume: TkhdBox::DEFAULT_VIDEO_VOLUME,
        matrix: TkhdBox::DEFAULT_MATRIX,
        width: pixels(parameters.width),
        height: pixels(parameters.height),
    };
    let mdhd_box = MdhdBox {
        creation_time: timing.taken,
        modification_time: timing.taken,
        timescale: timescale(),
        duration: timing.duration,
        language: LanguageCode::UNDEFINED,
    };
    let hdlr_box = HdlrBox { handler_type: HdlrBox::HANDLER_TYPE_VIDE, name: vec![0] };
    let minf_box = MinfBox {
        media_header: Some(MediaHeader::Vmhd(VmhdBox::default())),
        dinf_box: DinfBox::LOCAL_FILE,
        stbl_box,
        unknown_boxes: Vec::new(),
    };
    let mdia_box = MdiaBox { mdhd_box, hdlr_box, minf_box, unknown_boxes: Vec::new() };
    TrakBox { tkhd_box, edts_box: None, mdia_box, unknown_boxes: Vec::new() }
}

fn timescale() -> NonZeroU32 {
    const { NonZeroU32::new(TIMESCALE).expect("the timescale is a number other than 0") }
}

/// The library's reason only: its error also names the line of its source.
pub(crate) fn unwritable(error: shiguredo_mp4::Error) -> MediaError {
    MediaError::BoxUnwritable { reason: error.reason }
}
