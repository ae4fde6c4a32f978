//! Decisions as values: what may be looked at, how long footage lives, which time is trusted. Pure: no clock, no I/O.

pub mod access;
pub mod acts;
pub mod calendar;
pub mod certificate;
pub mod clocks;
pub mod decide;
pub mod dossier;
pub mod explain;
pub mod glass;
pub mod golive;
pub mod holds;
pub mod law;
pub mod letter;
pub mod reason;
pub mod request;
pub mod required;
pub mod requisition;
pub mod retention;
pub mod technical;
pub mod territory;
pub mod time;

pub use decide::{Decision, Reason, Refusal, RuleId};
pub use explain::{Confidence, Language};
pub use glass::{BREAK_GLASS, Glass};
pub use law::{Law, LawError};
pub use request::{Action, CameraFacts, Controller, Paper, PersonFacts, Request, Role};
