//! The world as arguments: time and chance are handed in, so that thirty days can be tested in milliseconds.

use crate::time::UtcMicros;
use serde::{Deserialize, Serialize};

/// Microseconds of CLOCK_BOOTTIME: goes on during suspend, is not set by anybody, starts at a boot.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug, Serialize, Deserialize)]
pub struct BootMicros(pub i64);

/// One boot of the machine.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug, Serialize, Deserialize)]
pub struct BootId(pub [u8; 16]);

/// What the kernel says of the system clock: whether a time server disciplines it (adjtimex(2)).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NtpState {
    Synchronised,
    Unsynchronised,
    /// The kernel does not say, or may not be asked; counts as not disciplined.
    #[default]
    Unknown,
}

/// The clocks of a machine.
pub trait Clock: Send + Sync {
    /// The system clock (CLOCK_REALTIME): may be wrong, may jump.
    fn utc(&self) -> UtcMicros;
    /// Time since boot, suspend included.
    fn boot(&self) -> BootMicros;
    /// Both clocks of one instant: a clock that is moved by hand moves both at once.
    fn both(&self) -> (UtcMicros, BootMicros) {
        (self.utc(), self.boot())
    }
    /// Which boot [`Clock::boot`] counts from.
    fn boot_id(&self) -> BootId;
    /// Whether a time server disciplines [`Clock::utc`]; a clock that cannot tell says so.
    fn ntp(&self) -> NtpState {
        NtpState::Unknown
    }
}

/// Unpredictable bytes.
pub trait Random: Send + Sync {
    fn fill(&self, bytes: &mut [u8]);
}
