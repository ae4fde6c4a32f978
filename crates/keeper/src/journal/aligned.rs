//! Buffers for direct I/O: their first byte lies on a multiple of 4,096, their length is one.

use domain::limit::BLOCK_BYTES;

/// Zeroed bytes, aligned to a block and a whole number of blocks long.
pub(super) struct Aligned {
    bytes: Vec<u8>,
    start: usize,
    len: usize,
}

impl Aligned {
    /// At least `bytes` zeros, rounded up to whole blocks.
    pub fn zeroed(bytes: usize) -> Aligned {
        let len = bytes.next_multiple_of(BLOCK_BYTES);
        let bytes = vec![0; len + BLOCK_BYTES - 1];
        // the vector never grows, so its address stays
        let start = bytes.as_ptr().align_offset(BLOCK_BYTES);
        assert!(start < BLOCK_BYTES, "a byte's address can be aligned by skipping bytes");
        Aligned { bytes, start, len }
    }

    pub fn as_slice(&self) -> &[u8] {
        &self.bytes[self.start..self.start + self.len]
    }

    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        &mut self.bytes[self.start..self.start + self.len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_are_aligned_whole_blocks_of_zeros() {
        for bytes in [0, 1, 4095, 4096, 4097, 100_000] {
            let mut buffer = Aligned::zeroed(bytes);
            assert_eq!(buffer.as_slice().len(), bytes.next_multiple_of(4096));
            assert_eq!(buffer.as_slice().as_ptr().addr() % 4096, 0);
            assert!(buffer.as_mut_slice().iter().all(|byte| *byte == 0));
        }
    }
}
