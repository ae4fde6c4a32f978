//! Accounts: one-time setup links, passwords, sessions. The keeper verifies; web only carries (P3, P8).

use crate::{
    core::{KeeperCore, failed, malformed},
    wire::{AccountLine, Answer, SessionView},
};
use argon2::{
    Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use aws_lc_rs::digest;
use catalog::{Account, AccountId};
use domain::{
    Sensitive, UtcMicros,
    limit::{PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN, SESSION_SECONDS_MAX, SETUP_LINK_SECONDS_MAX},
    world::BootMicros,
};
use ledger::{Actor, Event};
use policy::Role;
use std::{collections::HashMap, sync::PoisonError};
use vault::{KeeperError, keeper::SessionSecret};

/// Failed sign-ins in a row before an account has to wait: people mistype.
const FREE_TRIES: u32 = 5;
/// The longest wait after failed sign-ins.
const WAIT_SECONDS_MAX: i64 = 300;
/// Failures are forgotten after this time without another.
const MEMORY_SECONDS: i64 = 3_600;
/// Names whose failures are remembered: what strangers try must not fill memory. The one with the shortest wait gives way.
const NAMES_MAX: usize = 4_096;
/// What a person types to sign in.
const NAME_CHARS_MAX: usize = 64;

/// Failed sign-ins by account name's digest, known or not.
#[derive(Default)]
pub(crate) struct Throttle {
    names: HashMap<[u8; 32], Failures>,
}

#[derive(Clone, Copy)]
struct Failures {
    in_a_row: u32,
    /// The next try counts from here on.
    until: BootMicros,
}

impl Throttle {
    /// Seconds to wait, if a try does not count yet.
    fn must_wait(&self, name: &[u8; 32], now: BootMicros) -> Option<u32> {
        let left = self.names.get(name)?.until.0 - now.0;
        (left > 0).then_some((left / 1_000_000 + 1) as u32)
    }

    /// Doubles the wait with each failure past the free ones; 0 while tries are free.
    fn note_failure(&mut self, name: [u8; 32], now: BootMicros) -> u32 {
        if !self.names.contains_key(&name) && self.names.len() >= NAMES_MAX {
            let shortest = self.names.iter().min_by_key(|(_, failures)| (failures.until, failures.in_a_row));
            if let Some(shortest) = shortest.map(|(name, _)| *name) {
                self.names.remove(&shortest);
            }
        }
        let failures = self.names.entry(name).or_insert(Failures { in_a_row: 0, until: now });
        failures.in_a_row = failures.in_a_row.saturating_add(1);
        let wait_seconds = match failures.in_a_row.checked_sub(FREE_TRIES) {
            None => 0,
            Some(past) => (1i64 << past.min(10)).min(WAIT_SECONDS_MAX),
        };
        failures.until = BootMicros(now.0 + wait_seconds * 1_000_000);
        wait_seconds as u32
    }

    pub fn forget(&mut self, now: BootMicros) {
        self.names.retain(|_, failures| now.0 - failures.until.0 < MEMORY_SECONDS * 1_000_000);
    }
}

impl KeeperCore {
    /// The account behind a session's secret, if the session holds.
    pub(crate) fn who(&self, session: &SessionSecret) -> Result<(Account, [u8; 32]), KeeperError> {
        let hash = sha256(session.reveal());
        let used = self.parts.registry.session_use(hash, self.stamp()).map_err(failed)?;
        let used = used.filter(|(session, _)| self.session_counts(session));
        used.map(|(_, account)| (account, hash)).ok_or(KeeperError::NoSession)
    }

    pub(crate) fn session(&self, session: &SessionSecret) -> Result<SessionView, KeeperError> {
        let used = self.parts.registry.session_use(sha256(session.reveal()), self.stamp()).map_err(failed)?;
        let used = used.filter(|(session, _)| self.session_counts(session));
        let (session, account) = used.ok_or(KeeperError::NoSession)?;
        view(&account, session.expires_at)
    }

    pub(crate) fn sign_in(
        &self,
        name: &Sensitive<String>,
        password: &Sensitive<String>,
    ) -> Result<Answer, KeeperError> {
        let account = match self.by_password(Actor::Role { role: ledger::Role::Web }, name, password)? {
            Ok(account) => account,
            Err(wait_seconds) => return Ok(Answer::Denied { wait_seconds }),
        };
        let (secret, hash) = self.draw_secret();
        let now = self.stamp();
        self.enter_events(actor(&account), vec![session_event("signed in", name)])?;
        let expires = now.plus_seconds(SESSION_SECONDS_MAX);
        let session = self.parts.registry.session_start(hash, account.id, now, expires).map_err(failed)?;
        Ok(Answer::SignedIn { session: secret, view: view(&account, session.expires_at)? })
    }

    /// The open account of that name and password, or how many seconds to wait. A wrong name and a wrong password get the
    /// same answer after the same work.
    pub(crate) fn by_password(
        &self,
        asks: Actor,
        name: &Sensitive<String>,
        password: &Sensitive<String>,
    ) -> Result<Result<Account, u32>, KeeperError> {
        if NAME_CHARS_MAX < name.reveal().chars().count() || PASSWORD_CHARS_MAX < password.reveal().chars().count() {
            return Ok(Err(0)); // no account has such; nothing is computed or kept
        }
        let tries = sha256(&format!("sign-in {}", name.reveal()));
        // one after the other, so that tries at the same moment count, too
        let _one_at_a_time = self.hashing.lock().unwrap_or_else(PoisonError::into_inner);
        let boot = self.parts.clock.boot();
        let must_wait = self.moving().throttle.must_wait(&tries, boot);
        if let Some(wait_seconds) = must_wait {
            return Ok(Err(wait_seconds));
        }
        let account = self.parts.registry.account_by_name(name.reveal()).map_err(failed)?;
        let account = account.filter(|account| !account.disabled);
        let stored = account.as_ref().and_then(|account| account.password_hash.clone());
        let right = verify_password(password, stored.as_ref());
        let Some(account) = account.filter(|_| right) else {
            let wait_seconds = self.moving().throttle.note_failure(tries, boot);
            self.enter_events(asks, vec![session_event("sign-in failed", name)])?;
            return Ok(Err(wait_seconds));
        };
        self.moving().throttle.names.remove(&tries);
        Ok(Ok(account))
    }

    pub(crate) fn sign_out(&self, session: &SessionSecret) -> Result<(), KeeperError> {
        let (account, hash) = self.who(session)?;
        self.parts.registry.session_end(hash, self.stamp()).map_err(failed)?;
        self.end_permits(hash);
        self.enter_events(actor(&account), vec![session_event("signed out", &account.name)]).map(|_| ())
    }

    /// Uses a one-time setup link: the account gets its password, older sessions end.
    pub(crate) fn set_up(
        &self,
        token: &Sensitive<String>,
        password: &Sensitive<String>,
    ) -> Result<Answer, KeeperError> {
        let length = password.reveal().chars().count();
        if !(PASSWORD_CHARS_MIN..=PASSWORD_CHARS_MAX).contains(&length) {
            return Err(malformed(format!("a password has {PASSWORD_CHARS_MIN} to {PASSWORD_CHARS_MAX} characters")));
        }
        let (hash, now) = (sha256(token.reveal()), self.stamp());
        let Some(account) = self.parts.registry.setup_token(hash, now).map_err(failed)? else {
            return Ok(Answer::Denied { wait_seconds: 0 });
        };
        let stored = {
            let _one_at_a_time = self.hashing.lock().unwrap_or_else(PoisonError::into_inner);
            self.hash_password(password)?
        };
        let role: Role = account.role.parse().map_err(failed)?;
        let change = Event::Account {
            change: "password set by setup link".into(),
            name: account.name.clone(),
            role: account.role.clone(),
        };
        self.enter_events(actor(&account), vec![change])?;
        match self.parts.registry.setup_redeem(hash, &stored, now).map_err(failed)? {
            Some(id) => {
                self.end_permits_of(id); // its older sessions ended with the old password
                Ok(Answer::SetUp { name: account.name, role })
            }
            None => Ok(Answer::Denied { wait_seconds: 0 }),
        }
    }

    /// A new account, or a new setup link for one that has no password yet or lost it.
    pub fn account_add(&self, actor: Actor, name: &Sensitive<String>, role: Role) -> Result<Answer, KeeperError> {
        let now = self.stamp();
        let length = name.reveal().chars().count();
        if name.reveal().trim() != name.reveal() || !(1..=NAME_CHARS_MAX).contains(&length) {
            return Err(malformed(format!("a name has 1 to {NAME_CHARS_MAX} characters, no space at its ends")));
        }
        let known = self.parts.registry.account_by_name(name.reveal()).map_err(failed)?;
        if known.as_ref().is_some_and(|account| account.disabled) {
            return Err(malformed("the account of that name is disabled: choose another name"));
        }
        if known.as_ref().is_some_and(|account| account.role != role.name()) {
            return Err(malformed("an account of that name has another role: choose another name"));
        }
        let change = if known.is_some() { "new setup link" } else { "added" };
        let event = Event::Account { change: change.into(), name: name.clone(), role: role.name().into() };
        self.enter_events(actor, vec![event])?;
        let id = match known {
            Some(account) => account.id,
            None => self.add(name, role, now)?,
        };
        let (token, hash) = self.draw_secret();
        let expires = now.plus_seconds(SETUP_LINK_SECONDS_MAX);
        self.parts.registry.setup_token_add(hash, id, expires).map_err(failed)?;
        Ok(Answer::SetupToken { token, expires })
    }

    /// Ends an account: its sessions, links and permits at once.
    pub fn account_disable(&self, actor: Actor, name: &Sensitive<String>) -> Result<Answer, KeeperError> {
        let known = self.parts.registry.account_by_name(name.reveal()).map_err(failed)?;
        let account = known.ok_or_else(|| malformed("no account has that name: `vigie account list` names them"))?;
        if account.role == Role::Administrator.name()
            && !account.disabled
            && self.other_administrators(account.id)? == 0
        {
            return Err(malformed("it is the only administrator: add another one first"));
        }
        let event = Event::Account { change: "disabled".into(), name: name.clone(), role: account.role.clone() };
        self.enter_events(actor, vec![event])?;
        self.parts.registry.account_disable(account.id, self.stamp()).map_err(failed)?;
        self.end_permits_of(account.id);
        Ok(Answer::Done)
    }

    fn other_administrators(&self, than: AccountId) -> Result<usize, KeeperError> {
        let accounts = self.parts.registry.accounts().map_err(failed)?;
        let open = |account: &&Account| account.role == Role::Administrator.name() && !account.disabled;
        Ok(accounts.iter().filter(open).filter(|account| account.id != than).count())
    }

    pub(crate) fn account_list(&self) -> Result<Answer, KeeperError> {
        let accounts = self.parts.registry.accounts().map_err(failed)?;
        let listed = accounts.into_iter().map(|account| {
            let role = account.role.parse().map_err(failed)?;
            Ok(AccountLine { name: account.name, role, closed: account.disabled })
        });
        Ok(Answer::Accounts(listed.collect::<Result<_, KeeperError>>()?))
    }

    /// Whether nobody can sign in yet.
    pub(crate) fn setup_needed(&self) -> Result<bool, KeeperError> {
        let accounts = self.parts.registry.accounts().map_err(failed)?;
        Ok(accounts.iter().all(|account| account.password_hash.is_none()))
    }

    fn add(&self, name: &Sensitive<String>, role: Role, now: UtcMicros) -> Result<AccountId, KeeperError> {
        let id = AccountId::draw(&*self.parts.random);
        let account = Account {
            id,
            name: name.clone(),
            role: role.name().into(),
            password_hash: None,
            disabled: false,
            created: now,
        };
        self.parts.registry.account_add(&account).map_err(failed)?;
        Ok(id)
    }

    /// 256 random bits as hexadecimal, and their hash: only the hash is kept.
    fn draw_secret(&self) -> (Sensitive<String>, [u8; 32]) {
        let mut bytes = [0; 32];
        self.parts.random.fill(&mut bytes);
        let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        let hash = sha256(&text);
        (Sensitive::new(text), hash)
    }

    /// argon2id with 19 MiB and two passes (RFC 9106, OWASP's floor), as a PHC string.
    fn hash_password(&self, password: &Sensitive<String>) -> Result<Sensitive<String>, KeeperError> {
        let mut salt = [0; 16];
        self.parts.random.fill(&mut salt);
        let hash = hasher().hash_password_with_salt(password.reveal().as_bytes(), &salt).map_err(failed)?;
        Ok(Sensitive::new(hash.to_string()))
    }
}

fn hasher() -> Argon2<'static> {
    let params = Params::new(19 * 1024, 2, 1, None).expect("19 MiB, two passes, one lane are within argon2's bounds");
    Argon2::new(argon2::Algorithm::Argon2id, Version::V0x13, params)
}

/// Does the work of a verification also where there is nothing to verify against.
fn verify_password(password: &Sensitive<String>, stored: Option<&Sensitive<String>>) -> bool {
    const NOBODY: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let text = stored.map_or(NOBODY, |stored| stored.reveal());
    let Ok(hash) = PasswordHash::new(text) else { return false };
    hasher().verify_password(password.reveal().as_bytes(), &hash).is_ok() && stored.is_some()
}

fn view(account: &Account, expires: UtcMicros) -> Result<SessionView, KeeperError> {
    let role = account.role.parse().map_err(failed)?;
    Ok(SessionView { account: account.id.0, name: account.name.clone(), role, expires })
}

fn actor(account: &Account) -> Actor {
    Actor::Account { id: account.id.to_string(), name: account.name.clone() }
}

fn session_event(change: &str, name: &Sensitive<String>) -> Event {
    Event::Session { change: change.into(), name: name.clone() }
}

fn sha256(text: &str) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, text.as_bytes()).as_ref());
    hash
}
