//! Papers as PDF, with a keeper from a script and a printer that echoes what it is given.

mod fake;

use axum::http::{StatusCode, header};
use documents::{Paper, Says, Status, answer};
use fake::{
    Town,
    exports::{EXPORT, REQUISITION_ID},
    json,
    papers::HOLD,
    request, send,
};
use http_body_util::BodyExt;
use std::{io::Read, os::unix::net::UnixListener, path::PathBuf, thread};
use tempfile::TempDir;

const TIME: &str = "from=2026-07-14T10:00:00Z&to=2026-07-14T11:00:00Z";

/// A printer whose PDF is the paper's JSON, for as many papers as come.
fn echoes() -> (PathBuf, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("papers.sock");
    let listener = UnixListener::bind(&socket).unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, mut json) = (stream.unwrap(), vec![]);
            stream.read_to_end(&mut json).unwrap();
            answer(stream, Status::Printed, &json).unwrap();
        }
    });
    (socket, folder)
}

/// The paper that is printed at this address, and the name under which it is shown.
async fn printed(path: &str) -> (Paper, String) {
    let (socket, _folder) = echoes();
    let town = Town::new();
    let router = web::router(web::WebConfig { papers: Some(socket), ..town.config() });
    let response = send(&router, request("GET", path, None)).await;
    assert_eq!(response.status(), StatusCode::OK, "{path}");
    let headers = response.headers().clone();
    assert_eq!(headers[header::CONTENT_TYPE], "application/pdf", "{path}");
    assert_eq!(headers[header::CACHE_CONTROL], "no-store", "{path}");
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let paper: Paper = serde_json::from_slice(&body).unwrap();
    assert_eq!(paper.town.name, "Ville d'essai");
    (paper, headers[header::CONTENT_DISPOSITION].to_str().unwrap().to_owned())
}

