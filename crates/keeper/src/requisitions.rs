//! The register of requisitions (law REQ-05): numbered without a gap within a year, each change a further version, nothing taken away.
//!
//! 1 who may: a role of the closed list with an act in force, never an agent of L132-14-1 · 1a its scan is kept · 2 the number: one more than registry
//! and ledger know, so that a restored registry gives none twice · 3 entry · 4 the registry has it, sealed
//!
//! A crash after 3 leaves a number in the ledger that the registry does not know: the next one is higher, and the entry says
//! why one is missing.

use crate::{
    access::{OnSite, VIEWINGS_MAX, check_present},
    core::{KeeperCore, actor, failed, malformed},
    exports::{REFUSED, is_no_day},
    gate::told,
    scans::hex,
    wire::{
        Answer, ScanPart,
        exports::{ExportAnswer, ExportView, RequisitionView},
    },
};
use aws_lc_rs::digest;
use catalog::{Account, ExportRow, RequisitionRow};
use domain::{
    AccountId, LinkEnd, Requisition, RequisitionFacts, RequisitionId, Role, Sensitive, UtcMicros, Window,
    access::{Viewing, read_access_label},
    limit::{MESSAGE_BYTES_MAX, REASON_CHARS_MIN, WINDOWS_MAX},
    requisition::{Authorisation, Delivery, Ground, Outcome, Reply},
};
use ledger::{Digest, Entry, Event};
use policy::{Action, Decision, Paper, letter::letter, requisition::lacking};
use std::collections::BTreeMap;
use vault::{KeeperError, keeper::SessionSecret};

const ENTERED: &str = "entered";
const CHANGED: &str = "changed";
const ANSWERED: &str = "answered";
const DELIVERED: &str = "delivered";
const VIEWED: &str = "viewed";
/// Of each text of a requisition.
pub(crate) const TEXT_CHARS_MAX: usize = 2_000;
/// Of the register told at once: half of what a message holds.
pub(crate) const PAGE_BYTES_MAX: usize = MESSAGE_BYTES_MAX / 2;

/// The highest number of each year that the ledger tells of.
#[derive(Debug, Default)]
pub(crate) struct Numbers {
    requisitions: BTreeMap<u16, u32>,
    access: BTreeMap<u16, u32>,
}

impl Numbers {
    pub fn take(&mut self, entry: &Entry) {
        let known = match &entry.event {
            Event::Requisition { number, .. } => {
                let parts = number.split_once('-');
                let read = parts.and_then(|(year, number)| Some((year.parse().ok()?, number.parse().ok()?)));
                read.map(|read: (u16, u32)| (&mut self.requisitions, read))
            }
            Event::Access { number, .. } => read_access_label(number).map(|read| (&mut self.access, read)),
            _ => None,
        };
        if let Some((numbers, (year, number))) = known {
            let highest = numbers.entry(year).or_default();
            *highest = number.max(*highest);
        }
    }

    fn highest(&self, year: u16) -> u32 {
        self.requisitions.get(&year).copied().unwrap_or_default()
    }

    pub fn highest_access(&self, year: u16) -> u32 {
        self.access.get(&year).copied().unwrap_or_default()
    }
}

impl KeeperCore {
    pub(crate) fn requisition_register(
        &self,
        session: &SessionSecret,
        known: Option<RequisitionId>,
        says: RequisitionFacts,
    ) -> Result<ExportAnswer, KeeperError> {
        let account = self.registrar(session)?; // 1
        let now = self.trusted()?;
        check(&says)?;
        self.check_scan(says.scan)?;
        let _one_at_a_time = self.registering();
        let rows = self.parts.registry.requisitions().map_err(failed)?;
        let put = match known {
            Some(id) => {
                let row = rows.iter().find(|row| row.id == id).ok_or_else(unknown)?;
                let says = rewritten(says, self.requisition_of(row)?.says, account.id);
                (Requisition { id, year: row.year, number: row.number, says }, row.version + 1)
            }
            None => {
                let year = year_of(now);
                let here = rows.iter().filter(|row| row.year == year).map(|row| row.number).max().unwrap_or_default();
                let number = here.max(self.moving().numbers.highest(year)) + 1; // 2
                if now < says.received {
                    return Err(malformed("a requisition that is received later than now"));
                }
                let (answer, deliveries, viewings, opinions) = Default::default();
                let says =
                    RequisitionFacts { answer, deliveries, viewings, opinions, written_by: vec![account.id], ..says };
                (Requisition { id: RequisitionId::draw(&*self.parts.random), year, number, says }, 1)
            }
        };
        let change = if put.1 == 1 { ENTERED } else { CHANGED };
        self.put_requisition(&account, change, &put)
    }

