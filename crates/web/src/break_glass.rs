//! Break-glass: one person asks, a second one confirms, anybody sees that it is open; the keeper decides all of it (P3).

use crate::{
    extract::{Body, Named, SignedIn},
    problem::{self, Problem, ProblemBody},
    server::Web,
};
use axum::{Json, extract::State, http::StatusCode};
use domain::{CameraId, GlassId, Sensitive};
use keeper::wire::{GlassDone, GlassLine, GlassMay, GlassState, GlassView, PersonProof};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

/// What is asked for, open, or waits for the data-protection officer.
#[derive(Debug, Serialize, ToSchema)]
pub struct BreakGlass {
    /// ISO 8601, as all times here.
    now: String,
    /// For how long one is open.
    seconds: u32,
    /// What a look by it is told.
    text_fr: String,
    text_en: String,
    /// The oldest first.
    lines: Vec<BreakGlassLine>,
}

/// One of them; names and reason as far as this person is told.
#[derive(Debug, Serialize, ToSchema)]
pub struct BreakGlassLine {
    id: String,
    state: BreakGlassState,
    #[schema(value_type = Option<String>)]
    who: Option<Sensitive<String>>,
    #[schema(value_type = Option<String>)]
    second: Option<Sensitive<String>>,
    #[schema(value_type = Option<String>)]
    reason: Option<Sensitive<String>>,
    cameras: Vec<String>,
    /// When it was asked for, or opened.
    at: String,
    /// Until when it is open at the latest.
    until: Option<String>,
    /// Looks by it.
    looks: u32,
    /// What this person may do with it.
    may: Vec<BreakGlassMay>,
}

#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum BreakGlassState {
    Asked,
    Open,
    Ended,
}

/// `look`: looks by it are this person's.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum BreakGlassMay {
    Confirm,
    Look,
    End,
    Acknowledge,
}

#[derive(Deserialize, ToSchema)]
pub struct BreakGlassDemand {
    /// Ids of cameras.
    cameras: Vec<String>,
    #[schema(value_type = String)]
    reason: Sensitive<String>,
    #[schema(value_type = String, format = Password)]
    password: Sensitive<String>,
    #[schema(value_type = String, format = Password)]
    code: Sensitive<String>,
}

/// The second person, on any screen.
#[derive(Deserialize, ToSchema)]
pub struct BreakGlassSecond {
    #[schema(value_type = String)]
    name: Sensitive<String>,
    #[schema(value_type = String, format = Password)]
    password: Sensitive<String>,
    #[schema(value_type = String, format = Password)]
    code: Sensitive<String>,
}

/// A demand that waits, or what is open.
#[derive(Debug, Serialize, ToSchema)]
pub struct BreakGlassBegun {
    id: String,
    /// When it is open: until when.
    until: Option<String>,
}

/// What is asked for, open, or waits for the data-protection officer
#[utoipa::path(get, path = "/api/break-glass", tag = "break-glass", security(("session" = [])),
    responses((status = 200, body = BreakGlass), (status = 401, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn get_break_glass(
    State(web): State<Arc<Web>>,
    SignedIn(session): SignedIn,
) -> Result<Json<BreakGlass>, Problem> {
    let view = web.ask_keeper(move |keeper| keeper.break_glass(session)).await?;
    Ok(Json(view.into()))
}

/// Ask for break-glass, with password and code anew
///
/// A second person confirms it within five minutes.
#[utoipa::path(post, path = "/api/break-glass", tag = "break-glass", security(("session" = [])), request_body = BreakGlassDemand,
    responses(
        (status = 201, body = BreakGlassBegun), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 429, body = ProblemBody, headers(("Retry-After" = u32))),
        (status = 503, body = ProblemBody)
    ))]
pub async fn post_break_glass(
    State(web): State<Arc<Web>>,
    SignedIn(session): SignedIn,
    Body(demand): Body<BreakGlassDemand>,
) -> Result<(StatusCode, Json<BreakGlassBegun>), Problem> {
    let BreakGlassDemand { cameras, reason, password, code } = demand;
    let cameras: Result<Vec<CameraId>, _> = cameras.iter().map(|id| id.parse()).collect();
    let cameras = cameras.map_err(|_| Problem::from(&problem::MALFORMED))?;
    let asked = web.ask_keeper(move |keeper| keeper.break_glass_ask(session, cameras, reason, password, code));
    Ok((StatusCode::CREATED, Json(begun(asked.await?)?)))
}

/// Confirm it: the second person, by name, password and code
#[utoipa::path(post, path = "/api/break-glass/{id}/confirm", tag = "break-glass", security(("session" = [])),
    params(("id" = String, Path)), request_body = BreakGlassSecond,
    responses(
        (status = 200, body = BreakGlassBegun), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 429, body = ProblemBody, headers(("Retry-After" = u32))), (status = 503, body = ProblemBody)
    ))]
