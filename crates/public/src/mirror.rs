//! The mirror: a copy of the public files at one checkpoint, the only thing that outsiders are served.

use crate::folder::{LogFolder, read};
use disk::{DiskError, Open};
use domain::limit::STARTS_BYTES_MAX;
use ledger::{
    Checkpoint, FileError, Published, PublishedError, checkpoint, opening,
    published::read_tile,
    tile::{PublicTile, public_tiles},
};

const STARTS: &str = "starts";

/// Why the mirror stays as it was.
#[derive(Debug, thiserror::Error)]
pub enum MirrorError {
    #[error(transparent)]
    Disk(#[from] DiskError),
    #[error(transparent)]
    Published(#[from] PublishedError),
    #[error("the log has {found} entries and the mirror {mirrored} already: an older state of the log was restored")]
    Behind { found: u64, mirrored: u64 },
    #[error("the log does not continue the {mirrored} entries of the mirror: its past was changed")]
    Forked { mirrored: u64 },
}

/// Copies from the keeper's public files into a folder of its own.
pub struct Mirror {
    from: LogFolder,
    to: LogFolder,
}

impl Mirror {
    pub fn new(from: LogFolder, to: LogFolder) -> Mirror {
        Mirror { from, to }
    }

    /// What is mirrored.
    pub fn checkpoint(&self) -> Result<Option<Checkpoint>, DiskError> {
        Ok(self.to.note()?.and_then(|note| checkpoint::claimed(&note)).map(|(_, checkpoint)| checkpoint))
    }

    /// Brings the mirror to a checkpoint: 1 it continues what is mirrored · 2 tiles and bundles that are new · 3 the
    /// checkpoint · 4 partial tiles that a full one replaced go away · 5 which programs started by then. Never back, never sideways.
    pub fn publish(&self, note: &[u8], new: Checkpoint) -> Result<(), MirrorError> {
        let files = |tile: PublicTile| self.from.tile(tile);
        let mirrored = self.checkpoint()?.unwrap_or(Checkpoint { size: 0, root: ledger::root_of([]) });
        if new.size < mirrored.size {
            return Err(MirrorError::Behind { found: new.size, mirrored: mirrored.size });
        }
        if Published::new(new, &files).root_at(mirrored.size)? != mirrored.root {
            return Err(MirrorError::Forked { mirrored: mirrored.size }); // 1
        }
        let tiles = public_tiles(mirrored.size, new.size);
        for tile in &tiles {
            self.copy(*tile)?; // 2
        }
        self.write(&self.to.path.join("checkpoint"), note)?; // 3
        for tile in tiles.iter().filter(|tile| tile.is_full()) {
            let partials = self.to.path.join(tile.partials_path());
            if self.to.disk.exists(&partials)? {
                for name in self.to.disk.list(&partials)? {
                    self.to.disk.remove(&partials.join(name))?; // 4
                }
            }
        }
        self.copy_starts(new) // 5
    }

    /// Openings of entries that the mirrored log has; a file that does not read is not shown.
    fn copy_starts(&self, new: Checkpoint) -> Result<(), MirrorError> {
        let Some(text) = read(&*self.from.disk, &self.from.path.join(STARTS), STARTS_BYTES_MAX)? else { return Ok(()) };
        let Some(mut openings) = opening::parse(&text) else { return Ok(()) };
        openings.retain(|opening| opening.seq < new.size);
        Ok(self.write(&self.to.path.join(STARTS), opening::to_text(&openings).as_bytes())?)
    }

    fn copy(&self, tile: PublicTile) -> Result<(), MirrorError> {
        let path = self.to.path.join(tile.path());
        if self.to.disk.exists(&path)? && self.to.disk.open(&path, Open::Read)?.len()? == tile.bytes() {
            return Ok(());
        }
        let files = |tile: PublicTile| -> Result<Option<Vec<u8>>, FileError> { self.from.tile(tile) };
        let content = read_tile(&files, tile)?;
        if content.len() as u64 != tile.bytes() {
            return Err(PublishedError::Length { path: tile.path() }.into());
        }
        self.write(&path, &content)?;
        Ok(())
    }

    fn write(&self, path: &std::path::Path, content: &[u8]) -> Result<(), DiskError> {
        if let Some(folder) = path.parent()
            && !self.to.disk.exists(folder)?
        {
            self.to.disk.create_dir(folder)?;
        }
        disk::write_all(&*self.to.disk, path, content)
    }
}
