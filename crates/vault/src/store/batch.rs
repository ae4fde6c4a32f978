//! One contiguous, block-aligned buffer: what a sync writes (R4). Reused, so that its pages are touched once.

use domain::limit::BLOCK_BYTES;

/// A byte buffer whose first byte lies on a block boundary of memory, as direct I/O wants it.
#[derive(Default)]
pub struct Batch {
    bytes: Vec<u8>,
    /// Bytes before the first aligned one.
    base: usize,
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
        self.bytes.reserve(bytes + BLOCK_BYTES);
        self.base = self.bytes.as_ptr().align_offset(BLOCK_BYTES).min(BLOCK_BYTES);
        self.bytes.resize(self.base, 0);
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
}
