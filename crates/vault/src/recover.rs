//! Recovery at start: every reel that a dead recorder left open is cut at its last valid sync record and closed (R5).
//!
//! 1 find the reel's bytes: its catalog row, then the slot headers that name it
//! 2 make them durable: a process that was killed may have written what it never synced
//! 3 walk its records, without any key
//! 4 closed after all: take its end · sound up to a point: write a recovery footer there, sync · nothing sound: forget it
//! 5 catalog row
//! 6 fact for the ledger
//!
//! A crash between any two steps leaves a reel that the next recovery treats the same way. Until all is known, no slot that
//! may hold anything alive counts as free.

use crate::{
    census,
    keeper::{Fact, ReelFact, RunGrant},
    store::{Batch, Family, LocalStore, Location, Scan, SlotHeader, StoreError, whole_index},
};
use catalog::{CatalogError, Footage, NewReel, ReelEnd, ReelRow, ReelState};
use domain::{
    ReelId, UtcMicros,
    limit::{BLOCK_BYTES, RECORD_HEADER_BYTES},
};
use seal::{
    Kind, RecordHeader, SealError,
    reel::{RecoveryFooter, Sound, SyncPoint, Walk, pad},
    root::Root,
    sign::{PublicKey, SigningKey},
};
use std::collections::BTreeSet;
use tracing::warn;

/// Why recovery could not finish. Nothing was lost by trying.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Footage(#[from] CatalogError),
    #[error("reel {reel} has records of version {version}, written by a later program: install that one again")]
    LaterVersion { reel: ReelId, version: u8 },
    #[error("the catalog's row of reel {reel} does not say where it lies: rebuild the catalog")]
    NoLocation { reel: ReelId },
}

type Result<T> = std::result::Result<T, RecoverError>;

/// Open reels whose disk is missing, and where they lie as far as that is known.
type Waiting = Vec<(ReelId, Location)>;

/// What a recovery found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Reels that were closed before, in case the keeper never heard: told again, entered once (L3).
    pub retold: Vec<Fact>,
    pub facts: Vec<Fact>,
    /// Reels that ended before and of which no stream is known: a rebuild did not come to its end.
    pub unfinished: BTreeSet<ReelId>,
    /// Reels that disk or catalog did not let us close: they stay open, their slots stay. Whoever mends the catalog tries again
    /// when there is room, and the next start does.
    pub left_open: BTreeSet<ReelId>,
    /// Slots with reels that the catalog does not know, or that the disk does not give: kept, not overwritten, the first
    /// until their deadline or until `rebuild` enters them.
    pub unknown_slots: BTreeSet<u32>,
    /// Those of them that the disk does not give.
    pub unreadable_slots: usize,
}

impl Recovered {
    /// The reels that were closed: what the catalog knew of their streams may be a second behind.
    pub fn reels(&self) -> BTreeSet<ReelId> {
        let closed = self.facts.iter().filter_map(|fact| match fact {
            Fact::Reel(reel) | Fact::Recovered { reel, .. } => Some(reel.reel),
            _ => None,
        });
        closed.collect()
    }
}

/// What closing a reel needs.
pub struct Closer<'a> {
    pub store: &'a LocalStore,
    pub footage: &'a Footage,
    pub grant: &'a RunGrant,
    pub run_key: &'a SigningKey,
    pub now: UtcMicros,
}

