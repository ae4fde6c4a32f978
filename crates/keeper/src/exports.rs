//! Exports: footage that leaves under a requisition, by two persons (law REQ-06, REQ-07; P10, K5).
//!
//! Open: 1 who asks may process requisitions, and shows both factors anew · 2 so does the second person, who is another one, of the closed
//! list with an act in force, whose account is older than the requisition · 3 the requisition is complete and asks for
//! all of it · 4 the law decides · 5 entry *export*, durable · 6 the registry has it. Permits for it are given to who asked,
//! as often as they are needed until its end: a program that starts again goes on without asking two persons again. What a page
//! or the making of a package asks by itself is no sign of a person: the session locks as ever.
//! Made: 1 entry *exported* with the manifest's digest · 2 the registry has it. Proof: once a batch of the log is closed over all of it.

use crate::{
    core::{KeeperCore, actor, failed, malformed},
    export_facts::ClockWords,
    wire::{
        PersonProof,
        exports::{EntryWords, ExportAnswer, ExportAsk, ExportQuestion, LogWords},
    },
};
use catalog::{Account, ExportRow};
use domain::{
    CameraId, ExportId, Hour, ReelId, Requisition, Role, Sensitive, UtcMicros, Window,
    limit::{PERMIT_SECONDS_MAX, WINDOW_SECONDS_MAX, WINDOWS_MAX},
    requisition::Outcome,
};
use ledger::{Checkpoint, Digest, Entry, Event};
use policy::{Action, Controller, Decision, Paper, Request, requisition::lacking};
use seal::age::Recipient;
use std::collections::{BTreeMap, HashMap};
use vault::{
    KeeperError,
    keeper::{Refused, RefusedReason, SessionSecret, View},
};

/// An export that is not made by then is asked for again.
const OPEN_SECONDS: i64 = 3 * 24 * 3_600;
/// Of all windows together: the extract of the log that proves them is as long as a reader's program takes.
const EXPORT_SECONDS_MAX: i64 = 10 * 24 * 3_600;
/// Reels, or dead hours, whose entries are asked for at once: a message's 1 MiB holds their words and paths.
const ENTRIES_AT_ONCE_MAX: usize = 512;

/// Where in the ledger the entries of reels and exports stand, and what it says of the clocks.
#[derive(Debug, Default)]
pub(crate) struct Places {
    reels: BTreeMap<Hour, HashMap<ReelId, u64>>,
    exported: HashMap<ExportId, u64>,
    /// When the town's copy of a package was destroyed, and by which entry.
    copies: HashMap<ExportId, (UtcMicros, u64)>,
    /// Entries by which keys of an hour are to die, and are dead, each of some cameras.
    condemned: BTreeMap<Hour, Vec<u64>>,
    destroyed: BTreeMap<Hour, Vec<u64>>,
    /// Bytes of an hour's dead reels that could not be deleted.
    residual: BTreeMap<Hour, u64>,
    pub clocks: ClockWords,
}

impl Places {
    pub fn take(&mut self, number: u64, entry: &Entry) {
        self.clocks.take(entry);
        match &entry.event {
            // entered again because nobody knew whether the first time had happened: one is enough
            Event::Reel { reel, hour, .. } => {
                self.reels.entry(*hour).or_default().entry(*reel).or_insert(number);
                // what is dead cannot leave
                let oldest = hour.plus(-31 * 24 * 3_600 / i64::from(hour.length().seconds()));
                self.reels = self.reels.split_off(&oldest);
            }
            Event::Condemned { hour, .. } => self.condemned.entry(*hour).or_default().push(number),
            Event::Tombstone { hour, residual, .. } => {
                let bytes = residual.iter().map(|reel| reel.bytes).sum::<u64>();
                if 0 < bytes {
                    *self.residual.entry(*hour).or_default() += bytes;
                }
            }
            Event::Destroyed { hour, .. } => self.destroyed.entry(*hour).or_default().push(number),
            Event::Exported { export, .. } => drop(self.exported.insert(*export, number)),
            Event::CopyDestroyed { export, .. } => drop(self.copies.insert(*export, (entry.at, number))),
            _ => {}
        }
    }

