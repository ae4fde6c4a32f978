//! The PKCS#11 token of the configuration: its module, its PIN and where that comes from (P9).

use crate::{Config, site::SiteError};
use domain::SiteId;
use keyring::{Pkcs11Token, Token, TokenSettings};
use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

const CREDENTIAL: &str = "vigie-pkcs11-pin";

/// A PIN and where it came from.
struct Pin {
    text: Zeroizing<String>,
    from: String,
}

/// The token, of which nothing is asked yet; `None` where none is configured.
pub fn token(config: &Config, site: SiteId) -> Result<Option<Box<dyn Token>>, SiteError> {
    Ok(settings(config)?.map(|(settings, _)| Box::new(Pkcs11Token::new(settings, site)) as Box<dyn Token>))
}

/// Asks the token whether it is there, takes the PIN and can do what is needed. `None` where none is configured.
pub fn check(config: &Config) -> Result<Option<()>, SiteError> {
    let Some((settings, _)) = settings(config)? else { return Ok(None) };
    // whose objects are not asked
    let token = Pkcs11Token::new(settings, SiteId([0; 16]));
    Ok(token.check().map(Some).map_err(keyring::KeyringError::from)?)
}

/// Where the PIN comes from, as `status` says it; `None` where there is no token.
pub fn pin_from(config: &Config) -> Result<Option<String>, SiteError> {
    Ok(settings(config)?.map(|(_, from)| from))
}

fn settings(config: &Config) -> Result<Option<(TokenSettings, String)>, SiteError> {
    let section = &config.pkcs11;
    if !section.is_on() {
        return Ok(None);
    }
    let Pin { text, from } = pin(&section.pin_file)?;
    let settings = TokenSettings { module: section.module.clone(), token: section.token.clone(), pin: text };
    Ok(Some((settings, from)))
}

/// A systemd credential, or else the configured file, which nobody else may read.
fn pin(path: &PathBuf) -> Result<Pin, SiteError> {
    if let Some(folder) = std::env::var_os("CREDENTIALS_DIRECTORY") {
        let path = Path::new(&folder).join(CREDENTIAL);
        if path.exists() {
            return read(&path, format!("systemd credential `{CREDENTIAL}`"));
        }
    }
    let metadata = std::fs::metadata(path).map_err(|source| SiteError::NoPin { path: path.clone(), source })?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(SiteError::OpenPassphrase { path: path.clone(), mode });
    }
    read(path, format!("file `{}`", path.display()))
}

fn read(path: &Path, from: String) -> Result<Pin, SiteError> {
    let text = std::fs::read_to_string(path).map_err(|source| SiteError::NoPin { path: path.to_owned(), source })?;
    let text = Zeroizing::new(text);
    Ok(Pin { text: Zeroizing::new(text.trim_end_matches(['\n', '\r']).to_owned()), from })
}
