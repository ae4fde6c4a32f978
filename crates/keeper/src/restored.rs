//! The registry is held to the ledger: what was ended stays ended, whatever copy of the registry is put back (decision 0062).
//!
//! At each start:
//! 1 a registry that says of itself that it is a restored copy: from here on nobody looks
//! 2 entry with the date of the copy
//! 3 who got or lost a way to sign in since has none any more, until a new setup link
//! 4 always: accounts that the ledger calls disabled are closed, cameras that it calls removed are out of service, papers
//!   that it calls withdrawn are withdrawn; delays are shortened by [`crate::orders`], the law is held by [`crate::law`],
//!   and keys die by keyring and ledger alone ([`crate::destroy`])
//! 5 the registry forgets that it is a copy
//!
//! Then two persons look at what was restored and confirm it; looks are possible again. Recording never waits for it.
//! A crash between any two steps is finished at the next start; a repeated entry says the same.

use crate::{
    core::{KeeperCore, actor, failed},
    health::finding,
    wire::{Answer, Finding, FindingState, PersonProof, RestoreDone, RestoredChange, RestoredLine, RestoredView},
};
use catalog::{Account, AccountId, Taken};
use domain::{ActId, CameraId, Sensitive, UtcMicros, limit::RESTORED_NEWCOMER_SECONDS};
use ledger::{Actor, Checkpoint, Digest, Entry, Event, Month};
use policy::Role;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use tracing::warn;
use vault::{KeeperError, keeper::RefusedReason};

/// How these entries begin; a program of before reads them as any change of configuration.
pub(crate) const BACKED_UP: &str = "registry backed up: ";
const RESTORED: &str = "registry restored: ";
const CONFIRMED_BY_ONE: &str = "restored registry confirmed by one person";
const CONFIRMED: &str = "restored registry confirmed by two persons";
const DISABLED: &str = "disabled";
/// Changes of a camera that the registry holds; the recorder's gaps and requests about delays are entered as changes, too.
const REGISTERED: [&str; 7] = ["added", "removed", "confirmed", "sub-stream", "rights", "class", "delay"];
/// Changes of an account that give and take no way to sign in.
const NO_WAY_IN: [&str; 2] = ["teams: ", "training on "];

/// What the ledger tells of accounts, cameras and papers, and of a restored registry.
#[derive(Debug, Default)]
pub(crate) struct RegistryBook {
    /// The first entry that can be read.
    readable_from: Option<u64>,
    /// With their role.
    closed: HashMap<Sensitive<String>, String>,
    removed: BTreeSet<CameraId>,
    withdrawn: BTreeMap<ActId, UtcMicros>,
    /// The last entry that gave or took a way to sign in.
    ways_in: HashMap<Sensitive<String>, (u64, UtcMicros)>,
    /// What was last said of a camera and of a paper: change and words.
    cameras: BTreeMap<CameraId, (u64, String, String)>,
    papers: BTreeMap<ActId, (u64, String, String)>,
    /// Restored, and not confirmed.
    open: Option<Open>,
    /// A copy whose entry could not be made yet.
    unentered: bool,
    /// The steps at the start are not done.
    unheld: bool,
}

/// A restored registry that waits for two persons.
#[derive(Clone, Debug)]
struct Open {
    copy: Copy,
    entered: UtcMicros,
    first: Option<String>,
}

/// What the entry says of the copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Copy {
    taken: UtcMicros,
    entries: u64,
    /// The copy's ledger is the beginning of this one.
    of_this_ledger: bool,
}

