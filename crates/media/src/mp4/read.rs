//! Reading an MP4 file without fragments: where its pictures stand, when they are decoded and shown, how they are coded.

use super::{MOVIE_SAMPLES_MAX, TIMESCALE};
use crate::track::sample_entry;
use crate::{MediaError, ParameterSets};
use domain::limit::PICTURE_BYTES_MAX;
use shiguredo_mp4::boxes::{MoovBox, SampleEntry, StblBox, StszBox};
use shiguredo_mp4::{Decode, Either};

/// A box at the top of a file: its kind, and where its content lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BoxPlace {
    pub kind: [u8; 4],
    /// Bytes of the header: 8, or 16 with a long length.
    pub header_bytes: u64,
    /// Bytes of the whole box.
    pub bytes: u64,
}

/// One picture of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PlacedSample {
    /// From the file's start, bytes.
    pub offset: u64,
    pub size: u32,
    /// Ticks of 1/90,000 s since the first picture is decoded.
    pub dts: u64,
    /// Presentation minus decoding time.
    pub composition_offset: i64,
    /// Whether the file says that decoding may start here.
    pub is_sync: bool,
}

/// What the `moov` of a file says of its one track.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Movie {
    pub samples: Vec<PlacedSample>,
    entry: SampleEntry,
}

/// The box whose header begins `header` (at least 8, better 16 bytes), with `left` bytes to the file's end.
/// Errors: a length that cannot be.
pub fn box_at(header: &[u8], left: u64) -> Result<BoxPlace, MediaError> {
    let wrong = || unreadable("the length of a box");
    let (short, rest) = header.split_first_chunk::<4>().ok_or_else(wrong)?;
    let (kind, rest) = rest.split_first_chunk::<4>().ok_or_else(wrong)?;
    let (header_bytes, bytes) = match u32::from_be_bytes(*short) {
        0 => (8, left),
        1 => (16, u64::from_be_bytes(*rest.first_chunk::<8>().ok_or_else(wrong)?)),
        bytes => (8, u64::from(bytes)),
    };
    if bytes < header_bytes || left < bytes {
        return Err(wrong());
    }
    Ok(BoxPlace { kind: *kind, header_bytes, bytes })
}

impl Movie {
    /// Reads a whole `moov` box. Errors: anything but one track of pictures in [`TIMESCALE`], tables that contradict each
    /// other, more than [`MOVIE_SAMPLES_MAX`] pictures.
    pub fn from_moov(moov: &[u8]) -> Result<Movie, MediaError> {
        let (moov, read) = MoovBox::decode(moov).map_err(|error| unreadable(&error.reason))?;
        if read == 0 || moov.mvex_box.is_some() {
            return Err(unreadable("a file in fragments"));
        }
        let [track] = &moov.trak_boxes[..] else { return Err(unreadable("not exactly one track")) };
        if track.mdia_box.mdhd_box.timescale.get() != TIMESCALE {
            return Err(unreadable("another clock than 90 kHz"));
        }
        let tables = &track.mdia_box.minf_box.stbl_box;
        let [entry] = &tables.stsd_box.entries[..] else { return Err(unreadable("not exactly one way of coding")) };
        Ok(Movie { samples: samples(tables)?, entry: entry.clone() })
    }

    /// Whether the file tells a player to decode its pictures by these parameter sets.
    pub fn is_coded_by(&self, parameters: &ParameterSets) -> bool {
        sample_entry(parameters).is_ok_and(|(entry, _)| entry == self.entry)
    }
}

