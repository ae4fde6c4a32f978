//! The writer: takes chunks from the ingest thread, admits them, and makes them durable once a second (R1).

use crate::{
    gaps::{GapBook, Missing},
    health::{GapCause, GapEvent},
    ingest::Sink,
    mend::Kept,
    report::Report,
    role::RunTime,
};
use catalog::{CatalogError, Footage, Gap};
use domain::{HourLength, Span, StreamId, UtcMicros, limit};
use media::{Chunk, Frame};
use seal::GapLine;
use std::{
    collections::HashMap,
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
const SLOW_ENTRY_PERIOD: Duration = Duration::from_secs(60);
const SYNC_PERIOD: Duration = Duration::from_millis(limit::SYNC_PERIOD_MS);

/// The ingest thread's side: never waits.
pub struct Desk {
    queue: SyncSender<Box<Chunk>>,
    /// Of their own, without a bound: they are few, and a full queue is itself a gap.
    notes: Sender<(StreamId, Note)>,
    waiting_bytes: Arc<AtomicUsize>,
    hub: Arc<Hub>,
}

/// What the ingest thread says of a stream beside its chunks.
enum Note {
    Gap(GapEvent),
    Expected(UtcMicros),
    Missing(UtcMicros, UtcMicros, GapCause),
    Released(UtcMicros),
}

/// The writer's side.
pub struct Writer {
    queue: Receiver<Box<Chunk>>,
    notes: Receiver<(StreamId, Note)>,
    waiting_bytes: Arc<AtomicUsize>,
    admitter: Arc<Mutex<Admitter>>,
    store: Arc<LocalStore>,
    footage: Arc<Footage>,
    report: Arc<Report>,
    book: GapBook,
    /// Streams in a gap of which something is admitted again, since when: the gap ends when that is durable.
    resumed: HashMap<StreamId, UtcMicros>,
    /// Lines of the book that are in a reel and not durable yet.
    unsynced_lines: Vec<GapLine>,
    hour_length: HourLength,
    /// Until when an earlier run lived at least, by the catalog.
    earlier_life: Option<UtcMicros>,
    /// Streams that this run was told to expect, and since when.
    met: HashMap<StreamId, UtcMicros>,
    /// The catalog was made anew from the reels.
    mended: Arc<AtomicBool>,
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
        self.note(stream, Note::Gap(event));
    }

    fn expected(&self, stream: StreamId, at: UtcMicros) {
        self.note(stream, Note::Expected(at));
    }

    fn missing(&self, stream: StreamId, from: UtcMicros, to: UtcMicros, cause: GapCause) {
        self.note(stream, Note::Missing(from, to, cause));
    }

    fn released(&self, stream: StreamId, at: UtcMicros) {
        self.note(stream, Note::Released(at));
    }

    fn watched(&self) -> bool {
        self.hub.is_watched()
    }
}

impl Desk {
    fn note(&self, stream: StreamId, note: Note) {
        if self.notes.send((stream, note)).is_err() {
            warn!("a gap could not be noted: the writer is gone");
        }
    }
}

/// What the writer works with.
pub struct WriterParts {
    pub kept: Kept,
    pub hour_length: HourLength,
    /// See [`Footage::last_sign_of_life`]; read before recovery adds to the catalog.
    pub earlier_life: Option<UtcMicros>,
}

