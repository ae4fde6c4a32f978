//! The operations of a keyring, and the one way they are decided for every custodian.

use crate::{
    Condemned, Custodian, Destroyed, HoldKey, KeyringError, LedgerHead, Month, Page, Result, Which, contents::Contents,
};
use domain::{CameraId, HoldId, Hour, Random, Secret32, UtcMicros};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// What is known about a page without opening it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HourSummary {
    pub hour: Hour,
    /// The first deadline of its cameras.
    pub earliest: UtcMicros,
    /// Cameras and deadlines; empty where the page is damaged in every copy.
    pub cameras: BTreeMap<CameraId, UtcMicros>,
}

impl HourSummary {
    /// `None` for a page without cameras: such a page is never kept.
    pub(crate) fn of(page: &Page) -> Option<HourSummary> {
        Some(HourSummary { hour: page.hour, earliest: page.earliest()?, cameras: page.deadlines() })
    }
}

/// A custodian of keys. Every change is durable when its call returns `Ok`; after an error it may or may not have happened,
/// and repeating the call is right.
pub trait Keyring: Send + Sync {
    /// Makes keys for cameras that have none in `hour`; an existing key never changes, its deadline only shrinks.
    fn add(&self, hour: Hour, cameras: &[(CameraId, UtcMicros)]) -> Result<()>;
    /// The keys of an hour, condemned cameras left out; `None` where nothing is left.
    fn page(&self, hour: Hour) -> Result<Option<Page>>;
    /// Every hour that still has a key, condemned or not, in order of time.
    fn hours(&self) -> Vec<HourSummary>;
    /// Moves a deadline earlier; a later one is ignored (K7).
    fn shorten(&self, hour: Hour, camera: CameraId, deadline: UtcMicros) -> Result<()>;
    /// Records that keys must die: none of them is given out or made again (K10 step 2).
    fn condemn(&self, hour: Hour, which: &Which) -> Result<()>;
    /// Condemnations whose tombstone is not entered yet.
    fn condemned(&self) -> Vec<Condemned>;
    /// Destroys keys on every copy, reads back, overwrites what held them (K10 step 3). Repeating it is right: keys that
    /// are dead already stay dead, and copies that came back confirm.
    fn destroy(&self, hour: Hour, which: &Which) -> Result<Destroyed>;
    /// Drops an hour's condemnations, after their tombstone (K10 step 6).
    fn forget_condemned(&self, hour: Hour) -> Result<()>;
    fn ledger_head(&self) -> LedgerHead;
    fn set_ledger_head(&self, head: LedgerHead) -> Result<()>;
    /// Seed of the site's Ed25519 key (R5).
    fn site_key(&self) -> Secret32;
    /// Seals camera credentials (K13).
    fn config_key(&self) -> Secret32;
    /// Seals the ledger's details of a month; made when missing (L2).
    fn log_key(&self, month: Month) -> Result<Secret32>;
    /// The same for reading: none is made. `None` for a month that never had one; an error for one whose key was destroyed.
    fn log_key_to_read(&self, month: Month) -> Result<Option<Secret32>>;
    /// The months that have a log key.
    fn log_months(&self) -> Vec<Month>;
    /// Destroys a month's log key as [`Keyring::destroy`] does; none is made for that month again.
    fn destroy_log_key(&self, month: Month) -> Result<Destroyed>;
    /// Makes keys for hours of a hold that have none; a key that is there stays, and dies when it was to (K12).
    fn add_hold(&self, hold: HoldId, hours: &[(Hour, UtcMicros)]) -> Result<()>;
    /// Lets every key of a hold live until then, if it would die before: its paper has come.
    fn keep_hold(&self, hold: HoldId, until: UtcMicros) -> Result<()>;
    /// Every key of every hold.
    fn holds(&self) -> BTreeMap<(HoldId, Hour), HoldKey>;
    /// Destroys keys of a hold as [`Keyring::destroy`] does.
    fn destroy_hold(&self, hold: HoldId, hours: &BTreeSet<Hour>) -> Result<Destroyed>;
    fn custodian(&self) -> Custodian;
    /// Takes back copies that were away: rolls them forward, overwrites what they held. A copy that still cannot be used
    /// stays away, with its reason in the answer.
    fn rejoin(&self) -> Result<Custodian>;
    /// Gives up a copy that is away; the decision of two persons is the caller's to check (K2).
    fn write_off(&self, copy: usize) -> Result<Custodian>;
    /// Makes a new copy in the empty folder of one that was written off.
    fn replace(&self, copy: usize) -> Result<Custodian>;

    /// Whether every copy that counts has confirmed every destruction.
    fn confirmed(&self) -> bool {
        self.custodian().confirmed()
    }
}

/// What a change does to pages.
pub enum PageChange {
    None,
    Put(Page),
    Drop(Hour),
}

