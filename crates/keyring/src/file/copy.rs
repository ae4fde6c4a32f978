//! The effects on one copy: marker, two slots, page files. Every failure says why the copy cannot be used.

use super::page_file::PAGE_BYTES_MAX;
use super::slot::{BLOCK_BYTES, SLOT_BYTES_MAX, Slot};
use crate::Away;
use disk::{Disk, DiskError, DiskFile, Open, read_all, write_all};
use domain::SiteId;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeSet,
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::Arc,
};

const MARKER_FORMAT: &str = "vigie-keyring";
const MARKER_VERSION: u16 = 1;
const MARKER_BYTES_MAX: usize = 4_096;

/// Tells our folder from a mount point without its device; no secret.
#[derive(Serialize, Deserialize)]
struct Marker {
    format: String,
    version: u16,
    site: SiteId,
}

/// What a marker says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Marked {
    Ours,
    OtherSite,
    Unreadable,
    Missing,
    /// Of a version that a later program wrote.
    Later(u16),
}

/// Whether a slot file that is not there may be made: never in ordinary work, where it means that the device is gone and
/// the folder is a bare mount point.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum WhenMissing {
    Create,
    Fail,
}

/// One folder of the keyring.
pub struct CopyFolder {
    disk: Arc<dyn Disk>,
    path: PathBuf,
}

type Outcome<T> = std::result::Result<T, Away>;

