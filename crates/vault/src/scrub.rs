//! Scrubbing: closed reels read again, one after the other, and held against what was signed, row and ledger (decision 0052).
//!
//! No key is needed (R5) and nothing is written. The chain of digests tells which second of a reel is not what was signed: the
//! batch between two sync records. Which chunk of it only its key can tell, so replay refuses that one alone (decision 0020);
//! behind the first break the chain says nothing any more, up to the reel's end.
//!
//! 1 a reel is looked at ([`Scrubber::look`]) · 2 what is wrong is looked at again, some time later: reels die and slots are used
//! again meanwhile · 3 what catalog, store, keyring and ledger say of each other is compared without reading a reel
//! ([`Scrubber::compare`]), and that twice, too.

use crate::{
    audit::{AuditError, Books, Disagreement, HourBook, compare, lives},
    store::{LocalStore, Location, Piece, StoreError},
};
use catalog::{Footage, ReelRow, ReelState};
use domain::{
    Hour, ReelId, UtcMicros,
    limit::{
        BLOCK_BYTES, CLOSED_BEFORE_DEADLINE_SECONDS, RECORD_HEADER_BYTES, SCRUB_BYTES_PER_SECOND_MAX,
        SCRUB_BYTES_PER_SECOND_MIN, SCRUB_ROUND_SECONDS,
    },
};
use seal::{reel::Walk, sign::PublicKey};
use std::collections::{BTreeMap, BTreeSet};

type Result<T> = std::result::Result<T, AuditError>;

/// A reel's row is compared with the ledger once it was closed for so long: its fact is told within seconds, unless the keeper
/// is away, and then nobody is asked.
const SETTLED_SECONDS: i64 = 300;

/// Who looks, and at what.
pub struct Scrubber<'a> {
    pub store: &'a LocalStore,
    pub footage: &'a Footage,
    pub site_key: PublicKey,
    /// What is near or past its deadline at this time is not judged: it is dying.
    pub now: UtcMicros,
}

/// What a look at a reel came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Looked {
    /// All of it is what was signed, and so many bytes.
    Sound {
        bytes: u64,
    },
    /// It is dying or dead, or the reading was broken off.
    Passed,
    Wrong(Wrong),
}

/// A reel that is not what it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    pub disagreement: Disagreement,
    /// Where its bytes differ, where it is those.
    pub damage: Option<Damage>,
}

/// Bytes of a reel of which some are not those that were signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damage {
    pub reel: ReelId,
    pub hour: Hour,
    /// Where on the disk they begin.
    pub slot: u32,
    /// From the last signed point before them to the end of the record at which the chain breaks.
    pub from: u64,
    pub to: u64,
}

/// How fast a store of so many bytes is read again.
pub const fn bytes_per_second(stored: u64) -> u64 {
    let rate = stored / SCRUB_ROUND_SECONDS;
    if rate < SCRUB_BYTES_PER_SECOND_MIN {
        SCRUB_BYTES_PER_SECOND_MIN
    } else if rate > SCRUB_BYTES_PER_SECOND_MAX {
        SCRUB_BYTES_PER_SECOND_MAX
    } else {
        rate
    }
}

