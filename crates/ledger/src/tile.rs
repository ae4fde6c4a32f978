//! The public files of a log in the layout of C2SP tlog-tiles: hash tiles, entry bundles, names and contents.

use crate::commitment::Commitment;
use crate::digest::Digest;
use crate::proof::ProofError;
use crate::tree::{Leaves, TILE_HEIGHT, Tree};
use tlog_tiles::Tile;

/// One public file: a hash tile, or (level none) an entry bundle.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PublicTile {
    pub level: Option<u8>,
    /// The number within its level.
    pub n: u64,
    /// Hashes or entries in it, 1 to 256; fewer than 256 is a partial tile.
    pub width: u32,
}

/// The files that a log of `new` entries has and one of `old` entries had not, smaller levels first.
pub fn public_tiles(old: u64, new: u64) -> Vec<PublicTile> {
    let hash_tiles = Tile::new_tiles(TILE_HEIGHT, old, new).into_iter();
    hash_tiles
        .flat_map(|tile| {
            let (n, width) = (tile.level_index(), tile.width());
            let bundle = (tile.level() == 0).then_some(PublicTile { level: None, n, width });
            [Some(PublicTile { level: Some(tile.level()), n, width }), bundle]
        })
        .flatten()
        .collect()
}

impl PublicTile {
    pub const fn is_full(self) -> bool {
        self.width == 1 << TILE_HEIGHT
    }

    /// Its path below the log's prefix: `tile/<level or "entries">/<n in groups of three digits>[.p/<width>]`.
    pub fn path(self) -> String {
        let full = PublicTile { width: 1 << TILE_HEIGHT, ..self };
        let level = self.level.map_or("entries".to_owned(), |level| level.to_string());
        let mut path = format!("{:03}", full.n % 1000);
        let mut rest = full.n / 1000;
        while rest > 0 {
            path = format!("x{:03}/{path}", rest % 1000);
            rest /= 1000;
        }
        let partial = if self.is_full() { String::new() } else { format!(".p/{}", self.width) };
        format!("tile/{level}/{path}{partial}")
    }

    /// The tile of a path below the log's prefix, written as [`PublicTile::path`] writes it and in no other way.
    pub fn parse(path: &str) -> Option<PublicTile> {
        let (level, rest) = path.strip_prefix("tile/")?.split_once('/')?;
        let level = if level == "entries" { None } else { Some(level.parse().ok().filter(|level| *level < 64)?) };
        let (number, width) = match rest.split_once(".p/") {
            Some((number, width)) => (number, width.parse().ok().filter(|width| (1..256).contains(width))?),
            None => (rest, 1 << TILE_HEIGHT),
        };
        let digits = |text: &str| text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit());
        let n = number.split('/').try_fold(0_u64, |n, part| {
            let part = part.strip_prefix('x').unwrap_or(part);
            n.checked_mul(1_000)?.checked_add(part.parse().ok().filter(|_| digits(part))?)
        })?;
        let tile = PublicTile { level, n, width };
        // one spelling only: what is read is a path that we write
        (tile.path() == path).then_some(tile)
    }

    /// The commitments of an entry bundle; `None` where it is not exactly `width` entries of 32 bytes.
    pub fn entries(self, content: &[u8]) -> Option<Vec<Commitment>> {
        if self.level.is_some() || content.len() as u64 != self.bytes() {
            return None;
        }
        let length = (size_of::<Commitment>() as u16).to_be_bytes();
        content.chunks(34).map(|entry| Some(Digest(entry.strip_prefix(&length)?.try_into().ok()?))).collect()
    }

    /// The folder that held the partial versions of this tile: of no use once it is full.
    pub fn partials_path(self) -> String {
        format!("{}.p", PublicTile { width: 1 << TILE_HEIGHT, ..self }.path())
    }

    /// How long its file is.
    pub const fn bytes(self) -> u64 {
        self.width as u64 * if self.level.is_some() { 32 } else { 34 }
    }

    /// Its file's content: hashes of 32 bytes, or entries each behind its length (u16, big endian: 32).
    pub fn content(self, tree: &Tree, leaves: Leaves<'_>) -> Result<Vec<u8>, ProofError> {
        let from = self.n << TILE_HEIGHT;
        let range = from..from + u64::from(self.width);
        match self.level {
            Some(level) => Ok(tree.tile_hashes(level, range, leaves)?.iter().flat_map(|hash| hash.0).collect()),
            None => Ok(bundle(&leaves(range)?)),
        }
    }
}

