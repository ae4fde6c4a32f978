//! The local store: slots of fixed size on one disk, filled once each by reels of one hour and deadline, then reused (R2).
//!
//! ```text
//! ROOT/marker.json             whose store this is; nothing is written where it is missing or names another site
//! ROOT/slots/00000001.slot     block 0: slot header · then blocks of reels
//! ```
//! A reel is one stream of bytes; a [`Location`] says in which slots its pieces lie. The store sees ciphertext only.

mod batch;
mod slot;

pub use batch::Batch;
pub use slot::SlotHeader;

use disk::{Disk, DiskError, DiskFile, Open};
use domain::{
    Hour, ReelId, RootId, RunId, SiteId, UtcMicros,
    limit::{BLOCK_BYTES, RECORD_HEADER_BYTES},
};
use seal::{Kind, RecordHeader, reel::IndexEntry};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeSet, HashMap},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard},
};

const BLOCK: u64 = BLOCK_BYTES as u64;
const MARKER_BYTES_MAX: usize = 64 * 1024;

/// Why the store cannot do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error(transparent)]
    Disk(#[from] DiskError),
    #[error("`{path}` is no store of Vigie (no readable marker): is the disk mounted? `vigie init` makes a new store")]
    NoMarker { path: PathBuf },
    #[error("the store `{path}` belongs to site {found}, this is site {expected}: nothing was touched")]
    OtherSite { path: PathBuf, found: SiteId, expected: SiteId },
    #[error("`{path}` holds a store already: nothing was touched")]
    Exists { path: PathBuf },
    #[error("the store is full: {slots} slots of {slot_bytes} bytes are in use; add space or shorten a delay")]
    Full { slots: u32, slot_bytes: u64 },
    #[error("these bytes are gone: the slot was reused")]
    Gone,
    #[error("the range {offset}+{bytes} lies outside the reel")]
    OutsideReel { offset: u64, bytes: u64 },
}

type Result<T> = std::result::Result<T, StoreError>;

/// Whose store a folder is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marker {
    pub format: u32,
    pub site: SiteId,
    pub root: RootId,
    pub slot_bytes: u64,
    /// The store never grows beyond this.
    pub slots_max: u32,
}

/// Consecutive bytes of a reel in one slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    pub slot: u32,
    /// Where the piece begins in the slot.
    pub slot_offset: u64,
    /// Where it begins in the reel.
    pub reel_offset: u64,
    pub bytes: u64,
}

/// Where a reel lies.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Location {
    pub pieces: Vec<Piece>,
    /// Offset and bytes of the index record, once the reel is closed.
    pub index: Option<(u64, u32)>,
}

/// Reels that may share slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Family {
    pub run: RunId,
    pub hour: Hour,
    pub deadline: UtcMicros,
}

/// One store.
pub struct LocalStore {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    pub marker: Marker,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Slots that exist and hold nothing alive.
    free: BTreeSet<u32>,
    slots: u32,
    /// The slot each family writes to, and where.
    tails: HashMap<Family, (u32, u64)>,
    /// Files written since the last sync.
    touched: HashMap<u32, Arc<dyn DiskFile>>,
}

/// How full the store is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    pub slots: u32,
    pub slots_free: u32,
    pub slots_max: u32,
    pub slot_bytes: u64,
}

impl Location {
    /// Bytes of the reel that have a place.
    pub fn bytes(&self) -> u64 {
        self.pieces.last().map_or(0, |piece| piece.reel_offset + piece.bytes)
    }
    pub fn slots(&self) -> impl Iterator<Item = u32> + '_ {
        self.pieces.iter().map(|piece| piece.slot)
    }
    pub fn to_bytes(&self) -> Vec<u8> {
        postcard::to_stdvec(self).expect("a list of integers serialises")
    }
    pub fn from_bytes(bytes: &[u8]) -> Option<Location> {
        postcard::from_bytes(bytes).ok()
    }
    fn add(&mut self, slot: u32, slot_offset: u64, bytes: u64) {
        let reel_offset = self.bytes();
        match self.pieces.last_mut() {
            Some(last) if last.slot == slot && last.slot_offset + last.bytes == slot_offset => last.bytes += bytes,
            _ => self.pieces.push(Piece { slot, slot_offset, reel_offset, bytes }),
        }
    }
}

