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
    let (administrator, operator) = (password()?, password()?);
    let token = site.init()?;
    site.serve()?;
    site.set_up(&token, &administrator)?;
    site.add_account("operateur", "operator", &operator)?;
    let (dpo, mayor, first, second) = (password()?, password()?, password()?, password()?);
    site.add_account("dpo", "dpo", &dpo)?;
    site.add_account("maire", "elected", &mayor)?;
    site.add_account("brigadier", "municipal-police", &first)?;
    site.add_account("cheffe", "municipal-police", &second)?;
    for (number, url) in town.urls().iter().enumerate() {
        let place = PLACE_NAMES[number % PLACE_NAMES.len()];
        site.add_camera(&format!("cam-{}", number + 1), url, place, DELAYS_DAYS[number % 6], &cameras)?;
    }
    for camera in &town.cameras {
        if let Some(url) = camera.sub_url() {
            site.run(&["camera", "sub", &format!("cam-{}", camera.number), &url], None)?;
        }
    }
    let people = [
        ("operateur", operator),
        ("admin", administrator),
        ("dpo", dpo),
        ("maire", mayor),
        ("brigadier", first),
        ("cheffe", second),
    ]
    .map(|(name, password)| DemoAccount { name, password });
    tell(&site, &people);
    let outcome = match &arguments.then {
        Some(command) => run_then(command, &site, &people),
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

/// An account of the demonstration.
struct DemoAccount {
    name: &'static str,
    password: Sensitive<String>,
}

impl DemoAccount {
    /// What the person does, in both languages, and the beginning of the names of its environment.
    fn words(&self) -> (&'static str, &'static str) {
        match self.name {
            "operateur" => ("opérateur · operator", "OPERATOR"),
            "admin" => ("administrateur, ne voit aucune image · administrator, sees no picture", "ADMINISTRATOR"),
            "dpo" => ("délégué à la protection des données · data-protection officer", "DPO"),
            "maire" => ("maire · mayor", "MAYOR"),
            "brigadier" => ("police municipale, remet des images · municipal police, hands footage over", "FIRST"),
            _ => ("police municipale, seconde personne · municipal police, second person", "SECOND"),
        }
    }
}

fn tell(site: &Installation, people: &[DemoAccount]) {
    println!();
    println!("  Vigie · ville de démonstration · demo town");
    println!("  console          {}", site.address());
    for person in people {
        println!("  {:<16} {}   ({})", person.name, person.password.reveal(), person.words().0);
        tell_factor(site, person.name);
    }
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
fn run_then(command: &str, site: &Installation, people: &[DemoAccount]) -> Result<(), Box<dyn Error>> {
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", command]).env("VIGIE_ADDRESS", site.address()).env("VIGIE_FOLDER", &site.folder);
    for person in people {
        let (_, variable) = person.words();
        shell.env(format!("VIGIE_{variable}_PASSWORD"), person.password.reveal());
        shell.env(format!("VIGIE_{variable}_SECRET"), secret(site, person.name));
    }
    let status = shell.status()?;
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
