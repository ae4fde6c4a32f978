//! What the ledger takes: a million entries, each durable before the next batch is told so, then read, proved and opened again.
//!
//! The journal is the keeper's own on the real disk; only the month's log key is a fixed one, where the keeper asks its keyring.

use crate::{
    Outcome,
    counting::{Counting, Syncs},
    processes::cpu_seconds,
    table::{line, quantiles},
};
use domain::{
    CameraId, Hour, HourLength, PermitId, Purpose, Random, ReelId, RunId, Secret32, Sensitive, SiteId, Span, UtcMicros,
};
use keeper::journal::{Journal, JournalParts, JournalPlace, JournalSizes, LogKeyError, LogKeys};
use ledger::{Actor, Digest, Entry, Event, LogId, Month, verify_inclusion};
use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread,
    time::Instant,
};

const SITE: SiteId = SiteId([1; 16]);
const LOG: LogId = LogId([2; 16]);
/// 2026-03-12T14:00Z.
const START: i64 = 1_773_324_000;
/// What is asked of batches (docs/progress/2.md).
const ENTRIES_PER_SECOND_MIN: f64 = 2_000.0;
/// A checkpoint after so many, little less than a power of two, to which a batch is padded; the keeper makes one a minute.
const ENTRIES_PER_CHECKPOINT: u64 = 16_000;
const PROOFS: u64 = 1_000;

/// One way of filling the ledger.
struct Load {
    name: &'static str,
    callers: u64,
    batch: u64,
    entries: u64,
}

/// What a load took.
struct Filled {
    load: Load,
    seconds: f64,
    cpu: f64,
    /// Syncs of the journal's own files.
    syncs: u64,
}

/// What the whole run found.
pub struct Measured {
    pub entries: u64,
    filled: Vec<Filled>,
    /// Seconds, CPU seconds and syncs of each checkpoint.
    checkpoints: Vec<(f64, f64, u64)>,
    journal_bytes: u64,
    public_bytes: u64,
    reopen_seconds: f64,
    read_seconds: f64,
    proof_ms: Vec<f64>,
}

/// Fills a new ledger in `folder` with about `entries`, the most of them in batches of 250, and removes it again.
pub fn measure(folder: &Path, entries: u64) -> Outcome<Measured> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    fs::create_dir_all(folder)?;
    let disk = Counting::default();
    let syncs = disk.syncs.clone();
    let opening = Entry::new(at(0), Actor::Cli { uid: 0 }, Event::Opened { site: SITE, log: LOG });
    let journal = Journal::create(parts(disk.clone(), folder), &opening)?;
    let mut measured = Measured {
        entries: 0,
        filled: Vec::new(),
        checkpoints: Vec::new(),
        journal_bytes: 0,
        public_bytes: 0,
        reopen_seconds: 0.0,
        read_seconds: 0.0,
        proof_ms: Vec::new(),
    };
    for load in loads(entries) {
        measured.fill(&journal, &syncs, load)?;
    }
    measured.entries = journal.size();
    drop(journal);
    let begun = Instant::now();
    let journal = Journal::open(parts(disk, folder))?;
    measured.reopen_seconds = begun.elapsed().as_secs_f64();
    measured.read(&journal)?;
    measured.prove(&journal)?;
    measured.journal_bytes = bytes_below(&folder.join("journal"))?;
    measured.public_bytes = bytes_below(&folder.join("public"))?;
    drop(journal);
    fs::remove_dir_all(folder)?;
    Ok(measured)
}

fn loads(entries: u64) -> Vec<Load> {
    let part = |parts: u64| (entries / parts).max(1);
    vec![
        Load { name: "one caller, one entry each time", callers: 1, batch: 1, entries: part(200) },
        Load { name: "16 callers at once, one entry each time", callers: 16, batch: 1, entries: part(50) },
        Load { name: "one caller, batches of 16", callers: 1, batch: 16, entries: part(20) },
        Load {
            name: "one caller, batches of 250",
            callers: 1,
            batch: 250,
            entries: entries - part(200) - part(50) - part(20),
        },
    ]
}

