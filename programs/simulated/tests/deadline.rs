//! Promise 2 on real processes: an hour passes its deadline and nothing opens it, whatever backup comes back.

mod support;

use catalog::{Footage, ReelRow};
use domain::UtcMicros;
use simulator::{
    clock::{set_offset, set_offsets},
    installation::{Browser, Installation},
};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};
use support::{
    CLOSED_SECONDS, DAY_SECONDS, HOUR_SECONDS, Site, copy_folder, look_back, movie::fetch, now, replay_path, sleep,
    store::site_id, town, until,
};

/// What is recorded of the hour that dies.
const RECORDED_SECONDS: f64 = 15.0;
/// Six, unless a day on a busy machine began to record before the last one's slots were free: then four without that follow.
const DAYS_MAX: i64 = 10;

#[test]
fn an_hour_past_its_deadline_opens_neither_in_the_program_nor_from_a_restored_backup() {
    let town = town(2);
    // a short hour's first seconds, so that all that is recorded lies in one
    let hour = UtcMicros::from_seconds((now().seconds() / HOUR_SECONDS + 1) * HOUR_SECONDS);
    let mut site = Site::serving_at(hour.seconds() + 20 - now().seconds());
    let (short, long) = (site.add(&town, 1, 1), site.add(&town, 2, 2));
    let _still_watched = [&short, &long].map(|camera| site.until_recording(camera));
    sleep(RECORDED_SECONDS);
    assert!(replay_status(&site, &short, hour).is_ok(), "before its deadline the hour opens");
    site.site.stop().unwrap();
    let backup = site.folder.path().join("backup");
    copy_folder(&site.site.folder, &backup);

    // ten minutes before its deadline (K8) the hour closes and dies
    site.sleep_until(hour.plus_seconds(DAY_SECONDS - CLOSED_SECONDS + 5));
    until("the hour is closed", || (replay_status(&site, &short, hour) == Err("closed".into())).then_some(()));
    until("the hour is destroyed", || site.fate(&short, hour).filter(|state| state == "destroyed"));
    assert!(replay_status(&site, &long, hour).is_ok(), "the other camera may be kept for two days");
    check_destruction(&site, &["verify"]);

    // 1 · store and footage catalog of the backup over the present ones
    site.site.stop().unwrap();
    put_back(&backup, &site.site.folder);
    site.site.serve().unwrap();
    assert_eq!(replay_status(&site, &short, hour), Err("closed".into()));
    assert!(replay_status(&site, &long, hour).is_ok(), "what lives is there again with the backup");
    check_destruction(&site, &["verify", "--ledger-only"]);

    // 2 · the whole backup beside the keyring of today, and the clock of then; then with the ledger of today
    site.site.stop().unwrap();
    let other = site.folder.path().join("restored");
    copy_folder(&backup, &other);
    for copy in ["keyring-1", "keyring-2"] {
        fs::remove_dir_all(other.join(copy)).unwrap();
        copy_folder(&site.site.folder.join(copy), &other.join(copy));
    }
    let mut restored = self::restored(&site, &other, hour.plus_seconds(60));
    let refused = restored.attempt(&["verify"], None).unwrap();
    assert!(refused.code == Some(1) && refused.stdout.contains("ne tient pas"), "{refused:?}");
    fs::remove_dir_all(other.join("data/ledger")).unwrap();
    copy_folder(&site.site.folder.join("data/ledger"), &other.join("data/ledger"));
    // somebody sets the system clock back; time since boot goes on
    let today = site.now().since(now());
    set_offsets(&other.join("clock"), hour.plus_seconds(60).since(now()), today).unwrap();
    restored.serve().unwrap();
    // the ledger knows a later time: the clocks disagree, and nothing opens while they do
    let operator = restored.sign_in("operateur", &site.operator).unwrap();
    assert_eq!(operator.get("/api/health").unwrap()["clock"]["state"], "alarm");
    assert!(replay_in(&operator, &short, hour, hour.plus_seconds(55)).is_err());
    drop(operator);
    restored.stop().unwrap();
    set_offset(&other.join("clock"), today).unwrap();
    restored.serve().unwrap();
    let operator = restored.sign_in("operateur", &site.operator).unwrap();
    let replay = |camera: &str| replay_in(&operator, camera, hour, hour.plus_seconds(55));
    until("the other camera's hour opens", || replay(&long).ok());
    assert_eq!(replay(&short), Err("closed".into()));
    drop(operator);
    restored.stop().unwrap();

    // 3 · the same backup with the keyring of then opens: only the keys are missing above
    let control = site.folder.path().join("control");
    copy_folder(&backup, &control);
    let mut control = self::restored(&site, &control, hour.plus_seconds(60));
    control.serve().unwrap();
    assert!(
        replay_in(&control.sign_in("operateur", &site.operator).unwrap(), &short, hour, hour.plus_seconds(55)).is_ok()
    );
    control.stop().unwrap();

    // 4 · of the hour's page as it was then no copy of the keyring has anything left
    check_pages_are_gone(&backup, &site.site.folder, hour);
}

