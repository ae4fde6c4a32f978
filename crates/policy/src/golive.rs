//! The go-live gate: what is missing for a camera to record, or for a person to look, and how long what there is holds.

use crate::{
    calendar::{day_en, day_fr, days_after, months_after},
    explain::Confidence,
    required::{Effect, Per, RequiredAct},
};
use domain::{AccountId, Act, ActKind, ActScope, ActTerms, CameraId, Purpose, Role, UtcMicros};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The rule that asks for a purpose of the order; it is no row of the list.
pub(crate) const PURPOSE: &str = "act-purpose";

/// What stands for one camera at one instant.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct GoLive {
    /// Any of these stops recording and viewing.
    pub blocking: Vec<Missing>,
    pub alarms: Vec<Missing>,
    pub order: Option<OrderInForce>,
}

/// A required paper that does not hold.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Missing {
    /// The rule that asks for it.
    pub rule: String,
    pub kinds: Vec<ActKind>,
    pub article: String,
    pub confidence: Confidence,
    pub title_fr: String,
    pub title_en: String,
    pub text_fr: String,
    pub text_en: String,
    pub remedy_fr: String,
    pub remedy_en: String,
    /// When the last one that held ended.
    pub ended: Option<UtcMicros>,
}

/// What the prefect's orders that hold now fix for a camera, together.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct OrderInForce {
    /// What any of them authorises, in the order of L251-2.
    pub purposes: Vec<Purpose>,
    /// The least of theirs.
    pub retention_days: u32,
    /// The greatest of theirs (CSI L252-5 al. 2).
    pub minimum_hours: Option<u32>,
    /// The latest of theirs; from then on no order holds.
    pub end: Option<UtcMicros>,
}

/// A required paper that holds now and ends soon, with none that follows it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Ending {
    pub rule: String,
    pub article: String,
    pub title_fr: String,
    pub title_en: String,
    pub end: UtcMicros,
    pub notice: Notice,
}

/// How long before an end it is told (CSI-07).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Notice {
    TwelveMonths,
    SixMonths,
    FourMonths,
    FifteenDays,
}

impl Notice {
    pub const ALL: [Notice; 4] = [Notice::TwelveMonths, Notice::SixMonths, Notice::FourMonths, Notice::FifteenDays];

    /// When it is due for what ends at `end`.
    pub fn begins(self, end: UtcMicros) -> UtcMicros {
        match self {
            Notice::TwelveMonths => months_after(end, -12),
            Notice::SixMonths => months_after(end, -6),
            Notice::FourMonths => months_after(end, -4),
            Notice::FifteenDays => days_after(end, -15),
        }
    }
}

impl GoLive {
    /// Whether the camera may record and be watched.
    pub fn is_open(&self) -> bool {
        self.blocking.is_empty()
    }

    /// The camera's purposes, as far as its orders authorise them.
    pub fn purposes(&self, of_camera: &[Purpose]) -> Vec<Purpose> {
        let authorised = self.order.as_ref().map_or(&[][..], |order| &order.purposes);
        of_camera.iter().copied().filter(|purpose| authorised.contains(purpose)).collect()
    }

    /// The camera's delay, or its orders' if that is shorter.
    pub fn delay_days(&self, of_camera: u32) -> u32 {
        self.order.as_ref().map_or(of_camera, |order| of_camera.min(order.retention_days))
    }
}

impl Missing {
    fn of(row: &RequiredAct, ended: Option<UtcMicros>) -> Missing {
        let (fr, en) = match ended {
            Some(end) => (
                format!("{} Le dernier acte a pris fin le {}.", row.text_fr, day_fr(end)),
                format!("{} The last one ended on {}.", row.text_en, day_en(end)),
            ),
            None => (row.text_fr.clone(), row.text_en.clone()),
        };
        Missing {
            rule: row.id.clone(),
            kinds: row.kinds.clone(),
            article: row.article.clone(),
            confidence: row.confidence,
            title_fr: row.title_fr.clone(),
            title_en: row.title_en.clone(),
            text_fr: fr,
            text_en: en,
            remedy_fr: row.remedy_fr.clone(),
            remedy_en: row.remedy_en.clone(),
            ended,
        }
    }

    /// What a rule of the law says of its absence, by the rule's name; none for a name of another law.
    pub fn named(required: &[RequiredAct], rule: &str, ended: Option<UtcMicros>) -> Option<Missing> {
        if rule == PURPOSE {
            return Some(Missing::purpose());
        }
        required.iter().find(|row| row.id == rule).map(|row| Missing::of(row, ended))
    }

    /// A camera none of whose purposes its orders authorise.
    pub fn purpose() -> Missing {
        Missing {
            rule: PURPOSE.into(),
            kinds: vec![ActKind::Authorisation, ActKind::ProvisionalOrder],
            article: "CSI L251-2, L252-2".into(),
            confidence: Confidence::Found,
            title_fr: "Finalité non autorisée".into(),
            title_en: "Purpose not authorised".into(),
            text_fr: "Aucune des finalités de cette caméra n'est dans son autorisation.".into(),
            text_en: "None of this camera's purposes is in its authorisation.".into(),
            remedy_fr: "Ajoutez la caméra avec les finalités de l'arrêté, ou demandez-en la modification.".into(),
            remedy_en: "Add the camera with the purposes of the order, or ask for a change of the order.".into(),
            ended: None,
        }
    }
}

