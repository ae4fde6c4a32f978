//! The initialization segment: how the pictures of a track are coded, before any of them.

use super::{TIMESCALE, TRACK_ID};
use crate::h264::AvccRecord;
use crate::h265::HvccRecord;
use crate::{MediaError, ParameterSets};
use domain::Codec;
use shiguredo_mp4::boxes::{
    Avc1Box, AvccBox, Brand, DinfBox, FtypBox, HdlrBox, Hvc1Box, HvccBox, HvccNalUintArray, MdhdBox, MdiaBox,
    MediaHeader, MinfBox, MoovBox, MvexBox, MvhdBox, SampleEntry, StblBox, StcoBox, StscBox, StsdBox, StszBox, SttsBox,
    TkhdBox, TrakBox, TrexBox, VisualSampleEntryFields, VmhdBox,
};
use shiguredo_mp4::{Either, Encode, FixedPointNumber, LanguageCode, Mp4FileTime, SampleFlags, Uint};
use std::num::NonZeroU32;

/// `ftyp` and `moov` with one video track ([`TRACK_ID`], [`TIMESCALE`]), no edit list, no duration, no creation time.
///
/// The `avcC` or `hvcC` inside equals `parameters.config`, but for the four chroma bytes of `avcC` where a camera left them
/// out although its profile requires them (ISO/IEC 14496-15, 5.3.3.1.2): these are read from its sequence parameter set.
/// Errors: a record that cannot be read.
pub fn init_segment(parameters: &ParameterSets) -> Result<Vec<u8>, MediaError> {
    let (sample_entry, brand) = match parameters.codec {
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
    };
    let moov = MoovBox {
        mvhd_box: movie_header(),
        trak_boxes: vec![track(parameters, sample_entry)],
        mvex_box: Some(MvexBox {
            mehd_box: None,
            trex_boxes: vec![TrexBox {
                track_id: TRACK_ID,
                default_sample_description_index: 1,
                default_sample_duration: 0,
                default_sample_size: 0,
                default_sample_flags: SampleFlags::empty(),
            }],
            unknown_boxes: Vec::new(),
        }),
        unknown_boxes: Vec::new(),
    };
    let ftyp = FtypBox {
        major_brand: Brand::ISO5,
        minor_version: 0,
        compatible_brands: vec![Brand::ISO5, Brand::ISO6, brand, Brand::MP41],
    };
    let mut segment = ftyp.encode_to_vec().map_err(unwritable)?;
    segment.extend_from_slice(&moov.encode_to_vec().map_err(unwritable)?);
    Ok(segment)
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

fn movie_header() -> MvhdBox {
    MvhdBox {
        creation_time: Mp4FileTime::default(),
        modification_time: Mp4FileTime::default(),
        timescale: timescale(),
        duration: 0,
        rate: MvhdBox::DEFAULT_RATE,
        volume: MvhdBox::DEFAULT_VOLUME,
        matrix: MvhdBox::DEFAULT_MATRIX,
        next_track_id: TRACK_ID + 1,
    }
}

fn track(parameters: &ParameterSets, sample_entry: SampleEntry) -> TrakBox {
    // The field is unsigned 16.16 (ISO/IEC 14496-12, 8.3.2); the library's type is signed, the bits are the same.
    let pixels = |count: u16| FixedPointNumber::new(count as i16, 0);
    let tkhd_box = TkhdBox {
        flag_track_enabled: true,
        flag_track_in_movie: true,
        flag_track_in_preview: false,
        flag_track_size_is_aspect_ratio: false,
        creation_time: Mp4FileTime::default(),
        modification_time: Mp4FileTime::default(),
        track_id: TRACK_ID,
        duration: 0,
        layer: TkhdBox::DEFAULT_LAYER,
        alternate_group: TkhdBox::DEFAULT_ALTERNATE_GROUP,
        volume: TkhdBox::DEFAULT_VIDEO_VOLUME,
        matrix: TkhdBox::DEFAULT_MATRIX,
        width: pixels(parameters.width),
        height: pixels(parameters.height),
    };
    let mdhd_box = MdhdBox {
        creation_time: Mp4FileTime::default(),
        modification_time: Mp4FileTime::default(),
        timescale: timescale(),
        duration: 0,
        language: LanguageCode::UNDEFINED,
    };
    let hdlr_box = HdlrBox { handler_type: HdlrBox::HANDLER_TYPE_VIDE, name: vec![0] };
    let minf_box = MinfBox {
        media_header: Some(MediaHeader::Vmhd(VmhdBox::default())),
        dinf_box: DinfBox::LOCAL_FILE,
        stbl_box: empty_sample_table(sample_entry),
        unknown_boxes: Vec::new(),
    };
    let mdia_box = MdiaBox { mdhd_box, hdlr_box, minf_box, unknown_boxes: Vec::new() };
    TrakBox { tkhd_box, edts_box: None, mdia_box, unknown_boxes: Vec::new() }
}

/// Only the sample entry: pictures come with the fragments.
fn empty_sample_table(sample_entry: SampleEntry) -> StblBox {
    StblBox {
        stsd_box: StsdBox { entries: vec![sample_entry] },
        stts_box: SttsBox { entries: Vec::new() },
        ctts_box: None,
        cslg_box: None,
        stsc_box: StscBox { entries: Vec::new() },
        stsz_box: StszBox::Variable { entry_sizes: Vec::new() },
        stco_or_co64_box: Either::A(StcoBox { chunk_offsets: Vec::new() }),
        stss_box: None,
        sdtp_box: None,
        unknown_boxes: Vec::new(),
    }
}

fn timescale() -> NonZeroU32 {
    const { NonZeroU32::new(TIMESCALE).expect("the timescale is a number other than 0") }
}

/// The library's reason only: its error also names the line of its source.
fn unwritable(error: shiguredo_mp4::Error) -> MediaError {
    MediaError::BoxUnwritable { reason: error.reason }
}
