//! The witness over a disk that fails: what left was kept before, and nothing goes back or sideways, whatever happens between.

use super::*;
use disk::{Fault, FaultyDisk, Happened};
use domain::Secret32;
use ledger::{CheckpointSigner, Tree, tree::LeavesError};
use std::{io::ErrorKind, ops::Range};

const FOLDER: &str = "/witness";
const NOW: i64 = CLOCK_EARLIEST_SECONDS + 1_000;

fn log() -> CheckpointSigner {
    CheckpointSigner::new("vigie/a/b", &Secret32::new([3; 32])).unwrap()
}

/// The log as most see it, and as it was rewritten from entry 20 on.
fn leaves(other: bool) -> impl Fn(Range<u64>) -> Result<Vec<Digest>, LeavesError> {
    move |range| Ok(range.map(|n| Digest([if other && n >= 20 { 200 } else { n as u8 }; 32])).collect())
}

fn tree(size: u64, other: bool) -> Tree {
    let mut tree = Tree::new();
    leaves(other)(0..size).unwrap().iter().for_each(|leaf| tree.push(leaf));
    tree
}

fn asked(old: u64, new: u64, other: bool) -> AddCheckpoint {
    let tree = tree(new, other);
    let proof = if old == 0 || old == new { vec![] } else { tree.prove_growth(new, old, &leaves(other)).unwrap() };
    AddCheckpoint { old, proof, note: log().sign(Checkpoint { size: new, root: tree.root() }).unwrap() }
}

fn made(disk: &FaultyDisk) -> Book {
    let book = Book::create(Arc::new(disk.clone()), Path::new(FOLDER), "temoin.example").unwrap();
    book.add_log(&log().public().verifier_key()).unwrap();
    book
}

fn reopened(disk: &FaultyDisk) -> Book {
    Book::open(Arc::new(disk.clone()), Path::new(FOLDER)).unwrap()
}

fn last_size(book: &Book) -> u64 {
    book.logs().unwrap()[0].last.map_or(0, |last| last.size)
}

#[test]
fn a_log_that_grows_is_cosigned_each_time_and_the_cosignature_holds() {
    let book = made(&FaultyDisk::new(1));
    for (old, new) in [(0, 16), (16, 32), (32, 64), (64, 64)] {
        let request = asked(old, new, false);
        let Answer::Cosigned(line) = book.cosign(&request, NOW).unwrap() else { panic!("{old} to {new}") };
        let note = with_lines(&request.note, &[line]);
        assert_eq!(book.public().verify(&note).unwrap().at_seconds, NOW);
    }
    assert_eq!(last_size(&book), 64);
    assert_eq!(book.evidence().unwrap(), []);
}

#[test]
fn a_fork_and_a_rewritten_past_are_refused_and_both_notes_are_kept() {
    let book = made(&FaultyDisk::new(1));
    book.cosign(&asked(0, 32, false), NOW).unwrap();
    let fork = asked(32, 32, true);
    assert_eq!(book.cosign(&fork, NOW).unwrap(), Answer::Refused(Refusal::Forked { size: 32 }));
    let rewritten = asked(32, 48, true);
    assert_eq!(book.cosign(&rewritten, NOW).unwrap(), Answer::Refused(Refusal::NotGrown { old: 32, new: 48 }));
    let evidence = book.evidence().unwrap();
    assert_eq!(evidence.iter().map(Evidence::is_proof).collect::<Vec<_>>(), [true, false]);
    for (found, request) in evidence.iter().zip([&fork, &rewritten]) {
        let disk = &*book.disk;
        let kept = disk::read_all(disk, &found.path.with_extension("kept"), NOTE_BYTES_MAX).unwrap();
        // a stranger checks it with the log's key alone
        assert_eq!(log().public().verify(&kept).unwrap().root, tree(32, false).root());
        assert_eq!(disk::read_all(disk, &found.path, NOTE_BYTES_MAX).unwrap(), request.to_bytes());
    }
    // and the log as it was goes on
    assert!(matches!(book.cosign(&asked(32, 64, false), NOW).unwrap(), Answer::Cosigned(_)));
}

#[test]
fn an_old_checkpoint_brought_again_does_not_set_the_record_back() {
    let book = made(&FaultyDisk::new(1));
    book.cosign(&asked(0, 32, false), NOW).unwrap();
    for replayed in [asked(0, 16, false), asked(16, 32, false), asked(0, 32, false)] {
        let answer = book.cosign(&replayed, NOW).unwrap();
        assert_eq!(answer, Answer::Refused(Refusal::Elsewhere { size: 32, asked: replayed.old }));
    }
    assert_eq!(last_size(&book), 32);
}

