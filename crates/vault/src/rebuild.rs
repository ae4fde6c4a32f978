//! The footage catalog made anew from the reels (P7), while recording goes on: at a start that finds it missing, damaged or
//! behind, and on command. One code path, and running it again is right after any crash.
//!
//! 1 survey: every reel in the slots, without a key
//! 2 reels that a dead recorder left open and that no row names: a row, then closed as recovery closes them (R5)
//! 3 entry in the ledger: how many reels, and why
//! 4 reel by reel: what its extents say, from the keeper, which gives no key; then its row with all its streams, at once
//! 5 on command: rows whose reel is nowhere in the store go, unless that are too many on one root, or its disk is not there: those
//!   stay until somebody says that the loss is accepted (decision 0059), and then the time is a gap with that cause
//!
//! A reel whose streams are all dead gets no row: the ledger's tombstone stands. One that cannot be entered is named and its
//! slots stay as they are; the others are entered. Between the keeper's answer and the row no hour may be freed ([`Turn`]),
//! so a destruction in that moment is not undone by a row. Whose a stream is, its key record decides: it unwraps for one
//! camera and stream only, so footage never comes to another camera (R13).
//!
//! Gaps stand in the reels too (R12): what their lines say is entered in step 4, before the row.

use crate::{
    census,
    keeper::{ExtentsQuery, Fact, Keeper, KeeperError, StreamFate, StreamPart},
    recover::{Closer, RecoverError, fact_of},
    store::{LocalStore, Location, StoreError, whole_index},
    survey::{End, Found, LeftOut, Surveyor},
};
use catalog::{CatalogError, Footage, Gap, NewReel, ReelRow, ReelState, StreamRow};
use domain::{
    ReelId, StreamId, UtcMicros,
    limit::{LOSS_MS_MAX, MESSAGE_BYTES_MAX, RECORD_HEADER_BYTES},
};
use seal::{Extent, GapLine, Kind, reel::IndexEntry};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
};
use tracing::warn;

/// Bytes of one question about extents: half of a message.
const QUESTION_BYTES_MAX: usize = MESSAGE_BYTES_MAX / 2;
/// Reels of so many hours before the newest one are told again where no row named them: a catalog that was lost took with it
/// what the keeper had not heard. It enters each once, and seldom lags behind by more. Recovered ones, of which there are few, are told
/// however old they are: one may lie on a disk that was away for days.
const TOLD_AGAIN_HOURS: i64 = 3;
/// So many reels that could not be entered are named.
const NAMED_MAX: usize = 100;

/// Held between the keeper's word that a reel lives and its row, and while dead hours are freed.
pub type Turn = Mutex<()>;

/// Why a rebuild could not go on. What it entered stays; it is begun again as a whole.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Footage(#[from] CatalogError),
    #[error(transparent)]
    Recover(#[from] RecoverError),
    #[error(transparent)]
    Keeper(#[from] KeeperError),
}

type Result<T> = std::result::Result<T, RebuildError>;

/// What is made anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Reels that no row names, and these, whose rows may be behind.
    Missing { also: BTreeSet<ReelId> },
    /// Every reel, and rows without one, but for those of a root of which too much is missing.
    All,
    /// The same, and those rows too: somebody said that what is missing is lost.
    LossAccepted,
}

/// The cause of a gap whose footage was recorded and lost with its disk.
pub const DISK_LOST: &str = "disk-lost";
/// Footage less apart is one loss: what a power cut may cost lies between (promise 1).
const APART_MICROS: i64 = LOSS_MS_MAX as i64 * 1_000;

/// What a rebuild did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rebuilt {
    /// Reels looked at.
    pub reels: u64,
    /// Rows that were not there.
    pub entered: u64,
    /// Rows that said something else.
    pub corrected: u64,
    /// Rows whose reel is nowhere.
    pub removed: u64,
    /// Such rows that stay, because their disk is not there or too much of it is missing.
    pub waiting: u64,
    /// Reels of which every key is dead.
    pub dead: u64,
    /// Reels whose hour is closed now: they stay as they are.
    pub closed: u64,
    /// What could not be entered, at most a hundred by name.
    pub left_out: Vec<LeftOut>,
    pub left_out_count: u64,
}

/// What a rebuild needs.
pub struct Rebuilder<'a> {
    pub closer: Closer<'a>,
    pub keeper: &'a dyn Keeper,
    pub turn: &'a Turn,
}

