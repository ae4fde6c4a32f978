//! The recorder: cameras in, sealed reels out, live frames to whoever may watch. Meets hostile input; holds data keys of at
//! most three hours (P6).
//!
//! `ingest` receives (one thread for all cameras), `writer` makes durable, `clerk` and `errands` speak with the keeper, `service` answers
//! the web role, `role` puts them together. Opening a chunk is not among what this crate can do.

pub mod buffers;
pub mod camera;
pub mod chunker;
pub mod clerk;
mod clocks;
pub mod duties;
mod errands;
pub mod fingerprint;
pub mod gaps;
pub mod health;
pub mod holds;
pub mod ingest;
pub mod lane;
pub mod mend;
pub mod report;
pub mod role;
pub mod roots;
mod scrub;
pub mod service;
pub mod source;
mod space;
pub mod writer;

pub use holds::ReservePlace;
pub use role::{RecorderError, RecorderParts, run};
