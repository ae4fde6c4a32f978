//! What web asks the keeper about persons: signing in, sessions, what still holds, passkeys, reviews.

use super::client::{KeeperClient, unexpected};
use crate::review::words::{ReviewAsk, Reviewed, TracePage};
use crate::wire::{
    Answer, Browser, Continued, PasskeyLine, Question, ReasonView, SessionView,
    oidc::{OidcAnswer, OidcQuestion},
};
use domain::{CameraId, Sensitive, Span};
use vault::{
    KeeperError,
    keeper::{Permit, SessionSecret, View},
};

/// Denied: come back after so many seconds.
type OrWait<T> = Result<Result<T, u32>, KeeperError>;

/// A session that began.
#[derive(Clone, Debug)]
pub struct SignedIn {
    pub session: SessionSecret,
    pub view: SessionView,
    pub device: Sensitive<String>,
}

impl KeeperClient {
    pub fn sign_in(
        &self,
        name: Sensitive<String>,
        password: Sensitive<String>,
        code: Sensitive<String>,
        browser: Browser,
    ) -> OrWait<SignedIn> {
        self.begins(&Question::SignIn { name, password, code, browser })
    }

    pub fn session(&self, session: &SessionSecret) -> Result<SessionView, KeeperError> {
        self.look(session, false)
    }

    /// A person moved: the session locks later.
    pub fn session_acts(&self, session: &SessionSecret) -> Result<SessionView, KeeperError> {
        self.look(session, true)
    }

    /// Which of these permits still hold.
    pub fn alive(&self, permits: Vec<Permit>) -> Result<Vec<bool>, KeeperError> {
        match self.ask(&Question::Alive { permits })? {
            Answer::Alive(alive) => Ok(alive),
            other => Err(unexpected(&other)),
        }
    }

    /// A look under the reason that holds.
    pub fn continue_look(
        &self,
        session: &SessionSecret,
        view: View,
        cameras: Vec<CameraId>,
    ) -> Result<Continued, KeeperError> {
        match self.ask(&Question::ContinueLook { session: session.clone(), view, cameras })? {
            Answer::Continued(what) => Ok(*what),
            other => Err(unexpected(&other)),
        }
    }

    /// The session's own reasons.
    pub fn reason(&self, session: &SessionSecret) -> Result<ReasonView, KeeperError> {
        match self.ask(&Question::Reason { session: session.clone() })? {
            Answer::Reason(view) => Ok(view),
            other => Err(unexpected(&other)),
        }
    }

    pub fn end_reason(&self, session: &SessionSecret) -> Result<(), KeeperError> {
        match self.ask(&Question::EndReason { session: session.clone() })? {
            Answer::Done => Ok(()),
            other => Err(unexpected(&other)),
        }
    }

    /// The ceremony's number and the browser's options.
    pub fn passkey_begin(
        &self,
        session: SessionSecret,
        password: Sensitive<String>,
        code: Sensitive<String>,
    ) -> OrWait<([u8; 16], Sensitive<String>)> {
        self.ceremony(&Question::PasskeyBegin { session, password, code })
    }

    /// `false`: the passkey is not taken.
    pub fn passkey_add(
        &self,
        session: SessionSecret,
        ceremony: [u8; 16],
        label: Sensitive<String>,
        credential: Sensitive<String>,
    ) -> Result<bool, KeeperError> {
        match self.ask(&Question::PasskeyAdd { session, ceremony, label, credential })? {
            Answer::Done => Ok(true),
            Answer::Denied { .. } => Ok(false),
            other => Err(unexpected(&other)),
        }
    }

    pub fn passkeys(&self, session: SessionSecret) -> Result<Vec<PasskeyLine>, KeeperError> {
        match self.ask(&Question::PasskeyList { session })? {
            Answer::Passkeys(lines) => Ok(lines),
            other => Err(unexpected(&other)),
        }
    }

    pub fn passkey_remove(&self, session: SessionSecret, id: [u8; 32]) -> Result<(), KeeperError> {
        match self.ask(&Question::PasskeyRemove { session, id })? {
            Answer::Done => Ok(()),
            other => Err(unexpected(&other)),
        }
    }

    /// To sign in: the ceremony's number and the browser's options.
    pub fn passkey_ask(&self, place: [u8; 16]) -> OrWait<([u8; 16], Sensitive<String>)> {
        self.ceremony(&Question::PasskeyAsk { place })
    }

    pub fn passkey_sign_in(&self, ceremony: [u8; 16], credential: Sensitive<String>) -> OrWait<SignedIn> {
        self.begins(&Question::PasskeySignIn { ceremony, credential })
    }

    /// A step of a sign-in by the provider.
    pub fn oidc(&self, question: OidcQuestion) -> Result<OidcAnswer, KeeperError> {
        match self.ask(&Question::Oidc(question))? {
            Answer::Oidc(answer) => Ok(*answer),
            other => Err(unexpected(&other)),
        }
    }

    pub fn review(&self, ask: ReviewAsk) -> Result<Reviewed, KeeperError> {
        match self.ask(&Question::Review(Box::new(ask)))? {
            Answer::Reviewed(told) => Ok(*told),
            other => Err(unexpected(&other)),
        }
    }

    pub fn own_trace(&self, session: SessionSecret, span: Span, before: Option<u64>) -> Result<TracePage, KeeperError> {
        match self.ask(&Question::OwnTrace { session, span, before })? {
            Answer::OwnTrace(page) => Ok(*page),
            other => Err(unexpected(&other)),
        }
    }

    fn look(&self, session: &SessionSecret, acts: bool) -> Result<SessionView, KeeperError> {
        match self.ask(&Question::Session { session: session.clone(), acts })? {
            Answer::Session(view) => Ok(view),
            other => Err(unexpected(&other)),
        }
    }

    fn begins(&self, question: &Question) -> OrWait<SignedIn> {
        match self.ask(question)? {
            Answer::SignedIn { session, view, device } => Ok(Ok(SignedIn { session, view, device })),
            Answer::Denied { wait_seconds } => Ok(Err(wait_seconds)),
            other => Err(unexpected(&other)),
        }
    }

    fn ceremony(&self, question: &Question) -> OrWait<([u8; 16], Sensitive<String>)> {
        match self.ask(question)? {
            Answer::Ceremony { id, options } => Ok(Ok((id, options))),
            Answer::Denied { wait_seconds } => Ok(Err(wait_seconds)),
            other => Err(unexpected(&other)),
        }
    }
}
