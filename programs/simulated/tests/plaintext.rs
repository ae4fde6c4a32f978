//! No picture, credential, key or personal word in clear: every file of a site and its log, byte by byte.

mod support;

use domain::{Sensitive, UtcMicros};
use serde_json::json;
use simulator::{
    clip,
    clock::{ShiftedClock, set_offset},
    dossier,
    installation::{InstallationError, setup_token},
    packetise::split_annex_b,
    rtsp::{Town, TownConfig},
    scene::ClipSize,
};
use std::{
    collections::HashMap,
    fs,
    io::Read,
    path::{Path, PathBuf},
    sync::Arc,
};
use support::{
    HOUR_SECONDS, REASON, Site, credentials,
    movie::{fetch, try_fetch},
    now, replay_of, replay_path, sleep, town, until,
};

/// Windows of coded pictures looked for, per camera.
const SAMPLES: usize = 50;
const WINDOW_BYTES: usize = 24;
/// What a person typed as a password by mistake is a secret too.
const MISTYPED: &str = "mot de passe mal tapé 3b92";
const OPERATOR: &str = "vigie-de-nuit";
/// A day of short hours.
const HOURS_OF_A_DAY: usize = 24;

#[test]
fn nothing_that_must_stay_secret_stands_in_a_file_or_in_the_log() {
    let town = town(2);
    let mut site = Site::installed(0);
    site.site.variable("RUST_BACKTRACE", "1");
    let first_token = site.site.init().unwrap();
    site.site.serve().unwrap();
    site.site.set_up(&first_token, &site.administrator).unwrap();
    let said = site.site.run(&["account", "add", OPERATOR, "--role", "operator"], None).unwrap();
    let second_token = setup_token(&said).unwrap();
    site.site.set_up(&second_token, &site.operator).unwrap();
    site.site.import(&dossier::of_account(OPERATOR, "operator").unwrap()).unwrap();
    let start = now();
    let cameras = [site.add(&town, 1, 30), site.add(&town, 2, 30)];
    sleep(12.0);
    let (cookies, permits) = use_it(&site, &cameras, start);
    site.site.run(&["status"], None).unwrap();
    site.site.run(&["verify"], None).unwrap();
    assert!(site.site.kill("recorder").unwrap());
    sleep(4.0);
    site.site.stop().unwrap();

    let secrets = Secrets { cookies, permits, tokens: vec![first_token, second_token], said: Vec::new() };
    assert_nowhere(&site, &town, &secrets);
}

#[test]
fn after_a_day_of_simulation_nothing_stands_in_clear_in_a_file_a_log_an_error_or_an_answer() {
    let hour = UtcMicros::from_seconds((now().seconds() / HOUR_SECONDS + 1) * HOUR_SECONDS);
    let mut offset_seconds = hour.seconds() + 20 - now().seconds();
    let mut site = Site::installed(offset_seconds);
    let config = site.site.folder.join("vigie.toml");
    let text = fs::read_to_string(&config).unwrap().replace("slot_mebibytes = 8", "slot_mebibytes = 4");
    fs::write(&config, text.replace("[web]", "[log]\nlevel = \"debug\"\n\n[web]")).unwrap();
    site.site.variable("RUST_BACKTRACE", "1");
    let clock = Arc::new(ShiftedClock::over_system(&site.clock));
    let town = Town::start(TownConfig { clock, ..TownConfig::for_tests(2, credentials()) }).unwrap();
    let first_token = site.site.init().unwrap();
    site.site.serve().unwrap();
    site.site.set_up(&first_token, &site.administrator).unwrap();
    let said = site.site.run(&["account", "add", OPERATOR, "--role", "operator"], None).unwrap();
    let second_token = setup_token(&said).unwrap();
    site.site.set_up(&second_token, &site.operator).unwrap();
    site.site.import(&dossier::of_account(OPERATOR, "operator").unwrap()).unwrap();
    // the first camera's hours die after four, so that most of the day is destroyed within it
    let cameras = [site.add(&town, 1, 1), site.add(&town, 2, 30)];
    let mut secrets =
        Secrets { cookies: Vec::new(), permits: Vec::new(), tokens: vec![first_token, second_token], said: Vec::new() };
    until_recorded(&site, &cameras);
    for hour in 0..HOURS_OF_A_DAY {
        sleep(1.0);
        match hour % 6 {
            0 => look_around(&site, &cameras, &mut secrets),
            2 => make_mistakes(&site, &cameras, &mut secrets),
            3 => secrets.said.push(format!("{:?}", site.site.attempt(&["verify"], None).unwrap())),
            4 => assert!(site.site.kill("recorder").unwrap()),
            5 if hour == 11 => {
                site.site.kill_all().unwrap();
                site.site.start().unwrap();
                site.site.answers().unwrap();
            }
            _ => {}
        }
        town.cameras.iter().for_each(|camera| camera.stop());
        offset_seconds += HOUR_SECONDS;
        set_offset(&site.clock, offset_seconds * 1_000_000).unwrap();
        town.cameras.iter().for_each(|camera| camera.restart());
    }
    until_recorded(&site, &cameras);
    look_around(&site, &cameras, &mut secrets);
    let verified = site.site.attempt(&["verify"], None).unwrap();
    assert_eq!(verified.code, Some(0), "{verified:?}");
    assert!(!verified.stdout.contains("détruites : 0 "), "hours were destroyed meanwhile: {}", verified.stdout);
    secrets.said.push(verified.stdout);
    site.site.stop().unwrap();
    assert!(secrets.said.len() > 20 && secrets.cookies.len() > 4, "{} answers", secrets.said.len());
    assert_nowhere(&site, &town, &secrets);
}

