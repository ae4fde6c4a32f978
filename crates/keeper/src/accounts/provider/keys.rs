//! A provider's signing keys: what of them is kept, how they are named to a person, and what confirms them.

use super::super::digest_of;
use crate::{
    core::malformed,
    wire::oidc::{KeyChange, KeyLine},
};
use domain::limit::{OIDC_ANSWER_BYTES_MAX, OIDC_KEYS_MAX};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use vault::KeeperError;

/// Signing keys of a provider, each reduced to what verifies.
pub(super) struct Keys(Vec<Key>);

struct Key {
    thumbprint: String,
    /// Its members that count, as RFC 7517 names them.
    members: Map<String, Value>,
}

impl Keys {
    /// Public keys that may sign; shared secrets and keys for encryption are left out.
    pub fn read(jwks: &str) -> Result<Keys, KeeperError> {
        let no_keys = || malformed("these are no keys of a provider (RFC 7517): is the issuer's address right?");
        if OIDC_ANSWER_BYTES_MAX < jwks.len() {
            return Err(no_keys());
        }
        let jwks: Value = serde_json::from_str(jwks).map_err(|_| no_keys())?;
        let listed = jwks.get("keys").and_then(Value::as_array).ok_or_else(no_keys)?;
        let keys: Vec<Key> = listed.iter().filter_map(Key::read).collect();
        if keys.is_empty() || OIDC_KEYS_MAX < keys.len() {
            return Err(malformed(format!("a provider has 1 to {OIDC_KEYS_MAX} signing keys (RSA, EC P-256)")));
        }
        Ok(Keys(keys))
    }

    pub fn to_jwks(&self) -> String {
        let keys: Vec<Value> = self.0.iter().map(|key| Value::Object(key.members.clone())).collect();
        json!({ "keys": keys }).to_string()
    }

    pub fn thumbprints(&self) -> BTreeSet<&str> {
        self.0.iter().map(|key| key.thumbprint.as_str()).collect()
    }

    /// Each key of both, and what changes when these follow `before`.
    pub fn against(&self, before: Option<&Keys>) -> Vec<KeyLine> {
        let known = before.map(Keys::thumbprints).unwrap_or_default();
        let ours = self.thumbprints();
        let change = |key: &Key| if known.contains(&*key.thumbprint) { KeyChange::Stays } else { KeyChange::New };
        let mut lines: Vec<KeyLine> = self.0.iter().map(|key| key.line(change(key))).collect();
        let gone = before.iter().flat_map(|before| &before.0).filter(|key| !ours.contains(&*key.thumbprint));
        lines.extend(gone.map(|key| key.line(KeyChange::Goes)));
        lines
    }

    /// Names exactly this change: a provider that answers otherwise a minute later is shown again.
    pub fn code(&self, issuer: &str, before: Option<&Keys>) -> String {
        let (known, next) = (before.map(Keys::to_jwks).unwrap_or_default(), self.to_jwks());
        short(&digest_of(&[
            b"vigie provider keys v1\n",
            issuer.as_bytes(),
            b"\n",
            known.as_bytes(),
            b"\n",
            next.as_bytes(),
        ]))
    }
}

impl Key {
    fn read(key: &Value) -> Option<Key> {
        let text = |name: &str| key.get(name).and_then(Value::as_str);
        let kind = text("kty")?;
        // the members of a thumbprint, in the order that RFC 7638 demands
        let required: &[&str] = match kind {
            "RSA" => &["e", "kty", "n"],
            "EC" => &["crv", "kty", "x", "y"],
            _ => return None,
        };
        if text("use").is_some_and(|usage| usage != "sig") {
            return None;
        }
        let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        let mut members = Map::new();
        let mut print = Vec::new();
        for name in required {
            let value = text(name).filter(|value| is_plain(value))?;
            print.push(format!("\"{name}\":\"{value}\""));
            members.insert((*name).to_owned(), value.into());
        }
        for name in ["kid", "alg", "use"] {
            members.extend(text(name).map(|value| (name.to_owned(), value.into())));
        }
        let thumbprint = hex(&digest_of(&[format!("{{{}}}", print.join(",")).as_bytes()]));
        Some(Key { thumbprint, members })
    }

    fn line(&self, change: KeyChange) -> KeyLine {
        let text = |name: &str| self.members.get(name).and_then(Value::as_str).unwrap_or_default();
        let kid = text("kid").chars().take(80).collect::<String>().escape_debug().to_string();
        KeyLine { kid, kind: text("kty").to_owned(), thumbprint: self.thumbprint.clone(), change }
    }
}

/// Enough digits to compare by eye, too many to come upon.
pub(super) fn short(digest: &[u8; 32]) -> String {
    hex(&digest[..8])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The key and the thumbprint of RFC 7638, section 3.1.
    #[test]
    fn a_thumbprint_is_that_of_rfc_7638_and_what_does_not_verify_is_left_out() {
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMs\
            tn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOp\
            bISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        let rsa = json!({ "kty": "RSA", "n": n, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29", "x5c": ["…"] });
        let jwks = json!({ "keys": [
            rsa,
            { "kty": "oct", "k": "c2VjcmV0" },
            { "kty": "RSA", "n": "AQ", "e": "AQAB", "use": "enc" },
            { "kty": "EC", "crv": "P-256", "x": "a\"b", "y": "c" },
        ] });
        let keys = Keys::read(&jwks.to_string()).unwrap();
        let lines = keys.against(None);
        assert_eq!((lines.len(), &*lines[0].kid, lines[0].change), (1, "2011-04-29", KeyChange::New));
        assert_eq!(lines[0].thumbprint, "3736cbb1787cb8309c77ee8c3705c5e16ffb9e859715901f1e4c59b11182f57b");
        assert!(!keys.to_jwks().contains("x5c"));
        assert!(Keys::read("{\"keys\":[]}").is_err() && Keys::read("[]").is_err());
    }
}
