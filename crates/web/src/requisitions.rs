//! The register of requisitions (law REQ-01 to REQ-05): what an authority asks for, what is missing, what left under it.

use crate::{
    access::ViewingLine,
    answers::{AnswerLine, DeliverySays},
    exports::{Export, Window, ask_keeper},
    extract::{Asked, Body, SignedIn, instant},
    opinions::OpinionLine,
    problem::{self, Problem, ProblemBody},
    server::Web,
};
use axum::{Json, body::Bytes, extract::State, http::StatusCode};
use domain::{
    RequisitionFacts, RequisitionId, Sensitive,
    requisition::{Authorisation, Authority, CallBack, Framework, Ground, Means, Outcome, Quality},
};
use evidence::Digest;
use keeper::wire::{
    ScanPart,
    exports::{ExportAnswer, ExportQuestion, Lack, RequisitionView},
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// The register, the newest first, and the words that its form offers.
#[derive(Debug, Serialize, ToSchema)]
pub struct Requisitions {
    now: String,
    /// There are older ones: ask for those before the last number.
    more: bool,
    /// A package that is made may be fetched by a link: `public.address` is set.
    links_offered: bool,
    requisitions: Vec<RequisitionLine>,
    frameworks: Vec<Choice>,
    qualities: Vec<Choice>,
    means: Vec<Choice>,
    outcomes: Vec<Choice>,
    grounds: Vec<Choice>,
}

/// A word of the register, as it is sent and as it is printed.
#[derive(Debug, Serialize, ToSchema)]
pub struct Choice {
    #[schema(value_type = String)]
    code: serde_json::Value,
    title: &'static str,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct RequisitionLine {
    id: String,
    /// Of the register, without a gap within a year: `2026-0001`.
    number: String,
    version: u32,
    #[serde(flatten)]
    says: RequisitionSays,
    /// What is missing before footage may leave.
    lacks: Vec<LackLine>,
    exports: Vec<Export>,
    answer: Option<AnswerLine>,
    deliveries: Vec<DeliverySays>,
    /// Looks on site of who requires, without a copy.
    viewings: Vec<ViewingLine>,
    /// Of the head of the service and of the data-protection officer, where another text than the CPP asks for them.
    opinions: Vec<OpinionLine>,
    /// Paragraphs of the letter that goes with an answer that hands over less than all.
    letter_fr: Option<Vec<String>>,
    letter_en: Option<Vec<String>>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct LackLine {
    /// Name of the field.
    field: String,
    article: String,
    text_fr: String,
    text_en: String,
}

/// What a requisition says, as far as it is known.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct RequisitionSays {
    /// ISO 8601.
    received: String,
    #[schema(value_type = String)]
    means: Means,
    authority: AuthoritySays,
    #[schema(value_type = String)]
    framework: Framework,
    /// The text, where the framework is another one.
    framework_other: String,
    /// Who else allowed it: the prosecutor for this case or the commission rogatoire by its reference, or the prosecutor's general
    /// instruction by the day on which it was signed.
    authorisation_reference: Option<String>,
    /// ISO 8601.
    authorisation_general: Option<String>,
    /// Number of the procedure (PV).
    procedure: String,
    /// The offence, or the object, as written.
    #[schema(value_type = String)]
    object: Sensitive<String>,
    windows: Vec<Window>,
    /// SHA-256 of the scan in hexadecimal.
    scan: Option<String>,
    genuine: Option<CallBackSays>,
    /// Who validated it for the town.
    #[schema(value_type = String)]
    validator: Sensitive<String>,
}

/// Who requires.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct AuthoritySays {
    #[schema(value_type = String)]
    name: Sensitive<String>,
    #[schema(value_type = String)]
    quality: Quality,
    #[schema(value_type = String)]
    matricule: Sensitive<String>,
    service: String,
    court: String,
}

/// That it is genuine: the service was called back at the number that the town knew before.
#[derive(Clone, Debug, Deserialize, Serialize, ToSchema)]
pub struct CallBackSays {
    /// ISO 8601.
    at: String,
    number: String,
    #[schema(value_type = String)]
    spoken_to: Sensitive<String>,
}

