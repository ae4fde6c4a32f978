//! From an Annex B clip to RTP: access units cut once, packets built once, patched when sent (RFC 6184 mode 1, RFC 7798).

use crate::coding::Codec;
use crate::mark::{Mark, write_mark};
use crate::nal::{NalKind, PictureKind, nal_kind};

pub use crate::depacketise::Depacketiser;
pub use crate::nal::{NalDigest, nal_digest, split_annex_b};

/// Bytes of the RTSP interleaved header before each stored packet (RFC 2326, 10.12).
pub const INTERLEAVED_BYTES: usize = 4;
/// Bytes of an RTP header without extensions (RFC 3550, 5.1).
pub const RTP_BYTES: usize = 12;
/// An RTP payload stays under this: what fits an Ethernet frame with room for tunnels.
pub const PAYLOAD_BYTES_MAX: usize = 1_400;
/// The dynamic payload type we give the video.
pub const VIDEO_PAYLOAD_TYPE: u8 = 96;

const H264_STAP_A: u8 = 24;
const H264_FU_A: u8 = 28;
const H265_AP: u8 = 48;
const H265_FU: u8 = 49;

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
    pub codec: Codec,
    /// Empty for H.264.
    pub vps: Vec<u8>,
    /// Of the clip's first picture; others may follow where parameter sets change.
    pub sps: Vec<u8>,
    pub pps: Vec<u8>,
    /// In decoding order; the first is a key frame.
    pub frames: Vec<CodedFrame>,
    /// Frames by which sending must wait so that no picture is sent before it is taken: 0 without B pictures.
    pub delay: u32,
}

/// One access unit: its NAL units and its packets.
#[derive(Debug)]
pub struct CodedFrame {
    pub kind: PictureKind,
    /// Frames by which it is shown later (negative: earlier) than its place in decoding order, counted from the clip's
    /// first picture.
    pub offset: i64,
    /// Frame of the scene's ground truth.
    pub truth_frame: u32,
    /// What is sent before a key picture: (VPS,) SPS, PPS.
    pub parameter_sets: Vec<Vec<u8>>,
    /// Slices, without parameter sets; the mark is added when sent.
    pub slices: Vec<Vec<u8>>,
    codec: Codec,
    slice_digests: Vec<NalDigest>,
    /// Packets back to back, each an interleaved header, an RTP header, a payload.
    packets: Vec<u8>,
    /// Where each packet begins.
    starts: Vec<usize>,
    /// Where the mark's NAL unit lies.
    mark: std::ops::Range<usize>,
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

/// A picture while the stream is cut.
struct Unit<'a> {
    kind: PictureKind,
    parameter_sets: Vec<&'a [u8]>,
    slices: Vec<&'a [u8]>,
}

impl CodedClip {
    /// Cuts an Annex B stream into access units and packetises them. SEI and delimiters of the encoder are left out.
    /// Pictures are shown in the order in which they stand.
    pub fn from_annex_b(codec: Codec, data: &[u8]) -> Result<CodedClip, StreamError> {
        let units = cut(codec, data)?;
        let order: Vec<u32> = (0..units.len() as u32).collect();
        CodedClip::build(codec, units, &order, order.len() as u32)
    }

    /// The same for pictures that are shown in another order: `order` has each picture's place among those shown. The
    /// scene's truth begins anew each `scene_frames`. With `open`, only what lies from the second key picture to the last
    /// is taken: `scene_frames` pictures that may follow themselves.
    pub fn reordered(
        codec: Codec,
        data: &[u8],
        order: &[u32],
        scene_frames: u32,
        open: bool,
    ) -> Result<CodedClip, StreamError> {
        let mut units = cut(codec, data)?;
        let missing = StreamError::Missing { what: "picture that its list has" };
        if units.len() != order.len() {
            return Err(missing);
        }
        if !open {
            return CodedClip::build(codec, units, order, scene_frames);
        }
        let from = (1..units.len()).find(|&n| units[n].kind.is_key()).ok_or(missing.clone())?;
        let to = from + scene_frames as usize;
        if units.get(to).is_none_or(|unit| !unit.kind.is_key()) {
            return Err(missing);
        }
        CodedClip::build(codec, units.drain(from..to).collect(), &order[from..to], scene_frames)
    }

