//! Break-glass (accès d'urgence): two persons lift the town's own permits, for one of them, some cameras and a quarter of an hour.
//!
//! Ask: 1 who may see pictures at all, by a role and an act in force, asks with a reason · 2 and shows both factors anew, for a
//! desk may have been left alone · 3 entry *asked* · 4 it waits five minutes for a second person.
//! Confirm: 1 the second person shows both factors, on any screen · 2 is another person of the closed list with an act in force, whose
//! account is older than the demand · 3 entry *opened*, durable · 4 it is open. Looks by it are entered as all looks are, and name it.
//! End: 1 it is closed, and looks by it end with it · 2 entry *ended*.
//!
//! It is open by trusted time and by the clock that nobody sets, whichever ends first. It lives in this process only: a keeper
//! that starts again has none open, and enters the end of what the ledger says was. An end that could not be entered is entered at
//! the next second, by the same way.

use crate::{
    core::{KeeperCore, actor, failed, malformed},
    wire::{Answer, GlassDone, PersonProof},
};
use catalog::{Account, AccountId};
use domain::{
    CameraId, GlassId, Sensitive, UtcMicros,
    limit::{BREAK_GLASS_ASK_SECONDS_MAX, BREAK_GLASS_SECONDS, REASON_CHARS_MAX, REASON_CHARS_MIN},
    world::BootMicros,
};
use ledger::{Actor, BreakGlass, Entry, Event};
use policy::{BREAK_GLASS, Glass, Role};
use std::{collections::BTreeMap, sync::PoisonError};
use vault::{KeeperError, keeper::SessionSecret};

const ASKED: &str = "asked";
const OPENED: &str = "opened";
const ENDED: &str = "ended";
pub(crate) const READ: &str = "acknowledged";
/// As many as one look names.
const CAMERAS_MAX: usize = 256;

/// Demands, what is open, and what the ledger tells of those that nobody has acknowledged.
#[derive(Debug, Default)]
pub(crate) struct Glasses {
    pub asks: Vec<Asking>,
    pub open: Vec<Open>,
    pub book: GlassBook,
}

/// A demand that waits for a second person.
#[derive(Clone, Debug)]
pub(crate) struct Asking {
    pub id: GlassId,
    pub account: AccountId,
    pub who: Sensitive<String>,
    pub cameras: Vec<CameraId>,
    pub reason: Sensitive<String>,
    pub at: UtcMicros,
    until_boot: BootMicros,
}

/// One that is open.
#[derive(Clone, Debug)]
pub(crate) struct Open {
    pub id: GlassId,
    pub glass: Glass,
    pub second: AccountId,
    pub until_boot: BootMicros,
}

impl Open {
    fn lives(&self, now: UtcMicros, boot: BootMicros) -> bool {
        now < self.glass.until && boot < self.until_boot
    }
}

/// What the ledger tells of each, until the data-protection officer has acknowledged it.
#[derive(Debug, Default)]
pub(crate) struct GlassBook(pub BTreeMap<GlassId, Told>);

/// One of the book.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub opened: BreakGlass,
    pub at: UtcMicros,
    pub ended: Option<BreakGlass>,
    /// Looks by it.
    pub looks: u32,
}

impl GlassBook {
    pub fn take(&mut self, entry: &Entry) {
        match &entry.event {
            Event::BreakGlass(told) if told.change == OPENED => {
                let new = || Told { opened: told.clone(), at: entry.at, ended: None, looks: 0 };
                self.0.entry(told.glass).or_insert_with(new);
            }
            Event::BreakGlass(told) if told.change == ENDED => {
                if let Some(known) = self.0.get_mut(&told.glass) {
                    known.ended = Some(told.clone());
                }
            }
            Event::BreakGlass(told) if told.change == READ => drop(self.0.remove(&told.glass)),
            Event::Look { rules, .. } => {
                for glass in rules.iter().filter_map(|rule| glass_of(rule)) {
                    if let Some(known) = self.0.get_mut(&glass) {
                        known.looks += 1;
                    }
                }
            }
            _ => {}
        }
    }

