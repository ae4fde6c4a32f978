//! What a town asks of a timestamp authority, and whether the answer is the answer to that (RFC 3161, sections 2.4 and 3.4).

use super::{
    Refusal, TOKEN_BYTES_MAX,
    algorithm::SHA256,
    asn1::{Algorithm, Imprint, Request, Response, Status},
    ber,
    token::Token,
};
use der::{
    Decode, Encode,
    asn1::{AnyRef, OctetStringRef, Utf8StringRef},
};
use ledger::Digest;

/// `Content-Type` of a request by HTTP, and of its answer (RFC 3161, section 3.4).
pub const REQUEST_TYPE: &str = "application/timestamp-query";
pub const RESPONSE_TYPE: &str = "application/timestamp-reply";
/// An answer is a status and a token.
pub const RESPONSE_BYTES_MAX: usize = TOKEN_BYTES_MAX + 4_096;

/// One question. Keep it until the answer is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StampRequest {
    imprint: Digest,
    nonce: u64,
}

/// Why an answer is none.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ResponseError {
    #[error("the timestamp authority's answer cannot be read ({why})")]
    Damaged { why: String },
    #[error("the timestamp authority refused: {status}, {failures} ({text})")]
    Rejected { status: &'static str, failures: String, text: String },
    #[error("the timestamp authority's answer has another nonce: an old answer, or one to somebody else")]
    OtherNonce,
    #[error("the timestamp authority's answer dates other bytes than were asked for")]
    OtherImprint,
    #[error("the timestamp authority's token is refused: {}", .0.text_en())]
    Token(Refusal),
}

/// RFC 3161, section 2.4.2: `PKIFailureInfo`, by bit.
const FAILURES: [(usize, &str); 8] = [
    (0, "badAlg"),
    (2, "badRequest"),
    (5, "badDataFormat"),
    (14, "timeNotAvailable"),
    (15, "unacceptedPolicy"),
    (16, "unacceptedExtension"),
    (17, "addInfoNotAvailable"),
    (25, "systemFailure"),
];

impl StampRequest {
    /// For the digest of these bytes (those of `registre.json`, where a package is stamped). The nonce is chance: 62 bits of it are used, so
    /// that it is a positive number of eight bytes in any encoding.
    pub fn new(bytes: &[u8], chance: [u8; 8]) -> StampRequest {
        let nonce = u64::from_be_bytes(chance) & (u64::MAX >> 2) | 1 << 62;
        StampRequest { imprint: super::token::imprint(bytes), nonce }
    }

    pub fn imprint(&self) -> Digest {
        self.imprint
    }

    /// The body of the request: SHA-256, the nonce, and the authority's certificate asked for.
    pub fn to_der(&self) -> Vec<u8> {
        let digest = <&OctetStringRef>::try_from(&self.imprint.0).expect("32 bytes are an octet string");
        let algorithm = Algorithm { oid: SHA256, parameters: Some(AnyRef::NULL) };
        let imprint = Imprint { algorithm, digest };
        let request = Request { version: 1, imprint, nonce: self.nonce, wants_certificate: true };
        request.to_der().expect("a request of fixed size can be written")
    }

    /// The token of an answer, as DER, if it answers this. Whether it is signed, and by whom, is said by [`super::judge`].
    pub fn token(&self, response: &[u8]) -> Result<Vec<u8>, ResponseError> {
        let damaged = |why: String| ResponseError::Damaged { why };
        if response.len() > RESPONSE_BYTES_MAX {
            return Err(damaged(format!("{} bytes, at most {RESPONSE_BYTES_MAX}", response.len())));
        }
        let response = ber::to_der(response).ok_or_else(|| damaged("no ASN.1".into()))?;
        let response = Response::from_der(&response).map_err(|error| damaged(error.to_string()))?;
        // 0 granted, 1 granted with modifications
        if response.status.status > 1 {
            return Err(rejected(&response.status));
        }
        let token = response.token.ok_or_else(|| damaged("granted, and no token in it".into()))?;
        let token = token.to_der().map_err(|error| damaged(error.to_string()))?;
        let read = Token::parse(&token).map_err(ResponseError::Token)?;
        if read.nonce() != Some(&self.nonce.to_be_bytes()) {
            return Err(ResponseError::OtherNonce);
        }
        if !read.is_of(self.imprint) {
            return Err(ResponseError::OtherImprint);
        }
        Ok(token)
    }
}

fn rejected(status: &Status<'_>) -> ResponseError {
    let bits = |nth: usize| status.failures.as_ref().and_then(|bits| bits.get(nth)).unwrap_or(false);
    let failures: Vec<&str> = FAILURES.iter().filter(|(nth, _)| bits(*nth)).map(|(_, name)| *name).collect();
    let lines = status.text.and_then(|text| text.elements().ok()).unwrap_or_default();
    let lines = lines.iter().filter_map(|(any, _)| any.decode_as::<Utf8StringRef<'_>>().ok());
    let text: String = lines.map(|line| line.as_str().to_owned()).collect::<Vec<_>>().join("; ");
    ResponseError::Rejected {
        status: match status.status {
            2 => "rejection",
            3 => "waiting",
            4 => "revocationWarning",
            5 => "revocationNotification",
            _ => "unknown status",
        },
        failures: if failures.is_empty() { "no failInfo".into() } else { failures.join(", ") },
        text: text.chars().take(200).map(|sign| if sign.is_control() { '\u{b7}' } else { sign }).collect(),
    }
}
