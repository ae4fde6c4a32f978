//! What the whole-town tests share: a town with a site that records it, and reading back what the browser gets.
#![allow(dead_code, reason = "each test program uses a part of it")]

pub mod corpus;
pub mod fragments;
pub mod gstreamer;
pub mod load;
pub mod loop_disk;
pub mod movie;
pub mod provider;
pub mod refusal;
pub mod rogue;
pub mod slope;
pub mod store;
pub mod timeline;
pub mod witness;

use domain::{Sensitive, UtcMicros};
use serde_json::{Value, json};
use simulator::{
    installation::{Browser, Installation, InstallationError},
    rtsp::{Credentials, Town, TownConfig},
};
use std::{
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

/// An hour and a day of delay of `vigie-simulated`, in seconds.
pub const HOUR_SECONDS: i64 = 600;
pub const DAY_SECONDS: i64 = 2_400;
/// Footage closes this long before its deadline (K8).
pub const CLOSED_SECONDS: i64 = 600;
/// For what happens within seconds on a machine that does other things too.
const PATIENCE: Duration = Duration::from_secs(60);

/// An installed site in a folder that vanishes, with an operator and an administrator.
pub struct Site {
    pub site: Installation,
    pub operator: Sensitive<String>,
    pub administrator: Sensitive<String>,
    pub clock: PathBuf,
    pub folder: TempDir,
}

impl Site {
    /// Installed and serving, with both accounts and no camera.
    pub fn serving() -> Site {
        Site::serving_at(0)
    }

    /// The same with clocks that are ahead by `offset_seconds`.
    pub fn serving_at(offset_seconds: i64) -> Site {
        let mut site = Site::installed(offset_seconds);
        site.begin();
        site
    }

    /// Initialised and serving, with both accounts.
    pub fn begin(&mut self) {
        let token = self.site.init().unwrap();
        self.site.serve().unwrap();
        self.site.set_up(&token, &self.administrator).unwrap();
        self.site.add_account("operateur", "operator", &self.operator).unwrap();
    }

    /// A configuration in a folder, and nothing else.
    pub fn installed(offset_seconds: i64) -> Site {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("site");
        Site::installed_in(folder, &place, offset_seconds)
    }

    /// The same, with all that is of the site in `place`: another disk.
    pub fn installed_in(folder: TempDir, place: &Path, offset_seconds: i64) -> Site {
        Site::installed_with(Path::new(env!("CARGO_BIN_EXE_vigie-simulated")), folder, place, offset_seconds)
    }

    /// The same with a program of one's own.
    pub fn installed_with(program: &Path, folder: TempDir, place: &Path, offset_seconds: i64) -> Site {
        let mut site = Installation::new(program, place, "Ville d'essai", 0).unwrap();
        let clock = folder.path().join("clock");
        simulator::clock::set_offset(&clock, offset_seconds * 1_000_000).unwrap();
        site.variable("VIGIE_SIMULATED_CLOCK", clock.to_str().unwrap());
        site.variable("VIGIE_LANG", "fr");
        let password = |of: &str| Sensitive::new(format!("mot de passe {of} 7c1e"));
        Site { site, operator: password("de l'opérateur"), administrator: password("d'administration"), clock, folder }
    }

    pub fn operator(&self) -> Browser<'_> {
        self.signs_in("operateur", &self.operator)
    }
    pub fn administrator(&self) -> Browser<'_> {
        self.signs_in("admin", &self.administrator)
    }

    /// A console or a keeper that starts again, such as one whose disk was mounted anew, answers in a moment.
    fn signs_in(&self, name: &str, password: &Sensitive<String>) -> Browser<'_> {
        until("the console answers", || match self.site.sign_in(name, password) {
            Err(InstallationError::Connection { .. }) => None,
            Err(error) if error.status() == Some(503) => None,
            answered => Some(answered.unwrap()),
        })
    }

    /// Changes the configuration's text, before it is used.
    pub fn configure(&self, change: impl FnOnce(String) -> String) {
        let path = self.site.folder.join("vigie.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, change(text)).unwrap();
    }

    /// One check of the health page.
    pub fn check(&self, id: &str) -> Option<Value> {
        self.health()?["checks"].as_array()?.iter().find(|check| check["id"] == id).cloned()
    }

    /// Waits until pictures of after `instant` are durable, of each of these cameras.
    pub fn until_durable_after(&self, cameras: &[String], instant: UtcMicros) {
        until("every camera is durable again", || {
            let health = self.health()?;
            let all = health["cameras"].as_array()?;
            let durable = |id: &String| {
                let camera = all.iter().find(|one| one["id"] == **id)?;
                let last: jiff::Timestamp = camera["last_durable"].as_str()?.parse().ok()?;
                (camera["state"] == "recording" && last.as_microsecond() > instant.0).then_some(())
            };
            cameras.iter().all(|id| durable(id).is_some()).then_some(())
        });
    }

    /// Adds a camera of the town; its id comes back.
    pub fn add(&self, town: &Town, number: u32, days: u32) -> String {
        let camera = &town.cameras[number as usize - 1];
        self.site
            .add_camera(&format!("cam-{number}"), &camera.url(), "Place de la Mairie", days, &credentials())
            .unwrap()
    }

    /// Adds a camera of another maker; its id comes back.
    pub fn add_url(&self, name: &str, url: &str, days: u32) -> String {
        self.site.add_camera(name, url, "Avenue de la Gare", days, &credentials()).unwrap()
    }

    /// The program's time.
    pub fn now(&self) -> UtcMicros {
        let text = std::fs::read_to_string(&self.clock).unwrap();
        now().plus_micros(text.split_whitespace().next().unwrap().parse().unwrap())
    }

    /// Time passes while the program stands still: stop, both clocks move on to `to`, start.
    pub fn sleep_until(&mut self, to: UtcMicros) {
        self.site.stop().unwrap();
        simulator::clock::set_offset(&self.clock, to.since(now())).unwrap();
        self.site.serve().unwrap();
    }

    /// Waits until the console answers and the recorder reports this camera as recording.
    pub fn until_recording(&self, camera: &str) {
        until("the camera is recorded", || {
            let health = self.health()?;
            let cameras = health["cameras"].as_array()?.clone();
            cameras.iter().find(|one| one["id"] == camera).filter(|one| one["state"] == "recording").map(|_| ())
        });
    }

    /// `None` while the program does not answer.
    pub fn health(&self) -> Option<Value> {
        self.site.sign_in("operateur", &self.operator).ok()?.get("/api/health").ok()
    }

    /// How a request without a session is answered.
    pub fn nobody_status(&self, path: &str, body: &Value) -> Option<u16> {
        self.site.nobody().post(path, body).err().and_then(|error| error.status())
    }

    /// What the console's day says of a camera's hour: `live`, `closed`, `destroyed`, `empty`.
    pub fn fate(&self, camera: &str, hour: UtcMicros) -> Option<String> {
        let paris = jiff::tz::TimeZone::get("Europe/Paris").unwrap();
        let date = jiff::Timestamp::from_microsecond(hour.0).unwrap().to_zoned(paris).date();
        let day = self.operator().get(&format!("/api/cameras/{camera}/day?date={date}")).ok()?;
        let of_hour = |one: &&Value| one["from"] == hour.to_string();
        day["hours"].as_array()?.iter().find(of_hour)?["state"].as_str().map(str::to_owned)
    }
}

