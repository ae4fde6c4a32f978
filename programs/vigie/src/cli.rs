//! The command line: one file per subcommand. All but `init`, `serve`, `config`, `camera find` and an offline `verify` speak to the keeper
//! (P3).

mod account;
pub(crate) mod act;
pub(crate) mod backup;
mod break_glass;
mod camera;
mod catalog;
pub(crate) mod clock;
mod config;
mod delay;
mod destroy;
mod find;
mod frame;
mod init;
mod keyring;
pub(crate) mod law;
mod law_names;
mod oidc;
pub(crate) mod public;
mod reach;
mod restore;
mod serve;
mod status;
mod store;
mod usage;
mod verify;

use crate::{Build, Config, french, lines::Language};
use clap::{FromArgMatches, Parser, Subcommand};
use keeper::{
    KeeperClient,
    wire::{Control, Upkeep},
};
use std::{error::Error, path::PathBuf, process::ExitCode};

/// Vidéoprotection qu'une commune peut prouver licite · video protection that a town can prove lawful
#[derive(Parser)]
#[command(name = "vigie", version, propagate_version = true)]
struct Arguments {
    /// Fichier de configuration · configuration file
    #[arg(long, global = true, default_value = "/etc/vigie/vigie.toml", env = "VIGIE_CONFIG")]
    config: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Créer le site, ses clés et le premier administrateur · make the site, its keys and the first administrator
    Init(init::Arguments),
    /// Démarrer gardien, enregistreur et console ; ne rend pas la main · start keeper, recorder and console; does not return
    Serve,
    /// Caméras : ajouter, essayer, retirer · cameras: add, test, remove
    #[command(subcommand)]
    Camera(camera::Command),
    /// Comptes des personnes, et leur lien d'ouverture · accounts of persons, and their setup link
    #[command(subcommand)]
    Account(account::Command),
    /// Actes : autorisations, habilitations, engagements · legal papers
    #[command(subcommand)]
    Act(act::Command),
    /// Ce qui va, ce qui ne va pas, quoi faire · what is well, what is not, what to do
    Status {
        /// En JSON, pour des programmes · JSON, for programs
        #[arg(long)]
        json: bool,
    },
    /// Le trousseau de clés : abandonner ou remplacer une copie · the keyring: write a copy off, or replace it
    #[command(subcommand)]
    Keyring(keyring::Command),
    /// Raccourcir un délai de conservation, à deux et après un jour · shorten a delay, by two persons and after a day
    #[command(subcommand)]
    Delay(delay::Command),
    /// Détruire ce qui est échu ; le calendrier le fait de lui-même · destroy what is due; the schedule does so by itself
    Destroy {
        /// Ce qui est échu, et rien d'autre · what is due, and nothing else
        #[arg(long, required = true)]
        due: bool,
    },
    /// Le recueil de règles en vigueur, et son changement à deux · the law pack in force, and its change by two persons
    #[command(subcommand)]
    Law(law::Command),
    /// L'accès d'urgence : ce qui est ouvert, et ce dont le DPO n'a pas pris acte · break-glass: what is open, and what the DPO has
    /// not acknowledged
    #[command(subcommand)]
    BreakGlass(break_glass::Command),
    /// Les horloges, et l'heure confirmée à deux · the clocks, and the time confirmed by two persons
    #[command(subcommand_required = false, args_conflicts_with_subcommands = true)]
    Clock {
        #[command(subcommand)]
        command: Option<clock::Command>,
    },
    /// Vérifier registre, trousseau, catalogue et stockage, ensemble · verify log, keyring, catalog and store, together
    Verify(verify::Arguments),
    /// Sauvegarder la base du site, chiffrée ; jamais les clés ni le registre · back the registry up, sealed; never keys or the ledger
    #[command(subcommand_required = false, args_conflicts_with_subcommands = true)]
    Backup(backup::Arguments),
    /// Restaurer la base du site, le gardien étant arrêté · restore the registry, while the keeper is stopped
    #[command(subcommand_required = false, args_conflicts_with_subcommands = true)]
    Restore(restore::Arguments),
    /// Le catalogue des images, refait s'il le faut · the footage catalog, made anew if need be
    #[command(subcommand)]
    Catalog(catalog::Command),
    /// Les disques du stockage · the store's disks
    #[command(subcommand)]
    Store(store::Command),
    /// Le registre vu de l'extérieur · the log as outsiders see it
    #[command(subcommand)]
    Public(public::Command),
    /// Le fournisseur d'identité · the identity provider
    #[command(subcommand)]
    Oidc(oidc::Command),
    /// La configuration : contrôler, montrer · the configuration: check, show
    #[command(subcommand)]
    Config(config::Command),
    /// (started by `serve`)
    #[command(hide = true)]
    Role { role: String },
}

