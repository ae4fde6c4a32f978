//! What goes wrong in a town: each mistake is told with its remedy, and nothing else stops.

mod support;

use domain::Sensitive;
use simulator::{
    installation::Attempt,
    rtsp::{Credentials, Offer, Town, TownConfig},
};
use std::{fs, net::TcpListener, os::unix::fs::PermissionsExt, path::Path, thread, time::Duration};
use support::{Site, credentials, look_back, movie::fetch, now, replay_path, sleep, town, until};

#[test]
fn a_camera_that_cannot_be_recorded_is_told_with_the_remedy_while_another_is_recorded() {
    let town = town(2);
    let jpeg = TownConfig { offer: Offer::JpegOnly, ..TownConfig::for_tests(1, credentials()) };
    let jpeg = Town::start(jpeg).unwrap();
    let site = Site::serving();
    let start = now();
    let camera = site.add(&town, 1, 30);
    site.until_recording(&camera);
    let address = town.cameras[1].address;
    let right = "mot-de-camera-5f0d";
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let add = |url: &str, password: &str| add(&site, "neuve", url, "30", "5", password);
    for (url, password, french) in [
        (format!("http://{address}/cam2"), right, vec!["rtsp://"]),
        (format!("rtsp://vigie:secret-77@{address}/cam2"), right, vec!["--user", "--password-stdin"]),
        (format!("rtsp://{closed}/cam2"), right, vec!["ne répond pas", "réseau", "port"]),
        (format!("rtsp://{address}/autre"), right, vec!["chemin"]),
        (format!("rtsp://{address}/cam2"), "faux-mot-de-passe", vec!["mot de passe"]),
        (jpeg.cameras[0].url(), right, vec!["H.264", "JPEG"]),
        (format!("rtsp://127.0.0.1:{}/cam2", site.site.port), right, vec!["RTSP", "port"]),
    ] {
        let attempt = add(&url, password);
        check(&attempt, &french);
        let said = format!("{}{}", attempt.stdout, attempt.stderr);
        assert!(!said.contains("secret-77") && !said.contains(password), "a password is repeated: {said}");
    }
    let url = town.cameras[1].url();
    check(&self::add(&site, "cam-1", &url, "30", "5", right), &["cam-1", "déjà"]);
    check(&self::add(&site, "neuve", &url, "31", "5", right), &["--days", "1..=30"]);
    check(&self::add(&site, "neuve", &url, "0", "5", right), &["--days", "1..=30"]);
    check(&self::add(&site, "neuve", &url, "30", "12", right), &["11"]);
    check(&site.site.attempt(&["camera", "remove", "inconnue"], None).unwrap(), &["inconnue", "vigie camera list"]);
    check(&site.site.attempt(&["init"], None).unwrap(), &["déjà un site", "rien n'a été changé"]);
    check(&site.site.attempt(&["serve"], None).unwrap(), &["un autre Vigie", "arrêtez-le"]);
    // and after all that the right way works, and the first camera lost nothing
    site.add(&town, 2, 30);
    check_recorded_without_a_hole(&site, &camera, start);
}

#[test]
fn messages_come_in_english_where_it_is_asked_for() {
    let town = town(1);
    let mut site = Site::serving();
    site.site.variable("VIGIE_LANG", "en");
    let address = town.cameras[0].address;
    let add = |url: String, password: &str| add(&site, "new", &url, "30", "5", password);
    check(&add(format!("http://{address}/cam1"), "x"), &["rtsp://"]);
    check(&add(format!("rtsp://{address}/cam1"), "wrong-password"), &["password"]);
    check(&add(format!("rtsp://{address}/other"), "mot-de-camera-5f0d"), &["path"]);
    check(&site.site.attempt(&["serve"], None).unwrap(), &["another Vigie", "stop it first"]);
    check(&site.site.attempt(&["init"], None).unwrap(), &["a site", "nothing was changed"]);
    site.site.stop().unwrap();
    check(&site.site.attempt(&["status"], None).unwrap(), &["vigie serve"]);
}

#[test]
fn a_start_that_cannot_work_ends_with_the_remedy() {
    let site = Site::installed(0);
    let attempt = |arguments: &[&str]| site.site.attempt(arguments, None).unwrap();
    check(&attempt(&["serve"]), &["pas de site", "vigie init"]);
    check(&attempt(&["status"]), &["vigie serve"]);
    site.site.init().unwrap();
    check(&add(&site, "neuve", "rtsp://127.0.0.1:1024/cam1", "30", "5", "x"), &["vigie serve"]);

    let config = site.site.folder.join("vigie.toml");
    let right = fs::read_to_string(&config).unwrap();
    fs::write(&config, right.replace("passphrase_file", "passphrase_flie")).unwrap();
    check(&attempt(&["serve"]), &["passphrase_flie", "vouliez-vous dire", "passphrase_file"]);
    fs::write(&config, right.replace("127.0.0.1", "0.0.0.0")).unwrap();
    check(&attempt(&["serve"]), &["web.listen", "adresse locale"]);
    fs::write(&config, &right).unwrap();

    let passphrase = site.site.folder.join("passphrase");
    let text = fs::read(&passphrase).unwrap();
    fs::set_permissions(&passphrase, fs::Permissions::from_mode(0o644)).unwrap();
    check(&attempt(&["serve"]), &["chmod 0400"]);
    fs::write(&passphrase, "une autre phrase").unwrap();
    fs::set_permissions(&passphrase, fs::Permissions::from_mode(0o400)).unwrap();
    check(&attempt(&["serve"]), &["phrase secrète", "vigie init"]);
    check(&attempt(&["verify"]), &["phrase secrète", "vigie init"]);
    fs::remove_file(&passphrase).unwrap();
    check(&attempt(&["serve"]), &["phrase secrète", "passphrase", "papier"]);
    fs::write(&passphrase, text).unwrap();
    fs::set_permissions(&passphrase, fs::Permissions::from_mode(0o400)).unwrap();

    for copy in ["keyring-1", "keyring-2"] {
        fs::rename(site.site.folder.join(copy), site.site.folder.join(format!("{copy}-away"))).unwrap();
    }
    check(&attempt(&["serve"]), &["ni dans", "keyring-1", "branchez"]);
}