    pub fn condemned(&self, hour: Hour) -> impl Iterator<Item = u64> + '_ {
        self.condemned.get(&hour).into_iter().flatten().copied()
    }

    pub fn residual(&self, hour: Hour) -> u64 {
        self.residual.get(&hour).copied().unwrap_or_default()
    }

    /// The entry that its package is made.
    pub fn exported(&self, export: ExportId) -> Option<u64> {
        self.exported.get(&export).copied()
    }

    pub fn copy_destroyed(&self, export: ExportId) -> Option<(UtcMicros, u64)> {
        self.copies.get(&export).copied()
    }

    fn reel(&self, reel: ReelId) -> Option<u64> {
        self.reels.values().find_map(|hour| hour.get(&reel).copied())
    }
}

impl KeeperCore {
    /// What web asks of the register and of exports.
    pub fn export_question(&self, question: ExportQuestion) -> Result<ExportAnswer, KeeperError> {
        match question {
            ExportQuestion::Register { session, known, says } => self.requisition_register(&session, known, *says),
            ExportQuestion::Answer { session, requisition, outcome, ground, reason } => {
                self.requisition_answer(&session, requisition, (outcome, ground, reason))
            }
            ExportQuestion::Deliver { session, requisition, delivery } => {
                self.requisition_deliver(&session, requisition, *delivery)
            }
            ExportQuestion::CopyDestroyed { session, export, bytes } => {
                self.export_copy_destroyed(&session, export, bytes)
            }
            ExportQuestion::Viewed { session, requisition, present } => {
                self.requisition_viewed(&session, requisition, present)
            }
            ExportQuestion::Opinions { session } => self.opinions(&session),
            ExportQuestion::Opinion { session, requisition, favourable, reason } => {
                self.opinion_give(&session, requisition, (favourable, reason))
            }
            ExportQuestion::Scan { session, part } => self.requisition_scan(&session, part),
            ExportQuestion::Requisitions { session, before } => self.requisitions(&session, before),
            ExportQuestion::View { session, export } => {
                let (account, _) = self.who(&session)?;
                Ok(ExportAnswer::Opened(self.export_view(&self.open_export(&account, export)?, &account)))
            }
            ExportQuestion::Open(ask) => self.export_open(&ask),
            ExportQuestion::Permits { session, export } => self.export_permits(&session, export),
            ExportQuestion::Facts { session, export } => self.export_facts(&session, export),
            ExportQuestion::Closed { session, export, reels } => self.export_closed(&session, export, &reels),
            ExportQuestion::Made { session, export, manifest, files, bytes } => {
                self.export_made(&session, export, manifest, (files, bytes))
            }
            ExportQuestion::Proof { session, export, reels, destroyed, note } => {
                self.export_proof(&session, export, (&reels, &destroyed), note)
            }
        }
    }

