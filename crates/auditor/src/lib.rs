//! The independent auditor of destruction (decision 0053): its own process, its own arithmetic, no key, no handle that writes but
//! to its own verdict.
//!
//! `calendar` reckons when an hour must be gone, without the policy's code or its library; `eyes` read what lies open: the headers of
//! reels, the log's checkpoint; `judge` holds both and the keeper's word against a clock of its own; `verdict` is the small file
//! that `vigie status` and the health page read, also when the keeper hangs; `role` does this each minute.

pub mod calendar;
pub mod eyes;
pub mod judge;
pub mod role;
pub mod verdict;
mod words;

pub use role::{AuditorParts, AuditorRole, KeeperWord};
pub use verdict::{Verdict, findings};
