//! What root at the town can do to the public log, and what a reader with the program, a key and an old checkpoint finds.

use domain::Secret32;
use ledger::{
    Checkpoint, CheckpointSigner, Digest, Tree, WitnessSigner, cosignature::with_lines, tile::public_tiles,
    tree::LeavesError,
};
use std::{
    fs,
    ops::Range,
    path::{Path, PathBuf},
    process::Command,
};

struct Town {
    folder: tempfile::TempDir,
}

fn signer() -> CheckpointSigner {
    CheckpointSigner::new("vigie/a/b", &Secret32::new([3; 32])).unwrap()
}

fn witness(n: u8) -> WitnessSigner {
    WitnessSigner::new(&format!("w{n}.example"), &Secret32::new([n; 32])).unwrap()
}

fn leaf(n: u64, other: bool) -> Digest {
    Digest([if other && n >= 500 { 200 } else { (n % 251) as u8 }; 32])
}

fn leaves(other: bool) -> impl Fn(Range<u64>) -> Result<Vec<Digest>, LeavesError> {
    move |range| Ok(range.map(|n| leaf(n, other)).collect())
}

impl Town {
    fn new() -> Town {
        Town { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes the public files of the log, as it was or rewritten from entry 500 on, signed and cosigned.
    fn publishes(&self, place: &str, size: u64, other: bool, cosigned_by: &[u8]) -> PathBuf {
        let (folder, mut tree) = (self.path(place), Tree::new());
        (0..size).for_each(|n| tree.push(&leaf(n, other)));
        for tile in public_tiles(0, size) {
            let path = folder.join(tile.path());
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, tile.content(&tree, &leaves(other)).unwrap()).unwrap();
        }
        let note = signer().sign(Checkpoint { size, root: tree.root() }).unwrap();
        let lines: Vec<_> = cosigned_by.iter().map(|n| witness(*n).cosign(&note, 1_800_000_000).unwrap()).collect();
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("checkpoint"), with_lines(&note, &lines)).unwrap();
        folder
    }
}

/// Exit code and what is said, in French unless asked otherwise.
fn verify_in(language: &str, place: &str, words: &[&str]) -> (i32, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_vigie-verify"))
        .env("VIGIE_LANG", language)
        .args(["log", place, "--key", &signer().public().verifier_key()])
        .args(words)
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(said).unwrap())
}

fn verify(folder: &Path, words: &[&str]) -> (i32, String) {
    verify_in("fr", folder.to_str().unwrap(), words)
}

#[track_caller]
fn found(folder: &Path, words: &[&str], code: i32, name: &str) {
    let (given, said) = verify(folder, words);
    assert_eq!(given, code, "{said}");
    assert!(said.contains(&format!("✗ [{name}]")), "{said}");
    let (_, english) = verify_in("en", folder.to_str().unwrap(), words);
    assert!(english.contains(&format!("✗ [{name}]")) && english != said, "{english}");
}

#[test]
fn a_log_that_only_grew_holds_and_the_reader_keeps_its_checkpoint() {
    let town = Town::new();
    let kept = town.path("kept");
    let kept = kept.to_str().unwrap();
    let folder = town.publishes("log", 600, false, &[]);
    let (code, said) = verify(&folder, &["--keep", kept]);
    assert!(code == 0 && said.contains("rien n'est dit du passé"), "{said}");
    for size in [600, 616, 1_030] {
        let folder = town.publishes("log", size, false, &[]);
        let (code, said) = verify(&folder, &["--since", kept, "--keep", kept]);
        assert!(code == 0 && said.contains("il n'a fait que grandir"), "{said}");
        assert_eq!(fs::read(kept).unwrap(), fs::read(folder.join("checkpoint")).unwrap());
    }
}

#[test]
fn entries_dropped_as_root_are_a_rollback_to_whoever_kept_a_checkpoint() {
    let town = Town::new();
    let kept = town.publishes("before", 600, false, &[]).join("checkpoint");
    let folder = town.publishes("log", 584, false, &[]);
    assert_eq!(verify(&folder, &[]).0, 0, "without one, an older log looks like a log");
    found(&folder, &["--since", kept.to_str().unwrap()], 11, "rollback");
}

