//! The command line of the checks: `cargo xtask tidy`, `deny`, `mutants`, `corpus`; exits 1 when there is a finding.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use xtask::{
    Finding, Tree, deny,
    mutants::{self, Effort},
    tidy,
};

const USAGE: &str = "usage: cargo xtask tidy    layout, sizes, absences, documents\n       cargo xtask deny    licences and duplicates of dependencies\n       cargo xtask mutants TARGET SEEDS STEPS [NAME…]    plants bugs and lets the simulation find them\n       cargo xtask corpus NUMBER   records an installation of this version for the corpus";

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let command = std::env::args().nth(1).unwrap_or_default();
    let findings = match command.as_str() {
        "tidy" => Tree::read(&root).map(|tree| tidy::check(&tree)),
        "deny" => deny::check_root(&root),
        "mutants" => return planted(&root),
        "corpus" => return corpus(&root),
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

/// The folder of a version is made once and never changed (`corpus/README.md`).
fn corpus(root: &Path) -> ExitCode {
    let Some(number) = std::env::args().nth(2).and_then(|text| text.parse::<u32>().ok()) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let folder = root.join("corpus").join(number.to_string());
    if folder.exists() {
        eprintln!("corpus: `{}` is there, and is never changed: take the next number", folder.display());
        return ExitCode::FAILURE;
    }
    let test = ["test", "-p", "simulated", "--test", "corpus", "--", "--ignored", "--nocapture"];
    match Command::new("cargo").current_dir(root).args(test).env("VIGIE_CORPUS", &folder).status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("corpus: cargo cannot be started: {error}");
            ExitCode::from(2)
        }
    }
}

/// The table goes to standard output.
fn planted(root: &Path) -> ExitCode {
    let mut args = std::env::args().skip(2);
    let target = args.next().map(PathBuf::from);
    let mut number = || args.next().and_then(|text| text.parse().ok());
    let (Some(target), Some(seeds), Some(steps)) = (target, number(), number()) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match mutants::run(root, &target, Effort { seeds, steps }, &args.collect::<Vec<_>>()) {
        Ok((table, missed)) => {
            print!("{table}");
            if missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("mutants: {error}");
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
