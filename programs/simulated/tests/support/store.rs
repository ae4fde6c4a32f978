//! A store's bytes, read past the program: every sealed record ever seen (K4), and rows against bytes, both ways.

use super::CLOSED_SECONDS;
use catalog::{Footage, ReelRow, ReelState};
use disk::RealDisk;
use domain::{
    ReelId, SiteId, UtcMicros,
    limit::{BLOCK_BYTES, RECORD_HEADER_BYTES},
};
use seal::{
    Kind, RecordHeader,
    record::digest,
    reel::{Running, SyncPoint},
};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};
use vault::{LocalStore, Location};

/// Where the wrapped key begins and what follows in a key record's payload: nonce, ciphertext, tag.
const NONCE: std::ops::Range<usize> = 32..44;
const WRAPPED: std::ops::Range<usize> = 44..92;
/// In the payload of a reel's header: hour, deadline, reel key (docs/formats/reel.md).
const DEADLINE: std::ops::Range<usize> = 44..52;
const REEL_KEY: std::ops::Range<usize> = 52..84;

/// Every sealed record that was ever seen in the slots. Look after each life: slots are used again.
#[derive(Default)]
pub struct Sealed {
    /// By commitment, which is made with the key out of one HKDF: one commitment, one key, and the nonce is zero (K5).
    records: HashMap<[u8; 32], Seen>,
    /// Wrapped data keys by their nonce.
    wrapped: HashMap<Vec<u8>, Vec<u8>>,
    looked: HashMap<PathBuf, SystemTime>,
}

#[derive(Clone, Copy)]
struct Seen {
    digest: [u8; 32],
    /// Seen with the same digest in an earlier look: no write was under way.
    settled: bool,
    place: (u64, u64),
}

impl Sealed {
    /// Takes in what the slots hold now; the program may run. Panics where one key sealed two texts.
    pub fn look(&mut self, store: &Path) {
        for path in slots(store) {
            let changed = fs::metadata(&path).and_then(|metadata| metadata.modified()).unwrap();
            // a slot that changed within the second is looked at again: it may just be written
            let old = changed.elapsed().is_ok_and(|age| age.as_secs() > 1);
            if self.looked.get(&path) == Some(&changed) {
                continue;
            }
            if old {
                self.looked.insert(path.clone(), changed);
            }
            let (slot, bytes) = (number_of(&path), fs::read(&path).unwrap());
            for (at, header, payload) in records(&bytes) {
                match header.kind {
                    Kind::Chunk | Kind::Extent | Kind::Gap => {
                        let found = digest(&header.to_bytes(), payload);
                        self.take(&path, header.commitment, Seen { digest: found, settled: old, place: (slot, at) });
                    }
                    Kind::Key if payload.len() >= WRAPPED.end => {
                        let known = self.wrapped.entry(payload[NONCE].to_vec());
                        let known = known.or_insert_with(|| payload[WRAPPED].to_vec());
                        assert_eq!(known[..], payload[WRAPPED], "one nonce wrapped two data keys: {}", path.display());
                    }
                    _ => {}
                }
            }
        }
    }

    /// Records with different keys, and data keys, seen so far.
    pub fn counts(&self) -> (usize, usize) {
        (self.records.len(), self.wrapped.len())
    }

    fn take(&mut self, path: &Path, commitment: [u8; 32], now: Seen) {
        assert_ne!(commitment, [0; 32], "a sealed record carries the commitment of its key (K5)");
        let known = self.records.entry(commitment).or_insert(now);
        // a record caught while it was being written is not settled and may be replaced, in its own place
        let replaced = !known.settled && known.place == now.place;
        let same = known.digest == now.digest;
        assert!(same || replaced, "K4: one key and nonce, two ciphertexts, in {}", path.display());
        *known = Seen { settled: now.settled || (same && known.settled), ..now };
    }
}

/// One record as it lies in a slot.
pub struct Placed {
    pub path: PathBuf,
    /// Of its header, in the slot's file.
    pub offset: u64,
    pub header: RecordHeader,
}

/// Every whole record of every slot.
pub fn records_of_slots(store: &Path) -> Vec<Placed> {
    let mut found = Vec::new();
    for path in slots(store) {
        let bytes = fs::read(&path).unwrap();
        let placed =
            records(&bytes).into_iter().map(|(offset, header, _)| Placed { path: path.clone(), offset, header });
        found.extend(placed);
    }
    found
}

/// The site's id, from its folder.
pub fn site_id(site: &Path) -> SiteId {
    let identity: serde_json::Value = serde_json::from_slice(&fs::read(site.join("data/site.json")).unwrap()).unwrap();
    identity["site"].as_str().unwrap().parse().unwrap()
}

