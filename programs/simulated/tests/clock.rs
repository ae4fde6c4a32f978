//! K9 on real processes: a system clock that somebody sets a month ahead destroys nothing. While no other clock vouches for
//! the time, what it makes due is closed; cameras that agree keep everything as it was.

mod support;

use simulator::{
    clock::{ShiftedClock, set_boot, set_offset, set_offsets},
    rtsp::{Town, TownConfig},
};
use std::sync::Arc;
use support::{Site, credentials, look_back, movie::fetch, now, replay_of, replay_path, sleep, town, until};

const MONTH_MICROS: i64 = 31 * 86_400 * 1_000_000;

#[test]
fn a_system_clock_a_month_ahead_closes_what_would_be_due_and_destroys_nothing() {
    // cameras whose clocks are two hours slow: they vouch for nothing
    let folder = tempfile::tempdir().unwrap();
    set_offset(&folder.path().join("clock"), -7_200_000_000).unwrap();
    let clock = Arc::new(ShiftedClock::over_system(folder.path().join("clock")));
    let town = Town::start(TownConfig { clock, ..TownConfig::for_tests(1, credentials()) }).unwrap();
    let site = Site::serving();
    let start = now();
    let camera = site.add(&town, 1, 1);
    site.until_recording(&camera);
    sleep(4.0);
    let before = now();
    let opens = |to| {
        let operator = site.operator();
        let look = operator.post("/api/looks", &replay_of(&[&camera], start, to)).ok()?;
        let path = replay_path(look["permit"].as_str()?, &camera, start, to);
        operator.open(&path).ok().map(|_| ())
    };
    assert!(opens(before).is_some());
    assert_eq!(status(&site).0, Some(0), "before: {}", status(&site).1);

    set_offsets(&site.clock, MONTH_MICROS, 0).unwrap();
    until("the disagreement is noticed", || (clock_state(&site)? == "alarm").then_some(()));
    let (code, said) = status(&site);
    assert!(code == Some(2) && said.contains("horloge"), "{said}");
    assert!(opens(before).is_none(), "closed by the fastest clock");
    let health = site.health().unwrap();
    let destruction = &health["destruction"];
    assert!(destruction["bytes_closed_unconfirmed"].as_u64().unwrap() > 0, "{destruction}");
    assert_eq!((&destruction["camera_hours_destroyed"], &destruction["bytes_past_deadline"]), (&0.into(), &0.into()));
    assert!(
        site.site.run(&["destroy", "--due"], None).is_err()
            || site.health().unwrap()["destruction"]["camera_hours_destroyed"] == 0
    );
    sleep(4.0);

    set_offset(&site.clock, 0).unwrap();
    until("the time stands again", || (clock_state(&site)? == "warning").then_some(()));
    sleep(3.0);
    let (operator, end) = (site.operator(), now());
    let permit = look_back(&operator, &[&camera], start, end);
    let numbers = fetch(&operator, &replay_path(&permit, &camera, start, end)).numbers();
    assert!(numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "recording did not care: {numbers:?}");
    assert!(numbers.len() > 8 * 12);
    assert_eq!(site.health().unwrap()["destruction"]["camera_hours_destroyed"], 0);
    assert!(site.site.run(&["verify"], None).is_ok());
}

#[test]
fn a_program_started_while_the_clock_is_wrong_gets_the_time_back_from_its_cameras() {
    let town = town(1);
    let mut site = Site::serving();
    let start = now();
    let camera = site.add(&town, 1, 1);
    site.until_recording(&camera);
    sleep(4.0);
    site.site.stop().unwrap();
    set_offsets(&site.clock, MONTH_MICROS, 0).unwrap();
    site.site.serve().unwrap();
    until("a camera vouches for the time", || (clock_state(&site)? == "warning").then_some(()));
    assert_eq!(site.health().unwrap()["destruction"]["camera_hours_destroyed"], 0);
    let said = site.site.run(&["clock"], None).unwrap();
    assert!(said.contains("système") && said.contains("avance de 31 j"), "{said}");
    site.until_recording(&camera);
    set_offset(&site.clock, 0).unwrap();
    until("all clocks agree", || (clock_state(&site)? == "ok").then_some(()));
    let (operator, end) = (site.operator(), now());
    let permit = look_back(&operator, &[&camera], start, end);
    assert!(fetch(&operator, &replay_path(&permit, &camera, start, end)).shown.len() > 3 * 12);
    assert_eq!(site.health().unwrap()["destruction"]["camera_hours_destroyed"], 0);
    assert!(site.site.run(&["verify"], None).is_ok());
}

