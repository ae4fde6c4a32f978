//! What became of every key, read from the ledger once at the start and kept up with it: an index, not a truth.

use crate::journal::{Journal, JournalError};
use domain::{CameraId, Hour, UtcMicros};
use ledger::{Entry, Event};
use std::collections::BTreeMap;

/// One key's life, as far as the ledger tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fate {
    pub deadline: UtcMicros,
    pub condemned_at: Option<UtcMicros>,
    pub destroyed_at: Option<UtcMicros>,
}

/// All keys that were ever minted and are remembered by a readable entry.
#[derive(Debug, Default)]
pub struct Fates {
    keys: BTreeMap<(Hour, CameraId), Fate>,
}

impl Fates {
    /// Reads the whole ledger; also says the time of its last readable entry.
    pub fn read(journal: &Journal) -> Result<(Fates, Option<UtcMicros>), JournalError> {
        let (mut fates, mut last) = (Fates::default(), None);
        journal.each(0, &mut |sealed| {
            // a month whose key is dead tells nothing any more (L2)
            if let Ok(entry) = journal.open_entry(&sealed) {
                last = last.max(Some(entry.at));
                fates.take(&entry);
            }
            Ok(())
        })?;
        Ok((fates, last))
    }

    pub fn take(&mut self, entry: &Entry) {
        match &entry.event {
            Event::Mint { hour, cameras } | Event::Shortened { hour, cameras } => {
                for minted in cameras {
                    let fate = self.keys.entry((*hour, minted.camera)).or_default();
                    let earlier = fate.deadline == UtcMicros::default() || minted.deadline < fate.deadline;
                    fate.deadline = if earlier { minted.deadline } else { fate.deadline };
                }
            }
            Event::Condemned { hour, cameras, .. } => {
                cameras.iter().for_each(|camera| self.fate(*hour, *camera).condemned_at = Some(entry.at));
            }
            Event::Destroyed { hour, cameras, .. } => {
                cameras.iter().for_each(|camera| self.fate(*hour, *camera).destroyed_at = Some(entry.at));
            }
            _ => {}
        }
    }

    pub fn of(&self, hour: Hour, camera: CameraId) -> Option<Fate> {
        self.keys.get(&(hour, camera)).copied()
    }

    /// Cameras that had a key in an hour.
    pub fn cameras(&self, hour: Hour) -> Vec<CameraId> {
        self.keys.keys().filter(|(of, _)| *of == hour).map(|(_, camera)| *camera).collect()
    }

    /// How many hours have a dead key, and when the last died.
    pub fn destroyed(&self) -> (u64, Option<UtcMicros>) {
        let dead = self.keys.iter().filter(|(_, fate)| fate.destroyed_at.is_some());
        let mut hours: Vec<Hour> = dead.clone().map(|((hour, _), _)| *hour).collect();
        hours.dedup();
        (hours.len() as u64, dead.filter_map(|(_, fate)| fate.destroyed_at).max())
    }

    fn fate(&mut self, hour: Hour, camera: CameraId) -> &mut Fate {
        self.keys.entry((hour, camera)).or_default()
    }
}
