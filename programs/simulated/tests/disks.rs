//! Real disks that fail under a real installation: power cuts, read-only, gone, empty, another one, broken, stalled, slow, full.
//!
//! `VIGIE_POWER_CUTS` says how many power cuts each file system sees (2), `VIGIE_SEED` repeats the choices of an earlier run,
//! `VIGIE_DISK_TABLE` names a file for the table. Where nobody may mount a disk, each test says that it was skipped.

mod support;

use domain::{UtcMicros, limit::LOSS_MS_MAX};
use simulator::{random::Dice, rtsp::Town};
use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    io::Write,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::Arc,
};
use support::{
    Site,
    load::{Load, look_at},
    loop_disk::{FileSystem, LoopDisk},
    movie::fetch,
    now, replay_path, sleep,
    store::{Sealed, assert_rows_and_bytes_agree, site_id},
    timeline::{check_covered, has_cause, timeline, until_goes_on, until_told},
    town,
    witness::{Event, Witness},
};

const LOSS_MICROS: i64 = LOSS_MS_MAX as i64 * 1_000;
/// What the cause of a gap says whose pictures no disk took.
const NOT_WRITTEN: &str = "n'a pas pu être écrit";

/// What lies on the disk that fails; the rest of the site does not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum OnDisk {
    /// All of it, as on a machine with one disk.
    Site,
    /// Ledger, registry, catalog and one copy of the keyring.
    Data,
    Store,
}

#[test]
fn power_cuts_of_a_machine_on_ext4_cost_two_seconds_at_most_and_leave_nothing_wrong() {
    power_cuts(FileSystem::Ext4, OnDisk::Site);
}

#[test]
fn power_cuts_of_a_machine_on_xfs_cost_two_seconds_at_most_and_leave_nothing_wrong() {
    power_cuts(FileSystem::Xfs, OnDisk::Site);
}

#[test]
fn power_cuts_of_the_disk_of_ledger_and_registry_cost_two_seconds_at_most_and_leave_nothing_wrong() {
    power_cuts(FileSystem::Ext4, OnDisk::Data);
}

fn variable(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is a number, not `{text}`")))
}

/// A site of which a part lies on the disk.
fn site_on(disk: &LoopDisk, what: OnDisk) -> Site {
    let folder = tempfile::tempdir().unwrap();
    let place = if what == OnDisk::Site { disk.path.join("site") } else { folder.path().join("site") };
    let mut site = Site::installed_in(folder, &place, 0);
    let lies = |name: &str, at: PathBuf| {
        fs::create_dir_all(&at).unwrap();
        symlink(at, place.join(name)).unwrap();
    };
    match what {
        OnDisk::Site => {}
        OnDisk::Data => ["data", "keyring-1"].iter().for_each(|name| lies(name, disk.path.join(name))),
        OnDisk::Store => lies("store", disk.path.clone()),
    }
    site.configure(|text| text.replace("slot_mebibytes = 8", "slot_mebibytes = 4"));
    site.begin();
    site
}

fn power_cuts(fs: FileSystem, what: OnDisk) {
    let Some(disk) = LoopDisk::or_skip(fs) else { return };
    let cuts = variable("VIGIE_POWER_CUTS").unwrap_or(2);
    let seed = variable("VIGIE_SEED").unwrap_or_else(|| now().0 as u64 % 1_000_000);
    println!("VIGIE_SEED={seed} VIGIE_POWER_CUTS={cuts}");
    let town = Arc::new(town(2));
    let site = site_on(&disk, what);
    let ids: Vec<String> = (1..=2).map(|number| site.add(&town, number, 30)).collect();
    ids.iter().for_each(|id| site.until_recording(id));
    let watch = Load::watching(site.folder.path().to_owned());
    let mut trial =
        Cuts { disk: &disk, site, ids, dice: Dice::new(seed, 43), sealed: Sealed::default(), seen_to: now() };
    let witness = |index: usize| {
        let (camera, id) = (&*town.cameras[index], trial.ids[index].clone());
        Witness { camera, id, index, seen: BTreeMap::new() }
    };
    let mut witnesses: Vec<Witness<'_>> = (0..2).map(witness).collect();
    let mut lost = Vec::new();
    for cut in 0..cuts {
        lost.extend(trial.cut(&town, &watch, &mut witnesses));
        println!("power cut {} on {fs:?} under {what:?}: most lost so far {} ms", cut + 1, most(&lost) / 1_000);
    }
    watch.end();
    trial.end(&witnesses);
    if let Some(path) = env::var_os("VIGIE_DISK_TABLE") {
        let line = format!("| {fs:?} | {what:?} | {cuts} | {:.1} s |\n", most(&lost) as f64 / 1e6);
        let mut file = fs::File::options().create(true).append(true).open(path).unwrap();
        file.write_all(line.as_bytes()).unwrap();
    }
}

