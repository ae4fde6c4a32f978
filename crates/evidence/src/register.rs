//! What the town's log says of a package: its checkpoint, and the opened entries with their proofs. `registre.json`.

use crate::hex::Hex;
use ledger::{
    Checkpoint, CheckpointError, CheckpointKey, Digest, Entry, EntryError, ProofError, Salt, commit, verify_inclusion,
};
use serde::{Deserialize, Serialize};

/// A checkpoint with the entries that a package stands on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LogProof {
    pub format: u8,
    /// The signed note, with witnesses' cosignatures where there are any.
    pub checkpoint: String,
    pub entries: Vec<EntryProof>,
}

/// One entry, opened.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct EntryProof {
    pub seq: u64,
    pub salt: Hex,
    /// The details, byte by byte as they were committed to: JSON.
    pub details: String,
    pub path: Vec<Digest>,
}

/// Why an entry proves nothing.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    #[error("a salt has 16 bytes")]
    Salt,
    #[error(transparent)]
    Proof(#[from] ProofError),
    #[error(transparent)]
    Entry(#[from] EntryError),
}

impl LogProof {
    pub const FORMAT: u8 = 1;
    /// A day of twenty cameras are 1,440 reels of some kilobytes.
    pub const BYTES_MAX: u64 = 64 << 20;

    /// The checkpoint under this key. Errors: another log, or none.
    pub fn verified(&self, key: &CheckpointKey) -> Result<Checkpoint, CheckpointError> {
        key.verify(self.checkpoint.as_bytes())
    }
}

impl EntryProof {
    /// What the entry says, if it is in the log of this checkpoint.
    pub fn entry(&self, checkpoint: Checkpoint) -> Result<Entry, RegisterError> {
        let salt: Salt = self.salt.0[..].try_into().map_err(|_| RegisterError::Salt)?;
        let commitment = commit(&salt, self.details.as_bytes());
        verify_inclusion(&self.path, checkpoint.size, checkpoint.root, self.seq, &commitment)?;
        Ok(Entry::from_details(self.details.as_bytes())?)
    }
}
