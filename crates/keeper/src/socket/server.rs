//! The server side: a thread a connection, roles kept apart, every question answered by one method of the keeper.

use super::message::{read_message, write_message};
use crate::{
    core::KeeperCore,
    wire::{Answer, Control, Peer, Question, RunAnswer, Upkeep},
};
use domain::{Secret32, limit::MESSAGE_BYTES_MAX};
use ledger::Actor;
use rustix::{net::sockopt::socket_peercred, process::Pid};
use std::{
    os::unix::net::{UnixListener, UnixStream},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};
use tracing::{debug, warn};
use vault::KeeperError;

/// Both roles keep a connection for each question that is under way: some dozens.
const CONNECTIONS_MAX: usize = 512;
const AFTER_FAILURE: Duration = Duration::from_millis(100);
/// Who connects and says nothing holds a thread no longer than this.
const HELLO_PATIENCE: Duration = Duration::from_secs(5);
/// A hello is 34 bytes.
const HELLO_BYTES_MAX: usize = 256;

/// The secrets by which roles are known, handed over on inherited descriptors (P3).
pub struct RoleSecrets {
    pub recorder: Secret32,
    pub web: Secret32,
    pub auditor: Secret32,
}

/// Answers recorder and web, as long as the process lives.
pub fn serve_roles(listener: UnixListener, keeper: Arc<KeeperCore>, secrets: RoleSecrets) {
    serve(&listener, "role connection", move |stream| role_connection(stream, &keeper, &secrets));
}

/// Answers the command line of the same user, or of root, as long as the process lives; others are refused by the kernel's
/// word.
pub fn serve_control(listener: UnixListener, keeper: Arc<KeeperCore>, stop: Arc<dyn Fn() + Send + Sync>) {
    serve(&listener, "control connection", move |stream| control_connection(stream, &keeper, &*stop));
}

/// A thread a connection. A failure to accept, such as too many open files, passes: the listener stays.
fn serve(listener: &UnixListener, name: &str, answer: impl Fn(UnixStream) + Send + Sync + 'static) {
    let answer = Arc::new(answer);
    let open = Arc::new(AtomicUsize::new(0));
    for stream in listener.incoming() {
        let accepted = stream.and_then(|stream| {
            let counted = Counted(open.clone());
            if CONNECTIONS_MAX <= open.fetch_add(1, Ordering::SeqCst) {
                return Err(std::io::Error::other("too many connections: this one is closed"));
            }
            let answer = answer.clone();
            let work = move || {
                let _counted = counted;
                answer(stream);
            };
            thread::Builder::new().name(name.to_owned()).spawn(work).map(drop)
        });
        if let Err(error) = accepted {
            warn!(%error, "a connection was not taken");
            thread::sleep(AFTER_FAILURE);
        }
    }
}

/// One of the open connections.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn role_connection(mut stream: UnixStream, keeper: &KeeperCore, secrets: &RoleSecrets) {
    if let Err(error) = stream.set_read_timeout(Some(HELLO_PATIENCE)) {
        return warn!(%error, "a connection cannot be timed");
    }
    let hello = read_message(&mut stream, HELLO_BYTES_MAX);
    let Ok(Some(Question::Hello { peer, secret })) = hello else {
        return debug!("a connection that did not begin with a hello");
    };
    let expected = match peer {
        Peer::Recorder => Some(&secrets.recorder),
        Peer::Web => Some(&secrets.web),
        Peer::Auditor => Some(&secrets.auditor),
        Peer::Control { .. } => None, // the command line has a socket of its own
    };
    let equal = |expected: &Secret32| {
        aws_lc_rs::constant_time::verify_slices_are_equal(expected.expose(), secret.expose()).is_ok()
    };
    let genuine = expected.is_some_and(equal);
    let answer = if genuine { Answer::Done } else { forbidden("anything: wrong role secret") };
    if write_message(&mut stream, &answer, MESSAGE_BYTES_MAX).is_err() || !genuine {
        return;
    }
    if let Err(error) = stream.set_read_timeout(None) {
        return warn!(%error, "a connection cannot be timed");
    }
    converse(stream, |question| match peer {
        Peer::Recorder => recorder_question(keeper, question),
        Peer::Auditor => auditor_question(keeper, &question),
        _ => web_question(keeper, question),
    });
}

