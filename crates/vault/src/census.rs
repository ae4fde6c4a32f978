//! A census of a root: how many of the reels that the catalog knows there are not there (decision 0059). Nothing is written.
//!
//! An empty folder where a disk should be, or a disk put back from an old image, looks like footage that is gone. Whoever believed it
//! would delete the index of everything. So where more than one reel in a hundred is missing, the root is *held*: nothing is freed,
//! no row is deleted or made anew by itself, until somebody says that the loss is real or the disk is the right one again.

use crate::store::{LocalStore, Location, Root, StoreError};
use catalog::{ReelRow, ReelState};
use domain::{
    UtcMicros,
    limit::{CENSUS_HEADERS_MAX, ROOT_MISSING_ONE_IN},
};
use std::collections::{BTreeMap, BTreeSet};

/// What a root was found to hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Census {
    /// Closed reels that the catalog knows there and that may live.
    pub known: u64,
    /// Of them, those without any of their slots.
    pub missing: u64,
    /// First blocks that were read, and how many of them say that the slot is another reel's.
    pub looked: u64,
    pub other: u64,
}

impl Census {
    /// Whether too much is missing for anything to be deleted by itself.
    pub const fn is_short(&self) -> bool {
        is_too_much(self.missing, self.known) || is_too_much(self.other, self.looked)
    }
}

/// Whether so many missing reels are more than a disk loses that is the right one.
pub const fn is_too_much(missing: u64, known: u64) -> bool {
    missing * ROOT_MISSING_ONE_IN > known
}

/// Counts the reels of each root that is there, `headers` of them also by their first block, and holds those where too much is
/// missing. `rows`: all live reels; `now`: what is past its deadline is dying and not counted.
pub fn take(store: &LocalStore, rows: &[ReelRow], now: UtcMicros, headers: usize) -> BTreeMap<u8, Census> {
    let mut of_roots: BTreeMap<u8, Vec<(&ReelRow, Location)>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.state != ReelState::Open && now < row.deadline) {
        let Some(location) = Location::from_bytes(&row.location) else { continue };
        if let Some(number) = location.root() {
            of_roots.entry(number).or_default().push((row, location));
        }
    }
    let mut found = BTreeMap::new();
    for root in store.roots() {
        let reels = of_roots.remove(&root.marker.number).unwrap_or_default();
        match count(root, &reels, headers) {
            Ok(census) => {
                root.hold(census.is_short());
                found.insert(root.marker.number, census);
            }
            Err(error) => {
                tracing::warn!(path = %root.path.display(), %error, "what lies on a root could not be counted");
                root.hold(true);
            }
        }
    }
    found
}

fn count(root: &Root, reels: &[(&ReelRow, Location)], headers: usize) -> Result<Census, StoreError> {
    root.must_be_there()?;
    let slots: BTreeSet<u32> = root.slot_numbers()?;
    let mut census = Census { known: reels.len() as u64, ..Census::default() };
    let is_there = |location: &Location| location.slots().any(|slot| slots.contains(&slot));
    census.missing = reels.iter().filter(|(_, location)| !is_there(location)).count() as u64;
    let step = reels.len().div_ceil(headers.clamp(1, CENSUS_HEADERS_MAX)).max(1);
    let sample = reels.iter().step_by(step).take(headers).filter(|(_, location)| is_there(location));
    for (row, location) in sample {
        let Some(slot) = location.slots().next() else { continue };
        // a block that does not read is damage, which scrubbing tells of; one that reads and is another reel's is another disk's
        let Ok(header) = root.slot_header(slot) else { continue };
        census.looked += 1;
        let family = |of: &crate::store::Family| (of.run, of.hour, of.deadline) == (row.run, row.hour, row.deadline);
        census.other += u64::from(!header.is_some_and(|header| family(&header.family)));
    }
    Ok(census)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_reel_in_a_hundred_may_be_missing_and_not_one_more() {
        assert!(!is_too_much(0, 0) && !is_too_much(1, 100) && is_too_much(2, 199) && is_too_much(1, 99));
        let of = |missing, known, other, looked| Census { known, missing, looked, other }.is_short();
        assert!(!of(0, 0, 0, 0) && !of(10, 1_000, 2, 256) && of(11, 1_000, 0, 256) && of(0, 1_000, 3, 256));
    }
}
