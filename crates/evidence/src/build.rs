//! From a camera's chunks, in the order of time, to its files and what the manifest says of them. Who calls writes the bytes.

use crate::{ChunkProof, Hex, MovieLine};
use domain::{MediaTicks, UtcMicros};
use ledger::Digest;
use media::{
    Chunk, MediaError, ParameterSets,
    mp4::{MOVIE_SAMPLES_MAX, MovieBuilder},
};
use seal::ChunkKey;
use std::ops::Range;

/// The next chunk of a camera.
#[derive(Clone, Copy)]
pub struct Next<'a> {
    pub chunk: &'a Chunk,
    /// Its pictures go on where the ones before ended.
    pub follows: bool,
    /// Those in force.
    pub parameters: &'a ParameterSets,
}

/// What to do with a file, in order. One file is open at a time.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// A new file begins with these bytes.
    Begin { path: String, head: Vec<u8> },
    /// These bytes, then the pictures of these chunks, go into the open file, which has that number.
    Data { header: Vec<u8>, chunks: Range<usize>, movie: u32 },
    /// The open file ends with these.
    End { path: String, tail: Vec<u8> },
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

    /// The next chunks, as many as are in memory at once. Returns what to do.
    /// Errors: parameter sets that cannot be read, pictures that are none.
    pub fn push(&mut self, chunks: &[Next<'_>]) -> Result<Vec<Step>, MediaError> {
        let mut steps = Vec::new();
        let mut at = 0;
        while let Some(next) = chunks.get(at) {
            if !self.open.as_ref().is_some_and(|open| open.takes(next)) {
                steps.extend(self.close()?);
                let open = self.begin(next.chunk, next.parameters)?;
                steps.push(Step::Begin { path: open.path.clone(), head: open.builder.head()? });
                self.open = Some(open);
            }
            let movie = self.movies.len() as u32;
            let Some(open) = &mut self.open else { break };
            let run = open.run(&chunks[at..]);
            let data_bytes = chunks[at..at + run].iter().map(|next| next.chunk.data.len() as u64).sum();
            let header = open.builder.run(data_bytes);
            chunks[at..at + run].iter().try_for_each(|next| open.push(next.chunk))?;
            steps.push(Step::Data { header, chunks: at..at + run, movie });
            at += run;
        }
        Ok(steps)
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
            copy: None,
        });
        Ok(Some(Step::End { path: open.path, tail: open.builder.finish()? }))
    }
}

impl Open {
    fn takes(&self, next: &Next<'_>) -> bool {
        next.follows && self.goes_on(self.last_dts, next, self.builder.samples())
    }

    fn goes_on(&self, last_dts: MediaTicks, next: &Next<'_>, samples: usize) -> bool {
        let first = next.chunk.frames.first().map_or(MediaTicks(0), |frame| frame.dts);
        *next.parameters == self.parameters
            && (samples == 0 || self.builder.goes_on(last_dts, first))
            && samples + next.chunk.frames.len() <= MOVIE_SAMPLES_MAX
    }

    /// How many of the chunks go into this file in one piece; the first does.
    fn run(&self, chunks: &[Next<'_>]) -> usize {
        let mut samples = self.builder.samples();
        let mut last_dts = self.last_dts;
        let goes_on = |(nth, next): &(usize, &Next<'_>)| {
            let goes_on = *nth == 0 || next.follows && self.goes_on(last_dts, next, samples);
            samples += next.chunk.frames.len();
            last_dts = next.chunk.frames.last().map_or(last_dts, |frame| frame.dts);
            goes_on
        };
        chunks.iter().enumerate().take_while(goes_on).count()
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
