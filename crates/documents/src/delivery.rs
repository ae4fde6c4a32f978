//! Procès-verbal de remise: the handover of footage on a requisition, with the 19 fields of REQ-05 (CSI R253-5). Fields of the
//! register have the register's names (`domain::requisition`).

use crate::{At, Footage, LogProof, Sha256, paper::Private};
use domain::requisition::{Ground, Means, Outcome, Quality};
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    /// 1: number in the register with its year, `2026-0001`.
    pub number: String,
    /// 2
    pub received: At,
    pub means: Means,
    /// 3
    pub authority: Authority,
    /// 4: the article, such as `CPP 60-1`.
    pub framework: String,
    /// 5
    #[serde(default)]
    pub authorisation: Option<Authorisation>,
    /// 6
    pub procedure: String,
    /// 7: the offence, or the object, as written.
    pub object: Private,
    /// 8: what was asked for.
    #[serde(default)]
    pub windows: Vec<Footage>,
    /// 9: the scanned requisition.
    #[serde(default)]
    pub scan: Option<Sha256>,
    #[serde(default)]
    pub genuine: Option<CallBack>,
    /// 10: who validated it for the town.
    pub validator: Private,
    /// 10: who executed it, and the second person.
    pub executed: Agent,
    #[serde(default)]
    pub second: Option<Agent>,
    /// 11
    #[serde(default)]
    pub segments: Vec<Segment>,
    /// Of what was asked for and is not there.
    #[serde(default)]
    pub gaps: Vec<Gap>,
    /// 12
    pub package: Package,
    #[serde(default)]
    pub files: Vec<FileLine>,
    /// 12: by whom the package is signed and its time is attested.
    pub log: LogProof,
    /// Of the export in the log: its order, its handover.
    #[serde(default)]
    pub entries: Vec<u64>,
    /// 13: format, and the player that goes with it.
    #[serde(default)]
    pub file_format: String,
    /// 13: the medium and its serial number, or the channel.
    pub medium: String,
    /// 14: by which way the key or passphrase went.
    pub key_means: String,
    /// 15
    pub at: At,
    pub recipient: Private,
    pub quality: String,
    /// 15: the scanned receipt, where there is one already.
    #[serde(default)]
    pub receipt: Option<Sha256>,
    /// 16
    pub copies: u8,
    /// 17: when the town's own copy was destroyed, or is.
    #[serde(default)]
    pub own_copy_destroyed: Option<At>,
    /// 18
    #[serde(default)]
    pub answer: Option<Reply>,
    /// 19
    #[serde(default)]
    pub notes: Private,
}

/// Who requires.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Authority {
    pub name: Private,
    pub quality: Quality,
    /// Matricule or RIO.
    #[serde(default)]
    pub matricule: Private,
    #[serde(default)]
    pub service: String,
    #[serde(default)]
    pub court: String,
}

/// Under 77-1-1 and 99-3 somebody else allowed it (REQ-02).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Authorisation {
    /// The prosecutor for this case, or the number of the commission rogatoire.
    Individual { reference: String },
    /// General instruction of the prosecutor (CPP 39-3).
    General { signed: At },
}

/// That the requisition is genuine: the service was called back at a number that the town knew before.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallBack {
    pub at: At,
    pub number: String,
    pub spoken_to: Private,
}

/// Somebody of the town who took part.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Agent {
    pub name: Private,
    #[serde(default)]
    pub quality: String,
    /// Reference of the habilitation.
    #[serde(default)]
    pub habilitation: String,
}

/// Exported pictures without a gap inside.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Segment {
    pub footage: Footage,
    /// Where it is known, and not only by the manifest.
    #[serde(default)]
    pub pictures: Option<u64>,
    /// `H.265, 1920 × 1080`
    #[serde(default)]
    pub coding: String,
    /// Version of the camera's masks, where it has any.
    #[serde(default)]
    pub masks: String,
}

/// A time of which nothing is there.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gap {
    pub footage: Footage,
    /// In the paper's language.
    pub cause: String,
}

/// What the digest that is printed, and shown as a QR code, is of.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// The file's name: the sealed archive, or its manifest `manifeste.json`.
    pub name: String,
    #[serde(default)]
    pub bytes: Option<u64>,
    pub sha256: Sha256,
}

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileLine {
    pub path: String,
    pub bytes: u64,
    pub sha256: Sha256,
}

/// The town's answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reply {
    pub outcome: Outcome,
    #[serde(default)]
    pub ground: Option<Ground>,
    pub reason: Private,
}
