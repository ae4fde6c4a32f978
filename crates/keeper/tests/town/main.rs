//! A whole town under one simulated clock: keeper, vault, catalog and ledger, with what an attacker may have kept of them.

mod calendar;
mod clocks;
mod seventy_five_days;
#[path = "../keeper/support.rs"]
mod support;
mod town;
mod union;
