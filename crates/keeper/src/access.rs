//! The desk of requests for access (droit d'accès, law DP-09): who asks to see themselves is answered before the footage dies.
//!
//! Register: 1 who may: the data-protection officer, or who may process requisitions · 2 the number, one more than registry and ledger
//! know · 3 what lives of its windows is held, as for an authority without its paper: it dies with the footage · 4 entry · 5 the registry
//! has it, sealed. A crash behind 3 leaves a hold that no line names, and that ends by itself; one behind 4 a number that is not given
//! again.
//! Withdrawn: 4 and 5, then its holds are lifted; a crash before that leaves them to end by themselves.
//! Nobody is found by a machine: an agent looks, through the gate, and the person looks on site.

use crate::{
    core::{KeeperCore, actor, failed, malformed},
    exports::is_no_day,
    gate::told,
    requisitions::year_of,
    scans::hex,
    wire::{
        access::{AccessAnswer, AccessQuestion, AccessView, Frozen},
        holds::{HoldAnswer, HoldAsk},
    },
};
use aws_lc_rs::digest;
use catalog::{AccessRow, Account};
use domain::{
    AccessFacts, AccessId, AccessRequest, HoldEnd, HoldId, Role, Sensitive, UtcMicros, Window,
    access::{AccessOutcome, AccessReply, IdentityCheck, IdentityMeans, Viewing, access_label},
    limit::{MESSAGE_BYTES_MAX, PERMIT_SECONDS_MAX, WINDOWS_MAX},
};
use ledger::Event;
use policy::{
    Action, Controller, Decision, Paper, Request,
    access::{MONTHS_FACT, answer_lacks, due, lacking, letter},
};
use vault::{KeeperError, keeper::SessionSecret};

const ENTERED: &str = "entered";
const CHANGED: &str = "changed";
const IDENTIFIED: &str = "identified";
const VIEWED: &str = "viewed";
const ANSWERED: &str = "answered";
/// Of each text of a request.
const TEXT_CHARS_MAX: usize = 2_000;
/// So often may somebody come to look for one request or requisition.
pub(crate) const VIEWINGS_MAX: usize = 20;
/// Of the register told at once: half of what a message holds.
const PAGE_BYTES_MAX: usize = MESSAGE_BYTES_MAX / 2;

/// On which ground somebody is shown pictures on site.
pub(crate) struct OnSite {
    pub action: Action,
    pub paper: Paper,
    /// The line of the register.
    pub reason: String,
}

/// A request as it stands, and the version that a change gets.
type Known = (AccessRequest, u32);

impl KeeperCore {
    /// What web asks of requests for access.
    pub fn access_question(&self, question: AccessQuestion) -> Result<AccessAnswer, KeeperError> {
        match question {
            AccessQuestion::Register { session, known, says, freeze } => {
                self.access_register(&session, known, *says, freeze)
            }
            AccessQuestion::Identify { session, id, means } => self.access_identify(&session, id, means),
            AccessQuestion::Viewed { session, id, present } => self.access_viewed(&session, id, present),
            AccessQuestion::Answer { session, id, outcome, grounds, reason } => {
                let account = self.desk(&session)?;
                let reply = AccessReply { at: self.trusted()?, outcome, grounds, reason };
                self.access_answer(&account, id, reply)
            }
            AccessQuestion::List { session, before } => self.access_list(&session, before),
            AccessQuestion::May { session } => self.desk(&session).map(|_| AccessAnswer::Done),
        }
    }

    /// Who receives such requests and answers them.
    pub(crate) fn desk(&self, session: &SessionSecret) -> Result<Account, KeeperError> {
        let (account, _) = self.who_acts(session)?;
        if account.role == Role::Dpo.name() { Ok(account) } else { self.registrar(session) }
    }

