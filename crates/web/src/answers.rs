//! What the town answers to a requisition, and the package's way to its recipient (law REQ-05, fields 13 to 19).

use crate::{
    access::ViewingRequest,
    exports::{ask_keeper, own},
    extract::{Body, Named, SignedIn, instant},
    problem::{self, Problem, ProblemBody},
    requisitions::digest_of,
    server::Web,
};
use axum::{extract::State, http::StatusCode};
use domain::{
    ExportId, RequisitionId, Sensitive,
    requisition::{Delivery, Ground, Outcome, Reply},
};
use evidence::Digest;
use keeper::wire::exports::{ExportAnswer, ExportQuestion};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use vault::keeper::SessionSecret;

/// What the town answers.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct AnswerSays {
    #[schema(value_type = String)]
    outcome: Outcome,
    /// Why not all of it.
    #[schema(value_type = Option<String>)]
    ground: Option<Ground>,
    /// In the town's own words; they stand in the letter.
    #[schema(value_type = String)]
    reason: Sensitive<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct AnswerLine {
    /// ISO 8601.
    at: String,
    #[serde(flatten)]
    says: AnswerSays,
}

/// A package went to its recipient.
#[derive(Debug, Deserialize, Serialize, ToSchema)]
pub struct DeliverySays {
    /// Id of the export.
    export: String,
    /// ISO 8601.
    at: String,
    /// The medium with its serial number, or the channel.
    medium: String,
    /// By which way the key or passphrase went.
    key_means: String,
    #[schema(value_type = String)]
    recipient: Sensitive<String>,
    quality: String,
    /// SHA-256 of the scanned receipt, in hexadecimal.
    receipt: Option<String>,
    #[schema(minimum = 1)]
    copies: u8,
    #[schema(value_type = String)]
    notes: Sensitive<String>,
}

/// Answer a requisition
///
/// The last answer counts; those before stay in the register. A refusal lets nothing leave any more.
#[utoipa::path(post, path = "/api/requisitions/{id}/answer", tag = "exports", security(("session" = [])), request_body = AnswerSays,
    params(("id" = String, Path)),
    responses((status = 204), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn post_answer(
    State(web): State<Arc<Web>>,
    SignedIn(session): SignedIn,
    Named(id): Named<String>,
    Body(request): Body<AnswerSays>,
) -> Result<StatusCode, Problem> {
    let requisition = named(&id)?;
    let AnswerSays { outcome, ground, reason } = request;
    entered(&web, ExportQuestion::Answer { session, requisition, outcome, ground, reason }).await
}

/// A package was handed over
///
/// Its recipient has it: 1 that is entered, and it is not made anew · 2 the town's copy is removed, durably, and looked for again · 3 its
/// destruction is entered.
#[utoipa::path(post, path = "/api/requisitions/{id}/deliveries", tag = "exports", security(("session" = [])), request_body = DeliverySays,
    params(("id" = String, Path)),
    responses((status = 204), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn post_delivery(
    State(web): State<Arc<Web>>,
    SignedIn(session): SignedIn,
    Named(id): Named<String>,
    Body(request): Body<DeliverySays>,
) -> Result<StatusCode, Problem> {
    let requisition = named(&id)?;
    let delivery = request.read()?;
    let export = delivery.export;
    // who made it, and a package that is here
    own(&web, session.clone(), &export.to_string()).await?;
    web.packages.whole(export).ok_or(&problem::NO_EXPORT)?;
    let deliver = ExportQuestion::Deliver { session: session.clone(), requisition, delivery: Box::new(delivery) };
    let done = entered(&web, deliver).await?; // 1
    web.leaving.cut_export(export);
    destroy_copy(&web, session, export).await;
    Ok(done)
}

/// A failure takes nothing back of a handover that is entered: the paper says that no destruction is attested, and what is left goes
/// with the package's time.
async fn destroy_copy(web: &Arc<Web>, session: SessionSecret, export: ExportId) {
    let of = web.clone();
    match tokio::task::spawn_blocking(move || of.packages.destroy_one(export)).await {
        Ok(Ok(bytes)) => {
            let destroyed = ExportQuestion::CopyDestroyed { session, export, bytes }; // 2, 3
            if ask_keeper(web, destroyed).await.is_err() {
                tracing::warn!("the destruction of a copy that was handed over is not entered");
            }
        }
        Ok(Err(error)) => tracing::warn!(%error, "a package that was handed over cannot be removed"),
        Err(error) => tracing::error!(%error, "the removal of a package was not brought to its end"),
    }
}

/// Who requires saw the pictures on site
///
/// A habilitated agent of the town drove, nothing was copied; the law decides as over that agent's own look.
#[utoipa::path(post, path = "/api/requisitions/{id}/viewings", tag = "exports", security(("session" = [])), request_body = ViewingRequest,
    params(("id" = String, Path)),
    responses((status = 204), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody), (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn post_sight(
    State(web): State<Arc<Web>>,
    SignedIn(session): SignedIn,
    Named(id): Named<String>,
    Body(request): Body<ViewingRequest>,
) -> Result<StatusCode, Problem> {
    let (requisition, present) = (named(&id)?, request.present);
    entered(&web, ExportQuestion::Viewed { session, requisition, present }).await
}

pub fn named(id: &str) -> Result<RequisitionId, Problem> {
    id.parse().map_err(|_| (&problem::NO_REQUISITION).into())
}

pub async fn entered(web: &Web, question: ExportQuestion) -> Result<StatusCode, Problem> {
    match ask_keeper(web, question).await? {
        ExportAnswer::Registered { .. } => Ok(StatusCode::NO_CONTENT),
        ExportAnswer::Incomplete(_) => Err((&problem::REQUISITION_INCOMPLETE).into()),
        ExportAnswer::Refused(refused) => Err(Problem::refused(refused)),
        _ => Err((&problem::FAILED).into()),
    }
}

impl AnswerLine {
    pub fn of(reply: &Reply) -> AnswerLine {
        let says = AnswerSays { outcome: reply.outcome, ground: reply.ground, reason: reply.reason.clone() };
        AnswerLine { at: reply.at.to_string(), says }
    }
}

impl DeliverySays {
    fn read(self) -> Result<Delivery, Problem> {
        let export: ExportId = self.export.parse().map_err(|_| Problem::from(&problem::MALFORMED))?;
        Ok(Delivery {
            export,
            at: instant(&self.at)?,
            medium: self.medium,
            key_means: self.key_means,
            recipient: self.recipient,
            quality: self.quality,
            receipt: self.receipt.map(|text| digest_of(&text)).transpose()?,
            copies: self.copies,
            notes: self.notes,
        })
    }

    pub fn of(delivery: &Delivery) -> DeliverySays {
        DeliverySays {
            export: delivery.export.to_string(),
            at: delivery.at.to_string(),
            medium: delivery.medium.clone(),
            key_means: delivery.key_means.clone(),
            recipient: delivery.recipient.clone(),
            quality: delivery.quality.clone(),
            receipt: delivery.receipt.map(|digest| Digest(digest).to_string()),
            copies: delivery.copies,
            notes: delivery.notes.clone(),
        }
    }
}