/// One custodian's way of keeping: everything that [`Ring`] decides goes through here.
pub trait Custody: Send {
    fn contents(&self) -> &Contents;
    /// Earliest deadline and cameras of every page.
    fn summaries(&self) -> &BTreeMap<Hour, HourSummary>;
    fn page(&self, hour: Hour) -> Result<Option<Page>>;
    /// Before any change: there is a copy to write to.
    fn ready(&mut self) -> Result<()>;
    /// The generation that the next `keep` or `erase` will have.
    fn next_generation(&self) -> u64;
    /// Makes a change durable on every copy that can be used.
    fn keep(&mut self, contents: Contents, pages: PageChange) -> Result<()>;
    /// As `keep`, and leaves nothing that held what the change dropped.
    fn erase(&mut self, contents: Contents, pages: PageChange) -> Result<()>;
    fn custodian(&self) -> Custodian;
    fn rejoin(&mut self) -> Result<()>;
    fn write_off(&mut self, copy: usize) -> Result<()>;
    fn replace(&mut self, copy: usize) -> Result<()>;
}

/// The rules of a keyring over any custody.
pub struct Ring<C> {
    custody: Mutex<C>,
    random: Arc<dyn Random>,
}

impl<C: Custody> Ring<C> {
    pub fn over(custody: C, random: Arc<dyn Random>) -> Ring<C> {
        Ring { custody: Mutex::new(custody), random }
    }

    fn lock(&self) -> MutexGuard<'_, C> {
        // custody changes its memory only after the disk said yes, so a panic elsewhere leaves it whole
        self.custody.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ready(&self) -> Result<MutexGuard<'_, C>> {
        let mut custody = self.lock();
        custody.ready()?;
        Ok(custody)
    }
}

impl<C: Custody> Keyring for Ring<C> {
    fn add(&self, hour: Hour, cameras: &[(CameraId, UtcMicros)]) -> Result<()> {
        let mut custody = self.ready()?;
        if cameras.iter().any(|(camera, _)| custody.contents().is_condemned(hour, *camera)) {
            return Err(KeyringError::HourCondemned { hour });
        }
        let mut page = match custody.page(hour)? {
            Some(page) => page,
            None => Page::draw(hour, &*self.random),
        };
        if !page.add(cameras, &*self.random) {
            return Ok(());
        }
        let contents = custody.contents().clone();
        custody.keep(contents, PageChange::Put(page))
    }

    fn page(&self, hour: Hour) -> Result<Option<Page>> {
        let custody = self.lock();
        let Some(mut page) = custody.page(hour)? else {
            return Ok(None);
        };
        page.cameras.retain(|camera, _| !custody.contents().is_condemned(hour, *camera));
        Ok(if page.cameras.is_empty() { None } else { Some(page) })
    }

    fn hours(&self) -> Vec<HourSummary> {
        self.lock().summaries().values().cloned().collect()
    }

    fn shorten(&self, hour: Hour, camera: CameraId, deadline: UtcMicros) -> Result<()> {
        let mut custody = self.ready()?;
        let page = custody.page(hour)?.filter(|page| page.cameras.contains_key(&camera));
        let Some(mut page) = page else {
            return Err(KeyringError::CameraMissing { hour });
        };
        if !page.shorten(camera, deadline) {
            return Ok(());
        }
        let contents = custody.contents().clone();
        custody.keep(contents, PageChange::Put(page))
    }

    fn condemn(&self, hour: Hour, which: &Which) -> Result<()> {
        let mut custody = self.ready()?;
        if custody.contents().condemnation(hour, which).is_some() {
            return Ok(());
        }
        let mut contents = custody.contents().clone();
        contents.condemn(hour, which);
        custody.keep(contents, PageChange::None)
    }

    fn condemned(&self) -> Vec<Condemned> {
        self.lock().contents().condemned.clone()
    }

    fn destroy(&self, hour: Hour, which: &Which) -> Result<Destroyed> {
        let mut custody = self.ready()?;
        let (pages, keys) = without_keys(&*custody, hour, which)?;
        let generation = custody.next_generation();
        let mut contents = custody.contents().clone();
        contents.mark_destroyed(hour, which, generation);
        let first = contents.condemnation(hour, which).and_then(|entry| entry.destroyed_by);
        custody.erase(contents, pages)?;
        Ok(Destroyed { generation: first.unwrap_or(generation), keys, custodian: custody.custodian() })
    }

    fn forget_condemned(&self, hour: Hour) -> Result<()> {
        let mut custody = self.ready()?;
        let mut contents = custody.contents().clone();
        if contents.condemned.iter().any(|entry| entry.hour == hour && entry.destroyed_by.is_none()) {
            return Err(KeyringError::NotDestroyed { hour });
        }
        contents.condemned.retain(|entry| entry.hour != hour);
        if contents == *custody.contents() {
            return Ok(());
        }
        custody.keep(contents, PageChange::None)
    }

    fn ledger_head(&self) -> LedgerHead {
        self.lock().contents().ledger_head
    }

