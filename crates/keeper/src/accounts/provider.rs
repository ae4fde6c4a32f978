//! Sign-in by a provider (OpenID Connect, code and PKCE): state, nonce and verifier are made here, the ID token is verified
//! here, against keys that an administrator confirmed. Web carries, and cannot sign in as anybody (P3).

mod bind;
mod keys;
mod token;

use super::{ceremonies::Ceremonies, factor::CODE_CHARS_MAX, session_event, sha256, throttle::FREE_TRIES};
use crate::{
    core::{KeeperCore, failed},
    wire::{
        Answer,
        oidc::{OidcAnswer, OidcQuestion, OidcRefusal},
    },
};
use catalog::Account;
use domain::{Sensitive, UtcMicros, limit::OIDC_FLOW_SECONDS_MAX};
use ledger::Actor;
use openidconnect::{PkceCodeChallenge, PkceCodeVerifier, core::CoreJsonWebKeySet};
use std::sync::PoisonError;
use token::{Expected, Identified, verify};
use vault::KeeperError;

/// What the town has agreed with its provider.
#[derive(Clone, Debug)]
pub struct OidcSettings {
    /// Exactly as the provider's tokens name it.
    pub issuer: String,
    pub client_id: String,
    pub secret: Option<Sensitive<String>>,
    /// Values of `acr` and of `amr` that the town takes for two factors; of none, everybody gives the account's own code.
    pub acr: Vec<String>,
    pub amr: Vec<String>,
}

/// Sign-ins under way, by the digest of the secret that goes on with them. They die with their process.
pub(crate) struct Flows {
    settings: Option<OidcSettings>,
    open: Ceremonies<[u8; 32], Stage>,
}

/// How far a sign-in is; each stage has a secret of its own.
enum Stage {
    /// The browser is at the provider.
    Asked { binding: [u8; 32], nonce: Sensitive<String>, verifier: Sensitive<String>, begun: UtcMicros },
    /// Web redeems the code.
    Redeeming { nonce: Sensitive<String>, begun: UtcMicros },
    /// The person is known by one factor.
    Known { account: catalog::AccountId },
}

impl Flows {
    pub fn of(settings: Option<OidcSettings>) -> Flows {
        Flows { settings, open: Ceremonies::default() }
    }
}

/// An answer, or why nobody is signed in.
type OrRefused = Result<Result<OidcAnswer, OidcRefusal>, KeeperError>;

impl KeeperCore {
    pub(crate) fn oidc(&self, question: &OidcQuestion) -> Result<Answer, KeeperError> {
        let answered = match question {
            OidcQuestion::Begin { place } => self.oidc_begin(*place)?,
            OidcQuestion::Code { state, binding } => self.oidc_code(state, binding)?,
            OidcQuestion::SignIn { ticket, id_token } => self.oidc_sign_in(ticket, id_token)?,
            OidcQuestion::SecondFactor { ticket, code } => self.oidc_second_factor(ticket, code)?,
        };
        Ok(Answer::Oidc(Box::new(answered.unwrap_or_else(OidcAnswer::Refused))))
    }

