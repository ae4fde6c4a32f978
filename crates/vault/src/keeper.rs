//! What the vault asks of the process that holds keys, gate and ledger: one trait, implemented in crate `keeper` (P2).

use domain::{
    CameraId, GlassId, HoldId, Hour, PermitId, Purpose, ReelId, RunId, Sensitive, Span, StreamId, UtcMicros, Window,
};
use seal::{
    ChunkKey, DataKey, Extent, GapLine, LookupKey,
    key::WrappedKey,
    root::Root,
    sign::{PublicKey, RunCertificate},
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The keeper, as the vault sees it: in the same process for tests, behind a socket for real.
pub trait Keeper: Send + Sync {
    /// Data keys for streams in an hour, minted for this run only (P6, K4). The mint is in the ledger before they come.
    fn mint(&self, hour: Hour, run: RunId, streams: &[StreamId]) -> Result<Vec<Minted>, KeeperError>;
    /// Gate, then ledger, then permit (promise 3). A refusal is an answer, not an error.
    fn pass(&self, session: &SessionSecret, ask: &Ask) -> Result<Verdict, KeeperError>;
    /// Chunk keys under a permit (P4).
    fn keys(&self, query: &KeyQuery) -> Result<KeyAnswer, KeeperError>;
    /// Once a second: which permits still hold, what must go, what time it is (P5).
    fn check(&self, beat: &Beat) -> Result<Pulse, KeeperError>;
    /// Facts for the ledger (L3). Each is entered once, also when told twice.
    fn enter(&self, facts: &[Fact]) -> Result<(), KeeperError>;
    /// Enters that the catalog of so many reels is made anew, and why (P7); the entry's number admits to their extents.
    fn begin_rebuild(&self, reels: u64, why: &str) -> Result<u64, KeeperError>;
    /// What the sealed extents of a reel say, stream by stream, in the order asked; never a key (P7).
    fn extents(&self, query: &ExtentsQuery) -> Result<Vec<StreamFate>, KeeperError>;
    /// The keys of a hold's chunks, wrapped under the hold's own (K12): nobody but the keeper opens them.
    fn wrap(&self, query: &WrapQuery) -> Result<Wrapping, KeeperError>;
    /// Chunk keys that a hold wrapped, under a permit to hand its footage over.
    fn held_keys(&self, query: &HeldQuery) -> Result<KeyAnswer, KeeperError>;
}

/// Why the keeper gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
pub enum KeeperError {
    #[error("the keeper does not answer ({detail}): is `vigie serve` running?")]
    Away { detail: String },
    #[error("this role may not ask the keeper for `{what}`")]
    Forbidden { what: String },
    #[error("no permit: it expired, was ended, or was never given")]
    NoPermit,
    #[error("no session: sign in again")]
    NoSession,
    #[error("the footage of {hour} is closed: its deadline is near or past")]
    Closed { hour: Hour },
    #[error("the request does not make sense: {what}")]
    Malformed { what: String },
    #[error("trusted time does not stand: {what}")]
    NoTrustedTime { what: String },
    #[error("the keeper could not do it: {what}")]
    Failed { what: String },
    #[error("neither the ledger nor its reserve takes an entry, so nobody looks: {what}")]
    LedgerAway { what: String },
}

/// A session's secret, as the browser holds it.
pub type SessionSecret = Sensitive<String>;

/// One stream's keys for one hour and run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Minted {
    pub stream: StreamId,
    pub hour: Hour,
    pub deadline: UtcMicros,
    pub data_key: DataKey,
    /// Goes into every reel of this hour and run, with the tag made by `lookup` (K6).
    pub wrapped: WrappedKey,
    pub lookup: LookupKey,
}

/// What somebody wants to see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    pub view: View,
    pub cameras: Vec<CameraId>,
    pub purpose: Option<Purpose>,
    /// Why this person looks now (motif).
    pub reason: Sensitive<String>,
}

/// Live, or a span of the past; to see it, or to hand it over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum View {
    Live,
    Replay(Span),
    /// Only two persons under a requisition get a permit for it.
    Export(Span),
}

/// The gate's answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Verdict {
    Allowed(Permit),
    Refused(Refused),
}

/// A refusal with everything that was wrong, in both languages, and its entry in the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    pub reasons: Vec<RefusedReason>,
    pub leaf: u64,
}

/// One rule that refused, its article, and what would make the request lawful.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedReason {
    pub rule: String,
    pub article: String,
    pub text_fr: String,
    pub text_en: String,
    pub remedy_fr: String,
    pub remedy_en: String,
}