/// Its answer: what was done, and facts for the ledger about reels that were closed, or of which it may not have heard.
pub type Outcome = (Rebuilt, Vec<Fact>);

/// What became of one reel.
enum Became {
    Entered,
    Corrected,
    Same,
    Dead,
    Closed,
}

impl Rebuilder<'_> {
    /// Makes the catalog anew. Reels of the present run that are still open are left to their writer.
    pub fn rebuild(&self, scope: &Scope, why: &str) -> Result<Outcome> {
        let rows: BTreeMap<ReelId, ReelRow> =
            self.footage().live_reels()?.into_iter().map(|row| (row.reel, row)).collect();
        let known = self.known(scope, &rows)?;
        let (site_key, now) = (self.closer.grant.site_key, self.closer.surely());
        let surveyor = Surveyor { store: self.store(), site_key, now, known: &known };
        let survey = surveyor.survey()?; // 1
        let (mut rebuilt, mut left_out) = (Rebuilt::default(), survey.left_out);
        let mut facts = Vec::new();
        let (mut found, mut dead) = (Vec::new(), BTreeSet::new());
        let present: BTreeSet<ReelId> = survey.reels.iter().map(|found| found.reel).collect();
        let by_itself = matches!(scope, Scope::Missing { .. });
        for reel in survey.reels.into_iter().filter(|found| found.end != End::Known) {
            if by_itself && self.store().is_held(&reel.location) {
                continue; // a disk put back from an old image, perhaps: somebody decides
            }
            if reel.end != End::Open {
                found.push(reel);
            } else if reel.run != self.closer.grant.certificate.run {
                match self.close(&reel, rows.get(&reel.reel)) {
                    Ok(Some((closed, fact))) => {
                        found.push(closed);
                        facts.push(fact);
                    }
                    Ok(None) => dead.extend(reel.location.slots()),
                    Err(error) => left_out.push(reel.left_out(&error)),
                } // 2
            }
        }
        rebuilt.reels = found.len() as u64;
        if !found.is_empty() {
            let leaf = self.keeper.begin_rebuild(rebuilt.reels, why)?; // 3
            let recent = found.iter().map(|reel| reel.hour).max().map(|newest| newest.plus(-TOLD_AGAIN_HOURS));
            for reel in &found {
                let is_untold = recent <= Some(reel.hour) || matches!(reel.end, End::Recovered(_));
                match self.enter(leaf, reel, !is_untold) {
                    Ok(became) => {
                        rebuilt.count(&became);
                        if matches!(became, Became::Dead) {
                            dead.extend(reel.location.slots());
                        }
                        if matches!(became, Became::Entered) && is_untold {
                            facts.extend(self.footage().reel(reel.reel)?.and_then(|row| fact_of(self.store(), &row)));
                        }
                    }
                    Err(RebuildError::Keeper(KeeperError::Away { detail })) => {
                        return Err(KeeperError::Away { detail }.into());
                    }
                    Err(error) => {
                        warn!(reel = %reel.reel, %error, "a reel is left out of the catalog");
                        left_out.push(reel.left_out(&error));
                    }
                } // 4
            }
        }
        self.give_back(dead)?;
        if !by_itself {
            let missing = self.rows_without_reels(&rows, &present, &left_out, scope);
            self.remove_rows(&missing, &rows, scope, &mut rebuilt)?; // 5
        }
        rebuilt.left_out_count = left_out.len() as u64;
        left_out.truncate(NAMED_MAX);
        rebuilt.left_out = left_out;
        Ok((rebuilt, facts))
    }

    /// Reels that need no look, and where they lie. One whose streams no row names was closed by a rebuild that did not come to
    /// its end.
    fn known(&self, scope: &Scope, rows: &BTreeMap<ReelId, ReelRow>) -> Result<BTreeMap<ReelId, Location>> {
        let Scope::Missing { also } = scope else { return Ok(BTreeMap::new()) };
        let unfinished = self.footage().reels_without_streams()?;
        let is_known = |row: &&ReelRow| {
            row.state != ReelState::Open && !also.contains(&row.reel) && !unfinished.contains(&row.reel)
        };
        let known = rows.values().filter(is_known);
        Ok(known.filter_map(|row| Some((row.reel, Location::from_bytes(&row.location)?))).collect())
    }

    /// Slots of reels that are dead and were closed all the same: they were taken for it from the free ones.
    fn give_back(&self, dead: BTreeSet<u32>) -> Result<()> {
        if dead.is_empty() {
            return Ok(());
        }
        let _no_row_is_entered = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let rows = self.footage().live_reels()?;
        let places: Option<Vec<Location>> = rows.iter().map(|row| Location::from_bytes(&row.location)).collect();
        let Some(places) = places else { return Ok(()) }; // somebody's place is not known: nothing is given back
        let kept = self.store().kept();
        let lives = |slot: &u32| kept.contains(slot) || places.iter().any(|place| place.slots().any(|of| of == *slot));
        self.store().free(dead.into_iter().filter(|slot| !lives(slot)));
        Ok(())
    }

    /// 2. `None`: nothing of it was sound, or somebody else closed it.
    fn close(&self, found: &Found, row: Option<&ReelRow>) -> Result<Option<(Found, Fact)>> {
        if row.is_some_and(|row| row.state != ReelState::Open) {
            // its end was damaged after it was acknowledged: not open, and nothing is written over it
            return Err(StoreError::Gone.into());
        }
        if !self.store().claim(&found.location) {
            return Err(StoreError::Gone.into());
        }
        let new = NewReel {
            reel: found.reel,
            run: found.run,
            hour: found.hour,
            deadline: found.deadline,
            location: found.start.to_bytes(),
            opened_at: row.map_or(found.hour.start(), |row| row.opened_at),
        };
        if row.is_none() {
            self.footage().reel_opened(&new)?;
        }
        let Some(fact) = self.closer.close(&new, &found.location)? else { return Ok(None) };
        let Some(row) = self.footage().reel(found.reel)? else { return Ok(None) };
        let location = Location::from_bytes(&row.location).ok_or(RecoverError::NoLocation { reel: row.reel })?;
        let root = row.root.unwrap_or_default();
        let end = if row.state == ReelState::Recovered { End::Recovered(root) } else { End::Closed(root) };
        Ok(Some((Found { location, end, ..found.clone() }, fact)))
    }

    /// 4.
    fn enter(&self, leaf: u64, found: &Found, is_told: bool) -> Result<Became> {
        let parts = self.parts(found)?;
        let _no_hour_is_freed = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let mut fates = Vec::new();
        for questions in in_questions(&parts) {
            let streams = questions.iter().map(|part| part.asked.clone()).collect();
            let (reel, header) = (found.reel, found.header.clone());
            fates.extend(self.keeper.extents(&ExtentsQuery { rebuild: leaf, reel, header, streams })?);
        }
        if fates.len() != parts.len() {
            return Err(KeeperError::Malformed { what: "an answer of another length".into() }.into());
        }
        if fates.contains(&StreamFate::Closed) {
            return Ok(Became::Closed);
        }
        self.enter_gaps(&fates)?;
        let streams: Vec<StreamRow> =
            parts.iter().zip(fates).filter_map(|(part, fate)| part.row(found, fate)).collect();
        let known = self.footage().reel(found.reel)?;
        if streams.is_empty() {
            if known.is_some_and(|known| known.state != ReelState::Dead) {
                self.footage().forget(&[found.reel])?;
            }
            return Ok(Became::Dead);
        }
        let row = row_of(found, &streams);
        let became = match known {
            None => Became::Entered,
            Some(known) if known.state == ReelState::Dead => return Ok(Became::Dead),
            Some(known) if is_same(&known, &row) && self.footage().streams_of(found.reel)? == streams => Became::Same,
            Some(_) => Became::Corrected,
        };
        if !matches!(became, Became::Same) {
            self.footage().reel_rebuilt(&row, &streams, is_told)?;
        }
        self.store().adopt(found.location.slots());
        Ok(became)
    }

    fn enter_gaps(&self, fates: &[StreamFate]) -> Result<()> {
        for fate in fates {
            let StreamFate::Alive { gaps, .. } = fate else { continue };
            for GapLine { stream, from, to, cause, detail, .. } in gaps {
                let cause = if detail.is_empty() { cause.clone() } else { format!("{cause} {detail}") };
                self.footage().gap_learnt(&Gap { stream: *stream, from: *from, to: *to, cause })?;
            }
        }
        Ok(())
    }

    /// What stands of each stream in a reel.
    fn parts(&self, found: &Found) -> Result<Vec<Part>> {
        let entries = whole_index(self.store(), found.reel, &found.location)?.ok_or(StoreError::Gone)?;
        let mut reader = self.store().reader(&found.location);
        let mut parts: BTreeMap<u16, Part> = BTreeMap::new();
        for entry in &entries {
            if entry.is(Kind::Key) {
                let key_record = reader.record(found.reel, entry)?.split_off(RECORD_HEADER_BYTES);
                let asked = StreamPart { handle: entry.handle, key_record, extents: Vec::new(), gaps: Vec::new() };
                parts.insert(entry.handle, Part { asked, chunks: 0, bytes: 0 });
            }
            let Some(part) = parts.get_mut(&entry.handle) else { continue };
            if entry.is(Kind::Chunk) {
                part.count(entry);
            } else if entry.is(Kind::Extent) {
                part.asked.extents.push(reader.record(found.reel, entry)?);
            } else if entry.is(Kind::Gap) {
                part.asked.gaps.push(reader.record(found.reel, entry)?);
            }
        }
        Ok(parts.into_values().collect())
    }

    /// A reel that is named as left out is there, damaged: its row stays, for what of it still opens.
    fn rows_without_reels<'r>(
        &self,
        rows: &'r BTreeMap<ReelId, ReelRow>,
        present: &BTreeSet<ReelId>,
        left_out: &[LeftOut],
        scope: &Scope,
    ) -> Vec<&'r ReelRow> {
        let damaged: BTreeSet<ReelId> = left_out.iter().filter_map(|left| left.reel).collect();
        let unreadable: BTreeSet<u32> = left_out.iter().map(|left| left.slot).collect();
        let is_missing = |row: &&ReelRow| {
            let slots = Location::from_bytes(&row.location).map(|location| location.slots().collect::<Vec<u32>>());
            let perhaps = slots.is_some_and(|slots| slots.iter().any(|slot| unreadable.contains(slot)));
            !present.contains(&row.reel) && !damaged.contains(&row.reel) && !perhaps
        };
        let run = self.closer.grant.certificate.run;
        // one that a lost disk left open is closed by nobody any more
        let ended = |row: &&ReelRow| row.state != ReelState::Open || (*scope == Scope::LossAccepted && row.run != run);
        let lives = |row: &&ReelRow| ended(row) && self.closer.surely() < row.deadline;
        rows.values().filter(lives).filter(is_missing).collect()
    }

    /// Step 5, root by root: of one that is not there, or of which more is missing than a right disk loses, nothing is deleted before
    /// the loss is accepted.
    fn remove_rows(
        &self,
        missing: &[&ReelRow],
        rows: &BTreeMap<ReelId, ReelRow>,
        scope: &Scope,
        rebuilt: &mut Rebuilt,
    ) -> Result<()> {
        let root = |row: &ReelRow| Location::from_bytes(&row.location).and_then(|location| location.root());
        let mut of_roots: BTreeMap<Option<u8>, Vec<&ReelRow>> = BTreeMap::new();
        missing.iter().for_each(|row| of_roots.entry(root(row)).or_default().push(row));
        for (number, missing) in of_roots {
            let is_root_there =
                number.is_none_or(|number| self.store().root(number).is_ok_and(|root| root.look().is_none()));
            let known = rows.values().filter(|row| root(row) == number).count() as u64;
            let too_much = number.is_some() && census::is_too_much(missing.len() as u64, known);
            if (too_much || !is_root_there) && *scope != Scope::LossAccepted {
                rebuilt.waiting += missing.len() as u64;
                continue;
            }
            if *scope == Scope::LossAccepted {
                self.enter_loss(&missing)?;
            }
            rebuilt.removed += self.footage().forget(&missing.iter().map(|row| row.reel).collect::<Vec<_>>())?;
            if let Some(root) = number.and_then(|number| self.store().root(number).ok()) {
                root.hold(false);
            }
        }
        Ok(())
    }

    /// What was recorded and is lost is a gap with its cause.
    fn enter_loss(&self, lost: &[&ReelRow]) -> Result<()> {
        let mut spans: BTreeMap<StreamId, Vec<(UtcMicros, UtcMicros)>> = BTreeMap::new();
        for row in lost {
            for part in self.footage().streams_of(row.reel)?.into_iter().filter(|part| part.frames > 0) {
                spans.entry(part.stream).or_default().push((part.first_utc, part.last_utc));
            }
        }
        for (stream, mut spans) in spans {
            spans.sort_unstable();
            let mut merged: Vec<(UtcMicros, UtcMicros)> = Vec::new();
            for (from, to) in spans {
                match merged.last_mut() {
                    Some((_, end)) if from.since(*end) < APART_MICROS => *end = to.max(*end),
                    _ => merged.push((from, to)),
                }
            }
            for (from, to) in merged {
                self.footage().gap_learnt(&Gap { stream, from, to: Some(to), cause: DISK_LOST.to_owned() })?;
            }
        }
        Ok(())
    }

    fn footage(&self) -> &Footage {
        self.closer.footage
    }

    fn store(&self) -> &LocalStore {
        self.closer.store
    }
}

