//! How long footage lives: the deadline of an hour, read in every way the law can be read, the earliest of which binds.
//!
//! CSI art. L252-5 and R253-4 say "un mois" and the prefect's order says a number of days. A month and a day are
//! calendar words: they depend on the place where the calendar hangs. Vigie reads each limit in UTC *and* in
//! Europe/Paris and obeys the earliest (K7), so no reading of the law finds footage that is too old.

use crate::calendar::paris;
use domain::{Hour, UtcMicros, limit};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use std::sync::OnceLock;

/// The instant at which nothing of `hour` may exist any more (K7, CSI L252-5 and R253-4).
///
/// It is the earliest, read both in UTC and in Europe/Paris, of the hour's first instant + `authorised_days`, + 30
/// days, and the same clock time on the same day of the next month (the month's last day where there is no such day). A
/// local time that exists twice, or not at all, is read as the earlier instant. More than 30 authorised days count as
/// 30; 0 days, and an hour outside the calendar's years −9999 to 9999, are due at the hour's start.
pub fn deadline(hour: Hour, authorised_days: u32) -> UtcMicros {
    let start = hour.start();
    let Ok(instant) = Timestamp::from_second(hour.start_seconds()) else { return start };
    let limits = [
        Span::new().days(authorised_days.min(limit::RETENTION_DAYS_MAX)),
        Span::new().days(limit::RETENTION_DAYS_MAX),
        Span::new().months(1),
    ];
    let mut earliest: Option<UtcMicros> = None;
    for zone in zones() {
        let local = zone.to_datetime(instant);
        for span in limits {
            let Some(reading) = read(zone, local, span) else { return start };
            earliest = Some(earliest.map_or(reading, |known| known.min(reading)));
        }
    }
    // Only a delay of 0 days, in the hour that the clocks repeat, would read as before the start.
    earliest.map_or(start, |reading| reading.max(start))
}

/// From this instant nothing opens, whether or not its key still exists, and destruction begins (K8).
pub const fn closes_at(deadline: UtcMicros) -> UtcMicros {
    deadline.plus_seconds(-limit::CLOSED_BEFORE_DEADLINE_SECONDS)
}

/// The calendars in which a deadline is read.
fn zones() -> &'static [TimeZone; 2] {
    static ZONES: OnceLock<[TimeZone; 2]> = OnceLock::new();
    ZONES.get_or_init(|| [TimeZone::UTC, paris().clone()])
}

/// The instant that `zone` calls `local` + `span`; the earlier one where the clocks are put back or forward.
fn read(zone: &TimeZone, local: DateTime, span: Span) -> Option<UtcMicros> {
    let due = zone.to_ambiguous_timestamp(local.checked_add(span).ok()?).earlier().ok()?;
    Some(UtcMicros(due.as_microsecond()))
}
