//! Replay: a permit, a stream and a span in; pictures out, group by group, in the order of time (P4).
//!
//! The keeper answers with chunk keys; the ciphertext is read from the store here, and opened here. No camera-hour key and
//! no data key comes this way.

use crate::{
    keeper::{Keeper, KeeperError, KeyAnswer, KeyQuery, Permit, ReelKeys, ReelPart},
    open::open,
    part::{Part, part_of},
    service::Located,
    store::{LocalStore, StoreError, check_record},
};
use domain::{ReelId, Span, StreamId, UtcMicros};
use media::Chunk;
use seal::{ChunkKey, GroupStart, Kind, reel::IndexEntry};
use std::{
    cell::RefCell,
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
    /// The last chunk that was given out.
    tail: Option<Tail>,
    /// Chunks that are not what was sealed, since they were last taken.
    damaged: RefCell<Vec<Damaged>>,
    /// For what leaves: the reels that were opened, and by which keys.
    kept: Option<Vec<Kept>>,
}

/// A reel of which something was opened, with its keys.
#[derive(Clone, Debug)]
pub struct Kept {
    pub located: Located,
    pub keys: ReelKeys,
}

/// A chunk whose bytes the disk did not give, or gave changed. Its neighbours are shown all the same; what refers to it
/// cannot be decoded, up to the next group's start ([`Passage::follows`]).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Damaged {
    pub reel: ReelId,
    pub number: u32,
}

/// One chunk of a replay.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Passage {
    pub chunk: Chunk,
    /// Whether all pictures between the passage before and this one are there: decoding runs on. Otherwise it begins anew at
    /// the next group's start.
    pub follows: bool,
    pub reel: ReelId,
    /// Within (reel, stream).
    pub number: u32,
}

/// A chunk's place, as far as continuity goes.
#[derive(Clone, Copy)]
struct Tail {
    reel: ReelId,
    number: u32,
    ends_reel: bool,
    last_utc: UtcMicros,
    /// The group its last picture belongs to.
    group: GroupStart,
}

/// A chunk that was opened, before it is known whether anybody needs it.
struct Opened {
    chunk: Chunk,
    tail: Tail,
}

