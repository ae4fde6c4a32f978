//! MP4 without fragments, for what leaves: one file a camera and continuous span, playable wherever MP4 is.
//!
//! ```text
//! ftyp · one mdat for each run of pictures, one after the other, in decoding order · moov
//! ```
//! The pictures come first, and a run is at most what is in memory at once: a file of any length is written in one pass, so it can
//! be digested and sealed as it goes by. Source: ISO/IEC 14496-12 (boxes), 14496-15 (NAL units with lengths).

mod read;

pub use read::{BoxPlace, Movie, PlacedSample, box_at};

use crate::fmp4::{TIMESCALE, TRACK_ID};
use crate::track::{Timing, movie_header, sample_entry, track, unwritable};
use crate::{FrameEntry, MediaError, ParameterSets};
use domain::{MediaTicks, UtcMicros, limit::PICTURE_BYTES_MAX};
use shiguredo_mp4::boxes::{
    Brand, Co64Box, CttsBox, CttsEntry, EdtsBox, ElstBox, ElstEntry, FtypBox, MoovBox, SampleEntry, StblBox, StcoBox,
    StscBox, StscEntry, StsdBox, StssBox, StszBox, SttsBox, SttsEntry, UnknownBox,
};
use shiguredo_mp4::{BoxSize, BoxType, Either, Encode, FixedPointNumber, Mp4FileTime};
use std::num::NonZeroU32;

/// Pictures of one file: two days at 50 frames/s. Their table is 20 bytes a picture in memory.
pub const MOVIE_SAMPLES_MAX: usize = 8_640_000;
/// A pause between two pictures that is longer ends the file: nothing is stretched over a gap.
pub const MOVIE_PAUSE_TICKS_MAX: i64 = 10 * MediaTicks::PER_SECOND;
/// Of a last picture where nothing tells: 25 frames/s.
const LAST_DURATION_TICKS: u32 = (MediaTicks::PER_SECOND / 25) as u32;

/// Collects what the `moov` says while the pictures themselves go by.
pub struct MovieBuilder {
    parameters: ParameterSets,
    sample_entry: SampleEntry,
    brand: Brand,
    taken: UtcMicros,
    /// What the file says of itself.
    title: Option<String>,
    lines: Vec<Line>,
    /// Where each run's pictures begin in the file, and the number of its first picture.
    runs: Vec<(u64, usize)>,
    /// Of the file so far, with the pictures of the runs that began.
    bytes: u64,
}

/// One picture: ticks since the one before, presentation minus decoding time, size.
#[derive(Clone, Copy)]
struct Line {
    delta: u32,
    composition_offset: i32,
    size: u32,
    starts_group: bool,
}

impl MovieBuilder {
    /// `taken`: when its first picture was. Errors: parameter sets that cannot be read.
    pub fn new(parameters: &ParameterSets, taken: UtcMicros) -> Result<MovieBuilder, MediaError> {
        let (sample_entry, brand) = sample_entry(parameters)?;
        let (parameters, lines, runs) = (parameters.clone(), Vec::new(), Vec::new());
        let mut builder = MovieBuilder { parameters, sample_entry, brand, taken, title: None, lines, runs, bytes: 0 };
        builder.bytes = builder.head()?.len() as u64;
        Ok(builder)
    }

    /// With a title, which players show.
    pub fn titled(self, title: &str) -> MovieBuilder {
        MovieBuilder { title: Some(title.to_owned()), ..self }
    }

    /// The beginning of the file.
    pub fn head(&self) -> Result<Vec<u8>, MediaError> {
        let brands = vec![Brand::ISOM, Brand::ISO2, self.brand, Brand::MP41];
        let ftyp = FtypBox { major_brand: Brand::ISOM, minor_version: 0x200, compatible_brands: brands };
        ftyp.encode_to_vec().map_err(unwritable)
    }

    /// A run of pictures of so many bytes together begins: what stands before them in the file. They are pushed one by one.
    pub fn run(&mut self, data_bytes: u64) -> Vec<u8> {
        let header = mdat_header(data_bytes);
        self.bytes += header.len() as u64;
        self.runs.push((self.bytes, self.lines.len()));
        self.bytes += data_bytes;
        header
    }

