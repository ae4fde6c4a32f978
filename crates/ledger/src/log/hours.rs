//! The life of every key as the log tells it: minted, shortened, condemned, destroyed, buried.

use super::{
    Report,
    fault::{Fault, KeyName, Late},
};
use crate::entry::{Entry, Event, MintedKey};
use domain::{CameraId, Hour, UtcMicros, limit};
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Copy)]
struct Key {
    deadline: UtcMicros,
    condemned: bool,
    destroyed: bool,
}

#[derive(Default)]
struct Page {
    keys: BTreeMap<CameraId, Key>,
    /// Deadlines that keys were minted with, and those that an order gave them: reels of a run state the one that held when
    /// its keys were given.
    known_deadlines: BTreeSet<UtcMicros>,
}

#[derive(Default)]
pub(super) struct Hours {
    pages: BTreeMap<Hour, Page>,
    /// Mints of hours that start before this may lie in entries that cannot be read any more.
    known_from: Option<UtcMicros>,
}

impl Hours {
    /// Called with the time of every entry that was read and how many before it were not.
    pub fn note_closed_past(&mut self, at: UtcMicros, closed: u64) {
        if closed > 0 && self.known_from.is_none() {
            // keys are minted up to two hours ahead (K9), and the present hour's may be, too
            self.known_from = Some(at.plus_seconds((limit::MINT_HOURS_AHEAD + 1) * 3_600));
        }
    }

    pub fn take(&mut self, seq: u64, entry: &Entry, report: &mut Report) {
        match &entry.event {
            Event::Mint { hour, cameras } => self.mint(seq, *hour, cameras, report),
            Event::Shortened { hour, cameras } => self.shorten(seq, *hour, cameras, report),
            Event::Condemned { hour, cameras, .. } => self.condemn(seq, *hour, cameras, report),
            Event::Destroyed { hour, cameras, copies, .. } => {
                if *copies == 0 {
                    report.faults.push(Fault::DestroyedUnconfirmed { seq, hour: *hour });
                }
                self.destroy(seq, entry.at, *hour, cameras, report);
            }
            Event::Tombstone { hour, .. } => self.bury(seq, *hour, report),
            Event::Reel { .. } => self.check_reel(seq, &entry.event, report),
            _ => {}
        }
    }

    /// Whether no key was minted yet, as far as can be read.
    pub fn is_empty(&self) -> bool {
        self.pages.is_empty() && self.known_from.is_none()
    }

    /// Which keys live at `now`, and which of them should not.
    pub fn conclude(&self, now: UtcMicros, report: &mut Report) {
        for (hour, page) in &self.pages {
            for (camera, key) in page.keys.iter().filter(|(_, key)| !key.destroyed) {
                if key.deadline <= now {
                    report.overdue.push(KeyName { hour: *hour, camera: *camera });
                } else {
                    report.live += 1;
                }
            }
        }
    }

    fn mint(&mut self, seq: u64, hour: Hour, cameras: &[MintedKey], report: &mut Report) {
        let page = self.pages.entry(hour).or_default();
        for &MintedKey { camera, deadline } in cameras {
            page.known_deadlines.insert(deadline);
            let key = KeyName { hour, camera };
            match page.keys.get(&camera) {
                None => {
                    report.mints += 1;
                    page.keys.insert(camera, Key { deadline, condemned: false, destroyed: false });
                }
                Some(known) if known.destroyed => report.faults.push(Fault::MintedAfterDestruction { seq, key }),
                Some(known) if known.deadline < deadline => {
                    report.faults.push(Fault::DeadlineGrew { seq, key, from: known.deadline, to: deadline });
                }
                Some(_) => move_deadline(page, camera, deadline),
            }
        }
    }

    fn shorten(&mut self, seq: u64, hour: Hour, cameras: &[MintedKey], report: &mut Report) {
        for &MintedKey { camera, deadline } in cameras {
            let name = KeyName { hour, camera };
            let Some(key) = self.key(name, Fault::ShortenedNeverMinted { seq, key: name }, report) else { continue };
            if key.deadline < deadline {
                let fault = Fault::DeadlineGrew { seq, key: name, from: key.deadline, to: deadline };
                report.faults.push(fault);
                continue;
            }
            key.deadline = deadline;
            if let Some(page) = self.pages.get_mut(&hour) {
                page.known_deadlines.insert(deadline);
            }
        }
    }

    fn condemn(&mut self, seq: u64, hour: Hour, cameras: &[CameraId], report: &mut Report) {
        for &camera in cameras {
            let name = KeyName { hour, camera };
            if let Some(key) = self.key(name, Fault::CondemnedNeverMinted { seq, key: name }, report) {
                key.condemned = true;
            }
        }
    }

    fn destroy(&mut self, seq: u64, at: UtcMicros, hour: Hour, cameras: &[CameraId], report: &mut Report) {
        for &camera in cameras {
            let name = KeyName { hour, camera };
            let Some(key) = self.key(name, Fault::DestroyedNeverMinted { seq, key: name }, report) else { continue };
            // entered again after a crash: it died once
            if std::mem::replace(&mut key.destroyed, true) {
                continue;
            }
            report.destroyed += 1;
            if !key.condemned {
                report.faults.push(Fault::DestroyedNotCondemned { seq, key: name });
            }
            if key.deadline < at {
                report.late.push(Late { key: name, deadline: key.deadline, destroyed_at: at });
            }
        }
    }

    fn bury(&mut self, seq: u64, hour: Hour, report: &mut Report) {
        let Some(page) = self.pages.get(&hour) else {
            if self.is_known(hour) {
                report.faults.push(Fault::BuriedNeverMinted { seq, hour });
            }
            return;
        };
        let alive = page.keys.iter().filter(|(_, key)| !key.destroyed);
        report
            .faults
            .extend(alive.map(|(camera, _)| Fault::BuriedAlive { seq, key: KeyName { hour, camera: *camera } }));
    }

    fn check_reel(&self, seq: u64, event: &Event, report: &mut Report) {
        let &Event::Reel { reel, hour, deadline, .. } = event else { return };
        if !self.is_known(hour) {
            return;
        }
        let fault = match self.pages.get(&hour) {
            None => Fault::ReelWithoutKey { seq, reel, hour },
            Some(page) if page.keys.values().all(|key| key.destroyed) => {
                Fault::ReelAfterDestruction { seq, reel, hour }
            }
            Some(page) if !page.known_deadlines.contains(&deadline) => {
                Fault::ReelWithOtherDeadline { seq, reel, hour, deadline }
            }
            Some(_) => return,
        };
        report.faults.push(fault);
    }

    /// The key of that name; where there is none and should be one, the fault.
    fn key(&mut self, name: KeyName, missing: Fault, report: &mut Report) -> Option<&mut Key> {
        let known = self.is_known(name.hour);
        let key = self.pages.get_mut(&name.hour).and_then(|page| page.keys.get_mut(&name.camera));
        if key.is_none() && known {
            report.faults.push(missing);
        }
        key
    }

    /// Whether every mint of the hour must be among the entries that were read.
    fn is_known(&self, hour: Hour) -> bool {
        self.known_from.is_none_or(|from| from <= hour.start())
    }
}

fn move_deadline(page: &mut Page, camera: CameraId, deadline: UtcMicros) {
    if let Some(key) = page.keys.get_mut(&camera) {
        key.deadline = deadline;
    }
}
