//! Gathering what is held: keys first, of all that is there, then bytes, reel by reel. What fails does not keep the rest from it.

use super::{FORMAT, HeldReel, HoldError, Reserve, Result};
use crate::{
    digests::digests,
    keeper::{Fact, HeldJob, Keeper, KeeperError, ReelPart, WrapQuery, WrappedReel, Wrapping},
    part::{Part, part_of},
    service::Located,
    store::{LocalStore, StoreError},
};
use domain::{HoldId, Span, StreamId, UtcMicros, Window};
use seal::{
    Kind,
    record::NO_STREAM,
    reel::{IndexEntry, record},
    root::digests_payload,
};

/// Catalog rows tell when the pictures of a reel were taken; one that ends so long before a span only holds a group's start.
const BEFORE_MICROS: i64 = 1_000_000;
/// What was received up to then is durable and known by then (R1).
const SETTLED_SECONDS: i64 = 5;

/// What a gathering works with.
pub struct Gathering<'a> {
    pub reserve: &'a Reserve,
    pub store: &'a LocalStore,
    pub keeper: &'a dyn Keeper,
    /// Reels of a stream that touch a span, and those before them, in the order of time.
    pub locate: &'a dyn Fn(StreamId, Span) -> std::result::Result<Vec<Located>, String>,
    pub now: UtcMicros,
    /// The catalog may lack reels: what it has is gathered, and no word is said of all of it.
    pub is_partial: bool,
    /// Called after each reel that was copied, with its bytes; at a no it stops there, to be gone on with.
    pub go_on: &'a dyn Fn(u64) -> bool,
}

/// How far one is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gathered {
    /// Something of it is still written, still unknown, or still to be copied.
    pub waits: bool,
    pub reels: u32,
    pub bytes: u64,
    /// Reels that were located and of which nothing could be kept: their keys died before, or they are gone.
    pub missing: u32,
}

/// What one window's turn brought.
#[derive(Default)]
struct Turn {
    waits: bool,
    missing: u32,
    failed: Option<HoldError>,
}

