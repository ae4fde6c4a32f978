//! What everybody may know before signing in: the site's name, and whether it still has to be set up.

use crate::{
    problem::{Problem, ProblemBody},
    server::Web,
};
use axum::{Json, extract::State};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

#[derive(Debug, Serialize, ToSchema)]
pub struct Site {
    name: String,
    /// Of the program.
    version: String,
    /// Length of an hour of keys: 3600, in simulator builds also 600.
    hour_seconds: u32,
    /// No account has a password yet.
    setup_needed: bool,
    /// What the provider is called by which one may sign in too.
    provider: Option<String>,
}

/// The site, without signing in
#[utoipa::path(get, path = "/api/site", tag = "session",
    responses((status = 200, body = Site), (status = 503, body = ProblemBody)))]
pub async fn get_site(State(web): State<Arc<Web>>) -> Result<Json<Site>, Problem> {
    let site = web.ask_keeper(|keeper| keeper.site()).await?;
    Ok(Json(Site {
        name: site.name,
        version: web.version.clone(),
        hour_seconds: site.hour_seconds,
        setup_needed: site.setup_needed,
        provider: web.provider.as_ref().map(|provider| provider.config.name.clone()),
    }))
}
