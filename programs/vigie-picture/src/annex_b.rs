//! Between NAL units after their lengths, as Vigie keeps them, and after start codes (H.264 and H.265, annex B), as codecs take them.

use bytes::{BufMut, Bytes, BytesMut};
use media::{MediaError, nal::nal_units};

const START: [u8; 4] = [0, 0, 0, 1];

/// Parameter sets, then the units of an access unit. Errors: lengths that do not fit.
pub fn with_start_codes(sets: &[Bytes], access_unit: &[u8]) -> Result<Vec<u8>, MediaError> {
    let mut all = Vec::with_capacity(access_unit.len() + 256);
    for set in sets {
        all.extend(START);
        all.extend_from_slice(set);
    }
    for unit in nal_units(access_unit) {
        all.extend(START);
        all.extend_from_slice(unit?.bytes());
    }
    Ok(all)
}

/// The units between start codes, each after its length. Zeros before a start code belong to no unit.
pub fn with_lengths(coded: &[u8]) -> Bytes {
    let mut all = BytesMut::with_capacity(coded.len() + 64);
    let mut rest = after_start(coded);
    while let Some(from) = rest {
        let (unit, next) = match start_in(from) {
            Some(at) => (&from[..at], after_start(&from[at..])),
            None => (from, None),
        };
        let unit = &unit[..unit.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1)];
        if !unit.is_empty() {
            all.put_u32(unit.len() as u32);
            all.extend_from_slice(unit);
        }
        rest = next;
    }
    all.freeze()
}

fn start_in(bytes: &[u8]) -> Option<usize> {
    bytes.windows(3).position(|three| three == [0, 0, 1])
}

fn after_start(bytes: &[u8]) -> Option<&[u8]> {
    start_in(bytes).map(|at| &bytes[at + 3..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_go_there_and_back() {
        let unit = |bytes: &[u8]| [&(bytes.len() as u32).to_be_bytes()[..], bytes].concat();
        let (set, all) = (Bytes::from_static(&[0x67, 1]), [unit(&[0x65, 0, 0, 3, 1]), unit(&[0x41])].concat());
        let coded = with_start_codes(std::slice::from_ref(&set), &all).unwrap();
        assert_eq!(coded, [0, 0, 0, 1, 0x67, 1, 0, 0, 0, 1, 0x65, 0, 0, 3, 1, 0, 0, 0, 1, 0x41]);
        assert_eq!(with_lengths(&coded), [unit(&set), all].concat());
        assert!(with_start_codes(&[], &[0, 0, 0, 9, 1]).is_err());
        for none in [&[][..], &[1, 2, 3], &[0, 0, 1], &[0, 0, 1, 0, 0, 0, 1, 0]] {
            assert!(with_lengths(none).is_empty(), "{none:?}");
        }
    }
}
