//! The auditor's process: holds destruction against its own clock and arithmetic, with no key and nothing to write but its verdict
//! (decision 0053).

use crate::{
    Build, Config,
    confinement::Confined,
    site::{self, SiteError},
};
use auditor::{AuditorParts, AuditorRole};
use domain::{Secret32, limit::RETENTION_LOOK_SECONDS};
use keeper::{KeeperClient, wire::Peer};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use tracing::{error, warn};

const LOOK: Duration = Duration::from_millis(100);
/// A keeper that takes longer is told as one that does not answer: a look must not wait for the next.
const PATIENCE: Duration = Duration::from_secs(10);
const PERIOD: Duration = Duration::from_secs(RETENTION_LOOK_SECONDS as u64);

/// Runs until `stop`.
pub fn run(
    build: &Build,
    config: &Config,
    secret: Secret32,
    confined: Confined,
    stop: &Arc<AtomicBool>,
) -> Result<(), SiteError> {
    confined.say();
    confined.watch(stop);
    let keeper = KeeperClient::role(&config.keeper_socket(), Peer::Auditor, secret).patient(PATIENCE);
    let ask =
        move || keeper.retention().inspect_err(|error| warn!(%error, "the keeper did not answer the auditor")).ok();
    let mut role = AuditorRole::open(AuditorParts {
        disk: site::disk(),
        clock: build.clock.clone(),
        stores: config.store_folders(),
        public: config.ledger().join("public"),
        verdict: config.verdict(),
        keeper: Box::new(ask),
    })?;
    // the keeper starts beside us: the first question would find nobody
    let mut next = Instant::now() + Duration::from_secs(5);
    let mut looked = build.clock.utc();
    while !stop.load(Ordering::SeqCst) {
        // a clock that was set makes the last verdict one of another time: it is looked at again at once
        let is_set = build.clock.utc().since(looked).abs() > 3 * RETENTION_LOOK_SECONDS * 1_000_000;
        if Instant::now() < next && !is_set {
            std::thread::sleep(LOOK);
            continue;
        }
        next = Instant::now() + PERIOD;
        looked = build.clock.utc();
        if let Err(error) = role.look() {
            error!(%error, "the auditor's verdict could not be written");
        }
    }
    Ok(())
}
