//! The packages of this machine: those that are being made, those that wait to be handed over, and the end of each.
//!
//! A file is named by its export and by the second until which the two persons' permission stands: then it is removed, and parts that a
//! crash left are removed at the next start. Everything here is sealed, for the key or by the passphrase
//! that two persons answer for.

use super::{copies::Copying, stamp::Stamping};
use crate::problem::Text;
use domain::{ExportId, UtcMicros};
use evidence::Digest;
use std::{
    collections::{BTreeSet, HashMap},
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

const WHOLE: &str = ".zip.age";
const PART: &str = ".part";

/// How a package stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Nothing is made, or what was made is gone.
    None,
    /// The window's number from 0 of so many, and how far it is, of 1000.
    Pictures {
        window: u32,
        share: u32,
    },
    /// The last pictures of a window are still being closed, within a minute.
    Reels,
    /// Viewing copies of what browsers cannot play are being made, within five minutes.
    Copies,
    /// Everything is written but the log's word, within a minute.
    Log,
    /// The authority of timestamps is asked, within a minute.
    Timestamp,
    Ready {
        bytes: u64,
        sha256: Option<Digest>,
        /// Nothing where the town has chosen no authority, and after a restart.
        timestamp: Option<Stamping>,
    },
    Cancelled,
    Failed(&'static Text),
}

/// One that is being made.
#[derive(Debug)]
pub struct Running {
    part: PathBuf,
    whole: PathBuf,
    cancelled: AtomicBool,
    /// Window in the upper half, share in the lower; at the top four words of waiting.
    at: AtomicU64,
    timestamp: OnceLock<Stamping>,
}

enum Job {
    Running(Arc<Running>),
    Ended(Stage),
}

/// All of them.
pub struct Packages {
    folder: Option<PathBuf>,
    jobs: Mutex<HashMap<ExportId, Job>>,
    /// Those of this process without a printed report.
    unprinted: Mutex<BTreeSet<ExportId>>,
    /// What came of viewing copies, of those of this process that should have any.
    copied: Mutex<HashMap<ExportId, Copying>>,
}

/// Why none is begun.
#[derive(Debug, PartialEq, Eq)]
pub enum NotBegun {
    NoFolder,
    /// This one is being made already.
    Runs,
}

impl Packages {
    /// Removes what a crash left.
    pub fn open(folder: Option<PathBuf>) -> Packages {
        let packages =
            Packages { folder, jobs: Mutex::default(), unprinted: Mutex::default(), copied: Mutex::default() };
        for path in packages.files().into_iter().filter(|path| path.to_string_lossy().ends_with(PART)) {
            remove(&path);
        }
        packages
    }

    /// From here on it runs, until [`Packages::end`].
    pub fn begin(&self, export: ExportId, until: UtcMicros) -> Result<Arc<Running>, NotBegun> {
        let folder = self.folder.as_ref().filter(|folder| folder.is_dir()).ok_or(NotBegun::NoFolder)?;
        let mut jobs = self.jobs();
        if matches!(jobs.get(&export), Some(Job::Running(_))) {
            return Err(NotBegun::Runs);
        }
        self.files_of(export).iter().for_each(|path| remove(path));
        let whole = folder.join(format!("{export}-{}{WHOLE}", until.seconds()));
        let part = folder.join(format!("{export}-{}{WHOLE}{PART}", until.seconds()));
        let (cancelled, at, timestamp) = (AtomicBool::new(false), AtomicU64::new(0), OnceLock::new());
        let running = Arc::new(Running { part, whole, cancelled, at, timestamp });
        jobs.insert(export, Job::Running(running.clone()));
        self.unprinted().remove(&export);
        self.copying().remove(&export);
        Ok(running)
    }

    pub fn end(&self, export: ExportId, stage: Stage) {
        self.jobs().insert(export, Job::Ended(stage));
    }

    /// Nobody printed its report: it is a whole package all the same.
    pub fn lacks_report(&self, export: ExportId) {
        self.unprinted().insert(export);
    }

    pub fn is_without_report(&self, export: ExportId) -> bool {
        self.unprinted().contains(&export)
    }

    pub fn copied(&self, export: ExportId, copying: Copying) {
        self.copying().insert(export, copying);
    }

    /// Nothing where no picture of it is in H.265, and after a restart.
    pub fn copies_of(&self, export: ExportId) -> Option<Copying> {
        self.copying().get(&export).copied()
    }

    pub fn stage(&self, export: ExportId) -> Stage {
        match self.jobs().get(&export) {
            Some(Job::Running(running)) => return running.stage(),
            Some(Job::Ended(Stage::Ready { .. })) | None => {}
            Some(Job::Ended(stage)) => return stage.clone(),
        }
        let Some(path) = self.whole(export) else { return Stage::None };
        let bytes = fs::metadata(&path).map(|file| file.len()).unwrap_or_default();
        // after a restart its digest is known to whoever took it down
        let (sha256, timestamp) = match self.jobs().get(&export) {
            Some(Job::Ended(Stage::Ready { sha256, timestamp, .. })) => (*sha256, *timestamp),
            _ => (None, None),
        };
        Stage::Ready { bytes, sha256, timestamp }
    }

    /// A package that can be handed over.
    pub fn whole(&self, export: ExportId) -> Option<PathBuf> {
        self.files_of(export).into_iter().find(|path| path.to_string_lossy().ends_with(WHOLE))
    }

    /// What is being made stops; what was made is removed.
    pub fn drop_one(&self, export: ExportId) {
        let mut jobs = self.jobs();
        if let Some(Job::Running(running)) = jobs.get(&export) {
            running.cancelled.store(true, Ordering::SeqCst);
            return;
        }
        jobs.remove(&export);
        self.files_of(export).iter().for_each(|path| remove(path));
    }

    /// What was handed over goes: its files are removed, durably, and looked for again. So many bytes were there.
    pub fn destroy_one(&self, export: ExportId) -> io::Result<u64> {
        let mut jobs = self.jobs();
        let files = self.files_of(export);
        let mut bytes = 0;
        for path in &files {
            bytes += fs::metadata(path)?.len();
            fs::remove_file(path)?;
        }
        if let Some(folder) = &self.folder {
            fs::File::open(folder)?.sync_all()?;
        }
        jobs.remove(&export);
        if self.files_of(export).is_empty() { Ok(bytes) } else { Err(io::ErrorKind::AlreadyExists.into()) }
    }

    /// Removes packages whose time is over.
    pub fn sweep(&self, now: UtcMicros) {
        for path in self.files() {
            let until = path.file_name().and_then(|name| name.to_str()).and_then(until_of);
            if until.is_none_or(|until| until <= now.seconds()) {
                remove(&path);
            }
        }
    }

    fn files_of(&self, export: ExportId) -> Vec<PathBuf> {
        let name = export.to_string();
        let is_its = |path: &PathBuf| path.file_name().is_some_and(|file| file.to_string_lossy().starts_with(&name));
        self.files().into_iter().filter(is_its).collect()
    }

    /// Ours only: nothing else is touched, whatever somebody puts there.
    fn files(&self) -> Vec<PathBuf> {
        let read = self.folder.as_deref().map(fs::read_dir).and_then(Result::ok);
        let paths = read.into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
        paths
            .filter(|path| path.file_name().and_then(|name| name.to_str()).is_some_and(|name| until_of(name).is_some()))
            .collect()
    }

    fn unprinted(&self) -> MutexGuard<'_, BTreeSet<ExportId>> {
        self.unprinted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn copying(&self) -> MutexGuard<'_, HashMap<ExportId, Copying>> {
        self.copied.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn jobs(&self) -> MutexGuard<'_, HashMap<ExportId, Job>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `EXPORT-SECONDS.zip.age`, or a part of one.
fn until_of(name: &str) -> Option<i64> {
    let stem = name.strip_suffix(PART).unwrap_or(name).strip_suffix(WHOLE)?;
    let (export, until) = stem.rsplit_once('-')?;
    export.parse::<ExportId>().ok()?;
    until.parse().ok()
}

fn remove(path: &Path) {
    match fs::remove_file(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => tracing::warn!(%error, "a package whose time is over cannot be removed"),
    }
}

impl Running {
    const LOG: u64 = u64::MAX;
    const REELS: u64 = u64::MAX - 1;
    const TIMESTAMP: u64 = u64::MAX - 2;
    const COPIES: u64 = u64::MAX - 3;

    /// As a part, and as a whole.
    pub fn paths(&self) -> (PathBuf, PathBuf) {
        (self.part.clone(), self.whole.clone())
    }

    pub fn at(&self, window: usize, share: u32) {
        self.at.store((window as u64) << 32 | u64::from(share), Ordering::Relaxed);
    }

    pub fn waits_for_reels(&self) {
        self.at.store(Running::REELS, Ordering::Relaxed);
    }

    pub fn waits_for_log(&self) {
        self.at.store(Running::LOG, Ordering::Relaxed);
    }

    pub fn waits_for_timestamp(&self) {
        self.at.store(Running::TIMESTAMP, Ordering::Relaxed);
    }

    pub fn waits_for_copies(&self) {
        self.at.store(Running::COPIES, Ordering::Relaxed);
    }

    /// What came of it, once.
    pub fn stamped(&self, stamping: Stamping) {
        self.timestamp.get_or_init(|| stamping);
    }

    pub fn timestamp(&self) -> Option<Stamping> {
        self.timestamp.get().copied()
    }

    pub fn is_cancelled(&self) -> bool {
        self.cancelled.load(Ordering::SeqCst)
    }

    fn stage(&self) -> Stage {
        match self.at.load(Ordering::Relaxed) {
            Running::LOG => Stage::Log,
            Running::REELS => Stage::Reels,
            Running::COPIES => Stage::Copies,
            Running::TIMESTAMP => Stage::Timestamp,
            at => Stage::Pictures { window: (at >> 32) as u32, share: at as u32 },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXPORT: ExportId = ExportId([3; 16]);

    fn at(seconds: i64) -> UtcMicros {
        UtcMicros::from_seconds(seconds)
    }

    #[test]
    fn a_package_lives_until_its_end_and_a_part_until_the_next_start() {
        let folder = tempfile::tempdir().unwrap();
        let packages = Packages::open(Some(folder.path().to_owned()));
        assert_eq!(packages.stage(EXPORT), Stage::None);
        let running = packages.begin(EXPORT, at(1_000)).unwrap();
        assert_eq!(packages.begin(EXPORT, at(1_000)).unwrap_err(), NotBegun::Runs);
        running.at(1, 250);
        assert_eq!(packages.stage(EXPORT), Stage::Pictures { window: 1, share: 250 });
        running.waits_for_reels();
        assert_eq!(packages.stage(EXPORT), Stage::Reels);
        running.waits_for_copies();
        assert_eq!(packages.stage(EXPORT), Stage::Copies);
        running.waits_for_log();
        assert_eq!(packages.stage(EXPORT), Stage::Log);
        running.waits_for_timestamp();
        assert_eq!(packages.stage(EXPORT), Stage::Timestamp);
        running.stamped(Stamping::Away);
        assert_eq!(running.timestamp(), Some(Stamping::Away));
        let (part, whole) = running.paths();
        fs::write(&part, b"half").unwrap();
        fs::write(folder.path().join("somebody's notes"), b"kept").unwrap();
        // a crash: the next start knows nothing of it but the part
        let packages = Packages::open(Some(folder.path().to_owned()));
        assert!(!part.exists());
        assert_eq!(packages.stage(EXPORT), Stage::None);
        fs::write(&whole, b"sealed").unwrap();
        assert_eq!(packages.stage(EXPORT), Stage::Ready { bytes: 6, sha256: None, timestamp: None });
        packages.sweep(at(999));
        assert_eq!(packages.whole(EXPORT), Some(whole.clone()));
        packages.sweep(at(1_000));
        assert_eq!((packages.whole(EXPORT), whole.exists()), (None, false));
        assert!(folder.path().join("somebody's notes").exists());
    }

    #[test]
    fn what_was_handed_over_is_gone_or_nobody_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let packages = Packages::open(Some(folder.path().to_owned()));
        let whole = packages.begin(EXPORT, at(1_000)).unwrap().paths().1;
        fs::write(&whole, b"sealed").unwrap();
        assert_eq!(packages.destroy_one(EXPORT).unwrap(), 6);
        assert_eq!((whole.exists(), packages.stage(EXPORT)), (false, Stage::None));
        // what cannot be removed is told: here a folder under the file's name
        fs::create_dir(&whole).unwrap();
        assert!(packages.destroy_one(EXPORT).is_err());
    }

    #[test]
    fn what_runs_is_told_to_stop_and_what_is_made_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let packages = Packages::open(Some(folder.path().to_owned()));
        let running = packages.begin(EXPORT, at(1_000)).unwrap();
        packages.drop_one(EXPORT);
        assert!(running.is_cancelled());
        packages.end(EXPORT, Stage::Cancelled);
        assert_eq!(packages.stage(EXPORT), Stage::Cancelled);
        let again = packages.begin(EXPORT, at(1_000)).unwrap();
        fs::write(again.paths().1, b"sealed").unwrap();
        let ready = Stage::Ready { bytes: 6, sha256: Some(Digest([1; 32])), timestamp: Some(Stamping::Made) };
        packages.end(EXPORT, ready.clone());
        assert_eq!(packages.stage(EXPORT), ready);
        packages.drop_one(EXPORT);
        assert_eq!(packages.stage(EXPORT), Stage::None);
        assert_eq!(Packages::open(None).begin(EXPORT, at(1)).unwrap_err(), NotBegun::NoFolder);
    }
}
