//! The second factor: codes by time (RFC 6238) and one-time recovery codes. Seeds are sealed like camera credentials (K13).

use crate::core::{KeeperCore, failed};
use aws_lc_rs::{constant_time::verify_slices_are_equal, hkdf, hmac};
use catalog::{AccountId, NewFactor, SecondFactor};
use domain::{
    Sensitive, UtcMicros,
    limit::{
        RECOVERY_CODE_BYTES, RECOVERY_CODES, SECOND_FACTOR_DIGITS, SECOND_FACTOR_SEED_BYTES,
        SECOND_FACTOR_STEP_SECONDS, SECOND_FACTOR_STEPS_BESIDE,
    },
};
use vault::KeeperError;
use zeroize::Zeroizing;

/// What comes out of a phone or from a paper; nothing longer is looked at.
pub(super) const CODE_CHARS_MAX: usize = 64;

pub(crate) type Seed = Zeroizing<[u8; SECOND_FACTOR_SEED_BYTES]>;

/// What somebody showed besides the password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    Code,
    RecoveryCode,
}

impl Shown {
    /// As the ledger says it.
    pub fn words(self) -> &'static str {
        match self {
            Shown::Code => "password and code",
            Shown::RecoveryCode => "password and recovery code",
        }
    }
}

impl KeeperCore {
    /// The time that codes follow. While clocks disagree the system's is as good as another: a code counts once anyway, and
    /// a recovery code needs no clock.
    pub(super) fn code_time(&self) -> UtcMicros {
        self.judgement().trusted.unwrap_or_else(|| self.parts.clock.utc())
    }

    /// The seed that a setup link shows: derived, so that a page that is loaded again shows the same one, also by a keeper
    /// that was started again meanwhile.
    pub(super) fn seed_of_link(&self, token_hash: &[u8; 32]) -> Result<Seed, KeeperError> {
        struct Bytes;
        impl hkdf::KeyType for Bytes {
            fn len(&self) -> usize {
                SECOND_FACTOR_SEED_BYTES
            }
        }
        let key = self.parts.keyring.config_key();
        let pseudorandom = hkdf::Salt::new(hkdf::HKDF_SHA256, b"vigie second factor v1").extract(key.expose());
        let mut seed = Seed::default();
        let info = [&token_hash[..]];
        pseudorandom.expand(&info, Bytes).and_then(|bytes| bytes.fill(&mut seed[..])).map_err(failed)?;
        Ok(seed)
    }

    /// The account's new factor, whose first code counted at `step`, and its recovery codes in clear: shown once.
    pub(super) fn new_factor(
        &self,
        account: AccountId,
        seed: &Seed,
        step: i64,
    ) -> Result<(NewFactor, Vec<Sensitive<String>>), KeeperError> {
        let codes: Vec<Sensitive<String>> = (0..RECOVERY_CODES).map(|_| self.draw_recovery_code()).collect();
        let recovery_hashes = codes.iter().map(|code| recovery_hash(account, code.reveal())).collect();
        let sealed = Sensitive::new(self.seal_bytes(bound_to(account), &seed[..])?);
        Ok((NewFactor { factor: SecondFactor { seed: sealed, last_step: step }, recovery_hashes }, codes))
    }

    /// Which factor a code is, if it is one of the account's; it counts once, from here on no more.
    pub(super) fn take_factor(
        &self,
        account: AccountId,
        code: &Sensitive<String>,
    ) -> Result<Option<Shown>, KeeperError> {
        let registry = &self.parts.registry;
        let Some(factor) = registry.second_factor(account).map_err(failed)? else { return Ok(None) };
        let code = Zeroizing::new(normal(code.reveal()));
        if code.len() == SECOND_FACTOR_DIGITS {
            let seed = self.unseal_bytes(bound_to(account), factor.seed.reveal())?;
            let Some(step) = step_of(&seed, &code, self.code_time(), factor.last_step) else { return Ok(None) };
            return Ok(registry.second_factor_take(account, step).map_err(failed)?.then_some(Shown::Code));
        }
        let taken = registry.recovery_take(account, recovery_hash(account, &code), self.stamp());
        Ok(taken.map_err(failed)?.then_some(Shown::RecoveryCode))
    }

    /// 80 bits in Crockford's alphabet, in groups of four.
    fn draw_recovery_code(&self) -> Sensitive<String> {
        let mut bytes = Zeroizing::new([0; RECOVERY_CODE_BYTES]);
        self.parts.random.fill(&mut bytes[..]);
        let letters = in_base32(&bytes[..], b"0123456789abcdefghjkmnpqrstvwxyz");
        let groups: Vec<String> =
            letters.as_bytes().chunks(4).map(|four| four.iter().map(|c| char::from(*c)).collect()).collect();
        Sensitive::new(groups.join("-"))
    }
}

