//! Sign-in by a provider (OpenID Connect), as web and the command line ask for it. Web carries what it is given and decides
//! nothing: the keeper makes state, nonce and verifier, and verifies the ID token.

use super::SessionView;
use domain::Sensitive;
use serde::{Deserialize, Serialize};
use vault::keeper::SessionSecret;

/// What web asks.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum OidcQuestion {
    /// Somebody at this place wants to sign in by the provider.
    Begin { place: [u8; 16] },
    /// The provider sent a browser back with this state; `binding` is what the browser got when it began.
    Code { state: Sensitive<String>, binding: Sensitive<String> },
    /// The provider's answer to the code.
    SignIn { ticket: Sensitive<String>, id_token: Sensitive<String> },
    /// A code of the account's own second factor, where the provider's word was for one factor only.
    SecondFactor { ticket: Sensitive<String>, code: Sensitive<String> },
}

/// What the command line asks.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum OidcControl {
    /// What would change if these were the provider's keys (RFC 7517, as the provider publishes them).
    Keys { jwks: String },
    /// They are, from here on; `code` is what was shown.
    KeysConfirm { jwks: String, code: String },
    /// What would change if the identity were the account's.
    Bind { name: Sensitive<String>, issuer: String, subject: Sensitive<String> },
    /// It is, from here on; `code` is what was shown.
    BindConfirm { name: Sensitive<String>, issuer: String, subject: Sensitive<String>, code: String },
    /// The account's identity is nobody's any more.
    Unbind { name: Sensitive<String> },
}

/// What the keeper answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum OidcAnswer {
    /// What goes into the address of the provider, and what the browser keeps.
    Begun {
        state: Sensitive<String>,
        nonce: Sensitive<String>,
        challenge: String,
        binding: Sensitive<String>,
    },
    /// How the code is redeemed (RFC 7636), and under which ticket its answer is brought.
    Exchange {
        verifier: Sensitive<String>,
        secret: Option<Sensitive<String>>,
        ticket: Sensitive<String>,
    },
    SignedIn {
        session: SessionSecret,
        view: SessionView,
        device: Sensitive<String>,
    },
    /// Known, by one factor: the account's own code is needed.
    NeedsCode {
        ticket: Sensitive<String>,
    },
    /// The code is wrong, or it has to wait.
    WrongCode {
        wait_seconds: u32,
    },
    Refused(OidcRefusal),
    /// The identity belongs to no account; its person tells it to an administrator.
    NotBound {
        subject: Sensitive<String>,
    },
    /// To the command line: the keys, and what confirms them.
    Keys {
        keys: Vec<KeyLine>,
        code: String,
    },
    /// To the command line: whose account it would be, and what confirms it.
    Bind {
        role: policy::Role,
        had_another: bool,
        code: String,
    },
    Done,
    /// It is not what was shown.
    OtherCode,
}

/// Why nobody is signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OidcRefusal {
    /// No provider is set.
    Off,
    /// The state is unknown, was used, is too old, or another browser's.
    State,
    /// No key of the provider was confirmed yet, or the token is signed with one that was not.
    Keys,
    Token(TokenFault),
    /// The account is closed.
    Closed,
    /// No habilitation of the person holds now.
    NotHabilitated,
}

/// What is wrong with an ID token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TokenFault {
    /// It cannot be read.
    Malformed,
    /// `alg: none`.
    Unsigned,
    /// Signed in a way that is not accepted, such as with a shared secret.
    Algorithm,
    /// The confirmed key of that name did not sign it.
    Signature,
    Issuer,
    Audience,
    Nonce,
    Expired,
    /// Issued before the sign-in began, or in the future.
    IssuedAt,
    Other,
}

impl TokenFault {
    /// As the ledger says it.
    pub fn words(self) -> &'static str {
        match self {
            TokenFault::Malformed => "its token cannot be read",
            TokenFault::Unsigned => "its token is not signed",
            TokenFault::Algorithm => "its token is signed in a way that is not accepted",
            TokenFault::Signature => "the signature of its token is wrong",
            TokenFault::Issuer => "its token is of another issuer",
            TokenFault::Audience => "its token is for another service",
            TokenFault::Nonce => "its token is for another sign-in",
            TokenFault::Expired => "its token has expired",
            TokenFault::IssuedAt => "its token was issued at another time",
            TokenFault::Other => "its token is not accepted",
        }
    }
}

/// A signing key of the provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyLine {
    /// As the provider calls it; text from outside, so escaped.
    pub kid: String,
    /// `RSA`, `EC` or `OKP`.
    pub kind: String,
    /// RFC 7638, SHA-256, in hexadecimal digits.
    pub thumbprint: String,
    pub change: KeyChange,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyChange {
    /// It would count from here on.
    New,
    /// It counts already.
    Stays,
    /// It would count no more.
    Goes,
}
