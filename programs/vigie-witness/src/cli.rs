//! The command line: make a witness, hand out its key, watch a log, serve, tell what was seen.

use crate::{
    book::{Book, BookError},
    server,
    words::{french, in_english, pick},
};
use clap::{ArgAction, Parser, Subcommand};
use disk::RealDisk;
use std::{net::SocketAddr, path::PathBuf, process::ExitCode, sync::Arc};
use tokio::{net::TcpListener, signal::unix::SignalKind};

/// Témoin d'un registre public : atteste qu'il ne fait que grandir · witness of a public log: attests that it only grows
#[derive(Parser)]
#[command(
    name = "vigie-witness",
    version,
    disable_help_flag = true,
    disable_version_flag = true,
    disable_help_subcommand = true,
    subcommand_help_heading = "Commandes · commands"
)]
struct Arguments {
    /// Afficher cette aide · show this help
    #[arg(short, long, global = true, action = ArgAction::Help)]
    help: Option<bool>,
    /// Afficher la version · show the version
    #[arg(short = 'V', long, action = ArgAction::Version)]
    version: Option<bool>,
    /// Dossier du témoin (clé, registres suivis, preuves) ; ne le restaurez jamais d'une sauvegarde · the witness's folder (key, logs watched, evidence); never restore it from a backup
    #[arg(long, global = true, default_value = "/var/lib/vigie-witness", env = "VIGIE_WITNESS_FOLDER")]
    folder: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Créer le témoin et sa clé · make the witness and its key
    Init {
        /// Nom public du témoin, sans espace, par exemple `temoin.association.fr/2026` · its public name, without spaces
        #[arg(long)]
        name: String,
    },
    /// Écrire la clé de vérification, à donner à la commune et aux lecteurs · print the verifier key, for the town and for readers
    Key,
    /// Registres suivis · logs watched
    #[command(subcommand, subcommand_help_heading = "Commandes · commands")]
    Log(LogCommand),
    /// Répondre aux registres (C2SP tlog-witness) · answer logs (C2SP tlog-witness)
    Serve {
        /// Adresse locale ; un serveur web avec TLS se met devant · loopback address; a web server with TLS goes in front
        #[arg(long, default_value = "127.0.0.1:8471", env = "VIGIE_WITNESS_LISTEN")]
        listen: SocketAddr,
    },
    /// Dire ce qui a été signé et ce qui a été refusé ; code 2 s'il y a des preuves contre un registre · tell what was signed and refused; code 2 where there is evidence against a log
    Status,
}

#[derive(Subcommand)]
enum LogCommand {
    /// Suivre un registre, d'après la clé que sa commune donne · watch a log, by the key that its town hands out
    Add { verifier_key: String },
    /// Les nommer · name them
    List,
}

pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            if error.use_stderr() && !in_english() {
                eprintln!("vigie-witness : commande incomprise ; `vigie-witness --help` nomme les commandes.");
            }
            error.exit();
        }
    };
    match run(arguments) {
        Ok(code) => code,
        Err(Failed::Book(error)) => {
            eprintln!("vigie-witness{} {}", pick(" :", ":"), pick(french(&error), error.to_string()));
            ExitCode::FAILURE
        }
        Err(Failed::Listen(address, error)) => {
            let remedy =
                pick("choisissez une adresse locale et un port libre", "choose a loopback address and a free port");
            eprintln!("vigie-witness{} {address} : {error} ; {remedy}", pick(" :", ":"));
            ExitCode::FAILURE
        }
    }
}

enum Failed {
    Book(BookError),
    Listen(SocketAddr, std::io::Error),
}

impl From<BookError> for Failed {
    fn from(error: BookError) -> Failed {
        Failed::Book(error)
    }
}

