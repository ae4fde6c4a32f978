//! What each role keeps when it confines itself, once, before it reads anything hostile (P1): its files, its ports, its calls.
//!
//! Each role calls [`enter`] while it has one thread and its listeners are bound; then nothing gives a right back.

use crate::{Build, Config, hardening};
use confine::{Entered, Files, Lack, Limits, Ports, Roots, Sockets};
use keeper::wire::{Finding, FindingState};
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

/// A process that is confined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Keeper,
    Recorder,
    Web,
    Auditor,
    Public,
}

/// What names need: the resolver's own files, and the modules that nsswitch.conf may name.
const NAMES: [&str; 8] = [
    "/etc/hosts",
    "/etc/resolv.conf",
    "/etc/nsswitch.conf",
    "/etc/host.conf",
    "/etc/gai.conf",
    "/run/systemd/resolve",
    "/lib",
    "/usr/lib",
];
/// Where SQLite draws the salts of its log.
const CHANCE: &str = "/dev/urandom";
const DNS_PORT: u16 = 53;
const HTTP_PORT: u16 = 80;
const HTTPS_PORT: u16 = 443;
/// How often a disk that was mounted anew is looked for.
const ROOTS_AGAIN: Duration = Duration::from_secs(2);

impl Role {
    /// In the order of starting: the keeper first.
    pub const ALL: [Role; 5] = [Role::Keeper, Role::Recorder, Role::Web, Role::Auditor, Role::Public];

    pub fn name(self) -> &'static str {
        match self {
            Role::Keeper => "keeper",
            Role::Recorder => "recorder",
            Role::Web => "web",
            Role::Auditor => "auditor",
            Role::Public => "public",
        }
    }

    pub fn of(name: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.name() == name)
    }

    /// Everything that this role of this configuration may still do.
    pub fn limits(self, build: &Build, config: &Config) -> Limits {
        let mut limits = match self {
            Role::Keeper => keeper(config),
            Role::Recorder => recorder(config),
            Role::Web => web(config),
            Role::Auditor => auditor(config),
            Role::Public => public(config),
        };
        if let Some(files) = &mut limits.files {
            files.read.extend(build.files.iter().cloned().chain(own_file()).chain([CHANCE.into()]));
        }
        limits
    }
}

/// Keyring, ledger, registry and their reserve. No network. A token's library brings files and sockets that its maker knows.
fn keeper(config: &Config) -> Limits {
    if config.pkcs11.is_on() {
        return Limits { sockets: Sockets::TcpAndNames, foreign_library: true, ..Limits::default() };
    }
    let credentials = std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
    let given = [&config.keyring.passphrase_file, &config.oidc.secret_file].into_iter().filter(|path| is_given(path));
    // /proc: whose child is at the control socket; the kernel keeps the rest of it back from a confined process
    let read = ["/proc".into()].into_iter().chain(credentials).chain(given.cloned()).collect();
    let write = [&config.data.folder].into_iter().chain(&config.keyring.copies).cloned().chain(config.reserve());
    Limits { files: Some(Files { read, write: write.collect() }), connect: Some(Ports::default()), ..Limits::default() }
}

/// The store and the catalog of footage. Cameras' ports, whatever the address: Landlock knows no addresses.
fn recorder(config: &Config) -> Limits {
    let write = config.store_folders().into_iter().chain([folder_of(&config.footage())]).collect();
    let read = names().into_iter().chain([config.site_file()]).collect();
    let ports: Ports = config.cameras.ports.parse().unwrap_or_default(); // checked when it was read
    let dns = config.cameras.names == "dns";
    Limits {
        files: Some(Files { read, write }),
        sockets: if dns { Sockets::TcpAndNames } else { Sockets::Tcp },
        connect: Some(if dns { ports.and(DNS_PORT) } else { ports }),
        foreign_library: false,
    }
}

