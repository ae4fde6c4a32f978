//! The project speaks of itself alone: no folder of a builder's machine, no package registry's host.

use crate::tree::{Finding, Tree};

/// (what may not occur, whether tests that read samples may name it, the remedy); written so that this file may stand.
const WORDS: &[(&str, bool, &str)] = &[
    (concat!("/wo", "rk/"), false, "name a path of this repository, or take it from an argument"),
    (concat!("../sha", "red"), true, "say it here in our own words"),
    (concat!("registry.", "npmjs.org"), false, REGISTRY),
    (concat!("static.", "crates.io"), false, REGISTRY),
    (concat!("index.", "crates.io"), false, REGISTRY),
    (concat!("files.", "pythonhosted.org"), false, REGISTRY),
    (concat!("pypi", ".org"), false, REGISTRY),
];
const REGISTRY: &str = "leave the registry to the client's own configuration";

/// The one source that Cargo.lock names on every machine, whatever mirror stands behind it.
const SOURCE: &str = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";

pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = vec![];
    for (path, text) in tree.files() {
        for (at, line) in text.lines().enumerate() {
            let said = WORDS
                .iter()
                .filter(|(word, in_tests, _)| says(line, word) && !(*in_tests && tree.is_test_line(path, at + 1)));
            findings.extend(
                said.map(|(word, _, remedy)| Finding::new(path, at + 1, format!("`{word}` is named"), *remedy)),
            );
            findings.extend(lock_line(path, line).map(|(what, remedy)| Finding::new(path, at + 1, what, remedy)));
        }
    }
    findings
}

/// A word that begins with `/` is the beginning of a path, not its middle.
fn says(line: &str, word: &str) -> bool {
    let begins = |at: usize| {
        let before = line[..at].chars().next_back();
        !word.starts_with('/') || before.is_none_or(|letter| !letter.is_alphanumeric() && !"._-}".contains(letter))
    };
    line.match_indices(word).any(|(at, _)| begins(at))
}

fn lock_line(path: &str, line: &str) -> Option<(&'static str, &'static str)> {
    let line = line.trim();
    if path.ends_with("package-lock.json") && line.starts_with("\"resolved\"") && line.contains("://") {
        let remedy = "npm install with `omit-lockfile-registry-resolved=true`, which writes no host";
        return Some(("the lock names a registry's host", remedy));
    }
    if path.ends_with("Cargo.lock") && line.starts_with("source = ") && line != SOURCE {
        return Some(("the lock names another source than the public index", "depend on a published version"));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(path: &str, text: &str) -> Vec<usize> {
        check(&Tree::of(&[(path, text)])).into_iter().map(|finding| finding.line).collect()
    }

    #[test]
    fn a_folder_of_the_builders_machine_is_refused() {
        let text = format!("ok\nsee {0}x and docs{0}y\n", WORDS[0].0);
        assert_eq!(lines("docs/a.md", &text), [2]);
        let own = format!("docs{0}y, target{0}z", WORDS[0].0);
        assert_eq!(lines("docs/a.md", &own), Vec::<usize>::new());
    }

    #[test]
    fn only_tests_that_read_samples_may_look_outside() {
        let text = format!("//! x\nconst A: &str = \"{}/clip\";\n", WORDS[1].0);
        assert_eq!(lines("crates/a/src/b.rs", &text), [2]);
        assert_eq!(lines("crates/a/tests/b.rs", &text), Vec::<usize>::new());
    }

    #[test]
    fn a_registrys_host_is_refused_in_text_and_in_locks() {
        assert_eq!(lines("Makefile", &format!("npm --registry https://{}\n", WORDS[2].0)), [1]);
        let lock = "{\n \"resolved\": \"https://mirror.example/svelte.tgz\",\n \"integrity\": \"sha512-x\"\n}";
        assert_eq!(lines("ui/package-lock.json", lock), [2]);
        assert_eq!(lines("Cargo.lock", &format!("{SOURCE}\nsource = \"git+https://example.org/x\"\n")), [2]);
    }
}
