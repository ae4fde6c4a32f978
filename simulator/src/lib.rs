//! A synthetic town with ground truth: rendered street scenes, RTSP cameras, simulated clocks. For tests and the demo.

pub mod authenticator;
pub mod clip;
pub mod clock;
pub mod coding;
mod depacketise;
pub mod dossier;
pub mod handover;
pub mod installation;
pub mod mark;
pub mod nal;
pub mod onvif;
pub mod packetise;
pub mod persons;
pub mod random;
pub mod rtsp;
pub mod scene;
