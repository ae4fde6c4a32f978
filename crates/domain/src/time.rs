//! Time: UTC in microseconds, hours as the unit of keys, spans that never run backwards, media ticks.

use serde::{Deserialize, Serialize};
use std::fmt;

/// UTC as microseconds since 1970-01-01T00:00:00Z, without leap seconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
pub struct UtcMicros(pub i64);

impl UtcMicros {
    pub const fn from_seconds(seconds: i64) -> UtcMicros {
        UtcMicros(seconds * 1_000_000)
    }
    /// Whole seconds, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }
    pub const fn millis(self) -> i64 {
        self.0.div_euclid(1_000)
    }
    pub const fn plus_micros(self, micros: i64) -> UtcMicros {
        UtcMicros(self.0.saturating_add(micros))
    }
    pub const fn plus_seconds(self, seconds: i64) -> UtcMicros {
        self.plus_micros(seconds.saturating_mul(1_000_000))
    }
    /// `self − earlier` in microseconds.
    pub const fn since(self, earlier: UtcMicros) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// ISO 8601 in UTC, to the millisecond: `2026-03-12T14:00:00.000Z`.
impl fmt::Display for UtcMicros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.seconds();
        let (year, month, day) = civil_from_days(seconds.div_euclid(86_400));
        let of_day = seconds.rem_euclid(86_400);
        let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
        let millis = self.0.rem_euclid(1_000_000) / 1_000;
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
    }
}

impl fmt::Debug for UtcMicros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Days since 1970-01-01 to year, month, day of the proleptic Gregorian calendar, by counting eras of 400 years.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let of_era = z.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// How long an hour lasts. The product knows 3,600 s only; simulator programs also 600 s (vault.md R16).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct HourLength(u32);

impl HourLength {
    pub const PRODUCT: HourLength = HourLength(3_600);
    pub const SIMULATED: HourLength = HourLength(600);

    /// A length in seconds, if it is one of the two that exist.
    pub const fn from_seconds(seconds: u32) -> Option<HourLength> {
        match seconds {
            3_600 => Some(HourLength::PRODUCT),
            600 => Some(HourLength::SIMULATED),
            _ => None,
        }
    }
    pub const fn seconds(self) -> u32 {
        self.0
    }
    /// The hour that holds `at`.
    pub const fn hour_of(self, at: UtcMicros) -> Hour {
        let length = self.0 as i64;
        Hour { start_s: at.seconds().div_euclid(length) * length, length: self }
    }
}

/// One UTC hour: the unit of keys and of destruction (vault.md K1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Hour {
    /// Seconds since 1970; a multiple of the length.
    start_s: i64,
    length: HourLength,
}

impl Hour {
    /// The hour that begins at `start_s`; `None` where no hour of that length begins.
    pub const fn starting(start_s: i64, length: HourLength) -> Option<Hour> {
        if start_s.rem_euclid(length.0 as i64) == 0 { Some(Hour { start_s, length }) } else { None }
    }
    pub const fn start(self) -> UtcMicros {
        UtcMicros::from_seconds(self.start_s)
    }
    pub const fn start_seconds(self) -> i64 {
        self.start_s
    }
    pub const fn end(self) -> UtcMicros {
        UtcMicros::from_seconds(self.start_s + self.length.0 as i64)
    }
    pub const fn length(self) -> HourLength {
        self.length
    }
    /// The hour `n` after this one (before it for a negative `n`).
    pub const fn plus(self, n: i64) -> Hour {
        Hour { start_s: self.start_s + n * self.length.0 as i64, length: self.length }
    }
    pub const fn span(self) -> Span {
        Span { from: self.start(), to: self.end() }
    }
    /// Twelve bytes for associated data: start in seconds (i64, little endian), length in seconds (u32).
    pub fn to_bytes(self) -> [u8; 12] {
        let mut bytes = [0; 12];
        bytes[..8].copy_from_slice(&self.start_s.to_le_bytes());
        bytes[8..].copy_from_slice(&self.length.0.to_le_bytes());
        bytes
    }
    /// The inverse of [`Hour::to_bytes`]; `None` for bytes that name no hour.
    pub fn from_bytes(bytes: &[u8; 12]) -> Option<Hour> {
        let (start, length) = bytes.split_at(8);
        let start = i64::from_le_bytes(start.try_into().ok()?);
        let length = HourLength::from_seconds(u32::from_le_bytes(length.try_into().ok()?))?;
        Hour::starting(start, length)
    }
}

