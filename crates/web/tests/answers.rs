//! What the routes answer, with a keeper and a recorder from a script.

mod fake;

use axum::http::{StatusCode, header};
use domain::Clock;
use fake::{CAMERA, NOW, PASSWORD, PERMIT, Town, json, live_look, read_until, replay_look, request, send};

#[tokio::test]
async fn the_site_is_told_before_signing_in() {
    let mut request = request("GET", "/api/site", None);
    request.headers_mut().remove("cookie");
    let body = json(send(&Town::new().router(), request).await).await;
    assert_eq!(
        body,
        serde_json::json!({
            "name": "Ville de démonstration", "version": "0.0.0", "hour_seconds": 3600, "setup_needed": true, "provider": null
        })
    );
}

#[tokio::test]
async fn every_answer_is_dated_by_the_town_s_clock_and_not_by_the_machine_s() {
    let town = Town::new();
    let response = send(&town.router(), request("GET", "/api/site", None)).await;
    let date = response.headers()[header::DATE].to_str().unwrap().to_owned();
    let told = jiff::fmt::rfc2822::parse(&date).unwrap().timestamp().as_second();
    assert_eq!(told, town.clock.utc().seconds(), "{date}");
}

#[tokio::test]
async fn signing_in_sets_a_cookie_that_no_script_and_no_other_site_gets() {
    let town = Town::new();
    let router = town.router();
    let body = format!(r#"{{"name":"operateur","password":"{PASSWORD}","code":"123456"}}"#);
    let response = send(&router, request("POST", "/api/session", Some(&body))).await;
    assert_eq!(response.status(), StatusCode::OK);
    let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap();
    assert_eq!(cookie, format!("{}; HttpOnly; SameSite=Strict; Path=/", fake::COOKIE));
    let device = response.headers().get_all(header::SET_COOKIE).iter().nth(1).unwrap().to_str().unwrap();
    assert_eq!(device, "vigie-device=d1; HttpOnly; SameSite=Strict; Path=/; Max-Age=15552000");
    let session = serde_json::json!({ "name": "operateur", "role": "operator", "expires_at": NOW.plus_seconds(3600).to_string(), "locks_at": NOW.plus_seconds(600).to_string() });
    assert_eq!(json(response).await, session);
    assert_eq!(json(send(&router, request("GET", "/api/session", None)).await).await, session);
    let out = send(&router, request("DELETE", "/api/session", None)).await;
    assert_eq!(out.status(), StatusCode::NO_CONTENT);
    assert!(out.headers()[header::SET_COOKIE].to_str().unwrap().contains("Max-Age=0"));
}

#[tokio::test]
async fn by_tls_cookies_are_bound_to_the_host_and_only_such_are_taken() {
    let town = Town::new();
    let config = web::WebConfig { address: "https://vigie.ville.example".into(), ..town.config() };
    let router = web::router(config);
    let body = format!(r#"{{"name":"operateur","password":"{PASSWORD}","code":"123456"}}"#);
    let mut sign_in = request("POST", "/api/session", Some(&body));
    sign_in.headers_mut().insert("host", "vigie.ville.example".parse().unwrap());
    sign_in.headers_mut().insert("cookie", "__Host-vigie-device=d7.d8".parse().unwrap());
    let response = send(&router, sign_in).await;
    assert_eq!(response.status(), StatusCode::OK);
    let cookies: Vec<&str> =
        response.headers().get_all(header::SET_COOKIE).iter().map(|cookie| cookie.to_str().unwrap()).collect();
    assert_eq!(cookies[0], format!("__Host-{}; HttpOnly; SameSite=Strict; Path=/; Secure", fake::COOKIE));
    assert!(cookies[1].starts_with("__Host-vigie-device=d1.d7.d8; ") && cookies[1].contains("; Secure"), "{cookies:?}");
    assert_eq!(send(&router, request("GET", "/api/session", None)).await.status(), 401, "the name of plain HTTP");
    let mut secure = request("GET", "/api/session", None);
    secure.headers_mut().insert("cookie", format!("__Host-{}", fake::COOKIE).parse().unwrap());
    assert_eq!(send(&router, secure).await.status(), 200);
}

#[tokio::test]
async fn a_wrong_password_is_401_and_too_many_are_429_with_a_time_to_wait() {
    let town = Town::new();
    let router = town.router();
    let wrong = r#"{"name":"operateur","password":"faux","code":"123456"}"#;
    let response = send(&router, request("POST", "/api/session", Some(wrong))).await;
    assert_eq!((response.status().as_u16(), response.headers().get(header::SET_COOKIE)), (401, None));
    let blocked = r#"{"name":"bloque","password":"faux","code":"123456"}"#;
    let response = send(&router, request("POST", "/api/session", Some(blocked))).await;
    assert_eq!(response.status(), StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(response.headers()[header::RETRY_AFTER], "30");
}

#[tokio::test]
async fn a_setup_link_works_and_one_that_does_not_is_gone() {
    let town = Town::new();
    let router = town.router();
    let set_up = async |token: &str, password: &str, code: &str| {
        let body = format!(r#"{{"token":"{token}","password":"{password}","code":"{code}"}}"#);
        let response = send(&router, request("POST", "/api/setup", Some(&body))).await;
        (response.status().as_u16(), json(response).await)
    };
    let (status, account) = set_up("jeton", "un mot de passe", "123456").await;
    let expected = serde_json::json!({ "name": "administrateur", "role": "operator", "recovery_codes": ["0000-1111"] });
    assert_eq!((status, account), (200, expected));
    assert_eq!(set_up("vieux", "un mot de passe", "123456").await.0, 410);
    let (status, problem) = set_up("jeton", "onze lettre", "123456").await;
    assert_eq!((status, &problem["type"]), (400, &"urn:vigie:problem:password-length".into()));
    let (status, problem) = set_up("jeton", "un mot de passe", "654321").await;
    assert_eq!((status, &problem["type"]), (403, &"urn:vigie:problem:wrong-code".into()));
}

#[tokio::test]
async fn a_passkey_s_ceremony_passes_through_and_signs_in_or_does_not() {
    let town = Town::new(); // its keeper lives as long as it
    let router = town.router();
    let begun = json(send(&router, request("POST", "/api/session/passkey/begin", None)).await).await;
    let ceremony = "07".repeat(16);
    assert_eq!(begun, serde_json::json!({ "ceremony": ceremony, "options": { "publicKey": { "challenge": "AAAA" } } }));
    let answer = async |credential: &str| {
        let body = format!(r#"{{"ceremony":"{ceremony}","credential":{credential}}}"#);
        send(&router, request("POST", "/api/session/passkey", Some(&body))).await
    };
    let signed_in = answer(r#"{"id":"k"}"#).await;
    assert_eq!(signed_in.status(), StatusCode::OK);
    assert!(signed_in.headers()[header::SET_COOKIE].to_str().unwrap().starts_with(fake::COOKIE));
    let refused = answer(r#"{"id":"another"}"#).await;
    assert_eq!((refused.status().as_u16(), refused.headers().get(header::SET_COOKIE)), (401, None));
    assert_eq!(json(refused).await["type"], "urn:vigie:problem:wrong-passkey");
}

#[tokio::test]
async fn break_glass_is_asked_confirmed_by_another_person_and_ended_and_each_no_says_what_to_do() {
    let town = Town::new(); // its keeper lives as long as it
    let router = town.router();
    let ask = async |method: &str, path: &str, body: Option<String>| {
        let response = send(&router, request(method, path, body.as_deref())).await;
        (response.status().as_u16(), json(response).await)
    };
    let path = format!("/api/break-glass/{}", fake::GLASS);
    let demand = |password| {
        let (camera, reason) = (fake::CAMERA, fake::REASON);
        Some(format!(r#"{{"cameras":["{camera}"],"reason":"{reason}","password":"{password}","code":"123456"}}"#))
    };
    let second = |name| Some(format!(r#"{{"name":"{name}","password":"x","code":"123456"}}"#));
    let (status, view) = ask("GET", "/api/break-glass", None).await;
    assert_eq!((status, &view["seconds"], &view["lines"][0]["state"]), (200, &900.into(), &"asked".into()));
    assert_eq!(view["lines"][0]["may"], serde_json::json!(["confirm", "end"]));
    let (status, asked) = ask("POST", "/api/break-glass", demand(fake::PASSWORD)).await;
    assert_eq!((status, &asked["id"], asked["until"].is_null()), (201, &fake::GLASS.to_string().into(), true));
    let confirm = format!("{path}/confirm");
    let (status, open) = ask("POST", &confirm, second("cheffe")).await;
    assert_eq!((status, open["until"].is_string()), (200, true));
    assert_eq!(ask("DELETE", &path, None).await.0, 204);
    let refused = [
        (ask("POST", "/api/break-glass", demand("wrong")).await, 403, "wrong-proof"),
        (ask("POST", &confirm, second("operateur")).await, 403, "break-glass-same-person"),
        (ask("POST", &confirm, second("admin")).await, 403, "break-glass-not-this-person"),
        (ask("POST", &format!("{path}/acknowledge"), None).await, 403, "break-glass-not-the-officer"),
        (ask("DELETE", "/api/break-glass/none", None).await, 404, "no-break-glass"),
        (ask("DELETE", &format!("/api/break-glass/{}", "0".repeat(32)), None).await, 404, "no-break-glass"),
    ];
    for ((status, problem), expected, kind) in refused {
        assert_eq!((status, &problem["type"]), (expected, &format!("urn:vigie:problem:{kind}").into()));
    }
}

#[tokio::test]
async fn a_setup_link_shows_a_seed_as_text_and_as_a_qr_code_drawn_here() {
    let town = Town::new(); // its keeper lives as long as it
    let router = town.router();
    let begin = async |body| json(send(&router, request("POST", "/api/setup/begin", Some(body))).await).await;
    let begun = begin(r#"{"token":"jeton"}"#).await;
    assert_eq!(begun["otpauth"], fake::OTPAUTH, "{begun}");
    let rows: Vec<&str> = begun["qr"].as_array().unwrap().iter().map(|row| row.as_str().unwrap()).collect();
    assert!(rows.len() > 20 && rows.iter().all(|row| row.len() == rows.len()), "a square");
    // the corner by which a reader finds it: ISO/IEC 18004, 6.3.3
    let corner: Vec<&str> = rows[..7].iter().map(|row| &row[..7]).collect();
    assert_eq!(corner, ["1111111", "1000001", "1011101", "1011101", "1011101", "1000001", "1111111"]);
    assert_eq!(begin(r#"{"token":"vieux"}"#).await["status"], 410);
}

#[tokio::test]
async fn a_camera_has_its_names_from_the_keeper_and_its_state_from_the_recorder() {
    let body = json(send(&Town::new().router(), request("GET", "/api/cameras", None)).await).await;
    let expected = serde_json::json!([{
        "id": CAMERA.to_string(), "name": "Place de l’Église", "place": "Place de l’Église", "delay_days": 30,
        "purposes": [5], "state": "recording", "detail_fr": "", "detail_en": "", "since": NOW.to_string(),
        "codec": "avc1.42c01e", "width": 640, "height": 360, "sub": null,
        "missing": [], "order_end": null, "class": null, "shortfalls": []
    }]);
    assert_eq!(body.as_array().unwrap()[..1], expected.as_array().unwrap()[..]);
}

#[tokio::test]
async fn a_day_has_footage_and_hours() {
    let town = Town::new();
    let router = town.router();
    let day =
        json(send(&router, request("GET", &format!("/api/cameras/{CAMERA}/day?date=2026-07-14"), None)).await).await;
    assert_eq!(day["from"], "2026-07-13T22:00:00.000Z");
    assert_eq!(day["to"], "2026-07-14T22:00:00.000Z");
    assert_eq!(day["now"], NOW.to_string());
    let footage = serde_json::json!([{ "from": NOW.plus_seconds(-600).to_string(), "to": NOW.to_string() }]);
    assert_eq!(day["footage"], footage);
    assert_eq!(
        (&day["hours"][0]["state"], &day["hours"][0]["destroyed_at"]),
        (&"live".into(), &serde_json::Value::Null)
    );
    for wrong in ["?date=hier", ""] {
        let path = format!("/api/cameras/{CAMERA}/day{wrong}");
        assert_eq!(send(&router, request("GET", &path, None)).await.status(), StatusCode::BAD_REQUEST, "{wrong}");
    }
}

#[tokio::test]
async fn health_joins_what_keeper_and_recorder_say() {
    let health = json(send(&Town::new().router(), request("GET", "/api/health", None)).await).await;
    assert_eq!(health["state"], "ok");
    assert_eq!(
        health["store"],
        serde_json::json!({ "bytes": 16777216, "bytes_used": 4194304, "slots": 4, "slots_free": 3 })
    );
    assert_eq!(health["keyring"]["copies"], serde_json::json!([{ "state": "present" }]));
    assert_eq!(health["destruction"]["bytes_past_deadline"], 0);
    assert_eq!(health["cameras"][0]["state"], "recording");
}

/// The auditor's word: an alarm.
fn alarmed() -> Vec<keeper::wire::Finding> {
    let text = || "Frozen.".to_owned();
    let (title_fr, title_en, detail_fr, detail_en) = (text(), text(), text(), text());
    let state = keeper::wire::FindingState::Alarm;
    vec![keeper::wire::Finding { id: "retention-frozen".into(), state, title_fr, title_en, detail_fr, detail_en }]
}

#[tokio::test]
async fn the_auditor_of_destruction_is_heard_on_the_health_page_also_when_the_keeper_hangs() {
    let town = Town::new();
    let config = || web::WebConfig { retention: Some(std::sync::Arc::new(alarmed)), ..town.config() };
    let health = json(send(&web::router(config()), request("GET", "/api/health", None)).await).await;
    assert_eq!(health["state"], "alarm");
    let told = health["checks"].as_array().unwrap().iter().find(|check| check["id"] == "retention-frozen").unwrap();
    assert_eq!(told["detail_en"], "Frozen.");
    let away = || {
        let nobody = std::path::Path::new("/nowhere/keeper.sock");
        std::sync::Arc::new(keeper::KeeperClient::role(nobody, keeper::wire::Peer::Web, domain::Secret32::new([1; 32])))
    };
    let hangs = web::WebConfig { keeper: away(), ..config() };
    let response = send(&web::router(hangs), request("GET", "/api/health", None)).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    let body = json(response).await;
    assert!(body["type"].as_str().unwrap().ends_with("destruction-frozen"), "{body}");
    let unheard = web::WebConfig { keeper: away(), ..town.config() };
    let body = json(send(&web::router(unheard), request("GET", "/api/health", None)).await).await;
    assert!(body["type"].as_str().unwrap().ends_with("keeper-away"), "{body}");
}

#[tokio::test]
async fn a_look_goes_on_under_the_reason_that_holds_and_the_cause_is_told_where_none_does() {
    let town = Town::new();
    let router = town.router();
    let continues =
        |look: String| look.replace(&format!("\"purpose\":5,\"reason\":\"{}\"", fake::REASON), "\"continues\":true");
    let ask = async |body: String| send(&router, request("POST", "/api/looks", Some(&body))).await;
    let response = ask(continues(live_look())).await;
    assert_eq!(response.status(), StatusCode::CREATED);
    let body = json(response).await;
    let told = (&body["purpose"], &body["reason"], &body["stated"], &body["entry"]);
    assert_eq!(told, (&5.into(), &fake::REASON.into(), &40.into(), &41.into()));
    let none = r#"{"kind":"live","cameras":[],"continues":true}"#.to_owned();
    for (look, cause) in [
        (none, "reason-not-stated"),
        (continues(replay_look()), "reason-time-over"),
        (continues(fake::both_live()), "reason-other-purpose"),
    ] {
        let response = ask(look).await;
        assert_eq!(response.status(), StatusCode::CONFLICT);
        assert_eq!(json(response).await["type"], format!("urn:vigie:problem:{cause}"));
    }
    let both = live_look().replace("\"kind\"", "\"continues\":true,\"kind\"");
    assert_eq!(ask(both).await.status(), StatusCode::BAD_REQUEST, "stated and continued at once");
    let body = json(send(&router, request("GET", "/api/reason", None)).await).await;
    let words = serde_json::json!({ "purpose": 5, "reason": fake::REASON });
    assert_eq!(body["recent"], serde_json::json!([words]));
    assert_eq!(
        (&body["held"]["until"], &body["held"]["stated"]),
        (&NOW.plus_seconds(1_800).to_string().into(), &40.into())
    );
    assert_eq!(send(&router, request("DELETE", "/api/reason", None)).await.status(), StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_look_gives_a_permit_and_a_refusal_gives_its_reasons_and_entry() {
    let town = Town::new();
    let router = town.router();
    let response = send(&router, request("POST", "/api/looks", Some(&live_look()))).await;
    assert_eq!(response.status(), StatusCode::CREATED);
    let expected = serde_json::json!({
        "permit": PERMIT.to_string(), "kind": "live", "cameras": [CAMERA.to_string()], "from": null, "to": null,
        "purpose": 5, "reason": fake::REASON, "expires_at": NOW.plus_seconds(3600).to_string(), "entry": 41,
        "stated": null, "break_glass": null
    });
    assert_eq!(json(response).await, expected);

    let without_purpose = live_look().replace("\"purpose\":5,", "");
    let response = send(&router, request("POST", "/api/looks", Some(&without_purpose))).await;
    assert_eq!(response.status(), StatusCode::FORBIDDEN);
    let body = json(response).await;
    assert_eq!((&body["entry"], &body["reasons"][0]["article"]), (&42.into(), &"CSI L251-2".into()));

    for wrong in
        [live_look().replace(":5,", ":12,"), live_look().replace("live", "replay"), live_look().replace("ca", "zz")]
    {
        let response = send(&router, request("POST", "/api/looks", Some(&wrong))).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{wrong}");
    }
}

#[tokio::test]
async fn a_camera_live_is_fragmented_mp4_that_says_when_it_began() {
    let town = Town::new();
    let router = town.router();
    send(&router, request("POST", "/api/looks", Some(&live_look()))).await;
    let response = send(&router, request("GET", &format!("/media/{PERMIT}/{CAMERA}/live"), None)).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()[header::CONTENT_TYPE], "video/mp4; codecs=\"avc1.42c01e\"");
    assert_eq!(response.headers()["vigie-start"], NOW.to_string().as_str());
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    let mut body = response.into_body();
    let fragments = |bytes: &[u8]| bytes.windows(4).filter(|four| *four == b"moof").count();
    let bytes = read_until(&mut body, |bytes| fragments(bytes) == 9).await;
    assert_eq!(&bytes[4..8], b"ftyp");
    assert_eq!(bytes.windows(4).filter(|four| *four == b"moov").count(), 1);

    // given back: the stream ends, the id is unknown
    let ended = send(&router, request("DELETE", &format!("/api/looks/{PERMIT}"), None)).await;
    assert_eq!(ended.status(), StatusCode::NO_CONTENT);
    read_until(&mut body, |_| false).await;
    let again = send(&router, request("GET", &format!("/media/{PERMIT}/{CAMERA}/live"), None)).await;
    assert_eq!(again.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_wall_carries_a_head_and_then_the_bytes_of_each_camera() {
    let town = Town::new();
    let router = town.router();
    send(&router, request("POST", "/api/looks", Some(&live_look()))).await;
    let response = send(&router, request("GET", &format!("/media/{PERMIT}/live"), None)).await;
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/vnd.vigie.wall");
    let mut body = response.into_body();
    let bytes = read_until(&mut body, |bytes| bytes.windows(4).any(|four| four == b"moof")).await;
    let length = u32::from_be_bytes(bytes[..4].try_into().unwrap()) as usize;
    assert_eq!(bytes[4..8], [0, 0, 1, 0], "place 0, a head");
    let head: serde_json::Value = serde_json::from_slice(&bytes[8..8 + length]).unwrap();
    assert_eq!(
        head,
        serde_json::json!({ "content_type": "video/mp4; codecs=\"avc1.42c01e\"", "start": NOW.to_string() })
    );
    assert_eq!(bytes[8 + length + 4..8 + length + 8], [0, 0, 0, 0], "place 0, bytes");
    assert_eq!(&bytes[8 + length + 12..8 + length + 16], b"ftyp");
    send(&router, request("DELETE", "/api/session", None)).await;
    read_until(&mut body, |_| false).await;
}

#[tokio::test]
async fn a_permit_serves_only_its_session_its_cameras_its_mode_and_its_span() {
    let town = Town::new();
    let router = town.router();
    send(&router, request("POST", "/api/looks", Some(&live_look()))).await;
    let live = format!("/media/{PERMIT}/{CAMERA}/live");
    let replay = |span: &str| format!("/media/{PERMIT}/{CAMERA}/replay{span}");
    let span = |from: i64, to: i64| format!("?from={}&to={}", NOW.plus_seconds(from), NOW.plus_seconds(to));

    let mut other = request("GET", &live, None);
    other.headers_mut().insert("cookie", "vigie-session=another".parse().unwrap());
    assert_eq!(send(&router, other).await.status(), 404);
    let other_camera = format!("/media/{PERMIT}/{}/live", "0".repeat(32));
    assert_eq!(send(&router, request("GET", &other_camera, None)).await.status(), 403);
    assert_eq!(send(&router, request("GET", &replay(&span(-60, 0)), None)).await.status(), 403, "a live permit");

    send(&router, request("POST", "/api/looks", Some(&replay_look()))).await;
    assert_eq!(send(&router, request("GET", &live, None)).await.status(), 403, "a permit for the past");
    assert_eq!(send(&router, request("GET", &replay(&span(10, 20)), None)).await.status(), 403, "outside");
    assert_eq!(send(&router, request("GET", &replay(""), None)).await.status(), 400);
    assert_eq!(send(&router, request("GET", &replay(&span(0, -60)), None)).await.status(), 400, "backwards");
    assert_eq!(send(&router, request("GET", &replay(&span(-60, 0)), None)).await.status(), 404, "nothing was recorded");
    assert_eq!(send(&router, request("GET", &replay(&span(-60, -58)), None)).await.status(), 410, "it was destroyed");
    assert_eq!(send(&router, request("GET", &replay(&span(-60, -59)), None)).await.status(), 503, "no store is open");
    town.pass_seconds(60);
    assert_eq!(send(&router, request("GET", &replay(&span(-60, 0)), None)).await.status(), 404, "left alone for 60 s");
}