    fn export_open(&self, ask: &ExportAsk) -> Result<ExportAnswer, KeeperError> {
        let account = self.registrar(&ask.session)?;
        let own = PersonProof { account: account.name.clone(), password: ask.password.clone(), code: ask.code.clone() };
        match self.by_both_factors(actor(&account), &own)? {
            Ok(proven) if proven.id == account.id => {} // 1
            Ok(_) => return Ok(ExportAnswer::Denied { wait_seconds: 0 }),
            Err(wait_seconds) => return Ok(ExportAnswer::Denied { wait_seconds }),
        }
        let second = match self.by_both_factors(actor(&account), &ask.second)? {
            Ok(second) => second,
            Err(wait_seconds) => return Ok(ExportAnswer::Denied { wait_seconds }),
        };
        let now = self.trusted()?;
        check(&ask.windows)?;
        check_recipient(ask.sealed_to.as_deref())?;
        let requisition = self.requisition(ask.requisition)?;
        let lacks = lacking(&requisition.says, now);
        if !lacks.is_empty() {
            return Ok(ExportAnswer::Incomplete(lacks)); // 3
        }
        let request = self.export_request(&account, &second, ask, &requisition, now)?;
        let mut reasons = self.own_objections(&account, &second, ask, &requisition, now)?; // 2, 3
        let mut rules = Vec::new();
        match self.law().decide(&request) {
            Decision::Allow { rules: by } => rules = by.iter().map(ToString::to_string).collect(), // 4
            Decision::Refuse(refusal) => reasons.extend(refusal.reasons.iter().map(crate::gate::told)),
        }
        if !reasons.is_empty() {
            return self.refuse_request(&account, &request, reasons).map(ExportAnswer::Refused);
        }
        let id = ExportId::draw(&*self.parts.random);
        let event = Event::Export {
            export: id,
            who: account.name.clone(),
            role: account.role.clone(),
            second: Some(second.name.clone()),
            requisition: requisition.id,
            number: requisition.label(),
            purpose: ask.purpose,
            windows: ask.windows.clone(),
            rules,
            sealed_to: ask.sealed_to.clone(),
        };
        let leaf = self.enter_events(actor(&account), vec![event])?.first().copied().unwrap_or_default(); // 5
        let row = ExportRow {
            id,
            requisition: requisition.id,
            account: account.id,
            second: second.id,
            opened: now,
            until: now.plus_seconds(OPEN_SECONDS),
            windows: ask.windows.clone(),
            purpose: ask.purpose,
            leaf,
            manifest: None,
        };
        self.parts.registry.export_put(&row).map_err(failed)?; // 6
        Ok(ExportAnswer::Opened(self.export_view(&row, &account)))
    }

    fn export_request(
        &self,
        account: &Account,
        second: &Account,
        ask: &ExportAsk,
        requisition: &Requisition,
        now: UtcMicros,
    ) -> Result<Request, KeeperError> {
        let cameras: Vec<_> = ask.windows.iter().map(|window| window.camera).collect();
        let from = ask.windows.iter().map(|window| window.span.from()).min();
        let to = ask.windows.iter().map(|window| window.span.to()).max();
        let span = from.zip(to).and_then(|(from, to)| domain::Span::new(from, to).ok());
        let framework = requisition.says.framework;
        // complete it is: its act is in writing, and both opinions are favourable
        let (action, ground) = if framework.is_procedure() {
            (Action::ExportProcedure, vec![Paper::ReasonedAct, Paper::DpoOpinion])
        } else {
            (Action::ExportRequisition, vec![Paper::Requisition])
        };
        let papers = self.papers(now)?.into_iter().chain(ground).collect();
        Ok(Request {
            action,
            person: self.person_facts(account, now)?,
            controller: Controller::Commune,
            purpose: Some(ask.purpose),
            reason: Sensitive::new(requisition.reason()),
            cameras: self.camera_facts(&cameras, now)?,
            span,
            permit_seconds: PERMIT_SECONDS_MAX,
            papers,
            second_person: account.id != second.id,
            now,
        })
    }

    /// What the law pack does not know: who the second person is, and what the requisition asks for.
    fn own_objections(
        &self,
        account: &Account,
        second: &Account,
        ask: &ExportAsk,
        requisition: &Requisition,
        now: UtcMicros,
    ) -> Result<Vec<RefusedReason>, KeeperError> {
        let mut reasons = Vec::new();
        let may = second.role != Role::Operator.name() && self.sees_pictures(second, now)?;
        if account.id == second.id || !may || requisition.says.received <= second.created {
            reasons.push(SECOND.reason());
        }
        if requisition.says.answer.as_ref().is_some_and(|answer| answer.outcome == Outcome::Refused) {
            reasons.push(REFUSED.reason());
        }
        if !ask.windows.iter().all(|window| requisition.says.asks_for(window)) {
            reasons.push(MORE.reason());
        }
        if let Some(doubt) = self.restored_reason() {
            reasons.push(doubt);
        }
        Ok(reasons)
    }

