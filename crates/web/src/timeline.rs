//! Where pictures stand on a player's timeline: decoded there, and shown `pts − dts` later. Pure.
//!
//! Inside a run of pictures the distances are those of the camera's own clock, so durations are exact; where that clock and
//! UTC part by more than 0.2 s (a gap, a reconnect, slow drift) the timeline is set by UTC again. It never runs backwards.

use domain::{MediaTicks, UtcMicros};
use media::{Frame, fmp4::TimelineFrame};

/// Camera clock and UTC may differ by this much before UTC counts again: 0.2 s.
const APART_TICKS_MAX: i64 = MediaTicks::PER_SECOND / 5;
/// Between two pictures of which neither clock tells the distance: 25 frames/s.
const STEP_TICKS: i64 = MediaTicks::PER_SECOND / 25;

#[derive(Clone, Debug)]
pub struct Timeline {
    /// UTC of time 0.
    origin: UtcMicros,
    /// Added to what UTC says, after a clock was set back: what was shown stays shown.
    shift_ticks: i64,
    last: Option<Last>,
}

#[derive(Clone, Copy, Debug)]
struct Last {
    source_dts: MediaTicks,
    at: MediaTicks,
    continues: bool,
}

impl Timeline {
    pub const fn new(origin: UtcMicros) -> Timeline {
        Timeline { origin, shift_ticks: 0, last: None }
    }

    pub const fn origin(&self) -> UtcMicros {
        self.origin
    }

    /// The next picture does not follow the last one: only UTC tells where it stands.
    pub fn jump(&mut self) {
        if let Some(last) = &mut self.last {
            last.continues = false;
        }
    }

    /// Places the next picture, in decoding order.
    pub fn place(&mut self, frame: Frame) -> TimelineFrame {
        let at = self.at(&frame);
        self.last = Some(Last { source_dts: frame.dts, at, continues: true });
        let shown_later = frame.pts.0.saturating_sub(frame.dts.0).max(0);
        TimelineFrame { kind: frame.kind, dts: at, pts: MediaTicks(at.0.saturating_add(shown_later)), data: frame.data }
    }

    fn at(&mut self, frame: &Frame) -> MediaTicks {
        let by_utc = MediaTicks::from_micros(frame.decode_utc().since(self.origin)).0.saturating_add(self.shift_ticks);
        let Some(last) = self.last else { return MediaTicks(by_utc.max(0)) };
        let step = frame.dts.0.saturating_sub(last.source_dts.0);
        let by_dts = last.at.0.saturating_add(step);
        if last.continues && step > 0 && (by_dts - by_utc).abs() <= APART_TICKS_MAX {
            return MediaTicks(by_dts);
        }
        if by_utc > last.at.0 {
            return MediaTicks(by_utc);
        }
        // UTC went back: go on from here, and stay as far from it as we are now
        let plausible = last.continues && (1..=MediaTicks::PER_SECOND).contains(&step);
        let at = last.at.0 + if plausible { step } else { STEP_TICKS };
        self.shift_ticks += at - by_utc;
        MediaTicks(at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use media::FrameKind;

    /// A picture taken `utc_ms` after the origin, `dts` on the camera's clock.
    fn frame(utc_ms: i64, dts: i64) -> Frame {
        Frame {
            kind: FrameKind::Other,
            utc: UtcMicros(1_000_000_000_000 + utc_ms * 1_000),
            dts: MediaTicks(dts),
            pts: MediaTicks(dts),
            data: vec![1].into(),
            parameters: None,
        }
    }

    /// (UTC in ms after the origin, camera ticks) → ticks on the player's timeline.
    fn check(frames: &[(i64, i64)], expected: &[i64]) {
        let mut timeline = Timeline::new(UtcMicros(1_000_000_000_000));
        let placed: Vec<i64> = frames.iter().map(|(utc, dts)| timeline.place(frame(*utc, *dts)).dts.0).collect();
        assert_eq!(placed, expected);
    }

    #[test]
    fn inside_a_run_distances_are_those_of_the_camera() {
        check(&[(0, 5_000), (45, 8_600), (75, 12_200), (140, 15_800)], &[0, 3_600, 7_200, 10_800]);
    }

    #[test]
    fn after_a_gap_utc_tells_the_place_even_if_the_camera_s_clock_began_anew() {
        check(&[(0, 90_000), (40, 93_600), (10_000, 0), (10_040, 3_600)], &[0, 3_600, 900_000, 903_600]);
    }

    #[test]
    fn a_clock_that_drifts_is_corrected_when_it_is_a_fifth_of_a_second_off() {
        check(&[(0, 0), (1_190, 90_000), (2_390, 180_000)], &[0, 90_000, 215_100]);
    }

    #[test]
    fn a_clock_set_back_does_not_run_the_timeline_backwards_and_later_distances_hold() {
        check(&[(0, 0), (40, 3_600), (-5_000, 7_200), (-4_960, 10_800)], &[0, 3_600, 7_200, 10_800]);
        check(&[(0, 0), (40, 3_600), (-5_000, -9), (-4_000, 89_991)], &[0, 3_600, 7_200, 97_200]);
    }

    #[test]
    fn a_picture_before_the_origin_stands_at_zero() {
        check(&[(-80, 0), (-40, 3_600)], &[0, 3_600]);
    }

    #[test]
    fn after_a_jump_the_camera_s_clock_does_not_count() {
        let mut timeline = Timeline::new(UtcMicros(1_000_000_000_000));
        timeline.place(frame(0, 0));
        timeline.jump();
        assert_eq!(timeline.place(frame(150, 3_600)).dts, MediaTicks(13_500));
    }

    #[test]
    fn a_picture_shown_later_than_decoded_stays_so() {
        let mut timeline = Timeline::new(UtcMicros(1_000_000_000_000));
        let placed = timeline.place(Frame { pts: MediaTicks(7_200), ..frame(1_000, 0) });
        // taken a second after the origin, decoded 80 ms before
        assert_eq!((placed.dts, placed.pts), (MediaTicks(82_800), MediaTicks(90_000)));
    }
}
