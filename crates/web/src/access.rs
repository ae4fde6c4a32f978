//! Requests for access (droit d'accès, law DP-09): who asks to see themselves, by when they are answered, and the answer.

use crate::{
    exports::Window,
    extract::{Asked, Body, Named, SignedIn, instant},
    holds::has_room,
    problem::{self, Problem, ProblemBody},
    requisitions::{Choice, LackLine, choice},
    server::Web,
};
use axum::{Json, extract::State, http::StatusCode};
use domain::{
    AccessFacts, AccessId, Sensitive,
    access::{
        AccessMeans, AccessOutcome, AccessReply, IdentityCheck, IdentityMeans, RefusalGround, Viewing, Wish,
        read_access_label,
    },
    limit::WINDOWS_MAX,
};
use keeper::wire::access::{AccessAnswer, AccessQuestion, AccessView, Frozen, article, ground_en};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// The register, the newest first, and the words that its forms offer.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccessRequests {
    now: String,
    /// There are older ones: ask for those before the last number.
    more: bool,
    requests: Vec<AccessLine>,
    means: Vec<Choice>,
    wishes: Vec<Choice>,
    identities: Vec<Choice>,
    outcomes: Vec<Choice>,
    grounds: Vec<GroundLine>,
}

/// A ground on which access may be refused; there is no other one.
#[derive(Debug, Serialize, ToSchema)]
pub struct GroundLine {
    #[serde(flatten)]
    choice: Choice,
    title_en: &'static str,
    article: &'static str,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct AccessLine {
    id: String,
    /// Without a gap within a year: `DA-2026-0001`.
    number: String,
    version: u32,
    #[serde(flatten)]
    says: AccessSays,
    /// By when it is answered; null: it is.
    due: Option<String>,
    /// When the first of its pictures die; null: none lives.
    dies: Option<String>,
    /// `held`, `nothing` that lives, or `not-asked`: it lives and is not frozen.
    frozen: &'static str,
    identity: Option<IdentityLine>,
    viewings: Vec<ViewingLine>,
    answer: Option<AccessAnswerLine>,
    lacks: Vec<LackLine>,
    /// Paragraphs of the letter that answers it.
    letter_fr: Option<Vec<String>>,
    letter_en: Option<Vec<String>>,
}

