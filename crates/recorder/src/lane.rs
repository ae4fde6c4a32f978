//! One camera's way from pictures to the sink: gives them a time, cuts chunks, opens and closes gaps, keeps health.
//!
//! No waiting and no clock here: `now` is trusted time, handed in by the ingest thread.

mod kept;

use crate::{
    chunker::{Chunker, Fate},
    health::{CameraHealth, CameraState, GapCause, GapEvent},
    ingest::Sink,
    source::{Picture, SourceFacts, Timestamps},
};
use domain::{HourLength, MediaTicks, StreamId, UtcMicros, limit};
use kept::Kept;
use media::{Chunk, Frame};
use std::sync::Arc;

/// A camera that sends more over [`OVERLOAD_MICROS`] loses its session (R12): 40 Mbit/s, ten times an ordinary one.
pub const OVERLOAD_BYTES: u64 = 40_000_000 / 8 * 5;
pub const OVERLOAD_MICROS: i64 = 5_000_000;
/// The rate shown is that of the last window of this length.
const RATE_MICROS: i64 = 2_000_000;

/// See above.
pub struct Lane {
    sink: Arc<dyn Sink>,
    chunker: Chunker,
    timestamps: Timestamps,
    /// Until when something is held; a gap begins here.
    held_until: UtcMicros,
    gap: Option<GapCause>,
    /// A stop on purpose is this: a paper without which it may not record lapsed.
    withheld: bool,
    /// The sink took no more.
    refused: bool,
    /// When the session began, and whether anything of it was kept.
    session: (UtcMicros, bool),
    /// Since when pictures are kept whose group began in the hour before (R8).
    head: Option<UtcMicros>,
    load: Window,
    rate: Window,
    kept: Kept,
    /// Packets lost in earlier sessions.
    lost_before: u64,
    health: CameraHealth,
    /// The sender report that was seen last.
    report: Option<(UtcMicros, MediaTicks)>,
}

/// A count since an instant.
#[derive(Clone, Copy)]
struct Window {
    since: UtcMicros,
    count: u64,
}

impl Lane {
    pub fn new(stream: StreamId, name: &str, hour_length: HourLength, sink: Arc<dyn Sink>, now: UtcMicros) -> Lane {
        let window = Window { since: now, count: 0 };
        sink.expected(stream, now);
        Lane {
            chunker: Chunker::new(stream, hour_length, sink.buffers()),
            sink,
            timestamps: Timestamps::default(),
            held_until: now,
            gap: None,
            withheld: false,
            refused: false,
            session: (now, false),
            head: None,
            load: window,
            rate: window,
            kept: Kept::default(),
            lost_before: 0,
            health: CameraHealth::new(stream, name, now),
            report: None,
        }
    }

    pub fn health(&self) -> &CameraHealth {
        &self.health
    }

    /// A session is about to be tried.
    pub fn connecting(&mut self, now: UtcMicros) {
        self.enter(CameraState::Connecting, now);
    }

    /// A session plays: the next picture makes its anchor.
    pub fn session_began(&mut self, now: UtcMicros) {
        self.refused = false;
        self.session = (now, false);
        self.load = Window { since: now, count: 0 };
        self.lost_before = self.health.packets_lost;
        self.health.sessions += 1;
    }

    /// Takes a picture that arrived at `now`. An error ends the session.
    pub fn picture(&mut self, picture: Picture, facts: &SourceFacts, now: UtcMicros) -> Result<(), GapCause> {
        let stamp = self.timestamps.take(picture.dts, picture.pts, now);
        if stamp.jumped {
            self.health.clock_jumps += 1;
            tracing::warn!(camera = %self.health.stream.camera, name = %self.health.name, "the clock of the pictures jumped");
        }
        let report = facts.sender_report;
        let offset = report.and_then(|(camera, at)| Some(camera.since(self.timestamps.utc_at(at)?)));
        if report.is_some() && report != self.report {
            self.report = report;
            self.health.camera_clock_heard = Some(now);
        }
        self.learn(facts, offset);
        self.count_load(picture.data.len(), now)?;
        let Picture { kind, data, parameters, .. } = picture;
        let frame = Frame { kind, utc: stamp.utc, dts: stamp.dts, pts: stamp.pts, data, parameters };
        self.frame(frame, now);
        let waits_micros = now.since(self.session.0);
        if self.refused {
            Err(GapCause::Overload)
        } else if !self.session.1 && waits_micros > limit::KEY_PICTURE_SECONDS_MAX * 1_000_000 {
            Err(GapCause::NoKeyPicture)
        } else {
            Ok(())
        }
    }

    /// Each tick of the ingest thread: cuts a chunk that is old enough.
    pub fn tick(&mut self, now: UtcMicros) {
        if let Some(chunk) = self.chunker.tick(now) {
            self.deliver(chunk, now);
        }
        let elapsed = now.since(self.rate.since);
        if !(0..RATE_MICROS).contains(&elapsed) {
            self.health.fps = (self.rate.count as f64 * 1e6 / elapsed.max(1) as f64) as f32;
            self.rate = Window { since: now, count: 0 };
        }
    }

    /// The stop that follows is because it may not record any more.
    pub fn withhold(&mut self) {
        self.withheld = true;
    }

