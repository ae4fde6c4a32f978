//! What a requisition lacks before footage may leave under it (law REQ-02 to REQ-05). A missing field delays the export; whether to
//! refuse is a person's decision, for a refusal may be an offence (CPP 60-1).

use domain::{
    RequisitionFacts, UtcMicros,
    limit::ORAL_REQUISITION_SECONDS_MAX,
    requisition::{Authorisation, Framework, Means, Quality},
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
    let lines = words(requisition).into_iter().chain(papers(requisition, now));
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
    let may_wait = requisition.means == Means::Oral && now < confirmed_until;
    vec![
        // law REQ-03: another text is for two more persons to judge, and this version has no way to ask them
        (
            requisition.framework == Framework::Other,
            lack(
                "validation",
                "CSI R253-3, RGPD 39",
                "L'avis du responsable du service et du délégué à la protection des données sur cet autre texte : cette version ne sait pas encore le recueillir, et rien ne part d'ici là.",
                "The opinion of the head of the service and of the data-protection officer on this other text: this version cannot take it yet, and nothing leaves until then.",
            ),
        ),
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
            requisition.scan.is_none() && !may_wait,
            lack(
                "scan",
                "CPP 60-1",
                "La réquisition numérisée ; une réquisition orale se confirme par écrit dans les 24 heures.",
                "The scanned requisition; an oral one is confirmed in writing within 24 hours.",
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
        requisition::{Authority, CallBack, Window},
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
        assert_eq!(fields(|known| known.framework = Framework::Other, 0), ["framework_other", "validation"]);
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
    fn an_oral_one_waits_a_day_for_its_paper_and_no_longer() {
        let oral = |known: &mut RequisitionFacts| {
            known.means = Means::Oral;
            known.scan = None;
        };
        assert_eq!(fields(oral, 86_399), [""; 0]);
        assert_eq!(fields(oral, 86_400), ["scan"]);
    }
}