fn control_connection(stream: UnixStream, keeper: &KeeperCore, stop: &dyn Fn()) {
    let Ok(peer) = socket_peercred(&stream) else {
        return warn!("the kernel does not tell who is at the control socket");
    };
    let uid = peer.uid.as_raw();
    let own = rustix::process::getuid().as_raw();
    let who = who_asks(peer.pid);
    converse(stream, |question| match question {
        _ if who == Who::Role => forbidden("the control socket: it is not for the program's own roles"),
        _ if who == Who::Hidden => forbidden(
            "the control socket: the system does not show who asks; mount /proc without `hidepid`, and have no `ProtectProc=` in the unit",
        ),
        _ if uid != own && uid != 0 => forbidden("the control socket: run it as the service's user or as root"),
        Question::Control(control) => control_question(keeper, control, uid, stop),
        _ => forbidden("that: the control socket takes commands only"),
    });
}

/// Who is at the control socket.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Who {
    CommandLine,
    /// A recorder, web or public: a child of the same `serve`, and none of them can have children of its own (`confine`).
    Role,
    /// It is gone, or `/proc` keeps it back: not answered either.
    Hidden,
}

/// All have one user, so the kernel's word of the user does not tell roles from the command line.
fn who_asks(peer: Pid) -> Who {
    let ours = rustix::process::getppid().map(|parent| parent.as_raw_nonzero().get());
    match parent_of(peer) {
        _ if peer == rustix::process::getpid() => Who::CommandLine,
        None => Who::Hidden,
        parent if parent == ours => Who::Role,
        Some(_) => Who::CommandLine,
    }
}

/// Fourth field of proc_pid_stat(5), after a name in brackets that may hold anything.
fn parent_of(process: Pid) -> Option<i32> {
    let stat = std::fs::read(format!("/proc/{}/stat", process.as_raw_nonzero())).ok()?;
    let stat = String::from_utf8_lossy(&stat);
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
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
                at_least: grant.at_least,
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
        Question::BeginRebuild { reels, why } => {
            answered(keeper.begin_rebuild(reels, &why).map(|leaf| Answer::RebuildBegun { leaf }))
        }
        Question::Extents(query) => answered(keeper.extents(&query).map(Answer::Extents)),
        Question::Wrap(query) => answered(keeper.wrap(&query).map(|answer| Answer::Wrapping(Box::new(answer)))),
        Question::Rebuilt { number, result } => {
            keeper.rebuilt(number, result);
            Answer::Done
        }
        Question::Books { after } => answered(keeper.audit_hours(after)),
        _ => forbidden("that: it is not the recorder's"),
    }
}

fn auditor_question(keeper: &KeeperCore, question: &Question) -> Answer {
    match question {
        Question::Retention => answered(keeper.retention_view().map(|view| Answer::Retention(Box::new(view)))),
        _ => forbidden("that: it is not the auditor's"),
    }
}