/// A capability made by the gate: who, which cameras, what, why, until when, and the leaf that says so (P4).
/// Only the keeper can make or check its code.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permit {
    pub id: PermitId,
    pub account: [u8; 16],
    pub cameras: Vec<CameraId>,
    pub view: View,
    pub purpose: Purpose,
    /// Number of its entry in the ledger.
    pub leaf: u64,
    pub expires: UtcMicros,
    /// The break-glass by which it was given, and with which it ends.
    pub glass: Option<GlassId>,
    /// HMAC-SHA-256 over all of the above.
    pub code: [u8; 32],
}

/// Neither the code nor the id prints: together they are the right to look (P8).
impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit").field("leaf", &self.leaf).field("expires", &self.expires).finish_non_exhaustive()
    }
}

/// A request for the chunk keys of part of a stream.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KeyQuery {
    pub permit: Permit,
    pub stream: StreamId,
    /// Within the permit's span.
    pub span: Span,
    /// Reels in the order of time; the last holds what is wanted, one before it may hold its group's start.
    pub parts: Vec<ReelPart>,
}

/// What the keeper needs of a reel to answer, all of it ciphertext or signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReelPart {
    pub reel: ReelId,
    /// Payload of the header record.
    pub header: Vec<u8>,
    /// Payload of the stream's key record.
    pub key_record: Vec<u8>,
    /// The stream's extent records, header and payload each.
    pub extents: Vec<Vec<u8>>,
}

/// Reels of a held stream whose chunks' keys are to be wrapped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrapQuery {
    pub hold: HoldId,
    pub stream: StreamId,
    pub span: Span,
    /// In the order of time; one before the last may hold its group's start.
    pub parts: Vec<ReelPart>,
}

/// The answer to [`WrapQuery`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wrapping {
    /// Of each reel that holds any of the span: its keys, sealed, and the extents and chunks that are held.
    pub reels: Vec<WrappedReel>,
    /// The first group's start lies in this reel, which was not among the parts.
    pub needs: Option<ReelId>,
}

/// Keys of one reel's held chunks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrappedReel {
    pub reel: ReelId,
    pub hour: Hour,
    /// [`ReelKeys`] under the hold's key of that hour.
    pub sealed: Vec<u8>,
    /// Numbers of the chunks and of the extents that name them.
    pub chunks: Vec<u32>,
    pub extents: Vec<u32>,
}

/// A request for the chunk keys of part of a held stream.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HeldQuery {
    pub permit: Permit,
    pub hold: HoldId,
    pub stream: StreamId,
    /// Within the permit's span.
    pub span: Span,
    pub reels: Vec<WrappedReel>,
}

/// Chunk keys, reel by reel.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct KeyAnswer {
    pub reels: Vec<ReelKeys>,
    /// The group's start lies in this reel, which was not among the parts.
    pub needs: Option<ReelId>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ReelKeys {
    pub reel: ReelId,
    /// Chunk number and key, in order.
    pub chunks: Vec<(u32, ChunkKey)>,
    /// The extents that say when these chunks are.
    pub extents: Vec<Extent>,
    /// For what leaves: of each of these extents its record's number and key, so that its reader opens it too.
    pub lines: Vec<(u32, ChunkKey)>,
    /// For what leaves: of the chunks that these extents name and that are not among `chunks`, number and digest of the key.
    pub other_keys: Vec<(u32, [u8; 32])>,
}

/// A request for what a reel's extents say, for its catalog row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExtentsQuery {
    /// Number of the entry that began this rebuild.
    pub rebuild: u64,
    pub reel: ReelId,
    /// Payload of the header record.
    pub header: Vec<u8>,
    pub streams: Vec<StreamPart>,
}

/// One stream of a reel as it stands there: whose it is, only the keeper can tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamPart {
    pub handle: u16,
    /// Payload of its key record.
    pub key_record: Vec<u8>,
    /// Its extent records, header and payload each.
    pub extents: Vec<Vec<u8>>,
    /// Its gap records, likewise.
    pub gaps: Vec<Vec<u8>>,
}

/// What became of a stream of a reel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StreamFate {
    Alive {
        stream: StreamId,
        extents: Vec<Extent>,
        gaps: Vec<GapLine>,
    },
    /// Its key is dead.
    Dead,
    /// Its key may not be used now: near its deadline, or while clocks disagree (K8, K9).
    Closed,
}

