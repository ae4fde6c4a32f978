//! The hub of live frames: the only place that yields a picture from memory (P5).
//!
//! The recorder pushes and never waits: each viewer has a bounded queue; one that falls behind jumps to the newest key frame.
//! A stream of a viewer whose permit the keeper did not confirm for two seconds ends.

use domain::{PermitId, StreamId, limit::LIVE_GOP_BYTES_MAX};
use media::{Frame, Start};
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Condvar, Mutex, MutexGuard},
    time::Duration,
};

/// A viewer's queue holds at most this much: a few seconds of one camera.
const QUEUE_BYTES_MAX: usize = 4 * 1024 * 1024;
/// And pictures of this time, where a newer group is there: 4 MiB of a quiet camera would be half a minute of the past.
const QUEUE_MICROS_MAX: i64 = 3_000_000;

/// All live streams of one recorder.
#[derive(Default)]
pub struct Hub {
    streams: Mutex<HashMap<StreamId, Stream>>,
}

#[derive(Default)]
struct Stream {
    viewers: Vec<Arc<Viewer>>,
    /// The present group of pictures, kept only while somebody watches.
    group: Vec<Frame>,
    group_bytes: usize,
}

struct Viewer {
    permit: PermitId,
    queue: Mutex<Queue>,
    filled: Condvar,
}

#[derive(Default)]
struct Queue {
    frames: VecDeque<Frame>,
    bytes: usize,
    /// The viewer fell behind, or just came: nothing until the next group starts, and nothing of it that cannot be decoded.
    start: Start,
    /// Pictures come that the viewer cannot decode yet.
    waits_for_group: bool,
    ended: bool,
    /// How often this viewer fell behind.
    jumps: u64,
}

/// One viewer's end of the hub.
pub struct Watching {
    viewer: Arc<Viewer>,
}

/// What a viewer gets when it asks.
#[derive(Debug, PartialEq, Eq)]
pub enum Next {
    Frame(Box<Frame>),
    /// Pictures come, but no group has started yet: the wait that a viewer is shown (P5).
    AwaitsGroup,
    /// Nothing came in time.
    Nothing,
    /// The permit ended, or the recorder stops.
    Ended,
}

impl Hub {
    /// Hands a picture to whoever watches. Never waits.
    pub fn push(&self, id: StreamId, frame: &Frame) {
        let mut streams = self.streams();
        let Some(stream) = streams.get_mut(&id) else { return };
        stream.viewers.retain(|viewer| !viewer.queue().ended);
        if stream.viewers.is_empty() {
            streams.remove(&id);
            return;
        }
        stream.remember(frame);
        stream.viewers.iter().for_each(|viewer| viewer.offer(frame));
    }

    /// Begins to watch a stream under a permit that was checked. The present group comes first, where it is known.
    pub fn watch(&self, id: StreamId, permit: PermitId) -> Watching {
        let mut streams = self.streams();
        let stream = streams.entry(id).or_default();
        let viewer = Arc::new(Viewer { permit, queue: Mutex::default(), filled: Condvar::new() });
        stream.group.iter().for_each(|frame| viewer.offer(frame));
        stream.viewers.push(viewer.clone());
        Watching { viewer }
    }

    /// Whether anybody watches anything: the ingest thread then looks more often (R15).
    pub fn is_watched(&self) -> bool {
        !self.streams().is_empty()
    }

    /// Permits in use now.
    pub fn permits(&self) -> Vec<PermitId> {
        let streams = self.streams();
        let mut permits: Vec<PermitId> =
            streams.values().flat_map(|stream| &stream.viewers).map(|viewer| viewer.permit).collect();
        permits.sort_unstable();
        permits.dedup();
        permits
    }

    /// Ends every stream whose permit does not hold any more.
    pub fn keep_only(&self, holds: impl Fn(PermitId) -> bool) {
        self.streams().retain(|_, stream| {
            stream.viewers.iter().filter(|viewer| !holds(viewer.permit)).for_each(|viewer| viewer.end());
            stream.viewers.retain(|viewer| !viewer.queue().ended);
            !stream.viewers.is_empty() // with the last viewer the group in memory goes too (P5)
        });
    }

    fn streams(&self) -> MutexGuard<'_, HashMap<StreamId, Stream>> {
        self.streams.lock().expect("no thread panics while it holds the hub")
    }
}

impl Stream {
    fn remember(&mut self, frame: &Frame) {
        if frame.kind.starts_group() {
            self.forget();
        } else if self.group.is_empty() {
            return;
        }
        self.group_bytes += frame.data.len();
        if self.group_bytes > LIVE_GOP_BYTES_MAX {
            self.forget();
        } else {
            self.group.push(frame.clone());
        }
    }

