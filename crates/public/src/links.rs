//! The page of one-time links, and the lines by which the inside answers it (vault.md P1, P8).
//!
//! This role knows no link, no code and no package. web keeps some connections open to the socket here: the inside comes out, nothing
//! public connects inward. A try goes out on one of them as 42 bytes; the word comes back on it, and after a yes the sealed package,
//! which is passed on as it comes.
//!
//! A try: 1 a place among the tries, else *busy* · 2 the form is read, or refused · 3 a line, else *busy* · 4 the word on it · 5 after a
//! no, whatever its reason, the same page at the same time · 6 after a yes the bytes, and a word to web when the last is given to the
//! recipient's connection.

use axum::{
    Router,
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, State, rejection::BytesRejection},
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use domain::{
    ExportId, LinkTry, LinkWord,
    limit::{LINK_FORM_BYTES_MAX, LINK_LINES, LINK_REFUSAL_MS, LINK_STALL_SECONDS_MAX, LINK_TRIES_AT_ONCE},
};
use futures::stream;
use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{UnixListener, UnixStream},
    sync::Semaphore,
    time::{Instant, sleep, sleep_until, timeout},
};

const STALL: Duration = Duration::from_secs(LINK_STALL_SECONDS_MAX);
const AFTER_FAILURE: Duration = Duration::from_millis(100);
/// What is passed on at once.
const PART_BYTES: usize = 64 * 1024;
/// To web: the last byte was given on.
pub const WHOLE: u8 = b'.';

type Headers = [(HeaderName, HeaderValue); 7];

/// Connections of web that wait for a try.
pub struct Lines {
    idle: Mutex<Vec<UnixStream>>,
    tries: Semaphore,
    /// Who is refused waits so long.
    refusal: Duration,
}

enum Asked {
    No,
    Busy,
    Yes { line: UnixStream, export: ExportId, bytes: u64 },
}

impl Lines {
    pub fn new() -> Arc<Lines> {
        Lines::with_refusal(Duration::from_millis(LINK_REFUSAL_MS))
    }

    fn with_refusal(refusal: Duration) -> Arc<Lines> {
        Arc::new(Lines { idle: Mutex::default(), tries: Semaphore::new(LINK_TRIES_AT_ONCE), refusal })
    }

    /// Takes connections of web, as long as the process lives; more than are of use are closed.
    pub async fn keep(self: Arc<Lines>, listener: UnixListener) {
        loop {
            match listener.accept().await {
                Ok((line, _)) => self.add(line),
                Err(error) => {
                    tracing::warn!(%error, "a line of web was not taken");
                    sleep(AFTER_FAILURE).await;
                }
            }
        }
    }

    fn add(&self, line: UnixStream) {
        let mut idle = self.idle();
        idle.retain(is_alive);
        if idle.len() < LINK_LINES {
            idle.push(line);
        }
    }

    fn take(&self) -> Option<UnixStream> {
        let mut idle = self.idle();
        idle.retain(is_alive);
        idle.pop()
    }

    fn idle(&self) -> MutexGuard<'_, Vec<UnixStream>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ask(&self, tried: &LinkTry) -> Asked {
        let asked = tried.to_bytes();
        loop {
            let Some(mut line) = self.take() else { return Asked::Busy }; // 3
            // nobody was there to read it: the next line. Once it is written it may be counted, and is not sent again.
            if !matches!(timeout(STALL, line.write_all(&*asked)).await, Ok(Ok(()))) {
                continue;
            }
            let mut word = [0; LinkWord::BYTES];
            let read = timeout(STALL, line.read_exact(&mut word)).await;
            return match (read, LinkWord::from_bytes(&word)) {
                (Ok(Ok(_)), Some(LinkWord::Yes { export, bytes })) => Asked::Yes { line, export, bytes },
                (Ok(Ok(_)), Some(LinkWord::Busy)) => Asked::Busy,
                _ => Asked::No,
            }; // 4
        }
    }
}

