//! What is said on the keeper's sockets: one enum of questions, one of answers (P3).
//!
//! The keeper never believes who somebody is: a session's secret comes with each call (P3), a role's secret with the
//! connection, the user id of the command line from the kernel.

use domain::{CameraId, Hour, PermitId, Purpose, RunId, Secret32, Sensitive, Span, StreamId, UtcMicros};
use policy::Role as AccountRole;
use seal::sign::{PublicKey, Signature};
use serde::{Deserialize, Serialize};
use vault::{
    audit::HourBook,
    keeper::{
        Ask, Beat, ExtentsQuery, Fact, KeeperError, KeyAnswer, KeyQuery, Minted, Permit, Pulse, SessionSecret,
        StreamFate, Verdict,
    },
    rebuild::Rebuilt,
};

/// Who is at the other end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Peer {
    Recorder,
    Web,
    /// The command line, on the control socket.
    Control {
        uid: u32,
    },
}

/// A question.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Question {
    /// First on every connection of a role.
    Hello {
        peer: Peer,
        secret: Secret32,
    },
    // what the vault asks
    Mint {
        hour: Hour,
        run: RunId,
        streams: Vec<StreamId>,
    },
    Pass {
        session: SessionSecret,
        ask: Ask,
    },
    Keys(Box<KeyQuery>),
    Check(Beat),
    Enter(Vec<Fact>),
    // the recorder
    BeginRun {
        run: RunId,
        run_key: PublicKey,
    },
    Cameras,
    Probed {
        number: u64,
        result: Result<Probed, ProbeFailure>,
    },
    /// The catalog of so many reels is made anew (P7).
    BeginRebuild {
        reels: u64,
        why: String,
    },
    Extents(Box<ExtentsQuery>),
    Rebuilt {
        number: u64,
        result: Result<Rebuilt, String>,
    },
    // web
    Site,
    /// Name, password and a code of the second factor together: no answer says which of them was wrong.
    SignIn {
        name: Sensitive<String>,
        password: Sensitive<String>,
        code: Sensitive<String>,
        browser: Browser,
    },
    Session {
        session: SessionSecret,
        /// A person moved: the session locks later.
        acts: bool,
    },
    /// Which of these permits still hold.
    Alive {
        permits: Vec<Permit>,
    },
    SignOut {
        session: SessionSecret,
    },
    /// What a setup link is for, with the seed for an authenticator.
    SetUpBegin {
        token: Sensitive<String>,
    },
    SetUp {
        token: Sensitive<String>,
        password: Sensitive<String>,
        code: Sensitive<String>,
    },
    /// To add a passkey: with password and code anew.
    PasskeyBegin {
        session: SessionSecret,
        password: Sensitive<String>,
        code: Sensitive<String>,
    },
    PasskeyAdd {
        session: SessionSecret,
        ceremony: [u8; 16],
        label: Sensitive<String>,
        /// JSON as the browser made it.
        credential: Sensitive<String>,
    },
    PasskeyList {
        session: SessionSecret,
    },
    PasskeyRemove {
        session: SessionSecret,
        id: [u8; 32],
    },
    /// To sign in by a passkey alone.
    PasskeyAsk,
    PasskeySignIn {
        ceremony: [u8; 16],
        credential: Sensitive<String>,
    },
    EndLook {
        session: SessionSecret,
        permit: PermitId,
    },
    SeeCameras {
        session: SessionSecret,
    },
    SeeHours {
        session: SessionSecret,
        camera: CameraId,
        span: Span,
    },
    SeeHealth {
        session: SessionSecret,
    },
    // the command line
    Control(Control),
}

