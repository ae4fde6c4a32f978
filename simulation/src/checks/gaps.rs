//! Gaps: where a stream that is expected has no picture, an entry says since when and why (R12).

use super::{Held, broken, footage::Looker};
use crate::{disks::OTHER_DISK, town::streams, truth::Fate};
use domain::{Span, StreamId, UtcMicros, limit::LOSS_MS_MAX};

/// What a gap may miss at each end: what a power cut may cost, and the second in which it is noticed.
const SLACK_MICROS: i64 = LOSS_MS_MAX as i64 * 1_000 + 1_500_000;
/// So far back gaps are looked at: older ones go with the hours around them (P7).
const BACK_SECONDS: i64 = 20 * 3_600;

pub fn told(looker: &Looker<'_>) -> Held {
    if looker.core.judgement().trusted.is_none() {
        return Ok(());
    }
    let Some((permit, span)) = looker.permit() else { return Ok(()) };
    for stream in streams() {
        let expected = looker.truth.expected.get(&stream).filter(|_| !looker.truth.doubtful.contains(&stream.camera));
        let Some(expected) = expected else { continue };
        let closed_until = closed_until(looker, stream);
        let from = (*expected).max(looker.now.plus_seconds(-BACK_SECONDS)).max(closed_until);
        let Ok(looked_at) = Span::new(from, span.to().max(from)) else { continue };
        let mut opened = looker.opened(&permit, stream, looked_at);
        opened.sort_by_key(|chunk| chunk.first_utc);
        let gaps = looker.recording.timeline(stream, looked_at).gaps;
        let mut covered_to = from;
        let mut known: Vec<(UtcMicros, UtcMicros)> =
            opened.iter().map(|chunk| (chunk.first_utc, chunk.last_utc)).collect();
        known.extend(gaps.iter().map(|gap| (gap.from, gap.to.unwrap_or(looked_at.to()))));
        // a disk with an old image of itself has an alarm; the timeline does not tell which of its pictures are missing
        // nor, once the right one is back, what went with the old one; and what a start could not end on a full disk counts as
        // footage, although nothing of it is shown before there is room for its end
        let on_old = looker.truth.of(stream).filter(|given| {
            !given.roots.is_disjoint(&looker.truth.old)
                || given.fate == Fate::Excused(OTHER_DISK)
                || (!looker.recording.left.open.is_empty() && looker.is_left_open(given))
        });
        known.extend(on_old.map(|given| (given.chunk.first_utc, given.chunk.last_utc)));
        known.sort();
        for (begins, ends) in known.into_iter().chain([(looked_at.to(), looked_at.to())]) {
            if begins.since(covered_to) > SLACK_MICROS {
                let near = gaps.iter().filter(|gap| gap.to.is_none_or(|to| to >= covered_to.plus_seconds(-60)));
                let near: Vec<_> = near.map(|gap| (gap.from, gap.to, &gap.cause)).collect();
                let what =
                    format!("{stream:?}: nothing is told of {covered_to} to {begins}, at {}; {near:?}", looker.now);
                return broken("R12", what);
            }
            covered_to = covered_to.max(ends);
        }
    }
    Ok(())
}

/// Until when the stream's hours are closed or dead.
fn closed_until(looker: &Looker<'_>, stream: StreamId) -> UtcMicros {
    let mut hour = domain::HourLength::PRODUCT.hour_of(looker.now).plus(-BACK_SECONDS / 3_600 - 1);
    while looker.truth.soonest_closes(stream.camera, hour, looker.now) <= looker.now.plus_seconds(2)
        && hour.start() < looker.now
    {
        hour = hour.plus(1);
    }
    hour.start()
}
