//! The writer: takes chunks from the ingest thread, admits them, and makes them durable once a second (R1).

use crate::{
    health::{GapCause, GapEvent},
    ingest::Sink,
    report::Report,
    role::RunTime,
};
use catalog::{Footage, Gap};
use domain::{Span, StreamId, UtcMicros, limit};
use media::{Chunk, Frame};
use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel},
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
/// What a restart may cost is not told as a gap (promise 1).
const LOSS_MICROS: i64 = limit::LOSS_MS_MAX as i64 * 1_000;
const SLOW_ENTRY_PERIOD: Duration = Duration::from_secs(60);
const SYNC_PERIOD: Duration = Duration::from_millis(limit::SYNC_PERIOD_MS);

/// The ingest thread's side: never waits.
pub struct Desk {
    queue: SyncSender<Box<Chunk>>,
    /// Of their own, without a bound: they are few, and a full queue is itself a gap.
    gaps: Sender<(StreamId, GapEvent)>,
    waiting_bytes: Arc<AtomicUsize>,
    hub: Arc<Hub>,
}

/// The writer's side.
pub struct Writer {
    queue: Receiver<Box<Chunk>>,
    gaps: Receiver<(StreamId, GapEvent)>,
    waiting_bytes: Arc<AtomicUsize>,
    admitter: Arc<Mutex<Admitter>>,
    store: Arc<LocalStore>,
    footage: Arc<Footage>,
    report: Arc<Report>,
    /// Gaps that last: since when, and why.
    open_gaps: HashMap<StreamId, (UtcMicros, GapCause)>,
    /// Streams of which this run has admitted something.
    met: HashSet<StreamId>,
    /// First picture of each stream that is not durable yet.
    unsynced: HashMap<StreamId, UtcMicros>,
    /// The slowest sync since the last entry that told of one; 0 where all were in time.
    slowest_ms: u64,
    slow_told: Instant,
}

