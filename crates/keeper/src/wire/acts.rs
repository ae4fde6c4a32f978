//! What is said of papers: scans in parts, which are asked for, how they stand, why one is not taken.

use domain::{ActId, Sensitive, UtcMicros};
use policy::acts::{Draft, Problem};
use serde::{Deserialize, Serialize};

/// Some of the bytes of a scan; at most [`domain::limit::SCAN_PART_BYTES_MAX`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanPart {
    /// SHA-256 of the whole.
    pub digest: [u8; 32],
    pub total_bytes: u64,
    pub offset: u64,
    pub bytes: Sensitive<Vec<u8>>,
}

/// Which papers are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActQuery {
    /// Those that held then; none: now.
    pub at: Option<UtcMicros>,
    /// As they were known then; none: now.
    pub known_at: Option<UtcMicros>,
    /// Those that do not hold, too.
    pub all: bool,
    /// So many were told already.
    pub after: u32,
}

/// One paper, as `vigie act list` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActView {
    pub id: ActId,
    pub facts: Draft,
    /// When it holds no more: its end, its event's, or its withdrawal.
    pub end: Option<UtcMicros>,
    pub holds: bool,
    pub withdrawn: bool,
    pub version: u32,
    pub recorded_at: UtcMicros,
}

/// Why a paper is not taken; then none of its dossier is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedAct {
    /// Which one of those that were given, from 1.
    pub nth: u32,
    pub number: String,
    pub problems: Vec<Problem>,
}
