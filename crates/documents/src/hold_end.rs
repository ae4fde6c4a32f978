//! Certificate of a hold's end (RET-06, K3): what was kept for whom, why and when it ended, which entries attest it.

use crate::{At, Footage, LogProof, paper::Private};
use domain::HoldEnd;
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndOfHold {
    /// `G-0007`
    pub number: String,
    pub opened: At,
    pub requester: Private,
    pub windows: Vec<Footage>,
    /// Number in the register of requisitions.
    #[serde(default)]
    pub requisition: Option<String>,
    pub ended: At,
    /// Hours of it may have ended one after the other.
    pub whys: Vec<HoldEnd>,
    pub destroyed: At,
    /// Of the log: the hold, its ends, the deaths of its keys.
    pub made_entries: Vec<u64>,
    pub end_entries: Vec<u64>,
    pub death_entries: Vec<u64>,
    pub log: LogProof,
    /// What the kind of custodian cannot promise, in the paper's language.
    #[serde(default)]
    pub reservation: String,
}
