//! A camera's past: ciphertext from the store, chunk keys from the keeper, opened here reel by reel, packed for the browser (P4).

use crate::{
    extract::{Asked, Named, SignedIn, instant},
    live::unplayable,
    packer::Packer,
    parts::{self, PARTS_WAITING_MAX, Part, PartSender, Stopped},
    permits::InUse,
    problem::{self, Problem, ProblemBody},
    server::Web,
};
use axum::{extract::State, http::HeaderName, response::Response};
use bytes::Bytes;
use domain::{Span, StreamId};
use serde::Deserialize;
use std::sync::Arc;
use tokio::{runtime::Handle, sync::mpsc};
use utoipa::IntoParams;
use vault::{
    KeeperError, LocalStore, StoreError,
    keeper::View,
    replay::{Replay, ReplayError},
    service::{Located, RecorderAnswer, RecorderAsk},
};

/// Which part of the permit's span.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ReplayQuery {
    /// ISO 8601.
    from: String,
    /// ISO 8601.
    to: String,
}

/// One camera's past
///
/// Fragmented MP4 from the start of the group of pictures that holds `from`; `Vigie-From` is the UTC of time 0. Gaps in the
/// footage are gaps on the timeline. Read slowly, the server waits.
#[utoipa::path(get, path = "/media/{permit}/{camera}/replay", tag = "media",
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
    let stream = StreamId::main(using.camera(&camera)?);
    let span = span_within(&using, &query?.0)?;
    let store = web.store.clone().ok_or(&problem::STORE_AWAY)?;
    let reels = match web.recorder.ask(&RecorderAsk::Locate { stream, span }).await? {
        RecorderAnswer::Located(reels) if reels.is_empty() => return Err((&problem::NO_FOOTAGE).into()),
        RecorderAnswer::Located(reels) => reels,
        _ => return Err((&problem::RECORDER_AWAY).into()),
    };
    let (to, parts) = mpsc::channel(PARTS_WAITING_MAX);
    let job = Job { web, store, using, stream, span, reels };
    let runtime = Handle::current();
    tokio::task::spawn_blocking(move || job.run(&runtime, &to));
    parts::answer(parts, HeaderName::from_static("vigie-from")).await
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
    reels: Vec<Located>,
}

/// Why a job ends early.
enum Halt {
    Stopped,
    Problem(Problem),
}

impl Job {
    fn run(mut self, runtime: &Handle, to: &mpsc::Sender<Part>) {
        let reels = std::mem::take(&mut self.reels);
        let send = |part| runtime.block_on(PartSender { to, using: &self.using }.send(part));
        let end = match self.play(reels, &send) {
            Ok(()) => None,
            Err(Halt::Problem(problem)) => Some(problem),
            Err(Halt::Stopped) => return,
        };
        // nobody left to tell: the reader went away
        drop(send(Part::End(end)));
    }

    fn play(&self, reels: Vec<Located>, send: &impl Fn(Part) -> Result<(), Stopped>) -> Result<(), Halt> {
        let permit = self.using.permit().clone();
        let mut replay = Replay::new(&*self.web.keeper, &self.store, permit, self.stream, self.span, reels);
        let mut packer = Packer::default();
        let mut headed = false;
        while let Some(chunks) = replay.next_reel()? {
            for chunk in chunks {
                packer.push_chunk(chunk).map_err(unplayable)?;
                if !headed && let Some(head) = packer.head() {
                    send(Part::Head(head))?;
                    headed = true;
                }
                pass_on(packer.take().map_err(unplayable)?, send)?;
            }
        }
        pass_on(packer.finish().map_err(unplayable)?, send)
    }
}

fn pass_on(bytes: Option<Bytes>, send: &impl Fn(Part) -> Result<(), Stopped>) -> Result<(), Halt> {
    match bytes {
        Some(bytes) => Ok(send(Part::Bytes(bytes))?),
        None => Ok(()),
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
            error => {
                tracing::warn!(%error, "replay broke off");
                KeeperError::Failed { what: "replay".into() }.into()
            }
        })
    }
}
