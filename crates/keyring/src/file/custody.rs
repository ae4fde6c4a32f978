//! Keeping over two copies: each change is a new generation on every copy; a copy that fails is away until it rejoins.
//!
//! Generation n stands in slot n mod 2 of each copy, so writing n+1 never touches n. A change is one new generation. A
//! destruction is two with the same contents: n+1 without the dead key, then n+2 over the slot that held n (K2). Where there
//! is a token, both are sealed under a new object of it, and the old one is destroyed after them.

use super::{
    copy::{CopyFolder, Marked, WhenMissing},
    page_file,
    root::{PageEntry, Root},
    seal::{RootKey, RootSeal},
    sealing::NONCE_BYTES,
    slot::Slot,
};
use crate::{
    Away, CopyState, CopyStatus, Custodian, CustodianKind, HourSummary, KeyringError, Page, Result,
    contents::Contents,
    ring::{Custody, PageChange},
};
use domain::{Hour, Random, Secret32, SiteId};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
};

type Table = BTreeMap<Hour, PageEntry>;

pub struct FileCustody {
    random: Arc<dyn Random>,
    site: SiteId,
    seal: RootSeal,
    /// The newest root that at least one copy confirmed.
    root: Root,
    /// The highest generation ever written, confirmed or not: a number is never used for two contents.
    tried: u64,
    summaries: BTreeMap<Hour, HourSummary>,
    copies: [CopyFolder; 2],
    states: [CopyState; 2],
    residual: BTreeSet<PathBuf>,
}

impl FileCustody {
    /// A custody that has read `root` and uses no copy yet.
    pub fn new(
        random: Arc<dyn Random>,
        site: SiteId,
        seal: RootSeal,
        root: Root,
        copies: [CopyFolder; 2],
    ) -> FileCustody {
        let states = [0, 1].map(|copy| match root.contents.written_off.contains(&copy) {
            true => CopyState::WrittenOff,
            false => CopyState::Away(Away::FolderMissing),
        });
        let tried = root.generation;
        let (summaries, residual) = (BTreeMap::new(), BTreeSet::new());
        FileCustody { random, site, seal, root, tried, summaries, copies, states, residual }
    }

    /// Fills both slots of every folder, then marks them; the first that fails ends it, before anything is marked, and nothing
    /// stays in the token.
    pub fn initialise(&mut self) -> Result<()> {
        if let Err(error) = self.fill() {
            self.seal.abandon()?;
            return Err(error);
        }
        for copy in &self.copies {
            if let Err(reason) = copy.write_marker(self.site) {
                if self.copies.iter().all(|copy| copy.marked(self.site) == Ok(Marked::Missing)) {
                    self.seal.abandon()?;
                }
                return Err(KeyringError::CopyFailed { path: copy.path().to_owned(), reason });
            }
        }
        Ok(())
    }

    fn fill(&mut self) -> Result<()> {
        self.states = [CopyState::Present, CopyState::Present];
        let mut fresh = self.seal.make(self.next_generation(), &*self.random);
        if let (None, Some(fault)) = (&fresh, self.seal.fault()) {
            return Err(KeyringError::Token(fault.clone()));
        }
        for _slot in 0..2 {
            self.commit(fresh.take(), self.root.contents.clone(), Table::new(), WhenMissing::Create)?;
            for (copy, state) in self.copies.iter().zip(&self.states) {
                if let CopyState::Away(reason) = state {
                    return Err(KeyringError::CopyFailed { path: copy.path().to_owned(), reason: reason.clone() });
                }
            }
        }
        self.seal.settle(true);
        self.seal.fault().map_or(Ok(()), |fault| Err(KeyringError::Token(fault.clone())))
    }

    /// Reads what every page says about deadlines.
    pub fn load_summaries(&mut self) {
        for (hour, entry) in &self.root.table {
            let read = self.read_page(*hour, entry).as_ref().and_then(HourSummary::of);
            let damaged = HourSummary { hour: *hour, earliest: entry.earliest, cameras: BTreeMap::new() };
            self.summaries.insert(*hour, read.unwrap_or(damaged));
        }
    }

