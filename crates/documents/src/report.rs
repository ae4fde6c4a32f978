//! Report of a package: what is in it, what is missing and why, how anybody checks it. Made with the package, before anybody has it.

use crate::{
    At, Footage, LogProof, Sha256,
    delivery::{FileLine, Gap},
};
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Of the handover, as manifest and log name it.
    pub export: String,
    /// Number of the requisition in the register.
    pub number: String,
    pub framework: String,
    /// The service that requires.
    #[serde(default)]
    pub authority: String,
    #[serde(default)]
    pub procedure: String,
    /// What was asked for.
    pub windows: Vec<Footage>,
    pub movies: Vec<MovieFile>,
    #[serde(default)]
    pub gaps: Vec<Gap>,
    #[serde(default)]
    pub proofs: Vec<FileLine>,
    /// For the eye, and no evidence.
    #[serde(default)]
    pub copies: Vec<CopyFile>,
    /// Of the list of movies and proofs: `docs/formats/evidence.md`, section 1a.
    pub list: Sha256,
    /// What the town says of its clock, in the paper's language.
    #[serde(default)]
    pub clock: String,
    pub log: LogProof,
    /// Version of the program that made the package.
    #[serde(default)]
    pub program: String,
}

/// A viewing copy of a movie.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CopyFile {
    pub path: String,
    /// The movie's path.
    pub of: String,
    /// Of the movie's pictures, those that it has not.
    pub lacking: u64,
    pub bytes: u64,
    pub sha256: Sha256,
}

/// Pictures of one camera without a gap inside.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MovieFile {
    pub path: String,
    pub camera: String,
    /// When the pictures shown first and last were taken.
    pub from: At,
    pub to: At,
    pub pictures: u64,
    /// `H.265, 1920 × 1080`
    pub coding: String,
    pub bytes: u64,
    pub sha256: Sha256,
}
