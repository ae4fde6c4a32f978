//! A store on two real disks: one is unmounted while the town records, and comes back; a third is added.
//!
//! Where nobody may mount a disk, each test says that it was skipped.

mod support;

use domain::UtcMicros;
use simulator::rtsp::Town;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};
use support::{
    Site,
    load::look_at,
    loop_disk::{FileSystem, LoopDisk},
    movie::fetch,
    now, replay_path, sleep,
    store::site_id,
    timeline::{check_covered, has_cause, timeline},
    town, until,
    witness::assert_true,
};

/// What the timeline says of pictures whose disk is missing.
const MISSING: &str = "le disque qui les porte manque";

/// A site whose store lies on these disks.
fn site_on(disks: &[&LoopDisk]) -> Site {
    let mut site = Site::installed(0);
    configure(&site, disks);
    site.begin();
    site
}

/// Two disks, and a town of two cameras that records on them: since when.
fn recording_on_two_disks() -> Option<(LoopDisk, LoopDisk, Town, Site, Vec<String>, UtcMicros)> {
    let (one, two) = (LoopDisk::or_skip(FileSystem::Ext4)?, LoopDisk::or_skip(FileSystem::Ext4)?);
    let town = town(2);
    let site = site_on(&[&one, &two]);
    let start = now();
    let ids: Vec<String> = (1..=2).map(|number| site.add(&town, number, 30)).collect();
    site.until_durable_after(&ids, start);
    Some((one, two, town, site, ids, start))
}

fn configure(site: &Site, disks: &[&LoopDisk]) {
    let more: Vec<String> = disks[1..]
        .iter()
        .map(|disk| format!("{{ folder = {:?}, gibibytes_max = 1 }}", disk.path.display().to_string()))
        .collect();
    site.configure(|text| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.retain(|line| !line.starts_with("more = "));
        let at = lines.iter().position(|line| line == "[store]").unwrap() + 1;
        lines[at] = format!("folder = {:?}", disks[0].path.display().to_string());
        lines.insert(at + 1, format!("more = [{}]", more.join(", ")));
        lines.join("\n").replace("slot_mebibytes = 8", "slot_mebibytes = 4")
    });
}

/// When a slot of this disk was last written.
fn written(disk: &LoopDisk) -> SystemTime {
    let slots = fs::read_dir(disk.path.join("slots")).into_iter().flatten();
    let times = slots.map(|slot| slot.unwrap().metadata().unwrap().modified().unwrap());
    times.max().unwrap_or(SystemTime::UNIX_EPOCH)
}

fn rows(site: &Site) -> BTreeSet<String> {
    let folder = &site.site.folder;
    let places = [folder.join("data/footage/footage.db"), folder.join("data/footage.db")];
    let path = places.iter().find(|path| path.exists()).unwrap();
    let footage = catalog::Footage::open_for_reading(path, site_id(folder)).unwrap();
    footage.live_reels().unwrap().into_iter().map(|row| row.reel.to_string()).collect()
}

fn shown(site: &Site, camera: &str, from: UtcMicros, to: UtcMicros) -> BTreeSet<u64> {
    let operator = site.operator();
    let permit = look_at(&operator, &[camera.to_owned()], from, to);
    fetch(&operator, &replay_path(&permit, camera, from, to)).numbers().into_iter().collect()
}

fn told(site: &Site, state: &str, words: &[&str]) {
    until(&format!("the disks of the store are {state}: {words:?}"), || {
        let check = site.check("roots")?;
        let text = check["detail_fr"].as_str()?;
        (check["state"] == state && words.iter().all(|word| text.contains(word))).then_some(())
    });
}

fn verified(site: &Site) -> (Option<i32>, String) {
    let attempt = site.site.attempt(&["verify"], None).unwrap();
    (attempt.code, attempt.stdout)
}

