//! `vigie-simulator`: serves the synthetic town's cameras, or writes its clips with their ground truth.

mod demo;

use aws_lc_rs::rand;
use clap::{Parser, Subcommand, ValueEnum};
use domain::Sensitive;
use simulator::{
    clip,
    rtsp::{Credentials, Scheme, Town, TownConfig},
    scene::{ClipSize, PLACE_NAMES},
};
use std::{error::Error, path::PathBuf, process::ExitCode};

/// A synthetic town with ground truth · une ville synthétique et sa vérité terrain
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
    /// Serve RTSP cameras on loopback until Ctrl-C
    Cameras {
        /// One port for all cameras; 0 lets the system choose
        #[arg(long, default_value_t = 8554)]
        port: u16,
        #[arg(long, default_value_t = 6)]
        cameras: u32,
        #[arg(long, default_value = "vigie")]
        user: String,
        /// The variable that holds the password; without it one is made for this run and printed
        #[arg(long, value_name = "VAR")]
        password_env: Option<String>,
        #[arg(long, value_enum, default_value = "digest")]
        auth: Auth,
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// 352 × 288 and 4 s instead of 1024 × 576 and 20 s
        #[arg(long)]
        small: bool,
    },
    /// Write the six clips (H.264) and their ground truth (JSON) to a folder
    Render {
        #[arg(long)]
        out: PathBuf,
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// 352 × 288 and 4 s instead of 1024 × 576 and 20 s
        #[arg(long)]
        small: bool,
    },
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
        Command::Cameras { port, cameras, user, password_env, auth, seed, small } => {
            let scheme = match auth {
                Auth::Basic => Scheme::Basic,
                Auth::Digest => Scheme::Digest,
            };
            password(password_env.as_deref()).and_then(|(password, made)| {
                let credentials = Credentials { user, password };
                serve(
                    TownConfig { scheme, seed, size: size(small), ..TownConfig::for_demo(cameras, port, credentials) },
                    made,
                )
            })
        }
        Command::Render { out, seed, small } => render(&out, seed, size(small)),
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

fn serve(config: TownConfig, print_password: bool) -> Result<(), Box<dyn Error>> {
    let Credentials { user, password } = config.credentials.clone();
    let town = Town::start(config)?;
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

fn render(out: &std::path::Path, seed: u64, size: ClipSize) -> Result<(), Box<dyn Error>> {
    for camera in 1..=PLACE_NAMES.len() as u32 {
        let files = clip::prepare(camera, seed, size, out)?;
        println!("{}", files.video.display());
        println!("{}", files.truth.display());
    }
    Ok(())
}
