//! Deadlines against tables worked out by hand and against a second calendar made from the EU's summer-time rule.

use domain::{Hour, HourLength, UtcMicros, limit};
use policy::retention::{closes_at, deadline};
use proptest::prelude::*;

const DAY_S: i64 = 86_400;

#[test]
fn the_earliest_reading_binds() {
    let table = [
        // (hour's first instant UTC, authorised days, deadline UTC)
        // An ordinary month of 31 days: 30 days come before the month.
        ("2026-07-10T08:00", 30, "2026-08-09T08:00"),
        ("2026-07-10T08:00", 6, "2026-07-16T08:00"),
        // More than the law allows counts as the law's.
        ("2026-07-10T08:00", 365, "2026-08-09T08:00"),
        // 29 to 31 January: the month ends on 28 February, before 30 days are over.
        ("2026-01-28T08:00", 30, "2026-02-27T08:00"),
        ("2026-01-29T08:00", 30, "2026-02-28T08:00"),
        ("2026-01-30T08:00", 30, "2026-02-28T08:00"),
        ("2026-01-31T08:00", 30, "2026-02-28T08:00"),
        // In a leap year 29 February exists.
        ("2024-01-29T08:00", 30, "2024-02-28T08:00"),
        ("2024-01-30T08:00", 30, "2024-02-29T08:00"),
        ("2024-01-31T08:00", 30, "2024-02-29T08:00"),
        // February: the same day of March comes after 28 or 29 days.
        ("2026-02-10T08:00", 30, "2026-03-10T08:00"),
        ("2024-02-10T08:00", 30, "2024-03-10T08:00"),
        ("2026-02-10T08:00", 28, "2026-03-10T08:00"),
        ("2026-02-10T08:00", 27, "2026-03-09T08:00"),
        // 23:30 UTC of 30 January is already the 31st in Paris: there the month is over a day earlier.
        ("2026-01-30T23:00", 30, "2026-02-27T23:00"),
        // 31 January in UTC, 1 February in Paris.
        ("2026-01-31T23:00", 30, "2026-02-28T23:00"),
        // Summer time begins on 29 March 2026: a day of Paris has 23 hours, so Paris is earlier.
        ("2026-03-20T08:00", 10, "2026-03-30T07:00"),
        ("2026-03-20T08:00", 30, "2026-04-19T07:00"),
        // It ends on 25 October 2026: a day of Paris has 25 hours, so UTC is earlier.
        ("2026-10-20T08:00", 10, "2026-10-30T08:00"),
        // 02:00 in Paris does not exist on 29 March: the earlier instant, 01:00 CET.
        ("2026-03-27T01:00", 2, "2026-03-29T00:00"),
        // 02:00 in Paris exists twice on 25 October: the first, 02:00 CEST, which is also the UTC reading's day.
        ("2026-10-23T00:00", 2, "2026-10-25T00:00"),
        // No authorised day: nothing may be kept, even in the hour that Paris repeats.
        ("2026-10-25T01:00", 0, "2026-10-25T01:00"),
    ];
    for (start, days, due) in table {
        assert_eq!(deadline(hour(start), days), utc(due), "{start} + {days} days");
    }
}

#[test]
fn a_simulated_hour_of_600_seconds_has_its_own_deadline() {
    let start = utc("2026-03-20T08:10").seconds();
    let hour = Hour::starting(start, HourLength::SIMULATED).expect("a multiple of 600 s");
    assert_eq!(deadline(hour, 1), utc("2026-03-21T08:10"));
}

#[test]
fn footage_closes_ten_minutes_before_its_deadline() {
    assert_eq!(closes_at(utc("2026-02-28T08:00")), utc("2026-02-28T07:50"));
}

