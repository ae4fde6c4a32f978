//! What holds for every request and answer: security headers, the host's name, sizes, other pages, the log.

use crate::{
    problem::{self, Problem},
    server::Web,
};
use axum::{
    body::{self, Body},
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use domain::UtcMicros;
use jiff::fmt::rfc2822;
use std::{
    net::{Ipv4Addr, Ipv6Addr},
    sync::Arc,
    time::Duration,
};

/// The longest request is a look with a reason of 500 characters and many cameras.
pub const BODY_BYTES_MAX: usize = 64 * 1024;

/// A body comes in one or two packets; who takes longer has no body to send.
const BODY_PATIENCE: Duration = Duration::from_secs(10);

/// A page of another site cannot send this header without asking first, and it is never told yes.
pub const OWN_PAGE: HeaderName = HeaderName::from_static("vigie-request");

const FIXED: [(HeaderName, &str); 6] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'self'; media-src 'self' blob:; img-src 'self' data:; style-src 'self'; script-src 'self'; \
         connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), microphone=(), geolocation=(), display-capture=(), payment=(), usb=(), serial=(), bluetooth=(), midi=()",
    ),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

pub async fn secure(State(web): State<Arc<Web>>, request: Request, next: Next) -> Response {
    let kept_nowhere = ["/api", "/media"].iter().any(|start| request.uri().path().starts_with(start));
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in FIXED {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if kept_nowhere || !headers.contains_key(header::CACHE_CONTROL) {
        // K11: no picture and no answer about people stays in a cache
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    if web.is_secure {
        // a year: who came once by TLS never comes in clear again (RFC 6797)
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
    // the console counts by the town's clock, which is ours and need not be the machine's
    headers.extend(http_date(web.clock.utc()).map(|date| (header::DATE, date)));
    response
}

/// As RFC 9110 section 5.6.7 writes it, in whole seconds that have begun.
fn http_date(at: UtcMicros) -> Option<HeaderValue> {
    let whole = jiff::Timestamp::from_second(at.seconds()).ok()?;
    HeaderValue::from_str(&rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&whole).ok()?).ok()
}

/// One line a request. The route, never the address: addresses hold permit ids and times; no cookie, no query, no name.
pub async fn log(State(web): State<Arc<Web>>, request: Request, next: Next) -> Response {
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let began = web.clock.boot();
    let response = next.run(request).await;
    let micros = web.clock.boot().0.saturating_sub(began.0);
    let route = route.as_ref().map_or("console", MatchedPath::as_str);
    tracing::info!(%method, route, status = response.status().as_u16(), ms = micros / 1000, "request");
    response
}

/// A name that is neither this machine's own nor the configured one was put in front of us by somebody's DNS (rebinding).
pub async fn refuse_other_hosts(State(web): State<Arc<Web>>, request: Request, next: Next) -> Response {
    if is_ours(&web.host, request.headers(), request.uri()) {
        next.run(request).await
    } else {
        Problem::from(&problem::OTHER_HOST).into_response()
    }
}

/// By the declared length; a body without one is cut off by the body limit.
pub async fn refuse_large_bodies(request: Request, next: Next) -> Response {
    let declared = request.headers().get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    if declared.and_then(|length| length.parse().ok()).is_some_and(|length: u64| length > BODY_BYTES_MAX as u64) {
        return Problem::from(&problem::TOO_LARGE).into_response();
    }
    next.run(request).await
}

/// The whole body, before anything is decided: a connection that is closed over an unread body is reset, and then the answer that
/// says why may never arrive.
pub async fn read_whole(request: Request, next: Next) -> Response {
    let (parts, sent) = request.into_parts();
    match tokio::time::timeout(BODY_PATIENCE, body::to_bytes(sent, BODY_BYTES_MAX)).await {
        Ok(Ok(bytes)) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
        Ok(Err(error)) if is_too_long(&error) => Problem::from(&problem::TOO_LARGE).into_response(),
        Ok(Err(_)) | Err(_) => Problem::from(&problem::MALFORMED).into_response(),
    }
}

fn is_too_long(error: &axum::Error) -> bool {
    std::error::Error::source(error).is_some_and(|source| source.is::<http_body_util::LengthLimitError>())
}

/// What changes something comes from the console's own page (CSRF), besides the cookie's SameSite=Strict.
pub async fn refuse_other_pages(request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if reads || request.headers().get(OWN_PAGE).is_some_and(|value| value == "1") {
        return next.run(request).await;
    }
    Problem::from(&problem::OTHER_PAGE).into_response()
}

fn is_ours(own: &str, headers: &HeaderMap, uri: &Uri) -> bool {
    let mut named = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (named.next(), named.next()) else { return false };
    let is_ours = |host: &str| is_loopback(host) || host.eq_ignore_ascii_case(own);
    host.to_str().is_ok_and(is_ours) && uri.authority().is_none_or(|authority| is_ours(authority.as_str()))
}

/// `localhost`, `127.0.0.0/8`, `[::1]`, each with or without a port.
fn is_loopback(authority: &str) -> bool {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port),
        _ => (authority, "0"),
    };
    if port.parse::<u16>().is_err() {
        return false;
    }
    let v6 = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
        || v6.and_then(|v6| v6.parse::<Ipv6Addr>().ok()).is_some_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_date_is_written_as_http_wants_it_in_whole_seconds_that_have_begun() {
        let date = super::http_date(domain::UtcMicros(784_111_777_999_999)).unwrap();
        assert_eq!(date, "Sun, 06 Nov 1994 08:49:37 GMT"); // the example of RFC 9110 section 5.6.7
    }

    use super::*;

    #[test]
    fn only_names_of_this_machine_are_accepted() {
        for ours in ["localhost", "LOCALHOST:8080", "127.0.0.1", "127.9.9.9:1", "[::1]", "[::1]:8080"] {
            assert!(is_loopback(ours), "{ours}");
        }
        for theirs in [
            "",
            "vigie.example",
            "localhost.example",
            "127.0.0.1.example",
            "10.0.0.1",
            "[::2]",
            "::1",
            "localhost:x",
            "localhost:",
            "evil@localhost",
            "0.0.0.0",
        ] {
            assert!(!is_loopback(theirs), "{theirs}");
        }
    }
}
