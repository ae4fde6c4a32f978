//! Accounts: who signs in, by password and second factor; sessions. The keeper verifies; web only carries (P3, P8).

mod ceremonies;
mod device;
mod factor;
mod passkey;
mod provider;
mod setup;
mod throttle;

pub(crate) use passkey::Passkeys;
pub(crate) use provider::Flows;
pub use provider::OidcSettings;
pub(crate) use throttle::Throttle;

use crate::{
    core::{KeeperCore, actor, failed, malformed},
    wire::{AccountLine, Answer, Browser, PersonProof, SessionView},
};
use argon2::{
    Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use aws_lc_rs::digest;
use catalog::{Account, AccountId, Session};
use device::Asked;
use domain::{
    Sensitive, UtcMicros,
    limit::{PASSWORD_CHARS_MAX, SESSION_SECONDS_MAX, SETUP_LINK_SECONDS_MAX},
};
use factor::{CODE_CHARS_MAX, Shown};
use ledger::{Actor, Event};
use policy::Role;
use std::{collections::BTreeSet, sync::PoisonError};
use vault::{KeeperError, keeper::SessionSecret};

/// What a person types to sign in.
const NAME_CHARS_MAX: usize = 64;

impl KeeperCore {
    /// The account behind a session's secret, if the session holds.
    pub(crate) fn who(&self, session: &SessionSecret) -> Result<(Account, [u8; 32]), KeeperError> {
        let (hash, idle) = (sha256(session.reveal()), self.parts.session_idle_seconds);
        let found = self.parts.registry.session_look(hash, self.stamp(), idle).map_err(failed)?;
        let found = found.filter(|(session, _)| self.session_counts(session));
        found.map(|(_, account)| (account, hash)).ok_or(KeeperError::NoSession)
    }

    /// The same where a person does something: the session is used, and locks later.
    pub(crate) fn who_acts(&self, session: &SessionSecret) -> Result<(Account, [u8; 32]), KeeperError> {
        let (hash, idle) = (sha256(session.reveal()), self.parts.session_idle_seconds);
        let used = self.parts.registry.session_use(hash, self.stamp(), idle).map_err(failed)?;
        let used = used.filter(|(session, _)| self.session_counts(session));
        used.map(|(_, account)| (account, hash)).ok_or(KeeperError::NoSession)
    }

    /// `acts`: a person moved, and the session locks later.
    pub(crate) fn session(&self, session: &SessionSecret, acts: bool) -> Result<SessionView, KeeperError> {
        let (hash, idle, now) = (sha256(session.reveal()), self.parts.session_idle_seconds, self.stamp());
        let registry = &self.parts.registry;
        let found = if acts { registry.session_use(hash, now, idle) } else { registry.session_look(hash, now, idle) };
        let found = found.map_err(failed)?.filter(|(session, _)| self.session_counts(session));
        let (session, account) = found.ok_or(KeeperError::NoSession)?;
        self.view(&account, &session)
    }

    pub(crate) fn sign_in(
        &self,
        name: &Sensitive<String>,
        password: &Sensitive<String>,
        code: &Sensitive<String>,
        browser: &Browser,
    ) -> Result<Answer, KeeperError> {
        let asks = Actor::Role { role: ledger::Role::Web };
        let (account, shown) = match self.prove(asks, name, password, Some(code), Asked::By(browser))? {
            Ok(proven) => proven,
            Err(wait_seconds) => return Ok(Answer::Denied { wait_seconds }),
        };
        let with = shown.map_or("password", Shown::words);
        self.begin_session(&account, with)
    }

    /// 1 entry, saying by which factors · 2 the session
    fn begin_session(&self, account: &Account, with: &str) -> Result<Answer, KeeperError> {
        let (secret, hash) = self.draw_secret();
        let now = self.stamp();
        self.enter_events(actor(account), vec![session_event(&format!("signed in with {with}"), &account.name)])?; // 1
        let expires = now.plus_seconds(SESSION_SECONDS_MAX);
        let session = self.parts.registry.session_start(hash, account.id, now, expires).map_err(failed)?; // 2
        let device = self.new_device(account.id)?;
        Ok(Answer::SignedIn { session: secret, view: self.view(account, &session)?, device })
    }

    /// The open account of that name and password, or how many seconds to wait: for the command line of the machine's own
    /// administrator, who says what time it is when no clock, and so no code, can be believed (K9).
    pub(crate) fn by_password(
        &self,
        asks: Actor,
        name: &Sensitive<String>,
        password: &Sensitive<String>,
    ) -> Result<Result<Account, u32>, KeeperError> {
        Ok(self.prove(asks, name, password, None, Asked::Within)?.map(|(account, _)| account))
    }

    /// The open account of that name, password and code, or how many seconds to wait: for an act of a person at the command
    /// line.
    pub(crate) fn by_both_factors(
        &self,
        asks: Actor,
        proof: &PersonProof,
    ) -> Result<Result<Account, u32>, KeeperError> {
        let proven = self.prove(asks, &proof.account, &proof.password, Some(&proof.code), Asked::Within)?;
        Ok(proven.map(|(account, _)| account))
    }

    /// The open account of that name, password and code, or how many seconds to wait. Whatever is wrong, the answer is the
    /// same after the same work of hashing.
    fn prove(
        &self,
        asks: Actor,
        name: &Sensitive<String>,
        password: &Sensitive<String>,
        code: Option<&Sensitive<String>>,
        asked: Asked<'_>,
    ) -> Result<Result<(Account, Option<Shown>), u32>, KeeperError> {
        let too_long = |text: &Sensitive<String>, chars_max| chars_max < text.reveal().chars().count();
        if too_long(name, NAME_CHARS_MAX)
            || too_long(password, PASSWORD_CHARS_MAX)
            || code.is_some_and(|code| too_long(code, CODE_CHARS_MAX))
        {
            return Ok(Err(0)); // no account has such; nothing is computed or kept
        }
        // one after the other, so that tries at the same moment count, too
        let _one_at_a_time = self.hashing.lock().unwrap_or_else(PoisonError::into_inner);
        let account = self.parts.registry.account_by_name(name.reveal()).map_err(failed)?;
        let account = account.filter(|account| !account.disabled);
        let (boot, measures) = (self.parts.clock.boot(), self.measures(name, account.as_ref(), asked)?);
        if let Some(wait_seconds) = measures.must_wait(&self.moving().throttle, boot) {
            return Ok(Err(wait_seconds));
        }
        let stored = account.as_ref().and_then(|account| account.password_hash.clone());
        let right = verify_password(password, stored.as_ref());
        let proven = match (account.filter(|_| right), code) {
            (None, _) => None,
            (Some(account), None) => Some((account, None)),
            (Some(account), Some(code)) => self.take_factor(account.id, code)?.map(|shown| (account, Some(shown))),
        };
        let Some(proven) = proven else {
            let wait_seconds = measures.note_failure(&mut self.moving().throttle, boot);
            self.enter_events(asks, vec![session_event("sign-in failed", name)])?;
            return Ok(Err(wait_seconds));
        };
        measures.forgive(&mut self.moving().throttle);
        Ok(Ok(proven))
    }

    pub(crate) fn sign_out(&self, session: &SessionSecret) -> Result<(), KeeperError> {
        let (account, hash) = self.who(session)?;
        self.parts.registry.session_end(hash, self.stamp()).map_err(failed)?;
        self.end_permits(hash);
        self.enter_events(actor(&account), vec![session_event("signed out", &account.name)]).map(|_| ())
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
        let with_factor = self.parts.registry.accounts_with_factor().map_err(failed)?;
        let bound = self.parts.registry.bindings().map_err(failed)?;
        let bound: BTreeSet<AccountId> = bound.into_iter().map(|binding| binding.account).collect();
        let mut teams = self.teams(self.decision_time())?;
        let listed = accounts.into_iter().map(|account| {
            let role = account.role.parse().map_err(failed)?;
            let ready = account.password_hash.is_some() && with_factor.contains(&account.id);
            let (teams, bound) = (teams.remove(&account.id).unwrap_or_default(), bound.contains(&account.id));
            Ok(AccountLine { name: account.name, role, closed: account.disabled, ready, teams, bound })
        });
        Ok(Answer::Accounts(listed.collect::<Result<_, KeeperError>>()?))
    }

    /// Whether nobody can sign in yet.
    pub(crate) fn setup_needed(&self) -> Result<bool, KeeperError> {
        let accounts = self.parts.registry.accounts().map_err(failed)?;
        let with_factor = self.parts.registry.accounts_with_factor().map_err(failed)?;
        Ok(accounts.iter().all(|account| account.password_hash.is_none() || !with_factor.contains(&account.id)))
    }

    fn view(&self, account: &Account, session: &Session) -> Result<SessionView, KeeperError> {
        let role = account.role.parse().map_err(failed)?;
        let locks = session.last_used.plus_seconds(self.parts.session_idle_seconds).min(session.expires_at);
        Ok(SessionView { account: account.id.0, name: account.name.clone(), role, expires: session.expires_at, locks })
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

fn session_event(change: &str, name: &Sensitive<String>) -> Event {
    Event::Session { change: change.into(), name: name.clone() }
}

fn sha256(text: &str) -> [u8; 32] {
    digest_of(&[text.as_bytes()])
}

fn digest_of(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = digest::Context::new(&digest::SHA256);
    parts.iter().for_each(|part| context.update(part));
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}
