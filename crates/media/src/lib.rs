//! Containers and parameter sets: what a coded picture is, H.264 NAL units, fragmented MP4. Pure: bytes in, bytes out.

pub mod chunk;
mod error;
pub mod fmp4;
pub mod frame;
pub mod h264;

pub use chunk::ChunkError;
pub use error::MediaError;
pub use frame::{Chunk, Frame, FrameEntry, FrameKind, ParameterSets};
