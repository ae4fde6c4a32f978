//! The mark in every picture sent: camera and frame number in an SEI, so that a test can count what arrived.
//!
//! H.264 SEI `user_data_unregistered` (ITU-T H.264, D.1.7): a UUID of ours, then fixed-width hexadecimal text. Text
//! has no zero byte, so the NAL unit never needs emulation prevention and can be patched in place.

/// Names our SEI among others.
pub const MARK_UUID: [u8; 16] = *b"vigie-simulator!";
const TEMPLATE: &[u8; 35] = b"cam=00000000 frame=0000000000000000";
/// NAL header, payload type, payload size, UUID.
const TEXT_AT: usize = 3 + 16;
/// Bytes of a mark's NAL unit.
pub const MARK_BYTES: usize = TEXT_AT + TEMPLATE.len() + 1;
const CAMERA_AT: usize = TEXT_AT + 4;
const FRAME_AT: usize = TEXT_AT + 19;

/// Which frame of which camera.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Mark {
    /// 1 is the first camera.
    pub camera: u32,
    /// Frames since 1970 at the town's frame rate, so that numbering goes on over reconnections.
    pub frame: u64,
}

/// The NAL unit of a mark.
pub fn write_mark(mark: Mark) -> [u8; MARK_BYTES] {
    let mut nal = [0; MARK_BYTES];
    nal[..3].copy_from_slice(&[6, 5, (16 + TEMPLATE.len()) as u8]);
    nal[3..TEXT_AT].copy_from_slice(&MARK_UUID);
    nal[TEXT_AT..TEXT_AT + TEMPLATE.len()].copy_from_slice(TEMPLATE);
    write_hex(&mut nal[CAMERA_AT..CAMERA_AT + 8], mark.camera.into());
    write_hex(&mut nal[FRAME_AT..FRAME_AT + 16], mark.frame);
    nal[MARK_BYTES - 1] = 0x80; // rbsp_trailing_bits
    nal
}

/// Reads the mark of a NAL unit (without start code or length); `None` for any other NAL unit.
pub fn read_mark(nal: &[u8]) -> Option<Mark> {
    if nal.len() != MARK_BYTES || nal[0] & 0x1f != 6 || nal[3..TEXT_AT] != MARK_UUID {
        return None;
    }
    let number = |at: usize, digits: usize| {
        let text = std::str::from_utf8(&nal[at..at + digits]).ok()?;
        u64::from_str_radix(text, 16).ok()
    };
    Some(Mark { camera: number(CAMERA_AT, 8)? as u32, frame: number(FRAME_AT, 16)? })
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
            assert_eq!(read_mark(&write_mark(mark)), Some(mark));
        }
    }

    #[test]
    fn a_mark_needs_no_emulation_prevention() {
        let nal = write_mark(Mark { camera: 0, frame: 0 });
        assert!(!nal.windows(3).any(|three| three[0] == 0 && three[1] == 0 && three[2] <= 3));
    }

    #[test]
    fn another_nal_unit_has_no_mark() {
        let mut nal = write_mark(Mark { camera: 1, frame: 1 });
        nal[0] = 0x65;
        assert_eq!(read_mark(&nal), None);
        assert_eq!(read_mark(&[6, 5, 1]), None);
    }
}
