//! What a disk that hangs takes of the recorder's memory: for as long as it hangs, and no longer (decision 0064).

mod support;

use simulator::rtsp::{Town, TownConfig};
use std::{env, fs, os::unix::fs::symlink};
use support::{
    Site, credentials,
    loop_disk::{FileSystem, LoopDisk},
    now, sleep,
    slope::resident_megabytes,
};

const CAMERAS: u32 = 8;
/// Chunks of so many seconds wait, and are written in one piece then.
const HANGS_SECONDS: f64 = 20.0;
/// Two minutes of syncs give it back; a busy machine makes fewer than one a second.
const LOOKS: usize = 30;
const LOOK_SECONDS: f64 = 10.0;

#[test]
fn the_memory_that_chunks_took_while_the_disk_hung_goes_back_to_the_system_and_does_not_add_up() {
    if env::var_os("VIGIE_SOAK_MINUTES").is_none() {
        return println!("skipped: it takes six minutes: `make soak` runs it");
    }
    let Some(disk) = LoopDisk::or_skip(FileSystem::Ext4) else { return };
    let config = TownConfig { remember_sent: false, ..TownConfig::for_tests(CAMERAS, credentials()) };
    let town = Town::start(config).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("site");
    let mut site = Site::installed_in(folder, &place, 0);
    fs::create_dir_all(&disk.path).unwrap();
    symlink(&disk.path, place.join("store")).unwrap();
    site.configure(|text| text.replace("slot_mebibytes = 8", "slot_mebibytes = 4"));
    site.begin();
    let ids: Vec<String> = (1..=CAMERAS).map(|number| site.add(&town, number, 30)).collect();
    site.until_durable_after(&ids, now());
    sleep(20.0); // what a process takes once
    let mut before = resident(&site);
    for turn in 1..=2 {
        let frozen = disk.freeze();
        sleep(HANGS_SECONDS);
        drop(frozen);
        site.until_durable_after(&ids, now());
        let most = resident(&site);
        assert!(most > before + 10.0, "chunks waited and took memory: {before:.1} MB, then {most:.1} MB");
        // a third stays at most: what the rest of the process took meanwhile
        let is_back = |_: &usize| {
            sleep(LOOK_SECONDS);
            let left = resident(&site);
            println!("{turn}: {before:.1} MB before, {most:.1} MB when it hung, {left:.1} MB now");
            left < before + (most - before) / 3.0
        };
        assert!((0..LOOKS).any(|look| is_back(&look)), "memory that was needed once stays: {:.1} MB", resident(&site));
        before = resident(&site);
    }
}

fn resident(site: &Site) -> f64 {
    let process = site.site.process_of("recorder").expect("the recorder runs");
    resident_megabytes(process).expect("a process that runs has memory")
}