impl Writer {
    pub fn new(parts: WriterParts, hub: Arc<Hub>) -> (Desk, Writer) {
        let (sender, queue) = sync_channel(QUEUE_MESSAGES_MAX);
        let waiting_bytes = Arc::<AtomicUsize>::default();
        let (note_sender, notes) = channel();
        let desk = Desk { queue: sender, notes: note_sender, waiting_bytes: waiting_bytes.clone(), hub };
        let WriterParts { kept, hour_length, earlier_life } = parts;
        let Kept { admitter, store, footage, report, mended, .. } = kept;
        let (book, resumed, unsynced_lines, met, unsynced) = Default::default();
        let (slowest_ms, slow_told) = (0, Instant::now() - SLOW_ENTRY_PERIOD);
        let writer = Writer {
            queue,
            notes,
            waiting_bytes,
            admitter,
            store,
            footage,
            report,
            book,
            resumed,
            unsynced_lines,
            hour_length,
            earlier_life,
            met,
            mended,
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
            self.take_notes();
            self.admit_lines(time.now());
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
        if !self.met.contains_key(&stream) {
            self.take_notes(); // what an earlier run left comes before the first picture of this one
        }
        if self.admitter().admit(chunk, now) == Admitted::NoKey {
            self.report.note_no_key(stream, at);
            return self.gap_begins(stream, at, GapCause::KeeperAway);
        }
        self.report.note_admitted(stream, at);
        self.unsynced.entry(stream).or_insert(at);
        if self.book.open_since(stream).is_some_and(|from| from < at) {
            self.resumed.entry(stream).or_insert(at);
        }
    }

    fn take_notes(&mut self) {
        while let Ok((stream, note)) = self.notes.try_recv() {
            match note {
                Note::Gap(GapEvent { at, cause, opened: true }) => self.gap_begins(stream, at, cause),
                Note::Gap(GapEvent { at, .. }) => self.gap_ends(stream, at),
                Note::Expected(at) => self.expect(stream, at),
                Note::Missing(from, to, cause) => {
                    let missing = self.book.was(stream, from, to, cause);
                    self.enter(missing);
                }
                Note::Released(at) => {
                    self.met.remove(&stream);
                    let missing = self.book.forget(stream, at);
                    self.enter(missing);
                }
            }
        }
    }

    fn gap_begins(&mut self, stream: StreamId, from: UtcMicros, cause: GapCause) {
        let changed = self.book.begins(stream, from, cause);
        self.enter(changed);
    }

    /// A picture after a gap's beginning ends it, whoever said that it began.
    fn gap_ends(&mut self, stream: StreamId, at: UtcMicros) {
        let ended = self.book.ends(stream, at);
        self.enter(ended);
    }

    /// The stream is to be recorded from now on: what is missing since an earlier run held its last picture has a cause, and
    /// goes on until this run holds the first.
    fn expect(&mut self, stream: StreamId, at: UtcMicros) {
        if self.met.contains_key(&stream) {
            return;
        }
        self.met.insert(stream, at);
        self.report.note_expected(stream, at);
        let (last, open) = match self.footage.left_by_earlier_runs(stream) {
            Ok(left) => left,
            Err(error) => return warn!(%error, "what an earlier run left open stays open"),
        };
        let Some(gap) = open else {
            return if let Some(last) = last.filter(|last| *last < at) {
                self.gap_begins(stream, last, GapCause::RecorderDown);
            };
        };
        let cause = GapCause::from_text(&gap.cause).unwrap_or(GapCause::RecorderDown);
        let stopped = cause == GapCause::Stopped;
        self.book.goes_on(stream, gap.from, cause);
        if gap.from >= at {
            let ended = self.book.forget(stream, gap.from); // our time stepped back: the gap lies in the future (R9)
            self.enter(ended);
        } else if !stopped {
            // until it died, the earlier run knew the cause; from then on the cause is that it was dead
            self.gap_begins(stream, self.earlier_life.unwrap_or(gap.from), GapCause::RecorderDown);
        }
    }

    /// After a rebuild: gaps whose end was lost end where footage goes on, and what lies between an earlier run's last
    /// picture and this run's first has its cause, which only the lost catalog could have told at the start.
    fn settle_gaps(&mut self) {
        for (stream, at) in self.met.clone() {
            if let Err(error) = self.settle_gaps_of(stream, at) {
                warn!(%error, "gaps could not be settled after the catalog was made anew");
            }
        }
    }

    fn settle_gaps_of(&mut self, stream: StreamId, at: UtcMicros) -> Result<(), CatalogError> {
        let open = self.book.open_since(stream);
        self.footage.gaps_settle(stream, open)?;
        let (Some(before), after) = self.footage.frames_around(stream, at)? else { return Ok(()) };
        let to = after.or(open).unwrap_or(at);
        let hole = Span::new(before, to).ok().filter(|hole| hole.micros() > 0);
        let Some(hole) = hole else { return Ok(()) };
        if self.footage.gaps(stream, hole)?.is_empty() {
            let missing = self.book.add(stream, hole.from(), hole.to(), GapCause::RecorderDown);
            self.enter([missing]);
        }
        Ok(())
    }

    /// For the catalog; the reels' lines are the book's.
    fn enter(&self, missing: impl IntoIterator<Item = Missing>) {
        for Missing { stream, from, to, cause } in missing {
            if let Err(error) = self.footage.gap(&Gap { stream, from, to, cause: cause.text() }) {
                warn!(%error, "a gap could not be noted");
            }
        }
    }

    /// Puts what is to be said of gaps into the present hour's reels (R12); where there is no key yet, it waits.
    fn admit_lines(&mut self, now: UtcMicros) {
        let hour = self.hour_length.hour_of(now);
        let mut waiting = Vec::new();
        for line in self.book.take_lines(hour) {
            let admitted = self.admitter().admit_gap(line.clone(), hour, now);
            if admitted == Admitted::NoKey { waiting.push(line) } else { self.unsynced_lines.push(line) }
        }
        self.book.put_back(waiting);
    }

    fn sync(&mut self, time: &RunTime) {
        self.take_notes();
        if self.mended.swap(false, Ordering::SeqCst) {
            self.settle_gaps();
        }
        self.admit_lines(time.now());
        let started = Instant::now();
        let synced = self.admitter().sync(time.now());
        let took_ms = started.elapsed().as_millis() as u64;
        let usage = self.store.usage();
        match synced {
            Ok(()) => {
                self.unsynced.clear();
                self.unsynced_lines.clear();
                for (stream, at) in std::mem::take(&mut self.resumed) {
                    self.gap_ends(stream, at);
                }
                self.report.note_sync(time.now(), took_ms, usage);
            }
            Err(failure) => {
                error!(error = %failure, "a sync failed");
                let trouble = failure.trouble();
                self.report.note_failed_sync(trouble, failure.to_string(), usage);
                let lines = std::mem::take(&mut self.unsynced_lines);
                self.book.put_back(lines);
                self.resumed.clear();
                let cause = if trouble.is_full() { GapCause::DiskFull } else { GapCause::DiskFailed };
                for (stream, since) in std::mem::take(&mut self.unsynced) {
                    self.gap_begins(stream, since, cause.clone());
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
