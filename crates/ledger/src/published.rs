//! The log as a stranger has it: a checkpoint and the public tiles. What is computed from tiles is given out only if it
//! fits the checkpoint's root.
//!
//! (`TileHashReader` of `tlog_tiles` 0.2 is not used for this: where several hashes of a root come from one tile it leaves as
//! many further tiles unchecked, which `a_changed_a_missing_and_a_short_tile_are_told_apart` would show.)

use crate::checkpoint::Checkpoint;
use crate::digest::Digest;
use crate::proof::{verify_growth, verify_leaf_hash};
use crate::tile::PublicTile;
use crate::tree::{TILE_HEIGHT, root_of};
use domain::limit::LOG_ENTRIES_MAX;
use std::{cell::RefCell, collections::HashMap, error::Error};
use tlog_tiles::{Hash, HashReader, Tile, stored_hash_index, tree_hash};

/// An error of whoever reads the public files.
pub type FileError = Box<dyn Error + Send + Sync>;

/// Reads a public file whole; `None` where there is none.
pub type Files<'a> = &'a dyn Fn(PublicTile) -> Result<Option<Vec<u8>>, FileError>;

/// Why nothing can be computed from the public files.
#[derive(Debug, thiserror::Error)]
pub enum PublishedError {
    #[error("cannot read `{path}`: {source}")]
    File { path: String, source: FileError },
    #[error("`{path}` is missing")]
    Missing { path: String },
    #[error("`{path}` is not as long as a tile of its width")]
    Length { path: String },
    #[error("the tiles do not have the root that the checkpoint of {size} entries signs")]
    Inconsistent { size: u64 },
    #[error("no tree of {of} entries in one of {size}")]
    OutOfRange { of: u64, size: u64 },
    #[error("the tree's arithmetic failed: {why}")]
    Arithmetic { why: String },
}

/// A checkpoint over public files.
pub struct Published<'a> {
    checkpoint: Checkpoint,
    files: Files<'a>,
}

impl<'a> Published<'a> {
    pub fn new(checkpoint: Checkpoint, files: Files<'a>) -> Published<'a> {
        Published { checkpoint, files }
    }

    /// The proof that this tree begins with its first `old` entries (RFC 6962 section 2.1.2).
    pub fn prove_growth(&self, old: u64) -> Result<Vec<Digest>, PublishedError> {
        self.begin(old).map(|(_, proof)| proof)
    }

    /// The root of this log's first `size` entries.
    pub fn root_at(&self, size: u64) -> Result<Digest, PublishedError> {
        match size {
            0 => Ok(root_of([])),
            size => self.begin(size).map(|(root, _)| root),
        }
    }

    /// The path from entry `seq` to the root (RFC 6962 section 2.1.1).
    pub fn prove_inclusion(&self, seq: u64) -> Result<Vec<Digest>, PublishedError> {
        self.check_range(seq.saturating_add(1))?;
        let Checkpoint { size, root } = self.checkpoint;
        let (path, leaf) = self.compute(|tiles| {
            let leaf = tiles.read_hashes(&[stored_hash_index(0, seq)])?;
            Ok((tlog_tiles::prove_record(size, seq, tiles)?, leaf))
        })?;
        let (path, leaf) = (digests(path), digests(leaf));
        let holds = leaf.first().is_some_and(|leaf| verify_leaf_hash(&path, size, root, seq, *leaf).is_ok());
        if holds { Ok(path) } else { Err(PublishedError::Inconsistent { size }) }
    }

    /// Root of the first `old` entries, and the proof that this tree begins with them: both or neither hold.
    fn begin(&self, old: u64) -> Result<(Digest, Vec<Digest>), PublishedError> {
        self.check_range(old)?;
        let Checkpoint { size, root } = self.checkpoint;
        let (old_root, proof) =
            self.compute(|tiles| Ok((tree_hash(old, tiles)?, tlog_tiles::prove_tree(size, old, tiles)?)))?;
        let (old_root, proof) = (Digest(old_root.0), digests(proof));
        match verify_growth(&proof, (old, old_root), (size, root)) {
            Ok(()) => Ok((old_root, proof)),
            Err(_) => Err(PublishedError::Inconsistent { size }),
        }
    }

    /// 1 to the checkpoint's size, itself within what can be.
    fn check_range(&self, of: u64) -> Result<(), PublishedError> {
        let size = self.checkpoint.size;
        if (1..=size).contains(&of) && size <= LOG_ENTRIES_MAX {
            Ok(())
        } else {
            Err(PublishedError::OutOfRange { of, size })
        }
    }

    fn compute<T>(&self, ask: impl FnOnce(&Tiles<'_>) -> Result<T, tlog_tiles::Error>) -> Result<T, PublishedError> {
        let tiles = Tiles {
            size: self.checkpoint.size,
            files: self.files,
            seen: RefCell::default(),
            failed: RefCell::default(),
        };
        match (ask(&tiles), tiles.failed.take()) {
            (Ok(computed), None) => Ok(computed),
            (_, Some(error)) => Err(error),
            (Err(error), None) => Err(PublishedError::Arithmetic { why: error.to_string() }),
        }
    }
}

/// A whole public file. Where the partial one is gone because a full one took its place, its beginning.
pub fn read_tile(files: Files<'_>, tile: PublicTile) -> Result<Vec<u8>, PublishedError> {
    let failed = |source| PublishedError::File { path: tile.path(), source };
    if let Some(content) = files(tile).map_err(failed)? {
        let fits = tile.level.is_none() || content.len() as u64 == tile.bytes();
        return if fits { Ok(content) } else { Err(PublishedError::Length { path: tile.path() }) };
    }
    let full = PublicTile { width: 1 << TILE_HEIGHT, ..tile };
    let found = if tile.is_full() { None } else { files(full).map_err(failed)? };
    let mut content = found.ok_or_else(|| PublishedError::Missing { path: tile.path() })?;
    if (content.len() as u64) < tile.bytes() {
        return Err(PublishedError::Length { path: full.path() });
    }
    content.truncate(tile.bytes() as usize);
    Ok(content)
}

/// Tiles as `tlog_tiles` asks for them, each read once. That crate's errors carry text only, so ours waits aside.
struct Tiles<'a> {
    size: u64,
    files: Files<'a>,
    seen: RefCell<HashMap<Tile, Vec<u8>>>,
    failed: RefCell<Option<PublishedError>>,
}

impl HashReader for Tiles<'_> {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, tlog_tiles::Error> {
        indexes.iter().map(|index| self.hash(*index)).collect()
    }
}

