//! Handing footage over: two persons open an export, its package is made and sealed for its recipient, and taken down from here.

mod archive;
mod copies;
mod gaps;
mod job;
mod packages;
mod report;
mod sealed;
mod stamp;
mod words;

pub use packages::{Packages, Stage};
pub use stamp::{StampError, TimestampConfig};
pub use words::{Export, Window};

use crate::{
    extract::{Asked, Body, Named, SignedIn},
    links,
    problem::{self, Problem, ProblemBody},
    server::Web,
};
use axum::{
    Json,
    body::Body as AnswerBody,
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use domain::{ExportId, Purpose, RequisitionId, Sensitive};
use evidence::{FileRole, Manifest};
use futures::stream;
use job::{Halt, Job};
use keeper::wire::{
    PersonProof,
    exports::{ExportAnswer, ExportAsk, ExportQuestion, ExportView},
};
use packages::NotBegun;
use seal::age::{Passphrase, Recipient};
use sealed::{SealTo, Sealed};
use serde::{Deserialize, Serialize};
use std::{io::SeekFrom, sync::Arc};
use tokio::{
    io::{AsyncReadExt, AsyncSeekExt},
    runtime::Handle,
};
use utoipa::{IntoParams, ToSchema};
use vault::keeper::SessionSecret;

/// The page that plays a package, in its folder.
pub const PLAYER: &str = "lecteur.html";
const READ_ME: &str = "LISEZ-MOI.txt";
/// What of a package is read at once to be sent.
pub const SEND_BYTES: usize = 256 * 1024;
/// No medium is smaller, and parts are numbered by three digits.
const PART_BYTES_MIN: u64 = 1 << 20;
const PARTS_MAX: u32 = 999;

/// Two persons at one screen, each with password and code of their own.
#[derive(Deserialize, ToSchema)]
pub struct ExportRequest {
    /// Id of the requisition.
    requisition: String,
    /// What leaves; all of it is asked for by the requisition.
    windows: Vec<Window>,
    /// One of the eleven purposes of CSI L251-2, by its number: that of the footage.
    #[schema(minimum = 1, maximum = 11)]
    purpose: u8,
    /// For whom the package is sealed: public key of the service that requires, as `age-keygen` prints it: `age1…`. Null, the declared
    /// exception: by a passphrase that is drawn and told once. Both persons answer for it.
    recipient: Option<String>,
    /// Of who is signed in.
    #[schema(value_type = String, format = Password)]
    password: Sensitive<String>,
    #[schema(value_type = String, format = Password)]
    code: Sensitive<String>,
    #[schema(value_type = String)]
    second_name: Sensitive<String>,
    #[schema(value_type = String, format = Password)]
    second_password: Sensitive<String>,
    #[schema(value_type = String, format = Password)]
    second_code: Sensitive<String>,
}

/// A part of a package: which one, of parts of what size.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PackageQuery {
    /// From 1; the whole where it is not said.
    part: Option<u32>,
    /// What the medium holds, at least a mebibyte; at most 999 parts.
    part_bytes: Option<u64>,
}

impl PackageQuery {
    /// Where it begins, how many bytes it has, and what its name ends with.
    fn range(&self, whole: u64) -> Result<(u64, u64, String), Problem> {
        let (Some(part), Some(size)) = (self.part, self.part_bytes) else {
            let is_whole = self.part.is_none() && self.part_bytes.is_none();
            return if is_whole { Ok((0, whole, String::new())) } else { Err((&problem::MALFORMED).into()) };
        };
        if size < PART_BYTES_MIN || !(1..=PARTS_MAX).contains(&part) || u64::from(PARTS_MAX) < whole.div_ceil(size) {
            return Err((&problem::MALFORMED).into());
        }
        let from = u64::from(part - 1).saturating_mul(size);
        if whole <= from {
            return Err((&problem::NO_EXPORT).into());
        }
        Ok((from, size.min(whole - from), format!(".{part:03}")))
    }
}

/// A package is being made.
#[derive(Debug, Serialize, ToSchema)]
pub struct PackageBegun {
    /// Told here only. Hand it over by another way than the package.
    #[schema(value_type = Option<String>)]
    passphrase: Option<Sensitive<String>>,
}

