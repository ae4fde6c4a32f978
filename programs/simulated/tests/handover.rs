//! From a requisition to a verdict, with the real processes: register and scan, two persons, a package that web is killed over, a sealed
//! archive that its reader finds intact offline, with nothing of it in clear on the town's disk.

mod support;

use domain::{HourLength, Sensitive, UtcMicros};
use evidence::{FileRole, Files, Told, Trust, file_digest};
use ledger::CheckpointKey;
use serde_json::{Value, json};
use simulator::installation::Browser;
use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};
use support::{Site, now, sleep, town, until};
use tempfile::TempDir;
use vigie_verify::{Archive, Opening, SealedReader};
use zeroize::Zeroizing;

const FIRST: &str = "brigadier";
const SECOND: &str = "cheffe";
const LOG_PATIENCE: Duration = Duration::from_secs(240);
const SCAN_PART_BYTES: usize = 60 * 1024;

fn password(of: &str) -> Sensitive<String> {
    Sensitive::new(format!("mot de passe de {of} 7c1e"))
}

/// A scan in parts, as the console sends it; its digest comes back.
fn sends_scan(browser: &Browser<'_>) -> String {
    let scan: Vec<u8> = (0..150_000u32).map(|n| (n % 253) as u8).collect();
    let sum = file_digest(&scan).to_string();
    for (nth, part) in scan.chunks(SCAN_PART_BYTES).enumerate() {
        let offset = nth * SCAN_PART_BYTES;
        let path = format!("/api/requisitions/scan?digest={sum}&total={}&offset={offset}", scan.len());
        let held = browser.post_bytes(&path, part).unwrap();
        assert_eq!(held["bytes"], offset + part.len());
    }
    sum
}

fn requisition(windows: &Value, scan: Option<&str>) -> Value {
    let at = now().to_string();
    json!({
        "known": null, "received": at, "means": "in-person", "framework": "cpp60-1", "framework_other": "",
        "authority": {"name": "un officier", "quality": "opj", "matricule": "1", "service": "commissariat", "court": ""},
        "authorisation_reference": null, "authorisation_general": null, "procedure": "PV 1/2026",
        "object": "vol avec violence", "windows": windows, "scan": scan,
        "genuine": {"at": at, "number": "17", "spoken_to": "le chef de poste"}, "validator": "le maire",
    })
}

/// What both persons type; a code counts once.
fn export_of(site: &Site, requisition: &str, windows: &Value, second: &str) -> Value {
    json!({
        "requisition": requisition, "windows": windows, "purpose": 5, "recipient": null,
        "password": password(FIRST).reveal(), "code": site.site.code(FIRST).unwrap().reveal(),
        "second_name": second, "second_password": password(second).reveal(),
        "second_code": site.site.code(second).unwrap().reveal(),
    })
}

fn is_ready(site: &Site, export: &str) -> Option<Value> {
    let told = site.site.sign_in(FIRST, &password(FIRST)).ok()?.get(&format!("/api/exports/{export}")).ok()?;
    assert_ne!(told["state"], "failed", "{told}");
    (told["state"] == "ready").then_some(told)
}

/// The reels that hold the last pictures are closed by the minute, and so is a batch of the log.
fn until_ready(site: &Site, export: &str) -> Value {
    let started = Instant::now();
    loop {
        if let Some(ready) = is_ready(site, export) {
            return ready;
        }
        assert!(started.elapsed() < LOG_PATIENCE, "not ready in {LOG_PATIENCE:?}");
        sleep(1.0);
    }
}

/// Who got the package: the file, the passphrase, and the key that the town publishes.
struct Reader {
    archive: Archive<SealedReader>,
    key: CheckpointKey,
    _folder: TempDir,
}

