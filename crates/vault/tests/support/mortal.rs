//! A disk whose process is killed after some number of effects: what was written stays, synced or not, and nobody cleans up.

use disk::{Disk, DiskError, DiskFile, FaultyDisk, Open};
use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

type Result<T> = std::result::Result<T, DiskError>;

/// Gives its process `left` effects more.
#[derive(Clone)]
pub struct Mortal {
    pub inner: FaultyDisk,
    pub left: Arc<AtomicI64>,
}

struct MortalFile {
    disk: Mortal,
    file: Arc<dyn DiskFile>,
    path: PathBuf,
}

impl Mortal {
    pub fn new(inner: FaultyDisk) -> Mortal {
        Mortal { inner, left: Arc::new(AtomicI64::new(i64::MAX)) }
    }
    pub fn live(&self, effects: i64) {
        self.left.store(effects, Ordering::SeqCst);
    }
    pub fn is_dead(&self) -> bool {
        self.left.load(Ordering::SeqCst) <= 0
    }
    fn effect(&self, path: &Path) -> Result<()> {
        let left = self.left.fetch_sub(1, Ordering::SeqCst);
        if left > 0 {
            return Ok(());
        }
        Err(DiskError { operation: "live", path: path.to_owned(), source: io::ErrorKind::Interrupted.into() })
    }
}

impl Disk for Mortal {
    fn open(&self, path: &Path, how: Open) -> Result<Arc<dyn DiskFile>> {
        if how == Open::Create {
            self.effect(path)?;
        }
        let file = self.inner.open(path, how)?;
        Ok(Arc::new(MortalFile { disk: self.clone(), file, path: path.to_owned() }))
    }
    fn exists(&self, path: &Path) -> Result<bool> {
        self.inner.exists(path)
    }
    fn create_dir(&self, path: &Path) -> Result<()> {
        self.effect(path)?;
        self.inner.create_dir(path)
    }
    fn list(&self, path: &Path) -> Result<Vec<String>> {
        self.inner.list(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        self.effect(from)?;
        self.inner.rename(from, to)
    }
    fn remove(&self, path: &Path) -> Result<()> {
        self.effect(path)?;
        self.inner.remove(path)
    }
    fn sync_dir(&self, path: &Path) -> Result<()> {
        self.effect(path)?;
        self.inner.sync_dir(path)
    }
}

impl DiskFile for MortalFile {
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> Result<()> {
        self.file.read_at(bytes, offset)
    }
    fn write_at(&self, bytes: &[u8], offset: u64) -> Result<()> {
        self.disk.effect(&self.path)?;
        self.file.write_at(bytes, offset)
    }
    fn sync(&self) -> Result<()> {
        self.disk.effect(&self.path)?;
        self.file.sync()
    }
    fn len(&self) -> Result<u64> {
        self.file.len()
    }
    fn set_len(&self, bytes: u64) -> Result<()> {
        self.disk.effect(&self.path)?;
        self.file.set_len(bytes)
    }
}
