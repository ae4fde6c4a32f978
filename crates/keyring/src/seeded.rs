//! Chance from a seed, for tests only.

use domain::Random;
use std::sync::Mutex;

/// BLAKE3 of seed and counter: every draw differs, the same seed gives the same draws.
pub struct Seeded {
    seed: u64,
    drawn: Mutex<u64>,
}

impl Seeded {
    pub fn new(seed: u64) -> Seeded {
        Seeded { seed, drawn: Mutex::new(0) }
    }
}

impl Random for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        let mut drawn = self.drawn.lock().unwrap();
        *drawn += 1;
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.seed.to_le_bytes()).update(&drawn.to_le_bytes());
        hasher.finalize_xof().fill(bytes);
    }
}
