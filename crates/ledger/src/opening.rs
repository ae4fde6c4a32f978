//! Entries that the town opens for everybody: which program started, a line each. The commitment in the log holds each of them.

use crate::{
    commitment::{Commitment, Salt, commit},
    entry::{Entry, Event},
};
use domain::limit::{STARTS_BYTES_MAX, STARTS_PUBLISHED_MAX};
use std::fmt::Write;

/// Number, salt and details of one entry: with them anybody computes its commitment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Opening {
    pub seq: u64,
    pub salt: Salt,
    pub details: Vec<u8>,
}

impl Opening {
    pub fn commitment(&self) -> Commitment {
        commit(&self.salt, &self.details)
    }

    /// Version and SHA-256 of the program, where it is the start of one.
    pub fn start(&self) -> Option<(String, String)> {
        match Entry::from_details(&self.details).ok()?.event {
            Event::Start { version, digest_hex, .. } => Some((version, digest_hex)),
            _ => None,
        }
    }
}

/// Reads a whole file of openings; `None` where any line is none, or they are not in order.
pub fn parse(text: &[u8]) -> Option<Vec<Opening>> {
    if text.len() > STARTS_BYTES_MAX {
        return None;
    }
    let openings: Vec<Opening> = std::str::from_utf8(text).ok()?.lines().map(parse_line).collect::<Option<_>>()?;
    openings.windows(2).all(|two| two[0].seq < two[1].seq).then_some(openings)
}

/// The file, with as many of the newest as are shown.
pub fn to_text(openings: &[Opening]) -> String {
    let mut text = String::new();
    for Opening { seq, salt, details } in &openings[openings.len().saturating_sub(STARTS_PUBLISHED_MAX)..] {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        writeln!(text, "{seq} {} {}", hex(salt), hex(details)).expect("a String takes every text");
    }
    text
}

fn parse_line(line: &str) -> Option<Opening> {
    let mut words = line.split(' ');
    let (seq, salt, details) = (words.next()?, unhex(words.next()?)?, unhex(words.next()?)?);
    let seq = seq.parse().ok().filter(|number: &u64| number.to_string() == seq)?;
    words.next().is_none().then_some(Opening { seq, salt: salt.try_into().ok()?, details })
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> =
        text.bytes().map(|digit| char::from(digit).to_digit(16).map(|digit| digit as u8)).collect::<Option<_>>()?;
    digits.len().is_multiple_of(2).then(|| digits.chunks(2).map(|pair| pair[0] * 16 + pair[1]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::{Actor, Role};
    use domain::UtcMicros;
    use proptest::prelude::*;

    fn opening(seq: u64) -> Opening {
        let (program, version, digest_hex) = ("vigie".to_owned(), format!("0.{seq}"), "ab".repeat(32));
        let start = Event::Start { program, version, digest_hex, role: Role::Keeper };
        let entry = Entry::new(UtcMicros(5), Actor::Role { role: Role::Keeper }, start);
        Opening { seq, salt: [7; 16], details: entry.to_details().unwrap() }
    }

    #[test]
    fn openings_read_back_the_newest_of_them_and_fit_their_file() {
        let many: Vec<Opening> = (0..STARTS_PUBLISHED_MAX as u64 + 9).map(opening).collect();
        let text = to_text(&many);
        assert_eq!(parse(text.as_bytes()).unwrap(), many[9..]);
        assert_eq!(many[3].start(), Some(("0.3".into(), "ab".repeat(32))));
        assert_eq!(many[3].commitment(), commit(&[7; 16], &many[3].details));
        assert_eq!(parse(b"").unwrap(), []);
    }

    #[test]
    fn what_is_out_of_order_doubled_or_no_line_is_refused_whole() {
        let (one, two) = (to_text(&[opening(1)]), to_text(&[opening(2)]));
        assert!(parse(format!("{one}{two}").as_bytes()).is_some());
        for wrong in
            [format!("{two}{one}"), format!("{one}{one}"), format!("0{one}"), format!("{one}x"), one.replace(' ', "  ")]
        {
            assert_eq!(parse(wrong.as_bytes()), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            prop_assert!(parse(&bytes).is_none_or(|read| read.len() <= 400));
        }
    }
}
