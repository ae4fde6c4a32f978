//! The last reason: whoever has said why goes on under it to another camera without saying it again, as long as it holds.
//!
//! It holds for the same session, unlocked; for the purpose that was stated, if each camera asked for has it among its own;
//! for [`REASON_HOLDS_SECONDS_MAX`] from when it was stated, which using it does not prolong; until its person ends it. The
//! keeper alone judges that: it keeps the words in memory, by session, and each look under them is decided and entered with its
//! purpose, its reason and the entry where they were stated. A keeper that starts anew remembers none.

use crate::{
    core::{KeeperCore, failed},
    gate::Stated,
};
use catalog::AccountId;
use domain::{
    CameraId, Purpose, Sensitive, UtcMicros,
    limit::{REASON_HOLDS_SECONDS_MAX, REASONS_RECENT_MAX},
    world::BootMicros,
};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use tracing::warn;
use vault::{
    KeeperError,
    keeper::{Ask, SessionSecret, Verdict, View},
};

/// What somebody said and when that ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldReason {
    pub purpose: Purpose,
    pub reason: Sensitive<String>,
    /// Number of the entry of the look for which it was stated.
    pub stated: u64,
    pub until: UtcMicros,
}

/// Why a person has to say again why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReasonOver {
    /// Nothing was stated in this session, or its person ended it.
    NotStated,
    /// It was stated too long ago.
    TimeOver,
    /// A camera asked for does not have its purpose.
    OtherPurpose,
}

/// A session's own reasons, told to that session only.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReasonView {
    pub held: Option<HeldReason>,
    /// The newest first.
    pub recent: Vec<(Purpose, Sensitive<String>)>,
}

/// What became of a wish to go on.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Continued {
    Decided {
        verdict: Verdict,
        under: HeldReason,
    },
    /// Nothing was asked of the gate: the reason has to be stated.
    Over(ReasonOver),
}

/// The reasons of all sessions, in memory only.
#[derive(Default)]
pub(crate) struct Reasons(HashMap<[u8; 32], OfSession>);

struct OfSession {
    account: AccountId,
    held: Option<HeldReason>,
    /// The same end by the clock that nobody sets: a clock put back does not prolong a reason.
    until_boot: BootMicros,
    recent: Vec<(Purpose, Sensitive<String>)>,
    /// When the session was last found to hold.
    seen: BootMicros,
}

impl Reasons {
    /// A look was allowed for this reason, stated for it.
    pub fn state(&mut self, session: [u8; 32], account: AccountId, said: HeldReason, boot: BootMicros) {
        let fresh = || OfSession { account, held: None, until_boot: boot, recent: Vec::new(), seen: boot };
        let of_session = self.0.entry(session).or_insert_with(fresh);
        let words = (said.purpose, said.reason.clone());
        of_session.recent.retain(|known| *known != words);
        of_session.recent.insert(0, words);
        of_session.recent.truncate(REASONS_RECENT_MAX);
        of_session.until_boot = BootMicros(boot.0.saturating_add(REASON_HOLDS_SECONDS_MAX * 1_000_000));
        of_session.seen = boot;
        of_session.held = Some(said);
    }

    /// The reason that holds, whatever the cameras.
    fn held(&self, session: [u8; 32], now: UtcMicros, boot: BootMicros) -> Result<&HeldReason, ReasonOver> {
        let of_session = self.0.get(&session).ok_or(ReasonOver::NotStated)?;
        let held = of_session.held.as_ref().ok_or(ReasonOver::NotStated)?;
        let holds = now < held.until && boot < of_session.until_boot;
        if holds { Ok(held) } else { Err(ReasonOver::TimeOver) }
    }

    pub fn forget(&mut self, session: [u8; 32]) {
        self.0.remove(&session);
    }

    pub fn forget_of(&mut self, account: AccountId) {
        self.0.retain(|_, of_session| of_session.account != account);
    }

    /// Other rules decide from here on: what was stated under the old ones is stated again.
    pub fn end_all(&mut self) {
        self.0.values_mut().for_each(|of_session| of_session.held = None);
    }
}

impl KeeperCore {
    /// A look under the reason that holds: 1 whose session · 2 whether the reason holds, for these cameras · 3 the gate, as
    /// for any look.
    pub fn continue_look(
        &self,
        session: &SessionSecret,
        view: View,
        cameras: &[CameraId],
    ) -> Result<Continued, KeeperError> {
        let (account, session_hash) = self.who_acts(session)?; // 1
        let (now, boot) = (self.decision_time(), self.parts.clock.boot());
        let held = match self.moving().reasons.held(session_hash, now, boot) {
            Ok(held) => held.clone(),
            Err(over) => return Ok(Continued::Over(over)), // 2
        };
        let facts = self.camera_facts(cameras, now)?;
        if facts.iter().any(|camera| camera.exists && !camera.purposes.contains(&held.purpose)) {
            return Ok(Continued::Over(ReasonOver::OtherPurpose));
        }
        let ask = Ask { view, cameras: cameras.to_vec(), purpose: Some(held.purpose), reason: held.reason.clone() };
        let verdict = self.decide_look(&account, session_hash, &ask, Stated::Before { entry: held.stated })?; // 3
        Ok(Continued::Decided { verdict, under: held })
    }

    /// A session's own reasons. Asking is not an act: the session locks no later.
    pub fn reason_view(&self, session: &SessionSecret) -> Result<ReasonView, KeeperError> {
        let (_, session_hash) = self.who(session)?;
        let (now, boot) = (self.decision_time(), self.parts.clock.boot());
        let mut moving = self.moving();
        let held = moving.reasons.held(session_hash, now, boot).ok().cloned();
        let Some(of_session) = moving.reasons.0.get_mut(&session_hash) else { return Ok(ReasonView::default()) };
        of_session.seen = boot;
        Ok(ReasonView { held, recent: of_session.recent.clone() })
    }

    /// Its person is done with it; it stays among the recent ones.
    pub fn end_reason(&self, session: &SessionSecret) -> Result<(), KeeperError> {
        let (_, session_hash) = self.who_acts(session)?;
        if let Some(of_session) = self.moving().reasons.0.get_mut(&session_hash) {
            of_session.held = None;
        }
        Ok(())
    }

    /// Words of sessions that ended by themselves go from memory, too: each session is asked for when it may have locked.
    pub(crate) fn forget_dead_reasons(&self) {
        let (boot, idle) = (self.parts.clock.boot(), self.parts.session_idle_seconds);
        let is_old = |of_session: &OfSession| idle * 1_000_000 <= boot.0.saturating_sub(of_session.seen.0);
        let old: Vec<[u8; 32]> = {
            let moving = self.moving();
            moving.reasons.0.iter().filter(|(_, of_session)| is_old(of_session)).map(|(hash, _)| *hash).collect()
        };
        for hash in old {
            match self.parts.registry.session_look(hash, self.stamp(), idle).map_err(failed) {
                Ok(Some(_)) => {
                    if let Some(of_session) = self.moving().reasons.0.get_mut(&hash) {
                        of_session.seen = boot;
                    }
                }
                Ok(None) => self.moving().reasons.forget(hash),
                Err(error) => warn!(%error, "a session cannot be looked up; what was stated in it is kept until then"),
            }
        }
    }
}
