//! The one-time link: a token from the address's fragment, posted by the page, gives an account its password (P8).

use crate::{
    extract::Body,
    problem::{self, Problem, ProblemBody},
    server::Web,
};
use axum::{Json, extract::State};
use domain::{
    Sensitive,
    limit::{PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN},
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
pub struct Setup {
    /// Works once, for 15 minutes.
    #[schema(value_type = String, format = Password)]
    token: Sensitive<String>,
    /// 12 to 256 characters.
    #[schema(value_type = String, format = Password)]
    password: Sensitive<String>,
}

/// The account that has a password now.
#[derive(Debug, Serialize, ToSchema)]
pub struct Account {
    #[schema(value_type = String)]
    name: Sensitive<String>,
    /// `operator` or `administrator`.
    role: &'static str,
}

/// Give an account its password, with a one-time token
#[utoipa::path(post, path = "/api/setup", tag = "session", request_body = Setup,
    responses(
        (status = 200, body = Account), (status = 400, body = ProblemBody), (status = 410, body = ProblemBody),
        (status = 429, body = ProblemBody, headers(("Retry-After" = u32))), (status = 503, body = ProblemBody)
    ))]
pub async fn post_setup(
    State(web): State<Arc<Web>>,
    Body(Setup { token, password }): Body<Setup>,
) -> Result<Json<Account>, Problem> {
    // before the token is used: a link works once
    if !(PASSWORD_CHARS_MIN..=PASSWORD_CHARS_MAX).contains(&password.reveal().chars().count()) {
        return Err((&problem::PASSWORD_LENGTH).into());
    }
    match web.ask_keeper(move |keeper| keeper.set_up(token, password)).await? {
        Ok((name, role)) => Ok(Json(Account { name, role: role.name() })),
        Err(0) => Err((&problem::SETUP_GONE).into()),
        Err(wait_seconds) => Err(Problem::wait(wait_seconds)),
    }
}
