//! The console's files, carried inside the program: one file to install.

use crate::problem::{self, Problem};
use axum::{
    http::{HeaderValue, Method, StatusCode, Uri, header},
    response::{Html, IntoResponse, Response},
};
use rust_embed::{EmbeddedFile, RustEmbed};

/// What the console's build made. Debug builds read it from its folder.
#[derive(RustEmbed)]
#[folder = "../../ui/dist"]
struct Files;

/// Where a debug build reads the console from; what is released carries it and reads nothing.
pub fn console_folder() -> Option<std::path::PathBuf> {
    #[cfg(debug_assertions)]
    return Some(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ui/dist"));
    #[cfg(not(debug_assertions))]
    None
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
