//! The role over a disk that fails and witnesses that answer as C2SP tlog-witness says: quorum, mirror by the hour, alarms.

use super::*;
use crate::client::HttpAnswer;
use disk::{Fault, FaultyDisk, Happened};
use domain::Secret32;
use ledger::{
    AddCheckpoint, CheckpointSigner, Digest, Published, Refusal, Tree, WitnessSigner, judge,
    published::read_tile,
    tile::{PublicTile, public_tiles},
    tree::LeavesError,
};
use std::{collections::BTreeMap, ops::Range, sync::Mutex};

const HOUR: i64 = 3_600;
/// A full hour, long after 1970.
const START: i64 = 500_000 * HOUR;

fn signer() -> CheckpointSigner {
    CheckpointSigner::new("vigie/a/b", &Secret32::new([3; 32])).unwrap()
}

fn leaves(other: bool) -> impl Fn(Range<u64>) -> Result<Vec<Digest>, LeavesError> {
    move |range| Ok(range.map(|n| Digest([if other && n >= 20 { 200 } else { n as u8 }; 32])).collect())
}

fn tree(size: u64, other: bool) -> Tree {
    let mut tree = Tree::new();
    leaves(other)(0..size).unwrap().iter().for_each(|leaf| tree.push(leaf));
    tree
}

/// What the keeper's journal writes at a checkpoint.
fn keeper_publishes(disk: &FaultyDisk, size: u64, other: bool) -> Checkpoint {
    let tree = tree(size, other);
    for tile in public_tiles(0, size) {
        let path = Path::new("/log").join(tile.path());
        disk.create_dir(path.parent().unwrap()).unwrap();
        disk::write_all(disk, &path, &tile.content(&tree, &leaves(other)).unwrap()).unwrap();
    }
    let checkpoint = Checkpoint { size, root: tree.root() };
    disk::write_all(disk, Path::new("/log/checkpoint"), &signer().sign(checkpoint).unwrap()).unwrap();
    checkpoint
}

/// Three witnesses at `http://w1` to `http://w3`, some of them away.
#[derive(Default)]
struct Witnesses {
    last: Mutex<BTreeMap<String, Checkpoint>>,
    away: Vec<u8>,
}

fn witness(n: u8) -> WitnessSigner {
    WitnessSigner::new(&format!("w{n}.example"), &Secret32::new([n; 32])).unwrap()
}

impl Witnesses {
    fn post(&self, url: &str, body: &[u8]) -> Result<HttpAnswer, String> {
        let n: u8 = url.strip_prefix("http://w").unwrap().strip_suffix("/add-checkpoint").unwrap().parse().unwrap();
        if self.away.contains(&n) {
            return Err("connection refused".into());
        }
        let request = AddCheckpoint::parse(body).unwrap();
        let mut last = self.last.lock().unwrap();
        let (status, body) = match judge(&request, &signer().public(), last.get(url).copied()) {
            Ok(new) => {
                last.insert(url.to_owned(), new);
                (200, witness(n).cosign(&request.note, START as u64).unwrap())
            }
            Err(Refusal::Elsewhere { size, .. } | Refusal::Forked { size }) => (409, format!("{size}\n")),
            Err(refusal) => (refusal.status(), String::new()),
        };
        Ok(HttpAnswer { status, body: body.into_bytes() })
    }
}

fn policy() -> WitnessPolicy {
    let witness = |n| format!("witness w{n} {} http://w{n}\n", witness(n).public().verifier_key());
    let log = signer().public().verifier_key();
    let text = format!("log {log}\n{}{}{}group g 2 w1 w2 w3\nquorum g\n", witness(1), witness(2), witness(3));
    WitnessPolicy::parse(text.as_bytes()).unwrap()
}

fn role(disk: &FaultyDisk) -> PublicRole {
    let parts = PublicParts {
        disk: Arc::new(disk.clone()),
        log: PathBuf::from("/log"),
        folder: PathBuf::from("/public"),
        policy: policy(),
    };
    PublicRole::open(parts).unwrap()
}

fn look(role: &mut PublicRole, witnesses: &Witnesses, at: i64) {
    role.look_by(&|url, body| witnesses.post(url, body), at);
}

fn served(disk: &FaultyDisk) -> Option<Vec<u8>> {
    folder::read(disk, Path::new("/public/mirror/checkpoint"), NOTE_BYTES_MAX).unwrap()
}

