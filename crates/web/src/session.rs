//! Signing in and out. The keeper verifies passwords and issues sessions; here the secret only passes through (P3).

use crate::{
    extract::{Body, SignedIn, Stranger},
    problem::{self, Problem, ProblemBody},
    server::Web,
};
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::{
    Sensitive,
    limit::{KNOWN_DEVICE_PERSONS_MAX, KNOWN_DEVICE_SECONDS_MAX},
};
use keeper::wire::SessionView;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// By TLS, and then bound to this host and whole path by the browser itself (RFC 6265bis, 4.1.3.2); on plain HTTP to loopback
/// some browsers would drop such a cookie, so there it has another name.
const COOKIES: [&str; 2] = ["vigie-session", "__Host-vigie-session"];
/// Between leaving for the provider and coming back.
pub const OIDC_COOKIES: [&str; 2] = ["vigie-oidc", "__Host-vigie-oidc"];
const DEVICE_COOKIES: [&str; 2] = ["vigie-device", "__Host-vigie-device"];
/// Ours are 32 random bytes as text; nothing longer is carried to the keeper.
const SECRET_CHARS_MAX: usize = 256;
/// Tokens of 64 characters with dots between.
const DEVICE_CHARS_MAX: usize = 65 * KNOWN_DEVICE_PERSONS_MAX;

#[derive(Deserialize, ToSchema)]
pub struct SignIn {
    #[schema(value_type = String)]
    name: Sensitive<String>,
    #[schema(value_type = String, format = Password)]
    password: Sensitive<String>,
    /// Six digits of the account's authenticator, or one of its recovery codes.
    #[schema(value_type = String, format = Password)]
    code: Sensitive<String>,
}

/// Who is signed in on this browser, told to this browser only.
#[derive(Debug, Serialize, ToSchema)]
pub struct Session {
    #[schema(value_type = String)]
    name: Sensitive<String>,
    /// `operator` or `administrator`.
    role: &'static str,
    /// ISO 8601.
    expires_at: String,
    /// ISO 8601; the session locks then, unless the person moves before.
    locks_at: String,
}

/// The session of this browser
#[utoipa::path(get, path = "/api/session", tag = "session", security(("session" = [])),
    responses((status = 200, body = Session), (status = 401, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn get_session(State(web): State<Arc<Web>>, SignedIn(session): SignedIn) -> Result<Json<Session>, Problem> {
    let view = web.ask_keeper(move |keeper| keeper.session(&session)).await?;
    Ok(Json(view.into()))
}

/// Sign in
///
/// With name, password and a code of the second factor together: no answer says which of them was wrong.
#[utoipa::path(post, path = "/api/session", tag = "session", request_body = SignIn,
    responses(
        (status = 200, body = Session, headers(("Set-Cookie" = String, description = "vigie-session"))),
        (status = 401, body = ProblemBody), (status = 429, body = ProblemBody, headers(("Retry-After" = u32))),
        (status = 503, body = ProblemBody)
    ))]
pub async fn post_session(
    State(web): State<Arc<Web>>,
    stranger: Stranger,
    Body(SignIn { name, password, code }): Body<SignIn>,
) -> Result<Response, Problem> {
    let browser = stranger.browser();
    match web.ask_keeper(move |keeper| keeper.sign_in(name, password, code, browser)).await? {
        Ok(begun) => signed_in(&web, begun, &stranger),
        Err(0) => Err((&problem::WRONG_SIGN_IN).into()),
        Err(wait_seconds) => Err(Problem::wait(wait_seconds)),
    }
}

/// A person moved: the session locks later
#[utoipa::path(post, path = "/api/session/active", tag = "session", security(("session" = [])),
    responses((status = 200, body = Session), (status = 401, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn post_active(State(web): State<Arc<Web>>, SignedIn(session): SignedIn) -> Result<Json<Session>, Problem> {
    let view = web.ask_keeper(move |keeper| keeper.session_acts(&session)).await?;
    Ok(Json(view.into()))
}

/// Sign out
///
/// Ends the session and every stream that it opened.
#[utoipa::path(delete, path = "/api/session", tag = "session", security(("session" = [])),
    responses((status = 204), (status = 401, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn delete_session(State(web): State<Arc<Web>>, SignedIn(session): SignedIn) -> Result<Response, Problem> {
    web.permits.end_all_of(web.permits.owner(&session));
    web.ask_keeper(move |keeper| keeper.sign_out(&session)).await?;
    let gone = cookie(&web, COOKIES, "", Some(0)).ok_or(&problem::FAILED)?;
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, gone)]).into_response())
}

