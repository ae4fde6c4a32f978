//! The append-only Merkle log of what was done: entries, commitments, tree, proofs, checkpoints, verification.
//!
//! Pure: it computes and stores nothing. The keeper's journal stores; `docs/formats/ledger.md` has every byte.

mod calendar;
pub mod checkpoint;
pub mod commitment;
pub mod cosignature;
pub mod digest;
pub mod entry;
pub mod log;
pub mod opening;
pub mod proof;
pub mod published;
pub mod quorum;
pub mod tile;
pub mod tree;
mod vkey;
pub mod witness;

pub use calendar::Month;
pub use checkpoint::{Checkpoint, CheckpointError, CheckpointKey, CheckpointSigner, origin};
pub use commitment::{Commitment, DetailsError, Salt, SealedPlace, commit, open_details, seal_details};
pub use cosignature::{Cosignature, WitnessKey, WitnessKeyError, WitnessSigner};
pub use digest::Digest;
pub use entry::{
    Actor, BreakGlass, Condemnation, Entry, EntryError, Event, HeldHour, LogId, MintedKey, ResidualCiphertext, Role,
};

pub use log::{Audit, Details, Fault, KeyName, Late, Record, Report, verify};
pub use proof::{ProofError, verify_growth, verify_inclusion};
pub use published::{FileError, Published, PublishedError};
pub use quorum::{PolicyError, WitnessPolicy};
pub use tree::{Tree, root_of};
pub use witness::{AddCheckpoint, Refusal, RequestError, judge};

/// A batch between two checkpoints holds at least this many entries, dummies included (vault.md L4).
pub const BATCH_ENTRIES_MIN: u64 = 16;

/// To how many entries a batch of `entries` is padded: 16, then powers of two, so that growth tells little (L4).
pub const fn batch_entries(entries: u64) -> u64 {
    if entries <= BATCH_ENTRIES_MIN { BATCH_ENTRIES_MIN } else { entries.next_power_of_two() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_sixteen_or_a_power_of_two() {
        let padded: Vec<u64> = [0, 1, 16, 17, 32, 33, 1000].into_iter().map(batch_entries).collect();
        assert_eq!(padded, [16, 16, 16, 32, 32, 64, 1024]);
    }
}