impl Measured {
    fn fill(&mut self, journal: &Journal, syncs: &Syncs, load: Load) -> Outcome<()> {
        let mut filled = Filled { load, seconds: 0.0, cpu: 0.0, syncs: 0 };
        let mut left = filled.load.entries;
        while left > 0 {
            let now = left.min(ENTRIES_PER_CHECKPOINT);
            left -= now;
            let before = Reading::take(syncs);
            append(journal, &filled.load, now)?;
            let (seconds, cpu, in_journal) = before.since(syncs);
            filled.seconds += seconds;
            filled.cpu += cpu;
            filled.syncs += in_journal;
            let (before, all) = (Reading::take(syncs), syncs.all());
            journal.checkpoint(at(journal.size() as i64))?;
            let (seconds, cpu, _) = before.since(syncs);
            self.checkpoints.push((seconds, cpu, syncs.all() - all));
        }
        self.filled.push(filled);
        Ok(())
    }

    /// As a keeper that starts: every entry in clear.
    fn read(&mut self, journal: &Journal) -> Outcome<()> {
        let (begun, mut read) = (Instant::now(), 0);
        journal.each(0, &mut |sealed| journal.open_entry(&sealed).map(|_| read += 1))?;
        self.read_seconds = begun.elapsed().as_secs_f64();
        if read == self.entries {
            Ok(())
        } else {
            Err(format!("{read} of {} entries can be read", self.entries).into())
        }
    }

    /// Entries all over the log, each proved in the newest checkpoint and verified.
    fn prove(&mut self, journal: &Journal) -> Outcome<()> {
        let head = journal.head();
        for nth in 0..PROOFS.min(head.size) {
            let seq = nth.wrapping_mul(0x9e37_79b9_7f4a_7c15) % head.size;
            let begun = Instant::now();
            let commitment = journal.read(seq)?.commitment;
            let path = journal.prove_inclusion(head.size, seq)?;
            self.proof_ms.push(begun.elapsed().as_secs_f64() * 1e3);
            verify_inclusion(&path, head.size, head.root, seq, &commitment)?;
        }
        self.proof_ms.sort_by(f64::total_cmp);
        Ok(())
    }

