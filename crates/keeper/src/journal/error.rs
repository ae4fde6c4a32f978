//! What can go wrong with the journal, and what can be done about it.

use disk::DiskError;
use domain::SiteId;
use ledger::{CheckpointError, DetailsError, EntryError, LogId, Month, ProofError};
use std::{path::PathBuf, sync::Arc};

/// Why a month's log key is not handed out.
#[derive(Debug, thiserror::Error)]
pub enum LogKeyError {
    #[error("the log key of {month} was destroyed at the end of the log's retention")]
    Gone { month: Month },
    #[error("the log key of {month} is not at hand: {source}")]
    Unavailable { month: Month, source: Box<dyn std::error::Error + Send + Sync> },
}

#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error(transparent)]
    Disk(#[from] DiskError),
    #[error("there is no journal in `{folder}`: mount its disk, or open a successor log if it is lost", folder = folder.display())]
    Missing { folder: PathBuf },
    #[error("there is a journal in `{folder}` already: it is never written over", folder = folder.display())]
    AlreadyThere { folder: PathBuf },
    #[error("`{file}` belongs to log {found}, not to {expected} of site {site}: the wrong disk is mounted", file = file.display())]
    OtherLog { file: PathBuf, found: LogId, expected: LogId, site: SiteId },
    #[error(
        "the journal is damaged in `{file}` at byte {offset}: group {expected} is not there, but group {found} follows at \
         byte {found_offset} of `{found_file}`; keep the disk, open a successor log",
        file = file.display(), found_file = found_file.display()
    )]
    Corrupt { file: PathBuf, offset: u64, expected: u64, found: u64, found_file: PathBuf, found_offset: u64 },
    #[error(
        "`{file}` has entries of version {found}, written by a later program: nothing was changed; install the later program again",
        file = file.display()
    )]
    LaterVersion { file: PathBuf, found: u16 },
    #[error("`{file}` cannot be read any more at byte {offset}: the disk loses what it had kept, replace it", file = file.display())]
    Damaged { file: PathBuf, offset: u64 },
    #[error(
        "the journal has {entries} entries, a checkpoint was signed for {signed}: an old state was restored; \
         a journal is never restored from backup, open a successor log"
    )]
    Behind { entries: u64, signed: u64 },
    #[error(
        "the first {size} entries are not those that the published checkpoint was signed for: open a successor log"
    )]
    Forked { size: u64 },
    #[error(
        "the reserve `{file}` has another group {group} than the journal, or one that does not go on from it: keep both disks, \
         mount those that belong together, or open a successor log",
        file = file.display()
    )]
    ReserveDiffers { file: PathBuf, group: u64 },
    #[error("whether the entry was written is unknown, {source}: reopen the journal and look")]
    Unknown { source: Arc<DiskError> },
    #[error("the entry was not written, an earlier write failed ({source}): reopen the journal")]
    Broken { source: Arc<DiskError> },
    #[error("the entry was not written, a thread died while it wrote: reopen the journal")]
    WriterDied,
    #[error("entries of {bytes} bytes were given at once, {bytes_max} fit a group: append them in several calls")]
    TooLarge { bytes: usize, bytes_max: usize },
    #[error("there is no entry {seq}: the log has {entries}")]
    NoSuchEntry { seq: u64, entries: u64 },
    #[error(transparent)]
    Key(#[from] LogKeyError),
    #[error(transparent)]
    Details(#[from] DetailsError),
    #[error(transparent)]
    Entry(#[from] EntryError),
    #[error(transparent)]
    Proof(#[from] ProofError),
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}