/// Let footage leave
///
/// Under a requisition, by two persons. The decision is an entry of the ledger, written first; who is signed in makes the package.
#[utoipa::path(post, path = "/api/exports", tag = "exports", security(("session" = [])), request_body = ExportRequest,
    responses(
        (status = 201, body = Export), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 403, body = ProblemBody, description = "refused, with reasons and the entry"),
        (status = 409, body = ProblemBody, description = "the requisition is incomplete"),
        (status = 429, body = ProblemBody, headers(("Retry-After" = u32))), (status = 503, body = ProblemBody)
    ))]
pub async fn post_export(
    State(web): State<Arc<Web>>,
    SignedIn(session): SignedIn,
    Body(request): Body<ExportRequest>,
) -> Result<(StatusCode, Json<Export>), Problem> {
    if let Some(text) = &request.recipient {
        Recipient::parse(text).map_err(|_| Problem::from(&problem::EXPORT_RECIPIENT))?;
    }
    let ask = request.into_ask(session)?;
    match ask_keeper(&web, ExportQuestion::Open(Box::new(ask))).await? {
        ExportAnswer::Opened(view) => Ok((StatusCode::CREATED, Json(Export::of(&view, &web.packages)))),
        ExportAnswer::Incomplete(_) => Err((&problem::REQUISITION_INCOMPLETE).into()),
        ExportAnswer::Refused(refused) => Err(Problem::export_refused(refused)),
        ExportAnswer::Denied { wait_seconds: 0 } => Err((&problem::WRONG_PROOF).into()),
        ExportAnswer::Denied { wait_seconds } => Err(Problem::wait(wait_seconds)),
        _ => Err((&problem::FAILED).into()),
    }
}

/// How an export stands, for who opened it
#[utoipa::path(get, path = "/api/exports/{id}", tag = "exports", security(("session" = [])), params(("id" = String, Path)),
    responses((status = 200, body = Export), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 503, body = ProblemBody)))]
pub async fn get_export(
    State(web): State<Arc<Web>>,
    SignedIn(session): SignedIn,
    Named(id): Named<String>,
) -> Result<Json<Export>, Problem> {
    let view = own(&web, session, &id).await?;
    Ok(Json(Export::of(&view, &web.packages)))
}

/// Make the package
///
/// Again as often as needed while the two persons' permission stands: one that is there is replaced.
#[utoipa::path(post, path = "/api/exports/{id}/package", tag = "exports", security(("session" = [])),
    params(("id" = String, Path)),
    responses((status = 202, body = PackageBegun), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn post_package(
    State(web): State<Arc<Web>>,
    SignedIn(session): SignedIn,
    Named(id): Named<String>,
) -> Result<(StatusCode, Json<PackageBegun>), Problem> {
    let export = named(&id)?;
    let ExportAnswer::Facts(facts) = of_own(&web, ExportQuestion::Facts { session: session.clone(), export }).await?
    else {
        return Err((&problem::FAILED).into());
    };
    let facts = *facts;
    let (to, passphrase) = seal_to(&web, facts.sealed_to.as_deref())?;
    let store = web.store.clone().ok_or(&problem::STORE_AWAY)?;
    let permits = match ask_keeper(&web, ExportQuestion::Permits { session: session.clone(), export }).await? {
        ExportAnswer::Permits(permits) => permits,
        _ => return Err((&problem::FAILED).into()),
    };
    links::end_of(&web, session.clone(), export).await?; // it may lead to a package of another passphrase
    let place = web.exporting.clone().try_acquire_owned().map_err(|_| Problem::from(&problem::EXPORT_BUSY))?;
    let running = web.packages.begin(export, facts.view.until).map_err(|why| match why {
        NotBegun::NoFolder => Problem::from(&problem::EXPORT_DISK),
        NotBegun::Runs => Problem::from(&problem::EXPORT_RUNS),
    })?;
    let of = running.clone();
    let job = Job { web: web.clone(), store, session, export, facts, permits, to, running, runtime: Handle::current() };
    tokio::task::spawn_blocking(move || {
        // a thread that panics counts as failed, not as one that runs for ever
        let run = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| job.run()));
        let stage = match run {
            Ok(Ok(Sealed { bytes, sha256 })) => Stage::Ready { bytes, sha256: Some(sha256), timestamp: of.timestamp() },
            Ok(Err(Halt::Cancelled)) => Stage::Cancelled,
            Ok(Err(Halt::Problem(text))) => Stage::Failed(text),
            Err(_) => Stage::Failed(&problem::FAILED),
        };
        web.packages.end(export, stage);
        drop(place);
    });
    Ok((StatusCode::ACCEPTED, Json(PackageBegun { passphrase })))
}

