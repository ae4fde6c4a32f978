//! The roles, each a process of its own (P1), and what `serve` does to keep them.

pub mod auditor;
pub mod keeper;
pub mod public;
pub mod recorder;
pub mod supervise;
pub mod waiting;
pub mod web;

use crate::site::SiteError;
use std::{
    fs::Permissions,
    os::unix::{fs::PermissionsExt, net::UnixListener},
    path::Path,
};

/// Binds a socket that only the service's user reaches; one that a dead process left is taken over.
fn listen(path: &Path) -> Result<UnixListener, SiteError> {
    let failed = || SiteError::io(format!("cannot listen on `{}`", path.display()));
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed()(error)),
        _ => {}
    }
    let listener = UnixListener::bind(path).map_err(failed())?;
    std::fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(failed())?;
    Ok(listener)
}