fn until_recorded(site: &Site, cameras: &[String; 2]) {
    until("both cameras are recorded", || {
        let health = site.site.sign_in(OPERATOR, &site.operator).ok()?.get("/api/health").ok()?;
        let told = health["cameras"].as_array()?.clone();
        let recorded = |id: &String| told.iter().any(|one| one["id"] == **id && one["state"] == "recording");
        cameras.iter().all(recorded).then_some(())
    });
}

/// Looks at the past and at what happens now.
fn look_around(site: &Site, cameras: &[String; 2], secrets: &mut Secrets) {
    let operator = site.site.sign_in(OPERATOR, &site.operator).unwrap();
    secrets.cookies.push(operator.cookie().unwrap().split('=').nth(1).unwrap().to_owned());
    let (both, to) = ([&*cameras[0], &*cameras[1]], site.now());
    let look = operator.post("/api/looks", &replay_of(&both, to.plus_seconds(-8), to)).unwrap();
    let permit = look["permit"].as_str().unwrap().to_owned();
    for camera in cameras {
        // nothing may be there yet in an hour that has just begun
        if let Some(movie) = try_fetch(&operator, &replay_path(&permit, camera, to.plus_seconds(-8), to)) {
            secrets.said.push(format!("{} pictures", movie.shown.len()));
        }
    }
    let live = json!({"kind": "live", "cameras": both, "purpose": 5, "reason": REASON});
    let live = operator.post("/api/looks", &live).unwrap()["permit"].as_str().unwrap().to_owned();
    if let Ok(mut stream) = operator.open(&format!("/media/{live}/{}/live", cameras[0])) {
        let mut first = [0; 4_000];
        // a recorder that was just killed ends it
        secrets.said.push(format!("{:?}", stream.read_exact(&mut first).map(|()| first.len())));
    }
    secrets.said.push(operator.get("/api/health").unwrap().to_string());
    secrets.said.push(operator.delete("/api/session").unwrap().to_string());
    secrets.permits.extend([permit, live]);
}

/// What goes wrong every day: each answer is kept, to be searched for what was typed.
fn make_mistakes(site: &Site, cameras: &[String; 2], secrets: &mut Secrets) {
    let wrong = Sensitive::new(MISTYPED.to_owned());
    let refused = site.site.sign_in(OPERATOR, &wrong).err().unwrap();
    secrets.said.push(format!("{refused} {refused:?}"));
    let operator = site.site.sign_in(OPERATOR, &site.operator).unwrap();
    let administrator = site.administrator();
    secrets.cookies.push(administrator.cookie().unwrap().split('=').nth(1).unwrap().to_owned());
    let (both, to) = ([&*cameras[0], &*cameras[1]], site.now());
    let mut tell = |answer: Result<serde_json::Value, InstallationError>| secrets.said.push(format!("{answer:?}"));
    tell(administrator.post("/api/looks", &replay_of(&both, to.plus_seconds(-60), to)));
    let no_purpose =
        json!({"kind": "replay", "cameras": both, "from": to.to_string(), "to": to.to_string(), "reason": REASON});
    tell(operator.post("/api/looks", &no_purpose));
    tell(operator.post("/api/looks", &replay_of(&["00000000000000000000000000000000"], to.plus_seconds(-60), to)));
    tell(operator.get(&format!("/media/00000000000000000000000000000000/{}/live", cameras[0])));
    tell(site.site.nobody().post("/api/setup", &json!({"token": MISTYPED, "password": MISTYPED, "code": MISTYPED})));
    let attempt = |url: &str| {
        let arguments = ["camera", "add", "neuve", url, "--place", "Gare", "--days", "30", "--purpose", "5"];
        let with_user = [&arguments[..], &["--user", "vigie", "--password-stdin"]].concat();
        site.site.attempt(&with_user, Some(MISTYPED)).unwrap()
    };
    secrets.said.push(format!("{:?}", attempt("rtsp://127.0.0.1:9/nulle-part")));
    secrets.said.push(format!("{:?}", attempt("http://127.0.0.1:9/")));
}