    /// What must be entered again before the month of the first entry ends (L2).
    pub fn standing(&self) -> Vec<Event> {
        let of = |told: &Told| std::iter::once(told.opened.clone()).chain(told.ended.clone());
        self.0.values().flat_map(of).map(Event::BreakGlass).collect()
    }
}

/// How a look's entry names the break-glass that permitted it.
pub(crate) fn rule_of(glass: GlassId) -> String {
    format!("{BREAK_GLASS}:{glass}")
}

fn glass_of(rule: &str) -> Option<GlassId> {
    rule.strip_prefix(BREAK_GLASS)?.strip_prefix(':')?.parse().ok()
}

impl KeeperCore {
    pub(crate) fn glass_ask(
        &self,
        session: &SessionSecret,
        cameras: &[CameraId],
        reason: &Sensitive<String>,
        password: &Sensitive<String>,
        code: &Sensitive<String>,
    ) -> Result<Answer, KeeperError> {
        let (account, _) = self.who_acts(session)?;
        if let Some(refused) = self.may_not_ask(&account, cameras, reason)? {
            return Ok(Answer::GlassDone(refused)); // 1
        }
        let proof = PersonProof { account: account.name.clone(), password: password.clone(), code: code.clone() };
        match self.by_both_factors(actor(&account), &proof)? {
            Ok(proven) if proven.id == account.id => {} // 2
            Ok(_) => return Ok(Answer::Denied { wait_seconds: 0 }),
            Err(wait_seconds) => return Ok(Answer::Denied { wait_seconds }),
        }
        let (at, boot) = (self.decision_time(), self.parts.clock.boot());
        let asking = Asking {
            id: GlassId::draw(&*self.parts.random),
            account: account.id,
            who: account.name.clone(),
            cameras: cameras.to_vec(),
            reason: reason.clone(),
            at,
            until_boot: after(boot, BREAK_GLASS_ASK_SECONDS_MAX),
        };
        self.enter_events(actor(&account), vec![event(ASKED, &asking, None, None)])?; // 3
        let glass = asking.id;
        let asks = &mut self.moving().glass.asks;
        asks.retain(|known| known.account != account.id && boot < known.until_boot);
        asks.push(asking); // 4
        Ok(Answer::GlassDone(GlassDone::Asked { glass }))
    }

    fn may_not_ask(
        &self,
        account: &Account,
        cameras: &[CameraId],
        reason: &Sensitive<String>,
    ) -> Result<Option<GlassDone>, KeeperError> {
        if cameras.is_empty() || CAMERAS_MAX < cameras.len() {
            return Err(malformed(format!("break-glass names 1 to {CAMERAS_MAX} cameras")));
        }
        if !(REASON_CHARS_MIN..=REASON_CHARS_MAX).contains(&reason.reveal().trim().chars().count()) {
            return Ok(Some(GlassDone::Reason));
        }
        let now = self.decision_time();
        if self.camera_facts(cameras, now)?.iter().any(|camera| !camera.exists) {
            return Err(malformed("break-glass names a camera that nobody knows"));
        }
        if self.is_law_in_doubt() || self.is_registry_in_doubt() {
            return Ok(Some(GlassDone::LawInDoubt));
        }
        Ok((!self.sees_pictures(account, now)?).then_some(GlassDone::NotHabilitated))
    }

    /// A role of the closed list, with its act in force.
    pub(crate) fn sees_pictures(&self, account: &Account, now: UtcMicros) -> Result<bool, KeeperError> {
        let facts = self.person_facts(account, now)?;
        Ok(facts.role.article().is_some() && facts.habilitated)
    }

