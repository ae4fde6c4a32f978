//! The town's calendar: days of Europe/Paris, in which dates of texts and of acts are read.

use domain::UtcMicros;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use std::sync::OnceLock;

/// Europe/Paris from the data compiled in: no file of the machine is asked.
pub(crate) fn paris() -> &'static TimeZone {
    static PARIS: OnceLock<TimeZone> = OnceLock::new();
    PARIS.get_or_init(|| {
        let paris = TimeZoneDatabase::bundled().get("Europe/Paris");
        paris.expect("jiff's feature tzdb-bundle-always compiles Europe/Paris in")
    })
}

/// The first instant of a day written `2026-03-31`, in Paris.
pub fn day(text: &str) -> Result<UtcMicros, String> {
    let date: Date = text.parse().map_err(|_| format!("`{text}` is no date: write it as `2026-03-31`"))?;
    let start = date.to_zoned(paris().clone()).map_err(|_| format!("`{text}` lies outside the calendar"))?;
    Ok(UtcMicros(start.timestamp().as_microsecond()))
}

/// Hour (0 to 23) and day of the week (1 Monday to 7) in Paris; midnight of a Monday for an instant outside the calendar.
pub fn hour_and_weekday(at: UtcMicros) -> (i64, i64) {
    let Ok(instant) = Timestamp::from_microsecond(at.0) else { return (0, 1) };
    let local = paris().to_datetime(instant);
    (i64::from(local.hour()), i64::from(local.date().weekday().to_monday_one_offset()))
}
