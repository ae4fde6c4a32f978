//! `vigie-simulator`: serves the synthetic town's cameras, shows a whole town, or writes its clips with their truth.

mod demo;
mod programs;
mod tour;

use aws_lc_rs::rand;
use clap::{Parser, Subcommand, ValueEnum};
use domain::Sensitive;
use simulator::{
    authenticator::Authenticator,
    clip::{self, Shot},
    coding::{Coding, CodingError},
    rtsp::{Credentials, FaultPlan, Scenes, Scheme, Town, TownConfig},
    scene::{ClipSize, PLACE_NAMES, Setting},
};
use std::{error::Error, path::PathBuf, process::ExitCode, str::FromStr};

/// Une ville synthétique et sa vérité terrain · a synthetic town with ground truth
#[derive(Parser)]
#[command(name = "vigie-simulator", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Une ville de six caméras, enregistrée pour de vrai · a town of six cameras, really recorded
    Demo(demo::Arguments),
    /// Cinq questions, cinq réponses en trois minutes, sur le vrai programme · five questions, answered by the real program
    Tour(tour::Arguments),
    /// Le code qu'une application montre maintenant, pour qui n'en a pas · the code that an authenticator shows now
    Code {
        /// Ce qui suit `secret=` dans l'adresse que montre la page d'ouverture · what stands behind `secret=` in the setup page's address
        secret: String,
    },
    /// Des caméras RTSP sur cette machine, jusqu'à Ctrl-C · RTSP cameras on this machine, until Ctrl-C
    Cameras(Box<Cameras>),
    /// Les six scènes (H.264) et leur vérité terrain (JSON), dans un dossier · the six clips and their ground truth, in a folder
    Render {
        #[arg(long)]
        out: PathBuf,
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// 352 × 288 et 4 s au lieu de 1024 × 576 et 20 s · instead of
        #[arg(long)]
        small: bool,
        /// Ce qui est filmé ; `clock` écrit le jour · what is filmed; `clock` writes the day
        #[arg(long, value_enum, default_value = "day")]
        scene: SceneChoice,
    },
}

#[derive(clap::Args)]
#[command(after_long_help = CAMERAS_HELP)]
struct Cameras {
    /// Un port pour toutes les caméras ; 0 : au choix du système · one port for all; 0 lets the system choose
    #[arg(long, default_value_t = 8554)]
    port: u16,
    #[arg(long, default_value_t = 6)]
    cameras: u32,
    #[arg(long, default_value = "vigie")]
    user: String,
    /// La variable du mot de passe ; sans elle il est créé et affiché · the password's variable; without it one is made and printed
    #[arg(long, value_name = "VAR")]
    password_env: Option<String>,
    #[arg(long, value_enum, default_value = "digest")]
    auth: Auth,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// 352 × 288 et 4 s au lieu de 1024 × 576 et 20 s · instead of
    #[arg(long)]
    small: bool,
    /// Ce que les caméras filment · what the cameras film
    #[arg(long, value_enum, default_value = "day")]
    scene: SceneChoice,
    /// Le codage, mots joints par `+`, d'une caméra (`2:h265+b-frames`) ou de toutes (`h265`) · how one camera or all code; more than once
    #[arg(long, value_name = "[CAMERA:]CODING")]
    coding: Vec<CameraCoding>,
    /// Un second flux, plus petit, en H.264, à `/cam1/sub` · a second, smaller stream in H.264 at `/cam1/sub` and so on
    #[arg(long)]
    sub_stream: bool,
    /// Une panne : `2:stall@20+10`, caméra 2, à 20 s, pendant 10 s · a fault: camera 2, 20 s after the start, for 10 s; more than once
    #[arg(long, value_name = "CAMERA:FAULT[@SECONDS[+SECONDS]]")]
    fault: Vec<FaultPlan>,
}

const CAMERAS_HELP: &str = "\
Codings:
  h264           H.264, a closed group each two seconds (the default)
  h265           H.265, the same
  b-frames       two B pictures between two others: pictures are sent in another order than they are shown
  open-gop       h265: groups begin with CRA pictures and RASL leading pictures; no IDR picture is ever sent
  long-gop       one IDR picture in sixty seconds
  changing-sets  other parameter sets (profile, entropy coding) with each turn of the scene, in mid-stream
  changing-size  another picture size with each turn of the scene, in mid-stream

Faults:
  refuse               connections are cut and refused
  drop                 closes in the middle of a picture, two seconds after each PLAY
  stall                connected, answers, sends no picture
  mute                 takes connections and answers nothing
  timestamp-jump       RTP time jumps forward by an hour, and back at the end
  timestamp-jump-back  RTP time jumps back by an hour, and forward at the end
  timestamp-wrap       RTP time of sessions that begin meanwhile runs over 2^32 after five seconds
  reports-2036         sender reports of NTP's last second
  reports-3250         sender reports of the year 3250, as far as 32 bits tell it
  reports-backward     each sender report tells an earlier time than the last
  overload             100 Mbit/s of filler beside the pictures, for at most sixty seconds
  other-device         same address, another realm and Server header";

/// A coding for one camera, or for all.
#[derive(Clone, Copy)]
struct CameraCoding {
    camera: Option<u32>,
    coding: Coding,
}

