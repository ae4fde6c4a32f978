//! What is said of delays that shall become shorter (R14).

use domain::{Hour, UtcMicros};
use serde::{Deserialize, Serialize};

/// What a camera loses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DelayLoss {
    pub camera: String,
    pub delay_days: u32,
    pub hours: u64,
    pub first: Option<Hour>,
    pub last: Option<Hour>,
}

/// A request that waits for a second person, or for its moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DelayLine {
    pub request: String,
    pub asked: UtcMicros,
    /// None: not approved.
    pub from: Option<UtcMicros>,
    pub losses: Vec<DelayLoss>,
}

/// What became of a word about a delay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DelayDone {
    Asked {
        request: String,
        losses: Vec<DelayLoss>,
    },
    /// It holds from then on, unless somebody cancels it.
    Approved {
        from: UtcMicros,
        losses: Vec<DelayLoss>,
    },
    Cancelled,
    /// Nothing of that number waits.
    Unknown,
    SamePerson,
    /// The account is younger than the request, both are administrators, or the first person's account is closed.
    NotThisPerson,
}
