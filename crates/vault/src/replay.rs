//! Replay: a permit, a stream and a span in; pictures out, group by group, in the order of time (P4).
//!
//! The keeper answers with chunk keys; the ciphertext is read from the store here, and opened here. No camera-hour key and
//! no data key comes this way.

use crate::{
    keeper::{Keeper, KeeperError, KeyAnswer, KeyQuery, Permit, ReelKeys, ReelPart},
    open::open,
    service::Located,
    store::{LocalStore, StoreError, check_record, index_of},
};
use domain::{ReelId, Span, StreamId, limit::RECORD_HEADER_BYTES};
use media::Chunk;
use seal::{ChunkKey, Kind, reel::IndexEntry};
use std::{
    cell::{Cell, RefCell},
    collections::{HashMap, VecDeque},
};

/// Why replay stops.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    #[error(transparent)]
    Keeper(#[from] KeeperError),
    #[error(transparent)]
    Store(#[from] StoreError),
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
    /// Reels before the first that holds any of the span: one of them may hold its group's start.
    passed: Vec<Located>,
    started: bool,
    /// Chunks that are not what was sealed, since they were last taken.
    damaged: RefCell<Vec<Damaged>>,
    /// A damaged chunk was passed over: what refers to it cannot be decoded, up to the next group's start.
    broken: Cell<bool>,
}

/// A chunk whose bytes the disk did not give, or gave changed. Its neighbours are shown all the same.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Damaged {
    pub reel: ReelId,
    pub number: u32,
}

/// Chunk records that stand back to back: one range to read (R11).
struct Range {
    offset: u64,
    bytes: u64,
    chunks: Vec<(IndexEntry, ChunkKey)>,
}

