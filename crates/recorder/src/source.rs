//! The seam between cameras and the recorder: two methods, so that another RTSP client can take retina's place.

pub mod address;
pub mod anchor;
pub mod retina;
pub mod timestamps;

pub use address::{CameraUrl, Credentials, UrlError};
pub use anchor::{Anchor, ClockJump};
pub use timestamps::{Stamp, Timestamps};

use crate::health::GapCause;
use bytes::Bytes;
use domain::{Codec, MediaTicks, UtcMicros};
use media::{FrameKind, ParameterSets};
use std::task::{Context, Poll};

/// A playing session of one video stream.
///
/// A client that waits registers `context`'s waker; one that is driven by ticks may ignore it, because the ingest
/// thread looks every tick anyway (R15).
pub trait Source {
    /// The next coded picture in decoding order. After an error the session is over and must be dropped.
    fn poll_picture(&mut self, context: &mut Context<'_>) -> Poll<Result<Picture, SourceError>>;
    /// What is known of the session by now.
    fn facts(&self) -> &SourceFacts;
}

/// A coded picture as it came, before the recorder gives it a time of its own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Picture {
    pub kind: FrameKind,
    /// Decoding time on the session's media clock: strictly rising, never after `pts` (see `media::Reorder`).
    pub dts: MediaTicks,
    /// Presentation time on the same clock: the camera's RTP timestamp from the session's first picture on. Pictures come in
    /// decoding order, so it may step back where the camera sends B pictures.
    pub pts: MediaTicks,
    /// NAL units after four-byte lengths, without parameter sets.
    pub data: Bytes,
    /// In force here; on each picture that starts a group.
    pub parameters: Option<ParameterSets>,
}

/// What a session is, and what was learnt beside the pictures.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct SourceFacts {
    pub codec: Option<Codec>,
    /// Pixels after cropping; 0 while unknown.
    pub width: u16,
    pub height: u16,
    /// Every track that the camera described, recorded or not.
    pub offered: Vec<OfferedTrack>,
    /// The last RTCP sender report (RFC 3550, 6.4.1): the camera's UTC at a media time.
    pub sender_report: Option<(UtcMicros, MediaTicks)>,
    /// RTP packets missing or unusable so far.
    pub packets_lost: u64,
}

/// A line of the camera's description: what it would send if it were asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OfferedTrack {
    /// `video`, `audio`, `application`.
    pub media: String,
    /// The encoding's name in capitals: `H264`, `PCMA`.
    pub encoding: String,
    /// Whether SETUP was sent for it: at most one track, always video (law RET-01).
    pub asked_for: bool,
}

/// What a session was doing when it failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    Describe,
    Setup,
    Play,
    Pictures,
}

impl std::fmt::Display for Step {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Step::Describe => "DESCRIBE",
            Step::Setup => "SETUP",
            Step::Play => "PLAY",
            Step::Pictures => "the pictures",
        })
    }
}

/// Why there is no session, or no session any more. Holds no text of the camera's and no address: a camera may echo
/// its own password in what it answers.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SourceError {
    #[error("the camera does not answer: check its power, the network, the address and the port")]
    Unreachable,
    #[error("the camera refuses the user or the password: enter them again")]
    WrongPassword,
    #[error("the camera knows no such stream: check the path of the address")]
    NotFound,
    #[error("the camera offers neither H.264 nor H.265 but `{what}`: set its main stream to one of them")]
    UnsupportedCodec { what: String },
    #[error("what answers does not speak RTSP: check the port (usually 554)")]
    NotRtsp,
    #[error("the camera is connected but was silent too long during {during}: check its load and the network")]
    Silent { during: Step },
    #[error("the camera closed the session during {during}: check how many clients it allows")]
    Closed { during: Step },
    #[error("the camera broke the protocol during {during}{}: update its firmware", status_text(.status))]
    Protocol { during: Step, status: Option<u16> },
    #[error("another device answers ({differs} changed): confirm it if the camera was replaced")]
    WrongDevice { differs: String },
    #[error(transparent)]
    ClockJump(#[from] ClockJump),
}

impl SourceError {
    /// The gap that follows.
    pub fn cause(&self) -> GapCause {
        match self {
            SourceError::Unreachable => GapCause::Unreachable,
            SourceError::WrongPassword => GapCause::WrongPassword,
            SourceError::NotFound => GapCause::NotFound,
            SourceError::UnsupportedCodec { what } => GapCause::UnsupportedCodec { what: what.clone() },
            SourceError::NotRtsp => GapCause::NotRtsp,
            SourceError::Silent { .. } => GapCause::Silent,
            SourceError::Closed { .. } => GapCause::Closed,
            SourceError::Protocol { .. } => GapCause::Protocol,
            SourceError::WrongDevice { .. } => GapCause::WrongDevice,
            SourceError::ClockJump(_) => GapCause::ClockJump,
        }
    }
}

fn status_text(status: &Option<u16>) -> String {
    status.map(|status| format!(" (status {status})")).unwrap_or_default()
}