/// Rows and bytes of a store whose program stands still.
///
/// Every live row's bytes are there and its digest chain holds to a signed end; every reel in the slots that could still be
/// opened and has a signed sync record is a row.
pub fn assert_rows_and_bytes_agree(site: &Path, now: UtcMicros) -> usize {
    let id = site_id(site);
    let footage = Footage::open_for_reading(&site.join("data/footage/footage.db"), id).unwrap();
    let store = LocalStore::open(Arc::new(RealDisk), &site.join("store"), id).unwrap();
    let rows = footage.live_reels().unwrap();
    for row in &rows {
        assert_ne!(row.state, ReelState::Open, "after an orderly stop no reel is open: {}", row.reel);
        assert_whole(&store, row);
    }
    let known: BTreeSet<ReelId> = rows.iter().map(|row| row.reel).collect();
    for (reel, found) in reels_in(&site.join("store")) {
        let opens = now < found.deadline.plus_seconds(-CLOSED_SECONDS);
        let row = known.contains(&reel) || footage.reel(reel).unwrap().is_some();
        assert!(row || !opens || !found.synced, "reel {reel} lies in the store and no row knows it");
    }
    rows.len()
}

/// A row's bytes: records without a hole, each of this reel, the digest chain as its sync records signed it.
fn assert_whole(store: &LocalStore, row: &ReelRow) {
    let location = Location::from_bytes(&row.location).expect("a row says where its reel lies");
    let mut reader = store.reader(&location);
    let (mut at, mut running, mut reel_key, mut syncs, mut closed) = (0u64, Running::default(), [0; 32], 0, false);
    while at < location.bytes() && !closed {
        let header = reader.header(row.reel, at).unwrap();
        let header = header.unwrap_or_else(|| panic!("reel {}: no record of it at {at}, row {row:?}", row.reel));
        let record = reader.read(at, header.record_bytes()).unwrap();
        let payload = &record[RECORD_HEADER_BYTES..];
        match header.kind {
            Kind::Header => reel_key.copy_from_slice(&payload[REEL_KEY]),
            Kind::Sync => {
                let signed = SyncPoint::from_payload(&header, payload, &reel_key).unwrap();
                assert_eq!(signed, running.point(at), "reel {}: bytes before {at} are not what was signed", row.reel);
                syncs += 1;
            }
            Kind::Footer | Kind::RecoveryFooter => closed = true,
            _ => {}
        }
        running.push_record(&record).unwrap();
        at += header.record_bytes();
        if header.kind == Kind::Sync {
            at = at.next_multiple_of(BLOCK_BYTES as u64);
        }
    }
    assert!(closed, "reel {} of state {:?} has no end", row.reel, row.state);
    assert!(syncs > 0 || row.state == ReelState::Closed, "a recovered reel has a sync record");
}

struct Found {
    deadline: UtcMicros,
    synced: bool,
}

/// Reels by the header records in the slots.
fn reels_in(store: &Path) -> BTreeMap<ReelId, Found> {
    let mut found: BTreeMap<ReelId, Found> = BTreeMap::new();
    let mut synced = BTreeSet::new();
    for path in slots(store) {
        let bytes = fs::read(&path).unwrap();
        for (_, header, payload) in records(&bytes) {
            match header.kind {
                Kind::Header if payload.len() >= REEL_KEY.end => {
                    let deadline = i64::from_le_bytes(payload[DEADLINE].try_into().unwrap());
                    found.insert(header.reel, Found { deadline: UtcMicros(deadline), synced: false });
                }
                Kind::Sync => drop(synced.insert(header.reel)),
                _ => {}
            }
        }
    }
    for (reel, one) in &mut found {
        one.synced = synced.contains(reel);
    }
    found
}

/// Whole records of a slot. Batches begin at blocks; within one, records stand back to back (R3).
fn records(bytes: &[u8]) -> Vec<(u64, RecordHeader, &[u8])> {
    let (mut at, mut found) = (BLOCK_BYTES, Vec::new());
    while at + RECORD_HEADER_BYTES <= bytes.len() {
        let header = RecordHeader::from_bytes(&bytes[at..]).ok();
        let end = header.map_or(usize::MAX, |header| at + header.record_bytes() as usize);
        match header {
            // one that goes on in the next slot is left out
            Some(header) if end <= bytes.len() => {
                found.push((at as u64, header, &bytes[at + RECORD_HEADER_BYTES..end]));
                at = end;
            }
            _ => at = (at + 1).next_multiple_of(BLOCK_BYTES),
        }
    }
    found
}

fn slots(store: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(store.join("slots")).unwrap().map(|entry| entry.unwrap().path());
    let mut slots: Vec<PathBuf> =
        entries.filter(|path| path.extension().is_some_and(|extension| extension == "slot")).collect();
    slots.sort();
    slots
}

fn number_of(path: &Path) -> u64 {
    path.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| stem.parse().ok()).unwrap()
}
