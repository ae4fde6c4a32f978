//! Fragmented MP4 for a browser's Media Source Extensions: one track of H.264 or H.265, one `moof` and one `mdat` per fragment.
//!
//! An *initialization segment* (`ftyp`, `moov`) says how the pictures are coded and holds none; each *fragment* (`moof`,
//! `mdat`) holds some pictures and where on the timeline they stand (`tfdt`). Fragments can be appended from anywhere
//! on the timeline, which is what replay needs. The library's own fragment writer always starts at time 0, so the
//! `moof`, a hundred bytes and sixteen per picture, is written here.

mod fragmenter;
mod init;

pub use fragmenter::{Fragmenter, TimelineFrame};
pub use init::init_segment;

use crate::MediaError;
use domain::limit::PICTURE_BYTES_MAX;

/// The one track.
pub const TRACK_ID: u32 = 1;
/// Ticks per second of the track: [`domain::MediaTicks`].
pub const TIMESCALE: u32 = 90_000;
/// Pictures of one fragment: 400 s at 25 frames/s, far beyond what anybody should wait for.
pub const FRAGMENT_SAMPLES_MAX: usize = 10_000;
/// Pictures' bytes of one fragment: sizes and offsets of the boxes are signed 32 bits, header included.
pub const FRAGMENT_BYTES_MAX: u64 = 1 << 30;

/// One picture of a fragment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sample<'a> {
    /// NAL units, each after its length in four bytes; 1 byte to 8 MiB.
    pub data: &'a [u8],
    /// Ticks of 1/90,000 s until the next picture is decoded.
    pub duration: u32,
    /// Presentation minus decoding time, ticks.
    pub composition_offset: i32,
    /// Whether decoding may start here: a sync sample.
    pub starts_group: bool,
}

/// One fragment: `moof` and `mdat` (ISO/IEC 14496-12, 8.8).
///
/// `sequence` goes up by one from fragment to fragment; `base_dts` is the first picture's decoding time in ticks of
/// 1/90,000 s, the others follow by the durations.
/// Errors: no picture, more than [`FRAGMENT_SAMPLES_MAX`] pictures or [`FRAGMENT_BYTES_MAX`] bytes, a picture of 0
/// bytes or more than 8 MiB.
pub fn fragment(sequence: u32, base_dts: u64, samples: &[Sample<'_>]) -> Result<Vec<u8>, MediaError> {
    let data_bytes = check_samples(samples)?;
    let moof_bytes = MOOF_FIXED_BYTES + TRUN_SAMPLE_BYTES * samples.len();
    let mut out = Vec::with_capacity(moof_bytes + BOX_HEADER_BYTES + data_bytes);

    // Sizes below fit 32 bits: `check_samples` bounds pictures and bytes.
    box_header(&mut out, moof_bytes, b"moof");
    box_header(&mut out, MFHD_BYTES, b"mfhd");
    words(&mut out, &[0, sequence]);
    box_header(&mut out, moof_bytes - BOX_HEADER_BYTES - MFHD_BYTES, b"traf");
    box_header(&mut out, TFHD_BYTES, b"tfhd");
    words(&mut out, &[TFHD_DEFAULT_BASE_IS_MOOF, TRACK_ID]);
    box_header(&mut out, TFDT_BYTES, b"tfdt");
    words(&mut out, &[VERSION_1, (base_dts >> 32) as u32, base_dts as u32]);
    box_header(&mut out, TRUN_FIXED_BYTES + TRUN_SAMPLE_BYTES * samples.len(), b"trun");
    let data_offset = (moof_bytes + BOX_HEADER_BYTES) as u32;
    words(&mut out, &[VERSION_1 | TRUN_FLAGS, samples.len() as u32, data_offset]);
    for sample in samples {
        let flags = if sample.starts_group { SYNC_SAMPLE } else { NON_SYNC_SAMPLE };
        words(&mut out, &[sample.duration, sample.data.len() as u32, flags, sample.composition_offset as u32]);
    }
    debug_assert_eq!(out.len(), moof_bytes, "the sizes of the boxes must add up to the moof");

    box_header(&mut out, BOX_HEADER_BYTES + data_bytes, b"mdat");
    for sample in samples {
        out.extend_from_slice(sample.data);
    }
    Ok(out)
}

const BOX_HEADER_BYTES: usize = 8;
const MFHD_BYTES: usize = BOX_HEADER_BYTES + 8;
const TFHD_BYTES: usize = BOX_HEADER_BYTES + 8;
const TFDT_BYTES: usize = BOX_HEADER_BYTES + 12;
const TRUN_FIXED_BYTES: usize = BOX_HEADER_BYTES + 12;
const TRUN_SAMPLE_BYTES: usize = 16;
const MOOF_FIXED_BYTES: usize = 2 * BOX_HEADER_BYTES + MFHD_BYTES + TFHD_BYTES + TFDT_BYTES + TRUN_FIXED_BYTES;
/// The version stands in the upper byte, flags in the lower three.
const VERSION_1: u32 = 1 << 24;
const TFHD_DEFAULT_BASE_IS_MOOF: u32 = 0x02_0000;
/// data-offset, and per sample duration, size, flags, composition time offset (signed in version 1).
const TRUN_FLAGS: u32 = 0x01 | 0x100 | 0x200 | 0x400 | 0x800;
/// sample_depends_on 2: on no other.
const SYNC_SAMPLE: u32 = 0x0200_0000;
/// sample_depends_on 1: on others; sample_is_non_sync_sample.
const NON_SYNC_SAMPLE: u32 = 0x0101_0000;

// The largest fragment's data offset is a signed 32 bit number, and so is the whole fragment's size.
const _: () = assert!(
    FRAGMENT_BYTES_MAX + (MOOF_FIXED_BYTES + TRUN_SAMPLE_BYTES * FRAGMENT_SAMPLES_MAX + BOX_HEADER_BYTES) as u64
        <= i32::MAX as u64
);
// One picture of the largest size always fits a fragment.
const _: () = assert!(PICTURE_BYTES_MAX as u64 <= FRAGMENT_BYTES_MAX);

/// Bytes of all pictures.
fn check_samples(samples: &[Sample<'_>]) -> Result<usize, MediaError> {
    if samples.is_empty() {
        return Err(MediaError::FragmentEmpty);
    }
    if samples.len() > FRAGMENT_SAMPLES_MAX {
        return Err(MediaError::FragmentTooLong { samples: samples.len(), max: FRAGMENT_SAMPLES_MAX });
    }
    let mut data_bytes = 0;
    for (index, sample) in samples.iter().enumerate() {
        let bytes = sample.data.len();
        if bytes == 0 || bytes > PICTURE_BYTES_MAX {
            return Err(MediaError::SampleSize { index, bytes, max: PICTURE_BYTES_MAX });
        }
        data_bytes += bytes;
    }
    if data_bytes as u64 > FRAGMENT_BYTES_MAX {
        return Err(MediaError::FragmentTooLarge { bytes: data_bytes as u64, max: FRAGMENT_BYTES_MAX });
    }
    Ok(data_bytes)
}

fn box_header(out: &mut Vec<u8>, bytes: usize, kind: &[u8; 4]) {
    out.extend_from_slice(&(bytes as u32).to_be_bytes());
    out.extend_from_slice(kind);
}

fn words(out: &mut Vec<u8>, words: &[u32]) {
    for word in words {
        out.extend_from_slice(&word.to_be_bytes());
    }
}
