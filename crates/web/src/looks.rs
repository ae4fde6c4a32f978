//! Asking to look: the reason and the purpose go to the gate, a permit or a reasoned refusal comes back (promise 3).

use crate::{
    extract::{Body, Named, SignedIn, instant},
    problem::{self, Problem, ProblemBody},
    server::Web,
};
use axum::{Json, extract::State, http::StatusCode};
use domain::{CameraId, PermitId, Purpose, Sensitive, Span};
use keeper::wire::{Continued, ReasonOver};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use vault::{
    Keeper,
    keeper::{Ask, Permit, Verdict, View},
};

#[derive(Deserialize, ToSchema)]
pub struct LookRequest {
    kind: LookKind,
    /// Ids of cameras.
    cameras: Vec<String>,
    /// ISO 8601; for the past.
    from: Option<String>,
    /// ISO 8601; for the past.
    to: Option<String>,
    /// One of the eleven purposes of CSI L251-2, by its number.
    #[schema(minimum = 1, maximum = 11)]
    purpose: Option<u8>,
    /// Why this person looks now: a sentence, or the number of an event.
    #[schema(value_type = Option<String>)]
    reason: Option<Sensitive<String>>,
    /// The look goes on under the reason that holds (`/api/reason`): purpose and reason are left out. Whether it holds, for
    /// these cameras, the keeper judges.
    #[serde(default)]
    continues: bool,
}

#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum LookKind {
    Live,
    Replay,
}

/// A permission to look, written in the ledger before it was given.
#[derive(Debug, Serialize, ToSchema)]
pub struct Look {
    /// Opaque; for addresses under `/media`. Lives 60 s since its last use.
    permit: String,
    kind: LookKind,
    cameras: Vec<String>,
    /// ISO 8601.
    from: Option<String>,
    /// ISO 8601.
    to: Option<String>,
    purpose: u8,
    #[schema(value_type = String)]
    reason: Sensitive<String>,
    /// ISO 8601.
    expires_at: String,
    /// Number of its entry in the ledger.
    entry: u64,
    /// The break-glass that alone permits it; it ends with that.
    break_glass: Option<String>,
    /// Number of the entry of the look for which the reason was stated; null: stated for this one.
    stated: Option<u64>,
}

/// Ask to look
#[utoipa::path(post, path = "/api/looks", tag = "looks", security(("session" = [])), request_body = LookRequest,
    responses(
        (status = 201, body = Look), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody, description = "refused, with reasons and the entry"),
        (status = 409, body = ProblemBody, description = "no reason holds for these cameras: state it"),
        (status = 503, body = ProblemBody)
    ))]
pub async fn post_look(
    State(web): State<Arc<Web>>,
    SignedIn(session): SignedIn,
    Body(request): Body<LookRequest>,
) -> Result<(StatusCode, Json<Look>), Problem> {
    let owner = web.permits.owner(&session);
    let continues = request.continues;
    let ask = request.into_ask()?;
    let said = ask.reason.clone();
    let (verdict, reason, stated) = if continues {
        let (view, cameras) = (ask.view, ask.cameras);
        match web.ask_keeper(move |keeper| keeper.continue_look(&session, view, cameras)).await? {
            Continued::Decided { verdict, under } => (verdict, under.reason, Some(under.stated)),
            Continued::Over(over) => return Err(why(over).into()),
        }
    } else {
        (web.ask_keeper(move |keeper| keeper.pass(&session, &ask)).await?, said, None)
    };
    match verdict {
        Verdict::Allowed(permit) => {
            web.permits.add(permit.clone(), owner);
            Ok((StatusCode::CREATED, Json(Look::new(&permit, reason, stated))))
        }
        Verdict::Refused(refused) => Err(Problem::refused(refused)),
    }
}

fn why(over: ReasonOver) -> &'static problem::Text {
    match over {
        ReasonOver::NotStated => &problem::REASON_NOT_STATED,
        ReasonOver::TimeOver => &problem::REASON_TIME_OVER,
        ReasonOver::OtherPurpose => &problem::REASON_OTHER_PURPOSE,
    }
}

/// Give a permit back
///
/// Its streams end at once.
#[utoipa::path(delete, path = "/api/looks/{permit}", tag = "looks", security(("session" = [])), params(("permit" = String, Path)),
    responses((status = 204), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 503, body = ProblemBody)))]
pub async fn delete_look(
    State(web): State<Arc<Web>>,
    SignedIn(session): SignedIn,
    Named(permit): Named<String>,
) -> Result<StatusCode, Problem> {
    let permit: PermitId = permit.parse().map_err(|_| Problem::from(&problem::NO_PERMIT))?;
    web.permits.end(permit, web.permits.owner(&session));
    // the keeper is told also when the id has died here: the permit itself may still stand
    match web.ask_keeper(move |keeper| keeper.end_look(&session, permit)).await {
        Ok(()) => Ok(StatusCode::NO_CONTENT),
        Err(problem) if std::ptr::eq(problem.text, &problem::PERMIT_ENDED) => Err((&problem::NO_PERMIT).into()),
        Err(problem) => Err(problem),
    }
}

impl LookRequest {
    fn into_ask(self) -> Result<Ask, Problem> {
        let malformed = || Problem::from(&problem::MALFORMED);
        let cameras: Result<Vec<CameraId>, _> = self.cameras.iter().map(|id| id.parse()).collect();
        let view = match (self.kind, &self.from, &self.to) {
            (LookKind::Live, _, _) => View::Live,
            (LookKind::Replay, Some(from), Some(to)) => {
                View::Replay(Span::new(instant(from)?, instant(to)?).map_err(|_| malformed())?)
            }
            (LookKind::Replay, _, _) => return Err(malformed()),
        };
        if self.continues && (self.purpose.is_some() || self.reason.is_some()) {
            return Err(malformed());
        }
        // a missing purpose or reason is for the gate to refuse, with an entry; a number that is none is a mistake of the caller
        let purpose = match self.purpose {
            Some(number) => Some(Purpose::from_number(number).ok_or_else(malformed)?),
            None => None,
        };
        Ok(Ask { view, cameras: cameras.map_err(|_| malformed())?, purpose, reason: self.reason.unwrap_or_default() })
    }
}

impl Look {
    fn new(permit: &Permit, reason: Sensitive<String>, stated: Option<u64>) -> Look {
        let (kind, span) = match permit.view {
            View::Live => (LookKind::Live, None),
            // an export's permit is never shown as a look; its span is what it is about
            View::Replay(span) | View::Export(span) => (LookKind::Replay, Some(span)),
        };
        Look {
            permit: permit.id.to_string(),
            kind,
            cameras: permit.cameras.iter().map(CameraId::to_string).collect(),
            from: span.map(|span| span.from().to_string()),
            to: span.map(|span| span.to().to_string()),
            purpose: permit.purpose.number(),
            reason,
            expires_at: permit.expires.to_string(),
            entry: permit.leaf,
            break_glass: permit.glass.map(|glass| glass.to_string()),
            stated,
        }
    }
}
