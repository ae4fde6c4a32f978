//! The words of the trade that every crate speaks: identities, time, cameras, purposes, limits. No I/O.

pub mod access;
pub mod act;
pub mod camera;
pub mod hold;
pub mod id;
pub mod limit;
pub mod link;
mod named;
pub mod person;
pub mod purpose;
pub mod requisition;
pub mod rights;
pub mod sensitive;
pub mod time;
pub mod world;

pub use access::{AccessFacts, AccessRequest};
pub use act::{Act, ActId, ActKind, ActScope, ActTerms, OrderTerms};
pub use camera::{CameraClass, CameraId, Codec, StreamId, StreamKind};
pub use hold::HoldEnd;
pub use id::{AccessId, ExportId, GlassId, HoldId, PermitId, ReelId, RequisitionId, RootId, RunId, SiteId};
pub use link::{LinkCode, LinkEnd, LinkId, LinkStep, LinkToken, LinkTry, LinkWord};
pub use person::{AccountId, Role};
pub use purpose::Purpose;
pub use requisition::{Requisition, RequisitionFacts, Window};
pub use rights::{CameraRights, Commune, Films};
pub use sensitive::{Secret32, Sensitive};
pub use time::{Hour, HourLength, MediaTicks, Span, UtcMicros};
pub use world::{Clock, Random};
