//! What must never be printed: sessions, tokens, passwords, names, reasons, keys.

use crate::{sockets::questions, support::*};
use domain::{Secret32, Sensitive};
use keeper::wire::{
    Answer, Control, Credentials, NewCamera, ProbeTarget, Question, RecorderCamera, SessionView, SetUpBegun,
};
use policy::Role;
use seal::{ChunkKey, DataKey, LookupKey, key::WrappedKey};
use vault::keeper::{KeyAnswer, Minted, ProbeJob, Pulse, ReelKeys, View};

const BYTES: [u8; 32] = *b"MARKMARKMARKMARKMARKMARKMARKMARK";

fn text() -> Sensitive<String> {
    Sensitive::new("MARK text".into())
}

fn credentials() -> Credentials {
    Credentials { user: text(), password: text() }
}

#[track_caller]
fn check(printed: &str) {
    let bytes = "77, 65, 82, 75";
    for mark in ["MARK", bytes, "4d41524b"] {
        assert!(!printed.contains(mark), "{printed}");
    }
}

#[test]
fn no_question_prints_a_secret_or_a_name() {
    questions().iter().for_each(|(question, _)| check(&format!("{question:?}")));
    let camera = NewCamera {
        name: "a camera".into(),
        place: "a place".into(),
        url: "rtsp://192.0.2.1/".into(),
        credentials: Some(credentials()),
        delay_days: 7,
        purposes: vec![],
        sub_url: None,
        fingerprint: None,
        rights: Default::default(),
        class: None,
    };
    let address = ProbeTarget::Address { url: "rtsp://192.0.2.1/".into(), credentials: Some(credentials()) };
    for control in [
        Control::CameraAdd(camera),
        Control::CameraTest { target: address },
        Control::AccountAdd { name: text(), role: Role::Operator },
        Control::AccountDisable { name: text() },
    ] {
        check(&format!("{:?}", Question::Control(control)));
    }
}

#[test]
fn no_answer_prints_a_secret_or_a_name() {
    let view = || SessionView { account: [1; 16], name: text(), role: Role::Operator, expires: utc(0), locks: utc(0) };
    let key = || Secret32::new(BYTES);
    let minted = Minted {
        stream: stream(1),
        hour: hour(0),
        deadline: utc(0),
        data_key: DataKey(key()),
        wrapped: WrappedKey { nonce: [0; 12], ciphertext: [0; 32], tag: [0; 16] },
        lookup: LookupKey(key()),
    };
    let chunk = (1, ChunkKey { key: key(), commitment: [0; 32] });
    let reel = ReelKeys {
        reel: domain::ReelId([1; 16]),
        chunks: vec![chunk],
        extents: vec![],
        lines: vec![],
        other_keys: vec![],
    };
    let probe = ProbeJob {
        number: 1,
        url: "rtsp://192.0.2.1/".into(),
        credentials: Some((text(), text())),
        identity_only: false,
    };
    let camera = RecorderCamera {
        id: camera(1),
        name: "a camera".into(),
        url: "rtsp://192.0.2.1/".into(),
        credentials: Some(credentials()),
        sub_url: None,
        fingerprint: None,
    };
    let line = keeper::wire::AccountLine {
        name: text(),
        role: Role::Operator,
        closed: true,
        ready: false,
        teams: vec![],
        bound: true,
    };
    for answer in [
        Answer::Minted(vec![minted]),
        Answer::Keys(Box::new(KeyAnswer { reels: vec![reel], needs: None })),
        Answer::Pulse(Box::new(Pulse { probe: Some(probe), ..Pulse::default() })),
        Answer::Cameras { version: 1, cameras: vec![camera], withheld: vec![] },
        Answer::SignedIn { session: text(), view: view(), device: text() },
        Answer::Session(view()),
        Answer::SetUpBegun(SetUpBegun { name: text(), role: Role::Operator, otpauth: text() }),
        Answer::SetUp { name: text(), role: Role::Operator, recovery: vec![text()] },
        Answer::SetupToken { token: text(), expires: utc(0) },
        Answer::Accounts(vec![line]),
    ] {
        check(&format!("{answer:?}"));
    }
}

#[test]
fn no_error_repeats_what_somebody_typed_in_secret() {
    let world = World::new(1);
    let opened = world.open();
    let served = crate::sockets::Served::new(&opened);
    let mut asked = ask(View::Live, &[1]);
    asked.reason = Sensitive::new("MARK ".repeat(1_000));
    let refused = served.web.ask(&Question::Pass { session: session("operator"), ask: asked });
    check(&format!("{refused:?}"));
    let cli = ledger::Actor::Cli { uid: 0 };
    let mut errors = vec![
        opened.core.account_add(cli.clone(), &text(), Role::Operator).map(|_| ()),
        opened.core.account_add(cli.clone(), &text(), Role::Administrator).map(|_| ()),
        opened.core.account_add(cli.clone(), &Sensitive::new("MARK".repeat(50)), Role::Administrator).map(|_| ()),
        opened.core.account_disable(cli, &Sensitive::new("MARK nobody".into())).map(|_| ()),
    ];
    errors.extend(questions().iter().map(|(question, _)| served.web.ask(question).map(|_| ())));
    let url = "rtsp://MARK:MARK@192.0.2.1/".to_owned();
    let target = ProbeTarget::Address { url, credentials: None };
    errors.push(served.control.control_ask(Control::CameraTest { target }).map(|_| ()));
    let failed: Vec<_> = errors.into_iter().filter_map(Result::err).collect();
    assert!(failed.len() > 8, "{failed:?}");
    for error in failed {
        check(&format!("{error} {error:?}"));
    }
}
