//! Admitting footage: chunks in, durable sealed reels out.
//!
//! 1 mint: data key and key record from the keeper, the record in the reel before its stream's first chunk (K6)
//! 2 gather: chunks wait in their reel until the sync
//! 3 sync, once a second: chunks by stream, extents, signed sync record, padding; one write, one fdatasync (R4)
//! 4 at the reel's end: index, footer, catalog row, fact for the ledger
//! 5 publish: it stays in its slots (a remote store comes later, R11)
//!
//! Nothing here waits for the keeper: keys are given beforehand, facts are taken away by somebody else, so recording goes
//! on while the keeper is away (P6).

mod reel;

pub use reel::OpenView;

use crate::{
    keeper::{Fact, Minted, RunGrant},
    recover::Closer,
    store::{Batch, Family, LocalStore, Location, StoreError, Trouble},
};
use catalog::{CatalogError, Footage, NewReel, ReelEnd};
use domain::{
    Hour, Random, ReelId, RunId, Secret32, StreamId, UtcMicros,
    limit::{HOUR_LATE_SECONDS_MAX, HOUR_TURN_SECONDS_MAX, MINT_HOURS_AHEAD, REEL_SECONDS},
};
use media::Chunk;
use reel::OpenReel;
use seal::{GapLine, GroupStart, root::Root, sign::SigningKey};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};
use tracing::warn;

/// How often reels that could not be closed are tried again.
const LEFT_OPEN_SECONDS: i64 = 5;
/// A reel ends while its root has room for so many more of its seconds, where another root has more.
const ROOM_BATCHES: u64 = 4;

/// Footage could not be made durable.
#[derive(Debug, thiserror::Error)]
#[error("footage could not be made durable: {source}")]
pub struct AdmitError {
    /// The first thing that went wrong.
    pub source: StoreError,
    /// Streams of which something was lost; of all others everything is durable.
    pub lost: BTreeSet<StreamId>,
}

impl AdmitError {
    /// Why, in words for people; and whether it is space that is missing.
    pub fn trouble(&self) -> Trouble {
        Trouble::from(&self.source)
    }
}

/// What became of a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admitted {
    /// It is durable after the next sync.
    Waiting,
    /// There is no key for its hour: the keeper was away for too long. A gap, cause `keeper away` (P6).
    NoKey,
}

/// A reel that is not written any more and has no end yet. What is durable of it is shown all the same (R10).
struct LeftOpen {
    row: NewReel,
    durable: Location,
    views: BTreeMap<StreamId, OpenView>,
}

/// One run's open reels.
pub struct Admitter {
    grant: RunGrant,
    run_key: SigningKey,
    store: Arc<LocalStore>,
    footage: Arc<Footage>,
    random: Arc<dyn Random>,
    keys: HashMap<(StreamId, Hour), Minted>,
    reels: BTreeMap<(Hour, UtcMicros), OpenReel>,
    /// Where each stream's present group of pictures began (R6).
    groups: HashMap<StreamId, GroupStart>,
    /// Roots of the reels of each hour of this run, for the leaf per recorder-hour (L3).
    hours: BTreeMap<Hour, Vec<Root>>,
    /// Reels that were abandoned and could not be closed: mostly because the store had no room for their end.
    left_open: Vec<LeftOpen>,
    /// Not before this are they tried again: each try reads them whole.
    left_open_again: UtcMicros,
    facts: Vec<Fact>,
    batch: Batch,
    /// Buffers of the chunks of the last sync, empty and wiped.
    emptied: Vec<Vec<u8>>,
    catalog_failures: u64,
}

impl Admitter {
    /// `run_key_seed` is the seed of the key that `grant` certifies.
    pub fn new(
        grant: RunGrant,
        run_key_seed: &Secret32,
        store: Arc<LocalStore>,
        footage: Arc<Footage>,
        random: Arc<dyn Random>,
    ) -> Admitter {
        Admitter {
            grant,
            run_key: SigningKey::from_seed(run_key_seed),
            store,
            footage,
            random,
            keys: HashMap::new(),
            reels: BTreeMap::new(),
            groups: HashMap::new(),
            hours: BTreeMap::new(),
            left_open: Vec::new(),
            left_open_again: UtcMicros(0),
            facts: Vec::new(),
            batch: Batch::default(),
            emptied: Vec::new(),
            catalog_failures: 0,
        }
    }

    pub fn run(&self) -> RunId {
        self.grant.certificate.run
    }

