//! The rules of the gate as data: name, article, what they permit or forbid, in French and English, and the way out.

use crate::explain::Confidence;
use crate::request::{Action, Request, Role};
use domain::{CameraId, limit};

/// One rule.
#[derive(Clone, Copy)]
pub(crate) struct Rule {
    pub id: &'static str,
    pub article: &'static str,
    pub confidence: Confidence,
    pub effect: Effect,
    pub text: Text,
    /// What would make the look lawful.
    pub remedy: Text,
}

/// The same sentence twice.
#[derive(Clone, Copy)]
pub(crate) struct Text {
    pub fr: &'static str,
    pub en: &'static str,
}

/// What a rule does with a request.
#[derive(Clone, Copy)]
pub(crate) enum Effect {
    /// Permits where it answers yes; silent elsewhere.
    Permit(fn(&Request) -> bool),
    /// `Some`: forbids, because of these cameras, or because of the request as a whole where there are none.
    Forbid(fn(&Request) -> Option<Vec<CameraId>>),
}

/// What refuses a request that no rule permits.
pub(crate) const DEFAULT: Rule = Rule {
    id: "nothing-permits",
    article: "CSI R253-3",
    confidence: Confidence::Found,
    effect: Effect::Forbid(|_| Some(Vec::new())),
    text: Text {
        fr: "Aucune règle ne permet cette consultation à ce rôle : l'accès aux images est réservé à une liste fermée.",
        en: "No rule permits this look to this role: access to pictures is kept to a closed list.",
    },
    remedy: Text {
        fr: "la demander à une personne de cette liste, individuellement désignée et habilitée.",
        en: "ask a person of that list, individually named and habilitated.",
    },
};

/// All rules, in the order in which a refusal lists them.
pub(crate) const RULES: &[Rule] = &[
    OPERATOR_WATCHES,
    OPERATOR_REPLAYS,
    ADMINISTRATOR,
    PURPOSE_NAMED,
    PURPOSE_OF_CAMERAS,
    REASON_GIVEN,
    REASON_SHORT,
    CAMERA_NAMED,
    CAMERA_KNOWN,
    CAMERA_IN_SERVICE,
    SPAN_GIVEN,
    SPAN_PAST,
    SPAN_KEPT,
    PERMIT_SHORT,
];

const OPERATOR_WATCHES: Rule = Rule {
    id: "operator-watches-live",
    article: "CSI R253-3 II 2°",
    confidence: Confidence::Found,
    effect: Effect::Permit(|request| request.role == Role::Operator && request.action == Action::WatchLive),
    text: Text {
        fr: "Les agents désignés et habilités du centre de supervision voient les images en direct.",
        en: "The named and habilitated agents of the supervision centre see live pictures.",
    },
    remedy: Text { fr: "", en: "" },
};

const OPERATOR_REPLAYS: Rule = Rule {
    id: "operator-replays",
    article: "CSI R253-3 II 2°",
    confidence: Confidence::Found,
    effect: Effect::Permit(|request| request.role == Role::Operator && request.action == Action::Replay),
    text: Text {
        fr: "Les agents désignés et habilités du centre de supervision relisent les images enregistrées.",
        en: "The named and habilitated agents of the supervision centre replay recorded pictures.",
    },
    remedy: Text { fr: "", en: "" },
};

const ADMINISTRATOR: Rule = Rule {
    id: "administrator-sees-no-picture",
    article: "CSI R253-3 II",
    confidence: Confidence::Reading,
    effect: Effect::Forbid(|request| forbid_if(request.role == Role::Administrator)),
    text: Text {
        fr: "Un administrateur ne voit aucune image : son rôle ne figure pas dans la liste fermée des accès.",
        en: "An administrator sees no picture: the role is not in the closed list of those who have access.",
    },
    remedy: Text {
        fr: "demander la consultation à un opérateur désigné et habilité par le maire ou agréé par le préfet.",
        en: "ask an operator named and habilitated by the mayor or approved by the prefect.",
    },
};

const PURPOSE_NAMED: Rule = Rule {
    id: "purpose-named",
    article: "CSI L251-2",
    confidence: Confidence::Reading,
    effect: Effect::Forbid(|request| forbid_if(request.purpose.is_none())),
    text: Text {
        fr: "Aucune finalité n'est indiquée : la voie publique n'est filmée et regardée que pour onze finalités.",
        en: "No purpose is given: the public road is filmed and looked at for eleven purposes only.",
    },
    remedy: Text {
        fr: "choisir la finalité de la consultation parmi celles de la caméra.",
        en: "choose the purpose of the look among those of the camera.",
    },
};