fn web_question(keeper: &KeeperCore, question: Question) -> Answer {
    match question {
        Question::Site => answered(keeper.site_view().map(Answer::Site)),
        Question::SignIn { name, password, code, browser } => {
            answered(keeper.sign_in(&name, &password, &code, &browser))
        }
        Question::Session { session, acts } => answered(keeper.session(&session, acts).map(Answer::Session)),
        Question::Alive { permits } => Answer::Alive(keeper.alive(&permits)),
        Question::SignOut { session } => answered(keeper.sign_out(&session).map(|()| Answer::Done)),
        Question::SetUpBegin { token } => answered(keeper.set_up_begin(&token)),
        Question::SetUp { token, password, code } => answered(keeper.set_up(&token, &password, &code)),
        Question::PasskeyBegin { session, password, code } => {
            answered(keeper.passkey_begin(&session, &password, &code))
        }
        Question::PasskeyAdd { session, ceremony, label, credential } => {
            answered(keeper.passkey_add(&session, ceremony, &label, &credential))
        }
        Question::PasskeyList { session } => answered(keeper.passkey_list(&session)),
        Question::PasskeyRemove { session, id } => answered(keeper.passkey_remove(&session, id)),
        Question::PasskeyAsk { place } => answered(keeper.passkey_ask(place)),
        Question::PasskeySignIn { ceremony, credential } => answered(keeper.passkey_sign_in(ceremony, &credential)),
        Question::Oidc(question) => answered(keeper.oidc(&question)),
        Question::Pass { session, ask } => {
            answered(keeper.pass(&session, &ask).map(|verdict| Answer::Verdict(Box::new(verdict))))
        }
        Question::ContinueLook { session, view, cameras } => {
            answered(keeper.continue_look(&session, view, &cameras).map(|what| Answer::Continued(Box::new(what))))
        }
        Question::Reason { session } => answered(keeper.reason_view(&session).map(Answer::Reason)),
        Question::EndReason { session } => answered(keeper.end_reason(&session).map(|()| Answer::Done)),
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
        Question::Review(ask) => answered(keeper.review(&ask).map(|told| Answer::Reviewed(Box::new(told)))),
        Question::OwnTrace { session, span, before } => {
            answered(keeper.own_trace(&session, span, before).map(|page| Answer::OwnTrace(Box::new(page))))
        }
        question => glass_question(keeper, question),
    }
}

