//! Reels against the recorder-hours that sum them up: none is missing, none was changed.

use super::{Report, fault::Fault};
use crate::digest::Digest;
use crate::entry::{Entry, Event};
use crate::tree::root_of;
use domain::{Hour, ReelId, RunId};
use std::collections::BTreeMap;

#[derive(Default)]
struct RecorderHour {
    /// In the order of their first entries.
    reels: Vec<(ReelId, Digest)>,
    said: Option<(u32, Digest)>,
}

#[derive(Default)]
pub(super) struct Reels {
    hours: BTreeMap<(RunId, Hour), RecorderHour>,
    /// Hours with entries that could not be read: their sums cannot be checked.
    began_in_the_dark: bool,
}

impl Reels {
    pub fn take(&mut self, seq: u64, entry: &Entry, report: &mut Report) {
        self.began_in_the_dark |= report.closed > 0;
        match &entry.event {
            Event::Reel { reel, run, hour, root, .. } => {
                let known = &mut self.hours.entry((*run, *hour)).or_default().reels;
                match known.iter().find(|(known, _)| known == reel) {
                    // entered again because nobody knew whether the first time had happened
                    Some((_, same)) if same == root => {}
                    Some(_) => report.faults.push(Fault::ReelChanged { seq, reel: *reel }),
                    None => known.push((*reel, *root)),
                }
            }
            Event::RecorderHour { run, hour, reels, root } => {
                self.hours.entry((*run, *hour)).or_default().said = Some((*reels, *root));
            }
            _ => {}
        }
    }

    /// Compares each closed recorder-hour with its reels.
    pub fn conclude(&self, report: &mut Report) {
        for ((run, hour), recorder_hour) in &self.hours {
            let Some((said, root)) = recorder_hour.said else { continue };
            let found = recorder_hour.reels.len() as u32;
            // the first hours after entries that cannot be read may have reels among those
            if said != found && !(self.began_in_the_dark && found < said) {
                report.faults.push(Fault::ReelsMissing { run: *run, hour: *hour, said, found });
            } else if said == found && root_of(recorder_hour.reels.iter().map(|(_, root)| root)) != root {
                report.faults.push(Fault::HourRootDiffers { run: *run, hour: *hour });
            }
        }
    }
}