#[test]
fn an_unknown_log_and_a_note_of_nobody_are_refused_and_leave_no_trace() {
    let book = made(&FaultyDisk::new(1));
    let other = CheckpointSigner::new("vigie/other/log", &Secret32::new([3; 32])).unwrap();
    let note = other.sign(Checkpoint { size: 16, root: tree(16, false).root() }).unwrap();
    let unknown = AddCheckpoint { note, ..asked(0, 16, false) };
    assert_eq!(book.cosign(&unknown, NOW).unwrap(), Answer::Refused(Refusal::UnknownLog));
    let nobodys = AddCheckpoint { note: b"vigie/a/b\n16\n".to_vec(), ..asked(0, 16, false) };
    assert_eq!(book.cosign(&nobodys, NOW).unwrap(), Answer::Refused(Refusal::NotSigned));
    assert_eq!((last_size(&book), book.evidence().unwrap().len()), (0, 0));
}

#[test]
fn a_clock_that_cannot_be_right_signs_nothing() {
    let book = made(&FaultyDisk::new(1));
    for seconds in [-1, 0, CLOCK_EARLIEST_SECONDS - 1] {
        assert!(matches!(book.cosign(&asked(0, 16, false), seconds), Err(BookError::Clock { .. })));
    }
    assert_eq!(last_size(&book), 0);
}

#[test]
fn a_record_that_is_damaged_is_never_taken_for_a_log_never_seen() {
    let disk = FaultyDisk::new(1);
    let book = made(&disk);
    book.cosign(&asked(0, 32, false), NOW).unwrap();
    disk::write_all(&disk, &book.last_path("vigie/a/b"), b"nothing").unwrap();
    assert!(matches!(book.cosign(&asked(0, 32, true), NOW), Err(BookError::Record { .. })));
    // a note of the log that this witness did not cosign is no record either
    disk::write_all(&disk, &book.last_path("vigie/a/b"), &asked(0, 16, false).note).unwrap();
    assert!(matches!(book.cosign(&asked(16, 32, false), NOW), Err(BookError::Record { .. })));
}

#[test]
fn a_witness_is_made_once_and_its_key_reads_back() {
    let disk = FaultyDisk::new(1);
    let key = made(&disk).public();
    assert_eq!(reopened(&disk).public(), key);
    let again = Book::create(Arc::new(disk.clone()), Path::new(FOLDER), "temoin.example");
    assert!(matches!(again, Err(BookError::Exists { .. })));
    let book = reopened(&disk);
    assert!(matches!(book.add_log(&log().public().verifier_key()), Err(BookError::SameLog { .. })));
    assert!(matches!(book.add_log("vigie/a/b"), Err(BookError::LogKey { .. })));
}

/// The log grows twice, forks, and grows again: every size whose cosignature left.
fn busy(book: &Book) -> (Vec<u64>, Result<(), BookError>) {
    let mut left = Vec::new();
    let requests = [asked(0, 16, false), asked(16, 32, false), asked(32, 32, true), asked(32, 48, false)];
    for request in &requests {
        match book.cosign(request, NOW) {
            Ok(Answer::Cosigned(_)) => left.push(checkpoint::claimed(&request.note).unwrap().1.size),
            Ok(Answer::Refused(_)) => {}
            Err(error) => return (left, Err(error)),
        }
    }
    (left, Ok(()))
}

#[test]
fn whatever_step_fails_what_left_was_kept_and_no_other_past_is_signed() {
    let disk = FaultyDisk::new(1);
    let book = made(&disk);
    let from = disk.steps();
    assert!(busy(&book).1.is_ok());
    let to = disk.steps();
    assert!(to - from > 20, "{}", to - from);
    for step in from..to {
        for fault in [
            Fault::PowerCut(Happened::No),
            Fault::PowerCut(Happened::Yes),
            Fault::Error(Happened::No, ErrorKind::StorageFull),
            Fault::Error(Happened::Yes, ErrorKind::Other),
        ] {
            let disk = FaultyDisk::new(step);
            let book = made(&disk);
            disk.plan(step, fault);
            let (left, failed) = busy(&book);
            assert!(failed.is_err(), "step {step}: {fault:?}");
            // also without a restart: a record that could not be kept is no record to build on
            let (more, _) = if matches!(fault, Fault::Error(..)) { busy(&book) } else { (vec![], Ok(())) };
            drop(book);
            disk.reboot();
            let book = reopened(&disk);
            let newest = left.iter().chain(&more).max().copied().unwrap_or_default();
            assert!(last_size(&book) >= newest, "step {step}: {fault:?}");
            let kept = last_size(&book);
            if kept > 20 {
                let other = asked(kept, kept, true);
                assert_eq!(book.cosign(&other, NOW).unwrap(), Answer::Refused(Refusal::Forked { size: kept }));
            }
            // whoever asks again gets on
            assert!(matches!(book.cosign(&asked(kept, 64, false), NOW).unwrap(), Answer::Cosigned(_)), "step {step}");
        }
    }
}