    pub(crate) fn refuse_request(
        &self,
        account: &Account,
        request: &Request,
        reasons: Vec<RefusedReason>,
    ) -> Result<Refused, KeeperError> {
        let refusal = Event::Refusal {
            who: account.name.clone(),
            role: account.role.clone(),
            action: request.action.name().to_owned(),
            cameras: request.cameras.iter().map(|camera| camera.id).collect(),
            span: request.span,
            purpose: request.purpose,
            reason: Some(request.reason.clone()),
            rules: reasons.iter().map(|reason| reason.rule.clone()).collect(),
        };
        let leaf = self.enter_events(actor(account), vec![refusal])?.first().copied().unwrap_or_default();
        Ok(Refused { reasons, leaf })
    }

    /// One permit a window, for who opened it.
    fn export_permits(&self, session: &SessionSecret, id: ExportId) -> Result<ExportAnswer, KeeperError> {
        let (account, session_hash) = self.who_acts(session)?;
        let (row, now) = (self.open_export(&account, id)?, self.trusted()?);
        if !self.may_still_look(&account, now) {
            return Err(KeeperError::NoPermit);
        }
        let grant = |window: &Window| {
            let view = View::Export(window.span);
            let permit =
                self.grant_export(&account, session_hash, window.camera, view, (row.purpose, row.leaf), row.until);
            (*window, permit)
        };
        Ok(ExportAnswer::Permits(row.windows.iter().map(grant).collect()))
    }

    fn export_closed(
        &self,
        session: &SessionSecret,
        id: ExportId,
        reels: &[ReelId],
    ) -> Result<ExportAnswer, KeeperError> {
        let (account, _) = self.who(session)?;
        self.open_export(&account, id)?;
        let moving = self.moving();
        let all = reels.iter().all(|reel| moving.places.reel(*reel).is_some());
        Ok(if all { ExportAnswer::Made } else { ExportAnswer::Wait })
    }

    fn export_made(
        &self,
        session: &SessionSecret,
        id: ExportId,
        manifest: Digest,
        (files, bytes): (u32, u64),
    ) -> Result<ExportAnswer, KeeperError> {
        let (account, _) = self.who(session)?;
        self.open_export(&account, id)?;
        self.enter_events(actor(&account), vec![Event::Exported { export: id, manifest, files, bytes }])?; // 1
        self.parts.registry.export_made(id, &manifest.0).map_err(failed)?; // 2
        Ok(ExportAnswer::Made)
    }

    /// Web deleted the town's copy of what was handed over: the end of an act that its handover began. Once.
    fn export_copy_destroyed(
        &self,
        session: &SessionSecret,
        id: ExportId,
        bytes: u64,
    ) -> Result<ExportAnswer, KeeperError> {
        let (account, _) = self.who(session)?;
        let row = self.parts.registry.export(id).map_err(failed)?;
        let row = row.filter(|row| row.account == account.id).ok_or(KeeperError::NoPermit)?;
        let says = self.requisition(row.requisition)?.says;
        if !says.deliveries.iter().any(|delivery| delivery.export == id) {
            return Err(malformed("the copy of a package that was not handed over is no copy left over"));
        }
        if self.moving().places.copy_destroyed(id).is_none() {
            self.enter_events(actor(&account), vec![Event::CopyDestroyed { export: id, bytes }])?;
        }
        Ok(ExportAnswer::Made)
    }

