//! What an administrator confirms, in two steps: the provider's keys, and whose identity there belongs to which account.
//! Neither is ever made by a sign-in. Both are sealed: a registry that was edited opens nothing (K13).

use super::{
    super::digest_of,
    keys::{Keys, short},
};
use crate::{
    core::{KeeperCore, failed, malformed},
    wire::{
        Answer,
        oidc::{OidcAnswer, OidcControl},
    },
};
use catalog::{Account, AccountId};
use domain::{Sensitive, limit::OIDC_SUBJECT_CHARS_MAX};
use ledger::{Actor, Event};
use vault::KeeperError;

impl KeeperCore {
    pub(crate) fn oidc_control(&self, by: Actor, control: &OidcControl) -> Result<Answer, KeeperError> {
        let answer = match control {
            OidcControl::Keys { jwks } => self.provider_keys(by, jwks, None)?,
            OidcControl::KeysConfirm { jwks, code } => self.provider_keys(by, jwks, Some(code))?,
            OidcControl::Bind { name, issuer, subject } => self.bind(by, name, issuer, subject, None)?,
            OidcControl::BindConfirm { name, issuer, subject, code } => {
                self.bind(by, name, issuer, subject, Some(code))?
            }
            OidcControl::Unbind { name } => self.unbind(by, name)?,
        };
        Ok(Answer::Oidc(Box::new(answer)))
    }

    /// Without `code`: shows. With it: 1 it is what was shown · 2 entry · 3 the registry has them.
    fn provider_keys(&self, by: Actor, jwks: &str, code: Option<&String>) -> Result<OidcAnswer, KeeperError> {
        let issuer = &self.oidc.settings.as_ref().ok_or_else(off)?.issuer;
        let (keys, before) = (Keys::read(jwks)?, self.confirmed_keys(issuer)?);
        let expected = keys.code(issuer, before.as_ref());
        let Some(code) = code else {
            return Ok(OidcAnswer::Keys { keys: keys.against(before.as_ref()), code: expected });
        };
        if *code != expected {
            return Ok(OidcAnswer::OtherCode);
        } // 1
        let prints: Vec<&str> = keys.thumbprints().into_iter().collect();
        let what = format!("keys of the provider {issuer} confirmed: {}", prints.join(", "));
        self.enter_events(by, vec![Event::Config { what }])?; // 2
        let sealed = self.seal_bytes(keys_of(issuer), keys.to_jwks().as_bytes())?;
        self.parts.registry.provider_keys_set(issuer, &sealed, self.stamp()).map_err(failed)?; // 3
        Ok(OidcAnswer::Done)
    }

    /// Without `code`: shows. With it: 1 it is what was shown · 2 entry · 3 the registry has it.
    fn bind(
        &self,
        by: Actor,
        name: &Sensitive<String>,
        issuer: &str,
        subject: &Sensitive<String>,
        code: Option<&String>,
    ) -> Result<OidcAnswer, KeeperError> {
        let settings = self.oidc.settings.as_ref().ok_or_else(off)?;
        if issuer != settings.issuer {
            return Err(malformed("the issuer is not that of `oidc.issuer`: tokens of another one are not taken"));
        }
        if !(1..=OIDC_SUBJECT_CHARS_MAX).contains(&subject.reveal().chars().count()) {
            return Err(malformed(format!("a subject has 1 to {OIDC_SUBJECT_CHARS_MAX} characters")));
        }
        let account = self.open_account(name)?;
        let before = self.identity_of(account.id)?;
        if self.account_of_identity(issuer, subject)?.is_some_and(|other| other.id != account.id) {
            return Err(malformed("this identity belongs to another account: `vigie account unbind` frees it"));
        }
        let known = before.as_ref().map(|known| known.reveal().as_bytes()).unwrap_or_default();
        let parts = [b"vigie identity v1\n", &account.id.0[..], &of(issuer, subject), b"\n", known];
        let expected = short(&digest_of(&parts));
        let Some(code) = code else {
            let role = account.role.parse().map_err(failed)?;
            return Ok(OidcAnswer::Bind { role, had_another: before.is_some(), code: expected });
        };
        if *code != expected {
            return Ok(OidcAnswer::OtherCode);
        } // 1
        self.enter_events(by, vec![change(&account, "bound to an identity of the provider")])?; // 2
        let sealed = self.seal_bytes(identity_of(account.id), &of(issuer, subject))?;
        self.parts.registry.binding_set(account.id, &sealed, self.stamp()).map_err(failed)?; // 3
        Ok(OidcAnswer::Done)
    }

