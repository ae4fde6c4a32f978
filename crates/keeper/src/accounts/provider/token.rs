//! Whether an ID token is the provider's word about this sign-in (OpenID Connect Core 1.0, 3.1.3.7). Asks nobody: keys,
//! settings and time come in.

use crate::wire::oidc::{OidcRefusal, TokenFault};
use chrono::{DateTime, Utc};
use domain::{
    Sensitive, UtcMicros,
    limit::{OIDC_FLOW_SECONDS_MAX, OIDC_SKEW_SECONDS_MAX, OIDC_SUBJECT_CHARS_MAX, OIDC_TOKEN_BYTES_MAX},
};
use openidconnect::{
    ClaimsVerificationError, ClientId, IssuerUrl, Nonce, SignatureVerificationError,
    core::{CoreIdToken, CoreIdTokenVerifier, CoreJsonWebKeySet, CoreJwsSigningAlgorithm},
};
use std::str::FromStr;

/// What a token must say.
pub(super) struct Expected<'a> {
    pub issuer: &'a str,
    pub client_id: &'a str,
    pub nonce: &'a Sensitive<String>,
    /// When the sign-in began: no token is older.
    pub begun: UtcMicros,
    /// What the town takes for two factors: values of `acr`, of `amr`.
    pub acr: &'a [String],
    pub amr: &'a [String],
}

/// Who somebody is, by the provider's word.
#[derive(Debug)]
pub(super) struct Identified {
    pub subject: Sensitive<String>,
    /// The provider says that the person was there for this sign-in, with two factors.
    pub by_two_factors: bool,
}

/// Signed by a private key only: whoever knows public keys, or the client's secret, signs nothing.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 3] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
];

pub(super) fn verify(
    token: &Sensitive<String>,
    keys: CoreJsonWebKeySet,
    expected: &Expected<'_>,
    now: UtcMicros,
) -> Result<Identified, OidcRefusal> {
    if OIDC_TOKEN_BYTES_MAX < token.reveal().len() {
        return Err(OidcRefusal::Token(TokenFault::Malformed));
    }
    // the library's words may repeat what the token says: they are dropped, here and below
    let token = CoreIdToken::from_str(token.reveal()).map_err(|_| OidcRefusal::Token(TokenFault::Malformed))?;
    let issuer = IssuerUrl::new(expected.issuer.to_owned()).map_err(|_| OidcRefusal::Token(TokenFault::Issuer))?;
    let (time, begun) = (instant(now), expected.begun);
    let verifier = CoreIdTokenVerifier::new_public_client(ClientId::new(expected.client_id.to_owned()), issuer, keys)
        .set_allowed_algs(ALGORITHMS)
        .set_time_fn(move || time);
    let nonce = Nonce::new(expected.nonce.reveal().clone());
    let claims = token.claims(&verifier, &nonce).map_err(refusal)?;
    if !is_of_this_flow(claims.issue_time(), begun, now) {
        return Err(OidcRefusal::Token(TokenFault::IssuedAt));
    }
    let subject = claims.subject().as_str();
    if subject.is_empty() || OIDC_SUBJECT_CHARS_MAX < subject.chars().count() {
        return Err(OidcRefusal::Token(TokenFault::Other));
    }
    let acr = claims.auth_context_ref().is_some_and(|acr| expected.acr.contains(acr));
    let amr = claims.auth_method_refs().is_some_and(|amr| amr.iter().any(|method| expected.amr.contains(method)));
    // a session that somebody left open at the provider proves nobody at this desk
    let is_there = claims.auth_time().is_some_and(|at| is_of_this_flow(at, begun, now));
    let subject = Sensitive::new(subject.to_owned());
    Ok(Identified { subject, by_two_factors: is_there && (acr || amr) })
}

fn is_of_this_flow(at: DateTime<Utc>, begun: UtcMicros, now: UtcMicros) -> bool {
    let (at, skew) = (at.timestamp(), OIDC_SKEW_SECONDS_MAX);
    let earliest = (begun.seconds() - skew).max(now.seconds() - OIDC_FLOW_SECONDS_MAX - skew);
    (earliest..=now.seconds() + skew).contains(&at)
}

fn instant(at: UtcMicros) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(at.0).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

fn refusal(error: ClaimsVerificationError) -> OidcRefusal {
    let fault = match error {
        ClaimsVerificationError::Expired(_) => TokenFault::Expired,
        ClaimsVerificationError::InvalidAudience(_) => TokenFault::Audience,
        ClaimsVerificationError::InvalidIssuer(_) => TokenFault::Issuer,
        ClaimsVerificationError::InvalidNonce(_) => TokenFault::Nonce,
        ClaimsVerificationError::SignatureVerification(error) => match error {
            SignatureVerificationError::NoMatchingKey | SignatureVerificationError::AmbiguousKeyId(_) => {
                return OidcRefusal::Keys;
            }
            SignatureVerificationError::NoSignature => TokenFault::Unsigned,
            SignatureVerificationError::DisallowedAlg(_) | SignatureVerificationError::UnsupportedAlg(_) => {
                TokenFault::Algorithm
            }
            _ => TokenFault::Signature,
        },
        _ => TokenFault::Other,
    };
    OidcRefusal::Token(fault)
}
