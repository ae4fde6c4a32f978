//! The pure crates (L1 and `domain`) reach no clock, disk, network, randomness, environment or thread.

use crate::manifest;
use crate::tree::{Finding, Tree};

const PURE: &[&str] = &["domain", "media", "seal", "ledger", "policy", "evidence"];

/// What their own code may not name. Tests may: they read samples and call other programs.
const NAMES: &[&str] = &[
    "std::fs",
    "std::net",
    "std::process",
    "std::env",
    "std::thread",
    "std::os",
    "Instant::now",
    "SystemTime::now",
    "RandomState::new",
    "SystemRandom",
    "aws_lc_rs::rand",
    "OsRng",
    "thread_rng",
    "async fn",
    "Timestamp::now",
    "Zoned::now",
];

/// Crates that bring such a thing with them.
const CRATES: &[&str] = &[
    "tokio",
    "async-std",
    "smol",
    "futures",
    "rand",
    "getrandom",
    "fastrand",
    "rustix",
    "libc",
    "nix",
    "socket2",
    "reqwest",
    "hyper",
    "sqlx",
    "axum",
    "tracing-subscriber",
];

pub fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = vec![];
    for name in PURE {
        let folder = format!("crates/{name}/");
        if !tree.exists(&folder) {
            continue;
        }
        let own = tree.rust().filter(|(path, _)| path.starts_with(&folder) && path.contains("/src/"));
        for (path, source) in own {
            let named = NAMES
                .iter()
                .flat_map(|pattern| source.occurrences(pattern).into_iter().map(move |line| (pattern, line)));
            for (pattern, line) in named.filter(|(_, line)| !tree.is_test_line(path, *line)) {
                let what = format!("`{pattern}` in the pure crate `{name}`");
                findings.push(Finding::new(
                    path,
                    line,
                    what,
                    "take it as an argument: domain::Clock, domain::Random, bytes",
                ));
            }
        }
        let lints = format!("{folder}clippy.toml");
        if !tree.exists(&lints) {
            findings.push(Finding::new(
                &lints,
                0,
                "the pure crate has no clippy.toml",
                "copy it from another pure crate",
            ));
        }
    }
    findings.extend(dependencies(tree));
    findings
}

fn dependencies(tree: &Tree) -> Vec<Finding> {
    let (manifests, _) = manifest::all(tree);
    let mut findings = vec![];
    for manifest in manifests.iter().filter(|manifest| PURE.contains(&manifest.name.as_str())) {
        for used in manifest.dependencies.iter().filter(|used| !used.dev && CRATES.contains(&used.name.as_str())) {
            let what = format!("the pure crate `{}` depends on `{}`", manifest.name, used.name);
            findings.push(Finding::new(
                &manifest.path,
                used.line,
                what,
                "move the effect to a crate of a higher layer",
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whats(files: &[(&str, &str)]) -> Vec<String> {
        check(&Tree::of(files)).into_iter().map(|finding| finding.what).collect()
    }

    const LINTS: (&str, &str) = ("crates/policy/clippy.toml", "");

    #[test]
    fn a_clock_in_a_pure_crate_is_refused_but_not_in_its_tests_nor_elsewhere() {
        let text = "//! x\nfn a() { SystemTime::now(); }\n#[cfg(test)]\nmod tests { fn b() { std::fs::read(p); } }\n";
        assert_eq!(whats(&[("crates/policy/src/a.rs", text), LINTS]), ["`SystemTime::now` in the pure crate `policy`"]);
        assert_eq!(whats(&[("crates/vault/src/a.rs", text)]), Vec::<String>::new());
    }

    #[test]
    fn a_runtime_among_its_dependencies_is_refused_but_not_for_tests() {
        let with = |table: &str| format!("[package]\nname = \"policy\"\n[{table}]\ntokio.workspace = true\n");
        let (used, dev) = (with("dependencies"), with("dev-dependencies"));
        assert_eq!(
            whats(&[("crates/policy/Cargo.toml", &used), LINTS]),
            ["the pure crate `policy` depends on `tokio`"]
        );
        assert_eq!(whats(&[("crates/policy/Cargo.toml", &dev), LINTS]), Vec::<String>::new());
    }

    #[test]
    fn a_pure_crate_without_its_lints_is_refused() {
        assert_eq!(whats(&[("crates/policy/src/a.rs", "//! x\n")]), ["the pure crate has no clippy.toml"]);
    }
}
