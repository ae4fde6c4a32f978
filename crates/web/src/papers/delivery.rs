//! The report of a handover, from the register's line of its requisition: the nineteen fields of REQ-05.

use super::fill::{footage, log, pick, quality};
use documents::{
    At, Delivery, Language, Sha256,
    delivery::{Agent, Authorisation, Authority, CallBack, Package, Reply, Segment},
};
use domain::{ExportId, requisition};
use evidence::MANIFEST;
use keeper::wire::papers::{ExportLine, PaperTown, RequisitionPaper, TownPerson};

/// `None`: this package was not handed over under it.
pub fn report(known: &RequisitionPaper, export: ExportId, town: &PaperTown, language: Language) -> Option<Delivery> {
    let line = known.exports.iter().find(|line| line.export == export)?;
    let (delivery, manifest) = line.delivery.as_ref().zip(line.manifest)?;
    let requisition = &known.view.requisition;
    let says = &requisition.says;
    Some(Delivery {
        number: requisition.label(),
        received: At(says.received),
        means: says.means,
        authority: authority(&says.authority),
        framework: says.framework_title(),
        authorisation: says.authorisation.as_ref().map(authorisation),
        procedure: says.procedure.clone(),
        object: says.object.clone(),
        windows: known.windows.iter().cloned().map(footage).collect(),
        scan: says.scan.map(Sha256),
        genuine: says.genuine.as_ref().map(call_back),
        validator: says.validator.clone(),
        executed: agent(line.executed.as_ref(), language),
        second: line.second.as_ref().map(|person| agent(Some(person), language)),
        segments: segments(line),
        gaps: Vec::new(), // the manifest tells them, file by file
        package: Package { name: MANIFEST.into(), bytes: None, sha256: Sha256(manifest.0) },
        files: Vec::new(),
        log: log(town),
        entries: [Some(line.entry), line.made, line.copy_destroyed.map(|(_, entry)| entry)]
            .into_iter()
            .flatten()
            .collect(),
        file_format: pick(
            language,
            "MP4, images d'origine ; lecteur joint au dossier",
            "MP4, pictures as they were sent; the player is in the package",
        )
        .into(),
        medium: delivery.medium.clone(),
        key_means: delivery.key_means.clone(),
        at: At(delivery.at),
        recipient: delivery.recipient.clone(),
        quality: delivery.quality.clone(),
        receipt: delivery.receipt.map(Sha256),
        copies: delivery.copies,
        own_copy_destroyed: line.copy_destroyed.map(|(at, _)| At(at)),
        answer: says.answer.as_ref().map(reply),
        notes: delivery.notes.clone(),
    })
}

fn segments(line: &ExportLine) -> Vec<Segment> {
    let of =
        |pictures| Segment { footage: footage(pictures), pictures: None, coding: String::new(), masks: String::new() };
    line.pictures.iter().cloned().map(of).collect()
}

fn authority(known: &requisition::Authority) -> Authority {
    Authority {
        name: known.name.clone(),
        quality: known.quality,
        matricule: known.matricule.clone(),
        service: known.service.clone(),
        court: known.court.clone(),
    }
}

fn authorisation(known: &requisition::Authorisation) -> Authorisation {
    match known {
        requisition::Authorisation::Individual { reference } => {
            Authorisation::Individual { reference: reference.clone() }
        }
        requisition::Authorisation::General { signed } => Authorisation::General { signed: At(*signed) },
    }
}

fn call_back(known: &requisition::CallBack) -> CallBack {
    CallBack { at: At(known.at), number: known.number.clone(), spoken_to: known.spoken_to.clone() }
}

fn agent(known: Option<&TownPerson>, language: Language) -> Agent {
    let Some(TownPerson { name, role, habilitation }) = known.cloned() else {
        return Agent { name: Default::default(), quality: String::new(), habilitation: String::new() };
    };
    Agent { name, quality: quality(&role, language).into(), habilitation }
}

fn reply(known: &requisition::Reply) -> Reply {
    Reply { outcome: known.outcome, ground: known.ground, reason: known.reason.clone() }
}
