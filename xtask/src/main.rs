//! The command line of the checks: `cargo xtask tidy`, `cargo xtask deny`; exits 1 when there is a finding.

use std::path::Path;
use std::process::ExitCode;
use xtask::{Finding, Tree, deny, tidy};

const USAGE: &str = "usage: cargo xtask tidy    layout, sizes, absences, documents\n       cargo xtask deny    licences and duplicates of dependencies";

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let command = std::env::args().nth(1).unwrap_or_default();
    let findings = match command.as_str() {
        "tidy" => Tree::read(&root).map(|tree| tidy::check(&tree)),
        "deny" => deny::check_root(&root),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match findings {
        Ok(findings) => report(&command, &findings),
        Err(error) => {
            eprintln!("{command}: {error}");
            ExitCode::from(2)
        }
    }
}

fn report(command: &str, findings: &[Finding]) -> ExitCode {
    for finding in findings {
        println!("{finding}");
    }
    if findings.is_empty() {
        println!("{command}: nothing to say");
        return ExitCode::SUCCESS;
    }
    println!("{command}: {} finding(s)", findings.len());
    ExitCode::FAILURE
}
