//! What a requisition lacks before footage may leave under it (law REQ-02 to REQ-05). A missing field delays the export; whether to
//! refuse is a person's decision, for a refusal may be an offence (CPP 60-1).

use domain::{
    RequisitionFacts, UtcMicros,
    limit::ORAL_REQUISITION_SECONDS_MAX,
    requisition::{Adviser, Authorisation, Framework, Means, Quality},
};
use serde::{Deserialize, Serialize};

/// One thing that is missing, and how it comes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Lack {
    /// Name of the field, as the register's form has it.
    pub field: String,
    pub article: String,
    pub text_fr: String,
    pub text_en: String,
}

/// Everything that is missing at `now`; none: it is complete.
pub fn lacking(requisition: &RequisitionFacts, now: UtcMicros) -> Vec<Lack> {
    let lines = words(requisition).into_iter().chain(papers(requisition, now)).chain(opinions(requisition));
    lines.filter(|(is_missing, _)| *is_missing).map(|(_, lack)| lack).collect()
}

/// What is written in it.
fn words(requisition: &RequisitionFacts) -> Vec<(bool, Lack)> {
    const REGISTER: &str = "CSI R253-5";
    let is_empty = |text: &str| text.trim().is_empty();
    let authority = &requisition.authority;
    let other = requisition.framework == Framework::Other;
    vec![
        (
            is_empty(authority.name.reveal()),
            lack("authority.name", REGISTER, "Le nom de qui requiert.", "The name of who requires."),
        ),
        (
            is_empty(&authority.service),
            lack("authority.service", REGISTER, "Le service de qui requiert.", "The service of who requires."),
        ),
        (
            is_empty(&requisition.procedure),
            lack("procedure", REGISTER, "Le numéro de la procédure.", "The number of the procedure."),
        ),
        (
            is_empty(requisition.object.reveal()),
            lack(
                "object",
                REGISTER,
                "L'infraction ou l'objet, tel qu'écrit.",
                "The offence or the object, as written.",
            ),
        ),
        (
            requisition.windows.is_empty(),
            lack("windows", REGISTER, "Les caméras et les heures demandées.", "The cameras and hours asked for."),
        ),
        (
            is_empty(requisition.validator.reveal()),
            lack("validator", REGISTER, "Qui a validé pour la commune.", "Who validated it for the town."),
        ),
        (
            other && is_empty(&requisition.framework_other),
            lack("framework_other", "CPP", "Le texte sur lequel elle se fonde.", "The text on which it stands."),
        ),
    ]
}

/// What comes with it.
fn papers(requisition: &RequisitionFacts, now: UtcMicros) -> Vec<(bool, Lack)> {
    let needs_authorisation = match requisition.framework {
        Framework::Cpp77_1_1 => requisition.authority.quality != Quality::Prosecutor,
        Framework::Cpp99_3 => requisition.authority.quality != Quality::InvestigatingJudge,
        _ => false,
    };
    // a general instruction (CPP 39-3) covers preliminary inquiries, no commission rogatoire
    let is_authorised = match &requisition.authorisation {
        Some(Authorisation::Individual { reference }) => !reference.trim().is_empty(),
        Some(Authorisation::General { .. }) => requisition.framework == Framework::Cpp77_1_1,
        None => false,
    };
    let confirmed_until = requisition.received.plus_seconds(ORAL_REQUISITION_SECONDS_MAX);
    // the act by which another authority asks is a writing from the beginning
    let is_procedure = requisition.framework.is_procedure();
    let may_wait = requisition.means == Means::Oral && now < confirmed_until && !is_procedure;
    vec![
        (
            needs_authorisation && !is_authorised,
            lack(
                "authorisation",
                "CPP 77-1-1, 99-3, 39-3",
                "L'autorisation du procureur (individuelle, ou instruction générale et sa date), ou le numéro de la commission rogatoire.",
                "The prosecutor's authorisation (individual, or the general instruction and its date), or the number of the commission rogatoire.",
            ),
        ),
        (
            requisition.genuine.is_none(),
            lack(
                "genuine",
                "CPP 60-1",
                "La preuve qu'elle est authentique : rappelez le service au numéro que la commune connaissait déjà.",
                "The proof that it is genuine: call the service back at the number that the town knew before.",
            ),
        ),
        (
            requisition.scan.is_none() && is_procedure,
            lack(
                "scan",
                "CSI R253-3 III 3°, R253-4",
                "L'acte motivé de l'autorité qui conduit la procédure, numérisé.",
                "The reasoned act of the authority that conducts the procedure, scanned.",
            ),
        ),
        (
            requisition.scan.is_none() && !is_procedure && !may_wait,
            lack(
                "scan",
                "CPP 60-1",
                "La réquisition numérisée ; une réquisition orale se confirme par écrit dans les 24 heures.",
                "The scanned requisition; an oral one is confirmed in writing within 24 hours.",
            ),
        ),
    ]
}