/// The recorder's word each second.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Beat {
    pub permits: Vec<Permit>,
    /// Health as the recorder sees it, JSON for the health page.
    pub health: String,
    /// What the cameras' own clocks say now, one voice a camera, as far as they were heard lately (K9).
    pub clocks: Vec<CameraClock>,
    /// The store is almost full (R14).
    pub is_short_of_room: bool,
}

/// A camera's clock as of its last sender report, carried on by the recorder to the moment of its word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CameraClock {
    pub camera: CameraId,
    pub at: UtcMicros,
}

/// The keeper's word each second.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Pulse {
    /// Trusted time; `None` while clocks disagree.
    pub now: Option<UtcMicros>,
    /// For each permit of the beat, whether it still holds.
    pub alive: Vec<bool>,
    /// Footage whose keys are dead and whose space waits to be freed (K10 step 5).
    pub dead: Vec<Dead>,
    /// Changes when cameras change.
    pub cameras_version: u64,
    /// A camera to look at, for `vigie camera test`.
    pub probe: Option<ProbeJob>,
    /// The catalog is to be made anew, for `vigie catalog rebuild`; the number goes back with the result.
    pub rebuild: Option<u64>,
    /// That order says that what is missing is lost (decision 0059).
    pub loss_accepted: bool,
    /// Footage that is closed while its keys wait (K9), for its bytes to be counted.
    pub closed_unconfirmed: Vec<Dead>,
    /// All holds that stand; none: no word of them.
    pub holds: Option<Vec<HeldJob>>,
}

/// A hold as the recorder serves it: what is not named here any more leaves the reserve.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldJob {
    pub hold: HoldId,
    pub windows: Vec<Window>,
    /// Hours of which its keys live.
    pub hours: Vec<Hour>,
    /// Everything of it is in the reserve.
    pub is_kept: bool,
}

/// Footage of these cameras in this hour cannot be opened (any more).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dead {
    pub hour: Hour,
    pub cameras: Vec<CameraId>,
}

/// One camera to be looked at by the recorder, without recording it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeJob {
    pub number: u64,
    pub url: String,
    pub credentials: Option<(Sensitive<String>, Sensitive<String>)>,
    /// Only who answers: no credentials are given and no stream is opened (R13).
    pub identity_only: bool,
}

/// What the recorder did, for the ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fact {
    /// A reel was closed in order.
    Reel(ReelFact),
    /// A reel whose recorder died was cut at its last valid sync record and closed (R5).
    Recovered { reel: ReelFact, cut_bytes: u64 },
    /// An hour of this run is closed: no reel will be added to it.
    RecorderHour { run: RunId, hour: Hour, reels: u32, root: Root },
    /// Space of a dead hour was freed.
    Freed { hour: Hour, cameras: Vec<CameraId>, reels: Vec<ReelId>, residual: Vec<(ReelId, u64, String)> },
    /// A sync took longer than it may (R1).
    SlowSync { at: UtcMicros, took_ms: u64 },
    /// Bytes of a closed reel are no longer those that were signed: they lie within these, in a slot (R5, decision 0052).
    Damaged { reel: ReelId, hour: Hour, slot: u32, from: u64, to: u64 },
    /// All keys of a hold's chunks are wrapped and durable: the hours' own may die.
    HoldWrapped { hold: HoldId },
    /// All its chunks are in the reserve, durable.
    HoldKept { hold: HoldId, reels: u32, bytes: u64, missing: u32 },
    /// A camera stopped or came back.
    Gap { camera: CameraId, from: UtcMicros, to: Option<UtcMicros>, cause: String },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReelFact {
    pub reel: ReelId,
    pub run: RunId,
    pub hour: Hour,
    pub deadline: UtcMicros,
    pub root: Root,
    pub bytes: u64,
    pub streams: u16,
}

/// What a recorder gets at its hello: the certificate of its run's key, the site key, the anchor of its time (R5, R9).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunGrant {
    pub certificate: RunCertificate,
    pub site_key: PublicKey,
    pub anchor: UtcMicros,
    /// It was at least so late at the anchor: the anchor itself, or less while no time stands.
    pub at_least: UtcMicros,
}

impl RunGrant {
    /// What has passed for sure when the run's time says `now`: space is freed by it, so that a wrong clock frees none.
    pub fn surely(&self, now: UtcMicros) -> UtcMicros {
        now.plus_micros(self.at_least.since(self.anchor).min(0))
    }
}
