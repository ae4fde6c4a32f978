//! Reviews: what was done, in words, for those whose office it is; and each person's own trace. The keeper decides, enters and
//! tells; here JSON is made of it.

use crate::{
    extract::{Asked, Body, SignedIn, instant},
    problem::{self, Problem, ProblemBody},
    review_words::{Accounts, Name, Questions, Trace},
    server::Web,
};
use axum::{Json, extract::State};
use domain::{
    Sensitive, Span,
    limit::{QUESTION_DAYS_MAX, REASON_CHARS_MAX, REASON_CHARS_MIN, REVIEW_DAYS_MAX},
};
use keeper::{
    review::words::{ReviewAsk, ReviewOf, Reviewed},
    wire::PersonProof,
};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};
use vault::keeper::SessionSecret;

#[derive(Deserialize, ToSchema)]
pub struct TraceRequest {
    /// ISO 8601.
    from: String,
    /// ISO 8601, exclusive; at most 366 days later.
    to: String,
    /// Entries before this number: the next page.
    before: Option<u64>,
    /// Why: 10 to 500 characters, in the ledger before the answer.
    #[schema(value_type = String)]
    reason: Sensitive<String>,
}

#[derive(Deserialize, ToSchema)]
pub struct AccountsRequest {
    /// Why: 10 to 500 characters, in the ledger before the answer.
    #[schema(value_type = String)]
    reason: Sensitive<String>,
}

#[derive(Deserialize, ToSchema)]
pub struct QuestionsRequest {
    /// ISO 8601.
    from: String,
    /// ISO 8601, exclusive; at most 31 days later.
    to: String,
    /// Why: 10 to 500 characters, in the ledger before the answer.
    #[schema(value_type = String)]
    reason: Sensitive<String>,
}

/// Two persons at one screen, each with password and code of their own.
#[derive(Deserialize, ToSchema)]
pub struct NameRequest {
    /// ISO 8601: the period of the review that showed the pseudonym.
    from: String,
    /// ISO 8601.
    to: String,
    pseudonym: String,
    /// Why: 10 to 500 characters, in the ledger before the answer.
    #[schema(value_type = String)]
    reason: Sensitive<String>,
    /// Of who is signed in.
    #[schema(value_type = String, format = Password)]
    password: Sensitive<String>,
    #[schema(value_type = String, format = Password)]
    code: Sensitive<String>,
    /// The mayor, or the councillor with the delegation.
    #[schema(value_type = String)]
    second_name: Sensitive<String>,
    #[schema(value_type = String, format = Password)]
    second_password: Sensitive<String>,
    #[schema(value_type = String, format = Password)]
    second_code: Sensitive<String>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OwnTraceQuery {
    /// ISO 8601.
    from: String,
    /// ISO 8601, exclusive; at most 366 days later.
    to: String,
    /// Entries before this number: the next page.
    before: Option<u64>,
}

/// What was done in a period, under pseudonyms, the newest first
///
/// For the data-protection officer and inspectors. The reading is itself an entry of the ledger, written first.
#[utoipa::path(post, path = "/api/reviews/trace", tag = "reviews", security(("session" = [])), request_body = TraceRequest,
    responses(
        (status = 200, body = Trace), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody, description = "refused, with reasons and the entry"),
        (status = 503, body = ProblemBody)
    ))]
pub async fn post_trace(
    State(web): State<Arc<Web>>,
    SignedIn(session): SignedIn,
    Body(request): Body<TraceRequest>,
) -> Result<Json<Trace>, Problem> {
    let span = span(&request.from, &request.to, REVIEW_DAYS_MAX)?;
    let what = ReviewOf::Trace { span, before: request.before };
    match review(&web, session, what, request.reason).await? {
        Reviewed::Trace(page) => Ok(Json(Trace::of(page))),
        other => Err(problem_of(other)),
    }
}

/// Each account with its act, that act's end, and its training
///
/// For the data-protection officer and inspectors. Under names, and without anything that anybody did.
#[utoipa::path(post, path = "/api/reviews/accounts", tag = "reviews", security(("session" = [])), request_body = AccountsRequest,
    responses(
        (status = 200, body = Accounts), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody, description = "refused, with reasons and the entry"),
        (status = 503, body = ProblemBody)
    ))]
pub async fn post_accounts(
    State(web): State<Arc<Web>>,
    SignedIn(session): SignedIn,
    Body(request): Body<AccountsRequest>,
) -> Result<Json<Accounts>, Problem> {
    match review(&web, session, ReviewOf::Accounts, request.reason).await? {
        Reviewed::Accounts(page) => Ok(Json(Accounts::of(page))),
        other => Err(problem_of(other)),
    }
}

