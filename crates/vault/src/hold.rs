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

use crate::{
    digests::digests,
    keeper::{Fact, HeldJob, Keeper, KeeperError, ReelPart, WrapQuery, WrappedReel},
    part::{Part, part_of},
    service::Located,
    store::{LocalStore, Location, Marker, StoreError},
};
use disk::{Disk, DiskError, Open};
use domain::{HoldId, Random, RootId, SiteId, Span, StreamId, Window};
use seal::{
    Kind,
    record::NO_STREAM,
    reel::{IndexEntry, record},
    root::digests_payload,
};
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
/// Catalog rows tell when the pictures of a reel were taken; one that ends so long before a span only holds a group's start.
const BEFORE_MICROS: i64 = 1_000_000;
const SLOT_BYTES: u64 = 8_192;

/// Why something cannot be held now. Nothing of it is lost: it is tried again.
#[derive(Debug, thiserror::Error)]
pub enum HoldError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Disk(#[from] DiskError),
    #[error(transparent)]
    Keeper(#[from] KeeperError),
    #[error("where the footage lies is not known: {0}")]
    Located(String),
    #[error("`{path}` is no note of what is held: it was changed, or a later program wrote it")]
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
    /// Of its slot.
    pub bytes: u64,
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

/// What a gathering works with.
pub struct Gathering<'a> {
    pub reserve: &'a Reserve,
    pub store: &'a LocalStore,
    pub keeper: &'a dyn Keeper,
    /// Reels of a stream that touch a span, and those before them, in the order of time.
    pub locate: &'a dyn Fn(StreamId, Span) -> std::result::Result<Vec<Located>, String>,
    /// Called after each reel that was copied, with its bytes: recording comes first.
    pub pause: &'a dyn Fn(u64),
}

/// How far one is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gathered {
    /// A reel of it is still written.
    pub waits: bool,
    pub reels: u32,
    pub bytes: u64,
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

    /// All that is held, by its names' order. One note that does not read does not hide the others.
    pub fn all(&self) -> Result<Vec<HeldReel>> {
        let names = self.disk.list(&self.path.join("held"))?;
        let read = |name: &String| match self.note(name) {
            Ok(held) => Some(held),
            Err(error) => {
                tracing::warn!(%error, "something held cannot be read");
                None
            }
        };
        Ok(names.iter().filter(|name| !name.ends_with(".tmp")).filter_map(read).collect())
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

    pub fn used(&self) -> Result<u64> {
        Ok(self.all()?.iter().filter(|held| held.is_here).map(|held| held.bytes).sum())
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
        let held: Option<HeldReel> = postcard::from_bytes(&bytes).ok();
        held.filter(|held| held.format == FORMAT).ok_or(HoldError::Note { path })
    }

    fn put(&self, held: &HeldReel) -> Result<()> {
        let bytes = postcard::to_stdvec(held).expect("a note is plain data");
        Ok(disk::write_all(&*self.disk, &self.note_path(held), &bytes)?)
    }

    /// 5 and 6.
    fn copy(&self, store: &LocalStore, held: &HeldReel, all: &[HeldReel]) -> Result<HeldReel> {
        let copied = fragment(store, held)?;
        let used: u64 = all.iter().filter(|other| other.is_here).map(|other| other.bytes).sum();
        let needed = copied.bytes.len() as u64;
        if self.bytes_max < used.saturating_add(needed) {
            return Err(HoldError::Full { used, max: self.bytes_max, needed });
        }
        let slot = self.slots_of(all).last().map_or(crate::store::first_slot(0), |last| last + 1);
        let path = self.slot_path(slot);
        if self.disk.exists(&path)? {
            self.disk.remove(&path)?; // a crash came before its note
        }
        let file = self.disk.open(&path, Open::Create)?;
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

impl Gathering<'_> {
    /// Does what can be done now of one hold.
    pub fn gather(&self, job: &HeldJob) -> Result<Gathered> {
        let mut all = self.reserve.all()?;
        let mut gathered = Gathered::default();
        for (nth, window) in (0..).zip(&job.windows) {
            gathered.waits |= self.wrap(job.hold, nth, window, &mut all)?;
        }
        if gathered.waits {
            return Ok(gathered);
        }
        self.keeper.enter(&[Fact::HoldWrapped { hold: job.hold }])?; // 4
        for place in 0..all.len() {
            if all[place].hold == job.hold && !all[place].is_here {
                all[place] = self.reserve.copy(self.store, &all[place], &all)?; // 5, 6
                (self.pause)(all[place].bytes);
            }
        }
        let own = all.iter().filter(|held| held.hold == job.hold);
        (gathered.reels, gathered.bytes) = own.fold((0, 0), |(n, bytes), held| (n + 1, bytes + held.bytes));
        let fact = Fact::HoldKept { hold: job.hold, reels: gathered.reels, bytes: gathered.bytes };
        self.keeper.enter(&[fact])?; // 7
        Ok(gathered)
    }

    /// 1 to 3, of one window. Whether a reel of it is still written.
    fn wrap(&self, hold: HoldId, nth: u16, window: &Window, all: &mut Vec<HeldReel>) -> Result<bool> {
        let stream = StreamId::main(window.camera);
        let mut reels = (self.locate)(stream, window.span).map_err(HoldError::Located)?; // 1
        let is_open = |located: &Located| located.entries.is_some();
        let waits = reels.iter().any(is_open);
        reels.retain(|located| !is_open(located));
        let before = window.span.from().plus_micros(-BEFORE_MICROS);
        let (mut passed, reels): (Vec<_>, Vec<_>) = reels.into_iter().partition(|located| located.last_utc < before);
        let mut is_first = true;
        for mut located in reels {
            let known = |held: &HeldReel| (held.hold, held.nth, held.located.reel) == (hold, nth, located.reel);
            if all.iter().any(known) {
                is_first = false;
                continue;
            }
            let Some(part) = self.part(&mut located)? else { continue };
            let ask = |parts| WrapQuery { hold, stream, span: window.span, parts };
            let mut answer = match self.keeper.wrap(&ask(vec![part.clone()])) {
                Err(KeeperError::Closed { .. }) => continue, // it died before anybody asked for it
                answer => answer?,                           // 2
            };
            if let Some(needed) = answer.needs.filter(|_| is_first)
                && let Some(from) = passed.iter().position(|passed| passed.reel == needed)
            {
                let earlier =
                    passed[from..].iter_mut().map(|located| self.part(located)).collect::<Result<Vec<_>>>()?;
                match self.keeper.wrap(&ask(earlier.into_iter().flatten().chain([part]).collect())) {
                    Err(KeeperError::Closed { .. }) => {} // its head cannot be decoded then (R8)
                    whole => answer = whole?,
                }
            }
            for wrapped in answer.reels {
                is_first = false;
                let of = std::iter::once(&located).chain(&passed).find(|of| of.reel == wrapped.reel);
                let Some(located) = of.cloned() else { continue };
                let (format, span, is_here, bytes) = (FORMAT, window.span, false, 0);
                let held = HeldReel { format, hold, stream, span, nth, located, wrapped, is_here, bytes };
                self.reserve.put(&held)?; // 3
                all.push(held);
            }
            if is_first {
                passed.push(located);
            }
        }
        Ok(waits)
    }

    /// `None` for a reel that is not there any more, or holds nothing of the stream.
    fn part(&self, located: &mut Located) -> Result<Option<ReelPart>> {
        match part_of(self.store, located) {
            Ok(Part::Of(part)) => Ok(Some(part)),
            Ok(Part::Nothing | Part::OtherReel) | Err(StoreError::Gone) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// What lies in one slot of the reserve.
struct Fragment {
    bytes: Vec<u8>,
    /// Offset and bytes of its index record.
    index: (u64, u32),
}

/// Header, key record, held extents and chunks of one stream of a reel, unchanged; digests; index.
fn fragment(store: &LocalStore, held: &HeldReel) -> Result<Fragment> {
    let mut located = held.located.clone();
    let reel = located.reel;
    part_of(store, &mut located)?; // reads its entries
    let (header_digest, streams) = digests(store, &located)?;
    let mut reader = store.reader(&located.location);
    let header = reader.header(reel, 0)?.ok_or(StoreError::Gone)?;
    let mut bytes = reader.read(0, header.record_bytes())?;
    let mut index = Vec::new();
    let wanted = |entry: &&IndexEntry| {
        entry.is(Kind::Key)
            || entry.is(Kind::Extent) && held.wrapped.extents.contains(&entry.number)
            || entry.is(Kind::Chunk) && held.wrapped.chunks.contains(&entry.number)
    };
    for entry in located.entries.iter().flatten().filter(wanted) {
        let record = match reader.read(entry.offset, entry.bytes.into()) {
            Ok(record) => record,
            // what the disk does not give is told as damaged by whoever opens it; the rest is kept
            Err(StoreError::Disk(error)) => {
                tracing::warn!(%reel, %error, "part of what is held cannot be read");
                vec![0; entry.bytes as usize]
            }
            Err(error) => return Err(error.into()),
        };
        index.push(IndexEntry { offset: bytes.len() as u64, ..*entry });
        bytes.extend_from_slice(&record);
    }
    let streams = streams.iter().map(|(handle, digests)| (*handle, digests));
    append(
        &mut bytes,
        &mut index,
        record(Kind::Digests, NO_STREAM, 0, reel, &digests_payload(&header_digest, streams)),
    );
    let offset = bytes.len() as u64;
    let record = record(Kind::Index, NO_STREAM, 0, reel, &IndexEntry::to_payload(&index));
    bytes.extend_from_slice(&record);
    Ok(Fragment { bytes, index: (offset, record.len() as u32) })
}

fn append(bytes: &mut Vec<u8>, index: &mut Vec<IndexEntry>, record: Vec<u8>) {
    let (kind, offset) = (Kind::Digests.code(), bytes.len() as u64);
    index.push(IndexEntry { kind, handle: NO_STREAM, number: 0, bytes: record.len() as u32, offset });
    bytes.extend_from_slice(&record);
}

/// How many bytes a hold of these windows would take, before it is made: of the reels that are closed.
pub fn weigh(
    store: &LocalStore,
    windows: &[Window],
    locate: &dyn Fn(StreamId, Span) -> std::result::Result<Vec<Located>, String>,
) -> std::result::Result<u64, String> {
    let mut bytes = 0;
    for window in windows {
        let stream = StreamId::main(window.camera);
        for located in locate(stream, window.span)? {
            let touches = window.span.touches(located.first_utc, located.last_utc);
            let entries = match &located.entries {
                Some(entries) => Some(entries.clone()),
                None if touches => {
                    crate::store::index_of(store, located.reel, &located.location, located.handle).unwrap_or_default()
                }
                None => None,
            };
            let of_reel: u64 = entries.iter().flatten().map(|entry| u64::from(entry.bytes)).sum();
            bytes += share(of_reel, &located, window);
        }
    }
    Ok(bytes)
}

/// Of a reel that the span only touches: by time.
fn share(bytes: u64, located: &Located, window: &Window) -> u64 {
    let (from, to) = (located.first_utc.max(window.span.from()), located.last_utc.min(window.span.to()));
    let (part, whole) = (to.since(from).max(0) as u128, located.last_utc.since(located.first_utc).max(1) as u128);
    u64::try_from(u128::from(bytes) * part.min(whole) / whole).unwrap_or(u64::MAX)
}

/// Keys of held footage come from its wrapped ones: a keeper as a replay or an export sees it.
#[cfg(feature = "view")]
pub struct HeldKeeper<'a> {
    pub keeper: &'a dyn Keeper,
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
