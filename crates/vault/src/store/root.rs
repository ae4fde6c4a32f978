//! One root of the store: a folder on one disk, its slots, and whether it can be used now.

use super::{
    BLOCK, Batch, FORMAT, Family, Location, Marker, Piece, Result, Scan, SlotHeader, StoreError, Trouble, Usage,
};
use disk::{Disk, DiskFile, Open};
use domain::{
    ReelId, SiteId, UtcMicros,
    limit::{BLOCK_BYTES, SLOTS_PER_ROOT_MAX},
};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

/// Slots of root n have the numbers from n · 2^24 + 1 on (decision 0058).
const SLOT_BITS: u32 = 24;
const _: () = assert!(SLOTS_PER_ROOT_MAX == (1 << SLOT_BITS) - 1);
const MARKER_BYTES_MAX: usize = 64 * 1024;
/// Written and read back where a disk refused a write, before footage is trusted to it again.
const PROBE: &str = "probe";

/// One root.
pub struct Root {
    disk: Arc<dyn Disk>,
    pub path: PathBuf,
    pub marker: Marker,
    state: Mutex<State>,
    /// Held while a slot is written with zeros: two who made the same one would wipe each other's.
    creating: Mutex<()>,
    /// Why nothing is written here now; `None` while all is well.
    out: Mutex<Option<Trouble>>,
    /// Bytes of this disk that are another's, such as what is left of the reserve of holds: no slot is made of them.
    left_alone: AtomicU64,
    /// Too much of what the catalog knows here is missing: nothing is freed (decision 0059).
    held: AtomicBool,
}

#[derive(Default)]
struct State {
    slots: BTreeSet<u32>,
    /// The highest slot that a live reel was ever said to lie in, also where the disk has no such slot (any more): what was written to
    /// an old image of a disk lies in slots that the disk itself never had. None is made up to here: it would be that reel's, too.
    named: u32,
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

impl Root {
    /// Makes a new root. Nothing is overwritten.
    pub fn create(disk: Arc<dyn Disk>, path: &Path, marker: Marker) -> Result<Root> {
        if disk.exists(&path.join("marker.json"))? {
            return Err(StoreError::Exists { path: path.to_owned() });
        }
        check_slot_bytes(path, &marker)?;
        disk.create_dir(&path.join("slots"))?;
        let text = serde_json::to_vec_pretty(&marker).expect("a marker is plain data");
        disk::write_all(&*disk, &path.join("marker.json"), &text)?;
        Root::open(disk, path, marker.site)
    }

    /// Opens a root of `site`. No slot counts as free until [`Root::in_use`] says which are not.
    pub fn open(disk: Arc<dyn Disk>, path: &Path, site: SiteId) -> Result<Root> {
        let marker = read_marker(&*disk, path)?;
        if marker.site != site {
            return Err(StoreError::OtherSite { path: path.to_owned(), found: marker.site, expected: site });
        }
        check_slot_bytes(path, &marker)?;
        let (state, creating, out, held, left_alone) = Default::default();
        let store = Root { disk, path: path.to_owned(), marker, state, creating, out, left_alone, held };
        let slots = store.slot_numbers()?;
        store.state().slots = slots;
        Ok(store)
    }

    /// Whether the disk under the root's path is still the one that it was opened on. A disk may be gone, come back empty, or
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
        let ours = |slot: &u32| root_of(*slot) == self.marker.number;
        let slots: BTreeSet<u32> = slots.into_iter().filter(ours).collect();
        let mut state = self.state();
        state.named = state.named.max(slots.last().copied().unwrap_or_default());
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

    /// Takes slots, into which somebody is about to write behind what stands there, from those that are free. False: the writer has
    /// taken one of them meanwhile, and what stood there is no more.
    pub fn claim(&self, slots: &BTreeSet<u32>) -> bool {
        let mut state = self.state();
        let busy = state.tails.values().any(|(slot, _)| slots.contains(slot));
        if busy || slots.iter().any(|slot| state.taken.contains(slot)) {
            return false;
        }
        state.free.retain(|slot| !slots.contains(slot));
        true
    }

    /// Slots that hold nothing alive.
    pub fn free_slots(&self) -> BTreeSet<u32> {
        self.state().free.clone()
    }

