//! What the scenes play on: six cameras by night, the three processes with short hours, and a clock that the tour moves.

use super::browser::{self, Look};
use crate::programs::{beside_us, password};
use domain::{Sensitive, UtcMicros};
use serde_json::{Value, json};
use simulator::{
    clock::{ShiftedClock, set_offset},
    installation::{Browser, Installation, InstallationError},
    rtsp::{Credentials, Scenes, Town, TownConfig},
    scene::{PLACE_NAMES, Setting},
};
use std::{
    error::Error,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tempfile::TempDir;

/// An hour and a day of delay of `vigie-simulated` (decision 0008), in seconds.
pub const HOUR_SECONDS: i64 = 600;
pub const DAY_SECONDS: i64 = 2_400;
/// For what happens within seconds on a machine that does other things too.
const PATIENCE: Duration = Duration::from_secs(60);
/// Cameras of the town; the first one's hour dies in front of the visitor.
const CAMERAS: u32 = 6;

pub struct Stage {
    pub site: Installation,
    pub town: Town,
    pub operator: Sensitive<String>,
    pub administrator: Sensitive<String>,
    /// Their ids, the first camera's first.
    pub cameras: Vec<String>,
    /// 03:00 in Paris: the tour's hour begins.
    pub three: UtcMicros,
    /// When the yellow car was best seen.
    pub car_seen: Option<UtcMicros>,
    clock: PathBuf,
    out: PathBuf,
    scripts: Option<PathBuf>,
    folder: TempDir,
}

impl Stage {
    /// A town at three in the morning, recorded.
    pub fn open(out: &Path, scripts: Option<&Path>) -> Result<Stage, Box<dyn Error>> {
        let folder = tempfile::Builder::new().prefix("vigie-tour-").tempdir()?;
        let (clock, three) = (folder.path().join("clock"), next_three());
        set_offset(&clock, three.plus_seconds(4).since(machine_time()))?;
        println!("Les rues sont dessinées une fois, puis gardées · the streets are drawn once, then kept …");
        let cameras = Credentials { user: "vigie".into(), password: password()? };
        let config = TownConfig {
            scenes: Scenes::Always(Setting::NightCorner),
            clock: Arc::new(ShiftedClock::over_system(&clock)),
            remember_sent: true,
            ..TownConfig::for_demo(CAMERAS, 0, cameras.clone())
        };
        let town = Town::start(config)?;
        // drawing took its time: it is three o'clock now
        set_offset(&clock, three.plus_seconds(4).since(machine_time()))?;
        let mut site =
            Installation::new(&beside_us("vigie-simulated")?, &folder.path().join("ville"), "Ville d'essai", 0)?;
        site.variable("VIGIE_SIMULATED_CLOCK", &clock.display().to_string());
        site.variable("VIGIE_LANG", "fr");
        let (operator, administrator) = (password()?, password()?);
        let token = site.init()?;
        site.serve()?;
        site.set_up(&token, &administrator)?;
        site.add_account("operateur", "operator", &operator)?;
        let mut ids = Vec::new();
        for (n, url) in town.urls().iter().enumerate() {
            // one short day for the camera whose hour dies, two for the others
            let days = if n == 0 { 1 } else { 2 };
            ids.push(site.add_camera(&format!("cam-{}", n + 1), url, PLACE_NAMES[n], days, &cameras)?);
        }
        let (out, scripts) = (out.to_owned(), scripts.map(Path::to_owned));
        let stage = Stage {
            site,
            town,
            operator,
            administrator,
            cameras: ids,
            three,
            car_seen: None,
            clock,
            out,
            scripts,
            folder,
        };
        stage.until_recorded()?;
        Ok(stage)
    }

    pub fn close(mut self) -> Result<(), Box<dyn Error>> {
        self.site.stop()?;
        self.town.stop();
        Ok(())
    }

    /// The town's time.
    pub fn now(&self) -> UtcMicros {
        machine_time().plus_micros(self.ahead_micros())
    }

    /// Time passes for cameras and programs alike, and meanwhile the programs stand still.
    pub fn sleep_until(&mut self, to: UtcMicros) -> Result<(), Box<dyn Error>> {
        self.site.stop()?;
        set_offset(&self.clock, to.since(machine_time()))?;
        self.site.serve()?;
        self.until_recorded()
    }

    pub fn operator(&self) -> Result<Browser<'_>, InstallationError> {
        self.site.sign_in("operateur", &self.operator)
    }

    pub fn health(&self) -> Result<Value, InstallationError> {
        self.operator()?.get("/api/health")
    }

    /// How a replay of one camera's span ends: `None`: pictures come; else the kind of the refusal.
    pub fn replay(&self, camera: &str, from: UtcMicros, to: UtcMicros) -> Result<Option<String>, Box<dyn Error>> {
        let operator = self.operator()?;
        let look = json!({"kind": "replay", "cameras": [camera], "from": from.to_string(), "to": to.to_string(),
            "purpose": 5, "reason": REASON});
        let look = operator.post("/api/looks", &look)?;
        let permit = look["permit"].as_str().unwrap_or_default().to_owned();
        match operator.stream(&format!("/media/{permit}/{camera}/replay?from={from}&to={to}"), 1 << 20) {
            Ok((_, bytes)) if bytes.len() > 10_000 => Ok(None),
            Ok((_, bytes)) => Ok(Some(format!("only {} bytes", bytes.len()))),
            Err(error) => match error.body()["type"].as_str() {
                Some(kind) => Ok(Some(kind.trim_start_matches("urn:vigie:problem:").to_owned())),
                None => Err(error.into()),
            },
        }
    }

    /// What the console's day says of a camera's hour: `live`, `closed`, `destroyed`, `empty`.
    pub fn fate(&self, camera: &str, hour: UtcMicros) -> Option<Value> {
        let date = paris(hour).date();
        let day = self.operator().ok()?.get(&format!("/api/cameras/{camera}/day?date={date}")).ok()?;
        day["hours"].as_array()?.iter().find(|of| of["from"] == hour.to_string()).cloned()
    }

    /// One step of the browser as the operator; gives the screenshot's name.
    pub fn screen(&self, step: &str, arguments: &[String]) -> Result<Option<String>, Box<dyn Error>> {
        self.screen_as("operateur", &self.operator, step, arguments)
    }

    /// The same as somebody else.
    pub fn screen_as(
        &self,
        account: &str,
        password: &Sensitive<String>,
        step: &str,
        arguments: &[String],
    ) -> Result<Option<String>, Box<dyn Error>> {
        let Some(scripts) = &self.scripts else { return Ok(None) };
        let code = self.site.code(account)?.into_revealed();
        let look = Look { address: self.site.address(), account, password: password.reveal(), code, out: &self.out };
        browser::step(scripts, step, &look, arguments)?;
        Ok(Some(format!("{}.png", arguments.first().map_or(step, String::as_str))))
    }

    /// A place of its own for copies.
    pub fn scratch(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// Looks until something is there; `what` says what did not come.
    pub fn until<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> Result<T, Box<dyn Error>> {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if let Some(found) = look() {
                return Ok(found);
            }
            thread::sleep(Duration::from_millis(300));
        }
        Err(format!("not within {} s: {what}; the log is `{}`", PATIENCE.as_secs(), self.site.log().display()).into())
    }

    pub fn until_recorded(&self) -> Result<(), Box<dyn Error>> {
        self.until("every camera is recorded", || {
            let health = self.health().ok()?;
            let recorded = health["cameras"].as_array()?.iter().filter(|camera| camera["state"] == "recording");
            (recorded.count() == CAMERAS as usize).then_some(())
        })
    }

    fn ahead_micros(&self) -> i64 {
        let text = std::fs::read_to_string(&self.clock).unwrap_or_default();
        text.trim().parse().unwrap_or(0)
    }
}

/// Why the visitor of the tour looks.
pub const REASON: &str = "Visite guidée : contrôle du fonctionnement du système.";

/// An instant on the clocks of Paris.
pub fn paris(utc: UtcMicros) -> jiff::Zoned {
    let instant = jiff::Timestamp::from_microsecond(utc.0).unwrap_or_default();
    instant.to_zoned(jiff::tz::TimeZone::get("Europe/Paris").unwrap_or(jiff::tz::TimeZone::UTC))
}

/// `03:00:17`
pub fn clock_text(utc: UtcMicros) -> String {
    paris(utc).strftime("%H:%M:%S").to_string()
}

fn machine_time() -> UtcMicros {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UtcMicros(since.as_micros() as i64)
}

/// The next three o'clock in Paris. In the night in which summer time begins there is none: then it is four.
fn next_three() -> UtcMicros {
    let now = machine_time();
    let first = UtcMicros::from_seconds(now.seconds().div_euclid(3_600) * 3_600 + 3_600);
    let hours = (0..48).map(|n| first.plus_seconds(n * 3_600));
    hours.into_iter().find(|hour| paris(*hour).hour() == 3).unwrap_or(first)
}
