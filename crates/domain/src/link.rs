//! One-time links by which a sealed package is fetched: token and code, what a stranger posts, how a link ends. No I/O.

use crate::{
    ExportId, Random, Secret32,
    limit::{LINK_CODE_CHARS, LINK_FORM_BYTES_MAX},
    named_enum,
};
use serde::{Deserialize, Serialize};

crate::identity!(
    /// One link. It says nothing of the link's token.
    LinkId
);

named_enum! {
    /// Why a link is over.
    LinkEnd,
    /// As papers and reviews print it.
    title {
        Expired = "terme passé",
        /// As often as was allowed.
        Used = "retiré",
        WrongCodes = "trop de codes faux",
        /// By hand.
        Revoked = "retiré par la commune",
        /// Its package was handed over: the town's copy is gone.
        Delivered = "remise inscrite, copie de la commune détruite",
        /// The town's copy is gone, or is made anew, or may not leave any more.
        CopyGone = "copie de la commune détruite",
    }
}

/// What happened at a link.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LinkStep {
    /// Somebody had the link and not the code.
    WrongCode,
    /// Somebody came when it was over.
    Late,
    /// Before the first byte: the `nth` download, from 1; `again`: it broke off before, and counts once.
    Fetch {
        nth: u8,
        again: bool,
    },
    /// The last byte was given to the recipient's connection.
    Sent {
        nth: u8,
    },
    /// It ended before that.
    BrokeOff {
        nth: u8,
    },
    Ended {
        why: LinkEnd,
    },
}

/// Of a link: 256 bits, which nobody guesses. It travels in the fragment of an address (vault.md P8).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LinkToken(Secret32);

impl LinkToken {
    pub fn draw(random: &dyn Random) -> LinkToken {
        LinkToken(Secret32::draw(random))
    }

    pub const fn expose(&self) -> &[u8; 32] {
        self.0.expose()
    }

    /// For the fragment, once: it never prints by itself.
    pub fn text(&self) -> String {
        self.expose().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// 64 hexadecimal digits.
    fn parse(text: &[u8]) -> Option<LinkToken> {
        let mut bytes = [0; 32];
        if text.len() != 64 {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
            let digit = |of: u8| char::from(of).to_digit(16);
            *byte = u8::try_from(digit(pair[0])? << 4 | digit(pair[1])?).ok()?;
        }
        Some(LinkToken(Secret32::new(bytes)))
    }
}

/// Digits and letters that are not taken for one another by ear or by eye (Crockford's base 32): 5 bits each.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Told by another way than the link: 50 bits, of which a stranger has five tries.
#[derive(Clone, PartialEq, Eq, zeroize::Zeroize, zeroize::ZeroizeOnDrop, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LinkCode([u8; LINK_CODE_CHARS]);

impl std::fmt::Debug for LinkCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("‹secret›")
    }
}

impl LinkCode {
    pub fn draw(random: &dyn Random) -> LinkCode {
        let mut bytes = [0; LINK_CODE_CHARS];
        random.fill(&mut bytes);
        LinkCode(bytes.map(|byte| ALPHABET[usize::from(byte % 32)]))
    }

    /// Ten characters of [`ALPHABET`].
    pub const fn expose(&self) -> &[u8; LINK_CODE_CHARS] {
        &self.0
    }

    /// As it is read out: `7Q2MX-0KRTD`.
    pub fn text(&self) -> String {
        let text: String = self.0.iter().map(|byte| char::from(*byte)).collect();
        format!("{}-{}", &text[..LINK_CODE_CHARS / 2], &text[LINK_CODE_CHARS / 2..])
    }

    /// However somebody types it: small letters, spaces, dashes, O for 0, I and L for 1.
    pub fn parse(text: &[u8]) -> Option<LinkCode> {
        let mut typed = text.iter().filter(|byte| !byte.is_ascii_whitespace() && **byte != b'-');
        let mut code = [0; LINK_CODE_CHARS];
        for place in &mut code {
            *place = match typed.next()?.to_ascii_uppercase() {
                b'O' => b'0',
                b'I' | b'L' => b'1',
                known if ALPHABET.contains(&known) => known,
                _ => return None,
            };
        }
        if typed.next().is_some() { None } else { Some(LinkCode(code)) }
    }
}

/// What a stranger brings: all that ever comes from there to here.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LinkTry {
    pub token: LinkToken,
    pub code: LinkCode,
}

impl LinkTry {
    pub const BYTES: usize = 32 + LINK_CODE_CHARS;

    /// For the line between the public role and web: nothing in it has a length of its own.
    pub fn to_bytes(&self) -> zeroize::Zeroizing<[u8; Self::BYTES]> {
        let mut bytes = zeroize::Zeroizing::new([0; Self::BYTES]);
        bytes[..32].copy_from_slice(self.token.expose());
        bytes[32..].copy_from_slice(self.code.expose());
        bytes
    }

    pub fn from_bytes(bytes: &[u8; Self::BYTES]) -> Option<LinkTry> {
        let (token, code) = bytes.split_at(32);
        let token = LinkToken(Secret32::new(token.try_into().ok()?));
        Some(LinkTry { token, code: LinkCode::parse(code)? })
    }

