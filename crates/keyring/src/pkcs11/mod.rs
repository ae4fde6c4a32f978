//! What the keyring asks of a PKCS#11 token: keys that answer, cannot be read out, and die when they are told to.
//!
//! One object of the token stands behind the present root record. Every destruction makes a new one, seals the root under it
//! and destroys the old one (`crates/keyring/src/file/seal.rs`), so that older copies of all files open nothing (K2, K3).

mod fault;
mod module;
mod objects;

#[cfg(test)]
pub(crate) mod faulty;
#[cfg(test)]
pub(crate) mod softhsm;

pub use fault::TokenFault;
pub use module::{Pkcs11Token, TokenSettings};
pub use objects::ObjectId;

use domain::Secret32;
use std::collections::BTreeSet;

/// What became of a call to a token.
pub type Outcome<T> = std::result::Result<T, TokenFault>;

/// A token that holds this site's objects. Every call finds the token and logs in by itself where that is needed.
pub trait Token: Send {
    /// The name that was given to the token when it was initialised.
    fn label(&self) -> &str;
    /// Whether the token says that it is a device; what is not known counts as software.
    fn is_hardware(&self) -> bool;
    /// This site's objects.
    fn objects(&self) -> Outcome<BTreeSet<ObjectId>>;
    /// Makes a key in the token: durable, sensitive, not extractable.
    fn make(&self, id: &ObjectId) -> Outcome<()>;
    /// HMAC-SHA-256 of a text under an object; `None` where the token has no such object.
    fn answer(&self, id: &ObjectId, text: &[u8]) -> Outcome<Option<Secret32>>;
    /// Destroys an object; one that is not there is as good as destroyed.
    fn destroy(&self, id: &ObjectId) -> Outcome<()>;
}