#[test]
fn an_old_checkpoint_replayed_is_a_rollback() {
    let town = Town::new();
    let (old, kept) = (town.publishes("old", 584, false, &[]), town.publishes("kept", 600, false, &[]));
    let folder = town.publishes("log", 600, false, &[]);
    fs::copy(old.join("checkpoint"), folder.join("checkpoint")).unwrap();
    fs::create_dir_all(folder.join("tile/0/002.p")).unwrap();
    for partial in ["tile/0/002.p/72", "tile/entries/002.p/72"] {
        fs::copy(old.join(partial), folder.join(partial)).unwrap();
    }
    found(&folder, &["--since", kept.join("checkpoint").to_str().unwrap()], 11, "rollback");
}

#[test]
fn a_log_forked_for_one_reader_is_found_at_the_same_size_and_after_it_grew() {
    let town = Town::new();
    let kept = town.publishes("kept", 600, false, &[]).join("checkpoint");
    for size in [600, 700] {
        let folder = town.publishes(&format!("fork-{size}"), size, true, &[]);
        assert_eq!(verify(&folder, &[]).0, 0, "by itself it is a log like any other");
        found(&folder, &["--since", kept.to_str().unwrap()], 12, "fork");
    }
    let grown = town.publishes("grown", 700, false, &[]);
    let earlier = town.publishes("earlier", 400, true, &[]).join("checkpoint");
    let words = ["--since", kept.to_str().unwrap(), "--since", earlier.to_str().unwrap()];
    assert_eq!(verify(&grown, &words).0, 0, "the fork begins after 400");
}

#[test]
fn an_entry_rewritten_as_root_is_found_and_named() {
    let town = Town::new();
    let folder = town.publishes("log", 600, false, &[]);
    let bundle = folder.join("tile/entries/001");
    let mut content = fs::read(&bundle).unwrap();
    content[10 * 34 + 5] ^= 1;
    fs::write(&bundle, &content).unwrap();
    found(&folder, &[], 15, "rewriting");
    assert!(verify(&folder, &[]).1.contains("l'entrée 266"), "{}", verify(&folder, &[]).1);
    // whoever changes the hash with it changes the root
    let other = town.publishes("other", 600, true, &[]);
    let whole = town.publishes("log", 600, false, &[]);
    for file in ["tile/entries/001", "tile/entries/002.p/88", "tile/0/001", "tile/0/002.p/88", "tile/1/000.p/2"] {
        fs::copy(other.join(file), whole.join(file)).unwrap();
    }
    found(&whole, &[], 15, "rewriting");
}

#[test]
fn a_log_cut_short_and_a_file_that_is_missing_are_told_apart() {
    let town = Town::new();
    let folder = town.publishes("log", 600, false, &[]);
    fs::remove_file(folder.join("tile/entries/002.p/88")).unwrap();
    found(&folder, &[], 13, "truncation");
    town.publishes("log", 600, false, &[]);
    fs::remove_file(folder.join("tile/entries/001")).unwrap();
    found(&folder, &[], 14, "missing-tile");
    town.publishes("log", 600, false, &[]);
    fs::remove_file(folder.join("tile/1/000.p/2")).unwrap();
    found(&folder, &[], 14, "missing-tile");
    town.publishes("log", 600, false, &[]);
    let content = fs::read(folder.join("tile/entries/002.p/88")).unwrap();
    fs::write(folder.join("tile/entries/002.p/88"), &content[..34 * 80]).unwrap();
    found(&folder, &[], 13, "truncation");
    assert!(verify(&folder, &[]).1.contains("s'arrêtent à 592"));
}

#[test]
fn a_log_of_somebody_else_or_without_checkpoint_is_not_this_towns() {
    let town = Town::new();
    let folder = town.publishes("log", 32, false, &[]);
    let other = CheckpointSigner::new("vigie/a/b", &Secret32::new([9; 32])).unwrap();
    let mut tree = Tree::new();
    (0..32).for_each(|n| tree.push(&leaf(n, false)));
    fs::write(folder.join("checkpoint"), other.sign(Checkpoint { size: 32, root: tree.root() }).unwrap()).unwrap();
    found(&folder, &[], 10, "signature");
    fs::remove_file(folder.join("checkpoint")).unwrap();
    found(&folder, &[], 10, "signature");
}

