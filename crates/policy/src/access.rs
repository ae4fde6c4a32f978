//! What a request for access lacks, by when it is answered, and the letter that answers it (law DP-09; CSI L253-5, R253-6).

use crate::{
    calendar::{day_en, day_fr, months_after},
    letter::Letter,
    requisition::{Lack, lack},
};
use domain::{
    AccessFacts, AccessRequest, UtcMicros,
    access::{AccessOutcome, AccessReply, RefusalGround, Wish},
    limit::REASON_CHARS_MIN,
};

/// Of the law pack: within so many months it is answered (GDPR 12 § 3).
pub const MONTHS_FACT: &str = "access-answer-months-max";

/// By when it is answered: within the months of the law pack, at once where it names none, and while the footage lives: an answer
/// after its death is none.
pub fn due(received: UtcMicros, months: Option<i64>, footage_dies: Option<UtcMicros>) -> UtcMicros {
    let months = months.and_then(|months| i32::try_from(months).ok()).unwrap_or_default();
    let by_law = months_after(received, months);
    footage_dies.map_or(by_law, |dies| dies.min(by_law))
}

/// What must be known before anybody is shown or told anything of pictures.
pub fn lacking(request: &AccessFacts) -> Vec<Lack> {
    let is_empty = |text: &str| text.trim().is_empty();
    let all = [
        (is_empty(request.person.reveal()), lack("person", "RGPD 12 § 6", "Qui demande.", "Who asks.")),
        (is_empty(request.contact.reveal()), lack("contact", "RGPD 12", "Où la réponse va.", "Where the answer goes.")),
        (
            request.windows.is_empty(),
            lack(
                "windows",
                "RGPD 15",
                "Les caméras et les heures que désignent les mots de la personne.",
                "The cameras and hours that the person's words mean.",
            ),
        ),
        (
            request.identity.is_none(),
            lack(
                "identity",
                "RGPD 12 § 6",
                "La vérification de l'identité : une pièce présentée, dont aucune copie n'est gardée.",
                "The check of identity: a document that was shown, of which no copy is kept.",
            ),
        ),
    ];
    all.into_iter().filter(|(is_missing, _)| *is_missing).map(|(_, lack)| lack).collect()
}

/// What is wrong with an answer; what the log says of the footage is the caller's to hold it to.
pub fn answer_lacks(request: &AccessFacts, reply: &AccessReply) -> Vec<Lack> {
    use AccessOutcome::{Destroyed, NeverRecorded, NothingFound, Refused, Unidentified, Viewed, Withdrawn};
    let about_pictures = matches!(reply.outcome, Viewed | NothingFound | Refused | Destroyed | NeverRecorded);
    let mut lacks = if about_pictures { lacking(request) } else { Vec::new() };
    if matches!(reply.outcome, Destroyed | NeverRecorded) {
        lacks.retain(|lack| lack.field != "identity"); // nothing of anybody is told
    }
    let chars = reply.reason.reveal().trim().chars().count();
    let is_refusal = reply.outcome == Refused;
    let further = [
        (
            reply.outcome == Viewed && request.viewings.is_empty(),
            lack("viewing", "CSI R253-6 IV", "Aucun visionnage n'est inscrit.", "No viewing is entered."),
        ),
        (
            reply.outcome == Unidentified && request.identity.is_some(),
            lack("outcome", "RGPD 12 § 6", "L'identité est établie.", "The identity is established."),
        ),
        (
            is_refusal == reply.grounds.is_empty(),
            lack(
                "grounds",
                "CSI L253-5, R253-6 IV",
                "Un refus repose sur un motif de la loi au moins ; une autre réponse n'en a pas.",
                "A refusal stands on one of the law's grounds at least; another answer has none.",
            ),
        ),
        (
            !matches!(reply.outcome, Viewed | Withdrawn) && chars < REASON_CHARS_MIN,
            lack(
                "reason",
                "RGPD 12 § 4",
                "Une phrase qui dit pourquoi, à la personne.",
                "A sentence that tells the person why.",
            ),
        ),
    ];
    lacks.extend(further.into_iter().filter(|(is_wrong, _)| *is_wrong).map(|(_, lack)| lack));
    lacks
}

