//! RTSP cameras on loopback: each sends its clip over and over, in real time, every frame with its own number.

pub mod auth;
pub mod message;

mod camera;
mod fault;
mod oddities;
mod play;
mod sdp;
mod session;
mod town;

pub use auth::{Credentials, Scheme};
pub use camera::{Camera, Faults};
pub use fault::{FLAP_FRAMES, Fault, FaultPlan, FaultPlanError, OVERLOAD_BITS_PER_SECOND, OVERLOAD_MAX};
pub use play::SentFrame;
pub use town::{Counters, Offer, Ports, Scenes, StartAt, Town, TownConfig, TownError};
