//! The console's files, carried inside the program: one file to install.

use crate::problem::{self, Problem};
use axum::{
    http::{HeaderValue, Method, StatusCode, Uri, header},
    response::{Html, IntoResponse, Response},
};
use evidence::Manifest;
use rust_embed::{EmbeddedFile, RustEmbed};

/// What the console's build made. Debug builds read it from its folder.
#[derive(RustEmbed)]
#[folder = "../../ui/dist"]
struct Files;

/// The page that lies in every package of evidence, apart: it is served to nobody.
#[derive(RustEmbed)]
#[folder = "../../ui/dist-lecteur"]
#[allow_missing = true]
struct Player;

/// Where a debug build reads them from; what is released carries them and reads nothing.
pub fn console_folders() -> Vec<std::path::PathBuf> {
    #[cfg(debug_assertions)]
    return ["../../ui/dist", "../../ui/dist-lecteur"]
        .map(|folder| std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder))
        .into();
    #[cfg(not(debug_assertions))]
    Vec::new()
}

/// In the player's page, in place of the manifest.
const NO_MANIFEST: &str = "<script type=\"application/json\" id=\"bordereau\">null</script>";

/// The player with this package's cameras and times in it; none where it was not built.
pub fn player(manifest: &Manifest) -> Option<Vec<u8>> {
    let page = Player::get(crate::exports::PLAYER)?;
    filled(std::str::from_utf8(&page.data).ok()?, manifest)
}

fn filled(page: &str, manifest: &Manifest) -> Option<Vec<u8>> {
    let (before, after) = page.split_once(NO_MANIFEST)?;
    // no name of a camera ends the script or begins a comment in it
    let json = serde_json::to_string(manifest).ok()?.replace('<', "\\u003c");
    let (open, close) = NO_MANIFEST.split_once("null")?;
    Some([before, open, &json, close, after].concat().into_bytes())
}

/// Names under it hold a digest of their content.
const DIGESTED: &str = "assets/";
const PAGE: &str = "index.html";

const NOT_BUILT: &str = "<!doctype html>\n<html lang=\"fr\"><head><meta charset=\"utf-8\"><title>Vigie</title></head><body>\
    <h1>Vigie</h1>\
    <p>La console n’est pas construite. Lancez <code>make ui</code>, puis redémarrez Vigie. L’enregistrement n’en dépend pas.</p>\
    <p lang=\"en\">The console is not built. Run <code>make ui</code>, then restart Vigie. Recording does not depend on it.</p>\
    </body></html>\n";

/// Everything that is no route.
pub async fn get_console(method: Method, uri: Uri) -> Response {
    let path = uri.path().trim_start_matches('/');
    let ours = ["api", "media"].iter().any(|start| path.split('/').next() == Some(start));
    if ours {
        return Problem::from(&problem::NOT_FOUND).into_response();
    }
    if !matches!(method, Method::GET | Method::HEAD) {
        return Problem::from(&problem::METHOD).into_response();
    }
    match (Files::get(path), looks_like_a_page(path), Files::get(PAGE)) {
        (Some(file), _, _) => answer(path, file),
        (None, true, Some(page)) => answer(PAGE, page),
        (None, true, None) => (StatusCode::SERVICE_UNAVAILABLE, Html(NOT_BUILT)).into_response(),
        (None, false, _) => Problem::from(&problem::NOT_FOUND).into_response(),
    }
}

fn answer(path: &str, file: EmbeddedFile) -> Response {
    let kind = HeaderValue::from_str(file.metadata.mimetype());
    let kind = kind.unwrap_or(HeaderValue::from_static("application/octet-stream"));
    let kept = if path.starts_with(DIGESTED) { "public, max-age=31536000, immutable" } else { "no-cache" };
    let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, HeaderValue::from_static(kept))];
    (headers, file.data).into_response()
}

/// A file has a dot in its last part; a page of the console has none.
fn looks_like_a_page(path: &str) -> bool {
    path.rsplit('/').next().is_none_or(|last| !last.contains('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_what_looks_like_a_page_gets_the_page() {
        for (path, found) in
            [("/", true), ("/quelque/part", true), ("/none.js", false), ("/api/none", false), ("/media/x", false)]
        {
            let response = get_console(Method::GET, Uri::from_static(path)).await;
            // 200 where the console is built, 503 with a page that says how to build it where not
            assert_eq!(response.status() != StatusCode::NOT_FOUND, found, "{path}");
        }
        let posted = get_console(Method::POST, Uri::from_static("/")).await;
        assert_eq!(posted.status(), StatusCode::METHOD_NOT_ALLOWED);
    }

    #[test]
    fn the_page_that_stands_in_speaks_both_languages() {
        assert!(NOT_BUILT.contains("n’est pas construite") && NOT_BUILT.contains("is not built"));
        assert_eq!(NOT_BUILT.matches("make ui").count(), 2);
    }
}