    /// Whether a picture that is decoded at `dts` can stand behind those that are here.
    pub fn goes_on(&self, last_dts: MediaTicks, dts: MediaTicks) -> bool {
        let pause = dts.0.saturating_sub(last_dts.0);
        0 < pause && pause <= MOVIE_PAUSE_TICKS_MAX
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
        let offset = frame.pts.0.saturating_sub(frame.dts.0);
        let composition_offset = i32::try_from(offset).map_err(|_| MediaError::MovieRunsBackwards { index })?;
        self.lines.push(Line { delta, composition_offset, size: frame.size, starts_group: frame.kind.starts_group() });
        Ok(())
    }

    pub fn samples(&self) -> usize {
        self.lines.len()
    }

    /// The end of the file. Errors: no picture, pictures that are not those of the runs.
    pub fn finish(self) -> Result<Vec<u8>, MediaError> {
        if self.lines.is_empty() {
            return Err(MediaError::FragmentEmpty);
        }
        let durations = self.durations();
        let duration = durations.iter().map(|ticks| u64::from(*ticks)).sum();
        let timing = Timing { taken: file_time(self.taken), duration };
        let mut video = track(&self.parameters, self.tables(&durations), timing);
        video.edts_box = self.edit(duration);
        let moov = MoovBox {
            mvhd_box: movie_header(timing),
            trak_boxes: vec![video],
            mvex_box: None,
            unknown_boxes: self.title.as_deref().map(title_box).into_iter().collect(),
        };
        moov.encode_to_vec().map_err(unwritable)
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

    /// Where each chunk begins, in the word's meaning of ISO/IEC 14496-12, and how many pictures it has: a new one at each group
    /// and each run.
    fn pieces(&self) -> (Vec<u64>, Vec<u32>) {
        let (mut offsets, mut counts): (Vec<u64>, Vec<u32>) = (Vec::new(), Vec::new());
        let mut runs = self.runs.iter().peekable();
        let mut at = 0;
        for (index, line) in self.lines.iter().enumerate() {
            let begins = runs.next_if(|(_, first)| *first == index);
            at = begins.map_or(at, |(offset, _)| *offset);
            match counts.last_mut() {
                Some(count) if !line.starts_group && begins.is_none() => *count += 1,
                _ => {
                    offsets.push(at);
                    counts.push(1);
                }
            }
            at += u64::from(line.size);
        }
        (offsets, counts)
    }

    fn tables(&self, durations: &[u32]) -> StblBox {
        let (offsets, counts) = self.pieces();
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

/// `udta` with the item `©nam` of the metadata that iTunes began and all players read; none of it is in ISO/IEC 14496-12.
fn title_box(title: &str) -> UnknownBox {
    let boxed =
        |kind: &[u8; 4], content: &[u8]| [&(8 + content.len() as u32).to_be_bytes()[..], kind, content].concat();
    let text = [&[0, 0, 0, 1, 0, 0, 0, 0][..], title.as_bytes()].concat(); // 1: UTF-8; no locale
    let list = boxed(b"ilst", &boxed(b"\xa9nam", &boxed(b"data", &text)));
    let handler = boxed(b"hdlr", &[&[0; 8][..], b"mdirappl", &[0; 9]].concat());
    let meta = boxed(b"meta", &[&[0; 4][..], &handler, &list].concat());
    UnknownBox {
        box_type: BoxType::Normal(*b"udta"),
        box_size: BoxSize::with_payload_size(BoxType::Normal(*b"udta"), meta.len() as u64),
        payload: meta,
    }
}

fn mdat_header(data_bytes: u64) -> Vec<u8> {
    match u32::try_from(data_bytes + 8) {
        Ok(bytes) => [&bytes.to_be_bytes()[..], b"mdat"].concat(),
        Err(_) => [&1u32.to_be_bytes()[..], b"mdat", &(data_bytes + 16).to_be_bytes()].concat(),
    }
}

/// Whole seconds since 1904.
fn file_time(at: UtcMicros) -> Mp4FileTime {
    const FROM_1904_TO_1970: i64 = 2_082_844_800;
    Mp4FileTime::from_secs(u64::try_from(at.0.div_euclid(1_000_000) + FROM_1904_TO_1970).unwrap_or(0))
}

const _: () = assert!(TRACK_ID == 1 && TIMESCALE as i64 == MediaTicks::PER_SECOND);