/// Recovers everything and tells the store which slots are alive.
///
/// Errors: the catalog or the list of slots cannot be read at all, or a closed reel's place is unknown. What goes wrong with
/// one open reel leaves that one open (`left_open`) and stops nothing else.
pub fn recover(closer: &Closer<'_>) -> Result<Recovered> {
    let rows = closer.footage.live_reels()?;
    census::take(closer.store, &rows, closer.surely(), 0);
    let ended = slots_of(rows.iter().filter(|row| row.state != ReelState::Open))?;
    let scan = closer.store.scan(&ended)?;
    let (open, waiting) = closer.open_reels(&rows, &scan)?;
    let mut places = Vec::new();
    for row in &open {
        places.push(closer.store.extended(&location_of(row.reel, &row.location)?, row.reel, &scan.headers)); // 1
    }
    let surely = closer.surely();
    let maybe_alive = scan.headers.iter().filter(|header| surely < header.family.deadline).map(|header| header.slot);
    let places_slots: BTreeSet<u32> = places.iter().flat_map(Location::slots).collect();
    closer.store.in_use(ended.iter().chain(&scan.unreadable).chain(&places_slots).copied().chain(maybe_alive));

    let (retold, unfinished) = (untold(closer.store, closer.footage)?, closer.footage.reels_without_streams()?);
    let mut recovered = Recovered { retold, unfinished, ..Recovered::default() };
    let mut alive = BTreeSet::new();
    for (reel, place) in waiting {
        recovered.left_open.insert(reel);
        alive.extend(place.slots());
    }
    for (row, place) in open.iter().zip(&places) {
        match closer.close(row, place) {
            Ok(fact) => recovered.facts.extend(fact),
            Err(error) => {
                warn!(reel = %row.reel, %error, "a reel stays open until there is room for its end");
                recovered.left_open.insert(row.reel);
                alive.extend(place.slots());
            }
        }
    }
    closer.settle_slots(&scan, alive, &mut recovered)?;
    Ok(recovered)
}

