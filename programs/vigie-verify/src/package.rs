//! A package as a folder on a disk: only regular files, nothing followed out of it.

use evidence::{Files, FilesError};
use std::{
    cell::RefCell,
    fs::{self, File},
    io::{Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

/// A package names a few files; more is something else.
const FILES_MAX: usize = 100_000;
const DEPTH_MAX: usize = 8;

/// The package in this folder.
pub struct Folder {
    root: PathBuf,
    /// Pictures are read in many pieces, one file after the other.
    open: RefCell<Option<(String, File)>>,
}

impl Folder {
    pub fn new(root: &Path) -> Folder {
        Folder { root: root.to_owned(), open: RefCell::new(None) }
    }

    fn walk(&self, inside: &str, depth: usize, found: &mut Vec<(String, u64)>) -> Result<(), FilesError> {
        let failed = |why: String| FilesError { path: if inside.is_empty() { ".".into() } else { inside.into() }, why };
        if depth > DEPTH_MAX {
            return Err(failed("folders in folders without end".into()));
        }
        let entries = fs::read_dir(self.root.join(inside)).map_err(|error| failed(error.to_string()))?;
        for entry in entries {
            let entry = entry.map_err(|error| failed(error.to_string()))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if inside.is_empty() { name } else { format!("{inside}/{name}") };
            // of the link, not of what it points to
            let about = fs::symlink_metadata(entry.path()).map_err(|error| failed(error.to_string()))?;
            if about.is_dir() {
                self.walk(&path, depth + 1, found)?;
            } else {
                found.push((path, if about.is_file() { about.len() } else { 0 }));
            }
            if found.len() > FILES_MAX {
                return Err(failed(format!("more than {FILES_MAX} files")));
            }
        }
        Ok(())
    }
}

impl Files for Folder {
    fn list(&self) -> Result<Vec<(String, u64)>, FilesError> {
        let mut found = Vec::new();
        self.walk("", 0, &mut found)?;
        found.sort();
        Ok(found)
    }

    fn read(&self, path: &str, offset: u64, bytes: usize) -> Result<Vec<u8>, FilesError> {
        let failed = |error: std::io::Error| FilesError { path: path.to_owned(), why: error.to_string() };
        let mut open = self.open.borrow_mut();
        if open.as_ref().is_none_or(|(name, _)| name != path) {
            *open = Some((path.to_owned(), File::open(self.root.join(path)).map_err(failed)?));
        }
        let Some((_, file)) = open.as_mut() else { return Ok(Vec::new()) };
        file.seek(SeekFrom::Start(offset)).map_err(failed)?;
        let mut data = Vec::new();
        file.take(bytes as u64).read_to_end(&mut data).map_err(failed)?;
        if data.len() == bytes {
            return Ok(data);
        }
        Err(FilesError { path: path.to_owned(), why: "it ends before it should".into() })
    }
}
