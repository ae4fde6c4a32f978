//! MP4 without fragments, for what leaves: one file a camera and continuous span, playable wherever MP4 is.
//!
//! ```text
//! ftyp · mdat with a 64-bit length: the pictures, one after the other, in decoding order · moov
//! ```
//! The pictures come first, so that a file of any length is written in one pass: the length of `mdat` is the one thing that
//! is put in afterwards ([`Finished::mdat_header`]). Source: ISO/IEC 14496-12 (boxes), 14496-15 (NAL units with lengths).

mod read;

pub use read::{BoxPlace, Movie, PlacedSample, box_at};

use crate::fmp4::{TIMESCALE, TRACK_ID};
use crate::track::{Timing, movie_header, sample_entry, track, unwritable};
use crate::{FrameEntry, MediaError, ParameterSets};
use domain::{MediaTicks, UtcMicros, limit::PICTURE_BYTES_MAX};
use shiguredo_mp4::boxes::{
    Brand, Co64Box, CttsBox, CttsEntry, EdtsBox, ElstBox, ElstEntry, FtypBox, MoovBox, SampleEntry, StblBox, StcoBox,
    StscBox, StscEntry, StsdBox, StssBox, StszBox, SttsBox, SttsEntry,
};
use shiguredo_mp4::{Either, Encode, FixedPointNumber, Mp4FileTime};
use std::num::NonZeroU32;

/// Pictures of one file: two days at 50 frames/s. Their table is 20 bytes a picture in memory.
pub const MOVIE_SAMPLES_MAX: usize = 8_640_000;
/// A pause between two pictures that is longer ends the file: nothing is stretched over a gap.
pub const MOVIE_PAUSE_TICKS_MAX: i64 = 10 * MediaTicks::PER_SECOND;
/// Bytes of the header of `mdat`: 1, `mdat`, then its length in 64 bits.
pub const MDAT_HEADER_BYTES: usize = 16;
/// Of a last picture where nothing tells: 25 frames/s.
const LAST_DURATION_TICKS: u32 = (MediaTicks::PER_SECOND / 25) as u32;

/// Collects what the `moov` says while the pictures themselves go by.
pub struct MovieBuilder {
    parameters: ParameterSets,
    sample_entry: SampleEntry,
    brand: Brand,
    taken: UtcMicros,
    lines: Vec<Line>,
    first_dts: i64,
    data_bytes: u64,
}

/// One picture: ticks since the one before, presentation minus decoding time, size.
#[derive(Clone, Copy)]
struct Line {
    delta: u32,
    composition_offset: i32,
    size: u32,
    starts_group: bool,
}

/// What remains to be written when all pictures are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finished {
    /// Where [`Finished::mdat_header`] belongs, bytes from the file's start.
    pub mdat_offset: u64,
    pub mdat_header: [u8; MDAT_HEADER_BYTES],
    /// Behind the last picture.
    pub moov: Vec<u8>,
}

impl MovieBuilder {
    /// `taken`: when its first picture was. Errors: parameter sets that cannot be read.
    pub fn new(parameters: &ParameterSets, taken: UtcMicros) -> Result<MovieBuilder, MediaError> {
        let (sample_entry, brand) = sample_entry(parameters)?;
        let (parameters, lines) = (parameters.clone(), Vec::new());
        Ok(MovieBuilder { parameters, sample_entry, brand, taken, lines, first_dts: 0, data_bytes: 0 })
    }

    /// The beginning of the file, `mdat` still without its length.
    pub fn head(&self) -> Result<Vec<u8>, MediaError> {
        let mut head = self.ftyp()?;
        head.extend_from_slice(&mdat_header(0));
        Ok(head)
    }

    /// Whether a picture that is decoded at `dts` can stand behind those that are here.
    pub fn goes_on(&self, last_dts: MediaTicks, dts: MediaTicks) -> bool {
        let pause = dts.0.saturating_sub(last_dts.0);
        self.lines.is_empty() || (0 < pause && pause <= MOVIE_PAUSE_TICKS_MAX)
    }

