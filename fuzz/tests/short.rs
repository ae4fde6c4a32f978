//! The short form of fuzzing: every target over its seeds, its kept corpus, and seeded mutations of both.
//!
//! `VIGIE_SEED` repeats an earlier run; without it, mutations are the same each time.

use fuzz::{TARGETS, Target};
use keeper::fuzzing::{journal as groups, keyring as files};
use simulator::random::Dice;
use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
};

const SEED: u64 = 1_789;
const BYTES_MAX: usize = 64 * 1024;

#[test]
fn no_parser_panics_on_seeds_kept_inputs_or_mutations_of_them() {
    let seed = std::env::var("VIGIE_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(SEED);
    let mut broken = Vec::new();
    for target in TARGETS {
        let inputs = inputs(target);
        assert!(!inputs.is_empty(), "`{}` has no seed", target.name);
        let mut dice = Dice::new(seed, target.name.len() as u64);
        let mutated = (0..target.cases).map(|_| mutate(&inputs, &mut dice)).collect::<Vec<_>>();
        let failed =
            inputs.iter().chain(&mutated).find(|bytes| catch_unwind(AssertUnwindSafe(|| (target.run)(bytes))).is_err());
        if let Some(bytes) = failed {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            broken.push(format!("{} (VIGIE_SEED={seed}): {hex}", target.name));
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn a_right_input_is_read_by_the_target_that_made_it() {
    // a target whose seeds are all refused tests nothing: read back what can be read back by hand
    let seeds = |name: &str| (TARGETS.iter().find(|target| target.name == name).unwrap().seeds)();
    assert!(seal::Extent::from_bytes(&seeds("extent")[0]).is_ok());
    assert!(vault::store::Location::from_bytes(&seeds("location")[0]).is_some());
    assert!(media::h264::parameter_sets_from_avcc(&seeds("h264_parameters")[0]).is_ok());
    assert!(picture::Job::from_json(&seeds("picture_job")[0]).unwrap().sets().is_ok());
    assert!(media::mp4::Movie::from_moov(&seeds("movie_tables")[0]).is_ok());
    assert!(evidence::Manifest::from_bytes(&seeds("evidence_manifest")[0]).is_ok());
    assert!(serde_json::from_slice::<evidence::ReelProof>(&seeds("evidence_proof")[0]).is_ok());
    assert!(serde_json::from_slice::<evidence::LogProof>(&seeds("evidence_register")[0]).is_ok());
    let archive = std::io::Cursor::new(seeds("evidence_archive").remove(0));
    assert!(vigie_verify::Archive::open(archive, "x").is_ok());
    assert!(fuzz::timestamps::samples_are_believed());
    assert!(ledger::Entry::from_details(&seeds("ledger_details")[0]).is_ok());
    assert!(ledger::AddCheckpoint::parse(&seeds("add_checkpoint")[0]).is_ok());
    assert!(ledger::WitnessPolicy::parse(&seeds("witness_policy")[0]).is_ok());
    assert!(ledger::checkpoint::claimed(&seeds("cosignature")[0]).is_some());
    assert!(files::root_reads(&seeds("keyring_root")[0]));
    assert!(domain::LinkTry::from_form(&seeds("link_form")[1]).is_some());
    assert!(fuzz::law::seeds_are_read());
    assert!(fuzz::acts::configurations_are_read());
    assert!(groups::group_reads(&seeds("journal_group")[0]));
}

/// Its seeds and what is kept of earlier fuzzing.
fn inputs(target: &Target) -> Vec<Vec<u8>> {
    let mut inputs = (target.seeds)();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target.name);
    let mut kept: Vec<_> = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()).collect();
    kept.sort();
    inputs.extend(kept.iter().map(|path| fs::read(path).unwrap()));
    inputs
}

/// One to six changes: a bit, a byte, a run of bytes out, in, doubled or of another input, an integer at its edge.
fn mutate(inputs: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = inputs[dice.below(inputs.len())].clone();
    for _ in 0..=dice.below(6) {
        let at = dice.below(bytes.len() + 1);
        let run = dice.below(16).min(bytes.len() - at);
        match dice.below(8) {
            0 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
            1 if at < bytes.len() => bytes[at] = dice.throw() as u8,
            2 => drop(bytes.drain(at..at + run)),
            3 => drop(bytes.splice(at..at, (0..run).map(|_| dice.throw() as u8).collect::<Vec<_>>())),
            4 => bytes.extend_from_within(at..at + run),
            5 => bytes.truncate(at),
            6 => {
                let other = &inputs[dice.below(inputs.len())];
                let from = dice.below(other.len() + 1);
                bytes.splice(at.., other[from..].iter().copied());
            }
            _ => {
                let edge = [u64::MAX, 0, 1 << 63, 1 << 31, 0xFFFF_FFFF][dice.below(5)].to_le_bytes();
                let width = [1, 2, 4, 8][dice.below(4)].min(bytes.len() - at);
                bytes[at..at + width].copy_from_slice(&edge[..width]);
            }
        }
    }
    bytes.truncate(BYTES_MAX);
    bytes
}
