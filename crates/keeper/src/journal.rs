//! The ledger's journal: the truth about what was done, durable before anybody is told so (vault.md L1).
//!
//! One folder of preallocated files, written with direct I/O, one write and one sync for a group of entries; `public/` beside
//! it holds tiles, entry bundles and the checkpoint in the layout of C2SP tlog-tiles, derived and rebuilt at will.
//! `docs/formats/ledger.md` has every byte.
//!
//! Memory: 24 bytes per group (at most a few million groups a year) and half a byte per entry for the tree.

mod aligned;
mod error;
mod files;
#[cfg(feature = "fuzz")]
pub mod fuzzing;
mod group;
mod opened;
mod past;
mod public;
mod queue;
mod reserve;
mod verdict;

pub use error::{JournalError, LogKeyError};
pub use group::SealedEntry;
pub use public::{JournalPlace, public_checkpoint};
pub use reserve::{Keeping, Ready};
pub use verdict::{check_versions, each_entry, verify_folder};

use disk::{Disk, DiskError, Open};
use domain::{Random, Secret32, SiteId, UtcMicros};
use files::{End, Folder, GroupPlace, Scanned, Writer};
use ledger::{
    Actor, Checkpoint, CheckpointKey, CheckpointSigner, Commitment, Digest, Entry, Event, LogId, Month, Salt,
    SealedPlace, Tree, batch_entries, commitment, origin,
};
use public::Publisher;
use queue::{Draft, Queue};
use reserve::Reserve;
use std::{
    ops::Range,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};
use tracing::warn;

/// Hands out the monthly log keys, under which details are sealed (L2). The keyring has them.
pub trait LogKeys: Send + Sync {
    /// For reading: makes none.
    fn month_key(&self, month: Month) -> Result<Secret32, LogKeyError>;
    /// For writing: made when missing.
    fn month_key_to_write(&self, month: Month) -> Result<Secret32, LogKeyError> {
        self.month_key(month)
    }
}

/// Sizes of the journal's files. Tests use small ones.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct JournalSizes {
    /// Of a file, a multiple of 4,096. 16 MiB hold about three days of a quiet town.
    pub file_bytes: u64,
    /// Of the reserve, a multiple of 4,096: 32 MiB hold about a week of a quiet town.
    pub reserve_bytes: u64,
    /// Of the records of a group; at most a quarter of a file, so that files end well filled.
    pub group_bytes_max: usize,
}

impl Default for JournalSizes {
    fn default() -> JournalSizes {
        JournalSizes { file_bytes: 16 << 20, reserve_bytes: 32 << 20, group_bytes_max: 4 << 20 }
    }
}

/// What a journal needs of the world.
#[derive(Clone)]
pub struct JournalParts {
    pub disk: Arc<dyn Disk>,
    pub place: JournalPlace,
    pub sizes: JournalSizes,
    pub site: SiteId,
    pub log: LogId,
    /// Signs checkpoints (Ed25519).
    pub seed: Secret32,
    pub keys: Arc<dyn LogKeys>,
    pub random: Arc<dyn Random>,
}

/// The open journal. All methods take `&self`; entries of several threads share a write.
pub struct Journal {
    parts: JournalParts,
    folder: Folder,
    signer: CheckpointSigner,
    queue: Queue,
    writer: Mutex<Writer>,
    known: Mutex<Known>,
    publisher: Mutex<Publisher>,
    /// What the writer knows, for callers that do not wait for it.
    on_reserve: AtomicBool,
}

/// What is durable, for readers.
#[derive(Default)]
struct Known {
    tree: Tree,
    groups: Vec<GroupPlace>,
}

impl Journal {
    /// Makes the journal of a new log, whose first entry is `opening` ([`Event::Opened`] or [`Event::Successor`]). A crash
    /// on the way leaves files without an entry; making it again then succeeds.
    pub fn create(parts: JournalParts, opening: &Entry) -> Result<Journal, JournalError> {
        let folder = folder_of(&parts);
        parts.disk.create_dir(&folder.path)?;
        let journal = Journal::load(parts)?;
        if journal.size() > 0 {
            return Err(JournalError::AlreadyThere { folder: folder.path });
        }
        journal.append(std::slice::from_ref(opening))?;
        Ok(journal)
    }

    /// Opens the journal: 1 scan the chain and its reserve, cut a torn tail · 2 compare with the published checkpoint · 3 settle
    /// the last group, so that it is certain before anything is built on it · 4 carry back what the reserve kept. Where 3
    /// fails the reserve takes over; where that fails too the journal is open for reading and refuses every entry.
    pub fn open(parts: JournalParts) -> Result<Journal, JournalError> {
        let folder = folder_of(&parts);
        let missing = || JournalError::Missing { folder: folder.path.clone() };
        if !folder.holds_a_file()? {
            return Err(missing());
        }
        let journal = Journal::load(parts)?;
        if journal.size() == 0 { Err(missing()) } else { Ok(journal) }
    }

