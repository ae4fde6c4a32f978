//! Requisitions (réquisitions): what an authority asks for, as the town's register has it (law REQ-01 to REQ-05, CSI R253-5).

use crate::access::Viewing;
use crate::named_enum;
use crate::{AccountId, CameraId, ExportId, RequisitionId, Sensitive, Span, UtcMicros};
use serde::{Deserialize, Serialize};

/// Pictures of one camera and time.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Window {
    pub camera: CameraId,
    pub span: Span,
}

named_enum! {
    /// On which text the requisition stands (cadre légal, REQ-01 to REQ-03).
    Framework,
    /// As the register prints it.
    title {
        /// Enquête de flagrance.
        Cpp60_1 = "CPP 60-1",
        /// Enquête préliminaire, with the prosecutor's authorisation.
        Cpp77_1_1 = "CPP 77-1-1",
        /// Juge d'instruction, or under his commission rogatoire.
        Cpp99_3 = "CPP 99-3",
        /// Recherche des causes de la mort.
        Cpp74 = "CPP 74",
        /// Disparition.
        Cpp74_1 = "CPP 74-1",
        /// Personne en fuite.
        Cpp74_2 = "CPP 74-2",
        /// By the reasoned act (acte motivé) of the authority that conducts it.
        Administrative = "procédure administrative (CSI R253-3 III 3°)",
        /// By the reasoned act of the authority that conducts it.
        Disciplinary = "procédure disciplinaire (CSI R253-4)",
        /// Named in words.
        Other = "autre",
    }
}

named_enum! {
    /// In which quality somebody requires.
    Quality,
    /// As the register prints it.
    title {
        Prosecutor = "procureur de la République",
        InvestigatingJudge = "juge d'instruction",
        Court = "juridiction",
        Opj = "officier de police judiciaire",
        Apj = "agent de police judiciaire",
        Assistant = "assistant d'enquête",
        Other = "autre",
    }
}

named_enum! {
    /// How it came.
    Means,
    /// As the register prints it.
    title {
        InPerson = "remise en main propre",
        Post = "courrier",
        Mail = "courriel",
        Platform = "plateforme",
        /// Urgent: confirmed in writing within 24 hours (REQ-04).
        Oral = "orale",
    }
}

named_enum! {
    /// What the town answered (REQ-05, field 18).
    Outcome,
    /// As the register prints it.
    title {
        Whole = "réponse entière",
        Partial = "réponse partielle",
        Negative = "réponse négative",
        Refused = "refus",
    }
}

named_enum! {
    /// Why not all of it (REQ-05, field 18; REQ-10).
    Ground,
    /// As the register prints it.
    title {
        /// Its deadline had passed.
        Destroyed = "images détruites à leur terme",
        /// No camera there, or one that was away.
        NeverRecorded = "jamais enregistrées",
        /// An insurer, a victim, somebody else whom no text names.
        NoAuthority = "demandeur sans droit",
        /// The prosecutor's authorisation or the commission rogatoire was not shown.
        NoAuthorisation = "autorisation non produite",
        Other = "autre",
    }
}

/// Who requires.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Authority {
    pub name: Sensitive<String>,
    pub quality: Quality,
    /// Matricule or RIO.
    pub matricule: Sensitive<String>,
    pub service: String,
    /// The court (tribunal judiciaire).
    pub court: String,
}

/// Under 77-1-1 and 99-3 somebody else allowed it (REQ-02).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "kebab-case")]
pub enum Authorisation {
    /// The prosecutor for this case, or the number of the commission rogatoire.
    Individual { reference: String },
    /// General instruction of the prosecutor (CPP 39-3).
    General { signed: UtcMicros },
}

/// That it is genuine: somebody called the service back at the number that the town knew before.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CallBack {
    pub at: UtcMicros,
    pub number: String,
    pub spoken_to: Sensitive<String>,
}

/// The town's answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Reply {
    pub at: UtcMicros,
    pub outcome: Outcome,
    /// Of what is not handed over.
    pub ground: Option<Ground>,
    pub reason: Sensitive<String>,
}

