//! What holds a journal to its past at the start: checkpoints that are kept elsewhere than beside it (K2).

use super::{Journal, JournalError};
use ledger::{Checkpoint, ProofError, verify_growth};

impl Journal {
    /// Whether the log still begins with the entries of a checkpoint that somebody remembers. A shorter log is an old state;
    /// one as long or longer with other entries is another past. The proof is computed from the journal's own entries.
    pub fn begins_with(&self, known: Checkpoint) -> Result<(), JournalError> {
        let head = self.head();
        if known.size > head.size {
            return Err(JournalError::Behind { entries: head.size, signed: known.size });
        }
        if known.size == 0 {
            return Ok(());
        }
        let proof = self.prove_growth(head.size, known.size)?;
        match verify_growth(&proof, (known.size, known.root), (head.size, head.root)) {
            Err(ProofError::NotGrown { .. }) => Err(JournalError::Forked { size: known.size }),
            proved => Ok(proved?),
        }
    }
}