/// The step whose code this is: the present one or one beside it, later than the last that counted.
pub(super) fn step_of(seed: &[u8], code: &str, now: UtcMicros, last: i64) -> Option<i64> {
    let present = now.seconds().div_euclid(SECOND_FACTOR_STEP_SECONDS);
    let steps = present - SECOND_FACTOR_STEPS_BESIDE..=present + SECOND_FACTOR_STEPS_BESIDE;
    let is_code = |step: &i64| verify_slices_are_equal(code_at(seed, *step).as_bytes(), code.as_bytes()).is_ok();
    // each is computed, so that the time taken says nothing
    let fitting: Vec<i64> = steps.filter(is_code).collect();
    fitting.into_iter().find(|step| last < *step)
}

/// RFC 6238 over HMAC-SHA-1, which every authenticator knows; SHA-1's collisions do not touch HMAC (RFC 6194).
fn code_at(seed: &[u8], step: i64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, seed);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    let at = usize::from(tag[tag.len() - 1] & 0xf);
    let number = u32::from_be_bytes([tag[at] & 0x7f, tag[at + 1], tag[at + 2], tag[at + 3]]);
    format!("{:0width$}", number % 10u32.pow(SECOND_FACTOR_DIGITS as u32), width = SECOND_FACTOR_DIGITS)
}

/// What an authenticator reads out of a QR code or a link.
pub(super) fn otpauth(site: &str, name: &str, seed: &Seed) -> Sensitive<String> {
    let secret = in_base32(&seed[..], b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
    let (issuer, name) = (escaped(&format!("Vigie {site}")), escaped(name));
    Sensitive::new(format!(
        "otpauth://totp/{issuer}:{name}?secret={secret}&issuer={issuer}&algorithm=SHA1\
         &digits={SECOND_FACTOR_DIGITS}&period={SECOND_FACTOR_STEP_SECONDS}"
    ))
}

/// Everything but RFC 3986's unreserved characters.
fn escaped(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}

/// RFC 4648 section 6 with another alphabet, without padding; the inputs are multiples of five bytes.
fn in_base32(bytes: &[u8], alphabet: &[u8; 32]) -> String {
    let letters = bytes.chunks(5).flat_map(|five| {
        let bits = five.iter().fold(0u64, |bits, byte| bits << 8 | u64::from(*byte));
        (0..8).rev().map(move |group| char::from(alphabet[(bits >> (5 * group) & 31) as usize]))
    });
    letters.collect()
}

/// As people type: spaces, dashes and capitals do not matter, nor do letters that look like digits.
fn normal(code: &str) -> String {
    let letters = code.chars().filter(|letter| !letter.is_whitespace() && *letter != '-');
    let alike = |letter: char| match letter.to_ascii_lowercase() {
        'o' => '0',
        'i' | 'l' => '1',
        letter => letter,
    };
    letters.map(alike).collect()
}

/// A plain digest will do for 80 random bits. Bound to the account: a hash copied to another row is of no use.
fn recovery_hash(account: AccountId, code: &str) -> [u8; 32] {
    super::digest_of(&[b"vigie recovery code v1\n", &account.0, normal(code).as_bytes()])
}

fn bound_to(account: AccountId) -> Vec<u8> {
    [&b"vigie second factor v1\n"[..], &account.0].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: &[u8] = b"12345678901234567890";

    /// The last six digits of RFC 6238, appendix B, which has eight.
    #[test]
    fn codes_are_those_of_rfc_6238() {
        let rows = [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (20_000_000_000, "353130")];
        for (seconds, code) in rows {
            assert_eq!(code_at(SEED, seconds / SECOND_FACTOR_STEP_SECONDS), code);
        }
    }

    #[test]
    fn a_code_counts_for_its_step_and_one_beside_it_and_only_after_the_last() {
        let (at, code) = (UtcMicros::from_seconds, code_at(SEED, 100));
        for (step, counts) in [(98, false), (99, true), (100, true), (101, true), (102, false)] {
            assert_eq!(step_of(SEED, &code, at(step * 30), 0).is_some(), counts, "{step}");
        }
        assert_eq!(step_of(SEED, &code, at(3_000), 99), Some(100));
        assert_eq!(step_of(SEED, &code, at(3_000), 100), None);
    }

    /// RFC 4648, section 10.
    #[test]
    fn letters_are_those_of_rfc_4648() {
        assert_eq!(in_base32(b"fooba", b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"), "MZXW6YTB");
    }

    #[test]
    fn what_people_type_differently_is_the_same_code() {
        assert_eq!(normal(" 0OiL-1a B"), "00111ab");
    }

    #[test]
    fn a_name_cannot_change_the_address_that_an_authenticator_reads() {
        let uri = otpauth("Ville & Cie", "jean?secret=A", &Seed::default());
        assert!(uri.reveal().starts_with("otpauth://totp/Vigie%20Ville%20%26%20Cie:jean%3Fsecret%3DA?secret=AAAA"));
    }
}
