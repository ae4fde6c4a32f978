//! The cameras: names and authorisations from the keeper, states from the recorder.

use crate::{
    extract::SignedIn,
    problem::{Problem, ProblemBody},
    recorder_word::{CameraWord, RecorderWord},
    server::Web,
};
use axum::{Json, extract::State};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

#[derive(Debug, Serialize, ToSchema)]
pub struct Camera {
    id: String,
    name: String,
    place: String,
    /// Authorised delay: footage is destroyed after so many days.
    delay_days: u32,
    /// Purposes of CSI L251-2 for which it may be used, by their numbers.
    purposes: Vec<u8>,
    /// `recording`, `connecting`, `away`, `refused` or `unknown`.
    state: &'static str,
    detail_fr: String,
    detail_en: String,
    /// ISO 8601: since when it is in this state.
    since: Option<String>,
    codec: Option<String>,
    /// Pixels.
    width: Option<u32>,
    /// Pixels.
    height: Option<u32>,
    /// Null where the camera has no sub-stream.
    sub: Option<SubStream>,
}

/// A smaller stream of the same camera, recorded beside the main one: for browsers that do not play that.
#[derive(Debug, Serialize, ToSchema)]
pub struct SubStream {
    /// As the camera's.
    state: &'static str,
    /// Null while the recorder has not seen it.
    codec: Option<String>,
    /// Pixels.
    width: Option<u32>,
    /// Pixels.
    height: Option<u32>,
}

/// All cameras, with what they do now
#[utoipa::path(get, path = "/api/cameras", tag = "cameras", security(("session" = [])),
    responses((status = 200, body = [Camera]), (status = 401, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn get_cameras(
    State(web): State<Arc<Web>>,
    SignedIn(session): SignedIn,
) -> Result<Json<Vec<Camera>>, Problem> {
    let (views, health) = web
        .ask_keeper(move |keeper| {
            let views = keeper.see_cameras(&session)?;
            // a role that may see cameras and not health sees them without a state
            Ok((views, keeper.see_health(&session).ok()))
        })
        .await?;
    let word = health.as_ref().map(RecorderWord::of).unwrap_or_default();
    let cameras = views.into_iter().map(|view| {
        let id = view.id.to_string();
        let told = word.camera(&id).filter(|_| !word.silent);
        let text = |of: fn(&CameraWord) -> &String| told.map(of).cloned().unwrap_or_default();
        Camera {
            name: view.name,
            place: view.place,
            delay_days: view.delay_days,
            purposes: view.purposes.iter().map(|purpose| purpose.number()).collect(),
            state: word.state(&id),
            detail_fr: text(|told| &told.detail_fr),
            detail_en: text(|told| &told.detail_en),
            since: told.and_then(CameraWord::since),
            codec: told.and_then(|told| told.codec.clone()),
            width: told.and_then(|told| told.width),
            height: told.and_then(|told| told.height),
            sub: view.has_sub.then(|| SubStream::told(&word, &id)),
            id,
        }
    });
    Ok(Json(cameras.collect()))
}

impl SubStream {
    fn told(word: &RecorderWord, id: &str) -> SubStream {
        let (state, told) = word.sub(id);
        SubStream {
            state,
            codec: told.and_then(|told| told.codec.clone()),
            width: told.and_then(|told| told.width),
            height: told.and_then(|told| told.height),
        }
    }
}
