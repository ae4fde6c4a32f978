//! `vigie restore`: a backup of the registry takes the registry's place; then two persons confirm it (decision 0062).
//!
//! 1 nobody serves: its locks are held here · 2 whose backup it is, and how old · 3 beside the registry: the copy, whole and
//! of a version that this program knows · 4 the scans that are missing · 5 the registry of before is put aside, the copy takes
//! its place
//!
//! Nothing is changed before 4. The copy says of itself that it is one, so the keeper enters it at its next start and holds it
//! to the ledger, however it came there.

use super::{
    Context, Outcome,
    backup::{BackupError, running},
    clock::denied,
    law::proof,
    unexpected,
};
use crate::site;
use catalog::{CatalogError, Registry, is_scan_name};
use clap::{Args, Subcommand};
use domain::limit::BACKUP_DAYS_MAX;
use keeper::{
    backup::archive::{Manifest, REGISTRY, Reading, SCANS},
    wire::{Answer, RestoreDone, RestoredChange, RestoredView, Upkeep},
};
use seal::age::OpeningKey;
use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::ErrorKind,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    process::ExitCode,
};
use zeroize::Zeroizing;

#[derive(Args)]
pub struct Arguments {
    /// La sauvegarde · the backup
    #[arg(requires = "key")]
    file: Option<PathBuf>,
    /// Le fichier de l'identité qui l'ouvre · the file of the identity that opens it
    #[arg(long)]
    key: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Ce que la base restaurée ne sait pas · what the restored registry does not know
    Show,
    /// Confirmer la base restaurée, à deux ; mot de passe puis code se lisent sur l'entrée standard · confirm the restored
    /// registry, two persons; password, then code, are read from standard input
    Confirm {
        /// Le compte de la personne · the person's account
        #[arg(long)]
        account: String,
    },
}

pub(super) fn run(context: &Context<'_>, arguments: Arguments) -> Outcome {
    match (arguments.command, arguments.file, arguments.key) {
        (Some(Command::Show), ..) => show(context),
        (Some(Command::Confirm { account }), ..) => confirm(context, account),
        (None, Some(file), Some(key)) => restore(context, &file, &key),
        (None, ..) => Err(BackupError::NothingNamed.into()),
    }
}

fn restore(context: &Context<'_>, path: &Path, key: &Path) -> Outcome {
    let config = &context.config;
    let _serve = site::lock_serve(config).map_err(running)?;
    let _keeper = site::lock(config).map_err(running)?; // 1
    let (mut reading, manifest) = begin(context, path, key)?; // 2
    let copy = config.registry_restoring();
    let (name, bytes) = part(path, reading.next_file())?.ok_or_else(|| damaged(path))?;
    if name != REGISTRY {
        return Err(damaged(path).into());
    }
    let mut out = private(&copy)?;
    part(path, reading.copy(bytes, &mut out))?;
    out.sync_all().map_err(BackupError::file(&copy))?;
    check_copy(path, &copy, &manifest)?; // 3
    let scans = put_scans(context, path, &mut reading)?; // 4
    put_in_place(context, &copy)?; // 5
    let (at, replaced) = (manifest.at, config.registry_replaced());
    println!("{}", context.pick(
        format!("La base du site est celle du {at} ({scans} scan(s) remis). Démarrez Vigie : la restauration s'inscrit au registre, et personne ne consulte avant que deux personnes l'aient confirmée."),
        format!("The registry is that of {at} ({scans} scan(s) put back). Start Vigie: the restoration is entered in the ledger, and nobody looks before two persons have confirmed it."),
    ));
    if replaced.exists() {
        println!(
            "{}",
            context.pick(
                format!("Celle d'avant est dans {} : supprimez-la quand tout est bien.", replaced.display()),
                format!("The one of before is in {}: delete it when all is well.", replaced.display()),
            )
        );
    }
    Ok(ExitCode::SUCCESS)
}