    /// The entries of these reels, of the export and of its package, under a checkpoint that holds them all.
    fn export_proof(
        &self,
        session: &SessionSecret,
        id: ExportId,
        (reels, destroyed): (&[ReelId], &[(CameraId, Hour)]),
        note: Option<String>,
    ) -> Result<ExportAnswer, KeeperError> {
        let (account, _) = self.who(session)?;
        let row = self.open_export(&account, id)?;
        if ENTRIES_AT_ONCE_MAX < destroyed.len()
            || !destroyed.iter().all(|(camera, hour)| is_asked(&row, *camera, *hour))
        {
            return Err(malformed("hours of the export's own windows are proved dead, some hundred at once"));
        }
        if ENTRIES_AT_ONCE_MAX < reels.len() {
            return Err(malformed(format!("at most {ENTRIES_AT_ONCE_MAX} reels are proved at once")));
        }
        let places = {
            let places = &self.moving().places;
            let of_reels = reels.iter().map(|reel| places.reel(*reel));
            of_reels.chain([places.exported.get(&id).copied()]).collect::<Option<Vec<u64>>>()
        };
        // a reel that is open still, or was closed this second, is told soon
        let Some(mut places) = places else { return Ok(ExportAnswer::Wait) };
        places.push(row.leaf);
        places.extend(destroyed.iter().filter_map(|(camera, hour)| self.death_of(*camera, *hour)));
        places.sort_unstable();
        places.dedup();
        let Some((note, checkpoint)) = self.proving_note(note)? else { return Ok(ExportAnswer::Wait) };
        if places.last().is_some_and(|last| checkpoint.size <= *last) {
            return Ok(ExportAnswer::Wait);
        }
        let entries = places.into_iter().map(|seq| self.entry_words(seq, checkpoint.size)).collect::<Result<_, _>>()?;
        let checkpoint = String::from_utf8(note).map_err(failed)?;
        Ok(ExportAnswer::Proof(LogWords { checkpoint, entries }))
    }

    /// The note that was brought, with the cosignatures on it, if this log signed it; else the newest.
    fn proving_note(&self, brought: Option<String>) -> Result<Option<(Vec<u8>, Checkpoint)>, KeeperError> {
        let journal = &self.parts.journal;
        match brought.map(String::into_bytes) {
            Some(note) => match journal.checkpoint_key().verify(&note) {
                Ok(checkpoint) if checkpoint.size <= journal.size() => Ok(Some((note, checkpoint))),
                Ok(_) | Err(_) => Err(malformed("this note is no checkpoint of this log")),
            },
            None => journal.published().map_err(failed),
        }
    }

    /// The entry by which the key of a camera's hour is dead, as far as the log's details can still be read.
    pub(crate) fn death_of(&self, camera: CameraId, hour: Hour) -> Option<u64> {
        let entries = self.moving().places.destroyed.get(&hour).cloned().unwrap_or_default();
        let names = |seq: &u64| {
            let journal = &self.parts.journal;
            let (_, details) = journal.open_details(&journal.read(*seq).ok()?).ok()?;
            match Entry::from_details(&details).ok()?.event {
                Event::Destroyed { cameras, .. } => cameras.contains(&camera).then_some(()),
                _ => None,
            }
        };
        entries.into_iter().find(|seq| names(seq).is_some())
    }

    fn entry_words(&self, seq: u64, size: u64) -> Result<EntryWords, KeeperError> {
        let journal = &self.parts.journal;
        let sealed = journal.read(seq).map_err(failed)?;
        let (salt, details) = journal.open_details(&sealed).map_err(failed)?;
        let details = Sensitive::new(String::from_utf8(details).map_err(failed)?);
        Ok(EntryWords { seq, salt, details, path: journal.prove_inclusion(size, seq).map_err(failed)? })
    }

    /// Of who opened it, until its end.
    pub(crate) fn open_export(&self, account: &Account, id: ExportId) -> Result<ExportRow, KeeperError> {
        let row = self.standing_export(id)?;
        if row.account == account.id { Ok(row) } else { Err(KeeperError::NoPermit) }
    }

