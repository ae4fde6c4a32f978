//! From a camera's chunks, in the order of time, to its files and what the manifest says of them. Who calls writes the bytes.

use crate::{ChunkProof, Hex, MovieLine};
use domain::{MediaTicks, UtcMicros};
use ledger::Digest;
use media::{
    Chunk, MediaError, ParameterSets,
    mp4::{Finished, MOVIE_SAMPLES_MAX, MovieBuilder},
};
use seal::ChunkKey;

/// What to do with a file, in order; between them the pictures of each chunk are appended to the file that is open.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// A new file begins with these bytes.
    Begin { path: String, head: Vec<u8> },
    /// The open file ends with these.
    End { path: String, finished: Finished },
}

/// The files of one camera: a new one at each gap and wherever the camera's parameter sets change.
pub struct CameraBuilder {
    /// Before the number of each file.
    stem: String,
    movies: Vec<MovieLine>,
    open: Option<Open>,
}

struct Open {
    path: String,
    builder: MovieBuilder,
    parameters: ParameterSets,
    last_dts: MediaTicks,
    first: UtcMicros,
    last: UtcMicros,
}

impl CameraBuilder {
    /// `stem`: folder and beginning of the names, such as `video/place-de-la-mairie`.
    pub fn new(stem: &str) -> CameraBuilder {
        CameraBuilder { stem: stem.to_owned(), movies: Vec::new(), open: None }
    }

    /// The next chunk; `follows`: its pictures go on where the ones before ended; `parameters`: those in force. Returns the
    /// number of its file and what to do before its pictures are appended.
    /// Errors: parameter sets that cannot be read, pictures that are none.
    pub fn push(
        &mut self,
        chunk: &Chunk,
        follows: bool,
        parameters: &ParameterSets,
    ) -> Result<(u32, Vec<Step>), MediaError> {
        let mut steps = Vec::new();
        if !self.open.as_ref().is_some_and(|open| follows && open.takes(chunk, parameters)) {
            steps.extend(self.close()?);
            let open = self.begin(chunk, parameters)?;
            steps.push(Step::Begin { path: open.path.clone(), head: open.builder.head()? });
            self.open = Some(open);
        }
        if let Some(open) = &mut self.open {
            open.push(chunk)?;
        }
        Ok((self.movies.len() as u32, steps))
    }

    /// The end: what remains to be done, and the files.
    pub fn finish(mut self) -> Result<(Option<Step>, Vec<MovieLine>), MediaError> {
        let step = self.close()?;
        Ok((step, self.movies))
    }

    fn begin(&self, chunk: &Chunk, parameters: &ParameterSets) -> Result<Open, MediaError> {
        Ok(Open {
            path: format!("{}-{:03}.mp4", self.stem, self.movies.len() + 1),
            builder: MovieBuilder::new(parameters, chunk.first_utc)?,
            parameters: parameters.clone(),
            last_dts: MediaTicks(0),
            first: chunk.first_utc,
            last: chunk.last_utc,
        })
    }

    fn close(&mut self) -> Result<Option<Step>, MediaError> {
        let Some(open) = self.open.take() else { return Ok(None) };
        self.movies.push(MovieLine {
            path: open.path.clone(),
            first: open.first,
            last: open.last,
            pictures: open.builder.samples() as u64,
            codec: open.parameters.codec,
            width: open.parameters.width,
            height: open.parameters.height,
        });
        Ok(Some(Step::End { path: open.path, finished: open.builder.finish()? }))
    }
}

impl Open {
    fn takes(&self, chunk: &Chunk, parameters: &ParameterSets) -> bool {
        let first = chunk.frames.first().map_or(MediaTicks(0), |frame| frame.dts);
        *parameters == self.parameters
            && self.builder.goes_on(self.last_dts, first)
            && self.builder.samples() + chunk.frames.len() <= MOVIE_SAMPLES_MAX
    }

    fn push(&mut self, chunk: &Chunk) -> Result<(), MediaError> {
        for frame in &chunk.frames {
            let before = (self.builder.samples() > 0).then_some(self.last_dts);
            self.builder.push(frame, before)?;
            self.last_dts = frame.dts;
        }
        self.first = self.first.min(chunk.first_utc);
        self.last = self.last.max(chunk.last_utc);
        Ok(())
    }
}

impl ChunkProof {
    /// What stands in the proofs for a chunk whose pictures are in the file of that number.
    pub fn of(number: u32, movie: u32, key: &ChunkKey, chunk: &Chunk) -> ChunkProof {
        let mut head = Vec::new();
        media::chunk::write_head(chunk, &mut head);
        ChunkProof {
            number,
            movie,
            key: Digest(*key.key.expose()),
            commitment: Digest(key.commitment),
            head: Hex(head),
        }
    }
}
