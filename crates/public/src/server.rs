//! Serves the mirror read-only: `checkpoint`, tiles and entry bundles of C2SP tlog-tiles, `starts`; the page of links, where the town offers
//! them; and nothing else.

use crate::{
    door::Door,
    links::{self, Lines},
};
use axum::{
    Router,
    extract::{Path, State},
    http::{HeaderName, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use ledger::tile::PublicTile;
use std::{io::ErrorKind, path::PathBuf, sync::Arc};
use tokio::net::TcpListener;

const CHECKPOINT: [(HeaderName, &str); 4] = [
    (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
    (header::CACHE_CONTROL, "public, max-age=5"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
];
/// A tile of a width never changes.
const TILE: [(HeaderName, &str); 4] = [
    (header::CONTENT_TYPE, "application/octet-stream"),
    (header::CACHE_CONTROL, "public, max-age=31536000, immutable"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
];

/// The routes over the mirror's folder.
pub fn router(mirror: PathBuf) -> Router {
    Router::new()
        .route("/checkpoint", get(checkpoint))
        .route("/starts", get(starts))
        .route("/tile/{*rest}", get(tile))
        .with_state(Arc::new(mirror))
}

/// Serves until `shutdown`; with lines of web also the page of links.
pub async fn serve(
    listener: TcpListener,
    mirror: PathBuf,
    lines: Option<Arc<Lines>>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    let router = lines.into_iter().fold(router(mirror), |router, lines| router.merge(links::router(lines)));
    axum::serve(Door::new(listener), router).with_graceful_shutdown(shutdown).await
}

async fn checkpoint(State(mirror): State<Arc<PathBuf>>) -> Response {
    text(mirror.join("checkpoint")).await
}

/// Which programs started, opened for everybody.
async fn starts(State(mirror): State<Arc<PathBuf>>) -> Response {
    text(mirror.join("starts")).await
}

async fn text(path: PathBuf) -> Response {
    match read(path).await {
        Ok(text) => (CHECKPOINT, text).into_response(),
        Err(status) => status.into_response(),
    }
}

/// The path is read as a tile's and written anew: no other file has such a name.
async fn tile(State(mirror): State<Arc<PathBuf>>, Path(rest): Path<String>) -> Response {
    let Some(tile) = PublicTile::parse(&format!("tile/{rest}")) else { return StatusCode::NOT_FOUND.into_response() };
    match read(mirror.join(tile.path())).await {
        Ok(content) => (TILE, content).into_response(),
        Err(status) => status.into_response(),
    }
}

async fn read(path: PathBuf) -> Result<Vec<u8>, StatusCode> {
    let read = tokio::task::spawn_blocking(move || std::fs::read(path)).await;
    match read {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error))
            if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::IsADirectory) =>
        {
            Err(StatusCode::NOT_FOUND)
        }
        _ => Err(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{body::Body, http::Request};
    use http_body_util::BodyExt;
    use tower::ServiceExt;

    fn mirror() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let mirror = folder.path().join("mirror");
        std::fs::create_dir_all(mirror.join("tile/entries")).unwrap();
        std::fs::create_dir_all(mirror.join("tile/0/000.p")).unwrap();
        std::fs::write(mirror.join("checkpoint"), "note").unwrap();
        std::fs::write(mirror.join("tile/entries/000"), "bundle").unwrap();
        std::fs::write(mirror.join("tile/0/000.p/16"), "tile").unwrap();
        std::fs::write(mirror.join("checkpoint.tmp"), "never").unwrap();
        std::fs::write(folder.path().join("state.json"), "never").unwrap();
        folder
    }

    async fn asked(folder: &tempfile::TempDir, method: &str, path: &str) -> (u16, String, String, String) {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        let answer = router(folder.path().join("mirror")).oneshot(request).await.unwrap();
        let shown = |name| answer.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
        let (status, kind, cache) =
            (answer.status().as_u16(), shown(header::CONTENT_TYPE), shown(header::CACHE_CONTROL));
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (status, kind, cache, String::from_utf8_lossy(&body).into_owned())
    }

    #[tokio::test]
    async fn the_logs_files_are_served_with_their_types_and_lives() {
        let folder = mirror();
        let (status, kind, cache, body) = asked(&folder, "GET", "/checkpoint").await;
        assert_eq!((status, kind.as_str(), body.as_str()), (200, "text/plain; charset=utf-8", "note"));
        assert_eq!(cache, "public, max-age=5");
        for (path, content) in [("/tile/entries/000", "bundle"), ("/tile/0/000.p/16", "tile")] {
            let (status, kind, cache, body) = asked(&folder, "GET", path).await;
            assert_eq!((status, kind.as_str(), body.as_str()), (200, "application/octet-stream", content), "{path}");
            assert!(cache.contains("immutable"), "{cache}");
        }
    }

    #[tokio::test]
    async fn nothing_else_is_served_and_nothing_is_taken() {
        let folder = mirror();
        for path in [
            "/",
            "/state.json",
            "/checkpoint.tmp",
            "/tile",
            "/tile/",
            "/tile/entries",
            "/tile/entries/001",
            "/tile/entries/000.p/3",
            "/tile/../checkpoint",
            "/tile/0/../../../state.json",
            "/tile/0/..%2f..%2f..%2fstate.json",
            "/tile/%2e%2e/%2e%2e/state.json",
            "/tile/entries/000%00",
            "/..%2fstate.json",
            "/mirror/checkpoint",
        ] {
            let (status, _, _, body) = asked(&folder, "GET", path).await;
            assert!(status == 404 && !body.contains("never"), "{path}: {status} {body}");
        }
        for method in ["POST", "PUT", "DELETE", "PATCH"] {
            assert_eq!(asked(&folder, method, "/checkpoint").await.0, 405, "{method}");
        }
    }
}