/// A stranger's check of the mirror: every entry is there and gives the root that is signed.
fn mirror_holds(disk: &FaultyDisk) -> u64 {
    let Some(note) = served(disk) else { return 0 };
    let signed = signer().public().verify(&note).unwrap();
    let mirror = LogFolder::new(Arc::new(disk.clone()), PathBuf::from("/public/mirror"));
    let mut found = Tree::new();
    for n in 0..signed.size.div_ceil(256) {
        let tile = PublicTile { level: None, n, width: (signed.size - n * 256).min(256) as u32 };
        let bundle = read_tile(&|tile| mirror.tile(tile), tile).unwrap();
        tile.entries(&bundle).unwrap().iter().for_each(|leaf| found.push(leaf));
    }
    assert_eq!(found.root(), signed.root);
    Published::new(signed, &|tile| mirror.tile(tile)).root_at(signed.size).unwrap();
    signed.size
}

#[test]
fn enough_cosignatures_are_kept_and_each_witnesss_state_is_told() {
    let disk = FaultyDisk::new(1);
    keeper_publishes(&disk, 16, false);
    let mut role = role(&disk);
    look(&mut role, &Witnesses { away: vec![3], ..Witnesses::default() }, START);
    let cosigned = disk::read_all(&disk, Path::new("/public/cosigned"), NOTE_BYTES_MAX).unwrap();
    assert!(policy().judge(&cosigned).is_met);
    let read = PublicState::read(&disk, Path::new("/public/state.json")).unwrap().unwrap();
    assert_eq!(&read, role.state());
    assert_eq!((read.size, read.quorum_size, read.quorum_at_seconds), (16, 16, START));
    assert_eq!(read.witnesses.iter().map(|witness| witness.size).collect::<Vec<_>>(), [16, 16, 0]);
    let trouble = WitnessTrouble::Unreachable { detail: "connection refused".into() };
    assert_eq!(read.witnesses[2].trouble, Some(trouble));
    assert!(!read.is_unwitnessed(START + 60) && read.is_unwitnessed(START + HOUR));
    assert!(!read.is_stale(START + 60) && read.is_stale(START + 600));
}

#[test]
fn too_few_cosignatures_keep_nothing_and_a_witness_that_comes_back_catches_up() {
    let disk = FaultyDisk::new(1);
    let mut witnesses = Witnesses { away: vec![2, 3], ..Witnesses::default() };
    keeper_publishes(&disk, 16, false);
    let mut role = role(&disk);
    look(&mut role, &witnesses, START);
    assert!(!disk.exists(Path::new("/public/cosigned")).unwrap());
    assert_eq!(role.state().quorum_size, 0);
    // the mirror shows what there is: readers see that witnesses are missing
    assert_eq!(mirror_holds(&disk), 16);
    witnesses.away.clear();
    keeper_publishes(&disk, 300, false);
    look(&mut role, &witnesses, START + 60);
    assert_eq!(role.state().quorum_size, 300);
    assert!(role.state().witnesses.iter().all(|witness| witness.size == 300 && witness.trouble.is_none()));
}

#[test]
fn a_role_that_forgot_everything_asks_the_witnesses_where_they_stand() {
    let disk = FaultyDisk::new(1);
    let witnesses = Witnesses::default();
    keeper_publishes(&disk, 48, false);
    look(&mut role(&disk), &witnesses, START);
    disk.remove(Path::new("/public/state.json")).unwrap();
    keeper_publishes(&disk, 64, false);
    let mut role = role(&disk);
    look(&mut role, &witnesses, START + 60);
    assert_eq!(role.state().quorum_size, 64);
}

#[test]
fn an_older_state_of_the_log_is_found_by_the_witnesses_within_a_minute_and_never_mirrored() {
    let disk = FaultyDisk::new(1);
    let witnesses = Witnesses::default();
    keeper_publishes(&disk, 64, false);
    let mut role = role(&disk);
    look(&mut role, &witnesses, START);
    keeper_publishes(&disk, 32, false); // as root: the newest witnessed entries are gone
    look(&mut role, &witnesses, START + 60);
    for witness in &role.state().witnesses {
        assert_eq!(witness.trouble, Some(WitnessTrouble::Ahead { size: 64 }));
    }
    look(&mut role, &witnesses, START + HOUR);
    assert_eq!(role.state().trouble, Some(LogTrouble::Behind { mirrored: 64 }));
    assert_eq!(mirror_holds(&disk), 64);
    assert_eq!(role.state().quorum_size, 64);
}