    /// Which keys are missing at `now`: the present hour and the next two (K9), hour by hour.
    pub fn wanted_keys(&self, now: Hour, streams: &BTreeSet<StreamId>) -> Vec<(Hour, Vec<StreamId>)> {
        (0..=MINT_HOURS_AHEAD)
            .map(|ahead| now.plus(ahead))
            .map(|hour| {
                (hour, streams.iter().copied().filter(|stream| !self.keys.contains_key(&(*stream, hour))).collect())
            })
            .filter(|(_, missing): &(Hour, Vec<StreamId>)| !missing.is_empty())
            .collect()
    }

    pub fn give_keys(&mut self, minted: Vec<Minted>) {
        for key in minted {
            self.keys.entry((key.stream, key.hour)).or_insert(key);
        }
    }

    /// Takes one chunk.
    pub fn admit(&mut self, chunk: Chunk, now: UtcMicros) -> Admitted {
        let stream = chunk.stream;
        let Some(key) = self.keys.get(&(stream, chunk.hour)).cloned() else { return Admitted::NoKey };
        let goes_on = self.groups.get(&stream).copied().filter(|_| !chunk.starts_group());
        let reel = self.reel((chunk.hour, key.deadline), now);
        let number = reel.next_chunk(&key);
        let group = goes_on.unwrap_or(GroupStart { reel: reel.id(), chunk: number });
        reel.push(number, chunk, group);
        self.groups.insert(stream, group);
        Admitted::Waiting
    }

    /// Takes a line about a gap into the reel of `hour`, which is the present one (R12); one is begun for it where none is
    /// open, so that a cause is under a root as soon as it is known.
    pub fn admit_gap(&mut self, line: GapLine, hour: Hour, now: UtcMicros) -> Admitted {
        let Some(key) = self.keys.get(&(line.stream, hour)).cloned() else { return Admitted::NoKey };
        self.reel((hour, key.deadline), now).push_gap(&key, line);
        Admitted::Waiting
    }

    /// Makes everything admitted so far durable, then ends the reels whose time has come. Call it once a second.
    ///
    /// A reel whose write or sync failed is suspect: it is abandoned, closed at its last sound sync record, and what it had
    /// not made durable is lost; the first error is returned after the others went their way. Nothing is written twice (K4).
    pub fn sync(&mut self, now: UtcMicros) -> Result<(), AdmitError> {
        let due: Vec<_> = self.reels.iter().filter(|(_, reel)| ends(reel, now)).map(|(place, _)| *place).collect();
        let mut suspect = BTreeSet::new();
        let mut first_error = None;
        self.emptied.clear(); // nobody wanted those of the sync before
        for (place, reel) in &mut self.reels {
            let ending = due.contains(place);
            if let Err(error) = reel.write(&self.store, &mut self.batch, &self.run_key, ending) {
                suspect.insert(*place);
                first_error.get_or_insert(error);
            } else if self.store.is_short(reel.location(), ROOM_BATCHES * self.batch.len() as u64) {
                reel.end_at_next_sync(); // the next one begins where there is room, and nothing is lost
            }
            self.emptied.append(&mut reel.take_emptied());
        }
        self.batch.settle();
        for (root, error) in self.store.sync_each() {
            let there = |reel: &OpenReel| reel.is_unsynced() && reel.location().root() == Some(root);
            suspect.extend(self.reels.iter().filter(|(_, reel)| there(reel)).map(|(place, _)| *place));
            first_error.get_or_insert(error);
        }
        let lost = suspect.iter().filter_map(|place| self.reels.get(place)).flat_map(OpenReel::ids).collect();
        suspect.into_iter().for_each(|place| self.abandon(place, now));
        let rows: Vec<_> = self.reels.values_mut().map(|reel| reel.durable(&self.footage)).collect();
        rows.into_iter().filter_map(Result::err).for_each(|error| self.catalog_failed(&error));
        for place in due {
            if let Some(reel) = self.reels.remove(&place) {
                self.end(reel, now);
            }
        }
        self.close_left_open(now);
        self.turn_hours(now);
        first_error.map_or(Ok(()), |source| Err(AdmitError { source, lost }))
    }

    /// Ends every open reel: graceful stop.
    pub fn close(&mut self, now: UtcMicros) -> Result<(), AdmitError> {
        self.reels.values_mut().for_each(OpenReel::end_at_next_sync);
        self.left_open_again = UtcMicros(0); // what was left open gets its end now, if the disk takes it
        let synced = self.sync(now);
        let hours: Vec<Hour> = self.hours.keys().copied().collect();
        hours.into_iter().for_each(|hour| self.close_hour(hour));
        synced
    }

    /// The buffers of the chunks that the last sync sealed, for chunks to come: empty, and wiped of what they held (K11).
    pub fn take_emptied(&mut self) -> Vec<Vec<u8>> {
        std::mem::take(&mut self.emptied)
    }

