//! The gate: decide, record, permit (promise 3). Every picture passes here, live or stored.
//!
//! 1 who: the session's secret, looked up here, never asserted by web (P3)
//! 2 decide: `policy`, on facts of the registry
//! 3 record: the look or the refusal is durable in the ledger
//! 4 permit: a capability with a code that only this process can make or check (P4)

use crate::{
    core::{KeeperCore, actor, failed, malformed},
    glass::{Open, rule_of},
    reasons::HeldReason,
};
use aws_lc_rs::hmac;
use catalog::{Account, AccountId};
use domain::{
    GlassId, PermitId, Sensitive, UtcMicros,
    limit::{PERMIT_SECONDS_MAX, REASON_CHARS_MAX, REASON_HOLDS_SECONDS_MAX},
    world::BootMicros,
};
use ledger::Event;
use policy::{Action, BREAK_GLASS, Controller, Decision, Reason, Request, RuleId, territory};
use std::collections::{HashMap, HashSet};
use tracing::warn;
use vault::{
    KeeperError,
    keeper::{Ask, Permit, Refused, RefusedReason, SessionSecret, Verdict, View},
};

/// A session behind a permit is looked up again after this. A sign-out, a disabled account and a new password end permits
/// at once; this is for a session that ends by itself. Whoever shows pictures asks twice a second.
const SESSION_TRUST_MICROS: i64 = 400_000;
/// More cameras are asked for in several looks: a wall of pictures has some dozens.
const CAMERAS_PER_LOOK_MAX: usize = 256;

/// Permits that were given and have not ended.
#[derive(Default)]
pub(crate) struct Permits {
    live: HashMap<PermitId, Holder>,
    /// When a session behind a permit was last found to hold, by the boot clock.
    seen: HashMap<[u8; 32], BootMicros>,
}

/// When the reason of a look was stated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stated {
    Now,
    /// For the look of that entry.
    Before {
        entry: u64,
    },
}

impl Stated {
    fn entry(self) -> Option<u64> {
        match self {
            Stated::Now => None,
            Stated::Before { entry } => Some(entry),
        }
    }
}

/// What a permit stands on.
struct Grounds {
    stated: Stated,
    /// The rules that permit it, as the ledger names them.
    rules: Vec<String>,
    glass: Option<Open>,
}

struct Holder {
    account: AccountId,
    session_hash: [u8; 32],
    cameras: Vec<domain::CameraId>,
    expires: UtcMicros,
    /// The same by the clock that nobody sets: a clock put back does not prolong a look.
    expires_boot: BootMicros,
    /// Its cameras' communes, where the law binds the person to a territory.
    territories: Vec<String>,
    /// The break-glass that permitted it: it ends with that.
    glass: Option<GlassId>,
}

impl KeeperCore {
    /// The gate.
    pub fn pass(&self, session: &SessionSecret, ask: &Ask) -> Result<Verdict, KeeperError> {
        let (account, session_hash) = self.who_acts(session)?; // 1
        self.decide_look(&account, session_hash, ask, Stated::Now)
    }

    /// From 2 on, also for a look under a reason that was stated before and holds.
    pub(crate) fn decide_look(
        &self,
        account: &Account,
        session_hash: [u8; 32],
        ask: &Ask,
        stated: Stated,
    ) -> Result<Verdict, KeeperError> {
        let now = self.decision_time();
        let request = self.request(account, ask, now)?;
        if let Some(reason) = self.restored_reason() {
            let leaf = self.refuse(account, ask, &request, vec![reason.rule.clone()])?;
            return Ok(Verdict::Refused(Refused { reasons: vec![reason], leaf }));
        }
        let (decision, glass) = self.decide(&request); // 2
        match decision {
            Decision::Allow { rules } => {
                let named = |rule: &RuleId| match &glass {
                    Some(open) if rule.0 == BREAK_GLASS => rule_of(open.id),
                    _ => rule.to_string(),
                };
                let rules = rules.iter().map(named).collect();
                let grounds = Grounds { stated, rules, glass };
                self.permit(account, session_hash, ask, &request, grounds).map(Verdict::Allowed)
            }
            Decision::Refuse(refusal) => {
                let rules = refusal.reasons.iter().map(|reason| reason.rule.to_string()).collect();
                let reasons = self.told(refusal.reasons, ask, now)?;
                let leaf = self.refuse(account, ask, &request, rules)?;
                Ok(Verdict::Refused(Refused { reasons, leaf }))
            }
        }
    }