/// The time server is a month ahead: alone it would be believed two minutes after the start, and kill everything.
#[test]
fn after_a_boot_cameras_contradict_a_false_time_server_before_it_kills_anything() {
    let town = town(2);
    let mut site = Site::serving();
    let start = now();
    let cameras = [site.add(&town, 1, 1), site.add(&town, 2, 1)];
    cameras.iter().for_each(|camera| site.until_recording(camera));
    sleep(4.0);
    let before = now();
    site.site.stop().unwrap();
    set_boot(&site.clock, MONTH_MICROS, 1).unwrap();
    site.site.serve().unwrap();
    until("the cameras contradict the time server", || (clock_state(&site)? == "alarm").then_some(()));
    let destruction = &site.health().unwrap()["destruction"];
    assert_eq!(destruction["camera_hours_destroyed"], 0, "{destruction}");
    assert!(destruction["bytes_closed_unconfirmed"].as_u64().unwrap() > 0, "but it is closed: {destruction}");
    let unsure = site.site.attempt(&["verify", "--ledger-only"], None).unwrap();
    assert!(unsure.code == Some(4) && unsure.stdout.contains("aucune heure ne fait foi"), "{unsure:?}");
    site.site.stop().unwrap();

    set_boot(&site.clock, 0, 2).unwrap();
    site.site.serve().unwrap();
    until("time server and cameras agree", || (clock_state(&site)? == "ok").then_some(()));
    let operator = site.operator();
    let permit = look_back(&operator, &[&cameras[0]], start, before);
    let opened = fetch(&operator, &replay_path(&permit, &cameras[0], start, before));
    assert!(opened.shown.len() > 3 * 12, "everything is there: {}", opened.shown.len());
    assert_eq!(site.health().unwrap()["destruction"]["camera_hours_destroyed"], 0);
}

#[test]
fn after_a_boot_under_a_time_server_recording_does_not_wait_for_the_cameras_clocks() {
    // a camera whose clock is two hours slow: it vouches for nothing
    let folder = tempfile::tempdir().unwrap();
    set_offset(&folder.path().join("clock"), -7_200_000_000).unwrap();
    let clock = Arc::new(ShiftedClock::over_system(folder.path().join("clock")));
    let town = Town::start(TownConfig { clock, ..TownConfig::for_tests(1, credentials()) }).unwrap();
    let mut site = Site::serving();
    let camera = site.add(&town, 1, 1);
    site.until_recording(&camera);
    sleep(2.0);
    site.site.stop().unwrap();
    set_boot(&site.clock, 0, 1).unwrap();
    let booted = now();
    site.site.serve().unwrap();
    let recorded = || {
        let (operator, end) = (site.operator(), now());
        let look = operator.post("/api/looks", &replay_of(&[&camera], booted, end)).ok()?;
        let path = replay_path(look["permit"].as_str()?, &camera, booted, end);
        operator.open(&path).ok()?;
        Some(fetch(&operator, &path).shown.len()).filter(|shown| *shown > 12)
    };
    until("pictures of after the boot can be replayed", recorded);
    assert_eq!(clock_state(&site).as_deref(), Some("warning"), "while no time stands yet");
}

fn clock_state(site: &Site) -> Option<String> {
    site.health()?["clock"]["state"].as_str().map(str::to_owned)
}

fn status(site: &Site) -> (Option<i32>, String) {
    let attempt = site.site.attempt(&["status"], None).unwrap();
    (attempt.code, attempt.stdout + &attempt.stderr)
}
