//! A path that a document or a comment names exists; so does a test that the page on security claims.

use crate::tree::{Finding, Tree};
use std::collections::BTreeSet;

/// First folders of what looks like a path of this repository.
const ROOTS: &[&str] =
    &["crates", "programs", "simulator", "xtask", "ui", "docs", "scripts", "law", "bench", "fuzz", ".ci", ".cargo"];

/// Endings by which a word without backticks is taken for a path.
const ENDINGS: &[&str] =
    &[".rs", ".md", ".toml", ".ts", ".svelte", ".py", ".sh", ".json", ".sql", ".mjs", ".png", ".css"];

/// Folders that the build makes: a document may name them, a bare clone lacks them.
const MADE: &[&str] = &["ui/dist", "ui/node_modules"];

/// In their tables the last cell names tests in backticks; in the second, a row may say instead that something is not held, or
/// only documented.
const PAGE_OF_PROOFS: &str = "SECURITY.md";
const PAGE_OF_THREATS: &str = "docs/threat-model.md";
const HONEST: [&str; 2] = ["not held", "documented"];

/// The head of a column whose cells name tests in backticks, in a table of any document, or say why there is none.
const PLAYED_BY: &str = "played by";
const NOT_PLAYED: &str = "not yet";

pub fn check(tree: &Tree) -> Vec<Finding> {
    let tests = tests_of(tree);
    let mut findings = unproved(tree, &tests);
    findings.extend(unplayed(tree, &tests));
    for (path, text) in tree.files() {
        for (line, named) in paths_named(tree, path, text) {
            if !tree.exists(&named) && !MADE.iter().any(|made| named.starts_with(made)) {
                let what = format!("`{named}` does not exist");
                findings.push(Finding::new(path, line, what, "name what stands today, or remove the sentence"));
            }
        }
    }
    findings
}

fn tests_of(tree: &Tree) -> BTreeSet<String> {
    let mut tests = BTreeSet::new();
    for (path, source) in tree.rust() {
        let functions = source.functions().into_iter().filter(|function| tree.is_test_line(path, function.line));
        tests.extend(functions.map(|function| function.name));
    }
    tests
}

/// Scenarios that no test plays, though the table says so.
fn unplayed(tree: &Tree, tests: &BTreeSet<String>) -> Vec<Finding> {
    let mut findings = vec![];
    for (path, text) in tree.files().filter(|(path, _)| path.ends_with(".md")) {
        let mut column = None;
        for (line, row) in prose(text) {
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            if !row.starts_with('|') {
                column = None;
            } else if let Some(at) = cells.iter().position(|cell| *cell == PLAYED_BY) {
                column = Some(at);
            } else if let Some(cell) = column.and_then(|at| cells.get(at)).filter(|cell| !cell.starts_with("---")) {
                let names: Vec<&str> = cell.split('`').skip(1).step_by(2).collect();
                let gone = names.iter().filter(|name| !tests.contains(**name) && !cell.starts_with(NOT_PLAYED));
                findings.extend(gone.map(|name| {
                    Finding::new(
                        path,
                        line,
                        format!("no test is named `{name}`"),
                        "write the test, or say `not yet` and why",
                    )
                }));
                if names.is_empty() && !cell.starts_with(NOT_PLAYED) {
                    findings.push(Finding::new(
                        path,
                        line,
                        "a scenario without its test",
                        "name it, or say `not yet` and why",
                    ));
                }
            }
        }
    }
    findings
}

