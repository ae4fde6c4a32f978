//! Simulated clocks: thirty days pass in a test without anybody waiting.
//!
//! [`ShiftedClock`] is for programs that run for real in a test: they share a small file that says how far ahead
//! "now" is. [`ManualClock`] is for tests inside one process: time stands still until the test moves it.

use domain::{
    Clock, UtcMicros,
    world::{BootId, BootMicros, NtpState},
};
use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

/// The machine's own clocks.
#[derive(Clone, Debug, Default)]
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

impl Clock for SystemClock {
    fn utc(&self) -> UtcMicros {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        UtcMicros(since.as_micros() as i64)
    }
    fn boot(&self) -> BootMicros {
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        BootMicros(now.tv_sec * 1_000_000 + now.tv_nsec / 1_000)
    }
    fn boot_id(&self) -> BootId {
        self.boot_id
    }
}

/// Another clock plus offsets in microseconds, read at each call from a file.
///
/// One decimal integer applies to UTC and to time since boot alike: to the program, the time has really passed. Two are
/// UTC's and the boot clock's: somebody set the system clock. A third one is the number of a boot: the machine was started
/// so often since, and a time server has set its clock. A missing file is offset 0; a file caught half written, or
/// one that holds something else, leaves the last good offsets in force.
pub struct ShiftedClock {
    inner: Arc<dyn Clock>,
    path: PathBuf,
    last: Mutex<Offsets>,
}

/// What is added to each clock, in microseconds.
#[derive(Clone, Copy, Default, Debug)]
struct Offsets {
    utc: i64,
    boot: i64,
    /// Which boot it is; 0: the one that the machine really is in.
    nth: u8,
}

impl ShiftedClock {
    /// Over the machine's own clocks.
    pub fn over_system(path: impl Into<PathBuf>) -> ShiftedClock {
        ShiftedClock::over(Arc::new(SystemClock::new()), path)
    }
    pub fn over(inner: Arc<dyn Clock>, path: impl Into<PathBuf>) -> ShiftedClock {
        ShiftedClock { inner, path: path.into(), last: Mutex::default() }
    }
    fn offsets(&self) -> Offsets {
        // Re-read each time: a read of a cached file costs about 10 µs, and a cache by mtime could miss two writes in
        // a tick.
        let read = match std::fs::read_to_string(&self.path) {
            Ok(text) => Offsets::parse(&text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Some(Offsets::default()),
            Err(_) => None,
        };
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last = read.unwrap_or(*last);
        *last
    }
}

impl Offsets {
    fn parse(text: &str) -> Option<Offsets> {
        let numbers: Result<Vec<i64>, _> = text.split_whitespace().map(str::parse).collect();
        match numbers.ok()?.as_slice() {
            [both] => Some(Offsets { utc: *both, boot: *both, nth: 0 }),
            [utc, boot] => Some(Offsets { utc: *utc, boot: *boot, nth: 0 }),
            [utc, boot, nth] => Some(Offsets { utc: *utc, boot: *boot, nth: u8::try_from(*nth).ok()? }),
            _ => None,
        }
    }
}

impl Clock for ShiftedClock {
    fn utc(&self) -> UtcMicros {
        self.inner.utc().plus_micros(self.offsets().utc)
    }
    fn boot(&self) -> BootMicros {
        BootMicros(self.inner.boot().0.saturating_add(self.offsets().boot))
    }
    fn both(&self) -> (UtcMicros, BootMicros) {
        let (offsets, (utc, boot)) = (self.offsets(), self.inner.both());
        (utc.plus_micros(offsets.utc), BootMicros(boot.0.saturating_add(offsets.boot)))
    }
    fn boot_id(&self) -> BootId {
        let mut id = self.inner.boot_id();
        id.0[0] = id.0[0].wrapping_add(self.offsets().nth);
        id
    }
    fn ntp(&self) -> NtpState {
        if self.offsets().nth == 0 { NtpState::Unknown } else { NtpState::Synchronised }
    }
}

/// Sets the offset that every [`ShiftedClock`] on this file sees.
pub fn set_offset(path: &Path, offset_micros: i64) -> io::Result<()> {
    write_whole(path, &format!("{offset_micros}\n"))
}

/// As if somebody set the system clock: UTC goes by one offset, time since boot by another.
pub fn set_offsets(path: &Path, utc_micros: i64, boot_micros: i64) -> io::Result<()> {
    write_whole(path, &format!("{utc_micros} {boot_micros}\n"))
}

/// As if the machine booted, for the `nth` time, and a time server set its clock, rightly or not.
pub fn set_boot(path: &Path, utc_micros: i64, nth: u8) -> io::Result<()> {
    write_whole(path, &format!("{utc_micros} 0 {nth}\n"))
}

/// In the same file: a confined program may read that one and no other that takes its name. It is emptied and then written at
/// once; an empty one leaves the last offsets in force.
fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    std::fs::write(path, text)
}

