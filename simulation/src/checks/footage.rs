//! Footage: what was held opens and is right (promise 1), what is due opens for nobody (promise 2, K8), nothing opens that was
//! never given or belongs to another camera (R13).

use super::{Broken, Held, back, broken};
use crate::{
    recording::Recording,
    support::{ask, session},
    town::{DELAYS, streams},
    truth::{Fate, Given, Truth},
};
use domain::{Span, StreamId, UtcMicros};
use keeper::KeeperCore;
use media::Chunk;
use vault::{
    keeper::{Permit, Verdict, View},
    replay::Replay,
    service::Located,
};

/// Somebody who looks at everything.
pub struct Looker<'a> {
    pub core: &'a KeeperCore,
    pub recording: &'a Recording,
    pub truth: &'a Truth,
    /// True time.
    pub now: UtcMicros,
}

/// `must_be_whole`: what was held must open, too; else only what opens is judged.
pub fn footage(looker: &Looker<'_>, must_be_whole: bool) -> Held {
    let Some((permit, span)) = looker.permit() else {
        return Ok(()); // refused: in a doubt nobody looks
    };
    let is_sure = looker.core.judgement().trusted.is_some();
    for stream in streams() {
        let opened = looker.opened(&permit, stream, span);
        for chunk in &opened {
            looker.is_right(stream, chunk)?;
        }
        if must_be_whole && is_sure {
            looker.misses_nothing(stream, span, &opened)?;
        }
    }
    Ok(())
}

impl Looker<'_> {
    /// For all that may be replayed now.
    pub fn permit(&self) -> Option<(Permit, Span)> {
        let now = crate::town::believed(self.core);
        let span = Span::new(back(now), now.plus_seconds(-1)).ok()?;
        let cameras: Vec<u8> = (1..=DELAYS.len() as u8).collect();
        match self.core.pass(&session("operator"), &ask(View::Replay(span), &cameras)) {
            Ok(Verdict::Allowed(permit)) => Some((permit, span)),
            _ => None,
        }
    }

    /// Everything of a stream that opens.
    pub fn opened(&self, permit: &Permit, stream: StreamId, span: Span) -> Vec<Chunk> {
        let located = self.recording.locate(stream, span);
        let mut replay = Replay::new(self.core, &self.recording.store, permit.clone(), stream, span, located);
        let mut opened = Vec::new();
        while let Ok(Some(passages)) = replay.next_reel() {
            opened.extend(passages.into_iter().map(|passage| passage.chunk));
        }
        opened
    }

    fn is_right(&self, stream: StreamId, chunk: &Chunk) -> Held {
        let given = self.truth.at(stream, chunk.first_utc);
        if !given.iter().any(|given| given.chunk == *chunk) {
            let whose = self.whose(chunk).map(|given| given.chunk.stream);
            return broken("R13", format!("{stream:?} at {} shows what is of {whose:?}", chunk.first_utc));
        }
        let closes = self.truth.closes(stream.camera, chunk.hour);
        if closes <= self.now {
            let judged = self.core.judgement();
            let what = format!("{stream:?} of {} opens at {}, closed at {closes}; {judged:?}", chunk.hour, self.now);
            return broken("promise 2, K8", what);
        }
        Ok(())
    }

    fn whose(&self, chunk: &Chunk) -> Option<&Given> {
        streams().into_iter().flat_map(|stream| self.truth.of(stream)).find(|given| given.chunk.data == chunk.data)
    }

    /// On a reel that this start could not end, and no second since.
    pub fn is_left_open(&self, given: &Given) -> bool {
        self.places(given).iter().any(|located| self.recording.left.open.contains(&located.reel))
    }

    /// Where the catalog says that a chunk lies.
    fn places(&self, given: &Given) -> Vec<Located> {
        let (stream, at) = (given.chunk.stream, given.chunk.first_utc);
        let span = Span::new(at, at.plus_micros(1)).ok();
        let located = span.map(|span| self.recording.locate(stream, span)).unwrap_or_default();
        located.into_iter().filter(|located| located.first_utc <= at && at <= located.last_utc).collect()
    }

    fn misses_nothing(&self, stream: StreamId, span: Span, opened: &[Chunk]) -> Held {
        if self.truth.doubtful.contains(&stream.camera) {
            return Ok(());
        }
        for given in self.truth.of(stream).filter(|given| given.fate == Fate::Held) {
            let chunk = &given.chunk;
            let is_young = self.now.plus_seconds(2) < self.truth.soonest_closes(stream.camera, chunk.hour, self.now);
            let is_within = span.from() <= chunk.first_utc && chunk.last_utc < span.to().plus_seconds(-1);
            // what lies on a disk that is away, or that the recorder has not looked at again, need not open now
            let is_away = self.truth.is_away(given) || given.roots.iter().any(|root| self.recording.is_gone(*root));
            if is_young && is_within && !is_away && !opened.contains(chunk) && !self.is_left_open(given) {
                let what = format!(
                    "{stream:?} at {} (given {}) was held and does not open; on roots {:?}, away {:?}, at {:?}",
                    chunk.first_utc,
                    given.at,
                    given.roots,
                    self.truth.away,
                    self.places(given)
                );
                return Err(Broken { rule: "promise 1, R1", what });
            }
        }
        Ok(())
    }
}
