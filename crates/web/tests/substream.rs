//! Which stream a viewer gets: the main one unless the sub-stream is asked for, and what is said where there is none.

mod fake;

use axum::{
    body::Body,
    http::{Response, header},
};
use fake::{CAMERA, CAMERA_WITH_SUB, NOW, PERMIT, Town, both_live, both_replay, json, read_until, request, send};
use serde_json::Value;

const MAIN: &str = "video/mp4; codecs=\"avc1.42c01e\"";
const SUB: &str = "video/mp4; codecs=\"avc1.42001e\"";

async fn get(town: &Town, look: &str, path: &str) -> Response<Body> {
    let router = town.router();
    assert_eq!(send(&router, request("POST", "/api/looks", Some(look))).await.status(), 201);
    send(&router, request("GET", path, None)).await
}

/// A refusal's status and kind, in both languages with a remedy.
async fn check_refused(look: &str, path: &str, status: u16, kind: &str) {
    let response = get(&Town::new(), look, path).await;
    assert_eq!(response.status().as_u16(), status, "{path}");
    let body = json(response).await;
    assert_eq!(body["type"], format!("urn:vigie:problem:{kind}"), "{path}");
    if kind == "no-sub-stream" {
        let remedy = |field: &str| body[field].as_str().is_some_and(|text| text.contains("`vigie camera sub`"));
        assert!(remedy("detail_fr") && remedy("detail_en"), "{body}");
    }
}

#[tokio::test]
async fn a_camera_tells_its_sub_stream_and_null_where_it_has_none() {
    let body = json(send(&Town::new().router(), request("GET", "/api/cameras", None)).await).await;
    assert_eq!(body[0]["sub"], Value::Null);
    let sub = serde_json::json!({"state": "recording", "codec": "H264", "width": 352, "height": 288});
    assert_eq!((&body[1]["codec"], &body[1]["sub"]), (&"H265".into(), &sub));
}

#[tokio::test]
async fn live_is_the_stream_that_was_asked_for() {
    for (query, content_type) in [("", MAIN), ("?stream=main", MAIN), ("?stream=sub", SUB)] {
        let path = format!("/media/{PERMIT}/{CAMERA_WITH_SUB}/live{query}");
        let response = get(&Town::new(), &both_live(), &path).await;
        assert_eq!(response.headers()[header::CONTENT_TYPE], content_type, "{path}");
    }
    let live = |query: &str| format!("/media/{PERMIT}/{CAMERA}/live{query}");
    check_refused(&both_live(), &live("?stream=sub"), 404, "no-sub-stream").await;
    check_refused(&both_live(), &live("?stream=derived"), 400, "malformed").await;
    check_refused(&both_replay(), &live("?stream=sub"), 403, "outside-permit").await;
}

/// The head of each place of a wall, or the problem with which it ended.
async fn heads(query: &str) -> [Value; 2] {
    let town = Town::new();
    let router = town.router();
    send(&router, request("POST", "/api/looks", Some(&both_live()))).await;
    let response = send(&router, request("GET", &format!("/media/{PERMIT}/live{query}"), None)).await;
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/vnd.vigie.wall", "{query}");
    let records = |bytes: &[u8]| {
        let (mut found, mut rest) = ([Value::Null, Value::Null], bytes);
        while let Some((head, after)) = rest.split_first_chunk::<8>() {
            let length = u32::from_be_bytes(head[..4].try_into().unwrap()) as usize;
            if after.len() < length {
                break;
            }
            let place = usize::from(u16::from_be_bytes([head[4], head[5]]));
            if head[6] != 0 {
                found[place] = serde_json::from_slice(&after[..length]).unwrap();
            }
            rest = &after[length..];
        }
        found
    };
    records(&read_until(&mut response.into_body(), |bytes| !records(bytes).contains(&Value::Null)).await)
}

#[tokio::test]
async fn the_wall_has_sub_streams_where_they_are_asked_for_and_the_others_go_on() {
    let [first, second] = heads("").await;
    assert_eq!((&first["content_type"], &second["content_type"]), (&MAIN.into(), &MAIN.into()));
    let [first, second] = heads(&format!("?sub={CAMERA_WITH_SUB}")).await;
    assert_eq!((&first["content_type"], &second["content_type"]), (&MAIN.into(), &SUB.into()));
    let [first, second] = heads(&format!("?sub={CAMERA},{CAMERA_WITH_SUB}")).await;
    assert_eq!((&first["type"], &first["status"]), (&"urn:vigie:problem:no-sub-stream".into(), &404.into()));
    assert_eq!(second["content_type"], SUB);
}

#[tokio::test]
async fn a_wall_refuses_a_list_that_is_too_long_or_names_a_camera_outside_of_its_permit() {
    let wall = |list: &[&str]| format!("/media/{PERMIT}/live?sub={}", list.join(","));
    let (with, without, other) = (CAMERA_WITH_SUB.to_string(), CAMERA.to_string(), "0".repeat(32));
    check_refused(&both_live(), &wall(&[&with, &without, &with]), 400, "malformed").await;
    check_refused(&both_live(), &wall(&[&other]), 403, "outside-permit").await;
    check_refused(&both_live(), &wall(&["une"]), 403, "outside-permit").await;
}

#[tokio::test]
async fn a_replay_of_a_sub_stream_says_whether_it_died_was_never_there_or_only_not_then() {
    let replay = |camera, seconds: i64| {
        let (from, to) = (NOW.plus_seconds(-60), NOW.plus_seconds(-60 + seconds));
        format!("/media/{PERMIT}/{camera}/replay?from={from}&to={to}&stream=sub")
    };
    check_refused(&both_replay(), &replay(CAMERA, 60), 404, "no-sub-stream").await;
    check_refused(&both_replay(), &replay(CAMERA_WITH_SUB, 60), 404, "no-footage").await;
    check_refused(&both_replay(), &replay(CAMERA, 2), 410, "closed").await;
    // what the recorder has of it is opened whether or not it is still recorded: no store is open here
    check_refused(&both_replay(), &replay(CAMERA, 1), 503, "store-away").await;
    let wrong = replay(CAMERA, 60).replace("=sub", "=small");
    check_refused(&both_replay(), &wrong, 400, "malformed").await;
}

#[tokio::test]
async fn a_day_is_that_of_the_stream_that_was_asked_for() {
    let town = Town::new();
    let day = async |camera, query: &str| {
        let path = format!("/api/cameras/{camera}/day?date=2026-07-14{query}");
        json(send(&town.router(), request("GET", &path, None)).await).await
    };
    for (query, seconds) in [("", -600), ("&stream=main", -600), ("&stream=sub", -60)] {
        let day = day(CAMERA_WITH_SUB, query).await;
        assert_eq!(day["footage"][0]["from"], NOW.plus_seconds(seconds).to_string(), "{query}");
        assert_eq!(day["hours"][0]["state"], "live");
    }
    assert_eq!(day(CAMERA, "&stream=sub").await["type"], "urn:vigie:problem:no-sub-stream");
    assert_eq!(day(CAMERA, "&stream=all").await["status"], 400);
}
