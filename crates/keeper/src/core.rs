//! The keeper in one process: what it holds, how it opens, what time it believes, how it writes to the ledger.

use crate::{
    accounts::{Flows, OidcSettings, Passkeys, Throttle},
    acts::KnownActs,
    cameras::Probes,
    clocks::{Machine, Memory},
    copies::WritingOff,
    destroy::FreedSpace,
    exports::Places,
    facts::Told,
    fates::{Fates, History},
    forget::Forgetting,
    gate::Permits,
    glass::Glasses,
    holds::Holds,
    journal::{Journal, JournalError, LogKeyError, LogKeys},
    law::{InForce, LawSeen},
    lawful::Lawful,
    links::LinkBook,
    reasons::Reasons,
    rebuild::Rebuilds,
    requisitions::Numbers,
    restored::RegistryBook,
    room::Room,
    scans::Upload,
    shorten::Shortenings,
    trace::Trace,
    wire::Finding,
};
use aws_lc_rs::hmac;
use catalog::{CatalogError, Registry};
use domain::{Clock, Hour, HourLength, Random, RunId, Secret32, SiteId, UtcMicros, limit::HOLD_DAYS};
use keyring::{Keyring, KeyringError};
use ledger::{Actor, Checkpoint, Digest, Entry, Event, LogId, Month};
use policy::LawError;
use seal::sign::SigningKey;
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicI64, AtomicU32},
    },
};
use tracing::warn;
use vault::{KeeperError, audit::Books};

/// What a keeper is made of.
pub struct KeeperParts {
    pub site: SiteId,
    pub hour_length: HourLength,
    /// In simulations a day of delay lasts this many seconds; the product leaves it out and counts days.
    pub seconds_per_day: Option<i64>,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<dyn Random>,
    pub keyring: Arc<dyn Keyring>,
    pub journal: Journal,
    pub registry: Registry,
    /// Whose law packs are taken; the product pins [`policy::law::signature::PUBLISHERS`].
    pub publishers: &'static [&'static str],
    /// A session that nobody touches ends after so long.
    pub session_idle_seconds: i64,
    /// The console's address as browsers name it: passkeys are bound to it.
    pub address: String,
    /// The provider by which people may sign in; none: by Vigie's own accounts only.
    pub oidc: Option<OidcSettings>,
    /// How many months the ledger's details stay readable after their month, 12 to 36 (L2).
    pub log_retention_months: u32,
    /// Where the passphrase came from, for `status` (P9).
    pub passphrase_from: String,
    pub version: String,
    /// Known at the start and worth telling, such as both copies of the keyring on one device.
    pub findings: Vec<Finding>,
}

/// The keeper.
pub struct KeeperCore {
    pub(crate) parts: KeeperParts,
    pub(crate) site_key: SigningKey,
    pub(crate) permit_key: hmac::Key,
    pub(crate) law: RwLock<InForce>,
    pub(crate) moving: Mutex<Moving>,
    /// Held while keys come to life or die, and while facts about them are entered.
    changing_keys: Mutex<()>,
    /// One password at a time: each takes 19 MiB and two passes, and a stranger may send many.
    pub(crate) hashing: Mutex<()>,
    pub(crate) passkeys: Passkeys,
    pub(crate) oidc: Flows,
    /// Held while break-glass opens or ends: what is entered as opened is open, or is over.
    pub(crate) glassing: Mutex<()>,
    /// Held while a requisition gets its number.
    registering: Mutex<()>,
    /// Held while a link is judged and what comes of it is entered: two visits at once are two.
    linking: Mutex<()>,
    /// Held while what may record is found and entered.
    pub(crate) following: Mutex<()>,
    /// Held while a backup is taken or handed out.
    pub(crate) backing_up: Mutex<()>,
    /// The town's own minimum delay; an order may demand a longer one.
    pub(crate) minimum_hours: AtomicU32,
    /// How long held footage waits to be collected.
    pub(crate) hold_days: AtomicI64,
}