/// Stop making the package, or delete what was made
#[utoipa::path(delete, path = "/api/exports/{id}/package", tag = "exports", security(("session" = [])),
    params(("id" = String, Path)),
    responses((status = 204), (status = 401, body = ProblemBody), (status = 404, body = ProblemBody),
        (status = 503, body = ProblemBody)))]
pub async fn delete_package(
    State(web): State<Arc<Web>>,
    SignedIn(session): SignedIn,
    Named(id): Named<String>,
) -> Result<StatusCode, Problem> {
    let view = own(&web, session.clone(), &id).await?;
    links::end_of(&web, session, view.export).await?;
    web.packages.drop_one(view.export);
    Ok(StatusCode::NO_CONTENT)
}

/// The package, sealed
///
/// For who opened the export: `age --decrypt` with the recipient's key or the passphrase makes a ZIP of it. Whole, or in parts that fit a
/// write-once medium, which `cat` and `vigie-verify` read as one.
#[utoipa::path(get, path = "/media/exports/{id}", tag = "media", security(("session" = [])),
    params(("id" = String, Path), PackageQuery),
    responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn get_package(
    State(web): State<Arc<Web>>,
    SignedIn(session): SignedIn,
    Named(id): Named<String>,
    query: Result<Asked<PackageQuery>, Problem>,
) -> Result<Response, Problem> {
    let asked = query?.0;
    let export = own(&web, session, &id).await?.export;
    let path = web.packages.whole(export).ok_or(&problem::NO_EXPORT)?;
    let mut file = tokio::fs::File::open(&path).await.map_err(|_| Problem::from(&problem::NO_EXPORT))?;
    let whole = file.metadata().await.map_err(|_| Problem::from(&problem::FAILED))?.len();
    let (from, bytes, number) = asked.range(whole)?;
    file.seek(SeekFrom::Start(from)).await.map_err(|_| Problem::from(&problem::FAILED))?;
    let name = format!("attachment; filename=\"vigie-remise-{export}.zip.age{number}\"");
    let name = HeaderValue::from_str(&name).map_err(|_| Problem::from(&problem::FAILED))?;
    let body = stream::try_unfold(file.take(bytes), async |mut file| {
        let mut part = vec![0; SEND_BYTES];
        let read = file.read(&mut part).await?;
        part.truncate(read);
        Ok::<_, std::io::Error>((read > 0).then_some((part, file)))
    });
    let mut response = Response::new(AnswerBody::from_stream(body));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::CONTENT_LENGTH, bytes.into());
    headers.insert(header::CONTENT_DISPOSITION, name);
    Ok(response)
}

/// An export as it stands, for who opened it.
pub async fn own(web: &Web, session: SessionSecret, id: &str) -> Result<ExportView, Problem> {
    match of_own(web, ExportQuestion::View { session, export: named(id)? }).await? {
        ExportAnswer::Opened(view) => Ok(view),
        _ => Err((&problem::FAILED).into()),
    }
}

fn named(id: &str) -> Result<ExportId, Problem> {
    id.parse().map_err(|_| (&problem::NO_EXPORT).into())
}

/// The same answer for an export that is not and for one of somebody else.
pub async fn of_own(web: &Web, question: ExportQuestion) -> Result<ExportAnswer, Problem> {
    match ask_keeper(web, question).await {
        Err(problem) if std::ptr::eq(problem.text, &problem::PERMIT_ENDED) => Err((&problem::NO_EXPORT).into()),
        answered => answered,
    }
}