    /// By the law and the town's rules; where no rule of the town permits it, by what is open for this person, if anything.
    fn decide(&self, request: &Request) -> (Decision, Option<Open>) {
        let law = self.law();
        let decision = law.decide(request);
        let open = if matches!(decision, Decision::Refuse(_)) && !self.is_law_in_doubt() {
            self.glasses_of(request.person.account, request.now)
        } else {
            Vec::new()
        };
        for open in open {
            let by_glass = law.decide_under(request, Some(&open.glass));
            if by_glass.is_by_break_glass() {
                return (by_glass, Some(open));
            }
        }
        (decision, None)
    }

    /// The reasons as they are told. Which paper is missing and since when, the papers' own rows say better than the rules
    /// that refuse without it.
    fn told(&self, reasons: Vec<Reason>, ask: &Ask, now: UtcMicros) -> Result<Vec<RefusedReason>, KeeperError> {
        let law = self.law();
        let lacking = self.lacking_to_view(ask, now)?;
        let kept = reasons.iter().filter(|reason| lacking.is_empty() || !law.is_about_acts(&reason.rule.0));
        Ok(kept.map(told).chain(lacking.iter().cloned()).collect())
    }

    /// Ends a look before its time.
    pub(crate) fn end_look(&self, session: &SessionSecret, permit: PermitId) -> Result<(), KeeperError> {
        let (account, session_hash) = self.who(session)?;
        let holds = |holder: &Holder| holder.session_hash == session_hash;
        let ended = {
            let live = &mut self.moving().permits.live;
            if live.get(&permit).is_some_and(holds) { live.remove(&permit) } else { None }
        };
        if ended.is_none() {
            return Err(KeeperError::NoPermit);
        }
        self.enter_events(actor(&account), vec![Event::LookEnded { permit }]).map(|_| ())
    }

    /// Whether a permit holds: made here, unchanged, not ended, not expired, its session and account alive.
    pub(crate) fn holds(&self, permit: &Permit) -> bool {
        if hmac::verify(&self.permit_key, &permit_message(permit), &permit.code).is_err() {
            return false;
        }
        let (now, boot) = (self.decision_time(), self.parts.clock.boot());
        if self.is_view_closed(permit, now) {
            return false; // its papers lapsed (CSI-07)
        }
        let (territories, glass) = {
            let moving = self.moving();
            let Some(holder) = moving.permits.live.get(&permit.id) else { return false };
            (holder.territories.clone(), holder.glass)
        };
        if glass.is_some_and(|glass| !self.is_glass_open(glass, now, boot)) {
            return false;
        }
        if !territories.is_empty() && !self.is_at_home(AccountId(permit.account), &territories, now) {
            return false;
        }
        let session_hash = {
            let moving = self.moving();
            let of_account = |holder: &&Holder| holder.account.0 == permit.account && holder.lives(now, boot);
            let Some(holder) = moving.permits.live.get(&permit.id).filter(of_account) else { return false };
            let is_fresh = |seen: &BootMicros| boot.0.saturating_sub(seen.0) < SESSION_TRUST_MICROS;
            if moving.permits.seen.get(&holder.session_hash).is_some_and(is_fresh) {
                return true;
            }
            holder.session_hash
        };
        self.session_holds(session_hash, now, boot)
    }

    /// Which of web's permits still hold: a replay has no recorder that would ask (P5).
    pub(crate) fn alive(&self, permits: &[Permit]) -> Vec<bool> {
        permits.iter().map(|permit| self.holds(permit)).collect()
    }

    /// Looks the session up; one that ended loses its permits. A registry that does not answer lets nothing through.
    fn session_holds(&self, session_hash: [u8; 32], now: UtcMicros, boot: BootMicros) -> bool {
        match self.parts.registry.session_look(session_hash, now, self.parts.session_idle_seconds) {
            Ok(Some((_, account))) if self.may_still_look(&account, now) => {
                self.moving().permits.seen.insert(session_hash, boot);
                true
            }
            Ok(Some(_)) => {
                self.end_permits(session_hash);
                false
            }
            Ok(None) => {
                self.end_permits(session_hash);
                false
            }
            Err(error) => {
                warn!(%error, "no permit holds while sessions cannot be looked up");
                false
            }
        }
    }