    fn load(parts: JournalParts) -> Result<Journal, JournalError> {
        let folder = folder_of(&parts);
        let signer = CheckpointSigner::new(&origin(parts.site, parts.log), &parts.seed)?;
        let published = public_checkpoint(parts.disk.as_ref(), &parts.place, &signer.public())?;
        let mut known = Known::default();
        let mut root_then = None;
        let Scanned { end, reserve } = folder.scan(Open::Direct, &mut |place, group| {
            known.groups.push(place);
            for entry in &group.entries {
                known.tree.push(&entry.commitment);
                if published.is_some_and(|published| published.size == known.tree.size()) {
                    root_then = Some(known.tree.root());
                }
            }
        })?; // 1
        compare(published, &end, root_then)?; // 2
        let last = reserve.last_in_journal();
        let has = |number, digest: &Digest| holds(&folder, &known, number, digest);
        let reserve = Reserve::new(&folder, parts.sizes.reserve_bytes, reserve, &has);
        let mut writer = Writer::new(folder.clone(), parts.sizes.file_bytes, end, reserve);
        let queue = Queue::default();
        if let Err(error) = folder.settle(last) // 3
            && let Err(second) = writer.reserve().take_over(&folder, &error)
        {
            warn!(%error, reserve = %second, "neither the journal nor its reserve takes an entry");
            queue.refuse(error);
        }
        let publisher = Mutex::new(Publisher::default());
        let (writer, known) = (Mutex::new(writer), Mutex::new(known));
        let on_reserve = AtomicBool::new(false);
        let journal = Journal { parts, folder, signer, queue, writer, known, publisher, on_reserve };
        journal.carry_back(); // 4
        Ok(journal)
    }

    /// Appends entries and returns their numbers once they are durable. Entries of one call are durable together or not at
    /// all. Callers that come while a group is being written share the next one: a group is gathered for as long as the disk
    /// needs for the one before, and for no time when it is idle.
    ///
    /// After [`JournalError::Unknown`] the entries are there or not; the journal then refuses everything until it is opened
    /// again, because after a failed sync nothing that follows could be trusted.
    pub fn append(&self, entries: &[Entry]) -> Result<Vec<u64>, JournalError> {
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        let drafts = entries.iter().map(|entry| self.draft(entry)).collect::<Result<Vec<_>, _>>()?;
        let bytes: usize = drafts.iter().map(Draft::bytes).sum();
        let bytes_max = self.parts.sizes.group_bytes_max;
        if bytes > bytes_max {
            return Err(JournalError::TooLarge { bytes, bytes_max });
        }
        let first = self.queue.submit(drafts, bytes_max, |group| self.write(group, false))?;
        Ok((first..first + entries.len() as u64).collect())
    }

    /// Closes a batch (L4): 1 pads it with dummies to 16 or a power of two, durably · 2 signs size and root · 3 writes the
    /// public files, the checkpoint last · 4 makes the journal's next file ahead of its turn. Called every minute whether or
    /// not anything happened. When 3 or 4 fails the journal goes on, and the next call makes up for it.
    pub fn checkpoint(&self, now: UtcMicros) -> Result<Checkpoint, JournalError> {
        let closed = self.queue.lead(
            self.parts.sizes.group_bytes_max,
            |group| self.write(group, false),
            || {
                self.carry_back();
                self.pad(now) // 1
            },
        )?;
        let note = self.signer.sign(closed)?; // 2
        let leaves = |range: Range<u64>| self.commitments(range).map_err(Into::into);
        let tree = lock(&self.known).tree.clone();
        lock(&self.publisher).publish(self.parts.disk.as_ref(), &self.parts.place, (&tree, &leaves), closed, &note)?; // 3
        lock(&self.writer).prepare_next_file()?; // 4
        Ok(closed)
    }

    /// The published note and what it signs; `None` where none of this log is published yet.
    pub fn published(&self) -> Result<Option<(Vec<u8>, Checkpoint)>, JournalError> {
        let note = public::read_note(self.parts.disk.as_ref(), &self.parts.place)?;
        Ok(note.and_then(|note| self.checkpoint_key().verify(&note).ok().map(|checkpoint| (note, checkpoint))))
    }

    /// How many entries are durable.
    pub fn size(&self) -> u64 {
        lock(&self.known).tree.size()
    }

