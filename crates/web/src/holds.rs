//! Holds (gel): footage that is frozen for an authority while its paper is on the way (K12, law RET-06).

use crate::{
    exports::Window,
    extract::{Body, Named, SignedIn},
    problem::{self, Problem, ProblemBody},
    server::Web,
};
use axum::{Json, extract::State, http::StatusCode};
use domain::{HoldEnd, HoldId, RequisitionId, Sensitive, limit::WINDOWS_MAX};
use keeper::wire::holds::{HoldAnswer, HoldAsk, HoldQuestion, HoldView};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use vault::service::{RecorderAnswer, RecorderAsk};

/// All holds, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct Holds {
    now: String,
    holds: Vec<HoldLine>,
    reserve: Room,
}

/// How full the reserve is; of a disk that is away nothing is known, and nothing can be held.
#[derive(Clone, Copy, Debug, Default, Serialize, ToSchema)]
pub struct Room {
    used_bytes: u64,
    max_bytes: u64,
}

/// A hold as it stands.
#[derive(Debug, Serialize, ToSchema)]
pub struct HoldLine {
    id: String,
    number: u32,
    /// Number of its entry in the ledger.
    leaf: u64,
    opened: String,
    #[schema(value_type = String)]
    who: Sensitive<String>,
    #[schema(value_type = String)]
    requester: Sensitive<String>,
    #[schema(value_type = String)]
    reason: Sensitive<String>,
    windows: Vec<Window>,
    /// Those of which it has keys, and when these die.
    hours: Vec<HeldHour>,
    /// When the first of its hours ends; null: all have.
    ends: Option<String>,
    /// Id of the requisition under which it waits to be handed over.
    requisition: Option<String>,
    requisition_number: Option<String>,
    /// Of what lies in the reserve; null: it is still being copied.
    kept_bytes: Option<u64>,
    /// Reels of which nothing could be kept: their keys had died, or they are gone.
    missing: u32,
    ended: Option<String>,
    #[schema(value_type = Option<String>)]
    why: Option<HoldEnd>,
    why_fr: Option<&'static str>,
    /// Of what has ended: every copy of the keyring confirmed that its keys are dead.
    is_destroyed: bool,
    /// Then: paragraphs of the certificate, ready to be printed and signed.
    certificate_fr: Option<Vec<String>>,
    certificate_en: Option<Vec<String>>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct HeldHour {
    hour: String,
    dies: String,
}

#[derive(Deserialize, ToSchema)]
pub struct HoldRequest {
    /// Who asked for it, of which service.
    #[schema(value_type = String)]
    requester: Sensitive<String>,
    #[schema(value_type = String)]
    reason: Sensitive<String>,
    windows: Vec<Window>,
    /// Id of its requisition, where it is there already; it asks for all of it.
    requisition: Option<String>,
}

#[derive(Deserialize, ToSchema)]
pub struct WeighRequest {
    windows: Vec<Window>,
}

/// What a hold would take of the reserve.
#[derive(Debug, Serialize, ToSchema)]
pub struct Weight {
    bytes: u64,
    #[serde(flatten)]
    reserve: Room,
}

#[derive(Deserialize, ToSchema)]
pub struct BindRequest {
    /// Id of the requisition.
    requisition: String,
}

/// All holds
#[utoipa::path(get, path = "/api/holds", tag = "exports", security(("session" = [])),
    responses((status = 200, body = Holds), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 503, body = ProblemBody)))]
pub async fn get_holds(State(web): State<Arc<Web>>, SignedIn(session): SignedIn) -> Result<Json<Holds>, Problem> {
    match ask(&web, HoldQuestion::List { session }).await? {
        HoldAnswer::Holds(views) => Ok(Json(Holds {
            now: web.clock.utc().to_string(),
            holds: views.into_iter().map(HoldLine::of).collect(),
            reserve: room(&web).await,
        })),
        _ => Err((&problem::FAILED).into()),
    }
}

/// What a hold would take, before it is made
#[utoipa::path(post, path = "/api/holds/weigh", tag = "exports", security(("session" = [])), request_body = WeighRequest,
    responses((status = 200, body = Weight), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn post_weigh(
    State(web): State<Arc<Web>>,
    SignedIn(session): SignedIn,
    Body(request): Body<WeighRequest>,
) -> Result<Json<Weight>, Problem> {
    // who may not hold is told nothing
    ask(&web, HoldQuestion::May { session }).await?;
    Ok(Json(weigh(&web, read(&request.windows)?).await?))
}

/// Hold footage
///
/// "Freeze now, the paper follows": without a recorded requisition it ends with the footage's own deadline; with one, when the package
/// is handed over, or when nobody collects it in time.
#[utoipa::path(post, path = "/api/holds", tag = "exports", security(("session" = [])), request_body = HoldRequest,
    responses((status = 201, body = HoldLine), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody, description = "refused, with reasons and the entry"),
        (status = 409, body = ProblemBody, description = "the reserve has no room"), (status = 503, body = ProblemBody)))]