    fn set_ledger_head(&self, head: LedgerHead) -> Result<()> {
        let mut custody = self.ready()?;
        let mut contents = custody.contents().clone();
        contents.ledger_head = head;
        custody.keep(contents, PageChange::None)
    }

    fn site_key(&self) -> Secret32 {
        self.lock().contents().site_key.clone()
    }

    fn config_key(&self) -> Secret32 {
        self.lock().contents().config_key.clone()
    }

    fn log_key(&self, month: Month) -> Result<Secret32> {
        let known = self.lock().contents().log_keys.get(&month).cloned();
        if let Some(key) = known {
            return Ok(key);
        }
        let mut custody = self.ready()?;
        let mut contents = custody.contents().clone();
        if contents.dead_months.contains(&month) {
            return Err(KeyringError::LogKeyDestroyed { month: month.yyyymm() });
        }
        let key = contents.log_keys.entry(month).or_insert_with(|| Secret32::draw(&*self.random)).clone();
        custody.keep(contents, PageChange::None)?;
        Ok(key)
    }

    fn log_key_to_read(&self, month: Month) -> Result<Option<Secret32>> {
        let custody = self.lock();
        let contents = custody.contents();
        if contents.dead_months.contains(&month) {
            return Err(KeyringError::LogKeyDestroyed { month: month.yyyymm() });
        }
        Ok(contents.log_keys.get(&month).cloned())
    }

    fn log_months(&self) -> Vec<Month> {
        self.lock().contents().log_keys.keys().copied().collect()
    }

    fn destroy_log_key(&self, month: Month) -> Result<Destroyed> {
        let mut custody = self.ready()?;
        let mut contents = custody.contents().clone();
        let keys = usize::from(contents.log_keys.remove(&month).is_some());
        contents.dead_months.insert(month);
        let generation = custody.next_generation();
        custody.erase(contents, PageChange::None)?;
        Ok(Destroyed { generation, keys, custodian: custody.custodian() })
    }

    fn add_hold(&self, hold: HoldId, hours: &[(Hour, UtcMicros)]) -> Result<()> {
        let mut custody = self.ready()?;
        let mut contents = custody.contents().clone();
        for (hour, dies) in hours {
            let fresh = || HoldKey { key: Secret32::draw(&*self.random), dies: *dies };
            contents.holds.entry((hold, *hour)).or_insert_with(fresh);
        }
        if contents == *custody.contents() {
            return Ok(());
        }
        custody.keep(contents, PageChange::None)
    }

    fn keep_hold(&self, hold: HoldId, until: UtcMicros) -> Result<()> {
        let mut custody = self.ready()?;
        let mut contents = custody.contents().clone();
        for ((of, _), key) in &mut contents.holds {
            if *of == hold {
                key.dies = key.dies.max(until);
            }
        }
        if contents == *custody.contents() {
            return Ok(());
        }
        custody.keep(contents, PageChange::None)
    }

    fn holds(&self) -> BTreeMap<(HoldId, Hour), HoldKey> {
        self.lock().contents().holds.clone()
    }

    fn destroy_hold(&self, hold: HoldId, hours: &BTreeSet<Hour>) -> Result<Destroyed> {
        let mut custody = self.ready()?;
        let mut contents = custody.contents().clone();
        contents.holds.retain(|(of, hour), _| *of != hold || !hours.contains(hour));
        let keys = custody.contents().holds.len() - contents.holds.len();
        let generation = custody.next_generation();
        custody.erase(contents, PageChange::None)?;
        Ok(Destroyed { generation, keys, custodian: custody.custodian() })
    }

    fn custodian(&self) -> Custodian {
        self.lock().custodian()
    }

    fn rejoin(&self) -> Result<Custodian> {
        let mut custody = self.lock();
        custody.rejoin()?;
        Ok(custody.custodian())
    }

    fn write_off(&self, copy: usize) -> Result<Custodian> {
        let mut custody = self.ready()?;
        custody.write_off(copy)?;
        Ok(custody.custodian())
    }

    fn replace(&self, copy: usize) -> Result<Custodian> {
        let mut custody = self.ready()?;
        custody.replace(copy)?;
        Ok(custody.custodian())
    }
}

/// The page as it must be once the keys that `which` names are dead, and how many those are.
fn without_keys(custody: &impl Custody, hour: Hour, which: &Which) -> Result<(PageChange, usize)> {
    let Some(summary) = custody.summaries().get(&hour) else {
        return Ok((PageChange::None, 0));
    };
    if *which == Which::All {
        // by its summary: a page that is damaged in every copy must die too
        return Ok((PageChange::Drop(hour), summary.cameras.len()));
    }
    let Some(mut page) = custody.page(hour)? else {
        return Ok((PageChange::None, 0));
    };
    match page.drop_keys(which) {
        0 => Ok((PageChange::None, 0)),
        keys if page.cameras.is_empty() => Ok((PageChange::Drop(hour), keys)),
        keys => Ok((PageChange::Put(page), keys)),
    }
}