    /// Takes copies in, and a token that was away: 1 folders · 2 pages they lack · 3 a new object in the token · 4 and 5 the root
    /// twice, so that nothing older is left in any slot · 6 old objects die · 7 marker · 8 remove files of dead pages.
    fn join(&mut self, joining: &[usize]) -> Result<()> {
        let mut contents = self.root.contents.clone();
        for copy in joining {
            let prepared = self.copies[*copy].create_folders().and_then(|()| self.bring_pages(*copy)); // 1, 2
            self.states[*copy] = match prepared {
                Ok(()) => CopyState::Present,
                Err(away) => CopyState::Away(away),
            };
            contents.written_off.remove(copy);
        }
        // a device that is only a mount point now must not be taken for a new copy
        let when_missing = if joining.is_empty() { WhenMissing::Fail } else { WhenMissing::Create };
        let fresh = self.seal.make(self.next_generation(), &*self.random); // 3
        let is_fresh = fresh.is_some();
        self.commit(fresh, contents.clone(), self.root.table.clone(), when_missing)?; // 4
        self.commit(None, contents, self.root.table.clone(), when_missing)?; // 5
        self.settle(is_fresh); // 6
        let site = self.site;
        self.on_present(|copy| match copy.marked(site)? {
            Marked::Ours => Ok(()),
            Marked::Later(version) => Err(Away::LaterVersion { version }),
            _ => copy.write_marker(site), // 7
        })?;
        self.sweep(); // 8
        Ok(())
    }

    /// Objects die only once a record under a new one was written.
    fn settle(&mut self, is_fresh: bool) {
        if is_fresh {
            let no_copy_is_away = !self.states.iter().any(|state| matches!(state, CopyState::Away(_)));
            self.seal.settle(no_copy_is_away);
        }
    }

    /// Why a folder cannot be taken in, if it cannot.
    fn examine(&self, copy: &CopyFolder) -> std::result::Result<(), Away> {
        if !copy.exists()? {
            return Err(Away::FolderMissing);
        }
        let marked = copy.marked(self.site)?;
        match marked {
            Marked::OtherSite => return Err(Away::OtherSite),
            Marked::Later(version) => return Err(Away::LaterVersion { version }),
            _ => {}
        }
        let slots = copy.slots()?;
        if slots.iter().any(|slot| slot.site != self.site) {
            return Err(Away::OtherSite);
        }
        if slots.iter().any(|slot| slot.kdf != self.seal.kdf) {
            return Err(Away::OtherKeyring);
        }
        let failed = |fault| Away::Token(Box::new(fault));
        for slot in slots.iter().filter(|slot| slot.generation > self.tried) {
            if let Some(version) = self.seal.later_format(slot).map_err(failed)? {
                return Err(Away::LaterVersion { version });
            }
            if self.seal.open(slot).map_err(failed)?.is_some() {
                return Err(Away::Newer);
            }
        }
        match marked {
            // a slot of this keyring is as good as a marker: an interrupted `create` leaves that
            Marked::Missing if slots.is_empty() => Err(Away::MarkerMissing),
            Marked::Unreadable if slots.is_empty() => Err(Away::MarkerUnreadable),
            _ => Ok(()),
        }
    }

    fn bring_pages(&self, copy: usize) -> std::result::Result<(), Away> {
        for (hour, entry) in &self.root.table {
            let name = page_file::name(*hour, entry.generation);
            if self.copies[copy].read_page(&name, &entry.digest).is_some() {
                continue;
            }
            // a page that is damaged everywhere is no fault of this copy
            if let Some(bytes) = self.page_bytes(*hour, entry) {
                self.copies[copy].write_page(&name, &bytes)?;
            }
        }
        Ok(())
    }

    /// Writes a page file on every copy, before any root names it; gives its entry.
    fn write_page(&mut self, page: &Page) -> Result<Option<PageEntry>> {
        let Some(earliest) = page.earliest() else {
            return Ok(None);
        };
        let generation = self.next_generation();
        let key = Secret32::draw(&*self.random);
        let bytes = page_file::seal(self.site, page, generation, &key)?;
        let name = page_file::name(page.hour, generation);
        self.on_present(|copy| copy.write_page(&name, &bytes))?;
        Ok(Some(PageEntry { generation, key, digest: *blake3::hash(&bytes).as_bytes(), earliest }))
    }

    /// The table after a change, its new page written.
    fn staged(&mut self, pages: &PageChange) -> Result<Table> {
        let mut table = self.root.table.clone();
        match pages {
            PageChange::None => {}
            PageChange::Put(page) => {
                if let Some(entry) = self.write_page(page)? {
                    table.insert(page.hour, entry);
                }
            }
            PageChange::Drop(hour) => {
                table.remove(hour);
            }
        }
        Ok(table)
    }

