//! Holds: the reserve, where held chunks lie as they were sealed, and the way there (K12).
//!
//! ```text
//! RESERVE/marker.json, slots/       a store of one root: a slot is what is held of one stream in one reel
//! RESERVE/held/HOLD-NTH-REEL        which hold, which reel, its wrapped keys, and where it lies: here, or still in the store
//! ```
//! Gathering, for as long as it takes, each step durable before the next and each found done after a crash:
//! 1 the reels of the windows; one that is still written is waited for · 2 the keeper wraps the keys of exactly the held chunks · 3 they
//! are kept here: from now on the hour's key may die · 4 fact *wrapped* · 5 records are copied, bit by bit, into a slot · 6 what is kept
//! says so · 7 fact *kept*: from now on the store's slots may be freed.
//!
//! A slot holds the reel's header, the stream's key record, the held extents and chunks, all unchanged, then the digests of the whole
//! reel and an index of what is here: an export reads it as it reads a reel.

mod gather;

pub use gather::{Gathered, Gathering};

use crate::{
    keeper::{HeldJob, KeeperError, WrappedReel},
    service::Located,
    store::{LocalStore, Location, Marker, StoreError},
};
use disk::{Disk, DiskError, Open};
use domain::{HoldId, Random, RootId, SiteId, Span, StreamId};
use gather::fragment;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Of [`HeldReel`]: a program that finds another one leaves it as it is.
const FORMAT: u16 = 1;
/// Wrapped keys of a minute are ten kilobytes.
const HELD_BYTES_MAX: usize = 1024 * 1024;
const DIGEST_BYTES: usize = 32;
const SLOT_BYTES: u64 = 8_192;
/// Never taken from its disk: ledger, keyring and registry may live there too.
const DISK_FLOOR_BYTES: u64 = 256 * 1024 * 1024;

/// Why something cannot be held now. Nothing of it is lost: it is tried again.
#[derive(Debug, thiserror::Error)]
pub enum HoldError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Disk(#[from] DiskError),
    #[error(transparent)]
    Keeper(#[from] KeeperError),
    #[error("where the footage lies is not known ({0}): it is asked for again each second")]
    Located(String),
    #[error("the disk of the reserve is not there: mount the disk of `store.folder` again")]
    Away,
    #[error("`{path}` is no note of what is held: it was changed, or a later program wrote it; install that one again")]
    Note { path: PathBuf },
    #[error(
        "the reserve is full: {used} of {max} bytes are used, {needed} more are needed; have holds collected, or enlarge it"
    )]
    Full { used: u64, max: u64, needed: u64 },
}

type Result<T> = std::result::Result<T, HoldError>;

/// What is held of one stream in one reel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldReel {
    format: u16,
    pub hold: HoldId,
    pub stream: StreamId,
    /// The window for which it is held, and its place among those of the hold: two may touch one reel.
    pub span: Span,
    nth: u16,
    /// In the reserve once `is_here`, else in the store.
    pub located: Located,
    pub wrapped: WrappedReel,
    pub is_here: bool,
    /// Of its slot; as long as it is not there, about as many.
    pub bytes: u64,
}

impl HeldReel {
    /// What stands in a note, and the digest of it.
    pub fn to_note(&self) -> Vec<u8> {
        let mut bytes = postcard::to_stdvec(self).expect("a note is plain data");
        bytes.extend_from_slice(blake3::hash(&bytes).as_bytes());
        bytes
    }

    /// `None` for bytes that are no note of this format, or not as it was written.
    pub fn from_note(bytes: &[u8]) -> Option<HeldReel> {
        let (note, digest) = bytes.split_last_chunk::<DIGEST_BYTES>()?;
        let held: HeldReel = postcard::from_bytes(note).ok().filter(|_| blake3::hash(note).as_bytes() == digest)?;
        // its pieces follow each other in one root
        Location::from_bytes(&held.located.location.to_bytes())?;
        (held.format == FORMAT).then_some(held)
    }
}

/// Where held footage lies.
pub struct Reserve {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    pub store: LocalStore,
    /// It never holds more.
    pub bytes_max: u64,
}

/// Where a reserve is to be found, for who only reads it.
#[derive(Clone)]
pub struct ReserveAt {
    pub disk: Arc<dyn Disk>,
    pub path: PathBuf,
    pub site: SiteId,
    pub bytes_max: u64,
}

impl ReserveAt {
    pub fn read(&self) -> Result<Reserve> {
        Reserve::read(self.disk.clone(), &self.path, self.site, self.bytes_max)
    }
}

