//! The end of the ledger's own details: a month's log key dies when the log's retention is over (L2, CSI R253-5).
//!
//! 1 what stands in entries of the month or before, and is still needed, is entered again: keys that live, destructions that
//!   are not over, orders that stand, which law is in force, break-glass that nobody
//!   acknowledged, the clocks' anchor
//! 2 entry *log key condemned*
//! 3 the key dies on every copy of the keyring (K2), and the memory forgets what only those entries told
//! 4 it is read back: the keyring gives no key of the month, for reading or for writing
//! 5 entry *log key destroyed*, once no copy is away; until then the state is *condemned, unconfirmed*
//!
//! Afterwards nobody reads what is older, and nobody needs to: footage lives for a month and details for a year at least, so 1
//! finds nothing but orders and the anchor unless a destruction is stuck. An entry made again says what it said before, as
//! one that a crash made happen twice, so whoever reads the log needs no further rule. Commitments, tree, proofs and
//! checkpoints never depended on the key.
//!
//! With the details go the lines of the registers of requisitions and of requests for access that nobody touched since, their scans first:
//! 1 scans · 2 rows. A crash between them is finished at the next minute.
//!
//! By trusted time only: while the clocks are in doubt nothing ends. While the ledger takes no entry nothing ends either: 1
//! must be durable before 3. A crash between any two steps is finished at the next minute: 1 is repeated, 2 is not entered
//! twice, 3 is repeated until 5 stands.

use crate::{
    core::{KeeperCore, failed, of_keyring},
    health::finding,
    wire::{Finding, FindingState},
};
use domain::{
    Hour, Requisition, RequisitionId, UtcMicros,
    limit::{LOG_RETENTION_MONTHS_MAX, LOG_RETENTION_MONTHS_MIN},
};
use keyring::KeyringError;
use ledger::{Actor, Entry, Event, MintedKey, Month};
use std::collections::{BTreeMap, BTreeSet};
use tracing::{info, warn};
use vault::KeeperError;

/// Eighty bytes of JSON each, of 1 MiB for an entry's details.
const CAMERAS_PER_ENTRY: usize = 1_024;
/// Entries of one write.
const ENTRIES_PER_WRITE: usize = 16;
/// A log key that is so late is an alarm.
const LATE_SECONDS: i64 = 86_400;

/// What the ledger tells of its own end: months whose log key is condemned and not destroyed, with that entry.
#[derive(Debug, Default)]
pub(crate) struct Forgetting {
    condemned: BTreeMap<Month, Event>,
    /// Lines of the registers that are older are gone.
    registers_from: Option<UtcMicros>,
}

impl Forgetting {
    pub fn take(&mut self, entry: &Entry) {
        match &entry.event {
            Event::LogKeyCondemned { month, .. } => drop(self.condemned.insert(*month, entry.event.clone())),
            Event::LogKeyDestroyed { month, .. } => drop(self.condemned.remove(month)),
            _ => {}
        }
    }
}

impl KeeperCore {
    /// Ends the details of every month that is due by trusted time, the oldest first, and finishes what was begun.
    pub fn forget_due(&self) -> Result<(), KeeperError> {
        let Some(now) = self.judgement().trusted else { return Ok(()) };
        self.forget_details(now)?;
        self.forget_registers(now)
    }

    fn forget_details(&self, now: UtcMicros) -> Result<(), KeeperError> {
        let _keys_stay_as_they_are = self.change_keys();
        for month in self.log_months().into_iter().filter(|month| month.details_end(self.log_retention()) <= now) {
            self.announce(month, now)?;
            self.end_details(month)?;
        }
        let begun: Vec<Month> = self.moving().forgetting.condemned.keys().copied().collect();
        for month in begun.into_iter().filter(|_| self.parts.keyring.confirmed()) {
            self.end_details(month)?;
        }
        Ok(())
    }

