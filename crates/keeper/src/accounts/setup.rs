//! One-time setup links: an account gets its password and its second factor, all of it or nothing.

use super::{
    actor,
    factor::{CODE_CHARS_MAX, otpauth, step_of},
    sha256,
    throttle::FREE_TRIES,
};
use crate::{
    core::{KeeperCore, failed, malformed},
    wire::{Answer, SetUpBegun},
};
use domain::{
    Sensitive,
    limit::{PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN},
};
use ledger::Event;
use policy::Role;
use std::sync::PoisonError;
use vault::KeeperError;

impl KeeperCore {
    /// What a setup link is for, and the seed for the person's authenticator; the link stays as it is.
    pub fn set_up_begin(&self, token: &Sensitive<String>) -> Result<Answer, KeeperError> {
        let (hash, now) = (sha256(token.reveal()), self.stamp());
        let Some(account) = self.parts.registry.setup_token(hash, now).map_err(failed)? else {
            return Ok(Answer::Denied { wait_seconds: 0 });
        };
        let role: Role = account.role.parse().map_err(failed)?;
        let seed = self.seed_of_link(&hash)?;
        let otpauth = otpauth(&self.parts.registry.site().name, account.name.reveal(), &seed);
        Ok(Answer::SetUpBegun(SetUpBegun { name: account.name, role, otpauth }))
    }

    /// Uses a one-time setup link: 1 it is open · 2 the code shows that an authenticator has the seed · 3 entry ·
    /// 4 password and second factor stand, older sessions end. A wrong code leaves the link as it is.
    pub fn set_up(
        &self,
        token: &Sensitive<String>,
        password: &Sensitive<String>,
        code: &Sensitive<String>,
    ) -> Result<Answer, KeeperError> {
        let length = password.reveal().chars().count();
        if !(PASSWORD_CHARS_MIN..=PASSWORD_CHARS_MAX).contains(&length) {
            return Err(malformed(format!("a password has {PASSWORD_CHARS_MIN} to {PASSWORD_CHARS_MAX} characters")));
        }
        if CODE_CHARS_MAX < code.reveal().chars().count() {
            return Ok(Answer::WrongCode { wait_seconds: 0 });
        }
        let (hash, now) = (sha256(token.reveal()), self.stamp());
        let _one_at_a_time = self.hashing.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(account) = self.parts.registry.setup_token(hash, now).map_err(failed)? else {
            return Ok(Answer::Denied { wait_seconds: 0 }); // 1
        };
        let (tries, boot) = (sha256(&format!("setup {}", token.reveal())), self.parts.clock.boot());
        if let Some(wait_seconds) = self.moving().throttle.must_wait(&tries, boot) {
            return Ok(Answer::WrongCode { wait_seconds });
        }
        let seed = self.seed_of_link(&hash)?;
        let typed: String = code.reveal().chars().filter(|letter| !letter.is_whitespace()).collect();
        let Some(step) = step_of(&seed[..], &typed, self.code_time(), i64::MIN) else {
            let wait_seconds = self.moving().throttle.note_failure(tries, FREE_TRIES, boot);
            return Ok(Answer::WrongCode { wait_seconds }); // 2
        };
        let stored = self.hash_password(password)?;
        let (factor, recovery) = self.new_factor(account.id, &seed, step)?;
        let role: Role = account.role.parse().map_err(failed)?;
        let change = Event::Account {
            change: "password and second factor (codes) set by setup link".into(),
            name: account.name.clone(),
            role: account.role.clone(),
        };
        self.enter_events(actor(&account), vec![change])?; // 3
        match self.parts.registry.setup_redeem(hash, &stored, &factor, now).map_err(failed)? {
            Some(id) => {
                self.end_permits_of(id); // its older sessions ended with the old password
                Ok(Answer::SetUp { name: account.name, role, recovery })
            } // 4
            None => Ok(Answer::Denied { wait_seconds: 0 }),
        }
    }
}