#[test]
fn with_one_copy_of_the_keyring_missing_recording_goes_on_with_an_alarm() {
    let town = town(1);
    let mut site = Site::serving();
    let camera = site.add(&town, 1, 30);
    site.until_recording(&camera);
    site.site.stop().unwrap();
    let copy = site.site.folder.join("keyring-2");
    fs::rename(&copy, site.site.folder.join("keyring-2-away")).unwrap();
    site.site.serve().unwrap();
    let start = now();
    site.until_recording(&camera);
    sleep(3.0);
    let status = site.site.attempt(&["status"], None).unwrap();
    assert_eq!(status.code, Some(2), "{}", status.stdout);
    assert!(status.stdout.contains("Une copie du trousseau manque"), "{}", status.stdout);
    check_recorded_without_a_hole(&site, &camera, start);
}

#[test]
fn a_port_that_is_taken_stops_the_console_only() {
    let town = town(1);
    let mut site = Site::serving();
    let camera = site.add(&town, 1, 30);
    site.until_recording(&camera);
    site.site.stop().unwrap();
    let taken = TcpListener::bind(("127.0.0.1", site.site.port)).unwrap();
    site.site.start().unwrap();
    let start = now();
    until("the camera is recorded without a console", || {
        let status = site.site.run(&["status", "--json"], None).ok()?;
        status.contains("recording").then_some(())
    });
    until("the log tells", || log_tells(&site, &["web.listen", "écouter", "choisissez un autre port"]));
    drop(taken);
    site.site.answers().unwrap();
    check_recorded_without_a_hole(&site, &camera, start);
}

#[test]
fn another_site_s_store_is_refused_and_nothing_is_written_to_it() {
    let mut site = Site::serving();
    let other = Site::installed(0);
    other.site.init().unwrap();
    site.site.stop().unwrap();
    let (ours, theirs) = (site.site.folder.join("store"), other.site.folder.join("store"));
    fs::rename(&ours, site.site.folder.join("store-ours")).unwrap();
    fs::rename(&theirs, &ours).unwrap();
    let before = listing(&ours);
    site.site.start().unwrap();
    until("the log tells", || log_tells(&site, &["autre site", "store.folder"]));
    let status = site.site.attempt(&["status"], None).unwrap();
    assert_eq!(status.code, Some(2), "the keeper answers, with an alarm: {status:?}");
    assert_eq!(listing(&ours), before);
    site.site.stop().unwrap();
}

fn add(site: &Site, name: &str, url: &str, days: &str, purpose: &str, password: &str) -> Attempt {
    let Credentials { user, .. } = credentials();
    let password = Sensitive::new(password.to_owned());
    let arguments = [
        "camera",
        "add",
        name,
        url,
        "--place",
        "Gare",
        "--days",
        days,
        "--purpose",
        purpose,
        "--user",
        &user,
        "--password-stdin",
    ];
    site.site.attempt(&arguments, Some(password.reveal())).unwrap()
}

/// It failed, said so in words that name situation and remedy, and in no others.
fn check(attempt: &Attempt, words: &[&str]) {
    let said = format!("{}{}", attempt.stdout, attempt.stderr);
    println!("{}", said.trim());
    assert!(matches!(attempt.code, Some(1 | 64)), "{attempt:?}");
    words.iter().for_each(|word| assert!(said.contains(word), "`{word}` is not in: {said}"));
    assert!(!said.contains("panicked") && !said.contains("Error {"), "{said}");
}

fn check_recorded_without_a_hole(site: &Site, camera: &str, start: domain::UtcMicros) {
    thread::sleep(Duration::from_secs(3));
    let (operator, end) = (site.operator(), now());
    let permit = look_back(&operator, &[camera], start, end);
    let numbers = fetch(&operator, &replay_path(&permit, camera, start, end)).numbers();
    assert!(numbers.len() > 12 && numbers.windows(2).all(|pair| pair[1] == pair[0] + 1), "{numbers:?}");
}

fn log_tells(site: &Site, words: &[&str]) -> Option<()> {
    let log = fs::read_to_string(site.site.log()).ok()?;
    log.lines().any(|line| words.iter().all(|word| line.contains(word))).then_some(())
}

fn listing(folder: &Path) -> Vec<(String, u64)> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let mut names: Vec<(String, u64)> =
        entries.map(|one| (one.file_name().to_string_lossy().into_owned(), one.metadata().unwrap().len())).collect();
    names.sort();
    names
}
