//! The real processes under a system clock that lies (libfaketime, Debian faketime), over forty days. The time since boot stays
//! true (`FAKETIME_DONT_FAKE_MONOTONIC=1`; the program reads it from the kernel), so a jump of days is a test of judgement (K9):
//!
//! within a boot the ledger and the time since boot stand against whatever clocks say: where none agrees with them, what may be
//! due is closed, and nothing dies;
//! after a boot a time server and cameras that agree stand: what is due dies, what is not opens.

mod support;

use simulator::{
    clock::{ShiftedClock, set_boot, set_offset},
    rtsp::{Town, TownConfig},
};
use std::{fs, path::Path, sync::Arc};
use support::{Site, credentials, now, replay_of, replay_path, sleep, until};

const LIBRARY: &str = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";
const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

#[test]
fn over_forty_days_of_a_lying_system_clock_nothing_dies_within_a_boot_and_what_is_due_dies_after_one() {
    if !Path::new(LIBRARY).exists() {
        println!("skipped: there is no `{LIBRARY}`: scripts/setup.sh installs it");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (lie, cameras_clock) = (folder.path().join("told/lie"), folder.path().join("cameras"));
    fs::create_dir(folder.path().join("told")).unwrap();
    let tell = |seconds: i64| {
        // renamed: a process that reads it meanwhile finds the one or the other
        fs::write(folder.path().join("told/next"), format!("{seconds:+}\n")).unwrap();
        fs::rename(folder.path().join("told/next"), &lie).unwrap();
    };
    tell(0);
    set_offset(&cameras_clock, 0).unwrap();
    let clock = Arc::new(ShiftedClock::over_system(&cameras_clock));
    let town = Town::start(TownConfig { clock, ..TownConfig::for_tests(2, credentials()) }).unwrap();
    let mut site = Site::installed(0);
    for (name, value) in [
        ("LD_PRELOAD", LIBRARY),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ("FAKETIME_NO_CACHE", "1"),
        // the folder, not the file, which is another one after each word
        ("VIGIE_SIMULATED_READABLE", lie.parent().unwrap().to_str().unwrap()),
        ("FAKETIME_TIMESTAMP_FILE", lie.to_str().unwrap()),
    ] {
        site.site.variable(name, value);
    }
    site.begin();
    let start = now();
    // thirty days of the simulated program are twenty hours
    let ids: Vec<String> = (1..=2).map(|number| site.add(&town, number, 30)).collect();
    site.until_durable_after(&ids, now().plus_seconds(2));
    let before = now();
    let opens = |site: &Site| {
        let operator = site.site.sign_in("operateur", &site.operator).ok()?;
        let look = operator.post("/api/looks", &replay_of(&[&ids[0]], start, before));
        let look = look.inspect_err(|error| println!("no look: {error}")).ok()?;
        let opened = operator.open(&replay_path(look["permit"].as_str()?, &ids[0], start, before));
        opened.inspect_err(|error| println!("no picture: {error}")).ok().map(|_| ())
    };
    assert!(opens(&site).is_some());

    println!("forty days ahead within a boot");
    tell(40 * DAY);
    until("it is told, and the cameras keep the time standing", || (state(&site)? == "warning").then_some(()));
    sleep(3.0);
    println!("{} destroyed", destroyed(&site));
    assert!(destroyed(&site) == 0 && opens(&site).is_some(), "one clock closes nothing and kills nothing");
    println!("and the cameras with it");
    set_offset(&cameras_clock, 40 * DAY * 1_000_000).unwrap();
    until("nothing agrees with the ledger: an alarm", || (state(&site)? == "alarm").then_some(()));
    until("what may be due is closed", || opens(&site).is_none().then_some(()));
    sleep(5.0);
    assert_eq!(destroyed(&site), 0, "no clock moves anything within a boot");
    tell(0);
    set_offset(&cameras_clock, 0).unwrap();
    until("the time stands again", || (state(&site)? != "alarm").then_some(()));
    until("nothing was lost", || opens(&site));

    println!("a boot ten hours later");
    boot(&mut site, 1, 10 * HOUR, &tell, &cameras_clock);
    assert_eq!(destroyed(&site), 0, "it is not due yet");
    until("what is not due opens", || opens(&site));

    println!("a boot after forty days");
    boot(&mut site, 2, 40 * DAY, &tell, &cameras_clock);
    until("what is due is destroyed", || (destroyed(&site) > 0).then_some(()));
    assert!(opens(&site).is_none());
    let health = site.health().unwrap();
    assert_eq!(health["destruction"]["bytes_past_deadline"], 0, "{health}");
    site.until_durable_after(&ids, now().plus_seconds(40 * DAY));
    let verified = site.site.attempt(&["verify"], None).unwrap();
    assert_eq!(verified.code, Some(0), "vigie verify: {verified:?}");
}

/// The machine was off and starts again; a time server and the cameras say that so many seconds have passed.
fn boot(site: &mut Site, number: u8, ahead: i64, tell: &impl Fn(i64), cameras_clock: &Path) {
    site.site.stop().unwrap();
    tell(ahead);
    set_offset(cameras_clock, ahead * 1_000_000).unwrap();
    set_boot(&site.clock, 0, number).unwrap();
    site.site.serve().unwrap();
    until("time server and cameras agree", || (state(site)? == "ok").then_some(()));
}

fn state(site: &Site) -> Option<String> {
    site.health()?["clock"]["state"].as_str().map(str::to_owned)
}

fn destroyed(site: &Site) -> u64 {
    let health = until("the health page", || site.health());
    health["destruction"]["camera_hours_destroyed"].as_u64().unwrap()
}
