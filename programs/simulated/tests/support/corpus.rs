//! The corpus of old installations: one that stands still packed, and unpacked on another day, on another machine (decision 0061).

use super::{Site, now};
use domain::{Sensitive, UtcMicros};
use serde_json::{Value, json};
use simulator::{authenticator::Authenticator, persons::AccountHolder};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// What is an installation's own; the configuration is kept apart, without the machine's folders.
const KEPT: [&str; 5] = ["data", "keyring-1", "keyring-2", "store", "passphrase"];
const ARCHIVE: &str = "site.tar.gz";
const CONFIGURATION: &str = "vigie.toml";
const TOLD: &str = "corpus.json";
/// Stand in the kept configuration for what is the machine's.
const FOLDER: &str = "/SITE";
const PORT: &str = "127.0.0.1:0";

/// An installation of an earlier version, as it was left, and what was seen of it then.
pub struct Old {
    pub version: u32,
    pub site: Site,
    pub told: Value,
}

/// The folders of the corpus, the oldest first.
pub fn folders() -> Vec<(u32, PathBuf)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus");
    let entries = fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path());
    let number = |path: PathBuf| Some((path.file_name()?.to_str()?.parse().ok()?, path));
    let mut folders: Vec<(u32, PathBuf)> = entries.filter_map(number).collect();
    folders.sort();
    folders
}

/// Packs a site that stands still. `told` is what was seen of it; its persons and the program's time are added.
pub fn pack(site: &Site, mut told: Value, to: &Path) {
    fs::create_dir_all(to).unwrap();
    let persons = ["operateur", "admin"].map(|name| {
        let person = site.site.persons.get(name).expect("both were set up");
        (name.to_owned(), json!({"password": person.password.reveal(), "secret": person.authenticator.secret.reveal()}))
    });
    told["left_at"] = site.now().0.into();
    told["persons"] = Value::Object(persons.into_iter().collect());
    fs::write(to.join(TOLD), serde_json::to_string_pretty(&told).unwrap() + "\n").unwrap();
    let folder = site.site.folder.display().to_string();
    let text = fs::read_to_string(site.site.folder.join(CONFIGURATION)).unwrap();
    let text = text.replace(&folder, FOLDER).replace(&format!("127.0.0.1:{}", site.site.port), PORT);
    fs::write(to.join(CONFIGURATION), text).unwrap();
    let mut tar = Command::new("tar");
    // sockets and locks are of processes; owner and dates are nobody's
    tar.args([
        "--create",
        "--use-compress-program=gzip -9 -n",
        "--sort=name",
        "--owner=0",
        "--group=0",
        "--numeric-owner",
        "--mtime=@0",
    ]);
    tar.args(["--exclude=data/run", "--exclude=*.lock", "--exclude=data/lock", "--file"]).arg(to.join(ARCHIVE));
    let done = tar.arg("--directory").arg(&site.site.folder).args(KEPT).status().unwrap();
    assert!(done.success(), "tar packs");
}

/// Unpacks one into a folder that vanishes: the machine has another boot, its clock is a minute after the installation was left.
pub fn unpack(version: u32, from: &Path) -> Old {
    let mut site = Site::installed(0);
    let mut tar = Command::new("tar");
    tar.args(["--extract", "--gzip", "--file"]).arg(from.join(ARCHIVE));
    assert!(tar.arg("--directory").arg(&site.site.folder).status().unwrap().success(), "tar unpacks");
    let (folder, port) = (site.site.folder.display().to_string(), site.site.port);
    let text = fs::read_to_string(from.join(CONFIGURATION)).unwrap();
    let text = text.replace(FOLDER, &folder).replace(PORT, &format!("127.0.0.1:{port}"));
    fs::write(site.site.folder.join(CONFIGURATION), text).unwrap();
    let told: Value = serde_json::from_str(&fs::read_to_string(from.join(TOLD)).unwrap()).unwrap();
    for (name, person) in told["persons"].as_object().unwrap() {
        let password = Sensitive::new(person["password"].as_str().unwrap().to_owned());
        match name.as_str() {
            "operateur" => site.operator = password.clone(),
            _ => site.administrator = password.clone(),
        }
        let authenticator = Authenticator::read(person["secret"].as_str().unwrap()).unwrap();
        let holder = AccountHolder { password, authenticator, recovery: Vec::new(), cookie: None };
        site.site.persons.add(name, holder);
    }
    let old = Old { version, site, told };
    old.boots_at(60, 0);
    old
}

impl Old {
    /// The machine booted under a time server, `seconds` after the installation was left; this boot lasts `passed` seconds
    /// longer than it does.
    pub fn boots_at(&self, seconds: i64, passed: i64) {
        let left = UtcMicros(self.told["left_at"].as_i64().unwrap());
        let offset = left.plus_seconds(seconds + passed).since(now());
        // in the same file, as `simulator::clock` does: a confined program may read that one and no other of its name
        fs::write(&self.site.clock, format!("{offset} {} 1\n", passed * 1_000_000)).unwrap();
    }
}
