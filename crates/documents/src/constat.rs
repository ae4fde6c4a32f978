//! The protocol of a constat: what a bailiff (commissaire de justice) does, step by step, on a machine of nobody's, offline, to
//! establish whether what a town handed over is intact. Boxes are ticked and blanks filled in by hand.

use crate::{Footage, LogProof, Sha256};
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Constat {
    /// The file that is examined: `2026-0001.zip.age`.
    pub package: String,
    /// As the handover report prints it.
    pub sha256: Sha256,
    /// Of the manifest, as the log and the verdict name it.
    #[serde(default)]
    pub manifest_sha256: Option<Sha256>,
    /// Number in the register of requisitions.
    #[serde(default)]
    pub requisition: String,
    /// What the package should show.
    #[serde(default)]
    pub footage: Vec<Footage>,
    pub log: LogProof,
    /// How the package opens: with the service's key, or with a passphrase.
    pub opens: Opens,
    pub program: Program,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Opens {
    /// A file of the service's private key, as `age-keygen` writes it.
    Key,
    Passphrase,
    /// It is not sealed.
    Clear,
}

/// The verifier to be used.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    pub version: String,
    /// Of the published file, where it is known.
    #[serde(default)]
    pub sha256: Option<Sha256>,
    /// Where it is published.
    #[serde(default)]
    pub address: String,
}
