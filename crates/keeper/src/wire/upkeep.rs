//! What the command line asks about the upkeep of a site: backups, a restored registry, shorter delays, copies of the keyring.

use super::PersonProof;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Upkeep {
    /// A backup of the registry, sealed for a recipient of age.
    Backup {
        recipient: String,
    },
    /// Its bytes from `offset` on.
    BackupRead {
        offset: u64,
    },
    /// It was fetched, and is deleted here.
    BackupFetched,
    /// What a restored registry does not know.
    RestoredShow,
    /// A person has read it and confirms.
    RestoreConfirm {
        person: PersonProof,
    },
    /// What would die if the delays of these cameras became so short; none named: all with a longer one.
    DelayPreview {
        cameras: Vec<String>,
        delay_days: u32,
    },
    DelayAsk {
        person: PersonProof,
        cameras: Vec<String>,
        delay_days: u32,
    },
    DelayApprove {
        person: PersonProof,
        request: String,
    },
    DelayCancel {
        person: PersonProof,
        request: String,
    },
    DelayList,
    /// A person says that a copy of the keyring, 1 or 2, does not come back.
    CopyWriteOff {
        person: PersonProof,
        copy: u8,
    },
    /// A new folder is where a copy was that was written off.
    CopyReplace {
        copy: u8,
    },
}
