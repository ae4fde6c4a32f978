//! A crate in several versions is built several times: each such case is known and has its reason.

use super::rules::Rules;
use super::{PAGE, Package};
use crate::tree::Finding;
use std::collections::{BTreeMap, BTreeSet};

/// Refuses duplicates that the rules do not know, versions they do not name, and entries that are no longer true.
pub fn check(rules: &Rules, packages: &[Package]) -> Vec<Finding> {
    let mut versions: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for package in packages {
        versions.entry(&package.name).or_default().insert(compatible(&package.version));
    }
    versions.retain(|_, found| found.len() > 1);
    let mut findings = vec![];
    for (name, found) in &versions {
        let known = rules.duplicates.iter().find(|duplicate| duplicate.package == *name);
        let expected: BTreeSet<String> = known.into_iter().flat_map(|known| known.versions.clone()).collect();
        if expected != *found {
            let list = found.iter().cloned().collect::<Vec<_>>().join(", ");
            let remedy = "make them one (`cargo tree -i` shows who asks), or enter them with the reason";
            findings.push(Finding::new(PAGE, 0, format!("`{name}` is locked in the versions {list}"), remedy));
        }
    }
    for stale in rules.duplicates.iter().filter(|known| !versions.contains_key(known.package.as_str())) {
        let what = format!("`{}` is in one version only, its entry is stale", stale.package);
        findings.push(Finding::new(PAGE, 0, what, "remove it"));
    }
    findings
}

/// As far as compatibility reaches (Cargo's rule): `1.2.3` → `1`, `0.21.7` → `0.21`, `0.0.3` → `0.0.3`.
fn compatible(version: &str) -> String {
    let numbers = version.split(['-', '+']).next().unwrap_or(version);
    let parts: Vec<&str> = numbers.split('.').collect();
    let kept = 1 + parts.iter().take_while(|part| **part == "0").count();
    parts[..kept.min(parts.len())].join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whats(rules: &str, packages: &[(&str, &str)]) -> Vec<String> {
        let package = |(name, version): &(&str, &str)| Package {
            name: (*name).to_owned(),
            version: (*version).to_owned(),
            licence: Some("MIT".to_owned()),
        };
        let packages: Vec<Package> = packages.iter().map(package).collect();
        check(&Rules::parse(rules).unwrap(), &packages).into_iter().map(|finding| finding.what).collect()
    }

    const KNOWN: &str = "[[duplicate]]\npackage = \"rand\"\nversions = [\"0.8\", \"0.10\"]\nreason = \"x\"\n";

    #[test]
    fn a_known_duplicate_passes_whatever_its_patch_level() {
        assert_eq!(whats(KNOWN, &[("rand", "0.8.8"), ("rand", "0.10.3"), ("b", "1.0.0")]), Vec::<String>::new());
    }

    #[test]
    fn an_unknown_one_a_third_version_and_a_stale_entry_are_refused() {
        assert_eq!(whats("", &[("rand", "0.8.8"), ("rand", "0.10.3")]), ["`rand` is locked in the versions 0.10, 0.8"]);
        let three = [("rand", "0.8.8"), ("rand", "0.9.1"), ("rand", "0.10.3")];
        assert_eq!(whats(KNOWN, &three), ["`rand` is locked in the versions 0.10, 0.8, 0.9"]);
        assert_eq!(whats(KNOWN, &[("rand", "0.8.8")]), ["`rand` is in one version only, its entry is stale"]);
    }

    #[test]
    fn compatibility_reaches_as_far_as_cargo_says() {
        for (version, kept) in
            [("1.2.3", "1"), ("0.21.7", "0.21"), ("0.0.3", "0.0.3"), ("2026.5.0", "2026"), ("1.0.0-rc.1", "1")]
        {
            assert_eq!(compatible(version), kept);
        }
    }
}
