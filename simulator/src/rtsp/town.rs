//! The town's cameras as one handle: start, addresses, counters, what was sent, switching a camera off and on.

use super::auth::{Credentials, Scheme};
use super::play::{Rhythm, SentFrame};
use super::session;
use crate::{
    clip::{self, ClipError, ClipFiles},
    clock::SystemClock,
    packetise::CodedClip,
    random::Dice,
    scene::{ClipSize, FRAMES_PER_SECOND, GroundTruth},
};
use domain::Clock;
use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener as StdListener},
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{
    net::TcpListener,
    runtime::Runtime,
    sync::{Notify, watch},
};

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
    pub scheme: Scheme,
    pub credentials: Credentials,
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

/// What the cameras offer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Offer {
    H264,
    /// Motion JPEG only, and no picture is sent: for the test of an unsupported codec.
    JpegOnly,
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

/// One camera of a running town.
pub struct Camera {
    /// 1 is the first.
    pub number: u32,
    pub address: SocketAddr,
    files: ClipFiles,
    pub(super) clip: Arc<CodedClip>,
    pub(super) rhythm: Rhythm,
    state: watch::Sender<State>,
    sessions: Mutex<Vec<Weak<Notify>>>,
    sent: Option<Mutex<Vec<SentFrame>>>,
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

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct State {
    running: bool,
    frozen: bool,
    /// Counts the devices that hung in this place.
    device: u32,
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

    /// A town to look at: full size, Digest, one port on loopback.
    pub fn for_demo(cameras: u32, port: u16, credentials: Credentials) -> TownConfig {
        TownConfig {
            address: Ipv4Addr::LOCALHOST.into(),
            ports: Ports::Shared(port),
            cameras,
            seed: 1,
            size: ClipSize::Town,
            scheme: Scheme::Digest,
            credentials,
            offer: Offer::H264,
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
        let mut clips: Vec<(ClipFiles, Arc<CodedClip>)> = Vec::new();
        for number in 1..=config.cameras.min(crate::scene::PLACE_NAMES.len() as u32) {
            let files = clip::prepare(number, config.seed, config.size, &folder)?;
            let coded = Arc::new(clip::load(&files)?);
            clips.push((files, coded));
        }
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
            let (files, coded) = clips[(number as usize - 1) % clips.len()].clone();
            cameras.push(Arc::new(Camera::new(number, address, files, coded, config.remember_sent)));
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

impl Camera {
    fn new(number: u32, address: SocketAddr, files: ClipFiles, clip: Arc<CodedClip>, remember: bool) -> Camera {
        let period_micros = 1_000_000 / u64::from(FRAMES_PER_SECOND);
        let mut dice = Dice::new(u64::from(number), 2);
        let rhythm = Rhythm {
            camera: number,
            phase_micros: (dice.throw() % period_micros) as i64,
            // Five is prime to the 24 frames of a group: the key frames of 24 cameras fall on 24 different frames.
            shift_frames: u64::from(number - 1) * 5,
        };
        Camera {
            number,
            address,
            files,
            clip,
            rhythm,
            state: watch::Sender::new(State { running: true, frozen: false, device: 1 }),
            sessions: Mutex::new(Vec::new()),
            sent: remember.then(Mutex::default),
        }
    }

    /// Address without credentials.
    pub fn url(&self) -> String {
        format!("rtsp://{}/cam{}", self.address, self.number)
    }
    /// The realm of its challenges: another device in the same place has another (part of its fingerprint, R13).
    pub fn realm(&self) -> String {
        format!("Vigie simulator cam{} device {}", self.number, self.state.borrow().device)
    }
    /// What really happens in its clip.
    pub fn truth(&self) -> Result<GroundTruth, ClipError> {
        clip::load_truth(&self.files)
    }
    /// Every frame sent so far, if the town remembers.
    pub fn sent(&self) -> Vec<SentFrame> {
        self.sent.as_ref().map(|sent| lock(sent).clone()).unwrap_or_default()
    }

    /// Cuts its connections and takes no others, as if somebody had pulled its cable.
    pub fn stop(&self) {
        self.state.send_modify(|state| state.running = false);
        self.hang_up_all();
    }
    /// Takes connections again, on the same port, in some milliseconds.
    pub fn restart(&self) {
        self.state.send_modify(|state| state.running = true);
    }
    /// Keeps its connections and sends nothing on them, as a camera whose encoder hangs.
    pub fn freeze(&self) {
        self.state.send_modify(|state| state.frozen = true);
    }
    /// Goes on with the frame that is due now.
    pub fn thaw(&self) {
        self.state.send_modify(|state| state.frozen = false);
    }
    /// Another device hangs in this place: same address, another realm. Its connections are cut.
    pub fn replace_device(&self) {
        self.state.send_modify(|state| state.device += 1);
        self.hang_up_all();
    }
    pub fn is_running(&self) -> bool {
        self.state.borrow().running
    }
    pub fn is_frozen(&self) -> bool {
        self.state.borrow().frozen
    }

    /// A connection that wants to be told when the camera goes away.
    pub(super) fn register(&self, hang_up: &Arc<Notify>) {
        let mut sessions = lock(&self.sessions);
        sessions.retain(|session| session.strong_count() > 0);
        sessions.push(Arc::downgrade(hang_up));
    }
    /// Remembers a frame before its first byte leaves, so that who received it finds it. Gives its place.
    pub(super) fn note(&self, frame: SentFrame) -> Option<usize> {
        let mut sent = lock(self.sent.as_ref()?);
        sent.push(frame);
        Some(sent.len() - 1)
    }
    /// The frame noted at `entry` left whole.
    pub(super) fn note_whole(&self, entry: Option<usize>) {
        if let (Some(entry), Some(sent)) = (entry, &self.sent) {
            lock(sent)[entry].whole = true;
        }
    }

    fn hang_up_all(&self) {
        lock(&self.sessions).drain(..).filter_map(|session| session.upgrade()).for_each(|session| session.notify_one());
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

/// Accepts for all cameras (`only` is none) or for one; then its port is closed while it is off.
async fn accept_for(first: StdListener, shared: Arc<Shared>, only: Option<Arc<Camera>>, seed: u64) {
    let mut listener = Some(first);
    let mut state = only.as_ref().map(|camera| camera.state.subscribe());
    loop {
        if let Some(state) = &mut state
            && state.wait_for(|state| state.running).await.is_err()
        {
            return;
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
            match &mut state {
                Some(state) => drop(state.wait_for(|state| !state.running).await),
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
