//! Plain `cargo test` holds the repository to its own rules: both commands on the real tree.

use std::path::{Path, PathBuf};
use xtask::{Finding, Tree, deny, tidy};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn assert_none(findings: &[Finding]) {
    let list: Vec<String> = findings.iter().map(Finding::to_string).collect();
    assert!(list.is_empty(), "{} finding(s):\n{}", list.len(), list.join("\n"));
}

#[test]
fn the_repository_is_tidy() {
    let tree = Tree::read(&root()).unwrap();
    // a wrong root would be tidy too
    assert!(tree.exists("crates/domain/src/lib.rs"));
    assert_none(&tidy::check(&tree));
}

#[test]
fn the_dependencies_are_allowed() {
    assert_none(&deny::check_root(&root()).unwrap());
}
