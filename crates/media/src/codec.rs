//! What callers ask of a coded picture whatever its codec; the codecs themselves are in `h264` and `h265`.

use crate::nal::without;
use crate::{FrameKind, MediaError, ParameterSets, h264, h265};
use bytes::Bytes;
use domain::Codec;

/// Reads a decoder configuration, `avcC` or `hvcC`; it is kept byte for byte. Errors: see the codecs.
pub fn parameter_sets(codec: Codec, config: &[u8]) -> Result<ParameterSets, MediaError> {
    match codec {
        Codec::H264 => h264::parameter_sets_from_avcc(config),
        Codec::H265 => h265::parameter_sets_from_hvcc(config),
    }
}

/// What a picture is for decoding. Errors: lengths that do not fit the access unit.
pub fn classify(codec: Codec, access_unit: &[u8]) -> Result<FrameKind, MediaError> {
    match codec {
        Codec::H264 => h264::classify(access_unit),
        Codec::H265 => h265::classify(access_unit),
    }
}

/// The access unit without parameter sets (R6). Copies nothing when there are none.
/// Errors: lengths that do not fit the access unit.
pub fn without_parameter_sets(codec: Codec, access_unit: &Bytes) -> Result<Bytes, MediaError> {
    without(access_unit, |unit| match codec {
        Codec::H264 => h264::is_parameter_set(h264::unit_type(unit)),
        Codec::H265 => h265::is_parameter_set(h265::unit_type(unit)),
    })
}

/// The parameter sets as NAL units, without length or start code, in the order in which a decoder takes them.
/// Errors: see the codecs.
pub fn parameter_set_units(parameters: &ParameterSets) -> Result<Vec<Bytes>, MediaError> {
    let units: Vec<&[u8]> = match parameters.codec {
        Codec::H264 => {
            let record = h264::AvccRecord::parse(&parameters.config)?;
            [record.sequence_sets, record.sequence_set_extensions, record.picture_sets].concat()
        }
        Codec::H265 => {
            let arrays = h265::HvccRecord::parse(&parameters.config)?.arrays;
            let of = |unit_type: u8| arrays.iter().filter(move |(head, _)| head & 0x3f == unit_type);
            use h265::nal_type::{PICTURE_SET, SEQUENCE_SET, VIDEO_SET};
            [VIDEO_SET, SEQUENCE_SET, PICTURE_SET].into_iter().flat_map(of).flat_map(|(_, sets)| sets.clone()).collect()
        }
    };
    Ok(units.into_iter().map(Bytes::copy_from_slice).collect())
}

/// The RFC 6381 codec string for MSE, for example `avc1.64001f` or `hvc1.1.6.L93.90`.
pub fn codec_string(parameters: &ParameterSets) -> String {
    match parameters.codec {
        Codec::H264 => h264::codec_string(&parameters.config),
        Codec::H265 => h265::codec_string(&parameters.config),
    }
}

/// How many pictures may come before one that is shown after them, as far as the camera says; see [`crate::Reorder`].
pub fn reorder_depth(parameters: &ParameterSets) -> usize {
    match parameters.codec {
        Codec::H264 => h264::reorder_depth(&parameters.config),
        Codec::H265 => h265::reorder_depth(&parameters.config),
    }
}
