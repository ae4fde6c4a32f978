//! Health and fates: what the console and `vigie status` show of the keeper.

use crate::{
    core::{KeeperCore, malformed},
    fates::Fate,
    journal::{Keeping, Ready},
    wire::{
        Answer, DestructionHealth, FateState, Finding, FindingState, HourFate, KeeperHealth, KeyringHealth,
        LedgerHealth, SiteView, Status, TokenHealth,
    },
};
use domain::{CameraId, Hour, Span, UtcMicros};
use keyring::{Away, CopyState, Custodian};
use policy::retention::closes_at;
use vault::{
    KeeperError,
    keeper::{Beat, Pulse, SessionSecret},
};

/// A console's day is 25 hours at most; nobody needs more fates at once.
const FATE_HOURS_MAX: i64 = 24 * 32;
/// It travels on in answers of 1 MiB.
const RECORDER_HEALTH_BYTES_MAX: usize = 512 * 1024;
/// The recorder speaks each second; silence for longer is an alarm.
const RECORDER_SILENCE_SECONDS_MAX: i64 = 10;

impl KeeperCore {
    pub(crate) fn site_view(&self) -> Result<SiteView, KeeperError> {
        Ok(SiteView {
            name: self.parts.registry.site().name.clone(),
            hour_seconds: self.parts.hour_length.seconds(),
            setup_needed: self.setup_needed()?,
        })
    }

    /// The recorder's second: its permits answered, its health kept, its work told.
    pub fn check(&self, beat: &Beat) -> Result<Pulse, KeeperError> {
        // a check of one permit, between two seconds, brings no health and takes no work
        let is_beat = !beat.health.is_empty();
        if is_beat {
            self.hear_cameras(&beat.clocks);
        }
        let judgement = self.judgement();
        let alive = beat.permits.iter().map(|permit| self.holds(permit)).collect();
        let dead = self.dead();
        let probe = if is_beat { self.next_probe() } else { None };
        let order = if is_beat { self.next_rebuild() } else { None };
        let closed_unconfirmed = if is_beat { self.closed_for_the_recorder() } else { Vec::new() };
        let holds = is_beat.then(|| self.moving().holds.jobs());
        let mut moving = self.moving();
        if is_beat && beat.health.len() <= RECORDER_HEALTH_BYTES_MAX {
            moving.recorder.health.clone_from(&beat.health);
            moving.room.is_short = beat.is_short_of_room;
        }
        moving.recorder.seen = Some(judgement.trusted.unwrap_or(judgement.fastest));
        Ok(Pulse {
            now: judgement.trusted,
            alive,
            dead,
            cameras_version: moving.cameras_version,
            probe,
            rebuild: order.map(|(number, _)| number),
            loss_accepted: order.is_some_and(|(_, loss_accepted)| loss_accepted),
            closed_unconfirmed,
            holds,
        })
    }

    /// What became, or will become, of a camera's hours.
    pub(crate) fn see_hours(
        &self,
        session: &SessionSecret,
        camera: CameraId,
        span: Span,
    ) -> Result<Vec<HourFate>, KeeperError> {
        self.who(session)?;
        let (mut hour, last) = (self.parts.hour_length.hour_of(span.from()), span.to());
        if last.since(hour.start()) > FATE_HOURS_MAX * 3_600 * 1_000_000 {
            return Err(malformed("the fates of at most 32 days are told at once"));
        }
        let mut fates = Vec::new();
        while hour.start() < last {
            fates.push(self.fate(hour, camera));
            hour = hour.plus(1);
        }
        Ok(fates)
    }

    fn fate(&self, hour: Hour, camera: CameraId) -> HourFate {
        let judgement = self.judgement();
        let known = self.moving().fates.of(hour, camera);
        let Some(fate) = known.or_else(|| self.forgotten_fate(hour, camera)) else {
            return HourFate { hour, state: FateState::Empty, deadline: None, destroyed_at: None };
        };
        let is_closed = |deadline| judgement.is_closed(closes_at(deadline));
        let is_erased = self.moving().fates.orders.erases(hour, camera);
        let state = if fate.destroyed_at.is_some() || fate == Fate::default() {
            FateState::Destroyed
        } else if is_erased || fate.condemned_at.is_some() || fate.deadline.is_some_and(is_closed) {
            FateState::Closed
        } else {
            FateState::Live
        };
        HourFate { hour, state, deadline: fate.deadline, destroyed_at: fate.destroyed_at }
    }

    /// Where the mint may stand in a month of the ledger that cannot be read any more: what the keyring says. A key that it
    /// does not have is dead, or never was: nobody can tell any more, and "dead" claims less.
    fn forgotten_fate(&self, hour: Hour, camera: CameraId) -> Option<Fate> {
        if !self.moving().fates.is_forgotten(hour) {
            return None;
        }
        let page = self.parts.keyring.page(hour).ok().flatten();
        let deadline = page.and_then(|page| page.cameras.get(&camera).map(|key| key.deadline));
        Some(Fate { deadline, ..Fate::default() })
    }

