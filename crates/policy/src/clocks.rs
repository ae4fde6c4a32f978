//! The clocks that trusted time is judged from: when two agree, what many cameras say together, what is said of each.

use crate::time::Judgement;
use domain::{UtcMicros, limit};

/// What the cameras' clocks say together (K9): their median, and how many lie within 300 s of it.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Cameras {
    median: UtcMicros,
    /// Cameras within 300 s of the median.
    pub agreeing: usize,
    /// Cameras heard.
    pub heard: usize,
}

/// What is said of one clock against the time that stands, or against the bound while none stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Word {
    /// It is not heard, or the cameras do not agree with one another.
    Silent,
    Agrees,
    /// It is ahead by so much.
    Ahead {
        micros: i64,
    },
    /// It is behind the time that stands by so much.
    Behind {
        micros: i64,
    },
    /// It lies before the ledger's last entry: it is wrong.
    BeforeLedger {
        micros: i64,
    },
}

/// Whether two clocks agree: within 300 s (K9).
pub fn agree(one: UtcMicros, other: UtcMicros) -> bool {
    one.since(other).unsigned_abs() <= limit::CLOCK_AGREEMENT_SECONDS_MAX.unsigned_abs() * 1_000_000
}

impl Cameras {
    /// Of what each camera's clock says now, one voice a camera. Of an even number the earlier of the two middle ones.
    pub fn heard(mut clocks: Vec<UtcMicros>) -> Cameras {
        clocks.sort_unstable();
        let Some(median) = clocks.get(clocks.len().saturating_sub(1) / 2).copied() else { return Cameras::default() };
        let agreeing = clocks.iter().filter(|clock| agree(**clock, median)).count();
        Cameras { median, agreeing, heard: clocks.len() }
    }

    /// The median, if more than half of the cameras agree with it: of two that contradict each other none is a clock.
    pub fn clock(&self) -> Option<UtcMicros> {
        (2 * self.agreeing > self.heard).then_some(self.median)
    }
}

impl Judgement {
    /// What is said of a clock.
    pub fn word(&self, clock: Option<UtcMicros>) -> Word {
        let Some(clock) = clock else { return Word::Silent };
        let reference = self.trusted.unwrap_or(self.at_least);
        let micros = clock.since(reference);
        if agree(clock, reference) {
            Word::Agrees
        } else if micros > 0 {
            Word::Ahead { micros }
        } else if clock < self.at_least {
            Word::BeforeLedger { micros: micros.saturating_neg() }
        } else {
            Word::Behind { micros: micros.saturating_neg() }
        }
    }
}
