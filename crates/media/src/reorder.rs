//! Decoding times from presentation times: RTP carries only the latter, in decoding order (RFC 6184, 5.1; RFC 7798, 4.1).
//!
//! A picture may be decoded no later than it is shown, and one after the other. If at most *n* pictures come before one
//! that is shown after them (the depth, which the parameter sets tell), then the k-th picture in decoding order can take
//! the presentation time of the (k − n)-th picture *shown*: nothing that comes later is shown before that. Such times are
//! presentation times of the camera, in order, *n* pictures back; nothing waits for them.

use domain::MediaTicks;
use domain::limit::{REORDER_PICTURES_MAX, REORDER_TICKS_MAX};

/// Between the times given to a session's first pictures, before which nothing was shown: 25 pictures/s.
const STEP_TICKS: i64 = MediaTicks::PER_SECOND / 25;

/// One session's decoding times.
#[derive(Clone, Debug, Default)]
pub struct Reorder {
    depth: usize,
    /// Presentation times not given out as decoding times, in order; at most `depth` between two pictures.
    waiting: Vec<i64>,
    /// The last of them that was given out.
    last_taken: Option<i64>,
    last_dts: Option<i64>,
    newest_pts: Option<i64>,
}

/// When a picture is decoded and shown. `dts` rises strictly from picture to picture; `dts ≤ pts`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Times {
    pub dts: MediaTicks,
    pub pts: MediaTicks,
}

/// The camera's clock stepped back further than any reordering does: nothing can be said of what follows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SteppedBack {
    pub by: MediaTicks,
}

impl Reorder {
    /// The parameter sets in force say this depth. It never shrinks in a session: a larger one is right too.
    pub fn expect_depth(&mut self, depth: usize) {
        self.depth = self.depth.max(depth.min(REORDER_PICTURES_MAX));
    }

    /// The camera's clock goes on elsewhere: nothing shown before says anything of what follows. The depth stays.
    pub fn restart(&mut self) {
        *self = Reorder { depth: self.depth, ..Reorder::default() };
    }

    /// Times of the next picture in decoding order, from its presentation time.
    ///
    /// A camera that reorders without saying so, or more than it said, is found out by its first picture that would be
    /// shown before it is decoded: the depth grows, and that picture's `pts` is moved to its `dts`. All others keep theirs.
    pub fn place(&mut self, pts: MediaTicks) -> Result<Times, SteppedBack> {
        let newest = self.newest_pts.unwrap_or(pts.0);
        let back = newest.saturating_sub(pts.0);
        if back >= REORDER_TICKS_MAX {
            return Err(SteppedBack { by: MediaTicks(back) });
        }
        self.newest_pts = Some(newest.max(pts.0));
        if let Some(taken) = self.last_taken.filter(|taken| pts.0 < *taken && self.depth < REORDER_PICTURES_MAX) {
            // That time was given out too early: one more picture has to be kept in mind.
            self.depth += 1;
            self.wait(taken);
            self.last_taken = None;
        }
        self.wait(pts.0);
        let dts = self.next_time(pts.0);
        self.last_dts = Some(dts);
        Ok(Times { dts: MediaTicks(dts), pts: MediaTicks(pts.0.max(dts)) })
    }

    fn wait(&mut self, time: i64) {
        let at = self.waiting.partition_point(|waiting| *waiting <= time);
        self.waiting.insert(at, time);
    }

