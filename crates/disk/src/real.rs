//! The operating system's files: every promise of [`Disk`] kept by the matching system call.

use crate::{Disk, DiskError, DiskFile, Open, Result};
use std::{
    fs::{self, File, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

/// Only the user that Vigie runs as reads or writes its files.
const FILE_MODE: u32 = 0o600;
const FOLDER_MODE: u32 = 0o700;

/// The disk of this machine. Paths are used as given.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealDisk;

impl Disk for RealDisk {
    fn open(&self, path: &Path, how: Open) -> Result<Arc<dyn DiskFile>> {
        let file = open_file(path, how).map_err(failed("open", path))?;
        Ok(Arc::new(RealFile { file, path: path.to_owned() }))
    }

    fn exists(&self, path: &Path) -> Result<bool> {
        path.try_exists().map_err(failed("look for", path))
    }

    fn create_dir(&self, path: &Path) -> Result<()> {
        let missing: Vec<&Path> =
            path.ancestors().take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists()).collect();
        for folder in missing.into_iter().rev() {
            match fs::DirBuilder::new().mode(FOLDER_MODE).create(folder) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                result => result.map_err(failed("create folder", folder))?,
            }
            self.sync_dir(parent_of(folder))?;
        }
        if path.is_dir() {
            Ok(())
        } else {
            Err(failed("create folder", path)(io::Error::from(io::ErrorKind::NotADirectory)))
        }
    }

    fn free_bytes(&self, path: &Path) -> Result<Option<u64>> {
        let of = rustix::fs::statvfs(path).map_err(|error| failed("ask for the free space of", path)(error.into()))?;
        Ok(Some(of.f_bavail.saturating_mul(of.f_frsize)))
    }

    fn list(&self, path: &Path) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in fs::read_dir(path).map_err(failed("list", path))? {
            let entry = entry.map_err(failed("list", path))?;
            if entry.file_type().map_err(failed("list", path))?.is_file() {
                names.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        fs::rename(from, to).map_err(failed("rename", from))
    }

    fn remove(&self, path: &Path) -> Result<()> {
        fs::remove_file(path).map_err(failed("remove", path))
    }

    fn sync_dir(&self, path: &Path) -> Result<()> {
        File::open(path).and_then(|folder| folder.sync_all()).map_err(failed("sync folder", path))
    }
}

struct RealFile {
    file: File,
    path: PathBuf,
}

impl DiskFile for RealFile {
    fn read_at(&self, bytes: &mut [u8], offset: u64) -> Result<()> {
        self.file.read_exact_at(bytes, offset).map_err(failed("read", &self.path))
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> Result<()> {
        self.file.write_all_at(bytes, offset).map_err(failed("write", &self.path))
    }

    fn sync(&self) -> Result<()> {
        self.file.sync_data().map_err(failed("sync", &self.path))
    }

    fn len(&self) -> Result<u64> {
        self.file.metadata().map(|metadata| metadata.len()).map_err(failed("measure", &self.path))
    }

    fn set_len(&self, bytes: u64) -> Result<()> {
        self.file.set_len(bytes).map_err(failed("set the length of", &self.path))
    }
}

fn open_file(path: &Path, how: Open) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(how != Open::Read).mode(FILE_MODE);
    match how {
        Open::Read | Open::Write => options.open(path),
        Open::Create => options.create_new(true).open(path),
        Open::Direct => {
            let direct = rustix::fs::OFlags::DIRECT.bits() as i32;
            match options.clone().custom_flags(direct).open(path) {
                // open(2): "EINVAL: the filesystem does not support the O_DIRECT flag" (tmpfs before Linux 6.6)
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => options.open(path),
                result => result,
            }
        }
    }
}

fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn failed(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> DiskError {
    let path = path.to_owned();
    move |source| DiskError { operation, path, source }
}
