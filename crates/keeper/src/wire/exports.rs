//! The register of requisitions and what leaves under them, as web asks and the keeper answers.

use super::{PersonProof, ScanPart, links::LinkView, papers::Pictures};
use domain::{
    CameraId, ExportId, HoldId, Hour, Purpose, ReelId, Requisition, RequisitionFacts, RequisitionId, Sensitive, SiteId,
    UtcMicros, Window,
    requisition::{Adviser, Delivery, Ground, Opinion, Outcome},
};
use ledger::Digest;
pub use policy::requisition::Lack;
use serde::{Deserialize, Serialize};
use vault::keeper::{Permit, Refused, SessionSecret};

/// Asked by web, with the session of who asks.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum ExportQuestion {
    /// A requisition came in, or is completed: with `known` that one gets a further version.
    Register { session: SessionSecret, known: Option<RequisitionId>, says: Box<RequisitionFacts> },
    /// What the town answers.
    Answer {
        session: SessionSecret,
        requisition: RequisitionId,
        outcome: Outcome,
        ground: Option<Ground>,
        reason: Sensitive<String>,
    },
    /// A package was handed over to its recipient.
    Deliver { session: SessionSecret, requisition: RequisitionId, delivery: Box<Delivery> },
    /// The town's copy of a package that was handed over is deleted.
    CopyDestroyed { session: SessionSecret, export: ExportId, bytes: u64 },
    /// Who requires saw the pictures on site: who was present.
    Viewed { session: SessionSecret, requisition: RequisitionId, present: Sensitive<String> },
    /// What is asked for under another text than the requisitions of the CPP, for those who judge it.
    Opinions { session: SessionSecret },
    /// What one of them says of it.
    Opinion { session: SessionSecret, requisition: RequisitionId, favourable: bool, reason: Sensitive<String> },
    /// A part of a requisition's scan, which comes before the requisition that names it.
    Scan { session: SessionSecret, part: ScanPart },
    /// The register, the newest first, before this year and number: as much as a message holds.
    Requisitions { session: SessionSecret, before: Option<(u16, u32)> },
    /// Two persons let footage leave under a requisition, each with password and code.
    Open(Box<ExportAsk>),
    /// Permits for an export that is open, for who asked for it: one a window.
    Permits { session: SessionSecret, export: ExportId },
    /// How an export stands, for who opened it.
    View { session: SessionSecret, export: ExportId },
    /// What a package says of its town and ground, for who opened it.
    Facts { session: SessionSecret, export: ExportId },
    /// Whether these reels are closed and entered: pictures of one that is still written cannot be proved yet.
    Closed { session: SessionSecret, export: ExportId, reels: Vec<ReelId> },
    /// Its package is made.
    Made { session: SessionSecret, export: ExportId, manifest: Digest, files: u32, bytes: u64 },
    /// What the log says of these reels, of the death of these cameras' hours, and of the export: under `note`, a checkpoint that
    /// witnesses cosigned, where there is one, else under the newest.
    Proof {
        session: SessionSecret,
        export: ExportId,
        reels: Vec<ReelId>,
        destroyed: Vec<(CameraId, Hour)>,
        note: Option<String>,
    },
}

impl ExportQuestion {
    /// Of who asks.
    pub fn session(&self) -> &SessionSecret {
        match self {
            ExportQuestion::Register { session, .. }
            | ExportQuestion::Answer { session, .. }
            | ExportQuestion::Deliver { session, .. }
            | ExportQuestion::CopyDestroyed { session, .. }
            | ExportQuestion::Viewed { session, .. }
            | ExportQuestion::Opinions { session }
            | ExportQuestion::Opinion { session, .. }
            | ExportQuestion::Scan { session, .. }
            | ExportQuestion::Requisitions { session, .. }
            | ExportQuestion::View { session, .. }
            | ExportQuestion::Permits { session, .. }
            | ExportQuestion::Facts { session, .. }
            | ExportQuestion::Closed { session, .. }
            | ExportQuestion::Made { session, .. }
            | ExportQuestion::Proof { session, .. } => session,
            ExportQuestion::Open(ask) => &ask.session,
        }
    }
}

/// What shall leave, and who answers for it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExportAsk {
    pub session: SessionSecret,
    pub requisition: RequisitionId,
    pub windows: Vec<Window>,
    pub purpose: Purpose,
    /// For which public key (age) the package is sealed; none: by a passphrase. Both persons answer for it.
    pub sealed_to: Option<String>,
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
    /// And whether there are older ones.
    Requisitions(Vec<RequisitionView>, bool),
    Opinions(Vec<OpinionView>),
    Opened(ExportView),
    /// Not yet: the requisition lacks this. Whether to refuse is for a person to say.
    Incomplete(Vec<Lack>),
    /// By which rule, and what would make it lawful; the refusal is entered.
    Refused(Refused),
    /// A password or a code is wrong, whoever's; or when to come back.
    Denied {
        wait_seconds: u32,
    },
    /// The keeper has so many bytes of the scan.
    ScanHeld {
        bytes: u64,
    },
    Permits(Vec<(Window, Permit)>),
    Facts(Box<ExportFacts>),
    /// Entered, or closed: as asked.
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
    /// Paragraphs of the letter that goes with its answer, French and English.
    pub letter: Option<(Vec<String>, Vec<String>)>,
}

/// What somebody judges: what is asked, by which service, on which ground; no name of who asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpinionView {
    pub requisition: RequisitionId,
    pub number: String,
    pub received: UtcMicros,
    pub framework: String,
    pub service: String,
    pub procedure: String,
    pub object: Sensitive<String>,
    pub pictures: Vec<Pictures>,
    /// Its act is in writing, and its genuineness was shown.
    pub has_act: bool,
    pub is_genuine: bool,
    pub opinions: Vec<Opinion>,
    /// The opinion that whoever asks may give; none: they wrote the line.
    pub may: Option<Adviser>,
}

/// An export as it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportView {
    pub export: ExportId,
    /// Who asks opened it: nobody else makes its package.
    pub is_own: bool,
    pub leaf: u64,
    pub opened: UtcMicros,
    pub until: UtcMicros,
    pub windows: Vec<Window>,
    pub manifest: Option<Digest>,
    /// By which it may be fetched, or was, the oldest first.
    pub links: Vec<LinkView>,
}

/// What stands in a package beside its pictures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportFacts {
    pub view: ExportView,
    pub sealed_to: Option<String>,
    pub site: SiteId,
    pub site_name: String,
    /// By which the log's checkpoints are verified (C2SP signed-note).
    pub log_key: String,
    /// Number in the register, legal framework, who requires, number of the procedure.
    pub number: String,
    pub framework: String,
    pub authority: String,
    pub procedure: String,
    /// Of each window.
    pub cameras: Vec<WindowFacts>,
    pub law_pack: String,
    pub clock_fr: String,
    pub clock_en: String,
}

/// What is known of one window.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowFacts {
    /// Of its camera, as they were then.
    pub name: String,
    pub place: String,
    /// Replays that touch it, live looks that began in it, and the accounts of both.
    pub past: u32,
    pub live: u32,
    pub persons: u32,
    /// All of it is held in the reserve for this requisition.
    pub held: Option<HoldId>,
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
