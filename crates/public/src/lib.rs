//! The role *public*: the log as outsiders see it, the witnesses that hold it to what it said, and the page of one-time links. No key,
//! no catalog, no package.
//!
//! It reads the public files that the keeper's journal writes each minute, asks every configured witness for each new
//! checkpoint, and keeps a mirror that gets the log once an hour, on a fixed clock, so that nobody who polls it learns when
//! somebody looked (vault.md L4). Only the mirror is served, and what web sends on a line after a stranger
//! brought a link and its code.

mod client;
mod door;
mod folder;
mod links;
mod mirror;
mod role;
mod server;
mod state;

pub use client::{HttpAnswer, Post, ask, https_agent};
pub use folder::LogFolder;
pub use links::{Lines, WHOLE};
pub use mirror::{Mirror, MirrorError};
pub use role::{PublicParts, PublicRole};
pub use server::{router, serve};
pub use state::{LogTrouble, PublicState, WitnessState, WitnessTrouble};
