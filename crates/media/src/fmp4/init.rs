//! The initialization segment: how the pictures of a track are coded, before any of them.

use crate::track::{Timing, movie_header, sample_entry, track, unwritable};
use crate::{MediaError, ParameterSets};
use shiguredo_mp4::boxes::{
    Brand, FtypBox, MoovBox, MvexBox, SampleEntry, StblBox, StcoBox, StscBox, StsdBox, StszBox, SttsBox, TrexBox,
};
use shiguredo_mp4::{Either, Encode, SampleFlags};

use super::TRACK_ID;

/// `ftyp` and `moov` with one video track ([`TRACK_ID`], [`super::TIMESCALE`]), no edit list, no duration, no creation time.
///
/// The `avcC` or `hvcC` inside equals `parameters.config`, but for the four chroma bytes of `avcC` where a camera left them
/// out although its profile requires them (ISO/IEC 14496-15, 5.3.3.1.2): these are read from its sequence parameter set.
/// Errors: a record that cannot be read.
pub fn init_segment(parameters: &ParameterSets) -> Result<Vec<u8>, MediaError> {
    let (sample_entry, brand) = sample_entry(parameters)?;
    let moov = MoovBox {
        mvhd_box: movie_header(Timing::default()),
        trak_boxes: vec![track(parameters, empty_sample_table(sample_entry), Timing::default())],
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
