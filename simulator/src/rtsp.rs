//! RTSP cameras on loopback: each sends its clip over and over, in real time, every frame with its own number.

pub mod auth;
pub mod message;

mod play;
mod sdp;
mod session;
mod town;

pub use auth::{Credentials, Scheme};
pub use play::SentFrame;
pub use town::{Camera, Counters, Offer, Ports, StartAt, Town, TownConfig, TownError};
