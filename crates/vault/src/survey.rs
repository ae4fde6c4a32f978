//! What lies in the slots, told by the slots and reels themselves: every reel, where it is, how it ended. No key, no catalog.
//!
//! Reels of one family follow each other: from the first block of a slot that begins a reel, each next one stands behind the
//! end of the one before, on over the slots whose headers name it. Where a reel is damaged, the block-wise search for the
//! next signed header goes on behind the damage, so that its neighbours are found (R2).
//!
//! Payloads of chunks are not read: whether digests hold is `audit`'s to say. But for the last reels of a run: a power cut may
//! have kept the footer of a last batch and lost what stands before it, and such a batch was never acknowledged. A reel that
//! another one of its family follows was synced whole, and so was an hour that two more followed.

use crate::recover;
use crate::store::{Family, LocalStore, Location, Piece, Scan, SlotHeader, StoreError, walk_index};
use domain::{
    Hour, ReelId, RunId, UtcMicros,
    limit::{BLOCK_BYTES, RECORD_HEADER_BYTES},
};
use seal::{
    Kind, RecordHeader, SealError,
    reel::{Footer, IndexEntry, RecoveryFooter, ReelHeader, SyncPoint},
    root::Root,
    sign::PublicKey,
};
use std::collections::{BTreeMap, BTreeSet};

type Result<T> = std::result::Result<T, StoreError>;

const BLOCK: u64 = BLOCK_BYTES as u64;
/// So much is read at once where the next header is searched for.
const SEARCH_BLOCKS: u64 = 256;

/// How a reel ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Closed(Root),
    Recovered(Root),
    /// No footer: it is being written, or its recorder died.
    Open,
    /// Passed by: the caller knows it.
    Known,
}

/// One reel that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub reel: ReelId,
    pub run: RunId,
    pub hour: Hour,
    pub deadline: UtcMicros,
    /// Payload of its header record, whose signature holds.
    pub header: Vec<u8>,
    /// Of an open reel: all that may be its.
    pub location: Location,
    /// Where it begins, as the catalog is told at a reel's start.
    pub start: Location,
    pub end: End,
    /// Where its last batch begins; 0 while it is open.
    pub(crate) last_batch: u64,
}

impl Found {
    /// The first slot that it lies in.
    pub fn slot(&self) -> u32 {
        self.location.slots().next().unwrap_or_default()
    }
}

/// Something that stands where a reel should, and is none that can be entered.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LeftOut {
    pub slot: u32,
    pub reel: Option<ReelId>,
    pub why: String,
}

/// Everything that was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    pub reels: Vec<Found>,
    pub left_out: Vec<LeftOut>,
}

/// Looks through a store. Reels of which the place is known already (`known`) are passed by without reading them.
pub struct Surveyor<'a> {
    pub store: &'a LocalStore,
    pub site_key: PublicKey,
    /// Reels that end at or after this are looked for; those whose deadline passed are nobody's.
    pub now: UtcMicros,
    pub known: &'a BTreeMap<ReelId, Location>,
}

impl Surveyor<'_> {
    /// Errors: the list of slots cannot be read. What is wrong with one slot or reel is told in [`Survey::left_out`].
    pub fn survey(&self) -> Result<Survey> {
        let scan = self.store.scan(&BTreeSet::new())?;
        let (seen, followed, survey) = Default::default();
        let first = |location: &Location| location.pieces.first().map(|piece| (piece.slot, piece.slot_offset));
        let known = self.known.iter().filter_map(|(reel, location)| Some((first(location)?, *reel))).collect();
        let mut work = Work { surveyor: self, scan: &scan, known, seen, followed, survey };
        for slot in &scan.unreadable {
            let why = "the disk does not give its first block".to_owned();
            work.survey.left_out.push(LeftOut { slot: *slot, reel: None, why });
        }
        let alive = |header: &&SlotHeader| self.now < header.family.deadline;
        for header in scan.headers.iter().filter(alive).filter(|header| header.reel_offset == 0) {
            work.follow(header, BLOCK);
        }
        // slots whose reel begins in a slot that cannot be read, or was damaged before it came to them
        for header in scan.headers.iter().filter(alive) {
            if !work.seen.contains(&header.slot) {
                work.search(header, BLOCK);
            }
        }
        work.cut_torn_ends()?;
        Ok(work.survey)
    }
}

