//! The sealed formats: records, chunks, extents, key records, reels. Pure: bytes in, bytes out; keys come in as arguments.
//!
//! `docs/formats/reel.md` describes every byte; `vectors/` holds published examples that a test compares.

pub mod age;
pub mod extent;
pub mod gap;
pub mod key;
pub mod record;
pub mod reel;
pub mod root;
pub mod sign;

pub use extent::{Extent, GroupStart};
pub use gap::{GapLine, GapState};
pub use key::{CameraHourKey, ChunkKey, DataKey, KeyRecord, LookupKey};
pub use record::{Digest, Kind, RecordHeader};

/// Why bytes are not what they should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    #[error("bytes end inside a {what}: {have} of {want}")]
    Short { what: &'static str, have: usize, want: usize },
    #[error("not a record of a reel: wrong magic")]
    NotARecord,
    #[error("a record of version {found}, written by a later program: install that one to read it")]
    LaterVersion { found: u8 },
    #[error("a {what} holds an impossible value in `{field}`")]
    Malformed { what: &'static str, field: &'static str },
    #[error("a record belongs to another reel")]
    OtherReel,
    #[error("the record does not open with this key: other key, or changed bytes")]
    DoesNotOpen,
    #[error("the key does not match the commitment in the record's header")]
    WrongCommitment,
    #[error("the signature of the {what} is not valid")]
    BadSignature { what: &'static str },
    #[error("the {what} does not match the records before it")]
    Mismatch { what: &'static str },
    #[error("a {what} of {bytes} bytes is larger than the format allows")]
    TooLarge { what: &'static str, bytes: usize },
}

pub type Result<T> = std::result::Result<T, SealError>;
