//! Scans of papers beside the registry: sealed files, each named by the digest of what it holds; backed up with it.

use super::Registry;
use crate::error::CatalogError;
use std::{
    fs::File,
    io::{ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

const FOLDER: &str = "scans";

impl Registry {
    /// Keeps a sealed scan; it is durable when this returns. One that is there already stays as it is.
    pub fn scan_put(&self, digest: &[u8; 32], sealed: &[u8]) -> Result<(), CatalogError> {
        let (folder, path) = (self.scan_folder(), self.scan_path(digest));
        let file = |source| CatalogError::File { path: path.clone(), source };
        if path.try_exists().map_err(file)? {
            return Ok(());
        }
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(file)?;
        // under another name first: a crash leaves no half of a scan under its own
        let partial = path.with_extension("partial");
        let mut options = File::options();
        let mut written = options.write(true).create(true).truncate(true).mode(0o600).open(&partial).map_err(file)?;
        written.write_all(sealed).and_then(|()| written.sync_all()).map_err(file)?;
        std::fs::rename(&partial, &path).map_err(file)?;
        let above = folder.parent().unwrap_or(Path::new("."));
        [folder.as_path(), above].iter().try_for_each(|folder| File::open(folder)?.sync_all()).map_err(file)
    }

    /// Whether a scan of that digest is kept.
    pub fn has_scan(&self, digest: &[u8; 32]) -> Result<bool, CatalogError> {
        let path = self.scan_path(digest);
        path.try_exists().map_err(|source| CatalogError::File { path, source })
    }

    /// A sealed scan; `None` where there is none of that digest.
    pub fn scan(&self, digest: &[u8; 32]) -> Result<Option<Vec<u8>>, CatalogError> {
        let path = self.scan_path(digest);
        match std::fs::read(&path) {
            Ok(sealed) => Ok(Some(sealed)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(CatalogError::File { path, source }),
        }
    }

    pub(super) fn scan_folder(&self) -> PathBuf {
        self.database.path.parent().unwrap_or(Path::new(".")).join(FOLDER)
    }

    pub(super) fn scan_path(&self, digest: &[u8; 32]) -> PathBuf {
        let name: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        self.scan_folder().join(format!("{name}.sealed"))
    }
}
