//! Copies of the registry for a backup, and what a restored one must not bring back (decision 0062).

use super::Registry;
use super::account::{AccountId, end_sessions, use_up_tokens};
use super::passkey::forget_passkeys;
use crate::column;
use crate::database::{Database, Mode};
use crate::error::{CatalogError, Which};
use domain::UtcMicros;
use sqlx::Row;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// When a copy was taken, and the ledger of then: so many entries with this root.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Taken {
    pub entries: u64,
    pub root: [u8; 32],
    pub at: UtcMicros,
}

impl Registry {
    /// The folder of the registry and of its scans.
    pub fn folder(&self) -> &Path {
        self.database.path.parent().unwrap_or(Path::new("."))
    }

    /// A copy at one moment, while the registry stays in use; where there is a file, another one takes its place. Sessions and
    /// setup links are not in it: nobody is signed in by a backup.
    pub fn copy_to(&self, path: &Path, taken: &Taken) -> Result<(), CatalogError> {
        let file = |source| CatalogError::File { path: path.to_owned(), source };
        let mut options = std::fs::OpenOptions::new();
        // empty and private first: SQLite fills it, and gives a file of its own to everybody
        options.write(true).create(true).truncate(true).mode(0o600).open(path).map_err(file)?;
        self.database.vacuum_into(path)?;
        let copy = Database::open(path, Which::Registry, Mode::Write)?;
        let site = &self.site.id.0[..];
        copy.run(async |db| {
            for delete in ["delete from session", "delete from setup_token", "delete from taken"] {
                sqlx::query(delete).execute(&mut *db).await?;
            }
            let insert = sqlx::query("insert into taken (site, entries, root, at) values ($1, $2, $3, $4)");
            let insert = insert.bind(site).bind(taken.entries as i64).bind(&taken.root[..]).bind(taken.at.0);
            insert.execute(db).await?;
            Ok(())
        })?;
        drop(copy); // folds its write-ahead log into the one file
        std::fs::File::open(path).and_then(|copy| copy.sync_all()).map_err(file)
    }

    /// Which copy this registry is, while no keeper has entered that it was restored.
    pub fn taken(&self) -> Result<Option<Taken>, CatalogError> {
        self.database.run(async |db| {
            let query = sqlx::query("select entries, root, at from taken where site = $1");
            let row = query.bind(&self.site.id.0[..]).fetch_optional(db).await?;
            let taken = row.map(|row| {
                let (entries, at) = (row.try_get::<i64, _>("entries")?, column::micros(&row, "at")?);
                Ok::<_, sqlx::Error>(Taken { entries: entries.unsigned_abs(), root: column::array(&row, "root")?, at })
            });
            Ok(taken.transpose()?)
        })
    }

    /// It is entered: from here on this registry is the one in use.
    pub fn taken_forget(&self) -> Result<(), CatalogError> {
        self.database.run(async |db| {
            sqlx::query("delete from taken where site = $1").bind(&self.site.id.0[..]).execute(db).await?;
            Ok(())
        })
    }

    /// Everything by which a person could sign in is gone; the account stays, and a new setup link opens it.
    ///
    /// # Errors
    /// [`CatalogError::UnknownAccount`].
    pub fn account_close_ways_in(&self, id: AccountId, now: UtcMicros) -> Result<(), CatalogError> {
        let site = &self.site.id.0;
        self.database.run(async |db| {
            let update = "update account set password_hash = null where site = $1 and account = $2";
            let update = sqlx::query(update).bind(&site[..]).bind(&id.0[..]);
            if update.execute(&mut *db).await?.rows_affected() == 0 {
                return Err(CatalogError::UnknownAccount.into());
            }
            for delete in [
                "delete from second_factor where site = $1 and account = $2",
                "delete from recovery_code where site = $1 and account = $2",
                "delete from binding where site = $1 and account = $2",
            ] {
                sqlx::query(delete).bind(&site[..]).bind(&id.0[..]).execute(&mut *db).await?;
            }
            forget_passkeys(db, site, id).await?;
            use_up_tokens(db, site, id, now).await?;
            end_sessions(db, site, id, now).await
        })
    }

    /// The sealed scans, each with the name of its file, in order.
    pub fn scan_files(&self) -> Result<Vec<(String, PathBuf)>, CatalogError> {
        let folder = self.scan_folder();
        let file = |source| CatalogError::File { path: folder.clone(), source };
        if !folder.try_exists().map_err(file)? {
            return Ok(Vec::new());
        }
        let mut scans = Vec::new();
        for entry in std::fs::read_dir(&folder).map_err(file)? {
            let path = entry.map_err(file)?.path();
            let name = path.file_name().and_then(|name| name.to_str()).filter(|name| is_scan_name(name));
            scans.extend(name.map(|name| (name.to_owned(), path.clone())));
        }
        scans.sort();
        Ok(scans)
    }
}

/// Whether a file's name is a scan's: its digest and `.sealed`.
pub fn is_scan_name(name: &str) -> bool {
    let digest = name.strip_suffix(".sealed");
    digest.is_some_and(|digest| {
        digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    })
}
