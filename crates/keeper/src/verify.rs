//! The verdict of `vigie verify`: the log's own, held against the keyring.

use crate::{
    core::{KeeperCore, failed},
    wire::Verified,
};
use keyring::Keyring;
use ledger::Report;
use vault::KeeperError;

impl KeeperCore {
    /// Verifies the whole log, every destruction, and that no key that the log calls dead is in the keyring.
    pub fn verify(&self) -> Result<Verified, KeeperError> {
        let report = self.journal().verify(&[], self.decision_time()).map_err(failed)?;
        let mut verified = Verified::of(&report, &*self.parts.keyring);
        for summary in self.parts.keyring.hours() {
            for camera in summary.cameras.keys() {
                let fate = self.moving().fates.of(summary.hour, *camera);
                if fate.is_some_and(|fate| fate.destroyed_at.is_some()) {
                    verified.fault(format!("a key of {} that is entered as destroyed is in the keyring", summary.hour));
                }
            }
        }
        Ok(verified)
    }
}

impl Verified {
    /// Of the log's report, and whether every copy of the keyring answers.
    pub fn of(report: &Report, keyring: &dyn Keyring) -> Verified {
        let mut verified = Verified {
            holds: report.holds(),
            entries: report.entries,
            checkpoints: report.checkpoints,
            unsigned: report.unsigned,
            root_hex: report.root.0.iter().map(|byte| format!("{byte:02x}")).collect(),
            mints: report.mints,
            destroyed: report.destroyed,
            live: report.live,
            faults: report.faults.iter().map(ToString::to_string).collect(),
            overdue: report.overdue.iter().map(|key| format!("past its deadline and not destroyed: {key:?}")).collect(),
        };
        let in_keyring: u64 = keyring.hours().iter().map(|summary| summary.cameras.len() as u64).sum();
        let destroyed = report.log_key_destroyed.map(|month| month.yyyymm());
        for month in keyring.log_months().iter().filter(|month| Some(month.yyyymm()) <= destroyed) {
            verified.fault(format!("the log key of {} is entered as destroyed and is in the keyring", month.yyyymm()));
        }
        if in_keyring > report.live {
            verified.fault(format!("the keyring holds {in_keyring} keys, the log knows {} that live", report.live));
        }
        verified
    }

    pub(crate) fn fault(&mut self, what: String) {
        self.faults.push(what);
        self.holds = false;
    }
}
