//! The HTTP API and the console: screens ask here, pictures leave here, no key is held at rest.
//!
//! One file per screen or area, each with its JSON types beside its handlers. web never asserts who somebody is: it passes
//! the session's secret with each question to the keeper (P3). It opens recorded footage with chunk keys that the keeper
//! gives for a permit (P4), and gets live frames from the recorder while a permit stands (P5).

mod access;
mod answers;
mod break_glass;
mod cameras;
mod console;
mod day;
mod document;
mod door;
mod exports;
mod extract;
mod headers;
mod health;
mod holds;
mod links;
mod live;
mod looks;
mod oidc;
mod opinions;
mod outside;
mod packer;
mod papers;
mod parts;
mod passkeys;
mod permits;
mod plain;
mod problem;
mod provider;
mod reason;
mod recorder_link;
mod recorder_word;
mod replay;
mod requisitions;
mod review_words;
mod reviews;
mod routes;
mod server;
mod session;
mod setup;
mod site;
mod stream;
mod timeline;
mod tls;
mod wall;

pub use console::console_folders;
pub use document::document;
pub use exports::{StampError, TimestampConfig};
pub use links::LinkConfig;
pub use outside::{AskOutside, AskRetention, OutsideWord};
pub use plain::{Plain, plain_router, serve_plain};
pub use provider::{OidcConfig, ProviderError, published_keys};
pub use routes::{Route, routes};
pub use server::{WebConfig, WebError, router, serve};
pub use tls::{Tls, TlsError, TlsFiles, certificate_finding};
