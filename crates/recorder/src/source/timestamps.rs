//! The sanitiser of a camera's timestamps: whatever a session's media clock says, what comes out runs forward and stays near
//! arrival (R9). Pure.
//!
//! A camera's clock may jump, wrap, run backwards or claim the year 3250. None of this loses a picture: a jump is a
//! discontinuity, after which the media clock that is recorded goes on where it was and UTC has a new anchor.

use super::anchor::Anchor;
use domain::{MediaTicks, UtcMicros};

/// Between decoding and presentation of one picture; more is no reordering but a broken clock. Sixteen pictures (H.264,
/// A.3.1; H.265, A.4.1) at one a second would be 16 s; cameras reorder one to three at 10 or more a second.
const REORDER_TICKS_MAX: i64 = 10 * MediaTicks::PER_SECOND;
/// The media clock that is recorded never steps by more at a jump: the pause itself stands in UTC.
const STEP_MICROS_MAX: i64 = 10_000_000;

/// When a picture is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stamp {
    pub utc: UtcMicros,
    /// On the clock that is recorded: strictly rising within a session.
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
    dts: MediaTicks,
    utc: UtcMicros,
    arrival: UtcMicros,
}

impl Timestamps {
    /// The picture decoded at `dts` and shown at `pts` by the camera's clock, which came at `arrival`.
    pub fn take(&mut self, dts: MediaTicks, pts: MediaTicks, arrival: UtcMicros) -> Stamp {
        let reorder = pts.0.saturating_sub(dts.0);
        let reorder = if reorder.saturating_abs() > REORDER_TICKS_MAX { 0 } else { reorder };
        let Some(running) = &mut self.running else {
            // what is recorded begins at 0 or near it, whatever the camera counts from
            let shift = if dts.0.saturating_abs() > i64::MAX / 4 { 0i64.saturating_sub(dts.0) } else { 0 };
            let first = MediaTicks(dts.0.saturating_add(shift));
            let anchor = Anchor::new(first, arrival);
            self.running = Some(Running { anchor, shift, dts: first, utc: arrival, arrival });
            return Stamp { utc: arrival, dts: first, pts: MediaTicks(first.0 + reorder), jumped: false };
        };
        let (dts, utc, jumped) = running.advance(dts, arrival);
        Stamp { utc, dts, pts: MediaTicks(dts.0 + reorder), jumped }
    }

    /// The recorder's UTC of an instant on the camera's clock near the last picture (for sender reports); `None` before the
    /// first picture.
    pub fn utc_at(&self, camera: MediaTicks) -> Option<UtcMicros> {
        let running = self.running.as_ref()?;
        Some(running.anchor.utc_at(MediaTicks(camera.0.saturating_add(running.shift))))
    }
}

impl Running {
    fn advance(&mut self, camera: MediaTicks, arrival: UtcMicros) -> (MediaTicks, UtcMicros, bool) {
        let next = MediaTicks(self.dts.0 + 1);
        let wanted = MediaTicks(camera.0.saturating_add(self.shift));
        let far = wanted.0.saturating_sub(self.dts.0).saturating_abs() > i64::MAX / 4;
        let (utc, jumped) = match self.anchor.advance(wanted, arrival) {
            Ok(utc) if !far => (utc, false),
            _ => {
                let passed = arrival.since(self.arrival).clamp(0, STEP_MICROS_MAX);
                let resumed = MediaTicks(self.dts.0 + MediaTicks::from_micros(passed).0.max(1));
                self.shift = resumed.0.saturating_sub(camera.0);
                self.anchor = Anchor::new(resumed, arrival);
                self.dts = resumed;
                (arrival, true)
            }
        };
        if !jumped {
            self.dts = wanted.max(next);
        }
        self.utc = self.utc.max(utc);
        self.arrival = self.arrival.max(arrival);
        (self.dts, self.utc, jumped)
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
        assert_eq!(broken.pts, broken.dts);
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
                    prop_assert!(last.dts < stamp.dts && last.utc <= stamp.utc, "{last:?} {stamp:?}");
                }
                prop_assert!(stamp.pts.0.abs_diff(stamp.dts.0) <= REORDER_TICKS_MAX as u64);
                // 10 s of a stall, 2 s before it counts as one, 2 s until the next picture tells
                prop_assert!(stamp.utc.since(arrival).abs() <= 14_000_000, "{stamp:?} at {arrival}");
                last = Some(stamp);
            }
        }
    }
}
