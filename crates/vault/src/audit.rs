//! Store, catalog, keyring and ledger held against each other: every reel and row against what keeper and ledger say.
//!
//! 1 what keyring and ledger say of each hour, against each other
//! 2 survey of the store, no key needed
//! 3 each reel that should be sound: read whole, its digests and root computed anew (R5), against footer, row and ledger
//! 4 each row against its reel, each reel against its row
//!
//! The recorder writes meanwhile, so what looks wrong once is looked at again ([`Auditor::confirm`]): a fault is what is
//! wrong twice. Nothing is written and nothing is opened.

mod disagreement;

pub use disagreement::Disagreement;

use crate::{
    keeper::ReelFact,
    recover::walk,
    store::{LocalStore, Location, StoreError},
    survey::{End, Found, Survey, Surveyor},
};
use catalog::{CatalogError, Footage, ReelRow, ReelState};
use domain::{CameraId, Hour, ReelId, UtcMicros};
use seal::{root::Root, sign::PublicKey};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What keyring and ledger say of one hour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HourBook {
    pub hour: Hour,
    /// The keyring's page: cameras that have a key, and its deadline.
    pub keys: BTreeMap<CameraId, UtcMicros>,
    /// The page is readable in no copy.
    pub page_damaged: bool,
    /// Cameras that the ledger says were minted for, with the deadline that stands.
    pub minted: BTreeMap<CameraId, UtcMicros>,
    /// Deadlines that keys of the hour were ever minted with: reels go on stating those (K7).
    pub deadlines: BTreeSet<UtcMicros>,
    /// Condemned or destroyed by the ledger.
    pub ended: BTreeSet<CameraId>,
    /// Reels that the ledger says were closed.
    pub reels: Vec<ReelFact>,
}

/// All hours that are remembered and may live.
pub type Books = BTreeMap<Hour, HourBook>;

/// Why nothing can be said.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Footage(#[from] CatalogError),
}

type Result<T> = std::result::Result<T, AuditError>;

/// The verdict.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Audit {
    /// Reels read whole, and their bytes.
    pub reels: u64,
    pub bytes: u64,
    pub rows: u64,
    /// Hours compared in keyring and ledger.
    pub hours: u64,
    /// Reels that are being written.
    pub open: u64,
    pub disagreements: Vec<Disagreement>,
}

/// Who looks, and at what.
pub struct Auditor<'a> {
    pub store: &'a LocalStore,
    pub footage: &'a Footage,
    pub site_key: PublicKey,
    /// What is past or near its deadline at this time is not judged: it is dying.
    pub now: UtcMicros,
    /// Called with the bytes that will be read next, to read no faster than disk and cameras can bear.
    pub pace: &'a dyn Fn(u64),
}

