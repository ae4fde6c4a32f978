//! The keeper: keyring, gate and ledger in one process that has no network (P1). The only user of crate `keyring`.
//!
//! `gate` decides, records and permits; `keys` mints and hands out chunk keys; `destroy` is the order in which footage
//! dies, `forget` that in which the ledger's details do; `journal` is the ledger's truth; `socket` is how the other processes speak to it all.

mod access;
mod accounts;
mod acts;
mod acts_health;
mod acts_verify;
pub mod audit;
pub mod backup;
mod cameras;
mod clocks;
mod closed;
mod copies;
pub mod core;
mod damage;
mod destroy;
mod export_facts;
mod exports;
mod facts;
mod fates;
mod forget;
#[cfg(feature = "fuzz")]
pub mod fuzzing;
mod gate;
mod glass;
mod glass_health;
mod health;
mod holds;
mod in_process;
pub mod journal;
mod key_source;
mod keys;
mod law;
mod law_says;
mod lawful;
mod life;
mod links;
mod opinions;
mod orders;
mod papers;
mod reasons;
mod rebuild;
mod requisitions;
mod restored;
mod retention;
pub mod review;
mod rights;
mod room;
mod scans;
mod sealed;
mod shorten;
pub mod socket;
mod technical;
mod tick;
mod trace;
pub mod verify;
pub mod wire;

pub use crate::accounts::OidcSettings;
pub use crate::core::{KeeperCore, KeeperParts, OpenError};
pub use socket::KeeperClient;
