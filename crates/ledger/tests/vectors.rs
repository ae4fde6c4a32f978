//! The published vectors, computed by `vectors/make.py` without any code of ours, against this crate.

use domain::{Secret32, SiteId};
use ledger::{
    AddCheckpoint, Checkpoint, CheckpointKey, CheckpointSigner, Digest, Entry, LogId, SealedPlace, Tree, WitnessKey,
    WitnessSigner, commit, judge, open_details, origin, root_of, seal_details, verify_inclusion,
};
use serde_json::Value;

fn vectors(name: &str) -> Value {
    let path = format!("{}/vectors/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn hex(value: &Value) -> Vec<u8> {
    let digits = value.as_str().unwrap();
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

fn bytes<const N: usize>(value: &Value) -> [u8; N] {
    hex(value).try_into().unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

fn each(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

/// Commitment n of the tree's vectors: n, little endian, and zeros.
fn commitments(size: u64) -> Vec<Digest> {
    let commitment = |n: u64| {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&n.to_le_bytes());
        Digest(bytes)
    };
    (0..size).map(commitment).collect()
}

#[test]
fn commitments_are_those_published() {
    for vector in each(&vectors("commitment")) {
        let commitment = commit(&bytes(&vector["salt"]), text(&vector["details"]).as_bytes());
        assert_eq!(commitment, Digest(bytes(&vector["commitment"])));
    }
}

#[test]
fn sealed_details_are_those_published_and_open_to_entries() {
    for vector in each(&vectors("details")) {
        let (salt, details) = (bytes(&vector["salt"]), text(&vector["details"]).as_bytes());
        let key = Secret32::new(bytes(&vector["month_key"]));
        let commitment = commit(&salt, details);
        let place = SealedPlace { log: LogId(bytes(&vector["log"])), seq: number(&vector["seq"]), commitment };
        let sealed = hex(&vector["sealed"]);
        assert_eq!(seal_details(&key, place, &salt, details).unwrap(), sealed);
        assert_eq!(open_details(&key, place, &sealed).unwrap(), (salt, details.to_vec()));
        assert_eq!(Entry::from_details(details).unwrap().to_details().unwrap(), details);
    }
}

#[test]
fn leaf_hashes_roots_and_proofs_are_those_published() {
    let vectors = vectors("tree");
    for (commitment, leaf_hash) in commitments(3).iter().zip(each(&vectors["leaf_hashes"])) {
        assert_eq!(root_of([commitment]), Digest(bytes(leaf_hash)));
    }
    for vector in each(&vectors["roots"]) {
        assert_eq!(root_of(&commitments(number(&vector["size"]))), Digest(bytes(&vector["root"])));
    }
    for vector in each(&vectors["inclusion"]) {
        let (size, seq) = (number(&vector["size"]), number(&vector["seq"]));
        let all = commitments(size);
        let mut tree = Tree::new();
        all.iter().for_each(|commitment| tree.push(commitment));
        let proof: Vec<Digest> = each(&vector["proof"]).iter().map(|hash| Digest(bytes(hash))).collect();
        let read = |range: std::ops::Range<u64>| Ok(all[range.start as usize..range.end as usize].to_vec());
        assert_eq!(tree.prove_inclusion(size, seq, &read).unwrap(), proof);
        verify_inclusion(&proof, size, tree.root(), seq, &all[seq as usize]).unwrap();
    }
}

#[test]
fn the_checkpoint_is_the_one_published() {
    let vector = vectors("checkpoint");
    let origin = origin(SiteId(bytes(&vector["site"])), LogId(bytes(&vector["log"])));
    assert_eq!(origin, text(&vector["origin"]));
    let signer = CheckpointSigner::new(&origin, &Secret32::new(bytes(&vector["seed"]))).unwrap();
    let checkpoint = Checkpoint { size: number(&vector["size"]), root: Digest(bytes(&vector["root"])) };
    let note = signer.sign(checkpoint).unwrap();
    assert_eq!(String::from_utf8(note.clone()).unwrap(), text(&vector["note"]));
    assert_eq!(signer.public().verify(&note).unwrap(), checkpoint);
    assert_eq!(signer.public().verifier_key(), text(&vector["verifier_key"]));
    assert_eq!(*signer.public().public_key(), bytes(&vector["public_key"]));
}

#[test]
fn the_cosignature_and_the_questions_to_a_witness_are_those_published() {
    let vector = vectors("witness");
    let signer = WitnessSigner::new(text(&vector["name"]), &Secret32::new(bytes(&vector["seed"]))).unwrap();
    let note = text(&vector["note"]).as_bytes();
    assert_eq!(signer.public().verifier_key(), text(&vector["verifier_key"]));
    assert_eq!(signer.cosign(note, number(&vector["at_seconds"])).unwrap(), text(&vector["cosignature"]));
    let cosigned = [note, text(&vector["cosignature"]).as_bytes()].concat();
    let at_seconds = WitnessKey::parse(text(&vector["verifier_key"])).unwrap().verify(&cosigned).unwrap().at_seconds;
    assert_eq!(at_seconds, number(&vector["at_seconds"]) as i64);

    let log = CheckpointKey::parse(text(&vectors("checkpoint")["verifier_key"])).unwrap();
    for request in each(&vector["requests"]) {
        let read = AddCheckpoint::parse(text(&request["body"]).as_bytes()).unwrap();
        assert_eq!((read.old, read.note.as_slice()), (number(&request["old"]), note));
        assert_eq!(read.to_bytes(), text(&request["body"]).as_bytes());
        let last = Checkpoint { size: read.old, root: root_of(&commitments(read.old)) };
        assert_eq!(judge(&read, &log, Some(last)).unwrap().size, 600);
    }
}
