//! Viewing copies of a package: of each movie in H.265 one in H.264 beside it, for browsers that cannot play the original. No evidence.
//!
//! 1 the camera's pictures once more, under the same permit · 2 each to `vigie-picture`, which decodes what a camera sent and has nothing
//! to reach · 3 what comes back into the archive, as it comes: nothing of it lies anywhere in clear · 4 the manifest says what the copy
//! has and what it lacks. A package never fails for it and waits five minutes at most (decision 0080): what is not made then ends early,
//! and whoever makes the package is told.

mod file;

use super::{
    archive::Archive,
    job::{Halt, Job, Source},
};
use domain::{Codec, limit::VIEWING_PACKAGE_SECONDS_MAX};
use evidence::{CameraPart, CopyPart, MovieLine, manifest};
use file::CopyFile;
use media::{Chunk, ParameterSets};
use picture::{Coded, Task, Viewing, ViewingError};
use serde::Serialize;
use std::{
    path::Path,
    time::{Duration, Instant},
};
use utoipa::ToSchema;
use vault::export::{ExportError, SinkError, pictures};

/// What came of a package's viewing copies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Copying {
    /// Each movie in H.265 has one, whole.
    Made,
    /// Some movies have none, or one that lacks pictures, which the manifest counts.
    Partly,
    /// None: `vigie-picture` made nothing of these pictures, or not in time.
    Failed,
    /// None: `vigie-picture` is not installed.
    Away,
}

/// One camera's copies on their way into the archive.
struct Copies<'a> {
    socket: &'a Path,
    go_on: &'a dyn Fn() -> bool,
    archive: &'a mut Archive,
    movies: &'a mut [MovieLine],
    /// The movie whose copy is made, by its number.
    open: Option<(usize, Making<'a>)>,
    /// The movie that came last.
    at: Option<usize>,
    end: Option<End>,
    away: bool,
}

struct Making<'a> {
    viewing: Viewing<'a>,
    file: CopyFile,
}

/// Why nothing more is made.
enum End {
    /// Time is over, or somebody stops it.
    Stopped,
    Disk(SinkError),
}

impl Job {
    /// What came of it is known to whoever makes the package.
    pub(super) fn copies(
        &self,
        cameras: &mut [CameraPart],
        sources: &[Source],
        archive: &mut Archive,
    ) -> Result<(), Halt> {
        if !cameras.iter().any(|camera| camera.movies.iter().any(needs_one)) {
            return Ok(());
        }
        self.running.waits_for_copies();
        let mut away = self.web.viewing.is_none();
        if let Some(socket) = &self.web.viewing {
            let until = Instant::now() + Duration::from_secs(VIEWING_PACKAGE_SECONDS_MAX);
            let go_on = || !self.running.is_cancelled() && Instant::now() < until;
            for (camera, source) in cameras.iter_mut().zip(sources) {
                if away || !camera.movies.iter().any(needs_one) {
                    continue;
                }
                let mut copies = Copies::new(socket, &go_on, archive, &mut camera.movies);
                let each = &mut |movie: u32, chunk: &Chunk, sets: &ParameterSets| copies.take(movie, chunk, sets);
                let replayed = self.replayed(source, |replay| pictures(replay, each)); // 1
                away = copies.finish(replayed)?;
                if self.running.is_cancelled() {
                    return Err(Halt::Cancelled);
                }
            }
        }
        self.web.packages.copied(self.export, copying(cameras, away));
        Ok(())
    }
}

fn needs_one(movie: &MovieLine) -> bool {
    movie.codec == Codec::H265
}

fn copying(cameras: &[CameraPart], away: bool) -> Copying {
    let of: Vec<&MovieLine> =
        cameras.iter().flat_map(|camera| &camera.movies).filter(|movie| needs_one(movie)).collect();
    let is_whole = |movie: &&MovieLine| movie.copy.as_ref().is_some_and(|copy| copy.lacking == 0);
    match (of.iter().all(is_whole), of.iter().any(|movie| movie.copy.is_some())) {
        (true, _) => Copying::Made,
        (false, true) => Copying::Partly,
        (false, false) if away => Copying::Away,
        (false, false) => Copying::Failed,
    }
}

