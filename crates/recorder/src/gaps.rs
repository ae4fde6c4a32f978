//! The gap book: which streams miss pictures now, since when and why; every change is a line for the reels (R12). Pure.
//!
//! A stream has at most one open gap, and a gap has one cause: another cause ends it and begins the next one, so that the
//! gaps of a stream stand end to end and every missing second has exactly one.

use crate::health::GapCause;
use domain::{Hour, StreamId, UtcMicros};
use seal::{GapLine, GapState};
use std::collections::{BTreeMap, VecDeque};

/// Lines that wait for a key or a disk. A camera that flaps every ten seconds makes as many in a day; beyond, lines that
/// were repeated by later ones go first.
pub const LINES_MAX: usize = 20_000;

/// What is known of missing pictures.
#[derive(Debug, Default)]
pub struct GapBook {
    open: BTreeMap<StreamId, Open>,
    lines: VecDeque<GapLine>,
}

#[derive(Debug, Clone)]
struct Open {
    from: UtcMicros,
    /// When it was said; `from` is later where another gap of the stream began at that instant.
    said: UtcMicros,
    cause: GapCause,
    /// The hour whose reels say so.
    said_in: Option<Hour>,
}

/// A gap as the catalog knows it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Missing {
    pub stream: StreamId,
    pub from: UtcMicros,
    pub to: Option<UtcMicros>,
    pub cause: GapCause,
}

impl GapBook {
    /// Nothing is held of `stream` since `at`, because of `cause`. What changed, for the catalog.
    pub fn begins(&mut self, stream: StreamId, at: UtcMicros, cause: GapCause) -> Vec<Missing> {
        let mut changed = Vec::new();
        let mut from = at;
        if let Some(open) = self.open.get(&stream) {
            if open.cause == cause {
                return changed;
            }
            if at < open.said {
                // what was lost before the open gap began has its own cause; the open one goes on
                let (to, missing) = (open.said, at);
                return vec![self.add(stream, missing, to, cause)];
            }
            // the catalog knows a gap by its beginning: no two of a stream begin at one instant
            from = at.max(open.from.plus_micros(1));
            changed.extend(self.close(stream, from));
        }
        let begun = Missing { stream, from, to: None, cause: cause.clone() };
        self.open.insert(stream, Open { from, said: at, cause, said_in: None });
        changed.push(begun);
        changed
    }

    /// A picture of `stream` is held again. One that is not later than the gap's beginning ends nothing.
    pub fn ends(&mut self, stream: StreamId, at: UtcMicros) -> Option<Missing> {
        if self.open.get(&stream).is_none_or(|open| at <= open.from) {
            return None;
        }
        self.close(stream, at)
    }

    /// Pictures are missing between two that are held.
    pub fn was(&mut self, stream: StreamId, from: UtcMicros, to: UtcMicros, cause: GapCause) -> Option<Missing> {
        if to <= from || self.open.contains_key(&stream) {
            return None;
        }
        Some(self.add(stream, from, to, cause))
    }

    /// A gap of the past that was not known; it ends at `to`, not after the open one begins.
    pub fn add(&mut self, stream: StreamId, from: UtcMicros, to: UtcMicros, cause: GapCause) -> Missing {
        let missing = Missing { stream, from, to: Some(to), cause };
        self.push(line(&missing, GapState::Closed));
        missing
    }

    /// A gap that is over and that the catalog knows: its line once more, for a reel may not have it.
    pub fn say_again(&mut self, gap: &catalog::Gap) {
        if let (Some(to), Some(cause)) = (gap.to, GapCause::from_text(&gap.cause)) {
            self.push(line(&Missing { stream: gap.stream, from: gap.from, to: Some(to), cause }, GapState::Closed));
        }
    }

    /// A gap that an earlier run left open goes on: said again in the present hour.
    pub fn goes_on(&mut self, stream: StreamId, from: UtcMicros, cause: GapCause) {
        self.open.entry(stream).or_insert(Open { from, said: from, cause, said_in: None });
    }

    /// Nothing is expected of `stream` any more: a gap that began just now never was.
    pub fn forget(&mut self, stream: StreamId, at: UtcMicros) -> Option<Missing> {
        let from = self.open.get(&stream)?.from;
        self.close(stream, at.max(from))
    }