async fn refused(path: &str) -> (StatusCode, String) {
    let (socket, _folder) = echoes();
    let town = Town::new();
    let router = web::router(web::WebConfig { papers: Some(socket), ..town.config() });
    let response = send(&router, request("GET", path, None)).await;
    (response.status(), json(response).await["type"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_handover_s_report_has_the_register_s_fields_and_its_address_and_name_have_no_person() {
    let path = format!("/api/requisitions/{REQUISITION_ID}/deliveries/{EXPORT}/report.pdf");
    let (paper, name) = printed(&path).await;
    assert_eq!(name, format!("inline; filename=\"vigie-remise-{EXPORT}.pdf\""));
    assert_eq!(paper.language, documents::Language::Fr);
    let Says::Delivery(report) = paper.says else { panic!("another paper") };
    assert_eq!((report.number.as_str(), report.framework.as_str()), ("2026-0001", "CPP 60-1"));
    assert_eq!(report.executed.name.reveal(), "agent un");
    assert_eq!(
        (report.executed.quality.as_str(), report.executed.habilitation.as_str()),
        ("police municipale", "H-2026-3")
    );
    assert_eq!((&report.entries, report.package.name.as_str()), (&vec![7, 9, 12], "manifeste.json"));
    assert_eq!(report.windows[0].camera, "place du marché");
    assert_eq!((report.segments.len(), report.segments[0].pictures), (1, None));
    assert_eq!(report.recipient.reveal(), "officier de permanence");
    assert!(report.answer.is_some() && report.scan.is_some() && report.log.key.contains("ville"));
}

#[tokio::test]
async fn letters_say_what_the_register_shows_in_the_language_that_was_asked_for() {
    let path = format!("/api/requisitions/{REQUISITION_ID}/letter.pdf");
    for (language, object, word) in [("fr", "votre demande.", "La commune"), ("en", "your request.", "We answer")] {
        let (paper, _) = printed(&format!("{path}?language={language}")).await;
        let Says::Letter(letter) = paper.says else { panic!("another paper") };
        assert_eq!(letter.object.reveal(), object);
        assert!(letter.paragraphs[0].reveal().starts_with(word) && letter.paragraphs.len() == 1);
        assert_eq!(paper.reference, "2026-0001");
    }
    let id = "ac".repeat(16);
    let (paper, name) = printed(&format!("/api/access/{id}/letter.pdf?language=en")).await;
    assert_eq!(name, format!("inline; filename=\"vigie-acces-{id}.pdf\""));
    let Says::Letter(letter) = paper.says else { panic!("another paper") };
    let recipient: Vec<&String> = letter.recipient.iter().map(|line| line.reveal()).collect();
    assert_eq!(recipient, ["qui demande", "son adresse"]);
}

#[tokio::test]
async fn certificates_say_what_is_dead_by_which_entries_and_the_journal_what_left() {
    let (paper, _) = printed(&format!("/api/holds/{HOLD}/certificate.pdf")).await;
    let Says::HoldEnd(ended) = paper.says else { panic!("another paper") };
    assert_eq!((ended.number.as_str(), &ended.death_entries), ("G-0007", &vec![12]));
    let (paper, _) = printed(&format!("/api/cameras/{}/destruction.pdf?{TIME}", fake::CAMERA)).await;
    let Says::Destruction(dead) = paper.says else { panic!("another paper") };
    assert_eq!((dead.retention_days, dead.hours, dead.copies), (30, 1, 2));
    assert_eq!((&dead.condemned, &dead.destroyed, &dead.holds), (&vec![20], &vec![21], &vec!["G-0007".to_owned()]));
    let (paper, name) = printed(&format!("/api/exports.pdf?{TIME}&language=en")).await;
    assert_eq!(name, "inline; filename=\"vigie-exports.pdf\"");
    let Says::Exports(journal) = paper.says else { panic!("another paper") };
    assert_eq!((journal.lines.len(), journal.log_size), (1, Some(99)));
    let line = &journal.lines[0];
    assert_eq!((line.executed.reveal().as_str(), line.second.reveal().as_str()), ("agent un", "municipal police"));
}

#[tokio::test]
async fn the_protocol_of_a_constat_has_the_file_s_own_digest_also_after_a_restart_and_none_is_made_of_what_is_gone() {
    let (socket, _folder) = echoes();
    let (town, packages) = (Town::new(), tempfile::tempdir().unwrap());
    let whole = packages.path().join(format!("{EXPORT}-{}.zip.age", fake::NOW.plus_seconds(86_400).seconds()));
    std::fs::write(&whole, b"abc").unwrap();
    let config = web::WebConfig { packages: Some(packages.path().to_owned()), papers: Some(socket), ..town.config() };
    let router = web::router(config);
    let path = format!("/api/exports/{EXPORT}/constat.pdf?language=en");
    let response = send(&router, request("GET", &path, None)).await;
    assert_eq!(response.status(), StatusCode::OK);
    let name = response.headers()[header::CONTENT_DISPOSITION].to_str().unwrap().to_owned();
    assert_eq!(name, format!("inline; filename=\"vigie-constat-{EXPORT}.pdf\""));
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let paper: Paper = serde_json::from_slice(&body).unwrap();
    let Says::Constat(constat) = paper.says else { panic!("another paper") };
    // FIPS 180-4, the example of three letters
    assert_eq!(constat.sha256.to_string(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_eq!(constat.package, format!("vigie-remise-{EXPORT}.zip.age"));
    assert!(constat.requisition == "2026-0001" && !constat.log.key.is_empty());
    std::fs::remove_file(whole).unwrap();
    let response = send(&router, request("GET", &path, None)).await;
    assert_eq!(response.status(), StatusCode::CONFLICT);
}

#[tokio::test]
async fn what_is_not_there_or_not_yet_is_told_apart_and_a_wrong_address_is_one() {
    let other = "ee".repeat(16);
    for (path, status, kind) in [
        (format!("/api/requisitions/{other}/letter.pdf"), 404, "no-requisition"),
        (format!("/api/requisitions/{REQUISITION_ID}/deliveries/{other}/report.pdf"), 409, "paper-not-yet"),
        (format!("/api/access/{other}/letter.pdf"), 404, "no-paper"),
        (format!("/api/holds/{other}/certificate.pdf"), 404, "no-paper"),
        (format!("/api/cameras/{other}/destruction.pdf?{TIME}"), 409, "paper-not-yet"),
        ("/api/exports.pdf?from=2026-07-14T11:00:00Z&to=2026-07-14T10:00:00Z".into(), 400, "malformed"),
        ("/api/exports.pdf".into(), 400, "malformed"),
        (format!("/api/holds/{HOLD}/certificate.pdf?language=de"), 400, "malformed"),
    ] {
        let told = refused(&path).await;
        assert_eq!((told.0.as_u16(), told.1), (status, format!("urn:vigie:problem:{kind}")), "{path}");
    }
}

#[tokio::test]
async fn without_the_program_papers_are_refused_with_the_remedy_and_everything_else_works() {
    let nowhere = tempfile::tempdir().unwrap();
    let town = Town::new();
    for papers in [None, Some(nowhere.path().join("papers.sock"))] {
        let router = web::router(web::WebConfig { papers, ..town.config() });
        let response = send(&router, request("GET", &format!("/api/holds/{HOLD}/certificate.pdf"), None)).await;
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        let told = json(response).await;
        assert!(told["title_fr"].as_str().unwrap().contains("vigie-papers n’est pas installé"), "{told}");
        assert_eq!(send(&router, request("GET", "/api/holds", None)).await.status(), StatusCode::OK);
    }
}
