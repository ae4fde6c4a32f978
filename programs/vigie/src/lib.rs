//! The program's wiring: command line, configuration, three roles in three processes (P1).
//!
//! A library, so that simulations can build the same program around another clock and shorter hours (R16) without a switch
//! for it in the product.

mod cli;
mod config;
pub mod confinement;
mod formats;
mod french;
mod handover;
mod hardening;
mod lines;
mod network_disk;
mod roles;
mod site;
mod token;
mod witnessed;
mod world;

pub use catalog::StepToCome;
pub use config::{Config, ConfigError, page as configuration_page};
pub use world::{SystemClock, SystemRandom};

use domain::{Clock, HourLength};
use std::{path::PathBuf, process::ExitCode, sync::Arc};

/// What makes the product the product, and a simulation a simulation.
#[derive(Clone)]
pub struct Build {
    /// The name of the program as it is called.
    pub name: &'static str,
    pub version: &'static str,
    pub hour_length: HourLength,
    /// In simulations a day of delay lasts this many seconds.
    pub seconds_per_day: Option<i64>,
    pub clock: Arc<dyn Clock>,
    /// Variables `VIGIE_…` of this program that are no settings.
    pub variables: &'static [&'static str],
    /// Steps of the registry beyond this source's own, in tests of upgrades: the program of a later version (decision 0060).
    pub to_come: &'static [StepToCome],
    /// What every role of this program may read beside its own; nothing in the product.
    pub files: Vec<PathBuf>,
}

impl Build {
    /// The product: hours of 3,600 s, delays in days, the machine's clock.
    pub fn product() -> Build {
        Build {
            name: "vigie",
            version: env!("CARGO_PKG_VERSION"),
            hour_length: HourLength::PRODUCT,
            seconds_per_day: None,
            clock: Arc::new(SystemClock::new()),
            variables: &[],
            to_come: &[],
            files: Vec::new(),
        }
    }
}

/// Runs the command line.
pub fn main(build: &Build) -> ExitCode {
    cli::run(build)
}