/// The answer that begins a session on this browser, which is known to be this person's from here on.
pub fn signed_in(web: &Web, begun: keeper::socket::SignedIn, stranger: &Stranger) -> Result<Response, Problem> {
    let tokens = stranger.device.as_ref().map_or("", |tokens| tokens.reveal().as_str());
    let kept = tokens.split('.').filter(|token| !token.is_empty()).take(KNOWN_DEVICE_PERSONS_MAX - 1);
    let tokens: Vec<&str> = std::iter::once(begun.device.reveal().as_str()).chain(kept).collect();
    let session = cookie(web, COOKIES, begun.session.reveal(), None).ok_or(&problem::FAILED)?;
    let age = Some(KNOWN_DEVICE_SECONDS_MAX);
    let device = cookie(web, DEVICE_COOKIES, &tokens.join("."), age).ok_or(&problem::FAILED)?;
    let mut response = Json(Session::from(begun.view)).into_response();
    response.headers_mut().append(header::SET_COOKIE, session);
    response.headers_mut().append(header::SET_COOKIE, device);
    Ok(response)
}

/// The session's secret of a request.
pub fn cookie_of(web: &Web, headers: &HeaderMap) -> Option<String> {
    let secret = value_of(headers, COOKIES[usize::from(web.is_secure)])?;
    (secret.len() <= SECRET_CHARS_MAX).then_some(secret)
}

/// Tokens of those who signed in on this browser before.
pub fn device_of(web: &Web, headers: &HeaderMap) -> Option<String> {
    let tokens = value_of(headers, DEVICE_COOKIES[usize::from(web.is_secure)])?;
    (tokens.len() <= DEVICE_CHARS_MAX).then_some(tokens)
}

/// What this browser keeps while its person signs in by the provider.
pub fn oidc_of(web: &Web, headers: &HeaderMap) -> Option<String> {
    let secret = value_of(headers, OIDC_COOKIES[usize::from(web.is_secure)])?;
    (secret.len() <= SECRET_CHARS_MAX).then_some(secret)
}

fn value_of(headers: &HeaderMap, name: &str) -> Option<String> {
    let lines = headers.get_all(header::COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = pairs.find(|(found, _)| *found == name)?;
    (!value.is_empty()).then(|| value.to_owned())
}

/// Without `Max-Age` it goes when the browser is closed.
pub fn cookie(web: &Web, names: [&str; 2], value: &str, age_seconds: Option<i64>) -> Option<HeaderValue> {
    let (name, secure) = (names[usize::from(web.is_secure)], if web.is_secure { "; Secure" } else { "" });
    let age = age_seconds.map(|seconds| format!("; Max-Age={seconds}")).unwrap_or_default();
    let cookie = format!("{name}={value}; HttpOnly; SameSite=Strict; Path=/{secure}{age}");
    let mut value = HeaderValue::from_str(&cookie).ok()?;
    value.set_sensitive(true);
    Some(value)
}

impl From<SessionView> for Session {
    fn from(view: SessionView) -> Session {
        Session {
            name: view.name,
            role: view.role.name(),
            expires_at: view.expires.to_string(),
            locks_at: view.locks.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(lines: &[&'static str], expected: Option<&str>) {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(header::COOKIE, HeaderValue::from_static(line));
        }
        assert_eq!(value_of(&headers, COOKIES[0]).as_deref(), expected, "{lines:?}");
    }

    #[test]
    fn the_secret_is_found_among_other_cookies_and_an_empty_one_is_none() {
        check(&["vigie-session=abc"], Some("abc"));
        check(&["a=b; vigie-session=abc; c"], Some("abc"));
        check(&["a=b", "vigie-session=abc"], Some("abc"));
        check(&["vigie-session="], None);
        check(&["xvigie-session=abc"], None);
        check(&["__Host-vigie-session=abc"], None);
        check(&[], None);
    }
}