/// The store to read, the certificate, what the public role says of itself; sealed packages to write; the ports of the identity provider and
/// of the timestamp authority, if there are any.
fn web(config: &Config) -> Limits {
    let mut read = config.store_folders();
    read.push(config.site_file());
    if config.public.is_on() {
        read.push(config.public_folder());
    }
    read.extend(web::console_folders());
    read.extend(certificates(config));
    read.extend(Some(config.tls.acme_folder.clone()).filter(|path| is_given(path)));
    let mut limits = Limits { files: Some(Files::default()), connect: Some(Ports::default()), ..Limits::default() };
    let provider = Some(&config.oidc.issuer).filter(|issuer| !issuer.is_empty()).and_then(|issuer| port_of(issuer));
    let stamps = config.timestamp();
    let ports: Vec<u16> = provider.into_iter().chain(stamps.iter().flat_map(ports_of_timestamps)).collect();
    if !ports.is_empty() {
        read.extend(names().into_iter().chain(authorities()));
        limits.sockets = Sockets::TcpAndNames;
        limits.connect = Some(Ports::of(ports.into_iter().chain([DNS_PORT])));
    }
    let files = stamps.into_iter().flat_map(|stamps| [Some(stamps.roots), stamps.certificates]).flatten();
    read.extend(files.flat_map(|file| certificate(config, &file)));
    limits.files = Some(Files { read, write: vec![config.packages()] });
    limits
}

/// The authority's own, and those where lists of revocations are published: certificates say where.
fn ports_of_timestamps(stamps: &web::TimestampConfig) -> impl Iterator<Item = u16> {
    port_of(&stamps.authority).into_iter().chain([HTTP_PORT, HTTPS_PORT])
}

/// The reels and the log's public files to read, its verdict to write. No network, no catalog.
fn auditor(config: &Config) -> Limits {
    let read = config.store_folders().into_iter().chain([config.site_file(), config.ledger().join("public")]).collect();
    let write = vec![folder_of(&config.verdict())];
    Limits { files: Some(Files { read, write }), connect: Some(Ports::default()), ..Limits::default() }
}

/// The log's public files to read, its own folder, its witnesses' ports. No sealed package: those of links come on web's lines.
fn public(config: &Config) -> Limits {
    let mut read = vec![config.ledger().join("public")];
    let mut limits = Limits { connect: Some(Ports::default()), ..Limits::default() };
    if let Some(path) = &config.public.witnesses {
        read.push(path.clone());
        read.extend(names().into_iter().chain(authorities()));
        let policy = crate::roles::public::policy(Some(path)).ok();
        let urls = policy.into_iter().flat_map(|policy| policy.witnesses).filter_map(|witness| witness.url);
        limits.sockets = Sockets::TcpAndNames;
        limits.connect = Some(Ports::of(urls.filter_map(|url| port_of(&url)).chain([DNS_PORT])));
    }
    limits.files = Some(Files { read, write: vec![config.public_folder()] });
    limits
}

fn is_given(path: &Path) -> bool {
    !path.as_os_str().is_empty()
}

fn folder_of(path: &Path) -> PathBuf {
    path.parent().unwrap_or(path).to_owned()
}

fn names() -> Vec<PathBuf> {
    NAMES.iter().map(PathBuf::from).collect()
}

/// Of the machine, where certificates of other machines are judged.
fn authorities() -> Vec<PathBuf> {
    let named = std::env::var_os("SSL_CERT_FILE").map(PathBuf::from);
    ["/etc/ssl", "/usr/share/ca-certificates", "/usr/local/share/ca-certificates"]
        .into_iter()
        .map(PathBuf::from)
        .chain(named)
        .collect()
}

/// This program's file, which is no secret: the keeper enters its digest, and a panic finds the names of functions there.
fn own_file() -> Option<PathBuf> {
    std::env::current_exe().ok()
}

/// The folders where a renewed certificate will lie, links followed; the files alone where such a folder holds a secret that is
/// not web's, and then a renewed one is read from the next start on.
fn certificates(config: &Config) -> Vec<PathBuf> {
    let files = [&config.tls.certificate, &config.tls.key].into_iter().filter(|path| is_given(path));
    files.flat_map(|file| certificate(config, file)).collect()
}