#[test]
fn a_disk_of_two_that_is_unmounted_while_recording_costs_its_own_reels_and_is_used_again_when_it_is_back() {
    let Some((one, two, town, mut site, ids, start)) = recording_on_two_disks() else { return };
    // a run begins its first reel where there is most room: each on another disk than the run before
    for _ in 0..2 {
        sleep(3.0);
        site.site.kill("recorder").unwrap();
        site.until_durable_after(&ids, now());
    }
    sleep(4.0);
    let (lost, kept) = if written(&one) > written(&two) { (&one, &two) } else { (&two, &one) };
    assert!(written(kept) > SystemTime::UNIX_EPOCH && kept.path.join("slots").is_dir());
    told(&site, "ok", &["2 disques"]);
    let (before, rows_before, seen) = (now(), rows(&site), shown(&site, &ids[0], start, now()));

    lost.unmount();
    site.until_durable_after(&ids, now());
    let path = lost.path.display().to_string();
    told(&site, "alarm", &[&path, "l'enregistrement continue"]);
    until("the timeline says where the pictures are", || {
        let (_, gaps) = timeline(&site, &ids[0], start);
        has_cause(&gaps, MISSING).then_some(())
    });
    ids.iter().for_each(|id| check_covered(&site, id, start, now()));
    let left = shown(&site, &ids[0], start, now());
    assert!(left.iter().any(|number| seen.contains(number)), "what lies on the other disk is shown");
    assert!(!left.is_superset(&seen), "what lies on the missing disk is not");
    let (code, said) = verified(&site);
    assert!(code == Some(3) && said.contains("Un disque du stockage (n°"), "{code:?} {said}");

    // started without it: the same
    site.site.kill("recorder").unwrap();
    site.until_durable_after(&ids, now());
    told(&site, "alarm", &[&path]);
    assert!(rows_before.is_subset(&rows(&site)), "no row was deleted");
    assert_eq!(files_below(&lost.path), Vec::<PathBuf>::new(), "nothing is written to the folder without its disk");

    lost.mount();
    told(&site, "ok", &["2 disques"]);
    site.until_durable_after(&ids, now());
    until("all pictures are shown again", || shown(&site, &ids[0], start, before).is_superset(&seen).then_some(()));
    let (_, gaps) = timeline(&site, &ids[0], start);
    assert!(!has_cause(&gaps, MISSING), "{gaps:#?}");
    ids.iter().for_each(|id| check_covered(&site, id, start, now()));
    let operator = site.operator();
    let permit = look_at(&operator, &ids, start, now());
    assert_true(&town.cameras[0], &fetch(&operator, &replay_path(&permit, &ids[0], start, now())).shown);
    drop(operator);
    let mark = written(lost);
    site.site.kill("recorder").unwrap();
    site.until_durable_after(&ids, now());
    site.site.kill("recorder").unwrap();
    site.until_durable_after(&ids, now());
    assert!(written(lost) > mark, "it is used again");
    assert_eq!(verified(&site).0, Some(0), "{}", verified(&site).1);
    site.site.stop().unwrap();
}

#[test]
fn a_disk_of_two_that_hangs_without_an_error_holds_up_no_other_and_is_used_again_when_it_answers() {
    let Some((one, two, town, mut site, ids, start)) = recording_on_two_disks() else { return };
    sleep(6.0);
    let hung = if written(&one) > written(&two) { &one } else { &two };
    let seen = shown(&site, &ids[0], start, now());

    let frozen = hung.freeze();
    // what waited for it is written elsewhere once its time is over, and so is all that follows
    site.until_durable_after(&ids, now().plus_seconds(15));
    told(&site, "alarm", &[&hung.path.display().to_string(), "ne répond plus", "l'enregistrement continue"]);
    let meanwhile = now();
    sleep(4.0);
    let fresh = shown(&site, &ids[0], meanwhile, now());
    assert!(fresh.len() > 12, "what is recorded meanwhile can be looked at: {}", fresh.len());
    drop(frozen);

    told(&site, "ok", &["2 disques"]);
    until("all pictures are shown again", || shown(&site, &ids[0], start, meanwhile).is_superset(&seen).then_some(()));
    ids.iter().for_each(|id| check_covered(&site, id, start, now()));
    let operator = site.operator();
    let permit = look_at(&operator, &ids, start, now());
    assert_true(&town.cameras[0], &fetch(&operator, &replay_path(&permit, &ids[0], start, now())).shown);
    drop(operator);
    assert_eq!(verified(&site).0, Some(0), "{}", verified(&site).1);
    site.site.stop().unwrap();
}

#[test]
fn a_further_disk_is_taken_when_it_was_prepared_by_name_and_never_by_itself() {
    let Some(new) = LoopDisk::or_skip(FileSystem::Ext4) else { return };
    let first = tempfile::tempdir().unwrap();
    let town = town(1);
    let mut site = Site::serving();
    let start = now();
    let ids = vec![site.add(&town, 1, 30)];
    site.until_durable_after(&ids, start);
    site.site.stop().unwrap();
    let more = format!("more = [{{ folder = {:?}, gibibytes_max = 1 }}]", new.path.display().to_string());
    site.configure(|text| text.replace("[store]\n", &format!("[store]\n{more}\n")));
    // an empty disk is not taken for a root: it may be the wrong one
    site.site.serve().unwrap();
    site.until_durable_after(&ids, now());
    let path = new.path.display().to_string();
    told(&site, "alarm", &[&path]);
    assert!(!new.path.join("marker.json").exists());
    let refused = site.site.attempt(&["store", "add", first.path().to_str().unwrap()], None).unwrap();
    assert!(refused.code == Some(1) && refused.stderr.contains("`store.more`"), "{refused:?}");
    let added = site.site.attempt(&["store", "add", &path], None).unwrap();
    assert_eq!(added.code, Some(0), "{added:?}");
    told(&site, "ok", &["2 disques"]);
    site.until_durable_after(&ids, now());
    until("reels begin on it", || (written(&new) > SystemTime::UNIX_EPOCH).then_some(()));
    let again = site.site.attempt(&["store", "add", &path], None).unwrap();
    assert!(again.code == Some(1) && again.stderr.contains("pas vide"), "{again:?}");
    let listed = site.site.attempt(&["store", "list"], None).unwrap();
    assert!(listed.code == Some(0) && listed.stdout.matches('✓').count() == 2, "{listed:?}");
    check_covered(&site, &ids[0], start, now());
    assert_eq!(verified(&site).0, Some(0), "{}", verified(&site).1);
    site.site.stop().unwrap();
}

fn files_below(path: &Path) -> Vec<PathBuf> {
    fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect()
}