const PURPOSE_OF_CAMERAS: Rule = Rule {
    id: "purpose-of-the-cameras",
    article: "CSI L251-2",
    confidence: Confidence::Found,
    effect: Effect::Forbid(|request| {
        let purpose = request.purpose?;
        let foreign = |camera: &&crate::CameraFacts| camera.exists && !camera.purposes.contains(&purpose);
        forbid_for(request.cameras.iter().filter(foreign).map(|camera| camera.id))
    }),
    text: Text {
        fr: "La finalité indiquée n'est pas une de celles pour lesquelles la caméra est autorisée.",
        en: "The purpose given is not one for which the camera is authorised.",
    },
    remedy: Text {
        fr: "choisir une finalité commune à toutes les caméras demandées, ou demander moins de caméras.",
        en: "choose a purpose that all cameras asked for share, or ask for fewer cameras.",
    },
};

const REASON_GIVEN: Rule = Rule {
    id: "reason-given",
    article: "CSI R253-5",
    confidence: Confidence::Found,
    effect: Effect::Forbid(|request| forbid_if(reason_chars(request) < limit::REASON_CHARS_MIN)),
    text: Text {
        fr: "Le motif manque ou compte moins de 10 caractères : toute consultation est enregistrée avec son motif.",
        en: "The reason is missing or has fewer than 10 characters: every look is recorded with its reason.",
    },
    remedy: Text {
        fr: "écrire en une phrase pourquoi ces images doivent être vues maintenant.",
        en: "write in one sentence why these pictures have to be seen now.",
    },
};

const REASON_SHORT: Rule = Rule {
    id: "reason-at-most-a-paragraph",
    article: "CSI R253-5",
    confidence: Confidence::Reading,
    effect: Effect::Forbid(|request| forbid_if(reason_chars(request) > limit::REASON_CHARS_MAX)),
    text: Text {
        fr: "Le motif dépasse 500 caractères : le journal enregistre un motif, pas un rapport.",
        en: "The reason exceeds 500 characters: the ledger records a reason, not a report.",
    },
    remedy: Text { fr: "résumer le motif.", en: "sum the reason up." },
};

const CAMERA_NAMED: Rule = Rule {
    id: "camera-named",
    article: "CSI R253-5",
    confidence: Confidence::Reading,
    effect: Effect::Forbid(|request| forbid_if(request.cameras.is_empty())),
    text: Text {
        fr: "Aucune caméra n'est désignée : une consultation porte sur des caméras précises.",
        en: "No camera is named: a look concerns definite cameras.",
    },
    remedy: Text { fr: "désigner au moins une caméra.", en: "name at least one camera." },
};

const CAMERA_KNOWN: Rule = Rule {
    id: "camera-known",
    article: "CSI L252-1",
    confidence: Confidence::Reading,
    effect: Effect::Forbid(|request| {
        forbid_for(request.cameras.iter().filter(|camera| !camera.exists).map(|camera| camera.id))
    }),
    text: Text {
        fr: "La caméra demandée est inconnue de ce site : seules les caméras du système autorisé sont consultables.",
        en: "The camera asked for is unknown to this site: only cameras of the authorised system can be looked at.",
    },
    remedy: Text {
        fr: "choisir une caméra de la liste, ou faire enregistrer celle-ci par l'administrateur.",
        en: "choose a camera of the list, or have this one registered by the administrator.",
    },
};

const CAMERA_IN_SERVICE: Rule = Rule {
    id: "camera-in-service",
    article: "CSI L252-1",
    confidence: Confidence::Reading,
    effect: Effect::Forbid(|request| {
        let live = request.action == Action::WatchLive;
        let out = |camera: &&crate::CameraFacts| live && camera.exists && !camera.recording;
        forbid_for(request.cameras.iter().filter(out).map(|camera| camera.id))
    }),
    text: Text {
        fr: "La caméra demandée n'est plus en service : elle ne se regarde pas en direct.",
        en: "The camera asked for is no longer in service: it cannot be watched live.",
    },
    remedy: Text {
        fr: "relire ses enregistrements tant qu'ils existent, ou la faire remettre en service.",
        en: "replay its recordings as long as they exist, or have it put back into service.",
    },
};

const SPAN_GIVEN: Rule = Rule {
    id: "span-given",
    article: "CSI R253-5",
    confidence: Confidence::Reading,
    effect: Effect::Forbid(|request| {
        forbid_if(request.action == Action::Replay && request.span.is_none_or(|span| span.micros() == 0))
    }),
    text: Text {
        fr: "La plage horaire à relire manque ou est vide.",
        en: "The time span to replay is missing or empty.",
    },
    remedy: Text { fr: "indiquer un début et une fin.", en: "give a beginning and an end." },
};

