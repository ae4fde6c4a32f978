//! Files as an effect that can fail: one small trait, the real disk behind it, and a faulty disk in memory for tests.
//!
//! Keyring, store and journal promise what survives a power cut. They speak to [`Disk`], so that a test can cut the power
//! between any two of their steps, and can let a step fail both ways: it did not happen, or it happened but said no.

mod faulty;
mod patient;
mod real;

pub use faulty::{Fault, FaultyDisk, Happened, Image, Written};
pub use patient::PatientDisk;
pub use real::RealDisk;

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

/// A disk operation that failed, and on what.
#[derive(Debug, thiserror::Error)]
#[error("cannot {operation} `{path}`: {source}", path = path.display())]
pub struct DiskError {
    pub operation: &'static str,
    pub path: PathBuf,
    pub source: io::Error,
}

impl DiskError {
    pub fn kind(&self) -> io::ErrorKind {
        self.source.kind()
    }
}

pub type Result<T> = std::result::Result<T, DiskError>;

/// How a file is opened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Open {
    /// Must exist; reading only.
    Read,
    /// Must exist; reading and writing.
    Write,
    /// Must not exist; reading and writing.
    Create,
    /// Must exist; reading and writing past the page cache (O_DIRECT) where the file system can: offsets, lengths and
    /// buffers are then multiples of 4,096. Where it cannot, as [`Open::Write`].
    Direct,
}

/// A folder tree that keeps what was synced.
pub trait Disk: Send + Sync {
    fn open(&self, path: &Path, how: Open) -> Result<Arc<dyn DiskFile>>;
    fn exists(&self, path: &Path) -> Result<bool>;
    /// Creates the folder and those above it; durable when this returns; a folder that exists is fine.
    fn create_dir(&self, path: &Path) -> Result<()>;
    /// File names in a folder, sorted.
    fn list(&self, path: &Path) -> Result<Vec<String>>;
    /// Renames over an existing file, atomically; durable after [`Disk::sync_dir`].
    fn rename(&self, from: &Path, to: &Path) -> Result<()>;
    fn remove(&self, path: &Path) -> Result<()>;
    /// Makes creations, renames and removals in a folder durable.
    fn sync_dir(&self, path: &Path) -> Result<()>;
    /// Bytes that the file system of a folder can still take from us; `None` where nobody knows.
    fn free_bytes(&self, _path: &Path) -> Result<Option<u64>> {
        Ok(None)
    }
}

/// One open file.
pub trait DiskFile: Send + Sync {
    /// Fills `bytes` from `offset`; an end of file before that is an error of kind `UnexpectedEof`.
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> Result<()>;
    fn write_at(&self, bytes: &[u8], offset: u64) -> Result<()>;
    /// Everything written so far is durable when this returns (fdatasync).
    fn sync(&self) -> Result<()>;
    fn len(&self) -> Result<u64>;
    fn is_empty(&self) -> Result<bool> {
        Ok(self.len()? == 0)
    }
    fn set_len(&self, bytes: u64) -> Result<()>;
}

/// Reads a whole file, refusing one larger than `bytes_max`.
pub fn read_all(disk: &dyn Disk, path: &Path, bytes_max: usize) -> Result<Vec<u8>> {
    let file = disk.open(path, Open::Read)?;
    let len = file.len()?;
    if len > bytes_max as u64 {
        let source = io::Error::new(io::ErrorKind::InvalidData, format!("{len} bytes, at most {bytes_max} expected"));
        return Err(DiskError { operation: "read", path: path.to_owned(), source });
    }
    let mut bytes = vec![0; len as usize];
    file.read_at(&mut bytes, 0)?;
    Ok(bytes)
}

/// Writes a whole new file durably: 1 temporary file · 2 write · 3 sync · 4 rename · 5 sync of the folder.
pub fn write_all(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> Result<()> {
    let temporary = path.with_extension("tmp");
    if disk.exists(&temporary)? {
        disk.remove(&temporary)?;
    }
    let file = disk.open(&temporary, Open::Create)?; // 1
    file.write_at(bytes, 0)?; // 2
    file.sync()?; // 3
    disk.rename(&temporary, path)?; // 4
    disk.sync_dir(path.parent().unwrap_or(Path::new("."))) // 5
}