impl<'a> Copies<'a> {
    fn new(
        socket: &'a Path,
        go_on: &'a dyn Fn() -> bool,
        archive: &'a mut Archive,
        movies: &'a mut [MovieLine],
    ) -> Copies<'a> {
        Copies { socket, go_on, archive, movies, open: None, at: None, end: None, away: false }
    }

    /// The next pictures; no: nothing more is wanted.
    fn take(&mut self, movie: u32, chunk: &Chunk, sets: &ParameterSets) -> bool {
        let movie = movie as usize;
        if self.at != Some(movie) {
            self.close(true);
            self.at = Some(movie);
            if self.movies.get(movie).is_some_and(needs_one) {
                self.open(movie, chunk, sets);
            }
        }
        let mut data = &chunk.data[..];
        for frame in &chunk.frames {
            let Some((_, making)) = &mut self.open else { break };
            let Some((coded, rest)) = data.split_at_checked(frame.size as usize) else { break };
            data = rest;
            let (is_key, is_black, data) = (frame.kind.starts_group(), false, coded.to_vec());
            let pushed = making.viewing.push(Coded { is_key, is_black, pts: frame.pts.0, dts: frame.dts.0, data }); // 2
            self.keep(); // 3
            if let Err(error) = pushed {
                self.fail(&error);
            }
        }
        self.end.is_none() && !self.away
    }

    /// Only where it begins as the movie does: of one whose beginning died meanwhile a copy would show everything too early.
    fn open(&mut self, movie: usize, chunk: &Chunk, sets: &ParameterSets) {
        let line = &self.movies[movie];
        if chunk.first_utc != line.first {
            return tracing::warn!("a movie has no viewing copy: its first pictures did not come a second time");
        }
        let begun = Viewing::begin(self.socket, &picture::Job::new(Task::ViewingCopy, sets), self.go_on);
        match begun {
            Ok(viewing) => {
                let file = CopyFile::new(CopyPart::path_of(&line.path), line.first);
                self.open = Some((movie, Making { viewing, file }));
            }
            Err(error) => self.fail(&error),
        }
    }

    /// What came. What does not belong into the file ends it, and what the disk does not take the package.
    fn keep(&mut self) {
        let Some((movie, making)) = &mut self.open else { return };
        match making.file.take(making.viewing.take_came(), self.movies[*movie].pictures, self.archive) {
            Ok(true) => {}
            Ok(false) => {
                tracing::warn!("a viewing copy's pictures are none: the copy ends early");
                self.close(false);
            }
            Err(error) => self.end = Some(End::Disk(error)),
        }
    }

    fn fail(&mut self, error: &ViewingError) {
        tracing::warn!(%error, "a movie has no whole viewing copy");
        match error {
            ViewingError::NotInstalled { .. } => self.away = true,
            ViewingError::Stopped => self.end = Some(End::Stopped),
            _ => {}
        }
        self.close(false);
    }

    /// The copy that is open ends: with what the program still holds, or as it is.
    fn close(&mut self, whole: bool) {
        let Some((movie, Making { mut viewing, mut file })) = self.open.take() else { return };
        let pictures = self.movies[movie].pictures;
        if whole {
            if let Err(error) = viewing.finish() {
                tracing::warn!(%error, "a movie has no whole viewing copy");
                if matches!(error, ViewingError::Stopped) {
                    self.end = Some(End::Stopped);
                }
            }
            if let Err(error) = file.take(viewing.take_came(), pictures, self.archive) {
                self.end = Some(End::Disk(error));
                return;
            }
        }
        match file.finish(self.archive) {
            Ok(None) => {}
            Ok(Some((path, shown))) => self.movies[movie].copy = Some(part(path, shown, pictures)), // 4
            Err(error) => self.end = Some(End::Disk(error)),
        }
    }

    /// Whether nobody makes copies. A disk that takes no more is the package's end; pictures that do not come are not.
    fn finish(mut self, replayed: Result<(), ExportError>) -> Result<bool, Halt> {
        self.close(replayed.is_ok());
        match replayed {
            Ok(()) | Err(ExportError::Ended) => {}
            Err(error) => tracing::warn!(%error, "pictures did not come a second time: their viewing copy ends early"),
        }
        match self.end {
            Some(End::Disk(error)) => Err(error.into()),
            _ => Ok(self.away),
        }
    }
}

fn part(path: String, shown: u64, pictures: u64) -> CopyPart {
    let lacking = pictures.saturating_sub(shown);
    let (mut fr, mut en) = (manifest::COPY_FR.to_owned(), manifest::COPY_EN.to_owned());
    if lacking > 0 {
        fr += &format!(" ; {lacking} images sur {pictures} n’y sont pas (noires, ou après sa fin)");
        en += &format!("; {lacking} of {pictures} pictures are not in it (black, or behind its end)");
    }
    CopyPart { path, shown, lacking, says: manifest::Statement { fr, en } }
}

#[cfg(test)]
mod tests;
