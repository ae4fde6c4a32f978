//! BER written anew as DER: some authorities answer with lengths that are told by an end, and with content in pieces, as RFC 5652 allows
//! around what is signed. Packages hold DER alone.
//!
//! What is signed is DER already (RFC 5652, section 5.4; RFC 5280, section 4.1) and comes out as it went in.

/// A token with its chain is ten levels deep.
const DEPTH_MAX: usize = 32;
const CONSTRUCTED: u8 = 0x20;
const OCTET_STRING: u8 = 0x04;

/// One value and nothing behind it. None: it is no BER, or deeper than any answer.
pub fn to_der(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut rest = bytes;
    let mut der = Vec::with_capacity(bytes.len());
    value(&mut rest, 0, &mut der)?;
    rest.is_empty().then_some(der)
}

fn value(rest: &mut &[u8], depth: usize, into: &mut Vec<u8>) -> Option<()> {
    let tag = byte(rest)?;
    // tags of more than one byte stand in none of these structures
    if depth > DEPTH_MAX || tag & 0x1f == 0x1f {
        return None;
    }
    let content = match length(rest)? {
        Some(bytes) => {
            let mut inside = take(rest, bytes)?;
            if tag & CONSTRUCTED == 0 {
                write(tag, inside, into);
                return Some(());
            }
            let mut content = Vec::with_capacity(bytes);
            while !inside.is_empty() {
                child(tag, &mut inside, depth, &mut content)?;
            }
            content
        }
        None if tag & CONSTRUCTED == 0 => return None,
        None => {
            let mut content = Vec::new();
            while !rest.starts_with(&[0, 0]) {
                child(tag, rest, depth, &mut content)?;
            }
            take(rest, 2)?;
            content
        }
    };
    let tag = if tag == OCTET_STRING | CONSTRUCTED { OCTET_STRING } else { tag };
    write(tag, &content, into);
    Some(())
}

/// Of an octet string in pieces the contents count, of anything else the values.
fn child(of: u8, rest: &mut &[u8], depth: usize, into: &mut Vec<u8>) -> Option<()> {
    if of != OCTET_STRING | CONSTRUCTED {
        return value(rest, depth + 1, into);
    }
    let mut piece = Vec::new();
    value(rest, depth + 1, &mut piece)?;
    let mut piece = piece.as_slice();
    if byte(&mut piece)? != OCTET_STRING {
        return None;
    }
    length(&mut piece)?;
    into.extend_from_slice(piece);
    Some(())
}

/// None inside: an end tells it.
fn length(rest: &mut &[u8]) -> Option<Option<usize>> {
    match byte(rest)? {
        0x80 => Some(None),
        short @ 0..0x80 => Some(Some(usize::from(short))),
        long => {
            let digits = take(rest, usize::from(long & 0x7f)).filter(|digits| digits.len() <= 4)?;
            Some(Some(digits.iter().fold(0, |sum, digit| sum << 8 | usize::from(*digit))))
        }
    }
}

fn write(tag: u8, content: &[u8], into: &mut Vec<u8>) {
    into.push(tag);
    let bytes = content.len();
    if bytes < 0x80 {
        into.push(bytes as u8);
    } else {
        let digits = bytes.to_be_bytes();
        let digits = &digits[digits.iter().take_while(|digit| **digit == 0).count()..];
        into.push(0x80 | digits.len() as u8);
        into.extend_from_slice(digits);
    }
    into.extend_from_slice(content);
}

fn byte(rest: &mut &[u8]) -> Option<u8> {
    take(rest, 1)?.first().copied()
}

fn take<'a>(rest: &mut &'a [u8], bytes: usize) -> Option<&'a [u8]> {
    let (taken, behind) = rest.split_at_checked(bytes)?;
    *rest = behind;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(ber: &[u8], der: Option<&[u8]>) {
        assert_eq!(to_der(ber).as_deref(), der, "{ber:02x?}");
    }

    #[test]
    fn lengths_and_pieces_are_written_anew_and_der_stays_as_it_is() {
        let der = [0x30, 5, 0x02, 1, 7, 0x05, 0];
        check(&der, Some(&der));
        check(&[0x30, 0x80, 0x02, 1, 7, 0x05, 0, 0, 0], Some(&der));
        check(&[0x30, 0x81, 5, 0x02, 0x82, 0, 1, 7], Some(&[0x30, 3, 0x02, 1, 7]));
        check(&[0x30, 0x81, 7, 0x02, 0x82, 0, 1, 7, 0x05, 0], Some(&der));
        check(&[0x24, 0x80, 0x04, 2, 1, 2, 0x24, 3, 0x04, 1, 3, 0, 0], Some(&[0x04, 3, 1, 2, 3]));
        let long = [&[0x04, 0x81, 200][..], &[7; 200]].concat();
        check(&[&[0x24, 0x80, 0x04, 100][..], &[7; 100], &[0x04, 100], &[7; 100], &[0, 0]].concat(), Some(&long));
        check(&long, Some(&long));
    }

    #[test]
    fn what_is_cut_endless_or_too_deep_is_none() {
        for wrong in
            [&[][..], &[0x30], &[0x30, 2, 5], &[0x30, 0x80, 5, 0], &[0x04, 0x80, 0, 0], &[0x24, 2, 5, 0], &[0x1f, 1, 0]]
        {
            check(wrong, None);
        }
        check(&[0x05, 0, 0], None);
        check(&[0x04, 0x85, 0, 0, 0, 0, 1, 7], None);
        let nested = |levels: usize| [&[0x30, 0x80].repeat(levels)[..], &[0, 0].repeat(levels)].concat();
        assert!(to_der(&nested(30)).is_some() && to_der(&nested(40)).is_none());
    }
}
