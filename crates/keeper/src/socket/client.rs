//! The keeper as another process sees it: the trait over a socket, and the questions of each role.

use super::message::{MessageError, read_message, write_message};
use crate::wire::{
    Answer, CameraViews, Control, HourFate, KeeperHealth, Peer, ProbeFailure, Probed, Question, RecorderCamera,
    RetentionView, SetUpBegun, SetUpDenied, SetUpDone, SiteView,
};
use domain::{
    CameraId, Hour, PermitId, RunId, Secret32, Sensitive, Span, StreamId, UtcMicros, limit::MESSAGE_BYTES_MAX,
};
use seal::sign::{PublicKey, RunCertificate};
use std::{
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::Duration,
};
use vault::{
    Keeper, KeeperError,
    audit::Books,
    keeper::{
        Ask, Beat, ExtentsQuery, Fact, HeldQuery, KeyAnswer, KeyQuery, Minted, Pulse, RunGrant, SessionSecret,
        StreamFate, Verdict, WrapQuery, Wrapping,
    },
    rebuild::Rebuilt,
};

/// An answer that takes longer is as good as none: a destruction waits for disks, a look for one write.
const PATIENCE: Duration = Duration::from_secs(30);
const CONTROL_PATIENCE: Duration = Duration::from_secs(30 * 60);

/// Connections of one role to the keeper: one a question at a time, kept for the next.
pub struct KeeperClient {
    path: PathBuf,
    peer: Peer,
    secret: Secret32,
    patience: Duration,
    idle: Mutex<Vec<UnixStream>>,
}

type Result<T> = std::result::Result<T, KeeperError>;

impl KeeperClient {
    /// Speaks as a role, whose secret `serve` handed over.
    pub fn role(path: &Path, peer: Peer, secret: Secret32) -> KeeperClient {
        KeeperClient { path: path.to_owned(), peer, secret, patience: PATIENCE, idle: Mutex::default() }
    }

    /// Speaks as the command line; the kernel tells the keeper who it is. Verifying a log of years takes minutes.
    pub fn control(path: &Path) -> KeeperClient {
        let client = KeeperClient::role(path, Peer::Control { uid: 0 }, Secret32::new([0; 32]));
        client.with_patience(CONTROL_PATIENCE)
    }

    /// The same role with connections of its own, which wait this long for an answer.
    pub fn patient(&self, patience: Duration) -> KeeperClient {
        KeeperClient::role(&self.path, self.peer, self.secret.clone()).with_patience(patience)
    }

    fn with_patience(self, patience: Duration) -> KeeperClient {
        KeeperClient { patience, ..self }
    }

    /// One question, one answer. An answer `Failed` comes as the error it holds.
    pub fn ask(&self, question: &Question) -> Result<Answer> {
        let kept = self.take().map(|mut kept| (exchange(&mut kept, question), kept));
        let (stream, answer) = match kept {
            Some((Ok(answer), kept)) => (kept, answer),
            // an answer that did not come in time may still have been acted on: it is not asked for twice
            Some((Err(error), _)) if !is_closed(&error) => return Err(away(error)),
            // a kept connection may have died with an earlier keeper: one fresh try
            _ => {
                let mut fresh = self.connect()?;
                let answer = exchange(&mut fresh, question).map_err(away)?;
                (fresh, answer)
            }
        };
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(stream);
        match answer {
            Answer::Failed(error) => Err(error),
            answer => Ok(answer),
        }
    }

    pub fn control_ask(&self, control: Control) -> Result<Answer> {
        self.ask(&Question::Control(control))
    }

    /// The recorder's hello: certifies its run's key (R5).
    pub fn begin_run(&self, run: RunId, run_key: PublicKey) -> Result<RunGrant> {
        match self.ask(&Question::BeginRun { run, run_key })? {
            Answer::Run(answer) => Ok(RunGrant {
                certificate: RunCertificate {
                    site: answer.site,
                    run: answer.run,
                    run_key: answer.run_key,
                    signature: answer.signature,
                },
                site_key: answer.site_key,
                anchor: answer.anchor,
                at_least: answer.at_least,
            }),
            other => Err(unexpected(&other)),
        }
    }

