//! From pictures to the bytes of a `video/mp4` answer: init segment, fragments, a new init segment when a camera changes. Pure.

use crate::timeline::Timeline;
use bytes::Bytes;
use domain::{MediaTicks, UtcMicros};
use media::{
    Chunk, Frame, MediaError, ParameterSets, Start,
    codec::codec_string,
    fmp4::{Fragmenter, init_segment},
};

/// A live fragment is given out when its pictures last this long: 0.2 s.
const LIVE_FRAGMENT_TICKS: i64 = MediaTicks::PER_SECOND / 5;

/// Of one stream. Nothing comes out before a group of pictures starts.
#[derive(Debug, Default)]
pub struct Packer {
    timeline: Option<Timeline>,
    fragmenter: Fragmenter,
    parameters: Option<ParameterSets>,
    start: Start,
    out: Vec<u8>,
    /// Place of the first picture that was not given out.
    waiting_from: Option<MediaTicks>,
    newest: MediaTicks,
    group_began: bool,
}

/// What the answer's headers say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// `video/mp4; codecs="avc1.…"` (RFC 6381).
    pub content_type: String,
    /// UTC of time 0: the first picture is decoded there, and shown there or, with B pictures, shortly after.
    pub start: UtcMicros,
}

impl Packer {
    /// Known when the first group has started.
    pub fn head(&self) -> Option<Head> {
        let parameters = self.parameters.as_ref()?;
        let content_type = format!("video/mp4; codecs=\"{}\"", codec_string(parameters));
        Some(Head { content_type, start: self.timeline.as_ref()?.origin() })
    }

    /// Takes the next picture in decoding order. Errors: parameter sets that cannot be written as MP4.
    pub fn push(&mut self, frame: Frame) -> Result<(), MediaError> {
        if frame.kind.starts_group() {
            self.take_parameters(&frame)?;
        }
        let starts_group = frame.kind.starts_group() && self.parameters.is_some();
        if !self.start.admits(frame.kind, frame.pts, starts_group) {
            return Ok(());
        }
        let timeline = self.timeline.get_or_insert_with(|| Timeline::new(frame.decode_utc()));
        self.group_began |= frame.kind.starts_group();
        let placed = timeline.place(frame);
        self.newest = placed.dts;
        self.waiting_from.get_or_insert(placed.dts);
        if self.fragmenter.push(placed).is_err() {
            // a picture of an impossible size: what refers to it cannot be decoded
            self.jump();
        }
        Ok(())
    }

    /// All pictures of a chunk. Their UTC is that of the first one shown plus the distance on the camera's clock.
    pub fn push_chunk(&mut self, chunk: Chunk) -> Result<(), MediaError> {
        let utcs: Vec<UtcMicros> = chunk.frames.iter().map(|entry| chunk.utc_of(entry)).collect();
        let mut data = Bytes::from(chunk.data);
        let mut parameters = chunk.parameters;
        for (entry, utc) in chunk.frames.iter().zip(utcs) {
            self.push(Frame {
                kind: entry.kind,
                utc,
                dts: entry.dts,
                pts: entry.pts,
                data: data.split_to((entry.size as usize).min(data.len())),
                parameters: if entry.kind.starts_group() { parameters.take() } else { None },
            })?;
        }
        Ok(())
    }

    /// Pictures are missing here: the next one counts from the start of a group.
    pub fn jump(&mut self) {
        self.start.lost();
        if let Some(timeline) = &mut self.timeline {
            timeline.jump();
        }
    }

    /// Live: bytes where a group has just started or 0.2 s of pictures wait.
    pub fn take_due(&mut self) -> Result<Option<Bytes>, MediaError> {
        let waits_ticks = self.waiting_from.map_or(0, |from| self.newest.0 - from.0);
        if self.group_began || waits_ticks >= LIVE_FRAGMENT_TICKS { self.take() } else { Ok(None) }
    }

    /// Everything but the newest picture, whose duration is not known yet.
    pub fn take(&mut self) -> Result<Option<Bytes>, MediaError> {
        self.group_began = false;
        while let Some(fragment) = self.fragmenter.take()? {
            self.out.extend_from_slice(&fragment);
        }
        self.waiting_from = Some(self.newest);
        let out = std::mem::take(&mut self.out);
        Ok(if out.is_empty() { None } else { Some(out.into()) })
    }

    /// The rest, the newest picture included.
    pub fn finish(&mut self) -> Result<Option<Bytes>, MediaError> {
        self.drain()?;
        self.take()
    }

    fn take_parameters(&mut self, frame: &Frame) -> Result<(), MediaError> {
        if let Some(parameters) = frame.parameters.as_ref().filter(|new| Some(*new) != self.parameters.as_ref()) {
            let segment = init_segment(parameters)?;
            self.drain()?;
            self.out.extend_from_slice(&segment);
            self.parameters = Some(parameters.clone());
        }
        Ok(())
    }

    /// What is held belongs to the parameter sets written last.
    fn drain(&mut self) -> Result<(), MediaError> {
        for fragment in self.fragmenter.finish()? {
            self.out.extend_from_slice(&fragment);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
