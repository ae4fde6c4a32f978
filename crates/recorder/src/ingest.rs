//! One thread for all cameras: looks at all sockets every 100 ms, every 20 ms while somebody watches (R15).
//!
//! A wake-up for each packet is most of the cost of receiving. The runtime is therefore driven by hand: a few rounds
//! of its event loop, then sleep until the next tick. Between ticks the kernel's socket buffers hold what arrives.

use crate::{
    buffers::Buffers,
    camera::{self, CameraConfig, World},
    health::{CameraHealth, GapCause, GapEvent, HealthBoard},
    lane::Lane,
};
use domain::{StreamId, UtcMicros, limit};
use media::{Chunk, Frame};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    future::poll_fn,
    rc::Rc,
    sync::{
        Arc,
        mpsc::{self, RecvTimeoutError},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};
use tokio::{
    runtime::Runtime,
    sync::watch,
    task::{LocalSet, yield_now},
};

const TICK: Duration = Duration::from_millis(limit::TICK_MS);
const TICK_WATCHED: Duration = Duration::from_millis(limit::TICK_WATCHED_MS);
/// Rounds of the event loop in one tick: it ends after this many in which no camera had anything to do ...
const ROUNDS_QUIET: u32 = 3;
/// ... or after this many in all, so that one camera cannot hold the tick.
const ROUNDS_MAX: u32 = 400;
/// How long cameras may take to close their sessions at a stop (TEARDOWN is waited for one second).
const STOP_MAX: Duration = Duration::from_secs(2);
/// Wait before a camera's task that broke down is started anew.
const RESTART_WAIT: Duration = Duration::from_secs(limit::RECONNECT_SECONDS_MAX);

/// Where pictures go. Called on the ingest thread: nothing here may wait.
pub trait Sink: Send + Sync {
    /// Takes a chunk. `false`: the queue is full; the chunk is lost and its camera's session ends with a gap.
    fn chunk(&self, chunk: Chunk) -> bool;
    /// The live tap: each picture that is kept, before its chunk is cut.
    fn frame(&self, stream: StreamId, frame: &Frame);
    /// A gap of a stream begins or ends.
    fn gap(&self, stream: StreamId, event: GapEvent);
    /// A stream is to be recorded from `at` on; said again when its camera's facts change.
    fn expected(&self, stream: StreamId, at: UtcMicros);
    /// Pictures are missing between two that are kept.
    fn missing(&self, stream: StreamId, from: UtcMicros, to: UtcMicros, cause: GapCause);
    /// The stream's camera was taken out of service: from `at` on nothing is missing.
    fn released(&self, stream: StreamId, at: UtcMicros);
    /// Whether somebody watches any stream now.
    fn watched(&self) -> bool;
    /// Where chunks get their buffers. A sink that gives none back has new ones made.
    fn buffers(&self) -> Arc<Buffers> {
        Arc::default()
    }
}

/// The ingest thread cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    #[error("the ingest thread cannot be started: check the limits of threads and open files")]
    Start(#[source] std::io::Error),
    #[error("the ingest thread is gone: restart the recorder")]
    Gone,
}

/// The running ingest thread.
pub struct Ingest {
    commands: mpsc::Sender<Command>,
    thread: Option<JoinHandle<()>>,
    board: HealthBoard,
}

enum Command {
    Put(Box<CameraConfig>),
    Remove(StreamId),
    Withhold(StreamId),
    Stop,
}

