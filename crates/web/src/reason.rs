//! A session's own reasons: the one that holds, as the keeper judges it, and the recent ones, told to that session only.

use crate::{
    extract::SignedIn,
    problem::{Problem, ProblemBody},
    server::Web,
};
use axum::{Json, extract::State, http::StatusCode};
use domain::Sensitive;
use keeper::wire::{HeldReason, ReasonView};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

#[derive(Debug, Serialize, ToSchema)]
pub struct Reasons {
    /// Null where the reason has to be stated.
    held: Option<Held>,
    /// The newest first.
    recent: Vec<Recent>,
}

/// The reason under which further cameras of the same purpose may be looked at, without stating it again.
#[derive(Debug, Serialize, ToSchema)]
pub struct Held {
    purpose: u8,
    #[schema(value_type = String)]
    reason: Sensitive<String>,
    /// ISO 8601; using it does not prolong it.
    until: String,
    /// Number of the entry of the look for which it was stated.
    stated: u64,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Recent {
    purpose: u8,
    #[schema(value_type = String)]
    reason: Sensitive<String>,
}

/// The session's own reasons
#[utoipa::path(get, path = "/api/reason", tag = "looks", security(("session" = [])),
    responses((status = 200, body = Reasons), (status = 401, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn get_reason(State(web): State<Arc<Web>>, SignedIn(session): SignedIn) -> Result<Json<Reasons>, Problem> {
    let view = web.ask_keeper(move |keeper| keeper.reason(&session)).await?;
    Ok(Json(view.into()))
}

/// The reason holds no longer: the next look states its own
#[utoipa::path(delete, path = "/api/reason", tag = "looks", security(("session" = [])),
    responses((status = 204), (status = 401, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn delete_reason(State(web): State<Arc<Web>>, SignedIn(session): SignedIn) -> Result<StatusCode, Problem> {
    web.ask_keeper(move |keeper| keeper.end_reason(&session)).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<ReasonView> for Reasons {
    fn from(view: ReasonView) -> Reasons {
        let recent = view.recent.into_iter();
        Reasons {
            held: view.held.map(Held::from),
            recent: recent.map(|(purpose, reason)| Recent { purpose: purpose.number(), reason }).collect(),
        }
    }
}

impl From<HeldReason> for Held {
    fn from(held: HeldReason) -> Held {
        Held { purpose: held.purpose.number(), reason: held.reason, until: held.until.to_string(), stated: held.stated }
    }
}
