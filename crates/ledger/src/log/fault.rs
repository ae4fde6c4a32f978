//! Every situation in which a log is not what it should be, by name.

use crate::{calendar::Month, digest::Digest};
use domain::{CameraId, Hour, PermitId, ReelId, RunId, UtcMicros};

/// One key: a camera's of an hour.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct KeyName {
    pub hour: Hour,
    pub camera: CameraId,
}

impl std::fmt::Display for KeyName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "camera {}, hour {}", self.camera, self.hour)
    }
}

/// A key that was entered as destroyed after its deadline.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Late {
    pub key: KeyName,
    pub deadline: UtcMicros,
    pub destroyed_at: UtcMicros,
}

/// What is wrong with a log. Numbers are those of entries.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Fault {
    #[error("entry {expected} is missing: {found} follows")]
    EntryMissing { expected: u64, found: u64 },
    #[error("checkpoint {nth} of those given is none of this log: {why}")]
    CheckpointUnreadable { nth: usize, why: String },
    #[error("a checkpoint was signed for {size} entries, the log has {entries}: entries were taken away")]
    CheckpointBeyondLog { size: u64, entries: u64 },
    #[error("the first {size} entries have the root {found}, but {signed} was signed: the past was changed")]
    RootDiffers { size: u64, signed: Digest, found: Digest },
    #[error("the details of entry {seq} do not open although their key is there: they were changed")]
    DetailsUnreadable { seq: u64 },
    #[error("the details of entry {seq} are not those it committed to")]
    NotCommitted { seq: u64 },
    #[error("the details of entry {seq} cannot be read: {why}")]
    NoEntry { seq: u64, why: String },
    #[error("the log does not begin with its opening")]
    NotOpened,
    #[error("entry {seq} opens the log again")]
    OpenedAgain { seq: u64 },
    #[error("entry {seq} is of {at}, after one of {latest}")]
    TimeRanBackwards { seq: u64, at: UtcMicros, latest: UtcMicros },
    #[error("entry {seq} ends a look that never began, permit {permit}")]
    LookNeverBegan { seq: u64, permit: PermitId },
    #[error("entry {seq} gives {key} a later deadline, {to} instead of {from}")]
    DeadlineGrew { seq: u64, key: KeyName, from: UtcMicros, to: UtcMicros },
    #[error("entry {seq} brings a key back to life that was destroyed: {key}")]
    MintedAfterDestruction { seq: u64, key: KeyName },
    #[error("entry {seq} shortens the life of a key that was never minted: {key}")]
    ShortenedNeverMinted { seq: u64, key: KeyName },
    #[error("entry {seq} condemns a key that was never minted: {key}")]
    CondemnedNeverMinted { seq: u64, key: KeyName },
    #[error("entry {seq} says that a key was destroyed that was never minted: {key}")]
    DestroyedNeverMinted { seq: u64, key: KeyName },
    #[error("entry {seq} says that a key was destroyed that was not condemned before: {key}")]
    DestroyedNotCondemned { seq: u64, key: KeyName },
    #[error("entry {seq} says that keys of hour {hour} were destroyed, confirmed by no copy of the keyring")]
    DestroyedUnconfirmed { seq: u64, hour: Hour },
    #[error("entry {seq} is a tombstone, but a key of its hour lives: {key}")]
    BuriedAlive { seq: u64, key: KeyName },
    #[error("entry {seq} is a tombstone of hour {hour}, of which no key was minted")]
    BuriedNeverMinted { seq: u64, hour: Hour },
    #[error("entry {seq}: reel {reel} was recorded in hour {hour}, of which no key was minted")]
    ReelWithoutKey { seq: u64, reel: ReelId, hour: Hour },
    #[error("entry {seq}: reel {reel} was recorded in hour {hour} after all its keys were destroyed")]
    ReelAfterDestruction { seq: u64, reel: ReelId, hour: Hour },
    #[error("entry {seq}: reel {reel} states the deadline {deadline}, which no key of hour {hour} was minted with")]
    ReelWithOtherDeadline { seq: u64, reel: ReelId, hour: Hour, deadline: UtcMicros },
    #[error("entry {seq} gives reel {reel} another root than before")]
    ReelChanged { seq: u64, reel: ReelId },
    #[error("entry {seq} ends the details of {month} before their time: they are kept for twelve months at least")]
    LogKeyCondemnedEarly { seq: u64, month: Month },
    #[error("entry {seq} says that the log key of {month} was destroyed, confirmed by no copy of the keyring")]
    LogKeyUnconfirmed { seq: u64, month: Month },
    #[error("the log key of {month} is entered as destroyed, and nothing announced it")]
    LogKeyNotCondemned { month: Month },
    #[error("the details of {month} cannot be read any more, and no entry says that their key was destroyed")]
    DetailsGoneUnannounced { month: Month },
    #[error("the details of {month} can still be read: the law gives them three years at most")]
    DetailsPastCap { month: Month },
    #[error("run {run} closed hour {hour} with {said} reels, {found} are in the log")]
    ReelsMissing { run: RunId, hour: Hour, said: u32, found: u32 },
    #[error("run {run} closed hour {hour} with another root than that of its reels")]
    HourRootDiffers { run: RunId, hour: Hour },
}
