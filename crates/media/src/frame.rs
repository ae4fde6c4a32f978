//! Coded pictures as the recorder hands them on: never decoded, never changed.

use bytes::Bytes;
use domain::{Codec, Hour, MediaTicks, StreamId, UtcMicros};

/// What a picture is for decoding, read from its own NAL unit types, never from a library's flag (vault.md R6).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum FrameKind {
    /// H.264 NAL type 5, H.265 types 19 and 20: decoding can begin here with nothing before it.
    Idr = 1,
    /// H.265 types 21 and 16 to 18: decoding can begin here, leading pictures apart.
    Cra = 2,
    /// H.264 SEI recovery point with recovery_frame_cnt 0 before an intra picture.
    RecoveryPoint = 3,
    /// H.265 types 6 to 9: shown before the group start it follows, undecodable when starting there (but see [`crate::Start`]).
    Leading = 4,
    /// Any other picture.
    Other = 5,
}

impl FrameKind {
    /// Whether a group of pictures begins here: replay may start.
    pub const fn starts_group(self) -> bool {
        matches!(self, FrameKind::Idr | FrameKind::Cra | FrameKind::RecoveryPoint)
    }
    pub const fn code(self) -> u8 {
        self as u8
    }
    pub const fn from_code(code: u8) -> Option<FrameKind> {
        match code {
            1 => Some(FrameKind::Idr),
            2 => Some(FrameKind::Cra),
            3 => Some(FrameKind::RecoveryPoint),
            4 => Some(FrameKind::Leading),
            5 => Some(FrameKind::Other),
            _ => None,
        }
    }
}

/// Parameter sets in force, with what a player has to know before the first picture.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct ParameterSets {
    pub codec: Codec,
    /// H.264: AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3.1), the contents of `avcC`; H.265:
    /// HEVCDecoderConfigurationRecord (8.3.3.1), the contents of `hvcC`.
    pub config: Bytes,
    /// Pixels after cropping.
    pub width: u16,
    pub height: u16,
}

/// One coded picture (access unit).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frame {
    pub kind: FrameKind,
    /// UTC at which the picture was taken, as well as the recorder knows (R9): that of its `pts`.
    pub utc: UtcMicros,
    /// Decoding and presentation time on the session's media clock: `dts` rises strictly, `dts ≤ pts`.
    pub dts: MediaTicks,
    pub pts: MediaTicks,
    /// NAL units, each after its length in four bytes, big endian (ISO/IEC 14496-15); parameter sets are not among them.
    pub data: Bytes,
    /// The parameter sets in force, on each frame that starts a group.
    pub parameters: Option<ParameterSets>,
}

impl Frame {
    /// UTC at which the picture is decoded. Later pictures of the session are neither decoded nor shown before.
    pub fn decode_utc(&self) -> UtcMicros {
        self.utc.plus_micros(-MediaTicks(self.pts.0.saturating_sub(self.dts.0)).micros())
    }
}

/// One line of a chunk's frame table (R6).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FrameEntry {
    pub kind: FrameKind,
    pub dts: MediaTicks,
    pub pts: MediaTicks,
    /// Bytes of the picture in the chunk's data.
    pub size: u32,
}

/// At most 0.5 s and 256 KiB of one stream, sealed as one unit (R1). In clear: lives in memory only.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chunk {
    pub stream: StreamId,
    /// The hour whose keys seal it: that of its first frame, or the one before within ten seconds of its end (R8).
    pub hour: Hour,
    /// UTC of the frames that are shown first and last; with B pictures these need not be the first and last decoded.
    pub first_utc: UtcMicros,
    pub last_utc: UtcMicros,
    /// In decoding order; never empty.
    pub frames: Vec<FrameEntry>,
    /// The parameter sets, where the chunk starts a group (its first frame does).
    pub parameters: Option<ParameterSets>,
    /// The frames' data, one after the other.
    pub data: Vec<u8>,
}

impl Chunk {
    /// Whether replay may start at this chunk.
    pub fn starts_group(&self) -> bool {
        self.frames.first().is_some_and(|frame| frame.kind.starts_group()) && self.parameters.is_some()
    }

    /// UTC at which its first frame is decoded: rises from chunk to chunk of a session, which the times shown need not.
    pub fn decode_utc(&self) -> UtcMicros {
        let later = |frame: &FrameEntry| MediaTicks(frame.pts.0.saturating_sub(frame.dts.0)).micros();
        self.frames.first().map_or(self.first_utc, |frame| self.utc_of(frame).plus_micros(-later(frame)))
    }

    /// UTC of a frame of this chunk, by its presentation time.
    pub fn utc_of(&self, frame: &FrameEntry) -> UtcMicros {
        let first = self.frames.iter().map(|frame| frame.pts).min().unwrap_or(frame.pts);
        self.first_utc.plus_micros(MediaTicks(frame.pts.0.saturating_sub(first.0)).micros())
    }
}