impl<'a> Replay<'a> {
    /// `reels` in the order of time; some may lie before the span, for its group's start.
    pub fn new(
        keeper: &'a dyn Keeper,
        store: &'a LocalStore,
        permit: Permit,
        stream: StreamId,
        span: Span,
        reels: Vec<Located>,
    ) -> Replay<'a> {
        let (reels, passed, started) = (reels.into(), Vec::new(), false);
        let (damaged, broken) = Default::default();
        Replay { keeper, store, permit, stream, span, reels, passed, started, damaged, broken }
    }

    /// What was passed over since the last call.
    pub fn take_damaged(&self) -> Vec<Damaged> {
        self.damaged.take()
    }

    /// The chunks of the next reel that holds any of the span; `None` at the end. The first chunk of all starts the group
    /// that holds the span's beginning, where that group exists. Reels whose hour has died meanwhile are passed over:
    /// they are gaps; unless nothing else was there.
    pub fn next_reel(&mut self) -> Result<Option<Vec<Chunk>>, ReplayError> {
        while let Some(mut located) = self.reels.pop_front() {
            let chunks = match self.chunks_of(&mut located) {
                Ok(chunks) => chunks,
                Err(error) if is_dead(&error) && (!self.reels.is_empty() || self.started) => continue,
                Err(error) => return Err(error),
            };
            if !chunks.is_empty() {
                self.started = true;
                self.passed.clear();
                return Ok(Some(chunks));
            }
            if !self.started {
                self.passed.push(located);
            }
        }
        Ok(None)
    }

    fn chunks_of(&self, located: &mut Located) -> Result<Vec<Chunk>, ReplayError> {
        let Some(part) = self.part(located)? else { return Ok(Vec::new()) };
        let mut answer = self.ask(vec![part.clone()])?;
        let needed = answer.needs.filter(|_| !self.started);
        if let Some(from) = needed.and_then(|needed| self.passed.iter().position(|passed| passed.reel == needed)) {
            answer = self.ask_with(&self.passed[from..], part)?;
        }
        let mut chunks = Vec::new();
        for keys in &answer.reels {
            let of = std::iter::once(&*located).chain(&self.passed).find(|of| of.reel == keys.reel);
            if let Some(of) = of {
                self.open_all(of, keys, &mut chunks)?;
            }
        }
        self.trim(&mut chunks);
        Ok(chunks)
    }

    /// The keeper knows batches of a second, not chunks: what lies before the group that holds the span's beginning, or
    /// behind its end, is dropped here.
    fn trim(&self, chunks: &mut Vec<Chunk>) {
        chunks.retain(|chunk| chunk.first_utc < self.span.to());
        if !chunks.iter().any(|chunk| self.span.touches(chunk.first_utc, chunk.last_utc)) {
            chunks.clear();
        } else if !self.started {
            let holds = |chunk: &Chunk| chunk.starts_group() && chunk.first_utc <= self.span.from();
            drop(chunks.drain(..chunks.iter().rposition(holds).unwrap_or(0)));
        }
    }

    /// Asks for a reel with those before it that hold the rest of its first group. One of them that died meanwhile does not
    /// take the reel with it: its head is undecodable then (R8).
    fn ask_with(&self, passed: &[Located], part: ReelPart) -> Result<KeyAnswer, ReplayError> {
        let mut parts = Vec::new();
        for located in passed {
            parts.extend(self.part(&mut located.clone())?);
        }
        match self.ask(parts.into_iter().chain([part.clone()]).collect()) {
            Err(KeeperError::Closed { .. }) => Ok(self.ask(vec![part])?),
            answer => Ok(answer?),
        }
    }

    fn ask(&self, parts: Vec<ReelPart>) -> Result<KeyAnswer, KeeperError> {
        self.keeper.keys(&KeyQuery { permit: self.permit.clone(), stream: self.stream, span: self.span, parts })
    }

    /// What the keeper needs to see of a reel; `None` where the reel holds nothing of the stream yet. Leaves the reel's
    /// entries in `located`: its index is read once.
    fn part(&self, located: &mut Located) -> Result<Option<ReelPart>, ReplayError> {
        let reel = located.reel;
        if located.entries.is_none() {
            let entries = index_of(self.store, reel, &located.location, located.handle)?;
            located.entries = Some(entries.ok_or(ReplayError::OtherReel { reel })?);
        }
        let entries = located.entries.as_deref().unwrap_or_default();
        let mut reader = self.store.reader(&located.location);
        let Some(key) = entries.iter().find(|entry| entry.is(Kind::Key)) else { return Ok(None) };
        let key_record = reader.record(reel, key)?.split_off(RECORD_HEADER_BYTES);
        let header = reader.header(reel, 0)?.ok_or(StoreError::Gone)?;
        let header = reader.read(RECORD_HEADER_BYTES as u64, header.payload_bytes.into())?;
        let extents = entries.iter().filter(|entry| entry.is(Kind::Extent));
        let extents = extents.map(|entry| reader.record(reel, entry)).collect::<Result<_, _>>()?;
        Ok(Some(ReelPart { reel, header, key_record, extents }))
    }

    fn open_all(&self, located: &Located, keys: &ReelKeys, chunks: &mut Vec<Chunk>) -> Result<(), ReplayError> {
        let reel = located.reel;
        let entries = located.entries.iter().flatten().filter(|entry| entry.is(Kind::Chunk));
        let entries: HashMap<u32, IndexEntry> = entries.map(|entry| (entry.number, *entry)).collect();
        let mut reader = self.store.reader(&located.location);
        for range in ranges(keys, &entries).ok_or(ReplayError::OtherReel { reel })? {
            let bytes = match reader.read(range.offset, range.bytes) {
                Ok(bytes) => bytes,
                // the disk does not give this range: the others may be sound
                Err(error @ StoreError::Disk(_)) => {
                    tracing::warn!(%reel, %error, "part of a reel cannot be read");
                    range.chunks.iter().for_each(|(entry, _)| self.pass_over(reel, entry.number));
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            let mut rest = &bytes[..];
            for (entry, key) in range.chunks {
                let (record, behind) = rest.split_at(entry.bytes as usize);
                rest = behind;
                check_record(record, reel, &entry)?;
                match open(record.to_vec(), &key, self.stream, located.hour) {
                    Ok(chunk) if self.broken.get() && !chunk.starts_group() => {}
                    Ok(chunk) => {
                        self.broken.set(false);
                        chunks.push(chunk);
                    }
                    Err(error) => {
                        tracing::warn!(%reel, number = entry.number, %error, "a chunk is damaged and passed over");
                        self.pass_over(reel, entry.number);
                    }
                }
            }
        }
        Ok(())
    }

    fn pass_over(&self, reel: ReelId, number: u32) {
        self.broken.set(true);
        self.damaged.borrow_mut().push(Damaged { reel, number });
    }
}

/// The records of the chunks that there are keys for, as ranges; `None` where the index lacks one.
fn ranges(keys: &ReelKeys, entries: &HashMap<u32, IndexEntry>) -> Option<Vec<Range>> {
    let mut ranges: Vec<Range> = Vec::new();
    for (number, key) in &keys.chunks {
        let entry = *entries.get(number)?;
        let bytes = u64::from(entry.bytes);
        let chunk = (entry, key.clone());
        match ranges.last_mut() {
            Some(last) if last.offset.checked_add(last.bytes) == Some(entry.offset) => {
                last.bytes += bytes;
                last.chunks.push(chunk);
            }
            _ => ranges.push(Range { offset: entry.offset, bytes, chunks: vec![chunk] }),
        }
    }
    Some(ranges)
}

/// The hour's key is gone or nearly so, or its slot holds another reel by now.
fn is_dead(error: &ReplayError) -> bool {
    matches!(
        error,
        ReplayError::Keeper(KeeperError::Closed { .. })
            | ReplayError::Store(StoreError::Gone)
            | ReplayError::OtherReel { .. }
    )
}