/// One stream of a reel.
struct Part {
    asked: StreamPart,
    chunks: u64,
    /// Of its chunk records.
    bytes: u64,
}

impl Part {
    fn count(&mut self, entry: &IndexEntry) {
        self.chunks += 1;
        self.bytes += u64::from(entry.bytes);
    }

    fn question_bytes(&self) -> usize {
        let records = self.asked.extents.iter().chain(&self.asked.gaps);
        self.asked.key_record.len() + records.map(|record| record.len() + 4).sum::<usize>() + 16
    }

    /// The catalog's row, for a stream that lives; without frames where the reel holds gaps of it only.
    fn row(&self, found: &Found, fate: StreamFate) -> Option<StreamRow> {
        let StreamFate::Alive { stream, extents, .. } = fate else { return None };
        let of = |extents: &[Extent]| {
            let first = extents.iter().map(|extent| extent.first_utc).min()?;
            let last = extents.iter().map(|extent| extent.last_utc).max()?;
            Some((first, last))
        };
        let (first_utc, last_utc) = of(&extents).unwrap_or((found.hour.start(), found.hour.start()));
        Some(StreamRow {
            reel: found.reel,
            handle: self.asked.handle,
            stream,
            first_utc,
            last_utc,
            frames: extents.iter().map(|extent| u64::from(extent.frames)).sum(),
            chunks: self.chunks,
            bytes: self.bytes,
        })
    }
}

