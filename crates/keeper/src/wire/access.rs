//! What web asks of requests for access.

use domain::{
    AccessFacts, AccessId, AccessRequest, Sensitive, UtcMicros,
    access::{AccessOutcome, IdentityMeans, RefusalGround},
};
/// Of a ground of refusal: its article, and its name in English.
pub use policy::access::{article, ground_en};
use policy::requisition::Lack;
use serde::{Deserialize, Serialize};
use vault::keeper::{Refused, SessionSecret};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum AccessQuestion {
    /// A new line of the register, or one that is completed. `freeze`: what lives of its windows is held at once.
    Register { session: SessionSecret, known: Option<AccessId>, says: Box<AccessFacts>, freeze: bool },
    /// Somebody made sure who asks.
    Identify { session: SessionSecret, id: AccessId, means: IdentityMeans },
    /// The person saw the pictures on site; who was present.
    Viewed { session: SessionSecret, id: AccessId, present: Sensitive<String> },
    Answer {
        session: SessionSecret,
        id: AccessId,
        outcome: AccessOutcome,
        grounds: Vec<RefusalGround>,
        reason: Sensitive<String>,
    },
    /// The newest first; `before`: only older ones.
    List { session: SessionSecret, before: Option<(u16, u32)> },
    /// Whether who asks may use the register at all.
    May { session: SessionSecret },
}

impl AccessQuestion {
    /// Of who asks.
    pub fn session(&self) -> &SessionSecret {
        match self {
            AccessQuestion::Register { session, .. }
            | AccessQuestion::Identify { session, .. }
            | AccessQuestion::Viewed { session, .. }
            | AccessQuestion::Answer { session, .. }
            | AccessQuestion::List { session, .. }
            | AccessQuestion::May { session } => session,
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum AccessAnswer {
    /// And what it still lacks.
    Registered {
        id: AccessId,
        label: String,
        lacks: Vec<Lack>,
        frozen: Frozen,
    },
    /// Not yet: this is missing, or wrong.
    Incomplete(Vec<Lack>),
    /// Nobody may be shown anything: by which rule; the refusal is entered.
    Refused(Refused),
    /// And whether there are older ones.
    Requests(Vec<AccessView>, bool),
    Done,
}

/// What became of the windows of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Frozen {
    /// All that lives of them is held.
    Held,
    /// Nothing of them lives, or no window is known yet.
    Nothing,
    /// It lives and is not held: there was no room, or more of it than a hold has.
    NotAsked,
}

/// A line of the register.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AccessView {
    pub request: AccessRequest,
    pub version: u32,
    /// By when it is answered; none once it is.
    pub due: Option<UtcMicros>,
    /// When the first of its pictures die; none: none lives.
    pub dies: Option<UtcMicros>,
    /// Whether what lives of it is held.
    pub frozen: Frozen,
    pub lacks: Vec<Lack>,
    /// Paragraphs of the letter that answers it, French and English.
    pub letter: Option<(Vec<String>, Vec<String>)>,
}
