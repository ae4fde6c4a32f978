//! The real disk, with its syncs counted: what an entry costs is mostly these.

use disk::{Disk, DiskFile, Open, RealDisk, Result};
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

#[derive(Clone, Default)]
pub struct Counting {
    pub syncs: Arc<Syncs>,
}

/// Of files; the journal's own apart.
#[derive(Default)]
pub struct Syncs {
    journal: AtomicU64,
    others: AtomicU64,
}

impl Syncs {
    pub fn in_journal(&self) -> u64 {
        self.journal.load(Relaxed)
    }

    pub fn all(&self) -> u64 {
        self.in_journal() + self.others.load(Relaxed)
    }
}

impl Disk for Counting {
    fn open(&self, path: &Path, how: Open) -> Result<Arc<dyn DiskFile>> {
        let is_journal = path.extension().is_some_and(|extension| extension == "jnl");
        Ok(Arc::new(Counted { file: RealDisk.open(path, how)?, syncs: self.syncs.clone(), is_journal }))
    }
    fn exists(&self, path: &Path) -> Result<bool> {
        RealDisk.exists(path)
    }
    fn create_dir(&self, path: &Path) -> Result<()> {
        RealDisk.create_dir(path)
    }
    fn list(&self, path: &Path) -> Result<Vec<String>> {
        RealDisk.list(path)
    }
    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        RealDisk.rename(from, to)
    }
    fn remove(&self, path: &Path) -> Result<()> {
        RealDisk.remove(path)
    }
    fn sync_dir(&self, path: &Path) -> Result<()> {
        self.syncs.others.fetch_add(1, Relaxed);
        RealDisk.sync_dir(path)
    }
    fn free_bytes(&self, path: &Path) -> Result<Option<u64>> {
        RealDisk.free_bytes(path)
    }
}

struct Counted {
    file: Arc<dyn DiskFile>,
    syncs: Arc<Syncs>,
    is_journal: bool,
}

impl DiskFile for Counted {
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> Result<()> {
        self.file.read_at(bytes, offset)
    }
    fn write_at(&self, bytes: &[u8], offset: u64) -> Result<()> {
        self.file.write_at(bytes, offset)
    }
    fn sync(&self) -> Result<()> {
        let count = if self.is_journal { &self.syncs.journal } else { &self.syncs.others };
        count.fetch_add(1, Relaxed);
        self.file.sync()
    }
    fn len(&self) -> Result<u64> {
        self.file.len()
    }
    fn set_len(&self, bytes: u64) -> Result<()> {
        self.file.set_len(bytes)
    }
}
