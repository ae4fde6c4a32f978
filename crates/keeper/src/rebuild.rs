//! The keeper's part of a rebuild of the footage catalog (P7): the entry, what sealed extents and gaps say, and the command.
//!
//! Extents tell whose footage is when, gaps what is missing and why; no key and no picture leaves. They are told to the recorder only, after the entry,
//! and for no more reels than it counts.

use crate::{
    core::{KeeperCore, failed, malformed},
    keys::{OpenedPart, malformed_by},
    wire::Answer,
};
use domain::{Hour, ReelId, StreamId, StreamKind};
use keyring::Page;
use ledger::{Actor, Event, Role};
use seal::{CameraHourKey, KeyRecord, LookupKey, key::KeyContext, reel::ReelHeader};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    time::{Duration, Instant},
};
use vault::{
    KeeperError,
    keeper::{ExtentsQuery, StreamFate, StreamPart},
    rebuild::Rebuilt,
};

/// A reason is a line.
const WHY_CHARS_MAX: usize = 200;
/// The command waits this long; the rebuild goes on after it, and the health page tells its end.
const COMMAND_PATIENCE: Duration = Duration::from_secs(20 * 60);
const WAITS_ALREADY: &str =
    "a rebuild of the catalog is ordered already and waits for the recorder: `vigie status` tells";
const LOSS_ACCEPTED: &str = "catalog: the reels that are missing in the store are accepted as lost";
const LOOK: Duration = Duration::from_millis(200);

/// Rebuilds that were begun or asked for.
#[derive(Default)]
pub(crate) struct Rebuilds {
    begun: Option<Begun>,
    next: u64,
    /// Asked for on the command line and not taken by the recorder yet; whether what is missing is accepted as lost.
    waiting: Option<(u64, bool)>,
    asked: HashSet<u64>,
    done: HashMap<u64, Result<Rebuilt, String>>,
}

struct Begun {
    leaf: u64,
    reels_max: u64,
    reels: BTreeSet<ReelId>,
}

/// A reel's hour as the keyring has it.
struct Opening {
    header: ReelHeader,
    page: Page,
    /// Whose tag is whose.
    tags: BTreeMap<[u8; 32], StreamId>,
}

impl KeeperCore {
    /// Enters that the catalog is made anew; extents of so many reels may then be asked for.
    pub fn begin_rebuild(&self, reels: u64, why: &str) -> Result<u64, KeeperError> {
        let why: String = why.chars().take(WHY_CHARS_MAX).collect();
        let leaf = self.enter_event(Actor::Role { role: Role::Recorder }, Event::Rebuild { reels, why })?;
        self.moving().rebuilds.begun = Some(Begun { leaf, reels_max: reels, reels: BTreeSet::new() });
        Ok(leaf)
    }

    /// What the extents of a reel say, stream by stream. Errors: `Malformed` without the entry, for a reel that is
    /// not what it says, or a key record that unwraps for no camera of the hour under its own tag (R13).
    pub fn extents(&self, query: &ExtentsQuery) -> Result<Vec<StreamFate>, KeeperError> {
        self.admit_reel(query, false)?;
        let header =
            ReelHeader::from_payload(query.reel, &query.header, &self.site_key.public()).map_err(malformed_by)?;
        self.admit_reel(query, true)?;
        let Some(page) = self.parts.keyring.page(header.hour).map_err(failed)? else {
            return Ok(vec![StreamFate::Dead; query.streams.len()]);
        };
        let tags = tags(&page, query.reel);
        let opening = Opening { header, page, tags };
        query.streams.iter().map(|part| self.stream_fate(&opening, part)).collect()
    }

