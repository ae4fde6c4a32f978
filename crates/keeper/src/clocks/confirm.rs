//! Two persons say what time it is, when the clocks cannot (K9).
//!
//! 1 who: name and password, as at a sign-in, with its waits
//! 2 refused where a time stands, where what is said lies before the ledger or absurdly far ahead of it, and for an account
//!   that was made or changed since the clocks disagree
//! 3 the first person: entry with what was said; it is remembered for fifteen minutes, while the account stays as it is
//! 4 another person, who says the same time within 300 s: entry with the time that stands; each entry names the person and
//!   the user of the command line
//! 5 it stands in this boot, until a clock agrees with it and from then on as any other anchor
//!
//! The earlier of the two times stands: what dies by it is due by both.

use super::memory::{ClockState, elapsed, name};
use crate::{
    core::{KeeperCore, failed},
    wire::{Answer, Confirmation},
};
use catalog::{Account, AccountId};
use domain::{
    Sensitive, UtcMicros,
    limit::{CLOCK_CONFIRM_DAYS_MAX, CLOCK_CONFIRM_SECONDS_MAX},
    world::BootMicros,
};
use ledger::{Actor, Entry, Event};
use policy::{
    clocks::agree,
    time::{BootMark, State},
};
use vault::KeeperError;

/// What the first person said.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FirstWord {
    account: AccountId,
    at: UtcMicros,
    said: BootMicros,
}

/// Who speaks, and on whose command line.
#[derive(Clone, Copy)]
struct Says<'a> {
    account: &'a Account,
    uid: Option<u32>,
}

impl super::Memory {
    /// The first person's word, carried to this moment, while it counts.
    fn first_word(&self, mark: BootMark) -> Option<FirstWord> {
        let word = self.first_word?;
        let since = elapsed(word.said, mark);
        let counts = since <= CLOCK_CONFIRM_SECONDS_MAX * 1_000_000;
        counts.then(|| FirstWord { at: word.at.plus_micros(since), ..word })
    }

    pub fn waits_for_a_second(&self, mark: BootMark) -> bool {
        self.first_word(mark).is_some()
    }
}

impl KeeperCore {
    /// A person confirms that it is `at`. A refusal is an answer with its reason.
    pub fn clock_confirm(
        &self,
        cli: Actor,
        account: &Sensitive<String>,
        password: &Sensitive<String>,
        at: UtcMicros,
    ) -> Result<Answer, KeeperError> {
        let uid = if let Actor::Cli { uid } = cli { Some(uid) } else { None };
        let account = match self.by_password(cli, account, password)? {
            Ok(account) => account,
            Err(wait_seconds) => return Ok(Answer::Denied { wait_seconds }),
        }; // 1
        let judgement = self.judgement();
        let most = judgement.at_least.plus_seconds(CLOCK_CONFIRM_DAYS_MAX * 86_400);
        if let Some(now) = judgement.trusted {
            return Ok(Answer::Confirmation(Confirmation::NotNeeded { now }));
        }
        if at < judgement.at_least {
            return Ok(Answer::Confirmation(Confirmation::TooEarly { at_least: judgement.at_least }));
        }
        if most < at {
            return Ok(Answer::Confirmation(Confirmation::TooFar { at_least: judgement.at_least }));
        }
        if self.moving().time.touched.names(&account.name) {
            return Ok(Answer::Confirmation(Confirmation::TooNew)); // 2
        }
        let mark = self.machine().mark;
        let said = self.moving().time.first_word(mark);
        let first = match said {
            Some(first) if self.still_counts(first)? => Some(first),
            _ => None,
        };
        let says = Says { account: &account, uid };
        match first {
            Some(first) if first.account == account.id => Ok(Answer::Confirmation(Confirmation::SamePerson)),
            Some(first) if !agree(first.at, at) => {
                let seconds = at.since(first.at) / 1_000_000;
                Ok(Answer::Confirmation(Confirmation::Differs { seconds }))
            }
            Some(first) => self.confirmed(says, at.min(first.at).max(judgement.at_least), mark),
            None => self.first_confirms(says, at, mark),
        }
    }

    /// Whether the first person's account is still open, and as it was before the doubt.
    fn still_counts(&self, first: FirstWord) -> Result<bool, KeeperError> {
        let account = self.parts.registry.account(first.account).map_err(failed)?;
        let open = account.filter(|account| !account.disabled);
        Ok(open.is_some_and(|account| !self.moving().time.touched.names(&account.name)))
    }

    fn first_confirms(&self, says: Says<'_>, at: UtcMicros, mark: BootMark) -> Result<Answer, KeeperError> {
        let word = ClockState { at: Some(at), ..ClockState::of("one person", None) };
        self.enter_word(says, self.stamp(), word)?;
        self.moving().time.first_word = Some(FirstWord { account: says.account.id, at, said: mark.since_boot }); // 3
        Ok(Answer::Confirmation(Confirmation::First { seconds: CLOCK_CONFIRM_SECONDS_MAX }))
    }

    fn confirmed(&self, says: Says<'_>, at: UtcMicros, mark: BootMark) -> Result<Answer, KeeperError> {
        let state = name(State::Confirmed);
        self.enter_word(says, at, ClockState::of(state, Some(mark)))?; // 4
        let mut moving = self.moving();
        moving.time.anchor(at, mark, true); // 5
        moving.time.note_entered(state);
        moving.time.first_word = None;
        Ok(Answer::Confirmation(Confirmation::Stands { at }))
    }

    fn enter_word(&self, says: Says<'_>, at: UtcMicros, state: ClockState) -> Result<(), KeeperError> {
        let actor = Actor::Account { id: says.account.id.to_string(), name: says.account.name.clone() };
        let state = serde_json::to_string(&ClockState { uid: says.uid, ..state }).map_err(failed)?;
        self.append(vec![Entry::new(at, actor, Event::Clocks { state })]).map(|_| ())
    }
}
