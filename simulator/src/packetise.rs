//! From an Annex B clip to RTP: access units cut once, packets built once, patched when sent (RFC 6184, mode 1).

use crate::mark::{MARK_BYTES, Mark, write_mark};
use aws_lc_rs::digest::{SHA256, digest};

/// Bytes of the RTSP interleaved header before each stored packet (RFC 2326, 10.12).
pub const INTERLEAVED_BYTES: usize = 4;
/// Bytes of an RTP header without extensions (RFC 3550, 5.1).
pub const RTP_BYTES: usize = 12;
/// An RTP payload stays under this: what fits an Ethernet frame with room for tunnels.
pub const PAYLOAD_BYTES_MAX: usize = 1_400;
/// The dynamic payload type we give H.264.
pub const H264_PAYLOAD_TYPE: u8 = 96;

const NAL_SLICE: u8 = 1;
const NAL_IDR: u8 = 5;
const NAL_SPS: u8 = 7;
const NAL_PPS: u8 = 8;
const NAL_STAP_A: u8 = 24;
const NAL_FU_A: u8 = 28;

/// SHA-256 of one NAL unit, without start code or length.
pub type NalDigest = [u8; 32];

/// Why a clip cannot be sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StreamError {
    #[error("the clip holds no {what}: delete it from the cache, it is rendered again at the next start")]
    Missing { what: &'static str },
    #[error(
        "the clip does not begin with a key frame: delete it from the cache, it is rendered again at the next start"
    )]
    NoKeyFrameFirst,
}

/// A clip ready to be sent.
#[derive(Debug)]
pub struct CodedClip {
    pub sps: Vec<u8>,
    pub pps: Vec<u8>,
    /// In decoding order; the first is a key frame.
    pub frames: Vec<CodedFrame>,
}

/// One access unit: its NAL units and its packets.
#[derive(Debug)]
pub struct CodedFrame {
    pub idr: bool,
    /// Slices, without parameter sets; the mark is added when sent.
    pub slices: Vec<Vec<u8>>,
    slice_digests: Vec<NalDigest>,
    /// Packets back to back, each an interleaved header, an RTP header, a payload.
    packets: Vec<u8>,
    /// Where each packet begins.
    starts: Vec<usize>,
    /// Where the mark's NAL unit lies.
    mark_at: usize,
}

/// What differs between two sendings of one frame.
#[derive(Clone, Copy, Debug)]
pub struct Stamp {
    /// The interleaved channel of RTP.
    pub channel: u8,
    /// Of the first packet.
    pub sequence: u16,
    /// 90 kHz.
    pub timestamp: u32,
    pub ssrc: u32,
    pub mark: Mark,
}

impl CodedClip {
    /// Cuts an Annex B stream into access units and packetises them. SEI and delimiters of the encoder are left out.
    pub fn from_annex_b(data: &[u8]) -> Result<CodedClip, StreamError> {
        let (mut sps, mut pps) = (None, None);
        let mut units: Vec<Vec<&[u8]>> = Vec::new();
        for nal in split_annex_b(data) {
            match nal[0] & 0x1f {
                NAL_SPS => sps = sps.or(Some(nal)),
                NAL_PPS => pps = pps.or(Some(nal)),
                // first_mb_in_slice is 0 (its Exp-Golomb code begins with a 1): a new picture.
                NAL_SLICE | NAL_IDR if nal.get(1).is_some_and(|byte| byte & 0x80 != 0) => units.push(vec![nal]),
                NAL_SLICE | NAL_IDR => units.last_mut().ok_or(StreamError::NoKeyFrameFirst)?.push(nal),
                _ => {}
            }
        }
        let sps = sps.ok_or(StreamError::Missing { what: "SPS" })?.to_vec();
        let pps = pps.ok_or(StreamError::Missing { what: "PPS" })?.to_vec();
        let frames: Vec<CodedFrame> = units.iter().map(|slices| CodedFrame::new(slices, &sps, &pps)).collect();
        match frames.first() {
            None => Err(StreamError::Missing { what: "picture" }),
            Some(first) if !first.idr => Err(StreamError::NoKeyFrameFirst),
            Some(_) => Ok(CodedClip { sps, pps, frames }),
        }
    }
}

impl CodedFrame {
    fn new(slices: &[&[u8]], sps: &[u8], pps: &[u8]) -> CodedFrame {
        let idr = slices.iter().any(|nal| nal[0] & 0x1f == NAL_IDR);
        let mut frame = CodedFrame {
            idr,
            slices: slices.iter().map(|nal| nal.to_vec()).collect(),
            slice_digests: slices.iter().map(|nal| nal_digest(nal)).collect(),
            packets: Vec::new(),
            starts: Vec::new(),
            mark_at: 0,
        };
        if idr {
            frame.push_packet(&[&[0x60 | NAL_STAP_A], &length16(sps), sps, &length16(pps), pps]);
        }
        let mark = write_mark(Mark { camera: 0, frame: 0 });
        frame.push_packet(&[&mark]);
        frame.mark_at = frame.packets.len() - MARK_BYTES;
        for nal in slices {
            frame.push_nal(nal);
        }
        if let Some(&last) = frame.starts.last() {
            frame.packets[last + INTERLEAVED_BYTES + 1] |= 0x80; // marker: the access unit ends
        }
        frame
    }

