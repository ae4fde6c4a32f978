//! A witness after C2SP tlog-witness: it keeps one small record per log, cosigns a checkpoint that continues it, refuses every
//! other, and keeps the proof.
//!
//! A library, so that a simulated town can have witnesses of its own; the program is a thin main over it.

mod book;
mod cli;
mod key;
mod server;
mod words;

pub use book::{Answer, Book, BookError, Evidence, Watched};
pub use cli::main;
pub use server::{router, serve};
