//! A keeper and a recorder that answer from a script, and a server in front of them.
#![allow(dead_code)] // each test program uses a part

pub mod access;
pub mod exports;
pub mod links;
pub mod papers;
pub mod served;

use axum::{
    Router,
    body::Body,
    http::{Request, Response},
};
use domain::{
    CameraId, Clock, Codec, GlassId, Hour, HourLength, MediaTicks, PermitId, Purpose, Random, ReelId, Secret32,
    Sensitive, Span, StreamId, StreamKind, UtcMicros,
    limit::MESSAGE_BYTES_MAX,
    world::{BootId, BootMicros},
};
use http_body_util::BodyExt;
use keeper::{
    review::words::{
        AccountReview, AccountsPage, ActOfPerson, Asks, Cameras, Done, EndedMonth, NameShown, QuestionsPage, ReviewOf,
        Reviewed, RuleWords, Totals, TraceLine, TracePage, WasRefused, WorthAsking,
    },
    socket::{KeeperClient, read_message, write_message},
    wire::{
        Answer, CameraView, CameraViews, Continued, DestructionHealth, FateState, Finding, FindingState, GlassDone,
        GlassLine, GlassMay, GlassState, GlassView, HeldReason, HourFate, KeeperHealth, KeyringHealth, LedgerHealth,
        Peer, Question, ReasonOver, ReasonView, RequiredAct, SessionView, SetUpBegun, SiteView,
    },
};
use media::{Frame, FrameKind, ParameterSets};
use std::{
    os::unix::net::{UnixListener, UnixStream},
    path::Path,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
};
use tower::ServiceExt;
use vault::{
    KeeperError, Location,
    keeper::{KeyAnswer, KeyQuery, Permit, ReelKeys, Refused, RefusedReason, Verdict, View},
    service::{LIVE_MESSAGE_BYTES_MAX, LiveFrame, LiveMessage, Located, RecorderAnswer, RecorderAsk, Timeline},
};
use web::WebConfig;

/// Session secret, password and reason that must be found nowhere.
pub const SECRET: &str = "c2VjcmV0LW9mLXRoZS1zZXNzaW9u";
pub const PASSWORD: &str = "un mot de passe de passage";
pub const OTPAUTH: &str = "otpauth://totp/Vigie%20Ville:administrateur?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
pub const REASON: &str = "Un motif de plus de dix lettres";
pub const COOKIE: &str = "vigie-session=c2VjcmV0LW9mLXRoZS1zZXNzaW9u";
pub const NOW: UtcMicros = UtcMicros(1_784_000_000_000_000);
pub const CAMERA: CameraId = CameraId([0xca; 16]);
/// It has a sub-stream; `CAMERA` has none.
pub const CAMERA_WITH_SUB: CameraId = CameraId([0xcb; 16]);
pub const GLASS: GlassId = GlassId([0x61; 16]);
pub const PERMIT: PermitId = PermitId([0x9e; 16]);

/// Reels that keeper and recorder know; set by the program that tests replay.
/// Whether the keeper takes its permits back.
pub static REVOKED: AtomicBool = AtomicBool::new(false);

pub static REELS: OnceLock<Vec<FakeReel>> = OnceLock::new();

pub struct FakeReel {
    pub located: Located,
    pub keys: ReelKeys,
    pub first: UtcMicros,
    pub last: UtcMicros,
}

pub struct Hands(pub AtomicI64);

impl Clock for Hands {
    fn utc(&self) -> UtcMicros {
        UtcMicros(NOW.0 + self.0.load(Ordering::Relaxed))
    }
    fn boot(&self) -> BootMicros {
        BootMicros(self.0.load(Ordering::Relaxed))
    }
    fn boot_id(&self) -> BootId {
        BootId::default()
    }
}

struct Counting;

impl Random for Counting {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.iter_mut().zip(1u8..).for_each(|(byte, count)| *byte = count);
    }
}

/// The server's configuration and what it stands on.
pub struct Town {
    pub clock: Arc<Hands>,
    keeper: std::path::PathBuf,
    recorder: std::path::PathBuf,
    _folder: tempfile::TempDir,
}

