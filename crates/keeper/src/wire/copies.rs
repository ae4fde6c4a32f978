//! What became of a word about a copy of the keyring (K2).

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CopyDone {
    /// Another person is awaited, for fifteen minutes.
    First,
    WrittenOff,
    Replaced,
    /// It answers: nothing is written off.
    IsPresent,
    NotWrittenOff,
    SamePerson,
    NotThisPerson,
}
