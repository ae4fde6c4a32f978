//! The part of an H.265 sequence parameter set (ITU-T H.265, 7.3.2.2.1) that players and the recorder need, read by our own.

use super::HEADER_BYTES;
use crate::rbsp::{Bits, Rbsp};

/// sps_max_sub_layers_minus1 is at most 6.
const SUB_LAYERS_MAX: u8 = 7;
/// Profile, tier, compatibility and constraint flags of `hvcC` and of the set are the same eleven bytes.
pub(super) const PROFILE_BYTES: usize = 11;

/// As far as the reordering information; what follows is of no use here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct SequenceSet {
    /// general_profile_space to general_constraint_indicator_flags.
    pub profile: [u8; PROFILE_BYTES],
    pub level: u8,
    pub sub_layers: u8,
    pub temporal_id_nested: bool,
    /// chroma_format_idc, 0 to 3.
    pub chroma_format: u8,
    /// Bits per sample above 8.
    pub luma_depth: u8,
    pub chroma_depth: u8,
    /// Pixels after cropping.
    pub width: u32,
    pub height: u32,
    /// sps_max_num_reorder_pics of the highest sub-layer.
    pub reorder_pictures: u32,
}

/// Nothing where the set ends early or a number cannot be.
pub(super) fn read(unit: &[u8]) -> Option<SequenceSet> {
    let mut bits = Bits::new(Rbsp::after_header(unit, HEADER_BYTES));
    let _video_set = bits.number(4)?;
    let sub_layers = bits.number(3)? as u8 + 1;
    if sub_layers > SUB_LAYERS_MAX {
        return None;
    }
    let temporal_id_nested = bits.flag()?;
    let mut profile = [0; PROFILE_BYTES];
    for byte in &mut profile {
        *byte = bits.number(8)? as u8;
    }
    let level = bits.number(8)? as u8;
    skip_sub_layer_profiles(&mut bits, sub_layers)?;
    let _sequence_set = bits.unsigned_exp_golomb()?;
    let chroma_format = bits.unsigned_exp_golomb().filter(|format| *format <= 3)? as u8;
    if chroma_format == 3 {
        bits.skip(1)?; // separate_colour_plane_flag
    }
    let coded = (bits.unsigned_exp_golomb()?, bits.unsigned_exp_golomb()?);
    let (width, height) = if bits.flag()? { cropped(&mut bits, coded, chroma_format)? } else { coded };
    let luma_depth = bits.unsigned_exp_golomb().filter(|depth| *depth <= 7)? as u8;
    let chroma_depth = bits.unsigned_exp_golomb().filter(|depth| *depth <= 7)? as u8;
    let _picture_order_bits = bits.unsigned_exp_golomb()?;
    let told = if bits.flag()? { sub_layers } else { 1 };
    let mut reorder_pictures = 0;
    for _ in 0..told {
        let _buffering = bits.unsigned_exp_golomb()?;
        reorder_pictures = bits.unsigned_exp_golomb()?;
        let _latency = bits.unsigned_exp_golomb()?;
    }
    Some(SequenceSet {
        profile,
        level,
        sub_layers,
        temporal_id_nested,
        chroma_format,
        luma_depth,
        chroma_depth,
        width,
        height,
        reorder_pictures,
    })
}

/// profile_tier_level behind the general part (7.3.3).
fn skip_sub_layer_profiles(bits: &mut Bits<Rbsp<'_>>, sub_layers: u8) -> Option<()> {
    let lower = usize::from(sub_layers) - 1;
    let mut present = [(false, false); SUB_LAYERS_MAX as usize];
    for layer in present.iter_mut().take(lower) {
        *layer = (bits.flag()?, bits.flag()?);
    }
    if lower > 0 {
        bits.skip(2 * (8 - lower as u32))?;
    }
    for (profile, level) in present.iter().take(lower) {
        bits.skip(if *profile { 8 * PROFILE_BYTES as u32 } else { 0 })?;
        bits.skip(if *level { 8 } else { 0 })?;
    }
    Some(())
}

/// The conformance window, in units of chroma samples (7.4.3.2.1, table 6-1).
fn cropped(bits: &mut Bits<Rbsp<'_>>, (width, height): (u32, u32), chroma_format: u8) -> Option<(u32, u32)> {
    let (unit_x, unit_y) = match chroma_format {
        1 => (2, 2),
        2 => (2, 1),
        _ => (1, 1),
    };
    let mut side = || bits.unsigned_exp_golomb();
    let (left, right, top, bottom) = (side()?, side()?, side()?, side()?);
    let cut = |size: u32, unit: u32, one: u32, other: u32| size.checked_sub(one.checked_add(other)?.checked_mul(unit)?);
    Some((cut(width, unit_x, left, right)?, cut(height, unit_y, top, bottom)?))
}
