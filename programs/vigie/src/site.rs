//! What `init` makes once and every start reads: the site's identity, and the parts that live in its folders.

use crate::{Build, Config, SystemRandom};
use catalog::{CatalogError, Registry};
use disk::{Disk, RealDisk};
use domain::{Random, Secret32, Sensitive};
use keeper::{
    KeeperCore, KeeperParts, OidcSettings, OpenError,
    core::{KeyringLogKeys, SiteLog},
    journal::{Journal, JournalError, JournalParts, JournalPlace, JournalSizes},
    wire::{Finding, FindingState},
};
use keyring::{FileKeyring, Keyring, KeyringError};
use std::{
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};
use vault::StoreError;
use zeroize::Zeroizing;

/// Why a site cannot be made or opened.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    #[error("there is no site in `{path}`: run `vigie init` first", path = path.display())]
    NoSite { path: PathBuf },
    #[error("there is a site in `{path}` already: nothing was changed", path = path.display())]
    Exists { path: PathBuf },
    #[error("`{path}` is damaged: restore it from its backup, it holds no secret", path = path.display())]
    Damaged { path: PathBuf },
    #[error(
        "`{path}` is of version {found}, written by a later program: nothing was changed; install the later program again",
        path = path.display()
    )]
    LaterVersion { path: PathBuf, found: u64 },
    #[error(
        "cannot read the passphrase in `{path}`: {source}: write it there again from its copy on paper (mode 0400)",
        path = path.display()
    )]
    NoPassphrase { path: PathBuf, source: std::io::Error },
    #[error("cannot read the PIN in `{path}`: {source}: write the token's user PIN there (mode 0400)", path = path.display())]
    NoPin { path: PathBuf, source: std::io::Error },
    #[error("`{path}` can be read by others (mode {mode:o}): `chmod 0400 {path}`", path = path.display())]
    OpenPassphrase { path: PathBuf, mode: u32 },
    #[error("`{first}` and `{second}` are one folder, or one lies in the other: the keyring needs two, better on two devices", first = first.display(), second = second.display())]
    SameFolder { first: PathBuf, second: PathBuf },
    #[error("`{name}` is no account name: 1 to 64 characters, no space at its ends")]
    AccountName { name: String },
    #[error("`{path}` is no root of the store in the configuration: write it to `store.more` first", path = path.display())]
    NotConfigured { path: PathBuf },
    #[error("`{path}` is not empty: nothing was touched; a new root of the store begins on an empty disk", path = path.display())]
    NotEmpty { path: PathBuf },
    #[error(
        "256 disks were roots of this store and the catalog still knows reels on each: wait until the oldest have died"
    )]
    NoNumber,
    #[error("the ledger's journal must be opened anew: the keeper starts again")]
    MustRestart,
    #[error("another Vigie runs on `{path}`: stop it first", path = path.display())]
    InUse { path: PathBuf },
    #[error(
        "cannot listen on {address}: {source}: stop the program that is there, or choose another port in `web.listen`"
    )]
    Listen { address: std::net::SocketAddr, source: std::io::Error },
    #[error(
        "cannot listen on {address}: {source}: stop the program that is there, or choose another port in `public.listen`"
    )]
    PublicListen { address: std::net::SocketAddr, source: std::io::Error },
    #[error("the witnesses' file `{path}`, {source}", path = path.display())]
    Witnesses { path: PathBuf, source: ledger::PolicyError },
    #[error("{what}: {source}")]
    Io { what: String, source: std::io::Error },
    #[error(transparent)]
    Tls(#[from] web::TlsError),
    #[error(
        "the provider's secret cannot be read from `{path}` ({source}): correct `oidc.secret_file`",
        path = path.display()
    )]
    ProviderSecret { path: PathBuf, source: std::io::Error },
    #[error("`{path}` can be read by others (mode {mode:o}): `chmod 0400 {path}`", path = path.display())]
    OpenProviderSecret { path: PathBuf, mode: u32 },
    #[error(transparent)]
    Disk(#[from] disk::DiskError),
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Registry(#[from] CatalogError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Keeper(#[from] OpenError),
    #[error(transparent)]
    Asked(#[from] vault::KeeperError),
}

impl SiteError {
    pub fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> SiteError {
        let what = what.into();
        move |source| SiteError::Io { what, source }
    }
}

/// The passphrase and where it came from (P9).
pub struct Passphrase {
    pub text: Zeroizing<String>,
    pub from: String,
}

/// Of `site.json`; none stands in those of before there was a number.
const IDENTITY_FORMAT: u64 = 1;

#[derive(serde::Deserialize)]
struct Version {
    format: Option<u64>,
}

/// Identity of the site and of its log.
pub fn identity(config: &Config) -> Result<SiteLog, SiteError> {
    let path = config.site_file();
    let text = std::fs::read(&path).map_err(|_| SiteError::NoSite { path: config.data.folder.clone() })?;
    let damaged = || SiteError::Damaged { path: path.clone() };
    // of a later version nothing else needs to read as it does here
    match serde_json::from_slice::<Version>(&text).map_err(|_| damaged())?.format {
        None | Some(IDENTITY_FORMAT) => serde_json::from_slice(&text).map_err(|_| damaged()),
        Some(found) => Err(SiteError::LaterVersion { path, found }),
    }
}

/// A systemd credential named `vigie-passphrase`, or else the configured file, which nobody else may read.
pub fn passphrase(config: &Config) -> Result<Passphrase, SiteError> {
    if let Some(folder) = std::env::var_os("CREDENTIALS_DIRECTORY") {
        let path = Path::new(&folder).join("vigie-passphrase");
        if path.exists() {
            return read_passphrase(&path, "systemd credential `vigie-passphrase`");
        }
    }
    let path = &config.keyring.passphrase_file;
    let no_passphrase = |source| SiteError::NoPassphrase { path: path.clone(), source };
    let mode = std::fs::metadata(path).map_err(no_passphrase)?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(SiteError::OpenPassphrase { path: path.clone(), mode });
    }
    read_passphrase(path, &format!("file `{}`", path.display()))
}

fn read_passphrase(path: &Path, from: &str) -> Result<Passphrase, SiteError> {
    let text =
        std::fs::read_to_string(path).map_err(|source| SiteError::NoPassphrase { path: path.to_owned(), source })?;
    let text = Zeroizing::new(text);
    Ok(Passphrase { text: Zeroizing::new(text.trim_end_matches(['\n', '\r']).to_owned()), from: from.to_owned() })
}

/// What is agreed with the provider of sign-ins, with its secret, which nobody else may read.
fn provider(config: &Config) -> Result<Option<OidcSettings>, SiteError> {
    let oidc = &config.oidc;
    if oidc.issuer.is_empty() {
        return Ok(None);
    }
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect();
    let path = &oidc.secret_file;
    let secret = if path.as_os_str().is_empty() {
        None
    } else {
        let unreadable = |source| SiteError::ProviderSecret { path: path.clone(), source };
        let mode = std::fs::metadata(path).map_err(unreadable)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(SiteError::OpenProviderSecret { path: path.clone(), mode });
        }
        Some(Sensitive::new(std::fs::read_to_string(path).map_err(unreadable)?.trim().to_owned()))
    };
    let (issuer, client_id) = (oidc.issuer.clone(), oidc.client_id.clone());
    Ok(Some(OidcSettings { issuer, client_id, secret, acr: words(&oidc.acr), amr: words(&oidc.amr) }))
}

