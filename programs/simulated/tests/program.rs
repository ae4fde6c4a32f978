//! The program in an operator's hands, on real processes: a lost catalog comes back by itself, everything is held against
//! everything, the configuration tells where each value comes from, a full disk is told.

mod support;

use domain::UtcMicros;
use serde_json::Value;
use simulator::{
    clock::{ShiftedClock, set_offset},
    installation::Attempt,
    rtsp::{Town, TownConfig},
};
use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{FileExt, PermissionsExt},
    path::PathBuf,
    sync::Arc,
};
use support::{
    DAY_SECONDS, HOUR_SECONDS, Site, credentials, look_back, movie::fetch, now, replay_path, sleep, town, until,
};

#[test]
fn a_catalog_lost_or_damaged_while_the_recorder_is_killed_comes_back_with_nobody_there() {
    let town = town(2);
    let start = UtcMicros::from_seconds((now().seconds() / HOUR_SECONDS + 1) * HOUR_SECONDS);
    let site = Site::serving_at(start.seconds() + 20 - now().seconds());
    let cameras = [site.add(&town, 1, 1), site.add(&town, 2, 2)];
    cameras.iter().for_each(|camera| site.until_recording(camera));
    sleep(12.0);
    let begin = site.now().plus_seconds(-10);
    let seen = numbers(&site, &cameras[0], begin);
    assert!(seen.len() > 60, "{seen:?}");
    for round in ["deleted", "overwritten"] {
        let catalog = site.site.folder.join("data/footage/footage.db");
        // before the kill: a recorder that starts at once must find it so
        match round {
            "deleted" => files_of(&catalog).iter().for_each(|file| fs::remove_file(file).unwrap()),
            _ => {
                let file = fs::File::options().write(true).open(&catalog).unwrap();
                file.write_all_at(&[0xEE; 16_384], 0).unwrap();
                fs::remove_file(catalog.with_file_name("footage.db-wal")).ok();
            }
        }
        assert!(site.site.kill("recorder").unwrap());
        until("what was recorded before is shown again", || {
            numbers_or_none(&site, &cameras[0], begin).filter(|now| seen.iter().all(|number| now.contains(number)))
        });
        cameras.iter().for_each(|camera| site.until_recording(camera));
        until("store, catalog, keyring and ledger agree", || {
            let verified = attempt(&site, &["verify"]);
            (verified.code == Some(0) && verified.stdout.contains("disent la même chose")).then_some(())
        });
    }
    // what the catalog lost is lost for nobody's deadline
    set_offset(&site.clock, start.plus_seconds(DAY_SECONDS - 590).since(now())).unwrap();
    until("the short hour is destroyed", || site.fate(&cameras[0], start).filter(|state| state == "destroyed"));
    assert!(numbers_or_none(&site, &cameras[0], begin).is_none());
    assert!(!numbers(&site, &cameras[1], begin).is_empty());
    let rebuilt = attempt(&site, &["catalog", "rebuild"]);
    assert!(rebuilt.code == Some(0) && rebuilt.stdout.contains("Catalogue refait"), "{rebuilt:?}");
    until("everything agrees after the destruction", || (attempt(&site, &["verify"]).code == Some(0)).then_some(()));
}

#[test]
fn a_catalog_made_anew_on_command_says_the_same_rows_while_recording_goes_on() {
    let town = town(2);
    let mut site = Site::serving();
    let start = now();
    let cameras = [site.add(&town, 1, 30), site.add(&town, 2, 30)];
    cameras.iter().for_each(|camera| site.until_recording(camera));
    sleep(5.0);
    site.site.stop().unwrap();
    let lost = rows(&site);
    assert!(!lost.is_empty());
    let catalog = site.site.folder.join("data/footage/footage.db");
    files_of(&catalog).iter().for_each(|file| fs::remove_file(file).unwrap());
    site.site.serve().unwrap();
    until("the rows are there again", || {
        let now = rows(&site);
        lost.iter().all(|(reel, row)| now.get(reel) == Some(row)).then_some(())
    });
    cameras.iter().for_each(|camera| site.until_recording(camera));
    let (before, meanwhile) = (numbers(&site, &cameras[0], start), now());
    let rebuilt = attempt(&site, &["catalog", "rebuild"]);
    assert!(rebuilt.code == Some(0) && rebuilt.stdout.contains("Catalogue refait"), "{rebuilt:?}");
    let recorded = until("eight seconds are recorded meanwhile", || {
        numbers_or_none(&site, &cameras[0], meanwhile).filter(|numbers| numbers.len() > 80)
    });
    assert!(recorded.windows(2).all(|pair| pair[1] == pair[0] + 1), "recording goes on: {recorded:?}");
    assert_eq!(numbers(&site, &cameras[0], start), before);
    let now = rows(&site);
    assert!(lost.iter().all(|(reel, row)| now.get(reel) == Some(row)));
}