    fn access_register(
        &self,
        session: &SessionSecret,
        known: Option<AccessId>,
        says: AccessFacts,
        freeze: bool,
    ) -> Result<AccessAnswer, KeeperError> {
        let account = self.desk(session)?; // 1
        let now = self.trusted()?;
        check(&says, now)?;
        let _one_at_a_time = self.registering();
        let (mut request, version) = match known {
            Some(id) => {
                let (before, version) = self.known_access(id)?;
                let AccessFacts { received, identity, holds, viewings, answer, .. } = before.says;
                if answer.is_some() {
                    return Err(malformed("this request is answered: enter a new one"));
                }
                // when it came, and what was done for it, stay what was said first
                let says = AccessFacts { received, identity, holds, viewings, answer, ..says };
                (AccessRequest { says, ..before }, version)
            }
            None => {
                let rows = self.parts.registry.access_requests().map_err(failed)?;
                let year = year_of(now);
                let here = rows.iter().filter(|row| row.year == year).map(|row| row.number).max().unwrap_or_default();
                let number = here.max(self.moving().numbers.highest_access(year)) + 1; // 2
                let (identity, holds, viewings, answer) = Default::default();
                let says = AccessFacts { identity, holds, viewings, answer, ..says };
                (AccessRequest { id: AccessId::draw(&*self.parts.random), year, number, says }, 1)
            }
        };
        if freeze {
            let held = self.freeze_for(&account, session, &request)?; // 3
            request.says.holds.extend(held);
        }
        let frozen = self.frozen(&request.says)?;
        self.put_access(&account, if version == 1 { ENTERED } else { CHANGED }, &(request.clone(), version))?; // 4, 5
        let (id, label) = (request.id, request.label());
        Ok(AccessAnswer::Registered { id, label, lacks: lacking(&request.says), frozen })
    }

