//! The letter that goes with an answer that hands over less than all, in both languages (law REQ-05 field 18, REQ-10). Pure: whoever
//! prints it adds nothing but the signature.

use crate::calendar::{day_en, day_fr};
use domain::{
    Requisition,
    requisition::{Ground, Outcome, Reply},
};

/// Paragraphs, the first one the object.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Letter {
    pub fr: Vec<String>,
    pub en: Vec<String>,
}

/// `None` where all that was asked for is handed over: the report of the handover says so.
pub fn letter(town: &str, requisition: &Requisition) -> Option<Letter> {
    let reply = requisition.says.answer.as_ref().filter(|reply| reply.outcome != Outcome::Whole)?;
    let ground = reply.ground.unwrap_or(Ground::Other);
    let (fr, en) = (opening(town, requisition, reply), words(ground));
    let reason = reply.reason.reveal().trim();
    Some(Letter {
        fr: vec![fr.0, fr.1, en.0.into(), format!("Précision de la commune : {reason}"), rights(ground).0.into()],
        en: vec![fr.2, fr.3, en.1.into(), format!("The town's own words: {reason}"), rights(ground).1.into()],
    })
}

/// Object and first sentence, French then English.
fn opening(town: &str, requisition: &Requisition, reply: &Reply) -> (String, String, String, String) {
    let (label, says) = (requisition.label(), &requisition.says);
    let named = |text: &str| (!text.trim().is_empty()).then(|| text.trim().to_owned());
    let whom = named(&says.authority.service).or(named(says.authority.name.reveal()));
    let (whom_fr, whom_en) = match &whom {
        Some(whom) => (format!("À l'attention de : {whom}. "), format!("For the attention of: {whom}. ")),
        None => <(String, String)>::default(),
    };
    let of = named(&says.procedure).map(|number| (format!(", procédure {number}"), format!(", procedure {number}")));
    let (of_fr, of_en) = of.unwrap_or_default();
    let (answer_fr, answer_en) = match reply.outcome {
        Outcome::Whole | Outcome::Partial => ("ne peut y répondre qu'en partie", "can answer it in part only"),
        Outcome::Negative => ("ne détient pas les images demandées", "does not hold the footage asked for"),
        Outcome::Refused => ("ne peut y donner suite", "cannot comply with it"),
    };
    (
        format!("Objet : votre demande reçue le {}{of_fr} ; numéro {label} de notre registre.", day_fr(says.received)),
        format!("{whom_fr}La commune ({town}) a examiné votre demande et {answer_fr}."),
        format!("Object: your request received on {}{of_en}; number {label} of our register.", day_en(says.received)),
        format!("{whom_en}The town ({town}) has examined your request and {answer_en}."),
    )
}

fn words(ground: Ground) -> (&'static str, &'static str) {
    match ground {
        Ground::Destroyed => (
            "Les images de cette période ont été détruites automatiquement au terme de leur délai de conservation (CSI L252-5 et R253-4). Leur destruction est inscrite au registre scellé de la commune ; sa preuve, que chacun peut vérifier hors ligne, vous est remise sur demande.",
            "The footage of this period was destroyed automatically at the end of its retention period (CSI L252-5 and R253-4). Its destruction stands in the town's sealed log; the proof, which anybody can check offline, is handed over to you on request.",
        ),
        Ground::NeverRecorded => (
            "Aucune caméra de la commune n'a enregistré ce lieu à ce moment : il n'y en a pas, ou celle qui s'y trouve ne fonctionnait pas ; la cause et la durée de l'interruption sont inscrites au registre.",
            "No camera of the town recorded this place at that time: there is none, or the one that is there did not work; the cause and length of the interruption stand in the log.",
        ),
        Ground::NoAuthority => (
            "Les images de vidéoprotection ne sont communiquées qu'aux autorités que la loi désigne (CSI R253-3 ; CPP 60-1, 77-1-1 et 99-3). Un assureur, une victime ou un particulier ne peut obtenir les images de tiers ; l'officier de police judiciaire ou le magistrat saisi de l'affaire peut les requérir, s'il le fait avant leur destruction.",
            "Footage of video protection is communicated to the authorities that the law names only (CSI R253-3; CPP 60-1, 77-1-1 and 99-3). An insurer, a victim or a private person cannot obtain the images of third parties; the officer of the judicial police or the magistrate in charge of the case can require them, before their destruction.",
        ),
        Ground::NoAuthorisation => (
            "En enquête préliminaire ou sur commission rogatoire, la remise demande l'autorisation du procureur de la République (individuelle, ou son instruction générale et sa date), ou le numéro de la commission rogatoire (CPP 77-1-1, 39-3 et 99-3). Elle n'a pas été produite ; dès qu'elle le sera, et tant que les images existent, la commune y répondra.",
            "In a preliminary inquiry or on letters rogatory, the handover needs the prosecutor's authorisation (individual, or the general instruction with its date), or the number of the commission rogatoire (CPP 77-1-1, 39-3 and 99-3). It was not shown; as soon as it is, and while the footage exists, the town will answer.",
        ),
        Ground::Other => (
            "Les raisons propres à cette demande sont dites ci-dessous.",
            "The reasons of this request's own are told below.",
        ),
    }
}

