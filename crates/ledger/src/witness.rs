//! What a witness is asked and how it decides: the request `add-checkpoint` of C2SP tlog-witness, and the judgement on it.

use crate::checkpoint::{Checkpoint, CheckpointKey};
use crate::digest::Digest;
use crate::proof::verify_growth;
use crate::tree::root_of;
use domain::limit::{ADD_CHECKPOINT_BYTES_MAX, LOG_ENTRIES_MAX, PROOF_LINES_MAX};
use tlog_tiles::Hash;

/// A question to a witness: a new checkpoint, and the proof that it continues the one that the witness signed last.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AddCheckpoint {
    /// Size of the tree that the witness cosigned last; 0 for never.
    pub old: u64,
    pub proof: Vec<Digest>,
    /// The signed note.
    pub note: Vec<u8>,
}

/// Why bytes are no such question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    #[error("longer than {ADD_CHECKPOINT_BYTES_MAX} bytes")]
    TooLong,
    #[error("the first line is not `old` and a size")]
    OldSize,
    #[error("a line of the proof is not one hash in base64")]
    Proof,
    #[error("more than {PROOF_LINES_MAX} lines of proof")]
    TooManyLines,
    #[error("no empty line before the checkpoint")]
    NoCheckpoint,
}

impl AddCheckpoint {
    pub fn parse(body: &[u8]) -> Result<AddCheckpoint, RequestError> {
        if body.len() > ADD_CHECKPOINT_BYTES_MAX {
            return Err(RequestError::TooLong);
        }
        let mut rest = body;
        let old = next_line(&mut rest).and_then(|line| size(line.strip_prefix("old ")?));
        let old = old.ok_or(RequestError::OldSize)?;
        let mut proof = Vec::new();
        loop {
            match next_line(&mut rest).ok_or(RequestError::NoCheckpoint)? {
                "" => return Ok(AddCheckpoint { old, proof, note: rest.to_vec() }),
                _ if proof.len() == PROOF_LINES_MAX => return Err(RequestError::TooManyLines),
                line => {
                    let hash = Hash::parse_hash(line).map_err(|_| RequestError::Proof)?;
                    proof.push(Digest(hash.0));
                }
            }
        }
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        let mut head = format!("old {}\n", self.old);
        self.proof.iter().for_each(|hash| head.push_str(&format!("{}\n", Hash(hash.0))));
        head.push('\n');
        [head.as_bytes(), &self.note].concat()
    }
}

/// A number as tlog writes it: decimal, no sign, no leading zero.
pub fn size(text: &str) -> Option<u64> {
    let number: u64 = text.parse().ok()?;
    (number.to_string() == text).then_some(number)
}

fn next_line<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
    let end = rest.iter().position(|byte| *byte == b'\n')?;
    let (line, after) = rest.split_at(end);
    *rest = &after[1..];
    std::str::from_utf8(line).ok()
}

/// Why a witness does not cosign.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("no log of this origin is known here")]
    UnknownLog,
    #[error("not signed by the log's key, or no checkpoint of it")]
    NotSigned,
    #[error("the old size {old} is beyond the new one, {new}")]
    OldBeyondNew { old: u64, new: u64 },
    /// The question starts from another tree than the one cosigned last. Nothing is wrong with the log by that alone.
    #[error("the last tree cosigned here has {size} entries, not {asked}")]
    Elsewhere { size: u64, asked: u64 },
    /// The log signed two trees of one size: whoever holds both notes can prove it.
    #[error("the log signed two different trees of {size} entries")]
    Forked { size: u64 },
    /// The new tree is not proved to begin with the old one.
    #[error("the tree of {new} entries is not proved to begin with the {old} entries cosigned last")]
    NotGrown { old: u64, new: u64 },
}

