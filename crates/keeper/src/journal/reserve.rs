//! The reserve: preallocated space on another device, where groups go while the journal's own disk takes none.
//!
//! One file of the journal's own frame and chain, written from its beginning each time that it comes into use. What it holds and
//! the journal has already is old; what goes on from the journal's end is part of the log, and is carried back as soon as the
//! journal takes writes again. Looks stop only when both fail.

use super::{
    aligned::Aligned,
    error::JournalError,
    files::{End, Folder, GroupPlace, RESERVE_FILE, continuing},
    group::{self, Group},
};
use disk::{Disk, DiskError, DiskFile, Open};
use domain::limit::BLOCK_BYTES;
use ledger::Digest;
use std::{
    collections::VecDeque,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};
use tracing::{info, warn};

const FILE_NAME: &str = "reserve.jnl";
const ZEROS_BYTES: usize = 1024 * 1024;

pub(super) fn file_in(folder: &Path) -> PathBuf {
    folder.join(FILE_NAME)
}

/// Where the ledger's entries go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Keeping {
    /// To the journal; whether its reserve stands ready.
    Journal { reserve: Ready },
    /// To the reserve, since the journal failed so; this many groups wait to be carried back.
    Reserve { why: String, groups: usize },
    /// Nowhere: both failed, or the journal did and there is no reserve.
    Away { why: String },
}

/// Whether a reserve stands ready.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ready {
    Yes,
    NotConfigured,
    No { why: String },
}

/// What a reading of the reserve found.
#[derive(Default)]
pub(super) struct Found {
    /// Groups that go on from the journal's end, with their numbers.
    pending: VecDeque<(u64, GroupPlace)>,
    /// The last group that the journal itself has.
    last_in_journal: Option<GroupPlace>,
    /// Behind the last group of the chain.
    offset: u64,
}

impl Found {
    pub fn last_in_journal(&self) -> Option<GroupPlace> {
        self.last_in_journal
    }
}

/// Reads what the reserve has beyond the journal's end `end`, and moves that on. A reserve that is not there has nothing: that
/// it had something is known by the head that the keyring remembers.
pub(super) fn read(
    folder: &Folder,
    how: Open,
    end: &mut End,
    last_in_journal: Option<GroupPlace>,
    visit: &mut dyn FnMut(GroupPlace, &Group),
) -> Result<Found, JournalError> {
    let mut found = Found { last_in_journal, ..Found::default() };
    let Some(content) = content(folder, how) else { return Ok(found) };
    let content = content.as_slice();
    let mut offset = 0;
    let mut before: Option<Group> = None;
    while let Some(group) = group::parse(&content[offset..]) {
        if group.head.log != folder.log || !follows(before.as_ref(), &group) {
            break;
        }
        if end.number <= group.head.number {
            let Some(group) = continuing(&content[offset..], folder.log, end) else { break };
            let place = GroupPlace::new(&group.head, group.entries.len(), RESERVE_FILE, offset, group.bytes);
            visit(place, &group);
            found.pending.push_back((group.head.number, place));
            end.pass(&group.head, group.entries.len() as u64, group.digest);
        }
        offset += group.bytes;
        before = Some(group);
    }
    found.offset = offset as u64;
    check_rest(folder, content, offset, end)?;
    Ok(found)
}

/// Whether a group goes on from the one before it in the reserve.
fn follows(before: Option<&Group>, group: &Group) -> bool {
    before.is_none_or(|before| before.head.number + 1 == group.head.number && before.digest == group.head.previous)
}

fn content(folder: &Folder, how: Open) -> Option<Aligned> {
    let path = file_in(folder.reserve.as_ref()?);
    let read = || {
        let file = folder.disk.open(&path, how)?;
        let mut content = Aligned::zeroed(file.len()? as usize / BLOCK_BYTES * BLOCK_BYTES);
        file.read_at(content.as_mut_slice(), 0)?;
        Ok::<Aligned, DiskError>(content)
    };
    read().inspect_err(|error| warn!(%error, "the journal's reserve cannot be read")).ok()
}

/// Behind the chain there may be old groups, which the journal has. One that it has not is damage: of the groups before it,
/// in the reserve or at the journal's end.
fn check_rest(folder: &Folder, content: &[u8], from: usize, end: &End) -> Result<(), JournalError> {
    folder.refuse_later(RESERVE_FILE, &content[from..])?;
    for offset in (from..content.len()).step_by(BLOCK_BYTES) {
        let Some(group) = group::parse(&content[offset..]) else { continue };
        if group.head.log == folder.log && end.number <= group.head.number {
            return Err(differs(folder, group.head.number));
        }
    }
    Ok(())
}