    fn forget_registers(&self, now: UtcMicros) -> Result<(), KeeperError> {
        let before = self.registers_from(now);
        if self.moving().forgetting.registers_from == Some(before) {
            return Ok(());
        }
        // a line that somebody changes between 1 and 2 would stay, and its scan be gone
        let _one_at_a_time = self.registering();
        for digest in self.scans_of_lines(before)? {
            self.parts.registry.scan_remove(&digest).map_err(failed)?; // 1
        }
        let gone = self.parts.registry.registers_forget(before).map_err(failed)?; // 2
        if 0 < gone {
            info!(gone, "lines of the registers reached the end of their retention");
        }
        self.moving().forgetting.registers_from = Some(before);
        Ok(())
    }

    /// What the registers tell of since is kept: the months whose details have not ended.
    fn registers_from(&self, now: UtcMicros) -> UtcMicros {
        let mut month = Month::of(now);
        for _ in 0..=LOG_RETENTION_MONTHS_MAX + 1 {
            if month.details_end(self.log_retention()) <= now {
                return month.end();
            }
            month = Month::of(month.start().plus_micros(-1));
        }
        month.end()
    }

    /// Scans that only lines name which are to go, in whichever version.
    fn scans_of_lines(&self, before: UtcMicros) -> Result<BTreeSet<[u8; 32]>, KeeperError> {
        let versions = self.parts.registry.requisition_versions().map_err(failed)?;
        // the last version of each counts
        let touched: BTreeMap<RequisitionId, UtcMicros> =
            versions.iter().map(|version| (version.id, version.recorded_at)).collect();
        let mut kept = self.parts.registry.scans_of_acts().map_err(failed)?;
        let mut going = BTreeSet::new();
        for version in &versions {
            let Ok(Requisition { says, .. }) = self.requisition_of(version) else {
                warn!(
                    "a line of the register of requisitions does not open: it goes when its time comes, its scan stays"
                );
                continue;
            };
            let scans = says.scan.into_iter().chain(says.deliveries.iter().filter_map(|delivery| delivery.receipt));
            let is_over = touched.get(&version.id).is_some_and(|at| *at < before);
            if is_over { going.extend(scans) } else { kept.extend(scans) }
        }
        Ok(going.difference(&kept).copied().collect())
    }

    /// 1 and 2.
    fn announce(&self, month: Month, now: UtcMicros) -> Result<(), KeeperError> {
        if self.moving().forgetting.condemned.contains_key(&month) {
            return Ok(());
        }
        let still_needed = self.still_needed(month, now);
        let carried = still_needed.len() as u64;
        for events in still_needed.chunks(ENTRIES_PER_WRITE) {
            self.enter_events(Actor::Schedule, events.to_vec())?; // 1
        }
        self.enter_clocks_again()?;
        let keys_destroyed = self.moving().fates.destroyed_until(Some(month));
        let retention_months = self.log_retention();
        let condemned = Event::LogKeyCondemned { month, retention_months, keys_destroyed, carried };
        self.enter_events(Actor::Schedule, vec![condemned]).map(|_| ()) // 2
    }

    /// 3, 4 and 5.
    fn end_details(&self, month: Month) -> Result<(), KeeperError> {
        let of_keyring = of_keyring(month).map_err(failed)?;
        let destroyed = self.parts.keyring.destroy_log_key(of_keyring).map_err(failed)?; // 3
        let kept = self.parts.keyring.condemned().into_iter().map(|condemned| condemned.hour).collect();
        self.moving().fates.forget(month, &kept);
        self.moving().trace.forget(month);
        self.moving().holds.forget(month);
        self.moving().links.forget(month);
        if !matches!(self.parts.keyring.log_key_to_read(of_keyring), Err(KeyringError::LogKeyDestroyed { .. })) {
            return Err(failed(format!("the keyring still gives the log key of {month} after it was destroyed"))); // 4
        }
        if !destroyed.confirmed() {
            warn!(%month, "the log key is condemned, unconfirmed: a copy of the keyring or its token is away");
            return Ok(());
        }
        let entry = Event::LogKeyDestroyed {
            month,
            generation: destroyed.generation,
            custodian: destroyed.custodian.kind.name().into(),
            copies: destroyed.custodian.copies_present() as u8,
        };
        self.enter_events(Actor::Schedule, vec![entry])?; // 5
        info!(%month, "the details of the ledger's month cannot be read any more");
        Ok(())
    }

