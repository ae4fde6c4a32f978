//! What is said of backups of the registry, and of one that was restored.

use domain::{Sensitive, UtcMicros};
use serde::{Deserialize, Serialize};

/// A backup that waits to be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupMade {
    pub at: UtcMicros,
    /// How far the ledger reached.
    pub entries: u64,
    pub bytes: u64,
    pub digest: [u8; 32],
}

/// A restored registry that waits for two persons.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoredView {
    /// When the copy was taken.
    pub taken: UtcMicros,
    pub entries_since: u64,
    /// All entries since can be read; else every account needs a new setup link.
    pub everything_is_told: bool,
    pub waits_for_a_second: bool,
    pub seconds_since_restored: i64,
    pub lines: Vec<RestoredLine>,
}

/// One thing that the ledger tells and the copy does not know.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RestoredLine {
    pub change: RestoredChange,
    pub what: Sensitive<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum RestoredChange {
    /// The account is there, and its person needs a new setup link.
    NeedsLink,
    /// The account was added since, and is not there.
    NoAccount,
    Camera,
    Act,
}

/// What became of a confirmation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RestoreDone {
    /// Another person is awaited.
    First,
    Confirmed,
    NothingToConfirm,
    SamePerson,
    BothAdministrators,
    /// Its way to sign in is younger than the copy, by less than a day.
    TooNew,
}