    fn next_time(&mut self, pts: i64) -> i64 {
        let first = self.waiting.first().copied().unwrap_or(pts);
        if self.waiting.len() > self.depth {
            self.waiting.remove(0);
            self.last_taken = Some(first);
            return self.last_dts.map_or(first, |last| first.max(last.saturating_add(1)));
        }
        // Before the first time shown is due, `missing` more pictures come: their times lie between, evenly.
        let missing = (self.depth + 1 - self.waiting.len()) as i64;
        match self.last_dts {
            // Twice as far back as the depth: pictures that lead the first one are shown before it.
            None => pts.saturating_sub(2 * missing * STEP_TICKS),
            Some(last) => last.saturating_add((first.saturating_sub(last) / (missing + 1)).max(1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PICTURE: i64 = 3_600;

    fn place(depth: usize, shown: &[i64]) -> Vec<Times> {
        let mut reorder = Reorder::default();
        reorder.expect_depth(depth);
        shown.iter().map(|pts| reorder.place(MediaTicks(*pts)).expect("no step back")).collect()
    }

    #[track_caller]
    fn check(depth: usize, shown: &[i64], expected: &[i64]) {
        let pts: Vec<i64> = shown.iter().map(|picture| picture * PICTURE).collect();
        let dts: Vec<i64> = place(depth, &pts).iter().map(|times| times.dts.0).collect();
        assert_eq!(dts, expected.iter().map(|picture| picture * PICTURE).collect::<Vec<_>>());
    }

    #[test]
    fn without_reordering_decoding_times_are_presentation_times() {
        check(0, &[0, 1, 2, 5], &[0, 1, 2, 5]);
    }

    #[test]
    fn with_b_pictures_each_is_decoded_at_the_time_of_one_shown_before() {
        check(1, &[0, 3, 1, 2, 6, 4, 5], &[-2, 0, 1, 2, 3, 4, 5]);
        check(2, &[0, 4, 2, 1, 3, 8, 6, 5, 7], &[-4, -2, 0, 1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn pictures_that_lead_the_first_one_are_decoded_before_they_are_shown_too() {
        check(2, &[3, 1, 2, 6, 4, 5], &[-1, 0, 1, 2, 3, 4]);
    }

    #[test]
    fn a_camera_that_reorders_without_saying_so_is_found_out_and_only_its_first_pictures_move() {
        let shown: Vec<i64> = [0, 4, 2, 1, 3, 8, 6, 5, 7, 12, 10, 9, 11].map(|picture| picture * PICTURE).into();
        let times = place(0, &shown);
        let moved: Vec<usize> = (0..shown.len()).filter(|n| times[*n].pts.0 != shown[*n]).collect();
        assert_eq!(moved, [2, 3, 4], "{times:?}");
        assert_eq!(times[12].dts.0, 10 * PICTURE, "as with depth 2 from the start");
    }

    #[test]
    fn two_pictures_of_one_time_are_no_reordering() {
        let times = place(0, &[0, 3_600, 3_600, 7_200, 10_800]);
        assert_eq!(times.iter().map(|times| times.dts.0).collect::<Vec<_>>(), [0, 3_600, 3_601, 7_200, 10_800]);
    }

    #[test]
    fn a_deeper_order_from_new_parameter_sets_holds_from_there_on() {
        let mut reorder = Reorder::default();
        let mut all: Vec<Times> = (0..5).map(|n| reorder.place(MediaTicks(n * PICTURE)).unwrap()).collect();
        reorder.expect_depth(2);
        let shown = [5, 9, 7, 6, 8, 13, 11, 10, 12];
        all.extend(shown.map(|n| reorder.place(MediaTicks(n * PICTURE)).unwrap()));
        assert!(all.windows(2).all(|pair| pair[0].dts < pair[1].dts), "{all:?}");
        assert!(all[5..].iter().zip(shown).all(|(times, n)| times.pts.0 == n * PICTURE), "{all:?}");
    }

    #[test]
    fn a_step_back_of_two_seconds_is_no_reordering() {
        let mut reorder = Reorder::default();
        reorder.place(MediaTicks(500_000)).unwrap();
        assert!(reorder.place(MediaTicks(320_001)).is_ok());
        assert_eq!(reorder.place(MediaTicks(320_000)), Err(SteppedBack { by: MediaTicks(180_000) }));
    }

    /// Pictures in an order of decoding in which at most `depth` come before one that is shown after them, and that depth.
    fn order() -> impl Strategy<Value = (usize, Vec<i64>)> {
        let steps = prop::collection::vec(1i64..20_000, 1..80);
        (0usize..5, steps, any::<u64>()).prop_map(|(depth, steps, seed)| {
            let mut time = -50_000;
            let mut shown: Vec<i64> = steps
                .iter()
                .map(|step| {
                    time += step;
                    time
                })
                .collect();
            let (mut order, mut seed) = (Vec::new(), seed);
            // How many pictures already taken are shown after the first that waits: never above the depth.
            while !shown.is_empty() {
                let ahead = order.iter().filter(|taken| **taken > shown[0]).count();
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let near = shown.iter().take_while(|next| **next - shown[0] < REORDER_TICKS_MAX / 2).count();
                let choice = if ahead < depth { (seed >> 33) as usize % near.min(4) } else { 0 };
                order.push(shown.remove(choice));
            }
            (depth, order)
        })
    }

    proptest! {
        #[test]
        fn every_picture_keeps_its_presentation_time_and_is_decoded_in_order_and_in_time((depth, order) in order()) {
            let times = place(depth, &order);
            prop_assert!(times.windows(2).all(|pair| pair[0].dts < pair[1].dts), "{order:?} {times:?}");
            let given: Vec<i64> = order.clone();
            // The first is decoded early enough for pictures that lead it, if they do not lead by more than that.
            if order.iter().all(|pts| *pts >= order[0]) {
                prop_assert_eq!(times.iter().map(|times| times.pts.0).collect::<Vec<_>>(), given);
                let mut sorted = order.clone();
                sorted.sort_unstable();
                for (n, times) in times.iter().enumerate().skip(depth) {
                    prop_assert_eq!(times.dts.0, sorted[n - depth], "the time of the picture shown `depth` before");
                }
            }
        }

        #[test]
        fn no_times_make_it_panic_or_decode_a_picture_after_it_is_shown(
            depth in 0usize..40, shown in prop::collection::vec(prop_oneof![-300_000i64..300_000, any::<i64>()], 0..60)
        ) {
            let mut reorder = Reorder::default();
            reorder.expect_depth(depth);
            let mut last = None;
            for pts in shown {
                let Ok(times) = reorder.place(MediaTicks(pts)) else { continue };
                prop_assert!(times.dts <= times.pts);
                prop_assert!(last.is_none_or(|last| last < times.dts || last == MediaTicks(i64::MAX)));
                prop_assert!(reorder.waiting.len() <= REORDER_PICTURES_MAX);
                last = Some(times.dts);
            }
        }
    }
}