impl Ingest {
    pub fn start(world: World, sink: Arc<dyn Sink>) -> Result<Ingest, IngestError> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(IngestError::Start)?;
        let (commands, received) = mpsc::channel();
        let board = HealthBoard::default();
        let published = board.clone();
        let thread = std::thread::Builder::new()
            .name("ingest".into())
            .spawn(move || {
                Cameras::new(world, sink, published).run(&runtime, &received);
                // A name that is being resolved must not hold up the stop.
                runtime.shutdown_background();
            })
            .map_err(IngestError::Start)?;
        Ok(Ingest { commands, thread: Some(thread), board })
    }

    /// Adds a camera, or changes it: the present session is closed first.
    pub fn put(&self, camera: CameraConfig) -> Result<(), IngestError> {
        self.commands.send(Command::Put(Box::new(camera))).map_err(|_| IngestError::Gone)
    }

    /// Stops recording a stream.
    pub fn remove(&self, stream: StreamId) -> Result<(), IngestError> {
        self.commands.send(Command::Remove(stream)).map_err(|_| IngestError::Gone)
    }

    /// Stops recording a stream that may not be recorded now: from here on it misses pictures for that cause.
    pub fn withhold(&self, stream: StreamId) -> Result<(), IngestError> {
        self.commands.send(Command::Withhold(stream)).map_err(|_| IngestError::Gone)
    }

    /// Whether the thread still runs: if it does not, nothing is recorded and the recorder must be restarted.
    pub fn is_running(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    /// As of the last tick.
    pub fn health(&self) -> Vec<CameraHealth> {
        self.board.snapshot()
    }

    /// The board itself, for another thread.
    pub fn board(&self) -> HealthBoard {
        self.board.clone()
    }

    /// Closes all sessions, hands on what is open, and ends the thread; about two seconds at most.
    pub fn stop(mut self) -> Result<(), IngestError> {
        self.end()
    }

    fn end(&mut self) -> Result<(), IngestError> {
        let Some(thread) = self.thread.take() else { return Ok(()) };
        let told = self.commands.send(Command::Stop).map_err(|_| IngestError::Gone);
        thread.join().map_err(|_| IngestError::Gone).and(told)
    }
}

impl Drop for Ingest {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            tracing::error!(%error, "the ingest thread did not end well");
        }
    }
}

/// All cameras, on their thread.
struct Cameras {
    world: World,
    sink: Arc<dyn Sink>,
    board: HealthBoard,
    local: LocalSet,
    entries: BTreeMap<StreamId, Entry>,
    /// How often any camera's task ran: tells a busy round from a quiet one.
    polls: Rc<Cell<u64>>,
}

struct Entry {
    config: CameraConfig,
    lane: Rc<RefCell<Lane>>,
    stop: watch::Sender<bool>,
    task: tokio::task::JoinHandle<()>,
    then: Then,
}

/// What follows when a camera's task has ended.
enum Then {
    /// It was not asked to end: it broke down.
    Restart,
    Replace(Box<CameraConfig>),
    /// It was taken out of service.
    Forget,
    /// It may not be recorded now.
    Withhold,
    /// The recorder stops.
    Stop,
}

impl Cameras {
    fn new(world: World, sink: Arc<dyn Sink>, board: HealthBoard) -> Cameras {
        Cameras { world, sink, board, local: LocalSet::new(), entries: BTreeMap::new(), polls: Rc::default() }
    }

    fn run(mut self, runtime: &Runtime, commands: &mpsc::Receiver<Command>) {
        let mut next = Instant::now();
        loop {
            self.tick(runtime);
            next = (next + if self.sink.watched() { TICK_WATCHED } else { TICK }).max(Instant::now());
            loop {
                match commands.recv_timeout(next.saturating_duration_since(Instant::now())) {
                    Ok(Command::Put(config)) => self.put(*config),
                    Ok(Command::Remove(stream)) => self.remove(stream),
                    Ok(Command::Withhold(stream)) => self.withhold(stream),
                    Ok(Command::Stop) | Err(RecvTimeoutError::Disconnected) => return self.stop(runtime),
                    Err(RecvTimeoutError::Timeout) => break,
                }
            }
        }
    }

    fn tick(&mut self, runtime: &Runtime) {
        let polls = self.polls.clone();
        runtime.block_on(self.local.run_until(async move {
            let mut quiet = 0;
            for _ in 0..ROUNDS_MAX {
                let before = polls.get();
                yield_now().await;
                quiet = if polls.get() == before { quiet + 1 } else { 0 };
                if quiet == ROUNDS_QUIET {
                    break;
                }
            }
        }));
        let now = (self.world.trusted)();
        for entry in self.entries.values() {
            entry.lane.borrow_mut().tick(now);
        }
        self.reap();
        let lanes: Vec<_> = self.entries.values().map(|entry| entry.lane.borrow()).collect();
        self.board.publish(lanes.iter().map(|lane| lane.health()));
    }

