//! The scrubbing thread: reads closed reels again, slowly, and never while writing has a hard time (decision 0052). What is
//! compared is `vault::scrub`; here is when, and what is told of it.
//!
//! A round begins at a reel chosen by chance, so that a recorder that is often started again leaves none out for ever.

use crate::mend::Kept;
use catalog::{Footage, ReelRow, ReelState};
use domain::{Random, UtcMicros};
use keeper::{
    KeeperClient,
    wire::{Finding, FindingState},
};
use seal::sign::PublicKey;
use std::{
    collections::BTreeSet,
    path::PathBuf,
    sync::{
        Arc, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};
use tracing::{info, warn};
use vault::{
    audit::{AuditError, Books, Disagreement},
    keeper::Fact,
    scrub::{Looked, Scrubber, Wrong, bytes_per_second},
};

const LOOK: Duration = Duration::from_millis(100);
/// After the start recording, recovery and mending have the disk for themselves.
const SETTLE: Duration = Duration::from_secs(60);
/// What is wrong is looked at once more after this: reels die, slots are used again, facts are told meanwhile.
const AGAIN: Duration = Duration::from_secs(60);
/// Between two rounds of a small store. The keeper reads its whole ledger for each.
const REST: Duration = Duration::from_secs(3_600);
/// Reading a ledger of years takes minutes.
const BOOKS_PATIENCE: Duration = Duration::from_secs(30 * 60);
/// Progress is told so often.
const TELL: Duration = Duration::from_secs(10);
/// Sleeping for less costs more than it saves.
const DEBT_MIN: Duration = Duration::from_millis(100);

/// Who scrubs, and with what.
pub struct Scrub {
    pub keeper: KeeperClient,
    pub kept: Kept,
    /// The catalog's file: read on a connection of its own, so that the writer of rows waits for nobody.
    pub path: PathBuf,
    pub site_key: PublicKey,
    pub random: Arc<dyn Random>,
    pub ended: Arc<AtomicBool>,
    pub found: Found,
}

/// What was found, as far as this life knows.
#[derive(Default)]
pub struct Found {
    rounds: u64,
    last_round: Option<UtcMicros>,
    /// Of the present round: reels to read, and read.
    reels: usize,
    read: usize,
    damaged: BTreeSet<domain::ReelId>,
    disagreements: Vec<Disagreement>,
}

/// A reel that looked wrong once.
struct Suspect {
    row: ReelRow,
    wrong: Wrong,
    seen: Instant,
}

/// No more bytes a second than so many.
struct Pace {
    bytes_per_second: u64,
    ready: Instant,
}

impl Scrub {
    pub fn new(
        keeper: &KeeperClient,
        kept: Kept,
        path: PathBuf,
        site_key: PublicKey,
        random: Arc<dyn Random>,
        ended: Arc<AtomicBool>,
    ) -> Scrub {
        let keeper = keeper.patient(BOOKS_PATIENCE);
        Scrub { keeper, kept, path, site_key, random, ended, found: Found::default() }
    }

    /// Works until `ended`. It may hang in a read of a dying disk: nobody waits for it.
    pub fn start(mut self) -> JoinHandle<()> {
        thread::spawn(move || {
            self.tell();
            let mut pause = SETTLE;
            while self.wait(pause) {
                pause = REST;
                if let Err(error) = self.round() {
                    warn!(%error, "the store could not be read again to its end; another round follows");
                }
                self.tell();
            }
        })
    }

    fn round(&mut self) -> Result<(), AuditError> {
        let site = self.kept.store.site;
        let footage = Footage::open_for_reading(&self.path, site)?;
        let rows = self.scrubber(&footage).reels()?;
        (self.found.reels, self.found.read) = (rows.len(), 0);
        self.forget_dead(&footage)?;
        let books = self.books();
        let stored = rows.iter().map(|row| row.bytes).sum();
        let mut pace = Pace { bytes_per_second: bytes_per_second(stored), ready: Instant::now() };
        let (mut suspects, mut told) = (Vec::new(), Instant::now());
        let first = self.any_of(rows.len());
        for row in rows[first..].iter().chain(&rows[..first]) {
            let book = books.as_ref().and_then(|(books, _)| books.get(&row.hour));
            let looked = self.scrubber(&footage).look(row, book, &mut |bytes| self.go_on(&mut pace, bytes))?;
            if let Looked::Wrong(wrong) = looked {
                suspects.push(Suspect { row: row.clone(), wrong, seen: Instant::now() });
            }
            if self.ended.load(Ordering::SeqCst) {
                return Ok(());
            }
            self.found.read += 1;
            let due = suspects.extract_if(.., |suspect| suspect.seen.elapsed() >= AGAIN).collect();
            self.look_again(&footage, due, books.as_ref(), &mut pace)?;
            if told.elapsed() > TELL {
                told = Instant::now();
                self.forget_dead(&footage)?;
                self.tell();
            }
        }
        if !suspects.is_empty() && !self.wait(AGAIN) {
            return Ok(());
        }
        self.look_again(&footage, suspects, books.as_ref(), &mut pace)?;
        if self.compare(&footage, books)? {
            self.found.rounds += 1;
            self.found.last_round = Some(self.kept.time.now());
            info!(reels = rows.len(), bytes = stored, damaged = self.found.damaged.len(), "the store was read again");
        }
        Ok(())
    }

    /// Of footage that is dead nothing is told any more.
    fn forget_dead(&mut self, footage: &Footage) -> Result<(), AuditError> {
        let mut dead = BTreeSet::new();
        let reels = self.found.disagreements.iter().filter_map(Disagreement::reel);
        for reel in reels.chain(self.found.damaged.iter().copied()) {
            if footage.reel(reel)?.is_none_or(|row| row.state == ReelState::Dead) {
                dead.insert(reel);
            }
        }
        self.found.damaged.retain(|reel| !dead.contains(reel));
        let lives = |known: &Disagreement| known.reel().is_none_or(|reel| !dead.contains(&reel));
        self.found.disagreements.retain(|known| !is_of_bytes(known) || lives(known));
        Ok(())
    }

    fn scrubber<'a>(&'a self, footage: &'a Footage) -> Scrubber<'a> {
        Scrubber { store: &self.kept.store, footage, site_key: self.site_key, now: self.kept.time.now() }
    }

    /// What is wrong twice is told: in the ledger, once a reel, and on the health page.
    fn look_again(
        &mut self,
        footage: &Footage,
        suspects: Vec<Suspect>,
        books: Option<&(Books, UtcMicros)>,
        pace: &mut Pace,
    ) -> Result<(), AuditError> {
        for Suspect { row, wrong, .. } in suspects {
            let book = books.and_then(|(books, _)| books.get(&row.hour));
            let looked = self.scrubber(footage).look(&row, book, &mut |bytes| self.go_on(pace, bytes))?;
            if looked != Looked::Wrong(wrong.clone()) {
                continue;
            }
            match wrong.damage {
                Some(damage) => {
                    let vault::scrub::Damage { reel, hour, slot, from, to } = damage;
                    warn!(%reel, slot, from, to, "bytes of a reel are not those that were signed");
                    if self.found.damaged.insert(reel) {
                        let fact = Fact::Damaged { reel, hour, slot, from, to };
                        self.kept.admitter.lock().unwrap_or_else(PoisonError::into_inner).tell(fact);
                    }
                }
                None => self.found.note(wrong.disagreement),
            }
            self.tell();
        }
        Ok(())
    }

    /// False: it could not be compared, or was broken off.
    fn compare(&mut self, footage: &Footage, earlier: Option<(Books, UtcMicros)>) -> Result<bool, AuditError> {
        let Some((books, now)) = self.books().or(earlier) else { return Ok(false) };
        let first = Scrubber { now, ..self.scrubber(footage) }.compare(&books)?;
        if first.is_empty() {
            self.found.disagreements.retain(is_of_bytes);
            return Ok(true);
        }
        if !self.wait(AGAIN) {
            return Ok(false);
        }
        let Some((books, now)) = self.books() else { return Ok(false) };
        let again = Scrubber { now, ..self.scrubber(footage) }.compare(&books)?;
        self.found.disagreements.retain(is_of_bytes);
        again.into_iter().filter(|fault| first.contains(fault)).for_each(|fault| self.found.note(fault));
        Ok(true)
    }

    fn books(&self) -> Option<(Books, UtcMicros)> {
        match self.keeper.books() {
            Ok(books) => Some(books),
            Err(error) => {
                warn!(%error, "what keyring and ledger say is not known now; reels are read all the same");
                None
            }
        }
    }

    /// Waits until so many bytes may be read, and for as long as writing has a hard time. False: to be broken off.
    fn go_on(&self, pace: &mut Pace, bytes: u64) -> bool {
        while self.kept.report.sync_is_late(self.kept.time.now()) {
            if !self.wait(LOOK) {
                return false;
            }
        }
        let debt = pace.owe(bytes, Instant::now());
        if debt >= DEBT_MIN {
            return self.wait(debt);
        }
        !self.ended.load(Ordering::SeqCst)
    }

    /// False: to be broken off.
    fn wait(&self, time: Duration) -> bool {
        let until = Instant::now() + time;
        while !self.ended.load(Ordering::SeqCst) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return true;
            }
            thread::sleep(left.min(LOOK));
        }
        false
    }

    fn any_of(&self, count: usize) -> usize {
        let mut chance = [0; 8];
        self.random.fill(&mut chance);
        (u64::from_le_bytes(chance) % count.max(1) as u64) as usize
    }

    fn tell(&self) {
        self.kept.report.note_finding(self.found.finding());
    }
}

