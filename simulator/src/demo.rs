//! `vigie-simulator demo`: a town of six cameras on loopback, recorded by the real program, with accounts made for this run.

use crate::SceneChoice;
use crate::programs::{beside_us, password};
use domain::Sensitive;
use simulator::{
    coding::Coding,
    installation::Installation,
    rtsp::{Credentials, Town, TownConfig},
    scene::PLACE_NAMES,
};
use std::{error::Error, path::PathBuf, time::Duration};

/// Who confirms break-glass, and who acknowledges it.
const SECOND: &str = "cheffe";
const OFFICER: &str = "dpo";
/// Delays of the six cameras, in days: an order may give each its own.
const DELAYS_DAYS: [u32; 6] = [30, 15, 30, 7, 30, 15];

#[derive(clap::Args)]
pub struct Arguments {
    /// Port de la console ; 0 : un port libre · port of the console; 0: any free one
    #[arg(long, default_value_t = 8470)]
    port: u16,
    /// Le jour, la nuit, ou selon l'heure de Paris · day, night, or by the clock in Paris
    #[arg(long, value_enum, default_value = "day")]
    scene: SceneChoice,
    /// Une seule caméra, en H.265, avec un flux secondaire en H.264 · one camera only, in H.265, with a sub-stream in H.264
    #[arg(long)]
    sub_stream: bool,
    /// Dossier à garder ; sans lui, tout est effacé à la fin · folder to keep; without it everything is removed at the end
    #[arg(long)]
    folder: Option<PathBuf>,
    /// S'arrêter de soi-même après tant de secondes · stop by itself after this many seconds
    #[arg(long)]
    seconds: Option<u64>,
    /// Commande à lancer une fois la ville prête, puis s'arrêter · command to run once the town is ready, then stop
    #[arg(long)]
    then: Option<String>,
}

pub fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let vanishing = tempfile::Builder::new().prefix("vigie-demo-").tempdir()?;
    let folder = arguments.folder.clone().unwrap_or_else(|| vanishing.path().join("ville"));
    println!("Les rues sont dessinées une fois, puis gardées · the streets are drawn once, then kept …");
    let cameras = Credentials { user: "vigie".into(), password: password()? };
    let scenes = arguments.scene.scenes();
    let town = Town::start(TownConfig { scenes, ..config(arguments.sub_stream, cameras.clone()) })?;
    let mut site = Installation::new(&beside_us("vigie")?, &folder, "Ville de démonstration", arguments.port)?;
    let known = Known { administrator: password()?, operator: password()?, second: password()?, officer: password()? };
    let token = site.init()?;
    site.serve()?;
    site.set_up(&token, &known.administrator)?;
    site.add_account("operateur", "operator", &known.operator)?;
    site.add_account(SECOND, "municipal-police", &known.second)?;
    site.add_account(OFFICER, "dpo", &known.officer)?;
    for (number, url) in town.urls().iter().enumerate() {
        let place = PLACE_NAMES[number % PLACE_NAMES.len()];
        site.add_camera(&format!("cam-{}", number + 1), url, place, DELAYS_DAYS[number % 6], &cameras)?;
    }
    for camera in &town.cameras {
        if let Some(url) = camera.sub_url() {
            site.run(&["camera", "sub", &format!("cam-{}", camera.number), &url], None)?;
        }
    }
    tell(&site, &known);
    let outcome = match &arguments.then {
        Some(command) => run_then(command, &site, &known),
        None => wait(arguments.seconds).map_err(Into::into),
    };
    println!("Arrêt · stopping …");
    site.stop()?;
    town.stop();
    outcome
}

fn config(sub_stream: bool, cameras: Credentials) -> TownConfig {
    if !sub_stream {
        return TownConfig::for_demo(6, 0, cameras);
    }
    let (codings, sub_stream) = (vec![Coding::H265], Some(Coding::default()));
    TownConfig { codings, sub_stream, ..TownConfig::for_demo(1, 0, cameras) }
}

/// Passwords of the demo's accounts.
struct Known {
    administrator: Sensitive<String>,
    operator: Sensitive<String>,
    second: Sensitive<String>,
    officer: Sensitive<String>,
}

fn tell(site: &Installation, known: &Known) {
    println!();
    println!("  Vigie · ville de démonstration · demo town");
    println!("  console          {}", site.address());
    println!("  opérateur        operateur  {}", known.operator.reveal());
    tell_factor(site, "operateur");
    println!(
        "  police municipale {SECOND}    {}   (confirme un accès d'urgence · confirms break-glass)",
        known.second.reveal()
    );
    tell_factor(site, SECOND);
    println!(
        "  DPO              {OFFICER}        {}   (ne voit aucune image · sees no picture)",
        known.officer.reveal()
    );
    tell_factor(site, OFFICER);
    println!(
        "  administrateur   admin      {}   (ne voit aucune image · sees no picture)",
        known.administrator.reveal()
    );
    tell_factor(site, "admin");
    println!("  dossier · folder {}", site.folder.display());
    println!("  journal · log    {}", site.log().display());
    println!("  Ces comptes n'existent que pour cette exécution · these accounts exist for this run only.");
    println!("  Ctrl-C pour arrêter · to stop");
    println!();
}

/// Two ways to the second factor: the seed for an authenticator, and a recovery code for who has none at hand.
fn tell_factor(site: &Installation, name: &str) {
    let Some(person) = site.persons.get(name) else { return };
    println!("    code           vigie-simulator code {}", person.authenticator.secret.reveal());
    let recovery: Vec<&str> = person.recovery.iter().take(3).map(|code| code.reveal().as_str()).collect();
    println!("    de secours     {}   (chacun une fois · each once)", recovery.join("  "));
}

fn secret(site: &Installation, name: &str) -> String {
    site.persons.get(name).map(|person| person.authenticator.secret.into_revealed()).unwrap_or_default()
}

/// Runs a command with the address and the accounts in its environment: tests use it.
fn run_then(command: &str, site: &Installation, known: &Known) -> Result<(), Box<dyn Error>> {
    let status = std::process::Command::new("sh")
        .args(["-c", command])
        .env("VIGIE_ADDRESS", site.address())
        .env("VIGIE_FOLDER", &site.folder)
        .env("VIGIE_OPERATOR_PASSWORD", known.operator.reveal())
        .env("VIGIE_ADMINISTRATOR_PASSWORD", known.administrator.reveal())
        .env("VIGIE_SECOND_PASSWORD", known.second.reveal())
        .env("VIGIE_SECOND_SECRET", secret(site, SECOND))
        .env("VIGIE_DPO_PASSWORD", known.officer.reveal())
        .env("VIGIE_DPO_SECRET", secret(site, OFFICER))
        .env("VIGIE_OPERATOR_SECRET", secret(site, "operateur"))
        .env("VIGIE_ADMINISTRATOR_SECRET", secret(site, "admin"))
        .status()?;
    if status.success() { Ok(()) } else { Err(format!("`{command}` ended with {status}").into()) }
}

fn wait(seconds: Option<u64>) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        let end = async {
            match seconds {
                Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            stopped = tokio::signal::ctrl_c() => stopped,
            _ = terminate.recv() => Ok(()),
            () = end => Ok(()),
        }
    })
}
