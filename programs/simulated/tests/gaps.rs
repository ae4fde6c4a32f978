//! Cameras that misbehave, a recorder that dies and one that is stopped: every second without footage has a beginning, an end
//! and a cause, on the timeline, in the reels and in a catalog made anew (R12); another device is no camera (R13).

mod support;

use simulator::rtsp::Fault;
use std::fs;
use support::{
    Site, now, sleep,
    timeline::{check_covered, has_cause, timeline},
    town, until,
};

#[test]
fn every_second_without_footage_has_a_beginning_an_end_and_a_cause_also_in_a_catalog_made_anew() {
    let town = town(5);
    let mut site = Site::serving();
    let start = now();
    let cameras: Vec<String> = (1..=5).map(|number| site.add(&town, number, 30)).collect();
    cameras.iter().for_each(|camera| site.until_recording(camera));
    sleep(2.0);
    let faults = [Fault::Refuse, Fault::Drop, Fault::Stall, Fault::JumpForward, Fault::Overload];
    let faulty = |set: bool| {
        for (camera, fault) in town.cameras.iter().zip(faults) {
            if set { camera.set(fault) } else { camera.clear(fault) }
        }
    };
    faulty(true);
    sleep(12.0);
    faulty(false);
    cameras.iter().for_each(|camera| site.until_recording(camera));
    sleep(2.0);

    site.site.kill("recorder").unwrap();
    sleep(3.0);
    cameras.iter().for_each(|camera| site.until_recording(camera));
    sleep(2.0);
    site.site.stop().unwrap();
    sleep(3.0);
    site.site.serve().unwrap();
    cameras.iter().for_each(|camera| site.until_recording(camera));
    sleep(3.0);

    let words = ["ne répond pas", "a fermé la session", "n'envoie plus d'image", "", "plus que ce qui peut"];
    let mut known = Vec::new();
    for (camera, words) in cameras.iter().zip(words) {
        check_covered(&site, camera, start, now());
        let (_, gaps) = timeline(&site, camera, start);
        assert!(words.is_empty() || has_cause(&gaps, words), "{words}: {gaps:#?}");
        for cause in ["L'enregistreur ne fonctionnait pas", "arrêté volontairement"] {
            assert!(has_cause(&gaps, cause), "{cause}: {gaps:#?}");
        }
        assert!(gaps.iter().all(|gap| gap.to.is_some()), "all are recorded: {gaps:#?}");
        known.push(gaps);
    }
    assert_eq!(known[3].len(), 2, "a jump of the camera's clock costs nothing: {:#?}", known[3]);

    site.site.stop().unwrap();
    for file in ["footage.db", "footage.db-wal", "footage.db-shm"] {
        fs::remove_file(site.site.folder.join("data/footage").join(file)).ok();
    }
    site.site.serve().unwrap();
    for (camera, known) in cameras.iter().zip(&known) {
        site.until_recording(camera);
        until("the gaps are known again", || {
            let (_, gaps) = timeline(&site, camera, start);
            known.iter().all(|gap| gaps.contains(gap)).then_some(())
        });
        sleep(1.5);
        check_covered(&site, camera, start, now());
    }
}

#[test]
fn another_device_at_a_cameras_address_is_refused_until_it_is_confirmed() {
    let town = town(2);
    let site = Site::serving();
    let cameras: Vec<String> = (1..=2).map(|number| site.add(&town, number, 30)).collect();
    cameras.iter().for_each(|camera| site.until_recording(camera));
    let confirm = || site.site.attempt(&["camera", "confirm", "cam-1"], None).unwrap();
    let same = confirm();
    assert_eq!(same.code, Some(0), "{}", same.stderr);
    assert!(same.stdout.contains("rien n'a changé"), "{}", same.stdout);

    let played = |number: usize| town.cameras[number].sent().len();
    town.cameras[0].set(Fault::OtherDevice);
    until("the other device is refused", || {
        let health = site.health()?;
        let camera = health["cameras"].as_array()?.iter().find(|one| one["id"] == cameras[0])?.clone();
        let told = camera["detail_fr"].as_str()?.contains("Un autre appareil");
        (camera["state"] == "refused" && told).then_some(())
    });
    let (before, other_before) = (played(0), played(1));
    sleep(3.0);
    assert_eq!(played(0), before, "the other device was asked for pictures");
    assert!(played(1) > other_before, "the other camera is recorded on");

    let shown = confirm();
    assert!(shown.code == Some(1) && shown.stdout.contains("Rien n'est confirmé"), "{shown:?}");
    assert!(shown.stdout.contains("realm") && shown.stdout.contains("→"), "the device is shown first: {shown:?}");
    let code = shown.stdout.split("--device ").nth(1).unwrap().trim().to_owned();
    let confirm_shown =
        |code: &str| site.site.attempt(&["camera", "confirm", "cam-1", "--device", code], None).unwrap();
    let other = confirm_shown(&code.chars().rev().collect::<String>());
    assert!(other.code == Some(1) && other.stderr.contains("un autre appareil répond"), "{other:?}");
    sleep(2.0);
    assert_eq!(played(0), before, "nothing was pinned by showing it, nor by another code");

    let confirmed = confirm_shown(&code);
    assert_eq!(confirmed.code, Some(0), "{}", confirmed.stderr);
    for words in ["realm", "server", "→", "Appareil confirmé"] {
        assert!(confirmed.stdout.contains(words), "{words}: {}", confirmed.stdout);
    }
    site.until_recording(&cameras[0]);
    assert!(played(0) > before);
    let unknown = site.site.attempt(&["camera", "confirm", "inconnue"], None).unwrap();
    assert!(unknown.code != Some(0) && unknown.stderr.contains("vigie camera list"), "{}", unknown.stderr);
}
