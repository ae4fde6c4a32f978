//! A program that refuses: what it says, how it ends, and that not a byte of the site changed.

use super::{Site, sleep};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

/// One command of a program on a site; its exit code and what it said. One that does not end is ended.
pub fn say(program: &Path, site: &Site, arguments: &[&str]) -> (Option<i32>, String) {
    let said = site.folder.path().join("said");
    let output = File::create(&said).unwrap();
    let mut command = Command::new(program);
    command.arg("--config").arg(site.site.folder.join("vigie.toml")).args(arguments);
    // variables of whoever tests are not the town's
    let inherited = std::env::vars_os().map(|(name, _)| name);
    inherited.filter(|name| name.to_string_lossy().starts_with("VIGIE_")).for_each(|name| {
        command.env_remove(name);
    });
    command.env("VIGIE_SIMULATED_CLOCK", &site.clock).env("VIGIE_LANG", "fr").stdin(Stdio::null());
    let mut child = command.stdout(output.try_clone().unwrap()).stderr(output).spawn().unwrap();
    let asked = Instant::now();
    let code = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status.code(),
            None if asked.elapsed() < Duration::from_secs(60) => sleep(0.1),
            None => {
                child.kill().unwrap();
                child.wait().unwrap();
                break None;
            }
        }
    };
    (code, fs::read_to_string(said).unwrap())
}

/// `serve` ends with these words, and every byte of the site is as it was.
pub fn assert_refused(program: &Path, site: &Site, words: &[&str]) {
    let before = bytes_of(&site.site.folder);
    for arguments in [&["config", "check"][..], &["serve"]] {
        let (code, said) = say(program, site, arguments);
        assert_eq!(code, Some(1), "{arguments:?}: {said}");
        let remedy = ["plus récent", "rien n'a été changé", "réinstallez"];
        words.iter().chain(&remedy).for_each(|word| assert!(said.contains(word), "{arguments:?}, {word}: {said}"));
    }
    let after = bytes_of(&site.site.folder);
    let names = |files: &BTreeMap<PathBuf, String>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&after), names(&before));
    let changed: Vec<_> = after.iter().filter(|(path, digest)| before[*path] != **digest).collect();
    assert!(changed.is_empty(), "changed: {changed:?}");
}

/// All files of a site but the log, locks, which hold nothing, and what SQLite keeps beside a database while somebody reads it.
fn bytes_of(folder: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let ends_with = |ending: &str| path.to_string_lossy().ends_with(ending);
        let is_empty = fs::metadata(&path).is_ok_and(|metadata| metadata.len() == 0);
        if path.is_dir() {
            found.extend(bytes_of(&path));
        } else if path.is_file() && !ends_with("-shm") && !ends_with(".log") && !is_empty {
            found.insert(path.clone(), sha256(&path));
        }
    }
    found
}

pub fn sha256(path: &Path) -> String {
    let output = Command::new("sha256sum").arg(path).output().unwrap();
    String::from_utf8(output.stdout).unwrap().split_whitespace().next().unwrap().to_owned()
}