/// A test that fails shows the end of the program's log, which holds no secret (`plaintext` proves it).
impl Drop for Site {
    fn drop(&mut self) {
        if thread::panicking() {
            let log = std::fs::read_to_string(self.site.log()).unwrap_or_default();
            let lines: Vec<&str> = log.lines().filter(|line| !line.contains("\"message\":\"request\"")).collect();
            eprintln!("the program's log ends with:\n{}", lines[lines.len().saturating_sub(60)..].join("\n"));
        }
    }
}

pub fn credentials() -> Credentials {
    Credentials { user: "vigie".into(), password: Sensitive::new("mot-de-camera-5f0d".into()) }
}

pub fn town(cameras: u32) -> Town {
    Town::start(TownConfig::for_tests(cameras, credentials())).unwrap()
}

/// A look at the past; the permit's id comes back.
pub fn look_back(browser: &Browser<'_>, cameras: &[&str], from: UtcMicros, to: UtcMicros) -> String {
    let look = browser.post("/api/looks", &replay_of(cameras, from, to)).unwrap();
    look["permit"].as_str().unwrap().to_owned()
}

pub fn replay_of(cameras: &[&str], from: UtcMicros, to: UtcMicros) -> Value {
    json!({"kind": "replay", "cameras": cameras, "from": from.to_string(), "to": to.to_string(), "purpose": 5,
        "reason": REASON})
}

pub const REASON: &str = "Vérification après un signalement de dégradation";

pub fn replay_path(permit: &str, camera: &str, from: UtcMicros, to: UtcMicros) -> String {
    format!("/media/{permit}/{camera}/replay?from={from}&to={to}")
}

/// The machine's time, which is the cameras' time.
pub fn now() -> UtcMicros {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    UtcMicros(since.as_micros() as i64)
}

pub fn sleep(seconds: f64) {
    thread::sleep(Duration::from_secs_f64(seconds));
}

/// Looks until something is there; `what` says what did not come.
pub fn until<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    let mut look = look;
    let started = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(started.elapsed() < PATIENCE, "not within {} s: {what}", PATIENCE.as_secs());
        thread::sleep(Duration::from_millis(500));
    }
}

/// The Python of the programs that share no code with ours; `scripts/setup.sh` makes it.
pub fn python() -> PathBuf {
    if let Some(path) = std::env::var_os("VIGIE_PYTHON") {
        return path.into();
    }
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")));
    cache.expect("HOME is set").join("vigie/venv/bin/python3")
}

/// Sockets are left out: they are of processes, not of data.
pub fn copy_folder(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (kind, path) = (entry.file_type().unwrap(), to.join(entry.file_name()));
        if kind.is_dir() {
            copy_folder(&entry.path(), &path);
        } else if kind.is_file() {
            std::fs::copy(entry.path(), &path).unwrap();
        }
    }
}
