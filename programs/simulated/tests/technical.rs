//! The arrêté of 3 August 2007 on real figures: what the recorder measured of a real stream, judged by the camera's class.

mod support;

use serde_json::Value;
use support::{Site, town, until};

/// 352 × 288, 12 pictures a second or whatever the simulated cameras send.
const SENT_MILLIHERTZ: u64 = simulator::scene::FRAMES_PER_SECOND as u64 * 1_000;

#[test]
fn a_camera_is_measured_and_what_falls_short_of_its_class_is_told_everywhere_and_stops_nothing() {
    let (town, site) = (town(1), Site::serving());
    let camera = site.add(&town, 1, 30);
    site.until_recording(&camera);
    let of_camera = || site.health()?["cameras"].as_array()?.iter().find(|one| one["id"] == camera.as_str()).cloned();
    assert_eq!(of_camera().unwrap()["shortfalls"], Value::Array(vec![]), "wide views may be so small");

    site.site.run(&["camera", "class", "cam-1", "narrow-view"], None).unwrap();
    let told = until("the picture is too small for a narrow view", || {
        of_camera().filter(|camera| camera["shortfalls"].as_array().is_some_and(|all| !all.is_empty()))
    });
    let short = &told["shortfalls"][0];
    assert_eq!(short["duty"], "TECH-07");
    assert!(short["text_fr"].as_str().unwrap().contains("352×288") && told["state"] == "recording", "{told}");
    let printed = site.site.attempt(&["camera", "list"], None).unwrap().stdout;
    assert!(printed.contains("704×576") && printed.contains("arrêté du 3 août 2007"), "{printed}");
    let status = site.site.attempt(&["status"], None).unwrap();
    assert!(status.stdout.contains("704×576") && status.code == Some(2), "{}", status.stdout);
    let checks = site.health().unwrap()["checks"].clone();
    assert!(checks.to_string().contains(&format!("technical-{camera}")), "{checks}");
    let wrong = site.site.attempt(&["camera", "class", "cam-1", "large"], None).unwrap();
    assert!(wrong.code != Some(0) && wrong.stderr.contains("narrow-view"), "{}", wrong.stderr);

    let measured = until("half a minute of pictures was counted", || {
        let status: Value = serde_json::from_str(&site.site.attempt(&["status", "--json"], None).ok()?.stdout).ok()?;
        let word: Value = serde_json::from_str(status["recorder"].as_str()?).ok()?;
        word["cameras"][0]["millihertz"].as_u64()
    });
    assert!(measured.abs_diff(SENT_MILLIHERTZ) * 50 < SENT_MILLIHERTZ, "{measured} for {SENT_MILLIHERTZ}");
}