#[test]
fn verify_names_what_contradicts_what_with_vigie_running_and_stopped() {
    let town = town(1);
    let mut site = Site::serving();
    let camera = site.add(&town, 1, 30);
    site.until_recording(&camera);
    sleep(4.0);
    site.site.stop().unwrap();
    let whole = attempt(&site, &["verify", "--json"]);
    let json: Value = serde_json::from_str(&whole.stdout).unwrap();
    assert_eq!(
        (whole.code, &json["holds"], &json["footage"]["disagreements"]),
        (Some(0), &true.into(), &Value::from(Vec::<Value>::new()))
    );
    assert!(json["footage"]["reels"].as_u64().unwrap() > 0);
    // a bit of a picture is flipped while nobody looks
    let slot = site.site.folder.join("store/slots/00000001.slot");
    let file = fs::File::options().read(true).write(true).open(&slot).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, 6_000).unwrap();
    file.write_all_at(&[!byte[0]], 6_000).unwrap();
    let check = |site: &Site, word: &str| {
        let found = attempt(site, &["verify"]);
        assert!(
            found.code == Some(3) && found.stdout.contains(word) && found.stdout.contains("se contredisent"),
            "{found:?}"
        );
        assert!(found.stdout.contains("✓ Le registre est entier"), "the log itself holds: {found:?}");
    };
    check(&site, "est abîmée");
    site.site.serve().unwrap();
    site.until_recording(&camera);
    check(&site, "est abîmée");
    let quiet = attempt(&site, &["verify", "--ledger-only"]);
    assert_eq!(quiet.code, Some(0), "{quiet:?}");
    file.write_all_at(&byte, 6_000).unwrap();
    until("mended, everything agrees", || (attempt(&site, &["verify"]).code == Some(0)).then_some(()));
}

#[test]
fn the_configuration_tells_where_each_value_comes_from_and_what_this_machine_cannot_do() {
    let mut site = Site::installed(0);
    let config = site.site.folder.join("vigie.toml");
    site.site.variable("VIGIE_SITE_NAME", "Bourg-en-Variable");
    let shown = attempt(&site, &["config", "show"]);
    for line in [
        "site.name = \"Bourg-en-Variable\"  (environnement)",
        "store.gibibytes_max = 4 Gio  (fichier)",
        "log.level = \"info\"  (défaut)",
    ] {
        assert!(shown.stdout.contains(line), "{line}: {}", shown.stdout);
    }
    let checked = attempt(&site, &["config", "check"]);
    assert!(checked.code == Some(0) && checked.stdout.contains("sur un seul support"), "{checked:?}");
    site.site.init().unwrap();
    assert_eq!(attempt(&site, &["config", "check"]).code, Some(0));

    let right = fs::read_to_string(&config).unwrap();
    let port = site.site.port;
    let refused = |text: String, words: &[&str]| {
        fs::write(&config, text).unwrap();
        let checked = attempt(&site, &["config", "check"]);
        let said = format!("{}{}", checked.stdout, checked.stderr);
        assert_eq!(checked.code, Some(1), "{said}");
        words.iter().for_each(|word| assert!(said.contains(word), "`{word}`: {said}"));
    };
    refused(
        right.replace("gibibytes_max = 4", "gibibytes_max = 4000000"),
        &["store.gibibytes_max", "Le disque ne peut donner que"],
    );
    refused(right.replace("slot_mebibytes", "slot_mebibyte"), &["vouliez-vous dire `store.slot_mebibytes`"]);
    refused(right.replace("slot_mebibytes = 8", "slot_mebibytes = 3"), &["store.slot_mebibytes"]);
    let passphrase = site.site.folder.join("passphrase");
    fs::set_permissions(&passphrase, fs::Permissions::from_mode(0o644)).unwrap();
    refused(right.clone(), &["keyring.passphrase_file", "chmod 0400"]);
    fs::set_permissions(&passphrase, fs::Permissions::from_mode(0o400)).unwrap();
    let taken = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    refused(right.clone(), &["web.listen", "est pris par un autre programme"]);
    drop(taken);
    let other = Site::installed(0);
    other.site.init().unwrap();
    let (ours, theirs) =
        (site.site.folder.join("store").display().to_string(), other.site.folder.join("store").display().to_string());
    refused(right.replace(&ours, &theirs), &["store.folder", "autre site"]);
    let (one, two) = (site.site.folder.join("keyring-1"), site.site.folder.join("keyring-2"));
    let same = right.replace(&two.display().to_string(), &one.join("inside").display().to_string());
    fs::create_dir_all(one.join("inside")).unwrap();
    refused(same, &["keyring.copies", "un seul dossier"]);
    fs::remove_dir(one.join("inside")).unwrap();
    fs::write(&config, &right).unwrap();
    site.site.variable("VIGIE_STOER_FOLDER", "/x");
    let unknown = attempt(&site, &["config", "show"]);
    assert!(
        unknown.code == Some(1) && unknown.stderr.contains("vouliez-vous dire `VIGIE_STORE_FOLDER` ?"),
        "{unknown:?}"
    );
}

