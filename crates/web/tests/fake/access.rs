//! The script's register of requests for access: one that waits for its person's identity, one that was refused.

use super::{Answer, NOW};
use domain::{
    AccessFacts, AccessId, AccessRequest, Sensitive,
    access::{AccessMeans, AccessOutcome, AccessReply, RefusalGround, Wish},
};
use keeper::wire::{
    access::{AccessAnswer, AccessQuestion, AccessView, Frozen},
    exports::Lack,
};

pub const ENTRY: &str = r#"{"known":null,"received":"2026-07-14T10:00:00Z","means":"counter","wish":"view","person":"qui demande",
    "contact":"son adresse","words":"sur la place","windows":[]}"#;
pub const ANSWER: &str = r#"{"outcome":"refused","grounds":["proceedings"],"reason":"une procédure est en cours"}"#;

pub fn answer(question: AccessQuestion) -> Answer {
    Answer::Access(Box::new(match question {
        AccessQuestion::Register { freeze, says, .. } => AccessAnswer::Registered {
            id: AccessId([0xac; 16]),
            label: "DA-2026-0003".into(),
            lacks: vec![lack()],
            frozen: match (freeze, says.windows.is_empty()) {
                (_, true) => Frozen::Nothing,
                (true, false) => Frozen::Held,
                (false, false) => Frozen::NotAsked,
            },
        },
        AccessQuestion::List { before: Some(_), .. } => AccessAnswer::Requests(vec![], false),
        AccessQuestion::List { before: None, .. } => {
            AccessAnswer::Requests(vec![view(2, None), view(1, refused())], true)
        }
        AccessQuestion::Viewed { .. } => AccessAnswer::Incomplete(vec![lack()]),
        AccessQuestion::Identify { .. } | AccessQuestion::Answer { .. } | AccessQuestion::May { .. } => {
            AccessAnswer::Done
        }
    }))
}

fn lack() -> Lack {
    let text = |text: &str| text.to_owned();
    let (field, article) = (text("identity"), text("RGPD 12 § 6"));
    Lack { field, article, text_fr: text("Qui demande."), text_en: text("Who asks.") }
}

fn refused() -> Option<AccessReply> {
    let reason = Sensitive::new("une procédure est en cours".into());
    Some(AccessReply { at: NOW, outcome: AccessOutcome::Refused, grounds: vec![RefusalGround::Proceedings], reason })
}

pub fn refused_view() -> AccessView {
    view(1, refused())
}

fn view(number: u32, answer: Option<AccessReply>) -> AccessView {
    let text = |text: &str| Sensitive::new(text.to_owned());
    let letter = answer.as_ref().map(|_| (vec!["Objet".to_owned()], vec!["Object".to_owned()]));
    AccessView {
        version: 1,
        due: answer.is_none().then(|| NOW.plus_seconds(86_400)),
        dies: Some(NOW.plus_seconds(86_400)),
        frozen: Frozen::Held,
        lacks: vec![lack()],
        letter,
        request: AccessRequest {
            id: AccessId([0xac; 16]),
            year: 2026,
            number,
            says: AccessFacts {
                received: NOW,
                means: AccessMeans::Counter,
                wish: Wish::View,
                person: text("qui demande"),
                contact: text("son adresse"),
                words: text("sur la place"),
                windows: vec![],
                identity: None,
                holds: vec![],
                viewings: vec![],
                answer,
            },
        },
    }
}
