//! The papers on the health page: what is missing of which cameras, what ends soon, which accounts lack their act.

use crate::{
    core::{KeeperCore, failed},
    health::finding,
    wire::{Finding, FindingState},
};
use domain::{CameraId, Role, UtcMicros};
use policy::{
    calendar::{day_en, day_fr},
    golive::{Ending, Missing, Notice, endings, endings_of_person, missing_of_person},
};
use std::collections::{BTreeMap, BTreeSet};
use vault::KeeperError;

/// Cameras that a sentence names; the rest are counted.
const NAMED_MAX: usize = 6;

/// Cameras that lack the same paper.
struct Lack {
    missing: Missing,
    blocks: bool,
    cameras: Vec<String>,
}

impl KeeperCore {
    pub(crate) fn acts_findings(&self) -> Result<Vec<Finding>, KeeperError> {
        let now = self.recording_time();
        let (standing, acts) = (self.standing(now)?, self.known_acts()?);
        let names: BTreeMap<CameraId, String> =
            self.in_service()?.into_iter().map(|version| (version.camera.id, version.camera.name)).collect();
        let mut lacks: BTreeMap<String, Lack> = BTreeMap::new();
        let mut ends: BTreeMap<(UtcMicros, String), (Ending, Vec<String>)> = BTreeMap::new();
        for (camera, go) in standing.cameras() {
            let name = names.get(&camera).cloned().unwrap_or_else(|| camera.to_string());
            let all = go
                .blocking
                .iter()
                .map(|missing| (missing, true))
                .chain(go.alarms.iter().map(|missing| (missing, false)));
            for (missing, blocks) in all {
                let new = || Lack { missing: missing.clone(), blocks, cameras: Vec::new() };
                lacks.entry(missing.rule.clone()).or_insert_with(new).cameras.push(name.clone());
            }
            for ending in endings(standing.law().required(), &acts, camera, now) {
                let key = (ending.end, ending.rule.clone());
                ends.entry(key).or_insert((ending, Vec::new())).1.push(name.clone());
            }
        }
        let mut findings: Vec<Finding> = lacks.into_values().map(lacking).collect();
        findings.extend(ends.into_values().map(|(ending, cameras)| ends_soon(&ending, &cameras)));
        findings.extend(self.persons_findings(now)?);
        findings.extend(self.training_finding(now)?);
        if findings.is_empty() {
            let text = ("Tous les actes requis sont en vigueur.".into(), "Every required act is in force.".into());
            findings.push(finding("acts", FindingState::Ok, ("Actes", "Acts"), text));
        }
        Ok(findings)
    }

    /// Accounts by their number: no name leaves the registry for a page that everybody sees.
    fn persons_findings(&self, now: UtcMicros) -> Result<Vec<Finding>, KeeperError> {
        let (law, acts) = (self.law(), self.known_acts()?);
        let accounts = self.parts.registry.accounts().map_err(failed)?;
        let (mut lacking, mut ending) = (BTreeMap::<String, (Missing, usize)>::new(), BTreeSet::new());
        for account in accounts.iter().filter(|account| !account.disabled) {
            let Ok(role) = account.role.parse::<Role>() else { continue };
            for missing in missing_of_person(law.required(), &acts, account.id, role, now) {
                lacking.entry(missing.rule.clone()).or_insert((missing, 0)).1 += 1;
            }
            let soon = endings_of_person(law.required(), &acts, account.id, role, now);
            ending.extend(soon.iter().map(|ending| (ending.end, account.id)));
        }
        let mut findings: Vec<Finding> = lacking.into_values().map(persons_lacking).collect();
        if let Some((first, _)) = ending.first() {
            let count = ending.len();
            findings.push(finding(
                "acts-persons-end",
                FindingState::Warning,
                ("Habilitations à renouveler", "Habilitations to renew"),
                (
                    format!("{count} habilitation(s) ou agrément(s) prennent fin, la première le {}. `vigie act list` les montre.", day_fr(*first)),
                    format!("{count} habilitation(s) or approval(s) end, the first on {}. `vigie act list` shows them.", day_en(*first)),
                ),
            ));
        }
        Ok(findings)
    }
}

fn lacking(lack: Lack) -> Finding {
    let Lack { missing, blocks, cameras } = lack;
    let (count, named) = (cameras.len(), names(&cameras));
    let (effect_fr, effect_en) = if blocks {
        (
            format!("{count} caméra(s) n'enregistrent pas et ne se regardent pas : {named}."),
            format!("{count} camera(s) do not record and cannot be watched: {named}."),
        )
    } else {
        (format!("{count} caméra(s) : {named}."), format!("{count} camera(s): {named}."))
    };
    let Missing { rule, article, title_fr, title_en, text_fr, text_en, remedy_fr, remedy_en, .. } = missing;
    finding(
        &rule,
        FindingState::Alarm,
        (&title_fr, &title_en),
        (
            format!("{text_fr} {effect_fr} {remedy_fr} [{article}]"),
            format!("{text_en} {effect_en} {remedy_en} [{article}]"),
        ),
    )
}

fn persons_lacking((missing, count): (Missing, usize)) -> Finding {
    let Missing { rule, article, title_fr, title_en, remedy_fr, remedy_en, .. } = missing;
    finding(
        &rule,
        FindingState::Warning,
        (&title_fr, &title_en),
        (
            format!("{count} compte(s) sans cet acte aujourd'hui. {remedy_fr} [{article}]"),
            format!("{count} account(s) without this act today. {remedy_en} [{article}]"),
        ),
    )
}

fn ends_soon(ending: &Ending, cameras: &[String]) -> Finding {
    let (fr, en) = match ending.notice {
        Notice::TwelveMonths => ("dans moins de douze mois", "within twelve months"),
        Notice::SixMonths => ("dans moins de six mois", "within six months"),
        Notice::FourMonths => ("dans moins de quatre mois", "within four months"),
        Notice::FifteenDays => ("dans moins de quinze jours", "within fifteen days"),
    };
    let (count, named, article) = (cameras.len(), names(cameras), &ending.article);
    let detail_fr = format!(
        "Prend fin le {}, {fr}, pour {count} caméra(s) : {named}. Demandez le renouvellement (quatre mois avant, d'usage) et inscrivez le nouvel acte. [{article}]",
        day_fr(ending.end)
    );
    let detail_en = format!(
        "Ends on {}, {en}, for {count} camera(s): {named}. Ask for the renewal (usually four months before) and enter the new act. [{article}]",
        day_en(ending.end)
    );
    finding(
        &format!("{}-end-{}", ending.rule, day_en(ending.end)), // the page wants each name once
        FindingState::Warning,
        (&ending.title_fr, &ending.title_en),
        (detail_fr, detail_en),
    )
}

fn names(cameras: &[String]) -> String {
    let named = cameras.iter().take(NAMED_MAX).cloned().collect::<Vec<_>>().join(", ");
    match cameras.len().saturating_sub(NAMED_MAX) {
        0 => named,
        more => format!("{named} … +{more}"),
    }
}
