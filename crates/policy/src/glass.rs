//! Break-glass (accès d'urgence): for one person, some cameras and a quarter of an hour the town's own permits do not count.
//!
//! It is a permit that comes with this program, in the place of the town's. The law's prohibitions are judged as ever: it opens
//! nothing that a town could not have permitted. Who may open it, and how, is the keeper's.

use crate::{decide::Decision, explain::Language};
use domain::{AccountId, CameraId, UtcMicros};

/// What a decision names as its rule. No rule of a town or of a pack may bear it.
pub const BREAK_GLASS: &str = "break-glass";

/// One that is open.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Glass {
    pub account: AccountId,
    pub cameras: Vec<CameraId>,
    pub from: UtcMicros,
    /// Open until just before.
    pub until: UtcMicros,
}

impl Glass {
    /// Whether it counts for this person and camera at `now`. For which actions is in the permit itself.
    pub(crate) fn names(&self, account: AccountId, camera: CameraId, now: UtcMicros) -> bool {
        self.account == account && self.cameras.contains(&camera) && self.from <= now && now < self.until
    }
}

/// What follows from a decision by break-glass, as it is told and shown.
pub const fn says(language: Language) -> &'static str {
    match language {
        Language::French => {
            "Permis par l'accès d'urgence que deux personnes ont ouvert pour quinze minutes : les règles de la commune ne le \
             permettaient pas. Les interdictions de la loi s'appliquent. Le délégué à la protection des données en est averti."
        }
        Language::English => {
            "Allowed by the break-glass that two persons opened for fifteen minutes: the town's own rules did not permit it. \
             The law's prohibitions apply. The data-protection officer is told."
        }
    }
}

impl Decision {
    /// Whether it is allowed only because break-glass is open.
    pub fn is_by_break_glass(&self) -> bool {
        matches!(self, Decision::Allow { rules } if rules.iter().any(|rule| rule.0 == BREAK_GLASS))
    }

    /// What an allowed look is told; nothing where the town's own rules permit it.
    pub fn says(&self, language: Language) -> Option<&'static str> {
        self.is_by_break_glass().then(|| says(language))
    }
}
