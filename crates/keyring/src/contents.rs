//! What a root record holds besides its table of pages: site keys, log keys, ledger head, condemnations.

use crate::{KeyringError, Result};
use domain::{CameraId, HoldId, Hour, Random, Secret32, UtcMicros};
use std::collections::{BTreeMap, BTreeSet};

/// Which keys of an hour.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Which {
    All,
    Cameras(BTreeSet<CameraId>),
}

impl Which {
    pub fn names(&self, camera: CameraId) -> bool {
        match self {
            Which::All => true,
            Which::Cameras(cameras) => cameras.contains(&camera),
        }
    }

    /// Whether everything that `other` names is named by this.
    pub fn covers(&self, other: &Which) -> bool {
        match (self, other) {
            (Which::All, _) => true,
            (Which::Cameras(_), Which::All) => false,
            (Which::Cameras(ours), Which::Cameras(theirs)) => theirs.is_subset(ours),
        }
    }
}

/// A condemnation, kept until its tombstone is entered in the ledger (K10).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Condemned {
    pub hour: Hour,
    pub which: Which,
    /// The root generation that no longer has the keys; `None` while they still exist.
    pub destroyed_by: Option<u64>,
}

/// The key of one hour of a hold, under which its chunks' keys are wrapped (K12).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HoldKey {
    pub key: Secret32,
    /// When it must be gone.
    pub dies: UtcMicros,
}

/// Size and root of the ledger's tree as the keeper last knew it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct LedgerHead {
    pub size: u64,
    pub root: [u8; 32],
}

/// A month of the ledger, as year and month: 202603 (L2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Month(u32);

impl Month {
    /// A month written yyyymm, of the years 1970 to 9999.
    pub fn new(yyyymm: u32) -> Result<Month> {
        let is_month = (1..=12).contains(&(yyyymm % 100)) && (1_970..=9_999).contains(&(yyyymm / 100));
        if is_month { Ok(Month(yyyymm)) } else { Err(KeyringError::NotAMonth { text: yyyymm }) }
    }

    pub const fn yyyymm(self) -> u32 {
        self.0
    }
}

/// Everything of a root record but its generation and its table of pages.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Contents {
    pub site_key: Secret32,
    pub config_key: Secret32,
    pub ledger_head: LedgerHead,
    /// Numbers of copies that two persons gave up (K2).
    pub written_off: BTreeSet<usize>,
    pub condemned: Vec<Condemned>,
    pub log_keys: BTreeMap<Month, Secret32>,
    /// Months whose log key was destroyed: none is made again.
    pub dead_months: BTreeSet<Month>,
    pub holds: BTreeMap<(HoldId, Hour), HoldKey>,
}

impl Contents {
    pub fn draw(random: &dyn Random) -> Contents {
        Contents {
            site_key: Secret32::draw(random),
            config_key: Secret32::draw(random),
            ledger_head: LedgerHead::default(),
            written_off: BTreeSet::new(),
            condemned: Vec::new(),
            log_keys: BTreeMap::new(),
            dead_months: BTreeSet::new(),
            holds: BTreeMap::new(),
        }
    }

    pub fn is_condemned(&self, hour: Hour, camera: CameraId) -> bool {
        self.condemned.iter().any(|entry| entry.hour == hour && entry.which.names(camera))
    }

    /// Whether a condemnation of exactly these keys is recorded.
    pub fn condemnation(&self, hour: Hour, which: &Which) -> Option<&Condemned> {
        self.condemned.iter().find(|entry| entry.hour == hour && entry.which == *which)
    }

    pub fn condemn(&mut self, hour: Hour, which: &Which) {
        if self.condemnation(hour, which).is_none() {
            self.condemned.push(Condemned { hour, which: which.clone(), destroyed_by: None });
        }
    }

    /// Records that generation `generation` has no key that `which` names in `hour`.
    pub fn mark_destroyed(&mut self, hour: Hour, which: &Which, generation: u64) {
        self.condemn(hour, which);
        for entry in &mut self.condemned {
            if entry.hour == hour && entry.destroyed_by.is_none() && which.covers(&entry.which) {
                entry.destroyed_by = Some(generation);
            }
        }
    }
}