/// Its article.
pub fn article(ground: RefusalGround) -> &'static str {
    match ground {
        RefusalGround::Excessive => "RGPD 12 § 5 b",
        RefusalGround::StateSecurity
        | RefusalGround::Defence
        | RefusalGround::PublicSafety
        | RefusalGround::Proceedings
        | RefusalGround::ThirdParties => "CSI L253-5 ; R253-6 IV",
    }
}

/// In English; French is [`RefusalGround::title`].
pub fn ground_en(ground: RefusalGround) -> &'static str {
    match ground {
        RefusalGround::StateSecurity => "State security",
        RefusalGround::Defence => "defence",
        RefusalGround::PublicSafety => "public safety",
        RefusalGround::Proceedings => "proceedings before a court, or preliminary to them",
        RefusalGround::ThirdParties => "rights of third parties",
        RefusalGround::Excessive => "a request that is manifestly unfounded or excessive",
    }
}

/// The answer as a letter; `None` while there is none.
pub fn letter(town: &str, request: &AccessRequest) -> Option<Letter> {
    let reply = request.says.answer.as_ref()?;
    let (says, label) = (&request.says, request.label());
    let (wish_fr, wish_en) = wish(says.wish);
    let (word_fr, word_en) = words(says, reply);
    let reason = reply.reason.reveal().trim();
    let whom = says.person.reveal().trim();
    let (mut fr, mut en) = (
        vec![
            format!(
                "Objet : votre demande reçue le {}, {wish_fr} ; numéro {label} de notre registre.",
                day_fr(says.received)
            ),
            format!("À l'attention de : {whom}. La commune ({town}) a examiné votre demande. {word_fr}"),
        ],
        vec![
            format!(
                "Object: your request received on {}, {wish_en}; number {label} of our register.",
                day_en(says.received)
            ),
            format!("For the attention of: {whom}. The town ({town}) has examined your request. {word_en}"),
        ],
    );
    if !reason.is_empty() {
        fr.push(format!("Précision de la commune : {reason}"));
        en.push(format!("The town's own words: {reason}"));
    }
    let (rights_fr, rights_en) = rights(reply.outcome == AccessOutcome::Refused);
    fr.push(rights_fr.to_owned());
    en.push(rights_en.to_owned());
    Some(Letter { fr, en })
}

fn wish(wish: Wish) -> (&'static str, &'static str) {
    match wish {
        Wish::View => ("tendant à visionner des images de vous-même", "to see footage of yourself"),
        Wish::Copy => {
            ("tendant à obtenir une copie d'images de vous-même", "to be given a copy of footage of yourself")
        }
        Wish::Destruction => {
            ("tendant à vérifier la destruction d'images", "to have the destruction of footage checked")
        }
    }
}