/// Web says nothing before it is asked: what is there to be read is its end.
fn is_alive(line: &UnixStream) -> bool {
    matches!(line.try_read(&mut [0]), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
}

/// The page, its two files, and where it posts.
pub fn router(lines: Arc<Lines>) -> Router {
    Router::new()
        .route("/remise", get(async || shown(StatusCode::OK, HTML, Framed::Never, include_str!("links/page.html"))))
        .route(
            "/remise/lien.css",
            get(async || shown(StatusCode::OK, CSS, Framed::Never, include_str!("links/lien.css"))),
        )
        .route("/remise/lien.js", get(async || shown(StatusCode::OK, JS, Framed::Never, include_str!("links/lien.js"))))
        .route("/remise/paquet", post(fetch).layer(DefaultBodyLimit::max(LINK_FORM_BYTES_MAX)))
        .with_state(lines)
}

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";

/// Who may show this in a frame: answers are shown within the page.
#[derive(Clone, Copy)]
enum Framed {
    Never,
    ByThePage,
}

fn headers(kind: &'static str, framed: Framed) -> Headers {
    let policy = match framed {
        Framed::Never => {
            "default-src 'none'; script-src 'self'; style-src 'self'; frame-src 'self'; form-action 'self'; \
             frame-ancestors 'none'; base-uri 'none'"
        }
        Framed::ByThePage => "default-src 'none'; style-src 'self'; frame-ancestors 'self'; base-uri 'none'",
    };
    let value = HeaderValue::from_static;
    [
        (header::CONTENT_TYPE, value(kind)),
        (header::CONTENT_SECURITY_POLICY, value(policy)),
        (header::CACHE_CONTROL, value("no-store")),
        (header::REFERRER_POLICY, value("no-referrer")),
        (header::X_CONTENT_TYPE_OPTIONS, value("nosniff")),
        (HeaderName::from_static("cross-origin-resource-policy"), value("same-origin")),
        (HeaderName::from_static("cross-origin-opener-policy"), value("same-origin")),
    ]
}

fn shown(status: StatusCode, kind: &'static str, framed: Framed, text: &'static str) -> Response {
    (status, headers(kind, framed), text).into_response()
}

fn no() -> Response {
    shown(StatusCode::FORBIDDEN, HTML, Framed::ByThePage, include_str!("links/no.html"))
}

fn busy() -> Response {
    shown(StatusCode::SERVICE_UNAVAILABLE, HTML, Framed::ByThePage, include_str!("links/busy.html"))
}

async fn fetch(State(lines): State<Arc<Lines>>, body: Result<Bytes, BytesRejection>) -> Response {
    let begun = Instant::now();
    let Ok(_place) = lines.tries.try_acquire() else { return busy() }; // 1
    let tried = body.ok().and_then(|body| LinkTry::from_form(&body)); // 2
    let asked = match &tried {
        Some(tried) => lines.ask(tried).await,
        None => Asked::No,
    };
    match asked {
        Asked::Busy => busy(),
        Asked::No => {
            sleep_until(begun + lines.refusal).await; // 5
            no()
        }
        Asked::Yes { line, export, bytes } => package(line, export, bytes), // 6
    }
}

fn package(line: UnixStream, export: ExportId, bytes: u64) -> Response {
    let body = stream::try_unfold((line, bytes), pass_on);
    let mut response =
        (headers("application/octet-stream", Framed::ByThePage), Body::from_stream(body)).into_response();
    let name = format!("attachment; filename=\"vigie-remise-{export}.zip.age\"");
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LENGTH, bytes.into());
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("none"));
    if let Ok(name) = HeaderValue::from_str(&name) {
        headers.insert(header::CONTENT_DISPOSITION, name);
    }
    response
}

/// The next part of a package; a line that ends or stands still breaks the download off, and its length says so to the recipient.
async fn pass_on((mut line, left): (UnixStream, u64)) -> io::Result<Option<(Vec<u8>, (UnixStream, u64))>> {
    if left == 0 {
        return Ok(None);
    }
    let mut part = vec![0; usize::try_from(left).unwrap_or(PART_BYTES).min(PART_BYTES)];
    let read = timeout(STALL, line.read(&mut part)).await.map_err(|_| io::ErrorKind::TimedOut)??;
    if read == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    part.truncate(read);
    let left = left - read as u64;
    if left == 0 {
        line.write_all(&[WHOLE]).await?;
    }
    Ok(Some((part, (line, left))))
}

#[cfg(test)]
mod tests;
