//! The town's cameras as one handle: start, addresses, counters, what was sent, switching a camera off and on.

use super::auth::{Credentials, Scheme};
use super::camera::{Camera, Stream};
use super::fault::FaultPlan;
use super::session;
use crate::{
    clip::{self, ClipError, Shot},
    clock::SystemClock,
    coding::Coding,
    random::Dice,
    scene::{ClipSize, PLACE_NAMES, Setting},
};
use domain::Clock;
use std::{
    collections::HashMap,
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener as StdListener},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{net::TcpListener, runtime::Runtime};

/// What town to start.
#[derive(Clone)]
pub struct TownConfig {
    /// Loopback unless somebody knows better.
    pub address: IpAddr,
    pub ports: Ports,
    /// After the sixth the places begin anew.
    pub cameras: u32,
    pub seed: u64,
    pub size: ClipSize,
    pub scenes: Scenes,
    pub scheme: Scheme,
    pub credentials: Credentials,
    /// Each camera's coding, the first's first; begun anew when there are more cameras; none: all in the plain one.
    pub codings: Vec<Coding>,
    /// A second, smaller stream at `/cam1/sub` and so on; `None`: cameras have one stream.
    pub sub_stream: Option<Coding>,
    pub offer: Offer,
    pub start_at: StartAt,
    /// The cameras' clock: frame numbers at PLAY and sender reports follow it; pacing is by the steady clock.
    pub clock: Arc<dyn Clock>,
    /// Where clips are kept; `None`: [`clip::cache_folder`].
    pub cache_folder: Option<PathBuf>,
    /// Whether to remember every frame sent ([`Camera::sent`]): for tests, it grows without end.
    pub remember_sent: bool,
}

/// Which ports the cameras listen on; 0 lets the system choose.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ports {
    /// All on one: `/cam1`, `/cam2` … A camera that is off hangs up.
    Shared(u16),
    /// Each on a port of its own, chosen by the system. A camera that is off refuses connections.
    PerCamera,
}

/// Which scenes the cameras film.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scenes {
    Always(Setting),
    /// Day and night by the cameras' clock in Paris; at three in the morning the yellow car.
    ByClock,
}

/// What the cameras offer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Offer {
    /// What its coding says.
    Pictures,
    /// Motion JPEG only, and no picture is sent: for the test of an unsupported codec.
    JpegOnly,
    /// A description that is none, and no picture is sent.
    Garbage,
}

/// With which frame a playing begins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StartAt {
    /// With the next key frame, up to two seconds later.
    KeyFrame,
    /// At once, in the middle of a group, as some cameras do.
    AnyFrame,
}

/// Why the town does not start.
#[derive(Debug, thiserror::Error)]
pub enum TownError {
    #[error(transparent)]
    Clip(#[from] ClipError),
    #[error("cannot listen on `{address}`: {source}: choose another port, or 0 for any")]
    Listen { address: SocketAddr, source: io::Error },
    #[error("cannot start the cameras' thread: {source}")]
    Runtime { source: io::Error },
    #[error("a town has 1 to 10000 cameras, not `{cameras}`")]
    CameraCount { cameras: u32 },
    #[error("a fault is planned for camera `{camera}`, which is not there: the town has {cameras}")]
    NoSuchCamera { camera: u32, cameras: usize },
}

/// What the clients did, all cameras together.
#[derive(Debug, Default)]
pub struct Counters {
    pub connections: AtomicU64,
    pub wrong_credentials: AtomicU64,
    pub video_setups: AtomicU64,
    /// How often somebody asked for sound: must stay 0 with Vigie.
    pub audio_setups: AtomicU64,
    pub audio_bytes: AtomicU64,
    pub plays: AtomicU64,
    pub video_frames: AtomicU64,
    pub video_bytes: AtomicU64,
    /// Frames left out because the client did not read fast enough.
    pub frames_skipped: AtomicU64,
}

/// Running cameras. Dropping it ends them.
pub struct Town {
    pub cameras: Vec<Arc<Camera>>,
    pub counters: Arc<Counters>,
    runtime: Option<Runtime>,
}

/// What its connections share.
pub(super) struct Shared {
    pub scheme: Scheme,
    pub credentials: Credentials,
    pub offer: Offer,
    pub start_at: StartAt,
    pub clock: Arc<dyn Clock>,
    pub counters: Arc<Counters>,
    cameras: Vec<Arc<Camera>>,
}

impl TownConfig {
    /// A town for tests: small clips, Digest, a port of its own for each camera, every frame remembered.
    pub fn for_tests(cameras: u32, credentials: Credentials) -> TownConfig {
        TownConfig {
            ports: Ports::PerCamera,
            size: ClipSize::Small,
            remember_sent: true,
            ..TownConfig::for_demo(cameras, 0, credentials)
        }
    }