fn most(lost: &[i64]) -> i64 {
    lost.iter().copied().max().unwrap_or(0)
}

struct Cuts<'a> {
    disk: &'a LoopDisk,
    site: Site,
    ids: Vec<String>,
    dice: Dice,
    sealed: Sealed,
    seen_to: UtcMicros,
}

impl Cuts<'_> {
    /// The power goes at a chance instant and comes back; what each camera lost.
    fn cut(&mut self, town: &Town, watch: &Load, witnesses: &mut [Witness<'_>]) -> Vec<i64> {
        let began = now();
        sleep(f64::from(self.dice.between(1.0, 4.0)));
        self.site.site.halt().unwrap();
        let sent = town.cameras.iter().map(|camera| camera.sent().len()).collect();
        self.disk.shut_down();
        self.site.site.kill_all().unwrap();
        self.disk.unmount();
        let cut = Event { what: "power cut", at: now(), sent, stall_micros: 0 };
        self.disk.mount();
        let resumed = now();
        self.site.site.start().unwrap();
        self.site.site.answers().unwrap();
        self.site.until_durable_after(&self.ids, resumed);
        self.check_verify();
        self.sealed.look(&self.site.site.folder.join("store"));
        let (from, to) = (self.seen_to.plus_seconds(-15), now());
        self.see(witnesses, from, to);
        self.seen_to = to;
        let stall = watch.stalled_since(began.plus_micros(-3_000_000));
        let mut lost = Vec::new();
        for witness in witnesses.iter() {
            let costs = witness.costs(std::slice::from_ref(&cut), &witness.camera.sent(), to);
            for cost in costs.into_iter().flatten() {
                let excess = cost.lost_micros - LOSS_MICROS;
                let number = witness.camera.number;
                assert!(excess <= stall, "camera {number} lost {} ms", cost.lost_micros / 1_000);
                lost.push(cost.lost_micros);
            }
            check_covered(&self.site, &witness.id, began.plus_seconds(-1), to);
        }
        assert_eq!(lost.len(), witnesses.len(), "each camera's session was cut");
        lost
    }

    fn see(&self, witnesses: &mut [Witness<'_>], from: UtcMicros, to: UtcMicros) {
        let operator = self.site.operator();
        let permit = look_at(&operator, &self.ids, from, to);
        for witness in witnesses {
            witness.take(&fetch(&operator, &replay_path(&permit, &witness.id, from, to)).shown);
        }
    }

    fn check_verify(&self) {
        let verified = self.site.site.attempt(&["verify"], None).unwrap();
        assert_eq!(verified.code, Some(0), "vigie verify: {verified:?}");
    }

    /// What was seen once is still there; rows and bytes agree, both ways.
    fn end(mut self, witnesses: &[Witness<'_>]) {
        for witness in witnesses {
            let from = witness.seen.values().min().unwrap().plus_seconds(-1);
            let operator = self.site.operator();
            let permit = look_at(&operator, &self.ids, from, now());
            let movie = fetch(&operator, &replay_path(&permit, &witness.id, from, now()));
            let numbers: BTreeSet<u64> = movie.numbers().into_iter().collect();
            assert!(witness.seen.keys().all(|number| numbers.contains(number)), "what was seen once is still there");
        }
        self.site.site.stop().unwrap();
        self.sealed.look(&self.site.site.folder.join("store"));
        let rows = assert_rows_and_bytes_agree(&self.site.site.folder, now());
        let (records, keys) = self.sealed.counts();
        println!("{rows} reels whole; {records} sealed records, {keys} data keys, no key and nonce twice");
        self.check_verify();
    }
}

#[test]
fn an_ext4_disk_of_the_store_that_fails_in_any_way_is_named_and_recording_goes_on_when_it_is_back() {
    failures_of_the_store(FileSystem::Ext4);
}

#[test]
fn an_xfs_disk_of_the_store_that_fails_in_any_way_is_named_and_recording_goes_on_when_it_is_back() {
    failures_of_the_store(FileSystem::Xfs);
}

/// Each scenario in turn on one installation: it is told with its remedy, it is a gap with its cause, nothing is written
/// elsewhere, no row is lost, and recording goes on by itself.
fn failures_of_the_store(fs: FileSystem) {
    let Some(disk) = LoopDisk::or_skip(fs) else { return };
    let town = town(1);
    let site = site_on(&disk, OnDisk::Store);
    let start = now();
    let ids = vec![site.add(&town, 1, 30)];
    site.until_durable_after(&ids, start);
    fs::copy(disk.path.join("marker.json"), site.folder.path().join("marker.json")).unwrap();
    let trial = Failures { disk: &disk, site, ids, start };
    println!("read-only");
    disk.read_only(true);
    trial.is_told("lecture seule", "dmesg");
    disk.read_only(false);
    trial.goes_on();
    println!("gone");
    disk.unmount();
    trial.is_told("n'est plus là", "bon disque");
    trial.site.site.kill("recorder").unwrap();
    sleep(3.0);
    assert_eq!(files_below(&disk.path), [], "nothing is written to the folder without its disk, not at a start either");
    disk.mount();
    trial.goes_on();
    trial.another_disk("empty", |_| {});
    trial.another_disk("another", |path| like(&trial.site, path));
    println!("broken");
    disk.shut_down();
    trial.is_told("panne", "smartctl");
    disk.unmount();
    disk.mount();
    trial.goes_on();
    trial.stalls();
    trial.is_slow();
    trial.end(&town);
}

struct Failures<'a> {
    disk: &'a LoopDisk,
    site: Site,
    ids: Vec<String>,
    start: UtcMicros,
}

impl Failures<'_> {
    fn is_told(&self, words: &str, remedy: &str) {
        until_told(&self.site, words, remedy);
        // a recorder that starts again to reach what was mounted takes seconds to know its own cause
        support::until("the time is a gap with its cause", || {
            let (_, gaps) = timeline(&self.site, &self.ids[0], self.start);
            gaps.iter().any(|gap| gap.to.is_none() && gap.cause.contains(NOT_WRITTEN)).then_some(())
        });
    }

    fn goes_on(&self) {
        until_goes_on(&self.site, &self.ids, self.start);
    }

    /// Another disk lies where the store's was: not a byte of it changes, not a row is lost.
    fn another_disk(&self, name: &str, fill: impl FnOnce(&Path)) {
        println!("{name}");
        let rows = self.rows();
        self.disk.unmount();
        let mut before = Vec::new();
        self.disk.mount_another(name, |path| {
            fill(path);
            before = files_below(path);
        });
        self.is_told("un autre est à sa place", "bon disque");
        sleep(2.0);
        assert!(files_below(&self.disk.path) == before, "{name}: its bytes changed");
        self.disk.unmount();
        self.disk.mount();
        self.goes_on();
        let now = self.rows();
        assert!(rows.is_subset(&now), "{name}: rows of the index were deleted");
    }

    fn rows(&self) -> BTreeSet<String> {
        let folder = &self.site.site.folder;
        let footage =
            catalog::Footage::open_for_reading(&folder.join("data/footage/footage.db"), site_id(folder)).unwrap();
        footage.live_reels().unwrap().into_iter().map(|row| row.reel.to_string()).collect()
    }

    /// Six seconds (`VIGIE_STALL_SECONDS`) in which nothing is written: what came meanwhile waits and is written then.
    fn stalls(&self) {
        println!("stalled");
        let began = now();
        let frozen = self.disk.freeze();
        sleep(variable("VIGIE_STALL_SECONDS").unwrap_or(6) as f64);
        drop(frozen);
        self.waited(began);
    }

    /// Ten seconds at a tenth of what comes in.
    fn is_slow(&self) {
        println!("slow");
        let began = now();
        let recorder = self.site.site.process_of("recorder").unwrap();
        let Some(slowed) = self.disk.slow(recorder, 8_192) else {
            println!("skipped: this kernel cannot slow a disk down (cgroup blkio)");
            return;
        };
        sleep(10.0);
        drop(slowed);
        self.waited(began);
    }

    fn waited(&self, began: UtcMicros) {
        self.site.until_durable_after(&self.ids, now());
        let check = self.site.check("disk").unwrap();
        assert!(check["detail_fr"].as_str().unwrap().contains("Écriture lente"), "{check}");
        let (_, gaps) = timeline(&self.site, &self.ids[0], began);
        assert!(gaps.iter().all(|gap| gap.to.is_some_and(|to| to < began)), "what waits is not lost: {gaps:#?}");
    }

    /// All that is shown was sent just so; the whole of it verifies.
    fn end(mut self, town: &Town) {
        let (operator, to) = (self.site.operator(), now());
        let permit = look_at(&operator, &self.ids, self.start, to);
        let shown = fetch(&operator, &replay_path(&permit, &self.ids[0], self.start, to)).shown;
        support::witness::assert_true(&town.cameras[0], &shown);
        assert!(shown.len() > 24);
        let (_, gaps) = timeline(&self.site, &self.ids[0], self.start);
        assert!(has_cause(&gaps, NOT_WRITTEN) && gaps.iter().all(|gap| gap.to.is_some()), "{gaps:#?}");
        drop(operator);
        let verified = self.site.site.attempt(&["verify"], None).unwrap();
        assert_eq!(verified.code, Some(0), "vigie verify: {verified:?}");
        self.site.site.stop().unwrap();
        assert_rows_and_bytes_agree(&self.site.site.folder, now());
    }
}