    /// One new generation on every copy that is present, read back; fails only if no copy confirms. Under `fresh`, if it is
    /// given, which is the present key from then on.
    fn commit(
        &mut self,
        fresh: Option<RootKey>,
        contents: Contents,
        table: Table,
        when_missing: WhenMissing,
    ) -> Result<()> {
        let generation = self.next_generation();
        let root = Root { generation, contents, table };
        let mut nonce = [0; NONCE_BYTES];
        self.random.fill(&mut nonce);
        let key = fresh.as_ref().unwrap_or(self.seal.current());
        let bytes = Slot::seal(self.site, &self.seal.kdf, key, nonce, &root)?;
        self.tried = generation;
        self.on_present(|copy| copy.write_slot(generation, &bytes, when_missing))?;
        if let Some(fresh) = fresh {
            self.seal.became(fresh);
        }
        self.root = root;
        Ok(())
    }

    fn summarise(&mut self, pages: PageChange) {
        match pages {
            PageChange::None => {}
            PageChange::Put(page) => {
                if let Some(summary) = HourSummary::of(&page) {
                    self.summaries.insert(page.hour, summary);
                }
            }
            PageChange::Drop(hour) => {
                self.summaries.remove(&hour);
            }
        }
    }

    /// Removes files of pages that the root does not name; what cannot be removed is kept as residual, its key is dead.
    fn sweep(&mut self) {
        let names = self.root.table.iter().map(|(hour, entry)| page_file::name(*hour, entry.generation)).collect();
        let mut residual = BTreeSet::new();
        for (copy, state) in self.copies.iter().zip(&mut self.states) {
            if *state != CopyState::Present {
                residual.extend(self.residual.iter().filter(|path| path.starts_with(copy.path())).cloned());
                continue;
            }
            match copy.sweep(&names) {
                Ok(left) => residual.extend(left),
                Err(away) => *state = CopyState::Away(away),
            }
        }
        self.residual = residual;
    }

    /// Does something on every copy that is present; one that fails is away from now on. An error if none is left.
    fn on_present(&mut self, act: impl Fn(&CopyFolder) -> std::result::Result<(), Away>) -> Result<()> {
        for (copy, state) in self.copies.iter().zip(&mut self.states) {
            if *state == CopyState::Present
                && let Err(away) = act(copy)
            {
                *state = CopyState::Away(away);
            }
        }
        if self.states.contains(&CopyState::Present) { Ok(()) } else { Err(self.no_copy()) }
    }

    fn page_bytes(&self, hour: Hour, entry: &PageEntry) -> Option<Vec<u8>> {
        let name = page_file::name(hour, entry.generation);
        let (present, others): (Vec<_>, Vec<_>) =
            self.copies.iter().zip(&self.states).partition(|(_, state)| **state == CopyState::Present);
        // present ones first: a device that is away may answer late
        present.iter().chain(&others).find_map(|(copy, _)| copy.read_page(&name, &entry.digest))
    }

    fn read_page(&self, hour: Hour, entry: &PageEntry) -> Option<Page> {
        page_file::open(self.site, hour, entry, &self.page_bytes(hour, entry)?)
    }

    fn no_copy(&self) -> KeyringError {
        let [first, second] = &self.copies;
        KeyringError::NoCopy {
            first: first.path().to_owned(),
            first_reason: reason(&self.states[0]),
            second: second.path().to_owned(),
            second_reason: reason(&self.states[1]),
        }
    }

    fn state(&self, copy: usize) -> Result<&CopyState> {
        self.states.get(copy).ok_or(KeyringError::CopyUnknown { copy })
    }
}

impl Custody for FileCustody {
    fn contents(&self) -> &Contents {
        &self.root.contents
    }

    fn summaries(&self) -> &BTreeMap<Hour, HourSummary> {
        &self.summaries
    }

    fn page(&self, hour: Hour) -> Result<Option<Page>> {
        match self.root.table.get(&hour) {
            None => Ok(None),
            Some(entry) => self.read_page(hour, entry).map(Some).ok_or(KeyringError::PageDamaged { hour }),
        }
    }

    fn ready(&mut self) -> Result<()> {
        if self.states.contains(&CopyState::Present) { Ok(()) } else { self.rejoin() }
    }

    /// After a failed try the number skips by two: the slot of the newest confirmed generation is never the one written.
    fn next_generation(&self) -> u64 {
        let next = self.tried + 1;
        if next % 2 == self.root.generation % 2 { next + 1 } else { next }
    }

