//! Export: one camera's pictures of a span as files and proofs, under a permit to hand them over (P10, K5).
//!
//! 1 reel by reel the chunks are opened, as in a replay, and cut into files as they come · 2 beside them grows what proves them: the
//! digests of the stream's records in each reel, the way to its root, the keys of exactly these chunks and of the lines that
//! say when they were. No other picture opens by what is handed over. Files are written in one pass, one after the other, so
//! whoever takes them may seal them as they go by: nothing of it needs to lie anywhere in clear.

use crate::{
    digests::digests,
    replay::{Kept, Passage, Replay, ReplayError},
    store::{LocalStore, StoreError},
};
use domain::{ReelId, UtcMicros};
use evidence::{CameraBuilder, ChunkProof, Digest, Hex, MovieLine, Next, ReelProof, SealedLine, Step};
use media::{Chunk, MediaError, ParameterSets};
use seal::{
    ChunkKey, SealError,
    extent::key_digest,
    root::{path, reel_leaves},
};
use std::collections::{BTreeMap, HashMap};

/// Takes the files of a package, one after the other.
pub trait Sink {
    fn begin(&mut self, path: &str) -> Result<(), SinkError>;
    /// Into the file that is open.
    fn append(&mut self, bytes: &[u8]) -> Result<(), SinkError>;
    fn end(&mut self) -> Result<(), SinkError>;
}

/// Why the package cannot be written, in words that name the remedy.
#[derive(Debug, thiserror::Error)]
#[error("the package cannot be written: {0}")]
pub struct SinkError(pub String);