    pub(crate) fn glass_confirm(
        &self,
        session: &SessionSecret,
        glass: GlassId,
        person: &PersonProof,
    ) -> Result<Answer, KeeperError> {
        self.who_acts(session)?;
        let second = match self.by_both_factors(Actor::Role { role: ledger::Role::Web }, person)? {
            Ok(second) => second, // 1
            Err(wait_seconds) => return Ok(Answer::Denied { wait_seconds }),
        };
        let Some(asking) = self.take_demand(glass) else { return Ok(Answer::GlassDone(GlassDone::Unknown)) };
        match self.open_glass(&asking, &second) {
            Ok(GlassDone::Open { glass, until }) => Ok(Answer::GlassDone(GlassDone::Open { glass, until })),
            // it goes on waiting for somebody who may, or for a ledger that takes the entry
            other => {
                self.moving().glass.asks.push(asking);
                other.map(Answer::GlassDone)
            }
        }
    }

    /// Taken out while it is judged, so that two who confirm at once open it once.
    fn take_demand(&self, glass: GlassId) -> Option<Asking> {
        let boot = self.parts.clock.boot();
        let asks = &mut self.moving().glass.asks;
        asks.retain(|asking| boot < asking.until_boot);
        let at = asks.iter().position(|asking| asking.id == glass)?;
        Some(asks.remove(at))
    }

    fn open_glass(&self, asking: &Asking, second: &Account) -> Result<GlassDone, KeeperError> {
        let now = self.decision_time();
        if second.id == asking.account {
            return Ok(GlassDone::SamePerson);
        }
        if !self.sees_pictures(second, now)? || asking.at <= second.created {
            return Ok(GlassDone::NotThisPerson); // 2
        }
        let first = self.parts.registry.account(asking.account).map_err(failed)?;
        let first = first.filter(|first| !first.disabled);
        if !first.is_some_and(|first| self.sees_pictures(&first, now).unwrap_or(false)) {
            return Ok(GlassDone::NotHabilitated);
        }
        if self.is_law_in_doubt() || self.is_registry_in_doubt() {
            return Ok(GlassDone::LawInDoubt);
        }
        let _one_at_a_time = self.glassing.lock().unwrap_or_else(PoisonError::into_inner);
        // read before the entry, so that what a slow disk takes is not added
        let (until, until_boot) =
            (now.plus_seconds(BREAK_GLASS_SECONDS), after(self.parts.clock.boot(), BREAK_GLASS_SECONDS));
        let opened = event(OPENED, asking, Some(&second.name), Some(until));
        self.enter_events(actor(second), vec![opened])?; // 3
        let glass = Glass { account: asking.account, cameras: asking.cameras.clone(), from: now, until };
        self.moving().glass.open.push(Open { id: asking.id, glass, second: second.id, until_boot }); // 4
        Ok(GlassDone::Open { glass: asking.id, until })
    }

    /// Ends one before its time, or takes a demand back: who asked, who confirmed, or the data-protection officer.
    pub(crate) fn glass_end(&self, session: &SessionSecret, glass: GlassId) -> Result<Answer, KeeperError> {
        let (account, _) = self.who_acts(session)?;
        let is_dpo = account.role == Role::Dpo.name();
        let was_open = {
            let glasses = &mut self.moving().glass;
            let may = |first: AccountId| is_dpo || first == account.id;
            let waiting = glasses.asks.len();
            glasses.asks.retain(|asking| asking.id != glass || !may(asking.account));
            let was_asked = glasses.asks.len() < waiting;
            let open = glasses.open.len();
            glasses.open.retain(|one| one.id != glass || !(may(one.glass.account) || one.second == account.id)); // 1
            let was_open = glasses.open.len() < open;
            if !was_open && !was_asked {
                return Ok(Answer::GlassDone(GlassDone::Unknown));
            }
            was_open
        };
        if was_open {
            self.end_permits_by(glass);
            self.enter_end(glass, actor(&account))?; // 2
        }
        Ok(Answer::GlassDone(GlassDone::Ended))
    }

