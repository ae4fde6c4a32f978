//! Input that is bad while a town runs: cameras that turn bad, a disk that fills up. Each has a name, a remedy and a state,
//! and stops nothing else.

mod support;

use domain::UtcMicros;
use serde_json::Value;
use std::{fs, path::Path, process::Command};
use support::{
    Site, credentials, look_back,
    movie::fetch,
    now, replay_path,
    rogue::{Manner, Rogue},
    sleep, town, until,
};

#[test]
fn a_camera_that_turns_bad_is_named_with_the_remedy_and_another_loses_nothing() {
    let (town, rogue) = (town(1), Rogue::start());
    let site = Site::serving();
    let start = now();
    let good = site.add(&town, 1, 30);
    let bad = site.site.add_camera("mauvaise", &rogue.url(), "Gare", 30, &credentials()).unwrap();
    [&good, &bad].iter().for_each(|camera| site.until_recording(camera));
    for (manner, state, french, english) in [
        (Manner::JpegOnly, "refused", ["H.264", "JPEG", "Réglez"], ["H.264", "JPEG", "Set "]),
        (Manner::GarbageDescription, "away", ["normes", "micrologiciel", "jour"], ["standard", "firmware", "model"]),
        (Manner::Flood, "away", ["envoie plus", "débit", "Limitez"], ["more than", "rate", "Limit"]),
    ] {
        let turned = now();
        rogue.turn(manner);
        let camera = until(&format!("{manner:?} is told"), || {
            let camera = camera_of(&site, &bad)?;
            let told = french.iter().all(|word| camera["detail_fr"].as_str().is_some_and(|text| text.contains(word)));
            (camera["state"] == state && told).then_some(camera)
        });
        let told = camera["detail_en"].as_str().unwrap();
        english.iter().for_each(|word| assert!(told.contains(word), "`{word}` is not in `{told}`"));
        println!("{manner:?}: {} · {told}", camera["detail_fr"]);
        let cameras = check_of(&site, "cameras").unwrap();
        assert!(cameras["state"] == "warning" && cameras["detail_fr"].as_str().unwrap().contains("mauvaise"));
        until(&format!("{manner:?} is a gap with its cause"), || has_gap(&site, &bad, turned, french[0]).then_some(()));
        rogue.turn(Manner::Good);
        site.until_recording(&bad);
    }
    assert_no_hole(&site, &good, start);
}

/// Four slots of 4 MiB and a little more: two hours' reels and the free slots that are made ahead.
const SMALL_DISK_MIB: u32 = 19;
const LARGER_DISK_MIB: u32 = 80;

#[test]
fn a_full_disk_is_an_alarm_with_its_remedy_while_what_has_room_is_recorded_and_room_ends_it() {
    let mut site = Site::installed(0);
    let store = site.site.folder.join("store");
    fs::create_dir_all(&store).unwrap();
    let Some(disk) = SmallDisk::mount(&store) else {
        println!("skipped: only root may mount a small disk here");
        return;
    };
    let config = site.site.folder.join("vigie.toml");
    let text = fs::read_to_string(&config).unwrap().replace("slot_mebibytes = 8", "slot_mebibytes = 4");
    fs::write(&config, text).unwrap();
    let token = site.site.init().unwrap();
    site.site.serve().unwrap();
    site.site.set_up(&token, &site.administrator).unwrap();
    site.site.add_account("operateur", "operator", &site.operator).unwrap();
    let town = town(6);
    // an hour (of 600 s) that begins meanwhile is another reel, for which a full disk has no room
    let left = 600 - now().seconds() % 600;
    if left < 80 {
        sleep(left as f64);
    }
    let start = now();
    let first = site.add(&town, 1, 30);
    site.until_recording(&first);
    // another delay is another deadline, another reel, another slot
    let others: Vec<String> = (2..=6).map(|number| site.add(&town, number, number + 1)).collect();
    let disk_check =
        until("the full disk is an alarm", || check_of(&site, "disk").filter(|one| one["state"] == "alarm"));
    println!("{disk_check}");
    let (french, english) =
        ["detail_fr", "detail_en"].map(|field| disk_check[field].as_str().unwrap().to_lowercase()).into();
    assert!(french.contains("plein") && french.contains("libérez"), "{french}");
    assert!(english.contains("full") && english.contains("free"), "{english}");
    sleep(4.0);
    assert!(used_bytes(&store) <= u64::from(SMALL_DISK_MIB) << 20, "it stays within its disk");
    let status = site.site.attempt(&["status"], None).unwrap();
    assert!(status.code == Some(2) && status.stdout.contains("plein"), "{status:?}");
    assert_no_hole(&site, &first, start);

    disk.enlarge();
    others.iter().for_each(|camera| site.until_recording(camera));
    until("the alarm ends by itself", || check_of(&site, "disk").filter(|one| one["state"] != "alarm"));
    until("every camera has footage", || {
        let operator = site.operator();
        let to = now();
        let permit = look_back(&operator, &[others[4].as_str()], to.plus_seconds(-5), to);
        operator.open(&replay_path(&permit, &others[4], to.plus_seconds(-5), to)).ok().map(|_| ())
    });
    until("what had no room is a gap with its cause", || has_gap(&site, &others[4], start, "plein").then_some(()));
    site.site.stop().unwrap();
}