fn samples(tables: &StblBox) -> Result<Vec<PlacedSample>, MediaError> {
    let sizes = sizes(tables)?;
    let count = sizes.len();
    let offsets = offsets(tables, &sizes)?;
    let (dts, composition) = (decoding_times(tables, count)?, composition_offsets(tables, count)?);
    let mut is_sync = vec![tables.stss_box.is_none(); count];
    for number in tables.stss_box.iter().flat_map(|stss| &stss.sample_numbers) {
        let sample = is_sync.get_mut(number.get() as usize - 1);
        *sample.ok_or_else(|| unreadable("a table names a picture that is not there"))? = true;
    }
    let lines = sizes.into_iter().zip(offsets).zip(dts).zip(composition).zip(is_sync);
    Ok(lines
        .map(|((((size, offset), dts), composition_offset), is_sync)| PlacedSample {
            offset,
            size,
            dts,
            composition_offset,
            is_sync,
        })
        .collect())
}

fn sizes(tables: &StblBox) -> Result<Vec<u32>, MediaError> {
    let too_many = || MediaError::MovieTooLong { max: MOVIE_SAMPLES_MAX };
    let sizes = match &tables.stsz_box {
        StszBox::Variable { entry_sizes } if entry_sizes.len() <= MOVIE_SAMPLES_MAX => entry_sizes.clone(),
        StszBox::Variable { .. } => return Err(too_many()),
        // a few bytes could announce millions; no camera makes pictures of one size
        StszBox::Fixed { .. } => return Err(unreadable("pictures of one size")),
    };
    match sizes.iter().position(|size| *size as usize > PICTURE_BYTES_MAX) {
        Some(index) => Err(MediaError::SampleSize { index, bytes: sizes[index] as usize, max: PICTURE_BYTES_MAX }),
        None => Ok(sizes),
    }
}

fn offsets(tables: &StblBox, sizes: &[u32]) -> Result<Vec<u64>, MediaError> {
    let wrong = || unreadable("tables that contradict each other");
    let chunks: Vec<u64> = match &tables.stco_or_co64_box {
        Either::A(stco) => stco.chunk_offsets.iter().map(|offset| u64::from(*offset)).collect(),
        Either::B(co64) => co64.chunk_offsets.clone(),
    };
    let mut offsets = Vec::with_capacity(sizes.len());
    let entries = &tables.stsc_box.entries;
    for (index, entry) in entries.iter().enumerate() {
        let from = entry.first_chunk.get() as usize - 1;
        let to = entries.get(index + 1).map_or(chunks.len(), |next| next.first_chunk.get() as usize - 1);
        for chunk in chunks.get(from..to).ok_or_else(wrong)? {
            let mut at = *chunk;
            for _ in 0..entry.sample_per_chunk {
                let size = sizes.get(offsets.len()).ok_or_else(wrong)?;
                offsets.push(at);
                at = at.checked_add(u64::from(*size)).ok_or_else(wrong)?;
            }
        }
    }
    if offsets.len() == sizes.len() { Ok(offsets) } else { Err(wrong()) }
}

fn decoding_times(tables: &StblBox, count: usize) -> Result<Vec<u64>, MediaError> {
    let mut times = Vec::with_capacity(count);
    let mut at = 0u64;
    for entry in &tables.stts_box.entries {
        for _ in 0..entry.sample_count {
            if times.len() == count {
                return Err(unreadable("more times than pictures"));
            }
            times.push(at);
            at = at.saturating_add(u64::from(entry.sample_delta));
        }
    }
    if times.len() == count { Ok(times) } else { Err(unreadable("fewer times than pictures")) }
}

fn composition_offsets(tables: &StblBox, count: usize) -> Result<Vec<i64>, MediaError> {
    let Some(ctts) = &tables.ctts_box else { return Ok(vec![0; count]) };
    let mut offsets = Vec::with_capacity(count);
    for entry in &ctts.entries {
        for _ in 0..entry.sample_count {
            if offsets.len() == count {
                return Err(unreadable("more times than pictures"));
            }
            offsets.push(entry.sample_offset);
        }
    }
    if offsets.len() == count { Ok(offsets) } else { Err(unreadable("fewer times than pictures")) }
}

fn unreadable(reason: &str) -> MediaError {
    MediaError::MovieUnreadable { reason: reason.to_owned() }
}