/// Outside the requisitions of the CPP two more persons judge (law REQ-03; law.md section 11, 4b). The last opinion of each counts.
fn opinions(requisition: &RequisitionFacts) -> Vec<(bool, Lack)> {
    let takes = requisition.framework.takes_opinions();
    let head = requisition.opinion_of(Adviser::HeadOfService).map(|opinion| opinion.favourable);
    let dpo = requisition.opinion_of(Adviser::Dpo).map(|opinion| opinion.favourable);
    let missing = |of: Option<bool>| takes && of.is_none();
    let unfavourable = |of: Option<bool>| takes && of == Some(false);
    vec![
        (
            missing(head),
            lack(
                "opinion.head-of-service",
                "CSI R253-2, R253-3",
                "L'avis du responsable du service, qui est un autre agent que ceux qui ont inscrit la demande.",
                "The opinion of the head of the service, who is another agent than those who entered the request.",
            ),
        ),
        (
            unfavourable(head),
            lack(
                "opinion.head-of-service",
                "CSI R253-2, R253-3",
                "Un avis favorable du responsable du service : le sien est défavorable.",
                "A favourable opinion of the head of the service: the present one is unfavourable.",
            ),
        ),
        (
            missing(dpo),
            lack(
                "opinion.dpo",
                "RGPD 39 ; loi 78-17 art. 99",
                "L'avis du délégué à la protection des données.",
                "The opinion of the data-protection officer.",
            ),
        ),
        (
            unfavourable(dpo),
            lack(
                "opinion.dpo",
                "RGPD 39 ; loi 78-17 art. 99",
                "Un avis favorable du délégué à la protection des données : le sien est défavorable.",
                "A favourable opinion of the data-protection officer: the present one is unfavourable.",
            ),
        ),
    ]
}