    /// What the first block of a slot says; `None` where it was never used, or is damaged. Errors: `Disk`.
    pub fn slot_header(&self, slot: u32) -> Result<Option<SlotHeader>> {
        let mut block = vec![0; BLOCK_BYTES];
        self.open_slot(slot)?.read_at(&mut block, 0)?;
        Ok(SlotHeader::from_bytes(&block).filter(|header| header.slot == slot && header.root == self.marker.root))
    }

    /// Slots whose reels the catalog does not know.
    pub fn kept(&self) -> BTreeSet<u32> {
        self.state().kept.keys().copied().collect()
    }

    /// Frees kept slots whose deadline has passed.
    pub fn free_kept(&self, now: UtcMicros) {
        if self.is_held() {
            return;
        }
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
        self.bytes_beside(self.left_alone.load(Ordering::Relaxed))
    }

    /// As if nothing of the disk were another's: whose turn it is does not depend on the reserve of holds.
    pub(super) fn room(&self) -> Result<u64> {
        self.bytes_beside(0)
    }

    fn bytes_beside(&self, left_alone: u64) -> Result<u64> {
        self.must_be_there()?;
        let Usage { slots, slots_free, slots_max, slot_bytes } = self.usage();
        let to_make = u64::from(slots_max.saturating_sub(slots));
        let free = self.disk.free_bytes(&self.path)?.map(|bytes| bytes.saturating_sub(left_alone));
        let room = free.map_or(to_make, |bytes| bytes / slot_bytes);
        Ok((u64::from(slots_free) + to_make.min(room)) * (slot_bytes - BLOCK))
    }

    /// No slot is made of so many bytes of its disk.
    pub fn leave_alone(&self, bytes: u64) {
        self.left_alone.store(bytes, Ordering::Relaxed);
    }

    pub fn usage(&self) -> Usage {
        let state = self.state();
        Usage {
            slots: state.slots.len() as u32,
            slots_free: state.free.len() as u32,
            slots_max: self.slots_max(),
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
            if state.free.len() as u32 >= free_min || state.slots.len() as u32 >= self.slots_max() {
                return Ok(false);
            }
            let last = state.slots.last().copied().unwrap_or_default().max(state.named);
            first_slot(self.marker.number).max(last + 1)
        };
        self.must_be_there()?;
        self.must_have_space()?;
        self.create_slot(number)?;
        let mut state = self.state();
        state.slots.insert(number);
        state.free.insert(number);
        Ok(true)
    }

    /// Appends a batch (whole blocks) to a reel. Durable after [`Root::sync`]. On an error nothing of the batch
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
        if !self.is_held() {
            self.give_back(slots);
        }
    }

    fn give_back(&self, slots: impl IntoIterator<Item = u32>) {
        let mut state = self.state();
        let busy: BTreeSet<u32> = state.tails.values().map(|(slot, _)| *slot).collect();
        let free: Vec<u32> =
            slots.into_iter().filter(|slot| !busy.contains(slot) && !state.taken.contains(slot)).collect();
        let free: Vec<u32> = free.into_iter().filter(|slot| state.slots.contains(slot)).collect();
        state.free.extend(free);
    }

    /// Adds the headers of slots that are not known; see [`super::LocalStore::scan`].
    pub fn scan(&self, known: &BTreeSet<u32>, scan: &mut Scan) -> Result<()> {
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
        Ok(())
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
        self.give_back(beyond);
    }

    /// Slot and offset at which the family goes on; opens a new slot where the last is full.
    fn tail(&self, family: Family, reel: ReelId, location: &Location, taken: &mut Vec<u32>) -> Result<(u32, u64)> {
        if let Some((slot, offset)) = self.state().tails.get(&family).copied()
            && offset < self.marker.slot_bytes
        {
            return Ok((slot, offset));
        }
        let slot = loop {
            let slot = self.take_slot()?;
            match self.touch(slot) {
                Err(StoreError::Disk(error)) if error.kind() == ErrorKind::NotFound => self.forget_slot(slot),
                _ => break slot,
            }
        };
        taken.push(slot);
        let header = SlotHeader { root: self.marker.root, slot, family, reel, reel_offset: location.bytes() };
        let mut block = Batch::with_capacity(BLOCK_BYTES);
        block.bytes().extend_from_slice(&header.to_bytes());
        self.touch(slot)?.write_at(block.as_slice(), 0)?;
        Ok((slot, BLOCK))
    }

