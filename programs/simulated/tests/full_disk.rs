//! A real disk that fills (R14): the oldest hour dies early and is told, recording goes on, and a younger hour stays.

mod support;

use domain::UtcMicros;
use std::fs;
use support::{
    HOUR_SECONDS, Site,
    loop_disk::{FileSystem, LoopDisk},
    now, sleep, town, until,
};

/// Less than a camera sends in a quarter of an hour, and enough for some minutes.
const LEFT_BYTES: u64 = 56 << 20;

#[test]
fn on_a_disk_that_fills_the_oldest_hour_dies_early_and_recording_goes_on() {
    let Some(disk) = LoopDisk::or_skip(FileSystem::Ext4) else { return };
    // an hour's first seconds, so that all that is recorded lies in one
    let hour = UtcMicros::from_seconds((now().seconds() / HOUR_SECONDS + 1) * HOUR_SECONDS);
    let mut site = Site::installed(hour.seconds() + 20 - now().seconds());
    let store = format!("folder = {:?}", site.site.folder.join("store").display().to_string());
    let ours = format!("folder = {:?}", disk.path.join("store").display().to_string());
    site.configure(|text| text.replace(&store, &ours).replace("slot_mebibytes = 8", "slot_mebibytes = 4"));
    site.begin();
    let town = town(1);
    let camera = site.add(&town, 1, 30);
    site.until_durable_after(std::slice::from_ref(&camera), site.now());
    sleep(8.0);
    let younger = hour.plus_seconds(HOUR_SECONDS);
    site.sleep_until(younger.plus_seconds(20));
    site.until_durable_after(std::slice::from_ref(&camera), site.now());
    sleep(8.0);
    assert_eq!(site.fate(&camera, hour).as_deref(), Some("live"));
    assert!(site.check("space-shortfall").is_none(), "nothing dies for want of room that is there");

    let filler = disk.fill(LEFT_BYTES);
    let foretold = until("the want of room is foretold", || site.check("space").filter(|one| one["state"] == "alarm"));
    println!("{}", foretold["detail_fr"]);
    until("the oldest hour dies early", || site.fate(&camera, hour).filter(|state| state == "destroyed"));
    site.until_durable_after(std::slice::from_ref(&camera), site.now().plus_seconds(20));
    assert_eq!(site.fate(&camera, younger).as_deref(), Some("live"), "the present hour never dies");
    until("nothing more may die: it is told that recording will stop", || {
        let check = site.check("space-shortfall")?;
        let said = check["detail_fr"].as_str()?;
        (check["state"] == "alarm" && said.contains("plus jeune que le délai minimal")).then_some(())
    });

    fs::remove_file(filler).unwrap();
    until("what died stays told when there is room again", || {
        let check = site.check("space-shortfall")?;
        let said = check["detail_fr"].as_str()?;
        (check["state"] == "alarm" && said.starts_with("1 heure(s) de caméra")).then_some(())
    });
    site.until_durable_after(std::slice::from_ref(&camera), site.now());
    assert_eq!(site.fate(&camera, younger).as_deref(), Some("live"));
    site.site.stop().unwrap();
    let verified = site.site.attempt(&["verify"], None).unwrap();
    assert_eq!(verified.code, Some(0), "{verified:?}");
}
