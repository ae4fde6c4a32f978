//! The files of one camera against the chunks that were recorded: every picture, in its place, at its time, decoded as the camera
//! said.

use super::{
    align::{self, Place},
    camera::Expected,
};
use crate::{CameraPart, Files, FilesError, Finding, MovieLine};
use domain::UtcMicros;
use media::{
    ParameterSets,
    mp4::{Movie, PlacedSample, box_at},
};
use std::{cell::RefCell, collections::BTreeMap};

/// The table of two days of pictures.
const MOOV_BYTES_MAX: u64 = 256 << 20;

/// Returns how many pictures are the camera's own.
pub(super) fn check(
    files: &dyn Files,
    listed: &BTreeMap<String, u64>,
    part: &CameraPart,
    expected: Vec<Expected<'_>>,
    findings: &mut Vec<Finding>,
) -> Result<u64, FilesError> {
    let mut of_movies: Vec<Vec<Expected<'_>>> = part.movies.iter().map(|_| Vec::new()).collect();
    for chunk in expected {
        // that there is such a file was looked at before
        if let Some(movie) = of_movies.get_mut(chunk.proof.movie as usize) {
            movie.push(chunk);
        }
    }
    let mut pictures = 0;
    for (line, chunks) in part.movies.iter().zip(of_movies) {
        let Some(bytes) = listed.get(&line.path) else { continue };
        match read(files, &line.path, *bytes)? {
            Ok(movie) => pictures += check_one(files, line, &movie, &chunks, findings)?,
            Err(why) => findings.push(Finding::Movie { path: line.path.clone(), why }),
        }
    }
    Ok(pictures)
}

/// Finds and reads the one `moov`.
fn read(files: &dyn Files, path: &str, bytes: u64) -> Result<Result<Movie, String>, FilesError> {
    let mut at = 0;
    let mut moov = None;
    while at < bytes {
        let header = files.read(path, at, (bytes - at).min(16) as usize)?;
        let place = match box_at(&header, bytes - at) {
            Ok(place) => place,
            Err(error) => return Ok(Err(error.to_string())),
        };
        match &place.kind {
            b"moov" if moov.is_some() || place.bytes > MOOV_BYTES_MAX => return Ok(Err("its tables".into())),
            b"moov" => moov = Some(files.read(path, at, place.bytes as usize)?),
            b"moof" => return Ok(Err("fragments".into())),
            _ => {}
        }
        at += place.bytes;
    }
    Ok(moov.ok_or("no tables".to_owned()).and_then(|moov| Movie::from_moov(&moov).map_err(|error| error.to_string())))
}

