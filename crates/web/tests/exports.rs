//! The register and exports as the console gets them, with a keeper from a script.

mod fake;
#[allow(dead_code)] // the tests of the format use the rest
#[path = "../../evidence/tests/support/tsa.rs"]
mod tsa;

use axum::http::{StatusCode, header};
use disk::FaultyDisk;
use domain::{RootId, SiteId};
use evidence::{
    Files, FilesError, REGISTER, Trust, check_under,
    stamp::{Outcome, Roots},
};
use fake::{
    PASSWORD, Town,
    exports::{EXPORT, EXPORT_ASK, REQUISITION},
    json, request, send,
    served::{REPLY, Served},
};
use seal::age::{Opener, SEALED_SEGMENT_BYTES};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    io::{Cursor, Read},
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};
use tsa::{Authority, Keys};
use vault::{LocalStore, store::Marker};
use web::{TimestampConfig, WebConfig};

async fn asks(method: &str, path: &str, body: Option<&str>) -> (StatusCode, Value) {
    let response = send(&Town::new().router(), request(method, path, body)).await;
    (response.status(), json(response).await)
}

fn ask_of(second: &str) -> String {
    EXPORT_ASK.replace("\"password\":\"x\"", &format!("\"password\":\"{PASSWORD}\"")).replace("cheffe", second)
}

#[tokio::test]
async fn the_register_tells_what_is_known_what_is_missing_and_the_words_of_its_form() {
    let (status, told) = asks("GET", "/api/requisitions", None).await;
    assert_eq!(status, StatusCode::OK);
    let first = &told["requisitions"][0];
    assert_eq!(
        (&first["number"], &first["version"], &first["means"]),
        (&"2026-0001".into(), &2.into(), &"oral".into())
    );
    assert_eq!(first["scan"], "ab".repeat(32));
    assert_eq!(
        (&first["exports"][0]["state"], &first["exports"][0]["id"]),
        (&"open".into(), &EXPORT.to_string().into())
    );
    let codes: Vec<&str> =
        told["frameworks"].as_array().unwrap().iter().filter_map(|word| word["code"].as_str()).collect();
    assert_eq!(
        codes,
        ["cpp60-1", "cpp77-1-1", "cpp99-3", "cpp74", "cpp74-1", "cpp74-2", "administrative", "disciplinary", "other"]
    );
    let (status, told) = asks("POST", "/api/requisitions", Some(REQUISITION)).await;
    assert_eq!((status, &told["lacks"][0]["field"]), (StatusCode::CREATED, &"scan".into()));
    for (from, to) in
        [("in-person", "by-pigeon"), ("2026-07-14T10", "yesterday"), ("\"known\":null", "\"known\":\"1\"")]
    {
        let (status, _) = asks("POST", "/api/requisitions", Some(&REQUISITION.replace(from, to))).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{to}");
    }
}

#[tokio::test]
async fn what_two_persons_ask_for_is_opened_or_told_why_not() {
    let (status, told) = asks("POST", "/api/exports", Some(&ask_of("cheffe"))).await;
    assert_eq!((status, &told["state"], &told["entry"]), (StatusCode::CREATED, &"open".into(), &7.into()));
    for (second, status, kind) in [
        ("operateur", 403, "export-refused"),
        ("incomplete", 409, "requisition-incomplete"),
        ("bloque", 429, "too-many"),
    ] {
        let (found, told) = asks("POST", "/api/exports", Some(&ask_of(second))).await;
        assert_eq!((found.as_u16(), &told["type"]), (status, &format!("urn:vigie:problem:{kind}").into()), "{told}");
    }
    let (status, told) = asks("POST", "/api/exports", Some(EXPORT_ASK)).await;
    assert_eq!((status.as_u16(), &told["type"]), (403, &"urn:vigie:problem:wrong-proof".into()));
    let (_, told) = asks("POST", "/api/exports", Some(&ask_of("operateur"))).await;
    assert!(told["reasons"][0]["text_fr"].as_str().is_some() && told["entry"].is_u64(), "{told}");
}

