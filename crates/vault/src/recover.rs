//! Recovery at start: every reel that a dead recorder left open is cut at its last valid sync record and closed (R5).
//!
//! 1 find the reel's bytes: its catalog row, then the slot headers that name it
//! 2 walk its records, without any key
//! 3 closed after all: take its footer · sound up to a point: write a recovery footer there, sync · nothing sound: forget it
//! 4 catalog row
//! 5 fact for the ledger
//!
//! A crash between any two steps leaves a reel that the next recovery treats the same way.

use crate::{
    keeper::{Fact, ReelFact, RunGrant},
    store::{Batch, Family, LocalStore, Location, SlotHeader, StoreError},
};
use catalog::{CatalogError, Footage, NewReel, ReelEnd, ReelRow, ReelState};
use domain::{
    ReelId, RunId, UtcMicros,
    limit::{BLOCK_BYTES, RECORD_HEADER_BYTES},
};
use seal::{
    RecordHeader,
    reel::{RecoveryFooter, Sound, SyncPoint, Walk, pad},
    sign::SigningKey,
};
use std::collections::BTreeSet;

/// Why recovery could not finish. Nothing was lost by trying.
#[derive(Debug, thiserror::Error)]
pub enum RecoverError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Footage(#[from] CatalogError),
    #[error("the catalog's row of reel {reel} does not say where it lies: rebuild the catalog")]
    NoLocation { reel: ReelId },
}

type Result<T> = std::result::Result<T, RecoverError>;

/// What a recovery found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    pub facts: Vec<Fact>,
    /// Slots with reels that the catalog does not know: kept, not overwritten, until the catalog is rebuilt.
    pub unknown_slots: BTreeSet<u32>,
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
pub fn recover(closer: &Closer<'_>) -> Result<Recovered> {
    let headers = closer.store.scan()?;
    let mut recovered = Recovered::default();
    for row in closer.footage.live_reels()?.iter().filter(|row| row.state == ReelState::Open) {
        recovered.facts.extend(closer.close_with(&begun(row), &headers)?);
    }
    let mut alive = BTreeSet::new();
    let mut known = BTreeSet::new();
    for row in closer.footage.live_reels()? {
        known.insert(row.reel);
        alive.extend(location_of(row.reel, &row.location)?.slots());
    }
    let unknown = headers.iter().filter(|header| !known.contains(&header.reel) && closer.now < header.family.deadline);
    recovered.unknown_slots = unknown.map(|header| header.slot).filter(|slot| !alive.contains(slot)).collect();
    // A slot whose first reel was recovered to nothing is no loss: its catalog row is gone, and so are its bytes.
    recovered
        .unknown_slots
        .retain(|slot| headers.iter().any(|header| header.slot == *slot && closer.holds_sound(header)));
    closer.store.in_use(alive.into_iter().chain(recovered.unknown_slots.iter().copied()));
    Ok(recovered)
}

