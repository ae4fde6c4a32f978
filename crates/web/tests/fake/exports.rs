//! The keeper's script about requisitions and exports: one requisition that is complete, one export of this session's person.

use super::{CAMERA, NOW, PASSWORD, refused};
use domain::{
    ExportId, HoldEnd, HoldId, Requisition, RequisitionFacts, RequisitionId, Secret32, Sensitive, SiteId, Span, Window,
    requisition::{Adviser, Authority, Framework, Means, Opinion, Quality},
};
use keeper::wire::{
    Answer,
    exports::{
        EntryWords, ExportAnswer, ExportFacts, ExportQuestion, ExportView, Lack, LogWords, OpinionView, RequisitionView,
    },
    holds::{HoldAnswer, HoldQuestion, HoldSays, HoldView},
    papers::Pictures,
};
use ledger::{Actor, Checkpoint, CheckpointSigner, Digest, Entry, Event, LogId, Role, Tree, commit, origin};
use std::sync::Mutex;
use vault::KeeperError;

pub const EXPORT: ExportId = ExportId([0xe0; 16]);
pub const REQUISITION_ID: RequisitionId = RequisitionId([0x4e; 16]);

pub const REQUISITION: &str = r#"{"known":null,"received":"2026-07-14T10:00:00Z","means":"in-person","framework":"cpp60-1",
    "framework_other":"","authority":{"name":"n","quality":"opj","matricule":"1","service":"s","court":""},
    "authorisation_reference":null,"authorisation_general":null,"procedure":"1/2026","object":"o","windows":[],"scan":null,
    "genuine":null,"validator":"v"}"#;
pub const EXPORT_ASK: &str = r#"{"requisition":"4e4e4e4e4e4e4e4e4e4e4e4e4e4e4e4e","windows":[],"purpose":5,"recipient":null,"password":"x","code":"1",
    "second_name":"cheffe","second_password":"x","second_code":"1"}"#;

pub const ANSWER: &str = r#"{"outcome":"refused","ground":"no-authority","reason":"un assureur demande"}"#;
pub const DELIVERY: &str = r#"{"export":"e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0","at":"2026-07-14T10:00:00Z","medium":"clé USB 1","key_means":"téléphone",
    "recipient":"n","quality":"OPJ","receipt":null,"copies":1,"notes":""}"#;

pub const HOLD_ASK: &str = r#"{"requester":"commissariat","reason":"une agression","windows":[],"requisition":null}"#;

/// One hold that stands under the requisition, one that was lifted.
pub fn hold_answer(question: HoldQuestion) -> Answer {
    Answer::Hold(Box::new(match question {
        HoldQuestion::Open(ask) if ask.windows.len() > 1 => HoldAnswer::Refused(refused()),
        HoldQuestion::Open(_) => HoldAnswer::Opened(Box::new(hold())),
        HoldQuestion::List { .. } => {
            let ended = HoldView { hours: vec![], ended: Some((NOW, HoldEnd::Lifted)), is_destroyed: true, ..hold() };
            HoldAnswer::Holds(vec![hold(), ended])
        }
        HoldQuestion::Bind { .. } | HoldQuestion::Lift { .. } | HoldQuestion::May { .. } => HoldAnswer::Done,
    }))
}

fn hold() -> HoldView {
    let hour = domain::HourLength::PRODUCT.hour_of(NOW);
    HoldView {
        hold: HoldId([0x60; 16]),
        says: HoldSays {
            number: 7,
            leaf: 5,
            opened: NOW,
            who: Sensitive::new("operateur".into()),
            requester: Sensitive::new("commissariat".into()),
            reason: Sensitive::new("une agression ce matin".into()),
            windows: vec![],
        },
        hours: vec![keeper::wire::holds::HeldHour { hour, dies: NOW.plus_seconds(86_400) }],
        requisition: Some((REQUISITION_ID, "2026-0001".into())),
        kept: Some((2, 1_000, 0)),
        ended: None,
        is_destroyed: false,
        certificate: None,
    }
}