pub async fn post_confirm(
    State(web): State<Arc<Web>>,
    SignedIn(session): SignedIn,
    Named(id): Named<String>,
    Body(second): Body<BreakGlassSecond>,
) -> Result<Json<BreakGlassBegun>, Problem> {
    let glass = number(&id)?;
    let person = PersonProof { account: second.name, password: second.password, code: second.code };
    let confirmed = web.ask_keeper(move |keeper| keeper.break_glass_confirm(session, glass, person)).await?;
    Ok(Json(begun(confirmed)?))
}

/// End it before its time, or take a demand back
///
/// Looks by it end at once.
#[utoipa::path(delete, path = "/api/break-glass/{id}", tag = "break-glass", security(("session" = [])),
    params(("id" = String, Path)),
    responses((status = 204), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 503, body = ProblemBody)))]
pub async fn delete_break_glass(
    State(web): State<Arc<Web>>,
    SignedIn(session): SignedIn,
    Named(id): Named<String>,
) -> Result<StatusCode, Problem> {
    let glass = number(&id)?;
    let ended = web.ask_keeper(move |keeper| keeper.break_glass_end(session, glass)).await?;
    done(ended).map(|_| StatusCode::NO_CONTENT)
}

/// The data-protection officer has examined it
///
/// The alarm ends with the entry that says so.
#[utoipa::path(post, path = "/api/break-glass/{id}/acknowledge", tag = "break-glass", security(("session" = [])),
    params(("id" = String, Path)),
    responses((status = 204), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn post_acknowledge(
    State(web): State<Arc<Web>>,
    SignedIn(session): SignedIn,
    Named(id): Named<String>,
) -> Result<StatusCode, Problem> {
    let glass = number(&id)?;
    let read = web.ask_keeper(move |keeper| keeper.break_glass_acknowledge(session, glass)).await?;
    done(read).map(|_| StatusCode::NO_CONTENT)
}

fn number(id: &str) -> Result<GlassId, Problem> {
    id.parse().map_err(|_| (&problem::NO_BREAK_GLASS).into())
}

fn begun(answer: Result<GlassDone, u32>) -> Result<BreakGlassBegun, Problem> {
    match done(answer)? {
        GlassDone::Asked { glass } => Ok(BreakGlassBegun { id: glass.to_string(), until: None }),
        GlassDone::Open { glass, until } => {
            Ok(BreakGlassBegun { id: glass.to_string(), until: Some(until.to_string()) })
        }
        _ => Err((&problem::FAILED).into()),
    }
}

/// What was done; what was not is a problem, each with its remedy.
fn done(answer: Result<GlassDone, u32>) -> Result<GlassDone, Problem> {
    match answer {
        Ok(GlassDone::Unknown) => Err((&problem::NO_BREAK_GLASS).into()),
        Ok(GlassDone::Reason) => Err((&problem::BREAK_GLASS_REASON).into()),
        Ok(GlassDone::NotHabilitated) => Err((&problem::BREAK_GLASS_NOT_HABILITATED).into()),
        Ok(GlassDone::SamePerson) => Err((&problem::BREAK_GLASS_SAME_PERSON).into()),
        Ok(GlassDone::NotThisPerson) => Err((&problem::BREAK_GLASS_NOT_THIS_PERSON).into()),
        Ok(GlassDone::LawInDoubt) => Err((&problem::BREAK_GLASS_LAW_IN_DOUBT).into()),
        Ok(GlassDone::StillOpen) => Err((&problem::BREAK_GLASS_STILL_OPEN).into()),
        Ok(GlassDone::NotTheOfficer) => Err((&problem::BREAK_GLASS_NOT_THE_OFFICER).into()),
        Ok(done) => Ok(done),
        // 401 would say that the session is over
        Err(0) => Err((&problem::WRONG_PROOF).into()),
        Err(wait_seconds) => Err(Problem::wait(wait_seconds)),
    }
}

impl From<GlassView> for BreakGlass {
    fn from(view: GlassView) -> BreakGlass {
        let GlassView { now, seconds, text_fr, text_en, lines } = view;
        let lines = lines.into_iter().map(BreakGlassLine::from).collect();
        BreakGlass { now: now.to_string(), seconds, text_fr, text_en, lines }
    }
}

impl From<GlassLine> for BreakGlassLine {
    fn from(line: GlassLine) -> BreakGlassLine {
        let may = |may: &GlassMay| match may {
            GlassMay::Confirm => BreakGlassMay::Confirm,
            GlassMay::Look => BreakGlassMay::Look,
            GlassMay::End => BreakGlassMay::End,
            GlassMay::Acknowledge => BreakGlassMay::Acknowledge,
        };
        BreakGlassLine {
            id: line.id.to_string(),
            state: match line.state {
                GlassState::Asked => BreakGlassState::Asked,
                GlassState::Open => BreakGlassState::Open,
                GlassState::Ended => BreakGlassState::Ended,
            },
            cameras: line.cameras.iter().map(CameraId::to_string).collect(),
            at: line.at.to_string(),
            until: line.until.map(|until| until.to_string()),
            looks: line.looks,
            may: line.may.iter().map(may).collect(),
            who: line.who,
            second: line.second,
            reason: line.reason,
        }
    }
}