/// What the command line asks.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Control {
    Status,
    Stop,
    CameraAdd(NewCamera),
    CameraList,
    CameraRemove {
        name: String,
    },
    /// The device that answers at the camera's address now is the camera from here on (R13).
    CameraConfirm {
        name: String,
    },
    /// Sets or takes away a camera's sub-stream.
    CameraSub {
        name: String,
        sub_url: Option<String>,
    },
    /// Looks at a camera: a registered one by name, or an address.
    CameraTest {
        target: ProbeTarget,
    },
    AccountAdd {
        name: Sensitive<String>,
        role: AccountRole,
    },
    AccountList,
    /// Ends an account's sessions, links and permits at once.
    AccountDisable {
        name: Sensitive<String>,
    },
    DestroyDue,
    Verify,
    /// Each clock with its word.
    Clock,
    /// A person says that it is `at` (K9).
    ClockConfirm {
        account: Sensitive<String>,
        password: Sensitive<String>,
        at: UtcMicros,
    },
    /// What keyring and ledger say of the hours after this one, for `vigie verify`.
    AuditHours {
        after: Option<Hour>,
    },
    CatalogRebuild,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum ProbeTarget {
    Registered { name: String },
    Address { url: String, credentials: Option<Credentials> },
}

/// A camera's user and password.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    pub user: Sensitive<String>,
    pub password: Sensitive<String>,
}

/// A camera to be registered, with what its probe found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewCamera {
    pub name: String,
    pub place: String,
    pub url: String,
    pub credentials: Option<Credentials>,
    pub delay_days: u32,
    pub purposes: Vec<Purpose>,
    pub fingerprint: Option<String>,
    pub sub_url: Option<String>,
}

/// What a look at a camera found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probed {
    pub fingerprint: String,
    pub codec: String,
    pub width: u16,
    pub height: u16,
    /// Pictures in a thousand seconds.
    pub millihertz: u32,
    /// What the camera offers, in words; sound is named as never asked for.
    pub offered: Vec<String>,
}

/// One thing by which a device is known, before and now; as the device says it, so escaped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    pub field: String,
    pub before: String,
    pub now: String,
}

/// Why a look at a camera failed, with the remedy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbeFailure {
    pub text_fr: String,
    pub text_en: String,
}

/// An answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Answer {
    Done,
    Failed(KeeperError),
    Minted(Vec<Minted>),
    Verdict(Box<Verdict>),
    Keys(Box<KeyAnswer>),
    Pulse(Box<Pulse>),
    Run(Box<RunAnswer>),
    Cameras {
        version: u64,
        cameras: Vec<RecorderCamera>,
    },
    Site(SiteView),
    SignedIn {
        session: SessionSecret,
        view: SessionView,
        /// By it this browser is known to be this person's.
        device: Sensitive<String>,
    },
    Alive(Vec<bool>),
    Session(SessionView),
    SetUpBegun(SetUpBegun),
    SetUp {
        name: Sensitive<String>,
        role: AccountRole,
        /// Each works once instead of a code; told this once.
        recovery: Vec<Sensitive<String>>,
    },
    /// The link is good, the code is not.
    WrongCode {
        wait_seconds: u32,
    },
    /// A sign-in or setup link that is not accepted; says no more than that, or when to come back.
    Denied {
        wait_seconds: u32,
    },
    /// A ceremony of WebAuthn begins: options for the browser, as JSON.
    Ceremony {
        id: [u8; 16],
        options: Sensitive<String>,
    },
    Passkeys(Vec<PasskeyLine>),
    CameraViews(Vec<CameraView>),
    Hours(Vec<HourFate>),
    Health(Box<KeeperHealth>),
    Status(Box<Status>),
    Probed(Result<Probed, ProbeFailure>),
    CameraAdded {
        camera: CameraId,
    },
    /// What differed, in the device's own words; empty where the same device answers.
    CameraConfirmed {
        differences: Vec<Difference>,
    },
    /// A one-time token; the caller makes the link.
    SetupToken {
        token: Sensitive<String>,
        expires: UtcMicros,
    },
    Accounts(Vec<AccountLine>),
    Destroyed(Vec<HourFate>),
    Verified(Box<Verified>),
    Clock(Box<ClockView>),
    Confirmation(Confirmation),
    /// Number of the entry that a rebuild stands under.
    RebuildBegun {
        leaf: u64,
    },
    Extents(Vec<StreamFate>),
    Rebuilt(Box<Rebuilt>),
    /// It takes longer than anybody waits.
    RebuildGoesOn,
    AuditHours {
        hours: Vec<HourBook>,
        more: bool,
        site_key: PublicKey,
        now: UtcMicros,
    },
}

