//! Logs, proofs and witnesses of other makers against this crate. They lie beside the repository; where they are absent the
//! tests say so and end.

use ledger::{
    CheckpointKey, Digest, Published, WitnessKey, WitnessPolicy, checkpoint, proof, published::read_tile,
    tile::PublicTile, verify_growth,
};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The key of the log of `tlog-tessera`, as its makers publish it.
const TESSERA: &str = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx";

fn vectors(folder: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/material/vectors").join(folder);
    if !path.exists() {
        eprintln!("skipped: `{}` is absent", path.display());
        return None;
    }
    Some(path)
}

fn hash(value: &Value) -> Option<Digest> {
    let text = value.as_str()?;
    // the form of a hash in a note: the tree head's third line
    let note = format!("x\n1\n{text}\n\n— x AAAAAAA=\n");
    Some(checkpoint::claimed(note.as_bytes())?.1.root)
}

fn hashes(value: &Value) -> Option<Vec<Digest>> {
    value.as_array().map_or(Some(Vec::new()), |all| all.iter().map(hash).collect())
}

fn each_case(folder: &Path, visit: &mut dyn FnMut(&str, &Value)) {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            each_case(&path, visit);
        } else {
            let case: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
            visit(&path.display().to_string(), &case);
        }
    }
}

#[test]
fn foreign_consistency_proofs_are_judged_as_their_makers_say() {
    let Some(folder) = vectors("merkle/testdata/consistency") else { return };
    let mut seen = 0;
    each_case(&folder, &mut |name, case| {
        let sizes = (case["size1"].as_u64().unwrap(), case["size2"].as_u64().unwrap());
        let parts = (hashes(&case["proof"]), hash(&case["root1"]), hash(&case["root2"]));
        let (Some(proof), Some(old), Some(new)) = parts else { return };
        if sizes.0 == 0 {
            return; // a witness never asks: what continues nothing needs no proof
        }
        let holds = verify_growth(&proof, (sizes.0, old), (sizes.1, new)).is_ok();
        assert_eq!(holds, !case["wantErr"].as_bool().unwrap(), "{name}");
        seen += 1;
    });
    assert!(seen > 60, "{seen} cases");
}

#[test]
fn foreign_inclusion_proofs_are_judged_as_their_makers_say() {
    let Some(folder) = vectors("merkle/testdata/inclusion") else { return };
    let mut seen = 0;
    each_case(&folder, &mut |name, case| {
        let place = (case["treeSize"].as_u64(), case["leafIdx"].as_u64());
        let parts = (hashes(&case["proof"]), hash(&case["root"]), hash(&case["leafHash"]));
        let ((Some(size), Some(seq)), (Some(path), Some(root), Some(leaf))) = (place, parts) else { return };
        let holds = proof::verify_leaf_hash(&path, size, root, seq, leaf).is_ok();
        assert_eq!(holds, !case["wantErr"].as_bool().unwrap(), "{name}");
        seen += 1;
    });
    assert!(seen > 60, "{seen} cases");
}

#[test]
fn a_foreign_witnesss_cosignatures_hold_and_under_its_own_key_only() {
    let Some(folder) = vectors("tlog-sunlight/cmd/skylight/testdata") else { return };
    let key_of = |file: &str| {
        let about: Value = serde_json::from_slice(&fs::read(folder.join(file)).unwrap()).unwrap();
        WitnessKey::parse(about["verifier_keys"][0].as_str().unwrap()).unwrap()
    };
    let rome = "000de184301123b9278c086a7d9f68c9577e83872224c197058fd90784ea9706";
    let milan = "88ad7a28caeb0b2aa890fdf0304c2fcaf59fca2ee140134ff8c1300bac493482";
    let notes = [
        ("witness/witness.v0.json", format!("witness/{rome}/checkpoint")),
        ("witness/mirror/mirror.v0.json", format!("witness/mirror/{rome}/checkpoint")),
        ("witness2/witness.v0.json", format!("witness2/{milan}/checkpoint")),
    ]
    .map(|(about, note)| (key_of(about), fs::read(folder.join(note)).unwrap()));
    for (nth, (key, _)) in notes.iter().enumerate() {
        for (other, (_, note)) in notes.iter().enumerate() {
            let found = key.verify(note);
            assert_eq!(found.is_some(), nth == other, "{} on note {other}", key.name());
            assert!(found.is_none_or(|found| found.at_seconds == 1_767_139_200), "{found:?}");
        }
    }
    let policy = format!("witness rome {}\nquorum rome\n", notes[0].0.verifier_key());
    let policy = WitnessPolicy::parse(policy.as_bytes()).unwrap();
    assert!(policy.judge(&notes[0].1).is_met && !policy.judge(&notes[1].1).is_met);
}

#[test]
fn proofs_are_computed_from_a_foreign_logs_tiles() {
    let Some(folder) = vectors("tlog-sunlight/cmd/skylight/testdata/witness/mirror") else { return };
    let folder = folder.join("000de184301123b9278c086a7d9f68c9577e83872224c197058fd90784ea9706");
    let (_, head) = checkpoint::claimed(&fs::read(folder.join("checkpoint")).unwrap()).unwrap();
    let files = |tile: PublicTile| Ok(fs::read(folder.join(tile.path())).ok());
    let published = Published::new(head, &files);
    assert_eq!(published.root_at(head.size).unwrap(), head.root);
    for old in [1, 100, 255, 256, 257, 299] {
        let root = published.root_at(old).unwrap();
        verify_growth(&published.prove_growth(old).unwrap(), (old, root), (head.size, head.root)).unwrap();
    }
}

#[test]
fn a_foreign_log_is_consistent_from_each_of_its_checkpoints_to_each_later_one() {
    let Some(folder) = vectors("tlog-tessera/testdata/log") else { return };
    let key = CheckpointKey::parse(TESSERA).unwrap();
    let at = |size: u64| key.verify(&fs::read(folder.join(format!("checkpoint.{size}"))).unwrap()).unwrap();
    let files = |tile: PublicTile| Ok(fs::read(folder.join(tile.path())).ok());
    for new in 1..=15 {
        let published = Published::new(at(new), &files);
        let bundle = read_tile(&files, PublicTile { level: None, n: 0, width: new as u32 }).unwrap();
        assert!(!bundle.is_empty());
        for old in 1..=new {
            let proof = published.prove_growth(old).unwrap();
            verify_growth(&proof, (old, at(old).root), (new, at(new).root)).unwrap();
            assert_eq!(published.root_at(old).unwrap(), at(old).root, "{old} of {new}");
        }
    }
}