    /// Of its windows what lives and is not held yet.
    fn freeze_for(
        &self,
        account: &Account,
        session: &SessionSecret,
        request: &AccessRequest,
    ) -> Result<Option<HoldId>, KeeperError> {
        let windows = self.not_held(&request.says)?;
        if windows.is_empty() {
            return Ok(None);
        }
        let (label, reason) = (access_label(request.year, request.number), "droit d'accès (CSI L253-5, R253-6)");
        let ask = HoldAsk {
            session: session.clone(),
            requester: Sensitive::new(format!("demande d'accès {label}")),
            reason: Sensitive::new(reason.to_owned()),
            windows,
            requisition: None,
        };
        match self.hold_for(account, &ask) {
            Ok(HoldAnswer::Opened(view)) => Ok(Some(view.hold)),
            Ok(_) => Ok(None), // it died meanwhile
            // more hours than one hold has, or too many holds: the request is entered all the same, and says that it is not frozen
            Err(KeeperError::Malformed { what }) => {
                tracing::warn!(label, what, "a request for access is entered and not frozen");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Windows of which something lives, and that no hold of this request has whole.
    fn not_held(&self, says: &AccessFacts) -> Result<Vec<Window>, KeeperError> {
        let mut open = Vec::new();
        for window in &says.windows {
            let is_held = says.holds.iter().any(|hold| {
                let moving = self.moving();
                moving.holds.get(*hold).is_some_and(|hold| hold.stands() && hold.covers(window.camera, window.span))
            });
            if !is_held && !self.living_hours(std::slice::from_ref(window))?.is_empty() {
                open.push(*window);
            }
        }
        Ok(open)
    }

    /// When the first of what lives of these windows dies; none: nothing lives.
    pub(crate) fn first_death(&self, windows: &[Window]) -> Result<Option<UtcMicros>, KeeperError> {
        let mut first = None;
        for window in windows {
            let dies = self.living_hours(std::slice::from_ref(window))?.into_values().min();
            first = first.into_iter().chain(dies).min();
        }
        Ok(first)
    }

    fn frozen(&self, says: &AccessFacts) -> Result<Frozen, KeeperError> {
        if !self.not_held(says)?.is_empty() {
            return Ok(Frozen::NotAsked);
        }
        let moving = self.moving();
        let stands = |hold: &HoldId| moving.holds.get(*hold).is_some_and(|hold| hold.stands());
        Ok(if says.holds.iter().any(stands) { Frozen::Held } else { Frozen::Nothing })
    }

    fn access_identify(
        &self,
        session: &SessionSecret,
        id: AccessId,
        means: IdentityMeans,
    ) -> Result<AccessAnswer, KeeperError> {
        let account = self.desk(session)?;
        let at = self.trusted()?;
        self.change_access(&account, IDENTIFIED, id, |says| {
            says.identity = Some(IdentityCheck { at, means, by: account.name.clone() });
            Ok(Vec::new())
        })
    }

    /// By who may see pictures: the data-protection officer does not.
    fn access_viewed(
        &self,
        session: &SessionSecret,
        id: AccessId,
        present: Sensitive<String>,
    ) -> Result<AccessAnswer, KeeperError> {
        let account = self.registrar(session)?;
        let at = self.trusted()?;
        check_present(&present)?;
        let known = self.known_access(id)?.0;
        let reason = format!("demande d'accès {}", known.label());
        let ground = OnSite { action: Action::AccessRequest, paper: Paper::AccessRequest, reason };
        for request in self.looks_on_site(&account, &known.says.windows, &ground, at)? {
            if let Decision::Refuse(refusal) = self.law().decide(&request) {
                let reasons = refusal.reasons.iter().map(told).collect();
                return self.refuse_request(&account, &request, reasons).map(AccessAnswer::Refused);
            }
        }
        self.change_access(&account, VIEWED, id, |says| {
            if says.viewings.len() >= VIEWINGS_MAX {
                return Err(malformed("no further viewing is entered for this request: enter a new one"));
            }
            let lacks = lacking(says);
            if lacks.is_empty() && self.first_death(&says.windows)?.is_none() {
                return Err(malformed("nothing of these pictures lives: nobody can have seen them now"));
            }
            says.viewings.push(Viewing { at, by: account.name.clone(), present });
            Ok(lacks)
        })
    }

    /// What the law is asked before anybody is shown anything on site, camera by camera. A right, or an inquiry, has no purpose of L251-2;
    /// the pictures have one, without which none may be seen: the camera's own.
    pub(crate) fn looks_on_site(
        &self,
        account: &Account,
        windows: &[Window],
        ground: &OnSite,
        now: UtcMicros,
    ) -> Result<Vec<Request>, KeeperError> {
        let person = self.person_facts(account, now)?;
        let papers: Vec<Paper> = self.papers(now)?.into_iter().chain([ground.paper]).collect();
        let of_window = |window: &Window| {
            let cameras = self.camera_facts(&[window.camera], now)?;
            Ok(Request {
                action: ground.action,
                person: person.clone(),
                controller: Controller::Commune,
                purpose: cameras.iter().flat_map(|camera| camera.purposes.iter().copied()).next(),
                reason: Sensitive::new(ground.reason.clone()),
                cameras,
                span: Some(window.span),
                permit_seconds: PERMIT_SECONDS_MAX,
                papers: papers.clone(),
                second_person: false,
                now,
            })
        };
        windows.iter().map(of_window).collect()
    }

    fn access_answer(&self, account: &Account, id: AccessId, reply: AccessReply) -> Result<AccessAnswer, KeeperError> {
        if TEXT_CHARS_MAX < reply.reason.reveal().chars().count() {
            return Err(malformed(format!("an answer has at most {TEXT_CHARS_MAX} characters")));
        }
        let outcome = reply.outcome;
        let answered = self.change_access(account, ANSWERED, id, |says| {
            self.check_answer(outcome, says)?;
            let lacks = answer_lacks(says, &reply);
            says.answer = Some(reply);
            Ok(lacks)
        })?;
        if outcome == AccessOutcome::Withdrawn && matches!(answered, AccessAnswer::Done) {
            let holds = self.known_access(id)?.0.says.holds;
            // one that was bound to a requisition since waits for that authority
            let is_its_own = |hold: &HoldId| {
                self.moving().holds.get(*hold).is_some_and(|hold| hold.stands() && hold.requisition.is_none())
            };
            for hold in holds.into_iter().filter(is_its_own).collect::<Vec<_>>() {
                self.end_hold(Some(account), hold, HoldEnd::Lifted)?;
            }
        }
        Ok(answered)
    }

    /// The letter states it as a fact: nobody is told that what lives is destroyed, or that nothing is there of what is held.
    fn check_answer(&self, outcome: AccessOutcome, says: &AccessFacts) -> Result<(), KeeperError> {
        match outcome {
            AccessOutcome::Destroyed if !self.is_dead_whole(&says.windows) => {
                Err(malformed("the log does not say that all of this footage is destroyed"))
            }
            AccessOutcome::NeverRecorded => {
                let moving = self.moving();
                let has = |hold: &HoldId| {
                    moving.holds.get(*hold).and_then(|hold| hold.kept).is_some_and(|(reels, ..)| 0 < reels)
                };
                if says.holds.iter().any(has) {
                    return Err(malformed("pictures of these windows are held: they were recorded"));
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Changes what is known of a request that is not answered yet; `change` says what it lacks for that.
    fn change_access(
        &self,
        account: &Account,
        what: &str,
        id: AccessId,
        change: impl FnOnce(&mut AccessFacts) -> Result<Vec<policy::requisition::Lack>, KeeperError>,
    ) -> Result<AccessAnswer, KeeperError> {
        let _one_at_a_time = self.registering();
        let mut known = self.known_access(id)?;
        if known.0.says.answer.is_some() {
            return Err(malformed("this request is answered: enter a new one"));
        }
        let lacks = change(&mut known.0.says)?;
        if !lacks.is_empty() {
            return Ok(AccessAnswer::Incomplete(lacks));
        }
        self.put_access(account, what, &known)?;
        Ok(AccessAnswer::Done)
    }

    fn put_access(&self, account: &Account, change: &str, (request, version): &Known) -> Result<(), KeeperError> {
        let (now, id) = (self.trusted()?, request.id);
        let facts = serde_json::to_vec(request).map_err(failed)?;
        let event = Event::Access {
            change: change.into(),
            request: id,
            number: request.label(),
            who: account.name.clone(),
            outcome: request.says.answer.as_ref().map(|reply| reply.outcome.title().to_owned()),
            content_hex: hex(digest::digest(&digest::SHA256, &facts).as_ref()),
        };
        self.enter_events(actor(account), vec![event])?;
        let facts = self.seal_bytes(bound_to(id, *version), &facts)?;
        let (version, year, number) = (*version, request.year, request.number);
        let row = AccessRow { id, version, recorded_at: now, year, number, facts };
        self.parts.registry.access_put(&row).map_err(failed)
    }

    fn access_list(&self, session: &SessionSecret, before: Option<(u16, u32)>) -> Result<AccessAnswer, KeeperError> {
        self.desk(session)?;
        let rows = self.parts.registry.access_requests().map_err(failed)?;
        let mut older = rows.iter().rev().filter(|row| before.is_none_or(|before| (row.year, row.number) < before));
        let (mut views, mut bytes) = (Vec::new(), 0);
        for row in older.by_ref() {
            views.push(self.access_view(row)?);
            bytes += row.facts.len() * 2 + 4_096;
            if PAGE_BYTES_MAX < bytes {
                break;
            }
        }
        Ok(AccessAnswer::Requests(views, older.next().is_some()))
    }

    /// For a paper: the same as the register tells, to the same.
    pub(crate) fn access_one(&self, session: &SessionSecret, id: AccessId) -> Result<Option<AccessView>, KeeperError> {
        self.desk(session)?;
        let rows = self.parts.registry.access_requests().map_err(failed)?;
        rows.iter().find(|row| row.id == id).map(|row| self.access_view(row)).transpose()
    }

    fn access_view(&self, row: &AccessRow) -> Result<AccessView, KeeperError> {
        let request = self.access_of(row)?;
        let dies = self.first_death(&request.says.windows)?;
        let months = self.law().facts().at(MONTHS_FACT, self.decision_time());
        let letter = letter(&self.parts.registry.site().name, &request).map(|letter| (letter.fr, letter.en));
        Ok(AccessView {
            version: row.version,
            due: request.says.answer.is_none().then(|| due(request.says.received, months, dies)),
            dies,
            frozen: self.frozen(&request.says)?,
            lacks: lacking(&request.says),
            letter,
            request,
        })
    }

    fn known_access(&self, id: AccessId) -> Result<Known, KeeperError> {
        let rows = self.parts.registry.access_requests().map_err(failed)?;
        let row = rows.iter().find(|row| row.id == id);
        let row = row.ok_or_else(|| malformed("no such request for access is in the register"))?;
        Ok((self.access_of(row)?, row.version + 1))
    }

    fn access_of(&self, row: &AccessRow) -> Result<AccessRequest, KeeperError> {
        let facts = self.unseal_bytes(bound_to(row.id, row.version), &row.facts)?;
        serde_json::from_slice(&facts).map_err(failed)
    }
}

/// What a sealed request is bound to.
fn bound_to(id: AccessId, version: u32) -> Vec<u8> {
    [&b"vigie access v1\n"[..], &id.0, &version.to_le_bytes()].concat()
}

fn check(says: &AccessFacts, now: UtcMicros) -> Result<(), KeeperError> {
    if now < says.received {
        return Err(malformed("a request that is received later than now"));
    }
    if WINDOWS_MAX < says.windows.len() {
        return Err(malformed(format!("a request names at most {WINDOWS_MAX} cameras and spans: enter several")));
    }
    if says.windows.iter().any(is_no_day) {
        return Err(malformed("a window of a request lasts at most a day: enter several"));
    }
    if says.windows.iter().any(|window| now < window.span.to()) {
        return Err(malformed("nobody asks for what is not recorded yet: end the span now at the latest"));
    }
    let texts = [says.person.reveal(), says.contact.reveal(), says.words.reveal()];
    if texts.iter().any(|text| TEXT_CHARS_MAX < text.chars().count()) {
        return Err(malformed(format!("a text of a request has at most {TEXT_CHARS_MAX} characters")));
    }
    Ok(())
}

pub(crate) fn check_present(present: &Sensitive<String>) -> Result<(), KeeperError> {
    let chars = present.reveal().trim().chars().count();
    if (1..=TEXT_CHARS_MAX).contains(&chars) {
        return Ok(());
    }
    Err(malformed(format!("who was present, in 1 to {TEXT_CHARS_MAX} characters")))
}