impl Scrubber<'_> {
    /// The reels of a round, oldest first: closed, and not about to die.
    pub fn reels(&self) -> Result<Vec<ReelRow>> {
        let mut rows = self.footage.live_reels()?;
        rows.retain(|row| self.is_due(row));
        Ok(rows)
    }

    /// Reads one reel whole. `pace` is called before each record with its bytes; at a no the reading is broken off.
    /// Errors: the catalog does not answer.
    pub fn look(&self, row: &ReelRow, book: Option<&HourBook>, pace: &mut dyn FnMut(u64) -> bool) -> Result<Looked> {
        let of_now = self.footage.reel(row.reel)?;
        let Some(row) = of_now.filter(|row| self.is_due(row)) else { return Ok(Looked::Passed) };
        let Some(location) = Location::from_bytes(&row.location) else {
            let what = "place".to_owned();
            return Ok(wrong(Disagreement::RowDiffers { reel: row.reel, hour: row.hour, what }));
        };
        if self.store.is_away(&location) {
            return Ok(Looked::Passed); // the alarm names the disk
        }
        if let Some(disagreement) = self.slots(&row, &location) {
            return Ok(wrong(disagreement));
        }
        let looked = self.read(&row, &location, pace);
        let Looked::Sound { .. } = &looked else { return Ok(looked) };
        let entered = book.and_then(|book| book.reels.iter().find(|fact| fact.reel == row.reel));
        Ok(match entered {
            Some(fact) if Some(fact.root) != row.root => {
                wrong(Disagreement::OtherRoot { reel: row.reel, hour: row.hour })
            }
            _ => looked,
        })
    }

    /// Catalog, store, keyring and ledger against each other, by what they say of reels and keys. `self.now` is the time at which
    /// the books were asked for.
    pub fn compare(&self, books: &Books) -> Result<Vec<Disagreement>> {
        let mut faults = Vec::new();
        books.values().filter(|book| self.judges(book)).for_each(|book| compare(book, &mut faults));
        let rows: BTreeMap<ReelId, ReelRow> =
            self.footage.live_reels()?.into_iter().map(|row| (row.reel, row)).collect();
        let free = self.store.free_slots();
        for row in rows.values().filter(|row| self.is_due(row)) {
            self.row(row, books.get(&row.hour), &free, &mut faults)?;
        }
        for book in books.values().filter(|book| lives(book) && book.ended.is_empty() && self.judges(book)) {
            for fact in book.reels.iter().filter(|fact| self.closes_later(fact.deadline)) {
                if !rows.contains_key(&fact.reel) && self.footage.reel(fact.reel)?.is_none() {
                    faults.push(Disagreement::NoRow { reel: fact.reel, hour: fact.hour });
                }
            }
        }
        Ok(faults)
    }

    fn is_due(&self, row: &ReelRow) -> bool {
        matches!(row.state, ReelState::Closed | ReelState::Recovered) && self.closes_later(row.deadline)
    }

    fn closes_later(&self, deadline: UtcMicros) -> bool {
        self.now.plus_seconds(CLOSED_BEFORE_DEADLINE_SECONDS) < deadline
    }

    /// An hour with a key that is dying changes under our eyes.
    fn judges(&self, book: &HourBook) -> bool {
        book.keys.values().chain(book.minted.values()).all(|deadline| self.closes_later(*deadline))
    }

    /// Whether the slots of a reel say that they are its family's: a rebuilt catalog finds reels by that (R2).
    fn slots(&self, row: &ReelRow, location: &Location) -> Option<Disagreement> {
        let (reel, hour) = (Some(row.reel), row.hour);
        for slot in location.slots() {
            let header = match self.store.slot_header(slot) {
                Ok(Some(header)) => header,
                Ok(None) => {
                    let why = "the slot's first block, by which a rebuilt catalog finds it, does not read".to_owned();
                    return Some(Disagreement::Damaged { reel, slot, why });
                }
                Err(error) => return Some(Disagreement::Damaged { reel, slot, why: error.to_string() }),
            };
            let family = (header.family.run, header.family.hour, header.family.deadline);
            if family != (row.run, row.hour, row.deadline) {
                return Some(Disagreement::NoBytes { reel: row.reel, hour });
            }
        }
        None
    }

    /// Reads record by record; the walk compares with each signed sync record and with the footer.
    fn read(&self, row: &ReelRow, location: &Location, pace: &mut dyn FnMut(u64) -> bool) -> Looked {
        let mut reader = self.store.reader(location);
        let mut walk = Walk::new(row.reel, self.site_key);
        while !walk.closed() {
            let at = walk.offset();
            let header = match reader.header(row.reel, at) {
                Ok(Some(header)) if at + header.record_bytes() <= location.bytes() => header,
                Ok(_) => return broken(row, location, &walk, RECORD_HEADER_BYTES as u64, None),
                Err(error) => return broken(row, location, &walk, RECORD_HEADER_BYTES as u64, Some(error)),
            };
            if !pace(header.record_bytes()) {
                return Looked::Passed;
            }
            let bytes = header.record_bytes();
            let record = match reader.read(at, bytes) {
                Ok(record) => record,
                Err(error) => return broken(row, location, &walk, bytes, Some(error)),
            };
            let parts = record.split_first_chunk::<RECORD_HEADER_BYTES>();
            if parts.is_none_or(|(header, payload)| walk.push(header, payload).is_err()) {
                return broken(row, location, &walk, bytes, None);
            }
        }
        let root = walk.footer.map(|footer| footer.root).or(walk.recovery.map(|footer| footer.root));
        if root != row.root {
            let what = "root".to_owned();
            return wrong(Disagreement::RowDiffers { reel: row.reel, hour: row.hour, what });
        }
        Looked::Sound { bytes: location.bytes() }
    }

    fn row(
        &self,
        row: &ReelRow,
        book: Option<&HourBook>,
        free: &BTreeSet<u32>,
        faults: &mut Vec<Disagreement>,
    ) -> Result<()> {
        let (reel, hour) = (row.reel, row.hour);
        let settled = row.closed_at.is_some_and(|at| at.plus_seconds(SETTLED_SECONDS) <= self.now);
        if !settled {
            return Ok(());
        }
        if Location::from_bytes(&row.location).is_some_and(|location| location.slots().any(|slot| free.contains(&slot)))
        {
            faults.push(Disagreement::NoBytes { reel, hour });
        }
        let Some(book) = book else {
            faults.push(Disagreement::NoMint { reel, hour });
            return Ok(());
        };
        if !self.judges(book) || book.page_damaged {
            return Ok(());
        }
        if !book.deadlines.contains(&row.deadline) {
            faults.push(Disagreement::OtherDeadline { reel, hour, deadline: row.deadline });
        }
        match book.reels.iter().find(|fact| fact.reel == reel) {
            None => faults.push(Disagreement::NotInLedger { reel, hour }),
            Some(fact) if Some(fact.root) != row.root => faults.push(Disagreement::OtherRoot { reel, hour }),
            Some(fact) if (fact.run, fact.deadline) != (row.run, row.deadline) => {
                faults.push(Disagreement::LedgerDiffers { reel, hour });
            }
            Some(_) => {}
        }
        for stream in self.footage.streams_of(reel)? {
            let camera = stream.stream.camera;
            if !book.keys.contains_key(&camera) && !book.ended.contains(&camera) {
                faults.push(Disagreement::NoKey { reel: Some(reel), hour, camera });
            }
        }
        Ok(())
    }
}