/// The reserve for held footage.
pub fn holds(config: &Config) -> recorder::ReservePlace {
    let of_disk = rustix::fs::statvfs(&config.store.folder).map(|of| of.f_blocks.saturating_mul(of.f_frsize)).ok();
    recorder::ReservePlace { path: config.holds(), bytes_max: config.holds_bytes(of_disk) }
}

pub fn disk() -> Arc<dyn Disk> {
    Arc::new(RealDisk)
}

pub fn open_keyring(
    config: &Config,
    identity: SiteLog,
    passphrase: &Passphrase,
) -> Result<Arc<dyn Keyring>, SiteError> {
    let random: Arc<dyn Random> = Arc::new(SystemRandom::new());
    let (copies, token) = (config.keyring.copies.clone(), crate::token::token(config, identity.site)?);
    let keyring = FileKeyring::open_with(disk(), copies, identity.site, &passphrase.text, random, token)?;
    Ok(Arc::new(keyring))
}

/// Where the ledger lies, and its reserve.
pub fn journal_place(config: &Config) -> JournalPlace {
    JournalPlace::in_folder(&config.ledger()).with_reserve(config.reserve())
}

/// What the journal is made of; the seed of its checkpoints is the site key.
pub fn journal_parts(config: &Config, identity: SiteLog, keyring: &Arc<dyn Keyring>) -> JournalParts {
    JournalParts {
        disk: disk(),
        place: journal_place(config),
        sizes: JournalSizes::default(),
        site: identity.site,
        log: identity.log,
        seed: keyring.site_key(),
        keys: Arc::new(KeyringLogKeys(keyring.clone())),
        random: Arc::new(SystemRandom::new()),
    }
}