impl Town {
    pub fn new() -> Town {
        let folder = tempfile::tempdir().unwrap();
        let (keeper, recorder) = (folder.path().join("keeper"), folder.path().join("recorder"));
        listen(&keeper, |mut stream| {
            while let Ok(Some(question)) = read_message(&mut stream, MESSAGE_BYTES_MAX) {
                write_message(&mut stream, &answer(question), MESSAGE_BYTES_MAX).unwrap();
            }
        });
        listen(&recorder, |mut stream| {
            let hello: Option<Question> = read_message(&mut stream, MESSAGE_BYTES_MAX).unwrap();
            assert!(matches!(hello, Some(Question::Hello { peer: Peer::Web, .. })));
            write_message(&mut stream, &Answer::Done, MESSAGE_BYTES_MAX).unwrap();
            if let Ok(Some(ask)) = read_message(&mut stream, MESSAGE_BYTES_MAX) {
                record(ask, &mut stream);
            }
        });
        Town { clock: Arc::new(Hands(AtomicI64::new(0))), keeper, recorder, _folder: folder }
    }

    pub fn config(&self) -> WebConfig {
        WebConfig {
            keeper: Arc::new(KeeperClient::role(&self.keeper, Peer::Web, Secret32::new([1; 32]))),
            recorder_socket: self.recorder.clone(),
            recorder_secret: Secret32::new([2; 32]),
            store: None,
            clock: self.clock.clone(),
            random: Arc::new(Counting),
            version: "0.0.0".into(),
            address: "http://localhost:8080".into(),
            tls: None,
            oidc: None,
            outside: None,
            retention: None,
            cosigned: None,
            timestamp: None,
            packages: None,
            reserve: None,
            papers: None,
            links: None,
            viewing: None,
        }
    }

    pub fn router(&self) -> Router {
        web::router(self.config())
    }

    pub fn pass_seconds(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds * 1_000_000, Ordering::Relaxed);
    }
}

/// A request of the console: host, cookie and header as they should be.
pub fn request(method: &str, path: &str, body: Option<&str>) -> Request<Body> {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "127.0.0.1:8080")
        .header("vigie-request", "1")
        .header("cookie", COOKIE);
    match body {
        Some(body) => request.header("content-type", "application/json").body(Body::from(body.to_owned())).unwrap(),
        None => request.body(Body::empty()).unwrap(),
    }
}

pub async fn send(router: &Router, request: Request<Body>) -> Response<Body> {
    router.clone().oneshot(request).await.unwrap()
}

pub async fn json(response: Response<Body>) -> serde_json::Value {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    serde_json::from_slice(&bytes).unwrap_or_default()
}

/// Reads a body until `enough`.
pub async fn read_until(body: &mut Body, enough: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let mut all = Vec::new();
    while !enough(&all) {
        let Some(frame) = body.frame().await else { break };
        all.extend_from_slice(frame.unwrap().data_ref().unwrap());
    }
    all
}

pub fn live_look() -> String {
    look("live", "")
}