/// A clock that a test sets by hand.
#[derive(Debug)]
pub struct ManualClock {
    utc: AtomicI64,
    boot: AtomicI64,
    boot_id: Mutex<BootId>,
}

impl ManualClock {
    /// Boot time begins at 0.
    pub fn at(utc: UtcMicros) -> ManualClock {
        ManualClock { utc: AtomicI64::new(utc.0), boot: AtomicI64::new(0), boot_id: Mutex::new(BootId([1; 16])) }
    }
    /// Time passes: both clocks go on.
    pub fn advance_micros(&self, micros: i64) {
        self.utc.fetch_add(micros, Ordering::SeqCst);
        self.boot.fetch_add(micros, Ordering::SeqCst);
    }
    pub fn advance_seconds(&self, seconds: i64) {
        self.advance_micros(seconds * 1_000_000);
    }
    /// Somebody sets the system clock; time since boot goes on as it was.
    pub fn set_utc(&self, utc: UtcMicros) {
        self.utc.store(utc.0, Ordering::SeqCst);
    }
    pub fn set_boot(&self, boot: BootMicros) {
        self.boot.store(boot.0, Ordering::SeqCst);
    }
    /// The machine starts again: another boot, counting from 0.
    pub fn reboot(&self, boot_id: BootId) {
        *self.boot_id.lock().unwrap_or_else(PoisonError::into_inner) = boot_id;
        self.boot.store(0, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn utc(&self) -> UtcMicros {
        UtcMicros(self.utc.load(Ordering::SeqCst))
    }
    fn boot(&self) -> BootMicros {
        BootMicros(self.boot.load(Ordering::SeqCst))
    }
    fn boot_id(&self) -> BootId {
        *self.boot_id.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manual() -> Arc<ManualClock> {
        Arc::new(ManualClock::at(UtcMicros::from_seconds(1_000)))
    }

    #[test]
    fn a_shifted_clock_follows_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("offset");
        let clock = ShiftedClock::over(manual(), &path);
        assert_eq!(clock.utc(), UtcMicros::from_seconds(1_000));
        set_offset(&path, 30 * 86_400 * 1_000_000).unwrap();
        assert_eq!(clock.utc(), UtcMicros::from_seconds(1_000 + 30 * 86_400));
        assert_eq!(clock.boot(), BootMicros(30 * 86_400 * 1_000_000));
    }

    #[test]
    fn two_numbers_move_the_clocks_apart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("offset");
        let clock = ShiftedClock::over(manual(), &path);
        set_offsets(&path, 9_000_000, 2).unwrap();
        assert_eq!((clock.utc(), clock.boot()), (UtcMicros::from_seconds(1_009), BootMicros(2)));
    }

    #[test]
    fn a_third_number_is_another_boot_under_a_time_server() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("offset");
        let clock = ShiftedClock::over(manual(), &path);
        let before = (clock.boot_id(), clock.ntp());
        set_boot(&path, 3_000_000, 1).unwrap();
        assert_eq!(clock.utc(), UtcMicros::from_seconds(1_003));
        assert!(clock.boot_id() != before.0 && clock.ntp() == NtpState::Synchronised && before.1 == NtpState::Unknown);
    }

    #[test]
    fn a_file_without_a_number_leaves_the_last_offset_in_force() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("offset");
        let clock = ShiftedClock::over(manual(), &path);
        set_offset(&path, -5).unwrap();
        assert_eq!(clock.utc(), UtcMicros(1_000_000_000 - 5));
        std::fs::write(&path, "").unwrap();
        assert_eq!(clock.utc(), UtcMicros(1_000_000_000 - 5));
    }

    #[test]
    fn setting_the_manual_clock_leaves_time_since_boot_alone() {
        let clock = manual();
        clock.advance_seconds(5);
        clock.set_utc(UtcMicros(0));
        assert_eq!((clock.utc(), clock.boot()), (UtcMicros(0), BootMicros(5_000_000)));
        let before = clock.boot_id();
        clock.reboot(BootId([9; 16]));
        assert_ne!(clock.boot_id(), before);
        assert_eq!(clock.boot(), BootMicros(0));
    }

    #[test]
    fn the_system_clock_knows_its_boot_and_runs_forward() {
        let clock = SystemClock::new();
        assert_ne!(clock.boot_id(), BootId::default());
        assert!(clock.boot() <= clock.boot());
        assert!(clock.utc() > UtcMicros::from_seconds(1_700_000_000));
    }
}
