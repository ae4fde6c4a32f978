//! The configuration: one TOML file, and variables `VIGIE_…` that go before it. A setting that does not exist is refused,
//! with the nearest one that does.

mod page;
mod settings;

pub use page::page;
pub use settings::{Form, OTHER_VARIABLES, SETTINGS, Setting};

use domain::limit::{STORE_ROOTS_MAX, TOKEN_LABEL_BYTES_MAX};
use serde::Deserialize;
use settings::GIBIBYTES;
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
};
use toml::{Table, Value};
use vault::store::Place;

/// The configuration of one machine. What each setting means stands in [`SETTINGS`].
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Config {
    pub site: SiteSection,
    pub data: DataSection,
    pub backup: BackupSection,
    pub keyring: KeyringSection,
    pub pkcs11: Pkcs11Section,
    pub store: StoreSection,
    pub cameras: CamerasSection,
    pub retention: RetentionSection,
    pub ledger: LedgerSection,
    pub web: WebSection,
    pub tls: TlsSection,
    pub session: SessionSection,
    pub oidc: OidcSection,
    pub public: PublicSection,
    pub timestamp: TimestampSection,
    pub log: LogSection,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct SiteSection {
    pub name: String,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct DataSection {
    pub folder: PathBuf,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct BackupSection {
    /// Empty: none.
    pub recipient: String,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct KeyringSection {
    pub copies: [PathBuf; 2],
    pub passphrase_file: PathBuf,
}

/// All three empty where there is no token.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Pkcs11Section {
    pub module: PathBuf,
    pub token: String,
    pub pin_file: PathBuf,
}

impl Pkcs11Section {
    pub fn is_on(&self) -> bool {
        !self.module.as_os_str().is_empty()
    }
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct StoreSection {
    pub folder: PathBuf,
    pub gibibytes_max: u32,
    pub slot_mebibytes: u32,
    /// Of the reserve for held footage.
    pub holds_percent: u32,
    /// Further roots, each on a disk of its own.
    pub more: Vec<MoreRoom>,
}

/// A further root of the store.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MoreRoom {
    pub folder: PathBuf,
    pub gibibytes_max: u32,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct CamerasSection {
    pub ports: String,
    pub names: String,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct RetentionSection {
    pub minimum_hours: u32,
    pub hold_days: i64,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct LedgerSection {
    pub retention_months: u32,
    /// Empty: none.
    pub reserve: PathBuf,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct WebSection {
    pub listen: SocketAddr,
    /// Empty: `http://localhost` and the port of `listen`.
    pub address: String,
}

/// Each empty where it is not used.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct TlsSection {
    pub certificate: PathBuf,
    pub key: PathBuf,
    pub plain_listen: String,
    pub acme_folder: PathBuf,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct SessionSection {
    pub idle_minutes: u32,
}

/// Each empty where it is not used.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct OidcSection {
    pub issuer: String,
    pub client_id: String,
    pub secret_file: PathBuf,
    pub scopes: String,
    pub acr: String,
    pub amr: String,
    pub name: String,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct PublicSection {
    #[serde(deserialize_with = "unless_empty")]
    pub listen: Option<SocketAddr>,
    /// Empty: no links.
    pub address: String,
    #[serde(deserialize_with = "unless_empty")]
    pub witnesses: Option<PathBuf>,
}

impl PublicSection {
    /// Whether there is anything for the public role to do.
    pub fn is_on(&self) -> bool {
        self.listen.is_some() || self.witnesses.is_some()
    }
}

/// Each empty where it is not used.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct TimestampSection {
    pub authority: String,
    pub roots: PathBuf,
    pub certificates: PathBuf,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct LogSection {
    pub level: String,
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    Default,
    File,
    Environment,
}

/// The file's name, its text and the environment: all that a configuration is made of.
pub struct Sources<'a> {
    pub path: &'a Path,
    pub text: &'a str,
    /// Variables whose names begin with `VIGIE_`.
    pub variables: BTreeMap<String, String>,
    /// Variables of the program that are no settings, beside [`OTHER_VARIABLES`].
    pub other_variables: &'a [&'a str],
}

/// A configuration, each value with its origin.
#[derive(Clone, Debug, PartialEq)]
pub struct Effective {
    pub config: Config,
    /// In the order of [`SETTINGS`]: name, value as it would stand in the file, origin.
    pub values: Vec<(&'static str, String, Origin)>,
}

/// Why a configuration is not taken.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("cannot read the configuration `{path}`: {source}; name another with --config", path = path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("`{path}` is not TOML: {source}", path = path.display())]
    NotToml { path: PathBuf, source: Box<toml::de::Error> },
    #[error("`{path}`: there is no setting `{unknown}`{hint}", path = path.display())]
    Unknown { path: PathBuf, unknown: String, hint: String },
    #[error("`{path}`: {source}", path = path.display())]
    Wrong { path: PathBuf, source: Box<toml::de::Error> },
    #[error("`{place}`: `{setting}` {why}")]
    OutOfBounds { place: String, setting: &'static str, why: String },
    #[error("there is no variable `{unknown}`{hint}")]
    UnknownVariable { unknown: String, hint: String },
    #[error("`{path}`: `{setting}` is missing: write it there, or give it as `{variable}`", path = path.display())]
    Missing { path: PathBuf, setting: &'static str, variable: String },
}

impl Sources<'_> {
    /// 1 the file's names exist · 2 the variables' names exist · 3 defaults, file, environment, in this order · 4 bounds
    pub fn effective(&self) -> Result<Effective, ConfigError> {
        let path = self.path;
        let not_toml = |source| ConfigError::NotToml { path: path.to_owned(), source: Box::new(source) };
        let mut table: Table = self.text.parse().map_err(not_toml)?;
        refuse_unknown(&table, path)?; // 1
        self.refuse_unknown_variables()?; // 2
        let mut values = Vec::new();
        for setting in &SETTINGS {
            let (section, name) = setting.parts();
            let settings = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
            let Value::Table(settings) = settings else { continue }; // refused above
            let origin = match (self.variables.get(&setting.variable()), settings.contains_key(name)) {
                (Some(text), _) => {
                    drop(settings.insert(name.to_owned(), setting.value_of(text)?));
                    Origin::Environment
                }
                (None, true) => Origin::File,
                (None, false) => {
                    let Some(default) = setting.default_value() else {
                        let variable = setting.variable();
                        return Err(ConfigError::Missing { path: path.to_owned(), setting: setting.name, variable });
                    };
                    drop(settings.insert(name.to_owned(), default));
                    Origin::Default
                }
            }; // 3
            let value = &settings[name];
            setting.check(value).map_err(|why| self.out_of_bounds(setting, origin, why))?; // 4
            values.push((setting.name, value.to_string(), origin));
        }
        let wrong = |source| ConfigError::Wrong { path: path.to_owned(), source: Box::new(source) };
        let config: Config = table.try_into().map_err(wrong)?;
        let config = config.check().map_err(|(name, why)| {
            let setting = Setting::of(name).expect("a check names a setting of the table");
            let origin =
                values.iter().find(|(other, _, _)| *other == name).map_or(Origin::File, |(_, _, origin)| *origin);
            self.out_of_bounds(setting, origin, why.to_owned())
        })?;
        Ok(Effective { config, values })
    }

    fn out_of_bounds(&self, setting: &Setting, origin: Origin, why: String) -> ConfigError {
        let place = match origin {
            Origin::Environment => setting.variable(),
            _ => self.path.display().to_string(),
        };
        ConfigError::OutOfBounds { place, setting: setting.name, why }
    }

    fn refuse_unknown_variables(&self) -> Result<(), ConfigError> {
        let mut known: Vec<String> = SETTINGS.iter().map(Setting::variable).collect();
        known.extend(OTHER_VARIABLES.iter().map(|(name, _, _)| (*name).to_owned()));
        known.extend(self.other_variables.iter().map(|name| (*name).to_owned()));
        let unknown = self.variables.keys().find(|name| !known.contains(name));
        let Some(unknown) = unknown else { return Ok(()) };
        let hint = hint(unknown, known.iter().map(String::as_str), "variables are");
        Err(ConfigError::UnknownVariable { unknown: unknown.clone(), hint })
    }
}

impl Setting {
    fn default_value(&self) -> Option<Value> {
        let line = format!("value = {}", self.default?);
        let table: Table = line.parse().expect("defaults of the table are TOML");
        table.get("value").cloned()
    }

    /// A variable's text as the file would have it.
    fn value_of(&self, text: &str) -> Result<Value, ConfigError> {
        Ok(match self.form {
            Form::Integer { .. } => {
                let no_number = || ConfigError::OutOfBounds {
                    place: self.variable(),
                    setting: self.name,
                    why: format!("must be {}", self.bounds_en()),
                };
                Value::Integer(text.trim().parse().map_err(|_| no_number())?)
            }
            Form::TwoFolders => Value::Array(text.split(':').map(|folder| Value::String(folder.to_owned())).collect()),
            Form::Rooms => rooms_of(text).ok_or_else(|| ConfigError::OutOfBounds {
                place: self.variable(),
                setting: self.name,
                why: format!("must be {}", self.bounds_en()),
            })?,
            _ => Value::String(text.to_owned()),
        })
    }

    /// Errors: why not. What is of another form is told by the reader of the whole.
    fn check(&self, value: &Value) -> Result<(), String> {
        let fits = match (self.form, value) {
            (Form::Integer { min, max }, Value::Integer(number)) => (min..=max).contains(number),
            (Form::OneOf(words), Value::String(word)) => words.contains(&word.as_str()),
            (Form::OptionalHttps, Value::String(text)) => text.is_empty() || is_https(text),
            (Form::OptionalHttp, Value::String(text)) => text.is_empty() || is_http(text),
            (Form::Ports, Value::String(text)) => text.parse::<confine::Ports>().is_ok(),
            (Form::Origin, Value::String(text)) => text.is_empty() || is_origin(text),
            (Form::OptionalLabel, Value::String(text)) => text.len() <= TOKEN_LABEL_BYTES_MAX,
            (Form::Text, Value::String(text)) => !text.trim().is_empty(),
            (Form::OptionalRecipient, Value::String(text)) => {
                text.is_empty() || seal::age::Recipient::parse(text).is_ok()
            }
            (Form::OptionalFolder | Form::OptionalFile, Value::String(path)) => {
                path.is_empty() || Path::new(path).is_absolute()
            }
            (Form::AddressOrNone, Value::String(text)) => text.is_empty() || text.parse::<SocketAddr>().is_ok(),
            (Form::Folder | Form::File, Value::String(path)) => Path::new(path).is_absolute(),
            (Form::OptionalAddress, Value::String(text)) => {
                text.is_empty() || text.parse().is_ok_and(|address: SocketAddr| address.ip().is_loopback())
            }
            (Form::Rooms, Value::Array(rooms)) => rooms.len() < STORE_ROOTS_MAX && rooms.iter().all(is_room),
            (Form::TwoFolders, Value::Array(folders)) => {
                let is_absolute = |folder: &Value| folder.as_str().is_none_or(|path| Path::new(path).is_absolute());
                folders.len() == 2 && folders.iter().all(is_absolute)
            }
            _ => true,
        };
        if fits { Ok(()) } else { Err(format!("must be {}", self.bounds_en())) }
    }
}

impl Effective {
    /// Of this process: the file and the environment.
    pub fn read(path: &Path, other_variables: &[&str]) -> Result<Effective, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        let ours = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            let name = name.into_string().ok().filter(|name| name.starts_with("VIGIE_"))?;
            Some((name, value.to_string_lossy().into_owned()))
        };
        let variables = std::env::vars_os().filter_map(ours).collect();
        Sources { path, text: &text, variables, other_variables }.effective()
    }
}

impl Config {
    /// Of the file alone. `path` is for messages.
    pub fn parse(text: &str, path: &Path) -> Result<Config, ConfigError> {
        let sources = Sources { path, text, variables: BTreeMap::new(), other_variables: &[] };
        Ok(sources.effective()?.config)
    }

    /// The console's address as browsers name it.
    pub fn address(&self) -> String {
        match self.web.address.as_str() {
            "" => format!("http://localhost:{}", self.web.listen.port()),
            given => given.trim_end_matches('/').to_owned(),
        }
    }
    pub fn tls_files(&self) -> Option<web::TlsFiles> {
        let TlsSection { certificate, key, .. } = &self.tls;
        let given = !certificate.as_os_str().is_empty() && !key.as_os_str().is_empty();
        given.then(|| web::TlsFiles { certificate: certificate.clone(), key: key.clone() })
    }
    /// Who dates packages of evidence; none where none is set.
    pub fn timestamp(&self) -> Option<web::TimestampConfig> {
        let TimestampSection { authority, roots, certificates } = &self.timestamp;
        let certificates = Some(certificates.clone()).filter(|path| !path.as_os_str().is_empty());
        let patience = web::TimestampConfig::PATIENCE;
        let on = web::TimestampConfig { authority: authority.clone(), roots: roots.clone(), certificates, patience };
        (!authority.is_empty()).then_some(on)
    }
    /// What the provider of sign-ins is called; none where none is set.
    pub fn provider_name(&self) -> Option<String> {
        let OidcSection { issuer, name, .. } = &self.oidc;
        let host = issuer.split("://").nth(1)?.split(['/', ':']).next()?;
        Some(if name.is_empty() { host.to_owned() } else { name.clone() })
    }
    pub fn registry(&self) -> PathBuf {
        self.data.folder.join("registry.db")
    }
    /// In a folder of its own, which the recorder may write; not the registry beside it.
    pub fn footage(&self) -> PathBuf {
        self.data.folder.join("footage").join("footage.db")
    }
    /// The store's roots, the first one first: folder, and how many GiB it may take.
    pub fn rooms(&self) -> impl Iterator<Item = (&Path, u32)> {
        let first = (self.store.folder.as_path(), self.store.gibibytes_max);
        std::iter::once(first).chain(self.store.more.iter().map(|room| (room.folder.as_path(), room.gibibytes_max)))
    }
    /// The same, with how many slots each may have.
    pub fn store_places(&self) -> Vec<Place> {
        let place =
            |(path, gibibytes): (&Path, u32)| Place { path: path.to_owned(), slots_max: Some(self.slots(gibibytes)) };
        self.rooms().map(place).collect()
    }
    pub fn store_folders(&self) -> Vec<PathBuf> {
        self.rooms().map(|(path, _)| path.to_owned()).collect()
    }
    /// How many slots so many GiB are.
    pub fn slots(&self, gibibytes: u32) -> u32 {
        let slots = (u64::from(gibibytes) << 30) / (u64::from(self.store.slot_mebibytes) << 20);
        u32::try_from(slots).unwrap_or(u32::MAX)
    }
    /// Where held footage lies: beside the first root's slots, on its disk.
    pub fn holds(&self) -> PathBuf {
        self.store.folder.join("holds")
    }
    /// How much of it there may be: a part of what the root may take, or of its whole disk where that is smaller.
    pub fn holds_bytes(&self, disk_bytes: Option<u64>) -> u64 {
        let root = u64::from(self.store.gibibytes_max) << 30;
        root.min(disk_bytes.unwrap_or(root)) / 100 * u64::from(self.store.holds_percent)
    }
    pub fn ledger(&self) -> PathBuf {
        self.data.folder.join("ledger")
    }
    /// Where the public role takes the lines of web, if the town offers links.
    pub fn links_socket(&self) -> Option<PathBuf> {
        (!self.public.address.is_empty()).then(|| self.public_folder().join("links.sock"))
    }

    pub fn public_folder(&self) -> PathBuf {
        self.data.folder.join("public")
    }
    /// Sealed packages of evidence that wait to be handed over.
    pub fn packages(&self) -> PathBuf {
        self.data.folder.join("packages")
    }
    /// What the auditor of destruction writes.
    pub fn verdict(&self) -> PathBuf {
        self.data.folder.join("auditor").join("verdict.json")
    }
    /// The folder of the ledger's reserve, if there is one.
    pub fn reserve(&self) -> Option<PathBuf> {
        Some(&self.ledger.reserve).filter(|folder| !folder.as_os_str().is_empty()).cloned()
    }
    pub fn site_file(&self) -> PathBuf {
        self.data.folder.join("site.json")
    }
    pub fn sockets(&self) -> PathBuf {
        self.data.folder.join("run")
    }
    pub fn keeper_socket(&self) -> PathBuf {
        self.sockets().join("keeper.sock")
    }
    pub fn control_socket(&self) -> PathBuf {
        self.sockets().join("control.sock")
    }
    pub fn recorder_socket(&self) -> PathBuf {
        self.sockets().join("recorder.sock")
    }
    pub fn papers_socket(&self) -> PathBuf {
        self.sockets().join("papers.sock")
    }
    pub fn picture_socket(&self) -> PathBuf {
        self.sockets().join("picture.sock")
    }

    /// What a restored registry is made in, and what the registry was before.
    pub fn registry_restoring(&self) -> PathBuf {
        self.data.folder.join("registry.restoring")
    }
    pub fn registry_replaced(&self) -> PathBuf {
        self.data.folder.join("registry.replaced")
    }

    /// A token has a module, a name and a PIN, or there is none.
    fn check_token(&self) -> Result<(), (&'static str, &'static str)> {
        let Pkcs11Section { module, token, pin_file } = &self.pkcs11;
        let given = [!module.as_os_str().is_empty(), !token.trim().is_empty(), !pin_file.as_os_str().is_empty()];
        let together =
            "must be given together with the others of `pkcs11.module`, `pkcs11.token`, `pkcs11.pin_file`, or none";
        let names = ["pkcs11.module", "pkcs11.token", "pkcs11.pin_file"];
        let lonely = names.into_iter().zip(given).find(|(_, is_given)| *is_given);
        if let (Some((name, _)), true) = (lonely, given.contains(&false)) {
            return Err((name, together));
        }
        if self.pkcs11.is_on() && self.keyring.copies.iter().any(|copy| pin_file.starts_with(copy)) {
            return Err(("pkcs11.pin_file", "must lie outside both copies of the keyring"));
        }
        Ok(())
    }

    /// What no table can say. Errors: the setting, and why it is not taken.
    fn check(self) -> Result<Config, (&'static str, &'static str)> {
        let empty = |path: &PathBuf| path.as_os_str().is_empty();
        if empty(&self.tls.certificate) != empty(&self.tls.key) {
            return Err(("tls.key", "must be given together with `tls.certificate`, or neither"));
        }
        if self.tls_files().is_none() && !self.web.listen.ip().is_loopback() {
            return Err((
                "web.listen",
                "must be a loopback address (127.0.0.1:8470) as long as `tls.certificate` and `tls.key` are not given",
            ));
        }
        if self.tls_files().is_some() && !self.web.address.starts_with("https://") {
            return Err(("web.address", "must be the certificate's name (https://…) where `tls.certificate` is given"));
        }
        if !self.tls.plain_listen.is_empty() && self.tls_files().is_none() {
            return Err(("tls.plain_listen", "must be empty where there is no `tls.certificate`: it leads to TLS"));
        }
        if self.oidc.issuer.is_empty() != self.oidc.client_id.is_empty() {
            return Err(("oidc.client_id", "must be given together with `oidc.issuer`, or neither"));
        }
        if !self.oidc.scopes.split(' ').any(|scope| scope == "openid") {
            return Err(("oidc.scopes", "must hold `openid`: without it no provider says who somebody is"));
        }
        if self.timestamp.authority.is_empty() != empty(&self.timestamp.roots) {
            return Err(("timestamp.roots", "must be given together with `timestamp.authority`, or neither"));
        }
        if self.timestamp.authority.is_empty() && !empty(&self.timestamp.certificates) {
            return Err(("timestamp.certificates", "must be empty where there is no `timestamp.authority`"));
        }
        if !self.public.address.is_empty() && self.public.listen.is_none() {
            return Err((
                "public.address",
                "must be empty where there is no `public.listen`: nobody would answer there",
            ));
        }
        if self.keyring.copies.iter().any(|copy| self.keyring.passphrase_file.starts_with(copy)) {
            return Err(("keyring.passphrase_file", "must lie outside both copies of the keyring"));
        }
        if self.reserve().is_some_and(|reserve| reserve.starts_with(&self.data.folder)) {
            return Err(("ledger.reserve", "must be a folder outside `data.folder`, better on another device"));
        }
        let folders = self.store_folders();
        let inside = |n: usize, one: &PathBuf| {
            folders.iter().enumerate().any(|(other, folder)| other != n && one.starts_with(folder))
        };
        if folders.iter().enumerate().any(|(n, folder)| inside(n, folder)) {
            return Err(("store.more", "must be other folders than `store.folder` and each other, none in another"));
        }
        self.check_token()?;
        if self.keyring.copies[0] == self.keyring.copies[1] {
            return Err(("keyring.copies", "must be two folders, better on two devices"));
        }
        Ok(self)
    }
}

/// Of a variable: `folder=GiB`, with `:` between.
fn rooms_of(text: &str) -> Option<Value> {
    let room = |part: &str| {
        let (folder, gibibytes) = part.rsplit_once('=')?;
        let gibibytes = gibibytes.trim().parse().ok()?;
        let room = [("folder", Value::String(folder.to_owned())), ("gibibytes_max", Value::Integer(gibibytes))];
        Some(Value::Table(room.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()))
    };
    text.split(':').filter(|part| !part.is_empty()).map(room).collect::<Option<Vec<_>>>().map(Value::Array)
}

/// What is of another form is told by the reader of the whole.
fn is_room(room: &Value) -> bool {
    let folder = room.get("folder").and_then(Value::as_str).is_none_or(|path| Path::new(path).is_absolute());
    let gibibytes = room.get("gibibytes_max").and_then(Value::as_integer);
    folder && gibibytes.is_none_or(|gibibytes| GIBIBYTES.contains(&gibibytes))
}

/// `https://` and a host, or `http://localhost`, each with or without a port: no path, no user.
fn is_origin(text: &str) -> bool {
    let text = text.strip_suffix('/').unwrap_or(text);
    let (host, secure) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
        (Some(host), _) => (host, true),
        (_, Some(host)) => (host, false),
        _ => return false,
    };
    let name = match host.split_once(':') {
        Some((name, port)) if port.parse::<u16>().is_ok() => name,
        Some(_) => return false,
        None => host,
    };
    let letters = |letter: char| letter.is_ascii_alphanumeric() || letter == '.' || letter == '-';
    !name.is_empty() && name.chars().all(letters) && (secure || name == "localhost" || name == "127.0.0.1")
}

/// In clear or by TLS, with a port that a process can be confined to.
fn is_http(text: &str) -> bool {
    let port = crate::confinement::port_of(text);
    port.is_some_and(|port| port != 0) && (is_https(text) || is_plain(text.strip_prefix("http://")))
}

fn is_https(text: &str) -> bool {
    is_plain(text.strip_prefix("https://"))
}

/// A host, perhaps a path: no user, no query, no space.
fn is_plain(rest: Option<&str>) -> bool {
    let Some(rest) = rest else { return false };
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-._~/:%".contains(letter);
    rest.starts_with(|letter: char| letter.is_ascii_alphanumeric()) && rest.chars().all(plain)
}

/// What an empty text leaves out.
fn unless_empty<'de, D: serde::Deserializer<'de>, T: std::str::FromStr<Err: std::fmt::Display>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(serde::de::Error::custom) }
}

fn refuse_unknown(table: &Table, path: &Path) -> Result<(), ConfigError> {
    let mut names = table.iter().flat_map(|(section, value)| match value {
        Value::Table(settings) => settings.keys().map(|name| format!("{section}.{name}")).collect(),
        _ => vec![section.clone()],
    });
    let Some(unknown) = names.find(|name| Setting::of(name).is_none()) else { return Ok(()) };
    let hint = hint(&unknown, SETTINGS.iter().map(|setting| setting.name), "settings are");
    Err(ConfigError::Unknown { path: path.to_owned(), unknown, hint })
}

/// The nearest name, or all of them.
fn hint<'a>(unknown: &str, known: impl Iterator<Item = &'a str> + Clone, all: &str) -> String {
    let likeness = |name: &&str| strsim::jaro_winkler(name, unknown);
    // variables share their beginning, which tells nothing
    let bound = if unknown.starts_with("VIGIE_") { 0.9 } else { 0.8 };
    let nearest = known.clone().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    match nearest.filter(|near| likeness(near) > bound) {
        Some(near) => format!(": did you mean `{near}`?"),
        None => format!("; {all}: {}", known.collect::<Vec<_>>().join(", ")),
    }
}

#[cfg(test)]
mod tests;