#[tokio::test]
async fn a_package_is_not_begun_for_a_wrong_key_nor_without_a_store() {
    let path = format!("/api/exports/{EXPORT}/package");
    let wrong = ask_of("cheffe").replace("\"recipient\":null", "\"recipient\":\"age1qqqq\"");
    let (status, told) = asks("POST", "/api/exports", Some(&wrong)).await;
    assert_eq!((status.as_u16(), &told["type"]), (400, &"urn:vigie:problem:export-recipient".into()));
    let (status, _) = asks("POST", &path, None).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    let (status, told) = asks("GET", &format!("/api/exports/{EXPORT}"), None).await;
    assert_eq!((status, &told["state"]), (StatusCode::OK, &"open".into()));
    // nothing was made
    let (status, _) = asks("GET", &format!("/media/exports/{EXPORT}"), None).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_package_that_is_made_is_sent_whole_to_be_saved() {
    let (town, folder) = (Town::new(), tempfile::tempdir().unwrap());
    let sealed: Vec<u8> = (0..700_000u32).map(|n| (n % 251) as u8).collect();
    let until = fake::NOW.plus_seconds(100).seconds();
    std::fs::write(folder.path().join(format!("{EXPORT}-{until}.zip.age")), &sealed).unwrap();
    let config = WebConfig { packages: Some(folder.path().to_owned()), ..town.config() };
    let router = web::router(config);
    let told = json(send(&router, request("GET", &format!("/api/exports/{EXPORT}"), None)).await).await;
    assert_eq!((&told["state"], &told["bytes"]), (&"ready".into(), &700_000.into()));
    let response = send(&router, request("GET", &format!("/media/exports/{EXPORT}"), None)).await;
    assert_eq!(response.status(), StatusCode::OK);
    let name = response.headers()[header::CONTENT_DISPOSITION].to_str().unwrap().to_owned();
    assert_eq!(name, format!("attachment; filename=\"vigie-remise-{EXPORT}.zip.age\""));
    let body = axum::body::to_bytes(response.into_body(), usize::MAX).await.unwrap();
    assert!(body == sealed);
    let gone = send(&router, request("DELETE", &format!("/api/exports/{EXPORT}/package"), None)).await;
    assert_eq!((gone.status(), std::fs::read_dir(folder.path()).unwrap().count()), (StatusCode::NO_CONTENT, 0));
}

#[tokio::test]
async fn an_answer_is_entered_and_a_package_that_was_handed_over_is_gone() {
    let (town, folder) = (Town::new(), tempfile::tempdir().unwrap());
    let until = fake::NOW.plus_seconds(100).seconds();
    std::fs::write(folder.path().join(format!("{EXPORT}-{until}.zip.age")), b"sealed").unwrap();
    let config = WebConfig { packages: Some(folder.path().to_owned()), ..town.config() };
    let router = web::router(config);
    let path = format!("/api/requisitions/{}", fake::exports::REQUISITION_ID);
    let answered = send(&router, request("POST", &format!("{path}/answer"), Some(fake::exports::ANSWER))).await;
    assert_eq!(answered.status(), StatusCode::NO_CONTENT);
    let wrong = fake::exports::ANSWER.replace("no-authority", "because");
    let wrong = send(&router, request("POST", &format!("{path}/answer"), Some(&wrong))).await;
    assert_eq!(wrong.status(), StatusCode::BAD_REQUEST);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    let delivered = send(&router, request("POST", &format!("{path}/deliveries"), Some(fake::exports::DELIVERY))).await;
    assert_eq!((delivered.status(), std::fs::read_dir(folder.path()).unwrap().count()), (StatusCode::NO_CONTENT, 0));
    let nowhere = send(&router, request("POST", "/api/requisitions/1/answer", Some(fake::exports::ANSWER))).await;
    assert_eq!(nowhere.status(), StatusCode::NOT_FOUND);
}

/// What a package's recipient has: its files.
struct Package(BTreeMap<String, Vec<u8>>);

impl Files for Package {
    fn list(&self) -> Result<Vec<(String, u64)>, FilesError> {
        Ok(self.0.iter().map(|(path, bytes)| (path.clone(), bytes.len() as u64)).collect())
    }
    fn read(&self, path: &str, offset: u64, bytes: usize) -> Result<Vec<u8>, FilesError> {
        Ok(self.0[path][offset as usize..][..bytes].to_vec())
    }
}

impl Package {
    fn open(sealed: &[u8], passphrase: &str) -> Package {
        let (mut opener, at) = Opener::begin_by_passphrase(passphrase, sealed).unwrap();
        let segments: Vec<&[u8]> = sealed[at..].chunks(SEALED_SEGMENT_BYTES).collect();
        let last = segments.len() - 1;
        let open = |(nth, segment): (usize, &&[u8])| opener.segment(segment, nth == last).unwrap().to_vec();
        let clear: Vec<u8> = segments.iter().enumerate().flat_map(open).collect();
        let mut zip = zip::ZipArchive::new(Cursor::new(clear)).unwrap();
        let count = zip.len();
        let file = |nth| {
            let mut bytes = Vec::new();
            let mut file = zip.by_index(nth).unwrap();
            file.read_to_end(&mut bytes).unwrap();
            (file.name().unwrap().into_owned(), bytes)
        };
        Package((0..count).map(file).collect())
    }
}

/// The page for the reader of packages is there: `scripts/ui.sh build` makes it.
fn player_is_built() -> bool {
    let is_built = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ui/dist-lecteur/lecteur.html").exists();
    if !is_built {
        eprintln!("skipped: no package is made without the player: scripts/ui.sh build");
    }
    is_built
}

/// Makes a package of no window in a town with this authority: what its maker is told, and its files.
async fn makes(timestamp: Option<TimestampConfig>) -> (Value, Package) {
    let (town, folder) = (Town::new(), tempfile::tempdir().unwrap());
    let (site, root) = (SiteId([1; 16]), RootId([2; 16]));
    let marker = Marker { format: 1, site, root, slot_bytes: 4 * 1024 * 1024, slots_max: 4, number: 0 };
    let store = LocalStore::create(Arc::new(FaultyDisk::new(7)), Path::new("/store"), marker).unwrap();
    let packages = Some(folder.path().to_owned());
    let router = web::router(WebConfig { packages, timestamp, store: Some(Arc::new(store)), ..town.config() });
    let export = format!("/api/exports/{EXPORT}");
    let begun = send(&router, request("POST", &format!("{export}/package"), None)).await;
    assert_eq!(begun.status(), StatusCode::ACCEPTED);
    let passphrase = json(begun).await["passphrase"].as_str().unwrap().to_owned();
    let told = loop {
        let told = json(send(&router, request("GET", &export, None)).await).await;
        match told["state"].as_str().unwrap() {
            "ready" => break told,
            "log" | "timestamp" | "pictures" => tokio::time::sleep(Duration::from_millis(20)).await,
            other => panic!("{other}: {told}"),
        }
    };
    let sent = send(&router, request("GET", &format!("/media/exports/{EXPORT}"), None)).await;
    let sealed = axum::body::to_bytes(sent.into_body(), usize::MAX).await.unwrap();
    (told, Package::open(&sealed, &passphrase))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_package_carries_the_timestamp_of_its_register_and_its_reader_finds_both_good() {
    if !player_is_built() {
        return;
    }
    let authority = Authority::new(Keys::P256);
    let (roots, pem) = (authority.path("root.pem"), authority.pem("root"));
    let authority = Arc::new(Mutex::new(authority));
    let served = Served::new(move |_, query| {
        Some((200, REPLY, authority.lock().unwrap().answer(query, &["root", "between"], "")))
    });
    let patience = TimestampConfig::PATIENCE;
    let at = format!("http://127.0.0.1:{}/", served.port);
    let (told, package) = makes(Some(TimestampConfig { authority: at, roots, certificates: None, patience })).await;
    assert_eq!((&told["state"], &told["timestamp"]), (&"ready".into(), &"made".into()));
    let reader = Roots::read(&pem).unwrap();
    let verdict = check_under(&package, &Trust::default(), &reader).unwrap();
    assert_eq!(verdict.findings, []);
    assert!(matches!(verdict.told.unwrap().timestamp, Some(Outcome::Good { .. })));
    // of another register it is none
    let mut other = package;
    other.0.get_mut(REGISTER).unwrap().push(b' ');
    let verdict = check_under(&other, &Trust::default(), &reader).unwrap();
    assert_eq!(verdict.findings.iter().map(|finding| finding.name()).collect::<Vec<_>>(), ["timestamp-foreign"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_package_is_made_without_a_timestamp_where_none_can_be_had_and_its_maker_is_told() {
    if !player_is_built() {
        return;
    }
    let authority = Authority::new(Keys::P256);
    let served = Served::new(|_, _| Some((200, REPLY, b"<html>".to_vec())));
    let at = |port: u16, roots: &str| TimestampConfig {
        authority: format!("http://127.0.0.1:{port}/"),
        roots: authority.path(roots),
        certificates: None,
        patience: Duration::from_secs(2),
    };
    for (timestamp, said) in [
        (None, Value::Null),
        (Some(at(9, "root.pem")), "away".into()),
        (Some(at(served.port, "root.pem")), "refused".into()),
        (Some(at(served.port, "no-such-file")), "unset".into()),
    ] {
        let (told, package) = makes(timestamp).await;
        assert_eq!((&told["state"], &told["timestamp"]), (&"ready".into(), &said));
        assert_eq!(told["viewing_copies"], Value::Null, "nothing in it is in H.265");
        assert!(!package.0.keys().any(|path| path.starts_with("horodatage/")), "{said}");
        let verdict = evidence::check(&package, &Trust::default()).unwrap();
        assert_eq!((verdict.findings, verdict.told.unwrap().timestamp), (vec![], None));
    }
}
