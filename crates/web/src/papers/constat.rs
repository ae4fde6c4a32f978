//! The protocol of a constat for one package, while the town has it: what a bailiff is handed with the medium.

use super::{PaperQuery, fill, paper, send};
use crate::{
    exports::{SEND_BYTES, Stage, of_own, own},
    extract::{Asked, Named, SignedIn},
    problem::{self, Problem, ProblemBody},
    server::Web,
};
use axum::{extract::State, response::Response};
use documents::{At, Constat, Footage, Says, Sha256, constat};
use evidence::manifest::FileSum;
use keeper::wire::{
    exports::{ExportAnswer, ExportFacts, ExportQuestion},
    papers::PaperTown,
};
use std::{
    io::{self, Read},
    path::Path,
    sync::Arc,
};

/// The protocol of a constat
///
/// Of a package that is ready, for who opened the export: what to do, step by step, on a machine of nobody's, to establish whether the
/// file is intact.
#[utoipa::path(get, path = "/api/exports/{id}/constat.pdf", tag = "papers", security(("session" = [])),
    params(("id" = String, Path), PaperQuery),
    responses((status = 200, content_type = "application/pdf", body = Vec<u8>), (status = 400, body = ProblemBody), (status = 401, body = ProblemBody),
        (status = 404, body = ProblemBody), (status = 409, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn get_constat(
    State(web): State<Arc<Web>>,
    SignedIn(session): SignedIn,
    Named(id): Named<String>,
    query: Result<Asked<PaperQuery>, Problem>,
) -> Result<Response, Problem> {
    let language = query?.0.language.of_paper();
    let export = own(&web, session.clone(), &id).await?.export;
    let Stage::Ready { sha256, .. } = web.packages.stage(export) else { return Err((&problem::PAPER_NOT_YET).into()) };
    let whole = web.packages.whole(export).ok_or(&problem::PAPER_NOT_YET)?;
    let ExportAnswer::Facts(facts) = of_own(&web, ExportQuestion::Facts { session, export }).await? else {
        return Err((&problem::FAILED).into());
    };
    // the console started again since: the file itself tells
    let sha256 = match sha256 {
        Some(digest) => Sha256(digest.0),
        None => tokio::task::spawn_blocking(move || digest_of(&whole))
            .await
            .ok()
            .and_then(Result::ok)
            .ok_or(&problem::FAILED)?,
    };
    let town = PaperTown { name: facts.site_name.clone(), log_key: facts.log_key.clone(), checkpoint: None };
    let (number, name) = (facts.number.clone(), format!("constat-{export}"));
    let says = Says::Constat(Box::new(protocol(*facts, sha256, &town, &web.version)));
    send(&web, paper(&web, language, &town, &number, says), &name).await
}

fn protocol(facts: ExportFacts, sha256: Sha256, town: &PaperTown, version: &str) -> Constat {
    let footage = facts.view.windows.iter().zip(facts.cameras).map(|(window, of)| Footage {
        camera: of.name,
        place: of.place,
        from: At(window.span.from()),
        to: At(window.span.to()),
    });
    Constat {
        // as the browser saves it
        package: format!("vigie-remise-{}.zip.age", facts.view.export),
        sha256,
        manifest_sha256: facts.view.manifest.map(|digest| Sha256(digest.0)),
        requisition: facts.number,
        footage: footage.collect(),
        log: fill::log(town),
        opens: if facts.sealed_to.is_some() { constat::Opens::Key } else { constat::Opens::Passphrase },
        program: constat::Program { version: version.to_owned(), ..constat::Program::default() },
    }
}

fn digest_of(path: &Path) -> io::Result<Sha256> {
    let (mut file, mut sum, mut part) = (std::fs::File::open(path)?, FileSum::default(), vec![0; SEND_BYTES]);
    loop {
        match file.read(&mut part)? {
            0 => return Ok(Sha256(sum.finish().0)),
            read => sum.update(&part[..read]),
        }
    }
}