fn words(says: &AccessFacts, reply: &AccessReply) -> (String, String) {
    let fixed = |fr: &str, en: &str| (fr.to_owned(), en.to_owned());
    match reply.outcome {
        AccessOutcome::Viewed => {
            let last = says.viewings.last().map_or(reply.at, |viewing| viewing.at);
            (
                format!(
                    "Vous avez visionné sur place, le {}, les images où vous apparaissez. Aucune copie n'en a été faite pour la commune ; elles mourront à leur propre terme.",
                    day_fr(last)
                ),
                format!(
                    "You saw the footage in which you appear on site, on {}. No copy of it was made for the town; it dies at its own deadline.",
                    day_en(last)
                ),
            )
        }
        AccessOutcome::NothingFound => fixed(
            "Un agent habilité a regardé les images du lieu et du moment que vous indiquez et ne vous y a pas reconnu. La commune n'emploie aucun logiciel qui reconnaisse les personnes.",
            "A habilitated agent looked at the footage of the place and time that you named and did not recognise you. The town uses no software that recognises people.",
        ),
        AccessOutcome::Destroyed => fixed(
            "Les images de cette période ont été détruites automatiquement au terme de leur délai de conservation (CSI L252-5 et R253-4). Leur destruction est inscrite au registre scellé de la commune ; sa preuve, que chacun peut vérifier hors ligne, vous est remise sur demande.",
            "The footage of this period was destroyed automatically at the end of its retention period (CSI L252-5 and R253-4). Its destruction stands in the town's sealed log; the proof, which anybody can check offline, is handed over to you on request.",
        ),
        AccessOutcome::NeverRecorded => fixed(
            "Aucune caméra de la commune n'a enregistré ce lieu à ce moment.",
            "No camera of the town recorded this place at that time.",
        ),
        AccessOutcome::Refused => {
            let each = |name: fn(RefusalGround) -> &'static str| {
                let line = |ground: &RefusalGround| format!("{} ({})", name(*ground), article(*ground));
                reply.grounds.iter().map(line).collect::<Vec<_>>().join(" ; ")
            };
            (
                format!("L'accès aux images vous est refusé pour ce motif : {}.", each(RefusalGround::title)),
                format!("Access to the footage is refused to you on this ground: {}.", each(ground_en)),
            )
        }
        AccessOutcome::Unidentified => fixed(
            "Votre identité n'ayant pas pu être établie, aucune image ne peut vous être montrée : présentez-vous avec une pièce d'identité, dont aucune copie n'est gardée (RGPD, article 12 § 6).",
            "As your identity could not be established, nothing can be shown to you: come with a document of identity, of which no copy is kept (GDPR, article 12 § 6).",
        ),
        AccessOutcome::Withdrawn => fixed(
            "Vous l'avez retirée ; ce qui était gelé pour elle a été libéré aussitôt.",
            "You have withdrawn it; what was frozen for it was let go at once.",
        ),
    }
}