impl LocalStore {
    /// Makes a new store. Nothing is overwritten.
    pub fn create(disk: Arc<dyn Disk>, path: &Path, marker: Marker) -> Result<LocalStore> {
        if disk.exists(&path.join("marker.json"))? {
            return Err(StoreError::Exists { path: path.to_owned() });
        }
        disk.create_dir(&path.join("slots"))?;
        let text = serde_json::to_vec_pretty(&marker).expect("a marker is plain data");
        disk::write_all(&*disk, &path.join("marker.json"), &text)?;
        LocalStore::open(disk, path, marker.site)
    }

    /// Opens a store of `site`. All slots count as free until [`LocalStore::in_use`] says otherwise.
    pub fn open(disk: Arc<dyn Disk>, path: &Path, site: SiteId) -> Result<LocalStore> {
        let no_marker = || StoreError::NoMarker { path: path.to_owned() };
        let text = disk::read_all(&*disk, &path.join("marker.json"), MARKER_BYTES_MAX).map_err(|_| no_marker())?;
        let marker: Marker = serde_json::from_slice(&text).map_err(|_| no_marker())?;
        if marker.site != site {
            return Err(StoreError::OtherSite { path: path.to_owned(), found: marker.site, expected: site });
        }
        let store = LocalStore { disk, path: path.to_owned(), marker, state: Mutex::default() };
        let slots: BTreeSet<u32> = store.slot_numbers()?.into_iter().collect();
        {
            let mut state = store.state();
            state.slots = slots.last().copied().unwrap_or(0);
            state.free = slots;
        }
        Ok(store)
    }

    /// Tells which slots hold live reels.
    pub fn in_use(&self, slots: impl IntoIterator<Item = u32>) {
        let mut state = self.state();
        for slot in slots {
            state.free.remove(&slot);
        }
    }

    pub fn usage(&self) -> Usage {
        let state = self.state();
        Usage {
            slots: state.slots,
            slots_free: state.free.len() as u32,
            slots_max: self.marker.slots_max,
            slot_bytes: self.marker.slot_bytes,
        }
    }

    /// Writes one more slot with zeros, so that recording later finds written blocks; false when there are enough.
    pub fn prepare(&self, free_min: u32) -> Result<bool> {
        let number = {
            let state = self.state();
            if state.free.len() as u32 >= free_min || state.slots >= self.marker.slots_max {
                return Ok(false);
            }
            state.slots + 1
        };
        self.create_slot(number)?;
        let mut state = self.state();
        state.slots = state.slots.max(number);
        state.free.insert(number);
        Ok(true)
    }

    /// Appends a batch (whole blocks) to a reel. Durable after [`LocalStore::sync`]. On an error nothing of the batch
    /// counts: the location is as before.
    pub fn append(&self, family: Family, reel: ReelId, location: &mut Location, batch: &[u8]) -> Result<()> {
        assert!(batch.len().is_multiple_of(BLOCK_BYTES), "batches are whole blocks");
        let before = self.state().tails.get(&family).copied();
        let mut grown = location.clone();
        let written = self.write_pieces(family, reel, &mut grown, batch);
        if written.is_ok() {
            *location = grown;
            return Ok(());
        }
        let mut state = self.state();
        let taken: Vec<u32> = grown.slots().filter(|slot| location.slots().all(|old| old != *slot)).collect();
        let tail = state.tails.remove(&family).map(|(slot, _)| slot);
        if let Some(before) = before {
            state.tails.insert(family, before);
        }
        let kept = before.map(|(slot, _)| slot);
        state.free.extend(taken.into_iter().chain(tail).filter(|slot| Some(*slot) != kept));
        written
    }

    /// Everything appended is durable when this returns.
    pub fn sync(&self) -> Result<()> {
        let touched: Vec<_> = self.state().touched.iter().map(|(slot, file)| (*slot, file.clone())).collect();
        for (slot, file) in touched {
            file.sync()?;
            let mut state = self.state();
            if !state.tails.values().any(|(tail, _)| *tail == slot) {
                state.touched.remove(&slot);
            }
        }
        Ok(())
    }

    /// Where a new reel of the family will begin, as an empty location: written down before its first byte, so that a
    /// recovery finds it in a slot that it shares. Empty where it will begin a slot, whose header then names it.
    pub fn next_place(&self, family: Family) -> Location {
        let tail = self.state().tails.get(&family).copied().filter(|(_, offset)| *offset < self.marker.slot_bytes);
        let piece = |(slot, slot_offset)| Piece { slot, slot_offset, reel_offset: 0, bytes: 0 };
        Location { pieces: tail.map(piece).into_iter().collect(), index: None }
    }

    /// No more reels of this family: its last slot is left as it is.
    pub fn finish(&self, family: Family) {
        self.state().tails.remove(&family);
    }

