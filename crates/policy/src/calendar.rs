//! Dates as papers write them: days and months of the calendar in Europe/Paris.

use domain::UtcMicros;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{TimeZone, TimeZoneDatabase};
use jiff::{Span, Timestamp, Zoned};
use std::sync::OnceLock;

/// Paris from the data compiled in: no file of the machine is asked.
pub fn paris() -> &'static TimeZone {
    static PARIS: OnceLock<TimeZone> = OnceLock::new();
    PARIS.get_or_init(|| {
        let paris = TimeZoneDatabase::bundled().get("Europe/Paris");
        paris.expect("jiff's feature tzdb-bundle-always compiles Europe/Paris in")
    })
}

/// The instant that Paris calls this day at 0 h; `None` where there is no such day.
pub fn day(year: i16, month: i8, day: i8) -> Option<UtcMicros> {
    let given = Date::new(year, month, day).ok()?;
    local(given.to_datetime(Time::midnight()))
}

/// The instant that Paris calls so; the earlier one where the clocks are put back or forward.
pub fn local(at: DateTime) -> Option<UtcMicros> {
    let instant = paris().to_ambiguous_timestamp(at).earlier().ok()?;
    Some(UtcMicros(instant.as_microsecond()))
}

/// The first instant of a day written `2026-03-31`.
pub fn written_day(text: &str) -> Result<UtcMicros, String> {
    let date: Date = text.parse().map_err(|_| format!("`{text}` is no date: write it as `2026-03-31`"))?;
    local(date.to_datetime(Time::midnight())).ok_or_else(|| format!("`{text}` lies outside the calendar"))
}

/// Hour (0 to 23) and day of the week (1 Monday to 7); midnight of a Monday for an instant outside the calendar.
pub fn hour_and_weekday(at: UtcMicros) -> (i64, i64) {
    zoned(at).map_or((0, 1), |local| (i64::from(local.hour()), i64::from(local.weekday().to_monday_one_offset())))
}

/// An instant as a person writes it: `2026-03-12` (0 h in Paris), `2026-03-12T14:00` (Paris), or with `Z` or an offset.
pub fn read(text: &str) -> Option<UtcMicros> {
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Some(UtcMicros(instant.as_microsecond()));
    }
    local(text.parse::<DateTime>().ok()?)
}

/// The same clock time so many calendar months later (earlier: negative); the month's last day where there is no such day.
/// An instant outside the calendar stays as it is.
pub fn months_after(at: UtcMicros, months: i32) -> UtcMicros {
    after(at, Span::new().months(months))
}

/// The same clock time so many days later (earlier: negative).
pub fn days_after(at: UtcMicros, days: i32) -> UtcMicros {
    after(at, Span::new().days(days))
}

fn after(at: UtcMicros, span: Span) -> UtcMicros {
    let moved = zoned(at).and_then(|at| at.checked_add(span).ok());
    moved.map_or(at, |moved| UtcMicros(moved.timestamp().as_microsecond()))
}

fn zoned(at: UtcMicros) -> Option<Zoned> {
    Some(Timestamp::from_microsecond(at.0).ok()?.to_zoned(paris().clone()))
}

/// A day as people read it in French: `12/03/2026`, with the clock time where it is not 0 h.
pub fn day_fr(at: UtcMicros) -> String {
    written(at, "%d/%m/%Y", " à %H:%M")
}

/// The same in English: `2026-03-12`.
pub fn day_en(at: UtcMicros) -> String {
    written(at, "%Y-%m-%d", " %H:%M")
}

fn written(at: UtcMicros, day: &str, clock: &str) -> String {
    let Some(zoned) = zoned(at) else { return at.to_string() };
    let is_midnight = zoned.time() == Time::midnight();
    let format = if is_midnight { day.to_owned() } else { format!("{day}{clock}") };
    zoned.strftime(&format).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_in_paris_in_summer_and_in_winter() {
        assert_eq!(day(2026, 3, 12).unwrap().to_string(), "2026-03-11T23:00:00.000Z");
        assert_eq!(day(2026, 7, 1).unwrap().to_string(), "2026-06-30T22:00:00.000Z");
        assert_eq!(day(2026, 2, 29), None);
        assert_eq!(read("2026-03-12"), day(2026, 3, 12));
        for same in ["2026-03-12T14:00", "2026-03-12 14:00", "2026-03-12T13:00:00Z", "2026-03-12T14:00:00+01:00"] {
            assert_eq!(read(same), Some(UtcMicros::from_seconds(1_773_320_400)), "{same}");
        }
        assert_eq!((read("12/03/2026"), read("")), (None, None));
    }

    #[test]
    fn hour_and_day_of_the_week_are_those_of_paris() {
        let of = |text: &str| hour_and_weekday(read(text).unwrap());
        assert_eq!(
            (of("2026-03-12T14:30"), of("2026-03-12T23:30:00Z"), of("2026-03-15T09:00")),
            ((14, 4), (0, 5), (9, 7))
        );
        assert_eq!(hour_and_weekday(UtcMicros(i64::MAX)), (0, 1));
    }

    #[test]
    fn a_day_is_written_with_its_clock_time_unless_it_is_midnight_in_paris() {
        let (noon, midnight) = (read("2026-03-12T12:05").unwrap(), day(2026, 3, 12).unwrap());
        assert_eq!((day_fr(noon), day_en(noon)), ("12/03/2026 à 12:05".into(), "2026-03-12 12:05".into()));
        assert_eq!((day_fr(midnight), day_en(midnight)), ("12/03/2026".into(), "2026-03-12".into()));
        assert_eq!(written_day("2026-03-12"), Ok(midnight));
        assert!(written_day("12/03/2026").unwrap_err().contains("`12/03/2026`"));
    }

    #[test]
    fn months_are_those_of_the_calendar_and_a_day_that_is_missing_is_the_months_last() {
        let moved = |from: UtcMicros, months| day_en(months_after(from, months));
        assert_eq!(moved(day(2026, 3, 12).unwrap(), 60), "2031-03-12");
        assert_eq!(moved(day(2026, 10, 31).unwrap(), 4), "2027-02-28");
        assert_eq!(moved(day(2026, 3, 30).unwrap(), -1), "2026-02-28");
        assert_eq!(day_fr(days_after(day(2026, 3, 28).unwrap(), 2)), "30/03/2026");
        assert_eq!(months_after(UtcMicros(i64::MAX), 1), UtcMicros(i64::MAX));
    }
}
