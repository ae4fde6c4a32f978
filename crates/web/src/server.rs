//! The server: what it needs, the router with its layers, and its graceful stop.

use crate::{
    console,
    door::Door,
    exports::{Packages, TimestampConfig},
    extract::Place,
    headers,
    links::{self, Leaving, LinkConfig},
    outside::{AskOutside, AskRetention},
    permits::Permits,
    problem::{self, Problem},
    provider::{OidcConfig, Provider},
    recorder_link::RecorderLink,
    routes::{self, Route},
    tls::Tls,
};
use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware::{from_fn, from_fn_with_state},
};
use domain::{
    Clock, Random, Secret32,
    limit::{LINK_LINES, LIVE_SILENCE_MS_MAX, PACKAGES_AT_ONCE_MAX, PAPERS_WAITING_MAX},
};
use keeper::socket::KeeperClient;
use std::{
    collections::BTreeSet,
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};
use tokio::{
    net::TcpListener,
    sync::{Semaphore, watch},
};
use vault::{LocalStore, hold::ReserveAt, replay::Damaged};

/// After the order to stop, answers under way have this long; streams are ended at once.
const STOP_PATIENCE: Duration = Duration::from_secs(5);

/// A permit that was revoked is noticed within this and the keeper's answer.
const REVOKE_PERIOD: Duration = Duration::from_millis(500);

/// A package whose time is over goes within this.
const SWEEP_PERIOD: Duration = Duration::from_secs(60);

/// A renewed certificate is looked for this often.
const RENEW_PERIOD: Duration = Duration::from_secs(10);

/// Replays at once: each holds a thread and up to a reel of one camera (30 MB at 4 Mbit/s). The runtime has 512 such
/// threads; questions to the keeper need some of them.
const REPLAYS_MAX: usize = 128;

/// Damaged chunks that are counted; a disk with more is counted no further.
const DAMAGED_MAX: usize = 10_000;

/// What the web role is given when it starts.
pub struct WebConfig {
    /// As [`keeper::wire::Peer::Web`].
    pub keeper: Arc<KeeperClient>,
    pub recorder_socket: PathBuf,
    pub recorder_secret: Secret32,
    /// `None` where it could not be opened: everything but replay works.
    pub store: Option<Arc<LocalStore>>,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    pub version: String,
    /// As browsers name it: `https://…`, or `http://localhost:…`.
    pub address: String,
    /// `None`: in clear, on loopback only.
    pub tls: Option<Arc<Tls>>,
    /// The provider by which people may sign in.
    pub oidc: Option<OidcConfig>,
    /// What witnesses say of the log; it may read one small file.
    pub outside: Option<Arc<AskOutside>>,
    /// What the auditor of destruction says; it may read one small file.
    pub retention: Option<Arc<AskRetention>>,
    /// The newest checkpoint that enough witnesses cosigned, as the public role keeps it; none where no witness is asked.
    pub cosigned: Option<PathBuf>,
    /// Who dates packages; none: nobody.
    pub timestamp: Option<TimestampConfig>,
    /// Where sealed packages wait to be handed over.
    pub packages: Option<PathBuf>,
    /// Where held footage lies.
    pub reserve: Option<ReserveAt>,
    /// Where papers are printed; none, or nobody there: none is.
    pub papers: Option<PathBuf>,
    /// None: the town offers no links.
    pub links: Option<LinkConfig>,
    /// Where viewing copies are made; none, or nobody there: none is.
    pub viewing: Option<PathBuf>,
}

/// Why the server does not run.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    #[error(
        "`{address}` can be reached from other machines, and there is no TLS: \
         set `tls.certificate` and `tls.key`, or listen on 127.0.0.1 or [::1]"
    )]
    NotLoopback { address: SocketAddr },
    #[error(
        "`{address}` can be reached from other machines, and nobody can sign in yet: \
         listen on 127.0.0.1 until the administrator's account is open (`vigie account add NAME --role administrator`)"
    )]
    NoAdministrator { address: SocketAddr },
    #[error("the keeper does not say whether an administrator exists: is `vigie serve` running?")]
    KeeperAway,
    #[error("the HTTP server stopped: {0}")]
    Io(#[from] io::Error),
}

