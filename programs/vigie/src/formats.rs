//! Whether this program reads all that lies there, asked before anything is opened: what a later program wrote is refused with
//! the remedy, and nothing was changed (`docs/formats/policy.md`, decision 0060).

use crate::{
    Build, Config,
    site::{self, SiteError},
};
use catalog::Registry;
use keeper::journal;
use keyring::FileKeyring;
use vault::LocalStore;

/// What is not there, away or damaged is not judged here: who opens it tells.
pub fn check(build: &Build, config: &Config) -> Result<(), SiteError> {
    let identity = site::identity(config)?;
    FileKeyring::check_versions(&site::disk(), config.keyring.copies.clone())?;
    journal::check_versions(site::disk(), &site::journal_place(config), (identity.site, identity.log))?;
    Registry::check_version(&config.registry(), build.to_come)?;
    config.store_folders().iter().try_for_each(|folder| LocalStore::check_version(&*site::disk(), folder))?;
    Ok(())
}
