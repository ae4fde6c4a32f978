//! Containers and parameter sets: what a coded picture is, NAL units of H.264 and H.265, MP4 with and without fragments. Pure: bytes in,
//! bytes out.

pub mod chunk;
pub mod codec;
mod error;
pub mod fmp4;
pub mod frame;
pub mod h264;
pub mod h265;
pub mod mp4;
pub mod nal;
mod rbsp;
mod reorder;
mod start;
mod track;

pub use chunk::ChunkError;
pub use error::MediaError;
pub use frame::{Chunk, Frame, FrameEntry, FrameKind, ParameterSets};
pub use reorder::{Reorder, SteppedBack, Times};
pub use start::Start;