/// Why an export stops. What was written is not a package.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error(transparent)]
    Replay(#[from] ReplayError),
    #[error(transparent)]
    Sink(#[from] SinkError),
    #[error("the camera's pictures cannot stand in an MP4 file: {0}")]
    Media(#[from] MediaError),
    #[error("reel {reel} is not what was signed: {source}")]
    Reel { reel: ReelId, source: SealError },
    #[error("the proofs cannot be written: {0}")]
    Proof(#[from] serde_json::Error),
    #[error("the export was ended")]
    Ended,
}

/// What came out of one camera.
#[derive(Clone, Debug, Default)]
pub struct CameraExport {
    pub movies: Vec<MovieLine>,
    /// Reels that the proofs stand on; the log has to tell of each.
    pub reels: Vec<ReelId>,
    /// When the pictures were taken that are here, chunk by chunk.
    pub covered: Vec<(UtcMicros, UtcMicros)>,
    pub pictures: u64,
    pub bytes: u64,
}

/// Writes the files of one camera into `sink`: the movies, named by `stem`, then the proofs, at `proof`, if there is anything.
/// `replay` is of the stream and span; `go_on` is asked reel by reel.
pub fn export(
    replay: Replay<'_>,
    stem: &str,
    proof: &str,
    sink: &mut dyn Sink,
    go_on: &dyn Fn(&CameraExport) -> bool,
) -> Result<CameraExport, ExportError> {
    let store = replay.store;
    let mut replay = replay.keeping();
    let mut camera = Camera {
        store,
        builder: CameraBuilder::new(stem),
        sets: InForce::default(),
        proofs: BTreeMap::new(),
        done: CameraExport::default(),
    };
    while let Some(passages) = replay.next_reel()? {
        let damaged: Vec<_> = replay.take_damaged();
        for kept in replay.take_kept() {
            let of_reel = damaged.iter().filter(|one| one.reel == kept.located.reel);
            let numbers = of_reel.map(|one| one.number).collect();
            camera.keep(kept, numbers)?;
        }
        camera.write(&passages, sink)?; // 1, 2
        if !go_on(&camera.done) {
            return Err(ExportError::Ended);
        }
    }
    camera.finish(proof, sink)
}

/// The same pictures once more, for whoever makes something of them for the eye: chunk by chunk, each with the number of the movie that
/// [`export`] put it in and the parameter sets in force. Ends early where `each` says no.
pub fn pictures(
    replay: Replay<'_>,
    each: &mut dyn FnMut(u32, &Chunk, &ParameterSets) -> bool,
) -> Result<(), ExportError> {
    let mut replay = replay.keeping();
    let (mut builder, mut sets) = (CameraBuilder::new(""), InForce::default());
    while let Some(passages) = replay.next_reel()? {
        drop((replay.take_kept(), replay.take_damaged()));
        let sets = sets.of(&passages);
        let next = shown(&passages, &sets);
        for step in builder.push(&next)? {
            let Step::Data { chunks, movie, .. } = step else { continue };
            if !next[chunks].iter().all(|next| each(movie, next.chunk, next.parameters)) {
                return Err(ExportError::Ended);
            }
        }
    }
    Ok(())
}

/// Those that parameter sets belong to: all but a head before the first of them.
fn shown<'a>(passages: &'a [Passage], sets: &'a [Option<ParameterSets>]) -> Vec<Next<'a>> {
    let next = passages.iter().zip(sets).filter_map(|(passage, sets)| {
        Some(Next { chunk: &passage.chunk, follows: passage.follows, parameters: sets.as_ref()? })
    });
    next.collect()
}

/// The parameter sets in force.
#[derive(Default)]
struct InForce(Option<ParameterSets>);

impl InForce {
    /// At each chunk; at the head of the first group those of the next.
    fn of(&mut self, passages: &[Passage]) -> Vec<Option<ParameterSets>> {
        let first = passages.iter().find_map(|passage| passage.chunk.parameters.clone());
        let mut in_force = self.0.clone().or(first);
        let of = |passage: &Passage| {
            if passage.chunk.parameters.is_some() {
                in_force = passage.chunk.parameters.clone();
            }
            in_force.clone()
        };
        let sets = passages.iter().map(of).collect();
        self.0 = in_force;
        sets
    }
}

/// One camera on its way out.
struct Camera<'a> {
    store: &'a LocalStore,
    builder: CameraBuilder,
    sets: InForce,
    /// By the order in which the reels came.
    proofs: BTreeMap<usize, Proving>,
    done: CameraExport,
}

/// A reel's proof, and the keys that the keeper gave for it.
struct Proving {
    proof: ReelProof,
    keys: HashMap<u32, ChunkKey>,
}

impl Camera<'_> {
    /// The reel's proof but for its chunks.
    fn keep(&mut self, kept: Kept, damaged: Vec<u32>) -> Result<(), ExportError> {
        let reel = kept.located.reel;
        if let Some(known) = self.proofs.values_mut().find(|known| known.proof.reel == reel) {
            known.proof.damaged.extend(damaged);
            return Ok(());
        }
        let failed = |error: StoreError| ExportError::Replay(error.into());
        let (header, streams) = digests(self.store, &kept.located).map_err(failed)?;
        let handle = kept.located.handle;
        let place = streams.iter().position(|(of, _)| *of == handle);
        let mismatch = SealError::Mismatch { what: "index" };
        let place = place.ok_or(ExportError::Reel { reel, source: mismatch })?;
        let leaves = reel_leaves(&header, streams.iter().map(|(handle, digests)| (*handle, digests)));
        let own = &streams[place].1;
        let list = |digests: &[[u8; 32]]| digests.iter().copied().map(Digest).collect();
        let lines = kept.keys.extents.iter().zip(&kept.keys.lines).map(|(extent, (number, key))| SealedLine {
            number: *number,
            key: Digest(*key.key.expose()),
            commitment: Digest(key.commitment),
            plain: Hex(extent.to_bytes().to_vec()),
        });
        let proof = ReelProof {
            reel,
            handle,
            leaf: place as u64 + 1,
            leaves: leaves.len() as u64,
            path: path(&leaves, place + 1).into_iter().map(Digest).collect(),
            key_record: Digest(own.key_record),
            chunk_digests: list(&own.chunks),
            extent_digests: list(&own.extents),
            gap_digests: list(&own.gaps),
            extents: lines.collect(),
            gaps: vec![],
            other_keys: kept.keys.other_keys.iter().map(|(number, digest)| (*number, Digest(*digest))).collect(),
            chunks: vec![],
            damaged,
        };
        let keys = kept.keys.chunks.into_iter().collect();
        self.proofs.insert(self.proofs.len(), Proving { proof, keys });
        Ok(())
    }

    fn write(&mut self, passages: &[Passage], sink: &mut dyn Sink) -> Result<(), ExportError> {
        let sets = self.sets.of(passages);
        let next = shown(passages, &sets);
        // a head that no parameter sets belong to yet cannot be shown by anybody: it counts as what the disk does not give
        let skipped = passages.len() - next.len();
        for passage in &passages[..skipped] {
            self.proving(passage.reel).into_iter().for_each(|proving| proving.proof.damaged.push(passage.number));
        }
        let passages = &passages[skipped..];
        for step in self.builder.push(&next)? {
            match step {
                Step::Begin { path, head } => {
                    sink.begin(&path)?;
                    sink.append(&head)?;
                }
                Step::Data { header, chunks, movie } => {
                    sink.append(&header)?;
                    for passage in &passages[chunks] {
                        sink.append(&passage.chunk.data)?;
                        self.prove(passage, movie);
                    }
                }
                Step::End { tail, .. } => {
                    sink.append(&tail)?;
                    sink.end()?;
                }
            }
        }
        Ok(())
    }

    fn proving(&mut self, reel: ReelId) -> Option<&mut Proving> {
        self.proofs.values_mut().rev().find(|proving| proving.proof.reel == reel)
    }

    fn prove(&mut self, passage: &Passage, movie: u32) {
        self.done.covered.push((passage.chunk.first_utc, passage.chunk.last_utc));
        self.done.pictures += passage.chunk.frames.len() as u64;
        self.done.bytes += passage.chunk.data.len() as u64;
        let Some(proving) = self.proving(passage.reel) else { return };
        if let Some(key) = proving.keys.remove(&passage.number) {
            proving.proof.chunks.push(ChunkProof::of(passage.number, movie, &key, &passage.chunk));
        }
    }

    fn finish(mut self, path: &str, sink: &mut dyn Sink) -> Result<CameraExport, ExportError> {
        let (step, movies) = self.builder.finish()?;
        if let Some(Step::End { tail, .. }) = step {
            sink.append(&tail)?;
            sink.end()?;
        }
        self.done.movies = movies;
        if self.proofs.is_empty() {
            return Ok(self.done);
        }
        sink.begin(path)?;
        for proving in self.proofs.into_values() {
            let Proving { mut proof, keys } = proving;
            // keys that were given for chunks that are not here do not leave: their digests do
            proof.other_keys.extend(keys.iter().map(|(number, key)| (*number, Digest(key_digest(key)))));
            proof.other_keys.sort_unstable();
            self.done.reels.push(proof.reel);
            let mut line = serde_json::to_vec(&proof)?;
            line.push(b'\n');
            sink.append(&line)?;
        }
        sink.end()?;
        Ok(self.done)
    }
}
