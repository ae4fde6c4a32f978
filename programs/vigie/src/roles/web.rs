//! The web role's process: HTTP and JSON, no keys at rest (P1, P4).

use crate::{
    Build, Config, SystemRandom, cli,
    confinement::Confined,
    handover::PairHandover,
    site::{self, SiteError},
};
use domain::SiteId;
use keeper::{KeeperClient, wire::Peer};
use std::{
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use vault::LocalStore;

/// Half a second of a camera of 4 Mbit/s; the kernel doubles it.
const SEND_BUFFER_BYTES: usize = 256 * 1024;
/// Connections that may wait to be taken.
const WAITING_MAX: i32 = 1_024;
/// How often a store that is away is looked for.
const STORE_AGAIN: Duration = Duration::from_secs(2);
/// What the public role calls it.
const COSIGNED: &str = "cosigned";
const LOOK: Duration = Duration::from_millis(100);

/// Listeners that are bound before the confinement, which lets no port be bound: the console's, and the plain one beside TLS.
pub struct Listening {
    console: TcpListener,
    plain: Option<TcpListener>,
}

pub fn listen(config: &Config) -> Result<Listening, SiteError> {
    let bound = |address| bind(address).map_err(|source| SiteError::Listen { address, source });
    let plain = plain(config).map(|(address, _)| bound(address)).transpose()?;
    Ok(Listening { console: bound(config.web.listen)?, plain })
}

/// Runs until `stop`.
pub fn run(
    build: &Build,
    config: &Config,
    handover: PairHandover,
    (listening, confined): (Listening, Confined),
    stop: &Arc<AtomicBool>,
) -> Result<(), SiteError> {
    confined.say();
    confined.watch(stop);
    let identity = site::identity(config)?;
    // without its disk the console still answers: health is read just then
    let store = LocalStore::open_all(site::disk(), &config.store_places(), identity.site)
        .inspect_err(|error| tracing::error!(%error, "no recorded picture can be shown"));
    let absent = match &store {
        Ok(store) => store.absent().iter().map(|absent| absent.path.clone()).collect(),
        Err(_) => config.store_folders(),
    };
    let stop = stop_when_a_disk_is_there(absent, identity.site, stop);
    let tls = config.tls_files().map(|files| web::Tls::load(files, build.clock.utc())).transpose()?;
    let web = web::WebConfig {
        keeper: Arc::new(KeeperClient::role(&config.keeper_socket(), Peer::Web, handover.at_keeper)),
        recorder_socket: config.recorder_socket(),
        recorder_secret: handover.recorder_web,
        store: store.ok().map(Arc::new),
        clock: build.clock.clone(),
        random: Arc::new(SystemRandom::new()),
        version: build.version.to_owned(),
        address: config.address(),
        tls: tls.map(Arc::new),
        oidc: provider(config),
        outside: Some(outside(build, config)),
        retention: Some(retention(build, config)),
        cosigned: config.public.witnesses.is_some().then(|| config.public_folder().join(COSIGNED)),
        timestamp: config.timestamp(),
        packages: Some(config.packages()),
        reserve: Some(reserve(config, identity.site)),
        papers: Some(config.papers_socket()),
        links: config.links_socket().map(|socket| web::LinkConfig { socket, address: config.public.address.clone() }),
        viewing: Some(config.picture_socket()),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(SiteError::io("cannot start the web role's runtime"))?;
    let plain = listening.plain.zip(plain(config).map(|(_, plain)| plain));
    let taken = || SiteError::io("cannot listen in the web role's runtime");
    runtime.block_on(async move {
        let from_std = |socket| tokio::net::TcpListener::from_std(socket).map_err(taken());
        let listener = from_std(listening.console)?;
        if let Some((socket, plain)) = plain {
            let listener = from_std(socket)?;
            tokio::spawn(async move {
                if let Err(error) = web::serve_plain(listener, plain).await {
                    tracing::error!(%error, "the port of plain HTTP");
                }
            });
        }
        let stopped = async move {
            while !stop.load(Ordering::SeqCst) {
                tokio::time::sleep(LOOK).await;
            }
        };
        web::serve(listener, web, stopped)
            .await
            .map_err(|error| SiteError::Io { what: "the web role".into(), source: std::io::Error::other(error) })
    })
}

fn reserve(config: &Config, site: domain::SiteId) -> vault::hold::ReserveAt {
    let recorder::ReservePlace { path, bytes_max } = site::holds(config);
    vault::hold::ReserveAt { disk: site::disk(), path, site, bytes_max }
}

/// The provider of sign-ins, but for what only the keeper knows.
fn provider(config: &Config) -> Option<web::OidcConfig> {
    let oidc = &config.oidc;
    Some(web::OidcConfig {
        name: config.provider_name()?,
        issuer: oidc.issuer.clone(),
        client_id: oidc.client_id.clone(),
        scopes: oidc.scopes.clone(),
        acr: oidc.acr.split_whitespace().map(str::to_owned).collect(),
        asks_amr: !oidc.amr.trim().is_empty(),
    })
}

/// What the public role wrote of its witnesses, read anew for each health page.
fn outside(build: &Build, config: &Config) -> Arc<web::AskOutside> {
    let (config, clock) = (config.clone(), build.clock.clone());
    Arc::new(move || cli::public::outside(&config, clock.utc().seconds()))
}

/// What the auditor of destruction wrote, read anew for each health page.
fn retention(build: &Build, config: &Config) -> Arc<web::AskRetention> {
    let (verdict, clock) = (config.verdict(), build.clock.clone());
    Arc::new(move || auditor::findings(&*site::disk(), &verdict, clock.utc().seconds()))
}

/// The port beside TLS, if there is one: it keeps nothing and asks nobody.
fn plain(config: &Config) -> Option<(SocketAddr, web::Plain)> {
    let address = config.tls.plain_listen.parse().ok()?;
    let folder = &config.tls.acme_folder;
    let acme_folder = (!folder.as_os_str().is_empty()).then(|| folder.clone());
    Some((address, web::Plain { address: config.address(), acme_folder }))
}

/// Set when `stop` is, or when one of the store's disks that are absent is mounted: this process then ends, and `serve` starts it
/// again with it.
fn stop_when_a_disk_is_there(absent: Vec<PathBuf>, site: SiteId, stop: &Arc<AtomicBool>) -> Arc<AtomicBool> {
    if absent.is_empty() {
        return stop.clone();
    }
    let (stop, ours) = (stop.clone(), Arc::new(AtomicBool::new(false)));
    let both = ours.clone();
    let is_there = move |folder: &PathBuf| LocalStore::open(site::disk(), folder, site).is_ok();
    std::thread::spawn(move || {
        while !stop.load(Ordering::SeqCst) && !absent.iter().any(is_there) {
            std::thread::sleep(STORE_AGAIN);
        }
        both.store(true, Ordering::SeqCst);
    });
    ours
}

/// A listener whose connections keep little in the kernel: what waits there for a slow viewer is the past.
fn bind(listen: SocketAddr) -> std::io::Result<TcpListener> {
    let listener = TcpListener::bind(listen)?;
    rustix::net::sockopt::set_socket_send_buffer_size(&listener, SEND_BUFFER_BYTES)?;
    rustix::net::listen(&listener, WAITING_MAX)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}
