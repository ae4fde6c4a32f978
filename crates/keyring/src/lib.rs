//! Custodians of the keys: one erasable key per camera and hour, in sealed pages under a root record.
//!
//! Destroying footage is destroying its camera-hour key; so this crate is where "destroyed" becomes true (K1). A [`Keyring`]
//! gives keys out, lets deadlines only shrink, and forgets a key in a way that no older copy of its own files brings back.
//! [`FileKeyring`] keeps two copies in two folders, with or without a PKCS#11 [`Token`] behind their root; [`MemoryKeyring`] is for tests. The layout of the files is in
//! `docs/formats/keyring.md`.

mod contents;
mod custodian;
mod error;
mod file;
mod memory;
mod page;
mod pkcs11;
mod ring;

#[cfg(test)]
mod conformance;
#[cfg(test)]
mod seeded;

pub use contents::{Condemned, HoldKey, LedgerHead, Month, Which};
pub use custodian::{Away, CopyState, CopyStatus, Custodian, CustodianKind, Destroyed, Statement, TokenStatus};
pub use error::KeyringError;
#[cfg(feature = "fuzz")]
pub use file::fuzzing;
pub use file::{FileKeyring, KdfCost};
pub use memory::MemoryKeyring;
pub use page::{CameraKey, Page};
pub use pkcs11::{ObjectId, Pkcs11Token, Token, TokenFault, TokenSettings};
pub use ring::{HourSummary, Keyring};

pub type Result<T> = std::result::Result<T, KeyringError>;