    /// The next picture, in decoding order; `before` is the decoding time of the one before, none for the first.
    /// Errors: no bytes or too many, a pause that [`MovieBuilder::goes_on`] refuses, a full file.
    pub fn push(&mut self, frame: &FrameEntry, before: Option<MediaTicks>) -> Result<(), MediaError> {
        let index = self.lines.len();
        let bytes = frame.size as usize;
        if bytes == 0 || bytes > PICTURE_BYTES_MAX {
            return Err(MediaError::SampleSize { index, bytes, max: PICTURE_BYTES_MAX });
        }
        if index >= MOVIE_SAMPLES_MAX {
            return Err(MediaError::MovieTooLong { max: MOVIE_SAMPLES_MAX });
        }
        let delta = match before {
            Some(before) if self.goes_on(before, frame.dts) => (frame.dts.0 - before.0) as u32,
            None if self.lines.is_empty() => 0,
            _ => return Err(MediaError::MovieRunsBackwards { index }),
        };
        if self.lines.is_empty() {
            self.first_dts = frame.dts.0;
        }
        let offset = frame.pts.0.saturating_sub(frame.dts.0);
        let composition_offset = i32::try_from(offset).map_err(|_| MediaError::MovieRunsBackwards { index })?;
        self.lines.push(Line { delta, composition_offset, size: frame.size, starts_group: frame.kind.starts_group() });
        self.data_bytes += u64::from(frame.size);
        Ok(())
    }

    pub fn samples(&self) -> usize {
        self.lines.len()
    }

    /// The end of the file. Errors: no picture.
    pub fn finish(self) -> Result<Finished, MediaError> {
        if self.lines.is_empty() {
            return Err(MediaError::FragmentEmpty);
        }
        let mdat_offset = self.ftyp()?.len() as u64;
        let durations = self.durations();
        let duration = durations.iter().map(|ticks| u64::from(*ticks)).sum();
        let timing = Timing { taken: file_time(self.taken), duration };
        let mut video = track(&self.parameters, self.tables(&durations, mdat_offset), timing);
        video.edts_box = self.edit(duration);
        let moov = MoovBox {
            mvhd_box: movie_header(timing),
            trak_boxes: vec![video],
            mvex_box: None,
            unknown_boxes: Vec::new(),
        };
        let moov = moov.encode_to_vec().map_err(unwritable)?;
        Ok(Finished { mdat_offset, mdat_header: mdat_header(MDAT_HEADER_BYTES as u64 + self.data_bytes), moov })
    }

    fn ftyp(&self) -> Result<Vec<u8>, MediaError> {
        let brands = vec![Brand::ISOM, Brand::ISO2, self.brand, Brand::MP41];
        let ftyp = FtypBox { major_brand: Brand::ISOM, minor_version: 0x200, compatible_brands: brands };
        ftyp.encode_to_vec().map_err(unwritable)
    }

    /// Each picture stands until the next one is decoded, the last as long as the one before it.
    fn durations(&self) -> Vec<u32> {
        let mut durations: Vec<u32> = self.lines.iter().skip(1).map(|line| line.delta).collect();
        durations.push(durations.last().copied().unwrap_or(LAST_DURATION_TICKS));
        durations
    }

    /// Where pictures are shown later than they are decoded, the file begins with the first that is shown.
    fn edit(&self, duration: u64) -> Option<EdtsBox> {
        let mut dts = 0i64;
        let mut first = i64::MAX;
        for line in &self.lines {
            dts += i64::from(line.delta);
            first = first.min(dts + i64::from(line.composition_offset));
        }
        let entry = ElstEntry { edit_duration: duration, media_time: first, media_rate: FixedPointNumber::new(1, 0) };
        let elst_box = Some(ElstBox { entries: vec![entry] });
        (first > 0).then_some(EdtsBox { elst_box, unknown_boxes: Vec::new() })
    }

