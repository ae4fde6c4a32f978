//! Bugs planted in a copy of the tree, one at a time: the simulation must find each, and says by which seed and step.

use serde_json::Value;
use std::{
    fs, io,
    path::{Path, PathBuf},
    process::Command,
};

/// Where they are written down.
pub const FILE: &str = "simulation/mutants.toml";

/// One planted bug: `find` stands once in `file` and is replaced.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mutant {
    pub name: String,
    pub bug: String,
    pub file: String,
    find: String,
    replace: String,
}

/// What became of one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Found {
    /// By which seed, after which step, and what was said.
    By { seed: u64, step: u64, said: String },
    /// It lived.
    Not,
    /// It does not build: the planted text is out of date.
    NotBuilt(String),
}

/// Reads the list. An error says which entry is wrong.
pub fn read(text: &str) -> Result<Vec<Mutant>, String> {
    let value: Value = toml::from_str(text).map_err(|error| error.to_string())?;
    let entries = value["mutant"].as_array().ok_or("there is no [[mutant]]")?;
    entries.iter().map(mutant).collect()
}

fn mutant(entry: &Value) -> Result<Mutant, String> {
    let text = |key: &str| {
        let found = entry[key].as_str().map(ToOwned::to_owned);
        found.ok_or_else(|| format!("{} has no `{key}`", entry["name"]))
    };
    let (name, bug, file) = (text("name")?, text("bug")?, text("file")?);
    Ok(Mutant { name, bug, file, find: text("find")?, replace: text("replace")? })
}

impl Mutant {
    /// The file with the bug in it; an error where the text does not stand there exactly once.
    pub fn planted(&self, content: &str) -> Result<String, String> {
        match content.matches(&self.find).count() {
            1 => Ok(content.replacen(&self.find, &self.replace, 1)),
            count => Err(format!("{}: its text stands {count} times in {}, not once", self.name, self.file)),
        }
    }
}

/// How long lives are looked at for each.
#[derive(Clone, Copy, Debug)]
pub struct Effort {
    pub seeds: u64,
    pub steps: u64,
}

/// Plants each that `names` names (all, where it names none), builds and runs. A table in Markdown comes back, and how many
/// were not found.
pub fn run(root: &Path, target: &Path, effort: Effort, names: &[String]) -> io::Result<(String, usize)> {
    let mutants = read(&fs::read_to_string(root.join(FILE))?).map_err(io::Error::other)?;
    let tree = target.join("mutants/tree");
    let mut table = String::from("| planted bug | found by | seed | step |\n| --- | --- | --- | --- |\n");
    let mut missed = 0;
    for mutant in mutants.iter().filter(|mutant| names.is_empty() || names.contains(&mutant.name)) {
        copy_tree(root, &tree)?;
        let found = try_one(mutant, &tree, target, effort)?;
        missed += usize::from(!matches!(found, Found::By { .. }));
        let row = row(mutant, &found);
        eprint!("{row}");
        table.push_str(&row);
    }
    Ok((table, missed))
}

fn row(mutant: &Mutant, found: &Found) -> String {
    let rest = match found {
        Found::By { seed, step, said } => format!("{said} | {seed} | {step} |"),
        Found::Not => "**not found** | | |".to_owned(),
        Found::NotBuilt(why) => format!("**not built**: {why} | | |"),
    };
    format!("| `{}`: {} | {rest}\n", mutant.name, mutant.bug)
}

fn try_one(mutant: &Mutant, tree: &Path, target: &Path, effort: Effort) -> io::Result<Found> {
    let path = tree.join(&mutant.file);
    let planted = mutant.planted(&fs::read_to_string(&path)?).map_err(io::Error::other)?;
    fs::write(&path, planted)?;
    let built = Command::new("cargo")
        .args(["build", "--locked", "--quiet", "-p", "simulation", "--bin", "vigie-simulation"])
        .env("CARGO_TARGET_DIR", target.join("mutants/build"))
        .current_dir(tree)
        .output()?;
    if !built.status.success() {
        let said = String::from_utf8_lossy(&built.stderr);
        let why = said.lines().find(|line| line.starts_with("error")).unwrap_or("cargo failed").to_owned();
        return Ok(Found::NotBuilt(why));
    }
    let (seeds, steps) = (effort.seeds.to_string(), effort.steps.to_string());
    let ran = Command::new(target.join("mutants/build/debug/vigie-simulation"))
        .args(["--seeds", &seeds, "--steps", &steps])
        .output()?;
    let said = String::from_utf8_lossy(&ran.stderr);
    Ok(if ran.status.success() { Found::Not } else { found_in(&said) })
}

/// From the line `seed 3, step 17 (Work): R12 does not hold: …`.
fn found_in(said: &str) -> Found {
    let line = said.lines().find_map(|line| line.strip_prefix("seed "));
    let parts = line.and_then(|line| {
        let (seed, rest) = line.split_once(", step ")?;
        let (step, rest) = rest.split_once(' ')?;
        let (_, said) = rest.split_once("): ")?;
        let said = said.split(" does not hold").next()?.to_owned();
        Some(Found::By { seed: seed.parse().ok()?, step: step.parse().ok()?, said })
    });
    parts.unwrap_or_else(|| Found::NotBuilt(format!("it ended without a word: {}", said.lines().last().unwrap_or(""))))
}

/// What is tracked or new, written only where it differs: what did not change is not built again.
fn copy_tree(root: &Path, tree: &Path) -> io::Result<()> {
    let listed = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()?;
    for name in String::from_utf8_lossy(&listed.stdout).lines() {
        let (from, to): (PathBuf, PathBuf) = (root.join(name), tree.join(name));
        let Ok(bytes) = fs::read(&from) else { continue }; // removed and not yet said so
        if fs::read(&to).is_ok_and(|there| there == bytes) {
            continue;
        }
        if let Some(folder) = to.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&to, bytes)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_planted_bug_still_has_its_place() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mutants = read(&fs::read_to_string(root.join(FILE)).unwrap()).unwrap();
        assert!(mutants.len() >= 15);
        for mutant in &mutants {
            let content = fs::read_to_string(root.join(&mutant.file)).unwrap();
            assert_ne!(mutant.planted(&content).unwrap(), content, "{}", mutant.name);
        }
    }

    #[test]
    fn a_text_that_is_gone_or_stands_twice_is_no_place() {
        let text = "[[mutant]]\nname='a'\nbug='b'\nfile='c'\nfind='x'\nreplace='y'\n";
        let [mutant] = &read(text).unwrap()[..] else { panic!() };
        assert_eq!(mutant.planted("1 x 2").unwrap(), "1 y 2");
        assert!(mutant.planted("x x").is_err() && mutant.planted("").is_err());
        assert!(read("[[mutant]]\nname='a'\n").is_err());
    }

    #[test]
    fn what_the_simulation_says_is_read() {
        let said = "seed 3, step 17 (Work): R12 does not hold: nothing is told\nagain: …\n";
        assert_eq!(found_in(said), Found::By { seed: 3, step: 17, said: "R12".into() });
        assert!(matches!(found_in("killed"), Found::NotBuilt(_)));
    }
}
