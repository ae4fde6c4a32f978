//! From a requisition to a verdict, with the real processes: register and scan, two persons, a package that web is killed over, a sealed
//! archive that its reader finds intact offline, dated by an authority of `openssl`, with nothing of it in clear on the town's disk.

#[path = "../../../crates/web/tests/fake/served.rs"]
mod served;
mod support;
#[allow(dead_code)] // the tests of the format use the rest
#[path = "../../../crates/evidence/tests/support/tsa.rs"]
mod tsa;

use domain::{HourLength, Sensitive, UtcMicros};
use evidence::{
    FileRole, Files, Manifest, Told, Trust, file_digest,
    stamp::{Outcome, Roots},
};
use ledger::CheckpointKey;
use serde_json::{Value, json};
use served::{REPLY, Served};
use simulator::{
    coding::Coding,
    handover::{Desk, FIRST, SECOND, package_path, requisition},
    installation::Browser,
    rtsp::{Town, TownConfig},
};
use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::Command,
    sync::Mutex,
};
use support::{Site, credentials, now, sleep, until};
use tempfile::TempDir;
use tsa::{Authority, Keys};
use vigie_verify::{Archive, Opening, SealedReader};
use zeroize::Zeroizing;

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

/// A town that configured an authority of timestamps and offers links; its root comes back, and where strangers come.
fn dated() -> (Site, Roots, SocketAddr) {
    let authority = Authority::new(Keys::P256);
    let root = authority.pem("root");
    let mut site = Site::installed(0);
    let file = site.site.folder.join("horodatage.pem");
    fs::write(&file, &root).unwrap();
    let authority = Mutex::new(authority);
    let answers = move |_: &str, query: &[u8]| {
        Some((200, REPLY, authority.lock().unwrap().answer(query, &["root", "between"], "")))
    };
    let served = Served::new(answers);
    site.site.variable("VIGIE_TIMESTAMP_AUTHORITY", &format!("http://127.0.0.1:{}/", served.port));
    site.site.variable("VIGIE_TIMESTAMP_ROOTS", file.to_str().unwrap());
    let strangers = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).unwrap();
    site.site.variable("VIGIE_PUBLIC_LISTEN", &strangers.to_string());
    site.site.variable("VIGIE_PUBLIC_ADDRESS", &format!("http://localhost:{}", strangers.port()));
    site.begin();
    (site, Roots::read(&root).unwrap(), strangers)
}

/// What a stranger is answered who posts this link's token with a code: status and body.
fn posts(strangers: SocketAddr, url: &str, code: &str) -> (u16, Vec<u8>) {
    let form = format!("jeton={}&code={code}", url.split_once("/remise#").unwrap().1);
    let head = format!(
        "POST /remise/paquet HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n",
        form.len()
    );
    let mut stranger = TcpStream::connect(strangers).unwrap();
    stranger.write_all((head + &form).as_bytes()).unwrap();
    let mut answer = Vec::new();
    stranger.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let status = String::from_utf8_lossy(&answer[9..12]).parse().unwrap();
    (status, answer.split_off(end + 4))
}

/// Made, tried with a wrong code, fetched once and no more: over the real public role, which is confined and opens no package.
fn leaves_by_a_link(browser: &Browser<'_>, strangers: SocketAddr, export: &str, sealed: &[u8]) {
    let asked = json!({ "recipient": "officier de permanence", "minutes": 60, "downloads": 1 });
    let made = browser.post(&format!("/api/exports/{export}/links"), &asked).unwrap();
    let (url, code) = (made["url"].as_str().unwrap(), made["code"].as_str().unwrap());
    let wrong = if code.starts_with('0') { "11111-11111" } else { "00000-00000" };
    let refused =
        until("web's lines are there", || Some(posts(strangers, url, wrong)).filter(|(status, _)| *status != 503));
    assert_eq!(refused.0, 403);
    let (status, fetched) = posts(strangers, url, code);
    assert!(status == 200 && fetched == sealed, "{status}, {} bytes", fetched.len());
    let steps = until("the end of the download is entered", || {
        let link = browser.get(&format!("/api/exports/{export}")).unwrap()["links"][0].clone();
        (link["over"] == "used").then(|| link["steps"].as_array().unwrap().clone())
    });
    let steps: Vec<_> = steps.iter().map(|step| step["step"].as_str().unwrap()).collect();
    assert_eq!(steps[..3], ["wrong-code", "fetch", "sent"]);
    assert_eq!(posts(strangers, url, code), refused, "whoever comes again reads what anybody reads");
}