#[test]
fn too_few_witnesses_are_named_and_enough_of_them_hold() {
    let town = Town::new();
    let policy = town.path("policy");
    let line = |n: u8| format!("witness asso{n} {}\n", witness(n).public().verifier_key());
    let log = signer().public().verifier_key();
    let text = format!("log {log}\n{}{}{}group g 2 asso1 asso2 asso3\nquorum g\n", line(1), line(2), line(3));
    fs::write(&policy, text).unwrap();
    let policy = policy.to_str().unwrap();
    let folder = town.publishes("log", 32, false, &[2]);
    found(&folder, &["--policy", policy], 16, "quorum");
    assert!(verify(&folder, &["--policy", policy]).1.contains("manquantes : asso1, asso3"));
    let folder = town.publishes("log", 32, false, &[2, 3]);
    let (code, said) = verify(&folder, &["--policy", policy]);
    assert!(code == 0 && said.contains("assez de témoins") && said.contains("attesté par asso3"), "{said}");
    // the policy names the log, too
    let alone = Command::new(env!("CARGO_BIN_EXE_vigie-verify"))
        .args(["log", folder.to_str().unwrap(), "--policy", policy])
        .output()
        .unwrap();
    assert!(alone.status.success());
}

#[test]
fn an_entry_that_the_reader_holds_is_there_or_it_is_told_what_is() {
    let town = Town::new();
    let folder = town.publishes("log", 600, false, &[]);
    for seq in [0, 255, 256, 599] {
        let commitment = leaf(seq, false).to_string();
        let (code, said) = verify(&folder, &["--leaf", &seq.to_string(), "--commitment", &commitment]);
        assert!(code == 0 && said.contains("l'entrée que vous tenez y est"), "{said}");
    }
    let other = leaf(1, false).to_string();
    found(&folder, &["--leaf", "0", "--commitment", &other], 17, "not-included");
    found(&folder, &["--leaf", "600", "--commitment", &other], 17, "not-included");
}

#[test]
fn a_checkpoint_that_claims_entries_beyond_all_measure_costs_nothing() {
    let town = Town::new();
    let folder = town.publishes("log", 32, false, &[]);
    for size in [1 << 39, u64::MAX] {
        let note = signer().sign(Checkpoint { size, root: Digest([1; 32]) }).unwrap();
        fs::write(folder.join("checkpoint"), note).unwrap();
        let (code, said) = verify(&folder, &[]);
        assert!(code == 13 || code == 1, "{code}: {said}");
    }
}

#[test]
fn what_cannot_be_asked_is_told_with_the_remedy_in_both_languages() {
    let town = Town::new();
    let folder = town.publishes("log", 32, false, &[]);
    let nothing = town.path("nothing");
    fs::write(&nothing, "nothing").unwrap();
    let since = ["--since", nothing.to_str().unwrap()];
    let (code, said) = verify(&folder, &since);
    assert!(code == 1 && said.contains("`--keep`") && said.contains("registre"), "{said}");
    let (_, said) = verify_in("en", folder.to_str().unwrap(), &since);
    assert!(said.contains("that `--keep` wrote"), "{said}");
    let output =
        Command::new(env!("CARGO_BIN_EXE_vigie-verify")).args(["log", folder.to_str().unwrap()]).output().unwrap();
    assert!(output.status.code() == Some(1) && String::from_utf8(output.stderr).unwrap().contains("--key"));
    let help = Command::new(env!("CARGO_BIN_EXE_vigie-verify")).args(["log", "--help"]).output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    assert!(help.contains("Ce qu'il ne voit pas") && help.contains("vigie verify"), "{help}");
}

#[test]
fn a_log_is_read_from_the_public_role_over_http_and_rewriting_is_found_there_too() {
    let town = Town::new();
    let folder = town.publishes("log", 600, false, &[]);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    runtime.spawn(public::serve(listener, folder.clone(), None, std::future::pending()));
    let (code, said) = verify_in("fr", &url, &[]);
    assert_eq!(code, 0, "{said}");
    let bundle = folder.join("tile/entries/000");
    let mut content = fs::read(&bundle).unwrap();
    content[40] ^= 1;
    fs::write(&bundle, &content).unwrap();
    assert_eq!(verify_in("fr", &url, &[]).0, 15);
    fs::remove_file(&bundle).unwrap();
    assert_eq!(verify_in("fr", &url, &[]).0, 14);
    drop(runtime);
    let (code, said) = verify_in("fr", &url, &[]);
    assert!(code == 1 && said.contains("rien ne peut être dit"), "{said}");
}
