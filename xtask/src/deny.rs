//! Licences and duplicates of all dependencies, from `cargo metadata`, against `deny.toml`.

pub mod duplicates;
pub mod licence;
pub mod rules;

use crate::tree::Finding;
use rules::Rules;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// Where the rules stand and where findings point.
pub const PAGE: &str = "deny.toml";
const NODE_LOCK: &str = "ui/package-lock.json";

/// One resolved package, Rust or Node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Package {
    pub name: String,
    pub version: String,
    /// SPDX expression; none where the package states none
    pub licence: Option<String>,
}

/// Reads `deny.toml`, asks cargo for the packages, reads the console's lock, and checks all.
///
/// # Errors
/// `deny.toml` or `Cargo.lock` cannot be read, or cargo fails (its own words are in the error).
pub fn check_root(root: &Path) -> std::io::Result<Vec<Finding>> {
    let rules = Rules::parse(&std::fs::read_to_string(root.join(PAGE))?).map_err(std::io::Error::other)?;
    let rust = packages_of_metadata(&metadata(root)?);
    let node = match std::fs::read_to_string(root.join(NODE_LOCK)) {
        Ok(text) => packages_of_node_lock(&serde_json::from_str(&text)?),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => vec![],
        Err(error) => return Err(error),
    };
    Ok(check(&rules, &rust, &node))
}

/// Licences of both kinds of packages; duplicates of the Rust ones (a second copy of a Node one is never shipped twice
/// unseen: the bundle is built from one entry).
pub fn check(rules: &Rules, rust: &[Package], node: &[Package]) -> Vec<Finding> {
    let all: BTreeSet<Package> = rust.iter().chain(node).cloned().collect();
    let mut findings = licence::check(rules, &all);
    findings.extend(duplicates::check(rules, rust));
    findings.sort();
    findings
}

fn metadata(root: &Path) -> std::io::Result<Value> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output =
        Command::new(cargo).args(["metadata", "--format-version", "1", "--locked"]).current_dir(root).output()?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(std::io::Error::other(format!("cargo metadata --locked failed: {words}")));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn packages_of_metadata(metadata: &Value) -> Vec<Package> {
    let packages = metadata["packages"].as_array().into_iter().flatten();
    packages.filter_map(|package| one(package["name"].as_str()?, package)).collect()
}

/// The packages of a `package-lock.json` of version 2 or 3, keyed by their folder.
fn packages_of_node_lock(lock: &Value) -> Vec<Package> {
    let packages = lock["packages"].as_object().into_iter().flatten().filter(|(folder, _)| !folder.is_empty());
    packages.filter_map(|(folder, package)| one(folder.rsplit("node_modules/").next()?, package)).collect()
}

fn one(name: &str, package: &Value) -> Option<Package> {
    let licence = package["license"].as_str().map(str::to_owned);
    Some(Package { name: name.to_owned(), version: package["version"].as_str()?.to_owned(), licence })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn packages_are_read_from_cargo_and_from_the_nodes_lock() {
        let cargo = json!({"packages": [{"name": "a", "version": "1.0.0", "license": "MIT"}, {"name": "b", "version": "2.0.0", "license": null}]});
        let node = json!({"packages": {"": {"name": "ui", "version": "0.1.0"}, "node_modules/@x/c": {"version": "3.0.0", "license": "ISC"}}});
        let names = |packages: Vec<Package>| -> Vec<(String, Option<String>)> {
            packages.into_iter().map(|package| (package.name, package.licence)).collect()
        };
        let expected = [("a".to_owned(), Some("MIT".to_owned())), ("b".to_owned(), None)];
        assert_eq!(names(packages_of_metadata(&cargo)), expected);
        assert_eq!(names(packages_of_node_lock(&node)), [("@x/c".to_owned(), Some("ISC".to_owned()))]);
    }
}
