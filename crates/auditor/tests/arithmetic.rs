//! Two reckonings of one deadline (K7) that share no line of code agree: the auditor's and the policy's.

use domain::{HourLength, UtcMicros};

#[test]
fn the_auditors_arithmetic_and_the_policys_agree_on_every_hour_of_ten_years() {
    const BEGIN: i64 = 1_767_225_600; // 2026-01-01
    const HOURS: i64 = 10 * 365 * 24;
    // every hour of the days around each change of the clocks and each month's end, and every seventh of the others
    let is_near = |day: i64| (BEGIN / 86_400 + day) % 7 == 3 || day % 30 < 3;
    let hours = (0..HOURS).filter(|hour| hour % 7 == 0 || is_near(hour / 24));
    let mut compared = 0;
    for hour in hours {
        let hour = HourLength::PRODUCT.hour_of(UtcMicros::from_seconds(BEGIN + hour * 3_600));
        for days in [1, 3, 7, 29, 30] {
            let policy = policy::retention::deadline(hour, days).seconds();
            assert_eq!(auditor::calendar::deadline(hour.start_seconds(), days), policy, "{hour}, {days} days");
            compared += 1;
        }
    }
    assert!(compared > 100_000, "{compared}");
}

#[test]
fn they_agree_on_every_delay_in_the_weeks_before_the_clocks_change() {
    for begin in [1_774_746_000, 1_792_890_000, 1_806_195_600, 1_824_944_400] {
        for back in 0..32 * 24 {
            let hour = HourLength::PRODUCT.hour_of(UtcMicros::from_seconds(begin - back * 3_600));
            for days in 0..=31 {
                let policy = policy::retention::deadline(hour, days).seconds();
                assert_eq!(auditor::calendar::deadline(hour.start_seconds(), days), policy, "{hour}, {days} days");
            }
        }
    }
}
