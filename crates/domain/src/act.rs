//! Acts (actes): the legal papers that the system relies on, each with its number, signatory, validity and scope.

use crate::{CameraId, Purpose, Sensitive, UtcMicros, person::AccountId, person::Role};
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

crate::identity!(
    /// One paper. Its later versions (a renewal is another paper; a withdrawal, a correction) keep the identity.
    ActId
);

/// Which paper it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActKind {
    /// Autorisation préfectorale (CSI L252-1, L252-4): five years at most.
    Authorisation,
    /// Autorisation provisoire (CSI L252-6, L252-7, L223-5): four months at most, ends with its event.
    ProvisionalOrder,
    /// Habilitation by the mayor or the head of service (CSI R253-3 II 1°, 2° b, 4°, I 1°).
    Habilitation,
    /// Agrément of an agent of a supervision centre by the prefect (CSI L132-14-1).
    Approval,
    /// Engagement de conformité sent to the CNIL (CSI R253-7).
    CnilCommitment,
    /// Analyse d'impact (RGPD art. 35; loi 78-17 art. 62, 90).
    Dpia,
    /// Where the footage is hosted, and by whom (CSI R252-3 5°, 6°).
    HostingContract,
    /// Contract with a processor (RGPD art. 28).
    ProcessorContract,
    /// Agreement of the departmental archives to the destruction (code du patrimoine L212-2, L212-3).
    ArchivesElimination,
    /// Délibération du conseil municipal.
    CouncilDeliberation,
    /// Publication for the public (CSI R252-16).
    PublicNotice,
    /// Panneau: a sign that tells the public (CSI L255-1, R253-6 I).
    Sign,
    /// Masks of dwellings, or the statement that none is in view, for one camera and preset (CSI L251-3).
    MaskStatement,
    /// Notice of commissioning, or of a moved camera (CSI R252-17).
    CommissioningNotice,
    /// Convention: with the State, with other communes, on a relay of pictures (CSI L132-14, L252-3).
    Convention,
    /// Conformity with the arrêté of 3 August 2007 (CSI L252-4, R252-3 11°).
    ConformitySheet,
    /// The staff was told of the log and the comité social territorial consulted.
    StaffInformation,
}

impl ActKind {
    pub const ALL: [ActKind; 17] = [
        ActKind::Authorisation,
        ActKind::ProvisionalOrder,
        ActKind::Habilitation,
        ActKind::Approval,
        ActKind::CnilCommitment,
        ActKind::Dpia,
        ActKind::HostingContract,
        ActKind::ProcessorContract,
        ActKind::ArchivesElimination,
        ActKind::CouncilDeliberation,
        ActKind::PublicNotice,
        ActKind::Sign,
        ActKind::MaskStatement,
        ActKind::CommissioningNotice,
        ActKind::Convention,
        ActKind::ConformitySheet,
        ActKind::StaffInformation,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            ActKind::Authorisation => "authorisation",
            ActKind::ProvisionalOrder => "provisional-order",
            ActKind::Habilitation => "habilitation",
            ActKind::Approval => "approval",
            ActKind::CnilCommitment => "cnil-commitment",
            ActKind::Dpia => "dpia",
            ActKind::HostingContract => "hosting-contract",
            ActKind::ProcessorContract => "processor-contract",
            ActKind::ArchivesElimination => "archives-elimination",
            ActKind::CouncilDeliberation => "council-deliberation",
            ActKind::PublicNotice => "public-notice",
            ActKind::Sign => "sign",
            ActKind::MaskStatement => "mask-statement",
            ActKind::CommissioningNotice => "commissioning-notice",
            ActKind::Convention => "convention",
            ActKind::ConformitySheet => "conformity-sheet",
            ActKind::StaffInformation => "staff-information",
        }
    }
}

impl fmt::Display for ActKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A text names no kind of act.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a kind of act: one of {} expected", ActKind::ALL.map(ActKind::name).join(", "))]
pub struct ActKindError {
    pub text: String,
}

impl FromStr for ActKind {
    type Err = ActKindError;
    fn from_str(text: &str) -> Result<ActKind, ActKindError> {
        let known = ActKind::ALL.into_iter().find(|kind| kind.name() == text);
        known.ok_or_else(|| ActKindError { text: text.chars().take(40).collect() })
    }
}

