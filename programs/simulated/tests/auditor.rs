//! The auditor as the real program runs it: its verdict is on the health page and in `vigie status`, it holds nothing open that it
//! could write, and who kills it is told of it by nobody but the file's age.

mod support;

use serde_json::Value;
use std::{fs, path::Path};
use support::{Site, until};

const ID: &str = "retention-auditor";

fn of_auditor(findings: &Value) -> Option<Value> {
    findings.as_array()?.iter().find(|finding| finding["id"] == ID).cloned()
}

/// Files that a process holds open, and whether it may write to them.
fn open_files(process: u32) -> Vec<(String, bool)> {
    let folder = format!("/proc/{process}/fd");
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let flags = |number: &str| {
        let text = fs::read_to_string(format!("/proc/{process}/fdinfo/{number}")).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix("flags:"))?;
        u32::from_str_radix(line.trim(), 8).ok()
    };
    let of = |entry: fs::DirEntry| {
        let target = fs::read_link(entry.path()).ok()?.display().to_string();
        Some((target, flags(entry.file_name().to_str()?)? & 0b11 != 0))
    };
    entries.filter_map(of).collect()
}

#[test]
fn the_auditor_speaks_on_the_health_page_and_in_status_and_holds_no_key_and_nothing_to_write() {
    let mut site = Site::installed(0);
    site.site.init().unwrap();
    site.site.serve().unwrap();
    let verdict = site.site.folder.join("data/auditor/verdict.json");
    let read = || -> Option<Value> { serde_json::from_slice(&fs::read(&verdict).ok()?).ok() };
    let first = until("the auditor has written its verdict", read);
    assert_eq!(first["raised"], serde_json::json!([]));
    let status: Value = serde_json::from_str(&site.site.attempt(&["status", "--json"], None).unwrap().stdout).unwrap();
    let told = of_auditor(&status["findings"]).expect("told in status");
    assert_eq!(told["state"], "ok", "{told}");
    let process = site.site.process_of("auditor").expect("a process of its own");
    for _ in 0..200 {
        for (file, writes) in open_files(process) {
            let path = Path::new(&file);
            let foreign = ["keyring-1", "keyring-2", "passphrase"].map(|name| site.site.folder.join(name));
            assert!(!foreign.iter().any(|name| path.starts_with(name)), "{file} is open");
            let of_town =
                path.starts_with(&site.site.folder) && !path.starts_with(site.site.folder.join("data/auditor"));
            assert!(!(writes && of_town) || path == site.site.log(), "{file} is open for writing");
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    // killed, it is started again, and its word goes on
    assert!(site.site.kill("auditor").unwrap());
    let again =
        until("the auditor is started again", || site.site.process_of("auditor").filter(|again| *again != process));
    assert_ne!(again, process);
    site.site.stop().unwrap();
}
