//! Bytes that change on the disk: a chunk, a sync record, the catalog, a copy of the keyring. Each is named with its remedy,
//! shows as a state, and takes nothing with it but itself.

mod support;

use domain::UtcMicros;
use seal::Kind;
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
};
use support::{
    Site, look_back,
    movie::{Shown, fetch},
    now, replay_path, sleep,
    store::records_of_slots,
    town, until,
    witness::assert_true,
};

#[test]
fn what_changes_on_the_disk_is_named_with_its_remedy_and_takes_nothing_with_it() {
    let town = town(2);
    let mut site = Site::serving();
    let start = now();
    let ids = [site.add(&town, 1, 30), site.add(&town, 2, 30)];
    ids.iter().for_each(|id| site.until_recording(id));
    sleep(9.0);
    let shown = |site: &Site| -> Vec<Vec<Shown>> {
        let (operator, end) = (site.operator(), now());
        let permit = look_back(&operator, &[&ids[0], &ids[1]], start, end);
        let shown = ids.iter().map(|id| fetch(&operator, &replay_path(&permit, id, start, end)).shown);
        shown.zip(&town.cameras).inspect(|(shown, camera)| assert_true(camera, shown)).map(|(shown, _)| shown).collect()
    };

    // 1 · a chunk of a closed reel
    let stopped = now();
    site.site.stop().unwrap();
    let store = site.site.folder.join("store");
    flip_in_a_chunk(&store);
    site.site.serve().unwrap();
    ids.iter().for_each(|id| site.until_recording(id));
    sleep(2.5);
    let earlier = |shown: Vec<Shown>| shown.into_iter().filter(|one| one.utc < stopped).collect::<Vec<_>>();
    let holes: Vec<usize> = shown(&site).into_iter().map(|shown| missing(&earlier(shown))).collect();
    println!("pictures missing of each camera: {holes:?}");
    let (damaged, whole) = (holes.iter().max().unwrap(), holes.iter().min().unwrap());
    assert!((1..=36).contains(damaged) && *whole == 0, "a chunk and what refers to it, up to three seconds: {holes:?}");
    let check = until("the damage is an alarm", || check_of(&site, "footage-damaged"));
    tells(&check, "alarm", &["abîmées", "disque", "vigie verify"], &["damaged", "disk", "vigie verify"]);
    let verified = site.site.attempt(&["verify"], None).unwrap();
    println!("{}", verified.stdout);
    let told = verified.stdout.contains("abîmée") && verified.stdout.contains("smartctl");
    assert!(verified.code != Some(0) && told, "`vigie verify` names the damaged reel: {verified:?}");

    // 2 · the newest sync record of a reel whose recorder died
    let before = now();
    site.site.kill_all().unwrap();
    let cut = flip_in_the_last_sync(&store);
    site.site.start().unwrap();
    site.site.answers().unwrap();
    ids.iter().for_each(|id| site.until_recording(id));
    sleep(2.5);
    // wrong pictures would have failed in `shown`; what stands before the cut is there, and recording went on
    assert!(shown(&site).iter().all(|shown| shown.iter().any(|one| one.utc < before) && after(shown, before)));
    assert!(recovered_before(&store, &cut), "the reel was cut before the damaged record and closed there");

    // 3 · the footage catalog
    site.site.stop().unwrap();
    damage_database(&site.site.folder.join("data/footage"), "footage.db");
    site.site.serve().unwrap();
    let broken = now();
    ids.iter().for_each(|id| site.until_recording(id));
    until("the log tells of the catalog", || log_tells(&site, "footage catalog is damaged"));
    sleep(2.5);
    let (operator, end) = (site.operator(), now());
    let permit = look_back(&operator, &[&ids[0]], broken, end);
    assert!(fetch(&operator, &replay_path(&permit, &ids[0], broken, end)).shown.len() > 12, "recording goes on");
    drop(operator);
    until("footage of before the damage is found again", || {
        shown(&site)[1].iter().any(|one| one.utc < before).then_some(())
    });

    // 4 · a copy of the keyring
    site.site.stop().unwrap();
    damage(&site.site.folder.join("keyring-2"));
    site.site.serve().unwrap();
    ids.iter().for_each(|id| site.until_recording(id));
    let check = check_of(&site, "keyring").unwrap();
    println!("{check}");
    tells(&check, "alarm", &["trousseau", "copie"], &["keyring", "copy"]);
    let opens = now();
    sleep(3.0);
    let (operator, end) = (site.operator(), now());
    let permit = look_back(&operator, &[&ids[1]], opens, end);
    assert!(
        fetch(&operator, &replay_path(&permit, &ids[1], opens, end)).shown.len() > 8,
        "it opens with the other copy"
    );
    drop(operator);

    // 5 · the registry, which is no cache: nothing is made up for it
    site.site.stop().unwrap();
    let right = damage_database(&site.site.folder.join("data"), "registry.db");
    site.site.start().unwrap();
    until("the log tells of the registry", || log_tells(&site, "registry.db"));
    let line = fs::read_to_string(site.site.log()).unwrap();
    let line = line.lines().rfind(|line| line.contains("registry.db")).unwrap().to_owned();
    println!("{line}");
    assert!(line.contains("abîmé") && line.contains("sauvegarde"), "{line}");
    site.site.stop().unwrap();
    right.into_iter().for_each(|(path, bytes)| fs::write(path, bytes).unwrap());
    site.site.serve().unwrap();
    ids.iter().for_each(|id| site.until_recording(id));
}