/// Two chunks of which the second starts a group in another reel are not next to each other if this much lies between them:
/// no camera takes less than a picture a second.
const APART_MICROS: i64 = 1_000_000;
/// Catalog rows tell when the pictures of a reel were taken; reels that end this long before the span are looked at only
/// for the start of its first group.
const BEFORE_MICROS: i64 = 1_000_000;

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
        let earlier = span.from().plus_micros(-BEFORE_MICROS);
        let (passed, reels): (Vec<_>, Vec<_>) = reels.into_iter().partition(|located| located.last_utc < earlier);
        let (reels, started, tail, damaged) = (reels.into(), false, None, RefCell::default());
        Replay { keeper, store, permit, stream, span, reels, passed, started, tail, damaged, kept: None }
    }

    /// For what leaves: it ends with whole batches, so that a reader sees that nothing was left out, and keeps what proves it.
    pub fn keeping(self) -> Replay<'a> {
        Replay { kept: Some(Vec::new()), ..self }
    }

    /// The reels that were opened since the last call.
    pub fn take_kept(&mut self) -> Vec<Kept> {
        self.kept.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// What was passed over since the last call.
    pub fn take_damaged(&self) -> Vec<Damaged> {
        self.damaged.take()
    }

    /// The chunks of the next reel that holds any of the span; `None` at the end. The first chunk of all starts the group
    /// that holds the span's beginning, where that group exists. Reels whose hour has died meanwhile, or that the disk does not
    /// give, are passed over: they are gaps; unless nothing else was there.
    pub fn next_reel(&mut self) -> Result<Option<Vec<Passage>>, ReplayError> {
        while let Some(mut located) = self.reels.pop_front() {
            let opened = match self.chunks_of(&mut located) {
                Ok(opened) => opened,
                Err(error) if is_passed_over(&error) && (!self.reels.is_empty() || self.started) => {
                    if !is_dead(&error) {
                        tracing::warn!(reel = %located.reel, %error, "a reel that cannot be read is passed over");
                    }
                    self.tail = None;
                    continue;
                }
                Err(error) => return Err(error),
            };
            if !opened.is_empty() {
                self.started = true;
                self.passed.clear();
                return Ok(Some(opened.into_iter().map(|opened| self.passage(opened)).collect()));
            }
            if !self.started {
                self.passed.push(located);
            }
        }
        Ok(None)
    }

    fn passage(&mut self, Opened { chunk, tail }: Opened) -> Passage {
        let before = self.tail.replace(tail);
        let follows = before.is_some_and(|before| tail.follows(&before, &chunk));
        Passage { chunk, follows, reel: tail.reel, number: tail.number }
    }

    fn chunks_of(&mut self, located: &mut Located) -> Result<Vec<Opened>, ReplayError> {
        let Some(part) = self.part(located)? else { return Ok(Vec::new()) };
        let mut answer = self.ask(vec![part.clone()])?;
        let needed = answer.needs.filter(|_| !self.started);
        if let Some(from) = needed.and_then(|needed| self.passed.iter().position(|passed| passed.reel == needed)) {
            answer = self.ask_with(from, part)?;
        }
        let mut chunks = Vec::new();
        for keys in &answer.reels {
            let of = std::iter::once(&*located).chain(&self.passed).find(|of| of.reel == keys.reel);
            if let Some(of) = of {
                self.open_all(of, keys, &mut chunks)?;
                let kept = Kept { located: of.clone(), keys: keys.clone() };
                self.kept.iter_mut().for_each(|all| all.push(kept.clone()));
            }
        }
        self.trim(&mut chunks);
        Ok(chunks)
    }

    /// The keeper knows batches of a second, not chunks: what lies before the group that holds the span's beginning, or
    /// behind its end, is dropped here.
    fn trim(&self, chunks: &mut Vec<Opened>) {
        if self.kept.is_none() {
            chunks.retain(|opened| opened.chunk.first_utc < self.span.to());
        }
        if !chunks.iter().any(|opened| self.span.touches(opened.chunk.first_utc, opened.chunk.last_utc)) {
            chunks.clear();
        } else if !self.started {
            // By the time of the group's first picture: those that lead it cannot be decoded from here.
            let begins = |chunk: &Chunk| chunk.frames.first().map(|frame| chunk.utc_of(frame));
            let holds = |opened: &Opened| {
                opened.chunk.starts_group() && begins(&opened.chunk).is_some_and(|utc| utc <= self.span.from())
            };
            drop(chunks.drain(..chunks.iter().rposition(holds).unwrap_or(0)));
        }
    }

    /// Asks for a reel with those passed before it, from this one on, that hold the rest of its first group. One of them
    /// that died meanwhile does not take the reel with it: its head is undecodable then (R8).
    fn ask_with(&mut self, from: usize, part: ReelPart) -> Result<KeyAnswer, ReplayError> {
        let mut passed = std::mem::take(&mut self.passed);
        let parts: Result<Vec<_>, _> = passed[from..].iter_mut().map(|located| self.part(located)).collect();
        self.passed = passed;
        let whole = parts.and_then(|parts| Ok(self.ask(parts.into_iter().flatten().chain([part.clone()]).collect())?));
        match whole {
            Err(error) if is_dead(&error) => Ok(self.ask(vec![part])?),
            answer => answer,
        }
    }

    fn ask(&self, parts: Vec<ReelPart>) -> Result<KeyAnswer, KeeperError> {
        self.keeper.keys(&KeyQuery { permit: self.permit.clone(), stream: self.stream, span: self.span, parts })
    }

    fn part(&self, located: &mut Located) -> Result<Option<ReelPart>, ReplayError> {
        match part_of(self.store, located)? {
            Part::Of(part) => Ok(Some(part)),
            Part::Nothing => Ok(None),
            Part::OtherReel => Err(ReplayError::OtherReel { reel: located.reel }),
        }
    }

    fn open_all(&self, located: &Located, keys: &ReelKeys, chunks: &mut Vec<Opened>) -> Result<(), ReplayError> {
        let reel = located.reel;
        let entries = located.entries.iter().flatten().filter(|entry| entry.is(Kind::Chunk));
        let entries: HashMap<u32, IndexEntry> = entries.map(|entry| (entry.number, *entry)).collect();
        let last = entries.keys().max().copied();
        let mut group = None;
        let mut reader = self.store.reader(&located.location);
        for range in ranges(keys, &entries).ok_or(ReplayError::OtherReel { reel })? {
            let bytes = match reader.read(range.offset, range.bytes) {
                Ok(bytes) => bytes,
                // the disk does not give this range: the others may be sound
                Err(error @ (StoreError::Disk(_) | StoreError::RootAway { .. })) => {
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
                let number = entry.number;
                if let Err(error) = check_record(record, reel, &entry) {
                    // another reel's slot by now, or a damaged record of this one
                    reader.header(reel, 0)?.ok_or(StoreError::Gone)?;
                    tracing::warn!(%reel, number, %error, "a chunk's record is damaged and passed over");
                    self.pass_over(reel, number);
                    continue;
                }
                let chunk = match open(record.to_vec(), &key, self.stream, located.hour) {
                    Ok(chunk) => chunk,
                    Err(error) => {
                        tracing::warn!(%reel, number, %error, "a chunk is damaged and passed over");
                        self.pass_over(reel, number);
                        continue;
                    }
                };
                let of_batch = keys.extents.iter().find(|extent| extent.first_chunk == number);
                group = match of_batch {
                    _ if chunk.starts_group() => Some(GroupStart { reel, chunk: number }),
                    Some(extent) => Some(extent.group_start),
                    None => group,
                };
                // Keys come from a batch's first chunk on, or from a group's: one of both is always known.
                let group = group.unwrap_or(GroupStart { reel, chunk: number });
                let tail = Tail { reel, number, ends_reel: last == Some(number), last_utc: chunk.last_utc, group };
                chunks.push(Opened { chunk, tail });
            }
        }
        Ok(())
    }

    fn pass_over(&self, reel: ReelId, number: u32) {
        self.damaged.borrow_mut().push(Damaged { reel, number });
    }
}

impl Tail {
    /// Whether this chunk comes right after another: the next number in its reel, or the first of a reel that goes on with
    /// the group that the other was in.
    fn follows(&self, before: &Tail, chunk: &Chunk) -> bool {
        if self.reel == before.reel {
            return before.number.checked_add(1) == Some(self.number);
        }
        let adjoins = before.ends_reel && self.number == 0;
        adjoins
            && (self.group == before.group
                || chunk.starts_group() && chunk.first_utc.since(before.last_utc) <= APART_MICROS)
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

/// What is dead, and what the disk does not give: a slot that is missing or fails costs its own reel and no other.
fn is_passed_over(error: &ReplayError) -> bool {
    is_dead(error) || matches!(error, ReplayError::Store(StoreError::Disk(_)))
}

/// The hour's key is gone or nearly so, its slot holds another reel by now, or its disk is missing: the others are shown.
fn is_dead(error: &ReplayError) -> bool {
    matches!(
        error,
        ReplayError::Keeper(KeeperError::Closed { .. })
            | ReplayError::Store(StoreError::Gone | StoreError::RootAway { .. })
            | ReplayError::OtherReel { .. }
    )
}
