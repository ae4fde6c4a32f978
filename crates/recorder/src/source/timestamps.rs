//! The sanitiser of a camera's timestamps: whatever a session's media clock says, what comes out runs forward and stays near
//! arrival (R9). Pure.
//!
//! A camera's clock may jump, wrap, run backwards or claim the year 3250. None of this loses a picture: a jump is a
//! discontinuity, after which the media clock that is recorded goes on where it was and UTC has a new anchor.

use super::anchor::Anchor;
use domain::{
    MediaTicks, UtcMicros,
    limit::{LOSS_MS_MAX, REORDER_TICKS_MAX},
};

/// The media clock that is recorded never steps by more at a jump: the pause itself stands in UTC.
const STEP_MICROS_MAX: i64 = 10_000_000;
/// Beyond it numbers are not times any more; sums of two of them do not overflow.
const TICKS_MAX: i64 = i64::MAX / 8;

// What reordering may do is less than what a power cut may cost: both are counted on one clock.
const _: () = assert!(REORDER_TICKS_MAX * 1_000 <= LOSS_MS_MAX as i64 * MediaTicks::PER_SECOND);

/// When a picture is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stamp {
    /// Of the instant at which it is shown.
    pub utc: UtcMicros,
    /// On the clock that is recorded: strictly rising within a session, never after `pts`.
    pub dts: MediaTicks,
    pub pts: MediaTicks,
    /// The camera's clock jumped before this picture.
    pub jumped: bool,
}

/// A session's clock, made sane. A function of what came before, in the order in which it came.
#[derive(Clone, Debug, Default)]
pub struct Timestamps {
    running: Option<Running>,
}

#[derive(Clone, Debug)]
struct Running {
    anchor: Anchor,
    /// Recorded clock − the camera's.
    shift: i64,
    /// Of the last picture.
    dts: MediaTicks,
    /// The latest of all so far, on the recorded clock, and its UTC.
    newest: (MediaTicks, UtcMicros),
    arrival: UtcMicros,
}

impl Timestamps {
    /// The picture decoded at `dts` and shown at `pts` by the camera's clock, which came at `arrival`.
    pub fn take(&mut self, dts: MediaTicks, pts: MediaTicks, arrival: UtcMicros) -> Stamp {
        let ahead = pts.0.saturating_sub(dts.0).clamp(0, REORDER_TICKS_MAX);
        let pts = MediaTicks(pts.0.clamp(-TICKS_MAX, TICKS_MAX));
        let (pts, utc, jumped) = match &mut self.running {
            Some(running) => running.shown(pts, arrival),
            None => {
                let (anchor, dts) = (Anchor::new(pts, arrival), MediaTicks(pts.0 - ahead - 1));
                self.running = Some(Running { anchor, shift: 0, dts, newest: (pts, arrival), arrival });
                (pts, arrival, false)
            }
        };
        let dts = self.running.as_mut().map_or(pts, |running| running.decoded(MediaTicks(pts.0 - ahead)));
        // a clock that stands still or runs back: the picture is shown when it is decoded
        let moved = dts.0.saturating_sub(pts.0).max(0);
        Stamp { utc: utc.plus_micros(MediaTicks(moved).micros()), dts, pts: pts.max(dts), jumped }
    }

    /// The recorder's UTC of an instant on the camera's clock near the last picture (for sender reports); `None` before the
    /// first picture.
    pub fn utc_at(&self, camera: MediaTicks) -> Option<UtcMicros> {
        let running = self.running.as_ref()?;
        Some(running.anchor.utc_at(MediaTicks(camera.0.saturating_add(running.shift))))
    }
}

impl Running {
    /// When a picture is shown, and whether the camera's clock jumped.
    fn shown(&mut self, camera: MediaTicks, arrival: UtcMicros) -> (MediaTicks, UtcMicros, bool) {
        let wanted = MediaTicks(camera.0 + self.shift);
        let (shown, utc, jumped) = match self.anchor.advance(wanted, arrival) {
            Ok(utc) => (wanted, utc, false),
            Err(_) => {
                let passed = arrival.since(self.arrival).clamp(0, STEP_MICROS_MAX);
                let resumed = MediaTicks(self.newest.0.0.min(TICKS_MAX) + MediaTicks::from_micros(passed).0.max(1));
                let utc = arrival.max(self.newest.1);
                self.shift = resumed.0 - camera.0;
                self.anchor = Anchor::new(resumed, utc);
                (resumed, utc, true)
            }
        };
        self.newest = self.newest.max((shown, utc));
        self.arrival = self.arrival.max(arrival);
        (shown, utc, jumped)
    }