    /// Permits of a session that ended.
    pub(crate) fn end_permits(&self, session_hash: [u8; 32]) {
        let mut moving = self.moving();
        moving.reasons.forget(session_hash);
        let permits = &mut moving.permits;
        permits.live.retain(|_, holder| holder.session_hash != session_hash);
        permits.seen.remove(&session_hash);
    }

    /// Permits of an account that may not look any more.
    pub(crate) fn end_permits_of(&self, account: AccountId) {
        let mut moving = self.moving();
        moving.reasons.forget_of(account);
        moving.permits.live.retain(|_, holder| holder.account != account);
    }

    /// Permits that name a camera of which something else holds now.
    pub(crate) fn end_permits_on(&self, camera: domain::CameraId) {
        self.moving().permits.live.retain(|_, holder| !holder.cameras.contains(&camera));
    }

    /// Permits that a break-glass gave.
    pub(crate) fn end_permits_by(&self, glass: GlassId) {
        self.moving().permits.live.retain(|_, holder| holder.glass != Some(glass));
    }

    /// Every permit: the rules by which they were given do not decide any more.
    pub(crate) fn end_all_permits(&self) {
        let mut moving = self.moving();
        moving.reasons.end_all();
        moving.permits.live.clear();
    }

    pub(crate) fn forget_expired_permits(&self) {
        let (now, boot) = (self.decision_time(), self.parts.clock.boot());
        let permits = &mut self.moving().permits;
        permits.live.retain(|_, holder| holder.lives(now, boot));
        let used: HashSet<[u8; 32]> = permits.live.values().map(|holder| holder.session_hash).collect();
        permits.seen.retain(|session, _| used.contains(session));
    }

    fn request(&self, account: &Account, ask: &Ask, now: UtcMicros) -> Result<Request, KeeperError> {
        if matches!(ask.view, View::Export(_)) {
            return Err(malformed("an export is no look: two persons open it under a requisition"));
        }
        if ask.cameras.len() > CAMERAS_PER_LOOK_MAX {
            return Err(malformed(format!(
                "a look names at most {CAMERAS_PER_LOOK_MAX} cameras: ask in several looks"
            )));
        }
        Ok(Request {
            action: if ask.view == View::Live { Action::WatchLive } else { Action::Replay },
            person: self.person_facts(account, now)?,
            controller: Controller::Commune,
            purpose: ask.purpose,
            reason: ask.reason.clone(),
            cameras: self.camera_facts(&ask.cameras, now)?,
            span: span(ask),
            permit_seconds: PERMIT_SECONDS_MAX,
            papers: self.papers(now)?,
            second_person: false,
            now,
        })
    }