/// What changes while the keeper lives. Nothing is waited for while it is locked.
pub(crate) struct Moving {
    pub time: Memory,
    pub permits: Permits,
    pub reasons: Reasons,
    pub fates: Fates,
    pub forgetting: Forgetting,
    pub told: Told,
    /// What the ledger tells of accounts, cameras and papers.
    pub registry: RegistryBook,
    /// Delays that shall become shorter.
    pub shortenings: Shortenings,
    /// Whether the store runs out of room.
    pub room: Room,
    /// One person's word that a copy of the keyring does not come back.
    pub writing_off: Option<WritingOff>,
    /// Numbers of the register of requisitions.
    pub numbers: Numbers,
    /// Where evidence finds its entries.
    pub places: Places,
    pub holds: Holds,
    pub links: LinkBook,
    /// Where reviews find what they tell.
    pub trace: Trace,
    pub law: LawSeen,
    pub glass: Glasses,
    pub probes: Probes,
    pub rebuilds: Rebuilds,
    /// Of a verification under way.
    pub books: Option<Arc<Books>>,
    pub cameras_version: u64,
    /// Papers as the registry has them; none after a change, until they are asked for.
    pub acts: Option<KnownActs>,
    pub lawful: Lawful,
    pub upload: Option<Upload>,
    pub recorder: Recorder,
    pub checkpoint: Option<(u64, UtcMicros)>,
    pub throttle: Throttle,
    /// Space that the recorder freed and whose tombstone is not entered yet.
    pub freed: BTreeMap<Hour, FreedSpace>,
    /// The minute whose turn was last worked on (L4).
    pub minute: i64,
    /// Why the journal takes no entry any more until it is opened again.
    pub journal_broken: Option<String>,
    /// When destruction last went through all hours.
    pub destruction_turned: Option<domain::world::BootMicros>,
    /// That the reserve is in use, and the keyring knows how far the ledger reaches.
    pub reserve_is_noted: bool,
}

/// What the keeper knows of its recorder.
#[derive(Default)]
pub(crate) struct Recorder {
    pub run: Option<RunId>,
    pub health: String,
    pub seen: Option<UtcMicros>,
}

/// Why a keeper does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    #[error(transparent)]
    Registry(#[from] CatalogError),
    #[error(transparent)]
    Law(#[from] LawError),
    #[error(
        "the keyring knows a ledger of {known} entries, the journal has {entries} or others: an old state was restored; \
         a journal is never restored from backup, open a successor log"
    )]
    OtherLedger { known: u64, entries: u64 },
    #[error(
        "a log of {attested} entries was published and shown to witnesses, the journal has {entries} or others: ledger and keyring \
         were put back together from an old image; a journal is never restored from backup, open a successor log"
    )]
    Attested { attested: u64, entries: u64 },
}

/// The keyring's monthly log keys, for the journal (L2).
pub struct KeyringLogKeys(pub Arc<dyn Keyring>);

impl LogKeys for KeyringLogKeys {
    /// For reading: a key is never made.
    fn month_key(&self, month: Month) -> Result<Secret32, LogKeyError> {
        match self.0.log_key_to_read(of_keyring(month)?) {
            Ok(Some(key)) => Ok(key),
            Ok(None) => {
                let source =
                    "the keyring never had it: an older keyring was restored, or the journal was changed".into();
                Err(LogKeyError::Unavailable { month, source })
            }
            Err(error) => Err(not_handed_out(month, error)),
        }
    }

    fn month_key_to_write(&self, month: Month) -> Result<Secret32, LogKeyError> {
        self.0.log_key(of_keyring(month)?).map_err(|error| not_handed_out(month, error))
    }
}

fn not_handed_out(month: Month, error: KeyringError) -> LogKeyError {
    match error {
        KeyringError::LogKeyDestroyed { .. } => LogKeyError::Gone { month },
        error => LogKeyError::Unavailable { month, source: Box::new(error) },
    }
}

