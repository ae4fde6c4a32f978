//! What really happened: every chunk that a recorder was given, and what must have become of it.

use crate::disks::LOSS_ACCEPTED;
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
    /// Roots of the store on which it may lie; kept where there are several.
    pub roots: BTreeSet<u8>,
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
    /// Roots of the store whose own disk is not there, and those of them that have an old image of it in their place.
    pub away: BTreeSet<u8>,
    pub old: BTreeSet<u8>,
    /// Lines about gaps went with a disk, which a catalog made anew would need.
    pub lines_lost: bool,
    /// Shorter delays that two persons asked for and that hold from some moment on.
    pub coming: Vec<Coming>,
}

/// A shorter delay to come (R14).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Coming {
    /// By the true time.
    pub from: UtcMicros,
    pub camera: CameraId,
    pub days: i64,
}

impl Coming {
    /// Times that are trusted differ so much from the true one, at the approval and at the moment itself (K9).
    pub const EARLY_SECONDS: i64 = 2 * 301;
    /// The same, and until the keeper's turn in the minute after it.
    pub const LATE_SECONDS: i64 = Coming::EARLY_SECONDS + 70;

    /// Whether it may have become an order.
    pub fn may_hold(&self, now: UtcMicros) -> bool {
        self.from.plus_seconds(-Coming::EARLY_SECONDS) <= now
    }
}

impl Truth {
    pub fn new(delays: BTreeMap<CameraId, i64>) -> Truth {
        Truth { delays, ..Truth::default() }
    }

    /// The same rules and nothing given, for a recorder on a copy.
    pub fn beside(&self) -> Truth {
        let (delays, erased, expected) = (self.delays.clone(), self.erased.clone(), self.expected.clone());
        let (doubtful, away, old) = (self.doubtful.clone(), self.away.clone(), self.old.clone());
        let (lines_lost, coming) = (self.lines_lost, self.coming.clone());
        Truth { delays, erased, doubtful, expected, away, old, lines_lost, coming, ..Truth::default() }
    }

    pub fn give(&mut self, chunk: &Chunk, at: UtcMicros) {
        let place = (chunk.stream, chunk.first_utc);
        self.given.entry(place).or_default().push(Given {
            chunk: chunk.clone(),
            at,
            fate: Fate::Waiting,
            roots: BTreeSet::new(),
        });
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

    /// What no sync has answered for.
    pub fn waiting(&self) -> Vec<(StreamId, UtcMicros)> {
        self.waiting.clone()
    }

    /// On which roots what waits lies.
    pub fn lie(&mut self, roots: &BTreeMap<(StreamId, UtcMicros), BTreeSet<u8>>) {
        for (place, roots) in roots {
            let given = self.given.get_mut(place).into_iter().flatten().filter(|given| given.fate == Fate::Waiting);
            given.for_each(|given| given.roots.clone_from(roots));
        }
    }

    /// What was given since then and may lie on this root may be lost from now on; also what was lost by somebody's word, and lay
    /// on an old image of the disk that is gone now.
    pub fn excuse(&mut self, root: u8, since: UtcMicros, why: &'static str) {
        let may_be_there = [Fate::Held, Fate::Excused(LOSS_ACCEPTED)];
        let there =
            |given: &&mut Given| may_be_there.contains(&given.fate) && given.roots.contains(&root) && since <= given.at;
        self.given.values_mut().flatten().filter(there).for_each(|given| given.fate = Fate::Excused(why));
    }

    /// Whether a chunk may lie on a disk that is not there.
    pub fn is_away(&self, given: &Given) -> bool {
        !given.roots.is_disjoint(&self.away)
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

    /// What was to come holds now, if the keeper has had its turn since it could know: it was in trouble until `calm_since`.
    pub fn pass(&mut self, now: UtcMicros, calm_since: UtcMicros) {
        let had_its_turn = calm_since.plus_seconds(70) < now;
        let holds = |coming: &Coming| had_its_turn && coming.from.plus_seconds(Coming::LATE_SECONDS) < now;
        for Coming { camera, days, .. } in self.coming.iter().filter(|coming| holds(coming)) {
            self.delays.entry(*camera).and_modify(|delay| *delay = (*delay).min(*days));
        }
        self.coming.retain(|coming| !holds(coming));
    }

    /// When a camera's hour may be closed at the soonest: a shorter delay may hold already, and need not.
    pub fn soonest_closes(&self, camera: CameraId, hour: domain::Hour, now: UtcMicros) -> UtcMicros {
        let of_camera = self.coming.iter().filter(|coming| coming.camera == camera && coming.may_hold(now));
        let shorter = of_camera.map(|coming| crate::calendar::deadline(hour.start_seconds(), coming.days));
        let shorter = shorter.map(|due| UtcMicros::from_seconds(due).plus_seconds(-600));
        shorter.chain([self.closes(camera, hour)]).min().unwrap_or(UtcMicros(0))
    }

    /// When a camera's hour closes (K8).
    pub fn closes(&self, camera: CameraId, hour: domain::Hour) -> UtcMicros {
        self.deadline(camera, hour).plus_seconds(-600)
    }
}
