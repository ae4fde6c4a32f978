//! The sockets: who may ask what, and what a hostile end can break (P3).

use crate::support::*;
use domain::{Secret32, Sensitive, limit::MESSAGE_BYTES_MAX};
use keeper::{
    KeeperClient,
    socket::{RoleSecrets, read_message, serve_control, serve_roles, write_message},
    wire::{
        Answer, Control, Peer, Question,
        access::AccessQuestion,
        exports::{ExportAsk, ExportQuestion},
        holds::{HoldAsk, HoldQuestion},
        links::LinkQuestion,
        oidc::{OidcControl, OidcQuestion},
        papers::PaperQuestion,
    },
};
use std::{
    io::{Read, Write},
    os::unix::net::{UnixListener, UnixStream},
    path::PathBuf,
    sync::Arc,
    thread,
};
use tempfile::TempDir;
use vault::{
    KeeperError,
    keeper::{Beat, KeyQuery, View},
};

const RECORDER: Secret32 = Secret32::new([11; 32]);
const WEB: Secret32 = Secret32::new([12; 32]);
const AUDITOR: Secret32 = Secret32::new([13; 32]);

/// A keeper behind its two sockets, and a client of each kind.
pub struct Served {
    folder: TempDir,
    pub recorder: KeeperClient,
    pub web: KeeperClient,
    pub auditor: KeeperClient,
    pub control: KeeperClient,
}

impl Served {
    pub fn new(opened: &Opened) -> Served {
        let folder = tempfile::tempdir().unwrap();
        let (roles, control) = (folder.path().join("roles"), folder.path().join("control"));
        let listeners = (UnixListener::bind(&roles).unwrap(), UnixListener::bind(&control).unwrap());
        let (first, second) = (opened.core.clone(), opened.core.clone());
        thread::spawn(move || {
            serve_roles(listeners.0, first, RoleSecrets { recorder: RECORDER, web: WEB, auditor: AUDITOR })
        });
        thread::spawn(move || serve_control(listeners.1, second, Arc::new(|| {})));
        Served {
            recorder: KeeperClient::role(&roles, Peer::Recorder, RECORDER),
            web: KeeperClient::role(&roles, Peer::Web, WEB),
            auditor: KeeperClient::role(&roles, Peer::Auditor, AUDITOR),
            control: KeeperClient::control(&control),
            folder,
        }
    }

    fn roles(&self) -> PathBuf {
        self.folder.path().join("roles")
    }
}

