//! The ground truth beside each clip: what really drove there, to be compared with what anybody claims to have seen.

use super::Setting;
use super::vehicle::{Class, Colour};
use serde::{Deserialize, Serialize};

/// Everything that is known about one clip.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct GroundTruth {
    /// 1 is the first camera.
    pub camera: u32,
    pub place: String,
    pub seed: u64,
    pub setting: Setting,
    pub width_px: u32,
    pub height_px: u32,
    pub frames_per_second: u32,
    /// Frames of the clip; the frame after the last is the first again.
    pub frames: u32,
    pub vehicles: Vec<VehicleTruth>,
    /// Vehicles that stand still all the time.
    pub parked: Vec<ParkedTruth>,
    /// How many pedestrians walk through; nothing else is told about them.
    pub pedestrians: u32,
}

/// One vehicle's passage.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct VehicleTruth {
    /// `cam1-v3`: camera and number.
    pub id: String,
    pub class: Class,
    pub colour: Colour,
    pub speed_kmh: f32,
    /// `west to north`.
    pub route: String,
    /// Points of the ground, metres east and north of the place's middle, about one each five metres.
    pub path_metres: Vec<[f32; 2]>,
    /// Seconds of the clip at which it comes into the picture; `None`: never seen.
    pub enters_s: Option<f32>,
    /// Seconds at which it leaves; beyond the clip's length when it leaves in the clip's next turn.
    pub leaves_s: Option<f32>,
    /// Where it is in the picture, frame by frame; hidden vehicles are left out.
    pub boxes: Vec<FrameBox>,
}

/// A vehicle that does not move.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ParkedTruth {
    pub class: Class,
    pub colour: Colour,
    pub at_metres: [f32; 2],
}

/// A box in pixels around the whole vehicle, cut at the picture's edge.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct FrameBox {
    /// Frame of the clip.
    pub frame: u32,
    pub x: u16,
    pub y: u16,
    pub width: u16,
    pub height: u16,
}
