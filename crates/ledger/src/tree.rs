//! The Merkle tree (RFC 6962 section 2.1) over commitments, kept small: half a byte of memory per entry.
//!
//! A log grows by at least 16 entries a minute, 8.4 million a year, so not every hash is kept: only those of whole tiles of
//! 256 leaves and above, and the leaves of the tile that is filling. What lies below is computed again from commitments that
//! the caller reads back.

use crate::commitment::Commitment;
use crate::digest::Digest;
use crate::proof::ProofError;
use std::{cell::RefCell, error::Error, ops::Range};
use tlog_tiles::{Hash, HashReader, Tile, node_hash, record_hash, split_stored_hash_index, tree_hash};

/// Leaves of a tile: tiles have height 8 (C2SP tlog-tiles).
pub const TILE_LEAVES: u64 = 256;
pub(crate) const TILE_HEIGHT: u8 = 8;

/// An error of whoever reads commitments back.
pub type LeavesError = Box<dyn Error + Send + Sync>;

/// Reads back the commitments of entries: as many as asked for.
pub type Leaves<'a> = &'a dyn Fn(Range<u64>) -> Result<Vec<Commitment>, LeavesError>;

/// A growing tree.
#[derive(Clone, Default)]
pub struct Tree {
    /// Hashes of complete subtrees of 256 leaves, of 512, of 1,024 ...
    above: Vec<Vec<Hash>>,
    /// Leaf hashes of the tile that is filling, fewer than 256.
    filling: Vec<Hash>,
}

impl Tree {
    pub fn new() -> Tree {
        Tree::default()
    }

    /// How many entries it holds.
    pub fn size(&self) -> u64 {
        self.filling_from() + self.filling.len() as u64
    }

    /// Appends one entry.
    pub fn push(&mut self, commitment: &Commitment) {
        self.filling.push(record_hash(&commitment.0));
        if self.filling.len() as u64 == TILE_LEAVES {
            let mut hash = subtree(&self.filling);
            self.filling.clear();
            for level in 0.. {
                if self.above.len() == level {
                    self.above.push(Vec::new());
                }
                self.above[level].push(hash);
                let &[.., left, right] = self.above[level].as_slice() else { break };
                if !self.above[level].len().is_multiple_of(2) {
                    break;
                }
                hash = node_hash(left, right);
            }
        }
    }

    /// The root of the whole tree.
    pub fn root(&self) -> Digest {
        // every subtree that a root is made of is complete, so none lies below a tile but in the one that is filling
        let unread = |_: Range<u64>| Err(LeavesError::from("a root needs no leaf of a full tile"));
        let reader = Reader::new(self, &unread);
        tree_hash(self.size(), &reader).map(|hash| Digest(hash.0)).expect("the hashes of its own size are in memory")
    }

    /// The path from entry `seq` to the root of the first `size` entries (RFC 6962 section 2.1.1).
    pub fn prove_inclusion(&self, size: u64, seq: u64, leaves: Leaves<'_>) -> Result<Vec<Digest>, ProofError> {
        if seq >= size || size > self.size() {
            return Err(ProofError::OutOfRange { of: seq, size, entries: self.size() });
        }
        let reader = Reader::new(self, leaves);
        reader.finish(tlog_tiles::prove_record(size, seq, &reader))
    }

    /// The proof that the first `size` entries begin with the first `old` ones (RFC 6962 section 2.1.2).
    pub fn prove_growth(&self, size: u64, old: u64, leaves: Leaves<'_>) -> Result<Vec<Digest>, ProofError> {
        if old == 0 || old > size || size > self.size() {
            return Err(ProofError::OutOfRange { of: old, size, entries: self.size() });
        }
        let reader = Reader::new(self, leaves);
        reader.finish(tlog_tiles::prove_tree(size, old, &reader))
    }

    /// Hashes `range` of tile level `level` (level 1 holds the hashes of 256 leaves, level 2 of 65,536).
    pub(crate) fn tile_hashes(
        &self,
        level: u8,
        range: Range<u64>,
        leaves: Leaves<'_>,
    ) -> Result<Vec<Hash>, ProofError> {
        if level == 0 {
            return Ok(self.leaf_hashes(range, leaves)?);
        }
        let hashes = self.above.get(usize::from((level - 1) * TILE_HEIGHT)).map(Vec::as_slice).unwrap_or_default();
        let found = hashes.get(range.start as usize..range.end as usize);
        found.map(<[Hash]>::to_vec).ok_or(ProofError::OutOfRange {
            of: range.end,
            size: self.size(),
            entries: self.size(),
        })
    }

    fn filling_from(&self) -> u64 {
        self.above.first().map_or(0, Vec::len) as u64 * TILE_LEAVES
    }

    fn leaf_hashes(&self, range: Range<u64>, leaves: Leaves<'_>) -> Result<Vec<Hash>, LeavesError> {
        if let Some(from) = range.start.checked_sub(self.filling_from()) {
            let found = self.filling.get(from as usize..(range.end - self.filling_from()) as usize);
            return found.map(<[Hash]>::to_vec).ok_or_else(|| "leaves beyond the end of the log were asked for".into());
        }
        let wanted = (range.end - range.start) as usize;
        let commitments = leaves(range)?;
        if commitments.len() != wanted {
            return Err(format!("{wanted} commitments were asked for, {} read", commitments.len()).into());
        }
        Ok(commitments.iter().map(|commitment| record_hash(&commitment.0)).collect())
    }

    fn hash(&self, level: u8, n: u64, leaves: Leaves<'_>) -> Result<Hash, LeavesError> {
        if let Some(above) = level.checked_sub(TILE_HEIGHT) {
            let hash = self.above.get(usize::from(above)).and_then(|hashes| hashes.get(n as usize));
            return hash.copied().ok_or_else(|| "a hash beyond the end of the log was asked for".into());
        }
        Ok(subtree(&self.leaf_hashes(n << level..(n + 1) << level, leaves)?))
    }
}

