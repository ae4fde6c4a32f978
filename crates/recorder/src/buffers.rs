//! Buffers of chunks: used again, so that their pages are touched once; what a minute did not need is given back (decision 0064).
//!
//! While a disk hangs, chunks wait by the hundred. The recorder's memory is locked (K11), and of locked memory the C library can give
//! back only what lies in a mapping of its own: a buffer is as large as the largest chunk but for single pictures, which is the size
//! from which on the C library makes such mappings (`vigie`, `roles/supervise.rs`). Pages that no picture reached take no memory.

use domain::limit::{CHUNK_BYTES_MAX, MEMORY_KEPT_SYNCS};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Empty buffers, and how many of them lay unused. Nobody waits long for them: ingest takes, the writer gives back.
#[derive(Debug, Default)]
pub struct Buffers(Mutex<Spare>);

#[derive(Debug, Default)]
struct Spare {
    /// The last one that came is the first that goes: those in front are the ones nobody needs.
    free: Vec<Vec<u8>>,
    /// The fewest that lay here since the last look: so many were not needed.
    unused: usize,
    syncs: u32,
}

impl Buffers {
    /// An empty buffer with room for `bytes`.
    pub fn take(&self, bytes: usize) -> Vec<u8> {
        if bytes > CHUNK_BYTES_MAX {
            return Vec::with_capacity(bytes);
        }
        let mut spare = self.spare();
        let buffer = spare.free.pop();
        spare.unused = spare.unused.min(spare.free.len());
        drop(spare);
        buffer.unwrap_or_else(|| Vec::with_capacity(CHUNK_BYTES_MAX))
    }

    /// Once a sync: what chunks were in that are durable now, empty and wiped. What none of the last [`MEMORY_KEPT_SYNCS`] syncs needed
    /// is dropped, and so is what is of another size: the picture of a chunk that it filled alone.
    pub fn give_back(&self, emptied: Vec<Vec<u8>>) {
        let mut spare = self.spare();
        spare
            .free
            .extend(emptied.into_iter().filter(|buffer| buffer.is_empty() && buffer.capacity() == CHUNK_BYTES_MAX));
        spare.syncs += 1;
        if spare.syncs < MEMORY_KEPT_SYNCS {
            return;
        }
        let unused = spare.unused;
        let surplus: Vec<Vec<u8>> = spare.free.drain(..unused).collect();
        (spare.unused, spare.syncs) = (spare.free.len(), 0);
        drop(spare);
        drop(surplus); // nobody waits for the system to take them
    }

    fn spare(&self) -> MutexGuard<'_, Spare> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A second in which so many chunks are filled and then made durable.
    fn second(buffers: &Buffers, chunks: usize) {
        let taken: Vec<Vec<u8>> = (0..chunks).map(|_| buffers.take(1_000)).collect();
        assert!(taken.iter().all(|buffer| buffer.is_empty() && buffer.capacity() == CHUNK_BYTES_MAX));
        buffers.give_back(taken);
    }

    fn held(buffers: &Buffers) -> usize {
        buffers.spare().free.len()
    }

    #[test]
    fn buffers_that_only_a_disk_that_hung_needed_are_given_back_and_what_every_second_needs_stays() {
        let buffers = Buffers::default();
        (0..5 * MEMORY_KEPT_SYNCS).for_each(|_| second(&buffers, 120));
        assert_eq!(held(&buffers), 120, "what every second needs is neither given back nor asked for again");
        second(&buffers, 2_000);
        assert_eq!(held(&buffers), 2_000);
        (0..2 * MEMORY_KEPT_SYNCS).for_each(|_| second(&buffers, 120));
        assert_eq!(held(&buffers), 120);
    }

    #[test]
    fn a_thousand_disks_that_hang_leave_no_more_than_one() {
        let buffers = Buffers::default();
        for _ in 0..1_000 {
            second(&buffers, 500);
            (0..2 * MEMORY_KEPT_SYNCS).for_each(|_| second(&buffers, 10));
            assert_eq!(held(&buffers), 10);
        }
    }

    #[test]
    fn the_buffer_of_a_picture_that_fills_a_chunk_alone_is_not_kept() {
        let buffers = Buffers::default();
        let large = buffers.take(CHUNK_BYTES_MAX + 1);
        assert!(large.capacity() > CHUNK_BYTES_MAX);
        buffers.give_back(vec![large, Vec::new(), buffers.take(1)]);
        assert_eq!(held(&buffers), 1);
    }

    #[test]
    fn what_still_holds_something_does_not_come_back() {
        let buffers = Buffers::default();
        let mut full = buffers.take(1);
        full.push(1);
        buffers.give_back(vec![full]);
        assert_eq!(held(&buffers), 0);
    }
}
