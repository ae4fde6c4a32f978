//! What is asked of the gate: who in which role wants to see what, when, for which purpose and why.

pub use domain::Role;
use domain::{CameraId, Purpose, Sensitive, Span, UtcMicros};
use serde::{Deserialize, Serialize};

/// One wish to look, with every fact that the decision needs; nothing is looked up while deciding.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Request {
    pub action: Action,
    pub role: Role,
    /// One of the eleven purposes of CSI L251-2; a look without one is refused.
    pub purpose: Option<Purpose>,
    /// The motif of CSI R253-5: why this person looks now. It may name people, so it does not print.
    pub reason: Sensitive<String>,
    /// The cameras asked for, each as it stood in the registry; a camera the registry does not know has `exists:
    /// false`.
    pub cameras: Vec<CameraFacts>,
    /// The time in the footage, for [`Action::Replay`]; not read for [`Action::WatchLive`].
    pub span: Option<Span>,
    /// How long the permit is to hold, in seconds.
    pub permit_seconds: i64,
    /// Trusted time (or, while clocks disagree, the fastest).
    pub now: UtcMicros,
}

/// What may be asked for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// See what cameras see now.
    WatchLive,
    /// See what cameras saw.
    Replay,
}

impl Action {
    pub const ALL: [Action; 2] = [Action::WatchLive, Action::Replay];

    pub const fn name(self) -> &'static str {
        match self {
            Action::WatchLive => "watch-live",
            Action::Replay => "replay",
        }
    }
}

/// What the registry knows of one camera that is asked for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CameraFacts {
    pub id: CameraId,
    /// Whether the registry has ever known it.
    pub exists: bool,
    /// Whether it is in service now: a camera taken out of service can be replayed until its footage dies, not watched.
    pub recording: bool,
    /// The purposes that the prefect's order gives it.
    pub purposes: Vec<Purpose>,
}
