//! The file custodian: two copies of pages and root record, sealed under a passphrase, and a token where there is one (K2, K3).

mod codec;
mod copy;
mod custody;
#[cfg(feature = "fuzz")]
pub mod fuzzing;
mod open;
mod page_file;
mod root;
mod seal;
mod sealing;
mod slot;

#[cfg(test)]
mod crash;
#[cfg(test)]
mod later_tests;
#[cfg(test)]
mod on_softhsm;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod token_crash;
#[cfg(test)]
mod token_tests;
#[cfg(test)]
mod vectors;

pub use sealing::KdfCost;

use crate::{Result, pkcs11::Token, ring::Ring};
use custody::FileCustody;
use disk::Disk;
use domain::{Random, SiteId};
use std::{path::PathBuf, sync::Arc};

/// A keyring in two folders, ideally on two devices.
pub type FileKeyring = Ring<FileCustody>;

impl FileKeyring {
    /// Makes a new keyring in two folders that hold none. Both must work. Numbered in `open.rs`.
    pub fn create(
        disk: Arc<dyn Disk>,
        copies: [PathBuf; 2],
        site: SiteId,
        passphrase: &str,
        cost: KdfCost,
        random: Arc<dyn Random>,
    ) -> Result<FileKeyring> {
        FileKeyring::create_with(disk, copies, site, (passphrase, cost), random, None)
    }

    /// The same, with a token behind the root record if one is given.
    pub fn create_with(
        disk: Arc<dyn Disk>,
        copies: [PathBuf; 2],
        site: SiteId,
        (passphrase, cost): (&str, KdfCost),
        random: Arc<dyn Random>,
        token: Option<Box<dyn Token>>,
    ) -> Result<FileKeyring> {
        let custody = open::create(disk, copies, site, (passphrase, cost), random.clone(), token)?;
        Ok(Ring::over(custody, random))
    }

    /// Whether the copies that are there are of versions that this program reads; changes nothing, and needs no passphrase.
    ///
    /// # Errors
    /// [`crate::KeyringError::LaterVersion`].
    pub fn check_versions(disk: &Arc<dyn Disk>, copies: [PathBuf; 2]) -> Result<()> {
        open::check_versions(disk, copies)
    }

    /// Opens a keyring with the copies that can be used: the highest valid generation wins and is rolled forward
    /// everywhere. Whoever calls asks [`crate::Keyring::custodian`] whether a copy is away.
    pub fn open(
        disk: Arc<dyn Disk>,
        copies: [PathBuf; 2],
        site: SiteId,
        passphrase: &str,
        random: Arc<dyn Random>,
    ) -> Result<FileKeyring> {
        FileKeyring::open_with(disk, copies, site, passphrase, random, None)
    }

    /// The same, with a token behind the root record if one is given. A keyring that had none is taken under it.
    pub fn open_with(
        disk: Arc<dyn Disk>,
        copies: [PathBuf; 2],
        site: SiteId,
        passphrase: &str,
        random: Arc<dyn Random>,
        token: Option<Box<dyn Token>>,
    ) -> Result<FileKeyring> {
        let custody = open::open(disk, copies, site, passphrase, random.clone(), token)?;
        Ok(Ring::over(custody, random))
    }
}