    /// 1 new page file on every copy, read back · 2 root n+1 on every copy, read back · 3 remove files of replaced pages. The
    /// token is not needed, only looked at: recording goes on without it.
    fn keep(&mut self, contents: Contents, pages: PageChange) -> Result<()> {
        self.seal.look();
        let table = self.staged(&pages)?; // 1
        self.commit(None, contents, table, WhenMissing::Fail)?; // 2
        let replaces = !matches!(pages, PageChange::None);
        self.summarise(pages);
        if replaces {
            self.sweep(); // 3
        }
        Ok(())
    }

    /// 1 new page file, if some keys stay · 2 a new object in the token, where there is one · 3 root n+1 on every copy, read
    /// back · 4 root n+2 over the slots that held n, read back · 5 the old object dies: no older copy of any file opens · 6 remove
    /// the dead page's files. Without its token 3 and 4 are written under the old object; 2 to 5 follow when it returns.
    fn erase(&mut self, contents: Contents, pages: PageChange) -> Result<()> {
        let table = self.staged(&pages)?; // 1
        let fresh = self.seal.make(self.next_generation(), &*self.random); // 2
        let is_fresh = fresh.is_some();
        self.commit(fresh, contents.clone(), table.clone(), WhenMissing::Fail)?; // 3
        self.summarise(pages);
        self.commit(None, contents, table, WhenMissing::Fail)?; // 4
        self.settle(is_fresh); // 5
        self.sweep(); // 6
        Ok(())
    }

    fn custodian(&self) -> Custodian {
        let copies = self.copies.iter().zip(&self.states);
        let copies = copies
            .map(|(copy, state)| CopyStatus { path: Some(copy.path().to_owned()), state: state.clone() })
            .collect();
        let (token, residual) = (self.seal.status(), self.residual.iter().cloned().collect());
        let kind = match &token {
            None => CustodianKind::File,
            Some(token) if token.is_hardware => CustodianKind::Pkcs11Device,
            Some(_) => CustodianKind::Pkcs11Software,
        };
        Custodian { kind, copies, token, residual }
    }

    fn rejoin(&mut self) -> Result<()> {
        let mut joining = Vec::new();
        for copy in 0..self.copies.len() {
            if self.states[copy] == CopyState::Present {
                continue;
            }
            match self.examine(&self.copies[copy]) {
                Ok(()) => joining.push(copy),
                Err(_) if self.states[copy] == CopyState::WrittenOff => {}
                Err(away) => self.states[copy] = CopyState::Away(away),
            }
        }
        let is_any_present = self.states.contains(&CopyState::Present);
        if !joining.is_empty() || (is_any_present && self.seal.answers_again()) {
            return self.join(&joining);
        }
        self.sweep();
        if self.states.contains(&CopyState::Present) { Ok(()) } else { Err(self.no_copy()) }
    }

    fn write_off(&mut self, copy: usize) -> Result<()> {
        match self.state(copy)? {
            CopyState::Away(_) => {}
            CopyState::WrittenOff => return Ok(()),
            CopyState::Present => return Err(KeyringError::CopyState { copy, state: "present" }),
        }
        let mut contents = self.root.contents.clone();
        contents.written_off.insert(copy);
        self.commit(None, contents, self.root.table.clone(), WhenMissing::Fail)?;
        self.states[copy] = CopyState::WrittenOff;
        Ok(())
    }

    fn replace(&mut self, copy: usize) -> Result<()> {
        match self.state(copy)? {
            CopyState::WrittenOff => {}
            CopyState::Away(_) => return Err(KeyringError::CopyState { copy, state: "away" }),
            CopyState::Present => return Err(KeyringError::CopyState { copy, state: "present" }),
        }
        match self.examine(&self.copies[copy]) {
            Ok(()) | Err(Away::FolderMissing | Away::MarkerMissing) => self.join(&[copy])?,
            Err(reason) => return Err(self.copy_failed(copy, reason)),
        }
        match &self.states[copy] {
            CopyState::Present => Ok(()),
            other => {
                // a folder that took nothing is no copy: it stays written off, and two persons need not say so again
                let reason = reason(other);
                self.write_off(copy)?;
                Err(self.copy_failed(copy, reason))
            }
        }
    }
}

impl FileCustody {
    fn copy_failed(&self, copy: usize, reason: Away) -> KeyringError {
        KeyringError::CopyFailed { path: self.copies[copy].path().to_owned(), reason }
    }
}

fn reason(state: &CopyState) -> Away {
    match state {
        CopyState::Away(away) => away.clone(),
        CopyState::WrittenOff => Away::Failed { what: "it was written off".to_owned() },
        CopyState::Present => Away::Failed { what: "it did not confirm".to_owned() },
    }
}