    pub(crate) fn see_health(&self, session: &SessionSecret) -> Result<KeeperHealth, KeeperError> {
        self.who(session)?;
        self.health()
    }

    pub(crate) fn status(&self) -> Result<Answer, KeeperError> {
        Ok(Answer::Status(Box::new(Status {
            health: self.health()?,
            cameras: self.camera_views()?.cameras,
            passphrase_from: self.parts.passphrase_from.clone(),
            version: self.parts.version.clone(),
        })))
    }

    pub fn health(&self) -> Result<KeeperHealth, KeeperError> {
        let now = self.decision_time();
        let clock = self.clock_finding();
        let (recorder, recorder_seen) = {
            let moving = self.moving();
            (moving.recorder.health.clone(), moving.recorder.seen)
        };
        let destruction = self.destruction_health();
        let mut findings = self.parts.findings.clone();
        findings.push(clock.clone());
        findings.push(recorder_finding(now, recorder_seen));
        findings.push(destruction_finding(&destruction));
        findings.push(self.keyring_finding());
        findings.push(self.ledger_finding());
        findings.extend(self.forgetting_finding());
        findings.extend(self.restored_finding());
        findings.extend(self.shortening_finding());
        findings.extend(self.room_finding());
        findings.extend(self.holds_finding());
        findings.extend(self.moving().fates.damage.finding());
        findings.extend(self.acts_findings()?);
        findings.extend(self.glass_findings()?);
        findings.extend(self.technical_findings()?);
        Ok(KeeperHealth {
            site: self.parts.registry.site().name.clone(),
            now,
            clock,
            ledger: self.ledger_health()?,
            destruction,
            keyring: self.keyring_health(),
            recorder,
            recorder_seen,
            findings,
        })
    }

    fn ledger_health(&self) -> Result<LedgerHealth, KeeperError> {
        let head = self.parts.journal.head();
        let checkpoint = self.moving().checkpoint;
        Ok(LedgerHealth {
            size: head.size,
            root_hex: head.root.0.iter().map(|byte| format!("{byte:02x}")).collect(),
            checkpoint_size: checkpoint.map_or(0, |(size, _)| size),
            checkpoint_at: checkpoint.map(|(_, at)| at),
        })
    }

    fn destruction_health(&self) -> DestructionHealth {
        let judgement = self.judgement();
        let hours = self.parts.keyring.hours();
        let past = |deadline: UtcMicros| judgement.trusted.is_some_and(|now| deadline <= now);
        let waiting = self.closed_unconfirmed();
        let next = hours.iter().min_by_key(|summary| summary.earliest);
        let moving = self.moving();
        let (camera_hours_destroyed, last_destroyed_at) = moving.fates.destroyed();
        DestructionHealth {
            next_at: next.map(|summary| closes_at(summary.earliest)),
            next_hour: next.map(|summary| summary.hour),
            hours_past_deadline: hours.iter().filter(|summary| past(summary.earliest)).count() as u64,
            hours_closed_unconfirmed: waiting.len() as u64,
            camera_hours_destroyed,
            last_destroyed_at,
        }
    }

    fn keyring_health(&self) -> KeyringHealth {
        let custodian = self.parts.keyring.custodian();
        let statement = custodian.statement();
        let word = |state: &CopyState| match state {
            CopyState::Present => "present".to_owned(),
            CopyState::Away(away) => format!("away: {away}"),
            CopyState::WrittenOff => "written off".to_owned(),
        };
        KeyringHealth {
            kind: custodian.kind.name().into(),
            copies: custodian.copies.iter().map(|copy| word(&copy.state)).collect(),
            token: custodian.token.map(|token| TokenHealth { state: word(&token.state), label: token.label }),
            sentence_fr: statement.fr.into(),
            sentence_en: statement.en.into(),
        }
    }

    fn keyring_finding(&self) -> Finding {
        let health = self.keyring_health();
        let away: Vec<&String> = health.copies.iter().filter(|copy| copy.starts_with("away")).collect();
        let state = if away.is_empty() { FindingState::Ok } else { FindingState::Alarm };
        let (fr, en) = match away.first() {
            None => match token_away(&self.parts.keyring.custodian()) {
                Some((fr, en)) => {
                    return finding("keyring", FindingState::Alarm, ("Trousseau de clés", "Keyring"), (fr, en));
                }
                None => {
                    ("Toutes les copies du trousseau répondent.".into(), "All copies of the keyring answer.".into())
                }
            },
            Some(why) => (
                format!(
                    "Une copie du trousseau manque ({why}). L'enregistrement continue ; les destructions restent à confirmer."
                ),
                format!(
                    "A copy of the keyring is missing ({why}). Recording goes on; destructions wait to be confirmed."
                ),
            ),
        };
        finding("keyring", state, ("Trousseau de clés", "Keyring"), (fr, en))
    }

    fn ledger_finding(&self) -> Finding {
        let keeping = match self.moving().journal_broken.clone() {
            Some(why) => Keeping::Away { why },
            None => self.parts.journal.keeping(),
        };
        let (state, fr, en) = keeping_words(keeping);
        finding("ledger", state, ("Registre", "Ledger"), (fr, en))
    }
}

