//! `law/duties.toml` as it is read, and what is wrong with an entry of it.

use serde::Deserialize;
use std::path::{Path, PathBuf};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Book {
    pub duty: Vec<Duty>,
    pub reader: Vec<Reader>,
}

/// One numbered duty of the law and what holds it.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Duty {
    pub id: String,
    pub fr: String,
    pub en: String,
    pub source: String,
    /// F, F2, K, R or U.
    pub confidence: String,
    #[serde(default)]
    pub rules: Vec<String>,
    #[serde(default)]
    pub facts: Vec<String>,
    #[serde(default)]
    pub code: Vec<String>,
    /// A path, or `path::function`.
    #[serde(default)]
    pub tests: Vec<String>,
    pub held_by_fr: Option<String>,
    pub held_by_en: Option<String>,
    /// What brings the rest: `2` to `9`, or `later`.
    pub part: Option<String>,
}

/// One question that somebody outside asks.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reader {
    pub reader_fr: String,
    pub reader_en: String,
    pub fr: String,
    pub en: String,
    /// As typed: `vigie verify`.
    #[serde(default)]
    pub commands: Vec<String>,
    #[serde(default)]
    pub paths: Vec<String>,
    pub part: Option<String>,
}

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

pub fn book() -> Book {
    let text = std::fs::read_to_string(root().join("law/duties.toml")).expect("law/duties.toml is there");
    toml::from_str(&text).expect("law/duties.toml can be read")
}

/// Everything that is wrong with an entry by itself: nobody holds it, or what it names does not exist.
pub fn faults(duty: &Duty) -> Vec<String> {
    let mut faults = Vec::new();
    let mut fault = |what: &str| faults.push(format!("{}: {what}", duty.id));
    if [&duty.fr, &duty.en, &duty.source].iter().any(|text| text.trim().is_empty()) {
        fault("a sentence or its source is empty");
    }
    if !["F", "F2", "K", "R", "U"].contains(&duty.confidence.as_str()) {
        fault("its confidence is none of F, F2, K, R, U");
    }
    if duty.held_by_fr.is_some() != duty.held_by_en.is_some() {
        fault("who holds it is told in one language only");
    }
    let held = !duty.rules.is_empty() || !duty.code.is_empty();
    if !held && duty.held_by_fr.is_none() && duty.part.is_none() {
        fault("nobody holds it");
    }
    if held && duty.tests.is_empty() {
        fault("it claims rules or code and no test");
    }
    if !held && !duty.tests.is_empty() {
        fault("it names a test of nothing");
    }
    duty.part.iter().filter(|part| !is_part(part)).for_each(|_| fault("its part is none of 2 to 9 and later"));
    duty.code.iter().filter(|path| !exists(path)).for_each(|path| fault(&format!("`{path}` does not exist")));
    duty.tests.iter().filter(|test| !is_test(test)).for_each(|test| fault(&format!("`{test}` is no test")));
    faults
}

pub fn reader_faults(reader: &Reader) -> Vec<String> {
    let mut faults = Vec::new();
    let mut fault = |what: String| faults.push(format!("{}: {what}", reader.fr));
    if reader.commands.is_empty() && reader.paths.is_empty() && reader.part.is_none() {
        fault("it is answered nowhere".into());
    }
    reader.part.iter().filter(|part| !is_part(part)).for_each(|part| fault(format!("`{part}` is no part")));
    reader.paths.iter().filter(|path| !exists(path)).for_each(|path| fault(format!("`{path}` does not exist")));
    reader
        .commands
        .iter()
        .filter(|typed| !is_command(typed))
        .for_each(|typed| fault(format!("`{typed}` is no command")));
    faults
}

fn is_part(part: &str) -> bool {
    part == "later" || matches!(part, "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9")
}

fn exists(path: &str) -> bool {
    root().join(path).exists()
}

/// `vigie NAME [SUB]`: the file of the subcommand, and the variant that bears SUB's name.
fn is_command(typed: &str) -> bool {
    let mut words = typed.split(' ').skip(1);
    let Some(name) = words.next().filter(|_| typed.starts_with("vigie ")) else { return false };
    let file = root().join(format!("programs/vigie/src/cli/{name}.rs"));
    let Ok(source) = std::fs::read_to_string(file) else { return false };
    words.next().is_none_or(|sub| {
        let variant = format!("{}{}", sub[..1].to_uppercase(), &sub[1..]);
        source.lines().any(|line| {
            line.trim_start().strip_prefix(&variant).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
        })
    })
}

/// A file that exists and, where a function is named, holds it below a test attribute.
fn is_test(named: &str) -> bool {
    let (path, function) = named.split_once("::").map_or((named, None), |(path, function)| (path, Some(function)));
    let Ok(source) = std::fs::read_to_string(root().join(path)) else { return false };
    let Some(function) = function else { return true };
    let lines: Vec<&str> = source.lines().map(str::trim_start).collect();
    let signature = format!("fn {function}(");
    let is_it = |line: &str| line.strip_prefix("async ").unwrap_or(line).starts_with(&signature);
    lines.iter().position(|line| is_it(line)).is_some_and(|at| {
        let above = lines[..at].iter().rev().take_while(|line| line.starts_with("#[") || line.starts_with("///"));
        above.into_iter().any(|line| line.starts_with("#[test") || line.contains("::test"))
    })
}
