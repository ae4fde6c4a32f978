//! What papers say of the town's registers and of its log, as web asks and the keeper answers: each for who may see the same on a page.

use super::{HourFate, access::AccessView, exports::RequisitionView};
use domain::{
    AccessId, ExportId, HoldEnd, HoldId, RequisitionId, Sensitive, Span, UtcMicros, Window, requisition::Delivery,
};
use ledger::Digest;
use serde::{Deserialize, Serialize};
use vault::keeper::SessionSecret;

/// Asked by web, with the session of who asks.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum PaperQuestion {
    /// One requisition, with what left under it.
    Requisition {
        session: SessionSecret,
        id: RequisitionId,
    },
    Access {
        session: SessionSecret,
        id: AccessId,
    },
    /// A hold that has ended.
    Hold {
        session: SessionSecret,
        id: HoldId,
    },
    /// What became of a camera's hours: of 32 days at most.
    Destruction {
        session: SessionSecret,
        window: Window,
    },
    /// What was let out in a time, as much as a message holds.
    Exports {
        session: SessionSecret,
        span: Span,
    },
}

impl PaperQuestion {
    /// Of who asks.
    pub fn session(&self) -> &SessionSecret {
        match self {
            PaperQuestion::Requisition { session, .. }
            | PaperQuestion::Access { session, .. }
            | PaperQuestion::Hold { session, .. }
            | PaperQuestion::Destruction { session, .. }
            | PaperQuestion::Exports { session, .. } => session,
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PaperAnswer {
    pub town: PaperTown,
    pub says: PaperSays,
}

/// Whose paper it is, and by what its log is verified.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaperTown {
    pub name: String,
    /// As C2SP signed-note writes it.
    pub log_key: String,
    /// The newest that is published: size and root.
    pub checkpoint: Option<(u64, Digest)>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum PaperSays {
    Requisition(Box<RequisitionPaper>),
    Access(Box<AccessView>),
    Hold(Box<HoldPaper>),
    Destruction(Box<DestructionPaper>),
    /// And so many entries the log had.
    Exports(Vec<ExportLine>, u64),
    /// The register does not have it.
    Unknown,
    /// It is there, and its time has not come: it is not answered, not handed over, not dead, or not all of it.
    NotYet,
}

/// Pictures of a camera and time, with the camera's name and place as they were then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pictures {
    pub camera: String,
    pub place: String,
    pub span: Span,
}

/// Somebody of the town.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TownPerson {
    pub name: Sensitive<String>,
    /// The name of a role of `policy`.
    pub role: String,
    /// Number of the act that held then.
    pub habilitation: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RequisitionPaper {
    pub view: RequisitionView,
    /// What it asks for.
    pub windows: Vec<Pictures>,
    pub exports: Vec<ExportLine>,
}

/// What was let out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExportLine {
    pub export: ExportId,
    /// Of the log: that it was allowed, and the last time that its package was made.
    pub entry: u64,
    pub made: Option<u64>,
    pub opened: UtcMicros,
    /// Number of its requisition in the register.
    pub number: String,
    pub framework: String,
    pub pictures: Vec<Pictures>,
    pub executed: Option<TownPerson>,
    pub second: Option<TownPerson>,
    pub manifest: Option<Digest>,
    pub delivery: Option<Delivery>,
    /// When the town's own copy was destroyed, and the number of that entry.
    pub copy_destroyed: Option<(UtcMicros, u64)>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HoldPaper {
    pub number: u32,
    pub opened: UtcMicros,
    pub requester: Sensitive<String>,
    pub pictures: Vec<Pictures>,
    /// Number of its requisition in the register.
    pub requisition: Option<String>,
    pub ended: UtcMicros,
    pub whys: Vec<HoldEnd>,
    pub destroyed: UtcMicros,
    /// Of the hold, of its ends, of the deaths of its keys.
    pub entries: [Vec<u64>; 3],
    /// What the kind of custodian cannot promise, French and English.
    pub custodian: (String, String),
}

/// Hours that are all dead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DestructionPaper {
    pub pictures: Pictures,
    /// Those that had a key.
    pub hours: Vec<HourFate>,
    /// Some died before their deadline, by an order or for want of room.
    pub early: bool,
    /// Of the log: keys condemned, keys destroyed.
    pub condemned: Vec<u64>,
    pub destroyed: Vec<u64>,
    /// The kind of custodian that destroyed, the copies that confirmed then, and what the kind cannot promise.
    pub kind: String,
    pub copies: u8,
    pub custodian: (String, String),
    /// Bytes of dead reels of these hours, of any camera, that could not be deleted.
    pub residual_bytes: u64,
    /// Holds of this time that stand, by their numbers.
    pub holds: Vec<u32>,
}
