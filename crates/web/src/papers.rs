//! Papers of live state, as PDF: who may see the facts on a page may print them. No name is in an address or a file's name.
//!
//! 1 the keeper tells what the paper says, and to whom it tells it · 2 it is filled in · 3 `vigie-papers` prints it, in a process of its own
//! (decision 0077) · 4 it goes to the browser, which keeps it nowhere

pub mod constat;
mod delivery;
mod fill;

use crate::{
    extract::{Asked, Named, SignedIn, instant},
    problem::{self, Problem, ProblemBody, Text},
    server::Web,
};
use axum::{
    body::Body as AnswerBody,
    extract::State,
    http::{HeaderValue, header},
    response::Response,
};
use documents::{At, Language, Paper, PapersError, RenderLimits, Says, Town};
use domain::{Span, Window};
use keeper::wire::papers::{PaperAnswer, PaperQuestion, PaperSays, PaperTown};
use serde::Deserialize;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PaperQuery {
    /// Of the paper; French where nothing is said.
    #[serde(default)]
    #[param(inline, required = false)]
    language: PaperLanguage,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PaperOfTimeQuery {
    /// ISO 8601.
    from: String,
    /// ISO 8601, exclusive.
    to: String,
    /// Of the paper; French where nothing is said.
    #[serde(default)]
    #[param(inline, required = false)]
    language: PaperLanguage,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum PaperLanguage {
    #[default]
    Fr,
    En,
}

impl PaperLanguage {
    pub fn of_paper(self) -> Language {
        match self {
            PaperLanguage::Fr => Language::Fr,
            PaperLanguage::En => Language::En,
        }
    }
}

/// The letter that goes with an answer
///
/// Of a requisition that was answered with less than all.
#[utoipa::path(get, path = "/api/requisitions/{id}/letter.pdf", tag = "papers", security(("session" = [])),
    params(("id" = String, Path), PaperQuery),
    responses((status = 200, content_type = "application/pdf", body = Vec<u8>), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn get_requisition_letter(
    State(web): State<Arc<Web>>,
    SignedIn(session): SignedIn,
    Named(id): Named<String>,
    query: Result<Asked<PaperQuery>, Problem>,
) -> Result<Response, Problem> {
    let language = query?.0.language.of_paper();
    let id = id.parse().map_err(|_| Problem::from(&problem::NO_REQUISITION))?;
    let (town, says) = ask(&web, PaperQuestion::Requisition { session, id }, &problem::NO_REQUISITION).await?;
    let PaperSays::Requisition(known) = says else { return Err((&problem::FAILED).into()) };
    let letter = fill::requisition_letter(&known.view, language).ok_or(&problem::PAPER_NOT_YET)?;
    let (number, name) = (known.view.requisition.label(), format!("lettre-{id}"));
    send(&web, paper(&web, language, &town, &number, Says::Letter(Box::new(letter))), &name).await
}

/// The report of a handover (procès-verbal de remise)
///
/// Of a package that was handed over: the nineteen fields of the register.
#[utoipa::path(get, path = "/api/requisitions/{id}/deliveries/{export}/report.pdf", tag = "papers", security(("session" = [])),
    params(("id" = String, Path), ("export" = String, Path), PaperQuery),
    responses((status = 200, content_type = "application/pdf", body = Vec<u8>), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn get_delivery_report(
    State(web): State<Arc<Web>>,
    SignedIn(session): SignedIn,
    Named((id, export)): Named<(String, String)>,
    query: Result<Asked<PaperQuery>, Problem>,
) -> Result<Response, Problem> {
    let language = query?.0.language.of_paper();
    let id = id.parse().map_err(|_| Problem::from(&problem::NO_REQUISITION))?;
    let export = export.parse().map_err(|_| Problem::from(&problem::NO_EXPORT))?;
    let (town, says) = ask(&web, PaperQuestion::Requisition { session, id }, &problem::NO_REQUISITION).await?;
    let PaperSays::Requisition(known) = says else { return Err((&problem::FAILED).into()) };
    let report = delivery::report(&known, export, &town, language).ok_or(&problem::PAPER_NOT_YET)?;
    let (number, name) = (known.view.requisition.label(), format!("remise-{export}"));
    send(&web, paper(&web, language, &town, &number, Says::Delivery(Box::new(report))), &name).await
}

/// The answer to a request for access, as a letter
#[utoipa::path(get, path = "/api/access/{id}/letter.pdf", tag = "papers", security(("session" = [])),
    params(("id" = String, Path), PaperQuery),
    responses((status = 200, content_type = "application/pdf", body = Vec<u8>), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn get_access_letter(
    State(web): State<Arc<Web>>,
    SignedIn(session): SignedIn,
    Named(id): Named<String>,
    query: Result<Asked<PaperQuery>, Problem>,
) -> Result<Response, Problem> {
    let language = query?.0.language.of_paper();
    let id = id.parse().map_err(|_| Problem::from(&problem::NO_PAPER))?;
    let (town, says) = ask(&web, PaperQuestion::Access { session, id }, &problem::NO_PAPER).await?;
    let PaperSays::Access(view) = says else { return Err((&problem::FAILED).into()) };
    let letter = fill::access_letter(&view, language).ok_or(&problem::PAPER_NOT_YET)?;
    let (number, name) = (view.request.label(), format!("acces-{id}"));
    send(&web, paper(&web, language, &town, &number, Says::Letter(Box::new(letter))), &name).await
}

/// The certificate of a hold's end
///
/// Once every copy of the keyring confirmed that its keys are dead.
#[utoipa::path(get, path = "/api/holds/{id}/certificate.pdf", tag = "papers", security(("session" = [])),
    params(("id" = String, Path), PaperQuery),
    responses((status = 200, content_type = "application/pdf", body = Vec<u8>), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn get_hold_certificate(
    State(web): State<Arc<Web>>,
    SignedIn(session): SignedIn,
    Named(id): Named<String>,
    query: Result<Asked<PaperQuery>, Problem>,
) -> Result<Response, Problem> {
    let language = query?.0.language.of_paper();
    let id = id.parse().map_err(|_| Problem::from(&problem::NO_PAPER))?;
    let (town, says) = ask(&web, PaperQuestion::Hold { session, id }, &problem::NO_PAPER).await?;
    let PaperSays::Hold(hold) = says else { return Err((&problem::FAILED).into()) };
    let (number, name) = (fill::hold_number(hold.number), format!("fin-de-gel-{id}"));
    let says = Says::HoldEnd(Box::new(fill::end_of_hold(*hold, &town, language)));
    send(&web, paper(&web, language, &town, &number, says), &name).await
}

/// The certificate of destruction of a camera's pictures of one time
///
/// At most 32 days; only where all of it is dead.
#[utoipa::path(get, path = "/api/cameras/{id}/destruction.pdf", tag = "papers", security(("session" = [])),
    params(("id" = String, Path), PaperOfTimeQuery),
    responses((status = 200, content_type = "application/pdf", body = Vec<u8>), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn get_destruction(
    State(web): State<Arc<Web>>,
    SignedIn(session): SignedIn,
    Named(id): Named<String>,
    query: Result<Asked<PaperOfTimeQuery>, Problem>,
) -> Result<Response, Problem> {
    let asked = query?.0;
    let (language, span) = (asked.language.of_paper(), asked.span()?);
    let camera = id.parse().map_err(|_| Problem::from(&problem::MALFORMED))?;
    let window = Window { camera, span };
    let (town, says) = ask(&web, PaperQuestion::Destruction { session, window }, &problem::NO_PAPER).await?;
    let PaperSays::Destruction(dead) = says else { return Err((&problem::FAILED).into()) };
    let says = fill::destruction(*dead, &town, language).ok_or(&problem::PAPER_NOT_YET)?;
    let name = format!("destruction-{camera}");
    send(&web, paper(&web, language, &town, "", Says::Destruction(Box::new(says))), &name).await
}

/// The journal of exports of a time
///
/// For who may process requisitions; for the data-protection officer without the names of the town's persons.
#[utoipa::path(get, path = "/api/exports.pdf", tag = "papers", security(("session" = [])), params(PaperOfTimeQuery),
    responses((status = 200, content_type = "application/pdf", body = Vec<u8>), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn get_exports_journal(
    State(web): State<Arc<Web>>,
    SignedIn(session): SignedIn,
    query: Result<Asked<PaperOfTimeQuery>, Problem>,
) -> Result<Response, Problem> {
    let asked = query?.0;
    let (language, span) = (asked.language.of_paper(), asked.span()?);
    let (town, says) = ask(&web, PaperQuestion::Exports { session, span }, &problem::NO_PAPER).await?;
    let PaperSays::Exports(lines, log_size) = says else { return Err((&problem::FAILED).into()) };
    let says = Says::Exports(Box::new(fill::journal(lines, span, log_size, language)));
    send(&web, paper(&web, language, &town, "", says), "exports").await
}

impl PaperOfTimeQuery {
    fn span(&self) -> Result<Span, Problem> {
        let span = Span::new(instant(&self.from)?, instant(&self.to)?);
        span.ok().filter(|span| span.micros() > 0).ok_or_else(|| (&problem::MALFORMED).into())
    }
}

/// What the keeper tells for a paper; `unknown` where the register does not have it.
async fn ask(web: &Web, question: PaperQuestion, unknown: &'static Text) -> Result<(PaperTown, PaperSays), Problem> {
    let PaperAnswer { town, says } = web.ask_keeper(move |keeper| keeper.paper(question)).await?;
    match says {
        PaperSays::Unknown => Err(unknown.into()),
        PaperSays::NotYet => Err((&problem::PAPER_NOT_YET).into()),
        says => Ok((town, says)),
    }
}

fn paper(web: &Web, language: Language, town: &PaperTown, reference: &str, says: Says) -> Paper {
    let town = Town { name: town.name.clone(), ..Town::default() };
    Paper::new(language, town, reference, At(web.clock.utc()), says)
}

/// Printed, and shown by the browser under this name.
async fn send(web: &Web, paper: Paper, name: &str) -> Result<Response, Problem> {
    let socket = web.papers.clone().ok_or(&problem::PAPERS_AWAY)?;
    let place = web.printing.clone().try_acquire_owned().map_err(|_| Problem::from(&problem::PAPERS_BUSY))?;
    let printed = tokio::task::spawn_blocking(move || {
        let _place = place;
        documents::print(&socket, &paper, RenderLimits::default())
    });
    let pdf = match printed.await {
        Ok(printed) => printed.map_err(|error| not_printed(&error))?,
        Err(_) => return Err((&problem::FAILED).into()),
    };
    let shown = format!("inline; filename=\"vigie-{name}.pdf\"");
    let shown = HeaderValue::from_str(&shown).map_err(|_| Problem::from(&problem::FAILED))?;
    let mut response = Response::new(AnswerBody::from(pdf));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/pdf"));
    response.headers_mut().insert(header::CONTENT_DISPOSITION, shown);
    Ok(response)
}

/// The errors repeat nothing of a paper.
fn not_printed(error: &PapersError) -> Problem {
    tracing::warn!(%error, "a paper was not printed");
    Problem::from(match error {
        PapersError::NotInstalled { .. } | PapersError::NotStarted { .. } => &problem::PAPERS_AWAY,
        PapersError::TooLarge { .. } | PapersError::PdfTooLarge { .. } | PapersError::Slow { .. } => {
            &problem::PAPER_TOO_LONG
        }
        _ => &problem::FAILED,
    })
}
