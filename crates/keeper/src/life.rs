//! The keeper's own life in the ledger: that it starts, with which program, and that it stops (L3).

use crate::core::KeeperCore;
use ledger::{Actor, Event, Role};
use tracing::warn;
use vault::KeeperError;

const ROLE: Role = Role::Keeper;

impl KeeperCore {
    /// Enters that this program starts, and opens that entry to the public; `digest_hex` is SHA-256 of its file.
    pub fn started(&self, digest_hex: &str) -> Result<(), KeeperError> {
        let start = Event::Start {
            program: "vigie".into(),
            version: self.parts.version.clone(),
            digest_hex: digest_hex.to_owned(),
            role: ROLE,
        };
        let numbers = self.enter_events(Actor::Role { role: ROLE }, vec![start])?;
        for seq in numbers {
            // outsiders see then that nothing is said, which is a finding of theirs
            if let Err(error) = self.parts.journal.publish_start(seq) {
                warn!(%error, "the program's start is not told to the public");
            }
        }
        self.enter_law()
    }

    /// Enters that it stops, and closes the ledger's batch.
    pub fn stopped(&self) -> Result<(), KeeperError> {
        self.enter_events(Actor::Role { role: ROLE }, vec![Event::Stop { role: ROLE }])?;
        self.checkpoint()
    }
}