/// Every question, and who may ask it. A new variant breaks `name` until it is added here.
pub fn questions() -> Vec<(Question, &'static [&'static str])> {
    let session = || Sensitive::new("MARK session".to_owned());
    let text = || Sensitive::new("MARK text".to_owned());
    let permit = vault::keeper::Permit {
        id: domain::PermitId([1; 16]),
        account: [1; 16],
        cameras: vec![],
        view: View::Live,
        purpose: domain::Purpose::Terrorism,
        leaf: 0,
        expires: utc(0),
        glass: None,
        code: [0; 32],
    };
    let query = KeyQuery { permit: permit.clone(), stream: stream(1), span: span(0, 1), parts: vec![] };
    let mut asked = ask(View::Live, &[1]);
    asked.reason = Sensitive::new("MARK reason".into());
    let peer = Peer::Web;
    vec![
        (Question::Hello { peer, secret: Secret32::new(*b"MARKMARKMARKMARKMARKMARKMARKMARK") }, &[]),
        (Question::Mint { hour: hour(0), run: RUN, streams: vec![] }, &["recorder"]),
        (Question::Pass { session: session(), ask: asked }, &["web"]),
        (Question::Keys(Box::new(query)), &["web"]),
        (Question::Check(Beat::default()), &["recorder"]),
        (Question::Enter(vec![]), &["recorder"]),
        (Question::BeginRun { run: RUN, run_key: [1; 32] }, &["recorder"]),
        (Question::Cameras, &["recorder"]),
        (Question::Probed { number: 1, result: Err(failure()) }, &["recorder"]),
        (Question::BeginRebuild { reels: 0, why: "a test".into() }, &["recorder"]),
        (Question::Extents(Box::new(extents())), &["recorder"]),
        (Question::Rebuilt { number: 1, result: Err("no".into()) }, &["recorder"]),
        (Question::Site, &["web"]),
        (Question::SignIn { name: text(), password: text(), code: text(), browser: browser() }, &["web"]),
        (Question::Alive { permits: vec![] }, &["web"]),
        (Question::Session { session: session(), acts: true }, &["web"]),
        (Question::SignOut { session: session() }, &["web"]),
        (Question::SetUpBegin { token: text() }, &["web"]),
        (Question::SetUp { token: text(), password: text(), code: text() }, &["web"]),
        (Question::PasskeyBegin { session: session(), password: text(), code: text() }, &["web"]),
        (Question::PasskeyAdd { session: session(), ceremony: [1; 16], label: text(), credential: text() }, &["web"]),
        (Question::PasskeyList { session: session() }, &["web"]),
        (Question::PasskeyRemove { session: session(), id: [1; 32] }, &["web"]),
        (Question::PasskeyAsk { place: [1; 16] }, &["web"]),
        (Question::PasskeySignIn { ceremony: [1; 16], credential: text() }, &["web"]),
        (Question::Oidc(OidcQuestion::Begin { place: [1; 16] }), &["web"]),
        (Question::Oidc(OidcQuestion::Code { state: text(), binding: text() }), &["web"]),
        (Question::Oidc(OidcQuestion::SignIn { ticket: text(), id_token: text() }), &["web"]),
        (Question::Oidc(OidcQuestion::SecondFactor { ticket: text(), code: text() }), &["web"]),
        (Question::EndLook { session: session(), permit: permit.id }, &["web"]),
        (Question::ContinueLook { session: session(), view: View::Live, cameras: vec![camera(1)] }, &["web"]),
        (Question::Reason { session: session() }, &["web"]),
        (Question::EndReason { session: session() }, &["web"]),
        (Question::SeeCameras { session: session() }, &["web"]),
        (Question::SeeHours { session: session(), camera: camera(1), span: span(0, 1) }, &["web"]),
        (Question::SeeHealth { session: session() }, &["web"]),
        (Question::Review(Box::new(review())), &["web"]),
        (Question::OwnTrace { session: session(), span: span(0, 1), before: None }, &["web"]),
        (Question::SeeBreakGlass { session: session() }, &["web"]),
        (
            Question::BreakGlassAsk {
                session: session(),
                cameras: vec![camera(1)],
                reason: text(),
                password: text(),
                code: text(),
            },
            &["web"],
        ),
        (Question::BreakGlassConfirm { session: session(), glass: GLASS, person: proof() }, &["web"]),
        (Question::BreakGlassEnd { session: session(), glass: GLASS }, &["web"]),
        (Question::BreakGlassAcknowledge { session: session(), glass: GLASS }, &["web"]),
        (Question::Export(Box::new(ExportQuestion::Requisitions { session: session(), before: None })), &["web"]),
        (Question::Export(Box::new(ExportQuestion::Open(Box::new(export())))), &["web"]),
        (Question::Hold(Box::new(HoldQuestion::Lift { session: session(), hold: domain::HoldId([1; 16]) })), &["web"]),
        (Question::Hold(Box::new(HoldQuestion::Open(Box::new(hold())))), &["web"]),
        (
            Question::Link(Box::new(LinkQuestion::EndOf { session: session(), export: domain::ExportId([1; 16]) })),
            &["web"],
        ),
        (Question::Link(Box::new(LinkQuestion::Try(link_try()))), &["web"]),
        (Question::Access(Box::new(AccessQuestion::May { session: session() })), &["web"]),
        (Question::Paper(Box::new(PaperQuestion::Exports { session: session(), span: span(0, 1) })), &["web"]),
        (Question::HeldKeys(Box::new(held(permit.clone()))), &["web"]),
        (Question::Wrap(Box::new(wrap())), &["recorder"]),
        (Question::Control(Control::Status), &["control"]),
        (Question::Control(Control::BreakGlassAcknowledge { person: proof(), glass: GLASS }), &["control"]),
        (Question::Control(Control::AccountList), &["control"]),
        (Question::Control(Control::Oidc(OidcControl::Unbind { name: text() })), &["control"]),
        (Question::Control(Control::AuditHours { after: None }), &["control"]),
        (Question::Books { after: None }, &["recorder"]),
        (Question::Retention, &["auditor"]),
    ]
}

