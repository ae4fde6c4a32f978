//! The writer: takes chunks from the ingest thread, admits them, and makes them durable once a second (R1).

use crate::{health::GapEvent, ingest::Sink, report::Report, role::RunTime};
use catalog::{Footage, Gap};
use domain::{StreamId, UtcMicros, limit};
use media::{Chunk, Frame};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};
use tracing::{error, warn};
use vault::{
    LocalStore,
    admit::{Admitted, Admitter},
    keeper::Fact,
    watch::Hub,
};

/// Messages that may wait for the writer: five seconds of 400 cameras at two chunks a second.
const QUEUE_MESSAGES_MAX: usize = 4_096;
/// Chunks that may wait, in bytes: five seconds of 100 cameras at 4 Mbit/s; beyond that something is wrong with the disk.
const QUEUE_BYTES_MAX: usize = 256 * 1024 * 1024;
const SYNC_PERIOD: Duration = Duration::from_millis(limit::SYNC_PERIOD_MS);

enum Message {
    Chunk(Box<Chunk>),
    Gap(StreamId, GapEvent),
}

/// The ingest thread's side: never waits.
pub struct Desk {
    queue: SyncSender<Message>,
    waiting_bytes: Arc<AtomicUsize>,
    hub: Arc<Hub>,
}

/// The writer's side.
pub struct Writer {
    queue: Receiver<Message>,
    waiting_bytes: Arc<AtomicUsize>,
    admitter: Arc<Mutex<Admitter>>,
    store: Arc<LocalStore>,
    footage: Arc<Footage>,
    report: Arc<Report>,
    /// Gaps that last: since when.
    open_gaps: HashMap<StreamId, (UtcMicros, String)>,
}

impl Sink for Desk {
    fn chunk(&self, chunk: Chunk) -> bool {
        let bytes = chunk.data.len();
        if self.waiting_bytes.fetch_add(bytes, Ordering::SeqCst) > QUEUE_BYTES_MAX
            || self.queue.try_send(Message::Chunk(Box::new(chunk))).is_err()
        {
            self.waiting_bytes.fetch_sub(bytes, Ordering::SeqCst);
            return false;
        }
        true
    }

    fn frame(&self, stream: StreamId, frame: &Frame) {
        self.hub.push(stream, frame);
    }

    fn gap(&self, stream: StreamId, event: GapEvent) {
        if self.queue.try_send(Message::Gap(stream, event)).is_err() {
            warn!("a gap could not be noted: the writer's queue is full");
        }
    }

    fn watched(&self) -> bool {
        self.hub.is_watched()
    }
}

impl Writer {
    pub fn new(
        admitter: Arc<Mutex<Admitter>>,
        store: Arc<LocalStore>,
        footage: Arc<Footage>,
        hub: Arc<Hub>,
        report: Arc<Report>,
    ) -> (Desk, Writer) {
        let (sender, queue) = sync_channel(QUEUE_MESSAGES_MAX);
        let waiting_bytes = Arc::<AtomicUsize>::default();
        let desk = Desk { queue: sender, waiting_bytes: waiting_bytes.clone(), hub };
        let writer = Writer { queue, waiting_bytes, admitter, store, footage, report, open_gaps: HashMap::new() };
        (desk, writer)
    }

    /// Works until `ended`, then makes everything durable and ends the open reels.
    pub fn start(mut self, time: RunTime, ended: Arc<AtomicBool>) -> JoinHandle<()> {
        std::thread::spawn(move || {
            let mut next = Instant::now() + SYNC_PERIOD;
            while !ended.load(Ordering::SeqCst) {
                self.take_until(next, &time, &ended);
                self.sync(&time);
                next = (next + SYNC_PERIOD).max(Instant::now());
            }
            while let Ok(message) = self.queue.try_recv() {
                self.take(message, time.now());
            }
            let closed = self.admitter().close(time.now());
            if let Err(error) = closed {
                error!(%error, "the open reels could not be ended; the next start recovers them");
            }
        })
    }

    fn take_until(&mut self, next: Instant, time: &RunTime, ended: &AtomicBool) {
        while !ended.load(Ordering::SeqCst) {
            let patience = next.saturating_duration_since(Instant::now());
            match self.queue.recv_timeout(patience) {
                Ok(message) => self.take(message, time.now()),
                Err(RecvTimeoutError::Timeout) => return,
                Err(RecvTimeoutError::Disconnected) => return std::thread::sleep(patience),
            }
            if Instant::now() >= next {
                return;
            }
        }
    }

    fn take(&mut self, message: Message, now: UtcMicros) {
        match message {
            Message::Chunk(chunk) => {
                self.waiting_bytes.fetch_sub(chunk.data.len(), Ordering::SeqCst);
                let (stream, at) = (chunk.stream, chunk.first_utc);
                if self.admitter().admit(*chunk, now) == Admitted::NoKey {
                    self.report.note_no_key(stream, at);
                } else {
                    self.report.note_admitted(stream, at);
                }
            }
            Message::Gap(stream, event) => self.gap(stream, event),
        }
    }

    fn gap(&mut self, stream: StreamId, event: GapEvent) {
        let cause = serde_json::to_string(&event.cause).unwrap_or_else(|_| event.cause.code().to_owned());
        let gap = if event.opened {
            self.open_gaps.insert(stream, (event.at, cause.clone()));
            Gap { stream, from: event.at, to: None, cause }
        } else {
            let Some((from, cause)) = self.open_gaps.remove(&stream) else { return };
            Gap { stream, from, to: Some(event.at), cause }
        };
        if let Err(error) = self.footage.gap(&gap) {
            warn!(%error, "a gap could not be noted");
        }
    }

    fn sync(&mut self, time: &RunTime) {
        let started = Instant::now();
        let synced = self.admitter().sync(time.now());
        let took_ms = started.elapsed().as_millis() as u64;
        let usage = self.store.usage();
        match synced {
            Ok(()) => self.report.note_sync(time.now(), took_ms, usage),
            Err(failure) => {
                error!(error = %failure, "a sync failed");
                self.report.note_failed_sync(failure.to_string(), usage);
            }
        }
        if took_ms > limit::SYNC_LATENCY_MS_MAX {
            self.admitter().tell(Fact::SlowSync { at: time.now(), took_ms });
        }
    }

    fn admitter(&self) -> std::sync::MutexGuard<'_, Admitter> {
        self.admitter.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