fn check_one(
    files: &dyn Files,
    line: &MovieLine,
    movie: &Movie,
    chunks: &[Expected<'_>],
    findings: &mut Vec<Finding>,
) -> Result<u64, FilesError> {
    let sizes: Vec<Vec<u32>> =
        chunks.iter().map(|chunk| chunk.table.frames.iter().map(|frame| frame.size).collect()).collect();
    let in_file: Vec<u32> = movie.samples.iter().map(|sample| sample.size).collect();
    let failed = RefCell::new(None);
    let alignment = align::align(&sizes, &in_file, |chunk, at| {
        let samples = &movie.samples[at..at + sizes[chunk].len()];
        match pictures(files, &line.path, samples) {
            Ok(data) => chunks[chunk].reel.is_sealed(chunks[chunk].proof, &data),
            Err(error) => {
                failed.borrow_mut().get_or_insert(error);
                false
            }
        }
    });
    if let Some(error) = failed.into_inner() {
        // a table that points behind the file's end is the file's fault, not the medium's
        findings.push(Finding::Movie { path: line.path.clone(), why: error.why });
        return Ok(0);
    }
    let before = findings.len();
    findings.extend(named(&line.path, chunks, &alignment.places));
    if alignment.foreign > 0 {
        findings.push(Finding::Foreign { path: line.path.clone(), pictures: alignment.foreign });
    }
    if findings.len() == before {
        findings.extend(times(line, movie, chunks));
        findings.extend(coding(line, movie, chunks));
    }
    let own = alignment.places.iter().zip(&sizes).filter(|((_, at), _)| at.is_some());
    Ok(own.map(|(_, sizes)| sizes.len() as u64).sum())
}

/// The pictures' bytes; those that stand together are read at once.
fn pictures(files: &dyn Files, path: &str, samples: &[PlacedSample]) -> Result<Vec<u8>, FilesError> {
    let mut data = Vec::with_capacity(samples.iter().map(|sample| sample.size as usize).sum());
    let mut rest = samples;
    while let Some(first) = rest.first() {
        let (mut end, mut count) = (first.offset, 0);
        while let Some(sample) = rest.get(count).filter(|sample| sample.offset == end) {
            end = end.saturating_add(u64::from(sample.size));
            count += 1;
        }
        data.extend(files.read(path, first.offset, (end - first.offset) as usize)?);
        rest = &rest[count..];
    }
    Ok(data)
}

/// Neighbours of one fate are told together.
fn named(path: &str, chunks: &[Expected<'_>], places: &[(Place, Option<usize>)]) -> Vec<Finding> {
    let mut fates: Vec<(Place, UtcMicros, UtcMicros)> = Vec::new();
    let mut last = Place::Right;
    for (chunk, (place, _)) in chunks.iter().zip(places) {
        let (from, to) = (chunk.table.first_utc, chunk.table.last_utc);
        match fates.last_mut() {
            _ if *place == Place::Right => {}
            Some((_, _, until)) if last == *place => *until = to.max(*until),
            _ => fates.push((*place, from, to)),
        }
        last = *place;
    }
    let finding = |(place, from, to)| {
        let path = path.to_owned();
        match place {
            Place::Right => None,
            Place::Moved => Some(Finding::Swapped { path, from, to }),
            Place::Repeated => Some(Finding::Duplicated { path, from, to }),
            Place::OtherBytes => Some(Finding::OtherBytes { path, from, to }),
            Place::Other => Some(Finding::Truncated { path, from, to }),
            Place::Missing => Some(Finding::Dropped { path, from, to }),
        }
    };
    fates.into_iter().filter_map(finding).collect()
}

/// The first picture that is shown or announced at another time than it was taken. All pictures are in their places.
fn times(line: &MovieLine, movie: &Movie, chunks: &[Expected<'_>]) -> Option<Finding> {
    let shifted = |at| Some(Finding::TimeShifted { path: line.path.clone(), at });
    let tables = || chunks.iter().map(|chunk| &chunk.table);
    let (Some(first), Some(last)) =
        (tables().map(|table| table.first_utc).min(), tables().map(|table| table.last_utc).max())
    else {
        return shifted(line.first);
    };
    let frames = tables().flat_map(|table| table.frames.iter().map(move |frame| (table, frame)));
    if (line.first, line.last, line.pictures) != (first, last, movie.samples.len() as u64) {
        return shifted(first);
    }
    let base = tables().next().and_then(|table| table.frames.first()).map_or(0, |frame| frame.dts.0);
    for ((table, frame), sample) in frames.zip(&movie.samples) {
        let recorded =
            (frame.dts.0.wrapping_sub(base), frame.pts.0.wrapping_sub(frame.dts.0), frame.kind.starts_group());
        if recorded != (sample.dts as i64, sample.composition_offset, sample.is_sync) {
            return shifted(table.utc_of(frame));
        }
    }
    None
}

fn coding(line: &MovieLine, movie: &Movie, chunks: &[Expected<'_>]) -> Option<Finding> {
    let sets: Vec<&ParameterSets> = chunks.iter().filter_map(|chunk| chunk.table.parameters.as_ref()).collect();
    let is_told = |sets: &ParameterSets| (sets.codec, sets.width, sets.height) == (line.codec, line.width, line.height);
    let one = sets
        .first()
        .is_some_and(|first| sets.iter().all(|sets| sets == first) && is_told(first) && movie.is_coded_by(first));
    (!one).then(|| Finding::CodedOtherwise { path: line.path.clone() })
}
