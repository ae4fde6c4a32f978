//! What is said on the keeper's sockets: one enum of questions, one of answers (P3).
//!
//! The keeper never believes who somebody is: a session's secret comes with each call (P3), a role's secret with the
//! connection, the user id of the command line from the kernel.

pub mod access;
mod acts;
mod backup;
mod cameras;
mod clock;
mod copies;
mod delay;
pub mod exports;
mod fates;
mod glass;
pub mod holds;
pub mod links;
pub mod oidc;
pub mod papers;
mod retention;
mod run;
mod upkeep;

pub use acts::{ActQuery, ActView, RefusedAct, ScanPart};
pub use backup::{BackupMade, RestoreDone, RestoredChange, RestoredLine, RestoredView};
pub use cameras::{CameraView, CameraViews, MissingAct, NewCamera, RequiredAct};
pub use clock::{ClockLine, ClockView, Confirmation};
pub use copies::CopyDone;
pub use delay::{DelayDone, DelayLine, DelayLoss};
pub use fates::{FateState, HourFate, Verified};
pub use glass::{GlassDone, GlassLine, GlassMay, GlassState, GlassView};
pub use retention::{HourKeys, KeysAlive, KeysEnded, RetentionView};
pub use run::RunAnswer;
pub use upkeep::Upkeep;

use crate::review::words::{ReviewAsk, Reviewed, TracePage};
use domain::{
    ActId, CameraClass, CameraId, CameraRights, GlassId, Hour, PermitId, RunId, Secret32, Sensitive, Span, StreamId,
    UtcMicros,
};
use policy::{Role as AccountRole, acts::Draft};
use seal::sign::PublicKey;
use serde::{Deserialize, Serialize};
use vault::{
    audit::HourBook,
    keeper::{
        Ask, Beat, ExtentsQuery, Fact, KeeperError, KeyAnswer, KeyQuery, Minted, Permit, Pulse, SessionSecret,
        StreamFate, Verdict, View,
    },
    rebuild::Rebuilt,
};

pub use crate::reasons::{Continued, HeldReason, ReasonOver, ReasonView};