    fn forget(&mut self) {
        self.group.clear();
        self.group_bytes = 0;
    }
}

impl Viewer {
    fn offer(&self, frame: &Frame) {
        let mut queue = self.queue();
        if queue.bytes + frame.data.len() > QUEUE_BYTES_MAX || queue.is_late(frame) {
            queue.jump(frame);
        }
        if !queue.start.admits(frame.kind, frame.pts, frame.kind.starts_group()) {
            queue.waits_for_group = queue.start == Start::Waits;
            return;
        }
        queue.waits_for_group = false;
        queue.bytes += frame.data.len();
        queue.frames.push_back(frame.clone());
        self.filled.notify_one();
    }

    fn end(&self) {
        self.queue().ended = true;
        self.filled.notify_all();
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().expect("no thread panics while it holds a viewer's queue")
    }
}

impl Queue {
    /// Whether the oldest picture that waits is too old and a jump would bring newer ones.
    fn is_late(&self, frame: &Frame) -> bool {
        let old = self.frames.front().is_some_and(|oldest| frame.utc.since(oldest.utc) > QUEUE_MICROS_MAX);
        old && (frame.kind.starts_group() || self.frames.iter().skip(1).any(|kept| kept.kind.starts_group()))
    }

    /// The viewer fell behind: what lies before the newest group is dropped, and that group too if it does not fit.
    fn jump(&mut self, frame: &Frame) {
        self.jumps += 1;
        let newest = if frame.kind.starts_group() {
            None
        } else {
            self.frames.iter().rposition(|kept| kept.kind.starts_group())
        };
        let dropped = newest.unwrap_or(self.frames.len());
        self.bytes -= self.frames.drain(..dropped).map(|dropped| dropped.data.len()).sum::<usize>();
        if self.bytes + frame.data.len() > QUEUE_BYTES_MAX {
            self.frames.clear();
            self.bytes = 0;
        }
        self.begin_anew();
    }

    /// What waits begins with a group now: of it, what cannot be decoded by who begins there goes.
    fn begin_anew(&mut self) {
        let mut start = Start::Waits;
        self.frames.retain(|kept| start.admits(kept.kind, kept.pts, kept.kind.starts_group()));
        self.bytes = self.frames.iter().map(|kept| kept.data.len()).sum();
        self.start = start;
    }
}

impl Watching {
    /// The next picture, waiting for at most `patience`.
    pub fn next(&self, patience: Duration) -> Next {
        let mut queue = self.viewer.queue();
        if queue.frames.is_empty() && !queue.ended {
            let waited = self.viewer.filled.wait_timeout(queue, patience);
            queue = waited.expect("no thread panics while it holds a viewer's queue").0;
        }
        if queue.ended {
            return Next::Ended;
        }
        let Some(frame) = queue.frames.pop_front() else {
            return if std::mem::take(&mut queue.waits_for_group) { Next::AwaitsGroup } else { Next::Nothing };
        };
        queue.bytes -= frame.data.len();
        Next::Frame(Box::new(frame))
    }

