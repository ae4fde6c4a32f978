//! Signing in by the provider. The browser goes there and comes back to the page `/oidc` of the console, which brings state
//! and code here; the keeper made the one and decides on what the other is worth (P3).

use crate::{
    extract::{Body, Stranger},
    problem::{self, Problem, ProblemBody},
    provider::{Provider, ProviderError},
    server::Web,
    session::{OIDC_COOKIES, Session, cookie, oidc_of, signed_in},
};
use axum::{
    Json,
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use domain::{Sensitive, limit::OIDC_FLOW_SECONDS_MAX};
use keeper::{
    socket::SignedIn,
    wire::oidc::{OidcAnswer, OidcQuestion, OidcRefusal},
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// Where the browser goes next.
#[derive(Serialize, ToSchema)]
pub struct Elsewhere {
    address: String,
}

/// What the provider's address brought back.
#[derive(Deserialize, ToSchema)]
pub struct CameBack {
    #[schema(value_type = String)]
    state: Sensitive<String>,
    /// Empty where the provider gave none.
    #[schema(value_type = String)]
    code: Sensitive<String>,
}

#[derive(Deserialize, ToSchema)]
pub struct OwnCode {
    /// Six digits of the account's authenticator, or one of its recovery codes.
    #[schema(value_type = String, format = Password)]
    code: Sensitive<String>,
}

/// Begin to sign in by the provider
///
/// The address leads there; the cookie says that this browser began.
#[utoipa::path(post, path = "/api/session/oidc/begin", tag = "session",
    responses((status = 200, body = Elsewhere, headers(("Set-Cookie" = String, description = "for ten minutes"))),
        (status = 404, body = ProblemBody), (status = 502, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn post_oidc_begin(State(web): State<Arc<Web>>, stranger: Stranger) -> Result<Response, Problem> {
    let provider = provider_of(&web)?;
    let endpoints = ask_provider(provider.clone(), |provider| provider.endpoints()).await?;
    let question = OidcQuestion::Begin { place: stranger.browser().place };
    let begun = web.ask_keeper(move |keeper| keeper.oidc(question)).await?;
    let OidcAnswer::Begun { state, nonce, challenge, binding } = begun else { return Err(refused(&begun)) };
    let mut address = endpoints.authorization;
    let config = &provider.config;
    {
        let mut query = address.query_pairs_mut();
        query.append_pair("response_type", "code").append_pair("client_id", &config.client_id);
        query.append_pair("redirect_uri", &came_back_to(&web)).append_pair("scope", &config.scopes);
        query.append_pair("state", state.reveal()).append_pair("nonce", nonce.reveal());
        query.append_pair("code_challenge", &challenge).append_pair("code_challenge_method", "S256");
        // a session left open at the provider proves nobody at this desk; the keeper looks at `auth_time`
        query.append_pair("prompt", "login").append_pair("max_age", "0");
        if !config.acr.is_empty() {
            query.append_pair("acr_values", &config.acr.join(" "));
        }
        if config.asks_amr {
            query.append_pair("claims", r#"{"id_token":{"amr":{"essential":true}}}"#);
        }
    }
    let mut response = Json(Elsewhere { address: address.into() }).into_response();
    keep(&web, &mut response, &binding)?;
    Ok(response)
}

/// Sign in by what the provider gave
///
/// 403 of the type `provider-code`: the account's own code is needed too.
#[utoipa::path(post, path = "/api/session/oidc", tag = "session", request_body = CameBack,
    responses(
        (status = 200, body = Session, headers(("Set-Cookie" = String, description = "the session's cookie"))),
        (status = 400, body = ProblemBody), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 410, body = ProblemBody), (status = 502, body = ProblemBody), (status = 503, body = ProblemBody)
    ))]
pub async fn post_oidc(
    State(web): State<Arc<Web>>,
    headers: HeaderMap,
    stranger: Stranger,
    Body(CameBack { state, code }): Body<CameBack>,
) -> Result<Response, Problem> {
    let provider = provider_of(&web)?;
    let binding = Sensitive::new(oidc_of(&web, &headers).ok_or(&problem::PROVIDER_STATE)?);
    let taken = web.ask_keeper(move |keeper| keeper.oidc(OidcQuestion::Code { state, binding })).await?;
    let OidcAnswer::Exchange { verifier, secret, ticket } = taken else { return Err(refused(&taken)) };
    if code.reveal().is_empty() {
        return Err((&problem::PROVIDER_REFUSED).into());
    }
    let redirect = came_back_to(&web);
    let redeemed = ask_provider(provider, move |provider| provider.redeem(code, verifier, secret, redirect)).await?;
    let question = OidcQuestion::SignIn { ticket, id_token: redeemed };
    match web.ask_keeper(move |keeper| keeper.oidc(question)).await? {
        OidcAnswer::SignedIn { session, view, device } => begin(&web, SignedIn { session, view, device }, &stranger),
        OidcAnswer::NeedsCode { ticket } => {
            let mut response = Problem::from(&problem::PROVIDER_CODE).into_response();
            keep(&web, &mut response, &ticket)?;
            Ok(response)
        }
        OidcAnswer::NotBound { subject } => Err(Problem::not_bound(subject)),
        other => Err(refused(&other)),
    }
}

/// Give the account's own code, where the provider knew one factor only
#[utoipa::path(post, path = "/api/session/oidc/code", tag = "session", request_body = OwnCode,
    responses(
        (status = 200, body = Session, headers(("Set-Cookie" = String, description = "the session's cookie"))),
        (status = 400, body = ProblemBody), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 410, body = ProblemBody), (status = 429, body = ProblemBody, headers(("Retry-After" = u32))),
        (status = 503, body = ProblemBody)
    ))]
