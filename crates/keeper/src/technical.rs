//! Size and rate of what each camera's recording has, as the recorder measured it, against the arrêté of 3 August 2007.

use crate::{
    core::KeeperCore,
    health::{finding, is_silent},
    wire::{Finding, FindingState},
};
use catalog::Camera;
use domain::{CameraId, limit::TECHNICAL_FINDINGS_MAX};
use policy::technical::{Measured, Shortfall, shortfalls};
use serde::Deserialize;
use std::collections::HashMap;
use vault::KeeperError;

/// What the recorder measured of the cameras that it records now.
pub(crate) type Measurements = HashMap<String, Measured>;

const TITLE: (&str, &str) = ("Définition et cadence mesurées", "Size and rate measured");

/// Of the recorder's word; what is missing or odd is left out.
#[derive(Deserialize)]
struct Word {
    #[serde(default)]
    cameras: Vec<CameraWord>,
}

#[derive(Deserialize)]
struct CameraWord {
    id: String,
    state: String,
    width: u32,
    height: u32,
    millihertz: Option<u32>,
}

impl KeeperCore {
    /// Nothing while the recorder is silent, and nothing of a camera before its first picture.
    pub(crate) fn measured(&self) -> Measurements {
        let now = self.decision_time();
        let (text, seen) = {
            let moving = self.moving();
            (moving.recorder.health.clone(), moving.recorder.seen)
        };
        if is_silent(now, seen) {
            return Measurements::new();
        }
        let word: Word = serde_json::from_str(&text).unwrap_or(Word { cameras: Vec::new() });
        let recording = word.cameras.into_iter().filter(|camera| camera.state == "recording" && 0 < camera.width);
        let measured = |CameraWord { id, width, height, millihertz, .. }| (id, Measured { width, height, millihertz });
        recording.map(measured).collect()
    }

    /// By the law in force.
    pub(crate) fn shortfalls(&self, camera: &Camera, measured: &Measurements) -> Vec<Shortfall> {
        let Some(of_camera) = measured.get(&camera.id.to_string()) else { return Vec::new() };
        shortfalls(self.law().facts(), camera.class, of_camera, self.recording_time())
    }

    /// One finding a camera that falls short.
    pub(crate) fn technical_findings(&self) -> Result<Vec<Finding>, KeeperError> {
        let measured = self.measured();
        if measured.is_empty() {
            return Ok(Vec::new());
        }
        let in_service = self.in_service()?;
        let short = in_service.iter().map(|version| (&version.camera, self.shortfalls(&version.camera, &measured)));
        let short: Vec<_> = short.filter(|(_, found)| !found.is_empty()).collect();
        let mut findings: Vec<Finding> = short
            .iter()
            .take(TECHNICAL_FINDINGS_MAX)
            .map(|(camera, found)| of_camera(camera.id, &camera.name, found))
            .collect();
        if let Some(more) = short.len().checked_sub(TECHNICAL_FINDINGS_MAX).filter(|more| 0 < *more) {
            let text = (
                format!("{more} autres caméras : `vigie camera list` les nomme."),
                format!("{more} other cameras: `vigie camera list` names them."),
            );
            findings.push(finding("technical-more", FindingState::Alarm, TITLE, text));
        }
        if findings.is_empty() {
            let count = measured.len();
            let text = (
                format!("{count} caméra(s) enregistrées comme l'arrêté du 3 août 2007 le demande."),
                format!("{count} camera(s) recorded as the arrêté of 3 August 2007 demands."),
            );
            findings.push(finding("technical", FindingState::Ok, TITLE, text));
        }
        Ok(findings)
    }
}

fn of_camera(id: CameraId, name: &str, found: &[Shortfall]) -> Finding {
    let told = |text: fn(&Shortfall) -> String, remedy: fn(&Shortfall) -> String| {
        let sentences = found.iter().map(|one| format!("{} {} [{}]", text(one), remedy(one), one.article));
        sentences.collect::<Vec<_>>().join(" ")
    };
    let detail = (
        format!("{name} : {}", told(Shortfall::text_fr, Shortfall::remedy_fr)),
        format!("{name}: {}", told(Shortfall::text_en, Shortfall::remedy_en)),
    );
    finding(&format!("technical-{id}"), FindingState::Alarm, TITLE, detail)
}