    /// How camera `number` codes (1 is the first).
    pub fn coding_of(&self, number: u32) -> Coding {
        let count = self.codings.len().max(1);
        self.codings.get((number as usize).saturating_sub(1) % count).copied().unwrap_or_default()
    }

    /// A town to look at: full size, Digest, one port on loopback.
    pub fn for_demo(cameras: u32, port: u16, credentials: Credentials) -> TownConfig {
        TownConfig {
            address: Ipv4Addr::LOCALHOST.into(),
            ports: Ports::Shared(port),
            cameras,
            seed: 1,
            size: ClipSize::Town,
            scenes: Scenes::Always(Setting::Day),
            scheme: Scheme::Digest,
            credentials,
            codings: Vec::new(),
            sub_stream: None,
            offer: Offer::Pictures,
            start_at: StartAt::KeyFrame,
            clock: Arc::new(SystemClock::new()),
            cache_folder: None,
            remember_sent: false,
        }
    }
}

impl Town {
    /// Renders what is not rendered yet, listens, and serves on a thread of its own. Blocks until the cameras answer.
    pub fn start(config: TownConfig) -> Result<Town, TownError> {
        if !(1..=10_000).contains(&config.cameras) {
            return Err(TownError::CameraCount { cameras: config.cameras });
        }
        let folder = config.cache_folder.clone().map_or_else(clip::cache_folder, Ok)?;
        let mut library =
            Library { seed: config.seed, scenes: config.scenes, folder: &folder, streams: HashMap::new() };
        let shared_listener = match config.ports {
            Ports::Shared(port) => Some(listen(SocketAddr::new(config.address, port))?),
            Ports::PerCamera => None,
        };
        let (mut cameras, mut own_listeners) = (Vec::new(), Vec::new());
        for number in 1..=config.cameras {
            let address = match &shared_listener {
                Some((_, address)) => *address,
                None => {
                    let (listener, address) = listen(SocketAddr::new(config.address, 0))?;
                    own_listeners.push(listener);
                    address
                }
            };
            let main = library.stream(number, config.size, config.coding_of(number))?;
            let sub = config.sub_stream.map(|coding| library.stream(number, ClipSize::Small, coding)).transpose()?;
            cameras.push(Arc::new(Camera::new(number, address, main, sub, config.remember_sent)));
        }
        let counters = Arc::new(Counters::default());
        let TownConfig { scheme, credentials, offer, start_at, clock, .. } = config;
        let shared = Shared {
            scheme,
            credentials,
            offer,
            start_at,
            clock,
            counters: Arc::clone(&counters),
            cameras: cameras.clone(),
        };
        let runtime =
            serve(Arc::new(shared), shared_listener.map(|(listener, _)| listener), own_listeners, config.seed)?;
        Ok(Town { cameras, counters, runtime: Some(runtime) })
    }

    /// Addresses without credentials: `rtsp://127.0.0.1:8554/cam1`.
    pub fn urls(&self) -> Vec<String> {
        self.cameras.iter().map(|camera| camera.url()).collect()
    }

    /// Sets and clears faults at their times, from now on, while the town runs.
    pub fn schedule(&self, plans: &[FaultPlan]) -> Result<(), TownError> {
        for &plan in plans {
            let camera = self.cameras.get((plan.camera as usize).wrapping_sub(1)).cloned();
            let missing = TownError::NoSuchCamera { camera: plan.camera, cameras: self.cameras.len() };
            let camera = camera.ok_or(missing)?;
            let Some(runtime) = &self.runtime else { continue };
            runtime.spawn(async move {
                tokio::time::sleep(plan.after).await;
                tracing::info!(camera = plan.camera, fault = %plan.fault, "a fault begins");
                camera.set(plan.fault);
                if let Some(lasts) = plan.lasts {
                    tokio::time::sleep(lasts).await;
                    tracing::info!(camera = plan.camera, fault = %plan.fault, "a fault ends");
                    camera.clear(plan.fault);
                }
            });
        }
        Ok(())
    }