    /// Since when the stream misses pictures, if it does now.
    pub fn open_since(&self, stream: StreamId) -> Option<UtcMicros> {
        self.open.get(&stream).map(|open| open.from)
    }

    /// Lines to be sealed in reels of `hour`: what changed, and each open gap that no reel of this hour tells of yet.
    pub fn take_lines(&mut self, hour: Hour) -> Vec<GapLine> {
        for (stream, open) in &mut self.open {
            if open.said_in == Some(hour) {
                continue;
            }
            let state = if open.said_in.is_none() { GapState::Opened } else { GapState::Lasts };
            let missing = Missing { stream: *stream, from: open.from, to: None, cause: open.cause.clone() };
            self.lines.push_back(line(&missing, state));
            open.said_in = Some(hour);
        }
        self.lines.drain(..).collect()
    }

    /// Lines that could not be sealed, or whose sync failed, in their order: they come again.
    pub fn put_back(&mut self, lines: Vec<GapLine>) {
        for line in lines.into_iter().rev() {
            // an open gap is said again by `take_lines`, as it stands then
            match self.open.get_mut(&line.stream).filter(|open| open.from == line.from) {
                Some(open) if line.to.is_none() => open.said_in = None,
                _ => self.lines.push_front(line),
            }
        }
        self.bound();
    }

    fn close(&mut self, stream: StreamId, to: UtcMicros) -> Option<Missing> {
        let Open { from, cause, .. } = self.open.remove(&stream)?;
        let missing = Missing { stream, from, to: Some(to), cause };
        self.push(line(&missing, GapState::Closed));
        Some(missing)
    }

    fn push(&mut self, line: GapLine) {
        self.lines.push_back(line);
        self.bound();
    }

    /// Keeps what waits within [`LINES_MAX`]: the oldest gap of the stream with the most lines takes in the one after it.
    fn bound(&mut self) {
        while self.lines.len() > LINES_MAX {
            let mut counts = BTreeMap::<StreamId, usize>::new();
            self.lines.iter().for_each(|line| *counts.entry(line.stream).or_default() += 1);
            let Some(most) = counts.into_iter().max_by_key(|(_, count)| *count).map(|(stream, _)| stream) else {
                return;
            };
            self.merge_oldest(most);
        }
    }

    fn merge_oldest(&mut self, stream: StreamId) {
        let mut of_stream = self.lines.iter().enumerate().filter(|(_, line)| line.stream == stream).map(|(at, _)| at);
        let (Some(first), Some(second)) = (of_stream.next(), of_stream.next()) else { return };
        if let Some(second) = self.lines.remove(second)
            && let Some(first) = self.lines.get_mut(first)
            && second.to.is_some()
        {
            (first.to, first.state) = (second.to, GapState::Closed);
        }
    }
}

