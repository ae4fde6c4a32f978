//! What is said of cameras: one that is added, those in service, what each lacks of papers.

use super::Credentials;
use domain::{CameraClass, CameraId, CameraRights, Purpose, UtcMicros};
pub use policy::required::RequiredAct;
use policy::{golive::Missing, technical::Shortfall};
use serde::{Deserialize, Serialize};

/// A camera to be registered, with what its probe found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewCamera {
    pub name: String,
    pub place: String,
    pub url: String,
    pub credentials: Option<Credentials>,
    pub delay_days: u32,
    pub purposes: Vec<Purpose>,
    pub fingerprint: Option<String>,
    pub sub_url: Option<String>,
    pub rights: CameraRights,
    pub class: Option<CameraClass>,
}

/// A camera as the console shows it; its state comes from the recorder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CameraView {
    pub id: CameraId,
    pub name: String,
    pub place: String,
    pub delay_days: u32,
    pub purposes: Vec<Purpose>,
    pub since: UtcMicros,
    /// Whether a sub-stream is recorded too.
    pub has_sub: bool,
    /// Papers that do not hold; any that blocks stops recording and viewing.
    pub missing: Vec<MissingAct>,
    /// When the order that lets it record ends.
    pub order_end: Option<UtcMicros>,
    pub rights: CameraRights,
    /// What it mainly films, if somebody stated it.
    pub class: Option<CameraClass>,
    /// Where what is recorded falls short of the arrêté of 3 August 2007.
    pub shortfalls: Vec<Shortfall>,
}

/// The cameras in service, and the papers that the law in force requires of them: their words are said once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CameraViews {
    pub cameras: Vec<CameraView>,
    pub required: Vec<RequiredAct>,
}

/// A paper that a camera lacks; its words are those of the law in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MissingAct {
    pub rule: String,
    pub blocks: bool,
    /// When the last one that held ended.
    pub ended: Option<UtcMicros>,
}

impl MissingAct {
    /// What it is, what follows and what to do; none for a rule of another law.
    pub fn words(&self, required: &[RequiredAct]) -> Option<Missing> {
        Missing::named(required, &self.rule, self.ended)
    }
}
