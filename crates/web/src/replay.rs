//! A camera's past: ciphertext from the store, chunk keys from the keeper, opened here reel by reel, packed for the browser (P4).

use crate::{
    extract::{Asked, Named, SignedIn, instant},
    live::unplayable,
    packer::Packer,
    parts::{self, PARTS_WAITING_MAX, Part, PartSender, Stopped},
    permits::InUse,
    problem::{self, Problem, ProblemBody},
    server::Web,
    stream::{Wanted, must_be_there},
};
use axum::{extract::State, http::HeaderName, response::Response};
use bytes::Bytes;
use domain::{Span, StreamId, UtcMicros, limit::CLOSED_BEFORE_DEADLINE_SECONDS};
use keeper::wire::FateState;
use serde::Deserialize;
use std::{sync::Arc, time::Duration};
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, mpsc},
    time::Instant,
};
use utoipa::IntoParams;
use vault::{
    KeeperError, LocalStore, StoreError,
    keeper::View,
    replay::{Replay, ReplayError},
    service::{Located, RecorderAnswer, RecorderAsk},
};

/// Opened pictures that nobody reads are dropped after this, and opened anew if the reader comes back: a replay that is
/// paused must not keep in memory what dies meanwhile (K8).
const CLEAR_MAX: Duration = Duration::from_secs(300);

// What is opened just before it closes is dropped before its deadline.
const _: () = assert!((CLEAR_MAX.as_secs() as i64) < CLOSED_BEFORE_DEADLINE_SECONDS);

/// Which part of the permit's span.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ReplayQuery {
    /// ISO 8601.
    from: String,
    /// ISO 8601.
    to: String,
    /// `main` where nothing is said.
    #[serde(default)]
    #[param(inline, required = false)]
    stream: Wanted,
}

/// One camera's past
///
/// Fragmented MP4 from the start of the group of pictures that holds `from`; `Vigie-From` is the UTC of time 0, at
/// which the first picture is decoded. Gaps in the
/// footage are gaps on the timeline. Read slowly, the server waits.
#[utoipa::path(get, path = "/media/{permit}/{camera}/replay", tag = "media", security(("session" = [])),
    params(("permit" = String, Path, description = "of a look at the past"), ("camera" = String, Path), ReplayQuery),
    responses(
        (status = 200, content_type = "video/mp4", body = Vec<u8>, headers(("Vigie-From" = String))),
        (status = 400, body = ProblemBody), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 410, body = ProblemBody), (status = 503, body = ProblemBody)
    ))]
pub async fn get_replay(
    State(web): State<Arc<Web>>,
    SignedIn(session): SignedIn,
    Named((permit, camera)): Named<(String, String)>,
    query: Result<Asked<ReplayQuery>, Problem>,
) -> Result<Response, Problem> {
    let using = web.permits.use_by(&permit, web.permits.owner(&session))?;
    let camera = using.camera(&camera)?;
    let query = query?.0;
    let (stream, span) = (query.stream.of(camera), span_within(&using, &query)?);
    let played = play(&web, using, stream, span).await;
    match played {
        Err(problem) if std::ptr::eq(problem.text, &problem::NO_FOOTAGE) => {
            // nothing there: because it died, or because it never was
            let asked = session.clone();
            let fates = web.ask_keeper(move |keeper| keeper.see_hours(&asked, camera, span)).await?;
            if fates.iter().any(|fate| matches!(fate.state, FateState::Closed | FateState::Destroyed)) {
                return Err((&problem::CLOSED).into());
            }
            // what was recorded of a sub-stream that was taken away since stays until its deadline
            must_be_there(&web, &session, stream).await?;
            Err(problem)
        }
        played => played,
    }
}

async fn play(web: &Arc<Web>, using: InUse, stream: StreamId, span: Span) -> Result<Response, Problem> {
    let place = web.replays.clone().try_acquire_owned().map_err(|_| Problem::from(&problem::TOO_MANY_STREAMS))?;
    let reels = locate(web, stream, span).await?;
    let store = web.store.clone().ok_or(&problem::STORE_AWAY)?;
    let (to, parts) = mpsc::channel(PARTS_WAITING_MAX);
    let job = Job { web: web.clone(), store, using, stream, span, runtime: Handle::current(), to, _place: place };
    tokio::task::spawn_blocking(move || job.run(reels));
    parts::answer(parts, HeaderName::from_static("vigie-from")).await
}

async fn locate(web: &Web, stream: StreamId, span: Span) -> Result<Vec<Located>, Problem> {
    match web.recorder.ask(&RecorderAsk::Locate { stream, span }).await? {
        RecorderAnswer::Located(reels) if reels.is_empty() => Err((&problem::NO_FOOTAGE).into()),
        RecorderAnswer::Located(reels) => Ok(reels),
        _ => Err((&problem::RECORDER_AWAY).into()),
    }
}

/// The asked span, cut to what the permit covers.
fn span_within(using: &InUse, query: &ReplayQuery) -> Result<Span, Problem> {
    let (from, to) = (instant(&query.from)?, instant(&query.to)?);
    let asked = Span::new(from, to).map_err(|_| Problem::from(&problem::MALFORMED))?;
    let View::Replay(permitted) = using.permit().view else { return Err((&problem::OUTSIDE_PERMIT).into()) };
    let cut = Span::new(asked.from().max(permitted.from()), asked.to().min(permitted.to()));
    cut.ok().filter(|span| span.micros() > 0).ok_or_else(|| (&problem::OUTSIDE_PERMIT).into())
}