/// Who is at the other end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Peer {
    Recorder,
    Web,
    /// The command line, on the control socket.
    Control {
        uid: u32,
    },
    /// The independent auditor of destruction, which may ask one thing (decision 0053).
    Auditor,
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
    PasskeyAsk {
        place: [u8; 16],
    },
    PasskeySignIn {
        ceremony: [u8; 16],
        credential: Sensitive<String>,
    },
    Oidc(oidc::OidcQuestion),
    EndLook {
        session: SessionSecret,
        permit: PermitId,
    },
    /// A look under the reason that holds.
    ContinueLook {
        session: SessionSecret,
        view: View,
        cameras: Vec<CameraId>,
    },
    Reason {
        session: SessionSecret,
    },
    EndReason {
        session: SessionSecret,
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
    /// What was done, for those whose office it is to review it.
    Review(Box<ReviewAsk>),
    /// What the person of this session did; `before`: from that entry's number downwards.
    OwnTrace {
        session: SessionSecret,
        span: Span,
        before: Option<u64>,
    },
    /// What is asked, open, or waits for the data-protection officer.
    SeeBreakGlass {
        session: SessionSecret,
    },
    /// With password and code anew.
    BreakGlassAsk {
        session: SessionSecret,
        cameras: Vec<CameraId>,
        reason: Sensitive<String>,
        password: Sensitive<String>,
        code: Sensitive<String>,
    },
    /// A second person confirms, on anybody's screen.
    BreakGlassConfirm {
        session: SessionSecret,
        glass: GlassId,
        person: PersonProof,
    },
    BreakGlassEnd {
        session: SessionSecret,
        glass: GlassId,
    },
    /// The data-protection officer has examined it.
    BreakGlassAcknowledge {
        session: SessionSecret,
        glass: GlassId,
    },
    /// The register of requisitions, and what leaves under them.
    Export(Box<exports::ExportQuestion>),
    /// Holds: made, bound to their requisition, lifted, listed.
    Hold(Box<holds::HoldQuestion>),
    Link(Box<links::LinkQuestion>),
    /// Requests for access: entered, identified, viewed, answered, listed.
    Access(Box<access::AccessQuestion>),
    /// What a paper says of a register or of the log.
    Paper(Box<papers::PaperQuestion>),
    /// A recorder's: keys of held chunks.
    Wrap(Box<vault::keeper::WrapQuery>),
    /// Web's: the same, for an export.
    HeldKeys(Box<vault::keeper::HeldQuery>),
    // the command line
    Control(Control),
    // the recorder, as it scrubs: what keyring and ledger say of the hours after this one
    Books {
        after: Option<Hour>,
    },
    // the auditor
    Retention,
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
    /// Which device answers at the camera's address now; nothing is changed.
    CameraDevice {
        name: String,
    },
    /// The device that was shown is the camera from here on, if it still answers (R13); `device` is its [`Device::code`].
    CameraConfirm {
        name: String,
        device: String,
    },
    /// Sets or takes away a camera's sub-stream.
    CameraSub {
        name: String,
        sub_url: Option<String>,
    },
    /// What a camera films, its commune, its groups.
    CameraRights {
        name: String,
        rights: CameraRights,
    },
    /// States what a camera mainly films.
    CameraClass {
        name: String,
        class: CameraClass,
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
    Oidc(oidc::OidcControl),
    /// All of a person's teams, from now on.
    AccountTeams {
        name: Sensitive<String>,
        teams: Vec<String>,
    },
    /// Ends an account's sessions, links and permits at once.
    AccountDisable {
        name: Sensitive<String>,
    },
    /// A person was trained in data protection that day.
    AccountTrained {
        name: Sensitive<String>,
        on: UtcMicros,
    },
    /// A part of a scan, in order; the keeper seals it once it is whole.
    ScanPart(ScanPart),
    /// A kept scan, opened, from `offset` on.
    ScanRead {
        digest: [u8; 32],
        offset: u64,
    },
    /// Papers: all of them are entered, or none.
    ActsEnter(Vec<Draft>),
    /// By number or identity: it holds no more from `from` on.
    ActWithdraw {
        act: String,
        from: Option<UtcMicros>,
    },
    ActList(ActQuery),
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
    CatalogRebuild {
        /// What is missing is lost: its rows go (decision 0059).
        loss_accepted: bool,
    },
    /// Which rules decide, and what waits for a second person.
    Law,
    /// What the rules in force say of a capability at its best; nothing is opened.
    LawAsk {
        action: policy::Action,
        role: AccountRole,
    },
    /// A person proposes a law pack or the town's rules; with none of both, the pack that comes with this program.
    LawPropose {
        person: PersonProof,
        text: LawProposal,
    },
    BreakGlass,
    /// The data-protection officer has examined it.
    BreakGlassAcknowledge {
        person: PersonProof,
        glass: GlassId,
    },
    /// Another person approves it, by the digest that was shown.
    LawApprove {
        person: PersonProof,
        digest: [u8; 32],
    },
    Upkeep(Upkeep),
}

/// A person who acts at the command line: name, password and a code of the second factor.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PersonProof {
    pub account: Sensitive<String>,
    pub password: Sensitive<String>,
    pub code: Sensitive<String>,
}

/// What is proposed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LawProposal {
    /// The pack that came with this program.
    BuiltIn,
    /// Name and text of each file.
    Pack(Vec<(String, String)>),
    /// The town's own rules.
    Town(String),
}

/// Which rules decide.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LawView {
    pub pack: String,
    pub pack_digest: [u8; 32],
    pub town_digest: [u8; 32],
    pub text_fr: String,
    pub text_en: String,
    pub rules: u32,
    pub required_acts: u32,
    pub permits: Vec<String>,
    /// Proposals that wait for a second person.
    pub waiting: Vec<LawWaiting>,
    /// Why nothing is permitted at present.
    pub fault: Option<LawFault>,
    /// The pack of this program is another one than that in force.
    pub other_built_in: Option<String>,
}

/// One proposal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LawWaiting {
    pub is_pack: bool,
    pub digest: [u8; 32],
    pub proposed_at: UtcMicros,
}

/// Why the rules in the registry do not count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LawFault {
    /// They are not those that the ledger names: somebody changed them beside Vigie.
    Changed,
    /// They are not taken by this program: unsigned, or of another schema.
    Refused { what: String },
}

