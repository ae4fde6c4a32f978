//! The order of a camera that records ends: recording, live pictures and replay stop, everybody is told why, and a new order
//! lets it go on.

mod support;

use serde_json::Value;
use simulator::dossier;
use std::io::Read;
use support::{Site, look_back, now, replay_of, town, until};

#[test]
fn at_the_end_of_its_order_a_camera_stops_and_goes_on_with_the_next() {
    let (town, site) = (town(1), Site::serving());
    let camera = site.add(&town, 1, 30);
    site.until_recording(&camera);
    support::sleep(3.0);
    let operator = site.operator();
    let live = serde_json::json!({"kind": "live", "cameras": [&camera], "purpose": 5, "reason": support::REASON});
    let permit = operator.post("/api/looks", &live).unwrap()["permit"].as_str().unwrap().to_owned();
    let mut pictures = operator.open(&format!("/media/{permit}/{camera}/live")).unwrap();
    let mut buffer = [0; 4096];
    assert!(0 < pictures.read(&mut buffer).unwrap(), "live pictures come");
    let past = look_back(&operator, &[&camera], now().plus_seconds(-2), now());

    let list: Value = serde_json::from_str(&site.site.run(&["act", "list", "--json"], None).unwrap()).unwrap();
    let order = list.as_array().unwrap().iter().find(|act| act["facts"]["kind"] == "authorisation").unwrap();
    let end = now().plus_seconds(3);
    site.site.run(&["act", "withdraw", order["id"].as_str().unwrap(), "--from", &end.to_string()], None).unwrap();
    // the stream ends by itself, or its reading is given up
    while pictures.read(&mut buffer).is_ok_and(|read| 0 < read) {
        assert!(now() < end.plus_seconds(30), "live pictures after the order's end");
    }
    let of_camera = || {
        let health = site.health()?;
        let camera = health["cameras"].as_array()?.iter().find(|one| one["id"] == camera.as_str())?.clone();
        Some(camera)
    };
    until("the health page says so", || of_camera().filter(|camera| camera["state"] == "refused"));
    let told = of_camera().unwrap();
    assert_eq!(
        (told["missing"][0]["rule"].as_str(), told["missing"][0]["blocks"].as_bool()),
        (Some("act-authorisation"), Some(true))
    );
    assert!(told["detail_fr"].as_str().unwrap().contains("CSI L252-1"), "{told}");
    for (arguments, said) in [(["camera", "list"], "n'enregistre pas"), (["act", "list"], "Engagement de conformité")]
    {
        let printed = site.site.attempt(&arguments, None).unwrap().stdout;
        assert!(printed.contains(said), "{printed}");
    }
    assert_eq!(site.site.attempt(&["status"], None).unwrap().code, Some(2), "an alarm");

    let refused = operator.post("/api/looks", &replay_of(&[&camera], end.plus_seconds(-4), end)).unwrap_err();
    assert!(refused.body().to_string().contains("CSI L252-1"), "{}", refused.body());
    let path = support::replay_path(&past, &camera, end.plus_seconds(-4), end);
    assert!(operator.stream(&path, 1 << 20).is_err(), "an open replay is closed, too");

    let gap = until("the gap has its cause", || {
        let paris = jiff::tz::TimeZone::get("Europe/Paris").unwrap();
        let date = jiff::Timestamp::from_microsecond(end.0).unwrap().to_zoned(paris).date();
        let day = site.operator().get(&format!("/api/cameras/{camera}/day?date={date}")).ok()?;
        let gaps = day["gaps"].as_array()?.clone();
        gaps.into_iter()
            .find(|gap| gap["cause_fr"].as_str().is_some_and(|cause| cause.contains("n'était pas en vigueur")))
    });
    assert!(gap["from"].as_str().unwrap() <= end.plus_seconds(4).to_string().as_str(), "within seconds: {gap} {end}");

    site.site.import(&dossier::authorisation()).unwrap();
    site.until_recording(&camera);
    assert_eq!(operator.post("/api/looks", &live).map(|_| ()).map_err(|error| error.body()), Ok(()));
    let verified = site.site.attempt(&["verify"], None).unwrap();
    assert_eq!(verified.code, Some(0), "{}{}", verified.stdout, verified.stderr);
}
