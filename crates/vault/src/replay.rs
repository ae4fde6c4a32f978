//! Replay: a permit, a stream and a span in; pictures out, group by group, in the order of time (P4).
//!
//! The keeper answers with chunk keys; the ciphertext is read from the store here, and opened here. No camera-hour key and
//! no data key comes this way.

use crate::{
    keeper::{Keeper, KeeperError, KeyAnswer, KeyQuery, Permit, ReelKeys, ReelPart},
    open::{OpenError, open},
    service::Located,
    store::{LocalStore, StoreError},
};
use domain::{ReelId, Span, StreamId, limit::RECORD_HEADER_BYTES};
use media::Chunk;
use seal::{Kind, RecordHeader, reel::IndexEntry};
use std::collections::VecDeque;

/// Why replay stops.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    #[error(transparent)]
    Keeper(#[from] KeeperError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("chunk {number} of reel {reel} does not open: {source}")]
    Chunk { reel: ReelId, number: u32, source: OpenError },
    #[error("reel {reel} is not what its catalog row says")]
    OtherReel { reel: ReelId },
}

/// One replay of one stream.
pub struct Replay<'a> {
    pub keeper: &'a dyn Keeper,
    pub store: &'a LocalStore,
    pub permit: Permit,
    pub stream: StreamId,
    /// Within the permit's span.
    pub span: Span,
    reels: VecDeque<Located>,
    /// The reel before the next one, which may hold its group's start.
    before: Option<Located>,
    started: bool,
}

impl<'a> Replay<'a> {
    /// `reels` in the order of time; the first may lie before the span, for its group's start.
    pub fn new(
        keeper: &'a dyn Keeper,
        store: &'a LocalStore,
        permit: Permit,
        stream: StreamId,
        span: Span,
        reels: Vec<Located>,
    ) -> Replay<'a> {
        Replay { keeper, store, permit, stream, span, reels: reels.into(), before: None, started: false }
    }

    /// The chunks of the next reel that holds any of the span; `None` at the end. Reels whose hour has died meanwhile are
    /// passed over: they are gaps.
    pub fn next_reel(&mut self) -> Result<Option<Vec<Chunk>>, ReplayError> {
        while let Some(located) = self.reels.pop_front() {
            let chunks = match self.chunks_of(&located) {
                Ok(chunks) => chunks,
                Err(ReplayError::Keeper(KeeperError::Closed { .. })) if !self.reels.is_empty() || self.started => {
                    Vec::new()
                }
                Err(error) => return Err(error),
            };
            self.before = Some(located);
            if !chunks.is_empty() {
                self.started = true;
                return Ok(Some(chunks));
            }
        }
        Ok(None)
    }

    fn chunks_of(&self, located: &Located) -> Result<Vec<Chunk>, ReplayError> {
        let Some(part) = self.part(located)? else { return Ok(Vec::new()) };
        let answer = self.ask(vec![part.clone()])?;
        let answer = match (&answer.needs, &self.before) {
            (Some(needed), Some(before)) if !self.started && *needed == before.reel => {
                let parts = self.part(before)?.into_iter().chain([part]).collect();
                self.ask(parts)?
            }
            _ => answer,
        };
        let mut chunks = Vec::new();
        for keys in &answer.reels {
            let of = if keys.reel == located.reel { Some(located) } else { self.before.as_ref() };
            if let Some(of) = of.filter(|of| of.reel == keys.reel) {
                self.open_all(of, keys, &mut chunks)?;
            }
        }
        Ok(chunks)
    }

    fn ask(&self, parts: Vec<ReelPart>) -> Result<KeyAnswer, KeeperError> {
        self.keeper.keys(&KeyQuery { permit: self.permit.clone(), stream: self.stream, span: self.span, parts })
    }

    /// What the keeper needs to see of a reel; `None` where the reel holds nothing of the stream yet.
    fn part(&self, located: &Located) -> Result<Option<ReelPart>, ReplayError> {
        let header = self.record(located, 0)?;
        let entries = self.entries(located)?;
        let Some(key) = entries.iter().find(|entry| entry.is(Kind::Key)) else { return Ok(None) };
        let key_record =
            self.store.read(&located.location, key.offset, key.bytes.into())?.split_off(RECORD_HEADER_BYTES);
        let mut extents = Vec::new();
        for entry in entries.iter().filter(|entry| entry.is(Kind::Extent)) {
            extents.push(self.store.read(&located.location, entry.offset, entry.bytes.into())?);
        }
        Ok(Some(ReelPart { reel: located.reel, header, key_record, extents }))
    }

    fn open_all(&self, located: &Located, keys: &ReelKeys, chunks: &mut Vec<Chunk>) -> Result<(), ReplayError> {
        let entries = self.entries(located)?;
        for (number, key) in &keys.chunks {
            let found = entries.iter().find(|entry| entry.is(Kind::Chunk) && entry.number == *number);
            let entry = found.ok_or(ReplayError::OtherReel { reel: located.reel })?;
            let record = self.store.read(&located.location, entry.offset, entry.bytes.into())?;
            let chunk = open(record, key, self.stream, located.hour).map_err(|source| ReplayError::Chunk {
                reel: located.reel,
                number: *number,
                source,
            })?;
            chunks.push(chunk);
        }
        Ok(())
    }

    fn entries(&self, located: &Located) -> Result<Vec<IndexEntry>, ReplayError> {
        if let Some(entries) = &located.entries {
            return Ok(entries.clone());
        }
        crate::store::index_of(self.store, located.reel, &located.location, located.handle)?
            .ok_or(ReplayError::OtherReel { reel: located.reel })
    }

    /// The payload of the record at an offset, if it belongs to the reel.
    fn record(&self, located: &Located, offset: u64) -> Result<Vec<u8>, ReplayError> {
        let other = || ReplayError::OtherReel { reel: located.reel };
        let bytes = self.store.read(&located.location, offset, RECORD_HEADER_BYTES as u64)?;
        let header = RecordHeader::from_bytes(&bytes).map_err(|_| other())?;
        if header.reel != located.reel {
            return Err(other());
        }
        let start = offset + RECORD_HEADER_BYTES as u64;
        Ok(self.store.read(&located.location, start, header.payload_bytes.into())?)
    }
}
