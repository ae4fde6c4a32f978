//! The gate: decide, record, permit (promise 3). Every picture passes here, live or stored.
//!
//! 1 who: the session's secret, looked up here, never asserted by web (P3)
//! 2 decide: `policy`, on facts of the registry
//! 3 record: the look or the refusal is durable in the ledger
//! 4 permit: a capability with a code that only this process can make or check (P4)

use crate::core::{KeeperCore, failed};
use aws_lc_rs::hmac;
use catalog::{Account, AccountId};
use domain::{PermitId, UtcMicros, limit::PERMIT_SECONDS_MAX};
use ledger::{Actor, Event};
use policy::{Action, CameraFacts, Decision, Reason, Request, Role};
use std::collections::HashMap;
use vault::{
    KeeperError,
    keeper::{Ask, Permit, Refused, RefusedReason, SessionSecret, Verdict, View},
};

/// Permits that were given and have not ended.
#[derive(Default)]
pub(crate) struct Permits {
    live: HashMap<PermitId, Holder>,
}

struct Holder {
    account: AccountId,
    session_hash: [u8; 32],
    expires: UtcMicros,
}

impl KeeperCore {
    /// The gate.
    pub fn pass(&self, session: &SessionSecret, ask: &Ask) -> Result<Verdict, KeeperError> {
        let (account, session_hash) = self.who(session)?; // 1
        let now = self.decision_time();
        let role: Role = account.role.parse().map_err(failed)?;
        let request = self.request(role, ask, now)?;
        let actor = Actor::Account { id: account.id.to_string(), name: account.name.clone() };
        match policy::decide(&request) {
            Decision::Allow { rules } => {
                let rules = rules.iter().map(ToString::to_string).collect(); // 2
                self.permit(actor, &account, session_hash, ask, &request, rules).map(Verdict::Allowed)
            }
            Decision::Refuse(refusal) => {
                let rules = refusal.reasons.iter().map(|reason| reason.rule.to_string()).collect();
                let leaf = self.refuse(actor, &account, ask, &request, rules)?;
                Ok(Verdict::Refused(Refused { reasons: refusal.reasons.iter().map(told).collect(), leaf }))
            }
        }
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
        let actor = Actor::Account { id: account.id.to_string(), name: account.name };
        self.enter_events(actor, vec![Event::LookEnded { permit }]).map(|_| ())
    }

    /// Whether a permit holds: made here, unchanged, not ended, not expired.
    pub(crate) fn holds(&self, permit: &Permit) -> bool {
        let genuine = hmac::verify(&self.permit_key, &permit_message(permit), &permit.code).is_ok();
        let now = self.decision_time();
        let moving = self.moving();
        let known = moving.permits.live.get(&permit.id);
        genuine && known.is_some_and(|holder| holder.account.0 == permit.account && now < holder.expires)
    }

    /// Permits of a session that ended.
    pub(crate) fn end_permits(&self, session_hash: [u8; 32]) {
        self.moving().permits.live.retain(|_, holder| holder.session_hash != session_hash);
    }

    pub(crate) fn forget_expired_permits(&self) {
        let now = self.decision_time();
        self.moving().permits.live.retain(|_, holder| now < holder.expires);
    }

    fn request(&self, role: Role, ask: &Ask, now: UtcMicros) -> Result<Request, KeeperError> {
        let in_service = self.parts.registry.cameras(now).map_err(failed)?;
        let facts = |id: &domain::CameraId| {
            let known = self.parts.registry.camera(*id, now).map_err(failed)?;
            Ok(CameraFacts {
                id: *id,
                exists: known.is_some(),
                recording: in_service.iter().any(|version| version.camera.id == *id),
                purposes: known.map(|version| version.camera.purposes).unwrap_or_default(),
            })
        };
        Ok(Request {
            action: if ask.view == View::Live { Action::WatchLive } else { Action::Replay },
            role,
            purpose: ask.purpose,
            reason: ask.reason.clone(),
            cameras: ask.cameras.iter().map(facts).collect::<Result<_, KeeperError>>()?,
            span: span(ask),
            permit_seconds: PERMIT_SECONDS_MAX,
            now,
        })
    }

    fn permit(
        &self,
        actor: Actor,
        account: &Account,
        session_hash: [u8; 32],
        ask: &Ask,
        request: &Request,
        rules: Vec<String>,
    ) -> Result<Permit, KeeperError> {
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
            rules,
        };
        let leaf = self.enter_events(actor, vec![look])?.first().copied().unwrap_or_default(); // 3
        let expires = request.now.plus_seconds(PERMIT_SECONDS_MAX);
        let mut permit = Permit {
            id,
            account: account.id.0,
            cameras: ask.cameras.clone(),
            view: ask.view,
            purpose,
            leaf,
            expires,
            code: [0; 32],
        };
        let code = hmac::sign(&self.permit_key, &permit_message(&permit)); // 4
        permit.code.copy_from_slice(code.as_ref());
        self.moving().permits.live.insert(id, Holder { account: account.id, session_hash, expires });
        Ok(permit)
    }

    fn refuse(
        &self,
        actor: Actor,
        account: &Account,
        ask: &Ask,
        request: &Request,
        rules: Vec<String>,
    ) -> Result<u64, KeeperError> {
        let refusal = Event::Refusal {
            who: account.name.clone(),
            role: account.role.clone(),
            action: request.action.name().to_owned(),
            cameras: ask.cameras.clone(),
            span: span(ask),
            purpose: ask.purpose,
            reason: Some(ask.reason.clone()),
            rules,
        };
        Ok(self.enter_events(actor, vec![refusal])?.first().copied().unwrap_or_default())
    }
}

fn span(ask: &Ask) -> Option<domain::Span> {
    match ask.view {
        View::Live => None,
        View::Replay(span) => Some(span),
    }
}

/// What a permit's code is over: all of it but the code.
fn permit_message(permit: &Permit) -> Vec<u8> {
    let bare = Permit { code: [0; 32], ..permit.clone() };
    postcard::to_stdvec(&bare).expect("a permit is plain data")
}

fn told(reason: &Reason) -> RefusedReason {
    RefusedReason {
        rule: reason.rule.to_string(),
        article: reason.article.to_string(),
        text_fr: reason.text_fr.to_string(),
        text_en: reason.text_en.to_string(),
        remedy_fr: reason.remedy_fr.to_string(),
        remedy_en: reason.remedy_en.to_string(),
    }
}