/// What is known of a request.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct AccessSays {
    /// ISO 8601.
    received: String,
    #[schema(value_type = String)]
    means: AccessMeans,
    #[schema(value_type = String)]
    wish: Wish,
    #[schema(value_type = String)]
    person: Sensitive<String>,
    /// Where the answer goes.
    #[schema(value_type = String)]
    contact: Sensitive<String>,
    /// Place and time in the person's own words.
    #[schema(value_type = String)]
    words: Sensitive<String>,
    windows: Vec<Window>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct IdentityLine {
    at: String,
    means: &'static str,
    #[schema(value_type = String)]
    by: Sensitive<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ViewingLine {
    at: String,
    #[schema(value_type = String)]
    by: Sensitive<String>,
    #[schema(value_type = String)]
    present: Sensitive<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct AccessAnswerLine {
    at: String,
    outcome: &'static str,
    grounds: Vec<&'static str>,
    #[schema(value_type = String)]
    reason: Sensitive<String>,
}

#[derive(Deserialize, ToSchema)]
pub struct AccessEntry {
    /// Id of a request that gets a further version; null: it came in.
    known: Option<String>,
    #[serde(flatten)]
    says: AccessSays,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct AccessEntered {
    id: String,
    number: String,
    lacks: Vec<LackLine>,
    frozen: &'static str,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AccessQuery {
    /// Only requests before this number: `DA-2026-0041`.
    before: Option<String>,
}

#[derive(Deserialize, ToSchema)]
pub struct IdentityRequest {
    #[schema(value_type = String)]
    means: IdentityMeans,
}

#[derive(Deserialize, ToSchema)]
pub struct ViewingRequest {
    /// Who was present, who asked included.
    #[schema(value_type = String)]
    pub present: Sensitive<String>,
}

#[derive(Deserialize, ToSchema)]
pub struct AccessAnswerRequest {
    #[schema(value_type = String)]
    outcome: AccessOutcome,
    #[schema(value_type = Vec<String>)]
    grounds: Vec<RefusalGround>,
    #[schema(value_type = String)]
    reason: Sensitive<String>,
}

/// What became of a step.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccessStep {
    is_done: bool,
    /// Else: what is missing or wrong.
    lacks: Vec<LackLine>,
}

/// The register of requests for access
#[utoipa::path(get, path = "/api/access", tag = "access", security(("session" = [])), params(AccessQuery),
    responses((status = 200, body = AccessRequests), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn get_access(
    State(web): State<Arc<Web>>,
    SignedIn(session): SignedIn,
    query: Result<Asked<AccessQuery>, Problem>,
) -> Result<Json<AccessRequests>, Problem> {
    let before = query?.0.before.map(|label| read_access_label(&label).ok_or(&problem::MALFORMED)).transpose()?;
    match ask(&web, AccessQuestion::List { session, before }).await? {
        AccessAnswer::Requests(views, more) => Ok(Json(AccessRequests {
            now: web.clock.utc().to_string(),
            more,
            requests: views.into_iter().map(AccessLine::of).collect(),
            means: AccessMeans::ALL.iter().map(|each| choice(each, each.title())).collect(),
            wishes: Wish::ALL.iter().map(|each| choice(each, each.title())).collect(),
            identities: IdentityMeans::ALL.iter().map(|each| choice(each, each.title())).collect(),
            outcomes: AccessOutcome::ALL.iter().map(|each| choice(each, each.title())).collect(),
            grounds: RefusalGround::ALL.iter().map(GroundLine::of).collect(),
        })),
        _ => Err((&problem::FAILED).into()),
    }
}

/// Enter a request, or a further version of one
///
/// What lives of its windows is frozen at once, as far as the reserve has room; it dies with the footage.
#[utoipa::path(post, path = "/api/access", tag = "access", security(("session" = [])), request_body = AccessEntry,
    responses((status = 201, body = AccessEntered), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn post_access(
    State(web): State<Arc<Web>>,
    SignedIn(session): SignedIn,
    Body(request): Body<AccessEntry>,
) -> Result<(StatusCode, Json<AccessEntered>), Problem> {
    ask(&web, AccessQuestion::May { session: session.clone() }).await?;
    let known = request.known.as_deref().map(access_of).transpose()?;
    let says = Box::new(request.says.read()?);
    // a request is never lost for want of room: its register says then that nothing is frozen
    let freeze = has_room(&web, &says.windows).await;
    match ask(&web, AccessQuestion::Register { session, known, says, freeze }).await? {
        AccessAnswer::Registered { id, label, lacks, frozen } => {
            let lacks = lacks.into_iter().map(LackLine::from).collect();
            let entered = AccessEntered { id: id.to_string(), number: label, lacks, frozen: word(frozen) };
            Ok((StatusCode::CREATED, Json(entered)))
        }
        _ => Err((&problem::FAILED).into()),
    }
}

/// Somebody made sure who asks
///
/// No copy of a document of identity is kept.
#[utoipa::path(post, path = "/api/access/{id}/identity", tag = "access", security(("session" = [])), params(("id" = String, Path)),
    request_body = IdentityRequest,
    responses((status = 200, body = AccessStep), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn post_identity(
    State(web): State<Arc<Web>>,
    SignedIn(session): SignedIn,
    Named(id): Named<String>,
    Body(request): Body<IdentityRequest>,
) -> Result<Json<AccessStep>, Problem> {
    step(&web, AccessQuestion::Identify { session, id: access_of(&id)?, means: request.means }).await
}

/// The person saw the pictures on site
///
/// An agent who may see pictures drove; nothing was copied.
#[utoipa::path(post, path = "/api/access/{id}/viewings", tag = "access", security(("session" = [])), params(("id" = String, Path)),
    request_body = ViewingRequest,
    responses((status = 200, body = AccessStep), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn post_viewing(
    State(web): State<Arc<Web>>,
    SignedIn(session): SignedIn,
    Named(id): Named<String>,
    Body(request): Body<ViewingRequest>,
) -> Result<Json<AccessStep>, Problem> {
    step(&web, AccessQuestion::Viewed { session, id: access_of(&id)?, present: request.present }).await
}

/// Answer a request
#[utoipa::path(post, path = "/api/access/{id}/answer", tag = "access", security(("session" = [])), params(("id" = String, Path)),
    request_body = AccessAnswerRequest,
    responses((status = 200, body = AccessStep), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn post_access_answer(
    State(web): State<Arc<Web>>,
    SignedIn(session): SignedIn,
    Named(id): Named<String>,
    Body(request): Body<AccessAnswerRequest>,
) -> Result<Json<AccessStep>, Problem> {
    let AccessAnswerRequest { outcome, grounds, reason } = request;
    if RefusalGround::ALL.len() < grounds.len() {
        return Err((&problem::MALFORMED).into());
    }
    step(&web, AccessQuestion::Answer { session, id: access_of(&id)?, outcome, grounds, reason }).await
}

async fn step(web: &Web, question: AccessQuestion) -> Result<Json<AccessStep>, Problem> {
    match ask(web, question).await? {
        AccessAnswer::Done => Ok(Json(AccessStep { is_done: true, lacks: Vec::new() })),
        AccessAnswer::Refused(refused) => Err(Problem::refused(refused)),
        AccessAnswer::Incomplete(lacks) => {
            Ok(Json(AccessStep { is_done: false, lacks: lacks.into_iter().map(LackLine::from).collect() }))
        }
        _ => Err((&problem::FAILED).into()),
    }
}

async fn ask(web: &Web, question: AccessQuestion) -> Result<AccessAnswer, Problem> {
    web.ask_keeper(move |keeper| keeper.access(question)).await
}

fn access_of(id: &str) -> Result<AccessId, Problem> {
    id.parse().map_err(|_| (&problem::MALFORMED).into())
}

fn word(frozen: Frozen) -> &'static str {
    match frozen {
        Frozen::Held => "held",
        Frozen::Nothing => "nothing",
        Frozen::NotAsked => "not-asked",
    }
}

impl GroundLine {
    fn of(ground: &RefusalGround) -> GroundLine {
        let choice = choice(ground, ground.title());
        GroundLine { choice, title_en: ground_en(*ground), article: article(*ground) }
    }
}

impl AccessSays {
    fn read(self) -> Result<AccessFacts, Problem> {
        if WINDOWS_MAX < self.windows.len() {
            return Err((&problem::MALFORMED).into());
        }
        let (identity, holds, viewings, answer) = Default::default();
        Ok(AccessFacts {
            received: instant(&self.received)?,
            means: self.means,
            wish: self.wish,
            person: self.person,
            contact: self.contact,
            words: self.words,
            windows: self.windows.iter().map(Window::read).collect::<Result<_, _>>()?,
            identity,
            holds,
            viewings,
            answer,
        })
    }
}

impl AccessLine {
    fn of(view: AccessView) -> AccessLine {
        let (number, says) = (view.request.label(), view.request.says);
        let (letter_fr, letter_en) = view.letter.unzip();
        AccessLine {
            id: view.request.id.to_string(),
            number,
            version: view.version,
            says: AccessSays {
                received: says.received.to_string(),
                means: says.means,
                wish: says.wish,
                person: says.person,
                contact: says.contact,
                words: says.words,
                windows: says.windows.iter().map(Window::of).collect(),
            },
            due: view.due.map(|at| at.to_string()),
            dies: view.dies.map(|at| at.to_string()),
            frozen: word(view.frozen),
            identity: says.identity.map(|IdentityCheck { at, means, by }| IdentityLine {
                at: at.to_string(),
                means: means.title(),
                by,
            }),
            viewings: says.viewings.into_iter().map(ViewingLine::of).collect(),
            answer: says.answer.map(AccessAnswerLine::of),
            lacks: view.lacks.into_iter().map(LackLine::from).collect(),
            letter_fr,
            letter_en,
        }
    }
}

impl ViewingLine {
    pub fn of(Viewing { at, by, present }: Viewing) -> ViewingLine {
        ViewingLine { at: at.to_string(), by, present }
    }
}

impl AccessAnswerLine {
    fn of(AccessReply { at, outcome, grounds, reason }: AccessReply) -> AccessAnswerLine {
        let grounds = grounds.into_iter().map(RefusalGround::title).collect();
        AccessAnswerLine { at: at.to_string(), outcome: outcome.title(), grounds, reason }
    }
}
