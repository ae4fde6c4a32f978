//! H.264: what a picture is, read from its own NAL types, and its parameter sets.
//!
//! A picture (access unit) is a row of NAL units. The low five bits of a unit's first byte are its type: 1 and 5 are
//! slices of the picture (5 of an IDR picture, with which decoding can begin), 6 is supplemental information (SEI), 7
//! and 8 are parameter sets. Cameras with "gradual" or open groups send no IDR picture but an intra picture announced
//! by an SEI *recovery point*: decoding can begin there too.

mod parameters;

pub(crate) use parameters::AvccRecord;
pub use parameters::{avcc_from_sets, parameter_sets_from_avcc};
pub(crate) use parameters::{codec_string, reorder_depth};

use crate::nal::{NalUnit, nal_units, without};
use crate::rbsp::{Bits, Rbsp};
use crate::{FrameKind, MediaError};
use bytes::Bytes;

/// Bytes of a NAL unit's header.
const HEADER_BYTES: usize = 1;

/// nal_unit_type, 0 to 31.
pub fn unit_type(unit: NalUnit<'_>) -> u8 {
    unit.first_byte() & 0x1f
}

/// nal_unit_type (ITU-T H.264, table 7-1), those that matter here.
pub mod nal_type {
    pub const SLICE: u8 = 1;
    /// Slice data partition A: begins with a slice header.
    pub const PARTITION_A: u8 = 2;
    pub const IDR_SLICE: u8 = 5;
    pub const SEI: u8 = 6;
    pub const SEQUENCE_SET: u8 = 7;
    pub const PICTURE_SET: u8 = 8;
    pub const SEQUENCE_SET_EXTENSION: u8 = 13;
}

/// What a picture is for decoding.
///
/// * `Idr`: any NAL unit of type 5.
/// * `RecoveryPoint`: an SEI recovery point (payload type 6, H.264 D.2.8) with recovery_frame_cnt 0, and every slice is
///   I or SI. Gradual refresh (a count above 0) starts no group: the first pictures shown would be incomplete.
/// * `Other`: anything else, so also an SEI or a slice header that cannot be read: the picture is kept, replay does not
///   start there.
///
/// Errors: lengths that do not fit the access unit.
pub fn classify(access_unit: &[u8]) -> Result<FrameKind, MediaError> {
    let (mut idr, mut recovery_point, mut slices, mut intra_slices) = (false, false, 0u32, 0u32);
    for unit in nal_units(access_unit) {
        let unit = unit?;
        match unit_type(unit) {
            nal_type::IDR_SLICE => idr = true,
            nal_type::SEI => recovery_point |= is_recovery_point(unit.bytes()),
            nal_type::SLICE | nal_type::PARTITION_A => {
                slices += 1;
                intra_slices += u32::from(is_intra_slice(unit.bytes()));
            }
            _ => {}
        }
    }
    Ok(if idr {
        FrameKind::Idr
    } else if recovery_point && slices > 0 && slices == intra_slices {
        FrameKind::RecoveryPoint
    } else {
        FrameKind::Other
    })
}

/// An access unit without its parameter sets, and the sets that stood in it (NAL units without length).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Stripped {
    /// The access unit without NAL types 7, 8 and 13; everything else unchanged and in order.
    pub access_unit: Bytes,
    pub sequence_sets: Vec<Bytes>,
    pub picture_sets: Vec<Bytes>,
    pub sequence_set_extensions: Vec<Bytes>,
}

/// Takes the parameter sets out of an access unit: they are a field of the chunk, never inserted NAL units (R6).
/// Copies nothing when there are none.
///
/// Errors: lengths that do not fit the access unit.
pub fn strip_parameter_sets(access_unit: &Bytes) -> Result<Stripped, MediaError> {
    let mut stripped = Stripped::default();
    for unit in nal_units(access_unit) {
        let unit = unit?;
        if let Some(sets) = stripped.sets_like(unit_type(unit)) {
            sets.push(access_unit.slice_ref(unit.bytes()));
        }
    }
    stripped.access_unit = without(access_unit, |unit| is_parameter_set(unit_type(unit)))?;
    Ok(stripped)
}

/// NAL types 7, 8 and 13.
pub(crate) fn is_parameter_set(unit_type: u8) -> bool {
    Stripped::default().sets_like(unit_type).is_some()
}

impl Stripped {
    fn sets_like(&mut self, unit_type: u8) -> Option<&mut Vec<Bytes>> {
        match unit_type {
            nal_type::SEQUENCE_SET => Some(&mut self.sequence_sets),
            nal_type::PICTURE_SET => Some(&mut self.picture_sets),
            nal_type::SEQUENCE_SET_EXTENSION => Some(&mut self.sequence_set_extensions),
            _ => None,
        }
    }
}

/// Whether one of the messages of an SEI unit is a recovery point with recovery_frame_cnt 0 (H.264, 7.3.2.3.1, D.1.8).
fn is_recovery_point(sei: &[u8]) -> bool {
    const RECOVERY_POINT: usize = 6;
    let mut bytes = Rbsp::after_header(sei, HEADER_BYTES);
    // The trailing bits (0x80) read as a type without a size, which ends the loop.
    while let (Some(payload_type), Some(size)) = (sei_number(&mut bytes), sei_number(&mut bytes)) {
        if payload_type == RECOVERY_POINT {
            return Bits::new(bytes.by_ref().take(size)).unsigned_exp_golomb() == Some(0);
        }
        if size > 0 && bytes.nth(size - 1).is_none() {
            return false;
        }
    }
    false
}

/// A number of an SEI header: as many 255 as fit, then the rest.
fn sei_number(bytes: &mut Rbsp<'_>) -> Option<usize> {
    let mut number = 0usize;
    loop {
        let byte = bytes.next()?;
        number = number.saturating_add(usize::from(byte));
        if byte != 255 {
            return Some(number);
        }
    }
}

/// Whether slice_type says I or SI: 2, 4, or 7, 9 where all slices of the picture agree (H.264, table 7-6).
fn is_intra_slice(slice: &[u8]) -> bool {
    let mut bits = Bits::new(Rbsp::after_header(slice, HEADER_BYTES));
    let _first_macroblock = bits.unsigned_exp_golomb();
    matches!(bits.unsigned_exp_golomb(), Some(2 | 4 | 7 | 9))
}