fn line(missing: &Missing, state: GapState) -> GapLine {
    let Missing { stream, from, to, ref cause } = *missing;
    GapLine { stream, state, from, to, cause: cause.code().to_owned(), detail: cause.detail().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{CameraId, HourLength};
    use proptest::prelude::*;

    const GATE: StreamId = StreamId::main(CameraId([1; 16]));

    fn at(seconds: i64) -> UtcMicros {
        UtcMicros::from_seconds(1_700_000_000 + seconds)
    }

    fn hour(seconds: i64) -> Hour {
        HourLength::PRODUCT.hour_of(at(seconds))
    }

    fn brief(lines: &[GapLine]) -> Vec<(GapState, &str, i64, Option<i64>)> {
        let seconds = |utc: UtcMicros| utc.since(at(0)) / 1_000_000;
        lines.iter().map(|line| (line.state, &*line.cause, seconds(line.from), line.to.map(seconds))).collect()
    }

    #[test]
    fn another_cause_ends_a_gap_and_begins_the_next_where_it_ended() {
        let mut book = GapBook::default();
        book.begins(GATE, at(0), GapCause::Silent);
        book.begins(GATE, at(3), GapCause::Silent);
        book.begins(GATE, at(5), GapCause::Unreachable);
        book.ends(GATE, at(5));
        book.ends(GATE, at(9));
        let expected = [(GapState::Closed, "silent", 0, Some(5)), (GapState::Closed, "unreachable", 5, Some(9))];
        assert_eq!(brief(&book.take_lines(hour(0))), expected);
    }

    #[test]
    fn what_was_lost_before_a_gap_began_has_its_own_cause_and_the_gap_goes_on() {
        let mut book = GapBook::default();
        book.begins(GATE, at(5), GapCause::Silent);
        book.begins(GATE, at(3), GapCause::DiskFailed);
        assert_eq!(book.open_since(GATE), Some(at(5)));
        let expected = [(GapState::Closed, "disk-failed", 3, Some(5)), (GapState::Opened, "silent", 5, None)];
        assert_eq!(brief(&book.take_lines(hour(0))), expected);
    }

    #[test]
    fn a_gap_that_lasts_is_said_once_in_each_hour_and_again_where_a_line_was_lost() {
        let mut book = GapBook::default();
        book.begins(GATE, at(0), GapCause::Closed);
        let first = book.take_lines(hour(0));
        assert_eq!(brief(&first), [(GapState::Opened, "closed", 0, None)]);
        assert_eq!(book.take_lines(hour(0)), []);
        assert_eq!(brief(&book.take_lines(hour(3_600))), [(GapState::Lasts, "closed", 0, None)]);
        book.put_back(first);
        assert_eq!(brief(&book.take_lines(hour(3_600))), [(GapState::Opened, "closed", 0, None)]);
    }

    #[test]
    fn a_line_that_was_lost_is_replaced_by_what_is_known_by_then() {
        let mut book = GapBook::default();
        book.begins(GATE, at(0), GapCause::Closed);
        let lost = book.take_lines(hour(0));
        book.ends(GATE, at(4));
        book.put_back(lost);
        let expected = [(GapState::Opened, "closed", 0, None), (GapState::Closed, "closed", 0, Some(4))];
        assert_eq!(brief(&book.take_lines(hour(0))), expected);
    }

    #[test]
    fn lines_that_wait_for_weeks_stay_within_their_bound_and_cover_the_same_time() {
        let mut book = GapBook::default();
        for n in 0..LINES_MAX as i64 + 50 {
            book.begins(GATE, at(10 * n), GapCause::Silent);
            book.ends(GATE, at(10 * n + 9));
        }
        let lines = book.take_lines(hour(0));
        assert_eq!(lines.len(), LINES_MAX);
        assert_eq!((lines[0].from, lines[0].to), (at(0), Some(at(509))));
    }

    #[test]
    fn three_causes_at_one_instant_stand_end_to_end() {
        let mut book = GapBook::default();
        for cause in [GapCause::Closed, GapCause::Silent, GapCause::Closed] {
            book.begins(GATE, at(0), cause);
        }
        book.forget(GATE, at(10));
        let spans: Vec<_> = book.take_lines(hour(0)).into_iter().map(|line| (line.from, line.to)).collect();
        assert!(spans.windows(2).all(|two| two[0].1 == Some(two[1].0)), "{spans:?}");
        assert_eq!(spans.len(), 3);
    }

    proptest! {
        #[test]
        fn gaps_of_a_stream_stand_end_to_end_and_never_overlap(
            events in prop::collection::vec((0i64..50, 0u8..4), 1..60)
        ) {
            let mut book = GapBook::default();
            let (mut now, mut held_since) = (0, 0);
            for (step, what) in events {
                now += step;
                match what {
                    0 => drop(book.begins(GATE, at(now), GapCause::Silent)),
                    1 => drop(book.begins(GATE, at(now), GapCause::Closed)),
                    2 => drop(book.was(GATE, at(held_since.max(now - 1)), at(now), GapCause::Silent)),
                    _ => drop(book.ends(GATE, at(now))),
                }
                held_since = if what >= 2 { now } else { held_since };
            }
            book.forget(GATE, at(now));
            let lines = book.take_lines(hour(0));
            let ended: Vec<_> = lines.iter().filter_map(|line| Some((line.from, line.to?))).collect();
            prop_assert_eq!(ended.len(), lines.len(), "nothing is open at the end");
            prop_assert!(ended.iter().all(|(from, to)| from <= to));
            let real: Vec<_> = ended.iter().filter(|(from, to)| from < to).collect();
            prop_assert!(real.windows(2).all(|two| two[0].1 <= two[1].0), "{real:?}");
        }
    }
}
