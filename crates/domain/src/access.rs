//! Requests for access (demandes d'accès): a person asks to see recordings of themselves, or that their destruction be checked (law
//! DP-09; CSI L253-5, R253-6; GDPR 15; loi 78-17 art. 105).

use crate::named_enum;
use crate::requisition::Window;
use crate::{AccessId, HoldId, Sensitive, UtcMicros};
use serde::{Deserialize, Serialize};

named_enum! {
    /// How it came.
    AccessMeans,
    /// As the register prints it.
    title {
        Counter = "au guichet",
        Post = "courrier",
        Mail = "courriel",
    }
}

named_enum! {
    /// What is asked for (R253-6 IV, L253-5).
    Wish,
    /// As the register prints it.
    title {
        /// To see them on site.
        View = "visionner les images",
        /// To be given a copy.
        Copy = "obtenir une copie",
        /// To have their destruction checked.
        Destruction = "vérifier leur destruction",
    }
}

named_enum! {
    /// How somebody made sure who asks. No copy of a document is kept.
    IdentityMeans,
    /// As the register prints it.
    title {
        Shown = "pièce d'identité présentée, sans copie",
        Electronic = "identité électronique vérifiée",
        Mandate = "mandat écrit et pièce du mandataire présentés, sans copie",
    }
}

named_enum! {
    /// What the town answered.
    AccessOutcome,
    /// As the register prints it.
    title {
        /// The person saw what is of them.
        Viewed = "images visionnées sur place",
        /// Somebody looked, and the person is not on them.
        NothingFound = "personne non reconnue sur les images",
        /// Their deadline had passed.
        Destroyed = "images détruites à leur terme",
        /// No camera there, or one that was away.
        NeverRecorded = "jamais enregistrées",
        Refused = "refus",
        /// The person did not say who they are.
        Unidentified = "identité non établie",
        /// The person does not ask any more: what was frozen for it is let go at once.
        Withdrawn = "demande retirée",
    }
}

named_enum! {
    /// On which a refusal stands; there is no other one.
    RefusalGround,
    /// As the register prints it.
    title {
        StateSecurity = "sûreté de l'État",
        Defence = "défense",
        PublicSafety = "sécurité publique",
        /// Pending before a court, or preliminary to that.
        Proceedings = "procédures engagées ou opérations préliminaires",
        /// Only where the private life of somebody else would be seen.
        ThirdParties = "droit des tiers",
        /// Manifestly unfounded or excessive (GDPR 12 § 5).
        Excessive = "demande manifestement infondée ou excessive",
    }
}

/// Somebody made sure who asks.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct IdentityCheck {
    pub at: UtcMicros,
    pub means: IdentityMeans,
    /// The account that did.
    pub by: Sensitive<String>,
}

/// Somebody saw pictures on site: the person filmed, or who requires them. The town's agent drove, and nothing was copied.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Viewing {
    pub at: UtcMicros,
    pub by: Sensitive<String>,
    /// Who was present, who asked included.
    pub present: Sensitive<String>,
}

/// The town's answer.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AccessReply {
    pub at: UtcMicros,
    pub outcome: AccessOutcome,
    /// Of a refusal.
    pub grounds: Vec<RefusalGround>,
    pub reason: Sensitive<String>,
}

/// What is known of a request.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AccessFacts {
    pub received: UtcMicros,
    pub means: AccessMeans,
    pub wish: Wish,
    /// Who asks, and where the answer goes.
    pub person: Sensitive<String>,
    pub contact: Sensitive<String>,
    /// Place and time in the person's own words, and by what a human eye finds them.
    pub words: Sensitive<String>,
    /// Cameras and times that the town reads in them.
    pub windows: Vec<Window>,
    #[serde(default)]
    pub identity: Option<IdentityCheck>,
    /// In which the windows were frozen as soon as they were known: each dies with its own footage.
    #[serde(default)]
    pub holds: Vec<HoldId>,
    #[serde(default)]
    pub viewings: Vec<Viewing>,
    #[serde(default)]
    pub answer: Option<AccessReply>,
}

/// A line of the register of requests for access.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AccessRequest {
    pub id: AccessId,
    /// Without a gap within a year.
    pub year: u16,
    pub number: u32,
    pub says: AccessFacts,
}

impl AccessRequest {
    /// `DA-2026-0001`
    pub fn label(&self) -> String {
        access_label(self.year, self.number)
    }
}

/// A number of the register as it is printed.
pub fn access_label(year: u16, number: u32) -> String {
    format!("DA-{year}-{number:04}")
}

/// Year and number of such a label.
pub fn read_access_label(label: &str) -> Option<(u16, u32)> {
    let (year, number) = label.strip_prefix("DA-")?.split_once('-')?;
    Some((year.parse().ok()?, number.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_as_it_is_printed() {
        assert_eq!(access_label(2026, 7), "DA-2026-0007");
        assert_eq!(read_access_label(&access_label(2026, 12_345)), Some((2026, 12_345)));
        assert_eq!(read_access_label("2026-0007"), None, "a requisition's");
    }
}