/// Longer than a look at a camera takes; a keeper that needs more is in trouble, and the operator is told so.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(40);

const STATUS_PATIENCE: std::time::Duration = std::time::Duration::from_secs(5);

/// An answer to the operator, or why there is none.
type Outcome = Result<ExitCode, Box<dyn Error>>;

/// What every subcommand gets.
struct Context<'a> {
    build: &'a Build,
    config_path: PathBuf,
    config: Config,
    language: Language,
}

pub fn run(build: &Build) -> ExitCode {
    let language = Language::of_environment();
    let arguments = match frame::command().try_get_matches().and_then(|matches| Arguments::from_arg_matches(&matches)) {
        Ok(arguments) => arguments,
        Err(error) => return usage_error(&error, language),
    };
    match dispatch(build, arguments, language) {
        Ok(code) => code,
        Err(error) => {
            match language {
                Language::French => eprintln!("vigie : {}", french::message(&*error)),
                Language::English => eprintln!("vigie: {error}"),
            }
            ExitCode::FAILURE
        }
    }
}

/// Help and version are answers; a mistake is told in the operator's language.
fn usage_error(error: &clap::Error, language: Language) -> ExitCode {
    match usage::in_french(error).filter(|_| language == Language::French && error.use_stderr()) {
        Some(text) => eprintln!("vigie : {text}"),
        None => {
            if let Err(error) = error.print() {
                eprintln!("{error}");
            }
        }
    }
    ExitCode::from(exit_of(error))
}

/// 64 for a mistake (EX_USAGE of sysexits.h): 1 and 2 are answers of `verify` and `status`, and a script that watches for an
/// alarm must not take its own mistake for one.
fn exit_of(error: &clap::Error) -> u8 {
    if error.use_stderr() { 64 } else { 0 }
}

fn dispatch(build: &Build, arguments: Arguments, language: Language) -> Outcome {
    if let Command::Config(command) = &arguments.command {
        return config::run(build, &arguments.config, command, language);
    }
    let config = config::read(build, &arguments.config)?;
    let context = Context { build, config_path: arguments.config, config, language };
    match arguments.command {
        Command::Init(arguments) => init::run(&context, &arguments),
        Command::Serve => serve::run(&context),
        Command::Camera(command) => camera::run(&context, command),
        Command::Account(command) => account::run(&context, command),
        Command::Act(command) => act::run(&context, command),
        Command::Status { json } => status::run(&context, json),
        Command::Keyring(command) => keyring::run(&context, command),
        Command::Delay(command) => delay::run(&context, command),
        Command::Destroy { due: _ } => destroy::run(&context),
        Command::BreakGlass(command) => break_glass::run(&context, command),
        Command::Clock { command } => clock::run(&context, command),
        Command::Law(command) => law::run(&context, command),
        Command::Verify(arguments) => verify::run(&context, &arguments),
        Command::Backup(arguments) => backup::run(&context, &arguments),
        Command::Restore(arguments) => restore::run(&context, arguments),
        Command::Catalog(command) => catalog::run(&context, &command),
        Command::Store(command) => store::run(&context, &command),
        Command::Oidc(command) => oidc::run(&context, command),
        Command::Public(command) => public::run(&context, &command),
        Command::Config(command) => config::run(build, &context.config_path, &command, language),
        Command::Role { role } => serve::role(&context, &role),
    }
}

impl Context<'_> {
    /// Asks the keeper on its control socket.
    fn ask(&self, control: Control) -> Result<keeper::wire::Answer, vault::KeeperError> {
        let client = KeeperClient::control(&self.config.control_socket());
        match control {
            // a log of years, a week of hours that are due, a store of terabytes
            Control::Verify
            | Control::DestroyDue
            | Control::AuditHours { .. }
            | Control::CatalogRebuild { .. }
            | Control::Upkeep(Upkeep::Backup { .. }) => client.control_ask(control),
            // a keeper that answers at all answers this at once
            Control::Status => client.patient(STATUS_PATIENCE).control_ask(control),
            _ => client.patient(PATIENCE).control_ask(control),
        }
    }

    fn upkeep(&self, upkeep: Upkeep) -> Result<keeper::wire::Answer, vault::KeeperError> {
        self.ask(Control::Upkeep(upkeep))
    }

    /// Whether a keeper listens, be it slow.
    fn listens(&self) -> bool {
        std::os::unix::net::UnixStream::connect(self.config.control_socket()).is_ok()
    }

    fn pick<T>(&self, french: T, english: T) -> T {
        self.language.pick(french, english)
    }
}

/// An answer of a kind that the question cannot have.
fn unexpected() -> Box<dyn Error> {
    "the keeper gave an answer of another kind: use programs of one release".into()
}