/// What became of a proposal or an approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LawDone {
    /// It waits for another person, who approves this digest. What would change, rule by rule.
    Proposed {
        digest: [u8; 32],
        added: Vec<String>,
        removed: Vec<String>,
        changed: Vec<String>,
    },
    InForce,
    /// Nothing of that digest waits.
    Unknown,
    /// It is what is in force already.
    Same,
    SamePerson,
    /// The account is younger than the proposal, or both are administrators.
    NotThisPerson,
    /// The text is not taken.
    Refused {
        what: String,
    },
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

/// A device that answers at a camera's address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Names this device and no other: the beginning of its fingerprint's SHA-256, in hexadecimal digits.
    pub code: String,
    /// In what it differs from the one that is pinned, in the device's own words.
    pub differences: Vec<Difference>,
    /// It is the one that is pinned.
    pub is_known: bool,
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
    Continued(Box<Continued>),
    Reason(ReasonView),
    Keys(Box<KeyAnswer>),
    Pulse(Box<Pulse>),
    Run(Box<RunAnswer>),
    Cameras {
        version: u64,
        cameras: Vec<RecorderCamera>,
        /// Recorded before and not lawful to record now: what is missing of them has that cause.
        withheld: Vec<StreamId>,
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
    Oidc(Box<oidc::OidcAnswer>),
    CameraViews(CameraViews),
    Hours(Vec<HourFate>),
    Health(Box<KeeperHealth>),
    Reviewed(Box<Reviewed>),
    OwnTrace(Box<TracePage>),
    Status(Box<Status>),
    Probed(Result<Probed, ProbeFailure>),
    CameraAdded {
        camera: CameraId,
    },
    /// The device that answers, or that was confirmed.
    Device(Box<Device>),
    /// A one-time token; the caller makes the link.
    SetupToken {
        token: Sensitive<String>,
        expires: UtcMicros,
    },
    Accounts(Vec<AccountLine>),
    /// So many bytes of a scan are here.
    ScanHeld {
        bytes: u64,
    },
    Scan(ScanPart),
    ActsEntered(Vec<ActId>),
    ActsRefused(Vec<RefusedAct>),
    ActWithdrawn(Box<ActView>),
    Acts {
        acts: Vec<ActView>,
        more: bool,
    },
    Destroyed(Vec<HourFate>),
    Verified(Box<Verified>),
    Clock(Box<ClockView>),
    Confirmation(Confirmation),
    Law(Box<LawView>),
    LawDone(LawDone),
    LawSays(Box<policy::Decision>),
    BreakGlass(Box<GlassView>),
    GlassDone(GlassDone),
    Export(Box<exports::ExportAnswer>),
    Hold(Box<holds::HoldAnswer>),
    Link(Box<links::LinkAnswer>),
    Access(Box<access::AccessAnswer>),
    Paper(Box<papers::PaperAnswer>),
    Wrapping(Box<vault::keeper::Wrapping>),
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
    Retention(Box<RetentionView>),
    BackupMade(BackupMade),
    BackupPart {
        bytes: Sensitive<Vec<u8>>,
    },
    /// None: no restored registry waits.
    Restored(Option<Box<RestoredView>>),
    RestoreDone(RestoreDone),
    DelayLosses(Vec<DelayLoss>),
    DelayDone(DelayDone),
    Delays(Vec<DelayLine>),
    CopyDone(CopyDone),
}

/// One account, as `vigie account list` shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountLine {
    pub name: Sensitive<String>,
    pub role: AccountRole,
    pub closed: bool,
    /// It has a password and a second factor.
    pub ready: bool,
    /// An identity of the provider is its.
    pub bound: bool,
    pub teams: Vec<String>,
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

/// `present`, or why it is away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenHealth {
    pub label: String,
    pub state: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyringHealth {
    pub kind: String,
    /// One word a copy: `present`, or why it is away.
    pub copies: Vec<String>,
    /// The PKCS#11 token behind the root record, where there is one.
    pub token: Option<TokenHealth>,
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

/// What a permit's holder may still do: told to the recorder and to web.
pub type PermitAnswer = Result<Permit, KeeperError>;
