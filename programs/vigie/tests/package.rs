//! The Debian package by its manifest and its unit: what it holds, what it does not, and what systemd itself says of the unit.

use std::{fs, path::Path, process::Command};

/// Exposure by `systemd-analyze security`, in tenths: 0 is nothing, 100 everything. Below 25 systemd calls a unit well held.
const EXPOSURE_TENTHS_MAX: u32 = 20;

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn assets() -> Vec<(String, String)> {
    let manifest: toml::Table = fs::read_to_string(here().join("Cargo.toml")).unwrap().parse().unwrap();
    let deb = &manifest["package"]["metadata"]["deb"];
    let text = |value: &toml::Value| value.as_str().unwrap().to_owned();
    deb["assets"].as_array().unwrap().iter().map(|asset| (text(&asset[0]), text(&asset[1]))).collect()
}

#[test]
fn the_package_holds_the_program_what_prints_its_papers_its_unit_and_no_simulator_analysis_or_model() {
    let assets = assets();
    let programs: Vec<&str> =
        assets.iter().filter(|(from, _)| from.starts_with("target/")).map(|(from, _)| from.as_str()).collect();
    let ours = ["target/release/vigie", "target/release/vigie-papers"];
    assert_eq!(programs, ours, "the town's program, what prints its papers beside it, and no other");
    for (from, to) in &assets {
        let folder = ["usr/bin/", "lib/systemd/system/", "usr/lib/sysusers.d/", "usr/share/doc/vigie/"];
        assert!(folder.iter().any(|folder| to.starts_with(folder)), "{to} is no place for a file of this package");
        for word in
            ["simulat", "captive", "witness", "analy", "examin", "observator", "model/", ".onnx", "bench", "fuzz"]
        {
            assert!(!from.contains(word), "{from} is not for a town");
        }
        if !from.starts_with("target/") && !from.contains('*') {
            assert!(here().join(from).is_file(), "{from} does not exist");
        }
    }
}

/// It stands on a FFmpeg that was built under the GPL: who takes the town's package takes none of it.
#[test]
fn what_makes_viewing_copies_is_a_package_of_its_own_which_the_towns_recommends() {
    let of = |folder: &str| -> toml::Table {
        let manifest = fs::read_to_string(here().join(folder).join("Cargo.toml")).unwrap();
        manifest.parse::<toml::Table>().unwrap()["package"]["metadata"]["deb"].as_table().unwrap().clone()
    };
    let picture = of("../vigie-picture");
    let programs = picture["assets"].as_array().unwrap();
    assert_eq!(programs.len(), 1, "one program and nothing else");
    assert_eq!(programs[0][0].as_str(), Some("target/release/vigie-picture"));
    assert_eq!(picture["depends"].as_str(), Some("$auto"), "its FFmpeg, as it was linked");
    assert!(picture["extended-description"].as_str().unwrap().contains("GPL"));
    let town = of(".");
    assert_eq!(town["recommends"].as_str(), Some("vigie-picture"));
    assert!(!town["depends"].as_str().unwrap().contains("libav"));
}

fn unit() -> String {
    fs::read_to_string(here().join("debian/vigie.service")).unwrap()
}

#[test]
fn the_unit_holds_what_keys_and_clocks_need() {
    let unit = unit();
    let has = |line: &str| unit.lines().any(|one| one == line);
    for line in ["LimitCORE=0", "LimitMEMLOCK=infinity", "MemorySwapMax=0", "User=vigie", "IPAddressDeny=any"] {
        assert!(has(line), "{line}");
    }
    assert!(has("LoadCredentialEncrypted=vigie-passphrase"), "the name that the keeper looks for (P9)");
    assert!(!unit.lines().any(|line| line.starts_with("ProtectClock=")), "adjtimex is read (K9)");
    for call in ["adjtimex", "seccomp", "landlock_restrict_self", "capset"] {
        let allowed = unit.lines().filter(|line| line.starts_with("SystemCallFilter=") && !line.contains('~'));
        assert!(allowed.flat_map(|line| line.split(['=', ' '])).any(|one| one == call), "{call}");
    }
}

/// systemd's own word, where this machine has it.
#[test]
fn systemd_finds_no_fault_in_the_unit_and_little_that_it_leaves_open() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vigie.service");
    // the program is not installed where this is tested, and the page neither
    let unit = unit().replace("/usr/bin/vigie serve", "/bin/true");
    fs::write(&path, unit.replace("Documentation=file:/usr/share/doc/vigie/package.md\n", "")).unwrap();
    let analyse = |arguments: &[&str]| Command::new("systemd-analyze").args(arguments).arg(&path).output();
    let Ok(verified) = analyse(&["verify", "--man=no"]) else {
        println!("not shown here: no systemd-analyze on this machine");
        return;
    };
    let said = String::from_utf8_lossy(&verified.stderr).into_owned();
    let of_ours: Vec<&str> = said.lines().filter(|line| line.contains("vigie")).collect();
    assert!(of_ours.is_empty(), "{of_ours:#?}");
    let threshold = format!("--threshold={EXPOSURE_TENTHS_MAX}");
    let security = analyse(&["security", "--offline=true", "--no-pager", &threshold]).unwrap();
    let said = String::from_utf8_lossy(&security.stdout).into_owned();
    let exposure = said.lines().rfind(|line| line.contains("exposure level")).unwrap_or_default().to_owned();
    println!("{exposure}");
    assert!(security.status.success(), "{exposure}\n{said}");
}