/// Its second camera speaks H.265, which many browsers do not play.
fn town() -> Town {
    let codings = vec![Coding::default(), Coding::H265];
    Town::start(TownConfig { codings, ..TownConfig::for_tests(2, credentials()) }).unwrap()
}

/// Who got the package: the file, the passphrase, the key that the town publishes, and the root of whoever dated it.
struct Reader<'a> {
    archive: Archive<SealedReader<fs::File>>,
    key: CheckpointKey,
    roots: &'a Roots,
    _folder: TempDir,
}

impl Reader<'_> {
    fn new<'a>((site, roots): (&Site, &'a Roots), bytes: &[u8], passphrase: &str) -> Reader<'a> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("remise.zip.age");
        fs::write(&path, bytes).unwrap();
        let by = Opening::Passphrase(Zeroizing::new(passphrase.to_owned()));
        let sealed = SealedReader::open(fs::File::open(&path).unwrap(), &by).unwrap();
        let said = site.site.run(&["public", "key"], None).unwrap();
        let key = said.lines().find_map(|line| CheckpointKey::parse(line.trim()).ok()).expect("the log's key");
        Reader { archive: Archive::open(sealed, "remise").unwrap(), key, roots, _folder: folder }
    }

    fn finds_intact(&self) -> Told {
        let trust = Trust { key: Some(self.key.clone()), policy: None };
        let verdict = evidence::check_under(&self.archive, &trust, self.roots).unwrap();
        assert_eq!(verdict.findings, []);
        let told = verdict.told.unwrap();
        assert!(matches!(told.timestamp, Some(Outcome::Good { .. })), "{:?}", told.timestamp);
        told
    }
}

/// A paper as the console gets it, which says this; read back where `pdftotext` is installed.
fn printed(browser: &Browser<'_>, path: &str, said: &[&str]) {
    let beside = Path::new(env!("CARGO_BIN_EXE_vigie-simulated")).with_file_name("vigie-papers");
    assert!(beside.is_file(), "`cargo build -p vigie-papers` first: this town would print nothing");
    let (kind, pdf) = browser.stream(path, u64::MAX).unwrap();
    assert_eq!(kind, "application/pdf", "{path}");
    is_pdf_that_says(&pdf, said);
}