    fn build(codec: Codec, units: Vec<Unit>, order: &[u32], scene_frames: u32) -> Result<CodedClip, StreamError> {
        let Some(first) = units.first() else { return Err(StreamError::Missing { what: "picture" }) };
        if !first.kind.is_key() {
            return Err(StreamError::NoKeyFrameFirst);
        }
        let set =
            |wanted| first.parameter_sets.iter().find(|nal| nal_kind(codec, nal) == wanted).map(|nal| nal.to_vec());
        let vps = set(NalKind::Vps).unwrap_or_default();
        let sps = set(NalKind::Sps).ok_or(StreamError::Missing { what: "SPS" })?;
        let pps = set(NalKind::Pps).ok_or(StreamError::Missing { what: "PPS" })?;
        let start = i64::from(order[0]);
        let frames: Vec<CodedFrame> = units
            .iter()
            .zip(order)
            .enumerate()
            .map(|(n, (unit, &shown))| {
                let frame = CodedFrame { offset: i64::from(shown) - start - n as i64, ..CodedFrame::new(codec, unit) };
                CodedFrame { truth_frame: shown % scene_frames, ..frame }
            })
            .collect();
        let delay = frames.iter().map(|frame| frame.offset).max().unwrap_or(0).max(0) as u32;
        Ok(CodedClip { codec, vps, sps, pps, frames, delay })
    }
}

impl CodedClip {
    /// Leaves places empty in which nothing is sent: `places` has each picture's, of `length`. For pictures that are shown in
    /// the order in which they stand.
    pub fn spread(mut self, places: &[u32], length: u32) -> CodedClip {
        let blank = |_| CodedFrame::blank(self.codec);
        let mut frames: Vec<CodedFrame> = (0..length).map(blank).collect();
        for (frame, place) in self.frames.drain(..).zip(places) {
            if let Some(empty) = frames.get_mut(*place as usize) {
                *empty = CodedFrame { offset: 0, ..frame };
            }
        }
        CodedClip { frames, delay: 0, ..self }
    }
}

/// Pictures with the parameter sets that hold at each key picture.
fn cut(codec: Codec, data: &[u8]) -> Result<Vec<Unit<'_>>, StreamError> {
    let mut sets: Vec<(NalKind, &[u8])> = Vec::new();
    let mut units: Vec<Unit> = Vec::new();
    for nal in split_annex_b(data) {
        match nal_kind(codec, nal) {
            kind @ (NalKind::Vps | NalKind::Sps | NalKind::Pps) => {
                sets.retain(|(of, _)| *of != kind);
                sets.push((kind, nal));
            }
            NalKind::Slice { first: true, picture } => {
                let wanted = if picture.is_key() { [NalKind::Vps, NalKind::Sps, NalKind::Pps].as_slice() } else { &[] };
                let parameter_sets =
                    wanted.iter().filter_map(|kind| sets.iter().find(|(of, _)| of == kind)).map(|(_, nal)| *nal);
                units.push(Unit { kind: picture, parameter_sets: parameter_sets.collect(), slices: vec![nal] });
            }
            NalKind::Slice { first: false, .. } => {
                units.last_mut().ok_or(StreamError::NoKeyFrameFirst)?.slices.push(nal)
            }
            NalKind::Other => {}
        }
    }
    let seen = |kind| sets.iter().any(|(of, _)| *of == kind);
    if !seen(NalKind::Sps) {
        return Err(StreamError::Missing { what: "SPS" });
    }
    Ok(units)
}

impl CodedFrame {
    fn blank(codec: Codec) -> CodedFrame {
        CodedFrame {
            kind: PictureKind::Other,
            offset: 0,
            truth_frame: 0,
            parameter_sets: Vec::new(),
            slices: Vec::new(),
            codec,
            slice_digests: Vec::new(),
            packets: Vec::new(),
            starts: Vec::new(),
            mark: 0..0,
        }
    }

    /// A place in which nothing is sent.
    pub fn is_blank(&self) -> bool {
        self.slices.is_empty()
    }

    fn new(codec: Codec, unit: &Unit) -> CodedFrame {
        let mut frame = CodedFrame {
            kind: unit.kind,
            offset: 0,
            truth_frame: 0,
            parameter_sets: unit.parameter_sets.iter().map(|nal| nal.to_vec()).collect(),
            slices: unit.slices.iter().map(|nal| nal.to_vec()).collect(),
            codec,
            slice_digests: unit.slices.iter().map(|nal| nal_digest(nal)).collect(),
            packets: Vec::new(),
            starts: Vec::new(),
            mark: 0..0,
        };
        frame.push_parameter_sets(&unit.parameter_sets);
        let mark = write_mark(codec, Mark { camera: 0, frame: 0 });
        frame.push_packet(&[&mark]);
        frame.mark = frame.packets.len() - mark.len()..frame.packets.len();
        for nal in &unit.slices {
            frame.push_nal(nal);
        }
        if let Some(&last) = frame.starts.last() {
            frame.packets[last + INTERLEAVED_BYTES + 1] |= 0x80; // marker: the access unit ends
        }
        frame
    }

