//! Reads every entry and every hash of a log from its public files, and computes the root anew.

use crate::{finding::Finding, source::Source};
use ledger::{
    Checkpoint, Digest, FileError, PublishedError, Tree,
    published::read_tile,
    tile::{PublicTile, public_tiles},
};

/// Entries of a full bundle.
const BUNDLE: u64 = 256;

/// What the walk brought home.
#[derive(Default)]
pub struct Walked {
    pub findings: Vec<Finding>,
    /// Roots at the sizes that were asked about, as the entries give them.
    pub roots: Vec<(u64, Digest)>,
    /// The commitment at the place that was asked about.
    pub leaf: Option<Digest>,
}

/// Walks the whole log: 1 each entry bundle in order, into a tree of our own · 2 each hash tile that is complete by then,
/// against that tree · 3 the root against the signed one. Stops at what it cannot build on.
///
/// A stranger's checkpoint may claim any size: nothing is kept for entries that were not read.
pub fn walk(source: &Source, signed: Checkpoint, sizes: &[u64], leaf: Option<u64>) -> Result<Walked, PublishedError> {
    let files = |tile: PublicTile| source.tile(tile);
    let (mut walked, mut tree) = (Walked::default(), Tree::new());
    note_roots(&mut walked, &tree, sizes);
    for n in 0..signed.size.div_ceil(BUNDLE) {
        let tile = PublicTile { level: None, n, width: (signed.size - n * BUNDLE).min(BUNDLE) as u32 };
        let bundle = match read_tile(&files, tile) {
            Ok(bundle) => bundle,
            Err(error) => return lost(walked, source, signed, tile, error),
        }; // 1
        let Some(entries) = tile.entries(&bundle) else {
            walked.findings.push(malformed(tile, &bundle, signed));
            return Ok(walked);
        };
        for entry in &entries {
            if leaf == Some(tree.size()) {
                walked.leaf = Some(*entry);
            }
            tree.push(entry);
            note_roots(&mut walked, &tree, sizes);
        }
        check_hashes(&files, &mut walked, (&tree, &entries), n, signed)?; // 2
        if !walked.findings.is_empty() {
            return Ok(walked);
        }
    }
    if tree.root() != signed.root {
        walked.findings.push(Finding::Rewriting { path: "tile/entries".into(), entry: None }); // 3
    }
    Ok(walked)
}

fn note_roots(walked: &mut Walked, tree: &Tree, sizes: &[u64]) {
    if sizes.contains(&tree.size()) {
        walked.roots.push((tree.size(), tree.root()));
    }
}

/// A file is gone: if the last one is there, only this one; else the log was cut short.
fn lost(
    mut walked: Walked,
    source: &Source,
    signed: Checkpoint,
    tile: PublicTile,
    error: PublishedError,
) -> Result<Walked, PublishedError> {
    let path = match error {
        PublishedError::Missing { path } | PublishedError::Length { path } => path,
        other => return Err(other),
    };
    let last = signed.size.div_ceil(BUNDLE) - 1;
    let width = (signed.size - last * BUNDLE) as u32;
    let files = |tile: PublicTile| source.tile(tile);
    let last_is_there = last > tile.n && read_tile(&files, PublicTile { n: last, width, ..tile }).is_ok();
    walked.findings.push(if last_is_there {
        Finding::MissingTile { path }
    } else {
        Finding::Truncation { entries: tile.n * BUNDLE, size: signed.size }
    });
    Ok(walked)
}

/// Whole entries, but fewer than signed for: cut short. Anything else: changed.
fn malformed(tile: PublicTile, bundle: &[u8], signed: Checkpoint) -> Finding {
    let whole = bundle.len() / 34;
    let shorter = PublicTile { width: whole as u32, ..tile };
    if bundle.len().is_multiple_of(34) && whole < tile.width as usize && shorter.entries(bundle).is_some() {
        Finding::Truncation { entries: tile.n * BUNDLE + whole as u64, size: signed.size }
    } else {
        Finding::Rewriting { path: tile.path(), entry: None }
    }
}

/// The hash tiles that the bundle `n` completes, and at the end of the log the partial ones.
fn check_hashes(
    files: &dyn Fn(PublicTile) -> Result<Option<Vec<u8>>, FileError>,
    walked: &mut Walked,
    (tree, entries): (&Tree, &[Digest]),
    n: u64,
    signed: Checkpoint,
) -> Result<(), PublishedError> {
    let is_last = tree.size() == signed.size;
    let before = n * BUNDLE;
    let leaves = |_: std::ops::Range<u64>| Ok(entries.to_vec());
    let completed = public_tiles(before, tree.size()).into_iter().filter(|tile| tile.level.is_some() && tile.is_full());
    let filling = if is_last { filling_tiles(signed.size) } else { Vec::new() };
    for tile in completed.chain(filling) {
        let content = match read_tile(files, tile) {
            Ok(content) => content,
            Err(PublishedError::Missing { path } | PublishedError::Length { path }) => {
                walked.findings.push(Finding::MissingTile { path });
                continue;
            }
            Err(other) => return Err(other),
        };
        let expected =
            tile.content(tree, &leaves).map_err(|error| PublishedError::Arithmetic { why: error.to_string() })?;
        if content != expected {
            walked.findings.push(differing(tile, &content, &expected, before));
        }
    }
    Ok(())
}

/// At the end of a log each level has a tile that is still filling, unless it is just full.
fn filling_tiles(size: u64) -> Vec<PublicTile> {
    let at = |level: u8| {
        let hashes = size >> (8 * level);
        let width = (hashes % BUNDLE) as u32;
        (width > 0).then_some(PublicTile { level: Some(level), n: hashes / BUNDLE, width })
    };
    (0..8).filter_map(at).collect()
}

/// Of leaf hashes the entry can be named.
fn differing(tile: PublicTile, content: &[u8], expected: &[u8], first: u64) -> Finding {
    let at = content.chunks(32).zip(expected.chunks(32)).position(|(found, expected)| found != expected);
    let entry = at.filter(|_| tile.level == Some(0)).map(|at| first + at as u64);
    let path = match entry {
        Some(_) => PublicTile { level: None, ..tile }.path(),
        None => tile.path(),
    };
    Finding::Rewriting { path, entry }
}