    /// Size and root of everything that is durable; not signed.
    pub fn head(&self) -> Checkpoint {
        let known = lock(&self.known);
        Checkpoint { size: known.tree.size(), root: known.tree.root() }
    }

    /// What witnesses and readers verify checkpoints with.
    pub fn checkpoint_key(&self) -> CheckpointKey {
        self.signer.public()
    }

    /// One record as it lies in the journal.
    pub fn read(&self, seq: u64) -> Result<SealedEntry, JournalError> {
        let no_such_entry = JournalError::NoSuchEntry { seq, entries: self.size() };
        let Some(place) = self.places(seq..seq.saturating_add(1)).first().copied() else { return Err(no_such_entry) };
        let entries = self.folder.read(place)?;
        entries.into_iter().find(|entry| entry.seq == seq).ok_or(no_such_entry)
    }

    /// One entry in clear.
    pub fn entry(&self, seq: u64) -> Result<Entry, JournalError> {
        self.open_entry(&self.read(seq)?)
    }

    /// Opens a record that was read.
    pub fn open_entry(&self, sealed: &SealedEntry) -> Result<Entry, JournalError> {
        let (_, details) = self.open_details(sealed)?;
        Ok(Entry::from_details(&details)?)
    }

    /// Salt and details of a record: with them anybody can check its commitment.
    pub fn open_details(&self, sealed: &SealedEntry) -> Result<(Salt, Vec<u8>), JournalError> {
        open_details(self.parts.log, self.parts.keys.as_ref(), sealed)
    }

    /// Visits every record from number `from`, as many as are durable when this is called.
    pub fn each(
        &self,
        from: u64,
        visit: &mut dyn FnMut(SealedEntry) -> Result<(), JournalError>,
    ) -> Result<(), JournalError> {
        for place in self.places(from..u64::MAX) {
            self.folder.read(place)?.into_iter().filter(|entry| from <= entry.seq).try_for_each(&mut *visit)?;
        }
        Ok(())
    }

    /// The path from an entry to the root of the first `size` entries, a checkpoint's size.
    pub fn prove_inclusion(&self, size: u64, seq: u64) -> Result<Vec<Digest>, JournalError> {
        let tree = lock(&self.known).tree.clone();
        Ok(tree.prove_inclusion(size, seq, &|range| self.commitments(range).map_err(Into::into))?)
    }

    /// The proof that the first `size` entries begin with the first `old` ones.
    pub fn prove_growth(&self, size: u64, old: u64) -> Result<Vec<Digest>, JournalError> {
        let tree = lock(&self.known).tree.clone();
        Ok(tree.prove_growth(size, old, &|range| self.commitments(range).map_err(Into::into))?)
    }

    fn draft(&self, entry: &Entry) -> Result<Draft, JournalError> {
        let month = Month::of(entry.at);
        let details = entry.to_details()?;
        if details.len() > commitment::DETAILS_BYTES_MAX {
            return Err(ledger::DetailsError::TooLong { bytes: details.len() }.into());
        }
        let salt = commitment::draw_salt(self.parts.random.as_ref());
        let key = self.parts.keys.month_key_to_write(month)?;
        Ok(Draft { commitment: ledger::commit(&salt, &details), salt, details, month, key })
    }

    /// Where entries go now.
    pub fn keeping(&self) -> Keeping {
        match self.queue.why_broken() {
            Some(why) => Keeping::Away { why },
            None => lock(&self.writer).reserve().keeping(),
        }
    }

    /// Whether the reserve took the last group. Does not wait for a write.
    pub fn is_on_reserve(&self) -> bool {
        self.on_reserve.load(Ordering::Acquire)
    }

    /// Whether a journal that refuses everything would take entries again if it were opened anew: the last group of journal or
    /// reserve is written once more, byte for byte.
    pub fn would_take_entries(&self) -> bool {
        let mut writer = lock(&self.writer);
        writer.reserve().make_ready(&|number, digest| holds(&self.folder, &lock(&self.known), number, digest));
        let last = writer.reserve().last_in_journal();
        self.folder.settle(last).is_ok() || writer.reserve().probe().is_ok()
    }

    /// Empties the reserve into the journal, where that works again; only the leader calls it. A reserve that was away is
    /// taken back.
    fn carry_back(&self) {
        let mut writer = lock(&self.writer);
        writer.reserve().make_ready(&|number, digest| holds(&self.folder, &lock(&self.known), number, digest));
        if !writer.reserve().is_in_use() {
            return;
        }
        let mut moved = |number: u64, place| lock(&self.known).groups[number as usize] = place;
        if let Err(error) = writer.carry_back(&mut moved) {
            warn!(%error, "the journal still takes no entry: its reserve stays in use");
        }
        self.on_reserve.store(writer.reserve().is_in_use(), Ordering::Release);
    }

