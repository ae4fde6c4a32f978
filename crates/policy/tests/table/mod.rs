//! The table of capabilities: what the law says of each, for a commune and for the State, as a person wrote it down.
#![allow(dead_code)] // each test binary uses its part

use policy::{Action, Controller, Paper, Role};

/// One capability.
pub struct Row {
    pub number: &'static str,
    pub fr: &'static str,
    pub en: &'static str,
    pub action: Action,
    pub commune: Says,
    pub state: Says,
    /// What must hold besides, where it is gated.
    pub papers: &'static [Paper],
    /// A second person takes part, or the first paper of this pair says that none has to.
    pub second_person: Second,
    pub roles: &'static [Role],
    /// Whoever does it sees pictures.
    pub shows_pictures: bool,
    /// No more from this day on.
    pub until: Option<&'static str>,
    pub basis: &'static str,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Says {
    /// Allowed under the order, or only with its papers.
    Allowed,
    Gated,
    Forbidden,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Second {
    No,
    Yes,
    /// A paper spares it; the rule begins on that day.
    UnlessWaived(Paper, &'static str),
}

use Role::{Elected, MunicipalPolice, Operator, OtherAuthority, StateAgent};
use Says::{Allowed, Forbidden, Gated};

/// The capacities of CSI R253-3 II that see the public road.
const SEE: &[Role] = &[Elected, MunicipalPolice, Operator, StateAgent, OtherAuthority];
const HAND_OVER: &[Role] = &[Elected, MunicipalPolice, StateAgent, OtherAuthority];
const POLICE: &[Role] = &[MunicipalPolice, StateAgent];
const STATE: &[Role] = &[StateAgent];
const NOBODY: &[Role] = &[];

const fn row(number: &'static str, action: Action, fr: &'static str, en: &'static str, basis: &'static str) -> Row {
    Row {
        number,
        fr,
        en,
        action,
        commune: Forbidden,
        state: Forbidden,
        papers: &[],
        second_person: Second::No,
        roles: NOBODY,
        shows_pictures: true,
        until: None,
        basis,
    }
}

pub const ROWS: &[Row] = &[
    Row {
        commune: Allowed,
        state: Allowed,
        roles: SEE,
        ..row("1", Action::WatchLive, "voir en direct", "live viewing", "CSI L251-2, L252-1, R253-3 II, R253-5")
    },
    Row {
        commune: Allowed,
        state: Allowed,
        roles: &Role::ALL,
        shows_pictures: false,
        ..row("2", Action::Record, "enregistrer, sans le son", "recording, without sound", "CSI L252-5, R253-1, R253-4")
    },
    Row {
        commune: Allowed,
        state: Allowed,
        roles: SEE,
        ..row("3", Action::Replay, "relire", "replay", "CSI R253-3, R253-5 ; Cass. crim. 13 nov. 2024")
    },
    Row {
        commune: Gated,
        state: Gated,
        roles: HAND_OVER,
        papers: &[Paper::Requisition],
        second_person: Second::UnlessWaived(Paper::MayorWaivesSecondPerson, "2024-11-13"),
        ..row(
            "4",
            Action::ExportRequisition,
            "extraire sur réquisition",
            "export on requisition",
            "CPP 60-1, 77-1-1, 99-3",
        )
    },
    Row {
        commune: Gated,
        state: Gated,
        roles: HAND_OVER,
        papers: &[Paper::ReasonedAct, Paper::DpoOpinion],
        second_person: Second::Yes,
        ..row(
            "4b",
            Action::ExportProcedure,
            "extraire pour une procédure administrative ou disciplinaire",
            "export for an administrative or disciplinary procedure",
            "CSI R253-3 III 3°, R253-4",
        )
    },
    Row {
        commune: Gated,
        state: Gated,
        roles: SEE,
        papers: &[Paper::StateRecipients, Paper::RelayConvention, Paper::RelayAgents],
        ..row(
            "5",
            Action::Relay,
            "renvoyer vers la police ou la gendarmerie",
            "live relay to police or gendarmerie",
            "CSI L252-3",
        )
    },
    Row {
        commune: Gated,
        state: Gated,
        roles: SEE,
        papers: &[Paper::AccessRequest],
        ..row(
            "6",
            Action::AccessRequest,
            "répondre à une personne filmée",
            "answer a person who was filmed",
            "CSI R253-6 II-IV, RGPD art. 15",
        )
    },
    Row {
        commune: Gated,
        state: Gated,
        roles: POLICE,
        papers: &[Paper::VerbalisationOrder, Paper::VerbalisationSigns],
        ..row(
            "7",
            Action::Verbalise,
            "vidéoverbaliser",
            "fine by video",
            "CSI L251-2 4°, CR L121-2, L121-3, R121-6, R130-2",
        )
    },
    row("8", Action::CaptureSound, "capter le son", "capture sound", "CSI R253-1, TA Orléans 12 juill. 2024"),
    row("9", Action::RecordUnmasked, "enregistrer sans masque", "record without masks", "CSI L251-3"),
    Row {
        commune: Gated,
        state: Gated,
        roles: SEE,
        papers: &[Paper::Copy],
        ..row(
            "9b",
            Action::BlurCopy,
            "flouter des tiers dans une copie",
            "blur third parties in a copy",
            "RGPD art. 15, 25",
        )
    },
    Row {
        state: Gated,
        roles: STATE,
        papers: &[Paper::PlateArticle],
        ..row(
            "10",
            Action::ReadPlates,
            "lire les plaques pour la police",
            "read plates for the police",
            "CE 27 juin 2016 n° 385091",
        )
    },
    row("10b", Action::ReadPlatesParking, "lire les plaques, stationnement", "read plates, parking", "CGCT L2333-87"),
    row(
        "10c",
        Action::ReadPlatesLanes,
        "lire les plaques, voies réservées",
        "read plates, reserved lanes",
        "CR L130-9-1",
    ),
    Row {
        commune: Gated,
        state: Gated,
        roles: POLICE,
        papers: &[Paper::EventOrder, Paper::EventPerimeter, Paper::Dpia],
        until: Some("2025-04-01"),
        ..row(
            "11",
            Action::DetectEvent,
            "détecter les huit événements, lors d'une manifestation",
            "detect the eight events, at a gathering",
            "loi 2023-380 art. 10, décret 2023-828",
        )
    },
    row("12", Action::DetectOther, "toute autre détection", "any other detection", "CE 30 janv. 2026 n° 506370"),
    row(
        "13",
        Action::SearchAttributes,
        "chercher par l'apparence",
        "search by appearance",
        "TA Grenoble 24 janv. 2025",
    ),
    Row {
        state: Gated,
        roles: STATE,
        papers: &[Paper::MatchingAuthorisation],
        ..row(
            "13b",
            Action::SearchUnderRequisition,
            "chercher dans les images sur réquisition",
            "search pictures under a requisition",
            "CPP 230-20 à 230-27",
        )
    },
    Row {
        commune: Gated,
        state: Gated,
        roles: SEE,
        papers: &[Paper::AnonymousAtTheEdge, Paper::Dpia, Paper::CountingNotice],
        ..row("14", Action::Count, "compter", "count", "CNIL 2022, 2024 ; CE 30 janv. 2026")
    },
    row(
        "15",
        Action::RecogniseFace,
        "reconnaître les visages",
        "recognise faces",
        "RGPD art. 9, règlement 2024/1689 art. 5",
    ),
    row(
        "16",
        Action::Categorise,
        "classer les personnes",
        "categorise persons",
        "CSI R253-1, règlement 2024/1689 art. 5",
    ),
    row("17", Action::TrackAcrossCameras, "suivre d'une caméra à l'autre", "track across cameras", "CE 30 janv. 2026"),
    row("18", Action::DetectEmotion, "reconnaître les émotions", "detect emotions", "règlement 2024/1689 art. 5"),
    row("19", Action::ScoreBehaviour, "noter les comportements", "score behaviour", "règlement 2024/1689 art. 5"),
    row("20", Action::Interconnect, "rapprocher d'autres fichiers", "match with other files", "CSI R253-1"),
    Row {
        commune: Allowed,
        state: Allowed,
        roles: SEE,
        ..row("21", Action::ExternalTrigger, "afficher sur alarme extérieure", "show on an outside alarm", "CSI R253-5")
    },
    row("22", Action::TrainModel, "entraîner un programme", "train a program", "CP 226-21"),
    row(
        "23",
        Action::WatchContentHealth,
        "surveiller l'état des caméras par le contenu",
        "watch cameras' health by content",
        "CE 30 janv. 2026",
    ),
];

impl Row {
    /// Whether the law leaves it open to a town's permit.
    pub fn expects(
        &self,
        controller: Controller,
        role: Role,
        date: &str,
        papers: &[Paper],
        habilitated: bool,
        second_person: bool,
    ) -> bool {
        let says = if controller == Controller::Commune { self.commune } else { self.state };
        let sees_the_road = ![Role::PremisesAgent, Role::PrivateOperator].contains(&role);
        // what the State does with pictures of its own right, elsewhere, needs no order of the prefect
        let of_the_state = [Action::ReadPlates, Action::SearchUnderRequisition, Action::DetectEvent, Action::Count];
        let receives = self.action != Action::Record && !of_the_state.contains(&self.action);
        let by_order = role != Role::StateAgent || !receives || papers.contains(&Paper::StateRecipients);
        let second = match self.second_person {
            Second::No => true,
            Second::Yes => second_person,
            Second::UnlessWaived(paper, since) => second_person || date < since || papers.contains(&paper),
        };
        // ISO dates compare as text
        let in_time = self.until.is_none_or(|until| date < until);
        let is_personal = self.action != Action::Record;
        match says {
            Forbidden => false,
            Allowed | Gated => {
                self.roles.contains(&role)
                    && (!is_personal || (habilitated && sees_the_road))
                    && by_order
                    && second
                    && in_time
                    && self.papers.iter().all(|paper| papers.contains(paper))
            }
        }
    }
}
