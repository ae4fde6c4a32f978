//! The recorder's process: hostile input, data keys of three hours, no way to open a chunk (P1, P6).

use super::listen;
use crate::{
    Build, Config, SystemRandom,
    handover::Handover,
    hardening,
    site::{self, SiteError},
};
use keeper::{KeeperClient, wire::Peer};
use recorder::{RecorderError, RecorderParts};
use std::sync::{Arc, atomic::AtomicBool};

/// Why the recorder's process ends.
#[derive(Debug, thiserror::Error)]
pub enum RecorderRoleError {
    #[error(transparent)]
    Site(#[from] SiteError),
    #[error(transparent)]
    Recorder(#[from] RecorderError),
}

/// Runs until `stop`, or until a new run must begin; `serve` then starts it again.
pub fn run(
    build: &Build,
    config: &Config,
    handover: Handover,
    stop: &Arc<AtomicBool>,
) -> Result<(), RecorderRoleError> {
    hardening::harden_or_say();
    let identity = site::identity(config)?;
    let _lock = site::lock_recorder(config)?;
    let keeper = KeeperClient::role(&config.keeper_socket(), Peer::Recorder, handover.recorder);
    let parts = RecorderParts {
        site: identity.site,
        hour_length: build.hour_length,
        clock: build.clock.clone(),
        random: Arc::new(SystemRandom::new()),
        keeper: Arc::new(keeper),
        disk: site::disk(),
        store: config.store_places(),
        footage: config.footage(),
        listener: listen(&config.recorder_socket())?,
        web_secret: handover.recorder_web,
        stop: stop.clone(),
    };
    Ok(recorder::run(parts)?)
}