fn review() -> keeper::review::words::ReviewAsk {
    let text = || Sensitive::new("MARK text".to_owned());
    let second = keeper::wire::PersonProof { account: text(), password: text(), code: text() };
    let (span, pseudonym) = (span(0, 1), "0000-0000".into());
    let what = keeper::review::words::ReviewOf::Name { span, pseudonym, password: text(), code: text(), second };
    keeper::review::words::ReviewAsk { session: text(), what, reason: text() }
}

fn export() -> ExportAsk {
    let text = || Sensitive::new("MARK text".to_owned());
    ExportAsk {
        session: text(),
        requisition: domain::RequisitionId([1; 16]),
        windows: vec![],
        purpose: domain::Purpose::Terrorism,
        sealed_to: None,
        password: text(),
        code: text(),
        second: proof(),
    }
}

fn hold() -> HoldAsk {
    let text = || Sensitive::new("MARK text".to_owned());
    HoldAsk { session: text(), requester: text(), reason: text(), windows: vec![], requisition: None }
}

fn link_try() -> domain::LinkTry {
    let form = format!("jeton={}&code=70Q2M-X1KRT", "5c".repeat(32));
    domain::LinkTry::from_form(form.as_bytes()).unwrap()
}

fn held(permit: vault::keeper::Permit) -> vault::keeper::HeldQuery {
    let (hold, reels) = (domain::HoldId([1; 16]), vec![]);
    vault::keeper::HeldQuery { permit, hold, stream: stream(1), span: span(0, 1), reels }
}

fn wrap() -> vault::keeper::WrapQuery {
    vault::keeper::WrapQuery { hold: domain::HoldId([1; 16]), stream: stream(1), span: span(0, 1), parts: vec![] }
}

const GLASS: domain::GlassId = domain::GlassId([1; 16]);

fn proof() -> keeper::wire::PersonProof {
    let text = || Sensitive::new("MARK text".to_owned());
    keeper::wire::PersonProof { account: text(), password: text(), code: text() }
}

fn browser() -> keeper::wire::Browser {
    keeper::wire::Browser { place: [1; 16], device: Some(Sensitive::new("MARK device".into())) }
}

fn extents() -> vault::keeper::ExtentsQuery {
    vault::keeper::ExtentsQuery { rebuild: 0, reel: domain::ReelId([1; 16]), header: vec![], streams: vec![] }
}

fn failure() -> keeper::wire::ProbeFailure {
    keeper::wire::ProbeFailure { text_fr: "non".into(), text_en: "no".into() }
}

/// No wildcard: whoever adds a question decides here who may ask it.
fn name(question: &Question) -> &'static str {
    match question {
        Question::Hello { .. } => "hello",
        Question::Mint { .. } => "mint",
        Question::Pass { .. } => "pass",
        Question::Keys(_) => "keys",
        Question::Check(_) => "check",
        Question::Enter(_) => "enter",
        Question::BeginRun { .. } => "begin run",
        Question::Cameras => "cameras",
        Question::Probed { .. } => "probed",
        Question::BeginRebuild { .. } => "begin rebuild",
        Question::Extents(_) => "extents",
        Question::Rebuilt { .. } => "rebuilt",
        Question::Site => "site",
        Question::SignIn { .. } => "sign in",
        Question::Alive { .. } => "alive",
        Question::Session { .. } => "session",
        Question::SignOut { .. } => "sign out",
        Question::SetUpBegin { .. } => "set up begin",
        Question::SetUp { .. } => "set up",
        Question::PasskeyBegin { .. } => "passkey begin",
        Question::PasskeyAdd { .. } => "passkey add",
        Question::PasskeyList { .. } => "passkey list",
        Question::PasskeyRemove { .. } => "passkey remove",
        Question::PasskeyAsk { .. } => "passkey ask",
        Question::PasskeySignIn { .. } => "passkey sign in",
        Question::Oidc(_) => "provider",
        Question::EndLook { .. } => "end look",
        Question::ContinueLook { .. } => "continue look",
        Question::Reason { .. } => "reason",
        Question::EndReason { .. } => "end reason",
        Question::SeeCameras { .. } => "see cameras",
        Question::SeeHours { .. } => "see hours",
        Question::SeeHealth { .. } => "see health",
        Question::Review(_) => "review",
        Question::OwnTrace { .. } => "own trace",
        Question::SeeBreakGlass { .. } => "see break-glass",
        Question::BreakGlassAsk { .. } => "break-glass ask",
        Question::BreakGlassConfirm { .. } => "break-glass confirm",
        Question::BreakGlassEnd { .. } => "break-glass end",
        Question::BreakGlassAcknowledge { .. } => "break-glass acknowledge",
        Question::Export(_) => "export",
        Question::Hold(_) => "hold",
        Question::Link(_) => "link",
        Question::Access(_) => "access",
        Question::Paper(_) => "paper",
        Question::Wrap(_) => "wrap",
        Question::HeldKeys(_) => "held keys",
        Question::Control(_) => "control",
        Question::Books { .. } => "books",
        Question::Retention => "retention",
    }
}

