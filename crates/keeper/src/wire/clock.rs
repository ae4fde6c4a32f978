//! What is said about the clocks (K9).

use super::Finding;
use domain::UtcMicros;
use serde::{Deserialize, Serialize};

/// The clocks, each with its word, and what follows from them (K9).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockView {
    /// The time that stands; `None` while clocks disagree.
    pub trusted: Option<UtcMicros>,
    /// It is not earlier than this.
    pub at_least: UtcMicros,
    pub finding: Finding,
    pub clocks: Vec<ClockLine>,
    /// One person confirmed a time; another one is waited for.
    pub waits_for_a_second: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockLine {
    pub name_fr: String,
    pub name_en: String,
    pub at: Option<UtcMicros>,
    pub word_fr: String,
    pub word_en: String,
}

/// What became of a person's word about the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Confirmation {
    /// Entered; another person confirms it within so many seconds.
    First { seconds: i64 },
    /// Two persons said so: it stands.
    Stands { at: UtcMicros },
    /// A time stands already.
    NotNeeded { now: UtcMicros },
    /// The same person said it before: another one is needed.
    SamePerson,
    /// The account was made or changed since the clocks disagree: an older one is needed.
    TooNew,
    /// The two persons' times differ by so much.
    Differs { seconds: i64 },
    /// Before what the ledger knows to have passed.
    TooEarly { at_least: UtcMicros },
    /// Further ahead of the ledger than a machine is switched off.
    TooFar { at_least: UtcMicros },
}
