//! The journal's files: preallocated, numbered, scanned at open, written block after block.

use super::{
    aligned::Aligned,
    error::JournalError,
    group::{self, Group, GroupHead, SealedEntry},
    public::JournalPlace,
    reserve::{Found, Reserve},
};
use disk::{Disk, DiskError, DiskFile, Open};
use domain::{SiteId, limit::BLOCK_BYTES};
use ledger::{Digest, LogId};
use std::{path::PathBuf, sync::Arc};

const ZEROS_BYTES: usize = 1024 * 1024;

/// The number of the reserve among the files: the journal's own are counted from 1.
pub(super) const RESERVE_FILE: u32 = 0;

/// Where one group lies; 24 bytes of memory each.
#[derive(Clone, Copy)]
pub(super) struct GroupPlace {
    pub first_seq: u64,
    pub count: u32,
    pub file: u32,
    /// In blocks of 4,096 bytes.
    pub block: u32,
    pub blocks: u32,
}

/// Which log's files in which folder.
#[derive(Clone)]
pub(super) struct Folder {
    pub disk: Arc<dyn Disk>,
    pub path: PathBuf,
    /// Where groups go while the journal's own disk takes none.
    pub reserve: Option<PathBuf>,
    pub site: SiteId,
    pub log: LogId,
}

/// What a reading of journal and reserve found.
pub(super) struct Scanned {
    pub end: End,
    pub reserve: Found,
}

/// The end of the chain: what the next group goes on from, and where.
#[derive(Clone, Copy, Default)]
pub(super) struct End {
    pub number: u64,
    pub seq: u64,
    pub previous: Digest,
    /// How many entries there were when the last batch was closed.
    pub closed_size: u64,
    pub file: u32,
    pub offset: u64,
}

impl Folder {
    pub fn of(disk: Arc<dyn Disk>, place: &JournalPlace, (site, log): (SiteId, LogId)) -> Folder {
        Folder { disk, path: place.journal.clone(), reserve: place.reserve.clone(), site, log }
    }

    pub fn file_path(&self, number: u32) -> PathBuf {
        match &self.reserve {
            Some(reserve) if number == RESERVE_FILE => super::reserve::file_in(reserve),
            _ => self.path.join(format!("{number:06}.jnl")),
        }
    }

    /// Whether there is any journal file.
    pub fn holds_a_file(&self) -> Result<bool, JournalError> {
        Ok(self.disk.exists(&self.path)? && !self.numbers()?.is_empty())
    }

    /// Reads every group of the chain in order, first the journal's own, then those that the reserve has and the journal has
    /// not, and finds its end. A torn group at the end is left behind: nobody was told that it is there. One that a valid
    /// group follows is damage.
    pub fn scan(&self, how: Open, visit: &mut dyn FnMut(GroupPlace, &Group)) -> Result<Scanned, JournalError> {
        let mut end = End::default();
        let mut last: Option<GroupPlace> = None;
        for number in self.numbers()? {
            let path = self.file_path(number);
            let file = self.disk.open(&path, how)?;
            let len = file.len()? as usize / BLOCK_BYTES * BLOCK_BYTES;
            let mut content = Aligned::zeroed(len);
            file.read_at(content.as_mut_slice(), 0)?;
            let content = content.as_slice();
            let mut offset = 0;
            while let Some(group) = continuing(&content[offset..], self.log, &end) {
                let place = GroupPlace::new(&group.head, group.entries.len(), number, offset, group.bytes);
                visit(place, &group);
                last = Some(place);
                offset += group.bytes;
                end.file = number;
                end.offset = offset as u64;
                end.pass(&group.head, group.entries.len() as u64, group.digest);
            }
            self.check_rest(number, content, offset, &end)?;
        }
        let reserve = super::reserve::read(self, how, &mut end, last, visit)?;
        Ok(Scanned { end, reserve })
    }

    /// After the chain's last group of a file nothing valid may follow in it.
    fn check_rest(&self, file: u32, content: &[u8], offset: usize, end: &End) -> Result<(), JournalError> {
        self.refuse_later(file, &content[offset..])?;
        for found_offset in (offset..content.len()).step_by(BLOCK_BYTES) {
            let Some(found) = group::parse(&content[found_offset..]) else { continue };
            let found_file = self.file_path(file);
            if found.head.log != self.log {
                let (found, expected) = (found.head.log, self.log);
                return Err(JournalError::OtherLog { file: found_file, found, expected, site: self.site });
            }
            return Err(JournalError::Corrupt {
                file: self.file_path(end.file.max(1)),
                offset: end.offset,
                expected: end.number,
                found: found.head.number,
                found_file,
                found_offset: found_offset as u64,
            });
        }
        Ok(())
    }

    /// A group of a later program is the log's, although we cannot read it: what goes on behind it would write over it.
    pub fn refuse_later(&self, file: u32, content: &[u8]) -> Result<(), JournalError> {
        let later = |at| group::later_version(&content[at..]);
        match (0..content.len()).step_by(BLOCK_BYTES).find_map(later) {
            Some(found) => Err(JournalError::LaterVersion { file: self.file_path(file), found }),
            None => Ok(()),
        }
    }

