//! The witness's HTTP: `POST /add-checkpoint` and nothing else.

use crate::book::{Answer, Book};
use axum::{
    Router,
    body::Body,
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::post,
};
use domain::limit::ADD_CHECKPOINT_BYTES_MAX;
use futures::StreamExt;
use ledger::{AddCheckpoint, Refusal};
use std::{sync::Arc, time::SystemTime};
use tokio::net::TcpListener;
use tracing::{error, info, warn};

/// Whoever sends more than this is not told anything.
const DRAINED_BYTES_MAX: usize = 1 << 20;

/// The routes. Each question is judged on a thread that may wait for the disk.
pub fn router(book: Arc<Book>) -> Router {
    Router::new().route("/add-checkpoint", post(add_checkpoint)).with_state(book)
}

/// Serves until `shutdown`.
pub async fn serve(
    listener: TcpListener,
    book: Arc<Book>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    axum::serve(listener, router(book)).with_graceful_shutdown(shutdown).await
}

async fn add_checkpoint(State(book): State<Arc<Book>>, body: Body) -> Response {
    let body = match whole(body).await {
        Ok(body) => body,
        Err(status) => return status.into_response(),
    };
    let request = match AddCheckpoint::parse(&body) {
        Ok(request) => request,
        Err(error) => return (StatusCode::BAD_REQUEST, format!("{error}\n")).into_response(),
    };
    let claimed = ledger::checkpoint::claimed(&request.note);
    let log = claimed.map(|(origin, _)| origin).unwrap_or_default();
    match tokio::task::spawn_blocking(move || book.cosign(&request, now_seconds())).await {
        Ok(Ok(Answer::Cosigned(line))) => {
            info!(log, "cosigned");
            (StatusCode::OK, line).into_response()
        }
        Ok(Ok(Answer::Refused(refusal))) => refused(&log, &refusal),
        Ok(Err(error)) => {
            error!(log, %error, "not judged");
            (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response()
        }
        Err(error) => {
            error!(log, %error, "a question was not put to its end");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// The body, if it is no longer than a question. One that is a little longer is read to its end all the same: a connection that is
/// closed over an unread body is reset, and the answer that says why may never arrive.
async fn whole(body: Body) -> Result<Vec<u8>, StatusCode> {
    let mut parts = body.into_data_stream();
    let (mut kept, mut read) = (Vec::new(), 0);
    while let Some(part) = parts.next().await {
        let part = part.map_err(|_| StatusCode::BAD_REQUEST)?;
        read += part.len();
        if DRAINED_BYTES_MAX < read {
            break;
        }
        if read <= ADD_CHECKPOINT_BYTES_MAX {
            kept.extend_from_slice(&part);
        }
    }
    if ADD_CHECKPOINT_BYTES_MAX < read { Err(StatusCode::PAYLOAD_TOO_LARGE) } else { Ok(kept) }
}

fn refused(log: &str, refusal: &Refusal) -> Response {
    let status = StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::BAD_REQUEST);
    match refusal {
        Refusal::Forked { size } => {
            error!(log, size, "FORK: this log signed two different trees of one size; both notes are kept in `forks`");
        }
        Refusal::NotGrown { old, new } => {
            error!(
                log,
                old,
                new,
                "NOT PROVED TO GROW: this log signed a tree that is not proved to continue the last one; note and question are kept in `forks`"
            );
        }
        other => warn!(log, %other, "refused"),
    }
    match refusal {
        Refusal::Elsewhere { size, .. } | Refusal::Forked { size } => {
            (status, [(CONTENT_TYPE, "text/x.tlog.size")], format!("{size}\n")).into_response()
        }
        other => (status, format!("{other}\n")).into_response(),
    }
}

fn now_seconds() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.ok().and_then(|since| i64::try_from(since.as_secs()).ok()).unwrap_or_default()
}