    /// `vigie catalog rebuild`: hands it to the recorder and waits for its word. That a person accepts a loss is entered first.
    pub(crate) fn catalog_rebuild(&self, actor: Actor, loss_accepted: bool) -> Result<Answer, KeeperError> {
        if self.moving().rebuilds.waiting.is_some() {
            return Err(malformed(WAITS_ALREADY));
        }
        if loss_accepted {
            self.enter_events(actor, vec![Event::Config { what: LOSS_ACCEPTED.into() }])?;
        }
        let number = {
            let rebuilds = &mut self.moving().rebuilds;
            if rebuilds.waiting.is_some() {
                return Err(malformed(WAITS_ALREADY));
            }
            rebuilds.next += 1;
            let number = rebuilds.next;
            rebuilds.waiting = Some((number, loss_accepted));
            rebuilds.asked.insert(number);
            number
        };
        let started = Instant::now();
        let mut done = None;
        while done.is_none() && started.elapsed() < COMMAND_PATIENCE {
            std::thread::sleep(LOOK);
            done = self.moving().rebuilds.done.remove(&number);
        }
        let rebuilds = &mut self.moving().rebuilds;
        rebuilds.asked.remove(&number);
        rebuilds.done.remove(&number);
        match done {
            Some(result) => result.map(|rebuilt| Answer::Rebuilt(Box::new(rebuilt))).map_err(failed),
            None if rebuilds.waiting.is_some_and(|(waiting, _)| waiting == number) => {
                rebuilds.waiting = None;
                Err(failed("the recorder did not take the order: is it running? `vigie status` tells"))
            }
            None => Ok(Answer::RebuildGoesOn),
        }
    }

    pub(crate) fn next_rebuild(&self) -> Option<(u64, bool)> {
        self.moving().rebuilds.waiting.take()
    }

    /// The recorder's word about a rebuild that was asked for.
    pub(crate) fn rebuilt(&self, number: u64, result: Result<Rebuilt, String>) {
        let rebuilds = &mut self.moving().rebuilds;
        if rebuilds.asked.contains(&number) {
            rebuilds.done.insert(number, result);
        }
    }

    /// A reel `counts` when it is what it says: ids that somebody makes up neither grow the list nor use up its places.
    fn admit_reel(&self, query: &ExtentsQuery, counts: bool) -> Result<(), KeeperError> {
        let refuse = |what: &str| Err(malformed(what));
        let rebuilds = &mut self.moving().rebuilds;
        let Some(begun) = rebuilds.begun.as_mut().filter(|begun| begun.leaf == query.rebuild) else {
            return refuse("extents: no rebuild was entered under that number since the keeper started");
        };
        if !begun.reels.contains(&query.reel) && begun.reels_max <= begun.reels.len() as u64 {
            return refuse("extents: of more reels than were entered");
        }
        if counts {
            begun.reels.insert(query.reel);
        }
        Ok(())
    }

    fn stream_fate(&self, opening: &Opening, part: &StreamPart) -> Result<StreamFate, KeeperError> {
        let Opening { header, page, tags } = opening;
        let record = KeyRecord::from_bytes(&part.key_record).map_err(malformed_by)?;
        // no camera that has a key: its camera's died before the others'
        let Some(stream) = tags.get(&record.lookup_tag).copied() else { return Ok(StreamFate::Dead) };
        let Some(camera) = page.cameras.get(&stream.camera) else { return Ok(StreamFate::Dead) };
        if self.is_condemned(header.hour, stream) {
            return Ok(StreamFate::Dead);
        }
        if self.is_hour_closed(header.hour, stream.camera, camera.deadline) {
            return Ok(StreamFate::Closed);
        }
        let (hour, run, deadline) = (header.hour, header.certificate.run, header.deadline);
        let context = KeyContext { site: self.parts.site, stream, hour, run, deadline };
        let data_key = CameraHourKey(camera.key.clone()).unwrap(&record.wrapped, &context).map_err(malformed_by)?;
        let mut opened = OpenedPart::new(header.reel, data_key);
        for extent in &part.extents {
            opened.push_extent(extent, stream)?;
        }
        if !part.extents.is_empty() && opened.handle() != part.handle {
            return Err(malformed("extents of another handle"));
        }
        let gaps = part.gaps.iter().map(|gap| opened.gap(gap, part.handle, stream)).collect::<Result<_, _>>()?;
        Ok(StreamFate::Alive { stream, extents: opened.into_extents(), gaps })
    }

    fn is_condemned(&self, hour: Hour, stream: StreamId) -> bool {
        self.moving().fates.of(hour, stream.camera).is_some_and(|fate| fate.condemned_at.is_some())
    }
}

/// Every tag that a key record of this reel may bear: three kinds of stream for each camera of the page.
fn tags(page: &Page, reel: ReelId) -> BTreeMap<[u8; 32], StreamId> {
    let lookup = LookupKey(page.lookup.clone());
    let kinds: Vec<StreamKind> = (0..3).filter_map(StreamKind::from_code).collect();
    let streams =
        page.cameras.keys().flat_map(|camera| kinds.iter().map(|kind| StreamId { camera: *camera, kind: *kind }));
    streams.map(|stream| (lookup.tag(reel, stream), stream)).collect()
}
