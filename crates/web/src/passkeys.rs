//! Passkeys: to sign in by one, and to keep one's own. The keeper begins and verifies; here JSON passes through (P3).

use crate::{
    extract::{Body, Named, SignedIn, Stranger},
    problem::{self, Problem, ProblemBody},
    server::Web,
    session::{Session, signed_in},
};
use axum::{Json, extract::State, http::StatusCode, response::Response};
use domain::Sensitive;
use keeper::wire::PasskeyLine;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// A ceremony of WebAuthn begins.
#[derive(Serialize, ToSchema)]
pub struct Ceremony {
    /// Names it in the answer; lives five minutes.
    ceremony: String,
    /// For `navigator.credentials`, as `PublicKeyCredential.parse…OptionsFromJSON` reads it, under `publicKey`.
    #[schema(value_type = Object)]
    options: serde_json::Value,
}

#[derive(Deserialize, ToSchema)]
pub struct PasskeyAnswer {
    ceremony: String,
    /// `PublicKeyCredential.toJSON()`.
    #[schema(value_type = Object)]
    credential: Sensitive<serde_json::Value>,
}

#[derive(Deserialize, ToSchema)]
pub struct PasskeyProof {
    #[schema(value_type = String, format = Password)]
    password: Sensitive<String>,
    #[schema(value_type = String, format = Password)]
    code: Sensitive<String>,
}

#[derive(Deserialize, ToSchema)]
pub struct NewPasskey {
    ceremony: String,
    /// As its owner calls it: 1 to 60 characters.
    #[schema(value_type = String)]
    label: Sensitive<String>,
    /// `PublicKeyCredential.toJSON()`.
    #[schema(value_type = Object)]
    credential: Sensitive<serde_json::Value>,
}

/// One of one's own passkeys.
#[derive(Debug, Serialize, ToSchema)]
pub struct Passkey {
    id: String,
    #[schema(value_type = String)]
    label: Sensitive<String>,
    /// ISO 8601.
    added_at: String,
    /// ISO 8601.
    used_at: Option<String>,
}

/// Begin to sign in by a passkey
#[utoipa::path(post, path = "/api/session/passkey/begin", tag = "session",
    responses((status = 200, body = Ceremony), (status = 400, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn post_begin_sign_in(State(web): State<Arc<Web>>, stranger: Stranger) -> Result<Json<Ceremony>, Problem> {
    let place = stranger.browser().place;
    let begun = web.ask_keeper(move |keeper| keeper.passkey_ask(place)).await?;
    begun.map_err(Problem::wait).and_then(Ceremony::of)
}

/// Sign in by a passkey alone: it is both factors, its user verified
#[utoipa::path(post, path = "/api/session/passkey", tag = "session", request_body = PasskeyAnswer,
    responses(
        (status = 200, body = Session, headers(("Set-Cookie" = String, description = "the session's cookie"))),
        (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 429, body = ProblemBody, headers(("Retry-After" = u32))), (status = 503, body = ProblemBody)
    ))]
pub async fn post_sign_in(
    State(web): State<Arc<Web>>,
    stranger: Stranger,
    Body(PasskeyAnswer { ceremony, credential }): Body<PasskeyAnswer>,
) -> Result<Response, Problem> {
    let (ceremony, credential) = (number(&ceremony)?, Sensitive::new(credential.reveal().to_string()));
    match web.ask_keeper(move |keeper| keeper.passkey_sign_in(ceremony, credential)).await? {
        Ok(begun) => signed_in(&web, begun, &stranger),
        Err(0) => Err((&problem::WRONG_PASSKEY).into()),
        Err(wait_seconds) => Err(Problem::wait(wait_seconds)),
    }
}

/// One's own passkeys
#[utoipa::path(get, path = "/api/passkeys", tag = "session", security(("session" = [])),
    responses((status = 200, body = Vec<Passkey>), (status = 401, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn get_passkeys(
    State(web): State<Arc<Web>>,
    SignedIn(session): SignedIn,
) -> Result<Json<Vec<Passkey>>, Problem> {
    let lines = web.ask_keeper(move |keeper| keeper.passkeys(session)).await?;
    Ok(Json(lines.into_iter().map(Passkey::from).collect()))
}

/// Begin to add a passkey to one's own account, with password and code anew
#[utoipa::path(post, path = "/api/passkeys/begin", tag = "session", security(("session" = [])), request_body = PasskeyProof,
    responses(
        (status = 200, body = Ceremony), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 429, body = ProblemBody, headers(("Retry-After" = u32))),
        (status = 503, body = ProblemBody)
    ))]
pub async fn post_begin(
    State(web): State<Arc<Web>>,
    SignedIn(session): SignedIn,
    Body(PasskeyProof { password, code }): Body<PasskeyProof>,
) -> Result<Json<Ceremony>, Problem> {
    match web.ask_keeper(move |keeper| keeper.passkey_begin(session, password, code)).await? {
        Ok(begun) => Ceremony::of(begun),
        // 401 would say that the session is over
        Err(0) => Err((&problem::WRONG_PROOF).into()),
        Err(wait_seconds) => Err(Problem::wait(wait_seconds)),
    }
}

/// Add a passkey to one's own account
#[utoipa::path(post, path = "/api/passkeys", tag = "session", security(("session" = [])), request_body = NewPasskey,
    responses(
        (status = 204), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 503, body = ProblemBody)
    ))]
pub async fn post_passkey(
    State(web): State<Arc<Web>>,
    SignedIn(session): SignedIn,
    Body(NewPasskey { ceremony, label, credential }): Body<NewPasskey>,
) -> Result<StatusCode, Problem> {
    let (ceremony, credential) = (number(&ceremony)?, Sensitive::new(credential.reveal().to_string()));
    let added = web.ask_keeper(move |keeper| keeper.passkey_add(session, ceremony, label, credential)).await?;
    if added { Ok(StatusCode::NO_CONTENT) } else { Err((&problem::PASSKEY_NOT_TAKEN).into()) }
}

/// Remove a passkey from one's own account
#[utoipa::path(delete, path = "/api/passkeys/{id}", tag = "session", security(("session" = [])),
    params(("id" = String, Path)),
    responses((status = 204), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn delete_passkey(
    State(web): State<Arc<Web>>,
    SignedIn(session): SignedIn,
    Named(id): Named<String>,
) -> Result<StatusCode, Problem> {
    let id = bytes(&id).ok_or(&problem::NOT_FOUND)?;
    web.ask_keeper(move |keeper| keeper.passkey_remove(session, id)).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl Ceremony {
    fn of((id, options): ([u8; 16], Sensitive<String>)) -> Result<Json<Ceremony>, Problem> {
        let options = serde_json::from_str(options.reveal()).map_err(|_| Problem::from(&problem::FAILED))?;
        Ok(Json(Ceremony { ceremony: text(&id), options }))
    }
}

impl From<PasskeyLine> for Passkey {
    fn from(line: PasskeyLine) -> Passkey {
        Passkey {
            id: text(&line.id),
            label: line.label,
            added_at: line.added.to_string(),
            used_at: line.last_used.map(|at| at.to_string()),
        }
    }
}

fn text(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn number(text: &str) -> Result<[u8; 16], Problem> {
    bytes(text).ok_or_else(|| (&problem::MALFORMED).into())
}

fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Option<Vec<u8>> = text.as_bytes().chunks(2).map(digits).collect();
    bytes?.try_into().ok()
}
