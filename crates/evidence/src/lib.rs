//! Evidence: the package that leaves a town, and the verdict that anybody can reach on it, offline (promise 7, P10).
//!
//! `manifest` says what is in it, `proof` carries for each sealed chunk what is needed to seal it again, `register` proves
//! by the town's log that the reels were recorded and that this package was handed over, `stamp` that it existed at a time, by an
//! authority that is not the town, `check` tells what is wrong. Pure: the files come in through [`Files`]. `docs/formats/evidence.md` has every field.

pub mod build;
pub mod check;
pub mod finding;
mod hex;
pub mod manifest;
pub mod proof;
pub mod register;
pub mod stamp;
mod utc;

pub use build::{CameraBuilder, Next, Step};
pub use check::{Told, Trust, Verdict, check, check_under};
pub use finding::Finding;
pub use hex::Hex;
pub use ledger::Digest;
pub use manifest::{
    CameraPart, CopyPart, FileLine, FileRole, Looked, MANIFEST, Manifest, MovieLine, REGISTER, file_digest,
};
pub use proof::{ChunkProof, ReelProof, SealedLine};
pub use register::{EntryProof, LogProof};

/// The files of a package, wherever they are: a folder, an archive, memory.
pub trait Files {
    /// Paths, with `/` between folders, and lengths in bytes.
    fn list(&self) -> Result<Vec<(String, u64)>, FilesError>;
    /// `bytes` of a file from `offset`. Errors: the file is not there, or ends before.
    fn read(&self, path: &str, offset: u64, bytes: usize) -> Result<Vec<u8>, FilesError>;
}

/// Why a file of a package cannot be read; what is wrong with what can be read is a [`Finding`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{path}` cannot be read ({why}): copy the package again from its medium")]
pub struct FilesError {
    pub path: String,
    pub why: String,
}