pub(crate) fn lack(field: &str, article: &str, text_fr: &str, text_en: &str) -> Lack {
    Lack { field: field.into(), article: article.into(), text_fr: text_fr.into(), text_en: text_en.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{
        CameraId, Sensitive, Span,
        requisition::{Authority, CallBack, Opinion, Window},
    };

    fn complete() -> RequisitionFacts {
        let text = |text: &str| Sensitive::new(text.to_owned());
        let at = UtcMicros::from_seconds(1_773_324_000);
        RequisitionFacts {
            received: at,
            means: Means::InPerson,
            authority: Authority {
                name: text("name"),
                quality: Quality::Opj,
                matricule: text("1"),
                service: "service".into(),
                court: "court".into(),
            },
            framework: Framework::Cpp60_1,
            framework_other: String::new(),
            authorisation: None,
            procedure: "1/2026".into(),
            object: text("object"),
            windows: vec![Window { camera: CameraId([2; 16]), span: Span::new(at, at.plus_seconds(60)).unwrap() }],
            scan: Some([3; 32]),
            genuine: Some(CallBack { at, number: "17".into(), spoken_to: text("name") }),
            validator: text("name"),
            answer: None,
            deliveries: vec![],
            viewings: vec![],
            written_by: vec![],
            opinions: vec![],
        }
    }

    fn fields(change: impl Fn(&mut RequisitionFacts), after_seconds: i64) -> Vec<String> {
        let mut requisition = complete();
        change(&mut requisition);
        let now = requisition.received.plus_seconds(after_seconds);
        lacking(&requisition, now).into_iter().map(|lack| lack.field).collect()
    }

    #[test]
    fn each_missing_field_is_named_and_a_complete_one_lacks_nothing() {
        assert_eq!(fields(|_| {}, 0), [""; 0]);
        assert_eq!(fields(|known| known.procedure = " ".into(), 0), ["procedure"]);
        assert_eq!(fields(|known| known.windows.clear(), 0), ["windows"]);
        assert_eq!(fields(|known| known.genuine = None, 0), ["genuine"]);
        assert_eq!(fields(|known| known.authority.service.clear(), 0), ["authority.service"]);
        assert_eq!(fields(|known| known.scan = None, 0), ["scan"]);
        assert_eq!(
            fields(|known| known.framework = Framework::Other, 0),
            ["framework_other", "opinion.head-of-service", "opinion.dpo"]
        );
    }

    #[test]
    fn a_preliminary_inquiry_needs_the_prosecutor_unless_he_requires_himself() {
        let preliminary = |known: &mut RequisitionFacts| known.framework = Framework::Cpp77_1_1;
        assert_eq!(fields(preliminary, 0), ["authorisation"]);
        let allowed = |known: &mut RequisitionFacts| {
            preliminary(known);
            known.authorisation = Some(Authorisation::General { signed: UtcMicros(0) });
        };
        assert_eq!(fields(allowed, 0), [""; 0]);
        let rogatory = |known: &mut RequisitionFacts| {
            allowed(known);
            known.framework = Framework::Cpp99_3;
        };
        assert_eq!(fields(rogatory, 0), ["authorisation"], "a general instruction covers no commission rogatoire");
        let himself = |known: &mut RequisitionFacts| {
            preliminary(known);
            known.authority.quality = Quality::Prosecutor;
        };
        assert_eq!(fields(himself, 0), [""; 0]);
    }

    #[test]
    fn another_text_waits_for_two_favourable_opinions_and_the_last_of_each_counts() {
        let says = |known: &mut RequisitionFacts, adviser, favourable| {
            let (at, by, reason) = (known.received, Sensitive::default(), Sensitive::default());
            known.opinions.push(Opinion { at, adviser, by, favourable, reason });
        };
        for framework in [Framework::Administrative, Framework::Disciplinary, Framework::Other] {
            let other = |known: &mut RequisitionFacts| {
                known.framework = framework;
                known.framework_other = "code des douanes, art. 65".into();
            };
            assert_eq!(fields(other, 0), ["opinion.head-of-service", "opinion.dpo"], "{framework:?}");
            let against = |known: &mut RequisitionFacts| {
                other(known);
                says(known, Adviser::HeadOfService, true);
                says(known, Adviser::Dpo, true);
                says(known, Adviser::Dpo, false);
            };
            assert_eq!(fields(against, 0), ["opinion.dpo"], "{framework:?}");
            let both = |known: &mut RequisitionFacts| {
                against(known);
                says(known, Adviser::Dpo, true);
            };
            assert_eq!(fields(both, 0), [""; 0], "{framework:?}");
        }
    }

    #[test]
    fn a_procedure_has_its_act_in_writing_from_the_beginning() {
        let oral = |known: &mut RequisitionFacts| {
            known.framework = Framework::Disciplinary;
            known.means = Means::Oral;
            known.scan = None;
        };
        assert_eq!(fields(oral, 0), ["scan", "opinion.head-of-service", "opinion.dpo"]);
    }

    #[test]
    fn an_oral_one_waits_a_day_for_its_paper_and_no_longer() {
        let oral = |known: &mut RequisitionFacts| {
            known.means = Means::Oral;
            known.scan = None;
        };
        assert_eq!(fields(oral, 86_399), [""; 0]);
        assert_eq!(fields(oral, 86_400), ["scan"]);
    }
}
