//! Passkeys: the ceremonies of WebAuthn are begun and verified here; web and the page only carry JSON (P3).
//!
//! The authenticator must verify its user (a finger, a PIN), so that one passkey is both factors.

use super::{Throttle, ceremonies::Ceremonies, device::Asked, sha256, throttle::FREE_TRIES};
use crate::{
    core::{KeeperCore, actor, failed, malformed},
    wire::{Answer, PasskeyLine},
};
use catalog::{Account, AccountId};
use domain::{
    Sensitive,
    limit::{CEREMONY_SECONDS_MAX, PASSKEY_LABEL_CHARS_MAX, PASSKEYS_MAX},
};
use ledger::{Actor, Event};
use vault::{KeeperError, keeper::SessionSecret};
use webauthn_rs::prelude::{
    CredentialID, DiscoverableAuthentication, DiscoverableKey, Passkey, PasskeyRegistration, PublicKeyCredential,
    RegisterPublicKeyCredential, Url, Uuid, Webauthn, WebauthnBuilder,
};
use webauthn_rs_proto::ResidentKeyRequirement;

/// The rules of this site's address, and the ceremonies that are under way. A ceremony dies with its process.
pub(crate) struct Passkeys {
    /// `None` where the address of the console is no name that a passkey can be bound to, such as an IP address.
    rules: Option<Webauthn>,
    open: Ceremonies<[u8; 16], Ceremony>,
}

enum Ceremony {
    Add { session: [u8; 32], account: AccountId, state: Box<PasskeyRegistration> },
    SignIn(Box<DiscoverableAuthentication>),
}

impl Passkeys {
    /// For a console at this address, as browsers name it.
    pub fn of(address: &str, site: &str) -> Passkeys {
        let rules = Url::parse(address).ok().and_then(|origin| {
            let host = origin.domain()?.to_owned();
            WebauthnBuilder::new(&host, &origin).ok()?.rp_name(site).build().ok()
        });
        Passkeys { rules, open: Ceremonies::default() }
    }

    fn rules(&self) -> Result<&Webauthn, KeeperError> {
        let no_name =
            "passkeys are bound to a name: open the console by the name in `web.address`, not by an IP address";
        self.rules.as_ref().ok_or_else(|| malformed(no_name))
    }
}

impl KeeperCore {
    /// Begins to add a passkey to one's own account: with password and code anew, for a desk may have been left alone.
    pub(crate) fn passkey_begin(
        &self,
        session: &SessionSecret,
        password: &Sensitive<String>,
        code: &Sensitive<String>,
    ) -> Result<Answer, KeeperError> {
        let (account, session) = self.who(session)?;
        let rules = self.passkeys.rules()?;
        if let Err(wait_seconds) = self.prove(actor(&account), &account.name, password, Some(code), Asked::Within)? {
            return Ok(Answer::Denied { wait_seconds });
        }
        let known = self.parts.registry.passkeys(account.id).map_err(failed)?;
        if PASSKEYS_MAX <= known.len() {
            return Err(malformed(format!("an account has at most {PASSKEYS_MAX} passkeys: remove one")));
        }
        let known = known.into_iter().map(|passkey| CredentialID::from(passkey.credential)).collect();
        let (user, name) = (Uuid::from_bytes(account.id.0), account.name.reveal());
        let (mut options, state) =
            rules.start_passkey_registration(user, name, name, Some(known)).map_err(|_| not_taken())?;
        // the authenticator must know by itself whose it is: nobody types a name to sign in
        if let Some(selection) = &mut options.public_key.authenticator_selection {
            selection.require_resident_key = true;
            selection.resident_key = Some(ResidentKeyRequirement::Required);
        }
        // a person's own ceremonies count by themselves
        self.begun(account.id.0, &options, Ceremony::Add { session, account: account.id, state: Box::new(state) })
    }

    /// 1 the ceremony is this session's and verifies · 2 entry · 3 the registry has it
    pub(crate) fn passkey_add(
        &self,
        session: &SessionSecret,
        ceremony: [u8; 16],
        label: &Sensitive<String>,
        credential: &Sensitive<String>,
    ) -> Result<Answer, KeeperError> {
        let (account, session) = self.who(session)?;
        if !(1..=PASSKEY_LABEL_CHARS_MAX).contains(&label.reveal().trim().chars().count()) {
            return Err(malformed(format!("a passkey's name has 1 to {PASSKEY_LABEL_CHARS_MAX} characters")));
        }
        let state = match self.take_ceremony(ceremony) {
            Some(Ceremony::Add { session: of, account: id, state }) if of == session && id == account.id => state,
            _ => return Ok(Answer::Denied { wait_seconds: 0 }),
        };
        let credential: RegisterPublicKeyCredential =
            serde_json::from_str(credential.reveal()).map_err(|_| not_taken())?;
        let Ok(passkey) = self.passkeys.rules()?.finish_passkey_registration(&credential, &state) else {
            return Ok(Answer::Denied { wait_seconds: 0 });
        }; // 1
        self.enter_events(actor(&account), vec![account_event(&account, "passkey added")])?; // 2
        let row = catalog::Passkey {
            credential: passkey.cred_id().to_vec(),
            account: account.id,
            label: Sensitive::new(label.reveal().trim().to_owned()),
            data: serde_json::to_string(&passkey).map_err(failed)?,
            added: self.stamp(),
            last_used: None,
        };
        let added = self.parts.registry.passkey_add(&row).map_err(failed)?; // 3
        Ok(if added { Answer::Done } else { Answer::Denied { wait_seconds: 0 } })
    }