/// What a token that is away means, and what to do.
fn token_away(custodian: &Custodian) -> Option<(String, String)> {
    let CopyState::Away(Away::Token(fault)) = &custodian.token.as_ref()?.state else { return None };
    Some((
        format!("{} L'enregistrement continue ; les destructions restent à confirmer.", sentence(&fault.fr())),
        format!("{} Recording goes on; destructions wait to be confirmed.", sentence(&fault.to_string())),
    ))
}

/// With a capital and a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    format!("{first}{}.", letters.as_str())
}

/// Where the ledger's entries go, what follows, and what to do.
fn keeping_words(keeping: Keeping) -> (FindingState, String, String) {
    match keeping {
        Keeping::Journal { reserve: Ready::Yes } => (
            FindingState::Ok,
            "Le registre prend les écritures ; sa réserve est prête.".into(),
            "The ledger takes entries; its reserve stands ready.".into(),
        ),
        Keeping::Journal { reserve: Ready::NotConfigured } => (
            FindingState::Warning,
            "Le registre prend les écritures, mais n'a pas de réserve : si son disque lâche, personne ne peut plus rien \
             consulter. Donnez-lui un dossier sur un autre disque (`ledger.reserve`)."
                .into(),
            "The ledger takes entries but has no reserve: if its disk fails, nobody can look at anything any more. Give it \
             a folder on another disk (`ledger.reserve`)."
                .into(),
        ),
        Keeping::Journal { reserve: Ready::No { why } } => (
            FindingState::Warning,
            format!(
                "Le registre prend les écritures, mais sa réserve manque ({why}). Rebranchez son disque ou corrigez `ledger.reserve`."
            ),
            format!(
                "The ledger takes entries but its reserve is missing ({why}). Connect its disk or correct `ledger.reserve`."
            ),
        ),
        Keeping::Reserve { why, groups } => (
            FindingState::Alarm,
            format!(
                "Le registre écrit dans sa réserve ({groups} groupe(s)), car son disque refuse : {why}. Rien n'est perdu, les \
                 consultations continuent. Libérez de la place ou remplacez ce disque ; ne débranchez pas la réserve."
            ),
            format!(
                "The ledger writes to its reserve ({groups} group(s)), because its disk refuses: {why}. Nothing is lost, looks go \
                 on. Free space or replace that disk; do not disconnect the reserve."
            ),
        ),
        Keeping::Away { why } => (
            FindingState::Alarm,
            format!(
                "Ni le registre ni sa réserve ne prennent d'écriture : personne ne peut rien consulter ; l'enregistrement \
                 continue ({why}). Rétablissez l'un des deux disques : le gardien reprend de lui-même."
            ),
            format!(
                "Neither the ledger nor its reserve takes an entry: nobody can look at anything; recording goes on ({why}). \
                 Bring one of the two disks back: the keeper goes on by itself."
            ),
        ),
    }
}

fn destruction_finding(health: &DestructionHealth) -> Finding {
    let titles = ("Destruction à l'échéance", "Destruction on time");
    let (state, texts) = match (health.hours_past_deadline, health.hours_closed_unconfirmed) {
        (0, 0) => (
            FindingState::Ok,
            (
                "Rien n'est conservé au-delà de son échéance.".to_owned(),
                "Nothing is kept past its deadline.".to_owned(),
            ),
        ),
        (0, waiting) => (
            FindingState::Alarm,
            (
                format!(
                    "{waiting} heure(s) fermée(s) : la destruction attend une heure sûre, le registre ou une copie du trousseau."
                ),
                format!(
                    "{waiting} hour(s) closed: destruction waits for a sure time, the ledger or a copy of the keyring."
                ),
            ),
        ),
        (past, _) => (
            FindingState::Alarm,
            (
                format!("{past} heure(s) ont encore une clé après leur échéance."),
                format!("{past} hour(s) still have a key past their deadline."),
            ),
        ),
    };
    finding("destruction", state, titles, texts)
}

/// Whether what the recorder said last says nothing about now.
pub(crate) fn is_silent(now: UtcMicros, seen: Option<UtcMicros>) -> bool {
    seen.is_none_or(|seen| now.since(seen) > RECORDER_SILENCE_SECONDS_MAX * 1_000_000)
}

fn recorder_finding(now: UtcMicros, seen: Option<UtcMicros>) -> Finding {
    let (state, fr, en) = if is_silent(now, seen) {
        (FindingState::Alarm, "L'enregistreur ne répond pas.", "The recorder does not answer.")
    } else {
        (FindingState::Ok, "L'enregistreur répond.", "The recorder answers.")
    };
    finding("recorder", state, ("Enregistreur", "Recorder"), (fr.into(), en.into()))
}

/// One finding.
pub(crate) fn finding(id: &str, state: FindingState, title: (&str, &str), detail: (String, String)) -> Finding {
    Finding {
        id: id.into(),
        state,
        title_fr: title.0.into(),
        title_en: title.1.into(),
        detail_fr: detail.0,
        detail_en: detail.1,
    }
}