impl Pace {
    /// How long to wait before these bytes are read.
    fn owe(&mut self, bytes: u64, now: Instant) -> Duration {
        let debt = self.ready.saturating_duration_since(now);
        self.ready = self.ready.max(now) + Duration::from_secs_f64(bytes as f64 / self.bytes_per_second as f64);
        debt
    }
}

/// Of a kind that a comparison without reading does not find again.
fn is_of_bytes(known: &Disagreement) -> bool {
    matches!(known, Disagreement::Damaged { .. } | Disagreement::RowDiffers { .. })
}

impl Found {
    fn note(&mut self, disagreement: Disagreement) {
        if !self.disagreements.contains(&disagreement) {
            self.disagreements.push(disagreement);
        }
    }

    /// Damaged bytes have an alarm of their own, by the keeper: it outlives this recorder. What may name an hour or a camera is
    /// left to `vigie verify`.
    fn finding(&self) -> Finding {
        let (fr, en) = self.progress();
        let (damaged, odd) = (self.damaged.len(), self.disagreements.len());
        let state = if damaged + odd > 0 { FindingState::Alarm } else { FindingState::Ok };
        let (fr, en) = match (damaged, odd) {
            (0, 0) => (format!("Rien d'abîmé n'a été lu. {fr}"), format!("Nothing damaged was read. {en}")),
            _ => (
                format!(
                    "{damaged} bobine(s) abîmée(s), {odd} contradiction(s) entre stockage, catalogue, trousseau et registre. Lancez `vigie verify` : il les nomme, avec le remède de chacune. {fr}"
                ),
                format!(
                    "{damaged} damaged reel(s), {odd} contradiction(s) between store, catalog, keyring and ledger. Run `vigie verify`: it names them, each with its remedy. {en}"
                ),
            ),
        };
        Finding {
            id: "scrub".into(),
            state,
            title_fr: "Relecture du stockage".into(),
            title_en: "Reading the store again".into(),
            detail_fr: fr,
            detail_en: en,
        }
    }