#[derive(Deserialize, ToSchema)]
pub struct RequisitionRequest {
    /// Id of a requisition that gets a further version; null: it came in.
    known: Option<String>,
    #[serde(flatten)]
    says: RequisitionSays,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Registered {
    id: String,
    number: String,
    lacks: Vec<LackLine>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RegisterQuery {
    /// Only requisitions before this number: `2026-0041`.
    before: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ScanQuery {
    /// SHA-256 of the whole scan, in hexadecimal.
    digest: String,
    /// Bytes of the whole scan; at most 16 MiB.
    total: u64,
    /// Where this part begins: parts follow one another.
    offset: u64,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ScanHeld {
    /// So many bytes are held; with the last part the scan is kept.
    bytes: u64,
}

/// The register
#[utoipa::path(get, path = "/api/requisitions", tag = "exports", security(("session" = [])), params(RegisterQuery),
    responses((status = 200, body = Requisitions), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody), (status = 403, body = ProblemBody),
        (status = 503, body = ProblemBody)))]
pub async fn get_requisitions(
    State(web): State<Arc<Web>>,
    SignedIn(session): SignedIn,
    query: Result<Asked<RegisterQuery>, Problem>,
) -> Result<Json<Requisitions>, Problem> {
    let before = query?.0.before.map(|label| before_of(&label).ok_or(&problem::MALFORMED)).transpose()?;
    let answer = ask_keeper(&web, ExportQuestion::Requisitions { session, before }).await?;
    let ExportAnswer::Requisitions(views, more) = answer else { return Err((&problem::FAILED).into()) };
    Ok(Json(Requisitions {
        now: web.clock.utc().to_string(),
        more,
        links_offered: web.leaving.address().is_some(),
        requisitions: views.into_iter().map(|view| RequisitionLine::of(view, &web)).collect(),
        frameworks: Framework::ALL.iter().map(|each| choice(each, each.title())).collect(),
        qualities: Quality::ALL.iter().map(|each| choice(each, each.title())).collect(),
        means: Means::ALL.iter().map(|each| choice(each, each.title())).collect(),
        outcomes: Outcome::ALL.iter().map(|each| choice(each, each.title())).collect(),
        grounds: Ground::ALL.iter().map(|each| choice(each, each.title())).collect(),
    }))
}

/// Enter a requisition, or a further version of one
///
/// Nothing is required but its form: what is missing is told, and delays the export. Every version is an entry of the ledger.
#[utoipa::path(post, path = "/api/requisitions", tag = "exports", security(("session" = [])), request_body = RequisitionRequest,
    responses((status = 201, body = Registered), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn post_requisition(
    State(web): State<Arc<Web>>,
    SignedIn(session): SignedIn,
    Body(request): Body<RequisitionRequest>,
) -> Result<(StatusCode, Json<Registered>), Problem> {
    let known: Option<RequisitionId> =
        request.known.map(|id| id.parse()).transpose().map_err(|_| Problem::from(&problem::MALFORMED))?;
    let says = Box::new(request.says.read()?);
    match ask_keeper(&web, ExportQuestion::Register { session, known, says }).await? {
        ExportAnswer::Registered { id, label, lacks } => {
            let lacks = lacks.into_iter().map(LackLine::from).collect();
            Ok((StatusCode::CREATED, Json(Registered { id: id.to_string(), number: label, lacks })))
        }
        _ => Err((&problem::FAILED).into()),
    }
}

/// A part of a scan
///
/// Before the requisition that names it. Kept sealed.
#[utoipa::path(post, path = "/api/requisitions/scan", tag = "exports", security(("session" = [])), params(ScanQuery),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    responses((status = 200, body = ScanHeld), (status = 401, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn post_scan(
    State(web): State<Arc<Web>>,
    SignedIn(session): SignedIn,
    query: Result<Asked<ScanQuery>, Problem>,
    body: Bytes,
) -> Result<Json<ScanHeld>, Problem> {
    let ScanQuery { digest, total, offset } = query?.0;
    let digest = digest_of(&digest)?;
    let part = ScanPart { digest, total_bytes: total, offset, bytes: Sensitive::new(body.to_vec()) };
    match ask_keeper(&web, ExportQuestion::Scan { session, part }).await? {
        ExportAnswer::ScanHeld { bytes } => Ok(Json(ScanHeld { bytes })),
        _ => Err((&problem::FAILED).into()),
    }
}

fn before_of(label: &str) -> Option<(u16, u32)> {
    let (year, number) = label.split_once('-')?;
    Some((year.parse().ok()?, number.parse().ok()?))
}

pub fn choice(code: &impl Serialize, title: &'static str) -> Choice {
    Choice { code: serde_json::to_value(code).unwrap_or_default(), title }
}

/// 64 hexadecimal digits.
pub fn digest_of(text: &str) -> Result<[u8; 32], Problem> {
    text.parse::<Digest>().map(|digest| digest.0).map_err(|_| (&problem::MALFORMED).into())
}

impl RequisitionSays {
    fn of(says: &RequisitionFacts) -> RequisitionSays {
        let (reference, general) = match &says.authorisation {
            Some(Authorisation::Individual { reference }) => (Some(reference.clone()), None),
            Some(Authorisation::General { signed }) => (None, Some(signed.to_string())),
            None => (None, None),
        };
        RequisitionSays {
            received: says.received.to_string(),
            means: says.means,
            authority: AuthoritySays {
                name: says.authority.name.clone(),
                quality: says.authority.quality,
                matricule: says.authority.matricule.clone(),
                service: says.authority.service.clone(),
                court: says.authority.court.clone(),
            },
            framework: says.framework,
            framework_other: says.framework_other.clone(),
            authorisation_reference: reference,
            authorisation_general: general,
            procedure: says.procedure.clone(),
            object: says.object.clone(),
            windows: says.windows.iter().map(Window::of).collect(),
            scan: says.scan.map(|digest| Digest(digest).to_string()),
            genuine: says.genuine.as_ref().map(|genuine| CallBackSays {
                at: genuine.at.to_string(),
                number: genuine.number.clone(),
                spoken_to: genuine.spoken_to.clone(),
            }),
            validator: says.validator.clone(),
        }
    }

