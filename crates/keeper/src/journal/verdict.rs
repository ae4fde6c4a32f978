//! The verdict on a journal: the whole log against its checkpoints, every destruction against its deadline.

use super::{
    Journal, JournalError, LogKeyError, LogKeys, SealedEntry,
    files::Folder,
    open_details,
    public::{JournalPlace, read_note},
};
use disk::{Disk, Open};
use domain::{SiteId, UtcMicros};
use ledger::{Audit, CheckpointKey, Details, Entry, Fault, LogId, Month, Record, Report};
use std::{collections::BTreeSet, sync::Arc};

impl Journal {
    /// Verifies everything that is durable, at `now`, against the published checkpoint and `notes` (those that witnesses or
    /// readers kept).
    pub fn verify(&self, notes: &[Vec<u8>], now: UtcMicros) -> Result<Report, JournalError> {
        let published = read_note(self.parts.disk.as_ref(), &self.parts.place)?;
        let mut audit = Audit::new(&self.checkpoint_key(), notes.iter().chain(&published));
        let mut months = Months::default();
        self.each(0, &mut |sealed| {
            audit.push(&months.note(shown(self.parts.log, self.parts.keys.as_ref(), sealed)?));
            Ok(())
        })?;
        Ok(months.conclude(audit.finish(now), now))
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
    let folder = Folder::of(disk, place, (site, log));
    if !folder.holds_a_file()? {
        return Err(JournalError::Missing { folder: folder.path });
    }
    let mut audit = Audit::new(key, notes.iter().chain(&published));
    let (mut months, mut failed) = (Months::default(), None);
    folder.scan(Open::Read, &mut |_, group| {
        for sealed in &group.entries {
            match shown(log, keys, sealed.clone()) {
                Ok(shown) => audit.push(&months.note(shown)),
                Err(error) => failed = Some(error),
            }
        }
    })?;
    failed.map_or(Ok(()), Err)?;
    Ok(months.conclude(audit.finish(now), now))
}

/// Whether what a journal and its reserve got last is of the version that this program reads; changes nothing.
pub fn check_versions(
    disk: Arc<dyn Disk>,
    place: &JournalPlace,
    (site, log): (SiteId, LogId),
) -> Result<(), JournalError> {
    Folder::of(disk, place, (site, log)).check_versions()
}

/// Every readable entry of a journal that nobody has open, in order. Those of months whose key died are passed by.
pub fn each_entry(
    disk: Arc<dyn Disk>,
    place: &JournalPlace,
    (site, log): (SiteId, LogId),
    keys: &dyn LogKeys,
    told: &mut dyn FnMut(&Entry),
) -> Result<(), JournalError> {
    let folder = Folder::of(disk, place, (site, log));
    let mut failed = None;
    folder.scan(Open::Read, &mut |_, group| {
        for sealed in &group.entries {
            match shown(log, keys, sealed.clone()) {
                Ok((_, Record { details: Details::Opened { details, .. }, .. })) => {
                    match Entry::from_details(&details) {
                        Ok(entry) => told(&entry),
                        Err(error) => failed = Some(error.into()),
                    }
                }
                Ok(_) => {}
                Err(error) => failed = Some(error),
            }
        }
    })?;
    failed.map_or(Ok(()), Err)
}

/// Which months could be read, and of which the log key is dead (L2).
#[derive(Default)]
struct Months {
    read: BTreeSet<Month>,
    gone: BTreeSet<Month>,
}

impl Months {
    fn note(&mut self, (month, record): (Month, Record)) -> Record {
        match record.details {
            Details::Opened { .. } => drop(self.read.insert(month)),
            Details::KeyGone => drop(self.gone.insert(month)),
            Details::Unreadable => {}
        }
        record
    }

    /// Details end when an entry says so, and not after the law's term. The keyring's word is not enough: whoever has it could
    /// make a month unreadable that tells of something.
    fn conclude(self, mut report: Report, now: UtcMicros) -> Report {
        let unannounced = self.gone.into_iter().filter(|month| report.log_key_condemned < Some(*month));
        let past_cap = self.read.into_iter().filter(|month| month.details_cap() <= now);
        let faults = unannounced.map(|month| Fault::DetailsGoneUnannounced { month });
        let faults: Vec<Fault> = faults.chain(past_cap.map(|month| Fault::DetailsPastCap { month })).collect();
        report.faults.extend(faults);
        report
    }
}

/// What the verifier gets to see of a record, and of which month it is. A key that is away is an error: a verdict without it
/// would say too little.
fn shown(log: LogId, keys: &dyn LogKeys, sealed: SealedEntry) -> Result<(Month, Record), JournalError> {
    let details = match open_details(log, keys, &sealed) {
        Ok((salt, details)) => Details::Opened { salt, details },
        Err(JournalError::Key(LogKeyError::Gone { .. })) => Details::KeyGone,
        Err(JournalError::Details(_)) => Details::Unreadable,
        Err(error) => return Err(error),
    };
    Ok((sealed.month, Record { seq: sealed.seq, commitment: sealed.commitment, details }))
}
