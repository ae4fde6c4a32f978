//! The local store: slots of fixed size on one or more disks, filled once each by reels of one hour and deadline, then reused (R2).
//!
//! ```text
//! ROOT/marker.json             whose store this is; nothing is written where it is missing or names another site
//! ROOT/slots/00000001.slot     block 0: slot header · then blocks of reels
//! ```
//! A reel is one stream of bytes; a [`Location`] says in which slots its pieces lie. The store sees ciphertext only.
//!
//! Each root is a folder on one disk. A reel lies in one root, and the number of a slot says in which (decision 0058), so that
//! a root that is lost loses its own reels. Where one fails, the next reel begins in another.

mod batch;
mod capacity;
mod read;
mod root;
mod slot;
mod turn;

pub use batch::Batch;
pub use capacity::{Arrival, Forecast, Trouble, forecast};
pub use read::{Reader, check_record, index_of, walk_index, whole_index};
pub use root::{Root, first_slot, root_of};
pub use slot::SlotHeader;

use disk::{Disk, DiskError, DiskFile};
use domain::{Hour, ReelId, RootId, RunId, SiteId, UtcMicros, limit::BLOCK_BYTES};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
};
use turn::Turns;

const BLOCK: u64 = BLOCK_BYTES as u64;
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
    #[error(
        "`{path}` and `{other}` are one root of the store, or a copy of it: leave one of them out of the configuration"
    )]
    SameNumber { path: PathBuf, other: PathBuf },
    #[error("root {number} of the store, on which this lies, is missing: mount its disk")]
    RootAway { number: u8 },
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
    /// The root never grows beyond this.
    pub slots_max: u32,
    /// Which of the site's roots it is, for ever: the high bits of its slots' numbers (decision 0058).
    #[serde(default)]
    pub number: u8,
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

/// A folder that the configuration names, and how many slots it may have where that is known better than by its marker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub path: PathBuf,
    pub slots_max: Option<u32>,
}

/// A root that could not be opened: its disk is not there, or another one is.
#[derive(Debug)]
pub struct Absent {
    pub path: PathBuf,
    pub why: StoreError,
}

/// A store: its roots, as far as their disks were there when it was opened.
pub struct LocalStore {
    pub site: SiteId,
    roots: Vec<Root>,
    absent: Vec<Absent>,
    known: BTreeMap<u8, RootId>,
    turns: Mutex<Turns>,
    /// What lies in the roots is to be counted before anything is freed.
    uncounted: AtomicBool,
}