    /// The list's version, what is to be recorded, what may not be recorded any more.
    pub fn cameras(&self) -> Result<(u64, Vec<RecorderCamera>, Vec<domain::StreamId>)> {
        match self.ask(&Question::Cameras)? {
            Answer::Cameras { version, cameras, withheld } => Ok((version, cameras, withheld)),
            other => Err(unexpected(&other)),
        }
    }

    pub fn probed(&self, number: u64, result: std::result::Result<Probed, ProbeFailure>) -> Result<()> {
        self.done(&Question::Probed { number, result })
    }

    /// The recorder's word about a rebuild that was asked for.
    pub fn rebuilt(&self, number: u64, result: std::result::Result<Rebuilt, String>) -> Result<()> {
        self.done(&Question::Rebuilt { number, result })
    }

    /// What keyring and ledger say of each hour that may live, and the keeper's time at the first answer.
    pub fn books(&self) -> Result<(Books, UtcMicros)> {
        let (mut books, mut after, mut first) = (Books::new(), None, None);
        loop {
            let answer = self.ask(&Question::Books { after })?;
            let Answer::AuditHours { hours, more, now, .. } = answer else { return Err(unexpected(&answer)) };
            let begun = *first.get_or_insert(now);
            after = hours.last().map(|book| book.hour);
            books.extend(hours.into_iter().map(|book| (book.hour, book)));
            if !more || after.is_none() {
                return Ok((books, begun));
            }
        }
    }

    /// The auditor's one question.
    pub fn retention(&self) -> Result<RetentionView> {
        match self.ask(&Question::Retention)? {
            Answer::Retention(view) => Ok(*view),
            other => Err(unexpected(&other)),
        }
    }

    pub fn site(&self) -> Result<SiteView> {
        match self.ask(&Question::Site)? {
            Answer::Site(site) => Ok(site),
            other => Err(unexpected(&other)),
        }
    }

    pub fn sign_out(&self, session: &SessionSecret) -> Result<()> {
        self.done(&Question::SignOut { session: session.clone() })
    }

    /// `None` for a link that is unknown, used or expired.
    pub fn set_up_begin(&self, token: Sensitive<String>) -> Result<Option<SetUpBegun>> {
        match self.ask(&Question::SetUpBegin { token })? {
            Answer::SetUpBegun(begun) => Ok(Some(begun)),
            Answer::Denied { .. } => Ok(None),
            other => Err(unexpected(&other)),
        }
    }

    /// Uses a one-time token.
    pub fn set_up(
        &self,
        token: Sensitive<String>,
        password: Sensitive<String>,
        code: Sensitive<String>,
    ) -> Result<std::result::Result<SetUpDone, SetUpDenied>> {
        match self.ask(&Question::SetUp { token, password, code })? {
            Answer::SetUp { name, role, recovery } => Ok(Ok(SetUpDone { name, role, recovery })),
            Answer::WrongCode { wait_seconds } => Ok(Err(SetUpDenied::WrongCode { wait_seconds })),
            Answer::Denied { .. } => Ok(Err(SetUpDenied::NoLink)),
            other => Err(unexpected(&other)),
        }
    }

    pub fn end_look(&self, session: &SessionSecret, permit: PermitId) -> Result<()> {
        self.done(&Question::EndLook { session: session.clone(), permit })
    }

    pub fn see_cameras(&self, session: &SessionSecret) -> Result<CameraViews> {
        match self.ask(&Question::SeeCameras { session: session.clone() })? {
            Answer::CameraViews(views) => Ok(views),
            other => Err(unexpected(&other)),
        }
    }

    pub fn see_hours(&self, session: &SessionSecret, camera: CameraId, span: Span) -> Result<Vec<HourFate>> {
        match self.ask(&Question::SeeHours { session: session.clone(), camera, span })? {
            Answer::Hours(hours) => Ok(hours),
            other => Err(unexpected(&other)),
        }
    }

    pub fn see_health(&self, session: &SessionSecret) -> Result<KeeperHealth> {
        match self.ask(&Question::SeeHealth { session: session.clone() })? {
            Answer::Health(health) => Ok(*health),
            other => Err(unexpected(&other)),
        }
    }

    fn done(&self, question: &Question) -> Result<()> {
        match self.ask(question)? {
            Answer::Done => Ok(()),
            other => Err(unexpected(&other)),
        }
    }

