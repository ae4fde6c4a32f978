//! Every dependency has its reason beside it.

use crate::manifest;
use crate::tree::{Finding, Tree};
use toml::Table;

/// One comment speaks for so many lines below it at most; beyond that a new line hides behind an old reason.
const GROUP_LINES_MAX: usize = 4;

pub fn check(tree: &Tree) -> Vec<Finding> {
    let manifests = tree.files().filter(|(path, _)| path.rsplit('/').next() == Some("Cargo.toml"));
    manifests.flat_map(|(path, text)| unreasoned(path, text)).collect()
}

fn unreasoned(path: &str, text: &str) -> Vec<Finding> {
    let Ok(table) = text.parse::<Table>() else { return vec![] };
    let lines: Vec<&str> = text.lines().collect();
    let foreign = manifest::dependencies(text, &table).into_iter().filter(|used| !used.inherited && !used.has_path);
    let bare = foreign.filter(|used| !has_reason(&lines, used.line));
    bare.map(|used| {
        let what = format!("no reason stands above the dependency `{}`", used.name);
        Finding::new(path, used.line, what, "say in a comment line above it why it is needed and why this one")
    })
    .collect()
}

/// A comment line above, with at most the lines of one group between.
fn has_reason(lines: &[&str], line: usize) -> bool {
    let above = lines[..line.saturating_sub(1)].iter().rev().take(GROUP_LINES_MAX);
    let mut between = above.take_while(|text| !text.trim().is_empty() && !text.starts_with('['));
    between.any(|text| text.trim_start().starts_with('#'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whats(path: &str, text: &str) -> Vec<String> {
        check(&Tree::of(&[(path, text)])).into_iter().map(|finding| finding.what).collect()
    }

    #[test]
    fn a_reason_above_the_line_or_its_group_is_enough() {
        let text = "[workspace.dependencies]\n# our own\na = { path = \"a\" }\n# words\nb = \"1\"\nc = \"1\"\n";
        assert_eq!(whats("Cargo.toml", text), Vec::<String>::new());
        let inherited = "[package]\nname = \"x\"\n[dependencies]\nb.workspace = true\n";
        assert_eq!(whats("crates/x/Cargo.toml", inherited), Vec::<String>::new());
    }

    #[test]
    fn a_dependency_without_a_reason_is_refused_in_the_root_and_in_a_crate() {
        let root = "# reason of nothing\n[workspace.dependencies]\nb = \"1\"\n\n# words\nc = \"1\"\n\nd = \"1\"\n";
        let expected = ["no reason stands above the dependency `b`", "no reason stands above the dependency `d`"];
        assert_eq!(whats("Cargo.toml", root), expected);
        let own = "[package]\nname = \"x\"\n[dev-dependencies]\nb = \"1\"\n";
        assert_eq!(whats("crates/x/Cargo.toml", own), ["no reason stands above the dependency `b`"]);
    }

    #[test]
    fn a_fifth_line_under_one_reason_is_refused() {
        let text = "[workspace.dependencies]\n# words\na = \"1\"\nb = \"1\"\nc = \"1\"\nd = \"1\"\ne = \"1\"\n";
        assert_eq!(whats("Cargo.toml", text), ["no reason stands above the dependency `e`"]);
    }
}
