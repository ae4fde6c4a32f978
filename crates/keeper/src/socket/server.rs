//! The server side: a thread a connection, roles kept apart, every question answered by one method of the keeper.

use super::message::{read_message, write_message};
use crate::{
    core::{KeeperCore, failed, malformed},
    wire::{Answer, Control, Peer, Question, RunAnswer},
};
use domain::{Secret32, limit::MESSAGE_BYTES_MAX};
use ledger::{Actor, Digest, Event, Role};
use rustix::net::sockopt::socket_peercred;
use std::{
    os::unix::net::{UnixListener, UnixStream},
    sync::Arc,
    thread,
};
use tracing::{debug, warn};
use vault::{KeeperError, keeper::Fact};

/// The secrets by which roles are known, handed over on inherited descriptors (P3).
pub struct RoleSecrets {
    pub recorder: Secret32,
    pub web: Secret32,
}

/// Answers recorder and web, until the listener fails.
pub fn serve_roles(listener: UnixListener, keeper: Arc<KeeperCore>, secrets: RoleSecrets) {
    let secrets = Arc::new(secrets);
    for stream in listener.incoming() {
        let (keeper, secrets) = (keeper.clone(), secrets.clone());
        match stream {
            Ok(stream) => drop(thread::spawn(move || role_connection(stream, &keeper, &secrets))),
            Err(error) => return warn!(%error, "the keeper's socket failed"),
        }
    }
}

/// Answers the command line of the same user, or of root; others are refused by the kernel's word.
pub fn serve_control(listener: UnixListener, keeper: Arc<KeeperCore>, stop: Arc<dyn Fn() + Send + Sync>) {
    for stream in listener.incoming() {
        let (keeper, stop) = (keeper.clone(), stop.clone());
        match stream {
            Ok(stream) => drop(thread::spawn(move || control_connection(stream, &keeper, &*stop))),
            Err(error) => return warn!(%error, "the control socket failed"),
        }
    }
}

fn role_connection(mut stream: UnixStream, keeper: &KeeperCore, secrets: &RoleSecrets) {
    let hello = read_message(&mut stream, MESSAGE_BYTES_MAX);
    let Ok(Some(Question::Hello { peer, secret })) = hello else {
        return debug!("a connection that did not begin with a hello");
    };
    let expected = match peer {
        Peer::Recorder => &secrets.recorder,
        Peer::Web => &secrets.web,
        Peer::Control { .. } => return debug!("the command line has a socket of its own"),
    };
    let genuine = aws_lc_rs::constant_time::verify_slices_are_equal(expected.expose(), secret.expose()).is_ok();
    let answer = if genuine { Answer::Done } else { forbidden("anything: wrong role secret") };
    if write_message(&mut stream, &answer, MESSAGE_BYTES_MAX).is_err() || !genuine {
        return;
    }
    converse(stream, |question| match peer {
        Peer::Recorder => recorder_question(keeper, question),
        _ => web_question(keeper, question),
    });
}

fn control_connection(stream: UnixStream, keeper: &KeeperCore, stop: &dyn Fn()) {
    let Ok(peer) = socket_peercred(&stream) else {
        return warn!("the kernel does not tell who is at the control socket");
    };
    let uid = peer.uid.as_raw();
    let own = rustix::process::getuid().as_raw();
    converse(stream, |question| match question {
        _ if uid != own && uid != 0 => forbidden("the control socket: run it as the service's user or as root"),
        Question::Control(control) => control_question(keeper, control, uid, stop),
        _ => forbidden("that: the control socket takes commands only"),
    });
}

/// Questions and answers until one side closes.
fn converse(mut stream: UnixStream, mut answer: impl FnMut(Question) -> Answer) {
    loop {
        match read_message(&mut stream, MESSAGE_BYTES_MAX) {
            Ok(Some(question)) => {
                if let Err(error) = write_message(&mut stream, &answer(question), MESSAGE_BYTES_MAX) {
                    return debug!(%error, "an answer could not be given");
                }
            }
            Ok(None) => return,
            Err(error) => return debug!(%error, "a connection ended"),
        }
    }
}

fn recorder_question(keeper: &KeeperCore, question: Question) -> Answer {
    match question {
        Question::BeginRun { run, run_key } => answered(keeper.begin_run(run, run_key).map(|grant| {
            Answer::Run(Box::new(RunAnswer {
                site: grant.certificate.site,
                run: grant.certificate.run,
                run_key: grant.certificate.run_key,
                signature: grant.certificate.signature,
                site_key: grant.site_key,
                anchor: grant.anchor,
            }))
        })),
        Question::Mint { hour, run, streams } => answered(keeper.mint(hour, run, &streams).map(Answer::Minted)),
        Question::Check(beat) => answered(keeper.check(&beat).map(|pulse| Answer::Pulse(Box::new(pulse)))),
        Question::Enter(facts) => answered(keeper.enter(&facts).map(|()| Answer::Done)),
        Question::Cameras => answered(keeper.recorder_cameras()),
        Question::Probed { number, result } => {
            keeper.probed(number, result);
            Answer::Done
        }
        _ => forbidden("that: it is not the recorder's"),
    }
}

