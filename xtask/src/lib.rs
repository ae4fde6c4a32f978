//! Checks of the repository that a machine can make: layout, sizes, absences, documents, licences, duplicates.
//!
//! `cargo xtask tidy` and `cargo xtask deny` print findings, `cargo xtask mutants` plants bugs; `cargo test` runs both on the real tree, and each
//! check on small trees in memory that it must refuse, so that a check cannot pass by looking at nothing.

pub mod deny;
pub mod manifest;
pub mod mutants;
pub mod rust;
pub mod tidy;
pub mod tree;

pub use tree::{Finding, Tree};