    /// The session is over or did not come about: what is open goes out, the gap begins.
    pub fn fail(&mut self, cause: GapCause, now: UtcMicros) {
        if let Some(chunk) = self.chunker.end_session() {
            self.deliver(chunk, now);
        }
        self.timestamps = Timestamps::default();
        self.end_head(self.held_until);
        let state = if cause == GapCause::Stopped { CameraState::Stopped } else { CameraState::Waiting };
        self.enter(state, now);
        self.health.fps = 0.0;
        (self.kept, self.health.kept_millihertz) = (Kept::default(), None);
        let cause = if self.withheld && cause == GapCause::Stopped { GapCause::NotAuthorised } else { cause };
        self.open_gap(cause, now);
    }

    fn frame(&mut self, frame: Frame, now: UtcMicros) {
        let stream = self.health.stream;
        // Cheap: the picture's bytes are shared, not copied.
        let tapped = frame.clone();
        let out = self.chunker.push(frame, now);
        for chunk in out.chunks {
            self.deliver(chunk, now);
        }
        if tapped.kind.starts_group() && tapped.parameters.is_some() {
            self.end_head(tapped.utc);
        }
        if let Some(hour) = out.headless_hour {
            self.end_head(tapped.utc); // a group that lasts longer than an hour
            self.head = Some(tapped.utc);
            self.health.headless_hours += 1;
            tracing::warn!(camera = %stream.camera, name = %self.health.name, %hour, "no group start within 10 s of the hour");
        }
        match out.fate {
            Fate::Kept => {
                self.note_hole(tapped.utc);
                self.close_gap(tapped.utc);
                self.session.1 = true;
                self.enter(CameraState::Recording, now);
                self.held_until = self.held_until.max(tapped.utc);
                self.health.frames += 1;
                self.health.bytes += tapped.data.len() as u64;
                self.health.last_frame = Some(tapped.utc);
                self.rate.count += 1;
                self.health.kept_millihertz = self.kept.take(tapped.utc).or(self.health.kept_millihertz);
                self.sink.frame(stream, &tapped);
            }
            Fate::TooLarge => {
                self.health.dropped += 1;
                self.open_gap(GapCause::PictureTooLarge, now);
            }
            Fate::NoParameters => {
                self.health.dropped += 1;
                self.open_gap(GapCause::Protocol, now);
            }
            Fate::BeforeGroup | Fate::Skipped => self.health.dropped += 1,
        }
    }

    /// Pictures that the camera left out between two that it sent: longer than what a power cut may cost, it is a gap.
    fn note_hole(&self, utc: UtcMicros) {
        let hole_micros = utc.since(self.held_until);
        if self.gap.is_none() && self.health.last_frame.is_some() && hole_micros > limit::LOSS_MS_MAX as i64 * 1_000 {
            self.sink.missing(self.health.stream, self.held_until, utc, GapCause::Silent);
        }
    }

    /// What began without a key picture decodes by itself from here on (R8).
    fn end_head(&mut self, at: UtcMicros) {
        if let Some(from) = self.head.take() {
            self.sink.missing(self.health.stream, from, at, GapCause::HeadOfHour);
        }
    }

    fn deliver(&mut self, chunk: Chunk, now: UtcMicros) {
        let (first, last) = (chunk.first_utc, chunk.last_utc);
        if !self.sink.chunk(chunk) {
            self.refused = true;
            self.held_until = first;
            self.open_gap(GapCause::Overload, now.max(last));
        }
    }

    fn count_load(&mut self, bytes: usize, now: UtcMicros) -> Result<(), GapCause> {
        if !(0..OVERLOAD_MICROS).contains(&now.since(self.load.since)) {
            self.load = Window { since: now, count: 0 };
        }
        self.load.count += bytes as u64;
        if self.load.count > OVERLOAD_BYTES { Err(GapCause::Overload) } else { Ok(()) }
    }

    fn learn(&mut self, facts: &SourceFacts, camera_clock_offset_micros: Option<i64>) {
        let health = &mut self.health;
        (health.codec, health.width, health.height) = (facts.codec, facts.width, facts.height);
        health.packets_lost = self.lost_before + facts.packets_lost;
        if camera_clock_offset_micros.is_some() {
            health.camera_clock_offset_micros = camera_clock_offset_micros;
        }
    }

    fn enter(&mut self, state: CameraState, now: UtcMicros) {
        if self.health.state != state {
            (self.health.state, self.health.since) = (state, now);
        }
    }

    /// Opens a gap where holding ended; another cause closes the gap before it, so that each has one cause (R12).
    fn open_gap(&mut self, cause: GapCause, now: UtcMicros) {
        if self.gap.as_ref() == Some(&cause) {
            return;
        }
        let at = if self.gap.is_some() { now.max(self.held_until) } else { self.held_until };
        self.close_gap(at);
        let (camera, name) = (self.health.stream.camera, &self.health.name);
        tracing::warn!(%camera, %name, cause = cause.code(), "gap: {}", cause.text_en());
        self.health.cause = Some(cause.clone());
        self.gap = Some(cause.clone());
        self.sink.gap(self.health.stream, GapEvent { at, cause, opened: true });
    }

    fn close_gap(&mut self, at: UtcMicros) {
        if let Some(cause) = self.gap.take() {
            self.health.cause = None;
            tracing::info!(camera = %self.health.stream.camera, name = %self.health.name, cause = cause.code(), "gap ended");
            self.sink.gap(self.health.stream, GapEvent { at, cause, opened: false });
        }
    }
}

#[cfg(test)]
mod tests;
