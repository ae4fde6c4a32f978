//! Cameras and their streams.

use serde::{Deserialize, Serialize};
use std::fmt;

crate::identity!(
    /// One camera: a place and a device (vault.md R13).
    CameraId
);

/// What a camera mainly films, as the arrêté of 3 August 2007 tells cameras apart (law.md TECH-07 to TECH-09).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CameraClass {
    /// Plan étroit.
    NarrowView,
    /// The same, where somebody established by hand that thumbnails of 90×60 pixels can be taken from what is stored.
    NarrowViewThumbnails,
    /// Plan étroit, mainly on fast-moving flows.
    FastFlow,
    FastFlowThumbnails,
    /// Régulation du trafic routier.
    Traffic,
    /// Wide views and all others.
    Other,
}

impl CameraClass {
    pub const ALL: [CameraClass; 6] = [
        CameraClass::NarrowView,
        CameraClass::NarrowViewThumbnails,
        CameraClass::FastFlow,
        CameraClass::FastFlowThumbnails,
        CameraClass::Traffic,
        CameraClass::Other,
    ];

    /// As commands and the registry write it.
    pub const fn name(self) -> &'static str {
        match self {
            CameraClass::NarrowView => "narrow-view",
            CameraClass::NarrowViewThumbnails => "narrow-view-thumbnails",
            CameraClass::FastFlow => "fast-flow",
            CameraClass::FastFlowThumbnails => "fast-flow-thumbnails",
            CameraClass::Traffic => "traffic",
            CameraClass::Other => "other",
        }
    }
    pub fn from_name(name: &str) -> Option<CameraClass> {
        CameraClass::ALL.into_iter().find(|class| class.name() == name)
    }
    pub const fn title_fr(self) -> &'static str {
        match self {
            CameraClass::NarrowView => "plan étroit",
            CameraClass::NarrowViewThumbnails => "plan étroit, vignettes constatées",
            CameraClass::FastFlow => "plan étroit sur flux rapides",
            CameraClass::FastFlowThumbnails => "plan étroit sur flux rapides, vignettes constatées",
            CameraClass::Traffic => "régulation du trafic",
            CameraClass::Other => "autre",
        }
    }
    pub const fn title_en(self) -> &'static str {
        match self {
            CameraClass::NarrowView => "narrow view",
            CameraClass::NarrowViewThumbnails => "narrow view, thumbnails established",
            CameraClass::FastFlow => "narrow view of fast flows",
            CameraClass::FastFlowThumbnails => "narrow view of fast flows, thumbnails established",
            CameraClass::Traffic => "traffic regulation",
            CameraClass::Other => "other",
        }
    }
}

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