    /// One chunk, in the word's meaning of ISO/IEC 14496-12, a group of pictures.
    fn tables(&self, durations: &[u32], mdat_offset: u64) -> StblBox {
        let mut offsets = Vec::new();
        let mut counts: Vec<u32> = Vec::new();
        let mut at = mdat_offset + MDAT_HEADER_BYTES as u64;
        for line in &self.lines {
            match counts.last_mut() {
                Some(count) if !line.starts_group => *count += 1,
                _ => {
                    offsets.push(at);
                    counts.push(1);
                }
            }
            at += u64::from(line.size);
        }
        let number = |index: usize| NonZeroU32::MIN.saturating_add(index as u32);
        let is_sync = |(_, line): &(usize, &Line)| line.starts_group;
        let sample_numbers = self.lines.iter().enumerate().filter(is_sync).map(|(index, _)| number(index)).collect();
        let mut entries: Vec<StscEntry> = Vec::new();
        for (index, count) in counts.iter().enumerate() {
            if entries.last().is_none_or(|last| last.sample_per_chunk != *count) {
                entries.push(StscEntry {
                    first_chunk: number(index),
                    sample_per_chunk: *count,
                    sample_description_index: NonZeroU32::MIN,
                });
            }
        }
        let short: Option<Vec<u32>> = offsets.iter().map(|offset| u32::try_from(*offset).ok()).collect();
        StblBox {
            stsd_box: StsdBox { entries: vec![self.sample_entry.clone()] },
            stts_box: SttsBox {
                entries: runs(durations.iter().copied(), |sample_count, sample_delta| SttsEntry {
                    sample_count,
                    sample_delta,
                }),
            },
            ctts_box: self.offsets(),
            cslg_box: None,
            stsc_box: StscBox { entries },
            stsz_box: StszBox::Variable { entry_sizes: self.lines.iter().map(|line| line.size).collect() },
            stco_or_co64_box: match short {
                Some(chunk_offsets) => Either::A(StcoBox { chunk_offsets }),
                None => Either::B(Co64Box { chunk_offsets: offsets }),
            },
            stss_box: Some(StssBox { sample_numbers }),
            sdtp_box: None,
            unknown_boxes: Vec::new(),
        }
    }

    fn offsets(&self) -> Option<CttsBox> {
        if self.lines.iter().all(|line| line.composition_offset == 0) {
            return None;
        }
        // version 0 has no negative offsets, and every player reads it
        let version = u8::from(self.lines.iter().any(|line| line.composition_offset < 0));
        let offsets = self.lines.iter().map(|line| i64::from(line.composition_offset));
        Some(CttsBox {
            version,
            entries: runs(offsets, |sample_count, sample_offset| CttsEntry { sample_count, sample_offset }),
        })
    }
}

/// The same value again and again becomes one entry.
fn runs<T: PartialEq + Copy, E>(values: impl Iterator<Item = T>, entry: impl Fn(u32, T) -> E) -> Vec<E> {
    let mut runs: Vec<(u32, T)> = Vec::new();
    for value in values {
        match runs.last_mut() {
            Some((count, same)) if *same == value => *count += 1,
            _ => runs.push((1, value)),
        }
    }
    runs.into_iter().map(|(count, value)| entry(count, value)).collect()
}

fn mdat_header(bytes: u64) -> [u8; MDAT_HEADER_BYTES] {
    let mut header = [0; MDAT_HEADER_BYTES];
    header[3] = 1;
    header[4..8].copy_from_slice(b"mdat");
    header[8..].copy_from_slice(&bytes.to_be_bytes());
    header
}

/// Whole seconds since 1904.
fn file_time(at: UtcMicros) -> Mp4FileTime {
    const FROM_1904_TO_1970: i64 = 2_082_844_800;
    Mp4FileTime::from_secs(u64::try_from(at.0.div_euclid(1_000_000) + FROM_1904_TO_1970).unwrap_or(0))
}

const _: () = assert!(TRACK_ID == 1 && TIMESCALE as i64 == MediaTicks::PER_SECOND);