    /// As real cameras do both: aggregated, or, before a CRA, each in a packet of its own.
    fn push_parameter_sets(&mut self, sets: &[&[u8]]) {
        if sets.is_empty() {
            return;
        }
        if self.kind == PictureKind::Cra {
            return sets.iter().for_each(|nal| self.push_packet(&[nal]));
        }
        let lengths: Vec<[u8; 2]> = sets.iter().map(|nal| (nal.len() as u16).to_be_bytes()).collect();
        let header: &[u8] = match self.codec {
            Codec::H264 => &[0x60 | H264_STAP_A],
            Codec::H265 => &[H265_AP << 1, 1],
        };
        let parts = sets.iter().zip(&lengths).flat_map(|(nal, length)| [length.as_slice(), nal]);
        self.push_packet(&[header].into_iter().chain(parts).collect::<Vec<_>>());
    }

    /// Packets of one NAL unit: whole, or in fragments (RFC 6184, 5.6 and 5.8; RFC 7798, 4.4.1 and 4.4.3).
    fn push_nal(&mut self, nal: &[u8]) {
        if nal.len() <= PAYLOAD_BYTES_MAX {
            return self.push_packet(&[nal]);
        }
        let (header, kind, header_bytes) = match self.codec {
            Codec::H264 => (vec![(nal[0] & 0xe0) | H264_FU_A], nal[0] & 0x1f, 1),
            Codec::H265 => (vec![(nal[0] & 0x81) | H265_FU << 1, nal[1]], nal[0] >> 1 & 0x3f, 2),
        };
        let mut parts = nal[header_bytes..].chunks(PAYLOAD_BYTES_MAX - header_bytes - 1).peekable();
        let mut start = 0x80;
        while let Some(part) = parts.next() {
            let end = if parts.peek().is_none() { 0x40 } else { 0 };
            self.push_packet(&[&header, &[kind | start | end], part]);
            start = 0;
        }
    }

    fn push_packet(&mut self, payload: &[&[u8]]) {
        let bytes: usize = payload.iter().map(|part| part.len()).sum();
        self.starts.push(self.packets.len());
        self.packets.extend_from_slice(&[b'$', 0]);
        self.packets.extend_from_slice(&((RTP_BYTES + bytes) as u16).to_be_bytes());
        self.packets.extend_from_slice(&[0x80, VIDEO_PAYLOAD_TYPE]);
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
        out[self.mark.clone()].copy_from_slice(&write_mark(self.codec, stamp.mark));
        sequence
    }

    /// This frame with so many bytes of filler behind its slices, as a coder at a fixed rate adds them.
    pub fn with_filler(&self, bytes: usize) -> CodedFrame {
        let mut filler: Vec<u8> = match self.codec {
            Codec::H264 => vec![12],
            Codec::H265 => vec![38 << 1, 1],
        };
        filler.resize(filler.len() + bytes, 0xff);
        filler.push(0x80);
        let parameter_sets: Vec<&[u8]> = self.parameter_sets.iter().map(Vec::as_slice).collect();
        let slices: Vec<&[u8]> = self.slices.iter().map(Vec::as_slice).chain([filler.as_slice()]).collect();
        let frame = CodedFrame::new(self.codec, &Unit { kind: self.kind, parameter_sets, slices });
        CodedFrame { offset: self.offset, truth_frame: self.truth_frame, ..frame }
    }

