//! UTC of a picture: the session's anchor plus the camera's media clock, slewed slowly toward arrival (R9).

use domain::{MediaTicks, UtcMicros};

/// Slew toward arrival: 500 parts per million of media time (R9), far above the drift of a quartz (about 50 ppm).
pub const SLEW_PPM_MAX: i64 = 500;
/// A picture that comes this much before its time, or whose media time steps back so far, is a jump.
pub const JUMP_MICROS: i64 = 2_000_000;
/// A picture that comes late may be a stalled network that drains; lateness that lasts longer is a jump.
pub const STALL_MICROS_MAX: i64 = 10_000_000;

/// The camera's media clock and the recorder's time no longer agree.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the camera's media clock jumped by about {off_millis} ms: set up its time (NTP)")]
pub struct ClockJump {
    pub off_millis: i64,
}

/// A session's clock: a function of (media time, arrival) pairs, in the order they came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Anchor {
    ticks: MediaTicks,
    utc: UtcMicros,
    /// Slew not given yet, in millionths of a microsecond: short frame intervals must not round it away.
    rest: i64,
    /// Arrival since which pictures come more than [`JUMP_MICROS`] late.
    late_since: Option<UtcMicros>,
}

impl Anchor {
    /// The session's first picture is taken to be as old as its arrival.
    pub const fn new(ticks: MediaTicks, arrival: UtcMicros) -> Anchor {
        Anchor { ticks, utc: arrival, rest: 0, late_since: None }
    }

    /// UTC of the picture at `ticks` that came at `arrival`. Never before that of an earlier media time.
    pub fn advance(&mut self, ticks: MediaTicks, arrival: UtcMicros) -> Result<UtcMicros, ClockJump> {
        let elapsed = MediaTicks(ticks.0.saturating_sub(self.ticks.0)).micros();
        let expected = self.utc.plus_micros(elapsed);
        let late = arrival.since(expected);
        if elapsed <= -JUMP_MICROS || late < -JUMP_MICROS {
            return Err(ClockJump { off_millis: late / 1_000 });
        }
        if late > JUMP_MICROS {
            let since = *self.late_since.get_or_insert(arrival);
            if arrival.since(since) > STALL_MICROS_MAX {
                return Err(ClockJump { off_millis: late / 1_000 });
            }
        } else {
            self.late_since = None;
        }
        if elapsed <= 0 {
            return Ok(expected);
        }
        // A stall says nothing about the clocks: slew only while arrival is near.
        let budget = elapsed.saturating_mul(SLEW_PPM_MAX).saturating_add(self.rest);
        let pull = if self.late_since.is_some() { 0 } else { late.clamp(-budget / 1_000_000, budget / 1_000_000) };
        self.rest = (budget - pull.abs() * 1_000_000).min(1_000_000);
        self.ticks = ticks;
        self.utc = expected.plus_micros(pull);
        Ok(self.utc)
    }

    /// UTC of a media time near the last picture, without moving the anchor (for sender reports).
    pub fn utc_at(&self, ticks: MediaTicks) -> UtcMicros {
        self.utc.plus_micros(MediaTicks(ticks.0.saturating_sub(self.ticks.0)).micros())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const START: UtcMicros = UtcMicros::from_seconds(1_700_000_000);

    fn at(seconds: f64) -> (MediaTicks, UtcMicros) {
        (MediaTicks((seconds * 90_000.0) as i64), START.plus_micros((seconds * 1e6) as i64))
    }

    #[test]
    fn a_perfect_camera_keeps_its_own_times() {
        let mut anchor = Anchor::new(MediaTicks(0), START);
        for n in 1..10_000 {
            let (ticks, arrival) = at(f64::from(n) * 0.04);
            assert_eq!(anchor.advance(ticks, arrival), Ok(arrival));
        }
    }

    #[test]
    fn a_camera_that_drifts_by_100_ppm_is_followed_for_a_day() {
        let mut anchor = Anchor::new(MediaTicks(0), START);
        for n in 1..=86_400 {
            let arrival = START.plus_seconds(n);
            let ticks = MediaTicks(n * 90_000 + n * 9);
            let utc = anchor.advance(ticks, arrival).expect("followed");
            assert!(utc.since(arrival).abs() < 1_000, "{n}");
        }
    }

    #[test]
    fn late_arrival_moves_the_time_by_no_more_than_500_ppm() {
        let mut anchor = Anchor::new(MediaTicks(0), START);
        let (ticks, arrival) = at(1.0);
        assert_eq!(anchor.advance(ticks, arrival.plus_micros(300_000)), Ok(arrival.plus_micros(500)));
    }

    #[test]
    fn a_picture_from_the_future_is_a_jump() {
        let mut anchor = Anchor::new(MediaTicks(0), START);
        assert!(anchor.advance(MediaTicks(90_000 * 3), START.plus_micros(40_000)).is_err());
    }

    #[test]
    fn a_step_back_is_a_jump() {
        let mut anchor = Anchor::new(MediaTicks(0), START);
        anchor.advance(MediaTicks(900_000), START.plus_seconds(10)).expect("in time");
        assert!(anchor.advance(MediaTicks(0), START.plus_seconds(10)).is_err());
    }

    #[test]
    fn a_stall_that_drains_loses_nothing() {
        let mut anchor = Anchor::new(MediaTicks(0), START);
        // Four seconds of pictures arrive at once, four seconds late.
        for n in 1..=100 {
            let (ticks, taken) = at(f64::from(n) * 0.04);
            let utc = anchor.advance(ticks, START.plus_seconds(4)).expect("a stall");
            assert!((0..=2_000).contains(&utc.since(taken)), "{n}: {}", utc.since(taken));
        }
    }

    #[test]
    fn lateness_that_lasts_is_a_jump() {
        let mut anchor = Anchor::new(MediaTicks(0), START);
        let jumped = (1..=300).find(|n| {
            let (ticks, taken) = at(f64::from(*n) * 0.04);
            anchor.advance(ticks, taken.plus_seconds(3)).is_err()
        });
        assert!(jumped.is_some_and(|n| (250..=252).contains(&n)), "{jumped:?}");
    }

    proptest! {
        #[test]
        fn time_never_runs_backwards_and_stays_near_arrival(
            steps in prop::collection::vec((0i64..20_000, 0i64..400_000), 1..200)
        ) {
            let mut anchor = Anchor::new(MediaTicks(0), START);
            let (mut ticks, mut last) = (0, START);
            for (step, jitter) in steps {
                ticks += step;
                let arrival = START.plus_micros(MediaTicks(ticks).micros() + jitter);
                let utc = anchor.advance(MediaTicks(ticks), arrival).expect("no jump under 0.4 s of jitter");
                prop_assert!(utc >= last, "{utc} before {last}");
                prop_assert!(arrival.since(utc).abs() <= 400_000 + 1);
                last = utc;
            }
        }

        #[test]
        fn no_numbers_make_it_panic(pairs in prop::collection::vec((any::<i64>(), any::<i64>()), 0..20)) {
            let mut anchor = Anchor::new(MediaTicks(0), START);
            for (ticks, arrival) in pairs {
                let before = (anchor.ticks, anchor.utc);
                let moved = anchor.advance(MediaTicks(ticks), UtcMicros(arrival));
                prop_assert!(moved.is_ok() || (anchor.ticks, anchor.utc) == before, "a refused picture moves nothing");
            }
        }
    }
}
