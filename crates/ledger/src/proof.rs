//! Checking proofs: with a root one can trust, an entry cannot be denied and a past cannot be changed.

use crate::commitment::Commitment;
use crate::digest::Digest;
use crate::tree::LeavesError;
use tlog_tiles::{Hash, check_record, check_tree, record_hash};

/// A path in a tree of fewer than 2^64 entries is no longer than this.
const PROOF_HASHES_MAX: usize = 64 * 2;

/// Why there is no proof, or why a proof proves nothing.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    #[error("no proof for {of} in a tree of {size}: the log has {entries} entries")]
    OutOfRange { of: u64, size: u64, entries: u64 },
    #[error("cannot read commitments back: {0}")]
    Leaves(#[from] LeavesError),
    #[error("the tree's arithmetic failed: {0}")]
    Arithmetic(String),
    #[error("entry {seq} is not proved to be in the tree of {size} entries with root {root}")]
    NotIncluded { seq: u64, size: u64, root: Digest },
    #[error("the tree of {new} entries is not proved to begin with the {old} entries of the older tree")]
    NotGrown { old: u64, new: u64 },
}

/// Checks that entry `seq` of the tree of `size` entries with `root` is `commitment` (RFC 6962 section 2.1.1).
pub fn verify_inclusion(
    proof: &[Digest],
    size: u64,
    root: Digest,
    seq: u64,
    commitment: &Commitment,
) -> Result<(), ProofError> {
    verify_leaf_hash(proof, size, root, seq, Digest(record_hash(&commitment.0).0))
}

/// As [`verify_inclusion`], of a leaf's hash: logs of others have other entries than commitments.
pub fn verify_leaf_hash(
    proof: &[Digest],
    size: u64,
    root: Digest,
    seq: u64,
    leaf_hash: Digest,
) -> Result<(), ProofError> {
    let not_included = ProofError::NotIncluded { seq, size, root };
    if proof.len() > PROOF_HASHES_MAX {
        return Err(not_included);
    }
    check_record(&hashes(proof), size, Hash(root.0), seq, Hash(leaf_hash.0)).map_err(|_| not_included)
}

/// Checks that the `new` tree (size, root) begins with the `old` one (RFC 6962 section 2.1.2).
pub fn verify_growth(proof: &[Digest], old: (u64, Digest), new: (u64, Digest)) -> Result<(), ProofError> {
    let not_grown = ProofError::NotGrown { old: old.0, new: new.0 };
    if proof.len() > PROOF_HASHES_MAX {
        return Err(not_grown);
    }
    check_tree(&hashes(proof), new.0, Hash(new.1.0), old.0, Hash(old.1.0)).map_err(|_| not_grown)
}

fn hashes(proof: &[Digest]) -> Vec<Hash> {
    proof.iter().map(|digest| Hash(digest.0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn hostile_proofs_are_refused_without_panic(
            proof in prop::collection::vec(any::<[u8; 32]>(), 0..140),
            size in any::<u64>(), at in any::<u64>(),
        ) {
            let proof: Vec<Digest> = proof.into_iter().map(Digest).collect();
            let size = size.saturating_sub(1).max(2);
            prop_assert!(verify_inclusion(&proof, size, Digest([1; 32]), at % size, &Digest([2; 32])).is_err());
            let old = (1 + at % (size - 1), Digest([3; 32]));
            prop_assert!(verify_growth(&proof, old, (size, Digest([4; 32]))).is_err());
        }
    }
}