/// What whoever asked can do.
fn rights(ground: Ground) -> (&'static str, &'static str) {
    match ground {
        Ground::NoAuthority => (
            "Toute personne peut demander l'accès aux images qui la concernent elle-même (CSI R253-6 ; RGPD, article 15), et saisir la commission départementale de vidéoprotection (CSI L253-5) ou la CNIL.",
            "Everybody may ask for access to the images of themselves (CSI R253-6; GDPR, article 15), and turn to the departmental commission of video protection (CSI L253-5) or to the CNIL.",
        ),
        _ => (
            "La commune reste à la disposition de l'autorité requérante pour toute précision.",
            "The town remains at the disposal of the requiring authority for any detail.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{
        RequisitionFacts, RequisitionId, Sensitive, UtcMicros,
        requisition::{Authority, Framework, Means, Quality},
    };

    fn requisition_day() -> UtcMicros {
        UtcMicros::from_seconds(1_773_324_000)
    }

    fn answered(outcome: Outcome, ground: Option<Ground>) -> Requisition {
        let text = |text: &str| Sensitive::new(text.to_owned());
        let authority = Authority {
            name: text("nom"),
            quality: Quality::Opj,
            matricule: text("1"),
            service: "le commissariat".into(),
            court: String::new(),
        };
        let at = requisition_day();
        let says = RequisitionFacts {
            received: at,
            means: Means::Mail,
            authority,
            framework: Framework::Cpp60_1,
            framework_other: String::new(),
            authorisation: None,
            procedure: "PV 1".into(),
            object: text("objet"),
            windows: vec![],
            scan: None,
            genuine: None,
            validator: text("le maire"),
            answer: Some(Reply { at, outcome, ground, reason: text("la raison écrite") }),
            deliveries: vec![],
            viewings: vec![],
            written_by: vec![],
            opinions: vec![],
        };
        Requisition { id: RequisitionId([1; 16]), year: 2026, number: 7, says }
    }

    #[test]
    fn every_answer_but_a_whole_one_has_a_letter_that_says_whose_why_and_what_can_be_done() {
        assert_eq!(letter("Ville", &answered(Outcome::Whole, None)), None);
        for outcome in [Outcome::Partial, Outcome::Negative, Outcome::Refused] {
            for ground in Ground::ALL {
                let letter = letter("Ville", &answered(outcome, Some(*ground))).unwrap();
                let (fr, en) = (letter.fr.join("\n"), letter.en.join("\n"));
                assert!(fr.contains(&day_fr(requisition_day())) && en.contains(&day_en(requisition_day())), "{fr}");
                for said in ["2026-0007", "PV 1", "commissariat", "Ville", "la raison écrite"] {
                    assert!(fr.contains(said) && en.contains(said), "{said}: {fr}\n{en}");
                }
                assert_eq!((letter.fr.len(), letter.en.len()), (5, 5));
            }
        }
    }

    #[test]
    fn who_has_no_right_to_third_parties_images_is_told_of_the_right_to_the_own_ones() {
        let letter = letter("Ville", &answered(Outcome::Refused, Some(Ground::NoAuthority))).unwrap();
        assert!(letter.fr[2].contains("assureur") && letter.fr[4].contains("RGPD, article 15"), "{letter:?}");
    }
}