    /// Facts for the ledger since the last call.
    pub fn take_facts(&mut self) -> Vec<Fact> {
        std::mem::take(&mut self.facts)
    }

    /// Facts that the keeper did not hear come first again: the ledger keeps their order.
    pub fn take_back(&mut self, facts: Vec<Fact>) {
        self.facts.splice(0..0, facts);
    }

    /// Whether any wait.
    pub fn has_facts(&self) -> bool {
        !self.facts.is_empty()
    }

    /// Tells the ledger something else.
    pub fn tell(&mut self, fact: Fact) {
        self.facts.push(fact);
    }

    /// The durable part of the reels without an end that hold a stream (R10).
    pub fn open_views(&self, stream: StreamId) -> Vec<OpenView> {
        let left_open = self.left_open.iter().filter_map(|left| left.views.get(&stream).cloned());
        left_open.chain(self.reels.values().filter_map(|reel| reel.view(stream))).collect()
    }

    /// The reels that are being written.
    pub fn open_reels(&self) -> BTreeSet<ReelId> {
        self.reels.values().map(OpenReel::id).collect()
    }

    /// Where the reels without an end lie: their durable part.
    pub fn places(&self) -> BTreeMap<ReelId, Location> {
        let left = self.left_open.iter().map(|left| (left.row.reel, left.durable.clone()));
        left.chain(self.reels.values().map(|reel| (reel.id(), reel.durable_location().clone()))).collect()
    }

    /// Rows that the footage catalog did not take, since the start: a health state.
    pub fn catalog_failures(&self) -> u64 {
        self.catalog_failures
    }

    /// Chunks that wait for a sync, in bytes: memory to be bounded by the caller.
    pub fn waiting_bytes(&self) -> usize {
        self.reels.values().map(OpenReel::waiting_bytes).sum()
    }

    /// The open reel of an hour and deadline; begun where there is none.
    fn reel(&mut self, place: (Hour, UtcMicros), now: UtcMicros) -> &mut OpenReel {
        if !self.reels.contains_key(&place) {
            let reel = self.begin(place, now);
            self.reels.insert(place, reel);
        }
        self.reels.get_mut(&place).expect("it was just put there")
    }

    fn begin(&mut self, (hour, deadline): (Hour, UtcMicros), now: UtcMicros) -> OpenReel {
        let certificate = self.grant.certificate;
        let family = Family { run: certificate.run, hour, deadline };
        let start = self.store.next_place(family);
        let mut reel =
            OpenReel::new(ReelId::draw(&*self.random), hour, deadline, certificate, start, now, &*self.random);
        if let Err(error) = reel.enter(&self.footage) {
            self.catalog_failed(&error);
        }
        reel
    }

    fn end(&mut self, reel: OpenReel, now: UtcMicros) {
        let closed = reel.closed();
        let end =
            ReelEnd { location: reel.location().to_bytes(), root: closed.root, bytes: closed.bytes, closed_at: now };
        if let Err(error) = self.footage.reel_closed(reel.id(), &end) {
            self.catalog_failed(&error);
        }
        self.store.release(reel.location().slots());
        self.hours.entry(closed.hour).or_default().push(closed.root);
        self.facts.push(Fact::Reel(closed));
    }

    /// Closes a reel at its last acknowledged sync, not at what may be read behind it: that may not be durable. The next
    /// reel of its family begins a slot of its own, so that nothing stands where a later recovery writes.
    fn abandon(&mut self, place: (Hour, UtcMicros), now: UtcMicros) {
        let Some(mut reel) = self.reels.remove(&place) else { return };
        if let Err(error) = reel.enter(&self.footage) {
            self.catalog_failed(&error);
        }
        let certificate = self.grant.certificate;
        let family = Family { run: certificate.run, hour: place.0, deadline: place.1 };
        // What is lost belonged to these groups, wherever they began: what follows cannot be decoded from them.
        self.groups.retain(|stream, _| !reel.holds(*stream));
        self.store.finish(|finished| *finished == family);
        let (row, durable) = (reel.row(), reel.durable_location().clone());
        if self.close_abandoned(&row, &durable, now) {
            self.store.release(durable.slots());
        } else {
            self.left_open.push(LeftOpen { row, durable: durable.clone(), views: reel.views() });
            self.left_open_again = now.plus_seconds(LEFT_OPEN_SECONDS);
        }
        self.store.free_beyond(reel.location(), &durable);
    }

