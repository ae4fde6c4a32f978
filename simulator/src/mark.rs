//! The mark in every picture sent: camera and frame number in an SEI, so that a test can count what arrived.
//!
//! SEI `user_data_unregistered` (ITU-T H.264, D.1.7; H.265, D.2.7): a UUID of ours, then fixed-width hexadecimal text.
//! Text has no zero byte, so the NAL unit never needs emulation prevention and can be patched in place.

use crate::coding::Codec;

/// Names our SEI among others.
pub const MARK_UUID: [u8; 16] = *b"vigie-simulator!";
const TEMPLATE: &[u8; 35] = b"cam=00000000 frame=0000000000000000";
/// Payload type, payload size, UUID.
const TEXT_AT: usize = 2 + 16;
const CAMERA_AT: usize = TEXT_AT + 4;
const FRAME_AT: usize = TEXT_AT + 19;
/// Bytes of a mark behind its NAL unit's header.
const BODY_BYTES: usize = TEXT_AT + TEMPLATE.len() + 1;

/// Which frame of which camera.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Mark {
    /// 1 is the first camera.
    pub camera: u32,
    /// Frames since 1970 at the town's frame rate, in the order of sending, so that numbering goes on over reconnections.
    pub frame: u64,
}

/// The NAL unit of a mark.
pub fn write_mark(codec: Codec, mark: Mark) -> Vec<u8> {
    let mut nal = header(codec).to_vec();
    nal.extend_from_slice(&[5, (16 + TEMPLATE.len()) as u8]);
    nal.extend_from_slice(&MARK_UUID);
    nal.extend_from_slice(TEMPLATE);
    nal.push(0x80); // rbsp_trailing_bits
    let body = header(codec).len();
    write_hex(&mut nal[body + CAMERA_AT..body + CAMERA_AT + 8], mark.camera.into());
    write_hex(&mut nal[body + FRAME_AT..body + FRAME_AT + 16], mark.frame);
    nal
}

/// Reads the mark of a NAL unit (without start code or length) of either codec; `None` for any other NAL unit.
pub fn read_mark(nal: &[u8]) -> Option<Mark> {
    let body = [Codec::H264, Codec::H265].into_iter().find_map(|codec| match nal.strip_prefix(header(codec)) {
        Some(body) if body.len() == BODY_BYTES => Some(body),
        _ => None,
    })?;
    if body[0] != 5 || body[2..TEXT_AT] != MARK_UUID {
        return None;
    }
    let number = |at: usize, digits: usize| {
        let text = std::str::from_utf8(&body[at..at + digits]).ok()?;
        u64::from_str_radix(text, 16).ok()
    };
    Some(Mark { camera: number(CAMERA_AT, 8)? as u32, frame: number(FRAME_AT, 16)? })
}

/// The header of an SEI: H.264's type 6; H.265's type 39 (before the picture) in layer 0, temporal layer 0.
fn header(codec: Codec) -> &'static [u8] {
    match codec {
        Codec::H264 => &[6],
        Codec::H265 => &[39 << 1, 1],
    }
}

fn write_hex(out: &mut [u8], mut value: u64) {
    for digit in out.iter_mut().rev() {
        *digit = b"0123456789abcdef"[(value & 15) as usize];
        value >>= 4;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_reads_back_as_written() {
        for mark in [
            Mark { camera: 0, frame: 0 },
            Mark { camera: u32::MAX, frame: u64::MAX },
            Mark { camera: 3, frame: 21e9 as u64 },
        ] {
            assert_eq!(read_mark(&write_mark(Codec::H264, mark)), Some(mark));
            assert_eq!(read_mark(&write_mark(Codec::H265, mark)), Some(mark));
        }
    }

    #[test]
    fn a_mark_needs_no_emulation_prevention() {
        for codec in [Codec::H264, Codec::H265] {
            let nal = write_mark(codec, Mark { camera: 0, frame: 0 });
            assert!(!nal.windows(3).any(|three| three[0] == 0 && three[1] == 0 && three[2] <= 3));
        }
    }

    #[test]
    fn another_nal_unit_has_no_mark() {
        let mut nal = write_mark(Codec::H264, Mark { camera: 1, frame: 1 });
        nal[0] = 0x65;
        assert_eq!(read_mark(&nal), None);
        assert_eq!(read_mark(&[6, 5, 1]), None);
    }
}