impl RegistryBook {
    pub fn take(&mut self, number: u64, entry: &Entry) {
        self.readable_from.get_or_insert(number);
        match &entry.event {
            Event::Account { change, name, role } => self.take_account(number, entry.at, change, name, role),
            Event::Session { change, name } if change.contains("recovery code") => {
                self.ways_in.insert(name.clone(), (number, entry.at));
            }
            Event::Camera { change, camera, details } if REGISTERED.contains(&change.as_str()) => {
                if change == "removed" {
                    self.removed.insert(*camera);
                }
                self.cameras.insert(*camera, (number, change.clone(), details.clone()));
            }
            Event::Act { change, act, number: paper, until, .. } => {
                if change == "withdrawn" {
                    self.withdrawn.insert(*act, until.unwrap_or(entry.at));
                }
                self.papers.insert(*act, (number, change.clone(), paper.clone()));
            }
            Event::Config { what } => self.take_word(entry, what),
            _ => {}
        }
    }

    fn take_account(&mut self, number: u64, at: UtcMicros, change: &str, name: &Sensitive<String>, role: &str) {
        if change == DISABLED {
            self.closed.insert(name.clone(), role.to_owned());
        }
        if !NO_WAY_IN.iter().any(|other| change.starts_with(other)) {
            self.ways_in.insert(name.clone(), (number, at));
        }
    }

    fn take_word(&mut self, entry: &Entry, what: &str) {
        if let Some(copy) = what.strip_prefix(RESTORED).and_then(|copy| serde_json::from_str(copy).ok()) {
            self.open = Some(Open { copy, entered: entry.at, first: None });
        } else if what == CONFIRMED {
            self.open = None;
        } else if let (true, Some(open), Actor::Account { id, .. }) =
            (what == CONFIRMED_BY_ONE, &mut self.open, &entry.actor)
        {
            open.first = Some(id.clone());
        }
    }

    /// The entry of a registry that nobody confirmed, to be made again before the month of the first one ends (L2).
    pub fn standing_from(&self, month: Month) -> Option<Event> {
        let open = self.open.as_ref().filter(|open| Month::of(open.entered) <= month)?;
        Some(restored(&open.copy))
    }

    /// Whether entries that a copy does not know can all be read.
    fn tells_since(&self, copy: &Copy) -> bool {
        copy.of_this_ledger && self.readable_from.is_some_and(|from| from <= copy.entries)
    }
}

fn restored(copy: &Copy) -> Event {
    let copy = serde_json::to_string(copy).expect("numbers are JSON");
    Event::Config { what: format!("{RESTORED}{copy}") }
}

impl KeeperCore {
    /// Whether nobody looks because a restored registry was not confirmed.
    pub(crate) fn is_registry_in_doubt(&self) -> bool {
        let book = &self.moving().registry;
        book.unentered || book.open.is_some()
    }

    /// The steps above.
    pub(crate) fn hold_registry(&self) -> Result<(), KeeperError> {
        let registry = &self.parts.registry;
        self.forget_copy()?; // of a backup that a crash interrupted
        if let Some(taken) = registry.taken().map_err(failed)? {
            self.moving().registry.unentered = true; // 1
            let copy = self.judged(&taken);
            self.enter_events(Actor::Role { role: ledger::Role::Keeper }, vec![restored(&copy)])?; // 2
            self.moving().registry.unentered = false;
            self.close_ways_in(&copy)?; // 3
            self.hold_to_ends()?; // 4
            registry.taken_forget().map_err(failed)?; // 5
            self.moving().acts = None;
            self.moving().cameras_version += 1;
            return Ok(());
        }
        self.hold_to_ends() // 4
    }

    /// What fails is tried again each second; a copy that is not entered lets nobody look meanwhile.
    pub(crate) fn hold_registry_at_start(&self) {
        if let Err(error) = self.hold_registry() {
            warn!(%error, "the registry is not held to the ledger yet; it is tried again each second");
            self.moving().registry.unheld = true;
        }
    }

    pub(crate) fn hold_registry_again(&self) -> Result<(), KeeperError> {
        if self.moving().registry.unheld {
            self.hold_registry()?;
            self.moving().registry.unheld = false;
        }
        Ok(())
    }

