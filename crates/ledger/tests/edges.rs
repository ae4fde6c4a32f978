//! Every bound at its edge and every condition of a refusal by itself: what the change of one sign in this crate would let through.

use domain::{
    Random, Secret32, UtcMicros,
    limit::{
        ADD_CHECKPOINT_BYTES_MAX, LOG_ENTRIES_MAX, STARTS_BYTES_MAX, WITNESS_POLICY_BYTES_MAX, WITNESS_POLICY_LINES_MAX,
    },
};
use ledger::{
    AddCheckpoint, Checkpoint, CheckpointSigner, DetailsError, Digest, FileError, LogId, Month, PolicyError, Published,
    PublishedError, Refusal, RequestError, SealedPlace, Tree, WitnessPolicy, WitnessSigner, checkpoint, commit,
    commitment::{DETAILS_BYTES_MAX, draw_salt},
    judge, open_details, opening,
    published::read_tile,
    quorum::PolicyFault,
    root_of, seal_details,
    tile::PublicTile,
    verify_inclusion,
};
use tlog_tiles::{Hash, node_hash, record_hash};

fn log(origin: &str, seed: u8) -> CheckpointSigner {
    CheckpointSigner::new(origin, &Secret32::new([seed; 32])).unwrap()
}

fn witness(seed: u8) -> WitnessSigner {
    WitnessSigner::new(&format!("w{seed}.example"), &Secret32::new([seed; 32])).unwrap()
}

#[test]
fn every_month_begins_at_its_first_instant_and_ends_before_the_next_for_four_hundred_years() {
    let (mut day, mut before) = (0, 0);
    for year in 1970..2370 {
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        for (month, days) in (1..).zip([31, if leap { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]) {
            let (first, number) = (UtcMicros::from_seconds(day * 86_400), year * 100 + month);
            assert_eq!(Month::of(first).yyyymm(), number);
            assert_eq!(Month::of(first).start(), first, "{number}");
            if before > 0 {
                assert_eq!(Month::of(first.plus_micros(-1)).yyyymm(), before);
            }
            (day, before) = (day + days, number);
        }
    }
    assert_eq!(Month::of(UtcMicros(i64::MAX)).yyyymm(), 999_912, "a year of six digits is the last month of four");
}

#[test]
fn a_month_and_a_digest_are_shown_to_developers_as_to_people() {
    assert_eq!(format!("{:?}", Month::from_yyyymm(202_603).unwrap()), "2026-03");
    assert_eq!(format!("{:?}", Digest([0xab; 32])), "ab".repeat(32));
}

struct Counting;

impl Random for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        (1..).zip(bytes).for_each(|(n, byte)| *byte = n);
    }
}

#[test]
fn a_salt_is_sixteen_bytes_of_chance() {
    assert_eq!(draw_salt(&Counting), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);
}

#[test]
fn details_may_be_as_long_as_the_limit_and_no_byte_longer() {
    let (key, salt) = (Secret32::new([7; 32]), [9; 16]);
    let sealed = |bytes: usize| {
        let details = vec![b'x'; bytes];
        let place = SealedPlace { log: LogId([1; 16]), seq: 5, commitment: commit(&salt, &details) };
        seal_details(&key, place, &salt, &details).map(|sealed| open_details(&key, place, &sealed).unwrap().1.len())
    };
    assert_eq!(DETAILS_BYTES_MAX, 1_048_576);
    assert_eq!(sealed(DETAILS_BYTES_MAX), Ok(DETAILS_BYTES_MAX));
    assert_eq!(sealed(DETAILS_BYTES_MAX + 1), Err(DetailsError::TooLong { bytes: DETAILS_BYTES_MAX + 1 }));
}

#[test]
fn a_note_claims_its_origin_and_its_checkpoint_without_any_key() {
    let checkpoint = Checkpoint { size: 600, root: Digest([4; 32]) };
    let note = log("vigie/a/b", 3).sign(checkpoint).unwrap();
    assert_eq!(checkpoint::claimed(&note), Some(("vigie/a/b".to_owned(), checkpoint)));
    assert_eq!(checkpoint::claimed(b"no note"), None);
}

#[test]
fn a_file_of_openings_may_be_as_long_as_the_limit_and_no_byte_longer() {
    let line = |seq: &str, bytes: usize| {
        let head = format!("{seq} {} ", "07".repeat(16));
        format!("{head}{}\n", "a".repeat(bytes - head.len() - 1))
    };
    // an even number of digits, by a number of one digit or of two
    let seq = if STARTS_BYTES_MAX.is_multiple_of(2) { "1" } else { "11" };
    let longest = line(seq, STARTS_BYTES_MAX);
    assert_eq!(longest.len(), STARTS_BYTES_MAX);
    assert_eq!(opening::parse(longest.as_bytes()).map(|read| read.len()), Some(1));
    assert_eq!(opening::parse(line(seq, STARTS_BYTES_MAX + 2).as_bytes()), None);
}