#[test]
fn an_hour_outside_the_calendar_is_due_at_its_start() {
    let hour = Hour::starting(3_600 * 100_000_000, HourLength::PRODUCT).expect("a multiple of 3,600 s");
    assert_eq!(deadline(hour, 30), hour.start());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    /// Years 1997 to 2099, in which summer time runs from the last Sunday of March to that of October, 01:00 UTC.
    #[test]
    fn both_calendars_agree_with_a_second_implementation(unit in 1_420_000i64..6_800_000, days in 0u32..40) {
        for length in [HourLength::PRODUCT, HourLength::SIMULATED] {
            let hour = length.hour_of(UtcMicros::from_seconds(unit * 600));
            prop_assert_eq!(deadline(hour, days), second_opinion(hour.start_seconds(), days), "{} + {}", hour, days);
        }
    }

    #[test]
    fn nothing_lives_beyond_thirty_days_nor_beyond_its_order(hour_no in 0i64..1_500_000, days in 0u32..400) {
        let hour = Hour::starting(hour_no * 3_600, HourLength::PRODUCT).expect("a multiple of 3,600 s");
        let lived_s = deadline(hour, days).since(hour.start()) / 1_000_000;
        prop_assert!(lived_s >= 0);
        prop_assert!(lived_s <= i64::from(limit::RETENTION_DAYS_MAX) * DAY_S);
        prop_assert!(lived_s <= i64::from(days) * DAY_S);
    }

    #[test]
    fn a_longer_order_never_shortens(hour_no in 0i64..1_500_000, days in 0u32..60) {
        let hour = Hour::starting(hour_no * 3_600, HourLength::PRODUCT).expect("a multiple of 3,600 s");
        prop_assert!(deadline(hour, days) <= deadline(hour, days + 1));
    }
}

/// The rule of K7 written a second time, on day counts and the EU's summer time (directive 2000/84/EC).
fn second_opinion(start_s: i64, authorised_days: u32) -> UtcMicros {
    let delay_days = i64::from(authorised_days.min(30));
    let mut earliest = i64::MAX;
    for paris in [false, true] {
        let offset_s = if paris { paris_offset_s(start_s) } else { 0 };
        let local_s = start_s + offset_s;
        for due_local_s in [local_s + delay_days * DAY_S, local_s + 30 * DAY_S, next_month_s(local_s)] {
            // The earlier instant: read with the larger offset wherever that reading or the other holds.
            let winter = due_local_s - 3_600;
            let summer = due_local_s - 7_200;
            let due = match (paris, paris_offset_s(winter) == 3_600, paris_offset_s(summer) == 7_200) {
                (false, ..) => due_local_s,
                (true, true, false) => winter,
                (true, _, true) => summer,
                (true, false, false) => summer, // a local time that does not exist
            };
            earliest = earliest.min(due);
        }
    }
    UtcMicros::from_seconds(earliest.max(start_s))
}

fn paris_offset_s(at_s: i64) -> i64 {
    let (year, ..) = civil(at_s.div_euclid(DAY_S));
    let change_s = |month| last_sunday(year, month) * DAY_S + 3_600;
    if (change_s(3)..change_s(10)).contains(&at_s) { 7_200 } else { 3_600 }
}

fn next_month_s(local_s: i64) -> i64 {
    let (year, month, day) = civil(local_s.div_euclid(DAY_S));
    let (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    days(year, month, day.min(month_days(year, month))) * DAY_S + local_s.rem_euclid(DAY_S)
}

fn last_sunday(year: i64, month: i64) -> i64 {
    let last = days(year, month, 31);
    last - (last + 4).rem_euclid(7) // day 0, 1 January 1970, was a Thursday
}

fn month_days(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970, counted month by month: slow, and nothing in common with the implementation.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let years: i64 = (1970..year).map(|y| 337 + month_days(y, 2)).sum();
    years + (1..month).map(|m| month_days(year, m)).sum::<i64>() + day - 1
}

fn civil(mut rest: i64) -> (i64, i64, i64) {
    let mut year = 1970;
    while rest >= 337 + month_days(year, 2) {
        rest -= 337 + month_days(year, 2);
        year += 1;
    }
    let mut month = 1;
    while rest >= month_days(year, month) {
        rest -= month_days(year, month);
        month += 1;
    }
    (year, month, rest + 1)
}

/// `2026-03-29T01:00` in UTC.
fn utc(text: &str) -> UtcMicros {
    let number = |range: std::ops::Range<usize>| text[range].parse::<i64>().expect("digits");
    let date_s = days(number(0..4), number(5..7), number(8..10)) * DAY_S;
    UtcMicros::from_seconds(date_s + number(11..13) * 3_600 + number(14..16) * 60)
}

fn hour(text: &str) -> Hour {
    Hour::starting(utc(text).seconds(), HourLength::PRODUCT).expect("a full hour")
}
