//! The server: what it needs, the router with its layers, and its graceful stop.

use crate::{
    console, headers,
    permits::Permits,
    problem::{self, Problem},
    recorder_link::RecorderLink,
    routes::{self, Route},
};
use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware::{from_fn, from_fn_with_state},
    serve::ListenerExt,
};
use domain::{Clock, Random, Secret32};
use keeper::socket::KeeperClient;
use std::{
    collections::BTreeSet,
    future::Future,
    io,
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    net::TcpListener,
    sync::{Semaphore, watch},
};
use vault::{LocalStore, replay::Damaged};

/// After the order to stop, answers under way have this long; streams are ended at once.
const STOP_PATIENCE: Duration = Duration::from_secs(5);

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
}

/// Why the server does not run.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    #[error(
        "`{address}` can be reached from other machines, and TLS does not exist yet: \
         listen on 127.0.0.1 or [::1], and use an SSH tunnel from elsewhere"
    )]
    NotLoopback { address: SocketAddr },
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
            clock: config.clock,
            version: config.version,
        })
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

/// Serves until `shutdown`, then ends streams, lets answers finish, and returns.
pub async fn serve(
    listener: TcpListener,
    config: WebConfig,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), WebError> {
    let address = listener.local_addr()?;
    if !address.ip().is_loopback() {
        return Err(WebError::NotLoopback { address });
    }
    let web = Web::new(config);
    let router = router_of(web.clone());
    // fragments are small and must not wait for each other
    let listener = listener.tap_io(|tcp| {
        if let Err(error) = tcp.set_nodelay(true) {
            tracing::debug!(%error, "small packets wait for each other on this connection");
        }
    });
    let (stopped, mut stops) = watch::channel(false);
    let stop = async move {
        shutdown.await;
        web.permits.end_all();
        stopped.send_replace(true);
    };
    let serving = axum::serve(listener, router).with_graceful_shutdown(stop);
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

/// From the outside: headers on everything, the log, other hosts, sizes, other pages, then the routes.
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
        .layer(from_fn(headers::refuse_large_bodies))
        .layer(from_fn(headers::refuse_other_hosts))
        .layer(from_fn_with_state(web.clone(), headers::log))
        .layer(from_fn_with_state(web.clone(), headers::secure))
        .with_state(web)
}