fn differs(folder: &Folder, group: u64) -> JournalError {
    JournalError::ReserveDiffers { file: folder.file_path(RESERVE_FILE), group }
}

/// Whether the journal has the group of a number and a digest.
type Has<'a> = &'a dyn Fn(u64, &Digest) -> bool;

/// The reserve of an open journal.
pub(super) struct Reserve {
    folder: Folder,
    bytes: u64,
    ready: Ready,
    /// Why the journal is not written to; the reserve is in use.
    in_use: Option<String>,
    /// The journal's last group may not be durable there.
    unsettled: bool,
    last_in_journal: Option<GroupPlace>,
    pending: VecDeque<(u64, GroupPlace)>,
    offset: u64,
    /// What the last group needed.
    wanted: u64,
}

impl Reserve {
    /// Makes it stand ready. What it has for the journal is in use until it is carried back.
    pub fn new(folder: &Folder, bytes: u64, found: Found, has: Has<'_>) -> Reserve {
        let Found { pending, last_in_journal, offset } = found;
        let in_use = (!pending.is_empty()).then(|| "it failed before the keeper was started again".to_owned());
        let mut reserve = Reserve {
            folder: folder.clone(),
            bytes,
            ready: Ready::NotConfigured,
            offset: if in_use.is_some() { offset } else { 0 },
            in_use,
            unsettled: false,
            last_in_journal,
            pending,
            wanted: BLOCK_BYTES as u64,
        };
        reserve.make_ready(has);
        reserve
    }

    /// Once more where it was not: a device that returns is taken back. One with a group that the journal has not is never
    /// written over: it is evidence of entries that were lost.
    pub fn make_ready(&mut self, has: Has<'_>) {
        let Some(folder) = self.folder.reserve.clone() else { return };
        if self.ready == Ready::Yes {
            return;
        }
        let no = |why: String| Ready::No { why };
        self.ready = match prepare(&*self.folder.disk, &folder, self.bytes) {
            Err(error) => no(error.to_string()),
            Ok(()) if self.is_in_use() || self.is_known(has) => Ready::Yes,
            Ok(()) => no(format!("`{}` has entries that the journal has not: keep it", file_in(&folder).display())),
        };
    }

    /// Whether what lies here is nothing but old groups of the journal.
    fn is_known(&self, has: Has<'_>) -> bool {
        let Some(content) = content(&self.folder, Open::Direct) else { return false };
        let content = content.as_slice();
        let (mut offset, mut last): (usize, Option<Group>) = (0, None);
        while let Some(group) = group::parse(&content[offset..]).filter(|group| follows(last.as_ref(), group)) {
            offset += group.bytes;
            last = Some(group);
        }
        // each names the digest of the one before, so the last speaks for all
        last.is_none_or(|group| group.head.log == self.folder.log && has(group.head.number, &group.digest))
    }

    pub fn keeping(&self) -> Keeping {
        match &self.in_use {
            None => Keeping::Journal { reserve: self.ready.clone() },
            Some(why) => Keeping::Reserve { why: why.clone(), groups: self.pending.len() },
        }
    }

    pub fn is_in_use(&self) -> bool {
        self.in_use.is_some()
    }
    pub fn unsettled(&self) -> bool {
        self.unsettled
    }
    pub fn last_in_journal(&self) -> Option<GroupPlace> {
        self.last_in_journal
    }
    pub fn next_pending(&self) -> Option<(u64, GroupPlace)> {
        self.pending.front().copied()
    }

    /// The journal's last group could not be written once more at the opening: 1 a copy of it is put here first, unless what is
    /// here goes on from it · 2 the reserve is in use.
    pub fn take_over(&mut self, folder: &Folder, source: &DiskError) -> Result<(), DiskError> {
        if self.pending.is_empty()
            && let Some(last) = self.last_in_journal
        {
            self.offset = 0;
            let bytes = folder.read_bytes(last)?;
            self.write(&bytes)?; // 1
        } else if self.ready != Ready::Yes {
            return Err(self.not_ready());
        }
        (self.unsettled, self.in_use) = (true, Some(source.to_string())); // 2
        Ok(())
    }

