//! What the law asks of a paper when it is entered: each refusal is a value with its article and its remedy.

use crate::calendar::{day_en, day_fr, months_after};
use domain::{
    Act, ActKind, ActScope, ActTerms, OrderTerms, Role, Sensitive, UtcMicros,
    limit::{ACT_NAMES_MAX, ACT_WORD_CHARS_MAX, AUTHORISATION_MONTHS_MAX, PROVISIONAL_MONTHS_MAX, RETENTION_DAYS_MAX},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A paper as a person writes it down: cameras and persons by their names.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Draft {
    pub kind: ActKind,
    pub number: String,
    pub signed: UtcMicros,
    pub signatory: Sensitive<String>,
    pub from: UtcMicros,
    pub until: Option<UtcMicros>,
    pub about: About,
    pub terms: ActTerms,
    /// SHA-256 of the scan.
    pub scan: Option<[u8; 32]>,
}

/// What a paper is about, by names.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum About {
    Site,
    Cameras(Vec<String>),
    Person(Sensitive<String>),
}

/// Why a paper is not taken as it is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Problem {
    /// The field of the dossier that it is about.
    pub field: String,
    pub article: String,
    pub text_fr: String,
    pub text_en: String,
    pub remedy_fr: String,
    pub remedy_en: String,
}

/// Whether a kind says in which capacity a person sees pictures.
pub const fn is_capacity(kind: ActKind) -> bool {
    matches!(kind, ActKind::Habilitation | ActKind::Approval)
}

/// Whether a kind is an order of the prefect that lets cameras record.
pub const fn is_order(kind: ActKind) -> bool {
    matches!(kind, ActKind::Authorisation | ActKind::ProvisionalOrder)
}

/// Everything that is wrong with a paper; `account` is the role of the account that it names.
pub fn check(act: &Act, account: Option<Role>) -> Vec<Problem> {
    let mut found = Problems(Vec::new());
    check_words(act, &mut found);
    check_dates(act, &mut found);
    check_scope(act, &mut found);
    match &act.terms {
        ActTerms::Order(order) if is_order(act.kind) => check_order(act, order, &mut found),
        ActTerms::Capacity { role, territory } if is_capacity(act.kind) => {
            check_capacity(act.kind, *role, territory, account, &mut found);
        }
        ActTerms::Masks { preset, .. } if act.kind == ActKind::MaskStatement => found.word("preset", preset),
        ActTerms::Hosting { place, provider } if act.kind == ActKind::HostingContract => {
            found.word("place", place);
            found.word("provider", provider);
        }
        ActTerms::Parties { parties } if takes_parties(act.kind) => found.word("parties", parties),
        ActTerms::Plain if !needs_terms(act.kind) => {}
        _ => found.add(
            "kind",
            "CSI R252-3",
            (
                "Les mentions de cet acte ne sont pas celles de son genre.",
                "This paper's terms are not those of its kind.",
            ),
            ("`vigie act template` donne les champs du genre.", "`vigie act template` gives the fields of the kind."),
        ),
    }
    found.0
}

/// Kinds that say with whom they are made.
pub const fn takes_parties(kind: ActKind) -> bool {
    matches!(kind, ActKind::Convention | ActKind::ProcessorContract)
}

const fn needs_terms(kind: ActKind) -> bool {
    is_order(kind)
        || is_capacity(kind)
        || takes_parties(kind)
        || matches!(kind, ActKind::MaskStatement | ActKind::HostingContract)
}

struct Problems(Vec<Problem>);

impl Problems {
    fn add(
        &mut self,
        field: &str,
        article: &str,
        text: (impl Into<String>, impl Into<String>),
        remedy: (impl Into<String>, impl Into<String>),
    ) {
        self.0.push(Problem {
            field: field.into(),
            article: article.into(),
            text_fr: text.0.into(),
            text_en: text.1.into(),
            remedy_fr: remedy.0.into(),
            remedy_en: remedy.1.into(),
        });
    }

    fn word(&mut self, field: &str, word: &str) {
        let chars = word.chars().count();
        if word.trim().is_empty() || ACT_WORD_CHARS_MAX < chars || word.chars().any(char::is_control) {
            self.add(
                field,
                "CSI R252-3",
                (
                    format!("`{field}` est vide, trop long ou illisible."),
                    format!("`{field}` is empty, too long or unreadable."),
                ),
                (
                    format!("Écrivez-le comme sur l'acte, en 1 à {ACT_WORD_CHARS_MAX} caractères, sur une ligne."),
                    format!("Write it as the paper does, in 1 to {ACT_WORD_CHARS_MAX} characters, on one line."),
                ),
            );
        }
    }
}

