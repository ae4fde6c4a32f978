//! Failed sign-ins are counted, and the next try has to wait: by the clock that nobody sets.

use domain::world::BootMicros;
use std::collections::HashMap;

/// Failed sign-ins in a row before an account has to wait: people mistype.
pub(super) const FREE_TRIES: u32 = 5;
/// The longest wait after failed sign-ins.
const WAIT_SECONDS_MAX: i64 = 300;
/// Failures are forgotten after this time without another.
const MEMORY_SECONDS: i64 = 3_600;
/// Names whose failures are remembered: what strangers try must not fill memory. The one with the shortest wait gives way.
const NAMES_MAX: usize = 4_096;

/// Failures by the digest of a measure, such as a name tried from one place; of account names's digest, known or not.
#[derive(Default)]
pub(crate) struct Throttle {
    names: HashMap<[u8; 32], Failures>,
}

#[derive(Clone, Copy)]
struct Failures {
    in_a_row: u32,
    /// The next try counts from here on.
    until: BootMicros,
}

impl Throttle {
    /// Seconds to wait, if a try does not count yet.
    pub(super) fn must_wait(&self, name: &[u8; 32], now: BootMicros) -> Option<u32> {
        let left = self.names.get(name)?.until.0 - now.0;
        (left > 0).then_some((left / 1_000_000 + 1) as u32)
    }

    /// Doubles the wait with each failure past the free ones; 0 while tries are free.
    pub(super) fn note_failure(&mut self, name: [u8; 32], free: u32, now: BootMicros) -> u32 {
        if !self.names.contains_key(&name) && self.names.len() >= NAMES_MAX {
            let shortest = self.names.iter().min_by_key(|(_, failures)| (failures.until, failures.in_a_row));
            if let Some(shortest) = shortest.map(|(name, _)| *name) {
                self.names.remove(&shortest);
            }
        }
        let failures = self.names.entry(name).or_insert(Failures { in_a_row: 0, until: now });
        failures.in_a_row = failures.in_a_row.saturating_add(1);
        let wait_seconds = match failures.in_a_row.checked_sub(free) {
            None => 0,
            Some(past) => (1i64 << past.min(10)).min(WAIT_SECONDS_MAX),
        };
        failures.until = BootMicros(now.0 + wait_seconds * 1_000_000);
        wait_seconds as u32
    }

    /// These tries came to a good end.
    pub(super) fn forgive(&mut self, name: &[u8; 32]) {
        self.names.remove(name);
    }

    pub fn forget(&mut self, now: BootMicros) {
        self.names.retain(|_, failures| now.0 - failures.until.0 < MEMORY_SECONDS * 1_000_000);
    }
}