    /// The town's answer; the last one counts, versions keep those before.
    pub(crate) fn requisition_answer(
        &self,
        session: &SessionSecret,
        id: RequisitionId,
        (outcome, ground, reason): (Outcome, Option<Ground>, Sensitive<String>),
    ) -> Result<ExportAnswer, KeeperError> {
        let account = self.registrar(session)?; // 1
        let at = self.trusted()?;
        let chars = reason.reveal().trim().chars().count();
        let must_say = outcome != Outcome::Whole;
        if must_say && (ground.is_none() || chars < REASON_CHARS_MIN) || TEXT_CHARS_MAX < chars {
            return Err(malformed("an answer that hands over less than all says why: its ground, and a sentence"));
        }
        let ground = ground.filter(|_| must_say);
        let _one_at_a_time = self.registering();
        let mut known = self.known_requisition(id)?;
        self.check_ground(outcome, ground, &known.0)?;
        known.0.says.answer = Some(Reply { at, outcome, ground, reason });
        let answered = self.put_requisition(&account, ANSWERED, &known)?;
        if outcome == Outcome::Refused {
            self.end_holds_refused(Some(&account), id)?;
        }
        Ok(answered)
    }

    /// The letter states the ground as a fact: nobody is told that what lives is destroyed, or that the town has nothing where it
    /// may not tell.
    fn check_ground(&self, outcome: Outcome, ground: Option<Ground>, asked: &Requisition) -> Result<(), KeeperError> {
        let fits = match ground {
            None | Some(Ground::Other) => true,
            Some(Ground::Destroyed | Ground::NeverRecorded) => outcome != Outcome::Refused,
            Some(Ground::NoAuthority | Ground::NoAuthorisation) => outcome == Outcome::Refused,
        };
        if !fits {
            return Err(malformed("this ground belongs to another answer"));
        }
        if ground != Some(Ground::Destroyed) {
            return Ok(());
        }
        let dead = self.dead_hours(&asked.says.windows);
        let is_whole = outcome == Outcome::Negative && !dead.contains(&false);
        let holds = dead.contains(&true) && (is_whole || outcome == Outcome::Partial);
        if holds { Ok(()) } else { Err(malformed("the log does not say that this footage is destroyed")) }
    }

    /// Of each hour of these windows, whether the log says that it is destroyed.
    fn dead_hours(&self, windows: &[Window]) -> Vec<bool> {
        let hours = windows.iter().flat_map(|window| {
            let last = self.parts.hour_length.hour_of(window.span.to().plus_micros(-1));
            let first = self.parts.hour_length.hour_of(window.span.from());
            (0..)
                .map(move |nth| first.plus(nth))
                .take_while(move |hour| *hour <= last)
                .map(|hour| (window.camera, hour))
        });
        hours.map(|(camera, hour)| self.death_of(camera, hour).is_some()).collect()
    }

    /// Whether nothing of them is left, by the log.
    pub(crate) fn is_dead_whole(&self, windows: &[Window]) -> bool {
        !windows.is_empty() && !self.dead_hours(windows).contains(&false)
    }