fn check_words(act: &Act, found: &mut Problems) {
    found.word("number", &act.number);
    found.word("signatory", act.signatory.reveal());
}

fn check_dates(act: &Act, found: &mut Problems) {
    if act.from < act.signed {
        found.add(
            "from",
            "CRPA L221-2",
            ("L'acte prendrait effet avant sa signature.", "The paper would take effect before it was signed."),
            (
                "Corrigez `signed` ou `from` : un acte ne vaut pas pour le passé.",
                "Correct `signed` or `from`: no paper holds for the past.",
            ),
        );
    }
    if act.end().is_some_and(|end| end <= act.from) {
        found.add(
            "until",
            "CSI L252-4",
            ("L'acte finit avant de commencer.", "The paper ends before it begins."),
            (
                "`until` est le premier jour où il ne vaut plus : après `from`.",
                "`until` is the first day on which it holds no more: after `from`.",
            ),
        );
    }
    match (act.kind, act.end()) {
        (ActKind::Authorisation, None) => found.add(
            "until",
            "CSI L252-4",
            ("Une autorisation a une fin, cinq ans au plus.", "An authorisation has an end, after five years at most."),
            ("Écrivez `until`, tel que l'arrêté le fixe.", "Write `until`, as the order fixes it."),
        ),
        (ActKind::ProvisionalOrder, None) => found.add(
            "until",
            "CSI L252-6",
            (
                "Une autorisation provisoire a une fin, quatre mois au plus.",
                "A provisional authorisation has an end, after four months at most.",
            ),
            ("Écrivez `until`, et `event_end` pour un événement.", "Write `until`, and `event_end` for an event."),
        ),
        (ActKind::Habilitation | ActKind::Approval, None) => found.add(
            "until",
            "CSI R253-3",
            (
                "Une habilitation ou un agrément inscrit ici a une fin.",
                "A habilitation or an approval entered here has an end.",
            ),
            (
                "Écrivez `until` ; si l'acte n'en nomme pas, faites-le compléter par son signataire.",
                "Write `until`; if the paper names none, have its signatory add one.",
            ),
        ),
        (ActKind::Authorisation, Some(end)) => check_length(act.from, end, AUTHORISATION_MONTHS_MAX, found),
        (ActKind::ProvisionalOrder, Some(end)) => check_length(act.from, end, PROVISIONAL_MONTHS_MAX, found),
        _ => {}
    }
}

fn check_length(from: UtcMicros, end: UtcMicros, months_max: i32, found: &mut Problems) {
    let last = months_after(from, months_max);
    if end <= last {
        return;
    }
    let (article, fr, en) = match months_max {
        AUTHORISATION_MONTHS_MAX => ("CSI L252-4", "cinq ans", "five years"),
        _ => ("CSI L252-6", "quatre mois", "four months"),
    };
    found.add(
        "until",
        article,
        (format!("L'acte durerait plus de {fr}."), format!("The paper would last longer than {en}.")),
        (
            format!("Au plus tard `until = {}` ({}).", day_en(last), day_fr(last)),
            format!("At the latest `until = {}`.", day_en(last)),
        ),
    );
}

fn check_scope(act: &Act, found: &mut Problems) {
    match &act.scope {
        ActScope::Person(_) if !is_capacity(act.kind) => found.add(
            "person",
            "CSI R253-3",
            (
                "Seuls une habilitation ou un agrément nomment une personne.",
                "Only a habilitation or an approval names a person.",
            ),
            ("Retirez `person`.", "Take `person` away."),
        ),
        ActScope::Site | ActScope::Cameras(_) if is_capacity(act.kind) => found.add(
            "person",
            "CSI R253-3",
            ("Une habilitation ou un agrément est individuel.", "A habilitation or an approval is individual."),
            (
                "Écrivez `person`, le nom du compte de cette personne.",
                "Write `person`, the name of this person's account.",
            ),
        ),
        ActScope::Site if act.kind == ActKind::MaskStatement => found.add(
            "cameras",
            "CSI L251-3",
            ("Une attestation de masquage vaut pour des caméras nommées.", "A mask statement is about named cameras."),
            ("Écrivez `cameras = [\"…\"]`.", "Write `cameras = [\"…\"]`."),
        ),
        ActScope::Cameras(cameras) if cameras.is_empty() || ACT_NAMES_MAX < cameras.len() => found.add(
            "cameras",
            "CSI L252-1",
            (
                format!("Un acte nomme 1 à {ACT_NAMES_MAX} caméras, ou aucune pour valoir pour tout le site."),
                format!("A paper names 1 to {ACT_NAMES_MAX} cameras, or none to hold for the whole site."),
            ),
            ("Nommez les caméras, ou retirez `cameras`.", "Name the cameras, or take `cameras` away."),
        ),
        _ => {}
    }
}