    fn judged(&self, taken: &Taken) -> Copy {
        let then = Checkpoint { size: taken.entries, root: Digest(taken.root) };
        let of_this_ledger = self.parts.journal.begins_with(then).is_ok();
        Copy { taken: taken.at, entries: taken.entries, of_this_ledger }
    }

    fn close_ways_in(&self, copy: &Copy) -> Result<(), KeeperError> {
        let now = self.stamp();
        for account in self.parts.registry.accounts().map_err(failed)? {
            let is_touched = {
                let book = &self.moving().registry;
                let since = book.ways_in.get(&account.name).is_some_and(|(number, _)| copy.entries <= *number);
                since || !book.tells_since(copy)
            };
            if is_touched {
                self.parts.registry.account_close_ways_in(account.id, now).map_err(failed)?;
            }
        }
        Ok(())
    }

    /// 4, which changes nothing where nothing came back.
    fn hold_to_ends(&self) -> Result<(), KeeperError> {
        let (registry, now) = (&self.parts.registry, self.stamp());
        let (mut closed, removed, withdrawn) = {
            let book = &self.moving().registry;
            (book.closed.clone(), book.removed.clone(), book.withdrawn.clone())
        };
        for account in registry.accounts().map_err(failed)? {
            if closed.remove(&account.name).is_some() && !account.disabled {
                warn!("an account that the ledger calls disabled was open in the registry: it is closed again");
                registry.account_disable(account.id, now).map_err(failed)?;
            }
        }
        for (name, role) in closed {
            // made and disabled after the copy: its name must not become somebody else's
            let id = AccountId::draw(&*self.parts.random);
            let account = Account { id, name, role, password_hash: None, disabled: true, created: now };
            registry.account_add(&account).map_err(failed)?;
        }
        for version in registry.cameras(now).map_err(failed)? {
            if removed.contains(&version.camera.id) {
                warn!(camera = %version.camera.id, "a camera that the ledger calls removed was in service: it is removed again");
                registry.camera_remove(version.camera.id, now, now).map_err(failed)?;
            }
        }
        for version in registry.acts_known(UtcMicros(i64::MAX)).map_err(failed)? {
            let Some(from) = withdrawn.get(&version.act.id) else { continue };
            if version.withdrawn_from.is_none_or(|known| *from < known) {
                warn!(act = %version.act.id, "an act that the ledger calls withdrawn held in the registry: it is withdrawn again");
                registry.act_withdraw(version.act.id, *from, now).map_err(failed)?;
            }
        }
        Ok(())
    }

    /// Why nobody looks, as a refusal tells it.
    pub(crate) fn restored_reason(&self) -> Option<RefusedReason> {
        self.is_registry_in_doubt().then(|| RefusedReason {
            rule: "registry-restored".into(),
            article: "CSI R253-3".into(),
            text_fr: "La base du site a été restaurée d'une sauvegarde et personne ne l'a encore confirmée : des droits retirés depuis pourraient y figurer.".into(),
            text_en: "The registry was restored from a backup and nobody has confirmed it yet: rights that were withdrawn since could stand in it.".into(),
            remedy_fr: "Deux personnes la relisent et la confirment : `vigie restore show`, puis `vigie restore confirm`. L'enregistrement continue.".into(),
            remedy_en: "Two persons read and confirm it: `vigie restore show`, then `vigie restore confirm`. Recording goes on.".into(),
        })
    }

    pub(crate) fn restored_finding(&self) -> Option<Finding> {
        let reason = self.restored_reason()?;
        Some(finding(
            "registry-restored",
            FindingState::Alarm,
            ("Base du site restaurée", "Registry restored"),
            (format!("{} {}", reason.text_fr, reason.remedy_fr), format!("{} {}", reason.text_en, reason.remedy_en)),
        ))
    }

