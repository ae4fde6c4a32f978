//! The verdict on a whole log: is it the log that was signed, and was everything that it minted destroyed in time?
//!
//! "Complete = every mint is live, held or destroyed" (vault.md L3). What cannot be read any more because its month's key
//! died (L2) is counted; nothing is concluded about hours whose mint may lie there.

mod fault;
mod hours;
mod months;
mod reels;

pub use fault::{Fault, KeyName, Late};

use crate::calendar::Month;
use crate::checkpoint::{Checkpoint, CheckpointKey};
use crate::commitment::{Commitment, Salt, commit};
use crate::digest::Digest;
use crate::entry::{Entry, Event};
use crate::tree::Tree;
use domain::{PermitId, UtcMicros, limit};
use std::collections::{BTreeMap, BTreeSet};

/// What the verifier was given of one entry's details.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Details {
    Opened {
        salt: Salt,
        details: Vec<u8>,
    },
    /// The month's log key was destroyed at the end of the log's retention, or is not handed out.
    KeyGone,
    /// The key is there and the details do not open.
    Unreadable,
}

/// One entry of the log, in its order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    pub seq: u64,
    pub commitment: Commitment,
    pub details: Details,
}

/// The verdict.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Report {
    pub entries: u64,
    pub root: Digest,
    /// Entries that say that nothing happened.
    pub dummies: u64,
    /// Entries whose details cannot be read any more.
    pub closed: u64,
    /// Checkpoints whose signature and root hold.
    pub checkpoints: u64,
    /// Entries after the last checkpoint that holds: they are not signed for yet.
    pub unsigned: u64,
    /// Keys (camera and hour) that came to life.
    pub mints: u64,
    /// Keys that were destroyed.
    pub destroyed: u64,
    /// Keys that live, rightly.
    pub live: u64,
    /// Keys that should be dead at the time asked about, and are not entered as destroyed.
    pub overdue: Vec<KeyName>,
    /// Keys entered as destroyed after their deadline: the past, that nobody can mend.
    pub late: Vec<Late>,
    /// The latest month whose log key is entered as condemned, and as destroyed: what no readable entry says of earlier
    /// months was said in entries of months that are dead themselves (L2).
    pub log_key_condemned: Option<Month>,
    pub log_key_destroyed: Option<Month>,
    pub faults: Vec<Fault>,
}

impl Report {
    /// Whether the log is whole and nothing lives that should be dead. A destruction that came late stays in [`Self::late`].
    pub fn holds(&self) -> bool {
        self.faults.is_empty() && self.overdue.is_empty()
    }
}

/// Verifies a whole log at `now` (trusted time): records from number 0, and every checkpoint one has, oldest or newest first.
pub fn verify<N: AsRef<[u8]>>(
    records: impl IntoIterator<Item = Record>,
    notes: impl IntoIterator<Item = N>,
    key: &CheckpointKey,
    now: UtcMicros,
) -> Report {
    let mut audit = Audit::new(key, notes);
    records.into_iter().for_each(|record| audit.push(&record));
    audit.finish(now)
}

/// A verification under way: one record after the other, so that a log of years need not be in memory.
pub struct Audit {
    tree: Tree,
    /// Checkpoints that are signed, by size: more than one root for a size is a log that forks.
    signed: BTreeMap<u64, BTreeSet<Digest>>,
    hours: hours::Hours,
    reels: reels::Reels,
    permits: BTreeSet<PermitId>,
    /// The size of the last checkpoint that holds.
    signed_entries: u64,
    latest: Option<UtcMicros>,
    report: Report,
}

impl Audit {
    pub fn new<N: AsRef<[u8]>>(key: &CheckpointKey, notes: impl IntoIterator<Item = N>) -> Audit {
        let mut report = Report::default();
        let mut signed: BTreeMap<u64, BTreeSet<Digest>> = BTreeMap::new();
        for (nth, note) in notes.into_iter().enumerate() {
            match key.verify(note.as_ref()) {
                Ok(Checkpoint { size, root }) => {
                    signed.entry(size).or_default().insert(root);
                }
                Err(error) => report.faults.push(Fault::CheckpointUnreadable { nth, why: error.to_string() }),
            }
        }
        let (hours, reels) = Default::default();
        Audit {
            tree: Tree::new(),
            signed,
            hours,
            reels,
            permits: BTreeSet::new(),
            signed_entries: 0,
            latest: None,
            report,
        }
    }

