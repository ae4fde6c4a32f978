//! All checks of layout, sizes, absences and documents, in one call.

pub mod absences;
pub mod alone;
pub mod documents;
pub mod layers;
pub mod purity;
pub mod purpose;
pub mod reasons;
pub mod sizes;

use crate::tree::{Finding, Tree};

/// Runs every check; the findings are sorted by file and line.
pub fn check(tree: &Tree) -> Vec<Finding> {
    let checks: [fn(&Tree) -> Vec<Finding>; 8] = [
        layers::check,
        purpose::check,
        sizes::check,
        absences::check,
        purity::check,
        documents::check,
        reasons::check,
        alone::check,
    ];
    let mut findings: Vec<Finding> = checks.iter().flat_map(|check| check(tree)).collect();
    findings.sort();
    findings.dedup();
    findings
}
