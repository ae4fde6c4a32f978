//! The recorder's facts: each entered once, also when told twice, also across a restart (L3).

use crate::core::{KeeperCore, failed, malformed};
use domain::{HoldId, Hour};
use ledger::{Actor, Digest, Entry, Event, Role};
use std::collections::{HashSet, VecDeque};
use tracing::warn;
use vault::{
    KeeperError,
    keeper::{Fact, ReelFact},
};

/// So many facts are remembered as told: two weeks of three reels a minute. A recorder that repeats itself does so within
/// minutes.
const TOLD_MAX: usize = 65_536;

/// Facts that were entered, by the digest of their event; the oldest are forgotten.
#[derive(Debug, Default)]
pub(crate) struct Told {
    known: HashSet<[u8; 32]>,
    order: VecDeque<[u8; 32]>,
}

impl Told {
    /// Remembers an entry of the ledger, if it is a recorder's fact.
    pub fn recall(&mut self, entry: &Entry) {
        if (entry.actor == Actor::Role { role: Role::Recorder })
            && let Some(name) = name(&entry.event)
        {
            self.note(name);
        }
    }

    fn note(&mut self, name: [u8; 32]) {
        if !self.known.insert(name) {
            return;
        }
        self.order.push_back(name);
        if self.order.len() > TOLD_MAX
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }
}

impl KeeperCore {
    /// Facts of the recorder. A fact about footage of an hour without a living key is not entered: nobody could ever open
    /// what it tells of, and the ledger's verdict would read it as footage kept past its end.
    pub fn enter(&self, facts: &[Fact]) -> Result<(), KeeperError> {
        if let Some(what) = self.moving().journal_broken.clone() {
            return Err(KeeperError::LedgerAway { what }); // the recorder tells it again; the hour's mint may be owed, too
        }
        for fact in facts {
            match (fact, hour_of(fact)) {
                (Fact::Freed { hour, cameras, reels, residual }, _) => self.freed(*hour, cameras, reels, residual)?,
                (Fact::HoldWrapped { hold }, _) => self.moving().holds.note_wrapped(*hold),
                (Fact::HoldKept { hold, .. }, _) => self.hold_kept(*hold, fact)?,
                (_, Some(hour)) => {
                    let _keys_stay_as_they_are = self.change_keys();
                    if self.moving().fates.lives(hour) {
                        self.enter_once(fact)?;
                    } else {
                        warn!(%hour, "a fact about footage whose keys are all dead is not entered");
                    }
                }
                (_, None) => self.enter_once(fact)?,
            }
        }
        Ok(())
    }

    /// Of a hold that stands and was not told kept.
    fn hold_kept(&self, hold: HoldId, fact: &Fact) -> Result<(), KeeperError> {
        let waits = self.moving().holds.get(hold).is_some_and(|known| known.stands() && known.kept.is_none());
        if waits { self.enter_once(fact) } else { Ok(()) }
    }

    fn enter_once(&self, fact: &Fact) -> Result<(), KeeperError> {
        let mut events = events(fact)?;
        {
            let known = &self.moving().told.known;
            events.retain(|event| name(event).is_none_or(|name| !known.contains(&name)));
        }
        if events.is_empty() {
            return Ok(());
        }
        let names: Vec<[u8; 32]> = events.iter().filter_map(name).collect();
        self.enter_events(Actor::Role { role: Role::Recorder }, events)?;
        let told = &mut self.moving().told;
        names.into_iter().for_each(|name| told.note(name));
        Ok(())
    }
}

fn hour_of(fact: &Fact) -> Option<Hour> {
    match fact {
        Fact::Reel(reel) | Fact::Recovered { reel, .. } => Some(reel.hour),
        Fact::RecorderHour { hour, .. } | Fact::Damaged { hour, .. } => Some(*hour),
        Fact::Freed { .. } | Fact::SlowSync { .. } | Fact::Gap { .. } => None,
        Fact::HoldWrapped { .. } | Fact::HoldKept { .. } => None,
    }
}

fn events(fact: &Fact) -> Result<Vec<Event>, KeeperError> {
    Ok(match fact {
        Fact::Reel(fact) => vec![reel(fact)],
        Fact::Recovered { reel: fact, cut_bytes } => {
            vec![Event::Recovered { reel: fact.reel, cut_bytes: *cut_bytes, lost_after: None }, reel(fact)]
        }
        Fact::RecorderHour { run, hour, reels, root } => {
            vec![Event::RecorderHour { run: *run, hour: *hour, reels: *reels, root: Digest(*root) }]
        }
        Fact::SlowSync { at, took_ms } => vec![Event::Slow { what: format!("sync at {at}"), sync_ms: *took_ms }],
        Fact::Damaged { reel, hour, slot, from, to } => {
            vec![Event::Damaged { reel: *reel, hour: *hour, slot: *slot, from: *from, to: *to }]
        }
        Fact::Gap { camera, from, to, cause } => {
            let end = to.map_or("…".to_owned(), |to| to.to_string());
            let details = format!("{from} → {end}: {cause}");
            vec![Event::Camera { change: "gap".into(), camera: *camera, details }]
        }
        Fact::HoldKept { hold, reels, bytes, missing } => {
            vec![Event::HoldKept { hold: *hold, reels: *reels, bytes: *bytes, missing: *missing }]
        }
        Fact::Freed { .. } | Fact::HoldWrapped { .. } => {
            return Err(malformed("freed space and wrapped keys are entered by their own way"));
        }
    })
}

fn reel(fact: &ReelFact) -> Event {
    Event::Reel {
        reel: fact.reel,
        run: fact.run,
        hour: fact.hour,
        deadline: fact.deadline,
        root: Digest(fact.root),
        bytes: fact.bytes,
        streams: fact.streams.into(),
    }
}

/// `None` for what the recorder causes and does not tell: mints and runs.
fn name(event: &Event) -> Option<[u8; 32]> {
    if matches!(event, Event::Mint { .. } | Event::Run { .. }) {
        return None;
    }
    let json = serde_json::to_vec(event).map_err(failed).ok()?;
    Some(*blake3::hash(&json).as_bytes())
}
