//! Holds (gel): footage that is frozen for an authority, as web asks and the keeper answers (K12).

use domain::{HoldEnd, HoldId, RequisitionId, Sensitive, UtcMicros, Window};
pub use ledger::HeldHour;
use serde::{Deserialize, Serialize};
use vault::keeper::{Refused, SessionSecret};

/// Asked by web, with the session of who asks.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum HoldQuestion {
    Open(Box<HoldAsk>),
    /// Its requisition has come.
    Bind {
        session: SessionSecret,
        hold: HoldId,
        requisition: RequisitionId,
    },
    Lift {
        session: SessionSecret,
        hold: HoldId,
    },
    /// All that stand and those that ended, the newest first.
    List {
        session: SessionSecret,
    },
    /// Whether who asks may hold at all.
    May {
        session: SessionSecret,
    },
}

impl HoldQuestion {
    /// Of who asks.
    pub fn session(&self) -> &SessionSecret {
        match self {
            HoldQuestion::Open(ask) => &ask.session,
            HoldQuestion::Bind { session, .. }
            | HoldQuestion::Lift { session, .. }
            | HoldQuestion::List { session }
            | HoldQuestion::May { session } => session,
        }
    }
}

/// What shall be frozen, and for whom.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HoldAsk {
    pub session: SessionSecret,
    /// Who asked for it, of which service.
    pub requester: Sensitive<String>,
    pub reason: Sensitive<String>,
    pub windows: Vec<Window>,
    /// Where it is there already.
    pub requisition: Option<RequisitionId>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum HoldAnswer {
    Opened(Box<HoldView>),
    Refused(Refused),
    Holds(Vec<HoldView>),
    Done,
}

/// What was said when it was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldSays {
    pub number: u32,
    /// Number of its entry in the ledger.
    pub leaf: u64,
    pub opened: UtcMicros,
    pub who: Sensitive<String>,
    pub requester: Sensitive<String>,
    pub reason: Sensitive<String>,
    pub windows: Vec<Window>,
}

/// A hold as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldView {
    pub hold: HoldId,
    pub says: HoldSays,
    /// Hours of which it still has keys, and when they die.
    pub hours: Vec<HeldHour>,
    /// The requisition that it waits to be handed over under, with its number in the register.
    pub requisition: Option<(RequisitionId, String)>,
    /// Reels and bytes, once all of it is in the reserve, and reels of which nothing could be kept.
    pub kept: Option<(u32, u64, u32)>,
    /// When and why its last hour ended.
    pub ended: Option<(UtcMicros, HoldEnd)>,
    /// Of what ended: every copy of the keyring confirmed that its keys are dead.
    pub is_destroyed: bool,
    /// Then: paragraphs of the certificate, French and English.
    pub certificate: Option<(Vec<String>, Vec<String>)>,
}