pub(crate) fn of_keyring(month: Month) -> Result<keyring::Month, LogKeyError> {
    let named = keyring::Month::new(month.yyyymm());
    named.map_err(|error| LogKeyError::Unavailable { month, source: Box::new(error) })
}

impl KeeperCore {
    /// 1 reads the ledger once · 2 holds it against the head that the keyring remembers (K2) · 3 judges the clocks and
    /// enters that · 4 finishes what a crash left of destructions · 5 holds the registry to the ledger. What fails at 3 to 5 is
    /// worked on again each second.
    pub fn open(parts: KeeperParts) -> Result<KeeperCore, OpenError> {
        let history = History::read(&parts.journal)?; // 1
        hold_against(&*parts.keyring, &parts.journal)?; // 2
        let mut permit_secret = [0; 32];
        parts.random.fill(&mut permit_secret);
        let law = InForce::at_start(&parts, &history.law)?;
        let at_stake = history.fates.has_any() || !parts.keyring.hours().is_empty();
        let mut time = Memory::new(history.last, history.anchor, at_stake, Machine::read(&*parts.clock));
        time.touched = history.touched;
        let core = KeeperCore {
            site_key: SigningKey::from_seed(&parts.keyring.site_key()),
            permit_key: hmac::Key::new(hmac::HMAC_SHA256, &permit_secret),
            law: RwLock::new(law),
            moving: Mutex::new(Moving {
                time,
                permits: Permits::default(),
                reasons: Reasons::default(),
                fates: history.fates,
                forgetting: history.forgetting,
                told: history.told,
                registry: history.registry,
                shortenings: history.shortenings,
                writing_off: None,
                room: Room::default(),
                trace: history.trace,
                numbers: history.numbers,
                places: history.places,
                holds: history.holds,
                links: history.links,
                law: history.law,
                glass: Glasses { book: history.glass, ..Glasses::default() },
                probes: Probes::default(),
                rebuilds: Rebuilds::default(),
                books: None,
                // no number of an earlier keeper's life, which may have named another list
                cameras_version: parts.clock.boot().0.unsigned_abs(),
                acts: None,
                lawful: Lawful::default(),
                upload: None,
                recorder: Recorder::default(),
                checkpoint: None,
                throttle: Throttle::default(),
                freed: BTreeMap::new(),
                minute: 0,
                journal_broken: None,
                destruction_turned: None,
                reserve_is_noted: false,
            }),
            changing_keys: Mutex::new(()),
            hashing: Mutex::new(()),
            passkeys: Passkeys::of(&parts.address, &parts.registry.site().name),
            oidc: Flows::of(parts.oidc.clone()),
            glassing: Mutex::new(()),
            registering: Mutex::new(()),
            linking: Mutex::new(()),
            following: Mutex::new(()),
            backing_up: Mutex::new(()),
            minimum_hours: AtomicU32::new(0),
            hold_days: AtomicI64::new(HOLD_DAYS),
            parts,
        };
        core.moving().minute = core.present_minute();
        let begun = core.enter_clocks().and_then(|()| core.destroy_due()); // 3, 4
        core.hold_registry_at_start(); // 5
        if let Err(error) = begun {
            warn!(%error, "what is due could not be destroyed at the start; it is tried again each second");
        }
        Ok(core)
    }

    pub fn site(&self) -> SiteId {
        self.parts.site
    }

    pub fn journal(&self) -> &Journal {
        &self.parts.journal
    }

    /// Whether the journal refuses everything until it is opened again, after a write whose outcome nobody knows, and would take
    /// entries then: the process ends and is started again. Until then it stays, so that everybody is told why nobody looks.
    pub fn must_restart(&self) -> bool {
        self.is_ledger_away() && self.parts.journal.would_take_entries()
    }

    /// Whether neither the journal nor its reserve takes an entry.
    pub(crate) fn is_ledger_away(&self) -> bool {
        self.moving().journal_broken.is_some()
    }

    /// Enters what one of our programs did, such as its start (L3).
    pub fn enter_event(&self, actor: Actor, event: Event) -> Result<u64, KeeperError> {
        Ok(self.enter_events(actor, vec![event])?.first().copied().unwrap_or_default())
    }

