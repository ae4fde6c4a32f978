//! Cameras and their streams.

use serde::{Deserialize, Serialize};
use std::fmt;

crate::identity!(
    /// One camera: a place and a device (vault.md R13).
    CameraId
);

/// Which stream of a camera.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[repr(u8)]
pub enum StreamKind {
    /// The recorded stream of full size.
    Main = 0,
    /// A smaller stream of the same camera.
    Sub = 1,
    /// Key-frame strips and thumbnails made from another stream (K13).
    Derived = 2,
}

impl StreamKind {
    pub const fn code(self) -> u8 {
        self as u8
    }
    pub const fn from_code(code: u8) -> Option<StreamKind> {
        match code {
            0 => Some(StreamKind::Main),
            1 => Some(StreamKind::Sub),
            2 => Some(StreamKind::Derived),
            _ => None,
        }
    }
}

/// One stream of one camera.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StreamId {
    pub camera: CameraId,
    pub kind: StreamKind,
}

impl StreamId {
    pub const fn main(camera: CameraId) -> StreamId {
        StreamId { camera, kind: StreamKind::Main }
    }
    /// Seventeen bytes for associated data: camera, kind.
    pub fn to_bytes(self) -> [u8; 17] {
        let mut bytes = [0; 17];
        bytes[..16].copy_from_slice(&self.camera.0);
        bytes[16] = self.kind.code();
        bytes
    }
}

impl fmt::Debug for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{:?}", self.camera, self.kind)
    }
}

/// How pictures are coded. There is no audio codec here, and there will be none (law RET-01).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[repr(u8)]
pub enum Codec {
    /// ITU-T H.264, ISO/IEC 14496-10.
    H264 = 1,
    /// ITU-T H.265, ISO/IEC 23008-2.
    H265 = 2,
}

impl Codec {
    pub const fn code(self) -> u8 {
        self as u8
    }
    pub const fn from_code(code: u8) -> Option<Codec> {
        match code {
            1 => Some(Codec::H264),
            2 => Some(Codec::H265),
            _ => None,
        }
    }
}
