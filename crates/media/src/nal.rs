//! NAL units as stored here, each after its length in four bytes (ISO/IEC 14496-15); the same for H.264 and H.265.

use crate::MediaError;
use bytes::{Bytes, BytesMut};

/// Bytes of the length before each NAL unit (lengthSizeMinusOne = 3).
pub const NAL_LENGTH_BYTES: usize = 4;

/// One NAL unit, its header first, emulation prevention bytes in place; never empty.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NalUnit<'a> {
    bytes: &'a [u8],
    first: u8,
}

impl<'a> NalUnit<'a> {
    /// Of the header; `h264::unit_type` and `h265::unit_type` read it.
    pub fn first_byte(self) -> u8 {
        self.first
    }
    pub fn bytes(self) -> &'a [u8] {
        self.bytes
    }
}

/// The NAL units of an access unit, in order; ends after the first error.
pub fn nal_units(access_unit: &[u8]) -> NalUnits<'_> {
    NalUnits { access_unit, at: 0 }
}

/// See [`nal_units`].
#[derive(Clone, Debug)]
pub struct NalUnits<'a> {
    access_unit: &'a [u8],
    at: usize,
}

impl<'a> Iterator for NalUnits<'a> {
    type Item = Result<NalUnit<'a>, MediaError>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.access_unit.get(self.at..).filter(|rest| !rest.is_empty())?;
        let unit = first_unit(rest, self.at);
        self.at = match &unit {
            Ok(unit) => self.at + NAL_LENGTH_BYTES + unit.bytes.len(),
            Err(_) => self.access_unit.len(),
        };
        Some(unit)
    }
}

/// The access unit without the units that `is_out` names, everything else unchanged and in order. Copies nothing when
/// there are none.
///
/// Errors: lengths that do not fit the access unit.
pub(crate) fn without(access_unit: &Bytes, is_out: impl Fn(NalUnit<'_>) -> bool) -> Result<Bytes, MediaError> {
    let mut kept_bytes = 0;
    for unit in nal_units(access_unit) {
        let unit = unit?;
        kept_bytes += if is_out(unit) { 0 } else { NAL_LENGTH_BYTES + unit.bytes.len() };
    }
    if kept_bytes == access_unit.len() {
        return Ok(access_unit.clone());
    }
    let mut kept = BytesMut::with_capacity(kept_bytes);
    for unit in nal_units(access_unit) {
        let unit = unit?;
        if !is_out(unit) {
            // The length was read from four bytes, so it fits them again.
            kept.extend_from_slice(&(unit.bytes.len() as u32).to_be_bytes());
            kept.extend_from_slice(unit.bytes);
        }
    }
    Ok(kept.freeze())
}

/// The unit at the start of `rest`, which begins at byte `at` of the access unit.
fn first_unit(rest: &[u8], at: usize) -> Result<NalUnit<'_>, MediaError> {
    let (length, body) = rest.split_first_chunk::<NAL_LENGTH_BYTES>().ok_or(MediaError::NalLengthCut { at })?;
    let length = u32::from_be_bytes(*length) as usize;
    let bytes = body.get(..length).ok_or(MediaError::NalTooLong { at, length, left: body.len() })?;
    let first = *bytes.first().ok_or(MediaError::NalEmpty { at })?;
    Ok(NalUnit { bytes, first })
}