    fn decoded(&mut self, wanted: MediaTicks) -> MediaTicks {
        self.dts = wanted.max(MediaTicks(self.dts.0 + 1));
        self.dts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const START: UtcMicros = UtcMicros::from_seconds(1_700_000_000);

    /// Pictures 40 ms apart by their arrival; what the camera says of each.
    fn run(camera_says: impl Fn(i64) -> i64, pictures: i64) -> Vec<Stamp> {
        let mut timestamps = Timestamps::default();
        let stamp = |n| {
            let ticks = MediaTicks(camera_says(n));
            timestamps.take(ticks, ticks, START.plus_micros(n * 40_000))
        };
        (0..pictures).map(stamp).collect()
    }

    fn check(stamps: &[Stamp], jumps: usize) {
        for (n, two) in stamps.windows(2).enumerate() {
            assert!(two[0].dts < two[1].dts && two[0].utc <= two[1].utc, "{n}: {two:?}");
        }
        for (n, stamp) in stamps.iter().enumerate() {
            let arrival = START.plus_micros(n as i64 * 40_000);
            assert!(stamp.utc.since(arrival).abs() <= 1_000, "{n}: {stamp:?}");
        }
        assert_eq!(stamps.iter().filter(|stamp| stamp.jumped).count(), jumps);
    }

    #[test]
    fn an_honest_camera_keeps_its_own_clock() {
        let stamps = run(|n| n * 3_600, 1_000);
        check(&stamps, 0);
        assert!(stamps.iter().enumerate().all(|(n, stamp)| stamp.dts.0 == n as i64 * 3_600));
    }

    #[test]
    fn a_clock_that_jumps_an_hour_forward_or_back_loses_no_picture_and_jumps_once() {
        for hour in [324_000_000, -324_000_000] {
            check(&run(|n| n * 3_600 + if n < 500 { 0 } else { hour }, 1_000), 1);
        }
    }

    #[test]
    fn a_counter_that_wraps_at_32_bits_is_one_jump_at_most() {
        check(&run(|n| (4_294_000_000 + n * 3_600) % (1 << 32), 1_000), 1);
    }

    #[test]
    fn the_year_3250_and_the_ends_of_all_numbers_are_survived() {
        let year_3250 = 40_000_000_000 * 90_000;
        check(&run(|n| n * 3_600 + if n < 3 { 0 } else { year_3250 }, 100), 1);
        for far in [i64::MAX, i64::MIN, i64::MAX - 90_000] {
            for stamps in [run(|n| if n < 3 { n * 3_600 } else { far }, 10), run(|_| far, 10)] {
                assert!(stamps.windows(2).all(|two| two[0].dts < two[1].dts && two[0].utc <= two[1].utc), "{stamps:?}");
            }
        }
    }

    #[test]
    fn a_clock_that_stands_still_or_runs_backwards_slowly_still_gives_rising_times() {
        for step in [0, -1, -3_600] {
            let stamps = run(|n| n * step, 500);
            assert!(stamps.windows(2).all(|two| two[0].dts < two[1].dts && two[0].utc <= two[1].utc));
            let last = stamps.last().expect("500 of them");
            assert!(START.plus_micros(499 * 40_000).since(last.utc) <= 12_000_000, "{step}: {last:?}");
        }
    }

    #[test]
    fn presentation_stays_beside_decoding_across_a_jump() {
        let mut timestamps = Timestamps::default();
        let take = |timestamps: &mut Timestamps, dts, pts, ms: i64| {
            timestamps.take(MediaTicks(dts), MediaTicks(pts), START.plus_micros(ms * 1_000))
        };
        take(&mut timestamps, 0, 7_200, 0);
        let after = take(&mut timestamps, 900_000_000, 900_007_200, 40);
        assert_eq!((after.jumped, after.pts.0 - after.dts.0), (true, 7_200));
        let broken = take(&mut timestamps, 900_003_600, -900_000_000, 80);
        assert!(broken.jumped && broken.pts == broken.dts && broken.dts > after.dts, "{broken:?}");
    }

    #[test]
    fn b_pictures_keep_the_time_at_which_they_are_shown() {
        let mut timestamps = Timestamps::default();
        // decoded at 0, 1, 2, 3 …, shown at 1, 4, 2, 3: what comes early is shown late
        for (decoded, shown) in [(0i64, 1i64), (1, 4), (2, 2), (3, 3), (4, 7), (5, 5), (6, 6)] {
            let arrival = START.plus_micros(decoded * 40_000);
            let stamp = timestamps.take(MediaTicks(decoded * 3_600), MediaTicks(shown * 3_600), arrival);
            assert_eq!((stamp.dts.0, stamp.pts.0, stamp.jumped), (decoded * 3_600, shown * 3_600, false));
            assert!(stamp.utc.since(START.plus_micros((shown - 1) * 40_000)).abs() < 1_000, "{stamp:?}");
        }
    }

    #[test]
    fn a_sender_report_is_read_on_the_cameras_own_clock_after_a_jump() {
        let mut timestamps = Timestamps::default();
        assert_eq!(timestamps.utc_at(MediaTicks(0)), None);
        timestamps.take(MediaTicks(0), MediaTicks(0), START);
        let jumped = MediaTicks(900_000_000);
        timestamps.take(jumped, jumped, START.plus_seconds(1));
        assert_eq!(timestamps.utc_at(MediaTicks(900_090_000)), Some(START.plus_seconds(2)));
    }

    proptest! {
        #[test]
        fn whatever_the_camera_says_times_rise_and_stay_near_arrival(
            says in prop::collection::vec((prop_oneof![any::<i64>(), -1_000_000i64..1_000_000, 0i64..(1 << 33)], any::<i64>(), 0i64..2_000_000), 1..200)
        ) {
            let mut timestamps = Timestamps::default();
            let (mut arrival, mut last) = (START, None::<Stamp>);
            for (dts, pts, waited) in says {
                arrival = arrival.plus_micros(waited);
                let stamp = timestamps.take(MediaTicks(dts), MediaTicks(pts), arrival);
                if let Some(last) = last {
                    prop_assert!(last.dts < stamp.dts, "{last:?} {stamp:?}");
                    prop_assert!(stamp.pts <= last.pts || stamp.utc.since(last.utc) >= -1_000, "{last:?} {stamp:?}");
                }
                prop_assert!((0..=REORDER_TICKS_MAX).contains(&(stamp.pts.0 - stamp.dts.0)), "{stamp:?}");
                // 10 s of a stall, 2 s before it counts as one, 2 s until the next picture tells
                prop_assert!(stamp.utc.since(arrival).abs() <= 14_000_000, "{stamp:?} at {arrival}");
                last = Some(stamp);
            }
        }
    }
}