/// Questions worth asking, under pseudonyms, by time
///
/// For the data-protection officer, once the staff was told of the log and the committee heard; before that the refusal names the
/// act that is missing.
#[utoipa::path(post, path = "/api/reviews/questions", tag = "reviews", security(("session" = [])), request_body = QuestionsRequest,
    responses(
        (status = 200, body = Questions), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody, description = "refused, with reasons and the entry"),
        (status = 503, body = ProblemBody)
    ))]
pub async fn post_questions(
    State(web): State<Arc<Web>>,
    SignedIn(session): SignedIn,
    Body(request): Body<QuestionsRequest>,
) -> Result<Json<Questions>, Problem> {
    let span = span(&request.from, &request.to, QUESTION_DAYS_MAX)?;
    match review(&web, session, ReviewOf::Questions { span }, request.reason).await? {
        Reviewed::Questions(page) => Ok(Json(Questions::of(page))),
        other => Err(problem_of(other)),
    }
}

/// Who stands behind a pseudonym
///
/// The data-protection officer and the mayor (or the councillor with the delegation), each proving who they are with password
/// and code. What they were shown, and why, is in the ledger first.
#[utoipa::path(post, path = "/api/reviews/name", tag = "reviews", security(("session" = [])), request_body = NameRequest,
    responses(
        (status = 200, body = Name), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody, description = "refused, with reasons and the entry"),
        (status = 429, body = ProblemBody, headers(("Retry-After" = u32))), (status = 503, body = ProblemBody)
    ))]
pub async fn post_name(
    State(web): State<Arc<Web>>,
    SignedIn(session): SignedIn,
    Body(request): Body<NameRequest>,
) -> Result<Json<Name>, Problem> {
    let span = span(&request.from, &request.to, REVIEW_DAYS_MAX)?;
    let NameRequest { pseudonym, reason, password, code, second_name, second_password, second_code, .. } = request;
    let second = PersonProof { account: second_name, password: second_password, code: second_code };
    let what = ReviewOf::Name { span, pseudonym, password, code, second };
    match review(&web, session, what, reason).await? {
        Reviewed::Name(shown) => Ok(Json(Name::of(shown))),
        other => Err(problem_of(other)),
    }
}

/// One's own trace: every look and every refusal of who is signed in, the newest first
#[utoipa::path(get, path = "/api/trace", tag = "reviews", security(("session" = [])), params(OwnTraceQuery),
    responses(
        (status = 200, body = Trace), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 503, body = ProblemBody)
    ))]
pub async fn get_own_trace(
    State(web): State<Arc<Web>>,
    SignedIn(session): SignedIn,
    query: Result<Asked<OwnTraceQuery>, Problem>,
) -> Result<Json<Trace>, Problem> {
    let OwnTraceQuery { from, to, before } = query?.0;
    let span = span(&from, &to, REVIEW_DAYS_MAX)?;
    let page = web.ask_keeper(move |keeper| keeper.own_trace(session, span, before)).await?;
    Ok(Json(Trace::of(page)))
}

async fn review(
    web: &Web,
    session: SessionSecret,
    what: ReviewOf,
    reason: Sensitive<String>,
) -> Result<Reviewed, Problem> {
    let chars = reason.reveal().trim().chars().count();
    if !(REASON_CHARS_MIN..=REASON_CHARS_MAX).contains(&chars) {
        return Err((&problem::REVIEW_REASON).into());
    }
    web.ask_keeper(move |keeper| keeper.review(ReviewAsk { session, what, reason })).await
}

fn problem_of(told: Reviewed) -> Problem {
    match told {
        Reviewed::Refused(refused) => Problem::review_refused(refused),
        Reviewed::Denied { wait_seconds: 0 } => (&problem::WRONG_PROOF).into(),
        Reviewed::Denied { wait_seconds } => Problem::wait(wait_seconds),
        // an answer to another question
        _ => (&problem::FAILED).into(),
    }
}

fn span(from: &str, to: &str, days_max: i64) -> Result<Span, Problem> {
    let span = Span::new(instant(from)?, instant(to)?).map_err(|_| Problem::from(&problem::REVIEW_SPAN))?;
    if days_max * 86_400_000_000 < span.micros() { Err((&problem::REVIEW_SPAN).into()) } else { Ok(span) }
}