/// One paper as it stands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Act {
    pub id: ActId,
    pub kind: ActKind,
    /// The reference on the paper.
    pub number: String,
    /// When it was signed.
    pub signed: UtcMicros,
    /// Name and quality of who signed.
    pub signatory: Sensitive<String>,
    /// It holds from here on.
    pub from: UtcMicros,
    /// It holds no more from here on; none where the paper names no end.
    pub until: Option<UtcMicros>,
    pub scope: ActScope,
    pub terms: ActTerms,
    /// SHA-256 of the scan of the paper.
    pub scan: Option<[u8; 32]>,
}

/// What an act is about.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActScope {
    /// Everything of this site: all cameras (a perimeter that holds them all), the system as a whole.
    Site,
    Cameras(Vec<CameraId>),
    Person(AccountId),
}

/// What a paper says beyond number and dates, for the kinds from which something follows.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActTerms {
    /// Nothing more.
    Plain,
    /// An authorisation or a provisional order.
    Order(OrderTerms),
    /// A habilitation or an approval: the capacity, and where.
    Capacity { role: Role, territory: String },
    /// Masks: how many dwellings' views are masked; none: the statement that no dwelling is in view.
    Masks { preset: String, masks: Option<u32> },
    /// Where footage is kept, as the order names it.
    Hosting { place: String, provider: String },
    /// A convention on a relay or on pooling: with whom.
    Parties { parties: String },
}

/// What a prefect's order fixes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OrderTerms {
    pub prefecture: String,
    /// Among the eleven of CSI L251-2.
    pub purposes: Vec<Purpose>,
    /// The delay of CSI L252-5, in days.
    pub retention_days: u32,
    /// The minimum delay of CSI L252-5 al. 2, in hours, where the order sets one.
    pub minimum_hours: Option<u32>,
    /// Who is authorised to receive pictures (CSI L252-3), as the order writes it.
    pub recipients: Vec<String>,
    pub hosting_place: String,
    /// For a provisional order: the end of its event, at which it lapses (CSI L252-6).
    pub event_end: Option<UtcMicros>,
}

impl Act {
    /// From when on it holds no more: its end, and for a provisional order the end of its event.
    pub fn end(&self) -> Option<UtcMicros> {
        let event_end = match &self.terms {
            ActTerms::Order(order) => order.event_end,
            _ => None,
        };
        match (self.until, event_end) {
            (Some(until), Some(event)) => Some(until.min(event)),
            (until, event) => until.or(event),
        }
    }

    /// Whether it holds at `now`.
    pub fn holds_at(&self, now: UtcMicros) -> bool {
        self.from <= now && self.end().is_none_or(|end| now < end)
    }

    pub fn is_about_camera(&self, camera: CameraId) -> bool {
        match &self.scope {
            ActScope::Site => true,
            ActScope::Cameras(cameras) => cameras.contains(&camera),
            ActScope::Person(_) => false,
        }
    }

    pub fn order(&self) -> Option<&OrderTerms> {
        match &self.terms {
            ActTerms::Order(order) => Some(order),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(until: i64, event_end: Option<i64>) -> Act {
        let at = UtcMicros::from_seconds;
        Act {
            id: ActId([1; 16]),
            kind: ActKind::ProvisionalOrder,
            number: "2026-12".into(),
            signed: at(0),
            signatory: Sensitive::new("le préfet".into()),
            from: at(10),
            until: Some(at(until)),
            scope: ActScope::Site,
            terms: ActTerms::Order(OrderTerms {
                prefecture: "Gironde".into(),
                purposes: vec![Purpose::Terrorism],
                retention_days: 30,
                minimum_hours: None,
                recipients: vec![],
                hosting_place: "mairie".into(),
                event_end: event_end.map(at),
            }),
            scan: None,
        }
    }

    #[test]
    fn an_act_holds_from_its_beginning_until_just_before_its_end() {
        let (act, at) = (order(100, None), UtcMicros::from_seconds);
        assert!(!act.holds_at(at(9)) && act.holds_at(at(10)) && act.holds_at(at(99)) && !act.holds_at(at(100)));
    }

    #[test]
    fn a_provisional_order_ends_with_its_event() {
        let at = UtcMicros::from_seconds;
        assert!(order(100, Some(50)).holds_at(at(49)) && !order(100, Some(50)).holds_at(at(50)));
        assert_eq!(order(100, Some(200)).end(), Some(at(100)));
    }

    #[test]
    fn a_kind_reads_back_from_its_name() {
        for kind in ActKind::ALL {
            assert_eq!(kind.name().parse::<ActKind>(), Ok(kind));
        }
    }
}