#[test]
fn an_entry_of_the_largest_log_is_proved_by_a_path_of_forty_hashes() {
    let commitment = Digest([1; 32]);
    let path: Vec<Digest> = (0..40).map(|n| Digest([n; 32])).collect();
    let root = path.iter().fold(record_hash(&commitment.0), |hash, sibling| node_hash(hash, Hash(sibling.0)));
    verify_inclusion(&path, LOG_ENTRIES_MAX, Digest(root.0), 0, &commitment).unwrap();
    assert!(verify_inclusion(&path[..39], LOG_ENTRIES_MAX, Digest(root.0), 0, &commitment).is_err());
}

fn leaves(range: std::ops::Range<u64>) -> Result<Vec<Digest>, ledger::tree::LeavesError> {
    Ok(range.map(|n| Digest([n as u8; 32])).collect())
}

fn tree(size: u64) -> Tree {
    let mut tree = Tree::new();
    leaves(0..size).unwrap().iter().for_each(|leaf| tree.push(leaf));
    tree
}

#[test]
fn a_tile_of_the_third_level_holds_the_roots_of_sixty_five_thousand_entries() {
    let tree = tree(65_536);
    let tile = PublicTile { level: Some(2), n: 0, width: 1 };
    assert_eq!(tile.content(&tree, &leaves).unwrap(), tree.root().0);
    let beyond = PublicTile { level: Some(2), n: 0, width: 2 };
    assert!(beyond.content(&tree, &leaves).is_err());
}

#[test]
fn a_hash_tile_holds_no_entries_though_its_bytes_could_be_read_as_some() {
    let bundle = PublicTile { level: None, n: 0, width: 16 };
    let bytes = bundle.content(&tree(16), &leaves).unwrap();
    assert_eq!(bundle.entries(&bytes), Some(leaves(0..16).unwrap()));
    // 17 hashes are as long as 16 entries
    let hashes = PublicTile { level: Some(0), n: 0, width: 17 };
    assert_eq!((hashes.bytes(), hashes.entries(&bytes)), (bytes.len() as u64, None));
}

#[test]
fn nothing_is_proved_of_a_tree_beyond_the_checkpoint_or_of_one_that_cannot_be() {
    let at = |size| Checkpoint { size, root: Digest([9; 32]) };
    let unread = |_: PublicTile| -> Result<Option<Vec<u8>>, FileError> { Err("nothing is read".into()) };
    let refused = |size: u64, of: u64| Published::new(at(size), &unread).prove_growth(of).unwrap_err();
    for (size, of) in [(600, 0), (600, 601), (LOG_ENTRIES_MAX + 1, 1), (LOG_ENTRIES_MAX + 1, LOG_ENTRIES_MAX + 2)] {
        let error = refused(size, of);
        assert!(matches!(error, PublishedError::OutOfRange { .. }), "{of} of {size}: {error}");
    }
    for (size, of) in [(600, 1), (600, 599), (LOG_ENTRIES_MAX, 1)] {
        let error = refused(size, of);
        assert!(matches!(error, PublishedError::File { .. }), "{of} of {size}: {error}");
    }
    let last = Published::new(at(600), &unread).prove_inclusion(600).unwrap_err();
    assert!(matches!(last, PublishedError::OutOfRange { of: 601, size: 600 }), "{last}");
}

#[test]
fn an_entry_bundle_may_have_any_length_and_a_full_tile_stands_for_a_partial_one_if_it_is_long_enough() {
    let bundle = PublicTile { level: None, n: 0, width: 256 };
    let of_another_log = |tile: PublicTile| Ok((tile == bundle).then(|| vec![7; 11]));
    assert_eq!(read_tile(&of_another_log, bundle).unwrap(), [7; 11]);
    let partial = PublicTile { level: Some(0), n: 0, width: 3 };
    let full = PublicTile { width: 256, ..partial };
    let with = |bytes: usize| {
        let files = move |tile: PublicTile| Ok((tile == full).then(|| vec![7; bytes]));
        read_tile(&files, partial).map(|content| content.len())
    };
    assert!(matches!(with(95), Err(PublishedError::Length { .. })));
    assert_eq!((with(96).unwrap(), with(97).unwrap(), with(8_192).unwrap()), (96, 96, 96));
}