/// What stands for a camera at `now` (trusted time), of the papers that are known, whether they hold or not.
pub fn go_live(required: &[RequiredAct], acts: &[Act], camera: CameraId, now: UtcMicros) -> GoLive {
    let mut found = GoLive { blocking: Vec::new(), alarms: Vec::new(), order: order_in_force(acts, camera, now) };
    for row in required.iter().filter(|row| row.per != Per::Person && row.is_law_at(now)) {
        let asked = || acts.iter().filter(|act| answers(row, act, camera));
        if asked().any(|act| act.holds_at(now)) {
            continue;
        }
        let missing = Missing::of(row, last_end(asked(), now));
        match row.effect {
            Effect::Block => found.blocking.push(missing),
            Effect::Alarm => found.alarms.push(missing),
        }
    }
    found
}

/// The next instant after `now` at which any answer of this module may change by the passing of time alone, warnings aside.
pub fn next_change(required: &[RequiredAct], acts: &[Act], now: UtcMicros) -> Option<UtcMicros> {
    let of_acts = acts.iter().flat_map(|act| [Some(act.from), act.end()]);
    let of_rules = required.iter().flat_map(|row| [Some(row.from), row.to]);
    of_acts.chain(of_rules).flatten().filter(|at| now < *at).min()
}

/// What a person of this role lacks at `now` to see pictures.
pub fn missing_of_person(
    required: &[RequiredAct],
    acts: &[Act],
    account: AccountId,
    role: Role,
    now: UtcMicros,
) -> Vec<Missing> {
    let rows = required.iter().filter(|row| row.roles.contains(&role) && row.is_law_at(now));
    let lacking = rows.filter_map(|row| {
        let asked = || acts.iter().filter(|act| is_capacity_of(row, act, account, role));
        let holds = asked().any(|act| act.holds_at(now));
        (!holds).then(|| Missing::of(row, last_end(asked(), now)))
    });
    lacking.collect()
}

/// What ends soon, for a camera: each required paper that holds now, through those that follow it without a gap.
pub fn endings(required: &[RequiredAct], acts: &[Act], camera: CameraId, now: UtcMicros) -> Vec<Ending> {
    let rows = required.iter().filter(|row| row.per != Per::Person && row.is_law_at(now));
    rows.filter_map(|row| ending(row, acts.iter().filter(|act| answers(row, act, camera)), now)).collect()
}

/// The same for a person's own.
pub fn endings_of_person(
    required: &[RequiredAct],
    acts: &[Act],
    account: AccountId,
    role: Role,
    now: UtcMicros,
) -> Vec<Ending> {
    let rows = required.iter().filter(|row| row.roles.contains(&role) && row.is_law_at(now));
    rows.filter_map(|row| ending(row, acts.iter().filter(|act| is_capacity_of(row, act, account, role)), now)).collect()
}

fn answers(row: &RequiredAct, act: &Act, camera: CameraId) -> bool {
    let is_in_scope = match row.per {
        Per::Camera => act.is_about_camera(camera),
        Per::Site => act.scope == ActScope::Site,
        Per::Person => false,
    };
    is_in_scope && row.kinds.contains(&act.kind)
}

fn is_capacity_of(row: &RequiredAct, act: &Act, account: AccountId, role: Role) -> bool {
    let of_role = matches!(&act.terms, ActTerms::Capacity { role: named, .. } if *named == role);
    row.kinds.contains(&act.kind) && act.scope == ActScope::Person(account) && of_role
}

fn last_end<'a>(acts: impl Iterator<Item = &'a Act>, now: UtcMicros) -> Option<UtcMicros> {
    acts.filter_map(Act::end).filter(|end| *end <= now).max()
}

fn order_in_force(acts: &[Act], camera: CameraId, now: UtcMicros) -> Option<OrderInForce> {
    let holding: Vec<_> = acts.iter().filter(|act| act.is_about_camera(camera) && act.holds_at(now)).collect();
    let orders = || holding.iter().filter_map(|act| act.order().map(|order| (*act, order)));
    let purposes: BTreeSet<Purpose> = orders().flat_map(|(_, order)| order.purposes.iter().copied()).collect();
    let ends: Option<Vec<UtcMicros>> = orders().map(|(act, _)| act.end()).collect();
    Some(OrderInForce {
        purposes: purposes.into_iter().collect(),
        retention_days: orders().map(|(_, order)| order.retention_days).min()?,
        minimum_hours: orders().filter_map(|(_, order)| order.minimum_hours).max(),
        end: ends.and_then(|ends| ends.into_iter().max()),
    })
}

fn ending<'a>(row: &RequiredAct, acts: impl Iterator<Item = &'a Act>, now: UtcMicros) -> Option<Ending> {
    let acts: Vec<&Act> = acts.collect();
    let began = acts.iter().filter(|act| act.holds_at(now)).map(|act| act.from).min()?;
    let mut end = now;
    loop {
        let next: Option<Vec<UtcMicros>> = acts.iter().filter(|act| act.holds_at(end)).map(|act| act.end()).collect();
        match next?.into_iter().max() {
            Some(later) => end = later,
            None => break,
        }
    }
    // what is shorter than a notice does not begin with it
    let due = |notice: &&Notice| began < notice.begins(end) && notice.begins(end) <= now;
    let notice = *Notice::ALL.iter().filter(due).max()?;
    Some(Ending {
        rule: row.id.clone(),
        article: row.article.clone(),
        title_fr: row.title_fr.clone(),
        title_en: row.title_en.clone(),
        end,
        notice,
    })
}
