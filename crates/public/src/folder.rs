//! A folder with a log's public files: `checkpoint` and `tile/`.

use disk::{Disk, DiskError};
use domain::limit::NOTE_BYTES_MAX;
use ledger::{FileError, tile::PublicTile};
use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::Arc,
};

/// 256 entries of 34 bytes.
const TILE_BYTES_MAX: usize = 256 * 34;

/// One such folder.
#[derive(Clone)]
pub struct LogFolder {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) path: PathBuf,
}

impl LogFolder {
    pub fn new(disk: Arc<dyn Disk>, path: PathBuf) -> LogFolder {
        LogFolder { disk, path }
    }

    /// The signed note as it stands; `None` before the first.
    pub fn note(&self) -> Result<Option<Vec<u8>>, DiskError> {
        read(&*self.disk, &self.path.join("checkpoint"), NOTE_BYTES_MAX)
    }

    /// One file; `None` where there is none.
    pub fn tile(&self, tile: PublicTile) -> Result<Option<Vec<u8>>, FileError> {
        Ok(read(&*self.disk, &self.path.join(tile.path()), TILE_BYTES_MAX)?)
    }
}

/// A whole file. The writer beside us may take partial tiles away at any moment: gone is gone, not an error.
pub(crate) fn read(disk: &dyn Disk, path: &Path, bytes_max: usize) -> Result<Option<Vec<u8>>, DiskError> {
    match disk::read_all(disk, path, bytes_max) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