impl Reserve {
    /// Opens it; makes it where there is none.
    pub fn open(
        disk: Arc<dyn Disk>,
        path: &Path,
        site: SiteId,
        bytes_max: u64,
        random: &dyn Random,
    ) -> Result<Reserve> {
        disk.create_dir(&path.join("held"))?;
        if !disk.exists(&path.join("marker.json"))? {
            let marker =
                Marker { format: 1, site, root: RootId::draw(random), slot_bytes: SLOT_BYTES, slots_max: 0, number: 0 };
            LocalStore::create(disk.clone(), path, marker)?;
        }
        Reserve::read(disk, path, site, bytes_max)
    }

    /// Opens one that is there, for reading.
    pub fn read(disk: Arc<dyn Disk>, path: &Path, site: SiteId, bytes_max: u64) -> Result<Reserve> {
        let store = LocalStore::open(disk.clone(), path, site)?;
        Ok(Reserve { disk, path: path.to_owned(), store, bytes_max })
    }

    /// All that is held, by its names' order. One note that does not read is an error: whoever took the rest for all of it would
    /// remove its slot, or hand over less than is held.
    pub fn all(&self) -> Result<Vec<HeldReel>> {
        let names = self.disk.list(&self.path.join("held"))?;
        names.iter().filter(|name| !name.ends_with(".tmp")).map(|name| self.note(name)).collect()
    }

    /// The reels of the window that covers a span of a stream, in the order of time.
    pub fn of(&self, hold: HoldId, stream: StreamId, span: Span) -> Result<Vec<HeldReel>> {
        let mut held = self.all()?;
        held.retain(|held| (held.hold, held.stream) == (hold, stream) && held.span.covers(span));
        let nth = held.first().map(|first| first.nth);
        held.retain(|held| Some(held.nth) == nth);
        held.sort_by_key(|held| held.located.first_utc);
        Ok(held)
    }

    /// Also what is still to be copied.
    pub fn used(&self) -> Result<u64> {
        Ok(self.all()?.iter().map(|held| held.bytes).sum())
    }

    /// What does not stand any more leaves: 1 the slot · 2 the note. Its keys are dead. How many left.
    pub fn keep_only(&self, jobs: &[HeldJob]) -> Result<usize> {
        let mut left = 0;
        for held in self.all()? {
            let stands = |job: &HeldJob| job.hold == held.hold && job.hours.contains(&held.wrapped.hour);
            if jobs.iter().any(stands) {
                continue;
            }
            self.drop_slot(&held)?; // 1
            self.disk.remove(&self.note_path(&held))?; // 2
            left += 1;
        }
        if left > 0 {
            self.disk.sync_dir(&self.path.join("held"))?;
        }
        self.drop_orphans()?;
        Ok(left)
    }

    fn drop_slot(&self, held: &HeldReel) -> Result<()> {
        for slot in held.located.location.slots().filter(|_| held.is_here) {
            let path = self.slot_path(slot);
            if self.disk.exists(&path)? {
                self.disk.remove(&path)?;
            }
        }
        Ok(())
    }

    /// Slots that no note names: a crash came between a copy and its note.
    fn drop_orphans(&self) -> Result<()> {
        let named: BTreeSet<PathBuf> =
            self.slots_of(&self.all()?).into_iter().map(|slot| self.slot_path(slot)).collect();
        let folder = self.path.join("slots");
        for name in self.disk.list(&folder)? {
            let path = folder.join(name);
            if !named.contains(&path) {
                self.disk.remove(&path)?;
            }
        }
        Ok(())
    }

    fn slots_of(&self, held: &[HeldReel]) -> BTreeSet<u32> {
        held.iter()
            .filter(|held| held.is_here)
            .flat_map(|held| held.located.location.slots().collect::<Vec<_>>())
            .collect()
    }

    fn slot_path(&self, slot: u32) -> PathBuf {
        self.store.roots()[0].slot_path(slot)
    }

    fn note_path(&self, held: &HeldReel) -> PathBuf {
        self.path.join("held").join(format!("{}-{}-{}", held.hold, held.nth, held.located.reel))
    }

    fn note(&self, name: &str) -> Result<HeldReel> {
        let path = self.path.join("held").join(name);
        let bytes = disk::read_all(&*self.disk, &path, HELD_BYTES_MAX)?;
        HeldReel::from_note(&bytes).ok_or(HoldError::Note { path })
    }

    fn put(&self, held: &HeldReel) -> Result<()> {
        Ok(disk::write_all(&*self.disk, &self.note_path(held), &held.to_note())?)
    }

