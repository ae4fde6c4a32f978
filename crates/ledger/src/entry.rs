//! What an entry says: when, who, what. JSON in the details; outside the town only its commitment is seen.

use crate::calendar::{Month, hour_text};
use crate::digest::Digest;
use domain::{
    AccessId, ActId, ActKind, CameraId, ExportId, GlassId, HoldEnd, HoldId, Hour, LinkId, LinkStep, PermitId, Purpose,
    ReelId, RequisitionId, RunId, Sensitive, SiteId, Span, UtcMicros, Window,
};
use serde::{Deserialize, Serialize};

domain::identity!(
    /// One log: a town that loses its journal opens another, with another id (vault.md L1).
    LogId
);

/// The version of [`Entry`]'s JSON.
pub const ENTRY_FORMAT: u8 = 1;

/// One entry. Times are trusted time (K9) in microseconds of UTC.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Entry {
    pub format: u8,
    pub at: UtcMicros,
    pub actor: Actor,
    #[serde(flatten)]
    pub event: Event,
}

/// Details that are no entry of a version we know.
#[derive(Debug, thiserror::Error)]
pub enum EntryError {
    #[error("an entry that this program does not know ({0}): a later program wrote it, install that one again")]
    Json(#[from] serde_json::Error),
    #[error(
        "an entry of format {format}, written by a later program: this one reads format {ENTRY_FORMAT}, install the later one again"
    )]
    Format { format: u8 },
}

impl Entry {
    pub fn new(at: UtcMicros, actor: Actor, event: Event) -> Entry {
        Entry { format: ENTRY_FORMAT, at, actor, event }
    }

    /// The details' JSON; the commitment is over exactly these bytes.
    pub fn to_details(&self) -> Result<Vec<u8>, EntryError> {
        Ok(serde_json::to_vec(self)?)
    }

    pub fn from_details(details: &[u8]) -> Result<Entry, EntryError> {
        #[derive(Deserialize)]
        struct Version {
            format: u8,
        }
        let Version { format } = serde_json::from_slice(details)?;
        if format != ENTRY_FORMAT {
            return Err(EntryError::Format { format });
        }
        Ok(serde_json::from_slice(details)?)
    }
}

/// Who did it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "kebab-case")]
pub enum Actor {
    /// The command line, by the user id of its process (P3).
    Cli { uid: u32 },
    /// A person's account.
    Account { id: String, name: Sensitive<String> },
    /// One of our processes.
    Role { role: Role },
    /// The clock: what happens every minute or every hour by itself.
    Schedule,
}

/// Our three processes (P1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    Keeper,
    Recorder,
    Web,
}

/// A camera's key of an hour and when it must die.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct MintedKey {
    pub camera: CameraId,
    pub deadline: UtcMicros,
}

/// An hour of a hold, and when its pictures would be gone without it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct HeldHour {
    #[serde(with = "hour_text")]
    pub hour: Hour,
    pub dies: UtcMicros,
}

/// Why keys of an hour are destroyed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Condemnation {
    /// Its deadline is near (K8).
    Deadline,
    /// An order shortened the delay, or asked for this camera (K7).
    Order,
    /// The disk is too small for the authorised delay (R14).
    DiskTooSmall,
}

/// Ciphertext that could not be deleted after its key died (K10 step 5).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ResidualCiphertext {
    pub reel: ReelId,
    pub bytes: u64,
    pub why: String,
}

/// Two persons lift the town's own permits, for one of them, some cameras and a quarter of an hour. Each entry says all of it again.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct BreakGlass {
    pub change: String,
    pub glass: GlassId,
    /// Who asked, and looks.
    pub who: Sensitive<String>,
    /// Who confirmed; none while it is asked for.
    pub second: Option<Sensitive<String>>,
    pub cameras: Vec<CameraId>,
    pub reason: Sensitive<String>,
    /// Until when it is open at the latest.
    pub until: Option<UtcMicros>,
}

