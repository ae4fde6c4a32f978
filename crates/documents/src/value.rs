//! Values that are printed in a form of their own: an instant as Paris writes it, a digest in one piece.
//!
//! As JSON each is an object with one key, so that no text can pass for one.

use domain::UtcMicros;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// An instant. As JSON `{"utc": "2026-03-12T14:00:03.250000Z"}`; printed in the time of Paris, with its distance to UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(try_from = "WrittenAt", into = "WrittenAt")]
pub struct At(pub UtcMicros);

/// SHA-256. As JSON `{"sha256": "…"}`, 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "WrittenSha256", into = "WrittenSha256")]
pub struct Sha256(pub [u8; 32]);

/// Why a value cannot be read. It repeats nothing of what was written: papers name persons.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ValueError {
    #[error("an instant is written `{{\"utc\": \"2026-03-12T14:00:03Z\"}}`")]
    At,
    #[error("a digest has 64 lower-case hexadecimal digits")]
    Sha256,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenAt {
    utc: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSha256 {
    sha256: String,
}

impl From<UtcMicros> for At {
    fn from(at: UtcMicros) -> At {
        At(at)
    }
}

impl From<At> for WrittenAt {
    fn from(At(at): At) -> WrittenAt {
        let utc = match Timestamp::from_microsecond(at.0) {
            Ok(stamp) => format!("{stamp:.6}"),
            // years beyond 9999: no clock of ours says so, and no reader takes it
            Err(_) => at.to_string(),
        };
        WrittenAt { utc }
    }
}

impl TryFrom<WrittenAt> for At {
    type Error = ValueError;
    fn try_from(written: WrittenAt) -> Result<At, ValueError> {
        let stamp: Timestamp = written.utc.parse().map_err(|_| ValueError::At)?;
        Ok(At(UtcMicros(stamp.as_microsecond())))
    }
}

impl From<Sha256> for WrittenSha256 {
    fn from(digest: Sha256) -> WrittenSha256 {
        WrittenSha256 { sha256: digest.to_string() }
    }
}

impl TryFrom<WrittenSha256> for Sha256 {
    type Error = ValueError;
    fn try_from(written: WrittenSha256) -> Result<Sha256, ValueError> {
        written.sha256.parse()
    }
}

impl FromStr for Sha256 {
    type Err = ValueError;
    fn from_str(text: &str) -> Result<Sha256, ValueError> {
        let digit = |digit: u8| match digit {
            b'0'..=b'9' => Ok(digit - b'0'),
            b'a'..=b'f' => Ok(digit - b'a' + 10),
            _ => Err(ValueError::Sha256),
        };
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return Err(ValueError::Sha256);
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
            *byte = digit(pair[0])? * 16 + digit(pair[1])?;
        }
        Ok(Sha256(bytes))
    }
}

impl fmt::Display for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        domain::id::write_hex(&self.0, f)
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_and_a_digest_read_back_as_written() {
        let at = At(UtcMicros(1_773_324_003_250_000));
        let text = serde_json::to_string(&at).unwrap();
        assert_eq!(text, r#"{"utc":"2026-03-12T14:00:03.250000Z"}"#);
        assert_eq!(serde_json::from_str::<At>(&text).unwrap(), at);
        let digest = Sha256([0xa7; 32]);
        let text = serde_json::to_string(&digest).unwrap();
        assert_eq!(serde_json::from_str::<Sha256>(&text).unwrap(), digest);
        assert!(text.contains(&"a7".repeat(32)));
    }

    #[test]
    fn what_is_no_instant_and_no_digest_is_refused_without_being_repeated() {
        for wrong in [r#"{"utc":"Dupont"}"#, r#"{"utc":""}"#, r#"{"utc":"2026-03-12"}"#] {
            let error = serde_json::from_str::<At>(wrong).unwrap_err().to_string();
            assert!(error.contains("an instant is written") && !error.contains("Dupont"), "{error}");
        }
        for wrong in [format!("{:064}", "é"), "A7".repeat(32), "a".repeat(63), "a".repeat(65), String::new()] {
            assert_eq!(wrong.parse::<Sha256>(), Err(ValueError::Sha256), "{wrong}");
        }
    }
}
