//! One camera of a package: its reels under roots of the log, its lines and keys as they were recorded, nothing left out.

use super::{Proved, movie, whole};
use crate::{
    CameraPart, Files, FilesError, Finding, ReelProof,
    manifest::DESTROYED,
    proof::{ChunkProof, LINE_BYTES_MAX, chunk_key, stream_of},
};
use domain::{Hour, Span, UtcMicros};
use media::Chunk;
use seal::{
    Extent,
    extent::{key_digest, keys_digest},
};
use std::collections::{BTreeMap, BTreeSet};

/// Proofs of a day of one camera are some hundred megabytes.
const PROOF_BYTES_MAX: u64 = 1 << 30;
/// No camera takes less than a picture in this time; two reels meet within it, and the town's lines of gaps too.
const APART_MICROS: i64 = 2_500_000;

/// A chunk that should stand in a file, with its table.
pub(super) struct Expected<'a> {
    pub reel: &'a ReelProof,
    pub proof: &'a ChunkProof,
    pub table: Chunk,
}

/// Returns how many pictures are the camera's own.
pub(super) fn check(
    files: &dyn Files,
    listed: &BTreeMap<String, u64>,
    part: &CameraPart,
    proved: &Proved,
    findings: &mut Vec<Finding>,
) -> Result<u64, FilesError> {
    findings.extend(not_destroyed(part, proved));
    let Some(path) = &part.proof else {
        let is_proved = part.movies.is_empty();
        findings.extend((!is_proved).then(|| Finding::Proof { path: String::new(), why: "not there".into() }));
        findings.extend(holes(part, Vec::new()));
        return Ok(0);
    };
    let proof = |why: String| Finding::Proof { path: path.clone(), why };
    let bytes = match whole(files, listed, path, PROOF_BYTES_MAX)? {
        Ok(bytes) => bytes,
        Err(why) => {
            findings.push(proof(why));
            return Ok(0);
        }
    };
    let reels = match lines(&bytes) {
        Ok(reels) => reels,
        Err(why) => {
            findings.push(proof(why));
            return Ok(0);
        }
    };
    if let Some(why) = out_of_order(part, &reels) {
        findings.push(proof(why));
        return Ok(0);
    }
    let mut expected: Vec<Expected<'_>> = Vec::new();
    let mut extents = Vec::new();
    for reel in &reels {
        let (hour, read) = match under_root(part, reel, proved) {
            Ok(read) => read,
            Err(finding) => {
                findings.push(finding);
                continue;
            }
        };
        findings.extend(other_keys(part, reel, &read));
        extents.extend(read.into_iter().map(|extent| (reel, extent)));
        match tables(part, reel, hour) {
            Ok(tables) => expected.extend(tables),
            Err(why) => findings.push(proof(why)),
        }
    }
    findings.extend(left_out(part, &extents, &expected));
    let covered = expected.iter().map(|chunk| (chunk.table.first_utc, chunk.table.last_utc)).collect();
    findings.extend(holes(part, covered));
    movie::check(files, listed, part, expected, findings)
}

fn lines(bytes: &[u8]) -> Result<Vec<ReelProof>, String> {
    let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    lines
        .enumerate()
        .map(|(nth, line)| {
            if line.len() > LINE_BYTES_MAX {
                return Err(format!("line {} has more than {LINE_BYTES_MAX} bytes", nth + 1));
            }
            serde_json::from_slice(line).map_err(|error| format!("line {}: {error}", nth + 1))
        })
        .collect()
}

/// Each reel once, each chunk once and after the one before, in a file that the manifest names and after those before: or the same
/// pictures could stand there twice.
fn out_of_order(part: &CameraPart, reels: &[ReelProof]) -> Option<String> {
    let mut known = BTreeSet::new();
    let mut movie = 0;
    for reel in reels {
        if !known.insert(reel.reel) {
            return Some(format!("reel {} stands there twice", reel.reel));
        }
        if !reel.chunks.is_sorted_by(|before, chunk| before.number < chunk.number) {
            return Some(format!("chunks of reel {} are not in order", reel.reel));
        }
        for chunk in &reel.chunks {
            if chunk.movie < movie || part.movies.len() <= chunk.movie as usize {
                return Some(format!("file {} of reel {} is none, or comes too late", chunk.movie, reel.reel));
            }
            movie = chunk.movie;
        }
    }
    None
}