/// What happened. Before the effect: mint, look, refusal, destruction, configuration, start; after it, within one reel:
/// reels and recorder-hours (L3).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// The first entry of a site's first log.
    Opened {
        site: SiteId,
        log: LogId,
    },
    /// The first entry of a log that follows a lost one; names the last checkpoint that is left of that (L1).
    Successor {
        site: SiteId,
        log: LogId,
        old_log: Option<LogId>,
        old_checkpoint: Option<String>,
    },
    /// A program starts; the digest is SHA-256 of its file.
    Start {
        program: String,
        version: String,
        digest_hex: String,
        role: Role,
    },
    Stop {
        role: Role,
    },
    /// A recorder's run and the key it signs with, certified by the site key (R5, R9).
    Run {
        run: RunId,
        public_key_hex: String,
        anchor: UtcMicros,
    },
    /// Keys of an hour's page come to life. A camera added later is a further mint; a repetition changes nothing (L3).
    Mint {
        #[serde(with = "hour_text")]
        hour: Hour,
        cameras: Vec<MintedKey>,
    },
    /// Deadlines move, earlier only (K7).
    Shortened {
        #[serde(with = "hour_text")]
        hour: Hour,
        cameras: Vec<MintedKey>,
    },
    /// Somebody looks, by a permit of the gate. `span` is none for live pictures.
    Look {
        permit: PermitId,
        who: Sensitive<String>,
        role: String,
        live: bool,
        cameras: Vec<CameraId>,
        span: Option<Span>,
        purpose: Purpose,
        reason: Sensitive<String>,
        /// Number of the look under which a person stated this reason, where this look goes on under it; none: stated for it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stated: Option<u64>,
        rules: Vec<String>,
    },
    LookEnded {
        permit: PermitId,
    },
    /// A line of the register of requisitions: entered, completed, refused, answered.
    Requisition {
        change: String,
        requisition: RequisitionId,
        /// Year and number, without a gap (REQ-05).
        number: String,
        framework: String,
        who: Sensitive<String>,
        /// SHA-256 of the scan.
        digest_hex: Option<String>,
        /// SHA-256 of all its facts as the registry has them, as JSON: a row that was edited differs.
        content_hex: String,
    },
    /// A line of the register of requests for access (CSI L253-5, R253-6): entered, completed, its person seen, answered.
    Access {
        change: String,
        request: AccessId,
        /// Year and number, without a gap.
        number: String,
        who: Sensitive<String>,
        /// Of an answer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        outcome: Option<String>,
        /// SHA-256 of all its facts as the registry has them, as JSON: a row that was edited differs.
        content_hex: String,
    },
    /// Footage is about to leave, by a permit of the gate. `second` is the other person.
    Export {
        export: ExportId,
        who: Sensitive<String>,
        role: String,
        second: Option<Sensitive<String>>,
        requisition: RequisitionId,
        number: String,
        purpose: Purpose,
        windows: Vec<Window>,
        rules: Vec<String>,
        /// The public key (age) for which its package is sealed; none: by a passphrase, the declared exception.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        sealed_to: Option<String>,
    },
    /// The package is made; its manifest has this digest.
    Exported {
        export: ExportId,
        manifest: Digest,
        files: u32,
        bytes: u64,
    },
    /// A link by which its sealed package may be fetched; only digests of what opens it.
    LinkMade {
        link: LinkId,
        export: ExportId,
        requisition: RequisitionId,
        number: String,
        who: Sensitive<String>,
        /// To whom the link goes, in the town's words.
        recipient: Sensitive<String>,
        until: UtcMicros,
        downloads: u8,
        /// SHA-256 of its token, and of token and code.
        token: Digest,
        code: Digest,
    },
    /// What happened at it: a fetch before its first byte, an attempt before its refusal.
    Link {
        link: LinkId,
        export: ExportId,
        step: LinkStep,
    },
    /// The town's own copy of a package that was handed over is gone: its files are deleted, and looked for again.
    CopyDestroyed {
        export: ExportId,
        bytes: u64,
    },
    /// Footage is frozen before its requisition comes: its chunks' keys are wrapped under the hold's own, one an hour (K12).
    Hold {
        hold: HoldId,
        /// In the order in which they were asked for.
        number: u32,
        who: Sensitive<String>,
        role: String,
        /// Who asked for it, of which service.
        requester: Sensitive<String>,
        reason: Sensitive<String>,
        windows: Vec<Window>,
        hours: Vec<HeldHour>,
    },
    /// Its paper is there: it lasts until the package is handed over, and not beyond `until`.
    HoldBound {
        hold: HoldId,
        who: Sensitive<String>,
        requisition: RequisitionId,
        /// Of the register.
        number: String,
        until: UtcMicros,
    },
    /// Its pictures are in the reserve, as they were sealed.
    HoldKept {
        hold: HoldId,
        reels: u32,
        bytes: u64,
        /// Reels of it whose keys had died before, or that are gone.
        missing: u32,
    },
    /// Before these hours' keys of the hold die.
    HoldEnded {
        hold: HoldId,
        hours: Vec<HeldHour>,
        why: HoldEnd,
    },
    /// After it: no copy of the keyring has them.
    HoldDestroyed {
        hold: HoldId,
        hours: Vec<HeldHour>,
        generation: u64,
        custodian: String,
        copies: u8,
    },
    /// The gate said no; `rules` say which did.
    Refusal {
        who: Sensitive<String>,
        role: String,
        action: String,
        cameras: Vec<CameraId>,
        span: Option<Span>,
        purpose: Option<Purpose>,
        reason: Option<Sensitive<String>>,
        rules: Vec<String>,
    },
    /// Somebody reads what was done: words and counts, never pictures. Before the answer, as a look (L3).
    Review {
        who: Sensitive<String>,
        role: String,
        /// `trace`, `accounts`, `questions`, or `name`: two persons see who stands behind a pseudonym.
        what: String,
        span: Option<Span>,
        reason: Sensitive<String>,
        /// For `name`: the pseudonym of this span, the second person, and whose name is shown.
        pseudonym: Option<String>,
        second: Option<Sensitive<String>>,
        named: Option<Sensitive<String>>,
    },
    /// A reel is closed (recovered ones too); `root` is over its streams' roots of chunk digests.
    Reel {
        reel: ReelId,
        run: RunId,
        #[serde(with = "hour_text")]
        hour: Hour,
        deadline: UtcMicros,
        root: Digest,
        bytes: u64,
        streams: u32,
    },
    /// A reel that a crash had left open was cut after `cut_bytes`; frames received after `lost_after` are gone (R5).
    Recovered {
        reel: ReelId,
        cut_bytes: u64,
        lost_after: Option<UtcMicros>,
    },
    /// A run's hour is closed: how many reels, and [`crate::root_of`] their roots in the order of their entries.
    RecorderHour {
        run: RunId,
        #[serde(with = "hour_text")]
        hour: Hour,
        reels: u32,
        root: Digest,
    },
    /// These keys are about to die; nobody opens anything of theirs any more (K10 step 2).
    Condemned {
        #[serde(with = "hour_text")]
        hour: Hour,
        cameras: Vec<CameraId>,
        why: Condemnation,
    },
    /// These keys are dead on every copy of the keyring, read back (K10 step 4). `generation` is the root record's.
    Destroyed {
        #[serde(with = "hour_text")]
        hour: Hour,
        cameras: Vec<CameraId>,
        generation: u64,
        custodian: String,
        copies: u8,
    },
    /// The space of an hour is free; what could not be deleted is listed (K10 step 6).
    Tombstone {
        #[serde(with = "hour_text")]
        hour: Hour,
        reels: Vec<ReelId>,
        residual: Vec<ResidualCiphertext>,
    },
    /// The log's retention is over for this month: its log key is about to die, and with it the details of all entries of
    /// this month; those of earlier months died before (L2). `keys_destroyed` counts the camera-hours that are entered as
    /// destroyed up to the month's end, `carried` the entries that stand in no living month any more and were made again.
    LogKeyCondemned {
        month: Month,
        retention_months: u32,
        keys_destroyed: u64,
        carried: u64,
    },
    /// The log key of a month is dead on every copy of the keyring, read back.
    LogKeyDestroyed {
        month: Month,
        generation: u64,
        custodian: String,
        copies: u8,
    },
    /// A camera was added, changed, confirmed or removed.
    Camera {
        change: String,
        camera: CameraId,
        details: String,
    },
    Account {
        change: String,
        name: Sensitive<String>,
        role: String,
    },
    /// A paper was entered, or withdrawn from `until` on. Neither cameras nor a person: it is about the whole site.
    Act {
        change: String,
        act: ActId,
        kind: ActKind,
        number: String,
        signatory: Sensitive<String>,
        person: Option<Sensitive<String>>,
        cameras: Vec<CameraId>,
        from: UtcMicros,
        until: Option<UtcMicros>,
        /// SHA-256 of its scan.
        digest_hex: Option<String>,
        /// SHA-256 of all its facts as the registry has them, as JSON: a row that was edited differs.
        content_hex: String,
    },
    Session {
        change: String,
        name: Sensitive<String>,
    },
    Config {
        what: String,
    },
    /// A law pack or the town's own rules: what is in force when the keeper starts, what one person proposes, what another
    /// approves. The digests are those of everything in force, or about to be, after this entry.
    Law {
        change: String,
        who: Option<Sensitive<String>>,
        pack: String,
        pack_digest: Digest,
        town_digest: Digest,
    },
    /// Break-glass is asked for, opened, ended, acknowledged.
    BreakGlass(BreakGlass),
    /// The clocks agree, or do not (K9).
    Clocks {
        state: String,
    },
    /// The footage catalog was rebuilt from reels (P7).
    Rebuild {
        reels: u64,
        why: String,
    },
    /// A sync was slower than its bound (R1).
    Slow {
        what: String,
        sync_ms: u64,
    },
    /// Bytes of a closed reel are no longer those that were signed: what differs lies within `from` to `to` of the reel, which
    /// the disk has in `slot`.
    Damaged {
        reel: ReelId,
        #[serde(with = "hour_text")]
        hour: Hour,
        slot: u32,
        from: u64,
        to: u64,
    },
    /// Nothing happened: padding of a batch (L4). From outside it looks like every other entry.
    Dummy,
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::HourLength;

    fn hour() -> Hour {
        HourLength::PRODUCT.hour_of(UtcMicros::from_seconds(1_773_324_000))
    }

    #[test]
    fn a_mint_reads_as_people_read() {
        let camera = MintedKey { camera: CameraId([0xab; 16]), deadline: UtcMicros(5) };
        let mint = Event::Mint { hour: hour(), cameras: vec![camera] };
        let entry = Entry::new(UtcMicros(3), Actor::Role { role: Role::Keeper }, mint);
        let json = String::from_utf8(entry.to_details().unwrap()).unwrap();
        let expected = format!(
            r#"{{"format":1,"at":3,"actor":{{"by":"role","role":"keeper"}},"event":"mint","hour":"2026-03-12T14:00Z","cameras":[{{"camera":"{}","deadline":5}}]}}"#,
            "ab".repeat(16)
        );
        assert_eq!(json, expected);
    }

    #[test]
    fn every_event_reads_back_as_written() {
        for event in every_event() {
            let actor = Actor::Account { id: "7".into(), name: Sensitive::new("operator".into()) };
            let entry = Entry::new(UtcMicros(i64::MAX), actor, event);
            assert_eq!(Entry::from_details(&entry.to_details().unwrap()).unwrap(), entry);
        }
    }

    #[test]
    fn an_unknown_format_is_refused_by_its_number() {
        let details = br#"{"format":2,"whatever":true}"#;
        assert!(matches!(Entry::from_details(details), Err(EntryError::Format { format: 2 })));
    }

    #[test]
    fn a_name_or_a_reason_never_prints() {
        for event in every_event() {
            assert!(!format!("{event:?}").contains("secret"), "{event:?}");
        }
    }

    fn every_event() -> Vec<Event> {
        let (name, hour, camera, text) =
            (Sensitive::new("secret".to_owned()), hour(), CameraId([1; 16]), String::from("text"));
        let (reel, run, permit, root) = (ReelId([2; 16]), RunId([3; 16]), PermitId([4; 16]), Digest([5; 32]));
        let (site, log, at) = (SiteId([6; 16]), LogId([7; 16]), UtcMicros(8));
        let (cameras, keys) = (vec![camera], vec![MintedKey { camera, deadline: at }]);
        let short = HourLength::SIMULATED.hour_of(UtcMicros::from_seconds(1_773_324_600));
        vec![
            Event::Opened { site, log },
            Event::Successor { site, log, old_log: None, old_checkpoint: Some(text.clone()) },
            Event::Start { program: text.clone(), version: text.clone(), digest_hex: text.clone(), role: Role::Web },
            Event::Stop { role: Role::Recorder },
            Event::Run { run, public_key_hex: text.clone(), anchor: at },
            Event::Mint { hour, cameras: keys.clone() },
            Event::Shortened { hour: short, cameras: keys },
            Event::Look {
                permit,
                who: name.clone(),
                role: text.clone(),
                live: false,
                cameras: cameras.clone(),
                span: Span::new(UtcMicros(1), UtcMicros(2)).ok(),
                purpose: Purpose::SafetyOfPersonsAndProperty,
                reason: name.clone(),
                stated: Some(u64::MAX),
                rules: vec![text.clone()],
            },
            Event::LookEnded { permit },
            Event::Requisition {
                change: text.clone(),
                requisition: RequisitionId([11; 16]),
                number: text.clone(),
                framework: text.clone(),
                who: name.clone(),
                digest_hex: Some(text.clone()),
                content_hex: text.clone(),
            },
            Event::Access {
                change: text.clone(),
                request: AccessId([14; 16]),
                number: text.clone(),
                who: name.clone(),
                outcome: Some(text.clone()),
                content_hex: text.clone(),
            },
            Event::Export {
                export: ExportId([12; 16]),
                who: name.clone(),
                role: text.clone(),
                second: Some(name.clone()),
                requisition: RequisitionId([11; 16]),
                number: text.clone(),
                purpose: Purpose::SafetyOfPersonsAndProperty,
                windows: vec![Window { camera, span: Span::new(UtcMicros(1), UtcMicros(2)).unwrap() }],
                rules: vec![text.clone()],
                sealed_to: Some(text.clone()),
            },
            Event::Exported { export: ExportId([12; 16]), manifest: root, files: 3, bytes: u64::MAX },
            Event::Hold {
                hold: HoldId([13; 16]),
                number: 7,
                who: name.clone(),
                role: text.clone(),
                requester: name.clone(),
                reason: name.clone(),
                windows: vec![Window { camera, span: Span::new(UtcMicros(1), UtcMicros(2)).unwrap() }],
                hours: vec![HeldHour { hour, dies: at }, HeldHour { hour: short, dies: at }],
            },
            Event::HoldBound {
                hold: HoldId([13; 16]),
                who: name.clone(),
                requisition: RequisitionId([11; 16]),
                number: text.clone(),
                until: at,
            },
            Event::HoldKept { hold: HoldId([13; 16]), reels: 3, bytes: u64::MAX, missing: 1 },
            Event::HoldEnded {
                hold: HoldId([13; 16]),
                hours: vec![HeldHour { hour, dies: at }, HeldHour { hour: short, dies: at }],
                why: HoldEnd::Lifted,
            },
            Event::HoldDestroyed {
                hold: HoldId([13; 16]),
                hours: vec![HeldHour { hour, dies: at }],
                generation: u64::MAX,
                custodian: text.clone(),
                copies: 2,
            },
            Event::Refusal {
                who: name.clone(),
                role: text.clone(),
                action: text.clone(),
                cameras: cameras.clone(),
                span: None,
                purpose: None,
                reason: Some(name.clone()),
                rules: vec![],
            },
            Event::Review {
                who: name.clone(),
                role: text.clone(),
                what: text.clone(),
                span: None,
                reason: name.clone(),
                pseudonym: Some(text.clone()),
                second: Some(name.clone()),
                named: Some(name.clone()),
            },
            Event::Reel { reel, run, hour, deadline: at, root, bytes: u64::MAX, streams: 3 },
            Event::Recovered { reel, cut_bytes: 4096, lost_after: Some(at) },
            Event::RecorderHour { run, hour, reels: 2, root },
            Event::Condemned { hour, cameras: cameras.clone(), why: Condemnation::DiskTooSmall },
            Event::Destroyed { hour, cameras, generation: 9, custodian: text.clone(), copies: 2 },
            Event::Tombstone {
                hour,
                reels: vec![reel],
                residual: vec![ResidualCiphertext { reel, bytes: 1, why: text.clone() }],
            },
            Event::LogKeyCondemned { month: Month::of(at), retention_months: 12, keys_destroyed: u64::MAX, carried: 1 },
            Event::LogKeyDestroyed { month: Month::of(at), generation: 9, custodian: text.clone(), copies: 2 },
            Event::Camera { change: text.clone(), camera, details: text.clone() },
            Event::Account { change: text.clone(), name: name.clone(), role: text.clone() },
            Event::Act {
                change: text.clone(),
                act: ActId([9; 16]),
                kind: ActKind::Authorisation,
                number: text.clone(),
                signatory: name.clone(),
                person: Some(name.clone()),
                cameras: vec![camera],
                from: at,
                until: None,
                digest_hex: Some(text.clone()),
                content_hex: text.clone(),
            },
            Event::Session { change: text.clone(), name: name.clone() },
            Event::Config { what: text.clone() },
            Event::Law {
                change: text.clone(),
                who: Some(Sensitive::new("secret".into())),
                pack: text.clone(),
                pack_digest: root,
                town_digest: root,
            },
            Event::BreakGlass(BreakGlass {
                change: text.clone(),
                glass: GlassId([10; 16]),
                who: name.clone(),
                second: Some(name.clone()),
                cameras: vec![camera],
                reason: name.clone(),
                until: Some(at),
            }),
            Event::Clocks { state: text.clone() },
            Event::Rebuild { reels: 1, why: text.clone() },
            Event::Slow { what: text, sync_ms: 401 },
            Event::Damaged { reel, hour, slot: 7, from: 4096, to: u64::MAX },
            Event::Dummy,
        ]
    }
}
