//! The two databases: *registry* (who, which cameras; backed up) and *footage* (what exists and where; disposable).
//!
//! Both are blocking facades for plain threads: each holds a small runtime of its own and waits on it. Never call them
//! from async code (tokio panics there); from an async program go through `spawn_blocking`. No SQL leaves this crate.
//! Every row carries its site, every time is UTC in microseconds (`bigint`), and the SQL is such that PostgreSQL takes
//! it too.
//!
//! The registry has one writer, the keeper; footage has one writer, the recorder, and any number of readers (P7).

mod column;
mod database;
mod error;
pub mod footage;
pub mod registry;

pub use database::StepToCome;
pub use error::{CatalogError, Which};
pub use footage::{
    EarlierLife, Footage, Gap, Held, Left, Located, NewReel, ReelEnd, ReelRow, ReelState, StoredBytes, StreamRow,
};
pub use registry::{
    AccessRow, Account, AccountId, ActVersion, Binding, Camera, CameraVersion, ExportRow, LawKind, LawText, NewFactor,
    Passkey, Registry, RequisitionRow, SecondFactor, Session, Site, Taken, is_scan_name,
};