fn fault(file: &str) -> PolicyFault {
    match WitnessPolicy::parse(file.as_bytes()) {
        Err(PolicyError::Line { why, .. }) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_log_stands_once_in_a_policy_by_its_key_and_by_its_origin() {
    let line = |origin: &str, seed| format!("log {}\n", log(origin, seed).public().verifier_key());
    let one = line("vigie/a/b", 3);
    assert_eq!(fault(&format!("{one}{}", line("vigie/c/d", 3))), PolicyFault::SameKey);
    assert_eq!(fault(&format!("{one}{}", line("vigie/a/b", 4))), PolicyFault::SameKey);
    let two = format!("{one}{}quorum none", line("vigie/c/d", 4));
    let policy = WitnessPolicy::parse(two.as_bytes()).unwrap();
    assert_eq!(policy.logs.len(), 2);
    assert_eq!(policy.log_key("vigie/c/d"), Some(&log("vigie/c/d", 4).public()));
    assert_eq!(policy.log_key("vigie/e/f"), None);
}

#[test]
fn a_log_and_a_witness_may_say_where_they_are_asked() {
    let (log, w) = (log("vigie/a/b", 3).public().verifier_key(), witness(1).public());
    let text = format!("log {log} https://log.example\nwitness w1 {} https://w1.example\nquorum w1", w.verifier_key());
    let policy = WitnessPolicy::parse(text.as_bytes()).unwrap();
    assert_eq!(policy.logs[0].url.as_deref(), Some("https://log.example"));
    assert_eq!(policy.witnesses[0].url.as_deref(), Some("https://w1.example"));
    assert_eq!((policy.witnesses[0].name.as_str(), policy.witnesses[0].key.name()), ("w1", "w1.example"));
    for text in [format!("log {log} a b"), format!("witness w1 {} a b", w.verifier_key()), "group g any".to_owned()] {
        assert!(matches!(fault(&text), PolicyFault::Shape { .. }), "{text}");
    }
}

#[test]
fn a_policy_has_as_many_lines_and_bytes_as_the_limits_say_and_not_one_more() {
    let witnesses = |count: usize| {
        let line = |n: usize| format!("witness w{n} {}\n", witness(n as u8).public().verifier_key());
        (1..=count).map(line).collect::<String>() + "quorum w1\n"
    };
    let read = WitnessPolicy::parse(witnesses(WITNESS_POLICY_LINES_MAX).as_bytes()).unwrap();
    assert_eq!(read.witnesses.len(), WITNESS_POLICY_LINES_MAX);
    assert_eq!(fault(&witnesses(WITNESS_POLICY_LINES_MAX + 1)), PolicyFault::TooMany);
    let of_bytes = |bytes: usize| {
        let text = "quorum none\n#";
        WitnessPolicy::parse(format!("{text}{}", "x".repeat(bytes - text.len())).as_bytes())
    };
    assert!(of_bytes(WITNESS_POLICY_BYTES_MAX).is_ok());
    assert_eq!(of_bytes(WITNESS_POLICY_BYTES_MAX + 1), Err(PolicyError::TooLong));
}

#[test]
fn a_witness_hears_of_the_largest_log_and_of_no_larger_one() {
    let answer = |size: u64| {
        let note = log("vigie/a/b", 3).sign(Checkpoint { size, root: Digest([4; 32]) }).unwrap();
        judge(&AddCheckpoint { old: 0, proof: vec![], note }, &log("vigie/a/b", 3).public(), None)
    };
    assert_eq!(answer(LOG_ENTRIES_MAX).map(|checkpoint| checkpoint.size), Ok(LOG_ENTRIES_MAX));
    assert_eq!(answer(LOG_ENTRIES_MAX + 1), Err(Refusal::NotSigned));
    let empty = Checkpoint { size: 0, root: root_of([]) };
    let note = log("vigie/a/b", 3).sign(empty).unwrap();
    let request = AddCheckpoint { old: 0, proof: vec![Digest([1; 32])], note };
    let refused = judge(&request, &log("vigie/a/b", 3).public(), Some(empty));
    assert_eq!(refused, Err(Refusal::NotGrown { old: 0, new: 0 }), "the same tree needs no proof");
}

#[test]
fn a_question_to_a_witness_may_be_as_long_as_the_limit_and_no_byte_longer() {
    let body = |bytes: usize| {
        let head = "old 1\n\n";
        AddCheckpoint::parse(format!("{head}{}", "x".repeat(bytes - head.len())).as_bytes())
    };
    assert_eq!(body(ADD_CHECKPOINT_BYTES_MAX).map(|read| read.old), Ok(1));
    assert_eq!(body(ADD_CHECKPOINT_BYTES_MAX + 1), Err(RequestError::TooLong));
}
