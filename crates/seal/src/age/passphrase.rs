//! A passphrase that was drawn, not thought up: 125 bits in five groups that can be read over the telephone.

use super::{derived_by_scrypt, unbase64};
use domain::Random;
use zeroize::Zeroizing;

pub(super) const STANZA: &str = "-> scrypt ";
pub(super) const SALT_BYTES: usize = 16;
/// 2^15 blocks, 32 MiB: nobody guesses 125 bits, so it need not be slow.
pub(super) const LOG_N: u8 = 15;

/// 1 GiB: a file from elsewhere may ask for no more.
const LOG_N_MAX: u8 = 20;

const GROUPS: usize = 5;
const LETTERS: usize = 5;
/// Crockford's base 32: no letter that is taken for another one or for a digit.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// `XXXXX-XXXXX-XXXXX-XXXXX-XXXXX`
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    pub fn draw(random: &dyn Random) -> Passphrase {
        let mut bytes = Zeroizing::new([0; GROUPS * LETTERS]);
        random.fill(&mut bytes[..]);
        let mut text = Zeroizing::new(String::with_capacity(GROUPS * (LETTERS + 1)));
        for (nth, byte) in bytes.iter().enumerate() {
            if nth > 0 && nth % LETTERS == 0 {
                text.push('-');
            }
            // 256 is a multiple of 32: each letter is as likely
            text.push(char::from(ALPHABET[usize::from(byte % 32)]));
        }
        Passphrase(text)
    }

    /// Shown once, to who hands the file over.
    pub fn text(&self) -> &str {
        &self.0
    }

    pub(super) fn wrap_key(&self, salt: &[u8; SALT_BYTES]) -> Zeroizing<[u8; 32]> {
        derived_by_scrypt(self.0.as_bytes(), salt, LOG_N)
    }
}

/// Salt and cost of a stanza's arguments; none where a file asks for more than a machine should give.
pub(super) fn read(arguments: &str) -> Option<([u8; SALT_BYTES], u8)> {
    let (salt, log_n) = arguments.split_once(' ')?;
    let log_n = log_n.parse().ok().filter(|log_n| (1..=LOG_N_MAX).contains(log_n))?;
    Some((unbase64(salt)?.try_into().ok()?, log_n))
}

/// As it was drawn, whatever somebody typed: small letters, no hyphens, letters that look like digits.
pub(super) fn written(typed: &str) -> Zeroizing<String> {
    let letters = typed.chars().filter(char::is_ascii_alphanumeric).map(|letter| match letter.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    });
    let mut text = Zeroizing::new(String::with_capacity(typed.len() + GROUPS));
    for (nth, letter) in letters.enumerate() {
        if nth > 0 && nth % LETTERS == 0 {
            text.push('-');
        }
        text.push(letter);
    }
    text
}