fn run(arguments: Arguments) -> Result<ExitCode, Failed> {
    let (disk, folder) = (Arc::new(RealDisk), arguments.folder);
    if let Command::Init { name } = &arguments.command {
        let book = Book::create(disk, &folder, name)?;
        println!("{}", book.public().verifier_key());
        return Ok(ExitCode::SUCCESS);
    }
    let book = Book::open(disk, &folder)?;
    match arguments.command {
        Command::Init { .. } | Command::Key => println!("{}", book.public().verifier_key()),
        Command::Log(LogCommand::Add { verifier_key }) => {
            let key = book.add_log(&verifier_key)?;
            println!("{} `{}`", pick("Registre suivi :", "Log watched:"), key.origin());
        }
        Command::Log(LogCommand::List) => {
            book.logs()?.iter().for_each(|watched| println!("{}", watched.key.verifier_key()));
        }
        Command::Serve { listen } => serve(book, listen)?,
        Command::Status => return Ok(status(&book)?),
    }
    Ok(ExitCode::SUCCESS)
}

fn serve(book: Book, listen: SocketAddr) -> Result<(), Failed> {
    let failed = |error| Failed::Listen(listen, error);
    if !listen.ip().is_loopback() {
        return Err(failed(std::io::Error::from(std::io::ErrorKind::AddrNotAvailable)));
    }
    let filter = tracing_subscriber::EnvFilter::new("info");
    tracing_subscriber::fmt().json().with_writer(std::io::stderr).with_env_filter(filter).init();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(failed)?;
    runtime.block_on(async {
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let mut terminate = tokio::signal::unix::signal(SignalKind::terminate()).map_err(failed)?;
        let mut interrupt = tokio::signal::unix::signal(SignalKind::interrupt()).map_err(failed)?;
        tracing::info!(witness = book.public().name(), address = %listener.local_addr().map_err(failed)?, "serves");
        let stopped = async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        server::serve(listener, Arc::new(book), stopped).await.map_err(failed)
    })
}

fn status(book: &Book) -> Result<ExitCode, BookError> {
    for watched in book.logs()? {
        let origin = watched.key.origin();
        match (watched.last, watched.at_seconds) {
            (Some(last), Some(at)) => println!(
                "✓ {origin} : {} {} · {} {at} ({})",
                last.size,
                pick("entrées signées", "entries signed"),
                pick("le", "at"),
                pick("secondes depuis 1970", "seconds since 1970")
            ),
            _ => println!("- {origin} : {}", pick("rien n'a encore été signé", "nothing signed yet")),
        }
    }
    let evidence = book.evidence()?;
    for found in &evidence {
        let (origin, size, path) = (&found.origin, found.asked.size, found.path.display());
        let said = if found.is_proof() {
            pick(
                format!(
                    "✗ BIFURCATION PROUVÉE : `{origin}` a signé deux états différents de {size} entrées. Les deux notes, `{path}` et `.kept`, le prouvent à quiconque : remettez-les au DPO et à la CNIL."
                ),
                format!(
                    "✗ FORK PROVEN: `{origin}` signed two different trees of {size} entries. Both notes, `{path}` and `.kept`, prove it to anybody: hand them to the DPO and the supervisory authority."
                ),
            )
        } else {
            let kept = found.kept.size;
            pick(
                format!(
                    "✗ NON PROUVÉ : un état de {size} entrées, signé par `{origin}`, a été présenté sans la preuve qu'il continue les {kept} entrées déjà attestées (`{path}`). Si la commune n'en donne pas de preuve, son registre a été réécrit."
                ),
                format!(
                    "✗ NOT PROVED: a tree of {size} entries signed by `{origin}` was shown without the proof that it continues the {kept} entries attested before (`{path}`). If the town gives no proof, its log was rewritten."
                ),
            )
        };
        println!("{said}");
    }
    Ok(if evidence.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(2) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn no_help_speaks_english_alone() {
        fn check(command: &mut clap::Command) -> usize {
            let help = command.render_help().to_string();
            for english in ["Print help", "Print version", "Print this message", "\nCommands:"] {
                assert!(!help.contains(english), "{help}");
            }
            1 + command.get_subcommands_mut().map(check).sum::<usize>()
        }
        let mut command = Arguments::command();
        command.build();
        assert!(check(&mut command) > 1);
    }
}