    /// Whether nothing more is to be done for a reel that is not written any more.
    fn close_abandoned(&mut self, row: &NewReel, durable: &Location, now: UtcMicros) -> bool {
        if durable.bytes() == 0 {
            // nothing of it was ever acknowledged: there is no end to write, and no disk to wait for
            return match self.footage.forget(&[row.reel]) {
                Ok(_) => true,
                Err(error) => {
                    warn!(%error, "a reel of which nothing was written stays in the catalog for now");
                    false
                }
            };
        }
        let closer =
            Closer { store: &self.store, footage: &self.footage, grant: &self.grant, run_key: &self.run_key, now };
        match closer.close(row, durable) {
            Ok(Some(fact)) => {
                if let Fact::Recovered { reel, .. } | Fact::Reel(reel) = &fact {
                    self.hours.entry(reel.hour).or_default().push(reel.root);
                }
                self.facts.push(fact);
                true
            }
            Ok(None) => true,
            Err(error) => {
                warn!(reel = %row.reel, %error, "an abandoned reel stays open until there is room for its end");
                false
            }
        }
    }

    /// Closes what was left open as soon as there is room; what is past its deadline is dead and gives its room.
    fn close_left_open(&mut self, now: UtcMicros) {
        if self.left_open.is_empty() || now < self.left_open_again {
            return;
        }
        for left in std::mem::take(&mut self.left_open) {
            let LeftOpen { row, durable, .. } = &left;
            let root = durable.root().map(|number| self.store.root(number));
            let is_missing = root.is_some_and(|root| root.and_then(|root| root.must_be_there()).is_err());
            let done = if is_missing || self.store.is_held(durable) {
                false // its disk is missing, or an old image of it is there: nobody can say that nothing more is to be done
            } else if row.deadline <= now {
                self.store.release(durable.slots());
                self.forget_dead(row, durable)
            } else if self.reels.contains_key(&(row.hour, row.deadline)) || !self.store.has_room() {
                false // its end is written where its family goes on: not while a reel of the family is open
            } else {
                self.left_open_again = now.plus_seconds(LEFT_OPEN_SECONDS);
                self.close_abandoned(row, durable, now)
            };
            if done {
                self.store.release(durable.slots());
            } else {
                self.left_open.push(left);
            }
        }
    }

    fn forget_dead(&self, row: &NewReel, durable: &Location) -> bool {
        let freed = self.footage.forget(&[row.reel]).and_then(|_| self.footage.live_reels());
        let rows = match freed {
            Ok(rows) => rows,
            Err(error) => {
                warn!(%error, "a dead reel stays in the catalog for now");
                return false;
            }
        };
        let mut in_use = BTreeSet::new();
        for row in &rows {
            let Some(location) = Location::from_bytes(&row.location) else { return false };
            in_use.extend(location.slots());
        }
        self.store.free(durable.slots().filter(|slot| !in_use.contains(slot)));
        true
    }

    /// The footage catalog is disposable (P7): recording goes on, and the next start rebuilds what is missing.
    fn catalog_failed(&mut self, error: &CatalogError) {
        self.catalog_failures += 1;
        warn!(%error, "the footage catalog did not take a row");
    }

    /// An hour ends for this run when no picture of it can come any more (R8): its keys are wiped (P6).
    fn turn_hours(&mut self, now: UtcMicros) {
        let over = |hour: Hour| hour.end().plus_seconds(HOUR_TURN_SECONDS_MAX + HOUR_LATE_SECONDS_MAX) < now;
        let run = self.run();
        self.store.finish(|family| family.run == run && over(family.hour));
        self.store.free_kept(self.grant.surely(now));
        self.keys.retain(|(_, hour), _| !over(*hour));
        let done: Vec<Hour> = self
            .hours
            .keys()
            .copied()
            .filter(|hour| over(*hour) && self.reels.keys().all(|(open, _)| open != hour))
            .collect();
        done.into_iter().for_each(|hour| self.close_hour(hour));
    }

    /// Not while a reel of the hour has no end: its leaf comes later, from this run or from a recovery, and what is said of
    /// all reels of the hour would be wrong then.
    fn close_hour(&mut self, hour: Hour) {
        if self.left_open.iter().any(|left| left.row.hour == hour) {
            return;
        }
        let Some(roots) = self.hours.remove(&hour) else { return };
        let fact =
            Fact::RecorderHour { run: self.run(), hour, reels: roots.len() as u32, root: seal::root::tree(&roots) };
        self.facts.push(fact);
    }
}

/// About a minute, or the hour's end and the ten seconds in which it turns.
fn ends(reel: &OpenReel, now: UtcMicros) -> bool {
    reel.must_end()
        || now.since(reel.opened_at()) >= REEL_SECONDS as i64 * 1_000_000
        || reel.hour().end().plus_seconds(HOUR_TURN_SECONDS_MAX + 2) < now
}
