//! Which program started is told to everybody: its entry's opening stands among the public files (`starts`).

use super::{Journal, JournalError, lock, public::make_folder};
use domain::limit::STARTS_BYTES_MAX;
use ledger::{
    Entry, Event,
    opening::{self, Opening},
};

impl Journal {
    /// Adds the opening of a program's start to the public file; of any other entry nothing is opened. A file that does not read is
    /// begun anew: it is told what the log says, and the log is not told by it.
    pub fn publish_start(&self, seq: u64) -> Result<(), JournalError> {
        let (salt, details) = self.open_details(&self.read(seq)?)?;
        if !matches!(Entry::from_details(&details)?.event, Event::Start { .. }) {
            return Ok(());
        }
        let _alone = lock(&self.publisher);
        let (disk, path) = (self.parts.disk.as_ref(), self.parts.place.public.join("starts"));
        let known = if disk.exists(&path)? {
            disk::read_all(disk, &path, STARTS_BYTES_MAX).unwrap_or_default()
        } else {
            Vec::new()
        };
        let mut openings = opening::parse(&known).unwrap_or_default();
        openings.retain(|known| known.seq < seq);
        openings.push(Opening { seq, salt, details });
        make_folder(disk, &path)?;
        Ok(disk::write_all(disk, &path, opening::to_text(&openings).as_bytes())?)
    }
}
