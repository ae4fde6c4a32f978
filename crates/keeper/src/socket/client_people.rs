//! What web asks the keeper about a person's own account: passkeys.

use super::client::{KeeperClient, unexpected};
use crate::wire::{Answer, PasskeyLine, Question, SessionView};
use domain::Sensitive;
use vault::{KeeperError, keeper::SessionSecret};

/// Denied: come back after so many seconds.
type OrWait<T> = Result<Result<T, u32>, KeeperError>;

impl KeeperClient {
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
    pub fn passkey_ask(&self) -> OrWait<([u8; 16], Sensitive<String>)> {
        self.ceremony(&Question::PasskeyAsk)
    }

    pub fn passkey_sign_in(
        &self,
        ceremony: [u8; 16],
        credential: Sensitive<String>,
    ) -> OrWait<(SessionSecret, SessionView)> {
        match self.ask(&Question::PasskeySignIn { ceremony, credential })? {
            Answer::SignedIn { session, view } => Ok(Ok((session, view))),
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
