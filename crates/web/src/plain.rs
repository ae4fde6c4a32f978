//! The port of plain HTTP beside TLS: it answers a certificate authority's challenge (RFC 8555, 8.3) and otherwise only says
//! where the console is.

use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::get,
};
use std::{
    io::{self, Read},
    path::{Path as FilePath, PathBuf},
    sync::Arc,
};
use tokio::net::TcpListener;

/// A token and a digest of a key; the longest in use has 87 characters.
const CHALLENGE_BYTES_MAX: u64 = 1_024;
const TOKEN_CHARS_MAX: usize = 128;

/// What the plain port knows.
#[derive(Clone, Debug)]
pub struct Plain {
    /// `https://…`
    pub address: String,
    /// Where an ACME client puts its answers.
    pub acme_folder: Option<PathBuf>,
}

/// Serves until its process ends.
pub async fn serve_plain(listener: TcpListener, plain: Plain) -> io::Result<()> {
    axum::serve(listener, plain_router(plain)).await
}

pub fn plain_router(plain: Plain) -> Router {
    Router::new()
        .route("/.well-known/acme-challenge/{token}", get(challenge))
        .fallback(elsewhere)
        .with_state(Arc::new(plain))
}

async fn challenge(State(plain): State<Arc<Plain>>, Path(token): Path<String>) -> Response {
    let answer = plain.acme_folder.as_deref().and_then(|folder| answer_to(folder, &token));
    match answer {
        Some(answer) => ([(header::CONTENT_TYPE, "application/octet-stream")], answer).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// By its name's letters alone no other file than one in this folder can be meant (RFC 8555: base64url).
fn answer_to(folder: &FilePath, token: &str) -> Option<Vec<u8>> {
    let is_token = (1..=TOKEN_CHARS_MAX).contains(&token.len())
        && token.bytes().all(|letter| letter.is_ascii_alphanumeric() || letter == b'-' || letter == b'_');
    if !is_token {
        return None;
    }
    let path = folder.join(token);
    if !std::fs::symlink_metadata(&path).ok()?.is_file() {
        return None;
    }
    let mut answer = Vec::new();
    std::fs::File::open(path).ok()?.take(CHALLENGE_BYTES_MAX).read_to_end(&mut answer).ok()?;
    Some(answer)
}

/// Reads only: what somebody posts in clear is not carried on as if it had been safe.
async fn elsewhere(State(plain): State<Arc<Plain>>, method: Method, uri: Uri) -> Response {
    if method != Method::GET && method != Method::HEAD {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    match HeaderValue::from_str(&format!("{}{path}", plain.address)) {
        Ok(location) => (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, location)]).into_response(),
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    }
}