pub async fn ask_keeper(web: &Web, question: ExportQuestion) -> Result<ExportAnswer, Problem> {
    web.ask_keeper(move |keeper| keeper.export(question)).await
}

fn seal_to(web: &Web, recipient: Option<&str>) -> Result<(SealTo, Option<Sensitive<String>>), Problem> {
    match recipient {
        Some(text) => {
            let recipient = Recipient::parse(text).map_err(|_| Problem::from(&problem::EXPORT_RECIPIENT))?;
            Ok((SealTo::Recipient(recipient), None))
        }
        None => {
            let passphrase = Passphrase::draw(&*web.random);
            let told = Sensitive::new(passphrase.text().to_owned());
            Ok((SealTo::Passphrase(passphrase), Some(told)))
        }
    }
}

/// What lies beside the pictures for whoever opens the folder first.
fn read_me(manifest: &Manifest) -> String {
    let Manifest { site, ground, .. } = manifest;
    let has_copies = manifest.files.iter().any(|file| file.role == FileRole::ViewingCopy);
    let if_any = |words: &'static str| if has_copies { words } else { "" };
    format!(
        "{name} — réquisition {number} ({framework})\r\n\r\n\
         Ouvrez {PLAYER} dans un navigateur pour lire les images.\r\n\
         {copies_fr}Les fichiers de video/ se lisent aussi dans VLC. Ne renommez et ne modifiez rien : tout est scellé.\r\n\
         Pour vérifier que rien n'a changé depuis l'enregistrement, hors ligne :\r\n    vigie-verify evidence DOSSIER\r\n\r\n\
         ----\r\n\r\n\
         Open {PLAYER} in a browser to watch the pictures.\r\n\
         {copies_en}The files of video/ play in VLC too. Rename and change nothing: everything is sealed.\r\n\
         To check that nothing has changed since it was recorded, offline:\r\n    vigie-verify evidence FOLDER\r\n",
        name = site.name,
        number = ground.number,
        framework = ground.framework,
        copies_fr =
            if_any("Ceux de visionnage/ sont des copies de visionnage, pas des preuves : pour l'œil seulement.\r\n"),
        copies_en = if_any("Those of visionnage/ are viewing copies, not evidence: for the eye only.\r\n"),
    )
}

impl ExportRequest {
    fn into_ask(self, session: SessionSecret) -> Result<ExportAsk, Problem> {
        let malformed = || Problem::from(&problem::MALFORMED);
        let requisition: RequisitionId = self.requisition.parse().map_err(|_| malformed())?;
        let windows = self.windows.iter().map(Window::read).collect::<Result<_, _>>()?;
        let purpose = Purpose::from_number(self.purpose).ok_or_else(malformed)?;
        let second = PersonProof { account: self.second_name, password: self.second_password, code: self.second_code };
        Ok(ExportAsk {
            session,
            requisition,
            windows,
            purpose,
            sealed_to: self.recipient,
            password: self.password,
            code: self.code,
            second,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_package_are_all_of_it_one_after_the_other_and_nothing_else_is_a_part() {
        let range = |part, part_bytes, whole| PackageQuery { part, part_bytes }.range(whole).ok();
        assert_eq!(range(None, None, 5), Some((0, 5, String::new())));
        let (size, whole) = (PART_BYTES_MIN, PART_BYTES_MIN * 2 + 7);
        let parts: Vec<_> = (1..=4).map(|part| range(Some(part), Some(size), whole)).collect();
        assert_eq!(parts[0], Some((0, size, ".001".into())));
        assert_eq!(parts[1], Some((size, size, ".002".into())));
        assert_eq!(parts[2], Some((2 * size, 7, ".003".into())));
        assert_eq!(parts[3], None);
        for (part, bytes) in [(Some(0), Some(size)), (Some(1), Some(size - 1)), (None, Some(size)), (Some(1), None)] {
            assert_eq!(range(part, bytes, whole), None);
        }
        assert_eq!(range(Some(1), Some(size), size * 1_000), None, "more than three digits count");
    }
}
