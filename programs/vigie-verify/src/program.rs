//! Which programs the town says it started, held against the ones that the reader knows as published.

use crate::{
    finding::Finding,
    source::{Source, SourceError},
};
use ledger::{
    Checkpoint, Published, PublishedError,
    opening::{self, Opening},
    tile::PublicTile,
    verify_inclusion,
};

/// Every start since the checkpoint that the reader kept, and the newest one in any case: 1 its opening is there · 2 the log holds
/// exactly it · 3 its digest is one of the reader's. A program that lies about its own digest is not found by this.
pub fn check_programs(
    source: &Source,
    signed: Checkpoint,
    since: u64,
    published: &[String],
) -> Result<Vec<Finding>, PublishedError> {
    let told = source.starts().map_err(file)?.and_then(|text| opening::parse(&text)).unwrap_or_default();
    let told: Vec<Opening> = told.into_iter().filter(|opening| opening.seq < signed.size).collect();
    let Some(newest) = told.last().map(|opening| opening.seq) else {
        return Ok(vec![Finding::Program { entry: None, version: String::new(), digest: String::new() }]); // 1
    };
    let mut findings = Vec::new();
    for opening in told.iter().filter(|opening| since <= opening.seq || opening.seq == newest) {
        if !is_in(source, signed, opening)? {
            findings.push(Finding::NotIncluded { seq: opening.seq, found: None }); // 2
            continue;
        }
        let (version, digest) = opening.start().unwrap_or_default();
        if !published.contains(&digest) {
            findings.push(Finding::Program { entry: Some(opening.seq), version, digest }); // 3
        }
    }
    Ok(findings)
}

fn is_in(source: &Source, signed: Checkpoint, opening: &Opening) -> Result<bool, PublishedError> {
    let files = |tile: PublicTile| source.tile(tile);
    let path = Published::new(signed, &files).prove_inclusion(opening.seq)?;
    Ok(verify_inclusion(&path, signed.size, signed.root, opening.seq, &opening.commitment()).is_ok())
}

fn file(error: SourceError) -> PublishedError {
    PublishedError::File { path: "starts".into(), source: error.into() }
}