/// The clocks, each with its word, and what follows from them (K9).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockView {
    /// The time that stands; `None` while clocks disagree.
    pub trusted: Option<UtcMicros>,
    /// It is not earlier than this.
    pub at_least: UtcMicros,
    pub finding: Finding,
    pub clocks: Vec<ClockLine>,
    /// One person confirmed a time; another one is waited for.
    pub waits_for_a_second: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockLine {
    pub name_fr: String,
    pub name_en: String,
    pub at: Option<UtcMicros>,
    pub word_fr: String,
    pub word_en: String,
}

/// What became of a person's word about the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Confirmation {
    /// Entered; another person confirms it within so many seconds.
    First { seconds: i64 },
    /// Two persons said so: it stands.
    Stands { at: UtcMicros },
    /// A time stands already.
    NotNeeded { now: UtcMicros },
    /// The same person said it before: another one is needed.
    SamePerson,
    /// The two persons' times differ by so much.
    Differs { seconds: i64 },
    /// Before what the ledger knows to have passed.
    TooEarly { at_least: UtcMicros },
    /// Further ahead of the ledger than a machine is switched off.
    TooFar { at_least: UtcMicros },
}

/// One account, as `vigie account list` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountLine {
    pub name: Sensitive<String>,
    pub role: AccountRole,
    pub closed: bool,
    /// It has a password and a second factor.
    pub ready: bool,
}

/// Why a setup link did nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetUpDenied {
    /// Unknown, used, or too old.
    NoLink,
    WrongCode {
        wait_seconds: u32,
    },
}

/// A passkey as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasskeyLine {
    /// Digest of the credential's id.
    pub id: [u8; 32],
    pub label: Sensitive<String>,
    pub added: UtcMicros,
    pub last_used: Option<UtcMicros>,
}

/// What a setup link is for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SetUpBegun {
    pub name: Sensitive<String>,
    pub role: AccountRole,
    /// What an authenticator reads: it holds the seed.
    pub otpauth: Sensitive<String>,
}

/// What a setup link gave.
#[derive(Clone, Debug)]
pub struct SetUpDone {
    pub name: Sensitive<String>,
    pub role: AccountRole,
    pub recovery: Vec<Sensitive<String>>,
}

/// The certificate of a run, the site key, the anchor of its time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunAnswer {
    pub site: domain::SiteId,
    pub run: RunId,
    pub run_key: PublicKey,
    #[serde(with = "signature_bytes")]
    pub signature: Signature,
    pub site_key: PublicKey,
    pub anchor: UtcMicros,
}

/// A camera as the recorder needs it; credentials in memory only (K13).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecorderCamera {
    pub id: CameraId,
    pub name: String,
    pub url: String,
    /// A second stream of the same device, recorded beside the first.
    pub sub_url: Option<String>,
    pub credentials: Option<Credentials>,
    pub fingerprint: Option<String>,
}

/// What everybody may know before signing in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteView {
    pub name: String,
    pub hour_seconds: u32,
    /// No account has a password yet.
    pub setup_needed: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionView {
    pub account: [u8; 16],
    pub name: Sensitive<String>,
    pub role: AccountRole,
    pub expires: UtcMicros,
    /// Unless the person moves before.
    pub locks: UtcMicros,
}

/// From which browser somebody wants to sign in, as web sees it: it serves to slow strangers down, and for nothing else.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Browser {
    /// A digest of its address.
    pub place: [u8; 16],
    /// Tokens of those who signed in on it, with dots between.
    pub device: Option<Sensitive<String>>,
}