fn check_order(act: &Act, order: &OrderTerms, found: &mut Problems) {
    found.word("prefecture", &order.prefecture);
    found.word("hosting_place", &order.hosting_place);
    order.recipients.iter().take(ACT_NAMES_MAX).for_each(|recipient| found.word("recipients", recipient));
    let distinct: BTreeSet<_> = order.purposes.iter().collect();
    if order.purposes.is_empty() || distinct.len() < order.purposes.len() {
        found.add(
            "purposes",
            "CSI L251-2",
            (
                "Un arrêté autorise une ou plusieurs des onze finalités, chacune une fois.",
                "An order authorises one or more of the eleven purposes, each once.",
            ),
            ("Écrivez par exemple `purposes = [1, 5]`.", "Write for example `purposes = [1, 5]`."),
        );
    }
    if !(1..=RETENTION_DAYS_MAX).contains(&order.retention_days) {
        found.add(
            "retention_days",
            "CSI L252-5",
            (
                "Le délai ne peut excéder un mois : 1 à 30 jours ici.",
                "The delay may not exceed one month: 1 to 30 days here.",
            ),
            (
                "Écrivez le délai de l'arrêté ; s'il dit un mois, écrivez 30.",
                "Write the order's delay; if it says one month, write 30.",
            ),
        );
    }
    if order.minimum_hours.is_some_and(|hours| hours == 0 || order.retention_days.saturating_mul(24) <= hours) {
        found.add(
            "minimum_hours",
            "CSI L252-5",
            (
                "Le délai minimal n'est pas inférieur au délai de conservation.",
                "The minimum delay is not below the retention.",
            ),
            (
                "Corrigez `minimum_hours`, ou retirez-le si l'arrêté n'en fixe pas.",
                "Correct `minimum_hours`, or take it away if the order sets none.",
            ),
        );
    }
    if order.event_end.is_some() && act.kind != ActKind::ProvisionalOrder {
        found.add(
            "event_end",
            "CSI L252-6",
            (
                "Seule une autorisation provisoire finit avec un événement.",
                "Only a provisional authorisation ends with an event.",
            ),
            (
                "Retirez `event_end`, ou inscrivez une autorisation provisoire.",
                "Take `event_end` away, or enter a provisional order.",
            ),
        );
    }
}

fn check_capacity(kind: ActKind, role: Role, territory: &str, account: Option<Role>, found: &mut Problems) {
    found.word("territory", territory);
    let Some(article) = role.article() else {
        return found.add(
            "role",
            "CSI R253-3",
            ("Cette qualité ne donne accès à aucune image.", "This capacity gives access to no picture."),
            ("Aucune habilitation n'est à inscrire pour elle.", "No habilitation is to be entered for it."),
        );
    };
    match (kind == ActKind::Approval, role == Role::Operator) {
        (true, false) => found.add(
            "kind",
            "CSI L132-14-1",
            (
                "L'agrément du préfet est pour les opérateurs du centre de supervision.",
                "The prefect's approval is for operators of the supervision centre.",
            ),
            ("Pour cette qualité, inscrivez une habilitation.", "For this capacity, enter a habilitation."),
        ),
        (false, true) => found.add(
            "kind",
            "CSI L132-14-1",
            (
                "Un opérateur du centre de supervision est agréé par le préfet.",
                "An operator of the supervision centre is approved by the prefect.",
            ),
            ("Inscrivez son agrément (`kind = \"approval\"`).", "Enter the approval (`kind = \"approval\"`)."),
        ),
        _ => {}
    }
    if account.is_some_and(|account| account != role) {
        found.add(
            "role",
            article,
            (
                "Le compte de cette personne a une autre qualité que l'acte.",
                "This person's account has another capacity than the paper.",
            ),
            ("Corrigez `role`, ou faites refaire le compte.", "Correct `role`, or have the account made anew."),
        );
    }
}