#[test]
fn a_machine_whose_disk_is_full_records_on_in_what_it_has_and_is_whole_when_there_is_room_again() {
    let Some(disk) = LoopDisk::or_skip(FileSystem::Ext4) else { return };
    let town = town(1);
    let mut site = site_on(&disk, OnDisk::Site);
    let start = now();
    let ids = vec![site.add(&town, 1, 30)];
    site.until_durable_after(&ids, start);
    let filler = disk.fill(0);
    sleep(8.0);
    let full_to = now();
    until_found(&site, "data-space", "alarm");
    fs::remove_file(filler).unwrap();
    until_goes_on(&site, &ids, start);
    until_found(&site, "data-space", "warning");
    site.site.stop().unwrap();
    site.site.serve().unwrap();
    let shown = || {
        let operator = site.operator();
        let permit = look_at(&operator, &ids, start, full_to);
        fetch(&operator, &replay_path(&permit, &ids[0], start, full_to))
    };
    let (movie, seconds) = (shown(), full_to.since(start) / 1_000_000);
    support::witness::assert_true(&town.cameras[0], &movie.shown);
    let numbers = movie.numbers();
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{numbers:?}");
    assert!(numbers.len() as i64 > (seconds - 8) * 12, "{} pictures in {seconds} s", numbers.len());
    let verified = site.site.attempt(&["verify"], None).unwrap();
    assert_eq!(verified.code, Some(0), "vigie verify: {verified:?}");
}

fn until_found(site: &Site, id: &str, state: &str) {
    support::until(&format!("{id} is {state}"), || site.check(id).filter(|check| check["state"] == state));
}

/// A store of the same site with slots of the same names, on another disk: what the town's own new disk looks like.
fn like(site: &Site, path: &Path) {
    let marker = fs::read_to_string(site.folder.path().join("marker.json")).unwrap();
    let mut marker: serde_json::Value = serde_json::from_str(&marker).unwrap();
    let root = marker["root"].as_str().unwrap().chars().rev().collect::<String>();
    marker["root"] = root.into();
    fs::write(path.join("marker.json"), marker.to_string()).unwrap();
    fs::create_dir(path.join("slots")).unwrap();
    for slot in 1..=4 {
        fs::write(path.join(format!("slots/{slot:08}.slot")), vec![0xee; 4 << 20]).unwrap();
    }
}

/// Names and bytes of all files, in order.
fn files_below(path: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let (mut found, mut folders) = (Vec::new(), vec![path.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push((path.clone(), fs::read(&path).unwrap())) }
        }
    }
    found.sort();
    found
}