    /// A package went to its recipient: from here on it is not made anew, and web removes the town's copy.
    pub(crate) fn requisition_deliver(
        &self,
        session: &SessionSecret,
        id: RequisitionId,
        delivery: Delivery,
    ) -> Result<ExportAnswer, KeeperError> {
        let account = self.registrar(session)?; // 1
        let now = self.trusted()?;
        let row = self.parts.registry.export(delivery.export).map_err(failed)?;
        // by who made it: nobody else ends two persons' permission
        let is_made = |row: &ExportRow| row.requisition == id && row.account == account.id && row.manifest.is_some();
        if !row.as_ref().is_some_and(is_made) {
            return Err(malformed("no package of this requisition was made that could be handed over"));
        }
        check_delivery(&delivery, now)?;
        self.check_scan(delivery.receipt)?;
        let _one_at_a_time = self.registering();
        let mut known = self.known_requisition(id)?;
        if known.0.says.deliveries.iter().any(|before| before.export == delivery.export) {
            return Err(malformed("this package was handed over before"));
        }
        let export = delivery.export;
        known.0.says.deliveries.push(delivery);
        let delivered = self.put_requisition(&account, DELIVERED, &known)?;
        self.end_links_of(Some(&account), export, LinkEnd::Delivered)?;
        self.end_holds_delivered(Some(&account), id, &known.0.says.deliveries)?;
        Ok(delivered)
    }

    /// Who requires saw the pictures on site: an agent of the town who may see them drove, those present are named, nothing was copied. The
    /// law decides as over that agent's own look.
    pub(crate) fn requisition_viewed(
        &self,
        session: &SessionSecret,
        id: RequisitionId,
        present: Sensitive<String>,
    ) -> Result<ExportAnswer, KeeperError> {
        let account = self.registrar(session)?; // 1
        let at = self.trusted()?;
        check_present(&present)?;
        let _one_at_a_time = self.registering();
        let mut known = self.known_requisition(id)?;
        let says = &known.0.says;
        let lacks = lacking(says, at);
        if !lacks.is_empty() {
            return Ok(ExportAnswer::Incomplete(lacks));
        }
        if says.viewings.len() >= VIEWINGS_MAX {
            return Err(malformed("no further viewing is entered for this requisition"));
        }
        if self.first_death(&says.windows)?.is_none() {
            return Err(malformed("nothing of these pictures lives: nobody can have seen them now"));
        }
        let is_refused = says.answer.as_ref().is_some_and(|answer| answer.outcome == Outcome::Refused);
        let ground = OnSite {
            action: Action::Replay,
            paper: if says.framework.is_procedure() { Paper::ReasonedAct } else { Paper::Requisition },
            reason: known.0.reason(),
        };
        for request in self.looks_on_site(&account, &says.windows, &ground, at)? {
            let mut reasons = match self.law().decide(&request) {
                Decision::Refuse(refusal) => refusal.reasons.iter().map(told).collect(),
                Decision::Allow { .. } => Vec::new(),
            };
            reasons.extend(is_refused.then(|| REFUSED.reason()));
            if !reasons.is_empty() {
                return self.refuse_request(&account, &request, reasons).map(ExportAnswer::Refused);
            }
        }
        known.0.says.viewings.push(Viewing { at, by: account.name.clone(), present });
        self.put_requisition(&account, VIEWED, &known)
    }

    /// As it stands, and the version that a change gets.
    pub(crate) fn known_requisition(&self, id: RequisitionId) -> Result<(Requisition, u32), KeeperError> {
        let rows = self.parts.registry.requisitions().map_err(failed)?;
        let row = rows.iter().find(|row| row.id == id).ok_or_else(unknown)?;
        Ok((self.requisition_of(row)?, row.version + 1))
    }

    pub(crate) fn put_requisition(
        &self,
        account: &Account,
        change: &str,
        (requisition, version): &(Requisition, u32),
    ) -> Result<ExportAnswer, KeeperError> {
        let (now, label, id) = (self.trusted()?, requisition.label(), requisition.id);
        let facts = serde_json::to_vec(requisition).map_err(failed)?;
        let event = Event::Requisition {
            change: change.into(),
            requisition: id,
            number: label.clone(),
            framework: requisition.says.framework_title(),
            who: account.name.clone(),
            digest_hex: requisition.says.scan.map(|scan| hex(&scan)),
            content_hex: hex(digest::digest(&digest::SHA256, &facts).as_ref()),
        };
        self.enter_events(actor(account), vec![event])?; // 3
        let facts = self.seal_bytes(bound_to(id, *version), &facts)?;
        let (year, number) = (requisition.year, requisition.number);
        let row = RequisitionRow { id, version: *version, recorded_at: now, year, number, facts };
        self.parts.registry.requisition_put(&row).map_err(failed)?; // 4
        Ok(ExportAnswer::Registered { id, label, lacks: lacking(&requisition.says, now) })
    }