pub fn replay_look() -> String {
    let (from, to) = (NOW.plus_seconds(-600), NOW);
    look("replay", &format!(r#""from":"{from}","to":"{to}","#))
}

fn look(kind: &str, span: &str) -> String {
    look_at(&format!("\"{CAMERA}\""), kind, span)
}

/// Of both cameras.
pub fn both_live() -> String {
    look_at(&format!("\"{CAMERA}\",\"{CAMERA_WITH_SUB}\""), "live", "")
}

/// Of both cameras' last ten minutes.
pub fn both_replay() -> String {
    let (from, to) = (NOW.plus_seconds(-600), NOW);
    look_at(&format!("\"{CAMERA}\",\"{CAMERA_WITH_SUB}\""), "replay", &format!(r#""from":"{from}","to":"{to}","#))
}

fn look_at(cameras: &str, kind: &str, span: &str) -> String {
    format!(r#"{{"kind":"{kind}","cameras":[{cameras}],{span}"purpose":5,"reason":"{REASON}"}}"#)
}

fn listen(path: &Path, serve: impl Fn(UnixStream) + Send + Sync + Copy + 'static) {
    let listener = UnixListener::bind(path).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            std::thread::spawn(move || serve(stream));
        }
    });
}

/// The keeper's script: one operator, one camera, one permit.
fn answer(question: Question) -> Answer {
    let is_ours = |session: &Sensitive<String>| session.reveal() == SECRET;
    let view = || SessionView {
        account: [3; 16],
        name: Sensitive::new("operateur".into()),
        role: serde_json::from_str("\"operator\"").unwrap(),
        expires: NOW.plus_seconds(3_600),
        locks: NOW.plus_seconds(600),
    };
    match question {
        Question::Hello { .. } => Answer::Done,
        Question::Site => {
            Answer::Site(SiteView { name: "Ville de démonstration".into(), hour_seconds: 3_600, setup_needed: true })
        }
        Question::SignIn { name, .. } if name.reveal() == "bloque" => Answer::Denied { wait_seconds: 30 },
        Question::SignIn { password, .. } if password.reveal() == PASSWORD => Answer::SignedIn {
            session: Sensitive::new(SECRET.into()),
            view: view(),
            device: Sensitive::new("d1".into()),
        },
        Question::SetUp { token, code, .. } if token.reveal() == "jeton" && code.reveal() == "123456" => {
            let recovery = vec![Sensitive::new("0000-1111".into())];
            Answer::SetUp { name: Sensitive::new("administrateur".into()), role: view().role, recovery }
        }
        Question::SetUp { token, .. } if token.reveal() == "jeton" => Answer::WrongCode { wait_seconds: 0 },
        Question::SetUpBegin { token } if token.reveal() == "jeton" => {
            let otpauth = Sensitive::new(OTPAUTH.into());
            Answer::SetUpBegun(SetUpBegun { name: Sensitive::new("administrateur".into()), role: view().role, otpauth })
        }
        Question::SignIn { .. } | Question::SetUp { .. } | Question::SetUpBegin { .. } => {
            Answer::Denied { wait_seconds: 0 }
        }
        Question::Session { session, .. }
        | Question::SignOut { session }
        | Question::SeeCameras { session }
        | Question::SeeHealth { session }
        | Question::SeeHours { session, .. }
        | Question::EndLook { session, .. }
        | Question::PasskeyBegin { session, .. }
        | Question::PasskeyAdd { session, .. }
        | Question::PasskeyList { session }
        | Question::PasskeyRemove { session, .. }
        | Question::OwnTrace { session, .. }
        | Question::SeeBreakGlass { session }
        | Question::BreakGlassAsk { session, .. }
        | Question::BreakGlassConfirm { session, .. }
        | Question::BreakGlassEnd { session, .. }
        | Question::BreakGlassAcknowledge { session, .. }
        | Question::Pass { session, .. }
        | Question::ContinueLook { session, .. }
        | Question::Reason { session }
        | Question::EndReason { session }
            if !is_ours(&session) =>
        {
            Answer::Failed(KeeperError::NoSession)
        }
        Question::Alive { permits } => Answer::Alive(permits.iter().map(|_| !REVOKED.load(Ordering::SeqCst)).collect()),
        Question::PasskeyAsk { .. } | Question::PasskeyBegin { .. } => {
            Answer::Ceremony { id: [7; 16], options: Sensitive::new(r#"{"publicKey":{"challenge":"AAAA"}}"#.into()) }
        }
        Question::PasskeySignIn { ceremony, credential } => {
            let is_known = ceremony == [7; 16] && credential.reveal() == r#"{"id":"k"}"#;
            let session = Sensitive::new(SECRET.into());
            let device = Sensitive::new("d1".into());
            if is_known {
                Answer::SignedIn { session, view: view(), device }
            } else {
                Answer::Denied { wait_seconds: 0 }
            }
        }
        Question::Export(ask) if !is_ours(ask.session()) => Answer::Failed(KeeperError::NoSession),
        Question::Export(ask) => exports::answer(*ask),
        Question::Access(ask) if !is_ours(ask.session()) => Answer::Failed(KeeperError::NoSession),
        Question::Access(ask) => access::answer(*ask),
        Question::Paper(ask) if !is_ours(ask.session()) => Answer::Failed(KeeperError::NoSession),
        Question::Paper(ask) => papers::answer(*ask),
        Question::Hold(ask) if !is_ours(ask.session()) => Answer::Failed(KeeperError::NoSession),
        Question::Hold(ask) => exports::hold_answer(*ask),
        Question::Link(ask) if ask.session().is_some_and(|session| !is_ours(session)) => {
            Answer::Failed(KeeperError::NoSession)
        }
        Question::Link(ask) => links::answer(*ask),
        Question::Review(ask) if !is_ours(&ask.session) => Answer::Failed(KeeperError::NoSession),
        Question::Review(ask) => Answer::Reviewed(Box::new(reviewed(&ask.what))),
        Question::OwnTrace { .. } => Answer::OwnTrace(Box::new(TracePage { entry: None, totals: None, ..trace() })),
        Question::Session { .. } => Answer::Session(view()),
        Question::SignOut { .. } => Answer::Done,
        Question::EndLook { permit, .. } if permit == PERMIT => Answer::Done,
        Question::EndLook { .. } => Answer::Failed(KeeperError::NoPermit),
        Question::Pass { ask, .. } => Answer::Verdict(Box::new(match ask.purpose {
            Some(purpose) => Verdict::Allowed(permit(ask.view, ask.cameras, purpose)),
            None => Verdict::Refused(refused()),
        })),
        // the script's reason holds for the first camera, has another purpose than the second, is over for anything past
        Question::ContinueLook { view, cameras, .. } => Answer::Continued(Box::new(match view {
            View::Replay(_) | View::Export(_) => Continued::Over(ReasonOver::TimeOver),
            View::Live if cameras.is_empty() => Continued::Over(ReasonOver::NotStated),
            View::Live if cameras.contains(&CAMERA_WITH_SUB) => Continued::Over(ReasonOver::OtherPurpose),
            View::Live => {
                let verdict = Verdict::Allowed(permit(view, cameras, Purpose::SafetyOfPersonsAndProperty));
                Continued::Decided { verdict, under: held() }
            }
        })),
        Question::Reason { .. } => {
            let recent = vec![(held().purpose, held().reason)];
            Answer::Reason(ReasonView { held: Some(held()), recent })
        }
        Question::EndReason { .. } => Answer::Done,
        Question::SeeCameras { .. } => Answer::CameraViews(CameraViews {
            cameras: [CAMERA, CAMERA_WITH_SUB]
                .map(|id| CameraView {
                    id,
                    name: "Place de l’Église".into(),
                    place: "Place de l’Église".into(),
                    delay_days: 30,
                    purposes: vec![Purpose::SafetyOfPersonsAndProperty],
                    since: NOW,
                    has_sub: id == CAMERA_WITH_SUB,
                    missing: vec![],
                    order_end: None,
                    rights: Default::default(),
                    class: None,
                    shortfalls: vec![],
                })
                .into(),
            required: vec![],
        }),
        Question::SeeBreakGlass { .. } => Answer::BreakGlass(Box::new(glass_view())),
        Question::BreakGlassAsk { password, .. } if password.reveal() != PASSWORD => Answer::Denied { wait_seconds: 0 },
        Question::BreakGlassAsk { .. } => Answer::GlassDone(GlassDone::Asked { glass: GLASS }),
        Question::BreakGlassConfirm { person, .. } => Answer::GlassDone(match person.account.reveal().as_str() {
            "operateur" => GlassDone::SamePerson,
            "admin" => GlassDone::NotThisPerson,
            _ => GlassDone::Open { glass: GLASS, until: NOW.plus_seconds(900) },
        }),
        Question::BreakGlassEnd { glass, .. } if glass == GLASS => Answer::GlassDone(GlassDone::Ended),
        Question::BreakGlassEnd { .. } => Answer::GlassDone(GlassDone::Unknown),
        Question::BreakGlassAcknowledge { .. } => Answer::GlassDone(GlassDone::NotTheOfficer),
        Question::SeeHours { span, .. } => Answer::Hours(vec![fate(span)]),
        Question::Keys(query) => keys(&query),
        Question::SeeHealth { .. } => Answer::Health(Box::new(health())),
        other => panic!("the console's server asks no such thing: {other:?}"),
    }
}

/// Keys of the reels asked for, the one with the group's start included.
fn keys(query: &KeyQuery) -> Answer {
    let asked = |reel: &&FakeReel| query.parts.iter().any(|part| part.reel == reel.located.reel);
    let reels = REELS.get().into_iter().flatten().filter(asked);
    let touched = reels.filter(|reel| query.span.touches(reel.first, reel.last));
    Answer::Keys(Box::new(KeyAnswer { reels: touched.map(|reel| reel.keys.clone()).collect(), needs: None }))
}

fn permit(view: View, cameras: Vec<CameraId>, purpose: Purpose) -> Permit {
    let expires = NOW.plus_seconds(3_600);
    Permit { id: PERMIT, account: [3; 16], cameras, view, purpose, leaf: 41, expires, glass: None, code: [0; 32] }
}

fn glass_view() -> GlassView {
    let line = GlassLine {
        id: GLASS,
        state: GlassState::Asked,
        who: Some(Sensitive::new("operateur".into())),
        second: None,
        reason: Some(Sensitive::new(REASON.into())),
        cameras: vec![CAMERA],
        at: NOW,
        until: None,
        looks: 0,
        may: vec![GlassMay::Confirm, GlassMay::End],
    };
    GlassView { now: NOW, seconds: 900, text_fr: "texte".into(), text_en: "text".into(), lines: vec![line] }
}

/// The keeper's script of reviews: a look and a refusal, one account, no information of the staff, one name.
fn reviewed(what: &ReviewOf) -> Reviewed {
    match what {
        ReviewOf::Trace { .. } => Reviewed::Trace(trace()),
        ReviewOf::Accounts => {
            Reviewed::Accounts(AccountsPage { entry: 51, accounts: vec![account()], required: vec![approval()] })
        }
        ReviewOf::Questions { span } if span.micros() == 1_000_000 => Reviewed::Refused(refused()),
        ReviewOf::Questions { .. } => Reviewed::Questions(QuestionsPage {
            entry: 52,
            informed_from: NOW,
            questions: vec![WorthAsking {
                about: Asks::Place { camera: "Gare".into() },
                who: "K7QD-2MNX".into(),
                looks: vec![(40, NOW)],
                more: false,
            }],
            more: false,
        }),
        ReviewOf::Name { code, .. } if code.reveal() == "2" => Reviewed::Denied { wait_seconds: 0 },
        ReviewOf::Name { code, .. } if code.reveal() == "3" => Reviewed::Denied { wait_seconds: 30 },
        ReviewOf::Name { pseudonym, .. } => Reviewed::Name(NameShown {
            entry: 53,
            pseudonym: pseudonym.clone(),
            name: Sensitive::new("operateur".into()),
            role: domain::Role::Operator,
        }),
    }
}

fn trace() -> TracePage {
    let reason = || Sensitive::new(REASON.to_owned());
    let cameras = Cameras { names: vec!["Gare".into()], more: 2 };
    let purpose = Purpose::SafetyOfPersonsAndProperty;
    let who = || Some("K7QD-2MNX".to_owned());
    let looked = Done::Looked { live: true, cameras: cameras.clone(), span: None, purpose, reason: reason() };
    let rules = vec!["purpose-named".to_owned()];
    let refused = WasRefused {
        action: "replay".into(),
        cameras,
        span: Span::new(NOW, NOW.plus_seconds(1)).ok(),
        purpose: None,
        reason: None,
        rules,
    };
    let words = RuleWords { text_fr: "Aucune finalité.".into(), text_en: "No purpose.".into() };
    let ended = EndedMonth {
        month: "2025-06".into(),
        first: 0,
        last: 31,
        ended: Some((33, NOW)),
        log_size: 50,
        root_hex: "00".repeat(32),
    };
    TracePage {
        entry: Some(50),
        lines: vec![
            TraceLine { entry: 49, at: NOW, who: who(), done: Done::Refused(refused) },
            TraceLine { entry: 48, at: NOW, who: who(), done: looked },
        ],
        before: Some(48),
        totals: Some(Totals { looks: 3, refusals: 1, ..Totals::default() }),
        rules: [("purpose-named".to_owned(), words)].into(),
        ended: vec![ended],
    }
}

fn account() -> AccountReview {
    AccountReview {
        name: Sensitive::new("operateur".into()),
        role: domain::Role::Operator,
        closed: false,
        acts: vec![ActOfPerson {
            kind: domain::ActKind::Approval,
            number: "2026-12".into(),
            from: NOW,
            end: Some(NOW.plus_seconds(86_400)),
            holds: true,
        }],
        missing: vec![keeper::wire::MissingAct { rule: "act-approval".into(), blocks: true, ended: None }],
        trained: Some(NOW),
        training_is_old: false,
    }
}

/// The row of the law pack that the account lacks.
fn approval() -> RequiredAct {
    let row = serde_json::json!({
        "id": "act-approval", "kinds": ["approval"], "per": "person", "roles": [], "effect": "block",
        "article": "CSI L132-14-1", "source": "CSI L132-14-1", "confidence": "found", "from": 0, "to": null,
        "title_fr": "Agrément", "title_en": "Approval", "text_fr": "Il manque.", "text_en": "It lacks.",
        "remedy_fr": "Inscrivez l’agrément.", "remedy_en": "Enter the approval.",
    });
    serde_json::from_value(row).unwrap()
}

fn held() -> HeldReason {
    let (purpose, reason) = (Purpose::SafetyOfPersonsAndProperty, Sensitive::new(REASON.into()));
    HeldReason { purpose, reason, stated: 40, until: NOW.plus_seconds(1_800) }
}

pub fn refused() -> Refused {
    let text = |text: &str| text.to_owned();
    let reason = RefusedReason {
        rule: text("purpose-named"),
        article: text("CSI L251-2"),
        text_fr: text("Aucune finalité."),
        text_en: text("No purpose."),
        remedy_fr: text("Choisir une finalité."),
        remedy_en: text("Choose a purpose."),
    };
    Refused { reasons: vec![reason], leaf: 42 }
}

fn fate(span: Span) -> HourFate {
    let hour: Hour = HourLength::PRODUCT.hour_of(span.from());
    // a span of two seconds is destroyed
    let state = if span.micros() == 2_000_000 { FateState::Destroyed } else { FateState::Live };
    HourFate { hour, state, deadline: Some(hour.end().plus_seconds(86_400)), destroyed_at: None }
}

fn health() -> KeeperHealth {
    let text = || "t".to_owned();
    let ok = Finding {
        id: "clock".into(),
        state: FindingState::Ok,
        title_fr: text(),
        title_en: text(),
        detail_fr: text(),
        detail_en: text(),
    };
    let recorder = format!(
        r#"{{"cameras":[{{"id":"{CAMERA}","state":"recording","detail_fr":"","detail_en":"","since":"{NOW}","codec":"avc1.42c01e",
            "width":640,"height":360}},{{"id":"{CAMERA_WITH_SUB}","state":"recording","codec":"H265","sub":{{"state":"recording",
            "codec":"H264","width":352,"height":288}}}}],"store":{{"slots":2,"slots_free":1,"slots_max":4,"slot_bytes":4194304}}}}"#
    );
    KeeperHealth {
        site: "Ville de démonstration".into(),
        now: NOW,
        clock: ok,
        ledger: LedgerHealth { size: 43, root_hex: "00".into(), checkpoint_size: 40, checkpoint_at: Some(NOW) },
        destruction: DestructionHealth {
            next_at: None,
            next_hour: None,
            hours_past_deadline: 0,
            hours_closed_unconfirmed: 0,
            camera_hours_destroyed: 0,
            last_destroyed_at: None,
        },
        keyring: KeyringHealth {
            kind: "file".into(),
            copies: vec!["present".into()],
            token: None,
            sentence_fr: text(),
            sentence_en: text(),
        },
        recorder,
        recorder_seen: Some(NOW),
        findings: vec![],
    }
}

