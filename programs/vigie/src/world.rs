//! The world as the product sees it: the machine's clocks and its randomness.

use aws_lc_rs::rand::{SecureRandom, SystemRandom as Generator};
use domain::{
    Clock, Random, UtcMicros,
    world::{BootId, BootMicros},
};
use rustix::time::{ClockId, clock_gettime};

/// CLOCK_REALTIME, CLOCK_BOOTTIME and the kernel's boot id.
#[derive(Debug, Clone)]
pub struct SystemClock {
    boot_id: BootId,
}

impl SystemClock {
    /// Reads the boot's identity once; zero where the system tells none.
    pub fn new() -> SystemClock {
        let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
        SystemClock { boot_id: BootId(domain::id::read_hex(&digits).unwrap_or_default()) }
    }
}

impl Default for SystemClock {
    fn default() -> SystemClock {
        SystemClock::new()
    }
}

impl Clock for SystemClock {
    fn utc(&self) -> UtcMicros {
        let now = clock_gettime(ClockId::Realtime);
        UtcMicros(now.tv_sec * 1_000_000 + now.tv_nsec / 1_000)
    }
    fn boot(&self) -> BootMicros {
        let now = clock_gettime(ClockId::Boottime);
        BootMicros(now.tv_sec * 1_000_000 + now.tv_nsec / 1_000)
    }
    fn boot_id(&self) -> BootId {
        self.boot_id
    }
}

/// The library's generator, seeded by the kernel.
#[derive(Debug, Default)]
pub struct SystemRandom(Generator);

impl SystemRandom {
    pub fn new() -> SystemRandom {
        SystemRandom(Generator::new())
    }
}

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) {
        self.0.fill(bytes).expect("without randomness no key may be made: the program must end here");
    }
}