/// One replay, on a thread of its own: keeper and store block.
struct Job {
    web: Arc<Web>,
    store: Arc<LocalStore>,
    using: InUse,
    stream: StreamId,
    span: Span,
    runtime: Handle,
    to: mpsc::Sender<Part>,
    _place: OwnedSemaphorePermit,
}

/// What was handed on so far.
#[derive(Default)]
struct Progress {
    packer: Packer,
    headed: bool,
    /// When the last chunk that was packed is decoded: that rises from chunk to chunk.
    packed: Option<UtcMicros>,
}

/// How reading went.
#[derive(PartialEq, Eq)]
enum Played {
    ToTheEnd,
    /// The reader let us wait for so long that the opened pictures were dropped.
    Paused,
}

/// What back-pressure says.
#[derive(PartialEq, Eq)]
enum Reader {
    TakesMore,
    Pauses,
}

/// Why a job ends early.
enum Halt {
    Stopped,
    Problem(Problem),
}

impl Job {
    fn run(self, reels: Vec<Located>) {
        let end = match self.play(reels) {
            Ok(()) => None,
            Err(Halt::Problem(problem)) => Some(problem),
            Err(Halt::Stopped) => return,
        };
        // nobody left to tell: the reader went away
        drop(self.send(Part::End(end)));
    }

    /// 1 open and hand on · 2 after a long pause nothing opened is left: wait for the reader · 3 locate and open the rest
    /// anew, through the keeper, which refuses what has closed meanwhile.
    fn play(&self, mut reels: Vec<Located>) -> Result<(), Halt> {
        let mut progress = Progress::default();
        let mut span = self.span;
        while self.play_some(reels, span, &mut progress)? == Played::Paused {
            self.wait_for_reader(None)?;
            // a group's start may lie before what the permit covers
            let from = progress.packed.map_or(span.from(), |packed| packed.max(span.from()));
            span = Span::new(from, span.to()).map_err(|_| Problem::from(&problem::NO_FOOTAGE))?;
            reels = self.runtime.block_on(locate(&self.web, self.stream, span))?;
        }
        self.pass_on(progress.packer.finish().map_err(unplayable)?)
    }

    fn play_some(&self, reels: Vec<Located>, span: Span, progress: &mut Progress) -> Result<Played, Halt> {
        let permit = self.using.permit().clone();
        let mut replay = Replay::new(&*self.web.keeper, &self.store, permit, self.stream, span, reels);
        // opened anew, a group is opened from its start: what of it was handed on already is passed over
        let known = progress.packed;
        while let Some(passages) = {
            let next = replay.next_reel();
            self.web.note_damaged(replay.take_damaged());
            next?
        } {
            let drop_at = Instant::now() + CLEAR_MAX;
            for passage in passages.into_iter().filter(|passage| known < Some(passage.chunk.decode_utc())) {
                if self.wait_for_reader(Some(drop_at))? == Reader::Pauses {
                    return Ok(Played::Paused);
                }
                if !passage.follows {
                    progress.packer.jump();
                }
                progress.packed = Some(passage.chunk.decode_utc());
                progress.packer.push_chunk(passage.chunk).map_err(unplayable)?;
                if !progress.headed
                    && let Some(head) = progress.packer.head()
                {
                    self.send(Part::Head(head))?;
                    progress.headed = true;
                }
                self.pass_on(progress.packer.take().map_err(unplayable)?)?;
            }
        }
        Ok(Played::ToTheEnd)
    }

    /// Back-pressure: until the reader takes more, or `until`.
    fn wait_for_reader(&self, until: Option<Instant>) -> Result<Reader, Stopped> {
        self.runtime.block_on(async {
            let pause = async {
                match until {
                    Some(until) => tokio::time::sleep_until(until).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = self.using.ended() => Err(Stopped),
                () = pause => Ok(Reader::Pauses),
                room = self.to.reserve() => room.map(|_| Reader::TakesMore).map_err(|_| Stopped),
            }
        })
    }

    fn send(&self, part: Part) -> Result<(), Stopped> {
        self.runtime.block_on(PartSender { to: &self.to, using: &self.using }.send(part))
    }

    fn pass_on(&self, bytes: Option<Bytes>) -> Result<(), Halt> {
        match bytes {
            Some(bytes) => Ok(self.send(Part::Bytes(bytes))?),
            None => Ok(()),
        }
    }
}

impl From<Stopped> for Halt {
    fn from(_: Stopped) -> Halt {
        Halt::Stopped
    }
}

impl From<Problem> for Halt {
    fn from(problem: Problem) -> Halt {
        Halt::Problem(problem)
    }
}

impl From<ReplayError> for Halt {
    fn from(error: ReplayError) -> Halt {
        Halt::Problem(match error {
            ReplayError::Keeper(error) => error.into(),
            // the slot was given to newer footage: what was here is dead
            ReplayError::Store(StoreError::Gone) | ReplayError::OtherReel { .. } => (&problem::CLOSED).into(),
            ReplayError::Store(StoreError::RootAway { .. }) => (&problem::STORE_AWAY).into(),
            error => {
                tracing::warn!(%error, "replay broke off");
                KeeperError::Failed { what: "replay".into() }.into()
            }
        })
    }
}