/// Changes one byte in the middle of a chunk that starts no group of its reel and is not the last.
fn flip_in_a_chunk(store: &Path) {
    let records = records_of_slots(store);
    let chunks: Vec<_> =
        records.iter().filter(|one| one.header.kind == Kind::Chunk && one.header.handle == 0).collect();
    let chunk = chunks[chunks.len() / 2];
    flip(&chunk.path, chunk.offset + 64 + u64::from(chunk.header.payload_bytes) / 2);
}

/// Changes one byte of the signature of the newest sync record. Which reel, and how many sync records stay before it.
fn flip_in_the_last_sync(store: &Path) -> (domain::ReelId, u32) {
    let records = records_of_slots(store);
    let closed: Vec<_> = records
        .iter()
        .filter(|one| matches!(one.header.kind, Kind::Footer | Kind::RecoveryFooter))
        .map(|one| one.header.reel)
        .collect();
    let open = records.iter().filter(|one| one.header.kind == Kind::Sync && !closed.contains(&one.header.reel));
    let last = open.max_by_key(|one| one.header.number).expect("a reel was open");
    assert!(last.header.number > 0, "there is a sync record before it");
    flip(&last.path, last.offset + 64 + 60);
    (last.header.reel, last.header.number)
}

fn recovered_before(store: &Path, (reel, number): &(domain::ReelId, u32)) -> bool {
    let of_reel: Vec<_> = records_of_slots(store).into_iter().filter(|one| one.header.reel == *reel).collect();
    let footer = of_reel.iter().find(|one| one.header.kind == Kind::RecoveryFooter);
    let syncs = of_reel.iter().filter(|one| one.header.kind == Kind::Sync);
    let kept = syncs.filter(|one| footer.is_some_and(|footer| one.offset < footer.offset)).count();
    kept as u32 == *number
}

fn flip(path: &Path, at: u64) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at as usize] ^= 0x10;
    fs::write(path, bytes).unwrap();
}

/// Overwrites a file's bytes from the first to the last, or those of all files of a folder.
fn damage(path: &Path) {
    if path.is_dir() {
        return fs::read_dir(path).unwrap().for_each(|entry| damage(&entry.unwrap().path()));
    }
    let mut bytes = fs::read(path).unwrap();
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte ^= (at % 251) as u8 | 1;
    }
    fs::write(path, bytes).unwrap();
}

/// The database and what stands beside it: its log has newer pages than it. As they were before.
fn damage_database(folder: &Path, name: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let of_it = paths.filter(|path| path.file_name().is_some_and(|one| one.to_string_lossy().starts_with(name)));
    let before: Vec<(PathBuf, Vec<u8>)> = of_it.map(|path| (path.clone(), fs::read(&path).unwrap())).collect();
    before.iter().for_each(|(path, _)| damage(path));
    before
}

/// Pictures that are missing between two that are shown.
fn missing(shown: &[Shown]) -> usize {
    shown.windows(2).map(|pair| (pair[1].mark.frame - pair[0].mark.frame - 1) as usize).sum()
}

fn after(shown: &[Shown], instant: UtcMicros) -> bool {
    shown.iter().any(|one| one.utc > instant)
}

fn check_of(site: &Site, id: &str) -> Option<Value> {
    site.health()?["checks"].as_array()?.iter().find(|check| check["id"] == id).cloned()
}

fn tells(check: &Value, state: &str, french: &[&str], english: &[&str]) {
    assert_eq!(check["state"], state, "{check}");
    let said = |field: &str| format!("{} {}", check[format!("title_{field}")], check[format!("detail_{field}")]);
    french.iter().for_each(|word| assert!(said("fr").to_lowercase().contains(word), "`{word}` is not in {check}"));
    english.iter().for_each(|word| assert!(said("en").to_lowercase().contains(word), "`{word}` is not in {check}"));
}

fn log_tells(site: &Site, word: &str) -> Option<()> {
    fs::read_to_string(site.site.log()).ok()?.contains(word).then_some(())
}