/// Streams of a reel, as many to a question as a message holds.
fn in_questions(parts: &[Part]) -> Vec<&[Part]> {
    let mut questions = Vec::new();
    let (mut begin, mut bytes) = (0, 0);
    for (n, part) in parts.iter().enumerate() {
        if begin < n && QUESTION_BYTES_MAX < bytes + part.question_bytes() {
            questions.push(&parts[begin..n]);
            (begin, bytes) = (n, 0);
        }
        bytes += part.question_bytes();
    }
    questions.push(&parts[begin..]);
    questions
}

/// When a reel was opened and closed stands in none: its first and last pictures are near.
fn row_of(found: &Found, streams: &[StreamRow]) -> ReelRow {
    let (state, root) = match found.end {
        End::Recovered(root) => (ReelState::Recovered, Some(root)),
        End::Closed(root) => (ReelState::Closed, Some(root)),
        End::Open | End::Known => (ReelState::Open, None),
    };
    let begin = found.hour.start();
    ReelRow {
        reel: found.reel,
        run: found.run,
        hour: found.hour,
        deadline: found.deadline,
        state,
        location: found.location.to_bytes(),
        bytes: found.location.bytes(),
        root,
        opened_at: streams.iter().map(|stream| stream.first_utc).min().unwrap_or(begin),
        closed_at: Some(streams.iter().map(|stream| stream.last_utc).max().unwrap_or(begin)),
    }
}

/// Whether a row says what the reel says.
fn is_same(known: &ReelRow, row: &ReelRow) -> bool {
    let (opened_at, closed_at): (UtcMicros, Option<UtcMicros>) = (row.opened_at, row.closed_at);
    ReelRow { opened_at, closed_at, ..known.clone() } == *row
}

impl Found {
    fn left_out(&self, error: &RebuildError) -> LeftOut {
        LeftOut { slot: self.slot(), reel: Some(self.reel), why: error.to_string() }
    }
}

impl Rebuilt {
    fn count(&mut self, became: &Became) {
        match became {
            Became::Entered => self.entered += 1,
            Became::Corrected => self.corrected += 1,
            Became::Same => {}
            Became::Dead => self.dead += 1,
            Became::Closed => self.closed += 1,
        }
    }
}
