//! The writer: takes chunks from the ingest thread, admits them, and makes them durable once a second (R1).

use crate::{
    buffers::Buffers,
    gaps::{GapBook, Missing},
    health::{GapCause, GapEvent},
    ingest::Sink,
    mend::Kept,
    report::Report,
    role::RunTime,
};
use catalog::{CatalogError, EarlierLife, Footage, Gap, Left};
use domain::{HourLength, Span, StreamId, UtcMicros, limit};
use media::{Chunk, Frame};
use seal::GapLine;
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
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
    admit::{AdmitError, Admitted, Admitter},
    keeper::Fact,
    store::Usage,
    watch::Hub,
};

/// Messages that may wait for the writer: five seconds of 400 cameras at two chunks a second.
const QUEUE_MESSAGES_MAX: usize = 4_096;
/// Chunks that may wait, in bytes: five seconds of 100 cameras at 4 Mbit/s; beyond that something is wrong with the disk.
const QUEUE_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Gaps that wait for a catalog that takes no rows.
const UNENTERED_MAX: usize = 10_000;
const SLOW_ENTRY_MICROS: i64 = 60_000_000;
const SYNC_PERIOD: Duration = Duration::from_millis(limit::SYNC_PERIOD_MS);

/// The ingest thread's side: never waits.
pub struct Desk {
    queue: SyncSender<Box<Chunk>>,
    /// Of their own, without a bound: they are few, and a full queue is itself a gap.
    notes: Sender<(StreamId, Note)>,
    waiting_bytes: Arc<AtomicUsize>,
    hub: Arc<Hub>,
    buffers: Arc<Buffers>,
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
    buffers: Arc<Buffers>,
    admitter: Arc<Mutex<Admitter>>,
    store: Arc<LocalStore>,
    footage: Arc<Footage>,
    report: Arc<Report>,
    book: GapBook,
    /// Changes of the book that the catalog did not take yet.
    unentered: VecDeque<Missing>,
    /// Streams in a gap of which something is admitted again, since when: the gap ends when that is durable.
    resumed: BTreeMap<StreamId, UtcMicros>,
    /// Lines of the book that are in a reel and not durable yet.
    unsynced_lines: Vec<GapLine>,
    hour_length: HourLength,
    /// What the catalog knew of earlier runs.
    earlier_life: EarlierLife,
    /// Streams that this run was told to expect, and since when.
    met: BTreeMap<StreamId, UtcMicros>,
    /// The catalog was made anew from the reels.
    mended: Arc<AtomicBool>,
    /// First picture of each stream that is not durable yet.
    unsynced: BTreeMap<StreamId, UtcMicros>,
    /// The slowest sync since the last entry that told of one; 0 where all were in time.
    slowest_ms: u64,
    slow_told: Option<UtcMicros>,
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

    fn buffers(&self) -> Arc<Buffers> {
        self.buffers.clone()
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
    /// Read before recovery.
    pub earlier_life: EarlierLife,
}

impl Writer {
    pub fn new(parts: WriterParts, hub: Arc<Hub>) -> (Desk, Writer) {
        let (sender, queue) = sync_channel(QUEUE_MESSAGES_MAX);
        let waiting_bytes = Arc::<AtomicUsize>::default();
        let (note_sender, notes) = channel();
        let buffers = Arc::<Buffers>::default();
        let (bytes, shared) = (waiting_bytes.clone(), buffers.clone());
        let desk = Desk { queue: sender, notes: note_sender, waiting_bytes: bytes, hub, buffers: shared };
        let WriterParts { kept, hour_length, earlier_life } = parts;
        let Kept { admitter, store, footage, report, mended, .. } = kept;
        let (book, unentered, resumed, unsynced_lines, met, unsynced) = Default::default();
        let (slowest_ms, slow_told) = (0, None);
        let writer = Writer {
            queue,
            notes,
            waiting_bytes,
            buffers,
            admitter,
            store,
            footage,
            report,
            book,
            unentered,
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
            self.finish(time.now());
        })
    }

    /// Takes what waits now, without waiting for more.
    pub fn take_waiting(&mut self, now: UtcMicros) {
        while let Ok(chunk) = self.queue.try_recv() {
            self.take(*chunk, now);
        }
    }

