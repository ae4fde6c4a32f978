//! One viewing copy as an MP4 file in the archive, written as its pictures come.

use super::super::archive::Archive;
use domain::{Codec, MediaTicks, UtcMicros};
use evidence::manifest;
use media::{FrameEntry, FrameKind, codec::parameter_sets, mp4::MovieBuilder};
use picture::{Came, Coded};
use vault::export::{Sink, SinkError};

pub struct CopyFile {
    path: String,
    taken: UtcMicros,
    /// Known with the parameter sets.
    builder: Option<MovieBuilder>,
    /// Begun with the first picture.
    is_begun: bool,
    last_dts: Option<MediaTicks>,
    /// Pictures of which something is seen.
    shown: u64,
}

impl CopyFile {
    /// `taken`: when the movie's first picture was.
    pub fn new(path: String, taken: UtcMicros) -> CopyFile {
        CopyFile { path, taken, builder: None, is_begun: false, last_dts: None, shown: 0 }
    }

    /// What came, in order. No: it is not what belongs into such a file, of a movie of so many pictures, and nothing more of it is taken.
    pub fn take(&mut self, came: Vec<Came>, pictures: u64, archive: &mut Archive) -> Result<bool, SinkError> {
        let mut run = Vec::new();
        for one in came {
            match one {
                Came::Sets(made) if self.builder.is_none() => {
                    let Some(builder) = self.builder_of(&made.config) else { return Ok(false) };
                    self.builder = Some(builder);
                }
                Came::Picture(coded) if self.builder.is_some() => run.push(coded),
                _ => return Ok(false),
            }
        }
        self.write(run, pictures, archive)
    }

    /// Its path and how many pictures can be seen; none where nothing was begun. What was begun is a whole file.
    pub fn finish(self, archive: &mut Archive) -> Result<Option<(String, u64)>, SinkError> {
        let Some(builder) = self.builder.filter(|_| self.is_begun) else { return Ok(None) };
        archive.append(&builder.finish().map_err(|error| SinkError(error.to_string()))?)?;
        archive.end()?;
        Ok(Some((self.path, self.shown)))
    }

    fn builder_of(&self, config: &[u8]) -> Option<MovieBuilder> {
        let sets = parameter_sets(Codec::H264, config).ok()?;
        let title = format!("{} · {}", manifest::COPY_FR.to_uppercase(), manifest::COPY_EN.to_uppercase());
        Some(MovieBuilder::new(&sets, self.taken).ok()?.titled(&title))
    }

    /// Only what is right goes in, so that the tables say what is there.
    fn write(&mut self, run: Vec<Coded>, pictures: u64, archive: &mut Archive) -> Result<bool, SinkError> {
        let Some(builder) = &mut self.builder else { return Ok(run.is_empty()) };
        let mut fits = Vec::new();
        let mut before = self.last_dts;
        for coded in &run {
            let dts = MediaTicks(coded.dts);
            let goes_on = before.is_none_or(|before| builder.goes_on(before, dts));
            let is_right = goes_on && coded.pts == coded.dts && !coded.data.is_empty();
            if !is_right || (builder.samples() + fits.len()) as u64 >= pictures {
                break;
            }
            before = Some(dts);
            fits.push(coded);
        }
        if !fits.is_empty() {
            if !std::mem::replace(&mut self.is_begun, true) {
                archive.begin(&self.path)?;
                archive.append(&builder.head().map_err(|error| SinkError(error.to_string()))?)?;
            }
            archive.append(&builder.run(fits.iter().map(|coded| coded.data.len() as u64).sum()))?;
        }
        for coded in &fits {
            let kind = if coded.is_key { FrameKind::Idr } else { FrameKind::Other };
            let (pts, dts) = (MediaTicks(coded.pts), MediaTicks(coded.dts));
            let entry = FrameEntry { kind, dts, pts, size: coded.data.len() as u32 };
            // looked at above; a message is no larger than a picture may be
            builder.push(&entry, self.last_dts).map_err(|error| SinkError(error.to_string()))?;
            archive.append(&coded.data)?;
            self.last_dts = Some(dts);
            self.shown += u64::from(!coded.is_black);
        }
        Ok(fits.len() == run.len())
    }
}