    /// Two persons' permission stands, whoever asks.
    pub(crate) fn standing_export(&self, id: ExportId) -> Result<ExportRow, KeeperError> {
        let row = self.parts.registry.export(id).map_err(failed)?;
        let row = row.filter(|row| self.decision_time() < row.until).ok_or(KeeperError::NoPermit)?;
        let says = self.requisition(row.requisition)?.says;
        // what was handed over is over: the town's copy is gone, and nothing is made anew
        let is_over = says.deliveries.iter().any(|delivery| delivery.export == id);
        let is_refused = says.answer.as_ref().is_some_and(|answer| answer.outcome == Outcome::Refused);
        // what came out since: a paper that did not follow, a camera that was not asked for after all
        let is_complete = lacking(&says, self.decision_time()).is_empty();
        let is_asked = row.windows.iter().all(|window| says.asks_for(window));
        if is_over || is_refused || !is_complete || !is_asked { Err(KeeperError::NoPermit) } else { Ok(row) }
    }
}

/// Empty, or longer than a day.
pub(crate) fn is_no_day(window: &Window) -> bool {
    let micros = window.span.micros();
    micros == 0 || WINDOW_SECONDS_MAX * 1_000_000 < micros
}

fn check_recipient(sealed_to: Option<&str>) -> Result<(), KeeperError> {
    match sealed_to.map(Recipient::parse).transpose() {
        Ok(_) => Ok(()),
        Err(error) => Err(malformed(error.to_string())),
    }
}

fn is_asked(row: &ExportRow, camera: CameraId, hour: Hour) -> bool {
    let touches = |window: &Window| window.span.from() < hour.end() && hour.start() < window.span.to();
    row.windows.iter().any(|window| window.camera == camera && touches(window))
}

fn check(windows: &[Window]) -> Result<(), KeeperError> {
    if !(1..=WINDOWS_MAX).contains(&windows.len()) {
        return Err(malformed(format!("an export names 1 to {WINDOWS_MAX} cameras and spans")));
    }
    let seconds: i64 = windows.iter().map(|window| window.span.micros() / 1_000_000).sum();
    if EXPORT_SECONDS_MAX < seconds {
        return Err(malformed("an export holds at most ten days of cameras: ask for several"));
    }
    if windows.iter().any(is_no_day) {
        return Err(malformed("a window of an export lasts at most a day: ask for several"));
    }
    Ok(())
}

/// The keeper's own rules.
pub(crate) struct Own {
    pub rule: &'static str,
    pub article: &'static str,
    pub text: (&'static str, &'static str),
    pub remedy: (&'static str, &'static str),
}

const SECOND: Own = Own {
    rule: "export-second-person",
    article: "CSI R253-2 ; Cass. crim. 13 nov. 2024 n° 24-80.377",
    text: (
        "La seconde personne est une autre, habilitée aujourd'hui, et son compte est plus ancien que la réquisition.",
        "The second person is another one, habilitated today, and the account is older than the requisition.",
    ),
    remedy: (
        "Faites venir une autre personne habilitée du service, avec son mot de passe et son code.",
        "Have another habilitated person of the service come, with password and code.",
    ),
};
pub(crate) const REFUSED: Own = Own {
    rule: "export-requisition-refused",
    article: "CSI R253-5",
    text: ("La commune a refusé cette réquisition.", "The town refused this requisition."),
    remedy: (
        "Si le refus est levé, inscrivez une autre réponse ; puis autorisez la remise.",
        "If the refusal is lifted, enter another answer; then allow the handover.",
    ),
};
const MORE: Own = Own {
    rule: "export-only-what-is-asked",
    article: "RGPD art. 5 § 1 c ; CPP 60-1",
    text: (
        "La réquisition ne demande pas toutes ces caméras et ces heures.",
        "The requisition does not ask for all these cameras and hours.",
    ),
    remedy: (
        "Restreignez l'export à ce qu'elle demande, ou inscrivez la réquisition complémentaire.",
        "Narrow the export to what it asks for, or enter the further requisition.",
    ),
};

impl Own {
    pub fn reason(&self) -> RefusedReason {
        RefusedReason {
            rule: self.rule.into(),
            article: self.article.into(),
            text_fr: self.text.0.into(),
            text_en: self.text.1.into(),
            remedy_fr: self.remedy.0.into(),
            remedy_en: self.remedy.1.into(),
        }
    }
}