struct Work<'a> {
    surveyor: &'a Surveyor<'a>,
    scan: &'a Scan,
    /// Which known reel begins where.
    known: BTreeMap<(u32, u64), ReelId>,
    /// Slots that some chain of reels went through.
    seen: BTreeSet<u32>,
    /// Reels behind which another one of their family begins.
    followed: BTreeSet<ReelId>,
    survey: Survey,
}

impl Work<'_> {
    /// Reads the last reels of each run whole. Whose last batch does not hold is open, and recovery cuts it.
    fn cut_torn_ends(&mut self) -> Result<()> {
        let mut latest: BTreeMap<RunId, Hour> = BTreeMap::new();
        for found in &self.survey.reels {
            let hour = latest.entry(found.run).or_insert(found.hour);
            *hour = found.hour.max(*hour);
        }
        let mut survey = std::mem::take(&mut self.survey);
        let mut damaged = BTreeSet::new();
        for found in &mut survey.reels {
            let late = latest[&found.run] <= found.hour.plus(1) && !self.followed.contains(&found.reel);
            if !late || !matches!(found.end, End::Closed(_)) {
                continue;
            }
            let store = self.surveyor.store;
            let walk = match recover::walk(store, self.surveyor.site_key, found.reel, &found.location, &mut |_| true) {
                Ok(walk) => walk,
                Err(error) => {
                    survey.left_out.push(LeftOut {
                        slot: found.slot(),
                        reel: Some(found.reel),
                        why: error.to_string(),
                    });
                    damaged.insert(found.reel);
                    continue;
                }
            };
            if walk.closed() {
                continue;
            }
            if walk.offset() < found.last_batch {
                let (slot, why) = (found.slot(), format!("it is damaged at byte {}", walk.offset()));
                survey.left_out.push(LeftOut { slot, reel: Some(found.reel), why });
                damaged.insert(found.reel);
            }
            found.end = End::Open;
            found.location = store.extended(&found.start, found.reel, &self.scan.headers);
        }
        survey.reels.retain(|found| !damaged.contains(&found.reel));
        self.survey = survey;
        Ok(())
    }

    /// Reels one after the other, from one that may begin in a slot at an offset.
    fn follow(&mut self, header: &SlotHeader, offset: u64) {
        let (mut slot, mut offset, family) = (header.slot, offset, header.family);
        let mut before = None;
        loop {
            self.seen.insert(slot);
            if offset >= self.surveyor.store.slot_bytes(slot) {
                return;
            }
            match self.reel_at(slot, offset, family) {
                Ok(None) => return,
                Ok(Some(found)) => {
                    self.followed.extend(before.replace(found.reel));
                    self.seen.extend(found.location.slots());
                    let behind =
                        found.location.pieces.last().map(|piece| (piece.slot, piece.slot_offset + piece.bytes));
                    let open = found.end == End::Open;
                    self.survey.reels.push(found);
                    match behind {
                        Some(next) if !open => (slot, offset) = next,
                        _ => return,
                    }
                }
                Err(Stopped { reel, location, why }) => {
                    self.survey.left_out.push(LeftOut { slot, reel, why });
                    self.seen.extend(location.slots());
                    return self.search_behind(slot, offset, &location);
                }
            }
        }
    }

    /// Behind a damaged reel: first in the slot it began in, then in those it went on into.
    fn search_behind(&mut self, slot: u32, offset: u64, location: &Location) {
        let mut places = vec![(slot, offset + BLOCK)];
        places.extend(location.slots().filter(|other| *other != slot).map(|other| (other, BLOCK)));
        for (slot, from) in places {
            let header = self.scan.headers.iter().find(|header| header.slot == slot).copied();
            if let Some(header) = header {
                self.search(&header, from);
            }
        }
    }

    /// The next block at or after `from` on which a reel of the slot's family begins; from there the chain goes on.
    fn search(&mut self, header: &SlotHeader, from: u64) {
        self.seen.insert(header.slot);
        let slot_bytes = self.surveyor.store.slot_bytes(header.slot);
        let piece = Piece { slot: header.slot, slot_offset: 0, reel_offset: 0, bytes: slot_bytes };
        let location = Location { pieces: vec![piece], index: None };
        let mut at = from;
        while at < slot_bytes {
            let bytes = (slot_bytes - at).min(SEARCH_BLOCKS * BLOCK);
            let read = match self.surveyor.store.read(&location, at, bytes) {
                Ok(read) => read,
                Err(error) => {
                    // the rest of the slot may hold sound reels: it is named, so that no row of them is taken away
                    self.survey.left_out.push(LeftOut { slot: header.slot, reel: None, why: error.to_string() });
                    at += bytes;
                    continue;
                }
            };
            let begins = |block: &[u8]| {
                let record = RecordHeader::from_bytes(block).ok().filter(|record| record.kind == Kind::Header)?;
                let payload = block.get(RECORD_HEADER_BYTES..record.record_bytes() as usize)?;
                let reel = ReelHeader::from_payload(record.reel, payload, &self.surveyor.site_key).ok()?;
                (family_of(&reel) == header.family).then_some(record.reel)
            };
            let known = |reel: &ReelId| self.survey.reels.iter().any(|found| found.reel == *reel);
            let next = read.chunks(BLOCK_BYTES).position(|block| begins(block).is_some_and(|reel| !known(&reel)));
            if let Some(block) = next {
                return self.follow(header, at + block as u64 * BLOCK);
            }
            at += bytes;
        }
    }

    /// The reel that begins here; `None` where none of this family does: unwritten, or what an earlier use left.
    fn reel_at(&self, slot: u32, offset: u64, family: Family) -> std::result::Result<Option<Found>, Stopped> {
        let store = self.surveyor.store;
        if let Some(reel) = self.known.get(&(slot, offset)) {
            return Ok(Some(self.passed_by(*reel, family)));
        }
        let start =
            Location { pieces: vec![Piece { slot, slot_offset: offset, reel_offset: 0, bytes: 0 }], index: None };
        let mut stopped = Stopped { reel: None, location: start.clone(), why: String::new() };
        let room = store.slot_bytes(slot).saturating_sub(offset);
        let mut here = start.clone();
        here.pieces[0].bytes = room;
        let first = store.read(&here, 0, RECORD_HEADER_BYTES as u64).map_err(|error| stopped.because(error))?;
        let read = RecordHeader::from_bytes(&first);
        if let Err(error @ SealError::LaterVersion { .. }) = &read {
            return Err(stopped.because(error));
        }
        let Ok(record) = read else {
            // where a slot's header promises a reel, its absence is damage; behind another reel it is the end
            let promised = self.scan.headers.iter().find(|header| header.slot == slot).filter(|_| offset == BLOCK);
            return match promised.filter(|header| header.reel_offset == 0) {
                Some(header) if first.iter().any(|byte| *byte != 0) => {
                    stopped.reel = Some(header.reel);
                    Err(stopped.because("its first record is damaged"))
                }
                _ => Ok(None),
            };
        };
        if record.kind != Kind::Header {
            return Ok(None);
        }
        let reel = record.reel;
        stopped.reel = Some(reel);
        let location = store.extended(&start, reel, &self.scan.headers);
        stopped.location = location.clone();
        let payload = store
            .read(&location, RECORD_HEADER_BYTES as u64, record.payload_bytes.into())
            .map_err(|error| stopped.because(error))?;
        let header = match ReelHeader::from_payload(reel, &payload, &self.surveyor.site_key) {
            Ok(header) if family_of(&header) == family => header,
            Ok(_) => return Ok(None),
            Err(error) => return Err(stopped.because(format!("its header does not hold: {error}"))),
        };
        let mut found = Found {
            reel,
            run: header.certificate.run,
            hour: header.hour,
            deadline: header.deadline,
            header: payload,
            location,
            start,
            end: End::Open,
            last_batch: 0,
        };
        self.find_end(&mut found, &header).map_err(|why| stopped.because(why))?;
        Ok(Some(found))
    }

    fn passed_by(&self, reel: ReelId, family: Family) -> Found {
        let Family { run, hour, deadline } = family;
        let location = self.surveyor.known.get(&reel).cloned().unwrap_or_default();
        let (header, start, end, last_batch) = (Vec::new(), Location::default(), End::Known, 0);
        Found { reel, run, hour, deadline, header, location, start, end, last_batch }
    }

    /// Goes from record header to record header to the footer.
    fn find_end(&self, found: &mut Found, header: &ReelHeader) -> std::result::Result<(), String> {
        let store = self.surveyor.store;
        let entries = walk_index(store, found.reel, &found.location).map_err(|error| error.to_string())?;
        let is_end = |entry: &&IndexEntry| entry.is(Kind::Footer) || entry.is(Kind::RecoveryFooter);
        let Some(last) = entries.iter().find(is_end) else {
            let cut = entries.last().map_or(0, |entry| entry.offset + u64::from(entry.bytes));
            let behind = self.signed_behind(found, cut, header).map_err(|error| error.to_string())?;
            // the last batch before a crash may be there in parts; more than that behind a break is damage, and a recovery
            // that cut there would write over sound footage
            return if behind > 1 {
                Err(format!("it is damaged at byte {cut}, and goes on behind that"))
            } else {
                Ok(())
            };
        };
        let record = store.reader(&found.location).record(found.reel, last).map_err(|error| error.to_string())?;
        let payload = &record[RECORD_HEADER_BYTES..];
        let index = entries.iter().find(|entry| entry.is(Kind::Index)).map(|entry| (entry.offset, entry.bytes));
        let (point, end, index) = if last.is(Kind::Footer) {
            let footer =
                Footer::from_payload(found.reel, payload, &header.reel_key).map_err(|error| error.to_string())?;
            (footer.point, End::Closed(footer.root), index.filter(|(offset, _)| *offset == footer.index_offset))
        } else {
            let key = &self.surveyor.site_key;
            let footer = RecoveryFooter::from_payload(found.reel, payload, key).map_err(|error| error.to_string())?;
            (footer.point, End::Recovered(footer.root), None)
        };
        if point.offset != last.offset {
            return Err("its footer is another place's".to_owned());
        }
        let bytes = (last.offset + u64::from(last.bytes)).next_multiple_of(BLOCK);
        found.location = Location { index, ..found.location.truncated(bytes) };
        found.end = end;
        let sync = entries.iter().rfind(|entry| entry.is(Kind::Sync) && entry.offset < last.offset);
        found.last_batch = sync.map_or(0, |sync| (sync.offset + u64::from(sync.bytes)).next_multiple_of(BLOCK));
        Ok(())
    }
}