/// What a person or a process must be able to keep secret, gathered while a site was used.
struct Secrets {
    cookies: Vec<String>,
    permits: Vec<String>,
    tokens: Vec<Sensitive<String>>,
    /// What commands and refused requests answered.
    said: Vec<String>,
}

/// Nothing of it, and no picture, in any file of the site or in anything that was said.
fn assert_nowhere(site: &Site, town: &Town, secrets: &Secrets) {
    let folder = site.site.folder.clone();
    let passphrase = fs::read_to_string(folder.join("passphrase")).unwrap();
    let mut nowhere = Scanner::default();
    (1..=town.cameras.len() as u32).for_each(|camera| add_pictures(&mut nowhere, camera));
    nowhere.add("the mark inside every picture", b"vigie-simulator!cam=");
    nowhere.add("the camera's password", credentials().password.reveal().as_bytes());
    nowhere.add("the operator's password", site.operator.reveal().as_bytes());
    nowhere.add("the administrator's password", site.administrator.reveal().as_bytes());
    nowhere.add("a mistyped password", MISTYPED.as_bytes());
    secrets.tokens.iter().for_each(|token| nowhere.add_secret("a setup token", token.reveal()));
    secrets.cookies.iter().for_each(|cookie| nowhere.add_secret("a session's secret", cookie));
    for person in ["admin", OPERATOR].map(|name| site.site.persons.get(name).unwrap()) {
        nowhere.add("the seed of codes, as people copy it", person.authenticator.secret.reveal().as_bytes());
        nowhere.add("the seed of codes", person.authenticator.seed.reveal());
        person.recovery.iter().for_each(|code| nowhere.add("a recovery code", code.reveal().as_bytes()));
    }
    nowhere.add("the reason of a look", REASON.as_bytes());
    let found = nowhere.scan(&files(&folder));
    assert!(found.is_empty(), "{found:#?}");
    let repeated: Vec<&String> = secrets.said.iter().filter(|text| nowhere.finds(text.as_bytes())).collect();
    assert!(repeated.is_empty(), "{repeated:#?}");

    // the passphrase stands in its one file (P9)
    let mut passphrases = Scanner::default();
    passphrases.add("the passphrase", passphrase.trim().as_bytes());
    let found = passphrases.scan(&files(&folder));
    assert_eq!(found, [("the passphrase".to_owned(), folder.join("passphrase"))]);

    // the registry holds accounts and addresses of cameras; the log neither, nor whose permit it was
    let mut personal = Scanner::default();
    personal.add("the operator's name", OPERATOR.as_bytes());
    personal.add("a camera's address", town.cameras[0].url().as_bytes());
    secrets.permits.iter().for_each(|permit| personal.add("a permit", permit.as_bytes()));
    let found = personal.scan(&files(&folder));
    assert!(found.iter().any(|(what, path)| what.contains("name") && path.ends_with("data/registry.db")
        || path.ends_with("data/registry.db-wal")));
    assert!(found.iter().any(|(what, path)| what.contains("address") && path.ends_with("data/registry.db")
        || path.ends_with("data/registry.db-wal")));
    assert!(found.iter().all(|(_, path)| path.to_string_lossy().contains("/data/registry.db")), "{found:#?}");
    assert!(fs::metadata(site.site.log()).unwrap().len() > 1_000, "there is a log to look at");
}

#[test]
fn the_scanner_finds_what_is_there() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("deep")).unwrap();
    let path = folder.path().join("deep/file");
    let files_clip = clip::prepare(1, 1, ClipSize::Small, &clip::cache_folder().unwrap()).unwrap();
    let video = fs::read(&files_clip.video).unwrap();
    fs::write(&path, &video[..video.len() / 2]).unwrap();
    let mut scanner = Scanner::default();
    add_pictures(&mut scanner, 1);
    let found = scanner.scan(&files(folder.path()));
    assert!(found.len() > SAMPLES / 4, "{}", found.len());
}

