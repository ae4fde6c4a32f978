//! What the law in force says of a capability at its best: for who wonders whether anything would open it. Nothing is opened.

use crate::core::KeeperCore;
use domain::{AccountId, CameraId, Purpose, Role, Sensitive, Span};
use policy::{Action, CameraFacts, Controller, Decision, Paper, PersonFacts, Request, territory};

/// What is said where a look would say why: it is nobody's.
const REASON: &str = "question posée au recueil de règles · a question to the law pack";
const PERMIT_SECONDS: i64 = 60;
const SPAN_SECONDS: i64 = 60;

impl KeeperCore {
    /// By the pack and the town's rules in force: the town's own habilitated person, every paper, a second person, a purpose, a
    /// reason, a camera that lacks nothing. What is refused even so opens by no paper of the town.
    pub(crate) fn law_says(&self, action: Action, role: Role) -> Decision {
        let now = self.decision_time();
        let span = Span::new(now.plus_seconds(-SPAN_SECONDS), now).ok().filter(|_| action != Action::WatchLive);
        self.law().decide(&Request {
            action,
            person: person(role),
            controller: Controller::Commune,
            purpose: Some(Purpose::SafetyOfPersonsAndProperty),
            reason: Sensitive::new(REASON.to_owned()),
            cameras: vec![camera()],
            span,
            permit_seconds: PERMIT_SECONDS,
            papers: Paper::ALL.to_vec(),
            second_person: true,
            now,
        })
    }
}

fn person(role: Role) -> PersonFacts {
    let territories = vec![territory::OWN.to_owned()];
    PersonFacts { account: AccountId([0; 16]), role, habilitated: true, teams: vec![], territories }
}

fn camera() -> CameraFacts {
    CameraFacts {
        id: CameraId([0; 16]),
        name: String::new(),
        place: String::new(),
        exists: true,
        recording: true,
        public_road: true,
        purposes: Purpose::ALL.to_vec(),
        missing: vec![],
        groups: vec![],
        territory: territory::OWN.to_owned(),
    }
}
