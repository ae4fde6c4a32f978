//! The street: cameras that send, fall silent, come back and are wrong about the time; each drives the recorder's own lane.

use bytes::Bytes;
use domain::{Codec, HourLength, MediaTicks, StreamId, UtcMicros};
use media::{FrameKind, ParameterSets};
use recorder::{
    health::GapCause,
    ingest::Sink,
    lane::Lane,
    source::{Picture, SourceFacts},
};
use std::{collections::BTreeMap, sync::Arc};

/// Pictures a second of every camera: enough to cut chunks at half a second.
pub const RATE: i64 = 4;

/// What a camera does, whoever records it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Camera {
    pub sends: bool,
    /// What its own clock is off by.
    pub clock_off_seconds: i64,
    /// The clock of its pictures jumps ahead so far at the next picture.
    pub jump_seconds: i64,
}

/// All streams of the town.
pub struct Street {
    pub cameras: BTreeMap<StreamId, Camera>,
}

/// A stream as a run of the recorder has it.
pub struct Eye {
    stream: StreamId,
    lane: Lane,
    /// When its session began, by the boot clock; none: there is no session.
    session: Option<i64>,
    jumped_micros: i64,
    pictures: u64,
}

impl Street {
    pub fn new(streams: impl Iterator<Item = StreamId>) -> Street {
        let camera = Camera { sends: true, clock_off_seconds: 0, jump_seconds: 0 };
        Street { cameras: streams.map(|stream| (stream, camera)).collect() }
    }
}

impl Eye {
    pub fn new(stream: StreamId, sink: Arc<dyn Sink>, now: UtcMicros) -> Eye {
        let lane = Lane::new(stream, "a camera", HourLength::PRODUCT, sink, now);
        Eye { stream, lane, session: None, jumped_micros: 0, pictures: 0 }
    }

    /// One tick: a picture arrives, or it is noticed that none does.
    pub fn look(&mut self, camera: &mut Camera, boot_micros: i64, now: UtcMicros) {
        if !camera.sends {
            return self.end_session(GapCause::Silent, now);
        }
        if self.session.is_none() {
            self.lane.connecting(now);
            self.lane.session_began(now);
            (self.session, self.pictures) = (Some(boot_micros), 0);
        }
        let began = self.session.unwrap_or(boot_micros);
        self.jumped_micros += std::mem::take(&mut camera.jump_seconds) * 1_000_000;
        let ticks = MediaTicks::from_micros(boot_micros - began + self.jumped_micros);
        let starts = self.pictures.is_multiple_of(RATE as u64);
        self.pictures += 1;
        let picture = self.picture(ticks, starts, now);
        let facts = SourceFacts { codec: Some(Codec::H264), width: 1280, height: 720, ..SourceFacts::default() };
        if let Err(cause) = self.lane.picture(picture, &facts, now) {
            self.end_session(cause, now);
        }
        self.lane.tick(now);
    }

    /// The session breaks; where there is none, the camera does not answer. Or the recorder stops in order.
    pub fn end_session(&mut self, cause: GapCause, now: UtcMicros) {
        let had_one = self.session.take().is_some();
        self.jumped_micros = 0;
        self.lane.fail(if had_one || cause == GapCause::Stopped { cause } else { GapCause::Unreachable }, now);
    }

    /// Bytes that no other picture has.
    fn picture(&self, ticks: MediaTicks, starts: bool, now: UtcMicros) -> Picture {
        let kind = if starts { FrameKind::Idr } else { FrameKind::Other };
        let config = Bytes::from_static(b"\x01\x64\x00\x1f\xff\xe1");
        let parameters = starts.then(|| ParameterSets { codec: Codec::H264, config, width: 1280, height: 720 });
        let mut data = vec![0; if starts { 90 } else { 40 }];
        let seed = [&self.stream.to_bytes()[..], &now.0.to_le_bytes()].concat();
        blake3::Hasher::new().update(&seed).finalize_xof().fill(&mut data);
        Picture { kind, dts: ticks, pts: ticks, data: data.into(), parameters }
    }
}