named_enum! {
    /// Who says whether footage may leave under another text than the requisitions of the CPP (REQ-03; law.md section 11, 4b).
    Adviser,
    /// As the register prints it.
    title {
        /// Another one than those who wrote the line.
        HeadOfService = "responsable du service",
        Dpo = "délégué à la protection des données",
    }
}

/// What one of them says of the line as it was written then.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Opinion {
    pub at: UtcMicros,
    pub adviser: Adviser,
    /// The account.
    pub by: Sensitive<String>,
    pub favourable: bool,
    pub reason: Sensitive<String>,
}

/// A package was handed over to its recipient: fields 13 to 17 and 19 of REQ-05.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Delivery {
    pub export: ExportId,
    pub at: UtcMicros,
    /// The medium and its serial number, or the channel.
    pub medium: String,
    /// By which way the key or passphrase went.
    pub key_means: String,
    pub recipient: Sensitive<String>,
    pub quality: String,
    /// SHA-256 of the scanned receipt.
    pub receipt: Option<[u8; 32]>,
    pub copies: u8,
    pub notes: Sensitive<String>,
}

/// A requisition in the register. What leaves under it is told by the exports.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Requisition {
    pub id: RequisitionId,
    /// Of the register, without a gap within a year.
    pub year: u16,
    pub number: u32,
    pub says: RequisitionFacts,
}

/// What a requisition says, as far as it is known when it comes in: fields 2 to 10 of REQ-05.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RequisitionFacts {
    pub received: UtcMicros,
    pub means: Means,
    pub authority: Authority,
    pub framework: Framework,
    /// The text, where the framework is another one.
    pub framework_other: String,
    pub authorisation: Option<Authorisation>,
    /// Number of the procedure (PV).
    pub procedure: String,
    /// The offence, or the object, as written.
    pub object: Sensitive<String>,
    pub windows: Vec<Window>,
    /// SHA-256 of the scan; for an oral one, of its written confirmation.
    pub scan: Option<[u8; 32]>,
    pub genuine: Option<CallBack>,
    /// Who validated it for the town: the mayor, a delegate, the chief of the service.
    pub validator: Sensitive<String>,
    /// The last one; versions keep those before.
    #[serde(default)]
    pub answer: Option<Reply>,
    #[serde(default)]
    pub deliveries: Vec<Delivery>,
    /// Of who requires, on site and without a copy.
    #[serde(default)]
    pub viewings: Vec<Viewing>,
    /// Whoever wrote a version of what it says: none of them judges it.
    #[serde(default)]
    pub written_by: Vec<AccountId>,
    /// On what it says now: a further version of that begins without.
    #[serde(default)]
    pub opinions: Vec<Opinion>,
}

impl Requisition {
    /// `2026-0001`
    pub fn label(&self) -> String {
        format!("{}-{:04}", self.year, self.number)
    }

    /// For which somebody looks or lets leave, as the gate and the ledger have it.
    pub fn reason(&self) -> String {
        let what = if self.says.framework.is_procedure() { "procédure" } else { "réquisition" };
        format!("{what} {}", self.label())
    }
}

impl Framework {
    /// Administrative or disciplinary: handed over by a reasoned act, not by a requisition (CSI R253-3 III 3°, R253-4).
    pub const fn is_procedure(self) -> bool {
        matches!(self, Framework::Administrative | Framework::Disciplinary)
    }

    /// Whether two more persons judge it (REQ-03; law.md section 11, 4b).
    pub const fn takes_opinions(self) -> bool {
        self.is_procedure() || matches!(self, Framework::Other)
    }
}

impl RequisitionFacts {
    /// The last one of them.
    pub fn opinion_of(&self, adviser: Adviser) -> Option<&Opinion> {
        self.opinions.iter().rev().find(|opinion| opinion.adviser == adviser)
    }

    /// Whether all of a window is among what is asked for.
    pub fn asks_for(&self, window: &Window) -> bool {
        self.windows.iter().any(|asked| asked.camera == window.camera && asked.span.covers(window.span))
    }

    pub fn framework_title(&self) -> String {
        match self.framework {
            Framework::Other => self.framework_other.clone(),
            named => named.title().to_owned(),
        }
    }
}