impl fmt::Display for Hour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let start = self.start().to_string();
        write!(f, "{}Z", &start[..16])?;
        if self.length == HourLength::PRODUCT { Ok(()) } else { write!(f, "+{}s", self.length.0) }
    }
}

impl fmt::Debug for Hour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A span of time, from inclusive, to exclusive, never backwards.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "(UtcMicros, UtcMicros)", into = "(UtcMicros, UtcMicros)")]
pub struct Span {
    from: UtcMicros,
    to: UtcMicros,
}

/// A span was asked for whose end lies before its start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the span ends ({to}) before it begins ({from}): swap the two times")]
pub struct SpanError {
    pub from: UtcMicros,
    pub to: UtcMicros,
}

impl Span {
    pub fn new(from: UtcMicros, to: UtcMicros) -> Result<Span, SpanError> {
        if to < from { Err(SpanError { from, to }) } else { Ok(Span { from, to }) }
    }
    pub const fn from(self) -> UtcMicros {
        self.from
    }
    pub const fn to(self) -> UtcMicros {
        self.to
    }
    pub const fn micros(self) -> i64 {
        self.to.since(self.from)
    }
    pub fn holds(self, at: UtcMicros) -> bool {
        self.from <= at && at < self.to
    }
    /// Whether `other` lies wholly inside.
    pub fn covers(self, other: Span) -> bool {
        self.from <= other.from && other.to <= self.to
    }
    /// Whether the two share an instant; `first..=last` of footage counts as touching its last instant.
    pub fn touches(self, first: UtcMicros, last: UtcMicros) -> bool {
        first < self.to && self.from <= last
    }
}

impl TryFrom<(UtcMicros, UtcMicros)> for Span {
    type Error = SpanError;
    fn try_from((from, to): (UtcMicros, UtcMicros)) -> Result<Span, SpanError> {
        Span::new(from, to)
    }
}

impl From<Span> for (UtcMicros, UtcMicros) {
    fn from(span: Span) -> (UtcMicros, UtcMicros) {
        (span.from, span.to)
    }
}

/// Media time in units of 1/90,000 s (the RTP clock of video, RFC 6184 section 5.1).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug, Serialize, Deserialize)]
pub struct MediaTicks(pub i64);

impl MediaTicks {
    pub const PER_SECOND: i64 = 90_000;

    /// Rounded down to a microsecond.
    pub const fn micros(self) -> i64 {
        (self.0 as i128 * 1_000_000).div_euclid(Self::PER_SECOND as i128) as i64
    }
    /// Rounded to the nearest tick.
    pub const fn from_micros(micros: i64) -> MediaTicks {
        MediaTicks(((micros as i128 * Self::PER_SECOND as i128) + 500_000).div_euclid(1_000_000) as i64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn utc_is_written_as_iso_8601() {
        assert_eq!(UtcMicros::from_seconds(0).to_string(), "1970-01-01T00:00:00.000Z");
        assert_eq!(UtcMicros(1_709_210_096_789_000).to_string(), "2024-02-29T12:34:56.789Z");
        assert_eq!(UtcMicros(-1).to_string(), "1969-12-31T23:59:59.999Z");
    }

    proptest! {
        #[test]
        fn every_instant_lies_in_its_hour(at in -4_000_000_000_000_000i64..4_000_000_000_000_000) {
            for length in [HourLength::PRODUCT, HourLength::SIMULATED] {
                let hour = length.hour_of(UtcMicros(at));
                prop_assert!(hour.span().holds(UtcMicros(at)));
                prop_assert_eq!(Hour::from_bytes(&hour.to_bytes()), Some(hour));
            }
        }

        #[test]
        fn ticks_survive_microseconds(ticks in -1_000_000_000_000i64..1_000_000_000_000) {
            prop_assert_eq!(MediaTicks::from_micros(MediaTicks(ticks).micros()), MediaTicks(ticks));
        }
    }
}
