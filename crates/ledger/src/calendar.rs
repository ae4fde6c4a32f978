//! Months name log keys; hours are written as people read them: `2026-03-12T14:00Z`.

use domain::{Hour, HourLength, UtcMicros, limit};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// A month of UTC, as the number yyyymm (202603 is March 2026): it names the log key of its entries (vault.md L2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Month(u32);

/// A number that names no month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{yyyymm} is no month: a year and a month as yyyymm expected, such as 202603")]
pub struct MonthError {
    pub yyyymm: u32,
}

impl Month {
    /// The month that holds `at`; times outside the years 1970 to 9999 count as the nearest of them.
    pub fn of(at: UtcMicros) -> Month {
        let (year, month) = year_and_month(at.seconds().div_euclid(86_400));
        match year {
            ..1970 => Month(197_001),
            1970..=9999 => Month((year * 100 + month) as u32),
            _ => Month(999_912),
        }
    }
    pub const fn yyyymm(self) -> u32 {
        self.0
    }
    /// Its first instant.
    pub fn start(self) -> UtcMicros {
        UtcMicros::from_seconds(days_of(i64::from(self.0 / 100), i64::from(self.0 % 100), 1) * 86_400)
    }
    /// The first instant after it.
    pub fn end(self) -> UtcMicros {
        self.start_after(1)
    }
    /// The first instant of the month that begins so many months after this one does.
    fn start_after(self, months: u32) -> UtcMicros {
        let count = i64::from(self.0 / 100) * 12 + i64::from(self.0 % 100) - 1 + i64::from(months);
        UtcMicros::from_seconds(days_of(count.div_euclid(12), count.rem_euclid(12) + 1, 1) * 86_400)
    }
    /// When the key of its details must die: so many months after its last instant, and in any case before its oldest entry
    /// is three years old (L2, CSI R253-5).
    pub fn details_end(self, retention_months: u32) -> UtcMicros {
        let agreed = self.start_after(1_u32.saturating_add(retention_months.min(limit::LOG_RETENTION_MONTHS_MAX)));
        agreed.min(self.details_cap().plus_seconds(-limit::LOG_KEY_DIES_BEFORE_CAP_SECONDS))
    }
    /// From here on the law finds its oldest entry too old (CSI R253-5).
    pub fn details_cap(self) -> UtcMicros {
        self.start_after(limit::LOG_RETENTION_MONTHS_MAX)
    }
    /// Before this no town may take the details of a month away (L2).
    pub fn details_kept_until(self) -> UtcMicros {
        self.start_after(1 + limit::LOG_RETENTION_MONTHS_MIN)
    }
    pub const fn from_yyyymm(yyyymm: u32) -> Result<Month, MonthError> {
        match (yyyymm / 100, yyyymm % 100) {
            (1970..=9999, 1..=12) => Ok(Month(yyyymm)),
            _ => Err(MonthError { yyyymm }),
        }
    }
}

impl TryFrom<u32> for Month {
    type Error = MonthError;
    fn try_from(yyyymm: u32) -> Result<Month, MonthError> {
        Month::from_yyyymm(yyyymm)
    }
}

impl From<Month> for u32 {
    fn from(month: Month) -> u32 {
        month.0
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0 / 100, self.0 % 100)
    }
}

impl fmt::Debug for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Serde for an hour as text: `2026-03-12T14:00Z`, with `+600s` behind it for the short hours of simulators.
pub mod hour_text {
    use super::*;

