//! Opinions on what is asked for under another text than the requisitions of the CPP (law REQ-03; law.md section 11, 4b): the head of
//! the service and the data-protection officer. No name of who asks, no picture.

use crate::{
    answers::{entered, named},
    exports::ask_keeper,
    extract::{Body, Named, SignedIn},
    problem::{self, Problem, ProblemBody},
    server::Web,
};
use axum::{Json, extract::State, http::StatusCode};
use domain::{Sensitive, requisition::Opinion};
use keeper::wire::exports::{ExportAnswer, ExportQuestion, OpinionView};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// The newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct Opinions {
    requests: Vec<OpinionRequest>,
}

/// What is asked, by which service, on which ground.
#[derive(Debug, Serialize, ToSchema)]
pub struct OpinionRequest {
    id: String,
    number: String,
    /// ISO 8601.
    received: String,
    framework: String,
    service: String,
    procedure: String,
    #[schema(value_type = String)]
    object: Sensitive<String>,
    pictures: Vec<AskedPictures>,
    /// The act of the authority is there, scanned.
    has_act: bool,
    /// Somebody called the service back.
    is_genuine: bool,
    opinions: Vec<OpinionLine>,
    /// The opinion that whoever asks may give, `head-of-service` or `dpo`; null: they wrote the request.
    may: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct AskedPictures {
    camera: String,
    place: String,
    /// ISO 8601.
    from: String,
    to: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct OpinionLine {
    /// ISO 8601.
    at: String,
    /// `head-of-service` or `dpo`, and as the register prints it.
    adviser: String,
    title: &'static str,
    #[schema(value_type = String)]
    by: Sensitive<String>,
    favourable: bool,
    #[schema(value_type = String)]
    reason: Sensitive<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
pub struct OpinionSays {
    favourable: bool,
    #[schema(value_type = String)]
    reason: Sensitive<String>,
}

/// What waits for an opinion, and what was said of it
#[utoipa::path(get, path = "/api/opinions", tag = "exports", security(("session" = [])),
    responses((status = 200, body = Opinions), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn get_opinions(State(web): State<Arc<Web>>, SignedIn(session): SignedIn) -> Result<Json<Opinions>, Problem> {
    match ask_keeper(&web, ExportQuestion::Opinions { session }).await? {
        ExportAnswer::Opinions(views) => {
            Ok(Json(Opinions { requests: views.into_iter().map(OpinionRequest::of).collect() }))
        }
        _ => Err((&problem::FAILED).into()),
    }
}

/// Give an opinion
///
/// Without both, favourable, nothing leaves; the last one of each counts. Whoever wrote the request gives none as head of the service.
#[utoipa::path(post, path = "/api/requisitions/{id}/opinion", tag = "exports", security(("session" = [])), request_body = OpinionSays,
    params(("id" = String, Path)),
    responses((status = 204), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn post_opinion(
    State(web): State<Arc<Web>>,
    SignedIn(session): SignedIn,
    Named(id): Named<String>,
    Body(request): Body<OpinionSays>,
) -> Result<StatusCode, Problem> {
    let (requisition, OpinionSays { favourable, reason }) = (named(&id)?, request);
    entered(&web, ExportQuestion::Opinion { session, requisition, favourable, reason }).await
}

impl OpinionRequest {
    fn of(view: OpinionView) -> OpinionRequest {
        let pictures = view.pictures.into_iter().map(|pictures| AskedPictures {
            camera: pictures.camera,
            place: pictures.place,
            from: pictures.span.from().to_string(),
            to: pictures.span.to().to_string(),
        });
        OpinionRequest {
            id: view.requisition.to_string(),
            number: view.number,
            received: view.received.to_string(),
            framework: view.framework,
            service: view.service,
            procedure: view.procedure,
            object: view.object,
            pictures: pictures.collect(),
            has_act: view.has_act,
            is_genuine: view.is_genuine,
            opinions: view.opinions.iter().map(OpinionLine::of).collect(),
            may: view.may.map(|adviser| code(&adviser)),
        }
    }
}

impl OpinionLine {
    pub fn of(opinion: &Opinion) -> OpinionLine {
        OpinionLine {
            at: opinion.at.to_string(),
            adviser: code(&opinion.adviser),
            title: opinion.adviser.title(),
            by: opinion.by.clone(),
            favourable: opinion.favourable,
            reason: opinion.reason.clone(),
        }
    }
}

/// As JSON names it.
fn code(adviser: &domain::requisition::Adviser) -> String {
    serde_json::to_value(adviser).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}
