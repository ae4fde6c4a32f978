//! Footage: which reels exist, which streams they hold from when to when, which gaps are known. Disposable.

mod find;
mod gap;
mod rebuild;
mod reel;
mod told;

pub use find::{EarlierLife, Gap, Left, Located};
pub use rebuild::Held;
pub use reel::{NewReel, ReelEnd, ReelRow, ReelState, StoredBytes, StreamRow};

use crate::column;
use crate::database::{Database, Mode, StepToCome};
use crate::error::{CatalogError, Which};
use domain::SiteId;
use std::path::{Path, PathBuf};

/// Behind the catalog's file name: it was found damaged while it was open.
const DAMAGE_MARK: &str = "-damaged";

/// The footage catalog of one site.
pub struct Footage {
    database: Database,
    site: SiteId,
}

impl Footage {
    /// Opens the catalog for its one writer, the recorder; creates it where there is none.
    ///
    /// # Errors
    /// [`CatalogError::Damaged`] (delete it with [`Footage::discard`] and rebuild), [`CatalogError::OtherSite`],
    /// [`CatalogError::Newer`], [`CatalogError::Foreign`], [`CatalogError::Locked`].
    pub fn open(path: &Path, site: SiteId) -> Result<Footage, CatalogError> {
        Footage::open_with(path, site, &[])
    }

    /// The same by a program that has further steps.
    ///
    /// # Errors
    /// As [`Footage::open`].
    pub fn open_with(path: &Path, site: SiteId, to_come: &[StepToCome]) -> Result<Footage, CatalogError> {
        let database = Database::open_with(path, Which::Footage, Mode::Create, to_come)?;
        database.run(async |db| {
            let insert = "insert into site (site) select $1 where not exists (select 1 from site)";
            sqlx::query(insert).bind(&site.0[..]).execute(db).await?;
            Ok(())
        })?;
        Footage::of_site(database, site)
    }

    /// Opens the catalog for reading only.
    ///
    /// # Errors
    /// [`CatalogError::Missing`] and [`CatalogError::Older`] until the recorder has run once; else as
    /// [`Footage::open`].
    pub fn open_for_reading(path: &Path, site: SiteId) -> Result<Footage, CatalogError> {
        Footage::of_site(Database::open(path, Which::Footage, Mode::Read)?, site)
    }

    fn of_site(database: Database, expected: SiteId) -> Result<Footage, CatalogError> {
        let found = database.run(async |db| {
            let row = sqlx::query("select site from site").fetch_one(db).await?;
            Ok(SiteId(column::array(&row, "site")?))
        })?;
        if found == expected {
            return Ok(Footage { database, site: expected });
        }
        Err(CatalogError::OtherSite { which: Which::Footage, path: database.path.clone(), found, expected })
    }

    /// Empties the catalog, to rebuild it from the reels. How many reels it held.
    pub fn clear(&self) -> Result<u64, CatalogError> {
        let site = &self.site.0[..];
        self.database.run(async |db| {
            sqlx::query("delete from gap where site = $1").bind(site).execute(&mut *db).await?;
            sqlx::query("delete from stream_last where site = $1").bind(site).execute(&mut *db).await?;
            sqlx::query("delete from reel_stream where site = $1").bind(site).execute(&mut *db).await?;
            Ok(sqlx::query("delete from reel where site = $1").bind(site).execute(db).await?.rows_affected())
        })
    }

    /// Deletes the files of a catalog that is not open, damaged or not; the files that went.
    ///
    /// # Errors
    /// [`CatalogError::File`] with the first file that could not be deleted.
    pub fn discard(path: &Path) -> Result<Vec<PathBuf>, CatalogError> {
        let mut gone = Vec::new();
        for companion in ["", "-wal", "-shm", DAMAGE_MARK] {
            let mut file = path.as_os_str().to_owned();
            file.push(companion);
            let file = PathBuf::from(file);
            let error = |source| CatalogError::File { path: file.clone(), source };
            if file.try_exists().map_err(error)? {
                std::fs::remove_file(&file).map_err(error)?;
                gone.push(file);
            }
        }
        Ok(gone)
    }
}
