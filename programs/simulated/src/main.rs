//! `vigie-simulated`: the same program with hours of 600 s and a clock that a test moves (R16). Never installed in a town.

mod later;

use domain::HourLength;
use simulator::clock::ShiftedClock;
use std::{process::ExitCode, sync::Arc};
use vigie::Build;

/// A file or folder that a confined role may read, for libraries that a test puts into it.
const READABLE: &str = "VIGIE_SIMULATED_READABLE";
/// A day of delay lasts four short hours, unless this says how many seconds.
const SECONDS_PER_DAY: i64 = 2_400;
const DAY: &str = "VIGIE_SIMULATED_DAY";

fn main() -> ExitCode {
    let clock_file = std::env::var_os("VIGIE_SIMULATED_CLOCK").unwrap_or_else(|| "/nonexistent".into());
    let seconds_per_day = std::env::var(DAY).ok().and_then(|text| text.parse().ok());
    let build = Build {
        name: "vigie-simulated",
        hour_length: HourLength::SIMULATED,
        seconds_per_day: Some(seconds_per_day.unwrap_or(SECONDS_PER_DAY)),
        files: [clock_file.clone()].into_iter().chain(std::env::var_os(READABLE)).map(Into::into).collect(),
        clock: Arc::new(ShiftedClock::over_system(clock_file)),
        variables: &["VIGIE_SIMULATED_CLOCK", READABLE, DAY],
        ..Build::product()
    };
    vigie::main(&later::of_this_file(build))
}