fn begin(context: &Context<'_>, path: &Path, key: &Path) -> Result<(Reading, Manifest), Box<dyn std::error::Error>> {
    let expected = site::identity(&context.config)?.site;
    let text = Zeroizing::new(fs::read_to_string(key).map_err(BackupError::file(key))?);
    let identity = OpeningKey::parse(&text).map_err(|source| BackupError::Key { path: key.to_owned(), source })?;
    let file = File::open(path).map_err(BackupError::file(path))?;
    let (reading, manifest) = part(path, Reading::begin(file, &identity))?;
    if manifest.site != expected {
        return Err(BackupError::OtherSite { path: path.to_owned(), found: manifest.site, expected }.into());
    }
    if manifest.at.plus_seconds(BACKUP_DAYS_MAX * 86_400) < context.build.clock.utc() {
        return Err(BackupError::TooOld { path: path.to_owned(), at: manifest.at }.into());
    }
    Ok((reading, manifest))
}

/// It opens, every page of it reads, and it says of itself what the manifest says.
fn check_copy(path: &Path, copy: &Path, manifest: &Manifest) -> Result<(), Box<dyn std::error::Error>> {
    let registry = match Registry::open(copy) {
        Ok(registry) => registry,
        Err(CatalogError::Newer { .. }) => {
            let program = manifest.program.clone();
            return Err(BackupError::NewerRegistry { path: path.to_owned(), program }.into());
        }
        Err(CatalogError::Damaged { .. } | CatalogError::Foreign { .. } | CatalogError::Missing { .. }) => {
            return Err(damaged(path).into());
        }
        Err(error) => return Err(error.into()),
    };
    let says = registry.taken()?.map(|taken| (taken.entries, taken.at));
    let is_whole = registry.site().id == manifest.site && says == Some((manifest.entries, manifest.at));
    if is_whole { Ok(()) } else { Err(damaged(path).into()) }
}

/// Scans are named by what they hold: one that is there is the same.
fn put_scans(context: &Context<'_>, path: &Path, reading: &mut Reading) -> Result<u64, BackupError> {
    let folder = context.config.data.folder.join(SCANS.trim_end_matches('/'));
    let mut put = 0;
    while let Some((name, bytes)) = part(path, reading.next_file())? {
        let Some(name) = name.strip_prefix(SCANS).filter(|name| is_scan_name(name)) else { return Err(damaged(path)) };
        let target = folder.join(name);
        if target.exists() {
            part(path, reading.copy(bytes, &mut std::io::sink()))?;
            continue;
        }
        DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(BackupError::file(&folder))?;
        let partial = target.with_extension("partial");
        let mut out = private(&partial)?;
        part(path, reading.copy(bytes, &mut out))?;
        let placed = out.sync_all().and_then(|()| fs::rename(&partial, &target));
        placed.and_then(|()| File::open(&folder)?.sync_all()).map_err(BackupError::file(&target))?;
        put += 1;
    }
    Ok(put)
}

/// The write-ahead log of before must not be read beside another database.
fn put_in_place(context: &Context<'_>, copy: &Path) -> Result<(), BackupError> {
    let config = &context.config;
    let (registry, replaced) = (config.registry(), config.registry_replaced());
    let beside = |path: &Path, suffix: &str| PathBuf::from(format!("{}{suffix}", path.display()));
    let moved = |from: &Path, to: &Path| match fs::rename(from, to) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(BackupError::File { path: from.to_owned(), source: error })
        }
        _ => Ok(()),
    };
    for suffix in ["-wal", "-shm", ""] {
        let target = beside(&replaced, suffix);
        match fs::remove_file(&target) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(BackupError::File { path: target, source: error });
            }
            _ => moved(&beside(&registry, suffix), &target)?,
        }
    }
    fs::rename(copy, &registry).map_err(BackupError::file(copy))?;
    let folder = &config.data.folder;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(BackupError::file(folder))
}

fn private(path: &Path) -> Result<File, BackupError> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600).open(path).map_err(BackupError::file(path))
}

fn part<T>(path: &Path, read: Result<T, keeper::backup::archive::ArchiveError>) -> Result<T, BackupError> {
    read.map_err(|error| BackupError::reading(path, error))
}

