//! From frames in decoding order to fragments: durations, gaps, and a timeline that never runs backwards.

use super::{FRAGMENT_BYTES_MAX, FRAGMENT_SAMPLES_MAX, Sample, fragment};
use crate::{FrameKind, MediaError};
use bytes::Bytes;
use domain::MediaTicks;
use domain::limit::PICTURE_BYTES_MAX;
use std::collections::VecDeque;

/// A longer pause between two frames is a gap: the frame before it is not stretched over it.
const GAP_TICKS: u64 = MediaTicks::PER_SECOND as u64;
/// Shown for a last frame when no duration is known yet: 25 frames/s.
const FIRST_DURATION_TICKS: u32 = (MediaTicks::PER_SECOND / 25) as u32;

/// One frame as the fragmenter takes it, in decoding order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TimelineFrame {
    pub kind: FrameKind,
    /// Position on the player's timeline at which the frame is decoded; below 0 counts as 0.
    pub dts: MediaTicks,
    /// Position at which it is shown; what counts is its distance from `dts`.
    pub pts: MediaTicks,
    /// NAL units, each after its length in four bytes; 1 byte to 8 MiB.
    pub data: Bytes,
}

/// Makes fragments of frames. A frame's duration is known when the next one comes, so one frame is always held back:
/// `push` each frame, call `take` until it gives nothing (after each frame when live, after each chunk when replaying),
/// and `finish` at the end or before new parameter sets. Of one stream and one set of parameters.
///
/// The timeline is the caller's: a fragment starts at its first frame's `dts`, gaps stay gaps. A `dts` that does not
/// lie after the frame before is moved to one tick after it, so fragments never overlap.
#[derive(Clone, Debug)]
pub struct Fragmenter {
    /// Of the next fragment.
    sequence: u32,
    /// Frames whose duration is known.
    ready: VecDeque<Timed>,
    /// The newest frame.
    held: Option<Timed>,
    /// The next frame may not be decoded before this.
    earliest_dts: u64,
    last_good_duration: u32,
}

#[derive(Clone, Debug)]
struct Timed {
    dts: u64,
    /// For the frame held back: the one it gets if nothing follows.
    duration: u32,
    composition_offset: i32,
    starts_group: bool,
    data: Bytes,
}

impl Default for Fragmenter {
    fn default() -> Fragmenter {
        Fragmenter::new()
    }
}

impl Fragmenter {
    pub fn new() -> Fragmenter {
        Fragmenter {
            sequence: 1,
            ready: VecDeque::new(),
            held: None,
            earliest_dts: 0,
            last_good_duration: FIRST_DURATION_TICKS,
        }
    }

    /// Takes the next frame in decoding order.
    ///
    /// Errors: data of 0 bytes or more than 8 MiB; the frame is not taken, the next may be pushed.
    pub fn push(&mut self, frame: TimelineFrame) -> Result<(), MediaError> {
        let bytes = frame.data.len();
        if bytes == 0 || bytes > PICTURE_BYTES_MAX {
            return Err(MediaError::SampleSize { index: self.ready.len(), bytes, max: PICTURE_BYTES_MAX });
        }
        let dts = u64::try_from(frame.dts.0).unwrap_or(0).max(self.earliest_dts);
        if let Some(mut before) = self.held.take() {
            // At least 1, since the earliest dts lies after the frame held back.
            let distance = dts - before.dts;
            let moved = u64::try_from(frame.dts.0) != Ok(dts);
            before.duration = match u32::try_from(distance) {
                Ok(ticks) if distance <= GAP_TICKS => ticks,
                _ => self.last_good_duration,
            };
            if distance <= GAP_TICKS && !moved {
                self.last_good_duration = before.duration;
            }
            self.ready.push_back(before);
        }
        self.earliest_dts = dts.saturating_add(1);
        self.held = Some(Timed {
            dts,
            duration: self.last_good_duration,
            composition_offset: composition_offset(frame.dts, frame.pts),
            starts_group: frame.kind.starts_group(),
            data: frame.data,
        });
        Ok(())
    }

    /// The next fragment of the frames whose duration is known; call again until it gives nothing.
    pub fn take(&mut self) -> Result<Option<Vec<u8>>, MediaError> {
        let count = self.run_length();
        let Some(first) = self.ready.front().filter(|_| count > 0) else {
            return Ok(None);
        };
        let samples: Vec<Sample<'_>> = self.ready.range(..count).map(Timed::sample).collect();
        let fragment = fragment(self.sequence, first.dts, &samples)?;
        self.ready.drain(..count);
        self.sequence = self.sequence.wrapping_add(1);
        Ok(Some(fragment))
    }

    /// The frame held back gets the duration of the one before; all that is left is given out. May be used again: what
    /// is pushed next starts at the end of this frame or later.
    pub fn finish(&mut self) -> Result<Vec<Vec<u8>>, MediaError> {
        if let Some(last) = self.held.take() {
            self.earliest_dts = last.dts.saturating_add(u64::from(last.duration));
            self.ready.push_back(last);
        }
        let mut fragments = Vec::new();
        while let Some(fragment) = self.take()? {
            fragments.push(fragment);
        }
        Ok(fragments)
    }

    /// How many ready frames can stand in one fragment: each begins where the one before ends, within the limits.
    fn run_length(&self) -> usize {
        let mut bytes = 0;
        let mut next_dts = self.ready.front().map_or(0, |first| first.dts);
        let fits = |frame: &&Timed| {
            bytes += frame.data.len() as u64;
            let adjoins = frame.dts == next_dts;
            next_dts = frame.dts.saturating_add(u64::from(frame.duration));
            adjoins && bytes <= FRAGMENT_BYTES_MAX
        };
        self.ready.iter().take(FRAGMENT_SAMPLES_MAX).take_while(fits).count()
    }
}

impl Timed {
    fn sample(&self) -> Sample<'_> {
        Sample {
            data: &self.data,
            duration: self.duration,
            composition_offset: self.composition_offset,
            starts_group: self.starts_group,
        }
    }
}

/// Between the caller's own times: a `dts` that had to be moved takes its `pts` along.
fn composition_offset(dts: MediaTicks, pts: MediaTicks) -> i32 {
    pts.0.saturating_sub(dts.0).clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32
}