    pub fn serialize<S: Serializer>(hour: &Hour, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(hour)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Hour, D::Error> {
        let text = String::deserialize(deserializer)?;
        read_hour(&text).ok_or_else(|| {
            serde::de::Error::custom(format_args!("`{}` is no hour: such as `2026-03-12T14:00Z`", text.escape_debug()))
        })
    }
}

/// Reads what `Hour` displays, and nothing else.
fn read_hour(text: &str) -> Option<Hour> {
    let (clock, length) = match text.strip_suffix("+600s") {
        Some(clock) => (clock, HourLength::SIMULATED),
        None => (text, HourLength::PRODUCT),
    };
    let (date, time) = clock.strip_suffix('Z')?.split_once('T')?;
    let (year, month_and_day) = date.split_once('-')?;
    let (month, day) = month_and_day.split_once('-')?;
    let (hour, minute) = time.split_once(':')?;
    let number = |text: &str| text.parse::<u16>().ok().map(i64::from);
    let days = days_of(number(year)?, number(month)?, number(day)?);
    let hour = Hour::starting(days * 86_400 + number(hour)? * 3_600 + number(minute)? * 60, length)?;
    (hour.to_string() == text).then_some(hour)
}

/// Days since 1970-01-01 of a date of the proleptic Gregorian calendar.
fn days_of(year: i64, month: i64, day: i64) -> i64 {
    // the year is taken to begin in March, so that the leap day is its last
    let year = if month <= 2 { year - 1 } else { year };
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year - 719_468
}

/// The year and the month (1 to 12) of a day counted from 1970-01-01.
fn year_and_month(days: i64) -> (i64, i64) {
    // 146,097 days are 400 years: the guess is at most one year wrong
    let guess = 1970 + days * 400 / 146_097;
    let year = (guess - 1..=guess + 1).rev().find(|year| days_of(*year, 1, 1) <= days).unwrap_or(guess - 1);
    let month = (1..=12).rev().find(|month| days_of(year, *month, 1) <= days).unwrap_or(1);
    (year, month)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_month_begins_with_its_first_instant() {
        let first_of_march_2024 = UtcMicros::from_seconds(1_709_251_200);
        assert_eq!(Month::of(first_of_march_2024).yyyymm(), 202_403);
        assert_eq!(Month::of(first_of_march_2024.plus_micros(-1)).yyyymm(), 202_402);
        assert_eq!(Month::of(UtcMicros(-1)).yyyymm(), 197_001);
    }

    #[test]
    fn details_end_after_the_retention_and_before_their_oldest_is_three_years_old() {
        let month = Month::from_yyyymm(202_602).unwrap();
        let day = |text: &str| read_hour(&format!("{text}T00:00Z")).unwrap().start();
        assert_eq!((month.start(), month.end()), (day("2026-02-01"), day("2026-03-01")));
        assert_eq!(month.details_end(12), day("2027-03-01"));
        assert_eq!(month.details_end(34), day("2029-01-01"));
        for months in [35, 36, 37, u32::MAX] {
            assert_eq!(month.details_end(months), day("2029-01-31"), "{months}");
        }
        assert_eq!((month.details_cap(), month.details_kept_until()), (day("2029-02-01"), day("2027-03-01")));
    }

    #[test]
    fn a_number_that_names_no_month_is_refused() {
        for yyyymm in [0, 202_600, 202_613, 12, 1_000_001] {
            assert!(Month::from_yyyymm(yyyymm).is_err(), "{yyyymm}");
        }
    }

    #[test]
    fn a_text_that_is_no_hour_is_refused() {
        for text in ["", "2026-03-12T14:30Z", "2026-3-12T14:00Z", "2026-02-30T14:00Z", "2026-03-12T24:00Z", "é"] {
            assert_eq!(read_hour(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn an_hour_reads_back_as_written(at in 0i64..200_000_000_000_000_000) {
            for length in [HourLength::PRODUCT, HourLength::SIMULATED] {
                let hour = length.hour_of(UtcMicros(at));
                prop_assert_eq!(read_hour(&hour.to_string()), Some(hour));
            }
        }

        #[test]
        fn the_month_is_the_one_that_iso_8601_shows(at in 0i64..200_000_000_000_000_000) {
            let at = UtcMicros(at);
            prop_assert_eq!(Month::of(at).to_string(), at.to_string()[..7].to_owned());
        }
    }
}
