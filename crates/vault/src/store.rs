//! The local store: slots of fixed size on one disk, filled once each by reels of one hour and deadline, then reused (R2).
//!
//! ```text
//! ROOT/marker.json             whose store this is; nothing is written where it is missing or names another site
//! ROOT/slots/00000001.slot     block 0: slot header · then blocks of reels
//! ```
//! A reel is one stream of bytes; a [`Location`] says in which slots its pieces lie. The store sees ciphertext only.

mod batch;
mod capacity;
mod read;
mod slot;

pub use batch::Batch;
pub use capacity::{Forecast, Trouble, forecast};
pub use read::{Reader, check_record, index_of, walk_index, whole_index};
pub use slot::SlotHeader;

use disk::{Disk, DiskError, DiskFile, Open};
use domain::{Hour, ReelId, RootId, RunId, SiteId, UtcMicros, limit::BLOCK_BYTES};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard},
};

const BLOCK: u64 = BLOCK_BYTES as u64;
const MARKER_BYTES_MAX: usize = 64 * 1024;
/// Of the marker, and of slots and reels under it: a program that writes anything which its forerunner cannot read raises it first.
pub const FORMAT: u32 = 1;

/// Why the store cannot do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error(transparent)]
    Disk(#[from] DiskError),
    #[error("`{path}` is no store of Vigie (no readable marker): is the disk mounted? `vigie init` makes a new store")]
    NoMarker { path: PathBuf },
    #[error(
        "the store `{path}` belongs to site {found}, this is site {expected}: nothing was touched; mount this site's disk or correct `store.folder`"
    )]
    OtherSite { path: PathBuf, found: SiteId, expected: SiteId },
    #[error(
        "at `{path}` lies another disk than the store was opened on: nothing was touched; mount this store's disk there again"
    )]
    OtherRoot { path: PathBuf },
    #[error(
        "the store `{path}` is of version {found}, written by a later program; this one knows {FORMAT}: nothing was changed; \
         install the later program again"
    )]
    LaterVersion { path: PathBuf, found: u32 },
    #[error("`{path}` holds a store already: nothing was touched")]
    Exists { path: PathBuf },
    #[error(
        "the marker of the store `{path}` asks for slots of {slot_bytes} bytes: whole blocks of 4,096, two or more"
    )]
    SlotBytes { path: PathBuf, slot_bytes: u64 },
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
    /// Held while a slot is written with zeros: two who made the same one would wipe each other's.
    creating: Mutex<()>,
}

#[derive(Default)]
struct State {
    slots: BTreeSet<u32>,
    /// Slots that exist and hold nothing alive.
    free: BTreeSet<u32>,
    /// The slot each family writes to, and where.
    tails: HashMap<Family, (u32, u64)>,
    /// Slots taken for reels that no closed row protects yet: nobody's word frees them.
    taken: BTreeSet<u32>,
    /// Files written since the last sync.
    dirty: BTreeMap<u32, Arc<dyn DiskFile>>,
    /// Slots whose reels the catalog does not know, and the deadline after which nothing in them opens.
    kept: BTreeMap<u32, UtcMicros>,
}

