//! Pictures into chunks: at most 0.5 s and 256 KiB, cut at each group start, of one hour each (R1, R8). Pure.

use crate::buffers::Buffers;
use domain::{Hour, HourLength, StreamId, UtcMicros, limit};
use media::{Chunk, Frame, FrameEntry, Start};
use std::sync::Arc;

/// Pictures of one chunk: 0.5 s at 120 a second is 60; beyond this a camera sends crumbs.
pub const CHUNK_FRAMES_MAX: usize = 256;

const AGE_MICROS_MAX: i64 = limit::CHUNK_AGE_MS_MAX as i64 * 1_000;
const TURN_MICROS_MAX: i64 = limit::HOUR_TURN_SECONDS_MAX * 1_000_000;

/// What became of a picture.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// It is in a chunk, or in the open one.
    Kept,
    /// It could never be decoded: no group of the session had begun, or it leads the first and needs the one before.
    BeforeGroup,
    /// Above 8 MiB: a gap begins, the rest of its group is skipped.
    TooLarge,
    /// In the group of a picture that was too large.
    Skipped,
    /// A group starts whose parameter sets cannot be read: under those of before it would decode into a wrong picture.
    NoParameters,
}

/// What a picture brought about.
#[derive(Debug)]
pub struct ChunkerOut {
    /// None to two, in order: the one that it ended, and one that it fills alone.
    pub chunks: Vec<Chunk>,
    pub fate: Fate,
    /// An hour that begins with this picture although no group starts with it (R8): it decodes only while the hour
    /// before lives.
    pub headless_hour: Option<Hour>,
}

/// One stream's open chunk.
#[derive(Debug)]
pub struct Chunker {
    stream: StreamId,
    hour_length: HourLength,
    buffers: Arc<Buffers>,
    open: Option<Open>,
    /// Hour of the group being recorded; `None` between sessions.
    hour: Option<Hour>,
    start: Start,
    /// A picture was too large: the next group is waited for.
    skipping: bool,
}

#[derive(Debug)]
struct Open {
    chunk: Chunk,
    /// Arrival of the first picture: age counts from here.
    arrived: UtcMicros,
}

impl Chunker {
    pub const fn new(stream: StreamId, hour_length: HourLength, buffers: Arc<Buffers>) -> Chunker {
        Chunker { stream, hour_length, buffers, open: None, hour: None, start: Start::Waits, skipping: false }
    }

    /// Takes the next picture in decoding order, which arrived at `now`.
    pub fn push(&mut self, frame: Frame, now: UtcMicros) -> ChunkerOut {
        let mut out = ChunkerOut { chunks: Vec::new(), fate: Fate::Kept, headless_hour: None };
        if frame.data.len() > limit::PICTURE_BYTES_MAX {
            out.chunks.extend(self.cut());
            self.start.lost();
            self.skipping = true;
            out.fate = Fate::TooLarge;
            return out;
        }
        if frame.kind.starts_group() && frame.parameters.is_none() {
            out.chunks.extend(self.cut());
            self.start.lost();
            out.fate = Fate::NoParameters;
            return out;
        }
        let starts_group = frame.kind.starts_group();
        if !self.start.admits(frame.kind, frame.pts, starts_group) {
            out.fate = if self.skipping { Fate::Skipped } else { Fate::BeforeGroup };
            return out;
        }
        self.skipping = false;
        let hour = self.hour_for(&frame, starts_group);
        if self.hour.is_some_and(|before| before != hour) && !starts_group {
            out.headless_hour = Some(hour);
        }
        self.hour = Some(hour);
        if self.open.as_ref().is_some_and(|open| starts_group || !open.has_room(&frame, hour, now)) {
            out.chunks.extend(self.cut());
        }
        self.add(frame, hour, now);
        if self.open.as_ref().is_some_and(Open::is_full) {
            out.chunks.extend(self.cut());
        }
        out
    }

    /// The open chunk, if it is old enough at `now`.
    pub fn tick(&mut self, now: UtcMicros) -> Option<Chunk> {
        if self.open.as_ref().is_some_and(|open| now.since(open.arrived) >= AGE_MICROS_MAX) { self.cut() } else { None }
    }

    /// Ends a session: the open chunk, and the next picture kept is a group start again.
    pub fn end_session(&mut self) -> Option<Chunk> {
        self.hour = None;
        self.start.lost();
        self.skipping = false;
        self.cut()
    }

    /// The hour that seals the picture (R8). It is told by the time of *decoding*: what comes later in the session is neither
    /// decoded nor shown before that, so an hour that has turned holds no picture taken before it, not even B pictures.
    fn hour_for(&self, frame: &Frame, starts_group: bool) -> Hour {
        let at = frame.decode_utc();
        let own = self.hour_length.hour_of(at);
        let Some(hour) = self.hour else { return own };
        // A session's time does not run backwards; if it did, the earlier hour dies first and binds.
        if at < hour.start() {
            return own;
        }
        let turned = if starts_group { at >= hour.end() } else { frame.utc >= hour.end().plus_micros(TURN_MICROS_MAX) };
        if turned { own.max(hour.plus(1)) } else { hour }
    }

    fn cut(&mut self) -> Option<Chunk> {
        self.open.take().map(|open| open.chunk)
    }

    fn add(&mut self, frame: Frame, hour: Hour, now: UtcMicros) {
        let (stream, buffers) = (self.stream, &self.buffers);
        let open = self.open.get_or_insert_with(|| Open {
            chunk: Chunk {
                stream,
                hour,
                first_utc: frame.utc,
                last_utc: frame.utc,
                frames: Vec::new(),
                parameters: if frame.kind.starts_group() { frame.parameters.clone() } else { None },
                data: buffers.take(frame.data.len()),
            },
            arrived: now,
        });
        // With B pictures the first and last shown need not be the first and last decoded.
        open.chunk.first_utc = open.chunk.first_utc.min(frame.utc);
        open.chunk.last_utc = open.chunk.last_utc.max(frame.utc);
        open.chunk.frames.push(FrameEntry {
            kind: frame.kind,
            dts: frame.dts,
            pts: frame.pts,
            // At most 8 MiB, checked on entry.
            size: frame.data.len() as u32,
        });
        open.chunk.data.extend_from_slice(&frame.data);
    }
}

impl Open {
    fn has_room(&self, frame: &Frame, hour: Hour, now: UtcMicros) -> bool {
        self.chunk.hour == hour
            && now.since(self.arrived) < AGE_MICROS_MAX
            // Pictures that come in a burst: media time counts too.
            && frame.utc.max(self.chunk.last_utc).since(frame.utc.min(self.chunk.first_utc)) < AGE_MICROS_MAX
            && self.chunk.data.len() + frame.data.len() <= limit::CHUNK_BYTES_MAX
    }
    fn is_full(&self) -> bool {
        self.chunk.data.len() >= limit::CHUNK_BYTES_MAX || self.chunk.frames.len() >= CHUNK_FRAMES_MAX
    }
}

#[cfg(test)]
mod tests;