    /// Takes a group that the journal did not take. Without a reserve, or where that fails too: the journal's own error.
    pub fn put_instead(&mut self, frame: &Aligned, error: DiskError) -> Result<(u32, u64), DiskError> {
        self.offset = 0;
        match self.put(frame) {
            Ok(place) => {
                warn!(%error, "the journal takes no entry: its reserve is in use");
                self.in_use = Some(error.to_string());
                Ok(place)
            }
            Err(second) => {
                warn!(%error, reserve = %second, "neither the journal nor its reserve takes an entry");
                Err(error)
            }
        }
    }

    pub fn put(&mut self, frame: &Aligned) -> Result<(u32, u64), DiskError> {
        Ok((RESERVE_FILE, self.write(frame)?))
    }

    /// A group was written, here or there.
    pub fn note(&mut self, number: u64, place: GroupPlace) {
        if place.file == RESERVE_FILE {
            self.pending.push_back((number, place))
        } else {
            self.last_in_journal = Some(place)
        }
    }

    /// The next pending group lies in the journal.
    pub fn carried(&mut self, place: GroupPlace) {
        self.pending.pop_front();
        self.last_in_journal = Some(place);
    }

    /// Everything is in the journal.
    pub fn rest(&mut self) {
        if self.in_use.take().is_some() {
            info!("the journal takes entries again: what its reserve kept is carried back");
        }
        self.unsettled = false;
    }

    /// Writes the last group here once more, or the first block where there is none: whether the reserve takes writes, and has
    /// room for such a group as was given last.
    pub fn probe(&self) -> Result<(), DiskError> {
        let file = self.open_with_room()?;
        let (offset, blocks) = self.pending.back().map_or((0, 1), |(_, place)| (place.offset(), place.blocks as usize));
        let mut bytes = Aligned::zeroed(blocks * BLOCK_BYTES);
        file.read_at(bytes.as_mut_slice(), offset)?;
        file.write_at(bytes.as_slice(), offset)?;
        file.sync()
    }

    fn write(&mut self, frame: &Aligned) -> Result<u64, DiskError> {
        let (bytes, offset) = (frame.as_slice(), self.offset);
        self.wanted = bytes.len() as u64;
        let file = self.open_with_room()?;
        file.write_at(bytes, offset)?;
        file.sync()?;
        self.offset += bytes.len() as u64;
        Ok(offset)
    }

    fn open_with_room(&self) -> Result<Arc<dyn DiskFile>, DiskError> {
        let folder = self.folder.reserve.as_ref().filter(|_| self.ready == Ready::Yes);
        let path = file_in(folder.ok_or_else(|| self.not_ready())?);
        let file = self.folder.disk.open(&path, Open::Direct)?;
        if file.len()? < self.offset + self.wanted {
            return Err(DiskError { operation: "write", path, source: io::ErrorKind::StorageFull.into() });
        }
        Ok(file)
    }

    fn not_ready(&self) -> DiskError {
        let path = self.folder.reserve.clone().unwrap_or_default();
        let why = match &self.ready {
            Ready::No { why } => why.clone(),
            _ => "no reserve is configured".to_owned(),
        };
        DiskError { operation: "use the reserve", path, source: io::Error::new(io::ErrorKind::NotFound, why) }
    }
}

/// Makes the reserve's file where it is missing or short: 1 temporary name · 2 zeros · 3 sync · 4 rename · 5 sync of the folder.
/// Its blocks exist before they are needed: the day on which it is used may be the one on which its disk is full, too.
fn prepare(disk: &dyn Disk, folder: &Path, bytes: u64) -> Result<(), DiskError> {
    disk.create_dir(folder)?;
    let path = file_in(folder);
    if disk.exists(&path)? && bytes <= disk.open(&path, Open::Direct)?.len()? {
        return Ok(());
    }
    let temporary = path.with_extension("new");
    if disk.exists(&temporary)? {
        disk.remove(&temporary)?;
    }
    let file = disk.open(&temporary, Open::Create)?; // 1
    let old = if disk.exists(&path)? { disk.open(&path, Open::Read)?.len()? } else { 0 };
    let mut written = 0;
    while written < bytes {
        let piece = (bytes - written).min(ZEROS_BYTES as u64);
        let mut zeros = vec![0; piece as usize];
        if written < old {
            // a reserve that a newer program makes larger keeps what it has
            let kept = piece.min(old - written) as usize;
            disk.open(&path, Open::Read)?.read_at(&mut zeros[..kept], written)?;
        }
        file.write_at(&zeros, written)?; // 2
        written += piece;
    }
    file.sync()?; // 3
    disk.rename(&temporary, &path)?; // 4
    disk.sync_dir(folder) // 5
}
