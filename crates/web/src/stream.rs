//! Which stream of a camera is wanted: a permit covers both alike, as one key dies for both.

use crate::{
    permits::InUse,
    problem::{self, Problem},
    server::Web,
};
use domain::{CameraId, StreamId, StreamKind};
use serde::Deserialize;
use std::collections::BTreeSet;
use utoipa::{IntoParams, ToSchema};
use vault::keeper::SessionSecret;

/// One of the streams that a camera may have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Wanted {
    /// Of full size.
    #[default]
    Main,
    /// Smaller, where the camera has one.
    Sub,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct StreamQuery {
    /// `main` where nothing is said.
    #[serde(default)]
    #[param(inline, required = false)]
    pub stream: Wanted,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct WallQuery {
    /// Cameras of the permit, separated by commas, of which the sub-stream is wanted.
    #[serde(default)]
    #[param(required = false)]
    sub: String,
}

impl Wanted {
    pub fn of(self, camera: CameraId) -> StreamId {
        let kind = match self {
            Wanted::Main => StreamKind::Main,
            Wanted::Sub => StreamKind::Sub,
        };
        StreamId { camera, kind }
    }
}

impl WallQuery {
    /// One stream of each camera of the permit, in its order. A list longer than the permit's is malformed, a camera
    /// outside of the permit is refused.
    pub fn streams(&self, using: &InUse) -> Result<Vec<StreamId>, Problem> {
        let cameras = &using.permit().cameras;
        let named: Vec<&str> = self.sub.split(',').filter(|id| !id.is_empty()).take(cameras.len() + 1).collect();
        if named.len() > cameras.len() {
            return Err((&problem::MALFORMED).into());
        }
        let sub = named.into_iter().map(|id| using.camera(id)).collect::<Result<BTreeSet<CameraId>, Problem>>()?;
        let wanted = |camera: &CameraId| if sub.contains(camera) { Wanted::Sub } else { Wanted::Main };
        Ok(cameras.iter().map(|camera| wanted(camera).of(*camera)).collect())
    }
}

/// A sub-stream is there where the keeper says so now; a main stream always.
pub async fn must_be_there(web: &Web, session: &SessionSecret, stream: StreamId) -> Result<(), Problem> {
    if stream.kind != StreamKind::Sub {
        return Ok(());
    }
    let session = session.clone();
    let views = web.ask_keeper(move |keeper| keeper.see_cameras(&session)).await?;
    let has_sub = views.cameras.iter().any(|view| view.id == stream.camera && view.has_sub);
    if has_sub { Ok(()) } else { Err((&problem::NO_SUB_STREAM).into()) }
}