fn certificate(config: &Config, file: &Path) -> Vec<PathBuf> {
    let both = [Some(file.to_owned()), file.canonicalize().ok()];
    both.into_iter().flatten().map(|file| readable(config, file)).collect()
}

fn readable(config: &Config, file: PathBuf) -> PathBuf {
    let folder = folder_of(&file);
    if holds_a_secret(config, &folder) { file } else { folder }
}

fn holds_a_secret(config: &Config, folder: &Path) -> bool {
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let secrets = config.keyring.copies.iter().chain([
        &config.keyring.passphrase_file,
        &config.data.folder,
        &config.pkcs11.pin_file,
        &config.oidc.secret_file,
    ]);
    let mut secrets =
        secrets.filter(|path| is_given(path)).map(|path| path.canonicalize().unwrap_or_else(|_| path.clone()));
    secrets.any(|path| path.starts_with(&folder) || folder.starts_with(&path))
}

/// Of `https://host:port/path`.
pub fn port_of(url: &str) -> Option<u16> {
    let (scheme, rest) = url.split_once("://")?;
    let host = rest.split(['/', '?', '#']).next()?;
    let default = if scheme == "http" { HTTP_PORT } else { HTTPS_PORT };
    let port = host.rsplit_once(':').filter(|(_, port)| !port.contains(']'));
    port.map_or(Some(default), |(_, port)| port.parse().ok())
}

/// What stands in front of everything that a role does: no dumps, no swap where keys are, then the limits. What could not be had
/// is a finding of the health page.
pub struct Confined {
    pub findings: Vec<Finding>,
    roots: Roots,
}

/// Called once, by the only thread.
pub fn enter(role: Role, build: &Build, config: &Config) -> Confined {
    let mut findings: Vec<Finding> = hardening::no_dumps().into_iter().chain(hardening::no_swap()).collect();
    let Entered { lacks, roots } = confine::enter(&role.limits(build, config));
    findings.extend(lacks.iter().map(|lack| finding(role, lack)));
    if role == Role::Keeper && config.pkcs11.is_on() {
        findings.push(beside_a_library());
    }
    Confined { findings, roots }
}

impl Confined {
    /// For roles that have no health of their own.
    pub fn say(&self) {
        for finding in self.findings.iter().filter(|finding| finding.state != FindingState::Ok) {
            tracing::warn!(detail = finding.detail_en, "hardening");
        }
    }

    /// Sets `stop` when a folder of this role is another one than it was, such as a disk that was mounted anew, which this process
    /// cannot reach: it ends, and is started again with it.
    pub fn watch(self, stop: &Arc<AtomicBool>) {
        let (roots, stop) = (self.roots, stop.clone());
        thread::spawn(move || {
            while !stop.load(Ordering::SeqCst) {
                if let Some(path) = roots.changed() {
                    tracing::warn!(path = %path.display(), "a disk was mounted here: this role starts again to reach it");
                    return stop.store(true, Ordering::SeqCst);
                }
                thread::sleep(ROOTS_AGAIN);
            }
        });
    }
}

fn finding(role: Role, lack: &Lack) -> Finding {
    let name = role.name();
    let (fr, remedy_fr) = match lack {
        Lack::NoLandlock => (
            "ce noyau n'a pas Landlock : les fichiers ne sont pas bornés",
            "Installez un noyau 6.12 ou plus récent, Landlock actif.",
        ),
        Lack::NoPorts => (
            "le Landlock de ce noyau ne connaît pas les ports TCP : ils ne sont pas bornés",
            "Installez un noyau 6.12 ou plus récent.",
        ),
        Lack::NoSignals => {
            ("le Landlock de ce noyau ne retient pas les signaux", "Installez un noyau 6.12 ou plus récent.")
        }
        Lack::Files { .. } => ("Landlock a refusé les bornes", "Lisez le détail dans le journal technique."),
        Lack::Calls { .. } => {
            ("seccomp a refusé la liste des appels système", "Lisez le détail dans le journal technique.")
        }
        Lack::Capabilities { .. } => {
            ("les privilèges ne peuvent être rendus", "Démarrez Vigie sous son propre utilisateur.")
        }
    };
    let state = match lack {
        Lack::NoPorts | Lack::NoSignals => FindingState::Warning,
        _ => FindingState::Alarm,
    };
    Finding {
        id: "confinement".into(),
        state,
        title_fr: "Confinement".into(),
        title_en: "Confinement".into(),
        detail_fr: format!("Processus {name} : {fr}. {remedy_fr}"),
        detail_en: format!(
            "Process {name}: {lack}. Install Linux 6.12 or later, with Landlock; read the technical log."
        ),
    }
}