#[test]
fn an_order_whose_minimum_and_maximum_delay_cannot_both_be_kept_is_refused() {
    let town = town(1);
    let mut site = Site::serving();
    site.add(&town, 1, 1);
    site.site.variable("VIGIE_RETENTION_MINIMUM_HOURS", "12");
    let fits = attempt(&site, &["config", "check"]);
    assert!(fits.code == Some(0) && fits.stdout.contains("laissent 12 h"), "{fits:?}");
    site.site.variable("VIGIE_RETENTION_MINIMUM_HOURS", "24");
    let refused = attempt(&site, &["config", "check"]);
    assert!(refused.code == Some(1) && refused.stdout.contains("les deux ne se peuvent"), "{refused:?}");
}

#[test]
fn closed_footage_whose_keys_wait_is_counted_in_bytes_and_no_more_when_the_clock_is_right() {
    // two hours slow: a camera that vouched for the time would let it stand, and nothing would wait
    let folder = tempfile::tempdir().unwrap();
    set_offset(&folder.path().join("clock"), -7_200_000_000).unwrap();
    let clock = Arc::new(ShiftedClock::over_system(folder.path().join("clock")));
    let town = Town::start(TownConfig { clock, ..TownConfig::for_tests(1, credentials()) }).unwrap();
    let site = Site::serving();
    let camera = site.add(&town, 1, 1);
    site.until_recording(&camera);
    sleep(5.0);
    let bytes = || Some(site.health()?["destruction"]["bytes_closed_unconfirmed"].as_u64().unwrap());
    assert_eq!(bytes(), Some(0));
    simulator::clock::set_offsets(&site.clock, 31 * 86_400 * 1_000_000, 0).unwrap();
    until("bytes, not hours", || bytes().filter(|bytes| *bytes > 20_000));
    let status = attempt(&site, &["status"]).stdout;
    assert!(status.contains("fermées, à confirmer : ") && status.contains(" octets)"), "{status}");
    set_offset(&site.clock, 0).unwrap();
    until("nothing waits", || bytes().filter(|bytes| *bytes == 0));
}