#[test]
fn a_rewritten_past_is_found_by_the_witnesses_within_a_minute_and_never_mirrored() {
    let witnessed = |size: u64| {
        let disk = FaultyDisk::new(1);
        let witnesses = Witnesses::default();
        keeper_publishes(&disk, 64, false);
        let mut role = role(&disk);
        look(&mut role, &witnesses, START);
        keeper_publishes(&disk, size, true);
        look(&mut role, &witnesses, START + 60);
        look(&mut role, &witnesses, START + HOUR);
        assert_eq!(role.state().trouble, Some(LogTrouble::Forked { mirrored: 64 }));
        assert_eq!(signer().public().verify(&served(&disk).unwrap()).unwrap().root, tree(64, false).root());
        role.state().witnesses[0].trouble.clone()
    };
    assert_eq!(witnessed(64), Some(WitnessTrouble::Forked { size: 64 }));
    assert_eq!(witnessed(80), Some(WitnessTrouble::NotGrown));
}

#[test]
fn a_checkpoint_of_another_log_is_not_shown_to_anybody() {
    let disk = FaultyDisk::new(1);
    keeper_publishes(&disk, 16, false);
    let other = CheckpointSigner::new("vigie/a/b", &Secret32::new([9; 32])).unwrap();
    let note = other.sign(Checkpoint { size: 16, root: tree(16, false).root() }).unwrap();
    disk::write_all(&disk, Path::new("/log/checkpoint"), &note).unwrap();
    let mut role = role(&disk);
    role.look_by(&|_, _| panic!("no witness is asked"), START);
    assert_eq!(role.state().trouble, Some(LogTrouble::NotSigned));
    assert_eq!(served(&disk), None);
    let witnesses = Witnesses::default();
    for (at, is_ours) in [(1, true), (60, false), (120, true)] {
        keeper_publishes(&disk, 16 + at as u64, false);
        if !is_ours {
            disk::write_all(&disk, Path::new("/log/checkpoint"), &note).unwrap();
        }
        look(&mut role, &witnesses, START + at);
        assert_eq!(role.state().trouble.is_none(), is_ours, "told as long as it lasts, and no longer: {at}");
    }
}

#[test]
fn a_poller_sees_the_log_change_at_full_hours_only() {
    let disk = FaultyDisk::new(1);
    let witnesses = Witnesses::default();
    let mut role = role(&disk);
    let (mut size, mut seen, mut changes) = (0, None, Vec::new());
    for minute in 0..200 {
        size += if minute == 97 { 32 } else { 16 }; // somebody looked a lot at 01:37
        keeper_publishes(&disk, size, false);
        for second in [1, 30, 59] {
            let now = START + 300 + minute * 60 + second;
            look(&mut role, &witnesses, now);
            if minute == 130 {
                role = self::role(&disk); // a restart is no reason either
            }
            let polled = served(&disk);
            if polled != seen {
                changes.push(now - START);
                seen = polled;
            }
        }
    }
    let hours: Vec<i64> = changes.iter().map(|at| at / HOUR).collect();
    assert_eq!(hours, [0, 1, 2, 3], "{changes:?}");
    assert!(changes[1..].iter().all(|at| at % HOUR <= 1), "at the turn of the hour: {changes:?}");
}

#[test]
fn whatever_step_fails_the_mirror_is_whole_and_shows_at_most_one_state_an_hour() {
    let witnesses = Witnesses::default;
    let bring_up = |disk: &FaultyDisk, witnesses: &Witnesses| look(&mut role(disk), witnesses, START + HOUR);
    let first = |disk: &FaultyDisk, witnesses: &Witnesses| {
        keeper_publishes(disk, 250, false);
        look(&mut role(disk), witnesses, START);
        keeper_publishes(disk, 270, false);
    };
    let (disk, all) = (FaultyDisk::new(1), witnesses());
    first(&disk, &all);
    let from = disk.steps();
    bring_up(&disk, &all);
    let to = disk.steps();
    assert_eq!(mirror_holds(&disk), 270);
    for step in from..to {
        for happened in [Happened::No, Happened::Yes] {
            let (disk, all) = (FaultyDisk::new(step), witnesses());
            first(&disk, &all);
            disk.plan(step, Fault::PowerCut(happened));
            if let Ok(mut role) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| role(&disk))) {
                look(&mut role, &all, START + HOUR);
            }
            disk.reboot();
            let after = mirror_holds(&disk);
            assert!(after == 250 || after == 270, "step {step}: {after}");
            // within the hour it goes on to the state that it had begun to show, if any, and to no later one
            keeper_publishes(&disk, 290, false);
            look(&mut role(&disk), &all, START + HOUR + 120);
            let late = mirror_holds(&disk);
            assert!(late == after || (after == 250 && late == 290), "step {step}: {after}, then {late}");
            look(&mut role(&disk), &all, START + 2 * HOUR);
            assert_eq!(mirror_holds(&disk), 290, "step {step}");
        }
    }
}