impl Gathering<'_> {
    /// Wraps what can be wrapped now, of every window; then says so, if that is all.
    pub fn wrap(&self, job: &HeldJob) -> Result<Gathered> {
        let mut all = self.reserve.all()?;
        let mut turn = Turn { waits: self.is_partial, ..Turn::default() };
        for (nth, window) in (0..).zip(&job.windows) {
            turn.waits |= self.now < window.span.to().plus_seconds(SETTLED_SECONDS);
            if let Err(error) = self.window((job.hold, nth), window, &mut all, &mut turn) {
                turn.failed.get_or_insert(error);
            }
        }
        match turn.failed {
            Some(error) => return Err(error),
            None if turn.waits => {}
            None => self.keeper.enter(&[Fact::HoldWrapped { hold: job.hold }])?, // 4
        }
        Ok(Gathered { waits: turn.waits, missing: turn.missing, ..Gathered::default() })
    }

    /// Copies what was wrapped; with `gathered` as [`Gathering::wrap`] gave it.
    pub fn copy(&self, job: &HeldJob, mut gathered: Gathered) -> Result<Gathered> {
        let (mut all, mut failed) = (self.reserve.all()?, None);
        for place in 0..all.len() {
            if all[place].hold != job.hold || all[place].is_here {
                continue;
            }
            match self.reserve.copy(self.store, &all[place], &all) {
                Ok(held) => all[place] = held, // 5, 6
                Err(error @ HoldError::Full { .. }) => return Err(error),
                Err(error) => {
                    failed.get_or_insert(error);
                    continue;
                }
            }
            if !(self.go_on)(all[place].bytes) {
                return Ok(Gathered { waits: true, ..gathered });
            }
        }
        if let Some(error) = failed {
            return Err(error);
        }
        let own = all.iter().filter(|held| held.hold == job.hold);
        (gathered.reels, gathered.bytes) = own.fold((0, 0), |(n, bytes), held| (n + 1, bytes + held.bytes));
        if !gathered.waits {
            let Gathered { reels, bytes, missing, .. } = gathered;
            self.keeper.enter(&[Fact::HoldKept { hold: job.hold, reels, bytes, missing }])?; // 7
        }
        Ok(gathered)
    }

    /// 1 to 3, of one window. A reel that fails is looked at again; the others are not kept waiting.
    fn window(
        &self,
        (hold, nth): (HoldId, u16),
        window: &Window,
        all: &mut Vec<HeldReel>,
        turn: &mut Turn,
    ) -> Result<()> {
        let stream = StreamId::main(window.camera);
        let mut reels = (self.locate)(stream, window.span).map_err(HoldError::Located)?; // 1
        let is_open = |located: &Located| located.entries.is_some();
        turn.waits |= reels.iter().any(|located| is_open(located) && touches(window, located));
        reels.retain(|located| !is_open(located));
        let before = window.span.from().plus_micros(-BEFORE_MICROS);
        let (mut passed, reels): (Vec<_>, Vec<_>) = reels.into_iter().partition(|located| located.last_utc < before);
        let mut is_first = true;
        for mut located in reels {
            let known = |reel| all.iter().any(|held| (held.hold, held.nth, held.located.reel) == (hold, nth, reel));
            if known(located.reel) {
                is_first = false;
                continue;
            }
            let wrapping = match self.wrapping((hold, window), &mut located, &mut passed, is_first) {
                Ok(Some(wrapping)) => wrapping, // 2
                Ok(None) => {
                    turn.missing += u32::from(touches(window, &located));
                    continue;
                }
                Err(error) => {
                    turn.failed.get_or_insert(error);
                    continue;
                }
            };
            for wrapped in wrapping.reels.into_iter().filter(|wrapped| !known(wrapped.reel)).collect::<Vec<_>>() {
                is_first = false;
                let of = std::iter::once(&located).chain(&passed).find(|of| of.reel == wrapped.reel);
                let Some(located) = of.cloned() else { continue };
                let (format, span, is_here, bytes) = (FORMAT, window.span, false, bytes_of(&located, &wrapped));
                let held = HeldReel { format, hold, stream, span, nth, located, wrapped, is_here, bytes };
                self.reserve.put(&held)?; // 3
                all.push(held);
            }
            if is_first {
                passed.push(located);
            }
        }
        Ok(())
    }

    /// `None` for a reel whose key died before anybody asked for it, or that is not there any more.
    fn wrapping(
        &self,
        (hold, window): (HoldId, &Window),
        located: &mut Located,
        passed: &mut [Located],
        is_first: bool,
    ) -> Result<Option<Wrapping>> {
        let Some(part) = self.part(located)? else { return Ok(None) };
        let (stream, span) = (StreamId::main(window.camera), window.span);
        let ask = |parts| self.keeper.wrap(&WrapQuery { hold, stream, span, parts });
        let mut answer = match ask(vec![part.clone()]) {
            Err(KeeperError::Closed { .. }) => return Ok(None),
            answer => answer?,
        };
        if let Some(needed) = answer.needs.filter(|_| is_first)
            && let Some(from) = passed.iter().position(|passed| passed.reel == needed)
        {
            let earlier = passed[from..].iter_mut().map(|located| self.part(located)).collect::<Result<Vec<_>>>()?;
            match ask(earlier.into_iter().flatten().chain([part]).collect()) {
                Err(KeeperError::Closed { .. }) => {} // its head cannot be decoded then (R8)
                whole => answer = whole?,
            }
        }
        Ok(Some(answer))
    }

    /// `None` for a reel that is not there any more, or holds nothing of the stream.
    fn part(&self, located: &mut Located) -> Result<Option<ReelPart>> {
        match part_of(self.store, located) {
            Ok(Part::Of(part)) => Ok(Some(part)),
            Ok(Part::Nothing | Part::OtherReel) | Err(StoreError::Gone) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

fn touches(window: &Window, located: &Located) -> bool {
    window.span.touches(located.first_utc, located.last_utc)
}

/// Of the records that are held.
fn bytes_of(located: &Located, wrapped: &WrappedReel) -> u64 {
    located.entries.iter().flatten().filter(|entry| is_held(entry, wrapped)).map(|entry| u64::from(entry.bytes)).sum()
}

fn is_held(entry: &IndexEntry, wrapped: &WrappedReel) -> bool {
    entry.is(Kind::Key)
        || entry.is(Kind::Extent) && wrapped.extents.contains(&entry.number)
        || entry.is(Kind::Chunk) && wrapped.chunks.contains(&entry.number)
}

/// What lies in one slot of the reserve.
pub(super) struct Fragment {
    pub bytes: Vec<u8>,
    /// Offset and bytes of its index record.
    pub index: (u64, u32),
}

/// Header, key record, held extents and chunks of one stream of a reel, unchanged; digests; index.
pub(super) fn fragment(store: &LocalStore, held: &HeldReel) -> Result<Fragment> {
    let mut located = held.located.clone();
    let reel = located.reel;
    part_of(store, &mut located)?; // reads its entries
    let (header_digest, streams) = digests(store, &located)?;
    let mut reader = store.reader(&located.location);
    let header = reader.header(reel, 0)?.ok_or(StoreError::Gone)?;
    let mut bytes = reader.read(0, header.record_bytes())?;
    let mut index = Vec::new();
    for entry in located.entries.iter().flatten().filter(|entry| is_held(entry, &held.wrapped)) {
        let record = match reader.read(entry.offset, entry.bytes.into()) {
            Ok(record) => record,
            // what the disk does not give is told as damaged by whoever opens it; the rest is kept
            Err(StoreError::Disk(error)) => {
                tracing::warn!(%reel, %error, "part of what is held cannot be read");
                vec![0; entry.bytes as usize]
            }
            Err(error) => return Err(error.into()),
        };
        index.push(IndexEntry { offset: bytes.len() as u64, ..*entry });
        bytes.extend_from_slice(&record);
    }
    let streams = streams.iter().map(|(handle, digests)| (*handle, digests));
    let digests = record(Kind::Digests, NO_STREAM, 0, reel, &digests_payload(&header_digest, streams));
    let (kind, offset) = (Kind::Digests.code(), bytes.len() as u64);
    index.push(IndexEntry { kind, handle: NO_STREAM, number: 0, bytes: digests.len() as u32, offset });
    bytes.extend_from_slice(&digests);
    let offset = bytes.len() as u64;
    let record = record(Kind::Index, NO_STREAM, 0, reel, &IndexEntry::to_payload(&index));
    bytes.extend_from_slice(&record);
    Ok(Fragment { bytes, index: (offset, record.len() as u32) })
}
