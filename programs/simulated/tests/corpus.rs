//! Installations that earlier versions left are read whole by this one: opened, upgraded, verified, replayed with their keys, and their
//! footage catalog made anew from the reels (`corpus/README.md`). Also makes one: `cargo xtask corpus NUMBER`.

mod support;

use domain::UtcMicros;
use serde_json::{Value, json};
use simulator::{
    clock::{ShiftedClock, set_offset},
    coding::{Coding, Group},
    installation::Browser,
    rtsp::{Scenes, Town, TownConfig},
    scene::Setting,
};
use std::{fs, path::Path, sync::Arc};
use support::{
    DAY_SECONDS, HOUR_SECONDS, Site,
    corpus::{self, Old, pack, unpack},
    credentials,
    movie::{Shown, try_fetch},
    now, replay_of, replay_path, until,
};

/// A verdict waits so long for cameras that contradict a time server after a boot.
const AWAITED_SECONDS: i64 = domain::limit::CAMERAS_AWAITED_SECONDS;

#[test]
fn every_installation_of_the_corpus_is_opened_verified_replayed_and_rebuilt() {
    let folders = corpus::folders();
    assert!(!folders.is_empty(), "there is a corpus");
    for (version, folder) in folders {
        let mut old = unpack(version, &folder);
        println!("corpus {}: left by {}", old.version, old.told["left_by"]);
        // a footage catalog that lay elsewhere is moved, or made anew, by the first start only
        assert_verified(&old.site, &["verify", "--ledger-only"], "as it was left");
        let checked = old.site.site.attempt(&["config", "check"], None).unwrap();
        assert_eq!(checked.code, Some(0), "{checked:?}");
        old.site.site.serve().unwrap();
        old.boots_at(60, AWAITED_SECONDS + 10);
        assert_replays(&old);
        until_verified(&old);
        old.site.site.stop().unwrap();

        let lost = footage_files(&old.site.site.folder.join("data"));
        assert!(!lost.is_empty(), "there is a footage catalog to lose");
        lost.iter().for_each(|file| fs::remove_file(file).unwrap());
        old.site.site.serve().unwrap();
        assert_replays(&old);
        until_verified(&old);
        old.site.site.stop().unwrap();
        assert_verified(&old.site, &["verify"], "after this version used it");
    }
}

fn assert_verified(site: &Site, arguments: &[&str], when: &str) {
    let verified = site.site.attempt(arguments, None).unwrap();
    assert_eq!(verified.code, Some(0), "{when}: {verified:?}");
}

/// Store, catalog, keyring and ledger agree, and the time stands by which nothing is overdue: this boot's was listened for.
fn until_verified(old: &Old) {
    until("`vigie verify` holds", || (old.site.site.attempt(&["verify"], None).ok()?.code == Some(0)).then_some(()));
}

fn footage_files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(footage_files(&path));
        } else if path.file_name().unwrap().to_string_lossy().starts_with("footage.db") {
            found.push(path);
        }
    }
    found
}

/// Every picture that could be replayed when it was left is shown as then, and nothing that was destroyed.
fn assert_replays(old: &Old) {
    for camera in old.told["cameras"].as_array().unwrap() {
        let (id, from, to) = (camera["id"].as_str().unwrap(), micros(&camera["from"]), micros(&camera["to"]));
        let expected = camera["pictures"].as_array().unwrap();
        until(&format!("corpus {}: {id} is replayed whole", old.version), || {
            let shown = seen(&old.site.operator(), id, from, to)?;
            let all = |one: &Value| shown.contains(one);
            expected.iter().all(all).then_some(())
        });
    }
    let dead = &old.told["destroyed"];
    let (id, from, to) = (dead["id"].as_str().unwrap(), micros(&dead["from"]), micros(&dead["to"]));
    assert_eq!(seen(&old.site.operator(), id, from, to), None, "what was destroyed stays destroyed");
}

fn micros(value: &Value) -> UtcMicros {
    UtcMicros(value.as_i64().unwrap())
}

