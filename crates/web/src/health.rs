//! The health page: what the keeper and the recorder say of themselves, in one answer.

use crate::{
    cameras::{MissingAct, TechnicalShortfall},
    extract::SignedIn,
    outside::{HealthWitnesses, OutsideWord},
    problem::{self, Problem, ProblemBody},
    recorder_word::{CameraWord, RecorderWord},
    server::Web,
    tls::certificate_finding,
};
use axum::{Json, extract::State};
use keeper::wire::{CameraView, CameraViews, DestructionHealth, Finding, FindingState, KeeperHealth, RequiredAct};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    site: String,
    /// ISO 8601, as all times here.
    now: String,
    version: String,
    /// The worst of all checks.
    state: CheckState,
    checks: Vec<Check>,
    cameras: Vec<HealthCamera>,
    store: HealthStore,
    ledger: HealthLedger,
    destruction: HealthDestruction,
    keyring: HealthKeyring,
    clock: HealthClock,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum CheckState {
    Ok,
    Warning,
    Alarm,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Check {
    id: String,
    state: CheckState,
    title_fr: String,
    title_en: String,
    detail_fr: String,
    detail_en: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct HealthCamera {
    id: String,
    name: String,
    /// `recording`, `connecting`, `away`, `refused` or `unknown`.
    state: &'static str,
    detail_fr: String,
    detail_en: String,
    /// Newest picture that a power cut cannot take any more.
    last_durable: Option<String>,
    bytes_per_second: u64,
    /// How far the camera's own clock is ahead of ours; null where it was not told lately.
    clock_ahead_ms: Option<i64>,
    /// Jumps of the clock of its pictures since the recorder started.
    clock_jumps: u64,
    /// Papers that do not hold.
    missing: Vec<MissingAct>,
    /// Where what is recorded falls short of the arrêté of 3 August 2007.
    shortfalls: Vec<TechnicalShortfall>,
}

#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct HealthStore {
    /// What the store may grow to.
    bytes: u64,
    bytes_used: u64,
    slots: u64,
    slots_free: u64,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct HealthLedger {
    size: u64,
    checkpoint_size: u64,
    checkpoint_at: Option<String>,
    root: String,
    /// Null where no public role is configured: nobody outside holds the town to its log.
    witnesses: Option<HealthWitnesses>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct HealthDestruction {
    next_at: Option<String>,
    /// Start of the hour that dies next.
    next_hour: Option<String>,
    /// Bytes whose key exists after their deadline by trusted time; must be 0 (K9).
    bytes_past_deadline: u64,
    /// Bytes that are closed while clocks disagree, keys waiting (K9).
    bytes_closed_unconfirmed: u64,
    /// Each camera's each hour counts: what has died is a key, and a key is of one camera and one hour.
    camera_hours_destroyed: u64,
    last_destroyed_at: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct HealthKeyring {
    kind: String,
    copies: Vec<HealthCopy>,
    /// The PKCS#11 token behind the root of the keys, where there is one.
    token: Option<HealthToken>,
    sentence_fr: String,
    sentence_en: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct HealthToken {
    label: String,
    /// `present`, or why it is away.
    state: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct HealthCopy {
    /// `present`, or why it is away.
    state: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct HealthClock {
    state: CheckState,
    detail_fr: String,
    detail_en: String,
}

/// How Vigie is
#[utoipa::path(get, path = "/api/health", tag = "health", security(("session" = [])),
    responses((status = 200, body = Health), (status = 401, body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn get_health(State(web): State<Arc<Web>>, SignedIn(session): SignedIn) -> Result<Json<Health>, Problem> {
    let retention = web.retention.as_ref().map(|ask| ask()).unwrap_or_default();
    let answer = web.ask_keeper(move |keeper| Ok((keeper.see_health(&session)?, keeper.see_cameras(&session)?))).await;
    let (health, views) = answer.map_err(|problem| frozen(problem, &retention))?;
    let mut health = compose(health, &views, web.version.clone());
    health.hear(web.outside.as_ref().and_then(|ask| ask()));
    health.checks.extend(retention.into_iter().map(Check::from));
    health.checks.extend(damage(web.damaged_count()));
    let certificate = web.tls.as_ref().map(|tls| certificate_finding(tls.expires(), web.clock.utc()));
    health.checks.extend(certificate.map(Check::from));
    health.state = health.checks.iter().map(|check| check.state).max().unwrap_or(CheckState::Ok).max(health.state);
    Ok(Json(health))
}

/// A keeper that does not answer destroys nothing: whoever looks learns it of the auditor, who asks nobody to say so.
fn frozen(problem: Problem, retention: &[Finding]) -> Problem {
    let is_alarmed = retention.iter().any(|finding| finding.state == FindingState::Alarm);
    if is_alarmed && std::ptr::eq(problem.text, &problem::KEEPER_AWAY) { (&problem::FROZEN).into() } else { problem }
}

impl Health {
    /// What witnesses say of the log.
    fn hear(&mut self, word: Option<OutsideWord>) {
        let Some(word) = word else { return };
        self.ledger.witnesses = Some(HealthWitnesses::from(&word));
        self.checks.extend(word.findings.into_iter().map(Check::from));
    }
}

/// Recorded pictures that replay had to pass over, because their bytes are no longer what was sealed.
fn damage(chunks: usize) -> Option<Check> {
    (chunks > 0).then(|| Check {
        id: "footage-damaged".into(),
        state: CheckState::Alarm,
        title_fr: "Images abîmées sur le disque".into(),
        title_en: "Damaged pictures on disk".into(),
        detail_fr: format!(
            "{chunks} fragment(s) d'images enregistrées ne sont plus ce qui a été scellé et ne sont pas montrés ; \
             le reste l'est. Contrôlez le disque (SMART), remplacez-le s'il vieillit, puis lancez `vigie verify`."
        ),
        detail_en: format!(
            "{chunks} recorded chunk(s) are no longer what was sealed and are not shown; the rest is. \
             Check the disk (SMART), replace it if it wears out, then run `vigie verify`."
        ),
    })
}

fn compose(health: KeeperHealth, views: &CameraViews, version: String) -> Health {
    let word = RecorderWord::of(&health);
    // a silent recorder is among the keeper's findings
    let checks: Vec<Check> =
        health.findings.into_iter().chain(word.findings.iter().cloned()).map(Check::from).collect();
    let clock = Check::from(health.clock);
    let worst = checks.iter().map(|check| check.state).max().unwrap_or(CheckState::Ok).max(clock.state);
    Health {
        site: health.site,
        now: health.now.to_string(),
        version,
        state: worst,
        cameras: views.cameras.iter().map(|view| camera(view, &views.required, &word)).collect(),
        store: store(&word),
        ledger: HealthLedger {
            size: health.ledger.size,
            checkpoint_size: health.ledger.checkpoint_size,
            checkpoint_at: health.ledger.checkpoint_at.map(|at| at.to_string()),
            root: health.ledger.root_hex,
            witnesses: None,
        },
        destruction: destruction(&health.destruction, &word),
        keyring: HealthKeyring {
            kind: health.keyring.kind,
            copies: health.keyring.copies.into_iter().map(|state| HealthCopy { state }).collect(),
            token: health.keyring.token.map(|token| HealthToken { label: token.label, state: token.state }),
            sentence_fr: health.keyring.sentence_fr,
            sentence_en: health.keyring.sentence_en,
        },
        clock: HealthClock { state: clock.state, detail_fr: clock.detail_fr, detail_en: clock.detail_en },
        checks,
    }
}

fn camera(view: &CameraView, required: &[RequiredAct], word: &RecorderWord) -> HealthCamera {
    let id = view.id.to_string();
    let told = word.camera(&id);
    let now = told.filter(|_| !word.silent);
    let blocking = MissingAct::blocking(view, required);
    let (detail_fr, detail_en) = blocking.clone().unwrap_or_else(|| {
        let told = now.map(|told| (told.detail_fr.clone(), told.detail_en.clone()));
        told.unwrap_or_default()
    });
    HealthCamera {
        name: view.name.clone(),
        state: if blocking.is_some() { "refused" } else { word.state(&id) },
        detail_fr,
        detail_en,
        missing: MissingAct::of(view, required),
        shortfalls: TechnicalShortfall::of(view),
        last_durable: told.and_then(CameraWord::last_durable),
        bytes_per_second: now.and_then(|told| told.bytes_per_second).unwrap_or(0.0).max(0.0) as u64,
        clock_ahead_ms: now.and_then(|told| told.clock_ahead_ms),
        clock_jumps: now.map_or(0, |told| told.clock_jumps),
        id,
    }
}

/// Slots that do not exist on the disk yet are free: the store grows into them.
fn store(word: &RecorderWord) -> HealthStore {
    let of = &word.store;
    let used = of.slots.saturating_sub(of.slots_free);
    HealthStore {
        bytes: of.slots_max.saturating_mul(of.slot_bytes),
        bytes_used: used.saturating_mul(of.slot_bytes),
        slots: of.slots_max,
        slots_free: of.slots_max.saturating_sub(used),
    }
}

/// The keeper counts hours, the recorder bytes. A key that lives too long is never shown as 0 bytes, and rows that the recorder
/// has not struck out yet are not counted where the keeper has no such key.
fn destruction(of: &DestructionHealth, word: &RecorderWord) -> HealthDestruction {
    HealthDestruction {
        next_at: of.next_at.map(|at| at.to_string()),
        next_hour: of.next_hour.map(|hour| hour.start().to_string()),
        bytes_past_deadline: match of.hours_past_deadline {
            0 => 0,
            hours => word.bytes_past_deadline.unwrap_or(0).max(hours),
        },
        bytes_closed_unconfirmed: word.bytes_closed_unconfirmed.unwrap_or(0).max(of.hours_closed_unconfirmed),
        camera_hours_destroyed: of.camera_hours_destroyed,
        last_destroyed_at: of.last_destroyed_at.map(|at| at.to_string()),
    }
}

impl From<Finding> for Check {
    fn from(finding: Finding) -> Check {
        let Finding { id, state, title_fr, title_en, detail_fr, detail_en } = finding;
        let state = match state {
            FindingState::Ok => CheckState::Ok,
            FindingState::Warning => CheckState::Warning,
            FindingState::Alarm => CheckState::Alarm,
        };
        Check { id, state, title_fr, title_en, detail_fr, detail_en }
    }
}

#[cfg(test)]
mod tests;
