//! How long held footage waits for who requires it (law RET-06): what the town set, and never longer than the law pack says.

use domain::limit::HOLD_DAYS_MAX;

/// Of the pack's facts; a pack without it leaves the program's own bound.
pub const DAYS_FACT: &str = "hold-days-uncollected-max";

/// Days, of what the town set and the pack's cap where it has one. A pack shortens the wait and never makes it longer than the program's
/// own bound: the rule behind it is not certain (U), so it may forbid and never allow.
pub fn wait_days(set: i64, cap: Option<i64>) -> i64 {
    set.min(cap.unwrap_or(HOLD_DAYS_MAX)).clamp(1, HOLD_DAYS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pack_shortens_the_wait_for_who_requires_and_never_prolongs_it() {
        let waits = [(15, None), (15, Some(30)), (30, Some(10)), (90, Some(365)), (90, None), (0, Some(0))];
        assert_eq!(waits.map(|(set, cap)| wait_days(set, cap)), [15, 15, 10, 30, 30, 1]);
    }
}
