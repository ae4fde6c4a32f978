//! Every format of an installation met by a program that is older than it: `docs/formats/policy.md`, row by row, on real files.
//!
//! The installation is the newest of the corpus. In each case one number is raised by one, with the digest made right where there is one,
//! as a later program would leave it.

mod support;

use catalog::{Footage, Registry, StepToCome};
use seal::RecordHeader;
use std::{
    fs,
    path::{Path, PathBuf},
};
use support::{
    corpus::{Old, folders, unpack},
    refusal::assert_refused,
    store::site_id,
    until,
};

const PAGE: &str = include_str!("../../../docs/formats/policy.md");
const BREAKING: StepToCome = StepToCome { sql: "create table to_come (number bigint);", is_additive: false };
const ADDITIVE: StepToCome = StepToCome { is_additive: true, ..BREAKING };

/// What a program does that meets a later version.
enum Does {
    /// Refuses in these words; nothing changes.
    Refuses(&'static [&'static str]),
    /// Goes on as if nothing were.
    GoesOn,
    /// Goes on, and no slot that was in use changes.
    LeavesAlone,
    /// Goes on, and makes the thing anew, which then is of this program's version.
    MakesAnew(fn(&Path) -> bool),
}

/// A row of the page's first table, and how a later program would have left it.
struct Format {
    row: &'static str,
    raise: fn(&Path),
    does: Does,
}

fn formats() -> Vec<Format> {
    let refuses = Does::Refuses;
    vec![
        Format { row: "store, `marker.json`", raise: raise_store, does: refuses(&["store"]) },
        Format { row: "slot of the store", raise: raise_slot, does: Does::LeavesAlone },
        Format { row: "record of a reel", raise: raise_record, does: Does::LeavesAlone },
        Format { row: "keyring, `marker`", raise: raise_keyring_marker, does: refuses(&["keyring-1"]) },
        Format { row: "keyring, slot of the root record", raise: raise_root, does: refuses(&["keyring-2"]) },
        Format {
            row: "ledger, group of the journal and of its reserve",
            raise: raise_group,
            does: refuses(&["000001.jnl"]),
        },
        Format { row: "registry, `data/registry.db`", raise: raise_registry, does: refuses(&["registry.db"]) },
        Format { row: "registry, `data/registry.db`", raise: add_to_registry, does: Does::GoesOn },
        Format { row: "footage catalog", raise: raise_footage, does: Does::MakesAnew(is_footage_of_today) },
        Format { row: "`data/site.json`", raise: raise_identity, does: refuses(&["site.json"]) },
        Format {
            row: "auditor, `data/auditor/verdict.json`",
            raise: raise_verdict,
            does: Does::MakesAnew(is_verdict_of_today),
        },
    ]
}

#[test]
fn each_format_raised_by_one_is_refused_by_name_or_goes_on_as_the_page_says() {
    let (version, corpus) = folders().pop().expect("there is a corpus");
    let program = Path::new(env!("CARGO_BIN_EXE_vigie-simulated"));
    for format in formats() {
        println!("{}", format.row);
        assert!(PAGE.contains(&format!("| {} |", format.row)), "the page has the row `{}`", format.row);
        let mut old = unpack(version, &corpus);
        let folder = old.site.site.folder.clone();
        (format.raise)(&folder);
        match format.does {
            Does::Refuses(words) => assert_refused(program, &old.site, words),
            Does::GoesOn => serves(&mut old),
            Does::LeavesAlone => {
                let (path, before) = a_slot(&folder);
                serves(&mut old);
                until("its recorder began", || log_tells(&old, "the recorder begins a run"));
                old.site.site.stop().unwrap();
                assert!(fs::read(&path).unwrap() == before, "{}: {} was written to", format.row, path.display());
            }
            Does::MakesAnew(is_anew) => {
                assert!(!is_anew(&folder), "{}: it was raised", format.row);
                serves(&mut old);
                until(&format!("{} is made anew", format.row), || is_anew(&folder).then_some(()));
            }
        }
    }
}

/// It starts, and what somebody sees of it is there.
fn serves(old: &mut Old) {
    old.site.site.serve().unwrap();
    until("somebody can sign in", || old.site.health().map(drop));
}

fn log_tells(old: &Old, words: &str) -> Option<()> {
    fs::read_to_string(old.site.site.log()).ok()?.contains(words).then_some(())
}

