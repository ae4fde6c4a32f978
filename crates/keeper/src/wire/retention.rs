//! What the independent auditor of destruction is told: counts of keys by hour and deadline, never a camera, never a key.

use domain::{Hour, UtcMicros};
use seal::sign::PublicKey;
use serde::{Deserialize, Serialize};

/// The keeper's word about destruction, for somebody who holds it against a clock and an arithmetic of his own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetentionView {
    /// Trusted time; none where none stands.
    pub now: Option<UtcMicros>,
    /// Since destruction last went through all hours; none: not since the keeper started.
    pub turned_seconds: Option<u64>,
    /// Verifies the headers of reels.
    pub site_key: PublicKey,
    /// Hours of the last forty days and the next.
    pub hours: Vec<HourKeys>,
    /// What died lately.
    pub ended: Vec<KeysEnded>,
}

/// The keys of one hour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HourKeys {
    pub hour: Hour,
    /// Keys that the keyring has, by their deadline in the page, which governs (K7).
    pub alive: Vec<KeysAlive>,
    /// Keys that it has no more and that the ledger names as condemned.
    pub ended: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct KeysAlive {
    pub deadline: UtcMicros,
    /// The authorised delay of their cameras, as registered.
    pub days: u32,
    pub keys: u32,
}

/// Keys that died by one entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeysEnded {
    pub hour: Hour,
    /// None where its mint cannot be read any more.
    pub deadline: Option<UtcMicros>,
    /// When they were condemned, by trusted time.
    pub at: UtcMicros,
    /// By an order, or because the disk was too small.
    pub early: bool,
    pub keys: u32,
}
