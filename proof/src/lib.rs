//! The law pack before an SMT solver: what `crates/policy/tests/attack.rs` asks of generated requests, for all requests of the schema.
//!
//! A town's file only permits, and `permit (principal, action, resource);` permits all that any town's file does, break-glass
//! included. So a claim about that file is one about every town: nothing that it says can be opened while the law's
//! prohibitions stand. [`claims`] are what a person wrote down, [`prover`] asks the solver.

#[path = "../../crates/policy/tests/table/mod.rs"]
mod table;

pub mod claims;
pub mod prover;

pub use table::{ROWS, Row};
