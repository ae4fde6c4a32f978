//! The recorder's process: hostile input, data keys of three hours, no way to open a chunk (P1, P6).

use super::listen;
use crate::{
    Build, Config, SystemRandom,
    confinement::Confined,
    handover::PairHandover,
    site::{self, SiteError},
};
use keeper::{KeeperClient, wire::Peer};
use recorder::{RecorderError, RecorderParts};
use std::{
    fs::File,
    os::unix::net::UnixListener,
    sync::{Arc, atomic::AtomicBool},
};

/// Why the recorder's process ends.
#[derive(Debug, thiserror::Error)]
pub enum RecorderRoleError {
    #[error(transparent)]
    Site(#[from] SiteError),
    #[error(transparent)]
    Recorder(#[from] RecorderError),
}

/// What is opened before the confinement, which leaves no right to it.
pub struct Opened {
    _lock: File,
    listener: UnixListener,
}

/// The lock comes first: the socket of a recorder that still closes its reels is not taken from it.
pub fn open(config: &Config) -> Result<Opened, SiteError> {
    Ok(Opened { _lock: site::lock_recorder(config)?, listener: listen(&config.recorder_socket())? })
}

/// Runs until `stop`, or until a new run must begin; `serve` then starts it again.
pub fn run(
    build: &Build,
    config: &Config,
    handover: PairHandover,
    (opened, confined): (Opened, Confined),
    stop: &Arc<AtomicBool>,
) -> Result<(), RecorderRoleError> {
    confined.say();
    confined.watch(stop);
    let identity = site::identity(config)?;
    let keeper = KeeperClient::role(&config.keeper_socket(), Peer::Recorder, handover.at_keeper);
    let parts = RecorderParts {
        site: identity.site,
        hour_length: build.hour_length,
        clock: build.clock.clone(),
        random: Arc::new(SystemRandom::new()),
        keeper: Arc::new(keeper),
        disk: site::disk(),
        store: config.store_places(),
        footage: config.footage(),
        reserve: site::holds(config),
        listener: opened.listener,
        web_secret: handover.recorder_web,
        stop: stop.clone(),
    };
    Ok(recorder::run(parts)?)
}