    /// What the ledger tells since the copy was taken: to be read, and entered anew where it should hold.
    pub fn restored_view(&self) -> Result<Answer, KeeperError> {
        let now = self.stamp();
        let names: HashSet<Sensitive<String>> =
            self.parts.registry.accounts().map_err(failed)?.into_iter().map(|account| account.name).collect();
        let moving = self.moving();
        let book = &moving.registry;
        let Some(open) = &book.open else { return Ok(Answer::Restored(None)) };
        let since = |number: &u64| open.copy.entries <= *number;
        let accounts =
            book.ways_in.iter().filter(|(name, (number, _))| since(number) && !book.closed.contains_key(*name));
        let mut lines: Vec<RestoredLine> = accounts
            .map(|(name, _)| RestoredLine {
                change: if names.contains(name) { RestoredChange::NeedsLink } else { RestoredChange::NoAccount },
                what: name.clone(),
            })
            .collect();
        let of = |change: RestoredChange, words: String| RestoredLine { change, what: Sensitive::new(words) };
        let cameras = book.cameras.values().filter(|(number, ..)| since(number));
        lines.extend(cameras.map(|(_, change, words)| of(RestoredChange::Camera, format!("{change} · {words}"))));
        let papers = book.papers.values().filter(|(number, ..)| since(number));
        lines.extend(papers.map(|(_, change, words)| of(RestoredChange::Act, format!("{words} ({change})"))));
        lines.sort();
        Ok(Answer::Restored(Some(Box::new(RestoredView {
            taken: open.copy.taken,
            entries_since: self.parts.journal.size().saturating_sub(open.copy.entries),
            everything_is_told: book.tells_since(&open.copy),
            waits_for_a_second: open.first.is_some(),
            seconds_since_restored: (now.since(open.entered) / 1_000_000).max(0),
            lines,
        }))))
    }

    /// A person has read it and confirms. A refusal is an answer.
    ///
    /// 1 who, by both factors · 2 refused to who got a way to sign in since the copy, for a day · 3 the first person: entry ·
    /// 4 another one, not both administrators: entry, and looks are possible
    pub fn restore_confirm(&self, cli: Actor, person: &PersonProof) -> Result<Answer, KeeperError> {
        let account = match self.by_both_factors(cli, person)? {
            Ok(account) => account,
            Err(wait_seconds) => return Ok(Answer::Denied { wait_seconds }),
        }; // 1
        let (open, changed) = {
            let book = &self.moving().registry;
            (book.open.clone(), book.ways_in.get(&account.name).copied())
        };
        let Some(open) = open else { return Ok(Answer::RestoreDone(RestoreDone::NothingToConfirm)) };
        let is_new = changed.is_some_and(|(number, at)| {
            open.copy.entries <= number && self.decision_time() < at.plus_seconds(RESTORED_NEWCOMER_SECONDS)
        });
        if is_new {
            return Ok(Answer::RestoreDone(RestoreDone::TooNew)); // 2
        }
        let first = match &open.first {
            Some(id) => self.account_of_text(id)?,
            None => None,
        };
        let (word, done) = match first {
            Some(first) if first.id == account.id => return Ok(Answer::RestoreDone(RestoreDone::SamePerson)),
            Some(first) if is_administrator(&first) && is_administrator(&account) => {
                return Ok(Answer::RestoreDone(RestoreDone::BothAdministrators));
            }
            Some(_) => (CONFIRMED, RestoreDone::Confirmed), // 4
            None => (CONFIRMED_BY_ONE, RestoreDone::First), // 3
        };
        self.enter_events(actor(&account), vec![Event::Config { what: word.into() }])?;
        Ok(Answer::RestoreDone(done))
    }

    /// The first person, if the account is still open.
    fn account_of_text(&self, id: &str) -> Result<Option<Account>, KeeperError> {
        let accounts = self.parts.registry.accounts().map_err(failed)?;
        Ok(accounts.into_iter().find(|account| account.id.to_string() == id && !account.disabled))
    }
}

fn is_administrator(account: &Account) -> bool {
    account.role == Role::Administrator.name()
}
