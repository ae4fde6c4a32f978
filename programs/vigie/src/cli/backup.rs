//! `vigie backup`: a copy of the registry, sealed for the town's recipient; `vigie backup key`: the identity that opens it.

use super::{Context, Outcome, unexpected};
use crate::{SystemRandom, site::SiteError};
use clap::{Args, Subcommand};
use domain::{Secret32, SiteId, UtcMicros, limit::BACKUP_DAYS_MAX};
use keeper::{
    backup::archive::ArchiveError,
    wire::{Answer, BackupMade, Upkeep},
};
use seal::age::{AgeError, OpeningKey};
use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
    process::ExitCode,
};

#[derive(Args)]
pub struct Arguments {
    /// Le fichier à écrire, sur un autre support · the file to write, on another device
    file: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Faire l'identité qui ouvre les sauvegardes, sur une machine à part · make the identity that opens backups, on a machine apart
    Key {
        /// Le fichier de l'identité ; il ne reste pas sur le serveur · the identity's file; it does not stay on the server
        file: PathBuf,
    },
}

/// Why no backup is taken or restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("name the file to write: `vigie backup /media/usb/vigie.age`")]
    NoFile,
    #[error("name the backup and the identity's file: `vigie restore vigie.age --key identity`")]
    NothingNamed,
    #[error(
        "no recipient is configured: make an identity with `vigie backup key` on another machine and write its `age1…` to `backup.recipient`"
    )]
    NoRecipient,
    #[error("`{path}` exists already: name another file, nothing is overwritten", path = path.display())]
    Exists { path: PathBuf },
    #[error("what was written is not what the keeper sealed: check the disk of `{path}` and take the backup again", path = path.display())]
    Changed { path: PathBuf },
    #[error("the identity in `{path}` cannot be used: {source}; take the file that `vigie backup key` or `age-keygen` wrote", path = path.display())]
    Key { path: PathBuf, source: AgeError },
    #[error("`{path}` is sealed for another identity: take the one whose recipient `backup.recipient` was then", path = path.display())]
    OtherIdentity { path: PathBuf },
    #[error("`{path}` is damaged, or no backup of Vigie: nothing was changed, take an earlier backup", path = path.display())]
    Damaged { path: PathBuf },
    #[error("`{path}` is a backup of format {found}, made by a newer program: install it first, nothing was changed", path = path.display())]
    NewerFormat { path: PathBuf, found: u32 },
    #[error("`{path}` was made by the newer program {program}: install it first, nothing was changed", path = path.display())]
    NewerRegistry { path: PathBuf, program: String },
    #[error("`{path}` is of another site ({found}), this one is {expected}: nothing was changed, take a backup of this site", path = path.display())]
    OtherSite { path: PathBuf, found: SiteId, expected: SiteId },
    #[error("`{path}` is of {at}: what changed in more than {BACKUP_DAYS_MAX} days cannot be told any more; nothing was changed, take a later backup", path = path.display())]
    TooOld { path: PathBuf, at: UtcMicros },
    #[error("Vigie runs: stop it first (`systemctl stop vigie`); nothing was changed")]
    Running,
    #[error("the file `{path}` cannot be read or written: {source}", path = path.display())]
    File { path: PathBuf, source: std::io::Error },
}

impl BackupError {
    pub(super) fn file(path: &Path) -> impl Fn(std::io::Error) -> BackupError {
        let path = path.to_owned();
        move |source| BackupError::File { path: path.clone(), source }
    }

    /// Of reading an archive.
    pub(super) fn reading(path: &Path, error: ArchiveError) -> BackupError {
        let path = path.to_owned();
        match error {
            ArchiveError::Age(AgeError::OtherRecipient) => BackupError::OtherIdentity { path },
            ArchiveError::Newer { found } => BackupError::NewerFormat { path, found },
            ArchiveError::Io(source) if source.kind() != std::io::ErrorKind::UnexpectedEof => {
                BackupError::File { path, source }
            }
            ArchiveError::Age(_) | ArchiveError::Damaged | ArchiveError::Io(_) => BackupError::Damaged { path },
        }
    }

    pub fn text_fr(&self) -> String {
        match self {
            BackupError::NoFile => "nommez le fichier à écrire : `vigie backup /media/usb/vigie.age`".into(),
            BackupError::NothingNamed => "nommez la sauvegarde et le fichier de l'identité : `vigie restore vigie.age --key identite`".into(),
            BackupError::NoRecipient => "aucun destinataire n'est configuré : faites une identité avec `vigie backup key` sur une autre machine et écrivez son `age1…` dans `backup.recipient`".into(),
            BackupError::Exists { path } => format!("`{}` existe déjà : nommez un autre fichier, rien n'est écrasé", path.display()),
            BackupError::Changed { path } => format!("ce qui a été écrit n'est pas ce que le gardien a chiffré : vérifiez le disque de `{}` et recommencez la sauvegarde", path.display()),
            BackupError::Key { path, .. } => format!("l'identité de `{}` est inutilisable : prenez le fichier écrit par `vigie backup key` ou `age-keygen`", path.display()),
            BackupError::OtherIdentity { path } => format!("`{}` est chiffrée pour une autre identité : prenez celle dont le destinataire figurait alors dans `backup.recipient`", path.display()),
            BackupError::Damaged { path } => format!("`{}` est abîmée, ou n'est pas une sauvegarde de Vigie : rien n'a été changé, prenez une sauvegarde antérieure", path.display()),
            BackupError::NewerFormat { path, found } => format!("`{}` est une sauvegarde au format {found}, faite par un programme plus récent : installez-le d'abord, rien n'a été changé", path.display()),
            BackupError::NewerRegistry { path, program } => format!("`{}` a été faite par le programme plus récent {program} : installez-le d'abord, rien n'a été changé", path.display()),
            BackupError::OtherSite { path, found, expected } => format!("`{}` est celle d'un autre site ({found}), celui-ci est {expected} : rien n'a été changé, prenez une sauvegarde de ce site", path.display()),
            BackupError::TooOld { path, at } => format!("`{}` est du {at} : ce qui a changé en plus de {BACKUP_DAYS_MAX} jours ne peut plus être dit ; rien n'a été changé, prenez une sauvegarde plus récente", path.display()),
            BackupError::Running => "Vigie tourne : arrêtez-le d'abord (`systemctl stop vigie`) ; rien n'a été changé".into(),
            BackupError::File { path, source } => format!("le fichier `{}` ne peut être lu ou écrit : {source}", path.display()),
        }
    }
}

