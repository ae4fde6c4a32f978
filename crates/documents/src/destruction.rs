//! Certificate of destruction: that a camera's pictures of one time are dead, since when, by which entries of the log, and what is
//! left (K10, CSI L252-5).

use crate::{At, Footage, LogProof};
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Destruction {
    /// What died.
    pub footage: Footage,
    /// Hours of the camera, each with its one key.
    pub hours: u64,
    /// The authorised retention that set the deadline.
    pub retention_days: u16,
    /// The latest moment at which the last of it had to be dead.
    pub deadline: At,
    /// First and last death of a key.
    pub first: At,
    pub last: At,
    /// Why, where it was not the deadline: an order that shortens, a camera that is removed. In the paper's language.
    #[serde(default)]
    pub cause: String,
    /// Of the log: keys condemned, keys destroyed.
    #[serde(default)]
    pub condemned: Vec<u64>,
    #[serde(default)]
    pub destroyed: Vec<u64>,
    pub log: LogProof,
    /// The kind of custodian, its copies that confirmed, and all of them.
    pub custodian: String,
    pub copies_confirmed: u8,
    pub copies: u8,
    /// What this kind of custodian cannot promise, in the paper's language.
    #[serde(default)]
    pub reservation: String,
    /// Ciphertext whose key is dead and whose bytes still lie on a disk.
    pub residual_bytes: u64,
    /// Held footage of this time that lives on, by the numbers of the holds.
    #[serde(default)]
    pub holds: Vec<String>,
}