/// Which is not hidden: K11 asks that nobody is misled.
fn beside_a_library() -> Finding {
    Finding {
        id: "confinement-token".into(),
        state: FindingState::Ok,
        title_fr: "Confinement du gardien".into(),
        title_en: "Confinement of the keeper".into(),
        detail_fr: "La bibliothèque du fabricant du jeton y travaille : ni ses fichiers ni ses ports ne sont bornés, le reste l'est.".into(),
        detail_en: "The library of the token's maker works in it: neither its files nor its ports are limited, the rest is.".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configured(more: &str) -> Config {
        let text = format!(
            "[site]\nname = \"Ville\"\n[data]\nfolder = \"/data\"\n[keyring]\ncopies = [\"/one\", \"/two\"]\n\
             passphrase_file = \"/etc/vigie/passphrase\"\n[store]\nfolder = \"/store\"\n{more}"
        );
        Config::parse(&text, Path::new("vigie.toml")).unwrap()
    }

    fn of_web(more: &str) -> Limits {
        web(&configured(more))
    }

    #[test]
    fn the_public_role_may_read_no_package_and_connect_nowhere_inward_where_links_are_offered() {
        let config = configured("[public]\nlisten = \"127.0.0.1:8472\"\naddress = \"https://remise.example\"\n");
        let (limits, packages) = (public(&config), config.packages());
        let socket = config.links_socket().unwrap();
        assert_eq!((ports(&limits), limits.sockets), (vec![], Limits::default().sockets));
        let files = limits.files.unwrap();
        let reaches = |path: &Path| files.read.iter().chain(&files.write).any(|of| path.starts_with(of));
        assert!(reaches(&socket) && !reaches(&packages) && !reaches(&config.footage()), "{files:?}");
        // web alone writes them
        let reaches = of_web("").files.unwrap();
        assert_eq!(reaches.write, [packages]);
    }

    fn ports(limits: &Limits) -> Vec<u16> {
        let mut ports: Vec<u16> = limits.connect.iter().flat_map(Ports::each).collect();
        ports.sort_unstable();
        ports.dedup();
        ports
    }

    const AUTHORITY: &str =
        "[timestamp]\nauthority = \"http://horodatage.example:318/tsa\"\nroots = \"/etc/horodatage/roots.pem\"\n";
    const PROVIDER: &str = "[oidc]\nissuer = \"https://id.example:8443\"\nclient_id = \"vigie\"\n";

    #[test]
    fn web_reaches_ports_and_names_only_where_a_provider_or_a_timestamp_authority_is_configured() {
        let none = of_web("");
        assert_eq!((ports(&none), none.sockets), (vec![], Limits::default().sockets));
        let stamps = of_web(AUTHORITY);
        assert_eq!((ports(&stamps), stamps.sockets), (vec![53, 80, 318, 443], Sockets::TcpAndNames));
        assert_eq!(ports(&of_web(PROVIDER)), [53, 8443]);
        assert_eq!(ports(&of_web(&format!("{AUTHORITY}{PROVIDER}"))), [53, 80, 318, 443, 8443]);
        let reads = |limits: Limits, path: &str| limits.files.unwrap().read.contains(&PathBuf::from(path));
        assert!(reads(stamps, "/etc/horodatage") && !reads(none, "/etc/horodatage"));
        // where a secret lies beside it the file alone is read, not its folder
        let beside = of_web(&AUTHORITY.replace("/etc/horodatage/", "/etc/vigie/"));
        assert!(!reads(beside.clone(), "/etc/vigie") && reads(beside, "/etc/vigie/roots.pem"));
    }
}