    /// Takes the next record.
    pub fn push(&mut self, record: &Record) {
        let expected = self.tree.size();
        if record.seq != expected {
            self.report.faults.push(Fault::EntryMissing { expected, found: record.seq });
        }
        self.compare_with_checkpoints();
        self.tree.push(&record.commitment);
        match &record.details {
            Details::KeyGone => self.report.closed += 1,
            Details::Unreadable => self.report.faults.push(Fault::DetailsUnreadable { seq: record.seq }),
            Details::Opened { salt, details } => match read(record, salt, details) {
                Ok(entry) => self.take(record.seq, entry),
                Err(fault) => self.report.faults.push(fault),
            },
        }
    }

    /// The verdict at `now`.
    pub fn finish(mut self, now: UtcMicros) -> Report {
        self.compare_with_checkpoints();
        let entries = self.tree.size();
        let beyond =
            self.signed.range(entries + 1..).map(|(size, _)| Fault::CheckpointBeyondLog { size: *size, entries });
        self.report.faults.extend(beyond);
        self.report.entries = entries;
        self.report.unsigned = entries - self.signed_entries;
        self.report.root = self.tree.root();
        self.hours.conclude(now, &mut self.report);
        self.reels.conclude(&mut self.report);
        months::conclude(&mut self.report);
        self.report
    }

    fn compare_with_checkpoints(&mut self) {
        let size = self.tree.size();
        let Some(signed) = self.signed.get(&size) else { return };
        let found = self.tree.root();
        for root in signed {
            if *root == found {
                self.report.checkpoints += 1;
                self.signed_entries = size;
            } else {
                self.report.faults.push(Fault::RootDiffers { size, signed: *root, found });
            }
        }
    }

    fn take(&mut self, seq: u64, entry: Entry) {
        self.check_opening(seq, &entry.event);
        self.check_time(seq, entry.at);
        self.hours.note_closed_past(entry.at, self.report.closed);
        match &entry.event {
            Event::Dummy => self.report.dummies += 1,
            Event::Look { permit, .. } => {
                self.permits.insert(*permit);
            }
            Event::LookEnded { permit } if !self.permits.remove(permit) && self.report.closed == 0 => {
                self.report.faults.push(Fault::LookNeverBegan { seq, permit: *permit });
            }
            _ => {}
        }
        self.hours.take(seq, &entry, &mut self.report);
        months::take(seq, &entry, &mut self.report);
        self.reels.take(seq, &entry, &mut self.report);
    }

    fn check_opening(&mut self, seq: u64, event: &Event) {
        match (seq, matches!(event, Event::Opened { .. } | Event::Successor { .. })) {
            (0, false) => self.report.faults.push(Fault::NotOpened),
            (1.., true) => self.report.faults.push(Fault::OpenedAgain { seq }),
            _ => {}
        }
    }

    /// Entries are gathered from several threads, so they may lie in another order than their times by a little. Until the first
    /// key exists a clock that was wrong at the first start may be set right.
    fn check_time(&mut self, seq: u64, at: UtcMicros) {
        let latest = self.latest.filter(|_| !self.hours.is_empty()).map_or(at, |latest| latest.max(at));
        if latest.since(at) > limit::CLOCK_AGREEMENT_SECONDS_MAX * 1_000_000 {
            self.report.faults.push(Fault::TimeRanBackwards { seq, at, latest });
        }
        self.latest = Some(latest);
    }
}

fn read(record: &Record, salt: &Salt, details: &[u8]) -> Result<Entry, Fault> {
    let seq = record.seq;
    if commit(salt, details) != record.commitment {
        return Err(Fault::NotCommitted { seq });
    }
    Entry::from_details(details).map_err(|error| Fault::NoEntry { seq, why: error.to_string() })
}

#[cfg(test)]
mod tests;
