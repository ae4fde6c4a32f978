//! Everything that may be done to footage, one verb a file, and the one door to plaintext.
//!
//! The vault orders effects: it speaks to the store (ciphertext), to the footage catalog (where things stand) and, through
//! the trait [`Keeper`], to the process that holds keys, gate and ledger. It never names the keyring (P2).

pub mod admit;
pub mod audit;
pub mod census;
mod digests;
#[cfg(feature = "view")]
pub mod export;
pub mod hold;
pub mod keeper;
#[cfg(feature = "view")]
pub mod open;
mod part;
pub mod rebuild;
pub mod recover;
#[cfg(feature = "view")]
pub mod replay;
pub mod scrub;
pub mod service;
pub mod store;
pub mod survey;
pub mod watch;

pub use keeper::{Keeper, KeeperError};
pub use store::{LocalStore, Location, StoreError};