#[test]
fn each_question_is_answered_to_its_own_peer_and_refused_to_the_others() {
    let world = World::new(1);
    let opened = world.open();
    let served = Served::new(&opened);
    let peers = [
        ("recorder", &served.recorder),
        ("web", &served.web),
        ("auditor", &served.auditor),
        ("control", &served.control),
    ];
    let mut names: Vec<&str> = Vec::new();
    for (question, allowed) in questions() {
        names.push(name(&question));
        for (peer, client) in peers {
            let answer = client.ask(&question);
            let is_forbidden = matches!(answer, Err(KeeperError::Forbidden { .. }));
            assert_eq!(is_forbidden, !allowed.contains(&peer), "{} by {peer}: {answer:?}", name(&question));
            assert!(!matches!(answer, Err(KeeperError::Away { .. })), "{} by {peer}: {answer:?}", name(&question));
        }
    }
    names.dedup();
    assert_eq!(names.len(), 50, "every question is in the table");
}

#[test]
fn who_does_not_know_a_roles_secret_gets_nothing() {
    let world = World::new(2);
    let opened = world.open();
    let served = Served::new(&opened);
    let wrong =
        [(Peer::Recorder, WEB), (Peer::Web, RECORDER), (Peer::Web, Secret32::new([0; 32])), (Peer::Auditor, RECORDER)];
    for (peer, secret) in wrong {
        let answer = KeeperClient::role(&served.roles(), peer, secret).ask(&Question::Site);
        assert!(matches!(answer, Err(KeeperError::Forbidden { .. })), "{answer:?}");
    }
    // the command line on the socket of roles, and no hello at all
    let mut stream = UnixStream::connect(served.roles()).unwrap();
    let hello = Question::Hello { peer: Peer::Control { uid: 0 }, secret: RECORDER };
    write_message(&mut stream, &hello, MESSAGE_BYTES_MAX).unwrap();
    let answer = read_message(&mut stream, MESSAGE_BYTES_MAX).unwrap();
    assert!(matches!(answer, Some(Answer::Failed(KeeperError::Forbidden { .. }))));
    let mut stream = UnixStream::connect(served.roles()).unwrap();
    write_message(&mut stream, &Question::Site, MESSAGE_BYTES_MAX).unwrap();
    assert_eq!(stream.read(&mut [0; 1]).unwrap_or(0), 0, "closed without a word");
}

#[test]
fn garbage_and_messages_that_are_too_long_end_their_connection_only() {
    let world = World::new(3);
    let opened = world.open();
    let served = Served::new(&opened);
    let site = served.web.site().unwrap();
    let garbage: [&[u8]; 6] = [
        &[],
        &[255; 64],
        &[0; 5],
        &[4, 0, 0, 0, 1, 255, 255, 255, 255],
        &[4, 0, 0, 0, 9, 0, 0, 0, 0],
        &[200, 0, 0, 0, 1, 7],
    ];
    for bytes in garbage {
        for after_hello in [false, true] {
            let mut stream = UnixStream::connect(served.roles()).unwrap();
            if after_hello {
                write_message(&mut stream, &Question::Hello { peer: Peer::Web, secret: WEB }, MESSAGE_BYTES_MAX)
                    .unwrap();
                assert!(matches!(read_message(&mut stream, MESSAGE_BYTES_MAX), Ok(Some(Answer::Done))));
            }
            stream.write_all(bytes).unwrap();
            stream.shutdown(std::net::Shutdown::Write).unwrap();
            assert_eq!(stream.read(&mut [0; 1]).unwrap_or(0), 0, "{bytes:?}");
        }
    }
    assert_eq!(served.web.site().unwrap(), site);
    assert!(!opened.core.must_restart());
}
