//! What every paper has: its language, the town at its head, its day, its reference; and the parts that several papers share.

use crate::{Access, At, Constat, Delivery, Destruction, EndOfHold, Exports, Letter, Report, Sha256};
use domain::Sensitive;
use serde::{Deserialize, Serialize};

/// The version of [`Paper`]'s JSON.
pub const FORMAT: u8 = 1;

/// One paper, as `vigie-papers` reads it. The same paper gives the same bytes, on every machine and day.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paper {
    pub format: u8,
    pub language: Language,
    pub town: Town,
    /// Of the town's own files; it stands on every page.
    pub reference: String,
    /// The paper's date.
    pub made: At,
    pub says: Says,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    Fr,
    En,
}

/// The head of the paper. What is empty is left out.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Town {
    pub name: String,
    #[serde(default)]
    pub department: String,
    /// Who writes: `Police municipale`, `Délégué à la protection des données`.
    #[serde(default)]
    pub service: String,
    /// Lines.
    #[serde(default)]
    pub address: Vec<String>,
}

/// The papers there are.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Says {
    /// Procès-verbal de remise.
    Delivery(Box<Delivery>),
    Letter(Box<Letter>),
    /// Certificate of the destruction of a camera's pictures of one time.
    Destruction(Box<Destruction>),
    /// Journal of exports.
    Exports(Box<Exports>),
    /// Certificate of the end of a hold.
    HoldEnd(Box<EndOfHold>),
    /// Answer to somebody who asks for the own pictures.
    Access(Box<Access>),
    /// Protocol of a bailiff's constat.
    Constat(Box<Constat>),
    /// What a package has in it.
    Report(Box<Report>),
}

/// Pictures of one camera and time.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Footage {
    /// Its name then.
    pub camera: String,
    #[serde(default)]
    pub place: String,
    pub from: At,
    pub to: At,
}

/// A text of the law and what it says here.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Article {
    /// `CSI, art. R253-6, IV`
    pub article: String,
    pub words: String,
}

/// What holds a claim to the town's sealed log.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogProof {
    /// The log's verifier key, as C2SP signed-note writes it.
    pub key: String,
    /// Its size at the checkpoint that shows the entries.
    #[serde(default)]
    pub size: Option<u64>,
    /// Root of the tree at that size.
    #[serde(default)]
    pub root: Option<Sha256>,
    /// Where the log is published, if it is.
    #[serde(default)]
    pub address: String,
    /// Witnesses that cosigned.
    #[serde(default)]
    pub witnesses: Vec<String>,
}

impl Paper {
    /// With today's format.
    pub fn new(language: Language, town: Town, reference: impl Into<String>, made: At, says: Says) -> Paper {
        Paper { format: FORMAT, language, town, reference: reference.into(), made, says }
    }
}

impl Says {
    /// The name of its kind, as JSON and its template have it.
    pub fn kind(&self) -> &'static str {
        match self {
            Says::Delivery(_) => "delivery",
            Says::Letter(_) => "letter",
            Says::Destruction(_) => "destruction",
            Says::Exports(_) => "exports",
            Says::HoldEnd(_) => "hold_end",
            Says::Access(_) => "access",
            Says::Constat(_) => "constat",
            Says::Report(_) => "report",
        }
    }
}

/// Short: most of a paper's texts name somebody.
pub(crate) type Private = Sensitive<String>;