pub async fn post_oidc_code(
    State(web): State<Arc<Web>>,
    headers: HeaderMap,
    stranger: Stranger,
    Body(OwnCode { code }): Body<OwnCode>,
) -> Result<Response, Problem> {
    provider_of(&web)?;
    let ticket = Sensitive::new(oidc_of(&web, &headers).ok_or(&problem::PROVIDER_STATE)?);
    match web.ask_keeper(move |keeper| keeper.oidc(OidcQuestion::SecondFactor { ticket, code })).await? {
        OidcAnswer::SignedIn { session, view, device } => begin(&web, SignedIn { session, view, device }, &stranger),
        OidcAnswer::WrongCode { wait_seconds: 0 } => Err((&problem::PROVIDER_WRONG_CODE).into()),
        OidcAnswer::WrongCode { wait_seconds } => Err(Problem::wait(wait_seconds)),
        other => Err(refused(&other)),
    }
}

/// Where one signs out at the provider too
///
/// 404 where it offers none. The session here has ended before, by `DELETE /api/session`.
#[utoipa::path(post, path = "/api/session/oidc/leave", tag = "session",
    responses((status = 200, body = Elsewhere), (status = 404, body = ProblemBody), (status = 502, body = ProblemBody)))]
pub async fn post_oidc_leave(State(web): State<Arc<Web>>) -> Result<Json<Elsewhere>, Problem> {
    let provider = provider_of(&web)?;
    let endpoints = ask_provider(provider.clone(), |provider| provider.endpoints()).await?;
    let mut address = endpoints.end_session.ok_or(&problem::NOT_FOUND)?;
    let back = format!("{}/", web.address);
    address
        .query_pairs_mut()
        .append_pair("client_id", &provider.config.client_id)
        .append_pair("post_logout_redirect_uri", &back);
    Ok(Json(Elsewhere { address: address.into() }))
}

fn provider_of(web: &Web) -> Result<Arc<Provider>, Problem> {
    Ok(web.provider.clone().ok_or(&problem::PROVIDER_OFF)?)
}

/// The address of the console's page that a provider sends browsers back to; it is registered there.
fn came_back_to(web: &Web) -> String {
    format!("{}/oidc", web.address)
}

/// Asks on a thread for that, and only while few others do.
async fn ask_provider<T: Send + 'static>(
    provider: Arc<Provider>,
    ask: impl FnOnce(&Provider) -> Result<T, ProviderError> + Send + 'static,
) -> Result<T, Problem> {
    let asked = tokio::task::spawn_blocking(move || {
        let _place = provider.questions.try_acquire().map_err(|_| ProviderError::Busy)?;
        ask(&provider)
    });
    let error = match asked.await {
        Ok(Ok(answer)) => return Ok(answer),
        Ok(Err(error)) => error,
        Err(error) => {
            tracing::error!(%error, "a question to the provider was not put to its end");
            return Err((&problem::FAILED).into());
        }
    };
    tracing::warn!(%error, "sign-in by the provider");
    Err(match error {
        ProviderError::Refused => &problem::PROVIDER_REFUSED,
        ProviderError::NoToken => &problem::PROVIDER_TOKEN,
        _ => &problem::PROVIDER_AWAY,
    }
    .into())
}

/// The session begins, and what the browser kept for the way is over.
fn begin(web: &Web, begun: SignedIn, stranger: &Stranger) -> Result<Response, Problem> {
    let mut response = signed_in(web, begun, stranger)?;
    let gone = cookie(web, OIDC_COOKIES, "", Some(0)).ok_or(&problem::FAILED)?;
    response.headers_mut().append(header::SET_COOKIE, gone);
    Ok(response)
}

fn keep(web: &Web, response: &mut Response, secret: &Sensitive<String>) -> Result<(), Problem> {
    let kept = cookie(web, OIDC_COOKIES, secret.reveal(), Some(OIDC_FLOW_SECONDS_MAX)).ok_or(&problem::FAILED)?;
    response.headers_mut().append(header::SET_COOKIE, kept);
    Ok(())
}

fn refused(answer: &OidcAnswer) -> Problem {
    let OidcAnswer::Refused(refusal) = answer else { return (&problem::FAILED).into() };
    match refusal {
        OidcRefusal::Off => &problem::PROVIDER_OFF,
        OidcRefusal::State => &problem::PROVIDER_STATE,
        OidcRefusal::Keys => &problem::PROVIDER_KEYS,
        OidcRefusal::Token(_) => &problem::PROVIDER_TOKEN,
        OidcRefusal::Closed => &problem::ACCOUNT_CLOSED,
        OidcRefusal::NotHabilitated => &problem::NOT_HABILITATED,
    }
    .into()
}
