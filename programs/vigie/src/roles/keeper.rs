//! The keeper's process: keyring, gate, ledger, registry; no network but its sockets (P1).

use super::listen;
use crate::{
    Build, Config,
    confinement::Confined,
    handover::KeeperHandover,
    site::{self, SiteError},
};
use keeper::socket::{RoleSecrets, serve_control, serve_roles};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};
use tracing::{error, info};

const SECOND: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_millis(100);

/// Runs until `stop`.
pub fn run(
    build: &Build,
    config: &Config,
    handover: KeeperHandover,
    confined: Confined,
    stop: &Arc<AtomicBool>,
) -> Result<(), SiteError> {
    // beside the opening: cameras wait for neither
    let digest = thread::spawn(digest_of_this_program);
    let _lock = site::lock(config)?;
    let core = Arc::new(site::open_keeper(build, config, confined.findings.clone())?);
    confined.watch(stop);
    core.keep_at_least(config.retention.minimum_hours);
    core.wait_for_collection(config.retention.hold_days);
    let digest = digest.join().expect("a digest of a file panics nowhere")?;
    if let Err(error) = core.started(&digest) {
        error!(%error, "the start is not entered in the ledger"); // nobody looks meanwhile; everything else goes on
    }
    if let Err(error) = core.tick() {
        error!(%error, "the keeper's first second");
    }
    let roles = listen(&config.keeper_socket())?;
    let control = listen(&config.control_socket())?;
    info!("the keeper answers");
    let (for_roles, for_control, on_stop) = (core.clone(), core.clone(), stop.clone());
    let secrets = RoleSecrets { recorder: handover.recorder, web: handover.web, auditor: handover.auditor };
    thread::spawn(move || serve_roles(roles, for_roles, secrets));
    thread::spawn(move || serve_control(control, for_control, Arc::new(move || on_stop.store(true, Ordering::SeqCst))));
    let mut next = std::time::Instant::now() + SECOND;
    while !stop.load(Ordering::SeqCst) {
        if std::time::Instant::now() < next {
            thread::sleep(LOOK);
            continue;
        }
        next += SECOND;
        if let Err(error) = core.tick() {
            error!(%error, "the keeper's second");
        }
        if core.must_restart() {
            return Err(SiteError::MustRestart);
        }
    }
    if let Err(error) = core.stopped() {
        error!(%error, "the stop is not entered in the ledger");
    }
    info!("the keeper stops");
    Ok(())
}

/// SHA-256 of the program's file, for the entry that it starts (L3).
fn digest_of_this_program() -> Result<String, SiteError> {
    let bytes = std::fs::read("/proc/self/exe").map_err(SiteError::io("cannot read this program's own file"))?;
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &bytes);
    Ok(digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect())
}
