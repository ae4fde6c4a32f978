//! Delivery by link: who made a package makes a one-time link to it, and revokes it; strangers come by `line`.

mod line;

pub use line::{Leaving, carry};

use crate::{
    exports::own,
    extract::{Body, Named, SignedIn},
    problem::{self, Problem, ProblemBody},
    server::Web,
};
use axum::{Json, extract::State, http::StatusCode};
use domain::{ExportId, LinkEnd, LinkId, LinkStep, Sensitive};
use keeper::wire::links::{LinkAnswer, LinkAsk, LinkQuestion, LinkView};
use serde::{Deserialize, Serialize};
use std::{path::PathBuf, sync::Arc};
use utoipa::ToSchema;
use vault::keeper::SessionSecret;

/// Where links lead, and who answers there.
#[derive(Clone, Debug)]
pub struct LinkConfig {
    /// Of the public role.
    pub socket: PathBuf,
    /// As strangers' browsers name it: `https://…`.
    pub address: String,
}

/// Of a package that is made.
#[derive(Deserialize, ToSchema)]
pub struct LinkRequest {
    /// To whom it goes, in the town's words; it stands in the ledger.
    #[schema(value_type = String)]
    recipient: Sensitive<String>,
    /// It ends then, and with the package at the latest: a quarter of an hour to three days.
    minutes: u32,
    /// How often it may be fetched; one that broke off may begin again within an hour and counts once.
    #[schema(minimum = 1, maximum = 3)]
    downloads: u8,
}

#[derive(Serialize, ToSchema)]
pub struct LinkMade {
    link: LinkLine,
    /// Told here only. It holds the link's secret in its fragment.
    #[schema(value_type = String)]
    url: Sensitive<String>,
    /// Told here only. Tell it by another way than the link.
    #[schema(value_type = String)]
    code: Sensitive<String>,
}

/// A link and all that happened at it.
#[derive(Debug, Serialize, ToSchema)]
pub struct LinkLine {
    id: String,
    /// Number of its entry in the ledger.
    entry: u64,
    /// ISO 8601.
    made: String,
    #[schema(value_type = String)]
    who: Sensitive<String>,
    #[schema(value_type = String)]
    recipient: Sensitive<String>,
    until: String,
    downloads: u8,
    /// Null: it lives.
    #[schema(value_type = Option<String>)]
    over: Option<LinkEnd>,
    steps: Vec<LinkStepLine>,
}

/// Who fetches is known by the link and the code alone: no address is kept.
#[derive(Debug, Serialize, ToSchema)]
pub struct LinkStepLine {
    /// ISO 8601.
    at: String,
    step: LinkStepKind,
    /// Which download, from 1.
    nth: Option<u8>,
    #[schema(value_type = Option<String>)]
    why: Option<LinkEnd>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LinkStepKind {
    WrongCode,
    /// It was over when somebody came.
    Late,
    /// Before the first byte.
    Fetch,
    /// The same download again, after it broke off.
    Again,
    /// The last byte was given to the recipient's connection.
    Sent,
    BrokeOff,
    Ended,
}

/// Make a link to a package
///
/// For who made the package. The entry of the ledger comes first; link and code are told once.
#[utoipa::path(post, path = "/api/exports/{id}/links", tag = "exports", security(("session" = [])), request_body = LinkRequest,
    params(("id" = String, Path)),
    responses((status = 201, body = LinkMade), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn post_link(
    State(web): State<Arc<Web>>,
    SignedIn(session): SignedIn,
    Named(id): Named<String>,
    Body(request): Body<LinkRequest>,
) -> Result<(StatusCode, Json<LinkMade>), Problem> {
    let export = own(&web, session.clone(), &id).await?.export;
    let address = web.leaving.address().ok_or(&problem::LINKS_OFF)?;
    web.packages.whole(export).ok_or(&problem::NO_EXPORT)?;
    let LinkRequest { recipient, minutes, downloads } = request;
    let ask = LinkAsk { session, export, recipient, seconds: i64::from(minutes) * 60, downloads };
    match ask_keeper(&web, LinkQuestion::Make(Box::new(ask))).await? {
        LinkAnswer::Made { view, token, code } => {
            let url = Sensitive::new(format!("{}/remise#{}", address.trim_end_matches('/'), token.text()));
            let made = LinkMade { link: LinkLine::of(*view), url, code: Sensitive::new(code.text()) };
            Ok((StatusCode::CREATED, Json(made)))
        }
        LinkAnswer::Lives => Err((&problem::LINK_LIVES).into()),
        LinkAnswer::Unknown => Err((&problem::NO_EXPORT).into()),
        _ => Err((&problem::FAILED).into()),
    }
}

/// Revoke a link
///
/// What is being fetched by it ends at once.
#[utoipa::path(delete, path = "/api/exports/{id}/links/{link}", tag = "exports", security(("session" = [])),
    params(("id" = String, Path), ("link" = String, Path)),
    responses((status = 204), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 503, body = ProblemBody)))]
pub async fn delete_link(
    State(web): State<Arc<Web>>,
    SignedIn(session): SignedIn,
    Named((id, link)): Named<(String, String)>,
) -> Result<StatusCode, Problem> {
    own(&web, session.clone(), &id).await?;
    let link: LinkId = link.parse().map_err(|_| Problem::from(&problem::NO_EXPORT))?;
    match ask_keeper(&web, LinkQuestion::Revoke { session, link }).await? {
        LinkAnswer::Done => {
            web.leaving.cut_link(link);
            Ok(StatusCode::NO_CONTENT)
        }
        _ => Err((&problem::NO_EXPORT).into()),
    }
}

/// Before the town's copy goes or is made anew: its link ends, and what is being fetched.
pub async fn end_of(web: &Web, session: SessionSecret, export: ExportId) -> Result<(), Problem> {
    ask_keeper(web, LinkQuestion::EndOf { session, export }).await?;
    web.leaving.cut_export(export);
    Ok(())
}

async fn ask_keeper(web: &Web, question: LinkQuestion) -> Result<LinkAnswer, Problem> {
    web.ask_keeper(move |keeper| keeper.link(question)).await
}

impl LinkLine {
    pub fn of(view: LinkView) -> LinkLine {
        LinkLine {
            id: view.link.to_string(),
            entry: view.leaf,
            made: view.made.to_string(),
            who: view.who,
            recipient: view.recipient,
            until: view.until.to_string(),
            downloads: view.downloads,
            over: view.over,
            steps: view.steps.into_iter().map(|(at, step)| LinkStepLine::of(at.to_string(), step)).collect(),
        }
    }
}

impl LinkStepLine {
    fn of(at: String, step: LinkStep) -> LinkStepLine {
        let (step, nth, why) = match step {
            LinkStep::WrongCode => (LinkStepKind::WrongCode, None, None),
            LinkStep::Late => (LinkStepKind::Late, None, None),
            LinkStep::Fetch { nth, again: false } => (LinkStepKind::Fetch, Some(nth), None),
            LinkStep::Fetch { nth, again: true } => (LinkStepKind::Again, Some(nth), None),
            LinkStep::Sent { nth } => (LinkStepKind::Sent, Some(nth), None),
            LinkStep::BrokeOff { nth } => (LinkStepKind::BrokeOff, Some(nth), None),
            LinkStep::Ended { why } => (LinkStepKind::Ended, None, Some(why)),
        };
        LinkStepLine { at, step, nth, why }
    }
}
