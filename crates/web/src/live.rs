//! A camera live: frames from the recorder's hub while the permit stands, packed for the browser (P5).

use crate::{
    extract::{Asked, Named, SignedIn},
    packer::{Head, Packer},
    parts::{self, PARTS_WAITING_MAX, Part, PartSender},
    permits::InUse,
    problem::{self, Problem, ProblemBody},
    recorder_link::LiveLink,
    server::Web,
    stream::{StreamQuery, must_be_there},
};
use axum::{extract::State, http::HeaderName, response::Response};
use domain::{
    StreamId,
    limit::{LIVE_GROUP_WAIT_SECONDS, LIVE_PICTURE_WAIT_SECONDS},
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::mpsc,
    time::{Instant, timeout_at},
};
use vault::{
    keeper::{SessionSecret, View},
    service::LiveMessage,
};

/// Without any sign of pictures, and while pictures come of which none starts a group yet.
const PICTURE_WAIT: Duration = Duration::from_secs(LIVE_PICTURE_WAIT_SECONDS);
const GROUP_WAIT: Duration = Duration::from_secs(LIVE_GROUP_WAIT_SECONDS);

/// One camera live
///
/// Fragmented MP4; `Vigie-Start` is the UTC of time 0, at which the first picture is decoded. Before the answer comes a wait
/// for the camera's next key frame, of up to 75 s while its pictures come, of up to 10 s where none comes.
#[utoipa::path(get, path = "/media/{permit}/{camera}/live", tag = "media", security(("session" = [])),
    params(("permit" = String, Path, description = "of a live look"), ("camera" = String, Path), StreamQuery),
    responses(
        (status = 200, content_type = "video/mp4", body = Vec<u8>, headers(("Vigie-Start" = String))),
        (status = 400, body = ProblemBody), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 410, body = ProblemBody), (status = 503, body = ProblemBody), (status = 504, body = ProblemBody)
    ))]
pub async fn get_live(
    State(web): State<Arc<Web>>,
    SignedIn(session): SignedIn,
    Named((permit, camera)): Named<(String, String)>,
    query: Result<Asked<StreamQuery>, Problem>,
) -> Result<Response, Problem> {
    let using = web.permits.use_by(&permit, web.permits.owner(&session))?;
    let stream = query?.0.stream.of(using.camera(&camera)?);
    must_be_live(&using)?;
    let (to, parts) = mpsc::channel(PARTS_WAITING_MAX);
    tokio::spawn(async move { watch(&web, &session, &using, stream, &to).await });
    parts::answer(parts, HeaderName::from_static("vigie-start")).await
}

pub fn must_be_live(using: &InUse) -> Result<(), Problem> {
    match using.permit().view {
        View::Live => Ok(()),
        View::Replay(_) | View::Export(_) => Err((&problem::OUTSIDE_PERMIT).into()),
    }
}

/// Sends one stream's parts until the permit, the reader or the stream ends. The last part says why.
pub async fn watch(web: &Web, session: &SessionSecret, using: &InUse, stream: StreamId, to: &mpsc::Sender<Part>) {
    let sender = PartSender { to, using };
    let problem = tokio::select! {
        problem = relay(web, session, stream, &sender) => problem.err(),
        () = using.ended() => None,
        () = to.closed() => return,
    };
    // a reader that is behind sees the closed channel instead
    drop(to.try_send(Part::End(problem)));
}

async fn relay(web: &Web, session: &SessionSecret, stream: StreamId, sender: &PartSender<'_>) -> Result<(), Problem> {
    must_be_there(web, session, stream).await?;
    let mut link = web.recorder.live(sender.using.permit().clone(), stream).await?;
    let mut packer = Packer::default();
    let first = first_picture(&mut link, &mut packer).await?;
    let Some(head) = first else { return Err((&problem::RECORDER_AWAY).into()) };
    if sender.send(Part::Head(head)).await.is_err() {
        return Ok(());
    }
    loop {
        if let Some(bytes) = packer.take_due().map_err(unplayable)?
            && sender.send(Part::Bytes(bytes)).await.is_err()
        {
            return Ok(());
        }
        if advance(&mut link, &mut packer, |_| Some(())).await?.is_none() {
            return Ok(());
        }
    }
}

/// Waits for the first group's start.
async fn first_picture(link: &mut LiveLink, packer: &mut Packer) -> Result<Option<Head>, Problem> {
    let last = Instant::now() + GROUP_WAIT;
    let mut deadline = Instant::now() + PICTURE_WAIT;
    loop {
        let late = |_| Problem::from(&problem::NO_PICTURE);
        let message = timeout_at(deadline.min(last), link.next()).await.map_err(late)??;
        if message == LiveMessage::AwaitsGroup {
            deadline = Instant::now() + PICTURE_WAIT;
        }
        if !take(message, packer)? {
            return Ok(None);
        }
        if let Some(head) = packer.head() {
            return Ok(Some(head));
        }
    }
}

/// Takes messages until `enough` gives something; `None` at the stream's end.
async fn advance<T>(
    link: &mut LiveLink,
    packer: &mut Packer,
    enough: impl Fn(&Packer) -> Option<T>,
) -> Result<Option<T>, Problem> {
    loop {
        if !take(link.next().await?, packer)? {
            return Ok(None);
        }
        if let Some(enough) = enough(packer) {
            return Ok(Some(enough));
        }
    }
}

/// `false` at the stream's end.
fn take(message: LiveMessage, packer: &mut Packer) -> Result<bool, Problem> {
    match message {
        LiveMessage::Frame(frame) => match frame.into_frame() {
            Some(frame) => packer.push(frame).map_err(unplayable)?,
            None => packer.jump(),
        },
        LiveMessage::Jump => packer.jump(),
        LiveMessage::AwaitsGroup | LiveMessage::Idle => {}
        LiveMessage::Ended => return Ok(false),
    }
    Ok(true)
}

pub fn unplayable(error: media::MediaError) -> Problem {
    tracing::warn!(%error, "pictures that cannot be packed for a browser");
    (&problem::CODEC).into()
}