    /// Whether the newest groups of journal and reserve are of the version that we read; changes nothing. What is not there
    /// or cannot be read is not judged. The last two files: one may have been made ahead of its turn.
    pub fn check_versions(&self) -> Result<(), JournalError> {
        let numbers = self.numbers().unwrap_or_default();
        let newest = numbers.into_iter().rev().take(2).chain(self.reserve.is_some().then_some(RESERVE_FILE));
        for number in newest {
            let Ok(file) = self.disk.open(&self.file_path(number), Open::Read) else { continue };
            let len = file.len()? as usize / BLOCK_BYTES * BLOCK_BYTES;
            let mut content = vec![0; len];
            file.read_at(&mut content, 0)?;
            self.refuse_later(number, &content)?;
        }
        Ok(())
    }

    /// Makes what [`Folder::scan`] found certain, before anything is built on it: 1 leftovers go · 2 the last
    /// group is written again, byte for byte, and synced. After a sync that failed the system shows bytes that the disk may
    /// have lost, and a mere second sync does not bring them back. (Earlier groups were synced before it was written, and its
    /// file's name before the file was used.)
    pub fn settle(&self, last: Option<GroupPlace>) -> Result<(), DiskError> {
        for name in self.disk.list(&self.path)?.iter().filter(|name| name.ends_with(".new")) {
            self.disk.remove(&self.path.join(name))?; // 1
        }
        if let Some(last) = last {
            let path = self.file_path(last.file);
            let file = self.disk.open(&path, Open::Direct)?;
            let mut bytes = Aligned::zeroed(last.blocks as usize * BLOCK_BYTES);
            file.read_at(bytes.as_mut_slice(), last.offset())?;
            file.write_at(bytes.as_slice(), last.offset())?; // 2
            file.sync()?;
        }
        Ok(())
    }

    /// Makes the file `number` of zeros: 1 temporary name · 2 zeros · 3 sync · 4 rename · 5 sync of the folder. Blocks that
    /// exist are written faster than blocks that have to be found, and a full disk is noticed here.
    pub fn preallocate(&self, number: u32, bytes: u64) -> Result<(), DiskError> {
        let temporary = self.path.join(format!("{number:06}.new"));
        if self.disk.exists(&temporary)? {
            self.disk.remove(&temporary)?;
        }
        let file = self.disk.open(&temporary, Open::Create)?; // 1
        let zeros = vec![0; ZEROS_BYTES.min(bytes as usize)];
        let mut written = 0;
        while written < bytes {
            let piece = (bytes - written).min(zeros.len() as u64);
            file.write_at(&zeros[..piece as usize], written)?; // 2
            written += piece;
        }
        file.sync()?; // 3
        self.disk.rename(&temporary, &self.file_path(number))?; // 4
        self.disk.sync_dir(&self.path) // 5
    }

    /// The entries of one group.
    pub fn read(&self, place: GroupPlace) -> Result<Vec<SealedEntry>, JournalError> {
        let bytes = self.read_bytes(place)?;
        let group = group::parse(bytes.as_slice()).filter(|group| group.head.first_seq == place.first_seq);
        let damaged = || JournalError::Damaged { file: self.file_path(place.file), offset: place.offset() };
        group.map(|group| group.entries).ok_or_else(damaged)
    }

    /// The bytes of one group, padding and all.
    pub fn read_bytes(&self, place: GroupPlace) -> Result<Aligned, DiskError> {
        let file = self.disk.open(&self.file_path(place.file), Open::Direct)?;
        let mut bytes = Aligned::zeroed(place.blocks as usize * BLOCK_BYTES);
        file.read_at(bytes.as_mut_slice(), place.offset())?;
        Ok(bytes)
    }

    /// The numbers of the files, in order.
    fn numbers(&self) -> Result<Vec<u32>, JournalError> {
        let names = self.disk.list(&self.path)?;
        let mut numbers: Vec<u32> = names
            .iter()
            .filter_map(|name| name.strip_suffix(".jnl")?.parse().ok())
            .filter(|number| *number > 0)
            .collect();
        numbers.sort_unstable();
        Ok(numbers)
    }
}

impl GroupPlace {
    pub fn new(head: &GroupHead, count: usize, file: u32, offset: usize, bytes: usize) -> GroupPlace {
        let (block, blocks) = ((offset / BLOCK_BYTES) as u32, (bytes / BLOCK_BYTES) as u32);
        GroupPlace { first_seq: head.first_seq, count: count as u32, file, block, blocks }
    }
    pub const fn offset(&self) -> u64 {
        self.block as u64 * BLOCK_BYTES as u64
    }
}

impl End {
    /// Moves behind a group of `count` entries.
    pub fn pass(&mut self, head: &GroupHead, count: u64, digest: Digest) {
        self.number += 1;
        self.seq += count;
        self.previous = digest;
        if head.closes_batch {
            self.closed_size = self.seq;
        }
    }
}