const SPAN_PAST: Rule = Rule {
    id: "span-not-in-the-future",
    article: "CSI R253-5",
    confidence: Confidence::Reading,
    effect: Effect::Forbid(|request| {
        // The clock of the one who asks may honestly differ from ours by as much as two clocks that agree (K9).
        let latest = request.now.plus_seconds(limit::CLOCK_AGREEMENT_SECONDS_MAX);
        forbid_if(request.action == Action::Replay && request.span.is_some_and(|span| span.to() > latest))
    }),
    text: Text {
        fr: "La plage horaire finit dans l'avenir : nul ne peut motiver la relecture d'images qui n'existent pas.",
        en: "The time span ends in the future: nobody can have a reason to replay pictures that do not exist.",
    },
    remedy: Text {
        fr: "finir la plage à l'instant présent, ou demander le direct.",
        en: "end the span at the present instant, or ask for the live picture.",
    },
};

const SPAN_KEPT: Rule = Rule {
    id: "span-within-retention",
    article: "CSI L252-5, R253-4",
    confidence: Confidence::Found,
    effect: Effect::Forbid(|request| {
        let oldest = request.now.plus_seconds(-i64::from(limit::RETENTION_DAYS_MAX) * 86_400);
        forbid_if(request.action == Action::Replay && request.span.is_some_and(|span| span.from() < oldest))
    }),
    text: Text {
        fr: "La plage commence il y a plus de 30 jours : ces images sont détruites, la loi n'admet qu'un mois.",
        en: "The span begins more than 30 days ago: those pictures are destroyed, the law admits one month.",
    },
    remedy: Text {
        fr: "commencer la plage dans le délai de conservation.",
        en: "begin the span within the retention period.",
    },
};

const PERMIT_SHORT: Rule = Rule {
    id: "permit-at-most-eight-hours",
    article: "CSI R253-5",
    confidence: Confidence::Reading,
    effect: Effect::Forbid(|request| {
        forbid_if(request.permit_seconds < 1 || request.permit_seconds > limit::PERMIT_SECONDS_MAX)
    }),
    text: Text {
        fr: "La durée demandée n'est pas entre une seconde et 8 heures : un motif ne vaut que pour un service.",
        en: "The duration asked for is not between one second and 8 hours: a reason does not outlast a shift.",
    },
    remedy: Text {
        fr: "demander au plus 8 heures, puis redonner le motif.",
        en: "ask for 8 hours at most, then give the reason again.",
    },
};

/// Characters of the reason, blanks at both ends not counted.
fn reason_chars(request: &Request) -> usize {
    request.reason.reveal().trim().chars().count()
}

fn forbid_if(broken: bool) -> Option<Vec<CameraId>> {
    broken.then(Vec::new)
}

fn forbid_for(cameras: impl Iterator<Item = CameraId>) -> Option<Vec<CameraId>> {
    let cameras: Vec<CameraId> = cameras.collect();
    (!cameras.is_empty()).then_some(cameras)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_uncertain_rule_never_permits() {
        for rule in RULES {
            assert!(
                matches!(rule.effect, Effect::Forbid(_)) || rule.confidence != Confidence::Uncertain,
                "{} permits on an uncertain basis",
                rule.id
            );
        }
    }

    #[test]
    fn every_rule_has_its_own_name_an_article_both_languages_and_a_way_out() {
        let mut ids: Vec<&str> = RULES.iter().chain([&DEFAULT]).map(|rule| rule.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), RULES.len() + 1, "two rules share a name");
        for rule in RULES.iter().chain([&DEFAULT]) {
            let forbids = matches!(rule.effect, Effect::Forbid(_));
            assert!(rule.article.starts_with("CSI "), "{}", rule.id);
            assert!(!rule.text.fr.is_empty() && !rule.text.en.is_empty(), "{}", rule.id);
            assert!(!forbids || !(rule.remedy.fr.is_empty() || rule.remedy.en.is_empty()), "{}", rule.id);
        }
    }

    #[test]
    fn the_numbers_in_the_texts_are_the_limits() {
        for (rule, number) in [
            (REASON_GIVEN, limit::REASON_CHARS_MIN as i64),
            (REASON_SHORT, limit::REASON_CHARS_MAX as i64),
            (SPAN_KEPT, i64::from(limit::RETENTION_DAYS_MAX)),
            (PERMIT_SHORT, limit::PERMIT_SECONDS_MAX / 3_600),
        ] {
            for text in [rule.text.fr, rule.text.en] {
                assert!(text.contains(&format!(" {number} ")), "{text}");
            }
        }
    }
}
