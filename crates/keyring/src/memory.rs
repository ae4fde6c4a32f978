//! A keyring in the memory of one process, for tests of what stands above.

use crate::{
    CopyState, CopyStatus, Custodian, CustodianKind, HourSummary, KeyringError, Page, Result,
    contents::Contents,
    ring::{Custody, PageChange, Ring},
};
use domain::{Hour, Random};
use std::{collections::BTreeMap, sync::Arc};

/// See the module.
pub type MemoryKeyring = Ring<Memory>;

impl MemoryKeyring {
    /// An empty keyring with new site and config keys.
    pub fn new(random: Arc<dyn Random>) -> MemoryKeyring {
        let memory = Memory {
            generation: 1,
            contents: Contents::draw(&*random),
            pages: BTreeMap::new(),
            summaries: BTreeMap::new(),
        };
        Ring::over(memory, random)
    }
}

pub struct Memory {
    generation: u64,
    contents: Contents,
    pages: BTreeMap<Hour, Page>,
    summaries: BTreeMap<Hour, HourSummary>,
}

impl Custody for Memory {
    fn contents(&self) -> &Contents {
        &self.contents
    }

    fn summaries(&self) -> &BTreeMap<Hour, HourSummary> {
        &self.summaries
    }

    fn page(&self, hour: Hour) -> Result<Option<Page>> {
        Ok(self.pages.get(&hour).cloned())
    }

    fn ready(&mut self) -> Result<()> {
        Ok(())
    }

    fn next_generation(&self) -> u64 {
        self.generation + 1
    }

    fn keep(&mut self, contents: Contents, pages: PageChange) -> Result<()> {
        self.generation += 1;
        self.contents = contents;
        match pages {
            PageChange::None => {}
            PageChange::Put(page) => {
                if let Some(summary) = HourSummary::of(&page) {
                    self.summaries.insert(page.hour, summary);
                }
                self.pages.insert(page.hour, page);
            }
            PageChange::Drop(hour) => {
                self.summaries.remove(&hour);
                self.pages.remove(&hour);
            }
        }
        Ok(())
    }

    fn erase(&mut self, contents: Contents, pages: PageChange) -> Result<()> {
        self.keep(contents, pages)
    }

    fn custodian(&self) -> Custodian {
        let copies = vec![CopyStatus { path: None, state: CopyState::Present }];
        Custodian { kind: CustodianKind::Memory, copies, token: None, residual: Vec::new() }
    }

    fn rejoin(&mut self) -> Result<()> {
        Ok(())
    }

    fn write_off(&mut self, copy: usize) -> Result<()> {
        Err(match copy {
            0 => KeyringError::CopyState { copy, state: "present" },
            _ => KeyringError::CopyUnknown { copy },
        })
    }

    fn replace(&mut self, copy: usize) -> Result<()> {
        self.write_off(copy)
    }
}