    pub fn markdown(&self) -> String {
        let mut text = format!("A ledger of {} entries on the real disk, one run.\n\n", self.entries);
        text += "| how entries come | entries | entries/s, durable | CPU s per 1,000 | syncs a batch |\n| --- | --- | --- | --- | --- |\n";
        for Filled { load, seconds, cpu, syncs } in &self.filled {
            let (entries, batches) = (load.entries as f64, (load.entries / load.batch).max(1) as f64);
            let rate = entries / seconds;
            let (cpu, syncs) = (cpu / entries * 1e3, *syncs as f64 / batches);
            line(&mut text, &format!("| {} | {entries} | {rate:.0} | {cpu:.3} | {syncs:.2} |", load.name));
        }
        let mut seconds: Vec<f64> = self.checkpoints.iter().map(|(seconds, ..)| *seconds).collect();
        let (p50, p95) = quantiles(&mut seconds);
        let count = self.checkpoints.len().max(1) as f64;
        let cpu = self.checkpoints.iter().map(|(_, cpu, _)| cpu).sum::<f64>() / count;
        let syncs = self.checkpoints.iter().map(|(.., syncs)| *syncs as f64).sum::<f64>() / count;
        line(&mut text, "\n| | |\n| --- | --- |");
        line(
            &mut text,
            &format!(
                "| a checkpoint of {ENTRIES_PER_CHECKPOINT} entries: tiles, bundles, signature | {p50:.2} s (95 %: {p95:.2}), {cpu:.2} CPU s, {syncs:.0} syncs |"
            ),
        );
        let each = |bytes: u64| bytes as f64 / self.entries as f64;
        line(
            &mut text,
            &format!(
                "| on disk, journal | {:.0} MB, {:.0} bytes an entry |",
                self.journal_bytes as f64 / 1e6,
                each(self.journal_bytes)
            ),
        );
        line(
            &mut text,
            &format!(
                "| on disk, public files | {:.0} MB, {:.0} bytes an entry |",
                self.public_bytes as f64 / 1e6,
                each(self.public_bytes)
            ),
        );
        line(
            &mut text,
            &format!("| to open it again: chain, tree, last group settled | {:.2} s |", self.reopen_seconds),
        );
        line(
            &mut text,
            &format!("| to read every entry in clear, as a keeper that starts | {:.2} s |", self.read_seconds),
        );
        let (p50, p95) = quantiles(&mut self.proof_ms.clone());
        line(&mut text, &format!("| to prove one entry | {p50:.2} ms (95 %: {p95:.2}) |"));
        let rate = self.in_batches();
        let verdict = if rate >= ENTRIES_PER_SECOND_MIN { "holds" } else { "DOES NOT HOLD" };
        let all = self.checkpoints.iter().map(|(seconds, ..)| seconds).sum::<f64>();
        let all = self.entries as f64 / (all + self.filled.iter().map(|filled| filled.seconds).sum::<f64>());
        line(
            &mut text,
            &format!(
                "\nGoal: {rate:.0} ≥ {ENTRIES_PER_SECOND_MIN} entries/s durable in batches: {verdict}; with every way and every checkpoint counted in, {all:.0}."
            ),
        );
        text
    }

    /// Entries a second of the load with the largest batches.
    fn in_batches(&self) -> f64 {
        self.filled
            .iter()
            .max_by_key(|filled| filled.load.batch)
            .map_or(0.0, |filled| filled.load.entries as f64 / filled.seconds)
    }
}

/// Appends `entries` by as many callers as the load has.
fn append(journal: &Journal, load: &Load, entries: u64) -> Outcome<()> {
    let first = journal.size();
    let share = entries.div_ceil(load.callers);
    let caller = |caller: u64| -> Result<(), keeper::journal::JournalError> {
        let (mut nth, end) = ((caller * share).min(entries), ((caller + 1) * share).min(entries));
        while nth < end {
            let last = (nth + load.batch).min(end);
            journal.append(&(nth..last).map(|nth| entry(first + nth)).collect::<Vec<_>>())?;
            nth = last;
        }
        Ok(())
    };
    thread::scope(|scope| {
        let callers: Vec<_> = (0..load.callers).map(|number| scope.spawn(move || caller(number))).collect();
        callers.into_iter().try_for_each(|caller| caller.join().map_err(|_| "a caller died")?.map_err(Into::into))
    })
}

/// Wall time, CPU and syncs at an instant.
struct Reading {
    at: Instant,
    cpu: f64,
    in_journal: u64,
}

impl Reading {
    fn take(syncs: &Syncs) -> Reading {
        Reading { at: Instant::now(), cpu: cpu_seconds(std::process::id()), in_journal: syncs.in_journal() }
    }

    fn since(&self, syncs: &Syncs) -> (f64, f64, u64) {
        let cpu = cpu_seconds(std::process::id()) - self.cpu;
        (self.at.elapsed().as_secs_f64(), cpu, syncs.in_journal() - self.in_journal)
    }
}