    /// Part by part, as a paper's scan; the requisition names it afterwards.
    pub(crate) fn requisition_scan(
        &self,
        session: &SessionSecret,
        part: ScanPart,
    ) -> Result<ExportAnswer, KeeperError> {
        self.registrar(session)?;
        match self.scan_part(part)? {
            Answer::ScanHeld { bytes } => Ok(ExportAnswer::ScanHeld { bytes }),
            _ => Err(failed("a scan's part had another answer")),
        }
    }

    /// A scan that is named is kept.
    fn check_scan(&self, scan: Option<[u8; 32]>) -> Result<(), KeeperError> {
        let Some(digest) = scan else { return Ok(()) };
        match self.parts.registry.scan(&digest).map_err(failed)? {
            Some(_) => Ok(()),
            None => Err(malformed("the scan of this requisition was not sent: send it first")),
        }
    }

    pub(crate) fn requisitions(
        &self,
        session: &SessionSecret,
        before: Option<(u16, u32)>,
    ) -> Result<ExportAnswer, KeeperError> {
        let account = self.registrar(session)?;
        let exports = self.parts.registry.exports().map_err(failed)?;
        let rows = self.parts.registry.requisitions().map_err(failed)?;
        let mut older = rows.iter().rev().filter(|row| before.is_none_or(|before| (row.year, row.number) < before));
        let (mut views, mut bytes) = (Vec::new(), 0);
        for row in older.by_ref() {
            let view = self.requisition_view(row, &exports, &account)?;
            // what it says, its windows' exports, its letter in two languages
            bytes += row.facts.len() * 2 + 4_096;
            bytes += view
                .exports
                .iter()
                .flat_map(|export| &export.links)
                .map(|link| 512 + link.steps.len() * 16)
                .sum::<usize>();
            views.push(view);
            if PAGE_BYTES_MAX < bytes {
                break;
            }
        }
        Ok(ExportAnswer::Requisitions(views, older.next().is_some()))
    }

    /// For a paper: the same as the register tells, to the same.
    pub(crate) fn requisition_one(
        &self,
        session: &SessionSecret,
        id: RequisitionId,
    ) -> Result<Option<RequisitionView>, KeeperError> {
        let account = self.registrar(session)?;
        let exports = self.parts.registry.exports().map_err(failed)?;
        let rows = self.parts.registry.requisitions().map_err(failed)?;
        rows.iter().find(|row| row.id == id).map(|row| self.requisition_view(row, &exports, &account)).transpose()
    }

    fn requisition_view(
        &self,
        row: &RequisitionRow,
        exports: &[ExportRow],
        account: &Account,
    ) -> Result<RequisitionView, KeeperError> {
        let requisition = self.requisition_of(row)?;
        let of = exports.iter().filter(|export| export.requisition == row.id);
        let exports = of.map(|row| self.export_view(row, account)).collect();
        let letter = letter(&self.parts.registry.site().name, &requisition).map(|letter| (letter.fr, letter.en));
        let lacks = lacking(&requisition.says, self.decision_time());
        Ok(RequisitionView { lacks, version: row.version, requisition, exports, letter })
    }

    pub(crate) fn requisition(&self, id: RequisitionId) -> Result<Requisition, KeeperError> {
        let rows = self.parts.registry.requisitions().map_err(failed)?;
        self.requisition_of(rows.iter().find(|row| row.id == id).ok_or_else(unknown)?)
    }

    pub(crate) fn requisition_of(&self, row: &RequisitionRow) -> Result<Requisition, KeeperError> {
        let facts = self.unseal_bytes(bound_to(row.id, row.version), &row.facts)?;
        serde_json::from_slice(&facts).map_err(failed)
    }