    /// Ends all cameras and waits until their sockets are closed. Not from async code: there, drop the town.
    pub fn stop(mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(Duration::from_secs(2));
        }
    }
}

impl Drop for Town {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Clips that several cameras send, loaded once.
struct Library<'a> {
    seed: u64,
    scenes: Scenes,
    folder: &'a Path,
    streams: HashMap<(u32, ClipSize, Coding), Stream>,
}

impl Library<'_> {
    fn stream(&mut self, camera: u32, size: ClipSize, coding: Coding) -> Result<Stream, TownError> {
        let place = (camera - 1) % PLACE_NAMES.len() as u32 + 1;
        if let Some(known) = self.streams.get(&(place, size, coding)) {
            return Ok(known.clone());
        }
        let settings = match self.scenes {
            Scenes::Always(setting) => vec![setting],
            Scenes::ByClock => vec![Setting::Day, Setting::Night, Setting::NightCorner],
        };
        let (mut clips, mut all_files) = (Vec::new(), Vec::new());
        for setting in settings {
            let shot = Shot { camera: place, seed: self.seed, size, setting };
            let files = clip::prepare_coded(shot, coding, self.folder)?;
            clips.push((setting, Arc::new(clip::load(&files)?)));
            all_files.push(files);
        }
        let stream = Stream { clips, files: all_files.swap_remove(0) };
        self.streams.insert((place, size, coding), stream.clone());
        Ok(stream)
    }
}

impl Shared {
    /// The camera that a path names: `/cam3`, `/cam3/video`.
    pub(super) fn camera_at(&self, path: &[&str]) -> Option<Arc<Camera>> {
        let number: usize = path.first()?.strip_prefix("cam")?.parse().ok()?;
        self.cameras.get(number.checked_sub(1)?).cloned()
    }
}

fn listen(address: SocketAddr) -> Result<(StdListener, SocketAddr), TownError> {
    let failed = |source| TownError::Listen { address, source };
    let listener = StdListener::bind(address).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

fn serve(
    shared: Arc<Shared>,
    common: Option<StdListener>,
    own: Vec<StdListener>,
    seed: u64,
) -> Result<Runtime, TownError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("cameras")
        .enable_all()
        .build()
        .map_err(|source| TownError::Runtime { source })?;
    if let Some(listener) = common {
        runtime.spawn(accept_for(listener, Arc::clone(&shared), None, seed));
    }
    for (listener, camera) in own.into_iter().zip(shared.cameras.clone()) {
        runtime.spawn(accept_for(listener, Arc::clone(&shared), Some(camera), seed));
    }
    Ok(runtime)
}

/// Accepts for all cameras (`only` is none) or for one; then its port is closed while it refuses.
async fn accept_for(first: StdListener, shared: Arc<Shared>, only: Option<Arc<Camera>>, seed: u64) {
    let mut listener = Some(first);
    loop {
        if let Some(camera) = &only {
            camera.until_running(true).await;
        }
        let socket = match (listener.take(), &only) {
            (Some(socket), _) => Ok(socket),
            (None, Some(camera)) => listen(camera.address).map(|(socket, _)| socket),
            (None, None) => return,
        };
        let Ok(listener) =
            socket.and_then(|socket| TcpListener::from_std(socket).map_err(|source| TownError::Runtime { source }))
        else {
            // The port may still be closing: try again soon.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let stopped = async {
            match &only {
                Some(camera) => camera.until_running(false).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = accept_loop(&listener, &shared, seed) => {}
            () = stopped => {}
        }
    }
}

async fn accept_loop(listener: &TcpListener, shared: &Arc<Shared>, seed: u64) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // Out of file descriptors, most likely: others may close some.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let number = shared.counters.connections.fetch_add(1, Relaxed);
        // A nonce per connection; a simulated camera needs no unpredictable one.
        let mut dice = Dice::new(seed ^ number, 3);
        let nonce = format!("{:016x}{:016x}", dice.throw(), dice.throw());
        tokio::spawn(session::serve(stream, Arc::clone(shared), number, nonce));
    }
}
