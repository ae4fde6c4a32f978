//! The words of the trade that every crate speaks: identities, time, cameras, purposes, limits. No I/O.

pub mod camera;
pub mod id;
pub mod limit;
pub mod purpose;
pub mod sensitive;
pub mod time;
pub mod world;

pub use camera::{CameraId, Codec, StreamId, StreamKind};
pub use id::{PermitId, ReelId, RootId, RunId, SiteId};
pub use purpose::Purpose;
pub use sensitive::{Secret32, Sensitive};
pub use time::{Hour, HourLength, MediaTicks, Span, UtcMicros};
pub use world::{Clock, Random};