/// What every handler sees.
pub struct Web {
    pub keeper: Arc<KeeperClient>,
    pub recorder: RecorderLink,
    pub store: Option<Arc<LocalStore>>,
    pub clock: Arc<dyn Clock>,
    pub permits: Arc<Permits>,
    /// Chunks that replays had to pass over since the start: a health state.
    pub damaged: Mutex<BTreeSet<Damaged>>,
    /// Places for replays.
    pub replays: Arc<Semaphore>,
    pub version: String,
    /// Browsers come by TLS, by ours or by that of a proxy on this machine.
    pub is_secure: bool,
    /// The name, with its port, by which browsers come, besides loopback's.
    pub host: String,
    pub tls: Option<Arc<Tls>>,
    pub provider: Option<Arc<Provider>>,
    /// The console's address, as browsers name it.
    pub address: String,
    pub outside: Option<Arc<AskOutside>>,
    pub retention: Option<Arc<AskRetention>>,
    pub cosigned: Option<PathBuf>,
    pub timestamp: Option<TimestampConfig>,
    pub packages: Packages,
    pub reserve: Option<ReserveAt>,
    pub papers: Option<PathBuf>,
    /// Packages that leave by a link.
    pub leaving: Leaving,
    pub viewing: Option<PathBuf>,
    /// Places for papers that are printed, or wait to be.
    pub printing: Arc<Semaphore>,
    /// Places for packages that are made.
    pub exporting: Arc<Semaphore>,
    pub random: Arc<dyn Random>,
    place_key: Secret32,
}

impl Web {
    pub fn new(config: WebConfig) -> Arc<Web> {
        Arc::new(Web {
            permits: Permits::new(config.clock.clone(), &*config.random),
            keeper: config.keeper,
            recorder: RecorderLink { socket: config.recorder_socket, secret: config.recorder_secret },
            store: config.store,
            damaged: Mutex::default(),
            replays: Arc::new(Semaphore::new(REPLAYS_MAX)),
            is_secure: config.address.starts_with("https://"),
            host: config.address.split("://").nth(1).unwrap_or_default().to_owned(),
            place_key: Secret32::draw(&*config.random),
            tls: config.tls,
            provider: config.oidc.map(|config| Arc::new(Provider::new(config))),
            address: config.address,
            outside: config.outside,
            retention: config.retention,
            cosigned: config.cosigned,
            timestamp: config.timestamp,
            packages: Packages::open(config.packages),
            reserve: config.reserve,
            papers: config.papers,
            leaving: Leaving::new(config.links),
            viewing: config.viewing,
            printing: Arc::new(Semaphore::new(PAPERS_WAITING_MAX)),
            exporting: Arc::new(Semaphore::new(PACKAGES_AT_ONCE_MAX)),
            random: config.random,
            clock: config.clock,
            version: config.version,
        })
    }

    /// Where somebody comes from, so that nobody learns it who does not know it.
    pub fn digest_of_place(&self, place: Option<IpAddr>) -> [u8; 16] {
        let place = place.map(|place| place.to_canonical().to_string()).unwrap_or_default();
        let digest = blake3::keyed_hash(self.place_key.expose(), place.as_bytes());
        digest.as_bytes()[..16].try_into().expect("a digest has 32 bytes")
    }

    /// Remembers chunks that were passed over, each once.
    pub fn note_damaged(&self, found: Vec<Damaged>) {
        let mut damaged = self.damaged.lock().unwrap_or_else(PoisonError::into_inner);
        let room = DAMAGED_MAX.saturating_sub(damaged.len());
        damaged.extend(found.into_iter().take(room));
    }

    /// How many different chunks were passed over.
    pub fn damaged_count(&self) -> usize {
        self.damaged.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Asks the keeper, whose client blocks, on a thread for that.
    pub async fn ask_keeper<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&KeeperClient) -> Result<T, vault::KeeperError> + Send + 'static,
    ) -> Result<T, Problem> {
        let keeper = self.keeper.clone();
        match tokio::task::spawn_blocking(move || ask(&keeper)).await {
            Ok(answer) => Ok(answer?),
            Err(error) => {
                tracing::error!(%error, "a question to the keeper was not put to its end");
                Err((&problem::FAILED).into())
            }
        }
    }
}

/// All routes behind all layers.
pub fn router(config: WebConfig) -> Router {
    router_of(Web::new(config))
}