    /// Writes one group and makes it known to readers; returns the number of its first entry. Only the leader calls it.
    fn write(&self, drafts: Vec<Draft>, closes_batch: bool) -> Result<u64, DiskError> {
        let mut writer = lock(&self.writer);
        let first = writer.end().seq;
        let entries: Vec<SealedEntry> = (first..).zip(drafts).map(|(seq, draft)| self.seal(seq, draft)).collect();
        let place = writer.write(&entries, closes_batch)?;
        self.on_reserve.store(writer.reserve().is_in_use(), Ordering::Release);
        let mut known = lock(&self.known);
        known.groups.push(place);
        entries.iter().for_each(|entry| known.tree.push(&entry.commitment));
        Ok(first)
    }

    fn seal(&self, seq: u64, draft: Draft) -> SealedEntry {
        let Draft { commitment, salt, details, month, key } = draft;
        let place = SealedPlace { log: self.parts.log, seq, commitment };
        let sealed = ledger::seal_details(&key, place, &salt, &details);
        SealedEntry {
            seq,
            commitment,
            month,
            sealed: sealed.expect("too long details are refused when they are drafted"),
        }
    }

    /// Pads the batch and closes it; the leader holds everybody else back meanwhile, so the size is exact.
    fn pad(&self, now: UtcMicros) -> Result<Checkpoint, JournalError> {
        let (size, closed_size) = {
            let writer = lock(&self.writer);
            (writer.end().seq, writer.end().closed_size)
        };
        let in_batch = size - closed_size;
        let mut missing = batch_entries(in_batch) - in_batch;
        let dummy = Entry::new(now, Actor::Schedule, Event::Dummy);
        let per_group = (self.parts.sizes.group_bytes_max / self.draft(&dummy)?.bytes()).max(1) as u64;
        loop {
            let now_written = missing.min(per_group);
            missing -= now_written;
            let dummies = (0..now_written).map(|_| self.draft(&dummy)).collect::<Result<_, _>>()?;
            self.write(dummies, missing == 0)?;
            if missing == 0 {
                return Ok(self.head());
            }
        }
    }

    /// The groups that hold any of `range`.
    fn places(&self, range: Range<u64>) -> Vec<GroupPlace> {
        let known = lock(&self.known);
        let from = known.groups.partition_point(|place| place.first_seq + u64::from(place.count) <= range.start);
        known.groups[from..].iter().take_while(|place| place.first_seq < range.end).copied().collect()
    }

    fn commitments(&self, range: Range<u64>) -> Result<Vec<Commitment>, JournalError> {
        let mut found = Vec::with_capacity((range.end - range.start) as usize);
        for place in self.places(range.clone()) {
            let entries = self.folder.read(place)?;
            found.extend(entries.iter().filter(|entry| range.contains(&entry.seq)).map(|entry| entry.commitment));
        }
        Ok(found)
    }
}

fn folder_of(parts: &JournalParts) -> Folder {
    Folder::of(parts.disk.clone(), &parts.place, (parts.site, parts.log))
}

/// Whether the journal's group of that number is the one with this digest.
fn holds(folder: &Folder, known: &Known, number: u64, digest: &Digest) -> bool {
    let place = usize::try_from(number).ok().and_then(|number| known.groups.get(number));
    let found = place.and_then(|place| folder.read_bytes(*place).ok());
    found.and_then(|bytes| group::parse(bytes.as_slice())).is_some_and(|group| group.digest == *digest)
}

/// A published checkpoint holds us: the journal may have grown since, but never shrunk or changed.
fn compare(published: Option<Checkpoint>, end: &End, root_then: Option<Digest>) -> Result<(), JournalError> {
    match published {
        Some(Checkpoint { size: signed, .. }) if signed > end.seq => {
            Err(JournalError::Behind { entries: end.seq, signed })
        }
        Some(Checkpoint { size, root }) if size > 0 && root_then != Some(root) => Err(JournalError::Forked { size }),
        _ => Ok(()),
    }
}

fn open_details(log: LogId, keys: &dyn LogKeys, sealed: &SealedEntry) -> Result<(Salt, Vec<u8>), JournalError> {
    let place = SealedPlace { log, seq: sealed.seq, commitment: sealed.commitment };
    Ok(ledger::open_details(&keys.month_key(sealed.month)?, place, &sealed.sealed)?)
}

/// A thread that died while it held a lock of the journal was its leader or a reader: a leader that dies makes the queue
/// refuse everything, and a reader changes nothing.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod later_tests;
#[cfg(test)]
mod reserve_tests;
#[cfg(test)]
mod tests;
