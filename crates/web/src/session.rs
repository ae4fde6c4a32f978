//! Signing in and out. The keeper verifies passwords and issues sessions; here the secret only passes through (P3).

use crate::{
    extract::{Body, SignedIn},
    problem::{self, Problem, ProblemBody},
    server::Web,
};
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use domain::Sensitive;
use keeper::wire::SessionView;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use vault::keeper::SessionSecret;

const COOKIE: &str = "vigie-session";
/// Ours are 32 random bytes as text; nothing longer is carried to the keeper.
const SECRET_CHARS_MAX: usize = 256;

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
    Body(SignIn { name, password, code }): Body<SignIn>,
) -> Result<Response, Problem> {
    match web.ask_keeper(move |keeper| keeper.sign_in(name, password, code)).await? {
        Ok((secret, view)) => signed_in(&secret, view),
        Err(0) => Err((&problem::WRONG_SIGN_IN).into()),
        Err(wait_seconds) => Err(Problem::wait(wait_seconds)),
    }
}

/// Sign out
///
/// Ends the session and every stream that it opened.
#[utoipa::path(delete, path = "/api/session", tag = "session", security(("session" = [])),
    responses((status = 204), (status = 401, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn delete_session(State(web): State<Arc<Web>>, SignedIn(session): SignedIn) -> Result<Response, Problem> {
    web.permits.end_all_of(web.permits.owner(&session));
    web.ask_keeper(move |keeper| keeper.sign_out(&session)).await?;
    let gone = HeaderValue::from_static("vigie-session=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0");
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, gone)]).into_response())
}

/// The answer that begins a session on this browser.
pub fn signed_in(secret: &SessionSecret, view: SessionView) -> Result<Response, Problem> {
    let cookie = cookie_with(secret).ok_or(&problem::FAILED)?;
    Ok(([(header::SET_COOKIE, cookie)], Json(Session::from(view))).into_response())
}

/// The session's secret of a request.
pub fn cookie_of(headers: &HeaderMap) -> Option<String> {
    let lines = headers.get_all(header::COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let (_, secret) = pairs.find(|(name, _)| *name == COOKIE)?;
    (!secret.is_empty() && secret.len() <= SECRET_CHARS_MAX).then(|| secret.to_owned())
}

/// Without `Secure`: on plain HTTP to loopback, the only thing served until TLS exists, some browsers would drop the
/// cookie. Without `Max-Age`: it goes when the browser is closed.
fn cookie_with(secret: &SessionSecret) -> Option<HeaderValue> {
    let cookie = format!("{COOKIE}={}; HttpOnly; SameSite=Strict; Path=/", secret.reveal());
    let mut value = HeaderValue::from_str(&cookie).ok()?;
    value.set_sensitive(true);
    Some(value)
}

impl From<SessionView> for Session {
    fn from(view: SessionView) -> Session {
        Session { name: view.name, role: view.role.name(), expires_at: view.expires.to_string() }
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
        assert_eq!(cookie_of(&headers).as_deref(), expected, "{lines:?}");
    }

    #[test]
    fn the_secret_is_found_among_other_cookies_and_an_empty_one_is_none() {
        check(&["vigie-session=abc"], Some("abc"));
        check(&["a=b; vigie-session=abc; c"], Some("abc"));
        check(&["a=b", "vigie-session=abc"], Some("abc"));
        check(&["vigie-session="], None);
        check(&["xvigie-session=abc"], None);
        check(&[], None);
    }
}
