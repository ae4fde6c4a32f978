//! `vigie-simulated`: the same program with hours of 600 s and a clock that a test moves (R16). Never installed in a town.

mod later;

use domain::HourLength;
use simulator::clock::ShiftedClock;
use std::{process::ExitCode, sync::Arc};
use vigie::Build;

/// A day of delay lasts four short hours.
const SECONDS_PER_DAY: i64 = 2_400;

fn main() -> ExitCode {
    let clock_file = std::env::var_os("VIGIE_SIMULATED_CLOCK").unwrap_or_else(|| "/nonexistent".into());
    let build = Build {
        name: "vigie-simulated",
        hour_length: HourLength::SIMULATED,
        seconds_per_day: Some(SECONDS_PER_DAY),
        clock: Arc::new(ShiftedClock::over_system(clock_file)),
        variables: &["VIGIE_SIMULATED_CLOCK"],
        ..Build::product()
    };
    vigie::main(&later::of_this_file(build))
}