    fn progress(&self) -> (String, String) {
        let Found { reels, read, .. } = self;
        match self.last_round {
            Some(at) => (
                format!("Dernier tour complet le {at} ; {read} bobine(s) sur {reels} au tour présent."),
                format!("Last whole round on {at}; {read} of {reels} reel(s) in the present one."),
            ),
            None => (
                format!("Premier tour : {read} bobine(s) sur {reels}."),
                format!("First round: {read} of {reels} reel(s)."),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{HourLength, ReelId};

    #[test]
    fn bytes_are_owed_for_and_a_pause_is_not_made_up_for() {
        let start = Instant::now();
        let mut pace = Pace { bytes_per_second: 1_000, ready: start };
        assert_eq!(pace.owe(500, start), Duration::ZERO);
        assert_eq!(pace.owe(1_000, start), Duration::from_millis(500));
        assert_eq!(pace.owe(0, start), Duration::from_millis(1_500));
        // recording needed the disk for a minute: what was not read then is not read faster afterwards
        let later = start + Duration::from_secs(60);
        assert_eq!(pace.owe(2_000, later), Duration::ZERO);
        assert_eq!(pace.owe(0, later), Duration::from_secs(2));
    }

    #[test]
    fn what_scrubbing_tells_names_neither_an_hour_nor_a_camera_and_alarms_where_something_is_wrong() {
        let hour = HourLength::PRODUCT.hour_of(UtcMicros::from_seconds(1_800_000_000));
        let mut found = Found { reels: 7, read: 3, ..Found::default() };
        let quiet = found.finding();
        assert_eq!(quiet.state, FindingState::Ok);
        assert!(quiet.detail_fr.contains("3 bobine(s) sur 7") && quiet.detail_en.contains("3 of 7"));
        for _ in 0..2 {
            found.note(Disagreement::NotInLedger { reel: ReelId([1; 16]), hour });
        }
        found.damaged.insert(ReelId([2; 16]));
        let finding = found.finding();
        assert_eq!(finding.state, FindingState::Alarm);
        for text in [finding.detail_fr, finding.detail_en] {
            assert!(text.contains("vigie verify") && !text.contains(&hour.to_string()), "{text}");
            assert!(text.contains('1'), "{text}");
        }
    }
}
