//! What keyring and ledger say of each hour that may live, for `vigie verify` to hold store and catalog against.

use crate::{
    core::{KeeperCore, failed},
    journal::{JournalError, LogKeyError},
    wire::Answer,
};
use domain::{Hour, UtcMicros, limit::MESSAGE_BYTES_MAX};
use keyring::{Keyring, KeyringError};
use ledger::{Entry, Event};
use std::{collections::BTreeMap, sync::Arc};
use vault::{
    KeeperError,
    audit::{Books, HourBook},
    keeper::ReelFact,
};

/// Of an answer's message; the rest is room for its frame.
const PAGE_BYTES_MAX: usize = MESSAGE_BYTES_MAX / 2;

/// Gathers what the ledger says, entry by entry.
#[derive(Default)]
pub struct BookKeeper {
    books: Books,
}

impl BookKeeper {
    pub fn take(&mut self, entry: &Entry) {
        match &entry.event {
            Event::Mint { hour, cameras } => {
                for key in cameras {
                    let book = self.book(*hour);
                    book.deadlines.insert(key.deadline);
                    let known = book.minted.entry(key.camera).or_insert(key.deadline);
                    *known = key.deadline.min(*known);
                }
            }
            Event::Shortened { hour, cameras } => {
                for key in cameras {
                    let known = self.book(*hour).minted.entry(key.camera).or_insert(key.deadline);
                    *known = key.deadline.min(*known);
                }
            }
            Event::Condemned { hour, cameras, .. } | Event::Destroyed { hour, cameras, .. } => {
                self.book(*hour).ended.extend(cameras);
            }
            Event::Reel { reel, run, hour, deadline, root, bytes, streams } => {
                let fact = ReelFact {
                    reel: *reel,
                    run: *run,
                    hour: *hour,
                    deadline: *deadline,
                    root: root.0,
                    bytes: *bytes,
                    streams: u16::try_from(*streams).unwrap_or(u16::MAX),
                };
                let reels = &mut self.book(*hour).reels;
                if !reels.contains(&fact) {
                    reels.push(fact);
                }
            }
            // its ciphertext may lie in free slots until they are used again
            Event::Tombstone { hour, .. } => self.book(*hour).reels.clear(),
            _ => {}
        }
    }

    /// The hours of which something may live at `now`, with what the keyring says of them.
    pub fn finish(mut self, keyring: &dyn Keyring, now: UtcMicros) -> Books {
        for summary in keyring.hours() {
            self.book(summary.hour);
        }
        let alive = |book: &HourBook| {
            let lives = book.minted.keys().any(|camera| !book.ended.contains(camera));
            lives || book.deadlines.iter().any(|deadline| now < *deadline)
        };
        let in_keyring: BTreeMap<Hour, bool> =
            keyring.hours().into_iter().map(|summary| (summary.hour, summary.cameras.is_empty())).collect();
        self.books.retain(|hour, book| alive(book) || in_keyring.contains_key(hour));
        for (hour, book) in &mut self.books {
            match keyring.page(*hour) {
                Ok(page) => {
                    let cameras = page.map(|page| page.cameras).unwrap_or_default();
                    book.keys = cameras.iter().map(|(camera, key)| (*camera, key.deadline)).collect();
                }
                Err(KeyringError::PageDamaged { .. }) => book.page_damaged = true,
                Err(_) => book.page_damaged = in_keyring.get(hour).copied().unwrap_or(false),
            }
        }
        self.books
    }

    fn book(&mut self, hour: Hour) -> &mut HourBook {
        self.books.entry(hour).or_insert_with(|| HourBook {
            hour,
            keys: BTreeMap::new(),
            page_damaged: false,
            minted: BTreeMap::new(),
            deadlines: Default::default(),
            ended: Default::default(),
            reels: Vec::new(),
        })
    }
}

impl KeeperCore {
    /// The books of a verification, hour by hour: those after `after`, as many as a message holds. Without `after` the ledger
    /// is read anew.
    pub(crate) fn audit_hours(&self, after: Option<Hour>) -> Result<Answer, KeeperError> {
        let kept = self.moving().books.clone();
        let books = match (after, kept) {
            (Some(_), Some(books)) => books,
            _ => self.read_books()?,
        };
        let mut hours: Vec<HourBook> = Vec::new();
        let mut bytes = 0;
        let mut rest = books.iter().filter(|(hour, _)| after.is_none_or(|after| after < **hour)).peekable();
        while let Some((_, book)) = rest.peek() {
            let size = postcard::to_stdvec(book).map_err(failed)?.len();
            if !hours.is_empty() && PAGE_BYTES_MAX < bytes + size {
                break;
            }
            bytes += size;
            hours.push((*book).clone());
            rest.next();
        }
        let more = rest.peek().is_some();
        self.moving().books = more.then_some(books.clone());
        Ok(Answer::AuditHours { hours, more, site_key: self.site_key.public(), now: self.stamp() })
    }

    fn read_books(&self) -> Result<Arc<Books>, KeeperError> {
        let (journal, mut keeper) = (self.journal(), BookKeeper::default());
        journal
            .each(0, &mut |sealed| {
                match journal.open_entry(&sealed) {
                    Ok(entry) => keeper.take(&entry),
                    Err(JournalError::Key(LogKeyError::Unavailable { month, source })) => {
                        return Err(LogKeyError::Unavailable { month, source }.into());
                    }
                    Err(error @ JournalError::Entry(_)) => return Err(error),
                    // of a month whose key is dead (L2): long before anything that lives
                    Err(_) => {}
                }
                Ok(())
            })
            .map_err(failed)?;
        Ok(Arc::new(keeper.finish(&*self.parts.keyring, self.stamp())))
    }
}
