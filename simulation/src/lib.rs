//! A whole town in one process from one seed: recorder, vault, keeper, catalog, ledger, clock, disk, network and people who
//! mean harm. After every step all promises that can be checked are checked; the same seed gives the same life.

#[cfg(test)]
mod away;
mod checks;
mod disks;
mod fork;
mod people;
mod recording;
mod run;
mod steps;
mod street;
mod town;
mod truth;
mod wire;

#[path = "../../crates/keeper/tests/town/calendar.rs"]
mod calendar;
#[path = "../../crates/keeper/tests/keeper/support.rs"]
mod support;

pub use run::{Failure, Life, live};
