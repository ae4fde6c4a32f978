//! When an hour must be gone (K7), reckoned anew: plain arithmetic on days, Paris by the rule of Directive 2000/84/EC. Nothing is
//! shared with `policy::retention` or its library, so that one mistake is not made twice.

const DAY: i64 = 86_400;
const HOUR: i64 = 3_600;
/// CSI L252-5, in days (law RET-03).
const DAYS_MAX: i64 = 30;

/// Seconds since 1970 at which an hour that starts at `start` must be gone: the earliest of its start and the authorised delay,
/// thirty days, and the same clock time on the same day of the next month, read in UTC and on the clocks of Paris.
pub fn deadline(start: i64, delay_days: u32) -> i64 {
    let delay = i64::from(delay_days).min(DAYS_MAX);
    let (utc, paris) = (start, start + offset(start));
    let readings = [
        utc + delay * DAY,
        same_day_of_next_month(utc),
        instant(paris + delay * DAY),
        instant(paris + DAYS_MAX * DAY),
        instant(same_day_of_next_month(paris)),
    ];
    readings.into_iter().fold(utc + DAYS_MAX * DAY, i64::min).max(start)
}

/// By how much the clocks of Paris are ahead of UTC.
fn offset(at: i64) -> i64 {
    let (year, _, _) = date(at.div_euclid(DAY));
    // summer time begins and ends at 01:00 UTC on the last Sundays of March and October
    let (begins, ends) = (last_sunday(year, 3) * DAY + HOUR, last_sunday(year, 10) * DAY + HOUR);
    if begins <= at && at < ends { 2 * HOUR } else { HOUR }
}

/// The instant that Paris calls `local`; the earlier one where the clocks go back, and where they go forward over it the one before
/// they do by as much as it lies behind.
fn instant(local: i64) -> i64 {
    let (summer, winter) = (local - 2 * HOUR, local - HOUR);
    if offset(summer) == 2 * HOUR || offset(winter) != HOUR { summer } else { winter }
}

/// Days since 1970 of a month's last Sunday. Day 0 was a Thursday.
fn last_sunday(year: i64, month: i64) -> i64 {
    let last = days(year, month, length(year, month));
    last - (last + 4).rem_euclid(7)
}

/// The same clock time a month later; on the month's last day where it has no such day.
fn same_day_of_next_month(local: i64) -> i64 {
    let (year, month, day) = date(local.div_euclid(DAY));
    let (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    days(year, month, day.min(length(year, month))) * DAY + local.rem_euclid(DAY)
}

const fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

const fn length(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days before a year, since 1970.
const fn days_before(year: i64) -> i64 {
    let before = year - 1;
    let leaps = before.div_euclid(4) - before.div_euclid(100) + before.div_euclid(400);
    (year - 1970) * 365 + leaps - 477 // the leap days up to 1970
}

fn days(year: i64, month: i64, day: i64) -> i64 {
    days_before(year) + (1..month).map(|month| length(year, month)).sum::<i64>() + day - 1
}

fn date(day: i64) -> (i64, i64, i64) {
    let guess = 1970 + day.div_euclid(366);
    let year = (guess..).take_while(|year| days_before(*year) <= day).last().unwrap_or(guess);
    let mut rest = day - days_before(year);
    let mut month = 1;
    while length(year, month) <= rest {
        rest -= length(year, month);
        month += 1;
    }
    (year, month, rest + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(year: i64, month: i64, day: i64, hour: i64) -> i64 {
        days(year, month, day) * DAY + hour * HOUR
    }

    #[test]
    fn dates_are_counted_as_the_calendar_counts_them() {
        assert_eq!(days(1970, 1, 1), 0);
        assert_eq!(at(2026, 1, 1, 0), 1_767_225_600);
        assert_eq!(days(2028, 3, 1) - days(2028, 2, 28), 2, "a leap year");
        for day in days(2024, 1, 1)..days(2045, 1, 1) {
            let (year, month, of_month) = date(day);
            assert_eq!(days(year, month, of_month), day);
        }
        assert_eq!(date(days(2100, 12, 31)), (2100, 12, 31));
        assert_eq!([1999, 2000, 2024, 2100, 2400].map(is_leap), [false, true, true, false, true]);
        assert_eq!(days(2000, 3, 1) - days(2000, 2, 28), 2, "every fourth century has its leap day");
    }

    #[test]
    fn the_clocks_of_paris_change_on_the_days_that_are_published() {
        let changes = [
            (at(2026, 3, 29, 1), 7_200),
            (at(2026, 10, 25, 1), 3_600),
            (at(2027, 3, 28, 1), 7_200),
            (at(2027, 10, 31, 1), 3_600),
        ];
        for (change, offset_after) in changes {
            assert_eq!((offset(change - 1), offset(change)), (10_800 - offset_after, offset_after));
        }
    }

    #[test]
    fn the_earliest_reading_binds_on_the_days_that_matter() {
        assert_eq!(deadline(at(2027, 1, 31, 10), 30), at(2027, 2, 28, 10), "a month is shorter than thirty days");
        assert_eq!(deadline(at(2027, 3, 25, 10), 7), at(2027, 4, 1, 9), "Paris went forward: an hour earlier");
        assert_eq!(deadline(at(2026, 10, 20, 10), 7), at(2026, 10, 27, 10), "Paris went back: UTC is the earlier one");
        assert_eq!(deadline(at(2026, 10, 25, 0), 3), at(2026, 10, 28, 0));
        assert_eq!(deadline(at(2026, 6, 1, 0), 90), at(2026, 7, 1, 0), "no delay is longer than thirty days");
        assert_eq!(deadline(at(2026, 6, 1, 0), 0), at(2026, 6, 1, 0));
    }
}