/// Rows of those pages that name no test, or one that does not exist.
fn unproved(tree: &Tree, tests: &BTreeSet<String>) -> Vec<Finding> {
    let of_page =
        |(page, honest): (&'static str, &[&str])| unproved_in(page, tree.text(page).unwrap_or_default(), honest, tests);
    [(PAGE_OF_PROOFS, &[][..]), (PAGE_OF_THREATS, &HONEST)].into_iter().flat_map(of_page).collect()
}

fn unproved_in(page: &'static str, text: &str, honest: &[&str], tests: &BTreeSet<String>) -> Vec<Finding> {
    let lines: Vec<&str> = text.lines().collect();
    let is_header = |at: usize| lines.get(at + 1).is_some_and(|next| next.starts_with("| ---"));
    let rows = lines
        .iter()
        .enumerate()
        .filter(|(at, line)| line.starts_with('|') && !line.starts_with("| ---") && !is_header(*at));
    let mut findings = vec![];
    for (at, line) in rows {
        let cell = line.trim_end().trim_end_matches('|').rsplit('|').next().unwrap_or_default();
        let names = cell.split('`').skip(1).step_by(2).filter(|name| !name.contains(['/', '.']));
        let (there, gone): (Vec<&str>, Vec<&str>) = names.partition(|name| tests.contains(*name));
        findings.extend(gone.iter().map(|name| {
            let what = format!("no test is named `{name}`");
            Finding::new(page, at + 1, what, "write the test, or remove the sentence")
        }));
        if there.is_empty() && gone.is_empty() && !honest.iter().any(|word| cell.contains(word)) {
            findings.push(Finding::new(page, at + 1, "a sentence without proof", "name its test, or remove it"));
        }
    }
    findings
}

/// (line, path) of everything in this file that looks like a path of the repository.
fn paths_named(tree: &Tree, path: &str, text: &str) -> Vec<(usize, String)> {
    let mut named = vec![];
    if path.ends_with(".md") {
        for (line, text) in prose(text) {
            named.extend(ticked(text).map(|word| (line, word)));
            named.extend(links(path, text).map(|word| (line, word)));
        }
    }
    for (line, comment) in comments(tree, path, text) {
        named.extend(ticked(&comment).map(|word| (line, word)));
        let bare = comment.split(|letter: char| !is_path_letter(letter)).map(|word| word.trim_end_matches('.'));
        let bare = bare.filter(|word| is_ours(word) && ENDINGS.iter().any(|end| word.ends_with(end)));
        named.extend(bare.map(|word| (line, word.to_owned())));
    }
    named.sort();
    named.dedup();
    named
}

/// The lines of a document outside its fenced blocks.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    text.lines().enumerate().filter_map(move |(at, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        (!fenced && !fence).then_some((at + 1, line))
    })
}

/// The comments of a source file; `#` and `//` at a line's start in files whose grammar we do not read.
fn comments(tree: &Tree, path: &str, text: &str) -> Vec<(usize, String)> {
    if let Some((_, source)) = tree.rust().find(|(name, _)| *name == path) {
        return source.comments.clone();
    }
    let mark = match path.rsplit(['.', '/']).next() {
        Some("ts" | "mjs" | "js" | "svelte") => "//",
        Some("sh" | "py" | "toml" | "Makefile" | "run") => "#",
        _ => return vec![],
    };
    let lines = text
        .lines()
        .enumerate()
        .filter_map(|(at, line)| Some((at + 1, line.trim_start().strip_prefix(mark)?.to_owned())));
    lines.collect()
}

/// What stands in backticks and looks like a path; a line number or a section after it is left out.
fn ticked(text: &str) -> impl Iterator<Item = String> {
    let words = text.split('`').skip(1).step_by(2);
    words.map(|word| word.split([':', '#']).next().unwrap_or_default()).filter(|word| is_ours(word)).map(str::to_owned)
}

/// Targets of `[text](target)` that are files, from the root of the repository.
fn links(path: &str, text: &str) -> impl Iterator<Item = String> {
    let folder: Vec<&str> = path.split('/').rev().skip(1).collect::<Vec<_>>().into_iter().rev().collect();
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split([')', '#', ' ']).next());
    let files =
        targets.filter(|target| !target.is_empty() && !target.contains(':')).map(str::to_owned).collect::<Vec<_>>();
    files.into_iter().map(move |target| {
        let mut parts = if target.starts_with('/') { vec![] } else { folder.clone() };
        for part in target.split('/').filter(|part| !part.is_empty() && *part != ".") {
            match part {
                ".." => drop(parts.pop()),
                _ => parts.push(part),
            }
        }
        parts.join("/")
    })
}

fn is_path_letter(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "_-./".contains(letter)
}