impl Closer<'_> {
    /// What frees space goes by this, not by a time that nobody vouches for yet (K9).
    pub(crate) fn surely(&self) -> UtcMicros {
        self.grant.surely(self.now)
    }

    /// Reels that have no end, and those of them that stay so: their disk is not there, or too much of it is missing for a reel of
    /// which nothing is found to be forgotten.
    fn open_reels(&self, rows: &[ReelRow], scan: &Scan) -> Result<(Vec<NewReel>, Waiting)> {
        let (mut open, mut waiting) = (Vec::new(), Vec::new());
        for row in rows.iter().filter(|row| row.state == ReelState::Open) {
            // one that begins a slot is found by that slot's header, on whichever disk that is
            let place = self.store.extended(&location_of(row.reel, &row.location)?, row.reel, &scan.headers);
            let unread = place.root().map_or(!scan.away.is_empty(), |number| scan.away.contains(&number));
            if unread || self.store.is_held(&place) {
                if row.deadline <= self.surely() {
                    self.footage.forget(&[row.reel])?; // its keys are dead, wherever its disk is
                    continue;
                }
                warn!(reel = %row.reel, "a reel whose disk is missing stays open until it is back");
                waiting.push((row.reel, place));
            } else {
                open.push(begun(row));
            }
        }
        Ok((open, waiting))
    }

    /// Closes a reel of the catalog that has no end yet, as far as it is sound within `place`; `None`: nothing of it was.
    pub fn close(&self, row: &NewReel, place: &Location) -> Result<Option<Fact>> {
        self.store.settle(place)?; // 2
        let walk = self.walk(row.reel, place)?; // 3
        let whole = || place.truncated(walk.offset().next_multiple_of(BLOCK_BYTES as u64));
        let streams = walk.streams();
        if let Some(footer) = walk.footer {
            let index = walk.index_record().expect("a footer is valid only behind its index");
            let location = Location { index: Some(index), ..whole() };
            let fact = fact(row, footer.root, location.bytes(), streams);
            self.footage.reel_closed(row.reel, &self.end(&location, &fact))?; // 5
            return Ok(Some(Fact::Reel(fact))); // 6
        }
        let Some(sound) = walk.sound() else {
            if let Some(version) = self.later_version(place)? {
                return Err(RecoverError::LaterVersion { reel: row.reel, version });
            }
            self.footage.forget(&[row.reel])?; // 4, 5
            return Ok(None);
        };
        let location = match walk.recovery {
            Some(_) => whole(),
            None => self.write_recovery_footer(row, place, &sound)?, // 4
        };
        let fact = fact(row, sound.root, location.bytes(), sound.streams);
        self.footage.reel_recovered(row.reel, &self.end(&location, &fact))?; // 5
        Ok(Some(Fact::Recovered { reel: fact, cut_bytes: sound.cut })) // 6
    }

    /// Of reels that a recovery left open, those that have no end yet and whose disk would take one.
    pub fn still_open(&self, left: &BTreeSet<ReelId>) -> BTreeSet<ReelId> {
        let is_open = |reel: &&ReelId| match self.footage.reel(**reel) {
            Ok(row) => row.filter(|row| row.state == ReelState::Open).is_some_and(|row| {
                // one that begins a slot is found by that slot's header only: it may be on any disk
                Location::from_bytes(&row.location)
                    .is_some_and(|place| place.root().is_none() || !self.store.is_held(&place))
            }),
            Err(_) => true, // asked again
        };
        left.iter().filter(is_open).copied().collect()
    }

    /// Writes the recovery footer on the first block after the last valid sync record. Where the reel then lies.
    fn write_recovery_footer(&self, row: &NewReel, place: &Location, sound: &Sound) -> Result<Location> {
        let point = SyncPoint { offset: sound.cut, records: sound.records, running: sound.running };
        let footer = RecoveryFooter { point, root: sound.root, certificate: self.grant.certificate };
        let record = footer.to_record(row.reel, self.run_key);
        let bytes = sound.cut + record.len() as u64;
        let mut batch = Batch::with_capacity(BLOCK_BYTES);
        batch.bytes().extend_from_slice(&record);
        batch.bytes().extend_from_slice(&pad(row.reel, bytes));
        let mut location = place.truncated(sound.cut);
        let family = Family { run: row.run, hour: row.hour, deadline: row.deadline };
        self.store.write_end(family, row.reel, &mut location, batch.as_slice())?;
        Ok(location)
    }

    /// Tells the store which slots are alive, now that every reel is as it stays.
    fn settle_slots(&self, scan: &Scan, mut alive: BTreeSet<u32>, recovered: &mut Recovered) -> Result<()> {
        let rows = self.footage.live_reels()?;
        alive.extend(slots_of(&rows)?);
        let known: BTreeSet<ReelId> = rows.iter().map(|row| row.reel).collect();
        let mut kept = Vec::new();
        for header in scan.headers.iter().filter(|header| !alive.contains(&header.slot)) {
            let unknown = self.surely() < header.family.deadline && !known.contains(&header.reel);
            if unknown && self.footage.reel(header.reel)?.is_none() && self.may_be_sound(header.reel, &scan.headers) {
                kept.push((header.slot, header.family.deadline));
            }
        }
        recovered.unknown_slots = kept.iter().map(|(slot, _)| *slot).chain(scan.unreadable.iter().copied()).collect();
        recovered.unreadable_slots = scan.unreadable.len();
        self.store.in_use(alive.into_iter().chain(scan.unreadable.iter().copied()));
        self.store.keep(kept);
        Ok(())
    }

    fn end(&self, location: &Location, fact: &ReelFact) -> ReelEnd {
        ReelEnd { location: location.to_bytes(), root: fact.root, bytes: fact.bytes, closed_at: self.now }
    }

    fn walk(&self, reel: ReelId, location: &Location) -> Result<Walk> {
        Ok(walk(self.store, self.grant.site_key, reel, location, &mut |_| true)?)
    }

    /// The version of a reel's first record, if it is another one than ours: nothing of such a reel is sound to us, and all may be.
    fn later_version(&self, place: &Location) -> std::result::Result<Option<u8>, StoreError> {
        if place.bytes() < RECORD_HEADER_BYTES as u64 {
            return Ok(None);
        }
        let first = self.store.read(place, 0, RECORD_HEADER_BYTES as u64)?;
        Ok(match RecordHeader::from_bytes(&first) {
            Err(SealError::LaterVersion { found }) => Some(found),
            _ => None,
        })
    }

    /// Whether a reel that the catalog does not know may hold footage. One that begins in a slot that it shares is not found
    /// by its first byte here, and may.
    fn may_be_sound(&self, reel: ReelId, headers: &[SlotHeader]) -> bool {
        let begins_a_slot = headers.iter().any(|header| header.reel == reel && header.reel_offset == 0);
        let place = self.store.extended(&Location::default(), reel, headers);
        if !matches!(self.later_version(&place), Ok(None)) {
            return true;
        }
        let nothing = |walk: Walk| walk.sound().is_none() && !walk.closed();
        // one signed second is enough to know: a whole store must not be read before recording begins
        let mut signed = false;
        let walked = walk(self.store, self.grant.site_key, reel, &place, &mut |record| {
            !std::mem::replace(&mut signed, record.kind == Kind::Sync)
        });
        !(begins_a_slot && walked.is_ok_and(nothing))
    }
}

