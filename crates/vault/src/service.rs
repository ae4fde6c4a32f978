//! What the recorder answers to the web role: where footage lies, what exists, and live frames (P5, R10).

use crate::{keeper::Permit, store::Location};
use domain::{Hour, ReelId, Span, StreamId, UtcMicros, Window};
use seal::reel::IndexEntry;
use serde::{Deserialize, Serialize};

/// Asked on the recorder's socket.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum RecorderAsk {
    /// Reels of a stream that touch the span, in the order of time, and those before them that may hold the start of its first
    /// group.
    Locate { stream: StreamId, span: Span },
    /// How many bytes a hold of these windows would take.
    Weigh { windows: Vec<Window> },
    /// What exists of a stream, and what is missing and why.
    Timeline { stream: StreamId, span: Span },
    /// From here on the connection carries [`LiveMessage`]s until the permit ends.
    Live { permit: Permit, stream: StreamId },
}

/// The answers, in the order of the questions.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum RecorderAnswer {
    Located(Vec<Located>),
    Weighed {
        bytes: u64,
    },
    Timeline(Timeline),
    /// The stream is open; pictures follow.
    Watching,
    /// The permit does not hold, or the question cannot be answered.
    Refused {
        why: String,
    },
}

/// Where a reel with footage of one stream lies, as the recorder tells (R10).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Located {
    pub reel: ReelId,
    pub hour: Hour,
    /// The stream's handle in this reel.
    pub handle: u16,
    pub location: Location,
    /// What the reel holds of the stream lies within.
    pub first_utc: UtcMicros,
    pub last_utc: UtcMicros,
    /// The stream's records, where the reel is open and has no index yet.
    pub entries: Option<Vec<IndexEntry>>,
}

/// What exists of one stream in a span.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timeline {
    pub footage: Vec<(UtcMicros, UtcMicros)>,
    pub gaps: Vec<TimelineGap>,
}

/// A time without footage, with its cause in both languages: the situation, and the remedy for while it lasts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineGap {
    pub from: UtcMicros,
    pub to: Option<UtcMicros>,
    pub cause: String,
    pub cause_fr: String,
    pub cause_en: String,
    pub remedy_fr: String,
    pub remedy_en: String,
}

/// One message of a live stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LiveMessage {
    Frame(LiveFrame),
    /// The viewer fell behind, or the source came back: what follows begins with a key frame.
    Jump,
    /// Pictures come, but the viewer cannot decode them before the next group starts.
    AwaitsGroup,
    /// Nothing to show for a second; also tells that the recorder lives.
    Idle,
    Ended,
}

/// A picture on its way to a viewer; in clear only here and only while somebody watches (P5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveFrame {
    /// As in `media::FrameKind::code`.
    pub kind: u8,
    pub utc: UtcMicros,
    pub dts: i64,
    pub pts: i64,
    /// Codec, width, height, decoder configuration; on frames that start a group.
    pub parameters: Option<(domain::Codec, u16, u16, Vec<u8>)>,
    pub data: Vec<u8>,
}

/// A live frame may be a picture of 8 MiB: these connections have their own bound.
pub const LIVE_MESSAGE_BYTES_MAX: usize = domain::limit::PICTURE_BYTES_MAX + 64 * 1024;

impl From<&media::Frame> for LiveFrame {
    fn from(frame: &media::Frame) -> LiveFrame {
        LiveFrame {
            kind: frame.kind.code(),
            utc: frame.utc,
            dts: frame.dts.0,
            pts: frame.pts.0,
            parameters: frame
                .parameters
                .as_ref()
                .map(|sets| (sets.codec, sets.width, sets.height, sets.config.to_vec())),
            data: frame.data.to_vec(),
        }
    }
}

impl LiveFrame {
    /// `None` for a kind that does not exist.
    pub fn into_frame(self) -> Option<media::Frame> {
        let sets = |(codec, width, height, config): (domain::Codec, u16, u16, Vec<u8>)| media::ParameterSets {
            codec,
            config: config.into(),
            width,
            height,
        };
        Some(media::Frame {
            kind: media::FrameKind::from_code(self.kind)?,
            utc: self.utc,
            dts: domain::MediaTicks(self.dts),
            pts: domain::MediaTicks(self.pts),
            data: self.data.into(),
            parameters: self.parameters.map(sets),
        })
    }
}