impl CopyFolder {
    pub fn new(disk: Arc<dyn Disk>, path: PathBuf) -> CopyFolder {
        CopyFolder { disk, path }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn exists(&self) -> Outcome<bool> {
        self.disk.exists(&self.path).map_err(failed)
    }

    pub fn create_folders(&self) -> Outcome<()> {
        self.disk.create_dir(&self.path.join("pages")).map_err(failed)
    }

    pub fn marked(&self, site: SiteId) -> Outcome<Marked> {
        let bytes = match read_all(&*self.disk, &self.path.join("marker"), MARKER_BYTES_MAX) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Marked::Missing),
            result => result.map_err(failed)?,
        };
        Ok(match serde_json::from_slice::<Marker>(&bytes) {
            Ok(marker) if marker.format != MARKER_FORMAT => Marked::Unreadable,
            Ok(marker) if marker.version != MARKER_VERSION => Marked::Later(marker.version),
            Ok(marker) if marker.site == site => Marked::Ours,
            Ok(_) => Marked::OtherSite,
            Err(_) => Marked::Unreadable,
        })
    }

    pub fn write_marker(&self, site: SiteId) -> Outcome<()> {
        let marker = Marker { format: MARKER_FORMAT.to_owned(), version: MARKER_VERSION, site };
        let text = serde_json::to_vec(&marker).map_err(|error| Away::Failed { what: error.to_string() })?;
        write_all(&*self.disk, &self.path.join("marker"), &text).map_err(failed)
    }

    /// The slots whose digest holds. One that a later program wrote is an error: beside it an older one must not win.
    pub fn slots(&self) -> Outcome<Vec<Slot>> {
        let mut slots = Vec::new();
        for generation in 0..2 {
            match read_all(&*self.disk, &self.slot_path(generation), SLOT_BYTES_MAX) {
                Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InvalidData) => {}
                result => {
                    let bytes = result.map_err(failed)?;
                    if let Some(version) = Slot::later_version(&bytes) {
                        return Err(Away::LaterVersion { version });
                    }
                    slots.extend(Slot::parse(&bytes));
                }
            }
        }
        Ok(slots)
    }

    /// Writes a generation in its slot: 1 open · 2 write in place, zeros over whatever was longer · 3 sync · 4 sync the
    /// folder if the file is new · 5 read back past the page cache. In place, because a new file with the old name would
    /// leave the old generation in freed blocks.
    pub fn write_slot(&self, generation: u64, bytes: &[u8], when_missing: WhenMissing) -> Outcome<()> {
        let path = self.slot_path(generation);
        let exists = self.disk.exists(&path).map_err(failed)?;
        let is_new = !exists && when_missing == WhenMissing::Create;
        let how = if is_new { Open::Create } else { Open::Write };
        let file = self.disk.open(&path, how).map_err(failed)?; // 1
        let old_len = usize::try_from(file.len().map_err(failed)?).unwrap_or(SLOT_BYTES_MAX).min(SLOT_BYTES_MAX);
        let mut whole = bytes.to_vec();
        whole.resize(bytes.len().max(old_len).next_multiple_of(BLOCK_BYTES), 0);
        file.write_at(&whole, 0).map_err(failed)?; // 2
        file.sync().map_err(failed)?; // 3
        if when_missing == WhenMissing::Create {
            self.disk.sync_dir(&self.path).map_err(failed)?; // 4: also for one that an interrupted try left
        }
        self.read_back(&path, &whole) // 5
    }

    /// Writes a page file that must not be there yet: 1 remove what a failed try left · 2 create · 3 write · 4 sync · 5 sync
    /// the folder · 6 read back.
    pub fn write_page(&self, name: &str, bytes: &[u8]) -> Outcome<()> {
        let path = self.page_path(name);
        if self.disk.exists(&path).map_err(failed)? {
            self.disk.remove(&path).map_err(failed)?; // 1
        }
        let file = self.disk.open(&path, Open::Create).map_err(failed)?; // 2
        file.write_at(bytes, 0).map_err(failed)?; // 3
        file.sync().map_err(failed)?; // 4
        self.disk.sync_dir(&self.path.join("pages")).map_err(failed)?; // 5
        self.read_back(&path, bytes) // 6
    }

    /// The bytes of a page file, if it is there and has this digest.
    pub fn read_page(&self, name: &str, digest: &[u8; 32]) -> Option<Vec<u8>> {
        let bytes = read_all(&*self.disk, &self.page_path(name), PAGE_BYTES_MAX).ok()?;
        (blake3::hash(&bytes) == *digest).then_some(bytes)
    }

    /// Removes every page file but the named ones, durably; the answer lists what could not be removed.
    pub fn sweep(&self, names: &BTreeSet<String>) -> Outcome<Vec<PathBuf>> {
        let folder = self.path.join("pages");
        let mut residual = Vec::new();
        let mut removed = Vec::new();
        for name in self.disk.list(&folder).map_err(failed)? {
            if names.contains(&name) {
                continue;
            }
            let path = self.page_path(&name);
            match self.disk.remove(&path) {
                Ok(()) => removed.push(path),
                Err(_) => residual.push(path),
            }
        }
        if !removed.is_empty() && self.disk.sync_dir(&folder).is_err() {
            residual.append(&mut removed);
        }
        Ok(residual)
    }

    fn read_back(&self, path: &Path, expected: &[u8]) -> Outcome<()> {
        let file = self.disk.open(path, Open::Direct).map_err(failed)?;
        if !reads(&*file, expected).map_err(failed)? {
            return Err(Away::Failed { what: format!("`{}` does not read back as written", path.display()) });
        }
        Ok(())
    }

    fn slot_path(&self, generation: u64) -> PathBuf {
        self.path.join(format!("root.{}", generation % 2))
    }

    fn page_path(&self, name: &str) -> PathBuf {
        self.path.join("pages").join(name)
    }
}

/// Whether a file opened for direct reading begins with these bytes, a multiple of 4,096.
fn reads(file: &dyn DiskFile, expected: &[u8]) -> disk::Result<bool> {
    let mut buffer = vec![0; expected.len() + BLOCK_BYTES];
    let start = buffer.as_ptr().align_offset(BLOCK_BYTES);
    let aligned = &mut buffer[start..start + expected.len()];
    file.read_at(aligned, 0)?;
    Ok(aligned == expected)
}

fn failed(error: DiskError) -> Away {
    Away::Failed { what: error.to_string() }
}