/// What the keeper has not heard of closed reels, by the catalog: a recorder that died between a reel's end and the keeper's
/// answer took the reel's fact with it, however long ago.
pub fn untold(store: &LocalStore, footage: &Footage) -> Result<Vec<Fact>> {
    Ok(footage.reels_untold()?.iter().filter_map(|row| fact_of(store, row)).collect())
}

/// The fact as it was told when the reel ended; `None` where its row or its bytes no longer say.
pub(crate) fn fact_of(store: &LocalStore, row: &ReelRow) -> Option<Fact> {
    let location = Location::from_bytes(&row.location)?;
    let index = whole_index(store, row.reel, &location).ok().filter(|_| !store.is_held(&location))??;
    let streams = index.iter().filter(|entry| entry.is(Kind::Key)).count() as u16;
    let reel = fact(&begun(row), row.root?, row.bytes, streams);
    Some(match row.state {
        // behind the cut stands one block: the recovery footer and its padding
        ReelState::Recovered => Fact::Recovered { reel, cut_bytes: row.bytes.saturating_sub(BLOCK_BYTES as u64) },
        _ => Fact::Reel(reel),
    })
}

/// Reads a reel's records in order, until they end, or `go_on` says no to the header of the next one. Needs no key.
pub(crate) fn walk(
    store: &LocalStore,
    site_key: PublicKey,
    reel: ReelId,
    location: &Location,
    go_on: &mut dyn FnMut(&RecordHeader) -> bool,
) -> std::result::Result<Walk, StoreError> {
    let mut reader = store.reader(location);
    let mut walk = Walk::new(reel, site_key);
    while !walk.closed() {
        let at = walk.offset();
        let Some(header) = reader.header(reel, at)? else { break };
        if at + header.record_bytes() > location.bytes() || !go_on(&header) {
            break;
        }
        let record = reader.read(at, header.record_bytes())?;
        let Some((header, payload)) = record.split_first_chunk::<RECORD_HEADER_BYTES>() else { break };
        if walk.push(header, payload).is_err() {
            break;
        }
    }
    Ok(walk)
}

fn location_of(reel: ReelId, location: &[u8]) -> Result<Location> {
    Location::from_bytes(location).ok_or(RecoverError::NoLocation { reel })
}

fn slots_of<'a>(rows: impl IntoIterator<Item = &'a ReelRow>) -> Result<BTreeSet<u32>> {
    let mut slots = BTreeSet::new();
    for row in rows {
        slots.extend(location_of(row.reel, &row.location)?.slots());
    }
    Ok(slots)
}

fn fact(row: &NewReel, root: Root, bytes: u64, streams: u16) -> ReelFact {
    ReelFact { reel: row.reel, run: row.run, hour: row.hour, deadline: row.deadline, root, bytes, streams }
}

/// The part of a catalog row that was known when the reel began.
fn begun(row: &ReelRow) -> NewReel {
    let ReelRow { reel, run, hour, deadline, opened_at, .. } = *row;
    NewReel { reel, run, hour, deadline, location: row.location.clone(), opened_at }
}
