//! The repository as a value: every text file by its path, so that each check can be tested on a tree in memory.

use crate::rust::Source;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

/// Folders that are made, not written; `demo` and `.run` hold what a demo town recorded.
const MADE: &[&str] = &["target", "node_modules", "dist", "dist-lecteur", "demo", ".git", ".run"];

/// What a check found. `line` counts from 1; 0 means the whole file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    pub path: String,
    pub line: usize,
    pub what: String,
    pub remedy: String,
}

impl Finding {
    pub fn new(path: &str, line: usize, what: impl Into<String>, remedy: impl Into<String>) -> Finding {
        Finding { path: path.to_owned(), line, what: what.into(), remedy: remedy.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = self.line.max(1);
        write!(out, "{}:{line}: {}\n    remedy: {}", self.path, self.what, self.remedy)
    }
}

/// All files of the repository but those that are made. Paths are relative to its root, with `/`.
#[derive(Default)]
pub struct Tree {
    texts: BTreeMap<String, String>,
    /// every file (binary ones too) and every folder
    names: BTreeSet<String>,
    sources: BTreeMap<String, Source>,
    test_files: BTreeSet<String>,
}

impl Tree {
    /// Reads the repository at `root`.
    ///
    /// # Errors
    /// A folder or file that cannot be read.
    pub fn read(root: &Path) -> io::Result<Tree> {
        let mut tree = Tree::default();
        tree.read_folder(root, "")?;
        tree.understand();
        Ok(tree)
    }

    /// A tree in memory, for tests of checks.
    pub fn of(files: &[(&str, &str)]) -> Tree {
        let mut tree = Tree::default();
        for (path, text) in files {
            tree.add_name(path);
            tree.texts.insert((*path).to_owned(), (*text).to_owned());
        }
        tree.understand();
        tree
    }

    pub fn files(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    pub fn text(&self, path: &str) -> Option<&str> {
        self.texts.get(path).map(String::as_str)
    }

    /// The Rust files with their tokens.
    pub fn rust(&self) -> impl Iterator<Item = (&str, &Source)> {
        self.sources.iter().map(|(path, source)| (path.as_str(), source))
    }

    /// Is there a file or folder of that name?
    pub fn exists(&self, path: &str) -> bool {
        self.names.contains(path.trim_end_matches('/'))
    }

    /// Is the whole file test code: under `tests/` or `benches/`, or a module declared under `#[cfg(test)]`?
    pub fn is_test_file(&self, path: &str) -> bool {
        path.split('/').rev().skip(1).any(|folder| folder == "tests" || folder == "benches")
            || self.test_files.contains(path)
    }

    /// Is this line of a Rust file test code?
    pub fn is_test_line(&self, path: &str, line: usize) -> bool {
        self.is_test_file(path) || self.sources.get(path).is_some_and(|source| source.is_test_line(line))
    }

    fn read_folder(&mut self, folder: &Path, prefix: &str) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
            let kind = entry.file_type()?;
            if kind.is_dir() {
                if !MADE.contains(&name.as_str()) {
                    self.add_name(&path);
                    self.read_folder(&entry.path(), &path)?;
                }
            } else if kind.is_file() {
                self.add_name(&path);
                if let Ok(text) = String::from_utf8(fs::read(entry.path())?) {
                    self.texts.insert(path, text);
                }
            }
        }
        Ok(())
    }

    fn add_name(&mut self, path: &str) {
        for (at, _) in path.match_indices('/') {
            self.names.insert(path[..at].to_owned());
        }
        self.names.insert(path.to_owned());
    }

    /// Cuts the Rust files into tokens and finds the files that hang under `#[cfg(test)] mod name;`.
    fn understand(&mut self) {
        let rust_files = self.texts.iter().filter(|(path, _)| path.ends_with(".rs"));
        self.sources = rust_files.map(|(path, text)| (path.clone(), Source::read(text))).collect();
        for (path, source) in &self.sources {
            for module in source.test_modules_elsewhere() {
                let folder = module_folder(path);
                let (file, below) = (format!("{folder}/{module}.rs"), format!("{folder}/{module}/"));
                let hit = self.sources.keys().filter(|other| **other == file || other.starts_with(&below));
                self.test_files.extend(hit.cloned());
            }
        }
    }
}

/// The folder in which `mod name;` of this file looks for its module.
fn module_folder(path: &str) -> String {
    let (folder, name) = path.rsplit_once('/').unwrap_or((".", path));
    match name {
        "lib.rs" | "main.rs" | "mod.rs" => folder.to_owned(),
        _ => format!("{folder}/{}", name.trim_end_matches(".rs")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_declared_for_tests_is_test_code_with_all_below_it() {
        let tree = Tree::of(&[
            ("crates/a/src/lib.rs", "//! a\n#[cfg(test)]\nmod harness;\nmod real;\n"),
            ("crates/a/src/harness.rs", "//! h\n"),
            ("crates/a/src/harness/deep.rs", "//! d\n"),
            ("crates/a/src/real.rs", "//! r\n#[cfg(test)]\nmod proofs;\n"),
            ("crates/a/src/real/proofs.rs", "//! p\n"),
            ("crates/a/tests/whole.rs", "//! w\n"),
        ]);
        let tests: Vec<&str> = tree.rust().map(|(path, _)| path).filter(|path| tree.is_test_file(path)).collect();
        let expected = [
            "crates/a/src/harness.rs",
            "crates/a/src/harness/deep.rs",
            "crates/a/src/real/proofs.rs",
            "crates/a/tests/whole.rs",
        ];
        assert_eq!(tests, expected);
    }

    #[test]
    fn a_finding_prints_where_what_and_remedy() {
        let finding = Finding::new("a/b.rs", 3, "too long", "split it");
        assert_eq!(finding.to_string(), "a/b.rs:3: too long\n    remedy: split it");
    }
}
