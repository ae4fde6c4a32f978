//! Answer to somebody who asks for the own pictures (DP-09; CSI R253-6, RGPD 15, loi n° 78-17 art. 105).

use crate::{Article, At, Footage, paper::Private};
use serde::{Deserialize, Serialize};

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Access {
    /// Lines of the address, the name first.
    #[serde(default)]
    pub applicant: Vec<Private>,
    pub received: At,
    /// What was asked for, as written.
    pub asked: Private,
    /// Where and when somebody looked.
    #[serde(default)]
    pub searched: Vec<Footage>,
    pub outcome: AccessOutcome,
    /// Where the person is seen.
    #[serde(default)]
    pub found: Vec<Footage>,
    /// The same in the town's words, where a list does not say it.
    #[serde(default)]
    pub explanation: Private,
    #[serde(default)]
    pub viewing: Option<Viewing>,
    /// A copy is handed over or enclosed.
    #[serde(default)]
    pub copy: Option<String>,
    /// Others in the pictures are made unrecognisable in what is shown.
    #[serde(default)]
    pub others_hidden: bool,
    /// Texts on which all or a part is refused.
    #[serde(default)]
    pub grounds: Vec<Article>,
    /// Until when the extract is kept for the person.
    #[serde(default)]
    pub kept_until: Option<At>,
    /// Which regime the camera's purposes fall under: it names the commission's own part in a refusal.
    pub regime: Regime,
    /// How to reach the data-protection officer.
    #[serde(default)]
    pub officer: String,
    /// The departmental commission's address; its seat is the prefecture.
    #[serde(default)]
    pub commission: String,
    #[serde(default)]
    pub signed_as: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccessOutcome {
    Found,
    /// Nobody is found where the person says to have been.
    NotFound,
    /// No camera, or none that recorded.
    NotRecorded,
    /// Its deadline had passed.
    Destroyed,
    Partial,
    Refused,
}

impl AccessOutcome {
    pub const ALL: [AccessOutcome; 6] = [
        AccessOutcome::Found,
        AccessOutcome::NotFound,
        AccessOutcome::NotRecorded,
        AccessOutcome::Destroyed,
        AccessOutcome::Partial,
        AccessOutcome::Refused,
    ];
}

/// Title of loi n° 78-17 (CSI R253-6, II).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Regime {
    /// Titre II: the GDPR.
    General,
    /// Titre III: prevention and detection of offences.
    Police,
}

/// Where and when the pictures can be seen.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Viewing {
    pub place: String,
    pub from: At,
    pub to: At,
    /// What to bring, whom to call.
    #[serde(default)]
    pub how: String,
}