    /// Gives slots back that hold nothing alive (K10 step 5). Their ciphertext stays until it is overwritten; its keys
    /// are dead.
    pub fn free(&self, slots: impl IntoIterator<Item = u32>) {
        let mut state = self.state();
        let busy: BTreeSet<u32> = state.tails.values().map(|(slot, _)| *slot).collect();
        state.free.extend(slots.into_iter().filter(|slot| !busy.contains(slot)));
    }

    /// Reads bytes of a reel. Errors: `OutsideReel`, `Disk`.
    pub fn read(&self, location: &Location, offset: u64, bytes: u64) -> Result<Vec<u8>> {
        let outside = || StoreError::OutsideReel { offset, bytes };
        let mut out = vec![0; usize::try_from(bytes).map_err(|_| outside())?];
        let mut done = 0;
        while done < bytes {
            let at = offset + done;
            let holds = |piece: &&Piece| piece.reel_offset <= at && at < piece.reel_offset + piece.bytes;
            let piece = location.pieces.iter().find(holds).ok_or_else(outside)?;
            let into = at - piece.reel_offset;
            let now = (bytes - done).min(piece.bytes - into);
            let file = self.disk.open(&self.slot_path(piece.slot), Open::Read)?;
            file.read_at(&mut out[done as usize..(done + now) as usize], piece.slot_offset + into)?;
            done += now;
        }
        Ok(out)
    }

    /// The header of every slot that was ever used, for recovery and rebuilding.
    pub fn scan(&self) -> Result<Vec<SlotHeader>> {
        let mut headers = Vec::new();
        for slot in self.slot_numbers()? {
            let mut block = vec![0; BLOCK_BYTES];
            self.disk.open(&self.slot_path(slot), Open::Read)?.read_at(&mut block, 0)?;
            headers.extend(
                SlotHeader::from_bytes(&block).filter(|header| header.slot == slot && header.root == self.marker.root),
            );
        }
        Ok(headers)
    }

    fn write_pieces(&self, family: Family, reel: ReelId, location: &mut Location, batch: &[u8]) -> Result<()> {
        let mut rest = batch;
        while !rest.is_empty() {
            let (slot, offset) = self.tail(family, reel, location)?;
            let room = self.marker.slot_bytes - offset;
            let (now, later) = rest.split_at(rest.len().min(room as usize));
            self.touch(slot)?.write_at(now, offset)?;
            location.add(slot, offset, now.len() as u64);
            self.state().tails.insert(family, (slot, offset + now.len() as u64));
            rest = later;
        }
        Ok(())
    }

    /// A location that also covers what may have been written after the catalog last heard of it: the rest of its last
    /// slot, then the slots whose headers name the reel.
    pub fn extended(&self, location: &Location, reel: ReelId, headers: &[SlotHeader]) -> Location {
        let mut pieces = location.pieces.clone();
        let room = |piece: &Piece| self.marker.slot_bytes - piece.slot_offset;
        let known: BTreeSet<u32> = location.slots().collect();
        let mut more: Vec<&SlotHeader> =
            headers.iter().filter(|header| header.reel == reel && !known.contains(&header.slot)).collect();
        more.sort_by_key(|header| header.reel_offset);
        let next = more.iter().map(|header| header.reel_offset);
        let ends: Vec<Option<u64>> = next.map(Some).chain([None]).collect();
        if let Some(last) = pieces.last_mut() {
            last.bytes = ends[0].map_or(room(last), |end| end.saturating_sub(last.reel_offset).min(room(last)));
        }
        for (header, end) in more.iter().zip(&ends[1..]) {
            let piece = Piece { slot: header.slot, slot_offset: BLOCK, reel_offset: header.reel_offset, bytes: 0 };
            let bytes = end.map_or(room(&piece), |end| (end - piece.reel_offset).min(room(&piece)));
            pieces.push(Piece { bytes, ..piece });
        }
        Location { pieces, index: None }
    }

    /// Writes the end of a reel right behind `location`, durably, wherever that is: recovery's only write.
    pub fn write_end(&self, family: Family, reel: ReelId, location: &mut Location, blocks: &[u8]) -> Result<()> {
        let behind = location.pieces.last().map(|piece| (piece.slot, piece.slot_offset + piece.bytes));
        if let Some(place) = behind {
            self.state().tails.insert(family, place);
        }
        let written = self.append(family, reel, location, blocks).and_then(|()| self.sync());
        self.finish(family);
        written
    }

