//! What is said of break-glass: a demand, what is open, what waits for the data-protection officer.

use domain::{CameraId, GlassId, Sensitive, UtcMicros};
use serde::{Deserialize, Serialize};

/// All that is not over for everybody.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GlassView {
    pub now: UtcMicros,
    /// For how long one is open.
    pub seconds: u32,
    /// What a look by it is told.
    pub text_fr: String,
    pub text_en: String,
    /// The oldest first.
    pub lines: Vec<GlassLine>,
}

/// One of them, as far as its reader is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GlassLine {
    pub id: GlassId,
    pub state: GlassState,
    pub who: Option<Sensitive<String>>,
    pub second: Option<Sensitive<String>>,
    pub reason: Option<Sensitive<String>>,
    pub cameras: Vec<CameraId>,
    /// When it was asked for, or opened.
    pub at: UtcMicros,
    pub until: Option<UtcMicros>,
    /// Looks by it.
    pub looks: u32,
    /// What the reader may do with it.
    pub may: Vec<GlassMay>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GlassState {
    /// Waits for a second person.
    Asked,
    Open,
    /// Waits for the data-protection officer.
    Ended,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GlassMay {
    Confirm,
    /// It is the reader's own: looks by it are.
    Look,
    End,
    Acknowledge,
}

/// What became of a demand, a confirmation, an end, an acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum GlassDone {
    Asked {
        glass: GlassId,
    },
    Open {
        glass: GlassId,
        until: UtcMicros,
    },
    Ended,
    Acknowledged,
    /// No such demand waits, or nothing such is open.
    Unknown,
    /// The reason is too short or too long.
    Reason,
    /// Who asks sees no pictures by role, or without an act in force.
    NotHabilitated,
    SamePerson,
    /// The second person sees no pictures by role, has no act in force, or a younger account than the demand.
    NotThisPerson,
    /// The rules in force are not believed: nothing is permitted, by break-glass neither.
    LawInDoubt,
    StillOpen,
    NotTheOfficer,
}
