//! A camera that is named by its ONVIF address alone: whatever its clock says and whatever it believes its own address to be, its
//! streams are found, recorded, and nothing else is asked of it.

mod support;

use simulator::{
    coding::Coding,
    onvif::{Asks, Device, Habits, Offered},
    rtsp::{Town, TownConfig},
};
use support::{Site, credentials, now};

const YEAR_SECONDS: i64 = 365 * 86_400;
/// All that may be asked: nothing sets, subscribes or asks for metadata.
const READS: [&str; 6] =
    ["GetSystemDateAndTime", "GetServices", "GetCapabilities", "GetDeviceInformation", "GetProfiles", "GetStreamUri"];

fn find(site: &Site, device: &Device, password: &str) -> simulator::installation::Attempt {
    let arguments = ["camera", "find", &device.address(), "--user", "vigie", "--password-stdin"];
    site.site.attempt(&arguments, Some(password)).unwrap()
}

#[test]
fn whatever_a_device_s_clock_and_makers_habits_its_streams_are_found() {
    let site = Site::installed(0);
    let habits = Habits::example;
    let devices = [
        ("Media 2", habits(true)),
        ("Media 1", habits(false)),
        ("three minutes ahead", Habits { clock_ahead: 180, ..habits(true) }),
        ("a year behind", Habits { clock_ahead: -YEAR_SECONDS, ..habits(false) }),
        ("HTTP Digest", Habits { asks: Asks::Digest, clock_ahead: -YEAR_SECONDS, ..habits(true) }),
        ("HTTP Digest, also for the time", Habits { asks: Asks::Digest, hides_time: true, ..habits(true) }),
        ("behind a router", Habits { believes: "http://192.168.1.64:8000".into(), ..habits(true) }),
    ];
    for (name, habits) in devices {
        let device = Device::start(habits.clone()).unwrap();
        let found = find(&site, &device, "seen");
        let said = &found.stdout;
        assert_eq!(found.code, Some(0), "{name}: {}", found.stderr);
        assert!(said.contains("Simulated Street 1"), "{name}: {said}");
        assert!(
            said.contains("rtsp://127.0.0.1:554/main\n") && said.contains("rtsp://127.0.0.1:554/sub?a=1&b=2\n"),
            "{said}"
        );
        assert_eq!(said.contains("horloge"), habits.clock_ahead != 0, "{name}: {said}");
        assert!(said.contains("n° 506370"), "{name}: its own analysis is named: {said}");
        let asked = device.asked();
        assert!(asked.iter().all(|one| READS.contains(&one.as_str())), "{name}: {asked:?}");
    }
}

#[test]
fn a_device_that_refuses_or_is_none_is_named_with_the_remedy_and_gets_no_password_in_clear() {
    let site = Site::installed(0);
    let token = Device::start(Habits::example(true)).unwrap();
    let basic = Device::start(Habits { asks: Asks::Basic, ..Habits::example(true) }).unwrap();
    let camera = Town::start(TownConfig::for_tests(1, credentials())).unwrap();
    let closed = Device::start(Habits::example(true)).unwrap().address();
    for (address, password, words) in [
        (token.address(), "wrong", "refuse cet utilisateur"),
        (basic.address(), "seen", "en clair"),
        (camera.cameras[0].url().replace("rtsp://", "onvif://"), "seen", "n'y répond en HTTP"),
        (closed, "seen", "n'y répond en HTTP"),
        ("onvif://a:seen@127.0.0.1".into(), "seen", "à part"),
        ("onvif://".into(), "seen", "illisible"),
    ] {
        let arguments = ["camera", "find", &address, "--user", "vigie", "--password-stdin"];
        let attempt = site.site.attempt(&arguments, Some(password)).unwrap();
        assert!(attempt.code != Some(0) && attempt.stderr.contains(words), "{words}: {}", attempt.stderr);
        assert!(!attempt.stderr.contains("seen"), "{}", attempt.stderr);
    }
}

#[test]
fn a_camera_named_by_its_onvif_address_alone_is_recorded_with_the_stream_that_browsers_play() {
    let config = TownConfig::for_tests(1, credentials());
    let town = TownConfig { codings: vec![Coding::H265], sub_stream: Some(Coding::default()), ..config };
    let town = Town::start(town).unwrap();
    let camera = &town.cameras[0];
    let elsewhere = |url: String| url.replace("127.0.0.1", "0.0.0.0");
    let offered = |encoding, size, url| Offered { source: "lens_0", encoding, size, url };
    let device = Device::start(Habits {
        clock_ahead: 180,
        credentials: credentials(),
        streams: vec![
            offered("H264", (352, 288), elsewhere(camera.sub_url().unwrap())),
            offered("H265", (1920, 1080), elsewhere(camera.url())),
        ],
        ..Habits::example(true)
    })
    .unwrap();
    let site = Site::serving();
    let start = now();
    let id = site.add_url("cam-onvif", &device.address(), 30);
    site.until_durable_after(std::slice::from_ref(&id), start);
    let cameras = site.operator().get("/api/cameras").unwrap();
    assert_eq!(cameras[0]["sub"]["codec"], "H264", "{cameras}");
    assert_eq!(device.asked().len(), 6, "it was asked once, and never again: {:?}", device.asked());
}