    /// Packets of one NAL unit: whole, or in fragments (RFC 6184, 5.6 and 5.8).
    fn push_nal(&mut self, nal: &[u8]) {
        if nal.len() <= PAYLOAD_BYTES_MAX {
            return self.push_packet(&[nal]);
        }
        let indicator = (nal[0] & 0xe0) | NAL_FU_A;
        let mut parts = nal[1..].chunks(PAYLOAD_BYTES_MAX - 2).peekable();
        let mut start = 0x80;
        while let Some(part) = parts.next() {
            let end = if parts.peek().is_none() { 0x40 } else { 0 };
            self.push_packet(&[&[indicator, (nal[0] & 0x1f) | start | end], part]);
            start = 0;
        }
    }

    fn push_packet(&mut self, payload: &[&[u8]]) {
        let bytes: usize = payload.iter().map(|part| part.len()).sum();
        self.starts.push(self.packets.len());
        self.packets.extend_from_slice(&[b'$', 0]);
        self.packets.extend_from_slice(&((RTP_BYTES + bytes) as u16).to_be_bytes());
        self.packets.extend_from_slice(&[0x80, H264_PAYLOAD_TYPE]);
        self.packets.extend_from_slice(&[0; RTP_BYTES - 2]);
        payload.iter().for_each(|part| self.packets.extend_from_slice(part));
    }

    /// RTP packets of this frame.
    pub fn packet_count(&self) -> usize {
        self.starts.len()
    }
    /// RTP payload bytes of this frame.
    pub fn payload_bytes(&self) -> usize {
        self.packets.len() - self.starts.len() * (INTERLEAVED_BYTES + RTP_BYTES)
    }

    /// Writes the packets as they go on the wire into `out` (emptied first); gives the next sequence number.
    pub fn stamp(&self, stamp: Stamp, out: &mut Vec<u8>) -> u16 {
        out.clear();
        out.extend_from_slice(&self.packets);
        let mut sequence = stamp.sequence;
        for &start in &self.starts {
            out[start + 1] = stamp.channel;
            let header = &mut out[start + INTERLEAVED_BYTES..start + INTERLEAVED_BYTES + RTP_BYTES];
            header[2..4].copy_from_slice(&sequence.to_be_bytes());
            header[4..8].copy_from_slice(&stamp.timestamp.to_be_bytes());
            header[8..12].copy_from_slice(&stamp.ssrc.to_be_bytes());
            sequence = sequence.wrapping_add(1);
        }
        out[self.mark_at..self.mark_at + MARK_BYTES].copy_from_slice(&write_mark(stamp.mark));
        sequence
    }

    /// Digests of the NAL units as sent with this mark, in order, without parameter sets.
    pub fn digests(&self, mark: Mark) -> Vec<NalDigest> {
        let mut digests = vec![nal_digest(&write_mark(mark))];
        digests.extend_from_slice(&self.slice_digests);
        digests
    }
}

/// SHA-256 of a NAL unit.
pub fn nal_digest(nal: &[u8]) -> NalDigest {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(digest(&SHA256, nal).as_ref());
    bytes
}

/// Puts NAL units together again from RTP payloads in order (RFC 6184: single, STAP-A, FU-A). For tests.
#[derive(Debug, Default)]
pub struct Depacketiser {
    fragment: Vec<u8>,
}

impl Depacketiser {
    /// NAL units that this payload completes; `None` for a payload that has no meaning here.
    pub fn push(&mut self, payload: &[u8]) -> Option<Vec<Vec<u8>>> {
        match payload.first()? & 0x1f {
            NAL_STAP_A => {
                let mut nals = Vec::new();
                let mut rest = &payload[1..];
                while !rest.is_empty() {
                    let (length, after) = rest.split_first_chunk::<2>()?;
                    let (nal, after) = after.split_at_checked(u16::from_be_bytes(*length).into())?;
                    nals.push(nal.to_vec());
                    rest = after;
                }
                Some(nals)
            }
            NAL_FU_A => {
                let (header, part) = payload.split_first_chunk::<2>()?;
                if header[1] & 0x80 != 0 {
                    self.fragment = vec![(header[0] & 0xe0) | (header[1] & 0x1f)];
                }
                self.fragment.extend_from_slice(part);
                Some(if header[1] & 0x40 != 0 { vec![std::mem::take(&mut self.fragment)] } else { Vec::new() })
            }
            1..=23 => Some(vec![payload.to_vec()]),
            _ => None,
        }
    }
}

