//! The keeper's readers for fuzzing: the keyring's files, the journal's groups, entries of each kind. Feature `fuzz`, never shipped.

pub use crate::journal::fuzzing as journal;
pub use keyring::fuzzing as keyring;

use domain::{RunId, SiteId, UtcMicros};
use ledger::{Actor, Entry, Event, LogId, Role};

/// Entries of some kinds.
pub fn entries() -> Vec<Entry> {
    let entry = |actor, event| Entry { format: 1, at: UtcMicros(1_700_000_000_000_000), actor, event };
    vec![
        entry(Actor::Schedule, Event::Opened { site: SiteId([1; 16]), log: LogId([2; 16]) }),
        entry(Actor::Role { role: Role::Recorder }, Event::Stop { role: Role::Recorder }),
        entry(
            Actor::Cli { uid: 7 },
            Event::Run { run: RunId([3; 16]), public_key_hex: "ab".into(), anchor: UtcMicros(5) },
        ),
    ]
}