fn bundle(commitments: &[Commitment]) -> Vec<u8> {
    let length = (size_of::<Commitment>() as u16).to_be_bytes();
    commitments.iter().flat_map(|commitment| length.into_iter().chain(commitment.0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::LeavesError;
    use proptest::prelude::*;
    use std::{collections::BTreeMap, ops::Range};
    use tlog_tiles::{Hash, record_hash};

    fn read(range: Range<u64>) -> Result<Vec<Commitment>, LeavesError> {
        Ok(range.map(|n| Digest([n as u8; 32])).collect())
    }

    fn tree(entries: u64) -> Tree {
        let mut tree = Tree::new();
        read(0..entries).unwrap().iter().for_each(|commitment| tree.push(commitment));
        tree
    }

    #[test]
    fn paths_are_those_of_tlog_tiles() {
        let path = |level, n, width| PublicTile { level, n, width }.path();
        assert_eq!(path(Some(0), 1_234_067, 256), "tile/0/x001/x234/067");
        assert_eq!(path(Some(3), 67, 1), "tile/3/067.p/1");
        assert_eq!(path(None, 1_000, 255), "tile/entries/x001/000.p/255");
        assert_eq!(PublicTile { level: None, n: 1_000, width: 256 }.partials_path(), "tile/entries/x001/000.p");
    }

    #[test]
    fn only_paths_as_we_write_them_are_read() {
        for path in ["tile/0/x001/x234/067", "tile/3/067.p/1", "tile/entries/000", "tile/63/x001/000.p/255"] {
            assert_eq!(PublicTile::parse(path).map(PublicTile::path).as_deref(), Some(path));
        }
        for path in [
            "tile/0/x000/067",
            "tile/0/001/x234/067",
            "tile/64/000",
            "tile/00/000",
            "tile/+1/000",
            "tile/0/0",
            "tile/0/000.p/0",
            "tile/0/000.p/256",
            "tile/0/000.p/01",
            "tile/0/../checkpoint",
            "tile/0/..",
            "tile/0//000",
            "/tile/0/000",
            "tile/0/000/",
            "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
            "tile/é/000",
        ] {
            assert_eq!(PublicTile::parse(path), None, "{path}");
        }
    }

    #[test]
    fn a_bundle_gives_its_commitments_or_nothing() {
        let tile = PublicTile { level: None, n: 0, width: 3 };
        let bundle = tile.content(&tree(3), &read).unwrap();
        assert_eq!(tile.entries(&bundle), Some(read(0..3).unwrap()));
        assert_eq!(tile.entries(&bundle[..68]), None);
        let mut other_length = bundle.clone();
        other_length[35] = 31;
        assert_eq!(tile.entries(&other_length), None);
    }

    proptest! {
        #[test]
        fn every_tile_reads_back_from_its_path(level in prop::option::of(0_u8..64), n in any::<u64>(), width in 1_u32..=256, text in ".{0,40}") {
            let tile = PublicTile { level, n, width };
            prop_assert_eq!(PublicTile::parse(&tile.path()), Some(tile));
            prop_assert!(PublicTile::parse(&text).is_none_or(|tile| tile.path() == text));
        }
    }

    #[test]
    fn a_growing_log_needs_only_the_tiles_that_changed() {
        let paths = |old, new| public_tiles(old, new).into_iter().map(PublicTile::path).collect::<Vec<_>>();
        assert_eq!(paths(0, 16), ["tile/0/000.p/16", "tile/entries/000.p/16"]);
        let expected = ["tile/0/000", "tile/entries/000", "tile/0/001.p/14", "tile/entries/001.p/14", "tile/1/000.p/1"];
        assert_eq!(paths(250, 270), expected);
        assert_eq!(paths(270, 270), [""; 0]);
    }

    #[test]
    fn tiles_hold_what_a_stranger_recomputes_the_root_from() {
        let tree = tree(600);
        let files: BTreeMap<String, Vec<u8>> = public_tiles(0, 600)
            .into_iter()
            .map(|tile| {
                let content = tile.content(&tree, &read).unwrap();
                assert_eq!(content.len() as u64, tile.bytes());
                (tile.path(), content)
            })
            .collect();
        let entries =
            [&files["tile/entries/000"][..], &files["tile/entries/001"], &files["tile/entries/002.p/88"]].concat();
        let leaves: Vec<Hash> = entries.chunks(34).map(|entry| record_hash(&entry[2..])).collect();
        assert!(entries.chunks(34).all(|entry| entry[..2] == [0, 32]));
        let tile_0: Vec<u8> = leaves[..256].iter().flat_map(|hash| hash.0).collect();
        assert_eq!(files["tile/0/000"], tile_0);
        assert_eq!(files["tile/1/000.p/2"][..32], Tile::subtree_hash(&tile_0).0);
    }
}