impl FromStr for CameraCoding {
    type Err = String;

    fn from_str(text: &str) -> Result<CameraCoding, String> {
        let (camera, words) = match text.split_once(':') {
            Some((camera, words)) => {
                let number = camera.parse().ok().filter(|number| *number > 0);
                (Some(number.ok_or(format!("`{camera}` is no camera: the first is 1"))?), words)
            }
            None => (None, text),
        };
        words.parse().map(|coding| CameraCoding { camera, coding }).map_err(|error: CodingError| error.to_string())
    }
}

impl Cameras {
    fn run(self) -> Result<(), Box<dyn Error>> {
        let scheme = match self.auth {
            Auth::Basic => Scheme::Basic,
            Auth::Digest => Scheme::Digest,
        };
        let mut codings = vec![Coding::default(); self.cameras as usize];
        for each in &self.coding {
            match each.camera {
                None => codings.fill(each.coding),
                Some(number) => {
                    let camera = codings.get_mut(number as usize - 1);
                    *camera.ok_or(format!("a coding is named for camera `{number}`, which is not there"))? =
                        each.coding;
                }
            }
        }
        let (password, made) = password(self.password_env.as_deref())?;
        let credentials = Credentials { user: self.user, password };
        let config = TownConfig {
            scheme,
            seed: self.seed,
            size: size(self.small),
            scenes: self.scene.scenes(),
            codings,
            sub_stream: self.sub_stream.then(Coding::default),
            ..TownConfig::for_demo(self.cameras, self.port, credentials)
        };
        serve(config, made, &self.fault)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SceneChoice {
    Day,
    Night,
    /// De nuit ; la voiture jaune passe au premier carrefour, vite, une fois par tour · by night, with the yellow car, fast, once a turn
    NightCorner,
    /// Jour ou nuit à l'heure de Paris, et la voiture jaune à 3 h · day or night by Paris time, the yellow car at 03:00
    Clock,
}

impl SceneChoice {
    fn scenes(self) -> Scenes {
        match self {
            SceneChoice::Day => Scenes::Always(Setting::Day),
            SceneChoice::Night => Scenes::Always(Setting::Night),
            SceneChoice::NightCorner => Scenes::Always(Setting::NightCorner),
            SceneChoice::Clock => Scenes::ByClock,
        }
    }
}

#[derive(Clone, Copy, ValueEnum)]
enum Auth {
    Basic,
    Digest,
}

fn main() -> ExitCode {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let done = match Arguments::parse().command {
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Tour(arguments) => tour::run(&arguments),
        Command::Cameras(cameras) => cameras.run(),
        Command::Code { secret } => code(&secret),
        Command::Render { out, seed, small, scene } => render(&out, seed, size(small), scene),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("vigie-simulator: {error}");
            ExitCode::FAILURE
        }
    }
}

fn size(small: bool) -> ClipSize {
    if small { ClipSize::Small } else { ClipSize::Town }
}

/// The password, and whether it was made just now.
fn password(variable: Option<&str>) -> Result<(Sensitive<String>, bool), Box<dyn Error>> {
    if let Some(name) = variable {
        let password = std::env::var(name)
            .map_err(|_| format!("the variable `{name}` holds no password: set it, or leave --password-env out"))?;
        return Ok((Sensitive::new(password), false));
    }
    let mut bytes = [0; 12];
    rand::fill(&mut bytes).map_err(|_| "the system gives no random bytes: name a password with --password-env")?;
    Ok((Sensitive::new(bytes.iter().map(|byte| format!("{byte:02x}")).collect()), true))
}

fn serve(config: TownConfig, print_password: bool, faults: &[FaultPlan]) -> Result<(), Box<dyn Error>> {
    let Credentials { user, password } = config.credentials.clone();
    let town = Town::start(config)?;
    town.schedule(faults)?;
    for (number, url) in town.urls().iter().enumerate() {
        println!("{url}  {}", PLACE_NAMES[number % PLACE_NAMES.len()]);
    }
    println!("utilisateur · user: {user}");
    if print_password {
        println!("mot de passe de cette exécution · password of this run: {}", password.reveal());
    }
    println!("Ctrl-C pour arrêter · to stop");
    let waiting = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    waiting.block_on(tokio::signal::ctrl_c())?;
    town.stop();
    Ok(())
}

/// By this machine's clock, which the demo's town shares.
fn code(secret: &str) -> Result<(), Box<dyn Error>> {
    let authenticator = Authenticator::read(secret)
        .ok_or("this is no secret of an authenticator: letters and digits behind `secret=`")?;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    println!("{}", authenticator.shows(now.as_secs() as i64).reveal());
    Ok(())
}

fn render(out: &std::path::Path, seed: u64, size: ClipSize, scene: SceneChoice) -> Result<(), Box<dyn Error>> {
    for camera in 1..=PLACE_NAMES.len() as u32 {
        let setting = match scene.scenes() {
            Scenes::Always(setting) => setting,
            Scenes::ByClock => Setting::Day,
        };
        let shot = Shot { camera, seed, size, setting };
        let files = clip::prepare_coded(shot, Coding::default(), out)?;
        println!("{}", files.video.display());
        println!("{}", files.truth.display());
    }
    Ok(())
}
