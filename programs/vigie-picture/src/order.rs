//! Which picture comes out, and which never does: each one that goes in is shown at its time, or black at its time. Pure.
//!
//! A picture that a decoder lost without a word is one that later ones may have been made of: they are black too, up to the next with
//! which decoding begins anew. What was guessed is not shown.

use domain::limit::VIEWING_HELD_MAX;
use picture::Counts;
use std::collections::BTreeSet;

/// Before the first that can be shown: longer than a camera is left without a key picture (90 s of 60 pictures).
pub const BLIND_MAX: usize = 90 * 60;

/// What is drawn next, times rising.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Slot {
    /// The picture that came.
    Shown(i64),
    /// None can be had of this time.
    Black(i64),
}

/// Of one stream.
#[derive(Default)]
pub struct Order {
    /// In, and not out yet.
    waiting: BTreeSet<i64>,
    /// Of those, the ones with which decoding may begin.
    keys: BTreeSet<i64>,
    is_broken: bool,
    /// The last time that was drawn.
    last: Option<i64>,
    counts: Counts,
}

/// So many pictures, and not one to be shown.
#[derive(PartialEq, Eq, Debug)]
pub struct Blind;

impl Order {
    /// A picture goes in. What was held back for longer than any decoder does is given up.
    pub fn sent(&mut self, pts: i64, is_key: bool) -> Result<Vec<Slot>, Blind> {
        // a time that was drawn already, or comes twice, has no place of its own
        if self.last.is_some_and(|last| pts <= last) || !self.waiting.insert(pts) {
            self.counts.lacking += 1;
        } else if is_key {
            self.keys.insert(pts);
        }
        match self.last {
            None if self.waiting.len() > BLIND_MAX => Err(Blind),
            None => Ok(vec![]),
            Some(_) => {
                let over = self.waiting.len().saturating_sub(VIEWING_HELD_MAX);
                self.is_broken |= over > 0;
                Ok((0..over).filter_map(|_| self.give_up_first()).collect())
            }
        }
    }

    /// A picture comes out; those that should have come before it never do. Empty: nobody asked for it, or its time is over.
    pub fn came(&mut self, pts: i64) -> Vec<Slot> {
        if !self.waiting.remove(&pts) {
            return vec![];
        }
        let mut slots = vec![];
        while self.waiting.first().is_some_and(|first| *first < pts) {
            slots.extend(self.give_up_first());
        }
        self.is_broken = !self.keys.remove(&pts) && (self.is_broken || !slots.is_empty());
        self.last = Some(pts);
        slots.push(if self.is_broken {
            self.counts.lacking += 1;
            Slot::Black(pts)
        } else {
            self.counts.shown += 1;
            Slot::Shown(pts)
        });
        slots
    }

    /// Nothing comes any more.
    pub fn end(&mut self) -> Result<(Vec<Slot>, Counts), Blind> {
        if self.counts.shown == 0 {
            return Err(Blind);
        }
        let rest = std::iter::from_fn(|| self.give_up_first()).collect();
        Ok((rest, self.counts))
    }

    fn give_up_first(&mut self) -> Option<Slot> {
        let pts = self.waiting.pop_first()?;
        self.keys.remove(&pts);
        self.last = Some(pts);
        self.counts.lacking += 1;
        Some(Slot::Black(pts))
    }
}

#[cfg(test)]
mod tests {
    use super::{Slot::*, *};

    /// Every tenth time is of a key picture.
    fn order(sent: &[i64]) -> Order {
        let mut order = Order::default();
        sent.iter().for_each(|pts| assert_eq!(order.sent(*pts, pts % 10 == 0), Ok(vec![])));
        order
    }

    #[test]
    fn pictures_come_in_the_order_of_showing_and_gaps_are_black_at_their_time() {
        let mut order = order(&[0, 3, 1, 2, 4, 10, 8, 9]);
        assert_eq!((order.came(0), order.came(1)), (vec![Shown(0)], vec![Shown(1)]));
        assert_eq!(order.came(3), [Black(2), Black(3)], "it may have been made of the one that is lost");
        assert_eq!(order.came(2), [], "its time is over");
        assert_eq!(order.came(7), [], "nobody asked for it");
        assert_eq!(order.came(4), [Black(4)]);
        // those that lead a key picture and are lost cost it nothing
        assert_eq!(order.came(10), [Black(8), Black(9), Shown(10)]);
        assert_eq!(order.end(), Ok((vec![], Counts { shown: 3, lacking: 5 })));
    }

    #[test]
    fn a_time_that_comes_twice_or_late_is_counted_and_drawn_once() {
        let mut order = order(&[5, 5]);
        assert_eq!(order.came(5), [Shown(5)]);
        assert_eq!(order.sent(4, false), Ok(vec![]));
        assert_eq!(order.end(), Ok((vec![], Counts { shown: 1, lacking: 2 })));
    }

    #[test]
    fn nothing_is_drawn_before_the_first_that_can_be_shown_and_what_is_blind_too_long_is_refused() {
        let many: Vec<i64> = (0..BLIND_MAX as i64).collect();
        let mut order = order(&many);
        assert_eq!(order.sent(BLIND_MAX as i64, false), Err(Blind));
        let mut order = self::order(&[7]);
        assert_eq!(order.end(), Err(Blind));
        let mut order = self::order(&many[..200]);
        let drawn = order.came(150);
        assert_eq!((drawn.len(), drawn[150]), (151, Shown(150)));
    }

    #[test]
    fn what_a_decoder_swallows_is_given_up_in_bounded_room() {
        let mut order = order(&[0]);
        order.came(0);
        let drawn: Vec<Slot> = (1..=1_000).flat_map(|pts| order.sent(pts, false).unwrap()).collect();
        assert_eq!(drawn.len(), 1_000 - VIEWING_HELD_MAX);
        assert!(drawn.iter().zip(1..).all(|(slot, pts)| *slot == Black(pts)));
        assert_eq!(order.came(937), [Black(937)], "what it was made of was given up");
        assert_eq!(order.end().unwrap().1, Counts { shown: 1, lacking: 1_000 });
    }
}
