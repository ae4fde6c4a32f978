//! Annex B byte streams for the tests: into NAL units, and into access units as the crate stores them.

/// The NAL units between start codes (H.264, B.1), trailing zero bytes removed.
pub fn units(stream: &[u8]) -> Vec<&[u8]> {
    let mut starts = Vec::new();
    let mut at = 0;
    while let Some(found) = stream[at..].windows(3).position(|three| three == [0, 0, 1]) {
        at += found + 3;
        starts.push(at);
    }
    let ends = starts.iter().skip(1).map(|next| next - 3).chain([stream.len()]);
    let trimmed = starts.iter().zip(ends).map(|(&start, end)| {
        let unit = &stream[start..end];
        &unit[..unit.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1)]
    });
    trimmed.filter(|unit| !unit.is_empty()).collect()
}

/// H.264 access units, each NAL unit after its length in four bytes. A new one begins where, after a slice, comes a NAL type
/// that precedes a picture, or a slice whose first macroblock is the picture's first (H.264, 7.4.1.2.3, without
/// arbitrary slice order).
pub fn access_units(units: &[&[u8]]) -> Vec<Vec<u8>> {
    let mut pictures: Vec<Vec<u8>> = vec![Vec::new()];
    let mut slice_seen = false;
    for unit in units {
        let unit_type = unit[0] & 0x1f;
        let is_slice = matches!(unit_type, 1 | 2 | 5);
        // first_mb_in_slice 0 is a single bit 1.
        let first_slice = is_slice && unit.get(1).is_some_and(|byte| byte & 0x80 != 0);
        if slice_seen && (first_slice || matches!(unit_type, 6..=9 | 14..=18)) {
            pictures.push(Vec::new());
            slice_seen = false;
        }
        slice_seen |= is_slice;
        let picture = pictures.last_mut().expect("there is always a last picture");
        picture.extend_from_slice(&(unit.len() as u32).to_be_bytes());
        picture.extend_from_slice(unit);
    }
    pictures
}

/// H.265 access units. A new one begins where, after a slice, comes a NAL type that precedes a picture, or a slice segment
/// that says it is the picture's first (H.265, 7.4.2.4.4).
#[allow(dead_code, reason = "not every test program has H.265 streams")]
pub fn access_units_h265(units: &[&[u8]]) -> Vec<Vec<u8>> {
    let mut pictures: Vec<Vec<u8>> = vec![Vec::new()];
    let mut slice_seen = false;
    for unit in units {
        let unit_type = unit[0] >> 1 & 0x3f;
        let is_slice = unit_type <= 31;
        let first_slice = is_slice && unit.get(2).is_some_and(|byte| byte & 0x80 != 0);
        if slice_seen && (first_slice || matches!(unit_type, 32..=35 | 39 | 41..=44 | 48..=55)) {
            pictures.push(Vec::new());
            slice_seen = false;
        }
        slice_seen |= is_slice;
        let picture = pictures.last_mut().expect("there is always a last picture");
        picture.extend_from_slice(&(unit.len() as u32).to_be_bytes());
        picture.extend_from_slice(unit);
    }
    pictures
}