/// What a town enters: reels mostly, looks, a refusal now and then, a mint each hour.
fn entry(nth: u64) -> Entry {
    let id = |kind: u8| {
        let mut bytes = [kind; 16];
        bytes[..8].copy_from_slice(&nth.to_le_bytes());
        bytes
    };
    let now = at(nth as i64);
    let cameras = vec![CameraId([(nth % 250) as u8; 16])];
    let person = || Sensitive::new(format!("operateur-{}", nth % 8));
    let reason = Sensitive::new("Vérification après un signalement de dégradation".to_owned());
    let (role, span) = ("operator".to_owned(), Span::new(now.plus_seconds(-600), now).ok());
    let account = Actor::Account { id: (nth % 8).to_string(), name: person() };
    let purpose = Purpose::SafetyOfPersonsAndProperty;
    match nth % 8 {
        0 | 1 => {
            let rules = vec!["TOWN-01".to_owned()];
            let permit = PermitId(id(1));
            Entry::new(
                now,
                account,
                Event::Look {
                    permit,
                    who: person(),
                    role,
                    live: false,
                    cameras,
                    span,
                    purpose,
                    reason,
                    stated: None,
                    rules,
                },
            )
        }
        2 => {
            let (action, rules) = ("replay".to_owned(), vec!["CSI-07".to_owned()]);
            let (purpose, reason) = (Some(purpose), Some(reason));
            Entry::new(
                now,
                account,
                Event::Refusal { who: person(), role, action, cameras, span, purpose, reason, rules },
            )
        }
        _ => {
            let deadline = now.plus_seconds(30 * 86_400);
            let (reel, run, root) = (ReelId(id(2)), RunId([3; 16]), Digest([nth as u8; 32]));
            let reel = Event::Reel { reel, run, hour: hour(now), deadline, root, bytes: 150_000_000, streams: 50 };
            Entry::new(now, Actor::Role { role: ledger::Role::Recorder }, reel)
        }
    }
}

fn hour(now: UtcMicros) -> Hour {
    HourLength::PRODUCT.hour_of(now)
}

fn at(seconds: i64) -> UtcMicros {
    UtcMicros::from_seconds(START + seconds / 1_000)
}

fn parts(disk: Counting, folder: &Path) -> JournalParts {
    JournalParts {
        disk: Arc::new(disk),
        place: JournalPlace::in_folder(folder),
        sizes: JournalSizes::default(),
        site: SITE,
        log: LOG,
        seed: Secret32::new([3; 32]),
        keys: Arc::new(OneKey),
        random: Arc::new(Drawn::default()),
    }
}

/// The same key for every month.
struct OneKey;

impl LogKeys for OneKey {
    fn month_key(&self, _: Month) -> Result<Secret32, LogKeyError> {
        Ok(Secret32::new([4; 32]))
    }
}

/// Salts that differ; nobody has to be kept from guessing them here.
#[derive(Default)]
struct Drawn(AtomicU64);

impl Random for Drawn {
    fn fill(&self, bytes: &mut [u8]) {
        let draw = self.0.fetch_add(1, Relaxed).to_le_bytes();
        blake3::Hasher::new().update(&draw).finalize_xof().fill(bytes);
    }
}

/// What the files of a folder and of those below take.
fn bytes_below(folder: &Path) -> Outcome<u64> {
    let mut bytes = 0;
    for found in fs::read_dir(folder)? {
        let found = found?;
        bytes += if found.file_type()?.is_dir() { bytes_below(&found.path())? } else { found.metadata()?.len() };
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_one_sync_and_every_entry_is_read_and_proved_after_opening_again() {
        let folder = std::env::temp_dir().join(format!("vigie-bench-{}", std::process::id()));
        let measured = measure(&folder, 4_000).unwrap();
        assert!(measured.entries > 4_000, "with its padding: {}", measured.entries);
        assert_eq!(measured.proof_ms.len(), 1_000);
        for filled in measured.filled.iter().filter(|filled| filled.load.callers == 1) {
            let batches = filled.load.entries.div_ceil(filled.load.batch);
            assert_eq!(filled.syncs, batches, "{}", filled.load.name);
        }
        let shared = measured.filled.iter().find(|filled| filled.load.callers > 1).unwrap();
        assert!(shared.syncs <= shared.load.entries, "callers at one time share a sync");
        assert!(measured.markdown().contains("Goal: "));
        assert!(!folder.exists());
    }
}