impl Reader {
    fn new(site: &Site, bytes: &[u8], passphrase: &str) -> Reader {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("remise.zip.age");
        fs::write(&path, bytes).unwrap();
        let by = Opening::Passphrase(Zeroizing::new(passphrase.to_owned()));
        let sealed = SealedReader::open(fs::File::open(&path).unwrap(), &by).unwrap();
        let said = site.site.run(&["public", "key"], None).unwrap();
        let key = said.lines().find_map(|line| CheckpointKey::parse(line.trim()).ok()).expect("the log's key");
        Reader { archive: Archive::open(sealed, "remise").unwrap(), key, _folder: folder }
    }

    fn finds_intact(&self) -> Told {
        let verdict = evidence::check(&self.archive, &Trust { key: Some(self.key.clone()), policy: None }).unwrap();
        assert_eq!(verdict.findings, []);
        verdict.told.unwrap()
    }
}

/// No file of the site holds this.
fn stands_nowhere(folder: &Path, bytes: &[u8]) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            stands_nowhere(&path, bytes);
        } else if let Ok(file) = fs::read(&path) {
            assert!(!file.windows(bytes.len()).any(|part| part == bytes), "{} holds pictures in clear", path.display());
        }
    }
}

#[test]
fn what_two_persons_hand_over_is_found_intact_by_its_reader_and_stands_nowhere_in_clear() {
    let (town, mut site) = (town(2), Site::serving());
    for name in [FIRST, SECOND] {
        site.site.add_account(name, "municipal-police", &password(name)).unwrap();
    }
    let cameras = [1, 2].map(|number| site.add(&town, number, 30));
    cameras.iter().for_each(|camera| site.until_recording(camera));
    sleep(4.0);
    let from = now();
    site.until_durable_after(&cameras, from.plus_seconds(20));
    let window = |camera: &str, from: UtcMicros, seconds: i64| json!({"camera": camera, "from": from.to_string(), "to": from.plus_seconds(seconds).to_string()});
    let windows = json!([window(&cameras[0], from, 18), window(&cameras[1], from.plus_seconds(4), 8)]);

    // an operator of the supervision centre has no part in it (CSI L132-14-1)
    assert_eq!(site.operator().get("/api/requisitions").unwrap_err().status(), Some(403));
    let browser = site.site.sign_in(FIRST, &password(FIRST)).unwrap();
    let unscanned = browser.post("/api/requisitions", &requisition(&windows, None)).unwrap();
    assert_eq!((&unscanned["lacks"][0]["field"], unscanned["lacks"].as_array().unwrap().len()), (&json!("scan"), 1));
    let scan = sends_scan(&browser);
    let mut complete = requisition(&windows, Some(&scan));
    complete["known"] = unscanned["id"].clone();
    let registered = browser.post("/api/requisitions", &complete).unwrap();
    assert_eq!((&registered["number"], &registered["lacks"]), (&unscanned["number"], &json!([])));
    let id = registered["id"].as_str().unwrap();

    // one account is not two persons, and the entry of the refusal is told
    let alone = browser.post("/api/exports", &export_of(&site, id, &windows, FIRST)).unwrap_err();
    assert_eq!(alone.status(), Some(403), "{}", alone.body());
    let opened = browser.post("/api/exports", &export_of(&site, id, &windows, SECOND)).unwrap();
    let export = opened["id"].as_str().unwrap();
    assert_eq!(opened["state"], "open");

    // 1 web dies while it writes: nothing is lost but the part
    browser.post(&format!("/api/exports/{export}/package"), &Value::Null).unwrap();
    site.site.kill("web").unwrap();
    let told = until("web is there again", || {
        let browser = site.site.sign_in(FIRST, &password(FIRST)).ok()?;
        browser.get(&format!("/api/exports/{export}")).ok()
    });
    assert_eq!(told["state"], "open", "{told}");
    let folder = site.site.folder.join("data/packages");
    assert_eq!(fs::read_dir(&folder).map(Iterator::count).unwrap(), 0, "a part is left");

    // 2 the package, by a passphrase that is told once
    let browser = site.site.sign_in(FIRST, &password(FIRST)).unwrap();
    let begun = browser.post(&format!("/api/exports/{export}/package"), &Value::Null).unwrap();
    let passphrase = begun["passphrase"].as_str().unwrap().to_owned();
    let ready = until_ready(&site, export);
    // another person of the register sees that it exists and takes nothing
    let other = site.site.sign_in(SECOND, &password(SECOND)).unwrap();
    assert_eq!(other.open(&format!("/media/exports/{export}")).err().and_then(|error| error.status()), Some(404));
    let (_, bytes) = browser.stream(&format!("/media/exports/{export}"), u64::MAX).unwrap();
    assert_eq!(ready["bytes"], bytes.len());

    // 3 its reader, with nothing but the file, the passphrase and the key that the town publishes
    let reader = Reader::new(&site, &bytes, &passphrase);
    let told = reader.finds_intact();
    assert!(told.pictures > 100, "{}", told.pictures);
    assert_eq!(ready["manifest"], told.manifest_digest.to_string());
    let manifest = told.manifest;
    assert_eq!(manifest.ground.number, registered["number"].as_str().unwrap());
    assert_eq!(manifest.cameras.iter().map(|camera| camera.name.as_str()).collect::<Vec<_>>(), ["cam-1", "cam-2"]);
    assert!(manifest.cameras.iter().all(|camera| camera.gaps.is_empty()), "{:?}", manifest.cameras);
    assert!(manifest.program.digest.is_some() && manifest.clock.fr.contains("s'accordaient"), "{:?}", manifest.clock);
    let roles: Vec<FileRole> = manifest.files.iter().map(|file| file.role).collect();
    assert!(roles.contains(&FileRole::Movie) && roles.contains(&FileRole::Proof), "{roles:?}");

    // 4 pictures in clear are in no file of the town
    let movie = manifest.files.iter().find(|file| file.role == FileRole::Movie).unwrap();
    let inside = reader.archive.read(&movie.path, movie.bytes / 3, 64).unwrap();
    stands_nowhere(&site.site.folder, &inside);

    // 5 and it goes when its maker says so
    browser.delete(&format!("/api/exports/{export}/package")).unwrap();
    assert_eq!(fs::read_dir(&folder).map(Iterator::count).unwrap(), 0);
    let verified = site.site.attempt(&["verify"], None).unwrap();
    assert_eq!(verified.code, Some(0), "{}{}", verified.stdout, verified.stderr);

    // 6 thirty days later nothing is there any more, and that is proved
    site.sleep_until(from.plus_seconds(31 * support::DAY_SECONDS));
    until("the hours are destroyed", || {
        let fate = site.fate(&cameras[0], HourLength::SIMULATED.hour_of(from).start());
        (fate.as_deref() == Some("destroyed")).then_some(())
    });
    let browser = site.site.sign_in(FIRST, &password(FIRST)).unwrap();
    let late = browser.post("/api/requisitions", &requisition(&windows, Some(&scan))).unwrap();
    let opened =
        browser.post("/api/exports", &export_of(&site, late["id"].as_str().unwrap(), &windows, SECOND)).unwrap();
    let export = opened["id"].as_str().unwrap();
    let begun = browser.post(&format!("/api/exports/{export}/package"), &Value::Null).unwrap();
    until_ready(&site, export);
    let (_, bytes) = browser.stream(&format!("/media/exports/{export}"), u64::MAX).unwrap();
    let told = Reader::new(&site, &bytes, begun["passphrase"].as_str().unwrap()).finds_intact();
    assert_eq!(told.pictures, 0);
    for camera in &told.manifest.cameras {
        let gaps: Vec<_> = camera.gaps.iter().map(|gap| (gap.cause.as_str(), gap.from, gap.to)).collect();
        assert_eq!(gaps, [("destroyed", camera.from, camera.to)]);
    }
}
