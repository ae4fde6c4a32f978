//! The register and exports as the console gets them, with a keeper from a script.

mod fake;

use axum::http::{StatusCode, header};
use fake::{
    PASSWORD, Town,
    exports::{EXPORT, EXPORT_ASK, REQUISITION},
    json, request, send,
};
use serde_json::Value;

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
    assert_eq!(codes, ["cpp60-1", "cpp77-1-1", "cpp99-3", "cpp74", "cpp74-1", "cpp74-2", "other"]);
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
    let config = web::WebConfig { packages: Some(folder.path().to_owned()), ..town.config() };
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
    let config = web::WebConfig { packages: Some(folder.path().to_owned()), ..town.config() };
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