    /// What the page posts (`application/x-www-form-urlencoded`): `jeton` and `code`, each once, in whatever order, nothing else.
    pub fn from_form(body: &[u8]) -> Option<LinkTry> {
        if LINK_FORM_BYTES_MAX < body.len() {
            return None;
        }
        let (mut token, mut code) = (None, None);
        for pair in body.split(|byte| *byte == b'&') {
            let at = pair.iter().position(|byte| *byte == b'=')?;
            let value = zeroize::Zeroizing::new(decoded(&pair[at + 1..])?);
            match &pair[..at] {
                b"jeton" if token.is_none() => token = Some(LinkToken::parse(&value)?),
                b"code" if code.is_none() => code = Some(LinkCode::parse(&value)?),
                _ => return None,
            }
        }
        Some(LinkTry { token: token?, code: code? })
    }
}

/// Of a form's value: `+` is a space, `%` and two digits a byte.
fn decoded(value: &[u8]) -> Option<Vec<u8>> {
    let (mut bytes, mut rest) = (Vec::with_capacity(value.len()), value.iter());
    while let Some(byte) = rest.next() {
        let mut digit = || rest.next().and_then(|byte| char::from(*byte).to_digit(16));
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => u8::try_from(digit()? << 4 | digit()?).ok()?,
            byte => *byte,
        });
    }
    Some(bytes)
}

/// What web answers on the line, before anything else.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LinkWord {
    /// Whatever the reason.
    No,
    /// As many packages leave as may at once; the link was not looked at.
    Busy,
    /// Then the sealed package comes, of so many bytes.
    Yes { export: ExportId, bytes: u64 },
}

impl LinkWord {
    pub const BYTES: usize = 1 + 16 + 8;

    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        let mut word = [0; Self::BYTES];
        word[0] = match self {
            LinkWord::No => 0,
            LinkWord::Busy => 1,
            LinkWord::Yes { .. } => 2,
        };
        if let LinkWord::Yes { export, bytes } = self {
            word[1..17].copy_from_slice(&export.0);
            word[17..].copy_from_slice(&bytes.to_le_bytes());
        }
        word
    }

    pub fn from_bytes(word: &[u8; Self::BYTES]) -> Option<LinkWord> {
        match word[0] {
            0 => Some(LinkWord::No),
            1 => Some(LinkWord::Busy),
            2 => Some(LinkWord::Yes {
                export: ExportId(word[1..17].try_into().ok()?),
                bytes: u64::from_le_bytes(word[17..].try_into().ok()?),
            }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    struct Steps;

    impl Random for Steps {
        fn fill(&self, bytes: &mut [u8]) {
            for (nth, byte) in (0u8..).zip(bytes) {
                *byte = nth.wrapping_mul(37).wrapping_add(1);
            }
        }
    }

    fn drawn() -> LinkTry {
        LinkTry { token: LinkToken::draw(&Steps), code: LinkCode::draw(&Steps) }
    }

    #[test]
    fn a_code_is_read_however_somebody_types_it_and_never_another() {
        let code = LinkCode::parse(b"70Q2M X1KRT").unwrap();
        assert_eq!(code.text(), "70Q2M-X1KRT");
        for typed in ["7oq2m-xlkrt", " 7OQ2M--XIKRT ", "70q2mx1krt"] {
            assert_eq!(LinkCode::parse(typed.as_bytes()), Some(code.clone()), "{typed}");
        }
        for wrong in ["", "70Q2M-X1KR", "70Q2M-X1KRTT", "70Q2M-X1KRU", "70Q2M/X1KRT", "70Q2M-X1KRÉ"] {
            assert_eq!(LinkCode::parse(wrong.as_bytes()), None, "{wrong}");
        }
    }

    #[test]
    fn what_the_page_posts_reads_back_and_nothing_more_is_taken() {
        let wanted = drawn();
        let (token, code) = (wanted.token.text(), wanted.code.text());
        for form in [
            format!("jeton={token}&code={code}"),
            format!("code={}&jeton={token}", code.to_lowercase().replace('-', "+")),
            format!("jeton={token}&code=%20{code}%0A"),
        ] {
            assert_eq!(LinkTry::from_form(form.as_bytes()), Some(wanted.clone()), "{form}");
        }
        for form in [
            String::new(),
            format!("jeton={token}"),
            format!("jeton={token}&code={code}&code={code}"),
            format!("jeton={token}&code={code}&more=1"),
            format!("jeton={}&code={code}", &token[1..]),
            format!("jeton={token}&code={code}%2"),
            format!("jeton={token}&code={code}{}", " ".repeat(LINK_FORM_BYTES_MAX)),
        ] {
            assert_eq!(LinkTry::from_form(form.as_bytes()), None, "{form}");
        }
    }

    #[test]
    fn neither_token_nor_code_prints() {
        let tried = drawn();
        let shown = format!("{tried:?}");
        assert!(!shown.contains(&tried.token.text()[..8]) && !shown.contains(&tried.code.text()[..5]), "{shown}");
    }

    proptest! {
        #[test]
        fn what_goes_over_the_line_reads_back(export in any::<[u8; 16]>(), bytes in any::<u64>(), word in any::<[u8; LinkWord::BYTES]>()) {
            let said = LinkWord::Yes { export: ExportId(export), bytes };
            prop_assert_eq!(LinkWord::from_bytes(&said.to_bytes()), Some(said));
            if let Some(read) = LinkWord::from_bytes(&word) {
                prop_assert_eq!(LinkWord::from_bytes(&read.to_bytes()), Some(read));
            }
        }

        #[test]
        fn whatever_a_stranger_sends_is_read_or_not_and_reads_the_same_again(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Some(read) = LinkTry::from_form(&body) {
                prop_assert_eq!(LinkTry::from_bytes(&read.to_bytes()), Some(read));
            }
        }
    }
}