/// The RFC 6962 root over `items` as leaves; the root of none is SHA-256 of nothing. Also the root of a recorder-hour.
pub fn root_of<'a>(items: impl IntoIterator<Item = &'a Digest>) -> Digest {
    let mut tree = Tree::new();
    items.into_iter().for_each(|item| tree.push(item));
    tree.root()
}

/// The root of a complete subtree; `leaves` are a power of two.
fn subtree(leaves: &[Hash]) -> Hash {
    let bytes: Vec<u8> = leaves.iter().flat_map(|hash| hash.0).collect();
    Tile::subtree_hash(&bytes)
}

/// The tree as `tlog_tiles` reads it. That crate's errors carry text only, so the caller's error waits aside.
struct Reader<'a> {
    tree: &'a Tree,
    leaves: Leaves<'a>,
    error: RefCell<Option<LeavesError>>,
}

impl<'a> Reader<'a> {
    fn new(tree: &'a Tree, leaves: Leaves<'a>) -> Reader<'a> {
        Reader { tree, leaves, error: RefCell::new(None) }
    }

    fn finish(&self, proof: Result<Vec<Hash>, tlog_tiles::Error>) -> Result<Vec<Digest>, ProofError> {
        match (proof, self.error.take()) {
            (Ok(proof), _) => Ok(proof.into_iter().map(|hash| Digest(hash.0)).collect()),
            (Err(_), Some(error)) => Err(ProofError::Leaves(error)),
            (Err(error), None) => Err(ProofError::Arithmetic(error.to_string())),
        }
    }
}

impl HashReader for Reader<'_> {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog_tiles::Error> {
        let hash = |index: &u64| {
            let (level, n) = split_stored_hash_index(*index);
            self.tree.hash(level, n, self.leaves)
        };
        indexes.iter().map(hash).collect::<Result<_, _>>().map_err(|error| {
            *self.error.borrow_mut() = Some(error);
            tlog_tiles::Error::IndexesNotInTree
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::{verify_growth, verify_inclusion};
    use tlog_tiles::EMPTY_HASH;

    fn commitment(n: u64) -> Commitment {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&n.to_le_bytes());
        Digest(bytes)
    }

    fn grown(entries: u64) -> Tree {
        let mut tree = Tree::new();
        (0..entries).for_each(|n| tree.push(&commitment(n)));
        tree
    }

    fn read(range: Range<u64>) -> Result<Vec<Commitment>, LeavesError> {
        Ok(range.map(commitment).collect())
    }

    /// The definition of RFC 6962 section 2.1, word for word.
    fn root_by_definition(leaves: &[Commitment]) -> Hash {
        match leaves {
            [] => EMPTY_HASH,
            [leaf] => record_hash(&leaf.0),
            _ => {
                let k = leaves.len().next_power_of_two() / 2;
                node_hash(root_by_definition(&leaves[..k]), root_by_definition(&leaves[k..]))
            }
        }
    }

    #[test]
    fn the_root_is_that_of_rfc_6962_at_every_size() {
        let commitments: Vec<Commitment> = (0..1100).map(commitment).collect();
        let mut tree = Tree::new();
        for (n, leaf) in commitments.iter().enumerate() {
            if n % 37 == 0 || n % 256 < 2 {
                assert_eq!(root_of(&commitments[..n]).0, root_by_definition(&commitments[..n]).0, "{n}");
                assert_eq!(tree.size(), n as u64);
            }
            tree.push(leaf);
        }
        assert_eq!(tree.root().0, root_by_definition(&commitments).0);
    }

    #[test]
    fn every_entry_is_proved_and_no_other_is() {
        for size in [1, 2, 255, 256, 257, 600, 1030] {
            let tree = grown(1030);
            let root = grown(size).root();
            for seq in (0..size).step_by(41).chain([size - 1]) {
                let proof = tree.prove_inclusion(size, seq, &read).unwrap();
                verify_inclusion(&proof, size, root, seq, &commitment(seq)).unwrap();
                assert!(verify_inclusion(&proof, size, root, seq, &commitment(seq + 1)).is_err());
                assert!(verify_inclusion(&proof, size, commitment(1), seq, &commitment(seq)).is_err());
            }
        }
    }

    #[test]
    fn growth_is_proved_and_a_changed_past_is_not() {
        let (tree, root) = (grown(1030), grown(1030).root());
        for old in [1, 2, 100, 255, 256, 257, 512, 1000, 1030] {
            let proof = tree.prove_growth(1030, old, &read).unwrap();
            verify_growth(&proof, (old, grown(old).root()), (1030, root)).unwrap();
            assert!(verify_growth(&proof, (old, commitment(9)), (1030, root)).is_err());
        }
    }

    #[test]
    fn a_proof_of_what_is_not_there_is_refused() {
        let tree = grown(5);
        assert!(matches!(tree.prove_inclusion(5, 5, &read), Err(ProofError::OutOfRange { .. })));
        assert!(matches!(tree.prove_inclusion(6, 1, &read), Err(ProofError::OutOfRange { .. })));
        assert!(matches!(tree.prove_growth(5, 0, &read), Err(ProofError::OutOfRange { .. })));
    }

    #[test]
    fn an_error_while_reading_leaves_back_reaches_the_caller() {
        let failing = |_: Range<u64>| Err("the disk is away".into());
        let error = grown(600).prove_inclusion(600, 3, &failing).unwrap_err();
        assert!(error.to_string().contains("the disk is away"), "{error}");
    }
}