/// What the person can do.
fn rights(is_refused: bool) -> (&'static str, &'static str) {
    if is_refused {
        return (
            "Vous pouvez exercer votre droit par l'intermédiaire de la CNIL lorsque le motif tient à la sécurité ou à une procédure (loi du 6 janvier 1978, articles 52 et 108 ; CSI R253-6 III), lui adresser une réclamation, saisir la commission départementale de vidéoprotection (CSI L253-5) ou la juridiction compétente.",
            "You can exercise your right through the CNIL where the ground is security or proceedings (law of 6 January 1978, articles 52 and 108; CSI R253-6 III), lodge a complaint with it, turn to the departmental commission of video protection (CSI L253-5) or to the competent court.",
        );
    }
    (
        "Vous pouvez saisir la commission départementale de vidéoprotection (CSI L253-5) ou la CNIL de toute difficulté, et la juridiction compétente.",
        "You can turn to the departmental commission of video protection (CSI L253-5) or to the CNIL with any difficulty, and to the competent court.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::day;
    use domain::{
        AccessId, CameraId, Sensitive, Span, Window,
        access::{AccessMeans, IdentityCheck, IdentityMeans, Viewing},
    };

    fn text(text: &str) -> Sensitive<String> {
        Sensitive::new(text.to_owned())
    }

    fn known() -> AccessFacts {
        let at = day(2026, 3, 12).unwrap();
        AccessFacts {
            received: at,
            means: AccessMeans::Counter,
            wish: Wish::View,
            person: text("qui demande"),
            contact: text("son adresse"),
            words: text("place du marché, à midi, manteau rouge"),
            windows: vec![Window { camera: CameraId([2; 16]), span: Span::new(at, at.plus_seconds(60)).unwrap() }],
            identity: Some(IdentityCheck { at, means: IdentityMeans::Shown, by: text("agent") }),
            holds: vec![],
            viewings: vec![],
            answer: None,
        }
    }

    fn reply(outcome: AccessOutcome, grounds: &[RefusalGround]) -> AccessReply {
        AccessReply {
            at: day(2026, 3, 13).unwrap(),
            outcome,
            grounds: grounds.to_vec(),
            reason: text("une phrase assez longue"),
        }
    }

    fn fields(lacks: Vec<Lack>) -> Vec<String> {
        lacks.into_iter().map(|lack| lack.field).collect()
    }

    #[test]
    fn it_is_due_within_a_month_and_before_the_footage_dies() {
        let received = day(2026, 1, 31).unwrap();
        assert_eq!(due(received, Some(1), None), day(2026, 2, 28).unwrap());
        assert_eq!(due(received, Some(1), day(2026, 2, 10)), day(2026, 2, 10).unwrap());
        assert_eq!(due(received, Some(1), day(2026, 3, 10)), day(2026, 2, 28).unwrap());
        assert_eq!(due(received, None, None), received, "a pack that says nothing gives no time");
    }

    #[test]
    fn nobody_is_shown_anything_before_it_is_known_who_asks() {
        assert_eq!(fields(lacking(&known())), [""; 0]);
        let unknown = AccessFacts { identity: None, ..known() };
        assert_eq!(fields(lacking(&unknown)), ["identity"]);
        assert_eq!(fields(answer_lacks(&unknown, &reply(AccessOutcome::NothingFound, &[]))), ["identity"]);
        assert_eq!(fields(answer_lacks(&unknown, &reply(AccessOutcome::Destroyed, &[]))), [""; 0]);
        assert_eq!(fields(answer_lacks(&unknown, &reply(AccessOutcome::Unidentified, &[]))), [""; 0]);
        assert_eq!(fields(answer_lacks(&known(), &reply(AccessOutcome::Unidentified, &[]))), ["outcome"]);
        assert_eq!(fields(answer_lacks(&known(), &reply(AccessOutcome::Viewed, &[]))), ["viewing"]);
    }

    #[test]
    fn a_refusal_stands_on_a_ground_of_the_law_and_no_other_answer_does() {
        let ground = [RefusalGround::Proceedings];
        assert_eq!(fields(answer_lacks(&known(), &reply(AccessOutcome::Refused, &ground))), [""; 0]);
        assert_eq!(fields(answer_lacks(&known(), &reply(AccessOutcome::Refused, &[]))), ["grounds"]);
        assert_eq!(fields(answer_lacks(&known(), &reply(AccessOutcome::NothingFound, &ground))), ["grounds"]);
        let silent = AccessReply { reason: text(" "), ..reply(AccessOutcome::Refused, &ground) };
        assert_eq!(fields(answer_lacks(&known(), &silent)), ["reason"]);
    }

    #[test]
    fn each_answer_has_a_letter_in_both_languages_that_says_what_one_can_do() {
        for outcome in AccessOutcome::ALL {
            let grounds: &[_] = if *outcome == AccessOutcome::Refused { RefusalGround::ALL } else { &[] };
            let viewing = Viewing { at: day(2026, 3, 13).unwrap(), by: text("agent"), present: text("la personne") };
            let says = AccessFacts { viewings: vec![viewing], answer: Some(reply(*outcome, grounds)), ..known() };
            let request = AccessRequest { id: AccessId([1; 16]), year: 2026, number: 3, says };
            let letter = letter("Ville-Essai", &request).expect("an answer has a letter");
            assert!(letter.fr[0].contains("DA-2026-0003") && letter.en[0].contains("DA-2026-0003"));
            assert_eq!(letter.fr.len(), letter.en.len());
            let last = letter.fr.last().unwrap();
            assert!(last.contains("L253-5") && last.contains("CNIL"), "{last}");
            for ground in grounds {
                assert!(letter.fr[1].contains(ground.title()) && letter.en[1].contains(ground_en(*ground)));
                assert!(letter.fr[1].contains(article(*ground)));
            }
        }
        let waiting = AccessRequest { id: AccessId([1; 16]), year: 2026, number: 3, says: known() };
        assert_eq!(letter("Ville-Essai", &waiting), None);
    }
}