    /// Ends the account's sessions too: some may have begun by the identity.
    fn unbind(&self, by: Actor, name: &Sensitive<String>) -> Result<OidcAnswer, KeeperError> {
        let account = self.parts.registry.account_by_name(name.reveal()).map_err(failed)?.ok_or_else(no_account)?;
        self.enter_events(by, vec![change(&account, "unbound from its identity of the provider")])?;
        if !self.parts.registry.binding_remove(account.id).map_err(failed)? {
            return Err(malformed("this account has no identity of a provider"));
        }
        self.parts.registry.sessions_end(account.id, self.stamp()).map_err(failed)?;
        self.end_permits_of(account.id);
        Ok(OidcAnswer::Done)
    }

    /// The provider's keys as they were confirmed last; none are made up.
    pub(super) fn confirmed_keys(&self, issuer: &str) -> Result<Option<Keys>, KeeperError> {
        let Some(sealed) = self.parts.registry.provider_keys(issuer).map_err(failed)? else { return Ok(None) };
        let plain = self.unseal_bytes(keys_of(issuer), &sealed)?;
        Keys::read(std::str::from_utf8(&plain).map_err(failed)?).map(Some)
    }

    /// A row that does not open under its own account is nobody's.
    pub(super) fn account_of_identity(
        &self,
        issuer: &str,
        subject: &Sensitive<String>,
    ) -> Result<Option<Account>, KeeperError> {
        let wanted = of(issuer, subject);
        for row in self.parts.registry.bindings().map_err(failed)? {
            match self.unseal_bytes(identity_of(row.account), row.sealed.reveal()) {
                Ok(identity) if *identity == wanted => return self.parts.registry.account(row.account).map_err(failed),
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "an identity of the registry does not open: bind it anew"),
            }
        }
        Ok(None)
    }

    fn identity_of(&self, account: AccountId) -> Result<Option<Sensitive<String>>, KeeperError> {
        let rows = self.parts.registry.bindings().map_err(failed)?;
        let Some(row) = rows.into_iter().find(|row| row.account == account) else { return Ok(None) };
        let plain = self.unseal_bytes(identity_of(account), row.sealed.reveal());
        // one that does not open is replaced as if it were another one
        Ok(Some(Sensitive::new(
            plain.ok().and_then(|plain| String::from_utf8(plain.to_vec()).ok()).unwrap_or_default(),
        )))
    }

    fn open_account(&self, name: &Sensitive<String>) -> Result<Account, KeeperError> {
        let account = self.parts.registry.account_by_name(name.reveal()).map_err(failed)?.ok_or_else(no_account)?;
        if account.disabled { Err(malformed("this account is closed: it signs nobody in")) } else { Ok(account) }
    }
}

fn change(account: &Account, change: &str) -> Event {
    Event::Account { change: change.into(), name: account.name.clone(), role: account.role.clone() }
}

/// An issuer is an address, so no line of it ends.
fn of(issuer: &str, subject: &Sensitive<String>) -> Vec<u8> {
    [issuer.as_bytes(), b"\n", subject.reveal().as_bytes()].concat()
}

fn keys_of(issuer: &str) -> Vec<u8> {
    [b"vigie provider keys v1\n", issuer.as_bytes()].concat()
}

fn identity_of(account: AccountId) -> Vec<u8> {
    [&b"vigie identity v1\n"[..], &account.0].concat()
}

fn off() -> KeeperError {
    malformed(
        "no provider is set: write `oidc.issuer` and `oidc.client_id` into the configuration and start Vigie again",
    )
}

fn no_account() -> KeeperError {
    malformed("no account has that name: `vigie account list` names them")
}