fn is_pdf_that_says(pdf: &[u8], said: &[&str]) {
    assert!(pdf.starts_with(b"%PDF-1.7") && pdf.trim_ascii_end().ends_with(b"%%EOF"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("paper.pdf");
    fs::write(&path, pdf).unwrap();
    let Ok(read) = Command::new("pdftotext").arg(&path).arg("-").output() else {
        return println!("pdftotext is not installed (scripts/setup.sh installs it): the text is not read back");
    };
    let squeezed = |text: &str| text.split_whitespace().collect::<String>();
    let text = squeezed(&String::from_utf8(read.stdout).unwrap());
    for word in said {
        assert!(text.contains(&squeezed(word)), "`{word}` is not in {text}");
    }
}

/// Of the camera in H.265 there is a copy that FFmpeg plays, as many pictures as the original, which the manifest binds; of the other none.
fn viewing_copies(reader: &Reader<'_>, manifest: &Manifest, ready: &Value) {
    let beside = Path::new(env!("CARGO_BIN_EXE_vigie-simulated")).with_file_name("vigie-picture");
    assert!(beside.is_file(), "`cargo build -p vigie-picture` first: this town would make no copies");
    assert_eq!(ready["viewing_copies"], "made", "{ready}");
    assert!(manifest.cameras[0].movies.iter().all(|movie| movie.copy.is_none()));
    let folder = tempfile::tempdir().unwrap();
    for movie in &manifest.cameras[1].movies {
        let copy = movie.copy.as_ref().unwrap();
        assert_eq!((copy.shown, copy.lacking), (movie.pictures, 0));
        let line = manifest.files.iter().find(|file| file.path == copy.path).unwrap();
        let bytes = reader.archive.read(&copy.path, 0, line.bytes as usize).unwrap();
        assert_eq!((line.role, file_digest(&bytes)), (FileRole::ViewingCopy, line.sha256));
        let path = folder.path().join("copy.mp4");
        fs::write(&path, bytes).unwrap();
        let asked =
            ["-v", "error", "-count_frames", "-show_entries", "stream=codec_name,nb_read_frames", "-of", "csv=p=0"];
        let told = Command::new("ffprobe").args(asked).arg(&path).output().unwrap();
        let (said, errors) = (String::from_utf8_lossy(&told.stdout), String::from_utf8_lossy(&told.stderr));
        assert_eq!((said.trim(), &*errors), (&*format!("h264,{}", movie.pictures), ""));
    }
}

/// As the town tells of it.
fn hold(desk: &Desk, site: &Site, id: &Value) -> Option<Value> {
    let told = desk.first(&site.site).ok()?.get("/api/holds").ok()?;
    told["holds"].as_array()?.iter().find(|hold| hold["id"] == *id).cloned()
}

/// Whoever asked too late to be shown anything is told that it is destroyed, which the log says.
fn answer_person(browser: &Browser<'_>, id: &str) {
    let known = browser.get("/api/access").unwrap()["requests"][0].clone();
    assert_eq!((&known["dies"], &known["frozen"]), (&Value::Null, &json!("nothing")));
    let answer = json!({"outcome": "destroyed", "grounds": [], "reason": "le délai des images est écoulé"});
    let done = browser.post(&format!("/api/access/{id}/answer"), &answer).unwrap();
    assert_eq!(done["is_done"], true, "{done}");
    let known = browser.get("/api/access").unwrap()["requests"][0].clone();
    assert!(known["letter_fr"].to_string().contains("L252-5") && known["due"].is_null(), "{known}");
    printed(browser, &format!("/api/access/{id}/letter.pdf"), &["DA-", "L252-5", "qui demande"]);
}

/// A requisition that came too late is answered by letter; what it asked for has a certificate; the journal names what left.
fn papers_of_what_is_dead(browser: &Browser<'_>, late: &Value, camera: &str, from: UtcMicros) {
    let (id, number) = (late["id"].as_str().unwrap(), late["number"].as_str().unwrap());
    let answer = json!({"outcome": "negative", "ground": "destroyed", "reason": "leur terme était passé"});
    browser.post(&format!("/api/requisitions/{id}/answer"), &answer).unwrap();
    let letter = format!("/api/requisitions/{id}/letter.pdf");
    printed(browser, &letter, &[number, "L252-5", "leur terme était passé", "Pour la commune"]);
    printed(browser, &format!("{letter}?language=en"), &[number, "destroyed automatically", "For the town"]);
    let time = |to: UtcMicros| format!("from={from}&to={to}");
    let destruction = format!("/api/cameras/{camera}/destruction.pdf?{}", time(from.plus_seconds(18)));
    printed(browser, &destruction, &["Certificat de destruction", "cam-1", "L252-5"]);
    let journal = format!("/api/exports.pdf?{}&language=en", time(from.plus_seconds(40 * 86_400)));
    printed(browser, &journal, &["Journal of exports", number, FIRST]);
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
    let (town, (mut site, roots, strangers)) = (town(), dated());
    let desk = Desk::open(&site.site, password(FIRST), password(SECOND)).unwrap();
    let cameras = [1, 2].map(|number| site.add(&town, number, 30));
    cameras.iter().for_each(|camera| site.until_recording(camera));
    sleep(4.0);
    let from = now();
    site.until_durable_after(&cameras, from.plus_seconds(20));
    let window = |camera: &str, from: UtcMicros, seconds: i64| json!({"camera": camera, "from": from.to_string(), "to": from.plus_seconds(seconds).to_string()});
    let windows = json!([window(&cameras[0], from, 18), window(&cameras[1], from.plus_seconds(4), 8)]);

    // an operator of the supervision centre has no part in it (CSI L132-14-1)
    assert_eq!(site.operator().get("/api/requisitions").unwrap_err().status(), Some(403));
    let browser = desk.first(&site.site).unwrap();
    let mut unscanned = requisition(&windows, now(), None);
    unscanned["means"] = "in-person".into();
    let unscanned = browser.post("/api/requisitions", &unscanned).unwrap();
    assert_eq!((&unscanned["lacks"][0]["field"], unscanned["lacks"].as_array().unwrap().len()), (&json!("scan"), 1));
    let scan = sends_scan(&browser);
    let mut complete = requisition(&windows, now(), Some(&scan));
    complete["known"] = unscanned["id"].clone();
    let registered = browser.post("/api/requisitions", &complete).unwrap();
    assert_eq!((&registered["number"], &registered["lacks"]), (&unscanned["number"], &json!([])));

    // one account is not two persons, and the entry of the refusal is told
    let alone = desk.allow(&site.site, &registered["id"], &windows, FIRST).unwrap_err();
    assert_eq!(alone.status(), Some(403), "{}", alone.body());
    let opened = desk.allow(&site.site, &registered["id"], &windows, SECOND).unwrap();
    let export = opened["id"].as_str().unwrap();
    assert_eq!(opened["state"], "open");

    // 1 web dies before it wrote anything, and when every picture is written: nothing is lost but the part, which opens for nobody
    let folder = site.site.folder.join("data/packages");
    let mut part = Vec::new();
    for state in ["", "log"] {
        desk.make(&site.site, export).unwrap();
        until("the package is that far", || {
            let told = desk.first(&site.site).ok()?.get(&format!("/api/exports/{export}")).ok()?;
            (state.is_empty() || told["state"] == state).then_some(())
        });
        part = fs::read_dir(&folder).unwrap().flat_map(|file| fs::read(file.unwrap().path()).unwrap()).collect();
        site.site.kill("web").unwrap();
        let told =
            until("web is there again", || desk.first(&site.site).ok()?.get(&format!("/api/exports/{export}")).ok());
        assert_eq!(told["state"], "open", "{told}");
        assert_eq!(fs::read_dir(&folder).map(Iterator::count).unwrap(), 0, "a part is left");
    }

    // 2 the package, by a passphrase that is told once
    let passphrase = desk.make(&site.site, export).unwrap();
    let ready = desk.until_ready(&site.site, export, |_, _| {}).unwrap();
    // another person of the register sees that it exists and takes nothing
    let other = desk.second(&site.site).unwrap();
    assert_eq!(other.open(&format!("/media/exports/{export}")).err().and_then(|error| error.status()), Some(404));
    let bytes = desk.take(&site.site, export).unwrap();
    assert_eq!((&ready["bytes"], &ready["timestamp"]), (&json!(bytes.len()), &json!("made")));

    // 3 its reader, with nothing but the file, the passphrase and the key that the town publishes
    let reader = Reader::new((&site, &roots), &bytes, &passphrase);
    let told = reader.finds_intact();
    assert!(told.pictures > 100, "{}", told.pictures);
    assert_eq!(ready["manifest"], told.manifest_digest.to_string());
    let manifest = told.manifest;
    assert_eq!(manifest.ground.number, registered["number"].as_str().unwrap());
    assert_eq!(manifest.cameras.iter().map(|camera| camera.name.as_str()).collect::<Vec<_>>(), ["cam-1", "cam-2"]);
    assert!(manifest.cameras.iter().all(|camera| camera.gaps.is_empty()), "{:?}", manifest.cameras);
    assert!(manifest.program.digest.is_some() && manifest.clock.fr.contains("s'accordaient"), "{:?}", manifest.clock);
    let roles: Vec<FileRole> = manifest.files.iter().map(|file| file.role).collect();
    for role in [FileRole::Movie, FileRole::Proof, FileRole::Player, FileRole::Report] {
        assert!(roles.contains(&role), "{role:?} of {roles:?}");
    }
    assert_eq!(ready["is_without_report"], false);
    let report = manifest.files.iter().find(|file| file.role == FileRole::Report).unwrap();
    let report = reader.archive.read(&report.path, 0, report.bytes as usize).unwrap();
    let list = evidence::manifest::list_digest(&manifest.files).to_string();
    is_pdf_that_says(&report, &[&manifest.ground.number, &list, "cam-1", "cam-2", "INTACT"]);

    viewing_copies(&reader, &manifest, &ready);

    // 4 pictures in clear are in no file of the town
    let movie = manifest.files.iter().find(|file| file.role == FileRole::Movie).unwrap();
    let inside = reader.archive.read(&movie.path, movie.bytes / 3, 64).unwrap();
    stands_nowhere(&site.site.folder, &inside);
    assert!(part.len() as u64 > movie.bytes, "pictures stood in the part");
    assert!(!part.windows(inside.len()).any(|bytes| bytes == inside), "the part held pictures in clear");

    // 5 and it goes when its maker says so
    desk.first(&site.site).unwrap().delete(&package_path(export)).unwrap();
    assert_eq!(fs::read_dir(&folder).map(Iterator::count).unwrap(), 0);
    let verified = site.site.attempt(&["verify"], None).unwrap();
    assert_eq!(verified.code, Some(0), "{}{}", verified.stdout, verified.stderr);

    // 6 what is held for the requisition outlives its hour, what no requisition asks for does not; a recorder that dies meanwhile
    // finds what it had begun
    let browser = desk.first(&site.site).unwrap();
    assert_eq!(site.operator().get("/api/holds").unwrap_err().status(), Some(403));
    let held = json!([window(&cameras[0], from.plus_seconds(2), 10)]);
    let weight = browser.post("/api/holds/weigh", &json!({"windows": held})).unwrap();
    assert!(weight["bytes"].as_u64() > Some(10_000) && weight["used_bytes"] == 0, "{weight}");
    let holds = |windows: &Value, requisition: &Value| {
        let (requester, reason) = ("commissariat", "une agression ce matin");
        let ask = json!({"requester": requester, "reason": reason, "windows": windows, "requisition": requisition});
        browser.post("/api/holds", &ask).unwrap()["id"].clone()
    };
    let bound = holds(&held, &registered["id"]);
    let unbound = holds(&json!([window(&cameras[1], from.plus_seconds(4), 8)]), &Value::Null);
    // somebody asks to see themselves (L253-5): entered, and frozen in the same way
    assert_eq!(site.operator().get("/api/access").unwrap_err().status(), Some(403));
    let asked = json!({
        "known": null, "received": site.now().to_string(), "means": "counter", "wish": "view", "person": "qui demande",
        "contact": "son adresse", "words": "ce matin, un manteau rouge", "windows": [window(&cameras[1], from.plus_seconds(3), 6)],
    });
    let asked = browser.post("/api/access", &asked).unwrap();
    assert_eq!((&asked["frozen"], &asked["lacks"][0]["field"]), (&json!("held"), &json!("identity")));
    let all = browser.get("/api/holds").unwrap();
    let of_person = |hold: &&Value| hold["requester"].as_str().is_some_and(|who| who.contains("DA-"));
    let for_person = all["holds"].as_array().unwrap().iter().find(of_person).unwrap()["id"].clone();
    site.site.kill("recorder").unwrap();
    for id in [&bound, &unbound, &for_person] {
        until("the reserve has what is held", || {
            hold(&desk, &site, id).filter(|hold| hold["kept_bytes"].as_u64() > Some(1_000))
        });
    }

    // 7 thirty days later nothing is there any more, and that is proved
    site.sleep_until(from.plus_seconds(31 * support::DAY_SECONDS));
    // the windows may lie in two hours
    let hours = [from, from.plus_seconds(18)].map(|at| HourLength::SIMULATED.hour_of(at).start());
    for (camera, hour) in cameras.iter().flat_map(|camera| hours.map(|hour| (camera, hour))) {
        until("the hours are destroyed", || (site.fate(camera, hour).as_deref() == Some("destroyed")).then_some(()));
    }
    let browser = desk.first(&site.site).unwrap();
    // the town's time, of which the machine knows nothing
    let late = browser.post("/api/requisitions", &requisition(&windows, site.now(), Some(&scan))).unwrap();
    let opened = desk.allow(&site.site, &late["id"], &windows, SECOND).unwrap();
    let export = opened["id"].as_str().unwrap();
    let passphrase = desk.make(&site.site, export).unwrap();
    desk.until_ready(&site.site, export, |_, _| {}).unwrap();
    let told = Reader::new((&site, &roots), &desk.take(&site.site, export).unwrap(), &passphrase).finds_intact();
    assert_eq!(told.pictures, 0);
    for camera in &told.manifest.cameras {
        let gaps: Vec<_> = camera.gaps.iter().map(|gap| (gap.cause.as_str(), gap.from, gap.to)).collect();
        assert_eq!(gaps, [("destroyed", camera.from, camera.to)]);
    }

    // 8 but what was held, which leaves whole; and its delivery ends the hold, keys and bytes
    for dead in [&unbound, &for_person] {
        assert_eq!(hold(&desk, &site, dead).unwrap()["why"], "deadline");
    }
    answer_person(&desk.first(&site.site).unwrap(), asked["id"].as_str().unwrap());
    papers_of_what_is_dead(&desk.first(&site.site).unwrap(), &late, &cameras[0], from);
    let opened = desk.allow(&site.site, &registered["id"], &held, SECOND).unwrap();
    let export = opened["id"].as_str().unwrap();
    let passphrase = desk.make(&site.site, export).unwrap();
    desk.until_ready(&site.site, export, |_, _| {}).unwrap();
    let sealed = desk.take(&site.site, export).unwrap();
    let told = Reader::new((&site, &roots), &sealed, &passphrase).finds_intact();
    leaves_by_a_link(&desk.first(&site.site).unwrap(), strangers, export, &sealed);
    assert!(told.pictures > 50 && told.manifest.cameras[0].gaps.is_empty(), "{:?}", told.manifest.cameras);
    let delivery = json!({
        "export": export, "at": site.now().to_string(), "medium": "clé USB 1", "key_means": "téléphone",
        "recipient": "officier de permanence", "quality": "OPJ", "receipt": null, "copies": 1, "notes": "",
    });
    let path = format!("/api/requisitions/{}/deliveries", registered["id"].as_str().unwrap());
    desk.first(&site.site).unwrap().post(&path, &delivery).unwrap();
    let (browser, number) = (desk.first(&site.site).unwrap(), registered["number"].as_str().unwrap());
    let report = format!("{path}/{export}/report.pdf");
    printed(
        &browser,
        &report,
        &[number, "Procès-verbal de remise", "clé USB 1", FIRST, SECOND, "manifeste.json", "constaté absent"],
    );
    printed(&browser, &format!("/api/holds/{}/certificate.pdf", bound.as_str().unwrap()), &[number, "G-0001"]);
    // whoever has no part in it prints nothing of it
    let operator = site.operator();
    assert_eq!(operator.open(&report).err().and_then(|error| error.status()), Some(403));
    let ended = hold(&desk, &site, &bound).unwrap();
    assert_eq!((&ended["why"], &ended["is_destroyed"]), (&json!("delivered"), &json!(true)));
    let slots = site.site.folder.join("store/holds/slots");
    until("the reserve is empty", || (fs::read_dir(&slots).ok()?.count() == 0).then_some(()));
    let verified = site.site.attempt(&["verify"], None).unwrap();
    assert_eq!(verified.code, Some(0), "{}{}", verified.stdout, verified.stderr);
}
