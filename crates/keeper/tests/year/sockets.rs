//! The keeper behind its socket for web: passwords and codes come in by it.

use crate::support::Opened;
use domain::Secret32;
use keeper::{
    KeeperClient,
    socket::{RoleSecrets, serve_roles},
    wire::Peer,
};
use std::{os::unix::net::UnixListener, thread};
use tempfile::TempDir;

const WEB: Secret32 = Secret32::new([12; 32]);

pub struct Served {
    pub web: KeeperClient,
    _folder: TempDir,
}

impl Served {
    pub fn new(opened: &Opened) -> Served {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("roles");
        let (listener, core) = (UnixListener::bind(&path).unwrap(), opened.core.clone());
        thread::spawn(move || {
            serve_roles(
                listener,
                core,
                RoleSecrets { recorder: Secret32::new([11; 32]), web: WEB, auditor: Secret32::new([13; 32]) },
            )
        });
        Served { web: KeeperClient::role(&path, Peer::Web, WEB), _folder: folder }
    }
}