fn glass_question(keeper: &KeeperCore, question: Question) -> Answer {
    match question {
        Question::SeeBreakGlass { session } => {
            answered(keeper.glass_view(&session).map(|view| Answer::BreakGlass(Box::new(view))))
        }
        Question::BreakGlassAsk { session, cameras, reason, password, code } => {
            answered(keeper.glass_ask(&session, &cameras, &reason, &password, &code))
        }
        Question::BreakGlassConfirm { session, glass, person } => {
            answered(keeper.glass_confirm(&session, glass, &person))
        }
        Question::BreakGlassEnd { session, glass } => answered(keeper.glass_end(&session, glass)),
        Question::BreakGlassAcknowledge { session, glass } => answered(keeper.glass_read(&session, glass)),
        Question::Export(question) => {
            answered(keeper.export_question(*question).map(|answer| Answer::Export(Box::new(answer))))
        }
        Question::Hold(question) => {
            answered(keeper.hold_question(*question).map(|answer| Answer::Hold(Box::new(answer))))
        }
        Question::Link(question) => {
            answered(keeper.link_question(*question).map(|answer| Answer::Link(Box::new(answer))))
        }
        Question::Access(question) => {
            answered(keeper.access_question(*question).map(|answer| Answer::Access(Box::new(answer))))
        }
        Question::Paper(question) => {
            answered(keeper.paper_question(*question).map(|answer| Answer::Paper(Box::new(answer))))
        }
        Question::HeldKeys(query) => answered(keeper.held_keys(&query).map(|keys| Answer::Keys(Box::new(keys)))),
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
        Control::CameraDevice { name } => answered(keeper.camera_device(&name)),
        Control::CameraConfirm { name, device } => answered(keeper.camera_confirm(actor, &name, &device)),
        Control::CameraSub { name, sub_url } => answered(keeper.camera_sub(actor, &name, sub_url)),
        Control::CameraRights { name, rights } => answered(keeper.camera_rights(actor, &name, rights)),
        Control::CameraClass { name, class } => answered(keeper.camera_class(actor, &name, class)),
        Control::CameraTest { target } => answered(keeper.camera_test(target)),
        Control::AccountAdd { name, role } => answered(keeper.account_add(actor, &name, role)),
        Control::AccountList => answered(keeper.account_list()),
        Control::Oidc(control) => answered(keeper.oidc_control(actor, &control)),
        Control::AccountTeams { name, teams } => answered(keeper.account_teams(actor, &name, &teams)),
        Control::AccountDisable { name } => answered(keeper.account_disable(actor, &name)),
        Control::AccountTrained { name, on } => answered(keeper.account_trained(actor, &name, on)),
        Control::ScanPart(part) => answered(keeper.scan_part(part)),
        Control::ScanRead { digest, offset } => answered(keeper.scan_read(actor, &digest, offset)),
        Control::ActsEnter(drafts) => answered(keeper.acts_enter(actor, drafts)),
        Control::ActWithdraw { act, from } => answered(keeper.act_withdraw(actor, &act, from)),
        Control::ActList(query) => answered(keeper.act_list(&query)),
        Control::Verify => answered(keeper.verify().map(|verified| Answer::Verified(Box::new(verified)))),
        Control::AuditHours { after } => answered(keeper.audit_hours(after)),
        Control::CatalogRebuild { loss_accepted } => answered(keeper.catalog_rebuild(actor, loss_accepted)),
        Control::DestroyDue => answered(keeper.destroy_due().map(Answer::Destroyed)),
        Control::Clock => Answer::Clock(Box::new(keeper.clock_view())),
        Control::Law => answered(keeper.law_view().map(|view| Answer::Law(Box::new(view)))),
        Control::LawAsk { action, role } => Answer::LawSays(Box::new(keeper.law_says(action, role))),
        Control::LawPropose { person, text } => answered(keeper.law_propose(actor, &person, &text)),
        Control::LawApprove { person, digest } => answered(keeper.law_approve(actor, &person, digest)),
        Control::BreakGlass => Answer::BreakGlass(Box::new(keeper.glasses())),
        Control::BreakGlassAcknowledge { person, glass } => answered(keeper.glass_read_by(actor, &person, glass)),
        Control::ClockConfirm { account, password, at } => {
            answered(keeper.clock_confirm(actor, &account, &password, at))
        }
        Control::Upkeep(upkeep) => upkeep_question(keeper, actor, upkeep),
    }
}

fn upkeep_question(keeper: &KeeperCore, actor: Actor, upkeep: Upkeep) -> Answer {
    match upkeep {
        Upkeep::Backup { recipient } => answered(keeper.backup(actor, &recipient)),
        Upkeep::BackupRead { offset } => answered(keeper.backup_part(offset)),
        Upkeep::BackupFetched => answered(keeper.backup_fetched()),
        Upkeep::RestoredShow => answered(keeper.restored_view()),
        Upkeep::RestoreConfirm { person } => answered(keeper.restore_confirm(actor, &person)),
        Upkeep::DelayPreview { cameras, delay_days } => answered(keeper.delay_preview(&cameras, delay_days)),
        Upkeep::DelayAsk { person, cameras, delay_days } => {
            answered(keeper.delay_ask(actor, &person, &cameras, delay_days))
        }
        Upkeep::DelayApprove { person, request } => answered(keeper.delay_approve(actor, &person, &request)),
        Upkeep::DelayCancel { person, request } => answered(keeper.delay_cancel(actor, &person, &request)),
        Upkeep::DelayList => answered(keeper.delay_list()),
        Upkeep::CopyWriteOff { person, copy } => answered(keeper.copy_write_off(actor, &person, copy)),
        Upkeep::CopyReplace { copy } => answered(keeper.copy_replace(actor, copy)),
    }
}

fn answered(answer: Result<Answer, KeeperError>) -> Answer {
    answer.unwrap_or_else(Answer::Failed)
}

fn forbidden(what: &str) -> Answer {
    Answer::Failed(KeeperError::Forbidden { what: what.to_owned() })
}