pub(super) fn run(context: &Context<'_>, arguments: &Arguments) -> Outcome {
    match (&arguments.command, &arguments.file) {
        (Some(Command::Key { file }), _) => key(context, file),
        (None, Some(file)) => take(context, file),
        (None, None) => Err(BackupError::NoFile.into()),
    }
}

/// 1 for whom · 2 the keeper seals a copy and enters it · 3 its bytes are written under another name · 4 they are what was
/// sealed · 5 they get their name; the keeper deletes its own
fn take(context: &Context<'_>, file: &Path) -> Outcome {
    let recipient = context.config.backup.recipient.clone();
    if recipient.is_empty() {
        return Err(BackupError::NoRecipient.into()); // 1
    }
    if file.exists() {
        return Err(BackupError::Exists { path: file.to_owned() }.into());
    }
    let partial = file.with_extension("partial");
    let failed = BackupError::file(&partial);
    let mut options = OpenOptions::new();
    // before anything is sealed: a disk that is not there is told at once
    let mut out = options.write(true).create(true).truncate(true).mode(0o600).open(&partial).map_err(&failed)?;
    let Answer::BackupMade(made) = context.upkeep(Upkeep::Backup { recipient: recipient.clone() })? else {
        return Err(unexpected());
    }; // 2
    let digest = fetch(context, &made, &mut out, &partial)?; // 3
    if digest != made.digest {
        fs::remove_file(&partial).map_err(&failed)?;
        return Err(BackupError::Changed { path: file.to_owned() }.into()); // 4
    }
    fs::rename(&partial, file).map_err(BackupError::file(file))?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(BackupError::file(folder))?;
    let Answer::Done = context.upkeep(Upkeep::BackupFetched)? else { return Err(unexpected()) }; // 5
    tell(context, file, &made, &recipient);
    Ok(ExitCode::SUCCESS)
}

/// What the file holds once it is durable, read back.
fn fetch(
    context: &Context<'_>,
    made: &BackupMade,
    out: &mut File,
    path: &Path,
) -> Result<[u8; 32], Box<dyn std::error::Error>> {
    let failed = BackupError::file(path);
    let mut offset = 0;
    while offset < made.bytes {
        let Answer::BackupPart { bytes } = context.upkeep(Upkeep::BackupRead { offset })? else {
            return Err(unexpected());
        };
        if bytes.reveal().is_empty() {
            break; // another backup took its place: the digest tells
        }
        out.write_all(bytes.reveal()).map_err(&failed)?;
        offset += bytes.reveal().len() as u64;
    }
    out.sync_all().map_err(&failed)?;
    let mut digest = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    digest.update(&fs::read(path).map_err(&failed)?);
    let mut found = [0; 32];
    found.copy_from_slice(digest.finish().as_ref());
    Ok(found)
}

fn tell(context: &Context<'_>, file: &Path, made: &BackupMade, recipient: &str) {
    let (shown, BackupMade { at, entries, bytes, digest }) = (file.display(), made);
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    println!(
        "{}",
        context.pick(
            format!("Sauvegarde de la base du site, du {at} : {shown}, {bytes} octets, pour {recipient}."),
            format!("Backup of the registry, of {at}: {shown}, {bytes} bytes, for {recipient}."),
        )
    );
    println!(
        "{} ({entries} {}) · SHA-256 {digest}",
        context.pick("Inscrite au registre", "Entered in the ledger"),
        context.pick("écritures", "entries")
    );
    println!(
        "{}",
        context.pick(
            "Elle ne contient aucune clé, aucune image, aucun registre. Portez-la hors de cette machine.",
            "It holds no key, no picture, no ledger. Carry it off this machine.",
        )
    );
}

fn key(context: &Context<'_>, file: &Path) -> Outcome {
    if file.exists() {
        return Err(BackupError::Exists { path: file.to_owned() }.into());
    }
    let identity = OpeningKey::of(Secret32::draw(&SystemRandom::new()));
    let recipient = identity.recipient()?;
    let failed = BackupError::file(file);
    let mut out = OpenOptions::new().write(true).create_new(true).mode(0o400).open(file).map_err(&failed)?;
    let text = zeroize::Zeroizing::new(format!("# {recipient}\n{}\n", identity.text().as_str()));
    out.write_all(text.as_bytes()).and_then(|()| out.sync_all()).map_err(&failed)?;
    println!("{recipient}");
    let shown = file.display();
    eprintln!("{}", context.pick(
        format!("Écrivez ce destinataire dans `backup.recipient`. {shown} ouvre toutes les sauvegardes : gardez-le en lieu sûr, hors du serveur."),
        format!("Write this recipient to `backup.recipient`. {shown} opens every backup: keep it in a safe place, off the server."),
    ));
    Ok(ExitCode::SUCCESS)
}

/// One of the site's locks is held by somebody.
pub(super) fn running(error: SiteError) -> Box<dyn std::error::Error> {
    match error {
        SiteError::InUse { .. } => BackupError::Running.into(),
        error => error.into(),
    }
}