    fn oidc_begin(&self, place: [u8; 16]) -> OrRefused {
        let Some(settings) = &self.oidc.settings else { return Ok(Err(OidcRefusal::Off)) };
        if self.confirmed_keys(&settings.issuer)?.is_none() {
            return Ok(Err(OidcRefusal::Keys)); // nobody is sent there for nothing
        }
        let [(state, hash), (binding, bound), (nonce, _), (verifier, _)] = std::array::from_fn(|_| self.draw_secret());
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(verifier.reveal().clone()));
        let answer =
            OidcAnswer::Begun { state, binding, nonce: nonce.clone(), challenge: challenge.as_str().to_owned() };
        self.flow_goes_on(place, hash, Stage::Asked { binding: bound, nonce, verifier, begun: self.code_time() });
        Ok(Ok(answer))
    }

    /// A state is taken once, whoever brings it.
    fn oidc_code(&self, state: &Sensitive<String>, binding: &Sensitive<String>) -> OrRefused {
        let Some(settings) = &self.oidc.settings else { return Ok(Err(OidcRefusal::Off)) };
        let bound = sha256(binding.reveal());
        match self.flow_taken(state) {
            Some((place, Stage::Asked { binding, nonce, verifier, begun })) if binding == bound => {
                let (ticket, hash) = self.draw_secret();
                self.flow_goes_on(place, hash, Stage::Redeeming { nonce, begun });
                Ok(Ok(OidcAnswer::Exchange { verifier, secret: settings.secret.clone(), ticket }))
            }
            _ => Ok(Err(OidcRefusal::State)),
        }
    }

    /// 1 the token is the provider's word about this sign-in · 2 whose account it is · 3 the account is open and the person
    /// habilitated · 4 the session, or the wait for the account's own code
    fn oidc_sign_in(&self, ticket: &Sensitive<String>, id_token: &Sensitive<String>) -> OrRefused {
        let Some(settings) = &self.oidc.settings else { return Ok(Err(OidcRefusal::Off)) };
        let Some((place, Stage::Redeeming { nonce, begun })) = self.flow_taken(ticket) else {
            return Ok(Err(OidcRefusal::State));
        };
        let Some(keys) = self.confirmed_keys(&settings.issuer)? else { return Ok(Err(OidcRefusal::Keys)) };
        let keys: CoreJsonWebKeySet = serde_json::from_str(&keys.to_jwks()).map_err(failed)?;
        let OidcSettings { issuer, client_id, acr, amr, .. } = settings;
        let expected = Expected { issuer, client_id, nonce: &nonce, begun, acr, amr };
        let Identified { subject, by_two_factors } = match verify(id_token, keys, &expected, self.code_time()) {
            Ok(identified) => identified,
            Err(refusal) => return self.oidc_refused(None, refusal),
        }; // 1
        let account = match self.account_of_identity(issuer, &subject)? {
            Some(account) => account,
            None => {
                self.oidc_failed(None, "the identity belongs to no account")?;
                return Ok(Ok(OidcAnswer::NotBound { subject }));
            }
        }; // 2
        if let Some(refusal) = self.kept_out(&account) {
            return self.oidc_refused(Some(&account), refusal);
        } // 3
        if by_two_factors {
            return self.oidc_signed_in(&account, "the provider, by two factors");
        }
        let (ticket, hash) = self.draw_secret();
        self.flow_goes_on(place, hash, Stage::Known { account: account.id });
        Ok(Ok(OidcAnswer::NeedsCode { ticket })) // 4
    }

    /// The ticket serves until a code is right: people mistype. What was true at the provider's word is looked up again.
    fn oidc_second_factor(&self, ticket: &Sensitive<String>, code: &Sensitive<String>) -> OrRefused {
        let hash = sha256(ticket.reveal());
        let known = |stage: &Stage| if let Stage::Known { account } = stage { Some(*account) } else { None };
        let Some(known) = self.oidc.open.look(self.parts.clock.boot(), &hash, known).flatten() else {
            return Ok(Err(OidcRefusal::State));
        };
        if CODE_CHARS_MAX < code.reveal().chars().count() {
            return Ok(Ok(OidcAnswer::WrongCode { wait_seconds: 0 }));
        }
        let _one_at_a_time = self.hashing.lock().unwrap_or_else(PoisonError::into_inner);
        let account = self.parts.registry.account(known).map_err(failed)?;
        let Some(account) = account else { return Ok(Err(OidcRefusal::Closed)) };
        if let Some(refusal) = self.kept_out(&account) {
            return self.oidc_refused(Some(&account), refusal);
        }
        let (tries, boot) = (sha256(&format!("provider {known}")), self.parts.clock.boot());
        if let Some(wait_seconds) = self.moving().throttle.must_wait(&tries, boot) {
            return Ok(Ok(OidcAnswer::WrongCode { wait_seconds }));
        }
        if self.take_factor(known, code)?.is_none() {
            let wait_seconds = self.moving().throttle.note_failure(tries, FREE_TRIES, boot);
            let event = session_event("sign-in by the provider: wrong code", &account.name);
            self.enter_events(Actor::Role { role: ledger::Role::Web }, vec![event])?;
            return Ok(Ok(OidcAnswer::WrongCode { wait_seconds }));
        }
        self.moving().throttle.forgive(&tries);
        if self.flow_taken(ticket).is_none() {
            return Ok(Err(OidcRefusal::State)); // its time ended meanwhile
        }
        self.oidc_signed_in(&account, "the provider and a code")
    }

    /// Why this account's person is not signed in, if so.
    fn kept_out(&self, account: &Account) -> Option<OidcRefusal> {
        if account.disabled {
            return Some(OidcRefusal::Closed);
        }
        (!self.may_still_look(account, self.stamp())).then_some(OidcRefusal::NotHabilitated)
    }

    fn oidc_signed_in(&self, account: &Account, with: &str) -> OrRefused {
        match self.begin_session(account, with)? {
            Answer::SignedIn { session, view, device } => Ok(Ok(OidcAnswer::SignedIn { session, view, device })),
            _ => Err(failed("a session that began is answered otherwise")),
        }
    }

    /// Nobody's identity stands in the ledger: a stranger has none here.
    fn oidc_refused(&self, account: Option<&Account>, refusal: OidcRefusal) -> OrRefused {
        let why = match refusal {
            OidcRefusal::Off | OidcRefusal::State => "it did not begin here",
            OidcRefusal::Keys => "its token is signed with a key that was not confirmed",
            OidcRefusal::Token(fault) => fault.words(),
            OidcRefusal::Closed => "the account is closed",
            OidcRefusal::NotHabilitated => "no habilitation holds",
        };
        self.oidc_failed(account, why)?;
        Ok(Err(refusal))
    }

    fn oidc_failed(&self, account: Option<&Account>, why: &str) -> Result<(), KeeperError> {
        let nobody = Sensitive::new("-".to_owned());
        let name = account.map_or(&nobody, |account| &account.name);
        let event = session_event(&format!("sign-in by the provider refused: {why}"), name);
        self.enter_events(Actor::Role { role: ledger::Role::Web }, vec![event]).map(|_| ())
    }

    fn flow_goes_on(&self, place: [u8; 16], hash: [u8; 32], stage: Stage) {
        self.oidc.open.begin(self.parts.clock.boot(), OIDC_FLOW_SECONDS_MAX, place, hash, stage);
    }

    /// Each secret goes on once. With the place where the sign-in began.
    fn flow_taken(&self, secret: &Sensitive<String>) -> Option<([u8; 16], Stage)> {
        self.oidc.open.take(self.parts.clock.boot(), &sha256(secret.reveal()))
    }
}
