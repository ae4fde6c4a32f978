//! One contiguous, block-aligned buffer: what a sync writes (R4). Reused, so that its pages are touched once; what only a disk that
//! hung needed is given back (decision 0064).

use domain::limit::{BLOCK_BYTES, MEMORY_KEPT_SYNCS};

/// A byte buffer whose first byte lies on a block boundary of memory, as direct I/O wants it.
#[derive(Default)]
pub struct Batch {
    bytes: Vec<u8>,
    /// Bytes before the first aligned one.
    base: usize,
    /// The most that was needed in the syncs since the last look, and how many those are.
    needed: usize,
    syncs: u32,
}

impl Batch {
    pub fn with_capacity(bytes: usize) -> Batch {
        let mut batch = Batch::default();
        batch.clear(bytes);
        batch
    }

    /// Empties the buffer and makes room for `bytes`, so that appending them moves nothing.
    pub fn clear(&mut self, bytes: usize) {
        self.bytes.clear();
        self.needed = self.needed.max(bytes + BLOCK_BYTES);
        self.bytes.reserve(bytes + BLOCK_BYTES);
        self.base = self.bytes.as_ptr().align_offset(BLOCK_BYTES).min(BLOCK_BYTES);
        self.bytes.resize(self.base, 0);
    }

    /// After a sync, when nothing in it is needed any more: of the room, what none of the last [`MEMORY_KEPT_SYNCS`] needed is given
    /// back. Twice what they needed stays: room grows by doubling.
    pub fn settle(&mut self) {
        self.needed = self.needed.max(self.bytes.len());
        self.syncs += 1;
        if self.syncs < MEMORY_KEPT_SYNCS {
            return;
        }
        if self.room() > 2 * self.needed {
            (self.bytes, self.base) = (Vec::with_capacity(self.needed), 0);
        }
        (self.needed, self.syncs) = (0, 0);
    }

    /// Bytes of memory that it holds.
    pub fn room(&self) -> usize {
        self.bytes.capacity()
    }

    /// The buffer to append to.
    pub fn bytes(&mut self) -> &mut Vec<u8> {
        &mut self.bytes
    }

    /// Bytes appended so far.
    pub fn len(&self) -> usize {
        self.bytes.len() - self.base
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What was appended, aligned: moved once more if appending outgrew the room that was made.
    pub fn as_slice(&mut self) -> &[u8] {
        let aligned = self.bytes.as_ptr().align_offset(BLOCK_BYTES).min(BLOCK_BYTES);
        if aligned != self.base {
            let len = self.len();
            self.bytes.reserve(BLOCK_BYTES);
            let aligned = self.bytes.as_ptr().align_offset(BLOCK_BYTES).min(BLOCK_BYTES);
            if aligned > self.base {
                self.bytes.resize(aligned + len, 0);
            }
            self.bytes.copy_within(self.base..self.base + len, aligned);
            self.bytes.truncate(aligned + len);
            self.base = aligned;
        }
        &self.bytes[self.base..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_aligned_also_when_it_outgrew_its_room() {
        for room in [0, 100, 10_000] {
            let mut batch = Batch::with_capacity(room);
            let content: Vec<u8> = (0..50_000u32).map(|n| n as u8).collect();
            content.chunks(777).for_each(|piece| batch.bytes().extend_from_slice(piece));
            assert_eq!(batch.as_slice(), content);
            assert_eq!(batch.as_slice().as_ptr().align_offset(BLOCK_BYTES), 0);
        }
    }

    fn syncs(batch: &mut Batch, syncs: u32, bytes: usize) {
        for _ in 0..syncs {
            batch.clear(bytes);
            let end = batch.base + bytes;
            batch.bytes().resize(end, 1);
            batch.settle();
        }
    }

    #[test]
    fn room_that_one_sync_of_a_disk_that_hung_needed_is_given_back_and_what_every_sync_needs_stays() {
        const MEBIBYTE: usize = 1 << 20;
        let mut batch = Batch::default();
        syncs(&mut batch, MEMORY_KEPT_SYNCS, MEBIBYTE);
        let usual = batch.room();
        syncs(&mut batch, 10 * MEMORY_KEPT_SYNCS, MEBIBYTE);
        assert_eq!(batch.room(), usual, "what every second needs is neither given back nor asked for again");
        syncs(&mut batch, 1, 100 * MEBIBYTE);
        assert!(batch.room() >= 100 * MEBIBYTE);
        syncs(&mut batch, 2 * MEMORY_KEPT_SYNCS, MEBIBYTE);
        assert!(batch.room() <= 2 * (MEBIBYTE + BLOCK_BYTES), "{} bytes", batch.room());
        batch.clear(10);
        batch.bytes().extend_from_slice(&[7; 10]);
        assert_eq!(batch.as_slice(), [7; 10]);
        assert_eq!(batch.as_slice().as_ptr().align_offset(BLOCK_BYTES), 0);
    }

    #[test]
    fn the_small_reels_of_a_second_with_several_take_no_room_from_the_large_one() {
        let mut batch = Batch::default();
        for _ in 0..5 * MEMORY_KEPT_SYNCS {
            [1 << 20, 1 << 12].into_iter().for_each(|bytes| batch.clear(bytes));
            batch.settle();
            assert!(batch.room() > 1 << 20);
        }
    }
}
