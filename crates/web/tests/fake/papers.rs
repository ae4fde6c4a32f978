//! What the script's keeper tells for papers: a requisition that was answered in part and handed over, a request for access that was
//! refused, a hold that ended, an hour that is dead, a journal of one export.

use super::{
    Answer, CAMERA, NOW, access,
    exports::{EXPORT, REQUISITION_ID, requisition},
};
use domain::{
    HoldEnd, HoldId, HourLength, Sensitive, Span,
    requisition::{Delivery, Ground, Outcome, Reply},
};
use keeper::wire::{
    FateState, HourFate,
    exports::RequisitionView,
    papers::{
        DestructionPaper, ExportLine, HoldPaper, PaperAnswer, PaperQuestion, PaperSays, PaperTown, Pictures,
        RequisitionPaper, TownPerson,
    },
};

pub const HOLD: HoldId = HoldId([0x60; 16]);

pub fn answer(question: PaperQuestion) -> Answer {
    let says = match question {
        PaperQuestion::Requisition { id, .. } if id == REQUISITION_ID => {
            PaperSays::Requisition(Box::new(RequisitionPaper {
                view: view(),
                windows: vec![pictures()],
                exports: vec![line()],
            }))
        }
        PaperQuestion::Access { id, .. } if id == access::refused_view().request.id => {
            PaperSays::Access(Box::new(access::refused_view()))
        }
        PaperQuestion::Hold { id, .. } if id == HOLD => PaperSays::Hold(Box::new(hold())),
        PaperQuestion::Destruction { window, .. } if window.camera == CAMERA => {
            PaperSays::Destruction(Box::new(destruction()))
        }
        PaperQuestion::Destruction { .. } => PaperSays::NotYet,
        PaperQuestion::Exports { .. } => PaperSays::Exports(vec![line()], 99),
        _ => PaperSays::Unknown,
    };
    let town = PaperTown { name: "Ville d'essai".into(), log_key: "ville+1+clé".into(), checkpoint: None };
    Answer::Paper(Box::new(PaperAnswer { town, says }))
}

fn text(text: &str) -> Sensitive<String> {
    Sensitive::new(text.to_owned())
}

fn view() -> RequisitionView {
    let mut requisition = requisition();
    let reason = text("une caméra était en panne");
    requisition.says.answer =
        Some(Reply { at: NOW, outcome: Outcome::Partial, ground: Some(Ground::NeverRecorded), reason });
    let letter = |object: &str, rest: &str| vec![object.to_owned(), rest.to_owned()];
    RequisitionView {
        requisition,
        version: 3,
        lacks: vec![],
        exports: vec![],
        letter: Some((
            letter("Objet : votre demande.", "La commune répond."),
            letter("Object: your request.", "We answer."),
        )),
    }
}

fn pictures() -> Pictures {
    let span = Span::new(NOW.plus_seconds(-60), NOW).unwrap();
    Pictures { camera: "place du marché".into(), place: "angle nord".into(), span }
}

fn person(name: &str) -> TownPerson {
    TownPerson { name: text(name), role: "municipal-police".into(), habilitation: "H-2026-3".into() }
}

fn line() -> ExportLine {
    ExportLine {
        export: EXPORT,
        entry: 7,
        made: Some(9),
        opened: NOW,
        number: "2026-0001".into(),
        framework: "CPP 60-1".into(),
        pictures: vec![pictures()],
        executed: Some(person("agent un")),
        second: Some(TownPerson { name: text(""), ..person("") }),
        manifest: Some(evidence::Digest([0xdd; 32])),
        delivery: Some(Delivery {
            export: EXPORT,
            at: NOW,
            medium: "clé USB 1".into(),
            key_means: "téléphone".into(),
            recipient: text("officier de permanence"),
            quality: "OPJ".into(),
            receipt: None,
            copies: 1,
            notes: text(""),
        }),
        copy_destroyed: Some((NOW.plus_seconds(1), 12)),
    }
}

fn hold() -> HoldPaper {
    HoldPaper {
        number: 7,
        opened: NOW,
        requester: text("commissariat"),
        pictures: vec![pictures()],
        requisition: Some("2026-0001".into()),
        ended: NOW,
        whys: vec![HoldEnd::Delivered],
        destroyed: NOW,
        entries: [vec![5], vec![11], vec![12]],
        custodian: ("Des fichiers.".into(), "Files.".into()),
    }
}

fn destruction() -> DestructionPaper {
    let hour = HourLength::PRODUCT.hour_of(NOW);
    let deadline = hour.start().plus_seconds(30 * 86_400);
    DestructionPaper {
        pictures: pictures(),
        hours: vec![HourFate {
            hour,
            state: FateState::Destroyed,
            deadline: Some(deadline),
            destroyed_at: Some(deadline.plus_seconds(-300)),
        }],
        early: false,
        condemned: vec![20],
        destroyed: vec![21],
        kind: "file".into(),
        copies: 2,
        custodian: ("Des fichiers.".into(), "Files.".into()),
        residual_bytes: 0,
        holds: vec![7],
    }
}
