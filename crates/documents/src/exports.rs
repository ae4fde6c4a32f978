//! Journal of exports (arrêté du 3 août 2007, TECH-17; REQ-05): which pictures left, when, under what, by whom.

use crate::{At, Footage, Sha256, paper::Private};
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exports {
    /// The time that the list is of: from inclusive, to exclusive.
    pub from: At,
    pub to: At,
    /// In the order of time. None: the list says so.
    pub lines: Vec<ExportLine>,
    /// Entries of the log before which the list was made.
    #[serde(default)]
    pub log_size: Option<u64>,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExportLine {
    /// Entry of the log.
    pub entry: u64,
    pub at: At,
    /// Number in the register of requisitions.
    pub requisition: String,
    pub framework: String,
    pub footage: Vec<Footage>,
    pub executed: Private,
    #[serde(default)]
    pub second: Private,
    /// Of the package, once it was handed over.
    #[serde(default)]
    pub sha256: Option<Sha256>,
    #[serde(default)]
    pub handed: Option<At>,
}