impl Sink for Desk {
    fn chunk(&self, chunk: Chunk) -> bool {
        let bytes = chunk.data.len();
        if self.waiting_bytes.fetch_add(bytes, Ordering::SeqCst) > QUEUE_BYTES_MAX
            || self.queue.try_send(Box::new(chunk)).is_err()
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
        if self.gaps.send((stream, event)).is_err() {
            warn!("a gap could not be noted: the writer is gone");
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
        let (gap_sender, gaps) = channel();
        let desk = Desk { queue: sender, gaps: gap_sender, waiting_bytes: waiting_bytes.clone(), hub };
        let (open_gaps, met, unsynced) = Default::default();
        let (slowest_ms, slow_told) = (0, Instant::now() - SLOW_ENTRY_PERIOD);
        let writer = Writer {
            queue,
            gaps,
            waiting_bytes,
            admitter,
            store,
            footage,
            report,
            open_gaps,
            met,
            unsynced,
            slowest_ms,
            slow_told,
        };
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
            while let Ok(chunk) = self.queue.try_recv() {
                self.take(*chunk, time.now());
            }
            self.take_gaps();
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
                Ok(chunk) => self.take(*chunk, time.now()),
                Err(RecvTimeoutError::Timeout) => return,
                Err(RecvTimeoutError::Disconnected) => return std::thread::sleep(patience),
            }
            if Instant::now() >= next {
                return;
            }
        }
    }

    fn take(&mut self, chunk: Chunk, now: UtcMicros) {
        self.waiting_bytes.fetch_sub(chunk.data.len(), Ordering::SeqCst);
        let (stream, at) = (chunk.stream, chunk.first_utc);
        if self.admitter().admit(chunk, now) == Admitted::NoKey {
            self.report.note_no_key(stream, at);
            return self.open_gap(stream, at, GapCause::KeeperAway);
        }
        self.report.note_admitted(stream, at);
        self.unsynced.entry(stream).or_insert(at);
        if self.met.insert(stream) {
            self.close_earlier_gaps(stream, at);
        }
        self.close_gap(stream, at);
    }

    fn take_gaps(&mut self) {
        while let Ok((stream, event)) = self.gaps.try_recv() {
            if event.opened { self.open_gap(stream, event.at, event.cause) } else { self.close_gap(stream, event.at) }
        }
    }

    fn open_gap(&mut self, stream: StreamId, from: UtcMicros, cause: GapCause) {
        if self.open_gaps.contains_key(&stream) {
            return;
        }
        self.note_gap(stream, from, None, &cause);
        self.open_gaps.insert(stream, (from, cause));
    }

    /// A picture after a gap's beginning ends it, whoever said that it began.
    fn close_gap(&mut self, stream: StreamId, at: UtcMicros) {
        if self.open_gaps.get(&stream).is_none_or(|(from, _)| at <= *from) {
            return;
        }
        if let Some((from, cause)) = self.open_gaps.remove(&stream) {
            self.note_gap(stream, from, Some(at), &cause);
        }
    }

    /// At the first picture of this run: gaps that an earlier run left open end, and a time for which nobody gave a cause
    /// was one in which the recorder did not run.
    fn close_earlier_gaps(&mut self, stream: StreamId, at: UtcMicros) {
        let Ok(day) = Span::new(at.plus_seconds(-86_400), at) else { return };
        let known = self.footage.gaps(stream, day).and_then(|gaps| Ok((gaps, self.footage.day(stream, day)?)));
        let (gaps, footage) = match known {
            Ok(known) => known,
            Err(error) => return warn!(%error, "earlier gaps stay open"),
        };
        let open: Vec<Gap> = gaps.into_iter().filter(|gap| gap.to.is_none() && gap.from < at).collect();
        for gap in &open {
            self.enter(&Gap { to: Some(at), ..gap.clone() });
        }
        let last = footage.last().map(|span| span.to());
        if let Some(last) = last.filter(|last| open.is_empty() && at.since(*last) > LOSS_MICROS) {
            self.note_gap(stream, last, Some(at), &GapCause::RecorderDown);
        }
    }

    fn note_gap(&self, stream: StreamId, from: UtcMicros, to: Option<UtcMicros>, cause: &GapCause) {
        let cause = serde_json::to_string(cause).unwrap_or_else(|_| cause.code().to_owned());
        self.enter(&Gap { stream, from, to, cause });
    }

    fn enter(&self, gap: &Gap) {
        if let Err(error) = self.footage.gap(gap) {
            warn!(%error, "a gap could not be noted");
        }
    }

    fn sync(&mut self, time: &RunTime) {
        self.take_gaps();
        let started = Instant::now();
        let synced = self.admitter().sync(time.now());
        let took_ms = started.elapsed().as_millis() as u64;
        let usage = self.store.usage();
        match synced {
            Ok(()) => {
                self.unsynced.clear();
                self.report.note_sync(time.now(), took_ms, usage);
            }
            Err(failure) => {
                error!(error = %failure, "a sync failed");
                let trouble = failure.trouble();
                self.report.note_failed_sync(trouble, failure.to_string(), usage);
                let cause = if trouble.is_full() { GapCause::DiskFull } else { GapCause::DiskFailed };
                for (stream, since) in std::mem::take(&mut self.unsynced) {
                    self.open_gap(stream, since, cause.clone());
                }
            }
        }
        if took_ms > limit::SYNC_LATENCY_MS_MAX {
            self.slowest_ms = self.slowest_ms.max(took_ms);
        }
        // one entry a minute at most, with the slowest of it: a poor disk must not fill the ledger
        if self.slowest_ms > 0 && self.slow_told.elapsed() > SLOW_ENTRY_PERIOD {
            self.slow_told = Instant::now();
            let took_ms = std::mem::take(&mut self.slowest_ms);
            self.admitter().tell(Fact::SlowSync { at: time.now(), took_ms });
        }
    }

    fn admitter(&self) -> std::sync::MutexGuard<'_, Admitter> {
        self.admitter.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
