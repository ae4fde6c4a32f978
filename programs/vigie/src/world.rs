//! The world as the product sees it: the machine's clocks and its randomness.

use aws_lc_rs::rand::{SecureRandom, SystemRandom as Generator};
use domain::{
    Clock, Random, UtcMicros,
    limit::NTP_ERROR_MICROS_MAX,
    world::{BootId, BootMicros, NtpState},
};
use rtime_clock::adjtime::{Timex, adjtimex};
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
    /// By the kernel's bound of the error, not by STA_UNSYNC: chrony leaves that flag when it does not keep the hardware
    /// clock (systemd looks so, too). The bound grows by 500 ppm since the last word of a server, and a clock that somebody
    /// sets is at once without one. A kernel or a sandbox that refuses the question leaves the state unknown.
    fn ntp(&self) -> NtpState {
        let mut timex = Timex::new(); // no mode is set: the call reads and changes nothing
        match adjtimex(&mut timex) {
            Ok(_) if timex.0.maxerror < NTP_ERROR_MICROS_MAX => NtpState::Synchronised,
            Ok(_) => NtpState::Unsynchronised,
            Err(_) => NtpState::Unknown,
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_is_asked_about_time_servers_and_its_clock_is_left_alone() {
        let clock = SystemClock::new();
        let before = (clock.utc(), clock.boot());
        let states = [clock.ntp(), clock.ntp()];
        assert_eq!(states[0], states[1]);
        // both clocks went on together: nothing was set
        let passed = (clock.utc().since(before.0), clock.boot().0 - before.1.0);
        assert!((passed.0 - passed.1).abs() < 50_000, "{passed:?}");
    }
}
