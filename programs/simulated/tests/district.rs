//! The power of a whole district comes back (C15): all cameras at once, and each is recorded again, without a stampede.
//!
//! Short here; `make faults` plays it with three hundred (`VIGIE_DISTRICT_CAMERAS`).

mod support;

use simulator::rtsp::{Town, TownConfig};
use std::{
    sync::atomic::Ordering::Relaxed,
    thread,
    time::{Duration, Instant},
};
use support::{Site, credentials, now, timeline::has_cause, timeline::timeline};

/// Longer than the longest wait between two attempts, so that each camera waits as long as it ever does.
const DARK: Duration = Duration::from_secs(25);
/// Attempts are counted in pieces of this.
const PIECE: Duration = Duration::from_millis(500);
/// Of all cameras may come back within one piece: waits are spread over ten seconds, so a twentieth is what to expect.
const SHARE_MAX: f64 = 0.4;
const ADDED_AT_ONCE: usize = 8;
/// Looks at their health, half a second apart. How long it takes is told, not judged: what is judged is that they come back.
const LOOKS: u32 = 360;

#[test]
fn when_the_power_of_a_district_comes_back_every_camera_is_recorded_again_and_attempts_are_spread() {
    let cameras: u32 = std::env::var("VIGIE_DISTRICT_CAMERAS").map_or(16, |text| text.parse().unwrap());
    let town =
        Town::start(TownConfig { remember_sent: false, ..TownConfig::for_tests(cameras, credentials()) }).unwrap();
    let mut site = Site::installed(0);
    if cameras > 100 {
        site.configure(|text| text.replace("gibibytes_max = 4", "gibibytes_max = 20"));
    }
    site.begin();
    let start = now();
    let ids = add_all(&site, &town);
    until_all(&site, &ids, start);
    town.cameras.iter().for_each(|camera| camera.stop());
    thread::sleep(DARK);
    let (dark, back, before) = (now(), Instant::now(), town.counters.plays.load(Relaxed));
    town.cameras.iter().for_each(|camera| camera.restart());
    let pieces = thread::scope(|scope| {
        let counted = scope.spawn(|| count(&town, before, u64::from(cameras)));
        until_all(&site, &ids, dark);
        println!("{cameras} cameras are durable again {:.1} s after the power", back.elapsed().as_secs_f64());
        counted.join().unwrap()
    });
    println!("sessions by half second: {pieces:?}");
    let most = pieces.iter().copied().max().unwrap_or(0);
    assert!((most as f64) < SHARE_MAX * f64::from(cameras), "{most} of {cameras} at once: {pieces:?}");
    let (_, gaps) = timeline(&site, &ids[0], start);
    assert!(has_cause(&gaps, "répond"), "the dark is a gap with its cause: {gaps:#?}");
}

/// Each is looked at for some seconds before it is taken, so several at a time.
fn add_all(site: &Site, town: &Town) -> Vec<String> {
    let first = site.add(town, 1, 30); // with what the whole site needs
    let numbers: Vec<u32> = (2..=town.cameras.len() as u32).collect();
    let lanes = numbers.chunks(numbers.len().div_ceil(ADDED_AT_ONCE));
    let others = thread::scope(|scope| {
        let add = |lane: &[u32]| lane.iter().map(|number| site.add(town, *number, 30)).collect::<Vec<_>>();
        let adding: Vec<_> = lanes.map(|lane| scope.spawn(move || add(lane))).collect();
        adding.into_iter().flat_map(|lane| lane.join().unwrap()).collect::<Vec<_>>()
    });
    std::iter::once(first).chain(others).collect()
}

/// How many sessions began in each piece, until as many as there are cameras did.
fn count(town: &Town, before: u64, cameras: u64) -> Vec<u64> {
    let (mut pieces, mut seen) = (Vec::new(), before);
    while seen < before + cameras && pieces.len() < 240 {
        thread::sleep(PIECE);
        let plays = town.counters.plays.load(Relaxed);
        pieces.push(plays - seen);
        seen = plays;
    }
    pieces
}

fn until_all(site: &Site, ids: &[String], instant: domain::UtcMicros) {
    let durable = |id: &String, cameras: &[serde_json::Value]| {
        let camera = cameras.iter().find(|one| one["id"] == **id)?;
        let last: jiff::Timestamp = camera["last_durable"].as_str()?.parse().ok()?;
        (camera["state"] == "recording" && last.as_microsecond() > instant.0).then_some(())
    };
    let mut missing = ids.len();
    for _ in 0..LOOKS {
        let health = site.health();
        let cameras = health.as_ref().and_then(|health| health["cameras"].as_array().cloned()).unwrap_or_default();
        missing = ids.iter().filter(|id| durable(id, &cameras).is_none()).count();
        if missing == 0 {
            return;
        }
        thread::sleep(PIECE);
    }
    panic!("{missing} of {} cameras are not durable", ids.len());
}