pub async fn post_hold(
    State(web): State<Arc<Web>>,
    SignedIn(session): SignedIn,
    Body(request): Body<HoldRequest>,
) -> Result<(StatusCode, Json<HoldLine>), Problem> {
    ask(&web, HoldQuestion::May { session: session.clone() }).await?;
    let windows = read(&request.windows)?;
    let Weight { bytes, reserve } = weigh(&web, windows.clone()).await?;
    if reserve.max_bytes.saturating_sub(reserve.used_bytes) < bytes {
        return Err((&problem::HOLD_NO_ROOM).into());
    }
    let requisition = request.requisition.as_deref().map(requisition_of).transpose()?;
    let HoldRequest { requester, reason, .. } = request;
    let asked = HoldAsk { session, requester, reason, windows, requisition };
    match ask(&web, HoldQuestion::Open(Box::new(asked))).await? {
        HoldAnswer::Opened(view) => Ok((StatusCode::CREATED, Json(HoldLine::of(*view)))),
        HoldAnswer::Refused(refused) => Err(Problem::hold_refused(refused)),
        _ => Err((&problem::FAILED).into()),
    }
}

/// Its requisition has come
#[utoipa::path(post, path = "/api/holds/{id}/requisition", tag = "exports", security(("session" = [])), params(("id" = String, Path)),
    request_body = BindRequest,
    responses((status = 204), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody, description = "refused, with reasons"), (status = 503, body = ProblemBody)))]
pub async fn post_hold_requisition(
    State(web): State<Arc<Web>>,
    SignedIn(session): SignedIn,
    Named(id): Named<String>,
    Body(request): Body<BindRequest>,
) -> Result<StatusCode, Problem> {
    let (hold, requisition) = (hold_of(&id)?, requisition_of(&request.requisition)?);
    match ask(&web, HoldQuestion::Bind { session, hold, requisition }).await? {
        HoldAnswer::Done => Ok(StatusCode::NO_CONTENT),
        HoldAnswer::Refused(refused) => Err(Problem::hold_refused(refused)),
        _ => Err((&problem::FAILED).into()),
    }
}

/// Lift a hold
///
/// Its keys die at once; what is younger than its own deadline stays in the store, as if it had never been held.
#[utoipa::path(post, path = "/api/holds/{id}/lift", tag = "exports", security(("session" = [])), params(("id" = String, Path)),
    responses((status = 204), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn post_hold_lift(
    State(web): State<Arc<Web>>,
    SignedIn(session): SignedIn,
    Named(id): Named<String>,
) -> Result<StatusCode, Problem> {
    match ask(&web, HoldQuestion::Lift { session, hold: hold_of(&id)? }).await? {
        HoldAnswer::Done => Ok(StatusCode::NO_CONTENT),
        _ => Err((&problem::FAILED).into()),
    }
}

async fn ask(web: &Web, question: HoldQuestion) -> Result<HoldAnswer, Problem> {
    web.ask_keeper(move |keeper| keeper.hold(question)).await
}

async fn weigh(web: &Web, windows: Vec<domain::Window>) -> Result<Weight, Problem> {
    match web.recorder.ask(&RecorderAsk::Weigh { windows }).await? {
        RecorderAnswer::Weighed { bytes } => Ok(Weight { bytes, reserve: room(web).await }),
        _ => Err((&problem::RECORDER_AWAY).into()),
    }
}

/// Whether a hold of these windows would fit. Where the recorder does not say, it is tried: keys are kept at once, bytes when it is back.
pub async fn has_room(web: &Web, windows: &[domain::Window]) -> bool {
    match weigh(web, windows.to_vec()).await {
        Ok(Weight { bytes, reserve }) => bytes <= reserve.max_bytes.saturating_sub(reserve.used_bytes),
        Err(_) => true,
    }
}

async fn room(web: &Web) -> Room {
    let Some(place) = web.reserve.clone() else { return Room::default() };
    let read = tokio::task::spawn_blocking(move || match place.read().and_then(|reserve| reserve.used()) {
        Ok(used_bytes) => Room { used_bytes, max_bytes: place.bytes_max },
        Err(error) => {
            tracing::warn!(%error, "the reserve cannot be read");
            Room::default()
        }
    });
    read.await.unwrap_or_default()
}

fn read(windows: &[Window]) -> Result<Vec<domain::Window>, Problem> {
    if WINDOWS_MAX < windows.len() {
        return Err((&problem::MALFORMED).into());
    }
    windows.iter().map(Window::read).collect()
}

fn hold_of(id: &str) -> Result<HoldId, Problem> {
    id.parse().map_err(|_| (&problem::MALFORMED).into())
}

fn requisition_of(id: &str) -> Result<RequisitionId, Problem> {
    id.parse().map_err(|_| (&problem::MALFORMED).into())
}

impl HoldLine {
    fn of(view: HoldView) -> HoldLine {
        let (requisition, requisition_number) = view.requisition.map(|(id, number)| (id.to_string(), number)).unzip();
        let says = view.says;
        let (ended, why) = view.ended.unzip();
        let (certificate_fr, certificate_en) = view.certificate.unzip();
        HoldLine {
            id: view.hold.to_string(),
            number: says.number,
            leaf: says.leaf,
            opened: says.opened.to_string(),
            who: says.who,
            requester: says.requester,
            reason: says.reason,
            windows: says.windows.iter().map(Window::of).collect(),
            ends: view.hours.iter().map(|of| of.dies).min().map(|at| at.to_string()),
            hours: view
                .hours
                .iter()
                .map(|of| HeldHour { hour: of.hour.start().to_string(), dies: of.dies.to_string() })
                .collect(),
            requisition,
            requisition_number,
            kept_bytes: view.kept.map(|(_, bytes, _)| bytes),
            missing: view.kept.map_or(0, |(_, _, missing)| missing),
            ended: ended.map(|at| at.to_string()),
            why,
            why_fr: why.map(HoldEnd::title),
            is_destroyed: view.is_destroyed,
            certificate_fr,
            certificate_en,
        }
    }
}