    /// A free slot that is not there: the disk was put back from another day. It would be the next one again, and again fail.
    fn forget_slot(&self, slot: u32) {
        tracing::warn!(path = %self.path.display(), slot, "a free slot is not there any more: another is taken");
        let mut state = self.state();
        state.slots.remove(&slot);
        state.taken.remove(&slot);
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
        let needed = self.marker.slot_bytes.saturating_mul(2).saturating_add(self.left_alone.load(Ordering::Relaxed));
        if free.is_some_and(|free| free < needed) {
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

    /// The slots that lie there now, by their names.
    pub fn slot_numbers(&self) -> Result<BTreeSet<u32>> {
        let names = self.disk.list(&self.path.join("slots"))?;
        let ours = |slot: &u32| root_of(*slot) == self.marker.number;
        Ok(names.iter().filter_map(|name| name.strip_suffix(".slot")?.parse().ok()).filter(ours).collect())
    }

    /// A slot's file, for reading. Errors: `RootAway` where the disk is gone or another one.
    pub fn open_slot(&self, slot: u32) -> Result<Arc<dyn DiskFile>> {
        self.disk.open(&self.slot_path(slot), Open::Read).map_err(|error| match self.must_be_there() {
            Ok(()) => error.into(),
            Err(_) => StoreError::RootAway { number: self.marker.number },
        })
    }

    /// Whether the disk is not there now, or another one is in its place.
    pub fn is_gone(&self) -> bool {
        matches!(self.trouble(), Some(Trouble::Away))
    }

    /// Why nothing is written here now.
    pub fn trouble(&self) -> Option<Trouble> {
        *self.out()
    }

    /// A write failed here: no reel begins here before [`Root::look`] finds it well. A lack of space is no failure, and whatever
    /// else fails on a disk that is away, it is away until a look finds it.
    pub fn failed(&self, error: &StoreError) {
        let trouble = Some(Trouble::from(error)).filter(|trouble| !trouble.is_full());
        let mut out = self.out();
        if trouble.is_some() && *out != Some(Trouble::Away) {
            *out = trouble;
        }
    }

    /// A write succeeded here.
    pub fn well(&self) {
        *self.out() = None;
    }

    /// Looks whether the disk is there, and where a write failed before, whether it takes one again.
    pub fn look(&self) -> Option<Trouble> {
        let looked = self.must_be_there().and_then(|()| if self.trouble().is_some() { self.probe() } else { Ok(()) });
        let trouble = looked.err().map(|error| Trouble::from(&error)).filter(|trouble| !trouble.is_full());
        *self.out() = trouble;
        trouble
    }

    fn probe(&self) -> Result<()> {
        let path = self.path.join(PROBE);
        disk::write_all(&*self.disk, &path, &[0; BLOCK_BYTES])?;
        Ok(self.disk.remove(&path)?)
    }

    /// Whether nothing may be freed here (decision 0059).
    pub fn is_held(&self) -> bool {
        self.held.load(Ordering::SeqCst)
    }

    pub fn hold(&self, held: bool) {
        self.held.store(held, Ordering::SeqCst);
    }

    /// The configuration may let a root grow, and the numbers of its slots end.
    fn slots_max(&self) -> u32 {
        self.marker.slots_max.min(SLOTS_PER_ROOT_MAX)
    }

    fn out(&self) -> MutexGuard<'_, Option<Trouble>> {
        self.out.lock().expect("no thread panics while it holds a root's trouble")
    }

    pub(crate) fn slot_path(&self, slot: u32) -> PathBuf {
        self.path.join("slots").join(format!("{slot:08}.slot"))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no thread panics while it holds the store's state")
    }
}

/// The root that a slot lies in: the high bits of its number.
pub const fn root_of(slot: u32) -> u8 {
    (slot >> SLOT_BITS) as u8
}

pub const fn first_slot(number: u8) -> u32 {
    ((number as u32) << SLOT_BITS) + 1
}

/// Errors: `NoMarker` where there is none that can be read; `LaterVersion`; `Disk` where the disk itself says that it failed, or nothing.
pub(super) fn read_marker(disk: &dyn Disk, path: &Path) -> Result<Marker> {
    let no_marker = || StoreError::NoMarker { path: path.to_owned() };
    let text = disk::read_all(disk, &path.join("marker.json"), MARKER_BYTES_MAX);
    let text = text.map_err(|error| match Trouble::from(&error) {
        Trouble::Device | Trouble::Silent => StoreError::Disk(error),
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
