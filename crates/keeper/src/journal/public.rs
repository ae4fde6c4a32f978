//! The public files: tiles, entry bundles, checkpoint. Derived from the journal and rebuilt where they are missing or short.

use super::error::JournalError;
use disk::{Disk, Open};
use ledger::{
    Checkpoint, CheckpointKey, Tree,
    tile::{PublicTile, public_tiles},
    tree::Leaves,
};
use std::path::{Path, PathBuf};

/// A signed note of a log is some hundred bytes; witnesses add theirs.
const CHECKPOINT_BYTES_MAX: usize = 64 * 1024;

/// Where a log lives on disk.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct JournalPlace {
    /// The folder of the journal's own files.
    pub journal: PathBuf,
    /// The folder of the files that anybody may read: `checkpoint` and `tile/`.
    pub public: PathBuf,
    /// The folder of the journal's reserve, on another device.
    pub reserve: Option<PathBuf>,
}

impl JournalPlace {
    /// `journal/` and `public/` in one folder.
    pub fn in_folder(folder: &Path) -> JournalPlace {
        JournalPlace { journal: folder.join("journal"), public: folder.join("public"), reserve: None }
    }

    pub fn with_reserve(self, reserve: Option<PathBuf>) -> JournalPlace {
        JournalPlace { reserve, ..self }
    }

    fn checkpoint(&self) -> PathBuf {
        self.public.join("checkpoint")
    }
}

/// The published checkpoint, if there is one and this log signed it. One that it did not sign is nothing: it is derived.
pub fn public_checkpoint(
    disk: &dyn Disk,
    place: &JournalPlace,
    key: &CheckpointKey,
) -> Result<Option<Checkpoint>, JournalError> {
    Ok(read_note(disk, place)?.and_then(|note| key.verify(&note).ok()))
}

/// The published note as it stands.
pub(super) fn read_note(disk: &dyn Disk, place: &JournalPlace) -> Result<Option<Vec<u8>>, JournalError> {
    let path = place.checkpoint();
    if !disk.exists(&path)? {
        return Ok(None);
    }
    Ok(Some(disk::read_all(disk, &path, CHECKPOINT_BYTES_MAX)?))
}

#[derive(Default)]
pub(super) struct Publisher {
    /// How many entries are published; unknown after a start, and then every file is looked at once.
    published: Option<u64>,
}

impl Publisher {
    /// Brings the public files to a checkpoint: 1 tiles and bundles that are new · 2 the checkpoint · 3 partial tiles that a
    /// full one replaced go away. A reader who holds a checkpoint finds its tiles at every moment.
    pub fn publish(
        &mut self,
        disk: &dyn Disk,
        place: &JournalPlace,
        (tree, leaves): (&Tree, Leaves<'_>),
        closed: Checkpoint,
        note: &[u8],
    ) -> Result<(), JournalError> {
        if self.published.is_some_and(|published| published > closed.size) {
            // another thread published a later checkpoint while this one waited
            return Ok(());
        }
        let looked_at_before = self.published.is_some();
        let tiles = public_tiles(self.published.unwrap_or(0), closed.size);
        self.published = None;
        for tile in &tiles {
            let path = place.public.join(tile.path());
            if !looked_at_before && has_length(disk, &path, tile.bytes())? {
                continue;
            }
            make_folder(disk, &path)?;
            disk::write_all(disk, &path, &tile.content(tree, leaves)?)?; // 1
        }
        make_folder(disk, &place.checkpoint())?;
        disk::write_all(disk, &place.checkpoint(), note)?; // 2
        for tile in tiles.iter().filter(|tile| tile.is_full()) {
            remove_partials(disk, place, *tile)?; // 3
        }
        self.published = Some(closed.size);
        Ok(())
    }
}

fn has_length(disk: &dyn Disk, path: &Path, bytes: u64) -> Result<bool, JournalError> {
    Ok(disk.exists(path)? && disk.open(path, Open::Read)?.len()? == bytes)
}

pub(super) fn make_folder(disk: &dyn Disk, file: &Path) -> Result<(), JournalError> {
    let folder = file.parent().unwrap_or(Path::new("."));
    if !disk.exists(folder)? {
        disk.create_dir(folder)?;
    }
    Ok(())
}

/// The empty folder stays: [`Disk`] removes files only.
fn remove_partials(disk: &dyn Disk, place: &JournalPlace, full: PublicTile) -> Result<(), JournalError> {
    let folder = place.public.join(full.partials_path());
    if disk.exists(&folder)? {
        for name in disk.list(&folder)? {
            disk.remove(&folder.join(name))?;
        }
    }
    Ok(())
}
