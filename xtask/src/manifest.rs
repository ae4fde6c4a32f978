//! The manifests of the workspace: which crate stands where and what it depends on.

use crate::tree::{Finding, Tree};
use toml::{Table, Value};

/// One line of a dependency table.
#[derive(Clone, Debug)]
pub struct Dependency {
    pub name: String,
    pub line: usize,
    pub features: Vec<String>,
    /// declared in `[dev-dependencies]`: in tests only
    pub dev: bool,
    /// takes its version from the workspace
    pub inherited: bool,
    pub has_path: bool,
}

/// One crate of the workspace.
#[derive(Clone, Debug)]
pub struct Manifest {
    pub path: String,
    pub name: String,
    pub dependencies: Vec<Dependency>,
    pub default_features: Vec<String>,
}

impl Manifest {
    pub fn folder(&self) -> &str {
        self.path.trim_end_matches("Cargo.toml").trim_end_matches('/')
    }
}

/// All crates of the workspace, and a finding for each manifest that cannot be read.
/// A manifest with a `[workspace]` of its own is not of ours.
pub fn all(tree: &Tree) -> (Vec<Manifest>, Vec<Finding>) {
    let (mut manifests, mut findings) = (vec![], vec![]);
    for (path, text) in tree.files().filter(|(path, _)| path.ends_with("/Cargo.toml")) {
        match text.parse::<Table>() {
            Ok(table) if table.contains_key("workspace") => {}
            Ok(table) => manifests.extend(manifest(path, text, &table)),
            Err(error) => findings.push(Finding::new(path, 0, error.to_string(), "make it valid TOML")),
        }
    }
    (manifests, findings)
}

/// The dependency lines of one manifest text (also of the root's `[workspace.dependencies]`).
pub fn dependencies(text: &str, table: &Table) -> Vec<Dependency> {
    let mut all = vec![];
    for (key, dev) in [("dependencies", false), ("build-dependencies", false), ("dev-dependencies", true)] {
        let targets = table.get("target").and_then(Value::as_table).into_iter().flat_map(Table::values);
        let tables = targets.filter_map(Value::as_table).chain([table]).chain(workspace(table));
        for declared in tables.filter_map(|table| table.get(key)?.as_table()) {
            all.extend(declared.iter().map(|(name, value)| dependency(text, name, value, dev)));
        }
    }
    all
}

fn workspace(table: &Table) -> Option<&Table> {
    table.get("workspace")?.as_table()
}

fn manifest(path: &str, text: &str, table: &Table) -> Option<Manifest> {
    let name = table.get("package")?.get("name")?.as_str()?.to_owned();
    let defaults = table.get("features").and_then(|features| features.get("default"));
    Some(Manifest {
        path: path.to_owned(),
        name,
        dependencies: dependencies(text, table),
        default_features: defaults.map(strings).unwrap_or_default(),
    })
}

fn dependency(text: &str, name: &str, value: &Value, dev: bool) -> Dependency {
    let field = |key: &str| value.as_table().and_then(|table| table.get(key));
    Dependency {
        name: field("package").and_then(Value::as_str).unwrap_or(name).to_owned(),
        line: line_of(text, name),
        features: field("features").map(strings).unwrap_or_default(),
        dev,
        inherited: field("workspace").and_then(Value::as_bool) == Some(true),
        has_path: field("path").is_some(),
    }
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The first line that begins with the name as a key.
fn line_of(text: &str, name: &str) -> usize {
    let begins = |line: &str| {
        let rest = line.trim_start().trim_start_matches('"').strip_prefix(name);
        rest.is_some_and(|rest| rest.trim_start_matches('"').starts_with([' ', '=', '.']))
    };
    text.lines().position(begins).map_or(0, |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_of_every_table_are_seen_with_their_line_and_features() {
        let text = "[package]\nname = \"a\"\n[dependencies]\nb.workspace = true\nc = { version = \"1\", features = [\"x\"] }\n[dev-dependencies]\nd = \"1\"\n[target.'cfg(unix)'.dependencies]\ne = { path = \"../e\" }\n";
        let (manifests, findings) = all(&Tree::of(&[("crates/a/Cargo.toml", text)]));
        assert!(findings.is_empty());
        let seen: Vec<(&str, usize, bool)> =
            manifests[0].dependencies.iter().map(|d| (d.name.as_str(), d.line, d.dev)).collect();
        assert_eq!(seen, [("e", 9, false), ("b", 4, false), ("c", 5, false), ("d", 7, true)]);
        assert_eq!(manifests[0].dependencies[2].features, ["x"]);
    }

    #[test]
    fn a_broken_manifest_is_a_finding_and_a_foreign_workspace_is_left_alone() {
        let tree = Tree::of(&[
            ("crates/a/Cargo.toml", "[package"),
            ("fuzz/Cargo.toml", "[workspace]\n[package]\nname = \"f\"\n"),
        ]);
        let (manifests, findings) = all(&tree);
        assert!(manifests.is_empty());
        assert_eq!(findings.len(), 1);
    }
}