    /// Writes entries to the ledger; they are durable when this returns. Their numbers come back.
    pub(crate) fn enter_events(&self, actor: Actor, events: Vec<Event>) -> Result<Vec<u64>, KeeperError> {
        self.enter_clocks()?;
        let at = self.stamp();
        self.append(events.into_iter().map(|event| Entry::new(at, actor.clone(), event)).collect())
    }

    pub(crate) fn append(&self, entries: Vec<Entry>) -> Result<Vec<u64>, KeeperError> {
        let numbers = self.parts.journal.append(&entries).map_err(|error| self.journal_failed(error))?;
        self.note_keeping();
        let mut moving = self.moving();
        for (entry, number) in entries.iter().zip(&numbers) {
            moving.trace.take(*number, entry);
            moving.numbers.take(entry);
            moving.places.take(*number, entry);
            moving.holds.take(*number, entry);
            moving.links.take(*number, entry);
            moving.fates.take(entry);
            moving.time.touched.take(entry);
            moving.law.take(entry);
            moving.glass.book.take(entry);
            moving.forgetting.take(entry);
            moving.registry.take(*number, entry);
            moving.shortenings.take(entry);
        }
        Ok(numbers)
    }

    /// When the reserve came into use the keyring is told at once how far the ledger reaches: a keeper that starts without the
    /// reserve would go on from the journal's end, and give numbers a second time.
    fn note_keeping(&self) {
        let is_in_use = self.parts.journal.is_on_reserve();
        if is_in_use == self.moving().reserve_is_noted {
            return;
        }
        let head = self.parts.journal.head();
        let head = keyring::LedgerHead { size: head.size, root: head.root.0 };
        match self.parts.keyring.set_ledger_head(head) {
            Ok(()) => self.moving().reserve_is_noted = is_in_use,
            Err(error) => warn!(%error, "the keyring cannot be told that the ledger's reserve is in use"),
        }
    }

    /// Remembers a journal that must be opened again.
    pub(crate) fn journal_failed(&self, error: JournalError) -> KeeperError {
        if matches!(error, JournalError::Unknown { .. } | JournalError::Broken { .. } | JournalError::WriterDied) {
            let what = error.to_string();
            self.moving().journal_broken.get_or_insert(what.clone());
            return KeeperError::LedgerAway { what };
        }
        failed(error)
    }

    pub(crate) fn change_keys(&self) -> MutexGuard<'_, ()> {
        self.changing_keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn registering(&self) -> MutexGuard<'_, ()> {
        self.registering.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn linking(&self) -> MutexGuard<'_, ()> {
        self.linking.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn moving(&self) -> MutexGuard<'_, Moving> {
        self.moving.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The keyring's head is written after each checkpoint, so a journal that is behind it, or does not begin with what it was
/// made of, is an old or another one.
fn hold_against(keyring: &dyn Keyring, journal: &Journal) -> Result<(), OpenError> {
    let known = keyring.ledger_head();
    match journal.begins_with(Checkpoint { size: known.size, root: Digest(known.root) }) {
        Err(JournalError::Behind { .. } | JournalError::Forked { .. }) => {
            Err(OpenError::OtherLedger { known: known.size, entries: journal.size() })
        }
        held => Ok(held?),
    }
}

/// A person's account, as who acts.
pub(crate) fn actor(account: &catalog::Account) -> Actor {
    Actor::Account { id: account.id.to_string(), name: account.name.clone() }
}

/// An error of a part below, as the other processes get it.
pub(crate) fn failed(error: impl std::fmt::Display) -> KeeperError {
    KeeperError::Failed { what: error.to_string() }
}

pub(crate) fn malformed(what: impl Into<String>) -> KeeperError {
    KeeperError::Malformed { what: what.into() }
}

/// What a log of this site is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct SiteLog {
    pub site: SiteId,
    pub log: LogId,
}