/// What the first blocks of the slots say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scan {
    pub headers: Vec<SlotHeader>,
    /// The disk did not give their first block, or a later program wrote it: never to be written to.
    pub unreadable: BTreeSet<u32>,
    /// Roots whose list of slots the disk did not give: nothing is known of them.
    pub away: BTreeSet<u8>,
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
    /// The root that it lies in; `None` for an empty one, whose first slot is not taken yet.
    pub fn root(&self) -> Option<u8> {
        self.pieces.first().map(|piece| root_of(piece.slot))
    }
    pub fn slots(&self) -> impl Iterator<Item = u32> + '_ {
        self.pieces.iter().map(|piece| piece.slot)
    }
    pub fn to_bytes(&self) -> Vec<u8> {
        postcard::to_stdvec(self).expect("a list of integers serialises")
    }
    /// `None` for bytes that are no location, or one whose pieces do not follow each other in one root.
    pub fn from_bytes(bytes: &[u8]) -> Option<Location> {
        let location: Location = postcard::from_bytes(bytes).ok()?;
        let end = location.pieces.iter().try_fold(0u64, |end, piece| {
            piece.slot_offset.checked_add(piece.bytes).filter(|_| piece.reel_offset == end)?;
            end.checked_add(piece.bytes)
        });
        let one_root = location.pieces.iter().all(|piece| Some(root_of(piece.slot)) == location.root());
        end.filter(|_| one_root).map(|_| location)
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
    /// Makes a new store of one root. Nothing is overwritten.
    pub fn create(disk: Arc<dyn Disk>, path: &Path, marker: Marker) -> Result<LocalStore> {
        let root = Root::create(disk, path, marker)?;
        Ok(LocalStore::of(root.marker.site, vec![root], Vec::new()))
    }

    /// Opens a store of one root.
    pub fn open(disk: Arc<dyn Disk>, path: &Path, site: SiteId) -> Result<LocalStore> {
        LocalStore::open_all(disk, &[Place { path: path.to_owned(), slots_max: None }], site)
    }

    /// Opens a store of `site` with those of its roots that are there. No slot counts as free until [`LocalStore::in_use`]
    /// says which are not. Errors: none is there; why the first is not.
    pub fn open_all(disk: Arc<dyn Disk>, places: &[Place], site: SiteId) -> Result<LocalStore> {
        let mut store = LocalStore::open_known(disk, places, site, BTreeMap::new());
        if store.roots.is_empty() && !store.absent.is_empty() {
            return Err(store.absent.swap_remove(0).why);
        }
        Ok(store)
    }

    /// The same where it may have no root for now, and where it is known which root had which number: another one is left out.
    pub fn open_known(disk: Arc<dyn Disk>, places: &[Place], site: SiteId, known: BTreeMap<u8, RootId>) -> LocalStore {
        LocalStore::open_each(&mut |_| disk.clone(), places, site, known)
    }

    /// The same with a disk for each place: what one of them makes wait holds up no other.
    pub fn open_each(
        disk: &mut dyn FnMut(&Place) -> Arc<dyn Disk>,
        places: &[Place],
        site: SiteId,
        known: BTreeMap<u8, RootId>,
    ) -> LocalStore {
        let (mut roots, mut absent): (Vec<Root>, Vec<Absent>) = Default::default();
        for place in places {
            let opened = open_root(disk(place), &place.path, site, &known).and_then(|mut root| {
                root.marker.slots_max = place.slots_max.unwrap_or(root.marker.slots_max);
                match roots.iter().find(|other| other.marker.number == root.marker.number) {
                    None => Ok(root),
                    Some(other) => Err(StoreError::SameNumber { path: root.path, other: other.path.clone() }),
                }
            });
            match opened {
                Ok(root) => roots.push(root),
                Err(why) => absent.push(Absent { path: place.path.clone(), why }),
            }
        }
        LocalStore { known, ..LocalStore::of(site, roots, absent) }
    }

    /// Which root has which number, of those that were known and those that are there: to be remembered for the next start.
    pub fn known(&self) -> BTreeMap<u8, RootId> {
        let there = self.roots.iter().map(|root| (root.marker.number, root.marker.root));
        self.known.clone().into_iter().chain(there).collect()
    }

    /// Whether the root of a folder that was absent could be opened now.
    pub fn has_come(&self, disk: &Arc<dyn Disk>, absent: &Absent) -> bool {
        let is_new = |root: &Root| self.root(root.marker.number).is_err();
        open_root(disk.clone(), &absent.path, self.site, &self.known).is_ok_and(|root| is_new(&root))
    }

    /// Whether a root is of the version that this program reads; changes nothing. One that is away is not judged.
    ///
    /// Errors: `LaterVersion`.
    pub fn check_version(disk: &dyn Disk, path: &Path) -> Result<()> {
        match root::read_marker(disk, path) {
            Err(error @ StoreError::LaterVersion { .. }) => Err(error),
            _ => Ok(()),
        }
    }

    fn of(site: SiteId, roots: Vec<Root>, absent: Vec<Absent>) -> LocalStore {
        let (known, turns, uncounted) = Default::default();
        LocalStore { site, roots, absent, known, turns, uncounted }
    }

    /// The roots that were there when the store was opened.
    pub fn roots(&self) -> &[Root] {
        &self.roots
    }

    /// Those that were not.
    pub fn absent(&self) -> &[Absent] {
        &self.absent
    }

    /// Errors: `RootAway` for one that was not there when the store was opened.
    pub fn root(&self, number: u8) -> Result<&Root> {
        self.roots.iter().find(|root| root.marker.number == number).ok_or(StoreError::RootAway { number })
    }

    /// Whether a reel lies on a disk that is not there now. Of one that has no slot yet nobody knows while any disk is missing.
    pub fn is_away(&self, location: &Location) -> bool {
        match location.root() {
            Some(number) => self.root(number).is_err() || self.root(number).is_ok_and(|root| root.is_gone()),
            None => !self.absent.is_empty() || self.roots.iter().any(Root::is_gone),
        }
    }

    /// Whether nothing is to be freed or deleted of what lies there: its disk is away, or too much of it is missing.
    pub fn is_held(&self, location: &Location) -> bool {
        let held = |number| self.root(number).is_ok_and(Root::is_held);
        self.is_away(location) || location.root().is_some_and(held)
    }

    /// Until [`LocalStore::counted`] nothing is freed: a disk that has just come may be another one (K10).
    pub fn await_census(&self) {
        self.uncounted.store(true, Ordering::SeqCst);
    }

    pub fn counted(&self) {
        self.uncounted.store(false, Ordering::SeqCst);
    }

    pub fn is_counted(&self) -> bool {
        !self.uncounted.load(Ordering::SeqCst)
    }

    /// Whether every root is there and takes what is written.
    pub fn is_whole(&self) -> bool {
        self.absent.is_empty() && self.roots.iter().all(|root| root.trouble().is_none())
    }

    /// Whether the disk of any root is still the one that it was opened on. Errors: why the first is not, where none is.
    pub fn must_be_there(&self) -> Result<()> {
        let looked: Vec<Result<()>> = self.roots.iter().map(Root::must_be_there).collect();
        let none = || Err(StoreError::RootAway { number: 0 });
        if looked.iter().any(Result::is_ok) { Ok(()) } else { looked.into_iter().next().unwrap_or_else(none) }
    }

    /// Tells which slots hold live reels: all others are free, but for those that are being written to.
    pub fn in_use(&self, slots: impl IntoIterator<Item = u32>) {
        let slots: BTreeSet<u32> = slots.into_iter().collect();
        self.roots.iter().for_each(|root| root.in_use(slots.iter().copied()));
    }

    /// Keeps slots whose reels the catalog does not know, each until its deadline.
    pub fn keep(&self, slots: impl IntoIterator<Item = (u32, UtcMicros)>) {
        for (slot, deadline) in slots {
            self.having(slot, |root| root.keep([(slot, deadline)]));
        }
    }

    /// The catalog knows the reels of these slots now: they are freed by it, and no longer by their deadline.
    pub fn adopt(&self, slots: impl IntoIterator<Item = u32>) {
        slots.into_iter().for_each(|slot| self.having(slot, |root| root.adopt([slot])));
    }

    /// Takes the slots of a reel, behind which somebody is about to write its end, from those that are free. False: the writer has
    /// taken one of them meanwhile, and the reel is no more.
    pub fn claim(&self, location: &Location) -> bool {
        let slots = location.slots().collect();
        location.root().is_none_or(|number| self.root(number).is_ok_and(|root| root.claim(&slots)))
    }

    /// Slots that hold nothing alive.
    pub fn free_slots(&self) -> BTreeSet<u32> {
        self.roots.iter().flat_map(Root::free_slots).collect()
    }

    /// What the first block of a slot says; `None` where it was never used, or is damaged. Errors: `Disk`, `RootAway`.
    pub fn slot_header(&self, slot: u32) -> Result<Option<SlotHeader>> {
        self.root(root_of(slot))?.slot_header(slot)
    }

    /// Slots whose reels the catalog does not know.
    pub fn kept(&self) -> BTreeSet<u32> {
        self.roots.iter().flat_map(Root::kept).collect()
    }

    /// Frees kept slots whose deadline has passed.
    pub fn free_kept(&self, now: UtcMicros) {
        if !self.is_counted() {
            return;
        }
        self.roots.iter().for_each(|root| root.free_kept(now));
    }

    /// Bytes that can still be written before anything dies, in all roots that are there. Errors: why the first is not, where
    /// none is.
    pub fn free_bytes(&self) -> Result<u64> {
        let mut answers = self.roots.iter().map(Root::free_bytes).collect::<Vec<_>>();
        let known: Vec<u64> = answers.iter().filter_map(|answer| answer.as_ref().ok().copied()).collect();
        if known.is_empty() {
            let none = Err(StoreError::RootAway { number: 0 });
            return if answers.is_empty() { none } else { answers.swap_remove(0) };
        }
        Ok(known.into_iter().fold(0, u64::saturating_add))
    }

    /// Of all roots together; slots of another size than the first root's are counted in its size.
    pub fn usage(&self) -> Usage {
        let slot_bytes = self.roots.first().map_or(BLOCK, |root| root.marker.slot_bytes);
        let mut all = Usage { slots: 0, slots_free: 0, slots_max: 0, slot_bytes };
        for of in self.roots.iter().map(Root::usage) {
            let scaled = |slots: u32| (u64::from(slots) * of.slot_bytes / slot_bytes) as u32;
            all.slots = all.slots.saturating_add(scaled(of.slots));
            all.slots_free = all.slots_free.saturating_add(scaled(of.slots_free));
            all.slots_max = all.slots_max.saturating_add(scaled(of.slots_max));
        }
        all
    }

    /// Whether a slot is free, or may be made, anywhere.
    pub fn has_room(&self) -> bool {
        self.roots.iter().any(Root::has_room)
    }

    /// Writes one more slot with zeros in each root that lacks one, so that recording later finds written blocks; false when
    /// there are enough. Errors: why the first could not, where none could.
    pub fn prepare(&self, free_min: u32) -> Result<bool> {
        let usable = |root: &&Root| self.roots.len() == 1 || root.trouble().is_none();
        let made: Vec<Result<bool>> = self.roots.iter().filter(usable).map(|root| root.prepare(free_min)).collect();
        if made.iter().any(Result::is_ok) || made.is_empty() {
            return Ok(made.iter().any(|made| matches!(made, Ok(true))));
        }
        made.into_iter().find(Result::is_err).unwrap_or(Ok(false))
    }

    /// Appends a batch (whole blocks) to a reel. Durable after [`LocalStore::sync`]. On an error nothing of the batch
    /// counts: the location is as before.
    pub fn append(&self, family: Family, reel: ReelId, location: &mut Location, batch: &[u8]) -> Result<()> {
        let root = match location.root() {
            Some(number) => self.root(number)?,
            None => self.begin(family)?,
        };
        let written = root.append(family, reel, location, batch).inspect_err(|error| root.failed(error));
        if written.is_ok() && self.roots.len() == 1 {
            root.well(); // of several, one that failed is looked at first
        }
        written
    }

    /// Everything appended is durable when this returns. After an error nothing appended since the last success counts,
    /// and a later sync does not mend it: the kernel reports a lost page once.
    pub fn sync(&self) -> Result<()> {
        self.sync_each().into_iter().next().map_or(Ok(()), |(_, error)| Err(error))
    }

    /// The same; which roots failed, and why: what was appended to the others is durable.
    pub fn sync_each(&self) -> Vec<(u8, StoreError)> {
        let synced = |root: &Root| root.sync().inspect_err(|error| root.failed(error));
        self.roots.iter().filter_map(|root| Some((root.marker.number, synced(root).err()?))).collect()
    }

    /// Makes all bytes of a location durable, also those that a process wrote which died before its sync.
    pub fn settle(&self, location: &Location) -> Result<()> {
        match location.root() {
            Some(number) => self.root(number)?.settle(location),
            None => self.must_be_there(),
        }
    }

    /// The catalog's rows protect these slots now, or nothing in them lives.
    pub fn release(&self, slots: impl IntoIterator<Item = u32>) {
        slots.into_iter().for_each(|slot| self.having(slot, |root| root.release([slot])));
    }

    /// Where a new reel of the family will begin, as an empty location: written down before its first byte, so that a
    /// recovery finds it in a slot that it shares. Empty where it will begin a slot, whose header then names it.
    pub fn next_place(&self, family: Family) -> Location {
        let place = self.next_root().map(|root| root.next_place(family)).unwrap_or_default();
        if let Some(number) = place.root() {
            self.began(number);
        }
        place
    }

    /// No more reels go where these families stopped: a reel that follows begins a slot of its own.
    pub fn finish(&self, done: impl Fn(&Family) -> bool) {
        self.roots.iter().for_each(|root| root.finish(&done));
    }

    /// Gives slots back that hold nothing alive (K10 step 5); the caller knows of no live reel in them. Their ciphertext
    /// stays until it is overwritten; its keys are dead. Nothing is freed in a root that is held.
    pub fn free(&self, slots: impl IntoIterator<Item = u32>) {
        slots.into_iter().for_each(|slot| self.having(slot, |root| root.free([slot])));
    }

    /// Reads bytes of a reel once; for many reads, [`LocalStore::reader`]. Errors: `OutsideReel`, `RootAway`, `Disk`.
    pub fn read(&self, location: &Location, offset: u64, bytes: u64) -> Result<Vec<u8>> {
        self.reader(location).read(offset, bytes)
    }

    /// Reads of one reel, each slot opened once.
    pub fn reader<'a>(&'a self, location: &'a Location) -> Reader<'a> {
        Reader::new(self, location)
    }

    /// The header of every slot that was ever used, but for slots that are known well enough: in the steady state nearly
    /// all, and a disk needs 8 ms for each. The names of the slots become durable first: a process that was killed may have
    /// made one whose name no sync covers, and what is written into it next must not vanish with it. Errors: the only root
    /// does not give its list; of several, one that does not is told in [`Scan::away`].
    pub fn scan(&self, known: &BTreeSet<u32>) -> Result<Scan> {
        let mut scan = Scan::default();
        for root in &self.roots {
            match root.scan(known, &mut scan) {
                Err(error) if self.roots.len() == 1 => return Err(error),
                Err(error) => {
                    root.failed(&error);
                    scan.away.insert(root.marker.number);
                }
                Ok(()) => {}
            }
        }
        Ok(scan)
    }

    /// A location that also covers what may have been written after the catalog last heard of it: the rest of its last
    /// slot, then the slots whose headers name the reel, as long as each goes on where the one before ends.
    pub fn extended(&self, location: &Location, reel: ReelId, headers: &[SlotHeader]) -> Location {
        let mut pieces = location.pieces.clone();
        if let Some(last) = pieces.last_mut() {
            last.bytes = self.slot_bytes(last.slot).saturating_sub(last.slot_offset);
        }
        let known: BTreeSet<u32> = location.slots().collect();
        loop {
            let end = pieces.last().map_or(0, |piece| piece.reel_offset + piece.bytes);
            let goes_on = |header: &&SlotHeader| {
                header.reel == reel && header.reel_offset == end && !known.contains(&header.slot)
            };
            let Some(next) = headers.iter().find(goes_on) else { break };
            let bytes = self.slot_bytes(next.slot).saturating_sub(BLOCK);
            pieces.push(Piece { slot: next.slot, slot_offset: BLOCK, reel_offset: end, bytes });
        }
        Location { pieces, index: None }
    }

    /// Writes the end of a reel right behind `location`, durably, wherever that is: recovery's only write.
    pub fn write_end(&self, family: Family, reel: ReelId, location: &mut Location, blocks: &[u8]) -> Result<()> {
        let root = match location.root() {
            Some(number) => self.root(number)?,
            None => self.begin(family)?,
        };
        root.write_end(family, reel, location, blocks)
    }

    /// Gives back the slots that a location has and an earlier state of it had not.
    pub fn free_beyond(&self, location: &Location, earlier: &Location) {
        if let Some(root) = location.root().and_then(|number| self.root(number).ok()) {
            root.free_beyond(location, earlier);
        }
    }

    /// Bytes of a slot of that root.
    pub(crate) fn slot_bytes(&self, slot: u32) -> u64 {
        self.root(root_of(slot)).map_or(0, |root| root.marker.slot_bytes)
    }

    fn open_slot(&self, slot: u32) -> Result<Arc<dyn DiskFile>> {
        self.root(root_of(slot))?.open_slot(slot)
    }

    fn having(&self, slot: u32, act: impl FnOnce(&Root)) {
        if let Ok(root) = self.root(root_of(slot)) {
            act(root);
        }
    }
}

/// Errors: also `OtherRoot` where the number is known as another root's.
fn open_root(disk: Arc<dyn Disk>, path: &Path, site: SiteId, known: &BTreeMap<u8, RootId>) -> Result<Root> {
    let root = Root::open(disk, path, site)?;
    match known.get(&root.marker.number) {
        Some(other) if *other != root.marker.root => Err(StoreError::OtherRoot { path: path.to_owned() }),
        _ => Ok(root),
    }
}

#[cfg(test)]
mod tests;
