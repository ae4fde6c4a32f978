//! NAL units put together again from RTP payloads (RFC 6184: single, STAP-A, FU-A; RFC 7798: single, AP, FU). For tests.

use crate::coding::Codec;

/// Takes the payloads of one track in order.
#[derive(Debug, Default)]
pub struct Depacketiser {
    codec: Codec,
    fragment: Vec<u8>,
}

impl Depacketiser {
    pub fn of(codec: Codec) -> Depacketiser {
        Depacketiser { codec, fragment: Vec::new() }
    }

    /// NAL units that this payload completes; `None` for a payload that has no meaning here.
    pub fn push(&mut self, payload: &[u8]) -> Option<Vec<Vec<u8>>> {
        match self.codec {
            Codec::H264 => match payload.first()? & 0x1f {
                24 => split_lengths(&payload[1..]),
                28 => {
                    let (header, part) = payload.split_first_chunk::<2>()?;
                    Some(self.fragment(header[1], &[(header[0] & 0xe0) | (header[1] & 0x1f)], part))
                }
                1..=23 => Some(vec![payload.to_vec()]),
                _ => None,
            },
            Codec::H265 => match payload.first()? >> 1 & 0x3f {
                48 => split_lengths(payload.get(2..)?),
                49 => {
                    let (header, part) = payload.split_first_chunk::<3>()?;
                    let nal = [(header[0] & 0x81) | ((header[2] & 0x3f) << 1), header[1]];
                    Some(self.fragment(header[2], &nal, part))
                }
                0..=40 => Some(vec![payload.to_vec()]),
                _ => None,
            },
        }
    }

    /// `flags` has start and end as its two highest bits in both formats.
    fn fragment(&mut self, flags: u8, nal_header: &[u8], part: &[u8]) -> Vec<Vec<u8>> {
        if flags & 0x80 != 0 {
            self.fragment = nal_header.to_vec();
        }
        self.fragment.extend_from_slice(part);
        if flags & 0x40 != 0 { vec![std::mem::take(&mut self.fragment)] } else { Vec::new() }
    }
}

fn split_lengths(mut rest: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut nals = Vec::new();
    while !rest.is_empty() {
        let (length, after) = rest.split_first_chunk::<2>()?;
        let (nal, after) = after.split_at_checked(u16::from_be_bytes(*length).into())?;
        nals.push(nal.to_vec());
        rest = after;
    }
    Some(nals)
}
