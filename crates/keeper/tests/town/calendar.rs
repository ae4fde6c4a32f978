//! An independent reading of K7's deadline: plain arithmetic on days, Paris by its two offsets and its next change.

/// The clocks of Paris change at these instants; before the first it is summer or winter as `SUMMER_BEFORE` says.
const CHANGES: [(i64, i64); 4] =
    [(1_774_746_000, 7_200), (1_792_890_000, 3_600), (1_806_195_600, 7_200), (1_824_944_400, 3_600)];

/// Seconds since 1970 at which an hour that starts at `start` must be gone: the earliest reading of all (K7).
pub fn deadline(start: i64, delay_days: i64) -> i64 {
    let mut readings = Vec::new();
    for paris in [false, true] {
        let local = start + if paris { offset(start) } else { 0 };
        for due in [local + delay_days * 86_400, local + 30 * 86_400, next_month(local)] {
            readings.push(if paris { instant(due) } else { due });
        }
    }
    readings.into_iter().min().unwrap().max(start)
}

fn offset(at: i64) -> i64 {
    CHANGES.iter().rev().find(|(change, _)| *change <= at).map_or(3_600, |(_, offset)| *offset)
}

/// The instant that Paris calls `local`: the earlier one where it is there twice or not at all.
fn instant(local: i64) -> i64 {
    let exists = |candidate: &i64| local - candidate == offset(*candidate);
    [local - 7_200, local - 3_600].into_iter().find(exists).unwrap_or(local - 7_200)
}

/// The same clock time on the same day of the next month, or on its last day.
fn next_month(local: i64) -> i64 {
    let (mut year, mut month, day) = civil(local.div_euclid(86_400));
    (year, month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    let last = (28..=31).rev().find(|last| civil(days(year, month, *last)).1 == month).unwrap();
    days(year, month, day.min(last)) * 86_400 + local.rem_euclid(86_400)
}

/// Days since 1970 of a date, by counting every year and month.
pub fn days(year: i64, month: i64, day: i64) -> i64 {
    let leap = |year: i64| (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let in_years: i64 = (1970..year).map(|year| 365 + i64::from(leap(year))).sum();
    let february = 28 + i64::from(leap(year));
    let lengths = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    in_years + lengths[..month as usize - 1].iter().sum::<i64>() + day - 1
}

fn civil(day: i64) -> (i64, i64, i64) {
    let year = (1970..).take_while(|year| days(*year, 1, 1) <= day).last().unwrap();
    let month = (1..=12).take_while(|month| days(year, *month, 1) <= day).last().unwrap();
    (year, month, day - days(year, month, 1) + 1)
}

#[test]
fn the_independent_calendar_knows_the_days_that_matter() {
    let at = |year, month, day, hour: i64| days(year, month, day) * 86_400 + hour * 3_600;
    assert_eq!(CHANGES[0].0, at(2026, 3, 29, 1));
    assert_eq!(CHANGES[1].0, at(2026, 10, 25, 1));
    assert_eq!(CHANGES[2].0, at(2027, 3, 28, 1));
    assert_eq!(CHANGES[3].0, at(2027, 10, 31, 1));
    assert_eq!(deadline(at(2027, 1, 31, 10), 30), at(2027, 2, 28, 10), "a month is shorter than thirty days");
    assert_eq!(deadline(at(2027, 3, 25, 10), 7), at(2027, 4, 1, 9), "Paris went forward: an hour earlier");
    assert_eq!(deadline(at(2026, 10, 20, 10), 7), at(2026, 10, 27, 10), "Paris went back: UTC is the earlier one");
    assert_eq!(deadline(at(2026, 10, 25, 0), 3), at(2026, 10, 28, 0));
}
