//! NAL units of both codecs: cut from a byte stream, told apart by their headers (ITU-T H.264 7.3.1, H.265 7.3.1.2).

use crate::coding::Codec;
use aws_lc_rs::digest::{SHA256, digest};

/// SHA-256 of one NAL unit, without start code or length.
pub type NalDigest = [u8; 32];

/// SHA-256 of a NAL unit.
pub fn nal_digest(nal: &[u8]) -> NalDigest {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, nal).as_ref());
    bytes
}

/// What a NAL unit is, as far as sending it goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NalKind {
    Vps,
    Sps,
    Pps,
    /// Part of a picture; `first` begins one.
    Slice {
        first: bool,
        picture: PictureKind,
    },
    /// Delimiters, messages, filler.
    Other,
}

/// What a picture is to somebody who begins to read with it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PictureKind {
    Idr,
    /// H.265: a key picture whose leading pictures may need the group before.
    Cra,
    /// H.265 RASL: cannot be decoded by who began with its CRA.
    Leading,
    Other,
}

impl PictureKind {
    /// Whether reading may begin here.
    pub fn is_key(self) -> bool {
        matches!(self, PictureKind::Idr | PictureKind::Cra)
    }
}

pub fn nal_kind(codec: Codec, nal: &[u8]) -> NalKind {
    match codec {
        Codec::H264 => h264(nal),
        Codec::H265 => h265(nal),
    }
}

/// Whether a NAL unit is a parameter set.
pub fn is_parameter_set(codec: Codec, nal: &[u8]) -> bool {
    matches!(nal_kind(codec, nal), NalKind::Vps | NalKind::Sps | NalKind::Pps)
}

fn h264(nal: &[u8]) -> NalKind {
    // first_mb_in_slice is 0 (its Exp-Golomb code begins with a 1): a new picture.
    let first = nal.get(1).is_some_and(|byte| byte & 0x80 != 0);
    match nal.first().map(|byte| byte & 0x1f) {
        Some(1) => NalKind::Slice { first, picture: PictureKind::Other },
        Some(5) => NalKind::Slice { first, picture: PictureKind::Idr },
        Some(7) => NalKind::Sps,
        Some(8) => NalKind::Pps,
        _ => NalKind::Other,
    }
}

fn h265(nal: &[u8]) -> NalKind {
    // first_slice_segment_in_pic_flag stands behind the header of two bytes
    let first = nal.get(2).is_some_and(|byte| byte & 0x80 != 0);
    let slice = |picture| NalKind::Slice { first, picture };
    match nal.first().map(|byte| byte >> 1 & 0x3f) {
        Some(8 | 9) => slice(PictureKind::Leading),
        Some(0..=7) => slice(PictureKind::Other),
        Some(19 | 20) => slice(PictureKind::Idr),
        Some(21) => slice(PictureKind::Cra),
        Some(32) => NalKind::Vps,
        Some(33) => NalKind::Sps,
        Some(34) => NalKind::Pps,
        _ => NalKind::Other,
    }
}

/// NAL units of an Annex B byte stream (ITU-T H.264, annex B), without start codes and trailing zeros.
pub fn split_annex_b(data: &[u8]) -> Vec<&[u8]> {
    let mut starts = Vec::new();
    let mut at = 0;
    while at + 3 <= data.len() {
        if data[at..at + 3] == [0, 0, 1] {
            starts.push(at);
            at += 3;
        } else {
            at += 1;
        }
    }
    let ends = starts.iter().skip(1).copied().chain([data.len()]);
    starts
        .iter()
        .zip(ends)
        .map(|(&start, end)| trim_zeros(&data[start + 3..end]))
        .filter(|nal| !nal.is_empty())
        .collect()
}

fn trim_zeros(nal: &[u8]) -> &[u8] {
    let kept = nal.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    &nal[..kept]
}
