//! How many pictures a second are kept of a camera, by their own times: what the arrêté of 3 August 2007 asks about.

use domain::{
    UtcMicros,
    limit::{RATE_MEASURED_SECONDS_MAX, RATE_MEASURED_SECONDS_MIN},
};

/// A measurement within one session.
#[derive(Default)]
pub(super) struct Kept(Option<Measurement>);

struct Measurement {
    first: UtcMicros,
    last: UtcMicros,
    /// After the first.
    count: u64,
}

impl Kept {
    /// Counts a picture. The rate in pictures a thousand seconds, once it was measured for long enough.
    pub fn take(&mut self, utc: UtcMicros) -> Option<u32> {
        let measured = match &mut self.0 {
            None => {
                self.0 = Some(Measurement { first: utc, last: utc, count: 0 });
                return None;
            }
            Some(measured) => measured,
        };
        // with B pictures an earlier one may follow
        (measured.last, measured.count) = (measured.last.max(utc), measured.count + 1);
        let micros = measured.last.since(measured.first);
        if micros < RATE_MEASURED_SECONDS_MIN * 1_000_000 {
            return None;
        }
        let rate = u128::from(measured.count) * 1_000_000_000 / u128::from(micros.unsigned_abs());
        if RATE_MEASURED_SECONDS_MAX * 1_000_000 <= micros {
            self.0 = Some(Measurement { first: measured.last, last: measured.last, count: 0 });
        }
        Some(u32::try_from(rate).unwrap_or(u32::MAX))
    }
}