    /// The end of all that is over: by time, by the end of an earlier keeper, or because its entry could not be made.
    pub(crate) fn end_glasses(&self) -> Result<(), KeeperError> {
        let _one_at_a_time = self.glassing.lock().unwrap_or_else(PoisonError::into_inner);
        let (now, boot) = (self.decision_time(), self.parts.clock.boot());
        let over: Vec<GlassId> = {
            let glasses = &mut self.moving().glass;
            glasses.asks.retain(|asking| boot < asking.until_boot);
            glasses.open.retain(|open| open.lives(now, boot));
            let unended = glasses.book.0.iter().filter(|(_, told)| told.ended.is_none()).map(|(id, _)| *id);
            unended.filter(|id| glasses.open.iter().all(|open| open.id != *id)).collect()
        };
        for glass in over {
            self.end_permits_by(glass);
            self.enter_end(glass, Actor::Schedule)?;
        }
        Ok(())
    }

    fn enter_end(&self, glass: GlassId, by: Actor) -> Result<(), KeeperError> {
        let told = self.moving().glass.book.0.get(&glass).cloned();
        let Some(Told { opened, .. }) = told else { return Ok(()) };
        let ended = BreakGlass { change: ENDED.into(), ..opened };
        self.enter_events(by, vec![Event::BreakGlass(ended)]).map(|_| ())
    }

    /// What is open for a person now.
    pub(crate) fn glasses_of(&self, account: AccountId, now: UtcMicros) -> Vec<Open> {
        let boot = self.parts.clock.boot();
        let moving = self.moving();
        let of = |open: &&Open| open.glass.account == account && open.lives(now, boot);
        moving.glass.open.iter().filter(of).cloned().collect()
    }

    /// Whether one is open still, for a look that it permitted.
    pub(crate) fn is_glass_open(&self, glass: GlassId, now: UtcMicros, boot: BootMicros) -> bool {
        self.moving().glass.open.iter().any(|open| open.id == glass && open.lives(now, boot))
    }
}

fn after(boot: BootMicros, seconds: i64) -> BootMicros {
    BootMicros(boot.0.saturating_add(seconds * 1_000_000))
}

fn event(change: &str, asking: &Asking, second: Option<&Sensitive<String>>, until: Option<UtcMicros>) -> Event {
    Event::BreakGlass(BreakGlass {
        change: change.into(),
        glass: asking.id,
        who: asking.who.clone(),
        second: second.cloned(),
        cameras: asking.cameras.clone(),
        reason: asking.reason.clone(),
        until,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(glass: u8, change: &str) -> Event {
        let name = || Sensitive::new("name".to_owned());
        Event::BreakGlass(BreakGlass {
            change: change.into(),
            glass: GlassId([glass; 16]),
            who: name(),
            second: Some(name()),
            cameras: vec![],
            reason: name(),
            until: Some(UtcMicros(9)),
        })
    }

    fn book(events: impl IntoIterator<Item = Event>) -> GlassBook {
        let mut book = GlassBook::default();
        events.into_iter().for_each(|event| book.take(&Entry::new(UtcMicros(1), Actor::Schedule, event)));
        book
    }

    /// The month of their entries may end before somebody reads them (L2).
    #[test]
    fn what_nobody_acknowledged_is_entered_again_as_it_was_and_what_was_is_not() {
        let first = book([
            told(1, ASKED),
            told(1, OPENED),
            told(2, OPENED),
            told(3, OPENED),
            told(1, ENDED),
            told(3, ENDED),
            told(3, READ),
        ]);
        let again = first.standing();
        assert_eq!(again, [told(1, OPENED), told(1, ENDED), told(2, OPENED)]);
        assert_eq!(book(again.clone()).standing(), again, "read after a restart it says the same");
        let twice = book(first.standing().into_iter().chain(again.clone()));
        assert_eq!(twice.standing(), again, "and said twice nothing more");
    }

    #[test]
    fn a_looks_rule_names_its_break_glass_and_no_other_rule_does() {
        let glass = GlassId([5; 16]);
        assert_eq!(glass_of(&rule_of(glass)), Some(glass));
        for rule in ["break-glass", "break-glass:", "break-glass:x", "operator-replays", "break-glasses"] {
            assert_eq!(glass_of(rule), None, "{rule}");
        }
    }
}