impl Auditor<'_> {
    pub fn audit(&self, books: &Books) -> Result<Audit> {
        self.look(books, None)
    }

    /// Looks once more at everything that disagreed: what is still wrong is a fault.
    pub fn confirm(&self, books: &Books, first: Audit) -> Result<Audit> {
        let suspects: BTreeSet<ReelId> = first.disagreements.iter().filter_map(Disagreement::reel).collect();
        let again = self.look(books, Some(&suspects))?;
        let disagreements = again.disagreements.into_iter().filter(|fault| first.disagreements.contains(fault));
        Ok(Audit { disagreements: disagreements.collect(), ..first })
    }

    /// `only`: reels to read whole; all where nothing is said.
    fn look(&self, books: &Books, only: Option<&BTreeSet<ReelId>>) -> Result<Audit> {
        let mut audit = Audit { hours: books.len() as u64, ..Audit::default() };
        books.values().for_each(|book| compare(book, &mut audit.disagreements)); // 1
        let rows: BTreeMap<ReelId, ReelRow> =
            self.footage.live_reels()?.into_iter().map(|row| (row.reel, row)).collect();
        audit.rows = rows.len() as u64;
        let none = BTreeMap::new();
        let surveyor = Surveyor { store: self.store, site_key: self.site_key, now: self.now, known: &none };
        let survey = surveyor.survey()?; // 2
        for left in &survey.left_out {
            audit.disagreements.push(Disagreement::Damaged { reel: left.reel, slot: left.slot, why: left.why.clone() });
        }
        let mut met = BTreeSet::new();
        for found in survey.reels.iter().filter(|found| books.get(&found.hour).is_none_or(lives)) {
            met.insert(found.reel);
            let wanted = only.is_none_or(|only| only.contains(&found.reel));
            self.reel(found, books.get(&found.hour), rows.get(&found.reel), wanted, &mut audit)?; // 3
        }
        let away = self.away(&rows, &survey, &mut audit);
        self.rows(&rows, &survey, (books, &away), &mut audit)?; // 4
        for book in books.values().filter(|book| lives(book)) {
            let lost = book.reels.iter().filter(|fact| self.now < fact.deadline && !met.contains(&fact.reel));
            let damaged = |reel: ReelId| survey.left_out.iter().any(|left| left.reel == Some(reel));
            let lost = lost.filter(|fact| !damaged(fact.reel) && !away.contains(&fact.reel));
            audit.disagreements.extend(lost.map(|fact| Disagreement::NotInStore { reel: fact.reel, hour: book.hour }));
        }
        Ok(audit)
    }

    fn reel(
        &self,
        found: &Found,
        book: Option<&HourBook>,
        row: Option<&ReelRow>,
        whole: bool,
        audit: &mut Audit,
    ) -> Result<()> {
        let (reel, hour) = (found.reel, found.hour);
        let mut faults = Vec::new();
        match book {
            None => faults.push(Disagreement::NoMint { reel, hour }),
            Some(book) if !book.deadlines.contains(&found.deadline) => {
                faults.push(Disagreement::OtherDeadline { reel, hour, deadline: found.deadline });
            }
            Some(_) => {}
        }
        let root = match found.end {
            End::Closed(root) | End::Recovered(root) => root,
            End::Open | End::Known => {
                audit.open += 1;
                if row.is_some_and(|row| row.state != ReelState::Open) {
                    let why = "its end is not the one that was signed".to_owned();
                    faults.push(Disagreement::Damaged { reel: Some(reel), slot: found.slot(), why });
                }
                audit.disagreements.extend(faults);
                return Ok(());
            }
        };
        if whole {
            (self.pace)(found.location.bytes());
            audit.reels += 1;
            audit.bytes += found.location.bytes();
            faults.extend(self.digests(found, root)?);
        }
        if let Some(book) = book {
            match book.reels.iter().find(|fact| fact.reel == reel) {
                None => faults.push(Disagreement::NotInLedger { reel, hour }),
                Some(fact) if fact.root != root => faults.push(Disagreement::OtherRoot { reel, hour }),
                Some(fact) if (fact.run, fact.hour, fact.deadline) != (found.run, hour, found.deadline) => {
                    faults.push(Disagreement::LedgerDiffers { reel, hour });
                }
                Some(_) => {}
            }
        }
        match row {
            None => faults.push(Disagreement::NoRow { reel, hour }),
            Some(row) => faults.extend(row_differs(row, found, root)),
        }
        audit.disagreements.extend(faults);
        Ok(())
    }

    /// Reads the reel and computes everything anew. The walk itself compares with each signed sync record and the footer.
    fn digests(&self, found: &Found, root: Root) -> Result<Option<Disagreement>> {
        let walked = match walk(self.store, self.site_key, found.reel, &found.location, &mut |_| true) {
            Ok(walked) => walked,
            Err(StoreError::Disk(error)) => {
                let slot = found.slot();
                return Ok(Some(Disagreement::Damaged { reel: Some(found.reel), slot, why: error.to_string() }));
            }
            Err(error) => return Err(error.into()),
        };
        let computed = walked.footer.map(|footer| footer.root).or(walked.recovery.map(|footer| footer.root));
        if computed == Some(root) {
            return Ok(None);
        }
        let at = walked.offset();
        let within = |piece: &&crate::store::Piece| piece.reel_offset <= at && at < piece.reel_offset + piece.bytes;
        let slot = found.location.pieces.iter().find(within).map_or(0, |piece| piece.slot);
        let why = format!("its bytes are not those that were signed, at byte {at}");
        Ok(Some(Disagreement::Damaged { reel: Some(found.reel), slot, why }))
    }

    /// Reels of roots that are not there: one line a root, and nothing is said of the reels.
    fn away(&self, rows: &BTreeMap<ReelId, ReelRow>, survey: &Survey, audit: &mut Audit) -> BTreeSet<ReelId> {
        let found: BTreeSet<ReelId> = survey.reels.iter().map(|found| found.reel).collect();
        let (mut away, mut counts) = (BTreeSet::new(), BTreeMap::<Option<u8>, u64>::new());
        for row in rows.values().filter(|row| self.now < row.deadline && !found.contains(&row.reel)) {
            let location = Location::from_bytes(&row.location).filter(|of| self.store.is_away(of));
            if let Some(location) = location {
                away.insert(row.reel);
                *counts.entry(location.root()).or_default() += 1;
            }
        }
        let missing = counts.into_iter().map(|(root, reels)| Disagreement::DiskMissing { root, reels });
        audit.disagreements.extend(missing);
        away
    }

    fn rows(
        &self,
        rows: &BTreeMap<ReelId, ReelRow>,
        survey: &Survey,
        (books, away): (&Books, &BTreeSet<ReelId>),
        audit: &mut Audit,
    ) -> Result<()> {
        let found: BTreeSet<ReelId> = survey.reels.iter().map(|found| found.reel).collect();
        let damaged: BTreeSet<ReelId> = survey.left_out.iter().filter_map(|left| left.reel).collect();
        for row in rows.values().filter(|row| row.state != ReelState::Open && self.now < row.deadline) {
            let (reel, hour) = (row.reel, row.hour);
            if !found.contains(&reel) && !damaged.contains(&reel) && !away.contains(&reel) {
                audit.disagreements.push(Disagreement::NoBytes { reel, hour });
            }
            let Some(book) = books.get(&hour).filter(|book| lives(book) && !book.page_damaged) else { continue };
            for stream in self.footage.streams_of(reel)? {
                let camera = stream.stream.camera;
                if !book.keys.contains_key(&camera) && !book.ended.contains(&camera) {
                    audit.disagreements.push(Disagreement::NoKey { reel: Some(reel), hour, camera });
                }
            }
        }
        Ok(())
    }
}

