//! The verdict on a journal: the whole log against its checkpoints, every destruction against its deadline.

use super::{
    Journal, JournalError, LogKeyError, LogKeys, SealedEntry,
    files::Folder,
    open_details,
    public::{JournalPlace, read_note},
};
use disk::{Disk, Open};
use domain::{SiteId, UtcMicros};
use ledger::{Audit, CheckpointKey, Details, Entry, LogId, Record, Report};
use std::sync::Arc;

impl Journal {
    /// Verifies everything that is durable, at `now`, against the published checkpoint and `notes` (those that witnesses or
    /// readers kept).
    pub fn verify(&self, notes: &[Vec<u8>], now: UtcMicros) -> Result<Report, JournalError> {
        let published = read_note(self.parts.disk.as_ref(), &self.parts.place)?;
        let mut audit = Audit::new(&self.checkpoint_key(), notes.iter().chain(&published));
        self.each(0, &mut |sealed| {
            audit.push(&shown(self.parts.log, self.parts.keys.as_ref(), sealed)?);
            Ok(())
        })?;
        Ok(audit.finish(now))
    }
}

/// Verifies a journal that nobody has open, without writing anything.
pub fn verify_folder(
    disk: Arc<dyn Disk>,
    place: &JournalPlace,
    (site, log): (SiteId, LogId),
    key: &CheckpointKey,
    keys: &dyn LogKeys,
    notes: &[Vec<u8>],
    now: UtcMicros,
) -> Result<Report, JournalError> {
    let published = read_note(disk.as_ref(), place)?;
    let folder = Folder { disk, path: place.journal.clone(), site, log };
    if !folder.holds_a_file()? {
        return Err(JournalError::Missing { folder: folder.path });
    }
    let mut audit = Audit::new(key, notes.iter().chain(&published));
    let mut failed = None;
    folder.scan(Open::Read, &mut |_, group| {
        for sealed in &group.entries {
            match shown(log, keys, sealed.clone()) {
                Ok(record) => audit.push(&record),
                Err(error) => failed = Some(error),
            }
        }
    })?;
    failed.map_or(Ok(()), Err)?;
    Ok(audit.finish(now))
}

/// Every readable entry of a journal that nobody has open, in order. Those of months whose key died are passed by.
pub fn each_entry(
    disk: Arc<dyn Disk>,
    place: &JournalPlace,
    (site, log): (SiteId, LogId),
    keys: &dyn LogKeys,
    told: &mut dyn FnMut(&Entry),
) -> Result<(), JournalError> {
    let folder = Folder { disk, path: place.journal.clone(), site, log };
    let mut failed = None;
    folder.scan(Open::Read, &mut |_, group| {
        for sealed in &group.entries {
            match shown(log, keys, sealed.clone()) {
                Ok(Record { details: Details::Opened { details, .. }, .. }) => {
                    if let Ok(entry) = Entry::from_details(&details) {
                        told(&entry);
                    }
                }
                Ok(_) => {}
                Err(error) => failed = Some(error),
            }
        }
    })?;
    failed.map_or(Ok(()), Err)
}

/// What the verifier gets to see of a record. A key that is away is an error: a verdict without it would say too little.
fn shown(log: LogId, keys: &dyn LogKeys, sealed: SealedEntry) -> Result<Record, JournalError> {
    let details = match open_details(log, keys, &sealed) {
        Ok((salt, details)) => Details::Opened { salt, details },
        Err(JournalError::Key(LogKeyError::Gone { .. })) => Details::KeyGone,
        Err(JournalError::Details(_)) => Details::Unreadable,
        Err(error) => return Err(error),
    };
    Ok(Record { seq: sealed.seq, commitment: sealed.commitment, details })
}
