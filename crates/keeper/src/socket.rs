//! The keeper's sockets: messages, the client that speaks for a role, the server that answers (P3).

mod client;
mod client_exports;
mod client_glass;
mod client_people;
mod message;
mod server;

pub use client::KeeperClient;
pub use client_people::SignedIn;
pub use message::{MessageError, read_message, write_message};
pub use server::{RoleSecrets, serve_control, serve_roles};