    /// Makes durable what waits and ends the open reels. Streams of which something was lost come back.
    pub fn finish(&mut self, now: UtcMicros) -> BTreeSet<StreamId> {
        self.take_waiting(now);
        self.take_notes();
        self.admit_lines(now);
        match self.admitter().close(now) {
            Ok(()) => BTreeSet::new(),
            Err(error) => {
                error!(%error, "the open reels could not be ended; the next start recovers them");
                error.lost
            }
        }
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
                Note::Gap(GapEvent { at, cause, opened: true }) => {
                    // pictures came in between: where the next sync fails, it says so
                    self.resumed.remove(&stream).into_iter().for_each(|at| self.gap_ends(stream, at));
                    self.gap_begins(stream, at, cause);
                }
                Note::Gap(GapEvent { at, .. }) => drop(self.resumed.entry(stream).or_insert(at)),
                Note::Expected(at) => self.expect(stream, at),
                Note::Missing(from, to, cause) => {
                    let missing = self.book.was(stream, from, to, cause);
                    self.enter(missing);
                }
                Note::Released(at) => {
                    self.met.remove(&stream);
                    self.unsynced.remove(&stream);
                    self.resumed.remove(&stream);
                    let missing = self.book.forget(stream, at);
                    self.enter(missing);
                }
            }
        }
    }

    /// Of a stream that nobody expects nothing is missing.
    fn gap_begins(&mut self, stream: StreamId, from: UtcMicros, cause: GapCause) {
        if !self.met.contains_key(&stream) {
            return;
        }
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
        let left = self.footage.left_by_earlier_runs(stream, at).unwrap_or_else(|error| {
            warn!(%error, "what an earlier run left open stays open");
            Left::default()
        });
        // its last hour may have died since this run began: then only this tells since when it misses pictures (R12)
        let ended = self.earlier_life.last.get(&stream).copied().filter(|last| *last < at);
        let left = Left { last: left.last.max(ended), ..left };
        self.say_again(stream, left.last, at);
        let Some(gap) = left.open else {
            // a stop that is over without a picture after it: the camera was taken out of service then
            let is_stop = |gap: &Gap| GapCause::from_text(&gap.cause) == Some(GapCause::Stopped);
            let released = left.over.filter(|gap| is_stop(gap) && gap.to >= left.last).is_some();
            return if let Some(last) = left.last.filter(|last| *last < at && !released) {
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
            let died = self.earlier_life.until.unwrap_or(gap.from).clamp(gap.from, at);
            self.gap_begins(stream, died, GapCause::RecorderDown);
        }
    }

    /// Gaps that ended since an earlier run held its last picture: that run may have had no key to seal their lines with, or no
    /// time, and then only the catalog knows them (R12). Said twice they are one.
    fn say_again(&mut self, stream: StreamId, last: Option<UtcMicros>, at: UtcMicros) {
        let since = Span::new(last.unwrap_or(UtcMicros(0)).min(at), at);
        let known = since.ok().map(|since| self.footage.gaps(stream, since)).transpose();
        match known {
            Ok(gaps) => gaps.into_iter().flatten().for_each(|gap| self.book.say_again(&gap)),
            Err(error) => warn!(%error, "gaps of an earlier run are not said again"),
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
        // what was lost with a disk stands in the catalog alone until a reel has its line
        let lost = Span::new(at.plus_seconds(-i64::from(limit::RETENTION_DAYS_MAX) * 86_400), at).ok();
        let lost = lost.map(|span| self.footage.gaps(stream, span)).transpose()?.unwrap_or_default();
        lost.iter().filter(|gap| gap.cause == GapCause::DiskLost.code()).for_each(|gap| self.book.say_again(gap));
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
    fn enter(&mut self, missing: impl IntoIterator<Item = Missing>) {
        self.unentered.extend(missing);
        while let Some(Missing { stream, from, to, cause }) = self.unentered.front() {
            let gap = Gap { stream: *stream, from: *from, to: *to, cause: cause.text() };
            if let Err(error) = self.footage.gap(&gap) {
                warn!(%error, "a gap is not in the catalog yet");
                break; // tried again with the next one, and at each sync
            }
            self.unentered.pop_front();
        }
        // the reels tell them all
        self.unentered.truncate(UNENTERED_MAX);
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

    /// Once a second. Streams of which something was lost come back.
    pub fn sync(&mut self, time: &RunTime) -> BTreeSet<StreamId> {
        self.take_notes();
        self.enter([]);
        if self.mended.swap(false, Ordering::SeqCst) {
            self.settle_gaps();
        }
        self.admit_lines(time.now());
        let started = time.now();
        let (synced, emptied) = {
            let mut admitter = self.admitter();
            (admitter.sync(started), admitter.take_emptied())
        };
        let took_ms = time.now().since(started).max(0) as u64 / 1_000;
        self.buffers.give_back(emptied);
        let usage = self.store.usage();
        let lost = match synced {
            Ok(()) => {
                self.unsynced.clear();
                self.unsynced_lines.clear();
                for (stream, at) in std::mem::take(&mut self.resumed) {
                    self.gap_ends(stream, at);
                }
                self.report.note_sync(time.now(), took_ms, usage);
                BTreeSet::new()
            }
            Err(failure) => self.sync_failed(failure, usage),
        };
        self.tell_slowness(took_ms, time.now());
        lost
    }

    fn sync_failed(&mut self, failure: AdmitError, usage: Usage) -> BTreeSet<StreamId> {
        error!(error = %failure, "a sync failed");
        let trouble = failure.trouble();
        self.report.note_failed_sync(trouble, failure.to_string(), usage);
        let lines = std::mem::take(&mut self.unsynced_lines);
        self.book.put_back(lines);
        let lost = &failure.lost;
        let resumed = std::mem::take(&mut self.resumed).into_iter();
        resumed.filter(|(stream, _)| !lost.contains(stream)).for_each(|(stream, at)| self.gap_ends(stream, at));
        let cause = if trouble.is_full() { GapCause::DiskFull } else { GapCause::DiskFailed };
        let unsynced = std::mem::take(&mut self.unsynced).into_iter();
        for (stream, since) in unsynced.filter(|(stream, _)| failure.lost.contains(stream)) {
            self.gap_begins(stream, since, cause.clone());
        }
        failure.lost
    }

    /// One entry a minute at most, with the slowest sync of it: a poor disk must not fill the ledger.
    fn tell_slowness(&mut self, took_ms: u64, now: UtcMicros) {
        if took_ms > limit::SYNC_LATENCY_MS_MAX {
            self.slowest_ms = self.slowest_ms.max(took_ms);
        }
        let is_time = self.slow_told.is_none_or(|told| now.since(told) > SLOW_ENTRY_MICROS);
        if self.slowest_ms > 0 && is_time {
            self.slow_told = Some(now);
            let took_ms = std::mem::take(&mut self.slowest_ms);
            self.admitter().tell(Fact::SlowSync { at: now, took_ms });
        }
    }

    fn admitter(&self) -> std::sync::MutexGuard<'_, Admitter> {
        self.admitter.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
