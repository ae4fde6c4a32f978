//! The published vectors, held by programs that share no code with ours: Python on well-known libraries.

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};
use support::python;

const REMEDY: &str = "`make test` installs it, or scripts/setup.sh";

fn run(script: &Path) -> String {
    let ran = Command::new(python()).arg(script).output();
    let ran = ran.unwrap_or_else(|error| panic!("no Python at {}: {error}: {REMEDY}", python().display()));
    let complaint = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{}: {complaint} ({REMEDY})", script.display());
    String::from_utf8_lossy(&ran.stdout).into_owned()
}

fn vectors(of: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates").join(of).join("vectors")
}

#[test]
fn an_independent_reader_opens_the_keyrings_vectors_digests_included() {
    assert_eq!(run(&vectors("keyring").join("read.py")).trim(), "all vectors open");
}

#[test]
fn an_independent_program_computes_the_ledgers_vectors() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("make.py");
    fs::copy(vectors("ledger").join("make.py"), &script).unwrap();
    run(&script);
    let mut compared = 0;
    for entry in fs::read_dir(vectors("ledger")).unwrap().map(Result::unwrap) {
        if entry.path().extension().is_some_and(|extension| extension == "json") {
            let made = fs::read_to_string(folder.path().join(entry.file_name())).unwrap();
            assert_eq!(made, fs::read_to_string(entry.path()).unwrap(), "{:?}", entry.file_name());
            compared += 1;
        }
    }
    assert_eq!(compared, 6);
}