    fn permit(
        &self,
        account: &Account,
        session_hash: [u8; 32],
        ask: &Ask,
        request: &Request,
        grounds: Grounds,
    ) -> Result<Permit, KeeperError> {
        let glass = grounds.glass;
        let id = PermitId::draw(&*self.parts.random);
        let purpose = request.purpose.ok_or_else(|| failed("an allowed look has a purpose"))?;
        let look = Event::Look {
            permit: id,
            who: account.name.clone(),
            role: account.role.clone(),
            live: ask.view == View::Live,
            cameras: ask.cameras.clone(),
            span: span(ask),
            purpose,
            reason: ask.reason.clone(),
            stated: grounds.stated.entry(),
            rules: grounds.rules,
        };
        let leaf = self.enter_events(actor(account), vec![look])?.first().copied().unwrap_or_default(); // 3
        let until = glass.as_ref().map_or(UtcMicros(i64::MAX), |open| open.glass.until);
        let expires = request.now.plus_seconds(PERMIT_SECONDS_MAX).min(until);
        let mut permit = Permit {
            id,
            account: account.id.0,
            cameras: ask.cameras.clone(),
            view: ask.view,
            purpose,
            leaf,
            expires,
            glass: glass.as_ref().map(|open| open.id),
            code: [0; 32],
        };
        let code = hmac::sign(&self.permit_key, &permit_message(&permit)); // 4
        permit.code.copy_from_slice(code.as_ref());
        let expires_boot = BootMicros(self.parts.clock.boot().0.saturating_add(PERMIT_SECONDS_MAX * 1_000_000));
        let expires_boot = glass.as_ref().map_or(expires_boot, |open| open.until_boot.min(expires_boot));
        let bound = territory::is_bound(request.person.role);
        let territories = request.cameras.iter().filter(|_| bound).map(|camera| camera.territory.clone()).collect();
        let cameras = ask.cameras.clone();
        let glass = permit.glass;
        let holder = Holder { account: account.id, session_hash, cameras, expires, expires_boot, territories, glass };
        let mut moving = self.moving();
        moving.permits.live.insert(id, holder);
        if grounds.stated == Stated::Now {
            let until = request.now.plus_seconds(REASON_HOLDS_SECONDS_MAX);
            let said = HeldReason { purpose, reason: ask.reason.clone(), stated: leaf, until };
            moving.reasons.state(session_hash, account.id, said, self.parts.clock.boot());
        }
        drop(moving);
        Ok(permit)
    }

    /// A permit to hand over one camera's span, under the entry that says so; it ends with the session, with the export, and as every
    /// permit does.
    pub(crate) fn grant_export(
        &self,
        account: &Account,
        session_hash: [u8; 32],
        camera: domain::CameraId,
        view: View,
        (purpose, leaf): (domain::Purpose, u64),
        until: UtcMicros,
    ) -> Permit {
        let expires = self.decision_time().plus_seconds(PERMIT_SECONDS_MAX).min(until);
        let id = PermitId::draw(&*self.parts.random);
        let (account_id, cameras, code) = (account.id.0, vec![camera], [0; 32]);
        let mut permit = Permit { id, account: account_id, cameras, view, purpose, leaf, expires, glass: None, code };
        let code = hmac::sign(&self.permit_key, &permit_message(&permit));
        permit.code.copy_from_slice(code.as_ref());
        let holder = Holder {
            account: account.id,
            session_hash,
            cameras: vec![camera],
            expires,
            expires_boot: BootMicros(self.parts.clock.boot().0.saturating_add(PERMIT_SECONDS_MAX * 1_000_000)),
            territories: Vec::new(),
            glass: None,
        };
        self.moving().permits.live.insert(id, holder);
        permit
    }

    fn refuse(&self, account: &Account, ask: &Ask, request: &Request, rules: Vec<String>) -> Result<u64, KeeperError> {
        let refusal = Event::Refusal {
            who: account.name.clone(),
            role: account.role.clone(),
            action: request.action.name().to_owned(),
            cameras: ask.cameras.clone(),
            span: span(ask),
            purpose: ask.purpose,
            // a reason that is refused for its length is kept as far as a lawful one may go, so that its entry fits
            reason: Some(Sensitive::new(ask.reason.reveal().chars().take(REASON_CHARS_MAX).collect())),
            rules,
        };
        Ok(self.enter_events(actor(account), vec![refusal])?.first().copied().unwrap_or_default())
    }
}

impl Holder {
    fn lives(&self, now: UtcMicros, boot: BootMicros) -> bool {
        now < self.expires && boot < self.expires_boot
    }
}

fn span(ask: &Ask) -> Option<domain::Span> {
    match ask.view {
        View::Live => None,
        View::Replay(span) | View::Export(span) => Some(span),
    }
}

/// What a permit's code is over: all of it but the code.
fn permit_message(permit: &Permit) -> Vec<u8> {
    let bare = Permit { code: [0; 32], ..permit.clone() };
    postcard::to_stdvec(&bare).expect("a permit is plain data")
}

pub(crate) fn told(reason: &Reason) -> RefusedReason {
    RefusedReason {
        rule: reason.rule.to_string(),
        article: reason.article.to_string(),
        text_fr: reason.text_fr.to_string(),
        text_en: reason.text_en.to_string(),
        remedy_fr: reason.remedy_fr.to_string(),
        remedy_en: reason.remedy_en.to_string(),
    }
}