/// What the first blocks of the slots say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scan {
    pub headers: Vec<SlotHeader>,
    /// The disk did not give their first block, or a later program wrote it: never to be written to.
    pub unreadable: BTreeSet<u32>,
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
    /// `None` for bytes that are no location, or one whose pieces do not follow each other.
    pub fn from_bytes(bytes: &[u8]) -> Option<Location> {
        let location: Location = postcard::from_bytes(bytes).ok()?;
        let end = location.pieces.iter().try_fold(0u64, |end, piece| {
            piece.slot_offset.checked_add(piece.bytes).filter(|_| piece.reel_offset == end)?;
            end.checked_add(piece.bytes)
        });
        end.map(|_| location)
    }
    /// The part before `bytes`.
    pub(crate) fn truncated(&self, bytes: u64) -> Location {
        let mut pieces = self.pieces.clone();
        pieces.retain(|piece| piece.reel_offset < bytes || piece.reel_offset == 0);
        if let Some(last) = pieces.last_mut() {
            last.bytes = last.bytes.min(bytes - last.reel_offset);
        }
        Location { pieces, index: None }
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
        check_slot_bytes(path, &marker)?;
        disk.create_dir(&path.join("slots"))?;
        let text = serde_json::to_vec_pretty(&marker).expect("a marker is plain data");
        disk::write_all(&*disk, &path.join("marker.json"), &text)?;
        LocalStore::open(disk, path, marker.site)
    }

    /// Opens a store of `site`. No slot counts as free until [`LocalStore::in_use`] says which are not.
    pub fn open(disk: Arc<dyn Disk>, path: &Path, site: SiteId) -> Result<LocalStore> {
        let marker = read_marker(&*disk, path)?;
        if marker.site != site {
            return Err(StoreError::OtherSite { path: path.to_owned(), found: marker.site, expected: site });
        }
        check_slot_bytes(path, &marker)?;
        let (state, creating) = (Mutex::default(), Mutex::default());
        let store = LocalStore { disk, path: path.to_owned(), marker, state, creating };
        let slots = store.slot_numbers()?;
        store.state().slots = slots;
        Ok(store)
    }

    /// Whether a store is of the version that this program reads; changes nothing. One that is away is not judged.
    ///
    /// Errors: `LaterVersion`.
    pub fn check_version(disk: &dyn Disk, path: &Path) -> Result<()> {
        match read_marker(disk, path) {
            Err(error @ StoreError::LaterVersion { .. }) => Err(error),
            _ => Ok(()),
        }
    }

    /// Whether the disk under the store's path is still the one that it was opened on. A disk may be gone, come back empty, or
    /// be another one, while the program runs: slots are opened by name, and theirs have the same names.
    ///
    /// Errors: `NoMarker`, `OtherRoot`, `Disk`.
    pub fn must_be_there(&self) -> Result<()> {
        let found = read_marker(&*self.disk, &self.path)?;
        if (found.site, found.root) == (self.marker.site, self.marker.root) {
            return Ok(());
        }
        Err(StoreError::OtherRoot { path: self.path.clone() })
    }

    /// Tells which slots hold live reels: all others are free, but for those that are being written to.
    pub fn in_use(&self, slots: impl IntoIterator<Item = u32>) {
        let mut state = self.state();
        let busy: BTreeSet<u32> = state.tails.values().map(|(slot, _)| *slot).chain(slots).collect();
        state.free = state.slots.difference(&busy).copied().collect();
        state.kept.clear();
    }

    /// Keeps slots whose reels the catalog does not know, each until its deadline.
    pub fn keep(&self, slots: impl IntoIterator<Item = (u32, UtcMicros)>) {
        let mut state = self.state();
        for (slot, deadline) in slots {
            state.free.remove(&slot);
            state.kept.insert(slot, deadline);
        }
    }

    /// The catalog knows the reels of these slots now: they are freed by it, and no longer by their deadline.
    pub fn adopt(&self, slots: impl IntoIterator<Item = u32>) {
        let mut state = self.state();
        for slot in slots {
            state.kept.remove(&slot);
            state.free.remove(&slot);
        }
    }

    /// Slots that hold nothing alive.
    pub fn free_slots(&self) -> BTreeSet<u32> {
        self.state().free.clone()
    }

    /// What the first block of a slot says; `None` where it was never used, or is damaged. Errors: `Disk`.
    pub fn slot_header(&self, slot: u32) -> Result<Option<SlotHeader>> {
        let mut block = vec![0; BLOCK_BYTES];
        self.disk.open(&self.slot_path(slot), Open::Read)?.read_at(&mut block, 0)?;
        Ok(SlotHeader::from_bytes(&block).filter(|header| header.slot == slot && header.root == self.marker.root))
    }

    /// Slots whose reels the catalog does not know.
    pub fn kept(&self) -> BTreeSet<u32> {
        self.state().kept.keys().copied().collect()
    }

    /// Frees kept slots whose deadline has passed.
    pub fn free_kept(&self, now: UtcMicros) {
        let mut state = self.state();
        let due: Vec<u32> =
            state.kept.iter().filter(|(_, deadline)| **deadline <= now).map(|(slot, _)| *slot).collect();
        for slot in due {
            state.kept.remove(&slot);
            state.free.insert(slot);
        }
    }

    /// Bytes that can still be written before anything dies: in free slots, and in slots that can still be made, of which the
    /// file system's own free space may allow fewer than the configuration.
    pub fn free_bytes(&self) -> Result<u64> {
        self.must_be_there()?;
        let Usage { slots, slots_free, slots_max, slot_bytes } = self.usage();
        let to_make = u64::from(slots_max.saturating_sub(slots));
        let room = self.disk.free_bytes(&self.path)?.map_or(to_make, |bytes| bytes / slot_bytes);
        Ok((u64::from(slots_free) + to_make.min(room)) * (slot_bytes - BLOCK))
    }

    pub fn usage(&self) -> Usage {
        let state = self.state();
        Usage {
            slots: state.slots.len() as u32,
            slots_free: state.free.len() as u32,
            slots_max: self.marker.slots_max,
            slot_bytes: self.marker.slot_bytes,
        }
    }

    /// Whether a slot is free, or may be made.
    pub fn has_room(&self) -> bool {
        let usage = self.usage();
        usage.slots_free > 0 || usage.slots < usage.slots_max
    }

    /// Writes one more slot with zeros, so that recording later finds written blocks; false when there are enough.
    pub fn prepare(&self, free_min: u32) -> Result<bool> {
        let _alone = self.creating.lock().expect("no thread panics while it makes a slot");
        let number = {
            let state = self.state();
            if state.free.len() as u32 >= free_min || state.slots.len() as u32 >= self.marker.slots_max {
                return Ok(false);
            }
            state.slots.last().map_or(1, |last| last + 1)
        };
        self.must_be_there()?;
        self.must_have_space()?;
        self.create_slot(number)?;
        let mut state = self.state();
        state.slots.insert(number);
        state.free.insert(number);
        Ok(true)
    }

    /// Appends a batch (whole blocks) to a reel. Durable after [`LocalStore::sync`]. On an error nothing of the batch
    /// counts: the location is as before.
    pub fn append(&self, family: Family, reel: ReelId, location: &mut Location, batch: &[u8]) -> Result<()> {
        assert!(batch.len().is_multiple_of(BLOCK_BYTES), "batches are whole blocks");
        let before = self.state().tails.get(&family).copied();
        let (mut grown, mut taken) = (location.clone(), Vec::new());
        let written = self.write_pieces(family, reel, &mut grown, batch, &mut taken);
        if written.is_ok() {
            *location = grown;
            return Ok(());
        }
        let mut state = self.state();
        match before {
            Some(tail) => state.tails.insert(family, tail),
            None => state.tails.remove(&family),
        };
        state.taken.retain(|slot| !taken.contains(slot));
        state.free.extend(taken);
        written
    }

    /// Everything appended is durable when this returns. After an error nothing appended since the last success counts,
    /// and a later sync does not mend it: the kernel reports a lost page once.
    pub fn sync(&self) -> Result<()> {
        let dirty = std::mem::take(&mut self.state().dirty);
        let mut first_error = None;
        for error in dirty.values().filter_map(|file| file.sync().err()) {
            first_error.get_or_insert(error);
        }
        first_error.map_or(Ok(()), |error| Err(error.into()))
    }

    /// Makes all bytes of a location durable, also those that a process wrote which died before its sync.
    pub fn settle(&self, location: &Location) -> Result<()> {
        self.sync_slots(location.slots())
    }

    /// These slots only, by files of their own: what another thread has appended and not synced is its own to hear of.
    fn sync_slots(&self, slots: impl Iterator<Item = u32>) -> Result<()> {
        self.must_be_there()?;
        for slot in slots {
            self.disk.open(&self.slot_path(slot), Open::Direct)?.sync()?;
        }
        Ok(())
    }

    /// The catalog's rows protect these slots now, or nothing in them lives.
    pub fn release(&self, slots: impl IntoIterator<Item = u32>) {
        let slots: BTreeSet<u32> = slots.into_iter().collect();
        self.state().taken.retain(|slot| !slots.contains(slot));
    }

    /// Where a new reel of the family will begin, as an empty location: written down before its first byte, so that a
    /// recovery finds it in a slot that it shares. Empty where it will begin a slot, whose header then names it.
    pub fn next_place(&self, family: Family) -> Location {
        let tail = self.state().tails.get(&family).copied().filter(|(_, offset)| *offset < self.marker.slot_bytes);
        let piece = |(slot, slot_offset)| Piece { slot, slot_offset, reel_offset: 0, bytes: 0 };
        Location { pieces: tail.map(piece).into_iter().collect(), index: None }
    }

    /// No more reels go where these families stopped: a reel that follows begins a slot of its own.
    pub fn finish(&self, done: impl Fn(&Family) -> bool) {
        self.state().tails.retain(|family, _| !done(family));
    }

    /// Gives slots back that hold nothing alive (K10 step 5); the caller knows of no live reel in them. Their ciphertext
    /// stays until it is overwritten; its keys are dead.
    pub fn free(&self, slots: impl IntoIterator<Item = u32>) {
        let mut state = self.state();
        let busy: BTreeSet<u32> = state.tails.values().map(|(slot, _)| *slot).collect();
        let free: Vec<u32> =
            slots.into_iter().filter(|slot| !busy.contains(slot) && !state.taken.contains(slot)).collect();
        let free: Vec<u32> = free.into_iter().filter(|slot| state.slots.contains(slot)).collect();
        state.free.extend(free);
    }

    /// Reads bytes of a reel once; for many reads, [`LocalStore::reader`]. Errors: `OutsideReel`, `Disk`.
    pub fn read(&self, location: &Location, offset: u64, bytes: u64) -> Result<Vec<u8>> {
        self.reader(location).read(offset, bytes)
    }

    /// Reads of one reel, each slot opened once.
    pub fn reader<'a>(&'a self, location: &'a Location) -> Reader<'a> {
        Reader::new(self, location)
    }

    /// The header of every slot that was ever used, but for slots that are known well enough: in the steady state nearly
    /// all, and a disk needs 8 ms for each. The names of the slots become durable first: a process that was killed may have
    /// made one whose name no sync covers, and what is written into it next must not vanish with it.
    pub fn scan(&self, known: &BTreeSet<u32>) -> Result<Scan> {
        let mut scan = Scan::default();
        self.disk.sync_dir(&self.path.join("slots"))?;
        for slot in self.slot_numbers()?.into_iter().filter(|slot| !known.contains(slot)) {
            let mut block = vec![0; BLOCK_BYTES];
            match self.disk.open(&self.slot_path(slot), Open::Read).and_then(|file| file.read_at(&mut block, 0)) {
                Ok(()) if SlotHeader::later_version(&block).is_some() => {
                    tracing::warn!(slot, "a slot that a later program wrote is left alone");
                    scan.unreadable.insert(slot);
                }
                Ok(()) => scan.headers.extend(
                    SlotHeader::from_bytes(&block)
                        .filter(|header| header.slot == slot && header.root == self.marker.root),
                ),
                Err(_) => drop(scan.unreadable.insert(slot)),
            }
        }
        Ok(scan)
    }

    fn write_pieces(
        &self,
        family: Family,
        reel: ReelId,
        location: &mut Location,
        batch: &[u8],
        taken: &mut Vec<u32>,
    ) -> Result<()> {
        let mut rest = batch;
        while !rest.is_empty() {
            let (slot, offset) = self.tail(family, reel, location, taken)?;
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
    /// slot, then the slots whose headers name the reel, as long as each goes on where the one before ends.
    pub fn extended(&self, location: &Location, reel: ReelId, headers: &[SlotHeader]) -> Location {
        let mut pieces = location.pieces.clone();
        if let Some(last) = pieces.last_mut() {
            last.bytes = self.marker.slot_bytes.saturating_sub(last.slot_offset);
        }
        let known: BTreeSet<u32> = location.slots().collect();
        loop {
            let end = pieces.last().map_or(0, |piece| piece.reel_offset + piece.bytes);
            let goes_on = |header: &&SlotHeader| {
                header.reel == reel && header.reel_offset == end && !known.contains(&header.slot)
            };
            let Some(next) = headers.iter().find(goes_on) else { break };
            let bytes = self.marker.slot_bytes - BLOCK;
            pieces.push(Piece { slot: next.slot, slot_offset: BLOCK, reel_offset: end, bytes });
        }
        Location { pieces, index: None }
    }

    /// Writes the end of a reel right behind `location`, durably, wherever that is: recovery's only write.
    pub fn write_end(&self, family: Family, reel: ReelId, location: &mut Location, blocks: &[u8]) -> Result<()> {
        let before = location.clone();
        let behind = before.pieces.last().map(|piece| (piece.slot, piece.slot_offset + piece.bytes));
        if let Some(place) = behind {
            self.state().tails.insert(family, place);
        }
        let last = before.pieces.len().saturating_sub(1);
        let written = self.append(family, reel, location, blocks);
        let written = written.and_then(|()| self.sync_slots(location.slots().skip(last)));
        self.finish(|finished| *finished == family);
        if written.is_err() {
            self.free_beyond(location, &before);
            *location = before;
        } else {
            self.release(location.slots());
        }
        written
    }

    /// Gives back the slots that a location has and an earlier state of it had not.
    pub fn free_beyond(&self, location: &Location, earlier: &Location) {
        let kept: BTreeSet<u32> = earlier.slots().collect();
        let beyond: Vec<u32> = location.slots().filter(|slot| !kept.contains(slot)).collect();
        self.release(beyond.iter().copied());
        self.free(beyond);
    }

    /// Slot and offset at which the family goes on; opens a new slot where the last is full.
    fn tail(&self, family: Family, reel: ReelId, location: &Location, taken: &mut Vec<u32>) -> Result<(u32, u64)> {
        if let Some((slot, offset)) = self.state().tails.get(&family).copied()
            && offset < self.marker.slot_bytes
        {
            return Ok((slot, offset));
        }
        let slot = self.take_slot()?;
        taken.push(slot);
        let header = SlotHeader { root: self.marker.root, slot, family, reel, reel_offset: location.bytes() };
        let mut block = Batch::with_capacity(BLOCK_BYTES);
        block.bytes().extend_from_slice(&header.to_bytes());
        self.touch(slot)?.write_at(block.as_slice(), 0)?;
        Ok((slot, BLOCK))
    }

    fn take_slot(&self) -> Result<u32> {
        loop {
            {
                let mut state = self.state();
                if let Some(slot) = state.free.pop_first() {
                    state.taken.insert(slot);
                    return Ok(slot);
                }
            }
            // the background may have made one between the look and the question
            if !self.prepare(1)? && self.state().free.is_empty() {
                let Usage { slots, slot_bytes, .. } = self.usage();
                return Err(StoreError::Full { slots, slot_bytes });
            }
        }
    }

    /// A slot is not begun that would take the file system's last room: ledger, keyring and catalog may live there too.
    fn must_have_space(&self) -> Result<()> {
        let folder = self.path.join("slots");
        let free = self.disk.free_bytes(&folder)?;
        if free.is_some_and(|free| free < self.marker.slot_bytes.saturating_mul(2)) {
            let source = std::io::ErrorKind::StorageFull.into();
            return Err(disk::DiskError { operation: "make another slot in", path: folder, source }.into());
        }
        Ok(())
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
        let written = (0..self.marker.slot_bytes).step_by(PIECE).try_for_each(|offset| {
            let now = (self.marker.slot_bytes - offset).min(PIECE as u64) as usize;
            file.write_at(&zeros[..now], offset) // 2
        });
        if let Err(error) = written.and_then(|()| file.sync()) {
            // half a slot on a full disk takes the room that the rest of the machine needs; nothing of it is footage
            self.disk.remove(&temporary)?;
            return Err(error.into());
        } // 3
        self.disk.rename(&temporary, &self.slot_path(number))?; // 4
        Ok(self.disk.sync_dir(&self.path.join("slots"))?) // 5
    }

    /// The file of a slot, for writing; the next sync covers it.
    fn touch(&self, slot: u32) -> Result<Arc<dyn DiskFile>> {
        if let Some(file) = self.state().dirty.get(&slot) {
            return Ok(file.clone());
        }
        self.must_be_there()?;
        let file = self.disk.open(&self.slot_path(slot), Open::Direct)?;
        self.state().dirty.insert(slot, file.clone());
        Ok(file)
    }

    fn slot_numbers(&self) -> Result<BTreeSet<u32>> {
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

/// Errors: `NoMarker` where there is none that can be read; `LaterVersion`; `Disk` where the disk itself says that it failed.
fn read_marker(disk: &dyn Disk, path: &Path) -> Result<Marker> {
    let no_marker = || StoreError::NoMarker { path: path.to_owned() };
    let text = disk::read_all(disk, &path.join("marker.json"), MARKER_BYTES_MAX);
    let text = text.map_err(|error| match Trouble::from(&error) {
        Trouble::Device => StoreError::Disk(error),
        _ => no_marker(),
    })?;
    // of a later version nothing else needs to read as it does here
    let Version { format } = serde_json::from_slice(&text).map_err(|_| no_marker())?;
    if format != FORMAT {
        return Err(StoreError::LaterVersion { path: path.to_owned(), found: format });
    }
    serde_json::from_slice(&text).map_err(|_| no_marker())
}

/// What a marker of any version says first.
#[derive(Deserialize)]
struct Version {
    format: u32,
}

/// Errors: `SlotBytes`.
fn check_slot_bytes(path: &Path, marker: &Marker) -> Result<()> {
    let slot_bytes = marker.slot_bytes;
    if slot_bytes < 2 * BLOCK || !slot_bytes.is_multiple_of(BLOCK) {
        return Err(StoreError::SlotBytes { path: path.to_owned(), slot_bytes });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
