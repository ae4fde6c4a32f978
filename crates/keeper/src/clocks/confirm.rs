//! Two persons say what time it is, when the clocks cannot (K9).
//!
//! 1 who: name and password, as at a sign-in, with its waits
//! 2 refused where a time stands, or where what is said lies before the ledger or absurdly far ahead of it
//! 3 the first person: entry with what was said; it is remembered for fifteen minutes
//! 4 another person, who says the same time within 300 s: entry with the time that stands
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
            return Ok(Answer::Confirmation(Confirmation::TooFar { at_least: judgement.at_least })); // 2
        }
        let mark = self.machine().mark;
        let first = self.moving().time.first_word(mark);
        match first {
            Some(first) if first.account == account.id => Ok(Answer::Confirmation(Confirmation::SamePerson)),
            Some(first) if !agree(first.at, at) => {
                let seconds = at.since(first.at) / 1_000_000;
                Ok(Answer::Confirmation(Confirmation::Differs { seconds }))
            }
            Some(first) => self.confirmed(&account, at.min(first.at).max(judgement.at_least), mark),
            None => self.first_confirms(&account, at, mark),
        }
    }

    fn first_confirms(&self, account: &Account, at: UtcMicros, mark: BootMark) -> Result<Answer, KeeperError> {
        self.enter_word(account, self.stamp(), ClockState { state: "one person".into(), mark: None, at: Some(at) })?;
        self.moving().time.first_word = Some(FirstWord { account: account.id, at, said: mark.since_boot }); // 3
        Ok(Answer::Confirmation(Confirmation::First { seconds: CLOCK_CONFIRM_SECONDS_MAX }))
    }

    fn confirmed(&self, account: &Account, at: UtcMicros, mark: BootMark) -> Result<Answer, KeeperError> {
        let state = name(State::Confirmed);
        self.enter_word(account, at, ClockState { state: state.into(), mark: Some(mark), at: None })?; // 4
        let mut moving = self.moving();
        moving.time.anchor(at, mark, true); // 5
        moving.time.note_entered(state);
        moving.time.first_word = None;
        Ok(Answer::Confirmation(Confirmation::Stands { at }))
    }

    fn enter_word(&self, account: &Account, at: UtcMicros, state: ClockState) -> Result<(), KeeperError> {
        let actor = Actor::Account { id: account.id.to_string(), name: account.name.clone() };
        let state = serde_json::to_string(&state).map_err(failed)?;
        self.append(vec![Entry::new(at, actor, Event::Clocks { state })]).map(|_| ())
    }
}