/// The only one who writes: it goes on from the end of the chain, one write and one sync per group.
pub(super) struct Writer {
    folder: Folder,
    file_bytes: u64,
    end: End,
    file: Option<Arc<dyn DiskFile>>,
    /// A file made ahead of its turn.
    next_is_ready: bool,
    reserve: Reserve,
}

impl Writer {
    pub fn new(folder: Folder, file_bytes: u64, end: End, reserve: Reserve) -> Writer {
        Writer { folder, file_bytes, end, file: None, next_is_ready: false, reserve }
    }

    pub fn end(&self) -> &End {
        &self.end
    }

    pub fn reserve(&mut self) -> &mut Reserve {
        &mut self.reserve
    }

    /// Writes one group durably: 1 to the journal · 2 where that fails, whether or not it happened, the same bytes to the
    /// reserve, and all that follows too, until [`Writer::carry_back`]. After an error nobody knows whether it is there.
    pub fn write(&mut self, entries: &[SealedEntry], closes_batch: bool) -> Result<GroupPlace, DiskError> {
        let End { number, seq: first_seq, previous, .. } = self.end;
        let head = GroupHead { log: self.folder.log, number, first_seq, closes_batch, previous };
        let (frame, digest) = group::encode(&head, entries);
        let (file, offset) = if self.reserve.is_in_use() {
            self.reserve.put(&frame)? // 2
        } else {
            match self.put(&frame) {
                Ok(place) => place,                                     // 1
                Err(error) => self.reserve.put_instead(&frame, error)?, // 2
            }
        };
        let place = GroupPlace::new(&head, entries.len(), file, offset as usize, frame.as_slice().len());
        self.reserve.note(number, place);
        self.end.pass(&head, entries.len() as u64, digest);
        Ok(place)
    }

    /// Carries the groups of the reserve back into the journal, byte for byte, each to where it would have been written: 1 the
    /// journal's last group once more, where that failed at the opening · 2 the next group of the reserve is read · 3 written
    /// to the journal and synced · 4 known to lie there; then 2 again, and with the last one the reserve is idle. What was
    /// carried stays in the reserve until it is written over: a crash at any step finds each group in one of them.
    pub fn carry_back(&mut self, moved: &mut dyn FnMut(u64, GroupPlace)) -> Result<(), JournalError> {
        self.file = None; // after an error its handle is not believed
        if self.reserve.unsettled() {
            self.folder.settle(self.reserve.last_in_journal())?; // 1
        }
        while let Some((number, place)) = self.reserve.next_pending() {
            let bytes = self.folder.read_bytes(place)?; // 2
            let (file, offset) = self.put(&bytes)?; // 3
            let place = GroupPlace { file, block: (offset / BLOCK_BYTES as u64) as u32, ..place };
            self.reserve.carried(place);
            moved(number, place); // 4
        }
        self.reserve.rest();
        Ok(())
    }

    /// Puts bytes behind the journal's last group; gives file and offset.
    fn put(&mut self, frame: &Aligned) -> Result<(u32, u64), DiskError> {
        let bytes = frame.as_slice();
        let file = self.file_with_room(bytes.len() as u64)?;
        let offset = self.end.offset;
        file.write_at(bytes, offset)?;
        file.sync()?;
        self.end.offset += bytes.len() as u64;
        Ok((self.end.file, offset))
    }

    /// Makes the next file ahead of its turn once the present one is half full, so that no caller of append waits for it.
    pub fn prepare_next_file(&mut self) -> Result<(), DiskError> {
        if self.end.offset > self.file_bytes / 2 && !self.next_is_ready && !self.reserve.is_in_use() {
            self.make_ready(self.end.file + 1)?;
        }
        Ok(())
    }

    fn file_with_room(&mut self, bytes: u64) -> Result<Arc<dyn DiskFile>, DiskError> {
        if self.file.is_none() && self.end.file > 0 {
            self.file = Some(self.folder.disk.open(&self.folder.file_path(self.end.file), Open::Direct)?);
        }
        if let Some(file) = &self.file
            && self.end.offset + bytes <= file.len()?
        {
            return Ok(file.clone());
        }
        let next = self.end.file + 1;
        self.make_ready(next)?;
        let file = self.folder.disk.open(&self.folder.file_path(next), Open::Direct)?;
        self.file = Some(file.clone());
        (self.end.file, self.end.offset, self.next_is_ready) = (next, 0, false);
        Ok(file)
    }

    fn make_ready(&mut self, number: u32) -> Result<(), DiskError> {
        if self.folder.disk.exists(&self.folder.file_path(number))? {
            // an earlier attempt may have failed between renaming and syncing: the name must be durable before it is used
            self.folder.disk.sync_dir(&self.folder.path)?;
        } else {
            self.folder.preallocate(number, self.file_bytes)?;
        }
        self.next_is_ready = true;
        Ok(())
    }
}

/// The group at the start of `bytes`, if it goes on from `end`.
pub(super) fn continuing(bytes: &[u8], log: LogId, end: &End) -> Option<Group> {
    let expected = (log, end.number, end.seq, end.previous);
    group::parse(bytes).filter(|group| {
        let GroupHead { log, number, first_seq, previous, .. } = group.head;
        (log, number, first_seq, previous) == expected
    })
}