    pub(crate) fn passkey_list(&self, session: &SessionSecret) -> Result<Answer, KeeperError> {
        let (account, _) = self.who(session)?;
        let rows = self.parts.registry.passkeys(account.id).map_err(failed)?;
        let line = |row: catalog::Passkey| PasskeyLine {
            id: sha256_of(&row.credential),
            label: row.label,
            added: row.added,
            last_used: row.last_used,
        };
        Ok(Answer::Passkeys(rows.into_iter().map(line).collect()))
    }

    pub(crate) fn passkey_remove(&self, session: &SessionSecret, id: [u8; 32]) -> Result<Answer, KeeperError> {
        let (account, _) = self.who(session)?;
        let rows = self.parts.registry.passkeys(account.id).map_err(failed)?;
        let Some(row) = rows.into_iter().find(|row| sha256_of(&row.credential) == id) else {
            return Err(malformed("this account has no such passkey: load the page again"));
        };
        self.enter_events(actor(&account), vec![account_event(&account, "passkey removed")])?;
        self.parts.registry.passkey_remove(account.id, &row.credential).map_err(failed)?;
        Ok(Answer::Done)
    }

    /// A challenge for whoever stands before the sign-in page.
    pub(crate) fn passkey_ask(&self, place: [u8; 16]) -> Result<Answer, KeeperError> {
        let (mut options, state) =
            self.passkeys.rules()?.start_discoverable_authentication().map_err(|_| not_taken())?;
        options.mediation = None; // by a button, not by the browser's own idea
        self.begun(place, &options, Ceremony::SignIn(Box::new(state)))
    }

    /// 1 whose passkey it is · 2 it verifies, with its user verified · 3 its counter is kept · 4 the session. Whatever is
    /// wrong, the answer is the same.
    pub(crate) fn passkey_sign_in(
        &self,
        ceremony: [u8; 16],
        credential: &Sensitive<String>,
    ) -> Result<Answer, KeeperError> {
        let denied = Ok(Answer::Denied { wait_seconds: 0 });
        let Some(Ceremony::SignIn(state)) = self.take_ceremony(ceremony) else { return denied };
        let Ok(credential) = serde_json::from_str::<PublicKeyCredential>(credential.reveal()) else { return denied };
        let rules = self.passkeys.rules()?;
        let Ok((user, _)) = rules.identify_discoverable_authentication(&credential) else { return denied };
        let account = self.parts.registry.account(AccountId(*user.as_bytes())).map_err(failed)?;
        let Some(account) = account.filter(|account| !account.disabled) else { return denied }; // 1
        let (tries, boot) = (sha256(&format!("passkey {}", account.id)), self.parts.clock.boot());
        if let Some(wait_seconds) = self.throttle(|throttle| throttle.must_wait(&tries, boot)) {
            return Ok(Answer::Denied { wait_seconds });
        }
        let rows = self.parts.registry.passkeys(account.id).map_err(failed)?;
        let row = rows.into_iter().find(|row| row.credential == *credential.raw_id);
        let passkey = row.and_then(|row| serde_json::from_str::<Passkey>(&row.data).ok());
        let verify = |mut passkey: Passkey| {
            let key = DiscoverableKey::from(&passkey);
            let result = rules.finish_discoverable_authentication_v2(&credential, *state, &key).ok()?;
            passkey.update_credential(&result);
            result.user_verified().then_some(passkey)
        };
        let Some(passkey) = passkey.and_then(verify) else {
            let wait_seconds = self.throttle(|throttle| throttle.note_failure(tries, FREE_TRIES, boot));
            let web = Actor::Role { role: ledger::Role::Web };
            self.enter_events(web, vec![super::session_event("sign-in by passkey failed", &account.name)])?;
            return Ok(Answer::Denied { wait_seconds });
        }; // 2
        self.throttle(|throttle| throttle.forgive(&tries));
        let data = serde_json::to_string(&passkey).map_err(failed)?;
        self.parts.registry.passkey_used(passkey.cred_id(), &data, self.stamp()).map_err(failed)?; // 3
        self.begin_session(&account, "passkey, its user verified") // 4
    }

    fn begun(
        &self,
        place: [u8; 16],
        options: &impl serde::Serialize,
        ceremony: Ceremony,
    ) -> Result<Answer, KeeperError> {
        let options = Sensitive::new(serde_json::to_string(options).map_err(failed)?);
        let mut id = [0; 16];
        self.parts.random.fill(&mut id);
        self.passkeys.open.begin(self.parts.clock.boot(), CEREMONY_SECONDS_MAX, place, id, ceremony);
        Ok(Answer::Ceremony { id, options })
    }

    /// Each is taken once.
    fn take_ceremony(&self, id: [u8; 16]) -> Option<Ceremony> {
        self.passkeys.open.take(self.parts.clock.boot(), &id).map(|(_, ceremony)| ceremony)
    }

    fn throttle<T>(&self, work: impl FnOnce(&mut Throttle) -> T) -> T {
        work(&mut self.moving().throttle)
    }
}

fn account_event(account: &Account, change: &str) -> Event {
    Event::Account { change: change.into(), name: account.name.clone(), role: account.role.clone() }
}

fn sha256_of(bytes: &[u8]) -> [u8; 32] {
    super::digest_of(&[bytes])
}

/// The library's own words may repeat what a page sent.
fn not_taken() -> KeeperError {
    malformed("the browser's word about the passkey cannot be read: load the page again")
}
