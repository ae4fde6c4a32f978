//! The verdict on a log: signature, what the reader kept, every entry, witnesses, one entry.

use crate::{
    finding::Finding,
    program::check_programs,
    source::{Source, SourceError},
    walk::{Walked, walk},
};
use domain::limit::LOG_ENTRIES_MAX;
use ledger::{
    Checkpoint, CheckpointKey, Digest, Published, PublishedError, WitnessPolicy, checkpoint, tile::PublicTile,
    verify_inclusion,
};

/// What a reader asks.
pub struct LogQuestion {
    pub source: Source,
    pub key: CheckpointKey,
    pub policy: Option<WitnessPolicy>,
    /// Notes that the reader kept, with the names they are told by.
    pub since: Vec<(String, Vec<u8>)>,
    pub leaf: Option<LeafAsked>,
    /// SHA-256 of the programs that the reader knows as published, in hexadecimal digits; none: nothing is asked of programs.
    pub programs: Vec<String>,
}

/// An entry that the reader holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LeafAsked {
    pub seq: u64,
    pub commitment: Digest,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Verdict {
    pub findings: Vec<Finding>,
    pub checkpoint: Option<Checkpoint>,
    /// The note as it was read: worth keeping where nothing was found.
    pub note: Vec<u8>,
    /// Names of the witnesses whose cosignatures hold, with their times in seconds since 1970.
    pub cosigned_by: Vec<(String, i64)>,
}

/// Why nothing can be said.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Published(#[from] PublishedError),
    #[error("`{name}` is no checkpoint that this log's key signed: give one that `--keep` wrote")]
    Since { name: String },
    #[error("a log of {size} entries is larger than any that is believed")]
    TooLarge { size: u64 },
}

/// 1 the note and its signature · 2 what the reader kept is no larger, and no other tree of that size · 3 every entry, every
/// hash, the root, and the roots that the reader kept · 4 the witnesses · 5 the entry that the reader holds · 6 programs.
pub fn check_log(question: &LogQuestion) -> Result<Verdict, CheckError> {
    let mut verdict = Verdict::default();
    let since = kept(question)?;
    let Some(note) = question.source.note()? else {
        verdict.findings.push(Finding::Signature { why: "no file `checkpoint`".into() });
        return Ok(verdict);
    };
    verdict.note = note;
    let signed = match question.key.verify(&verdict.note) {
        Ok(signed) => signed,
        Err(error) => {
            verdict.findings.push(Finding::Signature { why: error.to_string() });
            return Ok(verdict);
        }
    }; // 1
    if signed.size > LOG_ENTRIES_MAX {
        return Err(CheckError::TooLarge { size: signed.size });
    }
    verdict.checkpoint = Some(signed);
    verdict.findings.extend(since.iter().filter_map(|kept| contradiction(signed, *kept))); // 2
    let sizes: Vec<u64> = since.iter().map(|kept| kept.size).collect();
    let walked = walk(&question.source, signed, &sizes, question.leaf.map(|leaf| leaf.seq))?;
    verdict.findings.extend(forks(&walked, signed, &since)); // 3
    let (leaf, intact) = (walked.leaf, walked.findings.is_empty());
    verdict.findings.extend(walked.findings);
    if let Some(policy) = &question.policy {
        witnesses(policy, &mut verdict); // 4
    }
    if let Some(asked) = question.leaf.filter(|_| intact) {
        verdict.findings.extend(included(&question.source, signed, asked, leaf)?); // 5
    }
    if intact && !question.programs.is_empty() {
        let since = sizes.iter().copied().max().unwrap_or_default();
        verdict.findings.extend(check_programs(&question.source, signed, since, &question.programs)?); // 6
    }
    Ok(verdict)
}

/// The reader's own notes are signed by this log, or the reader is told.
fn kept(question: &LogQuestion) -> Result<Vec<Checkpoint>, CheckError> {
    let read = |(name, note): &(String, Vec<u8>)| {
        question.key.verify(note).map_err(|_| CheckError::Since { name: name.clone() })
    };
    question.since.iter().map(read).collect()
}

/// What two signed checkpoints say of each other without any tile.
fn contradiction(signed: Checkpoint, kept: Checkpoint) -> Option<Finding> {
    if kept.size > signed.size {
        return Some(Finding::Rollback { size: signed.size, kept: kept.size });
    }
    (kept.size == signed.size && kept.root != signed.root).then_some(Finding::Fork {
        size: signed.size,
        root: signed.root,
        kept: kept.size,
        kept_root: kept.root,
    })
}

/// The entries give another root at a size that the reader holds signed. Where the entries are not those that were signed,
/// nothing follows from them.
fn forks(walked: &Walked, signed: Checkpoint, since: &[Checkpoint]) -> Vec<Finding> {
    if !walked.findings.is_empty() {
        return Vec::new();
    }
    let other = |kept: &&Checkpoint| {
        let found = walked.roots.iter().find(|(size, _)| *size == kept.size);
        kept.size < signed.size && found.is_some_and(|(_, root)| *root != kept.root)
    };
    let fork = |kept: &Checkpoint| Finding::Fork {
        size: signed.size,
        root: signed.root,
        kept: kept.size,
        kept_root: kept.root,
    };
    since.iter().filter(other).map(fork).collect()
}

fn witnesses(policy: &WitnessPolicy, verdict: &mut Verdict) {
    let quorum = policy.judge(&verdict.note);
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for (witness, cosignature) in policy.witnesses.iter().zip(&quorum.cosignatures) {
        match cosignature {
            Some(cosignature) => {
                verdict.cosigned_by.push((witness.name.clone(), cosignature.at_seconds));
                found.push(witness.name.clone());
            }
            None => missing.push(witness.name.clone()),
        }
    }
    if !quorum.is_met {
        verdict.findings.push(Finding::Quorum { found, missing });
    }
}

/// By the path from the tiles, as somebody would who reads no other entry.
fn included(
    source: &Source,
    signed: Checkpoint,
    asked: LeafAsked,
    found: Option<Digest>,
) -> Result<Option<Finding>, PublishedError> {
    let LeafAsked { seq, commitment } = asked;
    if seq >= signed.size || found != Some(commitment) {
        return Ok(Some(Finding::NotIncluded { seq, found }));
    }
    let files = |tile: PublicTile| source.tile(tile);
    let path = Published::new(signed, &files).prove_inclusion(seq)?;
    let holds = verify_inclusion(&path, signed.size, signed.root, seq, &commitment).is_ok();
    Ok((!holds).then_some(Finding::NotIncluded { seq, found }))
}

/// The origin that a note claims, for messages.
pub fn claimed_origin(note: &[u8]) -> String {
    checkpoint::claimed(note).map(|(origin, _)| origin).unwrap_or_default()
}