    /// By its own bound, and by what its disk has beside ledger and keyring, which may lie there too.
    fn must_have_room(&self, used: u64, needed: u64) -> Result<()> {
        if self.bytes_max < used.saturating_add(needed) {
            return Err(HoldError::Full { used, max: self.bytes_max, needed });
        }
        match self.disk.free_bytes(&self.path)? {
            Some(free) if free < needed.saturating_add(DISK_FLOOR_BYTES) => {
                Err(HoldError::Full { used, max: used.saturating_add(free), needed })
            }
            _ => Ok(()),
        }
    }

    /// Behind every file that is there: a note whose writing was said to have failed may name one of them all the same.
    fn next_slot(&self) -> Result<u32> {
        let names = self.disk.list(&self.path.join("slots"))?;
        let number = |name: &String| name.split('.').next()?.parse::<u32>().ok();
        Ok(names.iter().filter_map(number).max().map_or(crate::store::first_slot(0), |last| last + 1))
    }

    /// 5 and 6.
    fn copy(&self, store: &LocalStore, held: &HeldReel, all: &[HeldReel]) -> Result<HeldReel> {
        let used: u64 = all.iter().filter(|other| other.is_here).map(|other| other.bytes).sum();
        self.must_have_room(used, held.bytes)?;
        let copied = fragment(store, held)?;
        let needed = copied.bytes.len() as u64;
        self.must_have_room(used, needed)?;
        let slot = self.next_slot()?;
        let file = self.disk.open(&self.slot_path(slot), Open::Create)?;
        file.write_at(&copied.bytes, 0)?;
        file.sync()?;
        self.disk.sync_dir(&self.path.join("slots"))?; // 5
        let mut location = Location::default();
        location.pieces.push(crate::store::Piece { slot, slot_offset: 0, reel_offset: 0, bytes: needed });
        location.index = Some(copied.index);
        let located = Located { location, entries: None, ..held.located.clone() };
        let held = HeldReel { located, is_here: true, bytes: needed, ..held.clone() };
        self.put(&held)?; // 6
        Ok(held)
    }
}

/// Keys of held footage come from its wrapped ones: a keeper as a replay or an export sees it.
#[cfg(feature = "view")]
pub struct HeldKeeper<'a> {
    pub keeper: &'a dyn crate::Keeper,
    pub hold: HoldId,
    pub held: &'a [HeldReel],
}

#[cfg(feature = "view")]
mod held_keeper {
    use super::HeldKeeper;
    use crate::keeper::{
        Ask, Beat, ExtentsQuery, Fact, HeldQuery, Keeper, KeeperError, KeyAnswer, KeyQuery, Minted, Pulse,
        SessionSecret, StreamFate, Verdict, WrapQuery, Wrapping,
    };
    use domain::{Hour, RunId, StreamId};

    impl Keeper for HeldKeeper<'_> {
        fn keys(&self, query: &KeyQuery) -> Result<KeyAnswer, KeeperError> {
            let wanted = |reel| query.parts.iter().any(|part| part.reel == reel);
            let reels = self.held.iter().filter(|held| held.stream == query.stream && wanted(held.located.reel));
            let reels = reels.map(|held| held.wrapped.clone()).collect();
            let (permit, hold, stream, span) = (query.permit.clone(), self.hold, query.stream, query.span);
            self.keeper.held_keys(&HeldQuery { permit, hold, stream, span, reels })
        }
        fn mint(&self, hour: Hour, run: RunId, streams: &[StreamId]) -> Result<Vec<Minted>, KeeperError> {
            self.keeper.mint(hour, run, streams)
        }
        fn pass(&self, session: &SessionSecret, ask: &Ask) -> Result<Verdict, KeeperError> {
            self.keeper.pass(session, ask)
        }
        fn check(&self, beat: &Beat) -> Result<Pulse, KeeperError> {
            self.keeper.check(beat)
        }
        fn enter(&self, facts: &[Fact]) -> Result<(), KeeperError> {
            self.keeper.enter(facts)
        }
        fn begin_rebuild(&self, reels: u64, why: &str) -> Result<u64, KeeperError> {
            self.keeper.begin_rebuild(reels, why)
        }
        fn extents(&self, query: &ExtentsQuery) -> Result<Vec<StreamFate>, KeeperError> {
            self.keeper.extents(query)
        }
        fn wrap(&self, query: &WrapQuery) -> Result<Wrapping, KeeperError> {
            self.keeper.wrap(query)
        }
        fn held_keys(&self, query: &HeldQuery) -> Result<KeyAnswer, KeeperError> {
            self.keeper.held_keys(query)
        }
    }
}
