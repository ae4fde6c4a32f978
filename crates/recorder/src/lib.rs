//! cameras in, sealed reels out; pushes live frames to the hub.

pub mod camera;
pub mod chunker;
pub mod fingerprint;
pub mod health;
pub mod ingest;
mod lane;
pub mod source;