fn web_question(keeper: &KeeperCore, question: Question) -> Answer {
    match question {
        Question::Site => answered(keeper.site_view().map(Answer::Site)),
        Question::SignIn { name, password } => answered(keeper.sign_in(&name, &password)),
        Question::Session { session } => answered(keeper.session(&session).map(Answer::Session)),
        Question::SignOut { session } => answered(keeper.sign_out(&session).map(|()| Answer::Done)),
        Question::SetUp { token, password } => answered(keeper.set_up(&token, &password)),
        Question::Pass { session, ask } => {
            answered(keeper.pass(&session, &ask).map(|verdict| Answer::Verdict(Box::new(verdict))))
        }
        Question::EndLook { session, permit } => answered(keeper.end_look(&session, permit).map(|()| Answer::Done)),
        Question::Keys(query) => answered(keeper.keys(&query).map(|keys| Answer::Keys(Box::new(keys)))),
        Question::SeeCameras { session } => {
            answered(keeper.who(&session).and_then(|_| keeper.camera_views()).map(Answer::CameraViews))
        }
        Question::SeeHours { session, camera, span } => {
            answered(keeper.see_hours(&session, camera, span).map(Answer::Hours))
        }
        Question::SeeHealth { session } => {
            answered(keeper.see_health(&session).map(|health| Answer::Health(Box::new(health))))
        }
        _ => forbidden("that: it is not web's"),
    }
}

fn control_question(keeper: &KeeperCore, control: Control, uid: u32, stop: &dyn Fn()) -> Answer {
    let actor = Actor::Cli { uid };
    match control {
        Control::Status => answered(keeper.status()),
        Control::Stop => {
            stop();
            Answer::Done
        }
        Control::CameraAdd(camera) => answered(keeper.camera_add(actor, camera)),
        Control::CameraList => answered(keeper.camera_views().map(Answer::CameraViews)),
        Control::CameraRemove { name } => answered(keeper.camera_remove(actor, &name)),
        Control::CameraTest { target } => answered(keeper.camera_test(target)),
        Control::AccountAdd { name, role } => answered(keeper.account_add(actor, &name, role)),
        Control::AccountList => answered(keeper.account_list()),
        Control::Verify => answered(keeper.verify().map(|verified| Answer::Verified(Box::new(verified)))),
        Control::DestroyDue => answered(keeper.destroy_due().map(Answer::Destroyed)),
    }
}

impl KeeperCore {
    /// Facts of the recorder, each entered once, also when told twice (L3).
    pub fn enter(&self, facts: &[Fact]) -> Result<(), KeeperError> {
        for fact in facts {
            let bytes = postcard::to_stdvec(fact).map_err(failed)?;
            let name = *blake3::hash(&bytes).as_bytes();
            if matches!(fact, Fact::Freed { .. }) {
                self.freed(fact)?;
                continue;
            }
            if self.moving().told.contains(&name) {
                continue;
            }
            self.enter_events(Actor::Role { role: Role::Recorder }, events(fact)?)?;
            self.moving().told.insert(name);
        }
        Ok(())
    }
}

fn events(fact: &Fact) -> Result<Vec<Event>, KeeperError> {
    let reel = |reel: &vault::keeper::ReelFact| Event::Reel {
        reel: reel.reel,
        run: reel.run,
        hour: reel.hour,
        deadline: reel.deadline,
        root: Digest(reel.root),
        bytes: reel.bytes,
        streams: reel.streams.into(),
    };
    Ok(match fact {
        Fact::Reel(fact) => vec![reel(fact)],
        Fact::Recovered { reel: fact, cut_bytes } => {
            vec![Event::Recovered { reel: fact.reel, cut_bytes: *cut_bytes, lost_after: None }, reel(fact)]
        }
        Fact::RecorderHour { run, hour, reels, root } => {
            vec![Event::RecorderHour { run: *run, hour: *hour, reels: *reels, root: Digest(*root) }]
        }
        Fact::SlowSync { at, took_ms } => vec![Event::Slow { what: format!("sync at {at}"), sync_ms: *took_ms }],
        Fact::Gap { camera, from, to, cause } => {
            let end = to.map_or("…".to_owned(), |to| to.to_string());
            let details = format!("{from} → {end}: {cause}");
            vec![Event::Camera { change: "gap".into(), camera: *camera, details }]
        }
        Fact::Freed { .. } => return Err(malformed("freed space is entered by its own way")),
    })
}

fn answered(answer: Result<Answer, KeeperError>) -> Answer {
    answer.unwrap_or_else(Answer::Failed)
}

fn forbidden(what: &str) -> Answer {
    Answer::Failed(KeeperError::Forbidden { what: what.to_owned() })
}