/// NAL units of an Annex B byte stream (ITU-T H.264, annex B), without start codes and trailing zeros.
pub fn split_annex_b(data: &[u8]) -> Vec<&[u8]> {
    let mut starts = Vec::new();
    let mut at = 0;
    while at + 3 <= data.len() {
        if data[at..at + 3] == [0, 0, 1] {
            starts.push(at);
            at += 3;
        } else {
            at += 1;
        }
    }
    let ends = starts.iter().skip(1).copied().chain([data.len()]);
    starts
        .iter()
        .zip(ends)
        .map(|(&start, end)| trim_zeros(&data[start + 3..end]))
        .filter(|nal| !nal.is_empty())
        .collect()
}

fn trim_zeros(nal: &[u8]) -> &[u8] {
    let kept = nal.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    &nal[..kept]
}

fn length16(nal: &[u8]) -> [u8; 2] {
    (nal.len() as u16).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mark::read_mark;

    /// A stream of three pictures: small, of many fragments, of two slices.
    fn stream() -> Vec<u8> {
        let big: Vec<u8> = [0x65, 0x88].into_iter().chain((0..9_000u32).map(|n| (n % 251) as u8 | 1)).collect();
        let nals: [&[u8]; 6] =
            [&[0x67, 0x64, 0, 31, 1], &[0x68, 0xee, 1], &big, &[0x41, 0x9a, 7], &[0x41, 0x9b, 8], &[0x41, 0x10, 9]];
        nals.iter().flat_map(|nal| [&[0, 0, 0, 1], *nal].concat()).collect()
    }

    fn stamp(frame: u64) -> Stamp {
        Stamp { channel: 4, sequence: 65_534, timestamp: 77, ssrc: 88, mark: Mark { camera: 2, frame } }
    }

    /// Payloads of packets as they go on the wire, headers checked.
    fn payloads(wire: &[u8]) -> Vec<Vec<u8>> {
        let (mut at, mut sequence, mut payloads) = (0, 65_534u16, Vec::new());
        while at < wire.len() {
            assert_eq!(wire[at..at + 2], [b'$', 4]);
            let bytes = u16::from_be_bytes([wire[at + 2], wire[at + 3]]) as usize;
            let packet = &wire[at + 4..at + 4 + bytes];
            assert!(bytes <= RTP_BYTES + PAYLOAD_BYTES_MAX);
            assert_eq!(packet[2..4], sequence.to_be_bytes());
            at += 4 + bytes;
            assert_eq!(packet[1] & 0x80 != 0, at == wire.len(), "the marker is on the last packet and on no other");
            sequence = sequence.wrapping_add(1);
            payloads.push(packet[RTP_BYTES..].to_vec());
        }
        payloads
    }

    #[test]
    fn what_is_packetised_comes_back_the_same() {
        let clip = CodedClip::from_annex_b(&stream()).unwrap();
        assert_eq!(clip.frames.len(), 3);
        for (number, frame) in clip.frames.iter().enumerate() {
            let mark = Mark { camera: 2, frame: number as u64 };
            let mut wire = Vec::new();
            let next = frame.stamp(stamp(mark.frame), &mut wire);
            assert_eq!(next, 65_534u16.wrapping_add(frame.packet_count() as u16));
            let mut depacketiser = Depacketiser::default();
            let mut nals: Vec<Vec<u8>> =
                payloads(&wire).iter().flat_map(|payload| depacketiser.push(payload).unwrap()).collect();
            if frame.idr {
                assert_eq!(nals.drain(..2).collect::<Vec<_>>(), [clip.sps.clone(), clip.pps.clone()]);
            }
            assert_eq!(read_mark(&nals[0]), Some(mark));
            assert_eq!(nals[1..], frame.slices);
            assert_eq!(nals.iter().map(|nal| nal_digest(nal)).collect::<Vec<_>>(), frame.digests(mark));
        }
    }

    #[test]
    fn two_sendings_of_one_frame_differ() {
        let clip = CodedClip::from_annex_b(&stream()).unwrap();
        let digests = |frame| clip.frames[1].digests(Mark { camera: 1, frame });
        assert_ne!(digests(1), digests(4));
    }

    #[test]
    fn a_stream_without_parameter_sets_or_key_frame_is_refused() {
        assert_eq!(CodedClip::from_annex_b(&[]).unwrap_err(), StreamError::Missing { what: "SPS" });
        let only_p = [0, 0, 1, 0x67, 1, 0, 0, 1, 0x68, 1, 0, 0, 1, 0x41, 0x9a];
        assert_eq!(CodedClip::from_annex_b(&only_p).unwrap_err(), StreamError::NoKeyFrameFirst);
    }
}
