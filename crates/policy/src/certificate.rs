//! The certificate of a hold's end, in both languages: what was kept for whom, when and why it ended, which entries attest it
//! (law RET-06; K3). Pure: whoever prints it adds nothing but the signature.

use crate::{
    calendar::{day_en, day_fr},
    letter::Letter,
};
use domain::{HoldEnd, Span, UtcMicros};

/// What the ledger tells of a hold that has ended, every copy of the keyring having confirmed.
#[derive(Clone, Debug)]
pub struct EndedHold<'a> {
    pub town: &'a str,
    pub number: u32,
    pub opened: UtcMicros,
    pub requester: &'a str,
    /// Camera, by its name then, and time.
    pub windows: Vec<(String, Span)>,
    /// Number in the register of requisitions.
    pub requisition: Option<&'a str>,
    pub ended: UtcMicros,
    /// Hours of it may have ended one after the other.
    pub whys: Vec<HoldEnd>,
    pub destroyed: UtcMicros,
    /// Of the hold, of its ends, of the deaths of its keys.
    pub entries: [&'a [u64]; 3],
    /// What the kind of custodian cannot promise, French and English.
    pub custodian: (&'a str, &'a str),
}

/// Paragraphs, the first one the object.
pub fn certificate(hold: &EndedHold<'_>) -> Letter {
    let EndedHold { town, number, opened, requester, ended, destroyed, .. } = *hold;
    let [made, ends, deaths] = hold.entries.map(listed);
    let windows = |day: fn(UtcMicros) -> String, to: &str| -> String {
        let each = |(name, span): &(String, Span)| format!("{name}, {} {to} {}", day(span.from()), day(span.to()));
        hold.windows.iter().map(each).collect::<Vec<_>>().join(" ; ")
    };
    let whys: Vec<(String, String)> = hold.whys.iter().map(|one| why(hold, *one)).collect();
    let of = |pick: fn(&(String, String)) -> &String| whys.iter().map(pick).cloned().collect::<Vec<_>>().join(" ; ");
    let (why_fr, why_en) = (of(|why| &why.0), of(|why| &why.1));
    Letter {
        fr: vec![
            format!("Objet : certificat de fin de gel, gel G-{number:04}."),
            format!(
                "La commune ({town}) a gelé le {}, à la demande de : {requester}, ce qui restait alors des images suivantes : {}.",
                day_fr(opened),
                windows(day_fr, "→")
            ),
            format!("La dernière heure de ce gel a pris fin le {} : {why_fr}.", day_fr(ended)),
            format!(
                "Les clés qui ouvraient ces images gelées ont été détruites ; la dernière l'a été le {}, et chaque copie du trousseau l'a confirmé. Ce que leur propre délai conserve encore dans le stockage y meurt à ce terme, comme si rien n'avait été gelé.",
                day_fr(destroyed)
            ),
            format!(
                "Le registre scellé l'atteste : entrées {made} (gel), {ends} (fin), {deaths} (destruction). Leur inclusion se vérifie hors ligne avec la clé publique du registre."
            ),
            hold.custodian.0.to_owned(),
        ],
        en: vec![
            format!("Object: certificate of the end of a hold, hold G-{number:04}."),
            format!(
                "The town ({town}) held on {}, at the request of: {requester}, what was left then of the following footage: {}.",
                day_en(opened),
                windows(day_en, "→")
            ),
            format!("The last hour of this hold ended on {}: {why_en}.", day_en(ended)),
            format!(
                "The keys that opened this held footage were destroyed; the last of them on {}, and every copy of the keyring confirmed it. What its own delay still keeps in the store dies there at its deadline, as if nothing had been held.",
                day_en(destroyed)
            ),
            format!(
                "The sealed log attests it: entries {made} (hold), {ends} (end), {deaths} (destruction). Their inclusion is checked offline with the log's public key."
            ),
            hold.custodian.1.to_owned(),
        ],
    }
}

fn listed(entries: &[u64]) -> String {
    entries.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")
}

fn why(hold: &EndedHold<'_>, why: HoldEnd) -> (String, String) {
    let number = hold.requisition.unwrap_or("—");
    match why {
        HoldEnd::Deadline => (
            "aucune réquisition n'avait été inscrite, et le délai de conservation des images était écoulé (CSI L252-5)"
                .into(),
            "no requisition had been recorded, and the footage's retention was over (CSI L252-5)".into(),
        ),
        HoldEnd::Delivered => (
            format!("les images ont été remises sous la réquisition {number} du registre"),
            format!("the footage was handed over under requisition {number} of the register"),
        ),
        HoldEnd::Uncollected => (
            format!("personne n'est venu chercher les images de la réquisition {number} dans le délai fixé"),
            format!("nobody collected the footage of requisition {number} in the time set"),
        ),
        HoldEnd::Refused => {
            (format!("la commune a refusé la réquisition {number}"), format!("the town refused requisition {number}"))
        }
        HoldEnd::Lifted => ("la commune l'a levé".into(), "the town lifted it".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hold(why: HoldEnd) -> EndedHold<'static> {
        let at = UtcMicros::from_seconds;
        EndedHold {
            town: "Bourg",
            number: 7,
            opened: at(1_773_324_000),
            requester: "commissariat",
            windows: vec![("Place".into(), Span::new(at(1_773_320_400), at(1_773_321_000)).unwrap())],
            requisition: Some("2026-0004"),
            ended: at(1_773_900_000),
            whys: vec![why],
            destroyed: at(1_773_900_001),
            entries: [&[12], &[40, 44], &[41, 45]],
            custodian: ("Les clés sont gardées dans des fichiers.", "The keys are kept in files."),
        }
    }

    #[test]
    fn a_certificate_says_what_was_held_for_whom_why_it_ended_and_by_which_entries() {
        for why in HoldEnd::ALL {
            let letter = certificate(&hold(*why));
            assert_eq!(letter.fr.len(), letter.en.len());
            for text in [letter.fr.join(" "), letter.en.join(" ")] {
                for said in ["G-0007", "commissariat", "Place", "12", "40, 44", "41, 45"] {
                    assert!(text.contains(said), "{said}: {text}");
                }
                let names_requisition = text.contains("2026-0004");
                assert_eq!(names_requisition, !matches!(why, HoldEnd::Deadline | HoldEnd::Lifted), "{text}");
            }
        }
    }

    #[test]
    fn it_prints_what_the_custodian_of_the_keys_cannot_promise() {
        let letter = certificate(&hold(HoldEnd::Deadline));
        assert_eq!(letter.fr.last().unwrap(), "Les clés sont gardées dans des fichiers.");
        assert_eq!(letter.en.last().unwrap(), "The keys are kept in files.");
    }
}