    fn take(&self) -> Option<UnixStream> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn connect(&self) -> Result<UnixStream> {
        let mut stream = UnixStream::connect(&self.path).map_err(|error| away(error.into()))?;
        stream.set_read_timeout(Some(self.patience)).map_err(|error| away(error.into()))?;
        stream.set_write_timeout(Some(self.patience)).map_err(|error| away(error.into()))?;
        if let Peer::Control { .. } = self.peer {
            return Ok(stream);
        }
        let hello = Question::Hello { peer: self.peer, secret: self.secret.clone() };
        match exchange(&mut stream, &hello).map_err(away)? {
            Answer::Done => Ok(stream),
            Answer::Failed(error) => Err(error),
            other => Err(unexpected(&other)),
        }
    }
}

impl Keeper for KeeperClient {
    fn mint(&self, hour: Hour, run: RunId, streams: &[StreamId]) -> Result<Vec<Minted>> {
        match self.ask(&Question::Mint { hour, run, streams: streams.to_vec() })? {
            Answer::Minted(minted) => Ok(minted),
            other => Err(unexpected(&other)),
        }
    }

    fn pass(&self, session: &SessionSecret, ask: &Ask) -> Result<Verdict> {
        match self.ask(&Question::Pass { session: session.clone(), ask: ask.clone() })? {
            Answer::Verdict(verdict) => Ok(*verdict),
            other => Err(unexpected(&other)),
        }
    }

    fn keys(&self, query: &KeyQuery) -> Result<KeyAnswer> {
        match self.ask(&Question::Keys(Box::new(query.clone())))? {
            Answer::Keys(keys) => Ok(*keys),
            other => Err(unexpected(&other)),
        }
    }

    fn check(&self, beat: &Beat) -> Result<Pulse> {
        match self.ask(&Question::Check(beat.clone()))? {
            Answer::Pulse(pulse) => Ok(*pulse),
            other => Err(unexpected(&other)),
        }
    }

    fn enter(&self, facts: &[Fact]) -> Result<()> {
        self.done(&Question::Enter(facts.to_vec()))
    }

    fn begin_rebuild(&self, reels: u64, why: &str) -> Result<u64> {
        match self.ask(&Question::BeginRebuild { reels, why: why.to_owned() })? {
            Answer::RebuildBegun { leaf } => Ok(leaf),
            other => Err(unexpected(&other)),
        }
    }

    fn extents(&self, query: &ExtentsQuery) -> Result<Vec<StreamFate>> {
        match self.ask(&Question::Extents(Box::new(query.clone())))? {
            Answer::Extents(fates) => Ok(fates),
            other => Err(unexpected(&other)),
        }
    }

    fn wrap(&self, query: &WrapQuery) -> Result<Wrapping> {
        match self.ask(&Question::Wrap(Box::new(query.clone())))? {
            Answer::Wrapping(answer) => Ok(*answer),
            other => Err(unexpected(&other)),
        }
    }

    fn held_keys(&self, query: &HeldQuery) -> Result<KeyAnswer> {
        match self.ask(&Question::HeldKeys(Box::new(query.clone())))? {
            Answer::Keys(keys) => Ok(*keys),
            other => Err(unexpected(&other)),
        }
    }
}

fn exchange(stream: &mut UnixStream, question: &Question) -> std::result::Result<Answer, MessageError> {
    write_message(stream, question, MESSAGE_BYTES_MAX)?;
    let closed = || MessageError::Io(std::io::ErrorKind::UnexpectedEof.into());
    read_message(stream, MESSAGE_BYTES_MAX)?.ok_or_else(closed)
}

/// Whether the other side had closed the connection.
fn is_closed(error: &MessageError) -> bool {
    use std::io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
    matches!(error, MessageError::Io(error) if matches!(error.kind(), BrokenPipe | ConnectionReset | UnexpectedEof))
}

fn away(error: MessageError) -> KeeperError {
    KeeperError::Away { detail: error.to_string() }
}

pub(super) fn unexpected(answer: &Answer) -> KeeperError {
    let name = format!("{answer:?}");
    let name = name.split(['(', ' ', '{']).next().unwrap_or_default().to_owned();
    KeeperError::Malformed { what: format!("an answer of the wrong kind ({name})") }
}