    /// How often this viewer fell behind and jumped to a newer group.
    pub fn jumps(&self) -> u64 {
        self.viewer.queue().jumps
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.viewer.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use domain::{CameraId, MediaTicks, UtcMicros};
    use media::FrameKind;

    fn frame(n: i64, kind: FrameKind, bytes: usize) -> Frame {
        Frame {
            kind,
            utc: UtcMicros(n),
            dts: MediaTicks(n),
            pts: MediaTicks(n),
            data: Bytes::from(vec![0; bytes]),
            parameters: None,
        }
    }

    fn drain(watching: &Watching) -> Vec<i64> {
        std::iter::from_fn(|| match watching.next(Duration::ZERO) {
            Next::Frame(frame) => Some(frame.utc.0),
            _ => None,
        })
        .collect()
    }

    const STREAM: StreamId = StreamId::main(CameraId([1; 16]));

    #[test]
    fn a_slow_viewer_jumps_to_the_newest_key_frame_and_the_pusher_never_waits() {
        let hub = Hub::default();
        let watching = hub.watch(STREAM, PermitId([1; 16]));
        for n in 0..100 {
            let kind = if n % 10 == 0 { FrameKind::Idr } else { FrameKind::Other };
            hub.push(STREAM, &frame(n, kind, 300 * 1024));
        }
        let seen = drain(&watching);
        assert!(watching.jumps() > 0 && seen.len() < 100, "{seen:?}");
        assert_eq!(seen[0] % 10, 0, "what is shown after a jump begins with a key frame");
        assert_eq!(*seen.last().expect("frames"), 99, "the newest picture is there");
    }

    #[test]
    fn a_new_viewer_sees_nothing_before_a_key_frame_and_nothing_is_kept_for_nobody() {
        let hub = Hub::default();
        hub.push(STREAM, &frame(0, FrameKind::Idr, 10));
        let watching = hub.watch(STREAM, PermitId([1; 16]));
        hub.push(STREAM, &frame(1, FrameKind::Other, 10));
        assert_eq!(drain(&watching), Vec::<i64>::new());
        hub.push(STREAM, &frame(2, FrameKind::Idr, 10));
        hub.push(STREAM, &frame(3, FrameKind::Other, 10));
        assert_eq!(drain(&watching), [2, 3]);
        assert_eq!(drain(&hub.watch(STREAM, PermitId([2; 16]))), [2, 3], "a watched stream has its group at hand");
    }

    #[test]
    fn a_slow_viewer_of_a_quiet_camera_sees_the_present_too() {
        let hub = Hub::default();
        let watching = hub.watch(STREAM, PermitId([1; 16]));
        for second in 0..=20 {
            let kind = if second % 2 == 0 { FrameKind::Idr } else { FrameKind::Other };
            hub.push(STREAM, &frame(second * 1_000_000, kind, 10));
        }
        assert_eq!(drain(&watching), [20_000_000]);
        // where no newer group is there, the one that waits is kept: there is nothing to jump to
        let watching = hub.watch(STREAM, PermitId([2; 16]));
        (21..30).for_each(|second| hub.push(STREAM, &frame(second * 1_000_000, FrameKind::Other, 10)));
        assert_eq!((drain(&watching).len(), watching.jumps()), (10, 0));
    }

    /// A picture decoded as the n-th and shown as the `shown`-th.
    fn reordered(n: i64, shown: i64, kind: FrameKind, bytes: usize) -> Frame {
        Frame { pts: MediaTicks(shown), ..frame(n, kind, bytes) }
    }

    #[test]
    fn pictures_that_lead_a_cra_picture_are_shown_only_to_who_saw_the_group_before() {
        let hub = Hub::default();
        let early = hub.watch(STREAM, PermitId([1; 16]));
        let group = |at: i64| {
            [
                reordered(at, at + 2, FrameKind::Cra, 10),
                reordered(at + 1, at + 1, FrameKind::Leading, 10),
                reordered(at + 2, at + 3, FrameKind::Other, 10),
            ]
        };
        group(0).iter().for_each(|frame| hub.push(STREAM, frame));
        let late = hub.watch(STREAM, PermitId([2; 16]));
        group(10).iter().for_each(|frame| hub.push(STREAM, frame));
        assert_eq!(drain(&early), [0, 2, 10, 11, 12]);
        assert_eq!(drain(&late), [0, 2, 10, 11, 12], "the present group was at hand, without what leads it");
    }

    #[test]
    fn after_a_jump_to_a_cra_picture_nothing_comes_that_leads_it() {
        let hub = Hub::default();
        let watching = hub.watch(STREAM, PermitId([1; 16]));
        for n in 0..100 {
            let kind = [FrameKind::Cra, FrameKind::Leading, FrameKind::Other, FrameKind::Other][n as usize % 4];
            let shown = if kind == FrameKind::Cra { n + 2 } else { n };
            hub.push(STREAM, &reordered(n, shown, kind, 300 * 1024));
        }
        let seen = drain(&watching);
        assert!(watching.jumps() > 0 && seen.len() < 100);
        assert_eq!((seen[0] % 4, seen[1] - seen[0]), (0, 2), "{seen:?}");
        assert!(seen.windows(2).skip(1).all(|pair| pair[1] == pair[0] + 1), "{seen:?}");
    }

    #[test]
    fn a_viewer_is_told_that_pictures_come_but_no_group_has_started() {
        let hub = Hub::default();
        let watching = hub.watch(STREAM, PermitId([1; 16]));
        assert_eq!(watching.next(Duration::ZERO), Next::Nothing);
        hub.push(STREAM, &frame(1, FrameKind::Other, 10));
        assert_eq!(watching.next(Duration::ZERO), Next::AwaitsGroup);
        assert_eq!(watching.next(Duration::ZERO), Next::Nothing, "nothing came since");
        hub.push(STREAM, &frame(2, FrameKind::Idr, 10));
        assert_eq!(drain(&watching), [2]);
    }

    #[test]
    fn a_stream_ends_with_its_permit() {
        let hub = Hub::default();
        let (first, second) = (hub.watch(STREAM, PermitId([1; 16])), hub.watch(STREAM, PermitId([2; 16])));
        hub.push(STREAM, &frame(0, FrameKind::Idr, 10));
        hub.keep_only(|permit| permit == PermitId([2; 16]));
        assert_eq!(first.next(Duration::ZERO), Next::Ended);
        assert_eq!(drain(&second), [0]);
        assert_eq!(hub.permits(), [PermitId([2; 16])]);
    }
}