/// The keeper of this site, in this process.
pub fn open_keeper(build: &Build, config: &Config, mut findings: Vec<Finding>) -> Result<KeeperCore, SiteError> {
    let identity = identity(config)?;
    let passphrase = passphrase(config)?;
    distinct_copies(config)?;
    let keyring = open_keyring(config, identity, &passphrase)?;
    let journal = Journal::open(journal_parts(config, identity, &keyring))?;
    crate::witnessed::hold(config, &journal)?;
    findings.extend(one_device(config));
    findings.extend(reserve_beside_journal(config));
    findings.extend(crate::network_disk::finding(config));
    let parts = KeeperParts {
        site: identity.site,
        hour_length: build.hour_length,
        seconds_per_day: build.seconds_per_day,
        clock: build.clock.clone(),
        random: Arc::new(SystemRandom::new()),
        keyring,
        journal,
        registry: Registry::open_with(&config.registry(), build.to_come)?,
        publishers: policy::law::signature::PUBLISHERS,
        session_idle_seconds: i64::from(config.session.idle_minutes) * 60,
        address: config.address(),
        oidc: provider(config)?,
        log_retention_months: config.ledger.retention_months,
        passphrase_from: match crate::token::pin_from(config)? {
            Some(pin) => format!("{} · PIN: {pin}", passphrase.from),
            None => passphrase.from,
        },
        version: build.version.to_owned(),
        findings,
    };
    Ok(KeeperCore::open(parts)?)
}

/// Holds the data folder for one keeper; released when dropped.
pub fn lock(config: &Config) -> Result<std::fs::File, SiteError> {
    lock_file(config, "lock")
}

/// Holds the store for one recorder: one whose `serve` was killed may still be closing its reels.
pub fn lock_recorder(config: &Config) -> Result<std::fs::File, SiteError> {
    lock_file(config, "recorder.lock")
}

/// Holds the site for one `serve`, before any of its roles starts.
pub fn lock_serve(config: &Config) -> Result<std::fs::File, SiteError> {
    lock_file(config, "serve.lock")
}

fn lock_file(config: &Config, name: &str) -> Result<std::fs::File, SiteError> {
    let path = config.data.folder.join(name);
    let open = std::fs::File::options().create(true).truncate(false).write(true).open(&path);
    let file = open.map_err(SiteError::io(format!("cannot open `{}`", path.display())))?;
    rustix::fs::flock(&file, rustix::fs::FlockOperation::NonBlockingLockExclusive)
        .map_err(|_| SiteError::InUse { path: config.data.folder.clone() })?;
    Ok(file)
}

/// Refuses copies that are one folder by another name, or one inside the other (K3). Folders that are away are not judged.
pub fn distinct_copies(config: &Config) -> Result<(), SiteError> {
    let [first, second] = &config.keyring.copies;
    let (Ok(one), Ok(two)) = (first.canonicalize(), second.canonicalize()) else { return Ok(()) };
    if one.starts_with(&two) || two.starts_with(&one) {
        return Err(SiteError::SameFolder { first: first.clone(), second: second.clone() });
    }
    Ok(())
}

/// Both copies of the keyring on one device: one failure takes both (K3).
fn one_device(config: &Config) -> Option<Finding> {
    let device = |path: &PathBuf| std::fs::metadata(path).ok().map(|metadata| metadata.dev());
    let [first, second] = &config.keyring.copies;
    if device(first)? != device(second)? {
        return None;
    }
    Some(Finding {
        id: "keyring-devices".into(),
        state: FindingState::Warning,
        title_fr: "Deux copies sur un seul support".into(),
        title_en: "Two copies on one device".into(),
        detail_fr: "Les deux copies du trousseau sont sur le même disque : une seule panne les emporte. Placez la seconde ailleurs.".into(),
        detail_en: "Both copies of the keyring are on the same disk: one failure takes both. Put the second elsewhere.".into(),
    })
}

/// The reserve on the journal's own device: one failure takes both.
fn reserve_beside_journal(config: &Config) -> Option<Finding> {
    let device = |path: &Path| std::fs::metadata(path).ok().map(|metadata| metadata.dev());
    if device(&config.reserve()?)? != device(&config.data.folder)? {
        return None;
    }
    Some(Finding {
        id: "ledger-reserve-device".into(),
        state: FindingState::Warning,
        title_fr: "Registre et réserve sur un seul support".into(),
        title_en: "Ledger and reserve on one device".into(),
        detail_fr: "La réserve du registre est sur le même disque que lui : une seule panne les emporte, et personne ne peut plus rien consulter. Placez `ledger.reserve` ailleurs.".into(),
        detail_en: "The ledger's reserve is on the ledger's own disk: one failure takes both, and nobody can look any more. Put `ledger.reserve` elsewhere.".into(),
    })
}

/// A new passphrase: 256 random bits as text that a person can copy.
pub fn new_passphrase(random: &dyn Random) -> Zeroizing<String> {
    let secret = Secret32::draw(random);
    let hex: String = secret.expose().iter().map(|byte| format!("{byte:02x}")).collect();
    let groups: Vec<&str> = (0..8).map(|n| &hex[n * 8..n * 8 + 8]).collect();
    Zeroizing::new(groups.join("-"))
}