    /// Digests of the NAL units as sent with this mark, in order, without parameter sets.
    pub fn digests(&self, mark: Mark) -> Vec<NalDigest> {
        let mut digests = vec![nal_digest(&write_mark(self.codec, mark))];
        digests.extend_from_slice(&self.slice_digests);
        digests
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mark::read_mark;

    /// A stream of three pictures: small, of many fragments, of two slices.
    fn stream(codec: Codec) -> Vec<u8> {
        let big = |header: &[u8]| -> Vec<u8> {
            header.iter().copied().chain((0..9_000u32).map(|n| (n % 251) as u8 | 1)).collect()
        };
        let nals: Vec<Vec<u8>> = match codec {
            Codec::H264 => vec![
                vec![0x67, 0x64, 0, 31, 1],
                vec![0x68, 0xee, 1],
                big(&[0x65, 0x88]),
                vec![0x41, 0x9a, 7],
                vec![0x41, 0x9b, 8],
                vec![0x41, 0x10, 9],
            ],
            Codec::H265 => vec![
                vec![64, 1, 12, 1],
                vec![66, 1, 1, 1],
                vec![68, 1, 193],
                big(&[20 << 1, 1, 0x88]),
                vec![2, 1, 0x9a, 7],
                vec![2, 1, 0x9b, 8],
                vec![2, 1, 0x10, 9],
            ],
        };
        nals.iter().flat_map(|nal| [&[0, 0, 0, 1], nal.as_slice()].concat()).collect()
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

    /// NAL units of a frame as they come back from its packets.
    fn round_trip(codec: Codec, frame: &CodedFrame, mark: Mark) -> Vec<Vec<u8>> {
        let mut wire = Vec::new();
        let next = frame.stamp(stamp(mark.frame), &mut wire);
        assert_eq!(next, 65_534u16.wrapping_add(frame.packet_count() as u16));
        let mut depacketiser = Depacketiser::of(codec);
        payloads(&wire).iter().flat_map(|payload| depacketiser.push(payload).unwrap()).collect()
    }

    fn check_round_trip(codec: Codec) {
        let clip = CodedClip::from_annex_b(codec, &stream(codec)).unwrap();
        assert_eq!((clip.frames.len(), clip.delay), (3, 0));
        for (number, frame) in clip.frames.iter().enumerate() {
            let mark = Mark { camera: 2, frame: number as u64 };
            let mut nals = round_trip(codec, frame, mark);
            if frame.kind.is_key() {
                let sets = [&clip.vps, &clip.sps, &clip.pps].into_iter().filter(|set| !set.is_empty()).cloned();
                let sets: Vec<Vec<u8>> = sets.collect();
                assert_eq!(nals.drain(..sets.len()).collect::<Vec<_>>(), sets);
            }
            assert_eq!(read_mark(&nals[0]), Some(mark));
            assert_eq!(nals[1..], frame.slices);
            assert_eq!(nals.iter().map(|nal| nal_digest(nal)).collect::<Vec<_>>(), frame.digests(mark));
        }
    }

    #[test]
    fn what_is_packetised_comes_back_the_same() {
        check_round_trip(Codec::H264);
    }

    #[test]
    fn what_is_packetised_in_h265_comes_back_the_same() {
        check_round_trip(Codec::H265);
    }

    #[test]
    fn filler_is_a_nal_unit_of_its_own_and_counted_among_what_was_sent() {
        for codec in [Codec::H264, Codec::H265] {
            let clip = CodedClip::from_annex_b(codec, &stream(codec)).unwrap();
            let frame = clip.frames[1].with_filler(500_000);
            let mark = Mark { camera: 2, frame: 1 };
            let nals = round_trip(codec, &frame, mark);
            assert_eq!(nals[1..nals.len() - 1], clip.frames[1].slices);
            assert_eq!(nals.iter().map(|nal| nal_digest(nal)).collect::<Vec<_>>(), frame.digests(mark));
            assert!(frame.payload_bytes() > 500_000);
        }
    }

    #[test]
    fn two_sendings_of_one_frame_differ() {
        let clip = CodedClip::from_annex_b(Codec::H264, &stream(Codec::H264)).unwrap();
        let digests = |frame| clip.frames[1].digests(Mark { camera: 1, frame });
        assert_ne!(digests(1), digests(4));
    }

    #[test]
    fn a_picture_is_never_sent_before_it_is_taken() {
        let data = stream(Codec::H264);
        let clip = CodedClip::reordered(Codec::H264, &data, &[0, 2, 1], 2, false).unwrap();
        assert_eq!(clip.frames.iter().map(|frame| frame.offset).collect::<Vec<_>>(), [0, 1, -1]);
        assert_eq!(clip.frames.iter().map(|frame| frame.truth_frame).collect::<Vec<_>>(), [0, 0, 1]);
        assert_eq!(clip.delay, 1);
    }

    #[test]
    fn a_stream_without_parameter_sets_or_key_frame_is_refused() {
        let refusal = |data: &[u8]| CodedClip::from_annex_b(Codec::H264, data).unwrap_err();
        assert_eq!(refusal(&[]), StreamError::Missing { what: "SPS" });
        let only_p = [0, 0, 1, 0x67, 1, 0, 0, 1, 0x68, 1, 0, 0, 1, 0x41, 0x9a];
        assert_eq!(refusal(&only_p), StreamError::NoKeyFrameFirst);
    }
}