    /// Who may process requisitions at all.
    pub(crate) fn registrar(&self, session: &SessionSecret) -> Result<Account, KeeperError> {
        let (account, _) = self.who_acts(session)?;
        if account.role == Role::Operator.name() || !self.sees_pictures(&account, self.decision_time())? {
            return Err(KeeperError::Forbidden {
                what: "the register of requisitions (CSI L132-14-1, R253-2: an agent of a State or municipal police, habilitated)"
                    .into(),
            });
        }
        Ok(account)
    }
}

/// A further version: when it came in decides what may wait, and who is new, so that stays what was said first; what was done stays too.
/// An opinion was on other words, unless these are the same.
fn rewritten(says: RequisitionFacts, before: RequisitionFacts, by: AccountId) -> RequisitionFacts {
    let mut written_by = before.written_by.clone();
    if !written_by.contains(&by) {
        written_by.push(by);
    }
    let same = RequisitionFacts {
        received: before.received,
        answer: before.answer.clone(),
        deliveries: before.deliveries.clone(),
        viewings: before.viewings.clone(),
        written_by: before.written_by.clone(),
        opinions: before.opinions.clone(),
        ..says
    };
    let opinions = if same == before { before.opinions } else { Vec::new() };
    RequisitionFacts { written_by, opinions, ..same }
}

/// What a sealed requisition is bound to.
fn bound_to(id: RequisitionId, version: u32) -> Vec<u8> {
    [&b"vigie requisition v1\n"[..], &id.0, &version.to_le_bytes()].concat()
}

pub(crate) fn unknown() -> KeeperError {
    malformed("no such requisition is in the register")
}

pub(crate) fn year_of(at: UtcMicros) -> u16 {
    at.to_string().get(..4).and_then(|year| year.parse().ok()).unwrap_or_default()
}

fn check(says: &RequisitionFacts) -> Result<(), KeeperError> {
    if WINDOWS_MAX < says.windows.len() {
        return Err(malformed(format!("a requisition names at most {WINDOWS_MAX} cameras and spans: enter several")));
    }
    if says.windows.iter().any(is_no_day) {
        return Err(malformed("a window of a requisition lasts at most a day: enter several"));
    }
    let authority = &says.authority;
    let genuine = says.genuine.as_ref().map(|genuine| [&genuine.number, genuine.spoken_to.reveal()]);
    let reference = match &says.authorisation {
        Some(Authorisation::Individual { reference }) => Some(reference),
        Some(Authorisation::General { .. }) | None => None,
    };
    let texts = [
        authority.name.reveal(),
        authority.matricule.reveal(),
        &authority.service,
        &authority.court,
        &says.framework_other,
        &says.procedure,
        says.object.reveal(),
        says.validator.reveal(),
    ];
    let mut texts = texts.into_iter().chain(genuine.into_iter().flatten()).chain(reference);
    if texts.any(|text| TEXT_CHARS_MAX < text.chars().count()) {
        return Err(malformed(format!("a text of a requisition has at most {TEXT_CHARS_MAX} characters")));
    }
    Ok(())
}

fn check_delivery(delivery: &Delivery, now: UtcMicros) -> Result<(), KeeperError> {
    let texts = [&delivery.medium, &delivery.key_means, delivery.recipient.reveal(), &delivery.quality];
    let is_wrong = |text: &&String| text.trim().is_empty() || TEXT_CHARS_MAX < text.chars().count();
    if texts.iter().any(is_wrong)
        || TEXT_CHARS_MAX < delivery.notes.reveal().chars().count()
        || delivery.copies == 0
        || now < delivery.at
    {
        return Err(malformed("a handover has its time, medium, recipient with quality, way of the key, and a copy"));
    }
    Ok(())
}

impl KeeperCore {
    pub(crate) fn export_view(&self, row: &ExportRow, account: &Account) -> ExportView {
        let now = self.decision_time();
        let links = self.moving().links.of(row.id).into_iter().map(|link| link.view(now)).collect();
        ExportView {
            links,
            export: row.id,
            is_own: row.account == account.id,
            leaf: row.leaf,
            opened: row.opened,
            until: row.until,
            windows: row.windows.clone(),
            manifest: row.manifest.map(Digest),
        }
    }
}