/// A file system in memory of a few megabytes over a folder.
struct SmallDisk<'a>(&'a Path);

impl SmallDisk<'_> {
    /// `None`: this user may not.
    fn mount(folder: &Path) -> Option<SmallDisk<'_>> {
        let options = format!("size={SMALL_DISK_MIB}m");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(folder).status();
        mounted.is_ok_and(|status| status.success()).then_some(SmallDisk(folder))
    }

    fn enlarge(&self) {
        let options = format!("remount,size={LARGER_DISK_MIB}m");
        assert!(Command::new("mount").args(["-o", &options]).arg(self.0).status().unwrap().success());
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        // lazily: the program that uses it ends after it where a test fails
        let ended = Command::new("umount").arg("--lazy").arg(self.0).status();
        if !ended.is_ok_and(|status| status.success()) {
            eprintln!("`{}` stays mounted", self.0.display());
        }
    }
}

fn used_bytes(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder.join("slots")).unwrap().map(|entry| entry.unwrap());
    entries.map(|entry| entry.metadata().map_or(0, |metadata| metadata.len())).sum()
}

fn camera_of(site: &Site, id: &str) -> Option<Value> {
    site.health()?["cameras"].as_array()?.iter().find(|camera| camera["id"] == id).cloned()
}

fn check_of(site: &Site, id: &str) -> Option<Value> {
    site.health()?["checks"].as_array()?.iter().find(|check| check["id"] == id).cloned()
}

/// A gap after `since` whose French cause holds a word.
fn has_gap(site: &Site, camera: &str, since: UtcMicros, word: &str) -> bool {
    let paris = jiff::tz::TimeZone::get("Europe/Paris").unwrap();
    let date = jiff::Timestamp::from_microsecond(now().0).unwrap().to_zoned(paris).date();
    let day = site.operator().get(&format!("/api/cameras/{camera}/day?date={date}")).unwrap();
    let micros = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_microsecond();
    day["gaps"].as_array().unwrap().iter().any(|gap| {
        let to = gap["to"].as_str().map_or(i64::MAX, micros);
        to >= since.0 && gap["cause_fr"].as_str().unwrap().contains(word)
    })
}

fn assert_no_hole(site: &Site, camera: &str, start: UtcMicros) {
    sleep(3.0);
    let (operator, end) = (site.operator(), now());
    let permit = look_back(&operator, &[camera], start, end);
    let numbers = fetch(&operator, &replay_path(&permit, camera, start, end)).numbers();
    let seconds = end.since(start) / 1_000_000;
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{numbers:?}");
    assert!(numbers.len() as i64 > (seconds - 12) * 12, "{} pictures in {seconds} s", numbers.len());
}
