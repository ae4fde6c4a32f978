//! What a camera sent against what can be seen of it: nothing wrong, nothing twice, and how much a break cost.

use super::movie::{Shown, by_number};
use domain::UtcMicros;
use simulator::rtsp::{Camera, SentFrame};
use std::collections::BTreeMap;

/// The newest pictures of a camera that is recorded now: a chunk, a tick and a sync.
const NOT_YET_DURABLE_MICROS: i64 = 3_000_000;

/// Something that may end a camera's session.
#[derive(Clone, Debug)]
pub struct Event {
    pub what: &'static str,
    pub at: UtcMicros,
    /// Frames that each camera had begun to send.
    pub sent: Vec<usize>,
    /// By how much the machine itself stood still around it (see `Load`).
    pub stall_micros: i64,
}

/// What an event cost one camera.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// Media time between the last frame sent whole before it and the last that can be seen.
    pub lost_micros: i64,
    /// From the event to the next frame that can be seen.
    pub down_micros: Option<i64>,
}

/// One camera and all that was ever seen of it.
pub struct Witness<'a> {
    pub camera: &'a Camera,
    pub id: String,
    /// Place in the town.
    pub index: usize,
    /// Number → UTC as it was shown.
    pub seen: BTreeMap<u64, UtcMicros>,
}

impl Witness<'_> {
    /// Takes pictures of a replay or of a live stream. Panics at one that the camera did not send just so.
    pub fn take(&mut self, shown: &[Shown]) {
        assert_true(self.camera, shown);
        self.seen.extend(shown.iter().map(|shown| (shown.mark.frame, shown.utc)));
    }

    /// Within each session pictures are kept from the first one on, without a hole, up to where an event ended it; what each
    /// event cost comes back, in the order of `events`.
    pub fn costs(&self, events: &[Event], sent: &[SentFrame], to: UtcMicros) -> Vec<Option<Cost>> {
        let mut costs = vec![None; events.len()];
        // from the start of the session that the first event found
        let first = events.first().map_or(0, |event| event.sent[self.index]).saturating_sub(1);
        let mut at = sent
            .get(first)
            .map_or(0, |found| sent.iter().position(|frame| frame.session == found.session).unwrap_or(first));
        while at < sent.len() {
            let session = sent[at].session;
            let begin = at;
            let end = at + sent[at..].iter().take_while(|frame| frame.session == session).count();
            at = end;
            // the last event that it lived to see: an hour that passes need not end a session
            let breaking = events.iter().rposition(|event| (begin + 1..=end).contains(&event.sent[self.index]));
            let last_seen = self.prefix(&sent[begin..end]).map(|count| begin + count);
            let due = match breaking {
                Some(event) => events[event].sent[self.index],
                None => begin + sent[begin..end].iter().filter(|frame| frame.utc < before_now(to)).count(),
            };
            let Some(last_sent) = (begin..due.min(end)).rev().find(|place| sent[*place].whole) else { continue };
            let kept_to = last_seen.map_or(sent[begin].utc, |count| sent[count.max(begin + 1) - 1].utc);
            let lost = sent[last_sent].utc.since(kept_to).max(0);
            match breaking {
                Some(event) => {
                    let down = self.next_after(&sent[end..]).map(|utc| utc.since(events[event].at));
                    costs[event] = Some(Cost { lost_micros: lost, down_micros: down });
                }
                None => assert!(
                    lost == 0 || self.prefix(&sent[begin..end]).is_some_and(|count| count >= due - begin),
                    "camera {}: {lost} µs lost of a session that nothing ended",
                    self.camera.number
                ),
            }
        }
        costs
    }

    /// Times without pictures longer than `longest_micros`, by UTC as shown.
    pub fn holes(&self, longest_micros: i64) -> Vec<(UtcMicros, UtcMicros)> {
        let mut times: Vec<UtcMicros> = self.seen.values().copied().collect();
        times.sort();
        let pairs = times.windows(2).map(|pair| (pair[0], pair[1]));
        pairs.filter(|(from, to)| to.since(*from) > longest_micros).collect()
    }

    /// How many frames from the first on were seen; `None`: not even the first. Panics at a hole.
    fn prefix(&self, session: &[SentFrame]) -> Option<usize> {
        let seen = |frame: &SentFrame| self.seen.contains_key(&frame.number);
        let count = session.iter().take_while(|frame| seen(frame)).count();
        let later = session[count..].iter().find(|frame| seen(frame));
        assert!(
            later.is_none(),
            "camera {}: of {} frames from {} on the first {count} are seen, and then some from {} on",
            self.camera.number,
            session.len(),
            session[0].utc,
            later.map_or(session[0].utc, |frame| frame.utc),
        );
        (count > 0).then_some(count)
    }

    fn next_after(&self, later: &[SentFrame]) -> Option<UtcMicros> {
        later.iter().find_map(|frame| self.seen.get(&frame.number)).copied()
    }
}

fn before_now(to: UtcMicros) -> UtcMicros {
    to.plus_micros(-NOT_YET_DURABLE_MICROS)
}

/// Every picture shown was sent by this camera, NAL for NAL, and none is there twice.
pub fn assert_true(camera: &Camera, shown: &[Shown]) {
    let sent: BTreeMap<u64, SentFrame> = camera.sent().into_iter().map(|frame| (frame.number, frame)).collect();
    for (number, picture) in by_number(shown) {
        assert_eq!(picture.mark.camera, camera.number, "another camera's picture");
        let frame = sent.get(&number).unwrap_or_else(|| panic!("camera {} never sent {number}", camera.number));
        assert_eq!(
            picture.nal_digests, frame.nal_digests,
            "camera {} frame {number} is not what was sent",
            camera.number
        );
    }
}