/// The recorder's script: a timeline of ten minutes, two seconds of live pictures, no reel.
fn record(ask: RecorderAsk, stream: &mut UnixStream) {
    let mut tell = |answer: RecorderAnswer| write_message(&mut *stream, &answer, MESSAGE_BYTES_MAX).unwrap();
    match ask {
        RecorderAsk::Locate { .. } if REELS.get().is_some() => {
            tell(RecorderAnswer::Located(REELS.get().unwrap().iter().map(|reel| reel.located.clone()).collect()));
        }
        // a span of one second has footage
        RecorderAsk::Locate { span, .. } if span.micros() == 1_000_000 => {
            let (reel, hour) = (ReelId([4; 16]), HourLength::PRODUCT.hour_of(span.from()));
            tell(RecorderAnswer::Located(vec![Located {
                reel,
                hour,
                handle: 0,
                location: Location::default(),
                first_utc: span.from(),
                last_utc: span.to(),
                entries: None,
            }]));
        }
        RecorderAsk::Weigh { windows } => tell(RecorderAnswer::Weighed { bytes: windows.len() as u64 }),
        RecorderAsk::Locate { .. } => tell(RecorderAnswer::Located(vec![])),
        RecorderAsk::Timeline { stream: of, .. } => {
            let seconds = if of.kind == StreamKind::Sub { 60 } else { 600 };
            let of_none = of.kind == StreamKind::Sub && of.camera == CAMERA;
            let footage = if of_none { vec![] } else { vec![(NOW.plus_seconds(-seconds), NOW)] };
            tell(RecorderAnswer::Timeline(Timeline { footage, gaps: vec![] }));
        }
        RecorderAsk::Live { permit, .. } if permit.id != PERMIT => {
            tell(RecorderAnswer::Refused { why: "no permit".into() });
        }
        RecorderAsk::Live { stream: of, .. } => {
            assert!(of != StreamId { camera: CAMERA, kind: StreamKind::Sub }, "nobody asks for what is not there");
            tell(RecorderAnswer::Watching);
            let sub = of.kind == StreamKind::Sub;
            let mut push = |message: &LiveMessage| write_message(&mut *stream, message, LIVE_MESSAGE_BYTES_MAX).is_ok();
            (0..50).all(|n| push(&LiveMessage::Frame(LiveFrame::from(&if sub { small(n) } else { frame(n) }))));
            while push(&LiveMessage::Idle) {
                std::thread::sleep(std::time::Duration::from_millis(200));
            }
        }
    }
}