/// Number, time and content of each picture of a replay; `None` where nothing opens.
fn seen(operator: &Browser<'_>, id: &str, from: UtcMicros, to: UtcMicros) -> Option<Vec<Value>> {
    let look = operator.post("/api/looks", &replay_of(&[id], from, to)).ok()?;
    let movie = try_fetch(operator, &replay_path(look["permit"].as_str()?, id, from, to))?;
    Some(movie.shown.iter().map(told).collect())
}

fn told(shown: &Shown) -> Value {
    let hex = |digest: &[u8; 32]| digest[..8].iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let nals: Vec<String> = shown.nal_digests.iter().map(hex).collect();
    json!([shown.mark.frame, shown.utc.0, nals.join(" ")])
}

/// Two cameras over some short hours, one of whose first hour dies; a reel whose recorder was killed; gaps with their causes.
#[test]
#[ignore = "makes a folder of the corpus: `cargo xtask corpus NUMBER`"]
fn an_installation_is_recorded_and_packed_for_the_corpus() {
    let to = std::env::var_os("VIGIE_CORPUS").expect("`VIGIE_CORPUS` names the folder to make");
    let hour = UtcMicros::from_seconds((now().seconds() / HOUR_SECONDS + 1) * HOUR_SECONDS);
    let mut site = Site::installed(hour.seconds() + 20 - now().seconds());
    site.configure(|text| text.replace("slot_mebibytes = 8", "slot_mebibytes = 4"));
    site.begin();
    let clock = Arc::new(ShiftedClock::over_system(&site.clock));
    // a quiet night, one key picture a session, and no camera longer than it must: sealed pictures do not compress, and the folder
    // is kept for ever
    let (codings, scenes) = (vec![Coding { group: Group::Long, ..Coding::default() }], Scenes::Always(Setting::Night));
    let town = TownConfig { clock, codings, scenes, ..TownConfig::for_tests(2, credentials()) };
    let town = Town::start(town).unwrap();
    let start = site.now();
    let add = |number: u32, days| {
        let id = site.add(&town, number, days);
        town.cameras[number as usize - 1].stop();
        id
    };
    let ids = [add(1, 1), add(2, 30)];
    town.cameras.iter().for_each(|camera| camera.restart());
    site.until_durable_after(&ids, site.now());
    let first_end = site.now();
    town.cameras[0].stop();
    assert!(site.site.kill("recorder").unwrap());
    site.until_durable_after(&ids[1..], site.now().plus_seconds(1));
    let second_end = site.now().plus_seconds(-1);
    town.cameras[1].stop();
    // the first hour dies of one camera, and lives of the other
    set_offset(&site.clock, hour.plus_seconds(DAY_SECONDS + 20).since(now())).unwrap();
    until("the short hour is destroyed", || site.fate(&ids[0], hour).filter(|state| state == "destroyed"));
    town.cameras[0].restart();
    site.until_durable_after(&ids[..1], site.now().plus_seconds(1));
    let end = site.now().plus_seconds(-1);
    town.cameras[0].stop();
    let operator = site.operator();
    let cameras: Vec<Value> = [(&ids[0], hour.plus_seconds(DAY_SECONDS), end), (&ids[1], start, second_end)]
        .map(|(id, from, to)| {
            let pictures = seen(&operator, id, from, to).expect("it opens");
            assert!(pictures.len() > 6, "{}", pictures.len());
            json!({"id": id, "from": from.0, "to": to.0, "pictures": pictures})
        })
        .into();
    let left_by = operator.get("/api/site").unwrap()["version"].clone();
    drop(operator);
    let destroyed = json!({"id": ids[0], "from": start.0, "to": first_end.0});
    assert_eq!(site.site.attempt(&["verify"], None).unwrap().code, Some(0));
    site.site.stop().unwrap();
    pack(&site, json!({"left_by": left_by, "cameras": cameras, "destroyed": destroyed}), Path::new(&to));
}