/// Whether some key of the hour lives: of the others the store holds ciphertext until its slots are used again.
pub(crate) fn lives(book: &HourBook) -> bool {
    book.minted.keys().any(|camera| !book.ended.contains(camera)) || !book.keys.is_empty()
}

/// 1. Keyring and ledger of one hour.
pub(crate) fn compare(book: &HourBook, faults: &mut Vec<Disagreement>) {
    let hour = book.hour;
    if book.page_damaged {
        faults.push(Disagreement::PageDamaged { hour });
        return;
    }
    for (camera, deadline) in &book.keys {
        let (camera, deadline) = (*camera, *deadline);
        match book.minted.get(&camera) {
            _ if book.ended.contains(&camera) => faults.push(Disagreement::KeyOfDestroyed { hour, camera }),
            None => faults.push(Disagreement::KeyNeverMinted { hour, camera }),
            Some(entered) if *entered != deadline => {
                faults.push(Disagreement::KeyDeadlineDiffers { hour, camera, keyring: deadline, ledger: *entered });
            }
            Some(_) => {}
        }
    }
    let missing = book.minted.keys().filter(|camera| !book.keys.contains_key(camera) && !book.ended.contains(camera));
    faults.extend(missing.map(|camera| Disagreement::NoKey { reel: None, hour, camera: *camera }));
}

fn row_differs(row: &ReelRow, found: &Found, root: Root) -> Option<Disagreement> {
    let what = if row.state == ReelState::Open {
        "state"
    } else if (row.run, row.hour) != (found.run, found.hour) {
        "hour"
    } else if row.deadline != found.deadline {
        "deadline"
    } else if row.root != Some(root) {
        "root"
    } else if Location::from_bytes(&row.location).is_none_or(|location| location.pieces != found.location.pieces) {
        "place"
    } else if row.bytes != found.location.bytes() {
        "bytes"
    } else {
        return None;
    };
    Some(Disagreement::RowDiffers { reel: found.reel, hour: found.hour, what: what.to_owned() })
}