fn wrong(disagreement: Disagreement) -> Looked {
    Looked::Wrong(Wrong { disagreement, damage: None })
}

/// The chain breaks at the record where the walk stands.
fn broken(row: &ReelRow, location: &Location, walk: &Walk, bytes: u64, error: Option<StoreError>) -> Looked {
    let from = walk.sound().map_or(0, |sound| sound.cut);
    let to = (walk.offset() + bytes).next_multiple_of(BLOCK_BYTES as u64).min(location.bytes());
    let within = |piece: &&Piece| piece.reel_offset <= from && from < piece.reel_offset + piece.bytes;
    let slot = location.pieces.iter().find(within).map_or(0, |piece| piece.slot);
    let damage = Damage { reel: row.reel, hour: row.hour, slot, from, to };
    let why = match error {
        Some(error) => error.to_string(),
        None => format!("bytes {from} to {to} of it are not those that were signed"),
    };
    let disagreement = Disagreement::Damaged { reel: Some(row.reel), slot, why };
    Looked::Wrong(Wrong { disagreement, damage: Some(damage) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_read_in_ten_days_and_no_faster_than_a_fifth_of_a_disk() {
        const CAMERA: u64 = 500_000 * 30 * 86_400;
        assert_eq!(bytes_per_second(0), SCRUB_BYTES_PER_SECOND_MIN);
        assert_eq!(bytes_per_second(10 * CAMERA), 10 * 500_000 * 3, "ten cameras' month in ten days");
        assert_eq!(bytes_per_second(60 * CAMERA), SCRUB_BYTES_PER_SECOND_MAX);
    }
}