    fn read(self) -> Result<RequisitionFacts, Problem> {
        let malformed = || Problem::from(&problem::MALFORMED);
        let authorisation = match (self.authorisation_reference, self.authorisation_general) {
            (Some(reference), None) => Some(Authorisation::Individual { reference }),
            (None, Some(signed)) => Some(Authorisation::General { signed: instant(&signed)? }),
            (None, None) => None,
            (Some(_), Some(_)) => return Err(malformed()),
        };
        let genuine = self.genuine.map(|genuine| {
            Ok::<_, Problem>(CallBack {
                at: instant(&genuine.at)?,
                number: genuine.number,
                spoken_to: genuine.spoken_to,
            })
        });
        let AuthoritySays { name, quality, matricule, service, court } = self.authority;
        Ok(RequisitionFacts {
            received: instant(&self.received)?,
            means: self.means,
            authority: Authority { name, quality, matricule, service, court },
            framework: self.framework,
            framework_other: self.framework_other,
            authorisation,
            procedure: self.procedure,
            object: self.object,
            windows: self.windows.iter().map(Window::read).collect::<Result<_, _>>()?,
            scan: self.scan.map(|text| digest_of(&text)).transpose()?,
            genuine: genuine.transpose()?,
            validator: self.validator,
            // kept by the keeper from the version before
            answer: None,
            deliveries: Vec::new(),
            viewings: Vec::new(),
            written_by: Vec::new(),
            opinions: Vec::new(),
        })
    }
}

impl RequisitionLine {
    fn of(view: RequisitionView, web: &Web) -> RequisitionLine {
        let says = &view.requisition.says;
        let (letter_fr, letter_en) = view.letter.unzip();
        RequisitionLine {
            answer: says.answer.as_ref().map(AnswerLine::of),
            deliveries: says.deliveries.iter().map(DeliverySays::of).collect(),
            viewings: says.viewings.iter().cloned().map(ViewingLine::of).collect(),
            opinions: says.opinions.iter().map(OpinionLine::of).collect(),
            letter_fr,
            letter_en,
            id: view.requisition.id.to_string(),
            number: view.requisition.label(),
            version: view.version,
            says: RequisitionSays::of(&view.requisition.says),
            lacks: view.lacks.into_iter().map(LackLine::from).collect(),
            exports: view.exports.iter().map(|export| Export::of(export, &web.packages)).collect(),
        }
    }
}

impl From<Lack> for LackLine {
    fn from(lack: Lack) -> LackLine {
        let Lack { field, article, text_fr, text_en } = lack;
        LackLine { field, article, text_fr, text_en }
    }
}
