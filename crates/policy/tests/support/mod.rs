//! What the tests of decisions share: the built-in law, a lawful request and its parts.
#![allow(dead_code)] // each test binary uses its part

use domain::{AccountId, CameraId, Purpose, Sensitive, Span, UtcMicros};
use policy::{Action, CameraFacts, Controller, Law, PersonFacts, Request, Role};
use std::sync::Arc;

/// 15 January 2027.
pub const NOW: UtcMicros = UtcMicros::from_seconds(1_800_000_000);
pub const REASON: &str = "chute d'une personne signalée par le 18";

pub fn law() -> Arc<Law> {
    Law::built_in().expect("the built-in pack is signed and whole")
}

pub fn lawful(action: Action) -> Request {
    Request {
        action,
        person: PersonFacts {
            account: AccountId([7; 16]),
            role: Role::Operator,
            habilitated: true,
            teams: vec![],
            territories: vec!["own".to_owned()],
        },
        controller: Controller::Commune,
        purpose: Some(Purpose::SafetyOfPersonsAndProperty),
        reason: Sensitive::new(REASON.to_owned()),
        cameras: vec![known(1)],
        span: (action == Action::Replay).then(|| Span::new(NOW.plus_seconds(-600), NOW).expect("forwards")),
        permit_seconds: 3_600,
        papers: vec![],
        second_person: false,
        now: NOW,
    }
}

pub fn known(number: u8) -> CameraFacts {
    CameraFacts {
        id: CameraId([number; 16]),
        name: format!("caméra {number}"),
        place: "place du marché".to_owned(),
        exists: true,
        recording: true,
        public_road: true,
        purposes: vec![Purpose::SafetyOfPersonsAndProperty, Purpose::PublicBuildings],
        missing: vec![],
        groups: vec![],
        territory: "own".to_owned(),
    }
}

pub fn unknown(number: u8) -> CameraFacts {
    CameraFacts { exists: false, recording: false, purposes: vec![], ..known(number) }
}