#[test]
fn a_store_that_is_full_is_told_before_and_then_with_a_gap_of_that_name_and_recording_goes_on_when_space_comes() {
    let town = town(1);
    let start = UtcMicros::from_seconds((now().seconds() / HOUR_SECONDS + 1) * HOUR_SECONDS);
    let mut site = Site::installed(start.seconds() + 20 - now().seconds());
    let token = site.site.init().unwrap();
    shrink_store(&site);
    site.site.serve().unwrap();
    site.site.set_up(&token, &site.administrator).unwrap();
    site.site.add_account("operateur", "operator", &site.operator).unwrap();
    let camera = site.add(&town, 1, 1);
    site.until_recording(&camera);
    let status = || attempt(&site, &["status"]);
    until("the end is told before it comes", || status().stdout.contains("sera plein dans 0 heure(s)").then_some(()));
    until("the full store is an alarm", || {
        let status = status();
        (status.code == Some(2) && status.stdout.contains("Le stockage est plein")).then_some(())
    });
    let day = |site: &Site| {
        let paris = jiff::tz::TimeZone::get("Europe/Paris").unwrap();
        let date = jiff::Timestamp::from_microsecond(start.0).unwrap().to_zoned(paris).date();
        site.operator().get(&format!("/api/cameras/{camera}/day?date={date}")).unwrap().to_string()
    };
    until("the gap has its name", || day(&site).contains("Le stockage était plein").then_some(()));
    assert_eq!(attempt(&site, &["verify"]).code, Some(0), "what is held is whole");
    // its day comes: what dies makes room
    set_offset(&site.clock, start.plus_seconds(DAY_SECONDS + 20).since(now())).unwrap();
    until("recording goes on with nobody there", || {
        let health = site.health()?;
        let durable = health["cameras"][0]["last_durable"].as_str()?.to_owned();
        (start.plus_seconds(DAY_SECONDS).to_string() < durable).then_some(())
    });
}

/// Sixteen slots of 64 KiB: some seconds of a camera. No setting allows it, so the store's own marker is cut down.
fn shrink_store(site: &Site) {
    let config = site.site.folder.join("vigie.toml");
    let text = fs::read_to_string(&config).unwrap();
    let text =
        text.replace("gibibytes_max = 4", "gibibytes_max = 1").replace("slot_mebibytes = 8", "slot_mebibytes = 64");
    fs::write(&config, text).unwrap();
    let marker = site.site.folder.join("store/marker.json");
    let text = fs::read_to_string(&marker).unwrap();
    let mut json: Value = serde_json::from_str(&text).unwrap();
    json["slot_bytes"] = 65_536.into();
    fs::write(&marker, json.to_string()).unwrap();
}

fn attempt(site: &Site, arguments: &[&str]) -> Attempt {
    site.site.attempt(arguments, None).unwrap()
}

/// Numbers of the pictures that the console replays from `begin` to now.
fn numbers(site: &Site, camera: &str, begin: UtcMicros) -> Vec<u64> {
    numbers_or_none(site, camera, begin).unwrap()
}

fn numbers_or_none(site: &Site, camera: &str, begin: UtcMicros) -> Option<Vec<u64>> {
    let operator = site.site.sign_in("operateur", &site.operator).ok()?;
    let end = begin.plus_seconds(8);
    let permit = look_back(&operator, &[camera], begin, end);
    let path = replay_path(&permit, camera, begin, end);
    operator.open(&path).ok()?;
    Some(fetch(&operator, &path).numbers())
}

/// Every row of a closed reel with its streams. When it was opened and closed stands in no reel.
fn rows(site: &Site) -> BTreeMap<String, String> {
    let identity: Value =
        serde_json::from_str(&fs::read_to_string(site.site.folder.join("data/site.json")).unwrap()).unwrap();
    let id = domain::id::read_hex(identity["site"].as_str().unwrap()).unwrap();
    let path = site.site.folder.join("data/footage/footage.db");
    let Ok(footage) = catalog::Footage::open_for_reading(&path, domain::SiteId(id)) else { return BTreeMap::new() };
    let closed = footage.live_reels().unwrap().into_iter().filter(|row| row.root.is_some());
    closed
        .map(|row| {
            let streams = footage.streams_of(row.reel).unwrap();
            let (opened_at, closed_at) = (UtcMicros(0), None);
            (row.reel.to_string(), format!("{:?} {streams:?}", catalog::ReelRow { opened_at, closed_at, ..row }))
        })
        .collect()
}

fn files_of(catalog: &std::path::Path) -> Vec<PathBuf> {
    let name = |companion: &str| catalog.with_file_name(format!("footage.db{companion}"));
    ["", "-wal", "-shm"].into_iter().map(name).filter(|file| file.exists()).collect()
}