/// Picture `n` of a sub-stream: its profile is another (42 00 1e).
pub fn small(n: i64) -> Frame {
    let parameters = frame(n).parameters.map(|sets| {
        let mut config = sets.config.to_vec();
        (config[2], config[9]) = (0, 0);
        ParameterSets { config: config.into(), ..sets }
    });
    Frame { parameters, ..frame(n) }
}

/// Picture `n` at 25 frames/s; each 25th starts a group.
pub fn frame(n: i64) -> Frame {
    let starts = n % 25 == 0;
    let sps = [0x67, 0x42, 0xc0, 0x1e, 0xd9, 0x00, 0xa0, 0x5b, 0x20];
    let mut config = vec![1, 0x42, 0xc0, 0x1e, 0xff, 0xe1, 0, sps.len() as u8];
    config.extend_from_slice(&sps);
    config.extend_from_slice(&[1, 0, 4, 0x68, 0xce, 0x3c, 0x80]);
    let sets = ParameterSets { codec: Codec::H264, config: config.into(), width: 640, height: 360 };
    Frame {
        kind: if starts { FrameKind::Idr } else { FrameKind::Other },
        utc: NOW.plus_micros(n * 40_000),
        dts: MediaTicks(n * 3_600),
        pts: MediaTicks(n * 3_600),
        data: vec![0, 0, 0, 1, n as u8].into(),
        parameters: starts.then_some(sets),
    }
}
