//! The registry: the site, its accounts, sessions, cameras and acts. Written by the keeper, backed up.

mod access;
mod account;
mod act;
mod binding;
mod camera;
mod copy;
mod factor;
mod forget;
mod law;
mod passkey;
mod requisition;
mod scan;
mod session;
mod team;
mod training;

pub use access::AccessRow;
pub use account::{Account, AccountId};
pub use act::ActVersion;
pub use binding::Binding;
pub use camera::{Camera, CameraVersion};
pub use copy::{Taken, is_scan_name};
pub use factor::{NewFactor, SecondFactor};
pub use law::{LawKind, LawText};
pub use passkey::Passkey;
pub use requisition::{ExportRow, RequisitionRow};
pub use session::Session;

use crate::column;
use crate::database::{Database, Mode, StepToCome};
use crate::error::{CatalogError, Which};
use domain::{SiteId, UtcMicros};
use sqlx::Row;
use std::path::Path;

/// One town's installation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Site {
    pub id: SiteId,
    pub name: String,
    pub created: UtcMicros,
}

/// The registry of one site. Every commit is synced to the disk before a method returns.
pub struct Registry {
    database: Database,
    site: Site,
}

impl Registry {
    /// Creates the registry of a new site. A file left empty by a crash is taken over.
    ///
    /// # Errors
    /// [`CatalogError::AlreadyExists`] if a site lives there; otherwise as [`Registry::open`].
    pub fn create(path: &Path, site: &Site) -> Result<Registry, CatalogError> {
        let database = Database::open(path, Which::Registry, Mode::Create)?;
        database.run(async |db| {
            if sqlx::query("select site from site").fetch_optional(&mut *db).await?.is_some() {
                return Err(CatalogError::AlreadyExists { path: path.to_owned() }.into());
            }
            let insert = sqlx::query("insert into site (site, name, created) values ($1, $2, $3)");
            insert.bind(&site.id.0[..]).bind(&site.name).bind(site.created.0).execute(db).await?;
            Ok(())
        })?;
        Ok(Registry { database, site: site.clone() })
    }

    /// Opens the registry, upgrades it to this program's version and reads every page of it once.
    ///
    /// # Errors
    /// [`CatalogError::Missing`], [`CatalogError::Damaged`] (restore the backup), [`CatalogError::Newer`],
    /// [`CatalogError::Foreign`], [`CatalogError::Locked`].
    pub fn open(path: &Path) -> Result<Registry, CatalogError> {
        Registry::open_with(path, &[])
    }

    /// Whether [`Registry::open`] would take a registry of this version; changes nothing. One that is away or damaged is not
    /// judged here.
    ///
    /// # Errors
    /// [`CatalogError::Newer`].
    pub fn check_version(path: &Path, to_come: &[StepToCome]) -> Result<(), CatalogError> {
        match Database::open_with(path, Which::Registry, Mode::Read, to_come) {
            Err(error @ CatalogError::Newer { .. }) => Err(error),
            _ => Ok(()),
        }
    }

    /// Opens the registry to look into it: nothing is upgraded or written.
    ///
    /// # Errors
    /// [`CatalogError::Older`] until its keeper ran once with this version; else as [`Registry::open`].
    pub fn open_for_reading(path: &Path) -> Result<Registry, CatalogError> {
        Registry::of(Database::open(path, Which::Registry, Mode::Read)?)
    }

    /// The same as [`Registry::open`] by a program that has further steps.
    ///
    /// # Errors
    /// As [`Registry::open`].
    pub fn open_with(path: &Path, to_come: &[StepToCome]) -> Result<Registry, CatalogError> {
        Registry::of(Database::open_with(path, Which::Registry, Mode::Write, to_come)?)
    }

    fn of(database: Database) -> Result<Registry, CatalogError> {
        let path = database.path.clone();
        let site = database.run(async |db| {
            let row = sqlx::query("select site, name, created from site").fetch_optional(db).await?;
            let Some(row) = row else {
                return Err(CatalogError::Missing { which: Which::Registry, path }.into());
            };
            let id = SiteId(column::array(&row, "site")?);
            Ok(Site { id, name: row.try_get("name")?, created: column::micros(&row, "created")? })
        })?;
        Ok(Registry { database, site })
    }

    pub fn site(&self) -> &Site {
        &self.site
    }
}