impl Refusal {
    /// The status of C2SP tlog-witness.
    pub const fn status(&self) -> u16 {
        match self {
            Refusal::OldBeyondNew { .. } => 400,
            Refusal::NotSigned => 403,
            Refusal::UnknownLog => 404,
            Refusal::Elsewhere { .. } | Refusal::Forked { .. } => 409,
            Refusal::NotGrown { .. } => 422,
        }
    }
}

/// Whether a witness that cosigned `last` for the log of `key` cosigns this: 1 the log signed it · 2 it starts from `last` ·
/// 3 it is `last`, or continues it.
pub fn judge(request: &AddCheckpoint, key: &CheckpointKey, last: Option<Checkpoint>) -> Result<Checkpoint, Refusal> {
    let new = key.verify(&request.note).map_err(|_| Refusal::NotSigned)?; // 1
    if new.size > LOG_ENTRIES_MAX {
        return Err(Refusal::NotSigned);
    }
    if request.old > new.size {
        return Err(Refusal::OldBeyondNew { old: request.old, new: new.size });
    }
    let last = last.unwrap_or(Checkpoint { size: 0, root: root_of([]) });
    if last.size != request.old {
        return Err(Refusal::Elsewhere { size: last.size, asked: request.old }); // 2
    }
    let not_grown = Refusal::NotGrown { old: last.size, new: new.size };
    if new.size == last.size {
        return match (new.root == last.root, request.proof.is_empty(), last.size) {
            (true, true, _) => Ok(new),
            (true, false, _) | (false, _, 0) => Err(not_grown),
            (false, ..) => Err(Refusal::Forked { size: new.size }),
        }; // 3
    }
    let grown = match last.size {
        0 => request.proof.is_empty(),
        _ => verify_growth(&request.proof, (last.size, last.root), (new.size, new.root)).is_ok(),
    };
    if grown { Ok(new) } else { Err(not_grown) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CheckpointSigner, Tree, tree::LeavesError};
    use domain::Secret32;
    use proptest::prelude::*;
    use std::ops::Range;

    fn log(seed: u8) -> CheckpointSigner {
        CheckpointSigner::new("vigie/a/b", &Secret32::new([seed; 32])).unwrap()
    }

    /// The log that a town keeps, and one that differs from entry 20 on.
    fn leaves(other: bool) -> impl Fn(Range<u64>) -> Result<Vec<Digest>, LeavesError> {
        move |range| Ok(range.map(|n| Digest([if other && n >= 20 { 200 } else { n as u8 }; 32])).collect())
    }

    fn tree(size: u64, other: bool) -> Tree {
        let mut tree = Tree::new();
        leaves(other)(0..size).unwrap().iter().for_each(|leaf| tree.push(leaf));
        tree
    }

    fn at(size: u64, other: bool) -> Checkpoint {
        Checkpoint { size, root: tree(size, other).root() }
    }

    fn asked(old: u64, new: u64, other: bool) -> AddCheckpoint {
        let proof = match old {
            0 => vec![],
            _ => tree(new, other).prove_growth(new, old, &leaves(other)).unwrap(),
        };
        AddCheckpoint { old, proof, note: log(3).sign(at(new, other)).unwrap() }
    }

    fn answer(request: &AddCheckpoint, last: Option<Checkpoint>) -> Result<Checkpoint, Refusal> {
        judge(request, &log(3).public(), last)
    }

    #[test]
    fn what_continues_the_last_tree_is_cosigned_and_the_last_one_again() {
        assert_eq!(answer(&asked(0, 16, false), None), Ok(at(16, false)));
        assert_eq!(answer(&asked(16, 48, false), Some(at(16, false))), Ok(at(48, false)));
        let again = AddCheckpoint { proof: vec![], ..asked(48, 48, false) };
        assert_eq!(answer(&again, Some(at(48, false))), Ok(at(48, false)));
    }

    #[test]
    fn each_refusal_has_its_status() {
        let last = Some(at(32, false));
        let other_key = AddCheckpoint { note: log(9).sign(at(48, false)).unwrap(), ..asked(32, 48, false) };
        let same_size = AddCheckpoint { proof: vec![], ..asked(32, 32, true) };
        for (request, last, status) in [
            (other_key, last, 403),
            (AddCheckpoint { old: 64, ..asked(32, 48, false) }, last, 400),
            (asked(0, 16, false), last, 409),
            (asked(16, 48, false), last, 409),
            (asked(48, 64, false), last, 409),
            (asked(32, 48, false), None, 409),
            (same_size, last, 409),
            (asked(32, 48, true), last, 422),
            (AddCheckpoint { proof: vec![Digest([1; 32])], ..asked(0, 16, false) }, None, 422),
        ] {
            assert_eq!(answer(&request, last).unwrap_err().status(), status, "{request:?}");
        }
    }

    #[test]
    fn two_trees_of_one_size_are_a_fork_and_a_fork_that_grew_is_not_grown() {
        let fork = AddCheckpoint { proof: vec![], ..asked(32, 32, true) };
        assert_eq!(answer(&fork, Some(at(32, false))), Err(Refusal::Forked { size: 32 }));
        assert_eq!(answer(&asked(32, 48, true), Some(at(32, false))), Err(Refusal::NotGrown { old: 32, new: 48 }));
    }

    #[test]
    fn an_empty_log_is_the_empty_tree_and_no_other() {
        let empty = log(3).sign(Checkpoint { size: 0, root: root_of([]) }).unwrap();
        let request = AddCheckpoint { old: 0, proof: vec![], note: empty };
        assert_eq!(answer(&request, None).unwrap().size, 0);
        let wrong = log(3).sign(Checkpoint { size: 0, root: Digest([1; 32]) }).unwrap();
        let refused = answer(&AddCheckpoint { note: wrong, ..request }, None);
        assert_eq!(refused, Err(Refusal::NotGrown { old: 0, new: 0 }));
    }

    #[test]
    fn a_question_reads_back_as_written_and_nothing_loose_is_read() {
        let request = asked(16, 48, false);
        assert_eq!(AddCheckpoint::parse(&request.to_bytes()), Ok(request));
        let body = |text: &str| AddCheckpoint::parse(text.as_bytes()).unwrap_err();
        for loose in
            ["", "old\n\n", "old 01\n\nx", "old +1\n\nx", "old 1 \n\nx", "old -1\n\nx", "Old 1\n\nx", "old 1\r\n\nx"]
        {
            assert_eq!(body(loose), RequestError::OldSize, "{loose:?}");
        }
        assert_eq!(body("old 1\nAAAA\n\nx"), RequestError::Proof);
        assert_eq!(body("old 1\nx"), RequestError::NoCheckpoint);
        let line = format!("{}\n", Hash([1; 32]));
        assert_eq!(body(&format!("old 1\n{}\nx", line.repeat(64))), RequestError::TooManyLines);
        assert!(AddCheckpoint::parse(format!("old 1\n{}\nx", line.repeat(63)).as_bytes()).is_ok());
    }

    proptest! {
        #[test]
        fn hostile_questions_are_refused_without_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..400), old in any::<u64>(),
            proof in prop::collection::vec(any::<[u8; 32]>(), 0..64), size in any::<u64>(),
        ) {
            if let Ok(read) = AddCheckpoint::parse(&bytes) {
                prop_assert_eq!(read.to_bytes(), bytes);
            }
            let note = log(3).sign(Checkpoint { size, root: Digest([4; 32]) }).unwrap();
            let request = AddCheckpoint { old, proof: proof.into_iter().map(Digest).collect(), note };
            prop_assert_eq!(AddCheckpoint::parse(&request.to_bytes()), Ok(request.clone()));
            let last = Some(Checkpoint { size: old, root: Digest([5; 32]) });
            prop_assert!(answer(&request, last).is_err());
        }
    }
}