/// A camera as the console shows it; its state comes from the recorder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CameraView {
    pub id: CameraId,
    pub name: String,
    pub place: String,
    pub delay_days: u32,
    pub purposes: Vec<Purpose>,
    pub since: UtcMicros,
    /// Whether a sub-stream is recorded too.
    pub has_sub: bool,
}

/// What became, or will become, of a camera's hour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HourFate {
    pub hour: Hour,
    pub state: FateState,
    pub deadline: Option<UtcMicros>,
    pub destroyed_at: Option<UtcMicros>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FateState {
    /// Its key lives.
    Live,
    /// Within ten minutes of its deadline, or past it with clocks that disagree: nothing opens (K8, K9).
    Closed,
    /// Its key is dead.
    Destroyed,
    /// It never had a key.
    Empty,
}

/// The keeper's part of the health page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeeperHealth {
    pub site: String,
    pub now: UtcMicros,
    pub clock: Finding,
    pub ledger: LedgerHealth,
    pub destruction: DestructionHealth,
    pub keyring: KeyringHealth,
    /// The recorder's last word: JSON made by it, and when it came.
    pub recorder: String,
    pub recorder_seen: Option<UtcMicros>,
    /// Everything that is not as it should be.
    pub findings: Vec<Finding>,
}

/// One thing that is well or not, in both languages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    pub id: String,
    pub state: FindingState,
    pub title_fr: String,
    pub title_en: String,
    pub detail_fr: String,
    pub detail_en: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FindingState {
    Ok,
    Warning,
    Alarm,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerHealth {
    pub size: u64,
    pub root_hex: String,
    pub checkpoint_size: u64,
    pub checkpoint_at: Option<UtcMicros>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DestructionHealth {
    pub next_at: Option<UtcMicros>,
    pub next_hour: Option<Hour>,
    /// Hours whose deadline passed by trusted time and whose key exists; must be 0 (K9).
    pub hours_past_deadline: u64,
    /// Hours closed while clocks disagree, keys waiting.
    pub hours_closed_unconfirmed: u64,
    /// Keys entered as destroyed: one a camera and hour.
    pub camera_hours_destroyed: u64,
    pub last_destroyed_at: Option<UtcMicros>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyringHealth {
    pub kind: String,
    /// One word a copy: `present`, or why it is away.
    pub copies: Vec<String>,
    pub sentence_fr: String,
    pub sentence_en: String,
}

/// `vigie status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    pub health: KeeperHealth,
    pub cameras: Vec<CameraView>,
    /// Where the passphrase came from (P9).
    pub passphrase_from: String,
    pub version: String,
}

/// The verdict on the log and on every destruction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verified {
    pub holds: bool,
    pub entries: u64,
    pub checkpoints: u64,
    pub unsigned: u64,
    pub root_hex: String,
    /// Keys (camera and hour) that came to life, died, live.
    pub mints: u64,
    pub destroyed: u64,
    pub live: u64,
    pub faults: Vec<String>,
    pub overdue: Vec<String>,
}

/// What a permit's holder may still do: told to the recorder and to web.
pub type PermitAnswer = Result<Permit, KeeperError>;

mod signature_bytes {
    //! Serde for 64 bytes, as two halves that serde knows.
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<S: Serializer>(bytes: &[u8; 64], serializer: S) -> Result<S::Ok, S::Error> {
        let (mut first, mut second) = ([0; 32], [0; 32]);
        first.copy_from_slice(&bytes[..32]);
        second.copy_from_slice(&bytes[32..]);
        (first, second).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[u8; 64], D::Error> {
        let (first, second) = <([u8; 32], [u8; 32])>::deserialize(deserializer)?;
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(&first);
        bytes[32..].copy_from_slice(&second);
        Ok(bytes)
    }
}