    /// Slot and offset at which the family goes on; opens a new slot where the last is full.
    fn tail(&self, family: Family, reel: ReelId, location: &Location) -> Result<(u32, u64)> {
        if let Some((slot, offset)) = self.state().tails.get(&family).copied()
            && offset < self.marker.slot_bytes
        {
            return Ok((slot, offset));
        }
        let slot = self.take_slot()?;
        let header = SlotHeader { root: self.marker.root, slot, family, reel, reel_offset: location.bytes() };
        let mut block = Batch::with_capacity(BLOCK_BYTES);
        block.bytes().extend_from_slice(&header.to_bytes());
        self.touch(slot)?.write_at(block.as_slice(), 0)?;
        Ok((slot, BLOCK))
    }

    fn take_slot(&self) -> Result<u32> {
        loop {
            if let Some(slot) = self.state().free.pop_first() {
                return Ok(slot);
            }
            if !self.prepare(1)? {
                let Usage { slots, slot_bytes, .. } = self.usage();
                return Err(StoreError::Full { slots, slot_bytes });
            }
        }
    }

    /// 1 temporary file · 2 zeros · 3 sync · 4 rename · 5 sync of the folder.
    fn create_slot(&self, number: u32) -> Result<()> {
        const PIECE: usize = 1024 * 1024;
        let temporary = self.path.join("slots").join(format!("{number:08}.new"));
        if self.disk.exists(&temporary)? {
            self.disk.remove(&temporary)?;
        }
        let file = self.disk.open(&temporary, Open::Create)?; // 1
        let zeros = vec![0; PIECE];
        for offset in (0..self.marker.slot_bytes).step_by(PIECE) {
            let now = (self.marker.slot_bytes - offset).min(PIECE as u64) as usize;
            file.write_at(&zeros[..now], offset)?; // 2
        }
        file.sync()?; // 3
        self.disk.rename(&temporary, &self.slot_path(number))?; // 4
        Ok(self.disk.sync_dir(&self.path.join("slots"))?) // 5
    }

    fn touch(&self, slot: u32) -> Result<Arc<dyn DiskFile>> {
        if let Some(file) = self.state().touched.get(&slot) {
            return Ok(file.clone());
        }
        let file = self.disk.open(&self.slot_path(slot), Open::Direct)?;
        self.state().touched.insert(slot, file.clone());
        Ok(file)
    }

    fn slot_numbers(&self) -> Result<Vec<u32>> {
        let names = self.disk.list(&self.path.join("slots"))?;
        Ok(names.iter().filter_map(|name| name.strip_suffix(".slot")?.parse().ok()).collect())
    }

    fn slot_path(&self, slot: u32) -> PathBuf {
        self.path.join("slots").join(format!("{slot:08}.slot"))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no thread panics while it holds the store's state")
    }
}

/// The index entries of one stream of a closed reel; `None` where the location names no index or its record is not one.
/// A reel that was recovered has no index: its records are walked.
pub fn index_of(store: &LocalStore, reel: ReelId, location: &Location, handle: u16) -> Result<Option<Vec<IndexEntry>>> {
    let entries = match location.index {
        Some((offset, bytes)) => index_record(&store.read(location, offset, bytes.into())?, reel),
        None => Some(walk_index(store, reel, location)?),
    };
    Ok(entries.map(|mut entries| {
        entries.retain(|entry| entry.handle == handle);
        entries
    }))
}

fn index_record(record: &[u8], reel: ReelId) -> Option<Vec<IndexEntry>> {
    let header = RecordHeader::from_bytes(record).ok().filter(|header| header.reel == reel)?;
    IndexEntry::from_payload(record.get(RECORD_HEADER_BYTES..)?).ok().filter(|_| header.kind == Kind::Index)
}

/// Reads record headers from the start to the end of the reel. Signatures were checked when it was closed.
fn walk_index(store: &LocalStore, reel: ReelId, location: &Location) -> Result<Vec<IndexEntry>> {
    let mut entries = Vec::new();
    let mut offset = 0;
    while offset + RECORD_HEADER_BYTES as u64 <= location.bytes() {
        let bytes = store.read(location, offset, RECORD_HEADER_BYTES as u64)?;
        let Some(header) = RecordHeader::from_bytes(&bytes).ok().filter(|header| header.reel == reel) else { break };
        let (kind, bytes) = (header.kind.code(), header.record_bytes() as u32);
        entries.push(IndexEntry { kind, handle: header.handle, number: header.number, bytes, offset });
        offset += header.record_bytes();
        if header.kind == Kind::Sync {
            offset = offset.next_multiple_of(BLOCK);
        }
    }
    Ok(entries)
}