fn damaged(path: &Path) -> BackupError {
    BackupError::Damaged { path: path.to_owned() }
}

fn show(context: &Context<'_>) -> Outcome {
    let Answer::Restored(view) = context.upkeep(Upkeep::RestoredShow)? else { return Err(unexpected()) };
    match view {
        None => println!(
            "{}",
            context
                .pick("Aucune base restaurée n'attend de confirmation.", "No restored registry waits to be confirmed.")
        ),
        Some(view) => tell(context, &view),
    }
    Ok(ExitCode::SUCCESS)
}

fn tell(context: &Context<'_>, view: &RestoredView) {
    let RestoredView { taken, entries_since, .. } = view;
    println!(
        "{}",
        context.pick(
            format!("Base du site restaurée, du {taken} ; {entries_since} écriture(s) au registre depuis."),
            format!("Registry restored, of {taken}; {entries_since} entries in the ledger since."),
        )
    );
    if !view.everything_is_told {
        println!("{}", context.pick(
            "Le registre ne dit pas tout ce qui a changé depuis : chaque compte a besoin d'un nouveau lien (`vigie account add`).",
            "The ledger does not tell all that changed since: every account needs a new link (`vigie account add`).",
        ));
    }
    for line in &view.lines {
        let what = match line.change {
            RestoredChange::NeedsLink => {
                context.pick("compte fermé jusqu'à un nouveau lien", "account closed until a new link")
            }
            RestoredChange::NoAccount => context.pick("compte ajouté depuis, absent", "account added since, missing"),
            RestoredChange::Camera => {
                context.pick("caméra changée depuis, à saisir de nouveau", "camera changed since, to be entered anew")
            }
            RestoredChange::Act => {
                context.pick("acte inscrit depuis, à saisir de nouveau", "act entered since, to be entered anew")
            }
        };
        println!("  {what} : {}", line.what.reveal());
    }
    let waits = if view.waits_for_a_second {
        context
            .pick("Une personne a confirmé ; une autre est attendue.", "One person confirmed; another one is awaited.")
    } else {
        context.pick(
            "Deux personnes sont attendues : `vigie restore confirm`.",
            "Two persons are awaited: `vigie restore confirm`.",
        )
    };
    println!("{waits}");
}

fn confirm(context: &Context<'_>, account: String) -> Outcome {
    let done = match context.upkeep(Upkeep::RestoreConfirm { person: proof(account)? })? {
        Answer::RestoreDone(done) => done,
        Answer::Denied { wait_seconds } => {
            eprintln!("{}", context.language.pick(denied(wait_seconds).0, denied(wait_seconds).1));
            return Ok(ExitCode::FAILURE);
        }
        _ => return Err(unexpected()),
    };
    let (fr, en) = match done {
        RestoreDone::First => (
            "Inscrit au registre. Une autre personne confirme à son tour.",
            "Entered in the ledger. Another person confirms in turn.",
        ),
        RestoreDone::Confirmed => (
            "Deux personnes ont confirmé la base restaurée : les consultations reprennent.",
            "Two persons confirmed the restored registry: looks are possible again.",
        ),
        RestoreDone::NothingToConfirm => {
            ("Aucune base restaurée n'attend de confirmation.", "No restored registry waits to be confirmed.")
        }
        RestoreDone::SamePerson => (
            "Cette personne a déjà confirmé : il en faut une autre.",
            "This person confirmed already: another one is needed.",
        ),
        RestoreDone::BothAdministrators => (
            "Deux administrateurs ne suffisent pas : il faut une personne d'une autre qualité.",
            "Two administrators are not enough: a person of another role is needed.",
        ),
        RestoreDone::TooNew => (
            "Refusé : ce compte a reçu une nouvelle ouverture depuis la sauvegarde ; il peut confirmer un jour après.",
            "Refused: this account got a new way in since the backup; it may confirm a day after.",
        ),
    };
    println!("{}", context.pick(fr, en));
    Ok(if matches!(done, RestoreDone::First | RestoreDone::Confirmed) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
