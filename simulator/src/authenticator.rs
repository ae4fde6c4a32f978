//! A person's authenticator, as on a telephone: reads what a setup link shows, and gives a code each thirty seconds (RFC 6238).
//!
//! Written apart from the keeper's own, so that the two check each other.

use aws_lc_rs::hmac;
use domain::Sensitive;

const STEP_SECONDS: i64 = 30;

/// One account of it.
#[derive(Clone, Debug)]
pub struct Authenticator {
    pub seed: Sensitive<Vec<u8>>,
    /// As Base32, which `vigie-simulator code` takes.
    pub secret: Sensitive<String>,
    /// The last step whose code was used: it counts once.
    last_step: i64,
}

impl Authenticator {
    /// Of an `otpauth:` address, or of its secret alone.
    pub fn read(text: &str) -> Option<Authenticator> {
        let secret = match text.split_once("secret=") {
            Some((_, rest)) => rest.split('&').next()?,
            None => text,
        };
        let seed = Sensitive::new(from_base32(secret)?);
        Some(Authenticator { seed, secret: Sensitive::new(secret.to_owned()), last_step: i64::MIN })
    }

    /// What it shows at this time.
    pub fn shows(&self, seconds: i64) -> Sensitive<String> {
        self.code_of(seconds.div_euclid(STEP_SECONDS))
    }

    /// A code that was not used yet: of the step before, this or the next one, which all count. Errors: seconds to wait.
    pub fn unused(&mut self, seconds: i64) -> Result<Sensitive<String>, i64> {
        let present = seconds.div_euclid(STEP_SECONDS);
        let step = self.last_step.saturating_add(1).max(present - 1);
        // a clock that was put back makes the former codes the future's: the newest is shown, and it will be refused
        if present + 1 < step && step <= present + 3 {
            return Err((step - 1) * STEP_SECONDS - seconds);
        }
        let step = step.min(present + 1);
        self.last_step = step;
        Ok(self.code_of(step))
    }

    fn code_of(&self, step: i64) -> Sensitive<String> {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, self.seed.reveal());
        let digest = hmac::sign(&key, &(step as u64).to_be_bytes());
        let digest = digest.as_ref();
        let offset = (digest[19] & 15) as usize;
        let bits = digest[offset..offset + 4].iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte));
        Sensitive::new(format!("{:06}", (bits & 0x7fff_ffff) % 1_000_000))
    }
}

fn from_base32(text: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut bits, mut count) = (Vec::new(), 0u32, 0);
    for letter in text.trim().trim_end_matches('=').chars() {
        let value = match letter.to_ascii_uppercase() {
            letter @ 'A'..='Z' => u32::from(letter) - u32::from('A'),
            letter @ '2'..='7' => u32::from(letter) - u32::from('2') + 26,
            _ => return None,
        };
        bits = (bits << 5 | value) & 0xffff;
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    (!bytes.is_empty()).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B: the seed is the ASCII of 1 to 9 and 0, twice.
    const URI: &str = "otpauth://totp/V:a?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&digits=6";

    #[test]
    fn it_shows_the_codes_of_rfc_6238() {
        let authenticator = Authenticator::read(URI).unwrap();
        assert_eq!(authenticator.shows(1_234_567_890).reveal(), "005924");
        assert_eq!(authenticator.secret.reveal(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert!(Authenticator::read("otpauth://totp/V:a?secret=1&digits=6").is_none());
    }

    #[test]
    fn three_codes_can_be_used_at_once_and_then_one_has_to_wait() {
        let mut authenticator = Authenticator::read(URI).unwrap();
        let codes: Vec<_> = (0..3).map(|_| authenticator.unused(3_000).unwrap()).collect();
        assert_eq!(codes[1], authenticator.shows(3_000));
        assert_eq!(authenticator.unused(3_000), Err(30));
        assert!(authenticator.unused(3_030).is_ok());
    }
}