/// Everything that an operator does, and some mistakes. Session secrets and permits come back.
fn use_it(site: &Site, cameras: &[String; 2], start: domain::UtcMicros) -> (Vec<String>, Vec<String>) {
    let wrong = domain::Sensitive::new(MISTYPED.to_owned());
    assert!(site.site.sign_in(OPERATOR, &wrong).is_err());
    let operator = site.site.sign_in(OPERATOR, &site.operator).unwrap();
    let administrator = site.administrator();
    let secret = |cookie: Option<&str>| cookie.unwrap().split('=').nth(1).unwrap().to_owned();
    let cookies = vec![secret(operator.cookie()), secret(administrator.cookie())];
    let both = [&*cameras[0], &*cameras[1]];
    let look = operator.post("/api/looks", &replay_of(&both, start, now())).unwrap();
    let permit = look["permit"].as_str().unwrap().to_owned();
    for camera in cameras {
        assert!(fetch(&operator, &replay_path(&permit, camera, start, now())).shown.len() > 50);
    }
    assert!(administrator.post("/api/looks", &replay_of(&both, start, now())).is_err());
    let live = json!({"kind": "live", "cameras": both, "purpose": 5, "reason": REASON});
    let live = operator.post("/api/looks", &live).unwrap()["permit"].as_str().unwrap().to_owned();
    let mut stream = operator.open(&format!("/media/{live}/{}/live", cameras[0])).unwrap();
    stream.read_exact(&mut [0; 20_000]).unwrap();
    operator.delete(&format!("/api/looks/{live}")).unwrap();
    operator.get("/api/health").unwrap();
    operator.delete("/api/session").unwrap();
    (cookies, vec![permit, live])
}

/// Bytes to look for, each with a name.
#[derive(Default)]
struct Scanner {
    patterns: Vec<(String, Vec<u8>)>,
}

impl Scanner {
    fn add(&mut self, what: &str, bytes: &[u8]) {
        assert!(bytes.len() >= 8, "{what} is too short to be looked for");
        self.patterns.push((what.to_owned(), bytes.to_vec()));
    }

    /// As text and, where it is hexadecimal, as the bytes that it stands for.
    fn add_secret(&mut self, what: &str, text: &str) {
        self.add(what, text.as_bytes());
        let digits = text.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
        if let Some(bytes) = digits.collect::<Option<Vec<u8>>>() {
            self.add(&format!("{what}, as bytes"), &bytes);
        }
    }

    /// Whether anything stands in these bytes.
    fn finds(&self, bytes: &[u8]) -> bool {
        self.patterns.iter().any(|(_, pattern)| bytes.windows(pattern.len()).any(|window| window == pattern))
    }

    /// What was found, and in which file.
    fn scan(&self, files: &[PathBuf]) -> Vec<(String, PathBuf)> {
        let mut by_start: HashMap<[u8; 2], Vec<&(String, Vec<u8>)>> = HashMap::new();
        self.patterns.iter().for_each(|one| by_start.entry([one.1[0], one.1[1]]).or_default().push(one));
        let mut may_start = vec![false; 65_536];
        by_start.keys().for_each(|start| may_start[usize::from(u16::from_le_bytes(*start))] = true);
        let mut found = Vec::new();
        for file in files {
            let bytes = fs::read(file).unwrap();
            for at in 0..bytes.len().saturating_sub(1) {
                if !may_start[usize::from(bytes[at]) | usize::from(bytes[at + 1]) << 8] {
                    continue;
                }
                let here = by_start[&[bytes[at], bytes[at + 1]]].iter().filter(|one| bytes[at..].starts_with(&one.1));
                found.extend(here.map(|one| (one.0.clone(), file.clone())));
            }
        }
        found.sort();
        found.dedup();
        found
    }
}

/// Windows out of the middle of the coded pictures that a camera sends.
fn add_pictures(scanner: &mut Scanner, camera: u32) {
    let files = clip::prepare(camera, 1, ClipSize::Small, &clip::cache_folder().unwrap()).unwrap();
    let video = fs::read(&files.video).unwrap();
    let slices: Vec<&[u8]> = split_annex_b(&video).into_iter().filter(|nal| matches!(nal[0] & 0x1f, 1 | 5)).collect();
    let long: Vec<&&[u8]> = slices.iter().filter(|nal| nal.len() > 4 * WINDOW_BYTES).collect();
    for sample in 0..SAMPLES {
        let nal = long[sample * long.len() / SAMPLES];
        let at = nal.len() / 2;
        scanner.add(&format!("picture {sample} of camera {camera}"), &nal[at..at + WINDOW_BYTES]);
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path))
        } else if path.is_file() {
            found.push(path)
        }
    }
    found
}