fn is_ours(word: &str) -> bool {
    let first = word.split('/').next().unwrap_or_default();
    let page = !word.contains('/') && word.ends_with(".md") && word.chars().any(char::is_uppercase);
    let inside = word.contains('/') && ROOTS.contains(&first);
    word.chars().all(is_path_letter) && (page || inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(files: &[(&str, &str)]) -> Vec<(usize, String)> {
        check(&Tree::of(files)).into_iter().map(|finding| (finding.line, finding.what)).collect()
    }

    fn gone(line: usize, path: &str) -> (usize, String) {
        (line, format!("`{path}` does not exist"))
    }

    #[test]
    fn paths_that_exist_pass() {
        let page = "See `docs/formats/reel.md`, `crates/seal/`, `crates/seal/src/lib.rs:12`, [law](formats/reel.md#x), `ui/dist/`,\n\
                    `crates/*`, `seal/chunk`, [web](https://example.org/docs/x.md), `README.md`.\n```\n`docs/none.md`\n```\n";
        let files = [
            ("docs/page.md", page),
            ("docs/formats/reel.md", ""),
            ("crates/seal/src/lib.rs", "//! x"),
            ("README.md", ""),
        ];
        assert_eq!(missing(&files), []);
    }

    #[test]
    fn a_vanished_path_in_a_document_is_refused() {
        let page = "# x\n`docs/gone.md` and `crates/seal/src/gone.rs:3`\n[law](formats/gone.md) `GONE.md`\n";
        let expected = [
            gone(2, "crates/seal/src/gone.rs"),
            gone(2, "docs/gone.md"),
            gone(3, "GONE.md"),
            gone(3, "docs/formats/gone.md"),
        ];
        let mut found = missing(&[("docs/page.md", page)]);
        found.sort();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_vanished_path_in_a_comment_is_refused_and_one_in_a_string_is_not() {
        let text = "//! As docs/gone.md says.\nfn a() { let b = \"docs/none.md\"; } // `crates/x/`\n";
        assert_eq!(missing(&[("crates/a/src/b.rs", text)]), [gone(1, "docs/gone.md"), gone(2, "crates/x/")]);
        assert_eq!(missing(&[("scripts/a.sh", "#!/bin/sh\n# see docs/gone.md\n")]), [gone(2, "docs/gone.md")]);
        assert_eq!(missing(&[("ui/src/a.ts", "// see docs/gone.md\n")]), [gone(1, "docs/gone.md")]);
    }

    #[test]
    fn a_security_sentence_without_a_test_that_exists_is_refused() {
        let code = ("crates/a/src/b.rs", "//! x\nfn ships() {}\n#[cfg(test)]\nmod tests { fn it_holds() {} }\n");
        let page =
            "| sentence | proved by |\n| --- | --- |\n| A. | `it_holds` |\n| B. | `ships` |\n| C. | our word |\n";
        let expected = [(4, "no test is named `ships`".to_owned()), (5, "a sentence without proof".to_owned())];
        assert_eq!(missing(&[code, ("SECURITY.md", page)]), expected);
    }

    #[test]
    fn a_scenario_whose_test_does_not_exist_is_refused_and_one_that_says_not_yet_is_not() {
        let code = ("crates/a/src/b.rs", "//! x\n#[cfg(test)]\nmod tests { fn it_holds() {} }\n");
        let page = "| scenario | played by | result |\n| --- | --- | --- |\n| A | `it_holds` | `words` |\n\
                    | B | `gone_test` | holds |\n| C | not yet: why | - |\n| D | somebody | holds |\n\n| other | `x` |\n";
        let expected = [(4, "no test is named `gone_test`".to_owned()), (6, "a scenario without its test".to_owned())];
        assert_eq!(missing(&[code, ("docs/page.md", page)]), expected);
    }

    #[test]
    fn a_threat_names_a_test_that_exists_or_says_that_it_is_not_held() {
        let code = ("crates/a/src/b.rs", "//! x\n#[cfg(test)]\nmod tests { fn it_holds() {} }\n");
        let page = "| who | held by |\n| --- | --- |\n| A | `it_holds` |\n| B | not held: root |\n| C | `gone` |\n| D | trust us |\n";
        let expected = [(5, "no test is named `gone`".to_owned()), (6, "a sentence without proof".to_owned())];
        assert_eq!(missing(&[code, ("docs/threat-model.md", page)]), expected);
    }
}