#[test]
fn space_of_dead_hours_is_used_again_while_the_program_goes_on() {
    let town = town(2);
    let start = UtcMicros::from_seconds((now().seconds() / HOUR_SECONDS + 1) * HOUR_SECONDS);
    let site = Site::serving_at(start.seconds() + 20 - now().seconds());
    let cameras = [site.add(&town, 1, 1), site.add(&town, 2, 1)];
    let (mut bytes, mut destroyed) = (Vec::new(), 0);
    for day in 0..DAYS_MAX {
        cameras.iter().for_each(|camera| site.until_recording(camera));
        sleep(4.0);
        let store = files(&site.site.folder.join("store"));
        bytes.push(store.iter().map(|file| fs::metadata(file).unwrap().len()).sum::<u64>());
        // a day passes while the program runs: both its clocks move on together
        let next = start.plus_seconds((day + 1) * DAY_SECONDS + 20);
        set_offset(&site.clock, next.since(now())).unwrap();
        until("everything due is destroyed", || {
            let health = site.health()?;
            let next = health["destruction"]["next_at"].as_str()?.to_owned();
            (next.as_str() > health["now"].as_str()?
                && health["destruction"]["camera_hours_destroyed"].as_u64()? > destroyed)
                .then(|| destroyed = health["destruction"]["camera_hours_destroyed"].as_u64().unwrap())
        });
        check_nothing_overdue(&site);
        until_freed(&site, start.plus_seconds((day + 1) * DAY_SECONDS));
        if has_settled(&bytes) {
            break;
        }
    }
    assert!(has_settled(&bytes), "the store grows: {bytes:?}");
    println!("{bytes:?}");
}

/// After the first two days, four on end in which nothing was added.
fn has_settled(bytes: &[u64]) -> bool {
    bytes.len() >= 6 && bytes[bytes.len() - 1] <= bytes[bytes.len() - 4]
}

/// Ok: a replay of what was recorded came whole. Err: the kind of the refusal.
fn replay_status(site: &Site, camera: &str, hour: UtcMicros) -> Result<(), String> {
    let to = hour.plus_seconds(HOUR_SECONDS).min(site.now());
    replay_in(&site.operator(), camera, hour, to)
}

fn replay_in(browser: &Browser<'_>, camera: &str, from: UtcMicros, to: UtcMicros) -> Result<(), String> {
    let permit = look_back(browser, &[camera], from, to);
    let path = replay_path(&permit, camera, from, to);
    if let Err(error) = browser.open(&path) {
        let problem = error.body()["type"].as_str().unwrap_or_else(|| panic!("{error}")).to_owned();
        return Err(problem.trim_start_matches("urn:vigie:problem:").to_owned());
    }
    assert!(fetch(browser, &path).shown.len() as f64 > RECORDED_SECONDS * 12.0 * 0.8);
    Ok(())
}

/// `verify` with what the store can be held to: one that was put back from a backup lacks what was recorded since.
fn check_destruction(site: &Site, verify: &[&str]) {
    check_nothing_overdue(site);
    let due = site.site.run(&["destroy", "--due"], None).unwrap();
    assert!(due.contains("Rien n'est échu."), "{due}");
    let verified = site.site.run(verify, None).unwrap();
    assert!(verified.contains("✓ Le registre est entier"), "{verified}");
}

/// Keys are dead a moment before their space is free (K10 step 5): a day that records meanwhile takes slots of its own. Waits until
/// the catalog names nothing that was recorded before, dead or alive.
fn until_freed(site: &Site, before: UtcMicros) {
    let path = site.site.folder.join("data/footage/footage.db");
    until("the space of dead hours is free", || {
        let footage = Footage::open_for_reading(&path, site_id(&site.site.folder)).ok()?;
        let is_dead_and_there = footage.bytes().ok()?.dead > 0;
        let is_older = |row: &ReelRow| row.hour.start() < before;
        (!is_dead_and_there && !footage.live_reels().ok()?.iter().any(is_older)).then_some(())
    });
}

fn check_nothing_overdue(site: &Site) {
    let health = site.health().unwrap();
    assert_eq!(health["destruction"]["bytes_past_deadline"], 0, "{health}");
}

/// Another machine's folder with this site's files: same passphrase, its own configuration and clock.
fn restored(site: &Site, folder: &Path, at: UtcMicros) -> Installation {
    let program = Path::new(env!("CARGO_BIN_EXE_vigie-simulated"));
    let mut restored = Installation::new(program, folder, "Ville d'essai", 0).unwrap();
    let clock = folder.join("clock");
    set_offset(&clock, at.since(now())).unwrap();
    restored.variable("VIGIE_SIMULATED_CLOCK", clock.to_str().unwrap());
    assert!(site.folder.path().exists());
    restored.persons = site.site.persons.again();
    restored
}

/// Store and footage catalog as they were, and nothing of today beside them.
fn put_back(backup: &Path, site: &Path) {
    fs::remove_dir_all(site.join("store")).unwrap();
    copy_folder(&backup.join("store"), &site.join("store"));
    fs::remove_dir_all(site.join("data/footage")).unwrap();
    copy_folder(&backup.join("data/footage"), &site.join("data/footage"));
}

fn check_pages_are_gone(backup: &Path, site: &Path, hour: UtcMicros) {
    let mut old = BTreeSet::new();
    for file in ["keyring-1", "keyring-2"].iter().flat_map(|copy| files(&backup.join(copy))) {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        if name.contains(&hour.seconds().to_string()) {
            old.insert(fs::read(&file).unwrap());
        }
    }
    assert!(!old.is_empty(), "the keyring's pages are named by their hour");
    let today: Vec<Vec<u8>> = files(site).iter().map(|file| fs::read(file).unwrap()).collect();
    for page in old {
        let tail = &page[page.len() - 24..];
        assert!(
            today.iter().all(|bytes| !bytes.windows(24).any(|window| window == tail)),
            "an old page is still there"
        );
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path))
        } else if path.is_file() {
            found.push(path)
        }
    }
    found
}