    /// What must outlive the month's details, as entries.
    fn still_needed(&self, month: Month, now: UtcMicros) -> Vec<Event> {
        let mut needed = self.living_keys(month);
        needed.extend(self.destructions_under_way(month));
        let moving = self.moving();
        needed.extend(moving.fates.orders.standing_from(month, now));
        needed.extend(moving.law.standing());
        needed.extend(moving.registry.standing_from(month));
        needed.extend(moving.glass.book.standing());
        let earlier = moving.forgetting.condemned.range(..month);
        needed.extend(earlier.map(|(_, event)| event.clone()));
        needed
    }

    /// Keys older than a year: only where clocks, ledger or a copy of the keyring were away for as long.
    fn living_keys(&self, month: Month) -> Vec<Event> {
        let mut living: BTreeMap<Hour, (Vec<MintedKey>, Vec<domain::CameraId>)> = BTreeMap::new();
        for (hour, camera, fate) in self.moving().fates.living_from(month) {
            let (minted, condemned) = living.entry(hour).or_default();
            minted.extend(fate.deadline.map(|deadline| MintedKey { camera, deadline }));
            condemned.extend(fate.condemned_at.map(|_| camera));
        }
        let mut events = Vec::new();
        for (hour, (minted, condemned)) in living {
            let minted = minted.chunks(CAMERAS_PER_ENTRY);
            events.extend(minted.map(|cameras| Event::Mint { hour, cameras: cameras.to_vec() }));
            for cameras in condemned.chunks(CAMERAS_PER_ENTRY) {
                events.extend(self.condemnations(hour, cameras.to_vec()));
            }
        }
        events
    }

    /// Destructions that the keyring lists until their tombstone: that they are entered must not be forgotten, or they would be
    /// entered as news.
    fn destructions_under_way(&self, month: Month) -> Vec<Event> {
        let custodian = self.parts.keyring.custodian();
        let mut events = Vec::new();
        for condemned in self.parts.keyring.condemned() {
            let (hour, Some(generation)) = (condemned.hour, condemned.destroyed_by) else { continue };
            let is_entered = |camera: &domain::CameraId| {
                let fate = self.moving().fates.of(hour, *camera);
                fate.and_then(|fate| fate.destroyed_at).is_some_and(|at| Month::of(at) <= month)
            };
            let cameras: Vec<domain::CameraId> = self.named(&condemned).into_iter().filter(is_entered).collect();
            for cameras in cameras.chunks(CAMERAS_PER_ENTRY) {
                events.extend(self.condemnations(hour, cameras.to_vec()));
                events.push(Event::Destroyed {
                    hour,
                    cameras: cameras.to_vec(),
                    generation,
                    custodian: custodian.kind.name().into(),
                    copies: custodian.copies_present().max(1) as u8,
                });
            }
        }
        events
    }

    /// The months of which the keyring has a log key, in order.
    fn log_months(&self) -> BTreeSet<Month> {
        let months = self.parts.keyring.log_months();
        months.into_iter().filter_map(|month| Month::from_yyyymm(month.yyyymm()).ok()).collect()
    }

    fn log_retention(&self) -> u32 {
        self.parts.log_retention_months.clamp(LOG_RETENTION_MONTHS_MIN, LOG_RETENTION_MONTHS_MAX)
    }

    /// The health page's word, where something lives that should not.
    pub(crate) fn forgetting_finding(&self) -> Option<Finding> {
        let now = self.decision_time();
        let late = |month: &Month| month.details_end(self.log_retention()).plus_seconds(LATE_SECONDS) <= now;
        let unconfirmed = self.moving().forgetting.condemned.keys().next().copied();
        let month = self.log_months().into_iter().find(late).or(unconfirmed)?;
        let retention = self.log_retention();
        Some(finding(
            "log-retention",
            FindingState::Alarm,
            ("Durée du registre", "Retention of the ledger"),
            (
                format!(
                    "Les détails du registre de {month} devraient être détruits ({retention} mois) : la clé attend une heure sûre, \
                     le registre ou une copie du trousseau. Voyez ces lignes-là et rétablissez ce qui manque."
                ),
                format!(
                    "The ledger's details of {month} should be destroyed ({retention} months): their key waits for a sure time, \
                     the ledger or a copy of the keyring. See those lines and bring back what is missing."
                ),
            ),
        ))
    }
}
