//! The configuration: one TOML file. A setting that does not exist is refused, with the nearest one that does.

use serde::Deserialize;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};
use toml::{Table, Value};

/// Every setting, as `section.name`.
const SETTINGS: [&str; 9] = [
    "site.name",
    "data.folder",
    "keyring.copies",
    "keyring.passphrase_file",
    "store.folder",
    "store.gibibytes_max",
    "store.slot_mebibytes",
    "web.listen",
    "log.level",
];

/// The configuration of one machine.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Config {
    pub site: SiteSection,
    pub data: DataSection,
    pub keyring: KeyringSection,
    pub store: StoreSection,
    #[serde(default)]
    pub web: WebSection,
    #[serde(default)]
    pub log: LogSection,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct SiteSection {
    /// The commune's name, as the console shows it.
    pub name: String,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct DataSection {
    /// Registry, ledger, footage catalog and sockets.
    pub folder: PathBuf,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct KeyringSection {
    /// Two folders, on two devices (K3).
    pub copies: [PathBuf; 2],
    /// Holds the passphrase, mode 0400, outside both copies (P9). A systemd credential `vigie-passphrase` goes before.
    pub passphrase_file: PathBuf,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct StoreSection {
    /// Where reels lie.
    pub folder: PathBuf,
    /// The store never grows beyond this.
    #[serde(default = "gibibytes_max")]
    pub gibibytes_max: u32,
    /// 4 to 64.
    #[serde(default = "slot_mebibytes")]
    pub slot_mebibytes: u32,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct WebSection {
    /// Loopback only, until TLS is there.
    #[serde(default = "listen")]
    pub listen: SocketAddr,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct LogSection {
    /// error, warn, info, debug or trace.
    #[serde(default = "level")]
    pub level: String,
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
    #[error("`{path}`: `{setting}` {why}", path = path.display())]
    OutOfBounds { path: PathBuf, setting: &'static str, why: String },
}

impl Config {
    pub fn read(path: &Path) -> Result<Config, ConfigError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
        Config::parse(&text, path)
    }

    /// `path` is for messages.
    pub fn parse(text: &str, path: &Path) -> Result<Config, ConfigError> {
        let not_toml = |source| ConfigError::NotToml { path: path.to_owned(), source: Box::new(source) };
        let table: Table = text.parse().map_err(not_toml)?;
        refuse_unknown(&table, path)?;
        let wrong = |source| ConfigError::Wrong { path: path.to_owned(), source: Box::new(source) };
        let config: Config = table.try_into().map_err(wrong)?;
        config.check(path)
    }

    pub fn registry(&self) -> PathBuf {
        self.data.folder.join("registry.db")
    }
    pub fn footage(&self) -> PathBuf {
        self.data.folder.join("footage.db")
    }
    /// How many slots the store may have.
    pub fn slots_max(&self) -> u32 {
        let slots = (u64::from(self.store.gibibytes_max) << 30) / (u64::from(self.store.slot_mebibytes) << 20);
        u32::try_from(slots).unwrap_or(u32::MAX)
    }
    pub fn ledger(&self) -> PathBuf {
        self.data.folder.join("ledger")
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

    fn check(self, path: &Path) -> Result<Config, ConfigError> {
        let refuse =
            |setting, why: &str| Err(ConfigError::OutOfBounds { path: path.to_owned(), setting, why: why.to_owned() });
        if self.site.name.trim().is_empty() {
            return refuse("site.name", "must be the commune's name");
        }
        if !(4..=64).contains(&self.store.slot_mebibytes) {
            return refuse("store.slot_mebibytes", "must be 4 to 64");
        }
        if self.store.gibibytes_max == 0 {
            return refuse("store.gibibytes_max", "must be at least 1");
        }
        if !self.web.listen.ip().is_loopback() {
            return refuse(
                "web.listen",
                "must be a loopback address (127.0.0.1:8470): there is no TLS in this version",
            );
        }
        if self.keyring.copies.iter().any(|copy| self.keyring.passphrase_file.starts_with(copy)) {
            return refuse("keyring.passphrase_file", "must lie outside both copies of the keyring");
        }
        if self.keyring.copies[0] == self.keyring.copies[1] {
            return refuse("keyring.copies", "must be two folders, better on two devices");
        }
        Ok(self)
    }
}

fn refuse_unknown(table: &Table, path: &Path) -> Result<(), ConfigError> {
    let mut names = table.iter().flat_map(|(section, value)| match value {
        Value::Table(settings) => settings.keys().map(|name| format!("{section}.{name}")).collect(),
        _ => vec![section.clone()],
    });
    let Some(unknown) = names.find(|name| !SETTINGS.contains(&name.as_str())) else { return Ok(()) };
    let likeness = |setting: &&str| strsim::jaro_winkler(setting, &unknown);
    let nearest = SETTINGS.iter().copied().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    let hint = match nearest.filter(|near| likeness(near) > 0.8) {
        Some(near) => format!(": did you mean `{near}`?"),
        None => format!("; settings are: {}", SETTINGS.join(", ")),
    };
    Err(ConfigError::Unknown { path: path.to_owned(), unknown, hint })
}

const fn gibibytes_max() -> u32 {
    100
}
const fn slot_mebibytes() -> u32 {
    64
}
fn listen() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 8470))
}
fn level() -> String {
    "info".to_owned()
}

impl Default for WebSection {
    fn default() -> WebSection {
        WebSection { listen: listen() }
    }
}

impl Default for LogSection {
    fn default() -> LogSection {
        LogSection { level: level() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = r#"
        [site]
        name = "Ville"
        [data]
        folder = "/data"
        [keyring]
        copies = ["/one", "/two"]
        passphrase_file = "/secret"
        [store]
        folder = "/store"
    "#;

    fn message(text: &str) -> String {
        Config::parse(text, Path::new("vigie.toml")).map_or_else(|error| error.to_string(), |_| "taken".to_owned())
    }

    #[test]
    fn a_whole_configuration_is_taken_with_its_defaults() {
        let config = Config::parse(WHOLE, Path::new("vigie.toml")).unwrap();
        assert_eq!((config.store.slot_mebibytes, config.web.listen.port()), (64, 8470));
    }

    #[test]
    fn a_mistyped_setting_is_refused_with_the_nearest_one() {
        let mistyped = WHOLE.replace("passphrase_file", "passphrase_flie");
        assert!(message(&mistyped).ends_with("did you mean `keyring.passphrase_file`?"), "{}", message(&mistyped));
        let foreign = format!("{WHOLE}\n[zzz]\nqqq = 1");
        assert!(message(&foreign).contains("settings are: site.name"), "{}", message(&foreign));
    }

    #[test]
    fn what_would_be_unsafe_is_refused_with_its_remedy() {
        let open = format!("{WHOLE}\n[web]\nlisten = \"0.0.0.0:80\"");
        assert!(message(&open).contains("must be a loopback address"), "{}", message(&open));
        let inside = WHOLE.replace("\"/secret\"", "\"/one/secret\"");
        assert!(message(&inside).contains("must lie outside both copies"), "{}", message(&inside));
        let same = WHOLE.replace("\"/two\"", "\"/one\"");
        assert!(message(&same).contains("must be two folders"), "{}", message(&same));
    }
}