/// The reel's hour and its extents, if all of it is what was recorded, by this camera.
fn under_root(part: &CameraPart, reel: &ReelProof, proved: &Proved) -> Result<(Hour, Vec<Extent>), Finding> {
    let (camera, id) = (part.camera, reel.reel);
    let known = proved.reels.get(&id).filter(|(root, _)| reel.root() == Some(*root));
    let (_, hour) = known.ok_or(Finding::ReelNotProved { camera, reel: id })?;
    let stream = stream_of(camera);
    let mut extents = Vec::with_capacity(reel.extents.len());
    for line in &reel.extents {
        // a line that seals to what was recorded and names another stream was recorded by another camera
        let swapped = || match Extent::from_bytes(&line.plain.0) {
            Ok(extent) if extent.stream != stream && reel.extent(line, extent.stream).is_some() => {
                Finding::CameraSwapped { camera, reel: id }
            }
            _ => Finding::LineChanged { camera, reel: id },
        };
        extents.push(reel.extent(line, stream).ok_or_else(swapped)?);
    }
    for line in &reel.gaps {
        reel.gap(line, stream).ok_or(Finding::LineChanged { camera, reel: id })?;
    }
    // without an extent nothing says whose pictures they are
    let says_when =
        |number: u32| extents.iter().any(|extent| (extent.first_chunk..=extent.last_chunk).contains(&number));
    match reel.chunks.iter().all(|chunk| says_when(chunk.number)) {
        true => Ok((*hour, extents)),
        false => Err(Finding::CameraSwapped { camera, reel: id }),
    }
}

/// Chunks whose keys are not those of their extents (decision 0068).
fn other_keys(part: &CameraPart, reel: &ReelProof, extents: &[Extent]) -> Vec<Finding> {
    let here = reel.chunks.iter().map(|chunk| (chunk.number, key_digest(&chunk_key(&chunk.key, &chunk.commitment))));
    let keys: BTreeMap<u32, [u8; 32]> =
        reel.other_keys.iter().map(|(number, digest)| (*number, digest.0)).chain(here).collect();
    let is_other = |extent: &&Extent| {
        let digests =
            (extent.first_chunk..=extent.last_chunk).map(|number| keys.get(&number)).collect::<Option<Vec<_>>>();
        digests.is_none_or(|digests| extent.keys != Some(keys_digest(digests)))
    };
    extents
        .iter()
        .filter(is_other)
        .map(|extent| Finding::OtherKey { camera: part.camera, at: extent.first_utc })
        .collect()
}

fn tables<'a>(part: &CameraPart, reel: &'a ReelProof, hour: Hour) -> Result<Vec<Expected<'a>>, String> {
    let table = |proof: &'a ChunkProof| {
        let head = media::chunk::head(&proof.head.0, stream_of(part.camera), hour);
        head.map(|table| Expected { reel, proof, table }).map_err(|error| error.to_string())
    };
    reel.chunks.iter().map(table).collect()
}

/// Chunks that the extents name and that are neither here nor declared damaged. Before the first that is here some may be left
/// out, if that one begins before the time asked for.
fn left_out(part: &CameraPart, extents: &[(&ReelProof, Extent)], expected: &[Expected<'_>]) -> Vec<Finding> {
    let (Ok(span), Some(first)) = (Span::new(part.from, part.to), expected.first()) else { return Vec::new() };
    let begins_in_time = first.table.first_utc <= part.from;
    let mut findings = Vec::new();
    let mut is_before = true;
    for (reel, extent) in extents {
        let here: BTreeSet<u32> =
            reel.chunks.iter().map(|chunk| chunk.number).chain(reel.damaged.iter().copied()).collect();
        for number in extent.first_chunk..=extent.last_chunk {
            is_before &= !(reel.reel == first.reel.reel && number >= first.proof.number);
            let may_lack = is_before && begins_in_time || !span.touches(extent.first_utc, extent.last_utc);
            if !here.contains(&number) && !may_lack {
                let (camera, from, to) = (part.camera, extent.first_utc, extent.last_utc);
                findings.push(Finding::Incomplete { camera, from, to });
                break;
            }
        }
    }
    findings
}

/// Gaps that the manifest calls destroyed and of which the log does not say that the keys of all these hours are dead.
fn not_destroyed(part: &CameraPart, proved: &Proved) -> Vec<Finding> {
    let hours = proved.destroyed.get(&part.camera);
    let is_proved = |from: UtcMicros, to: UtcMicros| {
        let mut until = from;
        for hour in hours.into_iter().flatten() {
            if hour.start() <= until {
                until = until.max(hour.end());
            }
        }
        to <= until
    };
    let claimed = part.gaps.iter().filter(|gap| gap.cause == DESTROYED && !is_proved(gap.from, gap.to));
    claimed.map(|gap| Finding::NotDestroyed { camera: part.camera, from: gap.from, to: gap.to }).collect()
}

/// Times of the span of which neither a picture is here nor a gap is declared.
fn holes(part: &CameraPart, mut covered: Vec<(UtcMicros, UtcMicros)>) -> Vec<Finding> {
    covered.extend(part.gaps.iter().map(|gap| (gap.from, gap.to)));
    covered.sort();
    let mut findings = Vec::new();
    let mut until = part.from;
    for (from, to) in covered.into_iter().chain([(part.to, part.to)]) {
        if until < part.to && from.since(until) > APART_MICROS {
            findings.push(Finding::Incomplete { camera: part.camera, from: until, to: from.min(part.to) });
        }
        until = until.max(to);
    }
    findings
}