fn change_json(path: PathBuf, member: &str) {
    let mut value: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
    let now = value[member].as_u64().unwrap_or(1);
    value[member] = (now + 1).into();
    fs::write(path, serde_json::to_vec(&value).unwrap()).unwrap();
}

fn raise_store(site: &Path) {
    change_json(site.join("store/marker.json"), "format");
}

fn raise_keyring_marker(site: &Path) {
    change_json(site.join("keyring-1/marker"), "version");
}

fn raise_identity(site: &Path) {
    change_json(site.join("data/site.json"), "format");
}

fn raise_verdict(site: &Path) {
    change_json(site.join("data/auditor/verdict.json"), "format");
}

fn is_verdict_of_today(site: &Path) -> bool {
    let read = fs::read(site.join("data/auditor/verdict.json")).ok();
    let value: Option<serde_json::Value> = read.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    value.is_some_and(|value| value["format"] == 1)
}

/// Raises the number at `at` by one and sets the digest of everything before `digest_at` there.
fn raise_under_digest(bytes: &mut [u8], at: usize, digest_at: usize) {
    bytes[at] += 1;
    let digest = blake3::hash(&bytes[..digest_at]);
    bytes[digest_at..digest_at + 32].copy_from_slice(digest.as_bytes());
}

fn length_at(bytes: &[u8], at: usize) -> usize {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap()) as usize
}

fn raise_root(site: &Path) {
    // the slot with the highest generation, which a reader of the other one would take for torn
    let paths = ["root.0", "root.1"].map(|name| site.join("keyring-2").join(name));
    let newest = paths.iter().max_by_key(|path| length_at(&fs::read(path).unwrap(), 56)).unwrap();
    let mut bytes = fs::read(newest).unwrap();
    let digest_at = 96 + length_at(&bytes, 64);
    bytes[8] += 1; // 2 is known: with a token
    raise_under_digest(&mut bytes, 8, digest_at);
    fs::write(newest, bytes).unwrap();
}

fn raise_group(site: &Path) {
    let path = site.join("data/ledger/journal/000001.jnl");
    let mut bytes = fs::read(&path).unwrap();
    let last = (0..bytes.len()).step_by(4_096).rfind(|at| bytes[*at..].starts_with(b"VIGIEJNL")).unwrap();
    let digest_at = 96 + length_at(&bytes[last..], 48);
    raise_under_digest(&mut bytes[last..], 8, digest_at);
    fs::write(path, bytes).unwrap();
}

/// The slot whose reels live longest.
fn a_slot(site: &Path) -> (PathBuf, Vec<u8>) {
    let slots = fs::read_dir(site.join("store/slots")).unwrap().map(|entry| entry.unwrap().path());
    let read = slots.map(|path| (path.clone(), fs::read(path).unwrap()));
    let in_use = read.filter(|(_, bytes)| bytes.starts_with(b"VGSL"));
    in_use.max_by_key(|(path, bytes)| (length_at(bytes, 60), path.clone())).expect("a slot is in use")
}

fn raise_slot(site: &Path) {
    let (path, mut bytes) = a_slot(site);
    raise_under_digest(&mut bytes, 4, 92);
    fs::write(path, bytes).unwrap();
}

fn raise_record(site: &Path) {
    let (path, mut bytes) = a_slot(site);
    RecordHeader::from_bytes(&bytes[4_096..4_160]).expect("a reel begins behind the slot's header");
    bytes[4_096 + 4] += 1;
    fs::write(path, bytes).unwrap();
}

fn registry(site: &Path) -> PathBuf {
    site.join("data/registry.db")
}

fn raise_registry(site: &Path) {
    drop(Registry::open_with(&registry(site), &[BREAKING]).unwrap());
}

fn add_to_registry(site: &Path) {
    drop(Registry::open_with(&registry(site), &[ADDITIVE]).unwrap());
}

/// Where the program of today has it.
fn footage(site: &Path) -> PathBuf {
    let moved = site.join("data/footage/footage.db");
    if moved.exists() { moved } else { site.join("data/footage.db") }
}

fn raise_footage(site: &Path) {
    drop(Footage::open_with(&footage(site), site_id(site), &[BREAKING]).unwrap());
}

fn is_footage_of_today(site: &Path) -> bool {
    Footage::open_for_reading(&footage(site), site_id(site)).is_ok()
}
