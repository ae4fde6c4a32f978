//! The papers that a town prints, as types, and [`print`]: JSON to the program `vigie-papers` that waits at a socket, a PDF back;
//! [`render`] has a program of its own for it.
//!
//! Typst is in that program alone (decision 0073): whoever fills a paper in builds without it.

pub mod access;
pub mod constat;
pub mod delivery;
pub mod destruction;
pub mod examples;
pub mod exports;
pub mod hold_end;
pub mod letter;
mod paper;
mod render;
pub mod report;
mod socket;
mod value;

pub use access::Access;
pub use constat::Constat;
pub use delivery::Delivery;
pub use destruction::Destruction;
pub use exports::Exports;
pub use hold_end::EndOfHold;
pub use letter::Letter;
pub use paper::{Article, FORMAT, Footage, Language, LogProof, Paper, Says, Town};
pub use render::{PapersError, RenderLimits, render};
pub use report::Report;
pub use socket::{Status, answer, print};
pub use value::{At, Sha256, ValueError};