    fn put(&mut self, config: CameraConfig) {
        match self.entries.get_mut(&config.stream) {
            Some(entry) => {
                entry.then = Then::Replace(Box::new(config));
                entry.stop.send_replace(true);
            }
            None => self.begin(config, Duration::ZERO),
        }
    }

    fn remove(&mut self, stream: StreamId) {
        match self.entries.get_mut(&stream) {
            Some(entry) => {
                entry.then = Then::Forget;
                entry.stop.send_replace(true);
            }
            None => self.sink.released(stream, (self.world.trusted)()), // it may have been withheld
        }
    }

    fn withhold(&mut self, stream: StreamId) {
        match self.entries.get_mut(&stream) {
            Some(entry) => {
                entry.then = Then::Withhold;
                entry.lane.borrow_mut().withhold();
                entry.stop.send_replace(true);
            }
            None => self.note_withheld(stream),
        }
    }

    fn note_withheld(&self, stream: StreamId) {
        let at = (self.world.trusted)();
        self.sink.expected(stream, at);
        self.sink.gap(stream, GapEvent { at, cause: GapCause::NotAuthorised, opened: true });
    }

    fn begin(&mut self, config: CameraConfig, first_wait: Duration) {
        let now = (self.world.trusted)();
        let lane = Lane::new(config.stream, &config.name, self.world.hour_length, self.sink.clone(), now);
        let lane = Rc::new(RefCell::new(lane));
        let (stop, stopped) = watch::channel(false);
        let mut work = Box::pin(camera::run(config.clone(), lane.clone(), self.world.clone(), stopped, first_wait));
        let polls = self.polls.clone();
        let task = self.local.spawn_local(poll_fn(move |context| {
            polls.set(polls.get() + 1);
            work.as_mut().poll(context)
        }));
        let entry = Entry { config, lane, stop, task, then: Then::Restart };
        self.entries.insert(entry.config.stream, entry);
    }

    /// Looks after tasks that have ended.
    fn reap(&mut self) {
        let ended: Vec<StreamId> =
            self.entries.iter().filter(|(_, entry)| entry.task.is_finished()).map(|(stream, _)| *stream).collect();
        for stream in ended {
            let Some(entry) = self.entries.remove(&stream) else { continue };
            match entry.then {
                Then::Forget => {
                    self.sink.released(entry.config.stream, (self.world.trusted)());
                    self.board.forget(stream);
                }
                Then::Withhold => {
                    self.board.forget(stream);
                    self.note_withheld(stream);
                }
                Then::Stop => self.board.forget(stream),
                Then::Replace(config) => self.begin(*config, Duration::ZERO),
                Then::Restart => {
                    tracing::error!(camera = %stream.camera, name = %entry.config.name, "a camera's task broke down; it starts anew");
                    entry.lane.borrow_mut().fail(GapCause::Protocol, (self.world.trusted)());
                    self.begin(entry.config, RESTART_WAIT);
                }
            }
        }
    }

    fn stop(mut self, runtime: &Runtime) {
        for entry in self.entries.values_mut() {
            entry.then = Then::Stop;
            entry.stop.send_replace(true);
        }
        let began = Instant::now();
        while !self.entries.is_empty() && began.elapsed() < STOP_MAX {
            self.tick(runtime);
            std::thread::sleep(TICK_WATCHED);
        }
        // A camera that hangs in its farewell: what it has left is handed on all the same.
        for entry in self.entries.values() {
            entry.lane.borrow_mut().fail(GapCause::Stopped, (self.world.trusted)());
        }
        // A session that is dropped says TEARDOWN in a task of its own, which needs the runtime.
        let _entered = runtime.enter();
        drop(self.local);
    }
}