impl Work<'_> {
    /// How many signed records of a reel stand behind the place at which the chain of its record headers breaks; a footer
    /// counts double, it is enough alone. Batches begin on blocks, so a block that begins with a record of the reel is one.
    fn signed_behind(&self, found: &Found, cut: u64, header: &ReelHeader) -> Result<u32> {
        let mut reader = self.surveyor.store.reader(&found.location);
        let (mut signed, mut at) = (0, (cut + 1).next_multiple_of(BLOCK));
        while at < found.location.bytes() && signed < 2 {
            let bytes = (found.location.bytes() - at).min(SEARCH_BLOCKS * BLOCK);
            let read = reader.read(at, bytes)?;
            let begins = |block: &[u8]| RecordHeader::from_bytes(block).is_ok_and(|record| record.reel == found.reel);
            let Some(block) = read.chunks(BLOCK_BYTES).position(begins) else {
                at += bytes;
                continue;
            };
            at += block as u64 * BLOCK;
            let begun = at;
            while let Some(record) = reader.header(found.reel, at)? {
                if at + record.record_bytes() > found.location.bytes() {
                    break;
                }
                let payload = |reader: &mut crate::store::Reader<'_>| {
                    reader.read(at + RECORD_HEADER_BYTES as u64, record.payload_bytes.into())
                };
                match record.kind {
                    Kind::Sync => {
                        let payload = payload(&mut reader)?;
                        signed += u32::from(SyncPoint::from_payload(&record, &payload, &header.reel_key).is_ok());
                    }
                    Kind::Footer => {
                        let payload = payload(&mut reader)?;
                        signed += 2 * u32::from(Footer::from_payload(found.reel, &payload, &header.reel_key).is_ok());
                    }
                    _ => {}
                }
                at += record.record_bytes();
                if record.kind == Kind::Sync {
                    at = at.next_multiple_of(BLOCK);
                }
            }
            at = at.max(begun + 1).next_multiple_of(BLOCK);
        }
        Ok(signed)
    }
}

/// A reel at which the chain cannot go on.
struct Stopped {
    reel: Option<ReelId>,
    location: Location,
    why: String,
}

impl Stopped {
    fn because(&self, why: impl std::fmt::Display) -> Stopped {
        Stopped { reel: self.reel, location: self.location.clone(), why: why.to_string() }
    }
}

fn family_of(header: &ReelHeader) -> Family {
    Family { run: header.certificate.run, hour: header.hour, deadline: header.deadline }
}
