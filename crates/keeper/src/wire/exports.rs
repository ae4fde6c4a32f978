//! The register of requisitions and what leaves under them, as web asks and the keeper answers.

use super::PersonProof;
use domain::{ExportId, Purpose, Requisition, RequisitionFacts, RequisitionId, Sensitive, UtcMicros, Window};
use ledger::Digest;
use policy::requisition::Lack;
use serde::{Deserialize, Serialize};
use vault::keeper::{Permit, Refused, SessionSecret};

/// Asked by web, with the session of who asks.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum ExportQuestion {
    /// A requisition came in, or is completed: with `known` that one gets a further version.
    Register { session: SessionSecret, known: Option<RequisitionId>, says: Box<RequisitionFacts> },
    /// The register, the newest first.
    Requisitions { session: SessionSecret },
    /// Two persons let footage leave under a requisition, each with password and code.
    Open(Box<ExportAsk>),
    /// Permits for an export that is open, for who asked for it: one a window.
    Permits { session: SessionSecret, export: ExportId },
    /// Its package is made.
    Made { session: SessionSecret, export: ExportId, manifest: Digest, files: u32, bytes: u64 },
    /// What the log says of these reels and of the export.
    Proof { session: SessionSecret, export: ExportId, reels: Vec<domain::ReelId> },
}

/// What shall leave, and who answers for it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExportAsk {
    pub session: SessionSecret,
    pub requisition: RequisitionId,
    pub windows: Vec<Window>,
    pub purpose: Purpose,
    pub password: Sensitive<String>,
    pub code: Sensitive<String>,
    pub second: PersonProof,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum ExportAnswer {
    Registered {
        id: RequisitionId,
        label: String,
        lacks: Vec<Lack>,
    },
    Requisitions(Vec<RequisitionView>),
    Opened(ExportView),
    /// Not yet: the requisition lacks this. Whether to refuse is for a person to say.
    Incomplete(Vec<Lack>),
    /// By which rule, and what would make it lawful; the refusal is entered.
    Refused(Refused),
    /// A password or a code is wrong, whoever's; or when to come back.
    Denied {
        wait_seconds: u32,
    },
    Permits(Vec<(Window, Permit)>),
    Made,
    /// The log has closed no batch yet that holds all of it: ask again within a minute (L4).
    Wait,
    Proof(LogWords),
}

/// A line of the register.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RequisitionView {
    pub requisition: Requisition,
    pub version: u32,
    pub lacks: Vec<Lack>,
    pub exports: Vec<ExportView>,
}

/// An export as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportView {
    pub export: ExportId,
    pub leaf: u64,
    pub opened: UtcMicros,
    pub until: UtcMicros,
    pub windows: Vec<Window>,
    pub manifest: Option<Digest>,
}

/// A checkpoint, and entries with what proves them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogWords {
    /// The signed note.
    pub checkpoint: String,
    pub entries: Vec<EntryWords>,
}

/// An opened entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryWords {
    pub seq: u64,
    pub salt: [u8; 16],
    pub details: Sensitive<String>,
    pub path: Vec<Digest>,
}
