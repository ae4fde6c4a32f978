//! Reels of which scrubbing found bytes that are no longer those that were signed, as the ledger tells: until their hour is dead.

use crate::wire::{Finding, FindingState};
use domain::{Hour, ReelId};
use ledger::{Entry, Event};
use std::collections::BTreeMap;

/// Where a reel's damage lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Place {
    slot: u32,
    from: u64,
    to: u64,
}

/// Damaged reels, by the hour that they die with.
#[derive(Debug, Default)]
pub struct DamageBook {
    hours: BTreeMap<Hour, BTreeMap<ReelId, Place>>,
}

impl DamageBook {
    pub fn take(&mut self, entry: &Entry) {
        match &entry.event {
            Event::Damaged { reel, hour, slot, from, to } => {
                let place = Place { slot: *slot, from: *from, to: *to };
                self.hours.entry(*hour).or_default().entry(*reel).or_insert(place);
            }
            Event::Tombstone { hour, .. } => drop(self.hours.remove(hour)),
            _ => {}
        }
    }

    /// An alarm while one lives. It names a place on the disk, neither a camera nor an hour.
    pub fn finding(&self) -> Option<Finding> {
        let reels = self.hours.values().map(BTreeMap::len).sum::<usize>();
        let (reel, Place { slot, from, to }) = self.hours.values().flatten().next()?;
        Some(Finding {
            id: "reels-damaged".into(),
            state: FindingState::Alarm,
            title_fr: "Bobines abîmées sur le disque".into(),
            title_en: "Damaged reels on disk".into(),
            detail_fr: format!(
                "{reels} bobine(s) ne sont plus ce qui a été signé, d'abord {reel} dans l'emplacement {slot}, octets {from} à {to}. \
                 Le fragment abîmé n'est pas montré, le reste l'est. Contrôlez le disque (SMART), remplacez-le s'il vieillit, \
                 puis lancez `vigie verify` ; l'alerte dure tant que ces images vivent."
            ),
            detail_en: format!(
                "{reels} reel(s) are no longer what was signed, first {reel} in slot {slot}, bytes {from} to {to}. The damaged \
                 chunk is not shown, the rest is. Check the disk (SMART), replace it if it wears out, then run `vigie verify`; \
                 the alarm lasts while this footage lives."
            ),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{HourLength, UtcMicros};
    use ledger::Actor;

    #[test]
    fn a_damaged_reel_is_an_alarm_until_its_hour_is_dead_and_names_no_hour() {
        let hour = HourLength::PRODUCT.hour_of(UtcMicros::from_seconds(1_800_000_000));
        let enter = |event| Entry::new(hour.end(), Actor::Schedule, event);
        let mut book = DamageBook::default();
        assert_eq!(book.finding(), None);
        let damaged = |n| Event::Damaged { reel: ReelId([n; 16]), hour, slot: 12, from: 4096, to: 8192 };
        book.take(&enter(damaged(1)));
        book.take(&enter(damaged(2)));
        let finding = book.finding().unwrap();
        assert_eq!(finding.state, FindingState::Alarm);
        assert!(finding.detail_fr.contains("2 bobine(s)") && finding.detail_en.contains("slot 12, bytes 4096 to 8192"));
        assert!(!finding.detail_fr.contains(&hour.to_string()) && !finding.detail_en.contains(&hour.to_string()));
        book.take(&enter(Event::Tombstone { hour, reels: vec![], residual: vec![] }));
        assert_eq!(book.finding(), None);
    }
}
