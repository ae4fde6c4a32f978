//! What is said of hours and of the whole ledger: alive, closed, destroyed; whether all of it holds.

use domain::{Hour, UtcMicros};
use serde::{Deserialize, Serialize};

/// What became, or will become, of a camera's hour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HourFate {
    pub hour: Hour,
    pub state: FateState,
    pub deadline: Option<UtcMicros>,
    pub destroyed_at: Option<UtcMicros>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FateState {
    /// Its key lives.
    Live,
    /// Within ten minutes of its deadline, or past it with clocks that disagree: nothing opens (K8, K9).
    Closed,
    /// Its key is dead.
    Destroyed,
    /// It never had a key.
    Empty,
}

/// The verdict on the log and on every destruction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verified {
    pub holds: bool,
    pub entries: u64,
    pub checkpoints: u64,
    pub unsigned: u64,
    pub root_hex: String,
    /// Keys (camera and hour) that came to life, died, live.
    pub mints: u64,
    pub destroyed: u64,
    pub live: u64,
    pub faults: Vec<String>,
    /// Keys that live past their deadline.
    pub overdue: Vec<String>,
    /// The time by which deadlines were judged: trusted, or the lower bound.
    pub judged_at: UtcMicros,
    /// `false`: no time stands, and nothing is said of deadlines for sure.
    pub time_is_sure: bool,
    /// Keys past their deadline by the fastest plausible clock only; none where the time is sure.
    pub perhaps_overdue: Vec<String>,
}
