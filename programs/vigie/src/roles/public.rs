//! The public role's process: the log's public files and the witnesses; no key, no catalog, no secret of another role (P1).

use crate::{
    Build, Config, hardening,
    site::{self, SiteError},
};
use ledger::WitnessPolicy;
use public::{PublicParts, PublicRole};
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::net::TcpListener;

const SECOND: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_millis(100);
/// Serving small files needs no more.
const WORKERS: usize = 2;

/// Runs until `stop`.
pub fn run(build: &Build, config: &Config, stop: &Arc<AtomicBool>) -> Result<(), SiteError> {
    hardening::harden_or_say();
    let folder = config.public_folder();
    let parts = PublicParts {
        disk: site::disk(),
        log: config.ledger().join("public"),
        folder: folder.clone(),
        policy: policy(config.public.witnesses.as_deref())?,
    };
    let mut role = PublicRole::open(parts)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKERS)
        .enable_all()
        .build()
        .map_err(SiteError::io("cannot start the public role's runtime"))?;
    if let Some(address) = config.public.listen {
        let failed = |source| SiteError::PublicListen { address, source };
        let listener = runtime.block_on(TcpListener::bind(address)).map_err(failed)?;
        tracing::info!(%address, "the log's public files are served");
        runtime.spawn(public::serve(listener, folder.join("mirror"), std::future::pending()));
    }
    while !stop.load(Ordering::SeqCst) {
        role.look(build.clock.utc().0.div_euclid(1_000_000));
        let mut waited = Duration::ZERO;
        while waited < SECOND && !stop.load(Ordering::SeqCst) {
            std::thread::sleep(LOOK);
            waited += LOOK;
        }
    }
    runtime.shutdown_timeout(SECOND);
    Ok(())
}

/// The witnesses that count; without a file none are asked.
pub fn policy(path: Option<&Path>) -> Result<WitnessPolicy, SiteError> {
    let text = match path {
        None => b"quorum none\n".to_vec(),
        Some(path) => std::fs::read(path)
            .map_err(SiteError::io(format!("cannot read the witnesses' file `{}`", path.display())))?,
    };
    let path = path.unwrap_or(Path::new("")).to_owned();
    WitnessPolicy::parse(&text).map_err(|source| SiteError::Witnesses { path, source })
}