impl Tiles<'_> {
    fn hash(&self, index: u64) -> Result<Hash, tlog_tiles::Error> {
        let tile = Tile::from_index(TILE_HEIGHT, index).parent(0, self.size);
        let tile = tile.ok_or(tlog_tiles::Error::IndexesNotInTree)?;
        let mut seen = self.seen.borrow_mut();
        if let Some(content) = seen.get(&tile) {
            return tile.hash_at_index(content, index);
        }
        let wanted = PublicTile { level: Some(tile.level()), n: tile.level_index(), width: tile.width() };
        let content = read_tile(self.files, wanted).map_err(|error| {
            self.failed.replace(Some(error));
            tlog_tiles::Error::InvalidTile
        })?;
        let hash = tile.hash_at_index(&content, index);
        seen.insert(tile, content);
        hash
    }
}

fn digests(hashes: Vec<Hash>) -> Vec<Digest> {
    hashes.into_iter().map(|hash| Digest(hash.0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tile::public_tiles;
    use crate::tree::{LeavesError, Tree};
    use crate::verify_inclusion;
    use proptest::prelude::*;
    use std::{collections::BTreeMap, ops::Range};

    fn read(range: Range<u64>) -> Result<Vec<Digest>, LeavesError> {
        Ok(range.map(|n| Digest([n as u8; 32])).collect())
    }

    fn tree(size: u64) -> Tree {
        let mut tree = Tree::new();
        read(0..size).unwrap().iter().for_each(|leaf| tree.push(leaf));
        tree
    }

    fn at(size: u64) -> Checkpoint {
        Checkpoint { size, root: tree(size).root() }
    }

    type Folder = BTreeMap<String, Vec<u8>>;

    fn files(size: u64) -> Folder {
        let tree = tree(size);
        public_tiles(0, size).into_iter().map(|tile| (tile.path(), tile.content(&tree, &read).unwrap())).collect()
    }

    #[test]
    fn proofs_from_tiles_are_those_of_the_tree() {
        for size in [1, 16, 256, 257, 600, 1030] {
            let files = files(size);
            let files = |tile: PublicTile| Ok(files.get(&tile.path()).cloned());
            let (published, tree) = (Published::new(at(size), &files), tree(size));
            for old in [1, 15, 255, 256, 300, 600].into_iter().filter(|old| *old <= size) {
                let proof = published.prove_growth(old).unwrap();
                assert_eq!(proof, tree.prove_growth(size, old, &read).unwrap());
                verify_growth(&proof, (old, at(old).root), (size, at(size).root)).unwrap();
                assert_eq!(published.root_at(old).unwrap(), at(old).root);
                let path = published.prove_inclusion(old - 1).unwrap();
                verify_inclusion(&path, size, at(size).root, old - 1, &read(old - 1..old).unwrap()[0]).unwrap();
            }
        }
    }

    #[test]
    fn a_partial_tile_that_went_away_is_read_from_the_full_one() {
        let files = files(512);
        let files = |tile: PublicTile| Ok(files.get(&tile.path()).cloned());
        // as a reader who holds the checkpoint of 300 entries while the log goes on to 512
        let published = Published::new(at(300), &files);
        assert_eq!(published.root_at(10).unwrap(), at(10).root);
        // a partial tile that only grew is kept as long as no full one replaces it
        assert!(matches!(published.root_at(256), Err(PublishedError::Missing { .. })));
    }

    #[test]
    fn a_changed_a_missing_and_a_short_tile_are_told_apart() {
        let whole = files(600);
        let changed = |change: &dyn Fn(&mut Folder)| {
            let mut files = whole.clone();
            change(&mut files);
            Published::new(at(600), &|tile: PublicTile| Ok(files.get(&tile.path()).cloned())).prove_growth(300)
        };
        let missing = changed(&|files| drop(files.remove("tile/0/001")));
        assert!(matches!(missing, Err(PublishedError::Missing { .. })), "{missing:?}");
        let short = changed(&|files| files.get_mut("tile/0/001").unwrap().truncate(100));
        assert!(matches!(short, Err(PublishedError::Length { .. })), "{short:?}");
        let other = changed(&|files| files.get_mut("tile/0/001").unwrap()[70] ^= 1);
        assert!(matches!(other, Err(PublishedError::Inconsistent { size: 600 })), "{other:?}");
    }

    proptest! {
        #[test]
        fn a_hostile_log_makes_nothing_panic(size in any::<u64>(), of in any::<u64>(), byte in any::<u8>()) {
            let checkpoint = Checkpoint { size, root: Digest([9; 32]) };
            let files = |tile: PublicTile| Ok(Some(vec![byte; tile.bytes() as usize]));
            let published = Published::new(checkpoint, &files);
            for of in [of, of % size.max(1)] {
                prop_assert!(published.prove_growth(of).is_err());
                prop_assert!(published.prove_inclusion(of).is_err());
                prop_assert!(of == 0 || published.root_at(of).is_err());
            }
        }
    }
}
