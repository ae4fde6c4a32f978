//! The cameras: names and authorisations from the keeper, states from the recorder.

use crate::{
    extract::SignedIn,
    problem::{Problem, ProblemBody},
    recorder_word::{CameraWord, RecorderWord},
    server::Web,
};
use axum::{Json, extract::State};
use keeper::wire::{CameraView, RequiredAct};
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
    /// Papers that do not hold; while one blocks, the camera neither records nor is watched.
    missing: Vec<MissingAct>,
    /// ISO 8601: when the order that lets it record ends.
    order_end: Option<String>,
    /// What it mainly films (arrêté of 3 August 2007), such as `narrow-view`; null where nobody stated it.
    class: Option<&'static str>,
    /// Where what is recorded falls short of that arrêté: an alarm, no stop.
    shortfalls: Vec<TechnicalShortfall>,
}

/// A size or a rate, measured, below what is demanded.
#[derive(Debug, Serialize, ToSchema)]
pub struct TechnicalShortfall {
    /// `TECH-07`, `TECH-08` (size) or `TECH-09` (rate): the duty in docs/law.md.
    duty: &'static str,
    article: String,
    text_fr: String,
    text_en: String,
    remedy_fr: String,
    remedy_en: String,
}

impl TechnicalShortfall {
    pub fn of(view: &CameraView) -> Vec<TechnicalShortfall> {
        let told = view.shortfalls.iter().map(|short| TechnicalShortfall {
            duty: short.duty(),
            article: short.article.clone(),
            text_fr: short.text_fr(),
            text_en: short.text_en(),
            remedy_fr: short.remedy_fr(),
            remedy_en: short.remedy_en(),
        });
        told.collect()
    }
}

/// A legal paper that a camera, or a person, lacks.
#[derive(Debug, Serialize, ToSchema)]
pub struct MissingAct {
    rule: String,
    /// Whether it stops recording and viewing; otherwise it is an alarm.
    blocks: bool,
    article: String,
    title_fr: String,
    title_en: String,
    text_fr: String,
    text_en: String,
    remedy_fr: String,
    remedy_en: String,
}

impl MissingAct {
    /// What a camera lacks, in words.
    pub fn of(view: &CameraView, required: &[RequiredAct]) -> Vec<MissingAct> {
        view.missing.iter().filter_map(|act| MissingAct::told(act, required)).collect()
    }

    /// One in words; none for a rule of another law.
    pub fn told(act: &keeper::wire::MissingAct, required: &[RequiredAct]) -> Option<MissingAct> {
        let missing = act.words(required)?;
        Some(MissingAct {
            rule: missing.rule,
            blocks: act.blocks,
            article: missing.article,
            title_fr: missing.title_fr,
            title_en: missing.title_en,
            text_fr: missing.text_fr,
            text_en: missing.text_en,
            remedy_fr: missing.remedy_fr,
            remedy_en: missing.remedy_en,
        })
    }

    /// The first that blocks, in French and English: why the camera does not record.
    pub fn blocking(view: &CameraView, required: &[RequiredAct]) -> Option<(String, String)> {
        let first = MissingAct::of(view, required).into_iter().find(|missing| missing.blocks)?;
        Some((
            format!("{} [{}] {}", first.text_fr, first.article, first.remedy_fr),
            format!("{} [{}] {}", first.text_en, first.article, first.remedy_en),
        ))
    }
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
    let required = views.required;
    let cameras = views.cameras.into_iter().map(|view| {
        let id = view.id.to_string();
        let told = word.camera(&id).filter(|_| !word.silent);
        let text = |of: fn(&CameraWord) -> &String| told.map(of).cloned().unwrap_or_default();
        let blocking = MissingAct::blocking(&view, &required);
        let (detail_fr, detail_en) =
            blocking.clone().unwrap_or_else(|| (text(|told| &told.detail_fr), text(|told| &told.detail_en)));
        Camera {
            missing: MissingAct::of(&view, &required),
            order_end: view.order_end.map(|end| end.to_string()),
            class: view.class.map(|class| class.name()),
            shortfalls: TechnicalShortfall::of(&view),
            name: view.name,
            place: view.place,
            delay_days: view.delay_days,
            purposes: view.purposes.iter().map(|purpose| purpose.number()).collect(),
            state: if blocking.is_some() { "refused" } else { word.state(&id) },
            detail_fr,
            detail_en,
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