pub fn answer(question: ExportQuestion) -> Answer {
    Answer::Export(Box::new(match question {
        ExportQuestion::Register { says, .. } => {
            let lack = Lack {
                field: "scan".into(),
                article: "CPP 60-1".into(),
                text_fr: "La réquisition numérisée.".into(),
                text_en: "The scanned requisition.".into(),
            };
            let lacks = if says.scan.is_none() { vec![lack] } else { vec![] };
            ExportAnswer::Registered { id: REQUISITION_ID, label: "2026-0001".into(), lacks }
        }
        ExportQuestion::Answer { .. }
        | ExportQuestion::Deliver { .. }
        | ExportQuestion::Viewed { .. }
        | ExportQuestion::Opinion { .. } => {
            ExportAnswer::Registered { id: REQUISITION_ID, label: "2026-0001".into(), lacks: vec![] }
        }
        ExportQuestion::Opinions { .. } => ExportAnswer::Opinions(vec![OpinionView {
            requisition: REQUISITION_ID,
            number: "2026-0001".into(),
            received: NOW,
            framework: "procédure disciplinaire".into(),
            service: "s".into(),
            procedure: "1/2026".into(),
            object: text("o"),
            pictures: vec![Pictures { camera: "c".into(), place: "p".into(), span: window().span }],
            has_act: true,
            is_genuine: true,
            opinions: vec![Opinion {
                at: NOW,
                adviser: Adviser::HeadOfService,
                by: text("cheffe"),
                favourable: true,
                reason: text("acte vérifié"),
            }],
            may: Some(Adviser::Dpo),
        }]),
        ExportQuestion::Scan { part, .. } => {
            ExportAnswer::ScanHeld { bytes: part.offset + part.bytes.reveal().len() as u64 }
        }
        ExportQuestion::Requisitions { .. } => ExportAnswer::Requisitions(
            vec![RequisitionView {
                requisition: requisition(),
                version: 2,
                lacks: vec![],
                exports: vec![export()],
                letter: None,
            }],
            false,
        ),
        ExportQuestion::Open(ask) if ask.password.reveal() != PASSWORD => ExportAnswer::Denied { wait_seconds: 0 },
        ExportQuestion::Open(ask) => match ask.second.account.reveal().as_str() {
            "cheffe" => ExportAnswer::Opened(export()),
            "bloque" => ExportAnswer::Denied { wait_seconds: 30 },
            "incomplete" => ExportAnswer::Incomplete(vec![]),
            _ => ExportAnswer::Refused(refused()),
        },
        ExportQuestion::View { export: id, .. } if id == EXPORT => ExportAnswer::Opened(export()),
        ExportQuestion::Facts { export: id, .. } if id == EXPORT => ExportAnswer::Facts(Box::new(facts())),
        ExportQuestion::Permits { export: id, .. } if id == EXPORT => ExportAnswer::Permits(vec![]),
        ExportQuestion::CopyDestroyed { export: EXPORT, .. } => ExportAnswer::Made,
        ExportQuestion::Made { manifest, .. } => {
            *MADE.lock().unwrap() = Some(manifest);
            ExportAnswer::Made
        }
        ExportQuestion::Proof { .. } => MADE.lock().unwrap().map_or(ExportAnswer::Wait, proof),
        _ => return Answer::Failed(KeeperError::NoPermit),
    }))
}

/// The manifest of the package that is being made; those of one town and time are alike.
static MADE: Mutex<Option<Digest>> = Mutex::new(None);

pub fn signer() -> CheckpointSigner {
    CheckpointSigner::new(&origin(SiteId([1; 16]), LogId([5; 16])), &Secret32::new([6; 32])).unwrap()
}

/// A log of one entry, which says that this manifest left.
fn proof(manifest: Digest) -> ExportAnswer {
    let event = Event::Exported { export: EXPORT, manifest, files: 2, bytes: 1 };
    let entry = Entry::new(NOW, Actor::Role { role: Role::Keeper }, event);
    let details = String::from_utf8(entry.to_details().unwrap()).unwrap();
    let commitment = commit(&[3; 16], details.as_bytes());
    let mut tree = Tree::new();
    tree.push(&commitment);
    let path = tree.prove_inclusion(1, 0, &|_| Ok(vec![commitment])).unwrap();
    let checkpoint = signer().sign(Checkpoint { size: tree.size(), root: tree.root() }).unwrap();
    let entries = vec![EntryWords { seq: 0, salt: [3; 16], details: Sensitive::new(details), path }];
    ExportAnswer::Proof(LogWords { checkpoint: String::from_utf8(checkpoint).unwrap(), entries })
}

fn window() -> Window {
    Window { camera: CAMERA, span: Span::new(NOW.plus_seconds(-60), NOW).unwrap() }
}

fn text(text: &str) -> Sensitive<String> {
    Sensitive::new(text.into())
}

pub fn requisition() -> Requisition {
    let text = |text: &str| Sensitive::new(text.to_owned());
    let authority = Authority {
        name: text("n"),
        quality: Quality::Opj,
        matricule: text("1"),
        service: "s".into(),
        court: String::new(),
    };
    let says = RequisitionFacts {
        received: NOW,
        means: Means::Oral,
        authority,
        framework: Framework::Cpp60_1,
        framework_other: String::new(),
        authorisation: None,
        procedure: "1/2026".into(),
        object: text("o"),
        windows: vec![window()],
        scan: Some([0xab; 32]),
        genuine: None,
        validator: text("v"),
        answer: None,
        deliveries: vec![],
        viewings: vec![],
        written_by: vec![],
        opinions: vec![],
    };
    Requisition { id: REQUISITION_ID, year: 2026, number: 1, says }
}

fn export() -> ExportView {
    let until = NOW.plus_seconds(3 * 86_400);
    let links = vec![super::links::link()];
    ExportView {
        export: EXPORT,
        is_own: true,
        leaf: 7,
        opened: NOW,
        until,
        windows: vec![window()],
        manifest: None,
        links,
    }
}

fn facts() -> ExportFacts {
    ExportFacts {
        view: export(),
        sealed_to: None,
        site: SiteId([1; 16]),
        site_name: "Ville".into(),
        log_key: signer().public().verifier_key(),
        number: "2026-0001".into(),
        framework: "CPP 60-1".into(),
        authority: "s".into(),
        procedure: "1/2026".into(),
        cameras: vec![],
        law_pack: "fr 1".into(),
        clock_fr: "l'heure".into(),
        clock_en: "the time".into(),
    }
}
