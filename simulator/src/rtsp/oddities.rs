//! Packets as some cameras make them and RFC 6184 does not: fragments that change their type, empty ones, a marker at an SEI.

/// `$`, channel and length before each packet (RFC 2326, 10.12).
const INTERLEAVED_BYTES: usize = 4;
const RTP_BYTES: usize = 12;
const MARKER: u8 = 0x80;
/// Types of NAL units and packets (RFC 6184, table 1).
const SEI: u8 = 6;
const FU_A: u8 = 28;
const TYPE: u8 = 0x1f;
const STARTS: u8 = 0x80;
const ENDS: u8 = 0x40;

/// The packets of one picture of H.264, made odd, and how many more they are. What they carry stays as it was.
pub fn odd(wire: &[u8]) -> (Vec<u8>, u16) {
    let (mut out, mut added, mut rest) = (Vec::with_capacity(wire.len() + 64), 0u16, wire);
    while let Some(bytes) = packet_bytes(rest) {
        let (packet, after) = rest.split_at(bytes);
        rest = after;
        let mut packet = packet.to_vec();
        renumber(&mut packet, added);
        let at = INTERLEAVED_BYTES + RTP_BYTES;
        match packet[at] & TYPE {
            SEI => packet[INTERLEAVED_BYTES + 1] |= MARKER,
            FU_A if packet[at + 1] & STARTS == 0 => packet[at + 1] = (packet[at + 1] & !TYPE) | other(packet[at + 1]),
            FU_A => {
                out.extend_from_slice(&packet);
                added += 1;
                packet = empty_after(&packet);
            }
            _ => {}
        }
        out.extend_from_slice(&packet);
    }
    (out, added)
}

/// A slice of a key picture where it was another, and the other way round.
fn other(fragment: u8) -> u8 {
    if fragment & TYPE == 5 { 1 } else { 5 }
}

/// A fragment behind this one that carries nothing.
fn empty_after(packet: &[u8]) -> Vec<u8> {
    let mut empty = packet[..INTERLEAVED_BYTES + RTP_BYTES + 2].to_vec();
    let bytes = (RTP_BYTES + 2) as u16;
    empty[2..4].copy_from_slice(&bytes.to_be_bytes());
    empty[INTERLEAVED_BYTES + RTP_BYTES + 1] &= !(STARTS | ENDS);
    renumber(&mut empty, 1);
    empty
}

fn renumber(packet: &mut [u8], by: u16) {
    let place = INTERLEAVED_BYTES + 2..INTERLEAVED_BYTES + 4;
    let number = u16::from_be_bytes([packet[place.start], packet[place.start + 1]]).wrapping_add(by);
    packet[place].copy_from_slice(&number.to_be_bytes());
}

/// The length of the packet that comes first, if it is whole and carries something.
fn packet_bytes(wire: &[u8]) -> Option<usize> {
    let bytes = INTERLEAVED_BYTES + usize::from(u16::from_be_bytes([*wire.get(2)?, *wire.get(3)?]));
    (bytes > INTERLEAVED_BYTES + RTP_BYTES + 1 && bytes <= wire.len()).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(number: u16, payload: &[u8]) -> Vec<u8> {
        let mut packet = vec![b'$', 0];
        packet.extend_from_slice(&((RTP_BYTES + payload.len()) as u16).to_be_bytes());
        packet.extend_from_slice(&[0x80, 96]);
        packet.extend_from_slice(&number.to_be_bytes());
        packet.extend_from_slice(&[0; 8]);
        packet.extend_from_slice(payload);
        packet
    }

    #[test]
    fn a_picture_of_three_fragments_gets_an_empty_one_other_types_and_a_marker_at_its_sei() {
        let parts = [
            packet(65_535, &[0x06, 5, 1]),
            packet(0, &[0x7c, 0x85, 1, 2]),
            packet(1, &[0x7c, 0x05, 3, 4]),
            packet(2, &[0x7c, 0x45, 5, 6]),
        ];
        let (wire, added) = odd(&parts.concat());
        assert_eq!(added, 1);
        let mut sei = parts[0].clone();
        sei[5] |= 0x80;
        let expected = [
            sei,
            parts[1].clone(),
            packet(1, &[0x7c, 0x05]),
            packet(2, &[0x7c, 0x01, 3, 4]),
            packet(3, &[0x7c, 0x41, 5, 6]),
        ];
        assert_eq!(wire, expected.concat());
    }
}