impl Closer<'_> {
    /// Closes one reel of the catalog that has no end yet.
    pub fn close(&self, row: &NewReel) -> Result<Option<Fact>> {
        self.close_with(row, &self.store.scan()?)
    }

    fn close_with(&self, row: &NewReel, headers: &[SlotHeader]) -> Result<Option<Fact>> {
        let location = self.store.extended(&location_of(row.reel, &row.location)?, row.reel, headers); // 1
        let walk = self.walk(row.reel, &location)?; // 2
        if let (Some(footer), Some(header)) = (walk.footer, walk.header()) {
            let mut location = truncated(&location, walk.offset());
            location.index = Some((footer.index_offset, (footer.point.offset - footer.index_offset) as u32));
            let fact = fact(row, header.certificate.run, footer.root, walk.offset());
            self.footage.reel_closed(row.reel, &self.end(&location, &fact))?; // 4
            return Ok(Some(Fact::Reel(fact))); // 5
        }
        let Some(sound) = walk.sound() else {
            self.footage.forget(&[row.reel])?; // 3, 4: nothing of it ever became durable
            return Ok(None);
        };
        self.close_at(row, &location, &sound).map(Some)
    }

    /// Writes the recovery footer on the first block after the last valid sync record.
    fn close_at(&self, row: &NewReel, location: &Location, sound: &Sound) -> Result<Fact> {
        let point = SyncPoint { offset: sound.cut, records: sound.records, running: sound.running };
        let footer = RecoveryFooter { point, root: sound.root, certificate: self.grant.certificate };
        let record = footer.to_record(row.reel, self.run_key);
        let bytes = sound.cut + record.len() as u64;
        let mut batch = Batch::with_capacity(BLOCK_BYTES);
        batch.bytes().extend_from_slice(&record);
        batch.bytes().extend_from_slice(&pad(row.reel, bytes));
        let mut location = truncated(location, sound.cut);
        self.store.write_end(family(row), row.reel, &mut location, batch.as_slice())?; // 3
        let fact = fact(row, row.run, sound.root, location.bytes());
        self.footage.reel_recovered(row.reel, &self.end(&location, &fact))?; // 4
        Ok(Fact::Recovered { reel: fact, cut_bytes: sound.cut }) // 5
    }

    fn end(&self, location: &Location, fact: &ReelFact) -> ReelEnd {
        ReelEnd { location: location.to_bytes(), root: fact.root, bytes: fact.bytes, closed_at: self.now }
    }

    fn walk(&self, reel: ReelId, location: &Location) -> Result<Walk> {
        let mut walk = Walk::new(reel, self.grant.site_key);
        while !walk.closed() {
            let Some((header, payload)) = self.record_at(location, walk.offset())? else { break };
            if walk.push(&header, &payload).is_err() {
                break;
            }
        }
        Ok(walk)
    }

    /// The record at an offset; `None` where no record can be.
    fn record_at(&self, location: &Location, offset: u64) -> Result<Option<([u8; RECORD_HEADER_BYTES], Vec<u8>)>> {
        if offset + RECORD_HEADER_BYTES as u64 > location.bytes() {
            return Ok(None);
        }
        let bytes = self.store.read(location, offset, RECORD_HEADER_BYTES as u64)?;
        let Some(header_bytes) = bytes.first_chunk() else { return Ok(None) };
        let Ok(header) = RecordHeader::from_bytes(header_bytes) else { return Ok(None) };
        let start = offset + RECORD_HEADER_BYTES as u64;
        if start + u64::from(header.payload_bytes) > location.bytes() {
            return Ok(None);
        }
        Ok(Some((*header_bytes, self.store.read(location, start, header.payload_bytes.into())?)))
    }

    /// Whether a slot's header is followed by a reel that has a sound beginning.
    fn holds_sound(&self, header: &SlotHeader) -> bool {
        let location = self.store.extended(&Location::default(), header.reel, &[*header]);
        header.reel_offset > 0 || self.walk(header.reel, &location).is_ok_and(|walk| walk.sound().is_some())
    }
}

fn location_of(reel: ReelId, location: &[u8]) -> Result<Location> {
    Location::from_bytes(location).ok_or(RecoverError::NoLocation { reel })
}

fn family(row: &NewReel) -> Family {
    Family { run: row.run, hour: row.hour, deadline: row.deadline }
}

fn fact(row: &NewReel, run: RunId, root: [u8; 32], bytes: u64) -> ReelFact {
    ReelFact { reel: row.reel, run, hour: row.hour, deadline: row.deadline, root, bytes, streams: 0 }
}

/// The part of a location before `bytes`.
fn truncated(location: &Location, bytes: u64) -> Location {
    let mut pieces = location.pieces.clone();
    pieces.retain(|piece| piece.reel_offset < bytes || piece.reel_offset == 0);
    if let Some(last) = pieces.last_mut() {
        last.bytes = last.bytes.min(bytes - last.reel_offset);
    }
    Location { pieces, index: None }
}

/// The part of a catalog row that was known when the reel began.
fn begun(row: &ReelRow) -> NewReel {
    let ReelRow { reel, run, hour, deadline, opened_at, .. } = *row;
    NewReel { reel, run, hour, deadline, location: row.location.clone(), opened_at }
}