/// Serves until `shutdown`, then ends streams, lets answers finish, and returns. Beyond loopback only by TLS, and only when
/// somebody can sign in.
pub async fn serve(
    listener: TcpListener,
    config: WebConfig,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), WebError> {
    let address = listener.local_addr()?;
    let web = Web::new(config);
    if !address.ip().is_loopback() {
        if web.tls.is_none() {
            return Err(WebError::NotLoopback { address });
        }
        let site = web.ask_keeper(|keeper| keeper.site()).await.map_err(|_| WebError::KeeperAway)?;
        if site.setup_needed {
            return Err(WebError::NoAdministrator { address });
        }
    }
    let router = router_of(web.clone());
    let door = Door::open(listener, web.tls.clone())?;
    tokio::spawn(renew(Arc::downgrade(&web)));
    tokio::spawn(revoke(Arc::downgrade(&web)));
    tokio::spawn(sweep(Arc::downgrade(&web)));
    for socket in web.leaving.socket().into_iter().flat_map(|socket| vec![socket; LINK_LINES]) {
        tokio::spawn(links::carry(Arc::downgrade(&web), socket));
    }
    let (stopped, mut stops) = watch::channel(false);
    let stop = async move {
        shutdown.await;
        web.permits.end_all();
        stopped.send_replace(true);
    };
    let serving = axum::serve(door, router.into_make_service_with_connect_info::<Place>()).with_graceful_shutdown(stop);
    let too_long = async {
        if stops.wait_for(|stopped| *stopped).await.is_ok() {
            tokio::time::sleep(STOP_PATIENCE).await;
        } else {
            // the sender is gone only after the server is
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        served = serving.into_future() => Ok(served?),
        () = too_long => Ok(()),
    }
}

/// Asks twice a second whether the permits of open streams still hold, and ends those that do not: a replay has no recorder
/// that would. A keeper that is silent for two seconds lets nothing through (P5).
async fn revoke(web: Weak<Web>) {
    let mut silent_since = None;
    loop {
        tokio::time::sleep(REVOKE_PERIOD).await;
        let Some(web) = web.upgrade() else { return };
        let permits = web.permits.streaming();
        if permits.is_empty() {
            silent_since = None;
            continue;
        }
        let asked = permits.clone();
        match web.ask_keeper(move |keeper| keeper.alive(asked)).await {
            Ok(alive) => {
                silent_since = None;
                let dead = permits.iter().zip(alive).filter(|(_, alive)| !alive).map(|(permit, _)| permit.id);
                web.permits.end_these(&dead.collect());
            }
            Err(_) => {
                let since = silent_since.get_or_insert_with(|| web.clock.boot());
                if web.clock.boot().0 - since.0 > LIVE_SILENCE_MS_MAX as i64 * 1_000 {
                    web.permits.end_these(&permits.iter().map(|permit| permit.id).collect());
                }
            }
        }
    }
}

/// Removes packages whose time is over.
async fn sweep(web: Weak<Web>) {
    loop {
        let Some(web) = web.upgrade() else { return };
        let now = web.clock.utc();
        drop(tokio::task::spawn_blocking(move || web.packages.sweep(now)).await);
        tokio::time::sleep(SWEEP_PERIOD).await;
    }
}

/// Takes a renewed certificate without a restart.
async fn renew(web: Weak<Web>) {
    loop {
        tokio::time::sleep(RENEW_PERIOD).await;
        let Some(web) = web.upgrade() else { return };
        let Some(tls) = web.tls.clone() else { return };
        match tls.renew(web.clock.utc()) {
            Ok(false) => {}
            Ok(true) => tracing::info!("the renewed certificate is served"),
            Err(error) => tracing::warn!(%error, "the changed certificate is not used; the present one is served on"),
        }
    }
}

/// From the outside: headers on everything, the log, other hosts, sizes, bodies, other pages, then the routes.
fn router_of(web: Arc<Web>) -> Router {
    let mut router = Router::new();
    for Route { path, handler, .. } in routes::routes() {
        router = router.route(path, handler);
    }
    router
        .fallback(console::get_console)
        .method_not_allowed_fallback(async || Problem::from(&problem::METHOD))
        .layer(DefaultBodyLimit::max(headers::BODY_BYTES_MAX))
        .layer(from_fn(headers::refuse_other_pages))
        .layer(from_fn(headers::read_whole))
        .layer(from_fn(headers::refuse_large_bodies))
        .layer(from_fn_with_state(web.clone(), headers::refuse_other_hosts))
        .layer(from_fn_with_state(web.clone(), headers::log))
        .layer(from_fn_with_state(web.clone(), headers::secure))
        .with_state(web)
}
