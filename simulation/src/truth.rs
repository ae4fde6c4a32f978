//! What really happened: every chunk that a recorder was given, and what must have become of it.

use domain::{CameraId, StreamId, UtcMicros};
use media::Chunk;
use std::collections::{BTreeMap, BTreeSet};

/// What must have become of a chunk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// No sync has answered for it yet.
    Waiting,
    /// A sync said that it is durable: from now on it is there until its deadline.
    Held,
    /// It may be lost, for this reason; where it opens it must be right.
    Excused(&'static str),
}

/// A chunk as it was given.
#[derive(Clone, Debug)]
pub struct Given {
    pub chunk: Chunk,
    /// By the true time, which nobody in the town knows.
    pub at: UtcMicros,
    pub fate: Fate,
}

/// Everything that was given, and the orders that shorten its life.
#[derive(Default)]
pub struct Truth {
    /// By stream and claimed beginning; more than one where a time was met twice (R9).
    given: BTreeMap<(StreamId, UtcMicros), Vec<Given>>,
    waiting: Vec<(StreamId, UtcMicros)>,
    /// Delays in force, in days; an order only shrinks one (K7).
    pub delays: BTreeMap<CameraId, i64>,
    /// What began before this was ordered to be erased.
    pub erased: BTreeMap<CameraId, UtcMicros>,
    /// Of these cameras an order was given and its answer was no: it may be carried out all the same.
    pub doubtful: BTreeSet<CameraId>,
    /// Since when each stream is expected.
    pub expected: BTreeMap<StreamId, UtcMicros>,
}

impl Truth {
    pub fn new(delays: BTreeMap<CameraId, i64>) -> Truth {
        Truth { delays, ..Truth::default() }
    }

    /// The same rules and nothing given, for a recorder on a copy.
    pub fn beside(&self) -> Truth {
        let (delays, erased, expected) = (self.delays.clone(), self.erased.clone(), self.expected.clone());
        Truth { delays, erased, doubtful: self.doubtful.clone(), expected, ..Truth::default() }
    }

    pub fn give(&mut self, chunk: &Chunk, at: UtcMicros) {
        let place = (chunk.stream, chunk.first_utc);
        self.given.entry(place).or_default().push(Given { chunk: chunk.clone(), at, fate: Fate::Waiting });
        self.waiting.push(place);
    }

    /// Settles what waits.
    pub fn settle(&mut self, fate: impl Fn(&Given) -> Fate) {
        for place in std::mem::take(&mut self.waiting) {
            for given in self.given.get_mut(&place).into_iter().flatten().filter(|given| given.fate == Fate::Waiting) {
                given.fate = fate(given);
                if given.fate == Fate::Waiting {
                    self.waiting.push(place);
                }
            }
        }
        self.waiting.dedup();
    }

    pub fn at(&self, stream: StreamId, first_utc: UtcMicros) -> &[Given] {
        self.given.get(&(stream, first_utc)).map_or(&[], Vec::as_slice)
    }

    pub fn of(&self, stream: StreamId) -> impl Iterator<Item = &Given> {
        let range = (stream, UtcMicros(i64::MIN))..=(stream, UtcMicros(i64::MAX));
        self.given.range(range).flat_map(|(_, given)| given)
    }

    pub fn count(&self) -> usize {
        self.given.values().map(Vec::len).sum()
    }

    /// When a camera's hour must be gone, by a calendar of our own (K7); the past where an order erased it.
    pub fn deadline(&self, camera: CameraId, hour: domain::Hour) -> UtcMicros {
        if self.erased.get(&camera).is_some_and(|before| hour.start() < *before) {
            return UtcMicros(0);
        }
        let days = self.delays.get(&camera).copied().unwrap_or(0);
        UtcMicros::from_seconds(crate::calendar::deadline(hour.start_seconds(), days))
    }

    /// When a camera's hour closes (K8).
    pub fn closes(&self, camera: CameraId, hour: domain::Hour) -> UtcMicros {
        self.deadline(camera, hour).plus_seconds(-600)
    }
}
