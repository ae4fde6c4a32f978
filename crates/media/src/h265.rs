//! H.265: what a picture is, read from its own NAL types, and its parameter sets.
//!
//! Bits 1 to 6 of a NAL unit's first byte are its type: 0 to 9 are slices of pictures that need others, 16 to 21 slices of
//! pictures with which decoding can begin (IRAP), 32 to 34 parameter sets. Many cameras send an IDR picture once and then
//! only *CRA* pictures: decoding can begin there too, but for the *leading* pictures that follow in the stream and are
//! shown before. A recovery point (SEI) starts no group here: H.265 has CRA for that purpose, and gradual refresh shows
//! incomplete pictures first.

mod parameters;
mod sps;

pub(crate) use parameters::{HvccRecord, codec_string, reorder_depth};
pub use parameters::{hvcc_from_sets, parameter_sets_from_hvcc};

use crate::nal::{NalUnit, nal_units, without};
use crate::{FrameKind, MediaError};
use bytes::Bytes;

/// Bytes of a NAL unit's header.
const HEADER_BYTES: usize = 2;

/// nal_unit_type (ITU-T H.265, table 7-1), those that matter here.
pub mod nal_type {
    /// Leading pictures: RADL (6, 7) and RASL (8, 9).
    pub const RADL_N: u8 = 6;
    pub const RASL_R: u8 = 9;
    /// Broken link access: decoding may begin there; what leads it can never be decoded.
    pub const BLA_W_LP: u8 = 16;
    pub const BLA_N_LP: u8 = 18;
    pub const IDR_W_RADL: u8 = 19;
    pub const IDR_N_LP: u8 = 20;
    pub const CRA: u8 = 21;
    /// Types up to here are slices of pictures.
    pub const SLICE_MAX: u8 = 31;
    pub const VIDEO_SET: u8 = 32;
    pub const SEQUENCE_SET: u8 = 33;
    pub const PICTURE_SET: u8 = 34;
}

/// nal_unit_type, 0 to 63.
pub fn unit_type(unit: NalUnit<'_>) -> u8 {
    unit.first_byte() >> 1 & 0x3f
}

/// What a picture is for decoding, by its slices of the base layer; these are all of one type but for errors of the camera.
///
/// * `Idr`: type 19 or 20.
/// * `Cra`: type 21, and 16 to 18 (a splice in the camera's own stream).
/// * `Leading`: types 6 to 9.
/// * `Other`: anything else, also a unit whose header is cut.
///
/// Errors: lengths that do not fit the access unit.
pub fn classify(access_unit: &[u8]) -> Result<FrameKind, MediaError> {
    let mut kind = None;
    for unit in nal_units(access_unit) {
        let unit = unit?;
        if unit_type(unit) <= nal_type::SLICE_MAX && is_base_layer(unit) {
            let slice = kind_of_slice(unit_type(unit));
            // Where slices contradict each other decoding is not begun.
            kind = Some(kind.filter(|known| *known == slice).unwrap_or(match kind {
                None => slice,
                Some(_) => FrameKind::Other,
            }));
        }
    }
    Ok(kind.unwrap_or(FrameKind::Other))
}

fn kind_of_slice(unit_type: u8) -> FrameKind {
    use nal_type::{BLA_N_LP, BLA_W_LP, CRA, IDR_N_LP, IDR_W_RADL, RADL_N, RASL_R};
    match unit_type {
        IDR_W_RADL | IDR_N_LP => FrameKind::Idr,
        CRA | BLA_W_LP..=BLA_N_LP => FrameKind::Cra,
        RADL_N..=RASL_R => FrameKind::Leading,
        _ => FrameKind::Other,
    }
}

/// nuh_layer_id 0: its six bits lie across both bytes of the header.
fn is_base_layer(unit: NalUnit<'_>) -> bool {
    unit.bytes().get(1).is_some_and(|second| unit.first_byte() & 1 == 0 && second >> 3 == 0)
}

/// An access unit without its parameter sets, and the sets that stood in it (NAL units without length).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Stripped {
    /// The access unit without NAL types 32, 33 and 34; everything else unchanged and in order.
    pub access_unit: Bytes,
    pub video_sets: Vec<Bytes>,
    pub sequence_sets: Vec<Bytes>,
    pub picture_sets: Vec<Bytes>,
}

/// Takes the parameter sets out of an access unit: they are a field of the chunk, never inserted NAL units (R6).
/// Copies nothing when there are none.
///
/// Errors: lengths that do not fit the access unit.
pub fn strip_parameter_sets(access_unit: &Bytes) -> Result<Stripped, MediaError> {
    let mut stripped = Stripped::default();
    for unit in nal_units(access_unit) {
        let unit = unit?;
        let sets = match unit_type(unit) {
            nal_type::VIDEO_SET => &mut stripped.video_sets,
            nal_type::SEQUENCE_SET => &mut stripped.sequence_sets,
            nal_type::PICTURE_SET => &mut stripped.picture_sets,
            _ => continue,
        };
        sets.push(access_unit.slice_ref(unit.bytes()));
    }
    stripped.access_unit = without(access_unit, |unit| is_parameter_set(unit_type(unit)))?;
    Ok(stripped)
}

/// NAL types 32, 33 and 34.
pub(crate) fn is_parameter_set(unit_type: u8) -> bool {
    (nal_type::VIDEO_SET..=nal_type::PICTURE_SET).contains(&unit_type)
}
